"""Nodes, front ends and the head of a real Ray cluster are killed, with real FFmpeg and nginx-rtmp."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from demo.match_feed import NOT_FOUND, MatchFeed
from demo.viewer import Viewer
from deploy.ray_nodes import RayNodes
from graphics import drawing
from scoring.reading import read_push
from tests.drills.watcher import Watcher
from tests.images import mean_distance
from tests.integration.cluster import (
    BACK_LIMIT_S,
    NODES,
    PUSHED,
    TOKEN,
    commands_on,
    is_back,
    status_of,
    wait_for_nodes,
)
from tests.integration.conftest import Camera
from tests.integration.test_on_air import CANVAS, RECOGNISED, strip_as_seen
from tests.service import FFMPEG, Rtmp, Service
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(240)


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
        time.sleep(1.5)  # the pushed score is saved twice a second
        before = status_of(one, "m1")
        watcher = Watcher(rtmp.server.port, "youtube", "key-of-m1", tmp_path)
        try:
            eventually(lambda: len(watcher.frames) > 30, 20, "the viewer gets frames")
            killed_at = time.monotonic()
            nodes.nodes[before["node"]].kill()
            eventually(lambda: status_of(one, "m1")["reason"], 30, "the status says that something is wrong")
            eventually(lambda: is_back(one, "m1"), BACK_LIMIT_S, "the stream is on air again")
            eventually(lambda: status_of(one, "m1")["state"] == "live", 30)
            eventually(lambda: watcher.between(killed_at + 2), 20, "frames arrive again")
            gap_s = watcher.longest_gap_s(killed_at)
        finally:
            watcher.close()
        print(f"node killed: no frames at the viewer for {gap_s:.1f} s")
        of_ffmpeg = [environment for command, environment in commands_on(nodes).items() if "pipe:" in command]
        assert of_ffmpeg
        assert not [environment for environment in of_ffmpeg if TOKEN in environment.values()], (
            "FFmpeg does not need the token"
        )
        after = status_of(one, "m1")
        (move,) = after["moves"]
        other = next(name for name in NODES if name != before["node"])
        assert (move["from_node"], move["to_node"], after["node"]) == (before["node"], other, other)
        assert move["reason"].startswith(f"node {before['node']} is gone")
        assert move["at"].endswith("Z")
        assert after["uptime_s"] > before["uptime_s"], "it counts from its first start"
        assert after["score_delay_s"] == 0.5
        assert [called[2].get("overlay_id") for called in feed.calls if called[0] == "POST"].count("7") == 2
        assert f"On node {other}, moved from {before['node']} at" in requests.get(one.url, timeout=30).text
        expected = strip_as_seen(drawing.draw_scoreboard(read_push(PUSHED), CANVAS))
        viewer = Viewer(FFMPEG, url, CANVAS)
        try:
            eventually(
                lambda: viewer.strip is not None and mean_distance(viewer.strip, expected) < RECOGNISED,
                30,
                "the score that was pushed before is in the received picture",
            )
        finally:
            viewer.close()
    one.stop("m1")
    nodes.add(before["node"], 1)
    said = b"".join(path.read_bytes() for path in nodes.logs.iterdir() if path.is_file()) + one.log().encode()
    assert b"[m1] " in said
    assert b"key-of-m1" not in said, "the logs of the nodes contain no stream key"


def test_a_stream_without_room_waits_and_says_so(
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
    stops = [body for _, path, body in feed.calls if path.endswith("/stop-match-monitoring")]
    assert stops == [{"match_id": "m1"}], "the front end calls it, because the stream has no process"
    assert list(one.listed()) == ["m2"]
    for name in NODES:
        nodes.add(name, 1)
    eventually(lambda: is_back(one, "m2"), BACK_LIMIT_S, "it is on air again")
    assert [move["from_node"] for move in status_of(one, "m2")["moves"]] == ["n1"]
    one.stop("m2")


def test_streams_survive_a_front_end_and_the_head(
    nodes: RayNodes, front_end: Callable[[], Service], rtmp: Rtmp, camera: Camera, tmp_path: Path
) -> None:
    one = front_end()
    with camera("m1"):
        one.start("m1")
        eventually(lambda: status_of(one, "m1")["state"] == "live", 30)
        watcher = Watcher(rtmp.server.port, "youtube", "key-of-m1", tmp_path)
        at_camera = Watcher(rtmp.server.port, "live", "m1", tmp_path)
        try:
            eventually(lambda: min(map(len, (watcher.frames, at_camera.frames))) > 30, 20, "the viewer gets frames")
            fault = time.monotonic()
            one.process.kill()
            one.process.wait()
            two = front_end()
            eventually(lambda: "m1" in two.listed(), 30)
            uptime_s = two.listed()["m1"]["uptime"]
            assert uptime_s > time.monotonic() - fault
            eventually(lambda: status_of(two, "m1")["state"] == "live", 30)

            nodes.nodes["head"].kill()
            before = len(watcher.frames)
            eventually(lambda: len(watcher.frames) > before + 60, 20, "frames arrive while there is no head")
            nodes.add_head()
            three = front_end()
            wait_for_nodes(three, len(NODES))
            eventually(lambda: "m1" in three.listed(), 30)
            assert three.listed()["m1"]["uptime"] > uptime_s
            eventually(lambda: status_of(three, "m1")["state"] == "live", 30)
            assert status_of(three, "m1")["moves"] == []
            three.start("m2")
            three.stop("m2")
            assert watcher.longest_step_s(fault) < 0.5, "the viewer lost nothing"
            assert watcher.longest_gap_s(fault) < at_camera.longest_gap_s(fault) + 2, "and did not wait"
            assert len({frame.segment for frame in watcher.frames}) == 1
            three.stop("m1")
        finally:
            watcher.close()
            at_camera.close()
