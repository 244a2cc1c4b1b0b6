"""What STATE_FILE keeps of the streams, and how they begin again after a crash or a reboot: side by side."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from config import Settings
from errors import RelayError
from logging_setup import StreamLogger
from media.camera_url import parse_camera_url
from media.destination import parse_destination
from relay.camera_key import Admission, judge
from relay.request import LastPush, StreamRequest
from relay.state_file import KeptStream, StateFile
from relay.stream import Stream
from scoring.feeds.named import FindFeed

# The score that a person has left for the stream of this name, if there is one.
LastScore = Callable[[str], LastPush | None]
CANNOT_BE_S = 365 * 86_400.0
_log = logging.getLogger(__name__)


class Restoring:
    """Owns the threads `restore-NAME`; `join` waits for them. Without a state file nothing is kept."""

    def __init__(
        self,
        state_file: StateFile | None,
        start: Callable[[StreamRequest], None],
        settings: Settings,
        wall_clock: Callable[[], float],
        find_feed: FindFeed,
        last_score: LastScore,
    ) -> None:
        self._find_feed = find_feed
        self._last_score = last_score
        self._state_file = state_file
        self._start = start
        self._settings = settings
        self._wall_clock = wall_clock
        self._threads: dict[str, threading.Thread] = {}
        self._camera_keys: dict[str, str | None] = {}

    def keep(self, stream: Stream) -> None:
        """This stream is to come back, unless somebody has stopped it meanwhile."""
        if self._state_file is None:
            return
        request = stream.request
        self._state_file.keep(
            KeptStream(
                stream_name=request.name,
                youtube_url=request.destination.url,
                backup_url=request.backup.url if request.backup else None,
                overlay_id=request.overlay_id,
                begun_at=stream.begun_at,
                score_delay_s=request.score_delay_s,
                camera_key=request.camera_key,
                camera_url=request.camera.url if request.camera else None,
                feed=request.feed.name if request.feed else None,
                match_id=request.match_id,
            )
        )
        if stream.is_unwanted:  # somebody stopped it before it was written to the file
            self.forget(request.name)

    def forget(self, name: str) -> None:
        """This stream is not to come back."""
        if self._state_file:
            self._state_file.forget(name)

    def begin(self) -> None:
        """Start all kept streams again. One that cannot be started is logged, and stays in the file."""
        for kept in self._state_file.streams if self._state_file else ():
            self._begin(kept)

    def _begin(self, kept: KeptStream) -> None:
        thread = threading.Thread(target=self._restore, args=(kept,), name=f"restore-{kept.stream_name}")
        self._camera_keys[kept.stream_name] = kept.camera_key
        self._threads[kept.stream_name] = thread
        thread.start()

    def admission(self, name: str, key: str) -> Admission:
        """Whether a camera with this key may publish; NO_STREAM unless a stream of this name is about to come back."""
        thread = self._threads.get(name)
        if thread is None or not thread.is_alive():
            return Admission.NO_STREAM
        return judge(self._camera_keys[name], key)

    def join(self, timeout_s: float) -> None:
        """Wait for each thread, at most this long."""
        for thread in self._threads.values():
            thread.join(timeout_s)

    def _begun_at(self, kept: KeptStream, log: StreamLogger) -> float:
        """When it began; now if that cannot be: at boot a clock may be wrong by a day, or by decades."""
        now = self._wall_clock()
        if 0 <= now - kept.begun_at < CANNOT_BE_S:
            return kept.begun_at
        ago_h = (now - kept.begun_at) / 3600
        log.warning("by the clock it began %.1f h ago, which cannot be: its time on air counts from now", ago_h)
        return now

    def _restore(self, kept: KeptStream) -> None:
        log = StreamLogger(_log, kept.stream_name)
        hosts = self._settings.allowed_ingest_hosts
        try:
            request = StreamRequest(
                kept.stream_name,
                parse_destination(kept.youtube_url, hosts),
                kept.overlay_id,
                parse_destination(kept.backup_url, hosts, "backup_url") if kept.backup_url else None,
                self._begun_at(kept, log),
                kept.score_delay_s,
                camera_key=kept.camera_key,
                camera=parse_camera_url(kept.camera_url, self._settings.allowed_camera_hosts)
                if kept.camera_url
                else None,
                feed=self._find_feed(kept.feed) if kept.feed else None,
                match_id=kept.match_id,
                last_push=self._last_score(kept.stream_name),
            )
            self._start(request)
        except RelayError as error:
            log.error("does not come back after the restart of the service: %s", error)
        except Exception:
            log.exception("does not come back after the restart of the service")
        else:
            log.info("is back after the restart of the service")
