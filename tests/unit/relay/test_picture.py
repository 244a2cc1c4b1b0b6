from __future__ import annotations

import logging
import os
import re
import signal
from collections import namedtuple
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from config import Settings
from graphics import drawing
from graphics.layout import canvas_of
from overlay import OverlayFile
from relay.children import Child
from relay.picture import Picture
from relay.publishers import CameraEvent, CameraKind
from tests.conftest import SettingsFactory
from tests.unit.conftest import FakeFFmpeg, Rig
from tests.waiting import eventually, runs

TICKS_PER_S = 90_000
CAME, LEFT = CameraEvent(CameraKind.CAME), CameraEvent(CameraKind.LEFT)
MAPPING = "[info] Stream mapping:"
SOUND_OF_CAMERA = "[info]   Stream #0:1 -> #0:1 (aac (native) -> aac (native))"
SOUND_OF_SILENCE = "[info]   Stream #2:0 -> #0:1 (pcm_u8 (native) -> aac (native))"
HEARD = b"0, 1024, 1024, 1024, 371, 0x12345678\n"  # one line of framecrc


class Stage(Rig):
    """A picture that the test steps, with a camera, a slate and a listener that do what it says."""

    def __init__(self, settings: Settings, fake: FakeFFmpeg, folder: Path) -> None:
        super().__init__(settings, fake)
        fake.script(compositor=fake.obedient, slate=fake.obedient, listener=fake.obedient)
        folder.mkdir()
        canvas = canvas_of(settings.profile)
        self.overlay_file = OverlayFile(folder / "overlay.png")
        self.overlay_file.write(drawing.placeholder(canvas))
        self.picture = Picture("m1", settings, folder, self.overlay_file, canvas, lambda: "", self.switch, self.around)
        self.picture.prepare_slate()
        self.children = lambda: self.picture.children

    @property
    def compositor(self) -> Child:
        return self.picture.children[0]

    @property
    def successor(self) -> Child:
        return self.picture.children[1]

    @property
    def slate(self) -> Child:
        return self.picture.children[2]

    @property
    def listener(self) -> Child:
        return self.picture.children[3]

    def step(self) -> None:
        self.picture.step(self.clock())
        self.settle()

    def go_on(self, duration_s: float, *flowing: Child, step_s: float = 0.2, **what: Any) -> None:
        """Let time pass in steps; these children give a keyframe at each."""
        for _ in range(round(duration_s / step_s)):
            self.clock.advance(step_s)
            for child in flowing:
                self.frame(child, key=True, **what)
            self.step()

    def put_camera_on_air(self, **what: Any) -> Child:
        """The compositor, with its first frame on air."""
        self.step()
        self.clock.advance(0.2)
        self.frame(self.compositor, key=True, **what)
        self.step()
        assert self.switch.on_air == self.compositor.stdout
        return self.compositor

    def is_on_air(self, child: Child) -> bool:
        return child.stdout is not None and self.switch.on_air == child.stdout

    def takes_sound(self, child: Child) -> bool:
        """Of the camera; `-an` before the ingest leaves it out."""
        argv = self.fake.argv(self.pid(child))
        return "-an" not in argv[: argv.index("-i")]


@pytest.fixture
def stage(
    fake_ffmpeg: FakeFFmpeg,
    unasked: None,
    settings_with: SettingsFactory,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> Iterator[Stage]:
    caplog.set_level(logging.INFO, "rig")
    settings = settings_with(ffmpeg_bin=str(fake_ffmpeg.path), output_profile="480p30")
    with Stage(settings, fake_ffmpeg, tmp_path / "stream") as made:
        yield made


def test_before_the_camera_first_comes_the_slate_is_on_air_and_says_so(stage: Stage) -> None:
    stage.step()
    stage.go_on(0.6, stage.slate)
    assert stage.is_on_air(stage.slate)
    status = stage.picture.status
    assert (status.on_air, status.sound, status.trouble) == ("slate", "silence", "the camera has not come yet")
    assert status.last_frame_at == stage.clock()


def test_a_camera_that_is_said_to_have_left_is_replaced_after_a_short_silence(stage: Stage) -> None:
    camera = stage.put_camera_on_air()
    pid = stage.pid(camera)
    assert stage.slate.process is None
    stage.picture.publishers.hear(LEFT)
    stage.step()
    assert stage.slate.process is not None, "the slate is made ready at once"
    stage.go_on(0.2, stage.slate)
    assert stage.is_on_air(camera)
    assert stage.pid(camera) == pid
    stage.go_on(0.2, stage.slate)
    assert stage.is_on_air(stage.slate)
    eventually(lambda: not runs(pid))
    assert stage.compositor.attempts == 2, "another awaits the camera"
    status = stage.picture.status
    assert (status.on_air, status.trouble) == ("slate", "the camera left")
    assert stage.picture.restarts == {"compositor": {"camera_left": 1}, "slate": {}}


def test_a_false_word_that_the_camera_left_changes_nothing_and_is_forgotten(stage: Stage) -> None:
    camera = stage.put_camera_on_air()
    pid = stage.pid(camera)
    stage.picture.publishers.hear(LEFT)
    stage.step()
    stage.go_on(0.4, camera, stage.slate)
    assert stage.is_on_air(camera)
    stage.go_on(1.2, camera)
    assert stage.slate.process is None
    stage.go_on(1.0)  # longer than the silence of one that left
    assert stage.slate.process is None
    stage.go_on(0.2, camera)
    assert stage.is_on_air(camera)
    assert stage.pid(camera) == pid
    assert stage.picture.status.trouble is None


def test_a_camera_that_came_again_is_not_held_to_have_left(stage: Stage) -> None:
    camera = stage.put_camera_on_air()
    stage.picture.publishers.hear(LEFT)
    stage.picture.publishers.hear(CAME)
    stage.go_on(1.0)
    assert stage.is_on_air(camera)
    assert camera.attempts == 1
    assert stage.slate.process is None


def test_without_a_word_the_camera_is_away_after_the_stall_timeout(stage: Stage) -> None:
    camera = stage.put_camera_on_air()
    stage.go_on(1.8)
    assert stage.is_on_air(camera)
    stage.go_on(0.4, stage.slate)
    assert stage.is_on_air(stage.slate)
    assert camera.attempts == 2
    assert stage.picture.restarts["compositor"] == {"stalled": 1}


def test_a_camera_that_came_ends_the_wait_for_the_next_attempt(stage: Stage) -> None:
    stage.fake.script(compositor={"exit": 1})
    stage.step()
    stage.wait_for_end(stage.compositor)
    stage.step()
    stage.go_on(0.6)
    assert stage.compositor.attempts == 1
    stage.picture.publishers.hear(CAME)
    stage.step()
    assert stage.compositor.attempts == 2
    assert stage.picture.restarts["compositor"] == {"exited": 1}


def test_a_camera_that_came_leaves_a_running_attempt_alone(stage: Stage) -> None:
    stage.step()
    pid = stage.pid(stage.compositor)
    stage.picture.publishers.hear(CAME)
    stage.go_on(0.4)
    assert stage.pid(stage.compositor) == pid


def kill(stage: Stage, child: Child) -> None:
    os.kill(stage.pid(child), signal.SIGKILL)
    stage.wait_for_end(child)


def test_a_proven_compositor_that_is_killed_is_started_again_at_once(stage: Stage) -> None:
    camera = stage.put_camera_on_air()
    stage.go_on(3.0, camera)
    kill(stage, camera)
    stage.step()
    assert stage.compositor.attempts == 2
    assert stage.compositor.process is not None
    assert stage.slate.process is not None, "and the slate is made ready beside it"
    assert stage.picture.status.trouble == "the compositor ended (killed by SIGKILL)"
    back = stage.put_camera_on_air()
    assert stage.is_on_air(back)
    assert stage.picture.status.trouble is None
    assert stage.picture.restarts["compositor"] == {"killed": 1}


@pytest.mark.parametrize(("lived_s", "gives_frames"), [(2.6, True), (20.0, False)])
def test_a_compositor_that_dies_without_having_proven_itself_waits(
    stage: Stage, lived_s: float, gives_frames: bool
) -> None:
    stage.step()
    camera = stage.compositor
    stage.go_on(lived_s, *([camera] if gives_frames else []))
    kill(stage, camera)
    stage.step()
    stage.go_on(0.8)
    assert camera.attempts == 1
    stage.go_on(0.6)
    assert camera.attempts == 2


def test_a_sound_that_is_announced_and_does_not_flow_is_left_out(stage: Stage) -> None:
    stage.step()
    pid = stage.pid(stage.compositor)
    assert stage.takes_sound(stage.compositor)
    stage.say(stage.compositor, MAPPING)
    stage.go_on(1.4)
    assert stage.pid(stage.compositor) == pid
    stage.go_on(0.2)
    eventually(lambda: not runs(pid))
    assert stage.compositor.attempts == 2
    assert not stage.takes_sound(stage.compositor)


def test_an_attempt_that_still_awaits_the_camera_is_left_alone(stage: Stage) -> None:
    stage.step()
    pid = stage.pid(stage.compositor)
    stage.go_on(40.0, step_s=2.0)
    assert stage.pid(stage.compositor) == pid


def test_a_picture_that_does_not_begin_in_silence_either_is_tried_with_sound_again(stage: Stage) -> None:
    stage.step()
    stage.say(stage.compositor, MAPPING)
    stage.go_on(1.6)
    silent = stage.pid(stage.compositor)
    stage.say(stage.compositor, MAPPING)
    stage.go_on(14.0, step_s=1.0)  # a camera may send a keyframe in 10 s
    assert stage.pid(stage.compositor) == silent
    stage.go_on(2.0, step_s=1.0)
    assert stage.pid(stage.compositor) != silent
    assert stage.takes_sound(stage.compositor)
    assert stage.picture.restarts["compositor"] == {"sound_stuck": 1, "no_keyframe": 1}


def put_silence_on_air(stage: Stage) -> Child:
    """A camera on air whose sound is left out, and a listener beside it."""
    stage.step()
    stage.say(stage.compositor, MAPPING)
    stage.go_on(1.6)
    stage.say(stage.compositor, MAPPING)
    stage.say(stage.compositor, SOUND_OF_SILENCE)
    return stage.put_camera_on_air()


def hear(stage: Stage, lines: int) -> None:
    """Have the listener hear so many more packets of sound."""
    heard = stage.picture._camera.listener.heard + lines
    stage.fake.feed(stage.pid(stage.listener), HEARD * lines)
    eventually(lambda: stage.picture._camera.listener.heard == heard)


def test_a_listener_runs_while_silence_is_on_air_and_only_then(stage: Stage) -> None:
    stage.step()
    stage.say(stage.compositor, SOUND_OF_CAMERA)
    camera = stage.put_camera_on_air()
    stage.go_on(1.0, camera)
    assert stage.listener.attempts == 0
    assert stage.picture.status.sound == "camera"


def test_sound_that_is_back_goes_on_air_by_a_successor_without_a_hole(stage: Stage) -> None:
    silent = put_silence_on_air(stage)
    silent_pid, listener_pid = stage.pid(silent), stage.pid(stage.listener)
    assert "rtmp://localhost:1935/live/m1" in stage.fake.argv(listener_pid)
    assert stage.picture.status.sound == "silence"
    hear(stage, 29)
    stage.go_on(0.2, silent)
    assert stage.successor.process is None
    hear(stage, 1)
    stage.go_on(0.2, silent)
    successor = stage.successor
    assert stage.takes_sound(successor)
    stage.go_on(1.0, silent)
    assert stage.is_on_air(silent), "until the successor has a frame"
    stage.say(successor, SOUND_OF_CAMERA)
    stage.clock.advance(0.2)
    stage.frame(successor, key=True)
    assert stage.is_on_air(successor)
    stage.step()
    assert stage.compositor is successor
    assert stage.is_on_air(successor)
    eventually(lambda: not runs(silent_pid))
    eventually(lambda: not runs(listener_pid))
    stage.go_on(1.0, successor)
    assert stage.picture.status.sound == "camera"
    assert (stage.successor.process, stage.listener.process) == (None, None)
    assert stage.picture.attempts == {"compositor": 3, "slate": 1, "listener": 1, "examiner": 1}
    assert stage.picture.restarts == {"compositor": {"sound_stuck": 1, "sound_back": 1}, "slate": {}}


def test_a_listener_of_a_camera_without_sound_is_no_trouble_and_waits_longer_each_time(stage: Stage) -> None:
    camera = put_silence_on_air(stage)
    stage.fake.order(stage.pid(stage.listener), "exit 1")
    stage.wait_for_end(stage.listener)
    stage.go_on(0.8, camera)
    assert stage.listener.attempts == 1
    stage.go_on(0.6, camera)
    assert stage.listener.attempts == 2
    assert stage.listener.last_error is None
    assert stage.picture.status.trouble is None
    assert stage.listener.restarts == {}


def test_a_successor_that_gives_no_frame_is_given_up_and_the_compositor_stays(stage: Stage) -> None:
    camera = put_silence_on_air(stage)
    pid = stage.pid(camera)
    hear(stage, 30)
    stage.go_on(1.0, camera, step_s=1.0)
    successor = stage.pid(stage.successor)
    stage.go_on(14.0, camera, step_s=1.0)
    assert stage.pid(stage.successor) == successor
    stage.go_on(1.0, camera, step_s=1.0)
    eventually(lambda: not runs(successor))
    stage.go_on(19.0, camera, step_s=1.0)
    assert stage.successor.process is None
    assert stage.pid(camera) == pid
    assert stage.is_on_air(camera)
    stage.go_on(1.0, camera, step_s=1.0)
    assert stage.successor.process is not None, "another try after a while"
    assert stage.picture.restarts["compositor"] == {"sound_stuck": 1, "no_keyframe": 1}


def test_a_successor_takes_over_at_once_from_a_compositor_that_dies(stage: Stage) -> None:
    camera = put_silence_on_air(stage)
    hear(stage, 30)
    stage.go_on(0.2, camera)
    successor = stage.successor
    pid = stage.pid(successor)
    kill(stage, camera)
    stage.step()
    assert stage.compositor is successor
    assert stage.pid(successor) == pid
    stage.go_on(0.2, successor)
    assert stage.is_on_air(successor)
    assert stage.picture.restarts["compositor"] == {"sound_stuck": 1, "killed": 1}


def test_a_successor_that_dies_at_once_is_not_started_at_each_step(stage: Stage) -> None:
    camera = put_silence_on_air(stage)
    hear(stage, 30)
    stage.fake.script(compositor={"exit": 1}, listener=stage.fake.obedient)
    stage.go_on(0.2, camera)
    attempts = stage.successor.attempts
    for _ in range(4):
        if stage.successor.process is not None:
            stage.wait_for_end(stage.successor)
        stage.go_on(0.2, camera)
    assert stage.successor.attempts == attempts, "within 0.8 s"
    assert stage.is_on_air(camera)


def test_a_sound_that_stops_while_the_picture_flows_becomes_silence_by_a_successor(stage: Stage) -> None:
    stage.step()
    stage.say(stage.compositor, SOUND_OF_CAMERA)
    camera = stage.put_camera_on_air(sound=True)
    pid = stage.pid(camera)
    stage.go_on(2.4, camera, sound=True)
    stage.go_on(1.8, camera)
    assert stage.successor.process is None
    stage.go_on(0.4, camera)
    successor = stage.successor
    assert not stage.takes_sound(successor)
    assert stage.is_on_air(camera)
    stage.say(successor, SOUND_OF_SILENCE)
    stage.go_on(0.2, camera, successor)
    assert stage.is_on_air(successor)
    eventually(lambda: not runs(pid))
    stage.go_on(0.2, successor)
    assert stage.picture.status.sound == "silence"
    assert stage.listener.process is not None, "its return is listened for"
    assert stage.picture.restarts["compositor"] == {"sound_lost": 1}


def test_a_camera_that_is_silent_in_picture_and_sound_gets_no_successor(stage: Stage) -> None:
    """Its picture is away, too: that is the slate's business."""
    camera = stage.put_camera_on_air(sound=True)
    stage.go_on(1.8, step_s=0.6)
    assert stage.is_on_air(camera)
    stage.go_on(0.4)
    assert stage.successor.attempts == 0
    assert stage.takes_sound(stage.compositor)


def test_a_source_that_runs_ahead_of_the_clock_is_replaced_and_what_is_too_much_never_goes_out(stage: Stage) -> None:
    read_fd, write_fd = os.pipe()
    for fd in (read_fd, write_fd):
        os.set_blocking(fd, False)
    stage.switch.add_publisher(write_fd)
    try:
        began = stage.clock()
        camera = stage.put_camera_on_air(ticks=0)
        while stage.clock() < began + 5:
            stage.clock.advance(0.2)
            stage.frame(camera, ticks=round((stage.clock() - began) * TICKS_PER_S))
            stage.step()
        stage.settle()
        os.read(read_fd, 1 << 20)
        pid, at = stage.pid(camera), round((stage.clock() - began) * TICKS_PER_S)
        # An hour that the camera jumped by, filled with pictures; here 0.12 s a frame.
        burst = [stage.muxers[pid].video(b"burst", ticks=at + 10_800 * number) for number in range(1, 40)]
        stage.fake.feed(pid, b"".join(burst))
        stdout = camera.stdout
        assert stdout is not None
        eventually(lambda: stage.switch.source(stdout).runs_ahead)
        stage.settle()
        assert os.read(read_fd, 1 << 20) == b"".join(burst[:4]), "half a second, no more"
        stage.step()
        eventually(lambda: not runs(pid))
        assert stage.compositor.attempts == 2
        assert stage.picture.restarts["compositor"] == {"runs_ahead": 1}
        stage.go_on(0.6, stage.slate)
        assert stage.is_on_air(stage.slate)
        assert "the camera's clock jumped" in (stage.picture.status.trouble or "")
        assert b"burst" not in os.read(read_fd, 1 << 20)
    finally:
        stage.switch.remove_publisher(write_fd)
        os.close(read_fd)
        os.close(write_fd)


class ReadBytes:
    """What psutil says each process has read; the test says how much."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.total = 0
        counters = SimpleNamespace(io_counters=lambda: SimpleNamespace(read_chars=self.total))
        monkeypatch.setattr("relay.watches.psutil.Process", lambda _pid: counters)


@pytest.fixture
def read_bytes(monkeypatch: pytest.MonkeyPatch) -> ReadBytes:
    return ReadBytes(monkeypatch)


def follow_overlay(stage: Stage, read_bytes: ReadBytes, child: Child, duration_s: float) -> None:
    """Frames that come, and an overlay that is read with each."""
    for _ in range(round(duration_s)):
        read_bytes.total += 5000
        stage.go_on(1.0, child, step_s=1.0)


def test_an_overlay_that_is_read_no_more_is_followed_by_a_successor(
    stage: Stage, read_bytes: ReadBytes, caplog: pytest.LogCaptureFixture
) -> None:
    camera = stage.put_camera_on_air()
    follow_overlay(stage, read_bytes, camera, 6)
    stage.go_on(2.0, camera, step_s=1.0)
    assert stage.successor.process is None
    stage.go_on(1.0, camera, step_s=1.0)
    successor = stage.successor
    assert stage.takes_sound(successor)
    assert "the overlay on air is not the one on disk" in caplog.text
    stage.go_on(0.2, camera, successor)
    assert stage.is_on_air(successor)
    assert stage.compositor is successor
    follow_overlay(stage, read_bytes, successor, 6)
    assert stage.successor.process is None
    assert stage.picture.restarts["compositor"] == {"overlay_unread": 1}


@pytest.mark.parametrize("harm", [Path.unlink, lambda path: path.write_bytes(b"no picture")], ids=["gone", "changed"])
def test_an_overlay_file_that_something_else_touched_is_put_back(
    stage: Stage, read_bytes: ReadBytes, caplog: pytest.LogCaptureFixture, harm: Callable[[Path], Any]
) -> None:
    path = stage.overlay_file.path
    good = path.read_bytes()
    camera = stage.put_camera_on_air()
    follow_overlay(stage, read_bytes, camera, 4)
    assert "put back" not in caplog.text
    harm(path)
    stage.go_on(3.0, camera, step_s=1.0)
    assert path.read_bytes() == good
    assert stage.successor.process is not None


@pytest.mark.parametrize("role", ["compositor", "slate"])
def test_an_overlay_file_that_is_gone_is_put_back_before_an_ffmpeg_starts(stage: Stage, role: str) -> None:
    """None starts without it."""
    if role == "slate":
        camera = stage.put_camera_on_air()
        stage.overlay_file.path.unlink()
        stage.picture.publishers.hear(LEFT)
        stage.step()
        assert camera.attempts == 1
    else:
        stage.step()
        kill(stage, stage.compositor)
        stage.step()
        stage.overlay_file.path.unlink()
        stage.picture.publishers.hear(CAME)
        stage.step()
        assert stage.compositor.attempts == 2
    assert stage.overlay_file.path.is_file()


def test_the_successor_of_a_silent_compositor_whose_overlay_died_is_silent_too(
    stage: Stage, read_bytes: ReadBytes
) -> None:
    camera = put_silence_on_air(stage)
    follow_overlay(stage, read_bytes, camera, 4)
    stage.go_on(3.0, camera, step_s=1.0)
    assert not stage.takes_sound(stage.successor)


def test_an_overlay_that_was_never_seen_to_be_read_is_not_judged(stage: Stage, read_bytes: ReadBytes) -> None:
    camera = stage.put_camera_on_air()
    stage.go_on(12.0, camera, step_s=1.0)
    assert stage.successor.attempts == 0


def test_an_overlay_is_not_judged_while_no_frames_flow(stage: Stage, read_bytes: ReadBytes) -> None:
    camera = stage.put_camera_on_air()
    for _ in range(3):
        follow_overlay(stage, read_bytes, camera, 3)
        stage.go_on(1.5, step_s=0.5)
    stage.go_on(0.5, camera, step_s=0.5)
    assert stage.is_on_air(camera)
    assert stage.successor.attempts == 0


def test_a_slate_whose_overlay_is_read_no_more_is_made_anew(stage: Stage, read_bytes: ReadBytes) -> None:
    stage.step()
    stage.go_on(0.6, stage.slate)
    pid = stage.pid(stage.slate)
    assert stage.is_on_air(stage.slate)
    follow_overlay(stage, read_bytes, stage.slate, 5)
    stage.go_on(3.0, stage.slate, step_s=1.0)
    assert stage.pid(stage.slate) != pid
    stage.go_on(0.6, stage.slate)
    assert stage.is_on_air(stage.slate)
    assert stage.successor.attempts == 0
    assert stage.picture.restarts["slate"] == {"overlay_unread": 1}


CpuTimes = namedtuple("CpuTimes", "user idle iowait")


def set_cpu(monkeypatch: pytest.MonkeyPatch, clock: Callable[[], float], busy: float) -> None:
    """Half of the rest waits for a disk, which is no work."""

    def times() -> CpuTimes:
        rest = (1 - busy) * clock()
        return CpuTimes(busy * clock(), rest / 2, rest / 2)

    monkeypatch.setattr("relay.watches.psutil.cpu_times", times)


@pytest.fixture
def paced_stage(stage: Stage) -> Callable[[float, float], None]:
    """Lets a camera's picture flow for so long, at so much media time a second."""
    media_s = 0.0

    def flow(duration_s: float, speed: float) -> None:
        nonlocal media_s
        camera = stage.compositor if stage.is_on_air(stage.compositor) else stage.put_camera_on_air(ticks=0)
        for _ in range(round(duration_s / 0.4)):
            stage.clock.advance(0.4)
            media_s += 0.4 * speed
            stage.frame(camera, ticks=round(media_s * TICKS_PER_S))
            stage.step()

    return flow


Flow = Callable[[float, float], None]


@pytest.mark.parametrize(
    ("busy", "cause"),
    [
        (0.95, "the machine is overloaded (CPU 95%)"),
        (0.85, "the camera's pictures come too slowly"),
        (0.1, "the camera's pictures come too slowly"),
    ],
)
def test_media_slower_than_the_clock_is_named_with_its_cause(
    stage: Stage, paced_stage: Flow, monkeypatch: pytest.MonkeyPatch, busy: float, cause: str
) -> None:
    set_cpu(monkeypatch, stage.clock, busy)
    paced_stage(10.0, 0.8)
    assert stage.picture.status.trouble is None
    paced_stage(12.0, 0.8)
    trouble = stage.picture.status.trouble
    assert trouble is not None
    assert trouble == f"the picture runs at 0.80 of real time: {cause}"
    paced_stage(12.0, 1.0)
    assert stage.picture.status.trouble is None


def test_media_a_little_slower_than_the_clock_is_no_trouble(
    stage: Stage, paced_stage: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_cpu(monkeypatch, stage.clock, 0.99)
    paced_stage(24.0, 0.95)
    assert stage.picture.status.trouble is None


def test_a_sound_without_a_picture_yet_is_awaited_at_once_and_with_patience(stage: Stage) -> None:
    stage.fake.script(compositor={"stderr": ["[fatal] Stream specifier ':v:0' matches no streams."], "exit": 1})
    for life in (1, 2):
        stage.step()
        stage.wait_for_end(stage.compositor)
        assert len(stage.fake.lives("compositor")) == life
    stage.step()
    assert len(stage.fake.lives("compositor")) == 2, "after a patient one the wait grows as ever"
    spans = [life["argv"][life["argv"].index("-analyzeduration") + 1] for life in stage.fake.lives("compositor")]
    assert spans == ["800000", "30000000"]
    assert stage.picture.restarts["compositor"] == {"no_picture": 2}


def test_a_compositor_that_gets_nothing_is_renewed_at_once_when_the_camera_comes(stage: Stage) -> None:
    stage.step()
    stage.go_on(20.0, stage.slate)
    waiting = stage.pid(stage.compositor)
    stage.picture.publishers.hear(CAME)
    stage.go_on(1.8, stage.slate)
    assert stage.pid(stage.compositor) == waiting, "the server may be slow"
    stage.go_on(0.4, stage.slate)
    renewed = stage.pid(stage.compositor)
    assert renewed != waiting
    stage.go_on(20.0, stage.slate)
    assert stage.pid(stage.compositor) == renewed, "once for each coming"
    assert stage.picture.restarts["compositor"] == {}


def test_a_compositor_that_waits_for_a_minute_is_renewed(stage: Stage) -> None:
    stage.step()
    stage.go_on(59.0, stage.slate, step_s=1.0)
    waiting = stage.pid(stage.compositor)
    stage.go_on(2.0, stage.slate, step_s=1.0)
    assert stage.pid(stage.compositor) != waiting


def test_a_compositor_that_gets_data_is_not_renewed(stage: Stage) -> None:
    stage.step()
    stage.say(stage.compositor, "[info] Input #0, flv, from 'rtmp://localhost:1935/live/m1':")
    waiting = stage.pid(stage.compositor)
    stage.picture.publishers.hear(CAME)
    stage.go_on(70.0, stage.slate, step_s=1.0)
    assert stage.pid(stage.compositor) == waiting


TRACK = "[info]   Stream #0:1: Video: h264 (High), yuv420p({details}), {size}, 25 fps, 25 tbr, 1k tbn"


@pytest.mark.parametrize(
    ("details", "size", "words"),
    [
        ("tv, progressive", "720x576", ("smpte170m",)),
        ("tv, bt709, top first", "1920x1080", ("bt709", "bwdif")),
        ("tv, top first", "720x576", ("smpte170m", "bwdif")),
    ],
)
def test_a_picture_that_needs_other_filters_gets_them_from_the_next_attempt_on(
    stage: Stage, details: str, size: str, words: tuple[str, ...]
) -> None:
    stage.step()
    plain = stage.pid(stage.compositor)
    assert "bwdif" not in " ".join(stage.fake.argv(plain))
    stage.say(stage.compositor, TRACK.format(details=details, size=size))
    stage.go_on(0.4)
    treated = stage.pid(stage.compositor)
    assert treated != plain
    argv = stage.fake.argv(treated)
    assert argv[argv.index("-colorspace") + 1] == words[0]
    assert all(word in " ".join(argv) for word in words)
    stage.say(stage.compositor, TRACK.format(details=details, size=size))
    stage.go_on(0.4)
    assert stage.pid(stage.compositor) == treated
    assert stage.picture.restarts["compositor"] == {}


def test_a_usual_picture_needs_no_other_attempt_and_hdr_is_named(stage: Stage) -> None:
    stage.step()
    stage.say(stage.compositor, TRACK.format(details="tv, bt2020nc/bt2020/arib-std-b67, progressive", size="1920x1080"))
    camera = stage.put_camera_on_air()
    stage.go_on(1.0, camera)
    assert stage.picture.status.trouble == "the camera sends HLG (HDR), which looks pale: set it to SDR"
    assert stage.compositor.attempts == 1


def test_a_silent_microphone_is_named_and_its_readings_fill_no_log(
    stage: Stage, paced_stage: Flow, caplog: pytest.LogCaptureFixture
) -> None:
    stage.step()
    stage.say(stage.compositor, SOUND_OF_CAMERA)
    camera = stage.compositor
    paced_stage(0.4, 1.0)
    for _ in range(16):
        stage.say(camera, "lavfi.astats.Overall.Peak_level=-80.5")
        paced_stage(1.2, 1.0)
    status = stage.picture.status
    assert status.trouble is None
    assert status.level is not None
    assert status.level.peak_db == -80.5
    for _ in range(3):
        stage.say(camera, "lavfi.astats.Overall.Peak_level=-inf")
        paced_stage(1.2, 1.0)
    trouble = stage.picture.status.trouble
    assert trouble is not None
    assert re.fullmatch(r"the camera's sound has been silent for 2\d s: check the microphone", trouble)
    stage.say(camera, "lavfi.astats.Overall.Peak_level=-30.0")
    paced_stage(1.2, 1.0)
    assert stage.picture.status.trouble is None
    assert "lavfi" not in caplog.text
