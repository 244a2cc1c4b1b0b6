"""Which of a feed's states are believed: the last good score stands until a better one has come. Pure.

A feed loses its score for a poll, answers an older state from another server, renames a side in
mid-innings, or sends figures that cannot follow. `Continuity` lets none of that on air, yet what is
repeated is a correction and passes. Times are of one monotonic clock, in seconds.
"""

from __future__ import annotations

from dataclasses import replace

from errors import FeedError
from scoring.cricket import balls_bowled, finish, innings_is_over, innings_per_side, target
from scoring.fields import is_placeholder
from scoring.results import is_side
from scoring.scoreboard import Scoreboard, Team

CORRECTION_S = 6.0  # a lower score is a correction if nothing else came for this long
JUMP_S = 60.0  # the same for a score that cannot follow from the last one
MOST_RUNS_A_BALL = 12  # seven off a no-ball and a few more: a feed's overs may lag
RUNS_BESIDE_THE_BALLS = 24
RUNS_A_SECOND = 0.5  # while the feed was away
WICKETS_BESIDE_THE_BALLS = 2


def is_same_innings(before: Scoreboard, after: Scoreboard) -> bool:
    """True if both belong to the same innings, even if the feed spells the side differently."""
    one, other = before.batting, after.batting
    if one is None or other is None:
        return False
    if _has_swapped(before, after):
        return False
    if before.innings is not None and after.innings is not None:
        return before.innings == after.innings
    if is_side(one.name, other) or is_placeholder(other.name):
        return True
    has_same_fielders = (
        before.bowling is not None and after.bowling is not None and (is_side(before.bowling.name, after.bowling))
    )
    return has_same_fielders and one.runs is not None and other.runs is not None and not goes_back(before, after)


def is_next_innings(before: Scoreboard, after: Scoreboard) -> bool:
    if before.batting is None or after.batting is None or is_same_innings(before, after):
        return False
    if before.innings is not None and after.innings is not None and before.innings != after.innings:
        return before.innings < after.innings
    return True


def _has_swapped(before: Scoreboard, after: Scoreboard) -> bool:
    """True if the side that fielded bats now."""
    one, fielders, other = before.batting, before.bowling, after.batting
    if one is None or fielders is None or other is None:
        return False
    return is_side(fielders.name, other) and not is_side(one.name, other)


def is_correction(before: Scoreboard, after: Scoreboard) -> bool:
    """True when the score of the same innings went back: fewer runs, wickets or balls."""
    return before.sport == "cricket" and is_same_innings(before, after) and goes_back(before, after)


def goes_back(before: Scoreboard, after: Scoreboard) -> bool:
    """True if runs, wickets or balls are fewer than before."""
    return any(now < was for was, now in _figures(before, after))


def _may_be_older(before: Scoreboard, after: Scoreboard) -> bool:
    """No figure is higher and one is lower: so was the score at some time before."""
    pairs = _figures(before, after)
    return any(now < was for was, now in pairs) and not any(now > was for was, now in pairs)


def _figures(before: Scoreboard, after: Scoreboard) -> list[tuple[int, int]]:
    """Runs, wickets and balls of both, where both are known."""
    one, other = before.batting, after.batting
    if one is None or other is None:
        return []
    pairs = (
        (one.runs, other.runs),
        (one.wickets, other.wickets),
        (balls_bowled(before), balls_bowled(after)),
    )
    return [(was, now) for was, now in pairs if was is not None and now is not None]


class Continuity:
    """One match's states in the order in which they are heard; one thread at a time."""

    def __init__(self) -> None:
        self._last: Scoreboard | None = None
        self._last_at = 0.0
        self._was_pushed = False
        self._asked: Scoreboard | None = None  # the last accepted state, as it came
        self._doubted_at: float | None = None
        self._batted_first: str | None = None
        self._have_batted: tuple[str, ...] = ()

    def admit(self, board: Scoreboard, now: float, is_pushed: bool = False) -> Scoreboard:
        """The state to show: this one, completed by what is known already, or the last good one.

        A push is a person's word and passes at once, unless it is older than the last by its own `updated_at`.
        Raises FeedError (kind `malformed`) for one that cannot be right; the last good one stands.
        """
        last = self._last
        if last is not None and board is self._asked and self._doubted_at is None and is_pushed == self._was_pushed:
            self._last_at = now  # the same answer again
            return last
        handed_in = board
        if last is None or last.sport != "cricket" or board.sport != "cricket":
            return self._accept(board, handed_in, now, is_pushed)
        # What is asked again after a push has gone quiet is not judged by the push.
        is_free = is_pushed or self._was_pushed
        board = self._scored(last, _named(last, board, is_free), is_free)
        fault = None if is_free else self._what_cannot_follow(last, board, now)
        if fault is None and not self._is_behind(last, board, is_free):
            return self._accept(board, handed_in, now, is_pushed)
        if self._doubted_at is None:
            self._doubted_at = now
        elif now - self._doubted_at >= (JUMP_S if fault else CORRECTION_S):
            return self._accept(board, handed_in, now, is_pushed)
        if fault:
            raise FeedError("malformed", fault)
        return last

    def _accept(self, board: Scoreboard, handed_in: Scoreboard, now: float, is_pushed: bool) -> Scoreboard:
        last, self._doubted_at, self._was_pushed, self._asked = self._last, None, is_pushed, handed_in
        if last is not None and _is_another_match(last, board):
            self._batted_first, self._have_batted = None, ()
        elif last is not None:
            self._learn(last, board)
        if board.batting_first is None and self._batted_first is not None:
            board = replace(board, batting_first=self._batted_first)
        self._last, self._last_at = board, now
        return board

    def _learn(self, last: Scoreboard, board: Scoreboard) -> None:
        """Who batted first, from the change of innings, or from a side that bats on though a target is there."""
        one, other = last.batting, board.batting
        if one is None or other is None:
            return
        if is_next_innings(last, board) and one.runs is not None:
            if not self._have_batted and last.innings in (None, 1):
                self._batted_first = one.name
            self._have_batted += (one.name,)
        elif self._batted_first is None and board.bowling and not board.innings and _bats_on_with_a_target(last, board):
            self._batted_first = board.bowling.name

    def _scored(self, last: Scoreboard, board: Scoreboard, is_pushed: bool) -> Scoreboard:
        """With the last good score where this state of the same innings has none."""
        one, other = last.batting, board.batting
        if one is None or one.runs is None or (other is not None and other.runs is not None):
            return board
        if other is None or not is_same_innings(last, board) or board.phase == "scheduled":
            if not is_pushed and board.phase in ("live", "scheduled") and not _has_swapped(last, board):
                raise FeedError(
                    "malformed", "the match API's answer holds no score any more; the last good one is shown"
                )
            return board
        if not is_pushed and board.phase == "live":
            raise FeedError("malformed", "batting.runs is missing; the last good score is shown")
        side = replace(other, runs=one.runs, wickets=one.wickets, overs=one.overs, balls=one.balls)
        return replace(board, batting=side)

    def _is_behind(self, last: Scoreboard, board: Scoreboard, is_pushed: bool) -> bool:
        """True for a state that is older than the last one, as far as anything says so."""
        if last.updated_at is not None and board.updated_at is not None and last.updated_at != board.updated_at:
            return board.updated_at < last.updated_at
        if is_pushed:
            return False
        if _is_another_match(last, board) or (is_same_innings(last, board) and _may_be_older(last, board)):
            return True
        if last.innings is not None and board.innings is not None and board.innings < last.innings:
            return True
        if last.phase == "finished" and board.phase != "finished":
            return True
        return self._reopens_an_innings(last, board) or _changes_sides_too_early(last, board)

    def _reopens_an_innings(self, last: Scoreboard, board: Scoreboard) -> bool:
        """A side bats again that has had its innings, in a match of one innings a side."""
        batting = board.batting
        if batting is None or is_same_innings(last, board) or innings_per_side(board) == 2 or (board.innings or 0) > 2:
            return False
        return any(is_side(name, batting) for name in self._have_batted)

    def _what_cannot_follow(self, last: Scoreboard, board: Scoreboard, now: float) -> str | None:
        """An innings' worth of runs or wickets between two polls."""
        one, other = last.batting, board.batting
        if one is None or other is None or one.runs is None or other.runs is None or not is_same_innings(last, board):
            return None
        if finish(board) is not None and finish(replace(board, target=last.target, revised=last.revised)) is None:
            return f"target is {target(board)} straight after {target(last)}; the last good score is shown"
        was, is_now = balls_bowled(last), balls_bowled(board)
        balls = None if was is None or is_now is None else max(0, is_now - was)
        runs = (
            RUNS_BESIDE_THE_BALLS
            + RUNS_A_SECOND * (now - self._last_at)
            + MOST_RUNS_A_BALL * (6 if balls is None else balls)
        )
        if other.runs - one.runs > runs:
            return f"batting.runs is {other.runs} straight after {one.runs}; the last good score is shown"
        if one.wickets is None or other.wickets is None or balls is None:
            return None
        if other.wickets - one.wickets > balls + WICKETS_BESIDE_THE_BALLS:
            return f"batting.wickets is {other.wickets} straight after {one.wickets}; the last good score is shown"
        return None


def _changes_sides_too_early(last: Scoreboard, board: Scoreboard) -> bool:
    """The other side bats though the innings has not ended by what is known, nor has its number gone up."""
    if last.batting is None or last.batting.runs is None or board.batting is None or is_same_innings(last, board):
        return False
    has_gone_up = last.innings is not None and board.innings is not None and board.innings > last.innings
    return not has_gone_up and not innings_is_over(last) and board.phase in ("live", "super_over", "scheduled")


def _named(last: Scoreboard, board: Scoreboard, is_pushed: bool) -> Scoreboard:
    """With the sides' last good names where this state has a placeholder, or spells the same side otherwise."""
    one, other = last.batting, board.batting
    if one is None or other is None:
        return board
    if not is_same_innings(last, board):
        return board
    if is_placeholder(other.name) or (not is_pushed and other.name != one.name):
        board = replace(board, batting=_as(one, other))
    fielders, now_fielding = last.bowling, board.bowling
    if fielders is not None and (
        (now_fielding is None and not is_pushed)
        or (now_fielding is not None and is_placeholder(now_fielding.name))
        or (
            now_fielding is not None
            and not is_pushed
            and now_fielding.name != fielders.name
            and is_side(fielders.name, now_fielding)
        )
    ):
        board = replace(board, bowling=fielders if now_fielding is None else _as(fielders, now_fielding))
    return board


def _as(known: Team, team: Team) -> Team:
    return replace(
        team, name=known.name, short=known.short, color=team.color or known.color, logo=team.logo or known.logo
    )


def _is_another_match(last: Scoreboard, board: Scoreboard) -> bool:
    """True if neither side is one of those that played."""
    if not last.sides or not board.sides or any(is_placeholder(side.name) for side in board.sides):
        return False
    return not any(is_side(side.name, known) for side in board.sides for known in last.sides)


def _bats_on_with_a_target(last: Scoreboard, board: Scoreboard) -> bool:
    one, other = last.batting, board.batting
    if one is None or other is None or last.target is None or one.runs is None or other.runs is None:
        return False
    if not is_same_innings(last, board) or board.phase != "live" or last.phase != "live":
        return False
    was, is_now = balls_bowled(last), balls_bowled(board)
    has_gone_on = was is not None and is_now is not None and is_now > was
    return has_gone_on and last.target > one.runs + 1 and target(board) == last.target
