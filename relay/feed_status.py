"""Where a stream's score is from, as its status says it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FeedStatus:
    """Where the score is from (`api`, `image` or `push`), and what is wrong there, in words; None for nothing.

    `changed_age_s` is the age of the newest state that differs from the one before.
    """

    source: str | None
    trouble: str | None
    changed_age_s: float | None
