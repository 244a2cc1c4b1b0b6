"""One running FFmpeg: how it is started, how it is ended, why it ended.

`FFmpegProcess` is one attempt: one life of one FFmpeg, from spawn to reaping; who
starts another is not decided here, and nothing here knows of streams.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import IO

import ffmpeg
from media.causes import Cause

POLITE_WAIT_S = 1.5
TERMINATE_WAIT_S = 1.0
KILL_WAIT_S = 1.0
POLL_S = 0.02

KEPT_LINES = 20
MAX_LINE_BYTES = 2_000


def dies_with_its_parent(argv: Sequence[str], signal_name: str = "KILL") -> list[str]:
    """Have the kernel signal the child when the thread that spawned it is gone, killed included.

    That thread must therefore outlive the child. Where util-linux is missing
    the pipes still end a child that reads or writes.
    """
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", signal_name, "--", *argv] if setpriv else list(argv)


Spawn = Callable[..., "subprocess.Popen[bytes]"]


class FFmpegProcess:
    """One attempt, in a process group of its own. The spawning thread owns it, ends it and closes it."""

    def __init__(
        self, role: str, argv: Sequence[str], *, stdin: bool, stdout: bool, pass_fds: Sequence[int], spawn: Spawn
    ) -> None:
        self.role = role
        self._lines: deque[str] = deque(maxlen=KEPT_LINES)
        self._partial = b""
        self._asked_to_end = False
        self._popen = spawn(
            dies_with_its_parent(argv),
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE if stdout else subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            pass_fds=pass_fds,
            start_new_session=True,
            bufsize=0,
        )
        for pipe in self._pipes():
            os.set_blocking(pipe.fileno(), False)

    @property
    def pid(self) -> int:
        return self._popen.pid

    def fd(self, name: str) -> int:
        """The descriptor of `stdin`, `stdout` or `stderr`. This object stays its owner."""
        pipe: IO[bytes] = getattr(self._popen, name)
        return pipe.fileno()

    @property
    def takes_input(self) -> bool:
        """True for a publisher until it was asked to end."""
        return self._popen.stdin is not None and not self._popen.stdin.closed

    def has_ended(self) -> bool:
        """True when it is reaped, and what it started in its group is killed."""
        if self._popen.returncode is not None:
            return True
        if os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            return False
        # A wrapper script may end before its FFmpeg. Until it is reaped, the id of the process group is still its own.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._popen.wait()
        return True

    def take_stderr(self, data: bytes) -> list[str]:
        """Add what was read from stderr. Returns the lines that are now complete, each at most MAX_LINE_BYTES long."""
        *whole, self._partial = (self._partial + data).split(b"\n")
        if len(self._partial) > MAX_LINE_BYTES:
            whole, self._partial = [*whole, self._partial], b""
        lines = [line[:MAX_LINE_BYTES].decode(errors="replace").strip() for line in whole]
        self._lines.extend(line for line in lines if line)
        return [line for line in lines if line]

    def cause(self) -> str:
        """Why it ended, for the log: asked to, a signal, or its exit status with its last error line."""
        status = self._popen.returncode
        if status is None:
            return "still running"
        if self._asked_to_end:
            return "ended as asked"
        if status < 0:
            return f"killed by {_signal_name(-status)}"
        errors = [error for line in self._lines if (error := ffmpeg.error_in(line))]
        if not errors:
            return f"exit status {status}"
        if "matches no streams" in errors[-1]:
            return ffmpeg.NO_PICTURE_YET
        return f"exit status {status}: {errors[-1]}"

    @property
    def ending(self) -> Cause:
        """`cause()` as a word to count; what its owner knows may be better."""
        if self.cause() == ffmpeg.NO_PICTURE_YET:
            return Cause.NO_PICTURE
        return Cause.KILLED if (self._popen.returncode or 0) < 0 else Cause.EXITED

    @property
    def last_lines(self) -> tuple[str, ...]:
        """The last of what it printed."""
        return tuple(self._lines)

    def ask_to_end(self) -> None:
        """Ask it politely: by the end of its input for a publisher, by SIGTERM for the others."""
        self._asked_to_end = self._asked_to_end or not self.has_ended()
        if self._popen.stdin is not None:
            with contextlib.suppress(OSError):
                self._popen.stdin.close()
        else:
            self.signal(signal.SIGTERM)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the whole process group, unless its leader is reaped: the id may be somebody else's then."""
        if not self.has_ended():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._popen.pid, number)

    def kill(self) -> None:
        """End it now, and reap it. For a process that needs no proper end."""
        self.signal(signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(KILL_WAIT_S)

    def close(self) -> None:
        """Close the pipes. Only for a process that has ended."""
        for pipe in self._pipes():
            with contextlib.suppress(OSError):
                pipe.close()

    def _pipes(self) -> Iterable[IO[bytes]]:
        return [pipe for pipe in (self._popen.stdin, self._popen.stdout, self._popen.stderr) if pipe is not None]


def end_processes(
    processes: Sequence[FFmpegProcess],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> list[FFmpegProcess]:
    """End them side by side: politely, then SIGTERM, then SIGKILL, each step waited for.

    Takes at most 3.5 s. Returns those that even SIGKILL did not end (a process
    stuck in the kernel); all others are reaped.
    """
    for process in processes:
        process.ask_to_end()
    steps = ((POLITE_WAIT_S, signal.SIGTERM), (TERMINATE_WAIT_S, signal.SIGKILL), (KILL_WAIT_S, None))
    alive = list(processes)
    for wait_s, then in steps:
        deadline = clock() + wait_s
        while alive := [process for process in alive if not process.has_ended()]:
            if clock() >= deadline:
                break
            sleep(POLL_S)
        if then is not None:
            for process in alive:
                process.signal(then)
    return alive


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
