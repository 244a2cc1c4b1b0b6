"""Small pictures of what is on air, for those who look: one JPEG for each stream, made from its newest keyframe.

One thread for the service, and only while somebody looks. In each round it
hands the newest keyframes of all streams that are looked at to an FFmpeg that
lives for a tenth of a second: its start costs more than a picture. What a
round has cost says when the next one is due, so that no stream's picture takes
more than CPU_SHARE of a core, however many look.

That FFmpeg has a low priority, and is killed when it takes too long or when a
stream whose keyframe it has is stopped.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import ffmpeg
from errors import PreviewNotReady
from logging_setup import StreamLogger
from media.mpegts import Unit
from relay.process import Spawn, dies_with_its_parent

WIDTH = 480
CPU_SHARE = 0.018
MIN_INTERVAL_S, MAX_INTERVAL_S = 4.0, 15.0
LOOK_S = 20.0  # a stream that nobody asked for in this time is not looked at
FIRST_WAIT_S = 3.0
MAX_WAITING = 4  # of the service's threads: the others are for other calls
BATCH = 16
STEP_S = 0.2
POLL_S = 0.01
DECODE_LIMIT_S = 5.0
NICENESS = 10
JPEG_END = b"\xff\xd9"  # FFmpeg's JPEGs hold it nowhere else

_log = logging.getLogger(__name__)


@dataclass
class _Look:
    """A stream that is looked at.

    `was_tried` once its first picture was there, or could not be made,
    `was_awaited` once somebody waited for that in vain.
    """

    asked_at: float
    jpeg: bytes | None = None
    was_tried: bool = False
    was_awaited: bool = False


class Previews:
    """The pictures of all streams; `newest_key` gives a stream's keyframe by its name. For any thread.

    `close()` ends its thread, and the FFmpeg with it.
    """

    def __init__(
        self,
        newest_key: Callable[[str], Unit | None],
        ffmpeg_bin: str,
        clock: Callable[[], float] = time.monotonic,
        spawn: Spawn = subprocess.Popen,
    ) -> None:
        self._newest_key = newest_key
        self._ffmpeg_bin = ffmpeg_bin
        self._clock = clock
        self._spawn = spawn
        self._changed = threading.Condition()
        self._looks: dict[str, _Look] = {}
        self._waiting = 0
        self._at_work: Sequence[str] = ()
        self._abort = threading.Event()
        self._thread: threading.Thread | None = None
        self._next_round_at = 0.0
        self._closed = False

    def picture(self, name: str) -> bytes:
        """The stream's newest picture, a JPEG; a first one is awaited. Raises PreviewNotReady."""
        with self._changed:
            now = self._clock()
            look = self._looks.setdefault(name, _Look(now))
            look.asked_at = now
            self._begin(now)
            may_wait = self._waiting < MAX_WAITING and not self._closed
            if may_wait and not (look.was_tried or look.was_awaited):
                self._waiting += 1
                self._changed.wait_for(lambda: look.was_tried or self._looks.get(name) is not look, FIRST_WAIT_S)
                self._waiting -= 1
                look.was_awaited = True
            if look.jpeg is None:
                raise PreviewNotReady(f"There is no picture of stream {name} yet")
            return look.jpeg

    def forget(self, name: str) -> None:
        """Let go of a stream's picture, and end the FFmpeg that is making one."""
        with self._changed:
            self._looks.pop(name, None)
            if name in self._at_work:
                self._abort.set()
            self._changed.notify_all()
            self._changed.wait_for(lambda: name not in self._at_work, DECODE_LIMIT_S)

    def close(self) -> None:
        """End the thread and its FFmpeg. No picture is made afterwards."""
        with self._changed:
            self._closed = True
            self._looks.clear()
            self._abort.set()
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join()

    def _begin(self, now: float) -> None:
        if self._thread is None and not self._closed:
            self._next_round_at = now
            self._thread = threading.Thread(target=self._run, name="previews")
            self._thread.start()
        self._changed.notify_all()

    def _run(self) -> None:
        try:
            while (due := self._due()) is not None:
                keys = [(name, unit) for name in due if (unit := self._newest_key(name)) is not None]
                self._note_absent(set(due) - {name for name, _ in keys})
                spent_s = sum(self._make(keys[i : i + BATCH]) for i in range(0, len(keys), BATCH))
                self._rest(spent_s / len(keys) if keys else None)
        except Exception:
            _log.exception("no more previews are made until they are asked for again")
            with self._changed:
                self._thread, self._at_work = None, ()
                self._changed.notify_all()

    def _due(self) -> list[str] | None:
        """The streams that are to get a picture now; None, and this thread is over, when nobody looks any more."""
        with self._changed:
            now = self._clock()
            self._looks = {name: look for name, look in self._looks.items() if now - look.asked_at < LOOK_S}
            if self._closed or not self._looks:
                self._thread = None
                return None
            is_round = now >= self._next_round_at
            return [name for name, look in self._looks.items() if is_round or not look.was_tried]

    def _rest(self, cost_s: float | None) -> None:
        """Set the time of the next round by what a picture cost, or wait a little when there was none to make."""
        with self._changed:
            now = self._clock()
            if cost_s is None:
                self._changed.wait(STEP_S)
            elif now >= self._next_round_at:
                self._next_round_at = now + interval_s(cost_s)

    def _note_absent(self, names: set[str]) -> None:
        """Note that nothing of these streams is on air."""
        with self._changed:
            for name in names & self._looks.keys():
                self._looks[name].jpeg, self._looks[name].was_tried = None, False

    def _make(self, keys: Sequence[tuple[str, Unit]]) -> float:
        """Make the pictures of these keyframes; the seconds of CPU that it took."""
        with self._changed:
            self._abort.clear()
            keys = [(name, unit) for name, unit in keys if name in self._looks]
            self._at_work = [name for name, _ in keys]
        if not keys:
            return 0.0
        jpegs, spent_s = jpegs_of([unit.keyframe() for _, unit in keys], self._ffmpeg_bin, self._abort, self._spawn)
        with self._changed:
            # An aborted run says nothing about the other pictures of the batch.
            for name, jpeg in zip(self._at_work, jpegs, strict=True) if not self._abort.is_set() else ():
                self._note(name, jpeg)
            self._at_work = ()
            self._changed.notify_all()
        return spent_s

    def _note(self, name: str, jpeg: bytes | None) -> None:
        if look := self._looks.get(name):
            if jpeg is None and (look.jpeg is not None or not look.was_tried):
                StreamLogger(_log, name).warning("no preview: FFmpeg makes no picture of what is on air")
            look.jpeg, look.was_tried = jpeg, True


def interval_s(cost_s: float) -> float:
    """The time between two pictures of a stream that cost so many seconds of CPU each."""
    return min(max(cost_s / CPU_SHARE, MIN_INTERVAL_S), MAX_INTERVAL_S)


def jpegs_of(
    keyframes: Sequence[bytes], ffmpeg_bin: str, abort: threading.Event, spawn: Spawn = subprocess.Popen
) -> tuple[list[bytes | None], float]:
    """A JPEG of each keyframe, None for one that cannot be decoded; the seconds of CPU that it took."""
    try:
        output, spent_s = _decode(keyframes, ffmpeg_bin, abort, spawn)
    except OSError as error:
        _log.debug("no preview: %s", error)
        output, spent_s = b"", 0.0
    jpegs: list[bytes | None] = [part + JPEG_END for part in output.split(JPEG_END)[:-1]]
    if len(jpegs) == len(keyframes):
        return jpegs, spent_s
    if len(keyframes) == 1 or abort.is_set():
        return [None] * len(keyframes), spent_s
    # Nobody can tell which picture is missing.
    singly = [jpegs_of([keyframe], ffmpeg_bin, abort, spawn) for keyframe in keyframes]
    return [jpegs[0] for jpegs, _ in singly], spent_s + sum(spent for _, spent in singly)


def _decode(keyframes: Sequence[bytes], ffmpeg_bin: str, abort: threading.Event, spawn: Spawn) -> tuple[bytes, float]:
    argv = dies_with_its_parent([ffmpeg_bin, *ffmpeg.preview_args(len(keyframes), WIDTH)])
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as target:
        source.writelines(keyframes)
        source.seek(0)
        process = spawn(argv, stdin=source, stdout=target, stderr=subprocess.DEVNULL, start_new_session=True)
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, process.pid, NICENESS)
        spent_s = _reap(process, abort)
        target.seek(0)
        return target.read(), spent_s


def _reap(process: subprocess.Popen[bytes], abort: threading.Event) -> float:
    """Wait for its end, or kill it. Returns the seconds of CPU that it took."""
    deadline = time.monotonic() + DECODE_LIMIT_S
    while (ended := os.wait4(process.pid, os.WNOHANG))[0] == 0:
        if abort.wait(POLL_S) or time.monotonic() > deadline:
            os.killpg(process.pid, signal.SIGKILL)
            ended = os.wait4(process.pid, 0)
            break
    _, status, usage = ended
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime
