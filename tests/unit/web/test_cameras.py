from __future__ import annotations

import json
from types import SimpleNamespace
from urllib.parse import parse_qs, unquote, urlsplit

import psutil
import pytest
from flask.testing import FlaskClient

from app import create_app
from errors import ConfigurationError
from tests.conftest import SettingsFactory
from tests.unit.conftest import MakeRelay
from web.cameras import own_addresses, servers

KEY = "rope-side-7"
LAN = ("192.168.7.5", "10.9.0.2")


@pytest.fixture(autouse=True)
def _addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.cameras.own_addresses", lambda: LAN)


@pytest.fixture
def client(relay: MakeRelay, settings_with: SettingsFactory) -> FlaskClient:
    one = relay()
    made = create_app(settings_with(rtmp_server="rtmp://localhost:1935/live"), one.registry).test_client()
    start = {"youtube_url": "rtmp://127.0.0.1:1936/live2/k-1", "stream_name": "m1", "camera_key": KEY}
    assert made.post("/start_stream", json=start).status_code == 200
    assert (
        made.post(
            "/start_stream",
            json={**start, "youtube_url": start["youtube_url"] + "2", "stream_name": "m2", "camera_key": None},
        ).status_code
        == 200
    )
    return made


def test_it_says_what_to_enter_in_the_camera(client: FlaskClient) -> None:
    answer = client.get("/streams/m1/camera", headers={"Host": "relay.local:1233"})
    assert answer.headers["Cache-Control"] == "no-store"
    told = answer.json
    assert told is not None
    del told["apps"]
    assert told == {
        "servers": ["rtmp://relay.local:1935/live"],
        "server": "rtmp://relay.local:1935/live",
        "stream_key": f"m1?key={KEY}",
        "url": f"rtmp://relay.local:1935/live/m1?key={KEY}",
        "camera_key": KEY,
    }


def test_a_stream_without_a_key_has_its_name_alone(client: FlaskClient) -> None:
    told = client.get("/streams/m2/camera", headers={"Host": "relay.local:1233"}).json
    assert told is not None
    assert (told["stream_key"], told["camera_key"]) == ("m2", None)
    assert told["url"] == "rtmp://relay.local:1935/live/m2"


def test_a_stream_that_is_not_there_has_no_camera(client: FlaskClient) -> None:
    for path in ("/streams/m9/camera", "/streams/m9/camera/qr.svg"):
        assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    ("settings", "asked_host", "expected"),
    [
        ({"rtmp_server": "rtmp://localhost:1935/live"}, "relay.local", ("rtmp://relay.local:1935/live",)),
        ({"rtmp_server": "rtmp://127.0.0.1/live"}, "192.168.7.5", ("rtmp://192.168.7.5/live",)),
        ({"rtmp_server": "rtmp://[::1]:1935/live"}, "fd00::7", ("rtmp://[fd00::7]:1935/live",)),
        (
            {"rtmp_server": "rtmp://localhost:1935/live"},
            "localhost",
            ("rtmp://192.168.7.5:1935/live", "rtmp://10.9.0.2:1935/live"),
        ),
        ({"rtmp_server": "rtmps://cams.example.org/live"}, "relay.local", ("rtmps://cams.example.org/live",)),
        (
            {"rtmp_server": "rtmp://localhost:1935/live", "camera_server": "rtmp://in.example.org/live"},
            "relay.local",
            ("rtmp://in.example.org/live",),
        ),
        (
            {"rtmp_server": "rtmp://rtmp:1935/live", "camera_server": "rtmp://*:1935/live"},
            "relay.local",
            ("rtmp://relay.local:1935/live",),
        ),
    ],
    ids=str,
)
def test_the_server_is_the_one_that_a_camera_can_reach(
    settings_with: SettingsFactory, settings: dict[str, str], asked_host: str, expected: tuple[str, ...]
) -> None:
    assert servers(settings_with(**settings), asked_host) == expected


def test_a_machine_without_a_network_names_its_rtmp_server(
    settings_with: SettingsFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.cameras.own_addresses", lambda: ())
    assert servers(settings_with(rtmp_server="rtmp://localhost:1935/live"), None) == ("rtmp://localhost:1935/live",)


def test_addresses_that_no_camera_can_reach_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def v4(address: str) -> SimpleNamespace:
        return SimpleNamespace(family=SimpleNamespace(name="AF_INET"), address=address)

    v6 = SimpleNamespace(family=SimpleNamespace(name="AF_INET6"), address="fe80::1")
    networks = {
        "lo": [v4("127.0.0.1")],
        "eth0": [v4("192.168.7.5"), v6],
        "wlan0": [v4("169.254.3.3")],
        "docker0": [v4("172.17.0.1")],
        "eth1": [v4("10.9.0.2")],
    }
    monkeypatch.setattr(psutil, "net_if_addrs", lambda: networks)
    monkeypatch.setattr(psutil, "net_if_stats", lambda: {n: SimpleNamespace(isup=n != "eth1") for n in networks})
    assert own_addresses() == ("192.168.7.5",)


def test_the_links_set_up_the_phone_apps(client: FlaskClient) -> None:
    told = client.get("/streams/m1/camera", headers={"Host": "relay.local:1233"}).json
    assert told is not None
    larix, moblin = told["apps"]["larix"], told["apps"]["moblin"]
    assert larix.startswith("larix://set/v1?")
    assert parse_qs(urlsplit(larix).query) == {
        "conn[][url]": [told["url"]],
        "conn[][name]": ["m1"],
        "conn[][mode]": ["av"],
        "conn[][overwrite]": ["on"],
    }
    assert moblin.startswith("moblin://?")
    assert json.loads(unquote(urlsplit(moblin).query)) == {
        "streams": [{"name": "m1", "url": told["url"], "selected": True}]
    }


@pytest.mark.parametrize("app", ["", "?app=url", "?app=larix", "?app=moblin"])
def test_a_qr_code_is_a_picture_of_its_own(client: FlaskClient, app: str) -> None:
    answer = client.get(f"/streams/m1/camera/qr.svg{app}", headers={"Host": "relay.local:1233"})
    assert answer.status_code == 200
    assert answer.content_type == "image/svg+xml"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.text.startswith('<svg xmlns="http://www.w3.org/2000/svg"')
    assert KEY not in answer.text


def test_an_app_without_a_code_is_named(client: FlaskClient) -> None:
    answer = client.get("/streams/m1/camera/qr.svg?app=obs")
    assert (answer.status_code, answer.json) == (400, {"error": "app must be one of url, larix, moblin"})


def test_the_camera_server_must_be_an_rtmp_url(settings_with: SettingsFactory) -> None:
    with pytest.raises(ConfigurationError, match="CAMERA_SERVER: must be a URL that starts with rtmp://"):
        settings_with(camera_server="http://relay.example.org/live")
    with pytest.raises(ConfigurationError, match="CAMERA_SERVER: must name an application"):
        settings_with(camera_server="rtmp://relay.example.org")
