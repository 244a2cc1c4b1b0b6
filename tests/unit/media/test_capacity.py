from __future__ import annotations

import os
from pathlib import Path

import pytest

from config import Settings
from errors import NoCapacity
from media.capacity import COSTS, available_cores, capacity, cost
from media.encoders import ENCODERS, X264, X264_PRESETS, Encoder
from media.profiles import PROFILES
from relay.registry import StreamRegistry
from relay.request import StreamRequest
from tests.conftest import SettingsFactory
from tests.unit.conftest import destination


def encoder(name: str = X264, preset: str = "veryfast") -> Encoder:
    return Encoder(name, preset, "/dev/dri/renderD128")


def test_every_profile_with_every_encoder_has_its_cost() -> None:
    assert set(COSTS) == set(PROFILES)
    costs = [cost(profile, encoder(X264, preset)) for profile in PROFILES.values() for preset in X264_PRESETS]
    costs += [cost(profile, encoder(name)) for profile in PROFILES.values() for name in ENCODERS]
    assert all(0 < one < 10 for one in costs)


def test_slower_presets_and_larger_pictures_cost_more() -> None:
    for name in PROFILES:
        assert list(COSTS[name]) == sorted(COSTS[name])
    assert COSTS["480p30"] < COSTS["720p30"] < COSTS["1080p30"] < COSTS["1080p60"]


@pytest.mark.parametrize(
    ("profile", "cores", "most"), [("480p30", 2, 4), ("720p30", 2, 2), ("1080p30", 2, 1), ("720p30", 16, 21)]
)
def test_so_many_streams_are_carried_as_were_measured(profile: str, cores: float, most: int) -> None:
    found = capacity(PROFILES[profile], encoder(), cores)
    assert found.streams == most
    assert not found.is_too_small
    assert found.because == (
        f"{cores:g} cores carry {most} at {profile} with libx264 veryfast (MAX_CONCURRENT_STREAMS=auto)"
    )


def test_one_stream_may_always_be_tried_and_it_is_said_that_it_does_not_fit() -> None:
    found = capacity(PROFILES["1080p60"], encoder(preset="slow"), 1)
    assert (found.streams, found.is_too_small) == (1, True)
    assert found.because.startswith("1 core carries 1 at 1080p60")


def test_a_card_leaves_room_for_more() -> None:
    on_cpu = capacity(PROFILES["1080p30"], encoder(), 8)
    on_card = capacity(PROFILES["1080p30"], encoder("h264_nvenc"), 8)
    assert on_card.streams > 2 * on_cpu.streams
    assert "with h264_nvenc" in on_card.because


@pytest.mark.parametrize(
    ("own", "limits", "cores"),
    [
        ("0::/\n", {"": "150000 100000"}, 1.5),
        ("0::/\n", {"": "max 100000"}, 8.0),
        ("0::/system.slice/relay.service\n", {"system.slice": "200000 100000"}, 2.0),
        ("0::/a/b\n", {"a": "400000 100000", "a/b": "50000 100000"}, 0.5),
        ("12:cpu:/x\n0::/a\n", {"a": "300000 100000"}, 3.0),
        ("1:cpu:/x\n", {}, 8.0),
        ("", {}, 8.0),
    ],
)
def test_cores_are_those_that_the_container_may_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own: str, limits: dict[str, str], cores: float
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(8)))
    groups, membership = tmp_path / "cgroup", tmp_path / "membership"
    membership.write_text(own)
    for folder, limit in limits.items():
        (groups / folder).mkdir(parents=True, exist_ok=True)
        (groups / folder / "cpu.max").write_text(limit + "\n")
    assert available_cores(groups, membership) == cores


def test_cores_without_control_groups_are_those_of_the_affinity(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0, 1, 2})
    assert available_cores(tmp_path / "none", tmp_path / "none") == 3.0


def test_one_more_than_is_carried_is_refused_with_the_reason(
    settings_with: SettingsFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("config.available_cores", lambda: 0.5)
    settings: Settings = settings_with(max_concurrent_streams="auto", output_profile="1080p30")
    registry = StreamRegistry(settings)
    registry._streams["m1"] = None  # type: ignore[assignment]
    assert registry.load().most == 1
    with pytest.raises(NoCapacity, match=r"1 stream runs, and 0\.5 cores carry 1 at 1080p30 with libx264 veryfast"):
        registry.start(StreamRequest("m2", destination()))
