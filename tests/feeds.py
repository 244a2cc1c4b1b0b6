"""States of an invented match, for tests that feed them poll after poll."""

from __future__ import annotations

from typing import Any

RED, BLUE = {"name": "Red Valley"}, {"name": "Blue Hill"}
Feed = dict[str, Any]


def score(runs: int, overs: str, wickets: int = 0, **more: Any) -> Feed:
    """Red Valley bats in the first innings."""
    side = RED | {"runs": runs, "wickets": wickets, "overs": overs}
    return {"sport": "cricket", "batting": side, "bowling": BLUE, "innings": 1, "status": "live"} | more


def chase(runs: int, overs: str, wickets: int = 0, target: int = 126, **more: Any) -> Feed:
    """Red Valley chases in 20 overs."""
    return score(runs, overs, wickets) | {"innings": 2, "target": target, "overs_limit": 20} | more


def batter(name: str, runs: int, balls: int, fours: int | None = None, sixes: int | None = None) -> Feed:
    counted = {} if fours is None else {"fours": fours, "sixes": sixes or 0}
    return {"name": name, "runs": runs, "balls": balls, "on_strike": name == "A Stone"} | counted


def current(total: Any, overs: str, name: str = "Red Valley", **more: Any) -> Feed:
    """The other shape of the feed."""
    entry = {"inningScore": total, "overs": overs}
    score = {"battingTeamName": name, "bowlingTeamName": "Blue Hill", "teamScore": {name: entry}} | more
    return {"data": {"currScore": score}}
