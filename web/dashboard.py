"""The page at `/`: the state of all streams, and the forms to start and stop them.

The server renders the whole page. `static/dashboard.js` loads the same page
again and again, takes over what has changed, and calls the API for everything
else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from flask import Blueprint, current_app, render_template
from flask.typing import ResponseReturnValue

from config import Settings
from media.media_clock import SLOW_SPEED, WINDOW_S
from relay.delivery import DeliveryStatus
from relay.registry import NodeLoad, Registry
from relay.stream_state import State, StreamStatus
from scoring.rundown import MAX_DELAY_S
from web.access import csrf_token, is_open
from web.cameras import asked_host, servers, unclaimed_cameras
from web.carrier import commands
from web.feeds import current_feeds

blueprint = Blueprint("dashboard", __name__)

# How much attention a stream needs. These words are classes in the page's styles.
BAD, WARN, IDLE, OK = "bad", "warn", "idle", "ok"
_LEVELS = {
    State.FAILED: BAD,
    State.RECONNECTING: BAD,
    State.SLATE: WARN,
    State.STARTING: IDLE,
    State.STOPPING: IDLE,
    State.LIVE: OK,
}
_MEANINGS = {State.SLATE: "the camera is away", State.RECONNECTING: "the destination is lost"}
FEED_S = 10.0  # one lost answer is no trouble
LONG_WAIT_S = 10.0
_NAMED_AT_THE_TOP = 6


@dataclass(frozen=True)
class Figure:
    """One number on a card. `is_off`: it is not what it should be."""

    label: str
    value: str
    is_off: bool = False


@dataclass(frozen=True)
class Score:
    """Where the score is from, in words. `feed` is what to go back to from a score by hand; "" is the match API."""

    text: str
    is_by_hand: bool
    feed: str


@dataclass(frozen=True)
class Card:
    """One stream as the page shows it."""

    status: StreamStatus
    word: str
    level: str
    lasts: str
    troubles: tuple[str, ...]
    figures: tuple[Figure, ...]
    place: str
    score: Score
    deliveries: tuple[tuple[str, DeliveryStatus], ...]

    @property
    def is_in_trouble(self) -> bool:
        return self.level in (BAD, WARN)

    @property
    def has_failed(self) -> bool:
        return self.status.state == State.FAILED


@dataclass(frozen=True)
class NodeRow:
    """One machine of a cluster as the page shows it. `is_off`: it is being drained."""

    name: str
    streams: str
    room: str
    is_off: bool
    cpus: str
    busy: str


@blueprint.get("/")
def page() -> ResponseReturnValue:
    registry: Registry = current_app.extensions["registry"]
    settings: Settings = current_app.extensions["settings"]
    now = datetime.now(UTC)
    # Sorted by name, so that each card keeps its place.
    cards = [card_of(status, now, settings) for status in sorted(registry.statuses(), key=_natural)]
    troubled = sorted((card for card in cards if card.is_in_trouble), key=lambda card: card.level != BAD)
    html = render_template(
        "dashboard.html",
        nodes=[row_of(node) for node in registry.load().nodes],
        age=age,
        cards=cards,
        title=_title(len(cards), len(troubled)),
        heading=_heading(cards),
        troubled=troubled[:_NAMED_AT_THE_TOP],
        more_troubled=len(troubled[_NAMED_AT_THE_TOP:]),
        csrf_token=csrf_token(),
        is_open=is_open(settings),
        camera_url=f"{servers(settings, asked_host())[0]}/STREAM_NAME",
        keys_are_required=settings.requires_camera_keys,
        unclaimed=unclaimed_cameras(),
        feeds=current_feeds().names,
        has_api=bool(settings.overlay_api_base),
        feeds_fault=current_feeds().fault,
        pulls_cameras=bool(settings.allowed_camera_hosts),
        max_delay_s=MAX_DELAY_S,
        carrying=commands,
    )
    return html, 200, {"Cache-Control": "no-store"}


def card_of(status: StreamStatus, now: datetime, settings: Settings) -> Card:
    """The card of a stream at this time."""
    states = [State(state) for state in status.states]
    troubles = _troubles(status, states, settings.score_stale_s)
    level = next(level for level in (BAD, WARN, IDLE, OK) if level in {_LEVELS[state] for state in states})
    deliveries = (("Destination", status.destination), ("Backup", status.backup))
    word = " + ".join(state.value for state in states)
    if troubles and level == OK:
        word, level = f"{word}, degraded", WARN
    return Card(
        status=status,
        word=word,
        level=level,
        lasts=duration((now - datetime.fromisoformat(status.since)).total_seconds()),
        troubles=troubles,
        figures=_figures(status, settings.score_stale_s),
        place=_place(status),
        score=_score(status),
        deliveries=tuple((label, delivery) for label, delivery in deliveries if delivery is not None),
    )


def row_of(node: NodeLoad) -> NodeRow:
    """The row of a node."""
    return NodeRow(
        name=node.name,
        streams=_streams(node.streams),
        room="drained" if node.is_draining else f"room for {node.room} more" if node.room else "full",
        is_off=node.is_draining,
        cpus=f"{node.free:.1f} of {node.cpus:g} CPUs free",
        busy="–" if node.busy is None else f"{node.busy:.0%}",
    )


def _troubles(status: StreamStatus, states: list[State], stale_s: float) -> tuple[str, ...]:
    """What is wrong, the worst first."""
    meaning = next((_MEANINGS[state] for state in states if state in _MEANINGS), None)
    found = [status.reason or meaning]
    if status.backup and status.backup.reason:
        found.append(f"backup: {status.backup.reason}")
    if State.FAILED not in states and _is_stale(status.score_age_s, stale_s):
        found.append(f"no new score for {age(status.score_age_s)}")
    is_silent = status.score_age_s is None or status.score_age_s >= FEED_S or status.feed.state in ("quiet", "spent")
    if State.FAILED not in states and status.feed.trouble and is_silent:
        found.append(f"score: {status.feed.trouble}")
    return tuple(text for text in found if text)


def _figures(status: StreamStatus, stale_s: float) -> tuple[Figure, ...]:
    is_slow = status.uptime_s > 2 * WINDOW_S and status.on_air is not None and status.speed < SLOW_SPEED
    return (
        Figure("On air", duration(status.uptime_s)),
        Figure("Frames/s", f"{status.fps:.1f}"),
        Figure("Bitrate", f"{status.bitrate_kbps / 1000:.1f} Mbit/s"),
        Figure("Speed", f"{status.speed:.2f}×", is_slow),
        Figure("Score age", age(status.score_age_s), _is_stale(status.score_age_s, stale_s)),
        Figure("Dropped", f"{status.dropped_frames}", status.dropped_frames > 0),
    )


def _place(status: StreamStatus) -> str:
    """The node that the stream runs on, and how it came there; empty without a cluster."""
    if status.node is None:
        return ""
    if not status.moves:
        return f"On node {status.node}"
    last = status.moves[-1]
    when = datetime.fromisoformat(last.at).strftime("%H:%M:%S UTC")
    verb = "started again at" if last.from_node == last.to_node else f"moved from {last.from_node} at"
    return f"On node {status.node}, {verb} {when}: {last.reason}"


def _score(status: StreamStatus) -> Score:
    feed = status.feed
    words = []
    if feed.name:
        words.append(f"Score from {feed.name}, match {feed.match_id}")
    if feed.calls_left is not None:
        of = f" of {feed.calls_per_day}" if feed.calls_per_day else ""
        words.append(f"{feed.calls_left}{of} calls left today")
    if feed.state == "ended":
        words.append("the match is over, so it is not asked any more")
    elif feed.name and feed.next_in_s is not None and feed.next_in_s >= LONG_WAIT_S and feed.state != "by hand":
        words.append(f"next look in {duration(feed.next_in_s)}")
    if feed.note and feed.state != "by hand":
        words.append(feed.note)
    return Score(", ".join(words), feed.state == "by hand", feed.name or "")


def _is_stale(age_s: float | None, stale_s: float) -> bool:
    return age_s is not None and age_s >= stale_s


def _title(streams: int, troubled: int) -> str:
    return f"({troubled}) of {_streams(streams)} in trouble" if troubled else _streams(streams)


def _heading(cards: list[Card]) -> str:
    live = sum(State.LIVE in card.status.states for card in cards)
    return f"{live} of {len(cards)} live" if cards else _streams(0)


def _streams(count: int) -> str:
    return "1 stream" if count == 1 else f"{count or 'No'} streams"


def _natural(status: StreamStatus) -> list[tuple[int, str]]:
    """A key that puts m2 before m10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", status.name.lower())]


def duration(seconds: float) -> str:
    """A duration in words, such as `3 min 20 s`, as precise as is useful."""
    whole = max(0, round(seconds))
    minutes, hours = whole // 60, whole // 3600
    if not minutes:
        return f"{whole} s"
    if minutes < 10:
        return f"{minutes} min {whole % 60} s"
    return f"{minutes} min" if not hours else f"{hours} h {minutes % 60} min"


def age(seconds: float | None) -> str:
    """As `duration`, with tenths below 10 s; a dash if it is not known."""
    if seconds is None:
        return "–"
    return f"{seconds:.1f} s" if seconds < 10 else duration(seconds)
