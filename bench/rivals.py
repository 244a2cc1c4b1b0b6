"""Command lines for other ways to do the same job: a bare transcode, FFmpeg's one-liner, GStreamer.

Each has the same encoder settings. Source and sink are RTMP URLs, or FLV files
whose pictures can be compared frame by frame.
"""

from __future__ import annotations

import re
from pathlib import Path

from PIL import Image

from graphics.layout import Canvas
from media.encoders import Encoder
from media.profiles import AUDIO_BITRATE_KBPS, AUDIO_CHANNELS, AUDIO_RATE_HZ, OutputProfile

_QUIET = ("-nostdin", "-y", "-loglevel", "error")
SOUND = ("-c:a", "aac", "-b:a", f"{AUDIO_BITRATE_KBPS}k", "-ar", str(AUDIO_RATE_HZ), "-ac", str(AUDIO_CHANNELS))
_X264_OPTIONS = re.compile(rb"x264 - core [ -~]*? options: ([ -~]+)")


def bare_args(source: str, sink: str, profile: OutputProfile, encoder: Encoder) -> list[str]:
    """FFmpeg's transcode to the profile, without an overlay."""
    picture = ["-s", f"{profile.width}x{profile.height}", "-r", str(profile.frame_rate)]
    return [*_QUIET, "-i", source, *picture, *encoder.args(profile), *SOUND, "-f", "flv", sink]


def one_liner_args(source: str, sink: str, profile: OutputProfile, encoder: Encoder, picture: Path) -> list[str]:
    """What many set up by hand: a still as large as the picture, read again and again and laid over all of it."""
    inputs = ["-i", source, "-loop", "1", "-i", str(picture)]
    form = ["-s", f"{profile.width}x{profile.height}", "-r", str(profile.frame_rate)]
    laid = ["-filter_complex", "overlay=shortest=1"]
    return [*_QUIET, *inputs, *laid, *form, *encoder.args(profile), *SOUND, "-f", "flv", sink]


def gstreamer_args(
    source: str, sink: str, profile: OutputProfile, encoder: Encoder, strip: Path, canvas: Canvas
) -> list[str]:
    """The same in GStreamer, with a strip that never changes."""
    is_live = source.startswith("rtmp")
    reader = ("rtmpsrc", f"location={source} live=1") if is_live else ("filesrc", f"location={source}")
    writer = ("rtmpsink" if is_live else "filesink", f"location={sink}")
    size = f"video/x-raw,width={profile.width},height={profile.height}"
    laid = ("gdkpixbufoverlay", f"location={strip}", f"offset-y={canvas.top}")
    x264 = (*_x264enc(profile, encoder), "!", "video/x-h264,profile=high")
    sound = f"audio/x-raw,rate={AUDIO_RATE_HZ},channels={AUDIO_CHANNELS}"
    aac = ("avenc_aac", f"bitrate={1000 * AUDIO_BITRATE_KBPS}")
    return [
        "-q",
        *_linked(reader, ("flvdemux", "name=d")),
        *_linked("d.video", "queue", "h264parse", "avdec_h264", "videoconvert", "videoscale", size, laid, x264),
        *("!", *_linked("h264parse", "mux.")),
        *_linked("d.audio", "queue", "aacparse", "avdec_aac", "audioconvert", "audioresample", sound, aac),
        *("!", *_linked("aacparse", "mux.")),
        *_linked(("flvmux", "name=mux", "streamable=true"), writer),
    ]


def _x264enc(profile: OutputProfile, encoder: Encoder) -> tuple[str, ...]:
    """`Encoder.args` in GStreamer's words, without the extra keyframes at the start."""
    gop = profile.gop_frames
    rate = ("pass=cbr", f"bitrate={profile.video_bitrate_kbps}", "vbv-buf-capacity=1000", f"key-int-max={gop}")
    options = f"option-string=nal-hrd=cbr:force-cfr=1:keyint-min={gop}:scenecut=0"
    return ("x264enc", f"speed-preset={encoder.preset}", *rate, options)


def _linked(*elements: str | tuple[str, ...]) -> list[str]:
    """Elements linked in a row. An element with properties is a tuple."""
    words = [word for element in elements for word in ("!", *((element,) if isinstance(element, str) else element))]
    return words[1:]


def full_frame(strip: Path, canvas: Canvas, profile: OutputProfile, path: Path) -> None:
    """The strip on a transparent picture of the profile's size."""
    picture = Image.new("RGBA", (profile.width, profile.height))
    with Image.open(strip) as opened:
        picture.paste(opened.convert("RGBA"), (0, canvas.top))
    picture.save(path)


def x264_options(stream: bytes) -> dict[str, str]:
    """The options that x264 wrote into an H.264 stream. Raises ValueError if there are none."""
    match = _X264_OPTIONS.search(stream)
    if match is None:
        raise ValueError("the stream does not contain x264's options")
    return dict(word.partition("=")[::2] for word in match[1].decode().split())


def differences(one: dict[str, str], other: dict[str, str]) -> dict[str, tuple[str | None, str | None]]:
    """The options that differ, with both values."""
    names = sorted(one.keys() | other.keys())
    return {name: (one.get(name), other.get(name)) for name in names if one.get(name) != other.get(name)}
