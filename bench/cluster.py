"""`make bench-cluster`: hundreds of streams on a Ray cluster, and the cost of a lost node, all on this machine.

There are five nodes and a head on loopback, one front end, and each stream in its
own process on some node. FFmpeg is a stand-in (`stand_in.c`) that writes half a
second at once, so that the machine has time for the processes.

At each number of streams the front end is called for a while, and the processes
are measured. The curve ends when time is up, before memory is full, or when starts
fail. A running stream gets only spare CPU time (SCHED_IDLE): on real machines it
would not compete with the starting ones, nor with the front end.

Then a node is killed with all its streams, and the time is measured until all of
them answer from another node. `--help` has the options.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import os
import re
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil
import requests

from bench.cpu import machine_s
from bench.loopback import leave_in_order
from bench.many import build_stand_in
from bench.report import ROOT, Figure, Report, finish, number, parser, quantile, tell
from deploy.ray_nodes import WATCH, RayNodes, ray_nodes
from deploy.rtmp_server import free_port, listens
from media.capacity import cpus_to_reserve
from media.encoders import X264, Encoder
from media.profiles import PROFILES
from relay import installed
from tests.service import running
from tests.waiting import eventually

PROFILE, PRESET = PROFILES["480p30"], "ultrafast"
NEED = cpus_to_reserve(PROFILE, Encoder(X264, PRESET, ""))
NODES = tuple(f"node-{number}" for number in range(1, 6))
BUNCH_US = 500_000
SPARE_ROOM = 1.3
LIST_EVERY_S = 0.05
SETTLE_S = 5.0
CALL_LIMIT_S = 150.0  # longer than the time limit of a start
LOOKED_AT = 40  # so many processes have their memory read, which stops each for a moment
_INGEST = re.compile(rb"/live/(c\d{4})\b")
STEP_BACK_S = 2.0
ANSWERED_S = 6.0
# An estimate until the first streams show what one takes, and what must stay free.
MB_A_STREAM, KEPT_FREE_MB = 80.0, 900.0
FEWEST_MORE = 5
MAY_FAIL = 5
BACK_LIMIT_S = 120.0
LOOK_S = 0.1
# As in Ray 2.60 (ray_config_def.h).
RAYS_OWN_WATCH = {
    "RAY_health_check_initial_delay_ms": "5000",
    "RAY_health_check_period_ms": "3000",
    "RAY_health_check_timeout_ms": "10000",
    "RAY_health_check_failure_threshold": "5",
}
WATCHES = {"deploy/ray_nodes.py": WATCH, "Ray by default": RAYS_OWN_WATCH}
# Otherwise Ray would kill streams when memory is short.
LEFT_TO_THE_BENCH = {"RAY_memory_monitor_refresh_ms": "0"}
SILENT = ("does not answer", "is gone", "The cluster's head")


@dataclass
class Point:
    """The cluster at one number of streams. Start times are those since the previous number."""

    streams: int
    start_s: list[float]
    starting_s: float
    list_ms: list[float] = field(default_factory=list)
    statuses_ms: list[float] = field(default_factory=list)
    answered: list[float] = field(default_factory=list)  # the share of the streams, for each call
    pss_mb: list[float] = field(default_factory=list)
    uss_mb: list[float] = field(default_factory=list)
    taken_mb: float = 0.0  # by the whole machine, since before the cluster
    front_end_mb: float = 0.0
    threads: int = 0
    busy: float = 0.0
    spread: dict[str, int] = field(default_factory=dict)

    @property
    def starts_a_second(self) -> float:
        return len(self.start_s) / self.starting_s if self.starting_s else 0.0


@dataclass
class Climb:
    """A climb from no stream to the most: its points, why it ended early, and how all streams were stopped."""

    points: list[Point] = field(default_factory=list)
    end: str = ""
    failures: list[str] = field(default_factory=list)
    stop_s: list[float] = field(default_factory=list)
    stopping_s: float = 0.0


def main() -> int:
    options = _options()
    leave_in_order()
    binary = installed.find_ffmpeg("ffmpeg")
    with tempfile.TemporaryDirectory(prefix="bench-cluster-") as name:
        folder = Path(name)
        program, env = build_stand_in(folder, binary)
        index = Path(env["STAND_IN_INDEX"])
        index.write_bytes(bunched(index.read_bytes(), BUNCH_US))
        climb = _measure_climb(folder, program, env, options) if options.streams else None
        losses = {
            name: _losses(folder, program, env | watch, options.carried, options.kills)
            for name, watch in (WATCHES.items() if options.kills else ())
        }
    return finish(_report(climb, losses, options), options.document, binary)


def _options() -> Any:
    made = parser("streams on a Ray cluster of five nodes, with stand-ins for FFmpeg")
    made.add_argument("--streams", nargs="*", type=int, default=[50, 100, 200, 350, 500], help="%(default)s")
    made.add_argument("--seconds", type=float, default=8, help="how long each number is watched (%(default)s)")
    made.add_argument("--awake", type=int, default=100, help="above this number streams are paused (%(default)s)")
    made.add_argument("--callers", type=int, default=3, help="starts and stops at once (%(default)s)")
    made.add_argument("--minutes", type=float, default=10, help="after this time no more are started (%(default)s)")
    made.add_argument("--kills", type=int, default=3, help="nodes killed with each health check (%(default)s)")
    made.add_argument("--carried", type=int, default=10, help="streams on a node that is killed (%(default)s)")
    return made.parse_args()


def bunched(index: bytes, step_us: int) -> bytes:
    """A stand-in's index in which everything within a step is due at its beginning: same bytes, fewer wake-ups."""
    entries = struct.iter_unpack("=II", index)
    return b"".join(struct.pack("=II", due // step_us * step_us, size) for due, size in entries)


def cpus_for(streams: int, nodes: int) -> int:
    """Whole CPUs of each node, as Ray wants them. More than needed, so that it is Ray who spreads the streams."""
    return math.ceil(SPARE_ROOM * NEED * streams / nodes) + 1


@contextlib.contextmanager
def _front_end(folder: Path, cluster: RayNodes, program: Path) -> Iterator[tuple[str, psutil.Process]]:
    """`python app.py` as it runs beside a node. Gives its address and process."""
    port = free_port()
    with tempfile.TemporaryDirectory(dir=folder) as temp:
        settings = {
            "HOST": "127.0.0.1",
            "PORT": str(port),
            "STREAM_BACKEND": "ray",
            "RAY_ADDRESS": cluster.address,
            "RTMP_SERVER": f"rtmp://127.0.0.1:{free_port()}/live",
            "OVERLAY_API_BASE": "",
            "OVERLAY_IMAGE_BASE": "",
            "OVERLAY_SOURCE": "data",
            "OUTPUT_PROFILE": PROFILE.name,
            "X264_PRESET": PRESET,
            "FFMPEG_BIN": str(program),
            "LOG_DIR": str(Path(temp) / "logs"),
            "LOG_LEVEL": "WARNING",
            "TMPDIR": temp,
        }
        argv = [sys.executable, str(ROOT / "app.py")]
        # Ray prints warnings about so many processes to stdout, which here is for the JSON.
        env = cluster.environment | settings
        with running(argv, cwd=temp, env=env, stdout=subprocess.DEVNULL) as process:
            eventually(lambda: listens("127.0.0.1", port), 60, "the front end listens")
            yield f"http://127.0.0.1:{port}", psutil.Process(process.pid)
            process.terminate()
            process.wait(30)


def _measure_climb(folder: Path, program: Path, env: Mapping[str, str], options: Any) -> Climb:
    cpus = cpus_for(max(options.streams), len(NODES))
    free_before = _free_mb()
    with (
        ray_nodes(folder / "curve", dict.fromkeys(NODES, cpus), {**env, **LEFT_TO_THE_BENCH}) as cluster,
        _front_end(folder, cluster, program) as (url, front_end),
        _resting(program) as resting,
    ):
        bench = _Climber(url, front_end, program, options, free_before, resting)
        try:
            bench.climb(options.streams, options.seconds)
        finally:
            bench.stop_all()
    return bench.result


class _Climber:
    """Starts more and more streams, and measures them."""

    def __init__(
        self,
        url: str,
        front_end: psutil.Process,
        program: Path,
        options: Any,
        free_before_mb: float,
        resting: _Resting,
    ) -> None:
        self.result = Climb()
        self._url = url
        self._front_end = front_end
        self._program = program
        self._callers = options.callers
        self._awake = options.awake
        self._resting = resting
        self._minutes = options.minutes
        self._deadline = time.monotonic() + 60 * options.minutes
        self._free_before_mb = free_before_mb
        self._free_at_first_mb = _free_mb()
        self._names: list[str] = []
        self._lock = threading.Lock()
        self._gave_up = threading.Event()
        self._numbers = itertools.count()

    def climb(self, numbers: Sequence[int], seconds: float) -> None:
        for wanted in numbers:
            count = self._affordable(wanted)
            if count - len(self._names) < FEWEST_MORE:
                return
            if count > self._awake:
                self._resting.asleep.set()
            point = self._start_up_to(count)
            if point is None:
                return
            time.sleep(SETTLE_S)
            self._watch(point, seconds)
            self.result.points.append(point)
            tell(_line(point))
            if self.result.end:
                return

    def _affordable(self, wanted: int) -> int:
        """The wanted number, or as many as fit into memory."""
        running, free = len(self._names), _free_mb()
        each = (self._free_at_first_mb - free) / running if running else MB_A_STREAM
        most = affordable(wanted, running, each, free)
        if most < wanted:
            self.result.end = f"memory is full with {most}: a stream takes {each:.0f} MB of this machine"
            tell(self.result.end)
        return most

    def _start_up_to(self, count: int) -> Point | None:
        """Start streams until there are `count`. Returns None if nearly all failed."""
        times: list[float] = []
        with ThreadPoolExecutor(self._callers) as pool:
            began = time.monotonic()
            try:
                for took in pool.map(lambda _: self._start(), range(count - len(self._names))):
                    times += [] if took is None else [took]
            except BaseException:  # the end of the pool would wait for all the others
                self._gave_up.set()
                raise
            starting_s = time.monotonic() - began
        return Point(len(self._names), times, starting_s) if len(times) >= FEWEST_MORE else None

    def _start(self) -> float | None:
        """The seconds that the start took, or None if it failed or was no longer tried."""
        if not self._gave_up.is_set() and _free_mb() < KEPT_FREE_MB / 2:
            self._give_up(f"memory is full with {len(self._names)}")
        if not self._gave_up.is_set() and time.monotonic() > self._deadline:
            self._give_up(f"{self._minutes:g} minutes were up with {len(self._names)}")
        if self._gave_up.is_set():
            return None
        name = f"c{next(self._numbers):04}"
        body = {"youtube_url": f"rtmp://127.0.0.1/live2/key-of-{name}", "stream_name": name}
        began = time.monotonic()
        failure = _failure_of(self._url, "start_stream", body)
        took = time.monotonic() - began
        with self._lock:
            if failure is None:
                self._names.append(name)
                return took
            self.result.failures.append(failure)
            tell(f"start {name}: {failure}, after {took:.1f} s")
            if len(self.result.failures) > MAY_FAIL:
                self._give_up(f"starts failed with {len(self._names)}: {failure}")
        return None

    def _give_up(self, why: str) -> None:
        self.result.end = why
        self._gave_up.set()
        tell(why)

    def _watch(self, point: Point, seconds: float) -> None:
        busy = machine_s()
        with requests.Session() as session:
            point.list_ms = _asked(session, f"{self._url}/list_streams", seconds)[0]
            statuses_ms, answers = _asked(session, f"{self._url}/streams", seconds)
        busy_s, there_s = (last - first for first, last in zip(busy, machine_s(), strict=True))
        point.busy = busy_s / there_s
        listed = [answer["streams"] for answer in answers]
        if not self._resting.asleep.is_set():
            point.statuses_ms = statuses_ms
            point.answered = [answered_share(streams, point.streams) for streams in listed]
        point.spread = dict(sorted(Counter(stream["node"] for stream in listed[-1]).items()))
        point.taken_mb = self._free_before_mb - _free_mb()
        point.front_end_mb = self._front_end.memory_info().rss / 2**20
        actors = [psutil.Process(pid) for pid in sorted(_carriers(self._program))]
        for actor in actors[:: max(1, len(actors) // LOOKED_AT)]:
            with contextlib.suppress(psutil.Error):
                known = actor.memory_full_info()
                point.pss_mb.append(known.pss / 2**20)
                point.uss_mb.append(known.uss / 2**20)
                point.threads = actor.num_threads()

    def stop_all(self) -> None:
        self._resting.close()
        began = time.monotonic()
        with ThreadPoolExecutor(self._callers) as pool:
            self.result.stop_s = list(pool.map(self._stop, self._names))
        self.result.stopping_s = time.monotonic() - began
        tell(f"{len(self._names)} stops {self.result.stopping_s:.1f} s")

    def _stop(self, name: str) -> float:
        self._resting.wake(name)
        began = time.monotonic()
        failure = _failure_of(self._url, "stop_stream", {"stream_name": name})
        if failure:
            self.result.failures.append(f"stop: {failure}")
        return time.monotonic() - began


def _failure_of(url: str, call: str, body: dict[str, str]) -> str | None:
    """Why a call failed; None if it did not."""
    try:
        answer = requests.post(f"{url}/{call}", json=body, timeout=CALL_LIMIT_S)
    except requests.RequestException as error:
        return type(error).__name__
    if answer.ok:
        return None
    # After the semicolon there are figures that change all the time.
    return f"{answer.status_code} {answer.json().get('error', '').partition(';')[0]}"


def _asked(session: requests.Session, url: str, seconds: float) -> tuple[list[float], list[Any]]:
    """Milliseconds and answers of a call that is repeated for this time."""
    times: list[float] = []
    answers: list[Any] = []
    began = time.monotonic()
    while time.monotonic() - began < seconds or not times:
        asked = time.perf_counter()
        answer = session.get(url, timeout=CALL_LIMIT_S)
        times.append(1000 * (time.perf_counter() - asked))
        answer.raise_for_status()
        answers.append(answer.json())
        time.sleep(LIST_EVERY_S)
    return times, answers


def answered_share(statuses: Sequence[Mapping[str, Any]], streams: int) -> float:
    """The share of the streams that answered themselves, instead of a front end from its memory."""
    own = [status for status in statuses if not any(word in (status["reason"] or "") for word in SILENT)]
    return len(own) / streams


def affordable(wanted: int, running: int, mb_each: float, free_mb: float) -> int:
    """How many of the wanted streams fit into memory, without what is kept free."""
    more = int((free_mb - KEPT_FREE_MB) / mb_each)
    return max(running, min(wanted, running + more))


def _free_mb() -> float:
    """The memory that could be used before anything is killed."""
    return float(psutil.virtual_memory().available + psutil.swap_memory().free) / 2**20


def _carriers(program: Path) -> dict[int, list[int]]:
    """The processes that run a stream, with their stand-ins."""
    found: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            if (folder / "exe").readlink() == program:
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                found.setdefault(parent, []).append(int(folder.name))
    return found


class _Resting:
    """Keeps running streams off the cores on which others start. `close()` ends its thread.

    Five machines would have cores of their own. At first running streams get only the
    time that is left over. Once `asleep` is set they are paused.
    """

    def __init__(self, program: Path) -> None:
        self.asleep = threading.Event()
        self._program = program
        self._closed = threading.Event()
        self._seen: dict[int, float] = {}
        self._stopped: set[int] = set()
        self._by_name: dict[str, list[int]] = {}
        self._thread = threading.Thread(target=self._run, name="resting")
        self._thread.start()

    def close(self) -> None:
        """Pause no more streams. Those that are paused stay so until they are woken."""
        self._closed.set()
        self._thread.join()
        self._by_name = _carriers_by_name(self._program)

    def wake(self, name: str) -> None:
        for pid in self._by_name.get(name, ()):
            _signal(pid, signal.SIGCONT)

    def wake_all(self) -> None:
        for pid in self._stopped:
            _signal(pid, signal.SIGCONT)

    def _run(self) -> None:
        behind: set[int] = set()
        while not self._closed.wait(STEP_BACK_S):
            now = time.monotonic()
            for pid, children in _carriers(self._program).items():
                for one in {pid, *children} - behind:
                    _put_behind(one)
                    behind.add(one)
                # Its start is answered a moment after its FFmpegs have started.
                if self.asleep.is_set() and now - self._seen.setdefault(pid, now) > ANSWERED_S:
                    for one in {pid, *children} - self._stopped:
                        _signal(one, signal.SIGSTOP)
                        self._stopped.add(one)


def _carriers_by_name(program: Path) -> dict[str, list[int]]:
    """The process and stand-ins of each stream, whose name is in the compositor's command line."""
    found: dict[str, list[int]] = {}
    for pid, children in _carriers(program).items():
        for child in children:
            with contextlib.suppress(OSError):
                named = _INGEST.search(Path(f"/proc/{child}/cmdline").read_bytes())
                if named:
                    found[named[1].decode()] = [pid, *children]
    return found


@contextlib.contextmanager
def _resting(program: Path) -> Iterator[_Resting]:
    resting = _Resting(program)
    try:
        yield resting
    finally:
        resting.close()
        resting.wake_all()


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(OSError):
        os.kill(pid, number)


def _put_behind(pid: int) -> None:
    """Do it for each thread, because Linux schedules each by itself."""
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(OSError):
                os.sched_setscheduler(int(thread), os.SCHED_IDLE, os.sched_param(0))


def _losses(folder: Path, program: Path, env: Mapping[str, str], carried: int, kills: int) -> list[float]:
    """Kill one node after the other, each with all streams. Returns the seconds until all answer from the next node."""
    losses = []
    cpus = math.ceil(NEED * carried) + 1
    with (
        ray_nodes(folder / f"loss-{time.monotonic_ns()}", {"first": cpus}, env) as cluster,
        _front_end(folder, cluster, program) as (url, _),
    ):
        names = [f"k{number:03}" for number in range(carried)]
        for name in names:
            failure = _failure_of(
                url, "start_stream", {"youtube_url": f"rtmp://127.0.0.1/live2/key-of-{name}", "stream_name": name}
            )
            if failure:
                sys.exit(f"start {name}: {failure}")
        has_them = "first"
        for turn in range(kills):
            successor = f"next-{turn}"
            cluster.add(successor, cpus)
            time.sleep(SETTLE_S)
            losses.append(_lose(cluster, url, has_them, successor, carried))
            tell(f"{has_them} killed: all streams are back after {losses[-1]:.1f} s")
            has_them = successor
    return losses


def _lose(cluster: RayNodes, url: str, lost: str, successor: str, carried: int) -> float:
    began = time.monotonic()
    cluster.nodes[lost].kill()
    while time.monotonic() - began < BACK_LIMIT_S:
        streams = requests.get(f"{url}/streams", timeout=CALL_LIMIT_S).json()["streams"]
        if answered_share([stream for stream in streams if stream["node"] == successor], carried) == 1:
            return time.monotonic() - began
        time.sleep(LOOK_S)
    sys.exit(f"not all of {carried} streams were back within {BACK_LIMIT_S:g} s")


def _line(point: Point) -> str:
    start, slow = (quantile(point.start_s, share) for share in (0.5, 0.95))
    return (
        f"{point.streams:4} streams: start {start:.2f} s, p95 {slow:.2f} s, {point.starts_a_second:.2f}/s;"
        f" list {quantile(point.list_ms, 0.5):.1f} ms, statuses {_ms(point.statuses_ms, 0.5)},"
        f" {min(point.answered, default=0):.0%} answered themselves; {quantile(point.pss_mb, 0.5):.1f} MB each,"
        f" {point.taken_mb:.0f} MB taken; machine busy {point.busy:.0%}; {point.spread}"
    )


def _report(climb: Climb | None, losses: Mapping[str, Sequence[float]], options: Any) -> Report:
    report = Report(
        "Cluster",
        [
            f"A Ray cluster with a head and {len(NODES)} nodes, one front end and {options.callers} callers. Each",
            f"stream has its own process, with stand-ins for FFmpeg that write half a second of {PROFILE.name} at",
            "once. Everything runs on one machine, so the processes of all streams share its cores with the front end",
            "and the callers. Running streams get only spare CPU time (SCHED_IDLE), and above",
            f"{options.awake} streams they are paused (SIGSTOP) until they are stopped, because five machines would",
            "have cores for them. Memory beyond that of the machine is swap. `/streams` asks the streams themselves,",
            "and is measured only while none is paused.",
        ],
        data={
            "climb": asdict(climb) if climb else None,
            "losses": {name: list(found) for name, found in losses.items()},
        },
    )
    if climb and climb.points:
        report.figures += _figures(climb)
        report.lines += ["", *_curve(climb.points)]
        report.plot = lambda canvas: _plot(canvas, climb.points)
    for name, found in losses.items():
        what = f"a node with {options.carried} streams is killed, health check as in {name}: all answer again"
        report.figures.append(Figure(what, "s", found))
    return report


def _figures(climb: Climb) -> list[Figure]:
    last = climb.points[-1]
    awake = next((point for point in reversed(climb.points) if point.statuses_ms), last)
    most, spread = last.streams, list(last.spread.values())
    failed = Counter(climb.failures)
    why = "; ".join(f"{count} × {what}" for what, count in failed.items())
    return [
        Figure("streams at once", "", [most], why=climb.end),
        Figure("memory of the machine for each additional stream", "MB", [mb_a_stream(climb.points)]),
        Figure(f"start, {most} streams", "s", last.start_s),
        Figure(f"start, {most} streams, p95", "s", last.start_s, "p95"),
        Figure(f"starts per second, {most} streams", "", [last.starts_a_second]),
        Figure("calls that failed", "", [len(climb.failures)], limit=0, why=why),
        Figure(f"/list_streams, {most} streams", "ms", last.list_ms),
        Figure(f"/list_streams p99, {most} streams", "ms", [quantile(last.list_ms, 0.99)]),
        Figure(f"/streams, {awake.streams} streams", "ms", awake.statuses_ms),
        Figure(f"/streams p99, {awake.streams} streams", "ms", [quantile(awake.statuses_ms, 0.99)]),
        Figure("/streams: statuses that came from the streams themselves", "%", [100 * one for one in awake.answered]),
        Figure("memory of a stream's process (PSS)", "MB", last.pss_mb),
        Figure("memory of a stream's process (USS)", "MB", last.uss_mb),
        Figure(f"one stop, {most} streams", "s", climb.stop_s),
        Figure(f"all {most} stops", "s", [climb.stopping_s]),
        Figure("difference between the fullest and the emptiest node, streams", "", [max(spread) - min(spread)]),
    ]


def mb_a_stream(points: Sequence[Point]) -> float:
    """Memory for each stream between the first and the last point; with one point, including that of the nodes."""
    first, last = points[0], points[-1]
    if first is last:
        return last.taken_mb / last.streams
    return (last.taken_mb - first.taken_mb) / (last.streams - first.streams)


def _curve(points: Sequence[Point]) -> list[str]:
    heads = (
        *("streams", "start, median", "p95", "starts per second"),
        *("/list_streams p50", "p99", "/streams p50", "p99", "own answers"),
        *("PSS", "USS", "memory of the machine", "front end", "threads each", "machine busy", "on the nodes"),
    )
    return [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads), *map(_row, points)]


def _row(point: Point) -> str:
    calls = [_ms(times, share) for times in (point.list_ms, point.statuses_ms) for share in (0.5, 0.99)]
    cells = [
        str(point.streams),
        *(f"{number(quantile(point.start_s, share))} s" for share in (0.5, 0.95)),
        number(point.starts_a_second),
        *calls,
        f"{quantile(point.answered, 0.5):.0%}" if point.answered else "–",
        *(f"{number(quantile(sizes, 0.5))} MB" for sizes in (point.pss_mb, point.uss_mb)),
        f"{point.taken_mb / 1024:.1f} GB",
        f"{point.front_end_mb:.0f} MB",
        str(point.threads),
        f"{point.busy:.0%}",
        ", ".join(map(str, point.spread.values())),
    ]
    return f"| {' | '.join(cells)} |"


def _ms(times: Sequence[float], share: float) -> str:
    """A dash if nothing was measured."""
    return f"{number(quantile(times, share))} ms" if times else "–"


def _plot(canvas: Any, points: Sequence[Point]) -> None:
    streams = [point.streams for point in points]
    starts, asked, memory = canvas.subplots(1, 3)
    for share, label in ((0.5, "median"), (0.95, "p95")):
        starts.plot(streams, [quantile(point.start_s, share) for point in points], marker="o", label=label)
    starts.set(title="a start", ylabel="s")
    awake = [point for point in points if point.statuses_ms]
    for name, counts, times in (
        ("/list_streams", streams, [point.list_ms for point in points]),
        ("/streams", [point.streams for point in awake], [point.statuses_ms for point in awake]),
    ):
        lines = asked.plot(counts, [quantile(one, 0.5) for one in times], marker="o", label=f"{name} p50")
        slowest = [quantile(one, 0.99) for one in times]
        asked.plot(counts, slowest, linestyle="--", color=lines[0].get_color(), label=f"{name} p99")
    asked.set(title="a call", ylabel="ms", yscale="log")
    memory.plot(streams, [point.taken_mb / 1024 for point in points], marker="o", label="all")
    whole = [quantile(point.pss_mb, 0.5) * point.streams / 1024 for point in points]
    memory.plot(streams, whole, marker="o", label="the streams' processes (PSS)")
    memory.set(title="memory", ylabel="GB")
    for axes in (starts, asked, memory):
        axes.set(xlabel="streams", xlim=(0, None))
        axes.legend(fontsize="x-small")
    for axes in (starts, memory):
        axes.set_ylim(0, None)


if __name__ == "__main__":
    sys.exit(main())
