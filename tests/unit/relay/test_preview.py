from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from errors import PreviewNotReady
from media.mpegts import PesFramer, Unit
from relay import preview
from relay.preview import CPU_SHARE, LOOK_S, MAX_INTERVAL_S, MIN_INTERVAL_S, Previews
from tests.fake_ffmpeg import ACCESS_UNIT
from tests.mpegts import Muxer
from tests.unit.conftest import FakeFFmpeg
from tests.waiting import FakeClock, eventually, runs


def key_unit(picture: str) -> Unit:
    [unit] = PesFramer().push(Muxer().key_frame(ACCESS_UNIT + picture.encode()))
    return unit


def jpeg_of(picture: str) -> bytes:
    """What the fake FFmpeg makes of it."""
    return b"\xff\xd8" + picture.encode() + b"\xff\xd9"


class Decoder:
    """Stands in for FFmpeg where only the book-keeping is looked at."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.cost_s = 0.0

    def __call__(self, keyframes: Sequence[bytes], *_: object) -> tuple[list[bytes | None], float]:
        self.batches.append(len(keyframes))
        return [jpeg_of(keyframe.removeprefix(ACCESS_UNIT).decode()) for keyframe in keyframes], self.cost_s


@pytest.fixture
def decoder(monkeypatch: pytest.MonkeyPatch) -> Decoder:
    decoder = Decoder()
    monkeypatch.setattr(preview, "jpegs_of", decoder)
    return decoder


class OnAir:
    """Streams and their keyframes, the previews of them, the FFmpegs that made those, and a clock."""

    def __init__(self, ffmpeg_bin: str) -> None:
        self.keys: dict[str, Unit] = {}
        self.clock = FakeClock()
        self.asked: list[str] = []
        self.ffmpegs: list[subprocess.Popen[bytes]] = []
        self.previews = Previews(self._newest_key, ffmpeg_bin, self.clock, self._spawn)

    def _newest_key(self, name: str) -> Unit | None:
        self.asked.append(name)
        return self.keys.get(name)

    def _spawn(self, *args: Any, **kwargs: Any) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(*args, **kwargs)
        self.ffmpegs.append(process)
        return process

    def show(self, name: str, picture: str) -> None:
        self.keys[name] = key_unit(picture)

    def sees(self, name: str) -> bytes | None:
        try:
            return self.previews.picture(name)
        except PreviewNotReady:
            return None


@pytest.fixture
def on_air(fake_ffmpeg: FakeFFmpeg, monkeypatch: pytest.MonkeyPatch) -> Iterator[OnAir]:
    # However long the machine is held up, only a test with limits of its own is to reach them.
    for limit in ("FIRST_WAIT_S", "DECODE_LIMIT_S"):
        monkeypatch.setattr(preview, limit, 30)
    one = OnAir(str(fake_ffmpeg.path))
    yield one
    one.previews.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "previews"]


def test_a_picture_is_made_by_one_ffmpeg_of_the_newest_keyframe(on_air: OnAir, fake_ffmpeg: FakeFFmpeg) -> None:
    on_air.show("m1", "one")
    assert on_air.sees("m1") == jpeg_of("one")
    [process] = on_air.ffmpegs
    argv = fake_ffmpeg.argv(process.pid)
    assert argv[argv.index("-frames:v") + 1] == "1"
    eventually(lambda: not runs(process.pid))


def test_however_many_look_a_picture_is_made_once_an_interval(on_air: OnAir, decoder: Decoder) -> None:
    on_air.show("m1", "one")
    assert {on_air.sees("m1") for _ in range(50)} == {jpeg_of("one")}
    on_air.show("m1", "two")
    on_air.clock.advance(MIN_INTERVAL_S - 0.1)
    assert on_air.sees("m1") == jpeg_of("one")
    on_air.clock.advance(0.2)
    eventually(lambda: on_air.sees("m1") == jpeg_of("two"))
    assert decoder.batches == [1, 1]


def test_all_that_are_looked_at_share_a_round(on_air: OnAir, decoder: Decoder) -> None:
    for number in range(20):
        on_air.show(f"m{number}", f"picture {number}")
        assert on_air.sees(f"m{number}") == jpeg_of(f"picture {number}")
    decoder.batches.clear()
    on_air.clock.advance(MIN_INTERVAL_S + 0.1)
    eventually(lambda: decoder.batches == [preview.BATCH, 20 - preview.BATCH])


@pytest.mark.parametrize(("cost_s", "interval_s"), [(0.18, 0.18 / CPU_SHARE), (9.0, MAX_INTERVAL_S)])
def test_the_dearer_a_picture_the_longer_the_interval(
    on_air: OnAir, decoder: Decoder, cost_s: float, interval_s: float
) -> None:
    decoder.cost_s = cost_s
    on_air.show("m1", "one")
    assert on_air.sees("m1")
    eventually(lambda: on_air.previews._next_round_at == on_air.clock.now + interval_s)
    on_air.show("m1", "two")
    on_air.clock.advance(interval_s)
    eventually(lambda: on_air.sees("m1") == jpeg_of("two"))


def test_while_no_one_looks_nothing_is_kept_and_nothing_runs(on_air: OnAir, decoder: Decoder) -> None:
    on_air.show("m1", "one")
    on_air.show("m2", "two")
    assert on_air.asked == []
    assert on_air.sees("m1")
    on_air.clock.advance(LOOK_S / 2)
    assert on_air.sees("m2")
    on_air.clock.advance(LOOK_S / 2 + 0.1)
    eventually(lambda: list(on_air.previews._looks) == ["m2"])
    on_air.clock.advance(LOOK_S)
    eventually(lambda: on_air.previews._thread is None)
    assert on_air.previews._looks == {}


def test_nothing_on_air_is_no_picture_and_the_first_one_is_awaited(
    on_air: OnAir, decoder: Decoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview, "FIRST_WAIT_S", 0.01)
    assert on_air.sees("m0") is None
    monkeypatch.setattr(preview, "FIRST_WAIT_S", 30)
    assert on_air.sees("m0") is None, "it was awaited once"
    with ThreadPoolExecutor(1) as pool:
        seen = pool.submit(on_air.sees, "m1")
        eventually(lambda: on_air.previews._waiting == 1)
        on_air.show("m1", "one")
        assert seen.result(20) == jpeg_of("one")
    on_air.keys.clear()
    on_air.clock.advance(MIN_INTERVAL_S + 0.1)
    monkeypatch.setattr(preview, "FIRST_WAIT_S", 0.01)
    eventually(lambda: on_air.sees("m1") is None)


def test_only_so_many_wait_at_once(on_air: OnAir, decoder: Decoder) -> None:
    with ThreadPoolExecutor(preview.MAX_WAITING) as pool:
        waiting = [pool.submit(on_air.sees, f"m{number}") for number in range(preview.MAX_WAITING)]
        eventually(lambda: on_air.previews._waiting == preview.MAX_WAITING)
        assert on_air.sees("one too many") is None
        on_air.previews.close()
        assert [one.result(10) for one in waiting] == [None] * preview.MAX_WAITING


def test_one_that_cannot_be_decoded_costs_the_others_nothing(
    on_air: OnAir, fake_ffmpeg: FakeFFmpeg, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("m1", "m2", "m3"):
        on_air.show(name, name)
        assert on_air.sees(name) == jpeg_of(name)
    on_air.show("m1", "new")
    on_air.show("m2", "broken")
    on_air.clock.advance(MIN_INTERVAL_S + 0.1)
    eventually(lambda: on_air.sees("m1") == jpeg_of("new"))
    assert (on_air.sees("m2"), on_air.sees("m3")) == (None, jpeg_of("m3"))
    assert [record.__dict__["stream"] for record in caplog.records] == ["m2"]


@pytest.mark.parametrize("end", [lambda previews: previews.forget("m1"), Previews.close])
def test_a_stop_ends_the_ffmpeg_at_work(
    on_air: OnAir, fake_ffmpeg: FakeFFmpeg, end: Callable[[Previews], None]
) -> None:
    fake_ffmpeg.script(preview={"wedged": True})
    on_air.show("m1", "one")
    with ThreadPoolExecutor(1) as pool:
        seen = pool.submit(on_air.sees, "m1")
        eventually(lambda: on_air.ffmpegs)
        [process] = on_air.ffmpegs
        end(on_air.previews)
        assert not os.path.exists(f"/proc/{process.pid}")
        assert seen.result(10) is None
    eventually(lambda: on_air.previews._thread is None)


def test_what_the_stopped_one_was_decoded_with_keeps_its_picture(on_air: OnAir, fake_ffmpeg: FakeFFmpeg) -> None:
    for name in ("m1", "m2"):
        on_air.show(name, name)
        assert on_air.sees(name)
    fake_ffmpeg.script(preview={"wedged": True})
    on_air.clock.advance(MIN_INTERVAL_S + 0.1)
    eventually(lambda: len(on_air.ffmpegs) == 3)
    on_air.previews.forget("m1")
    assert on_air.sees("m2") == jpeg_of("m2")


def test_an_ffmpeg_that_hangs_is_killed(
    on_air: OnAir, fake_ffmpeg: FakeFFmpeg, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview, "DECODE_LIMIT_S", 0.3)
    fake_ffmpeg.script(preview={"wedged": True})
    on_air.show("m1", "one")
    assert on_air.sees("m1") is None
    [process] = on_air.ffmpegs
    assert process.returncode == -signal.SIGKILL


def test_an_ffmpeg_that_cannot_be_started_is_no_picture_and_no_harm(on_air: OnAir, fake_ffmpeg: FakeFFmpeg) -> None:
    fake_ffmpeg.path.rename(fake_ffmpeg.path.with_name("moved"))
    on_air.show("m1", "one")
    assert on_air.sees("m1") is None
    fake_ffmpeg.path.with_name("moved").rename(fake_ffmpeg.path)
    on_air.clock.advance(MIN_INTERVAL_S + 0.1)
    eventually(lambda: on_air.sees("m1") == jpeg_of("one"))
