"""What goes on air from this side of the destination: the camera's picture, or the slate while there is none.

The camera is away while the compositor gives no frames for STALL_TIMEOUT_S, or
for LEFT_SILENCE_S once the RTMP server has said that it left. The slate is
made ready a little before that, goes on air at that time, and goes off when a
compositor has its first keyframe.

A compositor that cannot stay although its camera is there (its sound came or
went, its overlay is no longer read) is replaced by a successor, which is
started beside it and goes on air with its first keyframe.

Stepped by the supervisor's thread, which owns it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import ffmpeg
from config import Settings
from errors import ImageRejected
from graphics import slate
from graphics.layout import Canvas
from media.causes import Cause
from media.switch import SourceState, Switch
from overlay import OverlayFile
from relay import installed
from relay.children import Child, Surroundings
from relay.compositor import LONGEST_WAIT_S, Compositor, Listener
from relay.situations import KEYFRAME_LIMIT_S, LEFT_SILENCE_S, Seen, situation_of
from relay.watches import LOOK_S, OverlayWatch, SpeedWatch

SLATE_LEAD_S = 0.8  # a slate needs 0.2 to 0.4 s to its first frame
# One that gave frames for this long died of something else than its input.
PROVEN_S = 3.0
SUCCESSOR_WAIT_S = 20.0
SOUND_LOST_S = 2.0
FLOWS_S = 0.5


@dataclass(frozen=True)
class PictureStatus:
    """`on_air` is `camera`, `slate` or None; `sound` is `camera`, `silence` or None; `trouble` says what is wrong."""

    on_air: str | None
    sound: str | None
    trouble: str | None
    last_frame_at: float | None


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
    ) -> None:
        self._settings = settings
        self._ingest_url = f"{settings.rtmp_server}/{stream_name}"
        self._slate_path = folder / "slate.png"
        self._overlay_file = overlay_file
        self._canvas = canvas
        self._title = title
        self._switch = switch
        self._around = around
        self._log = around.log
        self._compositor = Compositor(switch, around)
        self._successor = Compositor(switch, around, counted_with=self._compositor.child)
        self._listener = Listener(around)
        self._slate = Child(
            "slate",
            around,
            LONGEST_WAIT_S,
            attach=lambda process: switch.add_source(process.fd("stdout"), around.wake, takes_over=False),
            detach=lambda process: switch.remove_source(process.fd("stdout")),
        )
        self._takes_sound = True
        self._left_at: float | None = None
        self._camera_was_on_air = False
        self._told: str | None = None
        self._away_because: str | None = None
        self._next_successor_at = 0.0
        self._succeeds_because: Cause | None = None
        self._rejoins = 0
        self._is_patient = False
        self._overlay_watch = OverlayWatch()
        self._speed_watch = SpeedWatch(around.clock())
        self.status = PictureStatus(None, None, None, None)

    @property
    def children(self) -> tuple[Child, ...]:
        return (self._compositor.child, self._successor.child, self._slate, self._listener.child)

    @property
    def restarts(self) -> dict[str, Mapping[Cause, int]]:
        """By child. Any thread."""
        return {child.role: child.restarts for child in (self._compositor.child, self._slate)}

    @property
    def attempts(self) -> dict[str, int]:
        return {
            "compositor": max(self._compositor.child.attempts, self._successor.child.attempts),
            "slate": self._slate.attempts,
            "listener": self._listener.child.attempts,
        }

    def camera_left(self) -> None:
        """The RTMP server says so; believed when no frames come. Any thread."""
        self._left_at = self._around.clock()
        self._around.wake()

    def camera_came(self) -> None:
        """The RTMP server says so: no attempt waits any longer. Any thread."""
        self._left_at = None
        self._compositor.child.next_start_at = 0.0
        self._around.wake()

    def prepare_slate(self) -> None:
        """Draw the slate, so that there is one whatever becomes of the folder. Raises OSError."""
        self._draw_slate()

    def step(self, now: float) -> None:
        """Look once at every child, and at which source should be on air."""
        self._bury_dead(now)
        self._end_silent_compositor(now)
        self._take_over(now)
        self._watch_sound(now)
        self._watch_overlay(now)
        if self._compositor.child.is_due(now) and self._successor.child.process is None:
            self._start(self._compositor, now, takes_sound=self._takes_sound, patient=self._is_patient)
        self._step_slate(now)
        self._note_status(now)

    def _source(self, child: Child) -> SourceState:
        return self._switch.source(child.stdout) if child.stdout is not None else SourceState()

    def _silence_s(self, now: float) -> float:
        """Since the compositor's newest frame; endless while it has given none."""
        frame_at = self._source(self._compositor.child).frame_at
        return float("inf") if frame_at is None else now - frame_at

    def _limit_s(self) -> float:
        """How long no frames may come."""
        return LEFT_SILENCE_S if self._left_at is not None else self._settings.stall_timeout_s

    def _bury_dead(self, now: float) -> None:
        compositor = self._compositor.child
        if compositor.has_died():
            was_proven = self._is_proven(compositor, now)
            impatient = None if self._is_patient else ffmpeg.NO_PICTURE_YET
            cause = compositor.bury(now, at_once=was_proven, no_wait_after=impatient)
            self._away_because = f"the compositor ended ({cause})"
            self._takes_sound = self._takes_sound or was_proven
            self._is_patient = cause == impatient
        if self._slate.has_died():
            self._slate.bury(now, at_once=self._is_proven(self._slate, now))
        for child in (self._successor.child, self._listener.child):
            if child.has_died():
                child.bury(now)

    def _is_proven(self, child: Child, now: float) -> bool:
        return self._source(child).frame_at is not None and now - child.started_at >= PROVEN_S

    def _end_silent_compositor(self, now: float) -> None:
        """RTMP servers keep an idle player: only another compositor will see the camera return."""
        source = self._source(self._compositor.child)
        if self._compositor.child.process is None:
            return
        left_at = self._left_at
        seen = self._look(source, now, camera_left=left_at is not None)
        situation = situation_of(seen)
        if situation is not None:
            if situation.cause == Cause.BACKLOG:
                self._rejoins += 1
            self._replace(situation.words(seen), situation.cause, now, takes_sound=situation.takes_sound)
        elif left_at is not None and source.frame_at is not None and source.frame_at > left_at + 1:
            self._left_at = None

    def _look(self, source: SourceState, now: float, *, camera_left: bool) -> Seen:
        compositor, on_air = self._compositor, self._switch.on_air
        return Seen(
            takes_sound=compositor.takes_sound,
            open_s=None if compositor.opened_at is None else now - compositor.opened_at,
            frame_age_s=None if source.frame_at is None else now - source.frame_at,
            runs_ahead=source.runs_ahead,
            lead_s=source.lead_s,
            is_on_air=compositor.child.stdout == on_air,
            slate_is_on_air=self._slate.stdout is not None and self._slate.stdout == on_air,
            camera_left=camera_left,
            rejoins=self._rejoins,
            stall_timeout_s=self._settings.stall_timeout_s,
        )

    def _replace(self, because: str, cause: Cause, now: float, *, takes_sound: bool) -> None:
        """End the compositor, and begin another without a wait."""
        self._log.warning("%s", because)
        self._away_because = because
        self._takes_sound = takes_sound
        self._compositor.child.end(cause)
        self._compositor.child.next_start_at = now

    def _take_over(self, now: float) -> None:
        """Let the successor be the compositor once it is on air, or alone; give it up when it gives no frame."""
        successor = self._successor.child
        if successor.process is None:
            return
        if self._switch.on_air == successor.stdout or self._compositor.child.process is None:
            self._compositor.child.end(self._succeeds_because)
            self._compositor, self._successor = self._successor, self._compositor
            self._compositor.child.next_start_at = self._successor.child.next_start_at = now
            self._takes_sound = self._compositor.takes_sound
            self._listener.child.end()
        elif now - successor.started_at >= KEYFRAME_LIMIT_S:
            self._log.warning("the successor gives no frame; the compositor stays")
            successor.end(Cause.NO_KEYFRAME)
            self._next_successor_at = now + SUCCESSOR_WAIT_S

    def _begin_successor(self, because: str, cause: Cause, now: float, *, takes_sound: bool) -> None:
        if self._successor.child.is_due(now) and now >= self._next_successor_at:
            self._log.info("%s: a successor takes over", because)
            self._succeeds_because = cause
            # Nothing is lost by awaiting the camera's next keyframe; a camera without sound would be waited out.
            self._start(self._successor, now, takes_sound=takes_sound, patient=takes_sound)

    def _watch_sound(self, now: float) -> None:
        compositor, source = self._compositor, self._source(self._compositor.child)
        if source.frame_at is None or now - source.frame_at >= SOUND_LOST_S:
            self._listener.child.end()
            return
        began_at = compositor.child.started_at
        if source.sound_at is not None and now - max(source.sound_at, began_at) >= SOUND_LOST_S:
            self._begin_successor("the camera's sound is lost", Cause.SOUND_LOST, now, takes_sound=False)
        if compositor.sound != "silence":
            self._listener.child.end()
        elif self._listener.hears_sound:
            self._begin_successor("the camera's sound is back", Cause.SOUND_BACK, now, takes_sound=True)
        elif self._listener.child.is_due(now):
            self._listener.start(ffmpeg.listener_args(self._ingest_url), now)

    def _watch_overlay(self, now: float) -> None:
        on_air = next((child for child in self.children if child.stdout == self._switch.on_air), None)
        frame_at = self._source(on_air).frame_at if on_air else None
        if on_air is None or on_air.process is None or frame_at is None or now - frame_at >= LOOK_S:
            self._overlay_watch.reset()
            return
        if self._overlay_watch.is_due(now) and self._overlay_file.restore():
            self._log.warning("the overlay was removed or changed by something else; it is put back")
        if not self._overlay_watch.is_dead(on_air.process.pid, now):
            return
        self._log.warning("the overlay on air is not the one on disk: FFmpeg reads it no more")
        self._overlay_watch.reset()
        if on_air is self._slate:
            self._slate.end(Cause.OVERLAY_UNREAD)
        else:
            takes_sound = self._compositor.takes_sound
            self._begin_successor("the overlay is not followed", Cause.OVERLAY_UNREAD, now, takes_sound=takes_sound)

    def _start(self, compositor: Compositor, now: float, *, takes_sound: bool, patient: bool) -> None:
        settings = self._settings
        self._overlay_file.restore()
        argv = ffmpeg.compositor_args(
            self._ingest_url,
            self._overlay_file.path,
            self._canvas,
            settings.profile,
            settings.encoder,
            sound=takes_sound,
            patient=patient,
        )
        compositor.start(argv, now, takes_sound=takes_sound)

    def _step_slate(self, now: float) -> None:
        limit_s, silence_s = self._limit_s(), self._silence_s(now)
        if silence_s < limit_s - min(SLATE_LEAD_S, limit_s / 2) and self._left_at is None:
            if self._slate.stdout != self._switch.on_air:  # else the compositor takes over at its next keyframe
                self._slate.end()
            return
        if self._slate.is_due(now):
            self._start_slate(now)
        if self._source(self._slate).frame_at is None or silence_s < limit_s:
            return
        if self._slate.stdout is not None and self._switch.on_air != self._slate.stdout:
            self._switch.put_on_air(self._slate.stdout)

    def _start_slate(self, now: float) -> None:
        self._overlay_file.restore()  # without it no FFmpeg starts
        try:
            self._draw_slate()
        except OSError as error:
            self._log.error("the slate cannot be drawn anew: %s; the last one is shown", error.strerror)
        settings = self._settings
        argv = ffmpeg.slate_args(
            self._slate_path,
            self._overlay_file.path,
            self._canvas,
            settings.profile,
            settings.encoder,
            head_start_s=installed.slate_head_start_s(settings.ffmpeg_bin),
        )
        self._slate.start(argv, now)

    def _draw_slate(self) -> None:
        settings = self._settings
        text = settings.slate_back_text if self._camera_was_on_air else settings.slate_waiting_text
        title = settings.slate_title or self._title()
        try:
            picture = slate.draw_slate(settings.profile, title, text, settings.slate_image)
        except ImageRejected as error:  # it was there when the service started
            self._log.error("%s; the plain slate is shown", error)
            picture = slate.draw_slate(settings.profile, title, text)
        unfinished = self._slate_path.with_suffix(".new")
        picture.save(unfinished, "PNG")
        unfinished.replace(self._slate_path)

    def _note_status(self, now: float) -> None:
        on_air = self._switch.on_air
        role = None
        if on_air is not None and on_air in (self._compositor.child.stdout, self._successor.child.stdout):
            role = "camera"
        elif on_air is not None and on_air == self._slate.stdout:
            role = "slate"
        if role is not None and role != self._told:
            self._told = role
            self._log.info("the camera's picture is on air" if role == "camera" else "the slate is on air")
        if role == "camera":
            self._camera_was_on_air = True
            self._rejoins, self._is_patient = 0, False
        trouble = self._trouble(role, now)
        shown = self._slate if role == "slate" else self._compositor.child
        self.status = PictureStatus(
            role,
            self._compositor.sound if role == "camera" else ("silence" if role else None),
            trouble,
            self._source(shown).frame_at,
        )

    def _trouble(self, role: str | None, now: float) -> str | None:
        if role == "camera" and self._silence_s(now) < FLOWS_S:
            return self._speed_watch.trouble(self._switch.rates().speed, now)
        self._speed_watch.reset(now)
        if role == "camera":
            return None
        if not self._camera_was_on_air:
            return "the camera has not come yet"
        return self._away_because
