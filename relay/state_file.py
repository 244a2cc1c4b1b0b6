"""STATE_FILE: the streams that are meant to run, so that they come back after a crash or a reboot.

Holds stream keys: mode 0600, and replaced as a whole, so that no half-written
one ever stands there. One service at a time may use it.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from errors import ConfigurationError
from relay.camera_key import KEY_PATTERN
from relay.stream_state import NAME_PATTERN
from scoring.rundown import MAX_DELAY_S

VERSION = 1
MAX_BYTES = 4_000_000
_log = logging.getLogger(__name__)


class KeptStream(BaseModel):
    """One stream as it was asked for; `begun_at` in seconds of the epoch."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    stream_name: str = Field(pattern=NAME_PATTERN)
    youtube_url: str = Field(max_length=2000, repr=False)
    backup_url: str | None = Field(default=None, max_length=2000, repr=False)
    overlay_id: str = Field(default="0", min_length=1, max_length=64)
    begun_at: float = Field(ge=0, allow_inf_nan=False)
    score_delay_s: float | None = Field(default=None, ge=0, le=MAX_DELAY_S, allow_inf_nan=False)
    camera_url: str | None = Field(default=None, max_length=2000, repr=False)
    camera_key: str | None = Field(default=None, pattern=KEY_PATTERN, repr=False)
    feed: str | None = Field(default=None, max_length=64)
    match_id: str | None = Field(default=None, min_length=1, max_length=128)


class _Content(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True)

    version: int = Field(ge=VERSION, le=VERSION)
    streams: list[KeptStream] = Field(max_length=1000)


class StateFile:
    """The kept streams, in memory and on disk. Safe to call from many threads; `close()` lets another service in."""

    def __init__(self, path: Path) -> None:
        """Raises ConfigurationError when the file cannot be used, or another service uses it."""
        self._path = path
        self._mutex = threading.Lock()
        self._write_failed = False
        with contextlib.ExitStack() as stack:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._lock = stack.enter_context(_locked(path.with_name(path.name + ".lock")))
                self._kept = {stream.stream_name: stream for stream in self._read()}
                self._write()
            except OSError as error:
                raise ConfigurationError(f"STATE_FILE: {path} cannot be used: {error.strerror}") from error
            stack.pop_all()

    @property
    def streams(self) -> list[KeptStream]:
        """Oldest first."""
        with self._mutex:
            return sorted(self._kept.values(), key=lambda stream: stream.begun_at)

    def keep(self, stream: KeptStream) -> None:
        """Add this stream, or replace the one with its name. If the disk is full, log that: the broadcast goes on."""
        with self._mutex:
            self._kept[stream.stream_name] = stream
            self._try_to_write()

    def forget(self, name: str) -> None:
        with self._mutex:
            if self._kept.pop(name, None) is not None:
                self._try_to_write()

    def close(self) -> None:
        self._lock.close()

    def _read(self) -> list[KeptStream]:
        try:
            with self._path.open("rb") as file:
                content = file.read(MAX_BYTES + 1)
        except FileNotFoundError:
            return []
        try:
            if len(content) > MAX_BYTES:
                raise ValueError("it is too large")
            return _Content.model_validate_json(content).streams
        except ValidationError as error:
            self._set_aside("; ".join(f"{_place(fault['loc'])}: {fault['msg']}" for fault in error.errors()[:3]))
        except ValueError as error:
            self._set_aside(str(error))
        return []

    def _set_aside(self, reason: str) -> None:
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        aside = self._path.with_name(f"{self._path.name}.damaged-{stamp}")
        self._path.rename(aside)
        aside.chmod(0o600)
        _log.error("STATE_FILE is damaged (%s): no stream comes back; it is kept as %s", reason, aside)

    def _try_to_write(self) -> None:
        try:
            self._write()
        except OSError as error:
            if not self._write_failed:
                _log.error("STATE_FILE cannot be written: %s; a restart would not know of the change", error.strerror)
            self._write_failed = True
            return
        self._write_failed = False

    def _write(self) -> None:
        streams = [stream.model_dump() for stream in self._kept.values()]
        content = json.dumps({"version": VERSION, "streams": streams}, indent=1).encode()
        unfinished = self._path.with_name(self._path.name + ".new")
        unfinished.unlink(missing_ok=True)
        try:
            with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(unfinished, self._path)
            _sync_folder(self._path.parent)
        except OSError:
            with contextlib.suppress(OSError):
                unfinished.unlink(missing_ok=True)
            raise


def _sync_folder(folder: Path) -> None:
    """Write the folder to disk too. Otherwise a power cut may bring the old file back."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _place(loc: tuple[Any, ...]) -> str:
    return ".".join(map(str, loc)) or "content"


def _locked(path: Path) -> IO[bytes]:
    file = path.open("ab")
    try:
        path.chmod(0o600)
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        if isinstance(error, BlockingIOError):
            raise ConfigurationError(f"STATE_FILE: another service uses {path.name.removesuffix('.lock')}") from None
        raise
    return file
