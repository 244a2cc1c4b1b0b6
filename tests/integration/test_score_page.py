"""The scorer's page in a real browser: tapped by its names, without a network, over a kill, on two phones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from deploy.rtmp_server import free_port
from tests.service import MakeService, Service
from tests.waiting import eventually

PHONE = {"width": 360, "height": 740}
OTHER_TAP_MS = 310  # as in page.js, a thumb that bounces is not two taps
RED = ["Ann Ash", "Ben Birch", "Col Cedar", "Dan Dogwood", "Eve Elm"]
BLUE = ["Xan Xebec", "Yul Yawl", "Zoe Zulu"]


class Phone:
    """A browser with the page of one stream, and everything that went wrong on it."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.context, self.url = context, url
        self.page: Page = context.new_page()
        self.faults: list[str] = []
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.goto(url)

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def tap(self, *names: str) -> None:
        for name in names:
            self.button(name).click()
            self.page.wait_for_timeout(OTHER_TAP_MS)

    def set_up(self, **fields: str) -> None:
        chosen = {"Batting first": "Red Valley", "Bowling first": "Blue Hill", "Overs": "2"} | fields
        for label, value in chosen.items():
            self.page.get_by_label(label, exact=True).fill(value)
        self.page.get_by_label("Red Valley players").fill("\n".join(RED))
        self.page.get_by_label("Blue Hill players").fill("1. Xan Xebec\n2. Yul Yawl\n3. Zoe Zulu")
        for role, name in (("Striker", RED[0]), ("Non-striker", RED[1]), ("Opening bowler", BLUE[0])):
            self.page.get_by_role("combobox", name=role, exact=True).fill(name)

    def dialog(self, name: str) -> Locator:
        return self.page.get_by_role("dialog", name=name)

    def score(self, text: str) -> None:
        expect(self.page.locator("#score")).to_contain_text(text)

    def status(self, text: str) -> None:
        expect(self.page.get_by_role("status")).to_have_text(text)


MakePhone = Callable[[str], Phone]


@pytest.fixture
def phone(browser: Browser) -> Iterator[MakePhone]:
    made: list[Phone] = []

    def make(url: str) -> Phone:
        context = browser.new_context(viewport=PHONE, reduced_motion="reduce")  # type: ignore[arg-type]
        context.set_default_timeout(10_000)
        made.append(Phone(context, url))
        return made[-1]

    yield make
    for one in made:
        one.context.close()
    assert [fault for one in made for fault in one.faults] == []


def link(service: Service, label: str = "Saturday scorer") -> str:
    answer = service.post("/streams/m1/links", {"role": "scorer", "label": label})
    assert answer.status_code == 201, answer.text
    url: str = answer.json()["url"]
    return url


def match(service: Service) -> dict[str, Any]:
    return service.get("/streams/m1/match")


def words(service: Service) -> list[str]:
    found: list[str] = service.get("/streams/m1/on_screen").get("words", [])
    return found


def running_service(service: MakeService, **settings: str) -> Service:
    return service(api_token="canary-token-0123456789", overlay_api_base="", overlay_image_base="", **settings)


def started(service: MakeService, **settings: str) -> Service:
    one = running_service(service, **settings)
    one.start("m1")
    return one


def test_an_innings_is_tapped_by_its_names(service: MakeService, phone: MakePhone) -> None:
    one = started(service)
    it = phone(link(one))
    it.set_up()
    it.button("Start full scoring").click()
    it.status("All sent")
    it.tap("1", "4", "Wide", "0", "No ball", "4")
    it.score("11/0")
    it.button("Wicket").click()
    wicket = it.dialog("Wicket")
    wicket.get_by_role("radiogroup", name="How out").get_by_label("Run out").check()
    wicket.get_by_role("radiogroup", name="Who is out").get_by_label(RED[0]).check()
    wicket.get_by_role("spinbutton", name="Runs completed").fill("1")
    wicket.get_by_role("textbox", name="Fielder").or_(wicket.get_by_label("Fielder")).first.fill("Zoe Zulu")
    wicket.get_by_role("checkbox", name="Batters crossed").check()
    wicket.get_by_role("button", name="Record wicket").click()
    it.score("12/1")
    batter = it.dialog("Next batter")
    expect(batter.get_by_role("group", name="Likely").get_by_role("button")).to_have_text(RED[2:])
    batter.get_by_role("combobox", name="Next batter").fill(RED[2])
    batter.get_by_role("button", name="Bat", exact=True).click()
    it.tap("Leg bye", "2", "0")
    it.button("6").click()
    bowler = it.dialog("Next bowler")
    expect(bowler).to_contain_text("Over 1: 1 4 wd 5nb W 2lb 0 6 – 20 runs")
    expect(bowler.get_by_role("group", name="Likely").get_by_role("button")).to_have_text(BLUE[1:])
    bowler.get_by_role("combobox", name="Next bowler").fill(BLUE[1])
    bowler.get_by_role("button", name="Bowl", exact=True).click()
    it.score("20/1 (1.0 overs)")
    eventually(lambda: "20/1" in words(one), what="viewers see it")
    shown = match(one)
    assert shown["source"] == "scorer"
    assert shown["card"]["batting"][0]["how_out"] == "run out (Zoe Zulu)"
    assert shown["card"]["extras"] == {"wides": 1, "no_balls": 1, "byes": 0, "leg_byes": 2, "penalty": 0}
    it.tap("Undo", "Undo")
    it.score("14/1 (0.5 overs)")
    eventually(lambda: "14/1" in words(one), what="viewers see it")
    moments = [entry["moment"] for entry in one.get("/streams/m1/log")["entries"] if entry["kind"] == "moment"]
    assert moments.count("WICKET") == 1


def test_what_cannot_be_is_said_and_not_recorded(service: MakeService, phone: MakePhone) -> None:
    it = phone(link(started(service)))
    it.set_up()
    it.button("Start full scoring").click()
    it.tap("Wide")
    it.button("Wicket").click()
    it.dialog("Wicket").get_by_label("Bowled").check()
    it.dialog("Wicket").get_by_role("button", name="Record wicket").click()
    expect(it.dialog("Wicket")).to_contain_text("Nobody can be out like that off a wide")
    it.dialog("Wicket").get_by_label("Stumped").check()
    it.dialog("Wicket").get_by_role("button", name="Record wicket").click()
    it.score("1/1 (0.0 overs)")


def test_a_bouncing_thumb_is_one_tap(service: MakeService, phone: MakePhone) -> None:
    it = phone(link(started(service)))
    it.button("Start full scoring").click()
    it.button("1").dblclick()
    it.score("1/0")
    it.page.wait_for_timeout(OTHER_TAP_MS)
    it.button("1").click()
    it.score("2/0")


def test_quick_and_full_scoring_can_be_mixed(service: MakeService, phone: MakePhone) -> None:
    one = started(service)
    it = phone(link(one))
    it.button("Start quick scoring").click()
    it.tap("4", "Wicket", "1")
    it.score("5/1 (0.3 overs)")
    it.tap("Full scoring", "2")
    it.tap("Quick mode", "0")
    it.score("7/1 (0.5 overs)")
    it.tap("Undo", "Undo", "Undo")
    it.score("5/1 (0.3 overs)")
    eventually(lambda: "5/1" in words(one))


def test_no_ball_is_lost_without_a_network_over_a_reload_and_a_kill(
    service: MakeService, phone: MakePhone, tmp_path: Path
) -> None:
    settings = {
        "data_dir": str(tmp_path / "data"), "state_file": str(tmp_path / "streams.json"), "port": str(free_port()),
    }  # fmt: skip
    one = started(service, **settings)
    it = phone(link(one))
    it.set_up(Overs="20")
    it.button("Start full scoring").click()
    it.tap("1", "1")
    it.status("All sent")
    it.page.wait_for_function("navigator.serviceWorker.controller || navigator.serviceWorker.ready")
    it.context.set_offline(True)
    for number in range(30):
        it.tap("1")
        if (dialog := it.dialog("Next bowler")).is_visible():
            dialog.get_by_role("combobox").fill(f"Bowler {number}")
            dialog.get_by_role("button", name="Bowl", exact=True).click()
        if number == 20:
            it.status("No connection: keep scoring")
            it.page.reload()  # the service worker has the page
            it.score("23/0")
    it.score("32/0 (5.2 overs)")
    one.process.kill()
    one.process.wait(10)
    again = running_service(service, **settings)
    it.context.set_offline(False)
    it.status("All sent")
    kept = requests.get(f"{again.url}/score/m1/log", headers=again.headers, timeout=10).json()["events"]
    assert len({event["id"] for event in kept}) == len(kept)
    assert [event["kind"] for event in kept].count("ball") == 32
    eventually(lambda: match(again)["batting"]["runs"] == 32, what="the service has every run")


def test_two_phones_and_no_ball_lost(service: MakeService, phone: MakePhone) -> None:
    one = started(service)
    url = link(one)
    first = phone(url)
    first.set_up(Overs="20")
    first.button("Start full scoring").click()
    first.tap("1")
    first.status("All sent")
    first.context.set_offline(True)
    first.tap("4", "2")
    second = phone(url)
    expect(second.page.get_by_role("alert").first).to_contain_text("scores this match now")
    second.score("1/0")
    expect(second.button("1")).to_be_disabled()
    second.button("Take over").click()
    second.tap("6")
    second.score("7/0")
    second.status("All sent")
    first.context.set_offline(False)
    trouble = first.page.locator("#trouble")
    expect(trouble).to_contain_text("2 balls of this phone were not sent: 4 runs; 2 runs")
    first.button("Take over and add them").click()
    first.score("13/0")
    first.status("All sent")
    expect(second.page.locator("#trouble")).to_contain_text("scores this match now", timeout=6000)
    second.score("13/0")
    assert match(one)["batting"]["runs"] == 13


def test_a_withdrawn_link_is_said_and_keeps_the_unsent(service: MakeService, phone: MakePhone) -> None:
    one = started(service)
    it = phone(link(one))
    it.button("Start full scoring").click()
    it.tap("1")
    it.status("All sent")
    made = one.get("/streams/m1/links")["links"][0]["id"]
    requests.delete(f"{one.url}/streams/m1/links/{made}", headers=one.headers, timeout=10)
    it.tap("4")
    expect(it.page.locator("#trouble")).to_contain_text("This link was withdrawn")
    expect(it.page.locator("#trouble")).to_contain_text("1 ball is kept on this phone")
    it.score("5/0")
    it.page.goto("about:blank")
    it.page.goto(link(one))
    it.score("5/0")
    eventually(lambda: match(one)["batting"]["runs"] == 5, what="what was kept is sent")
    it.status("All sent")
