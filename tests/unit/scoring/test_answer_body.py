from __future__ import annotations

import gzip
import tracemalloc
import zlib

import pytest

from demo.match_feed import Answer, MatchFeed
from scoring.feed_faults import MIB
from scoring.match_api import MAX_DATA_BYTES, MatchApi
from tests.unit.scoring.conftest import fault_of, kind_of, said_by

GOOD = b'{"a": "' + b"1" * 70_000 + b'"}'


def bare_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(body) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(GOOD)),
        ("GZip", gzip.compress(GOOD)),
        ("x-gzip", gzip.compress(GOOD)),
        ("gzip", gzip.compress(GOOD[:9]) + gzip.compress(b"") + gzip.compress(GOOD[9:])),
        ("gzip", gzip.compress(GOOD) + bytes(512)),
        ("deflate", zlib.compress(GOOD)),
        ("deflate", bare_deflate(GOOD)),
        ("identity", GOOD),
        ("gzip, identity", gzip.compress(GOOD)),
        ("", GOOD),
    ],
)
def test_a_compressed_answer_is_read(api: MatchApi, feed: MatchFeed, encoding: str, body: bytes) -> None:
    feed.data = feed.image = Answer(body, headers={"Content-Encoding": encoding})
    assert api.match_data("m") == {"a": "1" * 70_000}
    assert api.match_data("m") is None, "what has not changed says so in spite of its encoding"
    assert api.overlay_image("m") == GOOD
    assert feed.accepted == 1


@pytest.mark.parametrize(
    ("encoding", "body", "said"),
    [
        ("gzip", b"{}", "broken: it cannot be unpacked as gzip"),
        ("gzip", gzip.compress(GOOD)[:-1], "broken: it cannot be unpacked as gzip"),
        ("gzip", gzip.compress(GOOD)[:60], "broken: it cannot be unpacked as gzip"),
        ("gzip", gzip.compress(GOOD)[:-8] + bytes(8), "broken: it cannot be unpacked as gzip"),
        ("gzip", gzip.compress(b"") * 100_000, "broken: it cannot be unpacked as gzip"),
        ("deflate", gzip.compress(GOOD), "broken: it cannot be unpacked as deflate"),
        ("br", b"{}", "compressed as 'br', which cannot be read"),
        ("gzip, gzip", gzip.compress(gzip.compress(GOOD)), "compressed as 'gzip, gzip', which cannot be read"),
        ("gzip", gzip.compress(b"<html>"), "not JSON: it begins with '<html>'"),
        ("gzip", b"", "empty"),
    ],
)
def test_what_cannot_be_unpacked_is_malformed(
    api: MatchApi, feed: MatchFeed, encoding: str, body: bytes, said: str
) -> None:
    feed.data = Answer(body, headers={"Content-Encoding": encoding})
    fault = fault_of(lambda: api.match_data("m"))
    assert (fault.kind, str(fault)) == ("malformed", f"the match API's answer is {said}")
    feed.data = Answer.of({"fine": True})
    assert api.match_data("m") == {"fine": True}


@pytest.mark.parametrize(("encoding", "wbits"), [("gzip", 31), ("deflate", 15), ("deflate", -15)])
def test_a_bomb_takes_no_more_memory_than_an_honest_answer(
    api: MatchApi, feed: MatchFeed, encoding: str, wbits: int
) -> None:
    packer = zlib.compressobj(wbits=wbits)
    bomb = b"".join(packer.compress(bytes(MIB)) for _ in range(100)) + packer.flush()
    feed.data = feed.image = Answer(bomb, headers={"Content-Encoding": encoding})
    tracemalloc.start()
    try:
        fault = fault_of(lambda: api.match_data("m"))
        used = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (fault.kind, str(fault)) == ("too_large", "the match API's answer is over 2 MiB")
    assert used < 3 * MAX_DATA_BYTES
    assert said_by(lambda: api.overlay_image("m")) == "the image server's answer is over 8 MiB"
    assert said_by(lambda: api.logo("mi.png")) == "the image server's answer is over 1 MiB"


@pytest.mark.parametrize(("over", "is_read"), [(0, True), (1, False)])
def test_an_answer_may_be_as_large_as_the_limit(api: MatchApi, feed: MatchFeed, over: int, is_read: bool) -> None:
    body = b'"' + b"x" * (MAX_DATA_BYTES - 2 + over) + b'"'
    for answer in (Answer(body), Answer(gzip.compress(body), headers={"Content-Encoding": "gzip"})):
        feed.data = answer
        if is_read:
            assert len(api.match_data("m") or "") == MAX_DATA_BYTES - 2
        else:
            assert kind_of(lambda: api.match_data("m")) == "too_large"


def test_what_comes_with_a_refusal_is_not_even_unpacked(
    api: MatchApi, feed: MatchFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zlib.decompressobj", None)
    packed = gzip.compress(GOOD)
    for status, kind in ((302, "redirect"), (404, "status")):
        feed.data = Answer(packed, status, headers={"Content-Encoding": "gzip", "Location": "/elsewhere"})
        assert kind_of(lambda: api.match_data("m")) == kind
