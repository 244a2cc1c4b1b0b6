"""Where one stream goes: its destination and, if it has one, the backup. A delivery each.

The supervisor's thread steps and ends them. To hold one, to go on with it, and to look is for any thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from config import Settings
from media.causes import Cause
from media.switch import Switch
from relay.children import Child, Surroundings
from relay.delivery import CONNECTED, Delivery, DeliveryStatus
from relay.request import StreamRequest, Which


class Destinations:
    """Made with their stream, and ended by it."""

    def __init__(
        self, request: StreamRequest, settings: Settings, switch: Switch, around: Surroundings, wake: Callable[[], None]
    ) -> None:
        self._wake = wake
        self._primary = Delivery("publisher", request.destination, settings, switch, around)
        backup = request.backup
        self._backup = Delivery("backup publisher", backup, settings, switch, around) if backup else None
        if request.takes_over:
            for delivery in self._deliveries:
                delivery.hold("waits for the process that has it on air to leave it")

    @property
    def _deliveries(self) -> tuple[Delivery, ...]:
        return (self._primary, self._backup) if self._backup else (self._primary,)

    @property
    def children(self) -> tuple[Child, ...]:
        return tuple(delivery.child for delivery in self._deliveries)

    @property
    def attempts(self) -> dict[str, int]:
        return {child.role: child.attempts for child in self.children}

    @property
    def restarts(self) -> dict[str, Mapping[Cause, int]]:
        return {child.role: child.restarts for child in self.children}

    @property
    def primary(self) -> DeliveryStatus:
        return self._primary.status()

    @property
    def backup(self) -> DeliveryStatus | None:
        return self._backup.status() if self._backup else None

    def use(self, settings: Settings, now: float) -> None:
        """Go on with another profile: each connects anew."""
        for delivery in self._deliveries:
            delivery.use(settings, now)

    def step(self, now: float) -> None:
        """Look once at each."""
        for delivery in self._deliveries:
            delivery.step(now)

    def prepare_to_end(self) -> None:
        """Detach the publishers, because their input is about to be closed. The sources are still read."""
        for child in self.children:
            child.prepare_to_end()

    def hold(self, which: Which, reason: str) -> None:
        """Leave a destination to another process; `is_off` says when it is left."""
        if delivery := self._delivery(which):
            delivery.hold(reason)
            self._wake()

    def go_on(self, which: Which) -> None:
        """Take a destination, or take it again."""
        if delivery := self._delivery(which):
            delivery.go_on()
            self._wake()

    def is_off(self, which: Which) -> bool:
        """True when the destination is left, or there is none."""
        delivery = self._delivery(which)
        return delivery is None or delivery.is_off

    def is_connected(self, which: Which) -> bool:
        """True when the destination takes what is on air, or there is none."""
        delivery = self._delivery(which)
        return delivery is None or delivery.status().state == CONNECTED

    def _delivery(self, which: Which) -> Delivery | None:
        return self._primary if which == "primary" else self._backup
