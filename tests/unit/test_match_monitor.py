from __future__ import annotations

import io
import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import overlay
from demo.match_feed import NOT_FOUND, Answer, MatchFeed
from demo.replay import states
from graphics import drawing
from graphics.layout import canvas_of
from graphics.logos import RETRY_S
from match_monitor import DATA_HOLD_S, MONITORING_WAIT_S, PUSH_HOLD_S, SCORER_AWAY_S, MatchMonitor
from media.profiles import PROFILES
from overlay import Presenter
from scoring.events import KINDS, Event
from scoring.match_api import MatchApi
from scoring.newest import SCORER
from scoring.reading import parse_match_data
from scoring.rundown import Rundown
from scoring.scoreboard import Format, Scoreboard, Team
from scoring.source import Polls
from tests.waiting import FakeClock, eventually

LONGEST_BANNER_S = max(kind.stay_s for kind in KINDS.values())
CANVAS = canvas_of(PROFILES["480p30"])
MATCH = list(states())


class Rig:
    """A monitor, its feed and its file; polled by hand."""

    def __init__(self, feed: MatchFeed, folder: Path, source: str, images: bool = True) -> None:
        self.clock = FakeClock()
        self.stop = threading.Event()
        self.file = overlay.OverlayFile(folder / "overlay.png")
        self.api = MatchApi(feed.url, feed.url if images else "", "/match/{match_id}", self.stop)
        self.rundown = Rundown(60, 300)
        self.presenter = Presenter("m", CANVAS, self.file, self.rundown, "dark", self.stop, self.clock)
        self.monitor = MatchMonitor("m", source, self.api, self.presenter, 0.05, self.stop, self.clock)

    def picture(self) -> bytes:
        """What stands once the banners of the last score are over."""
        while self.rundown.scene(self.clock()).banner:
            self.clock.advance(LONGEST_BANNER_S)
        self.presenter.step()
        return self.file.path.read_bytes()


MakeRig = Callable[..., Rig]


@pytest.fixture
def rig(feed: MatchFeed, tmp_path: Path) -> Iterator[MakeRig]:
    made: list[Rig] = []

    def make(source: str = "auto", images: bool = True) -> Rig:
        made.append(Rig(feed, tmp_path, source, images))
        made[-1].monitor.first_overlay()
        return made[-1]

    yield make
    for one in made:
        one.stop.set()
        assert one.monitor.join(10)
        one.api.close()


def expected(folder: Path, image: Image.Image) -> bytes:
    file = overlay.OverlayFile(folder / "expected.png")
    file.write(image)
    return file.path.read_bytes()


def drawn(folder: Path, number: int) -> bytes:
    board = parse_match_data(MATCH[number].as_current_score())
    return expected(folder, drawing.draw_scoreboard(board, CANVAS))


def strip(color: str) -> Answer:
    buffer = io.BytesIO()
    Image.new("RGBA", (1280, 80), color).save(buffer, "PNG")
    return Answer(buffer.getvalue(), content_type="image/png")


def composed(folder: Path, answer: Answer) -> bytes:
    return expected(folder, drawing.compose_image(answer.body, CANVAS))


def score(number: int) -> Answer:
    return Answer.of(MATCH[number].as_current_score())


def test_without_anything_the_overlay_is_the_blank_placeholder(rig: MakeRig, tmp_path: Path) -> None:
    assert rig().picture() == expected(tmp_path, drawing.placeholder(CANVAS))


def test_the_first_overlay_has_the_score_already(rig: MakeRig, feed: MatchFeed, tmp_path: Path) -> None:
    feed.data = score(50)
    assert rig().picture() == drawn(tmp_path, 50)


def test_each_new_score_is_drawn(rig: MakeRig, feed: MatchFeed, tmp_path: Path) -> None:
    one = rig("data")
    for number in (3, 4, 100):
        feed.data = score(number)
        one.monitor.poll()
        assert one.picture() == drawn(tmp_path, number)


def test_nothing_is_drawn_or_written_when_nothing_changed(
    rig: MakeRig, feed: MatchFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed.data = score(9)
    one = rig()
    inode = one.file.path.stat().st_ino
    monkeypatch.setattr(drawing, "draw_scene", None)
    one.monitor.poll()
    feed.data = Answer(feed.data.body.replace(b'"data"', b'"at": 5, "data"'))
    one.monitor.poll()
    assert one.file.path.stat().st_ino == inode


@pytest.mark.parametrize(
    "fault",
    [NOT_FOUND, Answer(b"{}", 500), Answer(b"<html>"), Answer(b"{}"), Answer(b"[]"), Answer(b'{"data": {', cut_to=4)],
    ids=["404", "500", "html", "empty object", "list", "cut off"],
)
def test_the_last_good_score_stays_whatever_the_feed_does(
    rig: MakeRig, feed: MatchFeed, tmp_path: Path, fault: Answer
) -> None:
    feed.data = score(20)
    one = rig("data")
    feed.data = fault
    one.monitor.poll()
    one.monitor.poll()
    assert one.picture() == drawn(tmp_path, 20)
    feed.data = score(21)
    one.monitor.poll()
    assert one.picture() == drawn(tmp_path, 21)


def test_image_mode_follows_the_ready_strip(rig: MakeRig, feed: MatchFeed, tmp_path: Path) -> None:
    feed.data = score(20)
    one = rig("image")
    assert one.picture() == expected(tmp_path, drawing.placeholder(CANVAS))
    for color in ("red", "blue"):
        feed.image = strip(color)
        one.monitor.poll()
        assert one.picture() == composed(tmp_path, feed.image)
    good = one.picture()
    for fault in (NOT_FOUND, Answer(b""), Answer(strip("green").body[:-60]), Answer(b"<html></html>")):
        feed.image = fault
        one.monitor.poll()
        assert one.picture() == good
    assert not any(path.startswith("/match/") for path in feed.paths("GET"))


def test_auto_takes_the_image_while_there_is_no_match_data(rig: MakeRig, feed: MatchFeed, tmp_path: Path) -> None:
    feed.image = strip("red")
    one = rig("auto")
    assert one.picture() == composed(tmp_path, feed.image)
    feed.data = score(5)
    one.monitor.poll()
    assert one.picture() == drawn(tmp_path, 5)


def test_auto_holds_the_drawn_score_over_a_short_outage_of_the_data(
    rig: MakeRig, feed: MatchFeed, tmp_path: Path
) -> None:
    feed.data, feed.image = score(5), strip("red")
    one = rig("auto")
    feed.data = NOT_FOUND
    one.monitor.poll()
    assert one.picture() == drawn(tmp_path, 5)
    one.clock.advance(DATA_HOLD_S + 1)
    one.monitor.poll()
    assert one.picture() == composed(tmp_path, feed.image)
    feed.data = score(5)
    one.monitor.poll()
    assert one.picture() == drawn(tmp_path, 5)


def test_faults_are_logged_once_a_change(rig: MakeRig, feed: MatchFeed, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "match_monitor")
    one = rig("data")
    for answer in (NOT_FOUND, NOT_FOUND, Answer(b"x"), Answer(b"x"), score(1), score(2), Answer(b"x")):
        feed.data = answer
        one.monitor.poll()
    said = [record.getMessage() for record in caplog.records]
    assert ["answered 404" in said[0], "not JSON" in said[1], said[2], "not JSON" in said[3]] == [
        True,
        True,
        "match data usable again after 5 failed polls",
        True,
    ]
    assert len(said) == 4
    assert {record.stream for record in caplog.records} == {"m"}  # type: ignore[attr-defined]


def test_polls_are_counted_and_those_that_failed_by_kind(rig: MakeRig, feed: MatchFeed) -> None:
    feed.image = strip("red")
    one = rig("auto")
    assert one.monitor.polls == {"data": Polls(1, {"status": 1}), "image": Polls(1)}
    for answer, image in ((NOT_FOUND, Answer(b"x")), (Answer(b"x"), Answer(b"x")), (score(1), NOT_FOUND)):
        feed.data, feed.image = answer, image
        one.monitor.poll()
    one.stop.set()
    one.monitor.poll()
    polls = one.monitor.polls
    assert polls["data"] == Polls(5, {"status": 2, "malformed": 1}), "one that was cancelled has not failed"
    assert polls["image"] == Polls(3, {"image": 2}), "the same unusable answer fails again"


@pytest.mark.parametrize(("source", "asked"), [("data", ["data"]), ("image", ["image"]), ("auto", ["data", "image"])])
def test_only_sources_that_are_asked_have_polls(rig: MakeRig, source: str, asked: list[str]) -> None:
    assert list(rig(source).monitor.polls) == asked


SLOWLY = Answer(b"{}", 429, headers={"Retry-After": "30"})


def test_a_source_that_asks_for_a_pause_gets_it_and_the_other_is_asked_meanwhile(
    rig: MakeRig, feed: MatchFeed, tmp_path: Path
) -> None:
    feed.data, feed.image = SLOWLY, strip("red")
    one = rig("auto")
    for _ in range(29):
        one.clock.advance(1)
        one.monitor.poll()
    assert one.monitor.polls == {"data": Polls(1, {"status": 1}), "image": Polls(30)}
    assert feed.paths("GET") == ["/match/m", *["/m.png"] * 30]
    feed.data, feed.image = score(5), SLOWLY
    one.clock.advance(1)
    one.monitor.poll()
    assert one.picture() == drawn(tmp_path, 5)
    assert one.monitor.polls["data"] == Polls(2, {"status": 1})


def test_the_pause_is_named_for_as_long_as_it_lasts(rig: MakeRig, feed: MatchFeed) -> None:
    feed.data = SLOWLY
    one = rig("data")
    for _ in range(3):
        one.monitor.poll()
        assert one.monitor.trouble == "the match API answered 429 and asks for a pause of 30 s"
    feed.data = score(5)
    one.clock.advance(30)
    one.monitor.poll()
    assert one.monitor.trouble is None


def test_a_logo_and_the_image_pause_together(rig: MakeRig, feed: MatchFeed) -> None:
    state = MATCH[30].as_own_shape()
    state["batting"]["logo"], state["bowling"]["logo"] = "mi.png", "csk.png"
    one = rig("image")
    one.monitor.push(parse_match_data(state), one.clock() - PUSH_HOLD_S)
    asked, feed.image = len(feed.calls), Answer(b"", 503, headers={"Retry-After": "500"})
    for _ in range(49):
        one.clock.advance(10)
        one.monitor.poll()
    assert len(feed.calls) == asked + 1


def test_monitoring_is_asked_for_again_after_the_pause(rig: MakeRig, feed: MatchFeed) -> None:
    feed.start = SLOWLY
    one = rig("data")
    one.monitor.start_monitoring_later("0")
    one.monitor.start()
    eventually(lambda: "/start-match-monitoring" in feed.paths("POST"))
    asked = len(feed.paths("GET"))
    one.clock.advance(MONITORING_WAIT_S + 1)
    eventually(lambda: len(feed.paths("GET")) > asked + 2)
    assert len(feed.paths("POST")) == 1
    one.clock.advance(30)
    eventually(lambda: len(feed.paths("POST")) == 2)


def test_an_answer_that_stays_unusable_never_counts_as_good(
    rig: MakeRig, feed: MatchFeed, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A maintenance page with an ETag is "not modified" from its second time on."""
    caplog.set_level(logging.INFO, "match_monitor")
    feed.data, feed.image = score(5), strip("red")
    one = rig("auto")
    feed.data = Answer(b"<html>")
    for _ in range(3):
        one.monitor.poll()
    assert len(caplog.records) == 1
    one.clock.advance(DATA_HOLD_S + 1)
    one.monitor.poll()
    assert one.picture() == composed(tmp_path, feed.image)


def test_a_full_disk_is_logged_once_and_the_overlay_follows_when_there_is_room(
    rig: MakeRig, feed: MatchFeed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(self: Path, content: bytes) -> int:
        raise OSError(28, "No space left on device")

    caplog.set_level(logging.INFO, "overlay")
    feed.data = score(5)
    one = rig("data")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        for number in (6, 7, 8):
            feed.data = score(number)
            one.monitor.poll()
    assert one.file.path.read_bytes() == drawn(tmp_path, 5)
    one.monitor.poll()
    assert one.picture() == drawn(tmp_path, 8)
    assert caplog.messages == [
        "the overlay cannot be written: No space left on device; the last one stays",
        "the overlay is written again",
    ]


def test_a_bad_image_is_logged_once_although_it_stays(
    rig: MakeRig, feed: MatchFeed, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "match_monitor")
    feed.image = Answer(b"<html>")
    one = rig("image")
    for _ in range(3):
        one.monitor.poll()
    assert len(caplog.records) == 1


def test_a_fault_in_drawing_does_not_end_the_polling(
    rig: MakeRig, feed: MatchFeed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    one = rig("data")
    one.monitor.start()
    with monkeypatch.context() as patch:
        patch.setattr(drawing, "draw_scene", lambda *_: 1 / 0)
        feed.data = score(1)
        eventually(lambda: "ZeroDivisionError" in caplog.text)
    eventually(lambda: one.picture() == drawn(tmp_path, 1))


def test_the_thread_polls_until_the_stop(rig: MakeRig, feed: MatchFeed, tmp_path: Path) -> None:
    feed.data = score(1)
    one = rig("data")
    one.monitor.start()
    feed.data = score(2)
    eventually(lambda: one.picture() == drawn(tmp_path, 2))
    one.stop.set()
    assert one.monitor.join(10)


PUSHED = parse_match_data(MATCH[30].as_own_shape())


def test_a_push_is_on_the_overlay_at_once_and_polls_are_quiet_while_it_is_fresh(
    rig: MakeRig, feed: MatchFeed, tmp_path: Path
) -> None:
    feed.data = score(5)
    one = rig("data")
    one.monitor.push(PUSHED)
    assert one.picture() == expected(tmp_path, drawing.draw_scoreboard(PUSHED, CANVAS))
    asked = len(feed.calls)
    one.clock.advance(PUSH_HOLD_S - 20)
    one.monitor.push(PUSHED)
    one.clock.advance(PUSH_HOLD_S - 1)
    one.monitor.poll()
    assert len(feed.calls) == asked, "nobody is asked while pushes are fresh"
    one.clock.advance(2)
    feed.data = score(40)
    one.monitor.poll()
    assert one.picture() == drawn(tmp_path, 40)


def test_a_polled_score_that_is_older_than_the_push_does_not_take_its_place(
    rig: MakeRig, feed: MatchFeed, tmp_path: Path
) -> None:
    def at(minute: int) -> dict[str, Any]:
        return MATCH[30 + minute].as_own_shape() | {"updated_at": f"2019-05-12T17:{minute:02}:00Z"}

    one = rig("data")
    one.monitor.push(parse_match_data(at(20)))
    one.clock.advance(PUSH_HOLD_S + 1)
    for minute, shown in ((10, 20), (30, 30)):
        feed.data = Answer.of(at(minute))
        one.monitor.poll()
        assert one.rundown.scene(one.clock()).content == parse_match_data(at(shown))


def test_a_poll_under_way_when_a_push_comes_is_not_shown(rig: MakeRig, feed: MatchFeed) -> None:
    feed.data = score(5)
    one = rig("data")
    feed.hold = True
    thread = threading.Thread(target=one.monitor.poll)
    asked = len(feed.calls)
    thread.start()
    eventually(lambda: len(feed.calls) > asked)
    one.monitor.push(PUSHED)
    feed.data = score(60)
    feed.release.set()
    thread.join(10)
    assert one.rundown.scene(one.clock()).content == PUSHED


def test_the_overs_that_the_feed_does_not_say_come_from_the_setting(feed: MatchFeed, tmp_path: Path) -> None:
    stop, clock = threading.Event(), FakeClock()
    rundown = Rundown(60, 300)
    presenter = Presenter("m", CANVAS, overlay.OverlayFile(tmp_path / "o.png"), rundown, "dark", stop, clock)
    api = MatchApi(feed.url, "", "/match/{match_id}", stop)
    monitor = MatchMonitor("m", "data", api, presenter, 1, stop, clock, overs_limit=15)
    monitor.push(parse_match_data({"sport": "cricket", "batting": {"name": "A"}}))
    assert rundown.scene(clock()).content == Scoreboard(batting=Team("A", "A"), format=Format(overs=15))
    monitor.push(parse_match_data({"sport": "cricket", "batting": {"name": "A"}, "overs_limit": 50}))
    assert rundown.scene(clock()).content == Scoreboard(batting=Team("A", "A"), format=Format(overs=50))
    api.close()


def test_a_logo_comes_from_the_image_server_once(rig: MakeRig, feed: MatchFeed, tmp_path: Path) -> None:
    state = MATCH[30].as_own_shape()
    state["batting"]["logo"] = "mi.png"
    feed.image = strip("red")
    feed.data = Answer.of(state)
    one = rig("data")
    for _ in range(3):
        one.monitor.poll()
    assert [path for path in feed.paths("GET") if path.endswith(".png")] == ["/mi.png"]
    logo = {"mi.png": drawing.decode_logo(feed.image.body)}
    board = parse_match_data(state)
    assert one.picture() == expected(tmp_path, drawing.draw_scoreboard(board, CANVAS, logos=logo))
    assert one.picture() != expected(tmp_path, drawing.draw_scoreboard(board, CANVAS))


def test_a_logo_that_cannot_be_had_is_left_out_and_asked_for_again_later(
    rig: MakeRig, feed: MatchFeed, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "match_monitor")
    state = MATCH[30].as_own_shape()
    state["bowling"]["logo"] = "csk.png"
    feed.data = Answer.of(state)
    one = rig("data")
    for _ in range(3):
        one.monitor.poll()
    assert feed.paths("GET").count("/csk.png") == 1
    assert one.picture() == expected(tmp_path, drawing.draw_scoreboard(parse_match_data(state), CANVAS))
    one.clock.advance(RETRY_S + 1)
    one.monitor.poll()
    assert feed.paths("GET").count("/csk.png") == 2
    assert caplog.messages == ["a logo is left out: the image server answered 404 for the logo csk.png"]


def test_the_presenters_thread_ends_a_banner_and_shows_a_delayed_score(
    feed: MatchFeed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the real clock, with delays made short."""
    monkeypatch.setattr(Event, "stay_s", 0.2)
    stop = threading.Event()
    file = overlay.OverlayFile(tmp_path / "o.png")
    presenter = Presenter("m", CANVAS, file, Rundown(60, 300, 0.2), "dark", stop)
    api = MatchApi("", "", "/{match_id}", stop)
    monitor = MatchMonitor("m", "auto", api, presenter, 1, stop)
    monitor.first_overlay()
    monitor.start()
    blank = file.content
    monitor.push(parse_match_data(MATCH[3].as_own_shape()))
    assert file.content == blank, "it is delayed"
    eventually(lambda: file.content == drawn_own(tmp_path, 3))
    four = next(index for index, state in enumerate(MATCH) if index > 3 and state.this_over[-1] == "4")
    monitor.push(parse_match_data(MATCH[four].as_own_shape()))
    eventually(lambda: file.content == drawn_own(tmp_path, four))
    stop.set()
    assert monitor.join(10)
    assert not [thread for thread in threading.enumerate() if thread.name in ("monitor-m", "presenter-m")]


def drawn_own(folder: Path, number: int) -> bytes:
    return expected(folder, drawing.draw_scoreboard(parse_match_data(MATCH[number].as_own_shape()), CANVAS))


def test_it_tells_when_it_heard_and_when_it_drew(rig: MakeRig, feed: MatchFeed) -> None:
    one = rig("data")
    assert (one.monitor.score_at, one.monitor.drawn_at) == (None, None)
    feed.data = score(5)
    one.monitor.poll()
    began = one.clock()
    one.clock.advance(7)
    assert (one.monitor.score_at, one.monitor.drawn_at) == (began, began)
    one.monitor.poll()
    assert (one.monitor.score_at, one.monitor.drawn_at) == (began + 7, began)


def test_a_scorers_word_holds_until_somebody_goes_back(rig: MakeRig, feed: MatchFeed) -> None:
    feed.data = score(40)
    one = rig("data")
    one.monitor.push(PUSHED, source=SCORER)
    one.clock.advance(PUSH_HOLD_S * 100)
    one.monitor.poll()
    assert one.monitor.source == SCORER
    assert one.rundown.scene(one.clock()).content == PUSHED


def test_while_the_scorers_page_is_open_its_score_is_fresh(rig: MakeRig) -> None:
    one = rig("data")
    assert not one.monitor.confirm()
    one.monitor.push(PUSHED, source=SCORER)
    for _ in range(30):
        one.clock.advance(10)
        assert one.monitor.confirm()
        assert (one.monitor.trouble, one.rundown.scene(one.clock()).silent_s) == (None, 0)
    one.clock.advance(SCORER_AWAY_S)
    assert one.monitor.trouble == "the scorer's phone has not been heard for 12 s"
    assert one.rundown.scene(one.clock()).silent_s == 0, "viewers see the mark later"
    one.clock.advance(60 - SCORER_AWAY_S)
    assert one.rundown.scene(one.clock()).silent_s == 60
    assert one.monitor.confirm()
    assert one.rundown.scene(one.clock()).silent_s == 0


@pytest.mark.parametrize("pause", [{"pause": "drinks"}, {"status": "innings_break"}, {"status": "finished"}])
def test_at_a_break_a_silent_phone_is_no_trouble(rig: MakeRig, pause: dict[str, Any]) -> None:
    one = rig("data")
    one.monitor.push(replace(PUSHED, **pause), source=SCORER)
    one.clock.advance(3600)
    assert one.monitor.trouble is None


def test_the_scorer_does_not_confirm_what_somebody_else_has_pushed(rig: MakeRig) -> None:
    one = rig("data")
    one.monitor.push(PUSHED, source=SCORER)
    one.monitor.push(PUSHED)
    one.clock.advance(10)
    pushed_at = one.monitor.score_at
    assert one.monitor.confirm()
    assert (one.monitor.source, one.monitor.score_at) == ("push", pushed_at)
