"""The luma of one box in each frame of the compositor, before it is encoded, with its time.

FFmpeg itself measures it: a wrapper in place of FFMPEG_BIN adds a branch to the
compositor's filters, which measures the box and writes to a FIFO.
"""

from __future__ import annotations

import os
import shlex
import threading
import time
from pathlib import Path

from bench.clock_camera import crop
from bench.score_marks import Mark
from graphics.layout import Box

_KEY = "lavfi.signalstats.YAVG"
# Only the compositor's filters contain this.
_COMPOSITOR = "[camera][overlay]"


class LevelProbe:
    """`wrapper` is the value for FFMPEG_BIN. `seen` grows while the compositor runs. `close()` ends the reading."""

    def __init__(self, ffmpeg: str, folder: Path, box: Box) -> None:
        self.seen: list[Mark] = []
        self.wrapper = folder / "ffmpeg-with-probe"
        fifo = folder / "luma"
        os.mkfifo(fifo)
        # Its own writing end keeps it open while no compositor runs.
        self._fd = os.open(fifo, os.O_RDWR)
        self.wrapper.write_text(wrapper_script(ffmpeg, fifo, box))
        self.wrapper.chmod(0o700)
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name="level-probe")
        self._thread.start()

    def close(self) -> None:
        self._is_closed = True
        os.write(self._fd, b"\n")
        self._thread.join()
        os.close(self._fd)

    def _run(self) -> None:
        rest = b""
        while not self._is_closed:
            *lines, rest = (rest + os.read(self._fd, 65_536)).split(b"\n")
            now = time.monotonic()
            self.seen += [Mark(now, luma) for line in lines if (luma := read_luma(line)) is not None]


def read_luma(line: bytes) -> float | None:
    """The luma in a line of FFmpeg's `metadata` filter; None in other lines."""
    name, _, value = line.partition(b"=")
    return float(value) if name == _KEY.encode() else None


def wrapper_script(ffmpeg: str, fifo: Path, box: Box) -> str:
    """A script that executes FFmpeg. The picture gets no label, so that FFmpeg still chooses the sound by itself."""
    probe = f"{crop(box)},signalstats,metadata=mode=print:key={_KEY}:file={fifo}:direct=1,nullsink"
    return f"""#!/bin/sh
for arg; do
    shift
    case "$arg" in *{shlex.quote(_COMPOSITOR)}*) arg="$arg,split[probe];[probe]{probe}" ;; esac
    set -- "$@" "$arg"
done
exec {shlex.quote(ffmpeg)} "$@"
"""
