from __future__ import annotations

import pytest

from relay.publishers import CLAIM_S, REFUSED_S, CameraEvent, CameraKind, Publishers
from tests.waiting import FakeClock

CAME, STAYS, LEFT = CameraKind.CAME, CameraKind.STAYS, CameraKind.LEFT


class Hall:
    """Publishers, what they tell the picture, and whether frames flow."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.flows = True
        self.told: list[str] = []
        self.publishers = Publishers(
            self.clock, lambda: self.flows, lambda: self.told.append("came"), lambda: self.told.append("left")
        )

    def hear(self, kind: CameraKind, client_id: str, address: str = "192.0.2.1") -> None:
        self.publishers.hear(CameraEvent(kind, client_id, address))

    def settle_after(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.publishers.settle(self.clock())

    def holder(self) -> str | None:
        return self.publishers.holder.connection if self.publishers.holder else None


@pytest.fixture
def hall() -> Hall:
    return Hall()


@pytest.fixture
def held(hall: Hall) -> Hall:
    """Connection 1 publishes, and its frames arrive."""
    hall.flows = False
    hall.hear(CAME, "1")
    assert (hall.told, hall.holder()) == (["came"], "1 192.0.2.1")
    hall.flows = True
    hall.told.clear()
    return hall


def test_the_camera_that_came_leaves(held: Hall) -> None:
    held.hear(LEFT, "1")
    assert (held.told, held.holder()) == (["left"], None)


@pytest.mark.parametrize("flows", [True, False], ids=["flows", "stalls"])
def test_a_second_camera_that_is_refused_changes_nothing(held: Hall, flows: bool) -> None:
    held.flows = flows
    for client_id in ("2", "3", "4"):
        held.hear(CAME, client_id)
        held.settle_after(CLAIM_S / 2)
        held.hear(LEFT, client_id)
        held.settle_after(CLAIM_S)
    assert (held.told, held.holder()) == ([], "1 192.0.2.1")


def test_the_same_number_from_another_address_is_another_connection(held: Hall) -> None:
    held.hear(LEFT, "1", "192.0.2.99")
    assert (held.told, held.holder()) == ([], "1 192.0.2.1")


def test_a_refused_camera_is_known_for_a_while_and_until_the_name_is_free(held: Hall) -> None:
    assert not held.publishers.refused_lately(held.clock())
    held.hear(CAME, "2")
    held.hear(LEFT, "2")
    assert held.publishers.refused_lately(held.clock())
    assert held.publishers.refused_lately(held.clock() + REFUSED_S - 1)
    assert not held.publishers.refused_lately(held.clock() + REFUSED_S)
    held.hear(LEFT, "1")
    held.flows = False
    held.hear(CAME, "3")
    assert not held.publishers.refused_lately(held.clock())


def test_a_camera_that_stays_has_the_name_though_the_end_of_the_one_before_was_not_reported(held: Hall) -> None:
    held.hear(CAME, "2")
    held.settle_after(CLAIM_S * 0.9)
    assert held.holder() == "1 192.0.2.1"
    held.settle_after(CLAIM_S * 0.1)
    assert (held.told, held.holder()) == (["came"], "2 192.0.2.1")
    held.hear(LEFT, "1")
    assert held.told == ["came"]
    held.hear(LEFT, "2")
    assert held.told == ["came", "left"]


def test_a_camera_that_came_before_the_last_ones_end_was_reported_is_held_to_be_there(held: Hall) -> None:
    held.hear(CAME, "2")
    held.hear(LEFT, "1")
    held.settle_after(CLAIM_S)
    assert (held.told, held.holder()) == (["left", "came"], "2 192.0.2.1")


def test_of_a_camera_that_was_there_before_the_service_its_end_counts(hall: Hall) -> None:
    hall.hear(LEFT, "1")
    assert hall.told == ["left"]


def test_while_frames_flow_from_an_unknown_camera_a_refused_one_changes_nothing(hall: Hall) -> None:
    hall.hear(CAME, "2")
    hall.hear(LEFT, "2")
    assert (hall.told, hall.holder()) == ([], None)


def test_an_update_tells_who_publishes(hall: Hall) -> None:
    hall.hear(STAYS, "1")
    assert (hall.told, hall.holder()) == ([], "1 192.0.2.1")
    began = hall.publishers.holder
    hall.clock.advance(10)
    hall.hear(STAYS, "1")
    assert hall.publishers.holder == began
    hall.hear(LEFT, "2")
    assert hall.told == []


def test_a_server_that_gives_no_client_id_is_believed_as_it_is(held: Hall) -> None:
    held.hear(LEFT, "")
    held.hear(CAME, "")
    held.hear(STAYS, "")
    assert held.told == ["left", "came"]


def test_a_number_that_comes_again_after_a_restart_of_the_server_is_the_camera(held: Hall) -> None:
    held.hear(CAME, "1")
    assert (held.told, held.holder()) == (["came"], "1 192.0.2.1")
