"""FFmpeg: its command lines, one running FFmpeg, how it is ended, why it ended.

The argv builders are pure. `FFmpegProcess` is one attempt: one life of one
FFmpeg, from spawn to reaping; who starts another is not decided here, and
nothing here knows of streams or scores.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import shutil
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO

from errors import ConfigurationError
from graphics.layout import Canvas
from media.causes import Cause
from media.destination import Destination
from media.encoders import Encoder
from media.profiles import AUDIO_BITRATE_KBPS, AUDIO_CHANNELS, AUDIO_RATE_HZ, OutputProfile

# Slate and compositor follow each other on timelines far apart: a jump that
# FFmpeg's MPEG-TS reader joins without a hole. Forward ones under 10 s it would
# wait out; that of a successor of the same kind goes backward, which it joins.
SLATE_OFFSET_S = 0
COMPOSITOR_OFFSET_S = 50_000
# The overlay's lag is a fixed number of queued pictures. At a rate that the frames'
# is a multiple of there is one picture for each frame's time, and none has to wait
# for the next: 0.08 s, and 0.15 s at 25 a second.
OVERLAY_RATE = 30
# What x264 looks ahead at before its first frame, given to it at once; one in hardware does not.
SLATE_HEAD_START_S = 0.6
# Enough to see the sound of a camera that sends it from the start. All that comes
# meanwhile is a backlog, and a sound that begins later is heard by the listener.
INGEST_ANALYZE_US = 800_000
# nginx-rtmp gives a new player the sound at once and the picture from the next
# keyframe on. FFmpeg stops sooner, as soon as it has both.
PATIENT_ANALYZE_US = 12_000_000
NO_PICTURE_YET = "the camera sends no picture yet"
# The publisher opens its input for this long at most: with the defaults 5 s. The
# bytes must hold a whole keyframe and the sound behind it (a 720p one of a
# detailed picture is 150 KB), or it finds no sound and gives up.
PUBLISHER_ANALYZE_US = 500_000
PUBLISHER_PROBE_S = 2
PUBLISHER_IO_TIMEOUT_US = 10_000_000
# What the kernel keeps for a destination that reads slowly: with its own choice, 4 MB
# and 16 s of delay at 2 Mbit/s, and as long before a dead one is noticed.
PUBLISHER_SEND_BUFFER_S = 1
CHECK_TIMEOUT_S = 10

POLITE_WAIT_S = 1.5
TERMINATE_WAIT_S = 1.0
KILL_WAIT_S = 1.0
POLL_S = 0.02

KEPT_LINES = 20
MAX_LINE_BYTES = 2_000

_log = logging.getLogger(__name__)
_ERROR_LINE = re.compile(r"\[(?:error|fatal)\] (\w.*)")

_SOUND_MAPPING = re.compile(r"Stream #(\d+):\d+ -> #0:1\b")
_NO_CONNECTION = re.compile(r"Connection to \S+ failed: (.+)")


@dataclass(frozen=True)
class Fault:
    """What is wrong with a destination, in words and as a cause to count."""

    words: str
    cause: Cause


_FAULTS = {
    "Failed to resolve hostname": Fault("the destination's host name is not known", Cause.UNREACHABLE),
    "Cannot open connection": Fault("the destination cannot be reached", Cause.UNREACHABLE),
    "RTMP handshake": Fault("the destination closes the connection before the RTMP handshake", Cause.CLOSED),
    "Connection timed out": Fault("the destination takes no data", Cause.STUCK),
}
_CLOSED = ("Input/output error", "Broken pipe", "Connection reset by peer", "End of file")
CLOSES_SOON_S = 10.0
REFUSED = Fault("the destination closes the connection right after publish: check the stream key", Cause.REFUSED)

_GLOBAL = ("-hide_banner", "-nostdin", "-nostats", "-loglevel", "level+info")
# Filters shared out to threads wait for each other more than they work: 4 % of the transcode's CPU.
_FILTER_THREADS = ("-filter_complex_threads", "1")


def compositor_args(
    ingest_url: str,
    overlay_path: Path,
    canvas: Canvas,
    profile: OutputProfile,
    encoder: Encoder,
    *,
    sound: bool = True,
    patient: bool = False,
) -> list[str]:
    """Camera and overlay to MPEG-TS on stdout; without `sound`, silence whatever the camera has.

    A `patient` one awaits a picture behind the sound; one that is not soon takes
    what there is, which is right for a camera without sound.
    """
    return [
        *_GLOBAL,
        *_FILTER_THREADS,
        *encoder.device_args,
        *([] if sound else ["-an"]),
        *_ingest_args(ingest_url, PATIENT_ANALYZE_US if patient else INGEST_ANALYZE_US),
        *overlay_input(overlay_path),
        *_SILENCE,
        "-filter_complex",
        _picture_filter(canvas, profile) + encoder.last_filters,
        # Gaps in the camera's sound become silence instead of drift.
        *("-af", "aresample=async=1000"),
        # Ends with the camera's picture: the silence and the overlay never would.
        "-shortest",
        *encoder.args(profile),
        *_audio_args(),
        *_transport_args(COMPOSITOR_OFFSET_S),
    ]


def slate_args(
    picture_path: Path,
    overlay_path: Path,
    canvas: Canvas,
    profile: OutputProfile,
    encoder: Encoder,
    *,
    head_start_s: float = SLATE_HEAD_START_S,
) -> list[str]:
    """A still picture with the same overlay and silence, encoded as the compositor does, in real time.

    Its first `head_start_s` of picture is made at once, so that the encoder has
    a frame to give before so much time has gone by.
    """
    size, rate = f"{profile.width}x{profile.height}", profile.frame_rate
    if not encoder.looks_ahead:
        head_start_s = 0.0
    # A time line that begins before 0 is what -re runs through without waiting; the filters move it back.
    early = ["-itsoffset", str(-head_start_s)]
    return [
        *_GLOBAL,
        *_FILTER_THREADS,
        *encoder.device_args,
        # -re: nothing else paces a generated picture. The still is decoded once and laid over it.
        *("-re", *early, "-f", "lavfi", "-i", f"color=c=black:s={size}:r={rate}"),
        *("-f", "image2", "-pattern_type", "none", "-i", str(picture_path)),
        *early,
        *overlay_input(overlay_path),
        *("-re", *early, "-f", "lavfi", "-i", f"anullsrc=channel_layout=stereo:sample_rate={AUDIO_RATE_HZ}"),
        "-filter_complex",
        f"[0:v:0][1:v:0]overlay=format=yuv420[slate];[2:v:0]{_OVERLAY_FILTER}[overlay];"
        f"[slate][overlay]overlay=x=0:y={canvas.top}:format=yuv420,{_TAGS},setpts=PTS+{head_start_s}/TB"
        + encoder.last_filters,
        *("-af", f"asetpts=PTS+{head_start_s}/TB"),
        *encoder.args(profile),
        *_audio_args(),
        *_transport_args(SLATE_OFFSET_S),
    ]


def listener_args(ingest_url: str) -> list[str]:
    """One line on stdout for each packet of the camera's sound, of any codec; ends when there is no track of it."""
    return [
        *_GLOBAL,
        *("-vn", *_ingest_args(ingest_url), "-map", "0:a:0", "-c", "copy"),
        *("-f", "framecrc", "-flush_packets", "1", "pipe:1"),
    ]


def preview_args(count: int, width: int) -> list[str]:
    """So many H.264 keyframes on stdin, one after the other, to as many JPEGs of this width on stdout."""
    return [
        *("-hide_banner", "-nostdin", "-loglevel", "error"),
        *("-threads", "1", "-probesize", "32", "-analyzeduration", "1", "-fpsprobesize", "0"),
        *("-f", "h264", "-i", "pipe:0", "-frames:v", str(count), "-fps_mode", "passthrough"),
        # A JPEG is full range and of BT.601's matrix, whatever the video is.
        *("-vf", f"scale={width}:-2:flags=area:out_range=pc:out_color_matrix=bt601", "-filter_threads", "1"),
        *("-c:v", "mjpeg", "-threads", "1", "-q:v", "4", "-f", "image2pipe", "pipe:1"),
    ]


def _ingest_args(url: str, analyze_us: int = INGEST_ANALYZE_US) -> list[str]:
    return [
        # Without guessing the camera's rate the probing ends as soon as picture and
        # sound are known: on air 1 s sooner, and 1 s less of old picture at the start.
        *("-fpsprobesize", "0", "-analyzeduration", str(analyze_us)),
        *("-thread_queue_size", "512"),
        *("-i", url),
    ]


def overlay_input(path: Path) -> list[str]:
    """The overlay as an input that shows each new picture at once."""
    return [
        # image2 opens the path anew for each picture; without it a rename is never seen.
        *("-f", "image2", "-pattern_type", "none", "-loop", "1"),
        *("-framerate", str(OVERLAY_RATE)),
        # Every queued picture is an old picture.
        *("-threads", "1", "-thread_queue_size", "1"),
        *("-i", str(path)),
    ]


# One channel and the last input: FFmpeg takes the sound with the most channels,
# of equals the first, so any sound of the camera goes before this.
_SILENCE = ("-f", "lavfi", "-i", f"anullsrc=channel_layout=mono:sample_rate={AUDIO_RATE_HZ}")


# The palette's own conversion knows BT.601 alone. Nothing is scaled: other flags would weigh neighbours for nothing.
_OVERLAY_FILTER = "format=rgba,scale=flags=neighbor:out_color_matrix=bt709:out_range=tv,format=yuva420p"

# Range, matrix and aspect are pinned, so that no camera changes the encoder's headers.
_TAGS = "setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709"


def _picture_filter(canvas: Canvas, profile: OutputProfile) -> str:
    """Fit the camera's picture into the profile, pad it, lay the overlay on it.

    Its output stays unlabelled on purpose: only then does FFmpeg choose the sound by itself.
    """
    width, height, rate = profile.width, profile.height, profile.frame_rate
    fit = (
        f"scale=w='min({width},2*trunc({height}*dar/2))':h='min({height},2*trunc({width}/dar/2))'"
        ":out_range=tv:out_color_matrix=bt709"
    )
    return (
        f"[0:v:0]{fit},format=yuv420p,pad={width}:{height}:-1:-1,setsar=1,fps={rate}[camera];"
        f"[1:v:0]{_OVERLAY_FILTER}[overlay];"
        f"[camera][overlay]overlay=x=0:y={canvas.top}:format=yuv420:shortest=1,{_TAGS}"
    )


def _audio_args() -> list[str]:
    return [
        *("-c:a", "aac", "-b:a", f"{AUDIO_BITRATE_KBPS}k"),
        *("-ar", str(AUDIO_RATE_HZ), "-ac", str(AUDIO_CHANNELS)),
    ]


def _transport_args(offset_s: int) -> list[str]:
    return [
        *("-muxdelay", "0", "-muxpreload", "0", "-flush_packets", "1"),
        # With its length written down, a frame's end is known without awaiting the next.
        *("-omit_video_pes_length", "0"),
        *("-output_ts_offset", str(offset_s)),
        *("-f", "mpegts", "pipe:1"),
    ]


def publisher_args(destination: Destination, key_fd: int | None, profile: OutputProfile) -> list[str]:
    """MPEG-TS on stdin to the destination, copied.

    With `key_fd` the stream key is read from there (see `publisher_preset`) and
    so shows in no process title; without it stands on the command line. FFmpeg
    prints it in neither case, as it would a URL.
    """
    if key_fd is None:
        key = ["-rtmp_app", destination.application, "-rtmp_playpath", destination.stream_key]
    else:
        key = ["-fpre", f"/dev/fd/{key_fd}"]
    return [
        *_GLOBAL,
        *("-probesize", str(PUBLISHER_PROBE_S * profile.bytes_per_second)),
        *("-analyzeduration", str(PUBLISHER_ANALYZE_US)),
        *("-fflags", "+discardcorrupt"),
        *("-f", "mpegts", "-i", "pipe:0"),
        *("-c", "copy", "-map", "0:v:0", "-map", "0:a:0"),
        *("-f", "flv", "-flvflags", "no_duration_filesize", "-flush_packets", "1"),
        *("-rw_timeout", str(PUBLISHER_IO_TIMEOUT_US)),
        *("-send_buffer_size", str(PUBLISHER_SEND_BUFFER_S * profile.bytes_per_second)),
        *key,
        destination.server_url,
    ]


def publisher_preset(destination: Destination) -> bytes:
    """The options that name application and stream key, as an FFmpeg preset file."""
    return f"rtmp_app={destination.application}\nrtmp_playpath={destination.stream_key}\n".encode()


def says_input_is_open(line: str) -> bool:
    """True for the line that FFmpeg prints when all inputs are open and the tracks are chosen."""
    return "Stream mapping:" in line


def says_output_is_open(line: str) -> bool:
    """True for the line that FFmpeg prints when it has connected and written the header."""
    return "Output #0" in line


def sound_source(line: str) -> str | None:
    """`camera` or `silence`, from the line in which a compositor says where its sound comes from."""
    match = _SOUND_MAPPING.search(line)
    return None if match is None else "camera" if match[1] == "0" else "silence"


def destination_fault(
    lines: Sequence[str], published_for_s: float | None, *, key_is_good: bool = False
) -> Fault | None:
    """What a publisher's last lines say of its destination; None when they say nothing of it.

    `published_for_s` is None for one that never got so far. A refused key and a
    lost network end in the same words of FFmpeg; only how far it came tells them
    apart, and whether the key was taken before.
    """
    text = "\n".join(lines)
    if match := _NO_CONNECTION.search(text):
        return Fault(f"the destination cannot be reached: {match[1]}", Cause.UNREACHABLE)
    for words, fault in _FAULTS.items():
        if words in text:
            return fault
    if not any(word in text for word in _CLOSED):
        return None
    is_soon = published_for_s is None or published_for_s < CLOSES_SOON_S
    return REFUSED if is_soon and not key_is_good else Fault("the destination closed the connection", Cause.CLOSED)


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
    """As `find_ffmpeg`, of one that can encode with this encoder here."""
    path = find_ffmpeg(ffmpeg_bin)
    try_encoder(path, encoder, profile)
    return path


def try_encoder(path: str, encoder: Encoder, profile: OutputProfile) -> None:
    """Encode a quarter of a second as on air; ConfigurationError gives FFmpeg's reason when that does not work here."""
    size, rate = f"{profile.width}x{profile.height}", profile.frame_rate
    argv = [
        *_GLOBAL,
        *encoder.device_args,
        *("-f", "lavfi", "-i", f"testsrc2=s={size}:r={rate}"),
        *("-filter_complex", f"[0:v:0]format=yuv420p,{_TAGS}{encoder.last_filters}"),
        *("-frames:v", str(rate // 4), *encoder.args(profile)),
        *_transport_args(SLATE_OFFSET_S),
    ]
    fault = f"VIDEO_ENCODER: {encoder.name} does not work here: "
    try:
        ended = subprocess.run(
            [path, *argv], stdin=subprocess.DEVNULL, capture_output=True, timeout=CHECK_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise ConfigurationError(f"{fault}no picture within {CHECK_TIMEOUT_S} s") from None
    if ended.returncode == 0 and ended.stdout:
        return
    if _missing(path, "-encoders", (encoder.name,)):  # whose options it does not know either
        raise ConfigurationError(f"{fault}{path} lacks it")
    # The first error is the cause, those behind it are what follows from it.
    error_line = _ERROR_LINE.search(ended.stderr.decode(errors="replace"))
    raise ConfigurationError(fault + (error_line[1] if error_line else f"FFmpeg's exit status {ended.returncode}"))


@lru_cache(maxsize=8)
def version(path: str) -> str:
    """As this FFmpeg tells it ("5.1.9-0+deb12u1"); "unknown" when it does not."""
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
    return 0.0 if has_burst else SLATE_HEAD_START_S


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
        """The descriptor of `stdin`, `stdout` or `stderr`; its owner stays this object."""
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
        # A wrapper script may end before its FFmpeg; until it is reaped the group's id is its own.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._popen.wait()
        return True

    def take_stderr(self, data: bytes) -> list[str]:
        """Add what was read from stderr; the lines it completed, each at most MAX_LINE_BYTES long."""
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
        errors = [match[1] for line in self._lines if (match := _ERROR_LINE.search(line))]
        if not errors:
            return f"exit status {status}"
        if "matches no streams" in errors[-1]:
            return NO_PICTURE_YET
        return f"exit status {status}: {errors[-1]}"

    @property
    def ending(self) -> Cause:
        """`cause()` as a word to count; what its owner knows may be better."""
        if self.cause() == NO_PICTURE_YET:
            return Cause.NO_PICTURE
        return Cause.KILLED if (self._popen.returncode or 0) < 0 else Cause.EXITED

    @property
    def last_lines(self) -> tuple[str, ...]:
        """The last of what it printed."""
        return tuple(self._lines)

    def ask_to_end(self) -> None:
        """The polite step: end of input for a publisher, SIGTERM for the rest."""
        self._asked_to_end = self._asked_to_end or not self.has_ended()
        if self._popen.stdin is not None:
            with contextlib.suppress(OSError):
                self._popen.stdin.close()
        else:
            self.signal(signal.SIGTERM)

    def signal(self, number: signal.Signals) -> None:
        """To the whole process group, while the leader is not reaped and its id still its own."""
        if not self.has_ended():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._popen.pid, number)

    def kill(self) -> None:
        """End it now, and reap it: for one that has nothing to say goodbye to."""
        self.signal(signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(KILL_WAIT_S)

    def close(self) -> None:
        """Give the pipes back; only for a process that has ended."""
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
