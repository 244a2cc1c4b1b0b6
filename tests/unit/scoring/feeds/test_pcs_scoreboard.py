from __future__ import annotations

import pytest

from errors import InvalidField
from scoring.feeds.files import FeedFiles
from scoring.scoreboard import Scoreboard

FULL = """COV. 1
OVB12.2
RRQ58
BTNRed Valley
BTS95/2
BTR95
BTW2
FTNBlue Hill
BTT153
B1NA Stone
B1S40
B1B28
B1K1
B2NC Ash
B2S17
B2B13
B2K0
F1NB Reed
F1S20/0 (2.2)
LWNE Fir
LWS9 (12)
LWDc
LWBB Reed
LWFD Oak
"""


class Board:
    """A scoreboard that gets messages."""

    def __init__(self, *messages: str) -> None:
        self._files = FeedFiles()
        if messages:
            self.get("\n".join(messages))

    def get(self, text: str) -> Scoreboard:
        board = self._files.read("pcs_scoreboard", text.encode())
        assert board is not None
        return board


def score(board: Scoreboard) -> tuple[int | None, int | None, str | None]:
    assert board.batting is not None
    return board.batting.runs, board.batting.wickets, board.batting.overs


def test_all_that_comes_after_a_connection() -> None:
    board = Board().get(FULL)
    assert score(board) == (95, 2, "12.2")
    assert (board.innings, board.target) == (2, 153)
    assert [(one.name, one.runs, one.balls, one.on_strike) for one in board.batters] == [
        ("A Stone", 40, 28, True),
        ("C Ash", 17, 13, False),
    ]
    assert board.bowler is not None
    assert (board.bowler.name, board.bowler.runs, board.bowler.wickets, board.bowler.overs) == ("B Reed", 20, 0, "2.2")
    assert board.this_over == ("0", "1")
    assert board.last_wicket is not None
    assert board.last_wicket.how_out == "c D Oak b B Reed"


def test_only_what_has_changed_comes() -> None:
    board = Board(FULL)
    wide = board.get("COV. 1 wd\nBTS96/2\nBTR96\nRRQ57")
    assert (score(wide), wide.this_over, wide.target) == ((96, 2, "12.2"), ("0", "1", "wd"), 153)
    wicket = board.get("COV. 1 wd W\nOVB12.3\nBTS96/3\nBTW3\nB2N \nLWNC Ash\nLWS17 (14)")
    assert score(wicket) == (96, 3, "12.3")
    assert [one.name for one in wicket.batters] == ["A Stone"], "nobody is in yet"
    ended = board.get("OVB13\nCOV \nB1K0\nB2K1\nB2NF Yew")
    assert (score(ended)[2], ended.this_over) == ("13.0", ())
    assert [one.on_strike for one in ended.batters] == [False, True]


def test_the_last_mark_of_the_striker_counts() -> None:
    board = Board(FULL)
    assert [one.on_strike for one in board.get("B2K1\nB1K0").batters] == [False, True]
    assert [one.on_strike for one in board.get("B1K1").batters] == [True, False]


def test_a_correction_goes_down() -> None:
    assert score(Board(FULL).get("BTS94/2\nBTR94\nOVB12.1")) == (94, 2, "12.1")


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        (["BTS245/3"], (245, 3)),
        (["BTS5/245"], (245, 5)),
        (["BTS5/245", "BTS0/3"], (3, 0)),
        (["BTS12/1", "BTS3/2"], (3, 2)),
        (["BTS7/2"], (None, None)),
        (["BTS0/0"], (0, 0)),
        (["BTS224"], (224, None)),
        (["BTS3/96", "BTR96", "BTW3"], (96, 3)),
    ],
)
def test_which_number_is_the_runs(messages: list[str], expected: tuple[int | None, int | None]) -> None:
    board = Board("BTNRed Valley")
    for message in messages:
        last = board.get(message)
    assert score(last)[:2] == expected


def test_a_serial_line_is_the_same_in_a_frame() -> None:
    assert score(Board().get("4,BTNRed Valley#\r\n4,BTS96/3#\r\n4,OVB12.3#")) == (96, 3, "12.3")


def test_a_name_may_hold_what_looks_like_a_code() -> None:
    board = Board("BTNBTN DLT OVB")
    last = board.get("OVB1.1")
    assert last.batting is not None
    assert last.batting.name == "BTN DLT OVB"


def test_a_revised_target_counts() -> None:
    assert Board(FULL).get("DLT131").target == 131


def test_each_stream_has_its_own_values() -> None:
    Board(FULL)
    assert score(Board().get("BTNRed Valley\nOVB1")) == (None, None, "1.0")


def test_before_a_side_is_named_nothing_is_shown() -> None:
    assert FeedFiles().read("pcs_scoreboard", b"OVB1.1") is None


@pytest.mark.parametrize("content", [b"", b"\0\0", b"XYZ12\nhello", b"4,-96,12,3#", b"\xff" * 1000])
def test_what_holds_no_message_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidField, match="^pcs_scoreboard: there is no message in it"):
        FeedFiles().read("pcs_scoreboard", content)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(InvalidField, match="KIND must be one of nv_play, pcs_scoreboard"):
        FeedFiles().read("other", b"")
