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
from schema_kit.names import QualifiedName, ident, literal
from schema_kit.ops.clauses import _DIALECT, sql_of
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
    """Update the rows of a table that is in use, in the order of its primary key, a batch a commit.

    When a pass has come to the end, rows that still meet WHERE are looked for, and another pass updates them, up to
    ten in all: a row whose key changed while a batch waited for it, say, which moves between partitions where the
    key holds the partition's column. Where rows go on meeting WHERE once they are updated, or there is none, this
    is done where a row was missed and the values are the same for all rows (those are set again, then, that the
    application has changed meanwhile); else what was missed is counted, and said.

    Each row is updated once, whatever interrupts this: how far it came is written to
    ``schema_kit.batch_progress`` in the same statement as the batch, and running it again goes on from there.
    Finished, it does nothing more; to run it again all the same, delete its row there::

        DELETE FROM schema_kit.batch_progress WHERE name = 'public.orders fill total'

    (a table or column that was dropped and made anew since is updated again without that). Rows that the
    application inserts or changes meanwhile are the application's matter: those behind the point that was reached
    are not visited again, so it has to write the new values itself before this begins, and no transaction that
    began earlier may be open. What the application writes into a row that is still to come, an explicit NULL too,
    is overwritten unless WHERE spares it. There is no way back: a downgrade has nothing to call, unless it is an
    update of its own.

    Locks: the rows of one batch, until its commit, and no lock on the table that anybody waits for. A row that
    somebody else has locked is waited for under the lock budget (100 ms at first, 5 s at most); then the batch is
    given up, and tried again. Between batches it gives way to replicas and to vacuum, for a minute at most, since
    a replica may be delayed on purpose. A session that may not read other sessions' statistics (pg_monitor)
    cannot see these reasons. Dead rows are left to autovacuum; VACUUM is not run at the end.

    With --sql it is one plain UPDATE: such a script is for a database that was empty at base.

    Args:
        operations: given by Alembic.
        table_name: the table; a partitioned one is updated as a whole.
        values: what each column is set to: a Python value, or SQL as ``sa.text("price * 2")`` or an expression.
        schema: its schema; by schema_translate_map or search_path where it is left out.
        where: which rows: SQL, ``sa.text`` or an expression; all where it is left out. Rows are found by the
            primary key and looked at one by one, so it needs no index.
        batch_size: rows of the first batch, from 1 to 100000; the next ones become smaller or larger, from 10 to
            100000, by a factor of 2 at most.
        target_seconds: how long a batch should take.
        name: what the update is remembered under; made from table, values and WHERE where it is left out.
        max_replica_lag: pause while a physical replica is more seconds than that behind; None: never.
        max_dead_share: pause while more than this share of the rows (0 to 1) is dead and a vacuum of the table is
            running; None: never.

    Raises:
        DeclarationError: a number out of its range, no values, or one that has no SQL.
        PlanError: no such table or column, no primary key, a column of it among the values, or the name belongs
            to another update.
        LockNotAvailable: somebody held a row through every try. The batches before it are committed.
        ExecutionError: PostgreSQL refused a batch, as it does where row security would hide rows from whoever
            runs this; those before it are committed.
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
