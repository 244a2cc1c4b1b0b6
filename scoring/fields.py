"""One field of a feed or a push at a time: text, numbers, overs, balls, times.

`Lenient` and `Strict` judge what cannot be used: of a feed it is left out,
of a push it is an error that names the field. Every text leaves here on one
line, within its limit and without characters that could turn a line around.
It does not know which fields make a score: `reading.py` does.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from errors import InvalidField
from scoring.labels import delivery, label_of
from scoring.scoreboard import (
    MAX_BALL_LABEL,
    MAX_BALLS_SHOWN,
    MAX_INNINGS_PER_SIDE,
    MAX_NAME,
    MAX_NUMBER,
    MAX_SCORE_TEXT,
    MAX_TEXT,
    MAX_WICKETS,
    STATUSES,
)
from scoring.scripts import JOINERS, letters

MAX_MARKS = 3  # combining marks on one letter: no script uses more

NOT_SHOWN = "?"  # for a pushed text in which there is something, but nothing that can be drawn
# A pushed text must hold more than spaces and control characters.
SOMETHING = r"[^\x00-\x20\x7f-\xa0]"

_SOMETHING = re.compile(SOMETHING)
_OVERS = re.compile(r"(\d{1,3})(?:\.(\d))?\Z", re.ASCII)
_SCORE = re.compile(
    r"(\d{1,4})\s*(?:(?:/|-|for)\s*(\d{1,2}))?\s*\*?\s*(?:(all out|a/?o)|(d|dec|decl|declared)\.?)?\*?\Z",
    re.ASCII | re.IGNORECASE,
)
_BESIDE_A_SCORE = re.compile(r"\([^()]*\)|\bf/o\b|\bfollow(?:ing|ed)?[ -]on\b|\bov(?:er)?s?\b", re.IGNORECASE)
_BETWEEN_SCORES = re.compile(r"\s*(?:&|\band\b|,|;|\+)\s*", re.IGNORECASE)
ALL_OUT = 10  # what "all out" means if the feed does not say how many play
# What feeds write where they have nothing.
_PLACEHOLDER = re.compile(
    r"(data )?not found|n/?a|none|null|undefined|unknown|yet to bat|tb[acd]|dnf|dnb|-+|\?+|\.+", re.IGNORECASE
)


def is_placeholder(text: str) -> bool:
    """True for what feeds write where they have nothing: "Data Not Found", "N/A", "TBC", "-"."""
    return not text.strip() or _PLACEHOLDER.fullmatch(text.strip()) is not None


@dataclass(frozen=True)
class Score:
    """One innings as a feed writes it; `wickets` is None where it does not say."""

    runs: int
    wickets: int | None = None
    is_declared: bool = False


class Lenient:
    """What cannot be used counts as missing, and what can be understood is.

    `faults` names each figure that cannot be right, by its path; a text where the feed has nothing is none.
    """

    def __init__(self) -> None:
        self.faults: list[str] = []

    def refuse(self, path: str, accepted: str, _value: object = None) -> None:
        """Leave it out. Remember it if it should have been a figure."""
        is_figure = "number" in accepted or "overs" in accepted
        if is_figure and not (isinstance(_value, str) and is_placeholder(_value)):
            self.faults.append(f"{path} is {_shown(_value)}, not {accepted}")

    def text(self, value: object, longest: int) -> str:
        return read_text(value, longest)

    def overs(self, value: object, balls_per_over: int) -> str | None:
        return read_overs(value, balls_per_over)

    def score(self, value: object) -> str | None:
        return _other_score(value)

    def balls(self, value: object) -> tuple[str, ...] | None:
        return read_balls(value)


class Strict(Lenient):
    """What cannot be used is an error, and nothing is guessed: openapi.py says the same of each field."""

    def refuse(self, path: str, accepted: str, _value: object = None) -> None:
        raise InvalidField(f"{path} must be {accepted}")

    def text(self, value: object, longest: int) -> str:
        if not isinstance(value, str) or not _SOMETHING.search(value):
            return ""
        return read_text(value, longest) or NOT_SHOWN

    def overs(self, value: object, balls_per_over: int) -> str | None:
        return read_overs(value, balls_per_over) if isinstance(value, str) or read_number(value) is not None else None

    def score(self, value: object) -> str | None:
        number = None if isinstance(value, str) else read_number(value)
        return self.text(value, MAX_SCORE_TEXT) if number is None else str(number)

    def balls(self, value: object) -> tuple[str, ...] | None:
        if not isinstance(value, list):
            return None
        labels = [self._ball(entry) for entry in value]
        return tuple(labels[-MAX_BALLS_SHOWN:]) if all(labels) else None

    def _ball(self, entry: object) -> str:
        number = read_number(entry)
        return _as_drawn(self.text(entry, MAX_TEXT) if number is None else str(number))


class Fields:
    """Reads the fields of one JSON object, and has those that cannot be used refused by their path."""

    def __init__(self, value: object, path: str, judge: Lenient) -> None:
        self._judge = judge
        self._path = path
        self._values = value if isinstance(value, Mapping) else {}
        if value is not None and not isinstance(value, Mapping):
            judge.refuse(path, "an object")

    def name(self, key: str, longest: int = MAX_NAME) -> str:
        return (
            self._read(key, lambda value: self._judge.text(value, longest), "text with letters or digits in it") or ""
        )

    def text(self, key: str, longest: int = MAX_TEXT) -> str | None:
        return self.name(key, longest) or None

    def number(self, key: str, most: int = MAX_NUMBER, least: int = 0) -> int | None:
        def read(value: object) -> int | None:
            number = read_number(value, most)
            return number if number is not None and number >= least else None

        number: int | None = self._read(key, read, f"a whole number from {least} to {most}")
        return number

    def overs(self, key: str, balls_per_over: int = 6) -> str | None:
        overs: str | None = self._read(
            key,
            lambda value: self._judge.overs(value, balls_per_over),
            'whole overs, or text of overs and balls as in "14.3"',
        )
        return overs

    def word(self, key: str, accepted: Sequence[str]) -> str | None:
        """One of a few words, in capitals or not."""
        word: str | None = self._read(key, lambda value: _word(value, accepted), f"one of {', '.join(accepted)}")
        return word

    def flag(self, key: str) -> bool:
        return self._read(key, lambda value: value if isinstance(value, bool) else None, "true or false") is True

    def match(self, key: str, pattern: re.Pattern[str], accepted: str) -> str | None:
        found: str | None = self._read(
            key, lambda value: value if isinstance(value, str) and pattern.match(value) else None, accepted
        )
        return found

    def status(self) -> str | None:
        return self.word("status", STATUSES)

    def keys(self) -> list[str]:
        return [key for key in self._values if isinstance(key, str)]

    def texts(self, key: str, most: int, longest: int = MAX_NAME) -> tuple[str, ...]:
        """A list of names, without empty ones."""
        value = self._values.get(key)
        if value is None:
            return ()
        if not isinstance(value, list) or len(value) > most:
            self._judge.refuse(self._at(key), f"a list of at most {most} names", value)
        entries = value[:most] if isinstance(value, list) else []
        names = []
        for index, entry in enumerate(entries):
            name = self._judge.text(entry, longest)
            if not name:
                self._judge.refuse(f"{self._at(key)}[{index}]", "text with letters or digits in it", entry)
            names.append(name)
        return tuple(name for name in names if name)

    def score(self, key: str) -> str | None:
        score: str | None = self._read(
            key, self._judge.score, f"a whole number or text of 1 to {MAX_SCORE_TEXT} characters"
        )
        return score

    def moment(self, key: str) -> float | None:
        moment: float | None = self._read(key, _moment, 'a time as in "2019-05-12T17:40:11Z"')
        return moment

    def inner(self, key: str) -> Fields:
        return Fields(self._values.get(key), self._at(key), self._judge)

    def objects(self, key: str, most: int) -> list[Fields]:
        value = self._values.get(key)
        if value is None:
            return []
        if not isinstance(value, list) or len(value) > most:
            self._judge.refuse(self._at(key), f"a list of at most {most}", value)
        entries = value[:most] if isinstance(value, list) else []
        return [Fields(entry, f"{self._at(key)}[{index}]", self._judge) for index, entry in enumerate(entries)]

    def balls(self, key: str) -> tuple[str, ...]:
        value = self._values.get(key)
        labels = None if value is None else self._judge.balls(value)
        if value is not None and labels is None:
            self._judge.refuse(self._at(key), 'a list of labels, as in ["1", "W", "wd", "4"]')
        return labels or ()

    def _read(self, key: str, read: Callable[[object], Any], accepted: str) -> Any:
        value = self._values.get(key)
        if value is None or value == "":
            return None
        found = read(value)
        if found is None or found == "":
            self._judge.refuse(self._at(key), accepted, value)
            return None
        return found

    def _at(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key


def read_balls(value: object) -> tuple[str, ...]:
    """The balls of this over. If there are too many, the newest are kept."""
    if not isinstance(value, list):
        return ()
    labels = [_ball(entry) for entry in value[-MAX_BALLS_SHOWN:]]
    return tuple(label for label in labels if label)


def _ball(entry: object) -> str:
    """One delivery as a label ("4", "W", "wd")."""
    if isinstance(entry, Mapping):
        entry = label_of(entry)
    if isinstance(entry, bool) or not isinstance(entry, str | int | float):
        return ""
    number = read_number(entry)
    return _as_drawn(str(number) if number is not None else read_text(entry, MAX_TEXT))


def _as_drawn(label: str) -> str:
    """The label in its usual spelling; "?" if it is unknown and too long to draw."""
    text = delivery(label).text if label else ""
    return text if len(text) <= MAX_BALL_LABEL else NOT_SHOWN


def read_text(value: object, longest: int) -> str:
    """Composed Unicode on one line, control characters gone, cut before the letter that ends beyond `longest`."""
    if not isinstance(value, str):
        return ""
    text = unicodedata.normalize("NFC", value[: 4 * longest])
    kept = "".join(" " if character.isspace() else character for character in text if _is_shown(character))
    line, length = [], 0
    for letter in letters(" ".join(kept.split())):
        letter = letter[:1] + _few_marks(letter[1:])  # noqa: PLW2901
        length += len(letter)
        if length > longest:
            break
        line.append(letter)
    return "".join(line).rstrip().strip(JOINERS)


def _few_marks(marks: str) -> str:
    """A letter's marks without those that only pile up: no script needs more than MAX_MARKS in a row."""
    kept, in_a_row = "", 0
    for mark in marks:
        in_a_row = in_a_row + 1 if unicodedata.category(mark)[0] == "M" else 0
        if in_a_row <= MAX_MARKS and not (mark in JOINERS and kept[-1:] in JOINERS and kept):
            kept += mark
    return kept


def _is_shown(character: str) -> bool:
    # Joiners (Cf) shape Indic and Arabic words; other formats could turn a line around.
    return (
        character.isspace()
        or character in JOINERS
        or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
    )


def read_number(value: object, most: int = MAX_NUMBER) -> int | None:
    """A whole number from 0 to `most`, from a number or its text; else None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and re.fullmatch(r"\s*\d{1,4}\s*", value, re.ASCII):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and 0 <= value <= most else None


def _short_text(value: object) -> str:
    """A number or text as text; "" for what is no score, such as a number of a thousand digits."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    if isinstance(value, int) and not 0 <= value <= MAX_NUMBER:
        return ""
    return str(value).strip()


def read_overs(value: object, balls_per_over: int = 6) -> str | None:
    match = _OVERS.match(_short_text(value))
    return match[0] if match and int(match[2] or 0) <= balls_per_over else None


def read_scores(value: object) -> tuple[Score, ...] | None:
    """A side's innings as feeds write them, the newest last; None where that cannot be read.

    "101/4", "101-4", 101, "101 for 4", "101/4*", "120/3d", "101-4 dec", "250 all out", "250 & 101/4".
    """
    text = " ".join(_BESIDE_A_SCORE.sub(" ", _short_text(value)).split())
    found = tuple(_score(part) for part in _BETWEEN_SCORES.split(text)) if len(text) <= MAX_TEXT else (None,)
    scores = tuple(score for score in found if score is not None)
    return scores if scores and len(scores) == len(found) <= MAX_INNINGS_PER_SIDE else None


def _score(text: str) -> Score | None:
    match = _SCORE.match(text)
    if match is None:
        return None
    wickets = read_number(match[2], MAX_WICKETS)
    if match[2] is not None and wickets is None:
        return None
    return Score(int(match[1]), ALL_OUT if match[3] and wickets is None else wickets, bool(match[4]))


def _shown(value: object) -> str:
    """A value in a few characters, as it may be shown to a person."""
    if isinstance(value, str):
        return f'"{read_text(value, 24)}"'
    if isinstance(value, int) and not -(10**12) < value < 10**12:
        return "a number of too many digits"
    return f"{value!r}"[:24] if isinstance(value, int | float) else "no number"


def _other_score(value: object) -> str | None:
    return read_text(_short_text(value), MAX_SCORE_TEXT) or None


def _word(value: object, accepted: Sequence[str]) -> str | None:
    word = re.sub(r"[\s-]+", "_", value.strip().lower()) if isinstance(value, str) else ""
    return word if word in accepted else None


def _moment(value: object) -> float | None:
    if not isinstance(value, str) or len(value) > 40:
        return None
    try:
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
