"""MPEG-TS in units; pure.

A unit is one PES packet of one elementary stream, or one table, in whole
188-byte packets. A source that ends in mid-packet leaves no torn frame behind.
"""

from __future__ import annotations

from dataclasses import dataclass

PACKET = 188
HEAD = 4
SYNC = 0x47
STARTS = 0x40  # the flag of a packet in which a PES packet or a table begins
PAT_PID = 0
VIDEO_STREAM_TYPES = (0x1B, 0x24)  # H.264, HEVC (ISO/IEC 13818-1, table 2-34)
_IS_START = bytes(bool(flags & STARTS) for flags in range(256))
_HAS_PAYLOAD_ALONE = bytes(control & 0x30 == 0x10 for control in range(256))
# Frames are far smaller. Data that grows beyond this does not come from our FFmpeg.
MAX_UNIT_BYTES = 4_000_000


@dataclass(frozen=True)
class Unit:
    """Whole packets that belong together; a `key` unit is PAT, PMT and a video keyframe.

    `ticks` is the decoding time in 1/90000 s, if the packet has it.
    """

    data: bytes
    key: bool = False
    video: bool = False
    ticks: int | None = None

    def keyframe(self) -> bytes:
        """The frame of a `key` unit as the encoder made it, without the container."""
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
        """The same of several packets together."""
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
        """True if the next packet begins although the length says that more should come."""
        return self.missing is not None and self.missing > 0


def _pes_bytes(first: bytes) -> int | None:
    """How long the PES packet is that begins in this packet, its head included."""
    payload = _payload_start(first)
    length = int.from_bytes(first[payload + 4 : payload + 6]) if payload + 6 <= PACKET else 0
    # Length 0 is a frame over 64 KiB: it ends where the next one begins.
    return length + 6 if length else None


def _end_of_packets(data: bytes, begin: int) -> int:
    """Where the run of whole packets that begins here ends."""
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
