"""`make bench-capacity`: how many streams this machine carries, and what one costs by profile and preset.

One stream after the other is started, each with a camera and a destination of
its own, until the service itself says that one does not keep up: not on air,
slower than real time, frames dropped, an FFmpeg started anew. All of it, cameras
and nginx-rtmp included, runs on this machine.

The table behind it is what a stream's compositor takes for each second, from a
recording and as fast as it goes. `--help` has the options.
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
# Above this a stream works off what piled up before: whether it keeps up is still to be seen.
CATCHES_UP = 1.01
ON_AIR_LIMIT_S = 30
SETTLE_LIMIT_S = 12
# The service's rates are those of the last 10 s; the last few readings count.
READINGS = 3
RECORDED_S = 12
TABLE_PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium")
NO_ENCODING = "no encoding"
# Seconds of camera for a cell of the table; a short run is taken off, for the start of FFmpeg.
MEDIA_S = {"480p30": 3.0, "720p30": 3.0}
MEDIA_ELSE_S = 2.0
SHORT_S = 0.2

Status = dict[str, Any]


@dataclass(frozen=True)
class Step:
    """So many streams watched for a while; the least speed and share of the frames among them.

    `cores` is what the service's tree took, `busy` what all the machine did, of `processors`.
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
            table = {name: costs(ground.folder, PROFILES[name], options.runs) for name in PROFILES}
    return finish(report(options.preset, steps, table, admission), options.document, FFMPEG)


def _parser() -> Any:
    made = parser("how many streams this machine carries, and what a stream costs")
    made.add_argument(
        "--profiles", nargs="+", default=["480p30", "720p30", "1080p30"], choices=PROFILES, metavar="NAME"
    )
    made.add_argument("--preset", default="veryfast", choices=X264_PRESETS, metavar="PRESET", help="(%(default)s)")
    made.add_argument("--seconds", type=float, default=11, help="for which each step is watched (%(default)s)")
    made.add_argument("--runs", type=int, default=1, help="of each cell of the table, the least counts (%(default)s)")
    made.add_argument("--no-table", action="store_true", help="leave out the table of costs")
    return made


def camera_of(profile: OutputProfile) -> OutputProfile:
    """What its cameras send: 720p30 for all that is no larger."""
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
    """What the service itself admits: so many streams, the refusal of one more, how those that run did meanwhile."""

    profile: str
    refusal: str
    step: Step


def admit(ground: Loopback, profile: OutputProfile, preset: str, seconds: float) -> Admission:
    """Start streams until one is refused, as MAX_CONCURRENT_STREAMS=auto has it, then watch those that run."""
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
        tell(f"{profile.name}, auto: {streams} admitted; {refusal}; then {', '.join(step.problems) or 'well'}")
        return Admission(profile.name, refusal, step)


def _settle(service: Service, profile: OutputProfile) -> None:
    """Until all are on air in real time, or a while has gone by; what is not is found when they are watched."""

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
    """One stream more at each step, up to the first that fails twice."""
    steps: list[Step] = []
    for streams in range(1, MOST + 1):
        add(streams)
        step = watched(streams)
        if step.problems:
            tell(f"  {streams}: {', '.join(step.problems)}; once more")
            step = watched(streams)
        steps.append(step)
        found = ", ".join(step.problems) or "well"
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
    """Of the streams' medians: the least and the greatest speed, the least share of the profile's frame rate."""

    least: float
    most: float
    fps_share: float


def pace(readings: Sequence[dict[str, Status]], profile: OutputProfile) -> Pace:
    names = readings[-1]
    speeds = [statistics.median(reading[name]["speed"] for reading in readings) for name in names]
    rates = [statistics.median(reading[name]["fps"] for reading in readings) for name in names]
    return Pace(min(speeds), max(speeds), min(rates) / profile.frame_rate)


def problems(before: dict[str, Status], readings: Sequence[dict[str, Status]], profile: OutputProfile) -> list[str]:
    """What says that a stream did not keep up between `before` and the last reading; empty when all did."""
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
    """The last step that went well."""
    return next((step for step in reversed(steps) if not step.problems), None)


def costs(folder: Path, profile: OutputProfile, runs: int) -> dict[str, float]:
    """Core-seconds a stream second of the compositor, by preset and without encoding.

    A command that is alone on the machine takes no less than it must: the least of its runs is the truest.
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
    """The same pictures, thrown away; the sound is encoded as before."""
    picture, sound, transport = (argv.index(option) for option in ("-c:v", "-c:a", "-muxdelay"))
    return [*argv[:picture], "-c:v", "wrapped_avframe", *argv[sound:transport], "-f", "null", "-"]


def report(
    preset: str, steps: dict[str, list[Step]], table: dict[str, dict[str, float]], admission: Admission
) -> Report:
    intro = [
        f"Streams of x264 {preset} were started one by one, each with a camera (720p30; for 1080p of its size) and a",
        "destination of its own, until one was not on air, under 0.99 of real time or of its frames, lost frames or",
        "had an FFmpeg started anew, twice in a row. Cameras and nginx-rtmp take their part of the same machine.",
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
        found.append(Figure(f"{name}: machine busy then", "%", [100 * last.busy_share]))
    return found


def _admission_figures(admission: Admission) -> list[Figure]:
    step, what = admission.step, f"{admission.profile}, MAX_CONCURRENT_STREAMS=auto"
    why = f"one more is 429: {admission.refusal}"
    return [
        Figure(f"{what}: streams admitted", "", [step.streams], why=why),
        Figure(f"{what}: troubles of those after it", "", [len(step.problems)], limit=0, why=", ".join(step.problems)),
        Figure(f"{what}: machine busy", "%", [100 * step.busy_share]),
    ]


def cost_table(table: dict[str, dict[str, float]]) -> list[str]:
    columns = [NO_ENCODING, *TABLE_PRESETS]
    lines = [
        "",
        "Core-seconds that a stream's compositor takes for each second, by profile and x264 preset; without encoding"
        " stands for a hardware encoder:",
        "",
        f"| | {' | '.join(columns)} |",
        f"|---{'|---' * len(columns)}|",
    ]
    return [*lines, *(f"| {name} | {' | '.join(number(row[key]) for key in columns)} |" for name, row in table.items())]


def live_factors(steps: dict[str, list[Step]], table: dict[str, dict[str, float]], preset: str) -> list[str]:
    """How much more a stream took on air than the table says; empty when there is nothing to compare."""
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
        f"On air, at the camera's pace and with publisher and Python, a stream took more than in the table: {factors}"
        f" times as much ({preset}).",
    ]


def draw(canvas: Any, steps: dict[str, list[Step]]) -> None:
    """Least speed, and CPU of the machine, by number of streams."""
    speed, busy = canvas.subplots(1, 2)
    for name, climbed in steps.items():
        streams = [step.streams for step in climbed]
        [line] = speed.plot(streams, [step.speed for step in climbed], marker="o")
        busy.plot(streams, [step.busy for step in climbed], marker="o", color=line.get_color(), label=name)
    speed.axhline(LEAST_SHARE, color="black", linewidth=0.8, linestyle=":")
    speed.set_ylabel("speed of the slowest stream")
    busy.set_ylabel("busy cores, all of the machine")
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
