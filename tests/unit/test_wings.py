"""The table of wings in docs/architecture.md says who may import whom, and the code keeps to it."""

from __future__ import annotations

import ast
import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TABLE = re.findall(
    r"^\| `([a-z_]+)(?:/|\.py)` \|[^|]*\| ([^|]*) \|$", (ROOT / "docs" / "architecture.md").read_text(), re.MULTILINE
)
MAY_IMPORT = {place: set(re.findall(r"`([a-z_]+)(?:/|\.py)`", allowed)) for place, allowed in TABLE}
FILES = sorted(
    path.relative_to(ROOT)
    for pattern in ("*.py", *(f"{place}/**/*.py" for place in MAY_IMPORT))
    for path in ROOT.glob(pattern)
)


def place_of(file: Path) -> str:
    return file.parts[0].removesuffix(".py")


def imports_of(source: str) -> set[str]:
    """The modules that a source imports anywhere in it, as `import a.b` or `from a import b`."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.module, "imports are absolute here"
            assert node.level == 0, "imports are absolute here"
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def forbidden(place: str, source: str) -> set[str]:
    """The imports of a file at this place that the table does not allow."""
    ours = {name for name in imports_of(source) if name.split(".")[0] in MAY_IMPORT}
    return {name for name in ours if name.split(".")[0] not in MAY_IMPORT[place] | {place}}


def test_the_table_names_every_place() -> None:
    folders = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "demo", "bench", "deploy"}
    assert set(MAY_IMPORT) == folders | {path.stem for path in ROOT.glob("*.py")}


@pytest.mark.parametrize("file", FILES, ids=str)
def test_a_file_imports_what_the_table_allows(file: Path) -> None:
    assert not forbidden(place_of(file), (ROOT / file).read_text())


@pytest.mark.parametrize("place", MAY_IMPORT)
def test_the_table_allows_no_more_than_is_imported(place: str) -> None:
    sources = [(ROOT / file).read_text() for file in FILES if place_of(file) == place]
    imported = {name.split(".")[0] for source in sources for name in imports_of(source)}
    assert MAY_IMPORT[place] <= imported


def test_an_import_that_is_not_allowed_is_found() -> None:
    assert forbidden("media", "def late() -> None:\n    from relay.stream import Stream\n") == {
        "relay.stream",
        "relay.stream.Stream",
    }
    assert forbidden("scoring", "import media.switch") == {"media.switch"}


def test_no_circle_in_the_table() -> None:
    tuple(TopologicalSorter(MAY_IMPORT).static_order())


def test_no_circle_among_the_files() -> None:
    modules = {".".join(file.with_suffix("").parts).removesuffix(".__init__"): file for file in FILES}
    graph = {
        name: {other for other in imports_of((ROOT / file).read_text()) if other in modules and other != name}
        for name, file in modules.items()
    }
    try:
        tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(f"these import each other: {' -> '.join(error.args[1])}")


@pytest.mark.parametrize("place", sorted({file.parts[0] for file in FILES if len(file.parts) > 1}))
def test_a_wing_says_what_it_is_for(place: str) -> None:
    tree = ast.parse((ROOT / place / "__init__.py").read_text())
    assert len((ast.get_docstring(tree) or "").splitlines()) >= 4
    assert len(tree.body) == 1, "a wing re-exports nothing"
