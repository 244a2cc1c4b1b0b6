"""The status of a stream that is well. Tests change what matters to them."""

from __future__ import annotations

from relay.delivery import DeliveryStatus
from relay.feed_status import FeedStatus
from relay.stream_state import State, StreamStatus

DESTINATION = DeliveryStatus("rtmp://a.rtmp.youtube.com/live2/****", "connected", None, 1, 0)
LIVE = StreamStatus(
    name="m1",
    desired="run",
    state=State.LIVE,
    states=(State.LIVE,),
    since="2026-05-12T17:56:40Z",
    reason=None,
    uptime_s=5410.2,
    on_air="camera",
    sound="camera",
    attempts={"compositor": 3, "publisher": 1},
    restarts={},
    fps=30.0,
    speed=1.0,
    bitrate_kbps=4180.3,
    dropped_frames=0,
    last_frame_age_s=0.02,
    overlay_age_s=31.4,
    score_age_s=0.6,
    score_delay_s=0.0,
    polls={},
    feed=FeedStatus(None, None, None),
    last_error=None,
    destination=DESTINATION,
    backup=None,
)
