"""Links: an address that opens one stream's page to one person. The store keeps hashes of their tokens only."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass
from sqlite3 import Connection, Row

from club.store import Store
from errors import InvalidField, LinkNotFound

ROLES = ("scorer",)
MOST_LINKS = 20
MAX_LABEL = 80
TOKEN_BYTES = 16
IDLE_S = 86_400.0  # a stream may be stopped for so long before its links are gone
_USE_NOTED_EVERY_S = 60.0


@dataclass(frozen=True)
class Link:
    """Who may do what with which stream. Times are in epoch seconds."""

    id: str
    stream: str
    role: str
    label: str
    created_at: float
    last_used_at: float | None


class Links:
    """All links. Any thread. Each call raises StoreUnusable if DATA_DIR cannot be used."""

    def __init__(self, store: Store, wall_clock: Callable[[], float]) -> None:
        self._store = store
        self._wall_clock = wall_clock

    def make(self, stream: str, role: str, label: str) -> tuple[Link, str]:
        """A new link, and its token, which is never to be had again. Raises InvalidField when there are too many."""
        link = Link(secrets.token_hex(4), stream, role, label, self._wall_clock(), None)
        token = secrets.token_urlsafe(TOKEN_BYTES)
        with self._store.using() as db:
            (count,) = db.execute("SELECT count(*) FROM links WHERE stream = ?", (stream,)).fetchone()
            if count >= MOST_LINKS:
                raise InvalidField(f"Stream {stream} has {MOST_LINKS} links already: withdraw one first")
            db.execute(
                "INSERT INTO links (id, stream, role, label, hash, created_at) VALUES (?, ?, ?, ?, ?, ?)",
                (link.id, stream, role, label, _hash(token), link.created_at),
            )
        return link, token

    def of(self, stream: str) -> list[Link]:
        """The stream's links, the oldest first."""
        if not self._store.is_there:
            return []
        with self._store.using() as db:
            rows = db.execute("SELECT * FROM links WHERE stream = ? ORDER BY created_at", (stream,)).fetchall()
        return [_link(row) for row in rows]

    def withdraw(self, stream: str, link_id: str) -> None:
        """Raises LinkNotFound."""
        if self._store.is_there:
            with self._store.using() as db:
                if db.execute("DELETE FROM links WHERE stream = ? AND id = ?", (stream, link_id)).rowcount:
                    return
        raise LinkNotFound(f"Stream {stream} has no link {link_id[:64]}")

    def find(self, token: str) -> Link | None:
        """The link of this token, if it has not been withdrawn."""
        if not token or not self._store.is_there:
            return None
        now = self._wall_clock()
        with self._store.using() as db:
            row = db.execute("SELECT * FROM links WHERE hash = ?", (_hash(token),)).fetchone()
            if row is None:
                return None
            if row["last_used_at"] is None or now - row["last_used_at"] >= _USE_NOTED_EVERY_S:
                db.execute("UPDATE links SET last_used_at = ? WHERE id = ?", (now, row["id"]))
        return _link(row)

    def tidy(self, streams: Collection[str]) -> None:
        """Remove the links of streams that have been stopped for a day; `streams` are those that are there."""
        if self._store.is_there:
            with self._store.using() as db:
                note_idle(db, "links", streams, self._wall_clock())
                db.execute("DELETE FROM links WHERE idle_since < ?", (self._wall_clock() - IDLE_S,))


def note_idle(db: Connection, table: str, streams: Collection[str], now: float) -> None:
    """Note in `table` since when each stream is not there."""
    marks = ", ".join("?" * len(streams))
    db.execute(f"UPDATE {table} SET idle_since = NULL WHERE stream IN ({marks})", (*streams,))  # noqa: S608
    db.execute(
        f"UPDATE {table} SET idle_since = ? WHERE idle_since IS NULL AND stream NOT IN ({marks})",  # noqa: S608
        (now, *streams),
    )


def _link(row: Row) -> Link:
    return Link(*(row[field] for field in ("id", "stream", "role", "label", "created_at", "last_used_at")))


def _hash(token: str) -> bytes:
    # Of 128 random bits, so that a fast hash is as good as a slow one.
    return hashlib.sha256(token.encode(errors="replace")).digest()
