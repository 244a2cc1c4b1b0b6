from __future__ import annotations

import itertools
from pathlib import Path

import pytest

import ffmpeg
from config import load_settings
from errors import ConfigurationError
from graphics.layout import canvas_of
from media.encoders import ENCODERS, X264, Encoder
from media.profiles import PROFILES
from relay import installed

PROFILE = PROFILES["720p30"]
HARDWARE = [name for name in ENCODERS if name != X264]
COLOURS = "-color_range tv -colorspace bt709 -color_primaries bt709 -color_trc bt709"
KEYFRAMES = "-force_key_frames 0.2,0.4,0.6,0.8,1.2,1.6,2,2.4,2.8,3.2"
RATE = "-b:v 4000k -minrate 4000k -maxrate 4000k -bufsize 4000k"
EXPECTED = {
    "libx264": f"-preset fast -profile:v high -pix_fmt yuv420p {RATE} -x264-params nal-hrd=cbr:force-cfr=1"
    " -g 60 -keyint_min 60 -sc_threshold 0",
    "h264_nvenc": f"-preset p4 -tune ll -profile:v high -pix_fmt yuv420p {RATE} -rc cbr -zerolatency 1 -delay 0"
    " -g 60 -bf 0 -flags +cgop -forced-idr 1",
    "h264_vaapi": f"-profile:v high {RATE} -rc_mode CBR -async_depth 1 -g 60 -bf 0 -flags +cgop",
    "h264_qsv": f"-preset veryfast -profile:v high -pix_fmt nv12 {RATE} -async_depth 1"
    " -g 60 -bf 0 -flags +cgop -forced_idr 1",
    "h264_videotoolbox": f"-profile:v high -pix_fmt yuv420p {RATE} -constant_bit_rate 1 -realtime 1"
    " -g 60 -bf 0 -flags +cgop",
}
DEVICES = {"h264_vaapi": [("-vaapi_device", "/dev/dri/card7")], "h264_qsv": [("-qsv_device", "/dev/dri/card7")]}


def encoder(name: str) -> Encoder:
    return Encoder(name, preset="fast", device="/dev/dri/card7")


@pytest.mark.parametrize("name", ENCODERS)
def test_the_options_of_each_encoder(name: str) -> None:
    assert " ".join(encoder(name).args(PROFILE)) == f"-c:v {name} {EXPECTED[name]} {KEYFRAMES} {COLOURS}"


@pytest.mark.parametrize("name", ENCODERS)
def test_slate_and_compositor_use_the_same_encoder_on_the_same_device(name: str) -> None:
    canvas, overlay = canvas_of(PROFILE), Path("o.png")
    compositor = ffmpeg.compositor_args("rtmp://h/a/n", overlay, canvas, PROFILE, encoder(name))
    slate = ffmpeg.slate_args(Path("s.png"), overlay, canvas, PROFILE, encoder(name))
    for argv in (compositor, slate):
        found = [pair for pair in itertools.pairwise(argv[: argv.index("-i")]) if pair[0].endswith("_device")]
        assert found == DEVICES.get(name, [])
        encode = argv[argv.index("-c:v") : argv.index("-c:a")]
        assert encode == encoder(name).args(PROFILE)
        picture = argv[argv.index("-filter_complex") + 1]
        assert picture.endswith(",format=nv12,hwupload") == (name == "h264_vaapi")
        assert picture.count("format=nv12") == (name == "h264_vaapi")


def test_a_slate_in_hardware_has_no_head_start() -> None:
    """It would stay ahead of the clock by what only x264 holds back."""
    for name in ENCODERS:
        slate = ffmpeg.slate_args(Path("s.png"), Path("o.png"), canvas_of(PROFILE), PROFILE, encoder(name))
        assert float(slate[slate.index("-itsoffset") + 1]) == (-0.6 if name == X264 else 0)


@pytest.mark.parametrize(("chosen", "name"), [("auto", X264), *((name, name) for name in ENCODERS)])
def test_the_setting_chooses_and_auto_takes_x264(chosen: str, name: str) -> None:
    settings = load_settings({"video_encoder": chosen, "x264_preset": "slow", "render_device": "/dev/dri/card7"})
    assert settings.encoder == Encoder(name, "slow", "/dev/dri/card7")


def ffmpeg_that(folder: Path, script: str, encoders: tuple[str, ...] = ENCODERS) -> str:
    """An FFmpeg that lists these encoders and does this when it is to encode."""
    path = folder / "ffmpeg"
    names = " x V. ".join(encoders)
    path.write_text(f"#!/bin/sh\ncase $* in *-encoders) echo ' V. {names} x';; *) {script};; esac\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo '[h264_x @ 0x1] [error] No card\n[fatal] Conversion failed!' >&2; exit 1", "No card"),
        ("exit 3", "FFmpeg's exit status 3"),
        ("exit 0", "FFmpeg's exit status 0"),
        ("exec sleep 60", "no picture within 0.2 s"),
    ],
    ids=["an error", "no word", "no picture", "no end"],
)
def test_an_encoder_that_does_not_work_is_named_with_ffmpegs_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, reason: str
) -> None:
    monkeypatch.setattr(installed, "CHECK_TIMEOUT_S", 0.2 if "sleep" in script else 10)
    path = ffmpeg_that(tmp_path, script)
    with pytest.raises(ConfigurationError) as caught:
        installed.try_encoder(path, encoder("h264_nvenc"), PROFILE)
    assert str(caught.value) == f"VIDEO_ENCODER: h264_nvenc does not work here: {reason}"


def test_one_that_gives_a_picture_works_and_one_that_ffmpeg_lacks_does_not(tmp_path: Path) -> None:
    path = ffmpeg_that(tmp_path, "case $* in *h264_qsv*) echo picture;; esac", encoders=(X264, "h264_qsv"))
    installed.try_encoder(path, encoder("h264_qsv"), PROFILE)
    with pytest.raises(ConfigurationError, match=r"VIDEO_ENCODER: h264_vaapi does not work here: .*/ffmpeg lacks it"):
        installed.try_encoder(path, encoder("h264_vaapi"), PROFILE)
