"""A few thousand rows of invented life in the five systems, so that there is something to see.

The same rows, until, months and seed make the same bytes. The tables must be there, at any revision, and empty.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import psycopg

from migrations.sample.rows import TABLES
from migrations.sample.world import World

GO_ON_COUNTING = "SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)"
"""Let an identity column go on after the ids that were written; where ids are UUIDs, nothing happens."""


TRUST_REFERENCES = "SET LOCAL session_replication_role = replica"
"""No triggers, and so no foreign key looked up row by row: a third of the time. The rows do have their parents."""

CHECK_REFERENCES = "SET LOCAL session_replication_role = origin"


class NotEmptyError(Exception):
    """A table to be filled has rows already."""


def fill(
    connection: psycopg.Connection,
    rows: int,
    until: date,
    *,
    months: int = 18,
    seed: int = 1,
    tell: Callable[[str, int], None] = lambda table, lines: None,
) -> dict[str, int]:
    """Fill every table in one transaction, and return the rows of each.

    Args:
        connection: whose tables are filled; a transaction that is open on it stays so.
        rows: how many, all tables together.
        until: the day before which they end.
        months: over how many of them they are spread.
        seed: other rows for each.
        tell: is told of each block: its table, and its rows.

    Raises:
        NotEmptyError: a table has rows.
    """
    world = World(rows, until, months, seed)
    with connection.transaction():
        _refuse_rows(connection)
        may_trust = _is_superuser(connection)
        for table in TABLES:
            if may_trust:
                connection.execute(TRUST_REFERENCES if table.trusted else CHECK_REFERENCES)
            with connection.cursor().copy(f"COPY {table.name} ({table.columns}) FROM STDIN") as copy:
                for lines, block in table.blocks(world):
                    copy.write(block)
                    tell(table.name, lines)
            connection.execute(GO_ON_COUNTING, [table.name, world.sizes[table.name]])
            connection.execute(f"ANALYZE {table.name}".encode())
        if may_trust:
            connection.execute(CHECK_REFERENCES)  # a transaction around this one goes on with it
    return {table.name: world.sizes[table.name] for table in TABLES}


def _refuse_rows(connection: psycopg.Connection) -> None:
    filled = [
        table.name
        for table in TABLES
        if connection.execute(f"SELECT 1 FROM {table.name} LIMIT 1".encode()).fetchone() is not None
    ]
    if filled:
        raise NotEmptyError(f"only empty tables are filled, and these have rows: {', '.join(filled)}")


def _is_superuser(connection: psycopg.Connection) -> bool:
    found = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    return found is not None and bool(found[0])
