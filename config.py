"""Every setting of the service, declared once.

Settings come from environment variables or a `.env` file in the working
directory. The variable is the field's name in capitals. There is no global:
`load_settings()` is called once, and its frozen value is passed on.
"""

from __future__ import annotations

import difflib
import os
import re
import string
from collections.abc import Iterable, Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, urlsplit

from dotenv import dotenv_values
from pydantic import Field, IPvAnyAddress, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from errors import ConfigurationError
from media.capacity import Capacity, available_cores, capacity
from media.encoders import ENCODERS, X264, X264_PRESETS, Encoder
from media.profiles import AUTO, PROFILES, OutputProfile
from scoring.feeds.named import read_text, variables_in
from scoring.rundown import MAX_DELAY_S
from scoring.trust import check_certificates

MOST_STREAMS = 1000
ENV_FILE = ".env"
CLOSE = 0.85  # from 0 (nothing alike) to 1 (the same)
LONG_NAME = 8
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
_HOOK_SECRET = re.compile(r"|[A-Za-z0-9_-]{16,128}", re.ASCII)
_PAGES_URL = r"^(https?://[^\s#?]+)?$"
_LOGIN = re.compile(r"|[A-Za-z0-9._~-]+:[A-Za-z0-9._~-]+|\?[A-Za-z0-9._~%=&+-]+", re.ASCII)
_HOST_PORT = re.compile(r"[A-Za-z0-9._-]+:\d{1,5}|\[[0-9A-Fa-f:.]+\]:\d{1,5}", re.ASCII)
DEFAULT_API_BASE = "http://3.6.126.60:8000"
DEFAULT_INGEST_HOSTS = "*.rtmp.youtube.com,*.rtmps.youtube.com,localhost,127.0.0.1,::1"


def _setting(default: object, description: str, unit: str = "", **bounds: Any) -> Any:
    return Field(default, description=description, json_schema_extra={"unit": unit} if unit else None, **bounds)


class Settings(BaseSettings):
    """One line for each setting: name, type, default, description, unit, bounds."""

    model_config = SettingsConfigDict(
        env_file=ENV_FILE, extra="ignore", frozen=True, validate_default=True, hide_input_in_errors=True
    )

    host: str = _setting("0.0.0.0", "address that the API listens on", min_length=1)
    port: int = _setting(1233, "port that the API listens on", ge=0, le=65535)
    api_token: SecretStr = _setting("", "when set, calls must send `Authorization: Bearer TOKEN`, or log in")
    list_streams_show_key: bool = _setting(True, "`false` masks the stream keys in `GET /list_streams`")
    hook_secret: SecretStr = _setting("", "hooks with it in their path are accepted from other machines too")
    publish_announced_only: bool = _setting(False, "`true`: a camera may publish only under the name of a stream")
    require_camera_key: bool | Literal["auto"] = _setting(
        "auto", "whether a camera must give its stream's key; `auto`: if `API_TOKEN` is set"
    )
    play_allowed_from: Annotated[tuple[str, ...], NoDecode] = _setting(
        "", "addresses and networks that may play the cameras' pictures from the RTMP server, besides this machine"
    )
    trusted_proxy: IPvAnyAddress | None = _setting(
        None, "address of the reverse proxy whose `X-Forwarded-For` and `X-Forwarded-Proto` are trusted"
    )
    rtmp_server: str = _setting("rtmp://localhost:1935/live", "where the cameras publish: server and application")
    rtmp_server_login: SecretStr = _setting(
        "", "what `RTMP_SERVER` asks of players: `USER:PASSWORD`, or a query as in `?token=VALUE`"
    )
    camera_server: str = _setting(
        "",
        "what cameras publish to, if it is not `RTMP_SERVER`, as in `rtmp://relay.example.org/live`; "
        "the host `*` is this machine, by the name that the caller uses",
    )
    overlay_api_base: str = _setting(DEFAULT_API_BASE, "match API; empty switches it off")
    overlay_image_base: str = _setting(
        "http://3.6.126.60:3000", "server of ready overlay images; empty switches it off"
    )
    match_data_path: str = _setting("/api/v1/cricket/match/{match_id}", "path of the match data on the match API")
    ca_file: Path | None = _setting(
        None, "PEM file with more certificates to trust, for the match API and image server by `https`"
    )
    feeds_file: Path | None = _setting(None, "TOML file with the feeds that streams may name; see docs/feeds.md")
    allowed_feed_hosts: Annotated[tuple[str, ...], NoDecode] = _setting(
        "", "hosts of feeds that may be this machine or in a private network, comma-separated, `*` as wildcard"
    )
    data_dir: Path = _setting("data", "folder of what is kept for good: links, scored matches, the calls of feeds")
    public_url: str = _setting("", "what links begin with; empty: the caller's own address", pattern=_PAGES_URL)
    overlay_source: Literal["auto", "data", "image"] = _setting("auto", "what the overlay is made from")
    overlay_theme: Literal["dark", "light"] = _setting("dark", "colours of the drawn strip")
    overs_per_innings: int = _setting(
        0, "overs of an innings when the feed does not say; 0: not known", "overs", ge=0, le=450
    )
    score_delay_s: float = _setting(
        0.0, "score and banners are shown this much later than they arrive", "s", ge=0, le=MAX_DELAY_S
    )
    score_stale_s: float = _setting(
        60.0, "after this time without news from the feed, the score gets a mark", "s", ge=5, le=3600
    )
    score_lost_s: float = _setting(
        300.0, "after this time without news from the feed, the live figures are removed", "s", ge=10, le=86_400
    )
    poll_interval_s: float = _setting(1.0, "time between two polls of a stream", "s", ge=0.1, le=60)
    output_profile: str = _setting(
        "720p30", "picture that the destination receives; `auto`: 720p at the camera's own rate"
    )
    video_encoder: str = _setting("auto", "H.264 encoder, on the CPU or in hardware; `auto` is `libx264`")
    x264_preset: str = _setting("veryfast", "preset of x264: a slower one takes more CPU and looks better")
    render_device: str = _setting(
        "/dev/dri/renderD128", "device that `h264_vaapi` and `h264_qsv` encode on", min_length=1
    )
    stall_timeout_s: float = _setting(
        2.0, "after this time without a frame, the camera counts as away", "s", ge=1, le=60
    )
    silence_warn_s: float = _setting(
        20.0, "after this time of silence in the camera's sound, the dashboard warns", "s", ge=5, le=3600
    )
    publisher_stall_timeout_s: float = _setting(
        8.0, "a destination that takes no data for this time is connected again", "s", ge=2, le=60
    )
    slate_title: str = _setting("", "title on the slate; empty: the title of the match", max_length=80)
    slate_waiting_text: str = _setting(
        "Waiting for the camera", "text on the slate before the camera has come", max_length=80
    )
    slate_back_text: str = _setting("Back in a moment", "text on the slate while the camera is away", max_length=80)
    slate_image: Path | None = _setting(None, "picture behind the slate's text, instead of a plain background")
    max_concurrent_streams: int | Literal["auto"] = _setting(
        "auto", "streams that may run at once; `auto`: what cores, encoder and profile allow", "streams"
    )
    max_stream_duration_s: float = _setting(43_200, "a stream ends after this time, 12 h at most", "s", gt=0, le=43_200)
    allowed_ingest_hosts: Annotated[tuple[str, ...], NoDecode] = _setting(
        DEFAULT_INGEST_HOSTS, "hosts that `youtube_url` may name, comma-separated, `*` as wildcard"
    )
    allowed_camera_hosts: Annotated[tuple[str, ...], NoDecode] = _setting(
        "", "hosts that `camera_url` may name, comma-separated, `*` as wildcard; empty switches it off"
    )
    stream_backend: Literal["local", "ray"] = _setting(
        "local", "where streams run: `local` on this machine, `ray` on a Ray cluster"
    )
    ray_address: str = _setting("auto", "head of the Ray cluster, `HOST:PORT`; `auto`: that of this machine's node")
    state_file: Path | None = _setting(
        None, "file that keeps the running streams, with their keys; they come back after a restart"
    )
    log_dir: Path = _setting("logs", "folder of `application.log` and `ffmpeg.log`")
    log_level: str = _setting("INFO", "lowest level that is logged")
    ffmpeg_bin: str = _setting("ffmpeg", "FFmpeg: a name on PATH or a path", min_length=1)

    @property
    def profile(self) -> OutputProfile:
        return PROFILES["720p30" if self.output_profile == AUTO else self.output_profile]

    def ingest_url(self, name: str) -> str:
        """Where the camera's picture is played; holds what RTMP_SERVER_LOGIN says."""
        login = self.rtmp_server_login.get_secret_value()
        if not login or login.startswith("?"):
            return f"{self.rtmp_server}/{name}{login}"
        scheme, _, rest = self.rtmp_server.partition("://")
        return f"{scheme}://{login}@{rest}/{name}"

    @property
    def ingest_secrets(self) -> tuple[str, ...]:
        """Strings of `ingest_url` that must be redacted wherever they turn up."""
        login = self.rtmp_server_login.get_secret_value()
        values = [value for _, value in parse_qsl(login[1:])] if login.startswith("?") else login.split(":")[1:]
        return (login, *values) if login else ()

    @property
    def capacity(self) -> Capacity:
        """How many streams may run at once, and why."""
        most = self.max_concurrent_streams
        if most == "auto":
            return capacity(self.profile, self.encoder, available_cores())
        return Capacity(most, f"MAX_CONCURRENT_STREAMS is {most}")

    @property
    def requires_camera_keys(self) -> bool:
        return bool(self.require_camera_key and self.api_token.get_secret_value())

    @property
    def encoder(self) -> Encoder:
        name = X264 if self.video_encoder == "auto" else self.video_encoder
        return Encoder(name, self.x264_preset, self.render_device)

    @field_validator("api_token")
    @classmethod
    def _check_token(cls, value: SecretStr) -> SecretStr:
        if any(not 0x21 <= ord(character) <= 0x7E for character in value.get_secret_value()):
            raise ValueError("must contain no spaces, control characters or non-ASCII characters")
        return value

    @field_validator("hook_secret")
    @classmethod
    def _check_hook_secret(cls, value: SecretStr) -> SecretStr:
        if not _HOOK_SECRET.fullmatch(value.get_secret_value()):
            raise ValueError("must be 16 to 128 characters of A-Z a-z 0-9 _ -")
        return value

    @field_validator("rtmp_server_login")
    @classmethod
    def _check_login(cls, value: SecretStr) -> SecretStr:
        if not _LOGIN.fullmatch(value.get_secret_value()):
            raise ValueError("must be USER:PASSWORD of A-Z a-z 0-9 . _ ~ -, or a query that begins with ?")
        return value

    @field_validator("require_camera_key")
    @classmethod
    def _check_camera_key(cls, value: bool | str, info: ValidationInfo) -> bool | str:
        token = info.data.get("api_token")
        if value is True and token is not None and not token.get_secret_value():
            raise ValueError("must be auto or false without API_TOKEN: the keys are made from it")
        return value

    @field_validator("rtmp_server", "camera_server")
    @classmethod
    def _check_rtmp_server(cls, value: str, info: ValidationInfo) -> str:
        if not value and info.field_name == "camera_server":
            return value
        parts = _split_url(value, ("rtmp", "rtmps"))
        if parts.username is not None or parts.query or parts.fragment:
            raise ValueError("must hold no user name and no query: RTMP_SERVER_LOGIN is for them")
        if not parts.path.strip("/"):
            raise ValueError("must name an application, as in rtmp://localhost:1935/live")
        return value.rstrip("/")

    @field_validator("play_allowed_from", mode="before")
    @classmethod
    def _split_players(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        players = tuple(player.strip() for player in value.split(",") if player.strip())
        for player in players:
            try:
                ip_network(player)
            except ValueError:
                raise ValueError("must be addresses or networks, comma-separated, as in 10.0.0.5,10.1.0.0/16") from None
        return players

    @field_validator("overlay_api_base", "overlay_image_base")
    @classmethod
    def _check_base(cls, value: str) -> str:
        if value:
            _split_url(value, ("http", "https"))
        return value.rstrip("/")

    @field_validator("ca_file", "slate_image", "state_file", "trusted_proxy", "feeds_file", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return value or None

    @field_validator("ca_file")
    @classmethod
    def _check_ca_file(cls, value: Path | None) -> Path | None:
        if value is not None:
            check_certificates(value)
        return value

    @field_validator("match_data_path")
    @classmethod
    def _check_match_data_path(cls, value: str) -> str:
        fields = [field for _, field, _, _ in string.Formatter().parse(value) if field is not None]
        if not value.startswith("/") or fields != ["match_id"]:
            raise ValueError("must start with / and contain {match_id} once and no other braces")
        return value

    @field_validator("max_concurrent_streams", mode="before")
    @classmethod
    def _check_most(cls, value: object) -> object:
        if value == "auto":
            return value
        most = int(value) if isinstance(value, str) and value.strip().isdecimal() else value
        if not isinstance(most, int) or not 1 <= most <= MOST_STREAMS:
            raise ValueError(f"must be auto, or a whole number from 1 to {MOST_STREAMS}")
        return most

    @field_validator("output_profile")
    @classmethod
    def _check_profile(cls, value: str) -> str:
        return _one_of(value, (AUTO, *PROFILES))

    @field_validator("video_encoder")
    @classmethod
    def _check_encoder(cls, value: str) -> str:
        return _one_of(value, ("auto", *ENCODERS))

    @field_validator("x264_preset")
    @classmethod
    def _check_preset(cls, value: str) -> str:
        return _one_of(value, X264_PRESETS)

    @field_validator("state_file")
    @classmethod
    def _check_state_file(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if value is not None and info.data.get("stream_backend") == "ray":
            raise ValueError("must be empty with STREAM_BACKEND=ray: the cluster remembers its streams itself")
        return value

    @field_validator("ray_address")
    @classmethod
    def _check_ray_address(cls, value: str) -> str:
        if value != "auto" and not _HOST_PORT.fullmatch(value):
            raise ValueError("must be auto, or HOST:PORT as in 10.0.0.5:6379")
        return value

    @field_validator("log_level")
    @classmethod
    def _check_log_level(cls, value: str) -> str:
        return _one_of(value.upper(), LOG_LEVELS)

    @field_validator("allowed_ingest_hosts", "allowed_camera_hosts", "allowed_feed_hosts", mode="before")
    @classmethod
    def _split_hosts(cls, value: object, info: ValidationInfo) -> object:
        if not isinstance(value, str):
            return value
        hosts = tuple(host.strip().lower() for host in value.split(",") if host.strip())
        if not hosts and info.field_name == "allowed_ingest_hosts":
            raise ValueError("must name at least one host, or * for all")
        return hosts


def _one_of(value: str, accepted: tuple[str, ...]) -> str:
    if value not in accepted:
        raise ValueError(f"must be one of {', '.join(accepted)}")
    return value


def _split_url(value: str, schemes: tuple[str, ...]) -> Any:
    if any(not 0x21 <= ord(character) <= 0x7E for character in value):
        raise ValueError("must contain no spaces or control characters")
    parts = urlsplit(value)
    if parts.scheme not in schemes or not parts.hostname:
        raise ValueError(f"must be a URL that starts with {' or '.join(f'{s}://' for s in schemes)}")
    _ = parts.port  # raises ValueError for an impossible port
    return parts


def load_settings(overrides: Mapping[str, object] | None = None) -> Settings:
    """Read the environment and `.env`. Raises a ConfigurationError that lists every wrong setting."""
    given = dict(overrides or {})
    faults: list[str] = []
    feeds_file: Path | None = None
    try:
        settings = Settings(**given)  # type: ignore[arg-type]
        feeds_file = settings.feeds_file
    except ValidationError as error:
        faults += [f"  {str(fault['loc'][0]).upper()}: {_reason(fault['msg'])}" for fault in error.errors()]
    faults = _unknown_names(given.get("_env_file", ENV_FILE), feed_variables(feeds_file)) + faults
    if faults:
        raise ConfigurationError("These settings cannot be used:\n" + "\n".join(faults))
    return settings


def feed_variables(feeds_file: Path | None) -> set[str]:
    """The variables that FEEDS_FILE takes secrets from; none if it cannot be read, which is said elsewhere."""
    try:
        return variables_in(read_text(feeds_file)) if feeds_file else set()
    except ConfigurationError:
        return set()


def environment(env_file: object = ENV_FILE) -> dict[str, str]:
    """All variables, also those of `.env`."""
    in_file = dotenv_values(str(env_file)) if env_file else {}
    return {name: value for name, value in in_file.items() if value is not None} | dict(os.environ)


def _unknown_names(env_file: object, of_feeds: set[str]) -> list[str]:
    """Names in the file that are no settings, and names in the environment that look like a misspelt one."""
    known = [name.upper() for name in Settings.model_fields] + sorted(of_feeds)
    in_file = dotenv_values(str(env_file)) if env_file else {}
    faults = []
    for name in in_file:
        if name.upper() not in known and name not in of_feeds:
            meant = difflib.get_close_matches(name.upper(), known, 1, CLOSE)
            faults.append(f"  {name}: there is no such setting" + (f"; did you mean {meant[0]}?" if meant else ""))
    for name in os.environ:
        if name.upper() in known or name in in_file:
            continue
        # Other programs have variables, too: only what is nearly the same is a slip of the finger.
        ours = [it for it in known if len(it) >= LONG_NAME and it[:3] == name[:3] and abs(len(it) - len(name)) <= 2]
        if meant := difflib.get_close_matches(name, ours, 1, CLOSE):
            faults.append(f"  {name}: there is no such setting; did you mean {meant[0]}?")
    return faults


def forget_secrets(of_feeds: Iterable[str] = ()) -> None:
    """Remove the secret settings, and those of feeds, from the environment: every child process would inherit them."""
    secret = {name for name, field in Settings.model_fields.items() if field.annotation is SecretStr}
    for variable in [name for name in os.environ if name.lower() in secret or name in of_feeds]:
        del os.environ[variable]


def _reason(message: str) -> str:
    return message.removeprefix("Value error, ")
