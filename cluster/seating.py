"""Which actors have the streams, as one front end knows it; while the head is away, as it knew it last.

A stream has one seat, and two while it moves: the names of its actors.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from typing import Any

from cluster import cluster_state
from cluster.cluster_state import Head, Record
from cluster.placing import LOOK_S
from errors import ClusterUnavailable, StreamNotFound

CALL_LIMIT_S = 5.0
_log = logging.getLogger(__name__)


class Seating:
    """Safe to call from many threads."""

    def __init__(self, head: Head) -> None:
        self._head = head
        self._lock = threading.Lock()
        self._handles: dict[str, Any] = {}
        self._last_seats: dict[str, list[str]] = {}
        self._last_records: dict[str, Record] = {}

    def taken(self) -> dict[str, list[str]]:
        """By stream, its seats."""
        with contextlib.suppress(ClusterUnavailable):
            self._last_seats = self._head.ask(cluster_state.taken_seats)
        return self._last_seats

    def seats_of(self, name: str) -> list[str]:
        """Raises StreamNotFound."""
        taken = self.taken().get(name)
        if not taken:
            raise StreamNotFound("Stream not found")
        return taken

    def records(self) -> dict[str, Record]:
        """Of the streams that have an actor, or are about to get one again."""
        with contextlib.suppress(ClusterUnavailable):
            found = self._head.ask(lambda: (cluster_state.taken_seats(), cluster_state.records()))
            self._last_seats = found[0]
            self._last_records = {name: record for name, record in found[1].items() if name in found[0]}
            taken = {seat for its in found[0].values() for seat in its}
            with self._lock:
                self._handles = {seat: handle for seat, handle in self._handles.items() if seat in taken}
        return self._last_records

    def forget(self, name: str) -> None:
        """The stream has been stopped."""
        self._last_records = {one: record for one, record in self._last_records.items() if one != name}

    def know(self, seat: str, handle: Any) -> None:
        """This front end has begun the actor itself."""
        with self._lock:
            self._handles[seat] = handle

    def has(self, handle: Any, name: str) -> bool:
        """True once the stream is this actor's."""
        record = self._head.ask(lambda: cluster_state.record(name))
        return record is not None and record.actor_id == handle._actor_id.hex()

    def actor_of(self, record: Record) -> Any | None:
        """The actor that has the stream."""
        for seat in self._last_seats.get(record.request.name, []):
            for _ in range(2):  # the handle that is known may be that of an earlier stream of this name
                with contextlib.suppress(StreamNotFound):
                    handle = self._handle(seat)
                    if handle._actor_id.hex() == record.actor_id:
                        return handle
                self._drop(seat)
        return None

    def fresh(self, seat: str) -> Any | None:
        """The actor that has the seat now: another front end may have stopped the one that was known."""
        with contextlib.suppress(ClusterUnavailable):
            return self._head.ask(lambda: cluster_state.actor(seat))
        return self._handle(seat)

    def await_end(self, seat: str, handle: Any | None = None) -> bool:
        """True when the actor is gone and its seat is free, or another's, or nobody can tell; False if it takes long.

        Without a handle, whoever has the seat.
        """

        def has_ended() -> bool:
            if seat not in cluster_state.all_seats():
                return True
            if handle is None:
                return False
            now = cluster_state.actor(seat)
            return now is not None and now._actor_id != handle._actor_id

        self._drop(seat)
        deadline = time.monotonic() + CALL_LIMIT_S
        while time.monotonic() < deadline:
            try:
                if self._head.ask(has_ended):
                    return True
            except ClusterUnavailable:
                _log.warning("%s: its process ends when the cluster's head is back", seat)
                return True
            time.sleep(LOOK_S / 2)
        return False

    def _handle(self, seat: str) -> Any:
        with self._lock:
            handle = self._handles.get(seat)
        if handle is None:
            handle = self._head.ask(lambda: cluster_state.actor(seat))
            if handle is None:
                raise StreamNotFound("Stream not found")
            self.know(seat, handle)
        return handle

    def _drop(self, seat: str) -> None:
        with self._lock:
            self._handles.pop(seat, None)
