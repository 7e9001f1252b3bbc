"""The tests themselves: helpers lie in tests/support/, and each test says what it is about."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.docs

ROOT = Path(__file__).parents[2]
FILES = sorted(path.relative_to(ROOT) for path in (ROOT / "tests").rglob("*.py"))
OF_ANOTHER_KIND = {"deep", "even", "exhaustive", "further", "libraries", "majors", "odd", "pairwise", "postgres"}
"""Markers that say how a test is run, not what it is about."""


def imported(tree: ast.Module) -> Iterator[str]:
    """The modules that a file imports, anywhere in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def marks(nodes: list[ast.expr]) -> set[str]:
    """The names of the markers in decorators, or in what `pytestmark` is set to."""
    found = [node for whole in nodes for node in ast.walk(whole) if isinstance(node, ast.Attribute)]
    return {node.attr for node in found if ast.unparse(node.value) == "pytest.mark"}


def without_subject(tree: ast.Module, subjects: set[str]) -> list[str]:
    """The tests of a file that have no marker of a subject, their own or the file's."""
    for node in tree.body:
        if (
            isinstance(node, ast.Assign)
            and ast.unparse(node.targets[0]) == "pytestmark"
            and marks([node.value]) & subjects
        ):
            return []
    tests = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test")]
    return [test.name for test in tests if not marks(test.decorator_list) & subjects]


@pytest.mark.parametrize("path", FILES, ids=str)
def test_nothing_is_imported_from_a_test_file(path: Path) -> None:
    found = imported(ast.parse((ROOT / path).read_text(encoding="utf-8")))
    parts = [name.split(".") for name in found if name.startswith("tests.")]
    assert not [name for name in parts if any(part.startswith(("test_", "conftest")) for part in name)]


@pytest.mark.parametrize("path", [path for path in FILES if path.name.startswith("test_")], ids=str)
def test_each_test_has_a_subject(path: Path) -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pytest"]["ini_options"]
    subjects = {marker.partition(":")[0] for marker in settings["markers"]} - OF_ANOTHER_KIND
    assert without_subject(ast.parse((ROOT / path).read_text(encoding="utf-8")), subjects) == []


def test_no_file_is_longer_than_five_hundred_lines() -> None:
    """Those aside that are written by tools/."""
    places = ("migrations", "schema_kit", "tests", "tools")
    found = (path for place in places for path in (ROOT / place).rglob("*.py"))
    long = {str(path.relative_to(ROOT)) for path in found if len(path.read_text(encoding="utf-8").splitlines()) > 500}
    assert long == {"schema_kit/ops/classes.py"}


def test_a_test_without_a_subject_would_be_seen() -> None:
    text = """
pytestmark = pytest.mark.majors
@pytest.mark.parametrize("name", ["indexes"])
def test_one(): ...
@pytest.mark.indexes
def test_two(): ...
"""
    assert without_subject(ast.parse(text), {"indexes", "ttl"}) == ["test_one"]
    assert without_subject(ast.parse(text.replace("majors", "ttl")), {"indexes", "ttl"}) == []
    assert "tests.postgres.test_rows.checksum" in imported(ast.parse("from tests.postgres.test_rows import checksum"))
