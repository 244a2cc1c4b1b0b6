"""One stream on one node of a cluster: a Ray actor around the same `Stream` that a single machine runs.

Ray starts it, begins it again elsewhere when its node dies, and refuses a
second one of its name. It begins its stream by itself: whoever asked for it
may be gone by then. When its stream has ended it ends itself, for good.

A successor, on another node, takes a stream over from one that still has it on
air: it makes its picture ready, has the predecessor leave one destination
after the other, connects to each at once, and lets it go.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import ray

from cluster import cluster_state
from cluster.cluster_state import Record
from cluster.keeping import Keeping
from cluster.takeover import ANSWER_LIMIT_S, LEAVE_LIMIT_S, WHICH, TakeOver, in_time, told
from config import Settings
from errors import (
    RelayError,
    StartTimedOut,
    StreamAlreadyActive,
    StreamNotFound,
    StreamStopped,
    StreamUnreachable,
)
from logging_setup import StreamLogger, set_up_console_logging
from relay.registry import StreamRegistry
from relay.request import LastPush, StreamRequest, Which
from relay.stream import Stream
from relay.stream_state import Move, StreamStatus, timestamp
from scoring.scoreboard import Scoreboard

CALLS_AT_ONCE = 16
LOOK_S = 0.5  # what was pushed since then is lost with the node
RETRY_S = 5.0
LAST_ANSWER_S = 0.3  # for the answer to who asked it to stop, before the process ends
# If a successor falls silent, its predecessor takes its destinations back.
TAKE_BACK_S = 30.0

T = TypeVar("T")


@dataclass(frozen=True)
class Answer:
    """What a call gave, or the error that it raised."""

    value: Any = None
    error: RelayError | None = None


@dataclass(frozen=True)
class Report:
    """A stream's status, and the load average a core of the node it runs on.

    There is no status before it has begun; `trouble` is why it could not begin again yet.
    """

    status: StreamStatus | None
    trouble: str | None
    node_id: str
    busy: float


@dataclass(frozen=True)
class Belongings:
    """All that a successor needs."""

    settings: Settings
    request: StreamRequest
    moves: tuple[Move, ...]
    push: LastPush | None


class StreamActor:
    """The life of one stream on one node. Calls come from front ends, many at once.

    `predecessor` is the name of the actor that has the stream on air, and why it is to leave.
    """

    def __init__(self, settings: Settings, request: StreamRequest, predecessor: tuple[str, str] | None = None) -> None:
        set_up_console_logging(settings.log_level)
        os.environ.pop("RAY_AUTH_TOKEN", None)  # Ray has read it, and FFmpeg would inherit it
        context = ray.get_runtime_context()
        self._me = context.get_actor_id() or ""
        self._seat = context.get_actor_name() or request.name
        self._node_id = context.get_node_id()
        self._handle = context.current_actor
        self._settings = settings
        self._request = request
        self._predecessor = predecessor
        self._is_again = context.was_current_actor_reconstructed
        self._log = StreamLogger(logging.getLogger(__name__), request.name)
        self._registry = StreamRegistry(_for_this_node(settings))
        self._stream: Stream | None = None
        self._keeping = Keeping(request.name, self._me, self._node_id, self._log)
        self._trouble: str | None = None
        self._error: RelayError | None = None
        self._has_begun = threading.Event()  # or failed to, for good
        self._is_told = threading.Event()
        self._is_unwanted = threading.Event()
        self._left_at: float | None = None
        self._is_left_for_good = False
        threading.Thread(target=self._run, name="life", daemon=True).start()

    def outcome(self) -> Answer:
        """How its begin went; waits for that."""
        self._has_begun.wait()
        self._is_told.set()
        return Answer(error=self._error)

    def report(self) -> Report:
        """The stream as it is now."""
        stream, record = self._stream, self._keeping.record
        busy = os.getloadavg()[0] / (os.cpu_count() or 1)
        if stream is None or record is None:
            return Report(None, self._trouble, self._node_id, busy)
        status = replace(stream.status(), node=record.node, moves=record.moves)
        return Report(status, None, self._node_id, busy)

    def stop(self) -> Answer:
        """End the stream, also one that has yet to begin; the actor ends a moment later."""
        self._is_unwanted.set()
        answer = self._answer(lambda: self._registry.stop(self._request.name))
        # One that is not there yet: its life ends before it has one.
        return Answer() if isinstance(answer.error, StreamNotFound) else answer

    def ask(self, what: str, *args: Any) -> Answer:
        """What the registry's call of that name says of the stream."""
        return self._answer(lambda: getattr(self._registry, what)(self._request.name, *args))

    def push(self, board: Scoreboard) -> Answer:
        def do() -> bool:
            is_shown = self._registry.push(self._request.name, board)
            if is_shown:
                self._keeping.note_push(board)
            return is_shown

        return self._answer(do)

    def delay_score(self, delay_s: float) -> Answer:
        def do() -> None:
            self._registry.delay_score(self._request.name, delay_s)
            self._keeping.note_request()

        return self._answer(do)

    def camera_came(self) -> None:
        self._registry.camera_came(self._request.name)

    def camera_left(self) -> None:
        self._registry.camera_left(self._request.name)

    def belongings(self) -> Answer:
        """For a successor."""
        keeping = self._keeping
        moves = keeping.record.moves if keeping.record else ()
        return self._answer(lambda: Belongings(self._settings, self._present_request(), moves, keeping.push))

    def picture(self) -> str | None:
        """What is on air: `camera`, `slate` or None."""
        return self._stream.picture.status.on_air if self._stream else None

    def leave(self, which: Which, successor: str) -> bool:
        """Leave a destination to the successor; True when it was served."""
        stream = self._stream
        if stream is None:
            return False
        was_connected = stream.destinations.is_connected(which)
        self._left_at = time.monotonic()
        stream.destinations.hold(which, f"moves to node {successor}")
        in_time(lambda: stream.destinations.is_off(which), LEAVE_LIMIT_S)
        return was_connected

    def take_back(self, push: LastPush | None, score_delay_s: float | None) -> None:
        """The successor has given up. Takes over the push and the delay that it was given meanwhile."""
        self._left_at = float("-inf")
        self._hear(push, score_delay_s)

    def leave_for_good(self) -> None:
        """The successor has all of the stream."""
        self._is_left_for_good = True
        if self._stream:
            self._stream.leave()

    def _run(self) -> None:
        """All of its life, on a thread that ends the process."""
        try:
            if self._is_superseded():
                self._error = StreamStopped("Another process has the stream")
            else:
                self._begin_and_live()
        finally:
            self._has_begun.set()
            self._registry.close()
            self._is_told.wait(ANSWER_LIMIT_S if self._error else 0)
            time.sleep(LAST_ANSWER_S)
            _until_it_works(lambda: ray.kill(self._handle, no_restart=True), self._log)

    def _begin_and_live(self) -> None:
        while not self._begin() and self._is_again:
            if self._is_unwanted.wait(RETRY_S):
                break
        self._has_begun.set()
        stream = self._stream
        if stream:
            if self._is_unwanted.is_set():
                stream.ask_to_stop()
            self._live(stream)
        if stream or self._is_unwanted.is_set():
            _until_it_works(lambda: self._part(stream), self._log)

    def _is_superseded(self) -> bool:
        """Begun again by Ray, of a stream that is another process's, or was to be taken over and is stopped."""
        if not self._is_again:
            return False
        record = _until_it_works(lambda: cluster_state.record(self._request.name), self._log)
        return self._predecessor is not None if record is None else record.actor_id != self._me

    def _begin(self) -> bool:
        """Put the stream on air, or say why not."""
        try:
            self._put_on_air()
        except RelayError as error:
            self._stream = None
            self._error, self._trouble = error, str(error)
            self._log.error("does not begin on this node: %s", error)
            return False
        except Exception as error:
            self._log.exception("does not begin on this node")
            self._stream = None
            self._trouble = f"an internal error ({type(error).__name__}); the log of its process says more"
            self._error = StartTimedOut(f"The stream could not begin: {self._trouble}")
            self._registry.close()
            self._registry = StreamRegistry(_for_this_node(self._settings))
            return False
        self._error = self._trouble = None
        return True

    def _put_on_air(self) -> None:
        name = self._request.name
        record = cluster_state.record(name) if self._is_again else None
        if record is not None:
            self._end_predecessor()
            if self._keeping.record is None:
                self._keeping.keep_moved(record, self._node_name, self._move_from(record))
            self._start(replace(record.request, begun_at=record.begun_at))
        elif self._predecessor is not None:
            self._take_over(*self._predecessor)
        elif self._is_taken_elsewhere():
            raise StreamAlreadyActive("Stream already active")
        else:
            self._keeping.keep(self._start(self._request), (), self._node_name)

    def _start(self, request: StreamRequest) -> Stream:
        push = cluster_state.last_push(request.name) if request.begun_at is not None else None
        if push is None and request.begun_at is None:
            cluster_state.forget(request.name)  # of an earlier stream that nobody could end
        cluster_state.forget_failure(request.name)
        self._keeping.push = push
        self._end_if_unwanted()
        self._registry.start(replace(request, last_push=push))
        self._stream = stream = self._registry.running(request.name)
        return stream

    def _end_if_unwanted(self, stream: Stream | None = None) -> None:
        if self._is_unwanted.is_set() or (stream and stream.stop_event.is_set()):
            raise StreamStopped(f"Stream {self._request.name} was stopped while it started")

    def _is_taken_elsewhere(self) -> bool:
        """A successor has this stream, under its other name."""
        record = cluster_state.record(self._request.name)
        other = cluster_state.actor(cluster_state.other_seat(self._seat))
        return record is not None and other is not None

    def _move_from(self, record: Record) -> Move:
        """Ray has begun this actor again: where it was, and what became of that."""
        nodes = cluster_state.nodes()
        before = nodes.get(record.node_id)
        if before is None or not before.is_alive:
            why = f"node {record.node} is gone" + (f": {before.death}" if before and before.death else "")
        else:
            why = f"its process on node {record.node} ended"
        return Move(timestamp(), record.node, self._node_name, why)

    @functools.cached_property
    def _node_name(self) -> str:
        node = cluster_state.nodes().get(self._node_id)
        return node.name if node else self._node_id

    def _present_request(self) -> StreamRequest:
        if self._stream is None:
            raise StreamNotFound("Stream not found")
        return replace(self._stream.request, begun_at=self._stream.begun_at, last_push=None, takes_over=False)

    def _live(self, stream: Stream) -> None:
        """Until the stream has ended: keep what changes, and take back what a lost successor left lying."""
        while not stream.gone.wait(LOOK_S):
            self._keeping.save(stream)
            if self._left_at is not None and time.monotonic() - self._left_at > TAKE_BACK_S:
                self._take_back(stream)

    def _part(self, stream: Stream | None) -> None:
        if not self._is_left_for_good:
            self._keeping.part(stream, self._settings, was_begun_again=self._is_again)

    def _take_over(self, seat: str, why: str) -> None:
        predecessor = cluster_state.actor(seat)
        if predecessor is None:
            raise StreamNotFound("Stream not found")
        before: Answer = told(predecessor.belongings.remote())
        if before.error:
            raise before.error
        belongings: Belongings = before.value
        old = cluster_state.record(self._request.name)
        stream = self._start(replace(belongings.request, takes_over=True))
        take_over = TakeOver(stream, predecessor, lambda: self._node_name, lambda: self._end_if_unwanted(stream))
        try:
            take_over.await_picture()
            self._end_if_unwanted(stream)
            move = Move(timestamp(), old.node if old else "?", self._node_name, why)
            self._keeping.keep(stream, (*belongings.moves, move), self._node_name)
            self._catch_up(predecessor)
            for which in WHICH:
                take_over.take(which)
        except BaseException:
            self._give_back(take_over, old)
            raise
        predecessor.leave_for_good.remote()
        self._keeping.claim()  # whatever the predecessor kept meanwhile

    def _give_back(self, take_over: TakeOver, old: Record | None) -> None:
        take_over.let_go()
        if old is not None and not self._is_unwanted.is_set():
            with contextlib.suppress(Exception):  # the predecessor claims it, too
                cluster_state.keep(old)
        take_over.give_back(self._keeping.unsaved_push)

    def _catch_up(self, predecessor: Any) -> None:
        """Takes over the push and the delay that the predecessor was given while this one got ready."""
        with contextlib.suppress(StreamUnreachable):
            answer: Answer = told(predecessor.belongings.remote())
            if answer.error:
                return
            latest: Belongings = answer.value
            self._hear(latest.push, latest.request.score_delay_s)

    def _hear(self, push: LastPush | None, score_delay_s: float | None) -> None:
        """A push and a delay that another process of this stream was given."""
        known = self._keeping.push
        if push and (known is None or push.board != known.board):
            self.push(push.board)
        if score_delay_s is not None and self._stream and score_delay_s != self._stream.request.score_delay_s:
            self.delay_score(score_delay_s)

    def _end_predecessor(self) -> None:
        other = cluster_state.actor(cluster_state.other_seat(self._seat))
        if other is not None:
            with contextlib.suppress(ray.exceptions.RayError):
                other.leave_for_good.remote()

    def _take_back(self, stream: Stream) -> None:
        self._left_at = None
        self._log.warning("the successor has given up or no longer answers: the stream stays here")
        for which in WHICH:
            stream.go_on(which)
        self._keeping.claim()

    def _answer(self, call: Callable[[], Any]) -> Answer:
        try:
            return Answer(call())
        except RelayError as error:
            return Answer(error=error)


def _until_it_works(call: Callable[[], T], log: StreamLogger) -> T:
    """For what must be known or kept, however long the head is away."""
    while True:
        try:
            return call()
        except Exception as error:
            log.warning("the cluster's head is asked again: %s", error)
            time.sleep(RETRY_S)


def _for_this_node(settings: Settings) -> Settings:
    """One stream, and the FFmpeg that is found here."""
    binary = shutil.which(settings.ffmpeg_bin) or settings.ffmpeg_bin
    return settings.model_copy(update={"max_concurrent_streams": 1, "state_file": None, "ffmpeg_bin": binary})
