"""What follows from a scoreboard by the laws of cricket: balls, rates, who chases, how it ended. Pure.

Every function gives None when the scoreboard does not say enough: nothing is
guessed, the number of overs least of all. How long an innings is and how many
bat is always asked of the scoreboard's `Format`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from scoring.results import is_side
from scoring.scoreboard import Batter, Bowler, Format, Scoreboard, Team, Total

SUPER_OVER_WICKETS = 2


@dataclass(frozen=True)
class Chase:
    """Runs that the chasing side still needs, and balls it has left where the overs are known."""

    runs: int
    balls: int | None


@dataclass(frozen=True)
class Finish:
    """The result by the figures: `winner` is None for a tie."""

    winner: Team | None


def balls_of(overs: str | None, balls_per_over: int) -> int | None:
    """Legal balls of overs as cricket writes them: "14.3" is 87 with six balls an over."""
    if overs is None:
        return None
    whole, _, balls = overs.partition(".")
    return int(whole) * balls_per_over + int(balls or 0)


def overs_of(balls: int, balls_per_over: int) -> str:
    """Balls as overs, complete overs without ".0": "14.3", "15"."""
    whole, rest = divmod(balls, balls_per_over)
    return f"{whole}.{rest}" if rest else f"{whole}"


def is_in_balls(board: Scoreboard) -> bool:
    """True in a match that counts balls and not overs, as The Hundred does."""
    return board.format.balls is not None


def team_balls(board: Scoreboard, team: Team | None) -> int | None:
    """Legal balls of a side's innings."""
    if team is None:
        return None
    return team.balls if team.balls is not None else balls_of(team.overs, board.format.balls_per_over)


def balls_bowled(board: Scoreboard) -> int | None:
    return team_balls(board, board.batting)


def bowler_balls(board: Scoreboard) -> int | None:
    bowler = board.bowler
    if bowler is None:
        return None
    return bowler.balls if bowler.balls is not None else balls_of(bowler.overs, board.format.balls_per_over)


def wickets_in_all(board: Scoreboard) -> int:
    """The number of wickets at which the batting side is all out."""
    return SUPER_OVER_WICKETS if board.phase == "super_over" else board.format.wickets


def is_all_out(board: Scoreboard, team: Team) -> bool:
    """True when the batting side has no wicket left, or the other side had none when it had batted."""
    return team.wickets is not None and team.wickets >= wickets_in_all(board)


def innings_limit(board: Scoreboard) -> int | None:
    """Legal balls that the present innings has in all."""
    shape = board.format
    if board.phase == "super_over":
        return shape.balls_per_over if shape.overs in (None, 1) else None
    revised = _revised_overs(board)
    if revised is not None:
        return revised * shape.balls_per_over
    if shape.balls is not None:
        return shape.balls
    return None if shape.overs is None else shape.overs * shape.balls_per_over


def _revised_overs(board: Scoreboard) -> int | None:
    """Overs that rain has left; those that come with a target are the second side's."""
    revised = board.revised
    if revised is None or revised.target is None:
        return None if revised is None else revised.overs
    number = innings_number(board)
    has_other_side_batted = board.bowling is not None and bool(board.bowling.runs)
    return revised.overs if (has_other_side_batted if number is None else number % 2 == 0) else None


def balls_left(board: Scoreboard) -> int | None:
    bowled, limit = balls_bowled(board), innings_limit(board)
    if bowled is None or limit is None:
        return None
    left = limit - bowled
    return left if left >= 0 else None


def innings_cannot_go_on(board: Scoreboard) -> bool:
    """True when by the figures alone the batting side cannot bat on: all out, no ball left, declared."""
    batting = board.batting
    if batting is None or batting.runs is None:
        return False
    return is_all_out(board, batting) or balls_left(board) == 0 or batting.declared


def innings_is_over(board: Scoreboard) -> bool:
    """True when the batting side cannot bat on, or the feed says that the innings or the match is over."""
    has_score = board.batting is not None and board.batting.runs is not None
    return has_score and (innings_cannot_go_on(board) or board.phase in ("innings_break", "finished"))


# Which innings this is, and which side chases


def earlier_totals(board: Scoreboard) -> tuple[Total, ...]:
    """The innings before the present one; some feeds list the present one among them."""
    totals, batting = board.totals, board.batting
    if board.innings is not None:
        return totals[: board.innings - 1]
    if totals and batting and is_side(totals[-1].batting, batting) and totals[-1].runs in (batting.runs, None):
        return totals[:-1]
    return totals


def innings_per_side(board: Scoreboard) -> int | None:
    """1 or 2; None where neither the feed nor the figures say so."""
    if board.format.innings_per_side is not None:
        return board.format.innings_per_side
    if board.phase == "super_over":
        return 1
    number = innings_number(board)
    earlier = earlier_totals(board)
    if (number is not None and number > 2) or any(total.follow_on or total.declared for total in earlier):
        return 2
    sides = [total.batting for total in earlier]
    batting = board.batting
    if batting and (batting.declared or any(is_side(side, batting) for side in sides)):
        return 2
    is_limited = board.format.overs is not None or board.format.balls is not None
    return 1 if is_limited or (board.revised and board.revised.overs) else None


def innings_number(board: Scoreboard) -> int | None:
    """1 for the first innings of the match; None when nothing says so."""
    if board.innings is not None:
        return board.innings
    if board.totals:
        return len(earlier_totals(board)) + 1
    batting, bowling = board.batting, board.bowling
    if board.batting_first and batting and bowling and board.format.innings_per_side != 2:
        return 1 if is_side(board.batting_first, batting) else 2
    return None


def chasing_side(board: Scoreboard) -> Team | None:
    """The side that bats last, as soon as the innings before is over; None while that is not known.

    Judged by who batted first, the number of the innings, and the totals: that there is a target says nothing,
    for it is there before the sides have changed places.
    """
    batting, bowling = board.batting, board.bowling
    if board.sport != "cricket" or batting is None:
        return None
    number, each = innings_number(board), innings_per_side(board)
    if board.phase == "super_over":
        if number is None:
            return batting if bowling and bowling.runs is not None else None
        return batting if number % 2 == 0 else _after(board)
    if each == 1 or (each is None and (number or 1) <= 2):
        return _second_to_bat(board, number, is_known=each == 1)
    last = 2 * (each or 2)
    if number == last:
        return batting
    return _after(board) if number == last - 1 else None


def _second_to_bat(board: Scoreboard, number: int | None, is_known: bool) -> Team | None:
    """In a match of one innings a side; in one that may be such only with a target."""
    batting, bowling = board.batting, board.bowling
    has_target = board.target is not None or (board.revised is not None and board.revised.target is not None)
    if batting is None or not (is_known or has_target):
        return None
    if board.batting_first is not None:
        has_first = is_side(board.batting_first, batting)
        return batting if not has_first else bowling if number == 2 else _after(board)
    changing = _while_the_sides_change(board, number)
    if changing is not None:
        return changing
    if number is not None:
        return _after(board) if number == 1 else batting
    if bowling is not None and bowling.runs:
        return batting
    return bowling if _has_made_the_target(board) else None


def _while_the_sides_change(board: Scoreboard, number: int | None) -> Team | None:
    """At a break the feed may have changed the sides, or the number, already or not yet: who has no runs is to bat."""
    batting, bowling = board.batting, board.bowling
    if board.phase not in ("innings_break", "rain") or batting is None or bowling is None:
        return None
    if not batting.runs and bowling.runs:
        return batting
    if board.phase != "innings_break" or not batting.runs or bowling.runs:
        return None
    return bowling if number != 2 or _has_made_the_target(board) else None


def _after(board: Scoreboard) -> Team | None:
    """The side that bats next, once the innings of the one that bats now is over."""
    return board.bowling if innings_is_over(board) or _has_made_the_target(board) else None


def _has_made_the_target(board: Scoreboard) -> bool:
    """The target is one more than the batting side has: it is the one that it has set."""
    batting = board.batting
    return batting is not None and batting.runs is not None and board.target == batting.runs + 1


# Chase, lead, result


def target(board: Scoreboard) -> int | None:
    """Runs with which the chasing side wins: as the feed says, else one more than the other side has made."""
    if board.revised and board.revised.target:
        return board.revised.target
    if board.target is not None:
        return board.target or None
    side = chasing_side(board)
    if side is None or innings_per_side(board) != 2:
        return None  # of one innings a side it is the feed that knows whether rain has changed it
    own, others = _runs_before(board, side), _runs_before(board, _other(board, side))
    if own is None or others is None or board.batting is None:
        return None
    if side is not board.batting:
        others += board.batting.runs or 0
    wanted = others - own + 1
    return wanted if wanted > 0 else None


def chase(board: Scoreboard) -> Chase | None:
    """What the batting side needs to win; None unless it is the one that chases, and can still win."""
    side = board.batting
    if side is None or chasing_side(board) is not side or innings_cannot_go_on(board):
        return None
    return _still_needed(board, side.runs, balls_left(board))


def coming_chase(board: Scoreboard) -> tuple[Team, Chase] | None:
    """Between the last two innings: the side that will chase, and what it needs from how many balls."""
    side = chasing_side(board)
    if side is None or (board.phase not in ("innings_break", "rain") and side is board.batting):
        return None
    if side is board.batting and innings_cannot_go_on(board):
        return None
    has_begun = side is board.batting and balls_bowled(board) is not None
    limit = balls_left(board) if has_begun else _limit_of_the_chase(board)
    needed = _still_needed(board, side.runs or 0, limit)
    return (side, needed) if needed else None


def _limit_of_the_chase(board: Scoreboard) -> int | None:
    if board.revised and board.revised.overs is not None:
        return board.revised.overs * board.format.balls_per_over
    return innings_limit(board)


def _still_needed(board: Scoreboard, runs: int | None, balls: int | None) -> Chase | None:
    wanted = target(board)
    if wanted is None or runs is None or runs >= wanted:
        return None
    return Chase(wanted - runs, balls)


def lead(board: Scoreboard) -> int | None:
    """Runs by which the batting side leads (below 0: trails) in a match of two innings a side; None in its last."""
    batting = board.batting
    number = innings_number(board)
    if innings_per_side(board) != 2 or batting is None or batting.runs is None or number in (None, 1):
        return None
    if chasing_side(board) is batting:
        return None
    own, others = _runs_before(board, batting), _runs_before(board, board.bowling)
    return None if own is None or others is None else own + batting.runs - others


def _runs_before(board: Scoreboard, side: Team | None) -> int | None:
    """Runs of a side in the innings before the present one; of the fielding side all that it has made."""
    if side is None:
        return None
    totals = earlier_totals(board)
    if len(totals) != (innings_number(board) or 0) - 1:
        return None
    made = [0 if total.forfeited else total.runs for total in totals if is_side(total.batting, side)]
    return None if None in made else sum(runs for runs in made if runs is not None)


def _other(board: Scoreboard, side: Team) -> Team | None:
    return board.bowling if side is board.batting else board.batting


def target_is_reached(board: Scoreboard) -> bool:
    """True when the side that chases has made the runs."""
    side, wanted = board.batting, target(board)
    if side is None or side.runs is None or wanted is None or chasing_side(board) is not side:
        return False
    return side.runs >= wanted


def finish(board: Scoreboard) -> Finish | None:
    """How the match has ended by its figures: target passed, or all out or no ball left and short of it, or level.

    None while it goes on, and where the figures do not prove an end: a match that rain ended has no result here.
    """
    batting, wanted = board.batting, target(board)
    if is_innings_defeat(board):
        return Finish(board.bowling)
    if batting is None or batting.runs is None or wanted is None or chasing_side(board) is not batting:
        return None
    if batting.runs >= wanted:
        return Finish(batting)
    # A match of two innings a side that runs out of time is drawn. Only the feed knows that.
    is_out_of_balls = balls_left(board) == 0 and innings_per_side(board) != 2
    if not is_all_out(board, batting) and not is_out_of_balls:
        return None
    return Finish(None if batting.runs == wanted - 1 else board.bowling)


def is_innings_defeat(board: Scoreboard) -> bool:
    """All out in its second innings and still behind what the other side made in its first."""
    batting = board.batting
    if batting is None or not is_all_out(board, batting) or innings_number(board) != 3:
        return False
    behind = lead(board)
    return behind is not None and behind < 0 and len({total.batting for total in earlier_totals(board)}) == 2


# Rates


def current_run_rate(board: Scoreboard, team: Team | None) -> float | None:
    """Runs an over; runs a ball in a match of balls."""
    return None if team is None else _rate(board.format, team.runs, team_balls(board, team))


def required_run_rate(board: Scoreboard) -> float | None:
    needed = chase(board)
    return _rate(board.format, needed.runs, needed.balls) if needed else None


def strike_rate(batter: Batter) -> float | None:
    """Runs a hundred balls."""
    if batter.runs is None or not batter.balls:
        return None
    return 100 * batter.runs / batter.balls


def economy(board: Scoreboard, bowler: Bowler | None) -> float | None:
    """Runs given an over; a ball in a match of balls."""
    return None if bowler is None else _rate(board.format, bowler.runs, bowler_balls(replace(board, bowler=bowler)))


def _rate(shape: Format, runs: int | None, balls: int | None) -> float | None:
    if runs is None or not balls:
        return None
    return (1 if shape.balls is not None else shape.balls_per_over) * runs / balls
