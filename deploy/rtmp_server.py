"""nginx with its RTMP module as a child process, for `make run`, the demo and the tests."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from relay.process import dies_with_its_parent

MODULE_FOLDERS = (Path("/usr/lib/nginx/modules"), Path("/usr/share/nginx/modules"))
_APPLICATION = re.compile(r"[A-Za-z0-9_-]{1,64}")
# Below the ports that Linux gives out by itself (ip_local_port_range begins at 32768).
PORTS = range(20000, 32768)
START_LIMIT_S = 10.0
MAX_CONNECTIONS_PER_ADDRESS = 100
STOP_LIMIT_S = 10.0


class RtmpServerError(Exception):
    """nginx or its RTMP module is missing, or nginx does not start. The message says which."""


class RtmpServer:
    """One nginx with RTMP applications on one port. `close()` ends it. Its files go to `folder`.

    Cameras publish to the first application, unless it `is_destination`. `hooks` is the address
    (`HOST:PORT`) of the service whose hooks are called for that application. This machine may play
    the cameras' pictures, and so may the addresses and networks in `players`.
    """

    def __init__(
        self,
        folder: Path,
        host: str,
        port: int,
        applications: Sequence[str],
        hooks: str | None = None,
        *,
        players: Sequence[str] = (),
        is_destination: bool = False,
    ) -> None:
        self.port = port
        self.error_log = folder / "nginx.log"
        config = folder / "nginx.conf"
        config.write_text(
            rtmp_config(folder, host, port, applications, hooks, players=players, is_destination=is_destination)
        )
        self._process = subprocess.Popen(
            # The master tells its workers to end, which it could not do after SIGKILL.
            dies_with_its_parent(
                [nginx_path(), "-p", str(folder), "-c", str(config), "-e", str(self.error_log)], "TERM"
            ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            self._await_listening(host)
        except BaseException:
            self.close()
            raise

    def _await_listening(self, host: str) -> None:
        deadline = time.monotonic() + START_LIMIT_S
        while not listens({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), self.port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                reason = self.error_log.read_text(errors="replace").strip() if self.error_log.exists() else ""
                raise RtmpServerError(f"nginx does not listen on port {self.port}: {reason or 'it says nothing'}")
            time.sleep(0.05)

    def close(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)  # a remaining worker would keep the port
            self._process.wait()


def rtmp_config(
    folder: Path,
    host: str,
    port: int,
    applications: Sequence[str],
    hooks: str | None = None,
    *,
    players: Sequence[str] = (),
    is_destination: bool = False,
) -> str:
    """The shipped `nginx.conf` with these addresses, applications and files, and hooks only if `hooks` is given."""
    for name in applications:
        if not _APPLICATION.fullmatch(name):
            raise RtmpServerError(f"{name!r} cannot be the name of an RTMP application")
    hook_port = free_port() if hooks else 0
    first, *others = applications
    rules = "" if is_destination else _camera_rules(players)
    blocks = [_application(first, rules + (_hooks(hook_port) if hooks else "")), *map(_application, others)]
    connect = ""
    if hooks and not is_destination and not others:  # nginx asks before it knows which application is meant
        connect = f"\n        on_connect http://127.0.0.1:{hook_port}/hooks/connect;"
    modules, listen, front = [module_path("rtmp")], _listen(host, port), ""
    if has_front():
        inner_port = free_port()
        modules.append(module_path("stream"))
        listen, front = f"127.0.0.1:{inner_port} proxy_protocol", _front(listen, inner_port)
    loads = "\n".join(f"load_module {path};" for path in modules)
    return f"""{loads}
daemon off;
worker_processes 1;
worker_rlimit_nofile 16384;
pid "{folder}/nginx.pid";
error_log "{folder}/nginx.log" warn;

events {{
    worker_connections 8192;
}}

rtmp {{
    access_log off;
    server {{
        listen {listen};
        chunk_size 4096;
        max_message 8M;{connect}
{"".join(blocks)}    }}
}}
{front}{_hook_gate(folder, hook_port, hooks) if hooks else ""}"""


def has_front() -> bool:
    """False without nginx's stream module: then nothing limits the connections of one address."""
    return any((folder / "ngx_stream_module.so").is_file() for folder in MODULE_FOLDERS)


def _listen(host: str, port: int) -> str:
    """As nginx spells it. All IPv6 addresses are all IPv4 addresses, too."""
    return f"[{host}]:{port} ipv6only={'off' if host == '::' else 'on'}" if ":" in host else f"{host}:{port}"


def _front(listen: str, inner_port: int) -> str:
    """Where cameras connect: nginx-rtmp itself cannot limit the connections of one address."""
    return f"""
stream {{
    geo $is_counted {{
        default 1;
        127.0.0.1 0;
        ::1 0;
    }}
    map $is_counted $counted_address {{
        1 $binary_remote_addr;
        default "";
    }}
    limit_conn_zone $counted_address zone=cameras:2m;
    limit_conn_log_level info;

    server {{
        listen {listen};
        limit_conn cameras {MAX_CONNECTIONS_PER_ADDRESS};
        proxy_protocol on;
        proxy_connect_timeout 5s;
        proxy_pass 127.0.0.1:{inner_port};
    }}
}}
"""


def _application(name: str, rules: str = "") -> str:
    return f"""
        application {name} {{
            live on;
            record off;{rules}
        }}
"""


def _camera_rules(players: Sequence[str]) -> str:
    allowed = "".join(f"\n            allow play {player};" for player in ("127.0.0.1", "::1", *players))
    return f"""
            drop_idle_publisher 5s;{allowed}
            deny play all;"""


def _hooks(port: int) -> str:
    return f"""
            on_publish http://127.0.0.1:{port}/hooks/publish;
            on_publish_done http://127.0.0.1:{port}/hooks/publish_done;
            on_update http://127.0.0.1:{port}/hooks/update;
            notify_update_timeout 10s;"""


def _hook_gate(folder: Path, port: int, service: str) -> str:
    """nginx-rtmp turns cameras away while its hook does not answer. This part accepts them when the service is down."""
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temp_paths = "".join(f'    {kind}_temp_path "{folder}";\n' for kind in kinds)
    return f"""
http {{
    access_log off;
{temp_paths}
    server {{
        listen 127.0.0.1:{port};

        location /hooks/ {{
            proxy_pass http://{service};
            proxy_connect_timeout 1s;
            proxy_read_timeout 3s;
            error_page 500 502 503 504 = @open;
            proxy_intercept_errors on;
        }}
        location @open {{
            return 204;
        }}
    }}
}}
"""


def listens(host: str, port: int) -> bool:
    """True if something accepts connections there."""
    with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=1):
        return True
    return False


def free_port() -> int:
    """A TCP port on loopback that nobody listens on now, a different one with each call.

    A port that the kernel chooses might be given to another process before the caller uses it: the
    processes of a Ray node ask for dozens of ports.
    """
    for port in itertools.islice(_ports, len(PORTS)):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise OSError(f"no port from {PORTS.start} to {PORTS.stop - 1} is free")


def _from_anywhere(ports: range) -> Iterator[int]:
    """All ports again and again. Each process begins at a different one, even if a test has set a seed."""
    first = random.SystemRandom().randrange(len(ports))
    return itertools.cycle([*ports[first:], *ports[:first]])


_ports = _from_anywhere(PORTS)


def nginx_path() -> str:
    """The path of nginx. Raises RtmpServerError if it is not installed."""
    path = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if path is None:
        raise RtmpServerError("nginx is not installed: apt-get install nginx libnginx-mod-rtmp")
    return path


def module_path(kind: str) -> Path:
    """The path of nginx's module `rtmp` or `stream`. Raises RtmpServerError if it is not installed."""
    for folder in MODULE_FOLDERS:
        path = folder / f"ngx_{kind}_module.so"
        if path.is_file():
            return path
    raise RtmpServerError(f"nginx has no {kind.upper()} module: apt-get install libnginx-mod-{kind}")
