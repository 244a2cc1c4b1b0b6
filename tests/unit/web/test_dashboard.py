from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import create_app
from config import Settings
from relay.feed_status import FeedStatus
from relay.registry import Load, NodeLoad, StreamRegistry
from relay.stream_state import LastError, Move, State, StreamStatus
from tests.conftest import SettingsFactory
from tests.statuses import DESTINATION, LIVE
from web.dashboard import age, card_of, duration

ROOT = Path(__file__).resolve().parents[3]
NOW = datetime(2026, 5, 12, 18, 0, 0, tzinfo=UTC)
HOSTILE = """'"></li><script>alert(1)</script><img src=x onerror=alert(1)> {{ 7 * 7 }}"""


def in_states(*states: str, **changes: Any) -> StreamStatus:
    return replace(LIVE, **({"state": State(states[0]), "states": tuple(State(one) for one in states)} | changes))


class Page(HTMLParser):
    """The elements of a page, each with its attributes and all text within it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self._open: list[int] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self.texts.append("")
        if tag not in ("meta", "link", "img", "input", "br"):
            self._open.append(len(self.elements) - 1)

    def handle_endtag(self, tag: str) -> None:
        while self._open and self.elements[self._open.pop()][0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        for index in self._open:
            self.texts[index] += data

    def find(self, tag: str, **attributes: str) -> list[str]:
        """The texts of the elements that have these attributes; `class_` must be among the classes."""
        wanted = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
        return [
            " ".join(text.split())
            for (name, has), text in zip(self.elements, self.texts, strict=True)
            if name == tag
            and all(value in has.get(key, "").split() or value == has.get(key) for key, value in wanted.items())
        ]

    def values(self, tag: str, attribute: str) -> list[str]:
        return [has[attribute] for name, has in self.elements if name == tag and attribute in has]


Show = Callable[..., Page]


@pytest.fixture
def show(settings_with: SettingsFactory) -> Show:
    """The page with these streams; keywords are settings."""

    def make(*statuses: StreamStatus, **settings: Any) -> Page:
        answer = client_of(settings_with(**settings), statuses).get("/")
        assert (answer.status_code, answer.content_type) == (200, "text/html; charset=utf-8")
        assert answer.headers["Cache-Control"] == "no-store"
        return Page(answer.text)

    return make


def client_of(settings: Settings, statuses: Sequence[StreamStatus], nodes: tuple[NodeLoad, ...] = ()) -> FlaskClient:
    class Registry(StreamRegistry):
        def statuses(self) -> list[StreamStatus]:
            return list(statuses)

        def status(self, name: str) -> StreamStatus:
            return next((status for status in statuses if status.name == name), None) or super().status(name)

        def load(self) -> Load:
            return replace(super().load(), nodes=nodes)

    return create_app(settings, Registry(settings)).test_client()


def test_an_empty_page_says_what_to_do(show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.cameras.own_addresses", lambda: ("192.168.7.5",))
    page = show(rtmp_server="rtmp://localhost:1935/live")
    assert (page.find("title"), page.find("article")) == (["No streams"], [])
    [empty] = page.find("section", id="empty")
    # The reader sits at this machine. In a camera, `localhost` would be the camera.
    assert "rtmp://192.168.7.5:1935/live/STREAM_NAME" in empty
    assert "hidden" not in dict(page.elements)["section"]


def test_with_camera_keys_the_stream_comes_first(settings_with: SettingsFactory) -> None:
    client = client_of(settings_with(api_token="open-sesame"), [])
    text = client.get("/", headers={"Authorization": "Bearer open-sesame"}).text
    assert "STREAM_NAME" not in text
    assert "Open <b>Camera</b> on the stream" in text


def test_the_page_names_its_own_host_as_the_address_for_cameras(settings_with: SettingsFactory) -> None:
    client = client_of(settings_with(rtmp_server="rtmp://127.0.0.1:1935/live"), [])
    assert "rtmp://cams.local:1935/live/STREAM_NAME" in client.get("/", headers={"Host": "cams.local:1233"}).text
    client = client_of(settings_with(rtmp_server="rtmp://10.1.2.3/live"), [])
    assert "rtmp://10.1.2.3/live/STREAM_NAME" in client.get("/", headers={"Host": "cams.local:1233"}).text


def test_a_stream_is_shown_with_its_figures(show: Show) -> None:
    backup = replace(DESTINATION, url="rtmp://b.rtmp.youtube.com/live2/****")
    error = LastError("compositor", "ended (exit status 1)", 31.2)
    page = show(replace(LIVE, backup=backup, last_error=error, score_delay_s=2.5))
    assert page.find("title") == ["1 stream"]
    [card] = page.find("article", id="stream-m1", class_="ok")
    for part in ("m1", "live for", "30.0", "4.2 Mbit/s", "1.00×", "0.6 s", "1 h 30 min", "31 s ago"):
        assert part in card
    assert "Destination rtmp://a.rtmp.youtube.com/live2/**** connected" in card
    assert "Backup rtmp://b.rtmp.youtube.com/live2/**** connected" in card
    assert "compositor ended (exit status 1), 31 s ago" in card
    assert page.values("img", "src") == ["/streams/m1/preview.jpg", "/streams/m1/overlay.png"]
    assert {has["value"] for name, has in page.elements if has.get("id") == "delay-m1"} == {"2.5"}
    assert page.find("section", id="empty", hidden="") != []


@pytest.mark.parametrize(
    ("status", "word", "level", "troubles"),
    [
        (LIVE, "live", "ok", ()),
        (replace(LIVE, reason="too slow"), "live, degraded", "warn", ("too slow",)),
        (replace(LIVE, score_age_s=None), "live", "ok", ()),
        (replace(LIVE, score_age_s=75.0), "live, degraded", "warn", ("no new score for 1 min 15 s",)),
        (
            replace(LIVE, score_age_s=12.0, feed=FeedStatus("api", "the match API answered 404 for match m1", 12.0)),
            "live, degraded",
            "warn",
            ("score: the match API answered 404 for match m1",),
        ),
        (replace(LIVE, score_age_s=2.0, feed=FeedStatus("api", "no answer", 12.0)), "live", "ok", ()),
        (in_states("slate", reason="no frames"), "slate", "warn", ("no frames",)),
        (in_states("slate"), "slate", "warn", ("the camera is away",)),
        (in_states("reconnecting", reason="refused"), "reconnecting", "bad", ("refused",)),
        (in_states("reconnecting", "slate"), "reconnecting + slate", "bad", ("the destination is lost",)),
        (in_states("starting", reason="no camera"), "starting", "idle", ("no camera",)),
        (in_states("stopping"), "stopping", "idle", ()),
        (in_states("failed", reason="it ended", score_age_s=900.0), "failed", "bad", ("it ended",)),
        (
            replace(LIVE, backup=replace(DESTINATION, state="reconnecting", reason="refused")),
            "live, degraded",
            "warn",
            ("backup: refused",),
        ),
    ],
)
def test_how_much_attention_a_stream_needs(
    settings_with: SettingsFactory, status: StreamStatus, word: str, level: str, troubles: tuple[str, ...]
) -> None:
    card = card_of(status, NOW, settings_with())
    assert (card.word, card.level, card.troubles, card.lasts) == (word, level, troubles, "3 min 20 s")
    assert card.is_in_trouble == (level in ("warn", "bad"))


def test_figures_that_are_off_are_marked(settings_with: SettingsFactory) -> None:
    status = replace(LIVE, speed=0.8, dropped_frames=7, score_age_s=80.0)
    figures = {figure.label: figure.is_off for figure in card_of(status, NOW, settings_with()).figures}
    assert figures == {
        "On air": False, "Frames/s": False, "Bitrate": False, "Speed": True, "Score age": True, "Dropped": True
    }  # fmt: skip
    # In the first seconds the speed means nothing yet.
    young = card_of(replace(status, uptime_s=5.0), NOW, settings_with())
    assert not next(figure.is_off for figure in young.figures if figure.label == "Speed")


def troubled(page: Page) -> list[str]:
    """The links to streams in trouble."""
    return [link for link in page.find("a") if not link.startswith("carry_scores")]


def test_cards_are_sorted_by_name_and_troubles_are_listed_at_the_top_worst_first(show: Show) -> None:
    streams = [
        replace(LIVE, name="m10"),
        in_states("slate", name="m2"),
        replace(LIVE, name="M1"),
        in_states("failed", name="m3"),
    ]
    page = show(*streams)
    assert page.find("h2")[1:5] == ["M1", "m2", "m3", "m10"]
    assert troubled(page) == ["m3 failed", "m2 slate"]
    assert page.find("title") == ["(2) of 4 streams in trouble"]
    assert page.find("h1") == ["2 of 4 live"]


def test_forty_streams_have_forty_cards_and_a_short_list_of_troubles(show: Show) -> None:
    page = show(*(in_states("slate", name=f"m{number}") for number in range(40)))
    assert len(page.find("article")) == 40
    assert len(troubled(page)) == 6
    assert "and 34 more" in page.find("li")


def test_a_failed_stream_has_no_picture_and_can_be_dismissed(show: Show) -> None:
    page = show(in_states("failed", reason="it has lasted MAX_STREAM_DURATION_S", on_air=None))
    assert page.values("img", "src") == []
    assert page.find("button", data_dismiss="m1") == ["Dismiss"]
    assert page.find("button", data_stop="m1") == []


def test_text_from_outside_is_shown_as_text(show: Show) -> None:
    hostile = in_states(
        "reconnecting",
        reason=HOSTILE,
        last_error=LastError("publisher", HOSTILE, 1.0),
        destination=replace(DESTINATION, url=HOSTILE, reason=HOSTILE),
        backup=replace(DESTINATION, url=HOSTILE, reason=HOSTILE),
    )
    page = show(hostile)
    assert page.values("script", "src") == ["/static/dashboard.js"]
    assert page.values("img", "src") == ["/streams/m1/preview.jpg", "/streams/m1/overlay.png"]
    assert HOSTILE in page.find("li")


def test_the_page_works_under_the_strictest_content_policy(show: Show) -> None:
    page = show(LIVE, in_states("failed", name="m2"))
    assert page.find("style") == []
    assert page.find("script") == [""]
    for tag, attributes in page.elements:
        assert not [name for name in attributes if name == "style" or name.startswith("on")], tag
        for name in ("src", "href", "action"):
            assert re.match(r"[/#](?!/)", attributes.get(name, "/")), attributes


def test_every_field_has_a_label_and_every_picture_an_alt_text(show: Show) -> None:
    page = show(LIVE)
    labelled = page.values("label", "for")
    fields = [has for name, has in page.elements if name == "input" and has.get("type") != "checkbox"]
    assert all(has["id"] in labelled for has in fields)
    ids = [has["id"] for _, has in page.elements if "id" in has]
    assert len(ids) == len(set(ids))
    described = [has["aria-describedby"] for _, has in page.elements if "aria-describedby" in has]
    assert {name for names in described for name in names.split()} <= set(ids)
    assert all(page.values("img", "alt"))
    assert dict(page.elements)["html"]["lang"] == "en"


def test_the_page_warns_if_others_reach_it_without_a_token(show: Show) -> None:
    warning = "No API_TOKEN is set: anyone who reaches this page can start and stop streams."
    assert warning in show(LIVE).find("p", class_="notice")
    assert warning not in show(LIVE, host="127.0.0.1").find("p", class_="notice")


@pytest.mark.parametrize(
    ("name", "kind"), [("dashboard.js", "text/javascript"), ("style.css", "text/css"), ("icon.svg", "image/svg+xml")]
)
def test_its_files_are_served(settings_with: SettingsFactory, name: str, kind: str) -> None:
    with client_of(settings_with(), []).get(f"/static/{name}") as answer:
        assert (answer.status_code, answer.mimetype) == (200, kind)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-1, "0 s"), (0.4, "0 s"), (59.4, "59 s"), (60, "1 min 0 s"), (200, "3 min 20 s"), (600, "10 min"),
     (3599, "59 min"), (3600, "1 h 0 min"), (43_199, "11 h 59 min")],
)  # fmt: skip
def test_a_duration_is_as_precise_as_is_useful(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(("seconds", "text"), [(None, "–"), (0.62, "0.6 s"), (12.3, "12 s"), (75.0, "1 min 15 s")])
def test_an_age_has_tenths_below_ten_seconds(seconds: float | None, text: str) -> None:
    assert age(seconds) == text


NODES = (
    NodeLoad("n1", cpus=4, free=1.25, streams=2, room=2, busy=0.61, is_draining=False),
    NodeLoad("n2", cpus=2, free=0.2, streams=3, room=0, busy=1.14, is_draining=False),
    NodeLoad("n3", cpus=2, free=0, streams=1, room=0, busy=None, is_draining=True),
)


def test_the_nodes_of_a_cluster_are_shown_with_their_load_and_room(settings_with: SettingsFactory) -> None:
    page = Page(client_of(settings_with(), [LIVE], NODES).get("/").text)
    assert page.find("th", scope="row") == ["n1", "n2", "n3"]
    cells = page.find("td")
    assert cells[:4] == ["2 streams", "room for 2 more", "1.2 of 4 CPUs free", "61%"]
    assert cells[4:8] == ["3 streams", "full", "0.2 of 2 CPUs free", "114%"]
    assert cells[8:] == ["1 stream", "drained", "0.0 of 2 CPUs free", "–"]
    assert page.find("tr", class_="off") == ["n31 streamdrained0.0 of 2 CPUs free–"]


def test_without_a_cluster_no_nodes_are_shown(show: Show) -> None:
    assert (show(LIVE).find("table"), show(LIVE).find("p", class_="place")) == ([], [])


@pytest.mark.parametrize(
    ("moves", "text"),
    [
        ((), "On node n2"),
        (
            (Move("2026-05-12T17:58:03Z", "n1", "n2", "node n1 is gone"),),
            "On node n2, moved from n1 at 17:58:03 UTC: node n1 is gone",
        ),
        (
            (Move("2026-05-12T17:58:03Z", "n2", "n2", "its process on node n2 ended"),),
            "On node n2, started again at 17:58:03 UTC: its process on node n2 ended",
        ),
    ],
)
def test_the_card_says_on_which_node_a_stream_is_and_how_it_came_there(
    show: Show, moves: tuple[Move, ...], text: str
) -> None:
    assert show(replace(LIVE, node="n2", moves=moves)).find("p", class_="place") == [text]


def test_the_card_says_how_a_pc_sends_the_score(settings_with: SettingsFactory) -> None:
    text = client_of(settings_with(), [LIVE]).get("/", headers={"Host": "relay.local:1233"}).text
    assert 'href="/static/carry_scores.py"' in text
    assert 'href="/streams/m1/carry_scores.bat"' in text
    assert "python carry_scores.py --to http://relay.local:1233/streams/m1 --kind nv_play" in text
    assert "irm http://relay.local:1233/static/carry_scores.py -OutFile carry_scores.py; python" in text


@pytest.mark.parametrize("token", ["", "open-sesame-1234567890"])
def test_a_file_for_windows_starts_what_sends_the_score(settings_with: SettingsFactory, token: str) -> None:
    client = client_of(settings_with(api_token=token), [LIVE])
    headers = {"Host": "relay.local:1233", "Authorization": f"Bearer {token}"}
    answer = client.get("/streams/m1/carry_scores.bat", headers=headers)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="carry_scores_m1.bat"'
    assert answer.text.count("\r\n") == answer.text.count("\n")
    assert "--to http://relay.local:1233/streams/m1 --kind nv_play" in answer.text
    assert ("Token of the relay" in answer.text) == bool(token)
    assert token == "" or token not in answer.text
    assert client.get("/streams/m2/carry_scores.bat", headers=headers).status_code == 404


def test_no_host_gets_a_command_into_the_file_for_windows(settings_with: SettingsFactory) -> None:
    client = client_of(settings_with(api_token="open-sesame-1234567890"), [LIVE])
    headers = {"Host": "a&calc&.local", "Authorization": "Bearer open-sesame-1234567890"}
    answer = client.get("/streams/m1/carry_scores.bat", headers=headers)
    assert "calc" not in answer.text


def test_the_form_asks_for_a_camera_to_fetch_only_where_that_is_allowed(settings_with: SettingsFactory) -> None:
    assert 'name="camera_url"' not in client_of(settings_with(), []).get("/").text
    assert 'name="camera_url"' in client_of(settings_with(allowed_camera_hosts="cam.local"), []).get("/").text
