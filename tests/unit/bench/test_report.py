from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import report as module
from bench.report import Figure, Report, finish, number, quantile, write_section

SAMPLES = [float(value) for value in range(1, 102)]


@pytest.fixture(autouse=True)
def _kept_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "OUT", tmp_path / "out")
    monkeypatch.setattr(module, "machine", lambda _ffmpeg: "2 CPUs")


@pytest.mark.parametrize(("share", "value"), [(0.0, 1), (0.5, 2.5), (0.25, 1.75), (1.0, 4)])
def test_quantiles_lie_between_the_two_nearest(share: float, value: float) -> None:
    assert quantile([4, 2, 1, 3], share) == pytest.approx(value)


def test_no_samples_have_no_quantile() -> None:
    with pytest.raises(ValueError, match="no samples"):
        quantile([], 0.5)


@pytest.mark.parametrize(
    ("figure", "value", "spread"),
    [
        (Figure("x", "s", SAMPLES), 51, (26, 76)),
        (Figure("x", "s", SAMPLES, "p95"), 96, (91, 101)),
        (Figure("x", "s", [3.0, 1.0]), 2, (1, 3)),
        (Figure("x", "s", [3.0]), 3, None),
    ],
)
def test_a_figure_has_its_spread(figure: Figure, value: float, spread: tuple[float, float] | None) -> None:
    assert figure.value == pytest.approx(value)
    assert figure.spread == (None if spread is None else pytest.approx(spread))


@pytest.mark.parametrize(("limit", "verdict"), [(None, ""), (2.0, "met"), (1.9, "missed")])
def test_a_target_is_met_up_to_its_limit(limit: float | None, verdict: str) -> None:
    assert Figure("x", "s", [1.0, 2.0, 3.0], limit=limit).verdict == verdict


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (0.0123456, "0.0123"), (1.999, "2"), (123.4, "123"), (170142, "170142")]
)
def test_numbers_have_three_digits(value: float, text: str) -> None:
    assert number(value) == text


def test_a_run_is_compared_with_the_one_before(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = tmp_path / "benchmarks.md"

    def run(first: list[float], second: list[float]) -> int:
        figures = [Figure("first", "s", first, limit=10), Figure("second", "s", second, why="so it is")]
        return finish(Report("Cost", ["Made so."], figures, ["| more |"], {"raw": [1]}), document, "ffmpeg")

    assert run([1, 2, 3], [1, 2, 3]) == 0
    assert "| first | 2 s | 1 – 3 | 3 | ≤ 10 s | met |  |" in document.read_text()
    assert run([2, 2.5, 3], [7, 8, 9]) == 0
    said = document.read_text()
    assert "| first | 2.5 s | 2 – 3 | 3 | ≤ 10 s | met | 2 s |" in said
    assert "| second | 8 s | 7 – 9 | 3 |  |  | 2 s, outside the spread |" in said
    assert "- second: so it is" in said
    assert said.startswith("# Benchmarks\n\n## Cost\n\nMade so. On 2 CPUs.")
    assert run([11, 12, 13], [1]) == 1
    outputs = capsys.readouterr().out.split("}\n{")
    assert json.loads("{" + outputs[-1])["figures"][0]["verdict"] == "missed"


def test_sections_keep_their_order_and_other_sections_stay(tmp_path: Path) -> None:
    path = tmp_path / "document.md"
    for title, lines in (("Other", ["o"]), ("Second", ["2"]), ("First", ["1"]), ("Second", ["two", "lines"])):
        write_section(path, "Heading", title, lines, ("First", "Second"))
    assert path.read_text() == "# Heading\n\n## First\n\n1\n\n## Second\n\ntwo\nlines\n\n## Other\n\no\n"
