"""What happened between one scoreboard and the next: FOUR, SIX, WICKET, FIFTY, HUNDRED, innings end, win. Pure.

A feed is asked once a second and misses balls; a scorer corrects himself.
So an event is told only when the two scoreboards prove it, and a figure in it
only when it follows from them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from scoring.cricket import (
    ball_kind,
    balls_bowled,
    innings_is_over,
    strike_rate,
    target_is_reached,
)
from scoring.scoreboard import BALLS_PER_OVER, Batter, Dismissal, Scoreboard, Team

MILESTONES = ((50, "FIFTY"), (100, "HUNDRED"))
BOUNDARIES = {"four": ("FOUR", 4), "six": ("SIX", 6)}


@dataclass(frozen=True)
class Event:
    """One banner: its kind in capitals, who, and a line of detail ("" when not known).

    `balls` is the innings' legal balls when it happened, `side` the batting
    side, whose colour a win takes. `figures` are a dismissed batter's runs and
    balls; then `detail` is how he got out.
    """

    kind: str
    who: str = ""
    detail: str = ""
    side: Team | None = None
    balls: int | None = None
    figures: str = ""

    @property
    def lasts_beyond_its_over(self) -> bool:
        """True for what stays true: the end of an innings or of the match."""
        return self.kind in ("INNINGS", "WIN", "RESULT")


def is_same_innings(before: Scoreboard, after: Scoreboard) -> bool:
    if before.innings is not None and after.innings is not None:
        return before.innings == after.innings
    one, other = before.batting, after.batting
    return one is not None and other is not None and one.name == other.name


def is_next_innings(before: Scoreboard, after: Scoreboard) -> bool:
    if before.innings is not None and after.innings is not None:
        return before.innings < after.innings
    one, other = before.batting, after.batting
    return one is not None and other is not None and one.name != other.name


def is_correction(before: Scoreboard, after: Scoreboard) -> bool:
    """True when the score of the same innings went back: fewer runs, wickets or balls."""
    one, other = before.batting, after.batting
    if before.sport != "cricket" or one is None or other is None or not is_same_innings(before, after):
        return False
    pairs = (
        (one.runs, other.runs),
        (one.wickets, other.wickets),
        (balls_bowled(before), balls_bowled(after)),
    )
    return any(was is not None and now is not None and now < was for was, now in pairs)


def events_between(before: Scoreboard, after: Scoreboard) -> list[Event]:
    """In the order in which they happened; none after a correction or in another sport."""
    if before.sport != "cricket" or after.sport != "cricket" or is_correction(before, after):
        return []
    found = []
    if is_same_innings(before, after):
        found = [*_balls_events(before, after), *_milestones(before, after)]
    return [*found, *_innings_end(before, after), *_win(before, after)]


def _balls_events(before: Scoreboard, after: Scoreboard) -> list[Event]:
    labels = _new_labels(before, after)
    fallen = _wickets_fallen(before, after)
    found = []
    for kind in map(ball_kind, labels):
        if kind in BOUNDARIES:
            found.append(_boundary(kind, before, after))
        elif kind == "wicket" and fallen != 0:
            found.append(_wicket(before, after, fallen or 1))
            fallen = 0
    if fallen and _is_one_over_at_most(before, after):
        found.append(_wicket(before, after, fallen))
    return found or _boundary_by_figures(before, after)


def _new_labels(before: Scoreboard, after: Scoreboard) -> tuple[str, ...]:
    """The deliveries of this over that are new; none where the list was rewritten."""
    was, now = before.this_over, after.this_over
    if now[: len(was)] == was:
        return now[len(was) :]
    legal = sum(ball_kind(label) not in ("wide", "no_ball") for label in now)
    between = _balls_between(before, after)
    is_another_over = between is not None and legal <= between
    return now if is_another_over else ()


def _balls_between(before: Scoreboard, after: Scoreboard) -> int | None:
    was, now = balls_bowled(before), balls_bowled(after)
    return None if was is None or now is None else now - was


def _is_one_over_at_most(before: Scoreboard, after: Scoreboard) -> bool:
    between = _balls_between(before, after)
    return between is not None and between <= BALLS_PER_OVER


def _boundary(kind: str, before: Scoreboard, after: Scoreboard) -> Event:
    name, runs = BOUNDARIES[kind]
    known = [(batter, was) for batter in after.batters if (was := _same(batter, before))]
    hitter = next((batter for batter, was in known if (_gained(was, batter) or 0) >= runs), None)
    return _event(name, after, hitter.name if hitter else "", _runs_and_balls(hitter) if hitter else "")


def _boundary_by_figures(before: Scoreboard, after: Scoreboard) -> list[Event]:
    """Without the over's balls: one ball, and one batter's runs and the total up by 4 or by 6."""
    one, other = before.batting, after.batting
    if after.this_over or one is None or other is None or one.runs is None or other.runs is None:
        return []
    made = other.runs - one.runs
    for kind, (_, runs) in BOUNDARIES.items():
        batter = next((b for b in after.batters if (w := _same(b, before)) and _gained(w, b) == made == runs), None)
        if batter and _balls_between(before, after) == 1:
            return [_boundary(kind, before, after)]
    return []


def _gained(before: Batter, after: Batter) -> int | None:
    return None if before.runs is None or after.runs is None else after.runs - before.runs


def _same(batter: Batter, board: Scoreboard) -> Batter | None:
    return next((other for other in board.batters if other.name == batter.name), None)


def _wickets_fallen(before: Scoreboard, after: Scoreboard) -> int | None:
    """None when the score comes without wickets: then the over's balls tell."""
    one, other = before.batting, after.batting
    if one is None or other is None or one.wickets is None or other.wickets is None:
        return None
    return other.wickets - one.wickets


def _wicket(before: Scoreboard, after: Scoreboard, fallen: int) -> Event:
    """Who is out: as the feed says, else the one batter of before who has gone, when one wicket fell."""
    told = after.last_wicket
    if told is not None and told != before.last_wicket:
        return _event("WICKET", after, told.name, told.how_out or "", _runs_and_balls(told))
    gone = [batter for batter in before.batters if _same(batter, after) is None]
    if fallen != 1 or len(gone) != 1 or len(before.batters) < 2:
        return _event("WICKET", after)
    return _event("WICKET", after, gone[0].name, figures=_figures_of(gone[0], before, after))


def _figures_of(gone: Batter, before: Scoreboard, after: Scoreboard) -> str:
    """His runs and balls, when this was the very next ball and brought no runs."""
    one, other = before.batting, after.batting
    if one is None or other is None or one.runs != other.runs or _balls_between(before, after) != 1:
        return ""
    if gone.runs is None or gone.balls is None:
        return "" if gone.runs is None else str(gone.runs)
    return f"{gone.runs} ({gone.balls + gone.on_strike})"


def _milestones(before: Scoreboard, after: Scoreboard) -> list[Event]:
    if not _is_one_over_at_most(before, after):
        return []
    found = []
    for batter in after.batters:
        was = _same(batter, before)
        if was is None or was.runs is None or batter.runs is None:
            continue
        # The highest one passed: a feed that was away for an over may bring both.
        passed = [name for runs, name in MILESTONES if was.runs < runs <= batter.runs]
        found += [_event(name, after, batter.name, _milestone_detail(batter)) for name in passed[-1:]]
    return found


def _milestone_detail(batter: Batter) -> str:
    rate = strike_rate(batter)
    hits = [f"{count}×{runs}" for count, runs in ((batter.fours, 4), (batter.sixes, 6)) if count]
    parts = (_runs_and_balls(batter), *hits, "" if rate is None else f"SR {rate:.0f}")
    return "  ".join(part for part in parts if part)


def _innings_end(before: Scoreboard, after: Scoreboard) -> list[Event]:
    """Not of a chase: its end is the match's."""
    if innings_is_over(before) or before.target is not None or before.phase in ("scheduled", "finished"):
        return []
    if is_next_innings(before, after):
        return _innings_event(before)
    is_over = is_same_innings(before, after) and innings_is_over(after) and after.phase != "finished"
    return _innings_event(after) if is_over else []


def _innings_event(board: Scoreboard) -> list[Event]:
    side = board.batting
    if side is None or side.runs is None:
        return []
    score = f"{side.runs}" if side.wickets is None else f"{side.runs}/{side.wickets}"
    detail = f"{score} ({side.overs} overs)" if side.overs else score
    return [Event("INNINGS", side.name, detail, side, balls_bowled(board))]


def _win(before: Scoreboard, after: Scoreboard) -> list[Event]:
    if before.phase in ("scheduled", "finished") or target_is_reached(before):
        return []
    if after.phase == "finished" and after.result:
        winner = next((side for side in after.sides if re.match(_names(side), after.result)), None)
        kind = "WIN" if winner or re.search(r"\b(won|win|beat)\b", after.result) else "RESULT"
        return [Event(kind, winner.name if winner else "", after.result, winner, balls_bowled(after))]
    if target_is_reached(after) and after.batting and is_same_innings(before, after):
        return [Event("WIN", after.batting.name, "", after.batting, balls_bowled(after))]
    return []


def _names(side: Team) -> str:
    return rf"({re.escape(side.name)}|{re.escape(side.short)})\b"


def _runs_and_balls(batter: Batter | Dismissal) -> str:
    if batter.runs is None:
        return ""
    return f"{batter.runs}" if batter.balls is None else f"{batter.runs} ({batter.balls})"


def _event(kind: str, board: Scoreboard, who: str = "", detail: str = "", figures: str = "") -> Event:
    return Event(kind, who, detail, board.batting, balls_bowled(board), figures)
