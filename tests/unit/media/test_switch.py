from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import termios
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.io_loop import IoLoop, Lane
from media.mpegts import PACKET, PesFramer, Unit
from media.switch import Switch
from media.unit_queue import UnitQueue
from tests.mpegts import AUDIO_PID, VIDEO_PID, Muxer
from tests.waiting import FakeClock, eventually


def pids(data: bytes) -> list[int]:
    return [(data[i + 1] & 0x1F) << 8 | data[i + 2] for i in range(0, len(data), PACKET)]


def frame(number: int, size: int = 700) -> bytes:
    return bytes([number]) * size


def test_nothing_comes_out_before_the_first_keyframe() -> None:
    muxer, framer = Muxer(), PesFramer()
    assert framer.push(muxer.audio(b"a" * 100) + muxer.video(frame(1)) + muxer.tables()) == []
    units = framer.push(muxer.key_frame(frame(2)) + muxer.audio(b"b" * 100))
    assert [unit.key for unit in units] == [True, False]
    assert pids(units[0].data)[:3] == [0, 0x1000, VIDEO_PID]
    assert set(pids(units[1].data)) == {AUDIO_PID}


def test_a_keyframe_without_tables_is_none() -> None:
    muxer, framer = Muxer(), PesFramer()
    assert framer.push(muxer.video(frame(1), key=True)) == []


@pytest.mark.parametrize("size", [1, 700, 70_000])
def test_a_keyframe_comes_out_of_its_container_as_it_was(size: int) -> None:
    muxer, framer = Muxer(), PesFramer()
    key = muxer.video(frame(7, size), key=True, with_length=size < 60_000, ticks=9)
    unit = framer.push(muxer.tables() + key + muxer.video(frame(8)))[0]
    assert unit.keyframe() == frame(7, size)


@pytest.mark.parametrize("step", [1, 100, 188, 1000, 100_000])
def test_units_do_not_depend_on_how_the_bytes_arrive(step: int) -> None:
    muxer, framer = Muxer(), PesFramer()
    data = (
        muxer.key_frame(frame(1, 5000)) + muxer.audio(b"a" * 170) + muxer.video(frame(2, 177)) + muxer.video(frame(3))
    )
    units = [unit for i in range(0, len(data), step) for unit in framer.push(data[i : i + step])]
    assert b"".join(unit.data for unit in units) == data
    assert [unit.key for unit in units] == [True, False, False, False]


def recording() -> bytes:
    """Frames with a length and without, sound between them, and a table within a frame."""
    muxer = Muxer()
    parts = [muxer.key_frame(frame(1, 5000), ticks=900), muxer.audio(b"a" * 170), muxer.video(frame(2, 177))]
    parts += [muxer.video(frame(3, 70_000), with_length=False), muxer.audio(b"b" * 400), muxer.video(frame(4, 3000))]
    long = muxer.video(frame(5, 2000), ticks=1800)
    parts += [long[: 4 * PACKET] + muxer.tables() + long[4 * PACKET :], muxer.key_frame(frame(6, 900))]
    return b"".join(parts)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 500), st.integers(0, PACKET - 1), st.integers(0, 255)), max_size=6),
    st.sets(st.integers(1, 100_000), max_size=5),
    st.lists(st.integers(0, 500), max_size=3),
)
def test_packets_taken_together_give_what_they_give_one_by_one(
    damage: list[tuple[int, int, int]], cuts: set[int], lost: list[int]
) -> None:
    recorded = recording()
    packets = [bytearray(recorded[i : i + PACKET]) for i in range(0, len(recorded), PACKET)]
    for number, place, value in damage:
        packets[number % len(packets)][place % 12] = value  # in the heads, where it matters
    for number in lost:
        packets.pop(number % len(packets))
    data = b"".join(packets)
    together, singly = PesFramer(), PesFramer()
    places = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    units = [unit for begin, end in itertools.pairwise(places) for unit in together.push(data[begin:end])]
    assert units == [unit for i in range(0, len(data), PACKET) for unit in singly.push(data[i : i + PACKET])]


@pytest.mark.parametrize("size", [1, 164, 165, 166, 167, 168, 169, 170, 171, 172, 173, 174, 175, 176, 5000])
def test_a_frame_with_a_length_is_whole_with_its_last_packet(size: int) -> None:
    muxer, framer = Muxer(), PesFramer()
    framer.push(muxer.key_frame(frame(0)))
    data = muxer.video(frame(1, size))
    assert framer.push(data[:-PACKET]) == []
    assert framer.push(data[-PACKET:]) == [Unit(data, video=True)]


def test_a_frame_without_a_length_ends_where_the_next_begins() -> None:
    muxer, framer = Muxer(), PesFramer()
    key = muxer.key_frame(frame(1))
    framer.push(key)
    large = muxer.video(frame(2, 70_000), with_length=False)
    assert framer.push(large) == []
    following = muxer.video(frame(3))
    assert framer.push(following) == [Unit(large, video=True), Unit(following, video=True)]


def test_sound_may_lie_between_the_packets_of_a_frame() -> None:
    muxer, framer = Muxer(), PesFramer()
    framer.push(muxer.key_frame(frame(0)))
    video, audio = muxer.video(frame(1, 1000)), muxer.audio(b"a" * 100)
    assert framer.push(video[:PACKET] + audio + video[PACKET:]) == [Unit(audio), Unit(video, video=True)]


def test_a_torn_frame_is_dropped() -> None:
    muxer, framer = Muxer(), PesFramer()
    framer.push(muxer.key_frame(frame(0)))
    torn, whole = muxer.video(frame(1, 5000)), muxer.video(frame(2))
    assert framer.push(torn[: 3 * PACKET] + whole) == [Unit(whole, video=True)]


def test_garbage_between_packets_is_passed_over() -> None:
    muxer, framer = Muxer(), PesFramer()
    key, video = muxer.key_frame(frame(0)), muxer.video(frame(1))
    assert framer.push(b"\x00\x01\x02" + key + b"\xff" * 7 + video)[-1] == Unit(video, video=True)


def test_any_bytes_at_all_raise_nothing() -> None:
    framer = PesFramer()
    for seed in range(200):
        framer.push(b"\x47" + bytes((seed * i * 7919 >> 3) & 0xFF for i in range(187)))


def unit(size: int, key: bool = False) -> Unit:
    return Unit(b"x" * size, key, video=True)


def drain(queue: UnitQueue) -> int:
    total = 0
    while head := queue.head():
        total += len(head)
        queue.advance(len(head))
    return total


def test_a_queue_begins_with_a_keyframe() -> None:
    queue = UnitQueue(1000)
    queue.offer(unit(10))
    assert not queue.head()
    queue.offer(unit(20, key=True))
    queue.offer(unit(30))
    assert drain(queue) == 50


def test_a_full_queue_drops_to_the_next_keyframe_and_counts() -> None:
    queue = UnitQueue(100)
    queue.offer(unit(40, key=True))
    queue.offer(unit(40))
    queue.offer(unit(40))
    queue.offer(unit(5))
    assert not queue.head()
    assert queue.dropped_frames == 4
    queue.offer(unit(30, key=True))
    assert drain(queue) == 30


def test_a_half_written_unit_is_finished_before_the_drop_shows() -> None:
    queue = UnitQueue(100)
    queue.offer(unit(60, key=True))
    queue.advance(25)
    queue.offer(unit(60))
    assert sum(map(len, queue.head())) == 35
    queue.offer(unit(30, key=True))
    assert drain(queue) == 65


@pytest.fixture
def loop() -> Iterator[Lane]:
    lane = IoLoop("test-switch").lane()
    yield lane
    lane.close()


class Pipe:
    """A pipe whose both ends do not block; closed at the end of the test."""

    def __init__(self) -> None:
        self.read_fd, self.write_fd = os.pipe()
        os.set_blocking(self.read_fd, False)
        os.set_blocking(self.write_fd, False)
        self.received = b""

    def write(self, data: bytes) -> None:
        """All of it, as far as the other end makes room."""
        left = memoryview(data)

        def written() -> bool:
            nonlocal left
            with contextlib.suppress(BlockingIOError):
                left = left[os.write(self.write_fd, left) :]
            return not left

        eventually(written)

    def read(self) -> bytes:
        try:
            while data := os.read(self.read_fd, 65536):
                self.received += data
        except BlockingIOError:
            pass
        return self.received

    def close(self) -> None:
        for fd in (self.read_fd, self.write_fd):
            with contextlib.suppress(OSError):
                os.close(fd)


@pytest.fixture
def pipes() -> Iterator[list[Pipe]]:
    made = [Pipe() for _ in range(4)]
    yield made
    for pipe in made:
        pipe.close()


def test_a_source_reaches_every_publisher(loop: Lane, pipes: list[Pipe]) -> None:
    source, one, two, _ = pipes
    on_air = threading.Event()
    switch = Switch(loop, 100_000, on_air.set)
    switch.add_publisher(one.write_fd)
    switch.add_publisher(two.write_fd)
    switch.add_source(source.read_fd, lambda: None, takes_over=True)
    muxer = Muxer()
    data = muxer.key_frame(frame(1)) + muxer.audio(b"a" * 50)
    source.write(data)
    for sink in (one, two):
        eventually(lambda sink=sink: sink.read() == data)  # type: ignore[misc]
    assert on_air.is_set()


def test_a_successor_goes_on_air_with_its_keyframe_and_leaves_no_torn_frame(loop: Lane, pipes: list[Pipe]) -> None:
    old, new, sink, _ = pipes
    switch = Switch(loop, 100_000, lambda: None)
    switch.add_publisher(sink.write_fd)
    switch.add_source(old.read_fd, lambda: None, takes_over=True)
    first, second = Muxer(), Muxer()
    begun = first.key_frame(frame(1))
    torn = first.video(frame(2, 3000))
    old.write(begun + torn[: 4 * PACKET])
    eventually(lambda: sink.read() == begun)
    switch.add_source(new.read_fd, lambda: None, takes_over=True)
    still = first.audio(b"a" * 50)
    old.write(still)
    eventually(lambda: sink.read() == begun + still)
    after = second.key_frame(frame(3))
    new.write(second.video(frame(9)) + after)
    eventually(lambda: sink.read() == begun + still + after)
    old.write(torn[4 * PACKET :] + first.key_frame(frame(4)))
    more = second.video(frame(5))
    new.write(more)
    eventually(lambda: sink.read() == begun + still + after + more)
    switch.remove_source(old.read_fd)


def test_a_source_that_is_held_ready_begins_with_its_newest_keyframe_at_once(loop: Lane, pipes: list[Pipe]) -> None:
    live, ready, sink, _ = pipes
    changes = threading.Event()
    switch = Switch(loop, 100_000, changes.set)
    switch.add_publisher(sink.write_fd)
    switch.add_source(live.read_fd, lambda: None, takes_over=True)
    first, second = Muxer(), Muxer()
    begun = first.key_frame(frame(1))
    live.write(begun)
    eventually(lambda: sink.read() == begun)
    changes.clear()
    switch.add_source(ready.read_fd, lambda: None, takes_over=False)
    newest = second.key_frame(frame(8)) + second.audio(b"a" * 50) + second.video(frame(9))
    ready.write(second.key_frame(frame(7)) + second.video(frame(7)) + newest)
    assert changes.wait(10), "its first frame is told"
    eventually(lambda: switch.source(ready.read_fd).frame_at)
    assert (switch.on_air, sink.read()) == (live.read_fd, begun)
    switch.put_on_air(ready.read_fd)
    eventually(lambda: sink.read() == begun + newest)
    more = second.video(frame(10))
    live.write(first.key_frame(frame(2)))
    ready.write(more)
    eventually(lambda: sink.read() == begun + newest + more)
    assert switch.on_air == ready.read_fd
    switch.remove_source(ready.read_fd)
    assert switch.on_air is None


def test_the_newest_keyframe_is_that_of_the_source_on_air(loop: Lane, pipes: list[Pipe]) -> None:
    live, ready, _, _ = pipes
    switch = Switch(loop, 100_000, lambda: None)
    switch.add_source(live.read_fd, lambda: None, takes_over=True)
    switch.add_source(ready.read_fd, lambda: None, takes_over=False)
    first, second = Muxer(), Muxer()

    def newest() -> bytes:
        return switch.newest_key.keyframe() if switch.newest_key else b""

    live.write(first.key_frame(frame(1)) + first.video(frame(2)))
    eventually(lambda: newest() == frame(1))
    live.write(first.key_frame(frame(3)))
    eventually(lambda: newest() == frame(3))
    ready.write(second.key_frame(frame(8)) + second.video(frame(9)))
    eventually(lambda: switch.source(ready.read_fd).frame_at)
    assert newest() == frame(3)
    switch.put_on_air(ready.read_fd)
    eventually(lambda: newest() == frame(8))
    switch.remove_source(live.read_fd)
    assert newest() == frame(8)
    switch.remove_source(ready.read_fd)
    assert switch.newest_key is None


def test_frames_are_timed_by_the_clock_and_sound_is_none(loop: Lane, pipes: list[Pipe]) -> None:
    source, clock = pipes[0], FakeClock()
    switch = Switch(loop, 100_000, lambda: None, clock)
    switch.add_source(source.read_fd, lambda: None, takes_over=True)
    assert switch.source(source.read_fd).frame_at is None
    muxer = Muxer()
    source.write(muxer.key_frame(frame(1)))
    eventually(lambda: switch.source(source.read_fd).frame_at == 1000)
    clock.advance(5)
    source.write(muxer.audio(b"a" * 50))
    clock.advance(5)
    source.write(muxer.video(frame(2)))
    eventually(lambda: switch.source(source.read_fd).frame_at == 1010)


def test_a_wedged_publisher_holds_up_nobody_and_returns_at_a_keyframe(loop: Lane, pipes: list[Pipe]) -> None:
    source, wedged, healthy, _ = pipes
    switch = Switch(loop, 50_000, lambda: None)
    switch.add_publisher(wedged.write_fd)
    switch.add_publisher(healthy.write_fd)
    switch.add_source(source.read_fd, lambda: None, takes_over=True)
    muxer, sent = Muxer(), b""
    for number in range(60):
        data = muxer.key_frame(frame(number, 4000)) + muxer.video(frame(number, 4000))
        source.write(data)
        sent += data
        eventually(lambda: healthy.read() == sent)
    before = len(wedged.read())
    assert before < len(sent)
    last = muxer.key_frame(frame(99))

    def again() -> bool:
        return wedged.read().endswith(last)

    source.write(last)
    eventually(again)
    assert switch.remove_publisher(wedged.write_fd) > 0
    framer = PesFramer()
    units = framer.push(wedged.received)
    assert sum(len(unit.data) for unit in units) == len(wedged.received), "no torn or half packet went out"


def test_a_publisher_that_is_gone_takes_nothing_with_it(loop: Lane, pipes: list[Pipe]) -> None:
    source, gone, healthy, _ = pipes
    switch = Switch(loop, 100_000, lambda: None)
    switch.add_publisher(gone.write_fd)
    switch.add_publisher(healthy.write_fd)
    switch.add_source(source.read_fd, lambda: None, takes_over=True)
    os.close(gone.read_fd)
    muxer = Muxer()
    data = muxer.key_frame(frame(1)) + muxer.video(frame(2))
    source.write(data)
    eventually(lambda: healthy.read() == data)


def test_without_a_publisher_the_source_is_drained_and_a_new_one_begins_at_the_present(
    loop: Lane, pipes: list[Pipe]
) -> None:
    source, sink, _, _ = pipes
    switch = Switch(loop, 100_000, lambda: None)
    switch.add_source(source.read_fd, lambda: None, takes_over=True)
    muxer = Muxer()
    for number in range(40):
        source.write(muxer.key_frame(frame(number, 8000)))
    eventually(lambda: fcntl.ioctl(source.read_fd, termios.FIONREAD, b"\0\0\0\0") == b"\0\0\0\0")
    switch.add_publisher(sink.write_fd)
    source.write(muxer.video(frame(1)))
    last = muxer.key_frame(frame(77))
    source.write(last)
    eventually(lambda: sink.read() == last)


def test_the_end_of_a_source_is_told_once(loop: Lane, pipes: list[Pipe]) -> None:
    source = pipes[0]
    ends: list[int] = []
    switch = Switch(loop, 1000, lambda: None)
    switch.add_source(source.read_fd, lambda: ends.append(1), takes_over=True)
    os.close(source.write_fd)
    eventually(lambda: ends)
    loop.call(lambda: None)
    assert ends == [1]


def test_a_fault_on_the_loop_reaches_its_caller(loop: Lane) -> None:
    with pytest.raises(ZeroDivisionError):
        loop.call(lambda: 1 // 0)


def test_a_source_that_takes_over_keeps_its_backlog_to_itself(loop: Lane, pipes: list[Pipe]) -> None:
    live, successor, sink, _ = pipes
    clock = FakeClock()
    switch = Switch(loop, 1_000_000, lambda: None, clock)
    switch.add_publisher(sink.write_fd)
    switch.add_source(live.read_fd, lambda: None, takes_over=True)
    begun = Muxer().key_frame(frame(1))
    live.write(begun)
    eventually(lambda: sink.read() == begun)
    switch.add_source(successor.read_fd, lambda: None, takes_over=True)
    muxer, ticks = Muxer(), 0

    def send(*, key: bool = False) -> bytes:
        nonlocal ticks
        ticks += 3000
        data = muxer.key_frame(frame(2), ticks=ticks) if key else muxer.video(frame(3), ticks=ticks)
        successor.write(data)
        eventually(lambda: switch.source(successor.read_fd).frame_at == clock.now)
        return data

    send(key=True)
    for number in range(60):
        clock.advance(1 / 300)
        send(key=number % 6 == 5)
    assert switch.on_air == live.read_fd
    for _ in range(15):
        clock.advance(1 / 30)
        send()
    assert (switch.on_air, sink.read()) == (live.read_fd, begun)
    clock.advance(1 / 30)
    fresh = send(key=True)
    eventually(lambda: sink.read() == begun + fresh)
    assert switch.on_air == successor.read_fd


def test_a_publisher_whose_reader_is_gone_is_stuck_until_it_is_removed(loop: Lane, pipes: list[Pipe]) -> None:
    source, gone, _, _ = pipes
    clock = FakeClock()
    switch = Switch(loop, 100_000, lambda: None, clock)
    switch.add_publisher(gone.write_fd)
    switch.add_source(source.read_fd, lambda: None, takes_over=True)
    os.close(gone.read_fd)
    gone.read_fd = -1
    source.write(Muxer().key_frame(frame(1)))
    eventually(lambda: switch.stuck_since(gone.write_fd) == clock.now)
    switch.remove_publisher(gone.write_fd)
    assert switch.stuck_since(gone.write_fd) is None
