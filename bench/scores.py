"""`make bench-scores`: how long a score takes to the overlay, from a named feed and from a file on the scorer's PC.

The service runs as it does for a user, with the slate on air. The score changes at
irregular moments, first in a feed that is polled, then in the file that
`carry_scores.py` watches. Each change draws the overlay once, so the nth new
overlay belongs to the nth change. `--help` has the options.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

from bench.file_watch import FileWatch
from bench.loopback import leave_in_order
from bench.one_stream import NAME, OneStream, one_stream
from bench.report import Figure, Report, finish, parser, tell
from demo.match_feed import Answer
from tests.service import FFMPEG, ROOT, running
from tests.waiting import eventually

POLL_INTERVAL_S = 1.0
POLLED_LIMIT_S = POLL_INTERVAL_S + 0.2
CARRIED_LIMIT_S = 0.7
# Longer than a score may take, so that none is skipped.
POLLED_EVERY_S = (1.45, 2.3)
CARRIED_EVERY_S = (0.9, 1.6)
SETTLE_S = 8.0
# There is a banner at each fifty, and it draws the same score again. So all changes are between two of them.
POLLED_FROM, CARRIED_FROM = 302, 352
SEED = 7


def main() -> int:
    options = _options()
    leave_in_order()
    with tempfile.TemporaryDirectory(prefix="bench-scores-") as name:
        delays = measure(Path(name), options)
    report = Report(
        "Scores from feeds and files",
        [
            f"From a change to the overlay file: of a named feed that is asked every {POLL_INTERVAL_S:g} s, and of a",
            "file that `carry_scores.py` watches on the same machine.",
        ],
        [
            Figure("feed change to overlay file", "s", delays["polled"], "p95", POLLED_LIMIT_S),
            Figure("file change to overlay file", "s", delays["carried"], "p95", CARRIED_LIMIT_S),
        ],
    )
    return finish(report, options.document, FFMPEG)


def _options() -> Namespace:
    made = parser("how long a score takes from a feed or a file to the overlay")
    made.add_argument(
        "--polled",
        type=int,
        choices=range(1, 48),
        metavar="N",
        default=40,
        help="changes of the feed, 1.9 s each (%(default)s)",
    )
    made.add_argument(
        "--carried",
        type=int,
        choices=range(1, 48),
        metavar="N",
        default=45,
        help="changes of the file, 1.2 s each (%(default)s)",
    )
    return made.parse_args()


def measure(folder: Path, options: Namespace) -> dict[str, list[float]]:
    """The seconds from each change to the overlay that shows it."""
    feeds, file = folder / "feeds.toml", folder / "nvplay-scoreboard1.xml"
    settings = {"feeds_file": str(feeds), "allowed_feed_hosts": "127.0.0.1", "data_dir": str(folder / "data")}
    feeds.write_text("")
    with one_stream(folder, **settings) as one:
        feeds.write_text(
            f'[club]\nkind = "own"\nurl = "{one.feed.url}/{{match_id}}"\npoll_interval_s = {POLL_INTERVAL_S}\n'
        )
        one.service.call("POST", "/feeds/reload", {})

        def feed(runs: int) -> None:
            batting = {"name": "Red Valley", "runs": runs, "wickets": 1, "overs": "4.2"}
            one.feed.data = Answer.of({"sport": "cricket", "batting": batting})

        def write(runs: int) -> None:
            new = file.with_suffix(".new")
            new.write_text(json.dumps({"batting_team": "Red Valley", "runs": runs, "wickets": 1, "overs": "4.2"}))
            new.replace(file)

        feed(POLLED_FROM)
        one.service.start(NAME, feed="club")
        one.await_on_air("slate")
        polled = changed(one, feed, options.polled, POLLED_EVERY_S)
        write(CARRIED_FROM)
        argv = [sys.executable, str(ROOT / "web" / "static" / "carry_scores.py"), "--kind", "nv_play"]
        to = ["--to", f"{one.service.url}/streams/{NAME}", "--file", str(file)]
        with running([*argv, *to], env=os.environ | {"NO_PROXY": "*"}, stdout=subprocess.DEVNULL):
            eventually(lambda: one.service.get(f"/streams/{NAME}/match")["source"] == "push", what="the carrier sends")
            carried = changed(one, write, options.carried, CARRIED_EVERY_S)
        one.service.stop(NAME)
    return {"polled": polled, "carried": carried}


def changed(one: OneStream, change: Callable[[int], None], times: int, every_s: tuple[float, float]) -> list[float]:
    """Change the score one run at a time. Returns how long each took to the overlay."""
    randomness = random.Random(SEED)  # noqa: S311 - it must repeat
    first = int(next(word for word in on_screen(one) if "/" in word).partition("/")[0])
    tell(f"{times} scores by {change.__name__}")
    changes: list[float] = []
    time.sleep(SETTLE_S)
    with contextlib.closing(FileWatch(one.overlay_path())) as watch:
        for runs in range(first + 1, first + 1 + times):
            changes.append(time.monotonic())
            change(runs)
            time.sleep(randomness.uniform(*every_s))
        eventually(lambda: len(watch.versions) >= times, what="all scores are drawn")
        drawn = [at for at, _ in watch.versions]

    if len(drawn) != times:
        sys.exit(f"{times} changes, but {len(drawn)} overlays: which belongs to which cannot be told")
    return [at - began for began, at in zip(changes, drawn, strict=True)]


def on_screen(one: OneStream) -> list[str]:
    """The words of the strip."""
    words: list[str] = one.service.get(f"/streams/{NAME}/on_screen").get("words") or []
    return words


if __name__ == "__main__":
    sys.exit(main())
