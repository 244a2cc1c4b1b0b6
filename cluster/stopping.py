"""How a front end ends a stream: each of its actors is asked, and one that does not answer is killed.

What a killed process would have done for its stream is done here.
"""

from __future__ import annotations

import contextlib
from typing import Any

import ray
from ray.exceptions import ActorDiedError, GetTimeoutError, RayActorError

from cluster import cluster_state
from cluster.cluster_state import Head
from cluster.seating import CALL_LIMIT_S, Seating
from cluster.succession import Answer
from config import Settings
from errors import ClusterUnavailable, StopTimedOut
from relay.match_side import end_monitoring_of
from relay.registry import STOP_LIMIT_S


def stop_stream(name: str, settings: Settings, head: Head, seating: Seating) -> None:
    """End all actors of a stream: two while it moves, of which the second one may have come just now.

    Raises StreamNotFound, StopTimedOut.
    """
    late: StopTimedOut | None = None
    asked: dict[str, Any] = {}
    to_ask = seating.seats_of(name)
    while to_ask:
        seat, *to_ask = to_ask
        handle = seating.fresh(seat)
        if handle is None:  # it has gone meanwhile
            continue
        asked[seat] = handle
        try:
            answers = _ask_to_stop(name, handle, settings, head, seating)
        except StopTimedOut as error:
            late, answers = error, True
        if answers:  # as long as its name stands, another one of the stream's names is no new stream's
            with contextlib.suppress(ClusterUnavailable):
                its = head.ask(cluster_state.taken_seats).get(name, [])
                to_ask = [one for one in its if one not in asked]
    for seat, handle in asked.items():
        if not seating.await_end(seat, handle):
            _end_silent(name, handle, settings, head, seating)
            if not seating.await_end(seat, handle):
                late = StopTimedOut(f"The process of stream {name} did not end within {CALL_LIMIT_S:g} s")
    if late:
        raise late
    seating.forget(name)


def _ask_to_stop(name: str, handle: Any, settings: Settings, head: Head, seating: Seating) -> bool:
    """False if it has no process that answers, and does not get another one."""
    try:
        answer: Answer = ray.get(handle.stop.remote(), timeout=STOP_LIMIT_S + 1)
    except ActorDiedError:
        return False
    except (RayActorError, GetTimeoutError):
        _end_silent(name, handle, settings, head, seating)
        return False
    if isinstance(answer.error, StopTimedOut):
        raise answer.error
    return True


def _end_silent(name: str, handle: Any, settings: Settings, head: Head, seating: Seating) -> None:
    """End its process, or make sure that none follows."""
    head.ask(lambda: ray.kill(handle, no_restart=True))
    if seating.has(handle, name):
        record = head.ask(lambda: cluster_state.record(name))
        head.ask(lambda: cluster_state.forget(name))
        end_monitoring_of(settings, record.request if record else None)
