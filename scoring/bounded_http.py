"""An HTTP session whose questions are bounded in time and can be cancelled.

A socket's own timeout starts anew with every byte, and a name look-up has none.
Here the deadline holds from the look-up to the last byte, however slowly it
drips. Nobody but the host that is named is connected to: the environment's
proxies are not asked, and cookies are not kept.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import logging
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
import requests.adapters
import urllib3.connection
import urllib3.connectionpool

from scoring.trust import Trust

CONNECT_LIMIT_S = 2.0
CANCEL_CHECK_S = 0.1
KEPT_CONNECTIONS = 16  # kept open to one server; more may be open for a while
READ_BYTES = 65_536
# The header of an answer that says which version it is, and the one to ask with for a newer one.
VALIDATORS = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}
# It warns of each connection over those that are kept.
logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)
# A server may close a kept connection just when it is used again. What changes nothing is then asked anew. A pause
# that an answer asks for is not urllib3's to make: it would sleep, or report no answer at all.
_AGAIN = urllib3.util.Retry(
    total=1,
    connect=0,
    read=1,
    redirect=0,
    status=0,
    other=0,
    allowed_methods=("GET",),
    respect_retry_after_header=False,
)


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """None at all: to know the next question requests would read all of the body, and trip over a bad URL."""


def new_session(trust: Trust) -> requests.Session:
    session = _Session()
    session.trust_env = False  # no proxy and no .netrc decides where a match goes
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    session.headers["Accept-Encoding"] = "gzip, deflate"  # what answer_body.py unpacks
    for scheme in ("http://", "https://"):
        session.mount(scheme, _DeadlineAdapter(trust, pool_maxsize=KEPT_CONNECTIONS, max_retries=_AGAIN))
    return session


class Cancelled(OSError):
    """The owner cancelled while bytes were awaited."""


class Inadmissible(OSError):
    """The host's address is not one that may be asked."""


def _any_address(_address: str) -> bool:
    return True


class _Limits(threading.local):
    """Deadline and cancel event of the question that this thread has under way, and what addresses it may go to."""

    deadline: float = 0.0
    cancelled: threading.Event = threading.Event()
    admits: Callable[[str], bool] = staticmethod(_any_address)


_limits = _Limits()


def limit(limit_s: float, cancelled: threading.Event, admits: Callable[[str], bool] = _any_address) -> None:
    """Bound the question that this thread asks next, up to the last byte of its answer."""
    _limits.deadline, _limits.cancelled, _limits.admits = time.monotonic() + limit_s, cancelled, admits


def _remaining_s() -> float:
    """The time left for the present question. Raises Cancelled or TimeoutError if there is none."""
    if _limits.cancelled.is_set():
        raise Cancelled
    remaining_s = _limits.deadline - time.monotonic()
    if remaining_s <= 0:
        raise TimeoutError("deadline")
    return remaining_s


class _BoundedReader(io.RawIOBase):
    """Reads a socket in short waits, so that a deadline over all reads and a cancel are both kept.

    A socket's own timeout starts anew with every byte that arrives.
    """

    def __init__(self, sock: socket.socket, owner: io.IOBase) -> None:
        self._sock = sock
        self._owner = owner  # keeps the socket open after http.client has let go of it

    def close(self) -> None:
        self._owner.close()
        super().close()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while True:
            self._sock.settimeout(min(CANCEL_CHECK_S, _remaining_s()))
            with contextlib.suppress(TimeoutError):
                return self._sock.recv_into(buffer)


class _BoundedResponse(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_BoundedReader(sock, self.fp), READ_BYTES)


class _BoundedConnect:
    """Name look-up and connecting within the deadline, however many addresses a name has."""

    def _new_conn(self: Any) -> socket.socket:
        _remaining_s()  # urllib3 would try again after a timeout, although there was a connection
        try:
            return _connected(self._dns_host, self.port)
        except (OSError, UnicodeError) as error:  # an impossible name raises no OSError
            raise urllib3.exceptions.NewConnectionError(self, "no connection") from error


def _connected(host: str, port: int) -> socket.socket:
    fault = OSError("the name has no address")
    for family, kind, protocol, _, address in _look_up(host, port):
        remaining_s = _remaining_s()
        if not _limits.admits(str(address[0])):
            fault = Inadmissible("not admitted")
            continue
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(min(CONNECT_LIMIT_S, remaining_s))
            sock.connect(address)
            sock.settimeout(_remaining_s())  # of the TLS handshake
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return sock
        except OSError as error:
            sock.close()
            fault = error
    raise fault


def _look_up(host: str, port: int) -> list[Any]:
    """`getaddrinfo` on a thread of its own, which is left behind if it takes too long: it cannot be interrupted."""
    found: Future[list[Any]] = Future()

    def look_up() -> None:
        try:
            found.set_result(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            found.set_exception(error)

    threading.Thread(target=look_up, name="look-up", daemon=True).start()
    while True:
        try:
            return found.result(CANCEL_CHECK_S)
        except TimeoutError:
            _remaining_s()


class _HTTPConnection(_BoundedConnect, urllib3.connection.HTTPConnection):
    response_class = _BoundedResponse


class _HTTPSConnection(_BoundedConnect, urllib3.connection.HTTPSConnection):
    response_class = _BoundedResponse


class _HTTPPool(urllib3.connectionpool.HTTPConnectionPool):
    ConnectionCls = _HTTPConnection


class _HTTPSPool(urllib3.connectionpool.HTTPSConnectionPool):
    ConnectionCls = _HTTPSConnection


class _DeadlineAdapter(requests.adapters.HTTPAdapter):
    def __init__(self, trust: Trust, **kwargs: Any) -> None:
        self._trust = trust
        super().__init__(**kwargs)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}

    def close(self) -> None:
        """Close it at once: urllib3 would leave that to the garbage collector."""
        pools = self.poolmanager.pools
        for pool in [pools.get(key) for key in pools.keys()]:  # noqa: SIM118 - it is no mapping
            if pool is not None:
                pool.close()
        super().close()

    def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> Any:
        host, pool = super().build_connection_pool_key_attributes(request, verify, cert)
        return host, {**pool, "ssl_context": self._trust.context()} if host["scheme"] == "https" else pool

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Nothing: it would add requests' own authorities to those of the context, which decides."""
