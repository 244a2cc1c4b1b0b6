"""`make run`: the service with the user's settings, and nginx-rtmp if it is needed.

It is needed if RTMP_SERVER is on this machine and nothing listens there.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import app
from config import ENV_FILE, load_settings
from deploy.rtmp_server import RtmpServer, RtmpServerError, listens
from errors import ConfigurationError

RTMP_PORT = 1935
FIRST_SETTINGS = """\
# Settings of the service. All of them are in docs/settings.md; lines that begin with # do nothing.

# There is no match API: the score comes by push. If your club has one, put its address here.
OVERLAY_API_BASE=
OVERLAY_IMAGE_BASE=

# Running streams come back after a restart.
STATE_FILE=logs/streams.json

# Without a token anybody who reaches the service can start and stop streams. `openssl rand -hex 16` makes one.
#API_TOKEN=

# 25 for cameras in PAL countries: 720p25. For thin uplinks: 480p30.
#OUTPUT_PROFILE=720p30
"""


def main() -> None:
    app.on_end_signal(_leave)  # until the service handles signals itself
    if not os.path.lexists(ENV_FILE) and "OVERLAY_API_BASE" not in os.environ:
        _write_first_settings(Path(ENV_FILE))
    try:
        settings = load_settings()
    except ConfigurationError as error:
        sys.exit(str(error))
    address = urlsplit(settings.rtmp_server)
    port = address.port or RTMP_PORT
    host = address.hostname or ""
    if address.scheme != "rtmp" or not _is_this_machine(host) or listens(host, port):
        app.main()
        return
    with tempfile.TemporaryDirectory(prefix="overlay-nginx-") as folder:
        try:
            # Cameras come from outside, so it listens on all addresses.
            hooks = f"127.0.0.1:{settings.port}"
            server = RtmpServer(
                Path(folder),
                "::" if ":" in host else "0.0.0.0",
                port,
                [address.path.strip("/")],
                hooks,
                players=settings.play_allowed_from,
            )
        except RtmpServerError as error:
            sys.exit(f"RTMP_SERVER: {error}")
        try:
            print(
                f"nginx-rtmp listens on port {port}: cameras publish to rtmp://THIS-MACHINE:{port}{address.path}/NAME",
                flush=True,
            )
            app.main()
        finally:
            server.close()


def _write_first_settings(path: Path) -> None:
    """For a machine without settings. Most clubs have no match API, and a stream should survive a restart."""
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(FIRST_SETTINGS)
    except OSError as error:
        print(f"{path} cannot be written: {error.strerror}; the defaults of docs/settings.md are used", flush=True)
        return
    print(f"{path} is new: it switches the match API off. Look into it, and change what you like", flush=True)


def _leave(_number: int) -> None:
    raise SystemExit


def _is_this_machine(host: str) -> bool:
    """True if an IPv4 address of `host` belongs to this machine. Only then can a socket be bound to it."""
    try:
        addresses = {info[4][0] for info in socket.getaddrinfo(host, None, socket.AF_INET)}
    except OSError:
        return False
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for address in addresses:
            with contextlib.suppress(OSError):
                probe.bind((address, 0))
                return True
    return False


if __name__ == "__main__":
    main()
