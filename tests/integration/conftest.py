"""Everything real, on loopback: nginx-rtmp, the service as a process, cameras, and the received stream."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from demo.match_feed import MatchFeed
from deploy.ray_nodes import RayNodes
from deploy.rtmp_server import RtmpServer, free_port
from tests.integration.browsing import browser
from tests.integration.cluster import JOINING, NODES, left_on
from tests.service import FFMPEG, MakeService, Rtmp, Service, running, services
from tests.waiting import eventually, runs

__all__ = ["browser"]

CAMERAS = {
    "720p": "testsrc2=s=1280x720:r=30",
    "4:3 at 25": "testsrc2=s=640x480:r=25",
    "1080p": "testsrc2=s=1920x1080:r=30",
    "portrait": "testsrc2=s=720x1280:r=30",
    "full range": "testsrc2=s=1280x720:r=30,format=yuvj420p",
}
SILENT = "without sound"


@pytest.fixture(scope="session")
def rtmp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rtmp]:
    server = RtmpServer(tmp_path_factory.mktemp("nginx"), "127.0.0.1", free_port(), ["live", "youtube"])
    yield Rtmp(server)
    server.close()


@pytest.fixture(scope="session")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A few seconds of each camera, encoded once, because publishing a copy takes hardly any CPU."""
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


Camera = Callable[..., contextlib.AbstractContextManager[Any]]


def publishing(rtmp: Rtmp, recording: Path, name: str) -> contextlib.AbstractContextManager[Any]:
    """A camera that sends this recording over and over as `name` during the block."""
    source = ["-re", "-stream_loop", "-1", "-i", str(recording)]
    return running([FFMPEG, "-loglevel", "error", *source, "-c", "copy", "-f", "flv", rtmp.url("live", name)])


@pytest.fixture
def camera(rtmp: Rtmp, recordings: Callable[[str], Path]) -> Camera:
    """Publish a camera of this kind as `name` during the block."""
    return lambda name, kind="720p": publishing(rtmp, recordings(kind), name)


@pytest.fixture
def service(rtmp: Rtmp, feed: MatchFeed, tmp_path: Path) -> Iterator[MakeService]:
    with services(rtmp, feed.url, tmp_path) as make:
        yield make


def record(url: str, path: Path, seconds: float) -> Path:
    """Record what arrives at `url`, from the first keyframe on."""
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


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RayNodes]:
    """A Ray cluster for all tests of a module. A test that kills a node adds it again. At the end nothing is left."""
    folder = tmp_path_factory.mktemp("cluster")
    temp = folder / "tmp"
    temp.mkdir()
    # So that a node on a busy machine is not taken for dead.
    patience = {"RAY_health_check_failure_threshold": "5"}
    cluster = RayNodes(folder, {"TMPDIR": str(temp), **JOINING, **patience})
    pids: list[int] = []
    try:
        cluster.add_head()
        for name in NODES:
            cluster.add(name, 1)
        yield cluster
        pids = [process.pid for node in cluster.nodes.values() for process in node.processes()]
    finally:
        cluster.close()
    eventually(lambda: not any(map(runs, pids)), 10, "no process of any node is left")
    assert not list(temp.glob("streaming-overlay-*"))


@pytest.fixture
def front_end(nodes: RayNodes, rtmp: Rtmp, feed: MatchFeed, tmp_path: Path) -> Iterator[MakeService]:
    """A function that starts front ends of the cluster. Streams that a test leaves behind are stopped."""
    for name, node in nodes.nodes.items():
        if node.process.poll() is not None:  # a failed test left it dead
            _ = nodes.add_head() if name == "head" else nodes.add(name, 1)
    with services(rtmp, feed.url, tmp_path) as make:
        made: list[Service] = []

        def start(**settings: str) -> Service:
            values = {"stream_backend": "ray", "ray_address": nodes.address, "max_concurrent_streams": "auto"}
            made.append(make(**values | JOINING | settings))
            return made[-1]

        yield start
        for one in made:
            if one.process.poll() is None:
                for name in one.listed():
                    one.post("/stop_stream", {"stream_name": name})
        eventually(lambda: not left_on(nodes), 20, f"nothing of a stream is left on a node: {left_on(nodes)}")
