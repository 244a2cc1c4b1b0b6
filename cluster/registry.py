"""The registry of streams on a Ray cluster: the same calls as on one machine; each stream is an actor on some node.

Ray places the actors by the CPUs that they ask for, refuses a second one of a
name, and begins one again elsewhere when its node dies. What is known about the
streams is kept by Ray's head and by the actors. So all front ends give the same
answers, and any of them may go away.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

os.environ["RAY_ENABLE_AUTO_CONNECT"] = "0"  # a call that outlives the service must not begin a cluster of its own
import ray
from pydantic import SecretStr
from ray.exceptions import ActorDiedError, GetTimeoutError, RayActorError, RayError

from cluster import cluster_state
from cluster.cluster_state import NAMESPACE, Head, Record, other_seat, seats
from cluster.placing import LOOK_S, Placing, loads_of, need_of
from cluster.reports import Reports
from cluster.seating import CALL_LIMIT_S, Seating
from cluster.stopping import stop_stream
from cluster.stream_actor import Answer, Belongings
from config import Settings
from errors import (
    ClusterUnavailable,
    ConfigurationError,
    NoCapacity,
    RelayError,
    StopTimedOut,
    StreamAlreadyActive,
    StreamNotFound,
    StreamUnreachable,
)
from relay.registry import Load, counted_start
from relay.request import Meters, StreamRequest, StreamSnapshot
from relay.stream_state import StreamStatus
from scoring.scoreboard import Scoreboard


def connect(settings: Settings) -> None:
    """Join the Ray cluster; raises ConfigurationError when there is none."""
    try:
        if settings.ray_address != "auto":  # Ray itself would try for minutes
            host, _, port = settings.ray_address.rpartition(":")
            socket.create_connection((host.strip("[]"), int(port)), CALL_LIMIT_S).close()
        ray.init(
            address=settings.ray_address,
            namespace=NAMESPACE,
            log_to_driver=False,
            configure_logging=False,
            ignore_reinit_error=True,
        )
    except Exception as error:  # of many kinds
        raise ConfigurationError(
            f"RAY_ADDRESS: {settings.ray_address}: this machine cannot join the cluster as a node of it: {error}"
        ) from error


class ClusterRegistry:
    """All streams of a cluster, by name. Safe to call from many threads, and beside other front ends."""

    def __init__(self, settings: Settings, meters: Meters | None = None) -> None:
        """Raises ConfigurationError when there is no cluster to join."""
        connect(settings)
        self._settings = settings
        self._meters = meters or Meters()
        self._need = need_of(settings)
        self._head = Head()
        self._placing = Placing(settings, self._head)
        self._seating = Seating(self._head)
        self._reports = Reports(self._head, self._meters, self._need, self._seating.actor_of)
        self._lock = threading.Lock()
        self._is_closed = False

    def start(self, request: StreamRequest) -> None:
        """As `StreamRegistry.start`, on a node with room. Raises ClusterUnavailable and StartTimedOut, too."""
        with counted_start(self._meters, time.monotonic):
            self._start(request)

    def _start(self, request: StreamRequest) -> None:
        if self._is_closed:
            raise NoCapacity("No capacity left: the service is stopping")
        if request.name in self._head.ask(cluster_state.taken_seats) and not self._has_failed(request.name):
            raise StreamAlreadyActive("Stream already active")
        with self._placing.room_for(request.name, self._need, is_new=True) as placed:
            self._create(placed, seats(request.name)[0], self._shared_settings(), request)

    def _has_failed(self, name: str) -> bool:
        """True when the name is that of a stream that has failed, once its process has ended, too."""
        failure = self._head.ask(lambda: cluster_state.failure(name))
        return failure is not None and all(self._seating.await_end(seat) for seat in seats(name))

    def _create(
        self,
        placed: Callable[[], None],
        seat: str,
        settings: Settings,
        request: StreamRequest,
        predecessor: tuple[str, str] | None = None,
    ) -> str:
        """Begin an actor, and wait until its stream is begun; nothing is left of one that is not. Gives its id."""
        handle = self._placing.begin(seat, settings, request, predecessor)
        self._seating.know(seat, handle)
        try:
            answer = self._placing.outcome(handle, request.name, need_of(settings), placed)
            if answer.error:
                self._seating.await_end(seat, handle)
                raise answer.error
        except BaseException as error:
            if self._is_closed:  # Ray is gone under this call
                raise ClusterUnavailable(f"The service stops; stream {request.name} may be on air") from error
            with contextlib.suppress(RelayError):
                if predecessor is None or not self._seating.has(handle, request.name):
                    self._head.ask(lambda: ray.kill(handle, no_restart=True), insists=True)
            raise
        return str(handle._actor_id.hex())

    def _shared_settings(self) -> Settings:
        """What the actors need of the settings, and no secret of the front end."""
        return self._settings.model_copy(update={"api_token": SecretStr(""), "hook_secret": SecretStr("")})

    def restore(self) -> None:
        """Nothing: the streams went on."""

    def stop(self, name: str) -> None:
        """As `StreamRegistry.stop`."""
        asked_at = time.monotonic()
        try:
            stop_stream(name, self._settings, self._head, self._seating)
        except StopTimedOut:
            self._meters.stopped("timed_out", time.monotonic() - asked_at)
            raise
        self._reports.forget(name)
        self._meters.stopped("stopped", time.monotonic() - asked_at)
        self._meters.ended("stopped")

    def snapshots(self) -> list[StreamSnapshot]:
        """As `StreamRegistry.snapshots`."""
        now = time.time()
        found = sorted(self._records().values(), key=lambda record: record.begun_at)
        return [
            StreamSnapshot(
                record.request.name,
                record.request.destination.url,
                record.request.destination.masked_url,
                now - record.begun_at,
            )
            for record in found
        ]

    def statuses(self) -> list[StreamStatus]:
        """As `StreamRegistry.statuses`; of a stream whose process does not answer, what is known of it and why."""
        return self._reports.statuses(self._records())

    def status(self, name: str) -> StreamStatus:
        """As `StreamRegistry.status`."""
        return self._reports.status(name, self._records().get(name))

    def dismiss(self, name: str) -> None:
        """As `StreamRegistry.dismiss`."""
        if self._head.ask(lambda: cluster_state.forget_failure(name)):
            return
        if name in self._head.ask(cluster_state.taken_seats):
            raise StreamAlreadyActive("Stream already active")
        raise StreamNotFound("Stream not found")

    def push(self, name: str, board: Scoreboard) -> bool:
        """As `StreamRegistry.push`. Raises StreamUnreachable, too, as all that ask the stream do."""
        is_shown: bool = self._ask(name, "push", board)
        return is_shown

    def delay_score(self, name: str, delay_s: float) -> None:
        """As `StreamRegistry.delay_score`."""
        self._ask(name, "delay_score", delay_s)

    def overlay_png(self, name: str) -> bytes:
        """As `StreamRegistry.overlay_png`."""
        png: bytes = self._ask(name, "ask", "overlay_png")
        return png

    def match(self, name: str) -> dict[str, Any]:
        """As `StreamRegistry.match`."""
        found: dict[str, Any] = self._ask(name, "ask", "match")
        return found

    def on_screen(self, name: str) -> dict[str, Any]:
        """As `StreamRegistry.on_screen`."""
        found: dict[str, Any] = self._ask(name, "ask", "on_screen")
        return found

    def log(self, name: str, after: int) -> list[dict[str, Any]]:
        """As `StreamRegistry.log`."""
        found: list[dict[str, Any]] = self._ask(name, "ask", "log", after)
        return found

    def preview(self, name: str) -> bytes:
        """As `StreamRegistry.preview`."""
        jpeg: bytes = self._ask(name, "ask", "preview")
        return jpeg

    def is_announced(self, name: str) -> bool:
        """As `StreamRegistry.is_announced`."""
        return name in self._seating.taken()

    def camera_came(self, name: str) -> None:
        """As `StreamRegistry.camera_came`."""
        self._tell(name, "camera_came")

    def camera_left(self, name: str) -> None:
        """As `StreamRegistry.camera_left`."""
        self._tell(name, "camera_left")

    def load(self) -> Load:
        """How full the cluster is, and each of its nodes."""
        records = self._records()
        try:
            nodes = self._head.ask(cluster_state.nodes)
        except ClusterUnavailable:
            return Load(len(records), len(records), self._is_closed)
        loads = loads_of(nodes, records, self._need, self._reports.busy_of)
        most = len(records) + sum(load.room for load in loads)
        limit = self._settings.max_concurrent_streams
        return Load(len(records), most if limit == "auto" else min(most, limit), self._is_closed, loads)

    def move(self, name: str, why: str) -> str:
        """Have another node take over a stream that is on air; gives that node's name.

        Raises what `start` raises. The stream stays where it is when it cannot be moved.
        """
        taken = self._seating.seats_of(name)
        if len(taken) > 1:
            raise StreamAlreadyActive(f"Stream {name} is being moved already")
        (seat,) = taken
        actor = self._seating.fresh(seat)
        if actor is None:
            raise StreamNotFound("Stream not found")
        try:
            answer: Answer = ray.get(actor.belongings.remote(), timeout=CALL_LIMIT_S)
        except RayError:
            raise StreamUnreachable(f"The process of stream {name} does not answer: it stays") from None
        if answer.error:
            raise answer.error
        belongings: Belongings = answer.value
        with self._placing.room_for(name, need_of(belongings.settings), is_new=False) as placed:
            successor = self._create(placed, other_seat(seat), belongings.settings, belongings.request, (seat, why))
        record = self._head.ask(lambda: cluster_state.record(name))
        if record is None:
            raise StreamNotFound("Stream not found")
        if record.actor_id != successor:
            raise StreamUnreachable(f"Stream {name} is not the new process's: it stays on node {record.node}")
        return record.node

    def close(self) -> None:
        """Leave the cluster; its streams go on."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
        deadline = time.monotonic() + CALL_LIMIT_S
        while self._placing.is_under_way() and time.monotonic() < deadline:
            time.sleep(LOOK_S)
        # Ray would wait for a head that is away.
        leaving = threading.Thread(target=ray.shutdown, name="leave-cluster", daemon=True)
        leaving.start()
        leaving.join(CALL_LIMIT_S)

    def _records(self) -> dict[str, Record]:
        """Of the streams that have an actor; those last known while the head is away."""
        records = self._seating.records()
        self._reports.forget_all_but(records.keys())
        return records

    def _tell(self, name: str, method: str) -> None:
        """Without waiting for an answer; nothing for a name that is not there."""
        record = self._records().get(name)
        actor = self._seating.actor_of(record) if record else None
        if actor is not None:
            getattr(actor, method).remote()

    def _ask(self, name: str, method: str, *args: Any) -> Any:
        """The actor that has the stream."""
        record = self._records().get(name)
        actor = self._seating.actor_of(record) if record else None
        if record is None or actor is None:
            raise StreamNotFound("Stream not found")
        try:
            answer: Answer = ray.get(getattr(actor, method).remote(*args), timeout=CALL_LIMIT_S)
        except ActorDiedError:
            raise StreamNotFound("Stream not found") from None
        except (RayActorError, GetTimeoutError):
            raise StreamUnreachable(
                f"Stream {name} does not answer: {self._reports.why_silent(record, self._reports.nodes())}"
            ) from None
        if answer.error:
            raise answer.error
        return answer.value
