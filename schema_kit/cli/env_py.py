"""The text of an env.py: what it lacks for operations that commit on their own, and what is in their way."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from textwrap import dedent, indent

_IMPORT = "import schema_kit.ops  # noqa: F401 - op has schema_kit's operations from here on"
_PER_REVISION = ", transaction_per_migration=True"
_OF_EACH = "# one engine after the other: each revision has a transaction of its own\n"
_OF_ALL = re.compile(r"# for the direct-to-DB use case, start a transaction on all\n\s*# engines, then run .*\n")
_TRANSACTION = re.compile(r"""\[["']transaction["']\]\s*=""")
_TWO_PHASES = re.compile(r"^USE_TWOPHASE\s*=\s*True", re.MULTILINE)
_BEGUN = re.compile(r"\bwith\s+[\w.]+\.begin\(\)\s+as\s+(\w+)")


def completed(text: str) -> str:
    """Return env.py with the operations, and a transaction for each revision where it configures a connection itself.

    Raises:
        SyntaxError: it is not Python.
    """
    tree = ast.parse(text)
    if "schema_kit" not in text:
        lines = text.splitlines(keepends=True)
        ends = [one.end_lineno or 0 for one in tree.body if isinstance(one, ast.Import | ast.ImportFrom)]
        place = max(ends, default=0)
        text = "".join((*lines[:place], f"\n{_IMPORT}\n", *lines[place:]))
    if "environment.run" not in text and not _TWO_PHASES.search(text):
        text = _one_after_the_other(text)
    if "environment.run" not in text and "transaction_per_migration" not in text:
        text = _per_revision(text)
    return text


def begins(text: str) -> bool:
    """Return whether it begins the migrations' transaction itself: as the template multidb does, or by begin()."""
    if _TRANSACTION.search(text):
        return True
    return any(re.search(rf"\bconnection={name}\b", text) for name in _BEGUN.findall(text))


def _per_revision(text: str) -> str:
    lines = text.splitlines(keepends=True)
    given = [key for call in _calls(ast.parse(text), "configure") for key in call.keywords if key.arg == "connection"]
    for key in reversed(given):
        line = lines[(key.value.end_lineno or 0) - 1].encode()
        end = key.value.end_col_offset or 0
        lines[(key.value.end_lineno or 0) - 1] = (line[:end] + _PER_REVISION.encode() + line[end:]).decode()
    return "".join(lines)


def _calls(tree: ast.AST, name: str) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == name:
            yield node


def _one_after_the_other(text: str) -> str:
    """Return the loop of the template multidb with a connection for each engine, and no transaction over all."""
    for function in ast.parse(text).body:
        body = function.body if isinstance(function, ast.FunctionDef) else []
        for begin, work in pairwise(body):
            if isinstance(begin, ast.For) and isinstance(work, ast.Try) and isinstance(work.body[0], ast.For):
                lines = text.splitlines(keepends=True)
                if _TRANSACTION.search("".join(lines[begin.lineno - 1 : begin.end_lineno])):
                    loop = "".join(_loop(lines, work.body[0]))
                    whole = "".join((*lines[: begin.lineno - 1], loop, *lines[work.end_lineno or 0 :]))
                    return _OF_ALL.sub(_OF_EACH, whole)
    return text


def _loop(lines: list[str], loop: ast.For) -> Iterator[str]:
    """Yield the lines of the loop over the engines, one step further out."""
    yield lines[loop.lineno - 1][4:]
    opened = False
    for one in loop.body:
        source = dedent("".join(lines[one.lineno - 1 : one.end_lineno]))
        if not opened and [*_calls(one, "configure")]:
            yield indent('with rec["engine"].connect() as connection:\n', " " * 8)
            opened = True
        if [*_calls(one, "run_migrations")]:
            source = f"with context.begin_transaction():\n{indent(source, ' ' * 4)}"
        source = re.sub(r"""rec\[["']connection["']\]""", "connection", source)
        yield indent(source, " " * (12 if opened else 8))
