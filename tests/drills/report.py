"""The table of all drills of a run, and docs/drills.md."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from bench.report import machine, write_section

HEADING = "What the viewer sees when something fails"
TITLE = "Drills"
UNSEEN = "not checked"
_HEAD = (
    *("fault", "target", "longest gap, s", "connections", "to normal, s", "arrival − PTS, s", "left behind"),
    "verdict",
)


@dataclass
class Row:
    """What one drill measured. A figure that means nothing in it stays None.

    `misses` names each target that was not met, with its figure and the reason if
    it is known. `failure` is set if the drill's function failed.
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
            "- **longest gap**: the longest time between two frames at the viewer",
            "- **connections**: how many connections the publisher made to the destination",
            "- **to normal**: from the end of the fault (or its beginning, if it ends by itself) until the viewer sees",
            "  the camera's picture again",
            "- **arrival − PTS**: how much this difference grew from before the fault to after it; in brackets, how",
            "  long the viewer got nothing (all gaps over 0.5 s), which is included",
            "- –: means nothing in this drill",
            "",
            f"| {' | '.join(_HEAD)} |",
            f"|{'---|' * len(_HEAD)}",
        ]
        lines += [_table_line(row) for row in self.rows]
        met = sum(row.verdict == "met" for row in self.rows)
        lines += ["", f"{met} of {len(self.rows)} met."]
        remarks = [f"- **{row.fault}**: {'; '.join(_remarks(row))}" for row in self.rows if _remarks(row)]
        if remarks:
            lines += ["", "Remarks, and by how much targets were missed:", "", *remarks]
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
