"""The FFmpegs that play the camera: a compositor, which makes the picture, and the listener, which hears the sound.

Each is a child with what its present attempt has said so far. They do not
decide: when one is started, replaced or ended is the picture's business.

The supervisor's thread owns and starts them. What a compositor says and what
the listener hears is noted by the threads that read it.
"""

from __future__ import annotations

from typing import Any

import ffmpeg
from media.camera_picture import PLAIN, CameraPicture, Treatment, camera_picture
from media.sound_level import SoundMeter
from media.switch import Switch
from relay.children import Child, Surroundings

LONGEST_WAIT_S = 5.0  # a camera that is back should not wait long
HEARD_PACKETS = 30  # 0.7 s of AAC


def source_child(
    role: str,
    switch: Switch,
    around: Surroundings,
    *,
    takes_over: bool,
    longest_wait_s: float = LONGEST_WAIT_S,
    **more: Any,
) -> Child:
    """A child whose output is a source of the switch; one that `takes_over` goes on air with its first keyframe."""
    return Child(
        role,
        around,
        longest_wait_s,
        attach=lambda process: switch.add_source(process.fd("stdout"), around.wake, takes_over=takes_over),
        detach=lambda process: switch.remove_source(process.fd("stdout")),
        **more,
    )


class Compositor:
    """The compositor's child, and what its attempt has said so far."""

    def __init__(
        self,
        switch: Switch,
        around: Surroundings,
        counted_with: Child | None = None,
        longest_wait_s: float = LONGEST_WAIT_S,
    ) -> None:
        self.takes_sound = True
        self.opened_at: float | None = None
        self.sound: str | None = None
        self.data_at: float | None = None
        self.sound_is_unknown = False
        self.meter = SoundMeter(around.clock)
        self.treatment = PLAIN
        self.picture: CameraPicture | None = None
        self._clock = around.clock
        self.child = source_child(
            "compositor",
            switch,
            around,
            takes_over=True,
            longest_wait_s=longest_wait_s,
            on_line=self._take_line,
            counted_with=counted_with,
        )

    def start(self, argv: list[str], now: float, *, takes_sound: bool, treatment: Treatment) -> None:
        self.takes_sound, self.opened_at, self.sound, self.data_at = takes_sound, None, None, None
        self.sound_is_unknown, self.treatment, self.picture = False, treatment, None
        self.meter = SoundMeter(self._clock)
        self.child.start(argv, now)

    def _take_line(self, line: str) -> bool:
        if self.meter.take(line):
            return True
        if self.data_at is None and ffmpeg.says_data_comes(line):
            self.data_at = self._clock()
        self.picture = self.picture or camera_picture(line)
        self.sound_is_unknown = self.sound_is_unknown or ffmpeg.says_sound_is_unknown(line)
        if self.opened_at is None and ffmpeg.says_input_is_open(line):
            self.opened_at = self._clock()
        elif self.sound is None and (source := ffmpeg.sound_source(line)):
            self.sound = source
        return False


class Listener:
    """Hears whether the camera's sound flows while silence is on air."""

    def __init__(self, around: Surroundings) -> None:
        self.heard = 0
        self.is_unknown = False  # FFmpeg cannot decode the sound
        loop = around.loop

        def take(data: bytes) -> None:
            self.is_unknown = self.is_unknown or ffmpeg.UNKNOWN_CODEC in data
            self.heard += data.count(b"\n")
            if self.hears_sound:
                around.wake()

        self.child = Child(
            "listener",
            around,
            LONGEST_WAIT_S,
            attach=lambda process: loop.call(loop.read_from, process.fd("stdout"), take),
            detach=lambda process: loop.call(loop.stop_reading, process.fd("stdout")),
            may_fail=True,  # a camera without sound
        )

    def start(self, argv: list[str], now: float) -> None:
        self.heard, self.is_unknown = 0, False
        self.child.start(argv, now)

    @property
    def hears_sound(self) -> bool:
        """Enough of it to be sure, and it can be decoded. Any thread."""
        return self.heard >= HEARD_PACKETS and not self.is_unknown
