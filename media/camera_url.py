"""Cameras that are pulled: the address of one, taken apart and put together again from what was checked.

Refuses everything that is not RTSP(S), RTMP(S) or SRT from an admitted host. The address is a
secret: it may hold a password. `str()` and `repr()` never show it.
"""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from errors import InvalidField
from media.destination import MASK, MAX_URL_CHARACTERS

SCHEMES = ("rtsp", "rtsps", "rtmp", "rtmps", "srt")
_URL = re.compile(
    r"(?P<scheme>[a-z]+)://(?:(?P<login>[A-Za-z0-9._~!$&'()*+,;=%-]*(?::[A-Za-z0-9._~!$&'()*+,;=%-]*)?)@)?"
    r"(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?(?:\?(?P<query>[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*))?",
    re.ASCII,
)
# FFmpeg takes what stands in an SRT address for its options.
_SRT_OPTIONS = {
    "mode": re.compile("caller|listener"),
    "streamid": re.compile(r"[A-Za-z0-9._~:,=#!/@-]{1,512}"),
    "passphrase": re.compile(r"[A-Za-z0-9._~-]{10,79}"),
    "pbkeylen": re.compile("16|24|32"),
    "latency": re.compile(r"\d{1,8}"),
}
_TIMEOUT_US = 5_000_000
CAMERA_FAULTS = (
    (("401 Unauthorized", "403 Forbidden"), "the camera refuses the user or the password of camera_url"),
    (("404 Not Found", "404 Stream Not Found"), "the camera has nothing at the path of camera_url"),
    (
        (
            "Connection refused",
            "Connection timed out",
            "No route to host",
            "Network is unreachable",
            "Failed to resolve",
        ),
        "the camera at camera_url cannot be reached",
    ),
    (("Protocol not found",), "this FFmpeg cannot play what camera_url begins with"),
)


@dataclass(frozen=True)
class CameraUrl:
    """Where a camera's picture is fetched; `host` is empty if that is RTMP_SERVER, to which the camera publishes."""

    scheme: str
    host: str
    url: str = field(repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)

    @property
    def is_pulled(self) -> bool:
        return bool(self.host)

    @property
    def masked(self) -> str:
        return f"{self.scheme}://{self.host}/{MASK}"

    @property
    def input_options(self) -> tuple[str, ...]:
        """FFmpeg's options for this input. A redirection may lead nowhere but to the same protocols."""
        if self.scheme in ("rtsp", "rtsps"):
            return ("-rtsp_transport", "tcp", "-timeout", str(_TIMEOUT_US), "-protocol_whitelist", "tcp,tls,rtp,srtp")
        return ("-protocol_whitelist", "srt,udp") if self.scheme == "srt" else ()

    def __str__(self) -> str:
        return self.masked


def parse_camera_url(url: object, allowed_hosts: tuple[str, ...]) -> CameraUrl:
    """Take `camera_url` of a request apart; raise InvalidField that says what is accepted."""
    if not isinstance(url, str) or len(url) > MAX_URL_CHARACTERS:
        raise InvalidField(f"camera_url must be a string of at most {MAX_URL_CHARACTERS} characters")
    if not allowed_hosts:
        raise InvalidField("camera_url is switched off: ALLOWED_CAMERA_HOSTS names no host")
    match = _URL.fullmatch(url)
    if match is None or match["scheme"] not in SCHEMES or (match["port"] and not 0 < int(match["port"]) < 65536):
        schemes = ", ".join(f"{scheme}://" for scheme in SCHEMES)
        raise InvalidField(f"camera_url must be {schemes} with HOST or HOST:PORT, and a path of visible ASCII")
    bare = match["host"].strip("[]").lower()
    if not any(fnmatch.fnmatchcase(bare, pattern) for pattern in allowed_hosts):
        raise InvalidField("camera_url names a host that ALLOWED_CAMERA_HOSTS does not admit")
    scheme, login, query = match["scheme"], match["login"], match["query"]
    if scheme == "srt":
        _check_srt(match["port"], match["path"], login, query or "")
    elif scheme.startswith("rtmp") and not (match["path"] or "").strip("/"):
        raise InvalidField("camera_url must name an application and a stream: rtmp://HOST/APPLICATION/STREAM")
    place = match["host"] + (f":{match['port']}" if match["port"] else "")
    rebuilt = f"{scheme}://{f'{login}@' if login else ''}{place}{match['path'] or ''}{f'?{query}' if query else ''}"
    values = [value for _, value in parse_qsl(query or "") if len(value) > 3]
    secrets = [part for part in (login, (login or "").partition(":")[2], *values) if part]
    return CameraUrl(scheme, place, rebuilt, tuple(sorted({rebuilt, *secrets}, key=len, reverse=True)))


def camera_fault(cause: str) -> str | None:
    """What the end of a compositor says of a camera that is pulled; None if it says nothing of it."""
    return next((fault for words, fault in CAMERA_FAULTS if any(word in cause for word in words)), None)


def _check_srt(port: str | None, path: str | None, login: str | None, query: str) -> None:
    if port is None or login or (path or "/") != "/":
        raise InvalidField("camera_url by SRT must be srt://HOST:PORT, with a query at most")
    for name, value in parse_qsl(query, keep_blank_values=True):
        accepted = _SRT_OPTIONS.get(name)
        if accepted is None or not accepted.fullmatch(value):
            raise InvalidField(
                f"camera_url by SRT takes only {', '.join(_SRT_OPTIONS)} in its query, with usual values"
            )
