"""What happened to one stream, in words, with the time of day and the time in the video.

Kept in memory while the stream runs. For any thread.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

MAX_ENTRIES = 2_000
FEED_AGAIN_S = 60.0  # a feed that comes and goes must not push out what happened in the match
MAX_FEED_TEXTS = 100


class StreamLog:
    """Entries are numbered from 1. If there are too many, the oldest are dropped."""

    def __init__(self, clock: Callable[[], float], wall_clock: Callable[[], float]) -> None:
        self._clock = clock
        self._wall_clock = wall_clock
        self._lock = threading.Lock()
        self._entries: deque[dict[str, Any]] = deque(maxlen=MAX_ENTRIES)
        self._seq = 0
        self._video_began_at: float | None = None
        self._fed: dict[str, float] = {}

    def video_began(self) -> None:
        """The destination has taken its first picture: the video's time counts from here."""
        with self._lock:
            if self._video_began_at is None:
                self._video_began_at = self._clock()

    def note(self, kind: str, text: str, **more: Any) -> None:
        """Add an entry; `kind` is one of moment, score, state, operator, feed.

        The same words of the feed are added once a minute at most.
        """
        with self._lock:
            if kind == "feed" and self._is_said_already(text):
                return
            self._seq += 1
            began = self._video_began_at
            video_s = None if began is None else round(self._clock() - began, 1)
            at = datetime.fromtimestamp(self._wall_clock(), UTC).isoformat(timespec="seconds")
            entry = {"seq": self._seq, "at": at, "video_s": video_s, "kind": kind, "text": text, **more}
            self._entries.append(entry)

    def _is_said_already(self, text: str) -> bool:
        now = self._clock()
        if now - self._fed.get(text, float("-inf")) < FEED_AGAIN_S:
            return True
        if len(self._fed) >= MAX_FEED_TEXTS:
            self._fed.clear()
        self._fed[text] = now
        return False

    def entries(self, after: int) -> list[dict[str, Any]]:
        """The entries with a higher number, the oldest first."""
        with self._lock:
            return [entry for entry in self._entries if entry["seq"] > after]
