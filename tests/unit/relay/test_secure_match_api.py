"""A match API by https, whose certificate CA_FILE makes known, asked by a whole stream."""

from __future__ import annotations

from pathlib import Path

from demo.match_feed import Answer, MatchFeed
from relay.match_side import end_monitoring
from tests.certificates import Authority
from tests.conftest import SettingsFactory
from tests.unit.conftest import MakeRelay
from tests.waiting import eventually


def test_every_question_trusts_what_the_setting_names(
    relay: MakeRelay, settings_with: SettingsFactory, tmp_path: Path
) -> None:
    authority = Authority(tmp_path / "authority")
    feed = MatchFeed(authority.server("IP:127.0.0.1"))
    feed.data = Answer.of({"sport": "cricket", "title": "Red Valley v Blue Hill"})
    try:
        settings = {"overlay_api_base": feed.url, "ca_file": str(authority.file)}
        one = relay(**settings)
        one.start()
        eventually(lambda: feed.paths("GET"))
        assert one.status().polls["data"].failed == {}
        one.registry.stop("m1")
        end_monitoring(settings_with(**settings), "m2")
        assert [(path, body["match_id"]) for method, path, body in feed.calls if method == "POST"] == [
            ("/start-match-monitoring", "m1"),
            ("/stop-match-monitoring", "m1"),
            ("/stop-match-monitoring", "m2"),
        ]
    finally:
        feed.close()
