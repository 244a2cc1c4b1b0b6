"""A match on a named feed: what is asked, how often, and what is said when it goes wrong."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from demo.match_feed import Answer, MatchFeed
from errors import FeedError
from scoring.feeds.asking import is_public
from scoring.feeds.following import SCARCE_IDLE_S, FeedDesk, Followed
from scoring.feeds.named import NamedFeed, lost_feed
from scoring.feeds.values import NothingToShow
from scoring.reading import Reading
from tests.feeds import score
from tests.unit.scoring.feeds.test_polled_kinds import CRICAPI, CRICBUZZ, CRICCLUBS, FIRST, PLAY_CRICKET, changed
from tests.waiting import FakeClock, eventually

KEY = "canary-feed-key"
HOUR_S = 3600


class Rig:
    def __init__(self, feed: MatchFeed, folder: Path, allowed: tuple[str, ...] = ("127.0.0.1",)) -> None:
        self.clock = FakeClock()
        self.server = feed
        self.desk = FeedDesk(folder, allowed, None, self.clock, self.clock)
        self.feed = NamedFeed("saturday", "own", f"{feed.url}/{{match_id}}")

    def follow(self, match_id: str = "m1", **values: object) -> Followed:
        return self.desk.follow(replace(self.feed, **values), match_id)  # type: ignore[arg-type]


@pytest.fixture
def rig(feed: MatchFeed, tmp_path: Path) -> Rig:
    return Rig(feed, tmp_path)


def ask(followed: Followed) -> Reading | None:
    return followed.reading(5.0, threading.Event())


def runs_of(followed: Followed) -> int | None:
    reading = ask(followed)
    assert reading
    assert reading.board.batting
    return reading.board.batting.runs


def fault_of(followed: Followed) -> FeedError:
    with pytest.raises(FeedError) as error:
        ask(followed)
    return error.value


def test_a_match_is_asked_for_at_its_time_and_told_once(rig: Rig) -> None:
    rig.server.data = Answer.of(score(10, "1.0"))
    followed = rig.follow("a/b", poll_interval_s=5.0)
    assert followed.is_due
    assert runs_of(followed) == 10
    assert rig.server.paths("GET") == ["/a%2Fb"]
    assert not followed.is_due
    assert followed.status.next_in_s == 5

    rig.server.data = Answer.of(score(14, "1.1"))
    rig.clock.advance(4.9)
    assert ask(followed) is None
    rig.clock.advance(0.1)
    assert followed.is_due
    assert runs_of(followed) == 14

    rig.clock.advance(5)
    assert ask(followed) is None, "unchanged"
    followed.close()
    eventually(lambda: rig.server.connections == 0)


def test_two_streams_of_one_match_ask_once(rig: Rig) -> None:
    rig.server.data = Answer.of(score(10, "1.0"))
    one, other = rig.follow(), rig.follow()

    assert runs_of(one) == 10
    assert other.is_due
    assert runs_of(other) == 10
    assert not other.is_due
    assert len(rig.server.calls) == 1

    one.close()
    rig.clock.advance(1)
    rig.server.data = Answer.of(score(12, "1.1"))
    assert runs_of(other) == 12


def test_headers_and_parameters_are_sent(rig: Rig) -> None:
    rig.server.data = Answer.of(score(10, "1.0"))

    ask(rig.follow(params=(("apikey", KEY),)))

    assert rig.server.paths("GET") == [f"/m1?apikey={KEY}"]


@pytest.mark.parametrize(
    ("answer", "has_key", "words"),
    [
        (Answer(b"{}", 403), False, "the feed answered 403: it wants a key"),
        (Answer(b"{}", 401), True, "the feed answered 401: it does not accept the key"),
        (Answer(b"{}", 404), True, "the feed answered 404: it does not know match m1"),
        (Answer(b"{}", 500), True, "the feed answered 500 for match m1"),
        (Answer(b"", 200), True, "the feed's answer is empty: it does not know match m1"),
        (Answer(b" <!doctype html>"), True, "the feed answered with a web page in place of data"),
        (Answer(b"{"), True, "the feed's answer is not JSON: it begins with '{'"),
        (Answer(b"null"), True, "the feed's answer is null"),
        (Answer(b'"' + b"x" * 3_000_000), True, "the feed's answer is over 2 MiB"),
        (Answer.of({"a": 1}), True, "the feed answers, but not as the kind own: `sport` is missing"),
        (Answer.of({"sport": "cricket"}), True, "match data names no team yet"),
    ],
)
def test_what_is_wrong_is_said_without_the_key(rig: Rig, answer: Answer, has_key: bool, words: str) -> None:
    rig.server.data = answer

    fault = fault_of(rig.follow(params=(("apikey", KEY),) if has_key else ()))

    assert words in str(fault)
    assert KEY not in str(fault)


def test_a_shape_that_changes_is_named(rig: Rig) -> None:
    rig.server.data = Answer.of(CRICCLUBS)
    followed = rig.follow(kind="cricclubs")
    ask(followed)
    rig.clock.advance(60)
    rig.server.data = Answer.of({"view": 1})

    assert str(fault_of(followed)) == "the feed has changed its shape: `values` is missing"

    rig.clock.advance(60)
    rig.server.data = Answer.of(CRICCLUBS)
    assert ask(followed), "the answer of before counts as new"


def test_a_part_that_is_missing_is_named_and_the_rest_is_shown(rig: Rig) -> None:
    less = changed(CRICBUZZ)
    del less["miniscore"]["batsmanStriker"]
    rig.server.data = Answer.of(less)

    reading = ask(rig.follow(kind="cricbuzz"))

    assert reading
    assert reading.faults[0] == "the feed has changed its shape: `miniscore.batsmanStriker` is missing"


@pytest.mark.parametrize(
    "target", ["http://127.0.0.2:1/x", "http://localhost:1/x", "file:///etc/passwd", "//a:b@127.0.0.1/"]
)
def test_a_redirect_to_another_host_is_not_followed(rig: Rig, target: str) -> None:
    rig.server.data = Answer(b"", 302, headers={"Location": target})

    assert "redirects are followed within one host only" in str(fault_of(rig.follow()))


def test_a_redirect_within_the_host_is_followed_three_times_at_most(rig: Rig) -> None:
    rig.server.data = Answer(b"", 302, headers={"Location": "/again"})

    assert fault_of(rig.follow()).kind == "redirect"
    assert len(rig.server.calls) == 4


@pytest.mark.parametrize("allowed", [(), ("example.org",), ("*.example.org",)])
def test_this_machine_is_asked_only_if_it_is_named(feed: MatchFeed, tmp_path: Path, allowed: tuple[str, ...]) -> None:
    fault = fault_of(Rig(feed, tmp_path, allowed).follow())

    assert (fault.kind, feed.accepted) == ("inadmissible", 0)
    assert "127.0.0.1 is this machine or in a private network: name it in ALLOWED_FEED_HOSTS" in str(fault)


def test_a_name_that_points_to_this_machine_is_no_way_in(feed: MatchFeed, tmp_path: Path) -> None:
    rig = Rig(feed, tmp_path, ())

    fault = fault_of(rig.follow(url=feed.url.replace("127.0.0.1", "localhost") + "/{match_id}"))

    assert (fault.kind, feed.accepted) == ("inadmissible", 0)


@pytest.mark.parametrize(
    ("address", "is_so"),
    [
        *(("93.184.216.34", True), ("2606:2800:220:1::1", True)),
        *(("127.0.0.1", False), ("10.0.0.1", False), ("192.168.1.5", False), ("172.16.0.1", False)),
        *(("169.254.169.254", False), ("0.0.0.0", False), ("100.64.0.1", False), ("224.0.0.1", False)),
        *(("::1", False), ("fe80::1%eth0", False), ("fc00::1", False), ("::ffff:10.0.0.1", False), ("x", False)),
    ],
)
def test_addresses_that_anyone_may_reach(address: str, is_so: bool) -> None:
    assert is_public(address) == is_so


def test_calls_are_spread_over_the_rest_of_the_match(rig: Rig) -> None:
    rig.server.data = Answer.of(score(10, "1.0"))
    followed = rig.follow(calls_per_day=100, expected_hours=5.0, poll_interval_s=10.0)

    ask(followed)

    assert followed.status.calls_left == 99
    assert followed.status.next_in_s == pytest.approx(5 * HOUR_S / 99, abs=0.1)


def test_two_matches_share_the_calls(rig: Rig) -> None:
    rig.server.data = Answer.of(score(10, "1.0"))
    one, other = (rig.follow(name, calls_per_day=100, poll_interval_s=10.0) for name in ("m1", "m2"))

    ask(one)
    ask(other)

    assert other.status.next_in_s == pytest.approx(2 * 5 * HOUR_S / 98, abs=0.1)


def test_a_whole_day_spends_no_more_calls_than_it_has(rig: Rig) -> None:
    rig.server.data = Answer.of(score(10, "1.0"))
    followed = rig.follow(calls_per_day=20, poll_interval_s=10.0)
    ask(followed)
    asked, until = 1, rig.clock() + 12 * HOUR_S
    while rig.clock() < until and followed.status.calls_left:
        rig.clock.advance((followed.status.next_in_s or 0) + 0.01)
        ask(followed)
        asked += 1

    assert len(rig.server.calls) == asked == 20
    assert followed.status.calls_left == 0
    assert rig.clock() > 4 * HOUR_S, "they last for the match"


@pytest.mark.parametrize("state", [{"status": "scheduled"}, {"break": "lunch"}, {"status": "innings_break"}])
def test_before_the_match_and_at_breaks_counted_calls_are_saved(rig: Rig, state: dict[str, str]) -> None:
    rig.server.data = Answer.of(score(10, "1.0") | state)
    followed = rig.follow(calls_per_day=100_000, poll_interval_s=1.0)

    ask(followed)

    assert followed.status.next_in_s == SCARCE_IDLE_S


def test_after_the_end_nobody_is_asked(rig: Rig) -> None:
    rig.server.data = Answer.of(score(10, "1.0") | {"status": "finished", "result": "Match drawn"})
    followed = rig.follow(calls_per_day=1000)
    ask(followed)
    assert not followed.status.is_over

    rig.clock.advance(HOUR_S)
    ask(followed)

    assert followed.status.is_over
    assert followed.status.next_in_s is None
    rig.clock.advance(10 * HOUR_S)
    assert not followed.is_due


def test_without_a_limit_the_own_shape_is_asked_on_for_a_correction(rig: Rig) -> None:
    rig.server.data = Answer.of(score(10, "1.0") | {"status": "finished"})
    followed = rig.follow()
    for _ in range(5):
        ask(followed)
        rig.clock.advance(1)

    assert followed.is_due


@pytest.mark.parametrize(
    ("answer", "wait_s"),
    [(Answer(b"<html>"), 600), (Answer(b"", 429, headers={"Retry-After": "77"}), 77), (Answer(b"", 500), 5)],
)
def test_who_refuses_is_left_alone_for_a_while(rig: Rig, answer: Answer, wait_s: float) -> None:
    rig.server.data = answer
    followed = rig.follow()
    fault_of(followed)

    assert followed.status.next_in_s == wait_s


def test_a_feed_that_counts_itself_is_believed(rig: Rig) -> None:
    rig.server.data = Answer.of(changed(CRICAPI, data__dateTimeGMT="x"))
    followed = rig.follow(kind="cricapi", poll_interval_s=60.0)
    ask(followed)

    assert followed.status.calls_left == 11_988


def test_a_header_may_count_too(rig: Rig) -> None:
    body = Answer.of(CRICBUZZ).body
    rig.server.data = Answer(body, headers={"X-RateLimit-Requests-Remaining": "31"})
    followed = rig.follow(kind="cricbuzz")
    ask(followed)

    assert followed.status.calls_left == 31


def test_nothing_to_show_is_no_fault(rig: Rig) -> None:
    rig.server.data = Answer.of({"match_details": [PLAY_CRICKET | {"innings": [FIRST | {"overs": "3"}]}]})
    followed = rig.follow(kind="play_cricket")

    with pytest.raises(NothingToShow, match="not real-time"):
        ask(followed)

    assert followed.status.note


def test_a_stream_that_is_stopped_does_not_spoil_it_for_the_other(rig: Rig) -> None:
    rig.server.hold = True
    one, other = rig.follow(), rig.follow()
    stopped = threading.Event()
    stopped.set()
    with pytest.raises(FeedError) as error:
        one.reading(5, stopped)
    assert error.value.kind == "cancelled"

    rig.server.release.set()
    rig.server.data = Answer.of(score(10, "1.0"))
    assert runs_of(other) == 10


def test_a_feed_that_is_no_longer_there_says_so(rig: Rig) -> None:
    followed = rig.desk.follow(lost_feed("sunday"), "m1")

    assert str(fault_of(followed)) == "the feed sunday is no longer in FEEDS_FILE"
    followed.close()
