"""A revision's file as a tree that keeps every letter: what it calls the operations, and which values are known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import libcst as cst
import libcst.matchers as m
from libcst.metadata import MetadataWrapper, PositionProvider

_OPERATIONS = ("alembic", "schema_kit")
_EXECUTES = {"execute", "exec_driver_sql"}


@dataclass
class Source:
    """One file.

    Args:
        text: what is in it.
    """

    text: str
    wrapper: MetadataWrapper = field(init=False)
    operations: frozenset[str] = field(init=False)
    """What the file calls `alembic.op`."""

    def __post_init__(self) -> None:
        self.wrapper = MetadataWrapper(cst.parse_module(self.text))
        self._positions = self.wrapper.resolve(PositionProvider)
        self.operations = frozenset(self._imported("op", _OPERATIONS))
        self._values = dict[str, list[cst.BaseExpression | None]]()
        self.wrapper.module.visit(_Bindings(self._values))

    @property
    def module(self) -> cst.Module:
        """Its tree."""
        return self.wrapper.module

    @property
    def sqlalchemy(self) -> str:
        """What the file calls SQLAlchemy; empty where it does not import it."""
        for one in m.findall(self.module, m.ImportAlias(name=m.Name("sqlalchemy"))):
            assert isinstance(one, cst.ImportAlias)
            return one.evaluated_alias or "sqlalchemy"
        return ""

    @property
    def of_sqlalchemy(self) -> frozenset[str]:
        """What the file calls things that it imports from SQLAlchemy: types, functions."""
        found = [one for one in m.findall(self.module, m.ImportFrom()) if isinstance(one, cst.ImportFrom)]
        return frozenset(
            alias.evaluated_alias or alias.evaluated_name
            for one in found
            if one.module is not None and not isinstance(one.names, cst.ImportStar)
            for alias in one.names
            if self.code(one.module).split(".")[0] == "sqlalchemy"
        )

    def _imported(self, name: str, modules: Sequence[str]) -> Iterator[str]:
        for one in m.findall(self.module, m.ImportFrom()):
            assert isinstance(one, cst.ImportFrom)
            if one.module is None or self.code(one.module) not in modules or isinstance(one.names, cst.ImportStar):
                continue
            for alias in one.names:
                if alias.evaluated_name == name:
                    yield alias.evaluated_alias or name

    def code(self, node: cst.CSTNode) -> str:
        """Return a part of the tree as text."""
        return self.module.code_for_node(node)

    def lines(self, node: cst.CSTNode) -> range:
        """Return where it stands."""
        place = self._positions[node]
        return range(place.start.line, place.end.line + 1)

    def operation(self, node: cst.BaseExpression) -> str:
        """Return which of Alembic's operations a call is; ``execute`` also through the connection; or an empty text."""
        if not isinstance(node, cst.Call) or not isinstance(node.func, cst.Attribute):
            return ""
        called, of = node.func.attr.value, node.func.value
        if isinstance(of, cst.Name) and of.value in self.operations:
            return called
        return "execute" if called in _EXECUTES and self._is_bind(of) else ""

    def _is_bind(self, node: cst.BaseExpression | None) -> bool:
        if isinstance(node, cst.Name):
            values = self._values.get(node.value, [])
            return len(values) == 1 and not isinstance(values[0], cst.Name) and self._is_bind(values[0])
        return node is not None and self.operation(node) == "get_bind"

    def commits(self, node: cst.CSTNode) -> bool:
        """Return whether a statement is nothing but a COMMIT."""
        call = node.value if isinstance(node, cst.Expr) else None
        if not isinstance(call, cst.Call) or self.operation(call) != "execute" or not call.args:
            return False
        return (self.value(call.args[0].value) or "").strip("; \n").upper() in ("COMMIT", "END")

    def value(self, node: cst.BaseExpression | None) -> str | None:
        """Return the text that an expression is, whenever the revision runs; None where that cannot be known."""
        if isinstance(node, cst.SimpleString | cst.ConcatenatedString):
            found = node.evaluated_value
            if isinstance(found, str):
                return found
        if isinstance(node, cst.ConcatenatedString):
            return _joined(self.value(node.left), self.value(node.right))
        if isinstance(node, cst.FormattedString):
            return _joined(*(self._piece(part) for part in node.parts))
        if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Add):
            return _joined(self.value(node.left), self.value(node.right))
        if isinstance(node, cst.Name):
            values = self._values.get(node.value, [])
            return self.value(values[0]) if len(values) == 1 and not m.matches(values[0] or node, m.Name()) else None
        if isinstance(node, cst.Call) and len(node.args) == 1 and self.code(node.func).split(".")[-1] == "text":
            return self.value(node.args[0].value)
        return None

    def _piece(self, part: cst.BaseFormattedStringContent) -> str | None:
        if isinstance(part, cst.FormattedStringText):
            return part.value.replace("{{", "{").replace("}}", "}") if "\\" not in part.value else None
        assert isinstance(part, cst.FormattedStringExpression)
        return None if part.format_spec or part.conversion or part.equal else self.value(part.expression)


def _joined(*parts: str | None) -> str | None:
    return None if None in parts else "".join(part or "" for part in parts)


class _Bindings(cst.CSTVisitor):
    """Every value that a name is bound to; None where it is bound by something else than one plain assignment."""

    def __init__(self, values: dict[str, list[cst.BaseExpression | None]]) -> None:
        self._values = values

    def _bind(self, target: cst.CSTNode, value: cst.BaseExpression | None) -> None:
        for one in m.findall(target, m.Name()):
            assert isinstance(one, cst.Name)
            self._values.setdefault(one.value, []).append(value if target is one else None)

    def visit_Assign(self, node: cst.Assign) -> None:  # noqa: N802
        for target in node.targets:
            self._bind(target.target, node.value)

    def visit_AnnAssign(self, node: cst.AnnAssign) -> None:  # noqa: N802
        self._bind(node.target, node.value)

    def visit_AugAssign(self, node: cst.AugAssign) -> None:  # noqa: N802
        self._bind(node.target, None)

    def visit_NamedExpr(self, node: cst.NamedExpr) -> None:  # noqa: N802
        self._bind(node.target, None)

    def visit_For(self, node: cst.For) -> None:  # noqa: N802
        self._bind(node.target, None)

    def visit_CompFor(self, node: cst.CompFor) -> None:  # noqa: N802
        self._bind(node.target, None)

    def visit_AsName(self, node: cst.AsName) -> None:  # noqa: N802
        self._bind(node.name, None)

    def visit_Param(self, node: cst.Param) -> None:  # noqa: N802
        self._bind(node.name, None)
