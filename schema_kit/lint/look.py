"""What one session holds and has done so far in its transaction, read by that session itself before it commits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import tuple_row

from schema_kit.lint.promises import DEPENDENTS, Promise, read
from schema_kit.lint.promises import QUERY as PROMISES
from schema_kit.names import QualifiedName, literal
from schema_kit.steps.step import LockMode

MODES = {mode.value.title().replace(" ", "") + "Lock": mode for mode in LockMode}

_RELATIONS = """
SELECT c.oid::bigint, n.nspname::text, c.relname::text, c.relkind::text, pg_catalog.pg_relation_filenode(c.oid)::bigint,
       coalesce((SELECT h.inhparent::bigint FROM pg_catalog.pg_inherits h WHERE h.inhrelid = c.oid LIMIT 1), 0),
       c.relispartition, coalesce(i.indrelid::bigint, 0),
       EXISTS (SELECT 1 FROM pg_catalog.pg_constraint k WHERE k.conindid = c.oid AND k.contype IN ('p', 'u', 'x')),
       (SELECT pg_catalog.json_agg(pg_catalog.json_build_array(
                 a.attnum, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull,
                 a.atthasdef OR a.attidentity <> '',
                 CASE WHEN y.typcategory IN ('E', 'U', 'C') THEN y.typnamespace || '.' || y.typname
                      ELSE y.typcategory::text END || (y.typname IN ('timestamptz', 'timetz'))::text) ORDER BY a.attnum)
        FROM pg_catalog.pg_attribute a LEFT JOIN pg_catalog.pg_type y ON y.oid = a.atttypid
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' {only}
"""
_LOCKED = """
AND c.oid IN (SELECT l.relation FROM pg_catalog.pg_locks l WHERE l.pid = pg_catalog.pg_backend_pid()
              AND l.locktype = 'relation' AND l.mode NOT IN ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock'))
"""
_GLANCE = """
SELECT relation::bigint, mode, virtualtransaction, pg_catalog.current_setting('lock_timeout'), 0, 0, 0
FROM pg_catalog.pg_locks
WHERE pid = pg_catalog.pg_backend_pid() AND (locktype = 'virtualxid' OR (locktype = 'relation' AND database IN (0,
  (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()))))
UNION ALL
SELECT relid::bigint, '', '', '', seq_scan, n_tup_ins, n_tup_upd + n_tup_del FROM pg_catalog.pg_stat_xact_user_tables
WHERE seq_scan + n_tup_ins + n_tup_upd + n_tup_del > 0
"""
_OF_ANOTHER = """
SELECT relation::bigint, mode FROM pg_catalog.pg_locks WHERE pid = %s AND locktype = 'relation' AND database =
  (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
"""
_BEGINS = """
SELECT s.last_value <= q.seqstart FROM {0} s, pg_catalog.pg_sequence q
WHERE q.seqrelid = {1}::pg_catalog.regclass
"""


@dataclass(frozen=True, slots=True)
class Column:
    """A column as the catalog has it."""

    name: str
    type: str
    not_null: bool
    filled: bool
    """It has a default, is generated or an identity."""
    like: str = ""
    """What code takes its values for: numbers, texts, one type; with or without a time zone."""


@dataclass(frozen=True, slots=True)
class Relation:
    """A table, view, index or sequence as the catalog has it."""

    name: QualifiedName
    kind: str
    file: int | None
    parent: int
    partition: bool
    table: int
    backs: bool
    """A constraint rests on this index."""
    columns: Mapping[int, Column]


@dataclass(slots=True)
class Seen:
    """One look.

    Args:
        transaction: PostgreSQL's name of it.
        locks: oid and mode of each relation that is locked.
        relations: by oid: all of them, as far as they are known.
        counts: by oid: scans from end to end, rows inserted, rows changed, counted since the session began.
        promises: what code relies on besides.
        lock_timeout: how long a lock is waited for at most; ``0`` is for ever.
    """

    transaction: str
    locks: frozenset[tuple[int, LockMode]]
    relations: dict[int, Relation]
    counts: dict[int, tuple[int, int, int]]
    promises: frozenset[Promise] = frozenset()
    lock_timeout: str = "0"


class Eyes:
    """Looks through one connection, and is not seen by what watches that.

    Args:
        connection: of psycopg; its transaction is begun where it begins by itself.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query, or none."""
        with psycopg.Cursor(self._connection, row_factory=tuple_row) as cursor:
            cursor.execute(sql.encode(), prepare=False)
            return cursor.fetchall() if cursor.description else []

    def look(self, before: Seen | None = None, *, promises: bool = True) -> Seen:
        """Look at everything, or at what can differ from *before* in the same transaction: what is locked strongly.

        Without *promises* those of *before* still hold: rows were written, and nothing was defined.
        """
        relations = _RELATIONS.format(only=_LOCKED if before else "")
        glance, found, *promised = self.sets(_GLANCE, relations, *([PROMISES] if promises or not before else []))
        seen = _glanced(glance, before)
        if promised:
            seen.promises = read(promised[0])
        if before and schemas(seen) != schemas(before):  # no table of theirs is locked by that
            found = self.rows(_RELATIONS.format(only=""))
        strong = {oid for oid, mode in seen.locks if mode not in _WEAK}  # what was dropped stays locked
        kept = {oid: one for oid, one in before.relations.items() if oid not in strong} if before else {}
        seen.relations = kept | _read(found)
        return seen

    def glance(self, before: Seen | None) -> Seen:
        """Locks and counters alone; the catalog as it was before."""
        return _glanced(self.rows(_GLANCE), before)

    def sets(self, *queries: str) -> list[list[tuple[Any, ...]]]:
        """Return the rows of several queries that are sent together."""
        with psycopg.Cursor(self._connection, row_factory=tuple_row) as cursor:
            cursor.execute(";".join(queries).encode(), prepare=False)
            found = [cursor.fetchall()]
            while cursor.nextset():
                found.append(cursor.fetchall())
            return found

    def count(self, table: QualifiedName) -> int:
        """Return how many rows a table has."""
        return int(self.rows(f"SELECT pg_catalog.count(*) FROM {table.sql}")[0][0])

    def begins(self, sequence: QualifiedName) -> bool:
        """Return whether a sequence gives its first number next."""
        return bool(self.rows(_BEGINS.format(sequence.sql, literal(sequence.sql)))[0][0])

    def dependents(self) -> frozenset[Promise]:
        """Return what goes together with something else under CASCADE."""
        return read(self.rows(DEPENDENTS))


def _glanced(found: list[tuple[Any, ...]], before: Seen | None) -> Seen:
    held = [row for row in found if row[1]]
    return Seen(
        held[0][2] if held else "",
        frozenset((oid, MODES[mode]) for oid, mode, *_ in held if oid),
        before.relations if before else {},
        {oid: (scans, inserted, changed) for oid, mode, _, _, scans, inserted, changed in found if not mode},
        before.promises if before else frozenset(),
        held[0][3] if held else "0",
    )


def roots(seen: Seen) -> dict[QualifiedName, QualifiedName]:
    """Return all partitions, each with the table at the top."""
    found = dict[QualifiedName, QualifiedName]()
    for one in seen.relations.values():
        top: Relation | None = one
        while top and top.partition:
            top = seen.relations.get(top.parent)
        if top and top is not one:
            found[one.name] = top.name
    return found


def schemas(seen: Seen) -> frozenset[Promise]:
    """Return the schemas of a look."""
    return frozenset(one for one in seen.promises if one.kind == "schema")


def _read(found: list[tuple[Any, ...]]) -> dict[int, Relation]:
    return {
        oid: Relation(
            QualifiedName(schema, name), kind, file, parent, partition, table, backs,
            {one[0]: Column(*one[1:]) for one in columns or ()},
        )
        for oid, schema, name, kind, file, parent, partition, table, backs, columns in found
    }  # fmt: skip


def held(watcher: psycopg.Connection[Any], pid: int) -> set[tuple[int, LockMode]]:
    """Return the locks that another session holds or waits for, as *watcher* sees them: relations by number."""
    return {(oid, MODES[mode]) for oid, mode in watcher.execute(_OF_ANOTHER, [pid])}


def strongly(seen: Seen) -> frozenset[tuple[int, LockMode]]:
    """Return its locks under which the catalog can change, or rows."""
    return frozenset((oid, mode) for oid, mode in seen.locks if mode not in _READS and oid >= _USERS)


_READS = {LockMode.ACCESS_SHARE, LockMode.ROW_SHARE}
_WEAK = {*_READS, LockMode.ROW_EXCLUSIVE}
_USERS = 16384
"""The first number of what is not PostgreSQL's own."""
