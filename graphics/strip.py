"""What stands on the strip in every phase of a match: one composition each. Draws nothing.

    ┌──────┬─────────┬──────────────────────┬───────────────────┬─────┐
    │ side │  score  │ batter     runs (b)  │ bowler    figures │other│
    │      │         │ batter     runs (b)  │ ● ● ● this over   │side │
    │      │  overs  ├──────────────────────┴───────────────────┤     │
    │      │         │ chase, partnership or toss         rates │     │
    └──────┴─────────┴──────────────────────────────────────────┴─────┘

What the feed leaves out leaves no hole: its neighbour takes the place.
"""

from __future__ import annotations

from graphics import themes
from graphics.fonts import Weight
from graphics.layout import BOTTOM, LEFT, RIGHT, SMALLEST, TOP, Canvas, Layout
from graphics.themes import BALLS, BANNERS, Color, Theme, apart_from, ink_on, team_color
from scoring import cricket
from scoring.events import Event
from scoring.rundown import Scene
from scoring.scoreboard import BALLS_PER_OVER, Batter, Bowler, Scoreboard, Team

# In units, as in layout.py.
LINE_TOP = BOTTOM - 40
ROWS = (TOP + 23, TOP + 63)
MIDDLE = (TOP + LINE_TOP) / 2
LINE_MIDDLE = (LINE_TOP + BOTTOM) / 2
SIDE_WIDTH = 120
OTHER_WIDTH = 106
SCORE_WIDTH = 178
GAP = 18
BATTER_SIZE, BATTER_BALLS_SIZE = 30, 25
BALL_RADIUS = 17
BALL_STEP = 39

LOST_TEXT = "The live score will be back"


def compose(
    scene: Scene, board: Scoreboard, canvas: Canvas, theme: Theme, logos: frozenset[str] = frozenset()
) -> Layout:
    """The layout of a scene of this scoreboard; `logos` are those that can be drawn."""
    composer = _Composer(scene, board, canvas, theme, logos)
    composer.compose()
    return composer.put


def compose_age(silent_s: int, canvas: Canvas) -> Layout:
    """The mark of age alone, for a ready image: at the right end of its top."""
    put = Layout(canvas)
    _put_age(put, RIGHT - GAP, TOP + 15, silent_s)
    return put


def _put_age(put: Layout, right: float, middle: float, silent_s: int) -> float:
    """Gives the mark's left edge."""
    age = f"{silent_s // 60} min" if silent_s >= 60 else f"{silent_s} s"
    text = f"Score {age} old"
    left = right - put.units_of(text, "bold", 23) - 20
    put.block(left, middle - 15, right, middle + 15, themes.WARNING, radius=15)
    ink = ink_on(themes.WARNING)
    put.text(left + 6, middle, right - 6, text, "bold", 23, ink, themes.WARNING, align="center", height=28)
    return left


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
            self._generic()
        elif self.scene.is_lost:
            self._teams_only(LOST_TEXT)
        else:
            self._cricket(self.board.phase)

    def _cricket(self, phase: str) -> None:
        board = self.board
        has_score = board.batting is not None and board.batting.runs is not None
        if phase == "scheduled" or not (has_score or board.batters or board.bowler or board.result):
            self._teams_only(board.toss or "")
            return
        self._sides()
        if has_score and board.batting:
            self._score(board.batting)
        if self.scene.banner:
            self._banner(self.scene.banner)
            return
        self._line_ground()
        if phase == "finished":
            self._message("", board.result or "Match over")
            self._line(_finished_line(board))
        elif phase == "innings_break":
            self._message("INNINGS BREAK", _break_text(board))
            self._line(board.name)
        elif phase == "rain":
            self._message("RAIN", "Play has stopped", themes.RAIN)
            self._live_line()
        else:
            self._players()
            self._live_line()

    # The sides at both ends

    def _sides(self) -> None:
        board = self.board
        first, second = (board.home, board.away) if board.sport == "generic" else (board.batting, board.bowling)
        if first:
            color = apart_from(self.theme.panel, team_color(first))
            self.put.block(LEFT, TOP, LEFT + SIDE_WIDTH, BOTTOM, color, rounded="left")
            self._side(first, LEFT, LEFT + SIDE_WIDTH, color, 46)
            self.left = LEFT + SIDE_WIDTH
        if second:
            color = apart_from(self.theme.panel, team_color(second, first))
            self.put.block(RIGHT - OTHER_WIDTH, TOP, RIGHT, BOTTOM, color, rounded="right")
            self._side(second, RIGHT - OTHER_WIDTH, RIGHT, color, 38)
            self.right = RIGHT - OTHER_WIDTH

    def _side(self, team: Team, left: float, right: float, color: Color, size: float) -> None:
        """Short name, with the logo above it or, for the side that has batted, its score below."""
        ink = ink_on(color)
        middle = (TOP + BOTTOM) / 2
        if team.logo in self.known_logos and team.logo:
            half = 36
            center = (left + right) / 2
            self.put.logo(team.logo, center - half, TOP + 8, center + half, TOP + 80)
            self.put.text(left + 8, BOTTOM - 24, right - 8, team.short, "bold", 32, ink, color, align="center")
            return
        has_score = team is self.board.bowling and team.runs is not None and not self.scene.is_lost
        if has_score:
            middle -= 18
            self.put.text(
                left + 8, middle + 40, right - 8, _score(team), "regular", 28, ink, color, align="center", cut=False
            )
        self.put.text(left + 8, middle, right - 8, team.short, "bold", size, ink, color, align="center", height=46)

    def _score(self, batting: Team) -> None:
        left, right = self.left, self.left + SCORE_WIDTH
        ground, theme = self.theme.score, self.theme
        self.put.block(left, TOP, right, BOTTOM, ground)
        overs = _overs(self.board)
        middle = TOP + 47 if overs else (TOP + BOTTOM) / 2
        self.put.text(
            left + 10, middle, right - 10, _score(batting), "bold", 66, theme.ink, ground,
            align="center", height=70, cut=False,
        )  # fmt: skip
        if overs:
            self.put.text(
                left + 10, BOTTOM - 27, right - 10, overs, "regular", 30, theme.soft, ground, align="center", cut=False
            )
        self.left = right

    # What stands between them

    def _players(self) -> None:
        """Batters and bowler share the middle; one of them alone has all of it."""
        board = self.board
        left, right = self.left + GAP, self.right - GAP
        has_bowling = board.bowler is not None or bool(board.this_over)
        if board.batters and has_bowling:
            split = left + (right - left) * 0.51
            self._batters(left, split - GAP)
            self.put.block(split - 1, TOP + 10, split + 1, LINE_TOP - 10, _rule(self.theme))
            self._bowling(split + GAP, right)
        elif board.batters:
            self._batters(left, right)
        elif has_bowling:
            self._bowling(left, right)
        else:
            self.put.text(left, MIDDLE, right, board.name, "bold", 36, self.theme.ink, self.theme.panel, height=80)

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
        self.put.text(left + 22, row, end, batter.name, weight, BATTER_SIZE, ink, theme.panel)

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
            self.put.text(left, ROWS[0], end, bowler.name, "regular", 30, theme.soft, theme.panel)
            self._balls(left, right, ROWS[1])
        elif figures:
            self.put.text(left, ROWS[0], right, bowler.name, "regular", 30, theme.soft, theme.panel)
            self.put.text(left, ROWS[1], right, figures, "bold", 28, theme.ink, theme.panel, cut=False)
        else:
            self.put.text(left, MIDDLE, right, bowler.name, "regular", 30, theme.soft, theme.panel)

    def _balls(self, left: float, right: float, row: float) -> None:
        """The newest balls that fit, oldest first."""
        placed, x = [], 0.0
        for label in reversed(self.board.this_over):
            width = max(2 * BALL_RADIUS, self.put.units_of(label, "bold", SMALLEST) + 12)
            if x + width > right - left:
                break
            placed.append((label, width))
            x += width + BALL_STEP - 2 * BALL_RADIUS
        x = left
        for label, width in reversed(placed):
            color = BALLS[cricket.ball_kind(label)]
            self.put.pill(x, row, x + width, BALL_RADIUS, color)
            self.put.text(
                x, row, x + width, label, "bold", SMALLEST, ink_on(color), color, align="center", height=30, cut=False
            )
            x += width + BALL_STEP - 2 * BALL_RADIUS

    def _message(self, heading: str, text: str, color: Color | None = None) -> None:
        """One thing to say, with a heading or without."""
        theme, left, right = self.theme, self.left + GAP, self.right - GAP
        if not heading:
            self.put.text(left, MIDDLE, right, text, "bold", 42, theme.ink, theme.panel, height=72)
            return
        width = self.put.units_of(heading, "bold", 26) + 28
        ground = color or theme.accent
        self.put.block(left, ROWS[0] - 17, left + width, ROWS[0] + 17, ground, radius=6)
        self.put.text(
            left + 8, ROWS[0], left + width - 8, heading, "bold", 26, ink_on(ground), ground, align="center", height=32
        )
        self.put.text(left, ROWS[1], right, text, "bold", 34, theme.ink, theme.panel)

    def _teams_only(self, line: str) -> None:
        """Both sides by their full names."""
        board, theme = self.board, self.theme
        self._sides()
        names = " v ".join(team.name for team in board.sides)
        line = line or (board.title if names else "") or ""
        left, right, bottom = self.left + GAP, self.right - GAP, BOTTOM
        if line:
            self._line_ground()
            self._line(line)
            bottom = LINE_TOP
        heading = board.title if names and line != board.title else None
        if heading and line:
            self.put.text(left, ROWS[0], right, heading, "bold", 26, theme.accent, theme.panel)
            self.put.text(left, ROWS[1], right, names, "bold", 34, theme.ink, theme.panel)
        else:
            self.put.text(
                left, (TOP + bottom) / 2, right, names or board.name, "bold", 40, theme.ink, theme.panel, height=72
            )

    # The second line

    def _line_ground(self) -> None:
        corners = "" if self.right < RIGHT else "bottom right"
        self.put.block(self.left, LINE_TOP, self.right, BOTTOM, self.theme.line, rounded=corners)

    def _line(self, text: str) -> None:
        left, right = self.left + GAP, self._age_mark()
        self.put.text(left, LINE_MIDDLE, right, text, "regular", 27, self.theme.ink, self.theme.line, height=36)

    def _live_line(self) -> None:
        board, theme = self.board, self.theme
        left, right = self.left + GAP, self._age_mark()
        if board.phase == "super_over":
            width = self.put.units_of("SUPER OVER", "bold", 24) + 20
            self.put.block(left, LINE_MIDDLE - 15, left + width, LINE_MIDDLE + 15, themes.SUPER_OVER, radius=6)
            self.put.text(
                left + 6, LINE_MIDDLE, left + width - 6, "SUPER OVER", "bold", 24, themes.BLACK, themes.SUPER_OVER,
                align="center", height=28,
            )  # fmt: skip
            left += width + 14
        needed = cricket.chase(board)
        if not needed and not _live_text(board):
            rate = cricket.current_run_rate(board.batting) if board.batting else None
            text = "" if rate is None else f"Run rate {rate:.2f}"
            self.put.text(left, LINE_MIDDLE, right, text, "regular", 27, theme.ink, theme.line, height=36)
            return
        if not self.scene.silent_s:
            right = self._rates(left, right)
        if needed:
            self._chase(left, right, needed)
            return
        self.put.text(left, LINE_MIDDLE, right, _live_text(board), "regular", 27, theme.ink, theme.line, height=36)

    def _chase(self, left: float, right: float, needed: cricket.Chase) -> None:
        """The figures in the accent's colour, between words in the ink's."""
        theme, batting = self.theme, self.board.batting
        short = batting.short if batting else ""
        figures = [(str(needed.runs), "run" if needed.runs == 1 else "runs")]
        if needed.balls is not None:
            figures.append((str(needed.balls), "ball" if needed.balls == 1 else "balls"))
        words: list[tuple[str, bool]] = [(f"{short} need", False), (figures[0][0], True)]
        if len(figures) > 1:
            words += [("from", False), (figures[1][0], True), (figures[1][1], False)]
        else:
            words += [(f"{figures[0][1]} to win", False)]
        for size in (28, 26, 24, SMALLEST):
            widths = [self.put.units_of(word, "bold", size) + 8 for word, _ in words]
            if left + sum(widths) <= right:
                break
        for (word, is_figure), width in zip(words, widths, strict=True):
            color = theme.accent if is_figure else theme.ink
            if left + width <= right:
                self.put.text(left, LINE_MIDDLE, left + width, word, "bold", size, color, theme.line, height=36)
            left += width

    def _rates(self, left: float, right: float) -> float:
        """Run rates at the right end, as far as there is room; gives where they begin."""
        theme, board = self.theme, self.board
        rates = (
            ("RRR", cricket.required_run_rate(board), theme.accent),
            ("CRR", cricket.current_run_rate(board.batting) if board.batting else None, theme.ink),
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
        return _put_age(self.put, right, LINE_MIDDLE, self.scene.silent_s) - GAP

    # Banners

    def _banner(self, event: Event) -> None:
        """Over all of the middle; the score stays."""
        color = BANNERS[event.kind]
        if event.kind == "WIN" and event.side:
            color = apart_from(self.theme.panel, team_color(event.side, _other_side(self.board, event.side)))
        ink = ink_on(color)
        rounded = "" if self.right < RIGHT else "right"
        right = self.right - 4 if self.right < RIGHT else RIGHT  # a side's block may have the same colour
        self.put.block(self.left, TOP, right, BOTTOM, color, rounded=rounded)
        left, right, middle = self.left + 28, self.right - 24, (TOP + BOTTOM) / 2
        word = event.kind
        word_width = self.put.units_of(word, "bold", 72) + 6
        lines = [text for text in (event.who, event.detail) if text]
        if event.lasts_beyond_its_over and event.kind != "INNINGS":
            lines = lines[-1:]  # the result names the winner
        if not lines:
            self.put.text(left, middle, right, word, "bold", 72, ink, color, align="center", height=90)
            return
        self.put.text(left, middle, left + word_width, word, "bold", 72, ink, color, height=90)
        rule = left + word_width + 22
        self.put.block(rule, TOP + 26, rule + 3, BOTTOM - 26, ink)
        if len(lines) == 1:
            self.put.text(rule + 24, middle, right, lines[0], "bold", 40, ink, color, height=60)
            return
        self.put.text(rule + 24, middle - 23, right, lines[0], "bold", 38, ink, color, height=44)
        self.put.text(rule + 24, middle + 26, right, lines[1], "regular", 32, ink, color, height=42, base="ltr")

    # Other sports

    def _generic(self) -> None:
        board = self.board
        self._sides()
        text = "" if self.scene.is_lost else (board.result or board.title or "")
        text = LOST_TEXT if self.scene.is_lost else text
        has_line = bool(text) or bool(self.scene.silent_s)
        bottom = LINE_TOP if has_line else BOTTOM
        if has_line:
            self._line_ground()
            self._line(text)
        middle, center = (TOP + bottom) / 2, (self.left + self.right) / 2
        half = 0.0
        if not self.scene.is_lost:
            half = self._clock(center, middle)
        sides = (
            (board.home, self.left + GAP, center - half, "left"),
            (board.away, center + half, self.right - GAP, "right"),
        )
        for team, left, right, align in sides:
            if team:
                self._generic_side(team, left, right, middle, align)

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
        for row, (text, weight, size, ink) in zip(rows, lines, strict=True):
            self.put.text(
                center - 80, row, center + 80, text, weight, size, ink, theme.panel, align="center", height=36
            )
        return 80 + GAP

    def _generic_side(self, team: Team, left: float, right: float, middle: float, align: str) -> None:
        theme = self.theme
        if team.score and not self.scene.is_lost:
            if align == "left":
                right = self.put.number(
                    right - 130, middle, right, team.score, "bold", 62, theme.ink, theme.panel, height=66
                )
                right -= GAP
            else:
                begin = self.put.text(
                    left, middle, left + 130, team.score, "bold", 62, theme.ink, theme.panel, height=66, cut=False
                )
                left = begin + GAP
        self.put.text(left, middle, right, team.name, "bold", 32, theme.ink, theme.panel, align=align, height=66)


def _score(team: Team) -> str:
    return f"{team.runs}" if team.wickets is None else f"{team.runs}/{team.wickets}"


def _overs(board: Scoreboard) -> str:
    overs = board.batting.overs if board.batting else None
    if overs is None:
        return ""
    return f"{overs}/{board.overs_limit} ov" if board.overs_limit else f"{overs} overs"


def _figures(bowler: Bowler) -> str:
    """Wickets-runs and overs, as far as they are known: "2-12 (3.2)"."""
    figures = "" if bowler.wickets is None or bowler.runs is None else f"{bowler.wickets}-{bowler.runs}"
    return f"{figures} ({bowler.overs})" if figures and bowler.overs else figures


def _live_text(board: Scoreboard) -> str:
    """The second line without a chase: the toss at the start, then the partnership, else what says most."""
    bowled = cricket.balls_bowled(board)
    has_just_begun = (board.innings or 1) == 1 and bowled is not None and bowled < 2 * BALLS_PER_OVER
    if cricket.target_is_reached(board) and board.batting:
        return f"{board.batting.name} win"
    if board.toss and has_just_begun and board.target is None:
        return board.toss
    if board.target is not None:
        return f"Target {board.target}"
    if board.partnership:
        balls = board.partnership.balls
        return f"Partnership {board.partnership.runs}" + ("" if balls is None else f" ({balls})")
    has_players = bool(board.batters or board.bowler or board.this_over)
    return board.title or _form(board) or (board.name if has_players else "")


def _form(board: Scoreboard) -> str:
    """A bowler's economy after an over, else the striker's strike rate after ten balls."""
    bowler = board.bowler
    rate = cricket.economy(bowler) if bowler else None
    if bowler and rate is not None and (cricket.balls_of(bowler.overs) or 0) >= BALLS_PER_OVER:
        return f"{bowler.name}: economy {rate:.2f}"
    batter = next((batter for batter in board.batters if batter.on_strike and (batter.balls or 0) >= 10), None)
    rate = cricket.strike_rate(batter) if batter else None
    return f"{batter.name}: strike rate {rate:.1f}" if batter and rate is not None else ""


def _break_text(board: Scoreboard) -> str:
    """Who needs what, as far as the feed says so."""
    bowling, target = board.bowling, board.target
    if target is None or target < 1:
        return board.name
    overs = f" from {board.overs_limit} overs" if board.overs_limit else " to win"
    # Some feeds have the sides change places as soon as the innings is over.
    has_batted = board.batting is not None and board.batting.runs is not None
    side = bowling if has_batted else board.batting
    return f"{side.name} need {target}{overs}" if side else f"Target {target}"


def _finished_line(board: Scoreboard) -> str:
    if board.player_of_match:
        return f"Player of the match: {board.player_of_match}"
    return board.name if board.name != board.result else ""


def _other_side(board: Scoreboard, side: Team) -> Team | None:
    return board.batting if side == board.bowling else None


def _rule(theme: Theme) -> Color:
    """A hairline between two columns."""
    red, green, blue = ((a + b) // 2 for a, b in zip(theme.panel, theme.muted, strict=True))
    return red, green, blue
