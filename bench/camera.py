"""A camera for benches: a moving picture with sensor noise, recorded once and published as a copy."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from media.profiles import GOP_S, OutputProfile

NOISE = "noise=alls=8:allf=t"
# A phone sends somewhat more than the service sends to YouTube.
BITRATE_SHARE = 1.25
# Phones name the colour matrix, too. A picture without tags would count as BT.601 and be converted.
TAGS = ("-color_range", "tv", "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709")


def picture(profile: OutputProfile) -> str:
    """The camera's picture as a source of libavfilter."""
    return f"testsrc2=size={profile.width}x{profile.height}:rate={profile.frame_rate},{NOISE}"


def as_a_phone(profile: OutputProfile) -> list[str]:
    """H.264 as a phone encodes it: constant bitrate, a keyframe every 2 s, no B-frames."""
    rate = f"{round(BITRATE_SHARE * profile.video_bitrate_kbps)}k"
    gop = str(GOP_S * profile.frame_rate)
    control = ["-b:v", rate, "-maxrate", rate, "-bufsize", rate, "-g", gop, "-bf", "0"]
    return ["-c:v", "libx264", "-preset", "veryfast", *control, "-pix_fmt", "yuv420p", *TAGS]


def record(ffmpeg: str, path: Path, profile: OutputProfile, seconds: float, encoder: Sequence[str] = ()) -> None:
    """Record this many seconds at `path`, with sound. `encoder` is `as_a_phone` by default."""
    sources = ["-f", "lavfi", "-i", picture(profile), "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100"]
    encoders = [*(encoder or as_a_phone(profile)), "-c:a", "aac", "-ac", "1"]
    quiet = [ffmpeg, "-nostdin", "-y", "-loglevel", "error"]
    subprocess.run([*quiet, *sources, "-t", str(seconds), *encoders, str(path)], check=True)
