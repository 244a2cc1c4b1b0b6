"""The life of one stream.

A stream begins on the caller's thread, up to the first overlay. From then on
its supervisor thread owns all of it (monitor, switch, FFmpegs, temporary
files) and ends all of it, whatever the reason: a stop, its longest duration,
or a fault of its own.

What goes on air is `picture.py`'s business, where it goes `delivery.py`'s; a
stream steps both and says what they make together.

Knows nothing of HTTP, and spells no FFmpeg flags.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal

from config import Settings
from errors import (
    StreamStopped,
    WorkFolderUnusable,
)
from logging_setup import FFMPEG_LOGGER, StreamLogger, redact
from media.io_loop import Lane
from media.mpegts import Unit
from media.switch import Switch
from relay.children import Child, Surroundings
from relay.delivery import CONNECTED
from relay.destinations import Destinations
from relay.match_side import MatchSide
from relay.own_rate import OwnRate
from relay.picture import Picture
from relay.process import end_processes
from relay.reporting import Reporting
from relay.request import Machinery, StreamRequest, Which
from relay.stream_log import StreamLog
from relay.stream_state import (
    FAILED,
    STOPPING,
    States,
    StateTrack,
    StreamStatus,
    states_of,
    words,
)
from scoring.feeds.following import FeedDesk
from scoring.feeds.named import NamedFeed
from scoring.match_api import Connections

QUEUE_S = 2.0  # a publisher may lag this far behind; then it skips to the next keyframe
STEP_S = 0.2
# A stop takes at most: 3.5 s for the children, beside the farewell, then the monitor's join.
FAREWELL_LIMIT_S = 2.5
JOIN_LIMIT_S = 1.0


class Stream:
    """One match on air, from its start call until nothing of it is left.

    `stop_event` asks it to end, `gone` says that all is gone; one that
    `is_unwanted` is not to come back after a restart of the service.
    """

    def __init__(
        self,
        request: StreamRequest,
        settings: Settings,
        folder: Path,
        machinery: Machinery,
        lane: Lane,
        connections: Connections,
        desk: FeedDesk,
        on_gone: Callable[[Stream], None],
    ) -> None:
        self.request = request
        self.stop_event = threading.Event()
        self.gone = threading.Event()
        self.has_begun = self.has_failed = self.is_unwanted = False
        self._wake = threading.Event()
        self._desired: Literal["run", "stop"] = "run"
        self._failure: str | None = None
        self._settings = settings
        self._folder = folder
        self._machinery = machinery
        self._lane = lane
        self._on_gone = on_gone
        self._log = StreamLogger(logging.getLogger(__name__), request.name)
        self._secrets = (*request.secrets, *settings.ingest_secrets)
        now, wall_now = machinery.clock(), machinery.wall_clock()
        self.begun_at = wall_now if request.begun_at is None else min(request.begun_at, wall_now)
        started_at = now - (wall_now - self.begun_at)
        self.log = StreamLog(machinery.clock, machinery.wall_clock)
        self.match = MatchSide(request, settings, folder, self.stop_event, machinery, connections, desk, self.log)
        queue_bytes = int(QUEUE_S * settings.profile.bytes_per_second)
        self._switch = Switch(lane, queue_bytes, self._wake.set, machinery.clock)
        around = Surroundings(
            lane,
            settings.ffmpeg_bin,
            machinery.clock,
            machinery.spawn,
            self._wake.set,
            self._log,
            StreamLogger(logging.getLogger(FFMPEG_LOGGER), request.name),
        )
        self.picture = Picture(
            request.name,
            settings,
            folder,
            self.match.overlay_file,
            self.match.canvas,
            lambda: self.match.title,
            self._switch,
            around,
            request.camera,
        )
        self.destinations = Destinations(request, settings, self._switch, around, self._wake.set)
        self._own_rate = OwnRate(settings, self.picture, self.destinations, self._log)
        self._state = StateTrack()
        self.reporting = Reporting(
            started_at, machinery.clock, self._state, self._switch, self.picture, self.destinations, self.match
        )
        self._supervisor = threading.Thread(target=self._supervise, name=f"stream-{request.name}")

    @property
    def _children(self) -> tuple[Child, ...]:
        return (*self.destinations.children, *self.picture.children)

    def begin(self) -> None:
        """Start monitoring, draw the first overlay, start the threads; clean up when that fails."""
        redact.add(self._secrets)
        try:
            self.match.start_monitoring()
            self._draw_first_pictures()
            if self.stop_event.is_set():
                raise StreamStopped(f"Stream {self.request.name} was stopped while it started")
            self.match.start()
            self._supervisor.start()
        except BaseException:
            self.stop_event.set()
            self.match.stop_monitoring()
            self.match.join(JOIN_LIMIT_S)
            self._give_back()
            raise
        self.has_begun = True
        self._log.info("started to %s", self.request.destination)
        self.log.note("operator", f"started to {self.request.destination.masked_url}")

    def delay_score(self, delay_s: float) -> None:
        """From now on show score and banners this much later than they arrive. Any thread."""
        self.request = replace(self.request, score_delay_s=delay_s)
        self.log.note("operator", f"score delay set to {delay_s:g} s")
        self.match.set_delay(delay_s)

    def change_feed(self, feed: NamedFeed | None, match_id: str | None) -> None:
        """From now on ask this feed, or, with None, the match API, for this match. Any thread."""
        self.request = replace(self.request, feed=feed, match_id=match_id)
        redact.add(feed.secrets if feed else ())
        self.log.note("operator", f"score from {feed.name if feed else 'the match API'}, match {self.request.match}")
        self.match.change_feed(self.request)

    def go_on(self, which: Which) -> None:
        """Take a destination, or take it back. From then on this process looks after the match. Any thread."""
        self.match.may_be_monitored = self.match.has_data
        self.destinations.go_on(which)

    def leave(self) -> None:
        """As `ask_to_stop`, after another process has taken the stream over: the match stays monitored."""
        self.match.may_be_monitored = False
        self.ask_to_stop()

    @property
    def newest_key(self) -> Unit | None:
        """The newest keyframe on air, with its tables. Any thread."""
        return self._switch.newest_key

    def ask_to_stop(self) -> None:
        """Let the supervisor end it; returns at once."""
        self._desired = "stop"
        self.stop_event.set()
        self._wake.set()

    def status(self) -> StreamStatus:
        """As of the supervisor's last step. Any thread."""
        return self.reporting.status(self.request.name, self._desired)

    def _draw_first_pictures(self) -> None:
        try:
            self.match.first_overlay()
            self.picture.prepare_slate()
        except OSError as error:
            raise WorkFolderUnusable(f"The temporary folder cannot be written: {error.strerror}") from error

    def _supervise(self) -> None:
        try:
            while not self.stop_event.is_set():
                self._step()
                self._wake.wait(STEP_S)
                self._wake.clear()
        except Exception as error:
            self._log.exception("the supervisor failed; the stream ends")
            self._fail(f"an internal error ended it ({type(error).__name__}); the log says more")
        finally:
            self._end()

    def _step(self) -> None:
        """Look once at the stream's age, its picture and its destinations."""
        now = self._machinery.clock()
        if self.reporting.uptime_s >= self._settings.max_stream_duration_s:
            self._fail("it has lasted MAX_STREAM_DURATION_S")
            return
        self.destinations.step(now)
        self.picture.step(now)
        self._own_rate.step(now)
        picture, primary = self.picture.status, self.destinations.primary
        if primary.state == CONNECTED:
            self.log.video_began()
        troubles = [trouble for trouble in (picture.trouble, primary.reason) if trouble]
        self._observe(states_of(picture.on_air, primary.state, self._state.states), "; ".join(troubles) or None)

    def _fail(self, reason: str) -> None:
        self._log.error("ends: %s", reason)
        self.has_failed = self.is_unwanted = True
        self._failure = reason
        self.stop_event.set()

    def _observe(self, states: States, reason: str | None) -> None:
        if self._state.move(states, reason):
            self._log.info("is %s%s", words(states), f": {reason}" if reason else "")
            self.log.note("state", f"{words(states)}{f': {reason}' if reason else ''}")

    def _end(self) -> None:
        """End everything, on the supervisor's thread, side by side where it takes time."""
        self.stop_event.set()
        self._observe(STOPPING, self._failure)
        try:
            farewell = _Farewell(self.match.stop_monitoring, f"farewell-{self.request.name}")
            self._end_children()
            if not (farewell.join() & self.match.join(JOIN_LIMIT_S)):
                self._log.error("a thread of this stream outlives it; it ends when its network call does")
        except Exception:
            self._log.exception("not all of the stream could be ended")
        finally:
            if self.has_failed:
                self._observe(FAILED, self._failure)
            try:
                self._give_back()
            finally:
                self._on_gone(self)
                self.gone.set()
                self._log.info("stopped")

    def _end_children(self) -> None:
        running = [(child, child.process) for child in self._children if child.process]
        try:
            self.destinations.prepare_to_end()
        finally:
            for process in end_processes([process for _, process in running]):
                self._log.error("%s, pid %d, outlived SIGKILL", process.role, process.pid)
            for child, _ in running:
                child.close()

    def _give_back(self) -> None:
        with contextlib.ExitStack() as all_of_it:  # all of them, even if one raises
            all_of_it.callback(redact.remove, self._secrets)
            all_of_it.callback(shutil.rmtree, self._folder, ignore_errors=True)
            all_of_it.callback(self.match.close)
            all_of_it.callback(self._lane.close)


class _Farewell:
    """Asks the match API to stop, on a thread beside the stopping; waits for it as long as a stop may take."""

    def __init__(self, tell: Callable[[], None], name: str) -> None:
        self._deadline = time.monotonic() + FAREWELL_LIMIT_S
        self._thread = threading.Thread(target=tell, name=name, daemon=True)
        self._thread.start()

    def join(self) -> bool:
        """True if the match API was told, or the attempt was given up."""
        self._thread.join(max(0.0, self._deadline - time.monotonic()))
        return not self._thread.is_alive()
