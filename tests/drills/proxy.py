"""A TCP relay on loopback that can fail in all the ways in which a network fails."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time

# Just large enough for 2 Mbit/s: the sender does not notice a stall until the kernel's buffer is full.
RECEIVE_BUFFER_BYTES = 64 * 1024
PIECE_BYTES = 8 * 1024
_RESET = struct.pack("ii", 1, 0)


class TcpProxy:
    """Passes connections on to `target_port` until told to misbehave. `close()` ends it.

    `stall()` stops reading on present and new connections, as if a machine had
    vanished or hung. `throttle()` limits the bytes in a second. `cut()` resets
    all connections. `abandon()` leaves the present ones open and silent, whatever
    their server does. `refuse()` stops listening. `drop_new()` closes each new
    connection at once. `heal()` ends all of these.
    """

    def __init__(self, target_port: int) -> None:
        self.accepted = 0
        self._target_port = target_port
        self._lock = threading.Lock()
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._threads: list[threading.Thread] = []
        self._flows = threading.Event()
        self._flows.set()
        self._abandoned: set[tuple[socket.socket, socket.socket]] = set()
        self._ended = threading.Event()
        self._bytes_per_s: float | None = None
        self._drops_new = False
        self._closed = False
        self.port = 0
        self._listen()

    def stall(self) -> None:
        self._flows.clear()

    def abandon(self) -> None:
        with self._lock:
            self._abandoned |= self._pairs

    def throttle(self, bytes_per_s: float) -> None:
        self._bytes_per_s = bytes_per_s

    def drop_new(self) -> None:
        self._drops_new = True

    def refuse(self) -> None:
        """Stop listening, and cut the open connections."""
        self._stop_listening()
        self.cut()

    def cut(self) -> None:
        with self._lock:
            pairs = list(self._pairs)
        for pair in pairs:
            for one in pair:
                with contextlib.suppress(OSError):
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                _shut(one)

    def heal(self) -> None:
        self._drops_new = False
        self._bytes_per_s = None
        self._flows.set()
        if not self._acceptor.is_alive():
            self._listen()

    def close(self) -> None:
        self._closed = True
        self._ended.set()
        self._flows.set()
        self.refuse()
        for thread in self._threads:
            thread.join(5)

    def _listen(self) -> None:
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        self._listener.bind(("127.0.0.1", self.port))
        self._listener.listen()
        self.port = self._listener.getsockname()[1]
        self._acceptor = self._start(self._accept, self._listener)

    def _stop_listening(self) -> None:
        _shut(self._listener)
        self._acceptor.join(5)
        self._listener.close()

    def _start(self, run: object, *args: object) -> threading.Thread:
        thread = threading.Thread(target=run, args=args, name="proxy", daemon=True)  # type: ignore[arg-type]
        self._threads = [thread, *(one for one in self._threads if one.is_alive())]
        thread.start()
        return thread

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            self.accepted += 1
            if self._drops_new:
                client.close()
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self._target_port), 5)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            pair = (client, server)
            with self._lock:
                self._pairs.add(pair)
            self._start(self._pump, client, server, pair)
            self._start(self._pump, server, client, pair)

    def _pump(self, source: socket.socket, sink: socket.socket, pair: tuple[socket.socket, socket.socket]) -> None:
        with contextlib.suppress(OSError):
            while self._may_read() and (data := source.recv(PIECE_BYTES)):
                self._flows.wait()  # a stall may have come while it waited for data
                if pair in self._abandoned:
                    continue
                sink.sendall(data)
                if (rate := self._bytes_per_s) is not None:
                    time.sleep(len(data) / rate)
        if pair in self._abandoned:
            self._ended.wait()
        for one in pair:
            _shut(one)
        with self._lock:
            last = pair not in self._pairs
            self._pairs.discard(pair)
        if last:
            for one in pair:
                one.close()

    def _may_read(self) -> bool:
        self._flows.wait()
        return not self._closed


def _shut(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
