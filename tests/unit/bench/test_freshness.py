"""What the freshness bench concludes from what it saw."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

import pytest

from bench.clock_camera import CLOCK_MS, View, clock_rows, picture, read_clock_ms, views, with_arrivals
from bench.freshness import Found, camera_arrivals, camera_delays_s, later_by_s, luma_in, score_figures
from bench.level_probe import read_luma, wrapper_script
from bench.score_marks import GREYS, Mark, board, changes, delays_s, luma_of, marked_box
from graphics.drawing import draw_scoreboard
from graphics.layout import Box, canvas_of
from media.profiles import PROFILES
from scoring.reading import parse_match_data
from tests.drills.clock_picture import COLUMNS, ROWS
from tests.drills.watcher import Frame


@pytest.mark.parametrize("time_ms", [0, 1, 4095, 4096, 123_456_789 % CLOCK_MS, CLOCK_MS - 1])
def test_the_clock_in_the_blocks_is_read_back(time_ms: int) -> None:
    assert read_clock_ms(clock_rows(time_ms)) == time_ms


def test_a_picture_without_a_clock_has_no_time() -> None:
    assert read_clock_ms(bytes([40]) * 2 * COLUMNS) is None
    assert read_clock_ms(bytes([128]) * 2 * COLUMNS) is None


def test_a_frame_has_one_byte_for_each_block() -> None:
    assert len(picture(5, 5)) == COLUMNS * ROWS


def test_views_are_cut_from_the_blocks_of_all_frames() -> None:
    blocks = clock_rows(77) + bytes([162]) * COLUMNS + bytes([16]) * 2 * COLUMNS + bytes([93]) * COLUMNS
    assert list(views([10, 43], blocks)) == [View(10, 77, 162), View(43, None, 93)]


def test_a_frame_is_not_shown_before_those_that_are_shown_first() -> None:
    frames = [Frame(5.0, 0.0, 0.0, True, 0), Frame(5.1, 0.033, 0.100, False, 0), Frame(5.2, 0.067, 0.067, False, 0)]
    seen = [View(0, 1, 93), View(67, 2, 93), View(100, 3, 93), View(133, 4, 93)]
    assert with_arrivals(frames, seen) == [(5.0, seen[0]), (5.2, seen[1]), (5.2, seen[2])]


def test_each_score_is_a_grey_in_the_box_of_the_strip() -> None:
    canvas = canvas_of(PROFILES["480p30"])
    for number in range(len(GREYS)):
        png = io.BytesIO()
        draw_scoreboard(parse_match_data(board(number)), canvas).save(png, "PNG")
        assert luma_in(png.getvalue(), marked_box(canvas), canvas) == luma_of(number)


def test_a_grey_that_is_no_score_is_no_change() -> None:
    seen = [Mark(1.0, 16), Mark(1.1, 92), Mark(1.2, 95), Mark(1.3, 110), Mark(1.4, 93), Mark(1.5, 130)]
    assert changes(seen) == [Mark(1.1, luma_of(0)), Mark(1.5, luma_of(1))]


def test_a_delay_is_from_a_cause_to_the_first_frame_with_its_score() -> None:
    causes = [Mark(float(number), luma_of(number)) for number in range(3)]
    seen = [Mark(0.1, luma_of(0)), Mark(0.5, luma_of(0)), Mark(1.4, luma_of(1)), Mark(2.2, luma_of(2))]
    assert delays_s(causes, seen) == pytest.approx([0.1, 0.4, 0.2])


def test_a_skipped_score_is_not_mistaken_for_the_next_with_its_grey() -> None:
    causes = [Mark(float(number), luma_of(number)) for number in range(len(GREYS) + 1)]
    seen = [Mark(number + 0.25, luma_of(number)) for number in range(1, len(GREYS) + 1)]
    assert delays_s(causes, seen) == [None, *[0.25] * len(GREYS)]


def test_the_first_arrival_of_a_clock_counts() -> None:
    seen = [(10.0, View(0, 9_500, 93)), (10.1, View(33, 9_500, 93)), (10.2, View(67, None, 93))]
    assert camera_arrivals(seen) == {9_500: 10.0}


def test_a_delay_is_right_when_the_clock_starts_again() -> None:
    since_boot_s = (CLOCK_MS + 250) / 1000
    assert camera_delays_s({CLOCK_MS - 250: since_boot_s}) == pytest.approx([0.5])


def test_ways_are_compared_by_frames_that_both_showed() -> None:
    assert later_by_s({1: 5.0, 2: 6.0, 4: 7.0}, {1: 4.5, 2: 5.75, 3: 9.0}) == [0.5, 0.25]


def test_scores_that_never_came_are_counted() -> None:
    view = View(0, None, luma_of(1))
    found = Found(pushed=[Mark(1.0, luma_of(1)), Mark(2.0, luma_of(2))], viewed={"service": [(1.5, view)]})
    figures, lost = score_figures(found)
    assert [figure.samples for figure in figures if figure.what == "push to viewer"] == [[0.5]]
    assert lost == 1


def test_only_the_wanted_line_of_the_probe_is_read() -> None:
    assert read_luma(b"lavfi.signalstats.YAVG=127.5") == 127.5
    assert read_luma(b"frame:5    pts:100     pts_time:0.1") is None


def test_the_wrapper_changes_only_the_compositor_s_filters(tmp_path: Path) -> None:
    script = tmp_path / "wrapper"
    script.write_text(wrapper_script("echo", Path("/x/fifo"), Box(2, 4, 12, 8)))
    script.chmod(0o700)

    def made_of(*argv: str) -> str:
        return subprocess.run([str(script), *argv], capture_output=True, text=True, check=True).stdout.strip()

    assert made_of("-i", "a b", "-vf", "[slate][overlay]overlay") == "-i a b -vf [slate][overlay]overlay"
    assert made_of("[camera][overlay]overlay=1", "-c").startswith(
        "[camera][overlay]overlay=1,split[probe];[probe]crop=10:4:2:4,signalstats,"
    )
