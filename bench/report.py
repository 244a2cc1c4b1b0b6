"""The results of a bench: figures with their spread, as JSON, as a table, and as a section with a plot in a document.

A figure is shown with the spread of its samples, and with the same figure of the
previous run, whose JSON is kept in `bench/out/`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

ROOT = Path(__file__).resolve().parent.parent
OUT = Path(__file__).parent / "out"
HEADING = "Benchmarks"
# In the order of a newcomer's questions: how fresh, how much CPU, how many, and is it what YouTube wants.
SECTIONS = (
    *("How to read it", "Freshness", "Cost", "Capacity", "Many streams", "Picture", "Overlay", "Preview"),
    *("Cluster", "What tuning brought"),
)
FEW = 5
PLOT_SIZE_IN = (8.0, 3.6)

Quote = Literal["median", "p95"]


@dataclass(frozen=True)
class Figure:
    """Samples of one quantity, in `unit`, and the value that is quoted: the median or the 95th percentile.

    The spread of a median is its quartiles, that of a 95th percentile the 90th and the
    largest sample, that of up to FEW samples the smallest and the largest. A single
    sample has none. `limit` is the target, as an upper limit. `why` says why it is
    missed, or something else about the figure.
    """

    what: str
    unit: str
    samples: Sequence[float]
    quote: Quote = "median"
    limit: float | None = None
    why: str = ""

    @property
    def value(self) -> float:
        return quantile(self.samples, 0.5 if self.quote == "median" else 0.95)

    @property
    def spread(self) -> tuple[float, float] | None:
        if len(self.samples) < 2:
            return None
        if len(self.samples) <= FEW:
            return min(self.samples), max(self.samples)
        low, high = (0.25, 0.75) if self.quote == "median" else (0.9, 1.0)
        return quantile(self.samples, low), quantile(self.samples, high)

    @property
    def verdict(self) -> str:
        if self.limit is None:
            return ""
        return "met" if self.value <= self.limit else "missed"

    def summary(self) -> dict[str, Any]:
        """For JSON: everything except the samples."""
        known = {name: value for name, value in asdict(self).items() if name != "samples"}
        return known | {
            "value": self.value,
            "spread": self.spread,
            "verdict": self.verdict,
            "samples": len(self.samples),
        }


@dataclass
class Report:
    """One bench's section: an introduction, figures, and more lines (tables, remarks) after them.

    `data` goes into the JSON beside the figures. `plot` draws on a matplotlib figure.
    """

    title: str
    intro: Sequence[str]
    figures: list[Figure] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)
    plot: Callable[[Any], None] | None = None

    @property
    def slug(self) -> str:
        return self.title.lower().replace(" ", "-")


def quantile(values: Sequence[float], share: float) -> float:
    """Interpolated linearly between the two nearest values. Raises ValueError if there are none."""
    if not values:
        raise ValueError("no samples")
    ranked = sorted(values)
    place = share * (len(ranked) - 1)
    low = int(place)
    high = min(low + 1, len(ranked) - 1)
    return ranked[low] + (ranked[high] - ranked[low]) * (place - low)


def parser(description: str) -> argparse.ArgumentParser:
    """A parser with the options that all benches have."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument("--document", type=Path, help="also write the section and its plot into this file")
    return made


def tell(text: str) -> None:
    """Print progress to stderr, because stdout is for the JSON."""
    print(text, file=sys.stderr, flush=True)


def finish(report: Report, document: Path | None, ffmpeg: str) -> int:
    """Print the JSON, keep it for the next run, and write the document if asked. Returns the exit status."""
    kept = OUT / f"{report.slug}.json"
    before = json.loads(kept.read_text()) if kept.exists() else None
    found = {
        "bench": report.title,
        "machine": machine(ffmpeg),
        "figures": [figure.summary() for figure in report.figures],
        "data": report.data,
    }
    print(json.dumps(found, indent=1))
    lines = [*_table(report.figures, before), *report.lines]
    tell("\n".join(lines))
    if document:
        plotted = ["", _plot(report, report.plot, document)] if report.plot else []
        lines = [f"{' '.join(report.intro)} On {machine(ffmpeg)}.", "", *lines, *plotted]
        write_section(document, HEADING, report.title, lines, SECTIONS)
    OUT.mkdir(exist_ok=True)
    kept.write_text(json.dumps(found, indent=1))
    return 1 if any(figure.verdict == "missed" for figure in report.figures) else 0


def _table(figures: Sequence[Figure], before: dict[str, Any] | None) -> list[str]:
    if not figures:
        return []
    earlier = {figure["what"]: figure for figure in before["figures"]} if before else {}
    lines = ["| | figure | spread | samples | target | verdict | previous run |", "|---|---|---|---|---|---|---|"]
    for figure in figures:
        limit = "" if figure.limit is None else f"≤ {number(figure.limit)} {figure.unit}"
        value = f"{number(figure.value)} {figure.unit}" + (" (p95)" if figure.quote == "p95" else "")
        spread = "" if figure.spread is None else " – ".join(map(number, figure.spread))
        cells = [figure.what, value, spread, str(len(figure.samples)), limit, figure.verdict]
        lines.append(f"| {' | '.join([*cells, _before(figure, earlier.get(figure.what))])} |")
    remarks = [f"- {figure.what}: {figure.why}" for figure in figures if figure.why]
    return lines + (["", *remarks] if remarks else [])


def _before(figure: Figure, earlier: dict[str, Any] | None) -> str:
    if earlier is None:
        return ""
    text = f"{number(earlier['value'])} {figure.unit}"
    if earlier["spread"] is None or figure.spread is None:
        return text
    low, high = earlier["spread"]
    is_within = low <= figure.value <= high or figure.spread[0] <= earlier["value"] <= figure.spread[1]
    return text + ("" if is_within else ", outside the spread")


def number(value: float) -> str:
    """Three significant digits, without an exponent."""
    if value == 0 or abs(value) >= 1000:
        return f"{value:.0f}"
    return f"{value:.3g}"


def _plot(report: Report, draw: Callable[[Any], None], document: Path) -> str:
    # Imported here, because a bench without a document needs no matplotlib.
    from matplotlib.figure import Figure as Canvas  # noqa: PLC0415

    folder = document.with_suffix("")
    folder.mkdir(exist_ok=True)
    canvas = Canvas(figsize=PLOT_SIZE_IN, layout="constrained")
    draw(canvas)
    canvas.savefig(folder / f"{report.slug}.png", dpi=100)
    return f"![{report.title}]({folder.name}/{report.slug}.png)"


def machine(ffmpeg: str) -> str:
    """The machine in a few words: number of processors, and FFmpeg's version."""
    said = subprocess.run([ffmpeg, "-version"], capture_output=True, text=True, timeout=10, check=True).stdout
    return f"{os.cpu_count()} CPUs, FFmpeg {said.split()[2]}"


def write_section(path: Path, heading: str, title: str, lines: Sequence[str], order: Sequence[str]) -> None:
    """Put these lines under `## title` in the document. Other sections stay; those in `order` come first."""
    sections: dict[str, str] = {}
    if path.exists():
        for part in path.read_text().split("\n## ")[1:]:
            name, _, body = part.partition("\n")
            sections[name] = body.strip()
    sections[title] = "\n".join(lines).strip()
    ranked = sorted(sections, key=lambda name: order.index(name) if name in order else len(order))
    path.write_text(f"# {heading}\n" + "".join(f"\n## {name}\n\n{sections[name]}\n" for name in ranked))
