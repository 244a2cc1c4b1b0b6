from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from errors import ImageRejected
from graphics.slate import draw_slate
from media.profiles import PROFILES, OutputProfile
from tests.images import assert_like_golden

PROFILE = PROFILES["480p30"]


def test_the_slate_looks_as_approved() -> None:
    assert_like_golden(draw_slate(PROFILE, "Chennai Super Kings v Mumbai Indians", "Back in a moment"), "slate-480p30")


def test_a_title_is_set_in_its_script() -> None:
    image = draw_slate(PROFILE, "சென்னை சூப்பர் கிங்ஸ் v মুম্বই", "فوراً واپس")
    assert_like_golden(image, "slate-scripts-480p30")


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_it_has_the_profiles_size_with_and_without_a_title(profile: OutputProfile) -> None:

    for title in ("", "A title " * 20):
        assert draw_slate(profile, title, "Waiting for the camera").size == (profile.width, profile.height)


def test_a_picture_of_the_users_is_fitted_behind_the_text(tmp_path: Path) -> None:
    path = tmp_path / "club.jpg"
    Image.new("RGB", (1000, 1000), (200, 10, 10)).save(path, quality=95)
    image = draw_slate(PROFILE, "", "Back in a moment", path)
    corner = image.getpixel((2, 2))
    assert isinstance(corner, tuple)
    assert corner[0] > 180 > corner[1] + 100


@pytest.mark.parametrize("content", [b"", b"<html>", b"\x89PNG\r\n\x1a\n"], ids=["empty", "html", "cut off"])
def test_a_picture_that_cannot_be_used_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "club.png"
    path.write_bytes(content)
    with pytest.raises(ImageRejected, match="SLATE_IMAGE: .*club.png"):
        draw_slate(PROFILE, "", "", path)
    with pytest.raises(ImageRejected, match="SLATE_IMAGE: .*nowhere.png"):
        draw_slate(PROFILE, "", "", tmp_path / "nowhere.png")
