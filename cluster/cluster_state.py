"""What a cluster knows of its nodes and streams, as Ray's head keeps it.

A stream's record stands beside its actor in the head's key-value store: it is
there as long as the actor is known, and outlives a head that keeps its state
on a disk just as that does. Ray Serve keeps its checkpoints in the same way;
of Ray's interface for it only `ray.experimental` is public, and free
processors by node are not public at all (Ray 2.60).

Whoever reads it trusts what it says: who can write there runs code on all
nodes anyway.
"""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast

import ray
import ray.util
from ray._private import state as ray_state
from ray.exceptions import RaySystemError, RpcError
from ray.experimental import internal_kv

from errors import ClusterUnavailable
from relay.request import LastPush, StreamRequest
from relay.stream_state import Move, StreamStatus

NAMESPACE = "streaming-overlay"
ANSWER_LIMIT_S = 3.0
KEPT_MOVES = 20
# A stream's actor has the stream's name. While it moves there are two actors, and the second has this name.
_SECOND_SEAT = "~"
_STREAM, _PUSH, _FAILED = "stream/", "push/", "failed/"
_AWAY = "The cluster's head does not answer; streams go on without it"

T = TypeVar("T")

# Not typed by Ray.
_ray, _ray_state = cast("Any", ray), cast("Any", ray_state)
_kv: Callable[[], Any] = internal_kv.internal_kv_get_gcs_client


@dataclass(frozen=True)
class Record:
    """A stream that has been on air: what it was asked for, since when, and whose it is.

    `actor_id` is the actor that has it; another one of its name has lost it.
    """

    request: StreamRequest
    begun_at: float
    actor_id: str
    node_id: str
    node: str
    moves: tuple[Move, ...] = ()

    def moved(self, move: Move) -> Record:
        return replace(self, moves=(*self.moves, move)[-KEPT_MOVES:])


@dataclass(frozen=True)
class Failure:
    """A stream that ended although nobody had asked for it; `at` in epoch seconds."""

    status: StreamStatus
    at: float


@dataclass(frozen=True)
class Node:
    """One machine that runs, or ran, a part of the cluster; CPUs as Ray counts them."""

    id: str
    name: str
    is_alive: bool
    is_draining: bool
    death: str
    cpus: float
    free: float


class Head:
    """Ray's head, asked for no longer than a caller may wait. Safe to call from many threads."""

    def __init__(self) -> None:
        self._is_away = False

    def ask(self, question: Callable[[], T], limit_s: float = ANSWER_LIMIT_S, *, insists: bool = False) -> T:
        """Its answer; raises ClusterUnavailable when none comes in time.

        Ray itself waits for a head that is away, for as long as the cluster
        was set up to: meanwhile the question stays open on a thread of its own,
        and whoever asks next is told at once. Who insists leaves a question
        that must be heard when the head is back.
        """
        if self._is_away and not insists:
            raise ClusterUnavailable(_AWAY)
        answer: Future[T] = Future()

        def run() -> None:
            try:
                answer.set_result(question())
            except BaseException as error:
                answer.set_exception(error)

        threading.Thread(target=run, name="ask-head", daemon=True).start()
        if not wait((answer,), limit_s).done:
            self._is_away = True
            answer.add_done_callback(self._is_back)  # called at once if the answer is there already
            raise ClusterUnavailable(_AWAY)
        try:
            return answer.result()
        except (RpcError, RaySystemError) as error:
            raise ClusterUnavailable(f"The cluster's head does not answer: {error}") from error

    def _is_back(self, _answer: Future[Any]) -> None:
        self._is_away = False


def seats(name: str) -> tuple[str, str]:
    """The two names of actors that a stream may have; the first is the one it starts with."""
    return name, name + _SECOND_SEAT


def other_seat(seat: str) -> str:
    return seat.removesuffix(_SECOND_SEAT) if seat.endswith(_SECOND_SEAT) else seat + _SECOND_SEAT


def all_seats() -> list[str]:
    """The names of all actors, also of those that Ray is to begin again."""
    return sorted(cast("list[str]", ray.util.list_named_actors()))


def taken_seats() -> dict[str, list[str]]:
    """The same by stream: one, or two while it moves."""
    found: dict[str, list[str]] = {}
    for seat in all_seats():
        found.setdefault(seat.removesuffix(_SECOND_SEAT), []).append(seat)
    return found


def actor(seat: str) -> Any | None:
    """A handle of the actor of this name; None when there is none."""
    try:
        return ray.get_actor(seat, NAMESPACE)
    except ValueError:
        return None


def records() -> dict[str, Record]:
    """By stream."""
    return cast("dict[str, Record]", _all_of(_STREAM))


def record(name: str) -> Record | None:
    return cast("Record | None", _get(_STREAM + name))


def keep(record: Record) -> None:
    _put(_STREAM + record.request.name, record)


def forget(name: str) -> None:
    """Remove its record, and what was pushed to it."""
    for prefix in (_STREAM, _PUSH):
        _delete(prefix + name)


def last_push(name: str) -> LastPush | None:
    return cast("LastPush | None", _get(_PUSH + name))


def keep_push(name: str, push: LastPush) -> None:
    _put(_PUSH + name, push)


def failures() -> dict[str, Failure]:
    """By stream."""
    return cast("dict[str, Failure]", _all_of(_FAILED))


def failure(name: str) -> Failure | None:
    return cast("Failure | None", _get(_FAILED + name))


def keep_failure(failure: Failure) -> None:
    _put(_FAILED + failure.status.name, failure)


def forget_failure(name: str) -> bool:
    """Returns False if there was none."""
    return _delete(_FAILED + name)


def nodes() -> dict[str, Node]:
    """By Ray's id, also those that are gone; a node that is being drained has no free CPUs."""
    free, draining = _ray_state.available_resources_per_node(), _ray_state.state.get_draining_nodes()
    found = {}
    for told in _ray.nodes():
        node_id = told["NodeID"]
        is_free = told["Alive"] and node_id not in draining
        found[node_id] = Node(
            id=node_id,
            name=told["NodeName"] or told["NodeManagerAddress"],
            is_alive=told["Alive"],
            is_draining=told["Alive"] and node_id in draining,
            death=told.get("DeathReasonMessage") or "",
            cpus=float(told["Resources"].get("CPU", 0)),
            free=float(free.get(node_id, {}).get("CPU", 0)) if is_free else 0.0,
        )
    return found


def actors(class_name: str, *states: str) -> dict[str, str]:
    """The ids of the actors of this class in one of Ray's states, and of the nodes where they run or wait."""
    return {
        actor_id: told["Address"]["NodeID"]
        for state in states
        for actor_id, told in _ray_state.state.actor_table(None, actor_state_name=state).items()
        if told["ActorClassName"] == class_name
    }


def _get(key: str) -> Any:
    return _read(_kv().internal_kv_get(key.encode(), NAMESPACE.encode()))


def _put(key: str, value: object) -> None:
    _kv().internal_kv_put(key.encode(), pickle.dumps(value), True, NAMESPACE.encode())


def _delete(key: str) -> bool:
    return bool(_kv().internal_kv_del(key.encode(), False, NAMESPACE.encode()))


def _all_of(prefix: str) -> dict[str, Any]:
    client, namespace = _kv(), NAMESPACE.encode()
    keys = client.internal_kv_keys(prefix.encode(), namespace)
    values = client.internal_kv_multi_get(keys, namespace) if keys else {}
    return {key.decode().removeprefix(prefix): _read(value) for key, value in values.items()}


def _read(content: bytes | None) -> Any:
    return None if content is None else pickle.loads(content)  # noqa: S301 - see above
