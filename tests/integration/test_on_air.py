"""What arrives at the "YouTube" end, decoded and checked."""

from __future__ import annotations

import contextlib
import io
import itertools
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import pytest
from PIL import Image

from demo.match_feed import NOT_FOUND, Answer, MatchFeed
from demo.replay import states
from demo.viewer import Viewer, strip_box
from graphics import drawing
from graphics.layout import canvas_of
from media.profiles import PROFILES
from scoring.moments import Moments
from scoring.reading import parse_match_data
from scoring.rundown import Scene
from tests.images import mean_distance
from tests.integration.conftest import SILENT, Camera, decoded_frame, mean_volume_db, probe, publishing, record
from tests.service import FFMPEG, PROFILE, MakeService, Rtmp, services
from tests.waiting import eventually

CANVAS = canvas_of(PROFILES[PROFILE])
MATCH = list(states())
# The encoder changes a still strip far less than this, and another strip differs far more.
RECOGNISED = 12.0
# By then the picture has arrived, and the extra keyframes of the start are over.
SETTLED_AFTER_S = 4.5
KEYFRAMES_S = 2
RECORDED_S = 9
# STALL_TIMEOUT_S where no camera stalls, so that a busy machine does not bring up the slate.
PATIENT_S = "6"


def strip_as_seen(image: Image.Image) -> Image.Image:
    """The strip of this overlay over a grey picture, as the viewer crops it."""
    picture = Image.new("RGBA", (CANVAS.width, CANVAS.top + CANVAS.height), (128, 128, 128, 255))
    picture.alpha_composite(image.convert("RGBA"), (0, CANVAS.top))
    return picture.crop(strip_box(CANVAS)).convert("L")


def score_strip(number: int) -> Image.Image:
    return strip_as_seen(drawing.draw_scoreboard(parse_match_data(MATCH[number].as_current_score()), CANVAS))


def shows(viewer: Viewer, strips: Sequence[Image.Image], wanted: int) -> bool:
    """True if the present picture is close to `strips[wanted]`, and closer than to the others."""
    if viewer.strip is None:
        return False
    seen = viewer.strip
    distances = [mean_distance(seen, strip) for strip in strips]
    return distances.index(min(distances)) == wanted and distances[wanted] < RECOGNISED


@pytest.fixture
def watch() -> Iterator[list[Viewer]]:
    viewers: list[Viewer] = []
    yield viewers
    for viewer in viewers:
        viewer.close()


def viewer_of(watch: list[Viewer], url: str) -> Viewer:
    watch.append(Viewer(FFMPEG, url, CANVAS))
    return watch[-1]


def quiet_balls(first: int, count: int) -> list[int]:
    """Numbers of so many states in a row, from `first` on, between which no banner is shown."""
    found = [first]
    for number in range(first + 1, len(MATCH)):
        before, after = (parse_match_data(MATCH[ball].as_own_shape()) for ball in (found[-1], number))
        found = [number] if Moments().between(before, after) else [*found, number]
        if len(found) == count:
            return found
    raise AssertionError("the match is never quiet for so long")


def test_the_score_on_air_follows_the_feed(
    service: MakeService, camera: Camera, feed: MatchFeed, watch: list[Viewer]
) -> None:
    balls = quiet_balls(60, 4)
    strips = [score_strip(ball) for ball in balls]
    feed.data = Answer.of(MATCH[balls[0]].as_current_score())
    with camera("m1"):
        one = service(stall_timeout_s=PATIENT_S)
        viewer = viewer_of(watch, one.start("m1"))
        assert viewer.wait_for(lambda v: shows(v, strips, 0), 40), "the first score is not on air"
        changes = viewer.changes
        for wanted in (1, 2, 3):
            feed.data = Answer.of(MATCH[balls[wanted]].as_current_score())
            assert viewer.wait_for(lambda v: shows(v, strips, wanted), 20), f"score {wanted} is not on air"
        assert viewer.changes - changes == 3
        one.stop("m1")
        assert one.listed() == {}


def assert_is_the_profile(path: Path, *, sound: bool) -> None:
    """Check size, rate, codecs, colours, keyframes and sound of what arrived."""
    profile = PROFILES[PROFILE]
    streams = {stream["codec_type"]: stream for stream in probe(path, "-show_streams")["streams"]}
    video, audio = streams["video"], streams["audio"]
    assert (video["codec_name"], video["profile"], video["pix_fmt"]) == ("h264", "High", "yuv420p")
    assert (video["width"], video["height"]) == (profile.width, profile.height)
    assert video["sample_aspect_ratio"] == "1:1"
    colours = [video[f"color_{what}"] for what in ("range", "space", "primaries", "transfer")]
    assert colours == ["tv", "bt709", "bt709", "bt709"]
    assert (audio["codec_name"], audio["sample_rate"], audio["channels"]) == ("aac", "44100", 2)
    assert audio["profile"] == "LC"
    assert (mean_volume_db(path) > -50) == sound
    packets = settled(probe(path, "-select_streams", "v", "-show_packets")["packets"])
    times = [Fraction(packet["dts_time"]) for packet in packets]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert max(gaps) < Fraction("0.05"), "the picture must not stutter"
    assert abs((len(times) - 1) / (times[-1] - times[0]) - profile.frame_rate) < Fraction("0.3")
    keys = [Fraction(packet["pts_time"]) for packet in packets if "K" in packet["flags"]]
    assert len(keys) >= 2
    for earlier, later in itertools.pairwise(keys):
        assert abs(later - earlier - KEYFRAMES_S) < Fraction("0.01"), "keyframes must be 2 s apart"
    seconds = times[-1] - times[0]
    kbps = sum(int(packet["size"]) for packet in packets) * 8 / 1000 / seconds
    assert abs(kbps / profile.video_bitrate_kbps - 1) < 0.15


def settled(packets: list[dict[str, str]]) -> list[dict[str, str]]:
    """The packets from the first keyframe on after which no handover from the slate can follow.

    A compositor has more keyframes in its first seconds. How soon it is on air depends on the machine.
    """
    keys = [i for i, packet in enumerate(packets) if "K" in packet["flags"]]
    times = [float(packets[i]["pts_time"]) for i in keys]
    extra = [later for earlier, later in itertools.pairwise(times) if later - earlier < KEYFRAMES_S - 0.1]
    begin = max([SETTLED_AFTER_S, *extra])
    return packets[next(i for i, time in zip(keys, times, strict=True) if time >= begin) :]


# All at once would be too much for two cores.
SIDE_BY_SIDE = (("720p", SILENT), ("4:3 at 25", "1080p"), ("portrait", "full range"))


@pytest.fixture(scope="module")
def arrived(
    rtmp: Rtmp, recordings: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Path]:
    """Recordings of what arrives from each kind of camera, two made at a time."""
    folder = tmp_path_factory.mktemp("arrived")
    found: dict[str, Path] = {}

    def record_all(kinds: Sequence[str]) -> None:
        names = {kind: f"camera-{len(found) + number}" for number, kind in enumerate(kinds)}
        with contextlib.ExitStack() as stack:
            one = stack.enter_context(services(rtmp, "", folder))(stall_timeout_s=PATIENT_S)
            for kind, name in names.items():
                stack.enter_context(publishing(rtmp, recordings(kind), name))
            urls = {kind: one.start(name) for kind, name in names.items()}
            for name in names.values():
                eventually(lambda: f"[{name}] relay.stream: the camera's picture is on air" in one.log(), 40)
            with ThreadPoolExecutor() as pool:
                paths = {kind: folder / f"{len(found) + n}.flv" for n, kind in enumerate(kinds)}
                found.update(
                    zip(kinds, pool.map(record, urls.values(), paths.values(), [RECORDED_S] * len(kinds)), strict=True)
                )
            for name in names.values():
                one.stop(name)

    def file_of(kind: str) -> Path:
        if kind not in found:
            record_all(next(kinds for kinds in SIDE_BY_SIDE if kind in kinds))
        return found[kind]

    return file_of


@pytest.mark.parametrize(
    ("kind", "bars"),
    [
        *(("720p", None), (SILENT, None), ("4:3 at 25", "sides")),
        *(("1080p", None), ("portrait", "sides"), ("full range", None)),
    ],
)
def test_any_camera_is_converted_to_the_profile(
    arrived: Callable[[str], Path], tmp_path: Path, kind: str, bars: str | None
) -> None:
    path = arrived(kind)
    assert_is_the_profile(path, sound=kind != SILENT)
    with Image.open(decoded_frame(path, 4, tmp_path / "frame.png")) as picture:
        left = picture.crop((0, 0, 60, picture.height)).convert("L")
        middle = picture.crop((picture.width // 2 - 60, 0, picture.width // 2 + 60, picture.height)).convert("L")
    assert (max_of(left) < 24) == (bars == "sides")
    assert max_of(middle) > 100


def max_of(image: Image.Image) -> int:
    return max(level for level, count in enumerate(image.histogram()) if count)


def test_the_ready_strip_on_air_follows_the_image_server(
    service: MakeService, camera: Camera, feed: MatchFeed, watch: list[Viewer]
) -> None:
    def ready(level: int) -> bytes:
        buffer = io.BytesIO()
        Image.new("RGBA", (1280, 123), (level, level, level, 255)).save(buffer, "PNG")
        return buffer.getvalue()

    answers = [Answer(ready(level), content_type="image/png") for level in (20, 235, 120)]
    strips = [strip_as_seen(drawing.compose_image(answer.body, CANVAS)) for answer in answers]
    feed.image = answers[0]
    with camera("m1"):
        one = service(overlay_source="image", overlay_api_base="")
        viewer = viewer_of(watch, one.start("m1"))
        assert viewer.wait_for(lambda v: shows(v, strips, 0), 40)
        feed.image = answers[1]
        assert viewer.wait_for(lambda v: shows(v, strips, 1), 20)
        html = Answer(b"<html>404</html>", content_type="text/html")
        half = Answer(ready(120), content_type="image/png", cut_to=60)
        short = Answer(ready(120)[:90], content_type="image/png")
        changes = viewer.changes
        for fault in (NOT_FOUND, Answer(b""), half, short, html):
            feed.image = fault
            asked = len(feed.calls)
            eventually(lambda: len(feed.calls) > asked + 2)
        frames = viewer.frames
        assert viewer.wait_for(lambda v: v.frames > frames + 60, 20)
        assert shows(viewer, strips, 1), "the last good strip must stay"
        assert viewer.changes == changes, "the last good strip must stay all the time"
        feed.image = answers[2]
        assert viewer.wait_for(lambda v: shows(v, strips, 2), 20)
        one.stop("m1")


def test_a_killed_compositor_or_publisher_is_replaced(
    service: MakeService, camera: Camera, feed: MatchFeed, watch: list[Viewer]
) -> None:
    strips = [score_strip(10), score_strip(200)]
    feed.data = Answer.of(MATCH[10].as_current_score())
    with camera("m1"):
        one = service(stall_timeout_s=PATIENT_S)
        url = one.start("m1")
        viewer = viewer_of(watch, url)
        assert viewer.wait_for(lambda v: shows(v, strips, 0), 40)
        [publisher] = one.children("pipe:0")
        [compositor] = [pid for pid, command in one.children("/live/m1").items() if "mpegts" in command]
        os.kill(compositor, signal.SIGKILL)
        feed.data = Answer.of(MATCH[200].as_current_score())
        assert viewer.wait_for(lambda v: shows(v, strips, 1), 30), "the successor is not on air"
        assert list(one.children("pipe:0")) == [publisher], "the publisher's connection must stay"
        os.kill(publisher, signal.SIGKILL)
        eventually(lambda: one.children("pipe:0") and publisher not in one.children("pipe:0"), 20)
        feed.data = Answer.of(MATCH[10].as_current_score())
        again = viewer_of(watch, url)
        assert again.wait_for(lambda v: shows(v, strips, 0), 40), "the new publisher is not on air"
        assert "compositor ended (killed by SIGKILL)" in one.log()
        assert "publisher ended (killed by SIGKILL)" in one.log()
        one.stop("m1")


def scene_strip(scene: Scene) -> Image.Image:
    return strip_as_seen(drawing.draw_scene(scene, CANVAS))


def test_banners_appear_on_air_and_disappear(
    service: MakeService, camera: Camera, feed: MatchFeed, watch: list[Viewer]
) -> None:
    boards = [parse_match_data(state.as_own_shape()) for state in MATCH]
    found = {ball: Moments().between(boards[ball - 1], boards[ball]) for ball in range(60, len(boards))}
    feed.data = Answer.of(MATCH[0].as_own_shape())
    with camera("m1"):
        one = service()
        viewer = viewer_of(watch, one.start("m1"))
        eventually(lambda: "relay.stream: is live" in one.log(), 40)
        for kind in ("WICKET", "SIX"):
            ball, event = next(
                (ball, events[0]) for ball, events in found.items() if [e.kind for e in events] == [kind]
            )
            strips = [scene_strip(Scene(boards[ball - 1])), scene_strip(Scene(boards[ball], event))]
            strips.append(scene_strip(Scene(boards[ball])))
            feed.data = Answer.of(MATCH[ball - 1].as_own_shape())
            # The first one also shows that the new compositor has used up the overlay pictures that it read ahead.
            assert viewer.wait_for(lambda v: shows(v, strips, 0), 40), f"no score before {kind}"
            feed.data = Answer.of(MATCH[ball].as_own_shape())
            assert viewer.wait_for(lambda v: shows(v, strips, 1), 20), f"{kind} is not on air"
            assert viewer.wait_for(lambda v: shows(v, strips, 2), 20), f"{kind} does not disappear"
        one.stop("m1")


def test_the_score_is_on_air_later_by_its_delay(service: MakeService, camera: Camera, watch: list[Viewer]) -> None:
    balls = quiet_balls(60, 7)
    strips = [scene_strip(Scene(parse_match_data(MATCH[ball].as_own_shape()))) for ball in balls]
    delay_s = 2.0
    with camera("m1"):
        one = service(overlay_api_base="", overlay_image_base="")
        viewer = viewer_of(watch, one.start("m1"))

        def lag_s(number: int) -> float:
            """The time from the push to its arrival in the picture."""
            pushed_at = time.monotonic()
            one.call("PUT", "/streams/m1/match", MATCH[balls[number]].as_own_shape())
            assert viewer.wait_for(lambda v: shows(v, strips, number), 40), f"score {number} is not on air"
            return time.monotonic() - pushed_at

        eventually(lambda: "relay.stream: is live" in one.log(), 40)
        lag_s(0)
        # A busy machine can only make a lag longer.
        at_once = min(lag_s(number) for number in (1, 2, 3))
        one.call("PATCH", "/streams/m1", {"score_delay_s": delay_s})
        delayed = min(lag_s(number) for number in (4, 5, 6))
        assert abs(delayed - at_once - delay_s) < 0.5
        one.stop("m1")
