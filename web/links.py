"""The calls that make, list and withdraw the links of a stream."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Flask, current_app, request
from flask.typing import ResponseReturnValue

from club.links import MAX_LABEL, ROLES, Link, Links
from config import Settings
from errors import InvalidField
from relay.registry import Registry
from web.bodies import json_body, text_of
from web.cameras import NO_STORE, svg

blueprint = Blueprint("links", __name__)


def init_app(app: Flask, links: Links) -> None:
    """Register the routes; `links` answers them."""
    app.extensions["links"] = links
    app.register_blueprint(blueprint)


@blueprint.post("/streams/<name>/links")
def make(name: str) -> ResponseReturnValue:
    body = json_body()
    role = body.get("role")
    if role not in ROLES:
        raise InvalidField(f"role must be one of {', '.join(ROLES)}")
    label = text_of(body, "label", MAX_LABEL)
    _registry().status(name)  # raises StreamNotFound
    link, token = _links().make(name, role, label)
    url = f"{_root()}/score/{name}#{token}"
    return _shown(link) | {"url": url, "qr_svg": svg(url).decode()}, 201, NO_STORE


@blueprint.get("/streams/<name>/links")
def listing(name: str) -> ResponseReturnValue:
    _registry().status(name)
    return {"links": [_shown(link) for link in _links().of(name)]}


@blueprint.delete("/streams/<name>/links/<link_id>")
def withdraw(name: str, link_id: str) -> ResponseReturnValue:
    _links().withdraw(name, link_id)
    return {"message": f"Link {link_id} of stream {name} withdrawn"}


def _shown(link: Link) -> dict[str, Any]:
    times = {"created_at": _time(link.created_at), "last_used_at": _time(link.last_used_at)}
    return {key: value for key, value in asdict(link).items() if key != "stream"} | times


def _time(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _root() -> str:
    settings: Settings = current_app.extensions["settings"]
    return (settings.public_url or request.host_url).rstrip("/")


def _links() -> Links:
    links: Links = current_app.extensions["links"]
    return links


def _registry() -> Registry:
    registry: Registry = current_app.extensions["registry"]
    return registry
