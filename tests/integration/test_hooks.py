"""nginx-rtmp accepts a camera or turns it away, as the service's hook says."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import deploy.rtmp_server
from deploy.rtmp_server import RtmpServer, free_port
from tests.service import FFMPEG, MakeService
from tests.waiting import eventually

SECRET = "canary-hook-0123456789"
SHIPPED_CONFIG = deploy.rtmp_server.rtmp_config


def plain(*args: object, **kwargs: object) -> str:
    """The shipped configuration with a longer time limit, because nginx accepts cameras if the service answers late."""
    return SHIPPED_CONFIG(*args, **kwargs).replace("proxy_read_timeout 3s", "proxy_read_timeout 10s")  # type: ignore[arg-type]


def away(secret: str) -> Callable[..., str]:
    """A configuration whose hooks seem to come from another machine, with this secret in their path."""

    def config(*args: object, **kwargs: object) -> str:
        hooked = (
            plain(*args, **kwargs)
            .replace("/hooks/", f"/hooks/{secret}/")
            .replace(f"location /hooks/{secret}/", "location /hooks/")
        )
        return hooked.replace("proxy_pass http", "proxy_set_header X-Forwarded-For 192.0.2.1; proxy_pass http")

    return config


@pytest.mark.parametrize(
    ("config", "is_accepted"),
    [(plain, True), (away(SECRET), True), (away(SECRET + "x"), False)],
    ids=["from here", "by the secret", "wrong secret"],
)
def test_only_cameras_of_a_stream_are_accepted(
    service: MakeService,
    recordings: Callable[[str], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    config: Callable[..., str],
    is_accepted: bool,
) -> None:
    monkeypatch.setattr("deploy.rtmp_server.rtmp_config", config)
    port, folder = free_port(), tmp_path / "ingest"
    folder.mkdir()
    server = RtmpServer(folder, "127.0.0.1", free_port(), ["live"], hooks=f"127.0.0.1:{port}")
    ingest = f"rtmp://127.0.0.1:{server.port}/live"

    def is_let_in(name: str) -> bool:
        source = ["-i", str(recordings("720p")), "-t", "1", "-c", "copy", "-f", "flv", f"{ingest}/{name}"]
        ended = subprocess.run([FFMPEG, "-loglevel", "error", *source], capture_output=True, timeout=30, check=False)
        return ended.returncode == 0

    try:
        one = service(
            port=str(port), rtmp_server=ingest, publish_announced_only="true", hook_secret=SECRET, log_level="DEBUG"
        )
        assert not is_let_in("m1")
        one.start("m1")
        assert is_let_in("m1") == is_accepted
        assert not is_let_in("m2")
        assert not is_let_in("m2?name=m1")
        one.stop("m1")
        assert not is_let_in("m1")
        if is_accepted:
            assert "No stream has the name m2" in one.log()
        assert "canary" not in one.log()
        one.process.terminate()
        one.process.wait(20)
        eventually(lambda: is_let_in("m2"), what="cameras are accepted while the service is down")
    finally:
        server.close()


def test_only_a_camera_with_the_key_stays_at_nginx(
    service: MakeService, recordings: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "deploy.rtmp_server.rtmp_config",
        lambda *args, **kwargs: plain(*args, **kwargs).replace("update_timeout 10s", "update_timeout 1s"),
    )
    port, folder, key = free_port(), tmp_path / "ingest", "canary-camera-7"
    folder.mkdir()
    server = RtmpServer(folder, "127.0.0.1", free_port(), ["live"], hooks=f"127.0.0.1:{port}")

    def camera(name: str, seconds: int) -> subprocess.Popen[bytes]:
        source = ["-re", "-stream_loop", "-1", "-i", str(recordings("720p")), "-t", str(seconds), "-c", "copy"]
        url = f"rtmp://127.0.0.1:{server.port}/live/{name}"
        return subprocess.Popen([FFMPEG, "-loglevel", "error", *source, "-f", "flv", url], stderr=subprocess.DEVNULL)

    early = camera("m1", 60)
    late = []
    try:
        one = service(port=str(port), rtmp_server=f"rtmp://127.0.0.1:{server.port}/live", log_level="DEBUG")
        assert early.poll() is None
        one.start("m1", camera_key=key)
        assert early.wait(20) != 0, "it was there before the stream, and has no key"
        late = [camera(f"m1{query}", 60) for query in ("", "?key=guess-guess", f"?key={key}")]
        assert late[0].wait(20) != 0
        assert late[1].wait(20) != 0
        eventually(lambda: one.status("m1")["on_air"] == "camera", 20)
        assert late[2].poll() is None
        assert "the name m1: the camera's key is wrong" in one.log()
        assert "canary" not in one.log()
    finally:
        for each in (early, *late):
            each.kill()
            each.wait()
        server.close()
