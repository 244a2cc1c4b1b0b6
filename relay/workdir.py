"""The service's folder for temporary files, and the removal of those of services that were killed.

The folder holds a locked file for as long as its service lives. A folder whose
lock is free belongs to nobody and goes at the next start.
"""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import tempfile
from pathlib import Path
from typing import IO

from errors import WorkFolderUnusable

PREFIX = "streaming-overlay-"
_LOCK = "lock"


class WorkDir:
    """Hands out private folders, one a stream; `close()` removes them all."""

    def __init__(self, parent: Path | None = None) -> None:
        parent = parent or Path(tempfile.gettempdir())
        _sweep(parent)
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
        self._lock = _locked(self.path / _LOCK)

    def new_folder(self) -> Path:
        return Path(tempfile.mkdtemp(dir=self.path))

    def close(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        if self._lock:
            self._lock.close()


class FirstUseWorkDir:
    """A WorkDir that is created when the first folder is needed. For one thread at a time."""

    def __init__(self) -> None:
        self._made: WorkDir | None = None

    def new_folder(self) -> Path:
        """Raises WorkFolderUnusable."""
        try:
            if self._made is None:
                self._made = WorkDir()
            return self._made.new_folder()
        except OSError as error:
            raise WorkFolderUnusable(f"The temporary folder cannot be written: {error.strerror}") from error

    def close(self) -> None:
        if self._made:
            self._made.close()


def _sweep(parent: Path) -> None:
    for folder in parent.glob(f"{PREFIX}*"):
        # The folder is another user's, or it is just being created and has no lock file yet.
        with contextlib.suppress(OSError):
            if not folder.is_symlink() and (folder / _LOCK).is_file() and (lock := _locked(folder / _LOCK)):
                shutil.rmtree(folder, ignore_errors=True)
                lock.close()


def _locked(path: Path) -> IO[bytes] | None:
    """The file, locked; None when another process holds the lock."""
    file = path.open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    return file
