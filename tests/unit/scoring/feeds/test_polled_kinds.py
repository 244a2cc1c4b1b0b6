"""The feeds that are asked: one match state in the words of each, and what is odd about each."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from errors import FeedError
from scoring.feeds.cricapi import CricApi
from scoring.feeds.cricbuzz import Cricbuzz
from scoring.feeds.cricclubs import CricClubs
from scoring.feeds.own_shapes import CurrScore, Own
from scoring.feeds.play_cricket import PlayCricket
from scoring.feeds.values import NothingToShow
from scoring.reading import read_answer
from scoring.scoreboard import Batter, Bowler, Partnership, Scoreboard

CRICCLUBS: dict[str, Any] = {
    "view": 1,
    "balls": ["4", "1wd", ".", "1", "1"],
    "isSecondInningsStarted": True,
    "values": {
        "seriesName": "Valley &amp; Hill Cup",
        "t1ID": 11,
        "t1Name": "Blue Hill",
        "t1Code": "BHL",
        "t1Total": "152",
        "t1Wickets": "7",
        "t1Overs": "20",
        "t2ID": 12,
        "t2Name": "Red Valley",
        "t2Code": "RVY",
        "t2Total": "96",
        "t2Wickets": "3",
        "t2Overs": "12.4",
        "tOvers": "12.4",
        "isSecondInningsStarted": "true",
        "isMatchEnded": "0",
        "isSuperOver": "false",
        "isSuperOverSecondInningsStarted": "false",
        "isDls": False,
        "revisedTarget": 0,
        "revisedOvers": 0,
        "totalOvers": 20,
        "parScore": "88",
        "requiredRuns": "-2",
        "RRR": "3.55",
        "oversOrBalls": "OVERS ",
        "toss": "Blue Hill WON THE TOSS AND ELECTED TO BAT",
        "result": "Red Valley: 96/3 (12.4/20 OVERS ) ",
        "batsman1Name": "Adam S",
        "batsman1FirstName": "Adam",
        "batsman1LastName": "Stone",
        "batsman1IsOut": "0",
        "batsman1Runs": "41",
        "batsman1Balls": "30",
        "batsman1Fours": "4",
        "batsman1Sixers": "1",
        "batsman2Name": "Carl A",
        "batsman2FirstName": "Carl",
        "batsman2LastName": "Ash",
        "batsman2IsOut": "0",
        "batsman2Runs": "7",
        "batsman2Balls": "6",
        "batsman2Fours": "1",
        "batsman2Sixers": "0.0",
        "bowlerID": 101,
        "bowlerName": "Ben R",
        "bowlerFirstName": "Ben",
        "bowlerLastName": "Reed",
        "bowlerOvers": "2.4",
        "bowlerMaidens": "0",
        "bowlerRuns": "19",
        "bowlerWickets": "1",
        "lastOutName": "Dan O",
        "lastOutRuns": "22",
        "lastOutBalls": "19",
        "lastOutString": "<span>c </span><span class='outname'>Ed E</span><span> b </span><span>Ben R</span>",
        "currentPartnershipMap": {"partnershipTotalRuns": "22", "partnershipTotalBalls": "17"},
    },
}
CRICAPI: dict[str, Any] = {
    "apikey": "not-a-key",
    "status": "success",
    "info": {"hitsToday": 12, "hitsUsed": 1, "hitsLimit": 12_000},
    "data": {
        "name": "Red Valley vs Blue Hill, Valley Cup",
        "matchType": "t20",
        "status": "Blue Hill won by 5 wkts",
        "dateTimeGMT": "2026-06-13T13:00:00",
        "teams": ["Red Valley", "Blue Hill"],
        "teamInfo": [{"name": "Blue Hill", "shortname": "BHL"}, {"name": "Red Valley", "shortname": "RVY"}],
        "score": [
            {"r": 152, "w": 7, "o": 19.6, "inning": "blue hill Inning 1"},
            {"r": 96, "w": 3, "o": 12.4, "inning": "Red Valley Inning 1"},
        ],
        "tossWinner": "blue hill",
        "tossChoice": "bat",
        "matchStarted": True,
        "matchEnded": False,
        "scorecard": [
            {
                "inning": "Red Valley Inning 1",
                "batting": [
                    {"batsman": {"name": "Dan Oak"}, "dismissal-text": "lbw b ben reed", "bowler": None, "r": 22},
                    {
                        "batsman": {"name": "Adam Stone"},
                        "dismissal-text": "batting",
                        "r": 41,
                        "b": 30,
                        "4s": 4,
                        "6s": 1,
                    },
                    {"batsman": {"name": "Carl Ash"}, "dismissal-text": "batting", "r": 7, "b": 6, "4s": 1, "6s": 0},
                    {"batsman": {"name": "Eli Fir"}, "dismissal-text": "not out", "r": 3, "b": 5, "4s": 0, "6s": 0},
                ],
                "bowling": [{"bowler": {"name": "Ben Reed"}, "o": 2.4, "m": 0, "r": 19, "w": 1, "nb": 1, "wd": 2}],
                "totals": {},
            }
        ],
    },
}
CRICBUZZ: dict[str, Any] = {
    "matchHeader": {
        "matchFormat": "T20",
        "state": "In Progress",
        "complete": False,
        "seriesName": "Valley Cup",
        "status": "Blue Hill won by 5 wkts",
        "tossResults": {"tossWinnerName": "Blue Hill", "decision": "Batting"},
        "team1": {"id": 1, "name": "Blue Hill", "shortName": "BHL"},
        "team2": {"id": 2, "name": "Red Valley", "shortName": "RVY"},
    },
    "miniscore": {
        "inningsId": 2,
        "overs": 12.4,
        "target": 153,
        "recentOvsStats": "... 1 1 | 0 1 4 | 4 Wd 0 1 1",
        "batTeam": {"teamId": 2, "teamScore": 96, "teamWkts": 3},
        "batsmanStriker": {"batId": 7, "batName": "Adam Stone", "batRuns": 41, "batBalls": 30}
        | {"batFours": 4, "batSixes": 1},
        "batsmanNonStriker": {"batId": 8, "batName": "Carl Ash", "batRuns": 7, "batBalls": 6}
        | {"batFours": 1, "batSixes": 0},
        "bowlerStriker": {"bowlId": 9, "bowlName": "Ben Reed", "bowlOvs": 2.4, "bowlMaidens": 0}
        | {"bowlRuns": 19, "bowlWkts": 1},
        "bowlerNonStriker": {"bowlId": 0, "bowlName": ""},
        "partnerShip": {"balls": 17, "runs": 22},
        "matchScoreDetails": {
            "inningsScoreList": [
                {"inningsId": 2, "batTeamId": 2, "score": 96, "wickets": 3, "overs": 12.4},
                {"inningsId": 1, "batTeamId": 1, "score": 152, "wickets": 7, "overs": 19.6},
            ]
        },
    },
    "responseLastUpdated": "1781355600",
}
OWN: dict[str, Any] = {
    "sport": "cricket",
    "status": "live",
    "innings": 2,
    "target": 153,
    "batting": {"name": "Red Valley", "short": "RVY", "runs": 96, "wickets": 3, "overs": "12.4"},
    "bowling": {"name": "Blue Hill", "short": "BHL"},
    "batters": [
        {"name": "Adam Stone", "runs": 41, "balls": 30, "fours": 4, "sixes": 1, "on_strike": True},
        {"name": "Carl Ash", "runs": 7, "balls": 6, "fours": 1, "sixes": 0},
    ],
    "bowler": {"name": "Ben Reed", "overs": "2.4", "maidens": 0, "runs": 19, "wickets": 1},
    "this_over": ["4", "wd", "0", "1", "1"],
    "partnership": {"runs": 22, "balls": 17},
}
PLAY_CRICKET: dict[str, Any] = {
    "home_club_name": "Red Valley CC",
    "home_team_name": "1st XI",
    "home_team_id": "101",
    "away_club_name": "Blue Hill CC",
    "away_team_name": "2nd XI",
    "away_team_id": "202",
    "competition_name": "Valley League",
    "toss": "Red Valley CC - 1st XI won the toss and elected to bat",
    "batted_first": "101",
    "no_of_overs": "40",
    "no_of_players": "11",
    "result": "",
    "status": "New",
    "result_description": "",
    "result_applied_to": "",
    "innings": [],
}
FIRST: dict[str, Any] = {
    "team_batting_id": "101",
    "innings_number": 1,
    "runs": "185",
    "wickets": "9",
    "overs": "40",
    "declared": False,
    "extra_byes": "2",
    "extra_leg_byes": "4",
    "extra_wides": "9",
    "extra_no_balls": "1",
    "extra_penalty_runs": "0",
    "bat": [
        {"batsman_name": "Adam Stone", "how_out": "ct", "fielder_name": "Ed Elm", "bowler_name": "Ben Reed"}
        | {"runs": "12", "fours": "2", "sixes": "", "balls": "19"},
        {"batsman_name": "Carl Ash", "how_out": "no", "runs": "24", "fours": "3", "sixes": "", "balls": ""},
        {"batsman_name": "Dan Oak", "how_out": "retired not out", "runs": "50", "fours": "3", "sixes": "", "balls": ""},
        {"batsman_name": "Eli Fir", "how_out": "dnb", "runs": "", "fours": "", "sixes": "", "balls": ""},
    ],
    "fow": [{"runs": "21", "wickets": 1, "batsman_out_name": "Adam Stone"}],
    "bowl": [{"bowler_name": "Ben Reed", "overs": "6", "maidens": "1", "runs": "22", "wides": "2", "wickets": "1"}],
}
SECOND: dict[str, Any] = {
    "team_batting_id": "202",
    "innings_number": 1,
    "runs": "47",
    "wickets": "1",
    "overs": "11",
    "bat": [],
}


def changed(example: dict[str, Any], **values: Any) -> dict[str, Any]:
    """A copy; `a__b=1` sets what is under `a`, `b`."""
    copied = copy.deepcopy(example)
    for path, value in values.items():
        *way, last = path.split("__")
        place = copied
        for step in way:
            place = place[step]
        place[last] = value
    return copied


def board_of(reader: Any, example: dict[str, Any]) -> Scoreboard:
    reading = read_answer(reader.read(json.dumps(example).encode()))
    assert reading.faults == ()
    return reading.board


@pytest.mark.parametrize(
    ("reader", "example", "lacks"),
    [
        (Own(), OWN, ()),
        (CricClubs(), CRICCLUBS, ()),
        (CricApi(lambda: 1_781_360_000), CRICAPI, ("striker", "bowler", "this_over", "partnership")),
        (Cricbuzz(), CRICBUZZ, ()),
    ],
    ids=["own", "cricclubs", "cricapi", "cricbuzz"],
)
def test_the_same_moment_is_the_same_score_whoever_tells_it(
    reader: Any, example: dict[str, Any], lacks: tuple[str, ...]
) -> None:
    board = board_of(reader, example)

    side = board.batting
    assert side
    assert (side.name, side.short, side.runs, side.wickets, side.overs) == ("Red Valley", "RVY", 96, 3, "12.4")
    assert board.bowling
    assert (board.bowling.name, board.bowling.short) == ("Blue Hill", "BHL")
    assert (board.phase, board.innings, board.target) == ("live", 2, 153)
    on_strike = "striker" not in lacks
    assert board.batters == (Batter("Adam Stone", 41, 30, on_strike, 4, 1), Batter("Carl Ash", 7, 6, False, 1, 0))
    assert board.bowler == (None if "bowler" in lacks else Bowler("Ben Reed", "2.4", 19, 1, 0))
    assert board.this_over == (() if "this_over" in lacks else ("4", "wd", "0", "1", "1"))
    assert board.partnership == (None if "partnership" in lacks else Partnership(22, 17))
    assert board.result is None


def test_the_match_apis_shape_is_read_under_its_name() -> None:
    entry = {"inningScore": "101/4", "overs": "14.3"}
    answer = {"data": {"currScore": {"battingTeamName": "Red Valley", "teamScore": {"Red Valley": entry}}}}

    board = board_of(CurrScore(), answer)

    assert board.batting
    assert board.batting.runs == 101


@pytest.mark.parametrize(
    ("reader", "answer", "fault"),
    [
        (Own(), {"match": 1}, "`sport` is missing"),
        (CurrScore(), OWN, r"`data\.currScore` is missing"),
        (CricClubs(), {"error": "no"}, "`values` is missing"),
        (CricClubs(), {"values": {"view": 1}}, r"`values\.t1Name` is missing"),
        (CricApi(), {"status": "success", "data": None}, "`data` is missing"),
        (Cricbuzz(), {"message": "none"}, "`matchHeader` is missing"),
        (PlayCricket(), {"match_details": []}, "`match_details` is missing or empty"),
        (PlayCricket(), {"match_details": [{}]}, r"`match_details\[0\]\.home_club_name` is missing"),
    ],
)
def test_what_is_missing_is_named(reader: Any, answer: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        reader.read(json.dumps(answer).encode())


@pytest.mark.parametrize("reader", [Own(), CurrScore(), CricClubs(), CricApi(), Cricbuzz(), PlayCricket()])
@pytest.mark.parametrize("content", [b"", b"null", b"[]", b"<html>", b"\xff\xfe", b"[" * 100_000])
def test_an_answer_of_another_kind_is_a_fault(reader: Any, content: bytes) -> None:
    with pytest.raises(ValueError, match="JSON"):
        reader.read(content)


class TestCricClubs:
    def test_a_view_without_batters_keeps_those_of_the_last_full_view(self) -> None:
        reader = CricClubs()
        board_of(reader, CRICCLUBS)
        values = {key: value for key, value in CRICCLUBS["values"].items() if not key.startswith(("batsman", "bowler"))}
        values["t2Total"] = "100"

        board = board_of(reader, {**CRICCLUBS, "view": 4, "balls": [], "values": values})

        assert board.batting
        assert board.batting.runs == 100
        assert [batter.name for batter in board.batters] == ["Adam Stone", "Carl Ash"]
        assert board.this_over == ("4", "wd", "0", "1", "1")

    def test_the_break_is_told_by_a_second_innings_without_a_ball(self) -> None:
        over = changed(CRICCLUBS, values__t2Total="0", values__t2Wickets="0", values__t2Overs="0.0")

        board = board_of(CricClubs(), over)

        assert (board.phase, board.target) == ("innings_break", 153)
        assert board.batting
        assert (board.batting.name, board.batting.runs) == ("Blue Hill", 152)
        assert board.batters == ()

    def test_before_the_match_it_is_scheduled_though_the_toss_is_known(self) -> None:
        before = changed(CRICCLUBS, balls=[], isSecondInningsStarted=False, values__isSecondInningsStarted="false")
        nothing = {f"{key}Name": "" for key in ("batsman1", "batsman2", "bowler", "lastOut")}
        before["values"] |= nothing | {"t1Total": "0", "t1Wickets": "0", "t1Overs": "0.0"}

        board = board_of(CricClubs(), before)

        assert (board.phase, board.batters, board.target) == ("scheduled", (), None)
        assert board.toss

    def test_a_result_counts_only_when_the_match_has_ended(self) -> None:
        ended = changed(CRICCLUBS, values__isMatchEnded="1", values__result="Red Valley won by 5 Wickets")

        board = board_of(CricClubs(), ended)

        assert (board.phase, board.result) == ("finished", "Red Valley won by 5 Wickets")

    def test_a_super_over_swaps_the_sides_and_counts_balls(self) -> None:
        overs = {"isSuperOver": "true", "isSuperOverSecondInningsStarted": "false", "oversOrBalls": "BALLS"}
        sides = {"t1Name": "Red Valley", "t1Total": "8", "t1Wickets": "0", "t1Overs": "4", "t2Name": "Blue Hill"}
        tie = changed(CRICCLUBS)
        tie["values"] |= overs | sides | {"t2Total": "0", "t2Wickets": "0", "t2Overs": "0"}

        board = board_of(CricClubs(), tie)

        assert board.phase == "super_over"
        assert board.batting
        assert (board.batting.name, board.batting.runs, board.batting.overs) == ("Red Valley", 8, "0.4")
        assert board.target is None
        assert board.totals == ()

    def test_rain_gives_the_target_and_par(self) -> None:
        rain = changed(CRICCLUBS, values__isDls=True, values__revisedTarget=121, values__revisedOvers=16.0)

        board = board_of(CricClubs(), rain)

        assert (board.target, board.par) == (121, 88)
        assert board.revised
        assert (board.revised.overs, board.revised.target, board.revised.method) == (16, 121, "DLS")

    def test_when_the_over_ends_its_balls_go(self) -> None:
        assert board_of(CricClubs(), changed(CRICCLUBS, values__tOvers="13.0", values__t2Overs="13.0")).this_over == ()

    def test_who_is_out_and_nobody_are_not_drawn(self) -> None:
        fell = changed(CRICCLUBS, values__batsman1IsOut="1", values__bowlerID=0)

        board = board_of(CricClubs(), fell)

        assert [batter.name for batter in board.batters] == ["Carl Ash"]
        assert board.bowler is None

    @pytest.mark.parametrize(
        ("ball", "label"),
        [
            *((".", "0"), ("W", "W"), ("w", "W"), ("1W", "1W"), ("wd", "wd"), ("2wd", "2wd"), ("nb", "nb")),
            *(("7nb", "7nb"), ("1lb", "1lb"), ("2b", "2b"), ("6", "6"), ("1WD", "wd"), ("rtd", "rtd")),
        ],
    )
    def test_each_label_of_a_ball(self, ball: str, label: str) -> None:
        assert board_of(CricClubs(), changed(CRICCLUBS, balls=["1", ball])).this_over == ("1", label)

    def test_e_mail_addresses_in_rows_go_nowhere(self) -> None:
        row: dict[str, Any] = {"firstName": "Adam", "lastName": "Stone", "isOut": "1", "outStringNoLink": "c&b Reed"}
        row |= {"runsScored": 41, "ballsFaced": 30, "email": "adam@example.org"}

        match = CricClubs().read(json.dumps(changed(CRICCLUBS, values__t2Batting=[row])).encode())

        assert match["card"]["batting"][0]["name"] == "Adam Stone"
        assert match["card"]["batting"][0]["how_out"] == "c&b Reed"
        assert "example.org" not in repr(match)

    def test_names_lose_html_and_marks(self) -> None:
        board = board_of(CricClubs(), changed(CRICCLUBS, values__t2Name="Red&nbsp;Valley", values__t1Name="Blue Hill*"))

        assert board.batting
        assert board.bowling
        assert (board.batting.name, board.bowling.name, board.title) == ("Red Valley", "Blue Hill", "Valley & Hill Cup")


class TestCricApi:
    NOW = staticmethod(lambda: 1_781_360_000.0)  # on the day of the match

    def test_its_calls_that_are_left_are_told(self) -> None:
        reader = CricApi(self.NOW)
        board_of(reader, CRICAPI)

        assert reader.calls_left == 11_988

    @pytest.mark.parametrize(
        ("reason", "words", "pause_s"),
        [
            ("hits_today_exceeded_hits_limit", "the key's calls are spent", 3600),
            ("invalid_api_key", "does not accept the key", 600),
            ("maintenance", "the feed refuses: maintenance", None),
        ],
    )
    def test_a_refusal_with_status_200_is_one(self, reason: str, words: str, pause_s: int | None) -> None:
        reader = CricApi(self.NOW)
        answer = {"apikey": "not-a-key", "status": "failure", "reason": reason, "hitsToday": 106, "hitsLimit": 100}

        with pytest.raises(FeedError, match=words) as error:
            reader.read(json.dumps(answer).encode())

        assert error.value.retry_after_s == pause_s
        assert reader.calls_left == 0
        assert "not-a-key" not in str(error.value)

    def test_a_side_is_joined_by_its_whole_name(self) -> None:
        teams = ["Blue Hill Women", "Blue Hill"]
        score = [{"r": 5, "w": 0, "o": 1, "inning": "Blue Hill Inning 1"}]

        board = board_of(CricApi(self.NOW), changed(CRICAPI, data__teams=teams, data__score=score))

        assert board.batting
        assert board.bowling
        assert (board.batting.name, board.batting.overs, board.bowling.name) == ("Blue Hill", "1.0", "Blue Hill Women")

    def test_a_match_that_nobody_ended_is_not_live_for_ever(self) -> None:
        with pytest.raises(ValueError, match="nobody ended it"):
            CricApi(lambda: 1_781_360_000 + 2 * 86_400).read(json.dumps(CRICAPI).encode())

    @pytest.mark.parametrize(
        ("values", "phase"),
        [
            ({"data__matchStarted": False, "data__score": []}, "scheduled"),
            ({"data__score": [{"r": 90, "w": 10, "o": 15.2, "inning": "Blue Hill Inning 1"}]}, "innings_break"),
            ({"data__score": [{"r": 90, "w": 4, "o": 19.6, "inning": "Blue Hill Inning 1"}]}, "innings_break"),
            ({"data__matchEnded": True}, "finished"),
            ({"data__score": [*CRICAPI["data"]["score"], {"r": 8, "w": 0, "o": 1, "inning": "?"}]}, "super_over"),
        ],
    )
    def test_the_phase_follows_from_its_flags_not_from_its_prose(self, values: dict[str, Any], phase: str) -> None:
        board = board_of(CricApi(self.NOW), changed(CRICAPI, **values))

        assert board.phase == phase
        assert (board.result is not None) == (phase == "finished")

    def test_one_team_or_none_is_no_fault(self) -> None:
        board = board_of(CricApi(self.NOW), changed(CRICAPI, data__teams=["Red Valley"]))

        assert board.batting
        assert board.batting.name == "Red Valley"


class TestCricbuzz:
    def test_keys_in_lower_case_and_other_names_are_the_same(self) -> None:
        def lowered(value: Any) -> Any:
            if isinstance(value, dict):
                return {key.lower(): lowered(inside) for key, inside in value.items()}
            return [lowered(inside) for inside in value] if isinstance(value, list) else value

        third = lowered(CRICBUZZ)
        striker = {"id": "7", "name": "Adam Stone", "runs": "41", "balls": "30", "fours": "4", "sixes": "1"}
        bowler = {"id": "9", "name": "Ben Reed", "overs": "2.4", "maidens": "0", "runs": "19", "wickets": "1"}
        third["miniscore"] |= {"batsmanstriker": striker, "bowlerstriker": bowler}

        assert board_of(Cricbuzz(), third) == board_of(Cricbuzz(), CRICBUZZ)

    def test_nobody_is_id_0(self) -> None:
        nobody = {"batId": 0, "batName": "", "batRuns": 0}

        board = board_of(Cricbuzz(), changed(CRICBUZZ, miniscore__batsmanStriker=nobody))

        assert [batter.name for batter in board.batters] == ["Carl Ash"]

    def test_a_part_that_has_gone_is_named(self) -> None:
        reader, less = Cricbuzz(), changed(CRICBUZZ)
        del less["miniscore"]["batsmanStriker"]

        board_of(reader, less)
        assert [*reader.missing] == ["miniscore.batsmanStriker"]

        board_of(reader, CRICBUZZ)
        assert [*reader.missing] == []

    @pytest.mark.parametrize(
        ("header", "phase", "pause"),
        [
            ({"state": "Preview"}, "scheduled", None),
            ({"state": "Innings Break"}, "innings_break", None),
            ({"state": "Rain"}, "rain", None),
            ({"state": "Drinks"}, "live", "drinks"),
            ({"state": "In Progress", "complete": True}, "finished", None),
            ({"state": "Complete"}, "finished", None),
        ],
    )
    def test_its_state_and_the_end_before_all(self, header: dict[str, Any], phase: str, pause: str | None) -> None:
        board = board_of(Cricbuzz(), {**CRICBUZZ, "matchHeader": CRICBUZZ["matchHeader"] | header})

        assert (board.phase, board.pause) == (phase, pause)
        assert (board.result is not None) == (phase == "finished")
        assert board.batting
        assert (board.batting.runs is None) == (phase == "scheduled")

    def test_without_a_score_the_sides_stand_there(self) -> None:
        before = {"matchHeader": CRICBUZZ["matchHeader"] | {"state": "Upcoming", "tossResults": {}}}

        board = board_of(Cricbuzz(), before)

        assert {side.name for side in board.sides} == {"Red Valley", "Blue Hill"}
        assert board.phase == "scheduled"

    def test_wickets_that_are_left_out_are_none(self) -> None:
        board = board_of(Cricbuzz(), changed(CRICBUZZ, miniscore__batTeam={"teamId": 2, "teamScore": 5}))

        assert board.batting
        assert board.batting.wickets == 0

    @pytest.mark.parametrize(
        ("recent", "overs", "balls"),
        [
            ("W", 0.1, ("W",)),
            ("1 1 | ... Wd2 N1 N5", 3.0 + 0.1, ("2wd", "nb", "5nb")),
            ("0 1 | B1 L4 W1", 3.3, ("1b", "4lb", "1W")),
            ("0 1 | 1 1 1 1 1 1", 4.0, ()),
            ("0 1 | 1 1 1 1 1 1", 3.6, ()),
        ],
    )
    def test_this_over_is_what_stands_behind_the_last_bar(
        self, recent: str, overs: float, balls: tuple[str, ...]
    ) -> None:
        answer = changed(CRICBUZZ, miniscore__recentOvsStats=recent, miniscore__overs=overs)

        assert board_of(Cricbuzz(), answer).this_over == balls

    def test_the_innings_before_come_in_their_order(self) -> None:
        (total,) = board_of(Cricbuzz(), CRICBUZZ).totals

        assert (total.batting, total.runs, total.overs) == ("Blue Hill", 152, "20.0")

    def test_a_third_innings_of_twenty_overs_is_a_super_over(self) -> None:
        assert board_of(Cricbuzz(), changed(CRICBUZZ, miniscore__inningsId=3)).phase == "super_over"


class TestPlayCricket:
    def read(self, **values: Any) -> Scoreboard:
        return board_of(PlayCricket(), {"match_details": [changed(PLAY_CRICKET, **values)]})

    def test_before_the_match_both_sides_are_named_with_their_clubs(self) -> None:
        board = self.read()

        assert board.batting
        assert board.bowling
        assert (board.phase, board.batting.name, board.bowling.name) == (
            "scheduled",
            "Red Valley CC 1st XI",
            "Blue Hill CC 2nd XI",
        )

    @pytest.mark.parametrize("innings", [[FIRST | {"overs": "22.3"}], [FIRST, SECOND]])
    def test_an_innings_that_is_under_way_is_not_shown(self, innings: list[dict[str, Any]]) -> None:
        with pytest.raises(NothingToShow, match="not real-time"):
            self.read(innings=innings, result="P")

    @pytest.mark.parametrize(
        "first", [FIRST, FIRST | {"wickets": "10", "overs": "31.2"}, FIRST | {"declared": True, "overs": "35"}]
    )
    def test_between_the_innings_the_first_stands_with_its_card(self, first: dict[str, Any]) -> None:
        board = self.read(innings=[first], result="P")

        assert (board.phase, board.target) == ("innings_break", 186)
        assert board.batting
        assert board.batting.runs == 185
        assert board.card
        assert [row.status for row in board.card.batting] == ["out", "not_out", "retired_hurt", "yet_to_bat"]
        assert board.card.batting[0].how_out == "c Ed Elm b Ben Reed"
        assert board.card.extras
        assert board.card.extras.leg_byes == 4

    def test_after_the_match_the_winner_is_named(self) -> None:
        ended = {"result": "W", "result_applied_to": "202", "result_description": "Blue Hill CC - 2nd XI - Won"}

        board = self.read(innings=[FIRST, SECOND | {"runs": "186"}], **ended)

        assert (board.phase, board.winner) == ("finished", "Blue Hill CC 2nd XI")
        assert board.result == "Blue Hill CC - 2nd XI - Won"
        assert [total.runs for total in board.totals] == [185]

    def test_rain_gives_the_target_as_it_is(self) -> None:
        second = SECOND | {"revised_target_runs": "121"}

        assert self.read(innings=[FIRST, second], result="L", result_applied_to="101").target == 121
