"""The table of all drills of a run, and docs/drills.md."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from bench.report import machine, write_section

HEADING = "What the viewer sees when something fails"
TITLE = "Drills"
UNSEEN = "not looked at"
_HEAD = (
    *("fault", "target", "longest gap, s", "connections", "to normal, s", "arrival − PTS, s", "left behind"),
    "verdict",
)


@dataclass
class Row:
    """What one drill measured. A figure that has no meaning in it stays None.

    `misses` names each target that was not met, with its figure and the reason as
    far as it is known; `failure` is set when the drill's function failed.
    """

    fault: str
    target: str
    gap_s: float | None = None
    connections: int | None = None
    normal_s: float | None = None
    drift_s: float | None = None
    outage_s: float = 0.0
    left: str = UNSEEN
    notes: list[str] = field(default_factory=list)
    misses: list[str] = field(default_factory=list)
    failure: str = ""

    def hold(self, what: str, figure: float | None, limit: float, unit: str = "s", reason: str = "") -> None:
        """Judge a figure against its limit."""
        if figure is None:
            self.misses.append(f"{what}: not measured")
        elif figure > limit:
            self.misses.append(f"{what}: {figure:.2f} {unit} instead of {limit:g} {unit}{reason and ', ' + reason}")

    def hold_gap(self, limit_s: float) -> None:
        self.hold("longest gap", self.gap_s, limit_s)

    def hold_one_connection(self) -> None:
        if self.connections != 1:
            self.misses.append(f"connections: {self.connections} instead of 1")

    @property
    def verdict(self) -> str:
        if self.failure:
            return "FAILED"
        if self.left == UNSEEN:
            return "not finished"
        return "missed" if self.misses else "met"


class DrillReport:
    """Rows in the order of the drills."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def write(self, path: Path, ffmpeg: str) -> None:
        lines = [f"Made by `make drills` on {machine(ffmpeg)}. Output profile 480p30, preset superfast.", ""]
        lines += [
            "The gap is between two frames' arrivals at the viewer; connections are those that the publisher made;",
            "to normal is from the fault's end (or the fault, where it ends by itself) to the camera's picture at",
            "the viewer; arrival − PTS is by how much that changed from before the fault to after it, and in",
            "brackets for how long the viewer got nothing (gaps over 0.5 s together), which is part of it.",
            "– means that it has no meaning here.",
            "",
            f"| {' | '.join(_HEAD)} |",
            f"|{'---|' * len(_HEAD)}",
        ]
        lines += [_table_line(row) for row in self.rows]
        met = sum(row.verdict == "met" for row in self.rows)
        lines += ["", f"{met} of {len(self.rows)} met."]
        remarks = [f"- **{row.fault}**: {'; '.join(_remarks(row))}" for row in self.rows if _remarks(row)]
        if remarks:
            lines += ["", "Remarks, and what was missed by how much:", "", *remarks]
        write_section(path, HEADING, TITLE, lines, (TITLE,))


def _remarks(row: Row) -> list[str]:
    failed = [f"FAILED: {row.failure}"] if row.failure else []
    missed = [f"missed: {miss}" for miss in row.misses]
    return [text.replace("\n", " ") for text in [*failed, *missed, *row.notes]]


def _table_line(row: Row) -> str:
    figures = [_figure(row.gap_s), "–" if row.connections is None else str(row.connections), _figure(row.normal_s)]
    drift = "–" if row.drift_s is None else f"{row.drift_s:+.2f}"
    if row.drift_s is not None and row.outage_s:
        drift += f" (outage {row.outage_s:.2f})"
    return f"| {' | '.join([row.fault, row.target, *figures, drift, row.left, row.verdict])} |"


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
