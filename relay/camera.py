"""The camera's side of the picture: its compositor, the successor that may replace it, and the listener.

A compositor whose camera is there may have to go all the same: its sound came or went, or its overlay is no
longer read. Then a successor is started beside it, and takes its place with the first keyframe.

Stepped by the supervisor's thread, which owns it.
"""

from __future__ import annotations

import ffmpeg
from config import Settings
from graphics.layout import Canvas
from media.camera_picture import PLAIN
from media.camera_url import CameraUrl
from media.causes import Cause
from media.sound_level import SoundLevel
from media.switch import SourceState, Switch
from overlay import OverlayFile
from relay.children import Child, Surroundings
from relay.compositor import LONGEST_WAIT_S, Compositor, Listener
from relay.examining import Examining
from relay.reasons import HDR, SILENT_SOUND, UNUSABLE_SOUND, sound_apart
from relay.situations import KEYFRAME_LIMIT_S

# A compositor that gave frames for this long did not die of its input.
PROVEN_S = 3.0
SUCCESSOR_WAIT_S = 20.0
SOUND_LOST_S = 2.0
PULL_WAIT_S = 1.0  # between two attempts at a camera that is pulled: only they find out that it is back
# A waiting compositor gets the camera's first bytes this soon, if its server is alive.
COMES_S = 2.0
WAIT_LIMIT_S = 60.0


class Camera:
    """One compositor on the switch, and its successor while there is one."""

    def __init__(
        self,
        ingest: CameraUrl,
        settings: Settings,
        overlay_file: OverlayFile,
        canvas: Canvas,
        switch: Switch,
        around: Surroundings,
    ) -> None:
        wait_s = PULL_WAIT_S if ingest.is_pulled else LONGEST_WAIT_S
        self.compositor = Compositor(switch, around, longest_wait_s=wait_s)
        self.successor = Compositor(switch, around, counted_with=self.compositor.child, longest_wait_s=wait_s)
        self.listener = Listener(around)
        self.examining = Examining(ingest.url if ingest.scheme.startswith("rtmp") else None, around)
        self.is_patient = False
        self._takes_sound = True
        self._treatment = PLAIN
        self._next_successor_at = 0.0
        self._succeeds_because: Cause | None = None
        self._ingest = ingest
        self._settings = settings
        self._overlay_file = overlay_file
        self._canvas = canvas
        self._switch = switch
        self._log = around.log

    @property
    def children(self) -> tuple[Child, Child, Child, Child]:
        return (self.compositor.child, self.successor.child, self.listener.child, self.examining.child)

    @property
    def source(self) -> SourceState:
        """What the compositor has given."""
        return self.source_of(self.compositor.child)

    def source_of(self, child: Child) -> SourceState:
        return self._switch.source(child.stdout) if child.stdout is not None else SourceState()

    def is_proven(self, child: Child, now: float) -> bool:
        return self.source_of(child).frame_at is not None and now - child.started_at >= PROVEN_S

    def bury_dead(self, now: float) -> str | None:
        """Close the processes that have ended. Returns why the compositor did, if it is one of them."""
        compositor, cause = self.compositor.child, None
        if compositor.has_died():
            was_proven = self.is_proven(compositor, now)
            # A second attempt may only wait if the examiner expects a picture: the camera may have none at all.
            is_awaited = not self.is_patient or self.examining.awaits_picture
            impatient = ffmpeg.NO_PICTURE_YET if is_awaited else None
            cause = compositor.bury(now, at_once=was_proven, no_wait_after=impatient)
            if ffmpeg.says_codec_is_unknown(cause):  # the sound's, or without it the picture's
                self._takes_sound = not self.compositor.takes_sound
                compositor.next_start_at = compositor.next_start_at if self._takes_sound else now
            else:
                self._takes_sound = self._takes_sound or was_proven
            self.is_patient = cause == impatient
        for child in (self.successor.child, self.listener.child):
            if child.has_died():
                child.bury(now)
        return cause

    def start_if_due(self, now: float) -> None:
        """Start a compositor if there is none and its wait is over."""
        if self.compositor.child.is_due(now) and self.successor.child.process is None:
            self._start(self.compositor, now, takes_sound=self._takes_sound, patient=self.is_patient)

    def use(self, settings: Settings, now: float) -> None:
        """Go on with another profile."""
        self._settings = settings
        for compositor in (self.compositor, self.successor):
            compositor.child.end()
            compositor.child.next_start_at = now

    def renew_waiting(self, now: float, came_at: float | None) -> None:
        """End a compositor that waits and gets nothing: its server may have died without closing the connection."""
        compositor = self.compositor
        if compositor.child.process is None or compositor.data_at is not None or self.source.frame_at is not None:
            return
        began_at = compositor.child.started_at
        is_overdue = came_at is not None and began_at < came_at and now - came_at >= COMES_S
        if is_overdue or now - began_at >= WAIT_LIMIT_S:
            compositor.child.end()
            compositor.child.next_start_at = now

    def treat_picture(self, now: float) -> None:
        """Have the camera's picture treated as it needs: its colours, and whether it is interlaced."""
        compositor, picture = self.compositor, self.compositor.picture
        if compositor.child.process is None or picture is None or picture.treatment == compositor.treatment:
            return
        self._treatment = picture.treatment
        if self.source.frame_at is None:
            compositor.child.end()
            compositor.child.next_start_at = now
        else:
            self.begin_successor(
                "the camera's picture needs other filters", None, now, takes_sound=compositor.takes_sound
            )

    def replace(self, cause: Cause, now: float, *, takes_sound: bool) -> None:
        """End the compositor, and begin another without a wait."""
        self._takes_sound = takes_sound
        self.compositor.child.end(cause)
        self.compositor.child.next_start_at = now

    def take_over(self, now: float) -> None:
        """Make the successor the compositor once it is on air, or alone. Give it up if it gives no frame."""
        successor = self.successor.child
        if successor.process is None:
            return
        if self._switch.on_air == successor.stdout or self.compositor.child.process is None:
            self.compositor.child.end(self._succeeds_because)
            self.compositor, self.successor = self.successor, self.compositor
            self.compositor.child.next_start_at = self.successor.child.next_start_at = now
            self._takes_sound = self.compositor.takes_sound
            self.listener.child.end()
        elif now - successor.started_at >= KEYFRAME_LIMIT_S:
            self._log.warning("the successor gives no frame; the compositor stays")
            successor.end(Cause.NO_KEYFRAME)
            self._next_successor_at = now + SUCCESSOR_WAIT_S

    def watch_sound(self, now: float) -> None:
        """When the camera's sound comes or goes, start a successor with or without sound."""
        compositor, source = self.compositor, self.source
        if source.frame_at is None or now - source.frame_at >= SOUND_LOST_S:
            self.listener.child.end()
            return
        if compositor.takes_sound and compositor.sound_is_unknown:
            self.begin_successor("the camera's sound cannot be decoded", Cause.SOUND_LOST, now, takes_sound=False)
        began_at = compositor.child.started_at
        if source.sound_at is not None and now - max(source.sound_at, began_at) >= SOUND_LOST_S:
            self.begin_successor("the camera's sound is lost", Cause.SOUND_LOST, now, takes_sound=False)
        if compositor.sound != "silence":
            self.listener.child.end()
        elif self.listener.hears_sound:
            self.begin_successor("the camera's sound is back", Cause.SOUND_BACK, now, takes_sound=True)
        elif self.listener.child.is_due(now):
            self.listener.start(ffmpeg.listener_args(self._ingest.url, self._ingest.input_options), now)

    def level(self, now: float) -> SoundLevel | None:
        """Of the camera's sound."""
        return self.compositor.meter.level(now) if self.compositor.sound == "camera" else None

    def trouble(self, now: float) -> str | None:
        """What is wrong with the picture or sound of a camera that is on air."""
        picture = self.compositor.picture
        if picture and picture.hdr:
            return HDR.format(hdr=picture.hdr)
        if self.compositor.sound != "silence":
            silent_s = self.compositor.meter.silent_s(now) if self.compositor.sound == "camera" else 0.0
            if silent_s >= self._settings.silence_warn_s:
                return SILENT_SOUND.format(silent_s=silent_s)
            return sound_apart(self.examining.findings)
        if not self._hears_unknown:
            return None
        return UNUSABLE_SOUND.format(sound=self.examining.findings.sound or "of an unknown kind")

    @property
    def _hears_unknown(self) -> bool:
        return self.compositor.sound_is_unknown or self.listener.is_unknown

    def examine(self, now: float, *, publishes_since: float | None) -> None:
        """Look at what the camera sends, if its picture cannot be shown; or only its sound."""
        data_at, frame_at = self.compositor.data_at, self.source.frame_at
        self.examining.step(
            now,
            comes_since=data_at if publishes_since is None else publishes_since,
            is_shown=frame_at is not None and now - frame_at < SOUND_LOST_S,
            hears_unknown=self._hears_unknown,
        )

    def begin_successor(self, because: str, cause: Cause | None, now: float, *, takes_sound: bool) -> None:
        if self.successor.child.is_due(now) and now >= self._next_successor_at:
            self._log.info("%s: a successor takes over", because)
            self._succeeds_because = cause
            # Waiting for the next keyframe costs nothing. But a camera without sound would be waited for in vain.
            self._start(self.successor, now, takes_sound=takes_sound, patient=takes_sound)

    def _start(self, compositor: Compositor, now: float, *, takes_sound: bool, patient: bool) -> None:
        settings = self._settings
        self._overlay_file.restore()
        argv = ffmpeg.compositor_args(
            self._ingest.url,
            self._overlay_file.path,
            self._canvas,
            settings.profile,
            settings.encoder,
            sound=takes_sound,
            treatment=self._treatment,
            clocks=self.examining.clocks(now) if takes_sound else None,
            patient=patient,
            input_options=self._ingest.input_options,
        )
        compositor.start(argv, now, takes_sound=takes_sound, treatment=self._treatment)
