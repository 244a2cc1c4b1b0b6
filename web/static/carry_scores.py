"""Carries the score from a scoring program's file to the relay. Runs on the scorer's PC, with Python 3.8 or later.

    python carry_scores.py --to http://RELAY:1233/streams/STREAM --kind nv_play --file PATH

PATH is the file that the program writes, or its folder: then the newest .xml, .json or .txt file counts.
If the relay asks for a token, set CARRY_TOKEN. Each change is sent at once; what cannot be sent is tried
again, and the newest state is what is sent then. It ends with Ctrl-C.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Tuple

LOOK_S = 0.2
ANSWER_LIMIT_S = 5.0
LONGEST_WAIT_S = 5.0
MAX_BYTES = 2 * 1024 * 1024
ENDINGS = (".xml", ".json", ".txt")
Seen = Tuple[str, int, int]


class Carrier:
    """Sends the newest content of one file. `to` is the stream's URL."""

    def __init__(self, to: str, kind: str, path: Path, token: str) -> None:
        self._url = to.rstrip("/") + "/feed/" + kind
        self._path = path
        self._token = token
        self._seen: Seen | None = None
        self._sent = b""
        self._wait_s = 0.0
        self._next_try_at = 0.0

    def step(self, now: float) -> str:
        """Look once, and send what is new. Gives the state in words."""
        newest = self._newest()
        if newest is None:
            return "waiting for the file " + str(self._path)
        seen = self._stat(newest)
        if seen is None or (seen == self._seen and not self._wait_s):
            return ""
        if now < self._next_try_at:
            return ""
        content = self._read(newest)
        if content is None:
            return "the file cannot be read at the moment"
        if content == self._sent:
            self._seen, self._wait_s = seen, 0.0
            return ""
        return self._send(content, seen, now)

    def _send(self, content: bytes, seen: Seen, now: float) -> str:
        headers = {"Content-Type": "application/octet-stream"}
        if self._token:
            headers["Authorization"] = "Bearer " + self._token
        request = urllib.request.Request(self._url, content, headers, method="PUT")
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_LIMIT_S) as answer:
                said = _message(answer.read(10_000))
        except urllib.error.HTTPError as error:
            said = _message(error.read(10_000)) or "error " + str(error.code)
            # A file that is being written may be cut short: it is looked at again, and soon.
            self._again(now, 0.5 if error.code == 400 else LONGEST_WAIT_S)
            return "the relay says: " + said
        except (OSError, ValueError) as error:
            self._again(now, min(max(1.0, 2 * self._wait_s), LONGEST_WAIT_S))
            return "no connection to the relay, it is tried again: " + str(getattr(error, "reason", error))
        self._sent, self._seen, self._wait_s, self._next_try_at = content, seen, 0.0, 0.0
        return said

    def _again(self, now: float, wait_s: float) -> None:
        self._wait_s, self._next_try_at = wait_s, now + wait_s

    def _newest(self) -> Path | None:
        try:
            if not self._path.is_dir():
                return self._path if self._path.is_file() else None
            files = [file for file in self._path.iterdir() if file.suffix.lower() in ENDINGS and file.is_file()]
            return max(files, key=lambda file: file.stat().st_mtime, default=None)
        except OSError:
            return None

    def _stat(self, path: Path) -> Seen | None:
        try:
            found = path.stat()
        except OSError:
            return None
        return (str(path), found.st_mtime_ns, found.st_size)

    def _read(self, path: Path) -> bytes | None:
        """Some programs lock the file while they write it."""
        try:
            with path.open("rb") as file:
                content = file.read(MAX_BYTES + 1)
        except OSError:
            return None
        return content if len(content) <= MAX_BYTES else None


def _message(body: bytes) -> str:
    try:
        said = json.loads(body.decode("utf-8", errors="replace"))
        return str(said.get("message") or said.get("error") or "")
    except (ValueError, AttributeError):
        return ""


def main() -> int:
    parser = argparse.ArgumentParser(description="Carries the score from a scoring program's file to the relay.")
    parser.add_argument("--to", required=True, metavar="URL", help="the stream, as http://RELAY:1233/streams/STREAM")
    parser.add_argument("--kind", required=True, help="nv_play or pcs_scoreboard")
    parser.add_argument("--file", required=True, type=Path, help="the program's file, or its folder")
    given = parser.parse_args()
    if not given.to.startswith(("http://", "https://")):
        parser.error("--to must be a URL that begins with http:// or https://")
    carrier = Carrier(given.to, given.kind, given.file, os.environ.get("CARRY_TOKEN", ""))
    last = ""
    try:
        while True:
            state = carrier.step(time.monotonic())
            if state and state != last:
                print(time.strftime("%H:%M:%S"), state, flush=True)
                last = state
            time.sleep(LOOK_S)
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main())
