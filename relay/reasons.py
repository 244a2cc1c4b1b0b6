"""Why the camera's picture is not on air: the reasons, in the order in which they are looked for.

To be read beside docs/guide.md, 'When something is wrong', which says what to do about each. A
reason says no more than is known. Pure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from media.camera_url import CAMERA_FAULTS
from media.flv import TWO_CLOCKS_S, Findings

USABLE_VIDEO = "H.264"
EXAMINED_S = 3.0  # what has not come in this time does not come
NO_KEYFRAME_S = 5.0
APART_S = 1.0
PUBLISHES_S = 5.0


@dataclass(frozen=True)
class Known:
    """What is known while the camera's picture is not on air. Durations in seconds, None if nobody can tell.

    `publishes_s` is since when a connection holds the name, as the hooks say, and `silent_s` since
    when nothing came from it. `findings` are what was read of what the camera sends, for `examined_s`.
    """

    name: str
    has_been_on_air: bool = False
    away_because: str | None = None
    address: str = ""
    publishes_s: float | None = None
    silent_s: float = 0.0
    another_was_refused: bool = False
    turned_away: str | None = None
    pull_fault: str | None = None
    findings: Findings = field(default_factory=Findings)
    examined_s: float = 0.0

    @property
    def came_anew(self) -> bool:
        """The camera that publishes now has not been on air yet."""
        return self.publishes_s is not None and self.silent_s >= self.publishes_s - 0.5


@dataclass(frozen=True)
class Reason:
    """`words` may name what is `known`."""

    holds: Callable[[Known], bool]
    words: str

    def text(self, known: Known) -> str:
        return self.words.format(known=known)


REASONS = (
    *(
        Reason(lambda known, fault=fault: known.pull_fault == fault, fault)  # type: ignore[misc]
        for _, fault in CAMERA_FAULTS
    ),
    Reason(
        lambda known: known.turned_away is not None,
        "a camera was turned away (from {known.turned_away}): its key is wrong or missing",
    ),
    Reason(
        lambda known: known.another_was_refused and known.publishes_s is not None,
        "another connection still holds the name {known.name} "
        "(from {known.address}, silent for {known.silent_s:.0f} s)",
    ),
    Reason(
        lambda known: known.findings.video not in (None, USABLE_VIDEO),
        "the camera sends {known.findings.video}: set it to H.264",
    ),
    Reason(
        lambda known: known.findings.waits_for_keyframe and known.examined_s >= NO_KEYFRAME_S,
        "the camera has sent no keyframe for {known.examined_s:.0f} s: set its keyframe interval to 2 s",
    ),
    Reason(
        lambda known: bool(known.findings.sound) and not known.findings.video and known.examined_s >= EXAMINED_S,
        "the camera sends sound, but no picture yet: set it to H.264, with a keyframe every 2 s",
    ),
    Reason(
        lambda known: known.came_anew and (known.publishes_s or 0.0) >= PUBLISHES_S,
        "the camera publishes, but no picture comes",
    ),
    Reason(lambda known: not known.has_been_on_air, "the camera has not come yet"),
)
SOUND_APART = "the camera's sound is {apart_s:.1f} s {side} its picture"
HDR = "the camera sends {hdr} (HDR), which looks pale: set it to SDR"
SILENT_SOUND = "the camera's sound has been silent for {silent_s:.0f} s: check the microphone"
UNUSABLE_SOUND = "the camera's sound ({sound}) cannot be used: set it to AAC"


def sound_apart(findings: Findings) -> str | None:
    """What is wrong if picture and sound, which go out as they are stamped, do not fit together."""
    ahead_s = findings.sound_ahead_s or 0.0
    if not APART_S < abs(ahead_s) < TWO_CLOCKS_S:
        return None
    return SOUND_APART.format(apart_s=abs(ahead_s), side="ahead of" if ahead_s > 0 else "behind")


def reason_of(known: Known) -> str | None:
    """The first that holds, or else why the camera is away."""
    reason = next((reason for reason in REASONS if reason.holds(known)), None)
    return reason.text(known) if reason else known.away_because
