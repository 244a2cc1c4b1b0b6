from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import ffmpeg
from bench import capacity
from bench.capacity import Pace, Step
from graphics.layout import canvas_of
from media.encoders import X264, Encoder
from media.profiles import PROFILES

PROFILE = PROFILES["720p30"]
WELL: dict[str, Any] = {
    "on_air": "camera",
    "speed": 1.0,
    "fps": 30.0,
    "dropped_frames": 3,
    "restarts": {"compositor": {"stalled": 1}, "publisher": {}},
}


def step(streams: int, *problems: str, cores: float = 1.0) -> Step:
    return Step(streams, 1.0, 1.0, problems, cores, 1.5, 2.0)


def problems(*readings: dict[str, Any]) -> list[str]:
    """The problems of a stream that had none before."""
    return capacity.problems({"m1": WELL}, [{"m1": WELL | reading} for reading in readings], PROFILE)


def test_a_stream_that_keeps_up_has_no_problems() -> None:
    assert problems({}, {}, {}) == []


@pytest.mark.parametrize(
    ("reading", "problem"),
    [
        ({"on_air": "slate"}, "1 not on air"),
        ({"on_air": None}, "1 not on air"),
        ({"speed": 0.98}, "speed 0.980"),
        ({"speed": 1.05}, "still catching up at 1.050"),
        ({"fps": 29.5}, "29.5 fps"),
        ({"dropped_frames": 10}, "7 frames dropped"),
        ({"restarts": {"compositor": {"stalled": 2}, "publisher": {}}}, "1 restarts"),
    ],
)
def test_signs_of_a_stream_that_does_not_keep_up(reading: dict[str, Any], problem: str) -> None:
    assert problems(reading) == [problem]


def test_one_odd_reading_of_the_rates_does_not_count() -> None:
    assert problems({}, {"speed": 0.97, "fps": 29.0}, {}) == []


def test_the_slowest_stream_counts() -> None:
    readings = [{"m1": WELL, "m2": WELL | {"speed": 0.9, "fps": 27.0}}]
    assert capacity.pace(readings, PROFILE) == Pace(0.9, 1.0, 0.9)


def test_streams_are_added_until_a_step_fails_twice() -> None:
    added: list[int] = []
    watched = iter([step(1), step(2, "speed 0.9"), step(2), step(3, "speed 0.9"), step(3, "speed 0.8")])
    steps = capacity.climb(added.append, lambda _: next(watched))
    assert added == [1, 2, 3]
    assert [(one.streams, one.problems) for one in steps] == [(1, ()), (2, ()), (3, ("speed 0.8",))]


def test_the_last_good_step_counts_as_carried() -> None:
    assert capacity.carried([step(1), step(2), step(3, "speed 0.9")]) == step(2)
    assert capacity.carried([step(1, "speed 0.9")]) is None


def test_a_step_knows_its_shares() -> None:
    assert step(4, cores=1.6).cores_a_stream == pytest.approx(0.4)
    assert step(1).busy_share == pytest.approx(0.75)


def test_cameras_are_as_large_as_the_picture_or_720p30() -> None:
    cameras = {name: capacity.camera_of(profile).name for name, profile in PROFILES.items()}
    assert cameras == {
        "480p30": "720p30",
        "720p30": "720p30",
        "720p25": "720p30",
        "720p50": "720p30",
        "720p60": "720p30",
        "1080p25": "1080p25",
        "1080p50": "1080p50",
        "1080p30": "1080p30",
        "1080p60": "1080p60",
    }


def test_without_encoding_the_pictures_are_discarded() -> None:
    encoder = Encoder(X264, "veryfast", "")
    argv = ffmpeg.compositor_args("in.flv", Path("strip.png"), canvas_of(PROFILE), PROFILE, encoder)
    cheap = capacity.without_encoding(argv)
    assert cheap[: argv.index("-c:v")] == argv[: argv.index("-c:v")]
    assert cheap[argv.index("-c:v") :][:4] == ["-c:v", "wrapped_avframe", "-c:a", "aac"]
    assert cheap[-3:] == ["-f", "null", "-"]
    assert not {"libx264", "mpegts", "-muxdelay"} & set(cheap)


ADMISSION = capacity.Admission("480p30", "No capacity left: 4 streams run", step(4, "speed 0.9"))


def test_the_report_says_what_is_carried_and_why_no_more() -> None:
    steps = {"720p30": [step(1, cores=0.6), step(2, cores=1.2), step(3, "speed 0.8")]}
    made = capacity.report("veryfast", steps, {}, ADMISSION)
    assert {figure.what: figure.value for figure in made.figures} == {
        "720p30: streams carried": 2,
        "720p30: CPU of a stream": pytest.approx(0.6),
        "720p30: machine busy with them": 75,
        "480p30, MAX_CONCURRENT_STREAMS=auto: streams admitted": 4,
        "480p30, MAX_CONCURRENT_STREAMS=auto: their problems after that": 1,
        "480p30, MAX_CONCURRENT_STREAMS=auto: machine busy": 75,
    }
    assert made.figures[0].why == "with 3: speed 0.8"
    assert made.figures[3].why == "one more is 429: No capacity left: 4 streams run"
    assert (made.figures[4].why, made.figures[4].verdict) == ("speed 0.9", "missed")
    assert made.lines == []


def test_the_report_says_when_none_is_carried() -> None:
    made = capacity.report("veryfast", {"1080p60": [step(1, "speed 0.5")]}, {}, ADMISSION)
    assert [(figure.what, figure.value) for figure in made.figures[:-3]] == [("1080p60: streams carried", 0)]


def test_the_costs_are_shown_beside_what_a_stream_took_on_air() -> None:
    costs = dict.fromkeys([capacity.NO_ENCODING, *capacity.TABLE_PRESETS], 0.5)
    steps = {"720p30": [step(1, cores=0.6)], "1080p30": [step(1, "speed 0.5")]}
    lines = capacity.report("veryfast", steps, {"720p30": costs, "1080p30": costs}, ADMISSION).lines
    assert "| 720p30 | 0.5 | 0.5 | 0.5 | 0.5 | 0.5 | 0.5 | 0.5 |" in lines
    assert "720p30 1.20." in lines[-1]
