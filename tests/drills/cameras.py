"""Cameras for drills: an FFmpeg that publishes a recording, and one in Python with a scripted clock and sound."""

from __future__ import annotations

import contextlib
import itertools
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from relay.process import dies_with_its_parent
from tests.drills.flv import read_flv
from tests.drills.rtmp import AUDIO, DATA, Message, RtmpConnection


class FFmpegCamera:
    """A process that publishes `recording` over and over, in real time; a context manager."""

    def __init__(self, ffmpeg: str, recording: Path, url: str, *options: str) -> None:
        source = ["-re", "-stream_loop", "-1", "-i", str(recording)]
        argv = [ffmpeg, "-loglevel", "error", *source, "-c", "copy", "-f", "flv", *options, url]
        self.process = subprocess.Popen(
            dies_with_its_parent(argv), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def close_cleanly(self) -> None:
        """Close the connection properly, as a camera app does at "stop"."""
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()

    def __enter__(self) -> FFmpegCamera:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()


class ScriptedCamera:
    """Publishes `recording` over and over. Its sound can be switched off, and its clock can jump.

    `jump_s()` moves all timestamps from the next message on. `change` gets each message and when it is
    due, and returns what is sent instead, or None. A context manager; `error` says why it ended too early.
    """

    def __init__(
        self,
        recording: Path,
        port: int,
        application: str,
        name: str,
        *,
        offset_s: float = 0.0,
        sound: bool = True,
        change: Callable[[Message, float], Message | None] = lambda message, _at_s: message,
    ) -> None:
        self.sound = sound
        self._change = change
        self.error: Exception | None = None
        self._messages = [message for message in read_flv(recording) if message.kind != DATA]
        configs = [message.kind for message in self._messages if message.is_config]
        self._changes_config = len(configs) > len(set(configs))  # then each turn begins with the first ones again
        self._offset_ms = round(offset_s * 1000)
        self._closed = threading.Event()
        self._connection = RtmpConnection("127.0.0.1", port, application, name)
        self._connection.publish()
        self._thread = threading.Thread(target=self._run, name="camera", daemon=True)
        self._thread.start()

    def jump_s(self, seconds: float) -> None:
        self._offset_ms += round(seconds * 1000)

    def __enter__(self) -> ScriptedCamera:
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        self._connection.close()
        self._thread.join(10)

    def _run(self) -> None:
        length_ms = max(message.time_ms for message in self._messages) + 33
        begin = time.monotonic()
        sound_config: Message | None = None
        with contextlib.suppress(_Closed):
            try:
                for turn in itertools.count():
                    for message in self._messages:
                        if message.kind == AUDIO and message.is_config:
                            # An app that has no sound yet does not announce its codec either.
                            sound_config = message if turn == 0 or self._changes_config else sound_config
                            continue
                        is_known = message.is_config and turn and not self._changes_config
                        if is_known or (message.kind == AUDIO and not self.sound):
                            continue
                        at_ms = message.time_ms + turn * length_ms
                        self._wait_until(begin + at_ms / 1000)
                        if message.kind == AUDIO and sound_config:
                            self._send(sound_config, at_ms)
                            sound_config = None
                        self._send(message, at_ms)
            except OSError as error:
                self.error = None if self._closed.is_set() else error

    def _send(self, message: Message, at_ms: int) -> None:
        time_ms = (at_ms + self._offset_ms) & 0xFFFFFFFF  # RTMP's has 32 bits
        changed = self._change(replace(message, time_ms=time_ms), at_ms / 1000)
        if changed is not None:
            self._connection.send(changed)

    def _wait_until(self, due: float) -> None:
        while (left := due - time.monotonic()) > 0:
            if self._closed.wait(min(left, 1.0)):
                raise _Closed
        if self._closed.is_set():
            raise _Closed


class _Closed(Exception):
    """The camera was told to end."""
