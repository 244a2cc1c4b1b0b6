"""The one exception family of the service.

RelayError
├── ConfigurationError      settings that the service cannot start with
├── InvalidField            a request whose field is missing or unusable
├── SameDestination         a backup that is the primary once more
├── StreamAlreadyActive     a second start of a name that is taken
├── StreamNotFound          a stop of a name that is not there
├── StreamStopped           a start that a stop overtook
├── PreviewNotReady         no picture of the stream is there yet
├── NoCapacity              one stream more than this machine may carry
├── MonitoringFailed        the match API would not start monitoring
├── ClusterUnavailable      a cluster whose head does not answer
├── StreamUnreachable       a stream whose node is gone, and which is being begun elsewhere
├── StartTimedOut           a process of a cluster that did not get a stream on air
├── WorkFolderUnusable      a temporary folder that takes no files
├── StopTimedOut            something of a stream outlived its stop
├── TooManyFailures         credentials from an address that gave wrong ones too often
├── FeedError               one failed question to the match API, with its kind
└── ImageRejected           a picture, for the overlay or the slate, that cannot be used

Messages are written for the operator and never hold a stream key.
"""

from __future__ import annotations

import math


class RelayError(Exception):
    """Base of all errors that the service raises on purpose.

    `retry_after_s` is when the same call may have success; None: nobody knows.
    """

    retry_after_s: int | None = None


class ConfigurationError(RelayError):
    """Settings are unusable; the message lists every fault, one a line."""


class InvalidField(RelayError):
    """A request field is missing or not what is accepted."""


class SameDestination(RelayError):
    """Two destinations of one stream are the same URL."""


class StreamAlreadyActive(RelayError):
    """The name already belongs to a stream."""


class StreamNotFound(RelayError):
    """No stream has this name."""


class StreamStopped(RelayError):
    """The stream was stopped before its start had finished."""


class PreviewNotReady(RelayError):
    """There is no picture of what is on air yet; there may be one a second later."""

    retry_after_s = 1


class NoCapacity(RelayError):
    """The limit of concurrent streams is reached."""


class MonitoringFailed(RelayError):
    """The match API refused, or could not be reached, to start monitoring."""


class ClusterUnavailable(RelayError):
    """The cluster's head does not answer; the streams go on without it."""

    retry_after_s = 5


class StreamUnreachable(RelayError):
    """The process that has the stream does not answer; the cluster begins another one if it is gone."""

    retry_after_s = 2


class StartTimedOut(RelayError):
    """The cluster gave the stream a process, and no word came back in the time that a start may take."""


class WorkFolderUnusable(RelayError):
    """The folder for a stream's temporary files cannot be written."""


class StopTimedOut(RelayError):
    """A part of the stream did not end in the time a stop may take."""


class TooManyFailures(RelayError):
    """Too many wrong credentials; none are looked at for the next `retry_after_s`."""

    retry_after_s: int

    def __init__(self, wait_s: float) -> None:
        self.retry_after_s = math.ceil(wait_s)
        super().__init__(f"Too many wrong tokens from this address: try again in {self.retry_after_s} s")


class FeedError(RelayError):
    """One question to the match API failed.

    kind is one of: unreachable, timeout, status, redirect, too_large,
    malformed, cancelled.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class ImageRejected(RelayError):
    """A fetched overlay image, or the user's slate picture, cannot be used."""

    kind = "image"
