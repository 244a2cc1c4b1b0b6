"""The `match_scorecard` (or `match_info`) answer of CricAPI, cricketdata.org, version 1. Pure, but for the date.

A refusal comes with status 200. What is known of the fields is from published clients.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from errors import FeedError
from scoring.feeds.values import flag, inner, json_object, name, overs, rows, same_side, text, whole

OVERS = {"t20": 20, "odi": 50}
MOST_WICKETS, AT_THE_CREASE, SIDES = 10, 2, 2
LIMIT_S, LIMIT_OF_A_TEST_S = 86_400, 7 * 86_400
SPENT_PAUSE_S, KEY_PAUSE_S = 3600, 600
_INNINGS = re.compile(r"\s+innings?\s+\d+\s*$", re.IGNORECASE)


class CricApi:
    """Reads one answer after the other; `calls_left` is what the newest one says of the key's day."""

    def __init__(self, wall_clock: Callable[[], float] = time.time) -> None:
        self.calls_left: int | None = None
        self._wall_clock = wall_clock

    def read(self, content: bytes) -> dict[str, Any]:
        """The match in the own shape. Raises ValueError for another shape, and FeedError for a refusal."""
        root = json_object(content)
        self.calls_left = _calls_left(root)
        if root.get("status") == "failure":
            raise _refusal(str(root.get("reason") or ""))
        match = inner(root, "data")
        if not match:
            raise ValueError("`data` is missing")
        if not isinstance(match.get("teams"), list):
            raise ValueError("`data.teams` is missing")
        if _is_forgotten(match, self._wall_clock()):
            raise ValueError("the match began days ago and is still marked as live: nobody ended it there")
        return _match(match)


def _calls_left(root: dict[str, Any]) -> int | None:
    said = inner(root, "info") or root
    most, spent = said.get("hitsLimit"), said.get("hitsToday")
    return max(0, most - spent) if isinstance(most, int) and isinstance(spent, int) else None


def _refusal(reason: str) -> FeedError:
    if reason.startswith("hits_today_exceeded"):
        return FeedError("status", "the feed answers no more today: the key's calls are spent", SPENT_PAUSE_S)
    if reason.startswith("invalid_api_key"):
        return FeedError("status", "the feed does not accept the key: is params.apikey right?", KEY_PAUSE_S)
    shown = "".join(character for character in reason[:60] if character.isalnum() or character in " _-.,")
    return FeedError("status", f"the feed refuses: {shown or 'it gives no reason'}")


def _is_forgotten(match: dict[str, Any], now: float) -> bool:
    if not flag(match.get("matchStarted")) or flag(match.get("matchEnded")):
        return False
    try:
        began = datetime.fromisoformat(str(match.get("dateTimeGMT"))).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return False
    return now - began > (LIMIT_OF_A_TEST_S if match.get("matchType") == "test" else LIMIT_S)


def _match(match: dict[str, Any]) -> dict[str, Any]:
    teams = [team for entry in match["teams"] if (team := name(entry))]
    innings = list(rows(match, "score"))
    limit = OVERS.get(str(match.get("matchType")))
    sides = [_side(entry, teams) for entry in innings]
    is_super = limit is not None and len(innings) > SIDES
    status = _status(match, sides, limit, is_super=is_super)
    batting = sides[-1] if sides else {"name": teams[0] if teams else None}
    others = [team for team in teams if not same_side(team, batting["name"])]
    is_chase = limit is not None and len(innings) == SIDES and sides[0]["runs"] is not None
    card = next((it for it in rows(match, "scorecard") if innings and same_side(_label(it), _label(innings[-1]))), {})
    return {
        "sport": "cricket",
        "title": text(match.get("name")),
        "status": status,
        "innings": len(innings) if innings and not is_super else None,
        "target": sides[0]["runs"] + 1 if is_chase else None,
        "toss": _toss(match, teams),
        "result": text(match.get("status")) if status == "finished" else None,
        "winner": name(match.get("matchWinner")) if status == "finished" else None,
        "batting": batting | {"short": _short(match, batting["name"])},
        "bowling": {"name": others[0], "short": _short(match, others[0])} if len(others) == 1 else None,
        "batters": _batters(card) if status in ("live", "super_over") else [],
        "format": {"overs": limit},
        "totals": [{"batting": side["name"], **{key: side[key] for key in _FIGURES}} for side in sides[:-1]],
        "card": {"batting": _batting(card), "bowling": _bowling(card)} if card else None,
    }


_FIGURES = ("runs", "wickets", "overs")


def _side(entry: dict[str, Any], teams: list[str]) -> dict[str, Any]:
    said = _label(entry)
    team = next((team for team in teams if same_side(team, said)), said)
    figures = {"runs": whole(entry.get("r")), "wickets": whole(entry.get("w")), "overs": overs(entry.get("o"))}
    return {"name": team, **figures}


def _label(entry: dict[str, Any]) -> str | None:
    """The side of an innings. "Northfield" begins "Northfield Women": only whole names count."""
    return name(_INNINGS.sub("", str(entry.get("inning") or "")))


def _status(match: dict[str, Any], sides: list[dict[str, Any]], limit: int | None, *, is_super: bool) -> str:
    if flag(match.get("matchEnded")):
        return "finished"
    if not flag(match.get("matchStarted")) and not sides:
        return "scheduled"
    if is_super:
        return "super_over"
    first = sides[0] if len(sides) == 1 else None
    is_over = first and limit and (first["wickets"] == MOST_WICKETS or first["overs"] == f"{limit}.0")
    return "innings_break" if is_over else "live"


def _toss(match: dict[str, Any], teams: list[str]) -> str | None:
    won, choice = name(match.get("tossWinner")), text(match.get("tossChoice"))
    if won is None or choice not in ("bat", "bowl"):
        return None
    return f"{next((team for team in teams if same_side(team, won)), won)} won the toss and chose to {choice}"


def _short(match: dict[str, Any], team: str | None) -> str | None:
    found = (info for info in rows(match, "teamInfo") if same_side(info.get("name"), team))
    return text(next(found, {}).get("shortname"))


def _batters(card: dict[str, Any]) -> list[dict[str, Any]]:
    """Those at the crease. Who is on strike is not said."""
    at_crease = [row for row in rows(card, "batting") if text(row.get("dismissal-text")) in ("batting", "not out")]
    marked = [row for row in at_crease if text(row["dismissal-text"]) == "batting"] or at_crease
    return [{"name": who, **_bat(row)} for row in marked[-AT_THE_CREASE:] if (who := _who(row, "batsman"))]


def _bat(row: dict[str, Any]) -> dict[str, Any]:
    return {
        ours: whole(row.get(key)) for ours, key in (("runs", "r"), ("balls", "b"), ("fours", "4s"), ("sixes", "6s"))
    }


def _batting(card: dict[str, Any]) -> list[dict[str, Any]]:
    found = []
    for row in rows(card, "batting"):
        how = text(row.get("dismissal-text")) or ""
        words = {"batting": "batting", "not out": "not_out", "retired hurt": "retired_hurt", "": None}
        status = words.get(how, "out")
        if who := _who(row, "batsman"):
            found.append({"name": who, **_bat(row), "status": status, "how_out": how if status == "out" else None})
    return found


def _bowling(card: dict[str, Any]) -> list[dict[str, Any]]:
    keys = (("maidens", "m"), ("runs", "r"), ("wickets", "w"), ("wides", "wd"), ("no_balls", "nb"))
    return [
        {"name": who, "overs": overs(row.get("o")), **{ours: whole(row.get(key)) for ours, key in keys}}
        for row in rows(card, "bowling")
        if (who := _who(row, "bowler"))
    ]


def _who(row: dict[str, Any], key: str) -> str | None:
    return name(inner(row, key).get("name"))
