"""One thread that moves the bytes of all streams' children.

An asyncio loop used for what it is best at: waiting on many pipes at once, so
that streams share its turns and not a thread each. It runs while somebody has
a `Lane` on it; a stream that takes one closes it, and what it left behind goes
with it. Callbacks run on the loop's thread and must not block; descriptors
stay their owner's, who detaches them here before closing them.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

READ_BYTES = 65_536
CALL_LIMIT_S = 5.0
DESCRIPTORS = 65_536

T = TypeVar("T")


def lift_descriptor_limit() -> None:
    """Allow DESCRIPTORS open files, or what this user may have: a stream takes a dozen, and 1024 are usual."""
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if most == resource.RLIM_INFINITY else min(DESCRIPTORS, most)
    if now != resource.RLIM_INFINITY and now < wanted:
        with contextlib.suppress(OSError):  # a sandbox may forbid it
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


class IoLoop:
    """Hands out lanes. Its thread begins with the first lane and ends with the last. For any thread."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._lanes: set[Lane] = set()
        self._running: _Running | None = None

    def lane(self) -> Lane:
        """One user's part of the loop."""
        with self._lock:
            if self._running is None:
                self._running = _Running(self._name)
            lane = Lane(self._running, self._leave)
            self._lanes.add(lane)
            return lane

    def _leave(self, lane: Lane) -> None:
        with self._lock:
            if lane not in self._lanes:
                return
            self._lanes.remove(lane)
            if not self._lanes and self._running:
                self._running.end()
                self._running = None


class _Running:
    """The asyncio loop and its thread, and whose each descriptor is."""

    def __init__(self, name: str) -> None:
        self.loop = asyncio.new_event_loop()
        self.owners: dict[int, Lane] = {}
        self._thread = threading.Thread(target=self.loop.run_forever, name=name)
        self._thread.start()

    def end(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

    def take(self, fd: int, lane: Lane) -> None:
        """Forget a descriptor: its number may be used again before its last owner has let it go."""
        if self.owners.get(fd) is not lane:
            self.loop.remove_reader(fd)
            self.loop.remove_writer(fd)
            self.owners[fd] = lane


class Lane:
    """Reads and writes one user's non-blocking descriptors."""

    def __init__(self, running: _Running, leave: Callable[[Lane], None]) -> None:
        self._running = running
        self._leave = leave
        self._written: set[int] = set()
        self._is_closed = False

    def call(self, function: Callable[..., T], *args: object) -> T:
        """Run `function` on the loop's thread and wait for its result. RuntimeError once the lane is closed."""
        if self._is_closed:
            raise RuntimeError("the lane is closed")
        future: Future[T] = Future()

        def run() -> None:
            try:
                future.set_result(function(*args))
            except BaseException as error:
                future.set_exception(error)

        self._running.loop.call_soon_threadsafe(run)
        return future.result(CALL_LIMIT_S)

    def read_from(self, fd: int, take: Callable[[bytes], None]) -> None:
        """Hand all that can be read from `fd` to `take`; `b""` once, at its end. On the loop's thread."""

        def ready() -> None:
            try:
                data = os.read(fd, READ_BYTES)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self.stop_reading(fd)
            take(data)

        self._running.take(fd, self)
        self._running.loop.add_reader(fd, ready)

    def stop_reading(self, fd: int) -> None:
        if self._running.owners.get(fd) is self:
            self._running.loop.remove_reader(fd)

    def when_writable(self, fd: int, write: Callable[[], None]) -> None:
        """Call `write` whenever `fd` has room, until `stop_writing`. On the loop's thread."""
        self._running.take(fd, self)
        self._running.loop.add_writer(fd, write)
        self._written.add(fd)

    def stop_writing(self, fd: int) -> None:
        if fd in self._written:
            self._written.remove(fd)
            if self._running.owners.get(fd) is self:
                self._running.loop.remove_writer(fd)

    def close(self) -> None:
        """Stop reading and writing. After the last lane is closed, the thread has ended."""
        if self._is_closed:
            return
        try:
            self.call(self._let_go)
        finally:
            self._is_closed = True
            self._leave(self)

    def _let_go(self) -> None:
        running = self._running
        for fd in [fd for fd, owner in running.owners.items() if owner is self]:
            running.loop.remove_reader(fd)
            running.loop.remove_writer(fd)
            del running.owners[fd]
