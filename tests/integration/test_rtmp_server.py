"""Who reaches the RTMP server: idle connections keep no camera out, and strangers do not see the pictures."""

from __future__ import annotations

import contextlib
import select
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from deploy.rtmp_server import MAX_CONNECTIONS_PER_ADDRESS, RtmpServer, free_port
from media import rtmp_handshake
from tests.drills.cameras import FFmpegCamera
from tests.drills.rtmp import VIDEO, RtmpConnection
from tests.service import FFMPEG, MakeService, running
from tests.waiting import eventually

IDLE = 530
STRANGER = "127.0.0.2"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RtmpServer]:
    one = RtmpServer(tmp_path, "0.0.0.0", free_port(), ["live"])
    yield one
    one.close()


def publishes(port: int, recording: Path) -> bool:
    url = f"rtmp://127.0.0.1:{port}/live/m1"
    argv = [FFMPEG, "-loglevel", "error", "-i", str(recording), "-t", "1", "-c", "copy", "-f", "flv", url]
    return subprocess.run(argv, capture_output=True, timeout=30, check=False).returncode == 0


def is_answered(port: int, source: str) -> bool:
    with socket.create_connection(("127.0.0.1", port), 10, (source, 0)) as connection:
        try:
            rtmp_handshake.complete(connection, 10)
        except OSError:
            return False
    return True


def still_open(connections: list[socket.socket]) -> int:
    """How many of them the server has not closed."""
    poller = select.poll()
    for connection in connections:
        poller.register(connection, select.POLLIN)
    return len(connections) - len(poller.poll(0))


def test_idle_connections_of_one_address_keep_no_camera_out(
    server: RtmpServer, recordings: Callable[[str], Path]
) -> None:
    with contextlib.ExitStack() as stack:
        idle = [
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port), 10, (STRANGER, 0)))
            for _ in range(IDLE)
        ]
        assert publishes(server.port, recordings("720p"))
        eventually(lambda: still_open(idle) == MAX_CONNECTIONS_PER_ADDRESS)
        assert not is_answered(server.port, STRANGER)
    eventually(lambda: is_answered(server.port, STRANGER), what="the address is let in again")


@pytest.mark.parametrize("players", [(), ("127.0.0.2", "10.0.0.0/8")], ids=["this machine only", "one more"])
def test_only_this_machine_and_those_named_may_play_a_camera(
    tmp_path: Path, recordings: Callable[[str], Path], players: tuple[str, ...]
) -> None:
    def sees_picture(source: str) -> bool:
        player = RtmpConnection("127.0.0.1", one.port, "live", "m1", 3.0, source)
        try:
            return any(message.kind == VIDEO for message in player.play())
        except (OSError, EOFError):
            return False
        finally:
            player.close()

    one = RtmpServer(tmp_path, "0.0.0.0", free_port(), ["live"], players=players)
    try:
        with FFmpegCamera(FFMPEG, recordings("720p"), f"rtmp://127.0.0.1:{one.port}/live/m1"):
            eventually(lambda: sees_picture("127.0.0.1"))
            assert sees_picture(STRANGER) == (STRANGER in players)
            assert not sees_picture("127.0.0.3")
    finally:
        one.close()


@pytest.mark.skipif(not Path("/proc/net/if_inet6").exists(), reason="this machine has no IPv6")
def test_everything_works_by_ipv6(service: MakeService, recordings: Callable[[str], Path], tmp_path: Path) -> None:
    folder, port = tmp_path / "ingest", free_port()
    folder.mkdir()
    server = RtmpServer(folder, "::", free_port(), ["live"], hooks=f"[::1]:{port}")
    source = ["-re", "-stream_loop", "-1", "-i", str(recordings("720p")), "-c", "copy", "-f", "flv"]
    ingest = f"rtmp://[::1]:{server.port}/live"
    try:
        one = service(host="::", port=str(port), rtmp_server=ingest)
        by_ipv6 = requests.get(f"http://[::1]:{port}/readyz", timeout=10).json()
        assert by_ipv6["checks"]["rtmp_server"]["ok"], by_ipv6
        one.start("m1", camera_key="rope-side-7")
        with running([FFMPEG, "-loglevel", "error", *source, f"{ingest}/m1?key=rope-side-7"]):
            eventually(lambda: one.status("m1")["on_air"] == "camera", 20)
        told = requests.get(f"http://[::1]:{port}/streams/m1/camera", timeout=10).json()
        assert told["stream_key"] == "m1?key=rope-side-7"
    finally:
        server.close()
