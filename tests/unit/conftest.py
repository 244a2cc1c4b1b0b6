"""The fake FFmpeg as a fixture, and two ways to run parts of the service with it.

`Rig` has what the FFmpegs of one stream need, and the test itself steps the
parts. `Relay` is a whole registry, in which supervisors step the streams.
"""

from __future__ import annotations

import contextlib
import json
import logging
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import pytest

import tests.fake_ffmpeg as fake
from config import Settings
from logging_setup import StreamLogger
from media.destination import Destination, parse_destination
from media.io_loop import IoLoop
from media.switch import Switch
from relay.children import Child, Surroundings
from relay.registry import StreamRegistry
from relay.request import Machinery, StreamRequest
from relay.state_file import StateFile
from relay.stream_state import StreamStatus
from tests.conftest import SettingsFactory
from tests.mpegts import Muxer
from tests.waiting import FakeClock, eventually

KEY = "canary-5678"
BACKUP_KEY = "canary-backup-9"


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
        """What each run in this role wrote down, oldest first."""
        return [life for life in self._lives() if life["role"] == role]

    def _lives(self) -> list[dict[str, Any]]:
        path = self.folder / "lives.jsonl"
        lines = path.read_text().splitlines(keepends=True) if path.exists() else []
        return [json.loads(line) for line in lines if line.endswith("\n")]  # the last one may be half written

    def argv(self, pid: int) -> list[str]:
        """Wait for this process's arguments, and return them."""
        found = list[list[str]]()

        def noted() -> bool:
            found.extend(life["argv"] for life in self._lives() if life["pid"] == pid)
            return bool(found)

        eventually(noted)
        return found[0]

    def order(self, pid: int, line: str) -> None:
        """Tell a process that `obeys` what to do."""
        with (self.folder / f"orders-{pid}").open("a") as orders:
            orders.write(line + "\n")

    def feed(self, pid: int, data: bytes) -> None:
        """Make a process that follows its feed write this to its stdout."""
        with (self.folder / f"feed-{pid}").open("ab") as file:
            file.write(data)

    @property
    def obedient(self) -> dict[str, Any]:
        """The script of a role that writes what `feed()` gives it and does what `order()` says."""
        return {"obeys": True, "follow": f"{self.folder}/feed-{{pid}}"}

    def received(self, pid: int) -> bytes:
        path = self.folder / f"received-{pid}"
        return path.read_bytes() if path.exists() else b""


@pytest.fixture
def fake_ffmpeg(tmp_path: Path) -> FakeFFmpeg:
    folder = tmp_path / "fake"
    folder.mkdir()
    return FakeFFmpeg(folder)


@pytest.fixture
def unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    """No FFmpeg is run only to find out what it can do."""
    monkeypatch.setattr("relay.installed.reads_presets", lambda _path: True)
    monkeypatch.setattr("relay.installed.slate_head_start_s", lambda _path: 0.6)


class Rig:
    """A loop, a switch and a clock. The test's own thread steps a part of a stream on them."""

    def __init__(self, settings: Settings, fake: FakeFFmpeg) -> None:
        self.settings = settings
        self.fake = fake
        self.clock = FakeClock()
        self.loop = IoLoop("rig").lane()
        self.switch = Switch(self.loop, 2 * settings.profile.bytes_per_second, lambda: None, self.clock)
        self.around = Surroundings(
            self.loop,
            settings.ffmpeg_bin,
            self.clock,
            subprocess.Popen,
            lambda: None,
            StreamLogger(logging.getLogger("rig"), "m1"),
            StreamLogger(logging.getLogger("rig.output"), "m1"),
        )
        self.children: Callable[[], tuple[Child, ...]] = tuple
        self.muxers: dict[int, Muxer] = {}

    def pid(self, child: Child) -> int:
        assert child.process is not None, f"no {child.role} runs"
        return child.process.pid

    def say(self, child: Child, line: str) -> None:
        """Make it print this line once, and return when the line was read."""
        self.fake.order(self.pid(child), f"say {line}")
        process = child.process
        assert process is not None
        eventually(lambda: line.strip() in process.last_lines, what=line)
        self.settle()

    def wait_for_end(self, child: Child) -> None:
        eventually(child.has_died, what=f"the end of the {child.role}")

    def settle(self) -> None:
        """Return when the loop has finished its present work."""
        self.loop.call(lambda: None)

    def frame(self, child: Child, *, key: bool = False, ticks: int | None = None, sound: bool = False) -> bytes:
        """Send one frame from this child, with sound before it if `sound` is set. Returns when the switch has it."""
        pid, fd = self.pid(child), child.stdout
        assert fd is not None
        muxer = self.muxers.setdefault(pid, Muxer())
        payload = f"{child.role} {pid} ".encode() * 4
        data = muxer.key_frame(payload, ticks=ticks) if key else muxer.video(payload, ticks=ticks)
        data = data + muxer.audio(b"sound" * 9) if sound else data
        now = self.clock()
        assert self.switch.source(fd).frame_at != now, "the clock must move between two frames"
        self.fake.feed(pid, data)

        def taken() -> bool:
            source = self.switch.source(fd)
            return source.runs_ahead or (source.frame_at == now and (not sound or source.sound_at == now))

        for _ in range(200):  # a test may send hundreds of frames
            if taken():
                break
            time.sleep(0.001)
        eventually(taken, what=f"a frame of the {child.role}")
        self.settle()
        return data

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            for child in self.children():
                child.end()
        finally:
            self.loop.close()


def destination(url: str = f"rtmp://127.0.0.1/live2/{KEY}") -> Destination:
    return parse_destination(url, ("*",))


class Relay:
    """A registry with fake FFmpegs, and with clocks that the test moves."""

    def __init__(self, settings: Settings, fake: FakeFFmpeg, wall_s: float) -> None:
        self.fake = fake
        self.clock = FakeClock()
        self.wall = FakeClock()
        self.wall.now = wall_s
        self.state_file = StateFile(settings.state_file) if settings.state_file else None
        machinery = Machinery(clock=self.clock, wall_clock=self.wall)
        self.registry = StreamRegistry(settings, machinery, self.state_file)

    def start(self, name: str = "m1", *, url: str | None = None, backup: str | None = None) -> None:
        first = destination(url or f"rtmp://127.0.0.1/live2/{KEY if name == 'm1' else f'{KEY}-{name}'}")
        second = destination(backup) if backup else None
        self.registry.start(StreamRequest(name, first, backup=second))

    def names(self) -> list[str]:
        return [snapshot.name for snapshot in self.registry.snapshots()]

    def status(self, name: str = "m1") -> StreamStatus:
        return self.registry.status(name)

    def kept(self) -> list[str]:
        assert self.state_file is not None
        return [stream.stream_name for stream in self.state_file.streams]

    def wait(self, condition: Callable[[], object], what: str = "") -> None:
        """Move the clock until the condition holds."""

        def holds() -> object:
            self.clock.advance(0.1)
            return condition()

        eventually(holds, what=what)

    def close(self) -> None:
        """End it as SIGTERM does."""
        self.registry.close()
        if self.state_file:
            self.state_file.close()


MakeRelay = Callable[..., Relay]


@pytest.fixture
def relay(
    fake_ffmpeg: FakeFFmpeg,
    unasked: None,
    settings_with: SettingsFactory,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[MakeRelay]:
    """Makes relays. At the end nothing of them may be left."""
    temp = tmp_path / "tmp"
    temp.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temp))
    with contextlib.ExitStack() as stack:

        def make(wall_s: float = 50_000.0, **overrides: Any) -> Relay:
            base = {"ffmpeg_bin": str(fake_ffmpeg.path), "output_profile": "480p30"}
            made = Relay(settings_with(**base | overrides), fake_ffmpeg, wall_s)
            stack.callback(made.close)
            return made

        yield make
    assert list(temp.iterdir()) == []
