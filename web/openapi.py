"""The API as an OpenAPI document, built from the same limits and patterns that the code checks with. Pure.

`_paths()` has one entry for each route. Tests compare it with the routes, and
the running service with the document.
"""

from __future__ import annotations

from club.score_logs import MOST_EVENTS
from config import Settings
from scoring.feeds.files import KINDS
from web.schemas import Json, an_object, answers, ref, requests, scores
from web.score_schemas import score_schemas

API_VERSION = "1.0.0"
ERRORS = {
    400: "The body, or the field that the message names, is missing or not accepted",
    401: "Authorization: Bearer TOKEN is needed; with Retry-After: too many wrong tokens",
    403: "The caller is not allowed: a page of another site, or a hook from another machine",
    404: "Stream or feed not found, or no picture of it yet",
    409: "The name or the stream key is taken, both URLs are the same, or the stream was stopped while it started",
    413: "The body is too large",
    429: "No capacity left, or too many wrong tokens",
    500: "The service failed; its log says more",
    502: "The feed did not answer, or not usefully; the message says why",
    503: "DATA_DIR cannot be used, or in a cluster its head or the stream's node does not answer; see Retry-After",
}
_NOT_MODIFIED = {"304": {"description": "Not changed: the caller has it already"}}


_AFTER: Json = {
    "name": "after",
    "in": "query",
    "description": "Only entries with a higher number",
    "schema": {"type": "integer", "minimum": 0, "maximum": 999_999_999},
}


_CARRIER_ORDER: Json = {
    "name": "Carrier-Order",
    "in": "header",
    "description": "PC.STARTED.NUMBER, so that a file which the network held back does not replace a newer one",
    "schema": {"type": "string", "pattern": r"^[0-9a-f]{1,32}\.[0-9]{1,15}\.[0-9]{1,15}$"},
}


_AFTER_EVENT: Json = _AFTER | {
    "description": "Only events with a higher number",
    "schema": {"type": "integer", "minimum": 0, "maximum": MOST_EVENTS},
}


_MATCH_ID: Json = {
    "name": "match_id",
    "in": "query",
    "required": True,
    "description": "What the feed calls the match",
    "schema": ref("MatchId"),
}


_APP: Json = {
    "name": "app",
    "in": "query",
    "description": "What the code is for: any app that takes a URL, Larix or Moblin",
    "schema": {"enum": ["url", "larix", "moblin"]},
}


def document(settings: Settings) -> Json:
    """OpenAPI 3.1 of a service with these settings."""
    has_token = bool(settings.api_token.get_secret_value())
    schemes = {"token": {"type": "http", "scheme": "bearer", "description": "The value of API_TOKEN"}}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Streaming Service with Overlay",
            "summary": "Relays cameras to YouTube and burns the live score into the picture",
            "version": API_VERSION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "security": [{"token": []}] if has_token else [],
        "paths": _complete(_paths(), has_token=has_token),
        "components": {
            "schemas": requests(settings) | scores() | score_schemas() | answers(),
            "securitySchemes": schemes if has_token else {},
        },
    }


def _paths() -> dict[str, Json]:
    name = _path_parameter("name", ref("StreamName"))
    secret = _path_parameter("secret", {"type": "string", "description": "HOOK_SECRET"})
    return {
        "/start_stream": {
            "post": _operation(
                "start_stream", "Put a stream on air", _json("Started"), (400, 409, 413, 429, 503), body=_json("Start")
            )
        },
        "/stop_stream": {
            "post": _operation(
                "stop_stream", "Stop a stream; nothing of it is left", _json("Message"), (400, 404, 413), _json("Stop")
            )
        },
        "/list_streams": {"get": _operation("list_streams", "The streams on air, by name", _json("StreamList"))},
        "/streams": {"get": _operation("get_streams", "The state of all streams", _json("Streams"))},
        "/streams/{name}": {
            "parameters": name,
            "get": _operation("get_stream", "The state of one stream", _json("StreamStatus"), (404,)),
            "delete": _operation(
                "forget_stream", "Take a failed stream off the list", _json("Message"), (404, 409, 503)
            ),
            "patch": _operation(
                "change_stream", "Change a stream on air", _json("Changed"), (400, 404, 413, 503), _json("Change")
            ),
        },
        "/streams/{name}/match": {
            "parameters": name,
            "get": _operation("get_match", "The newest state of the match, and its source", _json("Score"), (404, 503)),
            "put": _operation(
                "push_match", "Put a score on the overlay", _json("Message"), (400, 404, 413, 503), _json("Score")
            ),
        },
        "/streams/{name}/feed/{kind}": {
            "parameters": name + _path_parameter("kind", {"enum": list(KINDS)}),
            "put": _operation(
                "push_file",
                "Put the score of a scoring program's file on the overlay",
                _json("Message"),
                (400, 404, 409, 413, 503),
                {"application/octet-stream": {}},
            )
            | {"parameters": [_CARRIER_ORDER]},
        },
        "/streams/{name}/carry_scores.bat": {
            "parameters": name,
            "get": _operation(
                "get_carrier", "Starts carry_scores.py on a PC with Windows", {"text/plain": {}}, (404, 503)
            ),
        },
        "/streams/{name}/links": {
            "parameters": name,
            "get": _operation("get_links", "The stream's links, without their tokens", _json("Links"), (404, 503)),
            "post": _operation(
                *(
                    "make_link",
                    "Make a link for one person to this stream",
                    None,
                    (400, 404, 413, 503),
                    _json("NewLink"),
                ),
                more={"201": {"description": "Made; the address is never shown again", "content": _json("MadeLink")}},
            ),
        },
        "/streams/{name}/links/{link_id}": {
            "parameters": name + _path_parameter("link_id", {"type": "string", "pattern": "^[0-9a-f]{8}$"}),
            "delete": _operation("withdraw_link", "Withdraw a link at once", _json("Message"), (404, 503)),
        },
        "/score/{name}": {
            "parameters": name,
            "get": _operation("get_score_page", "The scorer's page", {"text/html": {}}, (404,), is_open=True),
        },
        "/score/service-worker.js": {
            "get": _operation(
                "get_service_worker", "Keeps the scorer's page for when there is no network", {"*/*": {}}, is_open=True
            )
        },
        "/score/{name}/log": {
            "parameters": name,
            "get": _operation("get_score_log", "What the scorer has tapped", _json("ScoreLog"), (400, 404, 503))
            | {"parameters": [_AFTER_EVENT]},
            "post": _operation(
                "append_to_score_log",
                "Add what the scorer has tapped, and put the match on the overlay",
                _json("Appended"),
                (400, 404, 413, 503),
                _json("Append"),
                more={
                    "409": {"description": "Another device has added events, or writes", "content": _json("Conflict")}
                },
            ),
        },
        "/score/{name}/writer": {
            "parameters": name,
            "post": _operation(
                "take_score_log",
                "Have this device write the log",
                _json("Message"),
                (400, 404, 413, 503),
                _json("Writer"),
                more={"409": {"description": "Another device writes", "content": _json("Conflict")}},
            ),
        },
        "/feeds": {"get": _operation("get_feeds", "The feeds of FEEDS_FILE, without their secrets", _json("Feeds"))},
        "/feeds/reload": {
            "post": _operation("read_feeds", "Read FEEDS_FILE again; streams go on", _json("FeedsRead"), (400, 503))
        },
        "/feeds/{feed}/try": {
            "parameters": _path_parameter("feed", ref("FeedName")),
            "post": _operation(
                "try_feed",
                "What a feed says of a match, and what it lacks",
                _json("Tried"),
                (400, 404, 413, 429, 502),
                _json("Try"),
            ),
        },
        "/feeds/{feed}/try.png": {
            "parameters": _path_parameter("feed", ref("FeedName")),
            "get": _operation("get_feed_strip", "The strip that it would give", {"image/png": {}}, (400, 404, 429, 502))
            | {"parameters": [_MATCH_ID]},
        },
        "/streams/{name}/on_screen": {
            "parameters": name,
            "get": _operation(
                "get_on_screen", "What viewers see over the picture, in words", _json("OnScreen"), (404, 503)
            ),
        },
        "/streams/{name}/log": {
            "parameters": name,
            "get": _operation("get_log", "What happened to the stream, the oldest first", _json("Log"), (400, 404, 503))
            | {"parameters": [_AFTER]},
        },
        "/cameras": {
            "get": _operation(
                "get_cameras", "The cameras that publish where no stream waits for them", _json("Cameras")
            )
        },
        "/streams/{name}/camera": {
            "parameters": name,
            "get": _operation("get_camera", "Where the stream's camera publishes", _json("Camera"), (404, 503)),
        },
        "/streams/{name}/camera/qr.svg": {
            "parameters": name,
            "get": _operation(
                "get_camera_qr", "The same as a QR code for phone apps", {"image/svg+xml": {}}, (400, 404, 503)
            )
            | {"parameters": [_APP]},
        },
        "/streams/{name}/overlay.png": {
            "parameters": name,
            "get": _operation("get_overlay", "The overlay as it is now", {"image/png": {}}, (404, 503)),
        },
        "/streams/{name}/preview.jpg": {
            "parameters": name,
            "get": _operation(
                "get_preview",
                "What is on air, a few seconds old",
                {"image/jpeg": {}},
                (404, 503),
                more=_NOT_MODIFIED,
            ),
        },
        "/": {"get": _page("get_dashboard", "The dashboard")},
        "/login": {
            "get": _page("get_login", "The login page", is_open=True),
            "post": _form("log_in", "Begin a session", "token", (401, 413, 429), is_open=True),
        },
        "/logout": {"post": _form("log_out", "End the session", "csrf_token", (413,))},
        "/static/{filename}": {
            "parameters": _path_parameter("filename", {"type": "string"}),
            "get": _operation(
                "get_static", "Files that the pages use", {"*/*": {}}, (404,), is_open=True, more=_NOT_MODIFIED
            ),
        },
        "/healthz": {"get": _operation("get_health", "The process is alive", _json("Health"), is_open=True)},
        "/readyz": {
            "get": _operation(
                "get_readiness",
                "Whether another stream could be started",
                _json("Readiness"),
                more={"503": {"description": "It could not", "content": _json("Readiness")}},
            )
        },
        "/metrics": {
            "get": _operation("get_metrics", "For Prometheus", {"text/plain": {"schema": {"type": "string"}}})
        },
        "/openapi.json": {
            "get": _operation("get_openapi", "This document", {"application/json": {"schema": {"type": "object"}}})
        },
        **_hooks(secret),
    }


def _operation(
    operation_id: str,
    summary: str,
    content: Json | None,
    errors: tuple[int, ...] = (),
    body: Json | None = None,
    *,
    is_open: bool = False,
    more: Json | None = None,
) -> Json:
    """One method of a path: the content of its 200 (204 without content), and the errors that not every one has."""
    ok = {"200": {"description": "Done", "content": content}} if content else {"204": {"description": "Done"}}
    ok = {} if "201" in (more or {}) else ok
    return {
        "operationId": operation_id,
        "summary": summary,
        **({"security": []} if is_open else {}),
        **({"requestBody": {"required": True, "content": body}} if body else {}),
        "responses": ok | (more or {}) | {str(status): _error(status) for status in errors},
    }


def _path_parameter(name: str, schema: Json) -> list[Json]:
    return [{"name": name, "in": "path", "required": True, "schema": schema}]


def _page(operation_id: str, summary: str, *, is_open: bool = False) -> Json:
    more = {"303": {"description": "To the page that comes next"}}
    return _operation(operation_id, summary, {"text/html": {"schema": {"type": "string"}}}, is_open=is_open, more=more)


def _form(operation_id: str, summary: str, field: str, errors: tuple[int, ...], *, is_open: bool = False) -> Json:
    """A page's form. A caller that accepts pages gets its errors as a page, too."""
    body = {"application/x-www-form-urlencoded": {"schema": an_object({field: {"type": "string"}})}}
    operation = _operation(operation_id, summary, None, errors, body, is_open=is_open)
    del operation["responses"]["204"]
    operation["responses"]["303"] = {"description": "To the page that comes next"}
    operation["requestBody"]["required"] = False
    return operation


def _hooks(secret: list[Json]) -> Json:
    """Each hook twice: from nginx-rtmp on this machine, and from one elsewhere."""
    hooks = {
        "connect": ("somebody_connects", "a camera or a player connects"),
        "publish": ("camera_came", "a camera publishes"),
        "update": ("camera_stays", "a camera still publishes"),
        "publish_done": ("camera_left", "a camera left"),
    }
    paths: Json = {}
    for hook, (operation_id, summary) in hooks.items():
        paths[f"/hooks/{hook}"] = {"post": _hook(operation_id, f"nginx-rtmp: {summary}")}
        paths[f"/hooks/{{secret}}/{hook}"] = {
            "parameters": secret,
            "post": _hook(f"{operation_id}_elsewhere", f"nginx-rtmp on another machine: {summary}"),
        }
    return paths


def _hook(operation_id: str, summary: str) -> Json:
    form = {"application/x-www-form-urlencoded": {"schema": an_object({"name": {"type": "string"}})}}
    operation = _operation(operation_id, summary, None, (403, 413), form, is_open=True)
    operation["requestBody"]["required"] = False  # a camera is not refused because its RTMP server leaves something out
    return operation


def _complete(paths: dict[str, Json], *, has_token: bool) -> dict[str, Json]:
    """Add the links between the calls of a stream, and the errors that every operation may give."""
    stream = {"name": "$request.body#/stream_name"}
    paths["/start_stream"]["post"]["responses"]["200"]["links"] = {
        **{link: {"operationId": link, "parameters": stream} for link in ("get_stream", "get_overlay")},
        "stop_stream": {"operationId": "stop_stream", "requestBody": {"stream_name": stream["name"]}},
    }
    for path in paths.values():
        for operation in (one for method, one in path.items() if method != "parameters"):
            responses = operation["responses"]
            responses["500"] = _error(500)
            responses["403"] = _error(403)
            if has_token and "security" not in operation:
                responses["401"] = _error(401)
    return paths


def _error(status: int) -> Json:
    return {"description": ERRORS[status], "content": _json("Error")}


def _json(schema: str) -> Json:
    return {"application/json": {"schema": ref(schema)}}
