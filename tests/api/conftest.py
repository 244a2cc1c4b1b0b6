"""The service as a process, with FFmpegs that do nothing: these tests are about the API."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from deploy.rtmp_server import free_port, listens
from relay.process import dies_with_its_parent
from tests.rtmp_peer import RtmpPeer
from tests.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]
# It starts faster than the fake FFmpeg, because there may be a hundred. It answers questions, reads input, and waits.
IDLE_FFMPEG = r"""#!/bin/sh
case " $* " in
*" -version "*) echo "ffmpeg version 0.0-idle" ;;
*" -encoders "* | *" -filters "*) printf ' . %s .\n' libx264 aac overlay scale fps pad setparams ;;
*" -h long "*) ;;
*" -f hash "*) echo MD5=0 ;;
*testsrc*) echo encoded ;;
*" -f flv "*) exec cat >/dev/null ;;
*) exec sleep 1000 ;;
esac
"""


class LiveService:
    """`python app.py`, its API, and the memory and other things that it uses."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, token: str, folder: Path) -> None:
        self.process = process
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.temp = folder / "tmp"
        self._logs = folder / "logs"

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        answer = requests.request(method, self.url + path, json=body, headers=self.headers, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def start(self, name: str) -> None:
        self.call(
            "POST", "/start_stream", {"youtube_url": f"rtmp://127.0.0.1/live2/key-of-{name}", "stream_name": name}
        )

    def log(self) -> str:
        return (self._logs / "application.log").read_text()

    def rss_bytes(self) -> int:
        rss: int = psutil.Process(self.process.pid).memory_info().rss
        return rss

    def counts(self) -> dict[str, int]:
        """Exact counts of everything that must not grow."""
        process = psutil.Process(self.process.pid)
        return {
            "threads": process.num_threads(),
            "descriptors": process.num_fds(),
            "children": len(process.children(recursive=True)),
            "temporary files": len(list(self.temp.rglob("*"))),
            "streams": len(self.call("GET", "/list_streams")),
        }


MakeLive = Callable[..., LiveService]


@pytest.fixture
def rtmp_port() -> Iterator[int]:
    """The port of something like an RTMP server."""
    with RtmpPeer() as peer:
        yield peer.port


@pytest.fixture
def live(tmp_path: Path, rtmp_port: int) -> Iterator[MakeLive]:
    """A function that starts the service. Its keywords are settings in lower case."""
    path = tmp_path / "ffmpeg"
    path.write_text(IDLE_FFMPEG)
    path.chmod(0o755)
    (tmp_path / "tmp").mkdir()
    with contextlib.ExitStack() as stack:

        def make(api_token: str = "", **settings: str) -> LiveService:
            port = free_port()
            values = {
                "host": "127.0.0.1",
                "port": str(port),
                "api_token": api_token,
                "require_camera_key": "false",
                "rtmp_server": f"rtmp://127.0.0.1:{rtmp_port}/live",
                "overlay_api_base": "",
                "overlay_image_base": "",
                "output_profile": "480p30",
                "log_dir": str(tmp_path / "logs"),
                "ffmpeg_bin": str(path),
                "allowed_ingest_hosts": "127.0.0.1",
                "max_concurrent_streams": "200",
            } | settings
            env = os.environ | {name.upper(): value for name, value in values.items()}
            stderr = stack.enter_context((tmp_path / "stderr").open("ab"))
            process = subprocess.Popen(
                dies_with_its_parent([sys.executable, str(ROOT / "app.py")]),
                cwd=tmp_path,
                env=env | {"TMPDIR": str(tmp_path / "tmp")},
                stdin=subprocess.DEVNULL,
                stderr=stderr,
            )
            stack.callback(end, process)
            eventually(lambda: listens("127.0.0.1", port), 30, "the service listens")
            return LiveService(process, port, api_token, tmp_path)

        yield make


def end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(15)
    finally:
        process.kill()
        process.wait()
