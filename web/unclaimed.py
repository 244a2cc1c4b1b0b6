"""The cameras that publish where no stream waits for them: under a wrong name, or to a wrong application."""

from __future__ import annotations

import difflib
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass

MOST = 10
KEPT_S = 600.0
_KEY = re.compile(r"(key=).*", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class UnclaimedCamera:
    """One of them. `name` is empty if it only connects, and None of it is checked: it is what the camera sends."""

    name: str
    application: str
    address: str
    age_s: float
    text: str


class Unclaimed:
    """The newest ten. Safe to call from many threads."""

    def __init__(self, application: str, clock: Callable[[], float] = time.monotonic) -> None:
        """`application` is the one that cameras should publish to."""
        self._application = application.strip("/")
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: OrderedDict[tuple[str, str, str], float] = OrderedDict()

    def publishes(self, name: str, application: str, address: str) -> None:
        """A camera publishes under a name that no stream has."""
        self._note((name, application, address))

    def connects(self, application: str, address: str) -> None:
        """Somebody connects; noted if that is to another application."""
        if application.strip("/") != self._application:
            self._note(("", application, address))

    def cameras(self, streams: Collection[str]) -> list[UnclaimedCamera]:
        """The newest first, without those whose name one of the `streams` has by now."""
        now = self._clock()
        with self._lock:
            seen = [(key, now - at) for key, at in reversed(self._seen.items()) if now - at < KEPT_S]
        return [
            UnclaimedCamera(_shown(name), _shown(application), address, round(age_s, 1), text)
            for (name, application, address), age_s in seen
            if name not in streams
            for text in [self._text(name, application, streams)]
        ]

    def _note(self, key: tuple[str, str, str]) -> None:
        with self._lock:
            self._seen[key] = self._clock()
            self._seen.move_to_end(key)
            if len(self._seen) > MOST:
                self._seen.popitem(last=False)

    def _text(self, name: str, application: str, streams: Collection[str]) -> str:
        if application.strip("/") != self._application:
            return (
                f"a camera connects to the application “{_shown(application)}”: "
                f"its server address must end in /{self._application}"
            )
        if not name:
            return "a camera publishes without a name: enter the stream's name as its stream key"
        close = difflib.get_close_matches(name.strip(" /").lower(), [stream.lower() for stream in streams], 1)
        meant = next((stream for stream in streams if close and stream.lower() == close[0]), None)
        hint = f". Is it the camera of {meant}?" if meant else ""
        return f"a camera publishes as “{_shown(name)}”, and no stream has that name{hint}"


def _shown(text: str) -> str:
    """As it may stand on a page: a key that was entered in the wrong place is not shown."""
    printable = "".join(character if character.isprintable() else "�" for character in text)
    return _KEY.sub(r"\1****", printable)
