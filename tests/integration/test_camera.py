"""The camera comes, goes and comes back, and the viewer keeps one connection."""

from __future__ import annotations

import itertools
import signal
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest
import requests
from PIL import Image

from demo.match_feed import Answer, MatchFeed
from demo.replay import states
from demo.viewer import Viewer, save_frame
from tests.integration.conftest import SILENT, Camera, probe
from tests.integration.test_on_air import CANVAS, quiet_balls, score_strip, shows
from tests.service import FFMPEG, MakeService, Service, running
from tests.waiting import eventually

MATCH = list(states())
BALLS = quiet_balls(60, 2)
# Between two frames at the viewer while one source replaces another. One frame is 0.033 s.
LONGEST_STEP_S = Fraction("0.15")


@pytest.fixture
def on_air(service: MakeService, feed: MatchFeed, tmp_path: Path) -> Iterator[tuple[Service, str, Path]]:
    """A stream without a camera, the URL where it arrives, and the recording of all that arrives."""
    feed.data = Answer.of(MATCH[BALLS[0]].as_current_score())
    one = service()
    url = one.start("m1")
    path = tmp_path / "viewed.flv"
    with running([FFMPEG, "-y", "-loglevel", "error", "-i", url, "-c", "copy", "-f", "flv", str(path)]) as recorder:
        eventually(lambda: path.exists() and path.stat().st_size > 100_000, 40, "something is recorded")
        yield one, url, path
        recorder.send_signal(signal.SIGINT)
        recorder.wait(20)
    one.stop("m1")


def assert_seamless(path: Path) -> None:
    """Check that decoding times never go back, and have no hole where one source followed another.

    Two may be equal. FFmpeg joins a successor by its sound or its picture, whichever
    comes first, and moves a frame that would be a few milliseconds too early.
    """
    times: list[Fraction] = []

    def are_enough() -> bool:
        packets = probe(path, "-select_streams", "v", "-show_packets")["packets"]
        times[:] = [Fraction(packet["dts_time"]) for packet in packets]
        return len(times) > 150

    eventually(are_enough, 20, "frames are recorded")
    steps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert min(steps) >= 0
    assert max(steps) < LONGEST_STEP_S


def await_on_air(one: Service, what: str) -> None:
    def is_on_air() -> bool:
        answer = requests.get(f"{one.url}/streams/m1", timeout=10)
        assert answer.status_code == 200, answer.text
        return bool(answer.json()["on_air"] == what)

    eventually(is_on_air, 20, f"on air: {what}")


def is_slate(url: str, folder: Path) -> bool:
    path = folder / "now.png"
    assert save_frame(FFMPEG, url, path)
    with Image.open(path) as picture:
        corner = picture.convert("L").crop((0, 0, 60, 60))
    return corner.getextrema()[1] < 60  # type: ignore[operator]


def test_one_connection_from_no_camera_to_a_camera_and_another_one(
    on_air: tuple[Service, str, Path], camera: Camera, feed: MatchFeed, tmp_path: Path
) -> None:
    one, url, path = on_air
    publishers = list(one.children("pipe:0"))
    await_on_air(one, "slate")
    eventually(lambda: is_slate(url, tmp_path), 20)
    viewer = Viewer(FFMPEG, url, CANVAS)
    try:
        strips = [score_strip(ball) for ball in BALLS]
        assert viewer.wait_for(lambda v: shows(v, strips, 0), 20), "the score is on the slate"
        feed.data = Answer.of(MATCH[BALLS[1]].as_current_score())
        assert viewer.wait_for(lambda v: shows(v, strips, 1), 20), "the score on the slate is live"
    finally:
        viewer.close()
    with camera("m1"):
        await_on_air(one, "camera")
        eventually(lambda: not is_slate(url, tmp_path), 20)
    await_on_air(one, "slate")
    eventually(lambda: is_slate(url, tmp_path), 20)
    with camera("m1", SILENT):
        await_on_air(one, "camera")
        eventually(lambda: not is_slate(url, tmp_path), 20)
    assert list(one.children("pipe:0")) == publishers
    assert_seamless(path)


def test_a_camera_that_freezes_gives_way_to_the_slate_and_comes_back(
    on_air: tuple[Service, str, Path], camera: Camera, tmp_path: Path
) -> None:
    one, url, path = on_air
    with camera("m1") as process:
        await_on_air(one, "camera")
        process.send_signal(signal.SIGSTOP)
        await_on_air(one, "slate")
        eventually(lambda: is_slate(url, tmp_path), 20)
        process.send_signal(signal.SIGCONT)
        await_on_air(one, "camera")
        eventually(lambda: not is_slate(url, tmp_path), 20)
    assert one.log().count("publisher attempt") == 1
    assert_seamless(path)
