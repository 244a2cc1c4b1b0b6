"""Secrets go through starts, faults, stops and a crash, and are never shown."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psutil
import pytest
import requests

from app import create_app
from config import load_settings
from demo.match_feed import Answer, MatchFeed
from demo.replay import states
from relay import installed
from tests.integration.conftest import Camera
from tests.service import FFMPEG, MakeService, Rtmp, Service
from tests.waiting import eventually, runs

KEY = "canary-9f3a-key"
BACKUP_KEY = "canary-77b1-key"
DEAD_KEY = "canary-c4d2-key"
TOKEN = "canary-token-of-the-operator"
HOOK_SECRET = "canary-secret-of-the-hooks"
SECRETS = (KEY, BACKUP_KEY, DEAD_KEY, TOKEN, HOOK_SECRET)


class Titles:
    """What `ps` would show of a process and its descendants, collected all the time."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self._pids: list[int] = []
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def watch(self, pid: int) -> None:
        self._pids.append(pid)

    def __enter__(self) -> Titles:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._end.wait(0.02):
            for pid in list(self._pids):
                with contextlib.suppress(psutil.Error):
                    process = psutil.Process(pid)
                    children = process.children(recursive=True)
                    self._keep([process, *children], "cmdline")
                    # A child that has not started its program yet still has the service's environment.
                    self._keep([child for child in children if "ffmpeg" in child.name()], "environ")

    def _keep(self, processes: list[psutil.Process], what: str) -> None:
        for process in processes:
            with contextlib.suppress(psutil.Error):
                said = getattr(process, what)()
                self.seen.add(" ".join(said.values() if isinstance(said, dict) else said))


@pytest.fixture
def closing_destination() -> Iterator[int]:
    """The port of a destination that closes each connection at once."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        end = threading.Event()

        def serve() -> None:
            listener.settimeout(0.1)
            while not end.is_set():
                with contextlib.suppress(TimeoutError):
                    listener.accept()[0].close()

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        end.set()
        thread.join()


def pages() -> list[str]:
    """The path of every GET route, for both streams."""
    app = create_app(load_settings({"overlay_api_base": "", "overlay_image_base": ""}))
    found = []
    for rule in app.url_map.iter_rules():
        if rule.methods and "GET" in rule.methods:
            for name in ("m1", "m2"):
                found.append(rule.rule.replace("<name>", name).replace("<path:filename>", "style.css"))
    app.extensions["registry"].close()
    return sorted(set(found))


def answers_of(service: Service) -> list[bytes]:
    """Everything that can be fetched, with the token and with a session."""
    with requests.Session() as browser:
        login = browser.post(f"{service.url}/login", {"token": TOKEN}, timeout=10)
        assert "relay_session" in browser.cookies, login.text
        answers = [login]
        for path in pages():
            answers.append(browser.get(service.url + path, timeout=10))
            answers.append(requests.get(service.url + path, headers=service.headers, timeout=10))
            answers.append(requests.get(service.url + path, timeout=10))
    assert all(answer.status_code < 500 or answer.status_code == 503 for answer in answers)
    return [answer.content + repr(answer.headers).encode() + answer.url.encode() for answer in answers]


def refusals_of(service: Service) -> list[bytes]:
    """The answers to calls that contain a key and must be refused."""
    urls = (
        f"rtmp://nowhere.invalid/x/{KEY}",
        f"http://127.0.0.1/x/{KEY}",
        f"rtmp://127.0.0.1/{KEY}",
        f"rtmp://127.0.0.1:99999/x/{KEY}",
        f"rtmp://user:{KEY}@127.0.0.1/x/{KEY}",
        f"rtmp://127.0.0.1/x/{KEY} -f flv",
    )
    bodies = [{"youtube_url": url, "stream_name": "x"} for url in urls]
    bodies += [{"youtube_url": "rtmp://127.0.0.1/x/y", "backup_url": url, "stream_name": "x"} for url in urls]
    answers = [service.post("/start_stream", body) for body in bodies]
    assert [answer.status_code for answer in answers] == [400] * len(answers)
    answers.append(service.post(f"/hooks/{HOOK_SECRET}x/publish", {}))
    wrong = {"Authorization": f"Bearer x{TOKEN}"}
    answers.append(requests.get(f"{service.url}/list_streams", headers=wrong, timeout=9))
    answers.append(requests.get(f"{service.url}/{quote(KEY)}", timeout=9))
    return [answer.content for answer in answers]


def kill_children(service: Service, word: str) -> None:
    pids = list(service.children(word))
    assert pids
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: not any(runs(pid) for pid in pids))


def test_no_secret_is_shown_anywhere(
    service: MakeService, camera: Camera, feed: MatchFeed, rtmp: Rtmp, tmp_path: Path, closing_destination: int
) -> None:
    feed.data = Answer.of(next(states()).as_current_score())
    settings = {
        "api_token": TOKEN,
        "hook_secret": HOOK_SECRET,
        "list_streams_show_key": "false",
        "log_level": "DEBUG",
        "state_file": str(tmp_path / "streams.json"),
    }
    said: list[bytes] = []
    with Titles() as titles:
        with camera("m1"):
            one = service(**settings)
            titles.watch(one.process.pid)
            said += refusals_of(one)
            body = {
                "youtube_url": rtmp.url("youtube", f"{KEY}?backup=1"),
                "backup_url": f"rtmp://127.0.0.1:{closing_destination}/app/{BACKUP_KEY}",
                "stream_name": "m1",
            }
            assert one.post("/start_stream", body).status_code == 200
            dead = {"youtube_url": f"rtmp://127.0.0.1:1/app/{DEAD_KEY}", "stream_name": "m2"}
            assert one.post("/start_stream", dead).status_code == 200
            eventually(lambda: "[m1] relay.stream: is live" in one.log(), 40)
            eventually(lambda: "[m2] relay.stream: publisher ended" in one.log(), 40)
            said += answers_of(one)
            kill_children(one, "live/m1 ")
            eventually(lambda: "killed by SIGKILL" in one.log(), 20)
        eventually(lambda: "the slate is on air" in one.log(), 40)
        said += answers_of(one)
        one.process.kill()
        one.process.wait()
        again = service(**settings)
        titles.watch(again.process.pid)
        eventually(lambda: set(again.listed()) == {"m1", "m2"}, 30)
        assert stat.S_IMODE((tmp_path / "streams.json").stat().st_mode) == 0o600
        said += answers_of(again)
        for name in ("m1", "m2"):
            again.stop(name)
        said += answers_of(again)
        again.process.send_signal(signal.SIGTERM)
        assert again.process.wait(20) == 0
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {"application.log", "ffmpeg.log", "stderr", "streams.json"}
    texts = {str(path): path.read_bytes() for path in files} | {f"answer {n}": text for n, text in enumerate(said)}
    if installed.reads_presets(FFMPEG):
        assert any("rtmp://" in title for title in titles.seen)
        texts |= {f"title {title}": title.encode() for title in titles.seen}
    shown = [(where[:200], secret) for where, text in texts.items() for secret in SECRETS if secret.encode() in text]
    assert shown == []
    assert "/youtube/****" in one.log()
