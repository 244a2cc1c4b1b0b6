from __future__ import annotations

import threading
from typing import Any
from unittest.mock import ANY

import pytest

from club.links import IDLE_S
from club.score_logs import MOST_EVENTS, Appended, ScoreLogs
from club.store import Store
from errors import InvalidField, LogConflict
from tests.waiting import FakeClock


@pytest.fixture
def logs(store: Store, clock: FakeClock) -> ScoreLogs:
    return ScoreLogs(store, clock)


def ball(event_id: str, runs: int = 1) -> dict[str, Any]:
    return {"id": event_id, "kind": "ball", "runs": runs}


def ids(logs: ScoreLogs, stream: str = "m1", after: int = 0) -> list[str]:
    return [event["id"] for event in logs.read(stream, after).events]


def test_a_log_that_nobody_has_begun_is_empty(logs: ScoreLogs, store: Store) -> None:
    kept = logs.read("m1", 0)
    assert (kept.seq, kept.writer, kept.events) == (0, None, ())
    assert not store.is_there


def test_events_come_back_in_their_order(logs: ScoreLogs) -> None:
    assert logs.append("m1", "phone", 0, [ball("a"), ball("b", 4)], None) == Appended(ANY, 2, 2)
    assert logs.append("m1", "phone", 2, [ball("c")], None) == Appended(ANY, 3, 1)
    assert logs.read("m1", 0).events == (ball("a"), ball("b", 4), ball("c"))
    assert ids(logs, after=2) == ["c"]
    assert ids(logs, "m2") == []


def test_what_is_sent_twice_counts_once(logs: ScoreLogs) -> None:
    logs.append("m1", "phone", 0, [ball("a"), ball("b")], None)
    assert logs.append("m1", "phone", 0, [ball("a"), ball("b")], None) == Appended(ANY, 2, 0)
    # The answer to the last one was lost, and a ball came since.
    assert logs.append("m1", "phone", 0, [ball("a"), ball("b"), ball("c")], None) == Appended(ANY, 3, 1)
    assert logs.append("m1", "phone", 3, [ball("d"), ball("d")], None) == Appended(ANY, 4, 1)
    assert ids(logs) == ["a", "b", "c", "d"]


def test_an_id_stands_for_one_event(logs: ScoreLogs) -> None:
    logs.append("m1", "phone", 0, [ball("a")], None)
    with pytest.raises(LogConflict, match=r"events\[1\].id stands for another event already"):
        logs.append("m1", "phone", 1, [ball("b"), ball("a", 6)], None)
    assert ids(logs) == ["a"]


def test_another_device_is_told_what_it_lacks(logs: ScoreLogs, clock: FakeClock) -> None:
    logs.take("m1", "phone", "Ann", take_over=False)
    logs.append("m1", "phone", 0, [ball("a"), ball("b")], None)
    clock.advance(7)
    with pytest.raises(LogConflict) as caught:
        logs.append("m1", "tablet", 1, [ball("x")], None)
    assert (caught.value.seq, caught.value.events) == (2, (ball("b"),))
    assert caught.value.writer == {"device": "phone", "label": "Ann", "age_s": 7.0}
    assert ids(logs) == ["a", "b"]


def test_a_device_that_takes_over_must_know_all_events(logs: ScoreLogs) -> None:
    logs.append("m1", "phone", 0, [ball("a"), ball("b")], None)
    with pytest.raises(LogConflict):
        logs.take("m1", "tablet", "", take_over=False)
    logs.take("m1", "tablet", "Bob", take_over=True)
    with pytest.raises(LogConflict) as caught:
        logs.append("m1", "tablet", 0, [ball("x")], None)
    assert caught.value.events == (ball("a"), ball("b"))
    assert logs.append("m1", "tablet", 2, [ball("x")], None) == Appended(ANY, 3, 1)
    with pytest.raises(LogConflict) as caught:  # the first phone had one ball unsent
        logs.append("m1", "phone", 2, [ball("c")], None)
    assert caught.value.events == (ball("x"),)
    assert ids(logs) == ["a", "b", "x"]


def test_a_device_that_knows_more_than_there_is_is_told(logs: ScoreLogs) -> None:
    with pytest.raises(LogConflict) as caught:
        logs.append("m1", "phone", 5, [ball("f")], None)
    assert (caught.value.seq, caught.value.events) == (0, ())


def test_of_two_devices_in_the_same_moment_one_writes(logs: ScoreLogs) -> None:
    kept: list[str] = []
    both = threading.Barrier(2)

    def tap(device: str) -> None:
        both.wait()
        try:
            logs.append("m1", device, 0, [ball(f"{device}-{number}") for number in range(20)], None)
            kept.append(device)
        except LogConflict:
            pass

    threads = [threading.Thread(target=tap, args=(device,)) for device in ("phone", "tablet")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(kept) == 1
    assert ids(logs) == [f"{kept[0]}-{number}" for number in range(20)]


def test_a_log_has_an_end(logs: ScoreLogs) -> None:
    events = [ball(str(number)) for number in range(MOST_EVENTS)]
    logs.append("m1", "phone", 0, events, None)
    with pytest.raises(InvalidField, match="20000 events at most"):
        logs.append("m1", "phone", MOST_EVENTS, [ball("one-more")], None)
    assert logs.read("m1", 0).seq == MOST_EVENTS
    assert logs.append("m1", "phone", MOST_EVENTS, events[-1:], None) == Appended(ANY, MOST_EVENTS, 0)


def test_the_match_is_as_old_as_the_device_was_last_heard(logs: ScoreLogs, clock: FakeClock) -> None:
    assert logs.last_match("m1") is None
    logs.append("m1", "phone", 0, [ball("a")], {"sport": "cricket"})
    begun = clock()
    assert logs.last_match("m1") == ({"sport": "cricket"}, begun)
    clock.advance(10)
    logs.append("m1", "phone", 1, [], None)
    assert logs.last_match("m1") == ({"sport": "cricket"}, begun + 10)


def test_a_day_after_its_stream_a_log_is_closed_and_kept(logs: ScoreLogs, store: Store, clock: FakeClock) -> None:
    logs.append("m1", "phone", 0, [ball("a")], {"sport": "cricket"})
    logs.tidy([])
    clock.advance(IDLE_S + 1)
    logs.tidy([])
    assert ids(logs) == []
    assert logs.last_match("m1") is None
    assert logs.read("m1", 0).log is None
    assert logs.append("m1", "tablet", 0, [ball("a", 6)], None) == Appended(ANY, 1, 1)
    with store.using() as db:
        assert db.execute("SELECT count(*) FROM events").fetchone()[0] == 2
