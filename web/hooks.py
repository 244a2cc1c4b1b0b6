"""The hooks by which nginx-rtmp reports the cameras that come, publish and leave.

It cannot send headers, and so no token. Its hooks are accepted from this
machine, and from other machines if HOOK_SECRET is in the path.
"""

from __future__ import annotations

import hmac
import re
from typing import Any

from flask import Blueprint, Flask, current_app, g, request
from flask.typing import ResponseReturnValue

from config import Settings
from relay.camera_key import Admission, CameraKeys, judge
from relay.publishers import CameraEvent, CameraKind
from relay.registry import Registry
from relay.stream_state import NAME_PATTERN
from web.access import HOOKS, current_guard, is_loopback
from web.unclaimed import Unclaimed

# A proxy adds one of the first four to calls that it passes on, a browser adds the last. nginx-rtmp sends none.
FOREIGN_HEADERS = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "Via", "Origin")
MAX_FIELD_CHARACTERS = 128
_NAME = re.compile(NAME_PATTERN, re.ASCII)

blueprint = Blueprint(HOOKS, __name__, url_prefix="/hooks")


def init_app(app: Flask) -> None:
    app.register_blueprint(blueprint)


@blueprint.post("/connect")
@blueprint.post("/<secret>/connect")
def connects() -> ResponseReturnValue:
    """nginx-rtmp's `on_connect`: a camera or a player connects. It says no more yet than to which application."""
    _unclaimed().connects(_field("app"), _field("addr"))
    return "", 204


@blueprint.post("/publish")
@blueprint.post("/<secret>/publish")
def camera_came() -> ResponseReturnValue:
    """nginx-rtmp's `on_publish`: it refuses the camera unless this answers 2xx."""
    name, key = _field("name"), _field("key")
    admission = _registry().admission(name, key)
    if admission == Admission.NO_STREAM:
        _unclaimed().publishes(name, _field("app"), _field("addr"))
    match admission:
        case Admission.WRONG_KEY:
            _report(CameraKind.REFUSED)
            return current_guard().refuse(f"{_shown(name)}: the camera's key is {'wrong' if key else 'missing'}")
        case Admission.NO_STREAM if not _may_come_early(name, key):
            return current_guard().refuse(f"No stream has {_shown(name)}")
        case Admission.NOT_YET if _keys().are_required:
            return current_guard().refuse(f"{_shown(name)}: the stream is about to begin")
    return _report(CameraKind.CAME)


@blueprint.post("/update")
@blueprint.post("/<secret>/update")
def camera_stays() -> ResponseReturnValue:
    """nginx-rtmp's `on_update`, every few seconds for each connection. Players have it too.

    It ends the connection unless this answers 2xx.
    """
    if _field("call") != "update_publish":
        return "", 204
    name = _field("name")
    admission = _registry().admission(name, _field("key"))
    if admission == Admission.NO_STREAM:
        _unclaimed().publishes(name, _field("app"), _field("addr"))
    if admission == Admission.WRONG_KEY:  # it was there before the stream
        _report(CameraKind.REFUSED)
        return current_guard().refuse(f"{_shown(name)}: the camera's key is wrong or missing")
    return _report(CameraKind.STAYS)


@blueprint.post("/publish_done")
@blueprint.post("/<secret>/publish_done")
def camera_left() -> ResponseReturnValue:
    """nginx-rtmp's `on_publish_done`."""
    return _report(CameraKind.LEFT)


@blueprint.url_value_preprocessor
def _take_secret(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    g.hook_secret = values.pop("secret", None) if values else None


@blueprint.before_request
def _check_sender() -> ResponseReturnValue | None:
    if g.hook_secret is None:
        is_own = is_loopback(request.remote_addr or "") and not any(name in request.headers for name in FOREIGN_HEADERS)
        return None if is_own else current_guard().refuse("Hooks are accepted from this machine only")
    return None if _is_secret(g.hook_secret) else current_guard().refuse("The path does not contain HOOK_SECRET")


def _is_secret(given: str) -> bool:
    secret = _settings().hook_secret.get_secret_value()
    return bool(secret) and hmac.compare_digest(given.encode(errors="replace"), secret.encode())


def _may_come_early(name: str, key: str) -> bool:
    """Whether a camera may publish under a name that no stream has yet."""
    if _settings().publish_announced_only:
        return False
    return judge(_keys().of(name), key) == Admission.YES


def _shown(name: str) -> str:
    return f"the name {name}" if _NAME.fullmatch(name) else "this name"


def _report(kind: CameraKind) -> ResponseReturnValue:
    _registry().camera_event(_field("name"), CameraEvent(kind, _field("clientid"), _field("addr")))
    return "", 204


def _field(name: str) -> str:
    """nginx-rtmp puts its own fields before those that the camera has in its URL: the first one counts."""
    return request.form.get(name, "")[:MAX_FIELD_CHARACTERS]


def _registry() -> Registry:
    registry: Registry = current_app.extensions["registry"]
    return registry


def _unclaimed() -> Unclaimed:
    unclaimed: Unclaimed = current_app.extensions["unclaimed"]
    return unclaimed


def _keys() -> CameraKeys:
    keys: CameraKeys = current_app.extensions["camera_keys"]
    return keys


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings
