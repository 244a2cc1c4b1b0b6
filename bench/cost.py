"""`make bench-cost`: CPU of one stream on air, compared with other ways to do the same job.

The service relays a camera with a changing score, and all its processes count. At
the same time a bare FFmpeg transcodes the same camera to the same profile, with
the same encoder settings and no overlay. Each window gives a pair. After that the
one-liner with a full-frame picture and GStreamer take the place of the service.

Then each of them encodes the same recording from file to file, and the result is
compared with the recording frame by frame. `--help` has the options.
"""

from __future__ import annotations

import contextlib
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import ffmpeg
from bench import camera, rivals
from bench.cpu import cpu_of, own_s, reaped_s, tree_s
from bench.loopback import LIVE, YOUTUBE, FrameCounter, Loopback, loopback, statuses
from bench.quality import Quality, assess, mean
from bench.report import Figure, Report, finish, number, parser, quantile, tell
from demo import boards
from graphics.drawing import draw_scene
from graphics.layout import canvas_of
from media.encoders import X264, X264_PRESETS, Encoder
from media.profiles import PROFILES, OutputProfile
from overlay import OverlayFile
from tests.drills.cameras import FFmpegCamera
from tests.service import FFMPEG, Service, running
from tests.waiting import eventually

LIMIT_RATIO = 1.10
NAME = "m1"
RECORDED_S = 12
# The service's extra keyframes at the start take bits, which are soon made up for.
SKIPPED_S = 4
BEGINS_LIMIT_S = 30
TRIES = 3
# FFmpeg begins with a backlog from probing its input, for 5 s by default.
SETTLES_S = 8.0
OURS, BARE, ONE_LINER, GSTREAMER = "this service", "bare transcode", "one-liner", "GStreamer"
OTHERS = (OURS, ONE_LINER, GSTREAMER)
PARTS = ("compositor", "publisher", "Python", "rest")
COLORS = ("#1f6feb", "#db6d28", "#2da44e")

Spent = dict[str, float]  # CPU seconds by part


@dataclass(frozen=True)
class Sample:
    """How much CPU a pipeline has taken up to a moment, and how many frames have arrived from it."""

    spent: Spent
    frames: int


@dataclass(frozen=True)
class Pipeline:
    """A pipeline on air."""

    spent: Callable[[], Spent]
    counter: FrameCounter

    def sample(self) -> Sample:
        return Sample(self.spent(), self.counter.frames)


@dataclass(frozen=True)
class Pair:
    """One window: CPU seconds for a second of stream, of a pipeline by part, and of the bare transcode beside it."""

    spent: Spent
    bare: float
    frames: int
    bare_frames: int

    @property
    def total(self) -> float:
        return sum(self.spent.values())

    @property
    def ratio(self) -> float:
        return self.total / self.bare


def main() -> int:
    options = _parser().parse_args()
    profile, encoder = PROFILES[options.profile], Encoder(X264, options.preset, "")
    others = [name for name in OTHERS if name != GSTREAMER or shutil.which("gst-launch-1.0")]
    with loopback("cost") as ground:
        bench = Bench(ground, profile, encoder)
        found = bench.pairs_of(others, options.windows, options.seconds)
        quality = {name: bench.quality_of(name) for name in (BARE, *others)}
    return finish(report(profile, encoder, found, quality), options.document, FFMPEG)


def _parser() -> Any:
    made = parser("what one stream costs, compared with other ways to do the same")
    made.add_argument("--profile", default="720p30", choices=PROFILES, metavar="PROFILE", help="(%(default)s)")
    made.add_argument("--preset", default="veryfast", choices=X264_PRESETS, metavar="PRESET", help="(%(default)s)")
    made.add_argument("--windows", type=int, default=8, help="windows for each (%(default)s)")
    made.add_argument("--seconds", type=float, default=9, help="length of a window (%(default)s)")
    return made


class Bench:
    """The camera's recording, the overlay pictures, and each pipeline on air in its turn."""

    def __init__(self, ground: Loopback, profile: OutputProfile, encoder: Encoder) -> None:
        self._ground, self._profile, self._encoder = ground, profile, encoder
        self._canvas = canvas_of(profile)
        self._recording = ground.folder / "camera.flv"
        self._strip, self._full = ground.folder / "strip.png", ground.folder / "full.png"
        OverlayFile(self._strip).write(draw_scene(boards.phases()["chase"], self._canvas))
        rivals.full_frame(self._strip, self._canvas, profile, self._full)
        tell(f"records {RECORDED_S} s of camera")
        camera.record(FFMPEG, self._recording, profile, RECORDED_S)

    def pairs_of(self, names: Sequence[str], windows: int, seconds: float) -> dict[str, list[Pair]]:
        """Measure these one after the other, beside a bare transcode that runs all the time."""
        with contextlib.ExitStack() as stack:
            stack.enter_context(FFmpegCamera(FFMPEG, self._recording, self._ground.rtmp.url(LIVE, NAME)))
            bare = stack.enter_context(self._on_air(BARE))
            return {name: self._pairs(name, bare, windows, seconds) for name in names}

    def _pairs(self, name: str, bare: Pipeline, windows: int, seconds: float) -> list[Pair]:
        with self._on_air_at_last(name) as other:
            found = list(pairs(bare, other, windows, seconds, self._profile.frame_rate))
        tell(f"{name}: {number(statistics.median(pair.ratio for pair in found))} of the bare transcode")
        return found

    @contextlib.contextmanager
    def _on_air_at_last(self, name: str) -> Iterator[Pipeline]:
        """GStreamer does not always start: its RTMP source may wait for a picture that is already past."""
        for tries_left in reversed(range(TRIES)):
            with contextlib.ExitStack() as stack:
                try:
                    pipeline = stack.enter_context(self._on_air(name))
                except AssertionError:
                    if not tries_left:
                        raise
                    tell(f"{name} did not come on air; once more")
                    continue
                yield pipeline
                return

    @contextlib.contextmanager
    def _on_air(self, name: str) -> Iterator[Pipeline]:
        """Start a pipeline, and wait until its frames have arrived for a while."""
        start = self._service if name == OURS else self._rival
        with start(name) as spent, FrameCounter(self._ground.rtmp, YOUTUBE, _key(name)) as counter:
            eventually(lambda: counter.frames, BEGINS_LIMIT_S, f"{name} is on air")
            time.sleep(SETTLES_S)
            yield Pipeline(spent, counter)

    @contextlib.contextmanager
    def _service(self, name: str) -> Iterator[Callable[[], Spent]]:
        with self._ground.service(output_profile=self._profile.name, x264_preset=self._encoder.preset) as service:
            service.start(NAME, _key(name))
            eventually(lambda: statuses(service)[NAME]["on_air"] == "camera", BEGINS_LIMIT_S, "the camera is on air")
            yield lambda: spent_by(service)

    @contextlib.contextmanager
    def _rival(self, name: str) -> Iterator[Callable[[], Spent]]:
        rtmp = self._ground.rtmp
        argv = self._args(name, rtmp.url(LIVE, NAME), rtmp.url(YOUTUBE, _key(name)))
        with (self._ground.folder / "rivals.log").open("ab") as log, running(argv, stdout=log, stderr=log) as process:
            yield lambda: {name: tree_s(process.pid)}

    def _args(self, name: str, source: str, sink: str) -> list[str]:
        form = (source, sink, self._profile, self._encoder)
        if name == GSTREAMER:
            return ["gst-launch-1.0", *rivals.gstreamer_args(*form, self._strip, self._canvas)]
        if name == ONE_LINER:
            return [FFMPEG, *rivals.one_liner_args(*form, self._full)]
        return [FFMPEG, *rivals.bare_args(*form)]

    def quality_of(self, name: str) -> Quality:
        """The quality of this pipeline's encode of the recording, from file to file."""
        tell(f"{name}: encodes the recording")
        encode = self._ground.folder / f"{_key(name)}.{'ts' if name == OURS else 'flv'}"
        if name == OURS:
            argv = [FFMPEG, *self._compositor_args()]
        else:
            argv = self._args(name, str(self._recording), str(encode))
        cpu_of(argv, encode if name == OURS else None)
        skipped = SKIPPED_S * self._profile.frame_rate
        return assess(FFMPEG, encode, self._recording, self._profile, self._canvas.top, skipped)

    def _compositor_args(self) -> list[str]:
        source = str(self._recording)
        return ffmpeg.compositor_args(source, self._strip, self._canvas, self._profile, self._encoder)


def _key(name: str) -> str:
    return name.replace(" ", "-")


def spent_by(service: Service) -> Spent:
    """CPU of the service's processes by part. Those that have ended are in the rest."""
    pid = service.process.pid
    spent = dict.fromkeys(PARTS, 0.0) | {"Python": own_s(pid), "rest": reaped_s(pid)}
    for child, command in service.children("").items():
        spent[part_of(command)] += tree_s(child)
    return spent


def part_of(command: str) -> str:
    """Which of PARTS a child process of the service belongs to."""
    if "pipe:0" in command:
        return "publisher"
    return "compositor" if "mpegts pipe:1" in command and "color=c=" not in command else "rest"


def pairs(bare: Pipeline, other: Pipeline, windows: int, seconds: float, frame_rate: int) -> Iterator[Pair]:
    """Windows one after the other, each `seconds` long."""
    before = other.sample(), bare.sample()
    for _ in range(windows):
        time.sleep(seconds)
        after = other.sample(), bare.sample()
        yield pair_of(before, after, frame_rate)
        before = after


def pair_of(before: tuple[Sample, Sample], after: tuple[Sample, Sample], frame_rate: int) -> Pair:
    """Make a pair of the samples before and after a window. Raises RuntimeError if no frames arrived."""
    frames = [then.frames - first.frames for first, then in zip(before, after, strict=True)]
    if min(frames) <= 0:
        raise RuntimeError("no frames arrived in a window")
    rates = [
        {part: (spent - first.spent[part]) * frame_rate / count for part, spent in then.spent.items()}
        for first, then, count in zip(before, after, frames, strict=True)
    ]
    return Pair(rates[0], sum(rates[1].values()), frames[0], frames[1])


def report(
    profile: OutputProfile, encoder: Encoder, found: dict[str, list[Pair]], quality: dict[str, Quality]
) -> Report:
    intro = [
        f"One stream of {profile.name}, x264 {encoder.preset}, with a camera of the same size. Camera, nginx-rtmp and",
        "destination are on this machine. CPU is user and system time of all processes of a pipeline, for each second",
        "of stream. Each window is a pair with a bare FFmpeg transcode (no overlay, same encoder settings), which runs",
        "at the same time from the same camera. The service polls the score every second, and the score changes every",
        "6 s; the overlay of the one-liner and of GStreamer never changes.",
    ]
    figures = [_ratio(name, pairs) for name, pairs in found.items()]
    figures += [_cpu(name, [pair.total for pair in pairs]) for name, pairs in found.items()]
    figures += [_cpu(BARE, [pair.bare for pairs in found.values() for pair in pairs])]
    figures += [_cpu(f"of {OURS}: {part}", [pair.spent[part] for pair in found[OURS]]) for part in PARTS]
    data = {name: [_flat(pair) for pair in pairs] for name, pairs in found.items()}
    details = {name: _details(one) for name, one in quality.items()}
    return Report(
        "Cost",
        intro,
        figures,
        lines=["", *quality_table(quality)],
        data={"windows": data, "quality": details},
        plot=lambda canvas: draw(canvas, found, quality),
    )


def _ratio(name: str, pairs: Sequence[Pair]) -> Figure:
    limit, why = (LIMIT_RATIO, _where_it_goes(pairs)) if name == OURS else (None, "")
    return Figure(f"{name} to {BARE}", "", [pair.ratio for pair in pairs], limit=limit, why=why)


def _where_it_goes(pairs: Sequence[Pair]) -> str:
    shares = {part: statistics.median(pair.spent[part] / pair.bare for pair in pairs) for part in PARTS}
    return ", ".join(f"{part} {share:.3f}" for part, share in shares.items())


def _cpu(name: str, samples: Sequence[float]) -> Figure:
    return Figure(f"CPU of {name}" if not name.startswith("of ") else name, "core", samples)


def _flat(pair: Pair) -> dict[str, Any]:
    return {**pair.spent, "bare": pair.bare, "frames": pair.frames, "bare_frames": pair.bare_frames}


def _details(one: Quality) -> dict[str, Any]:
    about = {"ssim": mean(one.ssim), "ssim_shifted": one.shifted, "frames": one.frames, "kbps": one.kbps}
    return {**about, "x264": one.options}


def quality_table(quality: dict[str, Quality]) -> list[str]:
    """SSIM and bitrate of each encode, and whether they can be compared."""
    ours = quality[OURS].options
    lines = ["| encode | SSIM | quartiles | video | frames | x264's options |", "|---|---|---|---|---|---|"]
    for name, one in quality.items():
        quartiles = f"{quantile(one.ssim, 0.25):.4f} – {quantile(one.ssim, 0.75):.4f}"
        odd = rivals.differences(ours, one.options)
        same = ", ".join(f"{key} {value}" for key, value in odd.items()) or "the same"
        frames = f"{one.frames}{'' if one.is_aligned else ', not aligned'}"
        lines.append(f"| {name} | {mean(one.ssim):.4f} | {quartiles} | {one.kbps:.0f} kbps | {frames} | {same} |")
    return [
        *lines,
        "",
        f"SSIM compares with the camera's frames, from second {SKIPPED_S} on, above the strip. The still strip leaves"
        " more bits for the rest of the picture; the bare transcode has no strip.",
    ]


def draw(canvas: Any, found: dict[str, list[Pair]], quality: dict[str, Quality]) -> None:
    """A bar for each, with quartiles and SSIM. The service's bar is divided into parts."""
    axes = canvas.subplots()
    names = [OURS, BARE, *(name for name in found if name != OURS)]
    totals = {name: [pair.total for pair in pairs] for name, pairs in found.items()}
    totals[BARE] = [pair.bare for pairs in found.values() for pair in pairs]
    bottom = 0.0
    for part, color in zip(PARTS, COLORS, strict=False):
        height = statistics.median(pair.spent[part] for pair in found[OURS])
        axes.bar(OURS, height, bottom=bottom, color=color, label=part)
        bottom += height
    for name in names:
        median = statistics.median(totals[name])
        if name != OURS:
            axes.bar(name, median, color="#8b949e")
        low, high = quantile(totals[name], 0.25), quantile(totals[name], 0.75)
        axes.errorbar(name, median, yerr=[[median - low], [high - median]], color="black", capsize=5)
        text = f"{median:.2f}\nSSIM {mean(quality[name].ssim):.4f}"
        axes.annotate(text, (name, high), xytext=(0, 5), textcoords="offset points", ha="center")
    axes.margins(y=0.25)
    axes.set_ylabel("CPU seconds for a second of stream")
    axes.legend(title=f"of {OURS}", loc="upper right", bbox_to_anchor=(1.3, 1))
    axes.spines[["top", "right"]].set_visible(False)


if __name__ == "__main__":
    sys.exit(main())
