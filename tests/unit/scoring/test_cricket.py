from __future__ import annotations

import pytest

from scoring.cricket import (
    Chase,
    balls_left,
    balls_of,
    chase,
    current_run_rate,
    economy,
    required_run_rate,
    strike_rate,
)
from scoring.labels import ball_kind
from scoring.scoreboard import Batter, Bowler, Format, Scoreboard, Team


def chasing(runs: int, overs: str | None, target: int | None = 150, limit: int | None = 20) -> Scoreboard:
    return Scoreboard(batting=Team("CSK", "CSK", runs, 5, overs), target=target, innings=2, format=Format(overs=limit))


@pytest.mark.parametrize(
    ("overs", "balls"), [("0.0", 0), ("14.3", 87), ("20", 120), ("19.6", 120), ("0.1", 1), (None, None)]
)
def test_overs_are_balls(overs: str | None, balls: int | None) -> None:
    assert balls_of(overs, 6) == balls


@pytest.mark.parametrize(
    ("board", "expected"),
    [
        (chasing(108, "15.3"), Chase(42, 27)),
        (chasing(108, "15.3", limit=None), Chase(42, None)),
        (chasing(108, None), Chase(42, None)),
        (chasing(149, "19.5"), Chase(1, 1)),
        (chasing(150, "19.5"), None),
        (chasing(148, "20.0"), None),
        (chasing(108, "15.3", target=None), None),
        (Scoreboard(target=150), None),
    ],
)
def test_the_chase(board: Scoreboard, expected: Chase | None) -> None:
    assert chase(board) == expected


def test_more_overs_than_the_limit_make_it_unknown() -> None:
    assert balls_left(chasing(10, "20.1")) is None


def test_rates() -> None:
    assert current_run_rate(Scoreboard(), Team("A", "A", 108, 5, "15.3")) == pytest.approx(6.968, abs=0.001)
    assert current_run_rate(Scoreboard(), Team("A", "A", 0, 0, "0.0")) is None
    assert required_run_rate(chasing(108, "15.3")) == pytest.approx(9.333, abs=0.001)
    assert required_run_rate(chasing(108, "15.3", limit=None)) is None
    assert strike_rate(Batter("A", 76, 55)) == pytest.approx(138.18, abs=0.01)
    assert strike_rate(Batter("A", 0, 0)) is None
    assert economy(Scoreboard(), Bowler("A", "3.2", 12, 2)) == pytest.approx(3.6)
    assert economy(Scoreboard(), Bowler("A", None, 12, 2)) is None


@pytest.mark.parametrize(
    ("labels", "kind"),
    [
        (("W", "1W", "W+1", "w", "wkt", "out"), "wicket"),
        (("wd", "2wd", "WD", "wide", "1w", "5wd", "wd+1"), "wide"),
        (("nb", "NB", "5nb", "nb4", "2n"), "no_ball"),
        (("b", "1b", "4b", "lb", "2lb", "LB", "5p"), "bye"),
        (("4",), "four"),
        (("6",), "six"),
        (("0", ".", "•"), "dot"),
        (("1", "2", "3", "5", "?"), "runs"),
    ],
)
def test_what_a_delivery_was(labels: tuple[str, ...], kind: str) -> None:
    assert {label: ball_kind(label) for label in labels} == dict.fromkeys(labels, kind)
