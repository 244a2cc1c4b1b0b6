"""What a side is called and what it has made, in the words of the strip. Pure."""

from __future__ import annotations

from graphics.fonts import can_be_drawn
from scoring import cricket
from scoring.fields import NOT_SHOWN
from scoring.scoreboard import Scoreboard, Team


def called(team: Team) -> str:
    """The side's name, or a mark if none of its letters can be drawn."""
    return _drawable(team.name, team.short)


def short_of(team: Team) -> str:
    return _drawable(team.short)


def match_forms(board: Scoreboard) -> tuple[str, ...]:
    """Both sides by their names, and by their short names; "" when neither is known."""
    return (" v ".join(map(called, board.sides)), " v ".join(map(short_of, board.sides)))


def title_forms(board: Scoreboard) -> tuple[str, ...]:
    """The name by which people know the match."""
    return (board.title,) if board.title else match_forms(board)


def total_forms(board: Scoreboard, team: Team) -> tuple[str, ...]:
    """ "149/8", "120/3d", "287 all out", and the runs alone where that has no room."""
    if cricket.is_all_out(board, team):
        return (f"{team.runs} all out", f"{team.runs}")
    declared = "d" if team.declared else ""
    return (f"{team.runs}{declared}" if team.wickets is None else f"{team.runs}/{team.wickets}{declared}",)


def plain_overs(overs: str) -> str:
    """Complete overs without their ".0"."""
    return overs.removesuffix(".0")


def length(board: Scoreboard, balls: int) -> str:
    """ "4 overs", "1 over", "3.2 overs"; "63 balls" in a match of balls."""
    if cricket.is_in_balls(board):
        return f"{balls} ball" if balls == 1 else f"{balls} balls"
    overs = cricket.overs_of(balls, board.format.balls_per_over)
    return f"{overs} over" if overs == "1" else f"{overs} overs"


def _drawable(*names: str) -> str:
    return next((name for name in names if can_be_drawn(name, "bold")), NOT_SHOWN)
