"""The life of one stream in its process on a node of a cluster, from its begin to the end of the process.

It begins its stream by itself: whoever asked for it may be gone by then. Begun again by Ray after its node died, it
goes on with what the head has kept. When its stream has ended it ends the process, for good.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import ray

from cluster import cluster_state
from cluster.cluster_state import Record
from cluster.keeping import Keeping
from cluster.leaving import Leaving
from cluster.succession import succeed
from cluster.takeover import ANSWER_LIMIT_S
from config import Settings
from errors import RelayError, StartTimedOut, StreamAlreadyActive, StreamNotFound, StreamStopped
from logging_setup import StreamLogger
from relay.registry import StreamRegistry
from relay.request import LastPush, StreamRequest
from relay.stream import Stream
from relay.stream_state import Move, timestamp
from scoring.feeds.files import FileOrder
from scoring.feeds.named import NamedFeed
from scoring.newest import PUSH
from scoring.scoreboard import Scoreboard

LOOK_S = 0.5  # pushes since then are lost if the node dies
RETRY_S = 5.0
LAST_ANSWER_S = 0.3  # for the answer to who asked it to stop, before the process ends

T = TypeVar("T")


class Life:
    """Owns the thread `life`, which ends the process.

    `predecessor` is the name of the actor that has the stream on air, and why it is to leave.
    """

    def __init__(
        self,
        settings: Settings,
        request: StreamRequest,
        predecessor: tuple[str, str] | None,
        end_process: Callable[[], None],
    ) -> None:
        context = ray.get_runtime_context()
        self.me = context.get_actor_id() or ""
        self.node_id = context.get_node_id()
        self.settings = settings
        self.request = request
        self._seat = context.get_actor_name() or request.name
        self._predecessor = predecessor
        self._end_process = end_process
        self._is_again = context.was_current_actor_reconstructed
        self._log = StreamLogger(logging.getLogger(__name__), request.name)
        self.registry = StreamRegistry(_for_this_node(settings))
        self.stream: Stream | None = None
        self.keeping = Keeping(request.name, self.me, self.node_id, self._log)
        self.leaving = Leaving(self._log)
        self.trouble: str | None = None
        self.error: RelayError | None = None
        self.has_begun = threading.Event()  # or failed to, for good
        self.is_told = threading.Event()
        self.is_unwanted = threading.Event()
        self._thread = threading.Thread(target=self._run, name="life", daemon=True)

    def begin(self) -> None:
        self._thread.start()

    def push(self, board: Scoreboard, source: str) -> bool:
        """As `StreamRegistry.push`, and kept for who comes after."""
        is_shown = self.registry.push(self.request.name, board, source)
        if is_shown:
            self.keeping.note_push(board, source)
        return is_shown

    def push_file(self, kind: str, content: bytes, order: FileOrder | None) -> bool | None:
        """As `StreamRegistry.push_file`, and kept for who comes after."""
        found = self.registry.running(self.request.name).match.push_file(kind, content, order)
        if found.board and found.is_shown:
            self.keeping.note_push(found.board, PUSH)
        return found.is_shown

    def delay_score(self, delay_s: float) -> None:
        """As `StreamRegistry.delay_score`, and kept for who comes after."""
        self.registry.delay_score(self.request.name, delay_s)
        self.keeping.note_request()

    def change_feed(self, feed: NamedFeed | None, match_id: str | None) -> None:
        """As `StreamRegistry.change_feed`, and kept for who comes after."""
        self.registry.change_feed(self.request.name, feed, match_id)
        self.keeping.note_request()

    def _run(self) -> None:
        """All of its life, on a thread that ends the process."""
        try:
            if self._is_superseded():
                self.error = StreamStopped("Another process has the stream")
            else:
                self._begin_and_live()
        finally:
            self.has_begun.set()
            self.registry.close()
            self.is_told.wait(ANSWER_LIMIT_S if self.error else 0)
            time.sleep(LAST_ANSWER_S)
            _until_it_works(self._end_process, self._log)

    def _begin_and_live(self) -> None:
        while not self._begin() and self._is_again:
            if self.is_unwanted.wait(RETRY_S):
                break
        self.has_begun.set()
        stream = self.stream
        if stream:
            if self.is_unwanted.is_set():
                stream.ask_to_stop()
            self._live(stream)
        if stream or self.is_unwanted.is_set():
            _until_it_works(lambda: self._part(stream), self._log)

    def _is_superseded(self) -> bool:
        """Begun again by Ray, of a stream that is another process's, or was to be taken over and is stopped."""
        if not self._is_again:
            return False
        record = _until_it_works(lambda: cluster_state.record(self.request.name), self._log)
        return self._predecessor is not None if record is None else record.actor_id != self.me

    def _begin(self) -> bool:
        """Put the stream on air. Returns the reason if that fails."""
        try:
            self._put_on_air()
        except RelayError as error:
            self.stream = None
            self.error, self.trouble = error, str(error)
            self._log.error("does not begin on this node: %s", error)
            return False
        except Exception as error:
            self._log.exception("does not begin on this node")
            self.stream = None
            self.trouble = f"an internal error ({type(error).__name__}); the log of its process says more"
            self.error = StartTimedOut(f"The stream could not begin: {self.trouble}")
            self.registry.close()
            self.registry = StreamRegistry(_for_this_node(self.settings))
            return False
        self.error = self.trouble = None
        return True

    def _put_on_air(self) -> None:
        name = self.request.name
        record = cluster_state.record(name) if self._is_again else None
        if record is not None:
            self._end_predecessor()
            if self.keeping.record is None:
                self.keeping.keep_moved(record, self.node_name, self._move_from(record))
            self.start(replace(record.request, begun_at=record.begun_at))
        elif self._predecessor is not None:
            succeed(self, *self._predecessor)
        elif self._is_taken_elsewhere():
            raise StreamAlreadyActive("Stream already active")
        else:
            self.keeping.keep(self.start(self.request), (), self.node_name)

    def start(self, request: StreamRequest) -> Stream:
        push = cluster_state.last_push(request.name) if request.begun_at is not None else None
        if push is None and request.begun_at is None:
            cluster_state.forget(request.name)  # of an earlier stream that nobody could end
        cluster_state.forget_failure(request.name)
        self.keeping.push = push
        self.end_if_unwanted()
        self.registry.start(replace(request, last_push=push))
        self.stream = stream = self.registry.running(request.name)
        return stream

    def end_if_unwanted(self, stream: Stream | None = None) -> None:
        if self.is_unwanted.is_set() or (stream and stream.stop_event.is_set()):
            raise StreamStopped(f"Stream {self.request.name} was stopped while it started")

    def _is_taken_elsewhere(self) -> bool:
        """A successor has this stream, under its other name."""
        record = cluster_state.record(self.request.name)
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
        return Move(timestamp(), record.node, self.node_name, why)

    @functools.cached_property
    def node_name(self) -> str:
        node = cluster_state.nodes().get(self.node_id)
        return node.name if node else self.node_id

    def present_request(self) -> StreamRequest:
        if self.stream is None:
            raise StreamNotFound("Stream not found")
        return replace(self.stream.request, begun_at=self.stream.begun_at, last_push=None, takes_over=False)

    def _live(self, stream: Stream) -> None:
        """Until the stream has ended: keep what changes, and take back what a lost successor left lying."""
        while not stream.gone.wait(LOOK_S):
            self.keeping.save(stream)
            if self.leaving.look(stream):
                self.keeping.claim()

    def _part(self, stream: Stream | None) -> None:
        if not self.leaving.is_for_good:
            self.keeping.part(stream, self.settings, was_begun_again=self._is_again)

    def hear(self, push: LastPush | None, request: StreamRequest) -> None:
        """A push, a delay and a feed that another process of this stream was given."""
        known = self.keeping.push
        if push and (known is None or push.board != known.board):
            self.push(push.board, push.source)
        mine = self.stream.request if self.stream else request
        if request.score_delay_s is not None and request.score_delay_s != mine.score_delay_s:
            self.delay_score(request.score_delay_s)
        if (request.feed, request.match_id) != (mine.feed, mine.match_id):
            self.change_feed(request.feed, request.match_id)

    def _end_predecessor(self) -> None:
        other = cluster_state.actor(cluster_state.other_seat(self._seat))
        if other is not None:
            with contextlib.suppress(ray.exceptions.RayError):
                other.leave_for_good.remote()


def _until_it_works(call: Callable[[], T], log: StreamLogger) -> T:
    """Try again until it works, however long the head is away."""
    while True:
        try:
            return call()
        except Exception as error:
            log.warning("the cluster's head is asked again: %s", error)
            time.sleep(RETRY_S)


def _for_this_node(settings: Settings) -> Settings:
    """The settings of this stream, with the FFmpeg of this node."""
    binary = shutil.which(settings.ffmpeg_bin) or settings.ffmpeg_bin
    return settings.model_copy(update={"max_concurrent_streams": 1, "state_file": None, "ffmpeg_bin": binary})
