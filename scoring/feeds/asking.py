"""One question to a named feed: the answer's bytes, bounded in size and time, and only from where it may come.

A feed's host may not be this machine or a private network unless ALLOWED_FEED_HOSTS admits it: whoever
writes an address there, or a name that changes where it points, must not reach what only the service can.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from errors import FeedError
from scoring.answer_body import read_body
from scoring.bounded_http import CONNECT_LIMIT_S, VALIDATORS, limit
from scoring.feed_faults import MIB, Question
from scoring.feeds.named import NamedFeed

MAX_ANSWER_BYTES = 2 * MIB
MOST_REDIRECTS = 3
BLOCKED_PAUSE_S = 600  # a page in place of data: the site keeps programs out
_LEFT = "X-RateLimit-Requests-Remaining"
_OUT = 429


@dataclass(frozen=True)
class Answer:
    """`body` is None when it is the same as before; `calls_left` is what a header says, None without one."""

    body: bytes | None
    calls_left: int | None


@dataclass(frozen=True)
class FeedQuestion(Question):
    """Says what a refusal by a feed means."""

    has_key: bool

    def refused(self, answer: requests.Response, wall_now: float) -> FeedError:
        status = answer.status_code
        if answer.is_redirect:
            fault = super().refused(answer, wall_now)
            return FeedError("redirect", str(fault).replace("are not followed", "are followed within one host only"))
        if status in (401, 403):
            why = "it does not accept the key" if self.has_key else "it wants a key"
            return FeedError("status", f"the feed answered {status}: {why}")
        if status == 404:
            return FeedError("status", f"the feed answered 404: it does not know {self.what}")
        return super().refused(answer, wall_now)


class Asking:
    """Asks for one match of one feed, over `session`. One thread at a time."""

    def __init__(
        self,
        feed: NamedFeed,
        match_id: str,
        session: requests.Session,
        allowed_hosts: tuple[str, ...],
        wall_clock: Callable[[], float],
    ) -> None:
        self._feed = feed
        self._match_id = match_id
        self._session = session
        self._allowed_hosts = allowed_hosts
        self._wall_clock = wall_clock
        self._validators: dict[str, str] = {}
        self._digest = b""

    def ask(self, limit_s: float, cancelled: threading.Event) -> Answer:
        """Raises FeedError."""
        limit_s = min(limit_s, self._feed.timeout_s)
        url = self._feed.address(self._match_id)
        has_key = bool(self._feed.headers or self._feed.params)
        question = FeedQuestion("the feed", url, f"match {self._match_id}", limit_s, has_key)
        host = urlsplit(url).hostname or ""
        limit(limit_s, cancelled, self._admits(host))
        try:
            return self._follow(question, url, host)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise question.failed(error) from None

    def forget(self) -> None:
        """The last answer was of no use: the next one counts as new."""
        self._validators, self._digest = {}, b""

    def _follow(self, question: FeedQuestion, url: str, host: str) -> Answer:
        for redirects in range(MOST_REDIRECTS + 1):
            with self._session.get(
                url,
                headers={**dict(self._feed.headers), **self._validators},
                stream=True,
                allow_redirects=False,
                timeout=(min(CONNECT_LIMIT_S, question.limit_s), question.limit_s),
            ) as answer:
                if not answer.is_redirect:
                    return self._taken(question, answer)
                target = urljoin(url, answer.headers["Location"])
                if redirects == MOST_REDIRECTS or not _is_within(url, target, host):
                    raise question.refused(answer, self._wall_clock())
                url = target
        raise AssertionError("the last redirect is refused")

    def _taken(self, question: FeedQuestion, answer: requests.Response) -> Answer:
        left = answer.headers.get(_LEFT, "")
        calls_left = int(left) if left.isascii() and left.isdecimal() and len(left) < 9 else None
        if answer.status_code == 304:
            read_body(answer, question, 0)
            return Answer(None, calls_left)
        if answer.status_code not in (200, 204):
            self.forget()
            raise question.refused(answer, self._wall_clock())
        body = read_body(answer, question, MAX_ANSWER_BYTES)
        _check_is_data(question, body)
        digest = hashlib.sha256(body).digest()
        is_same, self._digest = digest == self._digest, digest
        self._validators = {ask: answer.headers[given] for given, ask in VALIDATORS.items() if given in answer.headers}
        return Answer(None if is_same else body, calls_left)

    def _admits(self, host: str) -> Callable[[str], bool]:
        if any(fnmatchcase(host.lower(), pattern) for pattern in self._allowed_hosts):
            return lambda _address: True
        return is_public


def is_public(address: str) -> bool:
    """True for an address that anyone on the internet may reach."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return found.is_global and not found.is_multicast


def _is_within(url: str, target: str, host: str) -> bool:
    """True if a redirect stays on the host, and does not leave https."""
    try:
        here, there = urlsplit(url), urlsplit(target)
        _ = there.port
    except ValueError:
        return False
    if there.scheme not in ("http", "https") or (here.scheme == "https" and there.scheme != "https"):
        return False
    return there.hostname == host and there.username is None


def _check_is_data(question: FeedQuestion, body: bytes) -> None:
    begins = body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if not begins:
        raise FeedError("malformed", f"the feed's answer is empty: it does not know {question.what}")
    if begins == b"<":
        raise FeedError(
            "malformed", "the feed answered with a web page in place of data: it keeps programs out", BLOCKED_PAUSE_S
        )
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise (question.too_deep() if isinstance(error, RecursionError) else question.not_json(body)) from None
    if found is None:
        raise question.null()
