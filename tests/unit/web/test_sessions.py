from __future__ import annotations

import pytest

from tests.waiting import FakeClock
from web import sessions
from web.sessions import LIFETIME_S, Sessions

TOKEN = "canary-token-0123456789"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def one(clock: FakeClock) -> Sessions:
    return Sessions(TOKEN, clock)


def test_a_session_is_found_until_it_expires(one: Sessions, clock: FakeClock) -> None:
    value = one.begin()
    session = one.find(value)
    assert session
    clock.advance(LIFETIME_S)
    assert one.find(value) == session
    clock.advance(1)
    assert one.find(value) is None


def test_sessions_differ_and_do_not_contain_the_token(one: Sessions) -> None:
    values = {one.begin() for _ in range(10)}
    assert len(values) == 10
    assert not any("canary" in value for value in values)


def test_a_restart_keeps_sessions_and_a_new_token_ends_them(one: Sessions, clock: FakeClock) -> None:
    value = one.begin()
    session = one.find(value)
    assert session
    after = Sessions(TOKEN, clock)
    assert after.find(value) == session
    assert after.csrf_token(session) == one.csrf_token(session)
    assert Sessions(TOKEN + "x", clock).find(value) is None


def test_a_value_that_was_not_signed_here_is_no_session(one: Sessions, clock: FakeClock) -> None:
    value = one.begin()
    session, stamp, signature = value.split(".")
    forged = [
        "",
        ".",
        "..",
        "é.é.é",
        "\x00",
        session,
        f"{session}.{stamp}",
        f"{session}.{stamp}.",
        f"{session}x.{stamp}.{signature}",
        f"{session}.{stamp}x.{signature}",
        f"{session}.{stamp}.{signature[:-2]}",
        f"x.{value}",
        one.csrf_token(session),
        f"{session}.{stamp}.{one.csrf_token(session)}",
        value + "x" * 100_000,
    ]
    assert [one.find(text) for text in forged] == [None] * len(forged)
    clock.advance(-5)
    assert one.find(value) is None, "it has not begun yet"


def test_an_ended_session_stays_ended(one: Sessions, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "MAX_ENDED", 3)
    value, other = one.begin(), one.begin()
    one.end(str(one.find(value)))
    assert one.find(value) is None
    assert one.find(other)
    for number in range(10):
        one.end(f"s{number}")
    assert len(one._ended) == 3
    clock.advance(LIFETIME_S + 1)
    one.end("last")
    assert list(one._ended) == ["last"]


def test_a_csrf_token_belongs_to_one_session(one: Sessions) -> None:
    token = one.csrf_token("a")
    assert one.is_csrf_token("a", token)
    assert not one.is_csrf_token("b", token)
    for wrong in ("", token[:-1], token + "x", "é", "\ud800"):
        assert not one.is_csrf_token("a", wrong)
