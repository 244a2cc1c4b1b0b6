"""One thread that moves the bytes of one stream's children.

An asyncio loop used for what it is best at: waiting on many pipes at once.
The stream that makes it closes it. Callbacks run on the loop's thread and
must not block; descriptors stay their owner's, who detaches them here before
closing them.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

READ_BYTES = 65_536
CALL_LIMIT_S = 5.0

T = TypeVar("T")


class IoLoop:
    """Reads and writes non-blocking descriptors on a thread of its own."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name)

    def start(self) -> None:
        self._thread.start()

    def call(self, function: Callable[..., T], *args: object) -> T:
        """Run `function` on the loop's thread and wait for its result."""
        future: Future[T] = Future()

        def run() -> None:
            try:
                future.set_result(function(*args))
            except BaseException as error:
                future.set_exception(error)

        self._loop.call_soon_threadsafe(run)
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
                self._loop.remove_reader(fd)
            take(data)

        self._loop.add_reader(fd, ready)

    def stop_reading(self, fd: int) -> None:
        self._loop.remove_reader(fd)

    def when_writable(self, fd: int, write: Callable[[], None]) -> None:
        """Call `write` whenever `fd` has room, until `stop_writing`. On the loop's thread."""
        self._loop.add_writer(fd, write)

    def stop_writing(self, fd: int) -> None:
        self._loop.remove_writer(fd)

    def close(self) -> None:
        """End the thread; nothing is read or written afterwards."""
        if self._thread.ident is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._loop.close()
