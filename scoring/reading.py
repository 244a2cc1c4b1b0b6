"""Feed JSON to one frozen `Scoreboard`. Pure: no I/O, no drawing.

Two shapes are read: the feed in use today (an object with `currScore`, or
`data.currScore`) and this project's own (an object with `sport`). What a feed
leaves out stays `None` or empty; what it gets wrong is left out; only an
answer with nothing to show is an error. A push is read the same way, but
what is wrong in it is an error that names the field. How one field is read
is in `fields.py`; what follows from a score is not decided here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

from errors import FeedError, InvalidField
from scoring import extended
from scoring.cricket import balls_bowled
from scoring.fields import (
    NOT_SHOWN,
    Fields,
    Lenient,
    Strict,
    is_placeholder,
    read_balls,
    read_number,
    read_overs,
    read_scores,
    read_text,
)
from scoring.labels import decided
from scoring.scoreboard import (
    BREAKS,
    MAX_BALLS,
    MAX_BATTERS,
    MAX_INNINGS,
    MAX_NAME,
    MAX_SHORT,
    MAX_WICKETS,
    Batter,
    Bowler,
    Dismissal,
    Format,
    Partnership,
    Scoreboard,
    Team,
    Total,
)
from scoring.scripts import breadth, letters, starts_rtl

BALLS_OF_THE_HUNDRED, SET_OF_THE_HUNDRED = 100, 5
_COLOR = re.compile(r"#[0-9a-fA-F]{6}\Z")
_LOGO = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}\.png\Z", re.ASCII)


# Of these a figure that cannot be right makes the whole state unusable: the score follows from them.
_VITAL = ("batting.runs ", "batting.wickets ", "batting.overs ", "batting.balls ", "innings ", "teamScore")


@dataclass(frozen=True)
class Reading:
    """What an answer says; `faults` names the figures in it that cannot be right and were left out."""

    board: Scoreboard
    faults: tuple[str, ...] = ()


def read_answer(answer: object) -> Reading:
    """Read either feed shape.

    Raises FeedError (kind `malformed`) when there is nothing in it to show, or when its score cannot be right:
    the message says what was wrong.
    """
    root = _mapping(answer)
    inner = _mapping(root.get("data"))
    current = _mapping(root.get("currScore")) or _mapping(inner.get("currScore"))
    judge = Lenient()
    if current:
        board = _from_current_score(current, judge)
    elif root.get("sport") == "cricket":
        board = _cricket(root, judge)
    elif root.get("sport") == "generic":
        board = _generic(root, judge)
    else:
        raise FeedError("malformed", "match data holds neither currScore nor sport: cricket or generic")
    if not (board.sides or board.title or board.result):
        raise FeedError("malformed", "match data names no team yet")
    vital = next((fault for fault in judge.faults if fault.startswith(_VITAL)), None)
    if vital is not None:
        raise FeedError("malformed", f"the score cannot be right: {vital}")
    return Reading(board, tuple(judge.faults))


def parse_match_data(answer: object) -> Scoreboard:
    """The scoreboard of `read_answer`."""
    return read_answer(answer).board


def read_push(body: Mapping[str, Any]) -> Scoreboard:
    """Read the project's own shape as pushed; InvalidField names the first field that cannot be used.

    Unknown fields are ignored, and null counts as missing.
    """
    sport = body.get("sport")
    if sport not in ("cricket", "generic"):
        raise InvalidField("sport must be cricket or generic")
    board = (_cricket if sport == "cricket" else _generic)(body, Strict())
    if not (board.sides or board.title or board.result):
        fields = "batting, bowling" if sport == "cricket" else "home, away"
        raise InvalidField(f"one of {fields}, title, result must be given")
    return board


def _from_current_score(current: Mapping[str, Any], judge: Lenient) -> Scoreboard:
    batting, totals = _current_team(current, "battingTeamName", judge)
    bowling, _ = _current_team(current, "bowlingTeamName", Lenient())
    entry = _current_entry(current, "battingTeamName")
    on_pitch = _mapping(entry.get("onPitch"))
    own = Fields(current, "", judge)
    board = Scoreboard(
        batting=batting,
        bowling=bowling,
        batters=_batters(
            {**_mapping(on_pitch.get("strikerScore")), "name": on_pitch.get("striker"), "on_strike": True},
            {**_mapping(on_pitch.get("nonStrikerScore")), "name": on_pitch.get("nonStriker"), "on_strike": False},
        ),
        bowler=_current_bowler(on_pitch),
        this_over=read_balls(_mapping(current.get("currOverDetail")).get("balls")),
        target=own.number("target"),
        result=own.text("result"),
        title=own.text("title"),
        status=own.status(),
        toss=own.text("toss"),
        format=Format(innings_per_side=2 if totals else None),
        totals=totals,
    )
    return _with_labels_decided(board)


def _current_entry(current: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    name = current.get(key)
    return _mapping(_mapping(current.get("teamScore")).get(name)) if isinstance(name, str) else {}


def _current_team(current: Mapping[str, Any], key: str, judge: Lenient) -> tuple[Team | None, tuple[Total, ...]]:
    """The side, and the innings that it had before this one."""
    name = read_text(current.get(key), MAX_NAME)
    entry = _current_entry(current, key)
    if not name:
        return None, ()
    said = entry.get("inningScore")
    scores = None if said is None else read_scores(said)
    if scores is None and said is not None and not (isinstance(said, str) and is_placeholder(said)):
        judge.refuse("teamScore: its inningScore", 'a number of runs, or text as in "101/4"', said)
    overs = read_overs(entry.get("overs")) or read_overs(entry.get("inningOver"))
    team = Team(name, short_name(name), overs=overs)
    if not scores:
        return team, ()
    now = scores[-1]
    team = replace(team, runs=now.runs, wickets=now.wickets, declared=now.is_declared)
    return team, tuple(Total(name, one.runs, one.wickets, declared=one.is_declared) for one in scores[:-1])


def _current_bowler(on_pitch: Mapping[str, Any]) -> Bowler | None:
    figures = _mapping(on_pitch.get("bowlerScore"))
    name = read_text(on_pitch.get("bowler"), MAX_NAME) or read_text(figures.get("name"), MAX_NAME)
    if not name:
        return None
    balls = read_number(figures.get("ballsDelivered"))
    overs = None if balls is None else "{}.{}".format(*divmod(balls, Format().balls_per_over))
    return Bowler(name, overs, read_number(figures.get("runsGiven")), read_number(figures.get("wickets"), MAX_WICKETS))


def _cricket(root: Mapping[str, Any], judge: Lenient) -> Scoreboard:
    own = Fields(root, "", judge)
    shape = extended.read_format(own)
    each = shape.balls_per_over
    board = Scoreboard(
        batting=_team(own.inner("batting"), each),
        bowling=_team(own.inner("bowling"), each),
        batters=tuple(batter for entry in own.objects("batters", MAX_BATTERS) if (batter := _batter(entry))),
        bowler=_bowler(own.inner("bowler"), each),
        this_over=own.balls("this_over"),
        target=own.number("target"),
        result=own.text("result"),
        title=own.text("title"),
        status=own.status(),
        innings=own.number("innings", MAX_INNINGS) or None,
        toss=own.text("toss"),
        player_of_match=own.text("player_of_match", MAX_NAME),
        partnership=_partnership(own.inner("partnership")),
        last_wicket=_dismissal(own.inner("last_wicket")),
        updated_at=own.moment("updated_at"),
        format=shape,
        totals=extended.read_totals(own, each),
        batting_first=own.text("batting_first", MAX_NAME),
        winner=own.text("winner", MAX_NAME),
        revised=extended.read_revised(own.inner("revised")),
        par=own.number("par"),
        free_hit=own.flag("free_hit"),
        powerplay=own.flag("powerplay"),
        pause=own.word("break", BREAKS),
        card=extended.read_card(own.inner("card"), each),
        squads=extended.read_squads(own.inner("squads")),
    )
    return _with_labels_decided(_in_balls(board))


def _in_balls(board: Scoreboard) -> Scoreboard:
    """A match of balls whose feed writes them as overs: nobody plays an innings of 100 overs a side."""
    shape, teams = board.format, (board.batting, board.bowling)
    if shape.balls is None and shape.overs == BALLS_OF_THE_HUNDRED and shape.balls_per_over == Format().balls_per_over:
        if any(team and team.overs and "." in team.overs for team in teams):
            return board
        shape = replace(shape, overs=None, balls=BALLS_OF_THE_HUNDRED, balls_per_over=SET_OF_THE_HUNDRED)
    if shape.balls is None:
        return board
    batting, bowling = (_counted_in_balls(team) for team in teams)
    return replace(board, format=shape, batting=batting, bowling=bowling)


def _counted_in_balls(team: Team | None) -> Team | None:
    """Whole overs of a match of balls are balls."""
    if team is None or team.balls is not None or team.overs is None or "." in team.overs:
        return team
    return replace(team, overs=None, balls=int(team.overs))


def _with_labels_decided(board: Scoreboard) -> Scoreboard:
    bowled = balls_bowled(board)
    in_over = None if bowled is None else bowled % board.format.balls_per_over
    if in_over == 0 and bowled and board.this_over:
        in_over = board.format.balls_per_over  # the list still shows the over that has just ended
    wickets = board.batting.wickets if board.batting else None
    return replace(board, this_over=decided(board.this_over, in_over, wickets))


def _generic(root: Mapping[str, Any], judge: Lenient) -> Scoreboard:
    own = Fields(root, "", judge)
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


def _team(entry: Fields, balls_per_over: int = Format().balls_per_over) -> Team | None:
    name, short = entry.name("name"), entry.name("short", MAX_SHORT)
    team = Team(
        name or short,
        short or short_name(name),
        entry.number("runs"),
        entry.number("wickets", MAX_WICKETS),
        entry.overs("overs", balls_per_over),
        (entry.match("color", _COLOR, 'a colour as in "#004ba0"') or "").lower() or None,
        entry.match("logo", _LOGO, 'a plain file name as in "mi.png"'),
        entry.score("score"),
        entry.number("balls", MAX_BALLS),
        entry.flag("declared"),
    )
    return team if team.name else None


def _batter(entry: Fields) -> Batter | None:
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
    return tuple(batter for entry in entries if (batter := _batter(Fields(entry, "", Lenient()))))


def _bowler(entry: Fields, balls_per_over: int) -> Bowler | None:
    bowler = Bowler(
        entry.name("name"),
        entry.overs("overs", balls_per_over),
        entry.number("runs"),
        entry.number("wickets", MAX_WICKETS),
        entry.number("maidens"),
        entry.number("balls", MAX_BALLS),
    )
    return bowler if bowler.name else None


def _partnership(entry: Fields) -> Partnership | None:
    runs, balls = entry.number("runs"), entry.number("balls")
    return None if runs is None else Partnership(runs, balls)


def _dismissal(entry: Fields) -> Dismissal | None:
    dismissal = Dismissal(
        entry.name("name"), entry.number("runs"), entry.number("balls"), entry.text("how_out", MAX_NAME)
    )
    return dismissal if dismissal.name else None


_ROOM_FOR_SHORT = 6.5  # in Latin capitals: what a side's block on the strip holds in a size that can be read


def short_name(name: str) -> str:
    """Initials of several words, else the first three letters (MI, CSK, AUS), as far as there is room for them."""
    if not any(character.isalnum() for character in name):
        return NOT_SHOWN  # such as an emoji: no font has it
    words = [letters(word) for word in re.split(r"[\s-]+", name) if word[:1].isalnum()]
    if len(words) > 1 or (words and starts_rtl(name)):
        chosen = [word[0] for word in words[:4]]
    else:
        chosen = (words[0] if words else letters(name))[:3]
    ends = accumulate(map(breadth, chosen))
    kept = [letter for letter, end in zip(chosen, ends, strict=True) if end <= _ROOM_FOR_SHORT] or chosen[:1]
    # Joined Arabic initials would read as another word.
    return ("\u200c" if starts_rtl(name) else "").join(kept).upper()


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
