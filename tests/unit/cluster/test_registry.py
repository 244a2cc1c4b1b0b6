from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from ray.exceptions import ActorDiedError, RayActorError

from cluster import cluster_state
from cluster.cluster_state import Node, Record
from cluster.placing import is_all_in_use
from cluster.registry import ClusterRegistry
from cluster.succession import Answer
from errors import NoCapacity, StreamNotFound
from relay.request import StreamRequest
from tests.conftest import SettingsFactory
from tests.unit.conftest import destination

FULL = {name: Node(name, name, True, False, "", 1.0, 0.22) for name in ("n1", "n2")}
NEED = 0.39
RECORD = Record(StreamRequest("m1", destination()), 50_000.0, "a1", "n1", "n1")


def test_a_start_that_holds_nothing_while_streams_that_run_have_all_has_lost_its_room() -> None:
    assert is_all_in_use(FULL, 4, NEED)


@pytest.mark.parametrize(
    ("running", "nodes"),
    [
        (3, FULL),  # one of those that have no process yet has its room; who knows which
        (5, FULL),  # one has just ended
        (4, FULL | {"n2": replace(FULL["n2"], free=0.23)}),  # some ask for another amount
        (4, FULL | {"n2": replace(FULL["n2"], is_draining=True)}),
    ],
)
def test_it_has_not_as_long_as_that_is_not_sure(running: int, nodes: dict[str, Node]) -> None:
    assert not is_all_in_use(nodes, running, NEED)


def test_dead_nodes_and_those_for_front_ends_do_not_count() -> None:
    dead, front_end = replace(FULL["n1"], is_alive=False, free=0.0), replace(FULL["n1"], cpus=0.0, free=0.0)
    assert is_all_in_use(FULL | {"n3": dead, "n4": front_end}, 4, NEED)


class FakeRay:
    """Its nodes, and its actors by name; `nodes` and `actors` may be changed while somebody waits."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.nodes = {"n1": Node("n1", "n1", True, False, "", 8.0, 0.0)}
        self.actors: dict[str, Any] = {}
        self.killed: list[str] = []
        self.record: Record | None = None
        self.forgotten: list[str] = []
        for question, answer in {
            "nodes": lambda: self.nodes,
            "all_seats": lambda: sorted(self.actors),
            "actor": self.actors.get,
            "record": lambda _name: self.record,
            "forget": self.forgotten.append,
        }.items():
            monkeypatch.setattr(cluster_state, question, answer)
        monkeypatch.setattr("ray.get", self._get)
        monkeypatch.setattr("ray.kill", self._kill)
        monkeypatch.setattr("cluster.registry.connect", lambda _settings: None)
        monkeypatch.setattr("cluster.placing.SETTLING_S", 0.05)
        for module in ("placing", "registry"):
            monkeypatch.setattr(f"cluster.{module}.LOOK_S", 0.005)
        monkeypatch.setattr("cluster.registry.CALL_LIMIT_S", 1.0)

    def has_room(self, streams: int, need: float) -> None:
        self.nodes["n1"] = replace(self.nodes["n1"], free=streams * need)

    def add(self, seat: str, stop: Callable[[], Any], actor_id: str = "a1") -> None:
        """An actor that does this when it is told to stop."""
        told, id_ = SimpleNamespace(remote=stop), SimpleNamespace(hex=lambda: actor_id)
        self.actors[seat] = SimpleNamespace(seat=seat, stop=told, _actor_id=id_)

    def _get(self, told: Any, timeout: float) -> Any:
        assert timeout < 60
        if isinstance(told, Exception):
            raise told
        return told

    def _kill(self, handle: Any, no_restart: bool) -> None:
        assert no_restart
        seat = handle.seat
        self.killed.append(seat)
        if self.actors.get(seat) is handle:
            del self.actors[seat]


@pytest.fixture
def fake_ray(monkeypatch: pytest.MonkeyPatch) -> FakeRay:
    return FakeRay(monkeypatch)


@contextlib.contextmanager
def placed(registry: ClusterRegistry, name: str, *, is_new: bool = True) -> Iterator[Callable[[], None]]:
    with registry._placing.room_for(name, registry._need, is_new=is_new) as is_placed:
        yield is_placed


def test_room_is_given_to_one_start_only_until_the_head_knows_of_it(
    fake_ray: FakeRay, settings_with: SettingsFactory
) -> None:
    registry = ClusterRegistry(settings_with())
    fake_ray.has_room(2, registry._need)
    with placed(registry, "m1") as first, placed(registry, "m2"):
        third = threading.Event()

        def start() -> None:
            with placed(registry, "m3"):
                third.set()

        waits = threading.Thread(target=start)
        waits.start()
        assert not third.wait(0.2), "both places may be gone"
        fake_ray.has_room(2, registry._need)  # one has ended, m1 has its place: there is room for m2 and m3
        first()
        assert third.wait(20)
        waits.join()


def test_what_no_node_has_room_for_is_refused_soon(fake_ray: FakeRay, settings_with: SettingsFactory) -> None:
    registry = ClusterRegistry(settings_with())
    refused = "^No capacity left: a stream takes .* CPUs, and there are free: n1 0.00$"
    with pytest.raises(NoCapacity, match=refused), placed(registry, "m1"):
        pass


def test_starts_under_way_count_for_the_limit(fake_ray: FakeRay, settings_with: SettingsFactory) -> None:
    registry = ClusterRegistry(settings_with(max_concurrent_streams="3"))
    fake_ray.has_room(9, registry._need)
    fake_ray.add("m1", Answer)
    with placed(registry, "m2") as second, placed(registry, "m3"):
        second()
        refused = "^No capacity left: 3 streams run, and MAX_CONCURRENT_STREAMS is 3$"
        with pytest.raises(NoCapacity, match=refused), placed(registry, "m4"):
            pass
        with placed(registry, "m3"), placed(registry, "m1", is_new=False):
            pass  # the head says which of two of one name is refused; one that moves is none more
    with placed(registry, "m4"):
        pass


def stops(fake_ray: FakeRay, seat: str) -> Callable[[], Answer]:
    def stop() -> Answer:
        del fake_ray.actors[seat]
        return Answer()

    return stop


def test_a_stop_reaches_a_successor_that_comes_at_the_same_time(
    fake_ray: FakeRay, settings_with: SettingsFactory
) -> None:
    def stop() -> Answer:
        fake_ray.add("m1~", stops(fake_ray, "m1~"))
        threading.Timer(0.02, fake_ray.actors.pop, ["m1"]).start()  # an actor lives on for a moment
        return Answer()

    fake_ray.add("m1", stop)
    ClusterRegistry(settings_with()).stop("m1")
    assert fake_ray.actors == {}


@pytest.mark.parametrize("before", ["m1", "m1~"])
def test_a_stop_leaves_a_new_stream_of_the_name_alone(
    fake_ray: FakeRay, settings_with: SettingsFactory, before: str
) -> None:
    asked: list[str] = []

    def begin() -> None:
        fake_ray.actors.pop(before)
        fake_ray.add("m1", lambda: asked.append("m1"), "a2")
        fake_ray.record = replace(RECORD, actor_id="a2")

    def stop() -> Answer:
        threading.Timer(0.02, begin).start()
        return Answer()

    fake_ray.record = RECORD
    fake_ray.add(before, stop)
    ClusterRegistry(settings_with()).stop("m1")
    assert (list(fake_ray.actors), asked, fake_ray.killed, fake_ray.forgotten) == (["m1"], [], [], [])


def test_a_process_that_does_not_end_is_ended(fake_ray: FakeRay, settings_with: SettingsFactory) -> None:
    fake_ray.record = RECORD
    fake_ray.add("m1", Answer)
    ClusterRegistry(settings_with()).stop("m1")
    assert (fake_ray.killed, fake_ray.forgotten) == (["m1"], ["m1"])


def test_one_without_a_process_does_not_come_back(fake_ray: FakeRay, settings_with: SettingsFactory) -> None:
    fake_ray.add("m1", RayActorError)
    fake_ray.add("m1~", lambda: stops(fake_ray, "m1~")() and ActorDiedError(), "a2")
    ClusterRegistry(settings_with()).stop("m1")
    assert (fake_ray.killed, fake_ray.actors) == (["m1"], {})


def test_one_that_has_ended_since_is_not_waited_for(
    fake_ray: FakeRay, settings_with: SettingsFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_ray.add("m1", Answer)
    monkeypatch.setattr(cluster_state, "actor", lambda _seat: None)
    ClusterRegistry(settings_with()).stop("m1")
    assert (fake_ray.killed, list(fake_ray.actors)) == ([], ["m1"])


def test_a_stream_that_is_not_there_cannot_be_stopped(fake_ray: FakeRay, settings_with: SettingsFactory) -> None:
    with pytest.raises(StreamNotFound):
        ClusterRegistry(settings_with()).stop("m1")
