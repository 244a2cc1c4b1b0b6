"""The canvas, and placing on it: blocks, marks and texts in pixels, given in units. Draws nothing.

Every text has a slot that it never leaves: one that is too long is said more
shortly where that is possible, shrinks to SMALLEST, and is cut last; a number
that does not fit is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

from graphics.fonts import CAP_HEIGHT, Base, Cut, Line, Weight, can_be_drawn, fitted, width_of
from graphics.paragraphs import broken_into
from graphics.themes import Color
from media.profiles import OutputProfile
from scoring.fields import NOT_SHOWN
from scoring.scripts import is_rtl

# All lengths below are in units: pixels of a picture 1280 wide.
REFERENCE_WIDTH = 1280
CANVAS_HEIGHT = 132  # the tallest ready strip seen is 123
SAFE_MARGIN_X = 64  # 5 % of the picture: the title-safe area
SAFE_MARGIN_BOTTOM = 36
STRIP_HEIGHT = 126
LEFT, RIGHT = SAFE_MARGIN_X, REFERENCE_WIDTH - SAFE_MARGIN_X
TOP, BOTTOM = CANVAS_HEIGHT - STRIP_HEIGHT, CANVAS_HEIGHT
LINE_TOP = BOTTOM - 40  # where the second line begins
LINE_MIDDLE = (LINE_TOP + BOTTOM) / 2
ROWS = (TOP + 23, TOP + 63)  # the middles of the two rows above it
MIDDLE = (TOP + LINE_TOP) / 2
GAP = 18
RADIUS = 10  # of the strip's corners
ROW_HEIGHT = 38
DOT = "•"  # a ball without runs; it is centred, unlike letters
SMALLEST = 22  # its line is 20 px high from the top of an l to the foot of a g, at 720p


@dataclass(frozen=True)
class Canvas:
    """Size of the overlay and where its top edge lies in the picture, in pixels."""

    width: int
    height: int
    top: int

    def px(self, units: float) -> int:
        return round(units * self.width / REFERENCE_WIDTH)


def canvas_of(profile: OutputProfile) -> Canvas:
    """The overlay spans the picture's width and ends at the title-safe bottom."""
    scale = profile.width / REFERENCE_WIDTH
    height = 2 * round(CANVAS_HEIGHT * scale / 2)
    top = 2 * round((profile.height - SAFE_MARGIN_BOTTOM * scale - height) / 2)
    return Canvas(profile.width, height, top)


@dataclass(frozen=True)
class Box:
    """A box in pixels. `right` and `bottom` are the first pixels outside."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top

    def overlaps(self, other: Box) -> bool:
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )

    def holds(self, other: Box) -> bool:
        return (
            self.left <= other.left
            and self.top <= other.top
            and other.right <= self.right
            and other.bottom <= self.bottom
        )


class Part(IntEnum):
    """Where a text stands, in the order in which the strip is read; last what lies over it."""

    FIRST_SIDE = 0
    SCORE = 1
    LEFT = 2
    CENTRE = 3
    RIGHT = 4
    SECOND_LINE = 5
    OTHER_SIDE = 6
    BANNER_KIND = 7
    BANNER = 8
    AGE = 9


@dataclass(frozen=True)
class Block:
    """A filled rectangle; `corners` are rounded: top left, top right, bottom right, bottom left.

    One that is `pointed` has no ends but points, as far in as its `radius`.
    """

    box: Box
    color: Color
    radius: int = 0
    corners: tuple[bool, bool, bool, bool] = (False, False, False, False)
    pointed: bool = False


@dataclass(frozen=True)
class Text:
    """A set line: `box` is what it covers, `at` where its mask's top left corner lies, `ground` is behind it.

    `says` is the line, or all of the text where the line is cut. `part` and
    `row`, the middle of its slot, say when it is read.
    """

    line: Line
    box: Box
    at: tuple[int, int]
    color: Color
    ground: Color
    says: str
    part: Part
    row: float


@dataclass(frozen=True)
class Logo:
    name: str
    box: Box


@dataclass(frozen=True)
class Triangle:
    """Points to the right: the mark of the striker."""

    box: Box
    color: Color


class Layout:
    """What has been placed so far, in the order of drawing; lengths go in as units and come out as pixels."""

    def __init__(self, canvas: Canvas) -> None:
        self.canvas = canvas
        self.blocks: list[Block] = []
        self.marks: list[Triangle] = []
        self.logos: list[Logo] = []
        self.texts: list[Text] = []
        self._part = Part.LEFT

    @contextmanager
    def within(self, part: Part) -> Iterator[None]:
        """The texts that are set inside this block belong to this part."""
        before, self._part = self._part, part
        try:
            yield
        finally:
            self._part = before

    @property
    def bounds(self) -> Box:
        """The strip's own rectangle."""
        return self.box(LEFT, TOP, RIGHT, BOTTOM)

    def mark(self, left: float, top: float, right: float, bottom: float, color: Color) -> None:
        self.marks.append(Triangle(self.box(left, top, right, bottom), color))

    def logo(self, name: str, left: float, top: float, right: float, bottom: float) -> None:
        self.logos.append(Logo(name, self.box(left, top, right, bottom)))

    def units_of(self, text: str, weight: Weight, size: float) -> float:
        """How wide the text would be."""
        return self.units(width_of(text, weight, self.px(size)))

    def number(
        self,
        left: float,
        middle: float,
        right: float,
        text: str | tuple[str, ...],
        weight: Weight,
        size: float,
        color: Color,
        ground: Color,
        height: float = ROW_HEIGHT,
    ) -> float:
        """At the right end of its slot, never cut; gives its left edge in units."""
        before = len(self.texts)
        self.text(
            left, middle, right, text, weight, size, color, ground,
            align="right", height=height, cut="never",
        )  # fmt: skip
        return self.units(self.texts[-1].box.left) if len(self.texts) > before else right

    def text(
        self,
        left: float,
        middle: float,
        right: float,
        text: str | tuple[str, ...],
        weight: Weight,
        size: float,
        color: Color,
        ground: Color,
        align: str = "left",
        height: float = ROW_HEIGHT,
        cut: Cut = "word",
        base: Base = "first",
    ) -> float:
        """Set a text into its slot, capitals centred on `middle`; gives its right edge in units.

        Of several forms of a text, the fullest first, the first that fits is taken.
        """
        forms = _drawable((text,) if isinstance(text, str) else text, weight)
        slot = self.box(left, middle - height / 2, right, middle + height / 2)
        line = _fit(forms, weight, self.px(size), self.px(min(size, SMALLEST)), slot.width, slot.height, base, cut)
        if line is None or not line.width:
            return left
        x = slot.left
        if align != "left":
            x = slot.right - line.width if align == "right" else slot.left + (slot.width - line.width) // 2
        top = self.px(middle) - line.mask.height // 2
        if line.text != DOT and (line.text.isascii() or line.mask.height <= line.size_px):
            # On one baseline with its neighbours; other scripts reach too far below it, and are centred.
            top = self.px(middle) + round(CAP_HEIGHT / 2 * line.size_px) + line.top
        top = min(max(top, slot.top), max(slot.top, slot.bottom - line.mask.height))
        at = max(slot.left, min(x + line.left, slot.right - line.mask.width))
        covered_right = max(x + line.width, at + line.mask.width)
        box = Box(min(x, at), top, min(covered_right, slot.right), min(top + line.mask.height, slot.bottom))
        says = line.text if line.text in forms else forms[0]
        self.texts.append(Text(line, box, (at, top), color, ground, says, self._part, middle))
        return self.units(box.right)

    def lines(
        self,
        left: float,
        top: float,
        right: float,
        bottom: float,
        text: str,
        sizes: tuple[float, ...],
        color: Color,
        ground: Color,
    ) -> None:
        """A bold text on as many lines as let it stand largest; `sizes` are the largest for one line, for two, …"""
        room = right - left
        for count, size in enumerate(sizes, 1):
            broken = broken_into(text, count, self.px(SMALLEST), self.px(room))
            longest = max(self.units_of(line, "bold", size) for line in broken)
            fitting = size * min(1, room / max(1, longest))
            if fitting >= (sizes[count] if count < len(sizes) else 0) or len(broken) < count:
                break
        base: Base = "rtl" if is_rtl(text) else "ltr"
        step = min(size * 1.3, (bottom - top) / len(broken))
        height = step if len(broken) > 1 else min(72, bottom - top)
        first = (top + bottom - step * (len(broken) - 1)) / 2
        for number, line in enumerate(broken):
            row = first + step * number
            self.text(left, row, right, line, "bold", max(fitting, SMALLEST), color, ground, height=height, base=base)

    def block(
        self, left: float, top: float, right: float, bottom: float, color: Color, radius: float = 0, rounded: str = ""
    ) -> None:
        """`rounded` names the strip's own corners that the block has; `radius` alone rounds all four."""
        corners = {
            "both": (True, True, True, True),
            "left": (True, False, False, True),
            "right": (False, True, True, False),
            "bottom right": (False, False, True, False),
        }.get(rounded, (radius > 0,) * 4)
        reach = self.px(RADIUS if rounded else radius)
        self.blocks.append(Block(self.box(left, top, right, bottom), color, reach, corners))

    def pill(self, left: float, middle: float, right: float, half_height: float, color: Color) -> None:
        """A block with round ends."""
        box = self.box(left, middle - half_height, right, middle + half_height)
        self.blocks.append(Block(box, color, box.height // 2, (True,) * 4))

    def diamond(self, left: float, middle: float, right: float, half_height: float, color: Color) -> None:
        """A block whose ends are points."""
        box = self.box(left, middle - half_height, right, middle + half_height)
        self.blocks.append(Block(box, color, box.height // 2, pointed=True))

    def box(self, left: float, top: float, right: float, bottom: float) -> Box:
        px = self.px
        return Box(px(left), px(top), max(px(right), px(left)), max(px(bottom), px(top)))

    def px(self, units: float) -> int:
        return self.canvas.px(units)

    def units(self, pixels: int) -> float:
        return pixels * REFERENCE_WIDTH / self.canvas.width


def _drawable(forms: tuple[str, ...], weight: Weight) -> tuple[str, ...]:
    """The texts that can be drawn. A text of which nothing can be drawn becomes a mark."""
    drawable = tuple(form for form in forms if can_be_drawn(form, weight))
    return drawable or ((NOT_SHOWN,) if any(form.strip() for form in forms) else forms)


@lru_cache(maxsize=1024)
def _fit(
    forms: tuple[str, ...], weight: Weight, largest: int, smallest: int, width: int, height: int, base: Base, cut: Cut
) -> Line | None:
    return fitted(forms, weight, range(largest, smallest - 1, -1), width, height, base, cut)
