"""`make demo`: everything on this machine, on loopback, from a synthetic camera to a local "YouTube".

Reads DEMO_SECONDS (0: until Ctrl-C) and DEMO_BALL_S, the time between two balls.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from app import on_end_signal
from config import Settings, load_settings
from demo import camera
from demo.boards import CSK, MI
from demo.match_feed import Answer, MatchFeed
from demo.replay import MATCH, states
from demo.viewer import Viewer, save_frame
from deploy.rtmp_server import RtmpServer, RtmpServerError, free_port, listens
from errors import ConfigurationError
from graphics.layout import canvas_of
from relay import installed
from relay.process import dies_with_its_parent

ROOT = Path(__file__).resolve().parent.parent
OUT = Path(__file__).parent / "out"
LOGS = OUT / "logs"
NAME = "demo-match"
STREAM_KEY = "demo-key"
FIRST_BALL = 60  # so that there is a score to see from the start
START_LIMIT_S = 30
CALL_LIMIT_S = 75  # a cluster needs time to start a stream, or to say why it could not


def main() -> int:
    seconds, ball_s = demo_seconds(), demo_ball_s()
    return to_its_end(lambda stack: _demo(stack, seconds, ball_s))


def to_its_end(demo: Callable[[contextlib.ExitStack], int]) -> int:
    """Run a demo until it ends or a signal ends it, and undo what it put on the stack. Returns the exit status."""
    on_end_signal(_leave)
    try:
        with contextlib.ExitStack() as stack:
            return demo(stack)
    except (RtmpServerError, ConfigurationError, DemoError) as error:
        print(f"The demo cannot run: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nEnded; nothing is left running.")
        return 0


class DemoError(Exception):
    """A part of the demo did not start."""


def _demo(stack: contextlib.ExitStack, seconds: float, ball_s: float) -> int:
    shutil.rmtree(OUT, ignore_errors=True)
    settings = demo_settings()
    binary = installed.find_ffmpeg(settings.ffmpeg_bin)
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="overlay-demo-")))
    port = free_port()
    rtmp = RtmpServer(folder, "127.0.0.1", free_port(), ["live", "youtube"], f"127.0.0.1:{port}")
    stack.callback(rtmp.close)
    server = f"rtmp://127.0.0.1:{rtmp.port}"
    destination = f"{server}/youtube/{STREAM_KEY}"
    feed = MatchFeed()
    stack.callback(feed.close)
    stack.enter_context(replaying(feed, ball_s))
    camera.draw_scene(folder)
    stack.enter_context(child(camera.camera_args(binary, f"{server}/live/{NAME}"), folder))
    api = stack.enter_context(service(port, f"{server}/live", feed.url, binary, folder))
    start_stream(api, NAME, destination)
    viewer = Viewer(binary, destination, canvas_of(settings.profile))
    stack.callback(viewer.close)
    _tell(api, destination, ball_s)
    _wait(viewer, seconds)
    return _report(viewer, binary, destination)


def demo_settings() -> Settings:
    """The settings of the environment, without those of `.env`."""
    return load_settings({"_env_file": None, "overlay_api_base": "", "overlay_image_base": ""})


@contextlib.contextmanager
def child(
    argv: list[str], cwd: Path, env: dict[str, str] | None = None, stdout: IO[bytes] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that ends with this block, or with the demo, however the demo ends."""
    process = subprocess.Popen(
        dies_with_its_parent(argv, "TERM"),
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        cwd=cwd,
        env=env,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(12)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def replaying(feed: MatchFeed, ball_s: float) -> Iterator[None]:
    """Give the feed a new state of the match every `ball_s`, over and over."""
    match = list(states(MATCH))
    stop = threading.Event()

    def run() -> None:
        ball = FIRST_BALL
        while not stop.is_set():
            feed.data = Answer.of(in_colors(match[ball % len(match)].as_own_shape()))
            ball += 1
            stop.wait(ball_s)

    thread = threading.Thread(target=run, name="replay")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def in_colors(state: dict[str, Any]) -> dict[str, Any]:
    """Add the sides' short names and colours, which the ball-by-ball file does not have."""
    known = {side["name"]: side for side in (MI, CSK)}
    return state | {role: state[role] | known[state[role]["name"]] for role in ("batting", "bowling")}


@contextlib.contextmanager
def service(
    port: int,
    rtmp_server: str,
    feed_url: str,
    binary: str,
    folder: Path,
    settings: Mapping[str, str] | None = None,
    stdout: IO[bytes] | None = None,
) -> Iterator[str]:
    """`python app.py` with the demo's settings and these, without `.env`. Gives the address of its API."""
    env = os.environ | {
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "RTMP_SERVER": rtmp_server,
        "OVERLAY_API_BASE": feed_url,
        "OVERLAY_IMAGE_BASE": "",
        "OVERLAY_SOURCE": "auto",
        "MATCH_DATA_PATH": "/api/v1/cricket/match/{match_id}",
        "ALLOWED_INGEST_HOSTS": "127.0.0.1",
        "API_TOKEN": "",
        "FFMPEG_BIN": binary,
        "LOG_DIR": str(LOGS),
        "LOG_LEVEL": "WARNING",
        **(settings or {}),
    }
    with child([sys.executable, str(ROOT / "app.py")], folder, env, stdout) as process:
        deadline = time.monotonic() + START_LIMIT_S
        while not listens("127.0.0.1", port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise DemoError("the service did not start; see above")
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"


def start_stream(api: str, name: str, destination: str) -> None:
    """Start a stream as a user would. Raises DemoError if it does not start."""
    body = json.dumps({"youtube_url": destination, "stream_name": name}, indent=2)
    header = "Content-Type: application/json; charset=UTF-8"
    answer = curl("-X", "POST", f"{api}/start_stream", "-H", header, "-d", body)
    print(answer, flush=True)
    if "started successfully" not in answer:
        raise DemoError(f"the stream {name} did not start")


def curl(*words: str) -> str:
    """Print the call as a user would type it, and make it. Returns the answer, or curl's error."""
    call = ["curl", "-sS", "--noproxy", "*", *words]
    print(f"\n$ {shlex.join(call)}", flush=True)
    try:
        ended = subprocess.run(call, capture_output=True, text=True, timeout=CALL_LIMIT_S, check=False)
    except subprocess.TimeoutExpired:
        return f"no answer within {CALL_LIMIT_S} s"
    return (ended.stdout or ended.stderr).strip()


def _tell(api: str, destination: str, ball_s: float) -> None:
    print(
        f"On air: a camera with the score of the IPL final 2019, one ball every {ball_s:g} s\n"
        "(ball by ball data: Cricsheet, cricsheet.org).\n"
        f"  watch it       ffplay -fflags nobuffer {destination}\n"
        f"                 (or VLC, Open Network Stream)\n"
        f"  list streams   curl {api}/list_streams\n"
        f"  a picture      {OUT / 'frame.png'}\n"
        f"  logs           {LOGS}\n"
        "Ctrl-C ends it and leaves nothing behind.\n",
        flush=True,
    )


def _wait(viewer: Viewer, seconds: float) -> None:
    end = time.monotonic() + seconds if seconds else float("inf")
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(left, 5))
        print(f"  received {viewer.frames} frames, {viewer.changes} changes of the overlay", flush=True)


def _report(viewer: Viewer, binary: str, destination: str) -> int:
    saved = save_frame(binary, destination, OUT / "frame.png")
    print(f"\nframes received:          {viewer.frames}")
    print(f"overlay changes received: {viewer.changes}")
    print(f"picture saved:            {OUT / 'frame.png' if saved else 'none arrived'}")
    flowed = viewer.frames > 0 and viewer.changes > 0 and saved
    print("picture and score arrived" if flowed else "picture or score did NOT arrive: see the logs")
    return 0 if flowed else 1


def demo_seconds() -> float:
    """After how many seconds the demo ends by itself; 0: not at all."""
    return _number("DEMO_SECONDS", 0)


def demo_ball_s() -> float:
    return _number("DEMO_BALL_S", 4)


def _number(name: str, default: float) -> float:
    text = os.environ.get(name) or str(default)
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 <= value < 1e6:
        sys.exit(f"{name}: must be a number of seconds, not {text!r}")
    return value


def _leave(_number: int) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
