"""Matches in Cricsheet's JSON, as a scorer's taps, and what they come to: derived here without any of the laws.

Who faces the next ball is not worked out but read from the next delivery, so it checks what the page works out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

Json = dict[str, Any]
HOWS = {
    "caught": "caught", "caught and bowled": "caught", "bowled": "bowled", "lbw": "lbw", "run out": "run_out",
    "stumped": "stumped", "hit wicket": "hit_wicket", "retired out": "retired_out",
}  # fmt: skip


@dataclass
class Figures:
    """What stands after one delivery. `striker` is None if the next ball is another innings', or he is not in yet."""

    runs: int = 0
    wickets: int = 0
    overs: str = "0.0"
    batters: dict[str, tuple[int, int, int, int]] = field(default_factory=dict)
    striker: str | None = None
    bowler: tuple[str, str, int, int] = ("", "0.0", 0, 0)
    extras: dict[str, int] = field(default_factory=dict)
    partnership: tuple[int, int] = (0, 0)
    this_over: list[str] = field(default_factory=list)


@dataclass
class Told:
    """The events up to and with each delivery, and the figures after it."""

    events: list[Json] = field(default_factory=list)
    after: list[tuple[int, Figures]] = field(default_factory=list)  # the number of events, and what then stands


def told(match: Json) -> Told:
    """A whole match."""
    found, ids = Told(), count(1)

    def add(kind: str, **fields: Any) -> None:
        found.events.append({"id": f"e{next(ids)}", "kind": kind} | fields)

    info = match["info"]
    first, second = match["innings"][0]["team"], match["innings"][1]["team"]
    shape = {"overs": info["overs"], "balls_per_over": info["balls_per_over"], "free_hits": True}
    shape["new_batter_faces"] = info["dates"][0] >= "2022-10"
    for number, innings in enumerate(match["innings"]):
        deliveries = [(over["over"], one) for over in innings["overs"] for one in over["deliveries"]]
        opening = deliveries[0][1]
        pair = {"striker": opening["batter"], "non_striker": opening["non_striker"], "bowler": opening["bowler"]}
        if number == 0:
            add("setup", batting=first, bowling=second, format=shape, squads=info["players"], **pair)
        else:
            target = innings["target"]
            if target["overs"] != info["overs"]:
                add("revise", overs=target["overs"], target=target["runs"], method=info["outcome"].get("method"))
            add("innings", **pair)
        _innings(add, found, deliveries)
    return found


def _innings(add: Any, found: Told, deliveries: list[tuple[int, Json]]) -> None:
    bats, bowls = _Tallies(), _Tallies()
    side: Counter[str] = Counter()
    extras = {"wides": 0, "no_balls": 0, "byes": 0, "leg_byes": 0, "penalty": 0}
    stand, labels = [0, 0], list[str]()
    seen = {deliveries[0][1]["batter"], deliveries[0][1]["non_striker"]}
    for index, (over, one) in enumerate(deliveries):
        if index and deliveries[index - 1][0] != over:
            labels = []
            add("bowler", name=one["bowler"])
        for name in (one["batter"], one["non_striker"]):
            if name not in seen:
                seen.add(name)
                add("batter", name=name)
        following = deliveries[index + 1] if index + 1 < len(deliveries) else None
        add("ball", **_tap(one, following, ends_over=following is not None and following[0] != over))
        given, runs = one.get("extras", {}), one["runs"]
        is_legal = not {"wides", "noballs"} & set(given)
        side.update(runs=runs["total"], balls=is_legal)
        for ours, theirs in zip(extras, ("wides", "noballs", "byes", "legbyes", "penalty"), strict=True):
            extras[ours] += given.get(theirs, 0)
        bats[one["batter"]].update(runs=runs["batter"], balls="wides" not in given)
        if not runs.get("non_boundary"):
            bats[one["batter"]].update(fours=runs["batter"] == 4, sixes=runs["batter"] == 6)
        conceded = runs["batter"] + given.get("wides", 0) + given.get("noballs", 0)
        bowls[one["bowler"]].update(runs=conceded, balls=is_legal)
        stand = [stand[0] + runs["total"], stand[1] + ("wides" not in given)]
        for wicket in one.get("wickets", []):
            side["wickets"] += 1
            stand = [0, 0]
            bowls[one["bowler"]]["wickets"] += wicket["kind"] not in ("run out", "retired out")
        labels.append(_label(one))
        gone = {wicket["player_out"] for wicket in one.get("wickets", [])}
        left = {one["batter"], one["non_striker"]} - gone
        bowler = bowls[one["bowler"]]
        figures = Figures(
            side["runs"], side["wickets"], _overs(side["balls"]),
            {name: tuple(bats[name][what] for what in ("runs", "balls", "fours", "sixes")) for name in left},  # type: ignore[misc]
            following[1]["batter"] if following and following[1]["batter"] in left else None,
            (one["bowler"], _overs(bowler["balls"]), bowler["runs"], bowler["wickets"]),
            dict(extras), (stand[0], stand[1]), list(labels),
        )  # fmt: skip
        found.after.append((len(found.events), figures))


class _Tallies(dict[str, Counter[str]]):
    def __missing__(self, name: str) -> Counter[str]:
        return self.setdefault(name, Counter())


def _tap(one: Json, following: tuple[int, Json] | None, *, ends_over: bool) -> Json:
    """What the scorer taps for this delivery. `crossed` is what he has seen: where the other batter stands then."""
    given, runs = one.get("extras", {}), one["runs"]
    tap: Json = {"runs": runs["total"] - given.get("noballs", 0) - (1 if "wides" in given else 0)}
    for theirs, ours in (("wides", "wide"), ("noballs", "no_ball"), ("byes", "bye"), ("legbyes", "leg_bye")):
        if theirs in given:
            tap[ours] = True
    if runs.get("non_boundary"):
        tap["boundary"] = False
    for wicket in one.get("wickets", []):
        who = "striker" if wicket["player_out"] == one["batter"] else "non_striker"
        fielders = [fielder.get("name", "sub") for fielder in wicket.get("fielders", [])]
        if wicket["kind"] == "caught and bowled":
            fielders = [one["bowler"]]
        tap["wicket"] = {"how": HOWS[wicket["kind"]], "who": who, "fielder": fielders[0] if fielders else None}
        if wicket["kind"] in ("run out", "caught", "caught and bowled"):
            tap["wicket"]["crossed"] = _crossed(one, tap["runs"], who, following, ends_over)
    return tap


def _crossed(one: Json, ran: int, who: str, following: tuple[int, Json] | None, ends_over: bool) -> bool:
    if following is None:
        return False
    other = one["non_striker"] if who == "striker" else one["batter"]
    faces = following[1]["batter"] == other
    at_strikers_end = (who == "striker") == bool(ran % 2)  # of the other, if they have not crossed
    return bool(faces != (at_strikers_end != ends_over))


def _overs(balls: int) -> str:
    return f"{balls // 6}.{balls % 6}"


def _label(one: Json) -> str:
    given = one.get("extras", {})
    if one.get("wickets"):
        return "Wwd" if "wides" in given else "Wnb" if "noballs" in given else "W"
    for theirs, word in (("wides", "wd"), ("noballs", "nb"), ("byes", "b"), ("legbyes", "lb")):
        if theirs in given:
            total = one["runs"]["total"]
            return f"{total}{word}" if total > 1 or word in ("b", "lb") else word
    return str(one["runs"]["total"])


def prefixes(found: Told) -> Iterator[list[Json]]:
    """The log after each delivery."""
    for length, _ in found.after:
        yield found.events[:length]
