"""A line of text to a mask of its letters: a font for every script, shaped, in reading order, as wide as it may be.

Latin is set in Roboto Condensed, other scripts in Noto Sans, shaped by
HarfBuzz through Pillow's raqm. A character that no installed font has is
left out: nobody reads an empty box. All sizes are in pixels.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from PIL import Image, ImageDraw, ImageFont, features

from scoring.scripts import JOINERS, LATIN, Run, is_rtl, letters, runs

Weight = Literal["bold", "regular"]
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
Base = Literal["ltr", "rtl", "first"]  # direction of a line: as given, or as its first letter
Cut = Literal["word", "letter", "never"]  # where a line may be cut

SMALLEST_PX = 6
CAP_HEIGHT = 0.711  # in shares of Roboto's size
# Letters of these scripts stand larger in their em than Latin capitals.
SCRIPT_SCALE = 0.94
# A text that can be said more shortly is, before it shrinks to less than this share of its size.
FULL_FORM_SHARE = 5 / 6
ELLIPSIS = "…"

_FOLDERS = (Path("/usr/share/fonts/truetype"),)
_LATIN_FILES = {
    "bold": (
        "roboto/unhinted/RobotoCondensed-Bold.ttf",
        "noto/NotoSans-Bold.ttf",
        "dejavu/DejaVuSansCondensed-Bold.ttf",
    ),
    "regular": (
        "roboto/unhinted/RobotoCondensed-Regular.ttf",
        "noto/NotoSans-Regular.ttf",
        "dejavu/DejaVuSansCondensed.ttf",
    ),
}
_HAS_RAQM = features.check("raqm")


@dataclass(frozen=True)
class Line:
    """A set line: its mask, and where that lies relative to the pen at the left end of the baseline."""

    text: str
    size_px: int
    width: int
    left: int
    top: int
    mask: Image.Image

    @property
    def bottom(self) -> int:
        return self.top + self.mask.height


@lru_cache(maxsize=128)
def font_of(weight: Weight, size_px: int) -> Font:
    """The Latin font, or Pillow's own when none is installed."""
    path = next(iter(_files(LATIN, weight)), None)
    return _font(path, size_px)


@lru_cache(maxsize=2048)
def width_of(text: str, weight: Weight, size_px: int, base: Base = "first") -> int:
    """The width of the line: how far the pen moves."""
    return math.ceil(sum(_advance(piece, size_px) for piece in _pieces(text, weight, base)))


@lru_cache(maxsize=2048)
def set_line(text: str, weight: Weight, size_px: int, base: Base = "first") -> Line:
    """The line on its mask, cut to its ink."""
    width, pad = width_of(text, weight, size_px, base), size_px
    ascent, descent = 2 * size_px, 2 * size_px
    mask = Image.new("L", (width + 2 * pad, ascent + descent))
    pen, x = ImageDraw.Draw(mask), float(pad)
    for piece in _pieces(text, weight, base):
        pen.text(
            (x, ascent), piece.run.text, 255, _piece_font(piece, size_px), anchor="ls", direction=_direction(piece)
        )
        x += _advance(piece, size_px)
    box = mask.getbbox() or (pad, ascent, pad + 1, ascent + 1)
    return Line(text, size_px, width, box[0] - pad, box[1] - ascent, mask.crop(box))


def fitted(
    forms: tuple[str, ...],
    weight: Weight,
    sizes: range,
    width: int,
    height: int,
    base: Base = "first",
    cut: Cut = "word",
) -> Line | None:
    """The first of `forms`, the fullest first, that fits in one of `sizes`, as large as can be; else the last one, cut.

    None when nothing of it fits, or when none fits and it must not be cut.
    """
    has_good_short_form = len(forms) > 1 and cut != "never"
    for number, form in enumerate(forms):
        least = sizes[0] * FULL_FORM_SHARE if number == 0 and has_good_short_form else 0
        for size in sizes:
            if size >= least and width_of(form, weight, size, base) <= width:
                line = set_line(form, weight, size, base)
                if line.mask.height <= height or size == sizes[-1]:
                    return line
    return _shortened(forms[-1], weight, sizes[-1], width, base, cut)


def _shortened(text: str, weight: Weight, size_px: int, width: int, base: Base, cut: Cut) -> Line | None:
    words = text.split(" ")
    shorter = []
    if cut == "word" and len(words) > 1:
        shorter.append([" ".join(words[:count]) for count in range(1, len(words))])
    if cut != "never":
        pieces = letters(words[0] if cut == "word" else text)
        shorter.append(["".join(pieces[:count]) for count in range(1, len(pieces))])
    for candidates in shorter:
        lines = [f"{candidate.rstrip(' ,.-(/')}{ELLIPSIS}" for candidate in candidates]
        fits = bisect_left(lines, True, key=lambda line: width_of(line, weight, size_px, base) > width)
        if fits:
            return set_line(lines[fits - 1], weight, size_px, base)
    return None


def can_be_drawn(text: str, weight: Weight) -> bool:
    """False when no installed font has any of its letters."""
    return any(not piece.run.text.isspace() for piece in _pieces(text, weight, "first"))


@dataclass(frozen=True)
class _Piece:
    run: Run
    path: str | None


@lru_cache(maxsize=1024)
def _pieces(text: str, weight: Weight, base: Base) -> tuple[_Piece, ...]:
    """Runs split further where a font lacks a character, from left to right."""
    found: list[_Piece] = []
    for run in runs(text, base == "rtl" or (base == "first" and is_rtl(text))):
        pieces = _split_fonts(run, weight)
        found += pieces[::-1] if run.is_rtl else pieces
    return tuple(found)


def _split_fonts(run: Run, weight: Weight) -> list[_Piece]:
    found: list[_Piece] = []
    for character in run.text:
        last = found[-1] if found else None
        if last and (character in JOINERS or character.isspace() or _has(last.path, character)):
            path = last.path
        elif character in JOINERS:
            continue
        else:
            paths = (*_files(run.script, weight), *_files(LATIN, weight), None)
            covering = [path for path in paths if _has(path, character)]
            if not covering:
                continue
            path = covering[0]
        if last and last.path == path:
            found[-1] = _Piece(Run(last.run.text + character, run.script, run.is_rtl), path)
        else:
            found.append(_Piece(Run(character, run.script, run.is_rtl), path))
    return found


@lru_cache(maxsize=64)
def _files(script: str, weight: Weight) -> tuple[str, ...]:
    names = _LATIN_FILES[weight] if script == LATIN else (f"noto/NotoSans{script}-{weight.capitalize()}.ttf",)
    return tuple(str(folder / name) for name in names for folder in _FOLDERS if (folder / name).is_file())


@lru_cache(maxsize=256)
def _font(path: str | None, size_px: int) -> Font:
    return ImageFont.truetype(path, size_px) if path else ImageFont.load_default(size_px)


@lru_cache(maxsize=4096)
def _has(path: str | None, character: str) -> bool:
    """True when the font has a glyph of its own for the character."""
    if character.isspace():
        return True
    glyph, missing = (bytes(_plain_font(path).getmask(text)) for text in (character, "\U0010ffff"))
    return glyph != missing


@lru_cache(maxsize=64)
def _plain_font(path: str | None) -> Font:
    """The line without shaping: one glyph for each character."""
    return ImageFont.truetype(path, 24, layout_engine=ImageFont.Layout.BASIC) if path else _font(None, 24)


def _piece_font(piece: _Piece, size_px: int) -> Font:
    scale = 1 if piece.run.script == LATIN else SCRIPT_SCALE
    return _font(piece.path, max(SMALLEST_PX, round(size_px * scale)))


@lru_cache(maxsize=4096)
def _advance(piece: _Piece, size_px: int) -> float:
    return _piece_font(piece, size_px).getlength(piece.run.text, direction=_direction(piece))


def _direction(piece: _Piece) -> str | None:
    if not _HAS_RAQM or piece.path is None:
        return None
    return "rtl" if piece.run.is_rtl else "ltr"
