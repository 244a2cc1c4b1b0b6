from __future__ import annotations

import pytest

from tests.waiting import FakeClock
from web.crowd import BODY_LIMIT_S, HEAD_LIMIT_S, IDLE_LIMIT_S, Crowd

SLOW, OTHER = "192.0.2.1", "198.51.100.7"


class Line:
    """A connection as the crowd sees it."""

    def __init__(self, clock: FakeClock) -> None:
        self.began_at: float | None = None
        self.idle_since = clock()
        self.is_busy = self.has_head = self.is_dropped = False

    def drop(self) -> None:
        self.is_dropped = True


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def crowd(clock: FakeClock) -> Crowd:
    return Crowd(clock, most_of_one=3, most=5)


def added(crowd: Crowd, clock: FakeClock, address: str, count: int) -> list[Line]:
    lines = [Line(clock) for _ in range(count)]
    for line in lines:
        crowd.add(line, address)
    return lines


def dropped(lines: list[Line]) -> list[bool]:
    return [line.is_dropped for line in lines]


def test_one_connection_too_many_of_an_address_costs_its_oldest(crowd: Crowd, clock: FakeClock) -> None:
    others = added(crowd, clock, OTHER, 2)
    lines = added(crowd, clock, SLOW, 5)
    assert dropped(lines) == [True, True, False, False, False]
    assert dropped(others) == [False, False]
    assert len(crowd) == 5


def test_the_addresses_of_one_household_count_together(crowd: Crowd, clock: FakeClock) -> None:
    lines = [added(crowd, clock, f"2001:db8::{number}", 1)[0] for number in range(1, 5)]
    assert dropped(lines) == [True, False, False, False]


def test_many_addresses_together_cost_the_oldest_of_all(crowd: Crowd, clock: FakeClock) -> None:
    lines = [added(crowd, clock, f"192.0.2.{number}", 1)[0] for number in range(7)]
    assert dropped(lines) == [True, True, False, False, False, False, False]


def test_a_call_that_is_being_answered_is_never_dropped(crowd: Crowd, clock: FakeClock) -> None:
    first, *_ = lines = added(crowd, clock, SLOW, 3)
    first.is_busy = True
    added(crowd, clock, SLOW, 1)
    assert dropped(lines) == [False, True, False]
    clock.advance(1000)
    crowd.drop_overdue()
    assert dropped(lines) == [False, True, True]


def test_a_request_that_does_not_come_to_its_end_is_dropped(crowd: Crowd, clock: FakeClock) -> None:
    head, body, _ = lines = added(crowd, clock, SLOW, 3)
    head.began_at = body.began_at = clock()
    body.has_head = True
    clock.advance(HEAD_LIMIT_S - 1)
    crowd.drop_overdue()
    assert dropped(lines) == [False, False, False]
    clock.advance(1)
    crowd.drop_overdue()
    assert dropped(lines) == [True, False, False]
    clock.advance(BODY_LIMIT_S - HEAD_LIMIT_S)
    crowd.drop_overdue()
    assert dropped(lines) == [True, True, False]
    clock.advance(IDLE_LIMIT_S - BODY_LIMIT_S)
    crowd.drop_overdue()
    assert dropped(lines) == [True, True, True]
    assert len(crowd) == 0


def test_a_connection_that_ended_counts_no_longer(crowd: Crowd, clock: FakeClock) -> None:
    lines = added(crowd, clock, SLOW, 3)
    crowd.remove(lines[1])
    crowd.remove(lines[1])
    added(crowd, clock, SLOW, 1)
    assert dropped(lines) == [False, False, False]
