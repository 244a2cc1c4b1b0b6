from __future__ import annotations

import logging
from typing import Any

import pytest

from config import Settings
from logging_setup import StreamLogger
from relay.own_rate import OwnRate
from tests.conftest import SettingsFactory


class Part:
    """A picture or destinations that note what they are told."""

    def __init__(self) -> None:
        self.camera_rate: float | None = None
        self.used: list[str] = []

    def use(self, settings: Settings, _now: float) -> None:
        self.used.append(settings.profile.name)


def rate_of(settings: Settings) -> tuple[OwnRate, Any, Any]:
    picture, destinations = Part(), Part()
    log = StreamLogger(logging.getLogger("rate"), "m1")
    return OwnRate(settings, picture, destinations, log), picture, destinations  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rate", "profile"),
    [(25.0, "720p25"), (24.9, "720p25"), (50.0, "720p25"), (30.0, None), (29.97, None), (60.0, None), (24.0, None)],
)
def test_the_first_camera_decides_the_rate_once(
    settings_with: SettingsFactory, rate: float, profile: str | None
) -> None:
    own, picture, destinations = rate_of(settings_with(output_profile="auto"))
    own.step(1.0)
    picture.camera_rate = rate
    own.step(2.0)
    picture.camera_rate = 25.0
    own.step(3.0)
    assert picture.used == destinations.used == ([profile] if profile else [])


def test_a_chosen_profile_stays(settings_with: SettingsFactory) -> None:
    own, picture, destinations = rate_of(settings_with(output_profile="720p30"))
    picture.camera_rate = 25.0
    own.step(1.0)
    assert picture.used == destinations.used == []


def test_auto_begins_as_720p30(settings_with: SettingsFactory) -> None:
    assert settings_with(output_profile="auto").profile.name == "720p30"
