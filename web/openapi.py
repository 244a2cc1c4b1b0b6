"""The API as an OpenAPI document, built from the same limits and patterns that the code checks with. Pure.

`_paths()` has one entry for each route. Tests compare it with the routes, and
the running service with the document.
"""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from config import Settings
from media.destination import MAX_URL_CHARACTERS, example_host, url_pattern
from relay.stream_state import NAME_PATTERN, OVERLAY_ID_PATTERN, StreamStatus
from scoring.extended import MAX_EXTRAS
from scoring.fields import SOMETHING
from scoring.rundown import MAX_DELAY_S
from scoring.scoreboard import (
    BATTER_STATUSES,
    BREAKS,
    MAX_BALLS,
    MAX_BALLS_PER_OVER,
    MAX_BATTERS,
    MAX_BOWLERS,
    MAX_CARD_ROWS,
    MAX_INNINGS,
    MAX_INNINGS_PER_SIDE,
    MAX_NUMBER,
    MAX_OVERS,
    MAX_PLAYERS,
    MAX_TOTALS,
    MAX_WICKETS,
    MIN_BALLS_PER_OVER,
    MIN_PLAYERS,
    STATUSES,
)
from web.health import Readiness

Json = dict[str, Any]

API_VERSION = "1.0.0"
ERRORS = {
    400: "The body, or the field that the message names, is missing or not accepted",
    401: "Authorization: Bearer TOKEN is needed; with Retry-After: too many wrong tokens",
    403: "The caller is not allowed: a page of another site, or a hook from another machine",
    404: "Stream not found, or no picture of it yet",
    409: "The name is taken, both URLs are the same, or the stream was stopped while it started",
    413: "The body is too large",
    429: "No capacity left, or too many wrong tokens",
    500: "The service failed; its log says more",
    503: "In a cluster: its head, or the stream's node, does not answer; Retry-After says when to ask again",
}
_NOT_MODIFIED = {"304": {"description": "Not changed: the caller has it already"}}
_SPACES = r"[ \t\n\r\f\v]*"
_DIGITS_UP_TO = {MAX_NUMBER: "[0-9]{1,4}", MAX_OVERS: "0?[0-9]{1,3}"}


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
            "schemas": _requests(settings) | _scores() | _answers(),
            "securitySchemes": schemes if has_token else {},
        },
    }


def _paths() -> dict[str, Json]:
    name = _path_parameter("name", _ref("StreamName"))
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
            "put": _operation(
                "push_match", "Put a score on the overlay", _json("Message"), (400, 404, 413, 503), _json("Score")
            ),
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
        "/hooks/publish": {"post": _hook("camera_came", "nginx-rtmp: a camera publishes")},
        "/hooks/publish_done": {"post": _hook("camera_left", "nginx-rtmp: a camera left")},
        "/hooks/{secret}/publish": {
            "parameters": secret,
            "post": _hook("camera_came_elsewhere", "nginx-rtmp on another machine: a camera publishes"),
        },
        "/hooks/{secret}/publish_done": {
            "parameters": secret,
            "post": _hook("camera_left_elsewhere", "nginx-rtmp on another machine: a camera left"),
        },
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
    body = {"application/x-www-form-urlencoded": {"schema": _object({field: {"type": "string"}})}}
    operation = _operation(operation_id, summary, None, errors, body, is_open=is_open)
    del operation["responses"]["204"]
    operation["responses"]["303"] = {"description": "To the page that comes next"}
    operation["requestBody"]["required"] = False
    return operation


def _hook(operation_id: str, summary: str) -> Json:
    form = {"application/x-www-form-urlencoded": {"schema": _object({"name": {"type": "string"}})}}
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
    return {"application/json": {"schema": _ref(schema)}}


def _ref(schema: str) -> Json:
    return {"$ref": f"#/components/schemas/{schema}"}


def _object(properties: Json, *required: str) -> Json:
    return {"type": "object", "properties": properties, **({"required": list(required)} if required else {})}


def _or_null(schema: Json, *more: object) -> Json:
    return {"anyOf": [schema, {"enum": [*more, None]}]}


def _requests(settings: Settings) -> dict[str, Json]:
    delay = {"type": "number", "minimum": 0, "maximum": MAX_DELAY_S, "description": "Seconds"}
    server = f"rtmp://{example_host(settings.allowed_ingest_hosts)}/live2"
    return {
        "StreamName": {"type": "string", "pattern": NAME_PATTERN, "examples": ["my_stream_key"]},
        "Destination": {
            "type": "string",
            "pattern": url_pattern(settings.allowed_ingest_hosts),
            "maxLength": MAX_URL_CHARACTERS,
            "description": "An RTMP(S) URL with application and stream key, of a host in ALLOWED_INGEST_HOSTS",
        },
        "Start": _object(
            {
                "youtube_url": _ref("Destination") | {"examples": [f"{server}/your-stream-key"]},
                "stream_name": _ref("StreamName"),
                "overlay_id": {
                    "type": ["string", "integer"],
                    "pattern": OVERLAY_ID_PATTERN,
                    "default": "0",
                    "description": "For the match API",
                },
                "backup_url": _or_null(_ref("Destination"), "")
                | {"description": "Different from youtube_url", "examples": [f"{server}/your-stream-key?backup=1"]},
                "score_delay_s": _or_null(delay),
            },
            "youtube_url",
            "stream_name",
        ),
        "Stop": _object({"stream_name": _ref("StreamName")}, "stream_name"),
        "Change": _object({"score_delay_s": delay}, "score_delay_s"),
    }


def _scores() -> dict[str, Json]:
    """What is pushed. Everywhere null counts as missing, and so does "", except for objects and lists."""
    text, count, wickets, overs = _ref("Text"), _ref("Count"), _ref("Wickets"), _ref("Overs")
    both = {
        "status": {"enum": [*STATUSES, "", None]},
        "title": text,
        "result": text,
        "updated_at": _or_null({"type": "string", "format": "date-time"}, ""),
    }
    cricket = {
        "sport": {"const": "cricket"},
        **both,
        "innings": _whole(MAX_INNINGS),
        "target": count,
        "overs_limit": _whole(MAX_OVERS),
        "toss": text,
        "player_of_match": text,
        "batting": _or_null(_ref("Team")),
        "bowling": _or_null(_ref("Team")),
        "batters": _or_null({"type": "array", "maxItems": MAX_BATTERS, "items": _or_null(_ref("Batter"))}),
        "bowler": _or_null(
            _object({"name": text, "overs": overs, "maidens": count, "runs": count, "wickets": wickets}),
        ),
        "this_over": _or_null({"type": "array", "items": _ref("BallLabel")}),
        "partnership": _or_null(_object({"runs": count, "balls": count})),
        "last_wicket": _or_null(_object({"name": text, "runs": count, "balls": count, "how_out": text})),
        **_more_of_the_match(text, count, wickets, overs),
    }
    other = {
        "sport": {"const": "generic"},
        **both,
        "home": _or_null(_ref("Team")),
        "away": _or_null(_ref("Team")),
        "clock": text,
        "period": text,
    }
    team = {
        "name": text,
        "short": text,
        "runs": count,
        "wickets": wickets,
        "overs": overs,
        "color": {"type": ["string", "null"], "pattern": "^(?:#[0-9a-fA-F]{6})?$"},
        "logo": {
            "type": ["string", "null"],
            "pattern": r"^(?:[A-Za-z0-9_][A-Za-z0-9._-]{0,63}\.png)?$",
            "description": "A file name under OVERLAY_IMAGE_BASE",
        },
        "score": {"anyOf": [text, {"type": "integer", "minimum": 0, "maximum": MAX_NUMBER}]},
        "balls": _whole(MAX_BALLS),
        "declared": _flag(),
    }
    batter = {"name": text, "runs": count, "balls": count, "fours": count, "sixes": count}
    named = {"type": "object", "anyOf": [_object({key: _ref("SomeText")}, key) for key in ("name", "short")]}
    return {
        "Score": {"anyOf": [_ref("CricketScore"), _ref("OtherScore")]},
        "CricketScore": _object(cricket, "sport") | _one_of(batting=named, bowling=named),
        "OtherScore": _object(other, "sport") | _one_of(home=named, away=named),
        "Team": _object(team),
        "Batter": _object(batter | {"on_strike": _flag()}),
        "Text": {"type": ["string", "null"], "pattern": f"^$|{SOMETHING}"},
        "SomeText": {"type": "string", "pattern": SOMETHING},
        "BallLabel": {"type": ["string", "integer"], "pattern": SOMETHING, "minimum": 0, "maximum": MAX_NUMBER},
        "Count": _whole(MAX_NUMBER),
        "Wickets": _whole(MAX_WICKETS),
        "Overs": _whole(MAX_OVERS, r"[0-9]{1,3}(?:\.[0-6])?")
        | {"description": 'Overs and balls as in "14.3"; with more than six balls an over as many more'},
    }


def _more_of_the_match(text: Json, count: Json, wickets: Json, overs: Json) -> dict[str, Json]:
    """Format, earlier innings, rain, card and squads; how long texts are cut is not said here."""
    extras = _whole(MAX_EXTRAS)
    total = {"batting": text, "runs": count, "wickets": wickets, "overs": overs}
    batter = {"name": text, "runs": count, "balls": count, "fours": count, "sixes": count, "how_out": text}
    bowler = {"name": text, "overs": overs, "maidens": count, "runs": count, "wickets": wickets}
    fall = {"wicket": _whole(MAX_WICKETS, least=1), "runs": count, "overs": overs, "name": text}
    card = {
        "batting": _list(batter | {"status": {"enum": [*BATTER_STATUSES, "", None]}}, MAX_CARD_ROWS),
        "extras": _or_null(_object(dict.fromkeys(("wides", "no_balls", "byes", "leg_byes", "penalty"), extras))),
        "bowling": _list(bowler | {"wides": extras, "no_balls": extras}, MAX_BOWLERS),
        "fall": _list(fall, MAX_WICKETS),
    }
    shape = {
        "overs": _whole(MAX_OVERS, least=1),
        "balls": _whole(MAX_BALLS, least=1),
        "balls_per_over": _whole(MAX_BALLS_PER_OVER, least=MIN_BALLS_PER_OVER),
        "innings_per_side": _whole(MAX_INNINGS_PER_SIDE, least=1),
        "players": _whole(MAX_PLAYERS, least=MIN_PLAYERS),
        "last_pair_bats_on": _flag(),
    }
    names = {"type": ["array", "null"], "maxItems": MAX_PLAYERS, "items": _ref("SomeText")}
    return {
        "format": _or_null(_object(shape)),
        "totals": _list(total | dict.fromkeys(("declared", "forfeited", "follow_on"), _flag()), MAX_TOTALS),
        "card": _or_null(_object(card)),
        "squads": {"type": ["object", "null"], "additionalProperties": names},
        "revised": _or_null(
            _object({"overs": _whole(MAX_OVERS, least=1), "target": _whole(MAX_NUMBER, least=1), "method": text})
        ),
        "par": count,
        "free_hit": _flag(),
        "powerplay": _flag(),
        "break": {"enum": [*BREAKS, "", None]},
        "batting_first": text,
        "winner": text,
    }


def _flag() -> Json:
    return {"enum": [True, False, "", None]}


def _list(entry: dict[str, Json], most: int) -> Json:
    return _or_null({"type": "array", "maxItems": most, "items": _or_null(_object(entry))})


def _one_of(**sides: Json) -> Json:
    """At least one field with something to show."""
    fields = sides | {"title": _ref("SomeText"), "result": _ref("SomeText")}
    return {"anyOf": [_object({key: schema}, key) for key, schema in fields.items()]}


def _whole(most: int, digits: str | None = None, least: int = 0) -> Json:
    """A whole number from `least` on, as a number or as text; empty or null if it is not known."""
    digits = digits or _DIGITS_UP_TO.get(most) or "|".join(_digits_of(number) for number in range(least, most + 1))
    not_zero = f"(?!{_SPACES}0+{_SPACES}$)" if least == 1 else ""
    pattern = f"^{not_zero}(?:{_SPACES}(?:{digits}){_SPACES})?$"
    return {"type": ["integer", "string", "null"], "minimum": least, "maximum": most, "pattern": pattern}


def _digits_of(number: int) -> str:
    """At most four digits are read, zeros before the number included."""
    return f"0{{0,{4 - len(str(number))}}}{number}"


def _answers() -> dict[str, Json]:
    text, seconds = {"type": "string"}, {"type": "number", "minimum": 0}
    _, built = TypeAdapter.json_schemas(
        [(kind, "serialization", TypeAdapter(kind)) for kind in (StreamStatus, Readiness)],
        ref_template="#/components/schemas/{model}",
    )
    schemas: dict[str, Json] = built["$defs"]
    return schemas | {
        "Error": _object({"error": text}, "error"),
        "Message": _object({"message": text}, "message"),
        "Started": _object({"message": text, "youtube_url": text}, "message", "youtube_url"),
        "Changed": _object({"message": text, "score_delay_s": seconds}, "message", "score_delay_s"),
        "StreamList": {
            "type": "object",
            "additionalProperties": _object({"youtube_url": text, "uptime": seconds}, "youtube_url", "uptime"),
        },
        "Streams": _object({"streams": {"type": "array", "items": _ref("StreamStatus")}}, "streams"),
        "Health": _object({"status": {"const": "ok"}}, "status"),
    }
