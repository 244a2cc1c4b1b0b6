from __future__ import annotations

import pytest

from media.flv import AUDIO, VIDEO, Findings, FlvReader

HEADER = b"FLV\x01\x05\0\0\0\x09\0\0\0\0"
AVC_CONFIG, AVC_KEY, AVC_FRAME = b"\x17\0\0\0\0", b"\x17\1\0\0\0frame", b"\x27\1\0\0\0frame"
AAC_CONFIG, AAC = b"\xaf\0\x12\x10", b"\xaf\1frame"


def tag(kind: int, time_ms: int, body: bytes) -> bytes:
    time = (time_ms & 0xFFFFFF).to_bytes(3) + (time_ms >> 24).to_bytes(1)
    return bytes([kind]) + len(body).to_bytes(3) + time + b"\0\0\0" + body + (11 + len(body)).to_bytes(4)


def findings_of(*tags: bytes, step: int = 1 << 20) -> Findings:
    reader, data = FlvReader(), HEADER + b"".join(tags)
    for at in range(0, len(data), step):
        reader.take(data[at : at + step])
    return reader.findings


@pytest.mark.parametrize("step", [1, 7, 1 << 20])
def test_what_a_usual_camera_sends(step: int) -> None:
    seen = findings_of(
        tag(18, 0, b"metadata"),
        tag(AUDIO, 0, AAC_CONFIG),
        tag(VIDEO, 0, AVC_CONFIG),
        tag(AUDIO, 0, AAC),
        tag(VIDEO, 0, AVC_KEY),
        tag(AUDIO, 23, AAC),
        tag(VIDEO, 33, AVC_FRAME),
        step=step,
    )
    assert (seen.video, seen.sound, seen.pictures, seen.keyframes) == ("H.264", "AAC", 2, 1)
    assert (seen.picture_s, seen.picture_at_s) == (0.033, 0.033)
    assert seen.sound_ahead_s == pytest.approx(-0.005)
    assert not seen.waits_for_keyframe


@pytest.mark.parametrize(
    ("body", "codec"),
    [
        (b"\x1c\1\0\0\0", "HEVC"),
        (b"\x90hvc1\0", "HEVC"),
        (b"\x91hvc1\0", "HEVC"),
        (b"\xa3av01\0", "AV1"),
        (b"\x91vp09\0", "VP9"),
        (b"\x91avc1\0", "H.264"),
        (b"\x14\0", "VP6"),
        (b"\x1f\0", "format 15"),
        (b"\x91xyz9\0", "xyz9"),
        (b"\x91\0\n<b\0", "an unknown codec"),
        (b"\x91", "an unknown codec"),
    ],
)
def test_a_picture_of_another_codec_is_named(body: bytes, codec: str) -> None:
    assert findings_of(tag(VIDEO, 0, body)).video == codec


@pytest.mark.parametrize(
    ("body", "codec"),
    [
        (b"\xff\1", "format 15"),
        (b"\x91Opus", "Opus"),
        (b"\x90mp4a", "AAC"),
        (b"\x2f\1", "MP3"),
        (b"\xb2\1", "Speex"),
        (b"\x72\1", "G.711"),
    ],
)
def test_a_sound_of_another_codec_is_named(body: bytes, codec: str) -> None:
    assert findings_of(tag(AUDIO, 0, body)).sound == codec


def test_pictures_without_a_keyframe_are_waited_for() -> None:
    frames = [tag(VIDEO, 33 * number, AVC_FRAME) for number in range(60)]
    assert findings_of(*frames).waits_for_keyframe
    assert not findings_of(*frames, tag(VIDEO, 2000, AVC_KEY)).waits_for_keyframe
    assert not findings_of(tag(AUDIO, 0, AAC)).waits_for_keyframe
    assert not findings_of(tag(VIDEO, 0, AVC_CONFIG)).waits_for_keyframe


@pytest.mark.parametrize("apart_ms", [7_200_000, -7_200_000, 3000, 0])
def test_it_says_how_far_the_sound_is_ahead(apart_ms: int) -> None:
    begin = 10_000_000
    tags = []
    for number in range(100):
        tags += [tag(AUDIO, begin + apart_ms + 33 * number, AAC), tag(VIDEO, begin + 33 * number, AVC_FRAME)]
    assert findings_of(*tags).sound_ahead_s == apart_ms / 1000


def test_timestamps_have_32_bits() -> None:
    assert findings_of(tag(VIDEO, 0xFEDC_BA98, AVC_KEY)).picture_at_s == 0xFEDC_BA98 / 1000


def test_what_is_no_picture_counts_as_none() -> None:
    seen = findings_of(tag(VIDEO, 0, b"\x57\0"), tag(VIDEO, 0, b""), tag(AUDIO, 0, b""))
    assert seen == Findings()


def test_what_is_no_flv_is_refused_and_then_left_alone() -> None:
    reader = FlvReader()
    with pytest.raises(ValueError, match="not an FLV"):
        reader.take(b"HTTP/1.1 200 OK")
    reader.give_up()
    reader.take(b"x" * 100)
