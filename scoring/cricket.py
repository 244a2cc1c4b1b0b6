"""What follows from a scoreboard by the laws of cricket: balls, rates, the chase. Pure.

Every function gives None when the scoreboard does not say enough: nothing is
guessed, the number of overs least of all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from scoring.scoreboard import BALLS_PER_OVER, Batter, Bowler, Scoreboard, Team

WICKETS_IN_ALL = 10
BALL_KINDS = ("wicket", "wide", "no_ball", "bye", "four", "six", "dot", "runs")
_KINDS = (
    ("wide", re.compile(r"\d*\+?(w|wd|wide)\+?\d*", re.IGNORECASE)),
    ("no_ball", re.compile(r"\d*\+?nb?\+?\d*", re.IGNORECASE)),
    ("bye", re.compile(r"\d*\+?(l?b|p)\+?\d*", re.IGNORECASE)),
    ("four", re.compile(r"4")),
    ("six", re.compile(r"6")),
    ("dot", re.compile(r"0|\.|•|-")),
)
# "W" is a wicket, also with runs ("1W"); "1w" is a wide.
_WICKET = re.compile(r"\d*\+?(W|WK|wk|wkt|out|Out|OUT)\+?\d*|w")


@dataclass(frozen=True)
class Chase:
    """Runs that the batting side still needs, and balls it has left where the overs are known."""

    runs: int
    balls: int | None


def ball_kind(label: str) -> str:
    """One of BALL_KINDS for a delivery's label ("W", "wd", "5nb", "1lb", "4", "0")."""
    if _WICKET.fullmatch(label):
        return "wicket"
    return next((kind for kind, pattern in _KINDS if pattern.fullmatch(label)), "runs")


def balls_of(overs: str | None) -> int | None:
    """Legal balls of overs as cricket writes them: "14.3" is 87."""
    if overs is None:
        return None
    whole, _, balls = overs.partition(".")
    return int(whole) * BALLS_PER_OVER + int(balls or 0)


def balls_bowled(board: Scoreboard) -> int | None:
    return balls_of(board.batting.overs) if board.batting else None


def balls_left(board: Scoreboard) -> int | None:
    bowled = balls_bowled(board)
    if bowled is None or board.overs_limit is None:
        return None
    left = board.overs_limit * BALLS_PER_OVER - bowled
    return left if left >= 0 else None


def innings_is_over(board: Scoreboard) -> bool:
    """True when the batting side cannot bat on: all out, no ball left, or the feed says so."""
    batting = board.batting
    if batting is None or batting.runs is None:
        return False
    return batting.wickets == WICKETS_IN_ALL or balls_left(board) == 0 or board.phase in ("innings_break", "finished")


def current_run_rate(team: Team) -> float | None:
    """Runs an over of six balls."""
    return _per_over(team.runs, balls_of(team.overs))


def required_run_rate(board: Scoreboard) -> float | None:
    needed = chase(board)
    return _per_over(needed.runs, needed.balls) if needed else None


def chase(board: Scoreboard) -> Chase | None:
    """What is left to win; None without a target, or when it is reached or out of reach for want of balls."""
    if board.target is None or board.batting is None or board.batting.runs is None:
        return None
    runs, balls = board.target - board.batting.runs, balls_left(board)
    if runs <= 0 or balls == 0 or board.batting.wickets == WICKETS_IN_ALL:
        return None
    return Chase(runs, balls)


def target_is_reached(board: Scoreboard) -> bool:
    runs = board.batting.runs if board.batting else None
    return board.target is not None and runs is not None and runs >= board.target > 0


def strike_rate(batter: Batter) -> float | None:
    """Runs a hundred balls."""
    if batter.runs is None or not batter.balls:
        return None
    return 100 * batter.runs / batter.balls


def economy(bowler: Bowler) -> float | None:
    """Runs given an over."""
    return _per_over(bowler.runs, balls_of(bowler.overs))


def _per_over(runs: int | None, balls: int | None) -> float | None:
    return None if runs is None or not balls else BALLS_PER_OVER * runs / balls
