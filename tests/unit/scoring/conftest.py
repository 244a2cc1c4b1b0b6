"""A client of a feed that misbehaves, and what came of asking it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from demo.match_feed import MatchFeed
from errors import FeedError
from scoring.match_api import MatchApi

PATH = "/api/v1/cricket/match/{match_id}"


@pytest.fixture
def cancelled() -> threading.Event:
    return threading.Event()


@pytest.fixture
def api(feed: MatchFeed, cancelled: threading.Event) -> Iterator[MatchApi]:
    api = MatchApi(feed.url, feed.url, PATH, cancelled)
    yield api
    api.close()


def fault_of(ask: Callable[[], object]) -> FeedError:
    with pytest.raises(FeedError) as caught:
        ask()
    return caught.value


def kind_of(ask: Callable[[], object]) -> str:
    return fault_of(ask).kind


def said_by(ask: Callable[[], object]) -> str:
    return str(fault_of(ask))


class RawServer:
    """Sends a fixed text, one byte at a time or at once, and then keeps silent until closed."""

    def __init__(self, text: bytes, byte_pause_s: float = 0.0) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self._text = text
        self._pause_s = byte_pause_s
        self._stop = threading.Event()
        self.received = b""
        self.sent = threading.Event()
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        connection, _ = self._server.accept()
        with connection:
            self.received = connection.recv(4096)
            self.sent.set()
            try:
                step = 1 if self._pause_s else len(self._text) or 1
                for i in range(0, len(self._text), step):
                    connection.sendall(self._text[i : i + step])
                    if self._stop.wait(self._pause_s):
                        return
            except OSError:
                return
            self._stop.wait(30)

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self._server.close()
