"""The scorer's page, and the log of the match that it keeps: read, added to, and put on the overlay.

What a log's events mean is the page's business. With them comes the match in the project's own shape, and that goes
the way of a pushed score.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, current_app, g, render_template, request
from flask.typing import ResponseReturnValue

from club.links import Links
from club.score_logs import MOST_EVENTS, Event, ScoreLogs
from errors import InvalidField, LogConflict, RelayError, StreamNotFound
from relay.registry import Registry
from relay.request import LastPush
from relay.stream_state import NAME_PATTERN
from scoring.newest import PUSH, SCORER
from scoring.reading import read_push
from web.bodies import json_body, text_of

MAX_EVENT_BYTES = 4096
MOST_AT_ONCE = 500
TIDY_EVERY_S = 60.0
LATEST_MS = 10**15
# fmt: off
KINDS = frozenset((
    "setup", "innings", "ball", "out", "retire", "batter", "bowler", "swap", "over_goes_on", "end_over", "end_innings",
    "penalty", "revise", "break", "quick", "squad", "name", "score", "undo", "edit",
))
# fmt: on
# After these nothing has happened on the field: what was said before is said again.
_CORRECTIONS = frozenset({"undo", "edit", "name", "score", "swap", "setup"})
ID_PATTERN = r"^[A-Za-z0-9._-]{1,64}$"
_ID = re.compile(ID_PATTERN, re.ASCII)
_KINDS_TEXT = ", ".join(sorted(KINDS))

blueprint = Blueprint("scores", __name__)


class Desk:
    """The logs, and which streams they belong to."""

    def __init__(self, logs: ScoreLogs, links: Links, clock: Callable[[], float] = time.monotonic) -> None:
        self.logs = logs
        self._links = links
        self._clock = clock
        self._tidied_at: float | None = None

    def tidy(self, registry: Registry) -> None:
        """Once a minute, note which streams are there, and end what belongs to none."""
        now = self._clock()
        if self._tidied_at is not None and now - self._tidied_at < TIDY_EVERY_S:
            return
        self._tidied_at = now
        names = [stream.name for stream in registry.snapshots()]
        self._links.tidy(names)
        self.logs.tidy(names)


def init_app(app: Flask, desk: Desk) -> None:
    """Register the routes; `desk` answers them."""
    app.extensions["scores"] = desk
    app.register_blueprint(blueprint)
    app.register_error_handler(LogConflict, _conflict)


def last_score(logs: ScoreLogs) -> Callable[[str], LastPush | None]:
    """What a scorer has left for the stream of a name: for a service that starts again."""

    def of(name: str) -> LastPush | None:
        try:
            found = logs.last_match(name)
            return LastPush(read_push(found[0]), found[1], SCORER) if found else None
        except RelayError:  # the broadcast goes on without it
            return None

    return of


@blueprint.get("/score/<name>")
def page(name: str) -> ResponseReturnValue:
    """The same for every stream, so that a phone needs to keep one."""
    if not re.fullmatch(NAME_PATTERN, name):
        raise StreamNotFound("Stream not found")
    return render_template("score.html", files=_page_files()), {"Cache-Control": "no-cache"}


@blueprint.get("/score/service-worker.js")
def service_worker() -> ResponseReturnValue:
    """At this path, because a service worker serves no page above its own."""
    page_text = render_template("score.html", files=_page_files())
    digest = hashlib.sha256(page_text.encode())
    for path in _page_files():
        digest.update((_static_folder() / path.removeprefix("/static/")).read_bytes())
    text = render_template("service-worker.js", version=digest.hexdigest()[:16], files=_page_files())
    return text, {"Content-Type": "text/javascript; charset=utf-8", "Cache-Control": "no-cache"}


@blueprint.get("/score/<name>/log")
def read(name: str) -> ResponseReturnValue:
    registry = _known(name)
    _desk().tidy(registry)
    kept = _desk().logs.read(name, _after(request.args.get("after", "0")))
    return {
        "log": kept.log,
        "seq": kept.seq,
        "writer": asdict(kept.writer) if kept.writer else None,
        "events": list(kept.events),
        "stream": _stream(registry, name),
    }


@blueprint.post("/score/<name>/log")
def append(name: str) -> ResponseReturnValue:
    body = json_body()
    device = _word(body, "device")
    after = _after(body.get("after", 0))
    events = _events(body.get("events", []))
    _flag(body, "alive")
    match = body.get("match")
    if match is not None and not isinstance(match, dict):
        raise InvalidField("match must be an object, the match in the project's own shape")
    board = None if match is None else read_push(match)
    registry = _known(name)
    added = _desk().logs.append(name, device, after, events, match)
    is_shown = False
    with suppress(StreamNotFound):  # the log is kept, whether the stream runs or not
        if board is not None and (added.new or not events):
            corrects = any(event["kind"] in _CORRECTIONS for event in events)
            registry.push(name, replace(board, corrects=corrects), SCORER)
        elif not registry.confirm_score(name) and (last := last_score(_desk().logs)(name)):
            registry.push(name, last.board, SCORER)
        is_shown = True
    typed = _typed(registry, name) if added.seq else None
    return {"log": added.log, "seq": added.seq, "shown": is_shown, "typed": typed, "stream": _stream(registry, name)}


@blueprint.post("/score/<name>/writer")
def take(name: str) -> ResponseReturnValue:
    body = json_body()
    device, label = _word(body, "device"), text_of(body, "label", 80)
    take_over = _flag(body, "take_over")
    _known(name)
    _desk().logs.take(name, device, label or (g.link.label if "link" in g else ""), take_over=take_over)
    return {"message": f"This device scores {name}"}


def _known(name: str) -> Registry:
    """The registry. Raises StreamNotFound for a name that no stream has, no log, and no link of the caller."""
    registry = _registry()
    if "link" not in g and not _desk().logs.is_known(name):
        registry.status(name)
    return registry


def _stream(registry: Registry, name: str) -> dict[str, Any]:
    """Whether the stream runs, and what is on air."""
    try:
        status = registry.status(name)
    except RelayError:
        return {"state": "stopped", "on_air": None}
    return {"state": status.state.value, "on_air": status.on_air}


def _typed(registry: Registry, name: str) -> dict[str, Any] | None:
    """The score that somebody has set over the scorer's; None for none."""
    try:
        match = registry.match(name)
    except RelayError:
        return None
    if match["source"] != PUSH:
        return None
    side = match["batting"]
    return {field: side.get(field) for field in ("runs", "wickets", "overs")} | {"target": match.get("target")}


def _conflict(error: LogConflict) -> ResponseReturnValue:
    return {"error": str(error), "seq": error.seq, "events": list(error.events), "writer": error.writer}, 409


def _events(given: Any) -> list[Event]:
    if not isinstance(given, list) or len(given) > MOST_AT_ONCE:
        raise InvalidField(f"events must be a list of {MOST_AT_ONCE} events at most")
    for number, event in enumerate(given):
        place = f"events[{number}]"
        if not isinstance(event, dict):
            raise InvalidField(f"{place} must be an object")
        if not isinstance(event.get("id"), str) or not _ID.fullmatch(event["id"]):
            raise InvalidField(f"{place}.id must be 1 to 64 characters of A-Z a-z 0-9 . _ -")
        if not isinstance(event.get("kind"), str) or event["kind"] not in KINDS:
            raise InvalidField(f"{place}.kind must be one of {_KINDS_TEXT}")
        at = event.get("at", 0)
        if isinstance(at, bool) or not isinstance(at, int | float) or not 0 <= at <= LATEST_MS:
            raise InvalidField(f"{place}.at must be a time in milliseconds since 1970")
        if len(json.dumps(event)) > MAX_EVENT_BYTES:
            raise InvalidField(f"{place} is over {MAX_EVENT_BYTES} bytes")
    return given


def _after(given: Any) -> int:
    text = str(given) if not isinstance(given, bool) else ""
    if not re.fullmatch(r"\d{1,6}", text, re.ASCII) or int(text) > MOST_EVENTS:
        raise InvalidField(f"after must be a whole number from 0 to {MOST_EVENTS}")
    return int(text)


def _flag(body: dict[str, Any], field: str) -> bool:
    value = body.get(field, False)
    if not isinstance(value, bool):
        raise InvalidField(f"{field} must be true or false")
    return value


def _word(body: dict[str, Any], field: str) -> str:
    value = body.get(field)
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise InvalidField(f"{field} must be 1 to 64 characters of A-Z a-z 0-9 . _ -")
    return value


def _static_folder() -> Path:
    return Path(current_app.static_folder or "")


def _page_files() -> list[str]:
    """The paths of what the page needs besides itself."""
    scripts = sorted((_static_folder() / "scorer").glob("*.[jc]s*"))
    return ["/static/icon.svg", "/static/style.css", *(f"/static/scorer/{path.name}" for path in scripts)]


def _desk() -> Desk:
    desk: Desk = current_app.extensions["scores"]
    return desk


def _registry() -> Registry:
    registry: Registry = current_app.extensions["registry"]
    return registry
