"""`make bench-capacity`: how many streams this machine carries, and what one costs by profile and preset.

One stream after the other is started, each with its own camera and destination,
until the service itself says that one does not keep up: it is not on air, slower
than real time, drops frames, or has an FFmpeg restarted. Everything, also cameras
and nginx-rtmp, runs on this machine.

The table after that shows what a stream's compositor takes for each second, read
from a recording as fast as it can. `--help` has the options.
"""

from __future__ import annotations

import contextlib
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

import ffmpeg
from bench import camera
from bench.cpu import cpu_of, machine_s, tree_s
from bench.loopback import LIVE, YOUTUBE, Loopback, loopback, statuses
from bench.report import Figure, Report, finish, number, parser, tell
from demo import boards
from graphics.drawing import draw_scene
from graphics.layout import canvas_of
from media.encoders import X264, X264_PRESETS, Encoder
from media.profiles import PROFILES, OutputProfile
from overlay import OverlayFile
from tests.drills.cameras import FFmpegCamera
from tests.service import FFMPEG, Service
from tests.waiting import eventually

MOST = 50
LEAST_SHARE = 0.99  # of real time, and of the profile's frames
# Above this a stream is still working off a backlog, and it is too early to say whether it keeps up.
CATCHES_UP = 1.01
ON_AIR_LIMIT_S = 30
SETTLE_LIMIT_S = 12
# The service's rates are those of the last 10 s. The median of the last readings counts.
READINGS = 3
RECORDED_S = 12
TABLE_PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium")
NO_ENCODING = "no encoding"
# Seconds of camera for a cell of the table. A short run is subtracted for the start of FFmpeg.
MEDIA_S = {"480p30": 3.0, "720p30": 3.0}
MEDIA_ELSE_S = 2.0
SHORT_S = 0.2

Status = dict[str, Any]


@dataclass(frozen=True)
class Step:
    """A number of streams, watched for a while, with the lowest speed and frame rate among them.

    `cores` is what the service with its children took, `busy` what the whole machine did, of `processors`.
    """

    streams: int
    speed: float
    fps_share: float
    problems: tuple[str, ...]
    cores: float
    busy: float
    processors: float

    @property
    def cores_a_stream(self) -> float:
        return self.cores / self.streams

    @property
    def busy_share(self) -> float:
        return self.busy / self.processors


def main() -> int:
    options = _parser().parse_args()
    steps: dict[str, list[Step]] = {}
    table: dict[str, dict[str, float]] = {}
    with loopback("capacity") as ground:
        for name in options.profiles:
            steps[name] = climb_with(ground, PROFILES[name], options.preset, options.seconds)
        admission = admit(ground, PROFILES[options.profiles[0]], options.preset, options.seconds)
        if not options.no_table:
            measured = [profile for profile in PROFILES.values() if profile.frame_rate in (30, 60)]
            table = {profile.name: costs(ground.folder, profile, options.runs) for profile in measured}
    return finish(report(options.preset, steps, table, admission), options.document, FFMPEG)


def _parser() -> Any:
    made = parser("how many streams this machine carries, and what a stream costs")
    made.add_argument(
        "--profiles", nargs="+", default=["480p30", "720p30", "1080p30"], choices=PROFILES, metavar="NAME"
    )
    made.add_argument("--preset", default="veryfast", choices=X264_PRESETS, metavar="PRESET", help="(%(default)s)")
    made.add_argument("--seconds", type=float, default=11, help="how long each step is watched (%(default)s)")
    made.add_argument("--runs", type=int, default=1, help="for each cell of the table; the lowest counts (%(default)s)")
    made.add_argument("--no-table", action="store_true", help="leave out the table of costs")
    return made


def camera_of(profile: OutputProfile) -> OutputProfile:
    """What the cameras send: 720p30, or the profile if it is larger."""
    return profile if profile.height > 720 else PROFILES["720p30"]


def climb_with(ground: Loopback, profile: OutputProfile, preset: str, seconds: float) -> list[Step]:
    tell(f"{profile.name}: records {RECORDED_S} s of camera")
    recording = ground.folder / f"{profile.name}.flv"
    camera.record(FFMPEG, recording, camera_of(profile), RECORDED_S)
    settings = {"output_profile": profile.name, "x264_preset": preset, "max_concurrent_streams": str(MOST)}
    with ground.service(**settings) as service, contextlib.ExitStack() as cameras:

        def add(number: int) -> None:
            name = f"m{number}"
            cameras.enter_context(FFmpegCamera(FFMPEG, recording, ground.rtmp.url(LIVE, name)))
            service.start(name, f"{profile.name}-{name}")
            _settle(service, profile)

        return climb(add, lambda streams: watch(service, profile, streams, seconds))


@dataclass(frozen=True)
class Admission:
    """What the service itself admits: the number of streams, the refusal of one more, and how the others went on."""

    profile: str
    refusal: str
    step: Step


def admit(ground: Loopback, profile: OutputProfile, preset: str, seconds: float) -> Admission:
    """Start streams with MAX_CONCURRENT_STREAMS=auto until one is refused, then watch the running ones."""
    recording = ground.folder / f"{profile.name}.flv"
    settings = {"output_profile": profile.name, "x264_preset": preset, "max_concurrent_streams": "auto"}
    with ground.service(**settings) as service, contextlib.ExitStack() as cameras:
        for streams in range(MOST):
            name = f"m{streams + 1}"
            cameras.enter_context(FFmpegCamera(FFMPEG, recording, ground.rtmp.url(LIVE, name)))
            destination = ground.rtmp.url(YOUTUBE, f"{profile.name}-{name}")
            answer = service.post("/start_stream", {"youtube_url": destination, "stream_name": name})
            if answer.status_code == 429:
                break
            answer.raise_for_status()
            _settle(service, profile)
        step = watch(service, profile, streams, seconds)
        refusal: str = answer.json()["error"]
        tell(f"{profile.name}, auto: {streams} admitted; {refusal}; then {', '.join(step.problems) or 'no problems'}")
        return Admission(profile.name, refusal, step)


def _settle(service: Service, profile: OutputProfile) -> None:
    """Wait until all are on air in real time, but not for ever: the watching will find those that are not."""

    def is_settled() -> bool:
        time.sleep(0.5)
        now = statuses(service)
        return not problems(now, [now], profile)

    for condition, limit_s in ((lambda: _all_on_air(service), ON_AIR_LIMIT_S), (is_settled, SETTLE_LIMIT_S)):
        with contextlib.suppress(AssertionError):
            eventually(condition, limit_s)


def _all_on_air(service: Service) -> bool:
    return all(status["on_air"] == "camera" for status in statuses(service).values())


def climb(add: Callable[[int], None], watched: Callable[[int], Step]) -> list[Step]:
    """Add one stream in each step, up to the first step that fails twice."""
    steps: list[Step] = []
    for streams in range(1, MOST + 1):
        add(streams)
        step = watched(streams)
        if step.problems:
            tell(f"  {streams}: {', '.join(step.problems)}; once more")
            step = watched(streams)
        steps.append(step)
        found = ", ".join(step.problems) or "no problems"
        tell(f"  {streams}: speed {step.speed:.3f}, {step.busy_share:.0%} of the machine busy, {found}")
        if step.problems:
            break
    return steps


def watch(service: Service, profile: OutputProfile, streams: int, seconds: float) -> Step:
    before, readings = statuses(service), []
    spent, busy, began_at = tree_s(service.process.pid), machine_s(), time.monotonic()
    time.sleep(max(seconds - READINGS + 1, 0.0))
    for reading in range(READINGS):
        time.sleep(1.0 if reading else 0.0)
        readings.append(statuses(service))
    took_s = time.monotonic() - began_at
    cores = (tree_s(service.process.pid) - spent) / took_s
    busy_s, there_s = (after - first for first, after in zip(busy, machine_s(), strict=True))
    now = pace(readings, profile)
    found = tuple(problems(before, readings, profile))
    processors = float(psutil.cpu_count() or 1)
    return Step(streams, now.least, now.fps_share, found, cores, busy_s / there_s * processors, processors)


@dataclass(frozen=True)
class Pace:
    """From the medians of the streams: the lowest and highest speed, and the lowest share of the frame rate."""

    least: float
    most: float
    fps_share: float


def pace(readings: Sequence[dict[str, Status]], profile: OutputProfile) -> Pace:
    names = readings[-1]
    speeds = [statistics.median(reading[name]["speed"] for reading in readings) for name in names]
    rates = [statistics.median(reading[name]["fps"] for reading in readings) for name in names]
    return Pace(min(speeds), max(speeds), min(rates) / profile.frame_rate)


def problems(before: dict[str, Status], readings: Sequence[dict[str, Status]], profile: OutputProfile) -> list[str]:
    """Signs that a stream did not keep up between `before` and the last reading; empty if all did."""
    found = []
    after = readings[-1]
    away = [name for reading in readings for name, status in reading.items() if status["on_air"] != "camera"]
    if away:
        found.append(f"{len(set(away))} not on air")
    now = pace(readings, profile)
    if now.least < LEAST_SHARE:
        found.append(f"speed {now.least:.3f}")
    if now.most > CATCHES_UP:
        found.append(f"still catching up at {now.most:.3f}")
    if now.fps_share < LEAST_SHARE:
        found.append(f"{now.fps_share * profile.frame_rate:.1f} fps")
    dropped = sum(status["dropped_frames"] - before[name]["dropped_frames"] for name, status in after.items())
    if dropped:
        found.append(f"{dropped} frames dropped")
    restarts = sum(_restarts(status) - _restarts(before[name]) for name, status in after.items())
    if restarts:
        found.append(f"{restarts} restarts")
    return found


def _restarts(status: Status) -> int:
    return sum(count for causes in status["restarts"].values() for count in causes.values())


def carried(steps: Sequence[Step]) -> Step | None:
    """The last step without problems."""
    return next((step for step in reversed(steps) if not step.problems), None)


def costs(folder: Path, profile: OutputProfile, runs: int) -> dict[str, float]:
    """Core-seconds that the compositor takes for a second of stream, by preset and without encoding.

    Other work on the machine can only add to the time of a command, so its lowest run is the most accurate.
    """
    seconds = MEDIA_S.get(profile.name, MEDIA_ELSE_S)
    clips = {length: folder / f"{profile.name}-{length}.flv" for length in (seconds, SHORT_S)}
    for length, path in clips.items():
        camera.record(FFMPEG, path, camera_of(profile), length)
    canvas = canvas_of(profile)
    strip = OverlayFile(folder / f"{profile.name}.png")
    strip.write(draw_scene(boards.phases()["chase"], canvas))
    found = {}
    for preset, argv_of in _compositors(strip.path, profile):
        long_s, short_s = (min(cpu_of([FFMPEG, *argv_of(path)]) for _ in range(runs)) for path in clips.values())
        found[preset] = (long_s - short_s) / (seconds - SHORT_S)
    tell(f"{profile.name}: " + ", ".join(f"{preset} {number(cost)}" for preset, cost in found.items()))
    return found


def _compositors(strip: Path, profile: OutputProfile) -> Iterator[tuple[str, Callable[[Path], list[str]]]]:
    def argv(source: Path, preset: str) -> list[str]:
        return ffmpeg.compositor_args(str(source), strip, canvas_of(profile), profile, Encoder(X264, preset, ""))

    yield NO_ENCODING, lambda source: without_encoding(argv(source, "ultrafast"))
    for preset in TABLE_PRESETS:
        yield preset, lambda source, preset=preset: argv(source, preset)  # type: ignore[misc]


def without_encoding(argv: list[str]) -> list[str]:
    """The same command, but the pictures are discarded. The sound is encoded as before."""
    picture, sound, transport = (argv.index(option) for option in ("-c:v", "-c:a", "-muxdelay"))
    return [*argv[:picture], "-c:v", "wrapped_avframe", *argv[sound:transport], "-f", "null", "-"]


def report(
    preset: str, steps: dict[str, list[Step]], table: dict[str, dict[str, float]], admission: Admission
) -> Report:
    intro = [
        f"Streams (x264 {preset}) were started one by one, each with its own destination and its own camera (720p30,",
        "or as large as a larger profile). They ended when, twice in a row, a stream was not on air, ran below 0.99 of",
        "real time or of its frame rate, lost frames, or had an FFmpeg restarted. Cameras and nginx-rtmp ran on the",
        "same machine.",
    ]
    figures = [figure for name in steps for figure in _figures(name, steps[name])]
    figures += _admission_figures(admission)
    lines = [*cost_table(table), *live_factors(steps, table, preset)] if table else []
    stepped = {name: [asdict(step) for step in climbed] for name, climbed in steps.items()}
    data = {"steps": stepped, "costs": table, "admission": asdict(admission)}
    return Report("Capacity", intro, figures, lines, data, plot=lambda canvas: draw(canvas, steps))


def _figures(name: str, steps: Sequence[Step]) -> list[Figure]:
    last = carried(steps)
    failed = steps[-1].problems
    why = f"with {steps[-1].streams}: {', '.join(failed)}" if failed else f"no more than {MOST} were tried"
    found = [Figure(f"{name}: streams carried", "", [last.streams if last else 0], why=why)]
    if last:
        well = [step.cores_a_stream for step in steps if not step.problems]
        found.append(Figure(f"{name}: CPU of a stream", "core", well))
        found.append(Figure(f"{name}: machine busy with them", "%", [100 * last.busy_share]))
    return found


def _admission_figures(admission: Admission) -> list[Figure]:
    step, what = admission.step, f"{admission.profile}, MAX_CONCURRENT_STREAMS=auto"
    why = f"one more is 429: {admission.refusal}"
    return [
        Figure(f"{what}: streams admitted", "", [step.streams], why=why),
        Figure(f"{what}: their problems after that", "", [len(step.problems)], limit=0, why=", ".join(step.problems)),
        Figure(f"{what}: machine busy", "%", [100 * step.busy_share]),
    ]


def cost_table(table: dict[str, dict[str, float]]) -> list[str]:
    columns = [NO_ENCODING, *TABLE_PRESETS]
    lines = [
        "",
        "Core-seconds that a stream's compositor takes for each second, by profile and x264 preset. The column without"
        " encoding stands for a hardware encoder:",
        "",
        f"| | {' | '.join(columns)} |",
        f"|---{'|---' * len(columns)}|",
    ]
    return [*lines, *(f"| {name} | {' | '.join(number(row[key]) for key in columns)} |" for name, row in table.items())]


def live_factors(steps: dict[str, list[Step]], table: dict[str, dict[str, float]], preset: str) -> list[str]:
    """How much more a stream took on air than the table says; empty if there is nothing to compare."""
    known = {
        name: statistics.median(step.cores_a_stream for step in climbed if not step.problems) / table[name][preset]
        for name, climbed in steps.items()
        if carried(climbed) and preset in table[name]
    }
    if not known:
        return []
    factors = ", ".join(f"{name} {factor:.2f}" for name, factor in known.items())
    return [
        "",
        "On air, at the camera's pace and with publisher and Python, a stream took this many times as much as in the"
        f" table ({preset}): {factors}.",
    ]


def draw(canvas: Any, steps: dict[str, list[Step]]) -> None:
    """The lowest speed, and the CPU of the machine, by number of streams."""
    speed, busy = canvas.subplots(1, 2)
    for name, climbed in steps.items():
        streams = [step.streams for step in climbed]
        [line] = speed.plot(streams, [step.speed for step in climbed], marker="o")
        busy.plot(streams, [step.busy for step in climbed], marker="o", color=line.get_color(), label=name)
    speed.axhline(LEAST_SHARE, color="black", linewidth=0.8, linestyle=":")
    speed.set_ylabel("speed of the slowest stream")
    busy.set_ylabel("busy cores, whole machine")
    busy.set_ylim(bottom=0)
    busy.legend(loc="lower right")
    processors = max(step.processors for climbed in steps.values() for step in climbed)
    busy.axhline(processors, color="black", linewidth=0.8, linestyle=":")
    for axes in (speed, busy):
        axes.set_xlabel("streams")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.spines[["top", "right"]].set_visible(False)


if __name__ == "__main__":
    sys.exit(main())
