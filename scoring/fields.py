"""One field of a feed or a push at a time: text, numbers, overs, balls, times.

`Lenient` and `Strict` judge what cannot be used: of a feed it is left out,
of a push it is an error that names the field. Every text leaves here on one
line, within its limit and without characters that could turn a line around.
It does not know which fields make a score: `reading.py` does.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from errors import InvalidField
from scoring.scoreboard import (
    BALLS_PER_OVER,
    MAX_BALL_LABEL,
    MAX_BALLS_SHOWN,
    MAX_NAME,
    MAX_NUMBER,
    MAX_SCORE_TEXT,
    MAX_TEXT,
    MAX_WICKETS,
    STATUSES,
)
from scoring.scripts import JOINERS, letters

MAX_MARKS = 3  # combining marks on one letter; no script stacks more

NOT_SHOWN = "?"  # for a pushed text in which there is something, but nothing that can be drawn
# A pushed text must hold more than spaces and control characters.
SOMETHING = r"[^\x00-\x20\x7f-\xa0]"

_SOMETHING = re.compile(SOMETHING)
_OVERS = re.compile(r"(\d{1,3})(?:\.(\d))?\Z", re.ASCII)
_SCORE = re.compile(r"\s*(\d{1,4})\s*(?:[/-]\s*(\d{1,2}))?\s*\Z", re.ASCII)


class Lenient:
    """What cannot be used counts as missing, and what can be understood is."""

    def refuse(self, path: str, accepted: str) -> None:
        """Let it pass."""

    def text(self, value: object, longest: int) -> str:
        return read_text(value, longest)

    def overs(self, value: object) -> str | None:
        return read_overs(value)

    def score(self, value: object) -> str | None:
        return _other_score(value)

    def balls(self, value: object) -> tuple[str, ...] | None:
        return read_balls(value)


class Strict(Lenient):
    """What cannot be used is an error, and nothing is guessed: openapi.py says the same of each field."""

    def refuse(self, path: str, accepted: str) -> None:
        raise InvalidField(f"{path} must be {accepted}")

    def text(self, value: object, longest: int) -> str:
        if not isinstance(value, str) or not _SOMETHING.search(value):
            return ""
        return read_text(value, longest) or NOT_SHOWN

    def overs(self, value: object) -> str | None:
        return read_overs(value) if isinstance(value, str) or read_number(value) is not None else None

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
        return self.text(entry, MAX_BALL_LABEL) if number is None else str(number)


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

    def number(self, key: str, most: int = MAX_NUMBER) -> int | None:
        number: int | None = self._read(key, lambda value: read_number(value, most), f"a whole number from 0 to {most}")
        return number

    def overs(self, key: str) -> str | None:
        overs: str | None = self._read(key, self._judge.overs, 'whole overs, or text of overs and balls as in "14.3"')
        return overs

    def flag(self, key: str) -> bool:
        return self._read(key, lambda value: value if isinstance(value, bool) else None, "true or false") is True

    def match(self, key: str, pattern: re.Pattern[str], accepted: str) -> str | None:
        found: str | None = self._read(
            key, lambda value: value if isinstance(value, str) and pattern.match(value) else None, accepted
        )
        return found

    def status(self) -> str | None:
        status: str | None = self._read("status", _status, f"one of {', '.join(STATUSES)}")
        return status

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
            self._judge.refuse(self._at(key), f"a list of at most {most}")
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
            self._judge.refuse(self._at(key), accepted)
            return None
        return found

    def _at(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key


def read_balls(value: object) -> tuple[str, ...]:
    """The over so far; of too many balls the newest are kept."""
    if not isinstance(value, list):
        return ()
    labels = [_ball(entry) for entry in value[-MAX_BALLS_SHOWN:]]
    return tuple(label for label in labels if label)


def _ball(entry: object) -> str:
    """One delivery as a label ("4", "W", "wd"); objects are seen in the wild with their label under various keys."""
    if isinstance(entry, Mapping):
        for key in ("label", "ball", "score", "value", "result", "runs", "run"):
            if key in entry and not isinstance(entry[key], Mapping):
                return _ball(entry[key])
        return ""
    if isinstance(entry, bool) or not isinstance(entry, str | int | float):
        return ""
    number = read_number(entry)
    return str(number) if number is not None else read_text(entry, MAX_BALL_LABEL)


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


def read_overs(value: object) -> str | None:
    match = _OVERS.match(_short_text(value))
    return match[0] if match and int(match[2] or 0) <= BALLS_PER_OVER else None


def read_score(value: object) -> tuple[int | None, int | None]:
    """Runs and wickets of "101/4", "101-4", "101" or 101."""
    match = _SCORE.match(_short_text(value))
    return (int(match[1]), read_number(match[2], MAX_WICKETS)) if match else (None, None)


def _other_score(value: object) -> str | None:
    return read_text(_short_text(value), MAX_SCORE_TEXT) or None


def _status(value: object) -> str | None:
    word = re.sub(r"[\s-]+", "_", value.strip().lower()) if isinstance(value, str) else ""
    return word if word in STATUSES else None


def _moment(value: object) -> float | None:
    if not isinstance(value, str) or len(value) > 40:
        return None
    try:
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
