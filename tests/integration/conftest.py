"""The real thing on loopback: nginx-rtmp, the service as a process, cameras, and what arrives."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from demo.match_feed import MatchFeed
from deploy.rtmp_server import RtmpServer, free_port, listens
from ffmpeg import dies_with_its_parent
from tests.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]
FFMPEG = shutil.which("ffmpeg") or "ffmpeg"
PROFILE = "480p30"
CAMERAS = {
    "720p": "testsrc2=s=1280x720:r=30",
    "4:3 at 25": "testsrc2=s=640x480:r=25",
    "1080p": "testsrc2=s=1920x1080:r=30",
    "portrait": "testsrc2=s=720x1280:r=30",
    "full range": "testsrc2=s=1280x720:r=30,format=yuvj420p",
}
SILENT = "without sound"


@dataclass(frozen=True)
class Rtmp:
    server: RtmpServer

    def url(self, application: str, name: str) -> str:
        return f"rtmp://127.0.0.1:{self.server.port}/{application}/{name}"


@pytest.fixture(scope="session")
def rtmp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rtmp]:
    server = RtmpServer(tmp_path_factory.mktemp("nginx"), "127.0.0.1", free_port(), ["live", "youtube"])
    yield Rtmp(server)
    server.close()


@pytest.fixture(scope="session")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A few seconds of each camera, encoded once: publishing a copy costs next to nothing."""
    folder = tmp_path_factory.mktemp("cameras")

    def make(kind: str) -> Path:
        path = folder / f"{kind.replace(' ', '-').replace(':', 'x')}.flv"
        if not path.exists():
            sound = [] if kind == SILENT else ["-f", "lavfi", "-i", "sine=f=440:r=44100"]
            picture = CAMERAS["720p" if kind == SILENT else kind]
            subprocess.run(
                [
                    *(FFMPEG, "-y", "-loglevel", "error", "-f", "lavfi", "-i", picture, *sound, "-t", "4"),
                    *("-c:v", "libx264", "-preset", "ultrafast", "-g", "30", "-b:v", "2500k"),
                    *([] if "full" in kind else ["-pix_fmt", "yuv420p"]),
                    *("-c:a", "aac", "-ac", "1", "-f", "flv", str(path)),
                ],
                check=True,
                timeout=60,
            )
        return path

    return make


@contextlib.contextmanager
def running(argv: list[str], **kwargs: Any) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(dies_with_its_parent(argv), stdin=subprocess.DEVNULL, **kwargs)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


Camera = Callable[..., contextlib.AbstractContextManager[Any]]


def publishing(rtmp: Rtmp, recording: Path, name: str) -> contextlib.AbstractContextManager[Any]:
    """A camera that sends this over and over as `name`, for the length of the block."""
    source = ["-re", "-stream_loop", "-1", "-i", str(recording)]
    return running([FFMPEG, "-loglevel", "error", *source, "-c", "copy", "-f", "flv", rtmp.url("live", name)])


@pytest.fixture
def camera(rtmp: Rtmp, recordings: Callable[[str], Path]) -> Camera:
    """Publish a camera of this kind as `name` for the length of the block."""
    return lambda name, kind="720p": publishing(rtmp, recordings(kind), name)


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

    def start(self, name: str, key: str | None = None) -> str:
        """Start a stream and give the URL where it arrives."""
        destination = self._rtmp.url("youtube", key or f"key-of-{name}")
        answer = self.post("/start_stream", {"youtube_url": destination, "stream_name": name})
        assert answer.status_code == 200, answer.text
        return destination

    def stop(self, name: str) -> None:
        answer = self.post("/stop_stream", {"stream_name": name})
        assert answer.status_code == 200, answer.text

    def post(self, path: str, body: dict[str, Any]) -> requests.Response:
        return requests.post(self.url + path, json=body, headers=self.headers, timeout=30)

    def call(self, method: str, path: str, body: dict[str, Any]) -> None:
        answer = requests.request(method, self.url + path, json=body, headers=self.headers, timeout=30)
        assert answer.status_code == 200, answer.text

    def listed(self) -> dict[str, Any]:
        answer: dict[str, Any] = requests.get(f"{self.url}/list_streams", headers=self.headers, timeout=10).json()
        return answer

    def children(self, word: str = "ffmpeg") -> dict[int, str]:
        """Command lines of the service's child processes that hold `word`."""
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


MakeService = Callable[..., Service]


@contextlib.contextmanager
def services(rtmp: Rtmp, feed_url: str, folder: Path) -> Iterator[MakeService]:
    """Start services that keep their files in `folder`; keywords are settings in lower case."""
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


@pytest.fixture
def service(rtmp: Rtmp, feed: MatchFeed, tmp_path: Path) -> Iterator[MakeService]:
    with services(rtmp, feed.url, tmp_path) as make:
        yield make


def record(url: str, path: Path, seconds: float) -> Path:
    """Keep what arrives at `url`, from the first keyframe that comes."""
    argv = [FFMPEG, "-y", "-loglevel", "error", "-i", url, "-c", "copy", "-t", str(seconds), "-f", "flv", str(path)]
    subprocess.run(argv, stdin=subprocess.DEVNULL, check=True, timeout=60)
    return path


def probe(path: Path, *what: str) -> dict[str, Any]:
    argv = ["ffprobe", "-loglevel", "error", "-of", "json", *what, str(path)]
    answer: dict[str, Any] = json.loads(subprocess.run(argv, capture_output=True, check=True, timeout=60).stdout)
    return answer


def decoded_frame(path: Path, at_s: float, to: Path) -> Path:
    argv = [FFMPEG, "-y", "-loglevel", "error", "-ss", str(at_s), "-i", str(path), "-frames:v", "1", str(to)]
    subprocess.run(argv, check=True, timeout=60)
    return to


def mean_volume_db(path: Path) -> float:
    argv = [FFMPEG, "-nostats", "-i", str(path), "-vn", "-af", "volumedetect", "-f", "null", "-"]
    said = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60).stderr
    return float(said.partition("mean_volume:")[2].split()[0])
