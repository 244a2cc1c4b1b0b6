"""waitress with the limits of this service, and with its own errors as JSON like all others."""

from __future__ import annotations

import copy
import json
import logging
import time
from collections.abc import Callable
from typing import Any, ClassVar

from flask import Flask
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.server import BaseWSGIServer, MultiSocketServer, TcpWSGIServer, create_server
from waitress.task import ErrorTask

from errors import ConfigurationError
from web.access import Guard
from web.crowd import IDLE_LIMIT_S, MOST, Crowd
from web.security_headers import HEADERS

# A start waits for the match API, a stop for its FFmpegs. Several at once must not hold up other calls.
HTTP_THREADS = 16
# Flask refuses bodies over its own limit. Bodies over this one are not even read.
MAX_READ_BYTES = 256 * 1024
# Callers with the token, or with a session, may send files.
MAX_FILE_BYTES = 2 * 1024 * 1024 + 1
LOOKS_EVERY_S = 1


def listen(app: Flask, host: str, port: int) -> MultiSocketServer | BaseWSGIServer:
    """The server of `app`, bound to its address. The caller runs and closes it. Raises ConfigurationError."""
    # waitress has no arguments for these.
    HTTPChannel.parser_class, HTTPChannel.error_task_class = _Parser, _JsonErrorTask
    guard: Guard = app.extensions["guard"]
    _Parser.is_known = staticmethod(guard.knows)
    _Channel.crowd = Crowd(time.monotonic)
    TcpWSGIServer.channel_class = _Channel
    TcpWSGIServer.maintenance = _drop_overdue  # type: ignore[method-assign, assignment]
    # waitress logs every call that waits or is given up: a flood of calls would fill the log.
    logging.getLogger("waitress").setLevel(logging.WARNING)
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    try:
        return create_server(
            app,
            # waitress takes :: for IPv6 alone; elsewhere it stands for all addresses.
            listen=f"0.0.0.0:{port} [::]:{port}" if host == "::" else f"{f'[{host}]' if ':' in host else host}:{port}",
            threads=HTTP_THREADS,
            max_request_body_size=MAX_READ_BYTES,
            connection_limit=2 * MOST,  # the crowd never gets so large
            backlog=1024,
            cleanup_interval=LOOKS_EVERY_S,
            asyncore_use_poll=True,  # select() ends the service with the first descriptor over 1023
            ident="",
            # hooks.py needs them to refuse calls that a proxy passes on, and access.py trusts one proxy.
            clear_untrusted_proxy_headers=False,
        )
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"HOST, PORT: cannot listen on {host}:{port}: {error}") from None


class _Channel(HTTPChannel):
    """One connection, counted among all."""

    crowd: ClassVar[Crowd]

    def __init__(self, server: Any, sock: Any, addr: Any, adj: Any, map: Any = None) -> None:
        super().__init__(server, sock, addr, adj, map)
        self.began_at: float | None = None
        self.idle_since = time.monotonic()
        self.crowd.add(self, addr[0])

    def received(self, data: bytes) -> bool:
        if self.request is None:
            self.began_at = time.monotonic()
        is_taken: bool = super().received(data)
        if self.request is None:
            self.began_at, self.idle_since = None, time.monotonic()
        return is_taken

    @property
    def is_busy(self) -> bool:
        """Also while the caller reads the answer, unless that stands still."""
        is_read = self.total_outbufs_len > 0 and time.time() - self.last_activity < IDLE_LIMIT_S
        return bool(self.requests) or is_read

    @property
    def has_head(self) -> bool:
        return self.request is not None and bool(self.request.headers_finished)

    def drop(self) -> None:
        self.will_close = True

    def handle_close(self) -> None:
        self.crowd.remove(self)
        super().handle_close()


def _drop_overdue(_server: TcpWSGIServer, _now: float) -> None:
    _Channel.crowd.drop_overdue()


class _Parser(HTTPRequestParser):
    # waitress logs it if the caller has left before the answer. A request that is not HTTP has no path.
    path = ""
    is_known: Callable[[str, str], bool]

    def parse_header(self, header_plus: bytes) -> None:
        try:
            super().parse_header(header_plus)
        except ValueError:  # otherwise there is a log line, and no answer
            raise ParsingError("Start line or Content-Length is invalid") from None
        if self.is_known(self.headers.get("AUTHORIZATION", ""), self.headers.get("COOKIE", "")):
            self.adj = copy.copy(self.adj)
            self.adj.max_request_body_size = MAX_FILE_BYTES


class _JsonErrorTask(ErrorTask):
    """The answer to a request that is not HTTP, or is too large to be read."""

    def execute(self) -> None:
        task: Any = self  # the stubs know neither `error` nor that the headers are a list
        error = task.request.error
        body = json.dumps({"error": f"{error.reason}: {error.body}"}).encode()
        self.status = f"{error.code} {error.reason}"
        task.response_headers.extend([("Content-Type", "application/json"), *HEADERS.items()])
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)
