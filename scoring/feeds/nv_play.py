"""The scoreboard file of NV Play Cricket and Play-Cricket Scorer Pro (PCS Pro), written by a template. Pure.

The template decides whether it is JSON or XML, and the file may be called `.xml` in both cases.
The field names are the program's (NV Play's help, "Custom Scoreboard XML Integration"), those of the
JSON are a widely used template's. The file may be read while it is being written.
"""

from __future__ import annotations

import html
import json
import re
from typing import Any

from scoring.feeds.values import is_over_ended, label, name, overs, whole

CARD_ROWS = 11
# The program's own field names, and the keys that the usual JSON template gives them.
_NATIVE = {
    "CurrentBattingTeamName": "batting_team",
    "CurrentBowlingTeamName": "bowling_team",
    "InningsRuns": "runs",
    "InningsWickets": "wickets",
    "OverBallsCompleted": "overs",
    "CurrentOverBallByBall": "last_ball",
    "Target": "target",
    "RunsRequiredToWin": "runs_required",
    "CurrentPartnership_Runs": "partnership_runs",
    "CurrentPartnership_Balls": "partnership_balls",
    "LastWicketHowOut": "last_wicket_howout",
    "LastWicketBatterNameAndRuns": "last_wicket_batter",
    **{
        f"CurrentPartnership_Batter{number}{field}": f"batter{number}_{key}"
        for number in (1, 2)
        for field, key in (
            *(("Name", "name"), ("TotalRuns", "runs"), ("Balls", "balls"), ("Striker", "strike")),
            *(("Fours", "fours"), ("Sixes", "sixes")),
        )
    },
    **{f"CurrentBowler{field}": f"bowler_{field.lower()}" for field in ("Name", "Overs", "Runs", "Wickets", "Maidens")},
    **{
        f"Batter{row}_{field}": f"card_b{row}_{key}"
        for row in range(1, CARD_ROWS + 1)
        for field, key in (("Name", "name"), ("Runs", "runs"), ("Balls", "balls"), ("HowOutShort", "out"))
    },
    **{
        f"Bowler{row}_{field}": f"card_w{row}_{key}"
        for row in range(1, CARD_ROWS + 1)
        for field, key in (("Name", "name"), ("Overs", "o"), ("Maidens", "m"), ("Runs", "r"), ("Wickets", "w"))
    },
}
_LINE = re.compile(r'^\s*"([A-Za-z0-9_]+)"\s*:\s*"(.*?)"\s*,?\s*$')
_PAIR = re.compile(r'"([A-Za-z0-9_]+)"\s*:\s*"([^"]*)"')
_KEYED = re.compile(r'<field\s+key="([^"]+)"\s*>([^<]*)</field>', re.IGNORECASE)
_NUMBERED = re.compile(r'<field\s+no="(\d+)"\s*>([^<]*)</field>', re.IGNORECASE)
_FLAT = re.compile(r"<([A-Za-z][A-Za-z0-9_]*)>([^<]*)</\1>")
_OVERS_NUMBER, _BALL_NUMBERS = "457", range(610, 619)
_STRIKES = ("true", "1", "yes", "*")


class NvPlay:
    """Reads one file after the other; none needs what an earlier one said."""

    def read(self, content: bytes) -> dict[str, Any]:
        """The match in the own shape. Raises ValueError for a file that is empty or cut short."""
        text = content.decode("utf-8-sig", errors="replace").strip()
        fields = {key: value for key, value in _fields(text).items() if value.strip() and not value.startswith("{{")}
        if "batting_team" not in fields and "runs" not in fields and "overs" not in fields:
            raise ValueError("the file is empty, cut short, or has none of the usual fields")
        return _match(fields)


def _fields(text: str) -> dict[str, str]:
    if not text.startswith("<"):
        return _json_fields(text)
    keyed = {_NATIVE.get(key, key): html.unescape(value) for key, value in _KEYED.findall(text)}
    numbered = dict(_NUMBERED.findall(text))
    if _OVERS_NUMBER in numbered:
        keyed["overs"] = numbered[_OVERS_NUMBER]
        keyed["last_ball"] = " ".join(numbered.get(str(number), "") for number in _BALL_NUMBERS)
    return keyed or {key.lower(): html.unescape(value) for key, value in _FLAT.findall(text)}


def _json_fields(text: str) -> dict[str, str]:
    """The program does not escape quotation marks in its values: then the file is read line by line."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        if not text.endswith("}"):
            return {}
        by_line = {match[1]: match[2] for line in text.splitlines() if (match := _LINE.match(line))}
        return by_line or dict(_PAIR.findall(text))
    if not isinstance(found, dict):
        return {}
    return {str(key): str(value) for key, value in found.items() if isinstance(value, str | int | float)}


def _match(fields: dict[str, str]) -> dict[str, Any]:
    runs, done = whole(fields.get("runs")), overs(fields.get("overs"))
    target, required = whole(fields.get("target")) or None, whole(fields.get("runs_required")) or None
    if target is None and required and runs is not None:
        target = runs + required
    batters = [_batter(fields, number) for number in (1, 2) if name(fields.get(f"batter{number}_name"))]
    if batters and not any(batter["on_strike"] for batter in batters):
        batters[0]["on_strike"] = True
    # When an over has ended, the file still shows its balls.
    is_new_over = is_over_ended(done)
    balls = [] if is_new_over else re.split(r"[\s·]+", fields.get("last_ball", "").strip())
    return {
        "sport": "cricket",
        "status": "live" if batters else None,
        "innings": 2 if target else None,
        "target": target,
        "batting": {
            "name": name(fields.get("batting_team")),
            "runs": runs,
            "wickets": whole(fields.get("wickets")),
            "overs": done,
        },
        "bowling": {"name": name(fields.get("bowling_team"))},
        "batters": batters,
        "bowler": _bowler(fields),
        "this_over": [label(ball) for ball in balls if ball],
        "partnership": {
            "runs": whole(fields.get("partnership_runs")),
            "balls": whole(fields.get("partnership_balls")),
        },
        "last_wicket": _last_wicket(fields),
        "card": {"batting": _batting_card(fields, batters), "bowling": _bowling_card(fields)},
    }


def _batter(fields: dict[str, str], number: int) -> dict[str, Any]:
    of = {key: fields.get(f"batter{number}_{key}") for key in ("name", "runs", "balls", "fours", "sixes", "strike")}
    figures = {key: whole(of[key]) for key in ("runs", "balls", "fours", "sixes")}
    return {"name": name(of["name"]), **figures, "on_strike": (of["strike"] or "").strip().lower() in _STRIKES}


def _bowler(fields: dict[str, str]) -> dict[str, Any] | None:
    if not name(fields.get("bowler_name")):
        return None
    figures = {key: whole(fields.get(f"bowler_{key}")) for key in ("runs", "wickets", "maidens")}
    return {"name": name(fields.get("bowler_name")), "overs": overs(fields.get("bowler_overs")), **figures}


def _last_wicket(fields: dict[str, str]) -> dict[str, Any] | None:
    """The batter's name and runs stand in one field: "J WADE 22"."""
    found = re.fullmatch(r"(.+?)\s+(\d{1,3})\*?", fields.get("last_wicket_batter", "").strip())
    if found is None:
        return None
    return {"name": name(found[1]), "runs": int(found[2]), "how_out": fields.get("last_wicket_howout")}


def _batting_card(fields: dict[str, str], batters: list[dict[str, Any]]) -> list[dict[str, Any]]:
    rows, at_crease = [], {batter["name"] for batter in batters}
    for row in range(1, CARD_ROWS + 1):
        of = {key: fields.get(f"card_b{row}_{key}", "") for key in ("name", "runs", "balls", "out")}
        who, out = name(of["name"]), of["out"].strip()
        if who is None:
            continue
        status = {"not out": "not_out", "retired hurt": "retired_hurt", "retired not out": "retired_hurt"}.get(
            out.lower()
        )
        if status is None:
            status = "out" if out else "batting" if who in at_crease else "yet_to_bat"
        how_out = out if status == "out" else None
        rows.append(
            {"name": who, "runs": whole(of["runs"]), "balls": whole(of["balls"]), "status": status, "how_out": how_out}
        )
    return rows


def _bowling_card(fields: dict[str, str]) -> list[dict[str, Any]]:
    return [
        {
            "name": who,
            "overs": overs(fields.get(f"card_w{row}_o")),
            **{key: whole(fields.get(f"card_w{row}_{key[0]}")) for key in ("maidens", "runs", "wickets")},
        }
        for row in range(1, CARD_ROWS + 1)
        if (who := name(fields.get(f"card_w{row}_name")))
    ]
