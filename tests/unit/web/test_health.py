from __future__ import annotations

import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from config import Settings
from deploy.rtmp_server import free_port
from errors import ConfigurationError
from media.encoders import Encoder
from media.profiles import OutputProfile
from relay.registry import StreamRegistry
from tests.conftest import SettingsFactory
from tests.rtmp_peer import RtmpPeer
from tests.waiting import FakeClock, eventually
from web.health import REMEMBERED_S, Health


class Doctor:
    """A Health with a clock that the test moves."""

    def __init__(self, settings: Settings) -> None:
        self.clock = FakeClock()
        self.registry = StreamRegistry(settings)
        self.health = Health(settings, self.registry, self.clock)

    def check(self, name: str) -> tuple[bool, str]:
        check = self.health.readiness().checks[name]
        return check.ok, check.detail


MakeDoctor = Callable[..., Doctor]


@pytest.fixture
def ffmpegs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that were looked for; each is found."""
    asked: list[str] = []

    def find(path: str) -> str:
        asked.append(path)
        return path

    monkeypatch.setattr("relay.installed.find_ffmpeg", find)
    monkeypatch.setattr("relay.installed.try_encoder", lambda _path, _encoder, _profile: None)
    monkeypatch.setattr("relay.installed.version", lambda _path: "5.1.9")
    return asked


@pytest.fixture
def rtmp() -> Iterator[RtmpPeer]:
    with RtmpPeer() as peer:
        yield peer


@pytest.fixture
def doctor(ffmpegs: list[str], settings_with: SettingsFactory, rtmp: RtmpPeer, tmp_path: Path) -> Iterator[MakeDoctor]:
    made: list[Doctor] = []

    def make(**overrides: Any) -> Doctor:
        (tmp_path / "logs").mkdir(exist_ok=True)
        base = {"rtmp_server": f"rtmp://127.0.0.1:{rtmp.port}/live", "ffmpeg_bin": "/bin/sh"}
        made.append(Doctor(settings_with(**base | overrides)))
        return made[-1]

    yield make
    for one in made:
        one.registry.close()


def test_with_everything_in_place_it_is_ready_and_says_why(doctor: MakeDoctor, rtmp: RtmpPeer) -> None:
    readiness = doctor().health.readiness()
    assert readiness.ready
    assert {name: check.detail for name, check in readiness.checks.items()} == {
        "ffmpeg": "/bin/sh, version 5.1.9, has the necessary filters and libx264",
        "rtmp_server": f"127.0.0.1:{rtmp.port} answers",
        "temp_folder": f"{tempfile.gettempdir()} can be written",
        "log_folder": f"{Path.cwd() / 'logs'} can be written",
        "capacity": "0 of 8 streams run",
    }


def test_what_an_ffmpeg_lacks_is_named(doctor: MakeDoctor, monkeypatch: pytest.MonkeyPatch) -> None:
    def lacks(path: str) -> str:
        raise ConfigurationError(f"FFMPEG_BIN: {path} lacks libx264")

    monkeypatch.setattr("relay.installed.find_ffmpeg", lacks)
    one = doctor()
    assert not one.health.readiness().ready
    assert one.check("ffmpeg") == (False, "FFMPEG_BIN: /bin/sh lacks libx264")


def test_the_reason_why_an_encoder_does_not_work_is_named(doctor: MakeDoctor, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_path: str, encoder: Encoder, _profile: OutputProfile) -> None:
        raise ConfigurationError(f"VIDEO_ENCODER: {encoder.name} does not work here: no device")

    monkeypatch.setattr("relay.installed.try_encoder", fails)
    one = doctor(video_encoder="h264_vaapi")
    assert one.check("ffmpeg") == (False, "VIDEO_ENCODER: h264_vaapi does not work here: no device")


def test_a_good_ffmpeg_is_tried_once_and_missed_when_it_is_gone(
    doctor: MakeDoctor, ffmpegs: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "ffmpeg"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    one = doctor(ffmpeg_bin=str(path))
    for _ in range(3):
        assert one.check("ffmpeg")[0]
        one.clock.advance(REMEMBERED_S)
    assert ffmpegs == [str(path)]
    path.unlink()
    assert one.check("ffmpeg") == (False, f"{path} is missing, or is no longer executable")


def test_an_rtmp_server_that_does_not_listen_is_named_until_it_does(doctor: MakeDoctor) -> None:
    port = free_port()
    one = doctor(rtmp_server=f"rtmp://127.0.0.1:{port}/live")
    refused = (False, f"127.0.0.1:{port} cannot be reached: Connection refused")
    assert one.check("rtmp_server") == refused
    with RtmpPeer(port):
        assert one.check("rtmp_server") == refused, "it is not tried again so soon"
        one.clock.advance(REMEMBERED_S)
        assert one.check("rtmp_server")[0]


def test_an_rtmp_server_that_takes_the_connection_and_no_more_is_not_ready(
    doctor: MakeDoctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.health.LOOK_LIMIT_S", 0.05)
    with RtmpPeer(is_silent=True) as silent, RtmpPeer(answer=b"") as short, RtmpPeer(answer=b"HTTP/1.1 400") as other:
        for peer, why in (
            (silent, "timed out"),
            (short, "it answers something else"),
            (other, "it answers something else"),
        ):
            one = doctor(rtmp_server=f"rtmp://127.0.0.1:{peer.port}/live")
            assert one.check("rtmp_server") == (
                False,
                f"127.0.0.1:{peer.port} takes the connection, but does not answer as an RTMP server does: {why}",
            )
            assert not one.health.readiness().ready


def test_many_calls_at_once_make_one_connection_to_the_rtmp_server(doctor: MakeDoctor, rtmp: RtmpPeer) -> None:
    one = doctor()
    threads = [threading.Thread(target=one.health.readiness) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert rtmp.connections == 1


def test_while_a_check_hangs_other_calls_get_its_last_result(
    doctor: MakeDoctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = doctor()
    assert one.check("rtmp_server")[0]
    one.clock.advance(REMEMBERED_S)
    hangs, go_on = threading.Event(), threading.Event()

    def hang(*_: object, **__: object) -> socket.socket:
        hangs.set()
        assert go_on.wait(10)
        raise TimeoutError("timed out")

    monkeypatch.setattr("web.health.socket.create_connection", hang)
    monkeypatch.setattr("web.health.LOOK_LIMIT_S", 0.01)
    thread = threading.Thread(target=one.health.readiness)
    thread.start()
    try:
        eventually(hangs.is_set)
        assert one.check("rtmp_server")[0]
    finally:
        go_on.set()
        thread.join()
    assert one.check("rtmp_server")[1].endswith("cannot be reached: timed out")


@pytest.mark.parametrize(("url", "address"), [("rtmp://h/live", ("h", 1935)), ("rtmps://[::1]/live", ("::1", 443))])
def test_without_a_port_the_default_of_rtmp_counts(
    doctor: MakeDoctor, monkeypatch: pytest.MonkeyPatch, url: str, address: tuple[str, int]
) -> None:
    asked = []

    def refuse(to: tuple[str, int], timeout: float) -> socket.socket:
        asked.append((to, timeout))
        raise ConnectionRefusedError

    monkeypatch.setattr("web.health.socket.create_connection", refuse)
    assert not doctor(rtmp_server=url).check("rtmp_server")[0]
    assert asked == [(address, 1.0)]


def test_a_folder_that_cannot_be_written_is_named(
    doctor: MakeDoctor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = doctor(log_dir=tmp_path / "nowhere")
    monkeypatch.setattr("tempfile.tempdir", "/dev/null")
    assert one.check("log_folder") == (False, f"{tmp_path / 'nowhere'} cannot be written: No such file or directory")
    assert one.check("temp_folder") == (False, "/dev/null cannot be written: Not a directory")


def test_nothing_is_left_in_the_folders(doctor: MakeDoctor, tmp_path: Path) -> None:
    doctor().health.readiness()
    assert list((tmp_path / "logs").iterdir()) == []


def test_a_full_or_stopping_service_is_not_ready(doctor: MakeDoctor, monkeypatch: pytest.MonkeyPatch) -> None:
    one = doctor(max_concurrent_streams=2)
    one.registry._streams = {"a": None, "b": None}  # type: ignore[dict-item]
    assert one.check("capacity") == (False, "2 of 2 streams run")
    one.registry._streams = {}
    one.registry.close()
    assert one.check("capacity") == (False, "the service is stopping")
