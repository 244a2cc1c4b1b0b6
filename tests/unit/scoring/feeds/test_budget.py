from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from scoring.feeds.budget import Budget
from tests.waiting import FakeClock

MORNING = 1_781_337_600.0  # 2026-06-13, 08:00 UTC
HOUR_S = 3600
ROOT = Path(__file__).parents[4]


@pytest.fixture
def clock() -> FakeClock:
    clock = FakeClock()
    clock.advance(MORNING - clock())
    return clock


def test_no_more_calls_than_the_day_has(tmp_path: Path, clock: FakeClock) -> None:
    budget = Budget(tmp_path, "league", 3, clock)

    assert [budget.take() for _ in range(5)] == [True, True, True, False, False]
    assert budget.left() == 0


def test_a_restart_forgets_nothing(tmp_path: Path, clock: FakeClock) -> None:
    first = Budget(tmp_path, "league", 3, clock)
    first.take()
    first.take()

    assert Budget(tmp_path, "league", 3, clock).left() == 1


def test_two_processes_share_one_day(tmp_path: Path) -> None:
    """Side by side, 40 calls each: never one too many."""
    program = (
        "import sys, time; from pathlib import Path; from scoring.feeds.budget import Budget\n"
        "budget = Budget(Path(sys.argv[1]), 'league', 50, time.time)\n"
        "print(sum(budget.take() for _ in range(40)))"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=ROOT)
        for _ in range(2)
    ]
    spent = sum(int(one.communicate(timeout=60)[0]) for one in running)

    assert spent == 50


def test_the_next_day_begins_at_midnight_utc(tmp_path: Path, clock: FakeClock) -> None:
    budget = Budget(tmp_path, "league", 1, clock)
    budget.take()
    assert budget.next_day_in_s() == 16 * HOUR_S

    clock.advance(16 * HOUR_S)

    assert budget.left() == 1


def test_a_clock_that_is_set_back_gives_no_calls(tmp_path: Path, clock: FakeClock) -> None:
    budget = Budget(tmp_path, "league", 1, clock)
    budget.take()

    clock.advance(-24 * HOUR_S)

    assert not budget.take()


def test_what_the_feed_itself_says_counts_if_it_is_less(tmp_path: Path, clock: FakeClock) -> None:
    budget = Budget(tmp_path, "league", 100, clock)
    budget.note("m1", 60, said=7)
    assert budget.left() == 7

    budget.take()
    assert budget.left() == 6

    budget.note("m1", 60, said=500)
    assert budget.left() == 99


def test_it_knows_how_many_matches_share_it(tmp_path: Path, clock: FakeClock) -> None:
    budget, other = Budget(tmp_path, "league", 100, clock), Budget(tmp_path, "league", 100, clock)

    assert budget.note("m1", 60) == 1
    assert other.note("m2", 60) == 2
    clock.advance(600)  # m1 has not asked since
    assert other.note("m2", 60) == 1
    assert other.note("m2", None) == 1


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"date": 5}', b'{"date": "x", "spent": "y", "next_at": 1}'])
def test_a_damaged_file_begins_with_what_is_known(tmp_path: Path, clock: FakeClock, content: bytes) -> None:
    budget = Budget(tmp_path, "league", 3, clock)
    budget.take()
    (tmp_path / "league.json").write_bytes(content)

    assert budget.left() == 2


def test_without_a_folder_it_counts_all_the_same(
    tmp_path: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("no folder")
    budget = Budget(tmp_path / "file" / "feeds", "league", 2, clock)

    assert [budget.take() for _ in range(3)] == [True, True, False]
    assert caplog.text.count("cannot be kept") == 1


def test_its_files_are_private(tmp_path: Path, clock: FakeClock) -> None:
    Budget(tmp_path / "data" / "feeds", "league", 2, clock).take()

    assert (tmp_path / "data" / "feeds").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "data" / "feeds" / "league.json").stat().st_mode & 0o777 == 0o600
