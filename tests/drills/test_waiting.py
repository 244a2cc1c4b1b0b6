"""The service waits for a camera, and its connection to the RTMP server is dead without a word."""

from __future__ import annotations

import time

import pytest

from tests.drills.drill import Drill
from tests.drills.test_camera import fill, returned_at

# Without hooks nobody says that the camera came, so a waiting compositor is renewed once a minute.
SILENT_LIMIT_S = {True: 10, False: 60}


@pytest.mark.long
@pytest.mark.parametrize("hooks", [True, False], ids=["with hooks", "without hooks"])
def test_the_server_is_gone_silently_before_the_camera_comes(drill: Drill, hooks: bool) -> None:
    limit_s = SILENT_LIMIT_S[hooks]
    how = "with hooks" if hooks else "without hooks"
    row = drill.row(f"RTMP server gone silently before the camera comes, {how}", f"on air in {limit_s} s")
    drill.begin(hooks=hooks, proxied=True)
    drill.await_on_air("slate")
    drill.observe()
    drill.way_out.abandon()
    fault = time.monotonic()
    drill.camera()
    came = returned_at(drill, fault)
    drill.await_on_air("camera", limit_s + 10)
    drill.observe()
    fill(row, drill, fault)
    row.normal_s = drill.sight().camera_since(came)
    row.hold("on air", row.normal_s, limit_s + 2)
    row.hold_one_connection()
    drill.end(row)
