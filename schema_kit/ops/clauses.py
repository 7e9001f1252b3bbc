"""From SQLAlchemy's objects to the nouns."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from schema_kit.model import BaselineTable, Column, ForeignKey, Index, Sequence, Table
from schema_kit.names import QualifiedName, fit, idents

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]


def sql_of(clause: Any) -> str:
    """A string as it is, an expression with its literals in place."""
    if isinstance(clause, str):
        return clause
    if isinstance(clause, sa.TextClause):
        return clause.text
    return str(clause.compile(dialect=_DIALECT, compile_kwargs={"literal_binds": True, "include_table": False}))


_SPELLINGS = {
    "varchar": "character varying",
    "char": "character",
    "float": "double precision",
    "decimal": "numeric",
}


def type_of(column: sa.Column[Any]) -> str:
    """A column's type as format_type spells it."""
    text = column.type.compile(dialect=_DIALECT).lower().replace(", ", ",")
    bare, bracket, rest = text.partition("(")
    return _SPELLINGS.get(bare, bare) + bracket + rest


def baseline_table(table: sa.Table) -> BaselineTable:
    """A table as a baseline declares it."""
    name = QualifiedName(table.schema or "public", table.name)
    key = tuple(column.name for column in table.primary_key.columns)
    create = [str(CreateTable(table).compile(dialect=_DIALECT)).strip()]
    create += [
        str(CreateIndex(index).compile(dialect=_DIALECT)) for index in sorted(table.indexes, key=lambda i: i.name or "")
    ]
    unique = [c for c in table.constraints if isinstance(c, sa.UniqueConstraint)]
    noun = Table(
        name,
        tuple(
            Column(
                c.name,
                type_of(c),
                not c.nullable,
                None,
                ("a" if c.identity.always else "d") if c.identity else "",
            )
            for c in table.columns
        ),
        primary_key=key,
        indexes=(
            Index(
                str(table.primary_key.name or fit(table.name, "_pkey")),
                f"btree ({idents(key)})",
                key,
                True,
                True,
            ),
            *(_unique_index(constraint) for constraint in unique),
        ),
        foreign_keys=tuple(_foreign_key(name, key) for key in table.foreign_key_constraints),
        sequences=tuple(
            Sequence(name.sibling(f"{table.name}_{c.name}_seq"), c.name, True, "START WITH 1")
            for c in table.columns
            if c.identity
        ),
    )
    return BaselineTable(noun, tuple(create))


def _unique_index(constraint: sa.UniqueConstraint) -> Index:
    columns = tuple(column.name for column in constraint.columns)
    return Index(
        str(constraint.name),
        f"btree ({idents(columns)})",
        columns,
        True,
        constraint=f"UNIQUE ({idents(columns)})",
    )


def _foreign_key(table: QualifiedName, constraint: sa.ForeignKeyConstraint) -> ForeignKey:
    to = constraint.referred_table
    referenced = QualifiedName(to.schema or "public", to.name)
    columns = tuple(column.name for column in constraint.columns)
    targets = tuple(element.column.name for element in constraint.elements)
    action = f" ON DELETE {constraint.ondelete}" if constraint.ondelete else ""
    letters = {"CASCADE": "c", "RESTRICT": "r", "SET NULL": "n", "SET DEFAULT": "d"}
    return ForeignKey(
        str(constraint.name or fit(f"{table.name}_{'_'.join(columns)}", "_fkey")),
        table,
        columns,
        referenced,
        targets,
        f"FOREIGN KEY ({idents(columns)}) REFERENCES {referenced.sql} ({idents(targets)}){action}",
        on_delete=letters.get((constraint.ondelete or "").upper(), "a"),
    )
