"""The slate: what viewers see while the camera is away. Pixels only.

Drawn by Pillow at the output's size, or the user's own picture fitted into it;
the live overlay is laid on by FFmpeg.
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw, ImageOps

from errors import ImageRejected
from graphics.fonts import CAP_HEIGHT, fitted
from graphics.layout import REFERENCE_WIDTH
from media.profiles import OutputProfile

TOP_COLOR, BOTTOM_COLOR = (18, 32, 58), (6, 10, 20)
LINE_COLOR = (255, 205, 64)
TITLE_SIZE, TEXT_SIZE = 54, 32  # of a picture 1280 wide
MAX_PICTURE_SIDE = 8_192
TEXT_WIDTH_SHARE = 0.86
SMALLEST_TEXT_PX = 8


def draw_slate(profile: OutputProfile, title: str, text: str, picture: Path | None = None) -> Image.Image:
    """The slate with a title and a line of text; ImageRejected when `picture` cannot be used."""
    image = _background(profile) if picture is None else _fitted(picture, profile)
    scale = profile.width / REFERENCE_WIDTH
    middle_x, middle_y = profile.width / 2, profile.height * 0.4
    longest = profile.width * TEXT_WIDTH_SHARE
    if title:
        _centre(image, (middle_x, middle_y - 46 * scale), title, round(TITLE_SIZE * scale), longest)
        bar = (middle_x - 40 * scale, middle_y - 3 * scale, middle_x + 40 * scale, middle_y + 1 * scale)
        ImageDraw.Draw(image).rectangle(bar, fill=LINE_COLOR)
    _centre(image, (middle_x, middle_y + 44 * scale), text, round(TEXT_SIZE * scale), longest)
    return image


def _background(profile: OutputProfile) -> Image.Image:
    top, bottom = (Image.new("RGB", (1, 1), color) for color in (TOP_COLOR, BOTTOM_COLOR))
    gradient = Image.new("RGB", (1, 2))
    gradient.paste(top, (0, 0))
    gradient.paste(bottom, (0, 1))
    return gradient.resize((profile.width, profile.height), Image.Resampling.BICUBIC)


def _fitted(path: Path, profile: OutputProfile) -> Image.Image:
    try:
        with Image.open(path) as picture:
            if max(picture.size) > MAX_PICTURE_SIDE:
                raise ImageRejected(f"SLATE_IMAGE: {path} is over {MAX_PICTURE_SIDE} pixels wide or high")
            return ImageOps.fit(picture.convert("RGB"), (profile.width, profile.height))
    except ImageRejected:
        raise
    except Exception as error:  # a decoder may raise anything
        raise ImageRejected(f"SLATE_IMAGE: {path} cannot be read: {type(error).__name__}") from error


def _centre(image: Image.Image, at: tuple[float, float], text: str, size_px: int, longest: float) -> None:
    """Set a line of any script, its capitals centred on `at`."""
    line = fitted((text,), "bold", range(size_px, min(size_px, SMALLEST_TEXT_PX) - 1, -1), int(longest), 2 * size_px)
    if line is not None:
        baseline = at[1] + CAP_HEIGHT / 2 * line.size_px
        image.paste("white", (round(at[0] - line.width / 2) + line.left, round(baseline) + line.top), line.mask)
