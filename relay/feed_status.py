"""Where a stream's score is from, and how that goes, as its status says it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from match_monitor import MatchMonitor

QUIET_S = 600.0  # a live match without any change for this long is worth a look
MINUTE_S = 60

FeedState = Literal["off", "waiting", "good", "quiet", "failing", "spent", "ended", "by hand"]
FEED_STATES: tuple[FeedState, ...] = get_args(FeedState)


@dataclass(frozen=True)
class FeedStatus:
    """Where the score is from (`api`, `image`, a feed's name, `push`), and what is wrong there, in words.

    `name` and `kind` are those of a named feed, None for the match API. `changed_age_s` is the age of the
    newest state that differs from the one before, `asked_age_s` that of the last question to the feed;
    `next_in_s` and `calls_left` are None where there is no next question and no limit.
    """

    source: str | None
    trouble: str | None
    changed_age_s: float | None
    state: FeedState = "off"
    name: str | None = None
    kind: str | None = None
    match_id: str | None = None
    asked_age_s: float | None = None
    next_in_s: float | None = None
    calls_left: int | None = None
    calls_per_day: int | None = None
    note: str | None = None


def feed_status(monitor: MatchMonitor, match_id: str, now: float) -> FeedStatus:
    """How it goes at this time, by the clock."""
    age_s = None if monitor.changed_at is None else round(now - monitor.changed_at, 2)
    source, fault = monitor.source, monitor.trouble
    quiet = _quiet(monitor, age_s)
    state: FeedState = (
        "by hand"
        if monitor.is_by_hand
        else "failing"
        if fault
        else "quiet"
        if quiet
        else "good"
        if monitor.has_answered
        else "waiting"
        if monitor.polls
        else "off"
    )
    followed = monitor.followed
    if followed is None:
        return FeedStatus(source, fault or quiet, age_s, state, match_id=match_id if monitor.polls else None)
    status, feed = followed.status, followed.feed
    if state == "by hand":
        fault = quiet = None
    elif status.is_over:
        state, quiet = "ended", None
    elif status.calls_left == 0:
        limit = feed.calls_per_day
        fault = f"all {limit} calls of today are spent" if limit else "the feed's calls of today are spent"
        state = "spent"
    elif fault and not monitor.has_answered and not feed.fault:
        fault = f"the feed has never answered usefully: {fault.replace('the feed ', 'it ', 1)}"
    elif status.note and state == "good":
        state = "waiting"
    return FeedStatus(
        source,
        fault or quiet,
        age_s,
        state,
        feed.name,
        feed.kind or None,
        followed.match_id,
        status.asked_age_s,
        status.next_in_s,
        status.calls_left,
        feed.calls_per_day,
        status.note,
    )


def _quiet(monitor: MatchMonitor, age_s: float | None) -> str | None:
    board = monitor.state[0] if monitor.state else None
    if board is None or age_s is None or age_s < QUIET_S or board.phase != "live" or board.pause or not monitor.polls:
        return None
    asked = "the feed" if monitor.followed else "the match API"
    return f"{asked} answers, but nothing has changed for {int(age_s // MINUTE_S)} min"
