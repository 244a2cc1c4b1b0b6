from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.conftest import FakeFFmpeg
from tests.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]


def environment(tmp_path: Path, **settings: str) -> dict[str, str]:
    quiet = {"HOST": "127.0.0.1", "PORT": "0", "OVERLAY_API_BASE": "", "OVERLAY_IMAGE_BASE": ""}
    return os.environ | quiet | {"LOG_DIR": str(tmp_path / "logs"), "PYTHONPATH": str(ROOT)} | settings


def run(tmp_path: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "app.py")],
        env=environment(tmp_path, **settings),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def real_enough(fake: FakeFFmpeg) -> str:
    """A fake FFmpeg that also names the encoders and filters which the service asks for at its start."""
    names = "\\n".join(
        f" . {name} ." for name in ("libx264", "h264_nvenc", "aac", "overlay", "scale", "fps", "pad", "setparams")
    )
    fake.path.write_text(f"#!/bin/sh\nprintf '{names}\\n'\n")
    return str(fake.path)


def test_faulty_settings_stop_the_start_with_one_message(tmp_path: Path) -> None:
    ended = run(tmp_path, PORT="many", OUTPUT_PROFILE="8k", API_TOKEN="canary-token")
    assert ended.returncode == 1
    assert "PORT: " in ended.stderr
    assert "OUTPUT_PROFILE: " in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "canary" not in ended.stderr


def test_a_slate_picture_that_cannot_be_used_stops_the_start(tmp_path: Path, fake_ffmpeg: FakeFFmpeg) -> None:
    ended = run(tmp_path, SLATE_IMAGE="nowhere.png", FFMPEG_BIN=real_enough(fake_ffmpeg))
    assert (ended.returncode, "Traceback" in ended.stderr) == (1, False)
    assert "SLATE_IMAGE: nowhere.png cannot be read" in ended.stderr


def test_an_encoder_that_does_not_work_stops_the_start(tmp_path: Path, fake_ffmpeg: FakeFFmpeg) -> None:
    path = Path(real_enough(fake_ffmpeg))
    path.write_text(f"{path.read_text()}case $* in *h264_nvenc*) echo '[error] No card' >&2; exit 1;; esac\n")
    ended = run(tmp_path, VIDEO_ENCODER="h264_nvenc", FFMPEG_BIN=str(path))
    assert ended.returncode == 1
    assert ended.stderr.endswith("\nVIDEO_ENCODER: h264_nvenc does not work here: No card\n")
    assert "Traceback" not in ended.stderr


def test_a_missing_ffmpeg_stops_the_start(tmp_path: Path) -> None:
    ended = run(tmp_path, FFMPEG_BIN="no-such-ffmpeg")
    assert (ended.returncode, ended.stderr.strip()) == (
        1,
        "FFMPEG_BIN: no-such-ffmpeg is not found, or is not executable",
    )


def test_a_taken_port_is_named(tmp_path: Path, fake_ffmpeg: FakeFFmpeg) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        ended = run(tmp_path, PORT=str(server.getsockname()[1]), FFMPEG_BIN=real_enough(fake_ffmpeg))
    assert ended.returncode == 1
    assert "HOST, PORT: cannot listen on 127.0.0.1" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_missing_package_is_named_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "waitress.py").write_text("raise ModuleNotFoundError('x', name='waitress')")
    ended = subprocess.run(
        [sys.executable, "-c", f"import sys, runpy; sys.path[:0] = [{str(tmp_path)!r}, {str(ROOT)!r}];"
         f"runpy.run_path({str(ROOT / 'app.py')!r}, run_name='__main__')"],
        capture_output=True, text=True, cwd=tmp_path, timeout=60, check=False,
    )  # fmt: skip
    assert ended.stderr == "waitress is not installed: run `pip install -r requirements.txt`\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_service_cleanly(tmp_path: Path, fake_ffmpeg: FakeFFmpeg, number: signal.Signals) -> None:
    log = tmp_path / "logs" / "application.log"
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "app.py")],
        env=environment(tmp_path, FFMPEG_BIN=real_enough(fake_ffmpeg)),
        cwd=tmp_path,
        stderr=subprocess.DEVNULL,
    )
    try:
        eventually(lambda: log.exists() and "listening on" in log.read_text(), 30)
        process.send_signal(number)
        assert process.wait(15) == 0
    finally:
        process.kill()
        process.wait()
    assert f"{number.name}: the service stops" in log.read_text()


def test_one_machine_needs_no_ray(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = [{str(ROOT)!r}]; sys.modules['ray'] = None\n"
         "import app\n"
         "settings = app.load_settings({'ffmpeg_bin': 'x', 'host': '127.0.0.1'})\n"
         "registry = app.create_app(settings).extensions['registry']\n"
         "print(type(registry).__name__, 'cluster' in sys.modules)"],
        capture_output=True, text=True, cwd=tmp_path, timeout=60, check=False,
    )  # fmt: skip
    assert (ended.stdout, ended.stderr) == ("StreamRegistry False\n", "")


def test_a_cluster_without_ray_says_what_to_install(tmp_path: Path, fake_ffmpeg: FakeFFmpeg) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = [{str(ROOT)!r}]; sys.modules['ray'] = None\n"
         "import app\n"
         "app.serve(app.load_settings({'stream_backend': 'ray'}))"],
        capture_output=True, text=True, cwd=tmp_path, timeout=60, check=False,
    )  # fmt: skip
    message = "STREAM_BACKEND: ray is not installed: run `pip install -r requirements-cluster.txt`"
    assert ended.stderr.rstrip().endswith(message)


def test_a_plain_install_has_no_ray() -> None:
    plain, cluster = (ROOT / name for name in ("requirements.txt", "requirements-cluster.txt"))
    assert "ray" not in {line.split("~")[0].split(">")[0] for line in plain.read_text().split()}
    assert cluster.read_text().splitlines() == ["-r requirements.txt", "ray~=2.60"]


def test_sighup_reads_the_feeds_again_and_ends_nothing(tmp_path: Path, fake_ffmpeg: FakeFFmpeg) -> None:
    log, feeds = tmp_path / "logs" / "application.log", tmp_path / "feeds.toml"
    feeds.write_text("[saturday]\nkind = 'own'\nurl = 'http://127.0.0.1/'\nheaders = { Key = 'env:CLUB_KEY' }\n")
    (tmp_path / ".env").write_text("CLUB_KEY=canary-feed-key\n")
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "app.py")],
        env=environment(tmp_path, FFMPEG_BIN=real_enough(fake_ffmpeg), FEEDS_FILE=str(feeds)),
        cwd=tmp_path,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # without a terminal, as under systemd
    )

    def said(words: str) -> Callable[[], bool]:
        return lambda: log.exists() and words in log.read_text()

    try:
        eventually(said("listening on"), 30)
        assert "FEEDS_FILE: saturday (own)" in log.read_text()
        feeds.write_text(feeds.read_text().replace("'own'", "'ovn'"))
        process.send_signal(signal.SIGHUP)
        eventually(said("the feeds stay as they are: FEEDS_FILE, line 2: saturday.kind: must be one of own"), 15)
        feeds.write_text(feeds.read_text().replace("'ovn'", "'currscore'"))
        process.send_signal(signal.SIGHUP)
        eventually(said("FEEDS_FILE: saturday (currscore)"), 15)
        assert process.poll() is None
        assert "canary-feed-key" not in log.read_text()
    finally:
        process.terminate()
        assert process.wait(15) == 0


def test_without_feeds_sighup_ends_the_service(tmp_path: Path, fake_ffmpeg: FakeFFmpeg) -> None:
    log = tmp_path / "logs" / "application.log"
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "app.py")],
        env=environment(tmp_path, FFMPEG_BIN=real_enough(fake_ffmpeg)),
        cwd=tmp_path,
        stderr=subprocess.DEVNULL,
    )
    try:
        eventually(lambda: log.exists() and "listening on" in log.read_text(), 30)
        process.send_signal(signal.SIGHUP)
        assert process.wait(15) == 0
    finally:
        process.kill()
        process.wait()
