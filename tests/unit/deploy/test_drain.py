from __future__ import annotations

from typing import Any

import pytest

from cluster import cluster_state
from cluster.cluster_state import Node, Record
from deploy import drain
from errors import NoCapacity, StreamNotFound
from relay.registry import Load, NodeLoad
from relay.request import StreamRequest
from tests.unit.conftest import destination

NODES = {name: Node(name, name, True, False, "", 8.0, 8.0) for name in ("n1", "n2")}


class FakeRegistry:
    """Two nodes, of which n2 has room. A stream moves there, unless `outcomes` has an error for it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.room = 9
        self.outcomes: dict[str, Exception] = {}
        self.records: dict[str, Record] = {}
        self.actors: dict[str, str] = {}
        self.drained: list[str] = []
        for question, answer in {
            "nodes": lambda: NODES,
            "records": lambda: dict(self.records),
            "taken_seats": lambda: {name: [name] for name in self.records},
            "actors": lambda *_: dict(self.actors),
        }.items():
            monkeypatch.setattr(cluster_state, question, answer)
        monkeypatch.setattr(drain, "_tell_ray", self.drained.append)
        monkeypatch.setattr(drain, "START_LIMIT_S", 0.3)

    def add(self, name: str, node: str = "n1") -> None:
        self.actors[f"id-of-{name}"] = node
        self.begin(name, node)

    def begin(self, name: str, node: str = "n1") -> None:
        self.records[name] = Record(StreamRequest(name, destination()), 50_000.0, f"id-of-{name}", node, node)

    def load(self) -> Load:
        loads = [NodeLoad(name, 8.0, 8.0, 0, self.room, None, is_draining=False) for name in NODES]
        return Load(0, 9, False, tuple(loads))

    def move(self, name: str, why: str) -> str:
        assert why == "node n1 is drained for maintenance"
        if name in self.outcomes:
            raise self.outcomes[name]
        self.add(name, "n2")
        return "n2"


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> FakeRegistry:
    return FakeRegistry(monkeypatch)


def said(registry: Any, capsys: pytest.CaptureFixture[str], *, anyway: bool = False) -> tuple[int, list[str]]:
    status = drain.drain(registry, "n1", anyway=anyway)
    return status, capsys.readouterr().out.splitlines()


def test_a_node_is_emptied_stream_by_stream(registry: FakeRegistry, capsys: pytest.CaptureFixture[str]) -> None:
    registry.add("m1")
    registry.add("m2", "n2")
    status, lines = said(registry, capsys)
    assert (status, registry.drained) == (0, ["n1"])
    assert lines[0] == "n1 takes no more streams; 1 stream to move"
    assert lines[1].startswith("m1: moved to n2 in ")
    assert lines[2:] == ["n1 is empty: it can be stopped"]


def test_without_room_for_all_nothing_is_done_unless_anyway_is_given(
    registry: FakeRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    registry.add("m1")
    registry.room = 0
    status, lines = said(registry, capsys)
    assert (status, registry.drained) == (1, [])
    assert lines == ["n1 has 1 stream, and the other nodes have room for 0: nothing was done"]
    registry.outcomes["m1"] = NoCapacity("No capacity left")
    status, lines = said(registry, capsys, anyway=True)
    assert (status, registry.drained) == (1, ["n1"])
    assert lines[1:] == ["m1: stays: No capacity left", "1 stream left on n1: make room, and run this again"]


def test_a_stream_that_was_stopped_is_over_and_one_that_cannot_be_moved_stays(
    registry: FakeRegistry, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.add("m1")
    registry.add("m2")
    registry.outcomes = dict.fromkeys(("m1", "m2"), StreamNotFound("Stream not found"))
    monkeypatch.setattr(cluster_state, "taken_seats", lambda: {"m2": ["m2"]})
    status, lines = said(registry, capsys)
    assert status == 1
    assert lines[1:3] == ["m1: has ended", "m2: stays: Stream not found"]


def test_a_stream_that_is_starting_is_moved_when_it_has_started(
    registry: FakeRegistry, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.actors["id-of-m1"] = "n1"
    registry.begin("m1", "n2")  # where it was before its node died
    monkeypatch.setattr("time.sleep", lambda _s: registry.begin("m1"))
    status, lines = said(registry, capsys)
    assert status == 0
    assert lines[1].startswith("m1: moved to n2 in ")


def test_a_node_with_a_stream_that_never_starts_is_not_called_empty(
    registry: FakeRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    registry.actors["id-of-m1"] = "n1"
    status, lines = said(registry, capsys)
    assert (status, lines[-1]) == (1, "a stream on n1 has not started within 0.3 s: run this again")
