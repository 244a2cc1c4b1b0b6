"""Ten thousand requests that no client should send: each is answered or closed, none fails, and nothing grows."""

from __future__ import annotations

import itertools
import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from tests.api.conftest import LiveService, MakeLive
from tests.api.malformed import NAME, Answer, Attempt, RawClient, attempts
from tests.waiting import eventually

CLIENTS = 4
WARM_UP, MEASURED = 3_000, 7_000
# A leak of 1 KB for each request would be 7 MB. After the warm-up the allocator needs no more.
MAX_GROWTH_BYTES = 3_500_000


def fault(attempt: Attempt, answer: Answer | None) -> str | None:
    """What is wrong with this answer, or None."""
    if answer is None:
        return None if attempt.is_incomplete or not attempt.is_for_app else "no answer"
    if answer.status >= 500 and answer.status != 501:  # 501: a transfer encoding that nobody knows
        return "a fault of the service"
    if not attempt.is_for_app or answer.content_type == "image/png":
        return None
    if answer.status < 400:
        return None if answer.status in (200, 204) else "a redirect"
    is_error = answer.content_type == "application/json" and list(json.loads(answer.body)) == ["error"]
    return None if is_error else "an error that is not in JSON"


def send(live: LiveService, count: int, seed: int) -> Counter[int | None]:
    """Send this many over CLIENTS connections at once, and count the statuses."""

    def run(number: int) -> Counter[int | None]:
        statuses: Counter[int | None] = Counter()
        client = RawClient(live.port)
        try:
            for attempt in itertools.islice(attempts(seed + number), count // CLIENTS):
                answer = client.send(attempt)
                found = fault(attempt, answer)
                assert found is None, f"{found}: {answer} to {attempt.data[:500]!r}"
                statuses[answer.status if answer else None] += 1
        finally:
            client.close()
        return statuses

    with ThreadPoolExecutor(CLIENTS) as pool:
        return sum(pool.map(run, range(CLIENTS)), Counter())


def settled_counts(live: LiveService) -> dict[str, int]:
    """The counts, once they no longer change: a connection may still be closing."""
    seen = [live.counts()]

    def is_same() -> bool:
        time.sleep(0.1)
        seen.append(live.counts())
        return seen[-1] == seen[-2]

    eventually(is_same)
    return seen[-1]


def test_ten_thousand_malformed_requests_do_no_harm(live: MakeLive) -> None:
    one = live()
    one.start(NAME)
    eventually(lambda: one.call("GET", f"/streams/{NAME}")["attempts"]["slate"] == 1)
    counts = settled_counts(one)
    statuses = send(one, WARM_UP, seed=1000)
    rss_bytes = one.rss_bytes()
    statuses += send(one, MEASURED, seed=2000)
    assert settled_counts(one) == counts
    assert one.rss_bytes() - rss_bytes < MAX_GROWTH_BYTES
    assert statuses.total() == WARM_UP + MEASURED
    for status in (None, 200, 204, 400, 404, 405, 409, 413, 431, 501):
        assert statuses[status], f"no {status}: the requests no longer test what they should"
    assert one.process.poll() is None
    assert "a call failed" not in one.log()
    assert "Traceback" not in one.log()
