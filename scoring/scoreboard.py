"""Feed JSON to one frozen `Scoreboard`. Pure: no I/O, no drawing.

Two shapes are read: the feed in use today (an object with `currScore`, or
`data.currScore`) and this project's own (an object with `sport`). What a feed
leaves out stays `None` or empty; what it gets wrong is left out; only an
answer with nothing to show is an error. A push is read the same way, but
what is wrong in it is an error that names the field.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from errors import FeedError, InvalidField
from scoring.scripts import JOINERS, is_rtl, letters

MAX_NAME = 48
MAX_SHORT = 6
MAX_TEXT = 120
MAX_SCORE_TEXT = 8  # of another sport: "3", "15-40"
MAX_NUMBER = 9_999
MAX_WICKETS = 20
MAX_INNINGS = 20
MAX_OVERS = 999
MAX_BATTERS = 2
MAX_BALLS_SHOWN = 12  # an over with six wides; more than that is a fault of the feed
MAX_BALL_LABEL = 4
MAX_MARKS = 3  # combining marks on one letter; no script stacks more
BALLS_PER_OVER = 6
STATUSES = ("scheduled", "live", "innings_break", "rain", "super_over", "finished")

NOT_SHOWN = "?"  # for a pushed text in which there is something, but nothing that can be drawn
# A pushed text must hold more than spaces and control characters.
SOMETHING = r"[^\x00-\x20\x7f-\xa0]"

_SOMETHING = re.compile(SOMETHING)
_COLOR = re.compile(r"#[0-9a-fA-F]{6}\Z")
_LOGO = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}\.png\Z", re.ASCII)
_OVERS = re.compile(r"(\d{1,3})(?:\.(\d))?\Z", re.ASCII)
_SCORE = re.compile(r"\s*(\d{1,4})\s*(?:[/-]\s*(\d{1,2}))?\s*\Z", re.ASCII)


@dataclass(frozen=True)
class Team:
    """A side. `overs` as cricket writes them ("14.3": 14 overs and 3 balls); `score` is another sport's.

    `logo` is a plain file name on the overlay image server.
    """

    name: str
    short: str
    runs: int | None = None
    wickets: int | None = None
    overs: str | None = None
    color: str | None = None
    logo: str | None = None
    score: str | None = None


@dataclass(frozen=True)
class Batter:
    name: str
    runs: int | None = None
    balls: int | None = None
    on_strike: bool = False
    fours: int | None = None
    sixes: int | None = None


@dataclass(frozen=True)
class Bowler:
    name: str
    overs: str | None = None
    runs: int | None = None
    wickets: int | None = None
    maidens: int | None = None


@dataclass(frozen=True)
class Partnership:
    runs: int
    balls: int | None = None


@dataclass(frozen=True)
class Dismissal:
    """The last wicket as the feed tells it; `how_out` as a scorer writes it ("c Dhoni b Chahar")."""

    name: str
    runs: int | None = None
    balls: int | None = None
    how_out: str | None = None


@dataclass(frozen=True)
class Scoreboard:
    """What is known of the match now. Two equal scoreboards draw the same picture.

    Of cricket `batting` to `last_wicket` are used, of any other sport `home`,
    `away`, `clock` and `period`. `updated_at` is in seconds since 1970.
    """

    batting: Team | None = None
    bowling: Team | None = None
    batters: tuple[Batter, ...] = ()
    bowler: Bowler | None = None
    this_over: tuple[str, ...] = ()
    target: int | None = None
    result: str | None = None
    title: str | None = None
    sport: str = "cricket"
    status: str | None = None
    innings: int | None = None
    overs_limit: int | None = None
    toss: str | None = None
    player_of_match: str | None = None
    partnership: Partnership | None = None
    last_wicket: Dismissal | None = None
    home: Team | None = None
    away: Team | None = None
    clock: str | None = None
    period: str | None = None
    updated_at: float | None = field(default=None, compare=False)

    @property
    def phase(self) -> str:
        """One of STATUSES: what the feed says, else what follows from the rest."""
        if self.result and self.status in (None, "live", "super_over"):
            return "finished"
        has_begun = bool(self.batters or self.bowler or (self.batting and self.batting.runs is not None))
        return self.status or ("live" if has_begun else "scheduled")

    @property
    def sides(self) -> tuple[Team, ...]:
        """Both sides as far as they are known, the home or batting side first."""
        pair = (self.home, self.away) if self.sport == "generic" else (self.batting, self.bowling)
        return tuple(team for team in pair if team)

    @property
    def name(self) -> str:
        """The match as people call it: its title, else both sides; "" when neither is known."""
        return self.title or " v ".join(team.name for team in self.sides)


def parse_match_data(answer: object) -> Scoreboard:
    """Read either feed shape.

    Raises FeedError (kind `malformed`) when there is nothing in it to show:
    the message names what was missing.
    """
    root = _mapping(answer)
    inner = _mapping(root.get("data"))
    current = _mapping(root.get("currScore")) or _mapping(inner.get("currScore"))
    if current:
        board = _from_current_score(current)
    elif root.get("sport") == "cricket":
        board = _cricket(root, _Lenient())
    elif root.get("sport") == "generic":
        board = _generic(root, _Lenient())
    else:
        raise FeedError("malformed", "match data holds neither currScore nor sport: cricket or generic")
    if not (board.sides or board.title or board.result):
        raise FeedError("malformed", "match data names no team yet")
    return board


def read_push(body: Mapping[str, Any]) -> Scoreboard:
    """Read the project's own shape as pushed; InvalidField names the first field that cannot be used.

    Unknown fields are ignored, and null counts as missing.
    """
    sport = body.get("sport")
    if sport not in ("cricket", "generic"):
        raise InvalidField("sport must be cricket or generic")
    board = (_cricket if sport == "cricket" else _generic)(body, _Strict())
    if not (board.sides or board.title or board.result):
        fields = "batting, bowling" if sport == "cricket" else "home, away"
        raise InvalidField(f"one of {fields}, title, result must be given")
    return board


class _Lenient:
    """What cannot be used counts as missing, and what can be understood is."""

    def refuse(self, path: str, accepted: str) -> None:
        """Let it pass."""

    def text(self, value: object, longest: int) -> str:
        return _text(value, longest)

    def overs(self, value: object) -> str | None:
        return _overs(value)

    def score(self, value: object) -> str | None:
        return _other_score(value)

    def balls(self, value: object) -> tuple[str, ...] | None:
        return _balls(value)


class _Strict(_Lenient):
    """What cannot be used is an error, and nothing is guessed: openapi.py says the same of each field."""

    def refuse(self, path: str, accepted: str) -> None:
        raise InvalidField(f"{path} must be {accepted}")

    def text(self, value: object, longest: int) -> str:
        if not isinstance(value, str) or not _SOMETHING.search(value):
            return ""
        return _text(value, longest) or NOT_SHOWN

    def overs(self, value: object) -> str | None:
        return _overs(value) if isinstance(value, str) or _number(value) is not None else None

    def score(self, value: object) -> str | None:
        number = None if isinstance(value, str) else _number(value)
        return self.text(value, MAX_SCORE_TEXT) if number is None else str(number)

    def balls(self, value: object) -> tuple[str, ...] | None:
        if not isinstance(value, list):
            return None
        labels = [self._ball(entry) for entry in value]
        return tuple(labels[-MAX_BALLS_SHOWN:]) if all(labels) else None

    def _ball(self, entry: object) -> str:
        number = _number(entry)
        return self.text(entry, MAX_BALL_LABEL) if number is None else str(number)


class _Fields:
    """Reads the fields of one JSON object, and has those that cannot be used refused by their path."""

    def __init__(self, value: object, path: str, judge: _Lenient) -> None:
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
        number: int | None = self._read(key, lambda value: _number(value, most), f"a whole number from 0 to {most}")
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

    def inner(self, key: str) -> _Fields:
        return _Fields(self._values.get(key), self._at(key), self._judge)

    def objects(self, key: str, most: int) -> list[_Fields]:
        value = self._values.get(key)
        if value is None:
            return []
        if not isinstance(value, list) or len(value) > most:
            self._judge.refuse(self._at(key), f"a list of at most {most}")
        entries = value[:most] if isinstance(value, list) else []
        return [_Fields(entry, f"{self._at(key)}[{index}]", self._judge) for index, entry in enumerate(entries)]

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


def _from_current_score(current: Mapping[str, Any]) -> Scoreboard:
    batting, bowling = (_current_team(current, key) for key in ("battingTeamName", "bowlingTeamName"))
    entry = _current_entry(current, "battingTeamName")
    on_pitch = _mapping(entry.get("onPitch"))
    own = _Fields(current, "", _Lenient())
    return Scoreboard(
        batting=batting,
        bowling=bowling,
        batters=_batters(
            {**_mapping(on_pitch.get("strikerScore")), "name": on_pitch.get("striker"), "on_strike": True},
            {**_mapping(on_pitch.get("nonStrikerScore")), "name": on_pitch.get("nonStriker"), "on_strike": False},
        ),
        bowler=_current_bowler(on_pitch),
        this_over=_balls(_mapping(current.get("currOverDetail")).get("balls")),
        target=own.number("target"),
        result=own.text("result"),
        title=own.text("title"),
        status=own.status(),
        toss=own.text("toss"),
    )


def _current_entry(current: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    name = current.get(key)
    return _mapping(_mapping(current.get("teamScore")).get(name)) if isinstance(name, str) else {}


def _current_team(current: Mapping[str, Any], key: str) -> Team | None:
    name = _text(current.get(key), MAX_NAME)
    entry = _current_entry(current, key)
    runs, wickets = _score(entry.get("inningScore"))
    overs = _overs(entry.get("overs")) or _overs(entry.get("inningOver"))
    return Team(name, short_name(name), runs, wickets, overs) if name else None


def _current_bowler(on_pitch: Mapping[str, Any]) -> Bowler | None:
    figures = _mapping(on_pitch.get("bowlerScore"))
    name = _text(on_pitch.get("bowler"), MAX_NAME) or _text(figures.get("name"), MAX_NAME)
    if not name:
        return None
    balls = _number(figures.get("ballsDelivered"))
    overs = None if balls is None else f"{balls // BALLS_PER_OVER}.{balls % BALLS_PER_OVER}"
    return Bowler(name, overs, _number(figures.get("runsGiven")), _number(figures.get("wickets"), MAX_WICKETS))


def _cricket(root: Mapping[str, Any], judge: _Lenient) -> Scoreboard:
    own = _Fields(root, "", judge)
    return Scoreboard(
        batting=_team(own.inner("batting")),
        bowling=_team(own.inner("bowling")),
        batters=tuple(batter for entry in own.objects("batters", MAX_BATTERS) if (batter := _batter(entry))),
        bowler=_bowler(own.inner("bowler")),
        this_over=own.balls("this_over"),
        target=own.number("target"),
        result=own.text("result"),
        title=own.text("title"),
        status=own.status(),
        innings=own.number("innings", MAX_INNINGS),
        overs_limit=own.number("overs_limit", MAX_OVERS) or None,
        toss=own.text("toss"),
        player_of_match=own.text("player_of_match", MAX_NAME),
        partnership=_partnership(own.inner("partnership")),
        last_wicket=_dismissal(own.inner("last_wicket")),
        updated_at=own.moment("updated_at"),
    )


def _generic(root: Mapping[str, Any], judge: _Lenient) -> Scoreboard:
    own = _Fields(root, "", judge)
    return Scoreboard(
        sport="generic",
        home=_team(own.inner("home")),
        away=_team(own.inner("away")),
        clock=own.text("clock", 12),
        period=own.text("period", 24),
        result=own.text("result"),
        title=own.text("title"),
        status=own.status(),
        updated_at=own.moment("updated_at"),
    )


def _team(entry: _Fields) -> Team | None:
    name, short = entry.name("name"), entry.name("short", MAX_SHORT)
    team = Team(
        name or short,
        short or short_name(name),
        entry.number("runs"),
        entry.number("wickets", MAX_WICKETS),
        entry.overs("overs"),
        (entry.match("color", _COLOR, 'a colour as in "#004ba0"') or "").lower() or None,
        entry.match("logo", _LOGO, 'a plain file name as in "mi.png"'),
        entry.score("score"),
    )
    return team if team.name else None


def _batter(entry: _Fields) -> Batter | None:
    batter = Batter(
        entry.name("name"),
        entry.number("runs"),
        entry.number("balls"),
        entry.flag("on_strike"),
        entry.number("fours"),
        entry.number("sixes"),
    )
    return batter if batter.name else None


def _batters(*entries: Mapping[str, Any]) -> tuple[Batter, ...]:
    return tuple(batter for entry in entries if (batter := _batter(_Fields(entry, "", _Lenient()))))


def _bowler(entry: _Fields) -> Bowler | None:
    bowler = Bowler(
        entry.name("name"),
        entry.overs("overs"),
        entry.number("runs"),
        entry.number("wickets", MAX_WICKETS),
        entry.number("maidens"),
    )
    return bowler if bowler.name else None


def _partnership(entry: _Fields) -> Partnership | None:
    runs, balls = entry.number("runs"), entry.number("balls")
    return None if runs is None else Partnership(runs, balls)


def _dismissal(entry: _Fields) -> Dismissal | None:
    dismissal = Dismissal(
        entry.name("name"), entry.number("runs"), entry.number("balls"), entry.text("how_out", MAX_NAME)
    )
    return dismissal if dismissal.name else None


def _balls(value: object) -> tuple[str, ...]:
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
    number = _number(entry)
    return str(number) if number is not None else _text(entry, MAX_BALL_LABEL)


def short_name(name: str) -> str:
    """Initials of several words, else the first three letters: MI, CSK, AUS."""
    words = [word for word in re.split(r"[\s-]+", name) if word[:1].isalnum()]
    if is_rtl(name):
        # Joined Arabic initials would read as another word.
        return "\u200c".join(letters(word)[0] for word in words[:4]) or name[:3]
    if len(words) > 1:
        return "".join(letters(word)[0] for word in words[:4]).upper()
    return "".join(letters(name)[:3]).upper()


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object, longest: int) -> str:
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


def _number(value: object, most: int = MAX_NUMBER) -> int | None:
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


def _overs(value: object) -> str | None:
    match = _OVERS.match(_short_text(value))
    return match[0] if match and int(match[2] or 0) <= BALLS_PER_OVER else None


def _score(value: object) -> tuple[int | None, int | None]:
    """Runs and wickets of "101/4", "101-4", "101" or 101."""
    match = _SCORE.match(_short_text(value))
    return (int(match[1]), _number(match[2], MAX_WICKETS)) if match else (None, None)


def _other_score(value: object) -> str | None:
    return _text(_short_text(value), MAX_SCORE_TEXT) or None


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
