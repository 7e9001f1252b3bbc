"""The words that CONTRIBUTING's glossary replaces occur in none of the places that were rewritten by it."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterator
from pathlib import Path

import alembic.op
import click
import pytest

from schema_kit.cli import cli
from schema_kit.ops.operation import OPERATIONS
from tools.reference import ROOT, command_help, pages

pytestmark = pytest.mark.docs


def glossary() -> list[str]:
    """The left-hand words."""
    table = (ROOT / "CONTRIBUTING.md").read_text("utf-8").split("## Words\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| ([^|]+) \| [^|]+ \|$", table, re.MULTILINE)
    return [word for row in rows[1:] if "---" not in row for word in row.split(", ")]


def prose(page: str) -> str:
    """A page without code, targets of links, and the words of steps."""
    for other in (r"```.*?```", r"^## What is sent\n.*?(?=^## |\Z)", r"^    .*?$", r"`[^`]*`", r"\]\([^)]*\)"):
        page = re.sub(other, " ", page, flags=re.DOTALL | re.MULTILINE)
    return page.replace("maintenance window", "")


def page(path: Path) -> Callable[[], str]:
    return lambda: prose(path.read_text("utf-8"))


SQL = re.compile(r"(SELECT|UNION|INSERT|UPDATE|DELETE|WHERE|FROM|CREATE|ALTER|DROP|HAVING|BEGIN)\b")


def allowed(text: str) -> str:
    """Without options, and without "there is no", which is what it says."""
    return re.sub(r"--[a-z-]+|there is no(ne)?\b", " ", text)


def messages() -> str:
    """What the package says when it runs: texts of more than a word that are neither docstrings nor SQL."""
    said = []
    for path in sorted((ROOT / "schema_kit").rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        said += [
            re.sub(r"a user nobody|\{[^}]*\}", " ", allowed(node.value))
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings
            if " " in node.value.strip() and not SQL.match(node.value.strip()) and "UNION ALL" not in node.value
        ]
    return "\n".join(said)


def comments(path: Path) -> Iterator[str]:
    """Docstrings, of attributes too, without names of parameters and code; and comments."""
    text = path.read_text("utf-8")
    said = [
        node.value.value
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    ]
    said += [one.string for one in tokenize.generate_tokens(io.StringIO(text).readline) if one.type == tokenize.COMMENT]
    names = r"^\s*\w+:\s|\bNone\b|\bGrid\b|\*\w+\*|`+[^`]*`+"
    return (re.sub(names, " ", allowed(one), flags=re.MULTILINE) for one in said)


def names(path: Path) -> Iterator[str]:
    """What its tests are called."""
    functions = (node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.FunctionDef))
    return (allowed(one.name.replace("_", " ")) for one in functions if one.name.startswith("test_"))


def below(folder: str) -> Callable[[], str]:
    files = sorted((ROOT / folder).glob("*.py"))
    return lambda: "\n".join(one for path in files for one in (*comments(path), *names(path)))


FOLDERS = sorted(
    {path.parent.relative_to(ROOT).as_posix() for of in ("schema_kit", "tests") for path in (ROOT / of).rglob("*.py")}
)
PLACES: dict[str, Callable[[], str]] = {
    **{path.relative_to(ROOT).as_posix(): page(path) for path in (*pages(), ROOT / "sql" / "README.md")},
    "docstrings of operations": lambda: "\n".join(getattr(alembic.op, name).__doc__ or "" for name in OPERATIONS),
    "help of commands": lambda: "\n".join(
        [*map(cli.text, cli.list_commands(click.Context(cli))), allowed(command_help())]
    ),
    "messages": messages,
    **{f"docstrings, comments and names of tests of {folder}": below(folder) for folder in FOLDERS},
}
"""What was rewritten by the glossary."""


def test_the_glossary_has_words_and_they_are_found() -> None:
    words = glossary()
    assert len(words) > 40
    assert {"anew", "whoever", "shall"} <= set(words)
    assert found("Whoever it is\nshall do it anew.") == ["anew", "shall", "whoever"]


def found(place: str) -> list[str]:
    said = " ".join(place.lower().split())
    return sorted(word for word in glossary() if re.search(rf"\b{re.escape(word.lower())}\b", said))


@pytest.mark.parametrize("place", PLACES)
def test_no_word_of_the_left_column_is_used(place: str) -> None:
    assert found(PLACES[place]()) == []
