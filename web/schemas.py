"""The schemas of the OpenAPI document: what is asked, what a score is, and what is answered. Pure.

Built from the limits and patterns that the code checks with.
"""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from config import Settings
from media.camera_url import SCHEMES
from media.destination import MAX_URL_CHARACTERS, example_host, url_pattern
from relay.camera_key import KEY_PATTERN
from relay.stream_state import MATCH_ID_PATTERN, NAME_PATTERN, OVERLAY_ID_PATTERN, StreamStatus
from scoring.events import KINDS
from scoring.extended import MAX_EXTRAS
from scoring.feeds.kinds import KINDS as FEED_KINDS
from scoring.feeds.named import NAME_PATTERN as FEED_NAME_PATTERN
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

_SPACES = r"[ \t\n\r\f\v]*"
_DIGITS_UP_TO = {MAX_NUMBER: "[0-9]{1,4}", MAX_OVERS: "0?[0-9]{1,3}"}


def ref(schema: str) -> Json:
    return {"$ref": f"#/components/schemas/{schema}"}


def an_object(properties: Json, *required: str) -> Json:
    return {"type": "object", "properties": properties, **({"required": list(required)} if required else {})}


def or_null(schema: Json, *more: object) -> Json:
    return {"anyOf": [schema, {"enum": [*more, None]}]}


def requests(settings: Settings) -> dict[str, Json]:
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
        "Start": an_object(
            {
                "youtube_url": ref("Destination") | {"examples": [f"{server}/your-stream-key"]},
                "stream_name": ref("StreamName"),
                "overlay_id": {
                    "type": ["string", "integer"],
                    "pattern": OVERLAY_ID_PATTERN,
                    "default": "0",
                    "description": "For the match API",
                },
                "backup_url": or_null(ref("Destination"), "")
                | {"description": "Different from youtube_url", "examples": [f"{server}/your-stream-key?backup=1"]},
                "score_delay_s": or_null(delay),
                "camera_url": _camera_url(settings),
                "camera_key": or_null({"type": "string", "pattern": KEY_PATTERN}, "")
                | {"description": "What the camera must add to its name: NAME?key=KEY"},
                **_feed(settings),
            },
            "youtube_url",
            "stream_name",
        ),
        "Stop": an_object({"stream_name": ref("StreamName")}, "stream_name"),
        "Change": an_object({"score_delay_s": delay, **_feed(settings)})
        | {"anyOf": [{"required": [key]} for key in ("score_delay_s", "feed", "match_id")]},
        "FeedName": {"type": "string", "pattern": FEED_NAME_PATTERN},
        "MatchId": {"type": "string", "pattern": MATCH_ID_PATTERN},
        "Try": an_object({"match_id": ref("MatchId")}, "match_id"),
    }


def _feed(settings: Settings) -> dict[str, Json]:
    if settings.feeds_file is None:
        feed: Json = {"enum": ["", None], "description": "null: the match API. There is no FEEDS_FILE"}
    else:
        feed = or_null(ref("FeedName"), "") | {"description": "A feed of FEEDS_FILE; null: the match API"}
    match_id = or_null(ref("MatchId"), "") | {"description": "What the feed calls the match; else the stream's name"}
    return {"feed": feed, "match_id": match_id}


def _camera_url(settings: Settings) -> Json:
    if not settings.allowed_camera_hosts:
        return {"enum": ["", None], "description": "Off: ALLOWED_CAMERA_HOSTS names no host"}
    url = {"type": "string", "pattern": f"^(?:{'|'.join(SCHEMES)})://", "maxLength": MAX_URL_CHARACTERS}
    return or_null(url, "") | {"description": "The camera to pull, of a host in ALLOWED_CAMERA_HOSTS"}


def scores() -> dict[str, Json]:
    """What is pushed. Everywhere null counts as missing, and so does "", except for objects and lists."""
    text, count, wickets, overs = ref("Text"), ref("Count"), ref("Wickets"), ref("Overs")
    both = {
        "status": {"enum": [*STATUSES, "", None]},
        "title": text,
        "result": text,
        "updated_at": or_null({"type": "string", "format": "date-time"}, ""),
    }
    cricket = {
        "sport": {"const": "cricket"},
        **both,
        "innings": _whole(MAX_INNINGS),
        "target": count,
        "overs_limit": _whole(MAX_OVERS),
        "toss": text,
        "player_of_match": text,
        "batting": or_null(ref("Team")),
        "bowling": or_null(ref("Team")),
        "batters": or_null({"type": "array", "maxItems": MAX_BATTERS, "items": or_null(ref("Batter"))}),
        "bowler": or_null(
            an_object({"name": text, "overs": overs, "maidens": count, "runs": count, "wickets": wickets}),
        ),
        "this_over": or_null({"type": "array", "items": ref("BallLabel")}),
        "partnership": or_null(an_object({"runs": count, "balls": count})),
        "last_wicket": or_null(an_object({"name": text, "runs": count, "balls": count, "how_out": text})),
        **_more_of_the_match(text, count, wickets, overs),
    }
    other = {
        "sport": {"const": "generic"},
        **both,
        "home": or_null(ref("Team")),
        "away": or_null(ref("Team")),
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
    named = {"type": "object", "anyOf": [an_object({key: ref("SomeText")}, key) for key in ("name", "short")]}
    return {
        "Score": {"anyOf": [ref("CricketScore"), ref("OtherScore")]},
        "CricketScore": an_object(cricket, "sport") | _one_of(batting=named, bowling=named),
        "OtherScore": an_object(other, "sport") | _one_of(home=named, away=named),
        "Team": an_object(team),
        "Batter": an_object(batter | {"on_strike": _flag()}),
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
        "extras": or_null(an_object(dict.fromkeys(("wides", "no_balls", "byes", "leg_byes", "penalty"), extras))),
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
    names = {"type": ["array", "null"], "maxItems": MAX_PLAYERS, "items": ref("SomeText")}
    return {
        "format": or_null(an_object(shape)),
        "totals": _list(total | dict.fromkeys(("declared", "forfeited", "follow_on"), _flag()), MAX_TOTALS),
        "card": or_null(an_object(card)),
        "squads": {"type": ["object", "null"], "additionalProperties": names},
        "revised": or_null(
            an_object({"overs": _whole(MAX_OVERS, least=1), "target": _whole(MAX_NUMBER, least=1), "method": text})
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
    return or_null({"type": "array", "maxItems": most, "items": or_null(an_object(entry))})


def _one_of(**sides: Json) -> Json:
    """At least one field with something to show."""
    fields = sides | {"title": ref("SomeText"), "result": ref("SomeText")}
    return {"anyOf": [an_object({key: schema}, key) for key, schema in fields.items()]}


def _whole(most: int, digits: str | None = None, least: int = 0) -> Json:
    """A whole number from `least` on, as a number or as text; empty or null if it is not known."""
    digits = digits or _DIGITS_UP_TO.get(most) or "|".join(_digits_of(number) for number in range(least, most + 1))
    not_zero = f"(?!{_SPACES}0+{_SPACES}$)" if least == 1 else ""
    pattern = f"^{not_zero}(?:{_SPACES}(?:{digits}){_SPACES})?$"
    return {"type": ["integer", "string", "null"], "minimum": least, "maximum": most, "pattern": pattern}


def _digits_of(number: int) -> str:
    """At most four digits are read, zeros before the number included."""
    return f"0{{0,{4 - len(str(number))}}}{number}"


def answers() -> dict[str, Json]:
    text, seconds = {"type": "string"}, {"type": "number", "minimum": 0}
    words = {"type": "array", "items": text}
    _, built = TypeAdapter.json_schemas(
        [(kind, "serialization", TypeAdapter(kind)) for kind in (StreamStatus, Readiness)],
        ref_template="#/components/schemas/{model}",
    )
    schemas: dict[str, Json] = built["$defs"]
    return schemas | {
        "Error": an_object({"error": text}, "error"),
        "Message": an_object({"message": text}, "message"),
        "Started": an_object({"message": text, "youtube_url": text}, "message", "youtube_url"),
        "Changed": an_object(
            {"message": text, "score_delay_s": seconds, "feed": {"type": ["string", "null"]}, "match_id": text},
            "message",
        ),
        **_feed_answers(text, seconds),
        "StreamList": {
            "type": "object",
            "additionalProperties": an_object({"youtube_url": text, "uptime": seconds}, "youtube_url", "uptime"),
        },
        "Streams": an_object({"streams": {"type": "array", "items": ref("StreamStatus")}}, "streams"),
        "OnScreen": an_object(
            {
                "strip": {"enum": ["shown", "hidden"]},
                "words": words,
                "banner": or_null(an_object({"kind": {"enum": [*KINDS]}, "words": words}, "kind", "words")),
                "mark": {"type": ["string", "null"]},
                **{key: {"type": "null"} for key in ("strap", "card", "sponsor")},
                **{key: {"type": "boolean"} for key in ("hold", "motion")},
            },
            "strip",
            "words",
            "banner",
            "mark",
        ),
        "Cameras": an_object({"unclaimed": {"type": "array", "items": ref("UnclaimedCamera")}}, "unclaimed"),
        "UnclaimedCamera": an_object(
            {**dict.fromkeys(("name", "application", "address", "text"), text), "age_s": seconds},
            *("name", "application", "address", "age_s", "text"),
        ),
        "Camera": an_object(
            {
                **dict.fromkeys(("server", "stream_key", "url"), text),
                "servers": {"type": "array", "minItems": 1, "items": text},
                "camera_key": {"type": ["string", "null"]},
                "apps": an_object({"larix": text, "moblin": text}, "larix", "moblin"),
            },
            *("servers", "server", "stream_key", "url", "camera_key", "apps"),
        ),
        "Log": an_object({"entries": {"type": "array", "items": ref("LogEntry")}}, "entries"),
        "LogEntry": an_object(
            {
                "seq": {"type": "integer", "minimum": 1},
                "at": {"type": "string", "format": "date-time"},
                "video_s": {"type": ["number", "null"], "description": "Seconds since the video began"},
                "kind": {"enum": ["moment", "score", "state", "operator", "feed"]},
                "text": text,
                "moment": {"enum": [*KINDS]},
                "who": text,
            },
            "seq",
            "at",
            "video_s",
            "kind",
            "text",
        ),
        "Health": an_object({"status": {"const": "ok"}}, "status"),
    }


def _feed_answers(text: Json, seconds: Json) -> dict[str, Json]:
    texts, count = {"type": "array", "items": text}, {"type": ["integer", "null"], "minimum": 0}
    named = {"name": text, "kind": {"enum": [*FEED_KINDS]}, "poll_interval_s": seconds, "lacks": texts}
    match = {"anyOf": [ref("CricketScore"), ref("OtherScore"), {"type": "null"}]}
    note = {"type": ["string", "null"], "description": "Why there is nothing to show now"}
    return {
        "Feeds": an_object(
            {
                "feeds": {
                    "type": "array",
                    "items": an_object(
                        named | {"calls_per_day": count, "calls_left": count}, *named, "calls_per_day", "calls_left"
                    ),
                },
                "fault": {"type": ["string", "null"], "description": "Why the file could not be read last time"},
            },
            *("feeds", "fault"),
        ),
        "FeedsRead": an_object({"message": text, "changed": texts}, "message", "changed"),
        "Tried": an_object(
            {"match": match, "lacks": texts, "took_s": seconds, "note": note}, *("match", "lacks", "took_s", "note")
        ),
    }
