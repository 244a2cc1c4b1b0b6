from __future__ import annotations

import io
import random
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops

from demo import boards
from demo.boards import CHASE
from errors import ImageRejected
from graphics.drawing import compose_image, decode_logo, draw_scene, draw_scoreboard, placeholder
from graphics.layout import SAFE_MARGIN_X, canvas_of
from graphics.themes import APART, CONTRAST, THEMES, Theme, apart_from, contrast, ink_on, team_color
from media.profiles import PROFILES
from overlay import OverlayFile, compact
from scoring.reading import parse_match_data
from scoring.rundown import Scene
from scoring.scoreboard import Team
from tests.images import GOLDEN, assert_like_golden, mean_distance

CANVAS = canvas_of(PROFILES["720p30"])


def png(image: Image.Image, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", **options)
    return buffer.getvalue()


def on_grass(image: Image.Image) -> Image.Image:
    picture = Image.new("RGBA", image.size, (60, 130, 60, 255))
    picture.alpha_composite(image.convert("RGBA"))
    return picture.convert("RGB")


def pictures() -> Iterator[tuple[str, str, str, Scene]]:
    """Name, theme, profile and scene of each golden image."""
    for name, scene in boards.all_scenes().items():
        yield f"strip-{name}", "dark", "720p30", scene
    for name, scene in boards.phases().items():
        yield f"strip-{name}-light", "light", "720p30", scene
    for profile in ("480p30", "1080p30"):
        for name in ("chase", "wicket", "long", "devanagari", "urdu"):
            yield f"strip-{name}-{profile}", "dark", profile, boards.all_scenes()[name]


@pytest.mark.parametrize(("name", "theme", "profile", "scene"), pictures(), ids=[name for name, *_ in pictures()])
def test_the_strip_looks_as_approved(name: str, theme: str, profile: str, scene: Scene) -> None:
    assert_like_golden(on_grass(draw_scene(scene, canvas_of(PROFILES[profile]), theme)), name)


def test_there_is_no_golden_image_that_nothing_is_compared_with() -> None:
    assert {path.stem for path in GOLDEN.glob("strip-*.png")} == {name for name, *_ in pictures()}


def test_another_digit_is_another_picture() -> None:
    """What the tolerance of the golden images must not let through."""
    other = CHASE | {"batting": CHASE["batting"] | {"runs": 134}}
    one, two = (on_grass(draw_scoreboard(parse_match_data(feed), CANVAS)) for feed in (CHASE, other))
    assert one != two
    box = (190, 10, 360, 90)
    assert mean_distance(one.crop(box), two.crop(box)) > 1


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_the_canvas_lies_inside_the_picture_and_the_strip_in_the_title_safe_area(profile: Any) -> None:
    canvas = canvas_of(profile)
    assert canvas.width == profile.width
    assert canvas.top % 2 == 0
    bottom = canvas.top + canvas.height
    assert 0.94 * profile.height <= bottom <= 0.955 * profile.height
    box = draw_scoreboard(parse_match_data(boards.LONG), canvas).convert("RGBA").getbbox()
    assert box is not None
    assert box[0] >= 0.05 * profile.width - 1
    assert box[2] <= 0.95 * profile.width + 1


def test_ink_stands_out_on_any_team_colour() -> None:
    dice = random.Random(7)
    for _ in range(500):
        color = (dice.randrange(256), dice.randrange(256), dice.randrange(256))
        assert contrast(color, ink_on(color)) >= CONTRAST


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_the_colour_of_a_side_can_be_told_from_the_panel_and_from_the_other_sides(theme: Theme) -> None:
    for color in ("#000000", "#ffffff", "#0d121c", "#fafbfd", "#f9cd05"):
        one, other = Team("A", "A", color=color), Team("B", "B", color=color)
        first, second = team_color(one), team_color(other, one)
        assert sum(abs(a - b) for a, b in zip(first, second, strict=True)) > 60
        assert contrast(apart_from(theme.panel, first), theme.panel) >= APART


def test_two_sides_without_colours_do_not_look_the_same() -> None:
    for first in range(40):
        one = Team(f"Team {first}", "T")
        for second in range(first):
            other = Team(f"Team {second}", "T")
            assert team_color(one, other) != team_color(other)


def test_a_ready_strip_is_composed_at_the_bottom_in_its_own_scale() -> None:
    strip = Image.new("RGBA", (1250, 80), (200, 30, 40, 255))
    for profile in ("480p30", "720p30", "1080p30"):
        canvas = canvas_of(PROFILES[profile])
        box = compose_image(png(strip), canvas).getbbox()
        scale = canvas.width / 1280
        assert box is not None
        assert abs(box[2] - box[0] - 1250 * scale) <= 2
        assert abs(box[3] - box[1] - 80 * scale) <= 2
        assert box[3] == canvas.height


@pytest.mark.parametrize("size", [(1280, 123), (1280, 600), (3000, 100), (64, 8)])
def test_a_strip_of_any_size_fits_the_canvas(size: tuple[int, int]) -> None:
    image = compose_image(png(Image.new("RGB", size, "white")), CANVAS)
    assert image.size == (CANVAS.width, CANVAS.height)
    assert image.getbbox() is not None


def test_palette_grey_and_animated_images_are_usable() -> None:
    red = Image.new("RGBA", (1280, 80), (255, 0, 0, 255))
    blue = Image.new("RGBA", (1280, 80), (0, 0, 255, 255))
    assert compose_image(png(red.quantize(4)), CANVAS).getpixel((640, 100)) == (255, 0, 0, 255)
    assert compose_image(png(Image.new("L", (1280, 80), 90)), CANVAS).getpixel((640, 100)) == (90, 90, 90, 255)
    animated = png(red, save_all=True, append_images=[blue], duration=100)
    assert compose_image(animated, CANVAS).getpixel((640, 100)) == (255, 0, 0, 255)


def bomb() -> bytes:
    """A PNG that announces 30000 x 30000 pixels."""
    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 6, 0, 0, 0)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 10_000))
        + chunk(b"IEND", b"")
    )


WHOLE = png(Image.effect_noise((1280, 80), 90))
JPEG = io.BytesIO()
Image.new("RGB", (1280, 80)).save(JPEG, "JPEG")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(WHOLE[: len(WHOLE) // 2], id="half"),
        pytest.param(WHOLE[:20], id="header only"),
        pytest.param(b"<html><body>404</body></html>", id="html"),
        pytest.param(JPEG.getvalue(), id="jpeg"),
        pytest.param(bomb(), id="bomb"),
        pytest.param(png(Image.new("RGBA", (1, 1))), id="1x1"),
        pytest.param(png(Image.new("L", (5000, 20))), id="too wide"),
        pytest.param(WHOLE[:60] + b"\xff" * 40 + WHOLE[100:], id="damaged"),
    ],
)
def test_anything_but_a_complete_sensible_png_is_rejected(content: bytes) -> None:
    with pytest.raises(ImageRejected, match="overlay image"):
        compose_image(content, CANVAS)


def test_the_file_is_written_only_when_the_picture_is_another_one(tmp_path: Path) -> None:
    file = OverlayFile(tmp_path / "overlay.png")
    image = draw_scoreboard(parse_match_data(CHASE), CANVAS)
    assert file.write(image)
    before = file.path.stat()
    assert not file.write(image)
    assert file.path.stat().st_ino == before.st_ino
    assert file.write(placeholder(CANVAS))
    assert [path.name for path in tmp_path.iterdir()] == ["overlay.png"]


def test_all_written_pictures_are_of_one_size_and_pixel_format(tmp_path: Path) -> None:
    """Another one would make FFmpeg rebuild its filters in mid-air."""
    file = OverlayFile(tmp_path / "overlay.png")
    board = parse_match_data(CHASE)
    for image in (placeholder(CANVAS), draw_scoreboard(board, CANVAS), compose_image(WHOLE, CANVAS)):
        file.write(image)
        header = file.path.read_bytes()[16:26]
        assert struct.unpack(">IIBB", header) == (CANVAS.width, CANVAS.height, 8, 3)


def test_a_picture_that_cannot_be_written_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = OverlayFile(tmp_path / "overlay.png")
    file.write(placeholder(CANVAS))
    before = file.path.read_bytes()

    def full(self: Path, content: bytes) -> int:
        with self.open("wb") as file:
            file.write(content[:50])
        raise OSError(28, "No space left on device")

    image = draw_scoreboard(parse_match_data(CHASE), CANVAS)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(OSError, match="No space"):
            file.write(image)
    assert file.path.read_bytes() == before
    assert file.write(image), "it must be written once there is room again"


def test_the_file_tells_its_picture() -> None:
    file = OverlayFile(Path("overlay.png"))
    assert file.content == b""
    file.write(placeholder(CANVAS))
    assert file.content == file.path.read_bytes()


def test_the_written_colours_still_stand_out(tmp_path: Path) -> None:
    """The palette moves colours; a ground and its ink must not move towards each other."""
    file = OverlayFile(tmp_path / "overlay.png")
    for theme in THEMES:
        file.write(draw_scene(boards.phases()["chase"], CANVAS, theme))
        with Image.open(file.path) as written:
            exact = draw_scene(boards.phases()["chase"], CANVAS, theme).convert("RGBA")
            assert mean_distance(written.convert("RGBA"), exact) < 1.5


def test_a_ready_image_that_is_not_confirmed_any_more_tells_its_age() -> None:
    image = compose_image(png(Image.new("RGB", (1280, 123), (200, 30, 40))), CANVAS)
    old = draw_scene(Scene(image, silent_s=120), CANVAS)
    assert_like_golden(on_grass(old), "image-silent")
    changed = ImageChops.difference(old.convert("RGB"), image.convert("RGB")).getbbox()
    assert changed is not None
    left, _, right, _ = changed
    assert left > SAFE_MARGIN_X
    assert right <= CANVAS.width - SAFE_MARGIN_X
    assert draw_scene(Scene(image), CANVAS) is image


def test_over_a_network_the_same_picture_is_smaller(tmp_path: Path) -> None:
    file = OverlayFile(tmp_path / "overlay.png")
    file.write(draw_scene(boards.phases()["chase"], CANVAS))
    sent = compact(file.content)
    assert len(sent) < len(file.content) / 5
    with Image.open(io.BytesIO(sent)) as small, Image.open(file.path) as large:
        assert small.convert("RGBA").tobytes() == large.convert("RGBA").tobytes()


def test_a_logo_is_cut_to_its_ink_and_bounded() -> None:
    picture = Image.new("RGBA", (1000, 600), (0, 0, 0, 0))
    picture.paste((255, 0, 0, 255), (100, 100, 900, 500))
    assert decode_logo(png(picture)).size == (192, 96)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        WHOLE[: len(WHOLE) // 2],
        JPEG.getvalue(),
        bomb(),
        png(Image.new("RGBA", (64, 64))),
        png(Image.new("L", (2, 2))),
    ],
    ids=["empty", "half", "jpeg", "bomb", "transparent", "tiny"],
)
def test_a_logo_that_is_none_is_rejected(content: bytes) -> None:
    with pytest.raises(ImageRejected, match="logo"):
        decode_logo(content)


def test_a_logo_stands_in_its_sides_block() -> None:
    board = parse_match_data(CHASE | {"batting": CHASE["batting"] | {"logo": "csk.png"}})
    logo = Image.new("RGBA", (90, 45), (9, 9, 250, 255))
    image = draw_scoreboard(board, CANVAS, logos={"csk.png": logo}).convert("RGBA").crop((64, 0, 184, 132))
    box = image.getchannel("B").point(lambda blue: 255 * (blue == 250)).getbbox()
    assert box is not None
    assert (box[2] - box[0], box[3] - box[1]) == (72, 36)
