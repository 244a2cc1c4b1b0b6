"""Scoreboard or fetched image to pixels, pixels to the overlay file, atomically.

Draws with Pillow on a transparent canvas of one size for the life of a
stream: FFmpeg re-reads the file for every frame, and another size or pixel
format would make it rebuild its filters in mid-air. Fetches nothing, loops
over nothing, spawns nothing.
"""

from __future__ import annotations

import contextlib
import io
import os
import threading
import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, UnidentifiedImageError

from errors import ImageRejected
from profiles import OutputProfile
from scoreboard import Batter, Bowler, Scoreboard, Team

# All lengths below are in units: pixels of a picture 1280 wide.
REFERENCE_WIDTH = 1280
CANVAS_HEIGHT = 132  # the tallest ready strip seen is 123
SAFE_MARGIN_X = 64  # 5 % of the picture: the title-safe area
SAFE_MARGIN_BOTTOM = 36
STRIP_HEIGHT = 92
RADIUS = 10
SUPERSAMPLING = 4

MAX_IMAGE_SIDE = 4096
MIN_IMAGE_WIDTH, MIN_IMAGE_HEIGHT = 64, 8
# A palette is a quarter of the bytes for FFmpeg to inflate, 25 times a second.
PALETTE_COLORS = 256

# Shares of its size that a text is tried at before it is given up.
TEXT_SIZES = (1.0, 0.92, 0.85, 0.78)
NUMBER_SIZES = (*TEXT_SIZES, 0.7, 0.6, 0.5, 0.4)
SMALLEST_PX = 6

PANEL = (13, 18, 28, 255)
PANEL_LIGHT = (30, 38, 54, 255)
WHITE = (255, 255, 255, 255)
SOFT = (222, 228, 238, 255)
MUTED = (178, 188, 205, 255)
GOLD = (255, 205, 64, 255)
BALL_COLORS = {"W": (214, 40, 57), "4": (20, 98, 184), "6": (128, 62, 206)}
BALL_PLAIN = (62, 72, 94)
TEAM_COLORS = ("#0b4f9e", "#9c1c2e", "#1d6b3a", "#6a2a8c", "#a14a00", "#0d6672", "#7a1f5c", "#3b4a9e")

_FONT_FOLDERS = (Path("/usr/share/fonts/truetype"),)
_FONT_FILES = {
    "bold": ("roboto/unhinted/RobotoCondensed-Bold.ttf", "dejavu/DejaVuSansCondensed-Bold.ttf"),
    "regular": ("roboto/unhinted/RobotoCondensed-Regular.ttf", "dejavu/DejaVuSansCondensed.ttf"),
}

Color = tuple[int, ...]
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


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


def placeholder(canvas: Canvas) -> Image.Image:
    """Nothing to show yet: fully transparent."""
    return Image.new("RGBA", (canvas.width, canvas.height), (0, 0, 0, 0))


def compose_image(content: bytes, canvas: Canvas) -> Image.Image:
    """Decode a ready strip and set it at the canvas's bottom, centred, scaled as its 1280-wide original.

    Raises ImageRejected for anything but a complete PNG of a sensible size;
    of an animated one the first picture is taken.
    """
    strip = _decode_png(content)
    scale = min(canvas.width / max(strip.width, REFERENCE_WIDTH), canvas.height / strip.height)
    size = (max(1, round(strip.width * scale)), max(1, round(strip.height * scale)))
    if size != strip.size:
        strip = strip.resize(size, Image.Resampling.LANCZOS)
    image = placeholder(canvas)
    image.paste(strip, ((canvas.width - size[0]) // 2, canvas.height - size[1]))
    return image


def _decode_png(content: bytes) -> Image.Image:
    if not content:
        raise ImageRejected("the overlay image is empty")
    try:
        with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
            width, height = image.size
            if not (MIN_IMAGE_WIDTH <= width <= MAX_IMAGE_SIDE and MIN_IMAGE_HEIGHT <= height <= MAX_IMAGE_SIDE):
                raise ImageRejected(f"the overlay image is {width}x{height}: no usable strip")
            return image.convert("RGBA")
    except ImageRejected:
        raise
    except UnidentifiedImageError:
        raise ImageRejected("the overlay image is no PNG") from None
    except Exception as error:  # a decoder fed by a stranger may raise anything
        raise ImageRejected(f"the overlay image cannot be decoded: {type(error).__name__}") from error


class OverlayFile:
    """The PNG that FFmpeg re-reads; only complete pictures ever stand at its path. For any thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._content = b""
        self._lock = threading.Lock()

    def write(self, image: Image.Image) -> bool:
        """Replace the picture; False when it is the one that is there already."""
        buffer = io.BytesIO()
        palette = image.quantize(PALETTE_COLORS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
        palette.save(buffer, "PNG", bits=8)
        content = buffer.getvalue()
        with self._lock:
            if content == self._content:
                return False
            self._replace(content)
            self._content = content
            return True

    def restore(self) -> bool:
        """Put the last picture back when something else than us has removed or changed it; True when that was so."""
        with self._lock, contextlib.suppress(OSError):
            if self._content and (not self.path.is_file() or self.path.read_bytes() != self._content):
                self._replace(self._content)
                return True
        return False

    def _replace(self, content: bytes) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)  # some tidy /tmp away
        unfinished = self.path.with_suffix(".new")
        unfinished.write_bytes(content)
        os.replace(unfinished, self.path)


def draw_scoreboard(board: Scoreboard, canvas: Canvas) -> Image.Image:
    """The lower-third strip: sides and score at the left, batters, bowler and this over to the right."""
    return _Strip(board, canvas).draw()


@lru_cache(maxsize=64)
def font_of(weight: str, size_px: int) -> Font:
    """`bold` or `regular`, from the first font that is installed, else Pillow's own."""
    for name in _FONT_FILES[weight]:
        for folder in _FONT_FOLDERS:
            if (folder / name).is_file():
                return ImageFont.truetype(str(folder / name), size_px)
    return ImageFont.load_default(size_px)


def team_color(team: Team, other: Team | None = None) -> Color:
    """The feed's colour, else one picked by the name; never that of the other side."""
    if team.color:
        return _rgb(team.color)
    index = zlib.crc32(team.name.encode()) % len(TEAM_COLORS)
    color = _rgb(TEAM_COLORS[index])
    if other is not None and team_color(other) == color:
        color = _rgb(TEAM_COLORS[(index + 1) % len(TEAM_COLORS)])
    return color


def _rgb(color: str) -> Color:
    return tuple(int(color[i : i + 2], 16) for i in (1, 3, 5))


def ink_on(color: Color) -> Color:
    """Black or white, whichever stands out more on `color` (WCAG relative luminance)."""
    red, green, blue = (
        channel / 12.92 / 255 if channel <= 10 else ((channel / 255 + 0.055) / 1.055) ** 2.4 for channel in color[:3]
    )
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return WHITE if 1.05 / (luminance + 0.05) > (luminance + 0.05) / 0.05 else (0, 0, 0, 255)


LEFT, RIGHT = SAFE_MARGIN_X, REFERENCE_WIDTH - SAFE_MARGIN_X
TOP = CANVAS_HEIGHT - STRIP_HEIGHT
MIDDLE = TOP + STRIP_HEIGHT / 2
ROWS = (TOP + STRIP_HEIGHT * 0.29, TOP + STRIP_HEIGHT * 0.72)
TEAM_RIGHT = LEFT + 116
SCORE_RIGHT = LEFT + 354
BATTERS_RIGHT = 766
BOWLER_LEFT = BATTERS_RIGHT + 30
BOWLING_LEFT = RIGHT - 92
BOWLER_RIGHT = BOWLING_LEFT - 18


@lru_cache(maxsize=32)
def _panel(canvas: Canvas, batting: Color | None, bowling: Color | None, has_score: bool) -> Image.Image:
    """The strip without text, its edges smoothed by drawing it larger first."""
    size = (canvas.width * SUPERSAMPLING, canvas.height * SUPERSAMPLING)
    layer = Image.new("RGBA", size, (0, 0, 0, 0))
    pen = ImageDraw.Draw(layer)
    scale = size[0] / REFERENCE_WIDTH

    def block(x0: float, x1: float, color: Color, round_left: bool = False, round_right: bool = False) -> None:
        box = (x0 * scale, TOP * scale, x1 * scale - 1, CANVAS_HEIGHT * scale - 1)
        corners = (round_left, round_right, round_right, round_left)
        pen.rounded_rectangle(box, RADIUS * scale, fill=color, corners=corners)

    block(LEFT, RIGHT, PANEL, round_left=True, round_right=True)
    if batting:
        block(LEFT, TEAM_RIGHT, batting, round_left=True)
    if batting and has_score:
        block(TEAM_RIGHT, SCORE_RIGHT, PANEL_LIGHT)
    if bowling:
        block(BOWLING_LEFT, RIGHT, bowling, round_right=True)
    return layer.reduce(SUPERSAMPLING)


@lru_cache(maxsize=64)
def _disc(diameter: int, color: Color) -> Image.Image:
    side = diameter * SUPERSAMPLING
    layer = Image.new("RGBA", (side, side), (*color[:3], 0))
    ImageDraw.Draw(layer).ellipse((0, 0, side - 1, side - 1), fill=color)
    return layer.reduce(SUPERSAMPLING)


class _Strip:
    """One drawing of one scoreboard: shapes first, then text at its own size."""

    def __init__(self, board: Scoreboard, canvas: Canvas) -> None:
        self.board = board
        self.canvas = canvas
        self.texts: list[tuple[float, float, str, Font, Color, str]] = []
        self.has_line = bool(board.result) or not (board.batters or board.bowler)
        self.has_score = board.batting is not None and (board.batting.runs is not None or not self.has_line)
        self.balls = self._place_balls()

    def draw(self) -> Image.Image:
        image = self._shapes()
        pen = ImageDraw.Draw(image)
        self._place_sides()
        self._place_middle()
        for x, y, text, font, color, anchor in self.texts:
            pen.text((self.canvas.px(x), self.canvas.px(y)), text, fill=color, font=font, anchor=anchor)
        return image

    def _shapes(self) -> Image.Image:
        batting, bowling = self.board.batting, self.board.bowling
        batting_color = team_color(batting) if batting else None
        bowling_color = team_color(bowling, batting) if bowling else None
        image = _panel(self.canvas, batting_color, bowling_color, self.has_score).copy()
        for x, y, radius, color, _ in self.balls:
            disc = _disc(2 * self.canvas.px(radius), color)
            image.alpha_composite(disc, (self.canvas.px(x - radius), self.canvas.px(y - radius)))
        return image

    def _place_sides(self) -> None:
        batting, bowling = self.board.batting, self.board.bowling
        if batting:
            ink = ink_on(team_color(batting))
            width = TEAM_RIGHT - LEFT - 16
            self._text((LEFT + TEAM_RIGHT) / 2, MIDDLE, batting.short, "bold", 42, ink, width, "mm")
        if batting and self.has_score:
            self._place_score(batting)
        if bowling:
            ink = ink_on(team_color(bowling, batting))
            center, width = (BOWLING_LEFT + RIGHT) / 2, RIGHT - BOWLING_LEFT - 14
            self._text(center, ROWS[0] - 2, "v", "regular", 22, ink, width, "mm")
            self._text(center, ROWS[1] - 6, bowling.short, "bold", 32, ink, width, "mm")

    def _place_score(self, batting: Team) -> None:
        left, right = TEAM_RIGHT + 16, SCORE_RIGHT - 14
        if batting.runs is None:
            self._text(left, MIDDLE, batting.name, "bold", 28, WHITE, right - left)
            return
        score = f"{batting.runs}" if batting.wickets is None else f"{batting.runs}/{batting.wickets}"
        self._text(left, MIDDLE, score, "bold", 56, WHITE, 124, is_number=True)
        target = self.board.target
        if batting.overs is not None and target is None:
            self._text(right, ROWS[0], "OVERS", "regular", 20, MUTED, 60, "rm")
            self._text(right, ROWS[1] - 3, batting.overs, "bold", 30, WHITE, 60, "rm", is_number=True)
        elif batting.overs is not None:
            self._text(right, ROWS[0], f"{batting.overs} ov", "bold", 24, WHITE, 68, "rm", is_number=True)
        if target is not None:
            self._text(right, ROWS[1] - 3, f"T {target}", "bold", 24, GOLD, 68, "rm", is_number=True)

    def _place_middle(self) -> None:
        """Batters and bowler; before the first ball and after the last one line instead."""
        board = self.board
        if self.has_line:
            sides = " v ".join(team.name for team in (board.batting, board.bowling) if team)
            left = 22 + (SCORE_RIGHT if self.has_score else TEAM_RIGHT if board.batting else LEFT)
            self._text(left, MIDDLE, board.result or board.title or sides, "bold", 32, WHITE, BOWLER_RIGHT - left)
            return
        for row, batter in zip(ROWS, board.batters, strict=False):
            self._place_batter(SCORE_RIGHT + 22, BATTERS_RIGHT, row, batter)
        if board.bowler:
            self._place_bowler(board.bowler)
        for x, y, radius, color, label in self.balls:
            self._text(x, y, label, "bold", 20, ink_on(color), 2 * radius - 4, "mm", is_number=True)

    def _place_batter(self, left: float, right: float, row: float, batter: Batter) -> None:
        if batter.on_strike:
            self._text(left, row + 4, "*", "bold", 34, GOLD, 16)
        weight, ink = ("bold", WHITE) if batter.on_strike else ("regular", SOFT)
        name_right = right
        if batter.runs is not None:
            if batter.balls is not None:
                self._text(right, row + 1, f"({batter.balls})", "regular", 22, MUTED, 54, "rm", is_number=True)
            self._text(right - 58, row, str(batter.runs), "bold", 28, WHITE, 50, "rm", is_number=True)
            name_right = right - 112
        self._text(left + 18, row, batter.name, weight, 28, ink, name_right - left - 24)

    def _place_bowler(self, bowler: Bowler) -> None:
        figures = _figures(bowler)
        self._text(BOWLER_RIGHT, ROWS[0], figures, "bold", 26, WHITE, 130, "rm", is_number=True)
        name_width = BOWLER_RIGHT - BOWLER_LEFT - (140 if figures else 0)
        self._text(BOWLER_LEFT, ROWS[0], bowler.name, "regular", 28, SOFT, name_width)

    def _place_balls(self) -> list[tuple[float, float, float, Color, str]]:
        """Centre, radius, colour and label of each ball of the over, in units."""
        board = self.board
        if self.has_line:
            return []
        step = min(38.0, (BOWLER_RIGHT - BOWLER_LEFT) / max(1, len(board.this_over)))
        radius = min(16.0, step / 2 - 1)
        return [
            (BOWLER_LEFT + radius + index * step, ROWS[1], radius, BALL_COLORS.get(label.upper(), BALL_PLAIN), label)
            for index, label in enumerate(board.this_over)
        ]

    def _text(
        self,
        x: float,
        y: float,
        text: str,
        weight: str,
        size: float,
        color: Color,
        width: float,
        anchor: str = "lm",
        is_number: bool = False,
    ) -> None:
        """Note a text that fits `width` units: shrunk first; then shortened, but never a number."""
        longest = self.canvas.px(width)
        for share in NUMBER_SIZES if is_number else TEXT_SIZES:
            font = font_of(weight, max(SMALLEST_PX, self.canvas.px(size * share)))
            if font.getlength(text) <= longest:
                break
        else:
            text = text if is_number else _shorten(text, font, longest)
        if text:
            self.texts.append((x, y, text, font, color, anchor))


def _figures(bowler: Bowler) -> str:
    """Wickets-runs and overs, as far as they are known: "2-12 (3.2)"."""
    figures = "" if bowler.wickets is None or bowler.runs is None else f"{bowler.wickets}-{bowler.runs}"
    return f"{figures} ({bowler.overs})" if figures and bowler.overs else figures


def _shorten(text: str, font: Font, longest: int) -> str:
    while text and font.getlength(f"{text}…") > longest:
        text = text[:-1].rstrip()
    return f"{text}…" if text else ""
