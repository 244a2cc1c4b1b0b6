"""What a stream is asked to be, and what it uses of the outside. Frozen values; nothing runs here."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from media.camera_url import CameraUrl
from media.destination import Destination
from relay.process import Spawn
from scoring.feeds.named import NamedFeed
from scoring.newest import PUSH
from scoring.scoreboard import Scoreboard

Which = Literal["primary", "backup"]


@dataclass(frozen=True)
class LastPush:
    """A score that a caller pushed, and when, in epoch seconds; `source` is `push` or `scorer`."""

    board: Scoreboard
    at: float
    source: str = PUSH


@dataclass(frozen=True)
class StreamRequest:
    """What a caller asks for; already validated.

    Of a stream that was on air before: `begun_at` (epoch seconds) is its start
    and `last_push` the newest score that was pushed. One that `takes_over`
    does so from a process that still has it on air: it stays off its
    destinations until it is told to go on.
    """

    name: str
    destination: Destination
    overlay_id: str = "0"
    backup: Destination | None = None
    begun_at: float | None = None
    score_delay_s: float | None = None  # None: SCORE_DELAY_S
    last_push: LastPush | None = None
    takes_over: bool = False
    camera_key: str | None = field(default=None, repr=False)  # None: any camera may publish
    camera: CameraUrl | None = None  # None: it publishes to RTMP_SERVER
    feed: NamedFeed | None = None  # None: the match API
    match_id: str | None = None  # None: the stream's name

    @property
    def match(self) -> str:
        """What the feed, or the match API, calls the match."""
        return self.match_id or self.name

    @property
    def destinations(self) -> tuple[Destination | None, ...]:
        return (self.destination, self.backup)

    @property
    def secrets(self) -> tuple[str, ...]:
        secrets = self.destination.secrets + (self.backup.secrets if self.backup else ())
        camera = self.camera.secrets if self.camera else ()
        feed = self.feed.secrets if self.feed else ()
        return (*secrets, *camera, *feed, *((self.camera_key,) if self.camera_key else ()))


@dataclass(frozen=True)
class StreamSnapshot:
    """What `list_streams` says about a stream; `uptime_s` counts from its start call."""

    name: str
    youtube_url: str
    masked_url: str
    uptime_s: float


def _unheard(*_what: object) -> None:
    pass


@dataclass(frozen=True)
class Meters:
    """Callbacks for things that happen once; all else is in the statuses. Called at once, on any thread.

    `started` gets an outcome (`started`, `refused`, `stopped` or `failed`) and
    the seconds that the start took, `stopped` the same of a stop (`stopped` or
    `timed_out`), `ended` how a stream ended (`stopped` or `failed`), `rendered`
    the seconds that one drawing of an overlay took.
    """

    started: Callable[[str, float], None] = _unheard
    stopped: Callable[[str, float], None] = _unheard
    ended: Callable[[str], None] = _unheard
    rendered: Callable[[float], None] = _unheard


@dataclass(frozen=True)
class Machinery:
    """What a stream uses of the outside; tests put their own in."""

    clock: Callable[[], float] = time.monotonic
    wall_clock: Callable[[], float] = time.time
    spawn: Spawn = subprocess.Popen
    meters: Meters = Meters()
