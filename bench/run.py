"""`make bench`: every bench with its short default, one after the other, each a process of its own.

Ends with 1 when a target was missed or a bench failed. A second run holds its
figures against those of the first. `--only NAME ...` runs some of them.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

from bench.report import ROOT, tell

BENCHES = ("picture", "freshness", "cost", "capacity", "many", "overlay", "preview", "cluster")
# Shorter than when it is run alone.
ARGUMENTS = {"overlay": ["--pairs", "20"], "preview": ["--rounds", "10"]}


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
        tell(f"== {name}: {'done' if ended.returncode == 0 else 'NOT ALL MET'}, {time.monotonic() - began_at:.0f} s")
    return 1 if any(statuses.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
