"""`make bench-overlay`: what a new score costs: time to draw it, size of the PNG, and FFmpeg's CPU for the overlay.

Draws every state and banner of a real match 1280 pixels wide, as the service
does. Then transcodes the same camera with and without the overlay, in turn, and
compares the CPU time of each pair. The exit status is 1 if the 95th percentile of
the drawing is over LIMIT_MS, or the median of the pairs over LIMIT_RATIO. `--help`
has the options.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import ffmpeg
from bench import camera
from bench.cpu import cpu_of
from bench.report import Figure, Report, finish, parser, tell
from demo import boards
from demo.replay import states
from demo.run import in_colors
from graphics.drawing import draw_scene
from graphics.layout import Canvas, canvas_of
from media.encoders import X264, Encoder
from media.profiles import PROFILES
from overlay import OverlayFile
from relay import installed
from scoring.moments import Moments
from scoring.reading import parse_match_data
from scoring.rundown import Scene

LIMIT_MS = 15.0
LIMIT_RATIO = 1.05
PROFILE_NAME = "720p30"
PROFILE = PROFILES[PROFILE_NAME]
DECODED = 500  # pictures: 17 s of overlay input


def main() -> int:
    options = _options()
    canvas = canvas_of(PROFILE)
    with tempfile.TemporaryDirectory(prefix="bench-overlay-") as folder:
        file = OverlayFile(Path(folder) / "overlay.png")
        tell("draws a match")
        times_ms, sizes = _draw_all(file, canvas)
        file.write(draw_scene(boards.phases()["chase"], canvas))
        decode_ms = _decode_ms(file.path)
        tell(f"transcodes {options.pairs} pairs")
        ratios = _paired_ratios(file.path, canvas, options.preset, options.pairs, options.seconds)
    return finish(_report(options.preset, times_ms, sizes, decode_ms, ratios), options.document, _ffmpeg())


def _options() -> argparse.Namespace:
    made = parser("what the overlay costs: drawing it, and laying it on the picture")
    made.add_argument("--pairs", type=int, default=50, help="pairs of transcodes (%(default)s)")
    made.add_argument("--seconds", type=int, default=5, help="of camera in each transcode (%(default)s)")
    made.add_argument("--preset", default="veryfast", help="x264's preset (%(default)s)")
    return made.parse_args()


def _report(
    preset: str, times_ms: Sequence[float], sizes: Sequence[float], decode_ms: float, ratios: Sequence[float]
) -> Report:
    intro = [
        f"Every state and banner of a real match, {PROFILE.width} pixels wide, was drawn, encoded and renamed as the",
        f"service does it. Then {len(ratios)} pairs of transcodes of the same camera ({PROFILE_NAME} {preset}), with",
        "and without the overlay, ran in turn.",
    ]
    figures = [
        Figure("draw, encode, rename", "ms", times_ms, "p95", limit=LIMIT_MS),
        Figure("draw, encode, rename, median", "ms", times_ms),
        Figure("PNG", "bytes", sizes),
        Figure("FFmpeg's CPU to decode one", "ms", [decode_ms]),
        Figure("CPU with the overlay / CPU without", "", ratios, limit=LIMIT_RATIO),
    ]
    return Report("Overlay", intro, figures, plot=lambda canvas: _plot(canvas, times_ms, ratios))


def _plot(canvas: Any, times_ms: Sequence[float], ratios: Sequence[float]) -> None:
    drawing, laying = canvas.subplots(1, 2)
    drawing.hist(times_ms, bins=40, color="#1f6feb")
    drawing.axvline(LIMIT_MS, color="black", linestyle=":")
    drawing.set_xlabel("draw, encode, rename (ms)")
    drawing.set_ylabel("pictures")
    laying.hist(ratios, bins=20, color="#1f6feb")
    laying.axvline(LIMIT_RATIO, color="black", linestyle=":")
    laying.set_xlabel("CPU with the overlay / CPU without")
    laying.set_ylabel("pairs")


def _draw_all(file: OverlayFile, canvas: Canvas) -> tuple[list[float], list[float]]:
    """Milliseconds and bytes of each new picture of the match."""
    times_ms, sizes = [], []
    for scene in _scenes():
        start = time.perf_counter()
        is_new = file.write(draw_scene(scene, canvas))
        if is_new:
            times_ms.append(1000 * (time.perf_counter() - start))
            sizes.append(float(len(file.content)))
    return times_ms, sizes


def _scenes() -> list[Scene]:
    """All scenes in the order of the match, each banner after its ball."""
    found = []
    match = [parse_match_data(in_colors(state.as_own_shape())) for state in states()]
    for before, board in itertools.pairwise(match):
        found += [Scene(board, banner=event) for event in Moments().between(before, board)]
        found.append(Scene(board))
    return found


def _decode_ms(path: Path) -> float:
    """CPU for reading and decoding the picture as the compositor does, without the start of FFmpeg."""
    return (_cpu_s(path, DECODED) - _cpu_s(path, 1)) / (DECODED - 1) * 1000


def _cpu_s(path: Path, frames: int) -> float:
    source = ["-f", "image2", "-loop", "1", "-framerate", "30", "-threads", "1", "-i", str(path)]
    return cpu_of([_ffmpeg(), "-nostdin", "-loglevel", "error", *source, "-frames:v", str(frames), "-f", "null", "-"])


def _paired_ratios(overlay: Path, canvas: Canvas, preset: str, pairs: int, seconds: int) -> list[float]:
    """CPU with the overlay divided by CPU without, pair by pair. The order within a pair alternates."""
    recording = overlay.with_name("camera.flv")
    camera.record(_ffmpeg(), recording, PROFILE, seconds)
    with_it = ffmpeg.compositor_args(str(recording), overlay, canvas, PROFILE, Encoder(X264, preset, ""))
    without = _without_overlay(with_it, overlay)
    ratios = []
    for pair in range(pairs):
        turns = (with_it, without) if pair % 2 else (without, with_it)
        spent = {id(argv): cpu_of([_ffmpeg(), *argv]) for argv in turns}
        ratios.append(spent[id(with_it)] / spent[id(without)])
    return ratios


def _without_overlay(argv: list[str], overlay: Path) -> list[str]:
    """The same transcode without the overlay's input and filter."""
    end = argv.index(str(overlay)) + 1
    start = end - len(ffmpeg.overlay_input(overlay, 30))
    bare = argv[:start] + argv[end:]
    at = bare.index("-filter_complex") + 1
    picture, _, rest = bare[at].partition("[camera];")
    bare[at] = f"{picture},{rest.rpartition(',')[2]}"
    return bare


@lru_cache
def _ffmpeg() -> str:
    return installed.find_ffmpeg("ffmpeg")


if __name__ == "__main__":
    sys.exit(main())
