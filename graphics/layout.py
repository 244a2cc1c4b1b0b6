"""The canvas, and placing on it: blocks, marks and texts in pixels, given in units. Draws nothing.

Every text has a slot that it never leaves: one that is too long shrinks to
SMALLEST, is then cut at a word, and a number that does not fit is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from graphics.fonts import CAP_HEIGHT, Base, Line, Weight, fitted, width_of
from graphics.themes import Color
from media.profiles import OutputProfile

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
    """Pixels: `right` and `bottom` are the first beyond it."""

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


@dataclass(frozen=True)
class Block:
    """A filled rectangle; `corners` are rounded: top left, top right, bottom right, bottom left."""

    box: Box
    color: Color
    radius: int = 0
    corners: tuple[bool, bool, bool, bool] = (False, False, False, False)


@dataclass(frozen=True)
class Text:
    """A set line: `box` is what it covers, `at` where its mask's top left corner lies, `ground` is behind it."""

    line: Line
    box: Box
    at: tuple[int, int]
    color: Color
    ground: Color


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
        text: str,
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
            align="right", height=height, cut=False,
        )  # fmt: skip
        return self.units(self.texts[-1].box.left) if len(self.texts) > before else right

    def text(
        self,
        left: float,
        middle: float,
        right: float,
        text: str,
        weight: Weight,
        size: float,
        color: Color,
        ground: Color,
        align: str = "left",
        height: float = ROW_HEIGHT,
        cut: bool = True,
        base: Base = "first",
    ) -> float:
        """Set a text into its slot, capitals centred on `middle`; gives its right edge in units."""
        slot = self.box(left, middle - height / 2, right, middle + height / 2)
        line = _fit(text, weight, self.px(size), self.px(min(size, SMALLEST)), slot.width, slot.height, base, cut)
        if line is None or not line.width:
            return left
        x = slot.left
        if align != "left":
            x = slot.right - line.width if align == "right" else slot.left + (slot.width - line.width) // 2
        top = self.px(middle) - line.mask.height // 2
        if text.isascii() or line.mask.height <= line.size_px:
            # On one baseline with its neighbours; other scripts reach too far below it, and are centred.
            top = self.px(middle) + round(CAP_HEIGHT / 2 * line.size_px) + line.top
        top = min(max(top, slot.top), max(slot.top, slot.bottom - line.mask.height))
        at = max(slot.left, min(x + line.left, slot.right - line.mask.width))
        covered_right = max(x + line.width, at + line.mask.width)
        box = Box(min(x, at), top, min(covered_right, slot.right), min(top + line.mask.height, slot.bottom))
        self.texts.append(Text(line, box, (at, top), color, ground))
        return self.units(box.right)

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

    def box(self, left: float, top: float, right: float, bottom: float) -> Box:
        px = self.px
        return Box(px(left), px(top), max(px(right), px(left)), max(px(bottom), px(top)))

    def px(self, units: float) -> int:
        return self.canvas.px(units)

    def units(self, pixels: int) -> float:
        return pixels * REFERENCE_WIDTH / self.canvas.width


@lru_cache(maxsize=1024)
def _fit(
    text: str, weight: Weight, largest: int, smallest: int, width: int, height: int, base: Base, may_cut: bool
) -> Line | None:
    return fitted(text, weight, range(largest, smallest - 1, -1), width, height, base, may_cut)
