"""Alembic's keywords with Alembic's meaning: names by naming convention, lists of columns, keywords of a dialect."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from alembic.operations import Operations, ops, schemaobj

from schema_kit.errors import DeclarationError
from schema_kit.from_sqlalchemy import sql_of
from schema_kit.names import fit

_OTHERS = ("mysql_", "mariadb_", "mssql_", "oracle_", "sqlite_")


def refuse_unknown(called: str, given: Mapping[str, Any], advice: Mapping[str, str] | None = None) -> None:
    """Pass over the keywords of other databases, as Alembic does, and refuse the rest by name.

    Args:
        called: the operation.
        given: the keywords that its signature does not name.
        advice: of some of them, what to do instead.

    Raises:
        DeclarationError: PostgreSQL, or this operation, does not have one of them.
    """
    for name in given:
        if not name.startswith(_OTHERS):
            why = (advice or {}).get(name, "this operation has no such keyword")
            raise DeclarationError(f"op.{called}({name}=...): {why}.")


def pass_over_former(called: str, given: Mapping[str, Any], former: Collection[str]) -> None:
    """Warn of keywords that earlier versions took without an effect, and refuse all others by name.

    Args:
        called: the operation.
        given: the keywords that its signature does not name.
        former: those that it had.

    Raises:
        DeclarationError: this operation never had one of them.
    """
    refuse_unknown(called, {name: value for name, value in given.items() if name not in former})
    for name in given.keys() & {*former}:
        warnings.warn(f"op.{called}({name}=...) never had an effect: remove it.", DeprecationWarning, stacklevel=2)


def refuse_blocking(called: str, concurrently: bool | None) -> None:
    """Take ``postgresql_concurrently=True`` for what it says anyway.

    Raises:
        DeclarationError: it is False.
    """
    if concurrently is False:
        plain = called.removesuffix("_concurrently")
        raise DeclarationError(f"op.{called}(postgresql_concurrently=False): that is op.{plain}. Use that one.")


def listed(called: str, keyword: str, given: Iterable[Any]) -> tuple[Any, ...]:
    """Return the elements of a list of columns; a string would be spelled letter by letter.

    Raises:
        DeclarationError: it is a string, or empty.
    """
    if isinstance(given, str | sa.TextClause | sa.sql.ColumnElement):
        raise DeclarationError(f"op.{called}({keyword}={given!r}): a list is meant: [{given!r}].")
    if not (elements := tuple(given)):
        raise DeclarationError(f"op.{called}({keyword}=[]): one column at least.")
    return elements


def columns_of(called: str, keyword: str, given: Iterable[Any]) -> tuple[str, ...]:
    """Return the names of columns, given as strings or as SQLAlchemy's columns.

    Raises:
        DeclarationError: one is an expression.
    """
    return tuple(_column(called, keyword, each) for each in listed(called, keyword, given))


def _column(called: str, keyword: str, given: Any) -> str:
    if isinstance(given, str):
        return given
    if hasattr(given, "__clause_element__"):
        given = given.__clause_element__()
    if isinstance(given, sa.ColumnClause) and not getattr(given, "is_literal", False):
        return str(given.name)
    raise DeclarationError(
        f"op.{called}({keyword}=[{given!s}]): a constraint has columns, no expressions. A unique index has: "
        "op.create_index_concurrently(..., unique=True)."
    )


def index_name(
    operations: Operations, name: str | None, table: str | None, columns: Sequence[Any], schema: str | None
) -> str:
    """Return the name of an index, by the naming convention of target_metadata.

    Args:
        operations: Alembic's.
        name: as given; None leaves it to the convention.
        table: its table; None where only the index is named.
        columns: its elements.
        schema: as given: a convention may have it in the name.
    """
    spelled = [each if isinstance(each, str | sa.TextClause) else sa.text(sql_of(each)) for each in columns]
    operation = ops.CreateIndexOp(name, table or "no_table", spelled, schema=schema)
    made = operation.to_index(operations.migration_context)
    return _final(operations, made, name) or fit(f"{table}_{'_'.join(map(str, spelled))}", "_idx")


def constraint_name(operations: Operations, made: Any, name: str | None, table: str, columns: Sequence[str]) -> str:
    """Return the name of a constraint, by the naming convention of target_metadata; else what PostgreSQL would call it.

    Args:
        operations: Alembic's.
        made: Alembic's own operation of the same words.
        name: as given; None leaves it to the convention.
        table: its table.
        columns: its columns.
    """
    found = _final(operations, made.to_constraint(operations.migration_context), name)
    suffix = {"foreignkey": "_fkey", "unique": "_key", "primarykey": "_pkey"}.get(made.constraint_type, "_check")
    stem = table if suffix == "_pkey" else "_".join((table, *columns))
    return found or fit(stem, suffix)


def dropped_name(operations: Operations, name: str, table: str, type_: str | None, schema: str | None) -> str:
    """Return the name of an existing constraint, by the naming convention of target_metadata.

    Args:
        operations: Alembic's.
        name: as given.
        table: its table.
        type_: ``foreignkey``, ``primary``, ``unique`` or ``check``; None leaves the name as it is given.
        schema: as given.
    """
    made = schemaobj.SchemaObjects(operations.migration_context).generic_constraint(name, table, type_, schema)
    return _final(operations, made, name) or name


def column_key_name(operations: Operations, table: str, column: sa.Column[Any], schema: str | None) -> str | None:
    """Return the name of a column's own foreign key, where it has one or the naming convention gives it one."""
    if not column.foreign_keys:
        return None
    made = schemaobj.SchemaObjects(operations.migration_context).table(table, column._copy(), schema=schema)
    return next((_final(operations, key, None) for key in made.foreign_key_constraints), None)


def _final(operations: Operations, made: Any, name: str | None) -> str | None:
    """Return what is sent: a convention may use the name that was given, unless that is op.f()'s."""
    if made.name is None:
        return None
    try:
        final = operations.migration_context.dialect.identifier_preparer.format_constraint(made, _alembic_quote=False)
    except sa.exc.IdentifierError:
        return name  # too long: that is said where names are quoted
    return None if final is None else str(final)
