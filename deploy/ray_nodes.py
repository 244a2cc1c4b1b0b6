"""A Ray cluster of several nodes on this machine, on loopback: for the demo, the tests and the benches.

Each node is one `ray start --block`, in a process group of its own, with an
address of its own in 127.0.0.0/8. Real machines are started as in
`docs/cluster.md`.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil

from deploy.rtmp_server import free_port
from relay.process import dies_with_its_parent

ROOT = Path(__file__).resolve().parents[1]
RAY = Path(sys.executable).with_name("ray")
START_LIMIT_S = 60.0
END_LIMIT_S = 15.0
# The least that Ray takes; streams put nothing into it.
OBJECT_STORE_BYTES = 80_000_000
# A node that is silent for three seconds is taken for dead; Ray's own figures make that 15 or more.
WATCH = {
    "RAY_health_check_initial_delay_ms": "1000",
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_timeout_ms": "1000",
    "RAY_health_check_failure_threshold": "3",
}


class RayNodesError(Exception):
    """A node did not start; the message holds the end of what it said."""


class RayNode:
    """One node: its processes, and what they are known by."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], output: Path) -> None:
        self.name = name
        self.process = process
        self.output = output

    def processes(self) -> list[psutil.Process]:
        """All of it, the streams' FFmpegs too."""
        try:
            own = psutil.Process(self.process.pid)
            return [own, *own.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def kill(self) -> None:
        """As a power cut would: SIGKILL to all of it at once."""
        found = self.processes()
        for process in found:  # none may begin another one, or die in good order because its parent did
            with contextlib.suppress(psutil.NoSuchProcess):
                process.suspend()
        for process in found:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self.process.wait()

    def end(self) -> None:
        """In good order; what does not end in time is killed."""
        found = self.processes()
        self.process.terminate()
        try:
            self.process.wait(END_LIMIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        _, alive = psutil.wait_procs(found, END_LIMIT_S / 3)
        for process in alive:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(alive, END_LIMIT_S / 3)


class RayNodes:
    """The cluster. `close()` ends its nodes, the head last."""

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        """`folder` keeps what the nodes say and what the head is to remember."""
        self._folder = folder
        self._session = Path(tempfile.mkdtemp(prefix="ray-"))  # a short path: it holds sockets
        self._port = free_port()
        self._addresses = iter(f"127.0.0.{number}" for number in range(10, 250))
        self._head_address = next(self._addresses)
        self.nodes: dict[str, RayNode] = {}
        memory = folder / "head"
        memory.mkdir(parents=True, exist_ok=True)
        self.environment = (
            os.environ
            | {"RAY_gcs_storage": "rocksdb", "RAY_gcs_storage_path": str(memory), "RAY_USAGE_STATS_ENABLED": "0"}
            # Ray would have streams encode at nice 15, and let a node that is told to end wait for them.
            | {"RAY_worker_niceness": "0", "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S": "0"}
            | {"PYTHONPATH": str(ROOT)}
            | WATCH
            | dict(environment or {})
        )

    @property
    def address(self) -> str:
        """For RAY_ADDRESS."""
        return f"{self._head_address}:{self._port}"

    @property
    def logs(self) -> Path:
        """Where all nodes keep Ray's logs, and what the streams say: `worker-*.err`. Gone after `close()`."""
        return self._session / "session_latest" / "logs"

    def add_head(self) -> RayNode:
        """Start the head, which runs no streams, or start it again."""
        # Left by the last one; Ray takes the workers beside it for a head that runs.
        (self._session / "ray_current_cluster").unlink(missing_ok=True)
        temp = f"--temp-dir={self._session}"
        head = ["--head", f"--port={self._port}", "--include-dashboard=false", temp]
        return self._start("head", self._head_address, 0, *head)

    def add(self, name: str, cpus: int) -> RayNode:
        """Start a node, one at a time."""
        return self._start(name, next(self._addresses), cpus, f"--address={self.address}")

    def close(self) -> None:
        for node in reversed(list(self.nodes.values())):
            node.end()
        shutil.rmtree(self._session, ignore_errors=True)

    def _start(self, name: str, address: str, cpus: int, *options: str) -> RayNode:
        output = self._folder / f"{name}.out"
        argv = [
            *(str(RAY), "start", "--block", "--disable-usage-stats", f"--node-name={name}"),
            *(f"--node-ip-address={address}", f"--num-cpus={cpus}", f"--object-store-memory={OBJECT_STORE_BYTES}"),
            *("--min-worker-port=0", "--max-worker-port=0"),
            *options,
        ]
        with output.open("wb") as file:
            process = subprocess.Popen(
                dies_with_its_parent(argv, "TERM"),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                env=self.environment,
                cwd=self._folder,
                start_new_session=True,
            )
        node = self.nodes[name] = RayNode(name, process, output)
        deadline = time.monotonic() + START_LIMIT_S
        while b"runtime started" not in output.read_bytes():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RayNodesError(f"node {name} did not start: {output.read_text(errors='replace')[-800:]}")
            time.sleep(0.05)
        return node


@contextlib.contextmanager
def ray_nodes(
    folder: Path, workers: Mapping[str, int], environment: Mapping[str, str] | None = None
) -> Iterator[RayNodes]:
    """A head without room for streams, and workers with so many CPUs each."""
    cluster = RayNodes(folder, environment)
    try:
        cluster.add_head()
        for name, cpus in workers.items():
            cluster.add(name, cpus)
        yield cluster
    finally:
        cluster.close()
