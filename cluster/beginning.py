"""How a front end starts an actor: for a new stream, and for a stream that moves to another node."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import ray
from pydantic import SecretStr
from ray.exceptions import RayError

from cluster import cluster_state
from cluster.cluster_state import Head, other_seat, seats
from cluster.placing import Placing, need_of
from cluster.seating import CALL_LIMIT_S, Seating
from cluster.succession import Answer, Belongings
from config import Settings
from errors import (
    ClusterUnavailable,
    RelayError,
    SameDestination,
    StreamAlreadyActive,
    StreamNotFound,
    StreamUnreachable,
)
from media.destination import clash
from relay.request import StreamRequest


class Beginning:
    """Safe to call from many threads. `is_closing` says that the front end leaves the cluster."""

    def __init__(
        self, settings: Settings, head: Head, placing: Placing, seating: Seating, is_closing: Callable[[], bool]
    ) -> None:
        self._settings = settings
        self._need = need_of(settings)
        self._head = head
        self._placing = placing
        self._seating = seating
        self._is_closing = is_closing

    def begin(self, request: StreamRequest) -> None:
        """Begin a stream on a node with room."""
        if request.name in self._head.ask(cluster_state.taken_seats) and not self._has_failed(request.name):
            raise StreamAlreadyActive("Stream already active")
        others = [(name, record.request.destinations) for name, record in self._seating.records().items()]
        if other := clash(request.destinations, others):
            raise SameDestination.of(other)
        with self._placing.room_for(request.name, self._need, is_new=True) as placed:
            self._create(placed, seats(request.name)[0], self._shared_settings(), request)

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

    def _has_failed(self, name: str) -> bool:
        """True if the stream of this name has failed and its process has ended."""
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
        """Start an actor, and wait until its stream has begun. If that fails, nothing is left of it. Returns its id."""
        handle = self._placing.begin(seat, settings, request, predecessor)
        self._seating.know(seat, handle)
        try:
            answer = self._placing.outcome(handle, request.name, need_of(settings), placed)
            if answer.error:
                self._seating.await_end(seat, handle)
                raise answer.error
        except BaseException as error:
            if self._is_closing():  # Ray is gone under this call
                raise ClusterUnavailable(f"The service stops; stream {request.name} may be on air") from error
            with contextlib.suppress(RelayError):
                if predecessor is None or not self._seating.has(handle, request.name):
                    self._head.ask(lambda: ray.kill(handle, no_restart=True), insists=True)
            raise
        return str(handle._actor_id.hex())

    def _shared_settings(self) -> Settings:
        """The settings for the actors, without the secrets of the front end."""
        return self._settings.model_copy(update={"api_token": SecretStr(""), "hook_secret": SecretStr("")})
