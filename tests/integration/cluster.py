"""What the cluster tests share: names and room of the nodes, and ways to look at them from outside."""

from __future__ import annotations

import contextlib
from typing import Any

import psutil
import requests

from deploy.ray_nodes import RayNodes
from tests.service import Service
from tests.waiting import eventually

# A stream of this profile and preset asks for 0.39 CPUs: two fit on a node of one.
NODES = ("n1", "n2")
ROOM = 4
BACK_LIMIT_S = 60
# As docs/cluster.md advises, a process needs a token to join.
TOKEN = "a-token-of-the-cluster-that-is-long-enough"
JOINING = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": TOKEN}
PUSHED: dict[str, Any] = {
    "sport": "cricket",
    "title": "Final",
    "batting": {"name": "Mumbai Indians", "short": "MI", "runs": 149, "wickets": 8, "overs": "20.0"},
    "bowling": {"name": "Chennai Super Kings", "short": "CSK", "runs": 12, "wickets": 0, "overs": "1.4"},
}


def left_on(nodes: RayNodes) -> list[str]:
    """Actors and FFmpegs that run on a node."""
    return [command[:60] for command in commands_on(nodes) if "StreamActor" in command or "pipe:" in command]


def commands_on(nodes: RayNodes) -> dict[str, dict[str, str]]:
    """The command line of each process that runs on a node, and its environment."""
    found = {}
    for node in nodes.nodes.values():
        for process in node.processes():
            with contextlib.suppress(psutil.Error):  # the process has just ended
                found[" ".join(process.cmdline())] = process.environ()
    return found


def status_of(one: Service, name: str) -> dict[str, Any]:
    answer = requests.get(f"{one.url}/streams/{name}", timeout=30)
    assert answer.status_code == 200, answer.text
    status: dict[str, Any] = answer.json()
    return status


def is_back(one: Service, name: str, moves: int = 1) -> bool:
    status = status_of(one, name)
    return status["state"] in ("live", "slate") and len(status["moves"]) >= moves


def metrics_of(one: Service) -> str:
    return requests.get(f"{one.url}/metrics", timeout=30).text


def wait_for_nodes(one: Service, count: int) -> None:
    eventually(lambda: metrics_of(one).count("streaming_node_cpus{") == count, 30, f"{count} nodes are known")
