"""`make contact-sheet`: everything the strip can show, on one sheet, as docs/contact-sheet.png."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw

from demo import boards
from graphics.drawing import draw_scene
from graphics.fonts import font_of
from graphics.layout import canvas_of
from graphics.themes import THEMES
from media.profiles import PROFILES
from scoring.rundown import Scene

SHEET = Path(__file__).resolve().parent.parent / "docs" / "contact-sheet.png"
CANVAS = canvas_of(PROFILES["720p30"])
ROW_HEIGHT = CANVAS.height + 40
SHEET_COLORS = 256


def main() -> None:
    cells = [
        (f"{theme}: {group} {name}", theme, scene)
        for theme in THEMES
        for group, scenes in _groups().items()
        for name, scene in scenes.items()
    ]
    # As wide as one picture, so that on a phone each strip has the size that viewers see there.
    sheet = Image.new("RGB", (CANVAS.width, len(cells) * ROW_HEIGHT))
    for row, (title, theme, scene) in enumerate(cells):
        sheet.paste(_cell(title, theme, scene), (0, row * ROW_HEIGHT))
    sheet.quantize(SHEET_COLORS, dither=Image.Dither.NONE).save(SHEET, optimize=True)
    print(f"{SHEET}: {len(cells)} strips")


def _groups() -> dict[str, dict[str, Scene]]:
    return {
        "phase": boards.phases(),
        "event": boards.events(),
        "script": boards.scripts(),
        "limits": boards.limits(),
        "format": boards.formats(),
    }


def _cell(title: str, theme: str, scene: Scene) -> Image.Image:
    """The strip over grass, with its name above."""
    cell = Image.new("RGBA", (CANVAS.width, ROW_HEIGHT), (58, 134, 56, 255))
    cell.alpha_composite(draw_scene(scene, CANVAS, theme).convert("RGBA"), (0, ROW_HEIGHT - CANVAS.height - 6))
    ImageDraw.Draw(cell).text((64, 9), title, fill="white", font=font_of("regular", 22))
    return cell.convert("RGB")


if __name__ == "__main__":
    main()
