"""`make demo-cluster`: three streams on three nodes of a Ray cluster. One node is killed, and its stream comes back.

Everything runs on this machine, on loopback. Reads DEMO_BALL_S and DEMO_SECONDS
(0: until Ctrl-C); it does not end before everything was shown. The exit status is
0 if all streams were on air, those of the killed node came back on another one,
and a picture of each stream arrived after that.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import requests

from demo import camera
from demo.match_feed import MatchFeed
from demo.run import (
    LOGS,
    OUT,
    DemoError,
    child,
    curl,
    demo_ball_s,
    demo_seconds,
    demo_settings,
    replaying,
    service,
    start_stream,
    to_its_end,
)
from demo.viewer import save_frame
from deploy.ray_nodes import RayNodes, RayNodesError
from deploy.rtmp_server import RtmpServer, free_port
from relay import installed

NODES = ("n1", "n2", "n3")
STREAMS = ("ground-1", "ground-2", "ground-3")
# Room for three such streams, so that the two remaining nodes have enough.
CPUS_PER_NODE = 1
SETTINGS = {"OUTPUT_PROFILE": "480p30", "X264_PRESET": "ultrafast", "STREAM_BACKEND": "ray", "STATE_FILE": ""}
SHOWN_BEFORE_THE_KILL_S = 6
ON_AIR_LIMIT_S = 60
BACK_LIMIT_S = 75
LOOK_S = 0.5
LIVE = "live"


@dataclass(frozen=True)
class Seen:
    """What the API says about one stream."""

    name: str
    node: str
    state: str
    reason: str


class Watch:
    """Looks at the streams again and again, and prints a line for each change."""

    def __init__(self, api: str) -> None:
        self._api = api
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy for loopback
        self._printed: dict[str, Seen] = {}
        self._began_at = time.monotonic()
        print(f"\n{'time':>7}  {'stream':<10} {'node':<5} {'state':<13} reason", flush=True)

    def until(self, is_so: Callable[[Sequence[Seen]], bool], limit_s: float) -> bool:
        """True as soon as `is_so(streams)` is; False after `limit_s`."""
        deadline = time.monotonic() + limit_s
        while True:
            seen = self._look()
            if is_so(seen):
                return True
            if time.monotonic() > deadline:
                return False
            time.sleep(max(0.0, min(LOOK_S, deadline - time.monotonic())))

    def go_on(self, seconds: float) -> None:
        self.until(lambda _: False, seconds)

    def tell(self, words: str) -> None:
        """Print a line of its own in the table."""
        print(f"{self._time()}  {words}", flush=True)

    def _look(self) -> list[Seen]:
        try:
            found = self._session.get(f"{self._api}/streams", timeout=15).json()["streams"]
        except requests.RequestException as error:
            raise DemoError(f"the front end does not answer: {error}") from error
        seen = [Seen(one["name"], one["node"] or "?", one["state"], one["reason"] or "") for one in found]
        for one in seen:
            if self._printed.get(one.name) != one:
                self._printed[one.name] = one
                self.tell(f"{one.name:<10} {one.node:<5} {one.state:<13} {one.reason}")
        return seen

    def _time(self) -> str:
        return f"{time.monotonic() - self._began_at:5.1f} s"


def main() -> int:
    seconds, ball_s = demo_seconds(), demo_ball_s()
    shown: list[bool] = []
    status = to_its_end(lambda stack: _demo(stack, seconds, ball_s, shown))
    return status or int(shown != [True])


def _demo(stack: contextlib.ExitStack, seconds: float, ball_s: float, shown: list[bool]) -> int:
    """Run the demo. `shown` gets the result as soon as it is known, because a signal may end the demo after that."""
    end = time.monotonic() + seconds if seconds else float("inf")
    shutil.rmtree(OUT, ignore_errors=True)
    LOGS.mkdir(parents=True)
    binary = installed.find_ffmpeg(demo_settings().ffmpeg_bin)
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="overlay-demo-")))
    port = free_port()
    rtmp = RtmpServer(folder, "127.0.0.1", free_port(), ["live", "youtube"], f"127.0.0.1:{port}")
    stack.callback(rtmp.close)
    server = f"rtmp://127.0.0.1:{rtmp.port}"
    destinations = {name: f"{server}/youtube/key-of-{name}" for name in STREAMS}
    feed = MatchFeed()
    stack.callback(feed.close)
    stack.enter_context(replaying(feed, ball_s))
    _publish_cameras(stack, binary, folder, server)
    nodes = _start_nodes(stack, folder)
    stdout = stack.enter_context((LOGS / "front-end.out").open("wb"))  # Ray's remarks would break up the table
    settings = SETTINGS | {"RAY_ADDRESS": nodes.address}
    api = stack.enter_context(service(port, f"{server}/live", feed.url, binary, folder, settings, stdout))
    for name, destination in destinations.items():
        start_stream(api, name, destination)
    _tell(api, destinations)
    watch = Watch(api)
    shown.append(_show(watch, nodes, api) and _save_frames(binary, destinations))
    print(
        "the demo showed everything" if all(shown) else "the demo did NOT show everything: see above, and the logs",
        flush=True,
    )
    watch.go_on(end - time.monotonic())
    return 0


def _publish_cameras(stack: contextlib.ExitStack, binary: str, folder: Path, server: str) -> None:
    camera.draw_scene(folder)
    recording = camera.record(binary, folder)
    for name in STREAMS:
        stack.enter_context(child(camera.publish_args(binary, recording, f"{server}/live/{name}"), folder))


def _start_nodes(stack: contextlib.ExitStack, folder: Path) -> RayNodes:
    """A head, which runs no streams, and nodes that run them. The files of a killed node are removed with `folder`."""
    temp = folder / "tmp"
    temp.mkdir()
    nodes = RayNodes(folder, {"TMPDIR": str(temp)})
    stack.callback(nodes.close)
    stack.callback(_keep_logs, nodes)
    try:
        print("The cluster starts: its head", end="", flush=True)
        nodes.add_head()
        for name in NODES:
            print(f", {name}", end="", flush=True)
            nodes.add(name, CPUS_PER_NODE)
        print(".", flush=True)
    except RayNodesError as error:
        raise DemoError(str(error)) from error
    return nodes


def _keep_logs(nodes: RayNodes) -> None:
    """Keep the streams' logs from the nodes."""
    for log in nodes.logs.glob("worker-*.err"):
        if log.stat().st_size:
            shutil.copy(log, LOGS)


def _tell(api: str, destinations: dict[str, str]) -> None:
    watched = "\n".join(f"  watch {name}   ffplay -fflags nobuffer {url}" for name, url in destinations.items())
    print(
        f"\nThree streams run on the nodes {', '.join(NODES)}. As soon as all are on air, one node is killed.\n"
        f"  dashboard        {api}/\n"
        f"{watched}\n"
        f"  pictures, logs   {OUT}\n"
        "Ctrl-C ends it and leaves nothing behind.",
        flush=True,
    )


def _show(watch: Watch, nodes: RayNodes, api: str) -> bool:
    """Kill the node of a stream that is on air, and watch the stream come back. True if everything went well."""
    placed: dict[str, str] = {}

    def are_on_air(streams: Sequence[Seen]) -> bool:
        placed.update({one.name: one.node for one in streams if one.state == LIVE})
        return len(streams) == len(STREAMS) and all(one.state == LIVE for one in streams)

    if not watch.until(are_on_air, ON_AIR_LIMIT_S):
        watch.tell(f"not all streams were on air within {ON_AIR_LIMIT_S} s")
        return False
    watch.go_on(SHOWN_BEFORE_THE_KILL_S)
    to_kill = placed[STREAMS[1]]
    lost = [name for name in STREAMS if placed[name] == to_kill]
    watch.tell(f"--- node {to_kill} is killed, with all its processes (SIGKILL) ---")
    nodes.nodes[to_kill].kill()
    killed_at = time.monotonic()

    def are_back(streams: Sequence[Seen]) -> bool:
        on_air = {one.name: one.node for one in streams if one.state == LIVE}
        return set(on_air) == set(STREAMS) and to_kill not in on_air.values() and not placed.update(on_air)

    if not watch.until(are_back, BACK_LIMIT_S):
        watch.tell(f"not all streams were on air again within {BACK_LIMIT_S} s")
        return False
    took_s = time.monotonic() - killed_at
    for name in lost:
        watch.tell(f"--- {name} is back: from {to_kill} to {placed[name]} in {took_s:.1f} s ---")
    for name in lost:
        _print_moves(api, name)
    return True


def _print_moves(api: str, name: str) -> None:
    status = json.loads(curl(f"{api}/streams/{name}"))
    print(json.dumps({"name": name, "...": "...", "moves": status["moves"]}, indent=2), flush=True)


def _save_frames(binary: str, destinations: dict[str, str]) -> bool:
    print("\nWhat arrives at the three destinations now:", flush=True)
    all_arrived = True
    for name, destination in destinations.items():
        path = OUT / f"{name}.png"
        arrived = save_frame(binary, destination, path)
        print(f"  {name}: {path if arrived else 'no picture'}", flush=True)
        all_arrived &= arrived
    return all_arrived


if __name__ == "__main__":
    sys.exit(main())
