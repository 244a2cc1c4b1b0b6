"""One thread a stream: asks the feed, takes what is pushed, and hands the newest score to the presenter.

What it asks follows from OVERLAY_SOURCE: `data` asks the match API, `image`
the image server, `auto` the match API first and the image server when no
usable match data has come for DATA_HOLD_S. A push silences all asking while
it is fresh. A named feed takes the place of both, and a push silences it until
somebody goes back to it. Whatever fails, the last good overlay stays. Knows neither FFmpeg
nor the registry; its thread, and the presenter's, are started and joined by
the stream that made it.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable

from PIL.Image import Image

from errors import FeedError
from graphics import drawing
from graphics.logos import Logos
from logging_setup import StreamLogger
from overlay import Presenter
from scoring.feeds.following import Followed
from scoring.match_api import ANSWER_LIMIT_S, MatchApi
from scoring.newest import PUSH, SCORER, Newest
from scoring.reading import Reading, read_answer
from scoring.scoreboard import Scoreboard
from scoring.source import Polls, Source

# One lost poll must not swap the drawn strip for the ready image and back.
DATA_HOLD_S = 10.0
FIRST_POLL_LIMIT_S = 2.0
PUSH_HOLD_S = 60.0
MONITORING_WAIT_S = 10.0
LEAST_WAIT_S = 0.05
SCORER_AWAY_S = 12.0  # the page says every 4 s that it is there
FEED_LOOK_S = 0.5  # how soon another feed is asked, however long the time to the next question


class MatchMonitor:
    """Keeps one overlay in step with one match."""

    def __init__(
        self,
        stream_name: str,
        source: str,
        api: MatchApi,
        presenter: Presenter,
        poll_interval_s: float,
        stop_event: threading.Event,
        clock: Callable[[], float] = time.monotonic,
        push_hold_s: float = PUSH_HOLD_S,
        overs_limit: int | None = None,
        wall_clock: Callable[[], float] = time.time,
        on_trouble: Callable[[str], None] = lambda _text: None,
        match_id: str | None = None,
    ) -> None:
        self._match_id = match_id or stream_name
        self._api = api
        self._presenter = presenter
        self._poll_interval_s = poll_interval_s
        self._stop_event = stop_event
        self._clock = clock
        self._log = StreamLogger(logging.getLogger(__name__), stream_name)
        self._source = source
        self._push_hold_s = push_hold_s
        self._on_trouble = on_trouble
        self.followed: Followed | None = None
        self._data = Source("match data", self._log, clock, on_trouble)
        self._images = Source("overlay image", self._log, clock, on_trouble)
        self._newest = Newest(presenter.hear, clock, wall_clock, push_hold_s, overs_limit)
        self._logos = Logos(self._logo, clock)
        self._overlay_id: str | None = None  # as long as the match API has not begun monitoring
        self._ask_again_at = 0.0
        self._thread = threading.Thread(target=self._run, name=f"monitor-{stream_name}", daemon=True)

    def follow(self, followed: Followed | None, match_id: str) -> None:
        """Ask this feed from now on, or, with None, the match API; what was pushed holds it up no more. Any thread."""
        fresh = Source("the feed" if followed else "match data", self._log, self._clock, self._on_trouble)
        fresh.polls = self._data.polls
        before, self.followed = self.followed, followed
        self._match_id, self._data = match_id, fresh
        self._api.forget()
        self._newest.start_anew(math.inf if followed else self._push_hold_s)
        if before:
            before.close()

    def first_overlay(
        self, pushed: Scoreboard | None = None, pushed_at: float | None = None, source: str = PUSH
    ) -> None:
        """Put the blank placeholder in place, then what was pushed before, and the score if the feed answers soon."""
        self._presenter.blank()
        if pushed is not None:
            self.push(pushed, pushed_at, source)
        self.poll(FIRST_POLL_LIMIT_S)

    @property
    def match_title(self) -> str:
        """The match as the feed names it, or "" while it is not known. Any thread."""
        board = self._newest.board
        return board.name if board else ""

    @property
    def drawn_at(self) -> float | None:
        """When the overlay last changed, by the clock; None: it is the placeholder. Any thread."""
        return self._presenter.drawn_at

    def push(self, board: Scoreboard, at: float | None = None, source: str = PUSH) -> bool:
        """Show a scoreboard that was not asked for; polls are quiet for `push_hold_s`, a scorer's for ever. Any thread.

        `at` is when it came, by the clock, if that was not now. False when it is older than what is shown.
        """
        return self._newest.push(board, at, source)

    def confirm(self) -> bool:
        """The scorer's page is alive, and the score still holds; False if no score is known. Any thread."""
        return self._newest.confirm()

    @property
    def score_at(self) -> float | None:
        """From when the state is that the overlay shows, by the clock; None before there is one. Any thread."""
        return self._presenter.as_of

    @property
    def state(self) -> tuple[Scoreboard, str] | None:
        """The newest scoreboard, and its source as in `source`; None for none. Any thread."""
        return self._newest.state

    @property
    def source(self) -> str | None:
        """Where the score is from: `api`, `image`, a feed's name, `push`, `scorer`; None for nowhere. Any thread."""
        if self._newest.source is not None:
            return self._newest.source
        return "image" if self._images.good_at is not None else None

    @property
    def changed_at(self) -> float | None:
        """When the newest state that differs from the one before was heard of, by the clock. Any thread."""
        return self._presenter.changed_at

    @property
    def trouble(self) -> str | None:
        """What is wrong with the source that the score is from, in words; None when nothing is. Any thread."""
        if self.source == SCORER:
            return self._scorers_trouble
        if self._newest.is_pushed:
            return None
        troubles = [source.trouble for _, is_asked, source in self._sources if is_asked]
        return troubles[0] if troubles and None not in troubles else None

    @property
    def _scorers_trouble(self) -> str | None:
        board, heard_at = self._newest.board, self.score_at
        if board is None or heard_at is None or board.phase not in ("live", "super_over") or board.pause:
            return None
        silent_s = self._clock() - heard_at
        return f"the scorer's phone has not been heard for {silent_s:.0f} s" if silent_s >= SCORER_AWAY_S else None

    @property
    def polls(self) -> dict[str, Polls]:
        """The counts of the sources that are asked: `data`, `image`. Any thread."""
        return {name: source.polls for name, is_asked, source in self._sources if is_asked}

    @property
    def is_by_hand(self) -> bool:
        """True while a push holds up the feed, or the match API. Any thread."""
        return self._newest.is_pushed and (self._asks_data or self._asks_images)

    @property
    def has_answered(self) -> bool:
        """True once the feed, or the match API, has said something of use. Any thread."""
        return self._data.good_at is not None

    @property
    def _asks_data(self) -> bool:
        return self.followed is not None or (self._source in ("auto", "data") and self._api.has_data)

    @property
    def _asks_images(self) -> bool:
        return self.followed is None and self._source in ("auto", "image") and self._api.has_images

    @property
    def _sources(self) -> tuple[tuple[str, bool, Source], ...]:
        return (("data", self._asks_data, self._data), ("image", self._asks_images, self._images))

    def start_monitoring_later(self, overlay_id: str, pause_s: float = 0) -> None:
        """On this monitor's thread, ask the match API to start monitoring until it does. Begin after this pause."""
        self._overlay_id, self._ask_again_at = overlay_id, self._clock() + pause_s

    def start(self) -> None:
        """Poll on a thread of its own until the stop event, and have delayed scores shown at their time."""
        self._presenter.start()
        self._thread.start()

    def join(self, timeout_s: float) -> bool:
        """True when both threads have ended, or never ran."""
        deadline = time.monotonic() + timeout_s
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        has_ended = self._presenter.join(max(0.0, deadline - time.monotonic()))
        return has_ended and not self._thread.is_alive()

    def poll(self, limit_s: float = ANSWER_LIMIT_S) -> None:
        """Ask once and hand on what is new; never raises."""
        try:
            self._poll(limit_s)
        except Exception:
            # One unexpected fault in an answer or a drawing must not end the overlay.
            self._log.exception("overlay not updated")

    def _run(self) -> None:
        due = self._clock()
        try:
            while not self._stop_event.is_set():
                self._ask_for_monitoring()
                self.poll()
                due = max(due + self._wait_s, self._clock())
                self._stop_event.wait(due - self._clock())
        finally:
            self._presenter.wake()

    @property
    def _wait_s(self) -> float:
        if self.followed is None:
            return self._poll_interval_s
        next_in_s = self.followed.status.next_in_s
        return FEED_LOOK_S if next_in_s is None else min(FEED_LOOK_S, max(LEAST_WAIT_S, next_in_s))

    def _ask_for_monitoring(self) -> None:
        if self._overlay_id is None or self._clock() < self._ask_again_at:
            return
        try:
            self._api.start_monitoring(self._match_id, self._overlay_id)
        except FeedError as error:
            self._ask_again_at = self._clock() + max(MONITORING_WAIT_S, error.retry_after_s or 0)
            return
        self._overlay_id = None
        self._log.info("the match API monitors the match again")

    def _poll(self, limit_s: float) -> None:
        self._ask_logo()
        if self._newest.is_pushed:
            return
        if self._asks_data and self._ask_data(limit_s):
            return
        data_is_held = self._data.good_at is not None and self._clock() - self._data.good_at < DATA_HOLD_S
        if self._asks_images and not data_is_held:
            self._ask_image(limit_s)

    def _ask_data(self, limit_s: float) -> bool:
        """True when the feed, or the match API, has a usable state of the match."""
        followed = self.followed
        if followed is not None:
            return followed.is_due and self._ask_feed(followed, limit_s)
        return self._data.ask(lambda: self._api.match_data(self._match_id, limit_s), read_answer, self._use_reading)

    def _ask_feed(self, followed: Followed, limit_s: float) -> bool:
        def use(reading: Reading) -> tuple[str, ...]:
            if followed is self.followed:  # else another feed has been chosen meanwhile
                self._newest.take(reading.board, followed.feed.name)
            return reading.faults

        return self._data.ask(lambda: followed.reading(limit_s, self._stop_event), lambda reading: reading, use)

    def _use_reading(self, reading: Reading) -> tuple[str, ...]:
        self._newest.take(reading.board)
        return reading.faults

    def _ask_image(self, limit_s: float) -> None:
        self._images.ask(
            lambda: self._api.overlay_image(self._match_id, limit_s),
            lambda content: drawing.compose_image(content, self._presenter.canvas),
            self._use_image,
        )

    def _use_image(self, image: Image) -> tuple[str, ...]:
        self._newest.give_way(lambda: self._presenter.hear(image))
        return ()

    def _ask_logo(self) -> None:
        """Fetch at most one logo in a poll. A logo that cannot be fetched is left out."""
        board = self._newest.board
        if board is None or not self._api.has_images or self._images.is_paused:
            return
        error = self._logos.ask_for({team.logo for team in board.sides if team.logo})
        if error is not None:
            self._log.warning("a logo is left out: %s", error)
        self._presenter.use_logos(self._logos.images)

    def _logo(self, name: str) -> bytes | None:
        try:
            return self._api.logo(name)
        except FeedError as error:
            self._images.note_pause(error)  # the other image would come from the same server
            raise
