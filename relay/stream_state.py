"""What a stream is meant to be and what it is: the states, their legal transitions as data, and the snapshot.

Desired is `run` or `stop`. Observed is a set of states, because a camera that
is away and a destination that is lost are two troubles that come and go by
themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Literal

from media.causes import Cause
from relay.delivery import CONNECTED, CONNECTING, DeliveryStatus
from relay.feed_status import FeedStatus
from scoring.source import Polls

# Safe in a path, a URL and a log line.
NAME_PATTERN = r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$"
# The match API's own; no control characters.
OVERLAY_ID_PATTERN = r"^[^\x00-\x1f\x7f-\x9f]{1,64}$"
MATCH_ID_PATTERN = r"^[^\x00-\x1f\x7f-\x9f]{1,128}$"


class State(StrEnum):
    """One observed state."""

    STARTING = "starting"  # nothing has reached the destination yet
    LIVE = "live"  # the camera's picture reaches the destination
    SLATE = "slate"  # the camera is away
    RECONNECTING = "reconnecting"  # the destination is lost
    STOPPING = "stopping"
    FAILED = "failed"  # it ended, and nobody had asked for it


States = frozenset[State]

STARTING: States = frozenset({State.STARTING})
LIVE: States = frozenset({State.LIVE})
SLATE: States = frozenset({State.SLATE})
RECONNECTING: States = frozenset({State.RECONNECTING})
SLATE_AND_RECONNECTING: States = SLATE | RECONNECTING
STOPPING: States = frozenset({State.STOPPING})
FAILED: States = frozenset({State.FAILED})

_ON_AIR = frozenset({LIVE, SLATE, RECONNECTING, SLATE_AND_RECONNECTING})
TRANSITIONS: Mapping[States, frozenset[States]] = {
    STARTING: _ON_AIR | {STOPPING},
    **{states: _ON_AIR - {states} | {STOPPING} for states in _ON_AIR},
    STOPPING: frozenset({FAILED}),
    FAILED: frozenset(),
}
# If two states hold at once, the one that matters more to viewers comes first.
_WORD_ORDER = (State.RECONNECTING, State.SLATE)


def states_of(on_air: str | None, destination: str, before: States) -> States:
    """The states of a stream that should run, from what is on air and the state of its destination."""
    if destination == CONNECTING or (destination == CONNECTED and on_air is None and before == STARTING):
        return STARTING
    is_away = on_air == "slate" or (on_air is None and State.SLATE in before)
    if destination == CONNECTED:
        return SLATE if is_away else LIVE
    return SLATE_AND_RECONNECTING if is_away else RECONNECTING


@dataclass(frozen=True)
class LastError:
    """The newest unexpected end of a child."""

    child: str
    error: str
    age_s: float


@dataclass(frozen=True)
class Move:
    """A stream that was carried on by another process of a cluster; on the same node when only its process ended."""

    at: str
    from_node: str
    to_node: str
    reason: str


@dataclass(frozen=True)
class StreamStatus:
    """All that is reported of one stream. Ages and durations in seconds; None where nothing is known.

    `attempts` and `restarts` are by child, `polls` by source; `node` and `moves`
    (the newest last) are of a cluster only. `sound_level_db` is the peak of what goes out, in dBFS.
    """

    name: str
    desired: Literal["run", "stop"]
    state: State
    states: tuple[State, ...]
    since: str
    reason: str | None
    uptime_s: float
    on_air: str | None
    sound: str | None
    attempts: Mapping[str, int]
    restarts: Mapping[str, Mapping[Cause, int]]
    fps: float
    speed: float
    bitrate_kbps: float
    dropped_frames: int
    last_frame_age_s: float | None
    overlay_age_s: float | None
    score_age_s: float | None
    score_delay_s: float
    polls: Mapping[str, Polls]
    feed: FeedStatus
    last_error: LastError | None
    destination: DeliveryStatus
    backup: DeliveryStatus | None
    sound_level_db: float | None = None
    sound_loudness_lufs: float | None = None
    node: str | None = None
    moves: tuple[Move, ...] = ()


class StateTrack:
    """The observed states of one stream, since when, and why."""

    def __init__(self) -> None:
        self.states = STARTING
        self.since = timestamp()
        self.reason: str | None = None

    def move(self, states: States, reason: str | None) -> bool:
        """Take the newest observation; True when the states changed. Raises ValueError for an illegal transition."""
        if states == self.states:
            self.reason = reason
            return False
        if states not in TRANSITIONS[self.states]:
            raise ValueError(f"no transition from {words(self.states)} to {words(states)}")
        self.states, self.reason = states, reason
        self.since = timestamp()
        return True

    @property
    def word(self) -> State:
        """The one state that says most."""
        first = next((state for state in _WORD_ORDER if state in self.states), None)
        return first or next(iter(self.states))


def words(states: States) -> str:
    return " and ".join(sorted(state.value for state in states))


def timestamp() -> str:
    """The present second, UTC, as in `2026-05-12T17:56:40Z`."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
