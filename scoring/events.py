"""What banners report: the kinds of moments, how much each matters, and for how long it stays. Pure.

Which moments there were between two scoreboards is in `moments.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from scoring.scoreboard import Team


@dataclass(frozen=True)
class Kind:
    """`importance` decides what is shown first where several fall on one ball; `stay_s` in seconds.

    `words` is what the banner says in capitals.
    """

    words: str
    importance: int
    stay_s: float


# A minor one gives way where anything greater fell on the same ball.
MINOR = 30
KINDS = {
    "WIN": Kind("WIN", 100, 8.0),
    "TIE": Kind("MATCH TIED", 95, 8.0),
    "RESULT": Kind("RESULT", 90, 8.0),
    "INNINGS": Kind("INNINGS", 80, 6.0),
    "HAT_TRICK": Kind("HAT-TRICK", 75, 6.0),
    "FIVE_FOR": Kind("FIVE WICKETS", 70, 5.0),
    "BATTER_200": Kind("200", 68, 6.0),
    "BATTER_150": Kind("150", 66, 5.0),
    "HUNDRED": Kind("HUNDRED", 65, 6.0),
    "WICKET": Kind("WICKET", 60, 5.0),
    "FIFTY": Kind("FIFTY", 50, 4.0),
    "SIX": Kind("SIX", 40, 4.0),
    "FOUR": Kind("FOUR", 35, 4.0),
    "STAND": Kind("STAND", 25, 4.0),
    "TEAM_HUNDRED": Kind("UP", 22, 4.0),
    "TEAM_FIFTY": Kind("UP", 20, 4.0),
    "DUCK": Kind("DUCK", 15, 4.0),
    "MAIDEN": Kind("MAIDEN", 10, 4.0),
}
LASTING = ("INNINGS", "WIN", "TIE", "RESULT")


@dataclass(frozen=True)
class Event:
    """One moment: its kind, who, and a line of detail ("" when not known).

    `balls` is the innings' legal balls when it happened, `side` the batting side, whose colour a win takes.
    `figures` are the batter's ("45 (31)"). One that `is_late` was proven by later figures: it belongs in the
    log, and not on the picture any more. `words` stands in place of the kind's own ("STAND 50").
    """

    kind: str
    who: str = ""
    detail: str = ""
    side: Team | None = None
    balls: int | None = None
    figures: str = ""
    words: str = ""
    is_late: bool = False

    @property
    def lasts_beyond_its_over(self) -> bool:
        """True for what stays true: the end of an innings or of the match."""
        return self.kind in LASTING

    @property
    def is_minor(self) -> bool:
        return KINDS[self.kind].importance < MINOR

    @property
    def stay_s(self) -> float:
        return KINDS[self.kind].stay_s

    @property
    def heading(self) -> str:
        """What the banner says in capitals."""
        return self.words or KINDS[self.kind].words

    @property
    def text(self) -> str:
        """The moment as one line, for the log."""
        return ": ".join(
            part for part in (self.heading, "  ".join(p for p in (self.who, self.detail, self.figures) if p)) if part
        )
