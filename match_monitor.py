"""One thread a stream: asks the feed, and has the newest score drawn.

What it asks follows from OVERLAY_SOURCE: `data` asks the match API, `image`
the image server, `auto` the match API first and the image server when no
usable match data has come for DATA_HOLD_S. Whatever fails, the last good
overlay stays. Knows neither FFmpeg nor the registry; its thread is started
and joined by the stream that made it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from PIL.Image import Image

import overlay
from errors import FeedError, ImageRejected
from logging_setup import StreamLogger
from match_api import ANSWER_LIMIT_S, MatchApi
from scoreboard import parse_match_data

# One lost poll must not swap the drawn strip for the ready image and back.
DATA_HOLD_S = 10.0
FIRST_POLL_LIMIT_S = 2.0
MONITORING_WAIT_S = 10.0


class MatchMonitor:
    """Keeps one overlay file in step with one match."""

    def __init__(
        self,
        stream_name: str,
        source: str,
        api: MatchApi,
        canvas: overlay.Canvas,
        overlay_file: overlay.OverlayFile,
        poll_interval_s: float,
        stop_event: threading.Event,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._match_id = stream_name
        self._api = api
        self._canvas = canvas
        self._file = overlay_file
        self._poll_interval_s = poll_interval_s
        self._stop_event = stop_event
        self._clock = clock
        self._log = StreamLogger(logging.getLogger(__name__), stream_name)
        self._asks_data = source in ("auto", "data") and api.has_data
        self._asks_images = source in ("auto", "image") and api.has_images
        self._data = _Source("match data")
        self._images = _Source("overlay image")
        self._shown: Any | None = None
        self._shown_source: _Source | None = None
        self._overlay_id: str | None = None  # while monitoring is still to be asked for
        self._ask_again_at = 0.0
        self.drawn_at: float | None = None  # by the clock; when the overlay last changed
        self._write_failed = False
        self._thread = threading.Thread(target=self._run, name=f"monitor-{stream_name}", daemon=True)

    def first_overlay(self) -> None:
        """Put the blank placeholder in place, then the score if the feed answers soon."""
        self._file.write(overlay.placeholder(self._canvas))
        self.poll(FIRST_POLL_LIMIT_S)

    @property
    def match_title(self) -> str:
        """The match as the feed names it, or "" while it is not known. Any thread."""
        board = self._data.value
        if board is None:
            return ""
        return board.title or " v ".join(team.name for team in (board.batting, board.bowling) if team)

    @property
    def score_at(self) -> float | None:
        """When the feed last said what the overlay shows, by the clock; None before it did. Any thread."""
        return self._shown_source.good_at if self._shown_source else None

    def start_monitoring_later(self, overlay_id: str) -> None:
        """Ask the match API to start monitoring on this monitor's thread, until it does."""
        self._overlay_id = overlay_id

    def start(self) -> None:
        """Poll on a thread of its own until the stop event; without a source there is nothing to poll."""
        if self._asks_data or self._asks_images:
            self._thread.start()

    def join(self, timeout_s: float) -> bool:
        """True when the thread has ended, or never ran."""
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def poll(self, limit_s: float = ANSWER_LIMIT_S) -> None:
        """Ask once and draw what is new; never raises."""
        try:
            self._poll(limit_s)
        except Exception:
            # The overlay must not end because one answer or one drawing has a fault nobody thought of.
            self._log.exception("overlay not updated")

    def _run(self) -> None:
        due = self._clock()
        while not self._stop_event.is_set():
            self._ask_for_monitoring()
            self.poll()
            due = max(due + self._poll_interval_s, self._clock())
            self._stop_event.wait(due - self._clock())

    def _ask_for_monitoring(self) -> None:
        if self._overlay_id is None or self._clock() < self._ask_again_at:
            return
        try:
            self._api.start_monitoring(self._match_id, self._overlay_id)
        except FeedError:
            self._ask_again_at = self._clock() + MONITORING_WAIT_S
            return
        self._overlay_id = None
        self._log.info("the match API monitors the match again")

    def _poll(self, limit_s: float) -> None:
        if self._asks_data and self._ask_data(limit_s):
            return
        data_is_held = self._data.good_at is not None and self._clock() - self._data.good_at < DATA_HOLD_S
        if self._asks_images and not data_is_held:
            self._ask_image(limit_s)

    def _ask_data(self, limit_s: float) -> bool:
        """True when the match API has a usable state of the match."""
        board = self._ask(self._data, lambda: self._api.match_data(self._match_id, limit_s), parse_match_data)
        if board is not None and board != self._shown:
            self._show(self._data, board, overlay.draw_scoreboard(board, self._canvas))
        return board is not None

    def _ask_image(self, limit_s: float) -> None:
        image = self._ask(
            self._images,
            lambda: self._api.overlay_image(self._match_id, limit_s),
            lambda content: overlay.compose_image(content, self._canvas),
        )
        if image is not None and image is not self._shown:
            self._show(self._images, image, image)

    def _ask(self, source: _Source, fetch: Callable[[], Any | None], read: Callable[[Any], Any]) -> Any | None:
        """What the source says now, read; None when this poll brought nothing usable."""
        try:
            answer = fetch()
            if answer is not None and answer != source.answer:
                source.answer, source.value = answer, None
                source.value = read(answer)
        except (FeedError, ImageRejected) as error:
            self._note_fault(source, error)
            return None
        if source.value is not None:
            self._note_good(source)
        return source.value

    def _show(self, source: _Source, content: Any, image: Image) -> None:
        if self._stop_event.is_set():
            return
        try:
            self._file.write(image)
        except OSError as error:
            if not self._write_failed:
                self._log.error("the overlay cannot be written: %s; the last one stays", error.strerror)
            self._write_failed = True
            return
        if self._write_failed:
            self._log.info("the overlay is written again")
        self._write_failed = False
        self._shown, self._shown_source = content, source
        self.drawn_at = self._clock()

    def _note_fault(self, source: _Source, error: FeedError | ImageRejected) -> None:
        if error.kind == "cancelled":
            return
        source.failed_polls += 1
        if error.kind != source.fault:
            self._log.warning("%s not usable: %s; the last good overlay stays", source.what, error)
        source.fault = error.kind

    def _note_good(self, source: _Source) -> None:
        if source.fault is not None:
            self._log.info("%s usable again after %d failed polls", source.what, source.failed_polls)
        source.fault = None
        source.failed_polls = 0
        source.good_at = self._clock()


class _Source:
    """What one source last said, what that was read as, when it was last good, and its present fault."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.answer: Any | None = None
        self.value: Any | None = None
        self.good_at: float | None = None
        self.fault: str | None = None
        self.failed_polls = 0  # since it was last good
