"""When a file was replaced by renaming, and with what content."""

from __future__ import annotations

import threading
import time
from pathlib import Path

LOOK_S = 0.01


class FileWatch:
    """Watches `path` until `close()`. `versions` has the time (time.monotonic()) and content of each new file."""

    def __init__(self, path: Path) -> None:
        self.versions: list[tuple[float, bytes]] = []
        self._path = path
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="file-watch")
        self._thread.start()

    def close(self) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        newest_ns = self._path.stat().st_ctime_ns
        while not self._ended.wait(LOOK_S):
            # The rename sets it, so the time does not depend on how often it is read.
            changed_ns = self._path.stat().st_ctime_ns
            if changed_ns != newest_ns:
                newest_ns = changed_ns
                at = time.monotonic() - (time.time_ns() - changed_ns) / 1e9
                self.versions.append((at, self._path.read_bytes()))
