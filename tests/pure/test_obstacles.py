"""What stands in the way of a plan is refused in one way: every obstacle at once, by one function."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import schema_kit
from schema_kit.errors import PlanError, refuse_for

pytestmark = pytest.mark.docs

PACKAGE = Path(schema_kit.__file__).parent


def test_nothing_in_the_way_is_not_refused() -> None:
    refuse_for("cannot do it", iter(()))


@pytest.mark.parametrize(
    ("lines", "text"),
    [(False, "cannot do it: a; b. Do c."), (True, "cannot do it:\n  - a\n  - b Do c.")],
    ids=["in one line", "line by line"],
)
def test_all_obstacles_are_named(lines: bool, text: str) -> None:
    with pytest.raises(PlanError) as refused:
        refuse_for("cannot do it", (one for one in "ab"), then=" Do c.", lines=lines)
    assert refused.value.reason == text


def _joined(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and node.exc and "'; '.join" in ast.unparse(node.exc):
            yield node.lineno


def test_no_other_place_joins_obstacles_to_a_refusal() -> None:
    assert list(_joined(ast.parse("raise PlanError('; '.join(why))"))) == [1]
    found = {
        f"{path.relative_to(PACKAGE)}:{line}"
        for floor in ("plans", "tasks", "ops", "files", "catalog", "steps", "cli")
        for path in (PACKAGE / floor).rglob("*.py")
        for line in _joined(ast.parse(path.read_text("utf-8")))
    }
    assert found == set()
