"""The quality of an encode: SSIM with the camera's picture frame by frame, bitrate, and x264's options."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench.rivals import x264_options
from media.profiles import OutputProfile

_SSIM = re.compile(r"^n:\d+ .*\bAll:([\d.]+)", re.MULTILINE)
# With a moving picture it shows if frames are compared with a neighbour by mistake.
SHIFTS = (-1, 1)


@dataclass(frozen=True)
class Quality:
    """Of one encode: SSIM of each frame, mean SSIM with the frames shifted by one, and kbit/s of video."""

    ssim: list[float]
    shifted: list[float]
    frames: int
    kbps: float
    options: dict[str, str]

    @property
    def is_aligned(self) -> bool:
        """True if the frames fit best without a shift."""
        return all(mean(self.ssim) > ssim for ssim in self.shifted)


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def assess(ffmpeg: str, encode: Path, source: Path, profile: OutputProfile, top: int, skip: int) -> Quality:
    """Compare an encode with its source, above line `top` and without the first `skip` frames."""
    frames = parse_frames(_packets(encode))
    shifted = [mean(_ssim(ffmpeg, encode, source, top, skip, shift)) for shift in SHIFTS]
    options = x264_options(_elementary(ffmpeg, encode))
    found = _ssim(ffmpeg, encode, source, top, skip, 0)
    return Quality(found, shifted, len(frames), kbps(frames[skip:], profile.frame_rate), options)


def _ssim(ffmpeg: str, encode: Path, source: Path, top: int, skip: int, shift: int) -> list[float]:
    argv = [ffmpeg, "-nostdin", "-loglevel", "error", "-i", str(encode), "-i", str(source)]
    graph = ssim_filter(top, skip, shift)
    ended = subprocess.run([*argv, "-lavfi", graph, "-f", "null", "-"], check=True, capture_output=True, text=True)
    return parse_ssim(ended.stdout)


def ssim_filter(top: int, skip: int, shift: int) -> str:
    """A filter that compares frames by their numbers, because containers round times in different ways."""
    parts = [
        f"[{place}:v]crop=iw:{top}:0:0,trim=start_frame={begin},settb=1/30,setpts=N[{name}]"
        for place, begin, name in ((0, skip, "encode"), (1, skip + shift, "source"))
    ]
    return ";".join([*parts, "[encode][source]ssim=stats_file=-:shortest=1"])


def parse_ssim(text: str) -> list[float]:
    """The SSIM of all planes of each frame, from the filter's output."""
    return [float(value) for value in _SSIM.findall(text)]


def _packets(path: Path) -> str:
    argv = ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "packet=size", "-of", "csv=p=0"]
    return subprocess.run([*argv, str(path)], check=True, capture_output=True, text=True).stdout


def parse_frames(text: str) -> list[int]:
    """The size of each packet, from ffprobe's output."""
    return [int(line.strip(",")) for line in text.split() if line.strip(",")]


def kbps(sizes: list[int], frame_rate: int) -> float:
    return 8 * sum(sizes) / 1000 / (len(sizes) / frame_rate)


def _elementary(ffmpeg: str, path: Path) -> bytes:
    argv = [ffmpeg, "-nostdin", "-loglevel", "error", "-i", str(path), "-map", "0:v:0", "-c", "copy", "-t", "1"]
    return subprocess.run([*argv, "-f", "h264", "pipe:1"], check=True, capture_output=True).stdout
