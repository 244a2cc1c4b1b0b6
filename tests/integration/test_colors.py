"""The overlay's colours as they leave the compositor are those that the stream's tags name."""

from __future__ import annotations

import subprocess
from pathlib import Path

from PIL import Image

import ffmpeg
from graphics.layout import canvas_of
from media.encoders import X264, Encoder
from media.profiles import PROFILES
from overlay import OverlayFile
from tests.service import FFMPEG

BLUE = (0x00, 0x4B, 0xA0)
# ITU-R BT.709 in studio range. With BT.601 it would be 69, 176, 89.
BLUE_YUV = (72, 173, 92)


def test_the_overlay_has_the_colours_that_the_stream_is_tagged_with(tmp_path: Path) -> None:
    profile = PROFILES["480p30"]
    canvas = canvas_of(profile)
    overlay = OverlayFile(tmp_path / "overlay.png")
    overlay.write(Image.new("RGBA", (canvas.width, canvas.height), (*BLUE, 255)))
    camera = tmp_path / "camera.flv"
    source = f"testsrc2=size={profile.width}x{profile.height}:rate=30:duration=0.5"
    subprocess.run([FFMPEG, "-v", "error", "-f", "lavfi", "-i", source, "-c:v", "libx264", str(camera)], check=True)
    argv = ffmpeg.compositor_args(str(camera), overlay.path, canvas, profile, Encoder(X264, "veryfast", ""))
    made = subprocess.run([FFMPEG, *argv], check=True, capture_output=True).stdout
    decoder = [FFMPEG, "-v", "error", "-i", "pipe:0", "-an", "-frames:v", "3", "-f", "rawvideo", "pipe:1"]
    raw = subprocess.run(decoder, input=made, check=True, capture_output=True).stdout
    width, height = profile.width, profile.height
    luma, chroma = width * height, (width // 2) * (height // 2)
    frame = raw[-(luma + 2 * chroma) :]
    x, y = width // 2, canvas.top + canvas.height // 2
    at = (y // 2) * (width // 2) + x // 2
    seen = (frame[y * width + x], frame[luma + at], frame[luma + chroma + at])
    assert all(abs(got - wanted) <= 1 for got, wanted in zip(seen, BLUE_YUV, strict=True)), seen
