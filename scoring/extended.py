"""The fields of the own shape that say more than the score: format, earlier innings, rain, card, squads. Pure.

Read as `reading.py` reads the rest; it is apart from it only because it is long.
"""

from __future__ import annotations

from scoring.fields import Fields
from scoring.scoreboard import (
    BATTER_STATUSES,
    MAX_BALLS,
    MAX_BALLS_PER_OVER,
    MAX_BOWLERS,
    MAX_CARD_ROWS,
    MAX_INNINGS_PER_SIDE,
    MAX_NAME,
    MAX_NUMBER,
    MAX_OVERS,
    MAX_PLAYERS,
    MAX_TOTALS,
    MAX_WICKETS,
    MIN_BALLS_PER_OVER,
    MIN_PLAYERS,
    Card,
    CardBatter,
    CardBowler,
    Extras,
    Fall,
    Format,
    Revised,
    Squad,
    Total,
)

MAX_METHOD = 12
MAX_EXTRAS = 999


def read_format(root: Fields) -> Format:
    """`format`, with `overs_limit` as the short way to say `format.overs`."""
    usual, given = Format(), root.inner("format")
    return Format(
        overs=given.number("overs", MAX_OVERS, 1) or root.number("overs_limit", MAX_OVERS) or None,
        balls=given.number("balls", MAX_BALLS, 1),
        balls_per_over=given.number("balls_per_over", MAX_BALLS_PER_OVER, MIN_BALLS_PER_OVER) or usual.balls_per_over,
        innings_per_side=given.number("innings_per_side", MAX_INNINGS_PER_SIDE, 1),
        players=given.number("players", MAX_PLAYERS, MIN_PLAYERS) or usual.players,
        last_pair_bats_on=given.flag("last_pair_bats_on"),
    )


def read_totals(root: Fields, balls_per_over: int) -> tuple[Total, ...]:
    found = []
    for entry in root.objects("totals", MAX_TOTALS):
        total = Total(
            entry.name("batting"),
            entry.number("runs"),
            entry.number("wickets", MAX_WICKETS),
            entry.overs("overs", balls_per_over),
            entry.flag("declared"),
            entry.flag("forfeited"),
            entry.flag("follow_on"),
        )
        found.append(total)
    return tuple(total for total in found if total.batting)


def read_revised(entry: Fields) -> Revised | None:
    revised = Revised(
        entry.number("overs", MAX_OVERS, 1), entry.number("target", MAX_NUMBER, 1), entry.text("method", MAX_METHOD)
    )
    return None if revised == Revised() else revised


def read_card(entry: Fields, balls_per_over: int) -> Card | None:
    card = Card(
        batting=tuple(row for one in entry.objects("batting", MAX_CARD_ROWS) if (row := _batter(one)).name),
        extras=_extras(entry.inner("extras")),
        bowling=tuple(
            figures for one in entry.objects("bowling", MAX_BOWLERS) if (figures := _bowler(one, balls_per_over)).name
        ),
        fall=tuple(fall for one in entry.objects("fall", MAX_WICKETS) if (fall := _fall(one, balls_per_over))),
    )
    return None if card == Card() else card


def _batter(entry: Fields) -> CardBatter:
    return CardBatter(
        entry.name("name"),
        entry.number("runs"),
        entry.number("balls"),
        entry.number("fours"),
        entry.number("sixes"),
        entry.word("status", BATTER_STATUSES),
        entry.text("how_out", MAX_NAME),
    )


def _bowler(entry: Fields, balls_per_over: int) -> CardBowler:
    return CardBowler(
        entry.name("name"),
        entry.overs("overs", balls_per_over),
        entry.number("maidens"),
        entry.number("runs"),
        entry.number("wickets", MAX_WICKETS),
        entry.number("wides", MAX_EXTRAS),
        entry.number("no_balls", MAX_EXTRAS),
    )


def _extras(entry: Fields) -> Extras | None:
    extras = Extras(*(entry.number(key, MAX_EXTRAS) for key in ("wides", "no_balls", "byes", "leg_byes", "penalty")))
    return None if extras == Extras() else extras


def _fall(entry: Fields, balls_per_over: int) -> Fall | None:
    wicket, runs = entry.number("wicket", MAX_WICKETS, 1), entry.number("runs")
    overs, name = entry.overs("overs", balls_per_over), entry.text("name", MAX_NAME)
    return None if wicket is None or runs is None else Fall(wicket, runs, overs, name)


def read_squads(entry: Fields) -> tuple[Squad, ...]:
    teams = entry.keys()
    names = ((team, entry.texts(team, MAX_PLAYERS)) for team in teams[:2])
    return tuple(Squad(team[:MAX_NAME], players) for team, players in names if players)
