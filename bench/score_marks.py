"""Scores that can be told apart in any frame, and when each was first seen. Pure.

The batting side's block on the strip takes one grey after the other; the top of
it, free of text, is what is looked at.
"""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from typing import Any, NamedTuple

from demo.boards import FIRST
from graphics.layout import LEFT, TOP, Box, Canvas
from graphics.strip import SIDE_WIDTH

GREYS = (90, 130, 170, 210, 250)
# In units, as in layout.py: off the strip's round corner and the side's name.
_BOX = (LEFT + 16, TOP + 6, LEFT + SIDE_WIDTH - 16, TOP + 34)
# What an encoder makes of a luma is nearer to it than this.
TOLERANCE = 13


class Mark(NamedTuple):
    """Something became so bright at this time (time.monotonic())."""

    at: float
    luma: float


def luma_of(number: int) -> int:
    """What score `number` shows in the box, as the video has it (BT.709, 16 to 235)."""
    return luma_of_grey(GREYS[number % len(GREYS)])


def luma_of_grey(grey: int) -> int:
    return round(16 + grey * 219 / 255)


def board(number: int) -> dict[str, Any]:
    """The score in the service's own shape: each adds a run, and its grey."""
    grey = GREYS[number % len(GREYS)]
    batting = {"name": "Mumbai Indians", "short": "MI", "color": f"#{grey:02x}{grey:02x}{grey:02x}"}
    return FIRST | {"batting": batting | {"runs": 82 + number, "wickets": 2, "overs": "11.1"}}


def marked_box(canvas: Canvas) -> Box:
    """Where the grey is, in pixels of the picture, on whole chroma samples."""
    left, top, right, bottom = (canvas.px(units) // 2 * 2 for units in _BOX)
    return Box(left, canvas.top + top, right, canvas.top + bottom)


def changes(seen: Sequence[Mark]) -> list[Mark]:
    """The first of each run that shows the same score; what is no score's luma is left out."""
    found: list[Mark] = []
    for mark in seen:
        luma = _nearest(mark.luma)
        if luma is not None and (not found or found[-1].luma != luma):
            found.append(Mark(mark.at, luma))
    return found


def _nearest(luma: float) -> int | None:
    best = min((luma_of(number) for number in range(len(GREYS))), key=lambda known: abs(known - luma))
    return best if abs(best - luma) <= TOLERANCE else None


def delays_s(causes: Sequence[Mark], seen: Sequence[Mark]) -> list[float | None]:
    """From each cause until its score was first seen; None where that was not before its grey came round again."""
    sights = changes(seen)
    found: list[float | None] = []
    for place, cause in enumerate(causes):
        again_at = causes[place + len(GREYS) - 1].at if place + len(GREYS) <= len(causes) else float("inf")
        later = sights[bisect.bisect_left(sights, cause.at, key=lambda mark: mark.at) :]
        at = next((mark.at for mark in later if mark.luma == cause.luma), float("inf"))
        found.append(at - cause.at if at < again_at else None)
    return found
