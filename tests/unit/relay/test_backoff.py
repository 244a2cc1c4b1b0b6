from __future__ import annotations

from relay.backoff import HEALTHY_AFTER_S, Backoff


def test_waits_double_up_to_the_longest() -> None:
    backoff = Backoff(30, rand=lambda: 0)
    assert [backoff.next_wait_s(0.1) for _ in range(7)] == [1, 2, 4, 8, 16, 30, 30]


def test_a_healthy_life_starts_over() -> None:
    backoff = Backoff(30, rand=lambda: 0)
    for _ in range(4):
        backoff.next_wait_s(0)
    assert backoff.next_wait_s(HEALTHY_AFTER_S) == 1
    assert backoff.next_wait_s(0) == 2


def test_jitter_lengthens_but_never_beyond_the_longest() -> None:
    backoff = Backoff(5, rand=lambda: 1)
    assert [backoff.next_wait_s(0) for _ in range(4)] == [1.2, 2.4, 4.8, 5]
