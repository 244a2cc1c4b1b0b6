"""One stream on air for a bench, on loopback: nginx-rtmp, the service as a process, and a viewer at "YouTube".

Everything that is started here ends with the `with` block, also if a signal ends the bench.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from bench.loopback import LIVE, YOUTUBE
from demo.match_feed import MatchFeed
from deploy.rtmp_server import RtmpServer, free_port
from tests.drills.watcher import Watcher
from tests.drills.youtube import Doorman
from tests.service import Rtmp, Service, services
from tests.waiting import eventually

NAME = "bench"
KEY = f"key-of-{NAME}"
ON_AIR_LIMIT_S = 40.0


@dataclass(frozen=True)
class OneStream:
    """`begin()` starts the stream. `published` has time and key of each connection to "YouTube"."""

    folder: Path
    rtmp: Rtmp
    service: Service
    feed: MatchFeed
    viewer: Watcher
    published: Sequence[tuple[float, str]]

    @property
    def camera_url(self) -> str:
        return self.rtmp.url(LIVE, NAME)

    def begin(self) -> None:
        self.service.start(NAME, KEY)

    def snapshot(self) -> dict[str, Any]:
        answer: dict[str, Any] = requests.get(f"{self.service.url}/streams/{NAME}", timeout=10).json()
        return answer

    def await_on_air(self, what: str) -> float:
        """Wait until `camera` or `slate` is on air, and return the time."""
        eventually(lambda: self.snapshot()["on_air"] == what, ON_AIR_LIMIT_S, f"on air: {what}")
        return time.monotonic()

    def overlay_path(self) -> Path:
        """The file that the compositor reads."""
        return next(self.service.temp.glob("*/*/overlay.png"))


@contextlib.contextmanager
def one_stream(folder: Path, **settings: str) -> Iterator[OneStream]:
    """Keywords are settings of the service in lower case. The others have the values that tests use.

    The viewer's recording stays in `folder`.
    """
    os.environ["NO_PROXY"] = "*"  # otherwise calls to this machine might go to a proxy
    with contextlib.ExitStack() as stack:
        doorman = Doorman()
        stack.callback(doorman.close)
        # nginx calls the hooks for the first application.
        hooks = f"127.0.0.1:{doorman.port}"
        server = RtmpServer(folder, "127.0.0.1", free_port(), [YOUTUBE, LIVE], hooks, is_destination=True)
        stack.callback(server.close)
        feed = MatchFeed()
        stack.callback(feed.close)
        rtmp = Rtmp(server)
        make_service = stack.enter_context(services(rtmp, feed.url, folder))
        service = make_service(**{"api_token": "", "overlay_image_base": ""} | settings)
        viewer = Watcher(server.port, YOUTUBE, KEY, folder)
        stack.callback(viewer.close)
        yield OneStream(folder, rtmp, service, feed, viewer, doorman.published)
