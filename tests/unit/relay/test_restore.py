from __future__ import annotations

import logging
import threading
from pathlib import Path

import pytest

from demo.match_feed import Answer, MatchFeed
from errors import StreamNotFound
from relay.failures import FAILURES_LISTED_S
from relay.stream import Stream
from tests.unit.conftest import KEY, MakeRelay
from tests.waiting import eventually

OTHER_KEY = "canary-other-7"
BACKUP = f"rtmp://127.0.0.1/backup/{OTHER_KEY}"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "streams.json"


def test_a_stream_is_kept_from_its_start_to_its_stop(relay: MakeRelay, path: Path) -> None:
    one = relay(state_file=path)
    one.start("m1")
    one.start("m2")
    assert one.kept() == ["m1", "m2"]
    one.registry.stop("m1")
    assert one.kept() == ["m2"]


def test_a_start_that_fails_is_not_kept(relay: MakeRelay, path: Path, feed: MatchFeed) -> None:
    feed.start = Answer(b"{}", 503)
    one = relay(state_file=path, overlay_api_base=feed.url)
    with pytest.raises(Exception, match="Failed to start match monitoring"):
        one.start()
    assert one.kept() == []


def test_streams_come_back_as_they_were_with_their_uptime_from_the_first_start(relay: MakeRelay, path: Path) -> None:
    before = relay(state_file=path, wall_s=50_000)
    before.start("m1", backup=BACKUP)
    before.wall.advance(100)
    before.start("m2")
    before.wall.advance(500)
    before.close()
    old_lives = before.fake.lives("publisher")
    after = relay(state_file=path, wall_s=50_700)
    assert after.names() == []
    after.registry.restore()
    eventually(lambda: sorted(after.names()) == ["m1", "m2"])
    uptimes = {one.name: one.uptime_s for one in after.registry.snapshots()}
    assert uptimes == {"m1": pytest.approx(700), "m2": pytest.approx(600)}
    after.clock.advance(10)
    assert after.status("m1").uptime_s == pytest.approx(710)
    status = after.status("m1")
    assert status.destination.url == "rtmp://127.0.0.1/live2/****"
    assert status.backup is not None
    assert status.backup.url == "rtmp://127.0.0.1/backup/****"
    assert after.status("m2").backup is None
    pids = {life["pid"] for life in old_lives}

    def presets() -> list[str]:
        return sorted(life["preset"] for life in after.fake.lives("publisher") if life["pid"] not in pids)

    eventually(lambda: len(presets()) == 3)
    backup, *primaries = presets()
    assert backup == f"rtmp_app=backup\nrtmp_playpath={OTHER_KEY}\n"
    assert primaries == [f"rtmp_app=live2\nrtmp_playpath={key}\n" for key in (KEY, f"{KEY}-m2")]


def test_a_stream_that_came_back_twice_still_counts_from_its_first_start(
    relay: MakeRelay, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "relay")
    first = relay(state_file=path, wall_s=50_000)
    first.start()
    first.close()
    for times, wall_s in ((1, 51_000), (2, 52_000)):
        one = relay(state_file=path, wall_s=wall_s)
        one.registry.restore()
        eventually(lambda times=times: caplog.text.count("is back after the restart") == times)  # type: ignore[misc]
        assert one.status().uptime_s == pytest.approx(wall_s - 50_000)
        one.close()


def test_a_clock_that_was_set_back_makes_no_negative_uptime(relay: MakeRelay, path: Path) -> None:
    before = relay(state_file=path, wall_s=50_000)
    before.start()
    before.close()
    after = relay(state_file=path, wall_s=10)
    after.registry.restore()
    eventually(lambda: after.names() == ["m1"])
    assert after.status().uptime_s == pytest.approx(0)


def test_a_stream_comes_back_without_the_match_api_which_is_asked_again_later(
    relay: MakeRelay, path: Path, feed: MatchFeed, caplog: pytest.LogCaptureFixture
) -> None:
    before = relay(state_file=path)
    before.start()
    before.close()
    feed.start = Answer(b"{}", 503)
    after = relay(state_file=path, overlay_api_base=feed.url)
    after.registry.restore()
    eventually(lambda: after.names() == ["m1"])
    assert "match monitoring is asked for again later" in caplog.text
    eventually(lambda: after.fake.lives("compositor"))

    def asked() -> int:
        return feed.paths("POST").count("/start-match-monitoring")

    eventually(lambda: asked() == 2, what="its monitor asks once more")
    polls = len(feed.paths("GET"))
    eventually(lambda: len(feed.paths("GET")) > polls + 1)
    assert asked() == 2, "not at each poll"
    feed.start = Answer.of({"ok": True})
    after.wait(lambda: asked() == 3)
    after.clock.advance(100)
    polls = len(feed.paths("GET"))
    eventually(lambda: len(feed.paths("GET")) > polls + 1)
    assert asked() == 3
    after.registry.stop("m1")
    assert "/stop-match-monitoring" in feed.paths("POST")


def test_a_stream_that_comes_back_keeps_the_pause_that_the_match_api_asks_for(
    relay: MakeRelay, path: Path, feed: MatchFeed
) -> None:
    before = relay(state_file=path)
    before.start()
    before.close()
    feed.start = Answer(b"{}", 429, headers={"Retry-After": "30"})
    after = relay(state_file=path, overlay_api_base=feed.url)
    after.registry.restore()
    eventually(lambda: len(feed.paths("GET")) > 3, what="polls")
    assert feed.paths("POST") == ["/start-match-monitoring"]
    after.clock.advance(31)
    eventually(lambda: len(feed.paths("POST")) == 2)


def test_a_stream_whose_host_is_no_longer_allowed_stays_kept_and_holds_up_no_other(
    relay: MakeRelay, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = relay(state_file=path, allowed_ingest_hosts="*")
    before.start("m1", url=f"rtmp://elsewhere.example/live2/{KEY}")
    before.wall.advance(1)
    before.start("m2")
    before.close()
    after = relay(state_file=path)
    after.registry.restore()
    eventually(lambda: after.names() == ["m2"])
    eventually(lambda: "does not come back after the restart of the service" in caplog.text)
    assert "ALLOWED_INGEST_HOSTS" in caplog.text
    assert KEY not in caplog.text
    assert after.kept() == ["m1", "m2"]
    with pytest.raises(StreamNotFound):
        after.registry.stop("m1")
    assert after.kept() == ["m2"]
    assert after.names() == ["m2"]


def test_a_service_that_ends_keeps_its_streams(relay: MakeRelay, path: Path) -> None:
    one = relay(state_file=path)
    one.start("m1")
    one.start("m2")
    one.registry.close()
    assert one.names() == []
    assert one.kept() == ["m1", "m2"]


def test_a_service_that_ends_while_a_stream_comes_back_keeps_it(
    relay: MakeRelay, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = relay(state_file=path)
    before.start()
    before.close()
    begin, begun, may_go_on = Stream.begin, threading.Event(), threading.Event()

    def begin_slowly(self: Stream) -> None:
        begin(self)
        begun.set()
        may_go_on.wait(10)

    monkeypatch.setattr(Stream, "begin", begin_slowly)
    after = relay(state_file=path)
    after.registry.restore()
    assert begun.wait(10)
    end = threading.Thread(target=after.registry.close)
    end.start()
    eventually(lambda: after.names() == [])
    may_go_on.set()
    end.join(10)
    assert after.kept() == ["m1"]


def test_a_stream_that_outlasts_its_longest_duration_has_failed_and_is_forgotten(relay: MakeRelay, path: Path) -> None:
    one = relay(state_file=path, max_stream_duration_s=3600)
    one.start()
    one.clock.advance(3599)
    assert one.status().state == "starting"
    one.clock.advance(1)
    eventually(lambda: one.names() == [] and one.status().state == "failed")
    status = one.status()
    assert (status.states, status.reason) == (("failed",), "it has lasted MAX_STREAM_DURATION_S")
    eventually(lambda: one.kept() == [])
    with pytest.raises(StreamNotFound):
        one.registry.stop("m1")
    one.start()
    assert one.names() == ["m1"]
    assert one.status().state == "starting"
    assert one.kept() == ["m1"]
    one.registry.stop("m1")
    with pytest.raises(StreamNotFound):
        one.status()


def test_the_longest_duration_counts_from_the_first_start(relay: MakeRelay, path: Path) -> None:
    before = relay(state_file=path, max_stream_duration_s=3600, wall_s=50_000)
    before.start()
    before.close()
    after = relay(state_file=path, max_stream_duration_s=3600, wall_s=53_590)
    after.registry.restore()
    eventually(lambda: after.names() == ["m1"])
    after.clock.advance(10)
    eventually(lambda: after.names() == [])
    assert after.status().reason == "it has lasted MAX_STREAM_DURATION_S"
    eventually(lambda: after.kept() == [])


def test_a_stream_that_is_too_old_at_its_return_is_not_kept_for_good(relay: MakeRelay, path: Path) -> None:
    before = relay(state_file=path, max_stream_duration_s=3600, wall_s=50_000)
    before.start()
    before.close()
    after = relay(state_file=path, max_stream_duration_s=3600, wall_s=90_000)
    after.registry.restore()
    eventually(lambda: after.kept() == [])
    eventually(lambda: after.names() == [])


def test_a_stream_whose_supervisor_fails_has_failed_with_a_reason(
    relay: MakeRelay, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = relay(state_file=path)
    one.start()
    with monkeypatch.context() as patch:
        patch.setattr("relay.stream.Stream._step", lambda self: 1 / 0)
        eventually(lambda: one.names() == [])
    status = one.status()
    assert (status.state, status.desired) == ("failed", "run")
    assert status.reason == "an internal error ended it (ZeroDivisionError); the log says more"
    eventually(lambda: one.kept() == [])
    one.start()
    assert one.status().state == "starting"


def test_a_stream_that_failed_is_listed_after_those_that_run_for_some_hours(relay: MakeRelay) -> None:
    one = relay(max_stream_duration_s=3600)

    def listed() -> list[tuple[str, str]]:
        return [(status.name, status.state) for status in one.registry.statuses()]

    one.start("m1")
    one.clock.advance(1800)
    one.start("m2")
    one.clock.advance(1800)
    eventually(lambda: listed() == [("m2", "starting"), ("m1", "failed")] and one.names() == ["m2"])
    one.start("m1")
    assert listed() == [("m2", "starting"), ("m1", "starting")]
    one.clock.advance(3600)
    eventually(lambda: [state for _, state in listed()] == ["failed", "failed"] and one.names() == [])
    one.clock.advance(FAILURES_LISTED_S)
    assert listed() == []
    assert one.status("m1").state == "failed"


def test_a_stream_that_failed_can_be_dismissed(relay: MakeRelay) -> None:
    one = relay(max_stream_duration_s=3600)
    one.start()
    one.clock.advance(3600)
    eventually(lambda: one.names() == [])
    assert [status.state for status in one.registry.statuses()] == ["failed"]
    one.registry.dismiss("m1")
    assert one.registry.statuses() == []
    with pytest.raises(StreamNotFound):
        one.registry.dismiss("m1")


def test_a_stream_that_was_stopped_has_not_failed(relay: MakeRelay) -> None:
    one = relay()
    one.start()
    one.registry.stop("m1")
    with pytest.raises(StreamNotFound):
        one.status()


@pytest.mark.parametrize(("written_s", "read_s"), [(100.0, 1.8e9), (1.8e9 + 86_400, 1.8e9), (1.8e9, 100.0)], ids=str)
def test_a_wrong_clock_at_boot_ends_no_stream(
    relay: MakeRelay, path: Path, written_s: float, read_s: float, caplog: pytest.LogCaptureFixture
) -> None:
    before = relay(state_file=path, wall_s=written_s)
    before.start("m1")
    before.close()
    after = relay(state_file=path, wall_s=read_s)
    after.registry.restore()
    eventually(lambda: after.names() == ["m1"])
    assert after.status("m1").uptime_s == pytest.approx(0)
    assert "its time on air counts from now" in caplog.text
    after.clock.advance(10)
    assert after.status("m1").uptime_s == pytest.approx(10)
    assert after.kept() == ["m1"]
