"""Slows down callers that give wrong credentials, for each address separately.

No call is delayed. An address that failed often is told when to try again. The right
credentials always pass: otherwise someone who shares the operator's address could lock the
operator out. What keeps guessers out is a long token.
"""

from __future__ import annotations

import ipaddress
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from errors import TooManyFailures

FREE_FAILURES = 5
FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 30.0
FORGOTTEN_AFTER_S = 900.0
MAX_SOURCES = 4096


@dataclass(frozen=True)
class _Failures:
    count: int
    at: float
    wait_until: float


class Throttle:
    """Which addresses failed recently. Safe to call from many threads."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures: OrderedDict[str, _Failures] = OrderedDict()

    def judge(self, address: str, is_right: bool) -> bool:
        """Count an attempt from `address`, and return `is_right`. Raises TooManyFailures to a wrong one too many."""
        if is_right:
            return True
        source = source_of(address)
        with self._lock:
            now = self._clock()
            failures = self._failures.get(source)
            if failures is not None and now >= failures.at + FORGOTTEN_AFTER_S:
                failures = None
            if failures is not None and now < failures.wait_until:
                raise TooManyFailures(failures.wait_until - now)
            _put(self._failures, source, _one_more(failures, now))
            return False


def _one_more(failures: _Failures | None, now: float) -> _Failures:
    count = failures.count + 1 if failures else 1
    doublings = count - FREE_FAILURES
    wait_s = min(FIRST_WAIT_S * 2.0 ** min(doublings, 30), LONGEST_WAIT_S) if doublings >= 0 else 0.0
    return _Failures(count, now, now + wait_s)


def _put(table: OrderedDict[str, Any], source: str, value: object) -> None:
    table[source] = value
    table.move_to_end(source)
    if len(table) > MAX_SOURCES:
        table.popitem(last=False)


def source_of(address: str) -> str:
    """The address; for IPv6 its /64 network, all of which belongs to one household."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, 64), strict=False))
