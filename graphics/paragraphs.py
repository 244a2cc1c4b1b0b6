"""A bold text broken into lines, at the spaces that leave them about equally long. Draws nothing."""

from __future__ import annotations

import re
from functools import lru_cache

from graphics.fonts import width_of

# These words belong to the word after them: "by 5 wickets", "v Blue Hill".
_LEADS_ON = re.compile(r"by|with|v|\d+", re.IGNORECASE)


@lru_cache(maxsize=256)
def broken_into(text: str, most: int, size_px: int, width_px: int) -> tuple[str, ...]:
    """Break into at most this many lines. What does not fit in this size goes on the last one."""
    pieces = _pieces(text)
    widths = [width_of(piece, "bold", size_px) for piece in pieces]
    space = width_of("a a", "bold", size_px) - width_of("aa", "bold", size_px)
    narrowest, widest = max(widths), width_px
    while narrowest < widest:
        limit = (narrowest + widest) // 2
        if len(_starts(widths, space, limit)) <= most:
            widest = limit
        else:
            narrowest = limit + 1
    starts = _starts(widths, space, narrowest)[:most]
    ends = [*starts[1:], len(pieces)]
    return tuple(" ".join(pieces[start:end]) for start, end in zip(starts, ends, strict=True))


def _pieces(text: str) -> list[str]:
    """Words, with those before them that lead on to them."""
    pieces: list[str] = []
    leads_on = False
    for word in text.split(" "):
        if leads_on:
            pieces[-1] += f" {word}"
        else:
            pieces.append(word)
        leads_on = _LEADS_ON.fullmatch(word) is not None
    return pieces


def _starts(widths: list[int], space: int, limit: int) -> list[int]:
    """Which piece begins each line, if a line holds this much."""
    starts, filled = [0], -space
    for number, width in enumerate(widths):
        filled += space + width
        if filled > limit and number > starts[-1]:
            starts.append(number)
            filled = width
    return starts
