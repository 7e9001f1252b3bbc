"""PostgreSQL as the judge of a definition: tried on an empty copy of the table, in a transaction that is rolled back.

How an index, a check or a default is printed back, and whether a change of type rewrites the table, differs between
major versions; the server knows. The copy is a temporary table, made with ACCESS SHARE on the original.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from schema_kit.catalog.drivers import sqlstate
from schema_kit.catalog.session import DRESS, STOPPED, autocommits, rows, send
from schema_kit.errors import PlanError
from schema_kit.model import IndexDeclaration
from schema_kit.names import QualifiedName, ident

_NAME = QualifiedName("pg_temp", "schema_kit_scratch")
_FILES = """
SELECT pg_catalog.pg_relation_filenode(c.oid), c.relkind = 'i' FROM pg_class c
WHERE c.oid = 'pg_temp.schema_kit_scratch'::regclass::oid
   OR c.oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = 'pg_temp.schema_kit_scratch'::regclass::oid)
"""


READS = "25006"
"""The transaction is read-only."""

_NOT_THE_DECLARATION = {None, "55P03", "40P01", "57014", "57P01", "42501"}
"""A lock, a time limit, a lost connection, a right that is missing: what is tried again, or said as it is."""


@contextmanager
def _copy(connection: Connection, table: QualifiedName, like: str = " INCLUDING ALL") -> Iterator[None]:
    with tried(connection, table):
        send(connection, f"CREATE TEMP TABLE {ident(_NAME.name)} (LIKE {table.sql}{like})")
        yield


@contextmanager
def tried(connection: Connection, table: QualifiedName) -> Iterator[None]:
    """Roll back what this block sends.

    Args:
        connection: in autocommit, or in a transaction, which stays open.
        table: what the statements are about, for the message.

    Raises:
        PlanError: PostgreSQL refuses a statement.
    """
    own = autocommits(connection)
    send(connection, f"BEGIN; {STOPPED}" if own else "SAVEPOINT schema_kit")
    try:
        send(connection, "SET LOCAL lock_timeout = '5s'")
        yield
    except DBAPIError as error:
        raise _refused(table, error) from error
    finally:
        for statement in ("ROLLBACK",) if own else ("ROLLBACK TO SAVEPOINT schema_kit", "RELEASE SAVEPOINT schema_kit"):
            with suppress(SQLAlchemyError):  # the connection may be the very thing that was lost
                send(connection, statement)


def planned(connection: Connection, table: QualifiedName, statement: str) -> None:
    """Have a statement planned, not executed: on a cluster, Citus refuses here what it will not execute.

    Raises:
        PlanError: it is refused.
    """
    with tried(connection, table):
        send(connection, f"EXPLAIN {statement}")


def _refused(table: QualifiedName, error: DBAPIError) -> DBAPIError | PlanError:
    if sqlstate(error) in _NOT_THE_DECLARATION:
        return error
    if sqlstate(error) == READS:
        return PlanError(
            f"the definitions of {table} are tried on an empty temporary copy of it, which cannot be made where "
            "nothing can be written: on a standby, say. Run it on the primary."
        )
    diagnosis = getattr(error.orig, "diag", None)
    return PlanError(
        f"PostgreSQL does not take this for {table}: {getattr(diagnosis, 'message_primary', None) or error.orig}."
    )


def printed(connection: Connection, sql: str) -> tuple[Any, ...]:
    """Return what a declaration reads like under the catalog's session settings; the session's own were in force."""
    send(connection, "; ".join(DRESS))
    return tuple(rows(connection, sql)[0])


def _named_like(connection: Connection, table: QualifiedName) -> QualifiedName:
    """An expression may name its table (orders.note), so the copy has its name for as long as it is read."""
    copy = _NAME.sibling(table.name)
    send(connection, f"ALTER TABLE {_NAME.sql} RENAME TO {ident(copy.name)}")
    return copy


def index_tail(connection: Connection, declared: IndexDeclaration) -> str:
    """Return what PostgreSQL prints of a declared index after USING: comparable to `Index.tail`.

    Raises:
        PlanError: PostgreSQL refuses the declaration.
    """
    name = "schema_kit_scratch_index"
    with _copy(connection, declared.table):
        copy = _named_like(connection, declared.table)
        send(connection, declared.create_sql(name, copy))
        send(connection, f"ALTER TABLE {copy.sql} RENAME TO {ident(_NAME.name)}")
        text = printed(connection, f"SELECT pg_get_indexdef('pg_temp.{name}'::regclass)")[0]
    return str(text).partition(" USING ")[2]


def check_definition(connection: Connection, table: QualifiedName, expression: str) -> str:
    """Return what PostgreSQL prints of a check: ``CHECK ((amount > 0))``.

    Raises:
        PlanError: PostgreSQL refuses the expression.
    """
    with _copy(connection, table):
        copy = _named_like(connection, table)
        send(connection, f"ALTER TABLE {copy.sql} ADD CONSTRAINT schema_kit_scratch_check CHECK ({expression})")
        send(connection, f"ALTER TABLE {copy.sql} RENAME TO {ident(_NAME.name)}")
        text = printed(
            connection,
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'schema_kit_scratch_check' "
            f"AND conrelid = '{_NAME.schema}.{_NAME.name}'::regclass",
        )[0]
    return str(text)


def check_forms(connection: Connection, table: QualifiedName, expression: str) -> tuple[str, ...]:
    """Return how PostgreSQL prints a check of that table, and then the check that is made of that text."""
    printed = several(connection, table, (), (expression,))[expression]
    if isinstance(printed, PlanError):
        raise printed
    return printed


def partition_key(connection: Connection, table: QualifiedName, declared: str) -> str:
    """Return what PostgreSQL prints of a declared partition key: ``RANGE (created_at)``.

    Raises:
        PlanError: PostgreSQL refuses it.
    """
    with _copy(connection, table):
        send(connection, f"CREATE TEMP TABLE schema_kit_scratch_key (LIKE {_NAME.sql}) PARTITION BY {declared}")
        return str(printed(connection, "SELECT pg_get_partkeydef('pg_temp.schema_kit_scratch_key'::regclass)")[0])


_SEVERAL = """
SELECT c.relname, pg_catalog.split_part(pg_catalog.pg_get_indexdef(c.oid), ' USING ', 2) FROM pg_class c
JOIN pg_index x ON x.indexrelid = c.oid WHERE x.indrelid = 'pg_temp.schema_kit_scratch'::regclass::oid
UNION ALL
SELECT conname, pg_catalog.pg_get_constraintdef(oid) FROM pg_constraint
WHERE conrelid = 'pg_temp.schema_kit_scratch'::regclass::oid AND contype = 'c'
"""


def several(
    connection: Connection,
    table: QualifiedName,
    indexes: Sequence[IndexDeclaration],
    checks: Sequence[str],
    known: Collection[str] = (),
) -> dict[IndexDeclaration | str, tuple[str, ...] | PlanError]:
    """What PostgreSQL prints of each declared index, after USING, and of each check; a PlanError where it refuses one.

    All of them are tried on one copy, which has the table's columns alone. What is printed, and is not *known*, is
    made and printed once more: ``b IN ('x', 'y')`` then reads otherwise, as it does behind a dump.
    """
    declared: list[IndexDeclaration | str] = [*indexes, *checks]
    names = {f"once_{number}": one for number, one in enumerate(declared)}
    with _copy(connection, table, like=""):
        copy = _named_like(connection, table)
        failed = {name: error for name, one in names.items() if (error := _made(connection, table, copy, name, one))}
        send(connection, f"ALTER TABLE {copy.sql} RENAME TO {ident(_NAME.name)}")
        send(connection, "; ".join(DRESS))
        first: dict[str, str] = dict(rows(connection, _SEVERAL))
        for name, text in first.items():
            if text not in known:
                of = f"CREATE INDEX {name}_again ON {_NAME.sql} USING {text}"
                add = f"ALTER TABLE {_NAME.sql} ADD CONSTRAINT {name}_again {text}"
                send(connection, add if isinstance(names[name], str) else of)
        second: dict[str, str] = dict(rows(connection, _SEVERAL))
    return {
        one: failed[name] if name in failed else (first[name], second.get(f"{name}_again", first[name]))
        for name, one in names.items()
    }


def _made(
    connection: Connection, table: QualifiedName, copy: QualifiedName, name: str, one: IndexDeclaration | str
) -> PlanError | None:
    """Make an index or a check on the copy; why PostgreSQL refuses it."""
    add = f"ALTER TABLE {copy.sql} ADD CONSTRAINT {name} CHECK ({one}\n)"
    sql = add if isinstance(one, str) else replace(one, tablespace=None).create_sql(name, copy)
    try:
        send(connection, f"SAVEPOINT schema_kit_one; {sql}; RELEASE SAVEPOINT schema_kit_one")
    except DBAPIError as error:
        refused = _refused(table, error)
        if not isinstance(refused, PlanError):
            raise
        send(connection, "ROLLBACK TO SAVEPOINT schema_kit_one; RELEASE SAVEPOINT schema_kit_one")
        return refused
    return None


def rewrites(connection: Connection, table: QualifiedName, action: str, first: str = "") -> tuple[bool, bool]:
    """Whether ``ALTER TABLE table action`` rewrites the table, and whether it builds an index again; after *first*.

    Raises:
        PlanError: PostgreSQL refuses the action.
    """
    with _copy(connection, table):
        if first:
            send(connection, f"ALTER TABLE {_NAME.sql} {first}")
        before = set(map(tuple, rows(connection, _FILES)))
        send(connection, f"ALTER TABLE {_NAME.sql} {action}")
        after = set(map(tuple, rows(connection, _FILES)))
    # An index may come back under another number and keep its file: PostgreSQL found that it still fits.
    kept = {file for file, _ in after}
    changed = [is_index for file, is_index in before if file not in kept]
    return not all(changed), any(changed)


_WORK = """
SELECT (SELECT json_agg(pg_relation_filenode(c.oid)::bigint) FROM pg_class c WHERE c.oid = {0}),
       (SELECT json_agg(pg_relation_filenode(i.indexrelid)::bigint) FROM pg_index i WHERE i.indrelid = {0}),
       (SELECT coalesce(sum(s.seq_scan), 0)::bigint FROM pg_stat_xact_all_tables s WHERE s.relid = {0})
""".format("'pg_temp.schema_kit_scratch'::regclass")


def works(connection: Connection, table: QualifiedName, action: str) -> str | None:
    """Return what ``ALTER TABLE table action`` does to every row, as the end of a sentence; None where it is brief.

    Raises:
        PlanError: PostgreSQL refuses the action.
    """
    with _copy(connection, table):
        ((file, indexes, scans),) = rows(connection, _WORK)
        send(connection, f"ALTER TABLE {_NAME.sql} {action}")
        ((file_now, indexes_now, scans_now),) = rows(connection, _WORK)
    if file != file_now:
        return "is rewritten"
    if set(indexes_now or ()) - set(indexes or ()):
        return "gets an index"
    return "is read from end to end" if scans_now > scans else None


def column(connection: Connection, table: QualifiedName, type_: str, default: str | None) -> tuple[str, str | None]:
    """Return how PostgreSQL prints a column's declared type and default.

    Raises:
        PlanError: PostgreSQL refuses them.
    """
    sql = f"ADD COLUMN schema_kit_scratch_column {type_}" + (f" DEFAULT {default}" if default is not None else "")
    with _copy(connection, table):
        send(connection, f"ALTER TABLE {_NAME.sql} {sql}")
        found = printed(
            connection,
            "SELECT format_type(a.atttypid, a.atttypmod), pg_get_expr(d.adbin, d.adrelid) FROM pg_attribute a "
            "LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum "
            "WHERE a.attrelid = 'pg_temp.schema_kit_scratch'::regclass AND a.attname = 'schema_kit_scratch_column'",
        )
    return str(found[0]), found[1]


def generated(connection: Connection, table: QualifiedName, type_: str, expression: str) -> str:
    """Return how PostgreSQL prints the expression of a generated column.

    Raises:
        PlanError: PostgreSQL refuses it.
    """
    with _copy(connection, table, like=""):
        copy = _named_like(connection, table)
        add = f"ADD COLUMN schema_kit_scratch_column {type_} GENERATED ALWAYS AS ({expression}\n) STORED"
        send(connection, f"ALTER TABLE {copy.sql} {add}")
        send(connection, f"ALTER TABLE {copy.sql} RENAME TO {ident(_NAME.name)}")
        found = printed(
            connection,
            "SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = 'pg_temp.schema_kit_scratch'::regclass",
        )
    return str(found[0])
