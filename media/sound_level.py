"""How loud the sound is that goes out: the filters that measure it, what they print, and how long it has been silent.

FFmpeg measures beside the sound's way to the encoder, once a second: 0.3 % of a core (FFmpeg 5.1, 2 shared cores).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

NEAR_SILENCE_DB = -60.0
LOWEST_DB = -100.0
FRESH_S = 4.0
_PEAK, _LOUDNESS = "lavfi.astats.Overall.Peak_level", "lavfi.r128.S"
_LINE = re.compile(rf"({re.escape(_PEAK)}|{re.escape(_LOUDNESS)})=(-?[\d.]+|-?inf|-?nan)")
_FRAME = re.compile(r"frame:\d+\s+pts:")
# ebur128 takes a tenth of a second of sound each time that FFmpeg's filters move on. So it comes before the sound is
# gathered to whole seconds: behind that it takes less than there is, and the rest piles up in memory.
METER = (
    "asplit[out][level];[level]ebur128=metadata=1:framelog=verbose,asetnsamples=44100,"
    "astats=metadata=1:reset=1:measure_perchannel=none:measure_overall=Peak_level,"
    rf"ametadata=mode=print:key={_LOUDNESS}:file=pipe\\:2:direct=1,"
    rf"ametadata=mode=print:key={_PEAK}:file=pipe\\:2:direct=1,anullsink;[out]"
)


@dataclass(frozen=True)
class SoundLevel:
    """`peak_db` in dBFS of the last second, `loudness_lufs` of the last three (EBU R 128, short-term)."""

    peak_db: float
    loudness_lufs: float | None = None


class SoundMeter:
    """Takes the lines that one FFmpeg prints; the reader's thread writes, any thread reads."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._level: SoundLevel | None = None
        self._read_at = 0.0
        self._silent_since: float | None = None

    def take(self, line: str) -> bool:
        """Note what the line says; False if it is not one of the meter's."""
        match = _LINE.search(line)
        if match is None:
            return _FRAME.match(line) is not None
        value = max(LOWEST_DB, float(match[2])) if match[2][-1].isdigit() else LOWEST_DB
        if match[1] == _LOUDNESS:
            if self._level is not None:
                self._level = SoundLevel(self._level.peak_db, value)
            return True
        self._read_at = self._clock()
        self._level = SoundLevel(value, self._level.loudness_lufs if self._level else None)
        if value >= NEAR_SILENCE_DB:
            self._silent_since = None
        elif self._silent_since is None:
            self._silent_since = self._read_at
        return True

    def level(self, now: float) -> SoundLevel | None:
        """The newest reading; None if there is none of the last seconds."""
        return self._level if self._level is not None and now - self._read_at < FRESH_S else None

    def silent_s(self, now: float) -> float:
        """How long the sound has been there and silent."""
        return now - self._silent_since if self._silent_since is not None and self.level(now) else 0.0
