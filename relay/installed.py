"""Which FFmpeg is installed here, and what it can do.

Each question is asked of the program itself; the answers that are asked for more
than once are kept.
"""

from __future__ import annotations

import logging
import re
import shutil
import subprocess
from collections.abc import Iterable
from functools import lru_cache

import ffmpeg
from errors import ConfigurationError
from media.encoders import Encoder
from media.profiles import OutputProfile

CHECK_TIMEOUT_S = 10

_log = logging.getLogger(__name__)


def find_ffmpeg(ffmpeg_bin: str) -> str:
    """The path of an FFmpeg that has what is needed; ConfigurationError says what it lacks."""
    path = shutil.which(ffmpeg_bin)
    if path is None:
        raise ConfigurationError(f"FFMPEG_BIN: {ffmpeg_bin} is not found, or is not executable")
    missing = _missing(path, "-encoders", ("aac",))
    missing += _missing(path, "-filters", ("overlay", "scale", "fps", "pad", "setparams"))
    if missing:
        raise ConfigurationError(f"FFMPEG_BIN: {path} lacks {', '.join(missing)}")
    if not reads_presets(path):
        _log.warning("this FFmpeg takes stream keys on its command line only: `ps` shows them on this machine")
    return path


def find_working_ffmpeg(ffmpeg_bin: str, encoder: Encoder, profile: OutputProfile) -> str:
    """As `find_ffmpeg`, for an FFmpeg that can use this encoder on this machine."""
    path = find_ffmpeg(ffmpeg_bin)
    try_encoder(path, encoder, profile)
    return path


def try_encoder(path: str, encoder: Encoder, profile: OutputProfile) -> None:
    """Encode a quarter of a second as on air; ConfigurationError gives FFmpeg's reason when that does not work here."""
    fault = f"VIDEO_ENCODER: {encoder.name} does not work here: "
    try:
        ended = subprocess.run(
            [path, *ffmpeg.trial_args(profile, encoder)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=CHECK_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ConfigurationError(f"{fault}no picture within {CHECK_TIMEOUT_S} s") from None
    if ended.returncode == 0 and ended.stdout:
        return
    if _missing(path, "-encoders", (encoder.name,)):  # whose options it does not know either
        raise ConfigurationError(f"{fault}{path} lacks it")
    # The first error is the cause, those behind it are what follows from it.
    reason = ffmpeg.error_in(ended.stderr.decode(errors="replace"))
    raise ConfigurationError(fault + (reason or f"FFmpeg's exit status {ended.returncode}"))


@lru_cache(maxsize=8)
def version(path: str) -> str:
    """The version that this FFmpeg reports ("5.1.9-0+deb12u1"), or "unknown"."""
    try:
        words = _ask_ffmpeg(path, "-version").split()
    except ConfigurationError:
        return "unknown"
    return words[2] if words[:2] == ["ffmpeg", "version"] and len(words) > 2 else "unknown"


@lru_cache(maxsize=8)
def reads_presets(path: str) -> bool:
    """True when this FFmpeg takes muxer and protocol options from a preset file.

    5.1 does; 9.0 reads the file and forgets what it said. Asked of FFmpeg by a
    preset that changes what a muxer prints.
    """
    argv = [path, "-v", "error", "-f", "lavfi", "-i", "anullsrc", "-t", "0.01"]
    try:
        said = subprocess.run(
            [*argv, "-f", "hash", "-fpre", "/dev/stdin", "pipe:1"],
            input=b"hash=md5\n",
            capture_output=True,
            timeout=CHECK_TIMEOUT_S,
            check=False,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return False
    return said.startswith(b"MD5=")


@lru_cache(maxsize=8)
def slate_head_start_s(path: str) -> float:
    """What `slate_args` needs with this FFmpeg: from 6.1 on they begin each `-re` input with a burst of their own."""
    try:
        has_burst = "-readrate_initial_burst" in _ask_ffmpeg(path, "-h", "long")
    except ConfigurationError:
        has_burst = False
    return 0.0 if has_burst else ffmpeg.SLATE_HEAD_START_S


def _missing(path: str, question: str, names: Iterable[str]) -> list[str]:
    """Which of these are not in the list that FFmpeg gives."""
    answer = _ask_ffmpeg(path, question)
    return [name for name in names if not re.search(rf"\s{name}\s", answer)]


def _ask_ffmpeg(path: str, *question: str) -> str:
    try:
        return subprocess.run(
            [path, "-hide_banner", *question],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=CHECK_TIMEOUT_S,
            check=True,
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise ConfigurationError(
            f"FFMPEG_BIN: {path} does not answer {' '.join(question)}: {type(error).__name__}"
        ) from None
