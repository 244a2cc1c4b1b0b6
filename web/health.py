"""Whether one more stream could be started now: what a load balancer asks, or a human before match day.

Each look is bounded in time, and remembered for a while: asking often costs
nothing and cannot be used to knock at the RTMP server.
"""

from __future__ import annotations

import os
import socket
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from config import Settings
from errors import ConfigurationError
from relay import installed
from relay.registry import Registry

LOOK_LIMIT_S = 1.0
REMEMBERED_S = 5.0
RTMP_PORTS = {"rtmp": 1935, "rtmps": 443}
PROBE_BYTES = 4096  # a full disk may still take an empty file


@dataclass(frozen=True)
class Check:
    """One thing that a stream needs, and how it is, in plain words."""

    ok: bool
    detail: str


@dataclass(frozen=True)
class Readiness:
    ready: bool
    checks: dict[str, Check]


class Health:
    """Looks at what streams need. Safe to call from many threads."""

    def __init__(self, settings: Settings, streams: Registry, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._streams = streams
        self._ffmpeg: str | None = None  # once it is known to have what is needed
        self._looks = {
            "ffmpeg": _Remembered(self._look_at_ffmpeg, clock),
            "rtmp_server": _Remembered(self._knock_at_rtmp_server, clock),
            "temp_folder": _Remembered(lambda: _write_to(Path(tempfile.gettempdir())), clock),
            "log_folder": _Remembered(lambda: _write_to(settings.log_dir), clock),
        }

    def readiness(self) -> Readiness:
        """All looks, each at most REMEMBERED_S old; capacity is that of now."""
        checks = {name: look() for name, look in self._looks.items()} | {"capacity": self._count_streams()}
        return Readiness(all(check.ok for check in checks.values()), checks)

    def _look_at_ffmpeg(self) -> Check:
        settings = self._settings
        try:
            path = self._ffmpeg or installed.find_working_ffmpeg(
                settings.ffmpeg_bin, settings.encoder, settings.profile
            )
        except ConfigurationError as error:
            return Check(False, str(error))
        self._ffmpeg = path
        if not os.access(path, os.X_OK):
            return Check(False, f"{path} is gone, or is not executable any more")
        has = f"has the filters that are needed and {settings.encoder.name}"
        return Check(True, f"{path}, version {installed.version(path)}, {has}")

    def _knock_at_rtmp_server(self) -> Check:
        parts = urlsplit(self._settings.rtmp_server)
        host, port = parts.hostname or "", parts.port or RTMP_PORTS[parts.scheme]
        try:
            socket.create_connection((host, port), timeout=LOOK_LIMIT_S).close()
        except OSError as error:
            return Check(False, f"{host}:{port} cannot be reached: {error.strerror or error}")
        return Check(True, f"{host}:{port} takes connections")

    def _count_streams(self) -> Check:
        load = self._streams.load()
        if load.is_closing:
            return Check(False, "the service is stopping")
        return Check(load.streams < load.most, f"{load.streams} of {load.most} streams run")


class _Remembered:
    """The answer of a look that may take a while; who comes meanwhile waits no longer than a look may take."""

    def __init__(self, look: Callable[[], Check], clock: Callable[[], float]) -> None:
        self._look = look
        self._clock = clock
        self._lock = threading.Lock()
        self._known = Check(False, "is still being looked at")
        self._until = float("-inf")

    def __call__(self) -> Check:
        if not self._lock.acquire(timeout=LOOK_LIMIT_S):
            return self._known
        try:
            if self._clock() >= self._until:
                self._known = self._look()
                self._until = self._clock() + REMEMBERED_S
            return self._known
        finally:
            self._lock.release()


def _write_to(folder: Path) -> Check:
    try:
        with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
            file.write(bytes(PROBE_BYTES))
    except OSError as error:
        return Check(False, f"{folder} cannot be written: {error.strerror}")
    return Check(True, f"{folder} can be written")
