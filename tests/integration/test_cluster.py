"""Streams on a real Ray cluster of several nodes, with real FFmpeg and nginx-rtmp."""

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

import pytest
import requests
from PIL import Image

from demo.match_feed import Answer, MatchFeed
from deploy.ray_nodes import RayNodes
from graphics import drawing
from scoring.reading import read_push
from tests.drills.proxy import TcpProxy
from tests.drills.watcher import Watcher
from tests.images import mean_distance
from tests.integration.cluster import JOINING, NODES, PUSHED, ROOM, metrics_of, status_of, wait_for_nodes
from tests.integration.conftest import Camera
from tests.integration.test_on_air import CANVAS
from tests.service import PROFILE, ROOT, Rtmp, Service
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(240)


def test_streams_are_spread_and_all_front_ends_say_the_same(
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

    eventually(lambda: metrics_of(one).count("streaming_node_streams_room{") == 2)
    eventually(lambda: not re.search(r"streaming_node_streams_room\{.*\} [1-9]", metrics_of(one)), 20, "both are full")
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

    def has_started() -> bool:
        start(two, "m6")
        return answers[-1].status_code == 200

    eventually(has_started, 30, "its room is free again")


def test_a_node_is_drained_stream_by_stream(
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
            eventually(
                lambda: all(len(watcher.frames) > 30 for watcher in watchers), 20, "frames arrive at both destinations"
            )
            began_at = time.monotonic()
            with pushing(one, "m1") as accepted:
                ended = drain(nodes, before["node"])
            assert ended.returncode == 0, ended.stdout + ended.stderr
            eventually(lambda: status_of(one, "m1")["state"] == "live", 30)
            eventually(lambda: all(absences(watcher, began_at) for watcher in watchers), 20, "both have been moved")
            away = [absence for watcher in watchers for absence in absences(watcher, began_at)]
            assert len(away) == len(watchers)
        finally:
            for watcher in watchers:
                watcher.close()
        both_s = min(back for _, back in away) - max(left for left, _ in away)
        gaps_s = [back - left for left, back in away]
        print(f"away: {gaps_s[0]:.1f} s (primary), {gaps_s[1]:.1f} s (backup), {max(0.0, both_s):.2f} s (both)")
        assert both_s < 0.5, "one of the two destinations must always be served"
        assert re.search(rf"m1: moved to {other} in \d+\.\d s", ended.stdout)
        after = status_of(one, "m1")
        (move,) = after["moves"]
        assert (move["from_node"], move["to_node"]) == (before["node"], other)
        assert move["reason"] == f"node {before['node']} is drained for maintenance"
        assert len(accepted) > 5
        board = drawing.draw_scoreboard(read_push(with_runs(accepted[-1])), CANVAS).convert("RGBA")
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


def absences(watcher: Watcher, since: float) -> list[tuple[float, float]]:
    """For each new connection: when the last frame before it and the first frame on it arrived."""
    frames = watcher.between(since)
    return [
        (before.arrival, after.arrival)
        for before, after in itertools.pairwise(frames)
        if after.segment != before.segment
    ]


def test_a_stream_stays_if_the_other_node_does_not_reach_its_destination(
    nodes: RayNodes, front_end: Callable[[], Service], rtmp: Rtmp, camera: Camera, tmp_path: Path
) -> None:
    one = front_end()
    wait_for_nodes(one, len(NODES))
    way = TcpProxy(rtmp.server.port)
    try:
        with camera("m1"):
            url = f"rtmp://127.0.0.1:{way.port}/youtube/key-of-m1"
            assert one.post("/start_stream", {"stream_name": "m1", "youtube_url": url}).status_code == 200
            eventually(lambda: status_of(one, "m1")["state"] == "live", 30)
            before = status_of(one, "m1")
            way.drop_new()
            ended = drain(nodes, before["node"])
            other = next(name for name in NODES if name != before["node"])
            assert f"m1: stays: Node {other} does not reach the primary destination: the stream stays" in ended.stdout
            assert ended.stdout.endswith(f"1 stream left on {before['node']}: make room, and run this again\n")
            assert ended.returncode == 1
            way.heal()
            eventually(lambda: status_of(one, "m1")["state"] == "live", 60)
            after = status_of(one, "m1")
            assert (after["node"], after["moves"]) == (before["node"], [])
            one.stop("m1")
    finally:
        way.close()
    nodes.nodes[before["node"]].end()
    nodes.add(before["node"], 1)


def with_runs(runs: int) -> dict[str, Any]:
    return PUSHED | {"batting": {**PUSHED["batting"], "runs": runs}}


@contextlib.contextmanager
def pushing(one: Service, name: str) -> Iterator[list[int]]:
    """Push score after score during the block. Gives those that were accepted."""
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
    """Run the command that empties a node before maintenance."""
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


def test_failures_are_reported_and_answers_come_from_the_node(
    front_end: Callable[..., Service], rtmp: Rtmp, feed: MatchFeed
) -> None:
    one = front_end(max_stream_duration_s="15")
    feed.start = Answer(b"no", 500)
    refused = one.post("/start_stream", {"stream_name": "m1", "youtube_url": rtmp.url("youtube", "key-of-m1")})
    assert (refused.status_code, refused.json()) == (500, {"error": "Failed to start match monitoring"})
    assert one.listed() == {}
    assert requests.get(f"{one.url}/streams/m1", timeout=30).status_code == 404

    feed.start = Answer.of({"ok": True})
    one.start("m1")
    one.call("PUT", "/streams/m1/match", PUSHED)
    board = drawing.draw_scoreboard(read_push(PUSHED), CANVAS)
    png = requests.get(f"{one.url}/streams/m1/overlay.png", timeout=30).content
    assert mean_distance(Image.open(io.BytesIO(png)).convert("RGBA"), board.convert("RGBA")) < 1
    eventually(lambda: requests.get(f"{one.url}/streams/m1/preview.jpg", timeout=30).content[:2] == b"\xff\xd8", 20)
    hook = requests.post(f"{one.url}/hooks/publish", data={"name": "m1"}, timeout=30)
    assert hook.status_code == 204

    eventually(lambda: status_of(one, "m1")["state"] == "failed", 60, "it has lasted for as long as it may")
    failed = status_of(one, "m1")
    assert failed["reason"] == "it has lasted MAX_STREAM_DURATION_S"
    assert failed["node"] in NODES
    eventually(lambda: 'streaming_streams_ended_total{outcome="failed"} 1.0' in metrics_of(one))
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
