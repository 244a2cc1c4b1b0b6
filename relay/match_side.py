"""A stream's score: where it is asked of, and how it comes on the overlay.

Owns the match monitor and the presenter (a thread each) and the overlay file;
`join` ends both after the stop event, `close` gives back the connections.
Knows no FFmpeg.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config import DEFAULT_API_BASE, Settings
from errors import FeedError, MonitoringFailed, NoScoreYet, StreamStopped
from graphics.layout import canvas_of
from logging_setup import StreamLogger
from match_monitor import MatchMonitor
from overlay import OverlayFile, Presenter, compact
from relay.feed_status import FeedStatus, feed_status
from relay.request import LastPush, Machinery, StreamRequest
from relay.stream_log import StreamLog
from scoring.events import Event
from scoring.feeds.files import FeedFiles, FileOrder
from scoring.feeds.following import FeedDesk
from scoring.match_api import Connections, MatchApi
from scoring.newest import PUSH
from scoring.rundown import Rundown
from scoring.scoreboard import Scoreboard
from scoring.source import Polls
from scoring.writing import written


@dataclass(frozen=True)
class FilePush:
    """What a scoring program's file gave: the score, None if that is not new, and whether it is shown.

    `is_shown` is None as long as the file names no side, and False if the score is older than the one on screen.
    """

    board: Scoreboard | None
    is_shown: bool | None


class MatchSide:
    """Made with its stream, and ended by it."""

    def __init__(
        self,
        request: StreamRequest,
        settings: Settings,
        folder: Path,
        stop_event: threading.Event,
        machinery: Machinery,
        connections: Connections,
        desk: FeedDesk,
        log: StreamLog,
    ) -> None:
        self.overlay_file = OverlayFile(folder / "overlay.png")
        self.canvas = canvas_of(settings.profile)
        self.may_be_monitored = False
        self._request = request
        self._settings = settings
        self._machinery = machinery
        self._connections = connections
        self._desk = desk
        self._stream_log = log
        self._files = FeedFiles()
        self._files_lock = threading.Lock()
        self._log = StreamLogger(logging.getLogger(__name__), request.name)
        self._api = _match_api(settings, stop_event, connections)
        asked = request.score_delay_s
        delay_s = settings.score_delay_s if asked is None else asked
        self._presenter = Presenter(
            request.name,
            self.canvas,
            self.overlay_file,
            Rundown(settings.score_stale_s, settings.score_lost_s, delay_s),
            settings.overlay_theme,
            stop_event,
            machinery.clock,
            machinery.meters.rendered,
            self._note_moments,
        )
        self._monitor = MatchMonitor(
            request.name,
            settings.overlay_source,
            self._api,
            self._presenter,
            settings.poll_interval_s,
            stop_event,
            machinery.clock,
            settings.score_stale_s,
            settings.overs_per_innings or None,
            machinery.wall_clock,
            lambda text: log.note("feed", text),
            request.match,
        )
        if request.feed is not None:
            self._monitor.follow(desk.follow(request.feed, request.match), request.match)

    def start_monitoring(self) -> None:
        """Ask the match API for the match. Raises MonitoringFailed, or StreamStopped when that came first."""
        if not self.has_data or self._request.takes_over:
            return
        self.may_be_monitored = True
        try:
            self._api.start_monitoring(self._request.match, self._request.overlay_id)
        except FeedError as error:
            # The match API may have heard a question that it did not answer.
            self.may_be_monitored = error.kind in ("timeout", "cancelled")
            if error.kind == "cancelled":
                raise StreamStopped(f"Stream {self._request.name} was stopped while it started") from None
            if self._request.begun_at is not None:
                # The stream was on air before the restart. The match API may come back later than this service.
                self._log.warning("match monitoring is asked for again later: %s", error)
                self.may_be_monitored = True
                self._monitor.start_monitoring_later(self._request.overlay_id, error.retry_after_s or 0)
                return
            self._log.error("match monitoring did not start: %s", error)
            raise MonitoringFailed("Failed to start match monitoring", _help(self._settings, error)) from error

    def stop_monitoring(self) -> None:
        """Tell the match API that nobody needs the match any more, if it may have been asked for it."""
        if self.may_be_monitored:
            end_monitoring(self._settings, self._request.match, self._connections)

    def change_feed(self, request: StreamRequest) -> None:
        """Follow the match that the changed request names. Any thread."""
        before, self._request = self._request, request
        if self._monitor.followed:
            self._monitor.followed.close()  # before the next one, so that it asks at once
        followed = self._desk.follow(request.feed, request.match) if request.feed else None
        self._monitor.follow(followed, request.match)
        if self.has_data and (before.feed is not None or before.match != request.match):
            self.may_be_monitored = True
            self._monitor.start_monitoring_later(request.overlay_id)

    def first_overlay(self) -> None:
        """Draw what is known already; raises OSError when the overlay cannot be written."""
        self._monitor.first_overlay(*self._last_push(self._request.last_push))

    def start(self) -> None:
        self._monitor.start()

    def join(self, timeout_s: float) -> bool:
        """True when both threads have ended, or never ran."""
        return self._monitor.join(timeout_s)

    def close(self) -> None:
        if self._monitor.followed:
            self._monitor.followed.close()
        self._api.close()

    def push(self, board: Scoreboard, source: str = PUSH) -> bool:
        """Show what the caller says of the match; False when it is older than what is shown. Any thread."""
        return self._monitor.push(board, source=source)

    def confirm_score(self) -> bool:
        """The scorer's page is alive, and the score still holds; False if no score is known. Any thread."""
        return self._monitor.confirm()

    def push_file(self, kind: str, content: bytes, order: FileOrder | None) -> FilePush:
        """As `push`, of a scoring program's file. Raises InvalidField and FileOvertaken. Any thread."""
        with self._files_lock:
            if self._files.is_repeat(order):
                return FilePush(None, is_shown=True)
            board = self._files.read(kind, content, order, self._machinery.clock())
            return FilePush(board, None if board is None else self.push(board))

    def set_delay(self, delay_s: float) -> None:
        self._presenter.set_delay(delay_s)

    @property
    def has_data(self) -> bool:
        """True when there is a match API, and it is asked for this match."""
        return self._api.has_data and self._request.feed is None

    @property
    def delay_s(self) -> float:
        return self._presenter.delay_s

    @property
    def title(self) -> str:
        return self._monitor.match_title

    @property
    def drawn_at(self) -> float | None:
        return self._monitor.drawn_at

    @property
    def score_at(self) -> float | None:
        return self._monitor.score_at

    @property
    def polls(self) -> Mapping[str, Polls]:
        return self._monitor.polls

    @property
    def overlay_png(self) -> bytes:
        """The overlay as it is now. Any thread."""
        return compact(self.overlay_file.content)

    @property
    def on_screen(self) -> dict[str, Any]:
        """What viewers see over the picture, in words. Any thread."""
        return self._presenter.on_screen

    @property
    def newest(self) -> dict[str, Any]:
        """The newest state in the own shape, and where it is from. Raises NoScoreYet. Any thread."""
        state = self._monitor.state
        if state is None:
            raise NoScoreYet(f"Stream {self._request.name} has no score yet")
        board, source = state
        return written(board) | {"source": source}

    def feed(self, now: float) -> FeedStatus:
        return feed_status(self._monitor, self._request.match, now)

    def _last_push(self, last: LastPush | None) -> tuple[Scoreboard | None, float | None, str]:
        if last is None:
            return None, None, PUSH
        at = self._machinery.clock() - max(0.0, self._machinery.wall_clock() - last.at)
        return last.board, at, last.source

    def _note_moments(self, events: list[Event], overs: list[str]) -> None:
        for event in events:
            who = {"who": event.who} if event.who else {}
            self._stream_log.note("moment", event.text, moment=event.kind, **who)
        for text in overs:
            self._stream_log.note("score", text)


def _help(settings: Settings, error: FeedError) -> str | None:
    """What to do, for a person who has not chosen the match API that cannot be reached."""
    if settings.overlay_api_base != DEFAULT_API_BASE or error.kind not in ("unreachable", "timeout"):
        return None
    return (
        f"{DEFAULT_API_BASE} cannot be reached. It is the match API that is asked if OVERLAY_API_BASE is not set."
        " If you have no match API, put these two lines into .env and start the service again:"
        " OVERLAY_API_BASE= and OVERLAY_IMAGE_BASE="
    )


def end_monitoring(settings: Settings, match_id: str, connections: Connections | None = None) -> None:
    """Tell the match API that nobody needs the match any more. If that fails, the stream does not care."""
    api = _match_api(settings, threading.Event(), connections)
    try:
        if api.has_data:
            api.stop_monitoring(match_id)
    except FeedError as error:
        log = StreamLogger(logging.getLogger(__name__), match_id)
        log.warning("the match API could not be asked to stop monitoring: %s", error)
    finally:
        api.close()


def end_monitoring_of(settings: Settings, request: StreamRequest | None) -> None:
    """As `end_monitoring`, for a stream whose process is gone; nothing if it had a feed, or is not known."""
    if request is not None and request.feed is None:
        end_monitoring(settings, request.match)


def _match_api(settings: Settings, cancelled: threading.Event, connections: Connections | None) -> MatchApi:
    return MatchApi(
        settings.overlay_api_base,
        settings.overlay_image_base,
        settings.match_data_path,
        cancelled,
        connections or Connections(settings.ca_file),
    )
