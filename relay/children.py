"""One of a stream's FFmpegs through all its attempts: started, listened to, buried, started again.

The supervisor's thread owns it. Which child runs, and what its end means, is
decided by `picture.py` and `delivery.py`.
"""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from logging_setup import StreamLogger, redact
from media.causes import Cause
from media.io_loop import READ_BYTES, Lane
from relay.backoff import Backoff
from relay.process import FFmpegProcess, Spawn

# FFmpeg may repeat one complaint thirty times a second for hours.
LOG_BURST_LINES = 200
LOG_LINES_PER_S = 2.0
MAX_CAUSE = 300


@dataclass(frozen=True)
class Surroundings:
    """What the children of one stream share."""

    loop: Lane
    ffmpeg_bin: str
    clock: Callable[[], float]
    spawn: Spawn
    wake: Callable[[], None]
    log: StreamLogger
    output_log: StreamLogger


class Child:
    """One role: at most one process at a time, and what is known of the attempts so far.

    `attach` and `detach` join a process to the switch and part them again;
    `on_line` gets each line of its stderr, on the loop's thread, and returns True if it is
    not worth logging. The end of one
    that `may_fail` is no trouble of the stream's, and is not counted. Two that
    play one role in turn are `counted_with` each other.
    """

    def __init__(
        self,
        role: str,
        surroundings: Surroundings,
        longest_wait_s: float,
        *,
        attach: Callable[[FFmpegProcess], None],
        detach: Callable[[FFmpegProcess], None],
        on_line: Callable[[str], bool | None] | None = None,
        may_fail: bool = False,
        counted_with: Child | None = None,
    ) -> None:
        self.role = role
        self.process: FFmpegProcess | None = None
        self.attempts = 0
        self.started_at = 0.0
        self.next_start_at = 0.0
        self.last_error: tuple[float, str] | None = None  # when, what
        self._around = surroundings
        self._backoff = Backoff(longest_wait_s)
        self._attach = attach
        self._detach = detach
        self._on_line = on_line
        self._may_fail = may_fail
        self._numbers: Iterator[int] = counted_with._numbers if counted_with else itertools.count(1)
        self._restarts: _Restarts = counted_with._restarts if counted_with else _Restarts()

    @property
    def restarts(self) -> Mapping[Cause, int]:
        """Attempts that ended and were not meant to, by cause. Any thread."""
        return self._restarts.by_cause

    def count(self, cause: Cause) -> None:
        """Note why an attempt ended."""
        if not self._may_fail:
            self._restarts.add(cause)

    @property
    def stdout(self) -> int | None:
        """The descriptor that the running process is read from."""
        return self.process.fd("stdout") if self.process else None

    def is_due(self, now: float) -> bool:
        return self.process is None and now >= self.next_start_at

    def has_died(self) -> bool:
        return self.process is not None and self.process.has_ended()

    def start(
        self, argv: list[str], now: float, *, stdin: bool = False, stdout: bool = True, pass_fds: tuple[int, ...] = ()
    ) -> None:
        """Begin an attempt. If the program cannot be started, log that, and let the next attempt wait."""
        around = self._around
        self.attempts = next(self._numbers)
        self.started_at = now
        around.log.debug("%s argv: %s", self.role, argv)
        try:
            process = FFmpegProcess(
                self.role,
                [around.ffmpeg_bin, *argv],
                stdin=stdin,
                stdout=stdout,
                pass_fds=pass_fds,
                spawn=around.spawn,
            )
        except OSError as error:
            self.count(Cause.NOT_STARTED)
            self._note_failure(f"cannot be started: {error.strerror}", now, self._backoff.next_wait_s(0))
            return
        self.process = process
        budget = _LineBudget(around.clock)
        attempt = self.attempts
        around.loop.call(
            around.loop.read_from, process.fd("stderr"), lambda data: self._take_stderr(process, attempt, budget, data)
        )
        self._attach(process)
        around.log.info("%s attempt %d started, pid %d", self.role, attempt, process.pid)

    def bury(
        self, now: float, *, at_once: bool = False, no_wait_after: str | None = None, is_counted: bool = True
    ) -> str:
        """Part with a process that died on its own, set the time of the next attempt, and say why it died.

        `at_once` is for one whose end says nothing against the next, `no_wait_after` for a cause that does not.
        One that is not counted here is counted by the caller, who knows more of its cause.
        """
        process = self.process
        if process is None:
            return ""
        self.close()
        # The cause is shown in the status, and a server's message may contain a key.
        cause = redact(process.cause())[:MAX_CAUSE]
        if is_counted:
            self.count(process.ending)
        wait_s = 0.0 if at_once or cause == no_wait_after else self._backoff.next_wait_s(now - self.started_at)
        self._note_failure(f"ended ({cause})", now, wait_s)
        return cause

    def _note_failure(self, what: str, now: float, wait_s: float) -> None:
        self.next_start_at = now + wait_s
        if self._may_fail:
            self._around.log.debug("%s %s; next attempt in %.1f s", self.role, what, wait_s)
            return
        self.last_error = (now, what)
        self._around.log.warning("%s %s; next attempt in %.1f s", self.role, what, wait_s)

    def end(self, cause: Cause | None = None) -> None:
        """End the attempt at once. Give a cause if another attempt is to replace it."""
        if self.process is None:
            return
        if cause:
            self.count(cause)
        self._around.log.info("%s attempt %d is ended", self.role, self.attempts)
        self.process.kill()
        self.close()

    def prepare_to_end(self) -> None:
        """Detach the process, because its input is about to be closed."""
        if self.process is not None:
            self._detach(self.process)

    def close(self) -> None:
        """Close a process that has ended. A fault in that is logged and stops nothing else."""
        process, self.process = self.process, None
        if process is None:
            return
        try:
            self._detach(process)
            self._last_words(process)
        except Exception:
            self._around.log.exception("%s, pid %d, was not detached", self.role, process.pid)
        finally:
            process.close()

    def _last_words(self, process: FFmpegProcess) -> None:
        """Read the rest of its stderr: it says why it ended."""
        fd = process.fd("stderr")
        budget = _LineBudget(self._around.clock)

        def read() -> None:
            self._around.loop.stop_reading(fd)
            # Another process may hold the pipe open, so do not wait for more than is there now.
            with contextlib.suppress(BlockingIOError):
                while data := os.read(fd, READ_BYTES):
                    self._take_stderr(process, self.attempts, budget, data)

        self._around.loop.call(read)

    def _take_stderr(self, process: FFmpegProcess, attempt: int, budget: _LineBudget, data: bytes) -> None:
        """Write FFmpeg's output to its log, up to a number of lines. On the loop's thread."""
        if not data:
            self._around.wake()
            return
        output_log = self._around.output_log
        for line in process.take_stderr(data):
            if self._on_line and self._on_line(line):
                continue
            left_out = budget.take()
            if left_out is None:
                continue
            if left_out:
                output_log.warning("%s %d: (%d lines left out)", self.role, attempt, left_out)
            output_log.info("%s %d: %s", self.role, attempt, line)


class _Restarts:
    """How often attempts of one role ended, by cause."""

    def __init__(self) -> None:
        self.by_cause: Mapping[Cause, int] = {}

    def add(self, cause: Cause) -> None:
        # Another mapping each time: a reader may still use the last one.
        self.by_cause = {**self.by_cause, cause: self.by_cause.get(cause, 0) + 1}


class _LineBudget:
    """A burst of log lines, then so many a second."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._left = float(LOG_BURST_LINES)
        self._at = clock()
        self._left_out = 0

    def take(self) -> int | None:
        """How many lines were left out before this one; None if this one is left out as well."""
        now = self._clock()
        self._left = min(LOG_BURST_LINES, self._left + (now - self._at) * LOG_LINES_PER_S)
        self._at = now
        if self._left < 1:
            self._left_out += 1
            return None
        self._left -= 1
        left_out, self._left_out = self._left_out, 0
        return left_out
