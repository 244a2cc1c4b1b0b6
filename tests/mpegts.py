"""A tiny MPEG-TS muxer for tests: tables, and PES packets of a video and an audio stream."""

from __future__ import annotations

PMT_PID, VIDEO_PID, AUDIO_PID = 0x1000, 0x100, 0x101
PACKET = 188


class Muxer:
    """Makes packets, and counts continuity for each PID as a real source does."""

    def __init__(self) -> None:
        self._counters: dict[int, int] = {}

    def tables(self) -> bytes:
        pat = bytes.fromhex("00 b00d 0001 c1 00 00 0001") + (0xE000 | PMT_PID).to_bytes(2) + b"\0\0\0\0"
        video = b"\x1b" + (0xE000 | VIDEO_PID).to_bytes(2) + b"\xf0\x00"
        audio = b"\x0f" + (0xE000 | AUDIO_PID).to_bytes(2) + b"\xf0\x00"
        body = bytes.fromhex("0001 c1 00 00") + (0xE000 | VIDEO_PID).to_bytes(2) + b"\xf0\x00" + video + audio
        pmt = b"\x02" + (0xB000 | len(body) + 4).to_bytes(2) + body + b"\0\0\0\0"
        return self._section(0, pat) + self._section(PMT_PID, pmt)

    def video(self, payload: bytes, *, key: bool = False, with_length: bool = True, ticks: int | None = None) -> bytes:
        """One frame. `ticks` is its time in 1/90000 s; None leaves the time out."""
        return self._pes(VIDEO_PID, 0xE0, payload, key=key, with_length=with_length, ticks=ticks)

    def audio(self, payload: bytes) -> bytes:
        return self._pes(AUDIO_PID, 0xC0, payload, key=True, with_length=True)

    def key_frame(self, payload: bytes, *, ticks: int | None = None) -> bytes:
        """The tables and the keyframe, as FFmpeg writes them."""
        return self.tables() + self.video(payload, key=True, ticks=ticks)

    def _section(self, pid: int, section: bytes) -> bytes:
        return self._packet(pid, start=True, payload=(b"\0" + section).ljust(184, b"\xff"), adaptation=b"")

    def _pes(
        self, pid: int, stream_id: int, payload: bytes, *, key: bool, with_length: bool, ticks: int | None = None
    ) -> bytes:
        header = b"\x80\x00\x00" if ticks is None else b"\x80\x80\x05" + _timestamp(ticks)
        length = len(header) + len(payload) if with_length else 0
        rest = b"\0\0\1" + bytes([stream_id]) + length.to_bytes(2) + header + payload
        packets, first = b"", True
        while rest:
            adaptation = b"\x40" if first and key else b""
            room = PACKET - 4 - (1 + len(adaptation) if adaptation else 0)
            if len(rest) < room:
                adaptation = (adaptation or b"\0").ljust(PACKET - 4 - 1 - len(rest), b"\xff")
                room = len(rest)
                if len(adaptation) + 1 + room > PACKET - 4:
                    adaptation = adaptation[: PACKET - 5 - room]
            packets += self._packet(pid, start=first, payload=rest[:room], adaptation=adaptation)
            rest, first = rest[room:], False
        return packets

    def _packet(self, pid: int, *, start: bool, payload: bytes, adaptation: bytes) -> bytes:
        counter = self._counters.get(pid, -1) + 1 & 0xF
        self._counters[pid] = counter
        has_field = bool(adaptation) or len(payload) < PACKET - 4
        control = 0x30 if has_field else 0x10
        field = bytes([len(adaptation)]) + adaptation if has_field else b""
        packet = bytes([0x47, (0x40 if start else 0) | pid >> 8, pid & 0xFF, control | counter]) + field + payload
        assert len(packet) == PACKET, len(packet)
        return packet


def _timestamp(ticks: int) -> bytes:
    """A PTS as in a PES header, which is also the DTS."""
    high, middle, low = ticks >> 30 & 0x7, ticks >> 15 & 0x7FFF, ticks & 0x7FFF
    return bytes([0x21 | high << 1]) + (middle << 1 | 1).to_bytes(2) + (low << 1 | 1).to_bytes(2)
