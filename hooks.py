"""What nginx-rtmp tells of the cameras: one came, one left.

It can send no header, hence no token: its hooks are taken from this machine alone.
"""

from __future__ import annotations

from flask import Blueprint, Flask, current_app, request
from flask.typing import ResponseReturnValue

from access import HOOKS, current_guard, is_loopback
from streams import StreamRegistry

# A proxy adds one of the first to what it passes on for others, a browser the last; nginx-rtmp sends none.
FOREIGN_HEADERS = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "Via", "Origin")

blueprint = Blueprint(HOOKS, __name__, url_prefix="/hooks")


def init_app(app: Flask) -> None:
    app.register_blueprint(blueprint)


@blueprint.post("/publish")
def camera_came() -> ResponseReturnValue:
    """nginx-rtmp's `on_publish`: it refuses the camera unless this answers 2xx."""
    _registry().camera_came(_name())
    return "", 204


@blueprint.post("/publish_done")
def camera_left() -> ResponseReturnValue:
    """nginx-rtmp's `on_publish_done`."""
    _registry().camera_left(_name())
    return "", 204


@blueprint.before_request
def _check_sender() -> ResponseReturnValue | None:
    if is_loopback(request.remote_addr or "") and not any(name in request.headers for name in FOREIGN_HEADERS):
        return None
    return current_guard().refuse("Hooks are taken from this machine only")


def _name() -> str:
    """The camera's stream; none when the camera has put a second name into its URL, which nginx-rtmp passes on."""
    names = request.form.getlist("name")
    return names[0] if len(names) == 1 else ""


def _registry() -> StreamRegistry:
    registry: StreamRegistry = current_app.extensions["registry"]
    return registry
