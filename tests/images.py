"""Compares pictures with a tolerance, and saves both if they differ."""

from __future__ import annotations

import os
from pathlib import Path

from PIL import Image, ImageChops

GOLDEN = Path(__file__).parent / "golden"
OUT = Path(__file__).parent / "out"
# Another build of FreeType rounds the edges of glyphs differently. Another digit differs far more.
MEAN_TOLERANCE = 0.6
WRITE = "WRITE_GOLDEN"


def assert_like_golden(image: Image.Image, name: str) -> None:
    """Compare with `tests/golden/NAME.png`, or write that file if WRITE_GOLDEN is set."""
    path = GOLDEN / f"{name}.png"
    if os.environ.get(WRITE):
        path.parent.mkdir(exist_ok=True)
        image.save(path)
    assert path.exists(), f"{path} is missing: look at the picture and set {WRITE}=1"
    with Image.open(path) as golden:
        assert_alike(image, golden.convert(image.mode), name)


def assert_alike(image: Image.Image, expected: Image.Image, name: str, tolerance: float = MEAN_TOLERANCE) -> None:
    assert image.size == expected.size, f"{name}: {image.size} is not {expected.size}"
    distance = mean_distance(image, expected)
    if distance > tolerance:
        OUT.mkdir(exist_ok=True)
        image.save(OUT / f"{name}-got.png")
        expected.save(OUT / f"{name}-expected.png")
        raise AssertionError(f"{name}: mean distance {distance:.2f} is over {tolerance}; both are in {OUT}")


def mean_distance(one: Image.Image, other: Image.Image) -> float:
    """Mean difference of all samples, from 0 to 255."""
    histogram = ImageChops.difference(one, other).histogram()
    return sum(count * (index % 256) for index, count in enumerate(histogram)) / sum(histogram)
