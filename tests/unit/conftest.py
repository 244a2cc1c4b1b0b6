"""The fake FFmpeg as a fixture."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

import tests.fake_ffmpeg as fake


class FakeFFmpeg:
    """A folder with an executable `ffmpeg` and the script that it follows."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "ffmpeg"
        words = [sys.executable, "-I", "-S", fake.__file__, str(folder)]
        self.path.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
        self.path.chmod(0o755)
        self.script()

    def script(self, **roles: dict[str, Any]) -> None:
        unfinished = self.folder / "script.new"
        unfinished.write_text(json.dumps(roles))
        unfinished.replace(self.folder / "script.json")

    def lives(self, role: str) -> list[dict[str, Any]]:
        """What each life of this role noted, oldest first."""
        path = self.folder / "lives.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        return [life for life in map(json.loads, lines) if life["role"] == role]

    def received(self, pid: int) -> bytes:
        path = self.folder / f"received-{pid}"
        return path.read_bytes() if path.exists() else b""


@pytest.fixture
def fake_ffmpeg(tmp_path: Path) -> FakeFFmpeg:
    folder = tmp_path / "fake"
    folder.mkdir()
    return FakeFFmpeg(folder)
