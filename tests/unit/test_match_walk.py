"""Two real matches, ball by ball: the moments are those of the match file, none missed and none false.

And whatever is done to the states on their way, nothing false is said of them.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demo.replay import MATCH, frame, states
from errors import FeedError
from scoring import cricket
from scoring.continuity import Continuity
from scoring.reading import parse_match_data
from scoring.rundown import Rundown
from scoring.scoreboard import Scoreboard

MATCHES = [MATCH, MATCH.with_name("1370353.json")]
BALL_S = 30.0
NOT_THE_BOWLERS = ("run out", "retired hurt", "retired out", "obstructing the field")


def expected(path: Path) -> Counter[str]:
    """Counted from nothing but the match file."""
    found: Counter[str] = Counter()
    match = json.loads(path.read_text())
    for innings in match["innings"]:
        batters: Counter[str] = Counter()
        wickets: Counter[str] = Counter()
        total = stand = 0
        for over in innings["overs"]:
            given_away, legal, bowlers = 0, 0, set()
            for ball in over["deliveries"]:
                runs, extras = ball["runs"], ball.get("extras", {})
                bowlers.add(ball["bowler"])
                if runs["batter"] in (4, 6) and "non_boundary" not in runs:
                    found["FOUR" if runs["batter"] == 4 else "SIX"] += 1
                before = batters[ball["batter"]]
                batters[ball["batter"]] += runs["batter"]
                for mark, kind in ((50, "FIFTY"), (100, "HUNDRED"), (150, "BATTER_150"), (200, "BATTER_200")):
                    found[kind] += before < mark <= batters[ball["batter"]]
                found.update(_passed(total, total + runs["total"], range(50, 1000, 50), _team))
                found.update(_passed(stand, stand + runs["total"], (50, *range(100, 1000, 100)), lambda _: "STAND"))
                total, stand = total + runs["total"], stand + runs["total"]
                given_away += runs["batter"] + extras.get("wides", 0) + extras.get("noballs", 0)
                legal += not {"wides", "noballs"} & set(extras)
                for wicket in ball.get("wickets", []):
                    if wicket["kind"] == "retired hurt":
                        continue
                    stand = 0
                    found["WICKET"] += 1
                    found["DUCK"] += batters[wicket["player_out"]] == 0
                    if wicket["kind"] not in NOT_THE_BOWLERS:
                        wickets[ball["bowler"]] += 1
                        found["FIVE_FOR"] += wickets[ball["bowler"]] == 5
            found["MAIDEN"] += legal == 6 and given_away == 0 and len(bowlers) == 1
    found["INNINGS"] = 1
    found["WIN"] = 1
    return +found


def _passed(was: int, now: int, marks: Iterable[int], name: Any) -> list[str]:
    return [name(mark) for mark in marks if was < mark <= now]


def _team(mark: int) -> str:
    return "TEAM_HUNDRED" if mark % 100 == 0 else "TEAM_FIFTY"


def whole_match(path: Path) -> list[dict[str, Any]]:
    before, pause, after = frame(path)
    balls = [state.as_own_shape() for state in states(path)]
    first = [ball for ball in balls if ball["innings"] == 1]
    return [before, *first, pause, *balls[len(first) :], after]


class Walk:
    """What is shown of a feed, and what is said of it."""

    def __init__(self, delay_s: float = 0.0) -> None:
        self.continuity, self.rundown, self.now = Continuity(), Rundown(60, 300, delay_s), 0.0
        self.told: Counter[str] = Counter()

    def feed(self, state: dict[str, Any], after_s: float = BALL_S) -> Scoreboard | None:
        self.now += after_s
        try:
            board = self.continuity.admit(parse_match_data(state), self.now)
        except FeedError:
            board = None
        if board is not None:
            self.rundown.hear(board, self.now)
        shown = self.rundown.scene(self.now).content
        self.told.update(event.kind for event in self.rundown.take_moments())
        return shown if isinstance(shown, Scoreboard) else None


@pytest.mark.parametrize("path", MATCHES, ids=lambda path: path.stem)
@pytest.mark.parametrize("dropped", [None, 0, 1, 2], ids=["all", "1st of 3", "2nd of 3", "3rd of 3"])
def test_the_moments_are_those_of_the_match_file(path: Path, dropped: int | None) -> None:
    match = whole_match(path)
    walk = Walk()
    for number, state in enumerate(match):
        is_kept = dropped is None or number % 3 != dropped or number in (0, len(match) - 1)
        if is_kept or state["status"] != "live":
            walk.feed(state)
    assert walk.told == expected(path)


@pytest.mark.parametrize("path", MATCHES, ids=lambda path: path.stem)
def test_without_a_frame_around_it_and_in_the_other_shape_nothing_is_false(path: Path) -> None:
    walk, match = Walk(), [state.as_current_score() for state in states(path)]
    for state in match:
        walk.feed(state)
    true = expected(path)
    assert {kind: count for kind, count in walk.told.items() if count > true[kind]} == {}
    assert walk.told["FOUR"] + walk.told["SIX"] > 0.9 * (true["FOUR"] + true["SIX"])


STATES = {path.stem: whole_match(path) for path in MATCHES}
TRUE = {path.stem: expected(path) for path in MATCHES}
DAMAGE: list[Any] = [
    lambda state: {**state, "batting": {**state["batting"], "runs": -1}},
    lambda state: {**state, "batting": {"name": state["batting"]["name"]}},
    lambda state: {**state, "batting": {**state["batting"], "runs": 9999}},
    lambda state: {**state, "batting": {**state["batting"], "name": "Data Not Found"}},
    lambda state: {**state, "this_over": []},
    lambda state: {**state, "batters": []},
    lambda state: {**state, "batting": state["bowling"], "bowling": state["batting"]},
    lambda state: {**state, "innings": None},
    lambda state: {**state, "target": 1},
    lambda state: {**state, "batting": None},
    lambda _state: {"sport": "cricket"},
    lambda _state: None,
]


@settings(deadline=None, max_examples=60)
@given(
    name=st.sampled_from([path.stem for path in MATCHES]),
    begins=st.floats(0, 0.9),
    steps=st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 6), st.lists(st.none() | st.sampled_from(DAMAGE), max_size=4)),
        max_size=60,
    ),
)
def test_nothing_false_is_said_whatever_the_feed_does(
    name: str, begins: float, steps: list[tuple[int, int, list[Any]]]
) -> None:
    """States are dropped, repeated, mixed with older ones, and damaged for up to four polls of a second."""
    match, walk = STATES[name], Walk()
    at = int(begins * len(match))
    first, last = match[1]["batting"]["name"], match[-1]["batting"]["name"]
    walk.feed(match[at])
    for skipped, back, damages in steps:
        at = min(at + skipped, len(match) - 1)
        older = match[max(0, at - back)]
        for state in [*(older if damage is None else damage(older) for damage in damages), match[at]]:
            board = walk.feed(state, 1.0)
            if board is None or board.batting is None:
                continue
            chase = cricket.chase(board)
            assert chase is None or board.batting.name == last, f"{first} has batted, and needs {chase}"
            if cricket.finish(parse_match_data(match[at])) is None and match[at]["status"] != "finished":
                assert walk.told["WIN"] == 0, "nobody has won yet"
    true = TRUE[name]
    assert {kind: count for kind, count in walk.told.items() if count > true[kind]} == {}
