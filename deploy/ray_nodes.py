"""A Ray cluster of several nodes on this machine, on loopback, for the demo, the tests and the benches.

Each node is one `ray start --block` in its own process group, with its own
address in 127.0.0.0/8. `docs/cluster.md` says how to start nodes on real
machines.
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
# The least that Ray accepts. Streams put nothing into it.
OBJECT_STORE_BYTES = 80_000_000
# A node that is silent for 3 s counts as dead. With Ray's own figures that takes 15 s or more.
WATCH = {
    "RAY_health_check_initial_delay_ms": "1000",
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_timeout_ms": "1000",
    "RAY_health_check_failure_threshold": "3",
}


class RayNodesError(Exception):
    """A node did not start. The message contains the end of its output."""


class RayNode:
    """One node: its name, its main process, and the file with its output."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], output: Path) -> None:
        self.name = name
        self.process = process
        self.output = output

    def processes(self) -> list[psutil.Process]:
        """All its processes, also the FFmpegs of the streams."""
        try:
            own = psutil.Process(self.process.pid)
            return [own, *own.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def kill(self) -> None:
        """End it as a power cut would: SIGKILL to all processes at once."""
        found = self.processes()
        for process in found:  # none may start another one, or end properly because its parent has died
            with contextlib.suppress(psutil.NoSuchProcess):
                process.suspend()
        for process in found:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self.process.wait()

    def end(self) -> None:
        """End it properly. Processes that do not end in time are killed."""
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
    """The cluster. `close()` ends its nodes, with the head as the last one."""

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        """`folder` is for the output of the nodes, and for what the head must remember."""
        self._folder = folder
        self._session = Path(tempfile.mkdtemp(prefix="ray-"))  # a short path, because it contains sockets
        self._port = free_port()
        self._addresses = iter(f"127.0.0.{number}" for number in range(10, 250))
        self._head_address = next(self._addresses)
        self.nodes: dict[str, RayNode] = {}
        memory = folder / "head"
        memory.mkdir(parents=True, exist_ok=True)
        self.environment = (
            os.environ
            | {"RAY_gcs_storage": "rocksdb", "RAY_gcs_storage_path": str(memory), "RAY_USAGE_STATS_ENABLED": "0"}
            # Ray would run streams at nice 15, and a node that is told to end would wait for them.
            | {"RAY_worker_niceness": "0", "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S": "0"}
            | {"PYTHONPATH": str(ROOT)}
            | WATCH
            | dict(environment or {})
        )

    @property
    def address(self) -> str:
        """The value for RAY_ADDRESS."""
        return f"{self._head_address}:{self._port}"

    @property
    def logs(self) -> Path:
        """The folder of Ray's logs, and of those of the streams (`worker-*.err`). It is removed by `close()`."""
        return self._session / "session_latest" / "logs"

    def add_head(self) -> RayNode:
        """Start the head, which runs no streams, or start it again."""
        # If the last head left it behind, Ray believes that a head is running.
        (self._session / "ray_current_cluster").unlink(missing_ok=True)
        temp = f"--temp-dir={self._session}"
        head = ["--head", f"--port={self._port}", "--include-dashboard=false", temp]
        return self._start("head", self._head_address, 0, *head)

    def add(self, name: str, cpus: int) -> RayNode:
        """Start a node. Must not be called again before it has returned."""
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
    """A head without room for streams, and workers with this many CPUs each."""
    cluster = RayNodes(folder, environment)
    try:
        cluster.add_head()
        for name, cpus in workers.items():
            cluster.add(name, cpus)
        yield cluster
    finally:
        cluster.close()
