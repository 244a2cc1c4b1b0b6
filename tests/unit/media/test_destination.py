from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from config import load_settings
from errors import InvalidField
from media.destination import clash, parse_destination

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
        ("rtmp://127.0.0.2:1935[::1]/app/key", "host"),
        ("rtmp://evil:1935[a.rtmp.youtube.com]/app/key", "host"),
        ("rtmp://[::1]evil/app/key", "host"),
        ("rtmp://[::1%25eth0]/app/key", "host"),
        ("rtmp://localhost:/app/key", "host"),
        ("rtmp://local%68ost/app/key", "host"),
        ("rtmp://localhost\\.example.org/app/key", "host"),
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


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("rtmp://a.rtmp.youtube.com/live2/k", "rtmp://b.rtmp.youtube.com/live2/k?backup=1", True),
        ("rtmp://a.rtmp.youtube.com/live2/k", "rtmps://a.rtmps.youtube.com:443/live2/k", True),
        ("rtmp://A.RTMP.youtube.com/live2/k", "rtmp://a.rtmp.youtube.com/live2/k", True),
        ("rtmp://a.rtmp.youtube.com/live2/k", "rtmp://a.rtmp.youtube.com/live2/k2", False),
        ("rtmp://localhost/app/k", "rtmp://[::1]:1935/app/k?x", True),
        ("rtmp://localhost/app/k", "rtmp://127.0.0.1:1936/app/k", False),
        ("rtmp://localhost/app/k", "rtmp://127.0.0.1/app2/k", False),
        ("rtmp://x.example/app/k", "rtmp://x.example./app/k", True),
        ("rtmp://x.example/app/k", "rtmp://y.example/app/k", False),
    ],
)
def test_which_urls_lead_to_one_broadcast(one: str, other: str, is_same: bool) -> None:
    first, second = (parse_destination(url, ("*",)) for url in (one, other))
    assert (first.broadcast == second.broadcast) is is_same
    assert clash([first, None], [("m1", [second, None])]) == ("m1" if is_same else None)


def where_ffmpeg_connects(url: str) -> tuple[str, int]:
    """Host and port as FFmpeg's `av_url_split` (libavformat/utils.c) finds them; -1 without a port."""
    rest = url[url.index("://") + 3 :]
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    authority = authority.rpartition("@")[2]
    if authority.startswith("[") and "]" in authority:
        host, _, after = authority[1:].partition("]")
        return host, int(re.match(r":(\d*)", after)[1] or -1) if after.startswith(":") else -1  # type: ignore[index]
    host, colon, port = authority.partition(":")
    return host, int((re.match(r"\d*", port) or [""])[0] or 0) if colon else -1


PIECES = ["localhost", "127.0.0.1", "127.0.0.2", "::1", "evil.example", "[", "]", ":", "@", "1935", "65535", ".", "%"]


@settings(max_examples=2000, derandomize=True)
@given(st.lists(st.sampled_from([*PIECES, "\\", "/", "?", ";", "//", "-", "A"]), min_size=1, max_size=8))
@example(["127.0.0.2", ":", "1935", "[", "::1", "]"])
@example(["evil.example", ":", "1935", "[", "localhost", "]"])
@example(["localhost", "@", "evil.example"])
@example(["localhost"])
@example(["[", "::1", "]", ":", "1935"])
def test_ffmpeg_connects_to_the_host_that_was_checked(pieces: list[str]) -> None:
    url = f"rtmp://{''.join(pieces)}/app/key"
    try:
        destination = parse_destination(url, HOSTS)
    except InvalidField:
        return
    for it in (url, destination.server_url):
        host, port = where_ffmpeg_connects(it)
        assert host.lower() in ("localhost", "127.0.0.1", "::1")
        assert port == -1 or 1 <= port <= 65535
