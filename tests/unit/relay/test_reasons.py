from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from media.flv import Findings
from relay.reasons import HDR, REASONS, SILENT_SOUND, SOUND_APART, UNUSABLE_SOUND, Known, reason_of, sound_apart

GUIDE = (Path(__file__).resolve().parents[3] / "docs" / "guide.md").read_text()
NOBODY = Known("m1")
THERE = Known("m1", address="10.0.0.7", publishes_s=12.0, silent_s=12.0)
BEFORE = Known("m1", has_been_on_air=True, away_because="no frames from the camera for 2.0 s")


def seen(known: Known, for_s: float = 6.0, **findings: object) -> Known:
    return replace(known, findings=replace(Findings(), **findings), examined_s=for_s)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("known", "reason"),
    [
        (NOBODY, "the camera has not come yet"),
        (replace(THERE, publishes_s=3.0, silent_s=3.0), "the camera has not come yet"),
        (THERE, "the camera publishes, but no picture comes"),
        (BEFORE, "no frames from the camera for 2.0 s"),
        (
            replace(BEFORE, publishes_s=600.0, silent_s=2.0, address="10.0.0.7"),
            "no frames from the camera for 2.0 s",
        ),
        (
            replace(BEFORE, publishes_s=9.0, silent_s=9.0, address="10.0.0.8"),
            "the camera publishes, but no picture comes",
        ),
        (
            replace(THERE, another_was_refused=True),
            "another connection still holds the name m1 (from 10.0.0.7, silent for 12 s)",
        ),
        (
            replace(NOBODY, turned_away="10.0.0.9"),
            "a camera was turned away (from 10.0.0.9): its key is wrong or missing",
        ),
        (seen(THERE, video="HEVC", pictures=9), "the camera sends HEVC: set it to H.264"),
        (seen(THERE, video="AV1"), "the camera sends AV1: set it to H.264"),
        (seen(THERE, video="H.264", pictures=9, keyframes=2), "the camera publishes, but no picture comes"),
        (
            seen(NOBODY, 14.0, video="H.264", pictures=99),
            "the camera has sent no keyframe for 14 s: set its keyframe interval to 2 s",
        ),
        (seen(NOBODY, 3.0, video="H.264", pictures=99), "the camera has not come yet"),
        (
            seen(THERE, 4.0, sound="AAC"),
            "the camera sends sound, but no picture yet: set it to H.264, with a keyframe every 2 s",
        ),
        (seen(THERE, 2.0, sound="AAC"), "the camera publishes, but no picture comes"),
    ],
)
def test_the_reason_is_what_is_known(known: Known, reason: str) -> None:
    assert reason_of(known) == reason


@pytest.mark.parametrize(
    ("ahead_s", "text"),
    [
        (3.0, "the camera's sound is 3.0 s ahead of its picture"),
        (-2.5, "the camera's sound is 2.5 s behind its picture"),
        (0.9, None),
        (-0.9, None),
        (7200.0, None),  # two clocks, which are joined
        (None, None),
    ],
)
def test_sound_that_is_stamped_apart_from_the_picture_is_named(ahead_s: float | None, text: str | None) -> None:
    assert sound_apart(Findings(sound_ahead_s=ahead_s)) == text


@pytest.mark.parametrize(
    "words", [*(reason.words for reason in REASONS), UNUSABLE_SOUND, SILENT_SOUND, SOUND_APART, HDR]
)
def test_the_guide_says_what_to_do_about_each(words: str) -> None:
    """In the first column of its table, with … in place of what differs."""
    shown = re.sub(r"\{[^}]*\}", "…", words)
    assert re.search(rf"^\| `{re.escape(shown)}` \| [^|]{{10,}} \|$", GUIDE, re.MULTILINE), shown
