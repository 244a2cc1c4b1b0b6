"""A scriptable stand-in for FFmpeg: a real process that does what `script.json` beside it says.

The script maps a role (`compositor`, `slate`, `listener`, `examiner`, `publisher`, `preview`) to any of these:
`stderr` (lines to print), `emit` (a file to copy to stdout), `follow` (a file to copy as it grows;
`{pid}` in its name is replaced by the process id), `exit` (end at once with this status),
`ignore_signals`, `ignore_eof`, `wedged` (a publisher that never reads), `obeys` (do what is appended
to `orders-PID`, one line each: `say TEXT` on stderr, `take BYTES` of the input, `exit STATUS`). One
publisher of several is scripted as `publisher SERVER_URL`. A `preview` answers each keyframe on stdin
with the first and last bytes of a JPEG around it, unless the keyframe contains `broken`.

Each run adds a line to `lives.jsonl`; what a publisher receives goes to `received-PID`. Options are
taken from preset files, unless there is a file `no-presets` beside the script.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

ACCESS_UNIT = b"\0\0\0\1\x09\xf0"


def main(folder: Path, argv: list[str]) -> int:
    role, pid = _role(argv), os.getpid()
    scripts = json.loads((folder / "script.json").read_text())
    script = scripts.get(f"{role} {argv[-1] if argv else None}", scripts.get(role, {}))
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP) if script.get("ignore_signals") else ():
        signal.signal(number, signal.SIG_IGN)
    preset = Path(argv[argv.index("-fpre") + 1]).read_text() if "-fpre" in argv else None
    with (folder / "lives.jsonl").open("a") as lives:
        lives.write(json.dumps({"role": role, "pid": pid, "argv": argv, "preset": preset}) + "\n")
    for line in script.get("stderr", []):
        print(line, file=sys.stderr, flush=True)
    if script.get("obeys"):
        threading.Thread(target=_obey, args=(folder / f"orders-{pid}",), daemon=True).start()
    if emit := script.get("emit"):
        sys.stdout.buffer.write(Path(emit).read_bytes())
        sys.stdout.flush()
    if follow := script.get("follow"):
        _follow(Path(follow.replace("{pid}", str(pid))))
    if "exit" in script:
        return int(script["exit"])
    if role in ("preview", "publisher") and not script.get("wedged"):
        _take_all(role, folder / f"received-{pid}")
        if not script.get("ignore_eof"):
            return 0
    while True:
        time.sleep(60)


def _role(argv: list[str]) -> str:
    if "mjpeg" in argv:
        return "preview"
    if "flv" in argv:
        return "publisher"
    if "data" in argv:
        return "examiner"
    if "framecrc" in argv:
        return "listener"
    return "slate" if any(word.startswith("color=") for word in argv) else "compositor"


def _take_all(role: str, received: Path) -> None:
    if role == "preview":
        _picture(sys.stdin.buffer.read())
    else:
        _receive(received)


def _picture(keyframes: bytes) -> None:
    for keyframe in keyframes.split(ACCESS_UNIT)[1:]:
        if b"broken" not in keyframe:
            sys.stdout.buffer.write(b"\xff\xd8" + keyframe + b"\xff\xd9")


def _obey(path: Path) -> None:
    rest = b""
    for data in _appended(path):
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            order, _, what = line.decode().partition(" ")
            if order == "say":
                print(what, file=sys.stderr, flush=True)
            elif order == "take":
                _take(int(what))
            elif order == "exit":
                os._exit(int(what))


def _take(size: int) -> None:
    while size > 0 and (data := os.read(0, size)):
        size -= len(data)


def _follow(path: Path) -> None:
    """Copy to stdout whatever is appended to the file, without end."""
    for data in _appended(path):
        sys.stdout.buffer.write(data)
        sys.stdout.flush()


def _appended(path: Path) -> Iterator[bytes]:
    path.touch()
    with path.open("rb") as file:
        while True:
            if data := file.read():
                yield data
            else:
                time.sleep(0.002)


def _receive(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        while data := os.read(0, 65536):
            file.write(data)


if __name__ == "__main__":
    here, arguments = Path(sys.argv[1]), sys.argv[2:]
    if arguments[-2:] == ["-h", "long"]:
        sys.exit(0)
    if "hash" in arguments:
        print("SHA256=0" if (here / "no-presets").exists() else "MD5=0")
        sys.exit(0)
    sys.exit(main(here, arguments))
