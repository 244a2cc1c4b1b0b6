"""Log handlers, their format, and the masking of stream keys.

There are two rotating files: `application.log` for the service and `ffmpeg.log`
for what FFmpeg prints. Each line names its stream (`-` if there is none). Keys
are masked in the formatter, as the last step, so that no message, traceback or
FFmpeg output can avoid it.
"""

from __future__ import annotations

import logging
import logging.handlers
import re
import threading
from collections.abc import Iterable, MutableMapping
from pathlib import Path
from typing import Any

from errors import ConfigurationError
from media.destination import MASK

MAX_FILE_BYTES = 10_000_000
KEPT_FILES = 5
# Shorter keys are masked only in URLs: anywhere else they would mask ordinary words.
SHORTEST_BARE_SECRET = 4
FFMPEG_LOGGER = "ffmpeg.output"

_LINE = "%(asctime)s %(levelname)s [%(stream)s] %(name)s: %(message)s"
# Everything after the application in an RTMP URL counts as a key, also the camera's stream name.
_RTMP_KEY = re.compile(r"(rtmps?://[^\s/'\"]+/[^\s/'\"]+/)[^\s'\"]+", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Redactor:
    """Masks the stream keys that running streams have registered, and any key in an RTMP URL."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._secrets: tuple[str, ...] = ()

    def add(self, secrets: Iterable[str]) -> None:
        kept = [secret for secret in secrets if len(secret) >= SHORTEST_BARE_SECRET]
        with self._lock:
            # Longest first: one key may be the beginning of another.
            self._secrets = tuple(sorted((*self._secrets, *kept), key=len, reverse=True))

    def remove(self, secrets: Iterable[str]) -> None:
        """Forget one registration of each. A key that two streams share stays masked."""
        with self._lock:
            remaining = list(self._secrets)
            for secret in secrets:
                if secret in remaining:
                    remaining.remove(secret)
            self._secrets = tuple(remaining)

    def __call__(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        return _RTMP_KEY.sub(rf"\1{MASK}", text)


redact = Redactor()


class StreamLogger(logging.LoggerAdapter[logging.Logger]):
    """A logger that puts the stream's name on every line."""

    def __init__(self, logger: logging.Logger, stream: str) -> None:
        super().__init__(logger, {"stream": stream})

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        kwargs["extra"] = self.extra
        return msg, kwargs


class _RedactingFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        if not hasattr(record, "stream"):
            record.stream = "-"
        return redact(_CONTROL.sub("?", super().format(record)))


def set_up_logging(log_dir: Path, level: str) -> None:
    """Send the service's log to `application.log` and the console, FFmpeg's output to `ffmpeg.log`."""
    try:
        log_dir.mkdir(parents=True, exist_ok=True)
        application = _rotating(log_dir / "application.log")
        ffmpeg = _rotating(log_dir / "ffmpeg.log")
    except OSError as error:
        raise ConfigurationError(f"LOG_DIR: cannot write to {log_dir}: {error.strerror}") from error
    console = logging.StreamHandler()
    console.setFormatter(_RedactingFormatter(_LINE))
    _take_over(logging.getLogger(), [application, console], level)
    _take_over(logging.getLogger(FFMPEG_LOGGER), [ffmpeg], "INFO")
    logging.getLogger(FFMPEG_LOGGER).propagate = False


def set_up_console_logging(level: str) -> None:
    """Send both logs to stderr, for a process of a cluster: its node keeps and rotates that."""
    console = logging.StreamHandler()
    console.setFormatter(_RedactingFormatter(_LINE))
    _take_over(logging.getLogger(), [console], level)
    _take_over(logging.getLogger(FFMPEG_LOGGER), [], "INFO")


def _rotating(path: Path) -> logging.Handler:
    handler = logging.handlers.RotatingFileHandler(
        path, maxBytes=MAX_FILE_BYTES, backupCount=KEPT_FILES, encoding="utf-8", errors="replace"
    )
    handler.setFormatter(_RedactingFormatter(_LINE))
    return handler


def _take_over(logger: logging.Logger, handlers: list[logging.Handler], level: str) -> None:
    for old in logger.handlers[:]:
        logger.removeHandler(old)
        old.close()
    for handler in handlers:
        logger.addHandler(handler)
    logger.setLevel(level)
