"""When a compositor cannot stay: the situations, in the order in which they are looked for.

To be read beside docs/architecture.md, 'What is watched, and what follows'.
Whatever a step sees of the compositor is one value, and the first row that
holds is the situation. It refuses to look for itself and to act: there is no
clock, no process and no switch in here.

Nothing in here changes: any thread.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from media.causes import Cause

LEFT_SILENCE_S = 0.3
# The camera is there and its tracks are known, but no frame comes: FFmpeg waits for a sound
# that does not arrive, or for a keyframe, which may take a minute. Only the examiner can tell which.
SOUND_LIMIT_S = 1.5
KEYFRAME_LIMIT_S = 15.0
BACKLOG_S = 1.0
MAX_REJOINS = 3


@dataclass(frozen=True)
class Seen:
    """What is seen of a compositor that runs. `open_s` and `frame_age_s` are None before its input is open, or a frame.

    `has_few_pictures`: so few have come that none can have left the encoder yet. `rejoins`
    counts how often the present was joined anew since the camera was last on air.
    """

    takes_sound: bool
    open_s: float | None
    frame_age_s: float | None
    runs_ahead: bool
    lead_s: float
    is_on_air: bool
    slate_is_on_air: bool
    camera_left: bool
    rejoins: int
    stall_timeout_s: float
    waits_for_keyframe: bool = False
    has_few_pictures: bool = False
    sound_is_unknown: bool = False

    def is_open_for(self, limit_s: float) -> bool:
        return self.open_s is not None and self.open_s >= limit_s

    def is_silent_for(self, limit_s: float) -> bool:
        """After its first frame."""
        return self.frame_age_s is not None and self.frame_age_s >= limit_s

    @property
    def has_frame(self) -> bool:
        return self.frame_age_s is not None


@dataclass(frozen=True)
class Situation:
    """`why` may name what is `seen`; `takes_sound` is whether the next attempt takes the camera's sound."""

    holds: Callable[[Seen], bool]
    why: str
    cause: Cause
    takes_sound: bool

    def words(self, seen: Seen) -> str:
        return self.why.format(seen=seen)


SITUATIONS = (
    Situation(
        lambda seen: seen.runs_ahead,
        "the picture runs ahead of the clock: the camera's clock jumped, or it sends a backlog",
        Cause.RUNS_AHEAD,
        takes_sound=True,
    ),
    Situation(
        lambda seen: not seen.has_frame and seen.takes_sound and seen.sound_is_unknown,
        "the camera's sound cannot be decoded",
        Cause.SOUND_STUCK,
        takes_sound=False,
    ),
    Situation(
        lambda seen: (
            not seen.has_frame
            and seen.takes_sound
            and seen.is_open_for(KEYFRAME_LIMIT_S if seen.has_few_pictures else SOUND_LIMIT_S)
            and not seen.waits_for_keyframe
        ),
        "the camera's sound does not arrive",
        Cause.SOUND_STUCK,
        takes_sound=False,
    ),
    Situation(
        lambda seen: (
            not seen.has_frame
            and not seen.takes_sound
            and seen.is_open_for(KEYFRAME_LIMIT_S)
            and not seen.waits_for_keyframe
        ),
        "the camera's picture does not begin",
        Cause.NO_KEYFRAME,
        takes_sound=True,
    ),
    Situation(
        lambda seen: seen.camera_left and seen.is_silent_for(LEFT_SILENCE_S),
        "the camera left",
        Cause.CAMERA_LEFT,
        takes_sound=True,
    ),
    Situation(
        lambda seen: not seen.camera_left and seen.is_silent_for(seen.stall_timeout_s),
        "no frames from the camera for {seen.frame_age_s:.1f} s",
        Cause.STALLED,
        takes_sound=True,
    ),
    # A new player gets the present picture, unless the server itself keeps a backlog for everyone who joins.
    Situation(
        lambda seen: seen.has_frame and seen.slate_is_on_air and seen.lead_s > BACKLOG_S and seen.rejoins < MAX_REJOINS,
        "the camera sends what it had kept: the present is joined anew",
        Cause.BACKLOG,
        takes_sound=True,
    ),
    Situation(
        lambda seen: seen.has_frame and not seen.is_on_air and seen.is_open_for(KEYFRAME_LIMIT_S),
        "the camera's picture does not come in real time",
        Cause.NO_KEYFRAME,
        takes_sound=True,
    ),
)


def situation_of(seen: Seen) -> Situation | None:
    """The first situation that holds; None if the compositor may stay."""
    return next((situation for situation in SITUATIONS if situation.holds(seen)), None)
