"""What a camera really sends, read from its FLV: codecs, keyframes, and how far sound and picture are apart.

Source of the codes: Adobe's "Video File Format Specification" version 10 (FLV), and Veovera's "Enhanced RTMP".
"""

from __future__ import annotations

import statistics
from collections import deque
from dataclasses import dataclass, replace

AUDIO, VIDEO = 8, 9
RATE_S = 1.5
TWO_CLOCKS_S = 10.0  # further apart than this, sound and picture are stamped by two clocks
_HEADER_BYTES, _TAG_HEAD_BYTES, _TAG_TAIL_BYTES = 13, 11, 4
_SAMPLES = 50
_VIDEO_CODECS = {
    2: "Sorenson H.263",
    3: "Screen Video",
    4: "VP6",
    5: "VP6",
    6: "Screen Video 2",
    7: "H.264",
    12: "HEVC",
}
_SOUND_CODECS = {
    0: "PCM",
    1: "ADPCM",
    2: "MP3",
    3: "PCM",
    4: "Nellymoser",
    5: "Nellymoser",
    6: "Nellymoser",
    7: "G.711",
    8: "G.711",
    10: "AAC",
    11: "Speex",
    14: "MP3",
}
_FOURCCS = {
    b"avc1": "H.264",
    b"hvc1": "HEVC",
    b"vvc1": "VVC",
    b"av01": "AV1",
    b"vp09": "VP9",
    b"vp08": "VP8",
    b"Opus": "Opus",
    b"mp4a": "AAC",
    b"ac-3": "AC-3",
    b"ec-3": "E-AC-3",
    b"fLaC": "FLAC",
    b".mp3": "MP3",
}
_ENHANCED_VIDEO, _ENHANCED_SOUND = 0x80, 9
_KEYFRAME, _INFO_FRAME = 1, 5


@dataclass(frozen=True)
class Findings:
    """What has been seen so far. A codec is None as long as none came.

    `pictures` and `keyframes` are counts, `picture_at_s` is the newest timestamp of a picture, and `picture_s`
    the time that the pictures span.
    `sound_ahead_s` is how far the sound's timestamps are ahead of the picture's that arrives with it.
    """

    video: str | None = None
    sound: str | None = None
    pictures: int = 0
    keyframes: int = 0
    picture_s: float = 0.0
    picture_at_s: float = 0.0
    sound_ahead_s: float | None = None

    @property
    def frame_rate(self) -> float | None:
        """Pictures in a second by their timestamps; None before it can be told."""
        return (self.pictures - 1) / self.picture_s if self.picture_s >= RATE_S else None

    @property
    def waits_for_keyframe(self) -> bool:
        """Pictures come, but nobody who joins now can decode them."""
        return self.pictures > 0 and self.keyframes == 0


class FlvReader:
    """Takes the bytes of one FLV as they come."""

    def __init__(self) -> None:
        self.findings = Findings()
        self._buffer = bytearray()
        self._skip = _HEADER_BYTES
        self._is_done = False
        self._first_picture_ms: int | None = None
        self._last_ms: dict[int, int] = {}
        self._leads_ms: deque[int] = deque(maxlen=_SAMPLES)

    def give_up(self) -> None:
        """Take no more."""
        self._is_done = True
        self._buffer.clear()

    def take(self, data: bytes) -> None:
        """Raises ValueError if it is no FLV."""
        if self._is_done:
            return
        self._buffer += data
        if self._skip and len(self._buffer) >= self._skip:
            if not self._buffer.startswith(b"FLV"):
                raise ValueError("not an FLV")
            del self._buffer[: self._skip]
            self._skip = 0
        while not self._skip and len(self._buffer) >= _TAG_HEAD_BYTES:
            length = int.from_bytes(self._buffer[1:4])
            end = _TAG_HEAD_BYTES + length + _TAG_TAIL_BYTES
            if len(self._buffer) < end:
                break
            kind, time_ms = self._buffer[0] & 0x1F, self._buffer[7] << 24 | int.from_bytes(self._buffer[4:7])
            body = bytes(self._buffer[_TAG_HEAD_BYTES : _TAG_HEAD_BYTES + min(length, 5)])
            del self._buffer[:end]
            if body and kind in (AUDIO, VIDEO):
                self._last_ms[kind] = time_ms
                self._note(kind, time_ms, body)

    def _note(self, kind: int, time_ms: int, body: bytes) -> None:
        seen = self.findings
        if kind == AUDIO:
            self.findings = replace(seen, sound=_sound_codec(body))
            return
        frame = body[0] >> 4 & 0x7
        is_config = (body[0] & _ENHANCED_VIDEO and body[0] & 0x0F == 0) or (body[0] & 0x0F == 7 and body[1:2] == b"\0")
        if frame == _INFO_FRAME:
            return
        if is_config:
            self.findings = replace(seen, video=_video_codec(body))
            return
        if self._first_picture_ms is None:
            self._first_picture_ms = time_ms
        if AUDIO in self._last_ms:
            self._leads_ms.append(self._last_ms[AUDIO] - time_ms)
        self.findings = replace(
            seen,
            video=_video_codec(body),
            pictures=seen.pictures + 1,
            keyframes=seen.keyframes + (frame == _KEYFRAME),
            picture_at_s=time_ms / 1000,
            picture_s=(time_ms - self._first_picture_ms) / 1000,
            sound_ahead_s=statistics.median(self._leads_ms) / 1000 if self._leads_ms else None,
        )


def _video_codec(body: bytes) -> str:
    if body[0] & _ENHANCED_VIDEO:
        return _by_fourcc(body)
    return _VIDEO_CODECS.get(body[0] & 0x0F, f"format {body[0] & 0x0F}")


def _sound_codec(body: bytes) -> str:
    number = body[0] >> 4
    if number == _ENHANCED_SOUND:
        return _by_fourcc(body)
    return _SOUND_CODECS.get(number, f"format {number}")


def _by_fourcc(body: bytes) -> str:
    code = body[1:5]
    return _FOURCCS.get(code) or (code.decode("ascii") if code.isalnum() and code.isascii() else "an unknown codec")
