"""What went wrong with one question to the match API or the image server, as a FeedError with a sentence.

The sentence is for a volunteer to read on the status page. URLs may hold
secrets: it names scheme, host and port, and nothing else of them.
"""

from __future__ import annotations

import http.client
import math
import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from urllib.parse import SplitResult, urlsplit

import requests
import urllib3.exceptions

from errors import FeedError
from scoring.bounded_http import Cancelled, Inadmissible
from scoring.trust import Untrusted, certificate_fault

MIB = 1024 * 1024
MAX_PAUSE_S = 600
_MOST_CAUSES = 10
_PAUSE_STATUSES = (429, 503)
_SECONDS = re.compile(r"\d{1,18}", re.ASCII)
_DEFAULT_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[A-Za-z0-9._:-]{1,253}", re.ASCII)


@dataclass(frozen=True)
class Question:
    """One question, in words: `server` is asked at `base` for `what`."""

    server: str
    base: str
    what: str
    limit_s: float

    def refused(self, answer: requests.Response, wall_now: float) -> FeedError:
        """The fault of an answer other than 200. `wall_now` is the time here, for an answer without a Date."""
        if answer.is_redirect:
            place = _origin(answer.headers["Location"])
            target = f"to {place}" if place else "elsewhere"
            return FeedError("redirect", f"{self.server} redirects {target}; redirects are not followed")
        answered = f"{self.server} answered {answer.status_code}"
        pause_s = _pause_s(answer, wall_now)
        if pause_s <= 0:
            return FeedError("status", f"{answered} for {printable(self.what)}")
        asked = f"{pause_s} s" if pause_s <= MAX_PAUSE_S else f"more than {MAX_PAUSE_S} s"
        return FeedError("status", f"{answered} and asks for a pause of {asked}", min(pause_s, MAX_PAUSE_S))

    def failed(self, error: Exception) -> FeedError:
        """There is no answer, or not all of it."""
        causes = tuple(_causes(error))

        def has(*kinds: type[BaseException]) -> bool:
            return any(isinstance(cause, kinds) for cause in causes)

        distrust = next((why for cause in causes if (why := _distrust(cause))), None)
        is_connected = not has(urllib3.exceptions.NewConnectionError)
        if has(Cancelled):
            return FeedError("cancelled", "the stream was stopped meanwhile")
        if has(Inadmissible):
            where = urlsplit(self.base).hostname
            return FeedError(
                "inadmissible",
                f"{where} is this machine or in a private network: name it in ALLOWED_FEED_HOSTS to have it asked",
            )
        if has(TimeoutError, urllib3.exceptions.ReadTimeoutError):
            late = f"{self.server} has not answered within {self.limit_s:g} s"
            return FeedError("timeout", late if is_connected else f"{self._no_connection} in time")
        if distrust:
            place = _origin(self.base) or self.server
            return FeedError("certificate", f"{place} is not trusted: {distrust}")
        if not is_connected or has(requests.exceptions.InvalidURL):
            return FeedError("unreachable", self._no_connection)
        return FeedError("unreachable", self._broken_off(has(ssl.SSLError), has(ConnectionError), causes))

    def too_large(self, max_bytes: int) -> FeedError:
        return FeedError("too_large", f"{self._answer} is over {max_bytes / MIB:g} MiB")

    def null(self) -> FeedError:
        return FeedError("malformed", f"{self._answer} is null: it has nothing for {printable(self.what)}")

    def not_json(self, body: bytes) -> FeedError:
        beginning = printable(body[:200].decode(errors="replace"), 20)
        came = f"not JSON: it begins with '{beginning}'" if body.strip() else "empty"
        return FeedError("malformed", f"{self._answer} is {came}")

    def too_deep(self) -> FeedError:
        return FeedError("malformed", f"{self._answer} is nested too deeply")

    def unknown_encoding(self, name: str) -> FeedError:
        return FeedError("malformed", f"{self._answer} is compressed as '{printable(name, 20)}', which cannot be read")

    def broken_encoding(self, name: str) -> FeedError:
        return FeedError("malformed", f"{self._answer} is broken: it cannot be unpacked as {name}")

    @property
    def _answer(self) -> str:
        return f"{self.server}'s answer"

    @property
    def _no_connection(self) -> str:
        return f"no connection to {self.server} at {_host_port(urlsplit(self.base))}"

    def _broken_off(self, is_tls: bool, is_closed: bool, causes: tuple[BaseException, ...]) -> str:
        if is_tls:
            return f"no secure connection to {self.server} at {_host_port(urlsplit(self.base))}: does it speak https?"
        if any(isinstance(cause, http.client.IncompleteRead) for cause in causes):
            return f"{self._answer} broke off"
        if not is_closed and any(isinstance(cause, http.client.HTTPException) for cause in causes):
            return f"what answers at {_host_port(urlsplit(self.base))} is no web server"
        return f"the connection to {self.server} broke off"


def printable(text: str, most: int = 60) -> str:
    """The text on one line, cut to this many characters, without invisible ones."""
    shown = "".join(character for character in " ".join(text.split()) if character.isprintable())
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"


def _pause_s(answer: requests.Response, wall_now: float) -> int:
    """What a Retry-After asks for, as seconds or as a date by the server's own clock; 0 if it asks for nothing."""
    asked = answer.headers.get("Retry-After", "").strip()
    if answer.status_code not in _PAUSE_STATUSES:
        return 0
    if _SECONDS.fullmatch(asked):
        return int(asked)
    until = _http_date(asked)
    if until is None:
        return 0
    now = _http_date(answer.headers.get("Date", ""))
    return math.ceil(until - (wall_now if now is None else now))


def _http_date(text: str) -> float | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()


def _distrust(error: BaseException) -> str | None:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate {certificate_fault(error)}"
    return str(error) if isinstance(error, Untrusted) else None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """This error and those inside it: requests and urllib3 wrap the errors of sockets."""
    cause: BaseException | None = error
    for _ in range(_MOST_CAUSES):
        if cause is None:
            return
        yield cause
        inner = next((argument for argument in cause.args if isinstance(argument, BaseException)), None)
        cause = inner or cause.__cause__ or cause.__context__


def _origin(url: str) -> str | None:
    """Scheme and host, with the port if it is not the usual one; None if the URL does not name them."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORTS or not _HOST.fullmatch(parts.hostname or ""):
        return None
    is_usual = port in (None, _DEFAULT_PORTS[parts.scheme])
    return f"{parts.scheme}://{_bracketed(parts)}" if is_usual else f"{parts.scheme}://{_host_port(parts)}"


def _host_port(parts: SplitResult) -> str:
    return f"{_bracketed(parts)}:{parts.port or _DEFAULT_PORTS[parts.scheme]}"


def _bracketed(parts: SplitResult) -> str:
    host = parts.hostname or ""
    return f"[{host}]" if ":" in host else host
