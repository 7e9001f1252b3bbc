"""That nothing was changed is said in one place, by the one who knows, and once."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import schema_kit
from schema_kit.errors import (
    UNCHANGED,
    DeclarationError,
    ExecutionError,
    PlanError,
    Refusal,
    changed,
    saying_unchanged,
)

pytestmark = pytest.mark.cli

PACKAGE = Path(schema_kit.__file__).parent


def _texts(tree: ast.AST) -> Iterator[str]:
    """Every text of a module but its docstrings, and f-strings with their fields left out."""
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_message_says_it_by_itself(path: Path) -> None:
    said = [text for text in _texts(ast.parse(path.read_text())) if "nothing was changed" in text.lower()]
    assert said == ([UNCHANGED] if path.name == "errors.py" else [])


REASONS = {
    "there is no table t.": "there is no table t. Nothing was changed.",
    "cannot do it:\n  - one\n  - two": "cannot do it:\n  - one\n  - two\nNothing was changed.",
    "two lines:\nmake it so.": "two lines:\nmake it so.\nNothing was changed.",
    "choose another schema: --schema other": "choose another schema: --schema other\nNothing was changed.",
}


@pytest.mark.parametrize("kind", [PlanError, DeclarationError])
@pytest.mark.parametrize("reason", REASONS)
@pytest.mark.parametrize("levels", [0, 1, 3])
def test_it_is_said_once_however_many_say_it(kind: type[Refusal], reason: str, levels: int) -> None:
    def refuse() -> None:
        raise kind(reason)

    for _ in range(levels):
        refuse = saying_unchanged()(refuse)
    with pytest.raises(kind) as caught:
        refuse()
    assert str(caught.value) == (REASONS[reason] if levels else reason)
    assert caught.value.reason == reason


def test_the_outermost_decides() -> None:
    @saying_unchanged()
    def one() -> None:
        changed("one")

    @saying_unchanged()
    def two() -> None:
        raise PlanError("two is refused.")

    @saying_unchanged()
    def command() -> None:
        one()
        with pytest.raises(PlanError, match=UNCHANGED):  # this one has changed nothing
            two()
        two()

    with pytest.raises(PlanError) as caught:
        command()
    assert str(caught.value) == "two is refused."


def test_a_change_is_of_its_own_command() -> None:
    with saying_unchanged():
        changed("one")
    changed("nobody asks")
    with pytest.raises(PlanError, match=UNCHANGED), saying_unchanged():
        raise PlanError("refused.")


def test_only_a_refusal_says_it() -> None:
    with pytest.raises(ExecutionError) as caught, saying_unchanged():
        raise ExecutionError("PostgreSQL refused.")
    assert str(caught.value) == "PostgreSQL refused."
