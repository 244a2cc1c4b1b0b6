"""What feeds have sent, poll after poll and pushed: what is right on screen, and nothing else."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from demo.match_feed import Answer, MatchFeed
from errors import InvalidField
from graphics.layout import canvas_of
from match_monitor import MatchMonitor
from media.profiles import PROFILES
from overlay import OverlayFile, Presenter
from scoring.events import Event
from scoring.match_api import MatchApi
from scoring.reading import read_push
from scoring.rundown import Rundown
from tests.feeds import Feed, batter, chase, current, score
from tests.waiting import FakeClock

TEN_AM = 1_767_261_600.0  # 2026-01-01T10:00:00Z


class Rig:
    """A match monitor with its overlay; polled and pushed to by hand."""

    def __init__(self, feed: MatchFeed, folder: Path) -> None:
        self.feed, self.clock = feed, FakeClock()
        self.started_at = self.clock()
        self.events: list[Event] = []
        self.stop = threading.Event()
        self.api = MatchApi(feed.url, "", "/match/{match_id}", self.stop)
        file = OverlayFile(folder / "overlay.png")
        self.presenter = Presenter(
            "m",
            canvas_of(PROFILES["720p30"]),
            file,
            Rundown(60, 300),
            "dark",
            self.stop,
            self.clock,
            on_moments=lambda events, _overs: self.events.extend(events),
        )
        self.monitor = MatchMonitor(
            "m",
            "data",
            self.api,
            self.presenter,
            1,
            self.stop,
            self.clock,
            wall_clock=lambda: TEN_AM + self.clock() - self.started_at,
        )

    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.presenter.step()

    def poll(self, state: Any) -> None:
        self.feed.data = state if isinstance(state, Answer) else Answer.of(state)
        self.monitor.poll()
        self.advance(1)

    def push(self, state: Feed) -> None:
        self.monitor.push(read_push(state))
        self.advance(1)

    @property
    def moments(self) -> list[tuple[str, str]]:
        minor = ("TEAM_FIFTY", "TEAM_HUNDRED", "STAND", "MAIDEN")
        return [(event.kind, event.who) for event in self.events if event.kind not in minor]

    @property
    def words(self) -> list[str]:
        """What stands on the strip once the banners are over."""
        self.advance(30)
        words: list[str] = self.presenter.on_screen["words"]
        return words

    @property
    def malformed(self) -> int:
        return self.monitor.polls["data"].failed.get("malformed", 0)


@pytest.fixture
def rig(feed: MatchFeed, tmp_path: Path) -> Iterator[Rig]:
    one = Rig(feed, tmp_path)
    yield one
    one.stop.set()
    assert one.monitor.join(10)
    one.api.close()


STONE, REED = "A Stone", "B Reed"
PAIR = [batter(STONE, 30, 36, 2, 1), batter(REED, 29, 36, 1)]
AT_60 = score(60, "12.0", batters=PAIR, this_over=[])
INTERVAL = score(149, "20.0", 8, status="innings_break", overs_limit=20, target=150)
OUT = {"name": STONE, "runs": 100, "balls": 99, "how_out": "c Longfellowshire-Hartington b Winterbottomley"}

# What is fed, and the moments that are proven.
MOMENTS: dict[str, tuple[list[Feed], list[tuple[str, str]]]] = {
    "four off a no-ball": (
        [AT_60, score(65, "12.0", batters=[batter(STONE, 34, 37, 3, 1), PAIR[1]], this_over=["5nb"])],
        [("FOUR", STONE)],
    ),
    **{
        f"six off a no-ball: {label}": (
            [AT_60, score(67, "12.0", batters=[batter(STONE, 36, 37, 2, 2), PAIR[1]], this_over=[label])],
            [("SIX", STONE)],
        )
        for label in ("7nb", "nb6", "nb+6", "6nb", "nb")
    },
    "four all run": (
        [AT_60, score(64, "12.1", batters=[batter(STONE, 34, 37, 2, 1), PAIR[1]], this_over=["4"])],
        [],
    ),
    "four leg byes that are called four": (
        [AT_60, score(64, "12.1", batters=[batter(STONE, 30, 37, 2, 1), PAIR[1]], this_over=["4"])],
        [],
    ),
    "two boundaries in one poll": (
        [
            score(60, "12.0", batters=PAIR, this_over=["1"]),
            score(
                71,
                "12.3",
                batters=[batter(REED, 35, 37, 1, 1), batter(STONE, 35, 38, 3, 1)],
                this_over=["1", "4", "1", "6"],
            ),
        ],
        [("FOUR", STONE), ("SIX", REED)],
    ),
    "two boundaries by nobody knows whom": (
        [
            score(60, "12.0", batters=[batter(STONE, 30, 36), batter(REED, 29, 36)], this_over=["1"]),
            score(68, "12.2", batters=[batter(REED, 33, 38), batter(STONE, 34, 36)], this_over=["1", "4", "4"]),
        ],
        [("FOUR", ""), ("FOUR", "")],
    ),
    "the first ball of an innings": (
        [
            INTERVAL,
            score(4, "0.1", this_over=["4"], batters=[batter("X Ash", 4, 1, 1)])
            | {
                "batting": {"name": "Blue Hill", "runs": 4, "wickets": 0, "overs": "0.1"},
                "bowling": {"name": "Red Valley", "runs": 149, "wickets": 8, "overs": "20.0"},
                "innings": 2,
                "target": 150,
                "overs_limit": 20,
            },
        ],
        [("FOUR", "X Ash")],
    ),
    "a wicket that was shown before the score went missing": (
        [score(101, "14.3", 4, this_over=["1", "W", "0"])] * 2,
        [],
    ),
    "the over's list comes back with one ball more": (
        [
            score(94, "14.2", 4, this_over=["1", "4"], batters=[batter(STONE, 12, 10)]),
            score(94, "14.2", 4, this_over=[], batters=[batter(STONE, 12, 10)]),
            score(95, "14.3", 4, this_over=["1", "4", "1"], batters=[batter(STONE, 13, 11)]),
        ],
        [],
    ),
    "w is a wide": (
        [
            {"sport": "cricket", "status": "scheduled", "batting": {"name": "Red Valley"}, "bowling": {"name": "B"}},
            score(1, "0.0", this_over=["w"]),
        ],
        [],
    ),
    "w is a wide though wickets have fallen": (
        [score(60, "12.2", 3, this_over=["1", "0"]), score(61, "12.2", 3, this_over=["1", "0", "w"])],
        [],
    ),
    "w is a wicket": (
        [score(60, "12.2", 3, this_over=["1", "0"]), score(60, "12.3", 4, this_over=["1", "0", "w"])],
        [("WICKET", "")],
    ),
    "a wicket": ([score(120, "15.0", 3), score(120, "15.1", 4, last_wicket=OUT, this_over=["W"])], [("WICKET", STONE)]),
    "a golden duck": (
        [
            score(120, "15.0", 3),
            score(120, "15.1", 4, last_wicket={"name": REED, "runs": 0, "balls": 1}, this_over=["W"]),
        ],
        [("WICKET", REED), ("DUCK", REED)],
    ),
    "the interval with a target that rain has lowered": (
        [
            score(196, "17.1", 6, overs_limit=20),
            score(196, "17.1", 6, status="innings_break", target=151, overs_limit=12),
        ],
        [("INNINGS", "Red Valley")],
    ),
    "the third innings of four with a target for the fourth": (
        [score(300, "80.0", 5) | {"innings": 3}, score(301, "80.1", 5, target=252) | {"innings": 3}],
        [],
    ),
    "scores level": ([chase(175, "19.5", 6, 177), chase(176, "20.0", 6, 177)], [("TIE", "")]),
    "short of the target": ([chase(174, "19.5", 6, 177), chase(174, "20.0", 6, 177)], [("WIN", "Blue Hill")]),
    "all out short of it": ([chase(100, "15.5", 9), chase(100, "16.0", 10)], [("WICKET", ""), ("WIN", "Blue Hill")]),
    "the target passed": ([chase(124, "15.5", 9), chase(128, "16.0", 9)], [("WIN", "Red Valley")]),
    "eight a side": (
        [
            chase(74, "9.5", 6, 90, format={"players": 8, "overs": 16}),
            chase(74, "10.0", 7, 90, format={"players": 8, "overs": 16}, this_over=["1", "W"]),
        ],
        [("WICKET", ""), ("WIN", "Blue Hill")],
    ),
    "a super over": (
        [
            chase(9, "0.3", 1, 16, status="super_over", overs_limit=1) | {"innings": 4},
            chase(9, "0.4", 2, 16, status="super_over", overs_limit=1) | {"innings": 4},
        ],
        [("WICKET", ""), ("WIN", "Blue Hill")],
    ),
    **{
        text: ([chase(120, "19.5", 8), chase(120, "20.0", 8, status="finished", result=text)], [told])
        for text, told in {
            "Red Valley v Blue Hill: match abandoned": ("RESULT", ""),
            "BLUE HILL WON BY 5 RUNS": ("WIN", "Blue Hill"),
            "Red Valley lost by 5 runs": ("WIN", "Blue Hill"),
            "Red Valley and Blue Hill tied": ("RESULT", ""),
            "Match drawn": ("RESULT", ""),
        }.items()
    },
    "the feed's own winner outranks its prose": (
        [
            chase(120, "19.5", 8),
            chase(120, "20.0", 8, status="finished", result="Red Valley fought well", winner="Blue Hill"),
        ],
        [("WIN", "Blue Hill")],
    ),
    "five wickets": (
        [
            score(60, "12.0", 5, bowler={"name": REED, "overs": "3.0", "runs": 9, "wickets": 4}),
            score(60, "12.1", 6, bowler={"name": REED, "overs": "3.1", "runs": 9, "wickets": 5}, this_over=["W"]),
        ],
        [("WICKET", ""), ("FIVE_FOR", REED)],
    ),
    "a hat-trick over two overs": (
        [
            score(60, "12.4", 5, bowler={"name": REED, "overs": "3.4", "runs": 9, "wickets": 1}),
            score(60, "12.5", 6, bowler={"name": REED, "overs": "3.5", "runs": 9, "wickets": 2}),
            score(60, "13.0", 7, bowler={"name": REED, "overs": "4.0", "runs": 9, "wickets": 3}),
            score(66, "14.0", 7, bowler={"name": "C Ash", "overs": "4.0", "runs": 30, "wickets": 0}),
            score(66, "14.1", 8, bowler={"name": REED, "overs": "4.1", "runs": 9, "wickets": 4}),
        ],
        [("WICKET", "")] * 3 + [("HAT_TRICK", REED)],
    ),
    "three wickets of which one was a run out": (
        [
            score(60, "12.4", 5, bowler={"name": REED, "overs": "3.4", "runs": 9, "wickets": 1}),
            score(60, "12.5", 6, bowler={"name": REED, "overs": "3.5", "runs": 9, "wickets": 2}),
            score(60, "13.0", 7, bowler={"name": REED, "overs": "4.0", "runs": 9, "wickets": 2}),
            score(60, "14.0", 7, bowler={"name": "C Ash", "overs": "4.0", "runs": 30, "wickets": 0}),
            score(60, "14.1", 8, bowler={"name": REED, "overs": "4.1", "runs": 9, "wickets": 3}),
        ],
        [("WICKET", "")] * 3,
    ),
}


@pytest.mark.parametrize("way", ["poll", "push"])
@pytest.mark.parametrize(("states", "expected"), MOMENTS.values(), ids=MOMENTS)
def test_the_moments_that_the_figures_prove(
    rig: Rig, way: str, states: list[Feed], expected: list[tuple[str, str]]
) -> None:
    for state in states:
        getattr(rig, way)(state)
    assert rig.moments == expected


DEVANAGARI = {"batting": {"name": "लाल घाटी", "runs": 120, "wickets": 8, "overs": "20.0"}}
# The last state that is fed, what must stand on the strip then, and what must not.
WORDS: dict[str, tuple[list[Feed], list[str], str]] = {
    "swapped at the break": (
        [
            score(149, "20.0", 8, overs_limit=20),
            score(0, "0.0", status="innings_break", target=150, overs_limit=20)
            | {
                "batting": {"name": "Blue Hill", "runs": 0, "wickets": 0, "overs": "0.0"},
                "bowling": {"name": "Red Valley", "runs": 149, "wickets": 8, "overs": "20.0"},
                "innings": 2,
            },
        ],
        ["INNINGS BREAK", "Blue Hill need 150 from 20 overs"],
        "Red Valley need",
    ),
    "swapped at the break, and no runs given": (
        [
            score(149, "20.0", 8, overs_limit=20),
            {
                "sport": "cricket",
                "status": "innings_break",
                "innings": 2,
                "target": 150,
                "overs_limit": 20,
                "batting": {"name": "Blue Hill"},
                "bowling": {"name": "Red Valley", "runs": 149, "wickets": 8, "overs": "20.0"},
            },
        ],
        ["INNINGS BREAK", "Blue Hill need 150 from 20 overs"],
        "Red Valley need",
    ),
    "a target before the sides change": (
        [current("148/8", "19.5"), current("149/8", "20.0", target=150)],
        ["149/8", "Target 150"],
        "need 1 ",
    ),
    "a lowered target before the sides change": (
        [current("148/8", "19.5"), current("149/8", "20.0", target=121)],
        ["149/8", "Target 121"],
        "need|win",
    ),
    "a chase that goes on": (
        [current("70/2", "10.0", target=150), current("71/2", "10.1", target=150)],
        ["71/2", "RV need", "79"],
        "Target",
    ),
    "eight a side": (
        [chase(74, "10.0", 7, 90, format={"players": 8, "overs": 16})],
        ["74", "all out 10 ov", "Blue Hill win"],
        "need",
    ),
    "The Hundred": (
        [
            score(95, "63", 4, target=141, overs_limit=100)
            | {"innings": 2, "bowling": {"name": "Blue Hill", "runs": 140, "wickets": 6, "overs": "100"}}
        ],
        ["63/100 balls", "RV need", "46", "37", "1.24"],
        "222|ov$",
    ),
    "The Hundred in its own words": (
        [
            {
                "sport": "cricket",
                "innings": 2,
                "target": 141,
                "format": {"balls": 100, "balls_per_over": 5},
                "batting": {"name": "Red Valley", "runs": 95, "wickets": 4, "balls": 63},
                "bowling": {"name": "Blue Hill", "runs": 140, "wickets": 6, "balls": 100},
            }
        ],
        ["63/100 balls", "46", "37"],
        "222|ov$",
    ),
    "overs of eight balls": (
        [chase(100, "10.7", 3, 126, format={"overs": 15, "balls_per_over": 8})],
        ["10.7/15 ov", "26", "33"],
        "x",
    ),
    "the second side leads": (
        [
            score(260, "70.0", 5, format={"innings_per_side": 2}, totals=[{"batting": "Blue Hill", "runs": 250}])
            | {"innings": 2}
        ],
        ["260/5", "Red Valley lead by 10"],
        "need",
    ),
    "the last innings of four": (
        [
            score(
                60,
                "20.0",
                2,
                totals=[
                    {"batting": "Blue Hill", "runs": 250, "wickets": 10},
                    {"batting": "Red Valley", "runs": 200, "wickets": 10},
                    {"batting": "Blue Hill", "runs": 151, "wickets": 4, "declared": True},
                ],
            )
            | {"innings": 4}
        ],
        ["60/2", "RV need", "142", "runs to win"],
        "x",
    ),
    "rain has taken overs from the chase": (
        [chase(60, "6.0", 2, 171, revised={"overs": 12, "target": 151, "method": "DLS"})],
        ["6/12 ov", "91", "36"],
        "111",
    ),
    "all spellings of a total: declared": ([current("119/3", "31.1"), current("120/3d", "31.2")], ["120/3d"], "119"),
    "all spellings of a total: dec": ([current("119/3", "31.1"), current("120-4 dec", "31.2")], ["120/4d"], "119"),
    "all spellings of a total: for": ([current("119/3", "31.1"), current("120 for 4", "31.2")], ["120/4"], "119"),
    "all spellings of a total: and": ([current("100/4", "31.1"), current("250 & 101/4", "31.2")], ["101/4"], "250"),
    "all spellings of a total: star": ([current("100/4", "31.1"), current("101/4*", "31.2")], ["101/4"], "x"),
    "all spellings of a total: all out": ([current("249/9", "31.1"), current("250 all out", "31.2")], ["250"], "249"),
    "labels": (
        [score(40, "5.0", 1, this_over=["2nb+4", "Wnb", "WKT", "5 pen", "noball", "FOUR", "4*", "W(ro)", "4+1nb"])],
        ["2nb+4", "W", "5p", "nb", "4", "4+1nb"],
        "…|Wnb|pen|noball|FOUR|ro",
    ),
    "a long how-out is shortened and its figures stay": (
        [score(120, "15.0", 3), score(120, "15.1", 4, last_wicket=OUT)],
        ["120/4"],
        "x",
    ),
}


@pytest.mark.parametrize("way", ["poll", "push"])
@pytest.mark.parametrize(("states", "there", "never"), WORDS.values(), ids=WORDS)
def test_what_stands_on_the_strip(rig: Rig, way: str, states: list[Feed], there: list[str], never: str) -> None:
    if way == "push" and "data" in states[0]:
        pytest.skip("only the project's own shape is pushed")
    for state in states:
        getattr(rig, way)(state)
    words = rig.words
    assert set(there) <= set(words)
    assert not [word for word in words if re.search(never, word)]


LIVE = score(101, "14.3", 4, this_over=["1", "W", "0"])
LOST: dict[str, Any] = {
    "no score": {"sport": "cricket", "status": "live", "innings": 1, "batting": {"name": "Red Valley"}},
    "data not found": current("Data Not Found", "Data Not Found"),
    "an empty score": current("", ""),
    "null": None,
    "a negative score": score(-5, "14.3", -1),
    "a score that is no number": score(0, "14.3") | {"batting": {"name": "Red Valley", "runs": float("nan")}},
    "infinity": score(0, "14.3") | {"batting": {"name": "Red Valley", "runs": float("inf")}},
    "a number that is too large": score(10**30, "14.3", 4),
    "text": {"sport": "cricket", "batting": {"name": "Red Valley", "runs": "many", "wickets": 4}},
    "an innings' worth of runs": score(601, "14.4", 4),
    "overs of nine balls": score(102, "14.9", 4),
    "a list": [1, 2],
    "scheduled again": {"sport": "cricket", "status": "scheduled", "batting": {"name": "Red Valley"}},
}


@pytest.mark.parametrize("lost", LOST.values(), ids=LOST)
def test_the_last_good_score_stands_and_ages(rig: Rig, lost: Any) -> None:
    rig.poll(LIVE)
    for _ in range(4):
        rig.poll(lost)
    assert rig.malformed == 4
    assert rig.monitor.trouble
    assert {"RV", "BH", "101/4", "14.3 overs", "1", "W"} <= set(rig.words)
    rig.advance(30)
    assert rig.clock() - (rig.monitor.score_at or 0) > 60, "it ages"
    rig.poll(LIVE)
    assert rig.moments == []
    assert rig.monitor.trouble is None


@pytest.mark.parametrize(
    "reset",
    [
        score(0, "0.0", this_over=[]),
        score(100, "14.2", 4, this_over=["1", "W"]),
        score(149, "20.0", 8) | {"batting": {"name": "Gold Coast"}, "bowling": {"name": "Silver Bay"}},
    ],
    ids=["reset to nothing", "an older state", "another match"],
)
def test_a_state_that_goes_back_for_a_poll_is_not_shown(rig: Rig, reset: Feed) -> None:
    rig.poll(LIVE)
    before = rig.words
    for _ in range(3):
        rig.poll(reset)
        rig.poll(LIVE)
    assert rig.moments == []
    assert rig.words == before


def test_one_that_is_repeated_is_a_correction(rig: Rig) -> None:
    rig.poll(LIVE)
    for _ in range(10):
        rig.poll(score(99, "14.3", 3))
    assert "99/3" in rig.words
    assert rig.moments == []


def test_a_total_that_goes_back_while_the_balls_go_on_is_no_older_state(rig: Rig) -> None:
    rig.poll(current("119/3", "31.1"))
    rig.poll(current("101-4 dec", "31.2"))
    assert "101/4d" in rig.words
    assert rig.moments == []


@pytest.mark.parametrize("way", ["poll", "push"])
def test_a_feed_of_two_servers_shows_the_newer_state(rig: Rig, way: str) -> None:
    old = score(100, "14.2", 4, this_over=["1", "0"], updated_at="2026-01-01T10:00:00Z")
    new = score(101, "14.4", 5, this_over=["1", "0", "1", "W"], updated_at="2026-01-01T10:00:40Z")
    for state in (old, new, old, new, old):
        getattr(rig, way)(state)
        rig.presenter.step()
    assert rig.moments == [("WICKET", "")]
    assert "101/5" in rig.words


def test_a_state_is_as_old_as_it_says(rig: Rig) -> None:
    for _ in range(3):
        rig.poll(score(101, "14.3", 4, updated_at="2026-01-01T08:00:00Z"))
    assert rig.presenter.on_screen["mark"] == "Score 120 min old"
    assert "101/4" in rig.presenter.on_screen["words"]
    assert rig.clock() - (rig.monitor.score_at or 0) >= 7200


def test_at_a_break_it_holds(rig: Rig) -> None:
    rig.poll(score(149, "20.0", 8, status="innings_break", updated_at="2026-01-01T08:00:00Z"))
    assert rig.presenter.on_screen["mark"] is None


@pytest.mark.parametrize("way", ["poll", "push"])
def test_a_side_renamed_in_mid_innings_stays_one_side(rig: Rig, way: str) -> None:
    names = ("Red Valley", "RED VALLEY", "Data Not Found", "Red Valley CC", "Red Valley")
    for ball, name in enumerate(names, 1):
        state = score(100 + ball, f"14.{ball}", 4) | {
            "batting": {"name": name, "runs": 100 + ball, "wickets": 4, "overs": f"14.{ball}"}
        }
        del state["innings"]
        getattr(rig, way)(state)
        if way == "poll":
            assert rig.presenter.on_screen["words"][0] == "RV"
    assert rig.moments == []
    assert "105/4" in rig.words


def test_a_late_poll_of_the_innings_before_reopens_nothing(rig: Rig) -> None:
    first = current("149/8", "20.0")
    second = current("4/0", "0.1", "Blue Hill", bowlingTeamName="Red Valley")
    for state in (current("148/8", "19.5"), first, *[second] * 8, first, first, second, first, second):
        rig.poll(state)
    assert "4/0" in rig.words
    assert [kind for kind, _ in rig.moments] == ["INNINGS"]


@pytest.mark.parametrize(("runs", "told"), [(-5, "from 0 to 9999"), ("many", "whole number"), (10**30, "9999")])
def test_a_push_of_what_cannot_be_right_is_refused_by_its_field(runs: Any, told: str) -> None:
    with pytest.raises(InvalidField, match=rf"^batting\.runs must be .*{told}"):
        read_push(score(runs, "14.3"))


def test_a_figure_of_a_player_that_cannot_be_right_is_left_out_and_counted(rig: Rig) -> None:
    rig.poll(LIVE)
    rig.poll(score(102, "14.4", 4, batters=[{"name": STONE, "runs": -3, "balls": 5}]))
    assert {"102/4", STONE} <= set(rig.presenter.on_screen["words"])
    assert rig.malformed == 1
    assert rig.monitor.trouble == "a figure is left out: batters[0].runs is -3, not a whole number from 0 to 9999"
