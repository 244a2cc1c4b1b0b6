"""One place that a match's score is asked of: what it last said, and what is wrong with it now, in words.

Whatever it says is kept until it says something else; a fault is logged once a change. Does not know how it is
asked, nor what its answers mean: both are handed in.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from errors import FeedError, ImageRejected
from scoring.feeds.values import NothingToShow


@dataclass(frozen=True)
class Polls:
    """How often one source was asked, and how often that failed, by kind (see `errors.FeedError`)."""

    asked: int = 0
    failed: Mapping[str, int] = field(default_factory=dict)


class Source:
    """One thread asks it. Any thread may read its properties."""

    def __init__(
        self,
        what: str,
        log: logging.LoggerAdapter[logging.Logger],
        clock: Callable[[], float],
        on_trouble: Callable[[str], None] = lambda _text: None,
    ) -> None:
        self.polls = Polls()  # a new value each time, because a reader may still use the last one
        self.good_at: float | None = None
        self.trouble: str | None = None
        self._what = what
        self._log = log
        self._clock = clock
        self._on_trouble = on_trouble
        self._answer: Any | None = None
        self._value: Any | None = None
        self._fault: FeedError | ImageRejected | None = None
        self._failed_polls = 0  # since the last good answer
        self._paused_until = clock()

    @property
    def is_paused(self) -> bool:
        """True during a pause that its server asked for."""
        return self._clock() < self._paused_until

    def note_pause(self, error: FeedError | ImageRejected) -> None:
        """Begin the pause that its server asks for."""
        if error.retry_after_s is not None:
            self._paused_until = self._clock() + error.retry_after_s

    def ask(
        self, fetch: Callable[[], Any | None], read: Callable[[Any], Any], use: Callable[[Any], tuple[str, ...]]
    ) -> bool:
        """Fetch (None: as before), read what is new, and use it; True when this poll brought something usable.

        All three may raise FeedError or ImageRejected, `fetch` NothingToShow. `use` gives the figures that could not
        be read. While it is paused nothing is fetched, nor counted.
        """
        if self.is_paused:
            return False
        self.polls = replace(self.polls, asked=self.polls.asked + 1)
        try:
            answer = fetch()
            if answer is not None and answer != self._answer:
                self._answer, self._value = answer, None
                self._value = read(answer)
            if self._value is None:
                if self._fault is not None:  # the same answer again
                    self._count(self._fault.kind)
                return False
            faults = use(self._value)
        except NothingToShow:
            self._note_good(())
            return False
        except (FeedError, ImageRejected) as error:
            self.note_pause(error)
            self._note_fault(error)
            return False
        self._note_good(faults)
        return True

    def _note_fault(self, error: FeedError | ImageRejected) -> None:
        if error.kind == "cancelled":
            return
        self._count(error.kind)
        if self._fault is None or error.kind != self._fault.kind:
            self._log.warning("%s not usable: %s; the last good overlay stays", self._what, error)
            self._on_trouble(str(error))
        self._fault, self.trouble = error, str(error)

    def _note_good(self, faults: tuple[str, ...]) -> None:
        if self._fault is not None:
            self._log.info("%s usable again after %d failed polls", self._what, self._failed_polls)
            self._on_trouble(f"{self._what} usable again")
        trouble = faults[0] if faults else None
        if trouble and not trouble.startswith("the feed "):
            trouble = f"a figure is left out: {trouble}"
        if trouble and trouble != self.trouble:
            self._log.warning("%s: %s", self._what, trouble)
            self._on_trouble(f"{self._what}: {trouble}")
        self._fault, self.trouble = None, trouble
        self._failed_polls = 0
        self.good_at = self._clock()
        if faults:
            self._count("malformed")

    def _count(self, kind: str) -> None:
        self._failed_polls += 1
        failed = self.polls.failed
        self.polls = replace(self.polls, failed={**failed, kind: failed.get(kind, 0) + 1})
