from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from relay.workdir import PREFIX, WorkDir

ROOT = Path(__file__).resolve().parents[3]


def test_folders_are_private_and_go_with_it(tmp_path: Path) -> None:
    work = WorkDir(tmp_path)
    one, two = work.new_folder(), work.new_folder()
    assert one != two
    assert one.stat().st_mode & 0o077 == 0
    (one / "file").write_text("x")
    work.close()
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_service_left_goes_at_the_next_start(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path; import os; from relay.workdir import WorkDir;"
        f" kept = WorkDir(Path({str(tmp_path)!r})); os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False)
    assert len(list(tmp_path.iterdir())) == 1
    WorkDir(tmp_path).close()
    assert list(tmp_path.iterdir()) == []


def test_the_folder_of_a_living_service_and_those_of_others_stay(tmp_path: Path) -> None:
    living = WorkDir(tmp_path)
    (tmp_path / f"{PREFIX}unfinished").mkdir()
    (tmp_path / "mine").mkdir()
    (tmp_path / f"{PREFIX}link").symlink_to(tmp_path / "mine")
    WorkDir(tmp_path).close()
    assert living.path.is_dir()
    assert (tmp_path / "mine").is_dir()
    assert (tmp_path / f"{PREFIX}unfinished").is_dir()
    living.close()
