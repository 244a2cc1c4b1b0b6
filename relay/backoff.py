"""How long to wait before a child that died is started again: pure arithmetic."""

from __future__ import annotations

import random
from collections.abc import Callable

FIRST_WAIT_S = 1.0
JITTER = 0.2  # share of the wait; keeps many streams from knocking in step
HEALTHY_AFTER_S = 30.0


class Backoff:
    """Waits that double from 1 s up to `longest_s`, and start over after a healthy life."""

    def __init__(self, longest_s: float, rand: Callable[[], float] = random.random) -> None:
        self._longest_s = longest_s
        self._rand = rand
        self._wait_s = FIRST_WAIT_S

    def next_wait_s(self, lived_s: float) -> float:
        """The wait after an attempt that lived `lived_s`; at most `longest_s`."""
        if lived_s >= HEALTHY_AFTER_S:
            self._wait_s = FIRST_WAIT_S
        wait_s = self._wait_s
        self._wait_s = min(wait_s * 2, self._longest_s)
        return min(wait_s * (1 + JITTER * self._rand()), self._longest_s)
