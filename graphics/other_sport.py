"""The figures of any sport but cricket: both sides with their scores, and clock and period between them.

Places text on a layout; draws nothing.
"""

from __future__ import annotations

from graphics.fonts import Weight
from graphics.layout import GAP, Layout, Part
from graphics.sides import called, short_of
from graphics.themes import Color, Theme
from scoring.scoreboard import Scoreboard, Team


class OtherSport:
    """The middle of the strip; with `is_lost` only the names are known."""

    def __init__(self, board: Scoreboard, theme: Theme, put: Layout, *, is_lost: bool) -> None:
        self.board = board
        self.theme = theme
        self.put = put
        self.is_lost = is_lost

    def place(self, left: float, right: float, middle: float) -> None:
        """Between `left` and `right`, all on one height."""
        center = (left + right) / 2
        half = 0.0 if self.is_lost else self._clock(center, middle)
        sides = (
            (self.board.home, left + GAP, center - half, "left"),
            (self.board.away, center + half, right - GAP, "right"),
        )
        for team, begin, end, align in sides:
            if team:
                with self.put.within(Part.LEFT if align == "left" else Part.RIGHT):
                    self._side(team, begin, end, middle, align)

    def _clock(self, center: float, middle: float) -> float:
        """Clock over period between the sides; gives half the width that they keep clear."""
        board, theme = self.board, self.theme
        found: list[tuple[str | None, Weight, int, Color]] = [
            (board.clock, "bold", 40, theme.ink),
            (board.period, "regular", 26, theme.muted),
        ]
        lines = [(text, weight, size, ink) for text, weight, size, ink in found if text]
        if not lines:
            return GAP / 2
        rows = [middle] if len(lines) == 1 else [middle - 17, middle + 23]
        with self.put.within(Part.CENTRE):
            for row, (text, weight, size, ink) in zip(rows, lines, strict=True):
                self.put.text(
                    center - 80, row, center + 80, text, weight, size, ink, theme.panel, align="center", height=36
                )
        return 80 + GAP

    def _side(self, team: Team, left: float, right: float, middle: float, align: str) -> None:
        theme = self.theme
        if team.score and not self.is_lost:
            if align == "left":
                right = self.put.number(
                    right - 130, middle, right, team.score, "bold", 62, theme.ink, theme.panel, height=66
                )
                right -= GAP
            else:
                begin = self.put.text(
                    left, middle, left + 130, team.score, "bold", 62, theme.ink, theme.panel, height=66, cut="never"
                )
                left = begin + GAP
        names = (called(team), short_of(team))
        self.put.text(left, middle, right, names, "bold", 32, theme.ink, theme.panel, align=align, height=66)
