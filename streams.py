"""The registry of streams, and the life of one stream.

A stream is begun by `StreamRegistry.start()` on the caller's thread, up to the
first overlay. From then on its supervisor thread owns all of it (monitor,
switch, FFmpegs, temporary files) and ends all of it, whatever the reason: a
stop, its longest duration, or a fault of its own.

Three children run a stream: the compositor (camera and overlay to MPEG-TS),
the publisher (MPEG-TS to the destination) and, while the camera is away, the
slate in the compositor's place. Each is started again when it dies, after a
wait that grows and is capped; the others stay.

The camera is away while the compositor gives no frames for STALL_TIMEOUT_S.
The slate is made ready a little before that, goes on air at that time, and
goes off when a compositor has its first keyframe.

Knows nothing of HTTP, and spells no FFmpeg flags.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import ffmpeg
import slate
from backoff import Backoff
from config import Settings
from destination import Destination
from errors import (
    FeedError,
    ImageRejected,
    MonitoringFailed,
    NoCapacity,
    StopTimedOut,
    StreamAlreadyActive,
    StreamNotFound,
    StreamStopped,
)
from io_loop import READ_BYTES, IoLoop
from layout import canvas_of
from logging_setup import FFMPEG_LOGGER, StreamLogger, redact
from match_api import MatchApi
from match_monitor import MatchMonitor
from overlay import OverlayFile
from presenter import Presenter
from rundown import Rundown
from switch import Switch
from workdir import WorkDir

COMPOSITOR_LONGEST_WAIT_S = 5.0  # a camera that is back should not wait long
PUBLISHER_LONGEST_WAIT_S = 30.0
PUBLISHER_STALL_S = 8.0
QUEUE_S = 2.0  # of output that a publisher may lag before it is dropped to a keyframe
STEP_S = 0.2
SLATE_LEAD_S = 1.0  # a slate needs 0.7 s to its first frame
# A stop takes at most: 3.5 s for the children, beside the farewell, then the monitor's join.
FAREWELL_LIMIT_S = 2.5
JOIN_LIMIT_S = 1.0
STOP_LIMIT_S = 6.0
# FFmpeg may repeat one complaint thirty times a second for hours.
LOG_BURST_LINES = 200
LOG_LINES_PER_S = 2.0


@dataclass(frozen=True)
class StreamRequest:
    """What a caller asks for; already validated."""

    name: str
    destination: Destination
    overlay_id: str = "0"


@dataclass(frozen=True)
class StreamSnapshot:
    """What is told of a stream; `uptime_s` counts from its start call."""

    name: str
    youtube_url: str
    uptime_s: float


@dataclass(frozen=True)
class Machinery:
    """What a stream uses of the outside; tests put their own in."""

    clock: Callable[[], float] = time.monotonic
    spawn: ffmpeg.Spawn = subprocess.Popen


class StreamRegistry:
    """All streams of this service, by name. Safe to call from many threads."""

    def __init__(self, settings: Settings, machinery: Machinery | None = None) -> None:
        self._settings = settings
        self._machinery = machinery or Machinery()
        self._lock = threading.Lock()
        self._streams: dict[str, Stream] = {}
        self._work: WorkDir | None = None
        self._closed = False

    def start(self, request: StreamRequest) -> None:
        """Put a stream on air; returns when its match is monitored and its first overlay stands.

        Raises StreamAlreadyActive, NoCapacity, MonitoringFailed or, when a stop
        came in between, StreamStopped; nothing is left of the stream then.
        """
        stream = self._reserve(request)
        try:
            stream.begin()
        except BaseException:
            self._remove(request.name)
            stream.gone.set()
            raise

    def stop(self, name: str) -> None:
        """End a stream; when this returns nothing of it is left. Raises StreamNotFound, StopTimedOut."""
        with self._lock:
            stream = self._streams.get(name)
        if stream is None:
            raise StreamNotFound("Stream not found")
        stream.stop_event.set()
        stream.wake.set()
        if not stream.gone.wait(STOP_LIMIT_S):
            raise StopTimedOut(f"Stream {name} did not end within {STOP_LIMIT_S:g} s")

    def snapshots(self) -> list[StreamSnapshot]:
        """The streams on air, oldest first."""
        with self._lock:
            streams = list(self._streams.values())
        return [stream.snapshot() for stream in streams if stream.has_begun]

    def close(self) -> None:
        """End all streams side by side, and refuse new ones."""
        with self._lock:
            self._closed = True
            streams = list(self._streams.values())
        for stream in streams:
            stream.stop_event.set()
            stream.wake.set()
        for stream in streams:
            stream.gone.wait(STOP_LIMIT_S)
        if self._work:
            self._work.close()

    def _reserve(self, request: StreamRequest) -> Stream:
        with self._lock:
            if request.name in self._streams:
                raise StreamAlreadyActive("Stream already active")
            most = self._settings.max_concurrent_streams
            if self._closed or len(self._streams) >= most:
                reason = "the service is stopping" if self._closed else f"{most} streams run (MAX_CONCURRENT_STREAMS)"
                raise NoCapacity(f"No capacity left: {reason}")
            if self._work is None:
                self._work = WorkDir()
            folder = self._work.new_folder()
            try:
                stream = Stream(request, self._settings, folder, self._machinery, self._remove)
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
            self._streams[request.name] = stream
            return stream

    def _remove(self, name: str) -> None:
        with self._lock:
            self._streams.pop(name, None)


class Stream:
    """One match on air, from its start call until nothing of it is left.

    `stop_event` asks it to end, `wake` makes its supervisor look up, `gone`
    says that all is gone.
    """

    def __init__(
        self,
        request: StreamRequest,
        settings: Settings,
        folder: Path,
        machinery: Machinery,
        on_gone: Callable[[str], None],
    ) -> None:
        self.request = request
        self.stop_event = threading.Event()
        self.wake = threading.Event()
        self.gone = threading.Event()
        self.has_begun = False
        self._may_be_monitored = False
        self._settings = settings
        self._folder = folder
        self._machinery = machinery
        self._on_gone = on_gone
        self._log = StreamLogger(logging.getLogger(__name__), request.name)
        self._output = StreamLogger(logging.getLogger(FFMPEG_LOGGER), request.name)
        self._started_at = machinery.clock()
        self._overlay_file = OverlayFile(folder / "overlay.png")
        self._canvas = canvas_of(settings.profile)
        self._api = self._match_api(self.stop_event)
        self._presenter = Presenter(
            request.name,
            self._canvas,
            self._overlay_file,
            Rundown(settings.score_stale_s, settings.score_lost_s, settings.score_delay_s),
            settings.overlay_theme,
            self.stop_event,
            machinery.clock,
        )
        self._monitor = MatchMonitor(
            request.name,
            settings.overlay_source,
            self._api,
            self._presenter,
            settings.poll_interval_s,
            self.stop_event,
            machinery.clock,
            settings.score_stale_s,
            settings.overs_per_innings or None,
        )
        self._loop = IoLoop(f"switch-{request.name}")
        queue_bytes = int(QUEUE_S * settings.profile.bytes_per_second)
        self._switch = Switch(self._loop, queue_bytes, self.wake.set, machinery.clock)
        self._camera_was_on_air = False
        self._told_on_air: str | None = None
        self._compositor = _Child("compositor", Backoff(COMPOSITOR_LONGEST_WAIT_S))
        self._slate = _Child("slate", Backoff(COMPOSITOR_LONGEST_WAIT_S))
        self._publisher = _Child("publisher", Backoff(PUBLISHER_LONGEST_WAIT_S))
        self._supervisor = threading.Thread(target=self._supervise, name=f"stream-{request.name}")

    def begin(self) -> None:
        """Start monitoring, draw the first overlay, start the threads; clean up when that fails."""
        redact.add(self.request.destination.secrets)
        try:
            self._start_monitoring()
            self._monitor.first_overlay()
            if self.stop_event.is_set():
                raise StreamStopped(f"Stream {self.request.name} was stopped while it started")
            self._loop.start()
            self._monitor.start()
            self._supervisor.start()
        except BaseException:
            self.stop_event.set()
            self._stop_monitoring()
            self._monitor.join(JOIN_LIMIT_S)
            self._give_back()
            raise
        self.has_begun = True
        self._log.info("started to %s", self.request.destination)

    def snapshot(self) -> StreamSnapshot:
        uptime_s = self._machinery.clock() - self._started_at
        return StreamSnapshot(self.request.name, self.request.destination.url, uptime_s)

    def _match_api(self, cancelled: threading.Event) -> MatchApi:
        settings = self._settings
        return MatchApi(settings.overlay_api_base, settings.overlay_image_base, settings.match_data_path, cancelled)

    def _start_monitoring(self) -> None:
        if not self._api.has_data:
            return
        self._may_be_monitored = True
        try:
            self._api.start_monitoring(self.request.name, self.request.overlay_id)
        except FeedError as error:
            # A question without an answer may still have been heard.
            self._may_be_monitored = error.kind in ("timeout", "cancelled")
            if error.kind == "cancelled":
                raise StreamStopped(f"Stream {self.request.name} was stopped while it started") from None
            self._log.error("match monitoring did not start: %s", error)
            raise MonitoringFailed("Failed to start match monitoring") from error

    def _stop_monitoring(self) -> None:
        """Best effort: the match API's trouble is not the stream's."""
        if not self._may_be_monitored:
            return
        api = self._match_api(threading.Event())  # its own: the stream's is cancelled by the stop
        try:
            api.stop_monitoring(self.request.name)
        except FeedError as error:
            self._log.warning("the match API was not told to stop monitoring: %s", error)
        finally:
            api.close()

    def _supervise(self) -> None:
        try:
            while not self.stop_event.is_set():
                self._step()
                self.wake.wait(STEP_S)
                self.wake.clear()
        except Exception:
            self._log.exception("the supervisor failed; the stream ends")
        finally:
            self._end()

    def _step(self) -> None:
        """Look once at the stream's age, at each child, and at which source should be on air."""
        now = self._machinery.clock()
        if now - self._started_at >= self._settings.max_stream_duration_s:
            self._log.error("ends: it has lasted MAX_STREAM_DURATION_S")
            self.stop_event.set()
            return
        for child in self._children:
            if child.process is not None and child.process.has_ended():
                self._bury(child, child.process, now)
        self._end_stalled_compositor(now)
        self._end_stuck_publisher(now)
        self._keep_running(self._publisher, self._spawn_publisher, now)
        self._keep_running(self._compositor, self._spawn_compositor, now)
        self._step_slate(now)
        self._tell_what_is_on_air()

    @property
    def _children(self) -> tuple[_Child, ...]:
        return (self._publisher, self._compositor, self._slate)

    def _keep_running(self, child: _Child, spawn: Callable[[], ffmpeg.FFmpegProcess], now: float) -> None:
        if child.process is None and now >= child.next_start_at:
            self._start_child(child, spawn, now)

    def _frame_at(self, child: _Child) -> float | None:
        return self._switch.frame_at(child.process.fd("stdout")) if child.process else None

    def _camera_silence_s(self, now: float) -> float:
        """Since the compositor's newest frame; endless while it has given none."""
        frame_at = self._frame_at(self._compositor)
        return float("inf") if frame_at is None else now - frame_at

    def _end_stalled_compositor(self, now: float) -> None:
        """RTMP servers keep an idle player: only another compositor will see the camera return."""
        compositor, silence_s = self._compositor.process, self._camera_silence_s(now)
        if compositor is None or silence_s == float("inf") or silence_s < self._settings.stall_timeout_s:
            return
        self._log.warning("no frames from the camera for %.1f s", silence_s)
        self._end_child(self._compositor, compositor)
        self._compositor.next_start_at = now

    def _end_stuck_publisher(self, now: float) -> None:
        """A destination that accepts and then reads no more would hold its FFmpeg for good."""
        process = self._publisher.process
        since = self._switch.stuck_since(process.fd("stdin")) if process else None
        if process is None or since is None or now - since < PUBLISHER_STALL_S:
            return
        self._log.warning("the destination takes no data for %.0f s: the connection is made anew", now - since)
        process.kill()
        self._bury(self._publisher, process, now)

    def _step_slate(self, now: float) -> None:
        stall_s, silence_s = self._settings.stall_timeout_s, self._camera_silence_s(now)
        if silence_s < stall_s - min(SLATE_LEAD_S, stall_s / 2):
            if self._slate.process is not None:
                self._end_child(self._slate, self._slate.process)
            return
        self._keep_running(self._slate, self._spawn_slate, now)
        running = self._slate.process
        if running is None or self._frame_at(self._slate) is None or silence_s < stall_s:
            return
        if self._switch.on_air != running.fd("stdout"):
            self._switch.put_on_air(running.fd("stdout"))

    def _tell_what_is_on_air(self) -> None:
        on_air = self._switch.on_air
        sources = (self._compositor, self._slate)
        role = next((child.role for child in sources if child.process and child.process.fd("stdout") == on_air), None)
        if role in (None, self._told_on_air):
            return
        self._told_on_air = role
        if role == self._slate.role:
            self._log.info("the slate is on air")
        else:
            self._camera_was_on_air = True
            self._log.info("the camera's picture is on air")

    def _start_child(self, child: _Child, spawn: Callable[[], ffmpeg.FFmpegProcess], now: float) -> None:
        child.attempts += 1
        child.started_at = now
        try:
            process = spawn()
        except OSError as error:
            child.next_start_at = now + child.backoff.next_wait_s(0)
            self._log.error("%s cannot be started: %s", child.role, error.strerror)
            return
        child.process = process
        child.log_budget = _LineBudget(self._machinery.clock)
        self._loop.call(
            self._loop.read_from, process.fd("stderr"), lambda data: self._take_stderr(child, process, data)
        )
        if child is self._publisher:
            self._switch.add_publisher(process.fd("stdin"))
        else:
            self._switch.add_source(process.fd("stdout"), self.wake.set, takes_over=child is self._compositor)
        self._log.info("%s attempt %d started, pid %d", child.role, child.attempts, process.pid)

    def _spawn_compositor(self) -> ffmpeg.FFmpegProcess:
        settings = self._settings
        argv = ffmpeg.compositor_args(
            f"{settings.rtmp_server}/{self.request.name}",
            self._overlay_file.path,
            self._canvas,
            settings.profile,
            settings.x264_preset,
        )
        return self._spawn("compositor", argv, stdin=False, stdout=True)

    def _spawn_slate(self) -> ffmpeg.FFmpegProcess:
        settings = self._settings
        text = settings.slate_back_text if self._camera_was_on_air else settings.slate_waiting_text
        title = settings.slate_title or self._monitor.match_title
        try:
            picture = slate.draw_slate(settings.profile, title, text, settings.slate_image)
        except ImageRejected as error:  # it was there when the service started
            self._log.error("%s; the plain slate is shown", error)
            picture = slate.draw_slate(settings.profile, title, text)
        path = self._folder / "slate.png"
        picture.save(path)
        argv = ffmpeg.slate_args(path, self._overlay_file.path, self._canvas, settings.profile, settings.x264_preset)
        return self._spawn("slate", argv, stdin=False, stdout=True)

    def _spawn_publisher(self) -> ffmpeg.FFmpegProcess:
        destination, profile = self.request.destination, self._settings.profile
        if not ffmpeg.reads_presets(self._settings.ffmpeg_bin):
            return self._spawn("publisher", ffmpeg.publisher_args(destination, None, profile), stdin=True, stdout=False)
        key_fd, write_fd = os.pipe()
        try:
            os.write(write_fd, ffmpeg.publisher_preset(destination))
            os.close(write_fd)
            argv = ffmpeg.publisher_args(destination, key_fd, profile)
            return self._spawn("publisher", argv, stdin=True, stdout=False, pass_fds=(key_fd,))
        finally:
            os.close(key_fd)

    def _spawn(
        self, role: str, argv: list[str], *, stdin: bool, stdout: bool, pass_fds: tuple[int, ...] = ()
    ) -> ffmpeg.FFmpegProcess:
        self._log.debug("%s argv: %s", role, argv)
        return ffmpeg.FFmpegProcess(
            role,
            [self._settings.ffmpeg_bin, *argv],
            stdin=stdin,
            stdout=stdout,
            pass_fds=pass_fds,
            spawn=self._machinery.spawn,
        )

    def _bury(self, child: _Child, process: ffmpeg.FFmpegProcess, now: float) -> None:
        """A child died on its own: say why, and set the time of the next attempt."""
        self._close_ended(child, process)
        wait_s = child.backoff.next_wait_s(now - child.started_at)
        child.next_start_at = now + wait_s
        self._log.warning("%s ended (%s); next attempt in %.1f s", child.role, process.cause(), wait_s)

    def _end_child(self, child: _Child, process: ffmpeg.FFmpegProcess) -> None:
        """End a source that is not needed any more."""
        self._log.info("%s attempt %d is ended", child.role, child.attempts)
        process.kill()
        self._close_ended(child, process)

    def _detach(self, child: _Child, process: ffmpeg.FFmpegProcess) -> None:
        """Take the child from the switch, before its pipes are closed."""
        if child is not self._publisher:
            self._switch.remove_source(process.fd("stdout"))
        elif process.takes_input:
            missed = self._switch.remove_publisher(process.fd("stdin"))
            if missed:
                self._log.info("the publisher missed %d frames of picture or sound, being new or slow", missed)

    def _last_words(self, child: _Child, process: ffmpeg.FFmpegProcess) -> None:
        """Read the rest of its stderr: it says why it ended."""
        fd = process.fd("stderr")

        def read() -> None:
            self._loop.stop_reading(fd)
            # Another process may hold the pipe open: what is not there now is not awaited.
            with contextlib.suppress(BlockingIOError):
                while data := os.read(fd, READ_BYTES):
                    self._take_stderr(child, process, data)

        self._loop.call(read)

    def _take_stderr(self, child: _Child, process: ffmpeg.FFmpegProcess, data: bytes) -> None:
        """On the loop's thread: FFmpeg's output to its log, so many lines and no more."""
        if not data:
            self.wake.set()
            return
        for line in process.take_stderr(data):
            left_out = child.log_budget.take()
            if left_out is None:
                continue
            if left_out:
                self._output.warning("%s %d: (%d lines left out)", child.role, child.attempts, left_out)
            self._output.info("%s %d: %s", child.role, child.attempts, line)

    def _end(self) -> None:
        """End everything, on the supervisor's thread, side by side where it takes time."""
        self.stop_event.set()
        try:
            farewell = _Farewell(self._stop_monitoring, f"farewell-{self.request.name}")
            self._end_children()
            if not (farewell.join() & self._monitor.join(JOIN_LIMIT_S)):
                self._log.error("a thread of this stream outlives it; it ends when its network call does")
        except Exception:
            self._log.exception("not all of the stream could be ended")
        finally:
            try:
                self._give_back()
            finally:
                self._on_gone(self.request.name)
                self.gone.set()
                self._log.info("stopped")

    def _end_children(self) -> None:
        running = [(child, child.process) for child in self._children if child.process]
        try:
            for child, process in running:
                if child is self._publisher:  # its input is about to be closed; the sources are drained on
                    self._detach(child, process)
        finally:
            for process in ffmpeg.end_processes([process for _, process in running]):
                self._log.error("%s, pid %d, outlived SIGKILL", process.role, process.pid)
            for child, process in running:
                self._close_ended(child, process)

    def _close_ended(self, child: _Child, process: ffmpeg.FFmpegProcess) -> None:
        """Part with a child that has ended; trouble in that is logged and ends nothing else."""
        child.process = None
        try:
            self._detach(child, process)
            self._last_words(child, process)
        except Exception:
            self._log.exception("%s, pid %d, was not detached", process.role, process.pid)
        finally:
            process.close()

    def _give_back(self) -> None:
        self._loop.close()
        self._api.close()
        shutil.rmtree(self._folder, ignore_errors=True)
        redact.remove(self.request.destination.secrets)


class _Child:
    """One of a stream's FFmpegs through all its attempts; the supervisor's alone."""

    def __init__(self, role: str, backoff: Backoff) -> None:
        self.role = role
        self.backoff = backoff
        self.process: ffmpeg.FFmpegProcess | None = None
        self.attempts = 0
        self.started_at = 0.0
        self.next_start_at = 0.0
        self.log_budget = _LineBudget(time.monotonic)


class _Farewell:
    """The match API is told to stop on a thread beside the stopping; joined for as long as that may take."""

    def __init__(self, tell: Callable[[], None], name: str) -> None:
        self._deadline = time.monotonic() + FAREWELL_LIMIT_S
        self._thread = threading.Thread(target=tell, name=name, daemon=True)
        self._thread.start()

    def join(self) -> bool:
        """True when it has been told, or the attempt was given up."""
        self._thread.join(max(0.0, self._deadline - time.monotonic()))
        return not self._thread.is_alive()


class _LineBudget:
    """A burst of log lines, then so many a second."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._left = float(LOG_BURST_LINES)
        self._at = clock()
        self._left_out = 0

    def take(self) -> int | None:
        """How many lines were left out before this one, or None when this one is left out, too."""
        now = self._clock()
        self._left = min(LOG_BURST_LINES, self._left + (now - self._at) * LOG_LINES_PER_S)
        self._at = now
        if self._left < 1:
            self._left_out += 1
            return None
        self._left -= 1
        left_out, self._left_out = self._left_out, 0
        return left_out
