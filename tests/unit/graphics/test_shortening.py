from __future__ import annotations

import pytest

from graphics.paragraphs import broken_into
from graphics.shortening import how_out_forms, name_forms, short_name_forms


@pytest.mark.parametrize(
    ("name", "forms"),
    [
        ("Venkatanarasimha Chandrasekharan", ["V Chandrasekharan", "Chandrasekharan"]),
        ("KL Rahul Chandrasekharan", ["KLR Chandrasekharan", "Chandrasekharan"]),
        ("M.S. Dhoni", ["MS Dhoni", "Dhoni"]),
        ("V. V. S. Laxman", ["VVS Laxman", "Laxman"]),
        ("SA Yadav", ["Yadav"]),
        ("Jean-Paul Duminy", ["JP Duminy", "Duminy"]),
        ("Alfred Longfellowshire-Hartington", ["A Longfellowshire-Hartington", "Longfellowshire-Hartington"]),
        ("Chandrasekharan", []),
        ("de Kock", []),
        ("Quinton de Kock", ["Q de Kock", "de Kock"]),
        ("Roelof van der Merwe", ["R van der Merwe", "van der Merwe"]),
        ("Shakib Al Hasan", ["S Al Hasan", "Al Hasan"]),
        ("Mahendra Singh Dhoni (c & wk)", ["MS Dhoni (c & wk)", "Dhoni (c & wk)", "Dhoni"]),
        ("Rohit Sharma*", ["R Sharma*", "Sharma*", "Sharma"]),
        ("Dhoni (c)", ["Dhoni"]),
        ("Kenneth Griffey Jr", ["K Griffey Jr", "Griffey Jr", "Griffey"]),
        ("Venkatanarasimha Chandrasekharan (wk", ["V Chandrasekharan", "Chandrasekharan"]),
        ("Chandrasekharan, Venkat", ["V Chandrasekharan", "Chandrasekharan"]),
        ("†Mahendra Dhoni", ["M Dhoni", "Dhoni"]),
        ("Łukasz Żółć", ["Ł Żółć", "Żółć"]),
        ("Ángel E\u0301lan Núñez", ["ÁE\u0301 Núñez", "Núñez"]),
        ("श्रीनिवासराघवन वेंकटरामन लक्ष्मीनारायणन", ["श्री वें लक्ष्मीनारायणन", "लक्ष्मीनारायणन"]),
        ("ரவிச்சந்திரன் அஸ்வின்", ["ர அஸ்வின்", "அஸ்வின்"]),
        ("කුසල් මෙන්ඩිස්", ["කු මෙන්ඩිස්", "මෙන්ඩිස්"]),
        ("شاہین شاہ آفریدی", ["ش ش آفریدی", "آفریدی"]),
        ("Ωμέγα Παπαδόπουλος", ["Ω Παπαδόπουλος", "Παπαδόπουλος"]),
        (
            "Kane Williamson & Quinton de Kock (wk)",
            ["K Williamson & Q de Kock (wk)", "Williamson & de Kock (wk)", "Williamson & de Kock"],
        ),
        ("(c)", []),
        ("🦁", []),
        ("", []),
    ],
)
def test_a_name_is_shortened_as_a_broadcaster_does(name: str, forms: list[str]) -> None:
    assert list(name_forms(name)) == ([name, *forms] if name else [])


@pytest.mark.parametrize(
    ("how_out", "forms"),
    [
        ("c Mahendra Singh Dhoni b Jasprit Bumrah", ["c MS Dhoni b J Bumrah", "c Dhoni b Bumrah"]),
        ("c & b Jasprit Bumrah", ["c & b J Bumrah", "c & b Bumrah"]),
        ("c and b Jasprit Bumrah", ["c and b J Bumrah", "c and b Bumrah"]),
        ("lbw b Quinton de Kock", ["lbw b Q de Kock", "lbw b de Kock"]),
        ("st †Mahendra Dhoni b Al Amin", ["st M Dhoni b Al Amin", "st Dhoni b Al Amin"]),
        ("run out (Kane Williamson/Tom Latham)", ["run out (K Williamson/T Latham)", "run out (Williamson/Latham)"]),
        ("c sub (Kane Williamson) b Trent Boult", ["c sub (K Williamson) b T Boult", "c sub (Williamson) b Boult"]),
        ("c Jake Ball b B Stokes", ["c J Ball b B Stokes", "c Ball b Stokes"]),
        ("C Jake Root B Jasprit Bumrah", ["C J Root B J Bumrah", "C Root B Bumrah"]),
        ("Caught Jake Root Bowled Jasprit Bumrah", ["Caught J Root Bowled J Bumrah", "Caught Root Bowled Bumrah"]),
        ("not out", []),
        ("hit wicket b Bumrah", []),
        ("कैच धोनी बो जसप्रीत बुमराह", []),
        ("", []),
    ],
)
def test_a_dismissal_keeps_how_and_shortens_who(how_out: str, forms: list[str]) -> None:
    assert list(how_out_forms(how_out)) == [how_out, *forms]


def test_a_short_name_loses_whole_letters() -> None:
    assert short_name_forms("கொநைரை") == ("கொநைரை", "கொநை", "கொ")
    assert short_name_forms("س\u200cو") == ("س\u200cو", "س")


def test_a_result_is_broken_near_its_middle_and_not_within_a_figure() -> None:
    text = "Red Valley won by 5 wickets with 3 balls left"
    assert broken_into(text, 1, 30, 10_000) == (text,)
    assert broken_into(text, 2, 30, 10_000) == ("Red Valley won by 5 wickets", "with 3 balls left")
    assert " ".join(broken_into(text, 3, 30, 10)) == text, "nothing is lost where it does not fit"
    assert broken_into("Abandoned", 2, 30, 10) == ("Abandoned",)
