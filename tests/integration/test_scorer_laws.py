"""The laws as the scorer's page knows them, in a real browser: whole matches ball by ball, and the odd cases."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from demo.replay import MATCH
from tests.cricsheet import Figures, told
from tests.service import ROOT

Json = dict[str, Any]
SHARED = ROOT.parent / "shared" / "matches"
MATCHES = [MATCH, *(path for path in SHARED.glob("*.json") if path.name != MATCH.name)]
FOLD = """async (logs) => {
  const { fold } = await import("/scorer/innings.js");
  const { board, cardText } = await import("/scorer/board.js");
  return logs.map((events) => {
    const match = fold(events);
    const [innings] = match.innings.slice(-1);
    return {
      board: board(match), text: cardText(match), flagged: match.flagged,
      striker: innings?.striker?.name ?? null, unattributed: innings?.unattributed ?? 0, legal: innings?.balls ?? 0,
    };
  });
}"""
Fold = Callable[..., list[Json]]


class _Files(SimpleHTTPRequestHandler):
    def log_message(self, *_args: object) -> None:
        """Print nothing."""


@pytest.fixture(scope="module")
def fold(browser: Browser) -> Iterator[Fold]:
    """What the page makes of each of these logs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Files, directory=str(ROOT / "web" / "static")))
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    page = browser.new_page()
    page.goto(f"http://127.0.0.1:{server.server_port}/icon.svg")
    yield lambda *logs: page.evaluate(FOLD, list(logs))
    page.close()
    server.shutdown()
    server.server_close()


def log(*events: str | Json | tuple[str, Json]) -> list[Json]:
    """A log of set-up and these events: a dict is a ball, a word an event of that kind."""
    setup = {"kind": "setup", "batting": "Red", "bowling": "Blue", "striker": "A", "non_striker": "B", "bowler": "X"}
    full: list[Json] = [setup | {"format": {"overs": 20, "free_hits": True}}]
    for event in events:
        if isinstance(event, str):
            full.append({"kind": event})
        elif isinstance(event, tuple):
            full.append({"kind": event[0]} | event[1])
        else:
            full.append({"kind": "ball"} | event)
    return [{"id": f"e{number}"} | event for number, event in enumerate(full)]


DOT: Json = {"runs": 0}


@pytest.mark.parametrize("path", MATCHES, ids=lambda path: path.stem)
def test_every_delivery_of_a_real_match_gives_the_figures_that_it_had(fold: Fold, path: Path) -> None:
    found = told(json.loads(path.read_text()))
    states = fold(*(found.events[:length] for length, _ in found.after))
    for (length, expected), state in zip(found.after, states, strict=True):
        assert seen(state["board"], expected) == expected, found.events[length - 1]
        assert state["flagged"] == []
    outcome = json.loads(path.read_text())["info"]["outcome"]
    assert states[-1]["board"]["winner"] == outcome["winner"]
    [(what, by)] = outcome["by"].items()
    assert f"won by {by} {what[:-1]}" in states[-1]["board"]["result"]


def seen(board: Json, expected: Figures) -> Figures:
    """The figures of a board, with the striker only where he is known otherwise."""
    side, bowler = board["batting"], board["bowler"]
    batters = {one["name"]: one for one in board["batters"]}
    figures = {name: (one["runs"], one["balls"], one["fours"], one["sixes"]) for name, one in batters.items()}
    striker = next((name for name, one in batters.items() if one["on_strike"]), None)
    stand = board["partnership"]
    return Figures(
        side["runs"], side["wickets"], side["overs"], figures, striker if expected.striker else None,
        (bowler["name"], bowler["overs"], bowler["runs"], bowler["wickets"]), board["card"]["extras"],
        (stand["runs"], stand["balls"]), board["this_over"],
    )  # fmt: skip


def test_undoing_everything_gives_each_earlier_state_again(fold: Fold) -> None:
    events = told(json.loads(MATCH.read_text())).events[:90]
    undone = [list(events)]
    for number, event in enumerate(reversed(events)):
        undone.append([*undone[-1], {"id": f"u{number}", "kind": "undo", "of": event["id"]}])
    earlier = [events[:length] for length in range(len(events), -1, -1)]
    assert [one["board"] for one in fold(*undone)] == [one["board"] for one in fold(*earlier)]


@pytest.mark.parametrize("seed", range(8))
def test_any_legal_sequence_adds_up(fold: Fold, seed: int) -> None:
    chance = random.Random(seed)
    logs = [log(*(random_event(chance) for _ in range(chance.randrange(1, 150)))) for _ in range(12)]
    for events, state in zip(logs, fold(*logs), strict=True):
        board = state["board"]
        card, side = board["card"], board["batting"]
        made = sum(one["runs"] for one in card["batting"]) + sum(card["extras"].values()) + state["unattributed"]
        assert side["runs"] == made
        assert side["wickets"] <= 10
        assert side["wickets"] == len(card["fall"])
        whole, rest = map(int, side["overs"].split("."))
        forced = sum(event["kind"] == "end_over" for event in events)
        assert 0 <= whole * 6 + rest - state["legal"] <= 6 * forced
        conceded = sum(one["runs"] for one in card["bowling"])
        assert conceded <= side["runs"]
        assert len({one["name"] for one in card["batting"]}) == len(card["batting"])
    longer = [[*events, {"id": "x", "kind": "ball"} | random_ball(chance)] for events in logs]
    back = [[*events, {"id": "y", "kind": "undo", "of": "x"}] for events in longer]
    assert fold(*back) == fold(*logs)


def random_event(chance: random.Random) -> Any:
    rare = chance.random()
    if rare < 0.03:
        return ("retire", {"who": chance.choice(["striker", "non_striker"])})
    if rare < 0.05:
        return ("penalty", {"to": "batting", "runs": 5})
    if rare < 0.07:
        return "end_over"
    return "swap" if rare < 0.08 else random_ball(chance)


def random_ball(chance: random.Random) -> Json:
    ball: Json = {"runs": chance.choice([0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7])}
    kind = chance.choice(["", "", "", "", "wide", "no_ball", "bye", "leg_bye", "quick"])
    if kind:
        ball[kind] = True
    if kind == "no_ball" and chance.random() < 0.3:
        ball["bye"] = True
    if chance.random() < 0.05:
        how = chance.choice(["bowled", "caught", "lbw", "run_out", "stumped", "hit_wicket", "obstructing", "hit_twice"])
        ball["wicket"] = {
            "how": how,
            "who": chance.choice(["striker", "non_striker"]),
            "crossed": chance.random() < 0.5,
        }
    return ball


def after(fold: Fold, *events: Any) -> Json:
    """The board after these events, and what was flagged."""
    [state] = fold(log(*events))
    board: Json = state["board"] | {"flagged": [one["why"] for one in state["flagged"]], "striker": state["striker"]}
    return board


def batter(board: Json, name: str) -> Json:
    return next(one for one in board["card"]["batting"] if one["name"] == name)


def bowler(board: Json, name: str) -> Json:
    return next(one for one in board["card"]["bowling"] if one["name"] == name)


BALLS: list[tuple[str, Json, Json]] = [
    ("a single", {"runs": 1}, {"runs": 1, "made": 1, "given": 1, "label": "1", "striker": "B"}),
    ("three run", {"runs": 3}, {"runs": 3, "made": 3, "given": 3, "label": "3", "striker": "B"}),
    ("a four", {"runs": 4}, {"runs": 4, "made": 4, "fours": 1, "given": 4, "label": "4"}),
    ("four all run", {"runs": 4, "boundary": False}, {"runs": 4, "made": 4, "given": 4, "label": "4"}),
    ("five run", {"runs": 5}, {"runs": 5, "made": 5, "given": 5, "label": "5", "striker": "B"}),
    ("a six", {"runs": 6}, {"runs": 6, "made": 6, "sixes": 1, "given": 6, "label": "6"}),
    ("six all run", {"runs": 6, "boundary": False}, {"runs": 6, "made": 6, "given": 6, "label": "6"}),
    ("seven run", {"runs": 7}, {"runs": 7, "made": 7, "given": 7, "label": "7", "striker": "B"}),
    ("one and four overthrows", {"runs": 5, "ran": 1},
     {"runs": 5, "made": 5, "given": 5, "label": "5", "striker": "B"}),
    ("two and four overthrows", {"runs": 6, "ran": 2, "boundary": False},
     {"runs": 6, "made": 6, "given": 6, "label": "6"}),
    ("two, one short", {"runs": 2, "short": 1}, {"runs": 1, "made": 1, "given": 1, "label": "1"}),
    ("a wide", {"wide": True}, {"runs": 1, "faced": 0, "given": 1, "label": "wd", "legal": 0, "wides": 1}),
    ("a wide and a run", {"wide": True, "runs": 1},
     {"runs": 2, "faced": 0, "given": 2, "label": "2wd", "legal": 0, "wides": 2, "striker": "B"}),
    ("four wides", {"wide": True, "runs": 4},
     {"runs": 5, "faced": 0, "given": 5, "label": "5wd", "legal": 0, "wides": 5}),
    ("a no-ball", {"no_ball": True}, {"runs": 1, "given": 1, "label": "nb", "legal": 0, "no_balls": 1}),
    ("four off a no-ball", {"no_ball": True, "runs": 4},
     {"runs": 5, "made": 4, "fours": 1, "given": 5, "label": "5nb", "legal": 0, "no_balls": 1}),
    ("byes off a no-ball", {"no_ball": True, "bye": True, "runs": 2},
     {"runs": 3, "given": 1, "label": "3nb", "legal": 0, "no_balls": 1, "byes": 2}),
    ("a bye", {"bye": True, "runs": 1}, {"runs": 1, "label": "1b", "byes": 1, "striker": "B"}),
    ("four leg byes", {"leg_bye": True, "runs": 4}, {"runs": 4, "label": "4lb", "leg_byes": 4}),
]  # fmt: skip


@pytest.mark.parametrize(("ball", "expected"), [row[1:] for row in BALLS], ids=[row[0] for row in BALLS])
def test_what_one_ball_comes_to(fold: Fold, ball: Json, expected: Json) -> None:
    board = after(fold, ball)
    one, given, extras = batter(board, "A"), bowler(board, "X"), board["card"]["extras"]
    usual = {"runs": 0, "made": 0, "faced": 1, "fours": 0, "sixes": 0, "given": 0, "legal": 1, "striker": "A"}
    usual |= dict.fromkeys(extras, 0)
    found = {
        "runs": board["batting"]["runs"], "made": one["runs"], "faced": one["balls"], "fours": one["fours"],
        "sixes": one["sixes"], "given": given["runs"], "legal": int(board["batting"]["overs"].split(".")[1]),
        "striker": board["striker"], "label": board["this_over"][0],
    }  # fmt: skip
    assert found | extras == usual | expected
    assert board["flagged"] == []


def out(how: str, who: str = "striker", **more: Any) -> Json:
    return {
        "wicket": {"how": how, "who": who} | {key: more.pop(key) for key in ("crossed", "fielder") if key in more}
    } | more


WICKETS: list[tuple[str, list[Any], Json]] = [
    ("bowled", [out("bowled")], {"how_out": "b X", "striker": "C", "credit": 1}),
    ("caught, though they crossed", [out("caught", fielder="F", crossed=True)],
     {"how_out": "c F b X", "striker": "C", "credit": 1}),
    ("caught and bowled", [out("caught", fielder="X")], {"how_out": "c & b X", "striker": "C", "credit": 1}),
    ("stumped off a wide", [out("stumped", fielder="K", wide=True)],
     {"how_out": "st K b X", "striker": "C", "credit": 1}),
    ("run out going for the second, crossed", [out("run_out", runs=1, crossed=True, fielder="F")],
     {"how_out": "run out (F)", "striker": "C"}),
    ("run out going for the second, not crossed", [out("run_out", runs=1)], {"how_out": "run out", "striker": "B"}),
    ("run out off a no-ball", [out("run_out", no_ball=True)], {"how_out": "run out", "striker": "C"}),
    ("caught off the last ball of an over", [*[DOT] * 5, out("caught")],
     {"how_out": "c b X", "striker": "B", "credit": 1}),
    ("obstructing the field", [out("obstructing")], {"how_out": "obstructing the field", "striker": "C"}),
    ("hit the ball twice", [out("hit_twice")], {"how_out": "hit the ball twice", "striker": "C"}),
    ("retired out", [("out", {"how": "retired_out", "who": "striker"})], {"how_out": "retired out", "striker": "C"}),
]  # fmt: skip


@pytest.mark.parametrize(("events", "expected"), [row[1:] for row in WICKETS], ids=[row[0] for row in WICKETS])
def test_who_is_out_and_who_faces_next(fold: Fold, events: list[Any], expected: Json) -> None:
    board = after(fold, *events, ("batter", {"name": "C"}))
    found = {"how_out": batter(board, "A")["how_out"], "striker": board["striker"]}
    assert found | {"credit": bowler(board, "X")["wickets"]} == {"credit": 0} | expected
    assert (board["batting"]["wickets"], board["flagged"]) == (1, [])
    assert [one["name"] for one in board["batters"] if not one["on_strike"]] == [{"B": "C", "C": "B"}[board["striker"]]]


def test_the_non_striker_is_run_out(fold: Fold) -> None:
    board = after(fold, out("run_out", "non_striker", runs=1), ("batter", {"name": "C"}))
    assert (batter(board, "B")["status"], batter(board, "A")["runs"], board["striker"]) == ("out", 1, "C")


@pytest.mark.parametrize(
    "ball",
    [out("bowled", no_ball=True), out("caught", no_ball=True), out("stumped", no_ball=True), out("lbw", wide=True),
     out("bowled", "non_striker"), out("timed_out"), out("eaten by a dog")],
)  # fmt: skip
def test_a_wicket_that_the_laws_do_not_know_changes_nothing(fold: Fold, ball: Json) -> None:
    board = after(fold, ball)
    assert (board["batting"]["wickets"], board["batting"]["runs"], len(board["flagged"])) == (0, 0, 1)


def test_a_free_hit_follows_a_no_ball_and_outlasts_a_wide(fold: Fold) -> None:
    no_ball, wide = {"no_ball": True}, {"wide": True}
    assert after(fold, no_ball)["free_hit"] is True
    assert after(fold, no_ball, wide)["free_hit"] is True
    assert after(fold, no_ball, wide, DOT)["free_hit"] is False
    assert after(fold, no_ball, out("bowled"))["batting"]["wickets"] == 0
    assert after(fold, no_ball, out("run_out"))["batting"]["wickets"] == 1


def test_overs_of_five_and_seven_balls_maidens_and_shared_overs(fold: Fold) -> None:
    five = after(fold, *[DOT] * 5, "end_over")
    assert (five["batting"]["overs"], bowler(five, "X")["overs"], bowler(five, "X")["maidens"]) == ("1.0", "1.0", 0)
    seven = after(fold, *[DOT] * 6, "over_goes_on", DOT)
    assert (seven["batting"]["overs"], bowler(seven, "X")["overs"], len(seven["this_over"])) == ("1.0", "1.0", 7)
    assert after(fold, *[DOT] * 5, {"bye": True, "runs": 4})["card"]["bowling"][0]["maidens"] == 1
    assert after(fold, {"wide": True}, *[DOT] * 6)["card"]["bowling"][0]["maidens"] == 0
    shared = after(fold, *[DOT] * 3, ("bowler", {"name": "Y"}), *[DOT] * 3)
    assert [(one["overs"], one["maidens"]) for one in shared["card"]["bowling"]] == [("0.3", 0), ("0.3", 0)]
    assert after(fold, "end_over")["flagged"] == ["no ball of this over was bowled"]


def test_the_bowler_of_the_over_before_is_flagged(fold: Fold) -> None:
    assert after(fold, *[DOT] * 6, ("bowler", {"name": "X"}))["flagged"] == ["he bowled the over before"]
    assert after(fold, *[DOT] * 6, ("bowler", {"name": "Y"}), *[DOT] * 6, ("bowler", {"name": "X"}))["flagged"] == []


def test_retired_hurt_and_back(fold: Fold) -> None:
    hurt = [{"runs": 4}, ("retire", {"who": "striker"}), ("batter", {"name": "C"})]
    board = after(fold, *hurt)
    assert (batter(board, "A")["status"], board["batting"]["wickets"], board["striker"]) == ("retired_hurt", 0, "C")
    board = after(fold, *hurt, out("bowled"), ("batter", {"name": "A"}), {"runs": 2})
    assert (batter(board, "A")["runs"], batter(board, "A")["status"]) == (6, "batting")
    assert board["batting"]["wickets"] == 1


def test_timed_out_takes_nobody_from_the_crease(fold: Fold) -> None:
    board = after(fold, out("bowled"), ("out", {"how": "timed_out", "name": "C"}), ("batter", {"name": "D"}))
    assert (board["batting"]["wickets"], board["striker"], batter(board, "C")["how_out"]) == (2, "D", "timed out")


def test_penalty_runs_to_either_side(fold: Fold) -> None:
    ours = after(fold, ("penalty", {"to": "batting", "runs": 5}))
    assert (ours["batting"]["runs"], ours["card"]["extras"]["penalty"]) == (5, 5)
    owed = after(fold, ("penalty", {"to": "bowling"}), {"runs": 1}, "innings")
    assert (owed["batting"]["runs"], owed["target"]) == (5, 2)
    late = after(fold, {"runs": 1}, "innings", ("penalty", {"to": "bowling"}))
    assert (late["totals"][0]["runs"], late["target"]) == (6, 7)


def with_format(*events: Any, **shape: Any) -> list[Json]:
    events_of = log(*events)
    events_of[0]["format"] = shape
    return events_of


def board_of(fold: Fold, events: list[Json]) -> Json:
    [state] = fold(events)
    board: Json = state["board"] | {"striker": state["striker"]}
    return board


def test_eight_a_side_and_a_last_pair(fold: Fold) -> None:
    fallen = [event for _ in range(7) for event in (out("bowled"), ("bowler", {"name": "Y"}))]
    assert board_of(fold, with_format(*fallen[:-2], players=8))["status"] == "live"
    assert board_of(fold, with_format(*fallen, players=8))["status"] == "innings_break"
    alone = board_of(fold, with_format(*fallen, {"runs": 1}, players=8, last_pair_bats_on=True))
    assert (alone["status"], len(alone["batters"]), alone["batting"]["runs"]) == ("live", 1, 1)


def test_a_chase_is_won_lost_and_tied(fold: Fold) -> None:
    first = [{"runs": 4}, ("end_innings", {"how": "all_out"})]
    assert after(fold, *first)["status"] == "innings_break"
    won = after(fold, *first, "innings", {"runs": 6})
    assert (won["status"], won["winner"], won["result"]) == ("finished", "Blue", "Blue won by 10 wickets")
    lost = after(fold, *first, "innings", {"runs": 1}, ("end_innings", {"how": "all_out"}))
    assert (lost["winner"], lost["result"]) == ("Red", "Red won by 3 runs")
    tied = after(fold, *first, "innings", {"runs": 4}, ("end_innings", {"how": "all_out"}))
    assert (tied["winner"], tied["result"]) == (None, "Match tied")
    level = [*first, "innings", {"runs": 4}, ("end_innings", {"how": "all_out"})]
    over = [("innings", {"super_over": True, "batting": "Blue"}), out("bowled"), out("bowled")]
    assert after(fold, *level, *over)["status"] == "innings_break"
    decided = after(fold, *level, *over, ("innings", {"super_over": True}), {"runs": 1})
    assert (decided["target"], decided["result"]) == (1, "Red won in the super over")


def test_two_innings_a_side_with_a_declaration_and_a_follow_on(fold: Fold) -> None:
    declared = ("end_innings", {"how": "declared"})
    first = [{"runs": 6}, {"runs": 6}, declared, "innings", {"runs": 1}, ("end_innings", {"how": "all_out"})]
    on = ("innings", {"batting": "Blue", "follow_on": True})
    board = board_of(fold, with_format(*first, on, {"runs": 4}, {"runs": 4}, {"runs": 4}, innings_per_side=2))
    assert (board["innings"], board["target"], board["result"]) == (3, None, None)
    assert [(one["batting"], one["declared"]) for one in board["totals"]] == [("Red", True), ("Blue", False)]
    last = [
        on,
        {"runs": 6},
        {"runs": 6},
        {"runs": 6},
        ("end_innings", {"how": "all_out"}),
        ("innings", {"batting": "Red"}),
    ]
    board = board_of(fold, with_format(*first, *last, innings_per_side=2))
    assert (board["innings"], board["target"]) == (4, 8)
    assert board_of(fold, with_format(*first, *last, {"runs": 6}, {"runs": 6}, innings_per_side=2))["winner"] == "Red"


def test_a_revised_target(fold: Fold) -> None:
    revised = ("revise", {"overs": 12, "target": 3, "method": "DLS"})
    board = after(fold, {"runs": 4}, revised, "innings", {"runs": 3})
    assert (board["target"], board["format"]["overs"], board["result"]) == (3, 12, "Blue won by 10 wickets (DLS)")


def test_the_hundred_and_overs_of_eight(fold: Fold) -> None:
    shape = {"balls": 100, "balls_per_over": 5}
    board = board_of(fold, with_format(*[DOT] * 5, **shape))
    assert ("overs" in board["batting"], board["batting"]["balls"], board["striker"]) == (False, 5, "A")
    again = [*[DOT] * 5, ("bowler", {"name": "X"}), *[DOT] * 5]
    assert board_of(fold, with_format(*again, **shape))["striker"] == "B"
    assert board_of(fold, with_format(*[DOT] * 100, **shape))["status"] == "innings_break"
    eight = board_of(fold, with_format(*[DOT] * 8, balls_per_over=8))
    assert (eight["batting"]["overs"], eight["striker"]) == ("1.0", "B")


def test_an_earlier_ball_is_edited_and_an_undo_is_undone(fold: Fold) -> None:
    edited = after(fold, {"runs": 1}, DOT, ("edit", {"of": "e1", "event": {"kind": "ball", "runs": 4}}))
    assert (edited["batting"]["runs"], edited["this_over"], edited["striker"]) == (4, ["4", "0"], "A")
    events = log({"runs": 1}, ("undo", {"of": "e1"}), ("undo", {"of": "e2"}))
    assert board_of(fold, events)["batting"]["runs"] == 1
    # A ball that no longer fits is kept and flagged.
    kept = after(fold, {"runs": 1}, ("end_innings", {"how": "declared"}), {"runs": 4}, "whatever")
    assert kept["flagged"] == ["no innings is under way", "nobody knows this kind of event"]


def test_names_come_later_everywhere(fold: Fold) -> None:
    events: list[Any] = [out("caught", fielder="F"), {"runs": 2}]
    events += [
        ("name", {"team": "Blue", "from": "X", "to": "Xavier"}),
        ("name", {"team": "Blue", "from": "F", "to": "Finn"}),
    ]
    events += [
        ("name", {"team": "Red", "from": "Batter 3", "to": "Cara"}),
        ("name", {"what": "team", "from": "Red", "to": "Red Valley"}),
    ]
    board = after(fold, *events)
    assert batter(board, "A")["how_out"] == "c Finn b Xavier"
    assert (batter(board, "Cara")["runs"], board["bowler"]["name"]) == (2, "Xavier")
    assert (board["batting"]["name"], board["batting_first"]) == ("Red Valley", "Red Valley")


def test_quick_and_full_scoring_are_mixed(fold: Fold) -> None:
    quick = {"runs": 3, "quick": True}
    board = after(fold, {"runs": 4}, quick, quick | {"wicket": {}}, ("batter", {"name": "C"}), {"runs": 1})
    assert (board["batting"]["runs"], board["batting"]["wickets"], board["batting"]["overs"]) == (11, 1, "0.4")
    assert (batter(board, "A")["runs"], batter(board, "C")["runs"]) == (4, 1)
    put_right = after(fold, {"runs": 4}, ("score", {"runs": 52, "wickets": 3, "overs": "9.4"}), {"runs": 1})
    assert (put_right["batting"]["runs"], put_right["batting"]["overs"]) == (53, "9.5")


def test_the_card_as_text(fold: Fold) -> None:
    [state] = fold(log({"runs": 4}, {"wide": True}, out("bowled")))
    assert "Red 5/1 (0.2 overs)" in state["text"]
    assert "A  b X  4 (2)" in state["text"]
    assert "Extras 1 (w 1, nb 0, b 0, lb 0, pen 0)" in state["text"]
    assert "X  0.2-0-5-1" in state["text"]
