"""Cameras that publish, and whose picture does not come: under a wrong name, at an old nginx, or rarely."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import requests

from deploy.rtmp_server import RtmpServer, free_port
from tests.drills.cameras import FFmpegCamera
from tests.service import FFMPEG, MakeService, Service
from tests.waiting import eventually


class Ground:
    """An nginx-rtmp with hooks, and the service that they call."""

    def __init__(self, server: RtmpServer, service: Service, recordings: Callable[[str], Path]) -> None:
        self.server = server
        self.service = service
        self._recordings = recordings

    def camera(self, name: str, application: str = "live", recording: Path | None = None) -> FFmpegCamera:
        url = f"rtmp://127.0.0.1:{self.server.port}/{application}/{name}"
        return FFmpegCamera(FFMPEG, recording or self._recordings("720p"), url)

    def unclaimed(self) -> list[str]:
        answer = requests.get(f"{self.service.url}/cameras", timeout=10).json()
        return [camera["text"] for camera in answer["unclaimed"]]

    def reason(self) -> str | None:
        reason: str | None = self.service.status("m1")["reason"]
        return reason


@pytest.fixture
def ground(service: MakeService, recordings: Callable[[str], Path], tmp_path: Path) -> Iterator[Ground]:
    port, folder = free_port(), tmp_path / "ingest"
    folder.mkdir()
    server = RtmpServer(folder, "127.0.0.1", free_port(), ["live"], hooks=f"127.0.0.1:{port}")
    one = service(port=str(port), rtmp_server=f"rtmp://127.0.0.1:{server.port}/live")
    yield Ground(server, one, recordings)
    server.close()


@pytest.mark.parametrize(
    ("name", "application", "text"),
    [
        ("m1x", "live", "a camera publishes as “m1x”, and no stream has that name. Is it the camera of m1?"),
        ("M1", "live", "a camera publishes as “M1”, and no stream has that name. Is it the camera of m1?"),
        ("m1", "liv", "a camera connects to the application “liv”: its server address must end in /live"),
    ],
)
def test_a_camera_at_a_wrong_place_is_named(ground: Ground, name: str, application: str, text: str) -> None:
    ground.service.start("m1")
    with ground.camera(name, application):
        eventually(lambda: ground.unclaimed() == [text], 20, text)
    assert text[1:] in requests.get(ground.service.url, timeout=10).text


@pytest.mark.parametrize(("name", "application"), [("m1?x=1", "live"), ("m1?name=m2", "live"), ("m1", "live/")])
def test_what_a_camera_adds_to_the_right_name_changes_nothing(ground: Ground, name: str, application: str) -> None:
    ground.service.start("m1")
    with ground.camera(name, application):
        eventually(lambda: ground.service.status("m1")["on_air"] == "camera", 20)
    assert ground.unclaimed() == []


def test_a_camera_that_is_still_at_the_nginx_before_a_reload_is_named(ground: Ground) -> None:
    with ground.camera("m1"):
        eventually(ground.unclaimed, 20, "it publishes")
        ground.server._process.send_signal(signal.SIGHUP)
        eventually(lambda: reloaded(ground.server), 20, "nginx has new workers")
        ground.service.start("m1")
        eventually(lambda: ground.reason() == "the camera publishes, but no picture comes", 40, "the reason")


def reloaded(server: RtmpServer) -> bool:
    """True as soon as a worker is shutting down beside a new one."""
    workers = psutil.Process(server._process.pid).children(recursive=True)
    return any("shutting down" in " ".join(worker.cmdline()) for worker in workers)


@pytest.mark.parametrize(("rate", "keyframes_every", "sound"), [(10, 20, False), (30, 240, True)])
def test_a_slow_camera_and_one_with_rare_keyframes_are_on_air(
    ground: Ground, tmp_path: Path, rate: int, keyframes_every: int, sound: bool
) -> None:
    recording = tmp_path / "slow.flv"
    picture = ["-f", "lavfi", "-i", f"testsrc2=s=640x360:r={rate}"]
    tone = ["-f", "lavfi", "-i", "sine=f=440:r=44100"] if sound else []
    encode = ["-t", "16", "-c:v", "libx264", "-preset", "ultrafast", "-sc_threshold", "0", "-g", str(keyframes_every)]
    argv = [
        FFMPEG,
        "-loglevel",
        "error",
        *picture,
        *tone,
        *encode,
        "-pix_fmt",
        "yuv420p",
        "-c:a",
        "aac",
        str(recording),
    ]
    subprocess.run(argv, check=True, timeout=60)
    with ground.camera("m1", recording=recording):
        eventually(ground.unclaimed, 20, "it publishes")
        ground.service.start("m1")
        if keyframes_every / rate > 5:
            words = "the camera sends sound, but no picture yet: set it to H.264, with a keyframe every 2 s"
            eventually(lambda: ground.reason() == words, 20, words)
        eventually(lambda: ground.service.status("m1")["on_air"] == "camera", 30)
