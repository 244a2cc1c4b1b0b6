"""Where a stream's camera publishes: the fields to enter, and QR codes for phone apps.

The answers hold the camera's key, so no cache may keep them.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from urllib.parse import quote, urlsplit

import psutil
import segno
from flask import Blueprint, Flask, current_app, request
from flask.typing import ResponseReturnValue

from config import Settings
from errors import InvalidField
from relay.registry import Registry
from web.access import is_loopback
from web.unclaimed import Unclaimed, UnclaimedCamera

ANY_HOST = "*"  # in CAMERA_SERVER: this machine, by whatever name the caller uses
NO_STORE = {"Cache-Control": "no-store"}
# Networks inside this machine: no camera is in them.
_INNER_INTERFACES = ("docker", "br-", "veth", "virbr", "lo")

blueprint = Blueprint("cameras", __name__)


def init_app(app: Flask, settings: Settings) -> None:
    app.extensions["unclaimed"] = Unclaimed(urlsplit(settings.rtmp_server).path)
    app.register_blueprint(blueprint)


@dataclass(frozen=True)
class CameraAddress:
    """Where one camera publishes. `servers` are several if this machine has several addresses."""

    servers: tuple[str, ...]
    name: str
    camera_key: str | None

    @property
    def stream_key(self) -> str:
        """What camera apps call the stream key: the stream's name, with the camera's key."""
        return f"{self.name}?key={self.camera_key}" if self.camera_key else self.name

    @property
    def url(self) -> str:
        return f"{self.servers[0]}/{self.stream_key}"

    @property
    def apps(self) -> dict[str, str]:
        """By app, the link that sets it up. The forms are from Larix's page on Grove links and Moblin's read-me."""
        grove = {"url": self.url, "name": self.name, "mode": "av", "overwrite": "on"}
        moblin = {"streams": [{"name": self.name, "url": self.url, "selected": True}]}
        return {
            "larix": "larix://set/v1?" + "&".join(f"conn[][{field}]={quote(it, '')}" for field, it in grove.items()),
            "moblin": "moblin://?" + quote(json.dumps(moblin, separators=(",", ":")), ""),
        }


@blueprint.get("/cameras")
def cameras() -> ResponseReturnValue:
    return {"unclaimed": [asdict(camera) for camera in unclaimed_cameras()]}


@blueprint.get("/streams/<name>/camera")
def camera(name: str) -> ResponseReturnValue:
    address = _address(name)
    answer = {
        "servers": address.servers,
        "server": address.servers[0],
        "stream_key": address.stream_key,
        "url": address.url,
        "camera_key": address.camera_key,
        "apps": address.apps,
    }
    return answer, 200, NO_STORE


@blueprint.get("/streams/<name>/camera/qr.svg")
def qr_code(name: str) -> ResponseReturnValue:
    address = _address(name)
    texts = {"url": address.url, **address.apps}
    app = request.args.get("app", "url")
    if app not in texts:
        raise InvalidField(f"app must be one of {', '.join(texts)}")
    return svg(texts[app]), 200, NO_STORE | {"Content-Type": "image/svg+xml"}


def unclaimed_cameras() -> list[UnclaimedCamera]:
    """The cameras that publish where no stream waits for them, the newest first."""
    registry: Registry = current_app.extensions["registry"]
    unclaimed: Unclaimed = current_app.extensions["unclaimed"]
    return unclaimed.cameras([stream.name for stream in registry.snapshots()])


def servers(settings: Settings, asked_host: str | None) -> tuple[str, ...]:
    """The addresses that cameras publish to; `asked_host` is how the caller reaches this machine."""
    server = urlsplit(settings.camera_server or settings.rtmp_server)
    if server.hostname != ANY_HOST and not is_loopback(server.hostname or ""):
        hosts: Iterable[str] = (server.hostname or "",)
    elif asked_host and not is_loopback(asked_host):
        hosts = (asked_host,)
    else:
        hosts = own_addresses() or ("localhost" if server.hostname == ANY_HOST else server.hostname or "",)
    port = f":{server.port}" if server.port else ""
    return tuple(f"{server.scheme}://{_bracketed(host)}{port}{server.path}" for host in hosts)


def asked_host() -> str | None:
    """The host by which the present caller reaches this machine."""
    return urlsplit(request.host_url).hostname


def own_addresses() -> tuple[str, ...]:
    """The IPv4 addresses by which the local network reaches this machine."""
    up = {name for name, state in psutil.net_if_stats().items() if state.isup}
    return tuple(
        address.address
        for name, addresses in psutil.net_if_addrs().items()
        for address in addresses
        if name in up and not name.startswith(_INNER_INTERFACES)
        if address.family.name == "AF_INET" and not address.address.startswith(("127.", "169.254."))
    )


def _address(name: str) -> CameraAddress:
    registry: Registry = current_app.extensions["registry"]
    settings: Settings = current_app.extensions["settings"]
    key = registry.camera_key(name)
    return CameraAddress(servers(settings, asked_host()), name, key)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def svg(text: str) -> bytes:
    """A QR code on white, which scales to any size."""
    buffer = io.BytesIO()
    code = segno.make_qr(text, error="m")
    code.save(buffer, kind="svg", light="#fff", omitsize=True, xmldecl=False, svgclass=None, lineclass=None, nl=False)
    return buffer.getvalue()
