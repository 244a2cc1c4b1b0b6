"""FLV files: one RTMP message after the other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from tests.drills.rtmp import Message

_HEADER = b"FLV\x01\x05\0\0\0\x09\0\0\0\0"


def read_flv(path: Path) -> Iterator[Message]:
    """The messages of a file, in order."""
    data = path.read_bytes()
    at = int.from_bytes(data[5:9]) + 4
    while at + 11 <= len(data):
        length = int.from_bytes(data[at + 1 : at + 4])
        time_ms = data[at + 7] << 24 | int.from_bytes(data[at + 4 : at + 7])
        yield Message(data[at] & 0x1F, time_ms, data[at + 11 : at + 11 + length])
        at += 11 + length + 4


def begin_flv(file: BinaryIO) -> None:
    file.write(_HEADER)


def write_flv(file: BinaryIO, message: Message) -> None:
    low, high = message.time_ms & 0xFFFFFF, message.time_ms >> 24 & 0xFF
    head = bytes([message.kind]) + len(message.payload).to_bytes(3) + low.to_bytes(3) + bytes([high]) + b"\0\0\0"
    file.write(head + message.payload + (11 + len(message.payload)).to_bytes(4))
