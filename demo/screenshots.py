"""`make screenshots`: pictures of the dashboard with real streams in different states, for docs/.

Runs the service with a local "YouTube" and synthetic cameras, takes away one
camera and one destination, and opens the page in Chromium. It takes a minute,
and keeps a small machine busy.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from PIL import Image, ImageEnhance
from playwright.sync_api import Browser, Page, sync_playwright

from demo import boards, camera
from demo.run import child
from deploy.rtmp_server import RtmpServer, free_port
from relay import installed
from relay.state_file import KeptStream, StateFile

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
LIMIT_S = 90
COLORS = 256
FRESH_MS = 6000  # the page asks for its pictures every 4 s


@dataclass(frozen=True)
class Match:
    """A stream in the picture: who plays, since when, and what happens to it."""

    name: str
    board: dict[str, Any] | None
    on_air_s: float
    fate: str = "live"
    ground: int = 0
    has_backup: bool = False


MATCHES = (
    Match("final", boards.CHASE, 9300, has_backup=True),
    Match("goa-league", boards.GENERIC, 4750, ground=1),
    Match("ground-1", boards.FIRST, 3120, ground=2),
    Match("ground-2", boards.SPARSE, 3090, "camera lost"),
    Match("ground-3", boards.in_script("devanagari"), 2950, "destination lost"),
    Match("junior-cup", None, 240, "no camera"),
    Match("semi-final", None, 50_000, "failed"),
)
STATES = {"camera lost": "slate", "destination lost": "reconnecting", "no camera": "slate"}
PICTURES: dict[str, dict[str, Any]] = {
    "dashboard.png": {"color_scheme": "dark", "viewport": {"width": 1280, "height": 1076}},
    "dashboard-phone.png": {
        "color_scheme": "light",
        "viewport": {"width": 360, "height": 800},
        "device_scale_factor": 2,
        "is_mobile": True,
        "has_touch": True,
    },
}
# Brightness and colour of the ground.
GROUNDS = ((1.0, 1.0), (0.62, 0.8), (1.12, 0.55))


def main() -> None:
    browser_path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser_path is None:
        sys.exit(f"none of {', '.join(BROWSERS)} is installed")
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="overlay-screenshots-")))
        url = _streams(stack, folder)
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        stack.callback(browser.close)
        pages = {DOCS / name: _page(browser, url, device) for name, device in PICTURES.items()}
        # The start of Chromium slowed down the streams.
        _wait(lambda: not _is_overloaded(url), "the machine carries the streams and a browser")
        for path, page in pages.items():
            page.bring_to_front()
            page.wait_for_timeout(FRESH_MS)
            _save(page.screenshot(), path)


def _streams(stack: contextlib.ExitStack, folder: Path) -> str:
    """Bring all streams into the states that the pictures show. Returns the address of the page."""
    binary = installed.find_ffmpeg("ffmpeg")
    port = free_port()
    rtmp, youtube = (folder / name for name in ("rtmp", "youtube"))
    for path in (rtmp, youtube):
        path.mkdir()
    server = RtmpServer(rtmp, "127.0.0.1", free_port(), ["live", "live2"], f"127.0.0.1:{port}")
    stack.callback(server.close)
    to_be_lost = RtmpServer(youtube, "127.0.0.1", free_port(), ["live2"], is_destination=True)
    stack.callback(to_be_lost.close)
    recordings = [_record(binary, folder / f"ground-{number}", *look) for number, look in enumerate(GROUNDS)]
    _keep(folder / "streams.json", server.port, to_be_lost.port)
    cameras = {
        match.name: stack.enter_context(
            _publishes(binary, recordings[match.ground], f"rtmp://127.0.0.1:{server.port}/live/{match.name}")
        )
        for match in MATCHES
        if match.fate in ("live", "camera lost")
    }
    env = os.environ | {
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "RTMP_SERVER": f"rtmp://127.0.0.1:{server.port}/live",
        "OVERLAY_API_BASE": "",
        "OVERLAY_IMAGE_BASE": "",
        "ALLOWED_INGEST_HOSTS": "127.0.0.1",
        "API_TOKEN": "",
        "OUTPUT_PROFILE": "480p30",
        "MAX_CONCURRENT_STREAMS": "8",
        "X264_PRESET": "ultrafast",
        "STATE_FILE": str(folder / "streams.json"),
        "LOG_DIR": str(folder / "logs"),
        "LOG_LEVEL": "ERROR",
    }
    stack.enter_context(child([sys.executable, str(ROOT / "app.py")], folder, env))
    api = f"http://127.0.0.1:{port}"
    _wait(lambda: _states(api).get("semi-final") == "failed", "the service is up")
    _wait(lambda: all(_states(api)[name] == "live" for name in cameras), "all cameras are on air")
    _wait(lambda: _states(api)["ground-3"] == "slate", "the destination that will be lost is connected")
    for match in MATCHES:
        if match.board:
            requests.put(f"{api}/streams/{match.name}/match", json=match.board, timeout=10).raise_for_status()
    for match in MATCHES:
        if match.fate == "camera lost":
            cameras[match.name].kill()
    to_be_lost.close()
    wanted = {match.name: STATES[match.fate] for match in MATCHES if match.fate in STATES}
    _wait(lambda: wanted.items() <= _states(api).items(), "the faults are seen")
    _wait(lambda: not _is_overloaded(api), "the machine carries the streams")
    return api


def _is_overloaded(api: str) -> bool:
    """True while a stream that should be well has a problem."""
    streams = {stream["name"]: stream for stream in requests.get(f"{api}/streams", timeout=5).json()["streams"]}
    live = [streams[match.name] for match in MATCHES if match.fate == "live"]
    return any(stream["reason"] or stream["speed"] < 0.97 for stream in live)


def _states(api: str) -> dict[str, str]:
    try:
        streams = requests.get(f"{api}/streams", timeout=5).json()["streams"]
    except requests.ConnectionError:
        return {}
    return {stream["name"]: stream["state"] for stream in streams}


def _wait(is_so: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not is_so():
        if time.monotonic() > deadline:
            sys.exit(f"not within {LIMIT_S} s: {what}")
        time.sleep(0.2)


def _keep(path: Path, port: int, lost_port: int) -> None:
    """Write a state file, from which the streams come back as if they had been on air for a while."""
    state_file = StateFile(path)
    for match in MATCHES:
        to = lost_port if match.fate == "destination lost" else port
        url = f"rtmp://127.0.0.1:{to}/live2/key-of-{match.name}"
        backup = f"{url}-backup" if match.has_backup else None
        begun_at = time.time() - match.on_air_s
        state_file.keep(KeptStream(stream_name=match.name, youtube_url=url, backup_url=backup, begun_at=begun_at))
    state_file.close()


def _record(binary: str, folder: Path, brightness: float, colour: float) -> Path:
    """A pan over a ground with this brightness and colour."""
    folder.mkdir()
    camera.draw_scene(folder)
    with Image.open(folder / "ground.png") as ground:
        shaded = ImageEnhance.Color(ImageEnhance.Brightness(ground).enhance(brightness)).enhance(colour)
    shaded.save(folder / "ground.png")
    return camera.record(binary, folder)


def _publishes(binary: str, recording: Path, url: str) -> contextlib.AbstractContextManager[Any]:
    return child(camera.publish_args(binary, recording, url), recording.parent)


def _page(browser: Browser, url: str, device: dict[str, Any]) -> Page:
    page = browser.new_context(reduced_motion="reduce", **device).new_page()
    page.goto(url)
    page.wait_for_function("document.querySelector('.picture img').src.startsWith('blob:')", timeout=1000 * LIMIT_S)
    return page


def _save(screenshot: bytes, path: Path) -> None:
    with Image.open(io.BytesIO(screenshot)) as picture:
        palette = picture.convert("RGB").quantize(COLORS, method=Image.Quantize.FASTOCTREE)
        picture.convert("RGB").quantize(palette=palette).save(path, optimize=True)
    print(f"{path}: {path.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
