"""A scriptable stand-in for FFmpeg: a real process that does what `script.json` beside it says.

The script maps a role (`compositor`, `slate`, `publisher`) to: `stderr` (lines to
print), `emit` (a file to copy to stdout), `follow` (a file to copy as it grows), `exit` (status to end with at once),
`ignore_signals`, `ignore_eof`, `wedged` (a publisher that never reads). It notes each life in `lives.jsonl` and what a
publisher receives in `received-PID`. It takes options from preset files unless
a file `no-presets` stands beside it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path


def main(folder: Path, argv: list[str]) -> int:
    is_slate = any(word.startswith("color=") for word in argv)
    role = "publisher" if "flv" in argv else "slate" if is_slate else "compositor"
    script = json.loads((folder / "script.json").read_text()).get(role, {})
    if script.get("ignore_signals"):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
    preset = Path(argv[argv.index("-fpre") + 1]).read_text() if "-fpre" in argv else None
    with (folder / "lives.jsonl").open("a") as lives:
        lives.write(json.dumps({"role": role, "pid": os.getpid(), "argv": argv, "preset": preset}) + "\n")
    for line in script.get("stderr", []):
        print(line, file=sys.stderr, flush=True)
    if emit := script.get("emit"):
        sys.stdout.buffer.write(Path(emit).read_bytes())
        sys.stdout.flush()
    if follow := script.get("follow"):
        _follow(Path(follow))
    if "exit" in script:
        return int(script["exit"])
    if role == "publisher" and not script.get("wedged"):
        _receive(folder / f"received-{os.getpid()}")
        if not script.get("ignore_eof"):
            return 0
    while True:
        time.sleep(60)


def _follow(path: Path) -> None:
    """Copy to stdout what is appended to the file, for good."""
    with path.open("rb") as file:
        while True:
            sys.stdout.buffer.write(file.read())
            sys.stdout.flush()
            time.sleep(0.01)


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
