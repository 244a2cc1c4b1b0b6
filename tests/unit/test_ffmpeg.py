from __future__ import annotations

from pathlib import Path

import pytest

import ffmpeg
from graphics.layout import canvas_of
from media.destination import parse_destination
from media.encoders import X264, Encoder
from media.profiles import PROFILES, OutputProfile
from media.sound_level import METER

ENCODER = Encoder(X264, "veryfast", "")
DESTINATION = parse_destination("rtmp://a.rtmp.youtube.com/live2/canary-key?backup=1", ("*",))


def test_the_compositors_command_line() -> None:
    profile = PROFILES["720p30"]
    args = ffmpeg.compositor_args("rtmp://localhost/live/m1", Path("/tmp/o.png"), canvas_of(profile), profile, ENCODER)
    assert " ".join(args) == (
        "-hide_banner -nostdin -nostats -loglevel level+info -filter_complex_threads 1 "
        "-colorspace bt709 "
        "-fpsprobesize 0 -analyzeduration 800000 -thread_queue_size 512 -i rtmp://localhost/live/m1 "
        "-f image2 -pattern_type none -loop 1 -framerate 30 -threads 1 -thread_queue_size 1 -i /tmp/o.png "
        "-f lavfi -i anullsrc=channel_layout=mono:sample_rate=44100 "
        "-filter_complex "
        "[0:v:0]scale=w='min(1280,2*trunc(720*dar/2))':h='min(720,2*trunc(1280/dar/2))'"
        ":out_range=tv:out_color_matrix=bt709,format=yuv420p,pad=1280:720:-1:-1,setsar=1,fps=30[camera];"
        "[1:v:0]format=rgba,scale=flags=neighbor:out_color_matrix=bt709:out_range=tv,format=yuva420p[overlay];[camera][overlay]overlay=x=0:y=552:format=yuv420:shortest=1,"
        "setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709 "
        f"-af {METER}aresample=async=1000 -shortest "
        "-c:v libx264 -preset veryfast -profile:v high -pix_fmt yuv420p "
        "-b:v 4000k -minrate 4000k -maxrate 4000k -bufsize 4000k -x264-params nal-hrd=cbr:force-cfr=1 "
        "-g 60 -keyint_min 60 -sc_threshold 0 -force_key_frames 0.2,0.4,0.6,0.8,1.2,1.6,2,2.4,2.8,3.2 "
        "-color_range tv -colorspace bt709 -color_primaries bt709 -color_trc bt709 "
        "-c:a aac -b:a 128k -ar 44100 -ac 2 "
        "-muxdelay 0 -muxpreload 0 -flush_packets 1 -omit_video_pes_length 0 "
        "-output_ts_offset 50000 -f mpegts pipe:1"
    )


def test_the_slates_command_line_differs_only_in_its_picture() -> None:
    profile = PROFILES["720p30"]
    paths = (Path("/tmp/s.png"), Path("/tmp/o.png"))
    slate = ffmpeg.slate_args(*paths, canvas_of(profile), profile, ENCODER)
    compositor = ffmpeg.compositor_args("rtmp://h/a/n", paths[1], canvas_of(profile), profile, ENCODER)
    encode = slice(slate.index("-c:v"), slate.index("-output_ts_offset"))
    assert slate[encode] == compositor[compositor.index("-c:v") : compositor.index("-output_ts_offset")]
    assert " ".join(slate[: slate.index("-c:v")]) == (
        "-hide_banner -nostdin -nostats -loglevel level+info -filter_complex_threads 1 "
        "-re -itsoffset -0.6 -f lavfi -i color=c=black:s=1280x720:r=30 -f image2 -pattern_type none -i /tmp/s.png "
        "-itsoffset -0.6 -f image2 -pattern_type none -loop 1 -framerate 30 "
        "-threads 1 -thread_queue_size 1 -i /tmp/o.png "
        "-re -itsoffset -0.6 -f lavfi -i anullsrc=channel_layout=stereo:sample_rate=44100 -filter_complex "
        "[0:v:0][1:v:0]overlay=format=yuv420[slate];[2:v:0]format=rgba,scale=flags=neighbor:out_color_matrix=bt709:out_range=tv,format=yuva420p[overlay];"
        "[slate][overlay]overlay=x=0:y=552:format=yuv420,"
        "setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709,setpts=PTS+0.6/TB "
        "-af asetpts=PTS+0.6/TB"
    )
    assert slate[encode.stop :] == ["-output_ts_offset", "0", "-f", "mpegts", "pipe:1"]


def test_the_publishers_command_line_has_no_key() -> None:
    args = ffmpeg.publisher_args(DESTINATION, 7, PROFILES["720p30"])
    assert " ".join(args) == (
        "-hide_banner -nostdin -nostats -loglevel level+info -probesize 1032000 -analyzeduration 500000 "
        "-fflags +discardcorrupt -f mpegts -i pipe:0 -c copy -map 0:v:0 -map 0:a:0 "
        "-f flv -flvflags no_duration_filesize -flush_packets 1 -rw_timeout 10000000 -send_buffer_size 516000 "
        "-fpre /dev/fd/7 rtmp://a.rtmp.youtube.com/live2"
    )
    exposed = ffmpeg.publisher_args(DESTINATION, None, PROFILES["720p30"])
    at = args.index("-fpre")
    assert exposed[at : at + 4] == ["-rtmp_app", "live2", "-rtmp_playpath", "canary-key?backup=1"]
    assert exposed[:at] + exposed[at + 4 :] == args[:at] + args[at + 2 :]
    assert ffmpeg.publisher_preset(DESTINATION) == b"rtmp_app=live2\nrtmp_playpath=canary-key?backup=1\n"


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_every_profile_has_a_two_second_gop_at_its_rate(profile: OutputProfile) -> None:
    args = ffmpeg.compositor_args("rtmp://h/a/n", Path("o"), canvas_of(profile), profile, ENCODER)
    assert args[args.index("-g") + 1] == str(2 * profile.frame_rate)
    assert args[args.index("-maxrate") + 1] == f"{profile.video_bitrate_kbps}k"
