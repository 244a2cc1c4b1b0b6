"""`make demo-cluster`: a node is killed, its stream comes back, and nothing is left at the end."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageStat

from tests.service import ROOT, run_demo, started_with
from tests.waiting import eventually

OUT = ROOT / "demo" / "out"
LIMIT_S = 200
# Of brightness: a black or uniform picture has hardly any.
LEAST_SPREAD = 20


@pytest.fixture
def temp() -> Iterator[Path]:
    """A folder with a short path, unlike pytest's own, because Ray puts sockets into it."""
    with tempfile.TemporaryDirectory(prefix="demo-", dir="/tmp") as folder:
        yield Path(folder)


@pytest.mark.timeout(LIMIT_S + 40)
def test_the_stream_of_a_killed_node_comes_back_on_another_one(temp: Path) -> None:
    ended = run_demo("demo.cluster", temp, 1, LIMIT_S)
    said = ended.stdout
    assert ended.returncode == 0, said + ended.stderr
    killed = re.search(r"node (n\d) is killed", said)
    assert killed, said
    back = re.search(rf"(ground-\d) is back: from {killed[1]} to (n\d) in [\d.]+ s", said)
    assert back, said
    assert back[2] != killed[1]
    assert re.search(rf"{back[1]} +{killed[1]} +reconnecting +\S", said), said
    assert f'"from_node": "{killed[1]}",\n      "to_node": "{back[2]}"' in said
    for number in (1, 2, 3):
        with Image.open(OUT / f"ground-{number}.png") as picture:
            assert picture.size == (854, 480)
            assert ImageStat.Stat(picture.convert("L")).stddev[0] > LEAST_SPREAD
    assert list((OUT / "logs").glob("worker-*.err")), "the logs of the streams are kept"
    eventually(lambda: not started_with(temp), 5, f"no process is left: {started_with(temp)}")
    assert list(temp.iterdir()) == []
