"""The output profiles: what a destination receives, fixed for a stream's life.

Bitrates are YouTube's recommendations for H.264 ingest; 480p30 is for thin
uplinks and takes 2 Mbps.
"""

from __future__ import annotations

from dataclasses import dataclass

GOP_S = 2
AUDIO_BITRATE_KBPS = 128
AUDIO_RATE_HZ = 44_100
AUDIO_CHANNELS = 2


@dataclass(frozen=True)
class OutputProfile:
    """Picture size in pixels, frame rate in frames a second, bitrate in kbit/s."""

    name: str
    width: int
    height: int
    frame_rate: int
    video_bitrate_kbps: int

    @property
    def gop_frames(self) -> int:
        return GOP_S * self.frame_rate

    @property
    def overlay_rate(self) -> int:
        """Pictures of the overlay in a second. The frames' rate is a multiple of it."""
        return 25 if self.frame_rate % 25 == 0 else 30

    @property
    def bytes_per_second(self) -> int:
        """Video and audio together, without the container's overhead."""
        return (self.video_bitrate_kbps + AUDIO_BITRATE_KBPS) * 1000 // 8


AUTO = "auto"  # 720p at the camera's own rate
PROFILES = {
    profile.name: profile
    for profile in (
        OutputProfile("480p30", 854, 480, 30, 2_000),
        OutputProfile("720p30", 1280, 720, 30, 4_000),
        OutputProfile("720p25", 1280, 720, 25, 4_000),
        OutputProfile("720p50", 1280, 720, 50, 6_000),
        OutputProfile("720p60", 1280, 720, 60, 6_000),
        OutputProfile("1080p30", 1920, 1080, 30, 10_000),
        OutputProfile("1080p25", 1920, 1080, 25, 10_000),
        OutputProfile("1080p50", 1920, 1080, 50, 12_000),
        OutputProfile("1080p60", 1920, 1080, 60, 12_000),
    )
}
