"""What the service says of a stream's score: the match, what is on screen, the log, and the feed's trouble."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from demo.boards import CHASE, CSK, FIRST
from demo.match_feed import Answer, MatchFeed
from scoring.reading import parse_match_data, read_push
from scoring.writing import written
from tests.feeds import batter, score
from tests.unit.test_routes import GOOD, client
from tests.waiting import eventually

__all__ = ["client"]


def entries(client: FlaskClient, after: int = 0, **wanted: Any) -> list[dict[str, Any]]:
    answer = client.get(f"/streams/m1/log?after={after}")
    assert answer.json is not None
    return [entry for entry in answer.json["entries"] if wanted.items() <= entry.items()]


def test_before_there_is_a_score(client: FlaskClient) -> None:
    client.post("/start_stream", json=GOOD)
    answer = client.get("/streams/m1/match")
    assert (answer.status_code, answer.json) == (404, {"error": "Stream m1 has no score yet"})
    seen = client.get("/streams/m1/on_screen").json or {}
    assert (seen["strip"], seen["words"], seen["banner"], seen["mark"]) == ("hidden", [], None, None)
    assert (seen["strap"], seen["card"], seen["sponsor"], seen["hold"], seen["motion"]) == (
        None,
        None,
        None,
        False,
        False,
    )
    assert client.get("/streams/m9/on_screen").status_code == 404
    assert client.get("/streams/m9/log").json == {"error": "Stream not found"}


def test_a_push_its_banner_and_its_moment(client: FlaskClient) -> None:
    client.post("/start_stream", json=GOOD)
    client.put("/streams/m1/match", json=score(60, "12.0", batters=[batter("A Stone", 30, 36, 2)], this_over=[]))
    client.put("/streams/m1/match", json=score(64, "12.1", batters=[batter("A Stone", 34, 37, 3)], this_over=["4"]))
    match = client.get("/streams/m1/match").json
    assert match is not None
    assert (match["source"], match["batting"]["runs"], match["status"]) == ("push", 64, "live")
    seen = client.get("/streams/m1/on_screen").json
    assert seen is not None
    assert seen["banner"] == {"kind": "FOUR", "words": ["FOUR", "A Stone", "34 (37)"]}
    assert {"RV", "64/0", "12.1 overs"} <= set(seen["words"])
    [four] = entries(client, kind="moment")
    assert (four["moment"], four["who"], four["text"]) == ("FOUR", "A Stone", "FOUR: A Stone  34 (37)")
    assert entries(client, after=four["seq"]) == []


def test_an_older_push_is_answered_as_such(client: FlaskClient) -> None:
    client.post("/start_stream", json=GOOD)
    client.put("/streams/m1/match", json=score(64, "12.1", updated_at="2026-01-01T10:00:40Z"))
    answer = client.put("/streams/m1/match", json=score(60, "12.0", updated_at="2026-01-01T10:00:00Z"))
    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["message"].endswith("is earlier than that of the score on screen, which stays")
    match = client.get("/streams/m1/match").json
    assert match is not None
    assert match["batting"]["runs"] == 64


def test_the_log_has_starts_states_and_overs(client: FlaskClient) -> None:
    client.post("/start_stream", json=GOOD)
    client.put("/streams/m1/match", json=score(60, "11.5", 2))
    client.put("/streams/m1/match", json=score(61, "12.0", 2))
    assert [entry["text"] for entry in entries(client, kind="score")] == ["Red Valley 61/2 after 12 overs"]
    assert entries(client, kind="operator")[0]["text"] == "started to rtmp://127.0.0.1/live2/****"
    client.patch("/streams/m1", json={"score_delay_s": 5})
    assert entries(client, kind="operator")[-1]["text"] == "score delay set to 5 s"
    numbers = [entry["seq"] for entry in entries(client)]
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize("after", ["-1", "x", "1.5", "", "9" * 10])
def test_a_malformed_number_is_named(client: FlaskClient, after: str) -> None:
    client.post("/start_stream", json=GOOD)
    answer = client.get(f"/streams/m1/log?after={after}")
    assert (answer.status_code, answer.json) == (
        400,
        {"error": "after must be the number of an entry: a whole number from 0 on"},
    )


def test_the_status_says_what_is_wrong_with_the_feed(client: FlaskClient, feed: MatchFeed) -> None:
    feed.data = Answer.of(score(101, "14.3", 4))
    client.post("/start_stream", json=GOOD)

    def feed_status() -> dict[str, Any]:
        status: dict[str, Any] = client.get("/streams/m1").json or {}
        told: dict[str, Any] = status["feed"]
        return told

    assert (feed_status()["source"], feed_status()["trouble"]) == ("api", None)
    feed.data = Answer(b"{}", 404)
    eventually(lambda: feed_status()["trouble"] is not None)
    assert "404" in feed_status()["trouble"]
    assert "404" in entries(client, kind="feed")[-1]["text"]
    feed.data = Answer.of(score(102, "14.4", 4))
    eventually(lambda: feed_status()["trouble"] is None)
    assert entries(client, kind="feed")[-1]["text"] == "match data usable again"


FULL = CHASE | {
    "format": {"overs": 20, "balls_per_over": 6, "innings_per_side": 1, "players": 8, "last_pair_bats_on": True},
    "totals": [{"batting": "Mumbai Indians", "runs": 149, "wickets": 8, "overs": "20.0", "declared": True}],
    "card": {
        "batting": [{"name": "SR Watson", "runs": 76, "balls": 55, "status": "batting"}],
        "extras": {"wides": 4, "penalty": 5},
        "bowling": [{"name": "JJ Bumrah", "overs": "3.2", "runs": 12, "wickets": 2, "no_balls": 1}],
        "fall": [{"wicket": 1, "runs": 33, "overs": "4.1", "name": "F du Plessis"}],
    },
    "squads": {"Mumbai Indians": ["JJ Bumrah"], "Chennai Super Kings": ["MS Dhoni"]},
    "revised": {"overs": 12, "target": 101, "method": "DLS"},
    "par": 98,
    "free_hit": True,
    "powerplay": True,
    "break": "drinks",
    "batting_first": "Mumbai Indians",
    "winner": "Chennai Super Kings",
    "updated_at": "2026-01-01T10:00:40Z",
}


@pytest.mark.parametrize(
    "state",
    [FULL, CHASE, FIRST, {"sport": "generic", "home": CSK, "clock": "67:12"}, {"sport": "cricket", "title": "A match"}],
)
def test_what_is_written_is_read_as_the_same(state: dict[str, Any]) -> None:
    board = parse_match_data(state)
    told = written(board)
    again = read_push(told)
    assert again.updated_at == board.updated_at
    assert {**written(again)} == told
    assert read_push({key: value for key, value in told.items() if key != "status"} | _status(state)) == board


def _status(state: dict[str, Any]) -> dict[str, Any]:
    return {"status": state.get("status")}
