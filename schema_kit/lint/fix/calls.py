"""A call of Alembic's operations -> calls of ours that do the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import libcst as cst

from schema_kit.lint.fix.source import Source
from schema_kit.lint.fix.statements import CannotRewrite, calls, listed, quoted
from schema_kit.lint.instead import CALLS

_ALWAYS = {"postgresql_concurrently", "if_not_exists", "if_exists", "inline_references"}
"""What our operations do anyway."""
_IMPOSSIBLE = {
    "create_exclude_constraint": "PostgreSQL cannot build an exclusion constraint while others write",
    "rename_table": "the code that runs uses the old name; no operation keeps both",
}


def without(call: cst.Call, *names: str) -> cst.Call:
    """Return a call without some of its keywords."""
    kept = [one for one in call.args if one.keyword is None or one.keyword.value not in names]
    if len(kept) == len(call.args):
        return call
    return call.with_changes(args=_ended(call, kept))


def _ended(call: cst.Call, kept: Sequence[cst.Arg]) -> list[cst.Arg]:
    """Arguments of which the last one ends as the last one of a call did."""
    last = call.args[-1]
    whole = list(kept)
    if whole:
        ending = {"comma": last.comma, "whitespace_after_arg": last.whitespace_after_arg}
        whole[-1] = whole[-1].with_changes(**ending)
    return whole


def argument(call: cst.Call, place: int, keyword: str) -> cst.BaseExpression | None:
    """Return an argument by its place or its keyword; None where it is not given."""
    for number, one in enumerate(call.args):
        if (one.keyword is None and number == place and not one.star) or (one.keyword and one.keyword.value == keyword):
            return one.value
    return None


def keywords(call: cst.Call) -> dict[str, cst.BaseExpression]:
    """Return its keywords."""
    return {one.keyword.value: one.value for one in call.args if one.keyword}


def is_constant(node: cst.BaseExpression | None, name: str) -> bool:
    """Return whether an expression is ``True``, ``False`` or ``None``."""
    return isinstance(node, cst.Name) and node.value == name


@dataclass(frozen=True)
class Calls:
    """What replaces the calls of one file.

    Args:
        source: the file.
        made: tables that it makes, which no session waits for.
    """

    source: Source
    made: frozenset[str] = frozenset()

    def ours(self, call: cst.Call, name: str, op: str, strict: bool) -> list[cst.Call] | None:
        """Return the calls that replace a call; None where it stays.

        Args:
            call: what is written.
            name: the operation.
            op: what the file calls the operations.
            strict: it is found fault with, so it has to be replaced.

        Raises:
            CannotRewrite: no call does the same.
        """
        if any(one.star for one in call.args) and name != "execute":
            raise CannotRewrite("its arguments are put together at run time")
        if name in CALLS.values():
            return None
        if special := self._SPECIAL.get(name):
            return special(self, call, op, strict)
        if name in CALLS:
            return [self._named(call, CALLS[name])]
        if strict:
            raise CannotRewrite(_IMPOSSIBLE.get(name, f"no operation of schema_kit does what op.{name} does"))
        return None

    def _named(self, call: cst.Call, name: str) -> cst.Call:
        assert isinstance(call.func, cst.Attribute)
        func = call.func.with_changes(attr=cst.Name(name))
        return without(call.with_changes(func=func), *_ALWAYS)

    def _parsed(self, text: str) -> cst.Call:
        found = cst.parse_expression(text)
        assert isinstance(found, cst.Call)
        return found

    def _code(self, node: cst.BaseExpression | None) -> str:
        return "" if node is None else self.source.code(node)

    def _execute(self, call: cst.Call, op: str, strict: bool) -> list[cst.Call] | None:
        sql = self.source.value(call.args[0].value) if call.args else None
        if sql is None or len(call.args) > 1:
            if strict:
                raise CannotRewrite("its SQL, or its parameters, are put together at run time")
            return None
        try:
            found = calls(sql.replace("\\:", ":"), op, self.source.sqlalchemy or "sa")
        except CannotRewrite:
            if strict:
                raise
            return None
        return [self._parsed(text) for text in found]

    def _alter_column(self, call: cst.Call, op: str, strict: bool) -> list[cst.Call] | None:
        given = {name for name in keywords(call) if not name.startswith("existing_")} - {"schema"}
        if "new_column_name" in given or given <= {"comment", "autoincrement", "table_name", "column_name"}:
            if strict:
                raise CannotRewrite("a new name breaks the code that uses the old one; no operation keeps both")
            return None
        if given == {"nullable"} and is_constant(keywords(call)["nullable"], "False"):
            kept = [one for one in keywords(call) if one.startswith("existing_")]
            return [self._named(without(call, "nullable", *kept), CALLS["set_not_null"])]
        return [self._named(call, CALLS["alter_column"])]

    def _add_column(self, call: cst.Call, op: str, _: bool) -> list[cst.Call] | None:
        column = argument(call, 1, "column")
        named = self._named(call, CALLS["add_column"])
        if not isinstance(column, cst.Call):
            return [named]
        table, schema = self._code(argument(call, 0, "table_name")), keywords(call).get("schema")
        of = f", schema={self._code(schema)}" if schema else ""
        said, name = keywords(column), self._code(argument(column, 0, "name"))
        inner = [one.value for one in column.args if isinstance(one.value, cst.Call)]
        kinds = {self._code(one.func).split(".")[-1]: one for one in inner}
        if "Identity" in kinds:
            return self._identity(call, column, kinds["Identity"], op)
        if computed := kinds.get("Computed"):
            if is_constant(keywords(computed).get("persisted"), "False"):
                return [named]
            raise CannotRewrite("PostgreSQL writes every row of the table again for a stored generated column")
        later, plain = list[str](), ["unique", "index"]
        if is_constant(said.get("nullable"), "False") and "server_default" not in said:
            plain.append("nullable")
            later.append(f"{op}.{CALLS['set_not_null']}({table}, {name}{of})")
        if is_constant(said.get("unique"), "True"):
            later.append(f"{op}.{CALLS['create_unique_constraint']}(None, {table}, [{name}]{of})")
        if is_constant(said.get("index"), "True"):
            later.append(f"{op}.{CALLS['create_index']}(None, {table}, [{name}]{of})")
        added = named.deep_replace(column, without(column, *plain))
        assert isinstance(added, cst.Call)
        return [added, *map(self._parsed, later)]

    def _identity(self, call: cst.Call, column: cst.Call, identity: cst.Call, op: str) -> list[cst.Call]:
        """Values of a sequence first, in batches; then the identity, which begins where the sequence has ended."""
        table, name = (self.source.value(one) for one in (argument(call, 0, "table_name"), argument(column, 0, "name")))
        schema = self.source.value(keywords(call).get("schema")) if "schema" in keywords(call) else ""
        if table is None or name is None or schema is None or set(keywords(identity)) - {"always"} or identity.args[1:]:
            raise CannotRewrite("the options of its identity are not carried over")
        if set(keywords(column)) - {"nullable"} or len(column.args) != 3 + ("nullable" in keywords(column)):
            raise CannotRewrite("an identity column with more than a type")
        sa = self.source.sqlalchemy or "sa"
        where = f'"{schema}".' if schema else ""
        fill, of = f'{where}"{table}_{name}_fill"', f'{where}"{table}"'
        how = "ALWAYS" if is_constant(keywords(identity).get("always"), "True") else "BY DEFAULT"
        more = f", schema={quoted(schema)}" if schema else ""
        default = f"{sa}.text({quoted(f'nextval({chr(39)}{fill}{chr(39)})')})"
        type_ = self._code(column.args[1].value)
        added = f"{sa}.Column({quoted(name)}, {type_}, nullable=False, server_default={default})"
        statements = (
            f'ALTER TABLE {of} ALTER "{name}" DROP DEFAULT',
            f'ALTER TABLE {of} ALTER "{name}" ADD GENERATED {how} AS IDENTITY',
            f"SELECT setval(pg_get_serial_sequence('{of}', '{name}'), nextval('{fill}'), false)",
            f"DROP SEQUENCE {fill}",
        )
        lines = [f"{op}.execute({quoted(f'CREATE SEQUENCE IF NOT EXISTS {fill}')})"]
        lines.append(f"{op}.{CALLS['add_column']}({quoted(table)}, {added}{more})")
        lines += [f"{op}.execute({quoted(one)})" for one in statements]
        return [self._parsed(text) for text in lines]

    def _create_table(self, call: cst.Call, op: str, strict: bool) -> list[cst.Call] | None:
        """Without its foreign keys, which are created after it."""
        if not strict:
            return None
        table, schema = argument(call, 0, "table_name"), keywords(call).get("schema")
        kept, later = list[cst.Arg](), list[str]()
        for one in call.args:
            value, kind = one.value, self._code(one.value).partition("(")[0].split(".")[-1]
            if kind == "ForeignKeyConstraint" and isinstance(value, cst.Call):
                columns = self._strings(argument(value, 0, "columns"))
                remote = self._strings(argument(value, 1, "refcolumns"))
                later.append(self._foreign_key(op, table, schema, value, columns, remote))
                continue
            if kind == "Column" and isinstance(value, cst.Call):
                for key in [
                    two for two in value.args if self._code(two.value).partition("(")[0].endswith("ForeignKey")
                ]:
                    assert isinstance(key.value, cst.Call)
                    column, remote = self._strings(value.args[0].value), self._strings(key.value.args[0].value)
                    later.append(self._foreign_key(op, table, schema, key.value, column, remote))
                    left = _ended(value, [two for two in value.args if two is not key])
                    value = value.with_changes(args=left)
            kept.append(one.with_changes(value=value))
        if not later:
            raise CannotRewrite("what it locks besides its foreign keys is not known")
        return [call.with_changes(args=_ended(call, kept)), *map(self._parsed, later)]

    def _strings(self, node: cst.BaseExpression | None) -> list[str]:
        nodes = [one.value for one in node.elements] if isinstance(node, cst.List | cst.Tuple) else [node]
        found = [self.source.value(one) for one in nodes]
        if None in found:
            raise CannotRewrite("a foreign key whose columns are put together at run time")
        return [one for one in found if one is not None]

    def _foreign_key(
        self,
        op: str,
        table: cst.BaseExpression | None,
        schema: cst.BaseExpression | None,
        key: cst.Call,
        columns: list[str],
        remote: list[str],
    ) -> str:
        other = {one.rpartition(".")[0] for one in remote}
        if len(other) != 1 or not (whole := other.pop()):
            raise CannotRewrite("a foreign key that does not name its table as text")
        of, _, referent = whole.rpartition(".")
        more = [f"source_schema={self._code(schema)}"] if schema else []
        more += [f"referent_schema={quoted(of)}"] if of else []
        more += [
            f"{word}={self._code(value)}" for word, value in keywords(key).items() if word not in ("name", "use_alter")
        ]
        name = self._code(keywords(key).get("name")) or "None"
        ends = [one.rpartition(".")[2] for one in remote]
        arguments = [name, self._code(table), quoted(referent), listed(columns), listed(ends), *more]
        return f"{op}.{CALLS['create_foreign_key']}({', '.join(arguments)})"

    _SPECIAL: ClassVar[dict[str, Callable[[Calls, cst.Call, str, bool], list[cst.Call] | None]]] = {
        "execute": _execute,
        "alter_column": _alter_column,
        "add_column": _add_column,
        "create_table": _create_table,
    }
