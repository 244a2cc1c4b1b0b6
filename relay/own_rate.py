"""OUTPUT_PROFILE=auto: a stream takes 25 frames a second if its camera sends 25 or 50, and 30 otherwise.

Decided once, when the camera first comes: every FFmpeg of the stream begins anew then. Later
cameras are fitted in, so that the destination keeps its connection.

Stepped by the supervisor's thread.
"""

from __future__ import annotations

from config import Settings
from logging_setup import StreamLogger
from media.profiles import AUTO, PROFILES
from relay.destinations import Destinations
from relay.picture import Picture

TOLERANCE = 0.02
SLOWER = "720p25"


class OwnRate:
    """Whether the rate is decided, and the step that decides it."""

    def __init__(self, settings: Settings, picture: Picture, destinations: Destinations, log: StreamLogger) -> None:
        self._settings = settings
        self._picture = picture
        self._destinations = destinations
        self._log = log
        self._is_decided = settings.output_profile != AUTO

    def step(self, now: float) -> None:
        """Look whether the camera's rate is known by now."""
        rate = None if self._is_decided else self._picture.camera_rate
        if rate is None:
            return
        self._is_decided = True
        wanted = PROFILES[SLOWER].frame_rate
        if not any(abs(rate / (wanted * times) - 1) <= TOLERANCE for times in (1, 2)):
            return
        self._log.info("the camera sends %.1f frames a second: the stream becomes %s", rate, SLOWER)
        settings = self._settings.model_copy(update={"output_profile": SLOWER})
        self._picture.use(settings, now)
        self._destinations.use(settings, now)
