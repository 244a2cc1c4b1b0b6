"""Carries the score from a scoring program to the relay. Runs on the scorer's PC, with Python 3.8 or later.

    python carry_scores.py --to http://RELAY:1233/streams/STREAM --kind nv_play --file PATH
    python carry_scores.py --to http://RELAY:1233/streams/STREAM --kind pcs_scoreboard --serial COM3

PATH is the file that the program writes, or its folder: then the newest .xml, .json or .txt file counts.
--serial reads what a scoring program sends to a scoreboard on a serial line; that needs pyserial.
If the relay asks for a token, put it behind the address, as in .../streams/STREAM#TOKEN, or set CARRY_TOKEN.
Each change is sent at once; what cannot be sent is tried again, and the newest state is what is sent then.
It ends with Ctrl-C.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import importlib
import json
import os
import re
import socket
import struct
import sys
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path
from typing import Any, Callable, Dict, Optional, Tuple

LOOK_S = 0.2
# A system repeats its request for a connection after 1 s, and then ever more rarely. So a new one is made before that.
ANSWER_LIMIT_S = 1.9
AGAIN_S = 0.1
REFUSED_AGAIN_S = 3.0
# The newest state is sent again, in case the relay was restarted; otherwise it takes no notice of that.
REPEAT_S = 10.0
MAX_BYTES = 2 * 1024 * 1024
ENDINGS = (".xml", ".json", ".txt")
# Some disks note the time of a change to 2 s only, so the file is read until then even if it looks the same.
COARSE_S = 3.0

# A ball is several messages: they are sent together, when the line is quiet or at the latest after this time.
QUIET_S = 0.3
LONGEST_BURST_S = 1.0
MOST_CODES = 100
REOPEN_S = 2.0
_MESSAGE = re.compile(r"(?:\d+,)?([A-Z][A-Z0-9]{2})(.*)", re.DOTALL)
_ENDS = re.compile(rb"[#\0\r\n]+")

# On close the system forgets what it has not sent yet, so that an old score cannot arrive after a newer one.
_FORGET = struct.pack("HH" if os.name == "nt" else "ii", 1, 0)

# What a source gives: new content or None, and what is wrong or "".
Found = Tuple[Optional[bytes], str]


class ScoreFile:
    """The file that a scoring program writes, or the newest one in its folder."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: Optional[Tuple[str, int, int]] = None
        self._read_until = 0.0

    def look(self, now: float) -> Found:
        newest = self._newest()
        if newest is None:
            self._seen = None
            return None, "waiting for the file " + str(self._path)
        try:
            found = newest.stat()
            seen = (str(newest), found.st_mtime_ns, found.st_size)
            if seen != self._seen:
                self._read_until = now + COARSE_S
            elif now > self._read_until:
                return None, ""
            with newest.open("rb") as file:
                content = file.read(MAX_BYTES + 1)
        except OSError:  # some programs lock the file while they write it
            return None, "the file cannot be read at the moment"
        self._seen = seen
        if len(content) > MAX_BYTES:
            return None, "the file is larger than 2 MiB, so it is not a scoreboard's: " + str(newest)
        return content, ""

    def _newest(self) -> Optional[Path]:
        try:
            if not self._path.is_dir():
                return self._path if self._path.is_file() else None
            files = [file for file in self._path.iterdir() if file.suffix.lower() in ENDINGS and file.is_file()]
            return max(files, key=lambda file: file.stat().st_mtime_ns, default=None)
        except OSError:
            return None


class SerialLine:
    """The messages on a serial line. Of each code the newest value is kept, because only changes are sent on it.

    `connect` gives an open line with `in_waiting`, `read` and `close`, as pyserial's.
    """

    def __init__(self, port: str, connect: Callable[[], Any]) -> None:
        self._port = port
        self._connect = connect
        self._line: Any = None
        self._next_try_at = 0.0
        self._rest = b""
        self._messages: Dict[str, str] = {}
        self._changed_at: Optional[float] = None
        self._heard_at = 0.0

    def look(self, now: float) -> Found:
        try:
            self._hear(now)
        except OSError:
            self._close(now)
        trouble = "" if self._line else "the serial line " + self._port + " cannot be read, it is tried again"
        if self._changed_at is None:
            return None, trouble
        if now - self._heard_at < QUIET_S and now - self._changed_at < LONGEST_BURST_S:
            return None, trouble
        self._changed_at = None
        return "".join(code + value + "\n" for code, value in self._messages.items()).encode(), trouble

    def _hear(self, now: float) -> None:
        if self._line is None:
            if now < self._next_try_at:
                return
            self._line = self._connect()
        data = self._line.read(self._line.in_waiting or 0)
        if not data:
            return
        self._heard_at = now
        *whole, rest = _ENDS.split(self._rest + data)
        self._rest = rest[-4096:]
        for message in whole:
            found = _MESSAGE.fullmatch(message.decode("utf-8", errors="replace").strip(" "))
            if found and (found[1] in self._messages or len(self._messages) < MOST_CODES):
                # The newest comes last: of two batters, the one named last is on strike.
                self._messages.pop(found[1], None)
                self._messages[found[1]] = found[2]
                if self._changed_at is None:
                    self._changed_at = now

    def _close(self, now: float) -> None:
        line, self._line, self._next_try_at = self._line, None, now + REOPEN_S
        self._rest = b""
        if line is not None:
            with contextlib.suppress(OSError):
                line.close()


class Carrier:
    """Sends the newest content of one source. `to` is the stream's URL."""

    def __init__(self, to: str, kind: str, source: Any, token: str) -> None:
        self._url = to.rstrip("/") + "/feed/" + kind
        self._source = source
        self._token = token
        self._opener = urllib.request.build_opener(_Plain, _Secure)
        self._run = "%s.%d." % (_this_pc(), time.time() * 1000)
        self._number = 0
        self._newest: Optional[bytes] = None
        self._next_try_at = 0.0

    def step(self, now: float) -> str:
        """Look once, and send what is new. Gives the state in words, or "" if it is as it was."""
        look: Found = self._source.look(now)
        found, trouble = look
        if found is not None and found != self._newest:
            self._newest, self._next_try_at = found, now
            self._number += 1
        if self._newest is None or now < self._next_try_at:
            return trouble
        return self._send(self._newest, now)

    def _send(self, content: bytes, now: float) -> str:
        # By this the relay knows a file that the network held back and brings after a newer one.
        headers = {"Content-Type": "application/octet-stream", "Carrier-Order": self._run + str(self._number)}
        if self._token:
            headers["Authorization"] = "Bearer " + self._token
        request = urllib.request.Request(self._url, content, headers, method="PUT")
        try:
            with self._opener.open(request, timeout=ANSWER_LIMIT_S) as answer:
                said: str = _message(answer.read(10_000))
        except urllib.error.HTTPError as error:
            self._next_try_at = now + REFUSED_AGAIN_S
            return "the relay says: " + (_message(error.read(10_000)) or "error " + str(error.code))
        except (OSError, ValueError, http.client.HTTPException) as error:
            self._next_try_at = now + AGAIN_S
            return "no connection to the relay, it is tried again: " + str(getattr(error, "reason", error))
        self._next_try_at = now + REPEAT_S
        return said or "sent"


class _PlainConnection(http.client.HTTPConnection):
    def connect(self) -> None:
        super().connect()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _FORGET)


class _SecureConnection(http.client.HTTPSConnection):
    def connect(self) -> None:
        super().connect()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _FORGET)


class _Plain(urllib.request.HTTPHandler):
    def http_open(self, req: urllib.request.Request) -> Any:
        return self.do_open(_PlainConnection, req)


class _Secure(urllib.request.HTTPSHandler):
    def https_open(self, req: urllib.request.Request) -> Any:
        return self.do_open(_SecureConnection, req)


def _this_pc() -> str:
    """The same for each run on this PC, and tells nothing else of it."""
    return uuid.uuid5(uuid.NAMESPACE_OID, str(uuid.getnode())).hex[:12]


def _message(body: bytes) -> str:
    try:
        said = json.loads(body.decode("utf-8", errors="replace"))
        return str(said.get("message") or said.get("error") or "")
    except (ValueError, AttributeError):
        return ""


class StateLine:
    """One line that says what happens now: rewritten on a terminal, else one line for each change."""

    def __init__(self) -> None:
        self._last = ""
        self._is_terminal = sys.stdout.isatty()

    def say(self, state: str) -> None:
        if not state or state == self._last:
            return
        self._last = state
        line = time.strftime("%H:%M:%S ") + state
        if self._is_terminal:
            width = max(20, _columns() - 1)
            sys.stdout.write("\r" + line[:width].ljust(width))
        else:
            sys.stdout.write(line + "\n")
        sys.stdout.flush()


def _columns() -> int:
    try:
        return os.get_terminal_size().columns
    except OSError:
        return 80


def _serial_line(port: str, baud: int) -> SerialLine:
    try:
        serial = importlib.import_module("serial")
    except ImportError:
        sys.exit("--serial needs pyserial: python -m pip install pyserial")
    return SerialLine(port, lambda: serial.Serial(port, baud, timeout=0))


def _split(to: str) -> Tuple[str, str]:
    """The stream's URL and the token behind its #. A scorer's link may be given as it is."""
    url, _, token = to.partition("#")
    return re.sub(r"/score/([^/]+)/?$", r"/streams/\1", url), token


def main() -> int:
    parser = argparse.ArgumentParser(description="Carries the score from a scoring program to the relay.")
    parser.add_argument(
        "--to", required=True, metavar="URL", help="the stream, as http://RELAY:1233/streams/STREAM, or a scorer's link"
    )
    parser.add_argument("--kind", required=True, help="nv_play or pcs_scoreboard")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--file", type=Path, help="the program's file, or its folder")
    source.add_argument("--serial", metavar="PORT", help="a serial line, as COM3 or /dev/ttyUSB0")
    parser.add_argument("--baud", type=int, default=57600, help="speed of the serial line (%(default)s)")
    given = parser.parse_args()
    if not given.to.startswith(("http://", "https://")):
        parser.error("--to must be a URL that begins with http:// or https://")
    url, token = _split(given.to)
    token = os.environ.get("CARRY_TOKEN", "") or token
    carrier = Carrier(
        url, given.kind, ScoreFile(given.file) if given.file else _serial_line(given.serial, given.baud), token
    )
    line = StateLine()
    try:
        while True:
            line.say(carrier.step(time.monotonic()))
            time.sleep(LOOK_S)
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main())
