"""The status of one stream, and its line in the list. Only reads. For any thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from media.switch import Switch
from relay.children import Child
from relay.destinations import Destinations
from relay.match_side import MatchSide
from relay.picture import Picture
from relay.request import StreamRequest, StreamSnapshot
from relay.stream_state import LastError, StateTrack, StreamStatus


class Reporting:
    """One stream's parts, as they are reported; `started_at` is by the clock, and may lie before this process."""

    def __init__(
        self,
        started_at: float,
        clock: Callable[[], float],
        state: StateTrack,
        switch: Switch,
        picture: Picture,
        destinations: Destinations,
        match: MatchSide,
    ) -> None:
        self._started_at = started_at
        self._clock = clock
        self._state = state
        self._switch = switch
        self._picture = picture
        self._destinations = destinations
        self._match = match

    @property
    def uptime_s(self) -> float:
        return self._clock() - self._started_at

    def snapshot(self, request: StreamRequest) -> StreamSnapshot:
        destination = request.destination
        return StreamSnapshot(request.name, destination.url, destination.masked_url, self.uptime_s)

    def status(self, name: str, desired: Literal["run", "stop"]) -> StreamStatus:
        """As of the supervisor's last step."""
        now = self._clock()
        rates, picture, destinations = self._switch.rates(), self._picture.status, self._destinations
        primary = destinations.primary
        return StreamStatus(
            name=name,
            desired=desired,
            state=self._state.word,
            states=tuple(sorted(self._state.states)),
            since=self._state.since,
            reason=self._state.reason,
            uptime_s=round(self.uptime_s, 3),
            on_air=picture.on_air,
            sound=picture.sound,
            attempts=self._picture.attempts | destinations.attempts,
            restarts=self._picture.restarts | destinations.restarts,
            fps=round(rates.fps, 2),
            speed=round(rates.speed, 3),
            bitrate_kbps=round(rates.kbps, 1),
            dropped_frames=primary.dropped_frames,
            last_frame_age_s=_age_s(picture.last_frame_at, now),
            overlay_age_s=_age_s(self._match.drawn_at, now),
            score_age_s=_age_s(self._match.score_at, now),
            polls=self._match.polls,
            score_delay_s=self._match.delay_s,
            feed=self._match.feed(now),
            last_error=_last_error((*destinations.children, *self._picture.children), now),
            destination=primary,
            backup=destinations.backup,
            sound_level_db=picture.level.peak_db if picture.level else None,
            sound_loudness_lufs=picture.level.loudness_lufs if picture.level else None,
        )


def _last_error(children: tuple[Child, ...], now: float) -> LastError | None:
    errors = [(child.last_error, child.role) for child in children]
    known = [(error[0], role, error[1]) for error, role in errors if error is not None]
    if not known:
        return None
    at, role, what = max(known)
    return LastError(role, what, round(now - at, 1))


def _age_s(at: float | None, now: float) -> float | None:
    return None if at is None else round(now - at, 2)
