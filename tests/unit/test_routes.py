from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from PIL import Image

from app import create_app
from config import load_settings
from demo.match_feed import Answer, MatchFeed
from deploy.rtmp_server import free_port
from graphics.drawing import draw_scoreboard, placeholder
from graphics.layout import canvas_of
from media.profiles import PROFILES
from relay.registry import StreamRegistry
from scoring.reading import parse_match_data
from tests.conftest import SettingsFactory
from tests.fake_ffmpeg import ACCESS_UNIT
from tests.images import assert_alike, mean_distance
from tests.mpegts import Muxer
from tests.unit.conftest import FakeFFmpeg, MakeRelay
from tests.waiting import eventually
from web.health import Check, Readiness

URL = "rtmp://127.0.0.1/live2/key-1"
GOOD = {"youtube_url": URL, "stream_name": "m1"}


@pytest.fixture
def client(
    settings_with: SettingsFactory,
    fake_ffmpeg: FakeFFmpeg,
    unasked: None,
    feed: MatchFeed,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[FlaskClient]:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    settings = settings_with(ffmpeg_bin=str(fake_ffmpeg.path), overlay_api_base=feed.url, max_concurrent_streams=2)
    registry = StreamRegistry(settings)
    yield create_app(settings, registry).test_client()
    registry.close()


@pytest.fixture(scope="module")
def on_air(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    """A client with m1 on air, for tests whose calls change nothing."""
    folder = tmp_path_factory.mktemp("on-air")
    overrides = {"_env_file": None, "overlay_api_base": "", "overlay_image_base": "", "log_dir": folder / "logs"}
    settings = load_settings(overrides | {"ffmpeg_bin": str(FakeFFmpeg(folder).path)})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tempfile.tempdir", str(folder))
        registry = StreamRegistry(settings)
    client = create_app(settings, registry).test_client()
    assert client.post("/start_stream", json=GOOD).status_code == 200
    yield client
    registry.close()


def test_start_list_stop_answer_as_the_spec_says(client: FlaskClient) -> None:
    answer = client.post("/start_stream", json=GOOD)
    assert (answer.status_code, answer.json) == (
        200,
        {"message": "Stream m1 started successfully", "youtube_url": URL},
    )
    listed = client.get("/list_streams")
    assert listed.status_code == 200
    assert listed.json is not None
    assert list(listed.json) == ["m1"]
    assert listed.json["m1"]["youtube_url"] == URL
    assert isinstance(listed.json["m1"]["uptime"], float)
    answer = client.post("/stop_stream", json={"stream_name": "m1"})
    assert (answer.status_code, answer.json) == (200, {"message": "Stream m1 stopped successfully"})
    assert client.get("/list_streams").json == {}


def test_keys_are_masked_in_the_list_if_that_is_set(relay: MakeRelay, settings_with: SettingsFactory) -> None:
    one = relay()
    client = create_app(settings_with(list_streams_show_key=False), one.registry).test_client()
    assert client.post("/start_stream", json=GOOD).json == {
        "message": "Stream m1 started successfully",
        "youtube_url": URL,
    }
    listed = client.get("/list_streams").json
    assert listed is not None
    assert listed["m1"]["youtube_url"] == "rtmp://127.0.0.1/live2/****"
    assert isinstance(listed["m1"]["uptime"], float)


def test_the_content_type_of_the_spec_is_accepted(client: FlaskClient) -> None:
    answer = client.post("/start_stream", data=json.dumps(GOOD), content_type="application/json; charset=UTF-8")
    assert answer.status_code == 200


def test_unknown_fields_are_ignored(client: FlaskClient) -> None:
    assert client.post("/start_stream", json=GOOD | {"colour": "red"}).status_code == 200


def test_conflict_capacity_and_not_found(client: FlaskClient) -> None:
    client.post("/start_stream", json=GOOD)
    answer = client.post("/start_stream", json=GOOD)
    assert (answer.status_code, answer.json) == (409, {"error": "Stream already active"})
    client.post("/start_stream", json=GOOD | {"stream_name": "m2", "youtube_url": f"{URL}-2"})
    answer = client.post("/start_stream", json=GOOD | {"stream_name": "m3", "youtube_url": f"{URL}-3"})
    assert answer.status_code == 429
    assert answer.json == {"error": "No capacity left: 2 streams run, and MAX_CONCURRENT_STREAMS is 2"}
    answer = client.post("/stop_stream", json={"stream_name": "m9"})
    assert (answer.status_code, answer.json) == (404, {"error": "Stream not found"})


@pytest.mark.parametrize(
    "second",
    [
        {"youtube_url": URL},
        {"youtube_url": URL.replace("127.0.0.1", "localhost")},
        {"youtube_url": URL.replace("127.0.0.1", "127.0.0.1:1935")},
        {"youtube_url": f"{URL}?backup=1"},
        {"youtube_url": f"{URL}-2", "backup_url": f"{URL}?backup=1"},
    ],
    ids=["same", "localhost", "port", "backup", "as a backup"],
)
def test_two_streams_cannot_go_to_one_stream_key(client: FlaskClient, second: dict[str, str]) -> None:
    assert client.post("/start_stream", json=GOOD).status_code == 200
    answer = client.post("/start_stream", json=second | {"stream_name": "m2"})
    error = "Stream m1 goes to the same stream key: stop it, or take another key"
    assert (answer.status_code, answer.json) == (409, {"error": error})
    client.post("/stop_stream", json={"stream_name": "m1"})
    assert client.post("/start_stream", json=second | {"stream_name": "m2"}).status_code == 200


def test_who_has_chosen_no_match_api_is_told_how_to_do_without(
    relay: MakeRelay, settings_with: SettingsFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    monkeypatch.setattr("relay.match_side.DEFAULT_API_BASE", nobody)
    one = relay(overlay_api_base=nobody)
    answer = create_app(settings_with(), one.registry).test_client().post("/start_stream", json=GOOD)
    assert answer.status_code == 500
    assert answer.json is not None
    assert answer.json["error"] == "Failed to start match monitoring"
    assert answer.json["help"].startswith(f"{nobody} cannot be reached.")
    assert answer.json["help"].endswith("start the service again: OVERLAY_API_BASE= and OVERLAY_IMAGE_BASE=")


def test_a_failed_monitoring_is_the_500_of_the_spec(client: FlaskClient, feed: MatchFeed) -> None:
    feed.start = Answer(b"", 404)
    answer = client.post("/start_stream", json=GOOD)
    assert (answer.status_code, answer.json) == (500, {"error": "Failed to start match monitoring"})
    assert client.get("/list_streams").json == {}


@pytest.mark.parametrize("call", ["/start_stream", "/stop_stream"])
@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'"x"', b"null", b"5", b"[" * 60_000, b'{"a":\xff}', b'{"stream_name": 1' + b"0" * 6000 + b"}"],
    ids=["none", "broken", "list", "string", "null", "number", "nested", "not utf-8", "huge number"],
)
def test_a_body_that_is_no_object_is_refused(client: FlaskClient, call: str, body: bytes) -> None:
    answer = client.post(call, data=body, content_type="application/json")
    assert answer.status_code == 400
    assert_is_error(answer.json)


def test_another_content_type_is_refused(client: FlaskClient) -> None:
    answer = client.post("/start_stream", data=json.dumps(GOOD), content_type="text/plain")
    assert (answer.status_code, answer.json) == (400, {"error": "Content-Type must be application/json"})


@pytest.mark.parametrize(
    "change",
    [
        {"youtube_url": None},
        {"youtube_url": ""},
        {"stream_name": None},
        {"stream_name": ""},
        {"stream_name": 0},
        {"youtube_url": False, "stream_name": []},
    ],
)
def test_missing_and_empty_fields_are_named(client: FlaskClient, change: dict[str, Any]) -> None:
    answer = client.post("/start_stream", json=GOOD | change)
    assert (answer.status_code, answer.json) == (400, {"error": "Missing youtube_url or stream_name"})


@pytest.mark.parametrize("missing", ["youtube_url", "stream_name"])
def test_absent_fields_are_named(client: FlaskClient, missing: str) -> None:
    answer = client.post("/start_stream", json={key: value for key, value in GOOD.items() if key != missing})
    assert (answer.status_code, answer.json) == (400, {"error": "Missing youtube_url or stream_name"})


BAD_NAMES = [
    "../x",
    "-i",
    "a b",
    "a\nb",
    "a\n",
    ".",
    "..",
    ".hidden",
    "a/b",
    "a\x00",
    "%2e",
    "naïve",
    "x" * 65,
    "{match_id}",
    7,
    True,
    ["m1"],
    {"a": 1},
]


@pytest.mark.parametrize("name", BAD_NAMES, ids=repr)
@pytest.mark.parametrize("call", ["/start_stream", "/stop_stream"])
def test_bad_names_are_refused(client: FlaskClient, call: str, name: object) -> None:
    answer = client.post(call, json=GOOD | {"stream_name": name})
    assert answer.status_code == 400
    assert_is_error(answer.json, "stream_name must be 1 to 64 characters of")


@pytest.mark.parametrize("name", ["a", "_", "0", "A.b_c-9", "x" * 64])
def test_good_names_are_accepted(client: FlaskClient, name: str) -> None:
    assert client.post("/start_stream", json=GOOD | {"stream_name": name}).status_code == 200


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "http://127.0.0.1/live2/key",
        "rtmp://evil.example/live2/key",
        "rtmp://127.0.0.1/live2",
        "rtmp://127.0.0.1/live2/a key",
        "rtmp://127.0.0.1/live2/key\r\nX: y",
        "rtmp://127.0.0.1/live2/" + "k" * 2000,
        12,
        ["rtmp://127.0.0.1/live2/key"],
    ],
    ids=lambda url: repr(url)[:40],
)
def test_bad_urls_are_refused(client: FlaskClient, url: object) -> None:
    answer = client.post("/start_stream", json=GOOD | {"youtube_url": url})
    assert answer.status_code == 400
    assert_is_error(answer.json, "youtube_url ")
    assert client.get("/list_streams").json == {}


@pytest.mark.parametrize("overlay_id", [None, "", [], 1.5, True, "x" * 65, "a\nb"], ids=repr)
def test_bad_overlay_ids_are_refused(client: FlaskClient, overlay_id: object) -> None:
    answer = client.post("/start_stream", json=GOOD | {"overlay_id": overlay_id})
    assert answer.status_code == 400
    assert_is_error(answer.json, "overlay_id must be")


def test_the_overlay_id_is_passed_on(client: FlaskClient, feed: MatchFeed) -> None:
    client.post("/start_stream", json=GOOD | {"overlay_id": 3})
    assert feed.calls[0][2] == {"match_id": "m1", "overlay_id": "3"}


def test_a_backup_must_be_another_destination(client: FlaskClient) -> None:
    answer = client.post("/start_stream", json=GOOD | {"backup_url": URL})
    assert (answer.status_code, answer.json) == (409, {"error": "backup_url must be different from youtube_url"})
    for same in (URL.replace("127.0.0.1", "localhost"), URL.replace("127.0.0.1", "127.0.0.1:1935")):
        answer = client.post("/start_stream", json=GOOD | {"backup_url": same})
        assert answer.status_code == 409, same
    unusable: list[object] = [False, 0, [], {}, "rtmp://127.0.0.1/live2"]
    for bad in unusable:
        answer = client.post("/start_stream", json=GOOD | {"backup_url": bad})
        assert answer.status_code == 400
        assert_is_error(answer.json, "backup_url ")
    assert client.get("/list_streams").json == {}
    for name, none in (("m1", None), ("m2", "")):
        start = {"stream_name": name, "youtube_url": f"{URL}-{name}", "backup_url": none}
        answer = client.post("/start_stream", json=start)
        assert answer.status_code == 200


def test_a_body_over_the_limit_is_413(client: FlaskClient) -> None:
    answer = client.post("/start_stream", json=GOOD | {"filler": "x" * 65_536})
    assert (answer.status_code, answer.json) == (413, {"error": "The body is over 65536 bytes"})


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/start_stream", 405),
        ("PUT", "/stop_stream", 405),
        ("POST", "/list_streams", 405),
        ("DELETE", "/list_streams", 405),
        ("GET", "/nowhere", 404),
        ("POST", "/", 405),
        ("GET", "/static/../app.py", 404),
        ("POST", "/start_stream/", 404),
        ("GET", "/../../etc/passwd", 404),
        ("GET", "/streams//overlay.png", 404),
        ("PUT", "/streams//match", 404),
    ],
)
def test_wrong_methods_and_paths_answer_in_json(client: FlaskClient, method: str, path: str, status: int) -> None:
    answer = client.open(path, method=method)
    assert answer.status_code == status
    assert_is_error(answer.json)


def test_an_unexpected_fault_is_a_500_in_json_without_details(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(self: StreamRegistry) -> None:
        raise RuntimeError("inner workings")

    monkeypatch.setattr(StreamRegistry, "snapshots", fail)
    answer = client.get("/list_streams")
    assert (answer.status_code, answer.json) == (500, {"error": "Internal error; the log says more"})
    assert "inner workings" in caplog.text


def assert_is_error(body: Any, begins: str = "") -> None:
    assert list(body) == ["error"]
    assert body["error"].startswith(begins)
    assert body["error"].isprintable()


@pytest.fixture
def guarded(settings_with: SettingsFactory, tmp_path: Path) -> Iterator[FlaskClient]:
    settings = settings_with(api_token="open-sesame")
    registry = StreamRegistry(settings)
    yield create_app(settings, registry).test_client()
    registry.close()


def test_with_a_token_set_calls_need_it(guarded: FlaskClient) -> None:
    assert guarded.get("/list_streams").status_code == 401
    assert guarded.get("/list_streams", headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert guarded.get("/nowhere").status_code == 401
    assert guarded.get("/list_streams", headers={"Authorization": "Bearer open-sesame"}).json == {}


def test_anyone_may_ask_whether_the_process_is_alive(guarded: FlaskClient) -> None:
    answer = guarded.get("/healthz")
    assert (answer.status_code, answer.json) == (200, {"status": "ok"})
    for path in ("/readyz", "/metrics", "/openapi.json", "/healthz/"):
        assert guarded.get(path).status_code == 401


def test_readiness_is_a_status_and_words(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    for ready, status in ((True, 200), (False, 503)):
        found = Readiness(ready, {"ffmpeg": Check(ready, "as it is")})
        monkeypatch.setattr("web.health.Health.readiness", lambda _self, found=found: found)
        answer = client.get("/readyz")
        assert answer.status_code == status
        assert answer.json == {"ready": ready, "checks": {"ffmpeg": {"ok": ready, "detail": "as it is"}}}


def test_a_warning_is_logged_if_others_reach_it_without_a_token(
    settings_with: SettingsFactory, caplog: pytest.LogCaptureFixture
) -> None:
    create_app(settings_with(host="127.0.0.1"))
    assert "API_TOKEN" not in caplog.text
    create_app(settings_with())
    assert "API_TOKEN is not set" in caplog.text


SCORE = {"sport": "cricket", "batting": {"name": "Mumbai Indians", "short": "MI", "runs": 12, "wickets": 1}}


def test_a_pushed_score_is_on_the_overlay_at_once(client: FlaskClient) -> None:
    client.post("/start_stream", json=GOOD)
    blank = client.get("/streams/m1/overlay.png")
    assert (blank.status_code, blank.content_type, blank.headers["Cache-Control"]) == (200, "image/png", "no-store")
    answer = client.put("/streams/m1/match", json=SCORE)
    assert (answer.status_code, answer.json) == (200, {"message": "Score of stream m1 taken"})
    canvas = canvas_of(PROFILES["720p30"])
    with Image.open(io.BytesIO(client.get("/streams/m1/overlay.png").data)) as shown:
        expected = draw_scoreboard(parse_match_data(SCORE), canvas).convert("RGBA")
        assert_alike(shown.convert("RGBA"), expected, "pushed", tolerance=1.5)
        assert mean_distance(shown.convert("RGBA"), placeholder(canvas)) > 20


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"sport": "curling"}, "sport must be cricket or generic"),
        ({"batting": {"name": "MI", "runs": -1}}, "batting.runs must be a whole number from 0 to 9999"),
        ({"batting": {"name": "MI", "runs": 10**30}}, "batting.runs must be a whole number from 0 to 9999"),
        ({"batting": {"name": "MI", "wickets": 21}}, "batting.wickets must be a whole number from 0 to 20"),
        (
            {"batting": {"name": "MI", "overs": "3.9"}},
            'batting.overs must be whole overs, or text of overs and balls as in "14.3"',
        ),
        ({"batting": {"name": "MI", "color": "blue"}}, 'batting.color must be a colour as in "#004ba0"'),
        ({"batting": {"name": "MI", "logo": "../mi.png"}}, 'batting.logo must be a plain file name as in "mi.png"'),
        ({"batting": {"name": "MI", "logo": "http://h/mi.png"}}, "batting.logo must be a plain file name"),
        ({"batting": {"name": "\u0000"}}, "batting.name must be text with letters or digits in it"),
        ({"batting": ["MI"]}, "batting must be an object"),
        ({"batters": {}}, "batters must be a list of at most 2"),
        ({"batters": [{}, {}, {}]}, "batters must be a list of at most 2"),
        ({"batters": [{"name": "A"}, {"name": "B", "balls": "x"}]}, "batters[1].balls must be a whole number"),
        ({"batters": [{"name": "A", "on_strike": "yes"}]}, "batters[0].on_strike must be true or false"),
        ({"this_over": "1 W 4"}, "this_over must be a list of labels"),
        ({"this_over": ["1", None]}, "this_over must be a list of labels"),
        ({"status": "tea"}, "status must be one of scheduled, live, innings_break"),
        ({"innings": 99}, "innings must be a whole number from 0 to 20"),
        ({"updated_at": "yesterday"}, 'updated_at must be a time as in "2019-05-12T17:40:11Z"'),
        ({"batting": None}, "one of batting, bowling, title, result must be given"),
        ({"sport": "generic", "away": {"name": "B", "score": [1]}}, "away.score must be a whole number or text"),
    ],
)
def test_a_push_that_cannot_be_used_names_the_field(on_air: FlaskClient, change: dict[str, Any], reason: str) -> None:
    answer = on_air.put("/streams/m1/match", json=SCORE | change)
    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["error"].startswith(reason)


def test_missing_null_and_unknown_fields_in_a_push_are_fine(client: FlaskClient) -> None:
    client.post("/start_stream", json=GOOD)
    body = SCORE | {"result": None, "title": "", "umpires": ["A"], "batters": None, "bowling": {"name": "CSK"}}
    assert client.put("/streams/m1/match", json=body).status_code == 200


def test_the_score_delay_may_be_given_at_the_start_and_changed(client: FlaskClient) -> None:
    assert client.post("/start_stream", json=GOOD | {"score_delay_s": 120}).status_code == 200
    blank = client.get("/streams/m1/overlay.png").data
    client.put("/streams/m1/match", json=SCORE)
    assert client.get("/streams/m1/overlay.png").data == blank
    answer = client.patch("/streams/m1", json={"score_delay_s": 0})
    assert answer.status_code == 200
    assert answer.json == {"message": "Stream m1 changed successfully", "score_delay_s": 0}
    assert client.get("/streams/m1/overlay.png").data != blank


@pytest.mark.parametrize("value", [-1, 121, "5", True, [1], float("nan"), float("inf")])
def test_a_wrong_score_delay_is_refused(on_air: FlaskClient, value: Any) -> None:
    reason = {"error": "score_delay_s must be a number of seconds from 0 to 120"}
    answer = on_air.post("/start_stream", json=GOOD | {"stream_name": "m2", "score_delay_s": value})
    assert (answer.status_code, answer.json) == (400, reason)
    answer = on_air.patch("/streams/m1", json={"score_delay_s": value})
    assert (answer.status_code, answer.json) == (400, reason)
    assert on_air.patch("/streams/m1", json={}).status_code == 400


def test_calls_for_an_unknown_stream_are_404(client: FlaskClient) -> None:
    answers = [
        client.put("/streams/m9/match", json=SCORE),
        client.patch("/streams/m9", json={"score_delay_s": 1}),
        client.get("/streams/m9/overlay.png"),
        client.get("/streams/m9/preview.jpg"),
        client.delete("/streams/m9"),
    ]
    assert [(answer.status_code, answer.json) for answer in answers] == [(404, {"error": "Stream not found"})] * 5


def test_a_running_stream_is_not_dismissed(client: FlaskClient) -> None:
    client.post("/start_stream", json=GOOD)
    answer = client.delete("/streams/m1")
    assert (answer.status_code, answer.json) == (409, {"error": "Stream already active"})


def test_a_missing_picture_may_be_asked_for_again(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("relay.preview.FIRST_WAIT_S", 0.01)
    client.post("/start_stream", json=GOOD)
    answer = client.get("/streams/m1/preview.jpg")
    assert (answer.status_code, answer.headers["Retry-After"]) == (404, "1")
    assert answer.json == {"error": "There is no picture of stream m1 yet"}


def test_a_picture_is_sent_again_only_if_it_has_changed(
    client: FlaskClient, fake_ffmpeg: FakeFFmpeg, tmp_path: Path
) -> None:
    (tmp_path / "emit.ts").write_bytes(Muxer().key_frame(ACCESS_UNIT + b"one"))
    fake_ffmpeg.script(compositor={"emit": str(tmp_path / "emit.ts")})
    client.post("/start_stream", json=GOOD)
    eventually(lambda: client.get("/streams/m1/preview.jpg").status_code == 200)
    answer = client.get("/streams/m1/preview.jpg")
    assert (answer.content_type, answer.headers["Cache-Control"]) == ("image/jpeg", "no-cache")
    assert answer.data == b"\xff\xd8one\xff\xd9"
    again = client.get("/streams/m1/preview.jpg", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    client.post("/stop_stream", json={"stream_name": "m1"})
    assert client.get("/streams/m1/preview.jpg").status_code == 404


def test_the_score_delay_is_shown(client: FlaskClient) -> None:
    client.post("/start_stream", json=GOOD | {"score_delay_s": 2.5})
    assert [stream["score_delay_s"] for stream in client.get("/streams").json["streams"]] == [2.5]  # type: ignore[index]
    client.patch("/streams/m1", json={"score_delay_s": 3})
    assert client.get("/streams/m1").json["score_delay_s"] == 3  # type: ignore[index]


def test_the_size_of_a_push_is_limited(client: FlaskClient) -> None:
    client.post("/start_stream", json=GOOD)
    assert client.put("/streams/m1/match", json=SCORE | {"x": "y" * 70_000}).status_code == 413
    nested = '{"sport": "cricket", "title": ' + "[" * 20_000 + "]" * 20_000 + "}"
    answer = client.put("/streams/m1/match", data=nested, content_type="application/json")
    assert answer.status_code == 400


def test_a_scoring_programs_file_is_taken_as_it_is(client: FlaskClient) -> None:
    client.post("/start_stream", json=GOOD)
    path = "/streams/m1/feed/pcs_scoreboard"
    answer = client.put(path, data=b"OVB1.1", content_type="text/plain")
    said = {"message": "File for stream m1 taken: it names no side yet, so nothing is shown"}
    assert (answer.status_code, answer.json) == (200, said)
    answer = client.put(path, data=b"BTNRed Valley\nBTS12/1", content_type="application/x-anything")
    assert (answer.status_code, answer.json) == (200, {"message": "Score of stream m1 taken"})
    match = client.get("/streams/m1/match").json
    assert match is not None
    assert (match["batting"]["name"], match["batting"]["runs"], match["batting"]["overs"]) == ("Red Valley", 12, "1.1")
    for bad, status in ((b"", 400), (b"\xff\xfe", 400), (b"x" * (2 * 1024 * 1024 + 1), 413)):
        assert client.put(path, data=bad).status_code == status
    assert client.put("/streams/m1/feed/other", data=b"x").status_code == 400
    assert client.put("/streams/m9/feed/nv_play", data=b"x").status_code == 404
