"""The carrier on the scorer's PC and the real service, which is killed in between."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import requests

from deploy.rtmp_server import free_port
from tests.service import ROOT, MakeService, Service, running
from tests.waiting import eventually


def runs_on_screen(one: Service) -> int | None:
    try:
        match = requests.get(f"{one.url}/streams/m1/match", timeout=5).json()
    except requests.RequestException:
        return None
    runs: int | None = match.get("batting", {}).get("runs")
    return runs


def test_the_newest_state_is_on_screen_after_the_service_was_killed(service: MakeService, tmp_path: Path) -> None:
    settings = {"port": str(free_port()), "state_file": str(tmp_path / "streams.json"), "overlay_api_base": ""}
    file = tmp_path / "nvplay-scoreboard1.xml"

    def write(runs: int) -> None:
        file.write_text(json.dumps({"batting_team": "Red Valley", "runs": str(runs), "wickets": "1", "overs": "4.2"}))

    one = service(**settings)
    one.start("m1")
    argv = [sys.executable, str(ROOT / "web" / "static" / "carry_scores.py"), "--to", f"{one.url}/streams/m1"]
    with running([*argv, "--kind", "nv_play", "--file", str(file)], env=os.environ | {"NO_PROXY": "*"}):
        write(30)
        eventually(lambda: runs_on_screen(one) == 30)
        one.process.kill()
        one.process.wait()
        for runs in range(31, 36):
            write(runs)
        again = service(**settings)
        eventually(lambda: runs_on_screen(again) == 35, 30)
        again.stop("m1")
