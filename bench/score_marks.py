"""Scores that can be recognised in any frame, and when each was first seen. Pure.

The batting side's block on the strip gets one grey after the other. The top of
the block, which has no text, is measured.
"""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from typing import Any, NamedTuple

from demo.boards import FIRST
from graphics.layout import LEFT, TOP, Box, Canvas
from graphics.strip import SIDE_WIDTH

GREYS = (90, 130, 170, 210, 250)
# In the units of layout.py, away from the strip's round corner and the side's name.
_BOX = (LEFT + 16, TOP + 6, LEFT + SIDE_WIDTH - 16, TOP + 34)
# An encoder changes a luma by less than this.
TOLERANCE = 13


class Mark(NamedTuple):
    """Something had this luma at this time (time.monotonic())."""

    at: float
    luma: float


def luma_of(number: int) -> int:
    """The luma of score `number` in the box, as in the video (BT.709, 16 to 235)."""
    return luma_of_grey(GREYS[number % len(GREYS)])


def luma_of_grey(grey: int) -> int:
    return round(16 + grey * 219 / 255)


def board(number: int) -> dict[str, Any]:
    """The score in the service's own shape: each adds a run, and its grey."""
    grey = GREYS[number % len(GREYS)]
    batting = {"name": "Mumbai Indians", "short": "MI", "color": f"#{grey:02x}{grey:02x}{grey:02x}"}
    return FIRST | {"batting": batting | {"runs": 82 + number, "wickets": 2, "overs": "11.1"}}


def marked_box(canvas: Canvas) -> Box:
    """Where the grey is in the picture, in pixels, aligned to chroma samples."""
    left, top, right, bottom = (canvas.px(units) // 2 * 2 for units in _BOX)
    return Box(left, canvas.top + top, right, canvas.top + bottom)


def changes(seen: Sequence[Mark]) -> list[Mark]:
    """The first mark of each run with the same score. Marks with no score's luma are left out."""
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
    """The delay from each cause to the first frame with its score; None if its grey was used again before that."""
    sights = changes(seen)
    found: list[float | None] = []
    for place, cause in enumerate(causes):
        again_at = causes[place + len(GREYS) - 1].at if place + len(GREYS) <= len(causes) else float("inf")
        later = sights[bisect.bisect_left(sights, cause.at, key=lambda mark: mark.at) :]
        at = next((mark.at for mark in later if mark.luma == cause.luma), float("inf"))
        found.append(at - cause.at if at < again_at else None)
    return found
