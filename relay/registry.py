"""The registry of streams: all of one machine, by name.

A stream is begun by `StreamRegistry.start()` on the caller's thread, up to the
first overlay; what it does from then on is `stream.py`'s business. What every
registry offers, also that of a cluster, is `Registry`.

Knows nothing of HTTP.
"""

from __future__ import annotations

import contextlib
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from config import Settings
from errors import (
    NoCapacity,
    SameDestination,
    StopTimedOut,
    StreamAlreadyActive,
    StreamNotFound,
    StreamStopped,
)
from media.destination import clash
from media.io_loop import IoLoop
from media.mpegts import Unit
from relay.camera_key import Admission, judge
from relay.failures import Failures
from relay.preview import Previews
from relay.publishers import CameraEvent
from relay.request import Machinery, Meters, StreamRequest, StreamSnapshot
from relay.restoring import LastScore, Restoring
from relay.state_file import StateFile
from relay.stream import Stream
from relay.stream_state import (
    StreamStatus,
)
from relay.workdir import FirstUseWorkDir
from scoring.feeds.files import FileOrder
from scoring.feeds.following import FeedDesk
from scoring.feeds.named import FindFeed, NamedFeed, lost_feed
from scoring.match_api import Connections
from scoring.newest import PUSH
from scoring.scoreboard import Scoreboard

STOP_LIMIT_S = 6.0


@dataclass(frozen=True)
class NodeLoad:
    """One machine of a cluster.

    `cpus` and those `free` are as the cluster counts them, `streams` those that
    it carries, `room` how many more fit. `busy` is its load average a core,
    None while no stream runs there to tell it.
    """

    name: str
    cpus: float
    free: float
    streams: int
    room: int
    busy: float | None
    is_draining: bool


@dataclass(frozen=True)
class Load:
    """How many streams there are, how many there may be, and, in a cluster, on what nodes."""

    streams: int
    most: int
    is_closing: bool
    nodes: tuple[NodeLoad, ...] = ()


@contextlib.contextmanager
def counted_start(meters: Meters, clock: Callable[[], float]) -> Iterator[None]:
    """Report to the meters how the start in this block ends, and how long it takes."""
    began_at, outcome = clock(), "failed"
    try:
        yield
        outcome = "started"
    except (StreamAlreadyActive, SameDestination, NoCapacity):
        outcome = "refused"
        raise
    except StreamStopped:
        outcome = "stopped"
        raise
    finally:
        meters.started(outcome, clock() - began_at)


class Registry(Protocol):
    """All streams of a service, by name, wherever they run. Safe to call from many threads.

    What each call does and raises is said at `StreamRegistry`.
    """

    def start(self, request: StreamRequest) -> None: ...
    def restore(self) -> None: ...
    def stop(self, name: str) -> None: ...
    def snapshots(self) -> list[StreamSnapshot]: ...
    def statuses(self) -> list[StreamStatus]: ...
    def status(self, name: str) -> StreamStatus: ...
    def dismiss(self, name: str) -> None: ...
    def push(self, name: str, board: Scoreboard, source: str = PUSH) -> bool: ...
    def confirm_score(self, name: str) -> bool: ...
    def push_file(self, name: str, kind: str, content: bytes, order: FileOrder | None) -> bool | None: ...
    def delay_score(self, name: str, delay_s: float) -> None: ...
    def change_feed(self, name: str, feed: NamedFeed | None, match_id: str | None) -> None: ...
    def overlay_png(self, name: str) -> bytes: ...
    def match(self, name: str) -> dict[str, Any]: ...
    def on_screen(self, name: str) -> dict[str, Any]: ...
    def log(self, name: str, after: int) -> list[dict[str, Any]]: ...
    def preview(self, name: str) -> bytes: ...
    def admission(self, name: str, key: str) -> Admission: ...
    def camera_key(self, name: str) -> str | None: ...
    def camera_event(self, name: str, event: CameraEvent) -> None: ...
    def load(self) -> Load: ...
    def close(self) -> None: ...


class StreamRegistry:
    """All streams of this process, by name. Safe to call from many threads."""

    def __init__(
        self,
        settings: Settings,
        machinery: Machinery | None = None,
        state_file: StateFile | None = None,
        find_feed: FindFeed = lost_feed,
        last_score: LastScore = lambda _name: None,
    ) -> None:
        self._settings = settings
        self._machinery = machinery or Machinery()
        self._lock = threading.Lock()
        self._streams: dict[str, Stream] = {}
        self._failures = Failures(self._machinery.clock)
        self._restoring = Restoring(state_file, self.start, settings, self._machinery.wall_clock, find_feed, last_score)
        self._work = FirstUseWorkDir()
        self._loop = IoLoop("switch")
        self._connections = Connections(settings.ca_file)
        self._desk = FeedDesk(
            settings.data_dir,
            settings.allowed_feed_hosts,
            settings.ca_file,
            self._machinery.clock,
            self._machinery.wall_clock,
        )
        self._capacity = settings.capacity
        self._closed = False
        self._previews = Previews(self._newest_key, settings.ffmpeg_bin, self._machinery.clock, self._machinery.spawn)

    def start(self, request: StreamRequest) -> None:
        """Put a stream on air; returns when its match is monitored and its first overlay is drawn.

        Raises StreamAlreadyActive, SameDestination, NoCapacity, MonitoringFailed, WorkFolderUnusable
        or, when a stop came in between, StreamStopped; nothing is left of the stream then.
        """
        with counted_start(self._machinery.meters, self._machinery.clock):
            stream = self._start(request)
        self._restoring.keep(stream)

    def _start(self, request: StreamRequest) -> Stream:
        stream = self._reserve(request)
        try:
            stream.begin()
        except BaseException:
            self._remove(stream)
            stream.gone.set()
            raise
        return stream

    def restore(self) -> None:
        """Begin the streams of the state file again, side by side. One that cannot begin stays in the file."""
        self._restoring.begin()

    def stop(self, name: str) -> None:
        """End a stream; when this returns nothing of it is left. Raises StreamNotFound, StopTimedOut."""
        with self._lock:
            stream = self._streams.get(name)
        self._restoring.forget(name)  # also if the stream could not come back
        if stream is None:
            raise StreamNotFound("Stream not found")
        stream.is_unwanted = True
        asked_at, meters = self._machinery.clock(), self._machinery.meters
        stream.ask_to_stop()
        is_gone = stream.gone.wait(STOP_LIMIT_S)
        meters.stopped("stopped" if is_gone else "timed_out", self._machinery.clock() - asked_at)
        if not is_gone:
            raise StopTimedOut(f"Stream {name} did not end within {STOP_LIMIT_S:g} s")

    def snapshots(self) -> list[StreamSnapshot]:
        """The streams on air, oldest first."""
        with self._lock:
            streams = list(self._streams.values())
        return [stream.reporting.snapshot(stream.request) for stream in streams if stream.has_begun]

    def statuses(self) -> list[StreamStatus]:
        """All that is known of the streams on air, oldest first, then of those that failed lately."""
        with self._lock:
            streams = list(self._streams.values())
        running = [stream.status() for stream in streams if stream.has_begun]
        names = {status.name for status in running}
        return running + [status for status in self._failures.statuses if status.name not in names]

    def status(self, name: str) -> StreamStatus:
        """All that is known of one stream, also of one that failed. Raises StreamNotFound."""
        stream = self._begun(name)
        status = stream.status() if stream else self._failures.get(name)
        if status is None:
            raise StreamNotFound("Stream not found")
        return status

    def dismiss(self, name: str) -> None:
        """Take a failed stream off the list. Raises StreamNotFound, or StreamAlreadyActive when it runs."""
        with self._lock:
            if name in self._streams:
                raise StreamAlreadyActive("Stream already active")
            if not self._failures.forget(name):
                raise StreamNotFound("Stream not found")

    def push(self, name: str, board: Scoreboard, source: str = PUSH) -> bool:
        """Put a scoreboard on the overlay; False when it is older than the one there. Raises StreamNotFound."""
        return self.running(name).match.push(board, source)

    def confirm_score(self, name: str) -> bool:
        """The scorer's score still holds; False if the stream knows no score. Raises StreamNotFound."""
        return self.running(name).match.confirm_score()

    def push_file(self, name: str, kind: str, content: bytes, order: FileOrder | None) -> bool | None:
        """As `push`, of a scoring program's file; None as long as it names no side.

        Raises InvalidField and FileOvertaken, too.
        """
        return self.running(name).match.push_file(kind, content, order).is_shown

    def delay_score(self, name: str, delay_s: float) -> None:
        """Show the stream's score and banners this much later than they arrive. Raises StreamNotFound."""
        stream = self.running(name)
        stream.delay_score(delay_s)
        self._restoring.keep(stream)

    def change_feed(self, name: str, feed: NamedFeed | None, match_id: str | None) -> None:
        """Ask this feed for this match from now on; None is the match API. Raises StreamNotFound."""
        stream = self.running(name)
        stream.change_feed(feed, match_id)
        self._restoring.keep(stream)

    def overlay_png(self, name: str) -> bytes:
        """The stream's overlay as it is now. Raises StreamNotFound."""
        return self.running(name).match.overlay_png

    def match(self, name: str) -> dict[str, Any]:
        """The newest state of its match in the own shape, and its source. Raises StreamNotFound, NoScoreYet."""
        return self.running(name).match.newest

    def on_screen(self, name: str) -> dict[str, Any]:
        """What its viewers see over the picture, in words. Raises StreamNotFound."""
        return self.running(name).match.on_screen

    def log(self, name: str, after: int) -> list[dict[str, Any]]:
        """What happened to it after the entry of this number. Raises StreamNotFound."""
        return self.running(name).log.entries(after)

    def admission(self, name: str, key: str) -> Admission:
        """Whether a camera with this key may publish under this name.

        NO_STREAM unless a stream of this name starts, runs, or is about to come back after a restart.
        """
        admission = self._restoring.admission(name, key)
        if admission != Admission.NO_STREAM:
            return admission
        with self._lock:
            stream = self._streams.get(name)
        if stream is None or stream.is_unwanted:
            return Admission.NO_STREAM
        return judge(stream.request.camera_key, key)

    def camera_key(self, name: str) -> str | None:
        """The key that the stream's camera must give; None if it needs none. Raises StreamNotFound."""
        return self.running(name).request.camera_key

    def preview(self, name: str) -> bytes:
        """A small JPEG of what is on air. Raises StreamNotFound, PreviewNotReady."""
        self.running(name)
        return self._previews.picture(name)

    def camera_event(self, name: str, event: CameraEvent) -> None:
        """The RTMP server reports a connection that publishes as this name; nothing for a name that is not there."""
        if stream := self._begun(name):
            stream.picture.publishers.hear(event)

    def load(self) -> Load:
        """How full the service is."""
        with self._lock:
            return Load(len(self._streams), self._capacity.streams, self._closed)

    def close(self) -> None:
        """End all streams side by side, and refuse new ones. They stay in the state file, to come back."""
        with self._lock:
            self._closed = True
            streams = list(self._streams.values())
        self._previews.close()
        for stream in streams:
            stream.ask_to_stop()
        for stream in streams:
            stream.gone.wait(STOP_LIMIT_S)
        self._restoring.join(STOP_LIMIT_S)
        self._work.close()

    def _begun(self, name: str) -> Stream | None:
        with self._lock:
            stream = self._streams.get(name)
        return stream if stream is not None and stream.has_begun else None

    def _newest_key(self, name: str) -> Unit | None:
        return stream.newest_key if (stream := self._begun(name)) else None

    def running(self, name: str) -> Stream:
        """The stream itself, for the process that runs it. Raises StreamNotFound."""
        if stream := self._begun(name):
            return stream
        raise StreamNotFound("Stream not found")

    def _reserve(self, request: StreamRequest) -> Stream:
        with self._lock:
            if request.name in self._streams:
                raise StreamAlreadyActive("Stream already active")
            if self._closed:
                raise NoCapacity("No capacity left: the service is stopping")
            if len(self._streams) >= self._capacity.streams:
                count = len(self._streams)
                running = "1 stream runs" if count == 1 else f"{count} streams run"
                raise NoCapacity(f"No capacity left: {running}, and {self._capacity.because}")
            others = [(name, one.request.destinations) for name, one in self._streams.items() if not one.is_unwanted]
            if other := clash(request.destinations, others):
                raise SameDestination.of(other)
            with contextlib.ExitStack() as undo:
                folder = self._work.new_folder()
                undo.callback(shutil.rmtree, folder, ignore_errors=True)
                lane = self._loop.lane()
                undo.callback(lane.close)
                outside = (self._connections, self._desk)
                stream = Stream(request, self._settings, folder, self._machinery, lane, *outside, self._remove)
                undo.pop_all()
            self._streams[request.name] = stream
            self._failures.forget(request.name)
            return stream

    def _remove(self, stream: Stream) -> None:
        name = stream.request.name
        if stream.has_begun:
            self._machinery.meters.ended("failed" if stream.has_failed else "stopped")
        if stream.has_failed:
            self._failures.add(stream.status())
            self._restoring.forget(name)
        with self._lock:
            self._streams.pop(name, None)
        self._previews.forget(name)
