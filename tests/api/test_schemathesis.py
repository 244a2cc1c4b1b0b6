"""schemathesis tests the service against its own OpenAPI document, and finds nothing wrong."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.api.conftest import LiveService, MakeLive

# Names in the document's examples, so that their streams exist.
NAMES = ("my_stream_key", "m2")
# They need a working FFmpeg, or something that cannot be guessed.
OUT_OF_REACH = {
    ("GET", "/streams/{name}/preview.jpg"),
    ("DELETE", "/streams/{name}"),
    ("POST", "/hooks/{secret}/connect"),
    ("POST", "/hooks/{secret}/publish"),
    ("POST", "/hooks/{secret}/update"),
    ("POST", "/hooks/{secret}/publish_done"),
    ("GET", "/static/{filename}"),
    ("POST", "/login"),
    ("POST", "/feeds/{feed}/try"),  # there is no feed
    ("GET", "/feeds/{feed}/try.png"),
    ("DELETE", "/streams/{name}/links/{link_id}"),
    ("PUT", "/streams/{name}/feed/{kind}"),  # a schema cannot say what a scoring program's file is
}


def schemathesis(live: LiveService, folder: Path, *options: str) -> set[tuple[str, str]]:
    """Run it. Returns the operations that succeeded, with the document that it reads first."""
    har = folder / "calls.har"
    headers = [word for header in live.headers.items() for word in ("-H", ": ".join(header))]
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run", f"{live.url}/openapi.json", "--no-color", *headers),
            # The same calls in each run, so that the test does not depend on chance.
            *("--generation-deterministic", "--no-shrink", "--exclude-path-regex", "/feed/"),
            *("--report", "har", "--report-har-path", str(har), *options),
        ],
        cwd=folder,
        env=os.environ | {"NO_PROXY": "*"},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    calls = json.loads(har.read_text())["log"]["entries"]
    return {("GET", "/openapi.json")} | {
        (call["request"]["method"], operation_of(live, urlsplit(call["request"]["url"]).path))
        for call in calls
        if 200 <= call["response"]["status"] < 400 and call["request"]["method"] != "OPTIONS"
    }


def operation_of(live: LiveService, path: str) -> str:
    templates = live.call("GET", "/openapi.json")["paths"]
    if path in templates:
        return path
    for template in templates:
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
            return str(template)
    return path


def all_operations(live: LiveService) -> set[tuple[str, str]]:
    paths = live.call("GET", "/openapi.json")["paths"]
    return {(method.upper(), path) for path, item in paths.items() for method in item if method != "parameters"}


@pytest.mark.parametrize(
    ("token", "options"),
    [("", ["--max-examples", "12"]), ("open-sesame-1234567890", ["--phases", "examples,coverage"])],
    ids=["without token", "with token"],
)
def test_schemathesis_finds_nothing(live: MakeLive, tmp_path: Path, token: str, options: list[str]) -> None:
    one = live(token)
    for name in NAMES:
        one.start(name)
    assert schemathesis(one, tmp_path, *options) | OUT_OF_REACH == all_operations(one), (
        "each operation must succeed at least once"
    )
    assert "a call failed" not in one.log()
    assert "Traceback" not in one.log()
    for name in one.call("GET", "/list_streams"):
        one.call("POST", "/stop_stream", {"stream_name": name})
    assert one.counts()["children"] == 0
