"""Cameras that the service pulls: by RTSP from a server, and by SRT from FFmpeg."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deploy.rtmp_server import free_port
from tests.rtsp_peer import RtspPeer
from tests.service import FFMPEG, MakeService, Service, running
from tests.waiting import eventually

LOGIN = "club:canary-pass"
SETTINGS = {"allowed_camera_hosts": "127.0.0.1", "log_level": "DEBUG"}


def camera(recording: Path, url: str, *options: str) -> Any:
    source = ["-re", "-stream_loop", "-1", "-i", str(recording), "-c", "copy"]
    return running([FFMPEG, "-loglevel", "error", *source, *options, url])


def await_on_air(one: Service, what: str, limit_s: float = 20) -> float:
    began = time.monotonic()
    eventually(lambda: one.status("m1")["on_air"] == what, limit_s, f"on air: {what}")
    return time.monotonic() - began


def test_an_rtsp_camera_comes_goes_and_comes_back(
    service: MakeService, recordings: Callable[[str], Path], tmp_path: Path
) -> None:
    one = service(**SETTINGS)
    with RtspPeer(LOGIN) as server:
        port = server.port
        publishes = ("-f", "rtsp", "-rtsp_transport", "tcp")
        with camera(recordings("720p"), f"rtsp://127.0.0.1:{port}/pavilion", *publishes):
            eventually(lambda: server.has_stream)
            one.start("m1", camera_url=f"rtsp://{LOGIN}@127.0.0.1:{port}/pavilion")
            await_on_air(one, "camera")
            assert one.status("m1")["sound"] == "camera"
    await_on_air(one, "slate")
    eventually(lambda: "the camera at camera_url cannot be reached" in (one.status("m1")["reason"] or ""), 20)
    with (
        RtspPeer(LOGIN, port) as server,
        camera(recordings("720p"), f"rtsp://127.0.0.1:{port}/pavilion", *publishes),
    ):
        await_on_air(one, "camera")
        one.stop("m1")
        assert server.asked[-1] == "TEARDOWN"
    assert "canary" not in one.log()
    assert "canary" not in (tmp_path / "logs" / "ffmpeg.log").read_text()


@pytest.mark.parametrize(
    ("login", "has_stream", "reason"),
    [
        ("club:wrong", True, "the camera refuses the user or the password of camera_url"),
        (LOGIN, False, "the camera has nothing at the path of camera_url"),
    ],
    ids=["wrong password", "wrong path"],
)
def test_a_camera_that_refuses_is_named(
    service: MakeService, recordings: Callable[[str], Path], login: str, has_stream: bool, reason: str
) -> None:
    one = service(**SETTINGS)
    with RtspPeer(LOGIN) as server:
        if has_stream:
            server.offer(b"v=0\r\n")
        one.start("m1", camera_url=f"rtsp://{login}@127.0.0.1:{server.port}/pavilion")
        eventually(lambda: one.status("m1")["reason"] == reason, 20, reason)
        await_on_air(one, "slate")


@pytest.mark.parametrize("mode", ["listener", "caller"])
def test_an_srt_camera_is_on_air(service: MakeService, recordings: Callable[[str], Path], mode: str) -> None:
    """`mode` is the service's side."""
    one, port = service(**SETTINGS), free_port()
    other = "caller" if mode == "listener" else "listener"
    secret = "passphrase=canary-pass-phrase"
    mine, its = (f"srt://127.0.0.1:{port}?mode={side}&{secret}" for side in (mode, other))
    one.start("m1", camera_url=mine)
    await_on_air(one, "slate")
    with camera(recordings("720p"), its, "-f", "mpegts"):
        await_on_air(one, "camera", 30)
    assert "canary" not in one.log()


def test_a_host_that_is_not_admitted_is_refused(service: MakeService) -> None:
    for settings, words in ((SETTINGS, "does not admit"), ({}, "is switched off")):
        body = {"youtube_url": "rtmp://127.0.0.1/x/y", "stream_name": "m1", "camera_url": "rtsp://192.0.2.1/pavilion"}
        answer = service(**settings).post("/start_stream", body)
        assert answer.status_code == 400
        assert words in answer.json()["error"]
