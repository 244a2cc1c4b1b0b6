"""A stream that goes on in another process: what it leaves, what it takes, what it knows of before."""

from __future__ import annotations

import pytest

from demo.match_feed import MatchFeed
from relay.request import LastPush, StreamRequest
from scoring.reading import parse_match_data
from tests.unit.conftest import FakeFFmpeg, MakeRelay, destination
from tests.waiting import eventually


def test_a_stream_that_takes_over_stays_off_its_destinations_and_leaves_the_match_api_alone(
    relay: MakeRelay, fake_ffmpeg: FakeFFmpeg, feed: MatchFeed
) -> None:
    one = relay(overlay_api_base=feed.url, overlay_source="data")
    one.registry.start(StreamRequest("m1", destination(), begun_at=49_000.0, takes_over=True))
    stream = one.registry.running("m1")
    eventually(lambda: fake_ffmpeg.lives("compositor"))
    assert one.status().uptime_s == pytest.approx(1000, abs=60)
    assert (
        fake_ffmpeg.lives("publisher"),
        stream.destinations.is_off("primary"),
        stream.destinations.is_off("backup"),
    ) == ([], True, True)
    stream.go_on("primary")
    eventually(lambda: fake_ffmpeg.lives("publisher"))
    assert not stream.destinations.is_off("primary")
    assert feed.paths("POST") == []
    one.registry.stop("m1")
    assert len(feed.paths("POST")) == 1, "it was its own by then: the match API is told to stop"


def test_a_stream_that_another_process_takes_over_leaves_the_match_monitored(relay: MakeRelay, feed: MatchFeed) -> None:
    one = relay(overlay_api_base=feed.url, overlay_source="data")
    one.start("m1")
    told = len(feed.paths("POST"))
    stream = one.registry.running("m1")
    stream.leave()
    assert stream.gone.wait(10)
    assert len(feed.paths("POST")) == told
    assert one.names() == []


def test_what_was_pushed_before_is_shown_with_its_age(relay: MakeRelay) -> None:
    one = relay(wall_s=50_000.0)
    board = parse_match_data({"sport": "cricket", "title": "The Final", "batting": {"name": "MI", "runs": 149}})
    push = LastPush(board, 49_980.0)
    one.registry.start(StreamRequest("m1", destination(), begun_at=49_000.0, last_push=push))
    assert one.status().score_age_s == pytest.approx(20, abs=1)
    assert one.status().overlay_age_s is not None
