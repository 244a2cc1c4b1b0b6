"""Writing systems, as far as a line of text needs them: letters, scripts, direction. Pure.

A name is cut between letters as people see them, never inside one; a line
that mixes scripts falls into runs, each of one script and one direction, in
the order in which they stand from left to right.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

LATIN = "Latin"  # and all scripts without a font of their own
JOINERS = "\u200c\u200d"
_VIRAMA_CLASS = 9  # combining class of the marks that join two consonants
# Tamil shows its virama as a dot and joins only these.
_TAMIL_VIRAMA = "\u0bcd"
_TAMIL_CONJUNCTS = ("க்ஷ", "ஸ்ர", "ஶ்ர")
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
# What the rules of UAX 9 know of a character, in one letter: of figures (1, and 9 for Arabic ones), of what
# stands in and beside them (+ , %), else "-" for what has no direction of its own.
_KINDS = {"L": "L", "R": "R", "AL": "A", "EN": "1", "AN": "9", "ES": "+", "CS": ",", "ET": "%"}
_BRACKETS = {"(": ")", "[": "]", "{": "}"}
# Mean widths in Noto Sans of a letter, and of a vowel sign beside it.
_BREADTHS = {
    LATIN: (1.0, 0.0),
    "Tamil": (2.0, 1.25),
    "Malayalam": (2.0, 1.25),
    "Sinhala": (1.5, 1.0),
    "Kannada": (1.5, 1.0),
    "Telugu": (1.5, 1.0),
}
_USUAL_BREADTHS = (1.25, 0.5)


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
        extends = character in JOINERS or unicodedata.category(character)[0] == "M"
        if found and (extends or _joins(found[-1], character)) and not found[-1].isspace():
            found[-1] += character
        else:
            found.append(character)
    return found


def _joins(letter: str, character: str) -> bool:
    """True when the character is one letter with the one before it."""
    if letter.endswith(_TAMIL_VIRAMA):
        return letter[-2:] + character in _TAMIL_CONJUNCTS
    return letter[-1] == "\u200d" or (unicodedata.combining(letter[-1]) == _VIRAMA_CLASS and character.isalpha())


def breadth(letter: str) -> float:
    """How wide the letter is, in Latin capitals; vowel signs above or below it need no room."""
    alone, sign = _BREADTHS.get(_script(letter[0]), _USUAL_BREADTHS)
    kinds = [unicodedata.category(character) for character in unicodedata.normalize("NFD", letter)]
    return sum(sign if kind == "Mc" else alone for kind in kinds if kind not in ("Mn", "Me", "Cf"))


def starts_rtl(text: str) -> bool:
    """True when the first letter that has a direction runs from right to left."""
    return next((direction for direction in map(_direction, text) if direction), "L") == "R"


def is_rtl(text: str) -> bool:
    """The direction of a line as a whole: that of its first letter, unless the line is English.

    Names have capitals; a word in small letters ("need", "won by", "v") makes the line an
    English one, which an Urdu name at its beginning does not turn around.
    """
    return starts_rtl(text) and not any(word.isalpha() and word.islower() for word in re.findall(r"\w+", text))


def runs(text: str, base_rtl: bool) -> list[Run]:
    """The line's runs from left to right; `base_rtl` is the direction of the line as a whole."""
    pieces = letters(text)
    stretches: list[tuple[int, str]] = []
    for piece, level in zip(pieces, _levels(pieces, base_rtl), strict=True):
        if stretches and stretches[-1][0] == level:
            stretches[-1] = (level, stretches[-1][1] + piece)
        else:
            stretches.append((level, piece))
    # Rule L2: what is on a level, or deeper, is turned; the deepest level first.
    for deepest in (2, 1):
        stretches = _turned(stretches, deepest)
    placed = []
    for level, stretch in stretches:
        found = _split_scripts(stretch, level == 1)
        placed += found[::-1] if level == 1 else found
    return placed


def _levels(pieces: list[str], base_rtl: bool) -> list[int]:
    """The level of each letter by the rules of UAX 9, without explicit marks: odd levels run from right to left.

    A letter's marks go with it (rule W1), for `letters` keeps them together.
    """
    base = "R" if base_rtl else "L"
    kinds = base
    for piece in pieces:
        kind = unicodedata.bidirectional(piece[0])
        kinds += kinds[-1] if kind in ("NSM", "BN") else _KINDS.get(kind, "-")
    kinds = re.sub(r"1+(?=L)", _all("L"), kinds)  # our own rule: "2nd" is one word
    kinds = re.sub(r"A[^LR]*", lambda found: found[0].replace("1", "9"), kinds).replace("A", "R")  # W2, W3
    kinds = re.sub(r"(?<=1)[+,](?=1)", "1", kinds)  # W4
    kinds = re.sub(r"(?<=9),(?=9)", "9", kinds)
    kinds = re.sub(r"%+(?=1)|(?<=1)%+", _all("1"), kinds)  # W5
    kinds = re.sub(r"[+,%]", "-", kinds)  # W6
    kinds = re.sub(r"L[^LR]*", lambda found: found[0].replace("1", "L"), kinds)  # W7
    kinds = _with_brackets(kinds, pieces)
    # N1 and N2: what has no direction goes with its neighbours if they agree, else with the line.
    kinds = re.sub(r"(?<=L)-+(?=L)", _all("L"), kinds + base)
    kinds = re.sub(r"(?<=[R19])-+(?=[R19])", _all("R"), kinds).replace("-", base)
    deep = {"L": 2 if base_rtl else 0, "R": 1}
    return [deep.get(kind, 2) for kind in kinds[1:-1]]


def _all(kind: str) -> Callable[[re.Match[str]], str]:
    """Give everything that is found the same kind."""
    return lambda found: kind * len(found[0])


def _with_brackets(kinds: str, pieces: list[str]) -> str:
    """Rule N0: both brackets of a pair take one direction; `kinds` begins with the line's, `pieces` does not."""
    base, found = kinds[0], list(kinds)
    for opening, closing in sorted(_pairs(kinds, pieces)):
        inside = {"L" if kind == "L" else "R" for kind in found[opening + 1 : closing] if kind != "-"}
        if base in inside:
            found[opening] = found[closing] = base
        elif inside:
            before = next(kind for kind in found[opening - 1 :: -1] if kind != "-")
            found[opening] = found[closing] = "L" if before == "L" else "R"
    return "".join(found)


def _pairs(kinds: str, pieces: list[str]) -> list[tuple[int, int]]:
    """The places in `kinds` of the brackets that belong together."""
    open_ones: list[tuple[str, int]] = []
    pairs = []
    for place, piece in enumerate(pieces, 1):
        if kinds[place] != "-":
            continue
        if piece[0] in _BRACKETS:
            open_ones.append((_BRACKETS[piece[0]], place))
        elif any(closing == piece[0] for closing, _ in open_ones):
            while open_ones[-1][0] != piece[0]:
                open_ones.pop()
            pairs.append((open_ones.pop()[1], place))
    return pairs


def _turned(stretches: list[tuple[int, str]], deepest: int) -> list[tuple[int, str]]:
    """The stretches with each row of those on `deepest` and deeper in the opposite order."""
    turned: list[tuple[int, str]] = []
    for is_deep, row in itertools.groupby(stretches, lambda stretch: stretch[0] >= deepest):
        members = list(row)
        turned += reversed(members) if is_deep else members
    return turned


def _split_scripts(text: str, rtl: bool) -> list[Run]:
    """Runs in reading order."""
    found: list[Run] = []
    for letter in letters(text):
        script = _script(letter[0])
        if found and (letter.isspace() or found[-1].script == script):
            found[-1] = Run(found[-1].text + letter, found[-1].script, rtl)
        else:
            found.append(Run(letter, script, rtl))
    return found


def _script(character: str) -> str:
    point = ord(character)
    if point < 0x0600:
        return LATIN
    return next((script for script, ranges in _SCRIPTS if any(first <= point <= last for first, last in ranges)), LATIN)


def _direction(character: str) -> str:
    """`L` or `R`; "" for what takes the direction of its surroundings, figures included."""
    return {"L": "L", "R": "R", "AL": "R"}.get(unicodedata.bidirectional(character), "")
