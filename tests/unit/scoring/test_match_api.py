from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from demo.match_feed import Answer, MatchFeed
from scoring.match_api import MAX_DATA_BYTES, Connections, MatchApi
from tests.unit.scoring.conftest import PATH, RawServer, fault_of, kind_of
from tests.waiting import eventually


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
        (Answer(b'"' + b"x" * MAX_DATA_BYTES + b'"'), "too_large"),
        (Answer(b'{"a": 1}', cut_to=3), "unreachable"),
        (Answer(b"", 302, headers={"Location": "http://127.0.0.1:1/elsewhere"}), "redirect"),
    ],
    ids=["404", "html", "nested", "not utf-8", "too large", "cut off", "redirect"],
)
def test_faults_have_a_kind(api: MatchApi, feed: MatchFeed, answer: Answer, kind: str) -> None:
    feed.data = answer
    assert kind_of(lambda: api.match_data("m")) == kind
    feed.data = Answer.of({"fine": True})
    assert api.match_data("m") == {"fine": True}, "a fault must not spoil the next question"


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
    assert b"accept-encoding: gzip, deflate\r\n" in server.received.lower()


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
