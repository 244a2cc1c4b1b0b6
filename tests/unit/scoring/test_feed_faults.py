from __future__ import annotations

import socket
import threading
from collections.abc import Callable

import pytest

from demo.match_feed import NOT_FOUND, Answer, MatchFeed
from scoring.match_api import MAX_DATA_BYTES, MAX_IMAGE_BYTES, MatchApi
from tests.unit.scoring.conftest import PATH, RawServer, fault_of, said_by


def test_a_fault_is_a_sentence_for_the_status_page(api: MatchApi, feed: MatchFeed) -> None:
    feed.data = feed.image = feed.start = NOT_FOUND
    assert [said_by(lambda: api.match_data("m1")), said_by(lambda: api.overlay_image("m1"))] == [
        "the match API answered 404 for match m1",
        "the image server answered 404 for match m1",
    ]
    assert said_by(lambda: api.logo("mi.png")) == "the image server answered 404 for the logo mi.png"
    assert said_by(lambda: api.start_monitoring("m1", "0")) == "the match API answered 404 for match m1"
    feed.image = Answer(b"x" * (MAX_IMAGE_BYTES + 1))
    assert said_by(lambda: api.overlay_image("m1")) == "the image server's answer is over 8 MiB"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            Answer(b"<html><head>\n<title>Sign in"),
            "the match API's answer is not JSON: it begins with '<html><head> <title…'",
        ),
        (Answer(b'{"a":\x00\x1b[31m \xff'), "the match API's answer is not JSON: it begins with '{\"a\":[31m \ufffd'"),
        (Answer(b" \n"), "the match API's answer is empty"),
        (Answer(b"[" * 100_000), "the match API's answer is nested too deeply"),
        (Answer(b"x" * (MAX_DATA_BYTES + 1)), "the match API's answer is over 2 MiB"),
        (Answer(b'{"a": 1}', cut_to=3), "the match API's answer broke off"),
        (
            Answer(status=302, headers={"Location": "https://canary:canary@club.example:8443/canary?key=canary"}),
            "the match API redirects to https://club.example:8443; redirects are not followed",
        ),
        (
            Answer(status=301, headers={"Location": "https://[2001:db8::1]:443/"}),
            "the match API redirects to https://[2001:db8::1]; redirects are not followed",
        ),
        *(
            (
                Answer(status=307, headers={"Location": place}),
                "the match API redirects elsewhere; redirects are not followed",
            )
            for place in ("/canary", "https://<script>/", "https://h:port/", "ftp://h/", "http://[/", "http://")
        ),
    ],
)
def test_the_sentence_says_what_came_instead(api: MatchApi, feed: MatchFeed, answer: Answer, said: str) -> None:
    feed.data = answer
    assert said_by(lambda: api.match_data("m")) == said


@pytest.mark.parametrize("status", [429, 503])
def test_a_pause_that_is_asked_for_is_a_status_and_not_an_outage(api: MatchApi, feed: MatchFeed, status: int) -> None:
    feed.data = feed.image = feed.start = Answer(b"{}", status, headers={"Retry-After": "30"})
    questions: list[tuple[str, Callable[[], object]]] = [
        ("the match API", lambda: api.match_data("m")),
        ("the match API", lambda: api.start_monitoring("m", "0")),
        ("the image server", lambda: api.overlay_image("m")),
        ("the image server", lambda: api.logo("mi.png")),
    ]
    for server, ask in questions:
        fault = fault_of(ask)
        assert (fault.kind, fault.retry_after_s) == ("status", 30)
        assert str(fault) == f"{server} answered {status} and asks for a pause of 30 s"
    assert len(feed.calls) == 4, "urllib3 must not ask again by itself"


NOON = 1_784_116_800.0  # Wed, 15 Jul 2026 12:00:00 GMT


@pytest.mark.parametrize(
    ("asked", "date", "pause_s"),
    [
        ("0", None, None),
        (" 1 ", None, 1),
        ("600", None, 600),
        ("601", None, 600),
        ("9" * 18, None, 600),
        ("Wed, 15 Jul 2026 12:00:30 GMT", None, 30),
        ("Wednesday, 15-Jul-26 12:00:30 GMT", None, 30),
        ("Wed Jul 15 12:00:30 2026", None, 30),
        ("Wed, 15 Jul 2026 11:59:30 GMT", None, None),
        ("Thu, 16 Jul 2026 12:00:00 GMT", None, 600),
        ("Tue, 01 Jan 2030 00:00:40 GMT", "Tue, 01 Jan 2030 00:00:00 GMT", 40),
        ("Fri, 02 Jan 1970 00:00:40 GMT", "Fri, 02 Jan 1970 00:00:00 GMT", 40),
        ("Wed, 15 Jul 2026 12:00:30 GMT", "yesterday", 30),
        *(
            (garbage, None, None)
            for garbage in ("", "soon", "-5", "+30", "30.5", "30 s", "1e2", "30, 30", "0x1e", "5:30")
        ),
        *((garbage, None, None) for garbage in ("9" * 400, "Wed, 15 Jul 99999 12:00:00 +9999999999", "Wed, 15 Jul")),
    ],
)
def test_the_pause_is_in_seconds_or_until_a_date_by_the_servers_clock(
    cancelled: threading.Event, asked: str, date: str | None, pause_s: int | None
) -> None:
    dated = f"Date: {date}\r\n" if date else ""
    server = RawServer(f"HTTP/1.1 429 Slow\r\n{dated}Retry-After: {asked}\r\nContent-Length: 0\r\n\r\n".encode())
    api = MatchApi(server.url, "", PATH, cancelled, wall_clock=lambda: NOON)
    fault = fault_of(lambda: api.match_data("m"))
    assert (fault.kind, fault.retry_after_s) == ("status", pause_s)
    assert ("asks for a pause" in str(fault)) == (pause_s is not None)
    assert len(str(fault)) < 100
    api.close()
    server.close()


@pytest.mark.parametrize("status", [404, 500, 413, 302])
def test_only_429_and_503_ask_for_a_pause(api: MatchApi, feed: MatchFeed, status: int) -> None:
    feed.data = Answer(b"{}", status, headers={"Retry-After": "30"})
    assert fault_of(lambda: api.match_data("m")).retry_after_s is None
    assert len(feed.calls) == 1


def test_what_a_sentence_quotes_is_printable_and_short(api: MatchApi) -> None:
    said = said_by(lambda: api.match_data("\x1b[31m\nm\u202e" + "x" * 500))
    assert said == f"the match API answered 404 for match [31m m{'x' * 47}…"


@pytest.mark.parametrize(("scheme", "port"), [("http", 80), ("https", 443)])
def test_nobody_there_is_a_fault(
    cancelled: threading.Event, monkeypatch: pytest.MonkeyPatch, scheme: str, port: int
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        free = server.getsockname()[1]
    api = MatchApi(f"{scheme}://127.0.0.1:{free}", f"{scheme}://club.example", PATH, cancelled)
    fault = fault_of(lambda: api.match_data("m"))
    assert (fault.kind, str(fault)) == ("unreachable", f"no connection to the match API at 127.0.0.1:{free}")
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [])
    assert said_by(lambda: api.overlay_image("m")) == f"no connection to the image server at club.example:{port}"
    api.close()


def test_a_sentence_gives_no_secret_of_a_url_away(feed: MatchFeed, cancelled: threading.Event) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        free = server.getsockname()[1]
    port = feed.url.rpartition(":")[2]
    secret = f"{PATH}?key=canary"
    apis = [MatchApi(f"http://canary:canary@127.0.0.1:{to}/canary", "", secret, cancelled) for to in (free, port)]
    said = [said_by(lambda: apis[0].match_data("m")), said_by(lambda: apis[0].start_monitoring("m", "0"))]
    for answer in (
        NOT_FOUND,
        Answer(b"x"),
        Answer(b"{}", cut_to=1),
        Answer(b"", 302, headers={"Location": "/?canary"}),
    ):
        feed.data = answer
        said.append(said_by(lambda: apis[1].match_data("m")))
    assert feed.paths("GET")[0] == "/canary/api/v1/cricket/match/m?key=canary"
    assert "canary" not in " ".join(said)
    for api in apis:
        api.close()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "what answers at {} is no web server"),
        (b"", "the connection to the match API broke off"),
    ],
)
def test_what_does_not_speak_http_is_named(cancelled: threading.Event, text: bytes, said: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            for _ in range(2):
                peer, _ = server.accept()
                with peer:
                    peer.recv(65_536)
                    peer.sendall(text)

        thread = threading.Thread(target=serve)
        thread.start()
        place = f"127.0.0.1:{server.getsockname()[1]}"
        api = MatchApi(f"http://{place}", "", PATH, cancelled)
        fault = fault_of(lambda: api.match_data("m"))
        assert (fault.kind, str(fault)) == ("unreachable", said.format(place))
        api.close()
        thread.join(10)
    assert not thread.is_alive()
