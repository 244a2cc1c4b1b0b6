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


def packed(body: bytes) -> bytes:
    """`body` in gzip without the time: pytest names these tests by their bytes, the same in each worker."""
    return gzip.compress(body, mtime=0)


def bare_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(body) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", packed(GOOD)),
        ("GZip", packed(GOOD)),
        ("x-gzip", packed(GOOD)),
        ("gzip", packed(GOOD[:9]) + packed(b"") + packed(GOOD[9:])),
        ("gzip", packed(GOOD) + bytes(512)),
        ("deflate", zlib.compress(GOOD)),
        ("deflate", bare_deflate(GOOD)),
        ("identity", GOOD),
        ("gzip, identity", packed(GOOD)),
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
        ("gzip", packed(GOOD)[:-1], "broken: it cannot be unpacked as gzip"),
        ("gzip", packed(GOOD)[:60], "broken: it cannot be unpacked as gzip"),
        ("gzip", packed(GOOD)[:-8] + bytes(8), "broken: it cannot be unpacked as gzip"),
        ("gzip", packed(b"") * 100_000, "broken: it cannot be unpacked as gzip"),
        ("deflate", packed(GOOD), "broken: it cannot be unpacked as deflate"),
        ("br", b"{}", "compressed as 'br', which cannot be read"),
        ("gzip, gzip", packed(packed(GOOD)), "compressed as 'gzip, gzip', which cannot be read"),
        ("gzip", packed(b"<html>"), "not JSON: it begins with '<html>'"),
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
    for answer in (Answer(body), Answer(packed(body), headers={"Content-Encoding": "gzip"})):
        feed.data = answer
        if is_read:
            assert len(api.match_data("m") or "") == MAX_DATA_BYTES - 2
        else:
            assert kind_of(lambda: api.match_data("m")) == "too_large"


def test_what_comes_with_a_refusal_is_not_even_unpacked(
    api: MatchApi, feed: MatchFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zlib.decompressobj", None)
    body = packed(GOOD)
    for status, kind in ((302, "redirect"), (404, "status")):
        feed.data = Answer(body, status, headers={"Content-Encoding": "gzip", "Location": "/elsewhere"})
        assert kind_of(lambda: api.match_data("m")) == kind
