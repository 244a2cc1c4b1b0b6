"""The handshake that begins every RTMP connection: whether a server completes it."""

from __future__ import annotations

import os
import socket
import ssl
import time

VERSION = 3
BLOCK_BYTES = 1536


def complete(connection: socket.socket, limit_s: float, tls_name: str | None = None) -> None:
    """Exchange the first blocks within this time limit, over TLS if there is a `tls_name`. Raises OSError."""
    deadline = time.monotonic() + limit_s
    connection.settimeout(limit_s)
    if tls_name is not None:
        with _no_check_of_certificates().wrap_socket(connection, server_hostname=tls_name) as secured:
            _exchange(secured, deadline)
    else:
        _exchange(connection, deadline)


def _exchange(connection: socket.socket, deadline: float) -> None:
    # Version, then a block of a time, four zero bytes and noise. The answer: the same, and our block once more.
    connection.sendall(bytes([VERSION]) + bytes(8) + os.urandom(BLOCK_BYTES - 8))
    missing = 1 + 2 * BLOCK_BYTES
    version = b""
    while missing:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        connection.settimeout(left)
        piece = connection.recv(missing)
        if not piece:
            raise ConnectionError("it closes the connection")
        version = version or piece[:1]
        if version[0] != VERSION:
            raise ConnectionError("it answers something else")
        missing -= len(piece)


def _no_check_of_certificates() -> ssl.SSLContext:
    """Accepts any certificate: FFmpeg checks it when it connects."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
