from __future__ import annotations

import logging

import pytest

from errors import TooManyFailures
from tests.waiting import FakeClock
from web import bounded_log, throttle
from web.bounded_log import BoundedLog
from web.throttle import FORGOTTEN_AFTER_S, FREE_FAILURES, LONGEST_WAIT_S, Throttle

HOME, ATTACKER = "192.0.2.1", "198.51.100.7"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def one(clock: FakeClock) -> Throttle:
    return Throttle(clock)


def wait_s(one: Throttle, address: str, is_right: bool = False) -> int:
    """How long the address has to wait until its credentials are checked; 0 if they were."""
    try:
        assert one.judge(address, is_right) == is_right
    except TooManyFailures as error:
        return error.retry_after_s
    return 0


def fail(one: Throttle, address: str, times: int = FREE_FAILURES) -> None:
    for _ in range(times):
        assert one.judge(address, False) is False


def test_a_few_failures_are_free_then_waits_grow_up_to_the_longest(one: Throttle, clock: FakeClock) -> None:
    fail(one, ATTACKER)
    waits = []
    for _ in range(8):
        waits.append(wait_s(one, ATTACKER))
        clock.advance(waits[-1])
        assert wait_s(one, ATTACKER) == 0, "after the wait it is checked"
    assert waits == [1, 2, 4, 8, 16, 30, 30, 30]


def test_guesses_are_bounded_however_fast_they_come(one: Throttle, clock: FakeClock) -> None:
    checked = 0
    for _ in range(36_000):  # an hour, ten in each second
        checked += wait_s(one, ATTACKER) == 0
        clock.advance(0.1)
    assert checked <= 3600 / LONGEST_WAIT_S + FREE_FAILURES + 5


def test_the_right_credentials_pass_also_during_the_wait_and_end_none(one: Throttle) -> None:
    fail(one, HOME)
    for _ in range(3):
        assert wait_s(one, HOME, is_right=True) == 0
        assert wait_s(one, HOME) == 1


def test_one_address_does_not_make_another_wait(one: Throttle) -> None:
    fail(one, ATTACKER)
    assert wait_s(one, ATTACKER) == 1
    assert wait_s(one, HOME) == 0
    assert wait_s(one, HOME, is_right=True) == 0


def test_failures_are_forgotten_after_a_while(one: Throttle, clock: FakeClock) -> None:
    fail(one, ATTACKER)
    clock.advance(FORGOTTEN_AFTER_S)
    fail(one, ATTACKER)
    assert wait_s(one, ATTACKER) == 1


@pytest.mark.parametrize(
    ("first", "second", "is_one"),
    [
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("nonsense", "nonsense", True),
        ("", "nonsense", False),
    ],
)
def test_the_addresses_of_one_household_count_as_one(one: Throttle, first: str, second: str, is_one: bool) -> None:
    fail(one, first)
    assert (wait_s(one, second) > 0) == is_one


def test_memory_is_bounded(one: Throttle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "MAX_SOURCES", 10)
    one.judge(HOME, True)
    for number in range(100):
        fail(one, f"10.0.0.{number}")
    assert len(one._failures) == 10
    assert wait_s(one, "10.0.0.99") > 0
    assert wait_s(one, "10.0.0.1") == 0


def test_a_flood_is_counted_instead_of_written(clock: FakeClock, caplog: pytest.LogCaptureFixture) -> None:
    log = BoundedLog(logging.getLogger("flood"), clock)
    for number in range(5000):
        log.warning("line %d", number)
    assert len(caplog.messages) == bounded_log.LINES + 1
    assert caplog.messages[-1] == "lines like these are only counted for the next 60 s"
    caplog.clear()
    clock.advance(bounded_log.WINDOW_S)
    log.warning("another")
    clock.advance(bounded_log.WINDOW_S)
    log.warning("one more")
    assert caplog.messages == [
        f"{5000 - bounded_log.LINES} more lines like the last ones were not written",
        "another",
        "one more",
    ]
