"""The kinds of files that are pushed as they are, and how a stream reads them."""

from __future__ import annotations

from typing import Any, Protocol

from errors import InvalidField
from scoring.feeds.nv_play import NvPlay
from scoring.feeds.pcs_scoreboard import PcsScoreboard
from scoring.reading import read_answer
from scoring.scoreboard import Scoreboard

MAX_FILE_BYTES = 2 * 1024 * 1024


class Reader(Protocol):
    """Reads the files of one stream, one after the other. Raises ValueError for one without anything of use."""

    def read(self, content: bytes) -> dict[str, Any]: ...


_READERS: dict[str, type[Reader]] = {"nv_play": NvPlay, "pcs_scoreboard": PcsScoreboard}
KINDS = tuple(_READERS)


class FeedFiles:
    """One stream's readers, a kind each, made when its first file comes. One thread at a time."""

    def __init__(self) -> None:
        self._readers: dict[str, Reader] = {}

    def read(self, kind: str, content: bytes) -> Scoreboard | None:
        """The score after this file; None as long as no side is named. Raises InvalidField."""
        if kind not in _READERS:
            raise InvalidField(f"KIND must be one of {', '.join(KINDS)}")
        reader = self._readers.setdefault(kind, _READERS[kind]())
        try:
            match = reader.read(content)
        except ValueError as error:
            raise InvalidField(f"{kind}: {error}") from None
        if not match["batting"]["name"] and not match["bowling"]["name"]:
            return None
        return read_answer(match).board
