"""The HTTP API: checks requests, calls the registry, and turns results and errors into answers.

It starts no threads and keeps no state. Errors are JSON: `{"error": "..."}`.
"""

from __future__ import annotations

import logging
import re
from dataclasses import asdict
from typing import Any

from flask import Blueprint, Flask, Response, current_app, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from config import Settings
from errors import (
    ClusterUnavailable,
    ConfigurationError,
    FeedError,
    FeedNotFound,
    FileOvertaken,
    InvalidField,
    LinkNotFound,
    MonitoringFailed,
    NoCapacity,
    NoScoreYet,
    PreviewNotReady,
    RelayError,
    SameDestination,
    StartTimedOut,
    StopTimedOut,
    StoreUnusable,
    StreamAlreadyActive,
    StreamNotFound,
    StreamStopped,
    StreamUnreachable,
    WorkFolderUnusable,
)
from media.camera_url import CameraUrl, parse_camera_url
from media.destination import parse_destination
from relay.camera_key import CameraKeys, is_key
from relay.registry import Registry
from relay.request import StreamRequest
from relay.stream_state import NAME_PATTERN, OVERLAY_ID_PATTERN
from scoring.feeds.files import MAX_FILE_BYTES, file_order
from scoring.reading import read_push
from scoring.rundown import MAX_DELAY_S
from web import openapi
from web.bodies import SURROGATE, json_body, match_id_of
from web.feeds import current_feeds
from web.health import Health
from web.metrics import CONTENT_TYPE, Metrics

MAX_BODY_BYTES = 64 * 1024
CHANGES = ("score_delay_s", "feed", "match_id")
OLDER = ": its updated_at is earlier than that of the score on screen, which stays"

_NAME = re.compile(NAME_PATTERN, re.ASCII)
_OVERLAY_ID = re.compile(OVERLAY_ID_PATTERN)
_STATUSES: dict[type[RelayError], int] = {
    InvalidField: 400,
    ConfigurationError: 400,
    StreamNotFound: 404,
    FeedNotFound: 404,
    PreviewNotReady: 404,
    NoScoreYet: 404,
    LinkNotFound: 404,
    FileOvertaken: 409,
    SameDestination: 409,
    StreamAlreadyActive: 409,
    StreamStopped: 409,
    NoCapacity: 429,
    FeedError: 502,
    ClusterUnavailable: 503,
    StoreUnusable: 503,
    StreamUnreachable: 503,
    MonitoringFailed: 500,
    StartTimedOut: 500,
    WorkFolderUnusable: 500,
    StopTimedOut: 500,
}
_log = logging.getLogger(__name__)

blueprint = Blueprint("streams", __name__)


def init_app(app: Flask, registry: Registry, settings: Settings, metrics: Metrics) -> None:
    """Register routes and error handlers. `registry` answers the calls, `metrics` makes the page at `/metrics`."""
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.extensions["registry"] = registry
    app.extensions["settings"] = settings
    app.extensions["metrics"] = metrics
    app.extensions["camera_keys"] = CameraKeys(settings)
    app.extensions["health"] = Health(settings, registry)
    app.extensions["openapi"] = openapi.document(settings)
    app.register_blueprint(blueprint)
    app.register_error_handler(RelayError, _relay_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected_error)


@blueprint.post("/start_stream")
def start_stream() -> ResponseReturnValue:
    body = json_body()
    if not body.get("youtube_url") or not body.get("stream_name"):
        raise InvalidField("Missing youtube_url or stream_name")
    name = _stream_name(body)
    settings: Settings = current_app.extensions["settings"]
    hosts = settings.allowed_ingest_hosts
    destination = parse_destination(body["youtube_url"], hosts)
    # Empty counts as missing: forms also send fields that were not filled in.
    has_backup = body.get("backup_url") not in (None, "")
    backup = parse_destination(body["backup_url"], hosts, "backup_url") if has_backup else None
    if backup is not None and backup.ingest == destination.ingest:
        raise SameDestination("backup_url must be different from youtube_url")
    delay_s = _score_delay_s(body) if body.get("score_delay_s") is not None else None
    _registry().start(
        StreamRequest(
            name,
            destination,
            _overlay_id(body),
            backup,
            score_delay_s=delay_s,
            camera_key=_camera_key(body, name),
            camera=_camera(body, settings),
            feed=current_feeds().chosen(body["feed"]) if body.get("feed") not in (None, "") else None,
            match_id=match_id_of(body),
        )
    )
    return {"message": f"Stream {name} started successfully", "youtube_url": destination.url}


@blueprint.post("/stop_stream")
def stop_stream() -> ResponseReturnValue:
    body = json_body()
    if not body.get("stream_name"):
        raise InvalidField("Missing stream_name")
    name = _stream_name(body)
    _registry().stop(name)
    return {"message": f"Stream {name} stopped successfully"}


@blueprint.get("/list_streams")
def list_streams() -> ResponseReturnValue:
    settings: Settings = current_app.extensions["settings"]
    shows_key = settings.list_streams_show_key
    return {
        stream.name: {
            "youtube_url": stream.youtube_url if shows_key else stream.masked_url,
            "uptime": stream.uptime_s,
        }
        for stream in _registry().snapshots()
    }


@blueprint.get("/streams")
def streams() -> ResponseReturnValue:
    return {"streams": [asdict(status) for status in _registry().statuses()]}


@blueprint.get("/streams/<name>")
def stream(name: str) -> ResponseReturnValue:
    return asdict(_registry().status(name))


@blueprint.patch("/streams/<name>")
def change_stream(name: str) -> ResponseReturnValue:
    body = json_body()
    if not body.keys() & CHANGES:
        raise InvalidField(f"One of {', '.join(CHANGES)} must be given")
    changed: dict[str, Any] = {}
    if "score_delay_s" in body:
        changed["score_delay_s"] = _score_delay_s(body)
    if body.keys() & {"feed", "match_id"}:
        changed |= _changed_feed(name, body)
    if "score_delay_s" in changed:
        _registry().delay_score(name, changed["score_delay_s"])
    if "feed" in changed:
        feed = changed["feed"]
        _registry().change_feed(name, current_feeds().chosen(feed) if feed else None, changed["match_id"])
    return {"message": f"Stream {name} changed successfully"} | changed


def _changed_feed(name: str, body: dict[str, Any]) -> dict[str, Any]:
    """Who names the same feed again goes back to it, with its match."""
    its = _registry().status(name).feed
    feed = body.get("feed", its.name)
    if feed in (None, ""):
        feed = None
    elif feed != its.name or "feed" in body:
        feed = current_feeds().chosen(feed).name
    match_id = match_id_of(body) if "match_id" in body else its.match_id if feed == its.name else None
    return {"feed": feed, "match_id": match_id or name}


@blueprint.delete("/streams/<name>")
def dismiss_stream(name: str) -> ResponseReturnValue:
    _registry().dismiss(name)
    return {"message": f"Stream {name} dismissed successfully"}


@blueprint.put("/streams/<name>/match")
def push_match(name: str) -> ResponseReturnValue:
    is_shown = _registry().push(name, read_push(json_body()))
    return {"message": f"Score of stream {name} taken{'' if is_shown else OLDER}"}


@blueprint.put("/streams/<name>/feed/<kind>")
def push_file(name: str, kind: str) -> ResponseReturnValue:
    """A scoring program's file as it is, of whatever content type."""
    request.max_content_length = MAX_FILE_BYTES
    order = file_order(request.headers.get("Carrier-Order"))
    is_shown = _registry().push_file(name, kind, request.get_data(cache=False), order)
    if is_shown is None:
        return {"message": f"File for stream {name} taken: it names no side yet, so nothing is shown"}
    return {"message": f"Score of stream {name} taken{'' if is_shown else OLDER}"}


@blueprint.get("/streams/<name>/match")
def newest_match(name: str) -> ResponseReturnValue:
    return _registry().match(name)


@blueprint.get("/streams/<name>/on_screen")
def on_screen(name: str) -> ResponseReturnValue:
    return _registry().on_screen(name)


@blueprint.get("/streams/<name>/log")
def stream_log(name: str) -> ResponseReturnValue:
    return {"entries": _registry().log(name, _after())}


@blueprint.get("/streams/<name>/overlay.png")
def overlay_png(name: str) -> ResponseReturnValue:
    headers = {"Content-Type": "image/png", "Cache-Control": "no-store"}
    return _registry().overlay_png(name), 200, headers


@blueprint.get("/streams/<name>/preview.jpg")
def preview_jpg(name: str) -> ResponseReturnValue:
    response = Response(_registry().preview(name), content_type="image/jpeg")
    response.headers["Cache-Control"] = "no-cache"
    response.add_etag()
    return response.make_conditional(request)


@blueprint.get("/healthz")
def healthz() -> ResponseReturnValue:
    """The process is alive. Nothing else is checked."""
    return {"status": "ok"}


@blueprint.get("/readyz")
def readyz() -> ResponseReturnValue:
    health: Health = current_app.extensions["health"]
    readiness = health.readiness()
    return asdict(readiness), 200 if readiness.ready else 503


@blueprint.get("/metrics")
def metrics_page() -> ResponseReturnValue:
    metrics: Metrics = current_app.extensions["metrics"]
    return metrics.page(), 200, {"Content-Type": CONTENT_TYPE}


@blueprint.get("/openapi.json")
def openapi_document() -> ResponseReturnValue:
    document: dict[str, Any] = current_app.extensions["openapi"]
    return document


def _after() -> int:
    """The number of the newest entry that the caller knows."""
    given = request.args.get("after", "0")
    if not re.fullmatch(r"\d{1,9}", given, re.ASCII):
        raise InvalidField("after must be the number of an entry: a whole number from 0 on")
    return int(given)


def _registry() -> Registry:
    registry: Registry = current_app.extensions["registry"]
    return registry


def _stream_name(body: dict[str, Any]) -> str:
    name = body["stream_name"]
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidField("stream_name must be 1 to 64 characters of A-Z a-z 0-9 . _ - and not start with . or -")
    return name


def _overlay_id(body: dict[str, Any]) -> str:
    value = body.get("overlay_id", "0")
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not _OVERLAY_ID.fullmatch(value) or SURROGATE.search(value):
        raise InvalidField("overlay_id must be a string of 1 to 64 characters without control characters")
    return value


def _camera(body: dict[str, Any], settings: Settings) -> CameraUrl | None:
    given = body.get("camera_url")
    return None if given in (None, "") else parse_camera_url(given, settings.allowed_camera_hosts)


def _camera_key(body: dict[str, Any], name: str) -> str | None:
    """The key that is given, or the one that the service makes."""
    given = body.get("camera_key")
    if given in (None, ""):
        keys: CameraKeys = current_app.extensions["camera_keys"]
        return keys.of(name)
    if not is_key(given):
        raise InvalidField("camera_key must be 8 to 64 characters of A-Z a-z 0-9 . _ ~ -")
    return str(given)


def _score_delay_s(body: dict[str, Any]) -> float:
    value = body.get("score_delay_s")
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MAX_DELAY_S:
        raise InvalidField(f"score_delay_s must be a number of seconds from 0 to {MAX_DELAY_S:g}")
    return float(value)


def _relay_error(error: RelayError) -> ResponseReturnValue:
    headers = {} if error.retry_after_s is None else {"Retry-After": str(error.retry_after_s)}
    help = {"help": error.help} if isinstance(error, MonitoringFailed) and error.help else {}
    return {"error": str(error)} | help, _STATUSES.get(type(error), 500), headers


def _http_error(error: HTTPException) -> ResponseReturnValue:
    reasons = {
        400: "The body must be a JSON object",
        404: "Not found",
        405: "Method not allowed",
        413: f"The body is over {MAX_BODY_BYTES} bytes",
    }
    status = error.code or 500
    headers = [(name, value) for name, value in error.get_headers() if name in ("Allow", "Location")]
    return {"error": reasons.get(status, error.name)}, status, headers


def _unexpected_error(_error: Exception) -> ResponseReturnValue:
    _log.exception("a call failed")
    return {"error": "Internal error; the log says more"}, 500
