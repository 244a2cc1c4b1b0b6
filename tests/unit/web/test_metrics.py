from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from app import create_app
from config import Settings
from demo.match_feed import Answer, MatchFeed
from errors import MonitoringFailed, NoCapacity, StreamAlreadyActive
from relay.registry import StreamRegistry
from relay.request import Machinery, StreamRequest
from relay.stream_state import State
from scoring.reading import parse_match_data
from tests.conftest import SettingsFactory
from tests.mpegts import Muxer
from tests.unit.conftest import BACKUP_KEY, KEY, FakeFFmpeg, destination
from tests.waiting import FakeClock, eventually
from web import metrics
from web.metrics import Metrics

BACKUP_URL = f"rtmp://127.0.0.1/backup/{BACKUP_KEY}"


class Watched:
    """A registry with fake FFmpegs, and its page for Prometheus."""

    def __init__(self, settings: Settings) -> None:
        self.metrics = Metrics()
        self.clock = FakeClock()
        self.registry = StreamRegistry(settings, Machinery(clock=self.clock, meters=self.metrics.meters))
        self.metrics.watch(self.registry, settings)

    def start(self, name: str = "m1", backup: bool = False) -> None:
        second = destination(BACKUP_URL) if backup else None
        self.registry.start(StreamRequest(name, destination(), backup=second))

    def samples(self) -> dict[str, dict[tuple[str, ...], float]]:
        """By name and label values; the labels are sorted by name."""
        found: dict[str, dict[tuple[str, ...], float]] = {}
        for family in text_string_to_metric_families(self.metrics.page().decode()):
            for sample in family.samples:
                labels = tuple(value for _, value in sorted(sample.labels.items()))
                found.setdefault(sample.name, {})[labels] = sample.value
        return found

    def value(self, name: str, *labels: str) -> float | None:
        return self.samples().get(f"streaming_{name}", {}).get(labels)

    def wait_for(self, name: str, *labels: str, value: float) -> None:
        def holds() -> bool:
            self.clock.advance(0.1)
            return self.value(name, *labels) == value

        eventually(holds, what=f"{name}{labels} == {value}")


MakeWatched = Callable[..., Watched]


@pytest.fixture
def watched(
    fake_ffmpeg: FakeFFmpeg,
    unasked: None,
    settings_with: SettingsFactory,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[MakeWatched]:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("relay.installed.version", lambda _path: "5.1.9")
    with contextlib.ExitStack() as stack:

        def make(**overrides: Any) -> Watched:
            base = {"ffmpeg_bin": str(fake_ffmpeg.path), "output_profile": "480p30"}
            made = Watched(settings_with(**base | overrides))
            stack.callback(made.registry.close)
            return made

        yield make


def test_without_streams_the_page_describes_the_service(watched: MakeWatched) -> None:
    page = watched(max_concurrent_streams=5).samples()
    assert page["streaming_streams"] == dict.fromkeys([(state.value,) for state in State], 0)
    assert page["streaming_streams_limit"] == {(): 5}
    assert page["streaming_profile_bytes_per_second"] == {(): 266_000}
    assert page["streaming_profile_frames_per_second"] == {(): 30}
    assert page["streaming_service_info"] == {("5.1.9", "480p30"): 1}
    assert page["streaming_streams_ended_total"] == {("stopped",): 0, ("failed",): 0}
    assert not [name for name in page if name.startswith("streaming_stream_")]
    assert page["process_resident_memory_bytes"][()] > 0
    assert "process_cpu_seconds_total" in page
    assert "python_info" in page


def test_two_services_in_one_process_have_their_own_numbers(watched: MakeWatched) -> None:
    one, other = watched(), watched()
    one.start()
    assert one.value("streams", "starting") == 1
    assert other.value("streams", "starting") == 0
    assert other.value("start_seconds_count", "started") == 0


def test_the_numbers_of_a_stream_are_those_of_its_status(
    watched: MakeWatched, fake_ffmpeg: FakeFFmpeg, tmp_path: Path
) -> None:
    muxer = Muxer()
    (tmp_path / "emit.ts").write_bytes(muxer.key_frame(b"k" * 3000) + muxer.video(b"v" * 900) + muxer.video(b"v"))
    publisher = {"stderr": ["[info] Output #0, flv, to 'rtmp://127.0.0.1/live2':"]}
    fake_ffmpeg.script(compositor={"emit": str(tmp_path / "emit.ts")}, publisher=publisher)
    one = watched()
    one.start("m1")
    one.wait_for("stream_state", "live", "m1", value=1)
    one.registry.push("m1", parse_match_data({"sport": "cricket", "title": "The Final"}))
    page, status = one.samples(), one.registry.status("m1")
    assert page["streaming_streams"][("live",)] == 1
    assert sum(page["streaming_stream_state"].values()) == 1
    assert page["streaming_stream_destination_state"] == {
        ("primary", "connecting", "m1"): 0,
        ("primary", "connected", "m1"): 1,
        ("primary", "reconnecting", "m1"): 0,
    }
    expected = {
        "uptime_seconds": status.uptime_s,
        "frames_per_second": status.fps,
        "speed_ratio": status.speed,
        "output_bytes_per_second": status.bitrate_kbps * 125,
        "last_frame_age_seconds": status.last_frame_age_s,
        "overlay_age_seconds": status.overlay_age_s,
        "score_age_seconds": status.score_age_s,
        "state_since_timestamp_seconds": datetime.fromisoformat(status.since).timestamp(),
    }
    assert {name: page[f"streaming_stream_{name}"] for name in expected} == {
        name: {("m1",): pytest.approx(value, rel=1e-3)} for name, value in expected.items()
    }
    assert page["streaming_stream_dropped_frames_total"] == {("primary", "m1"): 0}
    assert page["streaming_stream_attempts_total"][("publisher", "m1")] == 1
    assert page["streaming_overlay_render_seconds_count"] == {(): 1}


def test_an_unknown_value_has_no_series(watched: MakeWatched) -> None:
    one = watched()
    one.start()
    assert one.value("stream_speed_ratio", "m1") == 0
    for name in ("last_frame_age_seconds", "overlay_age_seconds", "score_age_seconds"):
        assert one.value(f"stream_{name}", "m1") is None


def test_a_backup_has_its_own_series(watched: MakeWatched) -> None:
    one = watched()
    one.start(backup=True)
    one.wait_for("stream_attempts_total", "backup publisher", "m1", value=1)
    assert one.value("stream_destination_state", "backup", "connecting", "m1") == 1
    assert one.value("stream_dropped_frames_total", "backup", "m1") == 0


def test_restarts_are_counted_by_child_and_cause(watched: MakeWatched, fake_ffmpeg: FakeFFmpeg) -> None:
    fake_ffmpeg.script(
        compositor={"exit": 1}, publisher={"stderr": ["[error] Cannot open connection tcp://x:1"], "exit": 1}
    )
    one = watched()
    one.start()
    one.wait_for("stream_restarts_total", "exited", "compositor", "m1", value=2)
    one.wait_for("stream_restarts_total", "unreachable", "publisher", "m1", value=2)
    causes = {cause for cause, _, _ in one.samples()["streaming_stream_restarts_total"]}
    assert causes == {"exited", "unreachable"}


def test_polls_and_their_failures_are_counted_by_source_and_kind(watched: MakeWatched, feed: MatchFeed) -> None:
    feed.data, feed.image = Answer(b"<html>"), Answer(b"no picture")
    one = watched(overlay_api_base=feed.url, overlay_image_base=feed.url, match_data_path="/match/{match_id}")
    one.start()
    eventually(lambda: (one.value("stream_polls_total", "image", "m1") or 0) >= 2)
    failures = one.samples()["streaming_stream_poll_failures_total"]
    assert set(failures) == {("malformed", "data", "m1"), ("image", "image", "m1")}
    assert min(failures.values()) >= 1


def test_a_stream_that_has_ended_leaves_no_series(watched: MakeWatched) -> None:
    one = watched()
    before = {(name, labels) for name, samples in one.samples().items() for labels in samples}
    for number in range(3):
        one.start(f"m{number}")
        one.registry.stop(f"m{number}")
    after = {(name, labels) for name, samples in one.samples().items() for labels in samples}
    assert after == before
    assert one.value("streams_ended_total", "stopped") == 3
    assert one.value("start_seconds_count", "started") == 3
    assert one.value("stop_seconds_count", "stopped") == 3


def test_a_failed_stream_is_counted_among_the_states(watched: MakeWatched) -> None:
    one = watched(max_stream_duration_s=60)
    one.start()
    one.clock.advance(61)
    eventually(lambda: one.value("streams", "failed") == 1)
    eventually(lambda: one.value("streams_ended_total", "failed") == 1)
    assert one.value("stream_uptime_seconds", "m1") is None


def test_starts_are_counted_by_their_outcome(watched: MakeWatched, feed: MatchFeed) -> None:
    one = watched(max_concurrent_streams=1, overlay_api_base=feed.url)
    feed.start = Answer(b"", 404)
    with pytest.raises(MonitoringFailed):
        one.start("m0")
    feed.start = Answer(b"{}")
    one.start("m1")
    for name, error in (("m1", StreamAlreadyActive), ("m2", NoCapacity)):
        with pytest.raises(error):
            one.start(name)
    assert {labels: count for labels, count in one.samples()["streaming_start_seconds_count"].items() if count} == {
        ("failed",): 1,
        ("started",): 1,
        ("refused",): 2,
    }
    assert one.value("streams_ended_total", "failed") == 0, "it had not started"


def test_no_key_and_no_url_is_on_the_page(watched: MakeWatched, fake_ffmpeg: FakeFFmpeg) -> None:
    fake_ffmpeg.script(publisher={"stderr": [f"[error] rtmp://127.0.0.1/live2/{KEY}: Input/output error"], "exit": 1})
    one = watched()
    one.start(backup=True)
    one.wait_for("stream_restarts_total", "refused", "publisher", "m1", value=1)
    page = one.metrics.page().decode()
    for secret in (KEY, BACKUP_KEY, "rtmp:", "127.0.0.1"):
        assert secret not in page


def test_names_follow_prometheus_conventions(watched: MakeWatched) -> None:
    one = watched()
    one.start(backup=True)
    families = list(text_string_to_metric_families(one.metrics.page().decode()))
    own = [family for family in families if not re.match(r"process_|python_", family.name)]
    assert len(own) > 20
    for family in own:
        assert re.fullmatch(r"streaming_[a-z_]+", family.name)
        assert family.documentation
        assert not re.search(r"_(ms|kbps|minutes|percent|total)\b", family.name)
        for sample in family.samples:
            assert sample.name.endswith("_total") == (family.type == "counter")


def test_the_route_serves_the_page_of_its_own_registry(
    settings_with: SettingsFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relay.installed.version", lambda _path: "5.1.9")
    answer = create_app(settings_with()).test_client().get("/metrics")
    assert (answer.status_code, answer.content_type) == (200, metrics.CONTENT_TYPE)
    assert 'streaming_streams{state="live"} 0.0\n' in answer.text
