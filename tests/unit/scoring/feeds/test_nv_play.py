from __future__ import annotations

import json
from typing import Any

import pytest

from errors import InvalidField
from scoring.feeds.files import FeedFiles
from scoring.scoreboard import Scoreboard

FIELDS = {
    "batting_team": "Red Valley 1st XI",
    "bowling_team": "Blue Hill (wk)",
    "innings": "13",
    "max_overs": "12",
    "runs": "96",
    "wickets": "3",
    "overs": "12.4",
    "target": "153",
    "runs_required": "57",
    "batter1_name": "A STONE",
    "batter1_runs": "41",
    "batter1_balls": "30",
    "batter1_strike": "True",
    "batter1_fours": "4",
    "batter1_sixes": "1",
    "batter2_name": "C ASH*",
    "batter2_runs": "7",
    "batter2_balls": "6",
    "batter2_strike": "False",
    "bowler_name": "B REED",
    "bowler_overs": "2.4",
    "bowler_runs": "19",
    "bowler_wickets": "1",
    "bowler_maidens": "0",
    "partnership_runs": "22",
    "partnership_balls": "17",
    "last_ball": "4 w . 1 1",
    "last_wicket_howout": "C ELM B REED",
    "last_wicket_batter": "D OAK 22",
    "card_b1_name": "A STONE",
    "card_b1_runs": "41",
    "card_b1_balls": "30",
    "card_b1_out": "",
    "card_b2_name": "D OAK",
    "card_b2_runs": "22",
    "card_b2_balls": "19",
    "card_b2_out": "c Elm b Reed",
    "card_b3_name": "E FIR",
    "card_b3_runs": "3",
    "card_b3_balls": "5",
    "card_b3_out": "retired hurt",
    "card_b4_name": "F YEW",
    "card_b4_runs": "",
    "card_b4_balls": "",
    "card_b4_out": "",
    "card_w1_name": "B REED",
    "card_w1_o": "2.4",
    "card_w1_m": "0",
    "card_w1_r": "19",
    "card_w1_w": "1",
    "card_w2_name": "{{Bowler2_Nam}}",
    "card_w2_o": "",
    "card_b5_name": "",
}
KEYED = """<?xml version="1.0"?><root><scoreboard>
<field key="CurrentBattingTeamName">Red &amp; Valley</field><field key="CurrentBowlingTeamName">Blue Hill</field>
<field key="InningsRuns">96</field><field key="InningsWickets">3</field><field key="OverBallsCompleted">12.4</field>
<field key="CurrentOverBallByBall">4 w . 1 1</field><field key="RunsRequiredToWin">57</field></scoreboard></root>"""


def read(content: bytes | str) -> Scoreboard:
    board = FeedFiles().read("nv_play", content.encode() if isinstance(content, str) else content)
    assert board is not None
    return board


def board_of(**changed: str) -> Scoreboard:
    return read(json.dumps(FIELDS | changed))


def test_a_usual_file_is_read_whole() -> None:
    board = board_of()
    batting, bowling = board.batting, board.bowling
    assert batting is not None
    assert bowling is not None
    assert (batting.name, batting.runs, batting.wickets, batting.overs) == ("Red Valley 1st XI", 96, 3, "12.4")
    assert bowling.name == "Blue Hill"
    assert (board.innings, board.target, board.status) == (2, 153, "live")
    assert [(one.name, one.runs, one.balls, one.on_strike) for one in board.batters] == [
        ("A STONE", 41, 30, True),
        ("C ASH", 7, 6, False),
    ]
    assert (board.batters[0].fours, board.batters[0].sixes) == (4, 1)
    assert board.bowler is not None
    assert (board.bowler.name, board.bowler.overs, board.bowler.runs, board.bowler.wickets) == ("B REED", "2.4", 19, 1)
    assert board.this_over == ("4", "wd", "0", "1", "1")
    assert board.last_wicket is not None
    assert (board.last_wicket.name, board.last_wicket.runs) == ("D OAK", 22)
    assert board.card is not None
    assert [(row.name, row.status) for row in board.card.batting] == [
        ("A STONE", "batting"),
        ("D OAK", "out"),
        ("E FIR", "retired_hurt"),
        ("F YEW", "yet_to_bat"),
    ]
    assert [row.name for row in board.card.bowling] == ["B REED"]


@pytest.mark.parametrize("before", ["", "\ufeff", "\n "])
def test_the_ending_of_its_name_says_nothing(before: str) -> None:
    assert read(before + json.dumps(FIELDS)).target == 153


def test_the_native_xml_is_read_by_its_field_names() -> None:
    board = read(KEYED)
    assert board.batting is not None
    assert (board.batting.name, board.batting.runs, board.batting.overs) == ("Red & Valley", 96, "12.4")
    assert board.target == 153, "runs and what is required"
    assert board.this_over == ("4", "wd", "0", "1", "1")


def test_flat_xml_is_read_by_the_keys_of_the_json() -> None:
    board = read("<x><batting_team>Red Valley</batting_team><runs>7</runs><overs>1.2</overs></x>")
    assert board.batting is not None
    assert (board.batting.name, board.batting.runs, board.batting.overs) == ("Red Valley", 7, "1.2")


@pytest.mark.parametrize(
    ("written", "labels"),
    [
        (". 1 4 6", ("0", "1", "4", "6")),
        ("W w w+4", ("W", "wd", "5wd")),
        ("nb 1nb 2nb+4", ("nb", "2nb", "7nb")),
        ("4lb·2b", ("4lb", "2b")),
        ("", ()),
    ],
)
def test_labels_of_the_over(written: str, labels: tuple[str, ...]) -> None:
    assert board_of(last_ball=written, wickets="4").this_over == labels


def test_the_balls_of_an_over_that_has_ended_are_not_shown() -> None:
    assert board_of(overs="13.0", last_ball="4 w . 1 1").this_over == ()
    assert board_of(overs="13", last_ball="4 w . 1 1").this_over == ()
    assert board_of(overs="0.0", last_ball="").this_over == ()


def test_names_that_are_not_chosen_yet_are_nobody() -> None:
    board = board_of(batter1_name="", batter2_name=" ", bowler_name="", last_wicket_batter="", target="")
    assert board.batters == ()
    assert board.bowler is None


def test_of_two_batters_without_a_mark_the_first_is_on_strike() -> None:
    assert [one.on_strike for one in board_of(batter1_strike="", batter2_strike="").batters] == [True, False]
    assert [one.on_strike for one in board_of(batter1_strike="0", batter2_strike="*").batters] == [False, True]


def test_quotation_marks_that_are_not_escaped() -> None:
    broken = json.dumps(FIELDS, indent=1).replace("A STONE", 'A "ROCKY" STONE')
    assert read(broken).batters[0].name == 'A "ROCKY" STONE'


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"   ",
        json.dumps(FIELDS)[:200].encode(),
        b"{}",
        b"[1]",
        b"\xff\xfe\x00",
        b"<root><scoreboard>",
        b"[" * 5000,
    ],
)
def test_a_file_that_is_empty_or_cut_short_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidField, match="^nv_play: the file is empty, cut short"):
        FeedFiles().read("nv_play", content)


@pytest.mark.parametrize("value", [{"a": 1}, [1], None, True, 10**30, "9" * 400, "-5", "NaN"])
def test_one_odd_value_costs_only_itself(value: Any) -> None:
    board = read(json.dumps(FIELDS | {"batter1_runs": value, "bowler_runs": value}))
    assert board.batters[0].name == "A STONE"
    assert board.batters[0].runs is None
