"""The carrier as a scorer runs it: a process that watches a file, and a relay that has faults."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from deploy.rtmp_server import free_port
from tests.waiting import eventually

SCRIPT = Path(__file__).resolve().parents[3] / "web" / "static" / "carry_scores.py"
TOKEN = "canary-token-1234567890"


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
                is_whole = body.endswith("}")
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
def carrying(relay: Relay, path: Path) -> Iterator[subprocess.Popen[str]]:
    url = f"http://127.0.0.1:{relay.port}/streams/m1/"
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT), "--to", url, "--kind", "nv_play", "--file", str(path)],
        env=os.environ | {"CARRY_TOKEN": TOKEN, "NO_PROXY": "*"},
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


def test_it_runs_on_old_pythons() -> None:
    compile(SCRIPT.read_text(), str(SCRIPT), "exec", dont_inherit=True)
    import ast

    ast.parse(SCRIPT.read_text(), feature_version=(3, 8))
