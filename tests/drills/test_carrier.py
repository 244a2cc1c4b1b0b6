"""The scorer's PC: its carrier is killed, its network goes and comes, and the score goes on meanwhile."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from tests.drills.drill import NAME, Drill
from tests.drills.proxy import TcpProxy
from tests.service import ROOT, running
from tests.waiting import eventually

BACK_LIMIT_S = 1.0
CHANGES = 2000
LOOK_S = 0.02
FAULTS: dict[str, Callable[[TcpProxy], None]] = {"silent": TcpProxy.stall, "refused": TcpProxy.refuse}


class OnScreen:
    """The runs on the strip, looked at all the time: when each was seen first. A context manager."""

    def __init__(self, url: str) -> None:
        self.seen: list[tuple[float, int]] = []
        self._url = f"{url}/streams/{NAME}/on_screen"
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._look, name="on-screen")

    @property
    def newest(self) -> int:
        return self.seen[-1][1] if self.seen else -1

    def at(self, runs: int) -> float:
        return next(at for at, seen in self.seen if seen == runs)

    def _look(self) -> None:
        with requests.Session() as session:
            while not self._closed.wait(LOOK_S):
                with contextlib.suppress(requests.RequestException):
                    words = " ".join(session.get(self._url, timeout=5).json().get("words") or [])
                    if (score := re.search(r"(\d+)/1\b", words)) and int(score[1]) != self.newest:
                        self.seen.append((time.monotonic(), int(score[1])))

    def __enter__(self) -> OnScreen:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        self._thread.join(10)


@contextlib.contextmanager
def carrying(port: int, file: Path) -> Iterator[subprocess.Popen[bytes]]:
    argv = [sys.executable, str(ROOT / "web" / "static" / "carry_scores.py"), "--kind", "nv_play", "--file", str(file)]
    to = f"http://127.0.0.1:{port}/streams/{NAME}"
    with running([*argv, "--to", to], env=os.environ | {"NO_PROXY": "*"}, stdout=subprocess.DEVNULL) as process:
        yield process


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("away_s", [3, pytest.param(60, marks=pytest.mark.long)])
def test_the_network_of_the_scorers_pc_goes_and_comes(drill: Drill, fault: str, away_s: float) -> None:
    row = drill.row(
        f"network of the scorer's PC {fault} for {away_s:g} s, its carrier killed, {CHANGES} changes",
        f"newest score on the overlay in {BACK_LIMIT_S:g} s, no older one after it",
    )
    drill.begin(overlay_api_base="", overlay_image_base="")
    way = TcpProxy(int(drill.one.url.rpartition(":")[2]))
    file = drill.folder / "nvplay-scoreboard1.xml"
    runs = 100

    def write(count: int, for_s: float) -> None:
        nonlocal runs
        for _ in range(count):
            runs += 1
            file.write_text(json.dumps({"batting_team": "Red", "runs": str(runs), "wickets": "1", "overs": "4.2"}))
            time.sleep(for_s / count)

    with contextlib.closing(way), OnScreen(drill.one.url) as screen:
        with carrying(way.port, file):
            write(5, 1.0)
            eventually(lambda: screen.newest == runs)
            FAULTS[fault](way)
            write(CHANGES // 2, away_s / 2)
        with carrying(way.port, file):  # the first was killed as it sent
            write(CHANGES // 2, away_s / 2)
            way.heal()
            back = time.monotonic()
            eventually(lambda: screen.newest == runs)
            row.normal_s = screen.at(runs) - back
            write(20, 2.0)
            eventually(lambda: screen.newest == runs)
            drill.observe()
    shown = [seen for _, seen in screen.seen]
    assert shown == sorted(shown)
    assert shown[-1] == runs
    row.hold("newest score", row.normal_s, BACK_LIMIT_S)
    drill.end(row)
