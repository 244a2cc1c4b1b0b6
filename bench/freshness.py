"""`make bench-freshness`: how old the picture and the score are when they go on air, and at the viewer.

The service runs as it does for a user. The camera's picture shows the time. The
score changes at irregular moments, first in the feed, which is polled, then by
push. With each change the batting side's colour becomes another grey, so every
frame shows which score it has. A probe behind the compositor's filters reads the
grey of each frame before it is encoded. Everything else is read from what arrives
at the viewer. A bare copy and a bare transcode of the same camera run beside the
service. `--help` has the options.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import random
import subprocess
import sys
import tempfile
import time
from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from bench.clock_camera import CLOCK_MS, ClockCamera, View, decode, with_arrivals
from bench.file_watch import FileWatch
from bench.level_probe import LevelProbe
from bench.loopback import YOUTUBE, leave_in_order
from bench.one_stream import NAME, OneStream, one_stream
from bench.report import Figure, Report, finish, parser, quantile, tell
from bench.rivals import SOUND
from bench.score_marks import Mark, board, changes, delays_s, luma_of, luma_of_grey, marked_box
from demo.match_feed import Answer
from graphics.layout import Box, Canvas, canvas_of
from media.encoders import X264, Encoder
from media.profiles import PROFILES, OutputProfile
from tests.drills.watcher import Watcher
from tests.service import FFMPEG, running
from tests.waiting import eventually

POLL_INTERVAL_S = 1.0
FILE_LIMIT_S = 0.15
PUSH_LIMIT_S = 0.4
OWN_DELAY_LIMIT_S = 0.3
# Longer than the time between two polls, so that no score is skipped.
POLLED_EVERY_S = (1.45, 2.3)
PUSHED_EVERY_S = (0.6, 1.4)
SETTLE_S = 5.0
LAST_SIGHT_S = 3.0
SEED = 7
FRAME_BY_FRAME = ", frame by frame"
SHARES = (0.0, 0.5, 0.95, 1.0)

SERVICE, COPY, TRANSCODE = "service", "bare copy", "bare transcode"


@dataclass
class Found:
    """What one run recorded: the changes of the score, the composited frames, and what each viewer saw and when."""

    began_at: float = 0.0
    polled: list[Mark] = field(default_factory=list)
    pushed: list[Mark] = field(default_factory=list)
    drawn: list[Mark] = field(default_factory=list)
    composited: list[Mark] = field(default_factory=list)
    viewed: dict[str, list[tuple[float, View]]] = field(default_factory=dict)


def main() -> int:
    options = _options()
    leave_in_order()
    profile = PROFILES[options.profile]
    found = measure(profile, options)
    return finish(report_of(found, profile, options), options.document, FFMPEG)


def _options() -> Namespace:
    made = parser("how old the picture and the score are")
    made.add_argument(
        "--profile", default="480p30", choices=PROFILES, help="picture of camera and stream (%(default)s)"
    )
    made.add_argument("--preset", default="veryfast", help="x264's preset (%(default)s)")
    made.add_argument("--polled", type=int, default=45, help="scores that come by poll, 1.9 s each (%(default)s)")
    made.add_argument("--pushed", type=int, default=60, help="scores that are pushed, 1 s each (%(default)s)")
    made.add_argument(
        "--without-probe",
        action="store_true",
        help="to see that the probe costs nothing",
    )
    made.add_argument("--frame", type=Path, help="save a frame that arrived, as a PNG")
    return made.parse_args()


def measure(profile: OutputProfile, options: Namespace) -> Found:
    """Run everything, and read what arrived after all processes have ended."""
    with tempfile.TemporaryDirectory(prefix="bench-freshness-") as name:
        folder = Path(name)
        box = marked_box(canvas_of(profile))
        found = Found()
        with contextlib.ExitStack() as stack:
            viewers = _run(stack, folder, box, profile, options, found)
        for way, viewer in viewers.items():
            tell(f"reads what arrived: {way}")
            found.viewed[way] = viewed(viewer, box, since=found.began_at)
        if options.frame:
            _save_frame(viewers[SERVICE].recording(), options.frame)
    return found


def _run(
    stack: contextlib.ExitStack, folder: Path, box: Box, profile: OutputProfile, options: Namespace, found: Found
) -> dict[str, Watcher]:
    """Run everything until all scores have changed. Returns the viewers."""
    binary = FFMPEG
    if not options.without_probe:
        probe = LevelProbe(FFMPEG, folder, box)
        stack.callback(probe.close)
        found.composited, binary = probe.seen, str(probe.wrapper)
    settings = {"output_profile": profile.name, "x264_preset": options.preset, "poll_interval_s": str(POLL_INTERVAL_S)}
    one = stack.enter_context(one_stream(folder, **settings, ffmpeg_bin=binary))
    one.feed.data = Answer.of(board(0))
    camera = ClockCamera(FFMPEG, one.camera_url, profile)
    stack.callback(camera.close)
    one.begin()
    one.await_on_air("camera")
    viewers = {SERVICE: one.viewer}
    for way, argv in bare_ways(one.camera_url, Encoder(X264, options.preset, ""), profile).items():
        key = way.replace(" ", "-")
        stack.enter_context(running([FFMPEG, *argv, one.rtmp.url(YOUTUBE, key)]))
        viewers[way] = Watcher(one.rtmp.server.port, YOUTUBE, key, folder)
        stack.callback(viewers[way].close)
    eventually(lambda: all(viewer.frames for viewer in viewers.values()), 30, "frames arrive at all viewers")
    time.sleep(SETTLE_S)
    with contextlib.closing(FileWatch(one.overlay_path())) as watch:
        found.began_at = time.monotonic()
        change_scores(one, found, options)
        time.sleep(LAST_SIGHT_S)
        found.drawn = [Mark(at, luma_in(content, box, canvas_of(profile))) for at, content in watch.versions]
    one.service.stop(NAME)
    return viewers


def bare_ways(camera_url: str, encoder: Encoder, profile: OutputProfile) -> dict[str, list[str]]:
    """What one FFmpeg alone would do: arguments without the destination."""
    source = ["-hide_banner", "-nostdin", "-loglevel", "error", "-fpsprobesize", "0", "-analyzeduration", "800000"]
    target = ["-f", "flv", "-flvflags", "no_duration_filesize", "-flush_packets", "1"]
    return {
        COPY: [*source, "-i", camera_url, "-c", "copy", *target],
        TRANSCODE: [*source, "-i", camera_url, *encoder.args(profile), *SOUND, *target],
    }


def change_scores(one: OneStream, found: Found, options: Namespace) -> None:
    """Change the score, first in the feed, because a push suspends the polls for a minute."""
    randomness = random.Random(SEED)  # noqa: S311 - it must repeat

    def poll(number: int) -> None:
        found.polled.append(Mark(time.monotonic(), luma_of(number)))
        one.feed.data = Answer.of(board(number))

    def push(number: int) -> None:
        found.pushed.append(Mark(time.monotonic(), luma_of(number)))
        one.service.call("PUT", f"/streams/{NAME}/match", board(number))

    numbers = itertools.count(1)
    for change, times, every_s in ((poll, options.polled, POLLED_EVERY_S), (push, options.pushed, PUSHED_EVERY_S)):
        tell(f"{times} scores by {change.__name__}")
        for score in itertools.islice(numbers, times):
            change(score)
            time.sleep(randomness.uniform(*every_s))


def luma_in(png: bytes, box: Box, canvas: Canvas) -> int:
    """The luma of the overlay file in the middle of the box."""
    left, top = (box.left + box.right) // 2, (box.top + box.bottom) // 2 - canvas.top
    with Image.open(io.BytesIO(png)) as image:
        return luma_of_grey(image.convert("RGBA").crop((left, top, left + 1, top + 1)).tobytes()[0])


def viewed(viewer: Watcher, box: Box, since: float) -> list[tuple[float, View]]:
    """Each frame that arrived since this time, with its arrival."""
    frames = viewer.between(since)
    found: list[tuple[float, View]] = []
    for segment in sorted({frame.segment for frame in frames}):
        seen = decode(FFMPEG, viewer.recording(segment), box)
        found += with_arrivals((frame for frame in frames if frame.segment == segment), seen)
    return found


def _save_frame(recording: Path, path: Path) -> None:
    argv = [FFMPEG, "-y", "-loglevel", "error", "-sseof", "-5", "-i", str(recording), "-frames:v", "1", str(path)]
    subprocess.run(argv, stdin=subprocess.DEVNULL, check=True, timeout=60)


def camera_arrivals(seen: Sequence[tuple[float, View]]) -> dict[int, float]:
    """When each clock time of the camera arrived first."""
    found: dict[int, float] = {}
    for arrival, view in seen:
        if view.clock_ms is not None:
            found.setdefault(view.clock_ms, arrival)
    return found


def camera_delays_s(arrivals: Mapping[int, float]) -> list[float]:
    """The delay from each clock time to its arrival."""
    return [(arrival * 1000 - clock_ms) % CLOCK_MS / 1000 for clock_ms, arrival in arrivals.items()]


def later_by_s(one: Mapping[int, float], other: Mapping[int, float]) -> list[float]:
    """How much later each frame arrived in `one` than in `other`, for frames that are in both."""
    return [arrival - other[clock_ms] for clock_ms, arrival in one.items() if clock_ms in other]


def report_of(found: Found, profile: OutputProfile, options: Namespace) -> Report:
    scores, lost = score_figures(found)
    arrivals = {way: camera_arrivals(seen) for way, seen in found.viewed.items()}
    report = Report(
        "Freshness",
        [
            f"One {profile.name} stream through the service, x264 {options.preset}, polls every {POLL_INTERVAL_S:g} s,",
            "and beside it the same camera through FFmpeg alone, copied and transcoded.",
            "A probe behind the compositor's filters, before the encoder, shows what is composited.",
        ],
        [*scores, Figure("scores that were not seen", "", [lost], limit=0), *picture_figures(arrivals)],
    )
    report.lines = ["", *median_table(report.figures)]
    report.plot = lambda canvas: draw(canvas, report.figures)
    return report


def score_figures(found: Found) -> tuple[list[Figure], int]:
    """The delays of the score, and how many scores were never seen."""
    seen = [Mark(arrival, view.level) for arrival, view in found.viewed[SERVICE]]
    composited, viewer = ("composited frame", found.composited), ("viewer", seen)
    ways = (
        ("overlay file", changes(found.drawn), composited, FILE_LIMIT_S),  # a banner draws the same score again
        ("push", found.pushed, composited, PUSH_LIMIT_S),
        ("push", found.pushed, viewer, None),
        ("feed change", found.polled, composited, POLL_INTERVAL_S + PUSH_LIMIT_S),
        ("feed change", found.polled, viewer, None),
    )
    figures, lost = [], 0
    for cause, causes, (what, sights), limit in ways:
        if not sights:  # without the probe
            continue
        delays = delays_s(causes, sights)
        lost += delays.count(None)
        if samples := [delay for delay in delays if delay is not None]:
            figures.append(Figure(f"{cause} to {what}", "s", samples, "p95", limit))
    return figures, lost


def picture_figures(arrivals: Mapping[str, Mapping[int, float]]) -> list[Figure]:
    """The delays of the camera's frames, and what the service adds to the delay of FFmpeg alone."""
    figures = [Figure(f"camera to viewer, {way}", "s", camera_delays_s(seen), "p95") for way, seen in arrivals.items()]
    encoder = later_by_s(arrivals[TRANSCODE], arrivals[COPY])
    own = later_by_s(arrivals[SERVICE], arrivals[TRANSCODE])
    return [
        *figures,
        Figure("the encoder's delay: transcode minus copy" + FRAME_BY_FRAME, "s", encoder, "p95"),
        Figure("service minus copy and encoder's delay" + FRAME_BY_FRAME, "s", own, "p95", OWN_DELAY_LIMIT_S),
    ]


def median_table(figures: Sequence[Figure]) -> list[str]:
    timed = [figure for figure in figures if figure.unit]
    rows = [
        f"| {figure.what} | {' | '.join(f'{quantile(figure.samples, share):.3f}' for share in SHARES)} |"
        for figure in timed
    ]
    return ["| in seconds | lowest | median | p95 | highest |", "|---|---|---|---|---|", *rows]


def draw(canvas: Any, figures: Sequence[Figure]) -> None:
    """The share of samples within a time, of the score and of the picture."""
    groups = {"the score": [f for f in figures if " to " in f.what and "camera" not in f.what]}
    groups["the picture"] = [f for f in figures if f.unit and f not in groups["the score"]]
    for axes, (title, group) in zip(canvas.subplots(1, 2), groups.items(), strict=True):
        for figure in group:
            ranked = sorted(figure.samples)
            shares = [place / len(ranked) for place in range(len(ranked) + 1)]
            axes.step([ranked[0], *ranked], shares, label=figure.what.removesuffix(FRAME_BY_FRAME), where="post")
        axes.set(title=title, xlabel="seconds", ylabel="share of samples within", xlim=(0, None), ylim=(0, 1))
        axes.grid(alpha=0.3)
        axes.legend(fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.2), frameon=False, labelspacing=0.2)


if __name__ == "__main__":
    sys.exit(main())
