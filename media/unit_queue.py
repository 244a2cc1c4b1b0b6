"""The data that a publisher still has to take, in whole units of MPEG-TS."""

from __future__ import annotations

import itertools
from collections import deque

from media.mpegts import Unit

MAX_PIECES = 16  # that are written at once


class UnitQueue:
    """What one publisher has yet to take, bounded; pure.

    A new reader, and one that fell behind, waits for the next keyframe: old
    pictures are worth less than the present.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._units: deque[Unit] = deque()
        self._bytes = 0
        self._sent_of_first = 0
        self._awaits_key = True
        self._has_begun = False
        self.dropped_frames = 0  # since the first keyframe

    def offer(self, unit: Unit) -> None:
        """Add a unit. If there is no room, drop everything up to the next keyframe."""
        if self._bytes + len(unit.data) > self._max_bytes:
            self._drop_all()
        if self._awaits_key and not unit.key:
            self.dropped_frames += unit.video and self._has_begun
            return
        self._awaits_key = False
        self._has_begun = True
        self._units.append(unit)
        self._bytes += len(unit.data)

    def head(self) -> list[memoryview]:
        """The bytes to write next, in a few pieces; empty when all are written."""
        pieces = [memoryview(unit.data) for unit in itertools.islice(self._units, MAX_PIECES)]
        if self._sent_of_first:
            pieces[0] = pieces[0][self._sent_of_first :]
        return pieces

    def advance(self, written: int) -> None:
        """Note that the first `written` bytes of `head()` are gone."""
        self._sent_of_first += written
        while self._units and self._sent_of_first >= len(self._units[0].data):
            size = len(self._units.popleft().data)
            self._sent_of_first -= size
            self._bytes -= size

    def _drop_all(self) -> None:
        # A unit that is half written must be finished, or the reader gets a torn packet.
        kept = 1 if self._sent_of_first else 0
        self.dropped_frames += sum(unit.video for unit in list(self._units)[kept:])
        self._units = deque(list(self._units)[:kept])
        self._bytes = sum(len(unit.data) for unit in self._units)
        self._awaits_key = True
