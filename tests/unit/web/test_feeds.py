"""Named feeds as a caller sees them: chosen at the start and on air, tried, read again; and a score by hand."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from PIL import Image

from app import create_app
from config import Settings
from demo.match_feed import Answer, MatchFeed
from relay.feeds import Feeds
from relay.registry import StreamRegistry
from relay.state_file import StateFile
from scoring.feeds.named import NamedFeed
from tests.conftest import SettingsFactory
from tests.feeds import score
from tests.unit.conftest import FakeFFmpeg
from tests.unit.scoring.feeds.test_polled_kinds import CRICCLUBS, FIRST, PLAY_CRICKET
from tests.waiting import eventually

KEY = "canary-feed-key"
START = {"youtube_url": "rtmp://127.0.0.1/live2/key-1", "stream_name": "m1"}


class Site:
    def __init__(self, settings: Settings, toml: Path) -> None:
        self.settings, self.toml = settings, toml
        self.feeds = Feeds(settings, {"KEY": KEY})
        self.state_file = StateFile(settings.state_file) if settings.state_file else None
        self.registry = StreamRegistry(settings, None, self.state_file, self.feeds.find)
        self.client: FlaskClient = create_app(settings, self.registry, None, self.feeds).test_client()

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self.get("/streams/m1")["feed"]
        return found

    def get(self, path: str) -> dict[str, Any]:
        answer = self.client.get(path)
        assert answer.json is not None
        return dict(answer.json)

    def runs(self) -> int | None:
        """Of the newest score; None while there is none."""
        batting = self.get("/streams/m1/match").get("batting")
        return batting["runs"] if batting else None

    def close(self) -> None:
        self.registry.close()
        if self.state_file:
            self.state_file.close()


MakeSite = Callable[..., Site]


@pytest.fixture
def site(
    settings_with: SettingsFactory,
    fake_ffmpeg: FakeFFmpeg,
    unasked: None,
    feed: MatchFeed,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[MakeSite]:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    toml = tmp_path / "feeds.toml"
    toml.write_text(
        f"[saturday]\nkind = 'own'\nurl = '{feed.url}/own/{{match_id}}'\npoll_interval_s = 0.2\n"
        f"[club]\nkind = 'cricclubs'\nurl = '{feed.url}/club?m={{match_id}}'\nparams = {{ apikey = 'env:KEY' }}\n"
        "calls_per_day = 50\n"
    )
    made: list[Site] = []

    def make(**overrides: Any) -> Site:
        base: dict[str, Any] = {"ffmpeg_bin": str(fake_ffmpeg.path), "feeds_file": toml}
        settings = settings_with(**base | {"allowed_feed_hosts": "127.0.0.1"} | overrides)
        made.append(Site(settings, toml))
        return made[-1]

    yield make
    for one in made:
        one.close()


def start(site: Site, **fields: Any) -> Any:
    return site.client.post("/start_stream", json=START | fields)


def test_a_stream_follows_the_feed_that_it_names(site: MakeSite, feed: MatchFeed) -> None:
    feed.data = Answer.of(score(10, "1.0"))
    one = site(overlay_api_base=feed.url, overlay_image_base=feed.url)

    assert start(one, feed="saturday", match_id="a/b").status_code == 200
    assert one.get("/streams/m1/match")["source"] == "saturday"
    assert one.runs() == 10
    feed.data = Answer.of(score(14, "1.1"))
    eventually(lambda: one.runs() == 14)

    assert set(feed.paths("GET")) == {"/own/a%2Fb"}, "neither the match API nor the image server is asked"
    assert feed.paths("POST") == []
    status = one.status()
    assert (status["name"], status["kind"], status["match_id"], status["state"]) == ("saturday", "own", "a/b", "good")
    assert (status["trouble"], status["calls_left"], status["source"]) == (None, None, "saturday")
    assert status["asked_age_s"] < 5
    assert status["next_in_s"] <= 0.2


def test_without_a_feed_the_match_api_is_asked_as_ever(site: MakeSite, feed: MatchFeed) -> None:
    feed.data = Answer.of(score(10, "1.0"))
    one = site(overlay_api_base=feed.url)

    assert start(one).status_code == 200

    assert feed.paths("POST") == ["/start-match-monitoring"]
    assert feed.paths("GET")[0] == "/api/v1/cricket/match/m1"
    assert (one.status()["name"], one.get("/streams/m1/match")["source"]) == (None, "api")


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"feed": "sunday"}, "feed must be saturday, club or null"),
        ({"feed": 5}, "feed must be saturday, club or null"),
        ({"feed": "saturday", "match_id": ""}, None),
        ({"feed": "saturday", "match_id": None}, None),
        ({"feed": None}, None),
        ({"match_id": 1234}, "match_id must be a string of 1 to 128 characters without control characters"),
        ({"match_id": "x" * 129}, "match_id must be a string of 1 to 128 characters without control characters"),
        ({"match_id": "a\nb"}, "match_id must be a string of 1 to 128 characters without control characters"),
        ({"match_id": ["a"]}, "match_id must be a string of 1 to 128 characters without control characters"),
        ({"match_id": True}, "match_id must be a string of 1 to 128 characters without control characters"),
    ],
)
def test_fields_of_the_start_are_checked(site: MakeSite, fields: dict[str, Any], error: str | None) -> None:
    one = site()

    answer = start(one, **fields)

    assert answer.status_code == (400 if error else 200)
    assert error is None or answer.json == {"error": error}
    assert (len(one.get("/list_streams")) == 0) == (error is not None)


def test_on_air_feed_and_match_can_be_changed(site: MakeSite, feed: MatchFeed) -> None:
    feed.data = Answer.of(score(10, "1.0"))
    one = site(overlay_api_base=feed.url)
    start(one)

    answer = one.client.patch("/streams/m1", json={"feed": "saturday", "match_id": "7"})
    assert (answer.status_code, answer.json) == (
        200,
        {"message": "Stream m1 changed successfully", "feed": "saturday", "match_id": "7"},
    )
    eventually(lambda: "/own/7" in feed.paths("GET"))
    eventually(lambda: one.get("/streams/m1/match")["source"] == "saturday")
    assert one.client.patch("/streams/m1", json={"match_id": "8"}).json == {
        "message": "Stream m1 changed successfully",
        "feed": "saturday",
        "match_id": "8",
    }
    eventually(lambda: "/own/8" in feed.paths("GET"))

    monitored = len(feed.paths("POST"))
    one.client.patch("/streams/m1", json={"feed": None})
    eventually(lambda: one.get("/streams/m1/match")["source"] == "api")
    eventually(lambda: len(feed.paths("POST")) == monitored + 1)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, "One of score_delay_s, feed, match_id must be given"),
        ({"feed": "sunday"}, "feed must be saturday, club or null"),
        ({"match_id": "x" * 200}, "match_id must be a string of 1 to 128 characters without control characters"),
        ({"feed": "club", "score_delay_s": -1}, "score_delay_s must be a number of seconds from 0 to 120"),
    ],
)
def test_a_change_that_cannot_be_made_changes_nothing(site: MakeSite, body: dict[str, Any], error: str) -> None:
    one = site()
    start(one, feed="saturday")

    answer = one.client.patch("/streams/m1", json=body)

    assert (answer.status_code, answer.json) == (400, {"error": error})
    assert one.status()["name"] == "saturday"


def test_another_match_is_shown_at_once_though_it_is_lower(site: MakeSite, feed: MatchFeed) -> None:
    feed.data = Answer.of(score(200, "40.0", 9))
    one = site()
    start(one, feed="saturday")
    assert one.runs() == 200
    feed.data = Answer.of({**score(3, "0.2"), "batting": {"name": "Green Lane", "runs": 3, "overs": "0.2"}})

    one.client.patch("/streams/m1", json={"match_id": "8"})

    eventually(lambda: one.runs() == 3, 3)


def test_a_score_by_hand_goes_first_until_somebody_goes_back(site: MakeSite, feed: MatchFeed) -> None:
    feed.data = Answer.of(score(10, "1.0"))
    one = site(score_stale_s=5)
    start(one, feed="saturday", match_id="7")

    one.client.put("/streams/m1/match", json=score(17, "2.0"))
    calls = len(feed.calls)

    assert (one.status()["state"], one.status()["source"], one.status()["trouble"]) == ("by hand", "push", None)
    assert b"score by hand" in one.client.get("/").data
    feed.data = Answer.of(score(18, "2.1"))
    assert one.client.patch("/streams/m1", json={"feed": "saturday"}).status_code == 200
    eventually(lambda: one.runs() == 18)
    assert one.status()["state"] == "good"
    assert one.status()["match_id"] == "7"
    assert len(feed.calls) > calls
    assert b"score by hand" not in one.client.get("/").data


def test_a_feed_says_what_is_wrong_with_it(site: MakeSite, feed: MatchFeed) -> None:
    feed.data = Answer(b"{}", 403)
    one = site()
    start(one, feed="club", match_id="7")

    status = one.status()

    assert status["state"] == "failing"
    assert status["trouble"] == "the feed has never answered usefully: it answered 403: it does not accept the key"
    assert status["calls_left"] == 49
    assert status["trouble"] in one.client.get("/").text
    page = one.client.get("/metrics").text
    assert 'streaming_stream_feed_calls_left{stream="m1"} 49.0' in page
    assert 'streaming_stream_feed_state{state="failing",stream="m1"} 1.0' in page


def test_a_stream_comes_back_with_its_feed_and_its_match(site: MakeSite, feed: MatchFeed, tmp_path: Path) -> None:
    feed.data = Answer.of(score(10, "1.0"))
    path = tmp_path / "streams.json"
    before = site(state_file=path)
    start(before, feed="saturday", match_id="7")
    before.client.patch("/streams/m1", json={"match_id": "8"})
    before.close()

    after = site(state_file=path)
    after.registry.restore()
    eventually(lambda: after.get("/list_streams"))

    status = after.status()
    assert (status["name"], status["match_id"]) == ("saturday", "8")
    assert KEY not in path.read_text()


def test_a_stream_comes_back_though_its_feed_has_gone(site: MakeSite, feed: MatchFeed, tmp_path: Path) -> None:
    feed.data = Answer.of(score(10, "1.0"))
    path = tmp_path / "streams.json"
    before = site(state_file=path)
    start(before, feed="saturday", match_id="7")
    before.close()
    kept = before.toml.read_text()
    before.toml.write_text("[broken")

    after = site(state_file=path)
    after.registry.restore()
    eventually(lambda: after.get("/list_streams"))
    assert "the feed saturday is no longer in FEEDS_FILE" in str(after.status()["trouble"])
    assert "FEEDS_FILE, line 1" in after.get("/feeds")["fault"]
    assert "FEEDS_FILE, line 1" in after.client.get("/").text

    after.toml.write_text(kept)
    assert after.client.post("/feeds/reload").status_code == 200
    eventually(lambda: after.runs() == 10)


def test_a_file_that_has_changed_is_read_again_on_request(site: MakeSite, feed: MatchFeed) -> None:
    feed.data = Answer.of(score(10, "1.0"))
    one = site()
    start(one, feed="saturday", match_id="7")
    text = one.toml.read_text()

    one.toml.write_text(text.replace("/own/", "/other/"))
    answer = one.client.post("/feeds/reload")

    assert answer.json == {"message": "FEEDS_FILE was read", "changed": ["saturday"]}
    eventually(lambda: "/other/7" in feed.paths("GET"))


def test_a_fault_in_the_file_stops_nothing(site: MakeSite, feed: MatchFeed) -> None:
    feed.data = Answer.of(score(10, "1.0"))
    one = site()
    start(one, feed="saturday")
    text = one.toml.read_text()

    one.toml.write_text(text.replace("'own'", "'ovn'"))
    answer = one.client.post("/feeds/reload")

    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["error"].startswith("FEEDS_FILE, line 2: saturday.kind: must be one of own,")
    assert [entry["name"] for entry in one.get("/feeds")["feeds"]] == ["saturday", "club"]
    feed.data = Answer.of(score(12, "1.1"))
    eventually(lambda: one.runs() == 12)


def test_a_stream_keeps_a_feed_that_was_taken_out_of_the_file(site: MakeSite, feed: MatchFeed) -> None:
    feed.data = Answer.of(score(10, "1.0"))
    one = site()
    start(one, feed="saturday")

    one.toml.write_text("")
    assert one.client.post("/feeds/reload").status_code == 200

    feed.data = Answer.of(score(12, "1.1"))
    eventually(lambda: one.runs() == 12)


def test_the_list_holds_no_secret(site: MakeSite) -> None:
    answer = site().client.get("/feeds")

    assert KEY not in answer.text
    assert "127.0.0.1" not in answer.text
    assert answer.json is not None
    club = answer.json["feeds"][1]
    assert (club["name"], club["kind"], club["calls_per_day"], club["calls_left"]) == ("club", "cricclubs", 50, 50)


def test_a_feed_is_tried_before_the_match(site: MakeSite, feed: MatchFeed) -> None:
    feed.data = Answer.of(CRICCLUBS)
    one = site()

    answer = one.client.post("/feeds/club/try", json={"match_id": "7"})

    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["match"]["batting"]["runs"] == 96
    assert answer.json["lacks"] == ["rain breaks", "declarations", "retired hurt", "card"]
    strip = one.client.get("/feeds/club/try.png?match_id=7")
    with Image.open(io.BytesIO(strip.data)) as image:
        assert image.width == 1280
        assert image.getbbox() is not None
    assert len(feed.calls) == 1, "the strip is that of the trial"
    assert one.get("/feeds")["feeds"][1]["calls_left"] == 49


def test_a_trial_says_that_there_is_nothing_to_show_now(site: MakeSite, feed: MatchFeed) -> None:
    feed.data = Answer.of({"match_details": [PLAY_CRICKET | {"innings": [FIRST | {"overs": "3"}]}]})
    one = site()
    one.toml.write_text(one.toml.read_text().replace("'own'", "'play_cricket'").replace("= 0.2", "= 60"))
    assert one.client.post("/feeds/reload").status_code == 200

    tried = one.client.post("/feeds/saturday/try", json={"match_id": "7"}).json

    assert tried is not None
    assert (tried["match"], "not real-time" in tried["note"]) == (None, True)
    assert one.client.get("/feeds/saturday/try.png?match_id=7").status_code == 200


@pytest.mark.parametrize(
    ("path", "body", "status", "error"),
    [
        ("/feeds/sunday/try", {"match_id": "7"}, 404, "There is no feed sunday in FEEDS_FILE"),
        ("/feeds/club/try", {}, 400, "match_id is missing"),
        ("/feeds/club/try", {"match_id": ""}, 400, "match_id is missing"),
        ("/feeds/club/try", {"match_id": []}, 400, "match_id must be a string of 1 to 128"),
        ("/feeds/club/try", {"match_id": "7"}, 502, "the feed answered 403: it does not accept the key"),
    ],
)
def test_a_trial_that_fails_says_why(
    site: MakeSite, feed: MatchFeed, path: str, body: dict[str, Any], status: int, error: str
) -> None:
    feed.data = Answer(b"{}", 403)

    answer = site().client.post(path, json=body)

    assert answer.status_code == status
    assert answer.json is not None
    assert answer.json["error"].startswith(error)


def test_no_key_reaches_the_log(site: MakeSite, feed: MatchFeed, caplog: pytest.LogCaptureFixture) -> None:
    feed.data = Answer(json.dumps({"apikey": KEY, "status": "failure", "reason": f"key {KEY}"}).encode())
    one = site()
    one.toml.write_text(one.toml.read_text().replace("'cricclubs'", "'cricapi'"))
    one.client.post("/feeds/reload")
    start(one, feed="club", match_id="7")

    pages = [one.client.get(path).text for path in ("/", "/streams/m1", "/feeds", "/metrics", "/streams/m1/log")]

    assert KEY not in caplog.text
    assert not [page for page in pages if KEY in page]


def test_the_feed_of_a_stream_is_handed_to_another_process_with_its_request() -> None:
    import pickle

    feed = NamedFeed("a", "own", "http://h/", params=(("apikey", KEY),))

    assert pickle.loads(pickle.dumps(feed)) == feed  # noqa: S301
