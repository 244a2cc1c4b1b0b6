"""`make soak`: random faults for SOAK_MINUTES, then a comparison of memory, threads and descriptors."""

from __future__ import annotations

import os
import random
import signal
import statistics
import time
from collections.abc import Callable

import pytest

from bench.report import machine, write_section
from tests.drills.cameras import FFmpegCamera
from tests.drills.drill import Drill, resident_mb
from tests.drills.report import HEADING
from tests.drills.report import TITLE as DRILLS
from tests.drills.test_camera import assert_full_rate
from tests.service import FFMPEG, ROOT
from tests.waiting import eventually

TITLE = "Soak"
MINUTES = float(os.environ.get("SOAK_MINUTES") or 10)
# Python's allocator and caches settle during the first faults; a leak goes on.
WARM_UP_S = 60.0
MEMORY_TOLERANCE_MB = 8.0
LONGEST_PAUSE_S = 8.0


class Faults:
    """What may happen to a match. Each call causes one fault, and repairs it."""

    def __init__(self, drill: Drill, camera: FFmpegCamera, dice: random.Random) -> None:
        self._drill = drill
        self._camera = camera
        self._dice = dice
        self.all: dict[str, Callable[[], None]] = {
            "camera gone": self._camera_gone,
            "camera frozen": self._camera_frozen,
            "camera cut off": self._camera_cut_off,
            "compositor killed": lambda: self._kill("compositor"),
            "publisher killed": lambda: self._kill("publisher"),
            "slate killed": lambda: self._kill("slate"),
            "YouTube closes": drill.youtube.way_in.cut,
            "YouTube down": self._youtube_down,
            "YouTube stalls": self._youtube_stalls,
        }

    def one(self) -> str:
        name = self._dice.choice(list(self.all))
        self.all[name]()
        return name

    def _camera_gone(self) -> None:
        self._camera.__exit__()
        self._pause()
        self._camera = self._drill.camera()

    def _camera_frozen(self) -> None:
        self._camera.freeze()
        self._pause()
        self._camera.go_on()

    def _camera_cut_off(self) -> None:
        self._drill.way_in.cut()
        self._pause()
        self._camera.__exit__()
        self._camera = self._drill.camera()

    def _kill(self, role: str) -> None:
        for pid in self._drill.children(role):
            os.kill(pid, signal.SIGKILL)

    def _youtube_down(self) -> None:
        self._drill.youtube.way_in.refuse()
        self._pause()
        self._drill.youtube.way_in.heal()

    def _youtube_stalls(self) -> None:
        self._drill.youtube.way_in.stall()
        self._pause()
        self._drill.youtube.way_in.heal()

    def _pause(self) -> None:
        self._drill.observe(self._dice.uniform(0.2, LONGEST_PAUSE_S))


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_soak(drill: Drill, request: pytest.FixtureRequest) -> None:
    seed = int(os.environ.get("SOAK_SEED") or random.SystemRandom().randrange(10**6))
    print(f"\nSOAK_SEED={seed} SOAK_MINUTES={MINUTES:g}", flush=True)
    dice = random.Random(seed)
    faults = Faults(drill, drill.begin_with_camera(), dice)
    counts: dict[str, int] = {}
    warm: tuple[float, int, int] | None = None
    memory: list[float] = []
    begin = time.monotonic()
    while time.monotonic() < begin + MINUTES * 60:
        name = faults.one()
        counts[name] = counts.get(name, 0) + 1
        drill.observe(dice.uniform(0.5, LONGEST_PAUSE_S))
        assert drill.one.process.poll() is None, "the service ended"
        memory.append(resident_mb(drill.one.process.pid))
        if warm is None and time.monotonic() > begin + min(WARM_UP_S, MINUTES * 20):
            warm = at_rest(drill)
    settle(drill)
    cold, now = warm or at_rest(drill), at_rest(drill)
    drill.end()
    faults_said = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
    lines = [
        f"Made by `make soak` on {machine(FFMPEG)}: {MINUTES:g} minutes, {sum(counts.values())} random faults "
        f"(SOAK_SEED={seed}).",
        "",
        f"Faults: {faults_said}.",
        "",
        "| the service, on air | after the first minute | at the end | tolerance |",
        "|---|---|---|---|",
        f"| resident memory, MiB | {cold[0]:.1f} | {now[0]:.1f} | {MEMORY_TOLERANCE_MB:+g} |",
        f"| threads | {cold[1]} | {now[1]} | 0 |",
        f"| descriptors | {cold[2]} | {now[2]} | 0 |",
        "",
        f"Resident memory during the run: median {statistics.median(memory):.1f} MiB, highest {max(memory):.1f} MiB. "
        "After the stop: nothing left.",
    ]
    print("\n".join(lines))
    if path := request.config.getoption("--drills-report", default=None):
        write_section(ROOT / path, HEADING, TITLE, lines, (DRILLS,))
    assert now[1] <= cold[1], "threads grew"
    assert now[2] <= cold[2], "descriptors grew"
    assert now[0] <= cold[0] + MEMORY_TOLERANCE_MB, "memory grew"


def settle(drill: Drill) -> None:
    """Wait until the camera is on air at full rate."""
    eventually(lambda: drill.viewer.between(time.monotonic() - 0.2), 60, "frames again")
    drill.await_on_air("camera", 60)
    eventually(lambda: not drill.children("slate"), 20, "the slate has ended")
    drill.observe(2)
    assert_full_rate(drill)


def at_rest(drill: Drill) -> tuple[float, int, int]:
    """Memory in MiB, threads and descriptors with the camera's picture on air."""
    settle(drill)
    held = drill.held()
    return resident_mb(drill.one.process.pid), held.threads, held.descriptors
