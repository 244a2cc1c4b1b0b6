"""Why an attempt of a child ended and another had to follow: a short list of words, for counting."""

from __future__ import annotations

from enum import StrEnum


class Cause(StrEnum):
    """The first three are of any child; then those of a compositor, a slate's among them, and those of a publisher."""

    NOT_STARTED = "not_started"  # the program could not be run
    EXITED = "exited"  # by itself; nothing more is known
    KILLED = "killed"  # by a signal that was not the service's

    NO_PICTURE = "no_picture"  # the camera sends sound and no picture yet
    STALLED = "stalled"  # no frames for STALL_TIMEOUT_S
    CAMERA_LEFT = "camera_left"  # the RTMP server said so
    RUNS_AHEAD = "runs_ahead"  # more media than time went by
    BACKLOG = "backlog"  # the camera sent what it had kept
    NO_KEYFRAME = "no_keyframe"  # open, and no picture in real time
    SOUND_STUCK = "sound_stuck"  # the announced sound did not flow
    SOUND_LOST = "sound_lost"
    SOUND_BACK = "sound_back"
    OVERLAY_UNREAD = "overlay_unread"

    UNREACHABLE = "unreachable"
    REFUSED = "refused"  # closed right after publish: the key
    CLOSED = "closed"
    STUCK = "stuck"  # took no data for PUBLISHER_STALL_TIMEOUT_S
