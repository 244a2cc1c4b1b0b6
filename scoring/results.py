"""What a result text says: who has won, that the match was tied, or neither. Pure.

A text is read word by word. Names of the sides are found first, the longest first, so that no word in a name
counts as a verb; what is left must say in so many words that a side won or lost. What says it twice and
otherwise says nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from scoring.scoreboard import Team

MAX_READ = 400  # characters


@dataclass(frozen=True)
class Outcome:
    """`kind` is "win", "tie" or "none": drawn, abandoned, or the text does not say.

    `winner` is the side's name as the scoreboard writes it; None where nobody won, or it is not said who.
    """

    kind: str
    winner: str | None = None


def is_side(name: str, side: Team) -> bool:
    """True for the side's name or its short form, in whichever capitals and spaces."""
    asked = _folded(name)
    return bool(asked) and asked in (_folded(side.name), _folded(side.short))


@lru_cache(maxsize=256)
def _folded(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())


# A token is one word in lower case, or the number of a side.
_Token = str | int

_WIN = {"won", "win", "wins", "beat", "beats", "defeat", "defeats", "defeated", "thrash", "thrashed", "crushed"} | {
    # Hindi and Marathi, Urdu, Bengali, Gujarati, Punjabi, Tamil, Telugu, Kannada, Malayalam, Sinhala
    "जीता", "जीती", "जीते", "जीत", "विजयी", "जिंकला", "जिंकली", "जिंकले", "جیتا", "جیتی", "جیت", "জয়ী", "জিতেছে", "জিতল",
    "જીત્યું", "જીત્યા", "ਜਿੱਤਿਆ", "ਜਿੱਤੀ", "வென்றது", "வெற்றி", "గెలిచింది", "గెలుపు", "ಗೆದ್ದಿತು", "ജയിച്ചു", "ජයගත්තේය", "ජය",
}  # fmt: skip
_LOSS = {"lost", "lose", "loses", "हारा", "हारी", "हारे", "हार", "ہارا", "ہاری", "ہار", "হেরেছে"}
_PASSIVE = {"beaten", "defeated", "thrashed", "crushed"}  # after "was", "were", or before "by"
_GIVEN_UP = {"conceded", "concedes", "forfeited", "forfeits", "forfeit"}
_NOUNS = {"won", "win", "victory", "triumph", "walkover", "awarded", "goes"}
_DEFEATED = {"हराया", "हरवले", "ہرایا"}  # its subject comes first
_NO_RESULT = {
    "abandoned", "cancelled", "canceled", "postponed", "drawn", "draw", "void", "called", "washed", "washout",
}  # fmt: skip
_TIE = {"tied", "tie", "ties"}
_AUXILIARIES = {"was", "were", "is", "are", "been", "get", "got"}
_NOT_YET = {
    "to", "not", "cannot", "could", "can", "may", "might", "will", "would", "should", "must", "need", "needs", "if",
    "unless", "didn't", "couldn't", "never", "nobody", "neither", "almost", "nearly",
}  # fmt: skip
_NO_VERB_BEFORE = {"toss", "probability", "chance", "chances", "predictor", "percentage"}
_WORD = re.compile(r"[^\W_](?:[^\W_]|['’]|[\u0300-\u036f\u0900-\u0dff\u064b-\u0655\u200c\u200d])*")


def outcome_of(text: str, sides: Sequence[Team]) -> Outcome:
    """Who won by this text, of two sides at most."""
    tokens = _tokens(text[:MAX_READ], sides[:2])
    winners = set(_winners(tokens))
    if len(winners) > 1:
        winners.discard(None)
    if len(winners) == 1:
        [winner] = winners
        return Outcome("win", None if winner is None else sides[winner].name)
    if winners:
        return Outcome("none")
    words = {token for token in tokens if isinstance(token, str)}
    is_level = {"scores", "level"} <= words or {"scores", "levelled"} <= words
    if (words & _TIE or is_level) and not words & _NO_RESULT:
        return Outcome("tie")
    return Outcome("none")


def _tokens(text: str, sides: Sequence[Team]) -> list[_Token]:
    """The text's words in lower case, with each side in the place of its name."""
    composed = unicodedata.normalize("NFC", text)
    names = _names(composed, sides)
    found: list[_Token] = []
    at = 0
    lowered = composed.casefold() if len(composed.casefold()) == len(composed) else composed.lower()
    for match in _WORD.finditer(composed):
        if match.start() < at:
            continue
        side = next(
            (
                (number, match.start() + len(name))
                for name, number, is_exact in names
                if (composed if is_exact else lowered).startswith(name, match.start())
                and _ends_a_word(composed, match.start() + len(name))
            ),
            None,
        )
        if side is not None:
            found.append(side[0])
            at = side[1]
        else:
            found.append(lowered[match.start() : match.end()].replace("’", "'"))
            at = match.end()
    return found


def _names(text: str, sides: Sequence[Team]) -> list[tuple[str, int, bool]]:
    """The spellings of the sides, the longest first. A short name counts only as it is written: "IN" is no "in"."""
    found: list[tuple[str, int, bool]] = []
    shorts = [side.short for side in sides]
    for number, side in enumerate(sides):
        name = unicodedata.normalize("NFC", side.name)
        lowered = name.casefold() if len(name.casefold()) == len(name) else name.lower()
        found.append((lowered, number, False))
        is_shouted = text.upper() == text and side.short.casefold() in _ENGLISH
        if shorts.count(side.short) == 1 and side.short and side.short != side.name and not is_shouted:
            found.append((unicodedata.normalize("NFC", side.short), number, True))
    return sorted((one for one in found if one[0]), key=lambda one: -len(one[0]))


_ENGLISH = _WIN | _LOSS | _TIE | _NO_RESULT | _NOT_YET | _PASSIVE | {"by", "the", "in", "at", "on", "and", "for", "v"}


def _ends_a_word(text: str, end: int) -> bool:
    """No letter, figure or mark goes on there."""
    return end >= len(text) or unicodedata.category(text[end])[0] not in "LNM"


def _winners(tokens: Sequence[_Token]) -> Iterator[int | None]:
    """Of each clause that says so the side that won; None where it is not named."""
    for place, token in enumerate(tokens):
        if not isinstance(token, str):
            continue
        before, after = tokens[:place], tokens[place + 1 :]
        if _is_denied(before, after):
            continue
        said = _said_by(token, before, after)
        if said is not None:
            yield from said


def _is_denied(before: Sequence[_Token], after: Sequence[_Token]) -> bool:
    last = [token for token in before[-3:] if isinstance(token, str)]
    if any(word in _NOT_YET for word in last[-2:]):
        return True
    return any(token in _NO_VERB_BEFORE for token in after[:2])


def _said_by(word: str, before: Sequence[_Token], after: Sequence[_Token]) -> tuple[int | None, ...] | None:
    """What one word says of who won; None where it says nothing of it."""
    by, nearest = _side_after(after, "by"), _nearest(before)
    if word in _PASSIVE and (by is not None or (before and before[-1] in _AUXILIARIES)):
        return _one(by if by is not None else _other(nearest))
    if word in _NOUNS:
        side = _won_as_a_noun(word, before, after, by)
        if side is not None:
            return _one(side)
    if word in _WIN:
        return _one(nearest) if nearest is not None or _is_a_margin(after) else None
    return _lost(word, before, by, nearest)


def _won_as_a_noun(word: str, before: Sequence[_Token], after: Sequence[_Token], by: int | None) -> int | None:
    """ "Match won by Blue Hill", "a win for Blue Hill", "awarded to Blue Hill"."""
    if by is not None and word in ("won", "win", "victory") and not (before and isinstance(before[-1], int)):
        return by
    if word == "won":
        return None
    return next((side for link in ("for", "to") if (side := _side_after(after, link)) is not None), None)


def _lost(word: str, before: Sequence[_Token], by: int | None, nearest: int | None) -> tuple[int | None, ...] | None:
    if word in _LOSS and nearest is not None:
        return _one(_other(nearest))
    if word in _GIVEN_UP and not (before and before[-1] in ("by", "on", "through", "via")):  # "won by forfeit"
        loser = by if by is not None else nearest
        return _one(_other(loser)) if loser is not None else None
    if word in _DEFEATED:
        first = next((one for one in before if isinstance(one, int)), None)
        return _one(first) if first is not None else None
    return None


def _one(side: int | None) -> tuple[int | None, ...]:
    return (side,)


def _other(side: int | None) -> int | None:
    return None if side is None else 1 - side


def _nearest(before: Sequence[_Token]) -> int | None:
    """The side named last before a verb; none where a list of both stands there ("A v B: won by ...")."""
    named = [place for place, token in enumerate(before) if isinstance(token, int)]
    if not named:
        return None
    place = named[-1]
    is_listed = place > 0 and before[place - 1] in ("v", "vs", "and", "versus", "against")
    if is_listed and len(named) > 1:
        return None
    side = before[place]
    return side if isinstance(side, int) else None


def _side_after(after: Sequence[_Token], word: str) -> int | None:
    """The side that follows directly on a word, which itself stands close by: "lost to", "conceded by"."""
    for place, token in enumerate(after[:4]):
        if isinstance(token, int):
            return None
        if token == word and place + 1 < len(after):
            named = next((one for one in after[place + 1 : place + 3] if one != "the"), None)
            return named if isinstance(named, int) else None
    return None


def _is_a_margin(after: Sequence[_Token]) -> bool:
    """ "by 5 runs", "by an innings": somebody has won, whoever it was."""
    return (
        len(after) > 1 and after[0] == "by" and bool({"run", "runs", "wicket", "wickets", "innings"} & set(after[1:5]))
    )
