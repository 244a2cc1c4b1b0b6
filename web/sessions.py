"""The dashboard's sessions: signed values that need no store.

The signing key is derived from API_TOKEN. So sessions survive a restart of the
service, and a new token ends them all. An ended session is remembered until it
would have expired, or until the service ends.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable

from itsdangerous import BadSignature, Signer, TimestampSigner

LIFETIME_S = 12 * 3600
MAX_ENDED = 1000
MAX_VALUE_CHARACTERS = 200
DERIVATION_COST = 2**14  # 16 MiB and 0.06 s, once


class Sessions:
    """Begins, checks and ends sessions. Safe to call from many threads."""

    def __init__(self, token: str, wall_clock: Callable[[], float]) -> None:
        # A slow derivation, so that nobody can find the token by trying many against a stolen cookie.
        key = hashlib.scrypt(token.encode(), salt=b"session", n=DERIVATION_COST, r=8, p=1)
        self._wall_clock = wall_clock
        self._signer = _Signer(key, wall_clock)
        self._csrf_signer = Signer(key, salt="csrf", key_derivation="hmac", digest_method=hashlib.sha256)
        self._lock = threading.Lock()
        self._ended: OrderedDict[str, float] = OrderedDict()

    def begin(self) -> str:
        """The value of a new session, for its cookie."""
        return self._signer.sign(secrets.token_urlsafe(16)).decode()

    def find(self, value: str) -> str | None:
        """The id of the session with this value; None if it is not ours, has expired or was ended."""
        if len(value) > MAX_VALUE_CHARACTERS:
            return None
        try:
            session = self._signer.unsign(value, max_age=LIFETIME_S).decode()
        except BadSignature:
            return None
        with self._lock:
            return None if session in self._ended else session

    def end(self, session: str) -> None:
        now = self._wall_clock()
        with self._lock:
            self._ended[session] = now
            while len(self._ended) > MAX_ENDED or next(iter(self._ended.values())) + LIFETIME_S < now:
                self._ended.popitem(last=False)

    def csrf_token(self, session: str) -> str:
        """The value that this session's pages send, and that a page of another site cannot know."""
        return self._csrf_signer.get_signature(session).decode()

    def is_csrf_token(self, session: str, given: str) -> bool:
        return hmac.compare_digest(self.csrf_token(session).encode(), given.encode("utf-8", "replace"))


class _Signer(TimestampSigner):
    def __init__(self, key: bytes, wall_clock: Callable[[], float]) -> None:
        super().__init__(key, salt="session", key_derivation="hmac", digest_method=hashlib.sha256)
        self._wall_clock = wall_clock

    def get_timestamp(self) -> int:
        return int(self._wall_clock())
