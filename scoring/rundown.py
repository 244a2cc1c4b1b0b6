"""What is on the overlay, and when: the score delay, the banners, the honest age. Pure; the time is handed in.

Scoreboards go in as they are heard of, and each is shown `score_delay_s`
later, when the picture that it belongs to reaches the viewer. Events are
looked for between what was shown and what is shown next, so a banner is
delayed just as its score is.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from PIL.Image import Image

from scoring.cricket import balls_bowled
from scoring.events import Event, events_between, is_correction
from scoring.scoreboard import BALLS_PER_OVER, Scoreboard

BANNER_S = 4.0
MAX_WAITING_BANNERS = 5
MAX_BANNER_AGE_S = 60.0  # where the balls are not known; an over takes some four minutes
MAX_WAITING_SCORES = 1_000  # a push may come many times a second
MAX_EVENTS_KEPT = 32
MAX_DELAY_S = 120.0


@dataclass(frozen=True)
class Scene:
    """What is to be seen: the score or a ready image (None: nothing yet), and what lies over it.

    `silent_s` is for how long the feed has been silent, in steps (0: it is
    not), `is_lost` that its live figures are too old to be shown. Those of a
    ready image cannot be taken off it: it goes on telling its age.
    """

    content: Scoreboard | Image | None = None
    banner: Event | None = None
    silent_s: int = 0
    is_lost: bool = False


class Rundown:
    """One overlay's schedule. Times are of one monotonic clock, in seconds, and never go back."""

    def __init__(self, stale_s: float, lost_s: float, delay_s: float = 0.0) -> None:
        self.delay_s = delay_s
        self._stale_s = stale_s
        self._lost_s = lost_s
        self._heard_at: float | None = None
        self._waiting: deque[tuple[float, Scoreboard | Image]] = deque()  # with the time when it was heard
        self._shown: Scoreboard | Image | None = None
        self._banners: deque[tuple[float, Event]] = deque(maxlen=MAX_WAITING_BANNERS)
        self._banner: Event | None = None
        self._banner_until = 0.0
        self._told: deque[Event] = deque(maxlen=MAX_EVENTS_KEPT)

    @property
    def heard_at(self) -> float | None:
        """When the feed last said anything usable, new or not."""
        return self._heard_at

    def hear(self, content: Scoreboard | Image, now: float) -> None:
        """The feed's present state, changed or not."""
        self._heard_at = now
        newest = self._waiting[-1][1] if self._waiting else self._shown
        if content is newest or (isinstance(content, Scoreboard) and content == newest):
            return
        self._drop_what_it_corrects(content)
        if _corrects(content, self._shown):
            self._waiting.clear()
            self._show(content, now)
            return
        if len(self._waiting) == MAX_WAITING_SCORES:
            self._waiting.pop()
        self._waiting.append((now, content))

    def _drop_what_it_corrects(self, content: Scoreboard | Image) -> None:
        """A score that is known to be wrong is not shown at all."""
        while self._waiting and _corrects(content, self._waiting[-1][1]):
            self._waiting.pop()

    def scene(self, now: float) -> Scene:
        while self._waiting and self._waiting[0][0] + self.delay_s <= now:
            self._show(self._waiting.popleft()[1], now)
        silent_s = self._silent_s(now)
        self._step_banner(now)
        if self._is_lost(silent_s):
            return Scene(self._shown, is_lost=True)
        return Scene(self._shown, self._banner, self._mark_s(silent_s))

    def next_change_at(self, now: float) -> float | None:
        """When the scene will be another one though nothing is heard; None: never."""
        times = []
        if self._waiting:
            times.append(self._waiting[0][0] + self.delay_s)
        if self._banner:
            times.append(self._banner_until)
        silent_s = self._silent_s(now)
        if self._can_grow_old() and self._heard_at is not None and not self._is_lost(silent_s):
            whole_min = (max(silent_s, 0) // 60 + 1) * 60
            steps = [step for step in (self._stale_s, self._lost_s, whole_min) if step > silent_s]
            times.append(now + min(steps) - silent_s)
        return min(times) if times else None

    def _show(self, content: Scoreboard | Image, now: float) -> None:
        before, self._shown = self._shown, content
        if not isinstance(content, Scoreboard) or not isinstance(before, Scoreboard) or _corrects(content, before):
            self._banners.clear()
            self._banner = None
            return
        for event in events_between(before, content):
            # A feed that wavers between two states tells the same ball again.
            if event not in self._told:
                self._told.append(event)
                self._banners.append((now, event))

    def _step_banner(self, now: float) -> None:
        if self._banner and now >= self._banner_until:
            self._banner = None
        while self._banner is None and self._banners:
            at, event = self._banners.popleft()
            if self._is_timely(event, now - at):
                self._banner, self._banner_until = event, now + BANNER_S

    def _is_timely(self, event: Event, age_s: float) -> bool:
        """Never later than an over; an end of innings or match is timely while it is one."""
        board = self._shown
        if not isinstance(board, Scoreboard) or age_s > MAX_BANNER_AGE_S:
            return False
        if event.lasts_beyond_its_over:
            return True
        if board.batting is None or event.side is None or board.batting.name != event.side.name:
            return False
        bowled = balls_bowled(board)
        return bowled is None or event.balls is None or bowled - event.balls <= BALLS_PER_OVER

    def _can_grow_old(self) -> bool:
        shown = self._shown
        return shown is not None and not (isinstance(shown, Scoreboard) and shown.phase == "finished")

    def _silent_s(self, now: float) -> float:
        """Seconds from the last word of the feed to the moment that the viewer sees."""
        if self._heard_at is None or not self._can_grow_old():
            return 0.0
        return now - self._heard_at - self.delay_s

    def _is_lost(self, silent_s: float) -> bool:
        return silent_s >= self._lost_s and isinstance(self._shown, Scoreboard)

    def _mark_s(self, silent_s: float) -> int:
        if silent_s < self._stale_s:
            return 0
        return max(1, int(silent_s // 60 * 60 or self._stale_s))


def _corrects(content: Scoreboard | Image, other: Scoreboard | Image | None) -> bool:
    return isinstance(content, Scoreboard) and isinstance(other, Scoreboard) and is_correction(other, content)
