"""`make bench-many`: what the service itself spends on many streams, up to 200.

FFmpeg is replaced by a stand-in that writes a recorded MPEG-TS of 480p30 at its
pace, or reads it (`stand_in.c`). So all the CPU that counts is the service's own,
divided by its threads. One run has polls, one a second for each stream, of a match
API that does not change. One has the same of five named feeds. The last one has
the same score pushed as often.

At each number of streams the service is watched for a while: CPU, memory,
threads, and the time that `GET /list_streams` takes. Then all streams are stopped
at once. `--help` has the options.
"""

from __future__ import annotations

import contextlib
import itertools
import multiprocessing
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import requests

import ffmpeg
from bench.camera import record
from bench.cpu import machine_s
from bench.loopback import leave_in_order
from bench.report import ROOT, Figure, Report, finish, number, parser, quantile, tell
from demo.match_feed import Answer, MatchFeed
from demo.replay import MATCH, states
from deploy.rtmp_server import free_port, listens
from graphics.drawing import placeholder
from graphics.layout import canvas_of
from media.encoders import X264, Encoder
from media.mpegts import PACKET
from media.profiles import PROFILES
from overlay import OverlayFile
from relay import installed
from tests.service import running
from tests.waiting import eventually

PROFILE = PROFILES["480p30"]
RECORDED_S = 20
BALL = 60
AT_ONCE = 16  # as many calls as the service has threads for
LIST_EVERY_S = 0.05
SLOW = 0.97
BEGINS_LIMIT_S = 60
SETTLE_S = 11.0  # a stream's rates are those of the last 10 s
LIMIT_POLLING = {"polls": 0.25, "feeds": 0.85}
FEEDS = 5
LIMIT_RSS_MB = 1.5
LIMIT_THREADS = 4
LIMIT_LIST_MS = 20.0
LIMIT_ALL_S = 10.0
# The second half of the curve may be this much steeper than the first.
LIMIT_BEND = 1.15
KINDS = {"monitor": "polling", "switch": "switching", "stream": "supervising", "presenter": "presenting"}
WAYS = ("polls", "feeds", "pushes")
PARTS = ("polling", "switching", "supervising", "presenting", "answering")


@dataclass
class Point:
    """The service at one number of streams. `cpu` is in cores, by part; `busy` is the share of the whole machine."""

    streams: int
    cpu: dict[str, float]
    rss_mb: float
    threads: int
    list_ms: list[float]
    busy: float = 0.0
    problems: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> float:
        return sum(self.cpu.values())


@dataclass
class Run:
    """One climb from few streams to all: its points, and the seconds for all starts and all stops."""

    points: list[Point]
    starts_s: float
    stops_s: float


def main() -> int:
    options = _options()
    leave_in_order()
    binary = installed.find_ffmpeg("ffmpeg")
    with tempfile.TemporaryDirectory(prefix="bench-many-") as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        stand_in, env = build_stand_in(folder, binary)
        feed_url = stack.enter_context(_feed())
        runs: dict[str, list[Run]] = {kind: [] for kind in WAYS}
        ways = {"polls": {"OVERLAY_API_BASE": feed_url}, "feeds": _feeds_file(folder, feed_url), "pushes": {}}
        for kind in [kind for _ in range(options.rounds) for kind in options.kinds]:
            with _service(folder, stand_in, env | ways[kind], max(options.streams)) as (url, pid):
                runs[kind].append(_climb(url, pid, options.streams, options.seconds, kind))
    return finish(_report(runs), options.document, binary)


def _options() -> Any:
    made = parser("what the service itself spends on many streams, with stand-ins for FFmpeg")
    made.add_argument("--streams", nargs="+", type=int, default=[1, 50, 100, 200], help="%(default)s")
    made.add_argument("--seconds", type=float, default=8, help="how long each number is watched (%(default)s)")
    made.add_argument("--rounds", type=int, default=2, help="climbs of each kind (%(default)s)")
    made.add_argument("--kinds", nargs="+", choices=WAYS, default=WAYS)
    return made.parse_args()


def build_stand_in(folder: Path, binary: str) -> tuple[Path, dict[str, str]]:
    """Compile the stand-in and record what it plays. Returns its path and the environment that it needs."""
    program, recording, index = folder / "stand-in", folder / "recording.ts", folder / "index"
    compiler = ["cc", "-O2", "-Wall", "-o", str(program), str(ROOT / "bench" / "stand_in.c")]
    subprocess.run(compiler, check=True)
    recording.write_bytes(_recorded(folder, binary))
    index.write_bytes(b"".join(struct.pack("=II", *entry) for entry in pes_index(recording.read_bytes())))
    return program, {
        "STAND_IN_TS": str(recording),
        "STAND_IN_INDEX": str(index),
        "STAND_IN_FOR": binary,
    }


def _recorded(folder: Path, binary: str) -> bytes:
    """What the compositor makes from a noisy camera."""
    camera, canvas = folder / "camera.flv", canvas_of(PROFILE)
    record(binary, camera, PROFILE, RECORDED_S)
    overlay = OverlayFile(folder / "overlay.png")
    overlay.write(placeholder(canvas))
    argv = ffmpeg.compositor_args(str(camera), overlay.path, canvas, PROFILE, Encoder(X264, "superfast", ""))
    return subprocess.run([binary, *argv], check=True, capture_output=True).stdout


def pes_index(data: bytes) -> list[tuple[int, int]]:
    """When each PES packet of a recording is due, in microseconds, and its size with the tables before it.

    The time is that of the last video frame up to it, because FFmpeg writes sound in between.
    """
    starts = [at for at in range(0, len(data), PACKET) if data[at + 1] & 0x40]
    units: list[tuple[int | None, int]] = []
    begin = 0
    for at, end in itertools.pairwise([*starts, len(data)]):
        if data[at + 4 + (1 + data[at + 4] if data[at + 3] & 0x20 else 0) :][:3] == b"\0\0\1":
            units.append((_dts_us(data[at : at + PACKET]), end - begin))
            begin = end
    return list(_from_zero(units))


def _dts_us(packet: bytes) -> int | None:
    """The DTS of a video PES; None for another one."""
    start = 4 + (1 + packet[4] if packet[3] & 0x20 else 0)
    if packet[start + 3] & 0xF0 != 0xE0:
        return None
    at = start + (14 if packet[start + 7] & 0x40 else 9)
    high, middle, low = packet[at] >> 1 & 7, int.from_bytes(packet[at + 1 : at + 3]), packet[at + 3 : at + 5]
    return (high << 30 | middle >> 1 << 15 | int.from_bytes(low) >> 1) * 100 // 9


def _from_zero(units: Sequence[tuple[int | None, int]]) -> Iterator[tuple[int, int]]:
    first = next(at for at, _ in units if at is not None)
    now = 0
    for at, size in units:
        now = now if at is None else max(now, at - first)
        yield now, size


@contextlib.contextmanager
def _feed() -> Iterator[str]:
    """A match feed in its own process, so that its CPU does not count."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve_feed, args=(theirs,), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        ours.send("end")
        process.join(5)
        process.kill()


def _serve_feed(pipe: Connection) -> None:
    feed = MatchFeed()
    feed.data = Answer.of(_board())
    pipe.send(feed.url)
    with contextlib.suppress(EOFError):
        pipe.recv()
    feed.close()


def _board() -> dict[str, Any]:
    return list(states(MATCH))[BALL].as_own_shape()


def _feeds_file(folder: Path, feed_url: str) -> dict[str, str]:
    """Five feeds that are asked once a second for each match, and the settings for them."""
    entry = '[feed{number}]\nkind = "own"\nurl = "{url}/match/{{match_id}}?feed={number}"\n'
    file = folder / "feeds.toml"
    file.write_text("".join(entry.format(number=n, url=feed_url) for n in range(FEEDS)))
    return {"FEEDS_FILE": str(file), "ALLOWED_FEED_HOSTS": "127.0.0.1"}


@contextlib.contextmanager
def _service(folder: Path, stand_in: Path, env: dict[str, str], most: int) -> Iterator[tuple[str, int]]:
    """The service with stand-ins, and with the settings in `env`. Gives its address and process id."""
    port, temp = free_port(), Path(tempfile.mkdtemp(dir=folder))
    settings = {
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "RTMP_SERVER": f"rtmp://127.0.0.1:{free_port()}/live",
        "OVERLAY_API_BASE": "",
        "OVERLAY_IMAGE_BASE": "",
        "OVERLAY_SOURCE": "data",
        "OUTPUT_PROFILE": PROFILE.name,
        "X264_PRESET": "superfast",
        "MAX_CONCURRENT_STREAMS": str(most),
        "FFMPEG_BIN": str(stand_in),
        "LOG_DIR": str(temp / "logs"),
        "LOG_LEVEL": "WARNING",
        "TMPDIR": str(temp),
        "DATA_DIR": str(temp / "data"),
        "PYTHONPATH": str(ROOT),
    } | env
    argv = [sys.executable, "-m", "bench.named_threads"]
    with running(argv, cwd=temp, env=os.environ | settings) as process:
        eventually(lambda: listens("127.0.0.1", port), 30, "the service listens")
        yield f"http://127.0.0.1:{port}", process.pid
        process.terminate()
        process.wait(30)
    shutil.rmtree(temp, ignore_errors=True)


def _climb(url: str, pid: int, numbers: Sequence[int], seconds: float, kind: str) -> Run:
    points: list[Point] = []
    names: list[str] = []
    starts_s = 0.0
    with ThreadPoolExecutor(AT_ONCE) as pool, contextlib.ExitStack() as stack:
        if kind == "pushes":
            stack.enter_context(_pusher(url, names))
        for count in numbers:
            new = [f"m{number:03}" for number in range(len(names), count)]
            began = time.monotonic()
            list(pool.map(lambda name: _start(url, name, kind), new))
            starts_s += time.monotonic() - began
            names += new
            _await_on_air(url, count)
            points.append(_watch(url, pid, count, seconds))
            tell(_line(points[-1]))
        stack.close()
        began = time.monotonic()
        list(pool.map(lambda name: _stop(url, name), names))
        stops_s = time.monotonic() - began
    tell(f"{len(names)} starts {starts_s:.1f} s, stops {stops_s:.1f} s")
    return Run(points, starts_s, stops_s)


def _start(url: str, name: str, kind: str) -> None:
    body = {"youtube_url": f"rtmp://127.0.0.1/live2/key-of-{name}", "stream_name": name}
    if kind == "feeds":
        body["feed"] = f"feed{int(name[1:]) % FEEDS}"
    requests.post(f"{url}/start_stream", json=body, timeout=60).raise_for_status()


def _stop(url: str, name: str) -> None:
    requests.post(f"{url}/stop_stream", json={"stream_name": name}, timeout=60).raise_for_status()


@contextlib.contextmanager
def _pusher(url: str, names: list[str]) -> Iterator[None]:
    """Push the same score to every stream once a second, spread over the second."""
    stop = threading.Event()
    board = _board()

    def run() -> None:
        session, begin = requests.Session(), time.monotonic()
        for turn in itertools.count():
            present = list(names)
            for place, name in enumerate(present):
                if stop.wait(max(0.0, begin + turn + place / len(present) - time.monotonic())):
                    return
                session.put(f"{url}/streams/{name}/match", json=board, timeout=30).raise_for_status()
            if stop.wait(max(0.0, begin + turn + 1 - time.monotonic())):
                return

    thread = threading.Thread(target=run, name="pusher")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _await_on_air(url: str, count: int) -> None:
    """Wait until all are live, and their slates have ended."""

    def are_live() -> bool:
        streams = requests.get(f"{url}/streams", timeout=30).json()["streams"]
        return len(streams) == count and all(stream["state"] == "live" for stream in streams)

    deadline = time.monotonic() + BEGINS_LIMIT_S
    while not are_live():
        if time.monotonic() > deadline:
            sys.exit(f"not all of {count} streams were live within {BEGINS_LIMIT_S} s")
        time.sleep(0.5)
    time.sleep(SETTLE_S)


def _watch(url: str, pid: int, count: int, seconds: float) -> Point:
    before, busy, began = thread_cpu_s(pid), machine_s(), time.monotonic()
    list_ms = []
    with requests.Session() as session:
        while time.monotonic() - began < seconds:
            asked = time.perf_counter()
            session.get(f"{url}/list_streams", timeout=30).raise_for_status()
            list_ms.append(1000 * (time.perf_counter() - asked))
            time.sleep(LIST_EVERY_S)
    after, passed = thread_cpu_s(pid), time.monotonic() - began
    busy_s, there_s = (last - first for first, last in zip(busy, machine_s(), strict=True))
    cpu = {part: (after[part] - before[part]) / passed for part in PARTS}
    streams = requests.get(f"{url}/streams", timeout=30).json()["streams"]
    threads = len(os.listdir(f"/proc/{pid}/task"))
    return Point(count, cpu, _rss_mb(pid), threads, list_ms, busy_s / there_s, _problems(streams))


def thread_cpu_s(pid: int) -> dict[str, float]:
    """Seconds of CPU that the running threads of a process have taken so far, by their purpose."""
    spent: defaultdict[str, float] = defaultdict(float)
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            kind = (task / "comm").read_text().partition("-")[0].strip()
            spent[KINDS.get(kind, "answering")] += int((task / "schedstat").read_text().split()[0]) / 1e9
    return spent


def _rss_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _problems(streams: Sequence[dict[str, Any]]) -> dict[str, int]:
    """What is wrong, and with how many streams."""
    found = Counter(problem for stream in streams for problem, has_it in _faults(stream).items() if has_it)
    return dict(found)


def _faults(stream: dict[str, Any]) -> dict[str, bool]:
    return {
        "slow": stream["speed"] < SLOW,
        "dropped frames": stream["dropped_frames"] > 0,
        "restarts": any(stream["restarts"].values()),
        "failed polls": any(source["failed"] for source in stream["polls"].values()),
    }


def _line(point: Point) -> str:
    parts = ", ".join(f"{part} {100 * point.cpu[part]:.1f}" for part in PARTS)
    return (
        f"{point.streams:4} streams: {100 * point.total:5.1f} % of a core ({parts}), {point.rss_mb:.0f} MB,"
        f" {point.threads} threads, list p99 {quantile(point.list_ms, 0.99):.1f} ms, machine busy {point.busy:.0%}"
        f" {point.problems or ''}"
    )


def _report(runs: dict[str, list[Run]]) -> Report:
    most = max(point.streams for climbs in runs.values() for run in climbs for point in run.points)
    report = Report(
        "Many streams",
        [
            f"The service alone, with stand-ins for FFmpeg that write and read {PROFILE.name}. CPU is that of the",
            "service's threads, by what they do. `/list_streams` is called all the time. The stand-ins (two for each",
            "stream), the feed and the caller run on the same machine. With more streams the curve flattens, because",
            "one wake-up serves several of them. Python can use one core at most.",
        ],
        [figure for kind, climbs in runs.items() if climbs for figure in _figures(kind, climbs, most)],
        data={kind: [[point.__dict__ for point in run.points] for run in climbs] for kind, climbs in runs.items()},
    )
    for kind, climbs in runs.items():
        if climbs:
            report.lines += ["", f"With {kind}, % of a core (medians of {len(climbs)} climbs):", "", *_curve(climbs)]
    report.plot = lambda canvas: _plot(canvas, runs)
    return report


def _figures(kind: str, climbs: Sequence[Run], most: int) -> list[Figure]:
    lasts = [run.points[-1] for run in climbs]
    rss = [mb_a_stream(run.points) for run in climbs]
    answering = "answering" if kind == "pushes" else "polling"
    threads = [(run.points[-1].threads - run.points[0].threads) / (most - run.points[0].streams) for run in climbs]
    list_ms = [quantile(point.list_ms, 0.99) for point in lasts]
    asking = [100 * point.cpu[answering] for point in lasts]
    limit = 100 * LIMIT_POLLING[kind] if kind in LIMIT_POLLING else None
    trouble = Counter(itertools.chain.from_iterable(Counter(point.problems).elements() for point in lasts))
    busy = quantile([point.busy for point in lasts], 0.5)
    why = f"{', '.join(f'{count} {what}' for what, count in trouble.items()) or 'none'}; machine busy {busy:.0%}"
    what = "polling" if kind in LIMIT_POLLING else "taking pushes and answering calls"
    return [
        Figure(f"{kind}: {what}, {most} streams", "% of a core", asking, limit=limit),
        Figure(f"{kind}: switching, {most} streams", "% of a core", [100 * point.cpu["switching"] for point in lasts]),
        Figure(f"{kind}: whole service, {most} streams", "% of a core", [100 * point.total for point in lasts]),
        Figure(f"{kind}: memory for each stream", "MB", rss, limit=LIMIT_RSS_MB),
        Figure(f"{kind}: threads for each stream", "threads", threads, limit=LIMIT_THREADS),
        Figure(f"{kind}: /list_streams p99, {most} streams", "ms", list_ms, limit=LIMIT_LIST_MS),
        Figure(f"{kind}: {most} starts", "s", [run.starts_s for run in climbs], limit=LIMIT_ALL_S),
        Figure(f"{kind}: {most} stops", "s", [run.stops_s for run in climbs], limit=LIMIT_ALL_S),
        Figure(f"{kind}: bend of the CPU's curve", "×", [bend(run.points) for run in climbs], limit=LIMIT_BEND),
        Figure(f"{kind}: problems, {most} streams", "", [sum(p.problems.values()) for p in lasts], limit=0, why=why),
    ]


def mb_a_stream(points: Sequence[Point]) -> float:
    """The difference in RSS between the first and the last point, for each stream between them."""
    first, last = points[0], points[-1]
    return (last.rss_mb - first.rss_mb) / (last.streams - first.streams)


def bend(points: Sequence[Point]) -> float:
    """How much more the last streams cost than those before them; 1 is a straight line."""
    if len(points) < 3:
        return 1.0
    first, last = points[0], points[-1]
    middle = points[len(points) // 2]
    slope_before = (middle.total - first.total) / (middle.streams - first.streams)
    slope_after = (last.total - middle.total) / (last.streams - middle.streams)
    return slope_after / slope_before


def _curve(climbs: Sequence[Run]) -> list[str]:
    lines = [f"| streams | {' | '.join(PARTS)} | all | MB | threads | machine |", "|" + "---|" * (len(PARTS) + 5)]
    for same in zip(*(run.points for run in climbs), strict=True):
        parts = [_median(same, lambda point, part=part: 100 * point.cpu[part]) for part in PARTS]  # type: ignore[misc]
        rest = [_median(same, lambda point: 100 * point.total), _median(same, lambda point: point.rss_mb)]
        busy = f"{_median(same, lambda point: point.busy):.0%}"
        cells = [str(same[0].streams), *map(number, [*parts, *rest]), str(same[0].threads), busy]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _median(points: Sequence[Point], of: Callable[[Point], float]) -> float:
    return quantile([of(point) for point in points], 0.5)


def _plot(canvas: Any, runs: dict[str, list[Run]]) -> None:
    shown = {kind: climbs for kind, climbs in runs.items() if climbs}
    for axes, (kind, climbs) in zip(canvas.subplots(1, len(shown), squeeze=False)[0], shown.items(), strict=True):
        same = list(zip(*(run.points for run in climbs), strict=True))
        streams = [points[0].streams for points in same]
        parts = [[_median(points, lambda p, part=part: 100 * p.cpu[part]) for points in same] for part in PARTS]  # type: ignore[misc]
        axes.stackplot(streams, parts, labels=PARTS)
        axes.set(title=f"with {kind}", xlabel="streams", ylabel="% of a core", xlim=(0, None))
        axes.legend(loc="upper left", fontsize="small")


if __name__ == "__main__":
    sys.exit(main())
