"""How many calls of a feed's day are left: counted over all streams, processes and restarts, in a small file.

The day is that of UTC. A file that cannot be kept costs the count nothing in this process; only a restart
would begin anew then.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

DAY_S = 86_400
LATE_S = 120.0  # a match that has not asked for this long after its time is followed no more
_log = logging.getLogger(__name__)


@dataclass
class _Day:
    """`next_at`: when each match that is followed asks again, in epoch seconds."""

    date: str = ""
    spent: int = 0
    next_at: dict[str, float] = field(default_factory=dict)


class Budget:
    """Of one feed. Any thread, and other processes beside it."""

    def __init__(self, folder: Path | None, name: str, calls_per_day: int, wall_clock: Callable[[], float]) -> None:
        self._path = folder / f"{name}.json" if folder else None
        self._most = calls_per_day
        self._wall_clock = wall_clock
        self._lock = threading.Lock()
        self._day = _Day()
        self._said: int | None = None  # what the feed itself says is left
        self._has_failed = False

    def left(self) -> int:
        """The calls that are left today."""
        with self._changing(saves=False) as day:
            return self._left(day)

    def take(self) -> bool:
        """Spend one call; False if none is left."""
        with self._changing() as day:
            if self._left(day) <= 0:
                return False
            day.spent += 1
            if self._said is not None:
                self._said -= 1
            return True

    def note(self, match_id: str, next_in_s: float | None, said: int | None = None) -> int:
        """Note when this match is asked for again (None: no more), and what the feed itself says is left.

        Returns how many matches are followed now, 1 at least.
        """
        with self._changing() as day:
            self._said = said if said is not None else self._said
            now = self._wall_clock()
            day.next_at.pop(match_id, None)
            if next_in_s is not None:
                day.next_at[match_id] = now + next_in_s
            day.next_at = {one: at for one, at in day.next_at.items() if now < at + LATE_S}
            return max(1, len(day.next_at))

    def next_day_in_s(self) -> float:
        """The time until the count begins anew."""
        return DAY_S - self._wall_clock() % DAY_S

    def _left(self, day: _Day) -> int:
        left = max(0, self._most - day.spent)
        return left if self._said is None else max(0, min(left, self._said))

    @contextlib.contextmanager
    def _changing(self, *, saves: bool = True) -> Iterator[_Day]:
        with self._lock, self._locked():
            today = datetime.fromtimestamp(self._wall_clock(), UTC).date().isoformat()
            day = self._read()
            if day.date != today:
                # A clock that is set back must not give the calls anew.
                day = _Day(max(today, day.date), 0 if today > day.date else day.spent, day.next_at)
                self._said = None
            yield day
            self._day = day
            if saves:
                self._write(day)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            if self._path is not None:
                try:
                    self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                    file = stack.enter_context(self._path.with_suffix(".lock").open("ab"))
                    fcntl.flock(file, fcntl.LOCK_EX)
                except OSError as error:
                    self._note_failure(error)
            yield

    def _read(self) -> _Day:
        """What stands in the file; what this process knows if that is more, or the file cannot be read."""
        if self._path is None:
            return self._day
        try:
            found = json.loads(self._path.read_bytes()[:1_000_000])
            day = _Day(str(found["date"]), int(found["spent"]), {str(k): float(v) for k, v in found["next_at"].items()})
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return self._day
        return self._day if (self._day.date, self._day.spent) > (day.date, day.spent) else day

    def _write(self, day: _Day) -> None:
        if self._path is None:
            return
        unfinished = self._path.with_suffix(".new")
        try:
            with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                json.dump({"date": day.date, "spent": day.spent, "next_at": day.next_at}, file)
            os.replace(unfinished, self._path)
        except OSError as error:
            self._note_failure(error)
            return
        self._has_failed = False

    def _note_failure(self, error: OSError) -> None:
        if not self._has_failed:
            _log.warning("DATA_DIR: the calls of a feed cannot be kept: %s; a restart forgets them", error.strerror)
        self._has_failed = True
