"""A test picture that a program can read: a frame counter in blocks, and a flash with a beep every two seconds.

It is encoded once for all drills. Each frame is drawn as 16 by 9 points and
enlarged. The top row is the counter between two marks, the second row the flash.
"""

from __future__ import annotations

import itertools
import math
import struct
import subprocess
import wave
from dataclasses import dataclass
from pathlib import Path

RATE = 30
RECORDED_S = 30
COLUMNS, ROWS = 16, 9
COUNTER_BITS = 12
FLASH_EVERY_FRAMES = 60
FLASH_FRAMES = 6
SOUND_RATE_HZ = 44_100
BEEP_HZ = 1_000
DARK, LIGHT = 40, 215


def counter_row(number: int) -> bytes:
    """A light and a dark mark, the counter's bits, their parity, and the inverse of the marks."""
    bits = [number >> bit & 1 for bit in range(COUNTER_BITS)]
    return bytes(LIGHT if bit else DARK for bit in (1, 0, *bits, sum(bits) % 2, 1 - sum(bits) % 2))


def read_counter(row: bytes) -> int | None:
    """The counter in the averaged blocks of a frame's top row; None if it is another picture."""
    if any(abs(level - DARK) > 60 and abs(level - LIGHT) > 60 for level in row):
        return None
    bits = [level > 128 for level in row]
    number = sum(bit << place for place, bit in enumerate(bits[2 : 2 + COUNTER_BITS]))
    return number if counter_row(number) == bytes(LIGHT if bit else DARK for bit in bits) else None


def write_recording(ffmpeg: str, path: Path, seconds: int, size: str = "1280x720") -> None:
    """An FLV of this length, H.264 without B-frames and AAC."""
    sound = path.with_suffix(".wav")
    _write_beeps(sound, seconds)
    argv = [
        *(ffmpeg, "-y", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{COLUMNS}x{ROWS}"),
        *("-r", str(RATE), "-i", "pipe:0", "-i", str(sound)),
        *("-vf", f"scale={size.replace('x', ':')}:flags=neighbor,format=yuv420p"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", str(RATE), "-b:v", "1500k"),
        *("-c:a", "aac", "-b:a", "96k", "-ac", "1", "-t", str(seconds), "-f", "flv", str(path)),
    ]
    frames = b"".join(_points(number) for number in range(seconds * RATE))
    subprocess.run(argv, input=frames, check=True, timeout=120)
    sound.unlink()


def _points(number: int) -> bytes:
    flash = 235 if number % FLASH_EVERY_FRAMES < FLASH_FRAMES else 20
    points = ((row, column) for row in range(2, ROWS) for column in range(COLUMNS))
    scene = bytes((column * 9 + row * 13 + number * 3) % 160 + 40 for row, column in points)
    return counter_row(number) + bytes([flash]) * COLUMNS + scene


def _write_beeps(path: Path, seconds: int) -> None:
    period, length = FLASH_EVERY_FRAMES * SOUND_RATE_HZ // RATE, FLASH_FRAMES * SOUND_RATE_HZ // RATE
    tone = [round(12_000 * math.sin(2 * math.pi * BEEP_HZ * i / SOUND_RATE_HZ)) for i in range(length)]
    one = struct.pack(f"<{period}h", *tone, *([0] * (period - length)))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SOUND_RATE_HZ)
        file.writeframes(one * (seconds * RATE // FLASH_EVERY_FRAMES))


@dataclass(frozen=True)
class SeenFrame:
    """One decoded frame: its time in its file, its counter if it is the camera's, and whether it flashes."""

    pts_s: float
    counter: int | None
    flashes: bool


def decode_frames(ffmpeg: str, path: Path) -> list[SeenFrame]:
    """Every frame of the file, in the order in which it is shown. Only the two top rows are read."""
    rows = 2
    argv = [
        *(ffmpeg, "-hide_banner", "-nostats", "-copyts", "-i", str(path), "-an", "-vsync", "passthrough"),
        *("-vf", f"crop=iw:ih*{rows}/{ROWS}:0:0,format=gray,{_CENTRES},showinfo"),
        *("-f", "rawvideo", "pipe:1"),
    ]
    ended = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=True)
    said = ended.stderr.splitlines()
    times = [float(line.split(b"pts_time:")[1].split()[0]) for line in said if b"pts_time:" in line]
    size = COLUMNS * rows
    pictures = [ended.stdout[i : i + size] for i in range(0, len(ended.stdout), size)]
    assert len(times) == len(pictures)
    return [
        SeenFrame(pts_s, read_counter(picture[:COLUMNS]), min(picture[COLUMNS:]) > 128)
        for pts_s, picture in zip(times, pictures, strict=True)
    ]


# The average over each block.
_CENTRES = f"scale={COLUMNS}:2:flags=area"


def beep_starts(ffmpeg: str, path: Path) -> list[float]:
    """When each beep of the file begins, in seconds of its time."""
    window = SOUND_RATE_HZ // 200
    argv = [
        *(ffmpeg, "-loglevel", "error", "-copyts", "-i", str(path), "-vn", "-ac", "1", "-ar", str(SOUND_RATE_HZ)),
        # Holes in the sound keep their length.
        *("-af", "aresample=async=1:first_pts=0", "-f", "s16le", "pipe:1"),
    ]
    data = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=True).stdout
    samples = memoryview(data[: len(data) // 2 * 2]).cast("h")
    loud = [max(samples[i : i + window], default=0) > 2_000 for i in range(0, len(samples), window)]
    quiet_windows = 40
    return [
        i * window / SOUND_RATE_HZ
        for i in range(quiet_windows, len(loud))
        if loud[i] and not any(loud[i - quiet_windows : i])
    ]


def flash_starts(frames: list[SeenFrame]) -> list[float]:
    """When each flash begins, in seconds of the file's time."""
    pairs = itertools.pairwise(frames)
    return [later.pts_s for earlier, later in pairs if later.flashes and not earlier.flashes]
