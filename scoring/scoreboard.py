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
MAX_BALLS_SHOWN = 12  # an over with six wides; more than that is a fault of the feed
MAX_BALL_LABEL = 4
BALLS_PER_OVER = 6
STATUSES = ("scheduled", "live", "innings_break", "rain", "super_over", "finished")


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
