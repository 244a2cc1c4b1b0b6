from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from media.causes import Cause
from relay.situations import Seen, situation_of

FLOWS = Seen(
    takes_sound=True,
    open_s=60.0,
    frame_age_s=0.04,
    runs_ahead=False,
    lead_s=0.0,
    is_on_air=True,
    slate_is_on_air=False,
    camera_left=False,
    rejoins=0,
    stall_timeout_s=2.0,
)
OPENS = replace(FLOWS, open_s=0.1, frame_age_s=None, is_on_air=False, slate_is_on_air=True)
WAITS = replace(FLOWS, open_s=0.5, is_on_air=False, slate_is_on_air=True)


@pytest.mark.parametrize(
    ("base", "what"),
    [
        (FLOWS, {}),
        (FLOWS, {"frame_age_s": 1.99}),
        (FLOWS, {"camera_left": True, "frame_age_s": 0.29}),
        (FLOWS, {"lead_s": 1.5}),
        (OPENS, {"open_s": None}),
        (OPENS, {"open_s": 1.49}),
        (OPENS, {"open_s": 14.9, "takes_sound": False}),
        (OPENS, {"camera_left": True, "lead_s": 1.5}),
        (WAITS, {"open_s": 14.9}),
        (WAITS, {"open_s": None}),
        (WAITS, {"lead_s": 1.0}),
        (WAITS, {"lead_s": 1.5, "rejoins": 3}),
        (WAITS, {"lead_s": 1.5, "slate_is_on_air": False}),
    ],
)
def test_a_compositor_may_stay(base: Seen, what: dict[str, Any]) -> None:
    assert situation_of(replace(base, **what)) is None


STUCK, BEGINS_NOT = "the camera's sound does not arrive", "the camera's picture does not begin"
NOT_REAL, KEPT = "the camera's picture does not come in real time", "the camera sends what it had kept"
AHEAD = "the picture runs ahead of the clock"


@pytest.mark.parametrize(
    ("base", "what", "why", "cause", "takes_sound"),
    [
        (FLOWS, {"runs_ahead": True}, AHEAD, Cause.RUNS_AHEAD, True),
        (OPENS, {"open_s": 1.5}, STUCK, Cause.SOUND_STUCK, False),
        (OPENS, {"open_s": 15.0, "takes_sound": False}, BEGINS_NOT, Cause.NO_KEYFRAME, True),
        (FLOWS, {"frame_age_s": 0.3, "camera_left": True}, "the camera left", Cause.CAMERA_LEFT, True),
        (FLOWS, {"frame_age_s": 2.04}, "no frames from the camera for 2.0 s", Cause.STALLED, True),
        (WAITS, {"lead_s": 1.1, "rejoins": 2}, KEPT, Cause.BACKLOG, True),
        (WAITS, {"open_s": 15.0}, NOT_REAL, Cause.NO_KEYFRAME, True),
    ],
)
def test_a_compositor_is_replaced(base: Seen, what: dict[str, Any], why: str, cause: Cause, takes_sound: bool) -> None:
    seen = replace(base, **what)
    situation = situation_of(seen)
    assert situation is not None
    assert situation.words(seen).startswith(why)
    assert (situation.cause, situation.takes_sound) == (cause, takes_sound)


@pytest.mark.parametrize(
    ("what", "first"),
    [
        ({"runs_ahead": True, "frame_age_s": 9.0, "lead_s": 9.0}, Cause.RUNS_AHEAD),
        ({"frame_age_s": 9.0, "lead_s": 9.0, "camera_left": True}, Cause.CAMERA_LEFT),
        ({"frame_age_s": 9.0, "lead_s": 9.0}, Cause.STALLED),
        ({"lead_s": 9.0}, Cause.BACKLOG),
        ({"lead_s": 9.0, "rejoins": 3}, Cause.NO_KEYFRAME),
    ],
)
def test_of_several_the_first_counts(what: dict[str, Any], first: Cause) -> None:
    situation = situation_of(replace(WAITS, open_s=60.0, **what))
    assert situation is not None
    assert situation.cause == first
