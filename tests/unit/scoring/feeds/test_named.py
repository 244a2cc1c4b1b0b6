from __future__ import annotations

from pathlib import Path

import pytest

from errors import ConfigurationError
from scoring.feeds.named import MAX_FEEDS, NamedFeed, read_feeds, read_text, variables_in

KEY = "canary-feed-key"
GOOD = """
[saturday]
kind = "cricclubs"
url = "https://scores.example.org/live?clubId=4711&matchId={match_id}"

[league]
kind = "cricapi"
url = "https://api.example.org/v1/match?id={match_id}"
headers = { X-Club = "env:CLUB" }
params = { apikey = "env:KEY" }
poll_interval_s = 30
calls_per_day = 100
expected_hours = 3.5
timeout_s = 2
"""
ENVIRONMENT = {"KEY": KEY, "CLUB": "Red Valley"}


def fault_of(text: str) -> str:
    with pytest.raises(ConfigurationError) as error:
        read_feeds(text, ENVIRONMENT)
    return str(error.value)


def test_feeds_are_read_with_the_values_of_the_environment() -> None:
    feeds = read_feeds(GOOD, ENVIRONMENT)

    assert list(feeds) == ["saturday", "league"]
    assert feeds["saturday"].poll_interval_s == 5
    league = feeds["league"]
    assert league.headers == (("X-Club", "Red Valley"),)
    assert (league.poll_interval_s, league.calls_per_day, league.expected_hours, league.timeout_s) == (30, 100, 3.5, 2)
    assert league.address("a/b c?") == f"https://api.example.org/v1/match?id=a%2Fb%20c%3F&apikey={KEY}"
    assert KEY in league.secrets


def test_no_secret_stands_in_what_is_printed_of_a_feed() -> None:
    assert KEY not in repr(read_feeds(GOOD, ENVIRONMENT))


def test_the_variables_of_a_file_are_known() -> None:
    assert variables_in(GOOD) == {"KEY", "CLUB"}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[a]\nkind = 'own'\nurl = 'http://h/'\n\n[a]\nkind = 'own'", "line 5: Cannot declare ('a',) twice"),
        ("[a]\nkind = 'own'\nkind = 'own'", "line 3: Cannot overwrite a value"),
        ("[a]\nurl = 'http://h/", 'line 2: Expected "\'"'),
        ("[a]\nurl = 'http://h/'", "line 1: a: kind is missing"),
        ("[a]\nkind = 'own'", "line 1: a: url is missing"),
        ("\n\nkind = 'own'", "line 3: kind stands outside of a feed: begin one with [NAME]"),
        ("[a]\nurl = 'http://h/'\nkind = 'ovn'", "line 3: a.kind: must be one of own, currscore,"),
        ("[a]\nurl = 'http://h/'\nkind = 'nv_play'", "line 3: a.kind: must be one of"),
        ("[a]\nkind = 'own'\nurl = 'http://h/'\nheader = {}", "line 4: a: there is no such key as header; did you"),
        ("['a b']\nkind = 'own'", "line 1: a feed's name must be 1 to 64 characters of A-Z a-z 0-9 _ -"),
        ("['../x']\nkind = 'own'", "line 1: a feed's name must be"),
    ],
)
def test_a_fault_is_named_with_its_line(text: str, fault: str) -> None:
    said = fault_of(text)

    assert fault in said
    assert said.startswith("FEEDS_FILE, line")


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("file:///etc/passwd", "must be a URL that starts with http:// or https://"),
        ("ftp://h/{match_id}", "must be a URL that starts with"),
        ("http:///x", "must be a URL that starts with"),
        ("http://user:canary-feed-key@h/x", "must hold no user name and no password"),
        ("http://h/{match_id}/{match_id}", "may hold {match_id} once"),
        ("http://h/{other}", "may hold {match_id} once, and no other braces"),
        ("http://{match_id}.example.org/", "must hold {match_id} in its path or query only"),
        ("http://h/a b", "must contain no spaces or control characters"),
        ("http://h:99999/", "must be a URL"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused(url: str, fault: str) -> None:
    said = fault_of(f"[a]\nkind = 'own'\nurl = '{url}'")

    assert said.startswith("FEEDS_FILE, line 3: a.url: ")
    assert fault in said
    assert KEY not in said


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("poll_interval_s = '5'", "a.poll_interval_s: must be a number"),
        ("poll_interval_s = true", "a.poll_interval_s: must be a number"),
        ("poll_interval_s = 0.1", "a.poll_interval_s: should be greater than or equal to 0.2"),
        ("poll_interval_s = nan", "a.poll_interval_s: should be"),
        ("calls_per_day = 0", "a.calls_per_day: should be greater than or equal to 1"),
        ("calls_per_day = 1.5", "a.calls_per_day: should be a valid integer"),
        ("timeout_s = 60", "a.timeout_s: should be less than or equal to 10"),
        ("ca_file = '/nowhere.pem'", "a.ca_file: must be a file with certificates in PEM form"),
        ("headers = { Key = 'env:NOWHERE' }", "a.headers: Key: NOWHERE is not set in the environment or in .env"),
        ("headers = { Key = 'env:' }", "a.headers: Key: the variable is not set"),
        ('headers = { Key = "a\\r\\nHost: b" }', "a.headers: Key: must be 1,000 characters of ASCII at most, on one"),
        ('headers = { "A\\nB" = "c" }', "a.headers: must hold names of headers"),
        ("headers = { Host = 'inside' }", "a.headers: must hold names of headers, and none of accept-encoding"),
        ("headers = 'Key: value'", "a.headers: should be a valid dictionary"),
        ("params = { 'a&b' = 'c' }", "a.params: must hold names of 1 to 64 characters"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused(line: str, fault: str) -> None:
    said = fault_of(f"[a]\nkind = 'own'\nurl = 'http://h/'\n{line}")

    assert said.startswith(f"FEEDS_FILE, line 4: {fault}"), said


def test_a_kind_says_how_often_it_may_be_asked() -> None:
    said = fault_of("[a]\nkind = 'cricclubs'\nurl = 'http://h/'\npoll_interval_s = 1")

    assert said == "FEEDS_FILE, line 4: a.poll_interval_s: must be 5 or more for the kind cricclubs"


def test_all_faults_are_named_at_once() -> None:
    said = fault_of("[a]\nkind = 'own'\n[b]\nkind = 'x'\nurl = 'http://h/'\n[b.headers]\nKey = 'env:NOWHERE'")

    assert [line.split(":")[0] for line in said.splitlines()] == [
        "FEEDS_FILE, line 1",
        "FEEDS_FILE, line 4",
        "FEEDS_FILE, line 6",
    ]


def test_too_many_feeds_and_too_deep_ones_are_refused() -> None:
    many = "".join(f"[f{number}]\nkind = 'own'\nurl = 'http://h/'\n" for number in range(MAX_FEEDS + 1))

    assert f"more than {MAX_FEEDS}" in fault_of(many)
    assert "FEEDS_FILE, line 1" in fault_of("a = " + "[" * 5000)


@pytest.mark.parametrize(
    ("content", "fault"), [(None, "cannot be read"), (b"\xff\xfe", "is not UTF-8"), (b"#" * 300_000, "over 256 KiB")]
)
def test_a_file_that_cannot_be_read_says_so(tmp_path: Path, content: bytes | None, fault: str) -> None:
    path = tmp_path / "feeds.toml"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ConfigurationError, match=f"FEEDS_FILE: feeds.toml {fault}|FEEDS_FILE: feeds.toml is {fault}"):
        read_text(path)


def test_a_key_in_the_address_is_a_secret() -> None:
    feed = NamedFeed("a", "own", "http://h/?token=canary-feed-key")

    assert feed.secrets == ("token=canary-feed-key",)
