"""Colours as they leave the compositor are those that the stream's tags name: the overlay's and the camera's."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

import ffmpeg
from graphics.layout import canvas_of
from media.camera_picture import PLAIN, Treatment, camera_picture
from media.encoders import X264, Encoder
from media.profiles import PROFILES, OutputProfile
from overlay import OverlayFile
from tests.service import FFMPEG

BLUE = (0x00, 0x4B, 0xA0)
# ITU-R BT.709 in studio range. With BT.601 it would be 69, 176, 89.
BLUE_YUV = (72, 173, 92)


def composited(
    camera: Path, overlay: OverlayFile, profile: OutputProfile, treatment: Treatment = PLAIN
) -> Callable[[int, int], tuple[int, int, int]]:
    """What the compositor makes of this recording: a function that gives Y, U and V of a place in a late frame."""
    canvas = canvas_of(profile)
    argv = ffmpeg.compositor_args(
        str(camera), overlay.path, canvas, profile, Encoder(X264, "veryfast", ""), treatment=treatment
    )
    made = subprocess.run([FFMPEG, *argv], check=True, capture_output=True).stdout
    decoder = [FFMPEG, "-v", "error", "-i", "pipe:0", "-an", "-frames:v", "6", "-f", "rawvideo", "pipe:1"]
    raw = subprocess.run(decoder, input=made, check=True, capture_output=True).stdout
    width, height = profile.width, profile.height
    luma, chroma = width * height, (width // 2) * (height // 2)
    frame = raw[-(luma + 2 * chroma) :]

    def at(x: int, y: int) -> tuple[int, int, int]:
        place = (y // 2) * (width // 2) + x // 2
        return frame[y * width + x], frame[luma + place], frame[luma + chroma + place]

    return at


def test_the_overlay_has_the_colours_that_the_stream_is_tagged_with(tmp_path: Path) -> None:
    profile = PROFILES["480p30"]
    canvas = canvas_of(profile)
    overlay = OverlayFile(tmp_path / "overlay.png")
    overlay.write(Image.new("RGBA", (canvas.width, canvas.height), (*BLUE, 255)))
    camera = tmp_path / "camera.flv"
    source = f"testsrc2=size={profile.width}x{profile.height}:rate=30:duration=0.5"
    subprocess.run([FFMPEG, "-v", "error", "-f", "lavfi", "-i", source, "-c:v", "libx264", str(camera)], check=True)
    frame = composited(camera, overlay, profile)
    seen = frame(profile.width // 2, canvas.top + canvas.height // 2)
    assert all(abs(got - wanted) <= 1 for got, wanted in zip(seen, BLUE_YUV, strict=True)), seen


GREEN = "0x79473c"
GREEN_YUV = (86, 117, 148)  # by BT.709, studio range
TAGGED_709 = "colorprim=bt709:transfer=bt709:colormatrix=bt709"


@pytest.mark.parametrize(
    ("size", "matrix", "tags", "treatment"),
    [
        ("1280x720", "bt709", "", PLAIN),
        ("1280x720", "bt709", TAGGED_709, PLAIN),
        ("1280x720", "bt601", "colormatrix=smpte170m", PLAIN),
        ("640x480", "bt601", "", Treatment(is_sd=True)),
        ("640x480", "bt709", TAGGED_709, PLAIN),
    ],
    ids=["HD untagged", "HD", "HD as BT.601", "SD untagged", "SD as BT.709"],
)
def test_the_camera_keeps_its_colours(tmp_path: Path, size: str, matrix: str, tags: str, treatment: Treatment) -> None:
    profile = PROFILES["480p30"]
    canvas = canvas_of(profile)
    overlay = OverlayFile(tmp_path / "overlay.png")
    overlay.write(Image.new("RGBA", (canvas.width, canvas.height), (0, 0, 0, 0)))
    camera = tmp_path / "camera.flv"
    convert = f"format=rgb24,scale=out_color_matrix={matrix}:out_range=tv,format=yuv420p"
    source = f"color=c={GREEN}:size={size}:rate=30:duration=0.5,{convert}"
    tagged = ["-x264-params", tags] if tags else []
    encode = ["-c:v", "libx264", "-qp", "1", *tagged, str(camera)]
    subprocess.run([FFMPEG, "-v", "error", "-f", "lavfi", "-i", source, *encode], check=True)
    lines = subprocess.run([FFMPEG, "-i", str(camera)], check=False, capture_output=True, text=True).stderr
    [picture] = filter(None, map(camera_picture, lines.splitlines()))
    assert picture.treatment == treatment
    seen = composited(camera, overlay, profile, treatment)(profile.width // 2, profile.height // 3)
    assert all(abs(got - wanted) <= 2 for got, wanted in zip(seen, GREEN_YUV, strict=True)), seen


def combs(frame: Callable[[int, int], tuple[int, int, int]], width: int, height: int) -> int:
    """How many places differ from both the line above and the line below by more than a moving edge may."""
    count = 0
    for y in range(2, height // 2, 2):
        for x in range(0, width, 4):
            above, here, below = (frame(x, line)[0] for line in (y - 1, y, y + 1))
            count += (here - above > 60 and here - below > 60) or (above - here > 60 and below - here > 60)
    return count


def test_an_interlaced_picture_has_no_combs(tmp_path: Path) -> None:
    profile = PROFILES["480p30"]
    canvas = canvas_of(profile)
    overlay = OverlayFile(tmp_path / "overlay.png")
    overlay.write(Image.new("RGBA", (canvas.width, canvas.height), (0, 0, 0, 0)))
    camera = tmp_path / "camera.flv"
    # A white bar that moves by 16 pixels from field to field.
    bar = "color=c=black:s=854x480:r=60:d=1[back];color=c=white:s=80x480:r=60:d=1[bar]"
    moving = f"{bar};[back][bar]overlay=x='mod(16*n,760)',tinterlace=interleave_top,setfield=tff"
    encode = ["-c:v", "libx264", "-qp", "1", "-flags", "+ildct", "-x264-params", "tff=1", str(camera)]
    subprocess.run([FFMPEG, "-v", "error", "-filter_complex", moving, *encode], check=True)
    lines = subprocess.run([FFMPEG, "-i", str(camera)], check=False, capture_output=True, text=True).stderr
    [picture] = filter(None, map(camera_picture, lines.splitlines()))
    assert picture.treatment == Treatment(is_sd=True, is_interlaced=True)
    untreated = combs(composited(camera, overlay, profile), profile.width, profile.height)
    treated = combs(composited(camera, overlay, profile, picture.treatment), profile.width, profile.height)
    assert untreated > 500
    assert treated < untreated / 20
