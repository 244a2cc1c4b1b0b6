from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

import ffmpeg
from config import Settings
from media.causes import Cause
from relay.delivery import Delivery
from tests.conftest import SettingsFactory
from tests.mpegts import Muxer
from tests.unit.conftest import BACKUP_KEY, KEY, FakeFFmpeg, MakeRelay, Rig, destination
from tests.waiting import eventually, runs

URL = f"rtmp://127.0.0.1/live2/{KEY}"
BACKUP_URL = f"rtmp://127.0.0.1/backup/{BACKUP_KEY}"
OUTPUT = "[info] Output #0, flv, to 'rtmp://127.0.0.1/live2':"
REFUSED = "the destination closes the connection right after publish: check the stream key"
IO_ERROR = "[error] rtmp://127.0.0.1/live2: Input/output error"
BROKEN_PIPE = "[error] av_interleaved_write_frame(): Broken pipe"

CAUSES = {
    "the destination cannot be reached": Cause.UNREACHABLE,
    "the destination's host name is not known": Cause.UNREACHABLE,
    "the destination closes the connection before the RTMP handshake": Cause.CLOSED,
    "the destination closed the connection": Cause.CLOSED,
    "the destination takes no data": Cause.STUCK,
    REFUSED.split(":", maxsplit=1)[0]: Cause.REFUSED,
}


@pytest.mark.parametrize(
    ("lines", "published_for_s", "fault"),
    [
        (
            [
                "[tcp @ 0x1] [error] Connection to tcp://127.0.0.1:1?tcp_nodelay=0 failed: Connection refused",
                "[rtmp @ 0x2] [error] Cannot open connection tcp://127.0.0.1:1?tcp_nodelay=0",
                "[error] rtmp://127.0.0.1:1/youtube: Connection refused",
            ],
            None,
            "the destination cannot be reached: Connection refused",
        ),
        (
            ["[tcp @ 0x1] [error] Connection to tcp://10.0.0.1:1935?tcp_nodelay=0 failed: Network is unreachable"],
            None,
            "the destination cannot be reached: Network is unreachable",
        ),
        (
            [
                "[tcp @ 0x1] [error] Failed to resolve hostname a.rtmp.youtube.com: Name or service not known",
                "[rtmp @ 0x2] [error] Cannot open connection tcp://a.rtmp.youtube.com:1935?tcp_nodelay=0",
                "[error] rtmp://a.rtmp.youtube.com/live2: Input/output error",
            ],
            None,
            "the destination's host name is not known",
        ),
        (
            ["[rtmp @ 0x2] [error] Cannot open connection tcp://127.0.0.1:1935?tcp_nodelay=0", IO_ERROR],
            None,
            "the destination cannot be reached",
        ),
        (
            ["[rtmp @ 0x2] [error] Cannot read RTMP handshake response", IO_ERROR],
            None,
            "the destination closes the connection before the RTMP handshake",
        ),
        (["[error] av_interleaved_write_frame(): Connection timed out"], 60.0, "the destination takes no data"),
        ([IO_ERROR], None, REFUSED),
        ([BROKEN_PIPE], 9.9, REFUSED),
        ([IO_ERROR], 0.0, REFUSED),
        ([BROKEN_PIPE], 10.0, "the destination closed the connection"),
        (
            ["[error] av_interleaved_write_frame(): Connection reset by peer"],
            60,
            "the destination closed the connection",
        ),
        (["[error] rtmp://127.0.0.1/live2: End of file"], 60.0, "the destination closed the connection"),
        (["[error] Conversion failed!"], 60.0, None),
        (["[info] frame= 1 fps=0.0"], None, None),
        ([], None, None),
    ],
)
def test_what_a_publisher_says_of_its_destination(
    lines: list[str], published_for_s: float | None, fault: str | None
) -> None:
    said = ffmpeg.destination_fault(lines, published_for_s)
    assert said == (None if fault is None else ffmpeg.Fault(fault, CAUSES[fault.split(":", maxsplit=1)[0]]))


class Channel(Rig):
    """Deliveries that the test steps, and a source on air that says what it writes."""

    def __init__(self, settings: Settings, fake: FakeFFmpeg) -> None:
        super().__init__(settings, fake)
        fake.script(publisher={"obeys": True})
        self.muxer = Muxer()
        self.source, self._write_fd = os.pipe()
        os.set_blocking(self.source, False)
        self.delivery = self.make("publisher", URL)
        self.backup = self.make("backup publisher", BACKUP_URL)
        self.children = lambda: (self.delivery.child, self.backup.child)

    def __enter__(self) -> Channel:
        super().__enter__()
        self.switch.add_source(self.source, lambda: None, takes_over=True)
        return self

    def __exit__(self, *error: object) -> None:
        self.switch.remove_source(self.source)
        super().__exit__(*error)
        os.close(self.source)
        os.close(self._write_fd)

    def make(self, role: str, url: str) -> Delivery:
        return Delivery(role, destination(url), self.settings, self.switch, self.around)

    def on_air(self, frames: int = 1, size: int = 500) -> bytes:
        """Put so many frames, all keyframes, on air; what is on air then."""
        whole = b""
        for _ in range(frames):
            data = self.muxer.key_frame(b"f" * size)
            before = self.switch.frames_on_air
            os.write(self._write_fd, data)
            eventually(lambda before=before: self.switch.frames_on_air > before)  # type: ignore[misc]
            whole += data
        self.settle()
        return whole

    def step(self, after_s: float = 0.0) -> None:
        self.clock.advance(after_s)
        self.delivery.step(self.clock())

    def connect(self) -> int:
        """Have the publisher say that it publishes; its pid."""
        self.step()
        self.say(self.delivery.child, OUTPUT)
        self.step()
        return self.pid(self.delivery.child)

    def die(self, *words: str, status: int = 1) -> None:
        """Have the publisher end with these last words."""
        pid = self.pid(self.delivery.child)
        for line in words:
            self.fake.order(pid, f"say {line}")
        self.fake.order(pid, f"exit {status}")
        self.wait_for_end(self.delivery.child)
        self.step()

    def wait_out(self) -> float:
        """The wait until the next attempt, as found by small steps."""
        waited_s = 0.0
        while self.delivery.child.process is None:
            self.step(0.05)
            waited_s += 0.05
        return waited_s

    def state(self) -> tuple[str, str | None]:
        status = self.delivery.status()
        return status.state, status.reason


@pytest.fixture
def channel(
    fake_ffmpeg: FakeFFmpeg, unasked: None, settings_with: SettingsFactory, caplog: pytest.LogCaptureFixture
) -> Iterator[Channel]:
    caplog.set_level(logging.INFO, "rig")
    settings = settings_with(ffmpeg_bin=str(fake_ffmpeg.path), output_profile="480p30")
    with Channel(settings, fake_ffmpeg) as made:
        yield made


def test_a_destination_is_connected_when_its_publisher_has_written_the_header(channel: Channel) -> None:
    channel.step()
    assert channel.state() == ("connecting", None)
    channel.step(5)
    assert channel.state() == ("connecting", None)
    channel.connect()
    assert channel.state() == ("connected", None)


def test_a_lost_destination_is_reconnecting_with_its_reason_until_it_is_connected_again(
    channel: Channel, caplog: pytest.LogCaptureFixture
) -> None:
    channel.connect()
    channel.step(60)
    channel.die(BROKEN_PIPE)
    lost = ("reconnecting", "the destination closed the connection")
    assert channel.state() == lost
    assert "publisher: the destination closed the connection" in caplog.text
    channel.wait_out()
    assert channel.state() == lost, "an attempt is no connection yet"
    assert channel.delivery.status().attempts == 2
    channel.connect()
    assert channel.state() == ("connected", None)


def test_a_destination_that_was_never_reached_is_reconnecting(channel: Channel) -> None:
    channel.step()
    channel.die("[tcp @ 0x1] [error] Connection to tcp://127.0.0.1:1?tcp_nodelay=0 failed: Connection refused")
    assert channel.state() == ("reconnecting", "the destination cannot be reached: Connection refused")
    assert channel.delivery.child.restarts == {"unreachable": 1}


def test_an_end_that_says_nothing_of_the_destination_is_told_with_its_cause(channel: Channel) -> None:
    channel.connect()
    channel.die("[error] Conversion failed!", status=3)
    assert channel.state() == ("reconnecting", "the publisher ended (exit status 3: Conversion failed!)")
    assert channel.delivery.child.restarts == {"exited": 1}


def test_after_a_refused_key_a_publisher_counts_as_connected_only_when_it_has_lived(channel: Channel) -> None:
    channel.connect()
    channel.step(4)
    channel.die(BROKEN_PIPE)
    assert channel.state() == ("reconnecting", REFUSED)
    channel.wait_out()
    channel.connect()
    channel.step(9.8)
    assert channel.state() == ("reconnecting", REFUSED)
    channel.step(0.4)
    assert channel.state() == ("connected", None)


def test_a_reason_that_stays_the_same_is_logged_once(channel: Channel, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(3):
        channel.wait_out()
        channel.die(IO_ERROR)
    assert caplog.text.count(f"publisher: {REFUSED}") == 1
    assert channel.delivery.child.restarts == {"refused": 3}


def test_the_wait_for_the_next_attempt_doubles_to_half_a_minute(channel: Channel) -> None:
    waits = []
    channel.fake.script(publisher={"stderr": [IO_ERROR], "exit": 1})
    for _ in range(8):
        waits.append(channel.wait_out())
        channel.wait_for_end(channel.delivery.child)
        channel.step()
    assert waits[0] == pytest.approx(0.05), "the first attempt does not wait"
    for waited_s, least_s in zip(waits[1:6], (1, 2, 4, 8, 16), strict=True):
        assert least_s - 0.01 <= waited_s <= 1.2 * least_s + 0.1
    assert waits[6:] == pytest.approx([30, 30], abs=0.1)


def test_after_half_a_minute_of_health_the_wait_is_short_again(channel: Channel) -> None:
    for _ in range(4):
        channel.wait_out()
        channel.die(IO_ERROR)
    channel.wait_out()
    channel.connect()
    channel.step(31)
    channel.die(BROKEN_PIPE)
    assert channel.wait_out() < 1.4


def test_frames_that_went_by_while_a_destination_was_away_are_counted(channel: Channel) -> None:
    channel.on_air(5)
    channel.connect()
    channel.on_air(3)
    assert channel.delivery.dropped_frames == 0, "what was before the first connection is not missed"
    channel.step(60)
    channel.die(BROKEN_PIPE)
    channel.on_air(7)
    channel.wait_out()
    channel.connect()
    channel.on_air(2)
    channel.step(0.2)
    assert channel.delivery.status().dropped_frames == 7


def test_several_attempts_that_fail_count_the_frames_of_one_absence_once(channel: Channel) -> None:
    channel.connect()
    channel.step(60)
    channel.die(BROKEN_PIPE)
    for _ in range(3):
        channel.on_air(2)
        channel.wait_out()
        channel.die("[rtmp @ 0x2] [error] Cannot read RTMP handshake response")
    channel.wait_out()
    channel.connect()
    channel.step(0.2)
    assert channel.delivery.status().dropped_frames == 6


def test_frames_that_reached_a_destination_after_a_refusal_are_not_counted_as_lost(channel: Channel) -> None:
    channel.connect()
    channel.on_air(1)
    channel.die(BROKEN_PIPE)
    channel.on_air(2)
    channel.wait_out()
    pid = channel.connect()
    sent = channel.on_air(5)
    eventually(lambda: channel.fake.received(pid) == sent)
    channel.step(10.1)
    assert channel.state() == ("connected", None)
    assert channel.delivery.dropped_frames == 2


def test_frames_that_fall_out_of_a_queue_while_reconnecting_are_counted_once(channel: Channel) -> None:
    channel.connect()
    channel.on_air(1)
    channel.step(60)
    channel.die(BROKEN_PIPE)
    channel.fake.script(publisher={"obeys": True, "wedged": True})
    channel.wait_out()
    lost = channel.switch.frames_on_air
    channel.on_air(40, 60_000)
    channel.connect()
    channel.step(0.2)
    assert channel.delivery.dropped_frames <= channel.switch.frames_on_air - lost


def test_a_slow_destination_is_named_with_what_it_lost_and_forgotten_after_a_while(
    fake_ffmpeg: FakeFFmpeg, settings_with: SettingsFactory, caplog: pytest.LogCaptureFixture
) -> None:
    settings = settings_with(ffmpeg_bin=str(fake_ffmpeg.path), output_profile="480p30", publisher_stall_timeout_s=60)
    with Channel(settings, fake_ffmpeg) as channel:
        fake_ffmpeg.script(publisher={"obeys": True, "wedged": True})
        channel.connect()
        channel.on_air(5, 60_000)
        channel.step(0.2)
        assert channel.state() == ("connected", None), "two seconds may lie in the queue"
        channel.on_air(8, 60_000)
        channel.step(0.2)
        dropped = channel.delivery.status().dropped_frames
        assert dropped > 0
        told = ("connected", f"the destination takes data too slowly: {dropped} frames dropped so far")
        assert channel.state() == told
        channel.step(9.6)
        assert channel.state() == told
        channel.step(0.6)
        assert channel.state() == ("connected", None)
        assert channel.delivery.status().dropped_frames == dropped, "the count stays"
        assert caplog.text.count("takes data too slowly: frames are dropped") == 1


def test_a_destination_that_takes_nothing_is_connected_to_anew(channel: Channel) -> None:
    channel.fake.script(publisher={"obeys": True, "wedged": True})
    pid = channel.connect()
    channel.on_air(4, 60_000)
    channel.step(7.8)
    assert runs(pid)
    channel.step(0.4)
    eventually(lambda: not runs(pid))
    assert channel.state() == ("reconnecting", "the destination takes no data")
    assert channel.delivery.child.restarts == {"stuck": 1}


def test_a_destination_that_takes_a_little_now_and_then_is_not_stuck(channel: Channel) -> None:
    channel.fake.script(publisher={"obeys": True, "wedged": True})
    pid = channel.connect()
    channel.on_air(8, 60_000)
    fd = channel.delivery.child.process.fd("stdin") if channel.delivery.child.process else -1
    for _ in range(3):
        channel.step(6)
        stuck_since = channel.switch.stuck_since(fd)
        channel.fake.order(pid, "take 70000")
        eventually(lambda stuck_since=stuck_since: channel.switch.stuck_since(fd) != stuck_since)  # type: ignore[misc]
    assert runs(pid)
    assert channel.state() == ("connected", None)


def test_the_backups_troubles_are_its_own(channel: Channel) -> None:
    channel.connect()
    channel.backup.step(channel.clock())
    channel.fake.order(channel.pid(channel.backup.child), f"say {IO_ERROR}")
    channel.fake.order(channel.pid(channel.backup.child), "exit 1")
    channel.wait_for_end(channel.backup.child)
    channel.backup.step(channel.clock())
    channel.step()
    status = channel.backup.status()
    assert (status.state, status.reason) == ("reconnecting", REFUSED)
    assert channel.state() == ("connected", None)
    assert channel.delivery.status().attempts == 1


def test_a_wedged_backup_holds_up_no_byte_of_the_primary(channel: Channel) -> None:
    channel.fake.script(
        **{"publisher": {"obeys": True}, "publisher rtmp://127.0.0.1/backup": {"obeys": True, "wedged": True}}
    )
    channel.backup.step(channel.clock())
    channel.say(channel.backup.child, OUTPUT)
    primary, backup = channel.connect(), channel.pid(channel.backup.child)
    sent = b""
    for _ in range(20):
        # All at once would be more than a queue holds while the machine is busy.
        sent += channel.on_air(1, 60_000)
        eventually(lambda: channel.fake.received(primary) == sent)
    channel.backup.step(channel.clock())
    assert channel.backup.dropped_frames > 0
    channel.clock.advance(8.2)
    channel.backup.step(channel.clock())
    channel.step()
    eventually(lambda: not runs(backup))
    assert channel.backup.status().state == "reconnecting"
    assert (channel.state(), channel.delivery.dropped_frames) == (("connected", None), 0)
    assert runs(primary)


def emitting(path: Path, muxer: Muxer) -> dict[str, Any]:
    path.write_bytes(muxer.key_frame(b"k" * 500))
    return {"emit": str(path)}


def test_a_camera_and_a_destination_that_are_away_are_two_states_at_once(relay: MakeRelay, tmp_path: Path) -> None:
    one = relay()
    refused = "[tcp @ 0x1] [error] Connection to tcp://127.0.0.1:1?tcp_nodelay=0 failed: Connection refused"
    one.fake.script(slate=emitting(tmp_path / "slate.ts", Muxer()), publisher={"stderr": [refused], "exit": 1})
    one.start()
    eventually(lambda: one.status().states == ("reconnecting", "slate"))
    status = one.status()
    assert (status.desired, status.state, status.on_air) == ("run", "reconnecting", "slate")
    assert status.reason == ("the camera has not come yet; the destination cannot be reached: Connection refused")
    assert status.last_error is not None
    assert status.last_error.child == "publisher"
    one.fake.script(publisher={"stderr": [OUTPUT]})
    one.wait(lambda: one.status().states == ("slate",))
    assert one.status().reason == "the camera has not come yet"


def test_a_lost_destination_alone_is_reconnecting(relay: MakeRelay, tmp_path: Path) -> None:
    one = relay(stall_timeout_s=60)
    one.fake.script(compositor=emitting(tmp_path / "camera.ts", Muxer()), publisher={"obeys": True, "stderr": [OUTPUT]})
    one.start()
    eventually(lambda: one.status().states == ("live",))
    one.fake.order(one.fake.lives("publisher")[0]["pid"], "exit 1")
    eventually(lambda: one.status().states == ("reconnecting",))
    assert one.status().reason == "the publisher ended (exit status 1)"
    one.wait(lambda: one.status().states == ("live",))
    assert one.status().attempts["publisher"] == 2


def test_the_status_tells_both_destinations_and_no_key(relay: MakeRelay, tmp_path: Path) -> None:
    one = relay(stall_timeout_s=60)
    one.fake.script(
        **{
            "compositor": emitting(tmp_path / "camera.ts", Muxer()),
            "publisher": {"stderr": [OUTPUT]},
            "publisher rtmp://127.0.0.1/backup": {"stderr": [IO_ERROR], "exit": 1},
        }
    )
    one.start(url=URL, backup=BACKUP_URL)
    eventually(lambda: one.status().backup and one.status().backup.state == "reconnecting")  # type: ignore[union-attr]
    eventually(lambda: one.status().state == "live")
    status = one.status()
    assert status.backup is not None
    assert (status.destination.url, status.destination.state) == ("rtmp://127.0.0.1/live2/****", "connected")
    assert (status.backup.url, status.backup.reason) == ("rtmp://127.0.0.1/backup/****", REFUSED)
    assert set(status.attempts) >= {"publisher", "backup publisher"}
    text = json.dumps(asdict(status))
    assert KEY not in text
    assert BACKUP_KEY not in text


def test_a_key_that_a_destination_says_back_is_not_in_the_status(relay: MakeRelay) -> None:
    one = relay()
    one.fake.script(publisher={"stderr": [f"[error] Server error: Already publishing {KEY}"], "exit": 1})
    one.start(url=URL)
    eventually(lambda: one.status().last_error)
    text = json.dumps(asdict(one.status()))
    assert re.search("Already publishing", text)
    assert KEY not in text


def test_a_destination_that_is_held_is_left_until_it_is_told_to_go_on(channel: Channel) -> None:
    channel.connect()
    first = channel.pid(channel.delivery.child)
    channel.delivery.hold("moves to node n2")
    assert not channel.delivery.is_off
    channel.step()
    assert channel.delivery.is_off
    assert channel.state() == ("reconnecting", "moves to node n2")
    eventually(lambda: not runs(first))
    channel.step(60)
    assert channel.delivery.is_off
    channel.delivery.go_on()
    channel.connect()
    assert channel.state() == ("connected", None)
    assert channel.delivery.child.attempts == 2
    assert channel.delivery.child.restarts == {}, "it was left on purpose"


def test_a_destination_that_is_held_from_the_beginning_is_not_connected_to(channel: Channel) -> None:
    channel.delivery.hold("waits for the process that has it on air to leave it")
    channel.step(5)
    assert channel.state() == ("connecting", "waits for the process that has it on air to leave it")
    assert channel.delivery.child.attempts == 0
