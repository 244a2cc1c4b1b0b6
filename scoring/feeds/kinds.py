"""The kinds of feeds that can be asked: who reads their answers, how often they may be asked, and what they lack."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from scoring.feeds.cricapi import CricApi
from scoring.feeds.cricbuzz import Cricbuzz
from scoring.feeds.cricclubs import CricClubs
from scoring.feeds.own_shapes import CurrScore, Own
from scoring.feeds.play_cricket import PlayCricket


class Reader(Protocol):
    """Reads the answers of one match, one after the other, into the project's own shape.

    Raises ValueError for one of another shape, NothingToShow, and FeedError for a refusal in an answer's words.
    """

    def read(self, content: bytes) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Kind:
    """`interval_s` is the usual time between two questions, `least_s` the shortest that is allowed.

    `idle_s` is that before the match, at breaks and after the end; None: no other. `lacks` names what it never says.
    """

    reader: Callable[[], Reader]
    interval_s: float
    least_s: float
    idle_s: float | None = None
    lacks: tuple[str, ...] = ()


KINDS = {
    "own": Kind(Own, 1, 0.2),
    "currscore": Kind(CurrScore, 1, 0.2, lacks=("partnership", "card")),
    "cricclubs": Kind(CricClubs, 5, 5, 30, ("rain breaks", "declarations", "retired hurt")),
    "cricapi": Kind(CricApi, 60, 10, 120, ("striker", "bowler", "this_over", "partnership", "a revised target")),
    "cricbuzz": Kind(Cricbuzz, 10, 5, 60, ("card",)),
    "play_cricket": Kind(
        PlayCricket, 60, 60, 300, ("the score of an innings under way", "batters", "bowler", "this_over", "partnership")
    ),
}
