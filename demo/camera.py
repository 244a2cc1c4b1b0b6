"""A synthetic camera: a cricket ground with a panning view, a moving ball and sound, published by RTMP."""

from __future__ import annotations

import math
import random
import subprocess
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter

from relay.process import dies_with_its_parent

GROUND_SIZE = (1600, 720)
CROWD_SEED = 2019
PAN_S = 12
RECORD_LIMIT_S = 90

BALL_SIZE = 20
# For each player: x and y of the feet, and height, in pixels of the ground.
PLAYERS = ((842, 612, 118), (735, 400, 46), (330, 420, 40), (1240, 430, 42), (520, 560, 74), (1120, 590, 80))


def draw_scene(folder: Path) -> None:
    """Paint what the camera sees: `ground.png`, over which it pans, and `ball.png`."""
    ball = Image.new("RGBA", (BALL_SIZE * 4, BALL_SIZE * 4))
    ImageDraw.Draw(ball).ellipse((0, 0, BALL_SIZE * 4 - 1, BALL_SIZE * 4 - 1), fill="#b3202c")
    ball.reduce(4).save(folder / "ball.png")
    _draw_ground().save(folder / "ground.png")


def _draw_ground() -> Image.Image:
    width, height = GROUND_SIZE
    image = Image.new("RGB", GROUND_SIZE, "#87b7dd")
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 120, width, 290), fill="#3a4356")
    _crowd(pen, width)
    for stripe in range(12):
        top = 285 + round((height - 285) * (stripe / 12) ** 1.4)
        pen.rectangle((0, top, width, height), fill=("#3f8f3f", "#378337")[stripe % 2])
    pen.arc((-300, 300, width + 300, 1100), 180, 360, fill="white", width=5)
    pen.polygon([(760, 380), (840, 380), (900, 640), (700, 640)], fill="#cdb283")
    pen.line([(752, 400), (848, 400)], fill="white", width=2)
    pen.line([(705, 612), (895, 612)], fill="white", width=4)
    for middle, foot, tall in ((800, 398, 26), (800, 612, 62)):
        for stump in (-1, 0, 1):
            x = middle + stump * tall / 6
            pen.line([(x, foot), (x, foot - tall)], fill="#f3e3b0", width=max(2, tall // 14))
    for x, y, tall in PLAYERS:
        _player(pen, x, y, tall)
    return image.filter(ImageFilter.GaussianBlur(0.6))


def _crowd(pen: ImageDraw.ImageDraw, width: int) -> None:
    dice = random.Random(CROWD_SEED)  # noqa: S311 - a picture, no secret
    for _ in range(5200):
        x, y = dice.randrange(width), dice.randrange(128, 282)
        color = dice.choice(("#f9cd05", "#004ba0", "#d9d9d9", "#b8433a", "#e0a070", "#2d2f3a"))
        pen.ellipse((x, y, x + 6, y + 6), fill=color)


def _player(pen: ImageDraw.ImageDraw, x: float, foot: float, tall: float) -> None:
    shirt = "#f4f4f0"
    pen.ellipse((x - tall * 0.3, foot - 3, x + tall * 0.3, foot + 4), fill="#2c6b2c")
    pen.line([(x - tall * 0.1, foot), (x, foot - tall * 0.45)], fill=shirt, width=round(tall * 0.12))
    pen.line([(x + tall * 0.1, foot), (x, foot - tall * 0.45)], fill=shirt, width=round(tall * 0.12))
    pen.rounded_rectangle(
        (x - tall * 0.16, foot - tall * 0.82, x + tall * 0.16, foot - tall * 0.42), tall * 0.06, fill=shirt
    )
    pen.ellipse((x - tall * 0.1, foot - tall, x + tall * 0.1, foot - tall * 0.8), fill="#9c6b4a")


def camera_args(ffmpeg: str, url: str) -> list[str]:
    """FFmpeg's command line, to be run in the folder of the scene: 720p30, with a beep every second over noise."""
    pan = f"(iw-1280)/2*(1+sin(2*PI*t/{PAN_S}))"
    bounce = f"360-220*abs(sin({math.pi}*t/1.5))"
    return [
        *(ffmpeg, "-hide_banner", "-nostdin", "-loglevel", "error", "-re"),
        *("-f", "lavfi", "-i", "movie=ground.png,loop=-1:1:0,setpts=N/30/TB,fps=30"),
        *("-f", "lavfi", "-i", "movie=ball.png,loop=-1:1:0,setpts=N/30/TB,fps=30"),
        *("-f", "lavfi", "-i", "anoisesrc=color=pink:amplitude=0.05:r=44100"),
        *("-f", "lavfi", "-i", "sine=f=330:beep_factor=3:r=44100"),
        "-filter_complex",
        f"[0:v]crop=1280:720:x='{pan}':y=0[ground];[ground][1:v]overlay=x='mod(t*260,1320)-20':y='{bounce}',"
        "format=yuv420p[v];[3:a]volume=0.4[beep];[2:a][beep]amix=2:normalize=0,pan=stereo|c0=c0|c1=c0[a]",
        *("-map", "[v]", "-map", "[a]"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-b:v", "3500k", "-g", "60", "-bf", "0"),
        *("-c:a", "aac", "-b:a", "96k", "-f", "flv", url),
    ]


def record(ffmpeg: str, folder: Path) -> Path:
    """Record one pan over the scene in `folder`, in a file that can be published over and over.

    It is small and has few frames, because several of them at once must not overload the machine.
    """
    argv = [word for word in camera_args(ffmpeg, "whole.flv") if word != "-re"]
    smaller = [ffmpeg, "-nostdin", "-y", "-loglevel", "error", "-i", "whole.flv", "-vf", "scale=854:480,fps=15"]
    smaller += ["-c:a", "copy"]
    smaller += ["-preset", "veryfast", "-tune", "fastdecode", "-bf", "0", "-g", "15"]  # so that a copy can be repeated
    for step in ([*argv[:-1], "-t", str(PAN_S), "-y", argv[-1]], [*smaller, "camera.flv"]):
        subprocess.run(
            dies_with_its_parent(step), stdin=subprocess.DEVNULL, cwd=folder, timeout=RECORD_LIMIT_S, check=True
        )
    return folder / "camera.flv"


def publish_args(ffmpeg: str, recording: Path, url: str) -> list[str]:
    """FFmpeg's command line for a camera that sends the recording over and over, which takes hardly any CPU."""
    source = ["-re", "-stream_loop", "-1", "-i", str(recording)]
    return [ffmpeg, "-nostdin", "-loglevel", "fatal", *source, "-c", "copy", "-f", "flv", url]
