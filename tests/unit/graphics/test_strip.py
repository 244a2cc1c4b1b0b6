from __future__ import annotations

import contextlib
import itertools
import json
import re
import string
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from demo import boards
from demo.replay import MATCH, frame, states
from errors import FeedError, InvalidField
from graphics.drawing import draw_scene
from graphics.fonts import set_line
from graphics.layout import ROWS, SMALLEST, Canvas, Layout, Part, Text, canvas_of
from graphics.players import BALL_RADIUS
from graphics.strip import compose
from graphics.themes import BANNERS, CONTRAST, THEMES, contrast
from media.profiles import PROFILES
from scoring.events import Event
from scoring.fields import NOT_SHOWN
from scoring.reading import parse_match_data, read_push
from scoring.rundown import Scene
from scoring.scoreboard import STATUSES, Batter, Bowler, Format, Partnership, Scoreboard, Team

CANVAS = canvas_of(PROFILES["720p30"])
SMALL = canvas_of(PROFILES["480p30"])
MATCHES = [MATCH, MATCH.with_name("1370353.json")]
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def layout_of(scene: Scene, canvas: Canvas = CANVAS, theme: str = "dark") -> Layout:
    assert isinstance(scene.content, Scoreboard)
    return compose(scene, scene.content, canvas, THEMES[theme])


def texts(feed: dict[str, Any], **over: Any) -> list[str]:
    return [text.line.text for text in layout_of(Scene(parse_match_data(feed), **over)).texts]


def assert_is_sound(layout: Layout) -> None:
    """No text touches another one or leaves the strip, and each stands on one ground."""
    for text in layout.texts:
        assert layout.bounds.holds(text.box), text.line.text
    for one, other in itertools.combinations(layout.texts, 2):
        assert not one.box.overlaps(other.box), f"{one.line.text!r} and {other.line.text!r}"


@pytest.mark.parametrize("profile", ["480p30", "720p30", "1080p30"])
@pytest.mark.parametrize("name", boards.all_scenes())
def test_no_text_touches_another_or_leaves_the_strip(name: str, profile: str) -> None:
    assert_is_sound(layout_of(boards.all_scenes()[name], canvas_of(PROFILES[profile])))


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", boards.all_scenes())
def test_every_text_is_large_enough_and_stands_out_from_its_ground(name: str, theme: str) -> None:
    for text in layout_of(boards.all_scenes()[name], theme=theme).texts:
        assert text.line.size_px >= SMALLEST, text.line.text
        assert contrast(text.color, text.ground) >= CONTRAST, text.line.text


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", boards.all_scenes())
def test_the_pixels_around_a_text_are_the_ground_it_was_given(name: str, theme: str) -> None:
    scene = boards.all_scenes()[name]
    image = draw_scene(scene, CANVAS, theme).convert("RGBA")
    for text in layout_of(scene, theme=theme).texts:
        colors = image.crop((text.box.left, text.box.top, text.box.right, text.box.bottom)).getcolors(100_000)
        assert colors is not None
        assert (*text.ground, 255) in {color for _, color in colors}, text.line.text
        assert all(color[3] == 255 for _, color in colors if isinstance(color, tuple)), text.line.text


def test_the_smallest_text_is_twenty_pixels_high_at_720p() -> None:
    assert set_line("Agl", "regular", SMALLEST).mask.height >= 20


# What stands on it


def test_the_chase_says_what_is_needed() -> None:
    shown = texts(boards.CHASE)
    assert shown[shown.index("CSK need") :][:5] == ["CSK need", "17", "from", "10", "balls"]
    assert {"133/5", "18.2/20 ov", "2-12 (3.2)", "7.25", "10.20", "149/8"} <= set(shown)


def test_without_the_overs_of_the_innings_no_balls_are_made_up() -> None:
    shown = texts(boards.CHASE | {"overs_limit": None})
    assert shown[shown.index("CSK need") :][:3] == ["CSK need", "17", "runs to win"]
    assert {"RRR", "20"}.isdisjoint(shown)
    assert "18.2 overs" in shown


def test_the_second_line_has_the_toss_first_then_the_partnership() -> None:
    begun = boards.MI | {"runs": 4, "wickets": 0, "overs": "0.3"}
    assert boards.TOSS in texts(boards.FIRST | {"batting": begun})
    assert "Partnership 37 (29)" in texts(boards.FIRST)
    bare = boards.FIRST | {"partnership": None, "title": None}
    assert "Imran Tahir: economy 7.85" in texts(bare)
    assert "SA Yadav: strike rate 93.8" in texts(bare | {"bowler": None})


@pytest.mark.parametrize(
    ("feed", "expected"),
    [
        (boards.SCHEDULED, {"Mumbai Indians v Chennai Super Kings", boards.TITLE, boards.TOSS}),
        (boards.BREAK, {"INNINGS BREAK", "Chennai Super Kings need 150 from 20 overs", "149/8"}),
        (boards.RAIN, {"RAIN", "133/5", "Play has stopped"}),
        (boards.SUPER_OVER, {"SUPER OVER", "9/1", "7", "3", "15/1"}),
        (boards.FINISHED, {"Mumbai Indians won by 1 run", "Player of the match: JJ Bumrah", "148/7"}),
        (boards.GENERIC, {"2", "1", "67:12", "2nd half", "Dempo SC", "Churchill Brothers"}),
    ],
)
def test_each_phase_has_its_composition(feed: dict[str, Any], expected: set[str]) -> None:
    assert expected <= set(texts(feed))


def test_in_the_break_the_side_that_bats_next_needs_the_target_whichever_way_the_feed_has_them() -> None:
    turned = boards.BREAK | {"batting": boards.CSK, "bowling": boards.BREAK["batting"]}
    assert "Chennai Super Kings need 150 from 20 overs" in texts(turned)


def test_a_lost_feed_leaves_the_sides_and_no_figures() -> None:
    for feed in (boards.CHASE, boards.GENERIC):
        shown = texts(feed, is_lost=True)
        assert "The live score will be back" in shown
        assert not any(character in string.digits for text in shown if "IPL" not in text for character in text)


def test_a_silent_feed_is_marked_and_the_figures_stay() -> None:
    shown = texts(boards.CHASE, silent_s=120)
    assert {"Score 2 min old", "133/5"} <= set(shown)
    assert "Score 30 s old" in texts(boards.CHASE, silent_s=30)


def test_a_banner_leaves_the_score() -> None:
    for name, scene in boards.events().items():
        shown = [text.line.text for text in layout_of(scene).texts]
        assert scene.banner is not None
        assert scene.banner.heading in shown, name
        assert {"133/5", "148/7"} & set(shown)


def test_of_a_long_name_initials_go_first_and_a_long_number_is_never_cut() -> None:
    shown = texts(boards.LONG)
    assert {"WM Wanigamuni", "WP Ushantha", "1004", "all out 119.5 ov", "10-188 (33.3)", "388", "(488)"} <= set(shown)
    assert any(text.startswith("Venkatanarasim") and text.endswith("…") for text in shown), "one word can only be cut"
    assert {"V Chandrasekharan", "QB de Kock", "JP Featherstonehaugh (c)"} <= set(texts(boards.NAMES))


def test_all_out_is_said_in_words_and_complete_overs_without_a_point() -> None:
    assert {"287", "all out 48.3 ov"} <= set(texts(boards.ALL_OUT))
    chased = boards.CHASE | {"bowling": boards.MI | {"runs": 287, "wickets": 10}}
    assert "287" in texts(chased)
    assert {"20/20 ov", "2-12 (4)"} <= set(texts(boards.NAMES | {"batting": boards.CSK | {"runs": 9, "overs": "20.0"}}))
    over = {"sport": "cricket", "batting": boards.MI | {"runs": 4, "overs": "1.0"}}
    assert "1 over" in texts(over)
    for scene in boards.all_scenes().values():
        for text in layout_of(scene).texts:
            assert not text.says.endswith("/10")
            assert not re.search(r"\d\.0\b", text.says)


def test_a_ball_is_told_by_its_shape() -> None:
    layout = layout_of(boards.all_scenes()["balls"])
    shapes = {}
    for label in ("1", "4", "6", "W", "1W", "wd"):
        text = next(text for text in layout.texts if text.line.text == label and text.line.size_px == SMALLEST)
        block = next(block for block in reversed(layout.blocks) if block.box.holds(text.box))
        shapes[label] = "diamond" if block.pointed else "square" if 3 * block.radius < block.box.height else "disc"
    assert shapes == {"1": "disc", "4": "square", "6": "square", "W": "diamond", "1W": "diamond", "wd": "disc"}
    dots = [text for text in layout_of(boards.all_scenes()["maiden"]).texts if text.line.text == "•"]
    assert len(dots) == 5
    assert all(dot.ground == THEMES["dark"].panel and dot.line.mask.width < BALL_RADIUS for dot in dots)


def labels_shown(*labels: str) -> list[str]:
    board = replace(parse_match_data(boards.CHASE), this_over=labels, batters=())
    return [text.line.text for text in layout_of(Scene(board)).texts if (text.part, text.row) == (Part.LEFT, ROWS[1])]


@pytest.mark.parametrize("label", ["2nb+4", "nb+6", "10nb", "W", "1W", "4lb", "4+1nb", "5wd"])
def test_a_label_is_drawn_whole(label: str) -> None:
    assert labels_shown(label) == [label]


def test_a_label_that_is_written_out_takes_the_scorers_signs() -> None:
    assert labels_shown("4 leg byes", "5pen", "2 no balls", "3 wides") == ["4lb", "5p", "2nb", "3wd"]


WIDE_NAMES = ["கொல்கத்தா நைட் ரைடர்ஸ்", "WWWWWW", "MMMMMM", "ශ්‍රී ලංකා ක්‍රීඩා", "ﷺ﷽", "سرخ وادی رائڈرز کلب"]


@pytest.mark.parametrize("name", WIDE_NAMES)
@pytest.mark.parametrize("logo", [None, "a.png"])
def test_a_short_name_is_never_cut_with_an_ellipsis(name: str, logo: str | None) -> None:
    side = {"name": name, "runs": 9998, "wickets": 9, "overs": "50.0", "logo": logo}
    board = parse_match_data(boards.CHASE | {"batting": side, "bowling": side})
    layout = compose(Scene(board), board, CANVAS, THEMES["dark"], frozenset({"a.png"}))
    for part in (Part.FIRST_SIDE, Part.OTHER_SIDE):
        (short, *_) = [text.line.text for text in layout.texts if text.part is part and "9998" not in text.line.text]
        assert "…" not in short
        assert team_short(board).startswith(short) or short == "?"


def team_short(board: Scoreboard) -> str:
    assert board.batting is not None
    return board.batting.short


def test_a_side_of_whose_name_nothing_can_be_drawn_has_a_mark() -> None:
    feed = boards.CHASE | {"bowling": {"name": "🦁"}, "batters": [], "bowler": None, "this_over": [], "title": None}
    assert {"?", "Chennai Super Kings v ?"} <= set(texts(feed))


def test_our_own_words_run_from_left_to_right_after_any_name() -> None:
    urdu, tamil = {"name": "سرخ وادی", "short": "سو", "runs": 120, "overs": "15.0"}, {"name": "நீல மலை ரைடர்ஸ்"}
    layout = layout_of(Scene(parse_match_data(boards.CHASE | {"batting": urdu, "bowling": tamil})))
    need = next(text for text in layout.texts if text.line.text == "سو need")
    assert need.line.mask.tobytes() == set_line("سو need", "bold", need.line.size_px, "ltr").mask.tobytes()


# Banners


def banner_texts(event: Event, result: str | None = None) -> list[Text]:
    board = parse_match_data(boards.FINISHED | {"result": result} if result else boards.CHASE)
    return [text for text in layout_of(Scene(board, event)).texts if text.part is Part.BANNER]


@pytest.mark.parametrize(
    ("who", "how_out", "shown"),
    [
        ("SR Watson", "c Dhoni b Bumrah", ["SR Watson", "c Dhoni b Bumrah"]),
        (boards.LONG_NAME, f"c {boards.LONG_NAME} b AB Cuthbertson", ["V Chandrasekharan", None]),
        (
            "Alexander Montgomery Featherstone",
            "c Longfellowshire-Hartington b Winterbottomley",
            ["AM Featherstone", "c Longfellowshire-Hartington b Winterbottomley"],
        ),
        ("W" * 48, "c " + "W" * 46, [None, None]),
        ("SR Watson", "", ["SR Watson"]),
        ("", "run out", ["run out"]),
    ],
)
@pytest.mark.parametrize("figures", ["0 (1)", "100 (99)", "9999 (9999)"])
def test_a_wicket_always_shows_the_figures(who: str, how_out: str, shown: list[str | None], figures: str) -> None:
    said = [text.line.text for text in banner_texts(Event("WICKET", who, how_out, figures=figures))]
    assert figures in said
    said.remove(figures)
    assert len(said) == len(shown)
    assert all(want is None or got == want for got, want in zip(said, shown, strict=True))


def test_what_is_left_of_a_long_dismissal_is_how_and_by_whom() -> None:
    said = [text.line.text for text in banner_texts(boards.events()["wicket-long"].banner or Event("WICKET"))]
    assert said == ["V Chandrasekharan", "100 (99)", "c V Chandrasekharan b WP Ushantha"]


RESULT = "Royal Challengers Bengaluru won by 5 wickets with 3 balls remaining (D/L method)"


@pytest.mark.parametrize("kind", ["WIN", "RESULT"])
def test_a_long_result_takes_more_lines_and_is_whole(kind: str) -> None:
    two = ["Royal Challengers Bengaluru won by 5 wickets", "with 3 balls remaining (D/L method)"]
    assert [text.line.text for text in banner_texts(Event(kind, "x", RESULT), RESULT)] == two
    finished = layout_of(Scene(parse_match_data(boards.FINISHED | {"result": RESULT})))
    assert [text.line.text for text in finished.texts if text.part is Part.LEFT] == two
    longest = f"{RESULT}; the series is level at two matches"
    lines = [text.line.text for text in banner_texts(Event(kind, "x", longest), longest)]
    assert " ".join(lines) == longest
    assert [text.line.text for text in banner_texts(Event(kind, "x", "A won"), "A won")] == ["A won"]


def test_of_a_milestone_no_figure_is_cut() -> None:
    detail = "9999 (9999)  999×4  999×6  SR 1000"
    (who, figures) = [text.line.text for text in banner_texts(Event("HUNDRED", "W" * 48, detail))]
    assert who.endswith("…")
    assert detail.startswith(figures)
    assert not figures.endswith("…")


# Every state of two real matches


def runs_and_wickets(path: Path) -> list[tuple[int, int, str, int | None]]:
    """After each delivery: runs, wickets, overs and target, computed from nothing but the file."""
    found = []
    for innings in json.loads(path.read_text())["innings"]:
        runs = wickets = legal = 0
        for over in innings["overs"]:
            for delivery in over["deliveries"]:
                runs += delivery["runs"]["total"]
                wickets += sum(wicket["kind"] != "retired hurt" for wicket in delivery.get("wickets", []))
                legal += not {"wides", "noballs"} & set(delivery.get("extras", {}))
                target = innings.get("target", {}).get("runs")
                found.append((runs, wickets, f"{legal // 6}.{legal % 6}", target))
    return found


@pytest.mark.parametrize("shape", ["as_own_shape", "as_current_score"])
@pytest.mark.parametrize("path", MATCHES, ids=lambda path: path.stem)
def test_every_state_of_a_real_match_shows_the_score_of_the_file(path: Path, shape: str) -> None:
    expected = runs_and_wickets(path)
    seen = list(states(path))
    assert len(seen) == len(expected) > 200
    for state, (runs, wickets, overs, target) in zip(seen, expected, strict=True):
        board = parse_match_data(getattr(state, shape)())
        layout = layout_of(Scene(board), SMALL)
        shown = [text.line.text for text in layout.texts]
        assert f"{runs}/{wickets}" in shown
        assert any(text.split("/")[0].split(" ")[0] == overs.removesuffix(".0") for text in shown)
        if shape == "as_own_shape" and target is not None:
            assert_shows_the_target(shown, target - runs, target)
        assert_is_sound(layout)
        draw_scene(Scene(board), SMALL)


def assert_shows_the_target(shown: list[str], needed: int, target: int) -> None:
    if needed <= 0:
        assert "Chennai Super Kings win" in shown
    elif "CSK need" in shown:
        assert shown[shown.index("CSK need") + 1] == str(needed)
    else:
        assert needed > 0, f"of {target}"
        assert "Mumbai Indians win" in shown, "no ball is left"


@pytest.mark.parametrize(
    ("path", "target", "overs", "result"),
    [
        (MATCHES[0], 150, 20, "Mumbai Indians won by 1 run"),
        (MATCHES[1], 171, 15, "Chennai Super Kings won by 5 wickets (D/L)"),
    ],
    ids=lambda value: value.stem if isinstance(value, Path) else None,
)
def test_a_real_match_has_its_revised_target_and_its_result(path: Path, target: int, overs: int, result: str) -> None:
    before, pause, after = frame(path)
    assert layout_of(Scene(parse_match_data(before))).texts
    assert f"Chennai Super Kings need {target} from {overs} overs" in texts(pause)
    assert {result, f"Player of the match: {after['player_of_match']}"} <= set(texts(after))


# Whatever comes

WORDS = st.text(max_size=60)
SCRIPTED = st.text(alphabet="अनहिंदीশ্রীতমিল்ක්‍ෂරعلیéŁW iA1()", max_size=60)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | WORDS
ANY_JSON = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(WORDS, inner), max_leaves=12)
KEYS = st.sampled_from(
    [
        *("data", "currScore", "sport", "batting", "bowling", "batters", "bowler", "this_over", "teamScore", "A"),
        *("battingTeamName", "onPitch", "inningScore", "name", "short", "runs", "balls", "overs", "wickets"),
        *("status", "result", "home", "away", "score", "clock", "period", "logo", "color", "target", "innings"),
        *("updated_at", "last_wicket", "partnership", "overs_limit", "currOverDetail", "striker", "title"),
    ]
)
VALUES = LEAVES | st.sampled_from(["cricket", "generic", "A", "1/2", "3.4", "rain", "#ff0000", "2019-05-12T17:40:11Z"])
FEED_LIKE = st.recursive(VALUES, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner), max_leaves=20)


@QUICK
@given(ANY_JSON | FEED_LIKE)
def test_any_json_is_a_scoreboard_or_a_named_error(answer: object) -> None:
    with contextlib.suppress(FeedError):
        assert isinstance(parse_match_data(answer), Scoreboard)


@QUICK
@given(st.dictionaries(KEYS, FEED_LIKE), st.sampled_from(["cricket", "generic"]))
def test_any_push_is_a_scoreboard_or_names_a_field(body: dict[str, Any], sport: str) -> None:
    with contextlib.suppress(InvalidField):
        board = read_push(body | {"sport": sport})
        if NOT_SHOWN in repr(board):
            return  # a push says so where nothing of a text can be shown; a poll leaves the text out
        assert board == parse_match_data(body | {"sport": sport}), "a good push is read as a poll is"


NAMES = st.one_of(WORDS, SCRIPTED)
NUMBERS = st.none() | st.integers(0, 9999)
OVERS = st.none() | st.builds("{}.{}".format, st.integers(0, 999), st.integers(0, 6))
COLORS = st.none() | st.from_regex(r"#[0-9a-f]{6}", fullmatch=True)


def named(name: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """As the feed's texts come out of the reader."""
    return name.map(lambda text: parse_match_data({"sport": "cricket", "title": f"A{text}"}).title or "A")


TEXTS = named(NAMES)
TEAMS = st.builds(
    Team, TEXTS, TEXTS.map(lambda text: text[:6]), NUMBERS, st.none() | st.integers(0, 20), OVERS, COLORS,
    st.none(), st.none() | TEXTS.map(lambda text: text[:8]),
)  # fmt: skip
BOARDS = st.builds(
    Scoreboard,
    batting=st.none() | TEAMS,
    bowling=st.none() | TEAMS,
    batters=st.lists(st.builds(Batter, TEXTS, NUMBERS, NUMBERS, st.booleans()), max_size=2).map(tuple),
    bowler=st.none() | st.builds(Bowler, TEXTS, OVERS, NUMBERS, st.none() | st.integers(0, 20)),
    this_over=st.lists(st.sampled_from(["W", "4", "0", "5nb", "2nb+4", "wd", "WWWW", "😀", "1lb"]), max_size=12).map(
        tuple
    ),
    target=NUMBERS,
    result=st.none() | TEXTS,
    title=st.none() | TEXTS,
    sport=st.sampled_from(["cricket", "cricket", "generic"]),
    status=st.none() | st.sampled_from(STATUSES),
    innings=st.none() | st.integers(0, 20),
    format=st.builds(Format, overs=st.none() | st.integers(1, 999)),
    toss=st.none() | TEXTS,
    player_of_match=st.none() | TEXTS,
    partnership=st.none() | st.builds(Partnership, st.integers(0, 9999), NUMBERS),
    home=st.none() | TEAMS,
    away=st.none() | TEAMS,
    clock=st.none() | TEXTS,
    period=st.none() | TEXTS,
)
FIGURES = st.just("") | st.builds("{} ({})".format, st.integers(0, 9999), st.integers(0, 9999))
SCENES = st.builds(
    Scene,
    content=BOARDS,
    banner=st.none()
    | st.builds(Event, st.sampled_from(sorted(BANNERS)), TEXTS, TEXTS, st.none() | TEAMS, st.none(), FIGURES),
    silent_s=st.sampled_from([0, 0, 5, 60, 3600]),
    is_lost=st.booleans(),
)


@QUICK
@given(SCENES, st.sampled_from(["480p30", "720p30", "1080p30"]), st.sampled_from(sorted(THEMES)))
def test_any_scoreboard_draws_with_its_texts_apart_and_inside_the_strip(scene: Scene, profile: str, theme: str) -> None:
    canvas = canvas_of(PROFILES[profile])
    layout = layout_of(scene, canvas, theme)
    assert_is_sound(layout)
    for text in layout.texts:
        assert contrast(text.color, text.ground) >= CONTRAST
        assert text.line.size_px >= canvas.px(SMALLEST)
    assert draw_scene(scene, canvas, theme).size == (canvas.width, canvas.height)
