from __future__ import annotations

import pytest
from PIL import Image

from demo import boards
from graphics.drawing import placeholder
from graphics.layout import canvas_of
from graphics.on_screen import OnScreen, describe
from graphics.strip import compose_scene
from graphics.themes import THEMES
from media.profiles import PROFILES
from scoring.reading import parse_match_data
from scoring.rundown import Scene

CANVAS = canvas_of(PROFILES["720p30"])


def words(name: str) -> list[str]:
    return list(describe(boards.all_scenes()[name], CANVAS).words)


@pytest.mark.parametrize(
    ("phase", "expected"),
    [
        ("scheduled", f"MI | {boards.TITLE} | Mumbai Indians v Chennai Super Kings | {boards.TOSS} | CSK"),
        (
            "toss",
            "MI | 4/0 | 0.3/20 ov | SA Yadav | 15 | (16) | Ishan Kishan | 20 | (20) | Imran Tahir | 1-17 (2.1) | "
            f"nb | 2lb | 1 | 4b | {boards.TOSS} | CRR | 8.00 | CSK",
        ),
        (
            "first-innings",
            "MI | 82/2 | 11.1/20 ov | SA Yadav | 15 | (16) | Ishan Kishan | 20 | (20) | Imran Tahir | 1-17 (2.1) | "
            "nb | 2lb | 1 | 4b | Partnership 37 (29) | CRR | 7.34 | CSK",
        ),
        (
            "innings-break",
            "MI | 149/8 | 20/20 ov | INNINGS BREAK | Chennai Super Kings need 150 from 20 overs | "
            f"{boards.TITLE} | CSK",
        ),
        (
            "chase",
            "CSK | 133/5 | 18.2/20 ov | SR Watson | 76 | (55) | RA Jadeja | 3 | (3) | JJ Bumrah | 2-12 (3.2) | "
            "1 | W | wd | 4 | • | 6 | CSK need | 17 | from | 10 | balls | CRR | 7.25 | RRR | 10.20 | MI | 149/8",
        ),
        (
            "rain",
            "CSK | 133/5 | 18.2/20 ov | RAIN | Play has stopped | CSK need | 17 | from | 10 | balls | "
            "CRR | 7.25 | RRR | 10.20 | MI | 149/8",
        ),
        (
            "super-over",
            "CSK | 9/1 | 0.3/1 ov | SR Watson | 76 | (55) | RA Jadeja | 3 | (3) | JJ Bumrah | 2-12 (3.2) | 6 | W | 2 | "
            "SUPER OVER | CSK need | 7 | from | 3 | balls | CRR | 18.00 | RRR | 14.00 | MI | 15/1",
        ),
        (
            "finished",
            "CSK | 148/7 | 20/20 ov | Mumbai Indians won by 1 run | Player of the match: JJ Bumrah | MI | 149/8",
        ),
        (
            "lost",
            f"CSK | {boards.TITLE} | Chennai Super Kings v Mumbai Indians | The live score will be back | MI",
        ),
        (
            "generic",
            "DEM | Dempo SC | 2 | 67:12 | 2nd half | 1 | Churchill Brothers | Goa Professional League | CHB",
        ),
    ],
)
def test_each_phase_is_read_from_left_to_right_and_from_top_to_bottom(phase: str, expected: str) -> None:
    said = describe(boards.phases()[phase], CANVAS)
    assert said == OnScreen("shown", tuple(expected.split(" | ")))


def test_a_silent_feed_has_its_mark_and_no_rates() -> None:
    said = describe(boards.phases()["silent"], CANVAS)
    assert said.mark == "Score 2 min old"
    assert list(said.words) == [word for word in words("chase") if word not in ("CRR", "7.25", "RRR", "10.20")]


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", boards.all_scenes())
def test_every_word_is_a_text_of_the_layout_and_every_text_is_told(name: str, theme: str) -> None:
    scene = boards.all_scenes()[name]
    said = describe(scene, CANVAS, theme)
    told = list(said.words) + ([said.mark] if said.mark else [])
    if said.banner:
        told += said.banner.words
    assert sorted(told) == sorted(text.says for text in compose_scene(scene, CANVAS, THEMES[theme]).texts)
    assert not any("…" in word for word in told)


@pytest.mark.parametrize("name", boards.events())
def test_a_banner_is_told_apart_from_the_strip(name: str) -> None:
    scene = boards.events()[name]
    said = describe(scene, CANVAS)
    assert scene.banner is not None
    assert said.banner is not None
    assert said.banner.kind == scene.banner.kind
    assert list(said.words[:3]) == words("finished" if name.startswith("win") else "chase")[:3]


def test_what_a_banner_says() -> None:
    told = {name: describe(scene, CANVAS).as_dict()["banner"] for name, scene in boards.events().items()}
    assert told["four"] == {"kind": "FOUR", "words": ["FOUR", "SR Watson", "80 (56)"]}
    assert told["wicket"] == {"kind": "WICKET", "words": ["WICKET", "SR Watson", "76 (55)", "c Dhoni b Bumrah"]}
    assert told["wicket-unnamed"] == {"kind": "WICKET", "words": ["WICKET"]}
    assert told["stand"] == {"kind": "STAND", "words": ["STAND 100", "V Chandrasekharan & SR Watson"]}
    assert told["innings"] == {"kind": "INNINGS", "words": ["INNINGS", "Mumbai Indians", "149/8 (20 overs)"]}
    assert " ".join(told["win-long"]["words"]) == f"WIN {boards.LONG_RESULT}"


def test_a_name_that_is_cut_on_the_strip_is_told_whole() -> None:
    name = "Venkatanarasimharajuvaripeta"
    assert name in words("long")
    assert "WM Wanigamuni" in words("long"), "shortened is not cut"


def test_nothing_and_a_ready_image_have_no_words() -> None:
    image = Image.new("RGBA", (CANVAS.width, CANVAS.height), "red")
    assert describe(Scene(), CANVAS) == OnScreen("hidden")
    assert describe(Scene(placeholder(CANVAS)), CANVAS) == OnScreen("hidden")
    assert describe(Scene(image), CANVAS) == OnScreen("shown")
    assert describe(Scene(image, silent_s=120), CANVAS) == OnScreen("shown", mark="Score 2 min old")


def test_a_logo_takes_the_place_of_the_other_sides_score_in_both() -> None:
    board = parse_match_data(boards.CHASE | {"bowling": boards.CHASE["bowling"] | {"logo": "mi.png"}})
    assert describe(Scene(board), CANVAS).words[-2:] == ("MI", "149/8")
    assert describe(Scene(board), CANVAS, logos={"mi.png"}).words[-1] == "MI"
    assert "149/8" not in describe(Scene(board), CANVAS, logos={"mi.png"}).words
