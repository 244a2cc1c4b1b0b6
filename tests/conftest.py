"""Fixtures for all tests, and a guard that keeps the tests on loopback."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from config import Settings, load_settings
from demo.match_feed import MatchFeed


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test reaches another machine, and none sees the developer's environment or `.env`."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not ipaddress.ip_address(address[0]).is_loopback:
            raise AssertionError(f"a test tried to reach {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_PROXY", "*")
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


SettingsFactory = Callable[..., Settings]


@pytest.fixture
def settings_with(tmp_path: Path) -> SettingsFactory:
    """Settings for tests, without outside sources and with a log folder of their own. Keywords override them."""

    def make(**overrides: Any) -> Settings:
        base = {"overlay_api_base": "", "overlay_image_base": "", "log_dir": tmp_path / "logs", "poll_interval_s": 0.1}
        base |= {"data_dir": tmp_path / "data"}
        base |= {"max_concurrent_streams": 8}  # on any machine
        return load_settings(base | overrides)

    return make


@pytest.fixture
def feed() -> Iterator[MatchFeed]:
    feed = MatchFeed()
    yield feed
    feed.close()
