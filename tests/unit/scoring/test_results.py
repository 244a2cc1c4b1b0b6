from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.results import Outcome, is_side, outcome_of
from scoring.scoreboard import Team

RED, BLUE = Team("Red Valley", "RV"), Team("Blue Hill", "BH")
NONE, TIE, SOMEBODY = Outcome("none"), Outcome("tie"), Outcome("win")


def won(side: Team) -> Outcome:
    return Outcome("win", side.name)


@pytest.mark.parametrize(
    "text",
    [
        "Red Valley won by 5 runs",
        "Red Valley won",
        "Red Valley win by 3 wickets",
        "RED VALLEY WON BY 5 RUNS",
        "red valley won by 1 run (DLS)",
        "Red Valley beat Blue Hill by 10 wickets",
        "Red Valley beats Blue Hill",
        "Red Valley defeated Blue Hill by 4 runs",
        "Blue Hill lost by 5 runs",
        "Blue Hill lost to Red Valley by 5 runs",
        "Blue Hill beaten by Red Valley",
        "Blue Hill were beaten by 20 runs",
        "Blue Hill was defeated by Red Valley",
        "Blue Hill defeated by Red Valley",
        "Match won by Red Valley",
        "Won by Red Valley by 5 runs",
        "Match tied (Red Valley won the Super Over)",
        "Match tied; Red Valley won the one-over eliminator",
        "Red Valley won on boundary count",
        "Red Valley won by an innings and 12 runs",
        "Red Valley won on first innings",
        "Red Valley won by DLS method",
        "Red Valley won by 5 runs (VJD method)",
        "Red Valley win the match",
        "Victory for Red Valley by 4 wickets",
        "A famous win for Red Valley",
        "Blue Hill conceded the match",
        "Match conceded by Blue Hill",
        "Blue Hill forfeited the match",
        "Match forfeited by Blue Hill",
        "Red Valley won by forfeit",
        "Match awarded to Red Valley",
        "Walkover to Red Valley",
        "Blue Hill 120/8, Red Valley won by 30 runs",
        "Blue Hill v Red Valley: Red Valley won by 2 runs",
        "RV won by 5 runs",
        "BH lost by 5 runs",
        "Result: Red Valley won by 7 wickets (with 12 balls remaining)",
        "Red Valley (W) won by 5 runs",
        "Red  Valley won",
        "Blue Hill won the toss; Red Valley won by 6 runs",
    ],
)
def test_red_valley_won(text: str) -> None:
    if "  " in text:
        assert outcome_of(text, (RED, BLUE)) in (won(RED), NONE, SOMEBODY), "never the other side"
    else:
        assert outcome_of(text, (RED, BLUE)) == won(RED)
        assert outcome_of(text, (BLUE, RED)) == won(RED), "whichever side bats"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Red Valley v Blue Hill: match abandoned",
        "Red Valley v Blue Hill",
        "Match abandoned without a ball bowled",
        "No result",
        "Match drawn",
        "Red Valley and Blue Hill drew",
        "Match cancelled due to rain",
        "Red Valley won the toss and chose to bat",
        "Red Valley need 46 runs to win",
        "Red Valley did not win",
        "Red Valley could win by 5 runs",
        "Red Valley win probability 55 %",
        "Red Valley won by 5 runs. Blue Hill won by 3 wickets",
        "Postponed",
        "Red Valley 120/8 Blue Hill 125/3",
        "Stumps on day two",
    ],
)
def test_nobody_is_said_to_have_won(text: str) -> None:
    assert outcome_of(text, (RED, BLUE)) == NONE


@pytest.mark.parametrize(
    "text",
    ["Match tied", "Red Valley and Blue Hill tied", "MATCH TIED", "Red Valley tied with Blue Hill", "Scores level"],
)
def test_a_tie(text: str) -> None:
    assert outcome_of(text, (RED, BLUE)) == TIE


def test_somebody_won_though_it_is_not_said_who() -> None:
    assert outcome_of("Valley won by 5 runs", (RED, BLUE)) == SOMEBODY
    assert outcome_of("Won by an innings and 5 runs", (RED, BLUE)) == SOMEBODY


@pytest.mark.parametrize(
    ("first", "second", "text", "winner"),
    [
        ("Mumbai", "Mumbai Indians", "Mumbai Indians won by 5 runs", "Mumbai Indians"),
        ("Mumbai", "Mumbai Indians", "Mumbai won by 5 runs", "Mumbai"),
        ("Red Valley", "Red Valley II", "Red Valley II lost by 5 runs", "Red Valley"),
        ("Red Valley (W)", "Blue Hill (W)", "Red Valley (W) won by 5 runs", "Red Valley (W)"),
        ("Red Valley (W)", "Blue Hill (W)", "Red Valley (W) lost by 5 runs", "Blue Hill (W)"),
        ("Winchester", "Blue Hill", "Blue Hill beat Winchester", "Blue Hill"),
        ("Lost Boys CC", "Blue Hill", "Lost Boys CC won by 2 runs", "Lost Boys CC"),
        ("Lost Boys CC", "Drawn Bats", "Drawn Bats lost by 2 runs", "Lost Boys CC"),
        ("Tie Breakers", "Beatrice XI", "Beatrice XI won by 2 runs", "Beatrice XI"),
        ("लाल घाटी", "Blue Hill", "लाल घाटी won by DLS", "लाल घाटी"),
        ("लाल घाटी", "Blue Hill", "लाल घाटी lost by 5 runs", "Blue Hill"),
        ("लाल घाटी", "नीली पहाड़ी", "लाल घाटी 5 रन से जीता", "लाल घाटी"),
        ("लाल घाटी", "नीली पहाड़ी", "लाल घाटी ने नीली पहाड़ी को 5 रन से हराया", "लाल घाटी"),
        ("سرخ وادی", "نیلی پہاڑی", "سرخ وادی won by 5 runs", "سرخ وادی"),
        ("நீல மலை", "Red Valley", "நீல மலை won by 3 wickets", "நீல மலை"),
        ("Île-de-France Élan", "Blue Hill", "I\u0302le-de-France E\u0301lan won by 5 runs", "Île-de-France Élan"),
        ("St. Mary's CC", "Blue Hill", "St. Mary's CC won by 5 runs", "St. Mary's CC"),
        ("1st XI", "2nd XI", "2nd XI won by 5 runs", "2nd XI"),
        ("🦁", "Blue Hill", "Blue Hill won by 5 runs", "Blue Hill"),
    ],
)
def test_names_that_are_hard_to_find(first: str, second: str, text: str, winner: str) -> None:
    sides = (Team(first, first[:3].upper()), Team(second, second[:3].upper() + "2"))
    assert outcome_of(text, sides) == Outcome("win", winner)


def test_short_names_that_are_words_or_the_same() -> None:
    assert outcome_of("Match tied in the end", (Team("Indians North", "in"), BLUE)) == TIE
    assert outcome_of("RX won by 5 runs", (Team("Red Xylo", "RX"), Team("Rose Xylo", "RX"))) == SOMEBODY


@given(st.text(max_size=200))
def test_any_text_says_something_or_nothing(text: str) -> None:
    assert outcome_of(text, (RED, BLUE)).kind in ("win", "tie", "none")
    assert outcome_of(text, ()).winner is None


@pytest.mark.parametrize("written", ["Red Valley", "RED VALLEY", "red  valley", "RV", "rv", " Red Valley "])
def test_the_same_side_however_it_is_written(written: str) -> None:
    assert is_side(written, RED)
    assert not is_side(written, BLUE)
    assert not is_side("", RED)
