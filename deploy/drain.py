"""Empty a node of the cluster for maintenance: `python -m deploy.drain [NODE]`, by default the node it runs on.

Ray no longer starts anything on the node. Other nodes take over its streams, one
by one. Each successor has its picture ready before its predecessor leaves the
destination. A line for each stream says where it went, and how long that took.

The exit status is 1 if a stream could not be moved. That stream stays on air, and
the node stays up: make room, and run the command again.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

import ray

from cluster import cluster_state
from cluster.placing import LOOK_S, START_LIMIT_S
from cluster.registry import ClusterRegistry
from cluster.stream_actor import StreamActor
from config import load_settings
from errors import ConfigurationError, RelayError

DRAIN_LIMIT_S = 30.0
# Ray's reason for a node that stops while something runs on it. Its other reason is for idle nodes.
REASON = "DRAIN_NODE_REASON_PREEMPTION"


def main() -> int:
    """Run the command, and return its exit status."""
    parser = argparse.ArgumentParser(description="Move the streams of a node elsewhere, before maintenance.")
    parser.add_argument("node", nargs="?", help="the node's name on the dashboard; by default the one this runs on")
    parser.add_argument(
        "--anyway", action="store_true", help="even if the other nodes do not have room for all of its streams"
    )
    asked = parser.parse_args()
    try:
        registry = ClusterRegistry(load_settings({"state_file": None}))
    except ConfigurationError as error:
        sys.exit(str(error))
    try:
        return drain(registry, asked.node, anyway=asked.anyway)
    except RelayError as error:
        sys.exit(str(error))
    finally:
        registry.close()


def drain(registry: ClusterRegistry, name: str | None, *, anyway: bool) -> int:
    """Empty the node, and report it. Returns 1 if a stream is left there."""
    nodes = cluster_state.nodes()
    node_id = ray.get_runtime_context().get_node_id() if name is None else _id_of(name, nodes)
    node = nodes[node_id]
    streams = _streams_on(node_id)
    elsewhere = sum(load.room for load in registry.load().nodes if load.name != node.name)
    if len(streams) > elsewhere and not anyway:
        print(
            f"{node.name} has {_count(len(streams))}, and the other nodes have room for {elsewhere}: nothing was done"
        )
        return 1
    _tell_ray(node_id)
    all_have_begun = _await_begun(node_id)
    streams = _streams_on(node_id)
    print(f"{node.name} takes no more streams; {_count(len(streams))} to move", flush=True)
    left = 0
    for stream in streams:
        began_at = time.monotonic()
        try:
            to = registry.move(stream, f"node {node.name} is drained for maintenance")
        except (RelayError, ray.exceptions.RayError) as error:
            is_over = stream not in cluster_state.taken_seats()
            left += not is_over
            print(f"{stream}: {'has ended' if is_over else f'stays: {error}'}", flush=True)
        else:
            print(f"{stream}: moved to {to} in {time.monotonic() - began_at:.1f} s", flush=True)
    if left:
        print(f"{_count(left)} left on {node.name}: make room, and run this again", flush=True)
        return 1
    if not all_have_begun:
        print(f"a stream on {node.name} has not started within {START_LIMIT_S:g} s: run this again", flush=True)
        return 1
    print(f"{node.name} is empty: it can be stopped", flush=True)
    return 0


def _streams_on(node_id: str) -> list[str]:
    return sorted(name for name, record in cluster_state.records().items() if record.node_id == node_id)


def _await_begun(node_id: str) -> bool:
    """Wait until no stream on the node is still starting, because such a stream could not be moved. True if so."""
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline:
        actors = cluster_state.actors(StreamActor.__name__, "PENDING_CREATION", "ALIVE", "RESTARTING")
        begun = {(record.actor_id, record.node_id) for record in cluster_state.records().values()}
        if not [one for one, at in actors.items() if at == node_id and (one, at) not in begun]:
            return True
        time.sleep(LOOK_S)
    return False


def _id_of(name: str, nodes: dict[str, cluster_state.Node]) -> str:
    alive = {node.name: node.id for node in nodes.values() if node.is_alive}
    if name not in alive:
        sys.exit(f"there is no node {name}; there are {', '.join(sorted(alive))}")
    return alive[name]


def _tell_ray(node_id: str) -> None:
    command = [str(Path(sys.executable).with_name("ray")), "drain-node"]
    address = ray.get_runtime_context().gcs_address
    ended = subprocess.run(
        [
            *(*command, "--address", address, "--node-id", node_id),
            *("--reason", REASON, "--reason-message", "drained for maintenance"),
        ],
        capture_output=True,
        text=True,
        timeout=DRAIN_LIMIT_S,
        check=False,
    )
    if ended.returncode:
        sys.exit(f"Ray could not drain the node: {(ended.stderr or ended.stdout).strip()[-400:]}")


def _count(streams: int) -> str:
    return "1 stream" if streams == 1 else f"{streams} streams"


if __name__ == "__main__":
    sys.exit(main())
