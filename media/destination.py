"""Where a stream is pushed to, and the one place that takes its stream key apart.

Refuses everything that is not an RTMP(S) URL of an admitted host with a key.
`str()` and `repr()` of a Destination never show the key.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from errors import InvalidField

MAX_URL_CHARACTERS = 900  # FFmpeg reads the key from a line of at most 1000
MASK = "****"
_YOUTUBE = (".rtmp.youtube.com", ".rtmps.youtube.com")
_LOOPBACK = "127.0.0.1"
_LOOPBACKS = (_LOOPBACK, "localhost", "::1")
_AUTHORITY = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?", re.ASCII)


@dataclass(frozen=True)
class Destination:
    """An RTMP(S) server with its application, and the stream key (a secret)."""

    server_url: str
    application: str
    stream_key: str = field(repr=False)
    url: str = field(repr=False)

    @property
    def masked_url(self) -> str:
        return f"{self.server_url}/{MASK}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """Strings that must be redacted wherever they turn up, longest first."""
        return tuple(sorted({self.stream_key, self.stream_key.split("?")[0]}, key=len, reverse=True))

    @property
    def ingest(self) -> tuple[str, ...]:
        """The same for two URLs that lead to one place."""
        return (*self._server, self.application, self.stream_key)

    @property
    def broadcast(self) -> tuple[str, ...]:
        """The same for two URLs whose pictures get into each other's way: of YouTube's ingests it is the key's."""
        key = self.stream_key.split("?")[0]
        host = self._server[0]
        return ("youtube", key) if host.endswith(_YOUTUBE) else (*self._server, self.application, key)

    @property
    def _server(self) -> tuple[str, str]:
        parts = urlsplit(self.server_url)
        host = (parts.hostname or "").lower().rstrip(".")
        return _LOOPBACK if host in _LOOPBACKS else host, str(parts.port or (443 if parts.scheme == "rtmps" else 1935))

    def __str__(self) -> str:
        return self.masked_url


def clash(own: Iterable[Destination | None], others: Iterable[tuple[str, Iterable[Destination | None]]]) -> str | None:
    """The name of the first other stream that goes to one of these broadcasts."""
    broadcasts = {destination.broadcast for destination in own if destination}
    for name, destinations in others:
        if any(destination.broadcast in broadcasts for destination in destinations if destination):
            return name
    return None


def parse_destination(url: object, allowed_hosts: tuple[str, ...], field_name: str = "youtube_url") -> Destination:
    """Take the URL in this field of a request apart; raise InvalidField that says what is accepted."""
    if not isinstance(url, str):
        raise InvalidField(f"{field_name} must be a string")
    if len(url) > MAX_URL_CHARACTERS:
        raise InvalidField(f"{field_name} must have at most {MAX_URL_CHARACTERS} characters")
    if any(not 0x21 <= ord(character) <= 0x7E for character in url):
        raise InvalidField(f"{field_name} must hold no spaces, control or non-ASCII characters")
    parts = _split(url, field_name)
    _check_host(parts, allowed_hosts, field_name)
    application, stream_key = _application_and_key(parts, field_name)
    server_url = f"{parts.scheme}://{parts.netloc}/{application}"
    return Destination(server_url, application, stream_key, url)


def url_pattern(allowed_hosts: tuple[str, ...]) -> str:
    """What `parse_destination` accepts, as a regular expression that every engine reads; the length is not in it."""
    hosts = "|".join(_host_pattern(host) for host in allowed_hosts)
    port = "[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]"
    # Visible ASCII without '#'; '?' begins the query, and the last '/' before it the key.
    segment, in_path, in_query = '[!"$-.0->@-~]', '[!"$->@-~]', '[!"$-~]'
    path = f"/+{segment}{in_path}*/{segment}+"
    return rf"^rtmps?://(?:{hosts})(?::(?:{port}))?{path}(?:\?{in_query}*)?$"


def example_host(allowed_hosts: tuple[str, ...]) -> str:
    """An allowed host, as it is written in a URL."""
    host = re.sub(r"[*?]", "a", allowed_hosts[0])
    return f"[{host}]" if ":" in host else host


def _host_pattern(allowed: str) -> str:
    parts = re.split(r"([*?])", f"[{allowed}]" if ":" in allowed else allowed)
    wildcards = {"*": "[a-z0-9.-]*", "?": "[a-z0-9.-]"}
    return "".join(wildcards.get(part) or re.escape(part) for part in parts) if allowed != "*" else "[a-z0-9.-]+"


def _split(url: str, field_name: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("rtmp", "rtmps") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise InvalidField(f"{field_name} must be rtmp:// or rtmps:// with a host, an application and a stream key")
    if parts.username is not None or parts.fragment or "#" in url:
        raise InvalidField(f"{field_name} must hold no user name and no '#'")
    # Others than urlsplit, FFmpeg among them, find another host in an address that is written in an unusual way.
    if not _AUTHORITY.fullmatch(parts.netloc):
        raise InvalidField(f"{field_name} must name its host as HOST or HOST:PORT, an IPv6 address in brackets")
    return parts


def _check_host(parts: SplitResult, allowed_hosts: tuple[str, ...], field_name: str) -> None:
    host = (parts.hostname or "").lower()
    if not any(fnmatch.fnmatchcase(host, pattern) for pattern in allowed_hosts):
        raise InvalidField(f"{field_name} names a host that ALLOWED_INGEST_HOSTS does not admit")


def _application_and_key(parts: SplitResult, field_name: str) -> tuple[str, str]:
    application, _, stream_key = parts.path.strip("/").rpartition("/")
    if not application or not stream_key or parts.path.endswith("/"):
        raise InvalidField(f"{field_name} has no stream key: rtmp://HOST/APPLICATION/STREAM_KEY is accepted")
    if parts.query:
        stream_key = f"{stream_key}?{parts.query}"
    return application, stream_key
