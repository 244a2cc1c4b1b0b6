"""Faults of the camera: it is away, comes back, freezes, loses its sound, or its clock jumps."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import psutil
import pytest

from tests.drills.cameras import FFmpegCamera
from tests.drills.clock_picture import beep_starts, flash_starts
from tests.drills.drill import SETTLED_S, STALL_S, Drill, Sight
from tests.drills.report import Row
from tests.integration.conftest import SILENT, mean_volume_db
from tests.service import FFMPEG
from tests.waiting import eventually

HANDOVER_S = 0.3
RETURNS = 10
FULL_RATE = 29.0  # of 30; counted over seconds
# For the camera's process to start and connect.
CONNECTS_S = 10
BUSY_PERCENT = 85.0


def returned_at(drill: Drill, since: float) -> float:
    """When the camera's first frame since then reached the RTMP server."""
    eventually(lambda: drill.camera_side.between(since), CONNECTS_S, "the camera publishes")
    return drill.camera_side.between(since)[0].arrival


def fill(row: Row, drill: Drill, begin: float, *, before: tuple[float, float] | None = None) -> None:
    """Fill in the figures that every drill has: from `begin` until now, compared with the time before."""
    now = time.monotonic()
    row.gap_s = drill.viewer.longest_gap_s(begin)
    row.connections = drill.youtube.connections(drill.key, drill.begun_at)
    row.drift_s = drill.viewer.drift_s(before or (begin - SETTLED_S, begin), (now - 2, now))
    row.outage_s = drill.viewer.outage_s(begin - 0.5)
    if (busy := psutil.cpu_percent()) > BUSY_PERCENT:
        row.notes.append(f"the machine was {busy:.0f} % busy")


def assert_full_rate(drill: Drill, seconds: float = 2.0) -> None:
    def rate() -> float:
        now = time.monotonic()
        return drill.viewer.rate(now - seconds, now)

    eventually(lambda: rate() > FULL_RATE, 30, "30 fps again")


def test_no_camera_at_start_then_it_comes(drill: Drill) -> None:
    row = drill.row("no camera at start; then it comes", "slate in 3 s; live 3 s after the camera; 1 connection")
    drill.begin()
    eventually(lambda: drill.viewer.frames, 20, "the slate arrives")
    slate_after_s = drill.viewer.frames[0].arrival - drill.begun_at
    drill.await_on_air("slate")
    drill.observe(2)
    began = time.monotonic()
    drill.camera()
    came = returned_at(drill, began)
    drill.await_on_air("camera")
    drill.observe()
    fill(row, drill, drill.viewer.frames[0].arrival, before=(began - 2, began))
    sight = drill.sight()
    assert sight.slate_frames(0, came) > 30
    row.normal_s = sight.camera_since(came)
    row.notes.append(
        f"slate {slate_after_s:.2f} s after the start call, which was answered after {drill.start_took_s:.2f} s"
    )
    row.hold("slate on air", slate_after_s, 3)
    row.hold("live", row.normal_s, 3)
    row.hold_one_connection()
    drill.end(row)
    assert row.connections == 1


@pytest.mark.parametrize("hooks", [False, pytest.param(True, marks=pytest.mark.long)], ids=["alone", "hooks"])
def test_camera_closes_cleanly_and_comes_back(drill: Drill, hooks: bool) -> None:
    how, limit_s = ("with the hooks", 1.0) if hooks else ("without the hooks", STALL_S + 0.5)
    row = drill.row(f"camera closes cleanly, {how}", f"gap {limit_s:g} s; 1 connection")
    camera = drill.begin_with_camera(hooks=hooks)
    fault = time.monotonic()
    camera.close_cleanly()
    drill.await_on_air("slate")
    came_back(drill, row, fault)
    row.hold_gap(limit_s)
    row.hold_one_connection()
    drill.end(row)
    assert row.connections == 1


def came_back(drill: Drill, row: Row, fault: float, come: Callable[[], object] | None = None) -> Sight:
    """With the slate on air, let the camera come back, and fill in the row."""
    drill.observe(1)
    began = time.monotonic()
    (come or drill.camera)()
    back = returned_at(drill, began)
    drill.await_on_air("camera")
    drill.observe()
    assert_full_rate(drill)
    fill(row, drill, fault)
    sight = drill.sight()
    assert sight.slate_frames(fault, back) > 10, "the viewer saw no slate"
    row.normal_s = sight.camera_since(back)
    assert row.normal_s is not None, "the viewer did not see the camera's picture again"
    assert len(drill.viewer.configs) == 1, "the codec's configuration changed while on air"
    return sight


@pytest.mark.long
@pytest.mark.parametrize("fault", ["freezes", "is cut off", "vanishes"])
def test_camera_disappears_without_closing(drill: Drill, fault: str) -> None:
    names = {
        "freezes": "camera freezes (process stopped)",
        "is cut off": "camera's TCP is cut",
        "vanishes": "camera's machine vanishes",
    }
    row = drill.row(names[fault], f"gap {STALL_S + 0.5:g} s; 1 connection")
    camera = drill.begin_with_camera()
    began = time.monotonic()
    if fault == "freezes":
        camera.freeze()
    elif fault == "is cut off":
        drill.way_in.cut()
    else:
        drill.way_in.stall()
    drill.await_on_air("slate")

    def come() -> None:
        if fault == "freezes":
            camera.go_on()
            return
        if fault == "vanishes":  # the app finds the network again, and the server does not know yet
            drill.way_in.cut()
            drill.way_in.heal()
        drill.camera()

    came_back(drill, row, began, come)
    row.hold_gap(STALL_S + 0.5)
    row.hold_one_connection()
    drill.end(row)
    assert row.connections == 1


@pytest.mark.long
@pytest.mark.timeout(300)
def test_camera_comes_back_ten_times(drill: Drill) -> None:
    target = f"gap {HANDOVER_S} s each; arrival − PTS 0.5 s in all; 1 connection"
    row = drill.row("camera comes back, ten times", target)
    sync = drill.row("ten handovers: flash against beep", "change 80 ms")
    camera = drill.begin_with_camera()
    drill.observe(4)
    first = time.monotonic()
    gaps, backs, drifts = [], [], []
    for _ in range(RETURNS):
        with camera:
            pass
        slate = drill.await_on_air("slate") + 0.5
        drill.observe(1.5)
        began = time.monotonic()
        camera = drill.camera()
        back = returned_at(drill, began)
        on_air = drill.await_on_air("camera") + 0.5
        drill.observe(2)
        gaps.append(drill.viewer.longest_gap_s(back - 0.5))
        drifts.append(drill.viewer.drift_s((slate, back), (on_air, time.monotonic())))
        backs.append(back)
    drill.observe(8)
    fill(row, drill, first, before=(first - 4, first))
    assert_full_rate(drill)
    sight = drill.sight()
    row.gap_s = max(gaps)
    times = [sight.camera_since(back) for back in backs]
    assert None not in times, "the viewer did not see each return"
    row.normal_s = max(filter(None, times))
    assert None not in drifts, "the publisher was replaced"
    returns_s = sum(drift for drift in drifts if drift is not None)
    row.notes.append(
        f"gap and time to normal are the worst of {RETURNS}; "
        f"arrival − PTS over the ten returns alone {returns_s:+.2f} s"
    )
    row.hold_gap(HANDOVER_S)
    row.hold("arrival − PTS over the returns", abs(returns_s), 0.5)
    row.hold_one_connection()
    before, after = av_offsets_ms(drill, sight, first)
    sync.notes.append(f"beep minus flash: {before:+.0f} ms before, {after:+.0f} ms after ten handovers")
    sync.hold("change", abs(after - before), 80, "ms")
    drill.end(row, sync)
    assert row.connections == 1
    assert len(drill.viewer.configs) == 1


def av_offsets_ms(drill: Drill, sight: Sight, moment: float) -> tuple[float, float]:
    """The median of beep minus flash at the viewer, before that moment and in the last seconds."""
    flashes = flash_starts([frame for _, frame in sight.frames])
    beeps = beep_starts(FFMPEG, drill.viewer.recording())
    borders = [frame.pts_s for arrival, frame in sight.frames if arrival < moment]
    last = sight.frames[-1][1].pts_s - 8

    def offset(begin_s: float, end_s: float) -> float:
        pairs = [
            min((beep - flash for beep in beeps), key=abs) * 1000 for flash in flashes if begin_s <= flash <= end_s
        ]
        assert pairs, "no flash was seen"
        return statistics.median(pairs)

    return offset(borders[0], borders[-1]), offset(last, last + 8)


@pytest.mark.long
@pytest.mark.timeout(400)
def test_long_lives_before_a_handover(drill: Drill) -> None:
    """If the timeline jumped at the handover by 10 to 100 s, there would be holes."""
    row = drill.row("predecessor on air for 92 s (camera) and 97 s (slate)", "PTS step 0.1 s")
    drill.begin()
    drill.await_on_air("slate")
    camera = drill.camera()
    live = drill.await_on_air("camera")
    drill.observe(max(0.0, live + 92 - STALL_S - time.monotonic()))
    fault = time.monotonic()
    with camera:
        pass
    slate = drill.await_on_air("slate")
    drill.observe(max(0.0, slate + 97 - 2.5 - time.monotonic()))
    came_back(drill, row, fault)
    step_s = drill.viewer.longest_step_s(fault - 5)
    row.notes.append(f"longest PTS step {step_s:.3f} s")
    row.hold("PTS step", step_s, 0.1)
    drill.end(row)
    assert row.connections == 1


@pytest.mark.long
@pytest.mark.timeout(200)
@pytest.mark.parametrize("starts_late", [False, True], ids=["stops and returns", "starts late"])
def test_camera_sound(drill: Drill, starts_late: bool) -> None:
    what = "starts 10 s late" if starts_late else "stops, returns"
    row = drill.row(f"camera's sound {what}", f"gap {STALL_S + 0.5:g} s; memory flat; sound back by itself")
    drill.begin()
    drill.await_on_air("slate")
    camera = drill.scripted_camera(sound=not starts_late)
    drill.await_on_air("camera")
    drill.observe()
    fault = time.monotonic()
    camera.sound = False
    drill.observe(6)  # until what replaces the compositor has its buffers
    memory_mb = drill.memory_mb()
    drill.observe(8)
    grown_mb = drill.memory_mb() - memory_mb
    returns = time.monotonic()
    camera.sound = True
    heard_after_s = wait_for_sound(drill, returns, 40)
    drill.observe(4)
    fill(row, drill, fault)
    assert_full_rate(drill)
    assert camera.error is None
    row.normal_s = heard_after_s
    row.notes.append(
        f"memory of the FFmpegs {grown_mb:+.0f} MiB in 8 s without sound; "
        + (
            f"the viewer hears beeps {heard_after_s:.1f} s after the sound is back"
            if heard_after_s
            else "no beeps again"
        )
    )
    row.hold_gap(STALL_S + 0.5)
    row.hold("memory grew by", grown_mb, 20, "MiB")
    row.hold("sound back", heard_after_s, 40)
    drill.end(row)
    assert row.connections == 1


def wait_for_sound(drill: Drill, since: float, limit_s: float) -> float | None:
    """Seconds until the viewer hears a beep that arrived since then; None if that takes longer than the limit."""
    while time.monotonic() < since + limit_s:
        drill.observe(2)
        heard = beep_starts(FFMPEG, drill.viewer.recording())
        arrivals = [arrival for arrival, time_s in drill.viewer.sounds if heard and time_s >= heard[-1] - 0.03]
        if arrivals and arrivals[0] > since + 0.2:
            first = [at for at, time_s in drill.viewer.sounds if at > since and _near(time_s, heard)]
            return first[0] - since if first else None
    return None


def _near(time_s: float, marks: list[float]) -> bool:
    return any(abs(time_s - mark) < 0.05 for mark in marks)


@pytest.mark.long
def test_rtmp_time_beyond_24_bits_at_the_camera(drill: Drill) -> None:
    row = drill.row("camera's RTMP time past 16777.216 s", "30 fps throughout")
    drill.begin()
    drill.await_on_air("slate")
    began = time.monotonic()
    drill.camera(None, "-output_ts_offset", "16765")
    returned_at(drill, began)
    drill.await_on_air("camera")
    eventually(lambda: drill.camera_side.frames[-1].dts_s > 16768, 20)
    drill.observe(1)
    begin = time.monotonic()
    eventually(lambda: drill.camera_side.frames[-1].dts_s > 16785, 30)
    end = time.monotonic()
    fill(row, drill, begin)
    rate = drill.viewer.rate(begin, end)
    row.notes.append(f"{rate:.1f} fps at the viewer over {end - begin:.0f} s around it")
    row.hold("frames missing a second", 30 - rate, 0.5, "fps")
    row.hold("longest gap", row.gap_s, 0.5)
    assert drill.sight().slate_frames(begin + 1) == 0
    drill.end(row)


@pytest.mark.long
def test_hiccup(drill: Drill) -> None:
    row = drill.row("hiccup of the camera of 1 s", "no slate; the picture goes on; no lasting delay")
    camera = drill.begin_with_camera()
    fault = time.monotonic()
    camera.freeze()
    drill.observe(1)
    camera.go_on()
    ended = time.monotonic()
    drill.observe(6)
    fill(row, drill, fault)
    sight = drill.sight()
    row.normal_s = sight.camera_since(ended)
    judge_delay(row, sight, fault, 0.3)
    if slates := sight.slate_frames(fault):
        row.misses.append(f"{slates} frames of slate")
    drill.end(row)
    assert row.connections == 1


def judge_delay(row: Row, sight: Sight, fault: float, limit_s: float) -> None:
    """Compare the delay from camera to viewer before the fault with that of the last two seconds."""
    last = sight.frames[-1][0]
    before, after = sight.delay_s(fault - SETTLED_S, fault), sight.delay_s(last - 2)
    if before is not None and after is not None:
        row.notes.append(f"delay camera to viewer {before:.2f} s before, {after:.2f} s after")
        row.hold("lasting delay", after - before, limit_s)
    else:
        row.misses.append("the camera's picture was not seen before and after")


@pytest.mark.long
@pytest.mark.parametrize("how", ["reset", "hour ahead", "jump on air", "jump back on air"])
def test_camera_clock_jumps(drill: Drill, how: str) -> None:
    names = {
        "reset": "camera returns at once, timestamps reset to 0",
        "hour ahead": "camera returns at once, timestamps an hour ahead",
        "jump on air": "camera's timestamps jump an hour ahead, same connection",
        "jump back on air": "camera's timestamps jump an hour back, same connection",
    }
    row = drill.row(names[how], "no gap over 3 s; no lasting delay")
    drill.begin()
    drill.await_on_air("slate")
    if "on air" in how:
        back_s = -3600 if "back" in how else 3600
        scripted = drill.scripted_camera(offset_s=max(0, -back_s))
        drill.await_on_air("camera")
        drill.observe()
        fault = time.monotonic()
        scripted.jump_s(back_s)
    else:
        with drill.camera():
            drill.await_on_air("camera")
            drill.observe()
            fault = time.monotonic()
        drill.camera(None, *(["-output_ts_offset", "3600"] if how == "hour ahead" else []))
    drill.observe(12)
    assert_full_rate(drill)
    fill(row, drill, fault)
    sight = drill.sight()
    row.normal_s = longest_since(sight, fault)
    judge_delay(row, sight, fault, 0.5)
    row.hold_gap(3)
    drill.end(row)
    assert row.connections == 1


def longest_since(sight: Sight, fault: float) -> float | None:
    """Seconds until the camera's picture stays: after that it is never away for over 0.2 s, nor old."""
    delays = sight.delays_s(fault)
    usual = statistics.median(delay_s for _, delay_s in sight.delays_s(fault - SETTLED_S, fault))
    good = [arrival for arrival, delay_s in delays if delay_s < usual + 0.5]
    if not good:
        return None
    breaks = [later for earlier, later in zip([fault, *good], good, strict=False) if later - earlier > 0.2]
    return (breaks[-1] if breaks else good[0]) - fault


@pytest.mark.long
@pytest.mark.parametrize("kind", ["portrait", "4:3 at 25", SILENT])
def test_camera_returns_as_another(drill: Drill, recordings: Callable[[str], object], kind: str) -> None:
    row = drill.row(f"camera returns as another: {kind}", "profile unchanged")
    other = recordings(kind)
    first = drill.begin_with_camera()
    fault = time.monotonic()
    with first:
        pass
    drill.await_on_air("slate")
    drill.observe(1)
    began = time.monotonic()
    another: FFmpegCamera = drill.camera(other)  # type: ignore[arg-type]
    back = returned_at(drill, began)
    on_air = drill.await_on_air("camera")
    drill.observe(4)
    assert_full_rate(drill)
    assert another.process.poll() is None
    fill(row, drill, fault)
    row.normal_s = on_air - back
    rate = drill.viewer.rate(on_air + 1, on_air + 4)
    row.notes.append(f"{rate:.1f} fps, {len(drill.viewer.configs)} codec configuration")
    if len(drill.viewer.configs) != 1:
        row.misses.append("the codec's configuration changed")
    drill.end(row)
    assert row.connections == 1
    assert (mean_volume_db(drill.viewer.recording()) > -60) is True
