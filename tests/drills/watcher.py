"""What the viewer gets: every message that arrives at the "YouTube" end, with its arrival time."""

from __future__ import annotations

import bisect
import contextlib
import itertools
import statistics
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from tests.drills.clock_picture import SeenFrame, decode_frames
from tests.drills.flv import begin_flv, write_flv
from tests.drills.rtmp import AUDIO, VIDEO, VIDEO_HEAD, Message, RtmpConnection

RESTART_BACK_S = 1.0
# A gap beyond this is an outage.
OUTAGE_S = 0.5
RETRY_S = 0.05


@dataclass(frozen=True)
class Frame:
    """A video message: arrival (time.monotonic()), times in seconds, place in the recording, size in bytes."""

    arrival: float
    dts_s: float
    pts_s: float
    key: bool
    segment: int
    size: int = 0


class Watcher:
    """Plays and records rtmp://127.0.0.1:PORT/APPLICATION/NAME until `close()`, also from one publisher to the next.

    The recording is cut into segments where timestamps start again.
    """

    def __init__(self, port: int, application: str, name: str, folder: Path) -> None:
        self.frames: list[Frame] = []
        self.sounds: list[tuple[float, float]] = []  # arrival, seconds of its time
        self.configs: set[bytes] = set()  # of the picture's codec
        self._where = ("127.0.0.1", port, application, name)
        self._folder = folder
        self._segments: list[Path] = []
        self._closed = False
        self._connection: RtmpConnection | None = None
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._closed = True
        if connection := self._connection:
            connection.close()
        self._thread.join(15)

    def _run(self) -> None:
        while not self._closed:
            with contextlib.suppress(OSError, EOFError):
                self._connection = RtmpConnection(*self._where)
                self._connection.set_timeout(None)
                self._watch(self._connection.play())
            if self._connection:
                self._connection.close()
            time.sleep(RETRY_S)

    def _watch(self, messages: Iterator[Message]) -> None:
        configs: dict[int, Message] = {}
        newest_ms = -1
        with contextlib.ExitStack() as stack:
            file = None
            for message in messages:
                now = time.monotonic()
                if message.kind not in (AUDIO, VIDEO) or not message.payload:
                    continue
                if message.is_config:
                    configs[message.kind] = message
                    if message.kind == VIDEO:
                        self.configs.add(message.payload)
                    if file:
                        write_flv(file, replace(message, time_ms=max(newest_ms, 0)))
                    continue
                if file is None or message.time_ms < newest_ms - RESTART_BACK_S * 1000:
                    path = self._folder / f"{self._where[2]}-{self._where[3]}-{len(self._segments)}.flv"
                    file = stack.enter_context(path.open("wb", buffering=0))
                    self._segments.append(path)
                    begin_flv(file)
                    for config in configs.values():
                        write_flv(file, replace(config, time_ms=message.time_ms))
                newest_ms = message.time_ms
                write_flv(file, message)
                self._note(message, now)

    def _note(self, message: Message, now: float) -> None:
        time_s = message.time_ms / 1000
        if message.kind == AUDIO:
            self.sounds.append((now, time_s))
        else:
            segment = len(self._segments) - 1
            size = len(message.payload) - VIDEO_HEAD
            self.frames.append(Frame(now, time_s, message.pts_ms / 1000, message.is_key, segment, size))

    def between(self, begin: float, end: float = float("inf")) -> list[Frame]:
        """The frames that arrived between these times."""
        frames = self.frames
        return frames[
            bisect.bisect_left(frames, begin, key=lambda f: f.arrival) : bisect.bisect_right(
                frames, end, key=lambda f: f.arrival
            )
        ]

    def longest_gap_s(self, begin: float, end: float | None = None) -> float:
        """The longest time between two arrivals; `begin` and `end` (by default now) count as arrivals."""
        end = time.monotonic() if end is None else end
        arrivals = [begin, *(frame.arrival for frame in self.between(begin, end)), end]
        return max(later - earlier for earlier, later in itertools.pairwise(arrivals))

    def longest_step_s(self, begin: float, end: float = float("inf")) -> float:
        """The longest step of decoding time from one frame to the next."""
        frames = self.between(begin, end)
        return max((later.dts_s - earlier.dts_s for earlier, later in itertools.pairwise(frames)), default=0.0)

    def rate(self, begin: float, end: float) -> float:
        """How many frames arrived in a second."""
        return len(self.between(begin, end)) / (end - begin)

    def lag_s(self, begin: float, end: float = float("inf")) -> float | None:
        """The median of arrival minus decoding time. Only its changes have a meaning."""
        frames = self.between(begin, end)
        return statistics.median(frame.arrival - frame.dts_s for frame in frames) if frames else None

    def drift_s(self, before: tuple[float, float], after: tuple[float, float]) -> float | None:
        """Change of (arrival - PTS) between two times; None across a new publisher."""
        frames = self.between(before[0], after[1])
        first, last = self.lag_s(*before), self.lag_s(*after)
        if first is None or last is None or frames[0].segment != frames[-1].segment:
            return None
        return last - first

    def outage_s(self, begin: float, end: float = float("inf")) -> float:
        """For how long no frames came and media time stood still as well, without gaps under OUTAGE_S."""
        pairs = itertools.pairwise(self.between(begin, end))
        steps = [(later.arrival - earlier.arrival, later.dts_s - earlier.dts_s) for earlier, later in pairs]
        return sum(gap_s - step_s for gap_s, step_s in steps if gap_s > OUTAGE_S)

    def seen(self, ffmpeg: str, begin: float = 0.0, end: float = float("inf")) -> list[tuple[float, SeenFrame]]:
        """Every frame that arrived in this time, decoded, with its arrival."""
        frames = self.between(begin, end)
        found: list[tuple[float, SeenFrame]] = []
        for segment in sorted({frame.segment for frame in frames}):
            arrivals = {round(frame.pts_s, 3): frame.arrival for frame in frames if frame.segment == segment}
            decoded = decode_frames(ffmpeg, self._segments[segment])
            found += [(arrivals[at], frame) for frame in decoded if (at := round(frame.pts_s, 3)) in arrivals]
        return sorted(found, key=lambda pair: pair[0])

    def recording(self, segment: int = -1) -> Path:
        return self._segments[segment]
