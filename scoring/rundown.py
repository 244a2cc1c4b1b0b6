"""What is on the overlay, and when: the score delay, the banners, the honest age. Pure; the time is handed in.

Scoreboards go in as they arrive, and each is shown `score_delay_s`
later, when the picture that it belongs to reaches the viewer. Events are
looked for between what was shown and what is shown next, so a banner is
delayed just as its score is.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from PIL.Image import Image

from scoring.continuity import is_correction, is_same_innings
from scoring.cricket import balls_bowled, overs_of
from scoring.events import KINDS, Event
from scoring.moments import Moments
from scoring.results import is_side
from scoring.scoreboard import Scoreboard

MAX_BANNERS_AT_ONCE = 3  # moments between two states
MAX_WAITING_BANNERS = 5
MAX_BANNER_AGE_S = 60.0  # if the balls are not known; an over takes about four minutes
MAX_WAITING_SCORES = 1_000  # a push may come many times a second
MAX_EVENTS_KEPT = 32
MAX_DELAY_S = 120.0


@dataclass(frozen=True)
class Scene:
    """What is to be seen: the score or a ready image (None: nothing yet), and what lies over it.

    `silent_s` is how old the score is, in steps (0: it is fresh), `is_lost` that
    the feed has been silent for so long that its live figures are not shown any more.
    Those of a ready image cannot be taken off it: its age goes on being shown.
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
        self.changed_at: float | None = None
        self._as_of: float | None = None
        self._moments = Moments()
        self._told_now: list[Event] = []
        self._overs_now: list[str] = []
        self._waiting: deque[tuple[float, Scoreboard | Image]] = deque()  # with the time when it came
        self._shown: Scoreboard | Image | None = None
        self._banners: deque[tuple[float, Event]] = deque(maxlen=MAX_WAITING_BANNERS)
        self._banner: Event | None = None
        self._banner_until = 0.0
        self._told: deque[Event] = deque(maxlen=MAX_EVENTS_KEPT)

    @property
    def as_of(self) -> float | None:
        """From when the newest state is: when it was heard, or earlier where the feed says so."""
        return self._as_of

    def take_moments(self) -> list[Event]:
        """What has happened on screen since this was last asked, shown in a banner or not."""
        told, self._told_now = self._told_now, []
        return told

    def take_overs(self) -> list[str]:
        """The score at the end of each over that has ended on screen since this was last asked, in words."""
        ended, self._overs_now = self._overs_now, []
        return ended

    def hear(self, content: Scoreboard | Image, now: float, as_of: float | None = None) -> None:
        """The feed's present state, changed or not; `as_of` is how old it says that it is."""
        self._heard_at = now
        self._as_of = now if as_of is None else min(as_of, now)
        newest = self._waiting[-1][1] if self._waiting else self._shown
        if content is newest or (isinstance(content, Scoreboard) and content == newest):
            return
        self.changed_at = now
        self._drop_what_it_corrects(content)
        if _corrects(content, self._shown):
            self._waiting.clear()
            self._show(content, now)
            return
        if len(self._waiting) == MAX_WAITING_SCORES:
            self._waiting.pop()
        self._waiting.append((now, content))

    def _drop_what_it_corrects(self, content: Scoreboard | Image) -> None:
        """Drop scores that are known to be wrong."""
        while self._waiting and _corrects(content, self._waiting[-1][1]):
            self._waiting.pop()

    def scene(self, now: float) -> Scene:
        while self._waiting and self._waiting[0][0] + self.delay_s <= now:
            self._show(self._waiting.popleft()[1], now)
        self._step_banner(now)
        if self._is_lost(self._silent_s(now)):
            return Scene(self._shown, is_lost=True)
        return Scene(self._shown, self._banner, self._mark_s(self._age_s(now)))

    def next_change_at(self, now: float) -> float | None:
        """When the scene changes although nothing new arrives; None: never."""
        times = []
        if self._waiting:
            times.append(self._waiting[0][0] + self.delay_s)
        if self._banner:
            times.append(self._banner_until)
        silent_s = self._silent_s(now)
        if self._can_grow_old() and self._heard_at is not None and not self._is_lost(silent_s):
            age_s = self._age_s(now)
            whole_min = (max(age_s, 0) // 60 + 1) * 60
            times += [now + step - age_s for step in (self._stale_s, whole_min) if step > age_s]
            if silent_s < self._lost_s:
                times.append(now + self._lost_s - silent_s)
        return min(times) if times else None

    def _show(self, content: Scoreboard | Image, now: float) -> None:
        before, self._shown = self._shown, content
        if not isinstance(content, Scoreboard) or not isinstance(before, Scoreboard) or _corrects(content, before):
            self._banners.clear()
            self._banner = None
            if isinstance(content, Scoreboard) and isinstance(before, Scoreboard):
                self._moments.between(before, content)
            else:
                self._moments.forget()
            return
        # A feed that switches between two states reports the same ball again.
        new = [event for event in self._moments.between(before, content) if event not in self._told]
        self._told.extend(new)
        self._told_now.extend(new)
        self._banners.extend((now, event) for event in worth_a_banner(new))
        self._overs_now += over_ended(before, content)

    def _step_banner(self, now: float) -> None:
        if self._banner and now >= self._banner_until:
            self._banner = None
        while self._banner is None and self._banners:
            at, event = self._banners.popleft()
            if self._is_timely(event, now - at):
                self._banner, self._banner_until = event, now + event.stay_s

    def _is_timely(self, event: Event, age_s: float) -> bool:
        """Never later than an over; an end of innings or match is timely while it is one."""
        board = self._shown
        if not isinstance(board, Scoreboard) or age_s > MAX_BANNER_AGE_S:
            return False
        if event.lasts_beyond_its_over:
            return True
        if board.batting is None or event.side is None or not is_side(event.side.name, board.batting):
            return False
        bowled = balls_bowled(board)
        return bowled is None or event.balls is None or bowled - event.balls <= board.format.balls_per_over

    def _can_grow_old(self) -> bool:
        shown = self._shown
        if not isinstance(shown, Scoreboard):
            return shown is not None
        has_play = shown.phase in ("live", "super_over") and not shown.pause
        return shown.phase != "finished" and (has_play or not shown.by_hand)

    def _silent_s(self, now: float) -> float:
        """Seconds from the feed's last answer to the moment that the viewer sees."""
        if self._heard_at is None or not self._can_grow_old():
            return 0.0
        return now - self._heard_at - self.delay_s

    def _age_s(self, now: float) -> float:
        """The same from the time that the feed's last state is of, while there is play: at a break it holds."""
        if self._as_of is None or not self._can_grow_old():
            return 0.0
        board = self._shown
        has_play = isinstance(board, Scoreboard) and board.phase in ("live", "super_over") and not board.pause
        return now - self._as_of - self.delay_s if has_play else self._silent_s(now)

    def _is_lost(self, silent_s: float) -> bool:
        return silent_s >= self._lost_s and isinstance(self._shown, Scoreboard)

    def _mark_s(self, silent_s: float) -> int:
        if silent_s < self._stale_s:
            return 0
        return max(1, int(silent_s // 60 * 60 or self._stale_s))


def over_ended(before: Scoreboard, after: Scoreboard) -> list[str]:
    """ "Red Valley 71/2 after 10 overs", when the second state is the first of its innings with so many overs."""
    side, was, now = after.batting, balls_bowled(before), balls_bowled(after)
    each = after.format.balls_per_over
    if side is None or was is None or now is None or not is_same_innings(before, after) or now // each <= was // each:
        return []
    score = f"{side.runs}" if side.wickets is None else f"{side.runs}/{side.wickets}"
    length = f"{now} balls" if after.format.balls is not None else f"{overs_of(now, each)} overs"
    return [f"{side.name} {score} after {length}"]


def worth_a_banner(events: list[Event]) -> list[Event]:
    """Moments that came together: the most important first, minor ones only if there is no other."""
    timely = [event for event in events if not event.is_late]
    ranked = sorted(timely, key=lambda event: -KINDS[event.kind].importance)
    greater = [event for event in ranked if not event.is_minor]
    return (greater or ranked[:1])[:MAX_BANNERS_AT_ONCE]


def _corrects(content: Scoreboard | Image, other: Scoreboard | Image | None) -> bool:
    if not isinstance(content, Scoreboard) or not isinstance(other, Scoreboard):
        return False
    return content.corrects or is_correction(other, content)
