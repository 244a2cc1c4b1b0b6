"""The service as a process on loopback, and its API, for tests and benches."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from deploy.rtmp_server import RtmpServer, free_port, listens
from relay.process import dies_with_its_parent
from tests.waiting import eventually

ROOT = Path(__file__).resolve().parents[1]
FFMPEG = shutil.which("ffmpeg") or "ffmpeg"
PROFILE = "480p30"


@dataclass(frozen=True)
class Rtmp:
    server: RtmpServer

    def url(self, application: str, name: str) -> str:
        return f"rtmp://127.0.0.1:{self.server.port}/{application}/{name}"


@contextlib.contextmanager
def running(argv: list[str], **kwargs: Any) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(dies_with_its_parent(argv), stdin=subprocess.DEVNULL, **kwargs)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


CALL_LIMIT_S = 75  # a start on a cluster may take 60


class Service:
    """`python app.py` and its API."""

    def __init__(
        self, process: subprocess.Popen[bytes], url: str, rtmp: Rtmp, temp: Path, logs: Path, token: str = ""
    ) -> None:
        self.process = process
        self.url = url
        self.temp = temp
        self.logs = logs
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._rtmp = rtmp

    def start(self, name: str, key: str | None = None, **more: str) -> str:
        """Start a stream, with more fields of the start call. Returns the URL where it arrives."""
        destination = self._rtmp.url("youtube", key or f"key-of-{name}")
        answer = self.post("/start_stream", {"youtube_url": destination, "stream_name": name} | more)
        assert answer.status_code == 200, answer.text
        return destination

    def stop(self, name: str) -> None:
        answer = self.post("/stop_stream", {"stream_name": name})
        assert answer.status_code == 200, answer.text

    def post(self, path: str, body: dict[str, Any]) -> requests.Response:
        return requests.post(self.url + path, json=body, headers=self.headers, timeout=CALL_LIMIT_S)

    def call(self, method: str, path: str, body: dict[str, Any]) -> None:
        answer = requests.request(method, self.url + path, json=body, headers=self.headers, timeout=30)
        assert answer.status_code == 200, answer.text

    def get(self, path: str) -> dict[str, Any]:
        answer: dict[str, Any] = requests.get(self.url + path, headers=self.headers, timeout=30).json()
        return answer

    def status(self, name: str) -> dict[str, Any]:
        return self.get(f"/streams/{name}")

    def listed(self) -> dict[str, Any]:
        return self.get("/list_streams")

    def children(self, word: str = "ffmpeg") -> dict[int, str]:
        """The child processes whose command line contains `word`: their ids and command lines."""
        found = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError, IndexError):
                parent = int(stat.read_text().rpartition(")")[2].split()[1])
                command = (stat.parent / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                if parent == self.process.pid and word in command:
                    found[int(stat.parent.name)] = command
        return found

    def log(self) -> str:
        path = self.logs / "application.log"
        return path.read_text() if path.exists() else ""


def started_with(temp: Path) -> dict[int, str]:
    """Ids and command lines of all processes, also orphans, whose environment names this folder."""
    mark = str(temp).encode()
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark in (folder / "environ").read_bytes():
                found[int(folder.name)] = (
                    (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                )
    return found


def run_demo(module: str, temp: Path, seconds: int, limit_s: float) -> subprocess.CompletedProcess[str]:
    """Run a demo as a user does, with one ball a second and its temporary files in `temp`."""
    settings = {"DEMO_SECONDS": str(seconds), "DEMO_BALL_S": "1", "TMPDIR": str(temp)}
    return subprocess.run(
        [sys.executable, "-m", module],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin:/usr/sbin", **settings},
        capture_output=True,
        text=True,
        timeout=limit_s,
        check=False,
    )


MakeService = Callable[..., Service]


@contextlib.contextmanager
def services(rtmp: Rtmp, feed_url: str, folder: Path) -> Iterator[MakeService]:
    """A function that starts services with their files in `folder`. Its keywords are settings in lower case."""
    with contextlib.ExitStack() as stack:

        def make(**settings: str) -> Service:
            port = int(settings.get("port", free_port()))
            temp, logs = folder / "tmp", Path(settings.get("log_dir", folder / "logs"))
            temp.mkdir(exist_ok=True)
            values = {
                "host": "127.0.0.1",
                "port": str(port),
                "rtmp_server": f"rtmp://127.0.0.1:{rtmp.server.port}/live",
                "overlay_api_base": feed_url,
                "overlay_image_base": feed_url,
                "output_profile": PROFILE,
                "x264_preset": "superfast",
                "poll_interval_s": "0.2",
                "max_concurrent_streams": "8",
                "log_dir": str(logs),
                "ffmpeg_bin": FFMPEG,
            } | settings
            env = os.environ | {name.upper(): value for name, value in values.items()} | {"TMPDIR": str(temp)}
            stderr = stack.enter_context((folder / "stderr").open("ab"))
            process = stack.enter_context(
                running([sys.executable, str(ROOT / "app.py")], cwd=folder, env=env, stderr=stderr)
            )
            eventually(lambda: listens("127.0.0.1", port), 30, "the service listens")
            return Service(process, f"http://127.0.0.1:{port}", rtmp, temp, logs, values.get("api_token", ""))

        yield make
