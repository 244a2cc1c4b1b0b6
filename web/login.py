"""The dashboard's login: whoever knows API_TOKEN gets a session cookie."""

from __future__ import annotations

from flask import Blueprint, Flask, redirect, render_template, request
from flask.typing import ResponseReturnValue

from errors import TooManyFailures
from web.access import COOKIE, HOME_PATH, LOGIN_PATH, LOGOUT_PATH, accepts_pages, current_guard
from web.sessions import LIFETIME_S

WRONG_TOKEN = "This is not the token"  # noqa: S105

blueprint = Blueprint("login", __name__)


def init_app(app: Flask) -> None:
    app.register_blueprint(blueprint)


@blueprint.get(LOGIN_PATH)
def page() -> ResponseReturnValue:
    guard = current_guard()
    if guard.sessions is None or guard.session() is not None:
        return redirect(HOME_PATH, 303)
    return render_template("login.html", error="")


@blueprint.post(LOGIN_PATH)
def log_in() -> ResponseReturnValue:
    guard = current_guard()
    if guard.sessions is None:
        return redirect(HOME_PATH, 303)
    try:
        if not guard.is_token(request.form.get("token", "").strip()):
            return _refusal(WRONG_TOKEN, 401)
    except TooManyFailures as error:
        return _refusal(str(error), 429, {"Retry-After": str(error.retry_after_s)})
    answer = redirect(HOME_PATH, 303)
    answer.set_cookie(
        COOKIE,
        guard.sessions.begin(),
        max_age=LIFETIME_S,
        secure=request.is_secure,
        httponly=True,
        samesite="Strict",
    )
    return answer


@blueprint.post(LOGOUT_PATH)
def log_out() -> ResponseReturnValue:
    guard = current_guard()
    session = guard.session()
    if guard.sessions is not None and session is not None:
        guard.sessions.end(session)
    answer = redirect(LOGIN_PATH, 303)
    answer.delete_cookie(COOKIE, secure=request.is_secure, httponly=True, samesite="Strict")
    return answer


def _refusal(error: str, status: int, headers: dict[str, str] | None = None) -> ResponseReturnValue:
    body = render_template("login.html", error=error) if accepts_pages() else {"error": error}
    return body, status, headers or {}
