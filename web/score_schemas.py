"""The schemas of links and of the scorer's log, for the OpenAPI document. Pure."""

from __future__ import annotations

from club.links import MAX_LABEL, MOST_LINKS, ROLES
from club.score_logs import MOST_EVENTS
from web.bodies import LINE_PATTERN
from web.schemas import Json, an_object, or_null, ref
from web.scores import ID_PATTERN, KINDS, LATEST_MS, MAX_EVENT_BYTES, MOST_AT_ONCE


def score_schemas() -> dict[str, Json]:
    """What is asked about links and logs, and what is answered."""
    text: Json = {"type": "string"}
    label = or_null(text | {"maxLength": MAX_LABEL, "pattern": LINE_PATTERN})
    time, time_or_null = text | {"format": "date-time"}, {"type": ["string", "null"], "format": "date-time"}
    word = text | {"pattern": ID_PATTERN}
    count = {"type": "integer", "minimum": 0, "maximum": MOST_EVENTS}
    event = an_object(
        {"id": word, "kind": {"enum": sorted(KINDS)}, "at": {"type": "number", "minimum": 0, "maximum": LATEST_MS}},
        "id",
        "kind",
    )
    which = {"type": "integer", "description": "Which log it is: each match has its own"}
    events = {"type": "array", "items": ref("ScoreEvent")}
    writer = an_object({"device": text, "label": text, "age_s": {"type": "number"}}, "device", "label", "age_s")
    stream = an_object({"state": text, "on_air": {"type": ["string", "null"]}}, "state", "on_air")
    number_or_null = {"type": ["integer", "null"]}
    typed = an_object(
        {"runs": number_or_null, "wickets": number_or_null, "overs": {"type": ["string", "null"]}}
        | {
            "target": number_or_null,
        },
        *("runs", "wickets", "overs", "target"),
    ) | {"description": "The score that somebody has set over the scorer's"}
    link = {"id": text, "role": {"enum": [*ROLES]}, "label": text, "created_at": time, "last_used_at": time_or_null}
    return {
        "NewLink": an_object({"role": {"enum": [*ROLES]}, "label": label}, "role"),
        "MadeLink": an_object(link | {"url": text, "qr_svg": text}, *link, "url", "qr_svg"),
        "Links": an_object(
            {"links": {"type": "array", "maxItems": MOST_LINKS, "items": an_object(link, *link)}}, "links"
        ),
        "ScoreEvent": event | {"description": f"What was tapped; {MAX_EVENT_BYTES} bytes of JSON at most"},
        "ScoreLog": an_object(
            {
                "log": which | {"type": ["integer", "null"]},
                "seq": count,
                "writer": {"anyOf": [writer, {"type": "null"}]},
                "events": events,
                "stream": stream,
            },
            *("log", "seq", "writer", "events", "stream"),
        ),
        "Append": an_object(
            {
                "device": word,
                "after": count | {"description": "The number of the last event that this device knows"},
                "events": events | {"maxItems": MOST_AT_ONCE},
                "match": or_null(ref("Score")),
                "alive": {"type": "boolean", "description": "The page is open; without events, that the score holds"},
            },
            "device",
        ),
        "Appended": an_object(
            {
                "log": which,
                "seq": count,
                "shown": {"type": "boolean", "description": "Whether the stream runs and has the match"},
                "typed": {"anyOf": [typed, {"type": "null"}]},
                "stream": stream,
            },
            *("log", "seq", "shown", "typed", "stream"),
        ),
        "Writer": an_object({"device": word, "label": label, "take_over": {"type": "boolean"}}, "device"),
        "Conflict": an_object(
            {"error": text, "seq": count, "events": events, "writer": {"anyOf": [writer, {"type": "null"}]}},
            *("error", "seq", "events", "writer"),
        ),
    }
