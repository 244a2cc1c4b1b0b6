from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from demo.match_feed import NOT_FOUND, Answer, MatchFeed
from errors import FeedError
from scoring.match_api import MAX_DATA_BYTES, MAX_IMAGE_BYTES, Connections, MatchApi
from tests.waiting import eventually

PATH = "/api/v1/cricket/match/{match_id}"


@pytest.fixture
def cancelled() -> threading.Event:
    return threading.Event()


@pytest.fixture
def api(feed: MatchFeed, cancelled: threading.Event) -> Iterator[MatchApi]:
    api = MatchApi(feed.url, feed.url, PATH, cancelled)
    yield api
    api.close()


def fault_of(ask: Callable[[], object]) -> FeedError:
    with pytest.raises(FeedError) as caught:
        ask()
    return caught.value


def kind_of(ask: Callable[[], object]) -> str:
    return fault_of(ask).kind


def said_by(ask: Callable[[], object]) -> str:
    return str(fault_of(ask))


def test_start_and_stop_say_what_the_contract_says(api: MatchApi, feed: MatchFeed) -> None:
    api.start_monitoring("m1", "7")
    api.stop_monitoring("m1")
    assert feed.calls == [
        ("POST", "/start-match-monitoring", {"match_id": "m1", "overlay_id": "7"}),
        ("POST", "/stop-match-monitoring", {"match_id": "m1"}),
    ]


@pytest.mark.parametrize("status", [201, 204, 400, 404, 500, 503])
def test_only_200_starts_monitoring(api: MatchApi, feed: MatchFeed, status: int) -> None:
    feed.start = Answer(b"{}", status)
    assert kind_of(lambda: api.start_monitoring("m1", "0")) == "status"


def test_data_and_images_are_asked_for_by_match(api: MatchApi, feed: MatchFeed) -> None:
    feed.data, feed.image = Answer.of({"a": 1}), Answer(b"png", content_type="image/png")
    assert api.match_data("m.1") == {"a": 1}
    assert api.overlay_image("m.1") == b"png"
    assert feed.paths("GET") == ["/api/v1/cricket/match/m.1", "/m.1.png"]


def test_what_has_not_changed_is_not_sent_again(api: MatchApi, feed: MatchFeed) -> None:
    feed.data = Answer.of({"a": 1})
    assert api.match_data("m") == {"a": 1}
    assert api.match_data("m") is None
    feed.data = Answer.of({"a": 2})
    assert api.match_data("m") == {"a": 2}


def test_a_refusal_forgets_what_was_there(api: MatchApi, feed: MatchFeed) -> None:
    feed.data = Answer.of({"a": 1})
    api.match_data("m")
    feed.data = Answer(b"", 500)
    assert kind_of(lambda: api.match_data("m")) == "status"
    feed.data = Answer.of({"a": 1})
    assert api.match_data("m") == {"a": 1}


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(b"{}", 404), "status"),
        (Answer(b"<html>", content_type="text/html"), "malformed"),
        (Answer(b"[" * 100_000), "malformed"),
        (Answer(b'{"a": "\xff"}'), "malformed"),
        (Answer(b"{}", headers={"Content-Encoding": "gzip"}), "malformed"),
        (Answer(b'"' + b"x" * MAX_DATA_BYTES + b'"'), "too_large"),
        (Answer(b'{"a": 1}', cut_to=3), "unreachable"),
        (Answer(b"", 302, headers={"Location": "http://127.0.0.1:1/elsewhere"}), "redirect"),
    ],
    ids=["404", "html", "nested", "not utf-8", "compressed", "too large", "cut off", "redirect"],
)
def test_faults_have_a_kind(api: MatchApi, feed: MatchFeed, answer: Answer, kind: str) -> None:
    feed.data = answer
    assert kind_of(lambda: api.match_data("m")) == kind
    feed.data = Answer.of({"fine": True})
    assert api.match_data("m") == {"fine": True}, "a fault must not spoil the next question"


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


class RawServer:
    """Sends a fixed text, one byte at a time or at once, and then keeps silent until closed."""

    def __init__(self, text: bytes, byte_pause_s: float = 0.0) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self._text = text
        self._pause_s = byte_pause_s
        self._stop = threading.Event()
        self.received = b""
        self.sent = threading.Event()
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        connection, _ = self._server.accept()
        with connection:
            self.received = connection.recv(4096)
            self.sent.set()
            try:
                step = 1 if self._pause_s else len(self._text) or 1
                for i in range(0, len(self._text), step):
                    connection.sendall(self._text[i : i + step])
                    if self._stop.wait(self._pause_s):
                        return
            except OSError:
                return
            self._stop.wait(30)

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self._server.close()


@pytest.mark.parametrize(
    "text",
    [
        b"HTTP/1.1 200 OK\r\nX-Filler: " + b"a" * 500,
        b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + b" " * 500,
        b"",
    ],
    ids=["head", "body", "silence"],
)
def test_an_answer_that_drips_is_late_although_every_read_is_quick(text: bytes, cancelled: threading.Event) -> None:
    server = RawServer(text, byte_pause_s=0.02)
    api = MatchApi(server.url, "", PATH, cancelled)
    fault = fault_of(lambda: api.match_data("m", limit_s=0.4))
    assert (fault.kind, str(fault)) == ("timeout", "the match API has not answered within 0.4 s")
    api.close()
    server.close()


def test_an_endless_answer_is_cut_off(cancelled: threading.Event, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scoring.match_api.MAX_DATA_BYTES", 1000)
    server = RawServer(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 200_000)
    api = MatchApi(server.url, "", PATH, cancelled)
    assert kind_of(lambda: api.match_data("m")) == "too_large"
    api.close()
    server.close()


def test_a_name_server_that_does_not_answer_is_bounded_too(
    cancelled: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: release.wait(30))
    api = MatchApi("http://feed.invalid", "", PATH, cancelled)
    fault = fault_of(lambda: api.match_data("m", limit_s=0.3))
    assert (fault.kind, str(fault)) == ("timeout", "no connection to the match API at feed.invalid:80 in time")
    cancelled.set()
    assert kind_of(lambda: api.match_data("m", limit_s=60)) == "cancelled"
    api.close()
    release.set()


@pytest.mark.parametrize("fault", [socket.gaierror(-2, "Name or service not known"), UnicodeError("label too long")])
def test_a_name_without_an_address_is_unreachable(
    cancelled: threading.Event, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise fault

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    api = MatchApi("http://feed.invalid", "", PATH, cancelled)
    assert kind_of(lambda: api.match_data("m")) == "unreachable"
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


def test_a_stop_does_not_wait_for_the_answer(cancelled: threading.Event) -> None:
    server = RawServer(b"")
    api = MatchApi(server.url, "", PATH, cancelled)
    kinds: list[str] = []
    thread = threading.Thread(target=lambda: kinds.append(kind_of(lambda: api.match_data("m", limit_s=60))))
    thread.start()
    assert server.sent.wait(10)
    cancelled.set()
    thread.join(10)
    assert kinds == ["cancelled"]
    api.close()
    server.close()


def test_the_environment_adds_neither_proxy_nor_password(
    cancelled: threading.Event, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("NO_PROXY")
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login canary password canary\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    server = RawServer(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    api = MatchApi(server.url, "", PATH, cancelled)
    assert api.match_data("m") == {}
    api.close()
    server.close()
    assert server.received.startswith(b"GET /api/v1/cricket/match/m HTTP/1.1\r\n")
    assert b"authorization" not in server.received.lower()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_nobody_else_is_connected_to_by_a_redirect(api: MatchApi, feed: MatchFeed, status: int) -> None:
    other = MatchFeed()
    try:
        for place in (other.url, f"//{other.url.partition('//')[2]}/x", "/elsewhere"):
            feed.data = feed.image = feed.start = Answer(b"", status, headers={"Location": place})
            questions: list[Callable[[], object]] = [
                lambda: api.match_data("m"),
                lambda: api.overlay_image("m"),
                lambda: api.logo("mi.png"),
                lambda: api.start_monitoring("m", "0"),
            ]
            assert [kind_of(ask) for ask in questions] == ["redirect"] * 4
        assert other.calls == []
        assert "/elsewhere" not in feed.paths("GET")
    finally:
        other.close()


@pytest.mark.parametrize(
    "name", ["http://127.0.0.1:1/x", "//127.0.0.1:1/x", "@127.0.0.1:1", "../x", "x?y#z", "\\\\h\\x"]
)
def test_a_name_is_a_path_on_the_base_whatever_it_looks_like(api: MatchApi, feed: MatchFeed, name: str) -> None:
    quoted = quote(name, safe="")
    feed.data, feed.image = Answer.of({}), Answer(b"png")
    api.match_data(name)
    api.overlay_image(name)
    api.logo(name)
    assert feed.paths("GET") == [f"/api/v1/cricket/match/{quoted}", f"/{quoted}.png", f"/{quoted}"]


def test_nothing_piles_up_of_what_a_feed_sends_along(api: MatchApi, feed: MatchFeed) -> None:
    feed.image = Answer(b"png", headers={"Set-Cookie": "tracker=1; Max-Age=99999"})
    for number in range(20):
        assert api.logo(f"logo-{number}.png") == b"png"
    assert api.logo("logo-1.png") == b"png", "it is sent anew to who asks anew"
    assert len(api._connections.session.cookies) == 0
    assert api._validators == {}


def test_not_every_address_of_a_name_is_tried_when_the_question_is_over(
    cancelled: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[object] = []

    def hang(_socket: socket.socket, address: object) -> None:
        tried.append(address)
        if len(tried) == 3:
            cancelled.set()
        raise TimeoutError

    addresses = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)) for port in range(1, 1000)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: addresses)
    monkeypatch.setattr(socket.socket, "connect", hang)
    api = MatchApi("http://feed.invalid", "", PATH, cancelled)
    assert kind_of(lambda: api.match_data("m", limit_s=60)) == "cancelled"
    assert len(tried) == 3
    api.close()


def test_connections_are_closed_with_the_client(feed: MatchFeed, cancelled: threading.Event) -> None:
    api = MatchApi(feed.url, "", PATH, cancelled)
    feed.data = Answer.of({})
    api.match_data("m")
    assert feed.connections == 1
    api.close()
    eventually(lambda: feed.connections == 0)


def test_answers_that_have_not_changed_come_over_one_connection(feed: MatchFeed, cancelled: threading.Event) -> None:
    api = MatchApi(feed.url, "", PATH, cancelled)
    feed.data = Answer.of({})
    assert api.match_data("m") == {}
    assert [api.match_data("m") for _ in range(5)] == [None] * 5
    assert feed.accepted == 1
    api.close()


def test_streams_share_connections_that_go_with_the_last_of_them(feed: MatchFeed, cancelled: threading.Event) -> None:
    connections = Connections()
    apis = [MatchApi(feed.url, "", PATH, cancelled, connections) for _ in range(3)]
    feed.data = Answer.of({})
    for turn in range(2):
        assert [api.match_data(f"m{number}") for number, api in enumerate(apis)] == [None if turn else {}] * 3
    assert (feed.accepted, feed.connections) == (1, 1)
    for api in apis[:2]:
        api.close()
        api.close()
    assert apis[2].match_data("m2") is None
    assert (feed.accepted, feed.connections) == (1, 1)
    apis[2].close()
    eventually(lambda: feed.connections == 0)


def test_a_kept_connection_that_the_server_has_closed_fails_no_poll(cancelled: threading.Event) -> None:
    """It closes with the second question, which it has not answered: a keep-alive that ran out at just that time."""
    closing = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    asked: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            for number in range(2):
                peer, _ = server.accept()
                with peer:
                    peer.recv(65_536)
                    peer.sendall(closing)
                    asked.append(number)
                    peer.recv(65_536)

        thread = threading.Thread(target=serve)
        thread.start()
        api = MatchApi(f"http://127.0.0.1:{server.getsockname()[1]}", "", PATH, cancelled)
        assert api.match_data("m") == {}
        assert api.match_data("m") == {}
        eventually(lambda: asked == [0, 1])  # noted just after it was sent
        api.close()
        thread.join(10)
    assert not thread.is_alive()
