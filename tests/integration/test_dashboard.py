"""The dashboard in a real browser: with the real service, and with streams that the test makes up."""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect
from werkzeug.serving import BaseWSGIServer, make_server

from app import create_app
from config import Settings
from demo.match_feed import Answer, MatchFeed
from demo.replay import states
from deploy.rtmp_server import RtmpServer, free_port
from errors import MonitoringFailed, PreviewNotReady, StreamAlreadyActive
from relay.registry import StreamRegistry
from relay.request import StreamRequest
from relay.stream_state import State, StreamStatus
from tests.conftest import SettingsFactory
from tests.images import mean_distance
from tests.integration.browsing import POLL_S, Desk
from tests.integration.conftest import Camera
from tests.service import MakeService
from tests.statuses import LIVE
from tests.waiting import eventually

KEY = "canary-of-the-page"
TOKEN = "open-sesame-1234567890"
# For FFmpegs to start and decode on a busy machine.
SLOW_MS = 40_000
# As in dashboard.js.
PICTURES_S = 4.0


@pytest.fixture
def desk(browser: Browser, stage: Stage) -> Iterator[Desk]:
    """The page is closed before the stage, because it would report calls without an answer."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    context.set_default_timeout(15_000)
    desk = Desk(context.new_page())
    yield desk
    context.close()
    assert desk.faults() == []


SLATE = replace(LIVE, state=State.SLATE, states=(State.SLATE,), reason="no frames from the camera for 2.0 s")


def jpeg(color: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (480, 270), color).save(buffer, "JPEG")
    return buffer.getvalue()


class Stage(StreamRegistry):
    """A registry with streams that the test makes up, behind a real web server."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.shown: dict[str, StreamStatus] = {}
        self.picture: bytes | None = jpeg("green")
        self.looked_at: list[str] = []
        self.started: list[StreamRequest] = []
        self.fails_to_start = False
        self.url = f"http://127.0.0.1:{settings.port}/"
        self._app = create_app(settings, self)
        self._server: BaseWSGIServer | None = None

    def open(self) -> None:
        port = urlsplit(self.url).port or 0
        self._server = make_server("127.0.0.1", port, self._app, threaded=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="stage")
        self._thread.start()

    def vanish(self) -> None:
        """Stop answering, like a killed service."""
        if self._server is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
            self._server = None

    def show(self, *statuses: StreamStatus) -> None:
        self.shown = {status.name: status for status in statuses}

    def statuses(self) -> list[StreamStatus]:
        return list(self.shown.values())

    def preview(self, name: str) -> bytes:
        self.looked_at.append(name)
        if self.picture is None:
            raise PreviewNotReady("There is no picture yet")
        return self.picture

    def overlay_png(self, name: str) -> bytes:
        buffer = io.BytesIO()
        Image.new("RGBA", (1280, 132), (0, 0, 0, 0)).save(buffer, "PNG")
        return buffer.getvalue()

    def on_screen(self, name: str) -> dict[str, Any]:
        banner = {"kind": "FOUR", "words": ["FOUR", "A Stone"]}
        return {"strip": "shown", "words": ["RV", "71/2"], "banner": banner, "mark": None}

    def start(self, request: StreamRequest) -> None:
        if self.fails_to_start:
            raise MonitoringFailed("Failed to start match monitoring")
        if request.name in self.shown:
            raise StreamAlreadyActive("Stream already active")
        self.started.append(request)
        self.shown[request.name] = replace(LIVE, name=request.name)

    def stop(self, name: str) -> None:
        del self.shown[name]

    def dismiss(self, name: str) -> None:
        del self.shown[name]

    def delay_score(self, name: str, delay_s: float) -> None:
        self.shown[name] = replace(self.shown[name], score_delay_s=delay_s)


@pytest.fixture
def stage(settings_with: SettingsFactory) -> Iterator[Stage]:
    stage = Stage(settings_with(host="127.0.0.1", port=free_port()))
    stage.open()
    yield stage
    stage.vanish()
    stage.close()


def is_green(card: Locator) -> bool:
    """True if its picture is green."""
    with Image.open(io.BytesIO(card.locator(".picture img").screenshot())) as picture:
        red, green, blue = picture.convert("RGB").resize((1, 1)).getpixel((0, 0))  # type: ignore[misc]
    return green > 90 and red < 60 and blue < 60


def test_a_match_from_the_form_to_the_stop(
    desk: Desk, service: MakeService, camera: Camera, feed: MatchFeed, tmp_path: Path
) -> None:
    feed.data = Answer.of(next(states()).as_current_score())
    one = service()
    # The first picture may be late; until then it is a 404.
    desk.expects = ["ERR_CONNECTION_REFUSED", f"status of 404 (NOT FOUND) {one.url}/streams/m1/preview.jpg"]
    page, card = desk.page, desk.card("m1")
    youtube = RtmpServer(tmp_path, "127.0.0.1", free_port(), ["live2"], is_destination=True)
    try:
        page.goto(one.url)
        expect(page.get_by_role("heading", name="Nothing is on air")).to_be_visible()
        page.get_by_role("button", name="Start a stream").first.click()
        page.get_by_label("Stream name").fill("m1")
        page.get_by_label("YouTube URL").fill(f"rtmp://127.0.0.1:{youtube.port}/live2/{KEY}")
        page.get_by_role("button", name="Start", exact=True).click()
        expect(card.locator(".word")).to_have_text("slate", timeout=SLOW_MS)
        expect(card.locator(".troubles")).to_have_text("the camera has not come yet")
        expect(page).to_have_title("(1) of 1 stream in trouble")
        expect(card.locator(".picture")).not_to_have_class(re.compile("blank"), timeout=SLOW_MS)
        on_slate = card.locator(".picture img").screenshot()
        with camera("m1"):
            expect(card.locator(".word")).to_have_text("live", timeout=SLOW_MS)
            expect(page).to_have_title("1 stream")
            eventually(lambda: differs(card, on_slate), 40, "the picture on the page is the camera's")
            expect(card.get_by_role("listitem").filter(has_text="/live2/****")).to_contain_text("connected")
            expect(card.locator(".figures")).to_contain_text("Score age")
        expect(card.locator(".word")).to_have_text("slate", timeout=SLOW_MS)
        expect(card.locator(".troubles")).to_contain_text("no frames from the camera for")
        youtube.close()
        expect(card.locator(".word")).to_contain_text("reconnecting", timeout=SLOW_MS)
        expect(page.locator("#troubled a")).to_have_text(re.compile("m1 reconnecting"))
        assert KEY not in page.content()
    finally:
        youtube.close()
    card.get_by_role("button", name="Stop m1").click()
    page.get_by_role("button", name="Keep it on air").click()
    assert list(one.listed()) == ["m1"]
    card.get_by_role("button", name="Stop m1").click()
    page.get_by_role("button", name="Stop it").click()
    expect(page.get_by_role("heading", name="Nothing is on air")).to_be_visible()
    assert (one.listed(), one.children()) == ({}, {})
    assert KEY not in page.content()
    one.process.kill()
    expect(page.get_by_role("alert").first).to_contain_text("The service does not answer")


def differs(card: Locator, before: bytes) -> bool:
    with (
        Image.open(io.BytesIO(before)) as was,
        Image.open(io.BytesIO(card.locator(".picture img").screenshot())) as now,
    ):
        return mean_distance(was.convert("L"), now.convert("L")) > 20


def test_everything_works_with_the_keyboard(desk: Desk, stage: Stage) -> None:
    page, keys = desk.page, desk.page.keyboard
    stage.show(replace(LIVE, name="m2"))
    page.goto(stage.url)
    keys.press("Tab")
    keys.press("Enter")
    expect(page.get_by_label("Stream name")).to_be_focused()
    keys.type("m1")
    keys.press("Tab")
    keys.type("rtmp://127.0.0.1/live2/key")
    keys.press("Enter")
    expect(desk.card("m1")).to_be_focused()
    assert [request.name for request in stage.started] == ["m1"]
    stop = desk.card("m1").get_by_role("button", name="Stop m1")
    for _ in range(3):
        keys.press("Tab")
    expect(stop).to_be_focused()
    keys.press("Enter")
    expect(page.get_by_role("button", name="Keep it on air")).to_be_focused()
    keys.press("Escape")
    expect(stop).to_be_focused()
    keys.press("Enter")
    keys.press("Shift+Tab")
    keys.press("Enter")
    expect(desk.card("m1")).to_have_count(0)
    expect(desk.card("m2")).to_be_focused()
    assert list(stage.shown) == ["m2"]


def test_the_card_says_where_the_camera_publishes(desk: Desk, service: MakeService) -> None:
    one = service(api_token=TOKEN, rtmp_server="rtmp://localhost:1935/live", camera_server="rtmp://192.0.2.7/live")
    desk.expects = ["preview.jpg"]
    one.start("m1", camera_key="canary-camera-7")
    page, card = desk.page, desk.card("m1")
    page.goto(one.url)
    page.get_by_label("Token").fill(TOKEN)
    page.get_by_role("button", name="Log in").click()
    assert "canary-camera" not in page.content(), "it is asked for when somebody opens it"
    card.get_by_text("Camera", exact=True).click()
    place = card.get_by_role("group", name="Where the camera of m1 publishes")
    expect(place.locator("code")).to_have_text(["rtmp://192.0.2.7/live", "m1?key=canary-camera-7"])
    place.get_by_role("button", name="Copy stream key").click()
    expect(place.get_by_role("button", name="Copy stream key")).to_have_text("Copied")
    code = place.get_by_role("img")
    eventually(lambda: code.evaluate("image => image.naturalWidth > 0"), 15, "the QR code is there")
    before = code.screenshot()
    place.get_by_label("QR code for").select_option("larix")
    expect(place.get_by_role("img", name="QR code for Larix Broadcaster")).to_be_visible()
    eventually(lambda: code.screenshot() != before, 15, "the other QR code is there")
    desk.poll()
    expect(place.locator("code"), "it stays while the page loads itself again").to_have_count(2)
    card.get_by_text("Camera", exact=True).click()
    expect(place.locator("code")).to_have_count(0)
    assert "canary-camera" not in page.content()


def test_an_error_is_shown_at_its_field_and_the_key_is_not_kept(desk: Desk, stage: Stage) -> None:
    desk.expects = ["status of 400", "status of 409", "status of 500"]
    page = desk.page
    page.goto(stage.url)
    page.get_by_role("button", name="Start a stream").first.click()
    start = page.get_by_role("button", name="Start", exact=True)
    name, url = page.get_by_label("Stream name"), page.get_by_label("YouTube URL")
    expect(url).to_have_attribute("type", "password")
    start.click()
    for field in ("stream_name", "youtube_url"):
        expect(page.locator(f"#{field}-error")).to_have_text("Missing youtube_url or stream_name")
    name.fill("a b")
    url.fill("rtmp://127.0.0.1/live2/key")
    start.click()
    expect(page.locator("#stream_name-error")).to_contain_text("stream_name must be 1 to 64 characters of")
    expect(name).to_be_focused()
    expect(name).to_have_attribute("aria-invalid", "true")
    name.fill("m1")
    url.fill("http://127.0.0.1/x")
    start.click()
    expect(page.locator("#youtube_url-error")).to_contain_text("youtube_url must be rtmp:// or rtmps://")
    expect(page.locator("#stream_name-error")).to_be_empty()
    expect(url).to_be_focused()
    url.fill(f"rtmp://127.0.0.1/live2/{KEY}")
    page.get_by_label("Backup URL").fill(f"rtmp://evil.example/live2/{KEY}")
    start.click()
    expect(page.locator("#backup_url-error")).to_contain_text("backup_url names a host that")
    page.get_by_label("Backup URL").fill("")
    page.get_by_label("Score delay").fill("500")
    start.click()
    expect(page.locator("#score_delay_s-error")).to_contain_text("score_delay_s must be a number of seconds")
    page.get_by_label("Score delay").fill("2.5")
    stage.fails_to_start = True
    start.click()
    expect(page.locator("#start [data-error]")).to_have_text("Failed to start match monitoring")
    stage.fails_to_start = False
    start.click()
    expect(desk.card("m1")).to_be_focused()
    [request] = stage.started
    assert (request.destination.stream_key, request.score_delay_s, request.backup) == (KEY, 2.5, None)
    values = page.locator("#start input").evaluate_all("inputs => inputs.map(input => input.value)")
    assert KEY not in page.content() + "".join(values)
    page.get_by_role("button", name="Start a stream").first.click()
    page.get_by_label("Stream name").fill("m1")
    page.get_by_label("YouTube URL").fill("rtmp://127.0.0.1/live2/key")
    start.click()
    expect(page.locator("#stream_name-error")).to_have_text("Stream already active")


def test_the_page_shows_when_the_service_is_gone_and_when_it_is_back(desk: Desk, stage: Stage) -> None:
    desk.expects = ["ERR_CONNECTION_REFUSED", "ERR_EMPTY_RESPONSE", "ERR_CONNECTION_RESET"]
    page = desk.page
    stage.show(LIVE)
    page.goto(stage.url)
    bar = page.get_by_role("alert").first
    expect(bar).to_be_empty()
    stage.vanish()
    desk.pass_s(POLL_S)
    expect(bar).to_contain_text(re.compile(r"The service does not answer\. Its last answer came at \d\d:\d\d:\d\d"))
    expect(page.locator("body")).to_have_class("is-old")
    expect(desk.card("m1")).to_be_visible()
    desk.card("m1").get_by_role("button", name="Stop m1").click()
    page.get_by_role("button", name="Stop it").click()
    expect(page.locator("#stop [data-error]")).to_have_text("The service does not answer")
    page.keyboard.press("Escape")
    stage.show(SLATE)
    stage.open()
    desk.poll()
    expect(bar).to_be_empty()
    expect(page.locator("body")).not_to_have_class("is-old")
    expect(desk.card("m1").locator(".word")).to_have_text("slate")


def test_an_update_does_not_disturb_what_the_reader_is_doing(desk: Desk, stage: Stage) -> None:
    desk.expects = ["status of 400"]
    page, card = desk.page, desk.card("m1")
    stage.show(LIVE)
    page.goto(stage.url)
    card.get_by_text("More").click()
    delay = card.get_by_label("Score delay")
    delay.fill("7")
    stage.show(replace(SLATE, fps=12.5))
    desk.poll()
    expect(card.locator(".figures")).to_contain_text("12.5")
    expect(card.locator(".word")).to_have_text("slate")
    expect(delay).to_be_focused()
    expect(delay).to_have_value("7")
    expect(page.locator("#said")).to_have_text("m1, slate, no frames from the camera for 2.0 s")
    delay.press("Enter")
    eventually(lambda: stage.shown["m1"].score_delay_s == 7)
    delay.fill("700")
    delay.press("Enter")
    expect(card.locator("details .error")).to_contain_text("score_delay_s must be a number of seconds")
    expect(delay).to_have_value("700")


def test_cards_appear_in_order_and_none_moves_while_the_reader_points_at_them(desk: Desk, stage: Stage) -> None:
    page = desk.page
    names = page.locator(".card h2")
    stage.show(replace(LIVE, name="m2"), replace(LIVE, name="m10"))
    page.goto(stage.url)
    expect(names).to_have_text(["m2", "m10"])
    page.mouse.move(200, 300)
    page.mouse.down()
    stage.show(*(replace(LIVE, name=f"m{number}", fps=25.0) for number in (1, 2, 3, 10)))
    desk.poll()
    expect(desk.card("m2").locator(".figures")).to_contain_text("25.0")
    expect(names).to_have_text(["m2", "m10"])
    page.mouse.up()
    desk.poll()
    expect(names).to_have_text(["m1", "m2", "m3", "m10"])
    stage.show(
        replace(LIVE, name="m3"), replace(SLATE, name="m10", state=State.FAILED, states=(State.FAILED,), on_air=None)
    )
    desk.poll()
    expect(names).to_have_text(["m3", "m10"])
    desk.card("m10").get_by_role("button", name="Dismiss").click()
    expect(names).to_have_text(["m3"])
    expect(desk.card("m3")).to_be_focused()


def test_a_hidden_page_makes_no_calls(desk: Desk, stage: Stage) -> None:
    page = desk.page
    stage.show(LIVE)
    page.goto(stage.url)
    hide = (
        "isHidden => { Object.defineProperty(document, 'hidden', {configurable: true, value: isHidden});"
        " document.dispatchEvent(new Event('visibilitychange')); }"
    )
    desk.poll()
    page.evaluate(hide, True)
    page.wait_for_load_state("networkidle")
    before = len(desk.asked)
    desk.pass_s(60)
    page.wait_for_load_state("networkidle")
    assert len(desk.asked) == before
    with page.expect_response(stage.url):
        page.evaluate(hide, False)


def test_only_the_pictures_in_view_are_refreshed(desk: Desk, stage: Stage) -> None:
    stage.show(*(replace(LIVE, name=f"m{number:02}") for number in range(40)))
    page = desk.page
    refreshed = page.locator(".picture img[src^='blob:']")
    page.goto(stage.url)
    expect(page.locator(".card")).to_have_count(40)
    desk.pass_s(PICTURES_S)
    expect(refreshed).to_have_count(8)  # two rows of four
    desk.pass_s(PICTURES_S)
    expect(refreshed).to_have_count(8)
    assert no_wider_than_the_screen(page)
    last = desk.card("m39")
    last.scroll_into_view_if_needed()
    eventually(lambda: desk.pass_s(PICTURES_S) or last.locator("img[src^='blob:']").count(), 15)


def test_the_overlay_says_in_words_what_is_on_it(desk: Desk, stage: Stage) -> None:
    stage.show(replace(LIVE, overlay_age_s=0.0))
    desk.page.goto(stage.url)
    picture = desk.card("m1").get_by_role("img", name="Overlay of m1: FOUR, A Stone, RV, 71/2")
    expect(picture).to_be_visible(timeout=SLOW_MS)


def test_a_missing_picture_is_announced_and_appears_by_itself(desk: Desk, stage: Stage) -> None:
    desk.expects = ["status of 404"]
    stage.show(LIVE)
    stage.picture = None
    desk.page.goto(stage.url)
    expect(desk.card("m1").get_by_text("No picture yet")).to_be_visible()
    stage.picture = jpeg("green")
    desk.pass_s(PICTURES_S)
    expect(desk.card("m1").get_by_text("No picture yet")).to_be_hidden()
    assert is_green(desk.card("m1"))


def test_nothing_is_wider_than_a_phone(desk: Desk, stage: Stage) -> None:
    desk.page.set_viewport_size({"width": 360, "height": 740})
    long = "https-like." + "x" * 53
    fault = replace(LIVE.destination, url="rtmps://" + "long-host." * 12 + "com/live2/****", state="reconnecting")
    trouble = {"state": "reconnecting", "states": ("reconnecting", "slate"), "reason": "W" * 300}
    stage.show(
        LIVE,
        replace(LIVE, name=long, destination=fault, backup=fault, **trouble),  # type: ignore[arg-type]
        replace(SLATE, name="m3", dropped_frames=123_456, uptime_s=43_000),
        replace(SLATE, name="m4", state=State.FAILED, states=(State.FAILED,), on_air=None, reason="W" * 300),
    )
    page = desk.page
    page.goto(stage.url)
    assert no_wider_than_the_screen(page)
    for more in page.get_by_text("More").all():
        more.click()
    assert no_wider_than_the_screen(page)
    page.get_by_role("button", name="Start a stream").first.click()
    assert no_wider_than_the_screen(page)
    small = page.locator("button:visible, summary:visible, #troubled a").evaluate_all(
        "all => all.filter(one => one.getBoundingClientRect().height < 36).map(one => one.outerHTML)"
    )
    assert small == []


def no_wider_than_the_screen(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def test_login_logout_and_the_end_of_a_session(desk: Desk, settings_with: SettingsFactory) -> None:
    desk.expects = ["status of 401"]
    page = desk.page
    stage = Stage(settings_with(host="127.0.0.1", port=free_port(), api_token=TOKEN))
    stage.show(LIVE)
    stage.open()
    try:
        page.goto(stage.url)
        page.get_by_label("Token").fill("guess")
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("alert")).to_have_text("This is not the token")
        log_in(page)
        desk.poll()
        desk.card("m1").get_by_role("button", name="Stop").click()
        page.get_by_role("dialog").get_by_role("button", name="Stop").click()
        eventually(lambda: stage.shown == {}, what="the CSRF token is sent along")
        page.get_by_role("button", name="Log out").click()
        page.wait_for_url("**/login")
        log_in(page)
        page.context.clear_cookies()
        desk.pass_s(POLL_S)
        page.wait_for_url("**/login")
        assert TOKEN not in page.content()
        page.goto("about:blank")
    finally:
        stage.vanish()
        stage.close()


def log_in(page: Page) -> None:
    page.get_by_label("Token").fill(TOKEN)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(lambda url: urlsplit(url).path == "/")
