"""A look at what the camera sends: for as long as no picture of it can be shown, or for 3 s once one is.

Stepped by the supervisor's thread, which owns it. What is read is noted by the thread that reads it.
"""

from __future__ import annotations

import ffmpeg
from media.flv import TWO_CLOCKS_S, Findings, FlvReader
from relay.children import Child, Surroundings

WAIT_S = 0.7  # most cameras' pictures have come by then
LOOK_S = 30.0
NEXT_LOOK_S = 10.0
SOUND_LOOK_S = 3.0
RATE_LOOK_S = 8.0
CLOCK_MARGIN_S = 1.0  # what FFmpeg gets later than expected is not lost
FEW_PICTURES = 15
GONE_S = 10.0  # a compositor that could not show it is started again within this time


class Examining:
    """One FFmpeg that copies the camera's FLV, and what is found in it. Without an address nothing is looked at."""

    def __init__(self, ingest_url: str | None, around: Surroundings) -> None:
        self._ingest_url = ingest_url
        self._log = around.log
        self._clock = around.clock
        self._reader = FlvReader()
        self._read_at = 0.0
        self._comes_since: float | None = None
        self._has_looked = False
        self._there_since: float | None = None
        self._there_at = 0.0
        loop = around.loop
        self.child = Child(
            "examiner",
            around,
            LOOK_S,
            attach=lambda process: loop.call(loop.read_from, process.fd("stdout"), self._take),
            detach=lambda process: loop.call(loop.stop_reading, process.fd("stdout")),
            may_fail=True,
        )

    @property
    def findings(self) -> Findings:
        """Of the newest look at the camera that is there. Any thread."""
        return self._reader.findings

    @property
    def waits_for_keyframe(self) -> bool:
        """As far as is known at this moment."""
        return self.child.process is not None and self.findings.waits_for_keyframe

    @property
    def has_few_pictures(self) -> bool:
        """A camera of one frame a second needs seconds until its first frame is encoded."""
        return self.child.process is not None and self.findings.pictures < FEW_PICTURES

    @property
    def awaits_picture(self) -> bool:
        """The camera's sound comes, and its picture may come with the next keyframe."""
        return self.findings.sound is not None and self.findings.video is None

    def clocks(self, now: float) -> ffmpeg.Clocks | None:
        """Where the camera's clocks stood a moment ago, if picture and sound are stamped by two of them."""
        findings = self.findings
        if findings.sound_ahead_s is None or abs(findings.sound_ahead_s) < TWO_CLOCKS_S:
            return None
        picture_s = max(0.0, findings.picture_at_s + (now - self._read_at) - CLOCK_MARGIN_S)
        return ffmpeg.Clocks(round(picture_s, 3), round(picture_s + findings.sound_ahead_s, 3))

    def examined_s(self, now: float) -> float:
        """How long the newest look has lasted; 0 if none is under way."""
        return now - self.child.started_at if self.child.process else 0.0

    def step(self, now: float, *, comes_since: float | None, is_shown: bool, hears_unknown: bool) -> None:
        """Begin or end a look.

        `comes_since` is when the camera came or the first data of it, None if nothing comes. `hears_unknown`:
        its picture is shown, but its sound cannot be decoded, and somebody should say what it is.
        """
        if self._ingest_url is None:
            return
        self._note(now, comes_since)
        child = self.child
        if child.has_died():
            child.bury(now)
        if is_shown:
            needs_look = not self._has_looked or (hears_unknown and self.findings.sound in (None, "AAC"))
        else:
            needs_look = self._there_since is not None and now - self._there_since >= WAIT_S
        if not needs_look or self._lasted_enough(now, SOUND_LOOK_S if is_shown else LOOK_S):
            if child.process is not None:
                child.end()
                self._has_looked = True
                child.next_start_at = now + NEXT_LOOK_S
        elif child.is_due(now):
            self._reader = FlvReader()
            child.start(ffmpeg.examiner_args(self._ingest_url), now)

    def _note(self, now: float, comes_since: float | None) -> None:
        if comes_since is not None:
            self._has_looked = self._has_looked and comes_since == self._comes_since
            self._comes_since = comes_since
            self._there_since = comes_since if self._there_since is None else self._there_since
            self._there_at = now
        elif now - self._there_at >= GONE_S and self._there_since is not None:
            self._there_since = None
            self._has_looked = False
            self._reader = FlvReader()
            self.child.next_start_at = 0.0

    def _lasted_enough(self, now: float, limit_s: float) -> bool:
        if self.findings.frame_rate is None:  # the RTMP server may give its pictures from the next keyframe on
            limit_s = max(limit_s, RATE_LOOK_S)
        return self.examined_s(now) >= limit_s and not self.waits_for_keyframe

    def _take(self, data: bytes) -> None:
        reader = self._reader
        try:
            reader.take(data)
            self._read_at = self._clock()
        except ValueError as error:
            self._log.warning("what the RTMP server sends cannot be read: %s", error)
            reader.give_up()
