"""Links, and the log that a scorer keeps, as a caller sees them."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import create_app
from club.score_logs import ScoreLogs
from club.store import Store
from config import Settings
from relay.registry import StreamRegistry
from relay.state_file import StateFile
from tests.conftest import SettingsFactory
from tests.unit.conftest import FakeFFmpeg
from tests.waiting import eventually
from web.access import LINK_NEEDED, ROLE_CALLS
from web.scores import MOST_AT_ONCE, last_score

TOKEN = "canary-token-0123456789"
OPERATOR = {"Authorization": f"Bearer {TOKEN}"}
OPEN = {"/healthz", "/login", "/static/<path:filename>", "/score/<name>", "/score/service-worker.js"}
SETUP = {"id": "e1", "kind": "setup", "at": 1_789_000_000_000}


class Site:
    """The service with two streams. A test may start it again."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.begin()
        for name in ("m1", "m2"):
            start = {"youtube_url": f"rtmp://127.0.0.1/live2/key-of-{name}", "stream_name": name}
            assert self.call("POST", "/start_stream", start).status_code == 200

    def begin(self) -> None:
        self.store = Store(self.settings.data_dir)
        self.state_file = StateFile(self.settings.state_file) if self.settings.state_file else None
        last = last_score(ScoreLogs(self.store, time.time))
        self.registry = StreamRegistry(self.settings, None, self.state_file, last_score=last)
        self.client: FlaskClient = create_app(self.settings, self.registry, store=self.store).test_client()

    def end(self) -> None:
        self.registry.close()
        self.store.close()
        if self.state_file:
            self.state_file.close()

    def call(self, method: str, path: str, body: Any = None, token: str | None = None) -> TestResponse:
        headers = OPERATOR if token is None else {"Authorization": f"Bearer {token}"} if token else {}
        return self.client.open(path, method=method, json=body, headers=headers)

    def link(self, stream: str = "m1", **fields: str) -> dict[str, Any]:
        answer = self.call("POST", f"/streams/{stream}/links", {"role": "scorer"} | fields)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json or {}
        return made | {"token": made["url"].partition("#")[2]}

    def append(self, events: list[dict[str, Any]], after: int = 0, **fields: Any) -> TestResponse:
        body = {"device": "phone", "after": after, "events": events} | fields
        return self.call("POST", "/score/m1/log", body)

    def match(self) -> dict[str, Any]:
        return dict(self.call("GET", "/streams/m1/match").json or {})


@pytest.fixture
def site(
    settings_with: SettingsFactory,
    fake_ffmpeg: FakeFFmpeg,
    unasked: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[..., Site]]:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("web.sessions.DERIVATION_COST", 2)
    made: list[Site] = []

    def make(**overrides: Any) -> Site:
        base = {"ffmpeg_bin": str(fake_ffmpeg.path), "api_token": TOKEN, "state_file": tmp_path / "streams.json"}
        made.append(Site(settings_with(**base | overrides)))
        return made[-1]

    yield make
    for one in made:
        one.end()


def board(runs: int, wickets: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "sport": "cricket",
        "status": "live",
        "batting": {"name": "Red Valley", "runs": runs, "wickets": wickets, "overs": "3.2"},
        "bowling": {"name": "Blue Hill"},
    } | more


def ball(number: int, runs: int = 1) -> dict[str, Any]:
    return {"id": f"e{number}", "kind": "ball", "runs": runs, "at": 1_789_000_000_000 + number}


def test_the_address_of_a_link_is_shown_once(site: Callable[..., Site]) -> None:
    one = site()
    made = one.link(label="Saturday scorer")
    assert re.fullmatch(r"http://localhost/score/m1#[\w-]{22}", made["url"])
    assert made["label"] == "Saturday scorer"
    assert made["qr_svg"].startswith("<svg")
    listed = one.call("GET", "/streams/m1/links")
    assert (listed.json or {})["links"] == [
        {key: made[key] for key in ("id", "role", "label", "created_at", "last_used_at")}
    ]
    assert made["token"] not in listed.text
    assert (one.call("GET", "/streams/m2/links").json or {})["links"] == []


def test_links_begin_with_the_public_url(site: Callable[..., Site]) -> None:
    made = site(public_url="https://relay.example.org/").link()
    assert made["url"].startswith("https://relay.example.org/score/m1#")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, "role must be one of scorer"),
        ({"role": "captain"}, "role must be one of scorer"),
        ({"role": ["scorer"]}, "role must be one of scorer"),
        ({"role": "scorer", "label": 7}, "label must be a line of 80 characters at most"),
        ({"role": "scorer", "label": "x" * 81}, "label must be a line of 80 characters at most"),
        ({"role": "scorer", "label": "two\nlines"}, "label must be a line of 80 characters at most"),
    ],
)
def test_what_a_link_cannot_be_is_said(site: Callable[..., Site], body: dict[str, Any], says: str) -> None:
    one = site()
    answer = one.call("POST", "/streams/m1/links", body)
    assert (answer.status_code, answer.json) == (400, {"error": says})
    assert (one.call("GET", "/streams/m1/links").json or {})["links"] == []


def test_only_a_stream_that_is_there_has_links(site: Callable[..., Site]) -> None:
    one = site()
    assert one.call("POST", "/streams/m9/links", {"role": "scorer"}).status_code == 404
    assert one.call("GET", "/streams/m9/links").status_code == 404
    assert one.call("DELETE", "/streams/m1/links/12345678").status_code == 404


@pytest.mark.parametrize("api_token", [TOKEN, ""], ids=["with token", "without token"])
def test_a_role_may_make_its_calls_and_no_others(site: Callable[..., Site], api_token: str) -> None:
    one = site(api_token=api_token)
    token = one.link()["token"]
    seen = set()
    for rule in one.client.application.url_map.iter_rules():
        for method in (rule.methods or set()) - {"OPTIONS", "HEAD"}:
            for stream in ("m1", "m2"):
                path = re.sub(r"<[^>]+>", "own", rule.rule.replace("<name>", stream))
                answer = one.client.open(path, method=method, headers={"Authorization": f"Bearer {token}"})
                may = (method, rule.rule) in ROLE_CALLS["scorer"] and stream == "m1"
                if may:
                    seen.add((method, rule.rule))
                if rule.rule in OPEN or rule.rule.startswith("/hooks/"):
                    continue
                is_refused = answer.status_code == 403 and "This link is for the scorer" in answer.text
                assert is_refused != may, f"{method} {path}: {answer.status}"
    assert seen == ROLE_CALLS["scorer"]
    assert {"m1", "m2"} == set(one.call("GET", "/list_streams", token=api_token or "").json or {})


@pytest.mark.parametrize("api_token", [TOKEN, ""], ids=["with token", "without token"])
def test_a_withdrawn_link_opens_nothing(site: Callable[..., Site], api_token: str) -> None:
    one = site(api_token=api_token)
    link = one.link()
    assert one.call("GET", "/score/m1/log", token=link["token"]).status_code == 200
    one.call("DELETE", f"/streams/m1/links/{link['id']}")
    body = {"device": "phone", "after": 0, "events": [SETUP]}
    answer = one.call("POST", "/score/m1/log", body, link["token"])
    assert (answer.status_code, answer.json) == (401, {"error": LINK_NEEDED})
    assert (one.call("GET", "/score/m1/log", token=api_token).json or {})["events"] == []


def test_a_tap_reaches_the_overlay(site: Callable[..., Site]) -> None:
    one = site()
    answer = one.append([SETUP, ball(2, 4)], match=board(4))
    assert answer.json == {"log": 1, "seq": 2, "shown": True, "typed": None, "stream": {"state": ANY, "on_air": None}}
    assert (one.match()["source"], one.match()["batting"]["runs"]) == ("scorer", 4)
    log = one.call("GET", "/score/m1/log?after=1").json or {}
    assert log["events"] == [ball(2, 4)]
    assert log["writer"]["device"] == "phone"
    assert (one.append([SETUP, ball(2, 4)], match=board(4)).json or {})["seq"] == 2


def test_a_phone_is_told_of_a_score_that_somebody_has_set(site: Callable[..., Site]) -> None:
    one = site()
    one.append([SETUP, ball(2, 4)], match=board(4))
    one.call("PUT", "/streams/m1/match", board(5, 1))
    typed = (one.append([], after=2).json or {})["typed"]
    assert typed == {"runs": 5, "wickets": 1, "overs": "3.2", "target": None}
    assert (one.append([], after=2, match=board(4)).json or {})["typed"] is None
    assert one.match()["source"] == "scorer"


def test_a_match_that_reached_no_stream_can_be_sent_again(site: Callable[..., Site]) -> None:
    one = site()
    one.append([SETUP], match=board(0))
    one.call("POST", "/stop_stream", {"stream_name": "m1"})
    assert (one.append([ball(2, 4)], after=1, match=board(4)).json or {})["shown"] is False


def test_what_cannot_be_shown_is_not_kept(site: Callable[..., Site]) -> None:
    one = site()
    answer = one.append([SETUP], match=board(0) | {"batting": {"runs": "many"}})
    assert answer.status_code == 400
    assert "batting.runs" in answer.text
    assert (one.call("GET", "/score/m1/log").json or {})["seq"] == 0


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"device": ""}, "device must be"),
        ({"device": "../x"}, "device must be"),
        ({"after": -1}, "after must be a whole number from 0 to 20000"),
        ({"after": True}, "after must be a whole number from 0 to 20000"),
        ({"after": 20_001}, "after must be a whole number from 0 to 20000"),
        ({"events": {}}, "events must be a list of 500 events at most"),
        ({"events": [SETUP] * (MOST_AT_ONCE + 1)}, "events must be a list of 500 events at most"),
        ({"events": ["ball"]}, "events[0] must be an object"),
        ({"events": [{"kind": "ball"}]}, "events[0].id must be"),
        ({"events": [{"id": "a b", "kind": "ball"}]}, "events[0].id must be"),
        ({"events": [{"id": "a", "kind": "googly"}]}, "events[0].kind must be one of ball, batter, bowler, break"),
        ({"events": [{"id": "a", "kind": ["ball"]}]}, "events[0].kind must be one of"),
        ({"events": [{"id": "a", "kind": "ball", "at": "noon"}]}, "events[0].at must be a time in milliseconds"),
        ({"events": [{"id": "a", "kind": "ball", "note": "x" * 5120}]}, "events[0] is over 4096 bytes"),
        ({"match": []}, "match"),
        ({"alive": "yes"}, "alive must be true or false"),
    ],
)
def test_bad_events_are_said_by_field(site: Callable[..., Site], fields: dict[str, Any], says: str) -> None:
    one = site()
    answer = one.append(fields.pop("events", [SETUP]), **fields)
    assert answer.status_code == 400, answer.text
    assert says in (answer.json or {})["error"]
    assert (one.call("GET", "/score/m1/log").json or {})["seq"] == 0


def test_a_clock_that_is_days_wrong_does_no_harm(site: Callable[..., Site]) -> None:
    one = site()
    assert one.append([SETUP | {"at": 1}, ball(2) | {"at": 9e14}], match=board(1)).status_code == 200
    assert one.match()["batting"]["runs"] == 1


def test_one_device_writes_at_a_time(site: Callable[..., Site]) -> None:
    one = site()
    one.append([SETUP])
    asked = one.call("POST", "/score/m1/writer", {"device": "tablet", "label": "Bob"})
    assert asked.status_code == 409
    assert (asked.json or {})["writer"]["device"] == "phone"
    taken = one.call("POST", "/score/m1/writer", {"device": "tablet", "label": "Bob", "take_over": True})
    assert taken.status_code == 200
    refused = one.append([ball(2)], after=1)
    assert refused.status_code == 409
    assert (refused.json or {})["writer"] == {"device": "tablet", "label": "Bob", "age_s": 0.0}
    wrong = one.call("POST", "/score/m1/writer", {"device": "tablet", "take_over": "yes"})
    assert (wrong.status_code, wrong.json) == (400, {"error": "take_over must be true or false"})


def test_a_link_says_who_writes(site: Callable[..., Site]) -> None:
    one = site()
    token = one.link(label="Saturday scorer")["token"]
    one.call("POST", "/score/m1/writer", {"device": "tablet"}, token)
    assert (one.call("GET", "/score/m1/log").json or {})["writer"]["label"] == "Saturday scorer"


def test_an_undo_is_no_news_of_the_match(site: Callable[..., Site]) -> None:
    one = site()
    one.append([SETUP, ball(2, 4)], match=board(50))
    one.append([{"id": "e3", "kind": "undo", "of": "e2"}], after=2, match=board(46))
    one.append([{"id": "e4", "kind": "undo", "of": "e3"}], after=3, match=board(50))
    moments = [entry for entry in (one.call("GET", "/streams/m1/log").json or {})["entries"] if "moment" in entry]
    assert moments == []
    assert one.match()["batting"]["runs"] == 50


def test_a_typed_score_stays_until_the_scorers_next_tap(site: Callable[..., Site]) -> None:
    one = site()
    one.append([SETUP], match=board(10))
    one.call("PUT", "/streams/m1/match", board(60))
    one.append([], after=1, alive=True)
    assert (one.match()["source"], one.match()["batting"]["runs"]) == ("push", 60)
    one.append([ball(2)], after=1, match=board(61))
    assert (one.match()["source"], one.match()["batting"]["runs"]) == ("scorer", 61)


def test_a_score_survives_a_restart(site: Callable[..., Site]) -> None:
    one = site()
    token = one.link()["token"]
    one.append([SETUP, ball(2, 4)], match=board(4))
    one.end()
    one.begin()
    one.registry.restore()
    eventually(lambda: one.match().get("source"))
    assert (one.match()["source"], one.match()["batting"]["runs"]) == ("scorer", 4)
    log = one.call("GET", "/score/m1/log", token=token).json or {}
    assert [event["id"] for event in log["events"]] == ["e1", "e2"]


def test_a_log_without_a_stream_is_kept_and_shown_once_there_is_one(site: Callable[..., Site]) -> None:
    one = site()
    one.append([SETUP], match=board(10))
    one.call("POST", "/stop_stream", {"stream_name": "m1"})
    assert (one.append([ball(2)], after=1, match=board(11)).json or {})["stream"]["state"] == "stopped"
    start = {"youtube_url": "rtmp://127.0.0.1/live2/key-of-m1", "stream_name": "m1"}
    assert one.call("POST", "/start_stream", start).status_code == 200
    assert one.append([], after=2, alive=True).status_code == 200
    assert one.match()["batting"]["runs"] == 11


def test_without_data_dir_streams_go_on(site: Callable[..., Site], tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "data", ignore_errors=True)
    (tmp_path / "data").write_text("in the way")
    one = site()
    for method, path, body in [
        ("POST", "/streams/m1/links", {"role": "scorer"}),
        ("POST", "/score/m1/log", {"device": "phone", "events": [SETUP]}),
    ]:
        answer = one.call(method, path, body)
        assert answer.status_code == 503
        assert "DATA_DIR cannot be used" in answer.text
    assert one.call("GET", "/streams/m1").status_code == 200


def test_a_name_that_nobody_has_gets_no_log(site: Callable[..., Site]) -> None:
    one = site()
    for name in ("m9", "%C2%84"):
        assert one.call("GET", f"/score/{name}/log").status_code == 404
        assert one.call("POST", f"/score/{name}/log", {"device": "phone", "events": [SETUP]}).status_code == 404
        assert one.call("POST", f"/score/{name}/writer", {"device": "phone"}).status_code == 404
    assert not one.store.is_there


def test_the_page_is_for_names_that_can_be(site: Callable[..., Site]) -> None:
    one = site()
    assert one.call("GET", "/score/m9", token="").status_code == 200
    assert one.call("GET", "/score/.m9", token="").status_code == 404
