"""What the figures of two scoreboards of one innings prove of the balls between them. Pure.

A feed is asked once a second and misses balls; a scorer corrects himself; a label may be wrong. So the
labels of an over are believed only where they agree with the runs and the balls, and a boundary where a
batter's figures agree with it.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property

from scoring.cricket import balls_bowled
from scoring.labels import can_bring, delivery, legal_balls
from scoring.scoreboard import Batter, Dismissal, Scoreboard

BOUNDARY_RUNS = {"FOUR": 4, "SIX": 6}


@dataclass(frozen=True)
class Gain:
    """By how much one batter's figures grew; None where they are not known."""

    name: str
    runs: int | None
    fours: int | None
    sixes: int | None
    now: str  # the figures as they are now: "34 (20)"

    @property
    def is_counted(self) -> bool:
        return self.fours is not None and self.sixes is not None


@dataclass(frozen=True)
class Hit:
    """A boundary that is proven; `name` is "" where the figures do not say whose."""

    kind: str
    name: str = ""
    figures: str = ""
    place: int = 99  # which of the new deliveries it was


@dataclass(frozen=True)
class Evidence:
    """The difference between two states of the same innings."""

    before: Scoreboard
    after: Scoreboard

    @cached_property
    def balls(self) -> int | None:
        """Legal balls."""
        was, now = balls_bowled(self.before), balls_bowled(self.after)
        return None if was is None or now is None else now - was

    @cached_property
    def runs(self) -> int | None:
        one, other = self.before.batting, self.after.batting
        return None if one is None or other is None or one.runs is None or other.runs is None else other.runs - one.runs

    @cached_property
    def fallen(self) -> int | None:
        """Wickets; None where the score comes without them."""
        one, other = self.before.batting, self.after.batting
        if one is None or other is None or one.wickets is None or other.wickets is None:
            return None
        return other.wickets - one.wickets

    @property
    def is_one_over_at_most(self) -> bool:
        return self.balls is not None and self.balls <= self.after.format.balls_per_over

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The new deliveries, as far as the present over lists them and the figures agree; else none."""
        was, now = self.before.this_over, self.after.this_over
        added = now[len(was) :] if now[: len(was)] == was else None
        if self.balls is None or self.runs is None:
            return added or ()
        if added is not None and self._agree(added):
            return added
        for count in range(len(now) + 1):
            if self._agree(now[len(now) - count :]):
                return now[len(now) - count :]
        return now if self._is_of_another_over(now) else ()

    def _agree(self, labels: tuple[str, ...]) -> bool:
        return legal_balls(labels) == self.balls and can_bring(labels, self.runs or 0)

    def _is_of_another_over(self, now: tuple[str, ...]) -> bool:
        """True if all balls of the list are new, and more balls before it were missed."""
        bowled = balls_bowled(self.after)
        if bowled is None or self.balls is None or self.runs is None or not now:
            return False
        legal = legal_balls(now)
        most = sum(min(delivery(label).totals) for label in now)
        is_whole = legal == bowled % self.after.format.balls_per_over
        return is_whole and legal < self.balls and most <= self.runs

    @cached_property
    def dismissal(self) -> Dismissal | None:
        """The last wicket, if it is a new one."""
        told = self.after.last_wicket
        return told if told is not None and told != self.before.last_wicket else None

    @cached_property
    def gone(self) -> list[Batter]:
        return [batter for batter in self.before.batters if named(self.after, batter.name) is None]

    @cached_property
    def gains(self) -> list[Gain]:
        """Of those who batted before and bat now, who came in since, and who got out."""
        found = []
        for batter in self.after.batters:
            was = named(self.before, batter.name)
            if was is None and not self._has_come_in(batter):
                continue
            was = was or Batter(batter.name, 0, 0, fours=0, sixes=0)
            found.append(
                Gain(
                    batter.name,
                    _grown(was.runs, batter.runs),
                    _grown(was.fours, batter.fours),
                    _grown(was.sixes, batter.sixes),
                    runs_and_balls(batter.runs, batter.balls),
                )
            )
        return [*found, *self._of_the_gone()]

    def _of_the_gone(self) -> list[Gain]:
        out = self.dismissal
        return [
            Gain(batter.name, _grown(batter.runs, out.runs), None, None, runs_and_balls(out.runs, out.balls))
            if out is not None and out.name == batter.name
            else Gain(batter.name, None, None, None, "")
            for batter in self.gone
        ]

    def _has_come_in(self, batter: Batter) -> bool:
        """True if the batter has faced no more balls than were bowled since, so that all of his runs are new."""
        if batter.balls is None or self.balls is None:
            return False
        return batter.balls <= self.balls + sum(not delivery(label).is_legal for label in self.labels)

    @property
    def hits(self) -> list[Hit]:
        """The boundaries, in their order as far as it is known; none when they are more than the side has made."""
        hits = self._hits
        is_more = self.runs is not None and sum(BOUNDARY_RUNS[hit.kind] for hit in hits) > self.runs
        return [] if is_more else hits

    @cached_property
    def _hits(self) -> list[Hit]:
        sure = [
            Hit(kind, gain.name, gain.now)
            for gain in self.gains
            for kind, count in (("FOUR", gain.fours), ("SIX", gain.sixes))
            for _ in range(min(count or 0, 6))
        ]
        labelled = [(place, kind) for place, label in enumerate(self.labels) if (kind := delivery(label).boundary)]
        found, unsure = [], []
        for place, kind in labelled:
            hit = next((hit for hit in sure if hit.kind == kind), None)
            if hit is not None:
                sure.remove(hit)
                found.append(Hit(kind, hit.name, hit.figures, place))
            else:
                unsure.append((place, kind))
        places = (place for place, label in enumerate(self.labels) if delivery(label).kind == "no_ball")
        found += [Hit(hit.kind, hit.name, hit.figures, next(places, 99)) for hit in sure]
        return [*found, *self._by_runs(unsure)] if self.labels else found or self._of_one_ball()

    def _by_runs(self, labelled: list[tuple[int, str]]) -> list[Hit]:
        """Of batters whose boundaries nobody counts: each has made the runs of those that may be his."""
        uncounted = [gain for gain in self.gains if not gain.is_counted]
        if not labelled or not (uncounted or not self.gains):
            return []
        if not any(gain.runs for gain in uncounted):
            # The batters' figures may come later than the score, or never.
            is_known = bool(uncounted) and all(gain.runs is not None for gain in uncounted)
            lags = not is_known or (self.runs is not None and not any(gain.runs for gain in self.gains))
            return [Hit(kind, place=place) for place, kind in labelled] if lags else []
        able = [
            choice
            for choice in itertools.product(uncounted, repeat=min(len(labelled), 6))
            if all(
                gain.runs is None
                or gain.runs
                >= sum(BOUNDARY_RUNS[kind] for (_, kind), one in zip(labelled, choice, strict=False) if one is gain)
                for gain in uncounted
            )
        ]
        found = []
        for number, (place, kind) in enumerate(labelled[:6]):
            names = {choice[number] for choice in able}
            if names:
                whose = names.pop() if len(names) == 1 else None
                found.append(Hit(kind, whose.name if whose else "", whose.now if whose else "", place))
        return found

    def _of_one_ball(self) -> list[Hit]:
        """Without the over's balls: one ball, and one batter's runs and the total up by 4 or by 6."""
        if self.after.this_over or self.balls != 1:
            return []
        for kind, runs in BOUNDARY_RUNS.items():
            for gain in self.gains:
                if not gain.is_counted and gain.runs == self.runs == runs:
                    return [Hit(kind, gain.name, gain.now)]
        return []


def named(board: Scoreboard, name: str) -> Batter | None:
    return next((batter for batter in board.batters if batter.name == name), None)


def runs_and_balls(runs: int | None, balls: int | None) -> str:
    """As on a scoreboard: "34 (20)"."""
    if runs is None:
        return ""
    return f"{runs}" if balls is None else f"{runs} ({balls})"


def _grown(was: int | None, now: int | None) -> int | None:
    return None if was is None or now is None else max(0, now - was)
