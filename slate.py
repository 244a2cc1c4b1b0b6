"""The slate: what viewers see while the camera is away. Pixels only.

Drawn by Pillow at the output's size, or the user's own picture fitted into it;
the live overlay is laid on by FFmpeg.
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw, ImageOps

from errors import ImageRejected
from fonts import font_of
from layout import REFERENCE_WIDTH
from profiles import OutputProfile

TOP_COLOR, BOTTOM_COLOR = (18, 32, 58), (6, 10, 20)
LINE_COLOR = (255, 205, 64)
TITLE_SIZE, TEXT_SIZE = 54, 32  # of a picture 1280 wide
MAX_PICTURE_SIDE = 8_192
TEXT_WIDTH_SHARE = 0.86


def draw_slate(profile: OutputProfile, title: str, text: str, picture: Path | None = None) -> Image.Image:
    """The slate with a title and a line of text; ImageRejected when `picture` cannot be used."""
    image = _background(profile) if picture is None else _fitted(picture, profile)
    scale = profile.width / REFERENCE_WIDTH
    pen = ImageDraw.Draw(image)
    middle_x, middle_y = profile.width / 2, profile.height * 0.4
    longest = profile.width * TEXT_WIDTH_SHARE
    if title:
        _centred(pen, (middle_x, middle_y - 46 * scale), title, round(TITLE_SIZE * scale), longest)
        bar = (middle_x - 40 * scale, middle_y - 3 * scale, middle_x + 40 * scale, middle_y + 1 * scale)
        pen.rectangle(bar, fill=LINE_COLOR)
    _centred(pen, (middle_x, middle_y + 44 * scale), text, round(TEXT_SIZE * scale), longest)
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


def _centred(pen: ImageDraw.ImageDraw, at: tuple[float, float], text: str, size_px: int, longest: float) -> None:
    while size_px > 8 and font_of("bold", size_px).getlength(text) > longest:
        size_px -= 1
    pen.text(at, text, fill="white", font=font_of("bold", size_px), anchor="mm")
