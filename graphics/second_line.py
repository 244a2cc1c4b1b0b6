"""The line under the players: the chase, the partnership or the toss, the run rates, and the score's age.

The age of a silent feed's score takes the place of the rates beside a chase. Places
text on a layout, on its own ground; draws nothing, and knows no phase but the super
over.
"""

from __future__ import annotations

from graphics import themes
from graphics.layout import BOTTOM, GAP, LINE_MIDDLE, LINE_TOP, RIGHT, SMALLEST, TOP, Canvas, Layout, Part
from graphics.shortening import name_forms
from graphics.sides import called, match_forms, short_of
from graphics.themes import Theme, ink_on
from scoring import cricket
from scoring.rundown import Scene
from scoring.scoreboard import Scoreboard

WORD_GAP = 8


def compose_age(silent_s: int, canvas: Canvas) -> Layout:
    """The mark of age alone, for a ready image: at the right end of its top."""
    put = Layout(canvas)
    put_age(put, RIGHT - GAP, TOP + 15, silent_s)
    return put


def put_age(put: Layout, right: float, middle: float, silent_s: int) -> float:
    """Place the mark. Returns its left edge."""
    age = f"{silent_s // 60} min" if silent_s >= 60 else f"{silent_s} s"
    text = f"Score {age} old"
    left = right - put.units_of(text, "bold", 23) - 20
    put.block(left, middle - 15, right, middle + 15, themes.WARNING, radius=15)
    ink = ink_on(themes.WARNING)
    with put.within(Part.AGE):
        put.text(left + 6, middle, right - 6, text, "bold", 23, ink, themes.WARNING, align="center", height=28)
    return left


class SecondLine:
    """The second line of a scene, between `left` and `right`."""

    def __init__(self, scene: Scene, board: Scoreboard, theme: Theme, put: Layout, left: float, right: float) -> None:
        self.scene = scene
        self.board = board
        self.theme = theme
        self.put = put
        self.left, self.right = left, right

    def ground(self) -> None:
        """The ground of the line."""
        corners = "" if self.right < RIGHT else "bottom right"
        self.put.block(self.left, LINE_TOP, self.right, BOTTOM, self.theme.line, rounded=corners)

    def say(self, *forms: str) -> None:
        """One text, in the first of its forms that fits, and the mark of age."""
        left, right = self.left + GAP, self._age_mark()
        with self.put.within(Part.SECOND_LINE):
            self._text(left, right, forms)

    def say_how_it_stands(self) -> None:
        """The chase, or what says most without one; the rates only while the score is fresh."""
        with self.put.within(Part.SECOND_LINE):
            self._say_how_it_stands()

    def _say_how_it_stands(self) -> None:
        board = self.board
        left, right = self.left + GAP, self._age_mark()
        if board.phase == "super_over":
            width = self.put.units_of("SUPER OVER", "bold", 24) + 20
            self.put.block(left, LINE_MIDDLE - 15, left + width, LINE_MIDDLE + 15, themes.SUPER_OVER, radius=6)
            self.put.text(
                left + 6, LINE_MIDDLE, left + width - 6, "SUPER OVER", "bold", 24, themes.BLACK, themes.SUPER_OVER,
                align="center", height=28,
            )  # fmt: skip
            left += width + 14
        needed, forms = cricket.chase(board), _live_forms(board)
        if not needed and not any(forms):
            rate = cricket.current_run_rate(board, board.batting)
            self._text(left, right, ("" if rate is None else f"Run rate {rate:.2f}",))
            return
        if not self.scene.silent_s:
            right = self._rates(left, right)
        if needed:
            self._chase(left, right, needed)
            return
        self._text(left, right, forms)

    def _text(self, left: float, right: float, forms: tuple[str, ...]) -> None:
        # What the feed has written may run from right to left; our own words never do, whatever name they begin with.
        is_the_feeds = forms[0] in (self.board.toss, self.board.title, self.board.result)
        self.put.text(
            left, LINE_MIDDLE, right, forms, "regular", 27, self.theme.ink, self.theme.line,
            height=36, base="first" if is_the_feeds else "ltr",
        )  # fmt: skip

    def _chase(self, left: float, right: float, needed: cricket.Chase) -> None:
        """The figures in the accent's colour, between words in the ink's."""
        theme, batting = self.theme, self.board.batting
        figures = [(str(needed.runs), "run" if needed.runs == 1 else "runs")]
        if needed.balls is not None:
            figures.append((str(needed.balls), "ball" if needed.balls == 1 else "balls"))
        words: list[tuple[str, bool]] = [
            (f"{short_of(batting)} need" if batting else "Need", False),
            (figures[0][0], True),
        ]
        if len(figures) > 1:
            words += [("from", False), (figures[1][0], True), (figures[1][1], False)]
        else:
            words += [(f"{figures[0][1]} to win", False)]
        for first in (words[0], ("Need", False)):
            words[0] = first
            size = self._size_that_fits(right - left, words)
            if size:
                break
        for word, is_figure in words:
            width = self.put.units_of(word, "bold", size or SMALLEST) + WORD_GAP
            color = theme.accent if is_figure else theme.ink
            if left + width <= right:
                self.put.text(
                    left, LINE_MIDDLE, left + width, word, "bold", size or SMALLEST, color, theme.line,
                    height=36, base="ltr",
                )  # fmt: skip
            left += width

    def _size_that_fits(self, room: float, words: list[tuple[str, bool]]) -> int:
        """Returns 0 if they do not fit at all."""
        sizes = (28, 26, 24, SMALLEST)
        return next(
            (
                size
                for size in sizes
                if sum(self.put.units_of(word, "bold", size) + WORD_GAP for word, _ in words) <= room
            ),
            0,
        )

    def _rates(self, left: float, right: float) -> float:
        """Run rates at the right end, as far as there is room; gives where they begin."""
        theme, board = self.theme, self.board
        in_balls = cricket.is_in_balls(board)
        rates = (
            ("req" if in_balls else "RRR", cricket.required_run_rate(board), theme.accent),
            ("RPB" if in_balls else "CRR", cricket.current_run_rate(board, board.batting), theme.ink),
        )
        for label, rate, color in rates:
            if rate is None or right - left < 420:
                continue
            value = f"{min(rate, 99.99):.2f}"
            right = self.put.number(right - 80, LINE_MIDDLE, right, value, "bold", 26, color, self.theme.line)
            right = self.put.number(right - 70, LINE_MIDDLE, right - 7, label, "regular", 23, theme.muted, theme.line)
            right -= GAP
        return right

    def _age_mark(self) -> float:
        """How old the score is, once the feed is silent; gives the right end of what is left of the line."""
        right = self.right - GAP
        if not self.scene.silent_s:
            return right
        return put_age(self.put, right, LINE_MIDDLE, self.scene.silent_s) - GAP


def _live_forms(board: Scoreboard) -> tuple[str, ...]:
    """The second line without a chase: the toss at the start, then the partnership, else what says most."""
    bowled = cricket.balls_bowled(board)
    has_just_begun = (board.innings or 1) == 1 and bowled is not None and bowled < 2 * board.format.balls_per_over
    end, wanted = cricket.finish(board), cricket.target(board)
    if end is not None:
        winner = end.winner
        return (f"{called(winner)} win", f"{short_of(winner)} win") if winner else ("Scores level",)
    if board.toss and has_just_begun and wanted is None:
        return (board.toss,)
    if wanted is not None:
        return (f"Target {wanted}",)
    ahead = cricket.lead(board)
    if ahead is not None and board.batting:
        word = "level" if ahead == 0 else f"lead by {ahead}" if ahead > 0 else f"trail by {-ahead}"
        return (f"{called(board.batting)} {word}", f"{short_of(board.batting)} {word}")
    if board.partnership:
        balls = board.partnership.balls
        return (f"Partnership {board.partnership.runs}" + ("" if balls is None else f" ({balls})"),)
    has_players = bool(board.batters or board.bowler or board.this_over)
    return (board.title,) if board.title else _form(board) or (match_forms(board) if has_players else ("",))


def _form(board: Scoreboard) -> tuple[str, ...]:
    """A bowler's economy after an over, else the striker's strike rate after ten balls."""
    bowler = board.bowler
    rate = cricket.economy(board, bowler)
    if bowler and rate is not None and (cricket.bowler_balls(board) or 0) >= board.format.balls_per_over:
        return tuple(f"{name}: economy {rate:.2f}" for name in name_forms(bowler.name))
    batter = next((batter for batter in board.batters if batter.on_strike and (batter.balls or 0) >= 10), None)
    rate = cricket.strike_rate(batter) if batter else None
    if batter is None or rate is None:
        return ()
    return tuple(f"{name}: strike rate {rate:.1f}" for name in name_forms(batter.name))
