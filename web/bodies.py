"""What a caller sends, read and checked: the JSON body, and fields that more than one call takes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flask import request

from errors import InvalidField
from relay.stream_state import MATCH_ID_PATTERN

SURROGATE = re.compile("[\ud800-\udfff]")
_MATCH_ID = re.compile(MATCH_ID_PATTERN)
# Without control characters, which a terminal or a page might take for more than text.
LINE_PATTERN = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$"
_LINE = re.compile(LINE_PATTERN)
_WANTED = "a string of 1 to 128 characters without control characters"


def json_body() -> dict[str, Any]:
    """The body, a JSON object. Raises InvalidField, and what Flask raises for broken JSON."""
    # Other types could come from a page of another site: browsers send them without asking first.
    if request.get_data(cache=True) and not request.is_json:
        raise InvalidField("Content-Type must be application/json")
    try:
        body = request.get_json(force=True)
    except RecursionError:
        raise InvalidField("The body is nested too deeply") from None
    if not isinstance(body, dict):
        raise InvalidField("The body must be a JSON object")
    return body


def text_of(given: Mapping[str, Any], field: str, most: int) -> str:
    """A line of text, "" if it is missing. Raises InvalidField."""
    value = given.get(field)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > most or not _LINE.fullmatch(value) or SURROGATE.search(value):
        raise InvalidField(f"{field} must be a line of {most} characters at most")
    return value.strip()


def match_id_of(given: Mapping[str, Any]) -> str | None:
    """`match_id`, None if it is missing or empty. Raises InvalidField."""
    value = given.get("match_id")
    if value in (None, ""):
        return None
    if not isinstance(value, str) or not _MATCH_ID.fullmatch(value) or SURROGATE.search(value):
        raise InvalidField(f"match_id must be {_WANTED}")
    return value


def needed_match_id(given: Mapping[str, Any]) -> str:
    """`match_id`. Raises InvalidField if it is missing."""
    found = match_id_of(given)
    if found is None:
        raise InvalidField(f"match_id is missing: it must be {_WANTED}")
    return found
