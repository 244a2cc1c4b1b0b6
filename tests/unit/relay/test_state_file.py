from __future__ import annotations

import errno
import json
import logging
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from errors import ConfigurationError
from relay import state_file
from relay.state_file import KeptStream, StateFile

ROOT = Path(__file__).resolve().parents[3]
KEY = "abcd-secret-key-0001"
URL = f"rtmp://127.0.0.1/live2/{KEY}"

Open = Callable[[], StateFile]


def kept(name: str, begun_at: float = 1.0, **fields: Any) -> KeptStream:
    return KeptStream(stream_name=name, begun_at=begun_at, **{"youtube_url": URL} | fields)


def entry(**fields: Any) -> dict[str, Any]:
    """A good stream as it lies in the file, but for these; None leaves a field out."""
    stream = {"stream_name": "m", "youtube_url": URL, "backup_url": URL, "overlay_id": "7", "begun_at": 5.5} | fields
    return {name: value for name, value in stream.items() if value is not None}


def content(*streams: Any, version: Any = 1) -> bytes:
    return json.dumps({"version": version, "streams": streams}).encode()


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def set_aside(path: Path) -> list[Path]:
    return sorted(path.parent.glob(f"{path.name}.damaged-*"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "streams.json"


@pytest.fixture
def opened(path: Path) -> Iterator[Open]:
    """Opens the state file; what is open at the end of the test is closed."""
    files: list[StateFile] = []

    def make() -> StateFile:
        files.append(StateFile(path))
        return files[-1]

    yield make
    for file in files:
        file.close()


@pytest.fixture(params=[0o022, 0])
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.fixture(params=["open", "fsync", "replace"])
def disk_takes_nothing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Says whether the disk is full, by one of the calls that tell it."""
    real, full = getattr(os, request.param), False

    def call(*args: Any) -> Any:
        if full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(*args)

    def switch(is_full: bool) -> None:
        nonlocal full
        full = is_full

    monkeypatch.setattr(os, request.param, call)
    return switch


def test_without_a_file_nothing_is_kept_and_it_is_made_with_its_folders(tmp_path: Path) -> None:
    path = tmp_path / "var" / "lib" / "streams.json"
    file = StateFile(path)
    assert file.streams == []
    assert json.loads(path.read_text()) == {"version": 1, "streams": []}
    file.close()


def test_streams_come_back_as_they_were_kept(opened: Open) -> None:
    streams = [kept("one", 1.25, backup_url=URL + "b", overlay_id="übersicht 7"), kept("two", 2.5)]
    file = opened()
    for stream in streams:
        file.keep(stream)
    assert file.streams == streams
    file.close()
    again = opened().streams
    assert again == streams
    assert (again[0].backup_url, again[0].overlay_id) == (URL + "b", "übersicht 7")
    assert (again[1].backup_url, again[1].overlay_id) == (None, "0")


def test_streams_are_told_oldest_first(opened: Open) -> None:
    file = opened()
    for name, begun_at in (("c", 30.0), ("a", 10.0), ("d", 40.0), ("b", 20.0)):
        file.keep(kept(name, begun_at))
    assert [stream.stream_name for stream in file.streams] == ["a", "b", "c", "d"]
    file.close()
    assert [stream.stream_name for stream in opened().streams] == ["a", "b", "c", "d"]


def test_a_stream_replaces_the_one_of_its_name(opened: Open) -> None:
    file = opened()
    file.keep(kept("m", 1.0))
    file.keep(kept("m", 2.0, overlay_id="9"))
    file.close()
    assert opened().streams == [kept("m", 2.0, overlay_id="9")]


def test_a_forgotten_stream_does_not_come_back(opened: Open) -> None:
    file = opened()
    file.keep(kept("stays"))
    file.keep(kept("goes"))
    file.forget("goes")
    assert file.streams == [kept("stays")]
    file.close()
    assert opened().streams == [kept("stays")]


def test_forgetting_an_unknown_name_changes_nothing(opened: Open, path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = opened()
    file.keep(kept("m"))
    before = path.stat()
    file.forget("other")
    assert file.streams == [kept("m")]
    assert path.stat() == before
    assert caplog.records == []


def test_as_many_streams_as_a_service_may_run_come_back_at_their_largest(opened: Open, path: Path) -> None:
    url = "rtmp://127.0.0.1/".ljust(900, "k")
    streams = [
        entry(stream_name=f"{number:064}", youtube_url=url, backup_url=url, overlay_id="🏏" * 64)
        for number in range(1000)
    ]
    path.write_bytes(content(*streams))
    opened().close()
    assert len(opened().streams) == 1000
    assert set_aside(path) == []


def test_fields_of_a_later_service_are_passed_over(opened: Open, path: Path) -> None:
    path.write_bytes(content(entry(later="x", backup_url=None)))
    assert opened().streams == [kept("m", 5.5, overlay_id="7")]
    assert set_aside(path) == []


def test_only_its_user_may_read_it(umask: None, opened: Open, path: Path) -> None:
    file = opened()
    assert mode(path) == 0o600
    file.keep(kept("m"))
    assert mode(path) == 0o600
    assert [mode(each) for each in path.parent.iterdir()] == [0o600, 0o600], "and its lock"


def test_a_file_that_others_could_read_is_closed_to_them_at_the_start(umask: None, opened: Open, path: Path) -> None:
    path.write_bytes(content(entry()))
    path.chmod(0o666)
    assert len(opened().streams) == 1
    assert mode(path) == 0o600


def test_what_is_set_aside_is_closed_to_others(umask: None, opened: Open, path: Path) -> None:
    path.write_bytes(b"{")
    path.chmod(0o666)
    opened()
    assert [mode(aside) for aside in set_aside(path)] == [0o600]
    assert mode(path) == 0o600


def test_a_key_is_never_in_a_file_that_others_may_read(
    umask: None, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = opened()
    modes = []

    def note_mode(fd: int) -> None:
        if stat.S_ISREG(os.fstat(fd).st_mode):
            modes.append(os.fstat(fd).st_mode & 0o777)

    monkeypatch.setattr(os, "fsync", note_mode)
    file.keep(kept("m"))
    assert modes == [0o600]


def test_a_disk_that_takes_nothing_leaves_the_old_content_and_is_logged_once(
    opened: Open, path: Path, disk_takes_nothing: Callable[[bool], None], caplog: pytest.LogCaptureFixture
) -> None:
    file = opened()
    file.keep(kept("old"))
    before = path.read_bytes()
    disk_takes_nothing(True)
    file.keep(kept("new", 2.0))
    file.keep(kept("newer", 3.0))
    file.forget("old")
    assert path.read_bytes() == before
    assert sorted(each.name for each in path.parent.iterdir()) == ["streams.json", "streams.json.lock"]
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "STATE_FILE cannot be written: No space left on device" in caplog.text
    assert KEY not in caplog.text
    assert [stream.stream_name for stream in file.streams] == ["new", "newer"], "the service goes on with them"


def test_the_first_write_after_a_full_disk_holds_all_changes_and_the_next_trouble_is_logged_again(
    opened: Open, disk_takes_nothing: Callable[[bool], None], caplog: pytest.LogCaptureFixture
) -> None:
    file = opened()
    disk_takes_nothing(True)
    file.keep(kept("one", 1.0))
    disk_takes_nothing(False)
    file.keep(kept("two", 2.0))
    disk_takes_nothing(True)
    file.keep(kept("three", 3.0))
    assert len(caplog.records) == 2
    disk_takes_nothing(False)
    file.close()
    assert [stream.stream_name for stream in opened().streams] == ["one", "two"]


def test_the_old_content_stands_until_the_new_is_whole(
    opened: Open, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = opened()
    file.keep(kept("old"))
    before, real, seen = path.read_bytes(), os.replace, []

    def replace(source: Path, target: Path) -> None:
        seen.append((path.read_bytes(), json.loads(source.read_bytes())["streams"]))
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)
    file.keep(kept("new", 2.0))
    assert [(was, [stream["stream_name"] for stream in streams]) for was, streams in seen] == [(before, ["old", "new"])]


def test_what_a_killed_service_was_writing_is_no_hindrance(opened: Open, path: Path, tmp_path: Path) -> None:
    path.write_bytes(content(entry()))
    (tmp_path / "other").write_text("untouched")
    path.with_name("streams.json.new").symlink_to(tmp_path / "other")
    assert len(opened().streams) == 1
    assert not path.with_name("streams.json.new").is_symlink()
    assert (tmp_path / "other").read_text() == "untouched"
    assert not path.is_symlink()


DAMAGED = {
    "cut short": (content(entry())[:-20], "content: Invalid JSON"),
    "empty": (b"", "content: Invalid JSON"),
    "not text": (b"\xff\xfe\x00" + content(entry()), "content: Invalid JSON"),
    "deep": (b"[" * 100_000, "content: Invalid JSON"),
    "a list": (json.dumps([entry()]).encode(), "content: Input should be an object"),
    "a key alone": (json.dumps(URL).encode(), "content: Input should be an object"),
    "later version": (content(entry(), version=2), "version: "),
    "earlier version": (content(entry(), version=0), "version: "),
    "key as version": (content(entry(), version=KEY), "version: "),
    "no version": (json.dumps({"streams": [entry()]}).encode(), "version: Field required"),
    "no streams": (json.dumps({"version": 1, KEY: URL}).encode(), "streams: Field required"),
    "name out of the folder": (content(entry(stream_name="../x")), "streams.0.stream_name: "),
    "name with a line end": (content(entry(stream_name="x\n")), "streams.0.stream_name: "),
    "empty name": (content(entry(stream_name="")), "streams.0.stream_name: "),
    "key as name": (content(entry(stream_name=URL)), "streams.0.stream_name: "),
    "second stream bad": (content(entry(), entry(stream_name=".x")), "streams.1.stream_name: "),
    "no begin": (content(entry(begun_at=None)), "streams.0.begun_at: Field required"),
    "no url": (content(entry(youtube_url=None)), "streams.0.youtube_url: Field required"),
    "key as begin": (content(entry(begun_at=KEY)), "streams.0.begun_at: "),
    "begin before the epoch": (content(entry(begun_at=-1)), "streams.0.begun_at: "),
    "begin never": (content(entry(begun_at=float("inf"))), "streams.0.begun_at: "),
    "begin not a number": (content(entry(begun_at=float("nan"))), "streams.0.begun_at: "),
    "long url": (content(entry(youtube_url=URL * 100)), "streams.0.youtube_url: "),
    "long backup url": (content(entry(backup_url=URL * 100)), "streams.0.backup_url: "),
    "long overlay id": (content(entry(overlay_id=KEY * 4)), "streams.0.overlay_id: "),
    "url of another type": (content(entry(youtube_url=[URL])), "streams.0.youtube_url: "),
    "stream of another type": (content(URL), "streams.0: "),
    "too many streams": (content(*[entry()] * 1001), "streams: "),
}


@pytest.mark.parametrize(("damaged", "reason"), DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_file_is_set_aside_and_named_without_its_keys_and_the_service_starts(
    damaged: bytes, reason: str, opened: Open, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path.write_bytes(damaged)
    file = opened()
    assert file.streams == []
    [aside] = set_aside(path)
    assert aside.read_bytes() == damaged
    [record] = caplog.records
    assert record.levelno == logging.ERROR
    assert f"STATE_FILE is damaged ({reason}" in record.getMessage()
    assert str(aside) in record.getMessage()
    assert KEY not in caplog.text
    assert len(record.getMessage()) < 1000
    file.keep(kept("m"))
    file.close()
    assert opened().streams == [kept("m")]
    assert len(caplog.records) == 1


@pytest.mark.parametrize(("room", "damaged"), [(0, False), (-1, True)])
def test_a_file_larger_than_any_of_ours_is_not_read(
    room: int,
    damaged: bool,
    opened: Open,
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    path.write_bytes(content(entry()))
    monkeypatch.setattr(state_file, "MAX_BYTES", path.stat().st_size + room)
    assert len(opened().streams) == (0 if damaged else 1)
    assert len(set_aside(path)) == damaged
    assert ("STATE_FILE is damaged (it is too large)" in caplog.text) == damaged
    assert KEY not in caplog.text


def test_of_many_faults_a_few_are_named(opened: Open, path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path.write_bytes(content(*[{}] * 500))
    opened()
    assert caplog.text.count("Field required") == 3


def test_each_damaged_file_is_kept(opened: Open, path: Path) -> None:
    for number in range(3):
        path.write_text(f"damaged {number}")
        opened().close()
    assert [aside.read_text() for aside in set_aside(path)] == ["damaged 0", "damaged 1", "damaged 2"]


def test_a_second_service_is_refused_while_the_first_runs(opened: Open, path: Path) -> None:
    first = opened()
    first.keep(kept("m"))
    before = path.read_bytes()
    with pytest.raises(ConfigurationError, match=r"^STATE_FILE: another service uses streams\.json$"):
        opened()
    assert path.read_bytes() == before
    first.keep(kept("n", 2.0))
    with pytest.raises(ConfigurationError, match="another service"):
        opened()
    first.close()
    assert [stream.stream_name for stream in opened().streams] == ["m", "n"]


def test_a_damaged_file_is_not_touched_by_a_service_that_is_refused(opened: Open, path: Path) -> None:
    opened()
    path.write_text("damaged")
    with pytest.raises(ConfigurationError, match="another service"):
        opened()
    assert path.read_text() == "damaged"
    assert set_aside(path) == []


def test_two_files_in_one_folder_do_not_shut_each_other_out(opened: Open, path: Path) -> None:
    opened()
    StateFile(path.with_name("other.json")).close()


def run(code: str, path: Path) -> subprocess.CompletedProcess[str]:
    """In a process of its own; `path` is the file's."""
    head = f"import os; from pathlib import Path; from relay.state_file import *; path = Path({str(path)!r})\n"
    return subprocess.run([sys.executable, "-c", head + code], cwd=ROOT, capture_output=True, text=True, check=False)


def test_what_a_killed_service_kept_comes_back(opened: Open, path: Path) -> None:
    stream = kept("m")
    ended = run(f"StateFile(path).keep(KeptStream(**{stream.model_dump()!r}))\nos._exit(9)", path)
    assert ended.returncode == 9, ended.stderr
    assert opened().streams == [stream]


@pytest.mark.parametrize("place", ["file/streams.json", "file/deeper/streams.json"])
def test_a_path_that_cannot_be_made_is_a_configuration_error(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigurationError) as caught:
        StateFile(tmp_path / place)
    assert str(caught.value).startswith(f"STATE_FILE: {tmp_path / place} cannot be used: ")
    assert (tmp_path / "file").read_text() == "x"


def test_a_lock_that_cannot_be_made_is_a_configuration_error(opened: Open, path: Path) -> None:
    path.with_name("streams.json.lock").mkdir()
    with pytest.raises(ConfigurationError, match=r"^STATE_FILE: .*/streams\.json cannot be used: Is a directory$"):
        opened()


# Each in a process of its own: what a service that does not start leaves open would outlive the test.
TRY_TWICE = """
try:
    StateFile(path)
except ConfigurationError as error:
    print(error)
    {mend}
    try:
        StateFile(path).close()
    except ConfigurationError as error:
        print(error)
"""
UNUSABLE = {
    "a folder": ("path.mkdir()", "path.rmdir()", "Is a directory"),
    "a full disk": (
        "real = os.replace\ndef full(*args): raise OSError(28, os.strerror(28))\nos.replace = full",
        "os.replace = real",
        "No space left on device",
    ),
}


@pytest.mark.parametrize(("spoil", "mend", "why"), UNUSABLE.values(), ids=UNUSABLE)
def test_a_start_that_fails_leaves_the_lock_to_the_next(spoil: str, mend: str, why: str, path: Path) -> None:
    ended = run(spoil + TRY_TWICE.format(mend=mend), path)
    assert ended.stderr == ""
    assert ended.stdout.splitlines() == [f"STATE_FILE: {path} cannot be used: {why}"]


@pytest.mark.parametrize(("spoil", "mend", "why"), UNUSABLE.values(), ids=UNUSABLE)
def test_a_file_that_cannot_be_read_or_written_is_a_configuration_error(
    spoil: str, mend: str, why: str, path: Path
) -> None:
    ended = run(spoil + TRY_TWICE.format(mend=mend), path)
    assert ended.stderr == ""
    assert ended.stdout.splitlines()[0] == f"STATE_FILE: {path} cannot be used: {why}"
