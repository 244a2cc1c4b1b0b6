from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.scripts import LATIN, Run, breadth, is_rtl, letters, runs

URDU, TAMIL = "سرخ وادی", "நீல மலை ரைடர்ஸ்"


def seen(text: str, base_rtl: bool | None = None) -> str:
    """The characters as they stand from left to right, in the direction that the text asks for unless told."""
    placed = runs(text, is_rtl(text) if base_rtl is None else base_rtl)
    return "".join("".join(reversed(letters(run.text))) if run.is_rtl else run.text for run in placed)


def turned(text: str) -> str:
    return "".join(reversed(letters(text)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("سو need", f"{turned('سو')} need"),
        (f"{URDU} need 151 from 20 overs", f"{turned(URDU)} need 151 from 20 overs"),
        (f"{URDU} won by 5 runs", f"{turned(URDU)} won by 5 runs"),
        (f"{URDU} win", f"{turned(URDU)} win"),
        (f"{URDU}: economy 7.85", f"{turned(URDU)}: economy 7.85"),
        (f"{URDU} v {TAMIL}", f"{turned(URDU)} v {TAMIL}"),
        (f"{TAMIL} v {URDU}", f"{TAMIL} v {turned(URDU)}"),
        (f"{URDU} v لاہور قلندرز", f"{turned(URDU)} v {turned('لاہور قلندرز')}"),
        (f"{URDU} (W) v Blue Hill 2nd XI", f"{turned(URDU)} (W) v Blue Hill 2nd XI"),
        (f"Blue Hill beat {URDU} (DLS) by 5 runs", f"Blue Hill beat {turned(URDU)} (DLS) by 5 runs"),
        (f"{URDU} 1st XI won", f"{turned(URDU)} 1st XI won"),
    ],
)
def test_an_english_line_is_read_from_left_to_right_whoever_is_named_first(text: str, expected: str) -> None:
    assert seen(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (URDU, turned(URDU)),
        ("کراچی Karachi", f"Karachi {turned('کراچی')}"),
        ("کراچی KARACHI KINGS", f"KARACHI KINGS {turned('کراچی')}"),
        ("کراچی 2nd XI", f"2nd XI {turned('کراچی')}"),
        ("کراچی 2024", f"2024 {turned('کراچی')}"),
        ("کراچی 101/4 جیت", f"{turned('جیت')} 101/4 {turned('کراچی')}"),
        ("کراچی نے Blue Hill کو", f"{turned('کو')} Blue Hill {turned('کراچی نے')}"),
        ("کراچی!", f"!{turned('کراچی')}"),
        ("کراچی (W)", f")W( {turned('کراچی')}"),  # brackets are mirrored when they are drawn
    ],
)
def test_a_line_that_is_not_english_has_the_direction_of_its_first_letter(text: str, expected: str) -> None:
    assert seen(text) == expected


@pytest.mark.parametrize(
    ("text", "base_rtl", "expected"),
    [
        ("سرخ 14.3 x", False, "14.3 خرس x"),  # a number after Arabic letters is theirs
        ("x 14.3 سرخ", False, "x 14.3 خرس"),
        ("סדר 20% x", False, "20% רדס x"),
        ("سرخ 20% x", False, "20 خرس% x"),
        ("دع ۱۲۳ x", False, "۱۲۳ عد x"),
        ("x, سرخ, y", False, "x, خرس, y"),
        ("x, سرخ, y", True, "y ,خرس ,x"),
        ("סדר 10-4 א", False, "א 10-4 רדס"),
        ("سرخ 10-4 x", False, "4-10 خرس x"),
        ("[سرخ (a) ب]", True, "]ب )a( خرس["),
        ("a (סדר) b", False, "a (רדס) b"),
        ("a) סדר (b", False, "a) רדס (b"),
        ("", True, ""),
    ],
)
def test_numbers_and_signs_go_where_the_standard_says(text: str, base_rtl: bool, expected: str) -> None:
    assert seen(text, base_rtl) == expected


@pytest.mark.parametrize("base_rtl", [False, True])
def test_marks_stay_with_their_letter(base_rtl: bool) -> None:
    for text in (f"{URDU} v {TAMIL}", f"{TAMIL} v {URDU}", "بابَر v लाल घाटी", "é́ بَ é"):
        for run in runs(text, base_rtl):
            assert unicodedata.category(run.text[0])[0] != "M", text


def test_a_line_falls_into_runs_of_one_script() -> None:
    assert runs("Mumbai मुंबई 2", base_rtl=False) == [
        Run("Mumbai ", LATIN), Run("मुंबई ", "Devanagari"), Run("2", LATIN),
    ]  # fmt: skip
    assert runs("کراچی K", base_rtl=True) == [Run("K", LATIN), Run("کراچی ", "Arabic", True)]


@given(st.text(alphabet="aW 1,.(/)ंक்ம\u200dरسرخ۳دע-[%]", max_size=40), st.booleans())
def test_every_character_is_placed_once(text: str, base_rtl: bool) -> None:
    placed = runs(text, base_rtl)
    assert sorted("".join(run.text for run in placed)) == sorted(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("मुंबई", ["मुं", "ब", "ई"]),
        ("श्रीलंका", ["श्री", "लं", "का"]),
        ("சென்னை", ["செ", "ன்", "னை"]),
        ("ஸ்ரீலங்கா", ["ஸ்ரீ", "ல", "ங்", "கா"]),
        ("பக்ஷி", ["ப", "க்ஷி"]),
        ("ශ්‍රී", ["ශ්‍රී"]),
        ("é1", ["é", "1"]),
    ],
)
def test_letters_are_what_people_see_as_one(text: str, expected: list[str]) -> None:
    assert letters(text) == expected


def test_a_vowel_sign_beside_its_letter_needs_room_and_one_above_it_does_not() -> None:
    assert breadth("கொ") > breadth("கா") > breadth("கீ") == breadth("க") > breadth("क") > breadth("M")
