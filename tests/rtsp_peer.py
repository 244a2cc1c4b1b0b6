"""A small RTSP server on loopback: an FFmpeg records to it, and whoever asks plays the same, over TCP."""

from __future__ import annotations

import base64
import contextlib
import re
import socket
import threading


class RtspPeer:
    """Serves one stream at any path. With `login` (`USER:PASSWORD`) players must give it. A context manager.

    `asked` holds the methods that players have sent, the oldest first.
    """

    def __init__(self, login: str = "", port: int = 0) -> None:
        self.asked: list[str] = []
        self._login = login
        self._sdp = b""
        self._players: dict[socket.socket, threading.Lock] = {}
        self._open: set[socket.socket] = set()
        self._server = socket.create_server(("127.0.0.1", port))
        self.port: int = self._server.getsockname()[1]
        threading.Thread(target=self._accept, name="rtsp-peer", daemon=True).start()

    @property
    def has_stream(self) -> bool:
        return bool(self._sdp)

    def offer(self, sdp: bytes) -> None:
        """Describe a stream to players although nobody records it."""
        self._sdp = sdp

    def __enter__(self) -> RtspPeer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        for one in (self._server, *self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._server.accept()
                self._open.add(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError, EOFError):
            stream = connection.makefile("rb")
            while first := stream.read(1):
                if first == b"$":
                    head = stream.read(3)
                    self._pass_on(first + head + stream.read(int.from_bytes(head[1:3])))
                else:
                    self._answer(connection, first + stream.readline(), stream)
        self._players.pop(connection, None)

    def _pass_on(self, packet: bytes) -> None:
        for player, lock in list(self._players.items()):
            with contextlib.suppress(OSError), lock:
                player.sendall(packet)

    def _answer(self, connection: socket.socket, line: bytes, stream: object) -> None:
        method = line.split()[0].decode()
        headers: dict[str, str] = {}
        while (header := stream.readline().decode().strip()) != "":  # type: ignore[attr-defined]
            name, _, value = header.partition(":")
            headers[name.strip().lower()] = value.strip()
        body = stream.read(int(headers.get("content-length", 0)))  # type: ignore[attr-defined]
        records = method in ("ANNOUNCE", "RECORD") or "record" in headers.get("transport", "")
        if not records:
            self.asked.append(method)
        right = "Basic " + base64.b64encode(self._login.encode()).decode()
        if self._login and not records and method != "OPTIONS" and headers.get("authorization") != right:
            self._send(connection, headers, "401 Unauthorized", 'WWW-Authenticate: Basic realm="camera"')
            return
        more, content = "", b""
        if method == "ANNOUNCE":
            self._sdp = re.sub(rb"a=control:.*?streamid", b"a=control:streamid", body)
        elif method == "DESCRIBE":
            if not self._sdp:
                self._send(connection, headers, "404 Stream Not Found", "")
                return
            more, content = "Content-Type: application/sdp", self._sdp
        elif method == "SETUP":
            more = f"Transport: {headers['transport']}"
        self._send(connection, headers, "200 OK", more, content)
        if method == "PLAY":
            self._players[connection] = threading.Lock()

    def _send(
        self, connection: socket.socket, headers: dict[str, str], status: str, more: str, content: bytes = b""
    ) -> None:
        lines = [
            f"RTSP/1.0 {status}",
            f"CSeq: {headers.get('cseq', '0')}",
            "Session: 1234567890",
            "Public: PLAY, RECORD",
        ]
        lines += [more] if more else []
        lines += [f"Content-Length: {len(content)}"] if content else []
        lock = self._players.get(connection) or contextlib.nullcontext()
        with lock:
            connection.sendall("\r\n".join([*lines, "", ""]).encode() + content)
