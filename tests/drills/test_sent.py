"""What cameras send: a sound that nobody can decode, colours that are not described, a sound clock that is fast."""

from __future__ import annotations

import subprocess
import time
from array import array
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

import ffmpeg
from graphics.layout import canvas_of
from media.encoders import X264, Encoder
from media.profiles import PROFILES
from overlay import OverlayFile
from tests.drills.drill import Drill
from tests.drills.flv import begin_flv, read_flv, write_flv
from tests.drills.report import Row
from tests.drills.rtmp import AUDIO, Message
from tests.drills.test_camera import fill
from tests.service import FFMPEG

UNKNOWN_SOUND_LIMIT_S = 5
COLOUR_STEPS = 2
LIP_SYNC_LIMIT_S = 0.08
SENT_RGB, SENT_YUV = "0x79473c", (86, 117, 148)  # the second by BT.709 in studio range
FAST, MINUTES, BEEPS_EVERY_S = 1.001, 4, 10
RATE_HZ = 8000


def opus(message: Message, _at_s: float) -> Message:
    return replace(message, payload=b"\x91Opus" + message.payload[2:]) if message.kind == AUDIO else message


@pytest.mark.long
def test_a_sound_that_nobody_can_decode(drill: Drill) -> None:
    limit_s = UNKNOWN_SOUND_LIMIT_S
    row = drill.row("camera's sound is Opus, which this FFmpeg cannot read", f"on air with silence in {limit_s} s")
    drill.begin(hooks=True)
    drill.await_on_air("slate")
    drill.observe()
    came = time.monotonic()
    drill.scripted_camera(change=opus)
    row.normal_s = drill.await_on_air("camera") - came
    drill.observe()
    fill(row, drill, came)
    row.notes.append(f"reason: {drill.snapshot()['reason']}")
    row.hold("on air", row.normal_s, limit_s)
    row.hold_one_connection()
    assert drill.snapshot()["sound"] == "silence"
    drill.end(row)


@pytest.mark.long
def test_colours_that_are_not_described(drill: Drill) -> None:
    row = drill.row("camera in HD does not describe its colours", f"colours within {COLOUR_STEPS} steps")
    recording = drill.folder / "flat.flv"
    convert = "format=rgb24,scale=out_color_matrix=bt709:out_range=tv,format=yuv420p"
    source = f"color=c={SENT_RGB}:s=1280x720:r=30:d=4,{convert}"
    encode = ["-c:v", "libx264", "-preset", "ultrafast", "-qp", "4", "-g", "30", str(recording)]
    subprocess.run([FFMPEG, "-loglevel", "error", "-f", "lavfi", "-i", source, *encode], check=True, timeout=60)
    drill.begin()
    began = time.monotonic()
    drill.camera(recording)
    drill.await_on_air("camera")
    drill.observe()
    profile = PROFILES["480p30"]
    size = profile.width * profile.height
    argv = [FFMPEG, "-loglevel", "error", "-i", drill.youtube.url(drill.key), "-frames:v", "1", "-f", "rawvideo", "-"]
    frame = subprocess.run(argv, check=True, capture_output=True, timeout=60).stdout
    x, y = profile.width // 2, profile.height // 3
    chroma = (y // 2) * (profile.width // 2) + x // 2
    seen = (frame[y * profile.width + x], frame[size + chroma], frame[size + size // 4 + chroma])
    fill(row, drill, began)
    steps = max(abs(got - sent) for got, sent in zip(seen, SENT_YUV, strict=True))
    row.notes.append(f"Y, U, V sent {SENT_YUV}, received {seen}")
    row.hold("colours", steps, COLOUR_STEPS, "steps")
    row.hold_one_connection()
    drill.end(row)


def onsets_s(pcm: bytes) -> list[float]:
    """When each beep begins."""
    samples, found, last = array("h", pcm), [], -RATE_HZ
    for index, sample in enumerate(samples):
        if abs(sample) > 4000:
            if index - last > RATE_HZ:
                found.append(index / RATE_HZ)
            last = index
    return found


@pytest.mark.long
def test_a_sound_clock_that_is_fast(tmp_path: Path, add_row: Callable[[Row], None]) -> None:
    """More samples come than fit into the time that their stamps say."""
    row = Row("camera's sound clock is 0.1 % fast", f"lip sync within {1000 * LIP_SYNC_LIMIT_S:.0f} ms")
    add_row(row)
    recording, stamped = tmp_path / "beeps.flv", tmp_path / "stamped.flv"
    beeps = f"aevalsrc='if(lt(mod(t,{BEEPS_EVERY_S}),0.1),0.5*sin(2*PI*1000*t),0)':s=44100:d={60 * MINUTES}"
    picture = f"color=c=gray:s=64x36:r=30:d={60 * MINUTES}"
    encode = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "60", "-c:a", "aac", str(recording)]
    inputs = ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", beeps]
    subprocess.run([FFMPEG, "-loglevel", "error", *inputs, *encode], check=True, timeout=300)
    with stamped.open("wb") as file:
        begin_flv(file)
        for message in read_flv(recording):
            is_sound = message.kind == AUDIO
            time_ms = round(message.time_ms / FAST) if is_sound else message.time_ms
            write_flv(file, replace(message, time_ms=time_ms))
    profile = PROFILES["480p30"]
    canvas = canvas_of(profile)
    overlay = OverlayFile(tmp_path / "overlay.png")
    overlay.write(Image.new("RGBA", (canvas.width, canvas.height), (0, 0, 0, 0)))
    argv = ffmpeg.compositor_args(str(stamped), overlay.path, canvas, profile, Encoder(X264, "ultrafast", ""))
    made = tmp_path / "made.ts"
    with made.open("wb") as file:
        subprocess.run([FFMPEG, *argv], check=True, stdout=file, stderr=subprocess.DEVNULL, timeout=300)
    decode = [FFMPEG, "-loglevel", "error", "-i", str(made), "-vn", "-ac", "1", "-ar", str(RATE_HZ), "-f", "s16le", "-"]
    heard = onsets_s(subprocess.run(decode, check=True, capture_output=True, timeout=300).stdout)
    errors = [at - heard[0] - number * BEEPS_EVERY_S / FAST for number, at in enumerate(heard)]
    worst = max(map(abs, errors))
    row.notes.append(f"{1000 * worst:.0f} ms at most in {MINUTES} minutes, {len(heard)} beeps")
    row.left = "nothing"
    row.hold("lip sync", worst, LIP_SYNC_LIMIT_S)
    assert len(heard) >= 6 * MINUTES - 1
