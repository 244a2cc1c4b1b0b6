"""The OpenAPI document has the same routes as the service, and accepts the same values."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import create_app
from config import DEFAULT_INGEST_HOSTS
from errors import InvalidField
from media.destination import parse_destination, url_pattern
from relay.stream_state import OVERLAY_ID_PATTERN
from scoring.reading import read_push
from tests.conftest import SettingsFactory
from web import openapi

HOSTS = (*DEFAULT_INGEST_HOSTS.split(","), "relay?.example.org")
METHODS = {"get", "put", "post", "delete", "patch"}


def operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (path, method): operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    }


def test_the_document_has_the_routes_and_no_others(settings_with: SettingsFactory) -> None:
    made = settings_with()
    rules = create_app(made).url_map.iter_rules()
    routes = {
        (re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule), method.lower())
        for rule in rules
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert set(operations(openapi.document(made))) == routes


def test_each_operation_is_complete(settings_with: SettingsFactory) -> None:
    document = openapi.document(settings_with())
    ids = [operation["operationId"] for operation in operations(document).values()]
    assert len(set(ids)) == len(ids)
    for (path, _), operation in operations(document).items():
        named = [parameter["name"] for parameter in document["paths"][path].get("parameters", [])]
        assert named == re.findall(r"\{(\w+)\}", path)
        assert operation["summary"]
        assert "500" in operation["responses"]


def test_each_reference_leads_somewhere_and_each_schema_is_used(settings_with: SettingsFactory) -> None:
    text = json.dumps(openapi.document(settings_with()))
    schemas = set(json.loads(text)["components"]["schemas"])
    assert set(re.findall(r'"#/components/schemas/(\w+)"', text)) == schemas


def test_links_lead_to_operations(settings_with: SettingsFactory) -> None:
    found = operations(openapi.document(settings_with()))
    ids = {operation["operationId"] for operation in found.values()}
    links = found["/start_stream", "post"]["responses"]["200"]["links"]
    assert {link["operationId"] for link in links.values()} <= ids


@pytest.mark.parametrize("token", ["", "open-sesame"])
def test_if_a_token_is_set_the_document_asks_for_it(settings_with: SettingsFactory, token: str) -> None:
    document = openapi.document(settings_with(api_token=token))
    assert "open-sesame" not in json.dumps(document)
    assert bool(document["components"]["securitySchemes"]) == bool(token)
    guarded = {place for place, operation in operations(document).items() if "401" in operation["responses"]}
    free = {place for place in operations(document) if place[0].startswith(("/hooks/", "/static/"))}
    free |= {(path, "get") for path in ("/healthz", "/login", "/score/{name}", "/score/service-worker.js")}
    # The login answers 401 to a wrong token even if no token is set.
    assert guarded == (set(operations(document)) - free if token else {("/login", "post")})


def test_the_service_serves_the_document(settings_with: SettingsFactory) -> None:
    made = settings_with()
    answer = create_app(made).test_client().get("/openapi.json")
    assert (answer.status_code, answer.json) == (200, openapi.document(made))


@pytest.mark.parametrize("hosts", [HOSTS, ("*",)], ids=str)
@given(data=st.data())
@settings(max_examples=60, deadline=None, derandomize=True, database=None)
def test_a_url_that_fits_the_pattern_is_accepted(data: st.DataObject, hosts: tuple[str, ...]) -> None:
    url = data.draw(st.from_regex(url_pattern(hosts).removesuffix("$") + r"\Z").filter(lambda text: len(text) <= 900))
    assert parse_destination(url, hosts).url == url


@pytest.mark.parametrize(
    "url",
    [
        "rtmp://a.rtmp.youtube.com/live2/key",
        "rtmps://a.rtmps.youtube.com:443/live2/key?backup=1",
        "rtmp://localhost/a/b/c",
        "rtmp://[::1]:65535//a//key",
        "rtmp://relay7.example.org/live/k-e_y~!$&'()*+,;=:@%",
        "rtmp://a.rtmp.youtube.com.evil.example/live2/key",
        "rtmp://localhost:0/live2/key",
        "rtmp://localhost:65536/live2/key",
        "rtmp://user@localhost/live2/key",
        "rtmp://localhost/live2/key/",
        "rtmp://localhost/live2/key#part",
        "rtmp://localhost/live2/",
        "rtmp://localhost/key",
        "rtmp://localhost//key",
        "rtmp://localhost/live2/?key",
        "http://localhost/live2/key",
        "rtmp://localhost/live2/a key",
        "rtmp://localhost/live2/kéy",
    ],
)
def test_the_pattern_and_the_parser_agree(url: str) -> None:
    try:
        parse_destination(url, HOSTS)
    except InvalidField:
        accepted = False
    else:
        accepted = True
    assert bool(re.search(url_pattern(HOSTS), url)) == accepted


def test_the_examples_are_accepted(settings_with: SettingsFactory) -> None:
    for hosts in ("*", "::1", "*.rtmp.youtube.com,localhost"):
        made = settings_with(allowed_ingest_hosts=hosts)
        properties = openapi.document(made)["components"]["schemas"]["Start"]["properties"]
        for field in ("youtube_url", "backup_url"):
            parse_destination(properties[field]["examples"][0], made.allowed_ingest_hosts)


def test_the_pattern_of_overlay_id_allows_only_what_json_can_hold() -> None:
    assert re.fullmatch(OVERLAY_ID_PATTERN, "über id\u200b")
    for refused in ("", "x" * 65, "a\n", "\x85", "a\x7f"):
        assert not re.search(OVERLAY_ID_PATTERN.replace("$", r"\Z"), refused)


# The document says the same, and schemathesis tries more.
@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("runs", [0, 9999, "12", " 7 ", "", None, 3.0], [-1, 10_000, "12345", 1.5, True, [], "x"]),
        ("wickets", [20, "20", "0005", "0020"], [21, "21", "00020"]),
        ("overs", ["14.3", "0", 14, 999, "", None], ["14.7", 14.3, 1000, "14.", True]),
        ("score", ["15-40", 3, 3.0, "", None], [10_000, 1.5, " ", "\x00", False]),
        ("name", ["A", "-", "नाम", "\ue000", "x" * 500], [" ", "\x00", "\xa0", 7]),
    ],
)
def test_what_a_push_may_contain(field: str, good: list[Any], bad: list[Any]) -> None:
    for value in good:
        read_push({"sport": "generic", "home": {"name": "A"}, "away": {field: value}})
    for value in bad:
        with pytest.raises(InvalidField, match=f"^away.{field} must be"):
            read_push({"sport": "generic", "home": {"name": "A"}, "away": {field: value}})


def test_the_labels_of_an_over_are_texts_and_numbers() -> None:
    board = read_push({"sport": "cricket", "title": "A", "this_over": [*"123456789", 10.0, 11, "wide", ".", "\ue000"]})
    assert board.this_over == ("3", "4", "5", "6", "7", "8", "9", "10", "11", "wd", "0", "?")
    refused: list[list[Any]] = [[{"ball": "W"}], ["1", " "], [1.5], [None], [[]], [True], ["", *"123456789abc"]]
    for bad in refused:
        with pytest.raises(InvalidField, match="^this_over must be a list of labels"):
            read_push({"sport": "cricket", "title": "A", "this_over": bad})
