"""The `match_detail` answer of the Play-Cricket API, versions 2 and 3, with the club's own token. Pure.

Its provider says that it is not a real-time feed. So an innings that is under way is not shown: only
what stands before the match, between the innings and after the match.
Source: the API's documentation by the England and Wales Cricket Board.
"""

from __future__ import annotations

from typing import Any

from scoring.feeds.values import NothingToShow, flag, json_object, name, overs, rows, text, whole

NOT_NOW = "an innings is under way, and Play-Cricket is not real-time: it is shown between innings and at the end"
PLAYERS = 11
_ENDED = ("W", "L", "T", "D", "A", "C", "CON")
_NOT_OUT = ("no", "not out")


class PlayCricket:
    """Reads one answer after the other."""

    def read(self, content: bytes) -> dict[str, Any]:
        """The match in the own shape. Raises ValueError for another shape, NothingToShow while an innings is played."""
        match = next(rows(json_object(content), "match_details"), None)
        if match is None:
            raise ValueError("`match_details` is missing or empty")
        if "home_club_name" not in match:
            raise ValueError("`match_details[0].home_club_name` is missing")
        return _match(match)


def _match(match: dict[str, Any]) -> dict[str, Any]:
    # `innings_number` begins anew for each side: only the order counts.
    innings = list(rows(match, "innings"))
    has_ended = str(match.get("result") or "").strip().upper() in _ENDED
    if innings and not has_ended and not _is_complete(match, innings[-1]):
        raise NothingToShow(NOT_NOW)
    sides = {text(match.get(f"{place}_team_id")) or place: _side(match, place) for place in ("home", "away")}
    last = innings[-1] if innings else {}
    first_id = text(last.get("team_batting_id")) or text(match.get("batted_first")) or ""
    batting = sides.get(first_id) or next(iter(sides.values()))
    other = next((side for side in sides.values() if side != batting), None)
    target = whole(last.get("revised_target_runs")) if len(innings) > 1 else None
    balls = whole(match.get("balls_per_innings"))
    return {
        "sport": "cricket",
        "title": text(match.get("competition_name")),
        "status": "finished" if has_ended else "innings_break" if innings else "scheduled",
        "innings": len(innings) or None,
        "target": target or _target(innings),
        "toss": text(match.get("toss")),
        "result": text(match.get("result_description")) if has_ended else None,
        "winner": _winner(match, sides) if has_ended else None,
        "batting": {"name": batting, **_figures(last)},
        "bowling": {"name": other},
        "format": {"balls": balls} if balls else {"overs": whole(match.get("no_of_overs")), "players": _players(match)},
        "totals": [
            {
                "batting": sides.get(text(one.get("team_batting_id")) or "") or name(one.get("team_batting_name")),
                **_figures(one),
                "declared": flag(one.get("declared")),
                "forfeited": flag(one.get("forfeited_innings")),
            }
            for one in innings[:-1]
        ],
        "card": _card(last) if last else None,
    }


def _side(match: dict[str, Any], place: str) -> str | None:
    """The club and its team: the team alone is "1st XI"."""
    club, team = name(match.get(f"{place}_club_name")), name(match.get(f"{place}_team_name"))
    return f"{club} {team}" if club and team else club or team


def _players(match: dict[str, Any]) -> int:
    return whole(match.get("no_of_players")) or PLAYERS


def _figures(innings: dict[str, Any]) -> dict[str, Any]:
    return {
        "runs": whole(innings.get("runs")),
        "wickets": whole(innings.get("wickets")),
        "overs": overs(innings.get("overs")),
    }


def _is_complete(match: dict[str, Any], innings: dict[str, Any]) -> bool:
    most = whole(match.get("no_of_overs"))
    is_all_out = whole(innings.get("wickets")) == _players(match) - 1
    has_used_overs = bool(most) and overs(innings.get("overs")) == f"{most}.0"
    return is_all_out or has_used_overs or flag(innings.get("declared")) or flag(innings.get("forfeited_innings"))


def _target(innings: list[dict[str, Any]]) -> int | None:
    """Of a match of one innings a side, when the first is over."""
    runs = whole(innings[0].get("runs")) if innings else None
    return None if runs is None or len(innings) > 2 else runs + 1


def _winner(match: dict[str, Any], sides: dict[str, str | None]) -> str | None:
    is_won = str(match.get("result") or "").strip().upper() in ("W", "L")
    return sides.get(text(match.get("result_applied_to")) or "") if is_won else None


def _card(innings: dict[str, Any]) -> dict[str, Any]:
    batting = [
        {
            "name": who,
            **{key: whole(row.get(key)) for key in ("runs", "balls", "fours", "sixes")},
            "status": (status := _status(row)),
            "how_out": _how_out(row) if status == "out" else None,
        }
        for row in rows(innings, "bat")
        if (who := name(row.get("batsman_name")))
    ]
    keys = ("maidens", "runs", "wickets", "wides", "no_balls")
    bowling = [
        {"name": who, "overs": overs(row.get("overs")), **{key: whole(row.get(key)) for key in keys}}
        for row in rows(innings, "bowl")
        if (who := name(row.get("bowler_name")))
    ]
    fall = [
        {"wicket": whole(row.get("wickets")), "runs": whole(row.get("runs")), "name": name(row.get("batsman_out_name"))}
        for row in rows(innings, "fow")
    ]
    kinds = (("wides", "wides"), ("no_balls", "no_balls"), ("byes", "byes"), ("leg_byes", "leg_byes"))
    extras = {ours: whole(innings.get(f"extra_{theirs}")) for ours, theirs in (*kinds, ("penalty", "penalty_runs"))}
    return {"batting": batting, "bowling": bowling, "fall": fall, "extras": extras}


def _status(row: dict[str, Any]) -> str:
    how = (text(row.get("how_out")) or "").lower()
    if how in _NOT_OUT or (not how and whole(row.get("runs")) is not None):
        return "not_out"
    if how.startswith("ret"):
        return "retired_hurt" if "hurt" in how or "not out" in how else "retired_out"
    return "yet_to_bat" if how in ("", "dnb") else "out"


def _how_out(row: dict[str, Any]) -> str | None:
    how = (text(row.get("how_out")) or "").lower()
    fielder, bowler = name(row.get("fielder_name")) or "", name(row.get("bowler_name")) or ""
    forms = {
        "b": f"b {bowler}",
        "ct": f"c {fielder} b {bowler}",
        "ct&b": f"c & b {bowler}",
        "lbw": f"lbw b {bowler}",
        "st": f"st {fielder} b {bowler}",
        "hw": f"hit wicket b {bowler}",
        "ro": f"run out ({fielder})" if fielder else "run out",
        "ob": "obstructing the field",
        "hb": "hit the ball twice",
        "tt": "timed out",
    }
    return forms.get(how, how) or None
