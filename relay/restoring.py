"""The streams of STATE_FILE, begun again after a crash or a reboot: side by side, a thread each."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from errors import RelayError
from logging_setup import StreamLogger
from media.destination import parse_destination
from relay.request import StreamRequest
from relay.state_file import KeptStream

_log = logging.getLogger(__name__)


class Restoring:
    """Owns the threads `restore-NAME`; `join` waits for them."""

    def __init__(self, start: Callable[[StreamRequest], None], ingest_hosts: tuple[str, ...]) -> None:
        self._start = start
        self._ingest_hosts = ingest_hosts
        self._threads: dict[str, threading.Thread] = {}

    def begin(self, kept: KeptStream) -> None:
        """Start a stream again; one that cannot be is logged and stays kept."""
        thread = threading.Thread(target=self._restore, args=(kept,), name=f"restore-{kept.stream_name}")
        self._threads[kept.stream_name] = thread
        thread.start()

    def is_under_way(self, name: str) -> bool:
        thread = self._threads.get(name)
        return thread is not None and thread.is_alive()

    def join(self, timeout_s: float) -> None:
        """Wait so long for each at most."""
        for thread in self._threads.values():
            thread.join(timeout_s)

    def _restore(self, kept: KeptStream) -> None:
        log = StreamLogger(_log, kept.stream_name)
        hosts = self._ingest_hosts
        try:
            request = StreamRequest(
                kept.stream_name,
                parse_destination(kept.youtube_url, hosts),
                kept.overlay_id,
                parse_destination(kept.backup_url, hosts, "backup_url") if kept.backup_url else None,
                kept.begun_at,
                kept.score_delay_s,
            )
            self._start(request)
        except RelayError as error:
            log.error("does not come back after the restart of the service: %s", error)
        except Exception:
            log.exception("does not come back after the restart of the service")
        else:
            log.info("is back after the restart of the service")
