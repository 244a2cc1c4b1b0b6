"""Writing systems, as far as a line of text needs them: letters, scripts, direction. Pure.

A name is cut between letters as people see them, never inside one; a line
that mixes scripts falls into runs, each of one script and one direction, in
the order in which they stand from left to right.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

LATIN = "Latin"  # and all that has no font of its own
JOINERS = "\u200c\u200d"
_VIRAMA_CLASS = 9  # combining class of the marks that join two consonants
_SCRIPTS = (
    ("Arabic", ((0x0600, 0x06FF), (0x0750, 0x077F), (0x08A0, 0x08FF), (0xFB50, 0xFDFF), (0xFE70, 0xFEFC))),
    ("Devanagari", ((0x0900, 0x097F), (0xA8E0, 0xA8FF))),
    ("Bengali", ((0x0980, 0x09FF),)),
    ("Gurmukhi", ((0x0A00, 0x0A7F),)),
    ("Gujarati", ((0x0A80, 0x0AFF),)),
    ("Oriya", ((0x0B00, 0x0B7F),)),
    ("Tamil", ((0x0B80, 0x0BFF),)),
    ("Telugu", ((0x0C00, 0x0C7F),)),
    ("Kannada", ((0x0C80, 0x0CFF),)),
    ("Malayalam", ((0x0D00, 0x0D7F),)),
    ("Sinhala", ((0x0D80, 0x0DFF),)),
)
SCRIPTS = (LATIN, *(script for script, _ in _SCRIPTS))


@dataclass(frozen=True)
class Run:
    """A piece of a line in one script and one direction, its characters in reading order."""

    text: str
    script: str
    is_rtl: bool = False


def letters(text: str) -> list[str]:
    """The letters as people see them: each with its marks, and conjuncts in one piece."""
    found: list[str] = []
    for character in text:
        last = found[-1][-1] if found else ""
        extends = character in JOINERS or unicodedata.category(character)[0] == "M"
        joins = last == "\u200d" or (last and unicodedata.combining(last) == _VIRAMA_CLASS and character.isalpha())
        if found and (extends or joins) and not found[-1].isspace():
            found[-1] += character
        else:
            found.append(character)
    return found


def is_rtl(text: str) -> bool:
    """True when the first letter that has a direction runs from right to left."""
    return next((direction for direction in map(_direction, text) if direction), "L") == "R"


def runs(text: str, base_rtl: bool) -> list[Run]:
    """The line's runs from left to right; `base_rtl` is the direction of the line as a whole."""
    groups = []
    for part, part_is_rtl in _split_directions(text, base_rtl):
        pieces = _split_scripts(part, part_is_rtl)
        groups.append(pieces[::-1] if part_is_rtl else pieces)
    return [run for group in (groups[::-1] if base_rtl else groups) for run in group]


def _split_directions(text: str, base_rtl: bool) -> list[tuple[str, bool]]:
    """Stretches of one direction; what has none goes with its neighbours if they agree, else with the line."""
    strong = [_direction(character) for character in text]
    base = "R" if base_rtl else "L"
    before, after = base, base
    following = []
    for direction in reversed(strong):
        after = direction or after
        following.append(after)
    stretches: list[tuple[str, bool]] = []
    for character, direction, later in zip(text, strong, reversed(following), strict=True):
        before = direction or before
        rtl = (before if before == later else base) == "R"
        if stretches and stretches[-1][1] == rtl:
            stretches[-1] = (stretches[-1][0] + character, rtl)
        else:
            stretches.append((character, rtl))
    return stretches


def _split_scripts(text: str, rtl: bool) -> list[Run]:
    """Runs in reading order; figures stand from left to right in a right-to-left stretch, too."""
    found: list[Run] = []
    for letter in letters(text):
        script = _script(letter[0])
        if letter.isspace() and found:
            script = found[-1].script
        turned = rtl and not (script == LATIN and letter.isalnum() and not _direction(letter[0]))
        if found and (found[-1].script, found[-1].is_rtl) == (script, turned):
            found[-1] = Run(found[-1].text + letter, script, turned)
        else:
            found.append(Run(letter, script, turned))
    return found


def _script(character: str) -> str:
    point = ord(character)
    if point < 0x0600:
        return LATIN
    return next((script for script, ranges in _SCRIPTS if any(first <= point <= last for first, last in ranges)), LATIN)


def _direction(character: str) -> str:
    """`L` or `R`; "" for what takes the direction of its surroundings, figures included."""
    return {"L": "L", "R": "R", "AL": "R"}.get(unicodedata.bidirectional(character), "")
