from __future__ import annotations

import struct
from dataclasses import replace
from typing import Any

import pytest

from bench.cluster import (
    BUNCH_US,
    KEPT_FREE_MB,
    NEED,
    NODES,
    Climb,
    Point,
    _report,
    affordable,
    answered_share,
    bunched,
    cpus_for,
    mb_a_stream,
)


class Options:
    callers = 8
    carried = 10
    awake = 100


def status(reason: str | None) -> dict[str, Any]:
    return {"name": "s", "reason": reason}


def point(streams: int) -> Point:
    return Point(
        streams,
        [1.0, 2.0, 3.0],
        6.0,
        list_ms=[3.0, 4.0],
        statuses_ms=[10.0, 20.0],
        answered=[1.0, 0.5],
        pss_mb=[60.0],
        uss_mb=[58.0],
        taken_mb=1024.0,
        threads=46,
        spread={"node-1": streams - 2, "node-2": 2},
    )


def test_a_bunch_is_due_at_its_beginning_and_keeps_its_bytes() -> None:
    index = [(0, 10), (33_333, 20), (BUNCH_US - 1, 30), (BUNCH_US, 40), (2 * BUNCH_US + 5, 50)]
    told = bunched(b"".join(struct.pack("=II", *entry) for entry in index), BUNCH_US)
    assert list(struct.iter_unpack("=II", told)) == [
        *((0, 10), (0, 20), (0, 30)),
        *((BUNCH_US, 40), (2 * BUNCH_US, 50)),
    ]


@pytest.mark.parametrize(
    ("free_mb", "expected"),
    [(KEPT_FREE_MB + 5000, 50), (KEPT_FREE_MB + 1650, 36), (KEPT_FREE_MB, 20), (0.0, 20)],
)
def test_no_more_streams_than_memory_has_room_for(free_mb: float, expected: int) -> None:
    assert affordable(50, running=20, mb_each=100.0, free_mb=free_mb) == expected


def test_nodes_have_room_for_more_than_their_part() -> None:
    cpus = cpus_for(500, len(NODES))
    assert cpus * len(NODES) > 1.2 * 500 * NEED


def test_what_a_front_end_only_remembers_is_no_answer_from_the_stream() -> None:
    reasons = [
        None,
        "the camera has not come yet",
        "its process on node node-1 does not answer",
        "node node-1 is gone: it is begun on another one",
        "The cluster's head does not answer; streams go on without it",
    ]
    assert answered_share([status(reason) for reason in reasons], 5) == pytest.approx(0.4)


def test_streams_that_are_not_listed_have_not_answered() -> None:
    assert answered_share([status(None)], 4) == pytest.approx(0.25)


def test_only_successful_starts_count() -> None:
    assert point(50).starts_a_second == pytest.approx(0.5)
    assert Point(0, [], 0.0).starts_a_second == 0


def test_memory_is_what_each_additional_stream_takes() -> None:
    assert mb_a_stream([point(50), replace(point(100), taken_mb=1024.0 + 50 * 62)]) == pytest.approx(62)
    assert mb_a_stream([point(64)]) == pytest.approx(16)


def test_the_report_has_the_curve_its_end_and_the_lost_nodes() -> None:
    climb = Climb([point(50), point(100)], "memory is full with 100", ["500 no", "500 no"], [0.1, 0.2], 5.0)
    report = _report(climb, {"Ray by default": [16.0, 17.0]}, Options())
    found = {figure.what: figure for figure in report.figures}
    assert found["streams at once"].value == 100
    assert found["streams at once"].why == "memory is full with 100"
    assert found["calls that failed"].verdict == "missed"
    assert found["calls that failed"].why == "2 × 500 no"
    assert found["difference between the fullest and the emptiest node, streams"].value == 96
    assert found["a node with 10 streams is killed, health check as in Ray by default: all answer again"].value == 16.5
    rows = [line for line in report.lines if line.startswith(("| 50 |", "| 100 |"))]
    assert len(rows) == 2
    assert "| 48, 2 |" in rows[0]
    assert len({line.count("|") for line in report.lines if line}) == 1


def test_sleeping_streams_are_not_asked_for_their_status() -> None:
    asleep = replace(point(500), statuses_ms=[], answered=[])
    report = _report(Climb([point(50), point(100), asleep]), {}, Options())
    found = {figure.what: figure for figure in report.figures}
    assert found["/list_streams, 500 streams"].value == 3.5
    assert "/streams, 100 streams" in found
    assert "/streams, 500 streams" not in found
    [row] = [line for line in report.lines if line.startswith("| 500 |")]
    assert row.count("| – |") + row.count(" – | –") >= 2
