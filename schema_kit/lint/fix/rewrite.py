"""A revision's file with calls of our operations in place of the calls that were found fault with."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import libcst as cst

from schema_kit.lint.fix.calls import Calls, argument, keywords
from schema_kit.lint.fix.source import Source
from schema_kit.lint.fix.statements import CannotRewrite, quoted
from schema_kit.lint.instead import CALLS


@dataclass(frozen=True)
class Asked:
    """What is to be written with our operations.

    Args:
        lines: calls on these have to be replaced.
        maybe: those on these, if they can be: what fails there may be mended elsewhere.
        left: checks that a detached partition is left with, by its name: they are dropped again.
        whole: so is every other call that has a counterpart, if it can be.
        back: and those of the downgrade, if they can be.
    """

    lines: frozenset[int]
    maybe: frozenset[int] = frozenset()
    left: Mapping[str, str] = field(default_factory=dict)
    whole: bool = False
    back: bool = True


def rewritten(source: Source, asked: Asked) -> cst.Module:
    """Return the file with our operations in it; the same tree where nothing changes.

    Raises:
        CannotRewrite: a call on one of the lines has no counterpart; it names the line.
    """
    rewriter = _Rewriter(source, asked)
    changed = source.wrapper.visit(rewriter)
    if not rewriter.changed:
        return source.module
    changed = changed.visit(_Imports(source))
    if re.search(r"\bsa\.", changed.code) and not source.sqlalchemy:
        changed = _with_sqlalchemy(changed)
    return changed


class _Rewriter(cst.CSTTransformer):
    def __init__(self, source: Source, asked: Asked) -> None:
        super().__init__()
        self.changed = False
        self._source, self._given = source, asked
        self._calls = Calls(source)
        self._functions = list[str]()
        self._op = next((one for one in ("op", *sorted(source.operations)) if one in source.operations), "op")

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:  # noqa: N802
        self._functions.append(node.name.value)

    def leave_FunctionDef(  # noqa: N802
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.FunctionDef:
        self._functions.pop()
        return updated_node

    def _asked(self, node: cst.CSTNode) -> tuple[bool, bool]:
        """Return whether a statement is to be replaced, and whether it has to be."""
        there = set(self._source.lines(node))
        strict = bool(self._given.lines & there)
        back = bool(self._functions) and self._functions[0] == "downgrade"
        may = self._given.back if back else self._given.whole or bool(self._given.maybe & there)
        return strict or may, strict and not back

    def _ours(self, call: cst.BaseExpression, line: int, *, strict: bool) -> list[cst.Call] | None:
        name = self._source.operation(call)
        if not name:
            return None
        assert isinstance(call, cst.Call)
        assert isinstance(call.func, cst.Attribute)
        of = call.func.value
        op = of.value if isinstance(of, cst.Name) and of.value in self._source.operations else self._op
        try:
            found = self._calls.ours(call, name, op, strict)
        except CannotRewrite as error:
            if not strict:
                return None
            raise CannotRewrite(f"line {line}: op.{name}: {error}") from error
        self.changed = self.changed or bool(found)
        return found and [new for one in found for new in (one, *self._left(one, op))]

    def _left(self, call: cst.Call, op: str) -> Iterator[cst.Call]:
        """Yield the call that drops the check which a partition keeps of its bounds."""
        part = argument(call, 1, "partition_name") if self._source.operation(call) == CALLS["detach"] else None
        if part is not None and (check := self._given.left.get(self._source.value(part) or "")):
            schema = keywords(call).get("partition_schema", keywords(call).get("schema"))
            more = f", schema={self._source.code(schema)}" if schema else ""
            text = f"{op}.drop_constraint({quoted(check)}, {self._source.code(part)}{more})"
            yield cst.ensure_type(cst.parse_expression(text), cst.Call)

    def leave_SimpleStatementLine(  # noqa: N802
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> cst.BaseStatement | cst.FlattenSentinel[cst.BaseStatement] | cst.RemovalSentinel:
        if self._functions and len(original_node.body) == 1 and self._source.commits(original_node.body[0]):
            return cst.RemoveFromParent()  # operations commit on their own, and so does each revision of a chain
        asked, strict = self._asked(original_node)
        if not asked or not self._functions:
            return updated_node
        line = self._source.lines(original_node).start
        small = list[tuple[cst.BaseSmallStatement, list[cst.Call] | None]]()
        for one in updated_node.body:
            ours = self._ours(one.value, line, strict=strict) if isinstance(one, cst.Expr) else None
            small.append((one, ours))
        if all(ours is None or len(ours) == 1 for _, ours in small):
            body = [one.with_changes(value=ours[0]) if ours else one for one, ours in small]
            return updated_node.with_changes(body=body)
        plain = [
            cst.SimpleStatementLine([new])
            for one, ours in small
            for new in (
                [cst.Expr(call) for call in ours] if ours else [one.with_changes(semicolon=cst.MaybeSentinel.DEFAULT)]
            )
        ]
        return cst.FlattenSentinel(_dressed(plain, updated_node.leading_lines, updated_node.trailing_whitespace))

    def leave_With(  # noqa: N802
        self, original_node: cst.With, updated_node: cst.With
    ) -> cst.BaseStatement | cst.FlattenSentinel[cst.BaseStatement]:
        asked, strict = self._asked(original_node)
        if not asked or len(original_node.items) != 1:
            return updated_node
        item = original_node.items[0]
        if self._source.operation(item.item) != "batch_alter_table" or item.asname is None:
            return updated_node
        line = self._source.lines(original_node).start
        try:
            return self._unrolled(
                original_node, cast(cst.Call, item.item), self._source.code(item.asname.name), line, strict
            )
        except CannotRewrite as error:
            if not strict:
                return updated_node
            raise CannotRewrite(f"line {line}: op.batch_alter_table: {error}") from error

    def _unrolled(
        self, node: cst.With, opened: cst.Call, batch: str, line: int, strict: bool
    ) -> cst.FlattenSentinel[cst.BaseStatement]:
        """Return each call of a block as a call of its own: on PostgreSQL that is what the block sends."""
        table, schema = argument(opened, 0, "table_name"), argument(opened, 1, "schema")
        if table is None or set(keywords(opened)) - {"table_name", "schema"}:
            raise CannotRewrite("the block has options of its own")
        found, comments = list[cst.SimpleStatementLine](), list(node.leading_lines)
        assert isinstance(opened.func, cst.Attribute)
        for statement in node.body.body:
            calls = _members(statement, batch)
            lines = list[cst.SimpleStatementLine]()
            for call in calls:
                plain = _outside(call, opened.func.value, table, schema)
                ours = self._ours(plain, line, strict=strict)
                lines += [cst.SimpleStatementLine([cst.Expr(one)]) for one in ours or [plain]]
            assert isinstance(statement, cst.SimpleStatementLine)
            found += _dressed(lines, [*comments, *statement.leading_lines], statement.trailing_whitespace)
            comments = []
        self.changed = True
        return cst.FlattenSentinel(found)


def _members(statement: cst.BaseStatement | cst.BaseSmallStatement, batch: str) -> list[cst.Call]:
    found = list[cst.Call]()
    for one in statement.body if isinstance(statement, cst.SimpleStatementLine) else [None]:
        call = one.value if isinstance(one, cst.Expr) else None
        func = call.func if isinstance(call, cst.Call) else None
        of = func.value if isinstance(func, cst.Attribute) else None
        if not isinstance(of, cst.Name) or of.value != batch or not isinstance(call, cst.Call):
            raise CannotRewrite("the block holds more than calls of its operations")
        found.append(call)
    return found


_PLACE = {
    "create_index": 1, "drop_index": 1, "create_foreign_key": 1, "create_check_constraint": 1,
    "create_unique_constraint": 1, "create_primary_key": 1, "drop_constraint": 1, "create_exclude_constraint": 1,
    "add_column": 0, "drop_column": 0, "alter_column": 0,
}  # fmt: skip
"""Where an operation takes the table that a batch knows already."""


def _outside(
    call: cst.Call, op: cst.BaseExpression, table: cst.BaseExpression, schema: cst.BaseExpression | None
) -> cst.Call:
    assert isinstance(call.func, cst.Attribute)
    name = call.func.attr.value
    if name not in _PLACE or {"insert_before", "insert_after"} & keywords(call).keys():
        raise CannotRewrite(f"op.{name} of a batch is not carried over")
    is_key = name == "create_foreign_key"
    args, place = list(call.args), _PLACE[name]
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    if all(one.keyword is None for one in args[:place]) and len(args) >= place:
        if place == len(args) and args:
            args[-1] = args[-1].with_changes(comma=comma)
        args.insert(place, cst.Arg(table, comma=comma if len(args) > place else cst.MaybeSentinel.DEFAULT))
    else:
        args.append(_keyword("source_table" if is_key else "table_name", table))
    if schema is not None:
        args.append(_keyword("source_schema" if is_key else "schema", schema))
    return call.with_changes(func=call.func.with_changes(value=op), args=args)


def _keyword(name: str, value: cst.BaseExpression) -> cst.Arg:
    equal = cst.AssignEqual(whitespace_before=cst.SimpleWhitespace(""), whitespace_after=cst.SimpleWhitespace(""))
    return cst.Arg(value, keyword=cst.Name(name), equal=equal)


def _dressed(
    lines: Sequence[cst.SimpleStatementLine], before: Sequence[cst.EmptyLine], behind: cst.TrailingWhitespace
) -> list[cst.SimpleStatementLine]:
    """Lines with the comments that stood before, and behind, what they replace."""
    found = list(lines)
    found[0] = found[0].with_changes(leading_lines=list(before))
    found[-1] = found[-1].with_changes(trailing_whitespace=behind)
    return found


class _Imports(cst.CSTTransformer):
    """``from alembic import op`` becomes ``from schema_kit import op``, which has both."""

    def __init__(self, source: Source) -> None:
        super().__init__()
        self._code = source.code

    def leave_SimpleStatementLine(  # noqa: N802
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> cst.BaseStatement | cst.FlattenSentinel[cst.BaseStatement]:
        one = updated_node.body[0]
        if not isinstance(one, cst.ImportFrom) or isinstance(one.names, cst.ImportStar) or len(updated_node.body) > 1:
            return updated_node
        if one.module is None or self._code(one.module) != "alembic":
            return updated_node
        ours = [alias for alias in one.names if alias.evaluated_name == "op"]
        others = [alias for alias in one.names if alias.evaluated_name != "op"]
        if not ours:
            return updated_node
        moved = one.with_changes(module=cst.Name("schema_kit"), names=_listed(ours), lpar=None, rpar=None)
        if not others:
            return updated_node.with_changes(body=[moved])
        left = updated_node.with_changes(body=[one.with_changes(names=_listed(others))])
        return cst.FlattenSentinel([left, cst.SimpleStatementLine([moved])])


def _listed(names: Sequence[cst.ImportAlias]) -> list[cst.ImportAlias]:
    return [*names[:-1], names[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)]


def _with_sqlalchemy(module: cst.Module) -> cst.Module:
    """With ``import sqlalchemy as sa`` before the first import that is not of the future."""
    for place, statement in enumerate(module.body):
        one = statement.body[0] if isinstance(statement, cst.SimpleStatementLine) else None
        future = (
            isinstance(one, cst.ImportFrom) and isinstance(one.module, cst.Name) and one.module.value == "__future__"
        )
        if isinstance(one, cst.Import | cst.ImportFrom) and not future:
            added = cst.parse_statement("import sqlalchemy as sa")
            assert isinstance(added, cst.SimpleStatementLine)
            assert isinstance(statement, cst.SimpleStatementLine)
            added = added.with_changes(leading_lines=statement.leading_lines)
            body = [*module.body[:place], added, statement.with_changes(leading_lines=()), *module.body[place + 1 :]]
            return module.with_changes(body=body)
    return module
