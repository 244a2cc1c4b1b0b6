from __future__ import annotations

import pickle

import pytest

from media.media_clock import MAX_AHEAD_AT_START_S, SAMPLE_S, TICKS_PER_S, FlowMeter, MediaClock, Pace, Rates

# Frame times that floating point holds exactly.
FPS = 16
FRAME_S = 1 / FPS
FRAME_TICKS = TICKS_PER_S // FPS
BORNE = FPS // 2  # frames more than time went by
AT_START = int(MAX_AHEAD_AT_START_S * FPS)
WRAP = 1 << 33


class Flow:
    """A meter that is given four frames of 1000 bytes every eighth of a second: 32 fps, 256 kbps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.meter = FlowMeter(self.now)

    def run(self, seconds: float, *, frames: int = 4, size: int = 4000, ticks: int = TICKS_PER_S // 8) -> None:
        for _ in range(int(seconds * 8)):
            self.now += 0.125
            self.meter.add(self.now, size, frames=frames, ticks=ticks)

    def pause(self, seconds: float) -> None:
        self.now += seconds

    @property
    def rates(self) -> Rates:
        return self.meter.rates(self.now)


def test_nothing_has_no_rates() -> None:
    flow = Flow()
    assert flow.rates == Rates(0, 0, 0)
    flow.pause(100)
    assert flow.rates == Rates(0, 0, 0)


def test_frames_bytes_and_media_time_become_rates() -> None:
    flow = Flow()
    flow.run(30)
    assert flow.rates == Rates(fps=32, speed=1, kbps=256)


def test_only_the_last_seconds_count() -> None:
    flow = Flow()
    flow.run(3600)
    flow.run(10, frames=1, size=500, ticks=TICKS_PER_S // 16)
    assert flow.rates == Rates(fps=8, speed=0.5, kbps=32)
    flow.run(5)
    assert flow.rates == Rates(fps=20, speed=0.75, kbps=144)


def test_rates_stand_on_the_time_since_the_beginning_while_that_is_shorter() -> None:
    flow = Flow()
    flow.run(2)
    assert flow.rates == Rates(fps=32, speed=1, kbps=256)
    flow.pause(2)
    assert flow.rates == Rates(fps=16, speed=0.5, kbps=128)


def test_a_burst_in_the_first_moment_is_no_wild_rate() -> None:
    flow = Flow()
    flow.meter.add(flow.now, 4000, frames=4, ticks=TICKS_PER_S // 8)
    assert flow.rates == Rates(fps=8, speed=0.25, kbps=64)


def test_sound_adds_to_the_bitrate_alone() -> None:
    flow = Flow()
    flow.run(20, frames=0, size=2000, ticks=0)
    assert flow.rates == Rates(fps=0, speed=0, kbps=128)


def test_media_that_is_given_faster_than_it_lasts_has_a_speed_above_one() -> None:
    flow = Flow()
    flow.run(20, ticks=TICKS_PER_S // 4)
    assert flow.rates.speed == 2


def test_silence_lowers_the_rates_second_by_second() -> None:
    flow = Flow()
    flow.run(20)
    flow.pause(5)
    assert flow.rates == Rates(fps=16, speed=0.5, kbps=128)


@pytest.mark.parametrize(
    "last_s",
    [
        20,
        20.125,
        20.375,
    ],
)
def test_silence_for_the_whole_window_brings_the_rates_to_zero(last_s: float) -> None:
    flow = Flow()
    flow.run(last_s)
    flow.pause(10 + SAMPLE_S)
    assert flow.rates == Rates(0, 0, 0)


def test_rates_after_a_long_silence_count_the_last_seconds_only() -> None:
    flow = Flow()
    flow.run(20)
    flow.pause(60)
    flow.run(5)
    assert flow.rates.fps == pytest.approx(16, rel=0.1)
    assert flow.rates.speed == pytest.approx(0.5, rel=0.1)
    flow.run(5)
    assert flow.rates == Rates(fps=32, speed=1, kbps=256)


class Camera:
    """A source at 16 fps whose frames arrive when the test says so; its first has just come."""

    def __init__(self, ticks: int = 0) -> None:
        self.now = 1000.0
        self.clock = MediaClock()
        self._ticks = ticks
        self.first_step = self.clock.advance(self.now, ticks)
        self.clock.restart(self.now)

    def send(self, frames: int, every_s: float = FRAME_S, frame_ticks: int = FRAME_TICKS) -> int | None:
        """Send that many; how many it took until the source ran ahead, None if it never did."""
        ahead = None
        for number in range(1, frames + 1):
            self.now += every_s
            self._ticks = (self._ticks + frame_ticks) % WRAP
            self.clock.advance(self.now, self._ticks)
            if ahead is None and self.clock.runs_ahead:
                ahead = number
        return ahead

    def run(self, seconds: float) -> int | None:
        """As a live source does."""
        return self.send(round(seconds * FPS))

    def pause(self, seconds: float) -> None:
        self.now += seconds


def test_steady_media_is_not_ahead() -> None:
    camera = Camera()
    assert camera.run(600) is None
    assert camera.clock.excess_s == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("speed", [0.999, 1.001])
def test_an_hour_of_a_clock_1000_ppm_off_is_not_ahead(speed: float) -> None:
    camera = Camera()
    assert camera.send(3600 * FPS, FRAME_S / speed) is None


@pytest.mark.parametrize("burst_every_s", [0, FRAME_S / 64, FRAME_S / 2])
@pytest.mark.parametrize("pause_s", [1, 9, 40])
def test_a_pause_and_its_backlog_in_a_burst_are_not_ahead(pause_s: float, burst_every_s: float) -> None:
    camera = Camera()
    camera.run(20)
    camera.pause(pause_s)
    # While the backlog comes, the camera films on.
    owed = int(pause_s * FPS / (1 - burst_every_s / FRAME_S))
    assert camera.send(owed, burst_every_s) is None
    assert camera.clock.excess_s == pytest.approx(0, abs=0.1)
    assert camera.run(20) is None


def test_what_comes_on_top_of_a_backlog_is_ahead() -> None:
    camera = Camera()
    camera.run(20)
    camera.pause(5)
    assert camera.send(3600 * FPS, 0) == 5 * FPS + BORNE + 1


def test_ten_pauses_with_their_backlogs_are_not_ahead() -> None:
    camera = Camera()
    for _ in range(10):
        assert camera.run(8) is None
        camera.pause(4)
        assert camera.send(4 * FPS, 0) is None


def test_a_pause_of_which_nothing_comes_later_is_not_ahead() -> None:
    camera = Camera()
    camera.run(20)
    camera.pause(40)
    assert camera.run(60) is None


@pytest.mark.parametrize("after_s", [3.1, 20, 3600])
@pytest.mark.parametrize("every_s", [0, FRAME_S / 64, FRAME_S / 4])
def test_an_hour_that_is_filled_in_runs_ahead_after_half_a_second_of_it(after_s: float, every_s: float) -> None:
    camera = Camera()
    assert camera.run(after_s) is None
    frames = camera.send(3600 * FPS, every_s)
    assert frames is not None
    assert 0.5 < frames * (FRAME_S - every_s) <= 0.5 + FRAME_S


def test_a_jump_in_one_step_runs_ahead_at_once() -> None:
    camera = Camera()
    camera.run(20)
    assert camera.send(1, frame_ticks=3600 * TICKS_PER_S) == 1
    assert camera.clock.excess_s == pytest.approx(3600, abs=0.1)


def test_a_jump_back_is_not_ahead() -> None:
    camera = Camera(ticks=3600 * TICKS_PER_S)
    camera.run(20)
    assert camera.send(1, frame_ticks=-3600 * TICKS_PER_S) is None
    assert camera.run(20) is None


@pytest.mark.parametrize(("speed", "ahead"), [(1.04, False), (1.06, True)])
def test_media_four_percent_fast_is_borne_and_six_percent_is_ahead(speed: float, ahead: bool) -> None:
    camera = Camera()
    camera.run(5)
    assert (camera.send(30 * FPS, FRAME_S / speed) is not None) == ahead


def test_half_a_second_at_once_is_borne_and_a_frame_more_is_ahead() -> None:
    camera = Camera()
    camera.run(20)
    assert camera.send(100, 0) == BORNE + 1


def test_what_is_ahead_is_judged_by_the_last_seconds() -> None:
    camera = Camera()
    camera.run(20)
    assert camera.send(FPS, 0) is not None
    camera.run(9)
    assert camera.clock.runs_ahead
    camera.run(2)
    assert not camera.clock.runs_ahead


def test_some_backlog_is_allowed_at_the_start() -> None:
    camera = Camera()
    assert camera.send(AT_START, 0) is None
    assert camera.run(60) is None


def test_a_backlog_at_the_start_may_come_bit_by_bit() -> None:
    camera = Camera()
    assert camera.send(2 * AT_START - 2, FRAME_S / 2) is None
    assert camera.run(60) is None


def test_more_than_that_at_the_start_is_ahead() -> None:
    camera = Camera()
    assert camera.send(3600 * FPS, 0) == AT_START + 1


def test_a_backlog_at_the_start_buys_none_later() -> None:
    camera = Camera()
    camera.send(AT_START, 0)
    camera.run(20)
    assert camera.send(3600 * FPS, 0) == BORNE + 1


def test_a_source_that_pauses_after_its_first_frame_is_not_ahead_with_what_it_owes() -> None:
    camera = Camera()
    camera.pause(8)
    assert camera.send(8 * FPS, 0) is None
    assert camera.run(20) is None


def test_what_came_before_the_restart_is_not_judged() -> None:
    clock = MediaClock()
    clock.advance(0.0, 0)
    clock.advance(0.1, 60 * TICKS_PER_S)
    assert not clock.runs_ahead
    clock.restart(0.1)
    clock.advance(5.0, 64 * TICKS_PER_S)
    assert not clock.runs_ahead
    assert clock.media_s == 64


def test_steps_are_told_and_the_first_frame_has_none() -> None:
    clock = MediaClock()
    assert clock.advance(5.0, 123_456) == 0
    assert clock.advance(5.1, 126_456) == 3000
    assert clock.advance(5.2, 126_456) == 0
    assert clock.advance(5.3, 125_456) == -1000


def test_time_that_wraps_at_33_bits_is_a_normal_step_in_both_directions() -> None:
    clock = MediaClock()
    clock.advance(0.0, WRAP - 1000)
    assert clock.advance(0.03, 2000) == 3000
    assert clock.advance(0.06, WRAP - 1000) == -3000


def test_media_that_wraps_at_33_bits_is_not_ahead() -> None:
    camera = Camera(ticks=WRAP - 20 * TICKS_PER_S)
    assert camera.first_step == 0
    assert camera.run(60) is None
    assert camera.clock.excess_s == pytest.approx(0, abs=1e-6)


def test_an_hour_filled_in_across_the_wrap_is_ahead() -> None:
    camera = Camera(ticks=WRAP - 20 * TICKS_PER_S - 5 * FRAME_TICKS)
    camera.run(20)
    assert camera.send(3600 * FPS, 0) == BORNE + 1


def test_hours_of_flow_take_no_more_memory_than_a_minute() -> None:
    flow, camera = Flow(), Camera()
    flow.run(60)
    camera.run(60)
    before = len(pickle.dumps(flow.meter)), len(pickle.dumps(camera.clock))
    flow.run(5 * 3600)
    camera.run(5 * 3600)
    assert len(pickle.dumps(flow.meter)) < 2 * before[0]
    assert len(pickle.dumps(camera.clock)) < 2 * before[1]


def pace_after(*stretches: tuple[float, float]) -> bool:
    """Whether a source is in real time after stretches of so many seconds at so many times its pace."""
    pace, now, media_s = Pace(), 100.0, 0.0
    for seconds, speed in stretches:
        for _ in range(round(seconds * FPS)):
            pace.note(now, media_s)
            now += 1 / FPS
            media_s += speed / FPS
    return pace.is_real_time()


def test_a_source_is_in_real_time_once_it_was_for_a_moment() -> None:
    assert not pace_after((0.3, 1))
    assert pace_after((0.5, 1))


def test_a_backlog_is_not_in_real_time_until_it_is_over() -> None:
    assert not pace_after((1, 1.3))
    assert not pace_after((0.5, 1), (1, 5))
    assert not pace_after((1, 5), (0.3, 1))
    assert pace_after((1, 5), (0.5, 1))


def test_a_pause_that_is_caught_up_is_no_backlog() -> None:
    assert pace_after((1, 1), (0.2, 0), (0.1, 3))
