"""One destination of a stream: its publisher, started again for as long as the stream lasts, and its troubles.

A stream has one, and a second one when it was given a backup URL; neither
knows of the other. Stepped by the supervisor's thread, which owns it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final, Literal

import ffmpeg
from config import Settings
from media.causes import Cause
from media.destination import Destination
from media.switch import Switch
from relay import installed
from relay.children import Child, Surroundings
from relay.process import FFmpegProcess

LONGEST_WAIT_S = 30.0
# A slow destination is reported until this long after the last lost frame.
SLOW_FOR_S = 10.0

DeliveryState = Literal["connecting", "connected", "reconnecting"]
CONNECTING: Final = "connecting"
CONNECTED: Final = "connected"
RECONNECTING: Final = "reconnecting"
DELIVERY_STATES: tuple[DeliveryState, ...] = (CONNECTING, CONNECTED, RECONNECTING)


@dataclass(frozen=True)
class DeliveryStatus:
    """`url` has its key masked; `reason` says what is wrong."""

    url: str
    state: DeliveryState
    reason: str | None
    attempts: int
    dropped_frames: int


class Delivery:
    """Keeps one publisher connected to one destination."""

    def __init__(
        self, role: str, destination: Destination, settings: Settings, switch: Switch, around: Surroundings
    ) -> None:
        self._destination = destination
        self._settings = settings
        self._switch = switch
        self._log = around.log
        self._clock = around.clock
        self.child = Child(
            role,
            around,
            LONGEST_WAIT_S,
            attach=lambda process: switch.add_publisher(process.fd("stdin")),
            detach=self._detach,
            on_line=self._take_line,
        )
        self._state: DeliveryState = CONNECTING
        self._reason: str | None = None
        self._published_at: float | None = None
        self._closes_soon = False
        self._key_is_good = False
        self._dropped = 0
        self._dropped_by_queues = 0
        self._at_loss: tuple[int, int] | None = None  # frames on air, dropped by queues
        self._last_dropped = 0
        self._dropped_at: float | None = None
        self._held_because: str | None = None

    def step(self, now: float) -> None:
        """Look once at the publisher."""
        if self.child.has_died():
            self._bury(now)
        if self._held_because is not None:
            self._stay_off(self._held_because)
            return
        self._end_stuck(now)
        if self.child.is_due(now):
            self._start(now)
        self._note_connected(now)
        self._note_dropped(now)

    def use(self, settings: Settings, now: float) -> None:
        """Go on with another profile: connect anew."""
        self._settings = settings
        if self.child.process is not None:
            self.child.end()
            self.child.next_start_at = now
            self._lose("the picture's format changes")

    def hold(self, reason: str) -> None:
        """Leave the destination to somebody else until `go_on()`. Any thread."""
        self._held_because = reason

    def go_on(self) -> None:
        """Connect again, at the next step. Any thread."""
        self._held_because = None
        self.child.next_start_at = 0.0

    @property
    def is_off(self) -> bool:
        """True when it is held and its publisher has ended. Any thread."""
        return self._held_because is not None and self.child.process is None

    def _stay_off(self, reason: str) -> None:
        self.child.end()
        if self._state == CONNECTED:
            self._state = RECONNECTING
        self._reason = reason

    @property
    def dropped_frames(self) -> int:
        """Video frames that were on air and never reached this destination, since it was first connected."""
        return self._dropped + self._all_dropped_by_queues()

    def _all_dropped_by_queues(self) -> int:
        process = self.child.process
        if process is None or not process.takes_input:
            return self._dropped_by_queues
        return self._dropped_by_queues + self._switch.dropped_frames(process.fd("stdin"))

    def status(self) -> DeliveryStatus:
        """As of the last step. Any thread."""
        return DeliveryStatus(
            self._destination.masked_url, self._state, self._reason, self.child.attempts, self._last_dropped
        )

    def _start(self, now: float) -> None:
        self._published_at = None
        destination, profile = self._destination, self._settings.profile
        if not installed.reads_presets(self._settings.ffmpeg_bin):
            argv = ffmpeg.publisher_args(destination, None, profile)
            self.child.start(argv, now, stdin=True, stdout=False)
            return
        key_fd, write_fd = os.pipe()
        try:
            os.write(write_fd, ffmpeg.publisher_preset(destination))
            os.close(write_fd)
            argv = ffmpeg.publisher_args(destination, key_fd, profile)
            self.child.start(argv, now, stdin=True, stdout=False, pass_fds=(key_fd,))
        finally:
            os.close(key_fd)

    def _take_line(self, line: str) -> None:
        if self._published_at is None and ffmpeg.says_output_is_open(line):
            self._published_at = self._clock()

    def _bury(self, now: float) -> None:
        process = self.child.process
        if process is None:
            return
        cause = self.child.bury(now, is_counted=False)
        lived_s = None if self._published_at is None else now - self._published_at
        fault = ffmpeg.destination_fault(process.last_lines, lived_s, key_is_good=self._key_is_good)
        self.child.count(fault.cause if fault else process.ending)
        self._closes_soon = fault == ffmpeg.REFUSED
        self._lose(fault.words if fault else f"the {self.child.role} ended ({cause})")

    def _end_stuck(self, now: float) -> None:
        """End a publisher whose destination has stopped reading: its FFmpeg would hang for good."""
        process = self.child.process
        since = self._switch.stuck_since(process.fd("stdin")) if process else None
        if process is None or since is None or now - since < self._settings.publisher_stall_timeout_s:
            return
        self._log.warning(
            "%s: the destination takes no data for %.0f s: the connection is made anew", self.child.role, now - since
        )
        process.kill()
        self.child.bury(now, is_counted=False)
        self.child.count(Cause.STUCK)
        self._lose("the destination takes no data")

    def _lose(self, reason: str) -> None:
        if reason != self._reason:
            self._log.warning("%s: %s", self.child.role, reason)
        self._reason = reason
        if self._state == CONNECTED and self._at_loss is None:
            self._at_loss = self._switch.frames_on_air, self._all_dropped_by_queues()
        self._state = RECONNECTING
        self._dropped_at = None

    def _note_connected(self, now: float) -> None:
        published_at = self._published_at
        if self.child.process is None or published_at is None:
            return
        if self._at_loss is not None:
            frames, dropped = self._at_loss
            self._dropped += self._switch.frames_on_air - frames - (self._all_dropped_by_queues() - dropped)
            self._at_loss = None
            self._last_dropped = self.dropped_frames  # lost while it was away, not by slowness
        lived_s = now - published_at
        self._key_is_good = self._key_is_good or lived_s >= ffmpeg.CLOSES_SOON_S
        if self._state == CONNECTED or (self._closes_soon and lived_s < ffmpeg.CLOSES_SOON_S):
            return
        self._state, self._reason, self._closes_soon = CONNECTED, None, False
        self._log.info("%s: connected to %s", self.child.role, self._destination)

    def _note_dropped(self, now: float) -> None:
        dropped = self.dropped_frames
        if dropped > self._last_dropped and self._state == CONNECTED:
            if self._dropped_at is None:
                self._log.warning("%s: the destination takes data too slowly: frames are dropped", self.child.role)
            self._dropped_at = now
        self._last_dropped = dropped
        if self._dropped_at is not None and self._state == CONNECTED:
            self._reason = f"the destination takes data too slowly: {dropped} frames dropped so far"
            if now - self._dropped_at >= SLOW_FOR_S:
                self._dropped_at = self._reason = None

    def _detach(self, process: FFmpegProcess) -> None:
        if process.takes_input:
            self._dropped_by_queues += self._switch.remove_publisher(process.fd("stdin"))
