from __future__ import annotations

import os
import resource
import threading
from collections.abc import Iterator

import pytest

from media.io_loop import DESCRIPTORS, IoLoop, Lane, lift_descriptor_limit
from tests.waiting import eventually


@pytest.fixture
def loop() -> IoLoop:
    return IoLoop("test-loop")


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    for end in ends:
        os.set_blocking(end, False)
    yield ends
    for end in ends:
        os.close(end)


def threads() -> int:
    return sum(thread.name == "test-loop" for thread in threading.enumerate())


def test_lanes_share_one_thread_that_ends_with_the_last(loop: IoLoop) -> None:
    assert threads() == 0
    lanes = [loop.lane(), loop.lane()]
    assert threads() == 1
    assert lanes[0].call(threading.get_ident) == lanes[1].call(threading.get_ident)
    lanes[0].close()
    assert threads() == 1
    lanes[1].close()
    assert threads() == 0
    again = loop.lane()
    assert threads() == 1
    again.close()


def test_a_closed_lane_says_so_and_may_be_closed_again(loop: IoLoop) -> None:
    lane = loop.lane()
    lane.close()
    lane.close()
    with pytest.raises(RuntimeError, match="closed"):
        lane.call(lambda: None)


def test_a_lane_that_closes_lets_go_of_what_it_read(loop: IoLoop, pipe: tuple[int, int]) -> None:
    stays, goes = loop.lane(), loop.lane()
    heard: list[bytes] = []
    goes.call(goes.read_from, pipe[0], heard.append)
    goes.close()
    os.write(pipe[1], b"late")
    stays.call(lambda: None)
    stays.call(lambda: None)  # a turn of the loop, in which the reader would have been served
    assert heard == []
    assert os.read(pipe[0], 10) == b"late"
    stays.close()


def test_a_descriptor_whose_number_came_back_is_its_new_owners(loop: IoLoop, pipe: tuple[int, int]) -> None:
    """Its last owner closed it without parting with it here."""
    careless, next_one = loop.lane(), loop.lane()
    old = os.dup(pipe[0])
    careless.call(careless.read_from, old, lambda _data: None)
    os.close(old)
    theirs = os.pipe()
    os.dup2(theirs[0], old)
    heard: list[bytes] = []
    next_one.call(next_one.read_from, old, heard.append)
    careless.call(careless.stop_reading, old)
    careless.close()
    os.write(theirs[1], b"hello")
    eventually(lambda: heard == [b"hello"])
    next_one.close()
    for fd in {old, *theirs}:
        os.close(fd)


def test_writing_is_awaited_until_it_is_stopped(loop: IoLoop, pipe: tuple[int, int]) -> None:
    lane = loop.lane()
    calls: list[int] = []

    def write() -> None:
        calls.append(1)
        lane.stop_writing(pipe[1])

    lane.call(lane.when_writable, pipe[1], write)
    eventually(lambda: calls == [1])
    lane.call(lane.stop_writing, pipe[1])
    lane.close()


def test_as_many_files_may_be_open_as_the_system_allows() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
        lift_descriptor_limit()
        wanted = DESCRIPTORS if before[1] == resource.RLIM_INFINITY else min(DESCRIPTORS, before[1])
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (wanted, before[1])
        lift_descriptor_limit()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (wanted, before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_lane_reads_to_the_end_and_tells_it_once(loop: IoLoop) -> None:
    read_end, write_end = os.pipe()
    os.set_blocking(read_end, False)
    lane: Lane = loop.lane()
    heard: list[bytes] = []
    lane.call(lane.read_from, read_end, heard.append)
    os.write(write_end, b"last words")
    os.close(write_end)
    eventually(lambda: heard == [b"last words", b""])
    lane.call(lambda: None)
    assert heard == [b"last words", b""]
    lane.close()
    os.close(read_end)
