"""The feeds of FEEDS_FILE: read at the start and again on request, listed, and tried before a match.

A fault in the file ends nothing: the feeds that were read last go on.
"""

from __future__ import annotations

import contextlib
import io
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from config import Settings
from errors import ConfigurationError, FeedNotFound, InvalidField, NoCapacity
from graphics.drawing import draw_scoreboard
from graphics.layout import canvas_of
from logging_setup import redact
from relay.registry import Registry
from scoring.feeds.following import FeedDesk
from scoring.feeds.kinds import KINDS
from scoring.feeds.named import NamedFeed, lost_feed, read_feeds, read_text
from scoring.feeds.values import NothingToShow
from scoring.match_api import ANSWER_LIMIT_S
from scoring.scoreboard import Scoreboard

TRIED_KEPT_S = 60.0
MOST_TRIED = 20
TRIES_AT_ONCE = 2
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Trial:
    """What a feed said of a match. `board` is None, and `note` says why, if there is nothing to show now."""

    board: Scoreboard | None
    lacks: tuple[str, ...]
    took_s: float
    note: str | None


class Feeds:
    """Those of one service. Any thread."""

    def __init__(
        self, settings: Settings, environment: Mapping[str, str], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.fault: str | None = None
        self._settings = settings
        self._environment = dict(environment)
        self._clock = clock
        self._desk = FeedDesk(settings.data_dir, settings.allowed_feed_hosts, settings.ca_file)
        self._lock = threading.Lock()
        self._feeds: dict[str, NamedFeed] = {}
        self._tried: dict[tuple[str, str], tuple[Trial, float]] = {}
        self._tries = threading.BoundedSemaphore(TRIES_AT_ONCE)
        # A fault is in the log and on the dashboard: the streams of the state file come back all the same.
        with contextlib.suppress(ConfigurationError):
            self._read()

    @property
    def names(self) -> tuple[str, ...]:
        with self._lock:
            return tuple(self._feeds)

    def find(self, name: str) -> NamedFeed:
        """The feed of this name; one that says so if the file has it no more."""
        with self._lock:
            return self._feeds.get(name) or lost_feed(name)

    def chosen(self, name: object) -> NamedFeed:
        """The feed that a caller names. Raises InvalidField."""
        names = self.names
        if not isinstance(name, str) or name not in names:
            raise InvalidField(f"feed must be {', '.join(names)} or null" if names else NO_FEEDS)
        return self.find(name)

    def listing(self) -> list[dict[str, Any]]:
        """What may be shown of each feed: no address, and no secret."""
        with self._lock:
            feeds = list(self._feeds.values())
        return [
            {
                "name": feed.name,
                "kind": feed.kind,
                "poll_interval_s": feed.poll_interval_s,
                "calls_per_day": feed.calls_per_day,
                "calls_left": self._desk.calls_left(feed),
                "lacks": [*KINDS[feed.kind].lacks],
            }
            for feed in feeds
        ]

    def reload(self, registry: Registry) -> list[str]:
        """Read the file again; streams on a feed that has changed follow the new one. Raises ConfigurationError.

        Returns the names of the feeds that have changed.
        """
        changed = self._read()
        for status in registry.statuses():
            its = status.feed
            if its.name in changed and its.state != "by hand":
                registry.change_feed(status.name, self.find(its.name), its.match_id)
        return sorted(changed)

    def try_out(self, name: str, match_id: str) -> Trial:
        """Ask the feed for a match now. Raises FeedNotFound, FeedError, and NoCapacity while others do the same."""
        feed = self._existing(name)
        if not self._tries.acquire(blocking=False):
            raise NoCapacity("Other feeds are being tried: try again in a moment")
        followed, began_at = self._desk.follow(feed, match_id), self._clock()
        try:
            trial = self._trial(followed.reading(ANSWER_LIMIT_S, threading.Event()), feed, began_at)
        except NothingToShow as nothing:
            trial = Trial(None, KINDS[feed.kind].lacks, round(self._clock() - began_at, 3), str(nothing))
        finally:
            self._tries.release()
            followed.close()
        with self._lock:
            self._tried[name, match_id] = trial, self._clock()
            while len(self._tried) > MOST_TRIED:
                del self._tried[next(iter(self._tried))]
        return trial

    def strip_png(self, name: str, match_id: str) -> bytes:
        """The strip that the feed's match would give; of a trial in the last minute, if there was one."""
        self._existing(name)
        with self._lock:
            trial, at = self._tried.get((name, match_id), (None, 0.0))
        if trial is None or self._clock() - at > TRIED_KEPT_S:
            trial = self.try_out(name, match_id)
        canvas = canvas_of(self._settings.profile)
        image = draw_scoreboard(trial.board or Scoreboard(), canvas, self._settings.overlay_theme)
        content = io.BytesIO()
        image.convert("RGBA").save(content, "PNG")
        return content.getvalue()

    def _trial(self, reading: Any, feed: NamedFeed, began_at: float) -> Trial:
        board: Scoreboard = reading.board
        return Trial(board, lacking(board, feed), round(self._clock() - began_at, 3), None)

    def _existing(self, name: str) -> NamedFeed:
        if name not in self.names:
            raise FeedNotFound(f"There is no feed {name[:64]} in FEEDS_FILE")
        return self.find(name)

    def _read(self) -> set[str]:
        """The names of the feeds that are new, or not as before. Raises ConfigurationError."""
        path = self._settings.feeds_file
        if path is None:
            return set()
        try:
            found = read_feeds(read_text(path), self._environment)
        except ConfigurationError as error:
            self.fault = str(error)
            _log.error("the feeds stay as they are: %s", error)
            raise
        redact.add([secret for feed in found.values() for secret in feed.secrets])
        with self._lock:
            before, self._feeds, self.fault = self._feeds, found, None
        _log.info("FEEDS_FILE: %s", ", ".join(f"{feed.name} ({feed.kind})" for feed in found.values()) or "no feeds")
        return {name for name, feed in found.items() if feed != before.get(name)}


NO_FEEDS = "feed must be null: there are no feeds in FEEDS_FILE"


def lacking(board: Scoreboard, feed: NamedFeed) -> tuple[str, ...]:
    """What the strip and the cards would want, and this feed does not say."""
    found = list(KINDS[feed.kind].lacks)
    side = board.batting
    if board.sport == "cricket" and board.phase == "live":
        there = {
            "runs": side and side.runs is not None,
            "overs": side and (side.overs or side.balls is not None),
            "batters": board.batters,
            "striker": any(batter.on_strike for batter in board.batters),
            "bowler": board.bowler,
            "this_over": board.this_over or (side and (side.overs or "").endswith(".0")),
            "partnership": board.partnership,
            "length of the innings": board.format.overs or board.format.balls,
            "target": board.target or board.innings != 2,
            "card": board.card,
        }
        found += [what for what, is_there in there.items() if not is_there and what not in found]
    return tuple(found)
