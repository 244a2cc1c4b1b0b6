"""Media time against the monotonic clock, and what flows over the last seconds: pure arithmetic.

A live source gives one second of media a second. FFmpeg's own `speed=` is an
average since its start and sees nothing after hours; these look at the last
WINDOW_S only.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

WINDOW_S = 10.0
SAMPLE_S = 0.5
TICKS_PER_S = 90_000
_WRAP = 1 << 33
# An encoder that has stood still, or a camera's link, gives all at once what it owes;
# what comes on top of that was never filmed. At the start a camera may send what it kept.
MAX_AHEAD_S = 0.5
MAX_AHEAD_AT_START_S = 1.0
START_S = 3.0
# Less than this share of a media second in a second, for as long as the window.
SLOW_SPEED = 0.9
# A source comes in real time when its lead has not grown by more than BURST_S in SETTLE_S.
SETTLE_S = 0.35
BURST_S = 0.04


@dataclass(frozen=True)
class Rates:
    """What went by in the last WINDOW_S; `speed` is media time over elapsed time."""

    fps: float
    speed: float
    kbps: float


class FlowMeter:
    """Counts frames, bytes and media time of whatever is on air."""

    def __init__(self, now: float) -> None:
        self._frames = 0
        self._bytes = 0
        self._media_ticks = 0
        self._added_at = now
        self._samples: deque[tuple[float, int, int, int]] = deque([(now, 0, 0, 0)])

    def add(self, now: float, size: int, *, frames: int = 0, ticks: int = 0) -> None:
        """Note bytes, and the frames and media time (in 1/90000 s) that came with them."""
        if now - self._added_at >= SAMPLE_S:  # nothing came for a while; its beginning counts
            self._samples.append((self._added_at, self._frames, self._bytes, self._media_ticks))
        self._added_at = now
        self._bytes += size
        self._frames += frames
        self._media_ticks += ticks
        if now - self._samples[-1][0] >= SAMPLE_S:
            self._samples.append((now, self._frames, self._bytes, self._media_ticks))
            while now - self._samples[1][0] >= WINDOW_S:
                self._samples.popleft()

    def rates(self, now: float) -> Rates:
        """Over the last WINDOW_S, or since the beginning while that is shorter."""
        if now - self._added_at >= WINDOW_S:
            return Rates(0.0, 0.0, 0.0)
        samples = list(self._samples)
        at, frames, size, ticks = next(
            (sample for sample in reversed(samples) if now - sample[0] >= WINDOW_S), samples[0]
        )
        # An older sample ends a silence: nothing came between it and the window.
        elapsed = WINDOW_S if now - at > WINDOW_S + SAMPLE_S else max(now - at, SAMPLE_S)
        return Rates(
            (self._frames - frames) / elapsed,
            (self._media_ticks - ticks) / TICKS_PER_S / elapsed,
            (self._bytes - size) * 8 / 1000 / elapsed,
        )


class Pace:
    """Whether a source gives its media as time goes by, or a backlog: of probing, or of a camera without network."""

    def __init__(self) -> None:
        self._peaks: deque[tuple[float, float]] = deque()  # time, greatest lead up to then

    def note(self, now: float, media_s: float) -> None:
        """Note a frame at this media time."""
        lead_s = media_s - now
        self._peaks.append((now, max(lead_s, self._peaks[-1][1]) if self._peaks else lead_s))
        while now - self._peaks[0][0] >= SETTLE_S and now - self._peaks[1][0] >= SETTLE_S:
            self._peaks.popleft()

    def is_real_time(self) -> bool:
        """As of the newest frame. False as long as there is too little to judge."""
        (begin, before), (end, peak) = self._peaks[0], self._peaks[-1]
        return end - begin >= SETTLE_S and peak - before <= BURST_S


class MediaClock:
    """One source's media time, and how far it is ahead of the clock since `restart()`."""

    def __init__(self) -> None:
        self.media_s = 0.0
        self.excess_s = 0.0
        self._last_ticks: int | None = None
        self._started_at: float | None = None
        self._started_media_s = 0.0
        self._leads: deque[tuple[float, float]] = deque()  # time, greatest lead up to then
        self._greatest_lead_s = 0.0

    def restart(self, now: float) -> None:
        """Begin to measure now."""
        self._started_at, self._started_media_s = now, self.media_s
        self._leads = deque([(now, 0.0)])
        self._greatest_lead_s = self.excess_s = 0.0

    def advance(self, now: float, ticks: int) -> int:
        """Note a frame's decoding time in 1/90000 s; how far it is from the one before, 0 for the first."""
        last, self._last_ticks = self._last_ticks, ticks
        if last is None:
            return 0
        step = (ticks - last + _WRAP // 2) % _WRAP - _WRAP // 2
        self.media_s += step / TICKS_PER_S
        if self._started_at is not None:
            self._judge(now, self._started_at)
        return step

    def _judge(self, now: float, started_at: float) -> None:
        lead_s = self.media_s - self._started_media_s - (now - started_at)
        self.excess_s = lead_s - self._leads[0][1]
        self._greatest_lead_s = max(self._greatest_lead_s, lead_s)
        if now - started_at < START_S:
            self._leads[0] = (now, self._greatest_lead_s)
            self.excess_s = lead_s - (MAX_AHEAD_AT_START_S - MAX_AHEAD_S)
        elif now - self._leads[-1][0] >= SAMPLE_S:
            self._leads.append((now, self._greatest_lead_s))
            while len(self._leads) > 1 and now - self._leads[1][0] >= WINDOW_S:
                self._leads.popleft()

    @property
    def runs_ahead(self) -> bool:
        """True when more media came than time went by: the camera's clock has jumped, and its gap is being filled."""
        return self.excess_s > MAX_AHEAD_S
