"""Requests that no real client sends, from a seeded generator, and a client that can send them."""

from __future__ import annotations

import copy
import json
import random
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass

NAME = "m1"  # of a running stream
BODY_ROUTES = (
    ("POST", "/start_stream"),
    ("POST", "/stop_stream"),
    ("PATCH", f"/streams/{NAME}"),
    ("PUT", f"/streams/{NAME}/match"),
    ("PUT", "/streams/nobody/match"),
)
HOOKS = ("connect", "publish", "update", "publish_done")
PATHS = (
    "/list_streams",
    "/streams",
    f"/streams/{NAME}",
    f"/streams/{NAME}/overlay.png",
    "/healthz",
    "/readyz",
    "/openapi.json",
)
# Correct calls, before they are spoiled: a start under a taken name, a stop of an unknown one.
BODIES = {
    "/start_stream": {
        "youtube_url": "rtmp://127.0.0.1/live2/key",
        "stream_name": NAME,
        "overlay_id": "0",
        "backup_url": "rtmp://127.0.0.1/live2/key?backup=1",
        "score_delay_s": 0,
    },
    "/stop_stream": {"stream_name": "nobody"},
    f"/streams/{NAME}": {"score_delay_s": -1},
}
SCORE = {
    "sport": "cricket",
    "status": "no such status",
    "batting": {"name": "A", "runs": 1, "wickets": 2, "overs": "1.2", "color": "#004ba0", "logo": "a.png"},
    "batters": [{"name": "B", "runs": 1, "on_strike": True}],
    "this_over": ["1", "W"],
    "updated_at": "2019-05-12T17:40:11Z",
}
NOT_JSON = (
    *(b"", b"{", b"}", b"nul", b"[1,", b'{"a":}', b'{"a" 1}', b"{'a': 1}", b'{"a": 1,}', b"\x00", b"\xff\xfe{}", b'"'),
    *(
        b"\xef\xbb\xbf{}",
        '{"a": "ä"}'.encode("latin-1"),
        '{"stream_name": "nobody"}'.encode("utf-16"),
        b"\xc3",
        b"-",
        b"+1",
    ),
    *(b"[" * 50_000, b'{"a":' * 10_000, b"[" * 900 + b"]" * 900, b'{"sport":' + b"[" * 30_000 + b"]" * 30_000 + b"}"),
    *(
        b"1" * 5_000,
        b"1e999999",
        b'{"score_delay_s": 1e400}',
        b'{"score_delay_s": NaN}',
        b"-Infinity",
        b"true",
        b"null",
    ),
    *(
        b'{"stream_name": "\\ud800"}',
        b'{"stream_name": "\\u0000"}',
        b'{"stream_name": "a\x01b"}',
        b"\\",
        b"//",
        b"{}" * 99,
    ),
)
VALUES: tuple[object, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**63, 10**400, -(10**400), 0.1, 1e308, -0.0, "", " ", "\x00", "\x1b[2J"),
    *(
        "../../etc/passwd",
        "a" * 10_000,
        "\ud800",
        "\u202e",
        "%00",
        "{match_id}",
        "$(id)",
        "-i",
        "m1\n",
        "rtmp://",
        "[",
        [],
    ),
    *(
        [[]],
        [None] * 500,
        {},
        {"": {}},
        {"a": {"b": [{"c": None}]}},
        ["m1"],
        {"name": {}},
        "rtmp://[::1",
        "é" * 64,
        "१२",
    ),
)
CONTENT_TYPES = (
    *("", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/json; charset=utf-16"),
    *(
        "multipart/form-data; boundary=",
        "application/json; charset=\xff",
        "application/",
        "/",
        "application/json, text/html",
    ),
    *(
        "application/json; charset=" + "x" * 500,
        "multipart/form-data; boundary=a; boundary=b",
        "image/png",
        "*/*",
        ";;;",
    ),
)
BAD_PATHS = (
    *(
        "/streams/%",
        "/streams/%zz",
        "/streams/%00",
        "/streams/%c0%af",
        "/streams/..%2f..%2fetc%2fpasswd",
        "/%2e%2e/%2e%2e",
    ),
    *(
        "/../../etc/passwd",
        "//etc/passwd",
        "/streams/" + "x" * 5_000,
        "/streams/\x7f",
        "/streams/ü",
        "/streams/%ff/match",
    ),
    *(
        "/streams/m1/../../healthz",
        "/streams/m1/overlay.png/",
        "/streams//match",
        "/streams/m1%0d%0aX:%20y",
        "/;",
        "/#",
    ),
    *(
        "/?" + "a=b&" * 2_000,
        "/streams?%00=%ff",
        "/streams/%F0%9F%8F%8F",
        "/\\",
        "/%5c..%5c",
        "http://evil.example/streams",
    ),
    *(
        "*",
        "streams",
        "",
        "/streams/{name}",
        "/hooks/../streams",
        "/static/../app.py",
        "/.env",
        "/.git/config",
        "/" * 2_000,
    ),
)
METHODS = (
    "get",
    "DELETE",
    "TRACE",
    "CONNECT",
    "PROPFIND",
    "OPTIONS",
    "G" * 500,
    "\x00",
    "GET\tX",
    "ÄÖ",
    "POST/1",
    "-",
    "PUT",
)
HEADERS = (
    *(
        "Host: ",
        "Host: a b",
        "Host: [::1",
        "Host: " + "h" * 3_000,
        "Host: x\r\nHost: y",
        "Accept: \xff\xfe",
        "Cookie: =;=;;",
    ),
    *("Cookie: " + "a=b; " * 500, "Authorization: Bearer", "Authorization: Basic !!!", "Authorization: " + "B" * 5_000),
    *(
        "Range: bytes=0-0,-1,9-",
        "If-None-Match: \x00",
        "Accept-Encoding: \\",
        "X-Forwarded-For: ' OR 1=1",
        "X-CSRF-Token: a",
    ),
    *(
        "Connection: keep-alive, close, x",
        "Upgrade: websocket",
        "Expect: 200-ok",
        "Content-Encoding: gzip",
        "Origin: null",
    ),
    *(
        "Date: yesterday",
        "Accept: */*;q=2;q=",
        "Referer: \x01",
        "Trailer: X",
        "Via: 1.1 a\tb",
        "Accept-Charset: utf-999",
    ),
)
NOT_HTTP = (
    *(
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\xab" * 200,
        b"SSH-2.0-x\r\n",
        b"\r\n\r\n\r\n",
        b"\x00" * 64,
        b"GET\r\n\r\n",
    ),
    *(
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1 extra\r\n\r\n",
        b"GET /\r\n\r\n",
        b"\n\n",
        b"HELO x\r\n\r\n",
        b"{}\r\n\r\n",
    ),
    *(
        b"GET / HTTP/1.1\nHost: x\n\n",
        b"GET / HTTP/1.1\r\nNoColon\r\n\r\n",
        b"GET / HTTP/1.1\r\n Folded: x\r\n\r\n",
        b"\xff" * 999,
    ),
    *(
        b"GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n",
        b"GET / HTTP/1.1\r\nA\x00: b\r\n\r\n",
        b"GET / HTTP/1.1\r\n: b\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ),
)
FRAMES = (
    *("Content-Length: -1", "Content-Length: x", "Content-Length: 1e3", "Content-Length: +5", "Content-Length: 5, 5"),
    *("Content-Length: 99999999999999999999", "Content-Length: 17000000", "Content-Length: 5\r\nContent-Length: 6"),
    *(
        "Transfer-Encoding: gzip",
        "Transfer-Encoding: chunked, chunked",
        "Transfer-Encoding: \x0bchunked",
        "Content-Length: ",
    ),
    *(
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
        "Transfer-Encoding: identity",
        "Transfer-Encoding: x\r\nContent-Length: 2",
    ),
)
CHUNKS = (
    *(
        b"zz\r\n",
        b"-1\r\n\r\n",
        b"5\r\nabc\r\n0\r\n\r\n",
        b"1\r\nab\r\n0\r\n\r\n",
        b"FFFFFFFFFFFFFFFF\r\n",
        b"5;" + b"x" * 9_000 + b"\r\n",
    ),
    *(
        b"0\r\nX: y\r\n\r\n",
        b"2\r\n{}\r\n0\r\n\r\n",
        b"\r\n\r\n",
        b"0x2\r\n{}\r\n0\r\n\r\n",
        b"2 \r\n{}\r\n0\r\n\r\n",
        b"2\n{}\n0\n\n",
        b"5\r\n",
    ),
)


@dataclass(frozen=True)
class Attempt:
    """What is sent, whether it reaches the application as HTTP, and whether the server waits for more."""

    data: bytes
    is_for_app: bool = True
    is_incomplete: bool = False


def attempts(seed: int) -> Iterator[Attempt]:
    """An endless sequence, the same for the same seed."""
    dice = random.Random(seed)
    kinds: tuple[tuple[Callable[[random.Random], Attempt], int], ...] = (
        (_broken_body, 25),
        (_wrong_value, 30),
        (_wrong_content_type, 8),
        (_bad_path, 12),
        (_bad_method, 5),
        (_bad_header, 8),
        (_header_flood, 1),
        (_oversize_body, 1),
        (_bad_frame, 5),
        (_short_body, 2),
        (_not_http, 3),
        (_pipelined, 2),
    )
    made, weights = zip(*kinds, strict=True)
    while True:
        yield dice.choices(made, weights)[0](dice)


def request(method: str, path: str, body: bytes = b"", *headers: str, length: bool = True) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *headers]
    if length and body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + body


JSON = "Content-Type: application/json"


def _broken_body(dice: random.Random) -> Attempt:
    body = dice.choice(NOT_JSON)
    if dice.random() < 0.5:
        right = json.dumps(BODIES["/start_stream"]).encode()
        cut = dice.randrange(1, len(right) - 1)
        body = right[:cut] + bytes([dice.randrange(256)]) * dice.randrange(2)
    return Attempt(request(*dice.choice(BODY_ROUTES), body, JSON))


def _wrong_value(dice: random.Random) -> Attempt:
    method, path = dice.choice(BODY_ROUTES)
    body = json.loads(json.dumps(BODIES.get(path, SCORE)))
    for _ in range(dice.randint(1, 3)):
        place = body
        while True:
            key = dice.choice(list(place) if isinstance(place, dict) else list(range(len(place))))
            if not isinstance(place[key], dict | list) or not place[key] or dice.random() < 0.3:
                break
            place = place[key]
        if place is body and key == "stream_name" and path == "/start_stream":
            continue  # otherwise it might be a good name that is free
        place[key] = copy.deepcopy(dice.choice(VALUES))
    if dice.random() < 0.1:
        body = dice.choice([[body], str(body), 5, None, [[[[body]]]]])
    return Attempt(request(method, path, json.dumps(body).encode(), JSON))


def _wrong_content_type(dice: random.Random) -> Attempt:
    method, path = dice.choice([*BODY_ROUTES, *(("POST", f"/hooks/{event}") for event in HOOKS)])
    bodies = (
        b"{}",
        b"name=m1&name=%ff",
        b"--\r\n\r\n",
        b"--a\r\nContent-Disposition: form-data\r\n\r\nx\r\n--a--",
        b"a" * 9_000,
    )
    return Attempt(request(method, path, dice.choice(bodies), f"Content-Type: {dice.choice(CONTENT_TYPES)}"))


def _bad_path(dice: random.Random) -> Attempt:
    path = dice.choice(BAD_PATHS)
    is_for_app = path.startswith("/") and path.isascii() and path.isprintable()
    return Attempt(request(dice.choice(["GET", "PUT", "PATCH", "POST"]), path), is_for_app)


def _bad_method(dice: random.Random) -> Attempt:
    method = dice.choice(METHODS)
    return Attempt(request(method, dice.choice(PATHS)), method.isascii() and method.isalpha() and method.isupper())


def _bad_header(dice: random.Random) -> Attempt:
    return Attempt(request("GET", dice.choice(PATHS), b"", *dice.sample(HEADERS, dice.randint(1, 3))), is_for_app=False)


def _header_flood(dice: random.Random) -> Attempt:
    count = dice.choice([500, 3_000])
    return Attempt(request("GET", "/streams", b"", *(f"X-{number}: {'y' * 100}" for number in range(count))), False)


def _oversize_body(dice: random.Random) -> Attempt:
    size = dice.choice([65_537, 100_000, 1_000_000])
    return Attempt(request(*dice.choice(BODY_ROUTES), b'{"a": "' + b"x" * size + b'"}', JSON))


def _bad_frame(dice: random.Random) -> Attempt:
    if dice.random() < 0.5:
        head = request("POST", "/stop_stream", b"", JSON, "Transfer-Encoding: chunked")
        return Attempt(head + dice.choice(CHUNKS), is_for_app=False, is_incomplete=True)
    head = request("POST", "/stop_stream", b"", JSON, dice.choice(FRAMES))
    return Attempt(head + b"{}", is_for_app=False, is_incomplete=True)


def _short_body(dice: random.Random) -> Attempt:
    body = b'{"stream_name": "nobody"}'
    data = request("POST", "/stop_stream", body, JSON)
    return Attempt(data[: -dice.randint(1, len(body))], is_incomplete=True)


def _not_http(dice: random.Random) -> Attempt:
    return Attempt(dice.choice(NOT_HTTP), is_for_app=False, is_incomplete=True)


def _pipelined(dice: random.Random) -> Attempt:
    right = request("GET", "/healthz")
    junk = dice.choice([*NOT_HTTP, right * 20, request("POST", "/stop_stream", b"{", JSON) * 5])
    return Attempt(right + junk, is_for_app=False, is_incomplete=True)


@dataclass(frozen=True)
class Answer:
    status: int
    content_type: str
    body: bytes


class RawClient:
    """Sends what it is told to, over one connection for as long as the service keeps it open."""

    LIMIT_S = 20.0

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None
        self._rest = b""

    def send(self, attempt: Attempt) -> Answer | None:
        """The first answer; None if the service waits for more."""
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), self.LIMIT_S)
            self._rest = b""
        try:
            self._socket.sendall(attempt.data)
            if attempt.is_incomplete:
                self._socket.shutdown(socket.SHUT_WR)
            answer, is_kept = self._read(attempt)
        except (BrokenPipeError, ConnectionResetError):
            answer, is_kept = None, False  # it was refused before all of it was read
        if attempt.is_incomplete or not is_kept:
            self.close()
        return answer

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _read(self, attempt: Attempt) -> tuple[Answer | None, bool]:
        head = self._until(b"\r\n\r\n")
        if head is None:
            return None, False
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        status = int(first.split()[1])
        if status == 100:
            return self._read(attempt)
        length = int(headers.get("content-length", 0)) if status != 204 else 0
        body = self._exactly(length)
        is_kept = headers.get("connection", "").lower() != "close" and b"HTTP/1.1" in head[:8]
        return Answer(status, headers.get("content-type", ""), body), is_kept

    def _until(self, mark: bytes) -> bytes | None:
        assert self._socket is not None
        while mark not in self._rest:
            data = self._socket.recv(65_536)
            if not data:
                return None
            self._rest += data
        found, _, self._rest = self._rest.partition(mark)
        return found

    def _exactly(self, length: int) -> bytes:
        assert self._socket is not None
        while len(self._rest) < length:
            data = self._socket.recv(65_536)
            if not data:
                break
            self._rest += data
        body, self._rest = self._rest[:length], self._rest[length:]
        return body
