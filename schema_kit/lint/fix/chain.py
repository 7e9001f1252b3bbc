"""A revision that holds operations of two kinds -> revisions that follow one another, each of one kind."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import libcst as cst
import libcst.matchers as m

from schema_kit.lint.fix.source import Source
from schema_kit.lint.fix.statements import CannotRewrite, quoted
from schema_kit.ops.mixed import NEUTRAL, READS
from schema_kit.ops.operation import OPERATIONS

_OWN, _JOINS, _BLOCK = "commits on its own", "joins the transaction", "an autocommit block"
_HARMLESS = {
    "postgresql", "sa", "str", "int", "list", "tuple", "range", "dict", "set", "zip", "len", "sorted", "enumerate",
    "print", "logging", "logger", "log",
}  # fmt: skip
"""What is called without anything being sent."""
_WORDS = {
    "alter", "table", "add", "column", "create", "drop", "index", "constraint", "on", "set", "default", "public",
    "select", "from", "update", "where",
}  # fmt: skip

_THING = re.compile(r"\b(?:CREATE|DROP|ADD)\s+(?:OR\s+REPLACE\s+|UNIQUE\s+|MATERIALIZED\s+)*(\w+)", re.IGNORECASE)
_OPERATION_THING = re.compile(r"^(create|drop|add)_|_concurrently$")
_KEYS = dict.fromkeys(("foreign_key", "primary_key", "unique_constraint", "check_constraint"), "constraint")


@dataclass(frozen=True)
class Part:
    """One revision of a chain.

    Args:
        revision: its identifier.
        text: its file.
    """

    revision: str
    text: str


@dataclass
class _Statement:
    node: cst.BaseStatement
    kinds: set[str]
    copied: bool
    """It only gives names, so it may stand in several revisions."""
    defines: set[str]
    uses: set[str]
    words: set[str]
    things: set[str]
    """What it makes or drops: tables, columns."""
    makes: bool

    @property
    def acts(self) -> bool:
        return bool(self.kinds)


def chained(source: Source, revision: str, taken: frozenset[str]) -> tuple[Part, ...]:
    """Return the revisions that a file becomes; one, as it is, where it holds one kind. The last keeps the identifier.

    Args:
        source: the file, rewritten.
        revision: its identifier.
        taken: identifiers that the project has.

    Raises:
        CannotRewrite: it cannot be split, or its downgrade cannot.
    """
    reader = _Reader(source)
    up, down = reader.statements("upgrade"), reader.statements("downgrade")
    parts = _cut(up)
    if len(parts) == 1:
        _refuse_mixed(down)
        return (Part(revision, source.module.code),)
    backs = _shared_out(down, parts)
    names = [f"{revision}_{place}" for place in range(1, len(parts))]
    if taken & set(names):
        raise CannotRewrite(f"the project has revisions {', '.join(names)} already")
    names.append(revision)
    before: str | None = None
    found = list[Part]()
    for place, (name, body, back) in enumerate(zip(names, parts, backs, strict=True)):
        module = _Written(name, before, is_first=not place, is_last=name == revision, up=body, down=back).of(
            source.module
        )
        found.append(Part(name, _described(module.code, name, before)))
        before = name
    return tuple(found)


class _Reader:
    def __init__(self, source: Source) -> None:
        self._source = source
        functions = [one for one in m.findall(source.module, m.FunctionDef()) if isinstance(one, cst.FunctionDef)]
        self._functions = {one.name.value: one for one in functions}
        self._plain = {source.sqlalchemy, *_HARMLESS, *source.of_sqlalchemy}

    def statements(self, name: str) -> list[_Statement]:
        function = self._functions.get(name)
        return [self._read(one) for one in function.body.body if isinstance(one, cst.BaseStatement)] if function else []

    def _read(self, node: cst.BaseStatement) -> _Statement:
        kinds = self._kinds(node, set())
        names = {one.value for one in m.findall(node, m.Name()) if isinstance(one, cst.Name)}
        strings = [one for one in m.findall(node, m.SimpleString()) if isinstance(one, cst.SimpleString)]
        words = {word.lower() for one in strings for word in re.findall(r"\w+", str(one.evaluated_value))} - _WORDS
        called = [self._source.operation(one) for one in m.findall(node, m.Call()) if isinstance(one, cst.Call)]
        makes = any(one.startswith(("create_", "add_")) for one in called)
        copied = not kinds and not m.matches(node, m.SimpleStatementLine(body=[m.Expr() | m.Pass()]))
        sql = [found[1].lower() for one in strings for found in _THING.finditer(str(one.evaluated_value))]
        things = {_KEYS.get(one, one) for one in (*sql, *(_OPERATION_THING.sub("", name) for name in called if name))}
        return _Statement(node, kinds, copied, _defined(node), names, words, things, makes)

    def _kinds(self, node: cst.CSTNode, seen: set[str]) -> set[str]:
        """Return what a statement does, functions of the file followed where they are called."""
        if isinstance(node, cst.FunctionDef | cst.Lambda | cst.Raise):
            return set()
        found = set[str]()
        if isinstance(node, cst.With) and any("autocommit_block" in self._source.code(one.item) for one in node.items):
            inside = self._kinds(node.body, seen)
            return {_OWN} if _OWN in inside else {_BLOCK}
        if isinstance(node, cst.Call):
            found |= self._kind(node, seen)
        for child in node.children:
            found |= self._kinds(child, seen)
        return found

    def _kind(self, call: cst.Call, seen: set[str]) -> set[str]:
        name, func = self._source.operation(call), call.func
        if name:
            sql = self._source.value(call.args[0].value) if name == "execute" and call.args else None
            if name in NEUTRAL or (sql is not None and READS.match(sql) and not re.search(r"\bsetval\b", sql)):
                return set()
            return {_OWN if name in OPERATIONS and not OPERATIONS[name].shared else _JOINS}
        if isinstance(func, cst.Name) and func.value in self._functions:
            if func.value in seen:
                return set()
            return self._kinds(self._functions[func.value].body, {*seen, func.value})
        first = self._source.code(func).split(".")[0].split("(")[0]
        plain = first in self._plain
        within_op = first in self._source.operations  # op.get_bind().execute(...) is an operation already
        return set() if plain or within_op else {_JOINS}


def _defined(node: cst.BaseStatement) -> set[str]:
    if isinstance(node, cst.FunctionDef | cst.ClassDef):
        return {node.name.value}
    found = set[str]()
    for one in m.findall(node, m.AssignTarget() | m.AnnAssign() | m.ImportAlias()):
        if isinstance(one, cst.ImportAlias):
            found.add(one.evaluated_alias or one.evaluated_name.split(".")[0])
        elif isinstance(one, cst.AssignTarget | cst.AnnAssign):
            found |= {name.value for name in m.findall(one.target, m.Name()) if isinstance(name, cst.Name)}
    return found


def _cut(statements: Sequence[_Statement]) -> list[list[_Statement]]:
    """Runs of statements of one kind."""
    parts, now = [list[_Statement]()], ""
    for one in statements:
        kinds = one.kinds - {_BLOCK}
        if len(kinds) > 1:
            raise CannotRewrite("one statement of it holds operations of both kinds")
        kind = next(iter(kinds), "")
        if kind and now and kind != now:
            parts.append([])
        now = kind or now
        parts[-1].append(one)
    for place in range(1, len(parts)):
        parts[place] = [*_needed(parts[place], [one for part in parts[:place] for one in part]), *parts[place]]
    return parts


def _needed(part: Sequence[_Statement], before: Sequence[_Statement]) -> list[_Statement]:
    """Return what of earlier statements gives names that a part uses."""
    uses, found = {name for one in part for name in one.uses}, list[_Statement]()
    for one in reversed(before):
        if one.defines & uses:
            if not one.copied:
                raise CannotRewrite(f"{', '.join(sorted(one.defines & uses))} would be needed in two revisions")
            found.insert(0, one)
            uses |= one.uses
    return found


def _shared_out(down: Sequence[_Statement], parts: Sequence[Sequence[_Statement]]) -> list[list[_Statement]]:
    """Return the statements of a downgrade, each with the revision that made what it takes away."""
    acting = [one for one in down if one.acts]
    if not acting:
        return [list(down) for _ in parts]
    homes = dict[int, int]()
    for one in acting:
        likeness = [max((_like(one, other) for other in part if other.acts), default=0.0) for part in parts]
        if max(likeness) <= 0:
            raise CannotRewrite("it does not show which part of its downgrade takes back which part of it")
        homes[id(one)] = likeness.index(max(likeness))
    found = list[list[_Statement]]()
    for place in range(len(parts)):
        own = [one for one in acting if homes[id(one)] == place]
        _refuse_mixed(own)
        body = [*_needed(own, [one for one in down if not one.acts]), *own]
        found.append(body)
    return found


def _like(down: _Statement, up: _Statement) -> float:
    shared = down.words & up.words
    if not shared:
        return 0.0
    alike = len(shared) / len(down.words) + len(shared) / len(down.words | up.words)
    return alike + up.makes / 2 + bool(down.things & up.things)


def _refuse_mixed(statements: Sequence[_Statement]) -> None:
    if len({kind for one in statements for kind in one.kinds} - {_BLOCK}) > 1:
        raise CannotRewrite("its downgrade holds operations of both kinds")


@dataclass(frozen=True)
class _Written:
    revision: str
    before: str | None
    is_first: bool
    is_last: bool
    up: Sequence[_Statement]
    down: Sequence[_Statement]
    values: dict[str, str] = field(default_factory=dict)

    def of(self, module: cst.Module) -> cst.Module:
        """Return the file of one revision."""
        self.values["revision"] = quoted(self.revision)
        if not self.is_first:
            self.values.update(down_revision=quoted(self.before or ""), depends_on="None")
        if not self.is_last:
            self.values["branch_labels"] = "None"
        return module.with_changes(body=[self._statement(one) for one in module.body])

    def _statement(self, node: cst.BaseStatement) -> cst.BaseStatement:
        if isinstance(node, cst.FunctionDef) and node.name.value in ("upgrade", "downgrade"):
            body = [one.node for one in (self.up if node.name.value == "upgrade" else self.down)]
            written = body or [cst.parse_statement("pass")]
            footer = node.body.footer if self.is_last and isinstance(node.body, cst.IndentedBlock) else ()
            return node.with_changes(body=node.body.with_changes(body=written, footer=footer))
        if isinstance(node, cst.SimpleStatementLine):
            return node.with_changes(body=[self._header(one) for one in node.body])
        return node

    def _header(self, node: cst.BaseSmallStatement) -> cst.BaseSmallStatement:
        if isinstance(node, cst.AnnAssign) and isinstance(node.target, cst.Name) and node.target.value in self.values:
            return node.with_changes(value=cst.parse_expression(self.values[node.target.value]))
        if not isinstance(node, cst.Assign) or len(node.targets) != 1:
            return node
        target = node.targets[0].target
        if isinstance(target, cst.Name) and target.value in self.values:
            return node.with_changes(value=cst.parse_expression(self.values[target.value]))
        if isinstance(target, cst.Tuple) and isinstance(node.value, cst.Tuple):
            names = [one.value.value if isinstance(one.value, cst.Name) else "" for one in target.elements]
            elements = [
                one.with_changes(value=cst.parse_expression(self.values[name])) if name in self.values else one
                for name, one in zip(names, node.value.elements, strict=True)
            ]
            return node.with_changes(value=node.value.with_changes(elements=elements))
        return node


def _described(text: str, revision: str, before: str | None) -> str:
    """Return the lines of Alembic's docstring, where there are some."""
    text = re.sub(r"^(Revision ID:[ \t]*).*$", lambda found: found[1] + revision, text, count=1, flags=re.MULTILINE)
    if before:
        text = re.sub(r"^(Revises:[ \t]*).*$", lambda found: found[1] + before, text, count=1, flags=re.MULTILINE)
    return text
