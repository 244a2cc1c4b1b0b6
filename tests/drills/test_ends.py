"""Ends: a stop in each state, processes that ignore SIGTERM, and one of two services killed."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.drills.drill import Drill
from tests.drills.test_camera import assert_full_rate, fill
from tests.service import FFMPEG, MakeService
from tests.waiting import eventually, runs

STOP_LIMIT_S = 6.0


@pytest.fixture
def stubborn_ffmpeg(tmp_path: Path) -> Path:
    """FFmpeg in a wrapper that does not end at SIGTERM, even when its FFmpeg has ended."""
    wrapper = tmp_path / "stubborn-ffmpeg"
    wrapper.write_text(
        "#!/bin/bash\n"
        'case "$*" in *pipe:[01]*) ;; *) exec ' + FFMPEG + ' "$@" ;; esac\n'
        "trap asked=1 TERM\n"
        f'{FFMPEG} "$@"\n'
        "status=$?\n"
        '[ -z "$asked" ] && exit "$status"\n'
        "while true; do sleep 60; done\n"
    )
    wrapper.chmod(0o755)
    return wrapper


def bring_to(drill: Drill, state: str) -> None:
    """Bring a stream that has just started into this state."""
    if state == "starting":
        return
    drill.await_on_air("slate")
    if state == "slate":
        return
    camera = drill.camera()
    drill.await_on_air("camera")
    if state == "reconnecting":
        drill.youtube.way_in.refuse()
        drill.await_state("reconnecting")
    elif state == "camera gone":
        camera.freeze()


@pytest.mark.parametrize("stubborn", [False, pytest.param(True, marks=pytest.mark.long)], ids=["", "stubborn"])
@pytest.mark.timeout(240)
def test_stop_in_each_state(drill: Drill, stubborn: bool, stubborn_ffmpeg: Path) -> None:
    how = ", children that ignore SIGTERM" if stubborn else ""
    states = ("starting", "slate", "live", "reconnecting", "camera gone")
    row = drill.row(f"stop while {', '.join(states)}{how}", "answered within 6 s; nothing left")
    took = {}
    for number, state in enumerate(states):
        if number == 0:
            drill.begin(ffmpeg_bin=str(stubborn_ffmpeg) if stubborn else FFMPEG)
        else:
            drill.start_again()
        bring_to(drill, state)
        pids = list(drill.titles())
        took[state] = drill.end(row)
        eventually(lambda: not any(map(runs, pids)), 2, "the children are gone")
        drill.end_cameras()
        drill.youtube.way_in.heal()
    row.notes.append(", ".join(f"{state} {seconds:.1f} s" for state, seconds in took.items()))
    row.hold("stop answered", max(took.values()), STOP_LIMIT_S)


def test_two_services_one_killed(drill: Drill, service: MakeService, tmp_path: Path) -> None:
    row = drill.row("two services on one machine; one killed", "the other's streams are not affected")
    drill.begin_with_camera(stall_timeout_s="6")  # no camera stalls here
    other = service(log_dir=str(tmp_path / "other-logs"))
    other.start("m2")
    eventually(lambda: len(other.children("pipe:")) >= 2)
    pids = list(other.children("pipe:"))
    drill.observe(1)
    fault = time.monotonic()
    other.process.kill()
    other.process.wait()
    eventually(lambda: not any(map(runs, pids)), 10, "the killed service's FFmpegs end")
    gone_s = time.monotonic() - fault
    again = service(log_dir=str(tmp_path / "other-logs"))
    again.start("m2")
    again.stop("m2")
    drill.observe(2)
    assert_full_rate(drill)
    fill(row, drill, fault)
    assert drill.sight().slate_frames(fault) == 0
    row.notes.append(f"the killed service's FFmpegs were gone after {gone_s:.1f} s")
    row.hold_gap(0.3)
    row.hold("FFmpegs of the killed service gone", gone_s, 10)
    row.hold_one_connection()
    drill.end(row)
    assert row.connections == 1
