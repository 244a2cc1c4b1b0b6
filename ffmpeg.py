"""FFmpeg: its command lines, and what the lines that it prints mean.

All of it is pure, and nothing here knows of streams or scores. One running FFmpeg
is `relay/process.py`; which FFmpeg is installed is asked in `relay/installed.py`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from graphics.layout import Canvas
from media.camera_picture import PLAIN, Treatment
from media.causes import Cause
from media.destination import Destination
from media.encoders import Encoder
from media.profiles import AUDIO_BITRATE_KBPS, AUDIO_CHANNELS, AUDIO_RATE_HZ, OutputProfile
from media.sound_level import METER

# Slate and compositor follow each other on timelines far apart: a jump that
# FFmpeg's MPEG-TS reader joins without a hole. Forward ones under 10 s it would
# wait out; that of a successor of the same kind goes backward, which it joins.
SLATE_OFFSET_S = 0
COMPOSITOR_OFFSET_S = 50_000
# What x264 looks ahead at before its first frame, given to it at once; one in hardware does not.
SLATE_HEAD_START_S = 0.6
# Enough to see the sound of a camera that sends it from the start. All that comes
# meanwhile is a backlog, and a sound that begins later is heard by the listener.
INGEST_ANALYZE_US = 800_000
# nginx-rtmp gives a new player the sound at once and the picture from the next
# keyframe on. FFmpeg stops sooner, as soon as it has both.
PATIENT_ANALYZE_US = 30_000_000
# The listener's line of a codec that FFmpeg does not know.
UNKNOWN_CODEC = b"#codec_id 0: none"
NO_PICTURE_YET = "the camera sends no picture yet"
# The publisher opens its input for this long at most: with the defaults 5 s. The
# bytes must hold a whole keyframe and the sound behind it (a 720p one of a
# detailed picture is 150 KB), or it finds no sound and gives up.
PUBLISHER_ANALYZE_US = 500_000
PUBLISHER_PROBE_S = 2
PUBLISHER_IO_TIMEOUT_US = 10_000_000
# How much the kernel keeps for a slow destination. By default it keeps 4 MB,
# which is 16 s of delay at 2 Mbit/s, and a dead destination is noticed that late.
PUBLISHER_SEND_BUFFER_S = 1

_ERROR_LINE = re.compile(r"\[(?:error|fatal)\] (\w.*)")

_SOUND_MAPPING = re.compile(r"Stream #(\d+):\d+ -> #0:1\b")
_NO_CONNECTION = re.compile(r"Connection to \S+ failed: (.+)")


@dataclass(frozen=True)
class Fault:
    """What is wrong with a destination, in words and as a cause to count."""

    words: str
    cause: Cause


@dataclass(frozen=True)
class Clocks:
    """Where a camera's two clocks stand at one moment, in its timestamps."""

    picture_s: float
    sound_s: float


_FAULTS = {
    "Failed to resolve hostname": Fault("the destination's host name is not known", Cause.UNREACHABLE),
    "Cannot open connection": Fault("the destination cannot be reached", Cause.UNREACHABLE),
    "RTMP handshake": Fault("the destination closes the connection before the RTMP handshake", Cause.CLOSED),
    "Connection timed out": Fault("the destination takes no data", Cause.STUCK),
}
_CLOSED = ("Input/output error", "Broken pipe", "Connection reset by peer", "End of file")
CLOSES_SOON_S = 10.0
REFUSED = Fault("the destination closes the connection right after publish: check the stream key", Cause.REFUSED)

_GLOBAL = ("-hide_banner", "-nostdin", "-nostats", "-loglevel", "level+info")
# With several threads the filters mostly wait for each other, which costs 4 % of the transcode's CPU.
_FILTER_THREADS = ("-filter_complex_threads", "1")


def compositor_args(
    ingest_url: str,
    overlay_path: Path,
    canvas: Canvas,
    profile: OutputProfile,
    encoder: Encoder,
    *,
    sound: bool = True,
    clocks: Clocks | None = None,
    treatment: Treatment = PLAIN,
    patient: bool = False,
    input_options: Sequence[str] = (),
) -> list[str]:
    """Camera and overlay to MPEG-TS on stdout; without `sound`, silence whatever the camera has.

    With `clocks`, picture and sound are stamped by two clocks, and are joined. `treatment` is
    what the camera's picture needs.

    A `patient` one awaits a picture behind the sound; one that is not soon takes
    what there is, which is right for a camera without sound.
    """
    picture_start, sound_start = "", ""
    if not sound:  # FFmpeg counts from the earliest packet, also of a sound that is left out and hours away
        picture_start = "setpts=PTS-STARTPTS,"
    elif clocks:
        picture_start, sound_start = f"setpts=PTS-{clocks.picture_s}/TB,", f"asetpts=PTS-{clocks.sound_s}/TB,"
    return [
        *_GLOBAL,
        *_FILTER_THREADS,
        *encoder.device_args,
        *(["-copyts"] if clocks else []),
        *([] if sound else _NO_SOUND),
        # For a picture that does not say how its colours are made.
        *("-colorspace", "smpte170m" if treatment.is_sd else "bt709"),
        *input_options,
        *_ingest_args(ingest_url, PATIENT_ANALYZE_US if patient else INGEST_ANALYZE_US),
        *overlay_input(overlay_path, profile.overlay_rate),
        *_SILENCE,
        "-filter_complex",
        _picture_filter(canvas, profile, picture_start + (_DEINTERLACE if treatment.is_interlaced else ""))
        + encoder.last_filters,
        # Gaps in the camera's sound become silence instead of drift.
        *("-af", (METER if sound else "") + sound_start + "aresample=async=1000"),
        # End with the camera's picture: the silence and the overlay never end.
        "-shortest",
        *encoder.args(profile),
        *_audio_args(),
        *_transport_args(COMPOSITOR_OFFSET_S),
    ]


def slate_args(
    picture_path: Path,
    overlay_path: Path,
    canvas: Canvas,
    profile: OutputProfile,
    encoder: Encoder,
    *,
    head_start_s: float = SLATE_HEAD_START_S,
) -> list[str]:
    """A still picture with the same overlay and silence, encoded as the compositor does, in real time.

    Its first `head_start_s` of picture is made at once, so that the encoder has
    a frame to give before so much time has gone by.
    """
    size, rate = f"{profile.width}x{profile.height}", profile.frame_rate
    if not encoder.looks_ahead:
        head_start_s = 0.0
    # A time line that begins before 0 is what -re runs through without waiting; the filters move it back.
    early = ["-itsoffset", str(-head_start_s)]
    return [
        *_GLOBAL,
        *_FILTER_THREADS,
        *encoder.device_args,
        # -re: nothing else paces a generated picture. The still is decoded once and laid over it.
        *("-re", *early, "-f", "lavfi", "-i", f"color=c=black:s={size}:r={rate}"),
        *("-f", "image2", "-pattern_type", "none", "-i", str(picture_path)),
        *early,
        *overlay_input(overlay_path, profile.overlay_rate),
        *("-re", *early, "-f", "lavfi", "-i", f"anullsrc=channel_layout=stereo:sample_rate={AUDIO_RATE_HZ}"),
        "-filter_complex",
        f"[0:v:0][1:v:0]overlay=format=yuv420[slate];[2:v:0]{_OVERLAY_FILTER}[overlay];"
        f"[slate][overlay]overlay=x=0:y={canvas.top}:format=yuv420,{_TAGS},setpts=PTS+{head_start_s}/TB"
        + encoder.last_filters,
        *("-af", f"asetpts=PTS+{head_start_s}/TB"),
        *encoder.args(profile),
        *_audio_args(),
        *_transport_args(SLATE_OFFSET_S),
    ]


def trial_args(profile: OutputProfile, encoder: Encoder) -> list[str]:
    """A quarter of a second of a test picture, encoded as on air, to MPEG-TS on stdout."""
    size, rate = f"{profile.width}x{profile.height}", profile.frame_rate
    return [
        *_GLOBAL,
        *encoder.device_args,
        *("-f", "lavfi", "-i", f"testsrc2=s={size}:r={rate}"),
        *("-filter_complex", f"[0:v:0]format=yuv420p,{_TAGS}{encoder.last_filters}"),
        *("-frames:v", str(rate // 4), *encoder.args(profile)),
        *_transport_args(SLATE_OFFSET_S),
    ]


def listener_args(ingest_url: str, input_options: Sequence[str] = ()) -> list[str]:
    """One line on stdout for each packet of the camera's sound, after the codec's; ends when there is no such track."""
    return [
        *_GLOBAL,
        *("-vn", *input_options, *_ingest_args(ingest_url), "-map", "0:a:0", "-c", "copy"),
        *("-f", "framecrc", "-flush_packets", "1", "pipe:1"),
    ]


def examiner_args(ingest_url: str) -> list[str]:
    """The camera's FLV as the RTMP server gives it, to stdout: FFmpeg itself looks at nothing of it."""
    return [
        *_GLOBAL,
        *("-f", "data", "-i", ingest_url, "-map", "0", "-c", "copy"),
        *("-flush_packets", "1", "-f", "data", "pipe:1"),
    ]


def preview_args(count: int, width: int) -> list[str]:
    """So many H.264 keyframes on stdin, one after the other, to as many JPEGs of this width on stdout."""
    return [
        *("-hide_banner", "-nostdin", "-loglevel", "error"),
        *("-threads", "1", "-probesize", "32", "-analyzeduration", "1", "-fpsprobesize", "0"),
        *("-f", "h264", "-i", "pipe:0", "-frames:v", str(count), "-fps_mode", "passthrough"),
        # A JPEG is full range and of BT.601's matrix, whatever the video is.
        *("-vf", f"scale={width}:-2:flags=area:out_range=pc:out_color_matrix=bt601", "-filter_threads", "1"),
        *("-c:v", "mjpeg", "-threads", "1", "-q:v", "4", "-f", "image2pipe", "pipe:1"),
    ]


def _ingest_args(url: str, analyze_us: int = INGEST_ANALYZE_US) -> list[str]:
    return [
        # Without guessing the camera's rate the probing ends as soon as picture and
        # sound are known: on air 1 s sooner, and 1 s less of old picture at the start.
        *("-fpsprobesize", "0", "-analyzeduration", str(analyze_us)),
        *("-thread_queue_size", "512"),
        *("-i", url),
    ]


def overlay_input(path: Path, rate: int) -> list[str]:
    """The overlay as an input that shows each new picture at once.

    Its lag is a fixed number of queued pictures. At a rate that the frames' is a multiple of there is
    one picture for each frame's time, and none has to wait for the next: 0.08 s at 30, 0.15 s at 25.
    """
    return [
        # image2 opens the path anew for each picture; without it a rename is never seen.
        *("-f", "image2", "-pattern_type", "none", "-loop", "1"),
        *("-framerate", str(rate)),
        # Every queued picture is an old picture.
        *("-threads", "1", "-thread_queue_size", "1"),
        *("-i", str(path)),
    ]


# Only frames that are flagged as interlaced; the others pass unchanged.
_DEINTERLACE = "bwdif=mode=send_frame:deint=interlaced,"

# The decoder is never used. But FFmpeg would examine a sound that it does not know for as long as it may.
_NO_SOUND = ("-an", "-c:a", "pcm_u8")

# One channel and the last input: FFmpeg takes the sound with the most channels,
# of equals the first, so any sound of the camera goes before this.
_SILENCE = ("-f", "lavfi", "-i", f"anullsrc=channel_layout=mono:sample_rate={AUDIO_RATE_HZ}")


# The palette's own conversion knows BT.601 alone. Nothing is scaled: other flags would weigh neighbours for nothing.
_OVERLAY_FILTER = "format=rgba,scale=flags=neighbor:out_color_matrix=bt709:out_range=tv,format=yuva420p"

# Range, matrix and aspect are pinned, so that no camera changes the encoder's headers.
_TAGS = "setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709"


def _picture_filter(canvas: Canvas, profile: OutputProfile, start: str) -> str:
    """Fit the camera's picture into the profile, pad it, lay the overlay on it.

    Its output stays unlabelled on purpose: only then does FFmpeg choose the sound by itself.
    """
    width, height, rate = profile.width, profile.height, profile.frame_rate
    fit = (
        f"scale=w='min({width},2*trunc({height}*dar/2))':h='min({height},2*trunc({width}/dar/2))'"
        ":out_range=tv:out_color_matrix=bt709"
    )
    return (
        f"[0:v:0]{start}{fit},format=yuv420p,pad={width}:{height}:-1:-1,setsar=1,fps={rate}[camera];"
        f"[1:v:0]{_OVERLAY_FILTER}[overlay];"
        f"[camera][overlay]overlay=x=0:y={canvas.top}:format=yuv420:shortest=1,{_TAGS}"
    )


def _audio_args() -> list[str]:
    return [
        *("-c:a", "aac", "-b:a", f"{AUDIO_BITRATE_KBPS}k"),
        *("-ar", str(AUDIO_RATE_HZ), "-ac", str(AUDIO_CHANNELS)),
    ]


def _transport_args(offset_s: int) -> list[str]:
    return [
        *("-muxdelay", "0", "-muxpreload", "0", "-flush_packets", "1"),
        # With the length in its header, a frame is known to be complete before the next one comes.
        *("-omit_video_pes_length", "0"),
        *("-output_ts_offset", str(offset_s)),
        *("-f", "mpegts", "pipe:1"),
    ]


def publisher_args(destination: Destination, key_fd: int | None, profile: OutputProfile) -> list[str]:
    """Send the MPEG-TS on stdin to the destination without encoding it again.

    With `key_fd` the stream key is read from there (see `publisher_preset`) and
    so shows in no process title; without it stands on the command line. FFmpeg
    prints it in neither case, as it would a URL.
    """
    if key_fd is None:
        key = ["-rtmp_app", destination.application, "-rtmp_playpath", destination.stream_key]
    else:
        key = ["-fpre", f"/dev/fd/{key_fd}"]
    return [
        *_GLOBAL,
        *("-probesize", str(PUBLISHER_PROBE_S * profile.bytes_per_second)),
        *("-analyzeduration", str(PUBLISHER_ANALYZE_US)),
        *("-fflags", "+discardcorrupt"),
        *("-f", "mpegts", "-i", "pipe:0"),
        *("-c", "copy", "-map", "0:v:0", "-map", "0:a:0"),
        *("-f", "flv", "-flvflags", "no_duration_filesize", "-flush_packets", "1"),
        *("-rw_timeout", str(PUBLISHER_IO_TIMEOUT_US)),
        *("-send_buffer_size", str(PUBLISHER_SEND_BUFFER_S * profile.bytes_per_second)),
        *key,
        destination.server_url,
    ]


def publisher_preset(destination: Destination) -> bytes:
    """The options that name application and stream key, as an FFmpeg preset file."""
    return f"rtmp_app={destination.application}\nrtmp_playpath={destination.stream_key}\n".encode()


def says_input_is_open(line: str) -> bool:
    """True for the line that FFmpeg prints when all inputs are open and the tracks are chosen."""
    return "Stream mapping:" in line


def says_sound_is_unknown(line: str) -> bool:
    """True for what FFmpeg prints at each packet of a sound that it cannot decode."""
    return "Audio codec (" in line


def says_data_comes(line: str) -> bool:
    """True for a line that FFmpeg prints only when it has got something from the camera."""
    return "[flv @" in line or "Input #0, " in line


def says_output_is_open(line: str) -> bool:
    """True for the line that FFmpeg prints when it has connected and written the header."""
    return "Output #0" in line


def error_in(text: str) -> str | None:
    """The first error that FFmpeg tells in this text, which may be one line or many."""
    match = _ERROR_LINE.search(text)
    return match[1] if match else None


def says_codec_is_unknown(text: str) -> bool:
    """True for the error of a compositor that has no decoder for a track that it should play."""
    return "Decoder (codec none) not found" in text


def sound_source(line: str) -> str | None:
    """`camera` or `silence`, from the line in which a compositor says where its sound comes from."""
    match = _SOUND_MAPPING.search(line)
    return None if match is None else "camera" if match[1] == "0" else "silence"


def destination_fault(
    lines: Sequence[str], published_for_s: float | None, *, key_is_good: bool = False
) -> Fault | None:
    """What a publisher's last lines say of its destination; None when they say nothing of it.

    `published_for_s` is None for one that never got so far. A refused key and a
    lost network end in the same words of FFmpeg; only how far it came tells them
    apart, and whether the key was taken before.
    """
    text = "\n".join(lines)
    if match := _NO_CONNECTION.search(text):
        return Fault(f"the destination cannot be reached: {match[1]}", Cause.UNREACHABLE)
    for words, fault in _FAULTS.items():
        if words in text:
            return fault
    if not any(word in text for word in _CLOSED):
        return None
    is_soon = published_for_s is None or published_for_s < CLOSES_SOON_S
    return REFUSED if is_soon and not key_is_good else Fault("the destination closed the connection", Cause.CLOSED)
