"""The one exception family of the service.

RelayError
├── ConfigurationError      the service cannot start with these settings
├── InvalidField            a field of a request is missing or cannot be used
├── SameDestination         both URLs are the same, or another stream goes there
├── StreamAlreadyActive     another stream has the name
├── StreamNotFound          no stream has the name
├── StreamStopped           the stream was stopped while it was starting
├── PreviewNotReady         there is no picture of the stream yet
├── NoScoreYet              nothing is known of the stream's match yet
├── FileOvertaken           a scoring program's file came after a newer one
├── StoreUnusable           DATA_DIR cannot be used
├── LinkNotFound            the stream has no link of the id
├── LogConflict             another device scores the match, or has added to its log
├── FeedNotFound            FEEDS_FILE has no feed of the name
├── NoCapacity              no more streams may run
├── MonitoringFailed        the match API did not start monitoring
├── ClusterUnavailable      the cluster's head does not answer
├── StreamUnreachable       the stream's node is gone, and the stream is being started on another one
├── StartTimedOut           a process of the cluster did not put a stream on air in time
├── WorkFolderUnusable      the folder for temporary files cannot be written
├── StopTimedOut            a part of a stream did not end in time
├── TooManyFailures         an address has given too many wrong tokens
├── FeedError               one call to the match API failed, in one of several ways
└── ImageRejected           a picture for the overlay or the slate cannot be used

Messages are written for the operator and never contain a stream key.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any


class RelayError(Exception):
    """Base of all errors that the service raises on purpose.

    After `retry_after_s` the same call may succeed. None: that is not known.
    """

    retry_after_s: int | None = None


class ConfigurationError(RelayError):
    """Settings cannot be used. The message lists every wrong one on its own line."""


class InvalidField(RelayError):
    """A field of a request is missing or not accepted."""


class SameDestination(RelayError):
    """Both destinations of a stream are the same, or another stream goes to one of them."""

    @classmethod
    def of(cls, other: str) -> SameDestination:
        return cls(f"Stream {other} goes to the same stream key: stop it, or take another key")


class StreamAlreadyActive(RelayError):
    """The name already belongs to a stream."""


class StreamNotFound(RelayError):
    """No stream has this name."""


class StreamStopped(RelayError):
    """The stream was stopped before its start had finished."""


class PreviewNotReady(RelayError):
    """There is no picture of what is on air yet. There may be one a second later."""

    retry_after_s = 1


class NoCapacity(RelayError):
    """As many streams as allowed are running."""


class MonitoringFailed(RelayError):
    """The match API refused to start monitoring, or could not be reached. `help` says what to do."""

    def __init__(self, message: str, help: str | None = None) -> None:
        super().__init__(message)
        self.help = help


class ClusterUnavailable(RelayError):
    """The cluster's head does not answer. The streams go on without it."""

    retry_after_s = 5


class StreamUnreachable(RelayError):
    """The stream's process does not answer. If it is gone, the cluster starts another one."""

    retry_after_s = 2


class StartTimedOut(RelayError):
    """The cluster gave the stream a process, and that process did not report in time."""


class NoScoreYet(RelayError):
    """Nothing is known of the stream's match."""


class FileOvertaken(RelayError):
    """A scoring program's file came after a newer one from the same PC."""


class StoreUnusable(RelayError):
    """What is kept in DATA_DIR cannot be read or written. The streams go on without it."""

    retry_after_s = 5


class LinkNotFound(RelayError):
    """The stream has no such link."""


class LogConflict(RelayError):
    """Another device scores the match, or has added events that the caller does not know, or an id is taken.

    `seq` is the number of the log's last event, `events` are those that the caller lacks, `writer` is who scores.
    """

    def __init__(
        self,
        seq: int,
        writer: dict[str, Any] | None,
        events: Sequence[dict[str, Any]],
        message: str = "Another device scores this match, or has added to its log",
    ) -> None:
        super().__init__(message)
        self.seq = seq
        self.writer = writer
        self.events = events


class FeedNotFound(RelayError):
    """FEEDS_FILE has no feed of this name."""


class WorkFolderUnusable(RelayError):
    """The folder for a stream's temporary files cannot be written."""


class StopTimedOut(RelayError):
    """A part of the stream did not end in the time that a stop may take."""


class TooManyFailures(RelayError):
    """Too many wrong credentials. Wrong ones get this answer for the next `retry_after_s`."""

    retry_after_s: int

    def __init__(self, wait_s: float) -> None:
        self.retry_after_s = math.ceil(wait_s)
        super().__init__(f"Too many wrong tokens from this address: try again in {self.retry_after_s} s")


class FeedError(RelayError):
    """One call to the match API failed.

    kind is one of: unreachable, timeout, certificate, status, redirect,
    too_large, malformed, cancelled, inadmissible, budget. `retry_after_s` is the pause that the server asked for.
    """

    def __init__(self, kind: str, message: str, retry_after_s: int | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.retry_after_s = retry_after_s


class ImageRejected(RelayError):
    """A fetched overlay image, or the user's slate picture, cannot be used."""

    kind = "image"
