"""Every encoder with the installed FFmpeg: it works, or the start says why not."""

from __future__ import annotations

import subprocess

import pytest

from errors import ConfigurationError
from media.encoders import ENCODERS, X264
from relay import installed
from tests.conftest import SettingsFactory
from tests.service import FFMPEG

GENERIC = {
    *("-c:v", "-profile:v", "-pix_fmt", "-b:v", "-minrate", "-maxrate", "-bufsize", "-g", "-bf", "-flags"),
    *("-keyint_min", "-sc_threshold", "-force_key_frames"),
    *("-color_range", "-colorspace", "-color_primaries", "-color_trc"),
}


def says(*question: str) -> str:
    return subprocess.run([FFMPEG, "-hide_banner", *question], capture_output=True, text=True, check=True).stdout


def test_x264_works(settings_with: SettingsFactory) -> None:
    settings = settings_with()
    assert settings.encoder.name == X264
    installed.try_encoder(FFMPEG, settings.encoder, settings.profile)


@pytest.mark.parametrize("name", [name for name in ENCODERS if name != X264])
def test_a_hardware_encoder_works_or_says_why_not(settings_with: SettingsFactory, name: str) -> None:
    settings = settings_with(video_encoder=name)
    try:
        installed.try_encoder(FFMPEG, settings.encoder, settings.profile)
    except ConfigurationError as error:
        start, reason = f"VIDEO_ENCODER: {name} does not work here: ", str(error)
        assert reason.startswith(start)
        assert reason.removeprefix(start)
        assert "\n" not in reason
        for fault in ("ption", "arse", "onversion"):  # of the command line, not of the machine
            assert fault not in reason.removeprefix(start)


@pytest.mark.parametrize("name", ENCODERS)
def test_ffmpeg_knows_the_options_of_the_encoder(settings_with: SettingsFactory, name: str) -> None:
    if f" {name} " not in says("-encoders"):
        pytest.skip(f"this FFmpeg has no {name}")
    settings = settings_with(video_encoder=name)
    own = {word for word in settings.encoder.args(settings.profile) if word.startswith("-")} - GENERIC
    known = says("-h", f"encoder={name}")
    assert [option for option in own if f" {option} " not in known] == []
    devices = {word for word in settings.encoder.device_args if word.startswith("-")}
    assert [option for option in devices if f"{option} " not in says("-h", "long")] == []
