"""The label of one delivery ("4", "W", "wd", "5nb"): how feeds spell it, what it was, what it can have brought. Pure.

A label is evidence, not proof: "5nb" may be five runs in all or five and the no-ball, and "w" a wicket or a wide.
So a delivery holds the totals that its label allows, and `events.py` asks the figures which one it was.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

BALL_KINDS = ("wicket", "wide", "no_ball", "bye", "four", "six", "dot", "runs")
MOST_OFF_ONE_BALL = 8  # seven run, or a six, and the no-ball
LONGEST = 5  # drawn as it is; what is longer has a shorter usual form

_WORDS = {
    "wide": "wd", "wides": "wd", "wd": "wd", "wds": "wd",
    "nb": "nb", "n": "nb", "nbs": "nb", "noball": "nb", "noballs": "nb", "nball": "nb",
    "b": "b", "bye": "b", "byes": "b", "lb": "lb", "lbs": "lb", "legbye": "lb", "legbyes": "lb", "l": "lb",
    "p": "p", "pen": "p", "pens": "p", "penalty": "p",
    "wk": "W", "wkt": "W", "wicket": "W", "out": "W", "ro": "W", "runout": "W", "ct": "W", "c": "W", "caught": "W",
    "st": "W", "stumped": "W", "lbw": "W", "bowled": "W", "hw": "W", "hitwicket": "W", "hitwkt": "W",
    "four": "4", "six": "6", "dot": "0", "zero": "0",
}  # fmt: skip
_DOTS = re.compile(r"[.·•●∙⋅‧–—−-]+|0+")
_PIECES = re.compile(r"\d+|[a-z]+|W", re.ASCII)
# "Wnb", "nbW", "Wwd": two words in one. "WW" is a wicket that fell off a wide.
_JOINED = re.compile(r"(?:(W)(nb|wd|w|W|lb|b)|(nb|wd|lb|b)(W))\Z")


@dataclass(frozen=True)
class Delivery:
    """What a label says: `totals` are the runs that it can have brought to the side, `off_bat` those of the batter.

    `is_legal` is False for what is bowled again. `text` is what is drawn.
    """

    kind: str
    text: str
    totals: frozenset[int]
    is_legal: bool = True
    is_wicket: bool = False

    @property
    def boundary(self) -> str | None:
        """FOUR or SIX where it may be one: "4" may have been run, and a no-ball may hide a six."""
        return {"four": "FOUR", "six": "SIX"}.get(self.kind)


@lru_cache(maxsize=1024)
def delivery(label: str) -> Delivery:
    """Read one label, however it is spelled; one that nobody knows is runs, of an unknown number."""
    text = label.strip().strip("*")
    if _DOTS.fullmatch(text):
        return Delivery("dot", "0", frozenset((0,)))
    joined = _JOINED.match(text)
    words = [word for word in joined.groups() if word] if joined else _pieces(text)
    if words is None:
        return Delivery("runs", text, _up_to(0))
    numbers = [int(word) for word in words if word.isdigit()]
    kinds = [word for word in words if not word.isdigit()]
    if len(numbers) > 2 or len(kinds) > 2 or any(number > 20 for number in numbers):
        return Delivery("runs", text, _up_to(0))
    return _of(text, numbers, kinds)


def _pieces(text: str) -> list[str] | None:
    """Numbers and known words in their order; None where a word is not known."""
    compact = re.sub(r"[\s_-]", "", text)
    if compact == "w":
        return ["w"]
    if re.fullmatch(r"\d*\+?W\+?\d*", compact):
        return ["W", *re.findall(r"\d+", compact)]
    if re.fullmatch(r"\d*\+?w\+?\d*", compact):
        return ["wd", *re.findall(r"\d+", compact)]
    found = []
    in_brackets = re.sub(r"\(.*\)", "", compact) or compact
    for piece in re.findall(r"\d+|[^\W\d_]+", in_brackets):
        word = piece if piece.isdigit() else "W" if piece == "W" else _WORDS.get(piece.casefold())
        if word is None:
            return None
        found.append(word)
    return found or None


def _of(text: str, numbers: Sequence[int], kinds: Sequence[str]) -> Delivery:
    if "W" in kinds or "w" in kinds:
        extra = next((kind for kind in kinds if kind in ("wd", "nb")), None)
        extra = extra or ("wd" if list(kinds) in (["W", "w"], ["W", "W"]) else None)
        runs = frozenset(numbers[:1]) if numbers else _up_to(1 if extra else 0)
        return Delivery("wicket", _short(text, "W"), runs, is_legal=extra is None, is_wicket=True)
    kind = next(iter(kinds), None)
    if kind is None:
        made = sum(numbers)
        name = {0: "dot", 4: "four", 6: "six"}.get(made, "runs")
        return Delivery(name, str(made), frozenset((made,)))
    number = sum(numbers)
    if kind == "wd":
        brought = _up_to(1) if not numbers else frozenset((number, number + 1))
        return Delivery("wide", _short(text, f"{number or ''}wd"), brought, is_legal=False)
    if kind == "nb":
        brought = _up_to(1) if not numbers else frozenset((number, number + 1))
        return Delivery("no_ball", _short(text, f"{number or ''}nb"), brought, is_legal=False)
    totals = frozenset((number,)) if numbers else _up_to(1)
    if kind == "p":
        # Penalty runs are no delivery: the ball that they came with has a label of its own.
        return Delivery("bye", _short(text, f"{number or ''}p"), totals, is_legal=False)
    return Delivery("bye", _short(text, f"{number or ''}{kind}"), totals)


def _short(text: str, usual: str) -> str:
    """As the feed spells it where that is short and made of the usual words, else the usual form."""
    is_usual = re.fullmatch(r"\d*\+?(wd|nb|lb|b|p|W|w)\+?\d*|\d\+\d(wd|nb|lb|b)", text)
    return text if is_usual and len(text) <= LONGEST else usual


def _up_to(least: int) -> frozenset[int]:
    return frozenset(range(least, MOST_OFF_ONE_BALL + 1))


def ball_kind(label: str) -> str:
    """One of BALL_KINDS."""
    return delivery(label).kind


def legal_balls(labels: Iterable[str]) -> int:
    return sum(delivery(label).is_legal for label in labels)


def can_bring(labels: Sequence[str], runs: int) -> bool:
    """True when these deliveries can have brought so many runs together."""
    reachable = {0}
    for label in labels:
        reachable = {before + total for before in reachable for total in delivery(label).totals}
    return runs in reachable


def decided(labels: tuple[str, ...], balls_in_over: int | None, wickets: int | None) -> tuple[str, ...]:
    """Labels with each "w" decided by the score: a wicket if it counts as a ball of the over, a wide if it does not.

    Where the overs do not tell, it is a wide as long as no wicket has fallen at all; else it stays.
    """
    unsure = [index for index, label in enumerate(labels) if label == "w"]
    if not unsure:
        return labels
    others = legal_balls(label for label in labels if label != "w")
    spelled: str | None = None
    if wickets == 0:
        spelled = "wd"
    elif balls_in_over is not None and balls_in_over - others in (0, len(unsure)):
        spelled = "W" if balls_in_over - others == len(unsure) else "wd"
    return labels if spelled is None else tuple(spelled if label == "w" else label for label in labels)


def label_of(entry: Mapping[str, object]) -> object:
    """What an object for one delivery says of it, as a label or a number; "" when nothing.

    `ball` is the number of the ball where anything else is there to say what it was.
    """
    fields = {re.sub(r"[_\s-]", "", str(key)).casefold(): value for key, value in entry.items()}
    if any(_says_yes(fields.get(key)) for key in ("wicket", "iswicket", "out", "isout", "wkt")):
        return "W"
    suffix = next((word for key in _EXTRA_KEYS if (word := _extra(fields.get(key)))), "")
    counted = next(((key, value) for key, value in fields.items() if key in _COUNTED and _whole(value)), None)
    if counted and not suffix:
        return f"{_whole(counted[1])}{_COUNTED[counted[0]]}"
    for key in ("label", "text", "result", "outcome", "value", "score", "totalruns", "runs", "run"):
        value = fields.get(key)
        if value is not None and value != "" and not isinstance(value, Mapping | list | bool):
            return f"{value}{suffix}" if suffix and _whole(value) is not None else value
    return suffix or (fields.get("ball", "") if len(fields) == 1 else "")


_EXTRA_KEYS = ("extra", "extras", "extratype", "type", "kind")
_COUNTED = {"wides": "wd", "wide": "wd", "noballs": "nb", "noball": "nb", "byes": "b", "legbyes": "lb"}


def _extra(value: object) -> str:
    word = _WORDS.get(re.sub(r"[\s_-]", "", value).casefold(), "") if isinstance(value, str) else ""
    return word if word in ("wd", "nb", "b", "lb", "p") else ""


def _says_yes(value: object) -> bool:
    return value is True or (isinstance(value, str | Mapping) and bool(value) and value not in ("false", "0", "no"))


def _whole(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    return int(value) if isinstance(value, str) and re.fullmatch(r"\d{1,2}", value, re.ASCII) else None
