"""MPEG-TS from the source on air to the publishers.

`Switch` joins `mpegts.py` and `unit_queue.py`, which is pure, to a lane of an IoLoop,
on whose thread all of its state is read and written. It never blocks on a
publisher, and goes on draining the source while there is none; it knows nothing
of streams or processes, only of descriptors.

A reader that joins or falls behind starts at a keyframe with the tables in front
of it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

from media.io_loop import Lane
from media.media_clock import FlowMeter, MediaClock, Pace, Rates
from media.mpegts import PesFramer, Unit
from media.unit_queue import UnitQueue

# A source that is asked for begins with a keyframe no older than this, if one comes soon.
FRESH_S = 0.1
KEY_WAIT_S = 0.4
# A GOP of 2 s has 300 units at the most; a source without keyframes is not kept.
MAX_HELD_UNITS = 2_000


class _Source:
    """One source that is read: its framer, its clock, and what it has said since its last keyframe while it is held."""

    def __init__(self, takes_over: bool) -> None:
        self.framer = PesFramer()
        self.clock = MediaClock()
        self.pace = Pace()
        self.takes_over = takes_over
        self.held: list[tuple[Unit, int]] = []  # with the media time each adds
        self.frame_at: float | None = None
        self.sound_at: float | None = None
        self.runs_ahead = False
        self.first_frame_at: float | None = None
        self.key_at: float | None = None
        self.asked_at: float | None = None

    def note(self, unit: Unit, now: float) -> int:
        """Take its time down; the media time in 1/90000 s that it adds."""
        if not unit.video:
            self.sound_at = now
            return 0
        step = 0
        if unit.ticks is not None:
            step = self.clock.advance(now, unit.ticks)
            self.pace.note(now, self.clock.media_s)
        if unit.key:
            self.key_at = now
            self.first_frame_at = self.first_frame_at or now
        # This stays, because frames that were filled in cannot be taken back.
        self.runs_ahead = self.runs_ahead or self.clock.runs_ahead
        if not self.runs_ahead:
            self.frame_at = now
        return step

    def hold(self, unit: Unit, step: int) -> None:
        if unit.key or len(self.held) >= MAX_HELD_UNITS:
            self.held.clear()
        if unit.key or self.held:
            self.held.append((unit, step))


@dataclass(frozen=True)
class SourceState:
    """Times by the switch's clock; None before the first. A source that `runs_ahead` is no longer listened to.

    `lead_s` is the media since its first frame, less the time since then.
    """

    frame_at: float | None = None
    sound_at: float | None = None
    runs_ahead: bool = False
    lead_s: float = 0.0


class _Outlet:
    """What one publisher has yet to take, and since when it has taken none of it."""

    def __init__(self, max_bytes: int) -> None:
        self.queue = UnitQueue(max_bytes)
        self.stuck_since: float | None = None
        self.is_broken = False


class Switch:
    """Forwards the source on air to every publisher, in whole units.

    A source that `takes_over` goes on air with its first keyframe that comes in
    real time; its predecessor stays on air until then. So no backlog goes out in a
    burst, which would stay as delay at the viewers. With nothing else on air its
    first keyframe will do. Any other source is held ready for `put_on_air`.
    Callable from any thread but the loop's; `changed` is called on the loop's
    when a source has its first frame or goes on air.
    """

    def __init__(
        self,
        loop: Lane,
        queue_bytes: int,
        changed: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._loop = loop
        self._queue_bytes = queue_bytes
        self._changed = changed
        self._clock = clock
        self._sources: dict[int, _Source] = {}
        self._on_air: int | None = None
        self._outlets: dict[int, _Outlet] = {}
        self._meter = FlowMeter(clock())
        self._frames_on_air = 0
        self._newest_key: Unit | None = None

    @property
    def on_air(self) -> int | None:
        """The descriptor of the source on air. Any thread."""
        return self._on_air

    @property
    def frames_on_air(self) -> int:
        """Video frames that were on air so far. Any thread."""
        return self._frames_on_air

    @property
    def newest_key(self) -> Unit | None:
        """The newest key unit of the source on air; None while none is. Any thread."""
        return self._newest_key

    def source(self, fd: int) -> SourceState:
        """When this source gave what, as of now. Any thread."""
        source = self._sources.get(fd)
        if source is None or source.first_frame_at is None:
            return SourceState()
        lead_s = source.clock.media_s - (self._clock() - source.first_frame_at)
        return SourceState(source.frame_at, source.sound_at, source.runs_ahead, lead_s)

    def rates(self) -> Rates:
        """What goes on air, over the last seconds. Any thread."""
        return self._meter.rates(self._clock())

    def stuck_since(self, fd: int) -> float | None:
        """Since when this publisher has taken nothing of what is there for it; None while it does. Any thread."""
        outlet = self._outlets.get(fd)
        return outlet.stuck_since if outlet else None

    def dropped_frames(self, fd: int) -> int:
        """Video frames that this publisher missed since its first because it was slow. Any thread."""
        outlet = self._outlets.get(fd)
        return outlet.queue.dropped_frames if outlet else 0

    def add_source(self, fd: int, ended: Callable[[], None], *, takes_over: bool) -> None:
        """Read MPEG-TS from `fd`; `ended` is called at its end of file."""
        self._loop.call(self._add_source, fd, ended, takes_over)

    def put_on_air(self, fd: int) -> None:
        """Let this source, which has given a frame, begin with a fresh keyframe; ask again until it is on air."""
        self._loop.call(self._ask_for, fd)

    def remove_source(self, fd: int) -> None:
        self._loop.call(self._remove_source, fd)

    def add_publisher(self, fd: int) -> None:
        """Write to `fd` from the next keyframe on."""
        self._loop.call(self._add_publisher, fd)

    def remove_publisher(self, fd: int) -> int:
        """Stop writing to `fd`; gives how many video frames it missed because it was slow."""
        return self._loop.call(self._remove_publisher, fd)

    def _add_source(self, fd: int, ended: Callable[[], None], takes_over: bool) -> None:
        source = self._sources[fd] = _Source(takes_over)

        def take(data: bytes) -> None:
            if not data:
                ended()
                return
            for unit in source.framer.push(data):
                self._take(fd, source, unit)
            self._drain_all()

        self._loop.read_from(fd, take)

    def _remove_source(self, fd: int) -> None:
        self._loop.stop_reading(fd)
        self._sources.pop(fd, None)
        if self._on_air == fd:
            self._on_air = self._newest_key = None

    def _take(self, fd: int, source: _Source, unit: Unit) -> None:
        now = self._clock()
        is_first = source.frame_at is None and unit.video
        if source.runs_ahead:
            return
        step = source.note(unit, now)
        if source.runs_ahead:
            self._changed()
            return
        if self._on_air == fd:
            self._offer(unit, step, now)
            return
        source.hold(unit, step)
        # A source without timestamps is trusted.
        if (
            unit.key
            and source.takes_over
            and (self._on_air is None or unit.ticks is None or source.pace.is_real_time())
        ):
            self._put_on_air(fd, source, now)
        elif is_first:
            self._changed()

    def _ask_for(self, fd: int) -> None:
        source, now = self._sources[fd], self._clock()
        source.asked_at = source.asked_at or now
        is_fresh = source.key_at is not None and now - source.key_at <= FRESH_S
        if source.held and (is_fresh or now - source.asked_at >= KEY_WAIT_S or self._on_air is None):
            self._put_on_air(fd, source, now)
        else:
            source.takes_over = True  # with its next keyframe

    def _put_on_air(self, fd: int, source: _Source, now: float) -> None:
        self._on_air = fd
        source.clock.restart(now)
        for unit, step in source.held:
            self._offer(unit, step, now)
        source.held = []
        source.takes_over = False  # otherwise it would come back by itself after it was replaced
        self._drain_all()
        self._changed()

    def _offer(self, unit: Unit, step: int, now: float) -> None:
        self._frames_on_air += unit.video
        if unit.key:
            self._newest_key = unit
        self._meter.add(now, len(unit.data), frames=unit.video, ticks=max(step, 0))
        for outlet in self._outlets.values():
            outlet.queue.offer(unit)

    def _drain_all(self) -> None:
        for fd in list(self._outlets):
            self._drain(fd)

    def _add_publisher(self, fd: int) -> None:
        self._outlets[fd] = _Outlet(self._queue_bytes)

    def _remove_publisher(self, fd: int) -> int:
        self._loop.stop_writing(fd)
        outlet = self._outlets.pop(fd, None)
        return outlet.queue.dropped_frames if outlet else 0

    def _drain(self, fd: int) -> None:
        outlet = self._outlets[fd]
        if outlet.is_broken:
            return
        try:
            while head := outlet.queue.head():
                outlet.queue.advance(os.writev(fd, head))
                outlet.stuck_since = None
        except BlockingIOError:
            outlet.stuck_since = outlet.stuck_since or self._clock()
            self._loop.when_writable(fd, lambda: self._drain(fd))
            return
        except OSError:
            # The publisher no longer reads. Most publishers end then; one that does not is stuck.
            outlet.is_broken = True
            outlet.stuck_since = outlet.stuck_since or self._clock()
        self._loop.stop_writing(fd)
