"""`make bench-overlay`: what a ball costs: draw, encode, rename; the PNG's size; what FFmpeg pays for the overlay.

Draws every state of a real match at 1280 wide, its banners as well, as the
service does. Then transcodes the same camera with and without the overlay, in
turn, and compares the CPU time of each pair. Says so and ends with 1 when the
95th percentile of the drawing is over LIMIT_MS or the median of the pairs over
LIMIT_RATIO. `--help` has the options.
"""

from __future__ import annotations

import argparse
import itertools
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from functools import lru_cache
from pathlib import Path

import ffmpeg
from config import load_settings
from demo import boards
from demo.replay import states
from demo.run import in_colors
from encoders import X264
from events import events_between
from layout import Canvas, canvas_of
from overlay import OverlayFile, draw_scene
from profiles import PROFILES
from rundown import Scene
from scoreboard import parse_match_data

LIMIT_MS = 15.0
LIMIT_RATIO = 1.05
PROFILE_NAME = "720p30"
PROFILE = PROFILES[PROFILE_NAME]
DECODED = 500  # pictures: 17 s of overlay input


def main() -> int:
    parser = argparse.ArgumentParser(description="what the overlay costs: to draw, and to lay on the picture")
    parser.add_argument("--pairs", type=int, default=50, help="pairs of transcodes (%(default)s)")
    parser.add_argument("--seconds", type=int, default=5, help="of camera in each transcode (%(default)s)")
    parser.add_argument("--preset", default="veryfast", help="x264's preset (%(default)s)")
    options = parser.parse_args()
    canvas = canvas_of(PROFILE)
    with tempfile.TemporaryDirectory(prefix="bench-overlay-") as folder:
        file = OverlayFile(Path(folder) / "overlay.png")
        times_ms, sizes = [], []
        for scene in _scenes():
            start = time.perf_counter()
            is_new = file.write(draw_scene(scene, canvas))
            if is_new:
                times_ms.append(1000 * (time.perf_counter() - start))
                sizes.append(len(file.content))
        print(f"draw, encode, rename of {len(times_ms)} pictures, {canvas.width}×{canvas.height}:")
        print(
            f"  median {_share(times_ms, 0.5):.1f} ms, p95 {_share(times_ms, 0.95):.1f} ms, max {max(times_ms):.1f} ms"
        )
        print(f"PNG: median {_share(sizes, 0.5):.0f} bytes, largest {max(sizes)} bytes")
        file.write(draw_scene(boards.phases()["chase"], canvas))
        print(f"FFmpeg decodes one in {_decode_ms(file.path):.2f} ms of CPU")
        ratios = _paired_ratios(file.path, canvas, options.preset, options.pairs, options.seconds)
    quartiles = f"quartiles {_share(ratios, 0.25):.3f} to {_share(ratios, 0.75):.3f}"
    print(f"CPU of the transcode with overlay to that without, {PROFILE_NAME} {options.preset}, {len(ratios)} pairs:")
    print(f"  median {statistics.median(ratios):.3f}, {quartiles}")
    return 0 if _share(times_ms, 0.95) <= LIMIT_MS and statistics.median(ratios) <= LIMIT_RATIO else 1


def _scenes() -> list[Scene]:
    """In the order of a match, each banner after its ball."""
    found = []
    match = [parse_match_data(in_colors(state.as_own_shape())) for state in states()]
    for before, board in itertools.pairwise(match):
        found += [Scene(board, banner=event) for event in events_between(before, board)]
        found.append(Scene(board))
    return found


def _share(values: list[float] | list[int], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def _decode_ms(path: Path) -> float:
    """CPU of reading and decoding the picture as the compositor does, the start of FFmpeg taken off."""
    return (_cpu_s(path, DECODED) - _cpu_s(path, 1)) / (DECODED - 1) * 1000


def _cpu_s(path: Path, frames: int) -> float:
    source = ["-f", "image2", "-loop", "1", "-framerate", str(ffmpeg.OVERLAY_RATE), "-threads", "1", "-i", str(path)]
    return _cpu_of(["-nostdin", "-loglevel", "error", *source, "-frames:v", str(frames), "-f", "null", "-"])


def _paired_ratios(overlay: Path, canvas: Canvas, preset: str, pairs: int, seconds: int) -> list[float]:
    """CPU with the overlay over CPU without, of one pair after the other; which goes first alternates."""
    camera = overlay.with_name("camera.flv")
    _record_camera(camera, seconds)
    encoder = load_settings({"_env_file": None, "video_encoder": X264, "x264_preset": preset}).encoder
    with_it = ffmpeg.compositor_args(str(camera), overlay, canvas, PROFILE, encoder)
    without = _without_overlay(with_it, overlay)
    ratios = []
    for pair in range(pairs):
        turns = (with_it, without) if pair % 2 else (without, with_it)
        spent = {id(argv): _cpu_of(argv) for argv in turns}
        ratios.append(spent[id(with_it)] / spent[id(without)])
    return ratios


def _record_camera(path: Path, seconds: int) -> None:
    """A moving picture with the noise of a sensor, as a phone sends it."""
    picture = f"testsrc2=size={PROFILE.width}x{PROFILE.height}:rate={PROFILE.frame_rate},noise=alls=8:allf=t"
    sources = ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100"]
    encoders = ["-c:v", "libx264", "-preset", "veryfast", "-b:v", "5M", "-pix_fmt", "yuv420p", "-c:a", "aac"]
    _cpu_of(["-nostdin", "-loglevel", "error", *sources, "-t", str(seconds), *encoders, str(path)])


def _without_overlay(argv: list[str], overlay: Path) -> list[str]:
    """The same transcode, with one input and one filter less."""
    end = argv.index(str(overlay)) + 1
    start = end - len(ffmpeg.overlay_input(overlay))
    bare = argv[:start] + argv[end:]
    at = bare.index("-filter_complex") + 1
    camera, _, rest = bare[at].partition("[camera];")
    bare[at] = f"{camera},{rest.rpartition(',')[2]}"
    return bare


@lru_cache
def _ffmpeg() -> str:
    return ffmpeg.find_ffmpeg("ffmpeg")


def _cpu_of(argv: list[str]) -> float:
    """Seconds of CPU, user and system, that FFmpeg takes for this."""
    binary = _ffmpeg()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([binary, *argv], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    sys.exit(main())
