"""The files in `deploy/` for a cluster: systemd checks them, and the options, settings and files they name exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from config import Settings
from deploy import drain
from deploy.ray_nodes import RAY, WATCH
from tests.unit.deploy.test_files import DEPLOY, DOCKERFILE, ROOT, check

NODES = ("streaming-overlay-ray-head.service", "streaming-overlay-ray-worker.service")
HEAD, WORKER = ((DEPLOY / name).read_text() for name in NODES)
FRONT_END = (DEPLOY / "streaming-overlay-ray.conf").read_text()
KUBERAY: list[dict[str, Any]] = list(yaml.safe_load_all((DEPLOY / "kuberay.yaml").read_text()))
DOCS = (ROOT / "docs" / "cluster.md").read_text()
CLUSTER: dict[str, Any] = next(one for one in KUBERAY if one["kind"] == "RayCluster")["spec"]
GROUPS = {group["groupName"]: group for group in CLUSTER["workerGroupSpecs"]}
PATIENCE = "RAY_gcs_rpc_server_reconnect_timeout_s"


@pytest.fixture(scope="module")
def options() -> set[str]:
    """The options of `ray start`."""
    told = subprocess.run([RAY, "start", "--help"], capture_output=True, text=True, timeout=60, check=True).stdout
    return set(re.findall(r"(?m)^  (?:-\w, )?(--[a-z-]+)", told))


def variables(unit: str) -> dict[str, str]:
    return dict(re.findall(r"(?m)^Environment=(\w+)=(.*)$", unit))


def in_pod(container: dict[str, Any]) -> dict[str, Any]:
    return {one["name"]: one.get("value") for one in container.get("env", [])}


def pods() -> list[dict[str, Any]]:
    specs = [CLUSTER["headGroupSpec"], *CLUSTER["workerGroupSpecs"]]
    return [spec["template"]["spec"] for spec in specs]


def raylet(group: str) -> dict[str, Any]:
    """The container in which KubeRay starts Ray: the first one."""
    container: dict[str, Any] = GROUPS[group]["template"]["spec"]["containers"][0]
    return container


@pytest.mark.parametrize("name", NODES)
def test_systemd_accepts_the_units_and_finds_them_well_protected(tmp_path: Path, name: str) -> None:
    unit = tmp_path / name
    shipped = (DEPLOY / name).read_text()
    unit.write_text(shipped.replace("/opt/streaming-overlay/.venv/bin/", f"{Path(sys.executable).parent}/"))
    check("systemd-analyze", "--man=no", "verify", str(unit))
    check("systemd-analyze", "--no-pager", "security", "--offline=true", "--threshold=20", str(unit))


def test_ray_knows_the_options_in_units_manifest_and_document(options: set[str]) -> None:
    starts = re.findall(
        r"ray start ((?:[^\n`]*\\\n)*[^\n`]*)", HEAD.split("ExecStart=")[1] + WORKER.split("ExecStart=")[1]
    )
    starts += re.findall(r"bin/ray start ((?:[^\n`]*\\\n)*[^\n`]*)", DOCS)
    assert len(starts) >= 5
    named = {option for start in starts for option in re.findall(r"--[a-z-]+", start)}
    named |= {f"--{name}" for spec in (CLUSTER["headGroupSpec"], *GROUPS.values()) for name in spec["rayStartParams"]}
    assert named - options == set()


def test_the_nodes_drain_before_they_stop_and_have_time_for_it() -> None:
    [stop] = re.findall(r"(?m)^ExecStop=(.*)$", WORKER)
    assert stop.startswith("-"), "a drain that fails must not keep the machine from stopping"
    assert "-m deploy.drain --anyway" in stop
    [hook] = [raylet("streams")["lifecycle"]["preStop"]["exec"]["command"]]
    assert "-m deploy.drain --anyway; ray stop" in hook[-1]
    [seconds] = re.findall(r"(?m)^TimeoutStopSec=(\d+)$", WORKER)
    grace = GROUPS["streams"]["template"]["spec"]["terminationGracePeriodSeconds"]
    assert min(int(seconds), grace) >= 10 * drain.DRAIN_LIMIT_S
    assert "\nKillMode=mixed\n" in WORKER


def test_a_silent_node_is_noticed_as_quickly_as_in_the_tests() -> None:
    for told in (variables(HEAD), in_pod(CLUSTER["headGroupSpec"]["template"]["spec"]["containers"][0])):
        assert {name: value for name, value in told.items() if name.startswith("RAY_health")} == WATCH


def test_every_process_of_ray_waits_equally_long_for_a_head() -> None:
    waits = [variables(unit)[PATIENCE] for unit in (HEAD, WORKER, FRONT_END)]
    waits += [in_pod(container)[PATIENCE] for pod in pods() for container in pod["containers"]]
    assert set(waits) == {"3600"}


def test_no_stream_runs_on_the_head_and_all_run_at_normal_priority() -> None:
    assert "--num-cpus=0 " in HEAD
    assert CLUSTER["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"
    assert GROUPS["frontend"]["rayStartParams"]["num-cpus"] == "0"
    assert "num-cpus" not in GROUPS["streams"]["rayStartParams"]
    assert raylet("streams")["resources"]["limits"]["cpu"] == raylet("streams")["resources"]["requests"]["cpu"]
    assert variables(WORKER)["RAY_worker_niceness"] == in_pod(raylet("streams"))["RAY_worker_niceness"] == "0"


def test_front_end_and_nodes_have_the_same_user_and_folder() -> None:
    plain = (DEPLOY / "streaming-overlay.service").read_text()
    users = [re.findall(r"(?m)^User=(.*)$", unit) for unit in (plain, HEAD, WORKER)]
    assert users == [["streaming-overlay"]] * 3
    assert all("\nStateDirectory=streaming-ray\n" in unit for unit in (HEAD, WORKER, FRONT_END))
    assert all("--temp-dir=/var/lib/streaming-ray " in unit for unit in (HEAD, WORKER))
    # The longest path of a socket, in the folder where systemd really puts it. At most 107 characters are allowed.
    session = "session_2026-05-12_17-40-11_123456_1234567"
    assert len(f"/var/lib/private/streaming-ray/{session}/sockets/plasma_store.10") < 107
    assert not any("\nPrivateUsers=yes" in unit for unit in (HEAD, WORKER, FRONT_END))
    assert "\nPrivateUsers=no" in FRONT_END


def test_in_a_pod_the_front_end_sees_its_node() -> None:
    pod = GROUPS["frontend"]["template"]["spec"]
    assert pod["shareProcessNamespace"] is True
    ray_s, service = pod["containers"]
    assert ray_s["volumeMounts"] == service["volumeMounts"] == [{"name": "session", "mountPath": "/tmp/ray"}]
    assert {"name": "session", "emptyDir": {}} in pod["volumes"]
    assert GROUPS["frontend"]["replicas"] >= 2


def test_the_manifest_uses_one_image_and_one_name() -> None:
    kinds = [(one["kind"], one["metadata"]["name"]) for one in KUBERAY]
    assert len(set(kinds)) == len(kinds)
    assert {kind for kind, _ in kinds} >= {"RayCluster", "Service", "NetworkPolicy", "ConfigMap"}
    containers = [container for pod in pods() for container in pod["containers"]]
    assert {container["image"] for container in containers} == {"streaming-overlay-ray:latest"}
    assert all("livenessProbe" in container and "readinessProbe" in container for container in containers)
    names = {one["metadata"]["name"] for one in KUBERAY if one["kind"] == "RayCluster"}
    [config] = [one["data"] for one in KUBERAY if one["kind"] == "ConfigMap"]
    assert {config["RAY_ADDRESS"].removesuffix("-head-svc:6379")} == names
    for one in KUBERAY:
        spec = one.get("spec", {})
        chosen = spec.get("podSelector", spec.get("selector", {}))
        labels = chosen.get("matchLabels", chosen)
        assert labels.get("ray.io/group", "frontend") in GROUPS
        assert labels.get("ray.io/cluster", "streaming-overlay") in names


def test_ray_is_behind_a_token_and_a_policy_and_no_secret_is_in_the_manifest() -> None:
    containers = [container for pod in pods() for container in pod["containers"]]
    assert all(in_pod(container)["RAY_AUTH_MODE"] == "token" for container in containers)
    assert all(in_pod(container)["RAY_AUTH_TOKEN"] is None for container in containers)
    policies = {one["metadata"]["name"]: one["spec"] for one in KUBERAY if one["kind"] == "NetworkPolicy"}
    cluster = {"matchLabels": {"ray.io/cluster": "streaming-overlay"}}
    assert policies["streaming-overlay-ray"]["podSelector"] == cluster
    assert policies["streaming-overlay-ray"]["ingress"] == [{"from": [{"podSelector": cluster}]}]
    assert policies["streaming-overlay-api"]["ingress"] == [
        {"ports": [{"port": Settings.model_fields["port"].default}]}
    ]
    assert not [one for one in KUBERAY if one["kind"] == "Secret"]


def test_every_setting_in_the_files_exists() -> None:
    settings = {name.upper() for name in Settings.model_fields}
    [config] = [one["data"] for one in KUBERAY if one["kind"] == "ConfigMap"]
    Settings(**{name.lower(): value for name, value in config.items()})
    named = set(config) | set(variables(FRONT_END)) | set(variables(HEAD)) | set(variables(WORKER))
    assert {name for name in named if not name.startswith("RAY_")} - settings == {"PYTHONPATH"}
    assert variables(FRONT_END)["STREAM_BACKEND"] == config["STREAM_BACKEND"] == "ray"
    assert variables(FRONT_END)["STATE_FILE"] == config["STATE_FILE"] == ""


def test_one_machine_needs_no_ray() -> None:
    plain, cluster = ((ROOT / name).read_text() for name in ("requirements.txt", "requirements-cluster.txt"))
    assert re.findall(r"(?m)^ray\b", plain) == []
    assert re.findall(r"(?m)^(-r requirements.txt|ray)\b", cluster) == ["-r requirements.txt", "ray"]
    assert "\nARG REQUIREMENTS=requirements.txt\n" in DOCKERFILE
    version = re.findall(r"(?m)^ray~=(\d+\.\d+)", cluster)
    assert CLUSTER["rayVersion"].startswith(version[0])


def test_the_image_has_what_the_cluster_needs() -> None:
    let_in = (ROOT / ".dockerignore").read_text().splitlines()
    assert {"!*.py", "!deploy/__init__.py", "!deploy/drain.py", "!requirements-cluster.txt"} <= set(let_in)


def test_what_the_document_names_exists() -> None:
    for link in re.findall(r"\]\(((?!http)[^)#]+)", DOCS):
        assert (ROOT / "docs" / link).is_file(), link
    for path in re.findall(r"\b(?:deploy|docs)/[\w.-]+\.\w+|requirements[\w-]*\.txt", DOCS):
        assert (ROOT / path).is_file(), path
    for module in re.findall(r"-m (deploy\.\w+)", DOCS + WORKER):
        assert (ROOT / f"{module.replace('.', '/')}.py").is_file(), module
    settings = {name.upper() for name in Settings.model_fields}
    said = {name for name in re.findall(r"`([A-Z]+_[A-Z_]+)(?:=[^`]*)?`", DOCS) if not name.startswith("RAY_")}
    assert said - settings == set()
