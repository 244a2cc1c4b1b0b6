from __future__ import annotations

import pytest

from media.camera_picture import PLAIN, CameraPicture, Treatment, camera_picture

HEAD = "[info]   Stream #0:1: Video: h264 (High), "
SD_COLOURS, INTERLACED = Treatment(is_sd=True), Treatment(is_interlaced=True)


@pytest.mark.parametrize(
    ("line", "picture", "treatment"),
    [
        ("yuv420p(progressive), 1280x720 [SAR 1:1 DAR 16:9]", CameraPicture(1280, 720, None, None, False), PLAIN),
        ("yuv420p(tv, bt709, progressive), 1920x1080", CameraPicture(1920, 1080, "bt709", "bt709", False), PLAIN),
        ("yuvj420p(pc, bt709, progressive), 720x1280", CameraPicture(720, 1280, "bt709", "bt709", False), PLAIN),
        (
            "yuv420p(tv, smpte170m/unknown/unknown, progressive), 640x480",
            CameraPicture(640, 480, "smpte170m", None, False),
            PLAIN,
        ),
        ("yuv420p, 640x480, 25 fps", CameraPicture(640, 480, None, None, False), SD_COLOURS),
        ("yuv420p(tv, progressive), 720x576", CameraPicture(720, 576, None, None, False), SD_COLOURS),
        ("yuv420p(tv, top first), 720x576", CameraPicture(720, 576, None, None, True), Treatment(True, True)),
        (
            "yuv420p(tv, bt709, top first), 1920x1080",
            CameraPicture(1920, 1080, "bt709", "bt709", True),
            INTERLACED,
        ),
        (
            "yuv420p(tv, bt709, bottom coded first (swapped)), 1920x1080",
            CameraPicture(1920, 1080, "bt709", "bt709", True),
            INTERLACED,
        ),
        (
            "yuv420p10le(tv, bt2020nc/bt2020/arib-std-b67, progressive), 1920x1080",
            CameraPicture(1920, 1080, "bt2020nc", "arib-std-b67", False),
            PLAIN,
        ),
    ],
)
def test_what_ffmpeg_says_of_a_picture(line: str, picture: CameraPicture, treatment: Treatment) -> None:
    assert camera_picture(HEAD + line) == picture
    assert picture.treatment == treatment


@pytest.mark.parametrize(
    ("transfer", "hdr"), [("arib-std-b67", "HLG"), ("smpte2084", "PQ"), ("bt709", None), (None, None)]
)
def test_hdr_is_named(transfer: str | None, hdr: str | None) -> None:
    assert CameraPicture(1920, 1080, "bt2020nc", transfer, False).hdr == hdr


@pytest.mark.parametrize(
    "line",
    [
        "[info]   Stream #1:0: Video: png, pal8(pc), 1280x132, 30 fps, 30 tbr, 30 tbn",
        "[info]   Stream #0:0: Audio: aac (LC), 44100 Hz, mono, fltp",
        "[info]   Stream #0:0: Video: h264, none, 90k tbr",
        "",
    ],
)
def test_other_lines_say_nothing_of_it(line: str) -> None:
    assert camera_picture(line) is None
