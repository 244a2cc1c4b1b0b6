"""A scoreboard or a fetched image to pixels, with Pillow.

Draws on a transparent canvas that keeps its size for the life of a stream.
Writes no file and fetches nothing.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from functools import lru_cache

from PIL import Image, ImageDraw, UnidentifiedImageError

from errors import ImageRejected
from graphics.indexed import IndexedPicture
from graphics.layout import REFERENCE_WIDTH, Block, Box, Canvas, Layout
from graphics.strip import compose_scene
from graphics.themes import BLACK, THEMES, Color
from scoring.rundown import Scene
from scoring.scoreboard import Scoreboard

MAX_IMAGE_SIDE = 4096
MIN_IMAGE_WIDTH, MIN_IMAGE_HEIGHT = 64, 8
MIN_LOGO_SIDE, MAX_LOGO_SIDE = 8, 2048
LOGO_SIDE = 192  # more than the strip shows at 1080p
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
    except Exception as error:  # a decoder may raise anything if the data comes from a stranger
        raise ImageRejected(f"the {what} cannot be decoded: {type(error).__name__}") from error


def draw_scoreboard(
    board: Scoreboard, canvas: Canvas, theme: str = "dark", logos: Mapping[str, Image.Image] | None = None
) -> Image.Image:
    """The lower-third strip of a scoreboard, without a banner or a mark of age; a palette image."""
    return draw_scene(Scene(board), canvas, theme, logos)


def draw_scene(
    scene: Scene, canvas: Canvas, theme: str = "dark", logos: Mapping[str, Image.Image] | None = None
) -> Image.Image:
    """Everything that is shown now: a scoreboard's strip as a palette image, a composed image, or nothing."""
    if scene.content is None:
        return placeholder(canvas)
    logos = logos or {}
    layout = compose_scene(scene, canvas, THEMES[theme], frozenset(logos))
    if isinstance(scene.content, Image.Image):
        return _under(scene.content, layout)
    return draw_layout(layout, logos)


def _under(image: Image.Image, layout: Layout) -> Image.Image:
    if not layout.texts:
        return image
    return Image.alpha_composite(image.convert("RGBA"), draw_layout(layout, {}).convert("RGBA"))


def draw_layout(layout: Layout, logos: Mapping[str, Image.Image]) -> Image.Image:
    edges: set[tuple[Color | None, Color]] = {(text.ground, text.color) for text in layout.texts}
    edges |= {(_ground_of(layout, block.box, before), block.color) for before, block in _shaped_blocks(layout)}
    size = (layout.canvas.width, layout.canvas.height)
    picture = IndexedPicture(size, len(edges) + bool(layout.marks), len(layout.logos))
    for number, block in enumerate(layout.blocks):
        _lay_block(picture, block, _ground_of(layout, block.box, number))
    for mark in layout.marks:
        ground = _ground_of(layout, mark.box, len(layout.blocks))
        mask = _triangle(mark.box.width, mark.box.height)
        picture.fill_through(mask, (mark.box.left, mark.box.top), mark.color, ground)
    for logo in layout.logos:
        ground = _ground_of(layout, logo.box, len(layout.blocks))
        _lay_logo(picture, logos[logo.name], logo.box, ground or BLACK)
    for text in layout.texts:
        (x, y), box, mask = text.at, text.box, text.line.mask
        if x + mask.width > box.right or y + mask.height > box.bottom:
            mask = mask.crop((0, 0, min(mask.width, box.right - x), min(mask.height, box.bottom - y)))
        picture.fill_through(mask, (x, y), text.color, text.ground)
    return picture.finished()


def _shaped_blocks(layout: Layout) -> list[tuple[int, Block]]:
    return [(number, block) for number, block in enumerate(layout.blocks) if any(block.corners) or block.pointed]


def _ground_of(layout: Layout, box: Box, before: int) -> Color | None:
    """What lies under the box, of the first `before` blocks; nothing where its corners are the strip's own."""
    bounds = layout.bounds
    if box.bottom == bounds.bottom and (box.left == bounds.left or box.right == bounds.right):
        return None
    return next((block.color for block in reversed(layout.blocks[:before]) if block.box.holds(box)), None)


def _lay_block(picture: IndexedPicture, block: Block, ground: Color | None) -> None:
    """Fill a box. Only round or pointed ends need a mask, which is much quicker."""
    box, radius = block.box, min(block.radius, block.box.width // 2, block.box.height // 2)
    if not (any(block.corners) or block.pointed) or not radius:
        picture.fill(box, block.color)
        return
    if block.pointed:
        mask = _pointed(box.width, box.height, radius)
    else:
        mask = _rounded(box.width, box.height, radius, block.corners)
    picture.fill(Box(box.left + radius, box.top, box.right - radius, box.bottom), block.color)
    for left in (0, box.width - radius):
        end = mask.crop((left, 0, left + radius, box.height))
        picture.fill_through(end, (box.left + left, box.top), block.color, ground)


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


@lru_cache(maxsize=32)
def _pointed(width: int, height: int, reach: int) -> Image.Image:
    """Opaque but for its ends, which run to a point."""
    across, down, inward = (length * SUPERSAMPLING for length in (width, height, reach))
    mask = Image.new("L", (across, down))
    corners = [(inward, 0), (across - inward, 0), (across, down / 2), (across - inward, down), (inward, down)]
    ImageDraw.Draw(mask).polygon([*corners, (0, down / 2)], fill=255)
    return mask.reduce(SUPERSAMPLING)


@lru_cache(maxsize=8)
def _triangle(width: int, height: int) -> Image.Image:
    """A mark that points to the right."""
    big = (width * SUPERSAMPLING, height * SUPERSAMPLING)
    mask = Image.new("L", big)
    ImageDraw.Draw(mask).polygon([(0, 0), (big[0] - 1, big[1] / 2), (0, big[1] - 1)], fill=255)
    return mask.reduce(SUPERSAMPLING)


def _lay_logo(picture: IndexedPicture, logo: Image.Image, box: Box, ground: Color) -> None:
    """The logo as large as fits into the box, centred."""
    scale = min(box.width / logo.width, box.height / logo.height)
    size = (max(1, round(logo.width * scale)), max(1, round(logo.height * scale)))
    small = logo.resize(size, Image.Resampling.LANCZOS) if size != logo.size else logo
    at = (box.left + (box.width - size[0]) // 2, box.top + (box.height - size[1]) // 2)
    picture.lay(small, at, ground)
