"""A feed on the dashboard: tried before the match, followed, outranked by hand, and gone back to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, expect

from demo.match_feed import Answer, MatchFeed
from tests.integration.browsing import Desk
from tests.service import MakeService
from tests.waiting import eventually

VIEWPORTS = [(360, 740), (1280, 800)]


@pytest.fixture(params=VIEWPORTS, ids=["phone", "desktop"])
def desk(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Desk]:
    width, height = request.param
    context = browser.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce")
    context.set_default_timeout(15_000)
    desk = Desk(context.new_page())
    yield desk
    context.close()
    assert desk.faults() == []


def score(runs: int) -> dict[str, Any]:
    batting = {"name": "Red Valley", "runs": runs, "wickets": 2, "overs": "12.4"}
    return {"sport": "cricket", "status": "live", "batting": batting, "bowling": {"name": "Blue Hill"}}


def test_a_feed_is_tried_followed_outranked_and_gone_back_to(
    desk: Desk, service: MakeService, feed: MatchFeed, tmp_path: Path
) -> None:
    desk.expects = ["preview.jpg", "status of 502"]
    feed.data = Answer(b"", 403)
    feeds = tmp_path / "feeds.toml"
    feeds.write_text(f'[club]\nkind = "own"\nurl = "{feed.url}/{{match_id}}"\n')
    one = service(feeds_file=str(feeds), allowed_feed_hosts="127.0.0.1", overlay_api_base="", overlay_image_base="")
    page, card = desk.page, desk.card("m1")
    page.goto(one.url)
    page.get_by_role("button", name="Start a stream").first.click()
    page.get_by_label("Score from").select_option("club")
    page.get_by_role("button", name="Try it").click()
    expect(page.locator("#trial")).to_have_text("Enter the match first.")
    page.get_by_label("Match").fill("17/a b")
    page.get_by_role("button", name="Try it").click()
    expect(page.locator("#trial")).to_contain_text("403")
    feed.data = Answer.of(score(71))
    page.get_by_role("button", name="Try it").click()
    expect(page.locator("#trial")).to_contain_text("It does not say: batters, striker, bowler")
    strip = page.get_by_role("img", name="The strip that club would give")
    eventually(lambda: strip.evaluate("image => image.naturalWidth > 0"), what="the strip is there")
    assert feed.paths("GET")[-1] == "/17%2Fa%20b"
    page.get_by_label("Stream name").fill("m1")
    page.get_by_label("YouTube URL").fill("rtmp://127.0.0.1/live2/key-of-m1")
    page.get_by_role("button", name="Start", exact=True).click()
    expect(card.locator(".source")).to_contain_text("Score from club, match 17/a b")
    eventually(lambda: "71/2" in one.get("/streams/m1/on_screen").get("words", []), what="the feed's score")
    assert requests.put(f"{one.url}/streams/m1/match", json=score(80), timeout=10).status_code == 200
    desk.poll()
    expect(card.locator(".badge")).to_have_text("score by hand")
    card.get_by_role("button", name="Back to the feed").click()
    desk.poll()
    expect(card.locator(".badge")).to_have_count(0)
    feed.data = Answer.of(score(83))
    eventually(lambda: "83/2" in one.get("/streams/m1/on_screen").get("words", []), what="the feed's score again")
    one.stop("m1")
    expect(page.get_by_role("heading", name=re.compile("Nothing is on air"))).to_be_visible()
