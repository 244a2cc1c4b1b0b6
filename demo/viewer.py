"""The viewer at the "YouTube" end: decodes what arrives there, and watches the strip in it."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageChops

from graphics.layout import LEFT, REFERENCE_WIDTH, RIGHT, STRIP_HEIGHT, Canvas

# Between two scores the pixels of a glyph change by more than this. The encoder changes a still strip by less.
CHANGED_BY = 64
CHANGED_PIXELS = 25
SETTLE_FRAMES = 8


def strip_box(canvas: Canvas) -> tuple[int, int, int, int]:
    """The opaque part of the overlay in the picture: left, top, right, bottom in even pixels."""
    scale = canvas.width / REFERENCE_WIDTH
    left, right = round((LEFT + 12) * scale), round((RIGHT - 12) * scale)
    bottom = canvas.top + canvas.height
    top = bottom - round(STRIP_HEIGHT * scale)
    return left // 2 * 2 + 2, top // 2 * 2 + 2, right // 2 * 2 - 2, bottom // 2 * 2 - 2


class Viewer:
    """Plays a stream, keeps the newest strip, and counts frames and changes of the strip. `close()` ends it."""

    def __init__(self, ffmpeg: str, url: str, canvas: Canvas) -> None:
        self.frames = 0
        self.changes = 0
        self.strip: Image.Image | None = None
        self._box = strip_box(canvas)
        self._settled: Image.Image | None = None
        self._wait_frames = 0
        left, top, right, bottom = self._box
        crop = f"crop={right - left}:{bottom - top}:{left}:{top}"
        self._process = subprocess.Popen(
            [
                *(ffmpeg, "-hide_banner", "-nostdin", "-loglevel", "error", *_play(url)),
                *("-an", "-vf", f"{crop},format=gray", "-f", "rawvideo", "pipe:1"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._thread = threading.Thread(target=self._watch, name="viewer")
        self._thread.start()

    def _watch(self) -> None:
        left, top, right, bottom = self._box
        size = (right - left, bottom - top)
        out = self._process.stdout
        while out is not None and len(data := out.read(size[0] * size[1])) == size[0] * size[1]:
            self._see(Image.frombytes("L", size, data))

    def _see(self, strip: Image.Image) -> None:
        self.frames += 1
        self._wait_frames -= 1
        if self._settled is None or self._wait_frames == 0:
            self._settled = strip
        elif self._wait_frames < 0 and changed_pixels(self._settled, strip) > CHANGED_PIXELS:
            self.changes += 1
            self._wait_frames = SETTLE_FRAMES
        self.strip = strip  # last, so that its change is already counted

    def wait_for(self, seen: Callable[[Viewer], bool], limit_s: float) -> bool:
        """True as soon as `seen(self)` is; False after `limit_s`."""
        deadline = time.monotonic() + limit_s
        while not seen(self):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._thread.join()
        if self._process.stdout is not None:
            self._process.stdout.close()


def _play(url: str) -> list[str]:
    """Without the guess of the frame rate, the first picture comes a second or two sooner."""
    return ["-fpsprobesize", "0", "-i", url]


def changed_pixels(one: Image.Image, other: Image.Image) -> int:
    """How many pixels of two grey pictures differ by more than CHANGED_BY."""
    return sum(ImageChops.difference(one, other).histogram()[CHANGED_BY + 1 :])


def save_frame(ffmpeg: str, url: str, path: Path, limit_s: float = 15) -> bool:
    """Save the next picture that arrives at `url`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    argv = [ffmpeg, "-y", "-hide_banner", "-nostdin", "-loglevel", "error", *_play(url), "-frames:v", "1", str(path)]
    try:
        subprocess.run(argv, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=limit_s, check=False)
    except subprocess.TimeoutExpired:
        return False
    return path.is_file()
