from __future__ import annotations

import os
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from bench.many import Point, bend, build_stand_in, mb_a_stream, pes_index
from media.mpegts import PACKET, PesFramer
from tests.mpegts import Muxer
from tests.service import FFMPEG


def point(streams: int, cores: float, rss_mb: float = 0.0) -> Point:
    return Point(streams, {"switching": cores / 4, "polling": cores * 3 / 4}, rss_mb, 0, [])


def test_memory_is_what_each_additional_stream_takes() -> None:
    assert mb_a_stream([point(1, 0, 70), point(100, 0, 100), point(201, 0, 270)]) == pytest.approx(1.0)


@pytest.mark.parametrize(("last", "expected"), [(2.01, 1.0), (3.01, 2.0), (1.51, 0.5)])
def test_a_straight_curve_has_no_bend(last: float, expected: float) -> None:
    points = [point(0, 0.01), point(100, 1.01), point(200, last)]
    assert bend(points) == pytest.approx(expected)


def test_two_points_are_a_straight_line() -> None:
    assert bend([point(1, 0.1), point(200, 9.0)]) == 1.0


def test_sound_and_tables_are_due_with_the_frame_before_them() -> None:
    muxer = Muxer()
    units = [muxer.key_frame(b"1" * 900, ticks=90_000), muxer.audio(b"a" * 300), muxer.video(b"2" * 400, ticks=93_000)]
    assert pes_index(b"".join(units)) == [(0, len(units[0])), (0, len(units[1])), (33_333, len(units[2]))]


@pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler, as the bench does")
def test_the_stand_in_continues_after_the_end_of_its_recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    muxer = Muxer()
    recording = muxer.key_frame(b"k" * 900, ticks=90_000) + muxer.video(b"v" * 900, ticks=93_000)
    monkeypatch.setattr("bench.many._recorded", lambda *_: recording)
    program, env = build_stand_in(tmp_path, FFMPEG)
    argv = [str(program), "-loop", "1", "-f", "mpegts", "pipe:1"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=os.environ | env) as source:
        assert source.stdout is not None
        heard = source.stdout.read(3 * len(recording))
        source.kill()
    units = PesFramer().push(heard)
    # The index has times in microseconds.
    assert [unit.ticks for unit in units] == pytest.approx([90_000 + 3_000 * number for number in range(6)], abs=2)
    assert [unit.key for unit in units] == [True, False] * 3
    assert heard[: 2 * PACKET] == recording[: 2 * PACKET]


@pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler, as the bench does")
def test_the_stand_in_passes_questions_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.many._recorded", lambda *_: Muxer().key_frame(b"k", ticks=1))
    program, env = build_stand_in(tmp_path, FFMPEG)
    said = subprocess.run(
        [str(program), "-version"], capture_output=True, text=True, check=True, env=os.environ | env, timeout=20
    ).stdout
    assert said.startswith("ffmpeg version")
    assert (tmp_path / "index").read_bytes() == struct.pack("=II", 0, 3 * PACKET)
