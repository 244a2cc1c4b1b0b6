from __future__ import annotations

from pathlib import Path

import pytest

from club.links import IDLE_S, MOST_LINKS, Links
from club.store import FILE, Store
from errors import InvalidField, LinkNotFound
from tests.waiting import FakeClock


@pytest.fixture
def links(store: Store, clock: FakeClock) -> Links:
    return Links(store, clock)


def test_a_token_finds_its_link_until_it_is_withdrawn(links: Links) -> None:
    link, token = links.make("m1", "scorer", "Saturday")
    found = links.find(token)
    assert found is not None
    assert (found.id, found.stream, found.role, found.label) == (link.id, "m1", "scorer", "Saturday")
    assert links.find(token + "x") is links.find("") is None
    links.withdraw("m1", link.id)
    assert links.find(token) is None


def test_a_link_is_withdrawn_by_its_own_stream_alone(links: Links) -> None:
    link, token = links.make("m1", "scorer", "")
    with pytest.raises(LinkNotFound):
        links.withdraw("m2", link.id)
    assert links.find(token) is not None


def test_when_it_was_used_is_noted_once_a_minute(links: Links, clock: FakeClock) -> None:
    _, token = links.make("m1", "scorer", "")
    used = []
    for seconds in (5, 30, 31):
        clock.advance(seconds)
        links.find(token)
        used.append(links.of("m1")[0].last_used_at)
    assert used[0] == used[1] == pytest.approx(clock() - 61)
    assert used[2] == clock()


def test_the_file_has_no_token(links: Links, store: Store, tmp_path: Path) -> None:
    _, token = links.make("m1", "scorer", "")
    store.close()
    assert token.encode() not in (tmp_path / "data" / FILE).read_bytes()


def test_there_are_only_so_many(links: Links) -> None:
    for _ in range(MOST_LINKS):
        links.make("m1", "scorer", "")
    with pytest.raises(InvalidField, match="withdraw one first"):
        links.make("m1", "scorer", "")
    links.make("m2", "scorer", "")
    assert len(links.of("m1")) == MOST_LINKS


def test_links_go_when_their_stream_was_stopped_for_a_day(links: Links, clock: FakeClock) -> None:
    _, ends = links.make("ends", "scorer", "")
    _, pauses = links.make("pauses", "scorer", "")
    links.tidy(["pauses"])
    clock.advance(IDLE_S - 1)
    links.tidy([])
    links.tidy(["pauses"])
    assert links.find(ends)
    clock.advance(2)
    links.tidy([])
    assert links.find(ends) is None
    assert links.find(pauses)


def test_without_a_file_there_is_nothing_to_find(links: Links, store: Store) -> None:
    links.tidy(["m1"])
    assert links.find("any") is None
    assert links.of("m1") == []
    assert not store.is_there
