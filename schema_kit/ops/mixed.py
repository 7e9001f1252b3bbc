"""Whether a revision mixes operations that commit on their own with work that joins its transaction, by its text.

Such a revision would be committed half-way, and could not be run again. What is called only under a condition, or
through another module, cannot be known beforehand: environment.run finds out when it happens.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from traceback import walk_stack
from types import FrameType, FunctionType
from typing import Any, NamedTuple

from schema_kit.errors import PlanError

NEUTRAL = {"f", "get_bind", "get_context", "inline_literal", "run_async", "lock_policy", "by_hash", "by_list"}
READS = re.compile(r"\s*(SET|RESET|SHOW|SELECT|LOCK|VALUES|TABLE|EXPLAIN|NOTIFY|LISTEN)\b", re.IGNORECASE)
_OPERATIONS = ("alembic.op", "schema_kit.op")


class Call(NamedTuple):
    """An operation that is called, and in which line."""

    name: str
    line: int


def refuse_mixed(commits: Callable[[str], bool]) -> None:
    """Refuse the revision that is running now, if its text mixes both kinds.

    Args:
        commits: whether the operation of that name commits on its own.

    Raises:
        PlanError: it does; both calls are named.
    """
    frame = _revision(sys._getframe())
    if frame is None:
        return
    calls = list(_calls(frame.f_code, frame.f_globals, set()))
    own = next((call for call in calls if commits(call.name)), None)
    ordinary = next((call for call in calls if not commits(call.name)), None)
    if own and ordinary:
        raise PlanError(
            f"revision {frame.f_globals['revision']} calls op.{own.name} (line {own.line}), which commits on its own, "
            f"and op.{ordinary.name} (line {ordinary.line}), which joins the revision's transaction: it would be "
            "committed half-way, and could not be run again. Put the two kinds of operations into two revisions."
        )


def called_by(function: Any) -> Iterator[Call]:
    """Yield the operations that the function of a revision certainly calls, by its text."""
    function = inspect.unwrap(function)
    if isinstance(function, FunctionType):
        yield from _calls(function.__code__, function.__globals__, set())


def _revision(frame: FrameType) -> FrameType | None:
    """Return the frame of the function that Alembic has called, of a module that is a revision."""
    callers = [one for one, _ in walk_stack(frame) if {"revision", "down_revision"} <= one.f_globals.keys()]
    return next((one for one in reversed(callers) if one.f_code.co_name != "<module>"), None)


def _calls(code: Any, names: dict[str, Any], seen: set[str]) -> Iterator[Call]:
    """Yield what is certainly called, functions of the same module followed."""
    seen.add(code.co_name)
    try:
        lines, first = inspect.getsourcelines(code)
        function = ast.parse(textwrap.dedent("".join(lines))).body[0]
    except (OSError, SyntaxError):  # no text to read
        return
    assert isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
    for node in _certain(function.body):
        target = node.func
        if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
            module = names.get(target.value.id)
            if getattr(module, "__name__", None) in _OPERATIONS and not _reads(target.attr, node):
                yield Call(target.attr, first + node.lineno - 1)
        elif isinstance(target, ast.Name) and target.id not in seen:
            function_called = names.get(target.id)
            if isinstance(function_called, FunctionType) and function_called.__globals__ is names:
                yield from _calls(function_called.__code__, names, seen)


def _certain(body: list[ast.stmt]) -> Iterator[ast.Call]:
    """The calls of statements that are run whatever happens, but for those in an autocommit block of the user's own."""
    for statement in body:
        match statement:
            case ast.If() | ast.While() | ast.FunctionDef() | ast.ClassDef() | ast.AsyncFunctionDef():
                continue
            case ast.With(items=items, body=inner):
                if not any(_is_autocommit(item.context_expr) for item in items):
                    for item in items:
                        yield from _within(item.context_expr)
                    yield from _certain(inner)
            case ast.For(iter=ast.List(elts=[_, *_]) | ast.Tuple(elts=[_, *_]), body=inner) | ast.Try(body=inner):
                yield from _certain(inner)
            case ast.For():
                continue
            case ast.Return():
                yield from _within(statement)
                return
            case _:
                yield from _within(statement)


def _within(node: ast.AST) -> Iterator[ast.Call]:
    later = (ast.Lambda, ast.IfExp, ast.BoolOp, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
    if isinstance(node, later):
        return
    for child in ast.iter_child_nodes(node):
        yield from _within(child)
    if isinstance(node, ast.Call):
        yield node


def _is_autocommit(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "autocommit_block"


def _reads(name: str, call: ast.Call) -> bool:
    """Return whether it leaves nothing to be committed, as far as the text says."""
    if name != "execute":
        return name in NEUTRAL
    statement = call.args[0] if call.args else None
    if isinstance(statement, ast.Call) and statement.args:  # sa.text("...")
        statement = statement.args[0]
    if isinstance(statement, ast.Constant) and isinstance(statement.value, str):
        return bool(READS.match(statement.value))
    return True  # unknown
