"""The file `club.sqlite` in DATA_DIR: opened at the first use, brought up to date, closed by its owner."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

from errors import StoreUnusable

FILE = "club.sqlite"
WAIT_S = 5.0  # for another process that writes

# Each brings the file one version further; none is ever changed.
_MIGRATIONS = (
    """
    CREATE TABLE links (
        id TEXT PRIMARY KEY, stream TEXT NOT NULL, role TEXT NOT NULL, label TEXT NOT NULL, hash BLOB NOT NULL UNIQUE,
        created_at REAL NOT NULL, last_used_at REAL, idle_since REAL
    );
    CREATE INDEX links_of_stream ON links (stream);
    CREATE TABLE logs (
        log INTEGER PRIMARY KEY, stream TEXT NOT NULL, begun_at REAL NOT NULL, idle_since REAL,
        is_closed INTEGER NOT NULL, device TEXT, label TEXT, heard_at REAL, match TEXT, match_at REAL
    );
    CREATE INDEX logs_of_stream ON logs (stream, is_closed);
    CREATE TABLE events (
        log INTEGER NOT NULL REFERENCES logs, seq INTEGER NOT NULL, id TEXT NOT NULL, device TEXT NOT NULL,
        heard_at REAL NOT NULL, body TEXT NOT NULL, PRIMARY KEY (log, seq), UNIQUE (log, id)
    ) WITHOUT ROWID;
    """,
)


class Store:
    """Owns the connection, which `close` ends. Any thread: one uses it at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    @property
    def is_there(self) -> bool:
        """False as long as nobody has kept anything."""
        return (self._folder / FILE).exists()

    @contextlib.contextmanager
    def using(self) -> Iterator[sqlite3.Connection]:
        """One transaction: kept if the block ends, and undone if it raises. Raises StoreUnusable."""
        with self._lock:
            try:
                connection = self._connection = self._connection or self._open()
                connection.execute("BEGIN IMMEDIATE")
                try:
                    yield connection
                except BaseException:
                    connection.execute("ROLLBACK")
                    raise
                connection.execute("COMMIT")
            except (sqlite3.Error, OSError) as error:
                self._drop()
                raise StoreUnusable(f"{FILE} in DATA_DIR cannot be used: {error}") from error

    def close(self) -> None:
        with self._lock:
            self._drop()

    def _open(self) -> sqlite3.Connection:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        connection = sqlite3.connect(self._folder / FILE, timeout=WAIT_S, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")  # what a scorer has tapped outlives a power cut
            _bring_up_to_date(connection)
        except BaseException:
            connection.close()
            raise
        connection.row_factory = sqlite3.Row
        return connection

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(sqlite3.Error):
                connection.close()


def _bring_up_to_date(connection: sqlite3.Connection) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(_MIGRATIONS):
        raise StoreUnusable(f"{FILE} in DATA_DIR was written by a newer version of the service")
    for number in range(version, len(_MIGRATIONS)):
        connection.executescript(f"BEGIN;{_MIGRATIONS[number]};PRAGMA user_version={number + 1};COMMIT;")
