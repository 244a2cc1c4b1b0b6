"""`make bench-preview`: the CPU of a preview: FFmpeg's with its start, and this process's.

The service's compositor encodes a noisy picture, and the service's own code makes
JPEGs of the keyframes, for one stream alone and for several in one round. The exit
status is 1 if a stream costs more than LIMIT_SHARE of a core at the interval that
follows from the cost. `--help` has the options.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ffmpeg
from bench import camera
from bench.report import Figure, Report, finish, parser, tell
from graphics.drawing import placeholder
from graphics.layout import canvas_of
from media.encoders import X264, Encoder
from media.mpegts import PesFramer, Unit
from media.profiles import PROFILES, OutputProfile
from overlay import OverlayFile
from relay import installed
from relay.preview import interval_s, jpegs_of

LIMIT_SHARE = 0.02
SECONDS = 6


@dataclass(frozen=True)
class Rounds:
    """Some streams of a profile: CPU seconds for a picture in each round, FFmpeg's and this process's."""

    profile: str
    streams: int
    ffmpeg_s: list[float]
    own_s: list[float]

    @property
    def every_s(self) -> float:
        return interval_s(statistics.median(self.ffmpeg_s))

    @property
    def shares(self) -> list[float]:
        """The share of a core that a stream takes, for each round."""
        return [(theirs + ours) / self.every_s for theirs, ours in zip(self.ffmpeg_s, self.own_s, strict=True)]


def main() -> int:
    options = _options()
    binary = installed.find_ffmpeg("ffmpeg")
    found = []
    for name in options.profiles:
        keys = _keyframes(binary, PROFILES[name])
        for streams in options.streams:
            tell(f"{name}, {streams} in a round")
            batch = [keys[number % len(keys)] for number in range(streams)]
            costs = [_cost(binary, batch) for _ in range(options.rounds)]
            theirs, ours = ([cost / streams for cost in column] for column in zip(*costs, strict=True))
            found.append(Rounds(name, streams, theirs, ours))
    return finish(_report(found), options.document, binary)


def _options() -> argparse.Namespace:
    made = parser("what the live pictures of the dashboard cost")
    made.add_argument("--rounds", type=int, default=30, help="measured rounds for each (%(default)s)")
    made.add_argument("--profiles", nargs="+", default=["720p30", "1080p30"], choices=PROFILES, metavar="PROFILE")
    made.add_argument("--streams", nargs="+", type=int, default=[1, 8], help="streams in a round (%(default)s)")
    return made.parse_args()


def _report(found: Sequence[Rounds]) -> Report:
    intro = [
        "The service's own code made small JPEGs of keyframes of a noisy picture at the profile's bitrate, for one",
        "stream alone and for several in one round. The share is that of a core for each stream, at the interval that",
        "follows from FFmpeg's CPU.",
    ]
    figures = []
    for rounds in found:
        what = f"{rounds.profile}, {rounds.streams} in a round"
        pace = f"every {rounds.every_s:.1f} s"
        figures += [
            Figure(f"{what}: share", "%", [100 * share for share in rounds.shares], limit=100 * LIMIT_SHARE, why=pace),
            Figure(f"{what}: FFmpeg's CPU", "ms", [1000 * seconds for seconds in rounds.ffmpeg_s]),
            Figure(f"{what}: Python's CPU", "ms", [1000 * seconds for seconds in rounds.own_s]),
        ]
    return Report("Preview", intro, figures, plot=lambda canvas: _plot(canvas, found))


def _plot(canvas: Any, found: Sequence[Rounds]) -> None:
    axes = canvas.subplots()
    axes.boxplot([[100 * share for share in rounds.shares] for rounds in found], showfliers=False)
    labels = [f"{rounds.profile},\n{rounds.streams} in a round" for rounds in found]
    axes.set_xticks(range(1, len(found) + 1), labels)
    axes.axhline(100 * LIMIT_SHARE, color="black", linestyle=":")
    axes.set_ylim(bottom=0)
    axes.set_ylabel("% of a core for each stream")


def _cost(binary: str, batch: list[Unit]) -> tuple[float, float]:
    """Seconds of CPU of one round, FFmpeg's and this process's."""
    before = time.process_time()
    jpegs, ffmpeg_s = jpegs_of([unit.keyframe() for unit in batch], binary, threading.Event())
    own_s = time.process_time() - before
    if None in jpegs:
        sys.exit("a keyframe was not decoded")
    return ffmpeg_s, own_s


def _keyframes(binary: str, profile: OutputProfile) -> list[Unit]:
    """Keyframes of a regular GOP, as large as they get: with a camera's noise, at the profile's bitrate."""
    with tempfile.TemporaryDirectory(prefix="bench-preview-") as folder:
        recording, canvas = Path(folder) / "camera.flv", canvas_of(profile)
        all_its_noise = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "18", "-pix_fmt", "yuv420p"]
        camera.record(binary, recording, profile, SECONDS, all_its_noise)
        overlay = OverlayFile(Path(folder) / "overlay.png")
        overlay.write(placeholder(canvas))
        argv = ffmpeg.compositor_args(str(recording), overlay.path, canvas, profile, Encoder(X264, "veryfast", ""))
        made = subprocess.run([binary, *argv], check=True, capture_output=True)
    return [unit for unit in PesFramer().push(made.stdout) if unit.key][-2:]


if __name__ == "__main__":
    sys.exit(main())
