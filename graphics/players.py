"""Who is in the middle: the batters with their figures, the bowler, and the balls of this over.

For the strip's two upper rows while the match is on. It keeps to the width that it is given,
and refuses to make up a figure: what the feed does not say of a player is left out.
It says nothing of the innings, which is the second line's to say. Draws nothing.
"""

from __future__ import annotations

from graphics.fonts import Base, Weight
from graphics.layout import DOT, GAP, LINE_TOP, MIDDLE, ROWS, SMALLEST, TOP, Layout, Part
from graphics.shortening import name_forms
from graphics.sides import plain_overs, title_forms
from graphics.themes import BALLS, Color, Theme, ink_on
from scoring.labels import Delivery, delivery
from scoring.scoreboard import Batter, Bowler, Scoreboard

# In units, as in layout.py.
BATTER_SIZE, BATTER_BALLS_SIZE = 30, 25
BALL_RADIUS = 17
BALL_GAP = 5
BOUNDARY_RADIUS = 5  # radius of its corners
DOT_SIZE = 52


class Players:
    """The batters and the bowler of a scoreboard, between `left` and `right`."""

    def __init__(self, board: Scoreboard, theme: Theme, put: Layout, left: float, right: float) -> None:
        self.board = board
        self.theme = theme
        self.put = put
        self.left, self.right = left, right

    def place(self) -> None:
        """Batters and bowler share the middle; one of them alone has all of it."""
        board = self.board
        left, right = self.left, self.right
        has_bowling = board.bowler is not None or bool(board.this_over)
        if board.batters and has_bowling:
            split = left + (right - left) * 0.51
            self._batters(left, split - GAP)
            self.put.block(split - 1, TOP + 10, split + 1, LINE_TOP - 10, _rule(self.theme))
            with self.put.within(Part.RIGHT):
                self._bowling(split + GAP, right)
        elif board.batters:
            self._batters(left, right)
        elif has_bowling:
            self._bowling(left, right)
        else:
            base: Base = "first" if board.title else "ltr"
            self.put.text(
                left, MIDDLE, right, title_forms(board), "bold", 36, self.theme.ink, self.theme.panel,
                height=80, base=base,
            )  # fmt: skip

    def _batters(self, left: float, right: float) -> None:
        """Figures in columns: those of the two batters stand under each other."""
        batters = self.board.batters
        balls = [f"({batter.balls})" for batter in batters if batter.balls is not None and batter.runs is not None]
        runs = [str(batter.runs) for batter in batters if batter.runs is not None]
        balls_width = max([self.put.units_of(text, "regular", BATTER_BALLS_SIZE) + 3 for text in balls], default=0)
        runs_width = max([self.put.units_of(text, "bold", BATTER_SIZE) + 3 for text in runs], default=0)
        rows = ROWS if len(batters) > 1 else (MIDDLE,)
        for row, batter in zip(rows, batters, strict=False):
            self._batter(left, right, row, batter, runs_width, balls_width)

    def _batter(
        self, left: float, right: float, row: float, batter: Batter, runs_width: float, balls_width: float
    ) -> None:
        theme = self.theme
        if batter.on_strike:
            self.put.mark(left, row - 8, left + 12, row + 8, theme.accent)
        weight: Weight = "bold" if batter.on_strike else "regular"
        ink = theme.ink if batter.on_strike else theme.soft
        end = right
        if batter.runs is not None:
            if balls_width:
                text = "" if batter.balls is None else f"({batter.balls})"
                self.put.number(
                    end - balls_width, row, end, text, "regular", BATTER_BALLS_SIZE, theme.muted, theme.panel
                )
                end -= balls_width + 14
            self.put.number(end - runs_width, row, end, str(batter.runs), "bold", BATTER_SIZE, theme.ink, theme.panel)
            end -= runs_width + 16
        self.put.text(left + 22, row, end, name_forms(batter.name), weight, BATTER_SIZE, ink, theme.panel, cut="letter")

    def _bowling(self, left: float, right: float) -> None:
        bowler, theme = self.board.bowler, self.theme
        if bowler is None:
            self.put.text(left, ROWS[0], right, "This over", "regular", 26, theme.muted, theme.panel)
            self._balls(left, right, ROWS[1])
            return
        figures = _figures(bowler)
        if self.board.this_over:
            end = right
            if figures:
                taken = self.put.number(
                    left + (right - left) * 0.42, ROWS[0], right, figures, "bold", 28, theme.ink, theme.panel
                )
                end = taken - 10
            self._bowler(left, ROWS[0], end, bowler)
            self._balls(left, right, ROWS[1])
        elif figures:
            self._bowler(left, ROWS[0], right, bowler)
            self.put.text(left, ROWS[1], right, figures, "bold", 28, theme.ink, theme.panel, cut="never")
        else:
            self._bowler(left, MIDDLE, right, bowler)

    def _bowler(self, left: float, row: float, right: float, bowler: Bowler) -> None:
        theme = self.theme
        self.put.text(left, row, right, name_forms(bowler.name), "regular", 30, theme.soft, theme.panel, cut="letter")

    def _balls(self, left: float, right: float, row: float) -> None:
        """The newest balls that fit, oldest first."""
        placed: list[tuple[Delivery, float]] = []
        room = right - left
        for label in reversed(self.board.this_over):
            ball = delivery(label)
            width = self._width(ball)
            if width > room:
                break
            placed.append((ball, width))
            room -= width + BALL_GAP
        for ball, width in reversed(placed):
            self._ball(left, row, left + width, ball)
            left += width + BALL_GAP

    def _width(self, ball: Delivery) -> float:
        """A ball grows with its label, which is never cut."""
        if ball.kind == "dot":
            return 2 * BALL_RADIUS
        width = max(2 * BALL_RADIUS, self.put.units_of(ball.text, "bold", SMALLEST) + 12)
        return width + 10 if ball.kind == "wicket" else width

    def _ball(self, left: float, row: float, right: float, ball: Delivery) -> None:
        """Told by its shape as well: a dot is a dot, runs have a disc, boundaries a square, a wicket a diamond."""
        color, theme = BALLS[ball.kind], self.theme
        if ball.kind == "dot":
            self.put.text(left, row, right, DOT, "bold", DOT_SIZE, theme.soft, theme.panel, align="center")
            return
        if ball.kind == "wicket":
            self.put.diamond(left, row, right, BALL_RADIUS + 2, color)
        elif ball.kind in ("four", "six"):
            self.put.block(left, row - BALL_RADIUS, right, row + BALL_RADIUS, color, radius=BOUNDARY_RADIUS)
        else:
            self.put.pill(left, row, right, BALL_RADIUS, color)
        self.put.text(
            left, row, right, ball.text, "bold", SMALLEST, ink_on(color), color, align="center", height=30, cut="never"
        )


def _figures(bowler: Bowler) -> str:
    """Wickets-runs and overs, as far as they are known: "2-12 (3.2)", "1-17 (4)"; in a match of balls those."""
    figures = "" if bowler.wickets is None or bowler.runs is None else f"{bowler.wickets}-{bowler.runs}"
    length = plain_overs(bowler.overs) if bowler.overs else bowler.balls
    return f"{figures} ({length})" if figures and length is not None else figures


def _rule(theme: Theme) -> Color:
    """A hairline between two columns."""
    red, green, blue = ((a + b) // 2 for a, b in zip(theme.panel, theme.muted, strict=True))
    return red, green, blue
