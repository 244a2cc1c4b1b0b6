"""The text of a result as a line of one shape, for `results.py`. Pure.

Words in small letters, each with a space behind it; `<a>` and `<b>` for the sides, `<x>` for a
name that both have, `#` for a number, `;` between clauses. Toss, series, scores, questions and
what has not happened are left out; a side is repeated before the verb of its second clause.

    BLUE HILL lost the toss but won by 5 runs (DLS)   ->   ; <b> ; <b> won by # runs ;
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from scoring import result_words as words
from scoring.scoreboard import Team
from scoring.scripts import JOINERS

MARKS = "ab"
UNCLEAR = "x"

_ALIKE = str.maketrans("’‘`´‐‑‒–—−", "''''------")
_ENDS = str.maketrans(dict.fromkeys(".;:!,[]{}|।॥،۔؛…", " ; ") | {"?": " ? ; ", "؟": " ? ; ", "&": " and ", "%": " % "})
_OUR_OWN = str.maketrans("<>#+", "    ")
_NUMBER = re.compile(r"(?<!\w)\d+(?:[./:-]\d+)*d?(?!\w)")


def plain(text: str) -> str:
    """The text in composed form, on one line, without invisible characters."""
    text = unicodedata.normalize("NFC", text).translate(_ALIKE)
    seen = (c for c in text if c.isspace() or (c not in JOINERS and unicodedata.category(c)[0] != "C"))
    return " ".join("".join(seen).split())


def folded(text: str) -> str:
    """The text in small letters, without a change of its length."""
    return "".join(small if len(small := c.casefold()) == 1 else c for c in text)


# Vocabulary as parts of patterns


def one_of(*lists: str) -> str:
    """One of the words in the lists, from its beginning on."""
    return _one({word for text in lists for word in text.split()})


def one_phrase_of(text: str) -> str:
    """One of the phrases between commas."""
    return _one({phrase for phrase in text.split(",") if phrase.strip()})


def _one(found: set[str]) -> str:
    written = sorted((re.escape(folded(plain(text))) for text in found), key=len, reverse=True)
    return f"(?<= )(?:{'|'.join(written)})"


def word_set(*lists: str) -> frozenset[str]:
    return frozenset(folded(plain(word)) for text in lists for word in text.split())


SIDE = "<.> "
WON, LOST, BEATS, DEFEATED = (one_of(found) for found in (words.WON, words.LOST, words.BEATS, words.DEFEATED))
GAVE_UP, GAINS, VICTORY = one_of(words.GAVE_UP), one_of(words.GAINS), one_of(words.VICTORY)
BETWEEN = rf"(?:{one_of(words.BETWEEN)} ){{0,6}}"  # a side and its verb
WALKOVER = "(?<= )walk ?over "

_WORDS = word_set(
    *(
        words.WON,
        words.BEATS,
        words.DEFEATED,
        words.CRUSHED,
        words.LOST,
        words.VICTORY,
        words.LOSS,
        words.GAINS,
        words.GAVE_UP,
    ),
    *(words.BETWEEN, words.GRADES, words.AFTER_A_SIDE, words.SOMEBODY, words.OTHER_PRIZES, words.OTHER_LOSSES),
    *(words.DOUBT, words.CONDITIONS, words.CHANCES, words.ORDINARY),
)
_JOINED = word_set(words.DID_IT, words.DONE_TO, words.FROM_WHOM, words.WHOSE)

# In this order the line is brought into its shape.
_BRACKETS = re.compile(r"\( ([^()]*)\) ")
_SAYS = re.compile(f"{WON} |{BEATS} |{DEFEATED} |{LOST} |{GAVE_UP} |{one_of('beaten tied awarded')} |{WALKOVER}")
_QUESTION = re.compile(r"[^;]*\? ")
_SCORE = re.compile(rf"({SIDE})# (?:(?:#|for|all|out|dec|d|declared|ov|overs|over|and|in) )*")
_GRADE = re.compile(rf"({SIDE})(?:; )?(?:{one_of(words.GRADES)} )+")
_ONE_AGAINST_OTHER = re.compile(r"<(.)> (?:v|vs|versus|and|against|at|@) <(?!\1).> ")
_STOPS = one_of("by on off with in to from at after under via and but")
_SHORT_WAY = rf"(?:(?!{_STOPS} )[^;<> ]+ ){{0,3}}"
_BESIDE_THE_MATCH = [
    re.compile(pattern)
    for pattern in (
        rf"(?:{WON}|{one_of(words.OTHER_WINNING)}) {_SHORT_WAY}{one_of(words.OTHER_PRIZES)} ",
        rf"(?:{LOST}|losing|{GAVE_UP}) {_SHORT_WAY}{one_of(words.OTHER_PRIZES, words.OTHER_LOSSES)} ",
        rf"(?:toss|series|award) {BETWEEN}(?:won|tied|drawn|level|lost|winners?) (?:by )?(?:; )?(?:{SIDE})?",
        r"(?<=; )toss ; [^;]*",
        rf"{WON} (?:; )?(?:and )?(?:will )?{one_of(words.CHOSE)} ",
        rf"{WON} # (?:of|in|from|out|match|matches|games?) ",
        rf"(?:win|winning|victory) {one_of(words.CHANCES)} ",
    )
]
_AND = re.compile(r"(?:; )?(?:and (?!#)|but |then |yet )")
_LINK = re.compile(r"(?:while|whilst|after|before|because|since|though|although|when|despite|having) ")
_DOUBTED = re.compile(rf"(?:{one_of(words.DOUBT)} |(?<= )no (?!#)|(?<= )to {one_of(words.HOPED_FOR)} )[^;]*")

_FIRST_SIDE = re.compile(rf"(?:(?:the|result|final|match|and|both) )*({SIDE})")
_FIRST_VERB = re.compile(
    rf" {BETWEEN}(?:{WON}|{BEATS}|{DEFEATED}|{LOST}|{GAVE_UP}|{GAINS}|{one_of('beaten went triumphed prevailed')}) "
)
_FILLING = re.compile(rf" {BETWEEN}\Z")


@dataclass(frozen=True)
class Name:
    """One way to write a side; `is_word` when it may be a word of the text as well."""

    text: str
    mark: str
    is_short: bool

    @property
    def is_word(self) -> bool:
        return folded(self.text) in _WORDS


def names_of(sides: Sequence[Team]) -> list[Name]:
    """The longest first, because one may be a part of another."""
    names: dict[str, Name] = {}
    for mark, side in zip(MARKS, sides, strict=False):
        _add(names, Name(plain(side.name), mark, False))
    full = set(names)
    for mark, side in zip(MARKS, sides, strict=False):
        short = plain(side.short)
        # A number is no side: "won by 5 runs".
        if folded(short) not in full and not short.isdigit() and any(c.isalnum() for c in short):
            _add(names, Name(short, mark, True))
    return sorted(names.values(), key=lambda name: -len(name.text))


def _add(names: dict[str, Name], name: Name) -> None:
    key = folded(name.text)
    if key:
        names[key] = Name(name.text, UNCLEAR, name.is_short) if key in names else name


def shaped(text: str, names: Sequence[Name]) -> str:
    """The line of a plain text."""
    line = _tokens(_masked(text, names))
    line = _BRACKETS.sub(lambda found: f"; {found[1]}; " if _SAYS.search(f" {found[1]}") else "", line)
    line = _QUESTION.sub("", line.replace("( ", "; ").replace(") ", "; "))
    line = _SCORE.sub(r"\1", line)
    if not _overlap(names):
        line = _GRADE.sub(r"\1", line)
    line = _ONE_AGAINST_OTHER.sub("; ", line)
    for pattern in _BESIDE_THE_MATCH:
        line = pattern.sub("", line)
    line = _carried(_LINK.sub("; ", _AND.sub("+ ", line)))
    return _DOUBTED.sub("", line)


def _overlap(names: Sequence[Name]) -> bool:
    """True when one side's name is a part of the other's: then "Red Valley 2nd XI" need not be "Red Valley"."""
    full = [(f" {folded(name.text)} ", name.mark) for name in names if not name.is_short]
    return any(one in other and mark != its for one, mark in full for other, its in full)


def _masked(text: str, names: Sequence[Name]) -> str:
    """In small letters, with marks for the sides."""
    small = folded(text)
    is_mixed = any(c.isupper() for c in text) and any(c.islower() for c in text)
    found: dict[int, tuple[int, str]] = {}
    taken = bytearray(len(text))
    for name in names:
        wanted = folded(name.text)
        begin = small.find(wanted)
        while begin >= 0:
            end = begin + len(wanted)
            if (
                not any(taken[begin:end])
                and _stands_alone(small, begin, end)
                and _is_meant(name, text[begin:end], is_mixed)
            ):
                found[begin] = (end, name.mark)
                taken[begin:end] = b"\1" * (end - begin)
            begin = small.find(wanted, begin + 1)
    pieces, at = [], 0
    for begin, (end, mark) in sorted(found.items()):
        pieces += [small[at:begin].translate(_OUR_OWN), f" <{mark}> "]
        at = end
    return "".join([*pieces, small[at:].translate(_OUR_OWN)])


def _is_meant(name: Name, written: str, is_mixed: bool) -> bool:
    """Among small letters a short name has its capitals; without any to compare with, it must not be a word."""
    if not (name.is_short or name.is_word):
        return True
    if is_mixed:
        return written == name.text or (len(written) > 1 and written.isupper())
    return not (name.is_short and name.is_word)


def _stands_alone(text: str, begin: int, end: int) -> bool:
    """True when it is no part of a word; South Asian languages join words such as "of" to the end of a name."""
    if begin and _in_word(text[begin - 1]) and _in_word(text[begin]):
        return False
    if end == len(text) or not _in_word(text[end]) or not _in_word(text[end - 1]):
        return True
    rest = next((at for at in range(end, len(text)) if not _in_word(text[at])), len(text))
    return not text[end:rest].isascii() and text[end:rest] in _JOINED


def _in_word(character: str) -> bool:
    r"""`\w` has no vowel signs."""
    return unicodedata.category(character)[0] in "LMN"


def _tokens(text: str) -> str:
    """Words, marks, numbers and ends of clauses, each with a space behind it."""
    text = re.sub(r"\b(vs?|def|bt|wkts?)\. ", r"\1 ", _NUMBER.sub(" # ", text))
    text = text.replace(" - ", " ; ").replace("(", " ( ").replace(")", " ) ").translate(_ENDS)
    text = "".join(c if _in_word(c) or c in "<>#;?()'%@ " else " " for c in text)
    text = re.sub(r"(?<![^\W_])'(?!s )|'(?![^\W_])", " ", f"{text} ")  # quotation marks
    return f"; {' '.join(text.split())} ; "


def _carried(line: str) -> str:
    """With the side repeated in a clause that begins with its verb."""
    kept, side, is_alone = [], "", False
    for link, clause in re.findall(r"([;+]) ([^;+]*)", line):
        begins = _FIRST_SIDE.match(clause)
        repeated = ""
        if begins:
            # With two sides in a row, nobody knows which one is meant.
            is_alone = clause == begins[0] and not (is_alone and side != begins[1])
            side = begins[1]
        elif not _FILLING.match(f" {clause}"):
            if (link == "+" or is_alone) and _FIRST_VERB.match(f" {clause}"):
                repeated = side
            elif link == ";":
                side = ""
            is_alone = False
        kept.append(f"; {repeated}{clause}")
    return "".join([*kept, "; "])
