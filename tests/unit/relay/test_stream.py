from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from config import Settings
from demo.match_feed import Answer, MatchFeed
from errors import MonitoringFailed, NoCapacity, StreamAlreadyActive, StreamNotFound, StreamStopped, WorkFolderUnusable
from match_monitor import MatchMonitor
from media.destination import parse_destination
from relay.registry import StreamRegistry
from relay.request import Machinery, StreamRequest
from tests.conftest import SettingsFactory
from tests.mpegts import Muxer
from tests.unit.conftest import FakeFFmpeg
from tests.waiting import FakeClock, eventually

KEY = "canary-5678"


def request(name: str = "m1", key: str = KEY, overlay_id: str = "0") -> StreamRequest:
    return StreamRequest(name, parse_destination(f"rtmp://127.0.0.1/live2/{key}", ("*",)), overlay_id)


class Service:
    """A registry over fake FFmpegs and a clock that the test moves."""

    def __init__(self, settings: Settings, fake: FakeFFmpeg, temp: Path) -> None:
        self.clock = FakeClock()
        self.fake = fake
        self.temp = temp
        self.registry = StreamRegistry(settings, Machinery(clock=self.clock))

    def start(self, name: str = "m1", **more: str) -> None:
        self.registry.start(request(name, **({"key": KEY if name == "m1" else f"{KEY}-{name}"} | more)))

    def names(self) -> list[str]:
        return [snapshot.name for snapshot in self.registry.snapshots()]

    def wait_for_lives(self, role: str, count: int) -> list[dict[str, Any]]:
        """Move the clock on until so many of this role have lived."""

        def lived() -> bool:
            self.clock.advance(0.1)
            return len(self.fake.lives(role)) >= count

        eventually(lived, what=f"{count} lives of the {role}")
        return self.fake.lives(role)


MakeService = Callable[..., Service]


@pytest.fixture
def service(
    fake_ffmpeg: FakeFFmpeg, settings_with: SettingsFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[MakeService]:
    made: list[Service] = []
    temp = tmp_path / "tmp"
    temp.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temp))

    def make(**overrides: Any) -> Service:
        made.append(Service(settings_with(ffmpeg_bin=str(fake_ffmpeg.path), **overrides), fake_ffmpeg, temp))
        return made[-1]

    yield make
    for one in made:
        one.registry.close()
    assert list(temp.iterdir()) == []


def test_a_stream_has_a_compositor_a_publisher_and_an_overlay(service: MakeService) -> None:
    one = service()
    one.start()
    compositor = one.wait_for_lives("compositor", 1)[0]
    publisher = one.wait_for_lives("publisher", 1)[0]
    assert "rtmp://localhost:1935/live/m1" in compositor["argv"]
    overlay = Path(next(word for word in compositor["argv"] if word.endswith("/overlay.png")))
    assert overlay.is_file()
    assert publisher["argv"][-1] == "rtmp://127.0.0.1/live2"
    assert publisher["preset"] == f"rtmp_app=live2\nrtmp_playpath={KEY}\n"
    assert KEY not in json.dumps([compositor["argv"], publisher["argv"]])


def test_an_ffmpeg_that_takes_no_presets_gets_the_key_on_its_command_line(service: MakeService) -> None:
    one = service()
    (one.fake.folder / "no-presets").touch()
    one.start()
    publisher = one.wait_for_lives("publisher", 1)[0]
    assert publisher["preset"] is None
    assert publisher["argv"][publisher["argv"].index("-rtmp_playpath") + 1] == KEY


def test_the_compositors_stream_reaches_the_publisher(service: MakeService, tmp_path: Path) -> None:
    muxer = Muxer()
    data = muxer.key_frame(b"k" * 3000) + muxer.audio(b"a" * 100) + muxer.video(b"v" * 900)
    (tmp_path / "emit.ts").write_bytes(muxer.video(b"before the keyframe") + data)
    one = service()
    one.fake.script(compositor={"emit": str(tmp_path / "emit.ts")})
    one.start()
    pid = one.wait_for_lives("publisher", 1)[0]["pid"]
    eventually(lambda: one.fake.received(pid) == data)


def test_what_is_listed_is_what_runs(service: MakeService) -> None:
    one = service()
    assert one.names() == []
    one.start("m1")
    one.clock.advance(12.5)
    one.start("m2")
    first, second = one.registry.snapshots()
    assert (first.name, first.youtube_url) == ("m1", f"rtmp://127.0.0.1/live2/{KEY}")
    assert first.uptime_s - second.uptime_s == 12.5
    one.registry.stop("m1")
    assert one.names() == ["m2"]


def test_a_name_is_taken_once_and_free_after_its_stop(service: MakeService) -> None:
    one = service()
    one.start()
    with pytest.raises(StreamAlreadyActive, match="^Stream already active$"):
        one.start()
    one.registry.stop("m1")
    with pytest.raises(StreamNotFound, match="^Stream not found$"):
        one.registry.stop("m1")
    one.start()
    assert one.names() == ["m1"]


def test_of_simultaneous_starts_exactly_one_wins(service: MakeService, feed: MatchFeed) -> None:
    one = service(overlay_api_base=feed.url)
    barrier = threading.Barrier(8)
    outcomes: list[str] = []

    def start() -> None:
        barrier.wait()
        try:
            one.start()
            outcomes.append("started")
        except StreamAlreadyActive:
            outcomes.append("active")

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["active"] * 7 + ["started"]
    assert feed.paths("POST") == ["/start-match-monitoring"]


def test_no_capacity_is_said_before_anything_is_begun(service: MakeService, feed: MatchFeed) -> None:
    one = service(max_concurrent_streams=1, overlay_api_base=feed.url)
    one.start("m1")
    with pytest.raises(NoCapacity, match="MAX_CONCURRENT_STREAMS"):
        one.start("m2")
    assert feed.paths("POST") == ["/start-match-monitoring"]
    one.registry.stop("m1")
    one.start("m2")


def test_monitoring_is_asked_for_and_ended_by_the_streams_name(service: MakeService, feed: MatchFeed) -> None:
    one = service(overlay_api_base=feed.url)
    one.start("m1", overlay_id="4")
    one.registry.stop("m1")
    posts = [(path, body) for method, path, body in feed.calls if method == "POST"]
    assert posts == [
        ("/start-match-monitoring", {"match_id": "m1", "overlay_id": "4"}),
        ("/stop-match-monitoring", {"match_id": "m1"}),
    ]


def test_a_refused_monitoring_leaves_nothing(service: MakeService, feed: MatchFeed) -> None:
    feed.start = Answer(b"{}", 503)
    one = service(overlay_api_base=feed.url)
    threads, fds = threading.active_count(), len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        with pytest.raises(MonitoringFailed, match="^Failed to start match monitoring$"):
            one.start()
    assert one.names() == []
    eventually(lambda: feed.connections == 0)
    eventually(lambda: threading.active_count() <= threads)
    eventually(lambda: len(os.listdir("/proc/self/fd")) <= fds + 1)  # the work folder's lock
    assert one.fake.lives("compositor") == []
    assert [path.name for folder in one.temp.iterdir() for path in folder.iterdir()] == ["lock"]


def test_a_stop_during_the_start_wins_and_leaves_nothing(service: MakeService, feed: MatchFeed) -> None:
    feed.hold = True
    one = service(overlay_api_base=feed.url)
    outcome: list[BaseException] = []

    def start() -> None:
        try:
            one.start()
        except StreamStopped as error:
            outcome.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    eventually(lambda: feed.calls)
    assert one.names() == []
    feed.hold = False
    one.registry.stop("m1")
    thread.join(10)
    feed.release.set()
    assert [type(error) for error in outcome] == [StreamStopped]
    assert one.names() == []
    assert one.fake.lives("compositor") == []
    assert feed.paths("POST") == ["/start-match-monitoring", "/stop-match-monitoring"]


def test_a_child_that_dies_is_started_again_after_a_growing_wait(
    service: MakeService, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "relay")
    one = service()
    one.fake.script(compositor={"stderr": ["[tcp @ 0x1] [error] Connection refused"], "exit": 1})
    one.start()
    one.wait_for_lives("compositor", 4)
    eventually(lambda: sum("compositor ended" in line for line in caplog.messages) >= 3)
    ended = [line for line in caplog.messages if "compositor ended" in line]
    assert all("(exit status 1: Connection refused)" in line for line in ended)
    waits = [float(line.rsplit(" ", 2)[1]) for line in ended]
    assert waits[0] < 1.3
    assert 1.9 < waits[1] < 2.5
    assert 3.9 < waits[2] <= 5
    assert len(one.fake.lives("publisher")) == 1, "the other child stays"


def test_a_publisher_that_dies_takes_no_compositor_with_it(service: MakeService, tmp_path: Path) -> None:
    muxer = Muxer()
    (tmp_path / "emit.ts").write_bytes(muxer.key_frame(b"k" * 3000))
    one = service(stall_timeout_s=60)
    one.fake.script(compositor={"emit": str(tmp_path / "emit.ts")}, publisher={"exit": 1})
    one.start()
    one.wait_for_lives("publisher", 3)
    assert len(one.fake.lives("compositor")) == 1


class Sources:
    """A stream whose camera and slate send what the test appends, and what its publisher received."""

    def __init__(self, one: Service, folder: Path) -> None:
        self.one = one
        self.files = {role: folder / f"{role}.ts" for role in ("compositor", "slate")}
        self.muxers = {role: Muxer() for role in self.files}
        for path in self.files.values():
            path.touch()
        one.fake.script(**{role: {"follow": str(path)} for role, path in self.files.items()})
        one.start()
        self.publisher = one.wait_for_lives("publisher", 1)[0]["pid"]

    def send(self, role: str, *, key: bool = False) -> bytes:
        """One frame from this source."""
        muxer = self.muxers[role]
        data = muxer.key_frame(role.encode() * 50) if key else muxer.video(role.encode() * 50)
        with self.files[role].open("ab") as file:
            file.write(data)
        return data

    def received(self) -> bytes:
        return self.one.fake.received(self.publisher)

    def restart_feed(self, role: str) -> None:
        """What the next life of this role will not see again."""
        self.files[role].write_bytes(b"")
        self.muxers[role] = Muxer()


def test_the_slate_is_on_air_until_the_camera_comes(service: MakeService, tmp_path: Path) -> None:
    sources = Sources(service(), tmp_path)
    slate = sources.send("slate", key=True)
    eventually(lambda: sources.received() == slate)
    camera = sources.send("compositor", key=True)
    eventually(lambda: sources.received() == slate + camera)
    slate_pid = sources.one.fake.lives("slate")[0]["pid"]
    eventually(lambda: not Path(f"/proc/{slate_pid}").exists())
    more = sources.send("compositor")
    eventually(lambda: sources.received() == slate + camera + more)
    assert len(sources.one.fake.lives("publisher")) == 1


def test_the_slate_takes_the_place_of_a_silent_camera_and_the_camera_is_awaited_anew(
    service: MakeService, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "relay")
    sources = Sources(service(), tmp_path)
    camera = sources.send("compositor", key=True)
    eventually(lambda: sources.received() == camera)
    eventually(lambda: "the camera's picture is on air" in caplog.text)
    sources.one.clock.advance(1.5)
    lives = len(sources.one.fake.lives("slate"))
    eventually(lambda: len(sources.one.fake.lives("slate")) > lives, what="a slate is made ready before it is needed")
    slate = sources.send("slate", key=True)
    sources.restart_feed("compositor")
    assert sources.received() == camera
    sources.one.clock.advance(0.6)
    eventually(lambda: sources.received() == camera + slate)
    eventually(lambda: len(sources.one.fake.lives("compositor")) == 2)
    assert "no frames from the camera for 2.1 s" in caplog.text
    back = sources.send("compositor", key=True)
    eventually(lambda: sources.received() == camera + slate + back)
    assert len(sources.one.fake.lives("publisher")) == 1


def test_a_publisher_whose_destination_reads_no_more_is_replaced(
    service: MakeService, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    one = service(stall_timeout_s=60)
    camera = tmp_path / "camera.ts"
    camera.touch()
    one.fake.script(compositor={"follow": str(camera)}, publisher={"wedged": True})
    one.start()
    pid = one.wait_for_lives("publisher", 1)[0]["pid"]
    muxer = Muxer()

    def replaced() -> bool:
        with camera.open("ab") as file:
            file.write(muxer.key_frame(b"k" * 20_000))
        one.clock.advance(0.2)
        return len(one.fake.lives("publisher")) > 1

    eventually(replaced)
    assert "the destination takes no data for" in caplog.text
    assert not Path(f"/proc/{pid}").exists()
    assert len(one.fake.lives("compositor")) == 1


def test_a_slate_picture_that_vanished_does_not_end_the_stream(
    service: MakeService, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    one = service(slate_image=str(tmp_path / "vanished.png"))
    one.start()
    one.wait_for_lives("slate", 1)
    assert "vanished.png cannot be read: FileNotFoundError; the plain slate is shown" in caplog.text
    assert one.names() == ["m1"]


def test_a_hiccup_of_the_camera_is_not_worth_a_slate(service: MakeService, tmp_path: Path) -> None:
    sources = Sources(service(), tmp_path)
    camera = sources.send("compositor", key=True)
    eventually(lambda: sources.received() == camera)
    before = len(sources.one.fake.lives("slate"))
    sources.one.clock.advance(1.5)
    eventually(lambda: len(sources.one.fake.lives("slate")) > before)
    sources.send("slate", key=True)
    camera += sources.send("compositor")
    eventually(lambda: sources.received() == camera)
    slate_pid = sources.one.fake.lives("slate")[-1]["pid"]
    eventually(lambda: not Path(f"/proc/{slate_pid}").exists())
    assert sources.received() == camera
    assert len(sources.one.fake.lives("compositor")) == 1


def test_an_ffmpeg_that_cannot_be_run_is_said_and_tried_again(
    service: MakeService, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relay.process.dies_with_its_parent", lambda argv, _signal="": list(argv))
    one = service()
    hidden = one.fake.path.rename(one.fake.path.with_name("hidden"))
    one.start()
    eventually(lambda: "compositor cannot be started: No such file" in caplog.text)
    hidden.rename(one.fake.path)
    one.wait_for_lives("compositor", 1)


def test_children_that_ignore_everything_are_gone_after_a_stop(service: MakeService) -> None:
    one = service()
    one.fake.script(compositor={"ignore_signals": True}, publisher={"ignore_signals": True, "ignore_eof": True})
    one.start()
    pids = [one.wait_for_lives(role, 1)[0]["pid"] for role in ("compositor", "publisher")]
    one.registry.stop("m1")
    assert threads_of_streams() == []
    assert [pid for pid in pids if Path(f"/proc/{pid}").exists()] == []


def test_nothing_is_left_of_twenty_streams(service: MakeService, feed: MatchFeed) -> None:
    one = service(overlay_api_base=feed.url)
    one.start("first")
    one.registry.stop("first")
    threads, fds = threading.active_count(), len(os.listdir("/proc/self/fd"))
    pids = []
    for number in range(20):
        one.start(f"m{number}")
        if number % 3 == 0:
            pids += [one.wait_for_lives(role, number // 3 + 1)[-1]["pid"] for role in ("compositor", "publisher")]
        one.registry.stop(f"m{number}")
    eventually(lambda: feed.connections == 0)
    eventually(lambda: threading.active_count() <= threads)
    eventually(lambda: len(os.listdir("/proc/self/fd")) <= fds)
    assert [pid for pid in pids if Path(f"/proc/{pid}").exists()] == []
    assert [path.name for folder in one.temp.iterdir() for path in folder.iterdir()] == ["lock"]


def test_a_start_that_fails_late_takes_the_monitoring_back(
    service: MakeService, feed: MatchFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: MatchMonitor, *_push: object) -> None:
        raise OSError(28, "No space left on device")

    one = service(overlay_api_base=feed.url)
    with monkeypatch.context() as patch:
        patch.setattr(MatchMonitor, "first_overlay", full)
        with pytest.raises(WorkFolderUnusable, match="^The temporary folder cannot be written: No space"):
            one.start()
    assert feed.paths("POST") == ["/start-match-monitoring", "/stop-match-monitoring"]
    assert threads_of_streams() == []
    one.start()


def test_a_stream_that_cannot_even_be_made_leaves_no_folder(
    service: MakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = service()
    with monkeypatch.context() as patch:
        patch.setattr("relay.stream.Switch", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            one.start()
    assert [path.name for folder in one.temp.iterdir() for path in folder.iterdir()] == ["lock"]
    one.start()


def test_a_fault_in_the_ending_still_frees_the_name(
    service: MakeService, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    one = service()
    one.start()
    pids = [one.wait_for_lives(role, 1)[0]["pid"] for role in ("compositor", "publisher")]
    with monkeypatch.context() as patch:
        patch.setattr("relay.children.Child.prepare_to_end", lambda *_: 1 / 0)
        one.registry.stop("m1")
    assert "not all of the stream could be ended" in caplog.text
    assert [pid for pid in pids if Path(f"/proc/{pid}").exists()] == []
    one.start()


def threads_of_streams() -> list[str]:
    kinds = ("stream-", "switch-", "monitor-", "farewell-")
    return [thread.name for thread in threading.enumerate() if thread.name.startswith(kinds)]


def test_the_match_api_cannot_hold_up_a_stop(service: MakeService, feed: MatchFeed) -> None:
    one = service(overlay_api_base=feed.url)
    one.start()
    feed.hold = True
    polls = len(feed.paths("GET"))
    eventually(lambda: len(feed.paths("GET")) > polls)
    one.registry.stop("m1")
    assert threads_of_streams() == []
    assert one.names() == []
    assert "/stop-match-monitoring" in feed.paths("POST")


def test_a_stream_ends_by_itself_at_its_longest_duration(
    service: MakeService, caplog: pytest.LogCaptureFixture
) -> None:
    one = service(max_stream_duration_s=3600)
    one.start()
    one.wait_for_lives("compositor", 1)
    one.clock.advance(3600)
    eventually(lambda: one.names() == [])
    assert "MAX_STREAM_DURATION_S" in caplog.text


def test_a_fault_of_the_supervisor_ends_the_stream_and_leaves_nothing(
    service: MakeService, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    one = service()
    one.start()
    pid = one.wait_for_lives("compositor", 1)[0]["pid"]
    monkeypatch.setattr("relay.stream.Stream._step", lambda self: 1 / 0)
    eventually(lambda: one.names() == [])
    eventually(lambda: not Path(f"/proc/{pid}").exists())
    assert "the supervisor failed" in caplog.text


def test_after_the_close_nothing_starts(service: MakeService) -> None:
    one = service()
    one.start()
    one.registry.close()
    assert one.names() == []
    with pytest.raises(NoCapacity, match="stopping"):
        one.start("m2")


def test_ffmpegs_output_goes_to_its_own_log_so_much_and_no_more(
    service: MakeService, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "ffmpeg.output")
    one = service()
    one.fake.script(compositor={"stderr": [f"[warning] line {i}" for i in range(2000)]})
    one.start()
    one.wait_for_lives("compositor", 1)
    eventually(lambda: "compositor 1: [warning] line 199" in caplog.text)
    assert sum("compositor 1:" in line for line in caplog.messages) < 400
