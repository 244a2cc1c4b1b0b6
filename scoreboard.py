"""Feed JSON to one frozen `Scoreboard`. Pure: no I/O, no drawing.

Two shapes are read: the feed in use today (an object with `currScore`, or
`data.currScore`) and this project's own (an object with `sport`). What a feed
leaves out stays `None` or empty; what it gets wrong is left out; only an
answer with nothing to show is an error.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from errors import FeedError

MAX_NAME = 48
MAX_TEXT = 120
MAX_NUMBER = 9_999
MAX_BALLS_SHOWN = 12  # an over with six wides; more than that is a fault of the feed
MAX_BALL_LABEL = 4
BALLS_PER_OVER = 6

_COLOR = re.compile(r"#[0-9a-fA-F]{6}\Z")
_OVERS = re.compile(r"(\d{1,3})(?:\.(\d))?\Z")
_SCORE = re.compile(r"\s*(\d{1,4})\s*(?:[/-]\s*(\d{1,2}))?\s*\Z")


@dataclass(frozen=True)
class Team:
    """A side. `overs` as cricket writes them ("14.3": 14 overs and 3 balls)."""

    name: str
    short: str
    runs: int | None = None
    wickets: int | None = None
    overs: str | None = None
    color: str | None = None


@dataclass(frozen=True)
class Batter:
    name: str
    runs: int | None = None
    balls: int | None = None
    on_strike: bool = False


@dataclass(frozen=True)
class Bowler:
    name: str
    overs: str | None = None
    runs: int | None = None
    wickets: int | None = None


@dataclass(frozen=True)
class Scoreboard:
    """What is known of the match now. Two equal scoreboards draw the same picture."""

    batting: Team | None = None
    bowling: Team | None = None
    batters: tuple[Batter, ...] = ()
    bowler: Bowler | None = None
    this_over: tuple[str, ...] = ()
    target: int | None = None
    result: str | None = None
    title: str | None = None


def parse_match_data(answer: object) -> Scoreboard:
    """Read either feed shape.

    Raises FeedError (kind `malformed`) when there is nothing in it to show:
    the message names what was missing.
    """
    root = _mapping(answer)
    current = _mapping(root.get("currScore")) or _mapping(_mapping(root.get("data")).get("currScore"))
    if current:
        board = _from_current_score(current)
    elif root.get("sport") == "cricket":
        board = _from_own_shape(root)
    else:
        raise FeedError("malformed", "match data holds neither currScore nor sport: cricket")
    if not (board.batting or board.bowling or board.title or board.result):
        raise FeedError("malformed", "match data names no team yet")
    return board


def _from_current_score(current: Mapping[str, Any]) -> Scoreboard:
    batting_name = _text(current.get("battingTeamName"), MAX_NAME)
    bowling_name = _text(current.get("bowlingTeamName"), MAX_NAME)
    entry = _mapping(_mapping(current.get("teamScore")).get(str(current.get("battingTeamName"))))
    runs, wickets = _score(entry.get("inningScore"))
    on_pitch = _mapping(entry.get("onPitch"))
    overs = _overs(entry.get("overs")) or _overs(entry.get("inningOver"))
    return Scoreboard(
        batting=Team(batting_name, short_name(batting_name), runs, wickets, overs) if batting_name else None,
        bowling=Team(bowling_name, short_name(bowling_name)) if bowling_name else None,
        batters=_batters(
            {**_mapping(on_pitch.get("strikerScore")), "name": on_pitch.get("striker"), "on_strike": True},
            {**_mapping(on_pitch.get("nonStrikerScore")), "name": on_pitch.get("nonStriker"), "on_strike": False},
        ),
        bowler=_current_bowler(on_pitch),
        this_over=_balls(_mapping(current.get("currOverDetail")).get("balls")),
    )


def _current_bowler(on_pitch: Mapping[str, Any]) -> Bowler | None:
    figures = _mapping(on_pitch.get("bowlerScore"))
    name = _text(on_pitch.get("bowler"), MAX_NAME) or _text(figures.get("name"), MAX_NAME)
    if not name:
        return None
    balls = _number(figures.get("ballsDelivered"))
    overs = None if balls is None else f"{balls // BALLS_PER_OVER}.{balls % BALLS_PER_OVER}"
    return Bowler(name, overs, _number(figures.get("runsGiven")), _number(figures.get("wickets")))


def _from_own_shape(root: Mapping[str, Any]) -> Scoreboard:
    bowler = _mapping(root.get("bowler"))
    bowler_name = _text(bowler.get("name"), MAX_NAME)
    batters = root.get("batters")
    return Scoreboard(
        batting=_team(root.get("batting")),
        bowling=_team(root.get("bowling")),
        batters=_batters(*(batters[:2] if isinstance(batters, list) else ())),
        bowler=Bowler(
            bowler_name, _overs(bowler.get("overs")), _number(bowler.get("runs")), _number(bowler.get("wickets"))
        )
        if bowler_name
        else None,
        this_over=_balls(root.get("this_over")),
        target=_number(root.get("target")),
        result=_text(root.get("result"), MAX_TEXT) or None,
        title=_text(root.get("title"), MAX_TEXT) or None,
    )


def _team(value: object) -> Team | None:
    entry = _mapping(value)
    name = _text(entry.get("name"), MAX_NAME) or _text(entry.get("short"), MAX_NAME)
    if not name:
        return None
    color = entry.get("color")
    return Team(
        name,
        _text(entry.get("short"), 6) or short_name(name),
        _number(entry.get("runs")),
        _number(entry.get("wickets")),
        _overs(entry.get("overs")),
        color.lower() if isinstance(color, str) and _COLOR.match(color) else None,
    )


def _batters(*entries: object) -> tuple[Batter, ...]:
    batters = []
    for entry in map(_mapping, entries):
        name = _text(entry.get("name"), MAX_NAME)
        if name:
            on_strike = entry.get("on_strike") is True
            batters.append(Batter(name, _number(entry.get("runs")), _number(entry.get("balls")), on_strike))
    return tuple(batters)


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
    if len(words) > 1:
        return "".join(word[0] for word in words[:4]).upper()
    return name[:3].upper()


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object, longest: int) -> str:
    """Composed Unicode on one line, control characters gone, cut at `longest` characters."""
    if not isinstance(value, str):
        return ""
    text = unicodedata.normalize("NFC", value[: 4 * longest])
    kept = "".join(" " if character.isspace() else character for character in text if _is_shown(character))
    return " ".join(kept.split())[:longest].rstrip()


def _is_shown(character: str) -> bool:
    # Joiners (Cf) shape Indic and Arabic words; other formats could turn a line around.
    return (
        character.isspace()
        or character in "\u200c\u200d"
        or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
    )


def _number(value: object) -> int | None:
    """A whole number from 0 to MAX_NUMBER, from a number or its text; else None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and re.fullmatch(r"\s*\d{1,4}\s*", value, re.ASCII):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and 0 <= value <= MAX_NUMBER else None


def _overs(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    match = _OVERS.match(str(value).strip())
    if match is None or int(match[2] or 0) > BALLS_PER_OVER:
        return None
    return match[0]


def _score(value: object) -> tuple[int | None, int | None]:
    """Runs and wickets of "101/4", "101-4", "101" or 101."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None, None
    match = _SCORE.match(str(value))
    if match is None:
        return None, None
    return int(match[1]), _number(match[2])
