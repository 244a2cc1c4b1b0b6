"""The moments of a match, each reported once and only when the figures prove it. Pure.

`Moments` sees the scoreboards in the order in which they are shown. It compares two neighbours, and remembers of
the innings what two neighbours cannot prove: a bowler's wickets over his overs, and the total with which an over
began.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from scoring import cricket
from scoring.continuity import is_correction, is_next_innings, is_same_innings
from scoring.cricket import balls_bowled, finish, innings_is_over, overs_of, strike_rate
from scoring.events import Event
from scoring.evidence import Evidence, named, runs_and_balls
from scoring.innings_memory import InningsMemory
from scoring.labels import delivery
from scoring.results import is_side, outcome_of
from scoring.scoreboard import Batter, Dismissal, Scoreboard, Team

MILESTONES = ((50, "FIFTY"), (100, "HUNDRED"), (150, "BATTER_150"), (200, "BATTER_200"))
STAND_FIRST, STAND_STEP = 50, 100
TEAM_STEP = 50


class Moments:
    """One match's moments; one thread at a time."""

    def __init__(self) -> None:
        self._memory: InningsMemory | None = None

    def forget(self) -> None:
        """Begin anew: what comes next is not compared with what was."""
        self._memory = None

    def between(self, before: Scoreboard, after: Scoreboard) -> list[Event]:
        """In the order in which they happened; none after a correction or in another sport."""
        if before.sport != "cricket" or after.sport != "cricket":
            return []
        if is_correction(before, after):
            self.forget()
            return []
        start = before
        if not is_same_innings(before, after):
            self.forget()
            start = _first_state(before, after) or before
        found: list[Event] = []
        if is_same_innings(start, after):
            evidence = Evidence(start, after)
            found = [*_balls_events(evidence), *_milestones(evidence), *_team(evidence), *_stand(evidence)]
            if self._memory is None:
                self._memory = InningsMemory()
                self._memory.learn(start, None)
            found += self._memory.learn(after, evidence)
        return [*found, *_innings_end(before, after), *_end_of_match(before, after)]


def _first_state(before: Scoreboard, after: Scoreboard) -> Scoreboard | None:
    """The innings before its first ball, where all of it fits in one over: then all of it is new."""
    bowled, side = balls_bowled(after), after.batting
    if side is None or side.runs is None or bowled is None or bowled > after.format.balls_per_over:
        return None
    if not is_next_innings(before, after) and before.phase != "scheduled":
        return None
    start = replace(side, runs=0, wickets=None if side.wickets is None else 0, balls=None if side.balls is None else 0)
    start = replace(start, overs=None if side.overs is None else "0.0")
    batters = tuple(Batter(one.name, 0, 0, one.on_strike, _zero(one.fours), _zero(one.sixes)) for one in after.batters)
    return replace(after, batting=start, batters=batters, this_over=(), partnership=None, last_wicket=None, bowler=None)


def _zero(count: int | None) -> int | None:
    return None if count is None else 0


def _balls_events(evidence: Evidence) -> list[Event]:
    after = evidence.after
    found = [(hit.place, _event(hit.kind, after, hit.name, figures=hit.figures)) for hit in evidence.hits]
    fallen = [place for place, label in enumerate(evidence.labels) if delivery(label).is_wicket]
    count = evidence.fallen
    if count is None:
        count = len(fallen)
    elif count > 0 and not (evidence.is_one_over_at_most or evidence.balls is None):
        count = 0
    places = (fallen + [98] * count)[:count] if count > 0 else []
    for place, event in zip(places, _wickets(evidence, count), strict=False):
        found.append((place, event))
        if event.figures.startswith("0 (") or event.figures == "0":
            found.append((place, _event("DUCK", after, event.who, "golden duck" if event.figures == "0 (1)" else "")))
    return [event for _, event in sorted(found, key=lambda one: one[0])]


def _wickets(evidence: Evidence, count: int) -> list[Event]:
    """Who is out: as the feed says, else the one batter of before who has gone."""
    after, told = evidence.after, evidence.dismissal
    others = [batter for batter in evidence.gone if told is None or batter.name != told.name]
    if told is not None:
        first = (
            [_named_wicket(after, others[0])]
            if count == 2 and len(others) == 1
            else [_event("WICKET", after)] * (count - 1)
        )
        return [*first, _told_wicket(after, told)]
    if count == 1 and len(others) == 1 and len(evidence.before.batters) > 1:
        return [_event("WICKET", after, others[0].name, figures=_figures_of(others[0], evidence))]
    return [_event("WICKET", after)] * count


def _named_wicket(after: Scoreboard, gone: Batter) -> Event:
    return _event("WICKET", after, gone.name)


def _told_wicket(after: Scoreboard, told: Dismissal) -> Event:
    return _event("WICKET", after, told.name, told.how_out or "", runs_and_balls(told.runs, told.balls))


def _figures_of(gone: Batter, evidence: Evidence) -> str:
    """His runs and balls, when this was the very next ball and brought no runs."""
    if evidence.runs != 0 or evidence.balls != 1 or gone.runs is None:
        return ""
    return runs_and_balls(gone.runs, None if gone.balls is None else gone.balls + gone.on_strike)


def _milestones(evidence: Evidence) -> list[Event]:
    if not evidence.is_one_over_at_most:
        return []
    after, found = evidence.after, []
    told = evidence.dismissal
    now = list(after.batters)
    if told is not None and named(after, told.name) is None:
        now.append(Batter(told.name, told.runs, told.balls))
    for batter in now:
        was = named(evidence.before, batter.name)
        if was is None or was.runs is None or batter.runs is None:
            continue
        if evidence.runs is not None and batter.runs - was.runs > evidence.runs:
            continue  # his figures are ahead of the score, or wrong
        # The highest one passed: a feed that was away for an over may bring both.
        passed = [kind for runs, kind in MILESTONES if was.runs < runs <= batter.runs]
        found += [
            _event(kind, after, batter.name, _hits_and_rate(batter), runs_and_balls(batter.runs, batter.balls))
            for kind in passed[-1:]
        ]
    return found


def _hits_and_rate(batter: Batter) -> str:
    rate = strike_rate(batter)
    hits = [f"{count}×{runs}" for count, runs in ((batter.fours, 4), (batter.sixes, 6)) if count]
    return "  ".join([*hits, *([] if rate is None else [f"SR {rate:.0f}"])])


def _team(evidence: Evidence) -> list[Event]:
    """The side's fifties and hundreds: the highest that it has passed."""
    side, made = evidence.after.batting, evidence.runs
    if side is None or side.runs is None or made is None or not evidence.is_one_over_at_most:
        return []
    reached = side.runs // TEAM_STEP * TEAM_STEP
    if reached == 0 or side.runs - made >= reached:
        return []
    kind = "TEAM_HUNDRED" if reached % 100 == 0 else "TEAM_FIFTY"
    bowled = balls_bowled(evidence.after)
    overs = "" if bowled is None else _length(evidence.after, bowled)
    return [replace(_event(kind, evidence.after, side.name, overs), words=f"{reached} UP")]


def _length(board: Scoreboard, balls: int) -> str:
    if cricket.is_in_balls(board):
        return f"{balls} balls"
    overs = overs_of(balls, board.format.balls_per_over)
    return f"{overs} over" if overs == "1" else f"{overs} overs"


def _stand(evidence: Evidence) -> list[Event]:
    """A stand of 50 and of each 100, also one that a wicket has just ended."""
    was, now = evidence.before.partnership, evidence.after.partnership
    if was is None or now is None or not evidence.is_one_over_at_most:
        return []
    runs: int | None = now.runs
    if evidence.fallen == 1 and evidence.runs is not None:
        runs = was.runs + evidence.runs - now.runs
    elif evidence.fallen != 0:
        runs = None
    if runs is None:
        return []
    marks = [STAND_FIRST, *range(STAND_STEP, runs + 1, STAND_STEP)]
    passed = [mark for mark in marks if was.runs < mark <= runs]
    names = " & ".join(batter.name for batter in evidence.after.batters) if evidence.fallen == 0 else ""
    return [replace(_event("STAND", evidence.after, names), words=f"STAND {mark}") for mark in passed[-1:]]


def _innings_end(before: Scoreboard, after: Scoreboard) -> list[Event]:
    """Not of a chase: its end is the match's."""
    if innings_is_over(before) or before.phase in ("scheduled", "finished"):
        return []
    if is_next_innings(before, after):
        return [] if _is_chase(before) else _innings_event(before, _final(before, after))
    if (
        not is_same_innings(before, after)
        or not innings_is_over(after)
        or after.phase == "finished"
        or _is_chase(after)
    ):
        return []
    return _innings_event(after, after.batting)


def _is_chase(board: Scoreboard) -> bool:
    return board.batting is not None and cricket.chasing_side(board) is board.batting


def _final(before: Scoreboard, after: Scoreboard) -> Team | None:
    """The side that has batted, with the score that the next state gives it if it does."""
    side, now = before.batting, after.bowling
    if side is None or now is None or now.runs is None or side.runs is None or not is_side(side.name, now):
        return side
    return replace(now, name=side.name, short=side.short) if now.runs >= side.runs else side


def _innings_event(board: Scoreboard, side: Team | None) -> list[Event]:
    if side is None or side.runs is None:
        return []
    balls = cricket.team_balls(board, side)
    score = f"{side.runs}" if side.wickets is None else f"{side.runs}/{side.wickets}"
    if cricket.is_all_out(board, side):
        score = f"{side.runs} all out"
    elif side.declared:
        score += " dec"
    detail = score if balls is None else f"{score} ({_length(board, balls)})"
    return [Event("INNINGS", side.name, detail, side, balls)]


@dataclass(frozen=True)
class _Ending:
    kind: str
    winner: Team | None = None
    detail: str = ""


def _end_of_match(before: Scoreboard, after: Scoreboard) -> list[Event]:
    if before.phase in ("scheduled", "finished"):
        return []
    ending = _ending(after)
    if ending is None:
        return []
    already = _ending(before)
    if already is not None and (already.kind, ending.kind) != ("TIE", "WIN"):
        return []
    if after.phase != "finished" and not is_same_innings(before, after):
        return []
    who = ending.winner.name if ending.winner else ""
    return [Event(ending.kind, who, ending.detail, ending.winner, balls_bowled(after))]


def _ending(board: Scoreboard) -> _Ending | None:
    """How the match has ended: as the feed says, in its field or in so many words, else by the figures."""
    by_figures = _by_figures(board)
    if board.phase != "finished":
        return by_figures
    text = board.result or ""
    won_by = _side_of(board, board.winner)
    if won_by is not None:
        return _Ending("WIN", won_by, text)
    if not text:
        return by_figures
    outcome = outcome_of(text, board.sides)
    if outcome.kind == "win":
        return _Ending("WIN", _side_of(board, outcome.winner), text)
    is_level = by_figures is None or by_figures.kind == "TIE"
    return _Ending("TIE" if outcome.kind == "tie" and is_level else "RESULT", detail=text)


def _by_figures(board: Scoreboard) -> _Ending | None:
    end = finish(board)
    if end is None:
        return None
    return _Ending("WIN", end.winner) if end.winner else _Ending("TIE", detail="Scores level")


def _side_of(board: Scoreboard, name: str | None) -> Team | None:
    return None if name is None else next((side for side in board.sides if is_side(name, side)), None)


def _event(kind: str, board: Scoreboard, who: str = "", detail: str = "", figures: str = "") -> Event:
    return Event(kind, who, detail, board.batting, balls_bowled(board), figures)
