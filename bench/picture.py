"""`make bench-picture`: whether the received stream keeps YouTube's rules, with the slate and with the camera.

One stream runs first without a camera, then with a noisy, moving picture that is
hard to encode. Every message that arrives is recorded. Afterwards the publisher is
killed a few times, to see how soon the next one sends a keyframe. `--help` has the
options.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.loopback import leave_in_order
from bench.one_stream import NAME, OneStream, one_stream
from bench.report import Figure, Report, finish, parser, tell
from bench.score_marks import board
from bench.stream_rules import (
    Part,
    Property,
    first_keys_s,
    flow_properties,
    header_properties,
    key_distances_s,
    parameter_sets,
    picture_properties,
    set_properties,
    steps_back,
    windows_kbps,
    worst_deviation,
)
from demo.match_feed import Answer
from media.profiles import GOP_S, PROFILES, OutputProfile
from tests.drills.cameras import FFmpegCamera
from tests.drills.flv import read_flv
from tests.drills.watcher import Watcher
from tests.service import FFMPEG
from tests.waiting import eventually

MAX_KEY_DISTANCE_S = 4.0
FIRST_KEY_LIMIT_S = 2.0
LONG_WINDOW_S, LONG_LIMIT = 30.0, 5.0
SHORT_WINDOW_S, SHORT_LIMIT = 2.0, 35.0
CAMERA_S = 10
FLOWS_LIMIT_S = 30.0
AGAIN_S = 3.0
# The API reports a handover before its keyframe has gone through the publisher.
HANDOVER_S = 0.05
SLATE, CAMERA, HANDOVER = "slate", "camera", "handover"
PUBLISHER = "pipe:0"


@dataclass
class Found:
    """What one run recorded. `pictures` and `sets` are those of each part's keyframes.

    The time until the first keyframe counts from the publish (`first_keys_s`), or from the start of the
    publisher's process (`whole_starts_s`).
    """

    parts: list[Part] = field(default_factory=list)
    handover: Part = field(default_factory=lambda: Part(HANDOVER, [], []))
    headers: list[dict[str, Any]] = field(default_factory=list)
    pictures: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    sets: dict[str, set[tuple[bytes, ...]]] = field(default_factory=dict)
    configs: int = 0
    key_distances_s: list[float] = field(default_factory=list)
    backward: int = 0
    first_keys_s: list[float] = field(default_factory=list)
    whole_starts_s: list[float] = field(default_factory=list)


def main() -> int:
    options = _options()
    leave_in_order()
    profile = PROFILES[options.profile]
    return finish(report_of(measure(profile, options), profile, options), options.document, FFMPEG)


def _options() -> Namespace:
    made = parser("whether the received stream keeps YouTube's rules")
    made.add_argument(
        "--profile", default="720p30", choices=PROFILES, help="picture of camera and stream (%(default)s)"
    )
    made.add_argument("--preset", default="veryfast", help="x264's preset (%(default)s)")
    made.add_argument("--seconds", type=float, default=40, help="of slate and of camera (%(default)s)")
    made.add_argument("--publishers", type=int, default=3, help="how many are killed afterwards (%(default)s)")
    made.add_argument("--keep", type=Path, help="keep the recording in this file")
    return made.parse_args()


def measure(profile: OutputProfile, options: Namespace) -> Found:
    """Run everything, and read what arrived after all processes have ended."""
    with tempfile.TemporaryDirectory(prefix="bench-picture-") as name:
        folder = Path(name)
        recording = folder / "camera.flv"
        write_camera(recording, profile)
        with contextlib.ExitStack() as stack:
            one = stack.enter_context(
                one_stream(folder, output_profile=profile.name, x264_preset=options.preset, poll_interval_s="1.0")
            )
            handover_at, ended_at, started_at = _run(stack, one, recording, options)
        found = look_at(one.viewer, handover_at, ended_at)
        found.first_keys_s = first_keys_s([at for at, _ in one.published], one.viewer.frames)
        found.whole_starts_s = first_keys_s(started_at, one.viewer.frames)
        if options.keep:
            one.viewer.recording(0).rename(options.keep)
    return found


def write_camera(path: Path, profile: OutputProfile) -> None:
    """Write CAMERA_S of a moving picture with sensor noise, and a tone."""
    picture = f"testsrc2=size={profile.width}x{profile.height}:rate={profile.frame_rate},noise=alls=8:allf=t"
    argv = [
        *(FFMPEG, "-nostdin", "-loglevel", "error", "-f", "lavfi", "-i", picture),
        *("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100", "-t", str(CAMERA_S)),
        *("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", str(profile.frame_rate)),
        *("-crf", "23", "-pix_fmt", "yuv420p", "-c:a", "aac", "-ac", "1", str(path)),
    ]
    subprocess.run(argv, stdin=subprocess.DEVNULL, check=True, timeout=300)


def _run(
    stack: contextlib.ExitStack, one: OneStream, recording: Path, options: Namespace
) -> tuple[float, float, list[float]]:
    """Slate, camera, and some more publishers.

    Returns when the camera came on air, when its part ended, and when each publisher's process began.
    """
    one.feed.data = Answer.of(board(0))
    one.begin()
    eventually(lambda: one.viewer.frames, FLOWS_LIMIT_S, "the slate arrives")
    started_at = [_publisher_began_at(one)]
    tell(f"{options.seconds:g} s of slate")
    time.sleep(options.seconds)
    stack.enter_context(FFmpegCamera(FFMPEG, recording, one.camera_url))
    handover_at = one.await_on_air("camera") - HANDOVER_S
    tell(f"{options.seconds:g} s of camera")
    time.sleep(options.seconds)
    ended_at = time.monotonic()
    for _ in range(options.publishers):
        tell("another publisher")
        _replace_publisher(one)
        started_at.append(_publisher_began_at(one))
    one.service.stop(NAME)
    return handover_at, ended_at, started_at


def _replace_publisher(one: OneStream) -> None:
    before = len(one.published)
    for pid in one.service.children(PUBLISHER):
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: len(one.published) > before, FLOWS_LIMIT_S, "another publisher comes")
    published_at = one.published[-1][0]
    eventually(lambda: one.viewer.between(published_at), FLOWS_LIMIT_S, "its picture arrives")
    time.sleep(AGAIN_S)


def _publisher_began_at(one: OneStream) -> float:
    """In the time of time.monotonic(). The kernel counts hundredths of a second since boot."""
    (pid,) = one.service.children(PUBLISHER)
    ticks = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    return ticks / os.sysconf("SC_CLK_TCK") + time.monotonic() - time.clock_gettime(time.CLOCK_BOOTTIME)


def look_at(viewer: Watcher, handover_at: float, ended_at: float) -> Found:
    """Read both parts of the first publisher's recording, and check the order of times."""
    frames = [frame for frame in viewer.between(0, ended_at) if frame.segment == 0]
    first_of_camera = next(place for place, frame in enumerate(frames) if frame.key and frame.arrival >= handover_at)
    camera_at, camera_s = frames[first_of_camera].arrival, frames[first_of_camera].dts_s
    sounds = [sound for sound in viewer.sounds if frames[0].arrival <= sound[0] <= ended_at]
    found = Found(configs=len(viewer.configs), key_distances_s=[distance for _, distance in key_distances_s(frames)])
    found.parts = [
        Part(SLATE, frames[:first_of_camera], [time_s for at, time_s in sounds if at < camera_at]),
        Part(CAMERA, frames[first_of_camera:], [time_s for at, time_s in sounds if at >= camera_at]),
    ]
    around = [frame for frame in frames if abs(frame.dts_s - camera_s) <= SHORT_WINDOW_S]
    found.handover = Part(HANDOVER, around, [])
    found.backward = steps_back([frame.dts_s for frame in frames])[0] + steps_back([time_s for _, time_s in sounds])[0]
    recording = viewer.recording(0)
    found.headers = _ffprobe(recording, "-show_streams")["streams"]
    found.pictures = by_part(_key_pictures(recording), camera_s)
    for message in read_flv(recording):
        if message.is_key and not message.is_config:
            part = CAMERA if message.time_ms >= camera_s * 1000 else SLATE
            found.sets.setdefault(part, set()).add(parameter_sets(message))
    return found


def _key_pictures(recording: Path) -> list[dict[str, Any]]:
    entries = "pts_time,width,height,pix_fmt,color_range,color_primaries,color_transfer,color_space"
    asked = ("-select_streams", "v:0", "-skip_frame", "nokey", "-show_entries", f"frame={entries}")
    frames: list[dict[str, Any]] = _ffprobe(recording, *asked)["frames"]
    return frames


def _ffprobe(path: Path, *what: str) -> dict[str, Any]:
    ffprobe = str(Path(FFMPEG).with_name("ffprobe"))
    argv = [ffprobe, "-loglevel", "error", "-of", "json", *what, str(path)]
    answer: dict[str, Any] = json.loads(subprocess.run(argv, capture_output=True, check=True, timeout=300).stdout)
    return answer


def by_part(pictures: Sequence[dict[str, Any]], camera_s: float) -> dict[str, list[dict[str, Any]]]:
    """The pictures of the slate and of the camera, which begins at this time."""
    found: dict[str, list[dict[str, Any]]] = {SLATE: [], CAMERA: []}
    for picture in pictures:
        found[CAMERA if float(picture["pts_time"]) >= camera_s else SLATE].append(picture)
    return found


def properties_of(found: Found, profile: OutputProfile) -> list[Property]:
    return [
        *header_properties(found.headers, profile),
        *picture_properties(found.pictures, profile),
        *set_properties(found.sets, found.configs, profile),
        *flow_properties(found.parts, 1 / profile.frame_rate),
    ]


def report_of(found: Found, profile: OutputProfile, options: Namespace) -> Report:
    properties = properties_of(found, profile)
    wrong = [one.name for one in properties if not one.is_right]
    figures = [
        *[rate_figure(part, profile, LONG_WINDOW_S, LONG_LIMIT) for part in found.parts],
        *[rate_figure(part, profile, SHORT_WINDOW_S, SHORT_LIMIT) for part in (*found.parts, found.handover)],
        Figure(
            "longest keyframe distance, handover included", "s", [max(found.key_distances_s)], limit=MAX_KEY_DISTANCE_S
        ),
        Figure("publish to first keyframe at the viewer", "s", found.first_keys_s, "p95", FIRST_KEY_LIMIT_S),
        Figure(
            "publisher's process to first keyframe at the viewer",
            "s",
            found.whole_starts_s,
            "p95",
            why=f"it begins with the next keyframe, which may be {GOP_S} s away",
        ),
        Figure("steps back in time", "", [found.backward], limit=0),
        Figure("wrong properties", "", [len(wrong)], limit=0, why=", ".join(wrong)),
    ]
    report = Report(
        "Picture",
        [
            f"What the viewer received of one {profile.name} stream, x264 {options.preset}: {options.seconds:g} s of",
            f"slate, {options.seconds:g} s of a noisy, moving camera, then {options.publishers} more publishers. The",
            "video's bitrate is that of its NAL units, filler included, in every window of media time.",
        ],
        figures,
    )
    report.lines = ["", *property_table(properties)]
    report.plot = lambda canvas: draw(canvas, found.parts, profile)
    return report


def rate_figure(part: Part, profile: OutputProfile, window_s: float, limit: float) -> Figure:
    rates = [rate for _, rate in windows_kbps(part.frames, window_s, 1 / profile.frame_rate)]
    what = f"{part.name}: largest deviation from {profile.video_bitrate_kbps} kbit/s in {window_s:g} s"
    return Figure(what, "%", [worst_deviation(rates, profile.video_bitrate_kbps)], limit=limit)


def property_table(properties: Sequence[Property]) -> list[str]:
    rows = [
        f"| {one.name} | {one.wanted} | {' | '.join(_cell(one.found, part) for part in (SLATE, CAMERA))} |"
        f" {'yes' if one.is_right else 'NO'} |"
        for one in properties
    ]
    return ["| property | wanted | slate | camera | right |", "|---|---|---|---|---|", *rows]


def _cell(found: Mapping[str, str], part: str) -> str:
    return found.get(part) or ", ".join(found.values())


def draw(canvas: Any, parts: Sequence[Part], profile: OutputProfile) -> None:
    """The kbit/s of each window of SHORT_WINDOW_S, over media time."""
    axes = canvas.subplots()
    wanted = profile.video_bitrate_kbps
    begin_s = parts[0].frames[0].dts_s
    for part in parts:
        rates = windows_kbps(part.frames, SHORT_WINDOW_S, 1 / profile.frame_rate)
        axes.plot([at_s - begin_s for at_s, _ in rates], [rate for _, rate in rates], label=part.name)
    axes.axhline(wanted, color="grey", linewidth=0.8)
    axes.axhspan(wanted * (1 - SHORT_LIMIT / 100), wanted * (1 + SHORT_LIMIT / 100), color="grey", alpha=0.12)
    axes.set(xlabel="seconds", ylabel=f"kbit/s in {SHORT_WINDOW_S:g} s", ylim=(0, wanted * 1.6))
    axes.legend()


if __name__ == "__main__":
    sys.exit(main())
