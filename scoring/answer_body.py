"""The body of an answer, unpacked, and bounded both as it comes and as it is then."""

from __future__ import annotations

import zlib

import requests

from scoring.bounded_http import READ_BYTES
from scoring.feed_faults import Question

_GZIP, _ZLIB, _BARE_DEFLATE = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS
_GZIP_MAGIC = b"\x1f\x8b"
_MOST_MEMBERS = 64  # gzip files in a row: each costs time, even an empty one


def read_body(answer: requests.Response, question: Question, max_bytes: int) -> bytes:
    """Raises FeedError, too_large or malformed."""
    body = bytearray()
    while chunk := answer.raw.read(READ_BYTES, decode_content=False):
        body += chunk
        if len(body) > max_bytes:
            raise question.too_large(max_bytes)
    encodings = [name.strip().lower() for name in answer.headers.get("Content-Encoding", "").split(",")]
    names = [name for name in encodings if name not in ("", "identity")]
    if not names or not body:
        return bytes(body)
    unpack = _UNPACK.get(names[0])
    if unpack is None or len(names) > 1:
        raise question.unknown_encoding(", ".join(names))
    try:
        plain = unpack(bytes(body), max_bytes + 1)
    except zlib.error:
        raise question.broken_encoding(names[0]) from None
    if len(plain) > max_bytes:
        raise question.too_large(max_bytes)
    return plain


def _gunzip(packed: bytes, most: int) -> bytes:
    plain = b""
    for _ in range(_MOST_MEMBERS):
        part, packed = _inflate(packed, most - len(plain), _GZIP)
        plain += part
        if len(plain) == most or not packed.startswith(_GZIP_MAGIC):  # the rest is padding
            return plain
    raise zlib.error("too many members")


def _undeflate(packed: bytes, most: int) -> bytes:
    """HTTP means zlib's format by that name; some servers send it bare."""
    try:
        return _inflate(packed, most, _ZLIB)[0]
    except zlib.error:
        return _inflate(packed, most, _BARE_DEFLATE)[0]


def _inflate(packed: bytes, most: int, form: int) -> tuple[bytes, bytes]:
    """Unpack at most this many bytes. Returns them, and the data behind. Raises zlib.error for broken data."""
    unpacking = zlib.decompressobj(form)
    plain = unpacking.decompress(packed, most)
    if not unpacking.eof and len(plain) < most:
        raise zlib.error("cut short")
    return plain, unpacking.unused_data


_UNPACK = {"gzip": _gunzip, "x-gzip": _gunzip, "deflate": _undeflate}
