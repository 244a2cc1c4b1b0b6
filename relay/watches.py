"""Two watches on the picture that is on air: whether its overlay is still read, and what makes it slow.

They look at processes and at the machine, and say what they see; what follows
is the picture's business. They refuse to judge what they have not watched for
long enough, and what the kernel does not count.

Asked by the supervisor's thread, which owns them.
"""

from __future__ import annotations

import psutil

from media.media_clock import SLOW_SPEED, WINDOW_S

OVERLAY_STALL_S = 3.0
LOOK_S = 1.0
BUSY = 0.9


class OverlayWatch:
    """Sees by what a process reads whether it still opens the overlay; its other input comes by sockets.

    A process that was never seen to read (a wrapper, a kernel that does not
    count) is not judged.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._pid = 0
        self._process: psutil.Process | None = None
        self._read = 0
        self._grew = 0
        self._grew_at = 0.0
        self._looked_at = float("-inf")

    def is_due(self, now: float) -> bool:
        return now - self._looked_at >= LOOK_S

    def is_dead(self, pid: int, now: float) -> bool:
        if not self.is_due(now) and pid == self._pid:
            return False
        try:
            process = self._process if pid == self._pid and self._process else psutil.Process(pid)
            read = process.io_counters().read_chars
        except (psutil.Error, OSError, AttributeError, NotImplementedError):
            return False
        self._looked_at = now
        if pid != self._pid:
            self._pid, self._process = pid, process
            self._read, self._grew, self._grew_at = read, 0, now
        elif read != self._read:
            self._read, self._grew, self._grew_at = read, self._grew + 1, now
        return self._grew >= 2 and now - self._grew_at >= OVERLAY_STALL_S


class SpeedWatch:
    """Says what slows the picture down, if it does not come in real time."""

    def __init__(self, now: float) -> None:
        self._cpu = psutil.cpu_times()
        self.reset(now)

    def reset(self, now: float) -> None:
        self._since = self._looked_at = now
        self._busy: float | None = None

    def trouble(self, speed: float, now: float) -> str | None:
        if now - self._looked_at >= WINDOW_S:
            self._busy = self._share_of_busy_time()
            self._looked_at = now
        if now - self._since < WINDOW_S + 1 or speed >= SLOW_SPEED or self._busy is None:
            return None
        if self._busy >= BUSY:
            return f"the picture runs at {speed:.2f} of real time: the machine is overloaded (CPU {self._busy:.0%})"
        return f"the picture runs at {speed:.2f} of real time: the camera's pictures come too slowly"

    def _share_of_busy_time(self) -> float:
        before, self._cpu = self._cpu, psutil.cpu_times()
        passed = sum(self._cpu) - sum(before)
        idle = self._cpu.idle - before.idle + getattr(self._cpu, "iowait", 0) - getattr(before, "iowait", 0)
        return 1 - idle / passed if passed > 0 else 0.0
