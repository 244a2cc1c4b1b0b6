"""How a stream's new process takes it over from the one that has it on air: what the successor does.

Raises StreamUnreachable when the other process does not answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import ray

from errors import StartTimedOut, StreamUnreachable
from ffmpeg import CLOSES_SOON_S
from relay.request import LastPush, Which
from relay.stream import Stream

ANSWER_LIMIT_S = 5.0
PICTURE_LIMIT_S = 20.0
LEAVE_LIMIT_S = 3.0
# A connection that an ingest closes at first counts as one when it has lived for that long.
CONNECT_LIMIT_S = CLOSES_SOON_S + 5.0
WHICH: tuple[Which, ...] = ("backup", "primary")


class TakeOver:
    """Of one stream, by the new process's `stream`, from the `predecessor`, an actor.

    `node_name` gives the name of the new node, and `end_if_unwanted` raises once the stream is told to stop.
    """

    def __init__(
        self, stream: Stream, predecessor: Any, node_name: Callable[[], str], end_if_unwanted: Callable[[], None]
    ) -> None:
        self._stream = stream
        self._predecessor = predecessor
        self._node_name = node_name
        self._end_if_unwanted = end_if_unwanted

    def await_picture(self) -> None:
        """Until the new process has the picture that is on air; raises StartTimedOut when it does not get it."""

        def is_ready() -> bool:
            self._end_if_unwanted()
            mine, theirs = self._stream.picture.status.on_air, told(self._predecessor.picture.remote())
            return mine is not None and (mine == theirs or theirs != "camera")

        if not in_time(is_ready, PICTURE_LIMIT_S):
            raise StartTimedOut(f"Node {self._node_name()} does not get the picture that is on air: the stream stays")

    def take(self, which: Which) -> None:
        """A destination, from the predecessor; one that was served and cannot be served from here is given back."""
        self._end_if_unwanted()
        try:
            was_connected = told(self._predecessor.leave.remote(which, self._node_name()))
        except StreamUnreachable:
            was_connected = True
        self._stream.go_on(which)

        def is_taken() -> bool:
            self._end_if_unwanted()
            return self._stream.destinations.is_connected(which)

        if not in_time(is_taken, CONNECT_LIMIT_S) and was_connected and _answers(self._predecessor):
            raise StartTimedOut(f"Node {self._node_name()} does not reach the {which} destination: the stream stays")

    def let_go(self) -> None:
        """Leave what it has of the destinations."""
        for which in WHICH:
            self._stream.destinations.hold(which, "goes back")
        in_time(lambda: all(self._stream.destinations.is_off(which) for which in WHICH), LEAVE_LIMIT_S)

    def give_back(self, push: LastPush | None) -> None:
        """Have the predecessor go on, with what was pushed meanwhile; the stream ends here."""
        self._predecessor.take_back.remote(push, self._stream.request)
        self._stream.leave()
        self._stream.gone.wait()


def told(asked: Any) -> Any:
    """What another actor answers; raises StreamUnreachable when it does not."""
    try:
        return ray.get(asked, timeout=ANSWER_LIMIT_S)
    except ray.exceptions.RayError as error:
        raise StreamUnreachable("The process that has the stream on air does not answer: it stays") from error


def _answers(other: Any) -> bool:
    try:
        told(other.picture.remote())
    except StreamUnreachable:
        return False
    return True


def in_time(is_so: Callable[[], bool], limit_s: float) -> bool:
    """True once it is so; False when it is not by the limit."""
    deadline = time.monotonic() + limit_s
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
