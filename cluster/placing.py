"""Where a new stream's process goes: room on the nodes, and the starts of this front end that are under way.

Ray chooses the node. This module makes sure that no more is begun than there is room for.
"""

from __future__ import annotations

import contextlib
import functools
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Set
from typing import Any

import ray
from ray.exceptions import ActorAlreadyExistsError, ActorDiedError, RayActorError

from cluster import cluster_state
from cluster.cluster_state import NAMESPACE, Head, Node, Record
from cluster.stream_actor import CALLS_AT_ONCE, StreamActor
from cluster.succession import Answer
from config import Settings
from errors import ClusterUnavailable, NoCapacity, StartTimedOut, StreamAlreadyActive, StreamStopped
from media.capacity import cpus_to_reserve
from relay.registry import NodeLoad
from relay.request import StreamRequest

START_LIMIT_S = 60.0
# A free node gives a process in about a second. Who has none by then may have been overtaken: another front end took
# the room. Whether it did is not always clear; who has no process by the limit waits for room.
PLACING_LOOK_S = 1.0
PLACING_LIMIT_S = 15.0
LOOK_S = 0.1
# The head hears of what is free on a node a moment after it has changed.
SETTLING_S = 1.0


class _Start:
    """A start of this front end. The head counts its CPUs a moment after it has a node."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_under_way = True
        self._known_at = float("inf")

    def is_placed(self) -> None:
        self._known_at = min(self._known_at, time.monotonic() + SETTLING_S)

    def is_unknown(self, now: float) -> bool:
        return now < self._known_at


class Placing:
    """The starts of one front end. Safe to call from many threads."""

    def __init__(self, settings: Settings, head: Head) -> None:
        self._settings = settings
        self._head = head
        self._lock = threading.Lock()
        self._starts: list[_Start] = []

    @contextlib.contextmanager
    def room_for(self, name: str, need: float, *, is_new: bool) -> Iterator[Callable[[], None]]:
        """Refuse what no node has room for, beside those of this front end that have no node yet.

        Gives what is to be called when it has one. Room that a stop has just
        freed is soon known, and waited for; so is what becomes of earlier starts.
        For one that `is_new` MAX_CONCURRENT_STREAMS is kept, too.
        """
        start = _Start(name)
        began_at = time.monotonic()
        while True:
            taken, nodes = self._head.ask(lambda: (cluster_state.taken_seats(), cluster_state.nodes()))
            room = sum(room_on(node, need) for node in nodes.values())
            now = time.monotonic()
            with self._lock:
                self._starts = [one for one in self._starts if one.is_under_way or one.is_unknown(now)]
                if is_new:
                    self._refuse_too_many({*taken, *(one.name for one in self._starts if one.is_under_way)} - {name})
                if sum(one.is_unknown(now) for one in self._starts) < room:
                    self._starts.append(start)
                    break
            if now - began_at > (PLACING_LIMIT_S if room else SETTLING_S):
                raise NoCapacity(f"No capacity left: {free_words(nodes, need)}")
            time.sleep(LOOK_S)
        try:
            yield start.is_placed
        finally:
            start.is_placed()
            start.is_under_way = False

    def _refuse_too_many(self, taken: Set[str]) -> None:
        most = self._settings.max_concurrent_streams
        if most != "auto" and len(taken) >= most:
            raise NoCapacity(f"No capacity left: {len(taken)} streams run, and MAX_CONCURRENT_STREAMS is {most}")

    def begin(self, seat: str, settings: Settings, request: StreamRequest, predecessor: tuple[str, str] | None) -> Any:
        """Have Ray make an actor of this name; gives its handle, before it has a node."""
        is_given_up = threading.Event()

        def create() -> Any:
            handle = (
                _actor_class()
                .options(
                    name=seat,
                    namespace=NAMESPACE,
                    lifetime="detached",
                    max_restarts=-1,
                    num_cpus=need_of(settings),
                    max_concurrency=CALLS_AT_ONCE,
                    scheduling_strategy="SPREAD",
                )
                .remote(settings, request, predecessor)
            )
            if is_given_up.is_set():
                ray.kill(handle, no_restart=True)
            return handle

        try:
            return self._head.ask(create, START_LIMIT_S)
        except ActorAlreadyExistsError:
            raise StreamAlreadyActive("Stream already active") from None
        except ClusterUnavailable:
            is_given_up.set()
            raise

    def outcome(self, handle: Any, name: str, need: float, placed: Callable[[], None]) -> Answer:
        """How its begin went; waits for that, and calls `placed` once it has a node."""
        began_at = looked_at = time.monotonic()
        asked = handle.outcome.remote()
        is_placed = False
        while time.monotonic() - began_at < START_LIMIT_S:
            if ray.wait([asked], timeout=LOOK_S)[0]:
                try:
                    answer: Answer = ray.get(asked)
                except ActorDiedError:
                    raise StreamStopped(f"Stream {name} was stopped while it started") from None
                except RayActorError:
                    asked = handle.outcome.remote()  # its node died: Ray begins it again
                    time.sleep(LOOK_S)
                    continue
                return answer
            now = time.monotonic()
            if not is_placed and now - looked_at > PLACING_LOOK_S:
                looked_at = now
                with contextlib.suppress(ClusterUnavailable):  # the process itself can still be reached
                    running, nodes = self._head.ask(_running_actors_and_nodes)
                    is_placed = handle._actor_id.hex() in running
                    # There is room, so it is only slow: its node is busy.
                    if not (is_placed or any(room_on(node, need) for node in nodes.values())) and (
                        is_all_in_use(nodes, len(running), need) or now - began_at > PLACING_LIMIT_S
                    ):
                        raise NoCapacity(f"No capacity left: another start was earlier; {free_words(nodes, need)}")
                if is_placed:
                    placed()
        raise StartTimedOut(f"Stream {name} did not begin within {START_LIMIT_S:g} s")

    def is_under_way(self) -> bool:
        """True while a start has its room, and waits for its stream."""
        with self._lock:
            return any(one.is_under_way for one in self._starts)


@functools.cache
def _actor_class() -> Any:
    """Made once, because the head keeps each class that it is given."""
    return ray.remote(StreamActor)


def need_of(settings: Settings) -> float:
    """CPUs, as Ray counts them, that a stream with these settings asks for."""
    return cpus_to_reserve(settings.profile, settings.encoder)


def room_on(node: Node, need: float) -> int:
    """How many more streams with this need fit on the node."""
    return int((node.free + 1e-6) / need)


def _running_actors_and_nodes() -> tuple[set[str], dict[str, Node]]:
    return set(cluster_state.actors(StreamActor.__name__, "ALIVE")), cluster_state.nodes()


def is_all_in_use(nodes: dict[str, Node], running: int, need: float) -> bool:
    """True when streams that run have all that is not free, so that one with no process yet can have none of it."""
    in_use = sum(node.cpus - node.free for node in nodes.values() if node.is_alive and not node.is_draining)
    return abs(in_use - running * need) < 1e-3


def free_words(nodes: dict[str, Node], need: float) -> str:
    """Says why there is no room."""
    alive = sorted((node for node in nodes.values() if node.is_alive and node.cpus), key=lambda node: node.name)
    free = ", ".join(f"{node.name} {'is drained' if node.is_draining else f'{node.free:.2f}'}" for node in alive)
    return f"a stream takes {need:.2f} CPUs, and there are free: {free or 'none, on no node'}"


def loads_of(
    nodes: dict[str, Node], records: dict[str, Record], need: float, busy_of: Callable[[str], float | None]
) -> tuple[NodeLoad, ...]:
    """How full each living node is, if it has CPUs or streams."""
    on_node = Counter(record.node_id for record in records.values())
    return tuple(
        NodeLoad(
            name=node.name,
            cpus=node.cpus,
            free=round(node.free, 4),
            streams=on_node[node.id],
            room=room_on(node, need),
            busy=busy_of(node.id),
            is_draining=node.is_draining,
        )
        for node in sorted(nodes.values(), key=lambda node: node.name)
        if node.is_alive and (node.cpus or on_node[node.id])
    )
