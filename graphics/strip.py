"""What stands on the strip in every phase of a match: one composition each. Draws nothing.

    ┌──────┬─────────┬──────────────────────┬───────────────────┬─────┐
    │ side │  score  │ batter     runs (b)  │ bowler    figures │other│
    │      │         │ batter     runs (b)  │ ● ● ● this over   │side │
    │      │  overs  ├──────────────────────┴───────────────────┤     │
    │      │         │ chase, partnership or toss         rates │     │
    └──────┴─────────┴──────────────────────────────────────────┴─────┘

What the feed leaves out leaves no hole: its neighbour takes the place. Who is in the
middle is placed in `players.py`, the line below them in `second_line.py`, a banner over
both in `banner.py`; here are the sides, the score, and what each phase shows.
"""

from __future__ import annotations

from graphics import themes
from graphics.banner import Banner
from graphics.fonts import Base
from graphics.layout import BOTTOM, GAP, LEFT, LINE_TOP, RIGHT, ROWS, TOP, Canvas, Layout, Part
from graphics.other_sport import OtherSport
from graphics.players import Players
from graphics.second_line import SecondLine, compose_age
from graphics.shortening import name_forms, short_name_forms
from graphics.sides import called, length, match_forms, short_of, title_forms, total_forms
from graphics.themes import Color, Theme, apart_from, ink_on, team_color
from scoring import cricket
from scoring.rundown import Scene
from scoring.scoreboard import Scoreboard, Team

# In units, as in layout.py.
SIDE_WIDTH = 120
OTHER_WIDTH = 106
SCORE_WIDTH = 178

LOST_TEXT = "The live score will be back"


def compose_scene(scene: Scene, canvas: Canvas, theme: Theme, logos: frozenset[str] = frozenset()) -> Layout:
    """The layout of a scene: a scoreboard's strip, or the texts over a ready image."""
    if isinstance(scene.content, Scoreboard):
        return compose(scene, scene.content, canvas, theme, logos)
    return compose_age(scene.silent_s, canvas) if scene.content is not None and scene.silent_s else Layout(canvas)


def compose(
    scene: Scene, board: Scoreboard, canvas: Canvas, theme: Theme, logos: frozenset[str] = frozenset()
) -> Layout:
    """The layout of a scene of this scoreboard; `logos` are those that can be drawn."""
    composer = _Composer(scene, board, canvas, theme, logos)
    composer.compose()
    return composer.put


class _Composer:
    """One layout in the making; `left` and `right` bound what is still free."""

    def __init__(self, scene: Scene, board: Scoreboard, canvas: Canvas, theme: Theme, logos: frozenset[str]) -> None:
        self.scene = scene
        self.board = board
        self.theme = theme
        self.known_logos = logos
        self.put = Layout(canvas)
        self.left, self.right = float(LEFT), float(RIGHT)

    def compose(self) -> None:
        self.put.block(LEFT, TOP, RIGHT, BOTTOM, self.theme.panel, rounded="both")
        if self.board.sport == "generic":
            self._other_sport()
        elif self.scene.is_lost:
            self._teams_only(LOST_TEXT)
        else:
            self._cricket(self.board.phase)

    def _cricket(self, phase: str) -> None:
        board = self.board
        has_score = board.batting is not None and board.batting.runs is not None
        if phase == "scheduled" or not (
            has_score or board.batters or board.bowler or board.result or phase == "innings_break"
        ):
            self._teams_only(board.toss or "")
            return
        self._sides()
        if has_score and board.batting:
            self._score(board.batting)
        if self.scene.banner:
            Banner(self.scene.banner, board, self.theme, self.put, self.left, self.right).place()
            return
        line = self._second_line()
        line.ground()
        if phase == "finished":
            self._result(board.result or "Match over")
            line.say(*_finished_forms(board))
        elif phase == "innings_break":
            forms, title = _break_forms(board), title_forms(board)
            self._message("INNINGS BREAK", forms)
            line.say(*(title if title != forms else ("",)))
        elif phase == "rain":
            self._message("RAIN", ("Play has stopped",), themes.RAIN)
            line.say_how_it_stands()
        else:
            Players(board, self.theme, self.put, self.left + GAP, self.right - GAP).place()
            line.say_how_it_stands()

    # The sides at both ends

    def _sides(self) -> None:
        board = self.board
        first, second = (board.home, board.away) if board.sport == "generic" else (board.batting, board.bowling)
        if first:
            color = apart_from(self.theme.panel, team_color(first))
            self.put.block(LEFT, TOP, LEFT + SIDE_WIDTH, BOTTOM, color, rounded="left")
            with self.put.within(Part.FIRST_SIDE):
                self._side(first, LEFT, LEFT + SIDE_WIDTH, color, 46)
            self.left = LEFT + SIDE_WIDTH
        if second:
            color = apart_from(self.theme.panel, team_color(second, first))
            self.put.block(RIGHT - OTHER_WIDTH, TOP, RIGHT, BOTTOM, color, rounded="right")
            with self.put.within(Part.OTHER_SIDE):
                self._side(second, RIGHT - OTHER_WIDTH, RIGHT, color, 38)
            self.right = RIGHT - OTHER_WIDTH

    def _side(self, team: Team, left: float, right: float, color: Color, size: float) -> None:
        """Short name, with the logo above it or, for the side that has batted, its score below."""
        ink, short = ink_on(color), short_name_forms(short_of(team))
        middle = (TOP + BOTTOM) / 2
        if team.logo in self.known_logos and team.logo:
            half = 36
            center = (left + right) / 2
            self.put.logo(team.logo, center - half, TOP + 8, center + half, TOP + 80)
            self.put.text(left + 8, BOTTOM - 24, right - 8, short, "bold", 32, ink, color, align="center", cut="never")
            return
        has_score = team is self.board.bowling and team.runs is not None and not self.scene.is_lost
        if has_score:
            middle -= 18
            self.put.text(
                left + 8, middle + 40, right - 8, total_forms(self.board, team), "regular", 28, ink, color,
                align="center", cut="never",
            )  # fmt: skip
        self.put.text(
            left + 8, middle, right - 8, short, "bold", size, ink, color, align="center", height=46, cut="never"
        )

    def _score(self, batting: Team) -> None:
        left, right = self.left, self.left + SCORE_WIDTH
        ground, theme = self.theme.score, self.theme
        self.put.block(left, TOP, right, BOTTOM, ground)
        below = _below_score(self.board, batting)
        middle = TOP + 47 if below else (TOP + BOTTOM) / 2
        with self.put.within(Part.SCORE):
            self.put.text(
                left + 10, middle, right - 10, total_forms(self.board, batting)[-1], "bold", 66, theme.ink, ground,
                align="center", height=70, cut="never",
            )  # fmt: skip
            if below:
                self.put.text(
                    left + 10, BOTTOM - 27, right - 10, below, "regular", 30, theme.soft, ground,
                    align="center", cut="never",
                )  # fmt: skip
        self.left = right

    # What is between the sides

    def _message(self, heading: str, forms: tuple[str, ...], color: Color | None = None) -> None:
        """One statement under a heading."""
        theme, left, right = self.theme, self.left + GAP, self.right - GAP
        width = self.put.units_of(heading, "bold", 26) + 28
        ground = color or theme.accent
        self.put.block(left, ROWS[0] - 17, left + width, ROWS[0] + 17, ground, radius=6)
        self.put.text(
            left + 8, ROWS[0], left + width - 8, heading, "bold", 26, ink_on(ground), ground, align="center", height=32
        )
        self.put.text(left, ROWS[1], right, forms, "bold", 34, theme.ink, theme.panel, base="ltr")

    def _result(self, text: str) -> None:
        theme, left, right = self.theme, self.left + GAP, self.right - GAP
        self.put.lines(left, TOP, right, LINE_TOP, text, (42, 34), theme.ink, theme.panel)

    def _teams_only(self, line: str) -> None:
        """Both sides by their full names."""
        board, theme = self.board, self.theme
        self._sides()
        names = match_forms(board)
        line = line or (board.title if board.sides else "") or ""
        left, right, bottom = self.left + GAP, self.right - GAP, BOTTOM
        if line:
            self._say(line)
            bottom = LINE_TOP
        heading = board.title if board.sides and line != board.title else None
        if heading and line:
            self.put.text(left, ROWS[0], right, heading, "bold", 26, theme.accent, theme.panel)
            self.put.text(left, ROWS[1], right, names, "bold", 34, theme.ink, theme.panel, base="ltr")
        else:
            base: Base = "ltr" if board.sides else "first"
            self.put.text(
                left, (TOP + bottom) / 2, right, names if board.sides else board.name, "bold", 40,
                theme.ink, theme.panel, height=72, base=base,
            )  # fmt: skip

    def _second_line(self) -> SecondLine:
        return SecondLine(self.scene, self.board, self.theme, self.put, self.left, self.right)

    def _say(self, text: str) -> None:
        line = self._second_line()
        line.ground()
        line.say(text)

    def _other_sport(self) -> None:
        board = self.board
        self._sides()
        text = LOST_TEXT if self.scene.is_lost else (board.result or board.title or "")
        has_line = bool(text) or bool(self.scene.silent_s)
        if has_line:
            self._say(text)
        figures = OtherSport(board, self.theme, self.put, is_lost=self.scene.is_lost)
        figures.place(self.left, self.right, (TOP + (LINE_TOP if has_line else BOTTOM)) / 2)


def _below_score(board: Scoreboard, batting: Team) -> str:
    """How far the innings is and how long it can be, after the words that a side is all out: "14.3/20 ov"."""
    bowled, limit = cricket.team_balls(board, batting), cricket.innings_limit(board)
    if cricket.is_all_out(board, batting):
        return "all out" if bowled is None else f"all out {_short_length(board, bowled)}"
    if bowled is None:
        return ""
    # At a break the feed may give the limit of the next innings already.
    if limit is None or bowled > limit:
        return length(board, bowled)
    if cricket.is_in_balls(board):
        return f"{bowled}/{limit} balls"
    each = board.format.balls_per_over
    return f"{cricket.overs_of(bowled, each)}/{cricket.overs_of(limit, each)} ov"


def _short_length(board: Scoreboard, balls: int) -> str:
    if cricket.is_in_balls(board):
        return f"{balls} balls"
    return f"{cricket.overs_of(balls, board.format.balls_per_over)} ov"


def _break_forms(board: Scoreboard) -> tuple[str, ...]:
    """Who needs what, as far as it is known; else who plays."""
    coming, wanted = cricket.coming_chase(board), cricket.target(board)
    if coming is None:
        return (f"Target {wanted}",) if wanted else match_forms(board)
    side, needed = coming
    rest = "to win" if needed.balls is None else f"from {length(board, needed.balls)}"
    return tuple(f"{name} need {needed.runs} {rest}" for name in (called(side), short_of(side)))


def _finished_forms(board: Scoreboard) -> tuple[str, ...]:
    if board.player_of_match:
        return tuple(f"Player of the match: {name}" for name in name_forms(board.player_of_match))
    return title_forms(board) if board.name != board.result else ("",)
