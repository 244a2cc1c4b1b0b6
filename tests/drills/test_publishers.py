"""Two connections that want the same name: one whose network is gone, and one that comes second."""

from __future__ import annotations

import subprocess
import threading
import time

import pytest

from tests.drills.drill import LIVE, NAME, Drill
from tests.drills.test_camera import fill, returned_at
from tests.service import FFMPEG
from tests.waiting import eventually

GHOST_LIMIT_S = 10
TRIES_EVERY_S = 2.0
REFUSALS = 10


class Persistent:
    """A camera that comes straight to the server, and tries again until it is let in; a context manager."""

    def __init__(self, drill: Drill) -> None:
        self.tries = 0
        self._url = f"rtmp://127.0.0.1:{drill.ingest_port}/{LIVE}/{NAME}"
        self._recording = drill.clock_recording
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="persistent-camera", daemon=True)

    def _run(self) -> None:
        source = ["-re", "-stream_loop", "-1", "-i", str(self._recording)]
        while not self._closed.is_set():
            self.tries += 1
            with subprocess.Popen(
                [FFMPEG, "-loglevel", "error", *source, "-c", "copy", "-f", "flv", self._url],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            ) as process:
                while process.poll() is None and not self._closed.wait(0.05):
                    pass
                process.kill()
            self._closed.wait(TRIES_EVERY_S)

    def __enter__(self) -> Persistent:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        self._thread.join(10)


@pytest.mark.long
def test_a_ghost_holds_the_name(drill: Drill) -> None:
    row = drill.row("camera's network is gone; the same camera comes from another", f"on air in {GHOST_LIMIT_S} s")
    drill.begin_with_camera(hooks=True)
    fault = time.monotonic()
    drill.way_in.stall()
    with Persistent(drill) as camera:
        drill.await_on_air("slate")
        back = returned_at(drill, time.monotonic())
        drill.await_on_air("camera")
        drill.observe()
        fill(row, drill, fault)
        row.normal_s = drill.sight().camera_since(fault + 0.1)
        row.notes.append(f"let in {back - fault:.1f} s after its first try, at try {camera.tries}")
        row.hold("on air again", row.normal_s, GHOST_LIMIT_S)
        row.hold_one_connection()
        assert camera.tries > 1, "nobody held the name"
        drill.end(row)


@pytest.mark.long
def test_a_second_publisher_is_refused_again_and_again(drill: Drill) -> None:
    row = drill.row("second camera of the same name, while the first has hiccups", "0 frames of slate")
    camera = drill.begin_with_camera(hooks=True)
    fault = time.monotonic()
    with Persistent(drill) as second:
        while second.tries <= REFUSALS:
            camera.freeze()
            drill.observe(0.45)
            camera.go_on()
            drill.observe(2.5)
    eventually(lambda: drill.snapshot()["on_air"] == "camera")
    fill(row, drill, fault)
    slates = drill.sight().slate_frames(fault)
    row.notes.append(f"{second.tries} tries, {slates} frames of slate")
    row.hold("frames of slate", slates, 0, "frames")
    assert drill.snapshot()["attempts"]["slate"] <= 1
    drill.end(row)
