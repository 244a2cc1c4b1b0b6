"""The kinds of files that are pushed as they are, and how a stream reads them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Protocol

from errors import FileOvertaken, InvalidField
from scoring.feeds.nv_play import NvPlay
from scoring.feeds.pcs_scoreboard import PcsScoreboard
from scoring.reading import read_answer
from scoring.scoreboard import Scoreboard

MAX_FILE_BYTES = 2 * 1024 * 1024
# How long after a file an older one is taken for late. Not for ever, because a PC's clock may be set back.
LATE_S = 90.0
_ORDER = re.compile(r"([0-9a-f]{1,32})\.(\d{1,15})\.(\d{1,15})", re.ASCII)


@dataclass(frozen=True)
class FileOrder:
    """Which of two files of one PC is the newer: by when its carrier was started, and the file's number since then."""

    pc: str
    started_ms: int
    number: int

    def is_before(self, other: FileOrder) -> bool:
        return self.pc == other.pc and (self.started_ms, self.number) < (other.started_ms, other.number)


def file_order(text: str | None) -> FileOrder | None:
    """Read PC.STARTED.NUMBER; None if it is not given. Raises InvalidField."""
    if text is None:
        return None
    if not (found := _ORDER.fullmatch(text)):
        raise InvalidField("Carrier-Order must be PC.STARTED.NUMBER, the first in hexadecimal digits")
    return FileOrder(found[1], int(found[2]), int(found[3]))


class Reader(Protocol):
    """Reads the files of one stream, one after the other. Raises ValueError for one without anything of use."""

    def read(self, content: bytes) -> dict[str, Any]: ...


_READERS: dict[str, type[Reader]] = {"nv_play": NvPlay, "pcs_scoreboard": PcsScoreboard}
KINDS = tuple(_READERS)


class FeedFiles:
    """One stream's readers, a kind each, made when its first file comes. One thread at a time."""

    def __init__(self) -> None:
        self._readers: dict[str, Reader] = {}
        self._newest: FileOrder | None = None
        self._newest_at = 0.0

    def is_repeat(self, order: FileOrder | None) -> bool:
        """True if the last file that was read is sent again, so that a service that was restarted would get it."""
        return order is not None and order == self._newest

    def read(self, kind: str, content: bytes, order: FileOrder | None = None, now: float = 0.0) -> Scoreboard | None:
        """The score after this file; None as long as no side is named. Raises InvalidField and FileOvertaken."""
        if kind not in _READERS:
            raise InvalidField(f"KIND must be one of {', '.join(KINDS)}")
        if order and self._newest and order.is_before(self._newest) and now - self._newest_at < LATE_S:
            raise FileOvertaken("A newer file of this PC has come already")
        reader = self._readers.setdefault(kind, _READERS[kind]())
        try:
            match = reader.read(content)
        except ValueError as error:
            raise InvalidField(f"{kind}: {error}") from None
        if order:
            self._newest, self._newest_at = order, now
        if not match["batting"]["name"] and not match["bowling"]["name"]:
            return None
        return read_answer(match).board
