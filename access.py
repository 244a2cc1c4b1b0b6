"""Who may call the API: the holder of API_TOKEN, when one is set.

The RTMP server's hooks are taken without it, from this machine alone, and whether the process lives is told to all.
"""

from __future__ import annotations

import hmac
import ipaddress
import logging

from flask import Flask, request
from flask.typing import ResponseReturnValue

from config import Settings

_log = logging.getLogger(__name__)
HOOKS_PATH = "/hooks/"
HEALTH_PATH = "/healthz"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def guard(app: Flask, settings: Settings) -> None:
    """Demand the token on every route; without one, say so when others can reach the API."""
    app.before_request(_check_hook)
    token = settings.api_token.get_secret_value()
    if not token:
        if settings.host not in _LOOPBACK:
            _log.warning("API_TOKEN is not set: whoever reaches %s can start and stop streams", settings.host)
        return
    expected = f"Bearer {token}".encode()

    @app.before_request
    def check() -> ResponseReturnValue | None:
        if request.path.startswith(HOOKS_PATH) or request.path == HEALTH_PATH:  # nginx-rtmp can send no header
            return None
        given = request.headers.get("Authorization", "").encode()
        if hmac.compare_digest(given, expected):
            return None
        _log.warning("a call from %s without the right token was refused", request.remote_addr)
        return {"error": "Authorization: Bearer TOKEN is needed"}, 401, {"WWW-Authenticate": "Bearer"}


def _check_hook() -> ResponseReturnValue | None:
    if not request.path.startswith(HOOKS_PATH):
        return None
    try:
        if ipaddress.ip_address(request.remote_addr or "").is_loopback:
            return None
    except ValueError:
        pass
    return {"error": "Hooks are taken from this machine only"}, 403
