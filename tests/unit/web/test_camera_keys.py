"""The hooks ask for a camera's key, and the start call takes or makes it."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app import create_app
from errors import ConfigurationError
from relay.camera_key import Admission, CameraKeys
from tests.conftest import SettingsFactory
from tests.unit.conftest import MakeRelay, Relay

TOKEN = "open-sesame"
KEY = "rope-side-7"
START = {"youtube_url": "rtmp://127.0.0.1:1936/live2/k-1", "stream_name": "m1"}


def client_of(one: Relay, settings_with: SettingsFactory, **settings: object) -> FlaskClient:
    client = create_app(settings_with(host="127.0.0.1", **settings), one.registry).test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {TOKEN}"
    return client


def publish(client: FlaskClient, name: str, key: str | None = None, hook: str = "publish", **more: str) -> int:
    form = {"call": "update_publish" if hook == "update" else hook, "name": name, "clientid": "7", "addr": "192.0.2.7"}
    if key is not None:
        form["key"] = key
    return client.post(f"/hooks/{hook}", data=form | more).status_code


def test_a_camera_must_give_the_key_of_the_start_call(relay: MakeRelay, settings_with: SettingsFactory) -> None:
    one = relay()
    client = client_of(one, settings_with)
    assert client.post("/start_stream", json=START | {"camera_key": KEY}).status_code == 200
    assert publish(client, "m1", KEY) == 204
    assert publish(client, "m1") == 403
    assert publish(client, "m1", KEY + "x") == 403
    assert publish(client, "m2") == 204, "without API_TOKEN any camera may come early"


def test_a_refused_camera_is_named_and_is_no_camera(
    relay: MakeRelay, settings_with: SettingsFactory, caplog: pytest.LogCaptureFixture
) -> None:
    one = relay()
    client = client_of(one, settings_with)
    client.post("/start_stream", json=START | {"camera_key": KEY})
    publishers = one.registry.running("m1").picture.publishers
    answer = client.post(
        "/hooks/publish", data={"name": "m1", "key": "guess-guess", "clientid": "9", "addr": "192.0.2.9"}
    )
    assert (answer.status_code, answer.json) == (403, {"error": "the name m1: the camera's key is wrong"})
    answer = client.post("/hooks/publish", data={"name": "m1", "clientid": "9", "addr": "192.0.2.9"})
    assert answer.json == {"error": "the name m1: the camera's key is missing"}
    assert publishers.holder is None
    refused = publishers.turned_away_lately(one.clock())
    assert refused is not None
    assert refused.address == "192.0.2.9"
    assert "guess-guess" not in caplog.text
    assert KEY not in caplog.text


def test_the_end_of_a_refused_connection_changes_nothing(relay: MakeRelay, settings_with: SettingsFactory) -> None:
    one = relay()
    client = client_of(one, settings_with)
    client.post("/start_stream", json=START | {"camera_key": KEY})
    publishers = one.registry.running("m1").picture.publishers
    assert publish(client, "m1", KEY) == 204
    assert publish(client, "m1", "guess-guess", clientid="9") == 403
    assert publish(client, "m1", hook="publish_done", clientid="9") == 204
    assert publishers.holder is not None
    assert publishers.holder.connection == "7 192.0.2.7"


def test_a_camera_that_was_there_before_the_stream_must_give_its_key_too(
    relay: MakeRelay, settings_with: SettingsFactory
) -> None:
    one = relay()
    client = client_of(one, settings_with)
    assert publish(client, "m1") == 204
    assert publish(client, "m1", hook="update") == 204
    client.post("/start_stream", json=START | {"camera_key": KEY})
    assert publish(client, "m1", hook="update") == 403
    assert publish(client, "m1", KEY, hook="update") == 204
    client.post("/stop_stream", json={"stream_name": "m1"})
    assert publish(client, "m1", hook="update") == 204


def test_with_a_token_the_service_makes_the_key(relay: MakeRelay, settings_with: SettingsFactory) -> None:
    one = relay()
    client = client_of(one, settings_with, api_token=TOKEN)
    made = CameraKeys(settings_with(api_token=TOKEN)).of("m1")
    assert made is not None
    assert publish(client, "m1", made) == 204, "it may come before the start call"
    assert publish(client, "m1") == 403
    assert publish(client, "m2", made) == 403
    assert client.post("/start_stream", json=START).status_code == 200
    assert one.registry.camera_key("m1") == made
    assert publish(client, "m1", made) == 204
    assert publish(client, "m1") == 403


def test_the_key_of_the_start_call_outranks_the_made_one(relay: MakeRelay, settings_with: SettingsFactory) -> None:
    one = relay()
    client = client_of(one, settings_with, api_token=TOKEN)
    made = CameraKeys(settings_with(api_token=TOKEN)).of("m1")
    assert client.post("/start_stream", json=START | {"camera_key": KEY}).status_code == 200
    assert publish(client, "m1", made) == 403
    assert publish(client, "m1", KEY) == 204


def test_old_cameras_go_on_if_no_key_is_required(relay: MakeRelay, settings_with: SettingsFactory) -> None:
    one = relay()
    client = client_of(one, settings_with, api_token=TOKEN, require_camera_key="false")
    assert client.post("/start_stream", json=START).status_code == 200
    assert one.registry.camera_key("m1") is None
    assert publish(client, "m1") == 204
    assert publish(client, "m1", "anything") == 204


def test_while_nobody_can_tell_the_key_a_camera_has_to_try_again(
    relay: MakeRelay, settings_with: SettingsFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = relay()
    monkeypatch.setattr(one.registry, "admission", lambda _name, _key: Admission.NOT_YET)
    assert publish(client_of(one, settings_with, api_token=TOKEN), "m1") == 403
    assert publish(client_of(one, settings_with), "m1") == 204


@pytest.mark.parametrize("key", ["short", "x" * 65, "with space", 12345678, ["a" * 8], True], ids=str)
def test_a_key_that_cannot_be_used_is_named(relay: MakeRelay, settings_with: SettingsFactory, key: object) -> None:
    one = relay()
    answer = client_of(one, settings_with).post("/start_stream", json=START | {"camera_key": key})
    assert answer.status_code == 400
    assert answer.json == {"error": "camera_key must be 8 to 64 characters of A-Z a-z 0-9 . _ ~ -"}
    assert one.names() == []


@pytest.mark.parametrize("key", ["", None])
def test_an_empty_key_counts_as_none(relay: MakeRelay, settings_with: SettingsFactory, key: str | None) -> None:
    one = relay()
    assert client_of(one, settings_with).post("/start_stream", json=START | {"camera_key": key}).status_code == 200
    assert one.registry.camera_key("m1") is None


def test_the_key_survives_a_restart_and_is_known_at_once(
    relay: MakeRelay, settings_with: SettingsFactory, tmp_path: Path
) -> None:
    before = relay(state_file=tmp_path / "streams.json")
    client_of(before, settings_with).post("/start_stream", json=START | {"camera_key": KEY})
    before.close()
    one = relay(state_file=tmp_path / "streams.json")
    one.registry.restore()
    client = client_of(one, settings_with)
    assert publish(client, "m1") == 403, "while it comes back, too"
    one.wait(one.names)
    assert publish(client, "m1") == 403
    assert publish(client, "m1", KEY) == 204


def test_a_stream_that_was_kept_without_a_key_comes_back_without_one(relay: MakeRelay, tmp_path: Path) -> None:
    file = tmp_path / "streams.json"
    before = relay(state_file=file)
    before.start("m1")
    before.close()
    content = json.loads(file.read_text())
    del content["streams"][0]["camera_key"]
    file.write_text(json.dumps(content))
    one = relay(state_file=file)
    one.registry.restore()
    one.wait(one.names)
    assert one.registry.camera_key("m1") is None


def test_the_key_is_in_no_status_page_metric_or_log(
    relay: MakeRelay, settings_with: SettingsFactory, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    one = relay()
    client = client_of(one, settings_with)
    client.post("/start_stream", json=START | {"camera_key": KEY})
    for path in ("/", "/streams", "/streams/m1", "/streams/m1/log", "/list_streams", "/metrics"):
        assert KEY not in client.get(path).text, path
    assert KEY not in repr(one.registry.running("m1").request)
    assert KEY not in caplog.text


def test_a_key_cannot_be_required_without_a_token(settings_with: SettingsFactory) -> None:
    with pytest.raises(ConfigurationError, match="REQUIRE_CAMERA_KEY: must be auto or false without API_TOKEN"):
        settings_with(require_camera_key="true")
