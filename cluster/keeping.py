"""What the cluster's head keeps of a stream for whoever comes after: where it runs, its last push, why it failed.

The head may be away: what could not be kept is kept later, and the broadcast goes on.
"""

from __future__ import annotations

import time
from dataclasses import replace

from cluster import cluster_state
from cluster.cluster_state import Failure, Record
from config import Settings
from logging_setup import StreamLogger
from relay.match_side import end_monitoring_of
from relay.request import LastPush
from relay.stream import Stream
from relay.stream_state import Move
from scoring.scoreboard import Scoreboard


class Keeping:
    """One actor's record of its stream. `me` is the actor's id."""

    def __init__(self, name: str, me: str, node_id: str, log: StreamLogger) -> None:
        self.record: Record | None = None
        self.push: LastPush | None = None
        self._name = name
        self._me = me
        self._node_id = node_id
        self._log = log
        self._unsaved: set[str] = set()

    def note_push(self, board: Scoreboard, source: str) -> None:
        self.push = LastPush(board, time.time(), source)
        self._unsaved.add("push")

    def note_request(self) -> None:
        """The request of the running stream has changed."""
        self._unsaved.add("request")

    def claim(self) -> None:
        """Record that this actor has the stream, whatever another actor has written meanwhile."""
        self._unsaved.add("claim")

    @property
    def unsaved_push(self) -> LastPush | None:
        return self.push if "push" in self._unsaved else None

    def keep(self, stream: Stream, moves: tuple[Move, ...], node: str) -> None:
        """Write the record now. Raises what Ray raises when the head is away."""
        request = replace(stream.request, last_push=None, takes_over=False)
        self.record = Record(request, stream.begun_at, self._me, self._node_id, node, moves)
        cluster_state.keep(self.record)

    def keep_moved(self, record: Record, node: str, move: Move) -> None:
        """The record of a stream that Ray has begun again, here."""
        self.record = replace(record, node_id=self._node_id, node=node).moved(move)
        cluster_state.keep(self.record)

    def save(self, stream: Stream) -> None:
        """Write what has changed. What cannot be written now is written later."""
        unsaved, self._unsaved = self._unsaved, set()
        try:
            if "push" in unsaved and self.push:
                cluster_state.keep_push(self._name, self.push)
            if self.record and ("claim" in unsaved or ("request" in unsaved and self.is_mine())):
                self.keep(stream, self.record.moves, self.record.node)
        except Exception as error:  # the head is away
            self._log.warning("what changed is not kept yet: %s", error)
            self._unsaved |= unsaved

    def is_mine(self) -> bool:
        """False as soon as a successor has the stream."""
        record = cluster_state.record(self._name)
        return record is None or record.actor_id == self._me

    def part(self, stream: Stream | None, settings: Settings, *, was_begun_again: bool) -> None:
        """Remove everything about the stream from the head, except why it failed."""
        if stream and stream.has_failed and self.record:
            status = replace(stream.status(), node=self.record.node, moves=self.record.moves)
            cluster_state.keep_failure(Failure(status, time.time()))
        if not self.is_mine():
            return
        cluster_state.forget(self._name)
        if stream is None and was_begun_again:  # its match is still monitored
            end_monitoring_of(settings, self.record.request if self.record else None)
