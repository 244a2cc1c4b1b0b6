"""Shows one stream's scene at its time: a thread that draws when the rundown says so, and no oftener.

What is heard is drawn on the caller's thread where it is due at once; the
presenter's own thread does what is due later: delayed scores, the end of a
banner, the mark of age. One lock serialises both. Knows no feed, no FFmpeg.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping

from PIL.Image import Image

import overlay
from layout import Canvas
from logging_setup import StreamLogger
from rundown import Rundown, Scene
from scoreboard import Scoreboard


class Presenter:
    """Keeps one overlay file in step with its rundown; `stop_event` and then `wake()` end its thread.

    `on_render` is told the seconds that each drawing took, encoding and renaming included.
    """

    def __init__(
        self,
        stream_name: str,
        canvas: Canvas,
        overlay_file: overlay.OverlayFile,
        rundown: Rundown,
        theme: str,
        stop_event: threading.Event,
        clock: Callable[[], float] = time.monotonic,
        on_render: Callable[[float], None] = lambda _seconds: None,
    ) -> None:
        self.canvas = canvas
        self._file = overlay_file
        self._rundown = rundown
        self._theme = theme
        self._stop_event = stop_event
        self._clock = clock
        self._on_render = on_render
        self._log = StreamLogger(logging.getLogger(__name__), stream_name)
        self._lock = threading.Lock()
        self._logos: Mapping[str, Image] = {}
        self._drawn: tuple[Scene, Mapping[str, Image]] | None = None
        self._drawn_at: float | None = None
        self._write_failed = False
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"presenter-{stream_name}", daemon=True)

    def blank(self) -> None:
        """Put the transparent placeholder in place; raises OSError when that cannot be written."""
        with self._lock:
            self._file.write(overlay.placeholder(self.canvas))

    def hear(self, content: Scoreboard | Image, at: float | None = None) -> None:
        """The feed's present state, new or not; `at` is when it was heard if that was not now."""
        with self._lock:
            self._rundown.hear(content, self._clock() if at is None else at)
            self._step()
        self._wake.set()

    def use_logos(self, logos: Mapping[str, Image]) -> None:
        """Those that can be drawn, by file name."""
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
    def heard_at(self) -> float | None:
        """When something usable was last heard, by the clock."""
        return self._rundown.heard_at

    @property
    def drawn_at(self) -> float | None:
        """When the picture last changed, by the clock; None: it is the placeholder."""
        return self._drawn_at

    def step(self) -> None:
        """Draw the present scene if it is not the one that stands."""
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
            # One drawing that fails must not end those that follow, nor the call that brought the score.
            self._log.exception("overlay not updated")

    def _draw(self) -> None:
        wanted = (self._rundown.scene(self._clock()), self._logos)
        if self._stop_event.is_set() or wanted[0].content is None or self._is_drawn(wanted):
            return
        scene, logos = wanted
        began_at = self._clock()
        image = overlay.draw_scene(scene, self.canvas, self._theme, logos)
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

    def _is_drawn(self, wanted: tuple[Scene, Mapping[str, Image]]) -> bool:
        if self._drawn is None or self._drawn[1] is not wanted[1]:
            return False
        one, other = self._drawn[0], wanted[0]
        if isinstance(other.content, Image):  # comparing two pictures would compare their pixels
            return one.content is other.content and one.silent_s == other.silent_s
        return one == other
