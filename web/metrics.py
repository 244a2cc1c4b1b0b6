"""The metrics for Prometheus: the state of the streams at the scrape, and events in the service.

They are in a registry of their own, not in the global one. A stream's counts are
read from its status at each scrape, so a stream that has gone leaves no series
behind. Only single events (a start, a stop, a drawing) are recorded as they
happen. Labels hold stream names and words from short lists, never URLs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

import prometheus_client
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector, CollectorRegistry

from config import Settings
from relay import installed
from relay.delivery import DELIVERY_STATES, DeliveryStatus
from relay.feed_status import FEED_STATES
from relay.registry import NodeLoad, Registry
from relay.request import Meters
from relay.stream_state import State, StreamStatus

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
RENDER_BUCKETS_S = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
START_BUCKETS_S = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
STOP_BUCKETS_S = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 4.0, 6.0)
START_OUTCOMES = ("started", "refused", "stopped", "failed")
STOP_OUTCOMES = ("stopped", "timed_out")
END_OUTCOMES = ("stopped", "failed")

Samples = Iterable[tuple[tuple[str, ...], float]]  # label values and the value

# One number for each stream; none if its status has none.
_GAUGES: tuple[tuple[str, str, Callable[[StreamStatus], float | None]], ...] = (
    ("uptime_seconds", "Time since the stream was started", lambda status: status.uptime_s),
    (
        "state_since_timestamp_seconds",
        "When the stream entered its present state",
        lambda status: datetime.fromisoformat(status.since).timestamp(),
    ),
    ("frames_per_second", "Frames that went on air, over the last seconds", lambda status: status.fps),
    ("speed_ratio", "Media time that went on air over elapsed time", lambda status: status.speed),
    (
        "output_bytes_per_second",
        "Picture and sound that went on air, over the last seconds",
        lambda status: status.bitrate_kbps * 1000 / 8,
    ),
    ("last_frame_age_seconds", "Time since the newest frame on air", lambda status: status.last_frame_age_s),
    ("overlay_age_seconds", "Time since the overlay last changed", lambda status: status.overlay_age_s),
    ("sound_level_db", "Peak of the camera's sound in the last second, in dBFS", lambda status: status.sound_level_db),
    ("score_age_seconds", "Time since the feed or a push last confirmed the score", lambda status: status.score_age_s),
    ("feed_calls_left", "Calls of the stream's feed that are left today", lambda status: status.feed.calls_left),
)

# One number for each node of a cluster.
_NODE_GAUGES: tuple[tuple[str, str, Callable[[NodeLoad], float | None]], ...] = (
    ("cpus", "CPUs of the node, as the cluster counts them", lambda node: node.cpus),
    ("cpus_free", "CPUs that no stream has; none while the node is drained", lambda node: node.free),
    ("streams", "Streams on the node", lambda node: node.streams),
    ("streams_room", "Streams of this service's profile that fit beside them", lambda node: node.room),
    ("load_ratio", "Load average of the last minute over its cores, as its streams report it", lambda node: node.busy),
    ("draining", "1 while the node is drained for maintenance", lambda node: node.is_draining),
)


class Metrics:
    """The metrics page of one service. Safe to call from many threads."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        prometheus_client.ProcessCollector(registry=self._registry)
        prometheus_client.PlatformCollector(registry=self._registry)
        prometheus_client.GCCollector(registry=self._registry)
        self._starts = self._histogram(
            "start_seconds", "Time that a start call took, by its outcome", START_BUCKETS_S, START_OUTCOMES
        )
        self._stops = self._histogram(
            "stop_seconds", "Time until nothing of a stream was left, by outcome", STOP_BUCKETS_S, STOP_OUTCOMES
        )
        self._renders = self._histogram(
            "overlay_render_seconds", "Time to draw an overlay, encode it and put it in place", RENDER_BUCKETS_S
        )
        self._ends = prometheus_client.Counter(
            "streaming_streams_ended",
            "Streams that ended: stopped by somebody, or failed",
            ["outcome"],
            registry=self._registry,
        )
        for outcome in END_OUTCOMES:
            self._ends.labels(outcome)

    @property
    def meters(self) -> Meters:
        """The functions by which streams report single events."""
        return Meters(
            started=lambda outcome, seconds: self._starts.labels(outcome).observe(seconds),
            stopped=lambda outcome, seconds: self._stops.labels(outcome).observe(seconds),
            ended=lambda outcome: self._ends.labels(outcome).inc(),
            rendered=self._renders.observe,
        )

    def watch(self, streams: Registry, settings: Settings) -> None:
        """Show these streams on the page from now on."""
        self._registry.register(_StreamCollector(streams, settings))

    def page(self) -> bytes:
        """The whole page; its type is CONTENT_TYPE."""
        return prometheus_client.generate_latest(self._registry)

    def _histogram(
        self, name: str, description: str, buckets: tuple[float, ...], outcomes: tuple[str, ...] = ()
    ) -> prometheus_client.Histogram:
        labels = ["outcome"] if outcomes else []
        made = prometheus_client.Histogram(
            f"streaming_{name}", description, labels, buckets=buckets, registry=self._registry
        )
        for outcome in outcomes:  # so that each is there at the first scrape
            made.labels(outcome)
        return made


class _StreamCollector(Collector):
    """Reads the statuses at each scrape."""

    def __init__(self, streams: Registry, settings: Settings) -> None:
        self._streams = streams
        self._settings = settings

    def collect(self) -> Iterator[Metric]:
        statuses, load, profile = self._streams.statuses(), self._streams.load(), self._settings.profile
        states = Counter(status.state for status in statuses)
        running = [status for status in statuses if status.state != State.FAILED]
        states[State.STARTING] += max(0, load.streams - len(running))
        info = (installed.version(self._settings.ffmpeg_bin), profile.name)
        yield _gauge("service_info", "FFmpeg and profile of the service", ("ffmpeg_version", "profile"), [(info, 1)])
        yield _gauge("streams", "Streams by state", ("state",), [((state,), states[state]) for state in State])
        yield _gauge("streams_limit", "Streams that may run at once", (), [((), load.most)])
        yield _gauge("profile_frames_per_second", "Frame rate of the profile", (), [((), profile.frame_rate)])
        yield _gauge(
            "profile_bytes_per_second", "Picture and sound of the profile", (), [((), profile.bytes_per_second)]
        )
        yield _gauge(
            "stream_state",
            "1 for the states that the stream is in, two at most",
            ("stream", "state"),
            [((status.name, state), state in status.states) for status in statuses for state in State],
        )
        yield from _of_nodes(load.nodes)
        yield from _of_streams(running)
        yield from _of_feeds(running)
        yield from _of_destinations(running)
        yield from _counted(running)


def _of_nodes(nodes: tuple[NodeLoad, ...]) -> Iterator[Metric]:
    """The machines of a cluster; nothing without one."""
    if not nodes:
        return
    for name, description, value_of in _NODE_GAUGES:
        values = ((node.name, value_of(node)) for node in nodes)
        known = [((node,), value) for node, value in values if value is not None]
        yield _gauge(f"node_{name}", description, ("node",), known)


def _of_streams(statuses: list[StreamStatus]) -> Iterator[Metric]:
    for name, description, value_of in _GAUGES:
        values = ((status.name, value_of(status)) for status in statuses)
        known = [((stream,), value) for stream, value in values if value is not None]
        yield _gauge(f"stream_{name}", description, ("stream",), known)


def _of_feeds(statuses: list[StreamStatus]) -> Iterator[Metric]:
    yield _gauge(
        "stream_feed_state",
        "1 for the state that the stream's feed, or the match API, is in",
        ("stream", "state"),
        [((status.name, state), state == status.feed.state) for status in statuses for state in FEED_STATES],
    )


def _of_destinations(statuses: list[StreamStatus]) -> Iterator[Metric]:
    ends: list[tuple[str, str, DeliveryStatus]] = []
    for status in statuses:
        ends.append((status.name, "primary", status.destination))
        if status.backup:
            ends.append((status.name, "backup", status.backup))
    yield _gauge(
        "stream_destination_state",
        "1 for the state that the destination is in",
        ("stream", "destination", "state"),
        [((name, which, state), state == end.state) for name, which, end in ends for state in DELIVERY_STATES],
    )
    yield _counter(
        "stream_dropped_frames",
        "Frames that were on air and never reached the destination",
        ("stream", "destination"),
        [((name, which), end.dropped_frames) for name, which, end in ends],
    )


def _counted(statuses: list[StreamStatus]) -> Iterator[Metric]:
    yield _counter(
        "stream_attempts",
        "FFmpegs that were started for the stream",
        ("stream", "child"),
        [((status.name, child), count) for status in statuses for child, count in status.attempts.items()],
    )
    yield _counter(
        "stream_restarts",
        "FFmpegs of the stream that ended and had to be replaced",
        ("stream", "child", "cause"),
        [
            ((status.name, child, cause), count)
            for status in statuses
            for child, causes in status.restarts.items()
            for cause, count in causes.items()
        ],
    )
    if any(status.node for status in statuses):
        yield _gauge(
            "stream_node_info",
            "The node of the cluster that the stream is on",
            ("stream", "node"),
            [((status.name, status.node), 1) for status in statuses if status.node],
        )
        yield _gauge(
            "stream_moves",
            "How often the stream moved to another process or node, 20 at most",
            ("stream",),
            [((status.name,), len(status.moves)) for status in statuses],
        )
    polls = [(status.name, source, polls) for status in statuses for source, polls in status.polls.items()]
    yield _counter(
        "stream_polls",
        "Polls of the match API (data) and the image server (image)",
        ("stream", "source"),
        [((name, source), polled.asked) for name, source, polled in polls],
    )
    yield _counter(
        "stream_poll_failures",
        "Polls that brought nothing usable",
        ("stream", "source", "kind"),
        [((name, source, kind), count) for name, source, polled in polls for kind, count in polled.failed.items()],
    )


def _gauge(name: str, description: str, labels: tuple[str, ...], samples: Samples) -> Metric:
    family = GaugeMetricFamily(f"streaming_{name}", description, labels=labels)
    for values, value in samples:
        family.add_metric(values, value)
    return family


def _counter(name: str, description: str, labels: tuple[str, ...], samples: Samples) -> Metric:
    family = CounterMetricFamily(f"streaming_{name}", description, labels=labels)
    for values, value in samples:
        family.add_metric(values, value)
    return family
