"""Whether another stream could be started now, for a load balancer or for someone who prepares a match.

Each check has a time limit, and its result is kept for a while. So frequent
calls cost nothing, and nobody can use them to flood the RTMP server.
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
from media import rtmp_handshake
from relay import installed
from relay.registry import Registry

LOOK_LIMIT_S = 1.0
REMEMBERED_S = 5.0
RTMP_PORTS = {"rtmp": 1935, "rtmps": 443}
PROBE_BYTES = 4096  # a full disk may still take an empty file


@dataclass(frozen=True)
class Check:
    """One thing that a stream needs: whether it is there, and details for a person."""

    ok: bool
    detail: str


@dataclass(frozen=True)
class Readiness:
    ready: bool
    checks: dict[str, Check]


class Health:
    """Checks what streams need. Safe to call from many threads."""

    def __init__(self, settings: Settings, streams: Registry, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._streams = streams
        self._ffmpeg: str | None = None  # set once it is known to work
        self._looks = {
            "ffmpeg": _Remembered(self._look_at_ffmpeg, clock),
            "rtmp_server": _Remembered(self._knock_at_rtmp_server, clock),
            "temp_folder": _Remembered(lambda: _write_to(Path(tempfile.gettempdir())), clock),
            "log_folder": _Remembered(lambda: _write_to(settings.log_dir), clock),
        }

    def readiness(self) -> Readiness:
        """All checks, each at most REMEMBERED_S old. The capacity is always current."""
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
            return Check(False, f"{path} is missing, or is no longer executable")
        has = f"has the necessary filters and {settings.encoder.name}"
        return Check(True, f"{path}, version {installed.version(path)}, {has}")

    def _knock_at_rtmp_server(self) -> Check:
        parts = urlsplit(self._settings.rtmp_server)
        host, port = parts.hostname or "", parts.port or RTMP_PORTS[parts.scheme]
        shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        try:
            with socket.create_connection((host, port), timeout=LOOK_LIMIT_S) as connection:
                return _shake_hands(connection, shown, host if parts.scheme == "rtmps" else None)
        except OSError as error:
            return Check(False, f"{shown} cannot be reached: {error.strerror or error}")

    def _count_streams(self) -> Check:
        load = self._streams.load()
        if load.is_closing:
            return Check(False, "the service is stopping")
        return Check(load.streams < load.most, f"{load.streams} of {load.most} streams run")


def _shake_hands(connection: socket.socket, shown: str, tls_name: str | None) -> Check:
    """A server that has no room left accepts the connection all the same, and then says nothing."""
    try:
        rtmp_handshake.complete(connection, LOOK_LIMIT_S, tls_name)
    except OSError as error:
        what = f"{shown} takes the connection, but does not answer as an RTMP server does"
        return Check(False, f"{what}: {error.strerror or error}")
    return Check(True, f"{shown} answers")


class _Remembered:
    """Keeps the result of a check that may take a while. Other callers wait for it, at most LOOK_LIMIT_S."""

    def __init__(self, look: Callable[[], Check], clock: Callable[[], float]) -> None:
        self._look = look
        self._clock = clock
        self._lock = threading.Lock()
        self._known = Check(False, "is still being checked")
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
