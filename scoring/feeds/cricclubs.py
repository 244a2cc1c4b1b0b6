"""The JSON that CricClubs gives to overlays (`liveScoreOverlayData.do`). Pure, but for the last full view.

Whoever scores there switches between views. Only some of them carry the batters and the bowler; the
others keep those of the last one that did. Nobody has documented the fields: they were read from
recorded answers. Rows of players may hold e-mail addresses; only the fields that are named here are read.
"""

from __future__ import annotations

import re
from typing import Any

from scoring.feeds.values import (
    counted,
    flag,
    inner,
    is_over_ended,
    json_object,
    name,
    overs,
    rows,
    text,
    whole,
)

BALLS_OF_THE_HUNDRED = {"balls": 100, "balls_per_over": 5}
_BALL = re.compile(r"(\d*)(W|wd|nb|lb|b)?", re.IGNORECASE)
_LIVE = ("batters", "bowler", "this_over", "partnership", "last_wicket")


class CricClubs:
    """Reads the answers of one match, one after the other."""

    def __init__(self) -> None:
        self._live: dict[str, Any] = {}

    def read(self, content: bytes) -> dict[str, Any]:
        """The match in the own shape. Raises ValueError for an answer without a match."""
        root = json_object(content)
        values = inner(root, "values")
        if not values:
            raise ValueError("`values` is missing")
        if "t1Name" not in values and "t2Name" not in values:
            raise ValueError("`values.t1Name` is missing")
        # A view without live fields lists no balls either.
        if "batsman1Name" in values:
            self._live = _live_fields(values, root.get("balls"))
        return _match(values, root, self._live)


def _match(values: dict[str, Any], root: dict[str, Any], live: dict[str, Any]) -> dict[str, Any]:
    def is_on(key: str) -> bool:
        return flag(values.get(key)) or flag(root.get(key))

    is_super = is_on("isSuperOver")
    chases = is_on("isSuperOverSecondInningsStarted" if is_super else "isSecondInningsStarted")
    in_balls = str(values.get("oversOrBalls", "")).strip().upper() == "BALLS"
    sides = [_side(values, number, in_balls=in_balls, is_super=is_super) for number in (1, 2)]
    status = _status(values, live, sides, chases=chases, is_super=is_super)
    if status == "innings_break":
        chases = False  # the side that is to bat has nothing to show yet
    batting, bowling = reversed(sides) if chases else sides
    shows_live = status in ("live", "super_over")
    revised = whole(values.get("revisedTarget")) or None
    is_revised = flag(values.get("isDls")) and revised is not None
    first_total = sides[0].get("runs")
    target = None if first_total is None else revised or first_total + 1
    has_target = (chases or status == "innings_break") and not is_super
    said = text(values.get("toss")) or ""
    return {
        "sport": "cricket",
        "title": text(values.get("seriesName")),
        "status": status,
        "innings": None if is_super else 2 if chases else 1,
        "target": target if has_target else None,
        "toss": said if "won the toss" in said.lower() else None,
        "result": text(values.get("result")) if status == "finished" else None,
        "batting": batting,
        "bowling": bowling,
        **{key: live.get(key) if shows_live else None for key in _LIVE},
        "format": BALLS_OF_THE_HUNDRED if in_balls and not is_super else {"overs": whole(values.get("totalOvers"))},
        "revised": {"overs": whole(values.get("revisedOvers")), "target": revised, "method": "DLS"}
        if is_revised
        else None,
        "par": whole(values.get("parScore")) if is_revised and chases else None,
        "totals": [_total(sides[0])] if chases and not is_super else [],
        "card": _card(values, 2 if chases else 1),
    }


def _status(
    values: dict[str, Any], live: dict[str, Any], sides: list[dict[str, Any]], *, chases: bool, is_super: bool
) -> str:
    if flag(values.get("isMatchEnded")):
        return "finished"
    if is_super:
        return "super_over"
    batting = sides[1] if chases else sides[0]
    has_begun = batting.get("overs") not in (None, "0.0") or batting.get("balls") or batting.get("runs")
    if chases and not has_begun:
        return "innings_break"
    return "live" if has_begun or live.get("batters") else "scheduled"


def _side(values: dict[str, Any], number: int, *, in_balls: bool, is_super: bool) -> dict[str, Any]:
    of = {key: values.get(f"t{number}{key}") for key in ("Name", "Code", "Total", "Wickets", "Overs")}
    side = {
        "name": name(of["Name"]),
        "short": text(of["Code"]),
        "runs": whole(of["Total"]),
        "wickets": whole(of["Wickets"]),
    }
    if not in_balls:
        return side | {"overs": overs(of["Overs"])}
    balls = whole(of["Overs"])
    if is_super and balls is not None:
        return side | {"overs": "{}.{}".format(*divmod(balls, 6))}
    return side | {"balls": balls}


def _total(side: dict[str, Any]) -> dict[str, Any]:
    return {"batting": side["name"], **{key: side.get(key) for key in ("runs", "wickets", "overs")}}


def _live_fields(values: dict[str, Any], balls: object) -> dict[str, Any]:
    batters = [batter for number in (1, 2) if (batter := _batter(values, number))]
    bowler = None
    if whole(values.get("bowlerID")) != 0 and (who := _person(values, "bowler")):
        figures = {key: whole(values.get(f"bowler{key.title()}")) for key in ("maidens", "runs", "wickets")}
        bowler = {"name": who, "overs": overs(values.get("bowlerOvers")), **figures}
    bowled = overs(values.get("tOvers")) or overs(values.get("overs"))
    shown = balls if isinstance(balls, list) and not is_over_ended(bowled) else []
    pair = inner(values, "currentPartnershipMap")
    last = _person(values, "lastOut")
    return {
        "batters": batters,
        "bowler": bowler,
        "this_over": [_label(ball) for ball in shown if isinstance(ball, str) and ball],
        "partnership": {
            "runs": whole(pair.get("partnershipTotalRuns")),
            "balls": whole(pair.get("partnershipTotalBalls")),
        },
        "last_wicket": last
        and {
            "name": last,
            "runs": whole(values.get("lastOutRuns")),
            "balls": whole(values.get("lastOutBalls")),
            "how_out": text(values.get("lastOutString")),
        },
    }


def _batter(values: dict[str, Any], number: int) -> dict[str, Any] | None:
    """The first one is always the striker. Whoever is out may still be listed."""
    key = f"batsman{number}"
    who = _person(values, key)
    if who is None or flag(values.get(f"{key}IsOut")):
        return None
    figures = {ours: whole(values.get(f"{key}{theirs}")) for ours, theirs in _FIGURES}
    return {"name": who, **figures, "on_strike": number == 1}


_FIGURES = (("runs", "Runs"), ("balls", "Balls"), ("fours", "Fours"), ("sixes", "Sixers"))


def _person(values: dict[str, Any], key: str) -> str | None:
    """The full name if it is there; the short one cuts the surname to an initial."""
    short = name(values.get(f"{key}Name"))
    first, last = name(values.get(f"{key}FirstName")), name(values.get(f"{key}LastName"))
    return f"{first} {last}" if short and first and last else short


def _label(ball: str) -> str:
    if ball == ".":
        return "0"
    found = _BALL.fullmatch(ball)
    if found is None or found[2] is None:
        return ball
    return counted(found[1], "W" if found[2].upper() == "W" else found[2].lower())


def _card(values: dict[str, Any], number: int) -> dict[str, Any] | None:
    """The card of this innings, if the view happens to carry it. Its bowlers are the other side's."""
    batting = [
        {
            "name": who,
            **{ours: whole(row.get(theirs)) for ours, theirs in _CARD_FIGURES},
            "status": "yet_to_bat" if row.get("isOut") is None else "out" if flag(row["isOut"]) else "not_out",
            "how_out": text(row.get("outStringNoLink")) if flag(row.get("isOut")) else None,
        }
        for row in rows(values, f"t{number}Batting")
        if (who := _player(row))
    ]
    bowling = [
        {
            "name": who,
            "overs": None if (balls := whole(row.get("balls"))) is None else "{}.{}".format(*divmod(balls, 6)),
            **{key: whole(row.get(key)) for key in ("maidens", "runs", "wickets", "wides")},
            "no_balls": whole(row.get("noBalls")),
        }
        for row in rows(values, f"t{3 - number}Bowling")
        if (who := _player(row))
    ]
    return {"batting": batting, "bowling": bowling} if batting or bowling else None


_CARD_FIGURES = (("runs", "runsScored"), ("balls", "ballsFaced"), ("fours", "fours"), ("sixes", "sixers"))


def _player(row: dict[str, Any]) -> str | None:
    return name(" ".join(part for key in ("firstName", "lastName") if (part := text(row.get(key)))))
