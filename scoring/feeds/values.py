"""Single values as scoring programs write them. Pure."""

from __future__ import annotations

import re

_SUFFIX = re.compile(r"(?:\s*(?:\((?:c|wk|c & wk|c/wk|capt)\)|[*†]))+$", re.IGNORECASE)


def whole(text: str | None) -> int | None:
    """A whole number, None for anything else."""
    found = re.fullmatch(r"\s*(\d{1,4})(?:\.0+)?\s*", text or "", re.ASCII)
    return int(found[1]) if found else None


def overs(text: str | None) -> str | None:
    """Overs and balls: "12.4", "13" as "13.0"."""
    found = re.fullmatch(r"\s*(\d{1,3})(?:\.(\d))?\s*", text or "", re.ASCII)
    return f"{int(found[1])}.{found[2] or 0}" if found else None


def name(text: str | None) -> str | None:
    """A name without the marks of captain, keeper and striker; None if nobody is named."""
    bare = _SUFFIX.sub("", " ".join((text or "").split()))
    return bare or None


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
