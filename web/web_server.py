"""waitress as this service uses it: its limits, and its own errors in JSON like all others."""

from __future__ import annotations

import json
import logging
from typing import Any

from flask import Flask
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.server import BaseWSGIServer, MultiSocketServer, create_server
from waitress.task import ErrorTask

from errors import ConfigurationError
from web.security_headers import HEADERS

# A start waits for the match API and a stop for its FFmpegs: a handful at once must not hold up the rest.
HTTP_THREADS = 16
# Flask refuses bodies over its own limit; this is for what is so large that reading it is a waste.
MAX_READ_BYTES = 16 * 1024 * 1024


def listen(app: Flask, host: str, port: int) -> MultiSocketServer | BaseWSGIServer:
    """The server of `app`, bound to its address; its owner runs and closes it. Raises ConfigurationError."""
    # Where waitress looks for them; there are no arguments for them.
    HTTPChannel.parser_class, HTTPChannel.error_task_class = _Parser, _JsonErrorTask
    # It has a line for every call that waits or is given up: a flood would fill the log.
    logging.getLogger("waitress").setLevel(logging.WARNING)
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    try:
        return create_server(
            app,
            host=host,
            port=port,
            threads=HTTP_THREADS,
            max_request_body_size=MAX_READ_BYTES,
            asyncore_use_poll=True,  # select() ends the service with the first descriptor over 1023
            ident="",
            # hooks.py must see them, to refuse what a proxy passes on; access.py believes one proxy's.
            clear_untrusted_proxy_headers=False,
        )
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"HOST, PORT: cannot listen on {host}:{port}: {error}") from None


class _Parser(HTTPRequestParser):
    # waitress names it when the caller is gone before its answer; one that is no HTTP has none.
    path = ""

    def parse_header(self, header_plus: bytes) -> None:
        try:
            super().parse_header(header_plus)
        except ValueError:  # else a line of the log, and no answer
            raise ParsingError("Start line or Content-Length is invalid") from None


class _JsonErrorTask(ErrorTask):
    """The answer to what is no HTTP, or is too large to be read."""

    def execute(self) -> None:
        task: Any = self  # the stubs know neither `error` nor that the headers are a list
        error = task.request.error
        body = json.dumps({"error": f"{error.reason}: {error.body}"}).encode()
        self.status = f"{error.code} {error.reason}"
        task.response_headers.extend([("Content-Type", "application/json"), *HEADERS.items()])
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)
