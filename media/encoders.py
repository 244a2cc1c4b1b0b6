"""The H.264 encoders: FFmpeg's options for the picture of a profile, on the CPU or in hardware.

Whichever it is, the stream is the same: constant bitrate over a buffer of 1 s, a
closed GOP of the profile's length, High profile, 4:2:0, BT.709. FFmpeg's
MPEG-TS muxer sets SPS and PPS before each keyframe. Slate and compositor
follow each other on air, so both use the same.
"""

from __future__ import annotations

from dataclasses import dataclass

from media.profiles import OutputProfile

X264 = "libx264"
X264_PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow")
VAAPI, QSV = "h264_vaapi", "h264_qsv"

# A source can then go on air soon after its start, without a backlog.
_KEYFRAMES_S = "0.2,0.4,0.6,0.8,1.2,1.6,2,2.4,2.8,3.2"

# Of each in hardware: format and speed, rate control and delay, and keyframes. None reorders
# frames or holds some back to look ahead; a forced keyframe is one that can be joined at (IDR).
_HARDWARE = {
    "h264_nvenc": (
        ("-preset", "p4", "-tune", "ll", "-profile:v", "high", "-pix_fmt", "yuv420p"),
        ("-rc", "cbr", "-zerolatency", "1", "-delay", "0"),
        ("-forced-idr", "1"),
    ),
    VAAPI: (("-profile:v", "high"), ("-rc_mode", "CBR", "-async_depth", "1"), ()),
    QSV: (
        ("-preset", "veryfast", "-profile:v", "high", "-pix_fmt", "nv12"),
        # Constant bitrate follows from -maxrate.
        ("-async_depth", "1"),
        ("-forced_idr", "1"),
    ),
    "h264_videotoolbox": (
        ("-profile:v", "high", "-pix_fmt", "yuv420p"),
        ("-constant_bit_rate", "1", "-realtime", "1"),
        (),
    ),
}
ENCODERS = (X264, *_HARDWARE)


@dataclass(frozen=True)
class Encoder:
    """One of ENCODERS; `preset` is x264's, `device` is VAAPI's and QSV's."""

    name: str
    preset: str
    device: str

    @property
    def looks_ahead(self) -> bool:
        """True if the encoder needs some more frames before it gives its first."""
        return self.name == X264

    @property
    def device_args(self) -> list[str]:
        """Options before the inputs."""
        option = {VAAPI: "-vaapi_device", QSV: "-qsv_device"}.get(self.name)
        return [option, self.device] if option else []

    @property
    def last_filters(self) -> str:
        """The last filters of the picture."""
        return ",format=nv12,hwupload" if self.name == VAAPI else ""

    def args(self, profile: OutputProfile) -> list[str]:
        """Options before the output."""
        rate = f"{profile.video_bitrate_kbps}k"
        gop = str(profile.gop_frames)
        if self.name == X264:
            form: tuple[str, ...] = ("-preset", self.preset, "-profile:v", "high", "-pix_fmt", "yuv420p")
            control: tuple[str, ...] = ("-x264-params", "nal-hrd=cbr:force-cfr=1")
            keys: tuple[str, ...] = ("-keyint_min", gop, "-sc_threshold", "0")
        else:
            form, control, keys = _HARDWARE[self.name]
            keys = ("-bf", "0", "-flags", "+cgop", *keys)
        return [
            *("-c:v", self.name, *form),
            *("-b:v", rate, "-minrate", rate, "-maxrate", rate, "-bufsize", rate),
            *control,
            *("-g", gop, *keys),
            *("-force_key_frames", _KEYFRAMES_S),
            *("-color_range", "tv", "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"),
        ]
