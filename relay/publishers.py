"""Who publishes a stream's picture, as the RTMP server's hooks report it.

nginx-rtmp asks before it knows whether the name is free. So a second camera
of a name is reported like the first, and its end follows at once, when it is
refused. Only the end of the connection that holds the name means that the
camera left.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

CLAIM_S = 2.0  # nginx ends a connection that it refuses within milliseconds
KEPT_REFUSALS = 32
REFUSED_S = 15.0  # how long a refused camera is worth a word: it tries again in a few seconds


class CameraKind(StrEnum):
    """What a hook reports of a connection."""

    CAME = "came"
    STAYS = "stays"  # it still publishes
    LEFT = "left"
    REFUSED = "refused"  # its key is wrong, or it gave none


@dataclass(frozen=True)
class CameraEvent:
    """One report of a hook. `client_id` is empty if the RTMP server gives none, `address` if it is not known."""

    kind: CameraKind
    client_id: str = ""
    address: str = ""

    @property
    def connection(self) -> str:
        """Of which connection it is; empty if nobody can tell. Several RTMP servers may count alike."""
        return f"{self.client_id} {self.address}" if self.client_id else ""


@dataclass(frozen=True)
class Publisher:
    """A connection that publishes under the stream's name. `since` by the clock."""

    connection: str
    address: str
    since: float


class Publishers:
    """The connection that holds the name, and those that try to. Safe to call from many threads.

    `flows` says whether the camera's frames arrive. `came` and `left` are called when the camera did.
    """

    def __init__(
        self, clock: Callable[[], float], flows: Callable[[], bool], came: Callable[[], None], left: Callable[[], None]
    ) -> None:
        self._clock = clock
        self._flows = flows
        self._came = came
        self._left = left
        self._lock = threading.Lock()
        self._holder: Publisher | None = None
        self._claims: dict[str, Publisher] = {}
        self._refused_at: float | None = None
        self._turned_away: deque[Publisher] = deque(maxlen=KEPT_REFUSALS)

    @property
    def holder(self) -> Publisher | None:
        """Who publishes; None if nobody does, or if the hooks have not said who."""
        with self._lock:
            return self._holder

    def refused_lately(self, now: float) -> bool:
        """True if another connection was refused a short time ago, because the holder has the name."""
        with self._lock:
            return self._refused_at is not None and now - self._refused_at < REFUSED_S

    def turned_away_lately(self, now: float) -> Publisher | None:
        """The newest camera that gave a wrong key, or none, if that was a short time ago."""
        with self._lock:
            newest = self._turned_away[-1] if self._turned_away else None
        return newest if newest is not None and now - newest.since < REFUSED_S else None

    def hear(self, event: CameraEvent) -> None:
        """Take one report."""
        with self._lock:
            effect = self._effect_of(event)
        if effect is not None:
            effect()

    def settle(self, now: float) -> None:
        """Take a connection that has stayed for the holder: the end of the one before was not reported."""
        with self._lock:
            stayed = [claim for claim in self._claims.values() if now - claim.since >= CLAIM_S]
            if not stayed:
                return
            self._hold(stayed[-1])
        self._came()

    def _effect_of(self, event: CameraEvent) -> Callable[[], None] | None:
        publisher = Publisher(event.connection, event.address, self._clock())
        if event.kind == CameraKind.REFUSED:
            self._turned_away.append(publisher)
            return None
        if not event.connection:
            return {CameraKind.CAME: self._came, CameraKind.LEFT: self._left}.get(event.kind)
        if event.kind == CameraKind.LEFT:
            return self._end_of(publisher)
        is_holder = self._holder is not None and self._holder.connection == event.connection
        if event.kind == CameraKind.STAYS:
            if not is_holder:
                self._hold(publisher)
            return None
        if is_holder or (self._holder is None and not self._flows()):
            self._hold(publisher)
            return self._came
        self._claims[event.connection] = publisher
        return None

    def _hold(self, publisher: Publisher) -> None:
        self._holder, self._refused_at = publisher, None
        self._claims.clear()

    def _end_of(self, publisher: Publisher) -> Callable[[], None] | None:
        if any(refused.connection == publisher.connection for refused in self._turned_away):
            return None
        if self._claims.pop(publisher.connection, None) is not None:
            self._refused_at = publisher.since
            return None
        if self._holder is not None and self._holder.connection != publisher.connection:
            return None
        self._holder = None
        return self._left
