"""What benches with real FFmpeg need: nginx-rtmp, a match in progress, the service, and a counter of frames."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from app import on_end_signal
from demo.match_feed import MatchFeed
from demo.run import replaying
from deploy.rtmp_server import RtmpServer, free_port
from tests.drills.rtmp import VIDEO, RtmpConnection
from tests.service import Rtmp, Service, services

LIVE, YOUTUBE = "live", "youtube"
BALL_S = 6.0
RETRY_S = 0.1
SILENCE_S = 2.0


@dataclass(frozen=True)
class Loopback:
    """A folder, nginx-rtmp, and the address of a feed whose score changes every BALL_S."""

    folder: Path
    rtmp: Rtmp
    feed_url: str

    @contextlib.contextmanager
    def service(self, **settings: str) -> Iterator[Service]:
        """The service on loopback, with its default settings except for these."""
        defaults = {"x264_preset": "veryfast", "poll_interval_s": "1.0", "overlay_image_base": ""}
        folder = self.folder / "service"
        folder.mkdir()
        with services(self.rtmp, self.feed_url, folder) as make:
            yield make(**defaults | settings)
        shutil.rmtree(folder)


@contextlib.contextmanager
def loopback(what: str) -> Iterator[Loopback]:
    """Everything that was started on it is ended, also by a signal."""
    leave_in_order()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=f"bench-{what}-")))
        server = RtmpServer(folder, "127.0.0.1", free_port(), [LIVE, YOUTUBE])
        stack.callback(server.close)
        feed = MatchFeed()
        stack.callback(feed.close)
        stack.enter_context(replaying(feed, BALL_S))
        yield Loopback(folder, Rtmp(server), feed.url)


def leave_in_order() -> None:
    """Make a signal that ends the process run all `finally` blocks."""

    def leave(number: int) -> None:
        raise SystemExit(128 + number)

    on_end_signal(leave)


def statuses(service: Service) -> dict[str, dict[str, Any]]:
    """`GET /streams`, by name."""
    answer = requests.get(f"{service.url}/streams", headers=service.headers, timeout=10)
    answer.raise_for_status()
    return {status["name"]: status for status in answer.json()["streams"]}


class FrameCounter:
    """Plays a stream until `close()` and counts its frames. Tries again until somebody publishes."""

    def __init__(self, rtmp: Rtmp, application: str, name: str) -> None:
        self.frames = 0
        self._where = ("127.0.0.1", rtmp.server.port, application, name)
        self._closed = threading.Event()
        self._connection: RtmpConnection | None = None
        self._thread = threading.Thread(target=self._run, name="frame-counter", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._closed.set()
        if connection := self._connection:
            connection.close()
        self._thread.join(15)

    def __enter__(self) -> FrameCounter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self) -> None:
        while not self._closed.is_set():
            with contextlib.suppress(OSError, EOFError):
                self._connection = RtmpConnection(*self._where)
                self._connection.set_timeout(SILENCE_S)  # after that nobody publishes
                for message in self._connection.play():
                    self.frames += message.kind == VIDEO and not message.is_config
                    if self._closed.is_set():
                        break
            if self._connection:
                self._connection.close()
            self._closed.wait(RETRY_S)
