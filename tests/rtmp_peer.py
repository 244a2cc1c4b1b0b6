"""A stand-in for an RTMP server: it completes the handshake and does no more, or says nothing at all."""

from __future__ import annotations

import contextlib
import socket
import threading

BLOCK_BYTES = 1536


class RtmpPeer:
    """Listens on a port of loopback, and counts its connections; a context manager."""

    def __init__(self, port: int = 0, *, is_silent: bool = False, answer: bytes = b"\x03") -> None:
        self.connections = 0
        self._is_silent = is_silent
        self._answer = answer
        self._server = socket.create_server(("127.0.0.1", port))
        self.port: int = self._server.getsockname()[1]
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._take, name="rtmp-peer")
        self._thread.start()

    def _take(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection = self._server.accept()[0]
                self.connections += 1
                if self._is_silent:
                    self._open.append(connection)
                    continue
                with connection, contextlib.suppress(OSError):
                    connection.settimeout(5)
                    connection.recv(1 + BLOCK_BYTES, socket.MSG_WAITALL)
                    connection.sendall(self._answer + bytes(2 * BLOCK_BYTES))

    def __enter__(self) -> RtmpPeer:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        for connection in (self._server, *self._open):
            connection.close()
