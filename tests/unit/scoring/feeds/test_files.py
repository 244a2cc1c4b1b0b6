"""The order of a scoring program's files, whatever order the network brings them in."""

from __future__ import annotations

import json

import pytest

from errors import FileOvertaken, InvalidField
from scoring.feeds.files import LATE_S, FeedFiles, FileOrder, file_order


def file(runs: int) -> bytes:
    return json.dumps({"batting_team": "Red", "runs": str(runs), "wickets": "1", "overs": "4.2"}).encode()


NEWER = FileOrder("abc", 2000, 7)


@pytest.mark.parametrize("late", [FileOrder("abc", 2000, 6), FileOrder("abc", 1000, 900)], ids=["file", "run"])
def test_a_file_that_comes_after_a_newer_one_is_refused_for_a_while(late: FileOrder) -> None:
    files = FeedFiles()
    files.read("nv_play", file(50), NEWER, 100.0)
    with pytest.raises(FileOvertaken):
        files.read("nv_play", file(40), late, 101.0)
    # The clock of a PC may be set back.
    assert files.read("nv_play", file(40), late, 100.0 + LATE_S) is not None


@pytest.mark.parametrize("order", [NEWER, FileOrder("abc", 2000, 8), FileOrder("def", 1, 1), None])
def test_the_same_file_again_a_newer_one_or_that_of_another_pc_is_taken(order: FileOrder | None) -> None:
    files = FeedFiles()
    files.read("nv_play", file(50), NEWER, 100.0)
    assert files.read("nv_play", file(51), order, 100.1) is not None


def test_a_file_that_cannot_be_read_overtakes_nothing() -> None:
    files = FeedFiles()
    with pytest.raises(InvalidField):
        files.read("nv_play", b'{"cut', NEWER, 100.0)
    assert files.read("nv_play", file(40), FileOrder("abc", 2000, 6), 100.1) is not None


def test_the_order_is_read() -> None:
    assert file_order(None) is None
    assert file_order("abc.2000.7") == NEWER
    for text in ("", "abc.2000", "ABC.1.2", "abc.1.-2", "abc.1.2\n", "x.1.2", "abc.1." + "9" * 16):
        with pytest.raises(InvalidField, match="Carrier-Order must be"):
            file_order(text)
