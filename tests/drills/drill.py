"""One drill: a camera, the service, a "YouTube", its viewer, and what is measured between them."""

from __future__ import annotations

import bisect
import contextlib
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import requests

from deploy.rtmp_server import RtmpServer, free_port
from tests.drills.cameras import FFmpegCamera, ScriptedCamera
from tests.drills.clock_picture import RATE, RECORDED_S, SeenFrame
from tests.drills.proxy import TcpProxy
from tests.drills.report import Row
from tests.drills.watcher import Watcher
from tests.drills.youtube import APPLICATION, YouTube
from tests.service import FFMPEG, MakeService, Rtmp, Service, started_with
from tests.waiting import eventually

LIVE = "live"
NAME = "m1"
STALL_S = 2.0
ON_AIR_LIMIT_S = 40
# The time over which figures before and after a fault are taken.
SETTLED_S = 3.0
# A waiting web server and its client keep a few sockets.
SPARE_DESCRIPTORS = 3


@dataclass(frozen=True)
class Held:
    """What the service has: threads, open descriptors, files in its temporary folder."""

    threads: int
    descriptors: int
    files: int


class Drill:
    """Started by `begin()`, ended by `end()`. `close()` ends whatever is still there."""

    def __init__(
        self,
        rtmp: Rtmp,
        youtube: YouTube,
        make_service: MakeService,
        clock_recording: Path,
        folder: Path,
        add_row: Callable[[Row], None],
    ) -> None:
        self.youtube = youtube
        self.folder = folder
        self.clock_recording = clock_recording
        self.way_in = TcpProxy(rtmp.server.port)  # between camera and server
        self._rtmp = rtmp
        self._make_service = make_service
        self._add_row = add_row
        self._stack = contextlib.ExitStack()
        self._cameras = self._stack.enter_context(contextlib.ExitStack())
        self._stack.callback(self.way_in.close)

    def row(self, fault: str, target: str) -> Row:
        row = Row(fault, target)
        self._add_row(row)
        return row

    def begin(
        self, *, hooks: bool = False, body: dict[str, str] | None = None, proxied: bool = False, **settings: str
    ) -> None:
        """Start the service and a stream. The viewer connects before the stream starts.

        `proxied`: the service reaches its RTMP server by `way_out`.
        """
        ingest_port = self._rtmp.server.port
        if hooks:
            port, ingest_port = free_port(), free_port()
            self._own_ingest(ingest_port, f"127.0.0.1:{port}")
            settings |= {"port": str(port), "rtmp_server": f"rtmp://127.0.0.1:{ingest_port}/{LIVE}"}
        self.ingest_port = ingest_port
        if proxied:
            self.way_out = TcpProxy(ingest_port)
            self._stack.callback(self.way_out.close)
            settings["rtmp_server"] = f"rtmp://127.0.0.1:{self.way_out.port}/{LIVE}"
        self.one: Service = self._make_service(**settings)
        self.held_before = self.held()
        self.key = f"key-of-{NAME}"
        self.viewer = self.watch(self.youtube.port, APPLICATION, self.key)
        self.camera_side = self.watch(ingest_port, LIVE, NAME)
        self._start(body or {})

    def start_again(self) -> None:
        """Start another stream under the same name, after `end()`."""
        self._start({})

    def _start(self, body: dict[str, str]) -> None:
        psutil.cpu_percent()  # measured from now on
        self.begun_at = time.monotonic()
        answer = self.one.post("/start_stream", {"youtube_url": self.youtube.url(self.key), "stream_name": NAME} | body)
        assert answer.status_code == 200, answer.text
        self.start_took_s = time.monotonic() - self.begun_at

    def _own_ingest(self, port: int, hooks: str) -> None:
        folder = self.folder / "ingest"
        folder.mkdir()
        server = RtmpServer(folder, "127.0.0.1", port, [LIVE], hooks=hooks)
        self._stack.callback(server.close)
        self.way_in.close()
        self.way_in = TcpProxy(port)
        self._stack.callback(self.way_in.close)

    def watch(self, port: int, application: str, name: str) -> Watcher:
        """A player of this stream until the drill's end."""
        watcher = Watcher(port, application, name, self.folder)
        self._stack.callback(watcher.close)
        return watcher

    def camera(self, recording: Path | None = None, *options: str) -> FFmpegCamera:
        """An FFmpeg that publishes over the connection that can fail, until the drill ends or it is told to end."""
        url = f"rtmp://127.0.0.1:{self.way_in.port}/{LIVE}/{NAME}"
        return self._cameras.enter_context(FFmpegCamera(FFMPEG, recording or self.clock_recording, url, *options))

    def scripted_camera(self, **how: Any) -> ScriptedCamera:
        """One that does what `how` says, see there."""
        return self._cameras.enter_context(ScriptedCamera(self.clock_recording, self.way_in.port, LIVE, NAME, **how))

    def end_cameras(self) -> None:
        self._cameras.close()

    def begin_with_camera(
        self, *, hooks: bool = False, body: dict[str, str] | None = None, **settings: str
    ) -> FFmpegCamera:
        """The usual start: the camera is on air, and the viewer has seen it for a while."""
        self.begin(hooks=hooks, body=body, proxied=False, **settings)
        camera = self.camera()
        self.await_on_air("camera")
        self.observe()
        return camera

    def snapshot(self) -> dict[str, Any]:
        answer = requests.get(f"{self.one.url}/streams/{NAME}", timeout=10)
        assert answer.status_code == 200, answer.text
        said: dict[str, Any] = answer.json()
        return said

    def await_on_air(self, what: str, limit_s: float = ON_AIR_LIMIT_S) -> float:
        """Wait until `camera` or `slate` is on air, and return the time."""
        eventually(lambda: self.snapshot()["on_air"] == what, limit_s, f"on air: {what}")
        return time.monotonic()

    def await_state(self, state: str, limit_s: float = ON_AIR_LIMIT_S) -> dict[str, Any]:
        eventually(lambda: state in self.snapshot()["states"], limit_s, f"state {state}")
        return self.snapshot()

    def observe(self, seconds: float = SETTLED_S) -> None:
        """Wait, while the viewer goes on recording."""
        time.sleep(seconds)

    def children(self, role: str) -> list[int]:
        """The process ids of this role: `compositor`, `slate` or `publisher`."""
        marks = {"compositor": "mpegts pipe:1", "slate": "mpegts pipe:1", "publisher": "pipe:0"}
        found = self.one.children(marks[role])
        if role == "publisher":
            return list(found)
        return [pid for pid, command in found.items() if ("color=c=" in command) == (role == "slate")]

    def titles(self) -> dict[int, str]:
        """Command lines of the service's FFmpegs."""
        return self.one.children("pipe:")

    def memory_mb(self) -> float:
        """Resident memory of the service's FFmpegs together."""
        return sum(map(resident_mb, self.one.children("pipe:")))

    def held(self) -> Held:
        process = Path(f"/proc/{self.one.process.pid}")
        files = [path for path in self.one.temp.rglob("*") if path.is_file() and path.parent.parent != self.one.temp]
        return Held(len(list((process / "task").iterdir())), len(list((process / "fd").iterdir())), len(files))

    def sight(self) -> Sight:
        """All that the viewer saw of this stream."""
        return Sight(self.viewer.seen(FFMPEG), self.camera_side)

    def end(self, *rows: Row) -> float:
        """Stop the stream and check that nothing of it is left. Returns how long the stop took, in seconds."""
        began = time.monotonic()
        answer = self.one.post("/stop_stream", {"stream_name": NAME})
        took_s = time.monotonic() - began
        assert answer.status_code == 200, answer.text
        self.check_what_is_left(*rows)
        return took_s

    def check_what_is_left(self, *rows: Row) -> None:
        left = ""
        for _ in range(200):  # the kernel and the web server may take a moment
            left = self._left()
            if not left:
                break
            time.sleep(0.05)
        for row in rows:
            row.left = left or "nothing"
        assert not left, f"left behind: {left}"

    def _left(self) -> str:
        now = self.held()
        counts = {
            "processes": len({*started_by(self.one), *self.one.children("")}),
            "files": now.files - self.held_before.files,
            "threads": now.threads - self.held_before.threads,
            "descriptors": now.descriptors - self.held_before.descriptors - SPARE_DESCRIPTORS,
        }
        return ", ".join(f"{count} {what}" for what, count in counts.items() if count > 0)

    def close(self) -> None:
        self._stack.close()


class Sight:
    """What the viewer saw, decoded: when each frame arrived, and which of the camera's frames it was, if any."""

    def __init__(self, frames: list[tuple[float, SeenFrame]], camera_side: Watcher) -> None:
        self.frames = frames
        self._sent = _sent_frames(camera_side)

    def delays_s(self, begin: float, end: float = float("inf")) -> list[tuple[float, float]]:
        """For each of the camera's frames that arrived in this time: its arrival, and its delay since the camera."""
        found = []
        for arrival, frame in self.frames:
            if begin <= arrival <= end and frame.counter is not None:
                sent = self._sent.get(frame.counter, [])
                place = bisect.bisect_right(sent, arrival)
                if place:
                    found.append((arrival, arrival - sent[place - 1]))
        return found

    def delay_s(self, begin: float, end: float = float("inf")) -> float | None:
        """The median delay from camera to viewer."""
        delays = [delay_s for _, delay_s in self.delays_s(begin, end)]
        return statistics.median(delays) if delays else None

    def camera_since(self, moment: float) -> float | None:
        """Seconds from then until the viewer sees what the camera sent since then."""
        fresh = (arrival for arrival, delay_s in self.delays_s(moment) if arrival - delay_s >= moment - 0.05)
        first = next(fresh, None)
        return None if first is None else first - moment

    def slate_frames(self, begin: float, end: float = float("inf")) -> int:
        """How many frames that arrived in this time were not the camera's."""
        return sum(begin <= arrival <= end and frame.counter is None for arrival, frame in self.frames)


def _sent_frames(camera_side: Watcher) -> dict[int, list[float]]:
    """When each number of the counter came from the camera.

    A camera starts with the recording's first frame and repeats the recording. A new
    segment that goes on where the last one ended is the same camera with another clock.
    """
    recording = RECORDED_S * RATE
    sent: dict[int, list[float]] = {}
    begin_s, segment, number = 0.0, -1, -1

    def number_of(pts_s: float) -> int:
        return round((pts_s - begin_s) * RATE) % recording

    for frame in camera_side.frames:
        if frame.segment != segment:
            goes_on = segment >= 0 and (number_of(frame.pts_s) - number) % recording <= 2
            begin_s, segment = begin_s if goes_on else frame.pts_s, frame.segment
        number = number_of(frame.pts_s)
        sent.setdefault(number, []).append(frame.arrival)
    return sent


def started_by(service: Service) -> list[int]:
    """All running processes that the service started, also orphans and their children."""
    return [pid for pid, command in started_with(service.temp).items() if "app.py" not in command]


def resident_mb(pid: int) -> float:
    """Resident memory of a process in MiB; 0 if it is gone."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
