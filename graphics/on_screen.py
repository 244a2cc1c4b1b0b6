"""What viewers see over the picture, in words: taken from the layout that is drawn, so the two cannot differ."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from PIL.Image import Image

from graphics.layout import Canvas, Part
from graphics.strip import compose_scene
from graphics.themes import THEMES
from scoring.rundown import Scene


@dataclass(frozen=True)
class OnScreenBanner:
    """`kind` is one of `events.KINDS`, `words` are all that is on it, the large ones first."""

    kind: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class OnScreen:
    """`strip` is "shown" or "hidden", `words` are on it in the order of reading, `banner` and `mark` over it.

    A text that is cut on the strip is whole here. A ready image has no words.
    """

    strip: str
    words: tuple[str, ...] = ()
    banner: OnScreenBanner | None = None
    mark: str | None = None

    def as_dict(self) -> dict[str, Any]:
        banner = {"kind": self.banner.kind, "words": list(self.banner.words)} if self.banner else None
        # Things that do not exist yet.
        others = {"strap": None, "card": None, "sponsor": None, "hold": False, "motion": False}
        return {"strip": self.strip, "words": list(self.words), "banner": banner, "mark": self.mark} | others


def describe(scene: Scene, canvas: Canvas, theme: str = "dark", logos: Collection[str] = ()) -> OnScreen:
    """The words of a scene as `draw_scene` draws it. `logos` are the names of the logos that have come."""
    content = scene.content
    layout = compose_scene(scene, canvas, THEMES[theme], frozenset(logos))
    told: dict[Part, list[str]] = {part: [] for part in Part}
    for text in sorted(layout.texts, key=lambda text: (text.part, text.row, text.box.left)):
        told[text.part].append(text.says)
    is_hidden = content is None or (isinstance(content, Image) and content.getbbox() is None)
    return OnScreen(
        strip="hidden" if is_hidden else "shown",
        words=tuple(word for part in Part if part < Part.BANNER_KIND for word in told[part]),
        banner=OnScreenBanner(scene.banner.kind, (*told[Part.BANNER_KIND], *told[Part.BANNER]))
        if scene.banner and told[Part.BANNER_KIND]
        else None,
        mark=next(iter(told[Part.AGE]), None),
    )
