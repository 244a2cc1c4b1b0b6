"""The messages that the Play-Cricket Scorer app sends to a club's scoreboard by Bluetooth or a serial line. Pure.

A message is three letters and a value: `OVB12.3`. Only what has changed is sent, so the values are
kept. British apps write runs/wickets, Australian ones wickets/runs; which it is shows as soon as one
number is over 10. Source of the codes: Cricket Australia's help, "Integration with Scoreboard via Bluetooth".
"""

from __future__ import annotations

import re
from typing import Any

from scoring.feeds.values import label, name, overs, whole

MOST_MESSAGES = 2000
_CODES = {
    *("COV", "OVB", "OVR", "BTN", "FTN", "BTS", "FTS", "BTR", "BTW", "BTT", "RRQ", "DLT", "LWK"),
    *("B1N", "B1S", "B1B", "B1K", "B2N", "B2S", "B2B", "B2K", "F1N", "F1S", "LWN", "LWS", "LWD", "LWB", "LWF"),
}
_SERIAL = re.compile(r"\d+,(.*)#")
_PAIR = re.compile(r"(\d{1,4})/(\d{1,4})(?:\s*\((\d{1,3}(?:\.\d)?)\))?")
_HOW_OUT = {
    "b": "b {bowler}",
    "lbw": "lbw b {bowler}",
    "c": "c {fielder} b {bowler}",
    "st": "st {fielder} b {bowler}",
    "ro": "run out ({fielder})",
    "hw": "hit wicket b {bowler}",
    "ht": "hit the ball twice",
    "to": "timed out",
    "of": "obstructing the field",
    "rt": "retired",
}
MOST_WICKETS = 10


class PcsScoreboard:
    """One match's values so far."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}
        self._runs_first: bool | None = None

    def read(self, content: bytes) -> dict[str, Any]:
        """Take messages, one a line, and give the match in the own shape. Raises ValueError if there is no message."""
        lines = re.split(r"[\0\r\n]+", content.decode("utf-8", errors="replace"))
        found = [message for line in lines[:MOST_MESSAGES] if (message := _message(line))]
        if not found:
            raise ValueError("there is no message in it: one is three letters and a value, as in OVB12.3")
        for code, value in found:
            self._take(code, value)
        return self._match()

    def _take(self, code: str, value: str) -> None:
        if code in ("BTS", "F1S") and (pair := _PAIR.match(value)):
            first, second = int(pair[1]), int(pair[2])
            if code == "BTS" and max(first, second) > MOST_WICKETS and min(first, second) <= MOST_WICKETS:
                self._runs_first = first > second
        if code in ("B1K", "B2K") and value.strip() == "1":
            self._values.update({"B1K": "0", "B2K": "0"})
        self._values[code] = value

    def _get(self, code: str) -> str:
        return self._values.get(code, "").strip()

    def _match(self) -> dict[str, Any]:
        runs, wickets = self._score()
        target = whole(self._get("DLT")) or whole(self._get("BTT")) or None
        if target is None and runs is not None and (required := whole(self._get("RRQ"))):
            target = runs + required
        batters = [batter for number in (1, 2) if (batter := self._batter(number))]
        return {
            "sport": "cricket",
            "status": "live" if batters or self._get("COV") else None,
            "innings": 2 if target else None,
            "target": target,
            "batting": {
                "name": name(self._get("BTN")),
                "runs": runs,
                "wickets": wickets,
                "overs": overs(self._get("OVB")),
            },
            "bowling": {"name": name(self._get("FTN"))},
            "batters": batters,
            "bowler": self._bowler(),
            "this_over": [label(ball) for ball in self._get("COV").split()],
            "last_wicket": self._last_wicket(),
        }

    def _score(self) -> tuple[int | None, int | None]:
        """The single values are sure; the pair is believed once its order is known, or where that does not matter."""
        runs, wickets = whole(self._get("BTR")), whole(self._get("BTW"))
        text = self._get("BTS")
        if runs is None and (bare := whole(text)) is not None:
            return bare, wickets
        if runs is None and (pair := _PAIR.match(text)):
            first, second = int(pair[1]), int(pair[2])
            if self._runs_first is not None or first == second:
                runs, wickets = (first, second) if self._runs_first in (True, None) else (second, first)
        return runs, wickets

    def _batter(self, number: int) -> dict[str, Any] | None:
        who = name(self._get(f"B{number}N"))
        if who is None:
            return None
        figures = {"runs": whole(self._get(f"B{number}S")), "balls": whole(self._get(f"B{number}B"))}
        return {"name": who, **figures, "on_strike": self._get(f"B{number}K") == "1"}

    def _bowler(self) -> dict[str, Any] | None:
        who, pair = name(self._get("F1N")), _PAIR.match(self._get("F1S"))
        if who is None:
            return None
        if pair is None or self._runs_first is None:
            return {"name": who}
        first, second = int(pair[1]), int(pair[2])
        runs, wickets = (first, second) if self._runs_first else (second, first)
        return {"name": who, "runs": runs, "wickets": wickets, "overs": overs(pair[3])}

    def _last_wicket(self) -> dict[str, Any] | None:
        who, figures = name(self._get("LWN")), re.match(r"(\d{1,3})(?:\s*\((\d{1,3})\))?", self._get("LWS"))
        if who is None:
            return None
        how = _HOW_OUT.get(self._get("LWD").lower(), "").format(
            bowler=name(self._get("LWB")) or "", fielder=name(self._get("LWF")) or ""
        )
        runs, balls = (int(figures[1]), whole(figures[2])) if figures else (None, None)
        return {"name": who, "runs": runs, "balls": balls, "how_out": how.replace(" ()", "").strip() or None}


def _message(line: str) -> tuple[str, str] | None:
    serial = _SERIAL.fullmatch(line.strip())
    text = serial[1] if serial else line
    return (text[:3], text[3:]) if text[:3] in _CODES else None
