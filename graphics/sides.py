"""What a side is called and what it has made, in the words of the strip. Pure."""

from __future__ import annotations

from graphics.fonts import can_be_drawn
from scoring import cricket
from scoring.fields import NOT_SHOWN
from scoring.scoreboard import Scoreboard, Team


def called(team: Team) -> str:
    """Its name; a mark when no letter of that can be drawn."""
    return _drawable(team.name, team.short)


def short_of(team: Team) -> str:
    return _drawable(team.short)


def match_forms(board: Scoreboard) -> tuple[str, ...]:
    """Both sides by their names, and by their short names; "" when neither is known."""
    return (" v ".join(map(called, board.sides)), " v ".join(map(short_of, board.sides)))


def is_all_out(team: Team) -> bool:
    return team.wickets == cricket.WICKETS_IN_ALL


def total_forms(team: Team) -> tuple[str, ...]:
    """ "149/8", "287 all out", and the runs alone where that has no room."""
    if is_all_out(team):
        return (f"{team.runs} all out", f"{team.runs}")
    return (f"{team.runs}" if team.wickets is None else f"{team.runs}/{team.wickets}",)


def plain_overs(overs: str) -> str:
    """Complete overs without their ".0"."""
    return overs.removesuffix(".0")


def in_overs(overs: str | int) -> str:
    """ "4 overs", "1 over", "3.2 overs"."""
    plain = plain_overs(str(overs))
    return f"{plain} over" if plain == "1" else f"{plain} overs"


def _drawable(*names: str) -> str:
    return next((name for name in names if can_be_drawn(name, "bold")), NOT_SHOWN)
