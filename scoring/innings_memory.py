"""What is remembered of the innings that is played, for moments that two neighbouring states cannot prove. Pure.

Five wickets and a hat-trick go over a bowler's overs, and a maiden needs the total with which the over began.
Each is reported once.
"""

from __future__ import annotations

import re
from collections import deque

from scoring.cricket import balls_bowled, bowler_balls
from scoring.events import Event
from scoring.evidence import Evidence
from scoring.labels import delivery, legal_balls
from scoring.scoreboard import Bowler, Scoreboard

FIVE = 5
HAT_TRICK = 3
BALLS_KEPT = 12
_CREDITED = re.compile(r"(?:^|\s)b\s+(.+)\Z")


class InningsMemory:
    """The memory of one innings. A new or corrected innings gets a new one."""

    def __init__(self) -> None:
        self._wickets: dict[str, int] = {}
        self._spells: dict[
            str, deque[tuple[int, int]]
        ] = {}  # balls and wickets of the bowler, as far as they were seen
        self._maidens: dict[str, int] = {}
        self._told: set[tuple[str, object]] = set()
        self._began_with: dict[int, int] = {}  # the total at the start of an over, by the over's number
        self._bowled_by: dict[int, set[str]] = {}

    def learn(self, board: Scoreboard, evidence: Evidence | None) -> list[Event]:
        """Take the next state. Returns the moments that it proves."""
        side, bowled = board.batting, balls_bowled(board)
        found = self._five_and_hat_trick(board, evidence)
        if side is not None and side.runs is not None and bowled is not None:
            found += self._maiden(board, side.runs, bowled, evidence)
        return found

    def _five_and_hat_trick(self, board: Scoreboard, evidence: Evidence | None) -> list[Event]:
        found = []
        credited = self._credited_to_another(board, evidence)
        if credited:
            found += self._take(credited, self._wickets[credited] + 1, board, is_late=False)
        bowler = board.bowler
        if bowler is None or bowler.wickets is None:
            return found
        has_fallen = evidence is not None and bool(evidence.fallen)
        found += self._take(bowler.name, bowler.wickets, board, is_late=not has_fallen)
        return [*found, *self._hat_trick(bowler, board)]

    def _credited_to_another(self, board: Scoreboard, evidence: Evidence | None) -> str:
        """Who took the one wicket that fell, if another bowls by now."""
        told = evidence.dismissal if evidence is not None else None
        match = _CREDITED.search(told.how_out) if told and told.how_out else None
        if evidence is None or evidence.fallen != 1 or match is None or board.bowler is None:
            return ""
        name = match[1].strip()
        return name if name != board.bowler.name and name in self._wickets else ""

    def _take(self, name: str, wickets: int, board: Scoreboard, is_late: bool) -> list[Event]:
        was, self._wickets[name] = self._wickets.get(name), wickets
        if was is None or not was < FIVE <= wickets or ("five", name) in self._told:
            return []
        self._told.add(("five", name))
        bowler = board.bowler
        figures = f"{wickets}-{bowler.runs}" if bowler and bowler.name == name and bowler.runs is not None else ""
        return [Event("FIVE_FOR", name, "", board.batting, balls_bowled(board), figures, is_late=is_late)]

    def _hat_trick(self, bowler: Bowler, board: Scoreboard) -> list[Event]:
        """Three wickets of his in three balls of his: those that count for him, so no run out is among them."""
        balls = bowler_balls(board)
        if balls is None or bowler.wickets is None:
            return []
        spell = self._spells.setdefault(bowler.name, deque(maxlen=BALLS_KEPT))
        is_one = (
            any(balls - then == HAT_TRICK and bowler.wickets - wickets == HAT_TRICK for then, wickets in spell)
            and ("hat-trick", (bowler.name, balls)) not in self._told
        )
        if not spell or spell[-1] != (balls, bowler.wickets):
            spell.append((balls, bowler.wickets))
        if not is_one:
            return []
        self._told.add(("hat-trick", (bowler.name, balls)))
        return [Event("HAT_TRICK", bowler.name, "", board.batting, balls_bowled(board))]

    def _maiden(self, board: Scoreboard, runs: int, bowled: int, evidence: Evidence | None) -> list[Event]:
        each = board.format.balls_per_over
        over, in_over = divmod(bowled, each)
        self._note_over(board, runs, bowled, evidence)
        ended = over - 1
        if evidence is None or not evidence.balls or evidence.balls > each or ("maiden", ended) in self._told:
            return []
        bowlers = self._bowled_by.get(ended, set())
        began, then = self._began_with.get(ended), self._began_with.get(over)
        if began is None or then is None or len(bowlers) > 1:
            return []
        if then != began and not (in_over == 0 and _only_byes(board, then - began)):
            return []
        self._told.add(("maiden", ended))
        return [Event("MAIDEN", next(iter(bowlers), ""), f"over {over}", board.batting, bowled)]

    def _note_over(self, board: Scoreboard, runs: int, bowled: int, evidence: Evidence | None) -> None:
        """With which total the present over began, and who has bowled in it."""
        each = board.format.balls_per_over
        over, in_over = divmod(bowled, each)
        exact, legal = _exact(board.this_over), legal_balls(board.this_over)
        is_at_its_end = in_over == 0 and bowled > 0
        if is_at_its_end:
            if legal or not board.this_over:  # else the next over has begun, with a wide
                self._began_with[over] = runs
        elif exact is not None and legal == in_over:
            self._began_with[over] = runs - exact
        elif evidence is not None and evidence.runs == 0 and _is_in_an_earlier_over(evidence, each):
            self._began_with[over] = runs
        if board.bowler is not None:
            self._bowled_by.setdefault(over - is_at_its_end, set()).add(board.bowler.name)


def _is_in_an_earlier_over(evidence: Evidence, each: int) -> bool:
    was, now = balls_bowled(evidence.before), balls_bowled(evidence.after)
    return was is not None and now is not None and was // each < now // each


def _exact(labels: tuple[str, ...]) -> int | None:
    """The runs of an over so far, where each label leaves no doubt."""
    totals = [delivery(label).totals for label in labels]
    return sum(next(iter(total)) for total in totals) if all(len(total) == 1 for total in totals) else None


def _only_byes(board: Scoreboard, runs: int) -> bool:
    """The over's runs were byes and leg byes, which do not count against the bowler."""
    balls = [delivery(label) for label in board.this_over]
    if legal_balls(board.this_over) != board.format.balls_per_over or not all(ball.is_legal for ball in balls):
        return False
    if any(
        ball.kind not in ("dot", "bye", "wicket") or len(ball.totals) != 1 for ball in balls if ball.kind != "wicket"
    ):
        return False
    return sum(next(iter(ball.totals)) for ball in balls if ball.kind == "bye") == runs
