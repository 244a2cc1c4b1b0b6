"""Streams on a real Ray cluster of several nodes: real FFmpeg, real nginx-rtmp, and nodes that die."""

from __future__ import annotations

import contextlib
import io
import itertools
import os
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from PIL import Image

import overlay
from demo.match_feed import NOT_FOUND, Answer, MatchFeed
from demo.viewer import Viewer
from deploy.ray_nodes import RayNodes
from scoreboard import read_push
from tests.drills.watcher import Watcher
from tests.images import mean_distance
from tests.integration.conftest import Camera
from tests.integration.test_on_air import CANVAS, RECOGNISED, strip_as_seen
from tests.service import FFMPEG, PROFILE, ROOT, Rtmp, Service, services
from tests.waiting import eventually, runs

# A stream of this profile and preset asks for 0.39 CPUs: two fit on a node of one.
NODES = ("n1", "n2")
ROOM = 4
BACK_LIMIT_S = 60
# Only who has the token may join, as docs/cluster.md advises.
TOKEN = "a-token-of-the-cluster-that-is-long-enough"
JOINING = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": TOKEN}
PUSHED: dict[str, Any] = {
    "sport": "cricket",
    "title": "Final",
    "batting": {"name": "Mumbai Indians", "short": "MI", "runs": 149, "wickets": 8, "overs": "20.0"},
    "bowling": {"name": "Chennai Super Kings", "short": "CSK", "runs": 12, "wickets": 0, "overs": "1.4"},
}

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cluster")


@pytest.fixture(scope="module")
def nodes(folder: Path) -> Iterator[RayNodes]:
    """Nodes that all tests of this module share; who kills one adds it again. At the end nothing of them is left."""
    (folder / "node-tmp").mkdir()
    cluster = RayNodes(folder, {"TMPDIR": str(folder / "node-tmp"), **JOINING})
    pids: list[int] = []
    try:
        cluster.add_head()
        for name in NODES:
            cluster.add(name, 1)
        yield cluster
        pids = [process.pid for node in cluster.nodes.values() for process in node.processes()]
    finally:
        cluster.close()
    eventually(lambda: not any(map(runs, pids)), 5, "no process of any node is left")
    assert not list((folder / "node-tmp").glob("streaming-overlay-*"))


@pytest.fixture
def front_end(nodes: RayNodes, rtmp: Rtmp, feed: MatchFeed, tmp_path: Path) -> Iterator[Callable[[], Service]]:
    """Start front ends of the cluster; the streams that a test has left are stopped."""
    with services(rtmp, feed.url, tmp_path) as make:
        made: list[Service] = []

        def start(**settings: str) -> Service:
            values = {"stream_backend": "ray", "ray_address": nodes.address, "max_concurrent_streams": "auto"}
            made.append(make(**values | JOINING | settings))
            return made[-1]

        yield start
        for one in made:
            if one.process.poll() is None:
                for name in one.listed():
                    one.post("/stop_stream", {"stream_name": name})
        eventually(lambda: not left_on(nodes), 10, f"nothing of a stream is left on a node: {left_on(nodes)}")


def left_on(nodes: RayNodes) -> list[str]:
    """Actors and FFmpegs that run on a node."""
    return [command[:60] for command in commands_on(nodes) if "StreamActor" in command or "pipe:" in command]


def commands_on(nodes: RayNodes) -> dict[str, dict[str, str]]:
    """The command line of each process that runs on a node, and its environment."""
    found = {}
    for node in nodes.nodes.values():
        for process in node.processes():
            with contextlib.suppress(psutil.Error):  # it has just ended
                found[" ".join(process.cmdline())] = process.environ()
    return found


def status_of(one: Service, name: str) -> dict[str, Any]:
    answer = requests.get(f"{one.url}/streams/{name}", timeout=30)
    assert answer.status_code == 200, answer.text
    status: dict[str, Any] = answer.json()
    return status


def is_back(one: Service, name: str, moves: int = 1) -> bool:
    status = status_of(one, name)
    return status["state"] in ("live", "slate") and len(status["moves"]) >= moves


def metrics_of(one: Service) -> str:
    return requests.get(f"{one.url}/metrics", timeout=30).text


def wait_for_nodes(one: Service, count: int) -> None:
    eventually(lambda: metrics_of(one).count("streaming_node_cpus{") == count, 30, f"{count} nodes are known")


def test_streams_are_spread_refused_and_told_the_same_by_all_front_ends(
    nodes: RayNodes, front_end: Callable[[], Service], rtmp: Rtmp
) -> None:
    one, two, three = front_end(), front_end(), front_end()
    answers: list[requests.Response] = []

    def start(at: Service, name: str) -> None:
        url = rtmp.url("youtube", f"key-of-{name}")
        answers.append(at.post("/start_stream", {"youtube_url": url, "stream_name": name}))

    def compete(*starts: tuple[Service, str]) -> None:
        answers.clear()
        rivals = [threading.Thread(target=start, args=asked) for asked in starts]
        for rival in rivals:
            rival.start()
        for rival in rivals:
            rival.join()

    compete((one, "m1"), (two, "m1"), (one, "m1"), (two, "m1"))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    assert {answer.json().get("error") for answer in answers} == {None, "Stream already active"}

    for name in ("m2", "m3"):
        three.start(name)
    compete((one, "m4"), (two, "m5"))
    assert sorted(answer.status_code for answer in answers) == [200, 429], "there is room for one of them"
    names = sorted(one.listed())
    assert len(names) == ROOM
    assert Counter(status_of(one, name)["node"] for name in names) == {"n1": 2, "n2": 2}

    start(one, "m6")
    refused = answers[-1]
    assert refused.status_code == 429
    assert re.fullmatch(
        r"No capacity left: a stream takes 0.39 CPUs, and there are free: n1 0.22, n2 0.22",
        refused.json()["error"],
    )

    lists = [at.listed() for at in (one, two)]
    assert [list(listed) for listed in lists] == [names, names]
    for name in names:
        assert lists[0][name]["youtube_url"] == rtmp.url("youtube", f"key-of-{name}")
        assert abs(lists[0][name]["uptime"] - lists[1][name]["uptime"]) < 5
    ready = requests.get(f"{two.url}/readyz", timeout=30)
    assert ready.status_code == 503
    assert ready.json()["checks"]["capacity"]["detail"] == "4 of 4 streams run"
    page = metrics_of(two)
    assert 'streaming_node_streams{node="n1"} 2.0' in page
    assert 'streaming_node_streams_room{node="n2"} 0.0' in page
    assert 'streaming_stream_node_info{node="n' in page
    dashboard = requests.get(two.url, timeout=30).text
    assert 'scope="row">n1</th><td>2 streams</td><td>full</td>' in dashboard
    assert "key-of-" not in dashboard + page

    two.stop("m1")
    assert two.post("/stop_stream", {"stream_name": "m1"}).status_code == 404
    eventually(lambda: "m1" not in one.listed())
    start(two, "m6")
    assert answers[-1].status_code == 200, "its room is free again"


def test_a_stream_comes_back_when_its_node_is_killed(
    nodes: RayNodes, front_end: Callable[[], Service], rtmp: Rtmp, camera: Camera, feed: MatchFeed, tmp_path: Path
) -> None:
    feed.data = NOT_FOUND
    one = front_end()
    url = rtmp.url("youtube", "key-of-m1")
    with camera("m1"):
        body = {"youtube_url": url, "stream_name": "m1", "overlay_id": "7", "score_delay_s": 0}
        assert one.post("/start_stream", body).status_code == 200
        one.call("PUT", "/streams/m1/match", PUSHED)
        one.call("PATCH", "/streams/m1", {"score_delay_s": 0.5})
        eventually(lambda: status_of(one, "m1")["state"] == "live", 30)
        time.sleep(1.5)  # what was pushed is kept twice a second
        before = status_of(one, "m1")
        watcher = Watcher(rtmp.server.port, "youtube", "key-of-m1", tmp_path)
        try:
            eventually(lambda: len(watcher.frames) > 30, 20, "the viewer gets frames")
            killed_at = time.monotonic()
            nodes.nodes[before["node"]].kill()
            eventually(lambda: status_of(one, "m1")["reason"], 30, "it is said that something is wrong")
            eventually(lambda: is_back(one, "m1"), BACK_LIMIT_S, "the stream is on air again")
            eventually(lambda: status_of(one, "m1")["state"] == "live", 30)
            eventually(lambda: watcher.between(killed_at + 2), 20, "frames arrive again")
            gap_s = watcher.longest_gap_s(killed_at)
        finally:
            watcher.close()
        print(f"node killed: no frames at the viewer for {gap_s:.1f} s")
        of_ffmpeg = [told for command, told in commands_on(nodes).items() if "pipe:" in command]
        assert of_ffmpeg
        assert not [told for told in of_ffmpeg if TOKEN in told.values()], "FFmpeg joins no cluster"
        after = status_of(one, "m1")
        (move,) = after["moves"]
        other = next(name for name in NODES if name != before["node"])
        assert (move["from_node"], move["to_node"], after["node"]) == (before["node"], other, other)
        assert move["reason"].startswith(f"node {before['node']} is gone")
        assert move["at"].endswith("Z")
        assert after["uptime_s"] > before["uptime_s"], "its start is the first one"
        assert after["score_delay_s"] == 0.5
        assert [called[2].get("overlay_id") for called in feed.calls if called[0] == "POST"].count("7") == 2
        assert f"On node {other}, moved from {before['node']} at" in requests.get(one.url, timeout=30).text
        expected = strip_as_seen(overlay.draw_scoreboard(read_push(PUSHED), CANVAS))
        viewer = Viewer(FFMPEG, url, CANVAS)
        try:
            eventually(
                lambda: viewer.strip is not None and mean_distance(viewer.strip, expected) < RECOGNISED,
                30,
                "the score that was pushed before is in the picture that arrives",
            )
        finally:
            viewer.close()
    one.stop("m1")
    nodes.add(before["node"], 1)
    said = b"".join(path.read_bytes() for path in nodes.logs.iterdir() if path.is_file()) + one.log().encode()
    assert b"[m1] " in said
    assert b"key-of-m1" not in said, "what the nodes log holds no stream key"


def test_a_stream_without_room_waits_and_says_so_until_there_is_some_or_it_is_stopped(
    nodes: RayNodes, front_end: Callable[[], Service], feed: MatchFeed
) -> None:
    one = front_end()
    nodes.nodes["n2"].kill()
    wait_for_nodes(one, 1)
    for name in ("m1", "m2"):
        one.start(name)
    nodes.nodes["n1"].kill()
    waits = "node n1 is gone: the stream waits for room: "
    for name in ("m1", "m2"):
        eventually(lambda name=name: (status_of(one, name)["reason"] or "").startswith(waits), 30)  # type: ignore[misc]
    one.stop("m1")
    told = [body for _, path, body in feed.calls if path.endswith("/stop-match-monitoring")]
    assert told == [{"match_id": "m1"}], "by the front end: the stream has no process that could"
    assert list(one.listed()) == ["m2"]
    for name in NODES:
        nodes.add(name, 1)
    eventually(lambda: is_back(one, "m2"), BACK_LIMIT_S, "it is on air again")
    assert [move["from_node"] for move in status_of(one, "m2")["moves"]] == ["n1"]
    one.stop("m2")


def test_streams_outlive_a_front_end_and_the_head(
    nodes: RayNodes, front_end: Callable[[], Service], rtmp: Rtmp, camera: Camera, tmp_path: Path
) -> None:
    one = front_end()
    with camera("m1"):
        one.start("m1")
        eventually(lambda: status_of(one, "m1")["state"] == "live", 30)
        watcher = Watcher(rtmp.server.port, "youtube", "key-of-m1", tmp_path)
        try:
            eventually(lambda: len(watcher.frames) > 30, 20, "the viewer gets frames")
            fault = time.monotonic()
            one.process.kill()
            one.process.wait()
            two = front_end()
            uptime_s = two.listed()["m1"]["uptime"]
            assert uptime_s > time.monotonic() - fault
            assert status_of(two, "m1")["state"] == "live"

            nodes.nodes["head"].kill()
            before = len(watcher.frames)
            eventually(lambda: len(watcher.frames) > before + 60, 20, "frames arrive while there is no head")
            nodes.add_head()
            three = front_end()
            wait_for_nodes(three, len(NODES))
            assert three.listed()["m1"]["uptime"] > uptime_s
            eventually(lambda: status_of(three, "m1")["state"] == "live", 30)
            assert status_of(three, "m1")["moves"] == []
            three.start("m2")
            three.stop("m2")
            assert watcher.longest_gap_s(fault) < 1.5, "the viewer has noticed nothing"
            assert len({frame.segment for frame in watcher.frames}) == 1
            three.stop("m1")
        finally:
            watcher.close()


def test_a_node_is_drained_one_stream_after_the_other(
    nodes: RayNodes, front_end: Callable[[], Service], rtmp: Rtmp, camera: Camera, tmp_path: Path
) -> None:
    one = front_end()
    wait_for_nodes(one, len(NODES))
    with camera("m1"):
        urls = {"youtube_url": rtmp.url("youtube", "key-of-m1"), "backup_url": rtmp.url("youtube", "backup-of-m1")}
        assert one.post("/start_stream", {"stream_name": "m1"} | urls).status_code == 200
        eventually(lambda: status_of(one, "m1")["state"] == "live", 30)
        eventually(lambda: status_of(one, "m1")["backup"]["state"] == "connected", 30)
        before = status_of(one, "m1")
        other = next(name for name in NODES if name != before["node"])
        watchers = [Watcher(rtmp.server.port, "youtube", key, tmp_path) for key in ("key-of-m1", "backup-of-m1")]
        try:
            eventually(lambda: all(len(watcher.frames) > 30 for watcher in watchers), 20, "frames come both ways")
            began_at = time.monotonic()
            with pushing(one, "m1") as accepted:
                told = drain(nodes, before["node"])
            assert told.returncode == 0, told.stdout + told.stderr
            eventually(lambda: status_of(one, "m1")["state"] == "live", 30)
            time.sleep(1)
            gaps_s = [watcher.longest_gap_s(began_at) for watcher in watchers]
            both = sorted(frame.arrival for watcher in watchers for frame in watcher.between(began_at))
            least_s = max(later - earlier for earlier, later in itertools.pairwise(both))
        finally:
            for watcher in watchers:
                watcher.close()
        print(f"drained: longest gaps {gaps_s[0]:.1f} s (primary), {gaps_s[1]:.1f} s (backup), {least_s:.2f} s (both)")
        assert least_s < min(gaps_s), "one of the two was always served"
        assert least_s < 0.5
        assert re.search(rf"m1: moved to {other} in \d+\.\d s", told.stdout)
        after = status_of(one, "m1")
        (move,) = after["moves"]
        assert (move["from_node"], move["to_node"]) == (before["node"], other)
        assert move["reason"] == f"node {before['node']} is drained for maintenance"
        assert len(accepted) > 5
        board = overlay.draw_scoreboard(read_push(with_runs(accepted[-1])), CANVAS).convert("RGBA")
        png = requests.get(f"{one.url}/streams/m1/overlay.png", timeout=30).content
        assert mean_distance(Image.open(io.BytesIO(png)).convert("RGBA"), board) < 0.05
        assert after["uptime_s"] > before["uptime_s"]
        page = metrics_of(one)
        assert (
            f'streaming_node_draining{{node="{before["node"]}"}} 1.0' in page or f'node="{before["node"]}"' not in page
        )
        one.start("m2")
        assert status_of(one, "m2")["node"] == other
        refused = one.post("/start_stream", {"stream_name": "m3", "youtube_url": rtmp.url("youtube", "key-of-m3")})
        assert refused.status_code == 429
        assert drain(nodes, other).stdout.startswith(f"{other} has 2 streams, and the other nodes have room for 0")
        one.stop("m1")
    one.stop("m2")
    nodes.nodes[before["node"]].end()
    nodes.add(before["node"], 1)


def with_runs(runs: int) -> dict[str, Any]:
    return PUSHED | {"batting": {**PUSHED["batting"], "runs": runs}}


@contextlib.contextmanager
def pushing(one: Service, name: str) -> Iterator[list[int]]:
    """Push score after score for the length of the block; gives those that were taken."""
    accepted: list[int] = []
    answers: set[int] = set()
    done = threading.Event()

    def run() -> None:
        for score in itertools.count(100):
            if done.wait(0.2):
                return
            answer = requests.put(f"{one.url}/streams/{name}/match", json=with_runs(score), timeout=30)
            answers.add(answer.status_code)
            if answer.ok:
                accepted.append(score)

    pusher = threading.Thread(target=run)
    pusher.start()
    try:
        yield accepted
    finally:
        done.set()
        pusher.join()
    assert answers <= {200, 503}


def drain(nodes: RayNodes, name: str) -> subprocess.CompletedProcess[str]:
    """What an operator types before maintenance."""
    environment = (
        os.environ
        | JOINING
        | {
            "STREAM_BACKEND": "ray",
            "RAY_ADDRESS": nodes.address,
            "OUTPUT_PROFILE": PROFILE,
            "X264_PRESET": "superfast",
            "PYTHONPATH": str(ROOT),
        }
    )
    return subprocess.run(
        [sys.executable, "-m", "deploy.drain", name],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_what_fails_is_told_and_what_is_asked_for_comes_from_the_node(
    front_end: Callable[..., Service], rtmp: Rtmp, feed: MatchFeed
) -> None:
    one = front_end(max_stream_duration_s="12")
    feed.start = Answer(b"no", 500)
    refused = one.post("/start_stream", {"stream_name": "m1", "youtube_url": rtmp.url("youtube", "key-of-m1")})
    assert (refused.status_code, refused.json()) == (500, {"error": "Failed to start match monitoring"})
    assert one.listed() == {}
    assert requests.get(f"{one.url}/streams/m1", timeout=30).status_code == 404

    feed.start = Answer.of({"ok": True})
    one.start("m1")
    one.call("PUT", "/streams/m1/match", PUSHED)
    board = overlay.draw_scoreboard(read_push(PUSHED), CANVAS)
    png = requests.get(f"{one.url}/streams/m1/overlay.png", timeout=30).content
    assert mean_distance(Image.open(io.BytesIO(png)).convert("RGBA"), board.convert("RGBA")) < 1
    eventually(lambda: requests.get(f"{one.url}/streams/m1/preview.jpg", timeout=30).content[:2] == b"\xff\xd8", 20)
    hook = requests.post(f"{one.url}/hooks/publish", data={"name": "m1"}, timeout=30)
    assert hook.status_code == 204

    eventually(lambda: status_of(one, "m1")["state"] == "failed", 30, "it has lasted for as long as it may")
    failed = status_of(one, "m1")
    assert failed["reason"] == "it has lasted MAX_STREAM_DURATION_S"
    assert failed["node"] in NODES
    assert 'streaming_streams_ended_total{outcome="failed"} 1.0' in metrics_of(one)
    eventually(lambda: one.listed() == {}, 10)
    assert requests.delete(f"{one.url}/streams/m1", timeout=30).status_code == 200
    assert requests.get(f"{one.url}/streams/m1", timeout=30).status_code == 404


def test_the_service_says_when_there_is_no_cluster(front_end: Callable[..., Service], tmp_path: Path) -> None:
    environment = os.environ | {"STREAM_BACKEND": "ray", "RAY_ADDRESS": "127.0.0.9:9", "LOG_DIR": str(tmp_path / "l")}
    ended = subprocess.run(
        [sys.executable, str(ROOT / "app.py")],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr.rstrip().rpartition("\n")[2].startswith("RAY_ADDRESS: 127.0.0.9:9: ")
