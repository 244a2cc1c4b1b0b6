from __future__ import annotations

from relay.stream_log import FEED_AGAIN_S, MAX_ENTRIES, StreamLog
from tests.waiting import FakeClock


def log(clock: FakeClock) -> StreamLog:
    return StreamLog(clock, lambda: 1_767_261_600.0)


def test_entries_have_numbers_and_times() -> None:
    clock = FakeClock()
    one = log(clock)
    one.note("operator", "started")
    one.video_began()
    clock.advance(12.5)
    one.video_began()
    one.note("moment", "FOUR: A Stone", moment="FOUR")
    assert one.entries(0) == [
        {"seq": 1, "at": "2026-01-01T10:00:00+00:00", "video_s": None, "kind": "operator", "text": "started"},
        {
            "seq": 2,
            "at": "2026-01-01T10:00:00+00:00",
            "video_s": 12.5,
            "kind": "moment",
            "text": "FOUR: A Stone",
            "moment": "FOUR",
        },
    ]
    assert [entry["seq"] for entry in one.entries(1)] == [2]


def test_of_too_many_the_oldest_go() -> None:
    one = log(FakeClock())
    for number in range(MAX_ENTRIES + 5):
        one.note("score", f"over {number}")
    assert [one.entries(0)[0]["seq"], one.entries(0)[-1]["seq"]] == [6, MAX_ENTRIES + 5]


def test_a_feed_that_comes_and_goes_does_not_push_out_the_match() -> None:
    clock = FakeClock()
    one = log(clock)
    one.note("moment", "FOUR")
    for _ in range(2 * MAX_ENTRIES):
        one.note("feed", "the match API answered 500")
        one.note("feed", "match data usable again")
        clock.advance(0.01)
    assert len(one.entries(0)) == 3
    clock.advance(FEED_AGAIN_S)
    one.note("feed", "the match API answered 500")
    assert len(one.entries(0)) == 4
