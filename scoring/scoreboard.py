"""What a score is: frozen values, and the limits that they are read within.

It is what the monitor passes on and the strip draws. It reads no feed and
checks nothing: `reading.py` makes these values of JSON and keeps the limits.
What is not known is `None` or empty.
"""

from __future__ import annotations

from dataclasses import dataclass, field

MAX_NAME = 48
MAX_SHORT = 6
MAX_TEXT = 120
MAX_SCORE_TEXT = 8  # of another sport: "3", "15-40"
MAX_NUMBER = 9_999
MAX_WICKETS = 20
MAX_INNINGS = 20
MAX_OVERS = 999
MAX_BATTERS = 2
MAX_BALLS_SHOWN = 12  # an over with six wides; more is a fault of the feed
MAX_BALL_LABEL = 8  # "4+1nb", "W(ro)"
MAX_BALLS = 999  # in an innings that is counted in balls
MAX_TOTALS = 8
MAX_CARD_ROWS = 15  # eleven, substitutes and those who retired
MAX_BOWLERS = 12
MIN_PLAYERS, MAX_PLAYERS = 2, 15
MIN_BALLS_PER_OVER, MAX_BALLS_PER_OVER = 4, 10
MAX_INNINGS_PER_SIDE = 2
STATUSES = ("scheduled", "live", "innings_break", "rain", "super_over", "finished")
BREAKS = ("drinks", "lunch", "tea", "innings", "rain", "bad_light", "stumps", "delay")
# After the other breaks the players come back soon, so the strip stays as it is.
PHASE_OF_BREAK = {"innings": "innings_break", "rain": "rain"}
BATTER_STATUSES = ("batting", "out", "not_out", "retired_hurt", "retired_out", "yet_to_bat", "absent")


@dataclass(frozen=True)
class Format:
    """How long an innings is, how many there are, and how many bat.

    `overs` and `balls` are the length of an innings, `None` where it has no
    limit or none is known. A match with `balls` counts balls instead of overs
    (The Hundred: 100). `innings_per_side` is None where the feed does not say.
    With `last_pair_bats_on` the last batter goes on alone, so one wicket more falls.
    """

    overs: int | None = None
    balls: int | None = None
    balls_per_over: int = 6
    innings_per_side: int | None = None
    players: int = 11
    last_pair_bats_on: bool = False

    @property
    def wickets(self) -> int:
        """The number of wickets at which a side is all out."""
        return self.players - (0 if self.last_pair_bats_on else 1)


@dataclass(frozen=True)
class Team:
    """A side. `overs` as cricket writes them ("14.3": 14 overs and 3 balls); `score` is another sport's.

    `balls` counts the innings instead of `overs` in a match of balls. `logo` is a plain
    file name on the overlay image server.
    """

    name: str
    short: str
    runs: int | None = None
    wickets: int | None = None
    overs: str | None = None
    color: str | None = None
    logo: str | None = None
    score: str | None = None
    balls: int | None = None
    declared: bool = False


@dataclass(frozen=True)
class Total:
    """One innings of the match, in the order in which they were played; `batting` is the side's name."""

    batting: str
    runs: int | None = None
    wickets: int | None = None
    overs: str | None = None
    declared: bool = False
    forfeited: bool = False
    follow_on: bool = False


@dataclass(frozen=True)
class Revised:
    """What rain made of the last innings: its overs, its target, and by which method ("DLS")."""

    overs: int | None = None
    target: int | None = None
    method: str | None = None


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
    balls: int | None = None  # in a match of balls


@dataclass(frozen=True)
class CardBatter:
    """A batter's row on the card; `status` is one of BATTER_STATUSES."""

    name: str
    runs: int | None = None
    balls: int | None = None
    fours: int | None = None
    sixes: int | None = None
    status: str | None = None
    how_out: str | None = None


@dataclass(frozen=True)
class CardBowler:
    name: str
    overs: str | None = None
    maidens: int | None = None
    runs: int | None = None
    wickets: int | None = None
    wides: int | None = None
    no_balls: int | None = None


@dataclass(frozen=True)
class Extras:
    wides: int | None = None
    no_balls: int | None = None
    byes: int | None = None
    leg_byes: int | None = None
    penalty: int | None = None


@dataclass(frozen=True)
class Fall:
    """The fall of one wicket: its number, and the total and the overs at which it fell."""

    wicket: int
    runs: int
    overs: str | None = None
    name: str | None = None


@dataclass(frozen=True)
class Card:
    """The scorecard of the innings that is played."""

    batting: tuple[CardBatter, ...] = ()
    extras: Extras | None = None
    bowling: tuple[CardBowler, ...] = ()
    fall: tuple[Fall, ...] = ()


@dataclass(frozen=True)
class Squad:
    team: str
    players: tuple[str, ...]


@dataclass(frozen=True)
class Partnership:
    runs: int
    balls: int | None = None


@dataclass(frozen=True)
class Dismissal:
    """The last wicket as the feed reports it; `how_out` as a scorer writes it ("c Dhoni b Chahar")."""

    name: str
    runs: int | None = None
    balls: int | None = None
    how_out: str | None = None


@dataclass(frozen=True)
class Scoreboard:
    """What is known of the match now. Two equal scoreboards draw the same picture.

    Of cricket `batting` to `last_wicket` are used, of any other sport `home`,
    `away`, `clock` and `period`. `totals` are the innings that are over, the oldest
    first; `batting_first` and `winner` name a side. `pause` is one of BREAKS.
    `updated_at` is in seconds since 1970. One that is `by_hand` is a person's word, which holds at a break;
    one that `corrects` says again what has been, and nothing has happened.
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
    format: Format = Format()
    totals: tuple[Total, ...] = ()
    batting_first: str | None = None
    winner: str | None = None
    revised: Revised | None = None
    par: int | None = None
    free_hit: bool = False
    powerplay: bool = False
    pause: str | None = None
    card: Card | None = None
    squads: tuple[Squad, ...] = ()
    toss: str | None = None
    player_of_match: str | None = None
    partnership: Partnership | None = None
    last_wicket: Dismissal | None = None
    home: Team | None = None
    away: Team | None = None
    clock: str | None = None
    period: str | None = None
    updated_at: float | None = field(default=None, compare=False)
    by_hand: bool = field(default=False, compare=False)
    corrects: bool = field(default=False, compare=False)

    @property
    def phase(self) -> str:
        """One of STATUSES: what the feed says, else what follows from the rest."""
        if (self.result or self.winner) and self.status in (None, "live", "super_over"):
            return "finished"
        if self.pause and self.status in (None, "live"):
            return PHASE_OF_BREAK.get(self.pause, "live")
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
