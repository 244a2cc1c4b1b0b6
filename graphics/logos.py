"""Team logos from the overlay image server: fetched once, bounded, optional.

A logo is named by a plain file name and comes from OVERLAY_IMAGE_BASE alone.
What is missing or unusable is left out and asked for again later.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PIL.Image import Image

from errors import FeedError, ImageRejected
from graphics.drawing import decode_logo

MAX_LOGOS = 8  # for one stream: two sides, and some that a scorer tries
RETRY_S = 60.0


class Logos:
    """One stream's logos; one thread uses it."""

    def __init__(self, fetch: Callable[[str], bytes | None], clock: Callable[[], float]) -> None:
        self._fetch = fetch
        self._clock = clock
        self._images: Mapping[str, Image] = {}
        self._retry_at: dict[str, float] = {}

    @property
    def images(self) -> Mapping[str, Image]:
        """The logos that have come. A new mapping whenever there are more."""
        return self._images

    def ask_for(self, names: set[str]) -> Exception | None:
        """Fetch one of `names` that has not come yet. Returns the fault when that fails for the first time."""
        now = self._clock()
        missing = sorted(name for name in names - self._images.keys() if self._retry_at.get(name, now) <= now)
        if not missing:
            return None
        name = missing[0]
        is_first = name not in self._retry_at
        if is_first and len(self._retry_at) >= 4 * MAX_LOGOS:
            self._retry_at.clear()
        self._retry_at[name] = now + RETRY_S
        try:
            content = self._fetch(name)
            image = decode_logo(content or b"")
        except (FeedError, ImageRejected) as error:
            return error if is_first else None
        kept = {old: image for old, image in self._images.items() if old in names or len(self._images) < MAX_LOGOS}
        self._images = {**kept, name: image}
        return None
