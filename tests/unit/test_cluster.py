from __future__ import annotations

from dataclasses import replace

import pytest

from cluster import _is_all_in_use
from cluster_state import Node

FULL = {name: Node(name, name, True, False, "", 1.0, 0.22) for name in ("n1", "n2")}
NEED = 0.39


def test_a_start_that_holds_nothing_while_streams_that_run_have_all_has_lost_its_room() -> None:
    assert _is_all_in_use(FULL, 4, NEED)


@pytest.mark.parametrize(
    ("running", "nodes"),
    [
        (3, FULL),  # one of those that have no process yet has its room; who knows which
        (5, FULL),  # one has just ended
        (4, FULL | {"n2": replace(FULL["n2"], free=0.23)}),  # some ask for another amount
        (4, FULL | {"n2": replace(FULL["n2"], is_draining=True)}),
    ],
)
def test_it_has_not_as_long_as_that_is_not_sure(running: int, nodes: dict[str, Node]) -> None:
    assert not _is_all_in_use(nodes, running, NEED)


def test_dead_nodes_and_those_for_front_ends_do_not_count() -> None:
    dead, front_end = replace(FULL["n1"], is_alive=False, free=0.0), replace(FULL["n1"], cpus=0.0, free=0.0)
    assert _is_all_in_use(FULL | {"n3": dead, "n4": front_end}, 4, NEED)
