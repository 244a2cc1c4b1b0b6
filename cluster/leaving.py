"""How a stream's process lets a successor on another node take it over: what the predecessor does.

If the successor falls silent, the predecessor takes its destinations back.
"""

from __future__ import annotations

import time

from cluster.takeover import LEAVE_LIMIT_S, WHICH, in_time
from logging_setup import StreamLogger
from relay.request import Which
from relay.stream import Stream

TAKE_BACK_S = 30.0


class Leaving:
    """Of one stream. The successor's calls come on any thread; the stream's life looks in between."""

    def __init__(self, log: StreamLogger) -> None:
        self._log = log
        self._left_at: float | None = None
        self.is_for_good = False

    def leave(self, stream: Stream | None, which: Which, successor: str) -> bool:
        """Leave a destination to the successor. True if it was being served."""
        if stream is None:
            return False
        was_connected = stream.destinations.is_connected(which)
        self._left_at = time.monotonic()
        stream.destinations.hold(which, f"moves to node {successor}")
        in_time(lambda: stream.destinations.is_off(which), LEAVE_LIMIT_S)
        return was_connected

    def give_up(self) -> None:
        """The successor has given up. The next look takes back what was left to it."""
        self._left_at = float("-inf")

    def leave_for_good(self, stream: Stream | None) -> None:
        """The successor has all of the stream."""
        self.is_for_good = True
        if stream:
            stream.leave()

    def look(self, stream: Stream) -> bool:
        """True if this process took the stream back, because the successor gave up or no longer answers."""
        if self._left_at is None or time.monotonic() - self._left_at <= TAKE_BACK_S:
            return False
        self._left_at = None
        self._log.warning("the successor has given up or no longer answers: the stream stays here")
        for which in WHICH:
            stream.go_on(which)
        return True
