"""A match that is followed on a named feed: when it is asked for, and what came.

Streams that show the same match of the same feed share it: its answers, its calls and its faults. The time
between two questions stretches, so that the calls of the day last. Before the match and at breaks it is
longer. After the end nobody is asked, unless asking costs nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import requests

from errors import FeedError
from scoring.bounded_http import new_session
from scoring.feeds.asking import Asking
from scoring.feeds.budget import Budget
from scoring.feeds.kinds import Reader
from scoring.feeds.named import NamedFeed
from scoring.feeds.values import NothingToShow
from scoring.reading import Reading, read_answer
from scoring.trust import Trust

FOLDER = "feeds"
HOUR_S = 3600.0
LASTS_S = 1800.0  # a match that is longer than expected has this much time left, again and again
SCARCE_IDLE_S = 120.0  # before the match and at breaks, if calls are counted
FAULT_WAIT_S = 5.0
MOST_ENDS = 2  # answers that say it is over, one after the other
_IDLE = ("scheduled", "innings_break", "rain", "finished")


@dataclass(frozen=True)
class FollowStatus:
    """Ages and times in seconds; `calls_left` is None without a limit. `note` says why nothing is shown, if so."""

    asked_age_s: float | None = None
    next_in_s: float | None = None
    calls_left: int | None = None
    is_over: bool = False
    note: str | None = None


class FeedDesk:
    """All matches that this process follows on named feeds. Any thread; who follows one closes it."""

    def __init__(
        self,
        data_dir: Path | None,
        allowed_hosts: tuple[str, ...],
        ca_file: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._folder = data_dir / FOLDER if data_dir else None
        self._allowed_hosts = allowed_hosts
        self._ca_file = ca_file
        self._clock = clock
        self._wall_clock = wall_clock
        self._lock = threading.Lock()
        self._matches: dict[tuple[NamedFeed, str], _Match] = {}
        self._budgets: dict[tuple[str, int], Budget] = {}
        self._sessions: dict[Path | None, requests.Session] = {}

    def follow(self, feed: NamedFeed, match_id: str) -> Followed:
        """Begin to follow a match; the caller closes what it gets."""
        with self._lock:
            match = self._matches.get((feed, match_id))
            if match is None:
                asking = Asking(feed, match_id, self._session(feed), self._allowed_hosts, self._wall_clock)
                match = _Match(feed, match_id, asking, self._budget(feed), self._clock)
                self._matches[feed, match_id] = match
            match.users += 1
            return Followed(match, self._leave)

    def calls_left(self, feed: NamedFeed) -> int | None:
        """What is left of the feed's day; None if it has no limit."""
        with self._lock:
            budget = self._budget(feed)
        return budget.left() if budget else None

    def _session(self, feed: NamedFeed) -> requests.Session:
        ca_file = feed.ca_file or self._ca_file
        if ca_file not in self._sessions:
            self._sessions[ca_file] = new_session(Trust(ca_file))
        return self._sessions[ca_file]

    def _budget(self, feed: NamedFeed) -> Budget | None:
        if feed.calls_per_day is None:
            return None
        key = (feed.name, feed.calls_per_day)
        if key not in self._budgets:
            self._budgets[key] = Budget(self._folder, *key, self._wall_clock)
        return self._budgets[key]

    def _leave(self, match: _Match) -> None:
        with self._lock:
            match.users -= 1
            if match.users:
                return
            self._matches.pop((match.feed, match.match_id), None)
            if not self._matches:
                for session in self._sessions.values():
                    session.close()
                self._sessions.clear()
        match.leave()


class Followed:
    """One stream's share in a match that is followed. Any thread may read `status`; one thread asks."""

    def __init__(self, match: _Match, leave: Callable[[_Match], None]) -> None:
        self.feed = match.feed
        self.match_id = match.match_id
        self._match = match
        self._leave = leave
        self._seen = 0
        self._is_open = True

    @property
    def is_due(self) -> bool:
        """True if it is time to ask, or another stream has asked since."""
        return self._match.is_due or self._match.turn != self._seen

    def reading(self, limit_s: float, cancelled: threading.Event) -> Reading | None:
        """The newest state; None when nothing has changed. Raises FeedError, and NothingToShow."""
        self._match.ask_if_due(limit_s, cancelled)
        changed_in = self._match.changed_in
        is_new, self._seen = changed_in > self._seen, self._match.turn
        if self._match.fault is not None:
            raise self._match.fault
        if self._match.note is not None:
            raise NothingToShow(self._match.note)
        return self._match.reading if is_new else None

    @property
    def status(self) -> FollowStatus:
        return self._match.status

    def close(self) -> None:
        if self._is_open:
            self._is_open = False
            self._leave(self._match)


class _Match:
    """`turn` counts the questions; `changed_in` is the turn whose answer was the last new one."""

    def __init__(
        self, feed: NamedFeed, match_id: str, asking: Asking, budget: Budget | None, clock: Callable[[], float]
    ) -> None:
        self.feed = feed
        self.match_id = match_id
        self.users = self.turn = self.changed_in = 0
        self.reading: Reading | None = None
        self.note: str | None = None
        self.fault: FeedError | None = None
        self._asking = asking
        self._budget = budget
        self._clock = clock
        self._lock = threading.Lock()
        self._reader: Reader | None = None
        self._began_at = self._next_at = clock()
        self._asked_at: float | None = None
        self._calls_left = budget.left() if budget else None
        self._ends = 0

    @property
    def is_due(self) -> bool:
        return not self._is_over and self._clock() >= self._next_at

    @property
    def status(self) -> FollowStatus:
        now = self._clock()
        return FollowStatus(
            None if self._asked_at is None else round(now - self._asked_at, 2),
            None if self._is_over else round(max(0.0, self._next_at - now), 2),
            self._calls_left,
            self._is_over,
            self.note,
        )

    def ask_if_due(self, limit_s: float, cancelled: threading.Event) -> None:
        """Whoever comes while another stream asks has the answer next time."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            if self.is_due:
                self._ask(limit_s, cancelled)
        finally:
            self._lock.release()

    def leave(self) -> None:
        if self._budget:
            self._budget.note(self.match_id, None)

    @property
    def _is_over(self) -> bool:
        return self._ends >= MOST_ENDS and (self._budget is not None or self.feed.rules.idle_s is not None)

    def _ask(self, limit_s: float, cancelled: threading.Event) -> None:
        said: int | None = None
        try:
            said = self._fetch(limit_s, cancelled)
            self.fault = None
        except FeedError as error:
            if error.kind == "cancelled":  # by this stream: the others go on
                raise
            self.fault = self._without_secrets(error)
            said = getattr(self._reader, "calls_left", None)
        self.turn += 1
        has_ended = self.fault is None and self.note is None and self._phase == "finished"
        self._ends = self._ends + 1 if has_ended else 0
        self._plan(said)

    def _without_secrets(self, error: FeedError) -> FeedError:
        """A feed may say its caller's key in its own words."""
        words = str(error)
        for secret in self.feed.secrets:
            words = words.replace(secret, "****")
        return FeedError(error.kind, words, error.retry_after_s)

    def _fetch(self, limit_s: float, cancelled: threading.Event) -> int | None:
        """Ask and read; gives the calls that are left by the feed's own word."""
        rules = self.feed.rules
        if self._budget and not self._budget.take():
            raise FeedError("budget", f"all {self.feed.calls_per_day} calls of today are spent")
        self._asked_at = self._clock()
        answer = self._asking.ask(limit_s, cancelled)
        if answer.body is None:
            return answer.calls_left
        self._reader = self._reader or rules.reader()
        try:
            self.reading, self.note = self._read(self._reader, answer.body), None
        except NothingToShow as nothing:
            self.note = str(nothing)
        except FeedError:
            self._asking.forget()
            raise
        self.changed_in = self.turn + 1
        said: int | None = getattr(self._reader, "calls_left", None)
        return answer.calls_left if said is None else said

    def _read(self, reader: Reader, body: bytes) -> Reading:
        try:
            reading = read_answer(reader.read(body))
        except ValueError as error:
            why = "has changed its shape" if self.reading else f"answers, but not as the kind {self.feed.kind}"
            raise FeedError("malformed", f"the feed {why}: {error}") from None
        missing: tuple[str, ...] = getattr(reader, "missing", ())
        faults = tuple(f"the feed has changed its shape: `{path}` is missing" for path in missing)
        return replace(reading, faults=faults + reading.faults)

    @property
    def _phase(self) -> str | None:
        return self.reading.board.phase if self.reading else None

    def _plan(self, said: int | None) -> None:
        """When to ask again."""
        now = self._clock()
        wait_s = self._interval_s(now, said)
        if self.fault is not None:
            wait_s = max(wait_s, min(FAULT_WAIT_S, 5 * self.feed.poll_interval_s), self.fault.retry_after_s or 0)
        self._next_at = now + wait_s
        if self._budget:
            self._budget.note(self.match_id, wait_s)

    def _interval_s(self, now: float, said: int | None) -> float:
        wait_s = self.feed.poll_interval_s
        idle_s = None if self.feed.fault else self.feed.rules.idle_s
        if self._budget:
            idle_s = max(SCARCE_IDLE_S, idle_s or 0)
        is_idle = self._phase in _IDLE or (self.reading is not None and self.reading.board.pause is not None)
        if is_idle and idle_s:
            wait_s = max(wait_s, idle_s)
        if not self._budget:
            self._calls_left = said
            return wait_s
        matches = self._budget.note(self.match_id, wait_s, said)
        left = self._calls_left = self._budget.left()
        if left <= 0:
            return self._budget.next_day_in_s()
        lasts_s = max(LASTS_S, self._began_at + self.feed.expected_hours * HOUR_S - now)
        return max(wait_s, lasts_s * matches / left)
