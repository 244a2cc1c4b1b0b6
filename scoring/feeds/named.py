"""FEEDS_FILE: the feeds that streams may name, read from TOML and checked. Pure, but for the file of certificates.

Whoever edits the file is told the line, the key and what is accepted. Values of headers and parameters
are secrets: they are in no message, and `env:NAME` keeps them out of the file.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, urlencode, urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

from errors import ConfigurationError, FeedError
from scoring.feeds.kinds import KINDS, Kind
from scoring.trust import check_certificates

MAX_FILE_BYTES = 256 * 1024
MAX_FEEDS = 200
EXPECTED_HOURS = 5.0
MATCH = "{match_id}"
NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"
_NAME = re.compile(NAME_PATTERN, re.ASCII)
_VARIABLE = re.compile(r"env:([A-Za-z_][A-Za-z0-9_]{0,63})", re.ASCII)
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}", re.ASCII)
_OURS = frozenset({"host", "connection", "content-length", "transfer-encoding", "accept-encoding", "cookie", "range"})
_CLOSE = 0.6
_PLACE = re.compile(r"\(at line (\d+), column \d+\)|\(at end of document\)")


@dataclass(frozen=True)
class NamedFeed:
    """One feed of FEEDS_FILE; frozen, and safe to hand to another process.

    `fault` says why it cannot be asked at all: it was taken out of the file while a stream had it.
    """

    name: str
    kind: str
    url: str = field(repr=False, default="")
    headers: tuple[tuple[str, str], ...] = field(repr=False, default=())
    params: tuple[tuple[str, str], ...] = field(repr=False, default=())
    poll_interval_s: float = 1.0
    calls_per_day: int | None = None
    expected_hours: float = EXPECTED_HOURS
    ca_file: Path | None = None
    timeout_s: float = 5.0
    fault: str | None = None

    @property
    def rules(self) -> Kind:
        """What is known of its kind. Raises FeedError if it cannot be asked."""
        if self.fault is not None:
            raise FeedError("unreachable", self.fault)
        return KINDS[self.kind]

    def address(self, match_id: str) -> str:
        """Where this match is asked for."""
        url = self.url.replace(MATCH, quote(match_id, safe=""))
        if not self.params:
            return url
        return f"{url}{'&' if '?' in url else '?'}{urlencode(self.params)}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """Strings that must be redacted wherever they turn up."""
        values = [value for _, value in (*self.headers, *self.params)]
        query = urlsplit(self.url).query
        return tuple(value for value in (*values, query if MATCH not in query else "") if len(value) >= 4)


def lost_feed(name: str) -> NamedFeed:
    """In place of a feed that a stream has and the file has no more."""
    return NamedFeed(name, "", fault=f"the feed {name} is no longer in FEEDS_FILE")


def variables_in(text: str) -> set[str]:
    """The names of the environment variables that a file names."""
    return set(_VARIABLE.findall(text))


def read_text(path: Path) -> str:
    """The file's text. Raises ConfigurationError."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
        if len(content) > MAX_FILE_BYTES:
            raise ConfigurationError(f"FEEDS_FILE: {path.name} is over {MAX_FILE_BYTES // 1024} KiB")
        return content.decode()
    except OSError as error:
        raise ConfigurationError(f"FEEDS_FILE: {path.name} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"FEEDS_FILE: {path.name} is not UTF-8 text") from None


def read_feeds(text: str, environment: Mapping[str, str]) -> dict[str, NamedFeed]:
    """The feeds of a file, by name. Raises ConfigurationError that lists every fault with its line."""
    try:
        root = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        place = _PLACE.search(str(error))
        line = int(place[1]) if place and place[1] else text.count("\n") + 1
        what = _PLACE.sub("", str(error)).strip() or "it is no TOML"
        raise ConfigurationError(f"FEEDS_FILE, line {line}: {what}") from None
    faults: list[str] = []
    feeds: dict[str, NamedFeed] = {}
    if len(root) > MAX_FEEDS:
        raise ConfigurationError(f"FEEDS_FILE holds more than {MAX_FEEDS} feeds")
    for name, entry in root.items():
        where = _line_of(text, name)
        if not _NAME.fullmatch(name):
            faults.append(f"line {where}: a feed's name must be 1 to 64 characters of A-Z a-z 0-9 _ -")
        elif not isinstance(entry, dict):
            faults.append(f"line {where}: {name} stands outside of a feed: begin one with [NAME]")
        else:
            try:
                feeds[name] = _feed(name, entry, environment)
            except ValidationError as error:
                faults += [_words(text, name, dict(fault)) for fault in error.errors(include_url=False)]
    if faults:
        raise ConfigurationError("\n".join(f"FEEDS_FILE, {fault}" for fault in faults))
    return feeds


def _feed(name: str, entry: dict[str, Any], environment: Mapping[str, str]) -> NamedFeed:
    given = _Entry.model_validate(entry, context=environment)
    rules = KINDS[given.kind]
    return NamedFeed(
        name,
        given.kind,
        given.url,
        tuple(given.headers.items()),
        tuple(given.params.items()),
        rules.interval_s if given.poll_interval_s is None else given.poll_interval_s,
        given.calls_per_day,
        given.expected_hours,
        given.ca_file,
        given.timeout_s,
    )


def _strict_number(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("must be a number")
    return value


_Number = Annotated[float, BeforeValidator(_strict_number)]


class _Entry(BaseModel):
    """One table of the file. Its context is the environment."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    kind: str
    url: str = Field(max_length=2000)
    headers: dict[str, str] = Field(default={}, max_length=20)
    params: dict[str, str] = Field(default={}, max_length=20)
    poll_interval_s: _Number | None = Field(default=None, ge=0.2, le=3600)
    calls_per_day: int | None = Field(default=None, ge=1, le=1_000_000, strict=True)
    expected_hours: _Number = Field(default=EXPECTED_HOURS, ge=0.5, le=120)
    ca_file: Path | None = None
    timeout_s: _Number = Field(default=5.0, ge=0.5, le=10)

    @field_validator("kind")
    @classmethod
    def _check_kind(cls, value: str) -> str:
        if value in ("nv_play", "pcs_scoreboard"):
            raise ValueError(f"must be one of {', '.join(KINDS)}; carry_scores.py sends {value}, which needs no entry")
        if value not in KINDS:
            raise ValueError(f"must be one of {', '.join(KINDS)}")
        return value

    @field_validator("url")
    @classmethod
    def _check_url(cls, value: str) -> str:
        if any(not 0x21 <= ord(character) <= 0x7E for character in value):
            raise ValueError("must contain no spaces or control characters")
        try:
            parts = urlsplit(value)
            _ = parts.port
        except ValueError:
            raise ValueError("must be a URL") from None
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must be a URL that starts with http:// or https://")
        if parts.username is not None or parts.password is not None:
            raise ValueError("must hold no user name and no password: put a key into headers or params")
        if value.count(MATCH) > 1 or re.search(r"[{}]", value.replace(MATCH, "")):
            raise ValueError("may hold {match_id} once, and no other braces")
        if MATCH in parts.netloc or parts.fragment:
            raise ValueError("must hold {match_id} in its path or query only, and no #")
        return value

    @field_validator("headers")
    @classmethod
    def _check_headers(cls, value: dict[str, str], info: Any) -> dict[str, str]:
        for name in value:
            if not _HEADER.fullmatch(name) or name.lower() in _OURS:
                raise ValueError(f"must hold names of headers, and none of {', '.join(sorted(_OURS))}")
        return _filled(value, info.context)

    @field_validator("params")
    @classmethod
    def _check_params(cls, value: dict[str, str], info: Any) -> dict[str, str]:
        if any(not re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", name) for name in value):
            raise ValueError("must hold names of 1 to 64 characters of A-Z a-z 0-9 . _ -")
        return _filled(value, info.context)

    @field_validator("poll_interval_s")
    @classmethod
    def _check_interval(cls, value: float | None, info: Any) -> float | None:
        kind = info.data.get("kind")
        if value is not None and kind and value < KINDS[kind].least_s:
            raise ValueError(f"must be {KINDS[kind].least_s:g} or more for the kind {kind}")
        return value

    @field_validator("ca_file")
    @classmethod
    def _check_ca_file(cls, value: Path | None) -> Path | None:
        if value is not None:
            check_certificates(value)
        return value


def _filled(values: dict[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """The values with those of the environment in place. Raises ValueError that names no value."""
    filled = {}
    for name, value in values.items():
        if value.startswith("env:"):
            found = _VARIABLE.fullmatch(value)
            if found is None or not environment.get(found[1]):
                variable = found[1] if found else "the variable"
                raise ValueError(f"{name}: {variable} is not set in the environment or in .env")
            value = environment[found[1]]  # noqa: PLW2901
        if len(value) > 1000 or any(not 0x20 <= ord(character) <= 0x7E for character in value):
            raise ValueError(f"{name}: must be 1,000 characters of ASCII at most, on one line")
        filled[name] = value
    return filled


def _words(text: str, name: str, fault: dict[str, Any]) -> str:
    """One fault, with its line."""
    way = [str(step) for step in fault["loc"]]
    key = way[0] if way else ""
    line = _line_of(text, name, key)
    if fault["type"] == "extra_forbidden":
        meant = difflib.get_close_matches(key, _Entry.model_fields, 1, _CLOSE)
        return f"line {line}: {name}: there is no such key as {key}" + (f"; did you mean {meant[0]}?" if meant else "")
    if fault["type"] == "missing":
        return f"line {line}: {name}: {key} is missing"
    reason = str(fault["msg"]).removeprefix("Value error, ")
    return f"line {line}: {name}.{'.'.join(way)}: {reason.replace('Input should', 'should')}"


def _line_of(text: str, name: str, key: str = "") -> int:
    """The line where this feed begins, or where its key stands."""
    begins = re.compile(rf"""\s*(?:\[\s*["']?{re.escape(name)}["']?\s*[\].]|["']?{re.escape(name)}["']?\s*[=.])""")
    is_key = re.compile(rf"""\s*(?:["']?{re.escape(key)}["']?\s*[=.]|\[.*\.\s*["']?{re.escape(key)}["']?\s*\])""")
    found: int | None = None
    for number, line in enumerate(text.splitlines(), 1):
        is_table = line.lstrip().startswith("[")
        if found is None and begins.match(line):
            found = number
            if not key:
                return found
        elif found is not None and is_table and not begins.match(line):
            break
        if found is not None and key and is_key.match(line):
            return number
    return found or 1


FindFeed = Callable[[str], NamedFeed]
