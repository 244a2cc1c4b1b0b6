from __future__ import annotations

import contextlib
import sqlite3
import stat
import threading
from pathlib import Path

import pytest

from club.store import FILE, Store
from errors import StoreUnusable


def write(store: Store, stream: str) -> None:
    with store.using() as db:
        db.execute("INSERT INTO logs (stream, begun_at, is_closed) VALUES (?, 0, 0)", (stream,))


def streams(store: Store) -> list[str]:
    with store.using() as db:
        return [row["stream"] for row in db.execute("SELECT stream FROM logs ORDER BY log")]


def test_nothing_is_made_before_it_is_needed(store: Store, tmp_path: Path) -> None:
    assert not store.is_there
    assert not (tmp_path / "data").exists()


def test_the_folder_is_for_its_owner_alone(store: Store, tmp_path: Path) -> None:
    write(store, "m1")
    assert store.is_there
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700


def test_what_was_written_is_there_after_a_restart(store: Store, tmp_path: Path) -> None:
    write(store, "m1")
    store.close()
    again = Store(tmp_path / "data")
    write(again, "m2")
    assert streams(again) == ["m1", "m2"]
    again.close()


def test_what_fails_in_the_middle_leaves_nothing(store: Store) -> None:
    with contextlib.suppress(ZeroDivisionError), store.using() as db:
        db.execute("INSERT INTO logs (stream, begun_at, is_closed) VALUES ('half', 0, 0)")
        raise ZeroDivisionError
    write(store, "m1")
    assert streams(store) == ["m1"]


def test_many_threads_may_use_it(store: Store) -> None:
    threads = [threading.Thread(target=write, args=(store, f"m{number}")) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(streams(store)) == sorted(f"m{number}" for number in range(20))


def test_a_file_of_a_newer_version_is_left_alone(store: Store, tmp_path: Path) -> None:
    write(store, "m1")
    store.close()
    with sqlite3.connect(tmp_path / "data" / FILE) as db:
        db.execute("PRAGMA user_version=999")
    with pytest.raises(StoreUnusable, match="newer version"):
        write(Store(tmp_path / "data"), "m2")


def test_a_file_in_the_folders_place_is_said(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("not a folder")
    store = Store(tmp_path / "data")
    with pytest.raises(StoreUnusable, match="DATA_DIR cannot be used"):
        write(store, "m1")
    (tmp_path / "data").unlink()
    write(store, "m1")
    assert streams(store) == ["m1"]
    store.close()


def test_a_damaged_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / FILE).write_bytes(b"no database" * 1000)
    with pytest.raises(StoreUnusable, match="not a database"):
        write(Store(tmp_path / "data"), "m1")
