from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from app import create_app
from tests.conftest import SettingsFactory
from tests.unit.conftest import MakeRelay
from tests.waiting import FakeClock
from web.unclaimed import KEPT_S, MOST, Unclaimed

FROM = "192.0.2.7"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def unclaimed(clock: FakeClock) -> Unclaimed:
    return Unclaimed("live", clock)


def texts(unclaimed: Unclaimed, *streams: str) -> list[str]:
    return [camera.text for camera in unclaimed.cameras(streams)]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("m1x", "a camera publishes as “m1x”, and no stream has that name. Is it the camera of m1?"),
        ("M1", "a camera publishes as “M1”, and no stream has that name. Is it the camera of m1?"),
        ("/m1", "a camera publishes as “/m1”, and no stream has that name. Is it the camera of m1?"),
        ("m1 ", "a camera publishes as “m1 ”, and no stream has that name. Is it the camera of m1?"),
        ("m1/", "a camera publishes as “m1/”, and no stream has that name. Is it the camera of m1?"),
        ("pavilion", "a camera publishes as “pavilion”, and no stream has that name"),
        ("", "a camera publishes without a name: enter the stream's name as its stream key"),
        ("m1&key=canary-1", "a camera publishes as “m1&key=****”, and no stream has that name"),
        ("a\nb\x00", "a camera publishes as “a�b�”, and no stream has that name"),
    ],
)
def test_a_camera_under_a_wrong_name_is_named(unclaimed: Unclaimed, name: str, text: str) -> None:
    unclaimed.publishes(name, "live", FROM)
    [camera] = unclaimed.cameras(["m1", "final"])
    assert (camera.text, camera.address, camera.age_s) == (text, FROM, 0.0)
    assert "canary" not in repr(camera)


@pytest.mark.parametrize("application", ["liv", "app", "", "live/extra"])
def test_a_wrong_application_is_named(unclaimed: Unclaimed, application: str) -> None:
    unclaimed.connects(application, FROM)
    expected = f"a camera connects to the application “{application}”: its server address must end in /live"
    assert texts(unclaimed, "m1") == [expected]


@pytest.mark.parametrize("application", ["live", "live/", "/live"])
def test_whoever_connects_to_the_right_application_is_not_listed(unclaimed: Unclaimed, application: str) -> None:
    unclaimed.connects(application, FROM)
    assert texts(unclaimed) == []


def test_a_camera_is_no_longer_listed_once_a_stream_has_its_name(unclaimed: Unclaimed) -> None:
    unclaimed.publishes("m1", "live", FROM)
    assert len(texts(unclaimed)) == 1
    assert texts(unclaimed, "m1") == []


def test_a_camera_is_listed_once_and_for_ten_minutes_after_its_last_report(
    unclaimed: Unclaimed, clock: FakeClock
) -> None:
    unclaimed.publishes("m1", "live", FROM)
    clock.now += KEPT_S - 1
    unclaimed.publishes("m1", "live", FROM)
    clock.now += KEPT_S - 1
    assert len(texts(unclaimed)) == 1
    clock.now += 1
    assert texts(unclaimed) == []


def test_only_the_newest_are_kept(unclaimed: Unclaimed) -> None:
    for number in range(MOST + 5):
        unclaimed.publishes(f"x{number}", "live", FROM)
    names = [camera.name for camera in unclaimed.cameras([])]
    assert names == [f"x{number}" for number in range(MOST + 4, 4, -1)]


@pytest.fixture
def client(relay: MakeRelay, settings_with: SettingsFactory) -> FlaskClient:
    one = relay()
    one.start("m1")
    return create_app(settings_with(host="127.0.0.1", rtmp_server="rtmp://127.0.0.1/live"), one.registry).test_client()


def test_the_hooks_report_them_to_the_dashboard_and_the_api(client: FlaskClient) -> None:
    client.post("/hooks/publish", data={"app": "live", "name": "m1", "addr": FROM})
    client.post("/hooks/connect", data={"app": "live", "addr": FROM})
    assert client.get("/cameras").json == {"unclaimed": []}
    client.post("/hooks/publish", data={"app": "live", "name": "<b>m1x", "addr": FROM})
    client.post("/hooks/connect", data={"app": "liv", "addr": FROM})
    answer = client.get("/cameras").json
    assert answer is not None
    assert [(camera["name"], camera["application"]) for camera in answer["unclaimed"]] == [
        ("", "liv"),
        ("<b>m1x", "live"),
    ]
    page = client.get("/").text
    assert "A camera publishes as “&lt;b&gt;m1x”, and no stream has that name (from 192.0.2.7" in page


def test_a_camera_that_is_turned_away_is_listed_too(relay: MakeRelay, settings_with: SettingsFactory) -> None:
    settings = settings_with(host="127.0.0.1", rtmp_server="rtmp://127.0.0.1/live", publish_announced_only=True)
    client = create_app(settings, relay().registry).test_client()
    assert client.post("/hooks/publish", data={"app": "live", "name": "m1", "addr": FROM}).status_code == 403
    answer = client.get("/cameras").json
    assert answer is not None
    assert [camera["name"] for camera in answer["unclaimed"]] == ["m1"]
