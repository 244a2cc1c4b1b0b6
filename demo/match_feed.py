"""A stand-in for the match API and the overlay image server, on loopback.

It has the same calls as the real ones, and answers what its owner last gave it.
The demo replays a match through it, and tests make it misbehave.
"""

from __future__ import annotations

import hashlib
import json
import ssl
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Answer:
    """One HTTP answer. With `cut_to` fewer bytes of the body are sent than announced."""

    body: bytes = b""
    status: int = 200
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    cut_to: int | None = None

    @staticmethod
    def of(value: Any) -> Answer:
        return Answer(json.dumps(value).encode())


NOT_FOUND = Answer(b'{"error": "not found"}', 404)


class MatchFeed:
    """Serves until `close()`, by https with `tls`. `data`, `image`, `start` and `stop` are the next answers."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.data = NOT_FOUND
        self.image = NOT_FOUND
        self.start = Answer.of({"ok": True})
        self.stop = Answer.of({"ok": True})
        self.release = threading.Event()  # while `hold` is set, calls wait for this
        self.hold = False
        self.calls: list[tuple[str, str, Any]] = []
        self.connections = 0  # open now
        self.accepted = 0  # so far
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._scheme = "https" if tls else "http"
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="match-feed")
        self._thread.start()

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self._server.server_port}"

    def paths(self, method: str) -> list[str]:
        """The paths called so far with this method."""
        return [path for called, path, _ in self.calls if called == method]

    def answer_to(self, method: str, path: str) -> Answer:
        if self.hold:
            self.release.wait(30)
        if method == "POST":
            return {"/start-match-monitoring": self.start, "/stop-match-monitoring": self.stop}.get(path, NOT_FOUND)
        return self.image if path.endswith(".png") else self.data

    def close(self) -> None:
        self.release.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _handler(feed: MatchFeed) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30

        def do_GET(self) -> None:
            feed.calls.append(("GET", self.path, None))
            self._send(feed.answer_to("GET", self.path))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            feed.calls.append(("POST", self.path, json.loads(body)))
            self._send(feed.answer_to("POST", self.path))

        def _send(self, answer: Answer) -> None:
            tag = f'"{hashlib.sha256(answer.body).hexdigest()[:16]}"'
            unchanged = answer.status == 200 and self.headers.get("If-None-Match") == tag
            self.send_response(304 if unchanged else answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if unchanged:
                self.end_headers()
                return
            self.send_header("ETag", tag)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body[: answer.cut_to])
            self.close_connection = self.close_connection or answer.cut_to is not None

        def handle(self) -> None:
            feed.connections += 1
            feed.accepted += 1
            try:
                super().handle()
            except OSError:  # the caller gave up
                self.close_connection = True
            finally:
                feed.connections -= 1

        def log_message(self, format: str, *args: Any) -> None:
            """Print nothing: the calls are kept in `calls`."""

    return Handler
