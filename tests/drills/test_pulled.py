"""A camera that the service pulls is lost, and comes back."""

from __future__ import annotations

import time

import pytest

from tests.drills.cameras import FFmpegCamera
from tests.drills.drill import Drill
from tests.drills.test_camera import fill
from tests.rtsp_peer import RtspPeer
from tests.service import FFMPEG

STALL_S = 2.0
BACK_LIMIT_S = STALL_S + 3
AWAY_S = 12.0


@pytest.mark.long
def test_a_pulled_camera_is_lost_and_back(drill: Drill) -> None:
    row = drill.row("pulled camera (RTSP) switched off and on again", f"back in {BACK_LIMIT_S:g} s")
    server = RtspPeer()
    url = f"rtsp://127.0.0.1:{server.port}/pavilion"
    options = ("-f", "rtsp", "-rtsp_transport", "tcp")
    with FFmpegCamera(FFMPEG, drill.clock_recording, url, *options):
        drill.begin(body={"camera_url": url}, allowed_camera_hosts="127.0.0.1")
        drill.await_on_air("camera")
        drill.observe()
        fault = time.monotonic()
        server.close()
    drill.await_on_air("slate")
    drill.observe(AWAY_S)
    with RtspPeer(port=server.port), FFmpegCamera(FFMPEG, drill.clock_recording, url, *options):
        on_again = time.monotonic()
        row.normal_s = drill.await_on_air("camera", BACK_LIMIT_S + 10) - on_again
        drill.observe()
        fill(row, drill, fault)
        row.hold("back", row.normal_s, BACK_LIMIT_S)
        row.hold_one_connection()
        drill.end(row)
