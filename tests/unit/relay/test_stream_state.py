from __future__ import annotations

from datetime import UTC, datetime
from itertools import chain, combinations, count

import pytest

from relay import stream_state
from relay.stream_state import (
    FAILED,
    LIVE,
    RECONNECTING,
    SLATE,
    SLATE_AND_RECONNECTING,
    STARTING,
    STOPPING,
    TRANSITIONS,
    State,
    States,
    StateTrack,
    words,
)

LEGAL_STATES = [STARTING, LIVE, SLATE, RECONNECTING, SLATE_AND_RECONNECTING, STOPPING, FAILED]
LEGAL = [
    (STARTING, LIVE),
    (STARTING, SLATE),
    (STARTING, RECONNECTING),
    (STARTING, SLATE_AND_RECONNECTING),
    (STARTING, STOPPING),
    (LIVE, SLATE),
    (LIVE, RECONNECTING),
    (LIVE, SLATE_AND_RECONNECTING),
    (LIVE, STOPPING),
    (SLATE, LIVE),
    (SLATE, RECONNECTING),
    (SLATE, SLATE_AND_RECONNECTING),
    (SLATE, STOPPING),
    (RECONNECTING, LIVE),
    (RECONNECTING, SLATE),
    (RECONNECTING, SLATE_AND_RECONNECTING),
    (RECONNECTING, STOPPING),
    (SLATE_AND_RECONNECTING, LIVE),
    (SLATE_AND_RECONNECTING, SLATE),
    (SLATE_AND_RECONNECTING, RECONNECTING),
    (SLATE_AND_RECONNECTING, STOPPING),
    (STOPPING, FAILED),
]
EVERY_SET = [frozenset(chosen) for size in range(len(State) + 1) for chosen in combinations(State, size)]
ILLEGAL = [
    (before, after)
    for before in LEGAL_STATES
    for after in EVERY_SET
    if before != after and (before, after) not in LEGAL
]


def names(value: object) -> str:
    return "+".join(sorted(value)) or "none" if isinstance(value, frozenset) else str(value)


@pytest.fixture
def times(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every look at the time of day gives another: 0, 1, 2 …"""
    numbers = count()
    monkeypatch.setattr(stream_state, "timestamp", lambda: str(next(numbers)))


def track_in(states: States) -> StateTrack:
    track = StateTrack()
    track.states = states
    return track


@pytest.mark.parametrize(("before", "after"), LEGAL, ids=names)
def test_a_legal_transition_is_taken_with_its_time_and_reason(times: None, before: States, after: States) -> None:
    track = track_in(before)
    assert track.move(after, "why") is True
    assert (track.states, track.since, track.reason) == (after, "1", "why")


@pytest.mark.parametrize("before", LEGAL_STATES, ids=names)
def test_every_other_transition_is_refused_and_changes_no_state(times: None, before: States) -> None:
    track = track_in(before)
    refused = [after for was, after in ILLEGAL if was == before]
    assert len(refused) > 50
    for after in refused:
        with pytest.raises(ValueError, match="no transition") as caught:
            track.move(after, None)
        assert str(caught.value) == f"no transition from {words(before)} to {words(after)}"
        assert (track.states, track.since) == (before, "0")


@pytest.mark.parametrize("states", LEGAL_STATES, ids=names)
def test_the_same_states_again_are_no_change_and_bring_the_newest_reason(times: None, states: States) -> None:
    track = track_in(states)
    assert track.move(frozenset(states), "first") is False
    assert track.move(states, "newest") is False
    assert (track.states, track.since, track.reason) == (states, "0", "newest")
    assert track.move(states, None) is False
    assert track.reason is None


def test_a_track_begins_as_starting_without_a_reason() -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    track = StateTrack()
    assert (track.states, track.reason, track.word) == (STARTING, None, "starting")
    assert track.since.endswith("Z")
    assert before <= datetime.fromisoformat(track.since) <= datetime.now(UTC)


def test_nothing_follows_a_failure() -> None:
    assert TRANSITIONS[FAILED] == frozenset()


def test_every_states_value_has_its_transitions() -> None:
    defined = {value for value in vars(stream_state).values() if isinstance(value, frozenset)} & set(EVERY_SET)
    assert defined == set(LEGAL_STATES)
    assert set(TRANSITIONS) == defined
    assert set(chain.from_iterable(TRANSITIONS.values())) <= defined
    assert set(chain.from_iterable(TRANSITIONS)) == set(State)


@pytest.mark.parametrize(
    ("states", "word"),
    [
        (STARTING, "starting"),
        (LIVE, "live"),
        (SLATE, "slate"),
        (RECONNECTING, "reconnecting"),
        (SLATE_AND_RECONNECTING, "reconnecting"),
        (STOPPING, "stopping"),
        (FAILED, "failed"),
    ],
    ids=names,
)
def test_the_one_word_prefers_reconnecting_over_slate(states: States, word: str) -> None:
    assert track_in(states).word == word


def test_states_that_hold_at_once_are_both_told_in_a_fixed_order() -> None:
    assert words(SLATE_AND_RECONNECTING) == "reconnecting and slate"
    assert words(LIVE) == "live"
