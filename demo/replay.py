"""A match from Cricsheet's JSON (cricsheet.org/format/json), as the states that a live feed would give.

There is one state after each delivery, in both shapes that the service reads.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MATCH = Path(__file__).parent / "matches" / "1181768.json"
BALLS_PER_OVER = 6
_NOT_THE_BOWLERS = {"run out", "retired hurt", "retired out", "obstructing the field"}
_EXTRAS = {"wides": "wd", "noballs": "nb", "byes": "b", "legbyes": "lb", "penalty": "p"}
_ON_DELIVERY = ("wides", "noballs")


@dataclass
class Tally:
    """A batter's runs and balls faced, or a bowler's runs given, balls bowled and wickets taken."""

    runs: int = 0
    balls: int = 0
    wickets: int = 0
    fours: int = 0
    sixes: int = 0


@dataclass(frozen=True)
class State:
    """The match after one delivery."""

    title: str
    batting: str
    bowling: str
    innings: int
    target: int | None
    runs: int
    wickets: int
    legal_balls: int
    striker: tuple[str, int, int]
    non_striker: tuple[str, int, int]
    boundaries: tuple[tuple[int, int], tuple[int, int]]
    bowler: tuple[str, int, int, int]
    this_over: tuple[str, ...]
    overs_limit: int | None
    partnership: tuple[int, int]
    last_wicket: tuple[str, int, int, str] | None

    @property
    def overs(self) -> str:
        return overs_of(self.legal_balls)

    def as_current_score(self) -> dict[str, Any]:
        """In the shape of the feed in use today."""
        name, balls, runs, wickets = self.bowler
        entry = {
            "inningScore": f"{self.runs}/{self.wickets}",
            "overs": self.overs,
            "onPitch": {
                "striker": self.striker[0],
                "strikerScore": {"runs": self.striker[1], "balls": self.striker[2]},
                "nonStriker": self.non_striker[0],
                "nonStrikerScore": {"runs": self.non_striker[1], "balls": self.non_striker[2]},
                "bowler": name,
                "bowlerScore": {"name": name, "ballsDelivered": balls, "runsGiven": runs, "wickets": wickets},
            },
        }
        score = {
            "battingTeamName": self.batting,
            "bowlingTeamName": self.bowling,
            "teamScore": {self.batting: entry},
            "currOverDetail": {"balls": list(self.this_over)},
        }
        return {"data": {"currScore": score}}

    def as_own_shape(self) -> dict[str, Any]:
        """In the project's own shape."""
        name, balls, runs, wickets = self.bowler
        batters = [
            {"name": who, "runs": made, "balls": faced, "on_strike": on_strike, "fours": fours, "sixes": sixes}
            for (who, made, faced), (fours, sixes), on_strike in zip(
                (self.striker, self.non_striker), self.boundaries, (True, False), strict=True
            )
        ]
        return {
            "sport": "cricket",
            "title": self.title,
            "status": "live",
            "innings": self.innings,
            "target": self.target,
            "batting": {"name": self.batting, "runs": self.runs, "wickets": self.wickets, "overs": self.overs},
            "bowling": {"name": self.bowling},
            "batters": batters,
            "bowler": {"name": name, "overs": overs_of(balls), "runs": runs, "wickets": wickets},
            "this_over": list(self.this_over),
            "overs_limit": self.overs_limit,
            "partnership": {"runs": self.partnership[0], "balls": self.partnership[1]},
            "last_wicket": self._last_wicket(),
        }

    def _last_wicket(self) -> dict[str, Any] | None:
        if self.last_wicket is None:
            return None
        name, runs, balls, how_out = self.last_wicket
        return {"name": name, "runs": runs, "balls": balls, "how_out": how_out}


def frame(path: Path = MATCH) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """The match before the first ball, between the innings and after the last ball, in the project's own shape."""
    match = json.loads(path.read_text())
    info = match["info"]
    innings = [list(group) for _, group in itertools.groupby(states(path), key=lambda state: state.innings)]
    first, last = innings[0][-1], innings[-1][-1]
    toss = f"{info['toss']['winner']} won the toss and chose to {info['toss']['decision']}"
    target = match["innings"][1]["target"]
    before = {
        "sport": "cricket",
        "title": first.title,
        "status": "scheduled",
        "toss": toss,
        "batting": {"name": first.batting},
        "bowling": {"name": first.bowling},
    }
    pause = first.as_own_shape() | {
        "status": "innings_break",
        "target": target["runs"],
        "overs_limit": int(target["overs"]),
    }
    after = last.as_own_shape() | {
        "status": "finished",
        "result": _result(info["outcome"]),
        "player_of_match": info["player_of_match"][0],
    }
    return before, pause, after


def _result(outcome: dict[str, Any]) -> str:
    [(what, count)] = outcome["by"].items()
    unit = what if count != 1 else what.removesuffix("s")
    method = f" ({outcome['method']})" if "method" in outcome else ""
    return f"{outcome['winner']} won by {count} {unit}{method}"


def overs_of(legal_balls: int) -> str:
    return f"{legal_balls // BALLS_PER_OVER}.{legal_balls % BALLS_PER_OVER}"


def states(path: Path = MATCH) -> Iterator[State]:
    """The match at `path`, delivery by delivery."""
    match = json.loads(path.read_text())
    info = match["info"]
    title = f"{info['event']['name']} {info['season']} {info['event'].get('stage', '')}".strip()
    for number, innings in enumerate(match["innings"], start=1):
        bowling = next(team for team in info["teams"] if team != innings["team"])
        overs_limit = innings.get("target", {}).get("overs", info.get("overs"))
        yield from _innings_states(innings, number, title, bowling, overs_limit and int(overs_limit))


def _innings_states(
    innings: dict[str, Any], number: int, title: str, bowling: str, overs_limit: int | None
) -> Iterator[State]:
    batters: dict[str, Tally] = {}
    bowlers: dict[str, Tally] = {}
    side, stand = Tally(), Tally()
    last_wicket = None
    deliveries = [(over["over"], delivery) for over in innings["overs"] for delivery in over["deliveries"]]
    labels: list[str] = []
    for index, (over, delivery) in enumerate(deliveries):
        if index == 0 or deliveries[index - 1][0] != over:
            labels = []
        bowler = bowlers.setdefault(delivery["bowler"], Tally())
        _count(delivery, side, batters.setdefault(delivery["batter"], Tally()), bowler)
        labels.append(_label(delivery))
        stand.runs += delivery["runs"]["total"]
        stand.balls += not any(extra in delivery.get("extras", {}) for extra in _ON_DELIVERY)
        for wicket in delivery.get("wickets", []):
            out = batters.setdefault(wicket["player_out"], Tally())
            last_wicket = (wicket["player_out"], out.runs, out.balls, _how_out(wicket, delivery["bowler"]))
            stand = Tally()
        # After a ball a scorer shows who faces the next one.
        facing = deliveries[min(index + 1, len(deliveries) - 1)][1]
        pair = [batters.setdefault(facing[role], Tally()) for role in ("batter", "non_striker")]
        yield State(
            title=title,
            batting=innings["team"],
            bowling=bowling,
            innings=number,
            target=innings.get("target", {}).get("runs"),
            runs=side.runs,
            wickets=side.wickets,
            legal_balls=side.balls,
            striker=(facing["batter"], pair[0].runs, pair[0].balls),
            non_striker=(facing["non_striker"], pair[1].runs, pair[1].balls),
            boundaries=((pair[0].fours, pair[0].sixes), (pair[1].fours, pair[1].sixes)),
            bowler=(delivery["bowler"], bowler.balls, bowler.runs, bowler.wickets),
            this_over=tuple(labels),
            overs_limit=overs_limit,
            partnership=(stand.runs, stand.balls),
            last_wicket=last_wicket,
        )


def _count(delivery: dict[str, Any], side: Tally, batter: Tally, bowler: Tally) -> None:
    extras = delivery.get("extras", {})
    legal = not any(extra in extras for extra in _ON_DELIVERY)
    kinds = [wicket["kind"] for wicket in delivery.get("wickets", [])]
    side.runs += delivery["runs"]["total"]
    side.balls += legal
    side.wickets += sum(kind != "retired hurt" for kind in kinds)
    batter.runs += delivery["runs"]["batter"]
    batter.balls += "wides" not in extras
    if "non_boundary" not in delivery["runs"]:
        batter.fours += delivery["runs"]["batter"] == 4
        batter.sixes += delivery["runs"]["batter"] == 6
    bowler.runs += delivery["runs"]["batter"] + sum(extras.get(extra, 0) for extra in _ON_DELIVERY)
    bowler.balls += legal
    bowler.wickets += sum(kind not in _NOT_THE_BOWLERS for kind in kinds)


def _how_out(wicket: dict[str, Any], bowler: str) -> str:
    """As a scorer writes it."""
    fielders = [fielder.get("name", "sub") for fielder in wicket.get("fielders", [])]
    kind = wicket["kind"]
    if kind == "caught" and fielders:
        return f"c {fielders[0]} b {bowler}"
    if kind == "stumped" and fielders:
        return f"st {fielders[0]} b {bowler}"
    if kind == "run out":
        return f"run out ({'/'.join(fielders)})" if fielders else "run out"
    known = {"bowled": f"b {bowler}", "lbw": f"lbw b {bowler}", "caught and bowled": f"c & b {bowler}"}
    return known.get(kind) or str(kind)


def _label(delivery: dict[str, Any]) -> str:
    if delivery.get("wickets"):
        return "W"
    for extra, label in _EXTRAS.items():
        if count := delivery.get("extras", {}).get(extra):
            return label if extra in _ON_DELIVERY and count == 1 else f"{count}{label}"
    return str(delivery["runs"]["total"])
