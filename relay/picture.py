"""What goes on air from this side of the destination: the camera's picture, or the slate while there is none.

The camera is away while the compositor gives no frames for STALL_TIMEOUT_S, or
for LEFT_SILENCE_S once the RTMP server has said that it left. The slate is
made ready a little before that, goes on air at that time, and goes off when a
compositor has its first keyframe.

How the compositor is kept and replaced is in `camera.py`.

Stepped by the supervisor's thread, which owns it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from config import Settings
from graphics.layout import Canvas
from media.camera_url import CameraUrl, camera_fault
from media.causes import Cause
from media.sound_level import SoundLevel
from media.switch import SourceState, Switch
from overlay import OverlayFile
from relay.camera import Camera
from relay.children import Child, Surroundings
from relay.publishers import Publishers
from relay.reasons import Known, reason_of
from relay.situations import LEFT_SILENCE_S, Seen, situation_of
from relay.slate_side import Slate
from relay.watches import LOOK_S, OverlayWatch, SpeedWatch

SLATE_LEAD_S = 0.8  # a slate needs 0.2 to 0.4 s to its first frame
FLOWS_S = 0.5


@dataclass(frozen=True)
class PictureStatus:
    """`on_air` is `camera`, `slate` or None; `sound` is `camera`, `silence` or None; `trouble` says what is wrong.

    `level` is of the sound that goes out, None while that is silence of the service's own.
    """

    on_air: str | None
    sound: str | None
    trouble: str | None
    last_frame_at: float | None
    level: SoundLevel | None = None


class Picture:
    """Keeps one source on the switch."""

    def __init__(
        self,
        stream_name: str,
        settings: Settings,
        folder: Path,
        overlay_file: OverlayFile,
        canvas: Canvas,
        title: Callable[[], str],
        switch: Switch,
        around: Surroundings,
        camera: CameraUrl | None = None,
    ) -> None:
        self._name = stream_name
        self._settings = settings
        self._overlay_file = overlay_file
        self._switch = switch
        self._around = around
        self._log = around.log
        ingest = camera or CameraUrl("rtmp", "", settings.ingest_url(stream_name))
        self._is_pulled = ingest.is_pulled
        self._pull_fault: str | None = None
        self._camera = Camera(ingest, settings, overlay_file, canvas, switch, around)
        self._slate = Slate(settings, folder, overlay_file, canvas, title, switch, around)
        self._left_at: float | None = None
        self._came_at: float | None = None
        self.publishers = Publishers(around.clock, self._flows, self._camera_came, self._camera_left)
        self._camera_was_on_air = False
        self._told: str | None = None
        self._away_because: str | None = None
        self._rejoins = 0
        self._seen_at: float | None = None
        self._overlay_watch = OverlayWatch()
        self._speed_watch = SpeedWatch(around.clock())
        self.status = PictureStatus(None, None, None, None)

    @property
    def children(self) -> tuple[Child, ...]:
        compositor, successor, listener, examiner = self._camera.children
        return (compositor, successor, self._slate.child, listener, examiner)

    @property
    def restarts(self) -> dict[str, Mapping[Cause, int]]:
        """By child. Any thread."""
        return {child.role: child.restarts for child in (self._camera.compositor.child, self._slate.child)}

    @property
    def attempts(self) -> dict[str, int]:
        return {
            "compositor": max(self._camera.compositor.child.attempts, self._camera.successor.child.attempts),
            "slate": self._slate.child.attempts,
            "listener": self._camera.listener.child.attempts,
            "examiner": self._camera.examining.child.attempts,
        }

    def _camera_left(self) -> None:
        """The RTMP server says that the camera left. That counts only if no frames come. Any thread."""
        self._left_at = self._around.clock()
        self._around.wake()

    def _camera_came(self) -> None:
        """The RTMP server says that the camera came, so no attempt has to wait any longer. Any thread."""
        self._left_at = None
        self._came_at = self._around.clock()
        self._camera.compositor.child.next_start_at = 0.0
        self._around.wake()

    @property
    def camera_rate(self) -> float | None:
        """Frames a second that the camera sends, once it is on air and that is known."""
        return self._camera.examining.findings.frame_rate if self._camera_was_on_air else None

    def use(self, settings: Settings, now: float) -> None:
        """Go on with another profile of the same size: all FFmpegs begin anew."""
        self._settings = settings
        self._camera.use(settings, now)
        self._slate.use(settings, now)

    def prepare_slate(self) -> None:
        """Draw the slate, so that there is one even if the folder can no longer be written. Raises OSError."""
        self._slate.draw(has_been_live=False)

    def step(self, now: float) -> None:
        """Look once at every child, and at which source should be on air."""
        self.publishers.settle(now)
        self._bury_dead(now)
        self._end_silent_compositor(now)
        self._camera.treat_picture(now)
        self._camera.renew_waiting(now, self._came_at)
        self._camera.take_over(now)
        self._camera.watch_sound(now)
        holder = self.publishers.holder
        self._camera.examine(now, publishes_since=holder.since if holder else None)
        self._watch_overlay(now)
        self._camera.start_if_due(now)
        self._step_slate(now)
        self._note_status(now)

    def _silence_s(self, now: float) -> float:
        """Seconds since the compositor's newest frame; infinite before its first."""
        frame_at = self._camera.source.frame_at
        return float("inf") if frame_at is None else now - frame_at

    def _flows(self) -> bool:
        return self._silence_s(self._around.clock()) < self._settings.stall_timeout_s

    def _limit_s(self) -> float:
        """How long no frames may come."""
        return LEFT_SILENCE_S if self._left_at is not None else self._settings.stall_timeout_s

    def _bury_dead(self, now: float) -> None:
        cause = self._camera.bury_dead(now)
        if cause is not None:
            self._away_because = f"the compositor ended ({cause})"
            self._pull_fault = camera_fault(cause) if self._is_pulled else None
        slate = self._slate.child
        if slate.has_died():
            slate.bury(now, at_once=self._camera.is_proven(slate, now))

    def _end_silent_compositor(self, now: float) -> None:
        """Replace one without frames: RTMP servers keep idle players, so it would never see the camera return."""
        source = self._camera.source
        if self._camera.compositor.child.process is None:
            return
        left_at = self._left_at
        seen = self._look(source, now, camera_left=left_at is not None)
        situation = situation_of(seen)
        if situation is not None:
            if situation.cause == Cause.BACKLOG:
                self._rejoins += 1
            self._away_because = situation.words(seen)
            self._log.warning("%s", self._away_because)
            self._camera.replace(situation.cause, now, takes_sound=situation.takes_sound)
        elif left_at is not None and source.frame_at is not None and source.frame_at > left_at + 1:
            self._left_at = None

    def _look(self, source: SourceState, now: float, *, camera_left: bool) -> Seen:
        compositor, on_air = self._camera.compositor, self._switch.on_air
        return Seen(
            takes_sound=compositor.takes_sound,
            open_s=None if compositor.opened_at is None else now - compositor.opened_at,
            frame_age_s=None if source.frame_at is None else now - source.frame_at,
            runs_ahead=source.runs_ahead,
            lead_s=source.lead_s,
            is_on_air=compositor.child.stdout == on_air,
            slate_is_on_air=self._slate.child.stdout is not None and self._slate.child.stdout == on_air,
            camera_left=camera_left,
            rejoins=self._rejoins,
            stall_timeout_s=self._settings.stall_timeout_s,
            waits_for_keyframe=self._camera.examining.waits_for_keyframe,
            has_few_pictures=self._camera.examining.has_few_pictures,
            sound_is_unknown=compositor.sound_is_unknown,
        )

    def _watch_overlay(self, now: float) -> None:
        on_air = next((child for child in self.children if child.stdout == self._switch.on_air), None)
        frame_at = self._camera.source_of(on_air).frame_at if on_air else None
        if on_air is None or on_air.process is None or frame_at is None or now - frame_at >= LOOK_S:
            self._overlay_watch.reset()
            return
        if self._overlay_watch.is_due(now) and self._overlay_file.restore():
            self._log.warning("the overlay was removed or changed by something else; it is put back")
        if not self._overlay_watch.is_dead(on_air.process.pid, now):
            return
        self._log.warning("the overlay on air is not the one on disk: FFmpeg no longer reads it")
        self._overlay_watch.reset()
        if on_air is self._slate.child:
            on_air.end(Cause.OVERLAY_UNREAD)
        else:
            takes_sound = self._camera.compositor.takes_sound
            self._camera.begin_successor(
                "the overlay is not followed", Cause.OVERLAY_UNREAD, now, takes_sound=takes_sound
            )

    def _step_slate(self, now: float) -> None:
        slate, limit_s, silence_s = self._slate.child, self._limit_s(), self._silence_s(now)
        if silence_s < limit_s - min(SLATE_LEAD_S, limit_s / 2) and self._left_at is None:
            if slate.stdout != self._switch.on_air:  # else the compositor takes over at its next keyframe
                slate.end()
            return
        if slate.is_due(now):
            self._slate.start(now, has_been_live=self._camera_was_on_air)
        if self._camera.source_of(slate).frame_at is None or silence_s < limit_s:
            return
        if slate.stdout is not None and self._switch.on_air != slate.stdout:
            self._switch.put_on_air(slate.stdout)

    def _note_status(self, now: float) -> None:
        self._seen_at = self._camera.source.frame_at or self._seen_at
        on_air, camera = self._switch.on_air, self._camera
        role = None
        if on_air is not None and on_air in (camera.compositor.child.stdout, camera.successor.child.stdout):
            role = "camera"
        elif on_air is not None and on_air == self._slate.child.stdout:
            role = "slate"
        if role is not None and role != self._told:
            self._told = role
            self._log.info("the camera's picture is on air" if role == "camera" else "the slate is on air")
        if role == "camera":
            self._camera_was_on_air = True
            self._pull_fault = None
            self._rejoins, camera.is_patient = 0, False
        trouble = self._trouble(role, now)
        shown = self._slate.child if role == "slate" else camera.compositor.child
        self.status = PictureStatus(
            role,
            camera.compositor.sound if role == "camera" else ("silence" if role else None),
            trouble,
            camera.source_of(shown).frame_at,
            camera.level(now) if role == "camera" else None,
        )

    def _trouble(self, role: str | None, now: float) -> str | None:
        if role == "camera" and self._silence_s(now) < FLOWS_S:
            return self._speed_watch.trouble(self._switch.rates().speed, now) or self._camera.trouble(now)
        self._speed_watch.reset(now)
        return None if role == "camera" else reason_of(self._known(now))

    def _known(self, now: float) -> Known:
        holder = self.publishers.holder
        turned_away, examining = self.publishers.turned_away_lately(now), self._camera.examining
        return Known(
            name=self._name,
            has_been_on_air=self._camera_was_on_air,
            away_because=self._away_because,
            address=holder.address if holder else "",
            publishes_s=now - holder.since if holder else None,
            silent_s=now - max(self._seen_at or 0.0, holder.since if holder else 0.0),
            another_was_refused=self.publishers.refused_lately(now),
            turned_away=turned_away.address if turned_away else None,
            findings=examining.findings,
            pull_fault=self._pull_fault,
            examined_s=examining.examined_s(now),
        )
