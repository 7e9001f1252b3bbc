"""What was seen while a revision ran: plain data, which the rules judge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from schema_kit.lint.promises import Promise
from schema_kit.names import QualifiedName
from schema_kit.steps.step import LockMode

Table = QualifiedName


@dataclass(frozen=True, slots=True)
class Held:
    """A lock on a table that existed before the revision.

    Args:
        table: an index's lock counts for its table only where that one is locked, too.
        mode: one of PostgreSQL's eight.
    """

    table: Table
    mode: LockMode


@dataclass(frozen=True, slots=True)
class Written:
    """Rows that one statement has written in a table that existed before the revision.

    Args:
        table: where.
        changed: rows updated and deleted.
        there: rows that the table had before the statement; None where they were not counted.
    """

    table: Table
    changed: int
    there: int | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """Something of the catalog that a statement has changed.

    Args:
        kind: dropped, renamed, named, emptied, detached, partition_made, column_dropped, column_renamed, column_added,
            column_required, column_not_null, type_changed, type_differs, index_dropped, restarted.
        table: the table; the view, sequence or type itself where it has none.
        name: the column, index or value; empty where it is the table itself.
        detail: the new name, the type, the index's columns.
    """

    kind: str
    table: Table
    name: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """What PostgreSQL, or Python, has raised."""

    sqlstate: str
    message: str


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement, and all that it was seen to do.

    Args:
        sql: as it was sent, on one line.
        line: of the revision's file; 0 where it came from elsewhere.
        transaction: number of its transaction in the revision, from 1.
        times: how often it was sent, each time with other values.
        commits: it commits within itself: a procedure, or what runs in no transaction.
        ours: an operation of schema_kit has sent it.
        lock_timeout: how long it waits for a lock at most; ``0`` is for ever.
        locks: locks that it has taken, stronger than those that the transaction held already.
        scanned: tables that were read from end to end.
        rewritten: tables that were written again.
        built: indexes that were built, each with its table.
        written: rows.
        changes: of the catalog.
        unbounded: tables of which it updates or deletes rows that nothing limits in number, with the condition.
        broken: promises that it takes away, or what it puts in the way.
        kept: promises that it makes, or what it takes out of the way.
        along: what CASCADE has dropped of tables that stay, and the statement does not name.
        made: tables and views that it made, or gave this name after they were made.
        failure: what it ended with, where it failed.
    """

    sql: str
    line: int
    transaction: int
    times: int = 1
    commits: bool = False
    lock_timeout: str = "0"
    locks: tuple[Held, ...] = ()
    scanned: tuple[Table, ...] = ()
    rewritten: tuple[Table, ...] = ()
    built: tuple[tuple[str, Table], ...] = ()
    written: tuple[Written, ...] = ()
    changes: tuple[Change, ...] = ()
    unbounded: tuple[tuple[Table, str], ...] = ()
    broken: frozenset[Promise] = frozenset()
    kept: frozenset[Promise] = frozenset()
    along: tuple[Promise, ...] = ()
    made: tuple[Table, ...] = ()
    failure: Failure | None = None
    ours: bool = False

    @property
    def works(self) -> tuple[Table, ...]:
        """Tables of which it has read or written every row or built an index."""
        return tuple(dict.fromkeys((*self.scanned, *self.rewritten, *(table for _, table in self.built))))


@dataclass(frozen=True, slots=True)
class Again:
    """How the catalog and the counts of rows end where a revision is run a second time.

    Args:
        how: what was done: ``cancelled`` in a statement, or ``killed`` after one, and run again; or ``back`` and forth.
        at: that statement; empty for the rollback.
        failure: the second run, or the rollback, has failed.
        invalid: indexes that are INVALID in the end, and were not.
        differs: lines of the two catalogs that differ, each with + or -.
    """

    how: str
    at: str = ""
    failure: Failure | None = None
    invalid: tuple[str, ...] = ()
    differs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of the models, by schema and table."""

    tables: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict)

    def has(self, table: Table, column: str = "") -> bool:
        """Return whether the models have a table, or a column of it."""
        columns = self.tables.get((table.schema, table.name))
        return columns is not None and (not column or column in columns)


@dataclass(frozen=True, slots=True)
class Observation:
    """A revision, and everything that it was seen to do.

    Args:
        revision: its identifier.
        path: its file.
        statements: in order.
        failure: what it ended with, where it failed.
        again: how it went the second time.
        invalid: indexes that are INVALID when it has ended.
        models: of env.py.
        name_limit: how many letters Alembic's table takes, where the identifier has more.
        roots: partitions, each with the table at the top of all.
    """

    revision: str
    path: str
    statements: tuple[Statement, ...] = ()
    failure: Failure | None = None
    again: tuple[Again, ...] = ()
    invalid: tuple[str, ...] = ()
    models: Columns = field(default_factory=Columns)
    name_limit: int = 0
    roots: Mapping[Table, Table] = field(default_factory=dict)
