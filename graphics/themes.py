"""Colours of the strip, and colours made safe: every text stands out from its ground by CONTRAST at least."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from scoring.scoreboard import Team

Color = tuple[int, int, int]

CONTRAST = 4.5  # WCAG 2, ratio of luminances
APART = 1.35  # how much a side's block differs from the panel beside it
WHITE: Color = (255, 255, 255)
BLACK: Color = (0, 0, 0)
TEAM_COLORS = ("#0b4f9e", "#9c1c2e", "#1d6b3a", "#6a2a8c", "#a14a00", "#0d6672", "#7a1f5c", "#3b4a9e")
TOO_ALIKE = 60  # the sum of the differences of the channels


@dataclass(frozen=True)
class Theme:
    """Grounds (`panel`, `score`, `line`) and inks for them; the inks stand out on all three."""

    name: str
    panel: Color
    score: Color
    line: Color
    ink: Color
    soft: Color
    muted: Color
    accent: Color


THEMES = {
    theme.name: theme
    for theme in (
        Theme(
            "dark",
            panel=(13, 18, 28),
            score=(29, 37, 54),
            line=(22, 29, 43),
            ink=WHITE,
            soft=(222, 228, 238),
            muted=(178, 188, 205),
            accent=(255, 205, 64),
        ),
        Theme(
            "light",
            panel=(250, 251, 253),
            score=(225, 230, 239),
            line=(236, 239, 245),
            ink=(12, 18, 30),
            soft=(38, 47, 64),
            muted=(74, 84, 103),
            accent=(160, 48, 8),
        ),
    )
}

BALLS: dict[str, Color] = {
    "wicket": (204, 32, 48),
    "four": (20, 98, 190),
    "six": (122, 56, 200),
    "wide": (240, 168, 48),
    "no_ball": (240, 128, 40),
    "bye": (14, 116, 108),
    "runs": (70, 82, 106),
    "dot": (70, 82, 106),
}
BANNERS: dict[str, Color] = {
    "FOUR": (20, 98, 190),
    "SIX": (112, 44, 192),
    "WICKET": (196, 24, 44),
    "FIFTY": (250, 190, 40),
    "HUNDRED": (250, 190, 40),
    "BATTER_150": (250, 190, 40),
    "BATTER_200": (250, 190, 40),
    "STAND": (250, 190, 40),
    "TEAM_FIFTY": (250, 190, 40),
    "TEAM_HUNDRED": (250, 190, 40),
    "FIVE_FOR": (196, 24, 44),
    "HAT_TRICK": (196, 24, 44),
    "DUCK": (196, 24, 44),
    "MAIDEN": (14, 102, 98),
    "INNINGS": (14, 102, 98),
    "TIE": (52, 62, 84),
    "WIN": (12, 110, 60),
    "RESULT": (52, 62, 84),
}
WARNING: Color = (246, 172, 40)
RAIN: Color = (28, 104, 176)
SUPER_OVER: Color = (250, 190, 40)


def rgb(color: str) -> Color:
    """Of "#rrggbb"."""
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def contrast(one: Color, other: Color) -> float:
    """From 1 (alike) to 21 (black on white)."""
    dark, bright = sorted((_luminance(one), _luminance(other)))
    return (bright + 0.05) / (dark + 0.05)


def ink_on(ground: Color) -> Color:
    """Black or white, whichever stands out more; on any ground that is CONTRAST at least."""
    return WHITE if contrast(WHITE, ground) > contrast(BLACK, ground) else BLACK


def team_color(team: Team, other: Team | None = None) -> Color:
    """The feed's colour, else one picked by the name; never one like that of the other side."""
    taken = team_color(other) if other else None
    if team.color:
        color = rgb(team.color)
        return color if taken is None or not _are_alike(color, taken) else _shifted(color)
    index = zlib.crc32(team.name.encode()) % len(TEAM_COLORS)
    choices = [rgb(TEAM_COLORS[(index + step) % len(TEAM_COLORS)]) for step in range(len(TEAM_COLORS))]
    return next(color for color in choices if taken is None or not _are_alike(color, taken))


def apart_from(ground: Color, color: Color) -> Color:
    """`color`, made lighter or darker until its block can be told from `ground`."""
    goal = WHITE if _luminance(ground) < 0.18 else BLACK
    share = 0.0
    while contrast(_mixed(color, goal, share), ground) < APART and share < 1:
        share += 0.04
    return _mixed(color, goal, share)


def _are_alike(one: Color, other: Color) -> bool:
    return sum(abs(a - b) for a, b in zip(one, other, strict=True)) < TOO_ALIKE


def _shifted(color: Color) -> Color:
    return _mixed(color, BLACK if _luminance(color) > 0.18 else WHITE, 0.4)


def _mixed(color: Color, goal: Color, share: float) -> Color:
    red, green, blue = (round(c + (g - c) * min(share, 1)) for c, g in zip(color, goal, strict=True))
    return red, green, blue


def _luminance(color: Color) -> float:
    red, green, blue = (
        channel / 12.92 / 255 if channel <= 10 else ((channel / 255 + 0.055) / 1.055) ** 2.4 for channel in color
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
