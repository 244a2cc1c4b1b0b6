"""The files in `deploy/`: systemd, nginx and hadolint check them, and the settings that they set must exist."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from fnmatch import fnmatch
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml

from app import create_app
from config import Settings
from deploy import rtmp_server
from deploy.rtmp_server import free_port, module_path, nginx_path
from tests.conftest import SettingsFactory

ROOT = Path(__file__).resolve().parents[3]
DEPLOY = ROOT / "deploy"
UNIT = (DEPLOY / "streaming-overlay.service").read_text()
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SECRET = "0123456789abcdef"


def check(*argv: str) -> None:
    """Run a checker, which must find nothing."""
    ended = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout + ended.stderr


@pytest.fixture(params=[[], ["gpu"], ["ray"]], ids=["plain", "with the graphics card", "on a cluster"])
def unit(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The unit with drop-ins, as if this checkout were the one in /opt."""
    path = tmp_path / "streaming-overlay.service"
    python = f"{sys.executable} {ROOT}/app.py"
    started = UNIT.replace("/opt/streaming-overlay/.venv/bin/python /opt/streaming-overlay/app.py", python)
    assert python in started
    path.write_text(started)
    for name in request.param:
        folder = tmp_path / "streaming-overlay.service.d"
        folder.mkdir()
        (folder / f"{name}.conf").write_text((DEPLOY / f"streaming-overlay-{name}.conf").read_text())
    return path


def test_systemd_accepts_the_unit(unit: Path) -> None:
    check("systemd-analyze", "--man=no", "verify", str(unit))


def test_systemd_finds_the_unit_well_protected(unit: Path) -> None:
    # Unprotected it would be 9.6 of 10. The graphics card costs 0.4, a cluster less.
    check("systemd-analyze", "--no-pager", "security", "--offline=true", "--threshold=20", str(unit))


def test_the_unit_waits_longer_than_the_service_takes_to_end() -> None:
    stop_s = int(re.findall(r"^TimeoutStopSec=(\d+)$", UNIT, re.MULTILINE)[0])
    grace_s = int(COMPOSE["services"]["service"]["stop_grace_period"].removesuffix("s"))
    assert min(stop_s, grace_s) > 6


@pytest.mark.parametrize("name", ["nginx.conf", "nginx-container.conf"])
def test_nginx_accepts_its_configuration(tmp_path: Path, name: str) -> None:
    local = {
        "/tmp/": f"{tmp_path}/",
        "/usr/lib/nginx/modules/ngx_rtmp_module.so": str(module_path("rtmp")),
        "/usr/lib/nginx/modules/ngx_stream_module.so": str(module_path("stream")),
        "/run/nginx.pid": f"{tmp_path}/nginx.pid",
        "/var/log/nginx/error.log": f"{tmp_path}/error.log",
        "${HOOK_SECRET}": SECRET,
        "${ALLOW_PLAY}": "allow play 172.30.93.10;",
    }
    text = (DEPLOY / name).read_text()
    for shipped, here in local.items():
        text = text.replace(shipped, here)
    config = tmp_path / "nginx.conf"
    config.write_text(text)
    argv = [nginx_path(), "-t", "-q", "-e", "stderr", "-p", str(tmp_path), "-c", str(config)]
    ended = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr


def test_both_nginx_files_accept_cameras_in_the_same_way() -> None:
    host, container = (
        re.sub(r"\s*#.*", "", (DEPLOY / name).read_text()).partition("rtmp {")[2].partition("http {")[0].split()
        for name in ("nginx.conf", "nginx-container.conf")
    )
    container.remove("${ALLOW_PLAY}")
    assert host == container
    assert "http://127.0.0.1:1936/hooks/publish;" in host


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    check(str(Path(sys.executable).parent / "hadolint"), str(DEPLOY / "Dockerfile"))


def test_the_images_do_not_run_as_root_and_contain_no_settings_or_keys() -> None:
    stages = re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)[1:]
    run = [stage for stage in stages if re.search(r"^CMD ", stage, re.MULTILINE)]
    assert [re.findall(r"^USER (\d+)$", stage, re.MULTILINE) for stage in run] == [["33"], ["10001"]]
    assert all(re.search(r"^HEALTHCHECK ", stage, re.MULTILINE) for stage in run)
    first, *let_in = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] not in ("", "#")]
    assert first == "*"

    def is_sent(name: str) -> bool:
        return any(fnmatch(name, line.removeprefix("!")) for line in let_in)

    assert is_sent("app.py")
    kept_back = (".env", "deploy/.env", "streams.json", ".git/config", ".venv/pyvenv.cfg", "logs/application.log")
    assert [name for name in kept_back if is_sent(name)] == []


def test_the_health_check_asks_what_the_service_answers_without_a_token(settings_with: SettingsFactory) -> None:
    [path] = re.findall(r"127\.0\.0\.1:\{[^}]+\}(/\w+)", DOCKERFILE)
    client = create_app(settings_with(api_token="0123456789abcdef")).test_client()
    assert client.get(path).status_code == 200


def test_the_compose_file_builds_what_the_dockerfile_has_and_asks_for_the_secrets() -> None:
    services = COMPOSE["services"]
    stages = set(re.findall(r"^FROM \S+ AS (\w+)$", DOCKERFILE, re.MULTILINE))
    for service in services.values():
        build = service["build"]
        assert (DEPLOY / build["context"] / build["dockerfile"]).resolve() == DEPLOY / "Dockerfile"
        assert build["target"] in stages
        assert service["environment"]["HOOK_SECRET"].startswith("${HOOK_SECRET:?")
        assert (service["read_only"], service["cap_drop"], service["restart"]) == (True, ["ALL"], "unless-stopped")
    assert services["service"]["environment"]["API_TOKEN"].startswith("${API_TOKEN:?")
    mounts = dict(volume.split(":") for volume in services["service"]["volumes"])
    assert set(mounts) == set(COMPOSE["volumes"])
    assert [folder for folder in mounts.values() if f'"{folder}"' not in DOCKERFILE] == []
    assert services["service"]["environment"]["RTMP_SERVER"] == "rtmp://rtmp:1935/live"
    address = services["service"]["networks"]["default"]["ipv4_address"]
    assert services["rtmp"]["environment"]["PLAY_ALLOWED_FROM"] == address
    assert ip_address(address) in ip_network(COMPOSE["networks"]["default"]["ipam"]["config"][0]["subnet"])


def test_the_container_lets_the_addresses_of_the_setting_play() -> None:
    [command] = [json.loads(line.removeprefix("CMD ")) for line in DOCKERFILE.splitlines() if "envsubst" in line]
    assignment = command[-1].partition(" envsubst")[0]
    for value, lines in (("", ""), ("192.0.2.7", "allow play 192.0.2.7;")):
        told = subprocess.run(
            ["sh", "-c", f'{assignment}; printf %s "$ALLOW_PLAY"'],
            env={"PLAY_ALLOWED_FROM": value, "PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
        assert told.stdout == lines
    assert "$ALLOW_PLAY'" in command[-1]


def test_every_variable_that_is_set_is_a_setting() -> None:
    settings = {name.upper() for name in Settings.model_fields}
    unit = re.findall(r"^Environment=(\w+)=", UNIT, re.MULTILINE)
    image = re.findall(r"(\w+)=", "".join(re.findall(r"^ENV (?:.*\\\n)*.*", DOCKERFILE, re.MULTILINE)))
    compose = [name for service in COMPOSE["services"].values() for name in service["environment"]]
    assert {"STATE_FILE", "LOG_DIR"} == set(unit) == set(image) - {"PORT"}
    assert [name for name in (*unit, *image, *compose) if name not in settings] == []


def test_a_free_port_is_given_once_and_is_none_that_the_kernel_gives_out() -> None:
    first_of_kernel = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    given = [free_port() for _ in range(50)]
    assert len(set(given)) == 50
    assert first_of_kernel != 32768 or max(given) < first_of_kernel


def test_a_port_in_use_is_not_free(monkeypatch: pytest.MonkeyPatch) -> None:
    taken, free = free_port(), free_port()
    monkeypatch.setattr(rtmp_server, "_ports", iter([taken, free]))
    with socket.create_server(("127.0.0.1", taken)):
        assert free_port() == free


class BareMachine:
    """A checkout whose `setup.sh` finds only the given programs, and all libraries that tests need except one."""

    def __init__(self, folder: Path) -> None:
        self.programs, self.checkout = folder / "bin", folder / "checkout"
        for made in (self.programs, self.checkout / "deploy", self.checkout / ".venv/bin"):
            made.mkdir(parents=True)
        shutil.copy(DEPLOY / "setup.sh", self.checkout / "deploy")
        for requirements in ROOT.glob("requirements*.txt"):
            shutil.copy(requirements, self.checkout)
        for name in ("cat", "cksum", "cut", "dirname", "env", "grep", "mktemp", "rm", "sed", "touch", "tr"):
            self.programs.joinpath(name).symlink_to(str(shutil.which(name)))
        for name in (
            "ffmpeg",
            "ffprobe",
            "nginx",
            "curl",
            "setpriv",
            "systemd-analyze",
            "python3",
            "chromium",
            "openssl",
        ):
            self.has(name)
        self.has("id", "echo 0")
        self.has("dpkg-query", "printf installed")
        self.has_libraries("libfribidi.so.0", "libstdc++.so.6")

    def has(self, name: str, script: str = "exit 0") -> None:
        self._write(self.programs / name, script)

    def has_libraries(self, *names: str) -> None:
        self.has("ldconfig", "\n".join(f"echo '{name} (libc6) => /lib/{name}'" for name in names))

    def has_pip(self, script: str = "exit 0", *, is_installed: bool = False) -> None:
        """A .venv whose pip runs this script; `is_installed` says whether its packages can be imported."""
        self._write(
            self.checkout / ".venv/bin/python",
            f'case "$*" in *--version) exit 0 ;; *"import flask"*) exit {int(not is_installed)} ;; esac\n{script}',
        )

    def set_up(self) -> tuple[int, str]:
        ended = subprocess.run(
            ["/bin/sh", str(self.checkout / "deploy/setup.sh"), "dev"],
            env={"PATH": str(self.programs)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return ended.returncode, ended.stderr

    @staticmethod
    def _write(path: Path, script: str) -> None:
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)


@pytest.fixture
def bare(tmp_path: Path) -> BareMachine:
    return BareMachine(tmp_path)


NO_ROOT = {"id": "echo 1000", "apt-get": "exit 9"}


@pytest.mark.parametrize(
    ("programs", "said"),
    [
        ({}, "there is no apt-get: these are Debian's names, install them with your system's installer"),
        (NO_ROOT, 'you are not root: run "apt-get install libatomic1" as root'),
        (NO_ROOT | {"sudo": "exit 1"}, 'sudo asks for a password: run "sudo apt-get install libatomic1"'),
    ],
    ids=["no apt-get", "nobody can be root", "sudo wants a password"],
)
def test_setup_says_what_is_missing_before_it_begins(bare: BareMachine, programs: dict[str, str], said: str) -> None:
    for name, script in programs.items():
        bare.has(name, script)
    assert bare.set_up() == (1, f"setup: libatomic1 is missing and {said}\n")


def test_setup_says_what_apt_could_not_install(bare: BareMachine) -> None:
    bare.has("apt-get", "echo 'W: Failed to fetch' >&2; echo 'E: Unable to locate package libatomic1' >&2; exit 100")
    code, said = bare.set_up()
    assert (code, said.splitlines()) == (
        1,
        [
            "setup: installing libatomic1",
            "setup: apt-get could not install libatomic1 (Failed to fetch)."
            ' Fix that, then run "apt-get update && apt-get install libatomic1"',
        ],
    )


def test_setup_installs_again_after_an_upgrade_is_undone(bare: BareMachine) -> None:
    bare.has_libraries("libfribidi.so.0", "libstdc++.so.6", "libatomic.so.1")
    bare.has_pip(is_installed=True)
    installs = (0, "setup: installing Python packages into .venv\n")
    requirements = bare.checkout / "requirements.txt"
    before = requirements.read_text()
    assert [bare.set_up(), bare.set_up()] == [installs, (0, "")]
    requirements.write_text(before + "another\n")
    assert [bare.set_up(), bare.set_up()] == [installs, (0, "")]
    requirements.write_text(before)
    assert [bare.set_up(), bare.set_up()] == [installs, (0, "")]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("WARNING: Retrying after NewConnectionError", "the package index cannot be reached"),
        ("ERROR: No matching distribution found for flask~=3.1", "No matching distribution found for flask~=3.1"),
    ],
)
def test_setup_says_what_pip_could_not_install(bare: BareMachine, line: str, why: str) -> None:
    bare.has_libraries("libfribidi.so.0", "libstdc++.so.6", "libatomic.so.1")
    bare.has_pip(f"echo '{line}' >&2; exit 1")
    code, said = bare.set_up()
    assert (code, said.splitlines()[-1]) == (
        1,
        f"setup: pip could not install requirements-dev.txt ({why})."
        ' Fix that, then run ".venv/bin/python -m pip install -r requirements-dev.txt"',
    )
