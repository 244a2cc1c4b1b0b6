"""How a stream's new process becomes the successor of the one that has it on air, or gives it back.

What the two processes do with the picture and the destinations is in `takeover.py`.
"""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass, replace
from typing import Any, Protocol

from cluster import cluster_state
from cluster.cluster_state import Record
from cluster.keeping import Keeping
from cluster.takeover import WHICH, TakeOver, told
from config import Settings
from errors import RelayError, StreamNotFound, StreamUnreachable
from relay.request import LastPush, StreamRequest
from relay.stream import Stream
from relay.stream_state import Move, timestamp


@dataclass(frozen=True)
class Answer:
    """What a call gave, or the error that it raised."""

    value: Any = None
    error: RelayError | None = None


@dataclass(frozen=True)
class Belongings:
    """Everything that a successor needs."""

    settings: Settings
    request: StreamRequest
    moves: tuple[Move, ...]
    push: LastPush | None


class Successor(Protocol):
    """The life of the new process, as far as it is used here."""

    request: StreamRequest
    keeping: Keeping
    is_unwanted: threading.Event

    @property
    def node_name(self) -> str: ...
    def start(self, request: StreamRequest) -> Stream: ...
    def end_if_unwanted(self, stream: Stream | None = None) -> None: ...
    def hear(self, push: LastPush | None, request: StreamRequest) -> None: ...


def succeed(life: Successor, seat: str, why: str) -> None:
    """Take the stream over from the actor of that seat. Raises what keeps the stream where it is."""
    predecessor = cluster_state.actor(seat)
    if predecessor is None:
        raise StreamNotFound("Stream not found")
    before: Answer = told(predecessor.belongings.remote())
    if before.error:
        raise before.error
    belongings: Belongings = before.value
    old = cluster_state.record(life.request.name)
    stream = life.start(replace(belongings.request, takes_over=True))
    take_over = TakeOver(stream, predecessor, lambda: life.node_name, lambda: life.end_if_unwanted(stream))
    try:
        take_over.await_picture()
        life.end_if_unwanted(stream)
        move = Move(timestamp(), old.node if old else "?", life.node_name, why)
        life.keeping.keep(stream, (*belongings.moves, move), life.node_name)
        _catch_up(life, predecessor)
        for which in WHICH:
            take_over.take(which)
    except BaseException:
        _give_back(life, take_over, old)
        raise
    predecessor.leave_for_good.remote()
    life.keeping.claim()  # whatever the predecessor kept meanwhile


def _give_back(life: Successor, take_over: TakeOver, old: Record | None) -> None:
    take_over.let_go()
    if old is not None and not life.is_unwanted.is_set():
        with contextlib.suppress(Exception):  # the predecessor claims it, too
            cluster_state.keep(old)
    take_over.give_back(life.keeping.unsaved_push)


def _catch_up(life: Successor, predecessor: Any) -> None:
    """Takes over the push, the delay and the feed that the predecessor was given while this one got ready."""
    with contextlib.suppress(StreamUnreachable):
        answer: Answer = told(predecessor.belongings.remote())
        if answer.error:
            return
        latest: Belongings = answer.value
        life.hear(latest.push, latest.request)
