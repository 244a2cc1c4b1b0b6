"""The logs of scored matches: events that a phone has sent, in their order, and the match that they come to.

Events are only ever added, and each has an id, so that one that is sent twice counts once. One device writes at a
time. What the events mean is the page's business; the match that came with them is kept as it came.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from sqlite3 import Connection, Row
from typing import Any

from club.links import IDLE_S, note_idle
from club.store import Store
from errors import InvalidField, LogConflict

MOST_EVENTS = 20_000
Event = dict[str, Any]


@dataclass(frozen=True)
class Writer:
    """The device that writes, what its owner calls it, and how long ago it was heard."""

    device: str
    label: str
    age_s: float


@dataclass(frozen=True)
class Kept:
    """A log from an event on: which one it is, the number of its last event, who writes, and the events."""

    log: int | None
    seq: int
    writer: Writer | None
    events: tuple[Event, ...]


@dataclass(frozen=True)
class Appended:
    """Which log it is, the number of its last event, and how many events were new."""

    log: int
    seq: int
    new: int


class ScoreLogs:
    """The logs of all streams. Any thread. Each call raises StoreUnusable if DATA_DIR cannot be used."""

    def __init__(self, store: Store, wall_clock: Callable[[], float]) -> None:
        self._store = store
        self._wall_clock = wall_clock

    def is_known(self, stream: str) -> bool:
        """True if the stream has a log that is not closed."""
        if not self._store.is_there:
            return False
        with self._store.using() as db:
            return _open_log(db, stream) is not None

    def read(self, stream: str, after: int) -> Kept:
        """The stream's log after this event; one that is empty if nobody has scored it yet."""
        if not self._store.is_there:
            return Kept(None, 0, None, ())
        with self._store.using() as db:
            row = _open_log(db, stream)
            return Kept(None, 0, None, ()) if row is None else self._kept(db, row, after)

    def append(
        self, stream: str, device: str, after: int, events: Sequence[Event], match: dict[str, Any] | None
    ) -> Appended:
        """Add what is new of these events, and keep the match.

        Raises LogConflict if another device writes, or if there are events after `after` that this one does not
        know, or if an id stands for another event already; InvalidField for too many.
        """
        now = self._wall_clock()
        with self._store.using() as db:
            row = _open_log(db, stream) or _new_log(db, stream, now)
            log = row["log"]
            known = {one["id"]: one["body"] for one in _rows_of(db, log, [event["id"] for event in events])}
            new = []
            for number, event in enumerate(events):
                if event["id"] not in known:
                    known[event["id"]] = _body(event)
                    new.append(event)
                elif known[event["id"]] != _body(event):
                    taken = f"events[{number}].id stands for another event already"
                    raise self._conflict(db, row, MOST_EVENTS, taken)
            seq = _last(db, log)
            later = {one["id"] for one in db.execute("SELECT id FROM events WHERE log = ? AND seq > ?", (log, after))}
            is_behind = bool(later - {event["id"] for event in events})
            if row["device"] not in (None, device) or is_behind or after > seq:
                raise self._conflict(db, row, after)
            if seq + len(new) > MOST_EVENTS:
                raise InvalidField(f"events: a log takes {MOST_EVENTS} events at most")
            db.executemany(
                "INSERT INTO events (log, seq, id, device, heard_at, body) VALUES (?, ?, ?, ?, ?, ?)",
                [(log, seq + 1 + at, event["id"], device, now, _body(event)) for at, event in enumerate(new)],
            )
            db.execute("UPDATE logs SET device = ?, heard_at = ? WHERE log = ?", (device, now, log))
            if match is not None:
                text = json.dumps(match, separators=(",", ":"))
                db.execute("UPDATE logs SET match = ?, match_at = ? WHERE log = ?", (text, now, log))
            return Appended(log, seq + len(new), len(new))

    def take(self, stream: str, device: str, label: str, *, take_over: bool) -> None:
        """Have this device write. Raises LogConflict with who writes, unless it `take_over`s."""
        now = self._wall_clock()
        with self._store.using() as db:
            row = _open_log(db, stream) or _new_log(db, stream, now)
            if row["device"] not in (None, device) and not take_over:
                raise self._conflict(db, row, MOST_EVENTS)
            db.execute(
                "UPDATE logs SET device = ?, label = ?, heard_at = ? WHERE log = ?", (device, label, now, row["log"])
            )

    def last_match(self, stream: str) -> tuple[dict[str, Any], float] | None:
        """The newest match in the own shape, and when it came or was confirmed, in epoch seconds."""
        if not self._store.is_there:
            return None
        with self._store.using() as db:
            row = _open_log(db, stream)
        if row is None or row["match"] is None:
            return None
        return json.loads(row["match"]), max(row["match_at"], row["heard_at"] or 0.0)

    def tidy(self, streams: Collection[str]) -> None:
        """End the logs of streams that have been stopped for a day; they stay in the file."""
        if self._store.is_there:
            with self._store.using() as db:
                note_idle(db, "logs", streams, self._wall_clock())
                db.execute("UPDATE logs SET is_closed = 1 WHERE idle_since < ?", (self._wall_clock() - IDLE_S,))

    def _conflict(self, db: Connection, row: Row, after: int, *message: str) -> LogConflict:
        kept = self._kept(db, row, after)
        return LogConflict(kept.seq, asdict(kept.writer) if kept.writer else None, kept.events, *message)

    def _kept(self, db: Connection, row: Row, after: int) -> Kept:
        found = db.execute("SELECT body FROM events WHERE log = ? AND seq > ? ORDER BY seq", (row["log"], after))
        events = tuple(json.loads(one["body"]) for one in found)
        writer = None
        if row["device"] is not None:
            age_s = max(0.0, self._wall_clock() - (row["heard_at"] or 0.0))
            writer = Writer(row["device"], row["label"] or "", round(age_s, 1))
        return Kept(row["log"], _last(db, row["log"]), writer, events)


def _open_log(db: Connection, stream: str) -> Row | None:
    found: Row | None = db.execute(
        "SELECT * FROM logs WHERE stream = ? AND NOT is_closed ORDER BY log DESC LIMIT 1", (stream,)
    ).fetchone()
    return found


def _new_log(db: Connection, stream: str, now: float) -> Row:
    db.execute("INSERT INTO logs (stream, begun_at, is_closed) VALUES (?, ?, 0)", (stream, now))
    found = _open_log(db, stream)
    assert found is not None  # noqa: S101
    return found


def _last(db: Connection, log: int) -> int:
    found: int = db.execute("SELECT coalesce(max(seq), 0) FROM events WHERE log = ?", (log,)).fetchone()[0]
    return found


def _rows_of(db: Connection, log: int, ids: Sequence[str]) -> list[Row]:
    marks = ", ".join("?" * len(ids))
    return db.execute(f"SELECT id, body FROM events WHERE log = ? AND id IN ({marks})", (log, *ids)).fetchall()  # noqa: S608


def _body(event: Event) -> str:
    return json.dumps(event, separators=(",", ":"), sort_keys=True)
