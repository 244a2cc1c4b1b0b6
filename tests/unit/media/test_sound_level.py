from __future__ import annotations

import pytest

from media.sound_level import FRESH_S, LOWEST_DB, SoundLevel, SoundMeter
from tests.waiting import FakeClock

PEAK, LOUDNESS = "lavfi.astats.Overall.Peak_level=", "lavfi.r128.S="


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def meter(clock: FakeClock) -> SoundMeter:
    return SoundMeter(clock)


def test_what_ffmpeg_prints_each_second(meter: SoundMeter, clock: FakeClock) -> None:
    assert meter.level(clock()) is None
    for line in ("frame:0    pts:0       pts_time:0", f"{PEAK}-23.074177"):
        assert meter.take(line)
    assert meter.level(clock()) == SoundLevel(-23.074177)
    assert meter.take(f"{LOUDNESS}-26.1")
    assert meter.level(clock()) == SoundLevel(-23.074177, -26.1)
    clock.advance(FRESH_S)
    assert meter.level(clock()) is None, "nothing is known of the present"


@pytest.mark.parametrize("value", ["-inf", "-nan", "nan", "-180.6"])
def test_digital_silence_is_the_lowest_level(meter: SoundMeter, clock: FakeClock, value: str) -> None:
    assert meter.take(f"{PEAK}{value}")
    assert meter.level(clock()) == SoundLevel(LOWEST_DB)


def test_it_says_how_long_the_sound_has_been_silent(meter: SoundMeter, clock: FakeClock) -> None:
    for peak, silent_s in [(-20, 0), (-61, 0), (-90, 1), (-62, 2), (-59, 0), (-70, 0), (-70, 1)]:
        clock.advance(1)
        meter.take(f"{PEAK}{peak}.0")
        assert meter.silent_s(clock()) == silent_s, peak
    clock.advance(FRESH_S)
    assert meter.silent_s(clock()) == 0


@pytest.mark.parametrize(
    "line", ["[info] Stream mapping:", "", "lavfi.astats.Overall.RMS_level=-3", "frame= 30 fps=30"]
)
def test_other_lines_are_not_the_meters(meter: SoundMeter, line: str) -> None:
    assert not meter.take(line)
