"""The streams that failed lately, and are still listed. For any thread."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from relay.stream_state import StreamStatus

FAILURES_LISTED_S = 12 * 3600.0
KEPT_FAILURES = 100


class Failures:
    """By name, the newest KEPT_FAILURES of them."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failed: OrderedDict[str, tuple[float, StreamStatus]] = OrderedDict()  # with the time it ended

    def add(self, status: StreamStatus) -> None:
        with self._lock:
            self._failed[status.name] = self._clock(), status
            while len(self._failed) > KEPT_FAILURES:
                self._failed.popitem(last=False)

    def forget(self, name: str) -> bool:
        """True when it was listed."""
        with self._lock:
            return self._failed.pop(name, None) is not None

    def get(self, name: str) -> StreamStatus | None:
        with self._lock:
            failed = self._failed.get(name)
        return failed[1] if failed else None

    @property
    def statuses(self) -> list[StreamStatus]:
        """The oldest first."""
        since = self._clock() - FAILURES_LISTED_S
        with self._lock:
            return [status for at, status in self._failed.values() if at > since]
