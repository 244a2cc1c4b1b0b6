"""What is left after one stop, after many, after the end of the service and after its kill."""

from __future__ import annotations

import signal
from pathlib import Path

from demo.match_feed import Answer, MatchFeed
from demo.replay import states
from tests.integration.conftest import Camera
from tests.service import ROOT, MakeService, Service, run_demo
from tests.waiting import eventually, runs


def counts(service: Service) -> tuple[int, int, int]:
    """Threads, open descriptors, files in the temporary folder."""
    process = Path(f"/proc/{service.process.pid}")
    return (
        len(list((process / "task").iterdir())),
        len(list((process / "fd").iterdir())),
        len(list(service.temp.rglob("*"))),
    )


def test_nothing_is_left_after_twenty_starts_and_stops(service: MakeService, camera: Camera, feed: MatchFeed) -> None:
    feed.data = Answer.of(next(states()).as_current_score())
    with camera("m1"):
        one = service()
        one.start("m1")
        eventually(lambda: "picture is on air" in one.log(), 40)
        one.stop("m1")
        before = counts(one)
        for number in range(20):
            one.start("m1")
            if number % 10 == 0:
                eventually(lambda: one.log().count("picture is on air") > 1 + number // 10, 40)
            one.stop("m1")
            assert one.children() == {}
        eventually(lambda: all(now <= then for now, then in zip(counts(one), before, strict=True)))


def test_sigterm_ends_the_service_and_all_that_it_started(service: MakeService, camera: Camera) -> None:
    with camera("m1"):
        one = service(overlay_api_base="", overlay_image_base="")
        for name in ("m1", "m2"):
            one.start(name)
        eventually(lambda: "picture is on air" in one.log(), 40)
        pids = list(one.children())
        assert len(pids) >= 4
        one.process.send_signal(signal.SIGTERM)
        assert one.process.wait(20) == 0
        assert [pid for pid in pids if Path(f"/proc/{pid}").exists()] == []
        assert list(one.temp.iterdir()) == []


def test_a_killed_service_leaves_no_ffmpeg_even_one_that_waits_for_a_camera(
    service: MakeService, camera: Camera
) -> None:
    with camera("m1"):
        one = service(overlay_api_base="", overlay_image_base="")
        for name in ("m1", "nobody-films-this"):
            one.start(name)
        eventually(lambda: "picture is on air" in one.log(), 40)
        eventually(lambda: len(one.children()) >= 5)
        pids = list(one.children())
        one.process.kill()
        one.process.wait()
        eventually(lambda: not [pid for pid in pids if runs(pid)], 10)
        again = service(overlay_api_base="", overlay_image_base="")
        again.start("m1")
        assert len(list(again.temp.iterdir())) == 1, "the files of the killed service are removed"
        again.stop("m1")


def test_the_demo_shows_picture_and_score(tmp_path: Path) -> None:
    ended = run_demo("demo.run", tmp_path, 10, 100)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "picture and score arrived" in ended.stdout
    assert (ROOT / "demo" / "out" / "frame.png").stat().st_size > 50_000
    assert list(tmp_path.iterdir()) == []


def test_after_a_kill_running_streams_come_back_and_stopped_ones_do_not(
    service: MakeService, camera: Camera, tmp_path: Path
) -> None:
    settings = {"state_file": str(tmp_path / "streams.json"), "overlay_api_base": "", "overlay_image_base": ""}
    with camera("m1"):
        one = service(**settings)
        one.start("m1")
        one.start("m2")
        one.stop("m2")
        eventually(lambda: "[m1] relay.stream: is live" in one.log(), 40)
        uptime_s = one.listed()["m1"]["uptime"]
        one.process.kill()
        one.process.wait()
        before = one.log().count("[m1] relay.stream: is live")
        two = service(**settings)
        eventually(lambda: two.log().count("[m1] relay.stream: is live") > before, 40)
        assert list(two.listed()) == ["m1"]
        assert two.listed()["m1"]["uptime"] > uptime_s
        two.stop("m1")
        two.process.send_signal(signal.SIGTERM)
        assert two.process.wait(20) == 0
        assert service(**settings).listed() == {}
