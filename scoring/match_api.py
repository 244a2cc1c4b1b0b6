"""The client of the match API and of the overlay image server.

Every answer is bounded: in bytes, before and after it is unpacked, and in
seconds from the first byte sent to the last byte read, however slowly it drips.
Nobody but the two bases is connected to: redirects are not followed, and the
environment's proxies are not asked. Cookies are not kept, and whoever owns the
client may cancel what is under way. Raises FeedError with a kind and a sentence
for whoever watches the stream.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests
import urllib3

from scoring.answer_body import read_body
from scoring.bounded_http import CONNECT_LIMIT_S, VALIDATORS, limit, new_session
from scoring.feed_faults import MIB, Question
from scoring.trust import Trust

MATCH_API = "the match API"
IMAGE_SERVER = "the image server"
MAX_DATA_BYTES = 2 * MIB
MAX_IMAGE_BYTES = 8 * MIB
MAX_LOGO_BYTES = MIB
ANSWER_LIMIT_S = 5.0
LOGO_LIMIT_S = 2.0  # the score waits for it
STOP_LIMIT_S = 2.0


class Connections:
    """What all streams' questions go over: a few kept connections serve them in turn. For any thread.

    Who joins leaves at the end; when nobody is left the connections are closed.
    """

    def __init__(self, ca_file: Path | None = None) -> None:
        self._trust = Trust(ca_file)
        self.session = self.new_session()
        self._lock = threading.Lock()
        self._users = 0

    def new_session(self) -> requests.Session:
        """One that keeps connections of its own, which trusts the same certificates."""
        return new_session(self._trust)

    def join(self) -> None:
        with self._lock:
            self._users += 1

    def leave(self) -> None:
        with self._lock:
            self._users -= 1
            if not self._users:
                self.session.close()


class MatchApi:
    """One stream's way to its feed; one thread at a time uses it.

    An empty base switches that source off: `has_data`, `has_images`.
    """

    def __init__(
        self,
        api_base: str,
        image_base: str,
        data_path: str,
        cancelled: threading.Event,
        connections: Connections | None = None,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self.has_data = bool(api_base)
        self.has_images = bool(image_base)
        self._api_base = api_base
        self._image_base = image_base
        self._data_path = data_path
        self._cancelled = cancelled
        self._connections = connections or Connections()
        self._wall_clock = wall_clock
        self._has_joined = False
        self._validators: dict[str, dict[str, str]] = {}

    def start_monitoring(self, match_id: str, overlay_id: str) -> None:
        """Ask for the match to be monitored; only a 200 is a yes."""
        self._post("/start-match-monitoring", {"match_id": match_id, "overlay_id": overlay_id}, ANSWER_LIMIT_S)

    def stop_monitoring(self, match_id: str) -> None:
        self._post("/stop-match-monitoring", {"match_id": match_id}, STOP_LIMIT_S)

    def match_data(self, match_id: str, limit_s: float = ANSWER_LIMIT_S) -> Any | None:
        """The decoded JSON, or None when it has not changed since the last answer."""
        url = self._api_base + self._data_path.format(match_id=quote(match_id, safe=""))
        question = self._of_api(match_id, limit_s)
        body = self._get(question, url, MAX_DATA_BYTES)
        if body is None:
            return None
        try:
            answer = json.loads(body)
        except (ValueError, RecursionError) as error:
            self._validators.pop(url, None)  # or it would count as unchanged the next time
            raise (question.not_json(body) if isinstance(error, ValueError) else question.too_deep()) from None
        if answer is None:
            self._validators.pop(url, None)
            raise question.null()
        return answer

    def overlay_image(self, match_id: str, limit_s: float = ANSWER_LIMIT_S) -> bytes | None:
        """The undecoded image, or None when it has not changed since the last answer."""
        question = Question(IMAGE_SERVER, self._image_base, f"match {match_id}", limit_s)
        return self._get(question, f"{self._image_base}/{quote(match_id, safe='')}.png", MAX_IMAGE_BYTES)

    def logo(self, name: str) -> bytes | None:
        """A team's logo, undecoded; `name` is a plain file name."""
        url = f"{self._image_base}/{quote(name, safe='')}"
        try:
            return self._get(
                Question(IMAGE_SERVER, self._image_base, f"the logo {name}", LOGO_LIMIT_S), url, MAX_LOGO_BYTES
            )
        finally:
            self._validators.pop(url, None)  # who asks for it has none, and a feed may name any number

    def forget(self) -> None:
        """Have the next answers in full, also if nothing has changed. Any thread."""
        self._validators = {}

    def close(self) -> None:
        if self._has_joined:
            self._has_joined = False
            self._connections.leave()

    def _of_api(self, match_id: str, limit_s: float) -> Question:
        return Question(MATCH_API, self._api_base, f"match {match_id}", limit_s)

    def _post(self, path: str, body: dict[str, str], limit_s: float) -> None:
        question = self._of_api(body["match_id"], limit_s)
        # Not over a kept connection, which may be closed by now: this is asked once only.
        with (
            self._connections.new_session() as session,
            self._ask(question, session, "POST", self._api_base + path, json=body) as answer,
        ):
            if answer.status_code != 200:
                raise question.refused(answer, self._wall_clock())

    def _get(self, question: Question, url: str, max_bytes: int) -> bytes | None:
        if not self._has_joined:
            self._has_joined = True
            self._connections.join()
        session = self._connections.session
        with self._ask(question, session, "GET", url, headers=self._validators.get(url)) as answer:
            if answer.status_code == 304:
                read_body(answer, question, 0)  # else the connection is not used again
                return None
            if answer.status_code != 200:
                self._validators.pop(url, None)
                raise question.refused(answer, self._wall_clock())
            body = read_body(answer, question, max_bytes)
            self._validators[url] = {
                ask: answer.headers[given] for given, ask in VALIDATORS.items() if given in answer.headers
            }
            return body

    @contextlib.contextmanager
    def _ask(
        self, question: Question, session: requests.Session, method: str, url: str, **kwargs: Any
    ) -> Iterator[requests.Response]:
        limit(question.limit_s, self._cancelled)
        try:
            with session.request(
                method,
                url,
                stream=True,
                allow_redirects=False,
                timeout=(min(CONNECT_LIMIT_S, question.limit_s), question.limit_s),
                **kwargs,
            ) as answer:
                yield answer
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise question.failed(error) from None
