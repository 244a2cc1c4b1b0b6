"""YouTube's rules for a stream, and whether the received stream keeps them. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from media.profiles import AUDIO_CHANNELS, AUDIO_RATE_HZ, GOP_S, OutputProfile
from tests.drills.rtmp import VIDEO_HEAD, Message
from tests.drills.watcher import Frame

BOTH = "both"
SPS, PPS = 7, 8
_NAL_TYPE = 0x1F
# A source begins with keyframes at shorter distances, so that it can go on air quickly.
KEYS_SETTLE_S = 6.0
SOUND_GAP_S = 0.1
HIGHEST_LEVEL = 42
# H.264, table A-1: level, macroblocks a second, macroblocks a frame, kbit/s in High profile.
_LEVELS = (
    (30, 40_500, 1_620, 12_500),
    (31, 108_000, 3_600, 17_500),
    (32, 216_000, 5_120, 25_000),
    (40, 245_760, 8_192, 25_000),
    (42, 522_240, 8_704, 62_500),
)


@dataclass(frozen=True)
class Part:
    """What arrived while one source was on air. `sounds` are times in seconds."""

    name: str
    frames: Sequence[Frame]
    sounds: Sequence[float]


@dataclass(frozen=True)
class Property:
    """A property that the stream must have, and what was found in each part, or in BOTH."""

    name: str
    wanted: str
    found: Mapping[str, str]
    is_right: bool

    @staticmethod
    def equal(name: str, wanted: str, found: Mapping[str, str]) -> Property:
        return Property(name, wanted, found, all(value == wanted for value in found.values()))


def windows_kbps(frames: Sequence[Frame], window_s: float, frame_s: float) -> list[tuple[float, float]]:
    """The beginning (decoding time) and kbit/s of each window of this length; one begins at every frame.

    The edges are midway between frames. Times are in whole milliseconds, and a
    keyframe must not be in or out of a window because of rounding.
    """
    found, end, size = [], 0, 0
    for frame in frames:
        until_s = frame.dts_s + window_s - frame_s / 2
        while end < len(frames) and frames[end].dts_s < until_s:
            size += frames[end].size
            end += 1
        if end == len(frames) and frames[-1].dts_s + frame_s < until_s:
            break
        found.append((frame.dts_s, size * 8 / 1000 / window_s))
        size -= frame.size
    return found


def worst_deviation(rates_kbps: Iterable[float], wanted_kbps: float) -> float:
    """In percent of the wanted rate. Raises ValueError if there are no rates."""
    return max(abs(rate / wanted_kbps - 1) for rate in rates_kbps) * 100


def key_distances_s(frames: Iterable[Frame]) -> list[tuple[float, float]]:
    """For each keyframe except the first of a segment: its decoding time, and the distance from the one before."""
    pairs = itertools.pairwise(frame for frame in frames if frame.key)
    return [(after.dts_s, after.dts_s - before.dts_s) for before, after in pairs if before.segment == after.segment]


def steps_back(times_s: Sequence[float]) -> tuple[int, int]:
    """How often a time is lower than the one before, and how often the same."""
    pairs = list(itertools.pairwise(times_s))
    return sum(after < before for before, after in pairs), sum(after == before for before, after in pairs)


def first_keys_s(published: Iterable[float], frames: Sequence[Frame]) -> list[float]:
    """The time from each of these moments to the arrival of the next keyframe."""
    keys = [frame.arrival for frame in frames if frame.key]
    nexts = ((at, next((key for key in keys if key >= at), None)) for at in published)
    return [key - at for at, key in nexts if key is not None]


def nal_units(message: Message) -> Iterator[bytes]:
    """The NAL units of an H.264 message that is no configuration. Each follows its length."""
    at, data = VIDEO_HEAD, message.payload
    while at + 4 <= len(data):
        length = int.from_bytes(data[at : at + 4])
        yield data[at + 4 : at + 4 + length]
        at += 4 + length


def parameter_sets(message: Message) -> tuple[bytes, ...]:
    """SPS and PPS of a keyframe."""
    return tuple(unit for unit in nal_units(message) if unit and unit[0] & _NAL_TYPE in (SPS, PPS))


def level_of(sets: Iterable[bytes]) -> int:
    """The level in the SPS, times ten; 0 without an SPS."""
    return next((unit[3] for unit in sets if unit[0] & _NAL_TYPE == SPS), 0)


def least_level(profile: OutputProfile) -> int:
    """The lowest level that allows this picture, times ten."""
    blocks = -(-profile.width // 16) * -(-profile.height // 16)
    need = (blocks * profile.frame_rate, blocks, profile.video_bitrate_kbps)
    return next(level for level, *most in _LEVELS if all(a <= b for a, b in zip(need, most, strict=True)))


def header_properties(streams: Sequence[Mapping[str, Any]], profile: OutputProfile) -> list[Property]:
    """Properties from ffprobe's data on both tracks."""
    by_kind = {stream["codec_type"]: stream for stream in streams}
    wanted = {
        "video": {"codec_name": "h264", "profile": "High", "field_order": "progressive"}
        | {"r_frame_rate": f"{profile.frame_rate}/1", "sample_aspect_ratio": "1:1"},
        "audio": {"codec_name": "aac", "profile": "LC"}
        | {"sample_rate": str(AUDIO_RATE_HZ), "channels": str(AUDIO_CHANNELS)},
    }
    return [
        Property.equal(f"{kind}: {name}", value, {BOTH: str(by_kind.get(kind, {}).get(name, "-"))})
        for kind, all_of_it in wanted.items()
        for name, value in all_of_it.items()
    ]


def picture_properties(pictures: Mapping[str, Sequence[Mapping[str, Any]]], profile: OutputProfile) -> list[Property]:
    """Properties from ffprobe's data on each part's decoded keyframes."""
    wanted = {"width": str(profile.width), "height": str(profile.height), "pix_fmt": "yuv420p", "color_range": "tv"}
    wanted |= dict.fromkeys(("color_primaries", "color_transfer", "color_space"), "bt709")
    return [
        Property.equal(f"picture: {name}", value, {part: _all_of(seen, name) for part, seen in pictures.items()})
        for name, value in wanted.items()
    ]


def _all_of(seen: Iterable[Mapping[str, Any]], name: str) -> str:
    return ", ".join(sorted({str(one.get(name, "-")) for one in seen})) or "-"


def set_properties(sets: Mapping[str, set[tuple[bytes, ...]]], configs: int, profile: OutputProfile) -> list[Property]:
    """Properties of the parameter sets in each part's keyframes, and of the announced configurations."""
    levels = {part: {level_of(one) for one in found} for part, found in sets.items()}
    least = least_level(profile)
    shown = {part: ", ".join(f"{level / 10:.1f}" for level in sorted(found)) for part, found in levels.items()}
    are_fit = all(found and all(least <= level <= HIGHEST_LEVEL for level in found) for found in levels.values())
    return [
        Property("level", f"{least / 10:.1f} to {HIGHEST_LEVEL / 10:.1f}", shown, are_fit),
        Property.equal("different parameter sets", "1", {BOTH: str(len(set().union(*sets.values())))}),
        Property.equal("announced H.264 configurations", "1", {BOTH: str(configs)}),
    ]


def flow_properties(parts: Iterable[Part], frame_s: float) -> list[Property]:
    """Whether keyframes are regular after a source has begun, and whether its sound has no gaps."""
    parts = list(parts)
    keys = {part.name: irregular_keys(part, frame_s) for part in parts}
    return [
        _none_of(f"keyframes that are not {GOP_S} s after the one before", keys),
        _none_of(f"gaps in the sound over {SOUND_GAP_S:g} s", {part.name: sound_gaps(part) for part in parts}),
    ]


def _none_of(name: str, counts: Mapping[str, int]) -> Property:
    return Property.equal(name, "0", {part: str(count) for part, count in counts.items()})


def irregular_keys(part: Part, frame_s: float) -> int:
    """The number of keyframes at a wrong distance, without the first seconds of the source."""
    since_s = part.frames[0].dts_s + KEYS_SETTLE_S if part.frames else 0.0
    late = (distance_s for at_s, distance_s in key_distances_s(part.frames) if at_s >= since_s)
    return sum(abs(distance_s - GOP_S) > frame_s / 2 for distance_s in late)


def sound_gaps(part: Part) -> int:
    """The number of long gaps in the sound, also before its first and after its last sample."""
    if not part.frames:
        return 1
    times_s = [part.frames[0].dts_s, *part.sounds, part.frames[-1].dts_s]
    return sum(after - before > SOUND_GAP_S for before, after in itertools.pairwise(times_s))
