"""`make bench-preview`: the CPU of a preview: FFmpeg's, its start included, and this process's.

Encodes a noisy picture with the service's compositor, takes its keyframes, and
has the service's own code make JPEGs of them, of one stream alone and of
several in one round. Says so and ends with 1 when a stream costs more than
LIMIT_SHARE of a core at the interval that follows. `--help` has the options.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import ffmpeg
from encoders import X264, Encoder
from layout import canvas_of
from overlay import OverlayFile, placeholder
from preview import interval_s, jpegs_of
from profiles import PROFILES, OutputProfile
from switch import PesFramer, Unit

LIMIT_SHARE = 0.02
SECONDS = 6


def main() -> int:
    parser = argparse.ArgumentParser(description="what the live pictures of the dashboard cost")
    parser.add_argument("--rounds", type=int, default=30, help="rounds that are measured for each (%(default)s)")
    parser.add_argument("--profiles", nargs="+", default=["720p30", "1080p30"], choices=PROFILES, metavar="PROFILE")
    parser.add_argument("--streams", nargs="+", type=int, default=[1, 8], help="streams in a round (%(default)s)")
    options = parser.parse_args()
    binary = ffmpeg.find_ffmpeg("ffmpeg")
    dearest = 0.0
    for name in options.profiles:
        keys = _keyframes(binary, PROFILES[name])
        for streams in options.streams:
            batch = [keys[number % len(keys)] for number in range(streams)]
            costs = [_cost(binary, batch) for _ in range(options.rounds)]
            ffmpeg_s, own_s = (statistics.median(column) / streams for column in zip(*costs, strict=True))
            every_s = interval_s(ffmpeg_s)
            share = (ffmpeg_s + own_s) / every_s
            dearest = max(dearest, share)
            print(
                f"{name}, {streams} in a round: a picture takes {1000 * ffmpeg_s:.0f} ms of FFmpeg's CPU and"
                f" {1000 * own_s:.1f} ms of ours, every {every_s:.1f} s: {share:.1%} of a core a stream"
            )
    return 0 if dearest <= LIMIT_SHARE else 1


def _cost(binary: str, batch: list[Unit]) -> tuple[float, float]:
    """Seconds of CPU of one round: FFmpeg's, and this process's."""
    before = time.process_time()
    jpegs, ffmpeg_s = jpegs_of([unit.keyframe() for unit in batch], binary, threading.Event())
    own_s = time.process_time() - before
    if None in jpegs:
        sys.exit("a keyframe was not decoded")
    return ffmpeg_s, own_s


def _keyframes(binary: str, profile: OutputProfile) -> list[Unit]:
    """Those of a regular GOP, as large as they become: a camera's noise, at the profile's bitrate."""
    with tempfile.TemporaryDirectory(prefix="bench-preview-") as folder:
        camera, canvas = Path(folder) / "camera.flv", canvas_of(profile)
        picture = f"testsrc2=size={profile.width}x{profile.height}:rate={profile.frame_rate},noise=alls=8:allf=t"
        quiet = [binary, "-nostdin", "-loglevel", "error"]
        encoder = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "18", "-pix_fmt", "yuv420p"]
        subprocess.run([*quiet, "-f", "lavfi", "-i", picture, "-t", str(SECONDS), *encoder, str(camera)], check=True)
        overlay = OverlayFile(Path(folder) / "overlay.png")
        overlay.write(placeholder(canvas))
        argv = ffmpeg.compositor_args(str(camera), overlay.path, canvas, profile, Encoder(X264, "veryfast", ""))
        made = subprocess.run([binary, *argv], check=True, capture_output=True)
    return [unit for unit in PesFramer().push(made.stdout) if unit.key][-2:]


if __name__ == "__main__":
    sys.exit(main())
