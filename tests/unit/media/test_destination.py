from __future__ import annotations

import pytest

from config import load_settings
from errors import InvalidField
from media.destination import parse_destination

HOSTS = ("*.rtmp.youtube.com", "*.rtmps.youtube.com", "localhost", "127.0.0.1", "::1")


@pytest.mark.parametrize(
    ("url", "server_url", "key"),
    [
        ("rtmp://a.rtmp.youtube.com/live2/abcd-1234", "rtmp://a.rtmp.youtube.com/live2", "abcd-1234"),
        ("rtmps://a.rtmps.youtube.com:443/live2/abcd", "rtmps://a.rtmps.youtube.com:443/live2", "abcd"),
        ("rtmp://b.rtmp.youtube.com/live2/abcd?backup=1", "rtmp://b.rtmp.youtube.com/live2", "abcd?backup=1"),
        ("rtmp://[::1]:1936/app/inst/key", "rtmp://[::1]:1936/app/inst", "key"),
    ],
)
def test_takes_the_key_apart(url: str, server_url: str, key: str) -> None:
    destination = parse_destination(url, HOSTS)
    assert (destination.server_url, destination.stream_key, destination.url) == (server_url, key, url)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (5, "must be a string"),
        (["rtmp://localhost/live/key"], "must be a string"),
        ("file:///etc/passwd", "must be rtmp:// or rtmps://"),
        ("http://a.rtmp.youtube.com/live2/key", "must be rtmp:// or rtmps://"),
        ("-i", "must be rtmp:// or rtmps://"),
        ("rtmp:///live2/key", "must be rtmp:// or rtmps://"),
        ("rtmp://localhost:99999/live/key", "must be rtmp:// or rtmps://"),
        ("rtmp://[::1/live/key", "must be rtmp:// or rtmps://"),
        ("rtmp://example.org/live2/key", "ALLOWED_INGEST_HOSTS"),
        ("rtmp://rtmp.youtube.com.example.org/live2/key", "ALLOWED_INGEST_HOSTS"),
        ("rtmp://127.0.0.1.example.org/live2/key", "ALLOWED_INGEST_HOSTS"),
        ("rtmp://user:pass@localhost/live/key", "user name"),
        ("rtmp://localhost/live/key#part", "'#'"),
        ("rtmp://a.rtmp.youtube.com/live2", "no stream key"),
        ("rtmp://a.rtmp.youtube.com/live2/", "no stream key"),
        ("rtmp://a.rtmp.youtube.com/", "no stream key"),
        ("rtmp://localhost/live/key with space", "spaces"),
        ("rtmp://localhost/live/key\n", "control"),
        ("rtmp://localhost/live/key\x00", "control"),
        ("rtmp://localhost/live/kéy", "non-ASCII"),
        ("rtmp://localhost/live/" + "k" * 1000, "at most"),
    ],
)
def test_says_what_is_wrong_and_never_the_key(url: object, said: str) -> None:
    with pytest.raises(InvalidField, match="^youtube_url ") as caught:
        parse_destination(url, HOSTS)
    assert said in str(caught.value)
    assert "pass" not in str(caught.value)


def test_a_star_admits_every_host() -> None:
    assert parse_destination("rtmp://example.org/app/key", ("*",)).application == "app"


def test_the_default_admits_youtube_and_loopback() -> None:
    hosts = load_settings().allowed_ingest_hosts
    for host in ("a.rtmp.youtube.com", "b.rtmps.youtube.com:443", "localhost", "127.0.0.1:1935"):
        assert parse_destination(f"rtmp://{host}/live2/key", hosts)


def test_the_key_shows_in_no_text_of_it() -> None:
    destination = parse_destination("rtmp://localhost/live2/canary?backup=1", HOSTS)
    assert "canary" not in f"{destination} {destination!r} {destination.masked_url}"
    assert destination.secrets == ("canary?backup=1", "canary")
