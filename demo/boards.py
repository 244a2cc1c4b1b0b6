"""Scenes with everything that the strip can show: every phase, event and script, and texts that are too long.

The contact sheet and the tests draw the same scenes.
"""

from __future__ import annotations

from typing import Any

from scoring.events import Event
from scoring.reading import parse_match_data
from scoring.rundown import Scene

MI = {"name": "Mumbai Indians", "short": "MI", "color": "#004ba0"}
CSK = {"name": "Chennai Super Kings", "short": "CSK", "color": "#f9cd05"}
TITLE = "IPL 2019 Final"
TOSS = "Mumbai Indians won the toss and chose to bat"
CHASE: dict[str, Any] = {
    "sport": "cricket",
    "title": TITLE,
    "status": "live",
    "innings": 2,
    "target": 150,
    "overs_limit": 20,
    "batting": CSK | {"runs": 133, "wickets": 5, "overs": "18.2"},
    "bowling": MI | {"runs": 149, "wickets": 8, "overs": "20.0"},
    "batters": [
        {"name": "SR Watson", "runs": 76, "balls": 55, "fours": 8, "sixes": 3, "on_strike": True},
        {"name": "RA Jadeja", "runs": 3, "balls": 3},
    ],
    "bowler": {"name": "JJ Bumrah", "overs": "3.2", "runs": 12, "wickets": 2},
    "this_over": ["1", "W", "wd", "4", "0", "6"],
    "partnership": {"runs": 24, "balls": 18},
}
FIRST: dict[str, Any] = {
    "sport": "cricket",
    "title": TITLE,
    "innings": 1,
    "overs_limit": 20,
    "toss": TOSS,
    "batting": MI | {"runs": 82, "wickets": 2, "overs": "11.1"},
    "bowling": CSK,
    "batters": [
        {"name": "SA Yadav", "runs": 15, "balls": 16, "on_strike": True},
        {"name": "Ishan Kishan", "runs": 20, "balls": 20},
    ],
    "bowler": {"name": "Imran Tahir", "overs": "2.1", "runs": 17, "wickets": 1},
    "this_over": ["nb", "2lb", "1", "4b"],
    "partnership": {"runs": 37, "balls": 29},
}
SCHEDULED = {"sport": "cricket", "status": "scheduled", "title": TITLE, "toss": TOSS, "batting": MI, "bowling": CSK}
BREAK = FIRST | {
    "status": "innings_break",
    "target": 150,
    "batting": MI | {"runs": 149, "wickets": 8, "overs": "20.0"},
}
RAIN = CHASE | {"status": "rain"}
SUPER_OVER = CHASE | {
    "status": "super_over",
    "innings": 4,
    "overs_limit": 1,
    "target": 16,
    "batting": CSK | {"runs": 9, "wickets": 1, "overs": "0.3"},
    "bowling": MI | {"runs": 15, "wickets": 1, "overs": "1.0"},
    "this_over": ["6", "W", "2"],
}
FINISHED = CHASE | {
    "status": "finished",
    "result": "Mumbai Indians won by 1 run",
    "player_of_match": "JJ Bumrah",
    "batting": CSK | {"runs": 148, "wickets": 7, "overs": "20.0"},
}
GENERIC = {
    "sport": "generic",
    "title": "Goa Professional League",
    "home": {"name": "Dempo SC", "short": "DEM", "score": 2, "color": "#ffffff"},
    "away": {"name": "Churchill Brothers", "short": "CHB", "score": 1, "color": "#c8102e"},
    "clock": "67:12",
    "period": "2nd half",
}
LONG = CHASE | {
    "overs_limit": 120,
    "target": 1234,
    "batting": {"name": "Royal Challengers Bengaluru and District", "short": "WWWWWW", "runs": 1004, "wickets": 10}
    | {"overs": "119.5", "color": "#ec1c24"},
    "batters": [
        {"name": "Wijesekara Mudiyanselage Wanigamuni", "runs": 388, "balls": 488, "on_strike": True},
        {"name": "Venkatanarasimharajuvaripeta", "runs": 288, "balls": 301},
    ],
    "bowler": {"name": "Warnakulasuriya Patabendige Ushantha", "overs": "33.3", "runs": 188, "wickets": 10},
    "this_over": ["wd", "5nb", "wd", "1lb", "4b", "wd", "W", "6", "4", "wd", "1", "2"],
}
SPARSE = {
    "sport": "cricket",
    "batting": {"name": "Kandy Falcons", "runs": 12, "wickets": 0, "overs": "1.3"},
    "bowling": {"name": "Galle Marvels"},
}
TWINS = FIRST | {
    "batting": MI | {"color": "#101010", "runs": 82, "wickets": 2, "overs": "11.1"},
    "bowling": CSK | {"color": "#0e1014"},
}

LONG_NAME = "Venkatanarasimha Chandrasekharan"
NAMES = CHASE | {
    "batters": [
        {"name": LONG_NAME, "runs": 100, "balls": 98, "on_strike": True},
        {"name": "Quinton Bartholomew de Kock", "runs": 3, "balls": 3},
    ],
    "bowler": {"name": "Jean-Pierre Featherstonehaugh (c)", "overs": "4.0", "runs": 12, "wickets": 2},
}
ALL_OUT = FIRST | {
    "overs_limit": 50,
    "batting": MI | {"runs": 287, "wickets": 10, "overs": "48.3"},
    "status": "innings_break",
    "target": 288,
}
MAIDEN = CHASE | {"this_over": ["0", "0", "0", "0", "0"]}
BALLS = CHASE | {"batters": [], "this_over": ["0", "1", "4", "6", "W", "1W", "wd", "5wd", "nb", "5nb", "2lb", "4b"]}
FULL: dict[str, Any] = CHASE | {
    "overs_limit": 999,
    "target": 9999,
    "batting": {"name": "W" * 48, "short": "WWWWWW", "runs": 5000, "wickets": 9, "overs": "500.5"},
    "bowling": {"name": "M" * 48, "short": "MMMMMM", "runs": 9998, "wickets": 9},
    "batters": [
        {"name": "W" * 48, "runs": 9999, "balls": 9999, "on_strike": True},
        {"name": "Wwwwwwwwwwwwwwwwwwwwwwwwww Mmmmmmmmmmmmmmmm", "runs": 9999, "balls": 9999},
    ],
    "bowler": {"name": "W" * 48, "overs": "999.5", "runs": 9999, "wickets": 20},
    "this_over": ["9nb9"] * 6 + ["9W9"] * 6,
}
LONG_RESULT = "Royal Challengers Bengaluru and District won by 5 wickets with 3 balls remaining (D/L method)"

# Title, both sides, both batters, bowler.
_WRITTEN = {
    "devanagari": ("फाइनल", "मुंबई इंडियंस", "चेन्नई सुपर किंग्स", "रोहित शर्मा", "ऋषभ पंत", "जसप्रीत बुमराह"),
    "bengali": ("ফাইনাল", "বাংলাদেশ", "কলকাতা নাইট রাইডার্স", "সাকিব আল হাসান", "লিটন দাস", "মুস্তাফিজুর রহমান"),
    "tamil": ("இறுதிப் போட்டி", "சென்னை சூப்பர் கிங்ஸ்", "மதுரை பாந்தர்ஸ்", "ரவிச்சந்திரன் அஸ்வின்", "தினேஷ் கார்த்திக்", "நடராஜன்"),
    "telugu": ("ఫైనల్", "హైదరాబాద్ సన్‌రైజర్స్", "విశాఖపట్నం", "హనుమ విహారి", "అంబటి రాయుడు", "మహమ్మద్ సిరాజ్"),
    "sinhala": ("අවසන් තරගය", "ශ්‍රී ලංකාව", "ගාල්ල මාවල්ස්", "කුසල් මෙන්ඩිස්", "පැතුම් නිස්සංක", "වනිඳු හසරංග"),
    "urdu": ("فائنل", "کراچی کنگز", "لاہور قلندرز", "بابر اعظم", "محمد رضوان", "شاہین شاہ آفریدی"),
    "accents": ("Finale", "São João Cricket", "Île-de-France Élan", "Łukasz Núñez", "Børge Đoković", "Ștefan Żółć"),
    "mixed": ("Final फाइनल", "Mumbai मुंबई", "کراچی Karachi", "Rohit रोहित", "بابر Babar", "அஸ்வின் Ashwin"),
}  # fmt: skip


def in_script(name: str) -> dict[str, Any]:
    """A live match with all names in this script."""
    title, batting, bowling, striker, partner, bowler = _WRITTEN[name]
    return FIRST | {
        "title": title,
        "toss": None,
        "partnership": None,
        "batting": {"name": batting, "runs": 82, "wickets": 2, "overs": "11.1"},
        "bowling": {"name": bowling},
        "batters": [
            {"name": striker, "runs": 15, "balls": 16, "on_strike": True},
            {"name": partner, "runs": 20, "balls": 20},
        ],
        "bowler": {"name": bowler, "overs": "2.1", "runs": 17, "wickets": 1},
    }


_TEST = {
    "sport": "cricket",
    "title": "Red Valley v Blue Hill, day 4",
    "status": "live",
    "format": {"innings_per_side": 2},
    "bowler": {"name": "B Reed", "overs": "12.3", "runs": 31, "wickets": 2},
    "batters": [
        {"name": "A Stone", "runs": 41, "balls": 77, "on_strike": True},
        {"name": "X Ash", "runs": 12, "balls": 40},
    ],
    "this_over": ["0", "0", "4"],
}
_RED, _BLUE = {"name": "Red Valley", "color": "#b3202c"}, {"name": "Blue Hill", "color": "#1f4ea1"}
_FIRST_TOTAL = {"batting": "Blue Hill", "runs": 312, "wickets": 10, "overs": "98.2"}
_SECOND_TOTAL = {"batting": "Red Valley", "runs": 250, "wickets": 8, "overs": "71.3", "declared": True}
_THIRD_TOTAL = {"batting": "Blue Hill", "runs": 151, "wickets": 4, "overs": "40.0", "declared": True}
FORMATS: dict[str, dict[str, Any]] = {
    "trail": _TEST
    | {
        "innings": 2,
        "totals": [_FIRST_TOTAL],
        "batting": _RED | {"runs": 180, "wickets": 4, "overs": "52.3"},
        "bowling": _BLUE,
    },
    "lead": _TEST
    | {
        "innings": 3,
        "totals": [_FIRST_TOTAL, _SECOND_TOTAL],
        "batting": _BLUE | {"runs": 101, "wickets": 3, "overs": "30.3"},
        "bowling": _RED,
    },
    "declared": _TEST
    | {
        "innings": 3,
        "status": "innings_break",
        "totals": [_FIRST_TOTAL, _SECOND_TOTAL],
        "batting": _BLUE | {"runs": 151, "wickets": 4, "overs": "40.0", "declared": True},
        "bowling": _RED,
    },
    "last-innings": _TEST
    | {
        "innings": 4,
        "totals": [_FIRST_TOTAL, _SECOND_TOTAL, _THIRD_TOTAL],
        "batting": _RED | {"runs": 120, "wickets": 4, "overs": "30.3"},
        "bowling": _BLUE,
    },
    "hundred-balls": _TEST
    | {
        "title": None,
        "innings": 2,
        "target": 141,
        "format": {"balls": 100, "balls_per_over": 5},
        "batting": _RED | {"runs": 95, "wickets": 4, "balls": 63},
        "bowling": _BLUE | {"runs": 140, "wickets": 6, "balls": 100},
        "bowler": {"name": "B Reed", "balls": 13, "runs": 17, "wickets": 1},
    },
    "hundred-break": _TEST
    | {
        "innings": 1,
        "status": "innings_break",
        "target": 141,
        "format": {"balls": 100, "balls_per_over": 5},
        "batting": _BLUE | {"runs": 140, "wickets": 6, "balls": 100},
        "bowling": _RED,
    },
    "eight-a-side": _TEST
    | {
        "innings": 2,
        "target": 90,
        "format": {"players": 8, "overs": 16, "innings_per_side": 1},
        "batting": _RED | {"runs": 74, "wickets": 7, "overs": "10.0"},
        "bowling": _BLUE | {"runs": 89, "wickets": 5, "overs": "16.0"},
    },
    "eight-ball-overs": _TEST
    | {
        "innings": 2,
        "target": 126,
        "format": {"balls_per_over": 8, "overs": 15, "innings_per_side": 1},
        "batting": _RED | {"runs": 100, "wickets": 3, "overs": "10.7"},
        "bowling": _BLUE | {"runs": 125, "wickets": 9, "overs": "15.0"},
        "bowler": {"name": "B Reed", "overs": "2.7", "runs": 17, "wickets": 1},
    },
    "revised": _TEST
    | {
        "title": None,
        "innings": 2,
        "target": 171,
        "revised": {"overs": 12, "target": 151, "method": "DLS"},
        "format": {"overs": 20, "innings_per_side": 1},
        "batting": _RED | {"runs": 60, "wickets": 2, "overs": "6.0"},
        "bowling": _BLUE | {"runs": 170, "wickets": 6, "overs": "20.0"},
    },
    "super-over-level": SUPER_OVER | {"batting": CSK | {"runs": 15, "wickets": 2, "overs": "0.5"}},
    "scores-level": CHASE | {"batting": CSK | {"runs": 149, "wickets": 7, "overs": "20.0"}},
}


def formats() -> dict[str, Scene]:
    """Every format of the game, and what follows from it."""
    return {name: _scene(feed) for name, feed in FORMATS.items()}


def _scene(feed: dict[str, Any], **over: Any) -> Scene:
    return Scene(parse_match_data(feed), **over)


def phases() -> dict[str, Scene]:
    return {
        "scheduled": _scene(SCHEDULED),
        "toss": _scene(FIRST | {"partnership": None, "batting": MI | {"runs": 4, "wickets": 0, "overs": "0.3"}}),
        "first-innings": _scene(FIRST),
        "innings-break": _scene(BREAK),
        "chase": _scene(CHASE),
        "rain": _scene(RAIN),
        "super-over": _scene(SUPER_OVER),
        "finished": _scene(FINISHED),
        "silent": _scene(CHASE, silent_s=120),
        "lost": _scene(CHASE, is_lost=True),
        "generic": _scene(GENERIC),
    }


def limits() -> dict[str, Scene]:
    return {
        "long": _scene(LONG),
        "sparse": _scene(SPARSE),
        "twins": _scene(TWINS),
        "names": _scene(NAMES),
        "all-out": _scene(ALL_OUT),
        "maiden": _scene(MAIDEN),
        "balls": _scene(BALLS),
        "full": _scene(FULL),
        "result-long": _scene(FINISHED | {"result": LONG_RESULT}),
    }


def events() -> dict[str, Scene]:
    board = parse_match_data(CHASE)
    won = parse_match_data(FINISHED)
    side, winner = board.batting, board.bowling
    banners = {
        "four": Event("FOUR", "SR Watson", side=side, figures="80 (56)"),
        "six": Event("SIX", "SR Watson", side=side, figures="82 (56)"),
        "wicket": Event("WICKET", "SR Watson", "c Dhoni b Bumrah", side, figures="76 (55)"),
        "wicket-unnamed": Event("WICKET", side=side),
        "wicket-long": Event(
            "WICKET", LONG_NAME, f"c {LONG_NAME} b Warnakulasuriya Patabendige Ushantha", side, figures="100 (99)"
        ),
        "fifty": Event("FIFTY", "SR Watson", "6×4  2×6  SR 161", side, figures="50 (31)"),
        "hundred": Event("HUNDRED", "SR Watson", "11×4  5×6  SR 172", side, figures="100 (58)"),
        "hat-trick": Event("HAT_TRICK", "JJ Bumrah", side=side, figures="3-12"),
        "stand": Event("STAND", f"{LONG_NAME} & SR Watson", side=side, words="STAND 100"),
        "innings": Event("INNINGS", "Mumbai Indians", "149/8 (20 overs)", winner),
    }
    scenes = {name: Scene(board, banner=event) for name, event in banners.items()}
    return scenes | {
        "win": Scene(won, banner=Event("WIN", "Mumbai Indians", str(won.result), winner)),
        "win-long": Scene(won, banner=Event("WIN", "Mumbai Indians", LONG_RESULT, winner)),
    }


def scripts() -> dict[str, Scene]:
    return {name: _scene(in_script(name)) for name in _WRITTEN}


def all_scenes() -> dict[str, Scene]:
    return phases() | events() | scripts() | limits() | formats()
