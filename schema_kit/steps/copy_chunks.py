"""Commits that copy what the source holds: chunk by chunk, then indexes and statistics."""

from __future__ import annotations

from dataclasses import dataclass

from schema_kit.fingerprints.snapshots import PATIENCE_SECONDS
from schema_kit.model import Copy, CopyLimits, Index, KeyColumn
from schema_kit.names import QualifiedName, asking_sql, ident, idents, literal
from schema_kit.steps.batches import REPLICA, lagging_sql
from schema_kit.steps.copying import (
    NO_WAIT_FOR_DISK,
    PLAIN_TEXT,
    READ_COMMITTED,
    alone_sql,
    key_names,
    run_is,
    where_run,
)
from schema_kit.steps.partitions import Analyze
from schema_kit.steps.step import Lock, LockMode, Step, expect_sql
from schema_kit.storage import COPY_CHUNK, COPY_RUN

CHUNK_ROWS, CHUNK_BYTES = 50_000, 32 * 1024 * 1024
"""A chunk holds about so many rows, or less where they are wide."""


@dataclass(frozen=True)
class CutChunks(Step):
    """Where chunks begin and end: at keys of a sample of the source's pages, so that they are about equal.

    Args:
        copy: what is copied.
        by: the columns that bound them: the primary key, or the control column where rows lie in its order.
    """

    decide_again = True
    may_block = True
    reads_rows = True
    settings = (READ_COMMITTED, *PLAIN_TEXT)

    copy: Copy
    by: tuple[KeyColumn, ...]

    @property
    def summary(self) -> str:
        """Names the source and the columns."""
        return f"divide {self.copy.source} into chunks by {', '.join(column.name for column in self.by)}"

    @property
    def locks(self) -> tuple[Lock, ...]:
        """Another run of the same copy waits, and does not divide again what is being copied by then."""
        return (Lock(LockMode.SHARE_ROW_EXCLUSIVE, self.copy.staging),)

    def sql(self) -> tuple[str, ...]:
        """A page in a hundred of a big table, all of a small one."""
        copy, source = self.copy, literal(self.copy.source.sql)
        # What only the server knows stands between the pieces of the statement.
        insert = " || bytes || ".join(
            " || share || ".join(literal(piece) for piece in part.split(_SHARE))
            for part in self._insert().split(_BYTES)
        )
        body = f"""
  pages := pg_relation_size({source}) / current_setting('block_size')::float;
  bytes := pg_table_size({source});
  share := least(100, greatest(1, 100 * 1000 / greatest(pages, 1)));
  EXECUTE {insert};
"""
        by = f"ARRAY[{', '.join(literal(column.name) for column in self.by)}]"
        done = f"UPDATE {COPY_RUN.sql} SET cut_at = pg_catalog.clock_timestamp(), cut_by = {by} WHERE {where_run(copy)}"
        return (
            *alone_sql(copy, run_is(copy, "cut_at IS NULL")),
            asking_sql(body, "pages float; bytes float; share float; "),
            done,
        )

    def _insert(self) -> str:
        names, source = key_names(self.by), literal(str(self.copy.source))
        texts = ", ".join(f"{ident(column.name)}::text" for column in self.by)
        return f"""INSERT INTO {COPY_CHUNK.sql} (source_table, number, lower_key, upper_key)
WITH sample AS (
  SELECT DISTINCT ON ({names}) {names}, row_number() OVER (ORDER BY {names}) - 1 AS schema_kit_place,
         count(*) OVER () AS schema_kit_all
  FROM {self.copy.source.sql} TABLESAMPLE SYSTEM ({_SHARE}) ORDER BY {names}, schema_kit_place
), sized AS (
  SELECT *, lag(schema_kit_place) OVER (ORDER BY schema_kit_place) AS schema_kit_before,
         greatest(1, ceil(schema_kit_all / ceil(greatest(
           schema_kit_all * 100.0 / ({_SHARE}) / {CHUNK_ROWS}, ({_BYTES})::float / {CHUNK_BYTES}
         ))))::bigint AS schema_kit_step
  FROM sample
), numbered AS (
  SELECT ARRAY[{texts}] AS edge, row_number() OVER (ORDER BY schema_kit_place) AS number FROM sized
  WHERE schema_kit_place / schema_kit_step > schema_kit_before / schema_kit_step
)
SELECT {source}, coalesce(l.number, 0), l.edge, u.edge
FROM numbered l FULL JOIN numbered u ON u.number = l.number + 1
UNION ALL SELECT {source}, 0, NULL, NULL WHERE NOT EXISTS (SELECT 1 FROM numbered)"""


_SHARE, _BYTES = "\x01", "\x02"
"""In the text of a statement: how many percent of the pages are looked at, and the bytes of the table."""


@dataclass(frozen=True)
class CopyChunk(Step):
    """Copy the next chunk that no session has taken, and mark it done: in one commit. Each worker takes its own.

    Args:
        copy: what is copied.
        by: the columns that bound chunks.
        limits: when it pauses.
    """

    repeats = True
    parallel = True
    throttled = True
    # A chunk that another session holds is passed over: nothing may follow until none is left.
    decide_again = True
    reads_rows = True
    settings = (
        READ_COMMITTED,
        NO_WAIT_FOR_DISK,
        *PLAIN_TEXT,
        # Statistics may be missing, and a scan of the whole table for each chunk would never end.
        ("enable_seqscan", "off"),
        ("jit", "off"),
    )
    says = "copy the rows of {self.copy.source}, chunk by chunk"

    copy: Copy
    by: tuple[KeyColumn, ...]
    limits: CopyLimits

    @property
    def progress(self) -> str:
        """Rows, rows a second of the last minute, time left, keys in the log; the share is that of the chunks."""
        return (
            f"WITH c AS (SELECT * FROM {COPY_CHUNK.sql} WHERE {where_run(self.copy)}), "
            "r AS (SELECT sum(rows) AS rows, count(*) AS done, extract(epoch FROM clock_timestamp() - "
            "greatest(min(began_at), clock_timestamp() - interval '1 minute')) AS seconds "
            "FROM c WHERE done_at > clock_timestamp() - interval '1 minute') "
            "SELECT format('%s rows, %s rows/s, %s left, %s keys in the log', "
            "to_char(coalesce(sum(c.rows), 0), 'FM999,999,999,999,999'), "
            "to_char(coalesce(r.rows / nullif(r.seconds, 0), 0), 'FM999,999,999,999'), "
            "coalesce(date_trunc('second', make_interval(secs => "
            "(r.seconds * (count(*) - count(c.done_at)) / nullif(r.done, 0))::float))::text, 'unknown time'), "
            f"to_char(pg_stat_get_live_tuples({literal(self.copy.log.sql)}::regclass), 'FM999,999,999,999')), "
            "count(c.done_at)::float / nullif(count(*), 0) FROM c, r GROUP BY r.rows, r.done, r.seconds"
        )

    @property
    def pressure(self) -> str | None:
        """Replicas that lag, and slots that hold back WAL."""
        reasons = []
        if self.limits.max_replica_lag is not None:
            recent = (
                f"EXISTS (SELECT 1 FROM {COPY_CHUNK.sql} WHERE {where_run(self.copy)} "
                f"AND done_at > clock_timestamp() - interval '{PATIENCE_SECONDS} seconds')"
            )
            reasons.append(f"{lagging_sql(self.limits.max_replica_lag)} AND {recent}")
        if (most := self.limits.max_slot_bytes) is not None:
            # Of a replica that stands still no lag is measured, but its distance grows.
            behind = "pg_wal_lsn_diff(pg_current_wal_lsn(), {})"
            slot, replica = behind.format("s.restart_lsn"), behind.format("r.replay_lsn")
            reasons.append(
                f"SELECT format('replication slot %s holds back %s of WAL', s.slot_name, pg_size_pretty({slot})) "
                f"FROM pg_replication_slots s WHERE {slot} > {most}"
            )
            reasons.append(
                f"SELECT format('replica %s is %s of WAL behind', {REPLICA}, pg_size_pretty({replica})) "
                f"FROM pg_stat_replication r WHERE {replica} > {most}"
            )
        return " UNION ALL ".join(reasons) or None

    @property
    def grows(self) -> QualifiedName:
        """The targets lie where the source does, unless the policy names a tablespace."""
        return self.copy.source

    def sql(self) -> tuple[str, ...]:
        """The bounds stand in the statement as they are, so that the planner knows how few rows they take.

        A session goes on with the chunk after its last one; another session begins far from it, since both would
        extend the same table otherwise.
        """
        copy = self.copy
        names, columns = key_names(self.by), idents(copy.columns)
        insert = literal(f"INSERT INTO {copy.staging.sql} ({columns}) SELECT {columns} FROM {copy.source.sql} WHERE ")
        left = ident(self.by[0].name) if len(self.by) == 1 else f"({names})"

        def edge(keys: str, operator: str) -> str:
            places = ", ".join(f"%L::{_escaped(column.type)}" for column in self.by)
            right = places if len(self.by) == 1 else f"({places})"
            values = ", ".join(f"chunk.{keys}[{place}]" for place in range(1, len(self.by) + 1))
            condition = literal(f"{_escaped(left)} {_escaped(self.by[0].operator(operator))} {right}")
            return f"CASE WHEN chunk.{keys} IS NULL THEN 'true' ELSE pg_catalog.format({condition}, {values}) END"

        body = f"""DECLARE
  chunk record;
  began timestamptz := pg_catalog.clock_timestamp();
  copied bigint;
BEGIN
  PERFORM pg_catalog.set_config('schema_kit.chunk', '', true);
  SELECT c.number, c.lower_key, c.upper_key INTO chunk FROM {COPY_CHUNK.sql} c
  WHERE c.{where_run(copy)} AND c.done_at IS NULL
  ORDER BY c.number = coalesce(nullif(pg_catalog.current_setting('schema_kit.last_chunk', true), '')::int + 1, 0) DESC,
           pg_catalog.hashint4(c.number) LIMIT 1 FOR UPDATE SKIP LOCKED;
  IF FOUND THEN
    EXECUTE {insert} || {edge("lower_key", ">=")} || ' AND ' || {edge("upper_key", "<")};
    GET DIAGNOSTICS copied = ROW_COUNT;
    UPDATE {COPY_CHUNK.sql} SET rows = copied, began_at = began WHERE {where_run(copy)} AND number = chunk.number;
    PERFORM pg_catalog.set_config('schema_kit.chunk', chunk.number::text, true);
    PERFORM pg_catalog.set_config('schema_kit.last_chunk', chunk.number::text, false);
  END IF;
END"""
        done = (
            f"UPDATE {COPY_CHUNK.sql} SET done_at = pg_catalog.clock_timestamp() WHERE {where_run(copy)} "
            "AND number = nullif(pg_catalog.current_setting('schema_kit.chunk'), '')::int"
        )
        return (f"DO {literal(body)}", done)


def _escaped(text: str) -> str:
    return text.replace("%", "%%")


@dataclass(frozen=True)
class BuildIndexes(Step):
    """Indexes of one target, while no session waits for them; several targets at once."""

    parallel = True
    throttled = True
    may_block = True

    target: QualifiedName
    indexes: tuple[Index, ...]
    there: int = 0
    """How many it has already."""
    gone: tuple[Index, ...] = ()
    """Those of them that are wanted no longer."""

    @property
    def summary(self) -> str:
        """Says whether it is the primary key."""
        if not self.indexes:
            return f"drop {len(self.gone)} indexes of {self.target} that it need not have any more"
        if [index.primary for index in self.indexes] == [True]:
            return f"give {self.target} its primary key"
        return f"build {len(self.indexes)} indexes of {self.target}"

    @property
    def locks(self) -> tuple[Lock, ...]:
        """No session uses it yet."""
        keys = self.gone or any(index.constraint for index in self.indexes)
        return (Lock(LockMode.ACCESS_EXCLUSIVE if keys else LockMode.SHARE_ROW_EXCLUSIVE, self.target),)

    @property
    def grows(self) -> QualifiedName:
        """The target."""
        return self.target

    def sql(self) -> tuple[str, ...]:
        """PostgreSQL chooses the names, as it does for any partition's indexes; an existing name causes no error."""
        count = f"(SELECT count(*) FROM pg_index WHERE indrelid = to_regclass({literal(self.target.sql)}))"
        return (
            f"LOCK TABLE ONLY {self.target.sql} IN {self.locks[0].mode.value} MODE",
            expect_sql(f"{count} = {self.there}", f"{self.target} has other indexes by now"),
            *(
                f"ALTER TABLE {self.target.sql} DROP CONSTRAINT {ident(index.name)}"
                if index.constraint
                else f"DROP INDEX {QualifiedName(self.target.schema, index.name).sql}"
                for index in self.gone
            ),
            *(index.create_sql(self.target) for index in self.indexes),
        )


@dataclass(frozen=True)
class AnalyzeTarget(Analyze):
    """ANALYZE of one target, before a query over it is planned; of each that is made, if the copy begins again."""

    once = False
    parallel = True
