"""Faults of the overlay's sources: the video must not suffer, and the last good overlay stays."""

from __future__ import annotations

import contextlib
import io
import os
import struct
import subprocess
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from demo.match_feed import NOT_FOUND, Answer, MatchFeed
from demo.replay import states
from demo.viewer import Viewer
from graphics import drawing
from tests.drills.drill import SETTLED_S, Drill
from tests.drills.proxy import TcpProxy
from tests.drills.test_camera import assert_full_rate, fill
from tests.images import mean_distance
from tests.integration.test_on_air import CANVAS, RECOGNISED, score_strip, shows, strip_as_seen
from tests.service import FFMPEG
from tests.waiting import eventually

MATCH = list(states())
STRIPS = [score_strip(10), score_strip(200)]
UNTOUCHED_GAP_S = 0.3
EACH_S = 10


def answer_of(ball: int) -> Answer:
    return Answer.of(MATCH[ball].as_current_score())


@pytest.fixture
def eyes(drill: Drill) -> Iterator[Callable[[], Viewer]]:
    with contextlib.ExitStack() as stack:

        def look() -> Viewer:
            # FFmpeg finds no picture in a stream that it joins in its first second.
            eventually(lambda: len(drill.viewer.frames) > 60, 20, "the stream flows")
            viewer = Viewer(FFMPEG, f"rtmp://127.0.0.1:{drill.youtube.port}/youtube/{drill.key}", CANVAS)
            stack.callback(viewer.close)
            return viewer

        yield look


def judge_video(drill: Drill, row_name: str, target: str, fault: float, *notes: str) -> None:
    row = drill.row(row_name, target)
    assert_full_rate(drill)
    fill(row, drill, fault)
    row.notes += notes
    row.hold_gap(UNTOUCHED_GAP_S)
    row.hold_one_connection()
    drill.end(row)
    assert row.connections == 1


@pytest.mark.long
@pytest.mark.timeout(240)
def test_match_api_faults(drill: Drill, feed: MatchFeed, eyes: Callable[[], Viewer]) -> None:
    feed.data = answer_of(10)
    with FailingWay(feed) as way:
        drill.begin(overlay_api_base=way.url)
        drill.camera()
        drill.await_on_air("camera")
        viewer = eyes()
        assert viewer.wait_for(lambda v: shows(v, STRIPS, 0), 20), "the first score is not on air"
        drill.observe()
        fault = time.monotonic()
        faults: dict[str, Callable[[], None]] = {
            "down": way.refuse,
            "500": lambda: setattr(feed, "data", Answer(b"{}", status=500)),
            "30 s slow": lambda: setattr(feed, "hold", True),
            "garbage": lambda: setattr(feed, "data", Answer(os.urandom(5000))),
            "100 MB": lambda: setattr(feed, "data", Answer(b" " * 100_000_000)),
        }
        for name, make in faults.items():
            make()
            drill.observe(EACH_S)
            assert shows(viewer, STRIPS, 0), f"{name}: the last good score must stay"
            way.heal()
            feed.hold = False
            feed.release.set()
        flapping_until = time.monotonic() + EACH_S
        while time.monotonic() < flapping_until:
            for answer in (answer_of(10), NOT_FOUND):
                feed.data = answer
                drill.observe(0.3)
        assert shows(viewer, STRIPS, 0)
        feed.data = answer_of(200)
        healed = time.monotonic()
        assert viewer.wait_for(lambda v: shows(v, STRIPS, 1), 20), "the score does not follow again"
        names = ", ".join([*faults, "flapping"])
        judge_video(
            drill,
            f"match API {names}, for {EACH_S * 6:g} s",
            "video not affected; last good overlay",
            fault,
            f"the score is right again {time.monotonic() - healed:.1f} s after the last fault",
        )


class FailingWay:
    """The feed behind a relay that can refuse connections."""

    def __init__(self, feed: MatchFeed) -> None:
        self._proxy = TcpProxy(int(feed.url.rpartition(":")[2]))
        self.url = f"http://127.0.0.1:{self._proxy.port}"

    def refuse(self) -> None:
        self._proxy.refuse()

    def heal(self) -> None:
        self._proxy.heal()

    def __enter__(self) -> FailingWay:
        return self

    def __exit__(self, *_: object) -> None:
        self._proxy.close()


def png_of(image: Image.Image, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", **options)
    return buffer.getvalue()


def bomb(side: int) -> bytes:
    """A PNG of a few kilobytes that claims to be this wide and high."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4)

    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((side // 8 + 1) * 2000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def await_polls(feed: MatchFeed) -> None:
    """Wait until the service has polled the present answer."""
    asked = len(feed.calls)
    eventually(lambda: len(feed.calls) > asked + 2, what="the service polls")


@pytest.mark.long
def test_overlay_image_faults(drill: Drill, feed: MatchFeed, eyes: Callable[[], Viewer]) -> None:
    def strip(level: int) -> Image.Image:
        return Image.new("RGBA", (1280, 123), (level, level, level, 255))

    def image(body: bytes) -> Answer:
        return Answer(body, content_type="image/png")

    good = png_of(strip(235))
    animated = png_of(strip(120), save_all=True, append_images=[strip(20)], duration=100)
    palette = png_of(strip(60).convert("RGB").convert("P"))
    unusable = {
        "0 bytes": Answer(b"", content_type="image/png"),
        "truncated": image(good[: len(good) // 2]),
        "HTML": Answer(b"<html>sorry</html>", content_type="text/html"),
        "30000×30000 bomb": image(bomb(30_000)),
    }
    usable = {"APNG": animated, "palette": palette}
    feed.image = image(good)
    drill.begin(overlay_source="image", overlay_api_base="")
    drill.camera()
    drill.await_on_air("camera")
    viewer = eyes()
    bright = strip_as_seen(drawing.compose_image(good, CANVAS))

    def is_on_air(wanted: Image.Image) -> bool:
        return viewer.strip is not None and mean_distance(viewer.strip, wanted) < RECOGNISED

    assert viewer.wait_for(lambda v: is_on_air(bright), 20), "the first image is not on air"
    drill.observe()
    fault = time.monotonic()
    for name, answer in unusable.items():
        feed.image = answer
        await_polls(feed)
        drill.observe(0.5)
        assert is_on_air(bright), f"{name}: the last good image must stay"
    for name, body in usable.items():
        feed.image = image(body)
        wanted = strip_as_seen(drawing.compose_image(body, CANVAS))
        assert viewer.wait_for(lambda _: is_on_air(wanted), 10), f"{name} is not on air"
    feed.image = image(png_of(Image.new("RGBA", (1, 1), (255, 255, 255, 255))))
    await_polls(feed)
    feed.image = image(good)
    assert viewer.wait_for(lambda v: is_on_air(bright), 10), "the image does not follow again"
    judge_video(
        drill,
        f"overlay image {', '.join([*unusable, *usable, '1×1'])}",
        "video not affected; last good overlay, or the image where usable",
        fault,
        f"shown: {', '.join(usable)}; rejected: {', '.join(unusable)}",
    )


@pytest.fixture
def tiny_temp(tmp_path: Path) -> Iterator[Path]:
    """The service's temporary folder on a file system of 1 MB."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "drill", str(folder)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"a small file system cannot be mounted: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_temp_folder_full(tiny_temp: Path, drill: Drill, feed: MatchFeed, eyes: Callable[[], Viewer]) -> None:
    feed.data = answer_of(10)
    drill.begin()
    drill.camera()
    drill.await_on_air("camera")
    viewer = eyes()
    assert viewer.wait_for(lambda v: shows(v, STRIPS, 0), 20), "the first score is not on air"
    drill.observe(SETTLED_S)
    fault = time.monotonic()
    ballast = tiny_temp / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(1024))
    feed.data = answer_of(200)
    eventually(lambda: "cannot be written" in drill.one.log(), 15, "the log says that the overlay cannot be written")
    drill.observe(2)
    assert shows(viewer, STRIPS, 0), "the last good score must stay"
    ballast.unlink()
    healed = time.monotonic()
    assert viewer.wait_for(lambda v: shows(v, STRIPS, 1), 20), "the score does not follow again"
    judge_video(
        drill,
        "temp folder full",
        "video not affected; overlay is right again when there is room",
        fault,
        f"the score is right again {time.monotonic() - healed:.1f} s after there is room",
    )
