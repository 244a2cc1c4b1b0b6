"""A camera whose picture shows the time, and a reader for it at the other end.

The two top rows of blocks are the milliseconds of time.monotonic() when the
frame was made. Below them something moves. The overlay does not cover them.
"""

from __future__ import annotations

import re
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from graphics.layout import Box
from media.profiles import OutputProfile
from relay.process import dies_with_its_parent
from tests.drills.clock_picture import COLUMNS, COUNTER_BITS, ROWS, counter_row, read_counter
from tests.drills.watcher import Frame

CLOCK_ROWS = 2
CLOCK_MS = 1 << CLOCK_ROWS * COUNTER_BITS  # it starts again after 4.6 h
_LOW = (1 << COUNTER_BITS) - 1
# The average of each block, with luma as it is, whatever range the tags name.
_AVERAGE = f"scale=w={COLUMNS}:flags=area:in_range=full:out_range=full"
# FLV counts in milliseconds.
_PTS = re.compile(rb" pts: *(\d+) ")


def clock_rows(time_ms: int) -> bytes:
    """The two rows of blocks: lower bits, higher bits."""
    return counter_row(time_ms & _LOW) + counter_row(time_ms >> COUNTER_BITS & _LOW)


def read_clock_ms(rows: bytes) -> int | None:
    """The time in the averaged blocks of both rows; None if it is another picture."""
    low, high = read_counter(rows[:COLUMNS]), read_counter(rows[COLUMNS:])
    return None if low is None or high is None else high << COUNTER_BITS | low


def picture(time_ms: int, number: int) -> bytes:
    """One frame, with one byte for each block."""
    places = ((row, column) for row in range(CLOCK_ROWS, ROWS) for column in range(COLUMNS))
    return clock_rows(time_ms) + bytes((column * 9 + row * 13 + number * 3) % 160 + 40 for row, column in places)


class ClockCamera:
    """Publishes until `close()`, in the profile's size and rate, with a tone."""

    def __init__(self, ffmpeg: str, url: str, profile: OutputProfile) -> None:
        self._rate = profile.frame_rate
        argv = [
            *(ffmpeg, "-hide_banner", "-nostats", "-loglevel", "error"),
            *("-probesize", "32", "-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{COLUMNS}x{ROWS}"),
            *("-r", str(self._rate), "-i", "pipe:0"),
            *("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100"),
            *("-vf", f"scale={profile.width}:{profile.height}:flags=neighbor,format=yuv420p"),
            *("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", str(self._rate)),
            *("-b:v", "1500k", "-c:a", "aac", "-b:a", "96k", "-ac", "1"),
            *("-f", "flv", "-flvflags", "no_duration_filesize", "-flush_packets", "1", url),
        ]
        self._process = subprocess.Popen(
            dies_with_its_parent(argv), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, bufsize=0
        )
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="clock-camera")
        self._thread.start()

    def close(self) -> None:
        self._ended.set()
        self._process.kill()
        self._process.wait()
        self._thread.join()
        if self._process.stdin:
            self._process.stdin.close()

    def _run(self) -> None:
        began_at, number, pipe = time.monotonic(), 0, self._process.stdin
        while pipe and not self._ended.wait(max(0.0, began_at + number / self._rate - time.monotonic())):
            try:
                pipe.write(picture(round(time.monotonic() * 1000), number))
            except OSError:  # it was killed
                return
            number += 1


@dataclass(frozen=True)
class View:
    """One decoded frame: its time in its file, the camera's clock if it shows one, and the luma of the watched box."""

    pts_ms: int
    clock_ms: int | None
    level: int


def decode(ffmpeg: str, path: Path, box: Box) -> list[View]:
    """Every frame of the file in display order, reduced to the clock and to this box."""
    graph = (
        f"[0:v]extractplanes=y,split[whole][again];[whole]crop=iw:ih*{CLOCK_ROWS}/{ROWS}:0:0,"
        f"{_AVERAGE}:h={CLOCK_ROWS}[clock];"
        f"[again]{crop(box)},{_AVERAGE}:h=1[box];[clock][box]vstack,showinfo[out]"
    )
    argv = [
        *(ffmpeg, "-hide_banner", "-nostats", "-copyts", "-i", str(path), "-filter_complex", graph, "-map", "[out]"),
        *("-vsync", "passthrough", "-f", "rawvideo", "pipe:1"),
    ]
    ended = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=600, check=True)
    return list(views([int(match[1]) for match in _PTS.finditer(ended.stderr)], ended.stdout))


def views(times_ms: Sequence[int], pictures: bytes) -> Iterator[View]:
    """Make views from the blocks of all frames, which follow one another."""
    clock, size = CLOCK_ROWS * COLUMNS, (CLOCK_ROWS + 1) * COLUMNS
    for place, pts_ms in enumerate(times_ms):
        blocks = pictures[place * size : (place + 1) * size]
        yield View(pts_ms, read_clock_ms(blocks[:clock]), round(sum(blocks[clock:]) / COLUMNS))


def crop(box: Box) -> str:
    """FFmpeg's filter that cuts out this box."""
    return f"crop={box.width}:{box.height}:{box.left}:{box.top}"


def with_arrivals(frames: Iterable[Frame], seen: Iterable[View]) -> list[tuple[float, View]]:
    """When each view could be shown: at its arrival, but not before the views that are shown earlier."""
    arrivals = {round(frame.pts_s * 1000): frame.arrival for frame in frames}
    found, newest = [], 0.0
    for view in sorted(seen, key=lambda view: view.pts_ms):
        if (at := arrivals.get(view.pts_ms)) is not None:
            newest = max(newest, at)
            found.append((newest, view))
    return found
