from __future__ import annotations

import itertools
import json
from dataclasses import replace
from typing import Any

import pytest

from demo.boards import BREAK, CHASE, CSK, FINISHED, FIRST, MI
from demo.replay import MATCH, states
from scoring.events import Event, events_between, is_correction
from scoring.reading import parse_match_data
from scoring.scoreboard import Dismissal, Scoreboard

BATTERS = [{"name": "SR Watson", "runs": 45, "balls": 30, "on_strike": True}, {"name": "RA Jadeja", "runs": 3}]
BEFORE = CHASE | {
    "batting": CSK | {"runs": 100, "wickets": 3, "overs": "12.2"},
    "batters": BATTERS,
    "this_over": ["1", "0"],
}


def board(feed: dict[str, Any] = BEFORE, **over: Any) -> Scoreboard:
    return parse_match_data(feed | over)


def after(runs: int, overs: str, balls: list[str], made: int | None = None, wickets: int = 3) -> Scoreboard:
    """The chase as it goes on from BEFORE; `made` are the striker's runs now."""
    striker = BATTERS[0] | {"runs": 45 if made is None else made, "balls": 31}
    side = CSK | {"runs": runs, "wickets": wickets, "overs": overs}
    return board(batting=side, this_over=balls, batters=[striker, BATTERS[1]])


def told(before: Scoreboard, then: Scoreboard) -> list[tuple[str, str, str]]:
    return [(event.kind, event.who, event.detail) for event in events_between(before, then)]


def test_boundaries() -> None:
    assert told(board(), after(104, "12.3", ["1", "0", "4"], 49)) == [("FOUR", "SR Watson", "49 (31)")]
    assert told(board(), after(106, "12.3", ["1", "0", "6"], 51)) == [
        ("SIX", "SR Watson", "51 (31)"),
        ("FIFTY", "SR Watson", "51 (31)  SR 165"),
    ]
    assert told(board(), after(104, "12.3", ["1", "0", "4b"])) == []
    assert told(board(), after(104, "12.3", ["1", "0", "4lb"])) == []
    assert told(board(), after(105, "12.2", ["1", "0", "5wd"])) == []


def test_a_boundary_without_the_over_is_told_by_the_figures_of_one_ball() -> None:
    before = replace(board(), this_over=())
    assert told(before, replace(after(104, "12.3", [], 49), this_over=())) == [("FOUR", "SR Watson", "49 (31)")]
    assert told(before, replace(after(104, "12.4", [], 49), this_over=())) == []
    assert told(before, replace(after(104, "12.3", [], 45), this_over=())) == []


def test_several_balls_at_once_are_told_in_their_order() -> None:
    then = after(110, "12.4", ["1", "0", "6", "4"], 55)
    assert [kind for kind, _, _ in told(board(), then)] == ["SIX", "FOUR", "FIFTY"]


def test_the_first_balls_of_another_over() -> None:
    then = after(110, "13.1", ["4"], 49)
    assert [kind for kind, _, _ in told(board(), then)] == ["FOUR"]
    over = after(101, "13.0", ["1", "0", "0", "1", "0", "0"])
    assert [kind for kind, _, _ in told(over, after(105, "13.1", ["4"], 49))] == ["FOUR"]


@pytest.mark.parametrize(
    ("last_wicket", "expected"),
    [
        (None, ("SR Watson", "", "45 (31)")),
        (
            {"name": "SR Watson", "runs": 45, "balls": 31, "how_out": "run out (Rahul)"},
            ("SR Watson", "run out (Rahul)", "45 (31)"),
        ),
    ],
)
def test_a_wicket_says_who_and_how_many(last_wicket: dict[str, Any] | None, expected: tuple[str, ...]) -> None:
    then = board(
        batting=CSK | {"runs": 100, "wickets": 4, "overs": "12.3"},
        batters=[{"name": "MS Dhoni", "on_strike": True}, BATTERS[1]],
        this_over=["1", "0", "W"],
        last_wicket=last_wicket,
    )
    (event,) = events_between(board(), then)
    assert event.kind == "WICKET"
    assert (event.who, event.detail, event.figures) == expected


def test_a_wicket_whose_figures_do_not_follow_is_told_without() -> None:
    then = board(
        batting=CSK | {"runs": 101, "wickets": 4, "overs": "12.3"},
        batters=[{"name": "MS Dhoni"}, BATTERS[1]],
        this_over=["1", "0", "W"],
    )
    assert told(board(), then) == [("WICKET", "SR Watson", "")]
    both_gone = replace(then, batters=())
    assert told(board(), both_gone) == [("WICKET", "", "")]


def test_a_wicket_is_told_once_when_the_figures_come_after_the_over() -> None:
    between = board(this_over=["1", "0", "W"])
    then = board(batting=CSK | {"runs": 100, "wickets": 4, "overs": "12.3"}, this_over=["1", "0", "W"])
    kinds = [kind for pair in ((board(), between), (between, then)) for kind, _, _ in told(*pair)]
    assert kinds == ["WICKET"]


def test_an_old_dismissal_is_not_told_again() -> None:
    old = Dismissal("Faf du Plessis", 26, 13)
    then = replace(after(100, "12.3", ["1", "0", "W"], wickets=4), last_wicket=old)
    assert told(replace(board(), last_wicket=old), then) == [("WICKET", "", "")]


def test_a_hundred() -> None:
    before = board(batters=[BATTERS[0] | {"runs": 98}, BATTERS[1]])
    then = board(
        batters=[BATTERS[0] | {"runs": 102, "balls": 58, "fours": 11, "sixes": 5}, BATTERS[1]],
        batting=CSK | {"runs": 104, "wickets": 3, "overs": "12.3"},
        this_over=["1", "0", "4"],
    )
    assert told(before, then)[1] == ("HUNDRED", "SR Watson", "102 (58)  11×4  5×6  SR 176")


@pytest.mark.parametrize(
    "then",
    [
        after(96, "12.2", ["1", "0"], 41),
        after(100, "12.1", ["1"]),
        after(100, "12.2", ["1", "0"], wickets=2),
        after(99, "12.3", ["1", "0", "4"], 49),
    ],
    ids=["runs", "balls", "wickets", "runs with a four"],
)
def test_a_correction_tells_nothing(then: Scoreboard) -> None:
    assert is_correction(board(), then)
    assert told(board(), then) == []


def test_a_ball_corrected_within_the_over_tells_nothing() -> None:
    before = after(101, "12.3", ["1", "0", "1"], 46)
    assert told(before, after(106, "12.3", ["1", "0", "6"], 46)) == []


def test_nothing_that_is_older_than_an_over() -> None:
    far = after(160, "14.4", ["1", "0", "1", "2"], 72, wickets=5)
    assert told(replace(board(), target=None), replace(far, target=None)) == []


def test_the_end_of_an_innings() -> None:
    last = board(FIRST, batting=MI | {"runs": 149, "wickets": 8, "overs": "19.5"}, this_over=["1"])
    end = ("INNINGS", "Mumbai Indians", "149/8 (20.0 overs)")
    assert told(last, board(BREAK, this_over=["1", "1"])) == [end]
    full = board(BREAK, this_over=["1", "1"], status="live", target=None)
    assert told(last, full) == [end], "no ball is left"
    assert told(full, board(BREAK)) == [], "once"
    assert told(board(BREAK), board(CHASE, batting=CSK | {"runs": 0, "overs": "0.0"})) == []
    all_out = board(FIRST, batting=MI | {"runs": 149, "wickets": 10, "overs": "19.5"}, this_over=["1"])
    assert told(last, all_out)[-1] == ("INNINGS", "Mumbai Indians", "149/10 (19.5 overs)")
    declared = board(CHASE, innings=2, batting=CSK | {"runs": 1, "wickets": 0, "overs": "0.1"}, this_over=["1"])
    assert told(last, declared) == [("INNINGS", "Mumbai Indians", "149/8 (19.5 overs)")]


def test_a_name_that_goes_missing_for_a_poll_ends_no_innings() -> None:
    assert told(board(FIRST), board(FIRST, batting=None)) == []
    assert told(board(FIRST, batting=None), board(FIRST)) == []


def test_a_win() -> None:
    last = board(FINISHED, status="live", result=None)
    assert events_between(last, board(FINISHED))[-1].kind == "WIN"
    [event] = events_between(last, board(FINISHED))
    assert (event.who, event.detail) == ("Mumbai Indians", "Mumbai Indians won by 1 run")
    assert events_between(board(FINISHED), board(FINISHED, player_of_match="X")) == []
    [tie] = events_between(last, board(FINISHED, result="Match tied"))
    assert (tie.kind, tie.who) == ("RESULT", "")
    reached = board(FINISHED, status="live", result=None, batting=CSK | {"runs": 150, "wickets": 7, "overs": "20.0"})
    assert told(last, reached) == [("WIN", "Chennai Super Kings", "")]
    assert told(reached, board(FINISHED, result="Chennai Super Kings won by 3 wickets")) == []


def test_another_sport_has_no_events() -> None:
    generic = parse_match_data({"sport": "generic", "home": {"name": "A"}})
    assert events_between(generic, board()) == events_between(board(), generic) == []


def test_a_real_match_tells_each_boundary_and_each_wicket_once() -> None:
    """Counted from the ball-by-ball file itself; in both shapes of the feed."""
    deliveries = [
        delivery
        for innings in json.loads(MATCH.read_text())["innings"]
        for over in innings["overs"]
        for delivery in over["deliveries"]
    ]
    expected = {
        "WICKET": sum(len(delivery.get("wickets", [])) for delivery in deliveries),
        "SIX": sum(delivery["runs"]["total"] == 6 and "extras" not in delivery for delivery in deliveries),
        "FOUR": sum(
            delivery["runs"]["total"] == 4 and "extras" not in delivery and "wickets" not in delivery
            for delivery in deliveries
        ),
    }
    for shape in ("as_own_shape", "as_current_score"):
        boards = [parse_match_data(getattr(state, shape)()) for state in states()]
        found: list[Event] = []
        for before, then in itertools.pairwise(boards):
            found += events_between(before, then)
        assert {kind: sum(event.kind == kind for event in found) for kind in expected} == expected
        assert [event.who for event in found if event.kind == "FIFTY"] == ["SR Watson"]
        assert all(event.who for event in found if event.kind in ("FOUR", "SIX"))
