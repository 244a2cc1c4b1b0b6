"""The `/mcenter/v1/ID/comm` answer of the Cricbuzz listing on RapidAPI. Pure.

Three generations of its keys are about: `batName`, `name`, and all in lower case. So every key is
lowered once, and looked up under each of its names. Known from published clients.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from scoring.feeds.values import counted, flag, inner, is_over_ended, json_object, name, overs, rows, text, whole

MAX_DEPTH = 12
LIMITED = {"t20": 20, "odi": 50}
_STATUSES = {
    **dict.fromkeys(("preview", "upcoming", "toss"), "scheduled"),
    "innings break": "innings_break",
    **dict.fromkeys(("delay", "rain", "wet outfield", "bad light"), "rain"),
    **dict.fromkeys(("complete", "abandon", "abandoned", "cancelled", "canceled"), "finished"),
}
_BREAKS = {"drinks": "drinks", "tea": "tea", "lunch": "lunch", "stumps": "stumps"}
_KINDS = {"wd": "wd", "n": "nb", "nb": "nb", "b": "b", "l": "lb", "lb": "lb", "w": "W"}
_BALL = re.compile(r"(wd|nb|lb|n|b|l|w)?(\d*)", re.IGNORECASE)
_SUPER_OVER = 3


class Cricbuzz:
    """Reads one answer after the other. `missing` names what a live answer should have and the newest has not."""

    def __init__(self) -> None:
        self.missing: tuple[str, ...] = ()

    def read(self, content: bytes) -> dict[str, Any]:
        """The match in the own shape. Raises ValueError for an answer of another shape."""
        root = _lowered(json_object(content), 0)
        header, score = inner(root, "matchheader"), inner(root, "miniscore")
        if not header:
            raise ValueError("`matchHeader` is missing")
        match = _match(root, header, score)
        self.missing = ()
        if match["status"] == "live":
            wanted = (("batsmanStriker", "batsmanstriker"), ("bowlerStriker", "bowlerstriker"), ("batTeam", "batteam"))
            self.missing = tuple(f"miniscore.{shown}" for shown, key in wanted if key not in score)
        return match


def _lowered(value: Any, depth: int) -> Any:
    if depth > MAX_DEPTH:
        return None
    if isinstance(value, dict):
        return {key.lower(): _lowered(inside, depth + 1) for key, inside in value.items()}
    return [_lowered(inside, depth + 1) for inside in value] if isinstance(value, list) else value


def _match(root: dict[str, Any], header: dict[str, Any], score: dict[str, Any]) -> dict[str, Any]:
    number = whole(score.get("inningsid"))
    limit = LIMITED.get(str(header.get("matchformat", "")).lower())
    status, pause = _status(header)
    if status == "live" and limit and number is not None and number >= _SUPER_OVER:
        status = "super_over"
    sides = [_side(inner(header, key)) for key in ("team1", "team2")]
    team = inner(score, "batteam")
    at = next((index for index, side in enumerate(sides) if side["id"] == whole(team.get("teamid"))), 0)
    bowled = overs(score.get("overs"))
    figures = {"runs": whole(team.get("teamscore")), "wickets": whole(team.get("teamwkts")) or 0, "overs": bowled}
    has_score = bool(team) and status != "scheduled"
    is_live = status in ("live", "super_over")
    batters = [_batter(score, key) for key in ("batsmanstriker", "batsmannonstriker")]
    pair = inner(score, "partnership")
    stamp = whole_seconds(root.get("responselastupdated"))
    return {
        "sport": "cricket",
        "title": text(header.get("seriesname")) or text(header.get("seriesdesc")),
        "status": status,
        "break": pause,
        "innings": number if status != "super_over" else None,
        "target": whole(score.get("target")) or None,
        "toss": _toss(inner(header, "tossresults")),
        "result": text(header.get("status")) if status == "finished" else None,
        "winner": name(inner(header, "result").get("winningteam")) if status == "finished" else None,
        "batting": sides[at] | (figures if has_score else {}),
        "bowling": sides[1 - at],
        "batters": [batter for batter in batters if batter] if is_live else [],
        "bowler": _bowler(inner(score, "bowlerstriker")) if is_live else None,
        "this_over": _this_over(score.get("recentovsstats"), bowled) if is_live else [],
        "partnership": {"runs": whole(pair.get("runs")), "balls": whole(pair.get("balls"))} if is_live else None,
        "format": {"overs": limit},
        "totals": _totals(score, sides, number),
        "updated_at": datetime.fromtimestamp(stamp, UTC).isoformat() if stamp else None,
    }


def whole_seconds(value: object) -> int | None:
    """Seconds of the epoch, as a number or as text."""
    found = re.fullmatch(r"\d{9,11}", str(value), re.ASCII)
    return int(found[0]) if found else None


def _status(header: dict[str, Any]) -> tuple[str, str | None]:
    """The end is tested first: the score of the last ball stays in the answer."""
    state = str(header.get("state") or "").strip().lower()
    if flag(header.get("complete")) or _STATUSES.get(state) == "finished":
        return "finished", None
    return _STATUSES.get(state, "live"), _BREAKS.get(state)


def _side(team: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": whole_id(team.get("id") or team.get("teamid")),
        "name": name(team.get("name") or team.get("teamname")),
        "short": text(team.get("shortname") or team.get("teamsname")),
    }


def whole_id(value: object) -> int | None:
    """An id, as a number or as text; 0 is nobody."""
    found = re.fullmatch(r"\d{1,12}", str(value), re.ASCII)
    return (int(found[0]) or None) if found else None


def _first(of: dict[str, Any], *keys: str) -> Any:
    return next((of[key] for key in keys if of.get(key) is not None), None)


def _batter(score: dict[str, Any], key: str) -> dict[str, Any] | None:
    """None if nobody is there: then the id is 0 and the name empty."""
    of = inner(score, key)
    who = name(_first(of, "batname", "name"))
    if who is None or whole_id(_first(of, "batid", "id")) is None:
        return None
    figures = {word: whole(_first(of, f"bat{word}", word)) for word in ("runs", "balls", "fours", "sixes")}
    return {"name": who, **figures, "on_strike": key == "batsmanstriker"}


def _bowler(of: dict[str, Any]) -> dict[str, Any] | None:
    who = name(_first(of, "bowlname", "name"))
    if who is None or whole_id(_first(of, "bowlid", "id")) is None:
        return None
    return {
        "name": who,
        "overs": overs(_first(of, "bowlovs", "overs")),
        "maidens": whole(_first(of, "bowlmaidens", "maidens")),
        "runs": whole(_first(of, "bowlruns", "runs")),
        "wickets": whole(_first(of, "bowlwkts", "wickets")),
    }


def _this_over(recent: object, bowled: str | None) -> list[str]:
    if not isinstance(recent, str) or is_over_ended(bowled):
        return []
    return [_label(ball) for ball in recent.rpartition("|")[2].split() if ball != "..."]


def _label(ball: str) -> str:
    if ball == ".":
        return "0"
    found = _BALL.fullmatch(ball)
    return counted(found[2], _KINDS[found[1].lower()]) if found and found[1] else ball


def _toss(said: dict[str, Any]) -> str | None:
    won, decision = name(said.get("tosswinnername")), str(said.get("decision") or "").lower()
    chosen = {"batting": "bat", "bowling": "bowl", "bat": "bat", "bowl": "bowl"}.get(decision)
    return f"{won} won the toss and chose to {chosen}" if won and chosen else None


def _totals(score: dict[str, Any], sides: list[dict[str, Any]], number: int | None) -> list[dict[str, Any]]:
    """The innings before this one. The list comes with the newest first, as a rule."""
    entries = rows(inner(score, "matchscoredetails"), "inningsscorelist")
    listed = sorted(((whole(entry.get("inningsid")) or 0, entry) for entry in entries), key=lambda pair: pair[0])
    return [
        {
            "batting": next((side["name"] for side in sides if side["id"] == whole_id(entry.get("batteamid"))), None),
            "runs": whole(entry.get("score")),
            "wickets": whole(entry.get("wickets")) or 0,
            "overs": overs(entry.get("overs")),
            "declared": flag(entry.get("isdeclared")),
            "follow_on": flag(entry.get("isfollowon")),
        }
        for index, entry in listed
        if number is None or 0 < index < number
    ]
