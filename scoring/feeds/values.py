"""Single values as feeds and scoring programs write them. Pure."""

from __future__ import annotations

import html
import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

_SUFFIX = re.compile(r"(?:\s*(?:\((?:c|wk|c & wk|c/wk|capt)\)|[*†]))+$", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]{0,200}>")
_TRUE = (True, 1, "1", "true", "yes")
BALLS_PER_OVER = 6


class NothingToShow(Exception):
    """The answer is as it should be, and there is nothing in it to show now. The message says why."""


def whole(value: object) -> int | None:
    """A whole number from 0 to 9,999, also as text or as "7.0"; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return int(value) if math.isfinite(value) and value == int(value) and 0 <= value <= 9999 else None
    found = re.fullmatch(r"\s*(\d{1,4})(?:\.0+)?\s*", value, re.ASCII) if isinstance(value, str) else None
    return int(found[1]) if found else None


def overs(value: object) -> str | None:
    """Overs and balls: "12.4", "13" as "13.0". As a number too; 19.6 is the 20th over, complete."""
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        value = f"{value:.1f}"
    found = re.fullmatch(r"\s*(\d{1,3})(?:\.(\d))?\s*", value, re.ASCII) if isinstance(value, str) else None
    if found is None:
        return None
    done, balls = int(found[1]), int(found[2] or 0)
    return f"{done + 1}.0" if balls == BALLS_PER_OVER else f"{done}.{balls}"


def is_over_ended(text: str | None) -> bool:
    """True if this many overs end with the sixth ball: what a feed still lists then is the over before."""
    return text is not None and text.endswith(".0") and text != "0.0"


def flag(value: object) -> bool:
    """True for true, 1, "1" and "true"; feeds write all of them."""
    return (value.strip().lower() if isinstance(value, str) else value) in _TRUE


def text(value: object) -> str | None:
    """Text on one line, without HTML; None if there is none."""
    if not isinstance(value, str):
        return None
    return " ".join(html.unescape(_TAG.sub("", value)).split()) or None


def name(value: object) -> str | None:
    """A name without the marks of captain, keeper and striker; None if nobody is named."""
    return _SUFFIX.sub("", text(value) or "") or None


def label(text: str) -> str:
    """A delivery as the strip knows it: "w" is a wide, "W" a wicket, "2nb+4" a no-ball with six more runs."""
    if text == ".":
        return "0"
    if found := re.fullmatch(r"(?:w|wd)(?:\+(\d))?", text):
        more = int(found[1] or 0)
        return f"{1 + more}wd" if more else "wd"
    if found := re.fullmatch(r"(\d?)nb(?:\+(\d))?", text):
        more = int(found[1] or 0) + int(found[2] or 0)
        return f"{1 + more}nb" if more else "nb"
    return text


def counted(runs: str, kind: str) -> str:
    """A delivery of this kind ("wd", "nb", "b", "lb", "W") with all its runs; of a wide or no-ball one is usual."""
    if kind in ("wd", "nb", "W"):
        return kind if runs in ("", "0") or (runs == "1" and kind != "W") else f"{runs}{kind}"
    return f"{runs or 1}{kind}"


def json_object(content: bytes) -> dict[str, Any]:
    """The JSON object in these bytes. Raises ValueError for anything else."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        raise ValueError("the answer is no JSON") from None
    if not isinstance(found, dict):
        raise ValueError("the answer is no JSON object")
    return found


def inner(of: Mapping[str, Any], key: str) -> dict[str, Any]:
    """The object under this key; an empty one if there is none."""
    found = of.get(key)
    return found if isinstance(found, dict) else {}


def rows(of: Mapping[str, Any], key: str) -> Iterator[dict[str, Any]]:
    """The objects in the list under this key."""
    found = of.get(key)
    yield from (entry for entry in found if isinstance(entry, dict)) if isinstance(found, list) else ()


def same_side(one: object, other: object) -> bool:
    """True for the same whole name; "Northfield" and "Northfield Women" are two sides."""
    first, second = name(one), name(other)
    return first is not None and second is not None and first.casefold() == second.casefold()
