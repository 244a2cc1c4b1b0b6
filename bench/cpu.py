"""CPU time: of a command until its end, of a running process with its children, of the whole machine."""

from __future__ import annotations

import contextlib
import resource
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil


def cpu_of(argv: Sequence[str], output: Path | None = None) -> float:
    """Run a command to its end, with stdout to `output`. Returns its seconds of user and system time."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with output.open("wb") if output else contextlib.nullcontext(subprocess.DEVNULL) as stdout:
        subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def own_s(pid: int) -> float:
    """Of this process alone; 0 if it is gone."""
    return _spent(pid, "user", "system")


def reaped_s(pid: int) -> float:
    """Of its children that have ended."""
    return _spent(pid, "children_user", "children_system")


def tree_s(pid: int) -> float:
    """Of this process, its running descendants, and its children that have ended."""
    fields = ("user", "system", "children_user", "children_system")
    try:
        children = psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return 0.0
    return _spent(pid, *fields) + sum(_spent(child.pid, *fields) for child in children)


def _spent(pid: int, *fields: str) -> float:
    with contextlib.suppress(psutil.Error):
        times = psutil.Process(pid).cpu_times()
        return sum(float(getattr(times, field)) for field in fields)
    return 0.0


def machine_s() -> tuple[float, float]:
    """Seconds since boot, of all processors together: busy, and in total."""
    times: Any = psutil.cpu_times()
    # Linux includes guests in user and nice.
    total = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
    return total - times.idle - getattr(times, "iowait", 0.0), total
