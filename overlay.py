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
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageDraw, UnidentifiedImageError

from errors import ImageRejected
from layout import REFERENCE_WIDTH, Block, Box, Canvas, Layout
from rundown import Scene
from scoreboard import Scoreboard
from strip import compose
from themes import THEMES, Color

MAX_IMAGE_SIDE = 4096
MIN_IMAGE_WIDTH, MIN_IMAGE_HEIGHT = 64, 8
MIN_LOGO_SIDE, MAX_LOGO_SIDE = 8, 2048
LOGO_SIDE = 192  # more than the strip shows at 1080p
# A palette is a quarter of the bytes for FFmpeg to inflate, 25 times a second.
PALETTE_COLORS = 256
SUPERSAMPLING = 8


def placeholder(canvas: Canvas) -> Image.Image:
    """Nothing to show yet: fully transparent."""
    return Image.new("RGBA", (canvas.width, canvas.height), (0, 0, 0, 0))


def compose_image(content: bytes, canvas: Canvas) -> Image.Image:
    """Decode a ready strip and set it at the canvas's bottom, centred, scaled as its 1280-wide original.

    Raises ImageRejected for anything but a complete PNG of a sensible size;
    of an animated one the first picture is taken.
    """
    strip = _decode_png(content, "overlay image", (MIN_IMAGE_WIDTH, MIN_IMAGE_HEIGHT), MAX_IMAGE_SIDE)
    scale = min(canvas.width / max(strip.width, REFERENCE_WIDTH), canvas.height / strip.height)
    size = (max(1, round(strip.width * scale)), max(1, round(strip.height * scale)))
    if size != strip.size:
        strip = strip.resize(size, Image.Resampling.LANCZOS)
    image = placeholder(canvas)
    image.paste(strip, ((canvas.width - size[0]) // 2, canvas.height - size[1]))
    return image


def decode_logo(content: bytes) -> Image.Image:
    """A team's logo, at most LOGO_SIDE pixels wide and high. Raises ImageRejected as `compose_image` does."""
    logo = _decode_png(content, "logo", (MIN_LOGO_SIDE, MIN_LOGO_SIDE), MAX_LOGO_SIDE)
    box = logo.getbbox()
    if box is None:
        raise ImageRejected("the logo is fully transparent")
    logo = logo.crop(box)
    logo.thumbnail((LOGO_SIDE, LOGO_SIDE), Image.Resampling.LANCZOS)
    return logo


def _decode_png(content: bytes, what: str, least: tuple[int, int], most: int) -> Image.Image:
    if not content:
        raise ImageRejected(f"the {what} is empty")
    try:
        with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
            width, height = image.size
            if not (least[0] <= width <= most and least[1] <= height <= most):
                raise ImageRejected(f"the {what} is {width}x{height} pixels: of no use")
            return image.convert("RGBA")
    except ImageRejected:
        raise
    except UnidentifiedImageError:
        raise ImageRejected(f"the {what} is no PNG") from None
    except Exception as error:  # a decoder fed by a stranger may raise anything
        raise ImageRejected(f"the {what} cannot be decoded: {type(error).__name__}") from error


class OverlayFile:
    """The PNG that FFmpeg re-reads; only complete pictures ever stand at its path. For any thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._content = b""
        self._lock = threading.Lock()  # a restore beside a write would bring the picture before back

    @property
    def content(self) -> bytes:
        """The picture as it is now, as a PNG; empty before the first. Any thread."""
        return self._content

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


def draw_scoreboard(
    board: Scoreboard, canvas: Canvas, theme: str = "dark", logos: Mapping[str, Image.Image] | None = None
) -> Image.Image:
    """The lower-third strip of a scoreboard, without a banner or a mark of age."""
    return draw_scene(Scene(board), canvas, theme, logos)


def draw_scene(
    scene: Scene, canvas: Canvas, theme: str = "dark", logos: Mapping[str, Image.Image] | None = None
) -> Image.Image:
    """All that is to be seen now: the strip of a scoreboard, a composed image as it is, or nothing yet."""
    if scene.content is None:
        return placeholder(canvas)
    if isinstance(scene.content, Image.Image):
        return scene.content
    logos = logos or {}
    layout = compose(scene, scene.content, canvas, THEMES[theme], frozenset(logos))
    return draw_layout(layout, logos)


def draw_layout(layout: Layout, logos: Mapping[str, Image.Image]) -> Image.Image:
    image = placeholder(layout.canvas)
    for block in layout.blocks:
        _lay_block(image, block)
    for mark in layout.marks:
        _fill(image, mark.box, mark.color, _triangle(mark.box.width, mark.box.height))
    for logo in layout.logos:
        _lay_logo(image, logos[logo.name], logo.box)
    for text in layout.texts:
        box = text.box
        x, y = text.at
        mask = text.line.mask
        if (x, y, x + mask.width, y + mask.height) != (x, y, min(x + mask.width, box.right), box.bottom):
            mask = mask.crop((0, 0, box.right - x, box.bottom - y))
        image.paste((*text.color, 255), (x, y, x + mask.width, y + mask.height), mask)
    return image


def _fill(image: Image.Image, box: Box, color: Color, mask: Image.Image | None) -> None:
    if box.width and box.height:
        image.paste((*color, 255), (box.left, box.top, box.right, box.bottom), mask)


def _lay_block(image: Image.Image, block: Block) -> None:
    """Its ends by a mask where they are round, the rest as it is: that is much quicker."""
    box, radius = block.box, block.radius
    if not any(block.corners) or box.width < 2 * radius:
        _fill(image, box, block.color, None if not any(block.corners) else _rounded_mask(block))
        return
    mask = _rounded_mask(block)
    ends = (
        Box(box.left, box.top, box.left + radius, box.bottom),
        Box(box.right - radius, box.top, box.right, box.bottom),
    )
    _fill(image, Box(box.left + radius, box.top, box.right - radius, box.bottom), block.color, None)
    for end in ends:
        left = end.left - box.left
        _fill(image, end, block.color, mask.crop((left, 0, left + radius, box.height)))


def _rounded_mask(block: Block) -> Image.Image:
    return _rounded(block.box.width, block.box.height, block.radius, block.corners)


@lru_cache(maxsize=128)
def _rounded(width: int, height: int, radius: int, corners: tuple[bool, bool, bool, bool]) -> Image.Image:
    """Opaque but for its round corners, whose edges are smoothed by drawing them larger first."""
    mask = Image.new("L", (width, height), 255)
    radius = min(radius, (width + 1) // 2, (height + 1) // 2)
    big = radius * SUPERSAMPLING
    disc = Image.new("L", (2 * big, 2 * big))
    ImageDraw.Draw(disc).ellipse((0, 0, 2 * big - 1, 2 * big - 1), fill=255)
    disc = disc.reduce(SUPERSAMPLING)
    spots = ((0, 0), (width - radius, 0), (width - radius, height - radius), (0, height - radius))
    quarters = ((0, 0), (radius, 0), (radius, radius), (0, radius))
    for is_round, spot, (x, y) in zip(corners, spots, quarters, strict=True):
        if is_round:
            mask.paste(disc.crop((x, y, x + radius, y + radius)), spot)
    return mask


@lru_cache(maxsize=8)
def _triangle(width: int, height: int) -> Image.Image:
    """Points to the right."""
    big = (width * SUPERSAMPLING, height * SUPERSAMPLING)
    mask = Image.new("L", big)
    ImageDraw.Draw(mask).polygon([(0, 0), (big[0] - 1, big[1] / 2), (0, big[1] - 1)], fill=255)
    return mask.reduce(SUPERSAMPLING)


def _lay_logo(image: Image.Image, logo: Image.Image, box: Box) -> None:
    """As large as fits the box, centred."""
    scale = min(box.width / logo.width, box.height / logo.height)
    size = (max(1, round(logo.width * scale)), max(1, round(logo.height * scale)))
    small = logo.resize(size, Image.Resampling.LANCZOS) if size != logo.size else logo
    image.alpha_composite(small, (box.left + (box.width - size[0]) // 2, box.top + (box.height - size[1]) // 2))
