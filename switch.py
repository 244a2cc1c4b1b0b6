"""MPEG-TS from the source on air to the publishers.

The packet logic (`PesFramer`, `UnitQueue`) is pure. `Switch` joins it to a lane
of an IoLoop, on whose thread all of its state is read and written. It never blocks
on a publisher, and goes on draining the source while there is none; it knows
nothing of streams or processes, only of descriptors.

What is passed on are whole units: one PES packet of one elementary stream, or
one table, in whole 188-byte packets. A source that ends in mid-packet leaves
no torn frame behind, and a reader that joins or falls behind starts at a
keyframe with the tables in front of it.
"""

from __future__ import annotations

import itertools
import os
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from io_loop import Lane
from media_clock import FlowMeter, MediaClock, Pace, Rates

PACKET = 188
HEAD = 4
SYNC = 0x47
STARTS = 0x40  # the flag of a packet in which a PES packet or a table begins
PAT_PID = 0
VIDEO_STREAM_TYPES = (0x1B, 0x24)  # H.264, HEVC (ISO/IEC 13818-1, table 2-34)
_IS_START = bytes(bool(flags & STARTS) for flags in range(256))
_HAS_PAYLOAD_ALONE = bytes(control & 0x30 == 0x10 for control in range(256))
# A frame is far smaller; what grows beyond this is not a stream of FFmpeg's.
MAX_UNIT_BYTES = 4_000_000
# A source that is asked for begins with a keyframe no older than this, if one comes soon.
FRESH_S = 0.1
KEY_WAIT_S = 0.4
MAX_PIECES = 16  # that are written at once
# A GOP of 2 s has 300 units at the most; a source without keyframes is not kept.
MAX_HELD_UNITS = 2_000


@dataclass(frozen=True)
class Unit:
    """Whole packets that belong together; a `key` unit is PAT, PMT and a video keyframe.

    `ticks` is the decoding time in 1/90000 s, where the packet tells it.
    """

    data: bytes
    key: bool = False
    video: bool = False
    ticks: int | None = None

    def keyframe(self) -> bytes:
        """The frame of a `key` unit as its encoder gave it, out of its container."""
        packets = (self.data[i : i + PACKET] for i in range(2 * PACKET, len(self.data), PACKET))
        pes = b"".join(packet[_payload_start(packet) :] for packet in packets)
        return pes[9 + int.from_bytes(pes[8:9]) :]


class PesFramer:
    """Cuts one source's bytes into units; pure.

    Nothing comes out before the first keyframe whose tables are known.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._pat = b""
        self._pmt = b""
        self._pmt_pid = -1
        self._video_pid = -1
        self._started = False
        self._open: dict[int, _OpenPes] = {}

    def push(self, data: bytes) -> list[Unit]:
        """Take the next bytes of the source; give the units that they completed, in order."""
        data = self._rest + data
        units: list[Unit] = []
        position = 0
        while position + PACKET <= len(data):
            if data[position] != SYNC:
                position = _next_sync(data, position + 1)
                continue
            end = _end_of_packets(data, position)
            self._take_packets(data[position:end], units)
            position = end
        self._rest = data[position:]
        return units

    def _take_packets(self, data: bytes, units: list[Unit]) -> None:
        """Whole packets, run by run: what begins with a start and goes on up to the next one."""
        heads = _Heads(data)
        at = 0
        while at < heads.count:
            end = heads.next_start(at + 1)
            pid = heads.pid(at)
            # What is no PES packet in one piece is rare, and looked at packet by packet.
            is_table = pid in (PAT_PID, self._pmt_pid)
            if is_table or not heads.is_of_one_pid(at, end) or not self._take_run(heads, pid, at, end, units):
                for begin in range(at * PACKET, end * PACKET, PACKET):
                    self._take(data[begin : begin + PACKET], units)
            at = end

    def _take_run(self, heads: _Heads, pid: int, at: int, end: int, units: list[Unit]) -> bool:
        """Packets of one PES packet together; False, and nothing is done, when it ends before they do."""
        run, payload = heads.data[at * PACKET : end * PACKET], heads.payload_bytes(at, end)
        if not run[1] & STARTS:
            return self._add_run(pid, run, payload, units)
        length = _pes_bytes(run)
        if length is not None and payload > length:
            return False
        self._complete(pid, units)
        key = pid == self._video_pid and _is_random_access(run)
        if payload == length:
            self._emit(pid, run, units, key=key)
        else:
            self._open[pid] = _OpenPes(length, key=key)
            self._open[pid].add(run, payload)
        return True

    def _add_run(self, pid: int, run: bytes, payload: int, units: list[Unit]) -> bool:
        pes = self._open.get(pid)
        if pes is None:
            return True
        if pes.missing is not None and payload > pes.missing:
            return False
        pes.add(run, payload)
        if pes.is_complete():
            self._complete(pid, units)
        return True

    def _take(self, packet: bytes, units: list[Unit]) -> None:
        pid = (packet[1] & 0x1F) << 8 | packet[2]
        if pid == PAT_PID:
            self._pat, self._pmt_pid = packet, _pmt_pid_of(packet)
        elif pid == self._pmt_pid:
            self._pmt, self._video_pid = packet, _video_pid_of(packet)
        else:
            self._take_pes(pid, packet, units)

    def _take_pes(self, pid: int, packet: bytes, units: list[Unit]) -> None:
        if packet[1] & STARTS:
            self._complete(pid, units)
            self._open[pid] = _OpenPes(_pes_bytes(packet), key=pid == self._video_pid and _is_random_access(packet))
        elif pid not in self._open:
            return
        self._open[pid].add(packet, PACKET - _payload_start(packet))
        if self._open[pid].is_complete():
            self._complete(pid, units)

    def _complete(self, pid: int, units: list[Unit]) -> None:
        pes = self._open.pop(pid, None)
        if pes is not None and not pes.is_torn():
            self._emit(pid, pes.data(), units, key=pes.key)

    def _emit(self, pid: int, data: bytes, units: list[Unit], *, key: bool) -> None:
        is_video = pid == self._video_pid
        ticks = _decoding_ticks(data) if is_video else None
        if key and self._pat and self._pmt:
            self._started = True
            units.append(Unit(self._pat + self._pmt + data, key=True, video=True, ticks=ticks))
        elif self._started:
            units.append(Unit(data, video=is_video, ticks=ticks))


class _Heads:
    """The heads of packets that stand one behind the other: each byte of all of them in one string."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._flags = data[1::PACKET]
        self._pids = data[2::PACKET]
        self._plain = data[3::PACKET].translate(_HAS_PAYLOAD_ALONE)
        self._starts = self._flags.translate(_IS_START)
        self.count = len(self._flags)

    def next_start(self, at: int) -> int:
        """Where the next PES packet or table begins, or the end."""
        found = self._starts.find(1, at)
        return found if found >= 0 else self.count

    def pid(self, at: int) -> int:
        return (self._flags[at] & 0x1F) << 8 | self._pids[at]

    def is_of_one_pid(self, at: int, end: int) -> bool:
        """True when the packets behind the first go on with what it began."""
        others = end - at - 1
        return (
            self._flags.count(self._flags[at] & 0x1F, at + 1, end) == others
            and self._pids.count(self._pids[at], at + 1, end) == others
        )

    def payload_bytes(self, at: int, end: int) -> int:
        """Of these packets together."""
        total = self._plain.count(1, at, end) * (PACKET - HEAD)
        other = self._plain.find(0, at, end)
        while other >= 0:
            packet = self.data[other * PACKET : (other + 1) * PACKET]
            total += PACKET - _payload_start(packet)
            other = self._plain.find(0, other + 1, end)
        return total


class _OpenPes:
    """A PES packet of which more may come; `missing` are its bytes to come, None when its head does not tell."""

    def __init__(self, length: int | None, *, key: bool) -> None:
        self.key = key
        self.missing = length
        self._parts: list[bytes] = []
        self._size = 0

    def add(self, packets: bytes, payload: int) -> None:
        """Packets, and how many bytes of the PES packet are in them."""
        self._parts.append(packets)
        self._size += len(packets)
        if self.missing is not None:
            self.missing -= payload

    def data(self) -> bytes:
        return b"".join(self._parts)

    def is_complete(self) -> bool:
        return (self.missing is not None and self.missing <= 0) or self._size > MAX_UNIT_BYTES

    def is_torn(self) -> bool:
        """Cut short by the next one although its length says that more was to come."""
        return self.missing is not None and self.missing > 0


def _pes_bytes(first: bytes) -> int | None:
    """How long the PES packet is that begins in this packet, its head included."""
    payload = _payload_start(first)
    length = int.from_bytes(first[payload + 4 : payload + 6]) if payload + 6 <= PACKET else 0
    # Length 0 is a frame over 64 KiB: it ends where the next one begins.
    return length + 6 if length else None


def _end_of_packets(data: bytes, begin: int) -> int:
    """Where the whole packets end that stand one behind the other from here."""
    count = (len(data) - begin) // PACKET
    heads = data[begin : begin + count * PACKET : PACKET]
    return begin + PACKET * (count - len(heads.lstrip(bytes([SYNC]))))


def _next_sync(data: bytes, position: int) -> int:
    found = data.find(SYNC, position)
    return found if found >= 0 else len(data)


def _payload_start(packet: bytes) -> int:
    control = packet[3] >> 4 & 0b11
    if not control & 0b01:
        return PACKET
    return min(PACKET, 5 + packet[4]) if control & 0b10 else 4


def _is_random_access(packet: bytes) -> bool:
    has_adaptation_field = bool(packet[3] & 0x20) and packet[4] > 0
    return has_adaptation_field and bool(packet[5] & 0x40)


def _decoding_ticks(packet: bytes) -> int | None:
    """DTS, or PTS where they are one, of the PES packet that begins here (ISO/IEC 13818-1, 2.4.3.6)."""
    payload = _payload_start(packet)
    if payload + 19 > PACKET or not packet[payload + 7] & 0x80:
        return None
    at = payload + (14 if packet[payload + 7] & 0x40 else 9)
    return (
        (packet[at] >> 1 & 0x07) << 30
        | packet[at + 1] << 22
        | packet[at + 2] >> 1 << 15
        | packet[at + 3] << 7
        | packet[at + 4] >> 1
    )


def _section(packet: bytes) -> bytes:
    """The table in a packet that holds all of it, without its checksum."""
    start = _payload_start(packet)
    if start >= PACKET:
        return b""
    start += 1 + packet[start]
    length = int.from_bytes(packet[start + 1 : start + 3]) & 0x0FFF
    return packet[start : start + 3 + length - 4]


def _pmt_pid_of(pat: bytes) -> int:
    section = _section(pat)
    for i in range(8, len(section) - 3, 4):
        if int.from_bytes(section[i : i + 2]) != 0:
            return int.from_bytes(section[i + 2 : i + 4]) & 0x1FFF
    return -1


def _video_pid_of(pmt: bytes) -> int:
    section = _section(pmt)
    if len(section) < 12:
        return -1
    i = 12 + (int.from_bytes(section[10:12]) & 0x0FFF)
    while i + 5 <= len(section):
        if section[i] in VIDEO_STREAM_TYPES:
            return int.from_bytes(section[i + 1 : i + 3]) & 0x1FFF
        i += 5 + (int.from_bytes(section[i + 3 : i + 5]) & 0x0FFF)
    return -1


class UnitQueue:
    """What one publisher has yet to take, bounded; pure.

    A new reader, and one that fell behind, waits for the next keyframe: old
    pictures are worth less than the present.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._units: deque[Unit] = deque()
        self._bytes = 0
        self._sent_of_first = 0
        self._awaits_key = True
        self._has_begun = False
        self.dropped_frames = 0  # since the first keyframe

    def offer(self, unit: Unit) -> None:
        """Add a unit, or drop up to the next keyframe when there is no room."""
        if self._bytes + len(unit.data) > self._max_bytes:
            self._drop_all()
        if self._awaits_key and not unit.key:
            self.dropped_frames += unit.video and self._has_begun
            return
        self._awaits_key = False
        self._has_begun = True
        self._units.append(unit)
        self._bytes += len(unit.data)

    def head(self) -> list[memoryview]:
        """The bytes to write next, in a few pieces; empty when all are written."""
        pieces = [memoryview(unit.data) for unit in itertools.islice(self._units, MAX_PIECES)]
        if self._sent_of_first:
            pieces[0] = pieces[0][self._sent_of_first :]
        return pieces

    def advance(self, written: int) -> None:
        """Note that the first `written` bytes of `head()` are gone."""
        self._sent_of_first += written
        while self._units and self._sent_of_first >= len(self._units[0].data):
            size = len(self._units.popleft().data)
            self._sent_of_first -= size
            self._bytes -= size

    def _drop_all(self) -> None:
        # A unit that is half written must be finished, or the reader gets a torn packet.
        kept = 1 if self._sent_of_first else 0
        self.dropped_frames += sum(unit.video for unit in list(self._units)[kept:])
        self._units = deque(list(self._units)[:kept])
        self._bytes = sum(len(unit.data) for unit in self._units)
        self._awaits_key = True


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
        # For good: what has been filled in cannot be taken back.
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
    """Times by the switch's clock; None before the first. A source that `runs_ahead` is heard no more.

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
    real time; its predecessor is heard until then. So no backlog goes out in a
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
        """Write no more to `fd`; how many video frames it missed because it was slow."""
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
        # A source that tells no times is believed.
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
        source.takes_over = False  # or it would come back by itself once it was replaced
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
            # Its reader is gone. Most end with that; one that does not is stuck.
            outlet.is_broken = True
            outlet.stuck_since = outlet.stuck_since or self._clock()
        self._loop.stop_writing(fd)
