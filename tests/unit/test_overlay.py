from __future__ import annotations

import io
import random
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from demo.replay import MATCH, states
from errors import ImageRejected
from overlay import OverlayFile, canvas_of, compose_image, draw_scoreboard, ink_on, placeholder, team_color
from profiles import PROFILES
from scoreboard import Team, parse_match_data
from tests.images import assert_like_golden, mean_distance

CANVAS = canvas_of(PROFILES["720p30"])
CHASE: dict[str, Any] = {
    "sport": "cricket",
    "target": 150,
    "batting": {
        "name": "Chennai Super Kings",
        "short": "CSK",
        "runs": 133,
        "wickets": 5,
        "overs": "18.2",
        "color": "#f9cd05",
    },
    "bowling": {"name": "Mumbai Indians", "short": "MI", "color": "#004ba0"},
    "batters": [
        {"name": "SR Watson", "runs": 76, "balls": 55, "on_strike": True},
        {"name": "RA Jadeja", "runs": 3, "balls": 3},
    ],
    "bowler": {"name": "JJ Bumrah", "overs": "3.2", "runs": 12, "wickets": 2},
    "this_over": ["1", "W", "wd", "4", "0", "6"],
}
BEFORE = {"sport": "cricket", "batting": {"name": "Mumbai Indians"}, "bowling": {"name": "Chennai Super Kings"}}
LONG = CHASE | {
    "batting": CHASE["batting"] | {"short": "WWWWWW", "runs": 1004, "wickets": 10, "overs": "120.5"},
    "batters": [{"name": "Wijesekara Mudiyanselage Wanigamuni", "runs": 888, "balls": 888, "on_strike": True}] * 2,
    "bowler": {"name": "Warnakulasuriya Patabendige Ushantha", "overs": "33.3", "runs": 188, "wickets": 10},
    "this_over": ["wd"] * 12,
}


def png(image: Image.Image, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", **options)
    return buffer.getvalue()


def on_grass(image: Image.Image) -> Image.Image:
    picture = Image.new("RGBA", image.size, (60, 130, 60, 255))
    picture.alpha_composite(image)
    return picture.convert("RGB")


@pytest.mark.parametrize("profile", ["480p30", "720p30", "1080p30"])
@pytest.mark.parametrize(
    ("name", "feed"),
    [
        ("chase", CHASE),
        ("before", BEFORE),
        ("long", LONG),
        ("result", CHASE | {"result": "Mumbai Indians won by 1 run"}),
    ],
)
def test_the_strip_looks_as_approved(profile: str, name: str, feed: dict[str, Any]) -> None:
    image = draw_scoreboard(parse_match_data(feed), canvas_of(PROFILES[profile]))
    assert_like_golden(on_grass(image), f"strip-{name}-{profile}")


def test_another_digit_is_another_picture() -> None:
    """What the tolerance of the golden images must not let through."""
    other = CHASE | {"batting": CHASE["batting"] | {"runs": 134}}
    one, two = (on_grass(draw_scoreboard(parse_match_data(feed), CANVAS)) for feed in (CHASE, other))
    assert one != two
    box = (190, 60, 330, 120)
    assert mean_distance(one.crop(box), two.crop(box)) > 1


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_the_canvas_lies_inside_the_picture_and_the_strip_in_the_title_safe_area(profile: Any) -> None:
    canvas = canvas_of(profile)
    assert canvas.width == profile.width
    assert canvas.top % 2 == 0
    bottom = canvas.top + canvas.height
    assert 0.94 * profile.height <= bottom <= 0.955 * profile.height
    box = draw_scoreboard(parse_match_data(LONG), canvas).getbbox()
    assert box is not None
    assert box[0] >= 0.05 * profile.width - 1
    assert box[2] <= 0.95 * profile.width + 1


def test_every_state_of_a_real_match_draws() -> None:
    pictures = {draw_scoreboard(parse_match_data(state.as_own_shape()), CANVAS).tobytes() for state in states(MATCH)}
    assert len(pictures) > 200


def test_ink_stands_out_on_any_team_colour() -> None:
    def luminance(color: tuple[int, ...]) -> float:
        parts = [c / 255 for c in color[:3]]
        linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dice = random.Random(7)
    for _ in range(500):
        color = (dice.randrange(256), dice.randrange(256), dice.randrange(256))
        bright, dark = sorted((luminance(color), luminance(ink_on(color))), reverse=True)
        assert (bright + 0.05) / (dark + 0.05) >= 4.5


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
