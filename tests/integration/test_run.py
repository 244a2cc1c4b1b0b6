"""`make run`: nginx-rtmp and the service together, and the end of both."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from deploy.rtmp_server import free_port, listens
from tests.service import FFMPEG, ROOT
from tests.waiting import eventually


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("moment", ["while it starts", "when it runs"])
def test_a_signal_ends_both_and_leaves_nothing(tmp_path: Path, moment: str, number: signal.Signals) -> None:
    ffmpeg = tmp_path / "ffmpeg"  # one that does not answer delays the start
    ffmpeg.write_text("#!/bin/sh\nexec " + ("sleep 60" if "starts" in moment else f'{FFMPEG} "$@"') + "\n")
    ffmpeg.chmod(0o755)
    port, rtmp_port, temp = free_port(), free_port(), tmp_path / "tmp"
    temp.mkdir()
    settings = {
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "RTMP_SERVER": f"rtmp://127.0.0.1:{rtmp_port}/live",
        "FFMPEG_BIN": str(ffmpeg),
        "LOG_DIR": str(tmp_path / "logs"),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "deploy.run"],
        cwd=tmp_path,
        env=os.environ | settings | {"PYTHONPATH": str(ROOT), "TMPDIR": str(temp)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        eventually(lambda: listens("127.0.0.1", rtmp_port if "starts" in moment else port), 20, moment)
        process.send_signal(number)
        said, errors = process.communicate(timeout=15)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0
    assert "starts" in moment or f"rtmp://THIS-MACHINE:{rtmp_port}/live/NAME" in said
    assert "Traceback" not in errors
    eventually(lambda: not listens("127.0.0.1", rtmp_port))
    assert list(temp.iterdir()) == []


def test_a_machine_without_settings_gets_a_file_of_them_and_calls_no_stranger(tmp_path: Path) -> None:
    port, rtmp_port = free_port(), free_port()
    settings = {"HOST": "127.0.0.1", "PORT": str(port), "RTMP_SERVER": f"rtmp://127.0.0.1:{rtmp_port}/live"}
    (tmp_path / "logs").mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "deploy.run"],
        cwd=tmp_path,
        env=os.environ | settings | {"PYTHONPATH": str(ROOT), "FFMPEG_BIN": FFMPEG},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        eventually(lambda: listens("127.0.0.1", port), 20, "the service listens")
        body = {"youtube_url": f"rtmp://127.0.0.1:{rtmp_port}/none/key", "stream_name": "m1"}
        answer = requests.post(f"http://127.0.0.1:{port}/start_stream", json=body, timeout=20)
        assert answer.status_code == 200, answer.text
        assert "m1" in (tmp_path / "logs" / "streams.json").read_text()
    finally:
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=20)
    written = tmp_path / ".env"
    assert written.stat().st_mode & 0o777 == 0o600
    assert "OVERLAY_API_BASE=\n" in written.read_text()
    assert ".env is new" in said
