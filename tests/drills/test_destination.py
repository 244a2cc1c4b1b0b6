"""Faults between the compositor and "YouTube": processes are killed; it hangs up, hangs, is slow or refuses."""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path

import pytest

from media.profiles import PROFILES
from tests.drills.drill import Drill
from tests.drills.test_camera import assert_full_rate, fill, judge_delay, returned_at
from tests.service import FFMPEG, PROFILE
from tests.waiting import eventually

KILLS = 5
PROVEN_S = 8
REFUSED = "the destination closes the connection right after publish: check the stream key"
LONGEST_WAIT_S = 30 * 1.5  # with jitter


def await_successor(drill: Drill, role: str, gone: int) -> None:
    eventually(lambda: drill.children(role) not in ([], [gone]), 20, f"another {role}")


@pytest.mark.long
@pytest.mark.parametrize("kills", [1, KILLS])
def test_compositor_killed(drill: Drill, kills: int) -> None:
    often = "five times" if kills > 1 else "once"
    row = drill.row(f"compositor killed with SIGKILL, {often}", "gap 0.8 s each; 1 connection")
    drill.begin_with_camera()
    first = time.monotonic()
    gaps, moments = [], []
    for _ in range(kills):
        [compositor] = drill.children("compositor")
        moments.append(time.monotonic())
        os.kill(compositor, signal.SIGKILL)
        await_successor(drill, "compositor", compositor)
        drill.await_on_air("camera")
        drill.observe(5)
        gaps.append(drill.viewer.longest_gap_s(moments[-1]))
    drill.await_on_air("camera")
    assert_full_rate(drill)
    fill(row, drill, first)
    row.gap_s = max(gaps)
    sight = drill.sight()
    times = [sight.camera_since(moment) for moment in moments]
    assert None not in times, "the viewer did not see the camera's picture again"
    row.normal_s = max(filter(None, times))
    row.notes.append(f"gaps {', '.join(f'{gap_s:.2f}' for gap_s in gaps)} s")
    row.hold_gap(0.8)
    row.hold_one_connection()
    drill.end(row)
    assert row.connections == 1
    assert len(drill.viewer.configs) == 1


@pytest.mark.long
def test_slate_killed(drill: Drill) -> None:
    row = drill.row("slate killed with SIGKILL", "1 connection")
    drill.begin()
    drill.await_on_air("slate")
    drill.observe()
    [slate] = drill.children("slate")
    fault = time.monotonic()
    os.kill(slate, signal.SIGKILL)
    await_successor(drill, "slate", slate)
    eventually(lambda: drill.viewer.between(time.monotonic() - 0.2), 20)
    drill.observe()
    assert_full_rate(drill)
    fill(row, drill, fault)
    row.hold_one_connection()
    drill.end(row)
    assert row.connections == 1


@pytest.mark.long
@pytest.mark.parametrize("fault", ["killed", "closed", "down"])
@pytest.mark.timeout(180)
def test_publisher_lost(drill: Drill, fault: str) -> None:
    names = {"killed": "publisher killed", "closed": "YouTube closes", "down": "YouTube is down for 30 s"}
    row = drill.row(names[fault], "reconnects; delay at most 0.5 s more than before")
    drill.begin_with_camera()
    if fault != "killed":  # a connection that ends too soon counts as a refused key
        drill.observe(PROVEN_S)
    began = ended = time.monotonic()
    if fault == "killed":
        [publisher] = drill.children("publisher")
        os.kill(publisher, signal.SIGKILL)
    elif fault == "closed":
        drill.youtube.way_in.cut()
    else:
        drill.youtube.way_in.refuse()
    drill.await_state("reconnecting")
    lost = drill.snapshot()["destination"]
    if fault == "down":
        drill.observe(began + 30 - time.monotonic())
        drill.youtube.way_in.heal()
        ended = time.monotonic()
    eventually(lambda: drill.youtube.connections(drill.key, drill.begun_at) > 1, 60, "another publisher connects")
    eventually(lambda: drill.viewer.between(time.monotonic() - 0.2), 20, "frames again")
    drill.observe(4)
    assert_full_rate(drill)
    fill(row, drill, began)
    sight = drill.sight()
    row.normal_s = sight.camera_since(ended)
    assert row.normal_s is not None, "the viewer did not see the camera's picture again"
    judge_delay(row, sight, began, 0.5)
    eventually(lambda: drill.snapshot()["destination"]["state"] == "connected", 20, "the state is connected")
    row.notes.append(f"reason meanwhile: {lost['reason']}; reason afterwards: {drill.snapshot()['reason'] or 'none'}")
    drill.end(row)
    assert row.connections == 2


@pytest.mark.long
@pytest.mark.timeout(180)
def test_youtube_stops_reading(drill: Drill) -> None:
    row = drill.row("YouTube accepts and stops reading", "replaced within 15 s; the backup is not affected")
    backup_key = "key-of-backup"
    backup_url = f"rtmp://127.0.0.1:{drill.youtube.port}/youtube/{backup_key}"
    backup = drill.watch(drill.youtube.port, "youtube", backup_key)
    drill.begin_with_camera(body={"backup_url": backup_url})
    eventually(lambda: backup.frames, 20, "the backup arrives")
    drill.observe(2)
    port = f":{drill.youtube.way_in.port}/"
    [publisher] = [pid for pid in drill.children("publisher") if port in drill.titles()[pid]]
    fault = time.monotonic()
    drill.youtube.way_in.stall()
    eventually(lambda: publisher not in drill.children("publisher"), 40, "the publisher is replaced")
    replaced_s = time.monotonic() - fault
    said = drill.snapshot()["destination"]["reason"]
    drill.youtube.way_in.cut()
    drill.youtube.way_in.heal()
    ended = time.monotonic()
    eventually(lambda: drill.youtube.connections(drill.key, fault) > 0, 60, "another publisher connects")
    eventually(lambda: drill.viewer.between(time.monotonic() - 0.2), 30, "frames again")
    drill.observe(4)
    assert_full_rate(drill)
    fill(row, drill, fault)
    sight = drill.sight()
    row.normal_s = sight.camera_since(ended)
    backup_gap_s = backup.longest_gap_s(fault)
    row.notes.append(f"replaced after {replaced_s:.1f} s: {said}; longest gap of the backup {backup_gap_s:.2f} s")
    row.hold("replaced", replaced_s, 15)
    row.hold("gap of the backup", backup_gap_s, 0.3)
    judge_delay(row, sight, fault, 0.5)
    drill.end(row)
    assert drill.youtube.connections(backup_key, drill.begun_at) == 1, "the backup must keep its connection"


@pytest.mark.long
@pytest.mark.timeout(240)
def test_uplink_throttled(drill: Drill) -> None:
    row = drill.row("uplink throttled to half the bitrate for 60 s", "delay bounded; loss counted and named; recovers")
    drill.begin_with_camera()
    fault = time.monotonic()
    drill.youtube.way_in.throttle(PROFILES[PROFILE].bytes_per_second / 2)
    states, dropped, reasons = set(), 0, set()
    while time.monotonic() < fault + 60:
        drill.observe(1)
        said = drill.snapshot()
        states |= {said["destination"]["state"], *said["states"]}
        dropped = max(dropped, said["destination"]["dropped_frames"])
        reasons |= {re.sub(r"\d+", "N", said["destination"]["reason"] or "")} - {""}
    ended = time.monotonic()
    drill.youtube.way_in.heal()
    eventually(lambda: drill.viewer.rate(time.monotonic() - 3, time.monotonic()) > 29, 60, "30 fps again")
    drill.observe(4)
    fill(row, drill, fault)
    sight = drill.sight()
    delays = [delay_s for _, delay_s in sight.delays_s(fault + 10, ended)]
    row.normal_s = sight.camera_since(ended)
    row.notes.append(
        f"delay at most {max(delays, default=0):.1f} s meanwhile, {drill.viewer.rate(fault, ended):.1f} fps arrived, "
        f"{dropped} frames counted as dropped; reason: {'; '.join(sorted(reasons)) or 'none'}"
    )
    row.hold("delay meanwhile", max(delays, default=None), 15)
    judge_delay(row, sight, fault, 0.5)
    if not dropped:
        row.misses.append("no dropped frame was counted")
    if not reasons:
        row.misses.append("the loss was not named")
    drill.end(row)


def test_key_refused(drill: Drill) -> None:
    row = drill.row("YouTube refuses the key", "reason shown within 10 s; attempts go on, with growing pauses")
    key = "key-of-m1"
    drill.youtube.refuse_key(key)
    drill.begin()
    drill.camera()

    def is_named() -> bool:
        return bool(drill.snapshot()["destination"]["reason"] == REFUSED)

    eventually(is_named, 40, f"the reason is named: {drill.snapshot()['destination']}")
    shown_s = time.monotonic() - drill.begun_at
    assert drill.snapshot()["destination"]["state"] == "reconnecting"
    attempts = drill.youtube.connections(key, drill.begun_at)
    eventually(lambda: drill.youtube.connections(key, drill.begun_at) > attempts, LONGEST_WAIT_S, "another attempt")
    drill.youtube.refuse_key(None)
    eventually(lambda: drill.viewer.frames, LONGEST_WAIT_S, "on air with the key admitted")
    row.connections = drill.youtube.connections(key, drill.begun_at)
    lasted_s = time.monotonic() - drill.begun_at
    row.notes.append(f"reason shown after {shown_s:.1f} s; {row.connections} attempts in {lasted_s:.0f} s")
    row.hold("reason shown", shown_s, 10)
    drill.end(row)


@pytest.mark.long
def test_rtmp_time_beyond_24_bits_at_the_publisher(drill: Drill, tmp_path: Path) -> None:
    row = drill.row("publisher's RTMP time past 16777.216 s", "30 fps throughout")
    wrapper = tmp_path / "ffmpeg-late"
    wrapper.write_text(
        "#!/bin/bash\n"
        'args=()\nfor word in "$@"; do\n'
        '  [[ "$word" == flv ]] && { unset "args[-1]"; args+=(-output_ts_offset 16765 -f); }\n'
        '  args+=("$word")\ndone\n'
        f'exec {FFMPEG} "${{args[@]}}"\n'
    )
    wrapper.chmod(0o755)
    drill.begin(ffmpeg_bin=str(wrapper))
    began = time.monotonic()
    drill.camera()
    returned_at(drill, began)
    drill.await_on_air("camera")
    eventually(lambda: drill.viewer.frames and drill.viewer.frames[-1].dts_s > 16774, 30)
    begin = time.monotonic()
    assert drill.viewer.frames[-1].dts_s < 16777, "the drill came too late"
    eventually(lambda: drill.viewer.frames[-1].dts_s > 16788, 30)
    end = time.monotonic()
    fill(row, drill, begin)
    rate = drill.viewer.rate(begin, end)
    row.notes.append(f"{rate:.1f} fps at the viewer over {end - begin:.0f} s around it")
    row.hold("frames missing a second", 30 - rate, 0.5, "fps")
    row.hold_one_connection()
    drill.end(row)
