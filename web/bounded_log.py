"""A limit on log lines that outside callers can cause: in a flood they are counted, not written."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

LINES = 10
WINDOW_S = 60.0


class BoundedLog:
    """Writes up to LINES warnings in WINDOW_S. Safe to call from many threads."""

    def __init__(self, log: logging.Logger, clock: Callable[[], float]) -> None:
        self._log = log
        self._clock = clock
        self._lock = threading.Lock()
        self._window_at: float | None = None
        self._count = 0

    def warning(self, message: str, *args: object) -> None:
        now = self._clock()
        unwritten = 0
        with self._lock:
            if self._window_at is None or now >= self._window_at + WINDOW_S:
                unwritten = max(0, self._count - LINES)
                self._window_at, self._count = now, 0
            self._count += 1
            count = self._count
        if unwritten:
            self._log.warning("%d more lines like the last ones were not written", unwritten)
        if count <= LINES:
            self._log.warning(message, *args)
        if count == LINES:
            self._log.warning("lines like these are only counted for the next %g s", WINDOW_S)
