"""How the picture bench judges what arrived."""

from __future__ import annotations

from typing import Any

import pytest

from bench.picture import CAMERA, SLATE, by_part, property_table
from bench.stream_rules import (
    BOTH,
    Part,
    Property,
    first_keys_s,
    flow_properties,
    header_properties,
    irregular_keys,
    key_distances_s,
    least_level,
    level_of,
    parameter_sets,
    picture_properties,
    set_properties,
    sound_gaps,
    steps_back,
    windows_kbps,
    worst_deviation,
)
from media.profiles import PROFILES
from tests.drills.rtmp import VIDEO, Message
from tests.drills.watcher import Frame

RATE = 30
FRAME_S = 1 / RATE
PROFILE = PROFILES["720p30"]
SPS, PPS, SLICE = b"\x67\x64\x00\x1f\xac", b"\x68\xee", b"\x65\x88\x84"
VIDEO_HEADER = {"codec_type": "video", "codec_name": "h264", "profile": "High", "field_order": "progressive"}
VIDEO_HEADER |= {"r_frame_rate": "30/1", "sample_aspect_ratio": "1:1"}
AUDIO_HEADER = {"codec_type": "audio", "codec_name": "aac", "profile": "LC", "sample_rate": "44100", "channels": 2}
PICTURE: dict[str, Any] = {"width": 1280, "height": 720, "pix_fmt": "yuv420p", "color_range": "tv"}
PICTURE |= dict.fromkeys(("color_primaries", "color_transfer", "color_space"), "bt709")


def frames(count: int, size: int = 1000, key_every: int = 60, start_ms: int = 0) -> list[Frame]:
    """Frames at RATE, with times in whole milliseconds. Keyframes are five times as large."""
    return [
        Frame(at := (start_ms + round(number * 1000 / RATE)) / 1000, at, at, is_key, 0, size * 5 if is_key else size)
        for number in range(count)
        for is_key in [number % key_every == 0]
    ]


def test_every_window_has_the_same_keyframes_although_times_are_rounded() -> None:
    rates = [rate for _, rate in windows_kbps(frames(300, start_ms=17), 2.0, FRAME_S)]
    assert len(rates) == 300 - 60 + 1
    assert set(rates) == {(59 * 1000 + 5000) * 8 / 1000 / 2}


def test_a_window_begins_at_every_frame_with_enough_frames_after_it() -> None:
    assert windows_kbps(frames(59), 2.0, FRAME_S) == []
    assert [at for at, _ in windows_kbps(frames(61), 2.0, FRAME_S)] == [0.0, 0.033]


def test_a_hole_shows_as_a_low_rate() -> None:
    holed = [frame for frame in frames(300, key_every=1000) if not 3 <= frame.dts_s < 4]
    assert min(rate for _, rate in windows_kbps(holed, 2.0, FRAME_S)) == pytest.approx(30 * 8 / 2)


def test_the_worst_deviation_may_be_up_or_down() -> None:
    assert worst_deviation([3900, 4100, 4000], 4000) == pytest.approx(2.5)
    assert worst_deviation([3600, 4100], 4000) == pytest.approx(10)


def test_keyframe_distances_do_not_reach_across_segments() -> None:
    again = [Frame(99, 0.0, 0.0, True, 1), Frame(99, 1.0, 1.0, True, 1)]
    assert [distance for _, distance in key_distances_s([*frames(121), *again])] == [2.0, 2.0, 1.0]


def test_steps_back_and_equal_times_are_counted() -> None:
    assert steps_back([1.0, 1.0, 2.0, 1.5, 3.0]) == (1, 1)


def test_the_first_key_is_the_next_after_each_moment() -> None:
    assert first_keys_s([0.5, 2.0, 50.0], frames(121)) == pytest.approx([1.5, 0.0])


def message(*units: bytes) -> Message:
    return Message(VIDEO, 0, b"\x17\x01\0\0\0" + b"".join(len(unit).to_bytes(4) + unit for unit in units))


def test_parameter_sets_are_found_in_a_keyframe() -> None:
    assert parameter_sets(message(b"\x09\xf0", SPS, PPS, SLICE)) == (SPS, PPS)
    assert level_of((SPS, PPS)) == 31
    assert level_of(()) == 0


@pytest.mark.parametrize(("name", "level"), [("480p30", 31), ("720p30", 31), ("720p60", 32), ("1080p30", 40)])
def test_the_least_level_follows_from_the_picture(name: str, level: int) -> None:
    assert least_level(PROFILES[name]) == level


def wrong(properties: list[Property]) -> list[str]:
    return [one.name for one in properties if not one.is_right]


def test_good_headers_are_right() -> None:
    assert wrong(header_properties([VIDEO_HEADER, AUDIO_HEADER], PROFILE)) == []


def test_what_is_wrong_or_missing_in_the_headers_is_named() -> None:
    found = wrong(header_properties([VIDEO_HEADER | {"profile": "Main"}], PROFILE))
    assert found == ["video: profile", "audio: codec_name", "audio: profile", "audio: sample_rate", "audio: channels"]


def test_a_part_whose_pictures_differ_is_wrong() -> None:
    pictures = {SLATE: [PICTURE], CAMERA: [PICTURE, PICTURE | {"color_range": "pc"}]}
    properties = picture_properties(pictures, PROFILE)
    assert wrong(properties) == ["picture: color_range"]
    assert wrong(picture_properties({SLATE: [PICTURE], CAMERA: []}, PROFILE)) == [one.name for one in properties]


def test_parameter_sets_that_change_are_wrong() -> None:
    other = b"\x67\x64\x00\x33\xac"
    assert wrong(set_properties({SLATE: {(SPS, PPS)}, CAMERA: {(SPS, PPS)}}, 1, PROFILE)) == []
    found = wrong(set_properties({SLATE: {(SPS, PPS)}, CAMERA: {(other, PPS)}}, 2, PROFILE))
    assert found == ["level", "different parameter sets", "announced H.264 configurations"]


def test_keyframes_may_be_closer_while_a_source_begins() -> None:
    begin = frames(120, key_every=10)
    later = frames(600, start_ms=4000)
    assert irregular_keys(Part(SLATE, [*begin, *later], []), FRAME_S) == 0
    assert irregular_keys(Part(SLATE, frames(600, key_every=90), []), FRAME_S) == 5


def test_sound_that_begins_late_or_ends_early_has_gaps() -> None:
    steady = [number * 0.0232 for number in range(173)]
    assert sound_gaps(Part(SLATE, frames(120), steady)) == 0
    assert sound_gaps(Part(SLATE, frames(120), steady[20:-20])) == 2
    assert sound_gaps(Part(SLATE, frames(120), [])) == 1


def test_a_steady_part_flows() -> None:
    steady = Part(SLATE, frames(601), [number * 0.0232 for number in range(863)])
    assert wrong(flow_properties([steady], FRAME_S)) == []


def test_pictures_are_divided_at_the_camera_s_first_keyframe() -> None:
    pictures = [{"pts_time": "1.967"}, {"pts_time": "4.066"}]
    assert by_part(pictures, 4.0) == {SLATE: pictures[:1], CAMERA: pictures[1:]}


def test_the_table_says_what_was_found_in_each_part() -> None:
    rows = property_table([Property.equal("x", "1", {BOTH: "1"}), Property.equal("y", "1", {SLATE: "1", CAMERA: "2"})])
    assert rows[2:] == ["| x | 1 | 1 | 1 | yes |", "| y | 1 | 1 | 2 | NO |"]
