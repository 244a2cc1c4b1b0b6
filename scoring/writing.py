"""A scoreboard in the project's own shape, as `reading.py` reads it. Pure."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from typing import Any

from scoring.scoreboard import Format, Scoreboard, Squad

_NAMES = {"pause": "break"}
_NOT_SAID = ("by_hand", "corrects")


def written(board: Scoreboard) -> dict[str, Any]:
    """What is known of the match; what is not known is left out."""
    found = _object(board)
    found["status"] = board.phase
    if board.updated_at is not None:
        found["updated_at"] = datetime.fromtimestamp(board.updated_at, UTC).isoformat().replace("+00:00", "Z")
    if board.squads:
        found["squads"] = {squad.team: list(squad.players) for squad in board.squads}
    if board.sport == "cricket":
        found["format"] = {one.name: getattr(board.format, one.name) for one in fields(Format)}
    return found


def _object(value: Any) -> dict[str, Any]:
    found = {}
    for one in fields(value):
        held = getattr(value, one.name)
        if held is not None and held != () and held is not False and one.name not in _NOT_SAID:
            found[_NAMES.get(one.name, one.name)] = _value(held)
    return found


def _value(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_value(one) for one in value if not isinstance(one, Squad)]
    return _object(value) if is_dataclass(value) else value
