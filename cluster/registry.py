"""The registry of streams on a Ray cluster: the same calls as on one machine; each stream is an actor on some node.

Ray places the actors by the CPUs that they ask for, refuses a second one of a
name, and begins one again elsewhere when its node dies. What is known about the
streams is kept by Ray's head and by the actors. So all front ends give the same
answers, and any of them may go away.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from typing import Any

os.environ["RAY_ENABLE_AUTO_CONNECT"] = (
    "0"  # otherwise a call that outlives the service would start a cluster of its own
)
import ray
from ray.exceptions import ActorDiedError, GetTimeoutError, RayActorError

from cluster import cluster_state
from cluster.beginning import Beginning
from cluster.cluster_state import NAMESPACE, Head, Record
from cluster.placing import LOOK_S, Placing, loads_of, need_of
from cluster.reports import Reports
from cluster.seating import CALL_LIMIT_S, Seating
from cluster.stopping import stop_stream
from cluster.succession import Answer
from config import Settings
from errors import (
    ClusterUnavailable,
    ConfigurationError,
    NoCapacity,
    StopTimedOut,
    StreamAlreadyActive,
    StreamNotFound,
    StreamUnreachable,
)
from relay.camera_key import Admission, judge
from relay.publishers import CameraEvent
from relay.registry import Load, counted_start
from relay.request import Meters, StreamRequest, StreamSnapshot
from relay.stream_state import StreamStatus
from scoring.feeds.files import FileOrder
from scoring.feeds.named import NamedFeed
from scoring.newest import PUSH
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
        self._beginning = Beginning(settings, self._head, self._placing, self._seating, lambda: self._is_closed)
        self._reports = Reports(self._head, self._meters, self._need, self._seating.actor_of)
        self._lock = threading.Lock()
        self._is_closed = False

    def start(self, request: StreamRequest) -> None:
        """As `StreamRegistry.start`, on a node with room. Raises ClusterUnavailable and StartTimedOut, too."""
        with counted_start(self._meters, time.monotonic):
            if self._is_closed:
                raise NoCapacity("No capacity left: the service is stopping")
            self._beginning.begin(request)

    def restore(self) -> None:
        """Does nothing: the streams never stopped."""

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

    def push(self, name: str, board: Scoreboard, source: str = PUSH) -> bool:
        """As `StreamRegistry.push`. Raises StreamUnreachable, too, as all that ask the stream do."""
        is_shown: bool = self._ask(name, "push", board, source)
        return is_shown

    def push_file(self, name: str, kind: str, content: bytes, order: FileOrder | None) -> bool | None:
        """As `StreamRegistry.push_file`."""
        is_shown: bool | None = self._ask(name, "push_file", kind, content, order)
        return is_shown

    def confirm_score(self, name: str) -> bool:
        """As `StreamRegistry.confirm_score`."""
        is_known: bool = self._ask(name, "ask", "confirm_score")
        return is_known

    def delay_score(self, name: str, delay_s: float) -> None:
        """As `StreamRegistry.delay_score`."""
        self._ask(name, "delay_score", delay_s)

    def change_feed(self, name: str, feed: NamedFeed | None, match_id: str | None) -> None:
        """As `StreamRegistry.change_feed`."""
        self._ask(name, "change_feed", feed, match_id)

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

    def admission(self, name: str, key: str) -> Admission:
        """As `StreamRegistry.admission`; NOT_YET while the stream begins."""
        if record := self._records().get(name):
            return judge(record.request.camera_key, key)
        return Admission.NOT_YET if name in self._seating.taken() else Admission.NO_STREAM

    def camera_key(self, name: str) -> str | None:
        """As `StreamRegistry.camera_key`."""
        if record := self._records().get(name):
            return record.request.camera_key
        raise StreamNotFound("Stream not found")

    def camera_event(self, name: str, event: CameraEvent) -> None:
        """As `StreamRegistry.camera_event`."""
        self._tell(name, "camera_event", event)

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
        return self._beginning.move(name, why)

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
        """The records of the streams that have an actor. While the head is away, the last known ones."""
        records = self._seating.records()
        self._reports.forget_all_but(records.keys())
        return records

    def _tell(self, name: str, method: str, *args: Any) -> None:
        """Call the stream's actor without waiting for an answer. Does nothing for an unknown name."""
        record = self._records().get(name)
        actor = self._seating.actor_of(record) if record else None
        if actor is not None:
            getattr(actor, method).remote(*args)

    def _ask(self, name: str, method: str, *args: Any) -> Any:
        """Call the stream's actor, and return its answer."""
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
