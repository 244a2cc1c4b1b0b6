"""What people's cameras really send: it is on air, or the status says why it is not."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.drills.cameras import ScriptedCamera
from tests.drills.flv import begin_flv, read_flv, write_flv
from tests.drills.rtmp import AUDIO, DATA, VIDEO, Message
from tests.integration.conftest import mean_volume_db, probe, record
from tests.service import FFMPEG, MakeService, Rtmp, Service
from tests.waiting import eventually

Change = Callable[[Message, float], Message]


def with_first_bytes(message: Message, first: bytes, instead_of: int) -> Message:
    return replace(message, payload=first + message.payload[instead_of:])


def unknown_sound(begins_s: float = 0.0) -> Change:
    """Sound format 15, which nobody can decode, from this time on."""

    def change(message: Message, at_s: float) -> Message:
        if message.kind == AUDIO and at_s >= begins_s:
            return with_first_bytes(message, bytes([message.payload[0] & 0x0F | 0xF0]), 1)
        return message

    return change


def opus(message: Message, _at_s: float) -> Message:
    """Enhanced RTMP's way to send Opus."""
    return with_first_bytes(message, b"\x91Opus", 2) if message.kind == AUDIO else message


def old_hevc(message: Message, _at_s: float) -> Message:
    """Codec number 12, as some cameras send HEVC."""
    return with_first_bytes(message, bytes([message.payload[0] & 0xF0 | 12]), 1) if message.kind == VIDEO else message


def new_hevc(message: Message, _at_s: float) -> Message:
    """Enhanced RTMP's way. nginx-rtmp passes none of it on."""
    if message.kind != VIDEO:
        return message
    is_config = message.payload[1:2] == b"\0"
    return with_first_bytes(message, bytes([0x80 | message.payload[0] & 0x70 | (not is_config)]) + b"hvc1", 5)


def sound_at(ahead_s: float) -> Change:
    return lambda message, _at_s: (
        replace(message, time_ms=message.time_ms + round(1000 * ahead_s)) if message.kind == AUDIO else message
    )


@pytest.fixture
def publish(rtmp: Rtmp, recordings: Callable[[str], Path]) -> Callable[..., ScriptedCamera]:
    return lambda change, offset_s=0.0: ScriptedCamera(
        recordings("720p"), rtmp.server.port, "live", "m1", change=change, offset_s=offset_s
    )


def await_status(one: Service, what: str, **expected: Any) -> dict[str, Any]:
    eventually(lambda: expected.items() <= one.status("m1").items(), 30, what)
    return one.status("m1")


@pytest.mark.parametrize(
    ("change", "sound"), [(unknown_sound(), "format 15"), (opus, "Opus")], ids=["format 15", "Opus"]
)
def test_a_sound_that_nobody_can_decode_is_named_and_the_picture_is_on_air(
    service: MakeService, publish: Callable[..., ScriptedCamera], change: Change, sound: str
) -> None:
    one = service()
    one.start("m1")
    with publish(change):
        reason = f"the camera's sound ({sound}) cannot be used: set it to AAC"
        await_status(one, "on air with silence", state="live", on_air="camera", sound="silence", reason=reason)


def test_a_sound_that_changes_in_mid_stream_leaves_the_picture_on_air(
    service: MakeService, publish: Callable[..., ScriptedCamera]
) -> None:
    one = service()
    one.start("m1")
    with publish(unknown_sound(8.0)):
        await_status(one, "on air with sound", on_air="camera", sound="camera")
        reason = "the camera's sound (format 15) cannot be used: set it to AAC"
        status = await_status(one, "on air with silence", on_air="camera", sound="silence", reason=reason)
        assert status["restarts"]["compositor"] == {"sound_lost": 1}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (old_hevc, "the camera sends HEVC: set it to H.264"),
        (new_hevc, "the camera sends sound, but no picture yet: set it to H.264, with a keyframe every 2 s"),
    ],
    ids=["codec 12", "hvc1"],
)
def test_a_camera_whose_picture_cannot_be_shown_is_told_what_to_set(
    service: MakeService, publish: Callable[..., ScriptedCamera], change: Change, reason: str
) -> None:
    one = service()
    one.start("m1")
    with publish(change):
        await_status(one, reason, on_air="slate", reason=reason)


@pytest.mark.parametrize("ahead_s", [7200.0, -7200.0])
def test_sound_and_picture_hours_apart_are_joined(
    service: MakeService, publish: Callable[..., ScriptedCamera], tmp_path: Path, ahead_s: float
) -> None:
    one = service()
    url = one.start("m1")
    with publish(sound_at(ahead_s), offset_s=8000.0):
        await_status(one, "on air with its sound", on_air="camera", sound="camera")
        assert mean_volume_db(record(url, tmp_path / "viewed.flv", 3)) > -40


@pytest.mark.parametrize(("ahead_s", "side"), [(3.0, "ahead of"), (-3.0, "behind")])
def test_sound_that_is_stamped_apart_is_named(
    service: MakeService, publish: Callable[..., ScriptedCamera], ahead_s: float, side: str
) -> None:
    one = service()
    one.start("m1")
    with publish(sound_at(ahead_s), offset_s=10.0):
        reason = f"the camera's sound is 3.0 s {side} its picture"
        await_status(one, reason, on_air="camera", sound="camera", reason=reason)


def test_with_auto_a_camera_of_25_frames_a_second_keeps_its_rate(
    service: MakeService, rtmp: Rtmp, recordings: Callable[[str], Path], tmp_path: Path
) -> None:
    one = service(output_profile="auto", x264_preset="ultrafast")
    url = one.start("m1")
    with ScriptedCamera(recordings("4:3 at 25"), rtmp.server.port, "live", "m1"):
        await_status(one, "live", state="live")
        eventually(lambda: "the stream becomes 720p25" in one.log(), 30)
        eventually(lambda: one.status("m1")["attempts"]["publisher"] == 2, 30)
        await_status(one, "live again", state="live")
        viewed = probe(record(url, tmp_path / "viewed.flv", 3), "-show_streams")["streams"]
        assert "25/1" in [stream["r_frame_rate"] for stream in viewed]
        assert one.status("m1")["restarts"]["publisher"] == {}


def test_the_level_of_the_sound_is_measured_and_silence_is_named(
    service: MakeService, publish: Callable[..., ScriptedCamera], rtmp: Rtmp, tmp_path: Path
) -> None:
    one = service(silence_warn_s="5")
    one.start("m1")
    with publish(lambda message, _at_s: message):  # a sine at an eighth of full scale
        await_status(one, "on air", on_air="camera", sound="camera")
        eventually(lambda: -20 <= (one.status("m1")["sound_level_db"] or 0) <= -16, 20)
        eventually(lambda: -30 <= (one.status("m1")["sound_loudness_lufs"] or 0) <= -16, 20)
        assert "Peak_level=" not in (tmp_path / "logs" / "ffmpeg.log").read_text()
    mute = tmp_path / "mute.flv"
    source = ["-f", "lavfi", "-i", "testsrc2=s=640x360:r=30", "-f", "lavfi", "-i", "anullsrc=r=44100"]
    encode = ["-t", "4", "-c:v", "libx264", "-preset", "ultrafast", "-g", "30", "-c:a", "aac", str(mute)]
    subprocess.run([FFMPEG, "-loglevel", "error", *source, *encode], check=True, timeout=60)
    with ScriptedCamera(mute, rtmp.server.port, "live", "m1"):
        await_status(one, "silent", on_air="camera", sound_level_db=-100.0)
        eventually(lambda: "check the microphone" in (one.status("m1")["reason"] or ""), 20)


def one_after_the_other(first: Path, second: Path, to: Path) -> Path:
    """Both recordings in one, with the second one's codec configurations in the middle."""
    messages = [message for message in read_flv(first) if message.kind != DATA]
    begins_ms = max(message.time_ms for message in messages) + 33
    more = [message for message in read_flv(second) if message.kind != DATA]
    with to.open("wb") as file:
        begin_flv(file)
        for message in [*messages, *(replace(one, time_ms=one.time_ms + begins_ms) for one in more)]:
            write_flv(file, message)
    return to


def stereo(folder: Path) -> Path:
    """A camera whose sound is 48 kHz in stereo."""
    path = folder / "stereo.flv"
    picture, sound = "testsrc2=s=1280x720:r=30", "sine=f=880:r=48000,aformat=channel_layouts=stereo"
    encode = ["-t", "4", "-c:v", "libx264", "-preset", "ultrafast", "-g", "30", "-c:a", "aac", str(path)]
    argv = [FFMPEG, "-loglevel", "error", "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound, *encode]
    subprocess.run(argv, check=True, timeout=60)
    return path


@pytest.mark.parametrize("change", ["turning phone", "another AAC"])
def test_a_camera_that_changes_its_format_in_mid_stream_stays_or_comes_back(
    service: MakeService, rtmp: Rtmp, recordings: Callable[[str], Path], tmp_path: Path, change: str
) -> None:
    second = recordings("portrait") if change == "turning phone" else stereo(tmp_path)
    both = one_after_the_other(recordings("720p"), second, tmp_path / "both.flv")
    one = service()
    url = one.start("m1")
    with ScriptedCamera(both, rtmp.server.port, "live", "m1") as phone:
        await_status(one, "on air", on_air="camera", sound="camera")
        record(url, tmp_path / "viewed.flv", 10)  # two changes at least
        await_status(one, "on air", on_air="camera", sound="camera")
        assert phone.error is None
    assert one.status("m1")["attempts"]["publisher"] == 1
    assert mean_volume_db(tmp_path / "viewed.flv") > -40


def test_timestamps_that_wrap_cost_a_moment(
    service: MakeService, publish: Callable[..., ScriptedCamera], tmp_path: Path
) -> None:
    one = service()
    one.start("m1")
    with publish(lambda message, _at_s: message, offset_s=2**32 / 1000 - 6):  # a camera that runs for 49.7 days
        await_status(one, "on air", on_air="camera", sound="camera")
        time.sleep(8)  # the wrap is in there
        await_status(one, "on air", on_air="camera", sound="camera")
    assert one.status("m1")["attempts"]["publisher"] == 1
