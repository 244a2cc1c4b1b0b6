from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from club.store import Store
from tests.waiting import FakeClock


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    one = Store(tmp_path / "data")
    yield one
    one.close()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()
