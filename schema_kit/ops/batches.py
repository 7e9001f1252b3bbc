"""The operation that updates a big table a batch at a time."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from enum import Enum
from typing import Any

import sqlalchemy as sa
from alembic.operations import Operations
from sqlalchemy.sql import visitors

from schema_kit.errors import DeclarationError
from schema_kit.from_sqlalchemy import _DIALECT, sql_of
from schema_kit.names import QualifiedName, ident, literal
from schema_kit.ops.naming import existing
from schema_kit.ops.operation import Task, operation, task
from schema_kit.plans.batches import run_name
from schema_kit.steps.batches import LARGEST, Change, UpdateBatch
from schema_kit.tasks import batches


@operation()
def update_in_batches(
    operations: Operations,
    table_name: str,
    values: Mapping[str, Any],
    *,
    schema: str | None = None,
    where: str | sa.TextClause | sa.ColumnElement[Any] | None = None,
    batch_size: int = 1000,
    target_seconds: float = 0.5,
    name: str | None = None,
    max_replica_lag: float | None = 10.0,
    max_dead_share: float | None = 0.2,
) -> Task:
    """Update the rows of a live table in the order of its primary key, one batch per commit.

    Each row is updated once, even after an interruption: the statement that updates a batch also writes the
    position to ``schema_kit.batch_progress``, and the next run resumes there. A finished update is not repeated. To
    repeat it, delete its row::

        DELETE FROM schema_kit.batch_progress WHERE name = 'public.orders fill total'

    An update of a table or column that was dropped and created again since is repeated without that.

    Rows that the application inserts or changes meanwhile are not visited again. So the application must write the
    new values before the update begins, and no transaction that began earlier may be open. A value that the
    application writes into a row which is still to come, including an explicit NULL, is overwritten unless *where*
    excludes the row.

    At the end, rows that still match *where* are looked for and updated by another pass, up to ten passes: for
    example, a row whose key changed while a batch waited for it. If rows match *where* even after their update, or
    *where* is left out, another pass runs only if a row was missed and the values are the same for all rows;
    otherwise the missed rows are counted and reported. Such a pass also overwrites values that the application has
    written meanwhile.

    It cannot be reversed, except by another update. With ``--sql`` it is one plain UPDATE: such a script is for a
    database that was empty at base.

    Locks: the rows of one batch until its commit; no table lock that others wait for. A batch waits for locked rows
    within the lock budget, then is cancelled and tries again. Between batches it pauses for replicas and for
    vacuum, a minute at most. It sees these reasons only with the rights of pg_monitor. It does not run VACUUM; dead
    rows are left to autovacuum.

    Args:
        operations: given by Alembic.
        table_name: the table; a partitioned table is updated as a whole.
        values: the new value of each column: a Python value, or SQL as ``sa.text("price * 2")`` or an expression.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.
        where: which rows: SQL, ``sa.text`` or an expression; all rows if left out. It needs no index: rows are
            found by the primary key.
        batch_size: rows of the first batch, from 1 to 100000. Later batches adapt, from 10 to 100000 rows, by a
            factor of 2 at most.
        target_seconds: seconds that a batch should take.
        name: the name of the update in ``batch_progress``; by default made from table, values and *where*.
        max_replica_lag: seconds. Batches pause while a physical replica lags further behind; None: never.
        max_dead_share: share of dead rows, 0 to 1. Batches pause while the share is higher and a vacuum of the
            table is running; None: never.

    Raises:
        DeclarationError: a number is out of its range, *values* is empty, or a value cannot be written as SQL.
        PlanError: the table or a column does not exist, the table lacks a primary key, *values* holds a column of
            the primary key, or the name belongs to another update.
        LockNotAvailable: another session held a row through every try. Earlier batches are committed.
        ExecutionError: PostgreSQL refused a batch, for example because row security would hide rows. Earlier
            batches are committed.

    Example:
        op.update_in_batches("orders", {"note": ""}, where="note IS NULL", name="orders without notes")

    See Also:
        https://www.postgresql.org/docs/current/sql-update.html
    """
    if not values:
        raise DeclarationError(f"update_in_batches of {table_name}: values are empty. Name a column and its value.")
    table = existing(operations, table_name, schema)
    for what, number, least, most in (
        ("batch_size", batch_size, 1, LARGEST),
        ("target_seconds", target_seconds, 1e-6, 3600),
        ("max_replica_lag", max_replica_lag, 0, math.inf),
        ("max_dead_share", max_dead_share, 0, 1),
    ):
        if number is not None and not least <= number <= most:
            raise DeclarationError(f"update_in_batches of {table}: {what} is {number}, not from {least} to {most}")
    assignments = tuple((column, _value(value, column, table, schema)) for column, value in values.items())
    change = Change(table, assignments, None if where is None else _sql(where, table, schema))
    lag, share = (None if n is None or n == math.inf else float(n) for n in (max_replica_lag, max_dead_share))
    batch = UpdateBatch(name or run_name(change), change, (), float(target_seconds), lag, share)
    return task(batches.update, batch, batch_size)


def _value(value: Any, column: str, table: QualifiedName, schema: str | None) -> str:
    if isinstance(value, sa.ClauseElement) or hasattr(value, "__clause_element__"):
        return _sql(value, table, schema)
    if isinstance(value, str) and not isinstance(value, Enum):
        return literal(value)
    if isinstance(value, bytes):
        return literal("\\x" + value.hex()) + "::bytea"
    if isinstance(value, dict):
        return literal(json.dumps(value, ensure_ascii=False))
    if isinstance(value, float) and not math.isfinite(value):
        return literal(str(value))
    try:
        return str(sa.literal(value).compile(dialect=_DIALECT, compile_kwargs={"literal_binds": True}))
    except sa.exc.SQLAlchemyError as error:
        raise DeclarationError(
            f"update_in_batches of {table}: {value!r} for {column} has no literal in SQL. Write it as sa.text(...)."
        ) from error


def _sql(clause: Any, table: QualifiedName, schema: str | None) -> str:
    """SQL in which the table's own columns are no table of a subquery's FROM, so that subqueries may refer to them."""
    if isinstance(clause, str | sa.TextClause):
        return sql_of(clause)

    def own(element: Any, **_: Any) -> Any:
        of = getattr(element, "table", None)
        if getattr(of, "name", None) != table.name or getattr(of, "schema", None) not in (schema, table.schema):
            return None
        return sa.literal_column(f"{ident(table.name)}.{ident(element.name)}", element.type)

    if hasattr(clause, "__clause_element__"):
        clause = clause.__clause_element__()
    clause = visitors.replacement_traverse(clause, {}, own)
    return str(clause.compile(dialect=_DIALECT, compile_kwargs={"literal_binds": True}))
