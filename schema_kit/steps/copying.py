"""Commits that copy the rows of a live table into others: chunks, a log of the keys that change meanwhile, its replay.

Right under rules that the tests break one by one: the log is committed before the first chunk looks; chunks are cut by
key; nothing is replayed while a chunk is open; a batch takes keys from the log, then deletes them from the targets,
then inserts what the source holds; the source is looked at before each step, and under the lock of the swap.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from schema_kit.model import Branch, Copy, CopyTarget, ForeignKey, Index, KeyColumn, Table
from schema_kit.names import QualifiedName, ident, idents, literal
from schema_kit.steps.partitions import CONFIG_SCHEMA, Analyze, CreatePartition, for_values, replica_identity_sql
from schema_kit.steps.step import Lock, LockMode, Step

COPY_RUN = QualifiedName(CONFIG_SCHEMA, "copy_run")
COPY_TARGET = QualifiedName(CONFIG_SCHEMA, "copy_target")
COPY_CHUNK = QualifiedName(CONFIG_SCHEMA, "copy_chunk")

LOG_TRIGGER = "schema_kit_copy_log"
BOUNDS_CHECK = "schema_kit_bounds"
"""The CHECK of a target that spares ATTACH its scan; it goes with the swap."""

CHUNK_ROWS, CHUNK_BYTES = 50_000, 32 * 1024 * 1024
"""A chunk holds about so many rows, or less where they are wide."""
BATCH_KEYS = 10_000
"""Keys of the log that one batch replays."""

_PLAIN_TEXT = (
    # Keys of chunks are kept as text, which means the same in every session.
    ("DateStyle", "ISO, YMD"),
    ("IntervalStyle", "postgres"),
    ("TimeZone", "UTC"),
    ("extra_float_digits", "1"),
    ("bytea_output", "hex"),
)
_READ_COMMITTED = ("transaction_isolation", "read committed")
_ONE_SNAPSHOT = ("transaction_isolation", "repeatable read")
# A row that a policy hides would be left behind: PostgreSQL refuses instead.
_ALL_ROWS = ("row_security", "off")
_BY_KEY = (
    # A few thousand keys are looked up one by one, whatever the planner thinks of tables that nobody has analyzed.
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("enable_seqscan", "off"),
    ("jit", "off"),
)

SWAPPING = (_READ_COMMITTED, _ALL_ROWS, *_BY_KEY)
"""What a commit sets that replays the last keys: it sees what was committed before it had its locks."""


def equals(left: str, right: str, column: KeyColumn) -> str:
    """The = of a key's own operators, whatever search_path is."""
    return f"{left} OPERATOR({ident(column.operators)}.=) {right}"


def _same(left: str, right: str, key: Sequence[KeyColumn]) -> str:
    return " AND ".join(
        equals(f"{left}.{ident(column.name)}", f"{right}.{ident(column.name)}", column) for column in key
    )


def _names(key: Sequence[KeyColumn]) -> str:
    return idents(tuple(column.name for column in key))


def _where_run(copy: Copy) -> str:
    return f"source_table = {literal(str(copy.source))}"


def within(control: str, lower: str | None, upper: str | None) -> str:
    """SQL: the control column lies between two bounds."""
    ends = [f"{control} >= {literal(lower)}"] if lower is not None else []
    ends += [f"{control} < {literal(upper)}"] if upper is not None else []
    return " AND ".join(ends) or "true"


def identity_sql(source: QualifiedName) -> str:
    """SQL for what tells whether a table is still the one that it was: its oid, its file, its columns."""
    return (
        "SELECT c.oid || ':' || pg_relation_filenode(c.oid) || ':' || (SELECT hashtextextended(string_agg(concat_ws("
        "' ', a.attnum, a.attname, a.atttypid, a.atttypmod, a.attnotnull, a.attgenerated), ',' ORDER BY a.attnum), 0) "
        "FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) "
        f"FROM pg_class c WHERE c.oid = to_regclass({literal(source.sql)})"
    )


def logging_sql(source: QualifiedName, log: QualifiedName) -> str:
    """SQL for whether the trigger is there and fires for everybody, and so is the log."""
    return (
        f"SELECT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = to_regclass({literal(source.sql)}) "
        f"AND t.tgname = {literal(LOG_TRIGGER)} AND t.tgenabled = 'A') AND to_regclass({literal(log.sql)}) IS NOT NULL"
    )


@dataclass(frozen=True)
class CreateCopyTables(Step):
    """The tables that remember how far copies have come, from sql/tables/copy_run.sql."""

    statements: tuple[str, ...]

    @property
    def summary(self) -> str:
        """Names the first."""
        return f"create {COPY_RUN}"

    def sql(self) -> tuple[str, ...]:
        """IF NOT EXISTS throughout."""
        return self.statements


@dataclass(frozen=True)
class BeginCopy(Step):
    """The targets, the log of keys and the trigger that fills it, and the row that remembers them: all, or nothing.

    Args:
        copy: what is copied, and where to.
        purpose: drain, split or convert.
        identity: what tells the source from another table of its name.
        like: what a partition is made like; its parent is what the targets have their columns from.
        options: the source's storage parameters, which a new default partition gets.
        grants: its grants, likewise.
    """

    fresh: ClassVar[bool] = True
    left_behind: ClassVar[str] = "This step changed nothing."

    copy: Copy
    purpose: str
    identity: str
    like: CreatePartition
    options: tuple[str, ...] = ()
    grants: tuple[tuple[str, str], ...] = ()

    @property
    def summary(self) -> str:
        """Names the source, and how many targets it has."""
        return f"log the keys of {self.copy.source} that change, and make {len(self.copy.targets)} tables for its rows"

    @property
    def locks(self) -> tuple[Lock, ...]:
        """Writers of the source wait, for an instant: the trigger comes last."""
        return (Lock(LockMode.SHARE_ROW_EXCLUSIVE, self.copy.source),)

    def sql(self) -> tuple[str, ...]:
        """Without indexes, foreign keys and triggers: those would make each row dearer, or fire."""
        return (*self._targets(), *self._log(), *self._memory())

    def _targets(self) -> Iterable[str]:
        copy, control = self.copy, ident(self.copy.control.name)
        yield (
            f"CREATE TABLE {copy.staging.sql} (LIKE {self.like.parent.sql} INCLUDING ALL EXCLUDING IDENTITY "
            f"EXCLUDING INDEXES EXCLUDING STATISTICS) PARTITION BY RANGE ({control})"
        )
        yield from self._access(copy.staging)
        for target in copy.targets:
            like = replace(self.like, grants=self.grants) if target.default else self.like
            options = Branch(options=self.options if target.default else self.like.options)
            yield from like.make(target.built, options, " EXCLUDING INDEXES")
            if like.replica_identity in ("FULL", "NOTHING"):
                yield replica_identity_sql(like.parent, target.built, like.replica_identity)
            values = "DEFAULT" if target.default else for_values(target.lower, target.upper)
            if not target.default:
                yield (
                    f"ALTER TABLE {target.built.sql} ADD CONSTRAINT {ident(BOUNDS_CHECK)} "
                    f"CHECK ({control} IS NOT NULL AND {within(control, target.lower, target.upper)})"
                )
            yield f"ALTER TABLE {copy.staging.sql} ATTACH PARTITION {target.built.sql} {values}"

    def _access(self, table: QualifiedName) -> Iterable[str]:
        yield from (f"REVOKE ALL ON {table.sql} FROM {grantee}" for grantee in self.like.default_grantees)
        if self.like.owner:
            yield f"ALTER TABLE {table.sql} OWNER TO {ident(self.like.owner)}"

    def _log(self) -> Iterable[str]:
        copy = self.copy
        keys, log, source = _names(copy.key), copy.log.sql, copy.source.sql
        old, new = (", ".join(f"{row}.{ident(column.name)}" for column in copy.key) for row in ("OLD", "NEW"))
        body = (
            "BEGIN\n"
            "  IF TG_OP <> 'INSERT' THEN\n"
            f"    INSERT INTO {log} ({keys}) VALUES ({old});\n"
            "  END IF;\n"
            f"  IF TG_OP = 'INSERT' OR (TG_OP = 'UPDATE' AND ROW({new}) IS DISTINCT FROM ROW({old})) THEN\n"
            f"    INSERT INTO {log} ({keys}) VALUES ({new});\n"
            "  END IF;\n"
            "  RETURN NULL;\n"
            "END"
        )
        # Rows come and go: the log is vacuumed by their number, not by its size.
        options = "autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 50000"
        yield f"CREATE TABLE {log} WITH ({options}) AS SELECT {keys} FROM {source} WITH NO DATA"
        yield from self._access(copy.log)
        # A publication of all tables would refuse the deletes of a replay.
        yield f"ALTER TABLE {log} REPLICA IDENTITY FULL"
        # Whoever writes the source has no rights on the log: the function has its owner's.
        yield (
            f"CREATE FUNCTION {log}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER "
            f"SET search_path = pg_catalog, pg_temp AS {literal(body)}"
        )
        yield f"REVOKE ALL ON FUNCTION {log}() FROM PUBLIC"
        if self.like.owner:
            yield f"ALTER FUNCTION {log}() OWNER TO {ident(self.like.owner)}"
        yield (
            f"CREATE TRIGGER {ident(LOG_TRIGGER)} AFTER INSERT OR UPDATE OR DELETE ON {source} "
            f"FOR EACH ROW EXECUTE FUNCTION {log}()"
        )
        # A replication worker, and whoever sets session_replication_role, would write past it otherwise.
        yield f"ALTER TABLE {source} ENABLE ALWAYS TRIGGER {ident(LOG_TRIGGER)}"

    def _memory(self) -> Iterable[str]:
        copy, source = self.copy, literal(str(self.copy.source))
        yield f"DELETE FROM {COPY_RUN.sql} WHERE {_where_run(copy)}"
        yield (
            f"INSERT INTO {COPY_RUN.sql} (source_table, parent_table, purpose, identity) VALUES "
            f"({source}, {literal(str(copy.parent))}, {literal(self.purpose)}, {literal(self.identity)})"
        )
        rows = ", ".join(
            f"({source}, {literal(str(target.name))}, {literal(str(target.built))}, {_or_null(target.lower)}, "
            f"{_or_null(target.upper)}, {str(target.default).lower()})"
            for target in copy.targets
        )
        columns = "source_table, target_table, built_as, lower_bound, upper_bound, is_default"
        yield f"INSERT INTO {COPY_TARGET.sql} ({columns}) VALUES {rows}"


def _or_null(text: str | None) -> str:
    return "NULL" if text is None else literal(text)


@dataclass(frozen=True)
class AbandonCopy(Step):
    """All that a copy has made goes, and the source is as before: given up, or the source is another table now."""

    source: QualifiedName
    log: QualifiedName
    tables: tuple[QualifiedName, ...]
    """Those that it has made and are there still."""
    trigger: bool
    """Whether it is on the source still."""

    @property
    def summary(self) -> str:
        """Names the source."""
        return f"give up the copy of {self.source}: drop its log and the tables for its rows"

    @property
    def locks(self) -> tuple[Lock, ...]:
        """Everybody waits, for an instant."""
        tables = (*((self.source,) if self.trigger else ()), *self.tables)
        return tuple(Lock(LockMode.ACCESS_EXCLUSIVE, table) for table in tables)

    def sql(self) -> tuple[str, ...]:
        """RESTRICT: nothing that depends on them is taken along."""
        trigger = f"DROP TRIGGER {ident(LOG_TRIGGER)} ON {self.source.sql}"
        return (
            *((trigger,) if self.trigger else ()),
            f"DROP FUNCTION IF EXISTS {self.log.sql}()",
            *((f"DROP TABLE {', '.join(table.sql for table in self.tables)}",) if self.tables else ()),
            f"DELETE FROM {COPY_RUN.sql} WHERE source_table = {literal(str(self.source))}",
        )


@dataclass(frozen=True)
class CutChunks(Step):
    """Where chunks begin and end: at keys of a sample of the source's pages, so that they are about equal.

    Args:
        copy: what is copied.
        by: the columns that they are cut by: the primary key, or the control column where rows lie in its order.
    """

    decide_again: ClassVar[bool] = True
    settings: ClassVar[tuple[tuple[str, str], ...]] = (_READ_COMMITTED, _ALL_ROWS, *_PLAIN_TEXT)

    copy: Copy
    by: tuple[KeyColumn, ...]

    @property
    def summary(self) -> str:
        """Names the source and the columns."""
        return f"cut {self.copy.source} into chunks by {', '.join(column.name for column in self.by)}"

    def sql(self) -> tuple[str, ...]:
        """A page in a hundred of a big table, all of a small one."""
        copy, source = self.copy, literal(self.copy.source.sql)
        # What only the server knows stands between the pieces of the statement.
        insert = " || bytes || ".join(
            " || share || ".join(literal(piece) for piece in part.split(_SHARE))
            for part in self._insert().split(_BYTES)
        )
        body = f"""DECLARE
  pages float := pg_catalog.pg_relation_size({source}) / current_setting('block_size')::float;
  bytes float := pg_catalog.pg_table_size({source});
  share float := least(100, greatest(1, 100 * 1000 / greatest(pages, 1)));
BEGIN
  EXECUTE {insert};
END"""
        done = f"UPDATE {COPY_RUN.sql} SET cut_at = clock_timestamp() WHERE {_where_run(copy)}"
        return (f"DELETE FROM {COPY_CHUNK.sql} WHERE {_where_run(copy)}", f"DO {literal(body)}", done)

    def _insert(self) -> str:
        names, source = _names(self.by), literal(str(self.copy.source))
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
UNION ALL SELECT {source}, 0, NULL, NULL WHERE NOT EXISTS (SELECT FROM numbered)"""


_SHARE, _BYTES = "\x01", "\x02"
"""In the text of a statement: how many percent of the pages are looked at, and the bytes of the table."""


@dataclass(frozen=True)
class CopyChunk(Step):
    """The next chunk that nobody has taken, and that it is done: in one commit. Each worker takes its own.

    Args:
        copy: what is copied.
        by: the columns that chunks are cut by.
        max_replica_lag: pause while a physical replica is more seconds than that behind; None: never.
        max_slot_bytes: pause while a replication slot holds back more WAL than that; None: never.
    """

    repeats: ClassVar[bool] = True
    parallel: ClassVar[bool] = True
    throttled: ClassVar[bool] = True
    # A chunk that somebody else holds is passed over: nothing may follow until none is left.
    decide_again: ClassVar[bool] = True
    settings: ClassVar[tuple[tuple[str, str], ...]] = (
        _READ_COMMITTED,
        _ALL_ROWS,
        *_PLAIN_TEXT,
        # Statistics may be missing, and a scan of the whole table for each chunk would never end.
        ("enable_seqscan", "off"),
        ("jit", "off"),
    )

    copy: Copy
    by: tuple[KeyColumn, ...]
    max_replica_lag: float | None = 30.0
    max_slot_bytes: int | None = None

    @property
    def summary(self) -> str:
        """Names the source."""
        return f"copy the rows of {self.copy.source}, chunk by chunk"

    @property
    def progress(self) -> str:
        """Rows, rows a second of the last minute, time left, keys in the log; the share is that of the chunks."""
        return (
            f"WITH c AS (SELECT * FROM {COPY_CHUNK.sql} WHERE {_where_run(self.copy)}), "
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
        if self.max_replica_lag is not None:
            reasons.append(
                "SELECT format('replica %s lags %s s behind', coalesce(nullif(r.application_name, ''), "
                "host(r.client_addr), r.pid::text), round(extract(epoch FROM r.replay_lag)::numeric, 1)) "
                "FROM pg_stat_replication r "
                f"WHERE r.replay_lag > make_interval(secs => {self.max_replica_lag!r})"
            )
        if self.max_slot_bytes is not None:
            reasons.append(
                "SELECT format('replication slot %s holds back %s of WAL', s.slot_name, pg_size_pretty(b.bytes)) "
                "FROM pg_replication_slots s, LATERAL (SELECT pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN "
                "pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END, s.restart_lsn) AS bytes) b "
                f"WHERE b.bytes > {self.max_slot_bytes}"
            )
        return " UNION ALL ".join(reasons) or None

    def sql(self) -> tuple[str, ...]:
        """The bounds stand in the statement as they are, so that the planner knows how few rows they take.

        A session goes on with the chunk after its last one; another session begins far from it, since both would
        extend the same table otherwise.
        """
        copy = self.copy
        names, columns = _names(self.by), idents(copy.columns)
        insert = literal(f"INSERT INTO {copy.staging.sql} ({columns}) SELECT {columns} FROM {copy.source.sql} WHERE ")
        left = ident(self.by[0].name) if len(self.by) == 1 else f"({names})"
        operators = ident(self.by[0].operators)

        def edge(keys: str, operator: str) -> str:
            places = ", ".join(f"%L::{column.type}" for column in self.by)
            right = places if len(self.by) == 1 else f"({places})"
            values = ", ".join(f"chunk.{keys}[{place}]" for place in range(1, len(self.by) + 1))
            condition = literal(f"{_escaped(left)} OPERATOR({_escaped(operators)}.{operator}) {right}")
            return f"CASE WHEN chunk.{keys} IS NULL THEN 'true' ELSE format({condition}, {values}) END"

        body = f"""DECLARE
  chunk record;
  began timestamptz := clock_timestamp();
  copied bigint;
BEGIN
  PERFORM pg_catalog.set_config('schema_kit.chunk', '', true);
  SELECT c.number, c.lower_key, c.upper_key INTO chunk FROM {COPY_CHUNK.sql} c
  WHERE c.{_where_run(copy)} AND c.done_at IS NULL
  ORDER BY c.number = coalesce(nullif(current_setting('schema_kit.last_chunk', true), '')::int + 1, 0) DESC,
           pg_catalog.hashint4(c.number) LIMIT 1 FOR UPDATE SKIP LOCKED;
  IF FOUND THEN
    EXECUTE {insert} || {edge("lower_key", ">=")} || ' AND ' || {edge("upper_key", "<")};
    GET DIAGNOSTICS copied = ROW_COUNT;
    UPDATE {COPY_CHUNK.sql} SET rows = copied, began_at = began WHERE {_where_run(copy)} AND number = chunk.number;
    PERFORM pg_catalog.set_config('schema_kit.chunk', chunk.number::text, true);
    PERFORM pg_catalog.set_config('schema_kit.last_chunk', chunk.number::text, false);
  END IF;
END"""
        done = (
            f"UPDATE {COPY_CHUNK.sql} SET done_at = clock_timestamp() WHERE {_where_run(copy)} "
            "AND number = nullif(current_setting('schema_kit.chunk'), '')::int"
        )
        return (f"DO {literal(body)}", done)


def _escaped(text: str) -> str:
    return text.replace("%", "%%")


def replay_sql(copy: Copy, limit: int | None = None) -> str:
    """Takes keys from the log, deletes them from the targets, inserts what the source holds of them now."""
    names, columns = _names(copy.key), idents(copy.columns)
    variables = [f"k{place}" for place in range(1, len(copy.key) + 1)]
    declared = "".join(f"  {name} {column.type}[];\n" for name, column in zip(variables, copy.key, strict=True))
    arrays = ", ".join(f"array_agg({ident(column.name)})" for column in copy.key)
    keys = f"unnest({', '.join(variables)}) AS k ({names})"
    some = f" WHERE ctid = ANY (ARRAY(SELECT ctid FROM {copy.log.sql} LIMIT {limit}))" if limit else ""
    body = f"""DECLARE
  taken bigint;
{declared}BEGIN
  WITH gone AS (DELETE FROM {copy.log.sql}{some} RETURNING {names}), keys AS (SELECT DISTINCT {names} FROM gone)
  SELECT (SELECT count(*) FROM gone), {arrays} INTO taken, {", ".join(variables)} FROM keys;
  IF taken > 0 THEN
    DELETE FROM {copy.staging.sql} t USING {keys} WHERE {_same("t", "k", copy.key)};
    INSERT INTO {copy.staging.sql} ({columns}) SELECT {", ".join(f"s.{ident(c)}" for c in copy.columns)}
    FROM {keys} JOIN {copy.source.sql} s ON {_same("s", "k", copy.key)};
  END IF;
  PERFORM pg_catalog.set_config('schema_kit.replayed', taken::text, true);
END"""
    return f"DO {literal(body)}"


@dataclass(frozen=True)
class ReplayKeys(Step):
    """The next keys of the log, again and again until few are left.

    One snapshot serves the whole batch: a row is taken back in the state in which its key was logged, or in a later one
    that logs its key once more. Where the targets have unique indexes besides their key, all keys are one batch: two
    rows that have exchanged a value would be in each other's way otherwise.
    """

    repeats: ClassVar[bool] = True
    settings: ClassVar[tuple[tuple[str, str], ...]] = (_ONE_SNAPSHOT, _ALL_ROWS, *_BY_KEY)

    copy: Copy
    limit: int | None = BATCH_KEYS

    @property
    def summary(self) -> str:
        """Names the source."""
        return f"replay what changed in {self.copy.source} meanwhile"

    @property
    def progress(self) -> str:
        """Keys, replayed and left."""
        return (
            "SELECT format('%s keys replayed, about %s in the log', to_char(replayed, 'FM999,999,999,999,999'), "
            f"to_char(pg_stat_get_live_tuples({literal(self.copy.log.sql)}::regclass), 'FM999,999,999,999')), "
            f"NULL::float FROM {COPY_RUN.sql} WHERE {_where_run(self.copy)}"
        )

    def sql(self) -> tuple[str, ...]:
        """It ends with a batch that was not full, for with writers about there is always one more key."""
        enough = self.limit or 1 << 62
        return (
            replay_sql(self.copy, self.limit),
            f"UPDATE {COPY_RUN.sql} SET replayed = replayed + current_setting('schema_kit.replayed')::bigint "
            f"WHERE {_where_run(self.copy)}",
            f"SELECT FROM {COPY_RUN.sql} WHERE {_where_run(self.copy)} "
            f"AND current_setting('schema_kit.replayed')::bigint >= {enough}",
        )


@dataclass(frozen=True)
class BuildIndexes(Step):
    """Indexes of one target, with nobody there to wait for them; several targets at once."""

    parallel: ClassVar[bool] = True
    may_block: ClassVar[bool] = True

    target: QualifiedName
    indexes: tuple[Index, ...]

    @property
    def summary(self) -> str:
        """Says whether it is the primary key."""
        if [index.primary for index in self.indexes] == [True]:
            return f"give {self.target} its primary key"
        return f"build {len(self.indexes)} indexes of {self.target}"

    @property
    def locks(self) -> tuple[Lock, ...]:
        """Nobody uses it yet."""
        keys = any(index.constraint for index in self.indexes)
        return (Lock(LockMode.ACCESS_EXCLUSIVE if keys else LockMode.SHARE, self.target),)

    def sql(self) -> tuple[str, ...]:
        """PostgreSQL chooses the names, as it does for any partition's indexes."""
        return tuple(
            f"ALTER TABLE {self.target.sql} ADD {index.constraint}"
            if index.constraint
            else f"CREATE {'UNIQUE ' if index.unique else ''}INDEX ON {self.target.sql} USING {index.tail}"
            for index in self.indexes
        )


@dataclass(frozen=True)
class AnalyzeTarget(Analyze):
    """ANALYZE of one target, before anybody plans a query over it."""

    parallel: ClassVar[bool] = True


@dataclass(frozen=True)
class VerifyCopy(Step):
    """Counts the rows and adds up their hashes, on both sides in one snapshot, but for keys that are in the log.

    Args:
        copy: what was copied.
        targets: those that are counted now: one by one where an index finds their rows, else all in one pass.
    """

    parallel: ClassVar[bool] = True
    settings: ClassVar[tuple[tuple[str, str], ...]] = (_ONE_SNAPSHOT, _ALL_ROWS, ("jit", "off"))

    copy: Copy
    targets: tuple[CopyTarget, ...]

    @property
    def summary(self) -> str:
        """Names the targets, or says that it is all of them."""
        what = str(self.targets[0].built) if len(self.targets) == 1 else f"{len(self.targets)} tables"
        return f"compare {what} with {self.copy.source}"

    def sql(self) -> tuple[str, ...]:
        """What is found stands in copy_target; who looks at it next decides."""
        copy = self.copy
        whole = len(self.targets) == len(copy.targets)
        edges = sorted_bounds(copy.targets)
        control = ident(copy.control.name)
        bounds = f"ARRAY[{', '.join(map(literal, edges))}]::{copy.control.type}[]"
        values = ", ".join(
            f"r.{ident(column)}::text" if column in copy.texts else f"r.{ident(column)}" for column in copy.columns
        )
        where = "" if whole else f"({self._where(control)}) AND "

        def counted(table: QualifiedName) -> str:
            place = f"width_bucket(r.{control}, {bounds})" if edges else "0"
            return (
                f"SELECT {place} AS place, count(*) AS rows, sum(hash_record_extended(ROW({values}), 0)) AS sum "
                f"FROM {table.sql} r WHERE {where}"
                f"NOT EXISTS (SELECT FROM {copy.log.sql} l WHERE {_same('l', 'r', copy.key)}) GROUP BY 1"
            )

        places = ", ".join(
            f"({place}, {literal(str(target.name))})"
            for place, target in enumerate(_places(copy.targets, edges))
            if target
        )
        sums = ", ".join(
            f"coalesce(sum({side}.{what}), 0) AS {side}_{what}" for side in "st" for what in ("rows", "sum")
        )
        names = ", ".join(literal(str(target.name)) for target in self.targets)
        return (
            f"WITH s AS MATERIALIZED ({counted(copy.source)}), t AS MATERIALIZED ({counted(copy.staging)}), "
            f"places (place, target) AS (VALUES {places}), "
            f"found AS (SELECT p.target, {sums} FROM places p LEFT JOIN s ON s.place = p.place "
            "LEFT JOIN t ON t.place = p.place GROUP BY p.target) "
            f"UPDATE {COPY_TARGET.sql} c SET source_rows = f.s_rows, source_sum = f.s_sum, target_rows = f.t_rows, "
            "target_sum = f.t_sum, verified_at = clock_timestamp() FROM found f "
            f"WHERE c.{_where_run(copy)} AND c.target_table = f.target AND f.target IN ({names})",
        )

    def _where(self, control: str) -> str:
        ranges = [(target.lower, target.upper) for target in self.targets if not target.default]
        if any(target.default for target in self.targets):
            windows = [target for target in self.copy.targets if not target.default]
            ends = [None, *(target.upper for target in windows)]
            begins = [*(target.lower for target in windows), None]
            ranges += [(low, high) for low, high in zip(ends, begins, strict=True) if low is None or low != high]
        return " OR ".join(f"({within(f'r.{control}', low, high)})" for low, high in ranges)


def sorted_bounds(targets: Sequence[CopyTarget]) -> list[str]:
    """The bounds of all targets, each once, in the order in which the targets come."""
    ends = [end for target in targets if not target.default for end in (target.lower, target.upper)]
    return list(dict.fromkeys(end for end in ends if end is not None))


def _places(targets: Sequence[CopyTarget], edges: Sequence[str]) -> list[CopyTarget | None]:
    """Which target holds the rows between each two bounds, from below the first to beyond the last."""
    default = next((target for target in targets if target.default), None)
    begins = {target.lower: target for target in targets if not target.default}
    return [begins.get(None, default), *(begins.get(edge, default) for edge in edges)]


@dataclass(frozen=True)
class Settle(Step):
    """Waits until every snapshot is younger than the last chunk.

    A REPEATABLE READ transaction that is older, and has not touched the table yet, would find no copied row in it.
    """

    throttled: ClassVar[bool] = True

    copy: Copy

    @property
    def summary(self) -> str:
        """Says for whom it waits."""
        return f"wait for transactions whose snapshot is older than the copy of {self.copy.source}"

    @property
    def pressure(self) -> str:
        """The sessions with older snapshots. Those of other users are seen with the rights of pg_read_all_stats."""
        return (
            "SELECT format('pid %s%s has a snapshot from before, its transaction is open for %s', a.pid, "
            "' (' || nullif(a.application_name, '') || ')', date_trunc('second', clock_timestamp() - a.xact_start)) "
            "FROM pg_stat_activity a WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() "
            "AND a.backend_type NOT IN ('autovacuum worker', 'walsender') AND age(a.backend_xmin) >= "
            f"(SELECT min(age(c.xmin)) FROM {COPY_CHUNK.sql} c WHERE c.{_where_run(self.copy)})"
        )

    def sql(self) -> tuple[str, ...]:
        """Noted, so that nobody waits twice."""
        return (f"UPDATE {COPY_RUN.sql} SET settled_at = clock_timestamp() WHERE {_where_run(self.copy)}",)


@dataclass(frozen=True)
class SwapCopy(Step):
    """The short commit: the source leaves its parent, and the targets take its place.

    Args:
        copy: what was copied.
        identity: what tells that the source is still what was copied.
        table: the parent, as last seen.
        default: the parent's default partition, where it is another than the source.
        default_check: the validated CHECK on it that spares its scan.
        leaves: the parent's other leaves, which get the foreign keys of their own that it loses meanwhile.
        server_version: from 18 on the parent keeps them itself, not validated.
    """

    fresh: ClassVar[bool] = True
    decide_again: ClassVar[bool] = True
    settings: ClassVar[tuple[tuple[str, str], ...]] = SWAPPING

    copy: Copy
    identity: str
    table: Table
    default: QualifiedName | None = None
    default_check: str | None = None
    leaves: tuple[QualifiedName, ...] = ()
    server_version: int = 180000

    @property
    def summary(self) -> str:
        """Names the source and how many partitions take its place."""
        return f"swap: {len(self.copy.targets)} partitions take the place of {self.copy.source}"

    @property
    def locks(self) -> tuple[Lock, ...]:
        """Everybody waits: for the last keys of the log, and about a millisecond for each partition."""
        copy, table = self.copy, self.table
        own = [table.name, copy.source, copy.staging, copy.log, *(target.built for target in copy.targets)]
        others = table.with_partitions(key.table for key in table.incoming)
        others += table.with_partitions(key.referenced for key in table.foreign_keys)
        siblings = self.leaves if table.foreign_keys or table.incoming else ()
        tables = (*own, *((self.default,) if self.default else ()), *others, *siblings)
        return tuple(Lock(LockMode.ACCESS_EXCLUSIVE, name) for name in dict.fromkeys(tables))

    def sql(self) -> tuple[str, ...]:
        """The last keys first: from here on nobody writes."""
        return (
            look_sql(self.copy, self.identity),
            replay_sql(self.copy),
            *self._part(),
            *self._join(),
            *self._give_back(),
        )

    def _part(self) -> Iterable[str]:
        copy, table = self.copy, self.table
        for key in table.incoming:
            yield f"ALTER TABLE {key.table.sql} DROP CONSTRAINT {ident(key.name)}"
        for key in table.foreign_keys:
            yield f"ALTER TABLE {table.name.sql} DROP CONSTRAINT {ident(key.name)}"
        yield f"ALTER TABLE {table.name.sql} DETACH PARTITION {copy.source.sql}"
        yield f"DROP TRIGGER {ident(LOG_TRIGGER)} ON {copy.source.sql}"
        yield f"ALTER TABLE {copy.source.sql} RENAME TO {ident(copy.old.name)}"

    def _join(self) -> Iterable[str]:
        copy, identity = self.copy, self.table.replica_identity
        for target in copy.targets:
            yield from join_sql(copy, target, self.table.name)
            if identity not in ("", "FULL", "NOTHING"):
                yield replica_identity_sql(self.table.name, target.name, identity)
        if self.default and self.default_check:
            yield f"ALTER TABLE {self.default.sql} DROP CONSTRAINT {ident(self.default_check)}"

    def _give_back(self) -> Iterable[str]:
        copy, table = self.copy, self.table
        for key in table.foreign_keys:
            # Up to 17 a partitioned table takes no key that is not validated, and a scan would take its time.
            if self.server_version >= 180000:
                yield unproved_key_sql(key, table.name)
                continue
            leaves = [*self.leaves, *(target.name for target in copy.targets)]
            yield from (unproved_key_sql(key, leaf) for leaf in leaves)
        yield from (unproved_key_sql(key, key.table) for key in table.incoming)
        yield from clear_sql(copy)


def look_sql(copy: Copy, identity: str) -> str:
    """Raises serialization_failure, and so has it decided again, where the source is not what was copied any more."""
    message = literal(f"{copy.source} is not any more what was copied")
    same = f"({identity_sql(copy.source)}) = {literal(identity)} AND ({logging_sql(copy.source, copy.log)})"
    check = f"IF ({same}) IS NOT TRUE THEN RAISE serialization_failure USING MESSAGE = {message}; END IF"
    return f"DO {literal(f'BEGIN {check}; END')}"


def join_sql(copy: Copy, target: CopyTarget, parent: QualifiedName) -> Iterable[str]:
    """A target leaves the staging table, gets its name and becomes a partition; its CHECK spares the scan, and goes."""
    yield f"ALTER TABLE {copy.staging.sql} DETACH PARTITION {target.built.sql}"
    if target.built != target.name:
        yield f"ALTER TABLE {target.built.sql} RENAME TO {ident(target.name.name)}"
    values = "DEFAULT" if target.default else for_values(target.lower, target.upper)
    yield f"ALTER TABLE {parent.sql} ATTACH PARTITION {target.name.sql} {values}"
    if not target.default:
        yield f"ALTER TABLE {target.name.sql} DROP CONSTRAINT {ident(BOUNDS_CHECK)}"


def clear_sql(copy: Copy) -> Iterable[str]:
    """What the copy needed goes; that it was swapped is remembered."""
    yield f"DROP TABLE {copy.staging.sql}, {copy.log.sql}"
    yield f"DROP FUNCTION {copy.log.sql}()"
    yield f"UPDATE {COPY_RUN.sql} SET swapped_at = clock_timestamp() WHERE {_where_run(copy)}"


def unproved_key_sql(key: ForeignKey, table: QualifiedName) -> str:
    """A foreign key as it was, not validated."""
    definition = key.definition.removesuffix(" NOT VALID")
    return f"ALTER TABLE {table.sql} ADD CONSTRAINT {ident(key.name)} {definition} NOT VALID"


@dataclass(frozen=True)
class DropCopied(Step):
    """The table whose rows lie in the partitions now goes."""

    copy: Copy
    referenced: tuple[QualifiedName, ...] = ()

    @property
    def summary(self) -> str:
        """Names it."""
        return f"drop {self.copy.old}, whose rows were copied"

    @property
    def locks(self) -> tuple[Lock, ...]:
        """Nobody uses it; its foreign keys make DROP lock the tables at their other end."""
        return tuple(Lock(LockMode.ACCESS_EXCLUSIVE, table) for table in (self.copy.old, *self.referenced))

    def sql(self) -> tuple[str, ...]:
        """RESTRICT: what depends on it stops this."""
        return (
            f"DROP TABLE IF EXISTS {self.copy.old.sql}",
            f"UPDATE {COPY_RUN.sql} SET finished_at = clock_timestamp() WHERE {_where_run(self.copy)}",
        )
