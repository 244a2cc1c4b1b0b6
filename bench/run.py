"""`make bench`: a short run of every bench, one after the other, each in its own process.

The exit status is 1 if a target was missed or a bench failed. A second run compares
its figures with those of the first. `--only NAME ...` runs some of them.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

from bench.report import ROOT, tell

BENCHES = ("picture", "freshness", "scores", "cost", "capacity", "many", "overlay", "preview", "cluster")
# Shorter than if a bench runs alone.
ARGUMENTS = {
    "scores": ["--polled", "20", "--carried", "30"],
    "overlay": ["--pairs", "20"],
    "preview": ["--rounds", "10"],
}


def main() -> int:
    parser = argparse.ArgumentParser(description="all benches, one after the other")
    parser.add_argument("--only", nargs="+", choices=BENCHES, default=BENCHES, metavar="NAME", help=", ".join(BENCHES))
    parser.add_argument("--document", type=Path, help="write all sections and their plots into this file")
    options = parser.parse_args()
    document = ["--document", str(options.document)] if options.document else []
    statuses = {}
    for name in options.only:
        began_at = time.monotonic()
        tell(f"== {name}")
        argv = [sys.executable, "-m", f"bench.{name}", *ARGUMENTS.get(name, []), *document]
        ended = subprocess.run(argv, cwd=ROOT, stdout=subprocess.DEVNULL, check=False)
        statuses[name] = ended.returncode
        result = "done" if ended.returncode == 0 else "NOT ALL TARGETS MET"
        tell(f"== {name}: {result}, {time.monotonic() - began_at:.0f} s")
    return 1 if any(statuses.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
