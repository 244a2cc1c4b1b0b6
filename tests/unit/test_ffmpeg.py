from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import ffmpeg
from errors import ConfigurationError
from graphics.layout import canvas_of
from media.destination import parse_destination
from media.encoders import X264, Encoder
from media.profiles import PROFILES, OutputProfile
from tests.unit.conftest import FakeFFmpeg
from tests.waiting import eventually, runs

ENCODER = Encoder(X264, "veryfast", "")
ROOT = Path(ffmpeg.__file__).parent
DESTINATION = parse_destination("rtmp://a.rtmp.youtube.com/live2/canary-key?backup=1", ("*",))


def test_the_compositors_command_line() -> None:
    profile = PROFILES["720p30"]
    args = ffmpeg.compositor_args("rtmp://localhost/live/m1", Path("/tmp/o.png"), canvas_of(profile), profile, ENCODER)
    assert " ".join(args) == (
        "-hide_banner -nostdin -nostats -loglevel level+info -filter_complex_threads 1 "
        "-fpsprobesize 0 -analyzeduration 800000 -thread_queue_size 512 -i rtmp://localhost/live/m1 "
        "-f image2 -pattern_type none -loop 1 -framerate 30 -threads 1 -thread_queue_size 1 -i /tmp/o.png "
        "-f lavfi -i anullsrc=channel_layout=mono:sample_rate=44100 "
        "-filter_complex "
        "[0:v:0]scale=w='min(1280,2*trunc(720*dar/2))':h='min(720,2*trunc(1280/dar/2))'"
        ":out_range=tv:out_color_matrix=bt709,format=yuv420p,pad=1280:720:-1:-1,setsar=1,fps=30[camera];"
        "[1:v:0]format=rgba,scale=flags=neighbor:out_color_matrix=bt709:out_range=tv,format=yuva420p[overlay];[camera][overlay]overlay=x=0:y=552:format=yuv420:shortest=1,"
        "setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709 "
        "-af aresample=async=1000 -shortest "
        "-c:v libx264 -preset veryfast -profile:v high -pix_fmt yuv420p "
        "-b:v 4000k -minrate 4000k -maxrate 4000k -bufsize 4000k -x264-params nal-hrd=cbr:force-cfr=1 "
        "-g 60 -keyint_min 60 -sc_threshold 0 -force_key_frames 0.2,0.4,0.6,0.8,1.2,1.6,2,2.4,2.8,3.2 "
        "-color_range tv -colorspace bt709 -color_primaries bt709 -color_trc bt709 "
        "-c:a aac -b:a 128k -ar 44100 -ac 2 "
        "-muxdelay 0 -muxpreload 0 -flush_packets 1 -omit_video_pes_length 0 "
        "-output_ts_offset 50000 -f mpegts pipe:1"
    )


def test_the_slates_command_line_differs_in_its_picture_alone() -> None:
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


def test_a_missing_ffmpeg_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="FFMPEG_BIN: .*nowhere is not found"):
        ffmpeg.find_ffmpeg(str(tmp_path / "nowhere"))


def test_what_an_ffmpeg_lacks_is_named(tmp_path: Path) -> None:
    path = tmp_path / "ffmpeg"
    path.write_text("#!/bin/sh\necho ' V..... libx264 x'\necho ' ..C overlay VV->V x'\n")
    path.chmod(0o755)
    with pytest.raises(ConfigurationError, match="lacks aac, scale, fps, pad, setparams"):
        ffmpeg.find_ffmpeg(str(path))


def test_the_installed_ffmpeg_is_asked_whether_it_takes_presets(tmp_path: Path) -> None:
    assert not ffmpeg.reads_presets(str(tmp_path / "nowhere"))
    deaf = tmp_path / "ffmpeg"
    deaf.write_text("#!/bin/sh\necho SHA256=0\n")
    deaf.chmod(0o755)
    assert not ffmpeg.reads_presets(str(deaf))


def test_an_ffmpeg_that_does_not_answer_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "ffmpeg"
    path.write_text("#!/bin/sh\nexec sleep 60\n")
    path.chmod(0o755)
    monkeypatch.setattr(ffmpeg, "CHECK_TIMEOUT_S", 0.2)
    with pytest.raises(ConfigurationError, match="does not answer -encoders"):
        ffmpeg.find_ffmpeg(str(path))


class Lives:
    """Spawns fakes and ends what a test leaves."""

    def __init__(self, fake: FakeFFmpeg) -> None:
        self.fake = fake
        self.spawned: list[ffmpeg.FFmpegProcess] = []

    def spawn(self, role: str) -> ffmpeg.FFmpegProcess:
        is_publisher = role == "publisher"
        argv = [str(self.fake.path), "-f", "flv" if is_publisher else "mpegts"]
        before = len(self.fake.lives(role))
        process = self._spawn(role, argv, is_publisher)
        eventually(lambda: len(self.fake.lives(role)) > before)
        return process

    def spawn_wrapper(self, path: Path, script: str) -> ffmpeg.FFmpegProcess:
        """A compositor that is a shell script."""
        path.write_text(f"#!/bin/sh\n{script}")
        path.chmod(0o755)
        return self._spawn("compositor", [str(path)], is_publisher=False)

    def _spawn(self, role: str, argv: list[str], is_publisher: bool) -> ffmpeg.FFmpegProcess:
        process = ffmpeg.FFmpegProcess(
            role, argv, stdin=is_publisher, stdout=not is_publisher, pass_fds=(), spawn=subprocess.Popen
        )
        self.spawned.append(process)
        return process


@pytest.fixture
def lives(fake_ffmpeg: FakeFFmpeg) -> Iterator[Lives]:
    made = Lives(fake_ffmpeg)
    yield made
    for process in made.spawned:
        process.signal(signal.SIGKILL)
        eventually(process.has_ended)
        process.close()


def read_stderr(process: ffmpeg.FFmpegProcess) -> list[str]:
    data = b""
    while chunk := os.read(process.fd("stderr"), 65536):
        data += chunk
    return process.take_stderr(data)


def test_a_compositor_ends_at_sigterm_and_a_publisher_at_the_end_of_its_input(lives: Lives) -> None:
    compositor, publisher = lives.spawn("compositor"), lives.spawn("publisher")
    assert ffmpeg.end_processes([compositor, publisher]) == []
    assert [process.cause() for process in (compositor, publisher)] == ["ended as asked"] * 2


def test_processes_that_ignore_all_signals_are_killed(lives: Lives) -> None:
    lives.fake.script(compositor={"ignore_signals": True}, publisher={"ignore_signals": True, "ignore_eof": True})
    processes = [lives.spawn("compositor"), lives.spawn("publisher")]
    assert ffmpeg.end_processes(processes) == []
    for process in processes:
        assert process.has_ended()
        with pytest.raises(ProcessLookupError):
            os.kill(process.pid, 0)


def test_the_whole_process_group_is_killed(lives: Lives, tmp_path: Path) -> None:
    """A wrapper script must not leave its FFmpeg behind."""
    child_pid = tmp_path / "child"
    process = lives.spawn_wrapper(
        tmp_path / "wrapper", f"trap '' TERM\nsleep 1000 & echo $! > {child_pid}\nwait\nwait\nsleep 1000\n"
    )
    eventually(lambda: child_pid.exists() and child_pid.read_text().strip())
    ffmpeg.end_processes([process])
    eventually(lambda: not runs(int(child_pid.read_text())))


def test_a_wrapper_that_ends_first_leaves_no_ffmpeg_behind(lives: Lives, tmp_path: Path) -> None:
    child_pid = tmp_path / "child"
    process = lives.spawn_wrapper(
        tmp_path / "wrapper", f"(trap '' TERM; echo $$ > {child_pid}; while :; do sleep 1; done) &\nwait\n"
    )
    eventually(lambda: child_pid.exists() and child_pid.read_text().strip())
    assert ffmpeg.end_processes([process]) == []
    eventually(lambda: not [pid for pid in _group(process.pid) if runs(pid)])


def _group(leader: int) -> list[int]:
    """The processes of this process group."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, IndexError):
            if int(stat.read_text().rpartition(")")[2].split()[2]) == leader:
                found.append(int(stat.parent.name))
    return found


def test_the_cause_is_the_last_error_it_printed(lives: Lives) -> None:
    lives.fake.script(
        compositor={
            "stderr": ["[info] Input #0", "[tcp @ 0x1] [error] Connection refused", "[error] ", "[info] bye"],
            "exit": 1,
        }
    )
    process = lives.spawn("compositor")
    eventually(process.has_ended)
    assert len(read_stderr(process)) == 4
    assert process.cause() == "exit status 1: Connection refused"


def test_the_cause_names_a_signal_that_nobody_here_sent(lives: Lives) -> None:
    process = lives.spawn("compositor")
    os.kill(process.pid, signal.SIGSEGV)
    eventually(process.has_ended)
    assert process.cause() == "killed by SIGSEGV"


def test_lines_are_bounded_and_put_together_from_parts(lives: Lives) -> None:
    process = lives.spawn("compositor")
    assert process.take_stderr(b"one\ntw") == ["one"]
    assert process.take_stderr(b"o\r\n\n\xff") == ["two"]
    assert process.take_stderr(b"\n") == ["\ufffd"]
    lines = process.take_stderr(b"x" * 100_000)
    assert [len(line) for line in lines] == [ffmpeg.MAX_LINE_BYTES]


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's help is Linux's")
def test_a_child_dies_with_a_parent_that_is_killed(fake_ffmpeg: FakeFFmpeg) -> None:
    fake_ffmpeg.script(compositor={"ignore_signals": True})
    code = (
        "import subprocess, time, ffmpeg\n"
        f"p = ffmpeg.FFmpegProcess('compositor', [{str(fake_ffmpeg.path)!r}], stdin=False, stdout=True,"
        " pass_fds=(), spawn=subprocess.Popen)\n"
        "time.sleep(1000)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": os.path.dirname(ffmpeg.__file__)}
    )
    try:
        eventually(lambda: fake_ffmpeg.lives("compositor"))
    finally:
        parent.kill()
        parent.wait()
    pid = fake_ffmpeg.lives("compositor")[0]["pid"]
    eventually(lambda: not runs(pid))
