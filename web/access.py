"""Who may call: if API_TOKEN is set, those who send it in a Bearer header or have a session.

A browser sends the session's cookie even if a page of another site makes the
call. So a call that changes something also needs the session's CSRF token.
Without API_TOKEN anyone may call, except pages of other sites.
"""

from __future__ import annotations

import hmac
import ipaddress
import logging
import socket
import time
from collections.abc import Callable, Mapping
from typing import Any

from flask import Flask, current_app, g, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.http import parse_cookie
from werkzeug.middleware.proxy_fix import ProxyFix

from club.links import Link
from config import Settings
from errors import TooManyFailures
from web.bounded_log import BoundedLog
from web.sessions import Sessions
from web.throttle import Throttle

TOKEN_NEEDED = "Authorization: Bearer TOKEN is needed"  # noqa: S105
HOOKS = "hooks"
COOKIE = "relay_session"
CSRF_HEADER = "X-CSRF-Token"
CSRF_FIELD = "csrf_token"
HOME_PATH = "/"
LOGIN_PATH = "/login"
LOGOUT_PATH = "/logout"
# The scorer's page holds no data: what it shows it asks for with its link.
OPEN_RULES = frozenset({"/healthz", LOGIN_PATH, "/static/<path:filename>", "/score/<name>", "/score/service-worker.js"})
LINK_NEEDED = "This link was withdrawn, or is not complete: ask the operator for a new one"
# What the holder of a link may call, of one stream alone.
ROLE_CALLS: Mapping[str, frozenset[tuple[str, str]]] = {
    "scorer": frozenset(
        {
            ("GET", "/score/<name>/log"),
            ("POST", "/score/<name>/log"),
            ("POST", "/score/<name>/writer"),
            ("PUT", "/streams/<name>/feed/<kind>"),
            ("GET", "/streams/<name>/overlay.png"),
        }
    ),
}
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
SHORT_TOKEN_CHARACTERS = 16
MAX_ADDRESS_CHARACTERS = 64
# Only the owner of a network can make names with these endings point to a machine in it.
_LOCAL_SUFFIXES = (".localhost", ".local", ".internal", ".lan", ".home.arpa")
_log = logging.getLogger(__name__)
FindLink = Callable[[str], Link | None]


def guard(
    app: Flask,
    settings: Settings,
    clock: Callable[[], float] = time.monotonic,
    wall_clock: Callable[[], float] = time.time,
    find_link: FindLink = lambda _token: None,
) -> None:
    """Check every call before its route runs, and warn in the log if the settings leave the service open."""
    token = settings.api_token.get_secret_value()
    one = Guard(token, clock, wall_clock, find_link)
    app.extensions["guard"] = one
    app.before_request(one.check)
    if settings.trusted_proxy is not None:
        app.wsgi_app = _behind(app.wsgi_app, str(settings.trusted_proxy))  # type: ignore[method-assign]
    if is_open(settings):
        _log.warning("API_TOKEN is not set: anyone who reaches %s can start and stop streams", settings.host)
    if 0 < len(token) < SHORT_TOKEN_CHARACTERS:
        _log.warning("API_TOKEN is short enough to be guessed: use %d characters or more", SHORT_TOKEN_CHARACTERS)


def is_open(settings: Settings) -> bool:
    """True if the API can be reached from other machines and needs no token."""
    return not settings.api_token.get_secret_value() and not is_loopback(settings.host)


def is_loopback(host: str) -> bool:
    """True for `localhost` and for loopback addresses."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def current_guard() -> Guard:
    """The guard of the application that answers the current call."""
    one: Guard = current_app.extensions["guard"]
    return one


def csrf_token() -> str:
    """What the pages of the current session must send as X-CSRF-Token; empty without a session."""
    token: str = g.get("csrf_token", "")
    return token


class Guard:
    """Decides on each call of one application."""

    def __init__(
        self, token: str, clock: Callable[[], float], wall_clock: Callable[[], float], find_link: FindLink
    ) -> None:
        self._find_link = find_link
        self.sessions = Sessions(token, wall_clock) if token else None
        self._refusals = BoundedLog(_log, clock)
        self._token = token.encode()
        self._throttle = Throttle(clock)
        self._failures = BoundedLog(_log, clock)

    def check(self) -> ResponseReturnValue | None:
        """The answer that refuses the current call; None if it may pass."""
        if request.blueprint == HOOKS:
            return None  # hooks.py has its own rules
        if request.method not in SAFE_METHODS and _comes_from_another_site():
            return self.refuse("Origin and Host are different sites; a proxy in front must pass on Host")
        # The rule that matched, because a path can be written in many ways.
        if request.url_rule is not None and request.url_rule.rule in OPEN_RULES:
            return None
        if (refusal := self._check_link()) is not None or "link" in g:
            return refusal
        return self._check_operator()

    def refuse(self, error: str) -> ResponseReturnValue:
        """Log the refusal of the current call, and return the answer."""
        self._log_refusal(error)
        return {"error": error}, 403

    def _log_refusal(self, error: str) -> None:
        self._refusals.warning("a call from %s was refused: %s", _address(), error)

    def knows(self, authorization: str, cookies: str) -> bool:
        """True for the headers of somebody who may call; outside of a call, and without counting guesses."""
        if self.sessions is None:
            return True
        scheme, _, given = authorization.partition(" ")
        if scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(errors="replace"), self._token):
            return True
        return self.sessions.find(parse_cookie(cookies).get(COOKIE, "")) is not None

    def session(self) -> str | None:
        """The session of the current call, if it has one."""
        return self.sessions.find(request.cookies.get(COOKIE, "")) if self.sessions else None

    def is_token(self, given: str) -> bool:
        """True if `given` is the token. Raises TooManyFailures while the caller's address has to wait."""
        address = _address()
        is_right = hmac.compare_digest(given.encode(errors="replace"), self._token)
        try:
            self._throttle.judge(address, is_right)
        except TooManyFailures as error:
            self._failures.warning("%s gave too many wrong tokens and has to wait %d s", address, error.retry_after_s)
            raise
        if not is_right:
            self._failures.warning("%s gave a wrong token", address)
        return is_right

    def _check_link(self) -> ResponseReturnValue | None:
        """The answer that refuses a call with a link. If the link may call, it is `g.link` then."""
        given = _bearer()
        if not given or hmac.compare_digest(given.encode(errors="replace"), self._token):
            return None
        link = self._find_link(given)
        if link is None:
            # A service without API_TOKEN is open, but not to a link that was withdrawn.
            return None if self.sessions or not _calls_of_roles() else _link_needed()
        if link.role not in _calls_of_roles() or link.stream != (request.view_args or {}).get("name"):
            return self.refuse(f"This link is for the {link.role} of stream {link.stream} only")
        g.link = link
        return None

    def _check_operator(self) -> ResponseReturnValue | None:
        if self.sessions is not None:
            return self._check_credentials(self.sessions)
        if not _is_own_name(request.headers.get("Host", "")):
            return self.refuse("Without API_TOKEN, Host must be an address or a local name")
        return None

    def _check_credentials(self, sessions: Sessions) -> ResponseReturnValue | None:
        session = self.session()
        if session is not None:
            g.csrf_token = sessions.csrf_token(session)
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        is_bearer = scheme.lower() == "bearer"
        try:
            if is_bearer and self.is_token(given.strip()):
                return None
        except TooManyFailures as error:
            if session is None:
                waits = {"Retry-After": str(error.retry_after_s)}
                return {"error": str(error)}, 401, {"WWW-Authenticate": "Bearer"} | waits
        if session is not None:
            return self._check_csrf(sessions, session)
        if request.path in (HOME_PATH, LOGOUT_PATH) and accepts_pages():
            return redirect(LOGIN_PATH, 303)
        if not is_bearer:  # a wrong one is in the log already
            self._log_refusal(TOKEN_NEEDED)
        if _calls_of_roles():
            return _link_needed()
        return {"error": TOKEN_NEEDED}, 401, {"WWW-Authenticate": "Bearer"}

    def _check_csrf(self, sessions: Sessions, session: str) -> ResponseReturnValue | None:
        if request.method in SAFE_METHODS:
            return None
        given = request.headers.get(CSRF_HEADER, "")
        if not given and request.path == LOGOUT_PATH:
            given = request.form.get(CSRF_FIELD, "")
        if sessions.is_csrf_token(session, given):
            return None
        return self.refuse(f"{CSRF_HEADER} must contain the page's CSRF token")


def _bearer() -> str:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    return given.strip() if scheme.lower() == "bearer" else ""


def _calls_of_roles() -> set[str]:
    """The roles that may make the current call."""
    method = "GET" if request.method == "HEAD" else request.method
    rule = request.url_rule.rule if request.url_rule else ""
    return {role for role, calls in ROLE_CALLS.items() if (method, rule) in calls}


def _link_needed() -> ResponseReturnValue:
    return {"error": LINK_NEEDED}, 401, {"WWW-Authenticate": "Bearer"}


def accepts_pages() -> bool:
    """True if the current call comes from a browser that asks for a page."""
    return "text/html" in request.headers.get("Accept", "")


def _address() -> str:
    return (request.remote_addr or "")[:MAX_ADDRESS_CHARACTERS]  # a proxy may send anything


def _comes_from_another_site() -> bool:
    origin = request.headers.get("Origin")
    if origin is None:
        return False
    scheme, _, host = origin.lower().partition("://")
    default_port = ":443" if scheme == "https" else ":80"
    return host.removesuffix(default_port) != request.headers.get("Host", "").lower().removesuffix(default_port)


def _is_own_name(host_header: str) -> bool:
    """False for a name that another site may have pointed to this machine (DNS rebinding)."""
    host = host_header.lower()
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0].removesuffix(".")
    if "." not in name or name.endswith(_LOCAL_SUFFIXES) or name == socket.gethostname().lower():
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _behind(app: Any, proxy: str) -> Any:
    """`app`, which takes the caller's address and scheme from the headers of this proxy alone."""
    trusting = ProxyFix(app, x_for=1, x_proto=1)

    def choose(environ: dict[str, Any], start_response: Any) -> Any:
        return (trusting if environ.get("REMOTE_ADDR") == proxy else app)(environ, start_response)

    return choose
