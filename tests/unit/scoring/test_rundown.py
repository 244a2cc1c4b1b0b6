from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from demo.boards import CHASE, CSK, FINISHED
from scoring.events import KINDS
from scoring.reading import parse_match_data
from scoring.rundown import MAX_WAITING_SCORES, Rundown, Scene
from scoring.scoreboard import Scoreboard

STALE_S, LOST_S = 60.0, 300.0
FOUR_S, WICKET_S = KINDS["FOUR"].stay_s, KINDS["WICKET"].stay_s


def board(runs: int, overs: str, balls: list[str], wickets: int = 3, **over: Any) -> Scoreboard:
    side = CSK | {"runs": runs, "wickets": wickets, "overs": overs}
    return parse_match_data(CHASE | {"batting": side, "this_over": balls, "batters": []} | over)


A = board(100, "12.1", ["1"])
FOUR = board(104, "12.2", ["1", "4"])
OUT = board(104, "12.3", ["1", "4", "W"], 4)


def rundown(delay_s: float = 0.0) -> Rundown:
    return Rundown(STALE_S, LOST_S, delay_s)


def kind(scene: Scene) -> str | None:
    return scene.banner.kind if scene.banner else None


def test_nothing_heard_is_nothing_to_see() -> None:
    one = rundown()
    assert one.scene(0) == Scene()
    assert one.next_change_at(0) is None


def test_the_first_score_brings_no_banner() -> None:
    one = rundown()
    one.hear(OUT, 0)
    assert one.scene(0) == Scene(OUT)


def test_banners_are_shown_one_after_another_for_their_time() -> None:
    one = rundown()
    one.hear(A, 0)
    one.scene(0)
    one.hear(FOUR, 10)
    assert kind(one.scene(10)) == "FOUR"
    one.hear(OUT, 11)
    assert kind(one.scene(11)) == "FOUR"
    assert one.scene(11).content == OUT, "the score does not wait for the banner"
    assert one.next_change_at(11) == 10 + FOUR_S
    assert kind(one.scene(10 + FOUR_S)) == "WICKET"
    assert kind(one.scene(10 + FOUR_S + WICKET_S - 0.1)) == "WICKET"
    assert kind(one.scene(10 + FOUR_S + WICKET_S)) is None


def test_a_banner_that_would_be_an_over_late_is_dropped() -> None:
    one = rundown()
    one.hear(A, 0)
    one.scene(0)
    one.hear(FOUR, 1)
    one.hear(OUT, 1)
    one.scene(1)
    one.hear(board(110, "13.4", ["1", "1", "1", "1"], 4), 2)
    one.scene(2)
    assert kind(one.scene(1 + FOUR_S)) is None


def test_so_is_one_that_waited_for_a_minute() -> None:
    one = rundown()
    one.hear(A, 0)
    one.scene(0)
    one.hear(FOUR, 1)
    one.hear(OUT, 1)
    one.scene(1)
    assert kind(one.scene(70)) is None


def test_a_correction_is_shown_at_once_and_takes_the_banners_away() -> None:
    one = rundown(30)
    one.hear(A, 0)
    one.hear(FOUR, 5)
    assert kind(one.scene(35)) == "FOUR"
    corrected = board(101, "12.2", ["1", "1"])
    one.hear(corrected, 36)
    assert one.scene(36) == Scene(corrected)


def test_a_score_that_is_corrected_before_it_is_shown_is_never_shown() -> None:
    one = rundown(30)
    one.hear(A, 0)
    one.hear(FOUR, 5)
    corrected = board(101, "12.2", ["1", "1"])
    one.hear(corrected, 9)
    assert one.scene(35) == Scene(A)
    assert one.scene(38.9) == Scene(A)
    assert one.scene(39) == Scene(corrected), "it belongs to a ball that is not seen yet"


def test_a_feed_that_wavers_tells_a_ball_once() -> None:
    one = rundown()
    for at, heard in enumerate((A, FOUR, A, FOUR, A, FOUR)):
        one.hear(heard, at * 20)
        assert kind(one.scene(at * 20)) == ("FOUR" if at == 1 else None)


def test_score_and_banner_are_delayed_alike() -> None:
    one = rundown(20)
    one.hear(A, 0)
    assert one.scene(19.9) == Scene()
    assert one.next_change_at(19.9) == 20
    assert one.scene(20) == Scene(A)
    one.hear(FOUR, 100)
    assert kind(one.scene(119.9)) is None
    assert one.scene(120).content == FOUR
    assert kind(one.scene(120)) == "FOUR"


def test_another_delay_holds_for_what_waits_and_takes_nothing_back() -> None:
    one = rundown(20)
    one.hear(A, 0)
    one.hear(FOUR, 10)
    one.scene(20)
    one.delay_s = 0
    assert one.scene(21).content == FOUR
    one.delay_s = 60
    assert one.scene(22).content == FOUR


def test_what_waits_is_bounded() -> None:
    one = rundown(120)
    for ball in range(3 * MAX_WAITING_SCORES):
        one.hear(board(ball, "12.1", []), ball / 100)
    shown = one.scene(1000).content
    assert isinstance(shown, Scoreboard)
    assert shown.batting is not None
    assert shown.batting.runs == 3 * MAX_WAITING_SCORES - 1, "the newest is kept"


@pytest.mark.parametrize(
    ("silent_s", "mark_s", "is_lost"),
    [(59.9, 0, False), (60, 60, False), (119, 60, False), (120, 120, False), (299, 240, False), (300, 0, True)],
)
def test_a_silent_feed_is_marked_then_its_figures_go(silent_s: float, mark_s: int, is_lost: bool) -> None:
    one = rundown()
    one.hear(A, 0)
    assert one.scene(silent_s) == Scene(A, silent_s=mark_s, is_lost=is_lost)


def test_the_times_of_the_marks_are_told_in_advance() -> None:
    one = rundown()
    one.hear(A, 0)
    one.scene(0)
    due = [0.0]
    while (at := one.next_change_at(due[-1])) is not None:
        due.append(at)
    assert due == [0, 60, 120, 180, 240, 300]


def test_a_word_of_the_feed_takes_the_mark_away_though_nothing_is_new() -> None:
    one = rundown()
    one.hear(A, 0)
    assert one.scene(400).is_lost
    one.hear(A, 400)
    assert one.scene(401) == Scene(A)


def test_a_short_stale_time_is_told_in_seconds() -> None:
    one = Rundown(20, 50)
    one.hear(A, 0)
    assert [one.scene(at).silent_s for at in (19, 20, 49)] == [0, 20, 20]


def test_a_result_does_not_grow_old() -> None:
    one = rundown()
    finished = parse_match_data(FINISHED)
    one.hear(finished, 0)
    assert one.scene(10_000) == Scene(finished)
    assert one.next_change_at(0) is None


@pytest.mark.parametrize(
    ("state", "holds"),
    [
        ({}, False),
        ({"pause": "drinks"}, True),
        ({"status": "innings_break"}, True),
        ({"status": "rain"}, True),
        ({"status": "scheduled"}, True),
    ],
)
@pytest.mark.parametrize("by_hand", [True, False])
def test_at_a_break_a_persons_word_does_not_grow_old(state: dict[str, Any], holds: bool, by_hand: bool) -> None:
    one = rundown()
    one.hear(replace(A, by_hand=by_hand, **state), 0)
    assert one.scene(3600).is_lost != (holds and by_hand)


def test_what_is_said_again_is_no_news() -> None:
    one = rundown()
    one.hear(A, 0)
    one.scene(0)
    one.hear(replace(FOUR, corrects=True), 10)
    assert one.scene(10) == Scene(FOUR)


def test_an_image_is_delayed_and_brings_no_banners() -> None:
    one = rundown(10)
    image = Image.new("RGBA", (4, 4))
    one.hear(A, 0)
    one.hear(image, 5)
    one.hear(FOUR, 6)
    assert one.scene(10).content == A
    assert one.scene(15) == Scene(image)
    assert one.scene(16) == Scene(FOUR)


def test_an_image_keeps_its_figures_and_tells_its_age() -> None:
    one = rundown()
    image = Image.new("RGBA", (4, 4))
    one.hear(image, 0)
    ages = []
    now: float | None = 0.0
    for _ in range(8):
        assert now is not None
        scene = one.scene(now)
        assert scene.content is image
        assert not scene.is_lost
        ages.append(scene.silent_s)
        now = one.next_change_at(now)
    assert ages == [0, 60, 120, 180, 240, 300, 360, 420]
    one.hear(image, 500)
    assert one.scene(500) == Scene(image)
