from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient

from app import create_app
from demo.match_feed import MatchFeed
from media.destination import parse_destination
from relay.camera_key import Admission
from relay.publishers import CameraEvent, CameraKind, Publishers
from relay.registry import StreamRegistry
from tests.conftest import SettingsFactory
from tests.unit.conftest import MakeRelay
from tests.waiting import eventually

CAME, LEFT, STAYS = "/hooks/publish", "/hooks/publish_done", "/hooks/update"


class Hooked(StreamRegistry):
    """A registry that keeps what the hooks report."""

    def __init__(self, settings_with: SettingsFactory) -> None:
        super().__init__(settings_with())
        self.told: list[tuple[str, str]] = []

    def camera_event(self, name: str, event: CameraEvent) -> None:
        self.told.append((event.kind, name))
        super().camera_event(name, event)


@pytest.fixture
def registry(settings_with: SettingsFactory) -> Iterator[Hooked]:
    made = Hooked(settings_with)
    yield made
    made.close()


@pytest.fixture
def client(settings_with: SettingsFactory, registry: Hooked) -> FlaskClient:
    return create_app(settings_with(host="127.0.0.1"), registry).test_client()


@pytest.mark.parametrize(("path", "word"), [(CAME, "came"), (LEFT, "left"), (STAYS, "stays")])
def test_a_hook_names_its_camera_to_the_registry(client: FlaskClient, registry: Hooked, path: str, word: str) -> None:
    answer = client.post(path, data={"call": "update_publish", "addr": "192.0.2.7", "app": "live", "name": "m1"})
    assert (answer.status_code, answer.data) == (204, b"")
    assert registry.told == [(word, "m1")]


@pytest.mark.parametrize(("path", "call"), [("/hooks/connect", "connect"), (STAYS, "update_play")])
def test_players_and_connections_are_let_in_and_are_no_cameras(
    client: FlaskClient, registry: Hooked, path: str, call: str
) -> None:
    assert client.post(path, data={"call": call, "app": "live", "name": "m1"}).status_code == 204
    assert registry.told == []


@pytest.mark.parametrize("path", [CAME, LEFT])
@pytest.mark.parametrize("form", [{"name": "unknown"}, {"name": ""}, {}, {"name": "../x\n" + "y" * 999}], ids=str)
def test_a_camera_without_a_stream_is_not_refused(client: FlaskClient, path: str, form: dict[str, str]) -> None:
    assert client.post(path, data=form).status_code == 204


@pytest.mark.parametrize("path", [CAME, LEFT])
@pytest.mark.parametrize("address", ["10.0.0.5", "192.0.2.1", "2001:db8::1", "nonsense", ""])
def test_hooks_are_accepted_from_this_machine_only(
    client: FlaskClient, registry: Hooked, path: str, address: str
) -> None:
    answer = client.post(path, data={"name": "m1"}, environ_base={"REMOTE_ADDR": address})
    assert (answer.status_code, answer.json) == (403, {"error": "Hooks are accepted from this machine only"})
    assert registry.told == []


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "Via", "Origin"])
def test_calls_of_a_proxy_or_a_browser_on_this_machine_are_no_hooks(
    client: FlaskClient, registry: Hooked, header: str
) -> None:
    answer = client.post(CAME, data={"name": "m1"}, headers={header: "127.0.0.1"})
    assert (answer.status_code, answer.json) == (403, {"error": "Hooks are accepted from this machine only"})
    assert registry.told == []


SECRET = "hook-canary-0123456789"
AWAY: dict[str, Any] = {"environ_base": {"REMOTE_ADDR": "10.0.0.5"}, "headers": {"X-Forwarded-For": "192.0.2.1"}}


@pytest.fixture
def by_secret(settings_with: SettingsFactory, registry: Hooked) -> FlaskClient:
    return create_app(
        settings_with(hook_secret=SECRET, api_token="open-sesame", require_camera_key=False), registry
    ).test_client()


def test_with_the_secret_in_its_path_a_hook_is_accepted_from_anywhere(by_secret: FlaskClient, registry: Hooked) -> None:
    for event in ("connect", "publish", "publish_done"):
        assert by_secret.post(f"/hooks/{SECRET}/{event}", data={"name": "m1"}, **AWAY).status_code == 204
        assert by_secret.post(f"/hooks/{event}", data={"name": "m1"}, **AWAY).status_code == 403
    assert registry.told == [("came", "m1"), ("left", "m1")]
    assert by_secret.post(CAME, data={"name": "m1"}).status_code == 204, "from this machine no secret is needed"


@pytest.mark.parametrize(
    "wrong", [SECRET[:-1], SECRET + "x", SECRET.upper(), "x", "é", "%F0%9F%8E%A5", "%00", "publish"]
)
@pytest.mark.parametrize("how", [AWAY, {}], ids=["away", "here"])
def test_a_wrong_secret_is_refused(
    by_secret: FlaskClient, registry: Hooked, wrong: str, how: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    answer = by_secret.post(f"/hooks/{wrong}/publish", data={"name": "m1"}, **how)
    assert (answer.status_code, answer.json) == (403, {"error": "The path does not contain HOOK_SECRET"})
    assert registry.told == []
    assert SECRET not in caplog.text


def test_if_no_secret_is_set_none_is_right(client: FlaskClient, registry: Hooked) -> None:
    for path in ("/hooks/x/publish", "/hooks/%20/publish_done"):
        assert client.post(path, data={"name": "m1"}, **AWAY).status_code == 403
    assert client.post("/hooks//publish", data={"name": "m1"}, **AWAY).status_code in (308, 404)
    assert registry.told == []


def test_with_publish_announced_only_other_names_may_not_publish(
    relay: MakeRelay, settings_with: SettingsFactory
) -> None:
    one = relay()
    client = create_app(settings_with(publish_announced_only=True), one.registry).test_client()

    def may_publish(*names: str) -> bool:
        body = urlencode([("call", "publish"), *(("name", name) for name in names)])
        answer = client.post(CAME, data=body, content_type="application/x-www-form-urlencoded")
        assert answer.status_code in (204, 403)
        return answer.status_code == 204

    one.start("m1")
    assert may_publish("m1")
    assert not may_publish("m2")
    assert not may_publish("M1")
    assert not may_publish("")
    assert not may_publish()
    assert may_publish("m1", "intruder"), "nginx-rtmp adds what the camera put into its URL after its own fields"
    assert not may_publish("intruder", "m1")
    assert not may_publish("x\n" + "y" * 99)
    assert client.post(CAME, data={"name": "m2"}).json == {"error": "No stream has the name m2"}
    assert client.post(CAME, data={"name": "../m2"}).json == {"error": "No stream has this name"}
    assert client.post(LEFT, data={"name": "m2"}).status_code == 204
    one.registry.stop("m1")
    assert not may_publish("m1")


def test_a_stream_that_starts_is_announced(relay: MakeRelay, feed: MatchFeed) -> None:
    one = relay(overlay_api_base=feed.url)
    feed.hold = True
    thread = threading.Thread(target=one.start)
    thread.start()
    eventually(lambda: one.registry.admission("m1", "") == Admission.YES)
    assert one.names() == []
    feed.release.set()
    thread.join()
    assert one.registry.admission("m1", "") == Admission.YES


def test_streams_that_come_back_after_a_restart_are_announced_at_once(
    relay: MakeRelay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = relay(state_file=tmp_path / "streams.json")
    before.start("m1")
    before.start("refused")
    before.close()
    may_go_on = threading.Event()

    def wait_and_parse(*args: Any) -> Any:
        assert may_go_on.wait(15)
        return parse_destination(*args)

    monkeypatch.setattr("relay.restoring.parse_destination", wait_and_parse)
    one = relay(state_file=tmp_path / "streams.json", max_concurrent_streams=1)

    def announced() -> list[str]:
        return [name for name in ("m1", "refused") if one.registry.admission(name, "") != Admission.NO_STREAM]

    assert announced() == []
    one.registry.restore()
    assert announced() == ["m1", "refused"]
    assert one.names() == []
    may_go_on.set()
    eventually(one.names)
    eventually(lambda: announced() == one.names(), what="the stream without room is given up")


def test_a_forwarded_address_changes_nothing(client: FlaskClient, registry: Hooked) -> None:
    answer = client.post(
        CAME,
        data={"name": "m1"},
        environ_base={"REMOTE_ADDR": "10.0.0.5"},
        headers={"X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1"},
    )
    assert answer.status_code == 403
    assert registry.told == []


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.2", "::1"])
def test_every_loopback_address_is_this_machine(client: FlaskClient, address: str) -> None:
    assert client.post(CAME, data={"name": "m1"}, environ_base={"REMOTE_ADDR": address}).status_code == 204


@pytest.mark.parametrize("path", [CAME, LEFT])
def test_a_hook_must_be_a_post(client: FlaskClient, registry: Hooked, path: str) -> None:
    assert client.get(path, query_string={"name": "m1"}).status_code == 405
    assert registry.told == []


@pytest.mark.parametrize("path", [CAME, LEFT])
def test_hooks_need_no_token_and_everything_else_does(
    settings_with: SettingsFactory, registry: Hooked, path: str
) -> None:
    settings = settings_with(api_token="open-sesame", require_camera_key=False)
    client = create_app(settings, registry).test_client()
    assert client.post(path, data={"name": "m1"}).status_code == 204
    assert len(registry.told) == 1
    away = client.post(path, data={"name": "m1"}, environ_base={"REMOTE_ADDR": "10.0.0.5"})
    assert away.status_code == 403
    assert len(registry.told) == 1
    for other in ("/hooks", "/hooksx", "/hooks/nowhere", "/streams", "//hooks/publish", "/hooks/../streams"):
        assert client.get(other).status_code == 401, other
        assert client.post(other, data={"name": "m1"}).status_code == 401, other
    assert len(registry.told) == 1


def test_the_registry_passes_a_hook_to_the_stream_with_that_name(
    relay: MakeRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[Publishers, CameraEvent]] = []
    monkeypatch.setattr("relay.publishers.Publishers.hear", lambda self, event: told.append((self, event)))
    one = relay()
    one.start("m1")
    one.start("m2")
    left, came = CameraEvent(CameraKind.LEFT), CameraEvent(CameraKind.CAME, "7", "192.0.2.1")
    for name, event in (("m2", left), ("m1", came), ("m9", came), ("", left)):
        one.registry.camera_event(name, event)
    of = {name: one.registry.running(name).picture.publishers for name in ("m1", "m2")}
    assert told == [(of["m2"], left), (of["m1"], came)]


def test_a_hook_ends_the_wait_for_the_next_attempt(relay: MakeRelay, settings_with: SettingsFactory) -> None:
    one = relay()
    one.fake.script(compositor={"exit": 1})
    one.start()
    one.wait(lambda: one.status().attempts["compositor"] >= 4)  # the next wait is 5 s by the clock
    attempts = one.status().attempts["compositor"]
    client = create_app(settings_with(host="127.0.0.1"), one.registry).test_client()

    def started() -> bool:
        client.post(CAME, data={"name": "m1"})
        return one.status().attempts["compositor"] > attempts

    eventually(started, what="another attempt while the clock stands still")
