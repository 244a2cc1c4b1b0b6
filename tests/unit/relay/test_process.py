from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from relay.process import MAX_LINE_BYTES, FFmpegProcess, end_processes
from tests.unit.conftest import FakeFFmpeg
from tests.waiting import eventually, runs

ROOT = Path(__file__).resolve().parents[3]


class Lives:
    """Spawns fakes and ends what a test leaves."""

    def __init__(self, fake: FakeFFmpeg) -> None:
        self.fake = fake
        self.spawned: list[FFmpegProcess] = []

    def spawn(self, role: str) -> FFmpegProcess:
        is_publisher = role == "publisher"
        argv = [str(self.fake.path), "-f", "flv" if is_publisher else "mpegts"]
        before = len(self.fake.lives(role))
        process = self._spawn(role, argv, is_publisher)
        eventually(lambda: len(self.fake.lives(role)) > before)
        return process

    def spawn_wrapper(self, path: Path, script: str) -> FFmpegProcess:
        """A compositor that is a shell script."""
        path.write_text(f"#!/bin/sh\n{script}")
        path.chmod(0o755)
        return self._spawn("compositor", [str(path)], is_publisher=False)

    def _spawn(self, role: str, argv: list[str], is_publisher: bool) -> FFmpegProcess:
        process = FFmpegProcess(
            role, argv, stdin=is_publisher, stdout=not is_publisher, pass_fds=(), spawn=subprocess.Popen
        )
        self.spawned.append(process)
        return process


@pytest.fixture
def lives(fake_ffmpeg: FakeFFmpeg) -> Iterator[Lives]:
    made = Lives(fake_ffmpeg)
    yield made
    for process in made.spawned:
        process.signal(signal.SIGKILL)
        eventually(process.has_ended)
        process.close()


def read_stderr(process: FFmpegProcess) -> list[str]:
    data = b""
    while chunk := os.read(process.fd("stderr"), 65536):
        data += chunk
    return process.take_stderr(data)


def test_a_compositor_ends_at_sigterm_and_a_publisher_at_the_end_of_its_input(lives: Lives) -> None:
    compositor, publisher = lives.spawn("compositor"), lives.spawn("publisher")
    assert end_processes([compositor, publisher]) == []
    assert [process.cause() for process in (compositor, publisher)] == ["ended as asked"] * 2


def test_processes_that_ignore_all_signals_are_killed(lives: Lives) -> None:
    lives.fake.script(compositor={"ignore_signals": True}, publisher={"ignore_signals": True, "ignore_eof": True})
    processes = [lives.spawn("compositor"), lives.spawn("publisher")]
    assert end_processes(processes) == []
    for process in processes:
        assert process.has_ended()
        with pytest.raises(ProcessLookupError):
            os.kill(process.pid, 0)


def test_the_whole_process_group_is_killed(lives: Lives, tmp_path: Path) -> None:
    """A wrapper script must not leave its FFmpeg behind."""
    child_pid = tmp_path / "child"
    process = lives.spawn_wrapper(
        tmp_path / "wrapper", f"trap '' TERM\nsleep 1000 & echo $! > {child_pid}\nwait\nwait\nsleep 1000\n"
    )
    eventually(lambda: child_pid.exists() and child_pid.read_text().strip())
    end_processes([process])
    eventually(lambda: not runs(int(child_pid.read_text())))


def test_a_wrapper_that_ends_first_leaves_no_ffmpeg_behind(lives: Lives, tmp_path: Path) -> None:
    child_pid = tmp_path / "child"
    process = lives.spawn_wrapper(
        tmp_path / "wrapper", f"(trap '' TERM; echo $$ > {child_pid}; while :; do sleep 1; done) &\nwait\n"
    )
    eventually(lambda: child_pid.exists() and child_pid.read_text().strip())
    assert end_processes([process]) == []
    eventually(lambda: not [pid for pid in _group(process.pid) if runs(pid)])


def _group(leader: int) -> list[int]:
    """The processes of this process group."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, IndexError):
            if int(stat.read_text().rpartition(")")[2].split()[2]) == leader:
                found.append(int(stat.parent.name))
    return found


def test_the_cause_is_the_last_error_it_printed(lives: Lives) -> None:
    lives.fake.script(
        compositor={
            "stderr": ["[info] Input #0", "[tcp @ 0x1] [error] Connection refused", "[error] ", "[info] bye"],
            "exit": 1,
        }
    )
    process = lives.spawn("compositor")
    eventually(process.has_ended)
    assert len(read_stderr(process)) == 4
    assert process.cause() == "exit status 1: Connection refused"


def test_the_cause_names_a_signal_that_nobody_here_sent(lives: Lives) -> None:
    process = lives.spawn("compositor")
    os.kill(process.pid, signal.SIGSEGV)
    eventually(process.has_ended)
    assert process.cause() == "killed by SIGSEGV"


def test_lines_are_bounded_and_put_together_from_parts(lives: Lives) -> None:
    process = lives.spawn("compositor")
    assert process.take_stderr(b"one\ntw") == ["one"]
    assert process.take_stderr(b"o\r\n\n\xff") == ["two"]
    assert process.take_stderr(b"\n") == ["\ufffd"]
    lines = process.take_stderr(b"x" * 100_000)
    assert [len(line) for line in lines] == [MAX_LINE_BYTES]


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's help is Linux's")
def test_a_child_dies_with_a_parent_that_is_killed(fake_ffmpeg: FakeFFmpeg) -> None:
    fake_ffmpeg.script(compositor={"ignore_signals": True})
    code = (
        "import subprocess, time\nfrom relay.process import FFmpegProcess\n"
        f"p = FFmpegProcess('compositor', [{str(fake_ffmpeg.path)!r}], stdin=False, stdout=True,"
        " pass_fds=(), spawn=subprocess.Popen)\n"
        "time.sleep(1000)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(ROOT)})
    try:
        eventually(lambda: fake_ffmpeg.lives("compositor"))
    finally:
        parent.kill()
        parent.wait()
    pid = fake_ffmpeg.lives("compositor")[0]["pid"]
    eventually(lambda: not runs(pid))
