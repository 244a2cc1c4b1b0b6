"""What waitress does before and after the application, seen at the socket."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from waitress.adjustments import Adjustments

from deploy.rtmp_server import free_port, listens
from tests.unit.conftest import FakeFFmpeg
from tests.unit.test_app import ROOT, environment, real_enough
from tests.waiting import eventually
from web.web_server import MAX_READ_BYTES, _Parser

TOKEN, SECRET = "canary-token-0123456789", "canary-hook-0123456789"


class Answer:
    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    def is_error(self, status: int) -> bool:
        kind = self.headers["content-type"]
        return (self.status, kind, list(json.loads(self.body))) == (status, "application/json", ["error"])


class Web:
    def __init__(self, port: int, log: Path) -> None:
        self.port = port
        self.log = log

    def send(self, request: bytes) -> Answer:
        """One call, byte by byte as given."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
            connection.sendall(request)
            answer = http.client.HTTPResponse(connection, method=request.split()[0].decode())
            answer.begin()
            return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())

    def call(self, line: str, *headers: str, body: str = "") -> Answer:
        form = ("Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}") if body else ()
        lines = [f"{line} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", "Connection: close", *form, *headers, "", body]
        return self.send("\r\n".join(lines).encode("latin-1"))


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    folder = tmp_path_factory.mktemp("web")
    port = free_port()
    secrets = {"API_TOKEN": TOKEN, "HOOK_SECRET": SECRET, "LOG_LEVEL": "DEBUG"}
    ffmpeg = real_enough(FakeFFmpeg(folder))
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "app.py")],
        env=environment(folder, FFMPEG_BIN=ffmpeg, PORT=str(port), **secrets),
        cwd=folder,
        stderr=subprocess.DEVNULL,
    )
    try:
        eventually(lambda: listens("127.0.0.1", port), 30, "the service listens")
        yield Web(port, folder / "logs" / "application.log")
    finally:
        process.kill()
        process.wait()


def test_a_body_too_large_to_be_read_is_refused_in_json(web: Web) -> None:
    answer = web.call("POST /start_stream", f"Content-Length: {MAX_READ_BYTES}")
    assert answer.is_error(413)
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    head = b"POST /start_stream HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert web.send(head + chunk * (MAX_READ_BYTES // 0x10000)).is_error(413)


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        (b"POST / HTTP/1.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n", 400),
        (b"GET http://[::1 HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 300_000 + b"\r\n\r\n", 431),
    ],
    ids=["nonsense", "header", "length", "encoding", "endless length", "address", "large header"],
)
def test_a_request_that_is_not_http_is_refused_in_json_with_all_headers(
    web: Web, request_bytes: bytes, status: int
) -> None:
    answer = web.send(request_bytes)
    assert answer.is_error(status)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert not [name for name in ("server", "via", "x-powered-by") if name in answer.headers]


def test_no_answer_names_the_server(web: Web) -> None:
    for answer in (web.call("GET /login"), web.call("GET /"), web.call("GET /static/none")):
        assert not [name for name in ("server", "via", "x-powered-by") if name in answer.headers]


def test_two_authorization_headers_count_as_none(web: Web) -> None:
    right, wrong = f"Authorization: Bearer {TOKEN}", "Authorization: Basic eDp5"
    assert web.call("GET /list_streams", right).status == 200
    for headers in ((right, right), (wrong, right)):
        assert web.call("GET /list_streams", *headers).is_error(401)
    assert web.call("GET /list_streams", f"Authorization: Bearer {TOKEN}\xe9").is_error(401)


@pytest.mark.parametrize(
    "path",
    [
        "//list_streams",
        "/%2e%2e/list_streams",
        "/login/%2e%2e/list_streams",
        "/login%2f..%2flist_streams",
        "/hooks/%2e%2e/list_streams",
        "/%6Cist_streams",
        "http://127.0.0.1/list_streams",
        "http://x/login/../list_streams",
        "/list_streams#/login",
        "*",
        "/%ff%fe",
    ],
)
def test_no_spelling_of_a_path_gets_around_the_token(web: Web, path: str) -> None:
    for method in ("GET", "HEAD", "OPTIONS", "POST", "BREW"):
        status = web.call(f"{method} {path}").status
        assert status in (401, 404), f"{method}: {status}"


@pytest.mark.parametrize(
    "path",
    [
        "/static/..%2fapp.py",
        "/static%2f..%2flist_streams",
        "/static/%2e%2e/app.py",
        "/static/..%5capp.py",
        "/static//etc/passwd",
    ],
)
def test_no_spelling_of_a_path_leaves_the_static_folder(web: Web, path: str) -> None:
    assert web.call(f"GET {path}").status in (401, 404)


def test_hooks_are_refused_when_a_proxy_passes_them_on(web: Web) -> None:
    assert web.call("POST /hooks/publish_done", body="name=m1").status == 204
    for header in ("X-Forwarded-For: 127.0.0.1", "Forwarded: for=127.0.0.1", "X-Real-IP: 127.0.0.1", "Origin: null"):
        assert web.call("POST /hooks/publish_done", header, body="name=m1").is_error(403)
        assert web.call(f"POST /hooks/{SECRET}/publish_done", header, body="name=m1").status == 204
    assert web.call("POST /hooks/canary/publish_done", body="name=m1").is_error(403)


def test_a_session_by_its_cookie(web: Web) -> None:
    answer = web.call("POST /login", body=f"token={TOKEN}")
    assert (answer.status, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"].partition(";")[0]
    assert web.call("GET /list_streams", f"Cookie: {cookie}").status == 200
    assert web.call("GET /list_streams", f"Cookie: {cookie}x").is_error(401)
    assert web.call("POST /stop_stream", f"Cookie: {cookie}").is_error(403)


def test_no_secret_is_in_the_log(web: Web) -> None:
    for path in (f"/hooks/{SECRET}/publish", f"/hooks/{SECRET}x/publish", f"/{SECRET}", f"/login?token={TOKEN}"):
        web.call(f"POST {path}", body=f"token={TOKEN}x")
    text = web.log.read_text()
    assert re.search("refused", text)
    assert "canary" not in text


def test_a_request_that_is_not_http_has_a_path() -> None:
    """If the caller has left, waitress logs the path, and would fail without one."""
    parser = _Parser(Adjustments())
    parser.received(b"no HTTP at all\r\n\r\n")
    assert parser.error is not None
    assert parser.path == ""


def test_slow_callers_keep_nobody_out(web: Web) -> None:
    """A thousand connections from one address, and the operator comes from the same one."""
    slow = [socket.create_connection(("127.0.0.1", web.port), timeout=30) for _ in range(1000)]
    try:
        for number, connection in enumerate(slow):
            with contextlib.suppress(OSError):  # those that were closed already
                connection.sendall(b"POST /start_stream HTTP/1.1\r\nContent-Length: 60000\r\n\r\nx"[: 20 + number % 50])
        assert web.call("GET /healthz").status == 200
        assert web.call("GET /list_streams", f"Authorization: Bearer {TOKEN}").status == 200
        eventually(lambda: sum(map(is_closed, slow)) >= 900, 10, "the oldest are closed")
    finally:
        for connection in slow:
            connection.close()
    assert web.call("GET /healthz").status == 200


def is_closed(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def test_only_known_callers_may_send_large_bodies(web: Web) -> None:
    body = "x" * (MAX_READ_BYTES + 1000)
    path = "PUT /streams/m1/feed/nv_play"
    assert web.call(path, body=body).is_error(413)
    assert web.call(path, f"Authorization: Bearer {TOKEN}x", body=body).is_error(413)
    assert web.call(path, f"Authorization: Bearer {TOKEN}", body=body).is_error(404), (
        "it was read: no stream has the name"
    )
    cookie = web.call("POST /login", body=f"token={TOKEN}").headers["set-cookie"].partition(";")[0]
    assert web.call(path, f"Cookie: {cookie}", body=body).is_error(403), "it was read: the CSRF token is missing"
