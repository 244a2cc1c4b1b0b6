from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask, render_template_string
from werkzeug.test import TestResponse

import routes
from app import create_app
from relay.registry import StreamRegistry
from tests.conftest import SettingsFactory
from tests.waiting import FakeClock
from web import access, login
from web.access import COOKIE, csrf_token, is_open
from web.metrics import Metrics
from web.sessions import LIFETIME_S
from web.throttle import FREE_FAILURES

TOKEN = "canary-token-0123456789"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
PAGE = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
NEEDED = {"error": "Authorization: Bearer TOKEN is needed"}
LINK_NEEDED = {"error": "This link was withdrawn, or is not complete: ask the operator for a new one"}
OPEN_TO_ALL = {"/healthz", "/login", "/static/<path:filename>", "/score/<name>", "/score/service-worker.js"}
HOOKS = {
    f"/hooks/{place}{event}"
    for place in ("", "<secret>/")
    for event in ("connect", "publish", "update", "publish_done")
}


class Site:
    """An application with a page, and with clocks that the test moves."""

    def __init__(self, settings: SettingsFactory, **overrides: Any) -> None:
        chosen = settings(**overrides)
        self.clock, self.wall_clock = FakeClock(), FakeClock()
        self.registry = StreamRegistry(chosen)
        app = Flask("app", root_path=str(Path(login.__file__).parent))
        access.guard(app, chosen, self.clock, self.wall_clock)
        login.init_app(app)
        routes.init_app(app, self.registry, chosen, Metrics())
        app.add_url_rule("/", "home", lambda: render_template_string("{{ token }}", token=csrf_token()))
        self.client = app.test_client()

    def log_in(self, token: str = TOKEN, **headers: str) -> TestResponse:
        return self.client.post("/login", data={"token": token}, headers=headers)


MakeSite = Callable[..., Site]


@pytest.fixture(autouse=True)
def _cheap_derivation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.sessions.DERIVATION_COST", 2)


@pytest.fixture
def site(settings_with: SettingsFactory) -> Iterator[MakeSite]:
    made: list[Site] = []

    def make(**overrides: Any) -> Site:
        made.append(Site(settings_with, **{"api_token": TOKEN} | overrides))
        return made[-1]

    yield make
    for one in made:
        one.registry.close()


def test_every_route_except_the_named_ones_needs_the_token(settings_with: SettingsFactory) -> None:
    registry = StreamRegistry(settings_with())
    app = create_app(settings_with(api_token=TOKEN), registry)
    client = app.test_client()
    methods = defaultdict[str, set[str]](set)
    for rule in app.url_map.iter_rules():
        methods[rule.rule] |= rule.methods or set()
    assert methods.keys() >= HOOKS | {"/login", "/logout", "/list_streams", "/streams/<name>/match"}
    for path, known in methods.items():
        url = re.sub(r"<[^>]+>", "x", path)
        for method in known | {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"}:
            answer = client.open(url, method=method)
            is_refused = answer.status_code == 401 and (method == "HEAD" or answer.json in (NEEDED, LINK_NEEDED))
            is_open = path in OPEN_TO_ALL | HOOKS and method in known
            assert is_refused != is_open, f"{method} {path}: {answer.status}"
            with_token = client.open(url, method=method, headers=BEARER)
            assert with_token.status_code != 401 or path == "/login", f"{method} {path}: {with_token.status}"
    registry.close()


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        TOKEN,
        f"Basic {TOKEN}",
        f"Bearer {TOKEN[:-1]}",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN.upper()}",
        f"Bearer {TOKEN}, Bearer {TOKEN}",
        f"Bearer wrong, Bearer {TOKEN}",
        f"Bearer{TOKEN}",
        f"Bearer {TOKEN}\xe9",
        "Bearer \xff\xfe",
    ],
)
def test_another_header_is_refused(site: MakeSite, header: str) -> None:
    answer = site().client.get("/list_streams", headers={"Authorization": header})
    assert (answer.status_code, answer.json) == (401, NEEDED)
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("header", [f"Bearer {TOKEN}", f"bearer  {TOKEN}"])
def test_the_right_header_is_accepted(site: MakeSite, header: str) -> None:
    assert site().client.get("/list_streams", headers={"Authorization": header}).json == {}


@pytest.mark.parametrize(
    "path",
    [
        "//healthz",
        "/healthz/",
        "/healthz/../list_streams",
        "/login/../list_streams",
        "/login/",
        "//login",
        "/LOGIN",
        "/static",
        "/static/",
        "/staticx/y",
        "/hooks",
        "/hooks/../list_streams",
        "/%6cist_streams",
        "/list_streams%00",
        "/list_streams;/login",
        "/list_streams?/login",
        "/streams/..%2f..%2flogin",
        "/\xe9",
    ],
)
def test_no_spelling_of_a_path_gets_around_it(site: MakeSite, path: str) -> None:
    client = site().client
    for method in ("GET", "HEAD", "OPTIONS", "POST"):
        assert client.open(path, method=method).status_code == 401, method


@pytest.mark.parametrize(
    "name", ["../app.py", "..%2fapp.py", "%2e%2e/app.py", "/etc/passwd", "..\\app.py", "x/../../app.py"]
)
def test_static_files_come_from_their_folder_only(settings_with: SettingsFactory, name: str) -> None:
    answer = create_app(settings_with(api_token=TOKEN)).test_client().get(f"/static/{name}")
    assert answer.status_code in (401, 404)
    assert list(answer.json or {}) == ["error"]


def test_a_browser_is_sent_to_the_login_and_a_tool_gets_an_error(site: MakeSite) -> None:
    client = site().client
    for path, method in (("/", "GET"), ("/", "HEAD"), ("/logout", "POST")):
        answer = client.open(path, method=method, headers=PAGE)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/login")
        assert client.open(path, method=method).status_code == 401
        assert client.open(path, method=method, headers={"Accept": "*/*"}).status_code == 401
    assert client.get("/list_streams", headers=PAGE).json == NEEDED


def test_the_login_page_is_plain_html(site: MakeSite) -> None:
    answer = site().client.get("/login")
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    assert 'name="token"' in answer.text
    for inline in ("<script", "<style", "style=", "onload", "http:", "https:", 'role="alert"'):
        assert inline not in answer.text


def test_logging_in_gives_a_session(site: MakeSite) -> None:
    one = site()
    answer = one.log_in(f" {TOKEN}\n", **PAGE)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    cookie = answer.headers["Set-Cookie"]
    assert TOKEN not in cookie
    assert set(cookie.split("; ")[1:]) == {
        "HttpOnly",
        "SameSite=Strict",
        "Path=/",
        f"Max-Age={LIFETIME_S}",
        next(part for part in cookie.split("; ") if part.startswith("Expires=")),
    }
    assert one.client.get("/list_streams").json == {}
    assert one.client.get("/login").headers["Location"] == "/"
    one.wall_clock.advance(LIFETIME_S + 1)
    assert one.client.get("/list_streams").status_code == 401
    assert one.client.get("/login").status_code == 200


def test_over_https_the_cookie_is_secure(site: MakeSite) -> None:
    answer = site().client.post("/login", data={"token": TOKEN}, base_url="https://relay.example")
    assert "Secure" in answer.headers["Set-Cookie"].split("; ")


@pytest.mark.parametrize("token", ["", "wrong", TOKEN + "x", "é", "x" * 50_000, "<b>", "\x00"])
def test_a_wrong_token_is_named_plainly(site: MakeSite, token: str) -> None:
    one = site()
    answer = one.log_in(token, **PAGE)
    assert (answer.status_code, answer.mimetype) == (401, "text/html")
    assert '<p id="error" class="error" role="alert">This is not the token</p>' in answer.text
    assert "Set-Cookie" not in answer.headers
    answer = one.log_in(token)
    assert (answer.status_code, answer.json) == (401, {"error": "This is not the token"})


@pytest.mark.parametrize("body", [b"\xff=\xff&token", b"{", b"token=" + b"x" * 70_000, b"&".join([b"a=b"] * 2000)])
@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "application/json", "multipart/form-data", ""])
def test_a_login_that_is_no_form_is_refused(site: MakeSite, body: bytes, kind: str) -> None:
    answer = site().client.post("/login", data=body, content_type=kind)
    assert answer.status_code in (401, 413)
    assert list(answer.json or {}) == ["error"]


def test_changes_by_cookie_need_the_csrf_token(site: MakeSite) -> None:
    one = site()
    assert one.client.get("/", headers=BEARER).text == "", "without a session there is no token"
    one.log_in()
    token = one.client.get("/").text
    assert token
    score = {"sport": "cricket", "title": "x"}
    for method, path in (
        ("PUT", "/streams/x/match"),
        ("POST", "/start_stream"),
        ("PATCH", "/streams/x"),
        ("DELETE", "/"),
    ):
        for headers in ({}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": "wrong"}, {"X-CSRF-Token": token[:-1]}):
            answer = one.client.open(path, method=method, headers=headers, json=score)
            assert (answer.status_code, answer.json) == (
                403,
                {"error": "X-CSRF-Token must contain the page's CSRF token"},
            )
        answer = one.client.open(f"{path}?csrf_token={token}", method=method, json=score)
        assert answer.status_code == 403, "only the header counts"
        for headers in ({"X-CSRF-Token": token}, BEARER, BEARER | {"X-CSRF-Token": "wrong"}):
            assert one.client.open(path, method=method, headers=headers, json=score).status_code in (400, 404, 405)
    other = site()
    other.log_in()
    answer = other.client.put("/streams/x/match", headers={"X-CSRF-Token": token}, json=score)
    assert answer.status_code == 403, "it belongs to another session"


def test_logging_out_ends_the_session_even_if_the_cookie_was_kept(site: MakeSite) -> None:
    one = site()
    one.log_in()
    kept = one.client.get_cookie(COOKIE)
    assert kept
    token = one.client.get("/").text
    assert one.client.post("/logout", headers=PAGE).status_code == 403
    assert one.client.get("/logout").status_code == 405
    assert one.client.get("/list_streams").status_code == 200
    answer = one.client.post("/logout", data={"csrf_token": token}, headers=PAGE)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login")
    assert one.client.get_cookie(COOKIE) is None
    one.client.set_cookie(COOKIE, kept.value)
    assert one.client.get("/list_streams").status_code == 401


@pytest.mark.parametrize("value", ["", "x", "x.y.z", TOKEN, "é", "\x00", '"', "x" * 100_000])
def test_a_forged_cookie_is_no_session(site: MakeSite, value: str) -> None:
    one = site()
    for _ in range(2 * FREE_FAILURES):
        answer = one.client.get("/list_streams", headers={"Cookie": f"{COOKIE}={quote(value)}"})
        assert (answer.status_code, answer.json) == (401, NEEDED), "an old tab must make nobody wait"


def test_without_a_token_there_is_nothing_to_log_in_to(site: MakeSite) -> None:
    one = site(api_token="")
    for answer in (one.client.get("/login"), one.log_in("x")):
        assert (answer.status_code, answer.headers["Location"]) == (303, "/")
        assert "Set-Cookie" not in answer.headers
    assert one.client.post("/logout").status_code == 303
    assert one.client.get("/").text == ""


WRONG = "wrong"


def guess(one: Site, way: str, token: str = WRONG, address: str = "192.0.2.9") -> TestResponse:
    base = {"REMOTE_ADDR": address}
    if way == "login":
        return one.client.post("/login", data={"token": token}, environ_base=base)
    return one.client.get("/list_streams", headers={"Authorization": f"Bearer {token}"}, environ_base=base)


@pytest.mark.parametrize("way", ["login", "bearer"])
def test_guessing_makes_a_caller_wait_at_the_login_and_with_a_header(
    site: MakeSite, way: str, caplog: pytest.LogCaptureFixture
) -> None:
    one = site()
    for number in range(FREE_FAILURES):
        assert guess(one, ("login", "bearer")[number % 2]).status_code == 401
    answer = guess(one, way)
    assert (answer.status_code, answer.headers["Retry-After"]) == (401 if way == "bearer" else 429, "1")
    assert answer.json == {"error": "Too many wrong tokens from this address: try again in 1 s"}
    assert guess(one, way, TOKEN).status_code in (200, 303), "whoever shares the guesser's address"
    one.client.delete_cookie(COOKIE)
    assert guess(one, way, TOKEN, "192.0.2.10").status_code in (200, 303)
    one.client.delete_cookie(COOKIE)
    assert one.client.get("/list_streams", environ_base={"REMOTE_ADDR": "192.0.2.9"}).status_code == 401
    one.clock.advance(1)
    assert guess(one, way, TOKEN).status_code in (200, 303)
    assert "192.0.2.9 gave a wrong token" in caplog.text
    assert "192.0.2.9 gave too many wrong tokens and has to wait 1 s" in caplog.text
    assert "canary" not in caplog.text


def test_a_page_is_told_to_wait(site: MakeSite) -> None:
    one = site()
    for _ in range(FREE_FAILURES):
        one.log_in("wrong", **PAGE)
    answer = one.log_in("wrong", **PAGE)
    assert (answer.status_code, answer.mimetype, answer.headers["Retry-After"]) == (429, "text/html", "1")
    assert "Too many wrong tokens from this address: try again in 1 s" in answer.text


def test_guesses_from_the_operators_address_do_not_lock_the_operator_out(site: MakeSite) -> None:
    one = site()
    one.log_in()
    for _ in range(3 * FREE_FAILURES):
        guess(one, "login", address="127.0.0.1")
    assert guess(one, "login", address="127.0.0.1").status_code == 429
    assert one.client.get("/list_streams").status_code == 200, "by the session"
    assert one.client.get("/list_streams", headers={"Authorization": "Bearer wrong"}).status_code == 200
    one.client.delete_cookie(COOKIE)
    assert guess(one, "bearer", TOKEN, "127.0.0.1").status_code == 200


def test_a_flood_of_guesses_does_not_fill_the_log(site: MakeSite, caplog: pytest.LogCaptureFixture) -> None:
    one = site()
    for number in range(200):
        guess(one, "bearer", address=f"10.0.0.{number}")
        one.client.get("/list_streams")
        one.client.post("/start_stream", headers={"Origin": "http://evil.example"})
    assert len(caplog.messages) < 30


@pytest.mark.parametrize(
    ("origin", "host", "is_own"),
    [
        ("http://relay.local:1233", "relay.local:1233", True),
        ("http://RELAY.local:1233", "relay.LOCAL:1233", True),
        ("http://localhost", "localhost:80", True),
        ("https://localhost:443", "localhost", True),
        ("https://localhost", "localhost", True),
        ("http://[::1]:1233", "[::1]:1233", True),
        ("http://localhost:8080", "localhost:1233", False),
        ("http://localhost:443", "localhost", False),
        ("http://evil.example", "localhost", False),
        ("http://localhost.evil.example", "localhost", False),
        ("null", "localhost", False),
        ("", "localhost", False),
        ("file://", "localhost", False),
        ("localhost", "localhost", False),
        ("http://localhost, http://evil.example", "localhost", False),
        ("\xff\xfe", "localhost", False),
    ],
)
@pytest.mark.parametrize("api_token", ["", TOKEN])
def test_changes_from_another_site_are_refused(
    site: MakeSite, origin: str, host: str, is_own: bool, api_token: str
) -> None:
    one = site(api_token=api_token)
    headers = {"Origin": origin, "Host": host} | BEARER
    for method, path in (("POST", "/stop_stream"), ("POST", "/login"), ("PUT", "/streams/x/match"), ("DELETE", "/")):
        status = one.client.open(path, method=method, headers=headers).status_code
        assert (status != 403) == is_own, f"{method} {path}: {status}"
    assert one.client.get("/list_streams", headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("host", "is_accepted"),
    [
        ("127.0.0.1:1233", True),
        ("192.0.2.7", True),
        ("[2001:db8::1]:1233", True),
        ("localhost:1233", True),
        ("LOCALHOST.", True),
        ("relay:1233", True),
        ("relay.local", True),
        ("relay.home.arpa:1233", True),
        ("", True),
        ("this.machine.example:1233", True),
        ("evil.example", False),
        ("evil.example.:1233", False),
        ("127.0.0.1.evil.example", False),
        ("notlocal.example", False),
        ("x@evil.example", False),
        ("[evil.example", False),
        ("[2001:db8::1", True),
        (":", True),
        ("evil.example:x:y", False),
        ("\xe9vil.example", False),
    ],
)
def test_without_a_token_a_public_name_is_refused(
    site: MakeSite, host: str, is_accepted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "This.Machine.example")
    answer = site(api_token="").client.get("/list_streams", headers={"Host": host})
    assert (answer.status_code == 200) == is_accepted
    if not is_accepted:
        assert (answer.status_code, list(answer.json or {})) == (403, ["error"])
    assert site().client.get("/list_streams", headers={"Host": host} | BEARER).status_code == 200


def test_only_the_trusted_proxy_can_name_address_and_scheme(site: MakeSite) -> None:
    one = site(trusted_proxy="127.0.0.1")

    def forwarded(address: str, by: str) -> TestResponse:
        headers = {"X-Forwarded-For": f"10.9.9.9, {address}", "X-Forwarded-Proto": "https"}
        return one.client.post("/login", data={"token": "wrong"}, headers=headers, environ_base={"REMOTE_ADDR": by})

    for _ in range(FREE_FAILURES):
        forwarded("192.0.2.1", "127.0.0.1")
    assert forwarded("192.0.2.1", "127.0.0.1").status_code == 429
    assert forwarded("192.0.2.2", "127.0.0.1").status_code == 401
    for number in range(FREE_FAILURES):
        forwarded(f"192.0.2.{number}", "10.0.0.1")
    assert forwarded("192.0.2.99", "10.0.0.1").status_code == 429, "what it says of itself does not count"
    for by, is_secure in (("127.0.0.1", True), ("10.0.0.2", False)):
        answer = one.client.post(
            "/login",
            data={"token": TOKEN},
            headers={"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.5"},
            environ_base={"REMOTE_ADDR": by},
        )
        assert ("Secure" in answer.headers["Set-Cookie"].split("; ")) == is_secure


@pytest.mark.parametrize(
    ("host", "token", "expected"),
    [
        ("0.0.0.0", "", True),
        ("::", "", True),
        ("relay.example", "", True),
        ("0.0.0.0", TOKEN, False),
        ("127.0.0.1", "", False),
        ("127.0.0.2", "", False),
        ("::1", "", False),
        ("localhost", "", False),
    ],
)
def test_a_service_is_open_if_others_reach_it_without_a_token(
    settings_with: SettingsFactory, host: str, token: str, expected: bool, caplog: pytest.LogCaptureFixture
) -> None:
    settings = settings_with(host=host, api_token=token)
    assert is_open(settings) == expected
    create_app(settings)
    assert ("API_TOKEN is not set" in caplog.text) == expected


def test_a_short_token_gets_a_warning(settings_with: SettingsFactory, caplog: pytest.LogCaptureFixture) -> None:
    create_app(settings_with(api_token=TOKEN))
    assert caplog.messages == []
    create_app(settings_with(api_token="canary"))
    assert "API_TOKEN is short enough to be guessed: use 16 characters or more" in caplog.messages
    assert "canary" not in caplog.text
