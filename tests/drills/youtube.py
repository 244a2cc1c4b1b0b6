"""A "YouTube" that can misbehave: nginx-rtmp that reports its publishers, behind a TCP relay that can fail."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

from deploy.rtmp_server import RtmpServer, free_port
from tests.drills.proxy import TcpProxy

APPLICATION = "youtube"


class YouTube:
    """`close()` ends it. `reset()` puts it in order again between drills."""

    def __init__(self, folder: Path) -> None:
        self._doorman = Doorman()
        hooks = f"127.0.0.1:{self._doorman.port}"
        self.server = RtmpServer(folder, "127.0.0.1", free_port(), [APPLICATION], hooks=hooks, is_destination=True)
        self.way_in = TcpProxy(self.server.port)

    @property
    def port(self) -> int:
        """Where viewers play."""
        return self.server.port

    def url(self, key: str) -> str:
        """Where a publisher connects, over the connection that can fail."""
        return f"rtmp://127.0.0.1:{self.way_in.port}/{APPLICATION}/{key}"

    def connections(self, key: str, since: float = 0.0) -> int:
        """How many times a publisher tried to publish this key since that time (time.monotonic())."""
        return sum(name == key and at >= since for at, name in self._doorman.published)

    def refuse_key(self, key: str | None) -> None:
        self._doorman.refused = key

    def reset(self) -> None:
        self.refuse_key(None)
        self.way_in.cut()
        self.way_in.heal()

    def close(self) -> None:
        self.way_in.close()
        self.server.close()
        self._doorman.close()


class Doorman:
    """Answers nginx's `on_publish` with 200, or with 403 for the refused key."""

    def __init__(self) -> None:
        self.published: list[tuple[float, str]] = []
        self.refused: str | None = None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="doorman", daemon=True)
        self._thread.start()

    def admit(self, path: str, key: str) -> bool:
        if path.endswith("/publish"):
            self.published.append((time.monotonic(), key))
            return key != self.refused
        return True

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _handler(doorman: Doorman) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
            name = parse_qs(body).get("name", [""])[0]
            self.send_response(200 if doorman.admit(self.path, name) else 403)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    return Handler
