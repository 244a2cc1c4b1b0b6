"""The carrier as a scorer runs it: a process that watches a file, and a relay that has faults."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import tty
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from unittest.mock import Mock

import pytest

from deploy.rtmp_server import free_port
from tests.waiting import eventually
from web.static import carry_scores

SCRIPT = Path(__file__).resolve().parents[3] / "web" / "static" / "carry_scores.py"
TOKEN = "canary-token-1234567890"
Carrying = subprocess.Popen[str]


class Relay:
    """Answers as the service does, and notes what it gets. `close()` and `open()` are a network that goes and comes."""

    def __init__(self) -> None:
        self.got: list[str] = []
        self.paths: set[str] = set()
        self.tokens: set[str] = set()
        self.port = free_port()
        self._server: ThreadingHTTPServer | None = None
        self.open()

    def wait_for(self, content: str) -> None:
        eventually(lambda: self.got[-1:] == [content], what=content)

    def open(self) -> None:
        relay = self

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                relay.paths.add(self.path)
                relay.tokens.add(self.headers.get("Authorization", ""))
                is_whole = body.endswith(("}", "\n"))
                if is_whole:
                    relay.got.append(body)
                said = (
                    {"message": "Score of stream m1 taken"} if is_whole else {"error": "nv_play: the file is cut short"}
                )
                answer = json.dumps(said).encode()
                self.send_response(200 if is_whole else 400)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


@pytest.fixture
def relay() -> Iterator[Relay]:
    one = Relay()
    yield one
    one.close()


@contextlib.contextmanager
def carrying(relay: Relay, path: Path, to: str = "/streams/m1/", source: str = "--file") -> Iterator[Carrying]:
    kind = "pcs_scoreboard" if source == "--serial" else "nv_play"
    given = ["--to", f"http://127.0.0.1:{relay.port}{to}", "--kind", kind, source, str(path)]
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT), *given],
        env=os.environ | {"CARRY_TOKEN": "" if "#" in to else TOKEN, "NO_PROXY": "*"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_each_change_is_sent_once(relay: Relay, tmp_path: Path) -> None:
    file = tmp_path / "nvplay-scoreboard1.xml"
    with carrying(relay, file) as process:
        assert process.stdout is not None
        assert "waiting for the file" in process.stdout.readline()
        for content in ("{0}", "{1}", "{2}"):
            file.write_text(content)
            relay.wait_for(content)
        os.utime(file)
        file.write_text("{3}")
        eventually(lambda: relay.got[-1:] == ["{3}"])
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=10)
    assert process.returncode == 0
    assert relay.got == ["{0}", "{1}", "{2}", "{3}"]
    assert relay.paths == {"/streams/m1/feed/nv_play"}
    assert relay.tokens == {f"Bearer {TOKEN}"}
    assert "Score of stream m1 taken" in said
    assert "canary" not in said


def test_the_newest_state_is_sent_when_the_network_is_back_and_none_before_it(relay: Relay, tmp_path: Path) -> None:
    file = tmp_path / "score.json"
    file.write_text("{0}")
    with carrying(relay, file):
        eventually(lambda: relay.got == ["{0}"])
        relay.close()
        for number in range(1, 200):
            file.write_text(f"{{{number}}}")
        relay.open()
        eventually(lambda: relay.got[-1] == "{199}")
    assert relay.got == ["{0}", "{199}"]


def test_a_file_that_is_half_written_missing_or_replaced(relay: Relay, tmp_path: Path) -> None:
    file = tmp_path / "score.json"
    with carrying(relay, file):
        file.write_text('{"cut')
        eventually(lambda: relay.paths)
        assert relay.got == []
        file.write_text('{"cut": 1}')
        eventually(lambda: relay.got == ['{"cut": 1}'])
        file.unlink()
        new = tmp_path / "new"
        new.write_text("{2}")
        new.replace(file)
        eventually(lambda: relay.got[-1] == "{2}")


def test_of_a_folder_the_newest_file_counts(relay: Relay, tmp_path: Path) -> None:
    (tmp_path / "notes.doc").write_text("{no}")
    with carrying(relay, tmp_path):
        for name in ("a.xml", "b.json"):
            (tmp_path / name).write_text(f"{{{name}}}")
            relay.wait_for(f"{{{name}}}")


def test_a_scorers_link_may_be_given_as_it_is(relay: Relay, tmp_path: Path) -> None:
    (tmp_path / "score.json").write_text("{0}")
    with carrying(relay, tmp_path, "/score/m1#token-of-the-link"):
        eventually(lambda: relay.got == ["{0}"])
    assert relay.paths == {"/streams/m1/feed/nv_play"}
    assert relay.tokens == {"Bearer token-of-the-link"}


def test_a_file_that_is_too_large_is_not_sent(relay: Relay, tmp_path: Path) -> None:
    (tmp_path / "score.json").write_bytes(b"x" * 3 * 1024 * 1024)
    with carrying(relay, tmp_path) as process:
        assert process.stdout is not None
        assert "larger than 2 MiB" in process.stdout.readline()
    assert relay.paths == set()


def test_a_file_that_is_locked_is_read_when_it_is_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "score.json"
    file.write_text("{0}")
    source = carry_scores.ScoreFile(file)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", Mock(side_effect=PermissionError(13, "in use by another program")))
        assert source.look(0.0) == (None, "the file cannot be read at the moment")
    assert source.look(0.2) == (b"{0}", "")


def test_a_change_that_a_coarse_disk_does_not_note_is_seen(tmp_path: Path) -> None:
    file = tmp_path / "score.json"
    file.write_text("{0}")
    found = file.stat()
    source = carry_scores.ScoreFile(file)
    assert source.look(0.0) == (b"{0}", "")
    file.write_text("{1}")
    os.utime(file, ns=(found.st_atime_ns, found.st_mtime_ns))
    assert source.look(0.2) == (b"{1}", "")
    assert source.look(9.0) == (None, "")


def test_the_messages_of_a_serial_line_are_sent_together_and_kept(relay: Relay) -> None:
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    try:
        with carrying(relay, Path(os.ttyname(theirs)), source="--serial"):
            # What comes before the line is open is lost.
            eventually(lambda: os.write(ours, b"4,BTNRed Valley#4,BTR41#4,BTW2#") and relay.got, 15)
            os.write(ours, b"4,B1K1#4,B2K0#4,B1K0#4,B2K")
            os.write(ours, b"1#")
            relay.wait_for("BTNRed Valley\nBTR41\nBTW2\nB1K0\nB2K1\n")
            relay.close()
            os.write(ours, b"4,BTR42#")
            os.write(ours, b"4,BTR45#noise#4,OVB3.2#")
            relay.open()
            relay.wait_for("BTNRed Valley\nBTW2\nB1K0\nB2K1\nBTR45\nOVB3.2\n")
    finally:
        os.close(ours)
        os.close(theirs)
    assert relay.paths == {"/streams/m1/feed/pcs_scoreboard"}


def test_a_serial_line_that_goes_is_opened_again() -> None:
    first = Mock(in_waiting=0, read=Mock(side_effect=[b"BTR4", OSError("unplugged")]))
    again = Mock(in_waiting=0, read=Mock(side_effect=[b"1#BTR52#", b""]))
    source = carry_scores.SerialLine("COM3", Mock(side_effect=[first, OSError("gone"), again]))
    assert source.look(0.0) == (None, "")
    for now in (1.0, 3.1):
        assert "COM3 cannot be read" in source.look(now)[1]
    assert source.look(5.2) == (None, "")
    assert source.look(5.6) == (b"BTR52\n", "")


def test_it_runs_on_old_pythons() -> None:
    compile(SCRIPT.read_text(), str(SCRIPT), "exec", dont_inherit=True)
    import ast

    ast.parse(SCRIPT.read_text(), feature_version=(3, 8))
