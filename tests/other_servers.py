"""Servers that people use instead of nginx: node-media-server for the cameras, and a destination behind TLS."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

from deploy.rtmp_server import free_port, listens
from relay.process import dies_with_its_parent
from tests.waiting import eventually

ROOT = Path(__file__).resolve().parents[1]
# Put there by `deploy/setup.sh dev` if npm is installed.
MODULES = ROOT / ".venv" / "node" / "node_modules"
_START = """
const NodeMediaServer = require("node-media-server");
const rtmp = { port: PORT, chunk_size: 60000, gop_cache: true, ping: 30, ping_timeout: 60 };
new NodeMediaServer({ logType: 1, rtmp }).run();
"""


def has_node_media_server() -> bool:
    return shutil.which("node") is not None and (MODULES / "node-media-server").is_dir()


@contextlib.contextmanager
def node_media_server(folder: Path) -> Iterator[int]:
    """Gives its port. It takes any application."""
    port = free_port()
    start = folder / "start.js"
    start.write_text(_START.replace("PORT", json.dumps(port)))
    process = subprocess.Popen(
        dies_with_its_parent(["node", str(start)]),
        env={"NODE_PATH": str(MODULES), "PATH": "/usr/local/bin:/usr/bin:/bin"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        eventually(lambda: listens("127.0.0.1", port), 20, "node-media-server listens")
        yield port
    finally:
        process.kill()
        process.wait()


class TlsFront:
    """Takes TLS and passes it on to a port in the clear, as stunnel does. A context manager."""

    def __init__(self, context: ssl.SSLContext, target_port: int) -> None:
        self._context = context
        self._target_port = target_port
        self._open: list[socket.socket] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        threading.Thread(target=self._accept, name="tls-front", daemon=True).start()

    def __enter__(self) -> TlsFront:
        return self

    def __exit__(self, *_: object) -> None:
        for one in (self._server, *self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                plain, _ = self._server.accept()
                threading.Thread(target=self._serve, args=(plain,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        with contextlib.suppress(OSError):
            inner = socket.create_connection(("127.0.0.1", self._target_port))
            outer = self._context.wrap_socket(plain, server_side=True)
            self._open += [inner, outer]
            back = threading.Thread(target=self._pump, args=(inner, outer), daemon=True)
            back.start()
            self._pump(outer, inner)
            back.join(5)

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
