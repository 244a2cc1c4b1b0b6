"""An RTMP client with only what the drills need: it plays a stream, or publishes one.

As a viewer FFmpeg would repair timestamps, wait to probe, and stop for good when
a publisher is replaced. This client gives each message as it came.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

AUDIO, VIDEO, DATA, COMMAND = 8, 9, 18, 20
# Bytes before an H.264 message's NAL units: kind, packet type, composition offset.
VIDEO_HEAD = 5
_SET_CHUNK_SIZE, _USER_CONTROL = 1, 4
_PING_REQUEST, _PING_RESPONSE = 6, 7
_HANDSHAKE_BYTES = 1536
_SEND_CHUNK = 65_536
_EXTENDED = 0xFFFFFF


class RtmpRefused(OSError):
    """The server answered `_error` or an error status."""


@dataclass(frozen=True)
class Message:
    """One RTMP message; `time_ms` is its timestamp as it was sent."""

    kind: int
    time_ms: int
    payload: bytes

    @property
    def is_config(self) -> bool:
        """True for a codec's configuration: AVC or AAC sequence header."""
        first = self.payload[0] if self.payload else 0
        coded = first >> 4 == 10 if self.kind == AUDIO else first & 0x0F == 7
        return coded and self.payload[1:2] == b"\0"

    @property
    def is_key(self) -> bool:
        return self.kind == VIDEO and bool(self.payload) and self.payload[0] >> 4 == 1

    @property
    def pts_ms(self) -> int:
        """When it is shown; includes H.264's composition offset."""
        if self.kind != VIDEO or len(self.payload) < VIDEO_HEAD:
            return self.time_ms
        offset = int.from_bytes(self.payload[2:VIDEO_HEAD])
        return self.time_ms + (offset - 0x1000000 if offset & 0x800000 else offset)


class RtmpConnection:
    """One connection to rtmp://HOST:PORT/APPLICATION/NAME; `close()` ends it, from any thread."""

    def __init__(
        self, host: str, port: int, application: str, name: str, timeout_s: float = 10.0, source: str = ""
    ) -> None:
        self._socket = socket.create_connection((host, port), timeout_s, (source, 0) if source else None)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = bytearray()
        self._chunk_size = 128
        self._heads: dict[int, _Head] = {}
        self._name = name
        try:
            self._handshake()
            self._send(2, _SET_CHUNK_SIZE, 0, 0, _SEND_CHUNK.to_bytes(4))
            url = f"rtmp://{host}:{port}/{application}"
            self._command(0, "connect", 1, {"app": application, "tcUrl": url, "flashVer": "LNX 9,0,124,2"})
            self._answer(1)
            self._command(0, "createStream", 2, None)
            self._stream = int(self._answer(2)[3])
        except BaseException:
            self.close()
            raise

    def play(self) -> Iterator[Message]:
        """Sound, picture and data as they arrive, until the connection ends (OSError or EOFError)."""
        self._command(self._stream, "play", 0, None, self._name, -1000.0)
        while True:
            message = self._read()
            if message.kind in (AUDIO, VIDEO, DATA):
                yield message

    def publish(self) -> None:
        self._command(self._stream, "publish", 3, None, self._name, "live")
        while True:
            message = self._read()
            if message.kind == COMMAND and (said := _amf_values(message.payload))[0] == "onStatus":
                if said[3].get("level") == "error":
                    raise RtmpRefused(said[3].get("code", ""))
                return

    def send(self, message: Message) -> None:
        self._send(6, message.kind, message.time_ms, self._stream, message.payload)

    def set_timeout(self, seconds: float | None) -> None:
        self._socket.settimeout(seconds)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _handshake(self) -> None:
        self._socket.sendall(b"\x03" + bytes(8) + os.urandom(_HANDSHAKE_BYTES - 8))
        theirs = self._take(1 + 2 * _HANDSHAKE_BYTES)
        self._socket.sendall(theirs[1 : 1 + _HANDSHAKE_BYTES])

    def _command(self, stream: int, *values: Any) -> None:
        self._send(3, COMMAND, 0, stream, b"".join(map(_amf, values)))

    def _answer(self, number: int) -> list[Any]:
        while True:
            message = self._read()
            if message.kind == COMMAND:
                values = _amf_values(message.payload)
                if values[1] == number:
                    if values[0] != "_result":
                        raise RtmpRefused(str(values))
                    return values

    def _send(self, channel: int, kind: int, time_ms: int, stream: int, payload: bytes) -> None:
        extended = struct.pack(">I", time_ms) if time_ms >= _EXTENDED else b""
        short = min(time_ms, _EXTENDED).to_bytes(3)
        head = bytes([channel]) + short + len(payload).to_bytes(3) + bytes([kind]) + stream.to_bytes(4, "little")
        parts = [head + extended + payload[:_SEND_CHUNK]]
        for start in range(_SEND_CHUNK, len(payload), _SEND_CHUNK):
            parts.append(bytes([0xC0 | channel]) + extended + payload[start : start + _SEND_CHUNK])
        self._socket.sendall(b"".join(parts))

    def _read(self) -> Message:
        while True:
            message = self._read_chunk()
            if message is None:
                continue
            if message.kind == _SET_CHUNK_SIZE:
                self._chunk_size = int.from_bytes(message.payload[:4])
            elif message.kind == _USER_CONTROL and int.from_bytes(message.payload[:2]) == _PING_REQUEST:
                self._send(2, _USER_CONTROL, 0, 0, _PING_RESPONSE.to_bytes(2) + message.payload[2:6])
            else:
                return message

    def _read_chunk(self) -> Message | None:
        first = self._take(1)[0]
        channel = first & 0x3F
        if channel < 2:
            more = self._take(channel + 1)
            channel = 64 + int.from_bytes(more, "little")
        head = self._heads.setdefault(channel, _Head())
        head.read(first >> 6, self._take)
        part = self._take(min(self._chunk_size, head.length - len(head.payload)))
        head.payload += part
        if len(head.payload) < head.length:
            return None
        message = Message(head.kind, head.time_ms, bytes(head.payload))
        head.payload = bytearray()
        return message

    def _take(self, count: int) -> bytes:
        while len(self._received) < count:
            data = self._socket.recv(_SEND_CHUNK)
            if not data:
                raise EOFError("the server closed the connection")
            self._received += data
        taken = bytes(self._received[:count])
        del self._received[:count]
        return taken


class _Head:
    """What the last chunk of one chunk stream said of its message."""

    def __init__(self) -> None:
        self.time_ms = 0
        self.length = 0
        self.kind = 0
        self.payload = bytearray()
        self._field = 0

    def read(self, form: int, take: Any) -> None:
        begins = not self.payload
        if form < 3:
            head = take((11, 7, 3)[form])
            self._field = int.from_bytes(head[:3])
            if form < 2:
                self.length, self.kind = int.from_bytes(head[3:6]), head[6]
            self._delta = form > 0
        given = int.from_bytes(take(4)) if self._field == _EXTENDED else self._field
        if begins:
            self.time_ms = (self.time_ms + given) % 2**32 if self._delta else given

    _delta = False


def _amf(value: Any) -> bytes:
    if value is None:
        return b"\x05"
    if isinstance(value, str):
        return b"\x02" + len(value.encode()).to_bytes(2) + value.encode()
    if isinstance(value, dict):
        pairs = (len(name.encode()).to_bytes(2) + name.encode() + _amf(held) for name, held in value.items())
        return b"\x03" + b"".join(pairs) + b"\0\0\x09"
    return b"\0" + struct.pack(">d", value)


def _amf_values(data: bytes) -> list[Any]:
    values, position = [], 0
    while position < len(data):
        value, position = _amf_value(data, position)
        values.append(value)
    return values


def _amf_value(data: bytes, at: int) -> tuple[Any, int]:
    kind, at = data[at], at + 1
    if kind == 0:
        return struct.unpack(">d", data[at : at + 8])[0], at + 8
    if kind == 1:
        return bool(data[at]), at + 1
    if kind == 2:
        end = at + 2 + int.from_bytes(data[at : at + 2])
        return data[at + 2 : end].decode(errors="replace"), end
    if kind in (3, 8):
        return _amf_object(data, at + (4 if kind == 8 else 0))
    return None, at


def _amf_object(data: bytes, at: int) -> tuple[dict[str, Any], int]:
    found: dict[str, Any] = {}
    while at + 3 <= len(data):
        length = int.from_bytes(data[at : at + 2])
        name, at = data[at + 2 : at + 2 + length].decode(errors="replace"), at + 2 + length
        if not length:
            return found, at + 1
        found[name], at = _amf_value(data, at)
    return found, at
