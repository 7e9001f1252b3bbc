"""Commits that update a big table a batch at a time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from schema_kit.model import KeyColumn
from schema_kit.names import QualifiedName, ended, ident, literal
from schema_kit.steps import spread
from schema_kit.steps.step import Lock, LockMode, SharedStep, Step
from schema_kit.storage import BATCH_PROGRESS

_OWN_OID = f"{literal(BATCH_PROGRESS.sql)}::pg_catalog.regclass"

SMALLEST, LARGEST = 10, 100_000
"""Rows of a batch, between which its size follows the time that batches take."""

MOST_PASSES = 10
"""How often an update goes through a table, at most, because of rows that were missed."""

PATIENCE_SECONDS = 60
"""The longest pause between two batches: a replica that is delayed on purpose would otherwise stop them for ever."""

REPLICA = "coalesce(nullif(r.application_name, ''), host(r.client_addr), r.pid::text)"
"""What a row of pg_stat_replication is called."""


_CONSTANT = re.compile(r"'(?:[^']|'')*'|-?[0-9]+(?:\.[0-9]+)?|true|false|null", re.IGNORECASE)
_CLOCK = re.compile(r"now|today|tomorrow|yesterday", re.IGNORECASE)  # 'now' is a moment, and each time another one


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be updated: the values by column, and the WHERE clause, in SQL."""

    table: QualifiedName
    assignments: tuple[tuple[str, str], ...]
    where: str | None = None

    @property
    def set_clause(self) -> str:
        """What stands behind SET."""
        return ", ".join(f"{ident(column)} = {ended(value)}" for column, value in self.assignments)

    @property
    def constant(self) -> bool:
        """Whether each value is the same for all rows, at all times."""
        return all(_CONSTANT.fullmatch(value) and not _CLOCK.search(value) for _, value in self.assignments)

    def unmet(self, types: Mapping[str, str]) -> str:
        """SQL for whether a row of constant values has another one; compared as text, since json knows no equality."""
        return " OR ".join(
            f"{ident(column)}::text IS DISTINCT FROM ({value})::{types[column]}::text"
            for column, value in self.assignments
        )

    def __str__(self) -> str:
        return f"SET {self.set_clause}" + (f" WHERE {self.where}" if self.where else "")


@dataclass(frozen=True)
class StartBatches(SharedStep):
    """The row that remembers how far an update has come; one of a table or column that is gone begins again."""

    says = "begin the update {self.name}"

    name: str
    change: Change
    key: tuple[KeyColumn, ...]
    target: str
    batch_size: int

    def sql(self) -> tuple[str, ...]:
        """One row; that of an update in progress is left as it is."""
        key = f"ARRAY[{', '.join(literal(column.name) for column in self.key)}]"
        table, change = literal(str(self.change.table)), literal(str(self.change))
        return (
            f"INSERT INTO {BATCH_PROGRESS.sql} AS p (name, table_name, change, target, key_columns, batch_size, "
            f"record_oid) VALUES ({literal(self.name)}, {table}, {change}, {literal(self.target)}, {key}, "
            f"{self.batch_size}, {_OWN_OID}) "
            "ON CONFLICT (name) DO UPDATE SET (table_name, change, target, key_columns, last_key, rows_seen, "
            "rows_changed, batch_size, record_oid, started_at, batch_at, passes, ended_at, missed, stays, finished_at) "
            "= (excluded.table_name, excluded.change, excluded.target, excluded.key_columns, NULL, 0, 0, "
            "excluded.batch_size, excluded.record_oid, pg_catalog.now(), NULL, 1, NULL, 0, false, NULL) "
            "WHERE p.finished_at IS NOT NULL AND p.target <> excluded.target",
        )


@dataclass(frozen=True)
class FindBatches(SharedStep):
    """The row of an update that is finished means the table of its name again, after a dump and restore."""

    says = "know the update {self.name} again, which was finished before a dump and restore"

    name: str
    target: str

    def sql(self) -> tuple[str, ...]:
        """One row."""
        return (
            f"UPDATE {BATCH_PROGRESS.sql} SET (target, record_oid) = ({literal(self.target)}, {_OWN_OID}) "
            f"WHERE name = {literal(self.name)} AND finished_at IS NOT NULL",
        )


@dataclass(frozen=True)
class UpdateBatch(Step):
    """The next rows in the order of the primary key, and how far that is, in one statement.

    Whatever ends it, both exist or neither does. Its rows are those that one snapshot shows behind the last key;
    they are found again by their key, so a row that another session changes meanwhile is waited for and then updated
    as that session left it.

    Args:
        name: what the update is remembered under.
        change: what is updated.
        key: the primary key.
        target_seconds: how long a batch should take.
        max_replica_lag: seconds that a physical replica may lag behind before they pause; None: never.
        max_dead_share: the share of dead rows at which they pause while vacuum is at work; None: never.
        spread: whether Citus distributes the table: see `steps.spread`.
    """

    repeats = True
    throttled = True
    decide_again = True
    reads_rows = True
    settings = (
        # A row that was changed since the snapshot causes no error, and the planner, who does not know the size of a
        # batch, keeps to the primary key.
        ("transaction_isolation", "read committed"),
        ("enable_seqscan", "off"),
        ("enable_bitmapscan", "off"),
        ("enable_sort", "off"),
        ("jit", "off"),
    )

    name: str
    change: Change
    key: tuple[KeyColumn, ...]
    target_seconds: float
    max_replica_lag: float | None
    max_dead_share: float | None
    spread: bool = False

    @property
    def summary(self) -> str:
        """Names the table and the columns."""
        columns = ", ".join(column for column, _ in self.change.assignments)
        return f"update {columns} of {self.change.table} in batches"

    @property
    def locks(self) -> tuple[Lock, ...]:
        """What every UPDATE takes; listed so that blocking sessions can be reported."""
        return (Lock(LockMode.ROW_EXCLUSIVE, self.change.table),)

    @property
    def progress(self) -> str:
        """Rows of all runs; the share is of the planner's estimate."""
        return (
            "SELECT to_char(p.rows_seen, 'FM999,999,999,999,999') || ' rows, ' "
            "|| to_char(p.rows_changed, 'FM999,999,999,999,999') || ' of them changed', "
            "least(p.rows_seen / nullif(greatest(c.reltuples, 0), 0), 1)::float "
            f"FROM {BATCH_PROGRESS.sql} p, (SELECT sum(greatest(reltuples, 0))::float AS reltuples FROM pg_class "
            f"WHERE relkind = 'r' AND oid IN ({_tree(self.change.table)})) c WHERE p.name = {literal(self.name)}"
        )

    @property
    def pressure(self) -> str | None:
        """Replicas that lag, and dead rows while vacuum is at work on them; every minute a batch goes all the same."""
        recent = (
            f"EXISTS (SELECT 1 FROM {BATCH_PROGRESS.sql} WHERE name = {literal(self.name)} "
            f"AND batch_at > clock_timestamp() - interval '{PATIENCE_SECONDS} seconds')"
        )
        return pressure(self.change.table, self.max_replica_lag, self.max_dead_share, recent)

    @property
    def row_moved(self) -> str:
        """It may lie by now where no batch comes any more."""
        return f"UPDATE {BATCH_PROGRESS.sql} SET missed = missed + 1 WHERE name = {literal(self.name)}"

    def sql(self) -> tuple[str, ...]:
        """Keys are kept as text, whatever their types; moments as ISO 8601, whatever the session's DateStyle."""
        if self.spread:
            kept_now = [kept_text(column, ident(column.name)) for column in self.key]
            return spread.update_sql(self, kept_now, SMALLEST, LARGEST)
        table, names = self.change.table, [f"schema_kit_key_{number}" for number in range(1, len(self.key) + 1)]
        columns = ", ".join(f"{ident(c.name)} AS {name}" for c, name in zip(self.key, names, strict=True))
        order = ", ".join(ident(column.name) for column in self.key)
        kept = ", ".join(kept_text(column, name) for column, name in zip(self.key, names, strict=True))
        due = f"({ended(self.change.where)}) IS TRUE" if self.change.where else "true"
        rows = f"SELECT {columns}, {due} AS schema_kit_due FROM {table.sql} WHERE"
        limit = f"ORDER BY {order} LIMIT (SELECT batch_size FROM schema_kit_at)"
        same = " AND ".join(
            f"{ident(table.name)}.{ident(column.name)} {column.operator('=')} "
            f"(schema_kit_key ->> {place})::{column.type}"
            for place, column in enumerate(self.key)
        )
        where = f" AND ({ended(self.change.where)})" if self.change.where else ""
        factor = f"least(2, greatest(0.5, {self.target_seconds!r} / greatest(extract(epoch FROM d.took), 0.000001)))"
        return (
            f"""WITH schema_kit_at AS MATERIALIZED (
  SELECT last_key, batch_size FROM {BATCH_PROGRESS.sql}
  WHERE name = {literal(self.name)} AND ended_at IS NULL AND finished_at IS NULL FOR UPDATE
), schema_kit_window AS MATERIALIZED (
  SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array({kept}) ORDER BY {", ".join(names)}), '[]') AS keys,
         pg_catalog.count(*) AS seen, pg_catalog.count(*) FILTER (WHERE schema_kit_due) AS due
  FROM (
    ({rows} (SELECT last_key IS NULL FROM schema_kit_at) {limit})
    UNION ALL
    ({rows} {_behind(self.key)} {limit})
  ) AS schema_kit_rows
), schema_kit_changed AS (
  UPDATE {table.sql} SET {self.change.set_clause}
  FROM pg_catalog.jsonb_array_elements((SELECT keys FROM schema_kit_window)) AS schema_kit_batch (schema_kit_key)
  WHERE {same}{where}
  RETURNING {due} AS stays
), schema_kit_done AS MATERIALIZED (
  SELECT pg_catalog.count(*) AS changed, coalesce(pg_catalog.bool_or(stays), false) AS stays,
         pg_catalog.clock_timestamp() - pg_catalog.statement_timestamp() AS took FROM schema_kit_changed
)
UPDATE {BATCH_PROGRESS.sql} AS p SET
  last_key = coalesce(w.keys -> -1, p.last_key), rows_seen = p.rows_seen + w.seen,
  rows_changed = p.rows_changed + d.changed,
  batch_size = least({LARGEST}, greatest({SMALLEST}, pg_catalog.round(a.batch_size::numeric * {factor}))),
  batch_at = pg_catalog.clock_timestamp(),
  missed = p.missed + greatest(w.due - d.changed, 0), stays = p.stays OR d.stays,
  ended_at = CASE WHEN w.seen < a.batch_size THEN pg_catalog.clock_timestamp() END
FROM schema_kit_at a, schema_kit_window w, schema_kit_done d
WHERE p.name = {literal(self.name)}""",
        )


@dataclass(frozen=True)
class EndPass(Step):
    """A pass has come to the end: another one, where rows were missed; else the update is finished.

    A row whose key changed while a batch waited for it, say, lies where none comes any more.

    Args:
        name: what the update is remembered under.
        table: the table.
        missed: whether a row was missed, in SQL; empty where that is unknown.
    """

    decide_again = True
    reads_rows = True
    says = "look for rows of {self.table} that were missed"

    name: str
    table: QualifiedName
    missed: str

    def sql(self) -> tuple[str, ...]:
        """With the session's own settings, as the batches."""
        ended_pass = f"WHERE name = {literal(self.name)} AND ended_at IS NOT NULL AND finished_at IS NULL"
        again = (
            f"UPDATE {BATCH_PROGRESS.sql} SET last_key = NULL, ended_at = NULL, missed = 0, passes = passes + 1 "
            f"{ended_pass} AND passes < {MOST_PASSES} "
            f"AND EXISTS (SELECT 1 FROM {self.table.sql} WHERE ({ended(self.missed)}))"
        )
        finish = f"UPDATE {BATCH_PROGRESS.sql} SET finished_at = pg_catalog.clock_timestamp() {ended_pass}"
        return (again, finish) if self.missed else (finish,)


@dataclass(frozen=True)
class UpdateAtOnce(Step):
    """One plain UPDATE, where no session waits for it: in a script for a database that was empty at base."""

    reads_rows = True
    says = "update {self.change.table} in one statement: this script is for a database that was empty at base"

    change: Change

    def sql(self) -> tuple[str, ...]:
        """Locks rows only."""
        where = f" WHERE {ended(self.change.where)}" if self.change.where else ""
        return (f"UPDATE {self.change.table.sql} SET {self.change.set_clause}{where}",)


def pressure(
    table: QualifiedName, max_replica_lag: float | None, max_dead_share: float | None, recent: str
) -> str | None:
    """Return a SELECT of the reasons to pause between batches; None where nothing is one.

    Args:
        table: what the batches work on.
        max_replica_lag: seconds that a physical replica may lag behind.
        max_dead_share: the share of dead rows at which a vacuum that is at work gets time.
        recent: a condition: whether the last batch was not so long ago that one goes all the same.
    """
    reasons = []
    if max_replica_lag is not None:
        reasons.append(lagging_sql(max_replica_lag))
    if max_dead_share is not None:
        share = "sum(s.n_dead_tup) / nullif(sum(s.n_live_tup + s.n_dead_tup), 0)"
        reasons.append(
            f"SELECT format('%s%% of the rows of %s are dead, and vacuum is at work', round(100 * {share}), "
            f"{literal(str(table))}) "
            f"FROM pg_stat_all_tables s WHERE s.relid IN ({_tree(table)}) HAVING {share} > {max_dead_share!r} "
            f"AND EXISTS (SELECT 1 FROM pg_stat_progress_vacuum v WHERE v.relid IN ({_tree(table)}))"
        )
    if not reasons:
        return None
    return f"SELECT reason FROM ({' UNION ALL '.join(reasons)}) reasons (reason) WHERE {recent}"


def lagging_sql(seconds: float) -> str:
    """Return a SELECT of the physical replicas that are so many seconds behind, or silent, as reasons to pause.

    Of one that hangs no lag is measured: it does not answer, though WAL waits for it.
    """
    limit, silent = f"make_interval(secs => {seconds!r})", "clock_timestamp() - r.reply_time"
    hangs = f"r.flush_lsn < pg_current_wal_flush_lsn() AND {silent} > {limit}"
    took = "round(extract(epoch FROM {})::numeric, 1)"
    return (
        f"SELECT CASE WHEN {hangs} THEN format('replica %s has not answered for %s s', {REPLICA}, "
        f"{took.format(silent)}) ELSE format('replica %s lags %s s behind', {REPLICA}, {took.format('r.replay_lag')}) "
        f"END FROM pg_stat_replication r WHERE (r.replay_lag > {limit} OR {hangs}) AND NOT EXISTS "
        "(SELECT 1 FROM pg_replication_slots s WHERE s.active_pid = r.pid AND s.slot_type = 'logical')"
    )


def _tree(table: QualifiedName) -> str:
    name = f"to_regclass({literal(table.sql)})"
    return f"SELECT relid::oid FROM pg_partition_tree({name}) UNION SELECT {name}::oid"


def kept_text(column: KeyColumn, name: str) -> str:
    """A value of a key as JSON takes it: moments as ISO 8601, whatever the session's DateStyle; all else as text."""
    return f"pg_catalog.to_jsonb({name})" if column.moment else f"{name}::text"


def _behind(key: tuple[KeyColumn, ...], first: int = 0) -> str:
    """Return whether a row comes after the last key: by the operators of the primary key, wherever their types live."""
    columns = [ident(column.name) for column in key[first:]]
    last = [
        f"(SELECT (last_key ->> {place})::{key[place].type} FROM schema_kit_at)" for place in range(first, len(key))
    ]
    if len({column.operator(">") for column in key[first:]}) == 1:
        return f"({', '.join(columns)}) {key[first].operator('>')} ({', '.join(last)})"
    later = f"{columns[0]} {key[first].operator('>')} {last[0]} OR {_behind(key, first + 1)}"
    return f"({columns[0]} {key[first].operator('>=')} {last[0]} AND ({later}))"
