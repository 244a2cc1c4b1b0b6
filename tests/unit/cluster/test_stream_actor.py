"""The life of a stream on a node, and how two of them hand it over; Ray and the streams are stand-ins."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from ray.exceptions import RayActorError

from cluster import cluster_state, life, stream_actor, takeover
from cluster.cluster_state import Node, Record
from cluster.stream_actor import StreamActor
from config import Settings
from errors import RelayError, StartTimedOut, StreamNotFound, StreamStopped, StreamUnreachable
from relay.request import StreamRequest
from scoring.reading import read_push
from scoring.scoreboard import Scoreboard
from tests.conftest import SettingsFactory
from tests.statuses import LIVE
from tests.unit.conftest import destination
from tests.waiting import eventually

REQUEST = StreamRequest("m1", destination(), backup=destination("rtmp://127.0.0.2/live2/backup-key"))
BOTH = {"primary", "backup"}


class FakeStream:
    """Of a stream what the actor sees; `reaches` are the destinations that it can connect to.

    `shows` is its picture, and `meanwhile` what happens when it is to connect.
    """

    def __init__(
        self, request: StreamRequest, reaches: set[str], shows: str | None, meanwhile: Callable[[], None]
    ) -> None:
        self.request = request
        self.board: Scoreboard | None = None
        self.meanwhile = meanwhile
        self.begun_at = request.begun_at or 50_000.0
        self.stop_event = threading.Event()
        self.gone = threading.Event()
        self.has_failed = False
        self.is_left = False
        self.reaches = reaches
        self.served = set() if request.takes_over else set(reaches)
        self.picture = SimpleNamespace(status=SimpleNamespace(on_air=shows))

    @property
    def destinations(self) -> FakeStream:
        return self

    def is_connected(self, which: str) -> bool:
        return which in self.served

    def is_off(self, which: str) -> bool:
        return which not in self.served

    def hold(self, which: str, _reason: str) -> None:
        self.served.discard(which)

    def go_on(self, which: str) -> None:
        self.meanwhile()
        self.served |= {which} & self.reaches

    def delay_score(self, delay_s: float) -> None:
        self.request = replace(self.request, score_delay_s=delay_s)

    def leave(self) -> None:
        self.is_left = True
        self.ask_to_stop()

    def ask_to_stop(self) -> None:
        self.stop_event.set()
        self.served.clear()
        self.gone.set()

    def status(self) -> Any:
        return LIVE


class FakeRegistry:
    """A registry of one; a start waits for `gate`."""

    def __init__(
        self, gate: threading.Event, reaches: set[str], shows: str | None, meanwhile: Callable[[], None]
    ) -> None:
        self.stream: FakeStream | None = None
        self._gate = gate
        self._reaches = reaches
        self._shows = shows
        self._meanwhile = meanwhile

    def start(self, request: StreamRequest) -> None:
        assert self._gate.wait(20)
        self.stream = FakeStream(request, self._reaches, self._shows, self._meanwhile)

    def running(self, _name: str) -> FakeStream:
        if self.stream is None or self.stream.stop_event.is_set():
            raise StreamNotFound("Stream not found")
        return self.stream

    def stop(self, name: str) -> None:
        self.running(name).ask_to_stop()

    def push(self, name: str, board: Scoreboard, _source: str) -> bool:
        self.running(name).board = board
        return True

    def delay_score(self, name: str, delay_s: float) -> None:
        self.running(name).delay_score(delay_s)

    def close(self) -> None:
        if self.stream:
            self.stream.ask_to_stop()


class Handle:
    """What calls an actor at once; one that is `gone` answers nothing."""

    def __init__(self, actor: StreamActor) -> None:
        self.actor = actor
        self.is_gone = False

    def __getattr__(self, method: str) -> Any:
        if self.is_gone:
            return SimpleNamespace(remote=lambda *_: RayActorError())
        return SimpleNamespace(remote=getattr(self.actor, method))


class Cluster:
    """The head's memory, its actors by name, and the ids of those that have ended themselves."""

    def __init__(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        self.kept: dict[str, Any] = {}
        self.handles: dict[str, Handle] = {}
        self.ended: set[str] = set()
        self.gates: list[threading.Event] = []
        self._settings = settings
        self._patch = monkeypatch
        for question, answer in {
            "_get": self.kept.get,
            "_put": self.kept.__setitem__,
            "_delete": lambda key: self.kept.pop(key, None) is not None,
            "actor": self.handles.get,
            "nodes": lambda: {name: Node(name, name, True, False, "", 8.0, 8.0) for name in ("n1", "n2")},
        }.items():
            monkeypatch.setattr(cluster_state, question, answer)
        monkeypatch.setattr("ray.get", self._get)
        monkeypatch.setattr("ray.kill", lambda actor_id, no_restart: self.ended.add(actor_id))

    @property
    def record(self) -> Record | None:
        return cluster_state.record("m1")

    def begin(
        self,
        seat: str,
        node: str = "n1",
        *,
        again: bool = False,
        predecessor: str | None = None,
        gate: threading.Event | None = None,
        reaches: set[str] | None = None,
        shows: str | None = "camera",
        meanwhile: Callable[[], None] = lambda: None,
    ) -> FakeRegistry:
        """An actor whose id is `seat`."""
        if gate is None:
            gate = threading.Event()
            gate.set()
        self.gates.append(gate)
        registry = FakeRegistry(gate, BOTH if reaches is None else reaches, shows, meanwhile)
        context = SimpleNamespace(
            get_actor_id=lambda: seat,
            get_actor_name=lambda: seat,
            get_node_id=lambda: node,
            current_actor=seat,
            was_current_actor_reconstructed=again,
        )
        self._patch.setattr("ray.get_runtime_context", lambda: context)
        self._patch.setattr(life, "StreamRegistry", lambda _settings: registry)
        before = (predecessor, "node n1 is drained") if predecessor else None
        self.handles[seat] = Handle(StreamActor(self._settings, REQUEST, before))
        return registry

    def outcome(self, seat: str) -> RelayError | None:
        return self.handles[seat].actor.outcome().error

    def _get(self, told: Any, timeout: float) -> Any:
        assert timeout < 60
        if isinstance(told, Exception):
            raise told
        return told

    def close(self) -> None:
        for gate in self.gates:
            gate.set()
        for handle in self.handles.values():
            handle.actor.stop()
        eventually(lambda: self.ended == set(self.handles), what="each actor ends itself")


@pytest.fixture
def cluster(settings_with: SettingsFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """At the end each actor has been stopped, and has ended itself."""
    monkeypatch.setattr(stream_actor, "set_up_console_logging", lambda _level: None)
    for limit in ("LAST_ANSWER_S", "LOOK_S", "RETRY_S", "ANSWER_LIMIT_S"):
        monkeypatch.setattr(life, limit, 0.02)
    for limit in ("CONNECT_LIMIT_S", "PICTURE_LIMIT_S", "ANSWER_LIMIT_S"):
        monkeypatch.setattr(takeover, limit, 0.02)
    made = Cluster(settings_with(), monkeypatch)
    yield made
    made.close()


def running(registry: FakeRegistry) -> FakeStream:
    assert registry.stream is not None
    return registry.stream


def taken_over(cluster: Cluster, **successor: Any) -> tuple[FakeStream, FakeRegistry]:
    """A stream on n1, and what took it over, or tried to, on n2."""
    before = running_on_n1(cluster)
    return before, cluster.begin("m1~", "n2", predecessor="m1", **successor)


def running_on_n1(cluster: Cluster) -> FakeStream:
    registry = cluster.begin("m1")
    assert cluster.outcome("m1") is None
    return running(registry)


def test_a_stop_ends_a_stream_that_has_begun_and_all_that_is_kept_of_it(cluster: Cluster) -> None:
    stream = running_on_n1(cluster)
    assert cluster.record is not None
    assert cluster.handles["m1"].actor.stop().error is None
    assert stream.gone.is_set()
    eventually(lambda: cluster.ended == {"m1"})
    assert cluster.kept == {}


@pytest.mark.parametrize("again", [False, True])
def test_a_stop_while_it_begins_is_not_forgotten(cluster: Cluster, again: bool) -> None:
    gate = threading.Event()
    registry = cluster.begin("m1", again=again, gate=gate)
    assert cluster.handles["m1"].actor.stop().error is None, "there is nothing to wait for"
    gate.set()
    cluster.outcome("m1")
    eventually(lambda: cluster.ended == {"m1"})
    assert registry.stream is None or registry.stream.gone.is_set()
    assert cluster.kept == {}


def test_a_successor_takes_both_destinations_and_the_record(cluster: Cluster) -> None:
    before, registry = taken_over(cluster)
    assert cluster.outcome("m1~") is None
    assert running(registry).served == BOTH
    assert before.is_left
    assert cluster.record is not None
    assert (cluster.record.actor_id, cluster.record.node) == ("m1~", "n2")
    assert [(move.from_node, move.to_node) for move in cluster.record.moves] == [("n1", "n2")]
    eventually(lambda: cluster.ended == {"m1"})
    assert cluster.record, "who has left forgets nothing of it"


def test_what_a_successor_is_told_goes_back_with_the_stream(cluster: Cluster) -> None:
    board = read_push({"sport": "cricket", "title": "The Final"})

    def meanwhile() -> None:
        actor = cluster.handles["m1~"].actor
        assert actor.push(board).error is None
        assert actor.delay_score(7.0).error is None

    before = running_on_n1(cluster)
    gate = threading.Event()
    cluster.begin("m1~", "n2", predecessor="m1", reaches=set(), meanwhile=meanwhile, gate=gate)
    gate.set()
    assert isinstance(cluster.outcome("m1~"), StartTimedOut)
    assert (before.board, before.request.score_delay_s) == (board, 7.0)


def test_a_successor_whose_predecessor_dies_meanwhile_keeps_the_stream(cluster: Cluster) -> None:
    def meanwhile() -> None:
        cluster.handles["m1"].is_gone = True

    running_on_n1(cluster)
    registry = cluster.begin("m1~", "n2", predecessor="m1", reaches=set(), meanwhile=meanwhile)
    assert cluster.outcome("m1~") is None
    assert not running(registry).gone.is_set()
    assert cluster.record is not None
    assert cluster.record.actor_id == "m1~"


def test_a_successor_that_gives_up_gives_the_record_back_itself(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    running_on_n1(cluster)
    monkeypatch.setattr(StreamActor, "take_back", lambda *_: None)
    cluster.begin("m1~", "n2", predecessor="m1", reaches=set())
    assert isinstance(cluster.outcome("m1~"), StartTimedOut)
    assert cluster.record is not None
    assert (cluster.record.actor_id, cluster.record.moves) == ("m1", ())


@pytest.mark.parametrize("reaches", [set(), {"primary"}, {"backup"}])
def test_a_destination_that_a_successor_does_not_reach_is_given_back(cluster: Cluster, reaches: set[str]) -> None:
    before, registry = taken_over(cluster, reaches=reaches)
    error = cluster.outcome("m1~")
    assert isinstance(error, StartTimedOut)
    assert str(error).startswith("Node n2 does not reach the ")
    assert str(error).endswith(" destination: the stream stays")
    eventually(lambda: before.served == BOTH)
    eventually(lambda: cluster.record is not None and cluster.record.actor_id == "m1")
    assert not before.is_left
    assert running(registry).is_left, "the match stays monitored"
    eventually(lambda: cluster.ended == {"m1~"})


def test_one_that_was_not_served_before_either_is_taken_all_the_same(cluster: Cluster) -> None:
    before = running_on_n1(cluster)
    before.served.clear()
    cluster.begin("m1~", "n2", predecessor="m1", reaches=set())
    assert cluster.outcome("m1~") is None
    assert before.is_left


def test_a_stop_that_comes_while_a_successor_waits_ends_it_at_once(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(takeover, "PICTURE_LIMIT_S", 600.0)
    before = running_on_n1(cluster)
    registry = cluster.begin("m1~", "n2", predecessor="m1", shows=None)
    eventually(lambda: registry.stream is not None)
    assert cluster.handles["m1~"].actor.stop().error is None
    assert isinstance(cluster.outcome("m1~"), StreamStopped)
    eventually(lambda: cluster.ended == {"m1~"})
    assert not before.gone.is_set()
    assert cluster.record is not None
    assert cluster.record.actor_id == "m1", "what it had not taken is not its to forget"


def test_a_predecessor_that_does_not_answer_keeps_the_stream(cluster: Cluster) -> None:
    running_on_n1(cluster)
    cluster.handles["m1"].is_gone = True
    cluster.begin("m1~", "n2", predecessor="m1")
    assert isinstance(cluster.outcome("m1~"), StreamUnreachable)
    assert cluster.record is not None
    assert cluster.record.actor_id == "m1"


def test_what_a_predecessor_keeps_late_does_not_take_the_stream_from_its_successor(cluster: Cluster) -> None:
    running_on_n1(cluster)
    record = cluster.record
    assert record is not None
    cluster_state.keep(replace(record, actor_id="m1~", node="n2"))
    actor = cluster.handles["m1"].actor
    actor.delay_score(3.0)
    eventually(lambda: not actor._life.keeping._unsaved)
    actor.stop()
    eventually(lambda: cluster.ended == {"m1"})
    assert cluster.record is not None
    assert (cluster.record.actor_id, cluster.record.request.score_delay_s) == ("m1~", None)


@pytest.mark.parametrize("predecessor", [None, "m1"])
def test_one_that_ray_begins_again_gives_way_to_who_has_the_stream_now(
    cluster: Cluster, predecessor: str | None
) -> None:
    stream = running_on_n1(cluster)
    cluster.begin("m1~", "n2", again=True, predecessor=predecessor)
    assert isinstance(cluster.outcome("m1~"), StreamStopped)
    eventually(lambda: cluster.ended == {"m1~"})
    assert not stream.gone.is_set()


def test_one_that_was_to_take_over_a_stream_that_is_stopped_now_does_not_begin(cluster: Cluster) -> None:
    registry = cluster.begin("m1~", "n2", again=True, predecessor="m1")
    assert isinstance(cluster.outcome("m1~"), StreamStopped)
    assert registry.stream is None
