from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from bench import camera, cost, quality, rivals
from bench.cost import BARE, OURS, Pair, Sample
from bench.quality import Quality
from graphics.layout import canvas_of
from media.encoders import X264, Encoder
from media.profiles import PROFILES

PROFILE = PROFILES["720p30"]
ENCODER = Encoder(X264, "veryfast", "")
SOURCE, SINK = "rtmp://127.0.0.1:1935/live/m1", "rtmp://127.0.0.1:1935/youtube/key"
OPTIONS = {"ref": "1", "keyint": "60"}
# As x264 writes it, with a zero at the end.
SEI = b"\0\0\1\x06\x05\xffx264 - core 164 r3095 - H.264/MPEG-4 AVC codec - options: ref=1 keyint=60\0\x80\0\0\1\x65"


def quality_of(**changes: object) -> Quality:
    known = {"ssim": [0.98, 0.97], "shifted": [0.9, 0.91], "frames": 2, "kbps": 4000.0, "options": OPTIONS}
    return Quality(**known | changes)  # type: ignore[arg-type]


def value_after(argv: list[str], option: str) -> str:
    return argv[argv.index(option) + 1]


def test_a_pair_is_the_cpu_of_both_for_each_second_of_stream() -> None:
    before = (Sample({"compositor": 10.0, "Python": 1.0}, 100), Sample({"bare": 5.0}, 300))
    after = (Sample({"compositor": 15.0, "Python": 2.0}, 400), Sample({"bare": 15.0}, 600))
    pair = cost.pair_of(before, after, 30)
    assert pair == Pair({"compositor": 0.5, "Python": 0.1}, 1.0, 300, 300)
    assert pair.total == pytest.approx(0.6)
    assert pair.ratio == pytest.approx(0.6)


def test_a_slow_pipeline_does_not_count_as_cheap() -> None:
    before = (Sample({"FFmpeg": 0.0}, 0), Sample({"bare": 0.0}, 0))
    after = (Sample({"FFmpeg": 5.0}, 150), Sample({"bare": 5.0}, 300))
    assert cost.pair_of(before, after, 30).ratio == pytest.approx(2.0)


def test_a_pipeline_that_stands_still_has_no_cost() -> None:
    still = Sample({"FFmpeg": 1.0}, 10)
    with pytest.raises(RuntimeError, match="no frames"):
        cost.pair_of((still, still), (Sample({"FFmpeg": 2.0}, 10), Sample({"FFmpeg": 2.0}, 40)), 30)


@pytest.mark.parametrize(
    ("command", "part"),
    [
        ("ffmpeg -i rtmp://127.0.0.1/live/m1 -f mpegts pipe:1", "compositor"),
        ("ffmpeg -re -f lavfi -i color=c=black:s=1280x720:r=30 -f mpegts pipe:1", "rest"),
        ("ffmpeg -f mpegts -i pipe:0 -c copy -f flv rtmp://127.0.0.1/youtube", "publisher"),
        ("ffmpeg -vn -i rtmp://127.0.0.1/live/m1 -f framecrc pipe:1", "rest"),
    ],
)
def test_the_services_ffmpegs_are_told_apart(command: str, part: str) -> None:
    assert cost.part_of(command) == part


def test_the_report_judges_the_service_alone() -> None:
    spent = dict.fromkeys(cost.PARTS, 0.3)
    found = {OURS: [Pair(spent, 1.0, 300, 300)], "one-liner": [Pair({"one-liner": 2.0}, 1.0, 300, 300)]}
    made = cost.report(PROFILE, ENCODER, found, {name: quality_of() for name in (BARE, *found)})
    judged = [figure for figure in made.figures if figure.limit is not None]
    assert [(figure.what, figure.verdict) for figure in judged] == [("this service to bare transcode", "missed")]
    assert "0.3" in judged[0].why


def test_the_table_of_pictures_says_what_cannot_be_compared() -> None:
    odd = quality_of(options={"ref": "3", "keyint": "60"}, shifted=[0.99, 0.9])
    table = "\n".join(cost.quality_table({OURS: quality_of(), BARE: quality_of(), "odd": odd}))
    assert "| bare transcode | 0.9750 | 0.9725 – 0.9775 | 4000 kbps | 2 | the same |" in table
    assert "2, not aligned | ref ('1', '3') |" in table


def test_all_rivals_encode_alike() -> None:
    strip = Path("strip.png")
    bare = rivals.bare_args(SOURCE, SINK, PROFILE, ENCODER)
    one_liner = rivals.one_liner_args(SOURCE, SINK, PROFILE, ENCODER, Path("full.png"))
    gstreamer = rivals.gstreamer_args(SOURCE, SINK, PROFILE, ENCODER, strip, canvas_of(PROFILE))
    settings = ENCODER.args(PROFILE)
    for argv in (bare, one_liner):
        start = argv.index("-c:v")
        assert argv[start : start + len(settings)] == settings
        assert argv[-1] == SINK
    assert value_after(one_liner, "-loop") == "1"
    assert {"bitrate=4000", "vbv-buf-capacity=1000", "key-int-max=60", "speed-preset=veryfast"} <= set(gstreamer)
    assert gstreamer[-2:] == ["rtmpsink", f"location={SINK}"]


def test_gstreamer_reads_and_writes_files_too() -> None:
    argv = rivals.gstreamer_args("in.flv", "out.flv", PROFILE, ENCODER, Path("strip.png"), canvas_of(PROFILE))
    assert argv[1:3] == ["filesrc", "location=in.flv"]
    assert argv[-2:] == ["filesink", "location=out.flv"]


def test_the_one_liners_picture_is_the_strip_on_a_transparent_frame(tmp_path: Path) -> None:
    canvas, strip, full = canvas_of(PROFILE), tmp_path / "strip.png", tmp_path / "full.png"
    Image.new("RGBA", (canvas.width, canvas.height), "#112233ff").save(strip)
    rivals.full_frame(strip, canvas, PROFILE, full)
    with Image.open(full) as picture:
        assert picture.size == (1280, 720)
        assert picture.getpixel((0, canvas.top - 1)) == (0, 0, 0, 0)
        assert picture.getpixel((0, canvas.top)) == (0x11, 0x22, 0x33, 0xFF)


def test_the_options_that_x264_writes_are_read() -> None:
    assert rivals.x264_options(SEI) == OPTIONS
    with pytest.raises(ValueError, match="does not contain"):
        rivals.x264_options(b"\0\0\1\x65")


def test_differences_name_both_values() -> None:
    assert rivals.differences(OPTIONS, {"ref": "1", "keyint": "250", "aq": "1"}) == {
        "aq": (None, "1"),
        "keyint": ("60", "250"),
    }


def test_ssim_is_read_frame_by_frame() -> None:
    text = "n:1 Y:0.98 U:0.97 V:0.96 All:0.975 (16.1)\nn:2 Y:1.0 U:1.0 V:1.0 All:1.000000 (inf)\n"
    assert quality.parse_ssim(text) == [0.975, 1.0]


def test_frames_are_compared_by_number_and_above_the_strip() -> None:
    graph = quality.ssim_filter(552, 120, 1)
    assert "[0:v]crop=iw:552:0:0,trim=start_frame=120," in graph
    assert "[1:v]crop=iw:552:0:0,trim=start_frame=121," in graph


def test_the_bitrate_follows_from_the_frames() -> None:
    assert quality.parse_frames("1000\n2000,\n\n3000\n") == [1000, 2000, 3000]
    assert quality.kbps([1000, 2000, 3000], 30) == pytest.approx(480)


def test_frames_that_fit_better_when_shifted_are_not_aligned() -> None:
    assert quality_of().is_aligned
    assert not quality_of(shifted=[0.99, 0.9]).is_aligned


def test_the_camera_sends_more_than_goes_on_and_names_its_colours() -> None:
    argv = camera.as_a_phone(PROFILE)
    assert value_after(argv, "-b:v") == "5000k"
    assert value_after(argv, "-g") == "60"
    assert value_after(argv, "-colorspace") == "bt709"
