"""Slows down who gives wrong credentials, address by address.

Nobody is made to sleep: an address that failed often is told when to come back,
and until then what it gives is not looked at. One that gave the right
credentials lately is let in with them even so, or whoever shares an address with
the operator could lock them out.
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
KNOWN_FOR_S = 12 * 3600.0
MAX_SOURCES = 4096


@dataclass(frozen=True)
class _Failures:
    count: int
    at: float
    wait_until: float


class Throttle:
    """Who failed of late, and who did not. Safe to call from many threads."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures: OrderedDict[str, _Failures] = OrderedDict()
        self._known: OrderedDict[str, float] = OrderedDict()

    def judge(self, address: str, is_right: bool) -> bool:
        """Count what `address` gave, and tell `is_right`; raises TooManyFailures while it must wait."""
        source = _source(address)
        with self._lock:
            now = self._clock()
            failures = self._failures.get(source)
            if failures is not None and now >= failures.at + FORGOTTEN_AFTER_S:
                failures = None
            is_waiting = failures is not None and now < failures.wait_until
            if is_right and (not is_waiting or self._knows(source, now)):
                _put(self._known, source, now)
                return True
            if failures is not None and is_waiting:
                raise TooManyFailures(failures.wait_until - now)
            _put(self._failures, source, _one_more(failures, now))
            return False

    def _knows(self, source: str, now: float) -> bool:
        at = self._known.get(source)
        return at is not None and now < at + KNOWN_FOR_S


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


def _source(address: str) -> str:
    """The address, or the IPv6 network that one household has all addresses of."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, 64), strict=False))
