"""The status of all streams: their own reports; for those that do not answer, what was last known, and why.

A front end asks all of them at once, and waits for none for long.
"""

from __future__ import annotations

import contextlib
import functools
import threading
import time
from collections.abc import Callable, Set
from dataclasses import replace
from typing import Any

import ray
from ray.exceptions import RayError

from cluster import cluster_state
from cluster.cluster_state import Failure, Head, Node, Record
from cluster.placing import free_words, room_on
from cluster.stream_actor import Report
from errors import ClusterUnavailable, StreamNotFound
from relay.delivery import CONNECTING, DeliveryStatus
from relay.failures import FAILURES_LISTED_S, KEPT_FAILURES
from relay.feed_status import FeedStatus
from relay.request import Meters
from relay.stream_state import State, StreamStatus, timestamp

STATUS_LIMIT_S = 1.5
BUSY_KNOWN_S = 60.0


class Reports:
    """What one front end knows about the streams. Safe to call from many threads.

    `need` is the CPUs that a stream asks for, and `actor_of` gives the actor that has a stream.
    """

    def __init__(self, head: Head, meters: Meters, need: float, actor_of: Callable[[Record], Any | None]) -> None:
        self._head = head
        self._meters = meters
        self._need = need
        self._actor_of = actor_of
        self._lock = threading.Lock()
        self._last_known: dict[str, StreamStatus] = {}
        self._busy: dict[str, tuple[float, float]] = {}  # node id: when, load average a core
        self._counted_failures: set[tuple[str, float]] = set()
        self._born_at = time.time()

    def statuses(self, records: dict[str, Record]) -> list[StreamStatus]:
        """Of all of these, oldest first, and then of those that have failed of late."""
        reports = self._reports(records)
        order = sorted(records.values(), key=lambda record: record.begun_at)
        nodes = functools.cache(self.nodes)  # the head is asked once, and only if one is silent
        running = [self._status_of(record, reports.get(record.request.name), nodes) for record in order]
        return running + [failure.status for failure in self._failures() if failure.status.name not in records]

    def status(self, name: str, record: Record | None) -> StreamStatus:
        """The stream's status, or that of one of this name that has failed of late."""
        if record is not None:
            return self._status_of(record, self._reports({name: record}).get(name), self.nodes)
        for failure in self._failures():
            if failure.status.name == name:
                return failure.status
        raise StreamNotFound("Stream not found")

    def forget(self, name: str) -> None:
        """The stream was stopped. The next one with its name is another stream."""
        with self._lock:
            self._last_known.pop(name, None)

    def forget_all_but(self, names: Set[str]) -> None:
        """Forget all streams except these."""
        with self._lock:
            self._last_known = {name: known for name, known in self._last_known.items() if name in names}

    def why_silent(self, record: Record, nodes: dict[str, Node] | None) -> str:
        """Why the process of a stream does not answer; `nodes` is None while the head is away."""
        if nodes is None:
            return f"its process on node {record.node} does not answer, nor does the cluster's head"
        node = nodes.get(record.node_id)
        if node is not None and node.is_alive:
            return f"its process on node {record.node} does not answer"
        room = sum(room_on(one, self._need) for one in nodes.values())
        what = (
            "the stream is begun on another one"
            if room
            else f"the stream waits for room: {free_words(nodes, self._need)}"
        )
        return f"node {record.node} is gone: {what}"

    def busy_of(self, node_id: str) -> float | None:
        """A node's load average a core, as a stream on it told a short while ago."""
        at, busy = self._busy.get(node_id, (float("-inf"), 0.0))
        return round(busy, 2) if time.monotonic() - at < BUSY_KNOWN_S else None

    def nodes(self) -> dict[str, Node] | None:
        """None while the head is away."""
        try:
            return self._head.ask(cluster_state.nodes)
        except ClusterUnavailable:
            return None

    def _reports(self, records: dict[str, Record]) -> dict[str, Report]:
        """The reports of the streams that answer in time, by stream. All are asked at once."""
        asked: dict[Any, str] = {}
        for name, record in records.items():
            with contextlib.suppress(ClusterUnavailable):
                actor = self._actor_of(record)
                if actor is not None:
                    asked[actor.report.remote()] = name
        if not asked:
            return {}
        answered, _ = ray.wait(list(asked), num_returns=len(asked), timeout=STATUS_LIMIT_S)
        reports = {}
        for ref in answered:
            with contextlib.suppress(RayError):
                report: Report = ray.get(ref)
                reports[asked[ref]] = report
                self._busy[report.node_id] = time.monotonic(), report.busy
        return reports

    def _status_of(
        self, record: Record, report: Report | None, nodes: Callable[[], dict[str, Node] | None]
    ) -> StreamStatus:
        name = record.request.name
        if report is not None and report.status is not None:
            with self._lock:
                self._last_known[name] = report.status
            return report.status
        with self._lock:
            known = self._last_known.get(name)
        if known is None:
            known = _unheard_of(record)
        status = replace(
            known,
            state=State.RECONNECTING,
            states=(State.RECONNECTING,),
            since=known.since if known.states == (State.RECONNECTING,) else timestamp(),
            reason=(report.trouble if report else None) or self.why_silent(record, nodes()),
            uptime_s=round(time.time() - record.begun_at, 3),
            on_air=None,
            sound=None,
            fps=0.0,
            speed=0.0,
            bitrate_kbps=0.0,
            node=record.node,
            moves=record.moves,
        )
        with self._lock:
            self._last_known[name] = status
        return status

    def _failures(self) -> list[Failure]:
        """The recent failures, the newest last. Older ones are removed for everyone."""
        try:
            found = sorted(self._head.ask(cluster_state.failures).values(), key=lambda failure: failure.at)
        except ClusterUnavailable:
            return []
        since = time.time() - FAILURES_LISTED_S
        listed = [failure for failure in found[-KEPT_FAILURES:] if failure.at > since]
        for failure in found:
            if failure not in listed:
                with contextlib.suppress(ClusterUnavailable):
                    self._head.ask(functools.partial(cluster_state.forget_failure, failure.status.name))
        marks = {(failure.status.name, failure.at) for failure in listed if failure.at > self._born_at}
        for _ in marks - self._counted_failures:
            self._meters.ended("failed")
        self._counted_failures = marks
        return listed


def _unheard_of(record: Record) -> StreamStatus:
    """The status of a stream that has not yet answered this front end."""

    def delivery(url: str) -> DeliveryStatus:
        return DeliveryStatus(url, CONNECTING, None, 0, 0)

    request = record.request
    return StreamStatus(
        name=request.name,
        desired="run",
        state=State.STARTING,
        states=(State.STARTING,),
        since=timestamp(),
        reason=None,
        uptime_s=0.0,
        on_air=None,
        sound=None,
        attempts={},
        restarts={},
        fps=0.0,
        speed=0.0,
        bitrate_kbps=0.0,
        dropped_frames=0,
        last_frame_age_s=None,
        overlay_age_s=None,
        score_age_s=None,
        score_delay_s=request.score_delay_s or 0.0,
        polls={},
        feed=FeedStatus(None, None, None),
        last_error=None,
        destination=delivery(request.destination.masked_url),
        backup=delivery(request.backup.masked_url) if request.backup else None,
    )
