"""A picture of at most 256 colours, painted without ever being quantized.

Every edge on the strip lies between two known colours, so each pixel is an
index into a few ramps from the one to the other. That is exact, several times
quicker than finding a palette afterwards, and compresses better.
"""

from __future__ import annotations

from functools import lru_cache

from PIL import Image

from graphics.layout import Box
from graphics.themes import Color

MAX_COLORS = 256
MOST_STEPS, FEWEST_STEPS = 10, 5
LOGO_COLORS = 32
Rgba = tuple[int, int, int, int]
CLEAR: Rgba = (0, 0, 0, 0)


class IndexedPicture:
    """`ramps` and `logos` say how many of each are to come: the colours are shared out among them."""

    def __init__(self, size: tuple[int, int], ramps: int, logos: int) -> None:
        self._indices = Image.new("L", size, 0)
        self._colors: dict[Rgba, int] = {CLEAR: 0}
        spare = MAX_COLORS - 30 - logos * LOGO_COLORS
        self._steps = max(FEWEST_STEPS, min(MOST_STEPS, spare // max(1, ramps)))
        self._tables: dict[tuple[Rgba, Color], bytes] = {}

    def fill(self, box: Box, color: Color) -> None:
        if box.width and box.height:
            self._indices.paste(self._index((*color, 255)), (box.left, box.top, box.right, box.bottom))

    def fill_through(self, mask: Image.Image, at: tuple[int, int], color: Color, ground: Color | None) -> None:
        """Paint `color` by the mask on a place that is all of `ground`, or of nothing where that is None."""
        table = self._table(CLEAR if ground is None else (*ground, 255), color)
        # Quicker than Image.point, which looks at each entry of the table anew.
        self._indices.paste(Image.frombytes("L", mask.size, mask.tobytes().translate(table)), at)

    def lay(self, picture: Image.Image, at: tuple[int, int], ground: Color) -> None:
        """Lay an RGBA picture on a place that is all of one colour."""
        laid = Image.new("RGBA", picture.size, (*ground, 255))
        laid.alpha_composite(picture)
        few = laid.convert("RGB").quantize(LOGO_COLORS, dither=Image.Dither.NONE)
        palette = few.getpalette() or []
        table = [self._index((*palette[i : i + 3], 255)) for i in range(0, len(palette), 3)]  # type: ignore[arg-type]
        indices = Image.frombytes(
            "L", few.size, few.tobytes().translate(bytes((table + [0] * MAX_COLORS)[:MAX_COLORS]))
        )
        self._indices.paste(indices, at)

    def finished(self) -> Image.Image:
        """As a palette image with transparency."""
        self._indices.putpalette([channel for color in self._colors for channel in color], "RGBA")
        return self._indices

    def _table(self, ground: Rgba, color: Color) -> bytes:
        if (ground, color) not in self._tables:
            last = self._steps - 1
            ramp = [self._index(_mixed(ground, color, step / last)) for step in range(self._steps)]
            self._tables[ground, color] = bytes([ramp[step] for step in _steps_of(self._steps)])
        return self._tables[ground, color]

    def _index(self, color: Rgba) -> int:
        if color not in self._colors:
            if len(self._colors) == MAX_COLORS:
                return self._colors[min(self._colors, key=lambda known: _distance(known, color))]
            self._colors[color] = len(self._colors)
        return self._colors[color]


@lru_cache(maxsize=16)
def _steps_of(count: int) -> list[int]:
    """For each value of a mask, its step on a ramp with this many steps."""
    return [round(value * (count - 1) / 255) for value in range(256)]


def _mixed(ground: Rgba, color: Color, share: float) -> Rgba:
    if ground == CLEAR:
        return (*color, round(255 * share)) if share else CLEAR
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(ground[:3], color, strict=True))
    return red, green, blue, 255


def _distance(one: Rgba, other: Rgba) -> int:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))
