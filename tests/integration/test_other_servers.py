"""On air, slate and return with other servers than nginx: see the table in docs/operations.md."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.certificates import Authority
from tests.integration.conftest import Camera, probe, record
from tests.other_servers import TlsFront, has_node_media_server, node_media_server
from tests.service import FFMPEG, MakeService, Rtmp, Service, running
from tests.waiting import eventually

CameraAt = Callable[[str], contextlib.AbstractContextManager[Any]]


def comes_goes_and_returns(one: Service, camera: CameraAt, viewed: str, folder: Path) -> None:
    """The stream m1 runs already. The viewer's URL is `viewed`."""
    for turn in range(2):
        eventually(lambda: one.status("m1")["on_air"] == "slate", 30, "the slate is on air")
        with camera("m1"):
            eventually(lambda: one.status("m1")["on_air"] == "camera", 30, f"the camera is on air, turn {turn}")
            assert one.status("m1")["sound"] == "camera"
            streams = probe(record(viewed, folder / f"viewed-{turn}.flv", 1), "-show_streams")["streams"]
            assert {stream["codec_type"] for stream in streams} == {"video", "audio"}
    assert one.status("m1")["attempts"]["publisher"] == 1


@pytest.mark.skipif(not has_node_media_server(), reason="npm could not install node-media-server")
def test_cameras_at_node_media_server(service: MakeService, recordings: Callable[[str], Path], tmp_path: Path) -> None:
    def camera(name: str) -> contextlib.AbstractContextManager[Any]:
        source = ["-re", "-stream_loop", "-1", "-i", str(recordings("720p")), "-c", "copy", "-f", "flv"]
        return running([FFMPEG, "-loglevel", "error", *source, f"{ingest}/{name}"])

    with node_media_server(tmp_path) as port:
        ingest = f"rtmp://127.0.0.1:{port}/live"
        one = service(rtmp_server=ingest)
        viewed = one.start("m1")
        comes_goes_and_returns(one, camera, viewed, tmp_path)


def test_a_destination_behind_tls(service: MakeService, camera: Camera, rtmp: Rtmp, tmp_path: Path) -> None:
    context = Authority(tmp_path / "authority").server("IP:127.0.0.1")
    with TlsFront(context, rtmp.server.port) as front:
        one = service()
        destination = f"rtmps://127.0.0.1:{front.port}/youtube/key-by-tls"
        answer = one.post("/start_stream", {"youtube_url": destination, "stream_name": "m1"})
        assert answer.status_code == 200
        comes_goes_and_returns(one, camera, rtmp.url("youtube", "key-by-tls"), tmp_path)
        assert one.status("m1")["destination"]["url"] == f"rtmps://127.0.0.1:{front.port}/youtube/****"
