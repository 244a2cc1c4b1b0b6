"""The slate: a still picture with the match's title, which is on air while the camera is away.

Draws its picture, and starts the FFmpeg that sends it. When it is started, goes on air and ends is the
picture's business. The supervisor's thread owns it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import ffmpeg
from config import Settings
from errors import ImageRejected
from graphics import slate
from graphics.layout import Canvas
from media.switch import Switch
from overlay import OverlayFile
from relay import installed
from relay.children import Surroundings
from relay.compositor import source_child


class Slate:
    """The slate's child and its picture."""

    def __init__(
        self,
        settings: Settings,
        folder: Path,
        overlay_file: OverlayFile,
        canvas: Canvas,
        title: Callable[[], str],
        switch: Switch,
        around: Surroundings,
    ) -> None:
        self.child = source_child("slate", switch, around, takes_over=False)
        self._settings = settings
        self._path = folder / "slate.png"
        self._overlay_file = overlay_file
        self._canvas = canvas
        self._title = title
        self._log = around.log

    def use(self, settings: Settings, now: float) -> None:
        """Go on with another profile."""
        self._settings = settings
        self.child.end()
        self.child.next_start_at = now

    def start(self, now: float, *, has_been_live: bool) -> None:
        """Draw the picture anew and send it. `has_been_live` decides between the two texts."""
        self._overlay_file.restore()  # without it no FFmpeg starts
        try:
            self.draw(has_been_live=has_been_live)
        except OSError as error:
            self._log.error("the slate cannot be drawn anew: %s; the last one is shown", error.strerror)
        settings = self._settings
        argv = ffmpeg.slate_args(
            self._path,
            self._overlay_file.path,
            self._canvas,
            settings.profile,
            settings.encoder,
            head_start_s=installed.slate_head_start_s(settings.ffmpeg_bin),
        )
        self.child.start(argv, now)

    def draw(self, *, has_been_live: bool) -> None:
        """Write the picture. Raises OSError."""
        settings = self._settings
        text = settings.slate_back_text if has_been_live else settings.slate_waiting_text
        title = settings.slate_title or self._title()
        try:
            picture = slate.draw_slate(settings.profile, title, text, settings.slate_image)
        except ImageRejected as error:  # the picture could be read when the service started
            self._log.error("%s; the plain slate is shown", error)
            picture = slate.draw_slate(settings.profile, title, text)
        unfinished = self._path.with_suffix(".new")
        picture.save(unfinished, "PNG")
        unfinished.replace(self._path)
