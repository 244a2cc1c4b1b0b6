"""`make bench-overlay`: what a ball costs: draw, encode, rename; the PNG's size; what FFmpeg pays to decode it.

Draws every state of a real match at 1280 wide, its banners as well, as the
service does. Says so and ends with 1 when the 95th percentile is over
LIMIT_MS.
"""

from __future__ import annotations

import itertools
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import ffmpeg
from demo import boards
from demo.replay import states
from demo.run import in_colors
from events import events_between
from layout import canvas_of
from overlay import OverlayFile, draw_scene
from profiles import PROFILES
from rundown import Scene
from scoreboard import parse_match_data

LIMIT_MS = 15.0
DECODED = 500  # pictures: 20 s of overlay input


def main() -> int:
    canvas = canvas_of(PROFILES["720p30"])
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
    return 0 if _share(times_ms, 0.95) <= LIMIT_MS else 1


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
    binary = ffmpeg.find_ffmpeg("ffmpeg")
    source = ["-f", "image2", "-loop", "1", "-framerate", "25", "-threads", "1", "-i", str(path)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [binary, "-nostdin", "-loglevel", "error", *source, "-frames:v", str(frames), "-f", "null", "-"], check=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    sys.exit(main())
