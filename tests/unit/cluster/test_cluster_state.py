from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest

from cluster.cluster_state import KEPT_MOVES, Head, Record, other_seat, seats
from errors import ClusterUnavailable
from relay.request import StreamRequest
from relay.stream_state import Move
from tests.unit.conftest import destination
from tests.waiting import eventually

AWAY = "The cluster's head does not answer; streams go on without it"
RECORD = Record(StreamRequest("m1", destination()), 50_000.0, "a1", "id1", "n1")


def test_a_head_that_answers_is_believed() -> None:
    assert Head().ask(lambda: 7) == 7


def test_what_a_question_raises_is_raised_to_who_asked() -> None:
    with pytest.raises(ValueError, match="^no such actor$"):
        Head().ask(lambda: _raise(ValueError("no such actor")))


def test_a_head_that_is_away_holds_nobody_up() -> None:
    head, back = Head(), threading.Event()
    began_at = time.monotonic()
    with pytest.raises(ClusterUnavailable, match=AWAY):
        head.ask(back.wait, 0.05)
    assert time.monotonic() - began_at < 10
    back.set()


def test_while_the_head_is_away_nobody_waits_for_it_and_it_is_asked_again_when_it_is_back() -> None:
    head, back = Head(), threading.Event()
    with pytest.raises(ClusterUnavailable, match=AWAY):
        head.ask(back.wait, 0.001)
    asked: list[int] = []
    for _ in range(50):
        with pytest.raises(ClusterUnavailable, match=AWAY):
            head.ask(lambda: asked.append(1))
    assert (asked, [one.name for one in threading.enumerate()].count("ask-head")) == ([], 1)
    back.set()
    eventually(lambda: not [one for one in threading.enumerate() if one.name == "ask-head"])
    assert head.ask(lambda: 7) == 7


@pytest.mark.parametrize("name", ["m1", "m1.", "a-b_c.d"])
def test_a_stream_has_two_seats_that_lead_to_each_other(name: str) -> None:
    first, second = seats(name)
    assert first == name
    assert (other_seat(first), other_seat(second)) == (second, first)


def test_of_many_moves_the_newest_are_kept() -> None:
    record = RECORD
    moves = [Move(f"2026-05-12T17:{minute:02}:00Z", "n1", "n2", "why") for minute in range(30)]
    for move in moves:
        record = record.moved(move)
    assert record == replace(RECORD, moves=tuple(moves[-KEPT_MOVES:]))


def _raise(error: Exception) -> None:
    raise error
