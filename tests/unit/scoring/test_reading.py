from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from demo.replay import MATCH, State, states
from errors import FeedError
from scoring.reading import parse_match_data, short_name
from scoring.scoreboard import Batter, Bowler, Scoreboard, Team

SHARED = Path(__file__).resolve().parents[4] / "shared" / "matches" / "1370353.json"
MATCHES = [MATCH, *([SHARED] if SHARED.exists() else [])]


def current(**changes: Any) -> dict[str, Any]:
    """A state in the shape of the feed in use today; keywords replace fields of the batting side's entry."""
    entry = {"inningScore": "101/4", "overs": "14.3"} | changes
    return {
        "data": {
            "currScore": {
                "battingTeamName": "Mumbai Indians",
                "bowlingTeamName": "Chennai Super Kings",
                "teamScore": {"Mumbai Indians": entry},
            }
        }
    }


def batting(board: Scoreboard) -> Team:
    assert board.batting is not None
    return board.batting


@pytest.mark.parametrize("path", MATCHES, ids=lambda path: path.stem)
def test_every_state_of_a_real_match_reads_the_same_in_both_shapes(path: Path) -> None:
    seen = 0
    for state in states(path):
        for board in (parse_match_data(state.as_current_score()), parse_match_data(state.as_own_shape())):
            assert_shows(board, state)
        seen += 1
    assert seen > 200


def assert_shows(board: Scoreboard, state: State) -> None:
    assert board.batting == Team(state.batting, short_name(state.batting), state.runs, state.wickets, state.overs)
    assert board.bowling == Team(state.bowling, short_name(state.bowling))
    batters = tuple(replace(batter, fours=None, sixes=None) for batter in board.batters)
    assert batters == (Batter(*state.striker, on_strike=True), Batter(*state.non_striker))
    name, balls, runs, wickets = state.bowler
    assert board.bowler == Bowler(name, f"{balls // 6}.{balls % 6}", runs, wickets)
    assert board.this_over == state.this_over


@pytest.mark.parametrize("path", MATCHES, ids=lambda path: path.stem)
def test_the_last_state_is_the_result_of_the_match(path: Path) -> None:
    known = {"1181768": (148, 7, "20.0", 150), "1370353": (171, 5, "15.0", 171)}
    board = parse_match_data(list(states(path))[-1].as_own_shape())
    side = batting(board)
    assert (side.runs, side.wickets, side.overs, board.target) == known[path.stem]


def test_the_score_may_stand_at_the_top() -> None:
    assert parse_match_data(current()["data"]) == parse_match_data(current())


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"inningScore": "101-4"}, (101, 4)),
        ({"inningScore": " 101 / 4 "}, (101, 4)),
        ({"inningScore": "101"}, (101, None)),
        ({"inningScore": 101}, (101, None)),
        ({"inningScore": ""}, (None, None)),
        ({"inningScore": "yet to bat"}, (None, None)),
        ({"inningScore": None}, (None, None)),
    ],
)
def test_scores_seen_in_the_wild(entry: dict[str, Any], expected: tuple[int | None, int | None]) -> None:
    side = batting(parse_match_data(current(**entry)))
    assert (side.runs, side.wickets) == expected


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"overs": 14.3}, "14.3"),
        ({"overs": 14}, "14"),
        ({"overs": None, "inningOver": "14.3"}, "14.3"),
        ({"overs": "14.9"}, None),
        ({"overs": "many"}, None),
        ({"overs": True}, None),
    ],
)
def test_overs_seen_in_the_wild(entry: dict[str, Any], expected: str | None) -> None:
    assert batting(parse_match_data(current(**entry))).overs == expected


def test_numbers_may_be_strings_and_names_empty() -> None:
    on_pitch = {
        "striker": "KA Pollard",
        "strikerScore": {"runs": "12", "balls": "9"},
        "nonStriker": "",
        "bowlerScore": {"name": "DL Chahar", "ballsDelivered": "15", "runsGiven": 19.0, "wickets": "two"},
    }
    board = parse_match_data(current(onPitch=on_pitch))
    assert board.batters == (Batter("KA Pollard", 12, 9, on_strike=True),)
    assert board.bowler == Bowler("DL Chahar", "2.3", 19, None)


def test_a_name_in_the_figures_does_not_replace_the_batters() -> None:
    on_pitch = {"striker": "KA Pollard", "strikerScore": {"runs": 1, "name": "", "on_strike": False}}
    assert parse_match_data(current(onPitch=on_pitch)).batters == (Batter("KA Pollard", 1, on_strike=True),)


def test_a_title_or_a_result_is_enough_to_show() -> None:
    assert parse_match_data({"sport": "cricket", "title": "The Final"}) == Scoreboard(title="The Final")
    assert parse_match_data({"sport": "cricket", "result": "Tied"}) == Scoreboard(result="Tied")


def test_balls_are_strings_numbers_or_objects() -> None:
    answer = current()
    balls = ["1", 4, {"ball": "W"}, {"runs": 6}, {"label": {"x": 1}}, None, True, "no ball", ""]
    answer["data"]["currScore"]["currOverDetail"] = {"balls": balls}
    assert parse_match_data(answer).this_over == ("1", "4", "W", "6", "nb")


def test_of_too_many_balls_the_newest_are_kept() -> None:
    own = {"sport": "cricket", "batting": {"name": "A"}, "this_over": [str(i) for i in range(100)]}
    assert parse_match_data(own).this_over == tuple(str(i) for i in range(88, 100))


def test_a_side_that_has_not_batted_yet_has_no_score() -> None:
    answer = current()
    answer["data"]["currScore"]["teamScore"] = {}
    assert batting(parse_match_data(answer)) == Team("Mumbai Indians", "MI")


def test_text_is_bounded_and_without_control_characters() -> None:
    own = {"sport": "cricket", "batting": {"name": "A\u202eB\x1b[0m\n C" + "x" * 500, "color": "red"}}
    side = batting(parse_match_data(own))
    assert side.name.startswith("AB[0m Cxxx")
    assert len(side.name) == 48
    assert side.color is None


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        "x",
        5,
        {},
        {"data": None},
        {"data": {"currScore": []}},
        {"currScore": {"battingTeamName": "", "bowlingTeamName": None}},
        {"currScore": {"teamScore": {"A": {"inningScore": "1/0"}}}},
        {"sport": "cricket"},
        {"sport": "curling", "home": {"name": "A"}},
        {"sport": "cricket", "batting": {"name": "\x00"}},
    ],
)
def test_an_answer_with_nothing_to_show_is_an_error(answer: object) -> None:
    with pytest.raises(FeedError) as caught:
        parse_match_data(answer)
    assert caught.value.kind == "malformed"


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("Mumbai Indians", "MI"),
        ("Chennai Super Kings", "CSK"),
        ("Australia", "AUS"),
        ("Trinidad & Tobago", "TT"),
        ("Australia (W)", "AUS"),
        ("चेन्नई सुपर किंग्स", "चेसुकिं"),
        ("کراچی کنگز", "ک\u200cک"),
        ("(سرخ)", "(\u200cس\u200cر"),
        # As many of the wide letters as the strip's block has room for.
        ("கொங்கு மலை ரைடர்ஸ்", "கொம"),
        ("கொ மொ ரொ", "கொ"),
        ("ஸ்ரீலங்கா", "ஸ்ரீல"),
        # No font has an emoji.
        ("🦁", "?"),
        ("🇮🇳", "?"),
        ("🦁 Lions", "LIO"),
    ],
)
def test_short_names(name: str, short: str) -> None:
    assert short_name(name) == short
