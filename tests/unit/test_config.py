from __future__ import annotations

import os
from pathlib import Path

import pytest

from config import Settings, forget_secrets, load_settings
from errors import ConfigurationError
from tests.conftest import SettingsFactory


def test_defaults_are_those_of_the_spec() -> None:
    settings = load_settings()
    assert (settings.host, settings.port) == ("0.0.0.0", 1233)
    assert settings.rtmp_server == "rtmp://localhost:1935/live"
    assert settings.overlay_api_base == "http://3.6.126.60:8000"
    assert settings.overlay_image_base == "http://3.6.126.60:3000"
    assert settings.match_data_path == "/api/v1/cricket/match/{match_id}"
    assert (settings.overlay_source, settings.poll_interval_s) == ("auto", 1.0)
    assert (settings.output_profile, settings.x264_preset) == ("720p30", "veryfast")
    assert (settings.video_encoder, settings.render_device) == ("auto", "/dev/dri/renderD128")
    assert (settings.log_dir, settings.ffmpeg_bin) == (Path("logs"), "ffmpeg")


def test_every_fault_is_named_in_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    faults = {
        "PORT": "ninety",
        "POLL_INTERVAL_S": "0",
        "OUTPUT_PROFILE": "4k",
        "OVERLAY_SOURCE": "both",
        "RTMP_SERVER": "http://localhost/live",
        "OVERLAY_API_BASE": "localhost:8000",
        "MATCH_DATA_PATH": "/match/{id}",
        "CA_FILE": "nowhere.pem",
        "VIDEO_ENCODER": "h265",
        "X264_PRESET": "placebo",
        "MAX_CONCURRENT_STREAMS": "-1",
        "ALLOWED_INGEST_HOSTS": " , ",
        "LOG_LEVEL": "loud",
        "API_TOKEN": "canary token",
        "HOOK_SECRET": "canary/with/slashes",
        "LIST_STREAMS_SHOW_KEY": "perhaps",
        "TRUSTED_PROXY": "proxy.example",
    }
    for name, value in faults.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    message = str(caught.value)
    assert [name for name in faults if f"\n  {name}: " not in message] == []
    assert "auto, 480p30, 720p30, 720p25, 720p50, 720p60, 1080p30, 1080p25, 1080p50, 1080p60" in message
    assert "canary" not in message


@pytest.mark.parametrize(
    "secret", ["short", "x" * 15, "x" * 129, "canary-0123456789é", "canary-0123456789\n", "../../canary/12345"]
)
def test_a_hook_secret_is_safe_in_a_path(secret: str) -> None:
    with pytest.raises(ConfigurationError, match="HOOK_SECRET: must be 16 to 128 characters of A-Z a-z 0-9 _ -"):
        load_settings({"hook_secret": secret})
    assert load_settings({"hook_secret": ""}).hook_secret.get_secret_value() == ""
    assert "canary" not in repr(load_settings({"hook_secret": "canary-0123456789"}))


def test_a_trusted_proxy_is_one_address() -> None:
    assert load_settings({"trusted_proxy": ""}).trusted_proxy is None
    assert str(load_settings({"trusted_proxy": "2001:DB8::1"}).trusted_proxy) == "2001:db8::1"


def test_a_secret_is_shown_neither_in_a_message_nor_in_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_TOKEN", "canary-token")
    monkeypatch.setenv("PORT", "canary-port")
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    assert "canary" not in str(caught.value)
    monkeypatch.delenv("PORT")
    assert "canary" not in repr(load_settings())


def test_an_env_file_works_and_the_environment_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=4000\nOVERLAY_API_BASE=\nPOLL_INTERVAL_S=2\n")
    monkeypatch.setenv("POLL_INTERVAL_S", "3")
    settings = load_settings()
    assert (settings.port, settings.overlay_api_base, settings.poll_interval_s) == (4000, "", 3.0)


def test_hosts_are_a_comma_separated_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOWED_INGEST_HOSTS", "Live.Example.org, 127.0.0.1,")
    assert load_settings().allowed_ingest_hosts == ("live.example.org", "127.0.0.1")


def test_an_empty_picture_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLATE_IMAGE", "")
    assert load_settings().slate_image is None
    monkeypatch.setenv("SLATE_IMAGE", "club.png")
    assert load_settings().slate_image == Path("club.png")


def test_trailing_slashes_are_removed() -> None:
    settings = load_settings({"rtmp_server": "rtmp://localhost/live/", "overlay_api_base": "http://localhost:1/x/"})
    assert (settings.rtmp_server, settings.overlay_api_base) == ("rtmp://localhost/live", "http://localhost:1/x")


def test_every_setting_has_a_description() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_secrets_are_removed_from_the_environment_that_children_inherit(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("API_TOKEN", "hook_secret", "RTMP_SERVER"):
        monkeypatch.setenv(name, "rtmp://localhost/live")
    forget_secrets()
    assert "RTMP_SERVER" in os.environ
    assert not {"API_TOKEN", "hook_secret"} & os.environ.keys()


@pytest.mark.parametrize(("given", "read"), [("auto", "auto"), ("3", 3), (" 12 ", 12), (7, 7)])
def test_the_limit_of_streams_is_a_number_or_auto(given: object, read: object) -> None:
    assert load_settings({"max_concurrent_streams": given}).max_concurrent_streams == read


@pytest.mark.parametrize("given", ["", "many", "0", "1001", "2.5", 0, 1.5])
def test_any_other_limit_of_streams_is_refused_by_name(given: object) -> None:
    with pytest.raises(ConfigurationError, match="MAX_CONCURRENT_STREAMS: must be auto, or a whole number from 1"):
        load_settings({"max_concurrent_streams": given})


@pytest.mark.parametrize("given", ["10.0.0.5:6379", "head.example.org:6379", "[::1]:6379", "auto"])
def test_the_head_of_a_cluster_is_a_host_and_a_port(given: str) -> None:
    assert load_settings({"ray_address": given}).ray_address == given


@pytest.mark.parametrize("given", ["", "head", "ray://head:10001", "head:port", "a b:1", "10.0.0.5:6379 --x"])
def test_any_other_head_is_refused_by_name(given: str) -> None:
    with pytest.raises(ConfigurationError, match="RAY_ADDRESS: must be auto, or HOST:PORT"):
        load_settings({"ray_address": given})


def test_a_cluster_needs_no_state_file() -> None:
    with pytest.raises(ConfigurationError, match="STATE_FILE: must be empty with STREAM_BACKEND=ray"):
        load_settings({"stream_backend": "ray", "state_file": "streams.json"})


@pytest.mark.parametrize(
    ("login", "url", "secrets"),
    [
        ("", "rtmp://in.example/live/m1", ()),
        ("club:pass-canary", "rtmp://club:pass-canary@in.example/live/m1", ("club:pass-canary", "pass-canary")),
        ("?token=canary%2B1", "rtmp://in.example/live/m1?token=canary%2B1", ("?token=canary%2B1", "canary+1")),
    ],
)
def test_the_rtmp_server_may_ask_for_a_login(
    settings_with: SettingsFactory, login: str, url: str, secrets: tuple[str, ...]
) -> None:
    settings = settings_with(rtmp_server="rtmp://in.example/live", rtmp_server_login=login)
    assert settings.ingest_url("m1") == url
    assert settings.ingest_secrets == secrets
    assert "canary" not in repr(settings)


@pytest.mark.parametrize("login", ["club", "club:pass word", "club:p@ss", "?", "?a b", "club:pass\n", ":pass"])
def test_a_login_that_ffmpeg_would_read_differently_is_refused(settings_with: SettingsFactory, login: str) -> None:
    with pytest.raises(ConfigurationError, match="RTMP_SERVER_LOGIN: must be USER:PASSWORD"):
        settings_with(rtmp_server_login=login)


@pytest.mark.parametrize("server", ["rtmp://club:pass@in.example/live", "rtmp://in.example/live?token=x"])
def test_the_servers_address_holds_no_login(settings_with: SettingsFactory, server: str) -> None:
    with pytest.raises(ConfigurationError, match="RTMP_SERVER: must hold no user name and no query"):
        settings_with(rtmp_server=server)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("API_TOKN=x", "API_TOKN: there is no such setting; did you mean API_TOKEN?"),
        ("STALL_TIMEOUT=3", "STALL_TIMEOUT: there is no such setting; did you mean STALL_TIMEOUT_S?"),
        ("WEATHER=fine", "WEATHER: there is no such setting"),
    ],
)
def test_an_unknown_name_in_the_file_stops_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text(f"port=1234\n{line}\n")
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    assert str(caught.value) == f"These settings cannot be used:\n  {said}"


def test_a_variable_that_a_feed_takes_its_key_from_may_stand_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "feeds.toml").write_text("[a]\nheaders = { Key = 'env:CLUB_KEY' }\n")
    (tmp_path / ".env").write_text("FEEDS_FILE=feeds.toml\nCLUB_KEY=canary-feed-key\n")
    assert load_settings().feeds_file == Path("feeds.toml")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("API_TOKN", "API_TOKEN"),
        ("OUTPUT_PROFIL", "OUTPUT_PROFILE"),
        ("RTMP_SERVR", "RTMP_SERVER"),
        ("HOSTNAME", None),
        ("FFMPEG_BINARY", None),
        ("LOGDIR", None),
        ("PORTS", None),
        ("API_TOKEN_FILE", None),
    ],
)
def test_a_misspelt_name_in_the_environment_stops_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, meant: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(name, "x")
    if meant is None:
        load_settings()
        return
    with pytest.raises(ConfigurationError, match=f"  {name}: there is no such setting; did you mean {meant}\\?$"):
        load_settings()
