"""The overlay file that FFmpeg re-reads for every frame, and when it is drawn.

`OverlayFile` replaces the picture atomically; its size and pixel format never
change, or FFmpeg would rebuild its filters in mid-air. `Presenter` draws each
scene at its time and owns one thread for what is due later: delayed scores,
the end of a banner, the mark of age. What is due at once is drawn on the
caller's thread; one lock serialises both. Knows no feed and no FFmpeg.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import stat
import threading
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from PIL import Image

from graphics import drawing
from graphics.layout import Canvas
from graphics.on_screen import describe
from logging_setup import StreamLogger
from scoring.events import Event
from scoring.rundown import Rundown, Scene
from scoring.scoreboard import Scoreboard

# A palette is a quarter of the bytes for FFmpeg to read, 30 times a second.
PALETTE_COLORS = 256
# Unpacking a small file 30 times a second costs FFmpeg more than reading a large one.
COMPRESSION = 0
COMPRESSION_FOR_NETWORKS = 6


@lru_cache(maxsize=16)
def compact(content: bytes) -> bytes:
    """The same picture in a tenth of the bytes, for those who fetch it over a network."""
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
        image.save(buffer, "PNG", bits=8, compress_level=COMPRESSION_FOR_NETWORKS)
    return buffer.getvalue()


class OverlayFile:
    """The PNG that FFmpeg re-reads; only complete pictures ever stand at its path. For any thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._content = b""
        self._stands: tuple[int, ...] = ()  # what `stat` says of the picture as it was written
        self._lock = threading.Lock()  # a restore during a write would bring back the last picture

    @property
    def content(self) -> bytes:
        """The picture as it is now, as a PNG; empty before the first. Any thread."""
        return self._content

    def write(self, image: Image.Image) -> bool:
        """Replace the picture. False if it has not changed."""
        buffer = io.BytesIO()
        if image.mode != "P":
            image = image.quantize(PALETTE_COLORS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
        image.save(buffer, "PNG", bits=8, compress_level=COMPRESSION)
        content = buffer.getvalue()
        with self._lock:
            if content == self._content:
                return False
            self._replace(content)
            self._content = content
            return True

    def restore(self) -> bool:
        """Put the last picture back if something else has removed or changed it. True if it had to."""
        with self._lock, contextlib.suppress(OSError):
            if self._content and self._look() != self._stands:
                self._replace(self._content)
                return True
        return False

    def _replace(self, content: bytes) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)  # some systems clean /tmp
        unfinished = self.path.with_suffix(".new")
        unfinished.write_bytes(content)
        os.replace(unfinished, self.path)
        self._stands = self._look()

    def _look(self) -> tuple[int, ...]:
        """Which file is there, and when it was last written. Empty if there is no file."""
        try:
            seen = self.path.lstat()
        except OSError:
            return ()
        return (seen.st_ino, seen.st_size, seen.st_mtime_ns) if stat.S_ISREG(seen.st_mode) else ()


class Presenter:
    """Keeps one overlay file in step with its rundown; `stop_event` and then `wake()` end its thread.

    `on_render` is told the seconds that each drawing took, encoding and renaming included;
    `on_moments` what has happened on screen, and the score in words at the end of an over.
    """

    def __init__(
        self,
        stream_name: str,
        canvas: Canvas,
        overlay_file: OverlayFile,
        rundown: Rundown,
        theme: str,
        stop_event: threading.Event,
        clock: Callable[[], float] = time.monotonic,
        on_render: Callable[[float], None] = lambda _seconds: None,
        on_moments: Callable[[list[Event], list[str]], None] = lambda _events, _overs: None,
    ) -> None:
        self.canvas = canvas
        self._file = overlay_file
        self._rundown = rundown
        self._theme = theme
        self._stop_event = stop_event
        self._clock = clock
        self._on_render = on_render
        self._on_moments = on_moments
        self._log = StreamLogger(logging.getLogger(__name__), stream_name)
        self._lock = threading.Lock()
        self._logos: Mapping[str, Image.Image] = {}
        self._drawn: tuple[Scene, Mapping[str, Image.Image]] | None = None
        self._drawn_at: float | None = None
        self._write_failed = False
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"presenter-{stream_name}", daemon=True)

    def blank(self) -> None:
        """Put the transparent placeholder in place; raises OSError when that cannot be written."""
        with self._lock:
            self._file.write(drawing.placeholder(self.canvas))

    def hear(self, content: Scoreboard | Image.Image, at: float | None = None, as_of: float | None = None) -> None:
        """The feed's present state, new or not; `at` is when it was heard if that was not now.

        `as_of` is when it was what it is, where the feed says so.
        """
        with self._lock:
            self._rundown.hear(content, self._clock() if at is None else at, as_of)
            self._step()
        self._wake.set()

    def use_logos(self, logos: Mapping[str, Image.Image]) -> None:
        """The logos that can be drawn, by file name."""
        with self._lock:
            self._logos = logos
            self._step()

    def set_delay(self, delay_s: float) -> None:
        with self._lock:
            self._rundown.delay_s = delay_s
            self._step()
        self._wake.set()

    @property
    def delay_s(self) -> float:
        return self._rundown.delay_s

    @property
    def as_of(self) -> float | None:
        """The time of the newest state, by the clock."""
        return self._rundown.as_of

    @property
    def changed_at(self) -> float | None:
        """When the newest state that differs from the one before came, by the clock."""
        return self._rundown.changed_at

    @property
    def drawn_at(self) -> float | None:
        """When the picture last changed, by the clock; None: it is the placeholder."""
        return self._drawn_at

    @property
    def on_screen(self) -> dict[str, Any]:
        """What is over the picture now, in words. Any thread."""
        with self._lock:
            scene, logos = self._drawn or (Scene(), {})
        return describe(scene, self.canvas, self._theme, logos).as_dict()

    def step(self) -> None:
        """Draw the present scene, unless it is shown already."""
        with self._lock:
            self._step()

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        self._wake.set()

    def join(self, timeout_s: float) -> bool:
        """True when the thread has ended, or never ran."""
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stop_event.is_set():
            self._wake.wait(self._next_wait_s())
            self._wake.clear()
            self.step()

    def _next_wait_s(self) -> float | None:
        with self._lock:
            now = self._clock()
            due = self._rundown.next_change_at(now)
        return None if due is None else max(0.0, due - now)

    def _step(self) -> None:
        try:
            self._draw()
        except Exception:
            # A drawing that fails must end neither the next ones nor the call that brought the score.
            self._log.exception("overlay not updated")

    def _draw(self) -> None:
        wanted = (self._rundown.scene(self._clock()), self._logos)
        events, overs = self._rundown.take_moments(), self._rundown.take_overs()
        if events or overs:
            self._on_moments(events, overs)
        if self._stop_event.is_set() or wanted[0].content is None or self._is_drawn(wanted):
            return
        scene, logos = wanted
        began_at = self._clock()
        image = drawing.draw_scene(scene, self.canvas, self._theme, logos)
        try:
            is_new = self._file.write(image)
        except OSError as error:
            if not self._write_failed:
                self._log.error("the overlay cannot be written: %s; the last one stays", error.strerror)
            self._write_failed = True
            return
        self._on_render(self._clock() - began_at)
        if self._write_failed:
            self._log.info("the overlay is written again")
        self._write_failed = False
        self._drawn = wanted
        if is_new:
            self._drawn_at = self._clock()

    def _is_drawn(self, wanted: tuple[Scene, Mapping[str, Image.Image]]) -> bool:
        if self._drawn is None or self._drawn[1] is not wanted[1]:
            return False
        one, other = self._drawn[0], wanted[0]
        if isinstance(other.content, Image.Image):  # comparing two pictures would compare their pixels
            return one.content is other.content and one.silent_s == other.silent_s
        return one == other
