"""One stream on one node of a cluster: a Ray actor around the same `Stream` that a single machine runs.

Ray starts it, begins it again elsewhere when its node dies, and refuses a
second one of its name. It begins its stream by itself: whoever asked for it
may be gone by then. When its stream has ended it ends itself, for good.

A successor, on another node, takes a stream over from one that still has it on
air: it makes its picture ready, has the predecessor leave one destination
after the other, connects to each at once, and lets it go.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import ray

from cluster.life import Life
from cluster.succession import Answer, Belongings
from config import Settings
from errors import (
    RelayError,
    StreamNotFound,
)
from logging_setup import set_up_console_logging
from relay.publishers import CameraEvent
from relay.request import LastPush, StreamRequest, Which
from relay.stream_state import StreamStatus
from scoring.feeds.files import FileOrder
from scoring.feeds.named import NamedFeed
from scoring.newest import PUSH
from scoring.scoreboard import Scoreboard

CALLS_AT_ONCE = 16


@dataclass(frozen=True)
class Report:
    """A stream's status, and the load average a core of the node it runs on.

    There is no status before it has begun; `trouble` is why it could not begin again yet.
    """

    status: StreamStatus | None
    trouble: str | None
    node_id: str
    busy: float


class StreamActor:
    """One stream on one node. Calls come from front ends, many at once.

    `predecessor` is the name of the actor that has the stream on air, and why it is to leave.
    """

    def __init__(self, settings: Settings, request: StreamRequest, predecessor: tuple[str, str] | None = None) -> None:
        set_up_console_logging(settings.log_level)
        os.environ.pop("RAY_AUTH_TOKEN", None)  # Ray has read it, and FFmpeg would inherit it
        handle = ray.get_runtime_context().current_actor
        self._life = Life(settings, request, predecessor, lambda: ray.kill(handle, no_restart=True))
        self._life.begin()

    def outcome(self) -> Answer:
        """How its begin went; waits for that."""
        self._life.has_begun.wait()
        self._life.is_told.set()
        return Answer(error=self._life.error)

    def report(self) -> Report:
        """The stream as it is now."""
        stream, record = self._life.stream, self._life.keeping.record
        busy = os.getloadavg()[0] / (os.cpu_count() or 1)
        if stream is None or record is None:
            return Report(None, self._life.trouble, self._life.node_id, busy)
        status = replace(stream.status(), node=record.node, moves=record.moves)
        return Report(status, None, self._life.node_id, busy)

    def stop(self) -> Answer:
        """End the stream, also one that has yet to begin; the actor ends a moment later."""
        self._life.is_unwanted.set()
        answer = self._answer(lambda: self._life.registry.stop(self._life.request.name))
        # One that is not there yet: its life ends before it has one.
        return Answer() if isinstance(answer.error, StreamNotFound) else answer

    def ask(self, what: str, *args: Any) -> Answer:
        """What the registry's call of that name says of the stream."""
        return self._answer(lambda: getattr(self._life.registry, what)(self._life.request.name, *args))

    def push(self, board: Scoreboard, source: str = PUSH) -> Answer:
        return self._answer(lambda: self._life.push(board, source))

    def push_file(self, kind: str, content: bytes, order: FileOrder | None) -> Answer:
        return self._answer(lambda: self._life.push_file(kind, content, order))

    def delay_score(self, delay_s: float) -> Answer:
        return self._answer(lambda: self._life.delay_score(delay_s))

    def change_feed(self, feed: NamedFeed | None, match_id: str | None) -> Answer:
        return self._answer(lambda: self._life.change_feed(feed, match_id))

    def camera_event(self, event: CameraEvent) -> None:
        self._life.registry.camera_event(self._life.request.name, event)

    def belongings(self) -> Answer:
        """For a successor."""
        keeping = self._life.keeping
        moves = keeping.record.moves if keeping.record else ()
        return self._answer(lambda: Belongings(self._life.settings, self._life.present_request(), moves, keeping.push))

    def picture(self) -> str | None:
        """What is on air: `camera`, `slate` or None."""
        return self._life.stream.picture.status.on_air if self._life.stream else None

    def leave(self, which: Which, successor: str) -> bool:
        """Leave a destination to the successor; True when it was served."""
        return self._life.leaving.leave(self._life.stream, which, successor)

    def take_back(self, push: LastPush | None, request: StreamRequest) -> None:
        """The successor has given up. Takes over the push, the delay and the feed that it was given meanwhile."""
        self._life.leaving.give_up()
        self._life.hear(push, request)

    def leave_for_good(self) -> None:
        """The successor has all of the stream."""
        self._life.leaving.leave_for_good(self._life.stream)

    def _answer(self, call: Callable[[], Any]) -> Answer:
        try:
            return Answer(call())
        except RelayError as error:
            return Answer(error=error)
