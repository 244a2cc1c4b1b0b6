"""A banner: what has just happened, over all of the strip's middle. Places text on a layout; draws nothing.

The kind stands in large letters. Beside it are who, with the figures, and how; or
the result, which takes more lines before it gets small.
"""

from __future__ import annotations

from graphics.fonts import Cut
from graphics.layout import BOTTOM, RIGHT, SMALLEST, TOP, Layout, Part
from graphics.shortening import how_out_forms, name_forms
from graphics.sides import called, short_of
from graphics.themes import BANNERS, Theme, apart_from, ink_on, team_color
from scoring.events import Event
from scoring.scoreboard import Scoreboard, Team

# In units, as in layout.py.
MIDDLE = (TOP + BOTTOM) / 2
ROWS = (MIDDLE - 23, MIDDLE + 26)
KIND_SIZES = (72, 52)  # the smaller size is for long texts
WHO_SIZE, DETAIL_SIZE, ALONE_SIZE = 38, 32, 40
RESULT_SIZES = (40, 34, 25)  # on one line, on two, on three


class Banner:
    """An event's banner between `left` and `right`, where the other side's block begins or the strip ends."""

    def __init__(self, event: Event, board: Scoreboard, theme: Theme, put: Layout, left: float, right: float) -> None:
        self.event = event
        self.put = put
        self.left, self.right = left + 28, right - 24
        self.color = BANNERS[event.kind]
        if event.kind == "WIN" and event.side:
            self.color = apart_from(theme.panel, team_color(event.side, _other_side(board, event.side)))
        self.ink = ink_on(self.color)
        rounded = "" if right < RIGHT else "right"
        # A side's block may have the same colour.
        put.block(left, TOP, right - 4 if right < RIGHT else RIGHT, BOTTOM, self.color, rounded=rounded)

    def place(self) -> None:
        """A banner without details: its kind in the middle."""
        event = self.event
        is_result = event.lasts_beyond_its_over and event.kind != "INNINGS"
        who, detail = _who_forms(event), _detail_forms(event)
        result = (event.detail or event.who) if is_result else ""
        with self.put.within(Part.BANNER):
            if is_result and result:
                self._result(result)
            elif any(who) or any(detail):
                self._who_and_how(who, detail)
            else:
                self._kind(KIND_SIZES[0], self.right, "center")

    def _result(self, text: str) -> None:
        """The result names the winner."""
        left = self._kind_and_rule(self.put.units_of(text, "bold", RESULT_SIZES[-1] + 1) / 2)
        self.put.lines(left, TOP + 14, self.right, BOTTOM - 14, text, RESULT_SIZES, self.ink, self.color)

    def _who_and_how(self, who: tuple[str, ...], detail: tuple[str, ...]) -> None:
        figures, put = self.event.figures, self.put
        cut: Cut = "letter" if any(who) or self.event.kind == "WICKET" else "never"
        if not any(who):
            who, detail = detail, ("",)
        beside = put.units_of(figures, "bold", WHO_SIZE) + 20 if figures else 0.0
        left = self._kind_and_rule(
            max(put.units_of(who[0], "bold", SMALLEST) + beside, put.units_of(detail[0], "regular", SMALLEST))
        )
        row, size = (ROWS[0], WHO_SIZE) if any(detail) else (MIDDLE, ALONE_SIZE)
        end = put.text(left, row, self.right - beside, who, "bold", size, self.ink, self.color, height=50, cut=cut)
        if figures:
            put.text(end + 20, row, self.right, figures, "bold", size, self.ink, self.color, height=50, cut="never")
        if any(detail):
            put.text(
                left, ROWS[1], self.right, detail, "regular", DETAIL_SIZE, self.ink, self.color,
                height=42, cut="letter" if self.event.kind == "WICKET" else "never", base="ltr",
            )  # fmt: skip

    def _kind_and_rule(self, needed: float) -> float:
        """Gives where the texts begin, which need so much room."""
        put = self.put
        for size in KIND_SIZES:
            end = self.left + put.units_of(self.event.heading, "bold", size) + 6
            rule = end + 22
            if rule + 24 + needed <= self.right:
                break
        self._kind(size, end, "left")
        put.block(rule, TOP + 26, rule + 3, BOTTOM - 26, self.ink)
        return rule + 24

    def _kind(self, size: float, right: float, align: str) -> None:
        with self.put.within(Part.BANNER_KIND):
            self.put.text(
                self.left, MIDDLE, right, self.event.heading, "bold", size, self.ink, self.color, align=align, height=90
            )


def _who_forms(event: Event) -> tuple[str, ...]:
    if event.side and event.who == event.side.name:
        return (called(event.side), short_of(event.side))
    return name_forms(event.who) or ("",)


def _detail_forms(event: Event) -> tuple[str, ...]:
    if event.kind == "WICKET":
        return how_out_forms(event.detail)
    figures = event.detail.split("  ")
    return tuple("  ".join(figures[:count]) for count in range(len(figures), 0, -1))


def _other_side(board: Scoreboard, side: Team) -> Team | None:
    return board.batting if side == board.bowling else None
