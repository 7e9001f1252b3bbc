"""Commits that bring a copy up to date and prove it: the log of keys is replayed, both sides are compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from schema_kit.model import Copy, CopyTarget
from schema_kit.names import QualifiedName, asking_sql, ident, idents, literal, within
from schema_kit.steps.copying import (
    NO_WAIT_FOR_DISK,
    ONE_SNAPSHOT,
    READ_COMMITTED,
    all_copied,
    alone_sql,
    key_names,
    same_key,
    where_run,
)
from schema_kit.steps.step import Lock, LockMode, Step, refuse_sql
from schema_kit.storage import COPY_RUN, COPY_TARGET

BATCH_KEYS = 10_000
"""Keys of the log that one batch replays."""

_BY_KEY = (
    # A few thousand keys are looked up one by one, whatever the planner thinks of tables without statistics.
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("enable_seqscan", "off"),
    ("jit", "off"),
)


# Between two statements only a REPEATABLE READ transaction has a snapshot, or an open cursor. In the middle of one, a
# READ COMMITTED one has, too, which cannot be seen: those are waited for that take long. Those of other users are seen
# with the rights of pg_read_all_stats.
_OLDER = """FROM pg_stat_activity a WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
  AND a.backend_type NOT IN ('autovacuum worker', 'walsender') AND a.backend_xmin IS NOT NULL AND a.xact_start < now()
  AND (a.state LIKE 'idle in transaction%'
       OR (a.xact_start < a.query_start AND a.query_start < clock_timestamp() - interval '1 second'))"""

OLDER_SNAPSHOTS = (
    "SELECT format('pid %s%s would see the table as it was at its snapshot, its transaction is open for %s', a.pid, "
    f"' (' || nullif(a.application_name, '') || ')', date_trunc('second', clock_timestamp() - a.xact_start)) {_OLDER}"
)
"""SQL for who would not see the keys that a swap replays, if it came to the table after the swap's commit."""


class LastKeys(Step):
    """What a commit has that replays the last keys of a log: it sees what was committed before it had its locks."""

    clears = True
    fresh = True
    decide_again = True
    reads_rows = True
    throttled = True
    settings = (READ_COMMITTED, *_BY_KEY)

    @property
    def pressure(self) -> str:
        """It waits for transactions that would see the table as it was."""
        return OLDER_SNAPSHOTS


def no_older_snapshot_sql() -> str:
    """Under the swap's locks: gives them up where there is such a transaction; those that wait for us are left out."""
    older = f"EXISTS (SELECT {_OLDER} AND NOT pg_backend_pid() = ANY (pg_blocking_pids(a.pid)))"
    return refuse_sql(older, "lock_not_available", "a transaction has a snapshot from before")


def replay_sql(copy: Copy, limit: int | None = None) -> str:
    """Takes keys from the log, deletes them from the targets, inserts what the source holds of them now."""
    names, columns = key_names(copy.key), idents(copy.columns)
    values = ", ".join(f"s.{ident(column)}" for column in copy.columns)
    # Arrays of the log's own rows: a column may be of any type, an array or a row itself.
    keys = "pg_catalog.unnest(schema_kit_keys) AS k"
    some = f" WHERE ctid = ANY (ARRAY(SELECT ctid FROM {copy.log.sql} LIMIT {limit}))" if limit else ""
    body = f"""DECLARE
  schema_kit_taken bigint;
  schema_kit_keys {copy.log.sql}[];
BEGIN
  WITH gone AS (DELETE FROM {copy.log.sql}{some} RETURNING {names}), keys AS (SELECT DISTINCT {names} FROM gone)
  SELECT (SELECT pg_catalog.count(*) FROM gone), pg_catalog.array_agg(ROW({names})::{copy.log.sql})
  INTO schema_kit_taken, schema_kit_keys FROM keys;
  IF schema_kit_taken > 0 THEN
    DELETE FROM {copy.staging.sql} t USING {keys} WHERE {same_key("t", "k", copy.key)};
    INSERT INTO {copy.staging.sql} ({columns}) OVERRIDING SYSTEM VALUE SELECT {values}
    FROM {keys} JOIN {copy.source.sql} s ON {same_key("s", "k", copy.key)};
  END IF;
  PERFORM pg_catalog.set_config('schema_kit.replayed', schema_kit_taken::text, true);
END"""
    return f"DO {literal(body)}"


@dataclass(frozen=True)
class ReplayKeys(Step):
    """The next keys of the log, again and again until few are left.

    One snapshot serves the whole batch: a row is taken back in the state in which its key was logged, or in a later one
    that logs its key once more. Where the targets have unique indexes besides their key, all keys are one batch: two
    rows that have exchanged a value would be in each other's way otherwise.
    """

    repeats = True
    races = True
    may_block = True
    reads_rows = True
    settings = (ONE_SNAPSHOT, NO_WAIT_FOR_DISK, *_BY_KEY)
    says = "replay what changed in {self.copy.source} meanwhile"

    copy: Copy
    limit: int | None = BATCH_KEYS

    @property
    def locks(self) -> tuple[Lock, ...]:
        """Other runs of the same copy wait: a key belongs to one replayer, and to none while a chunk is open."""
        return (Lock(LockMode.SHARE_ROW_EXCLUSIVE, self.copy.staging),)

    @property
    def progress(self) -> str:
        """Keys, replayed and left."""
        return (
            "SELECT format('%s keys replayed, about %s in the log', to_char(replayed, 'FM999,999,999,999,999'), "
            f"to_char(pg_stat_get_live_tuples({literal(self.copy.log.sql)}::regclass), 'FM999,999,999,999')), "
            f"NULL::float FROM {COPY_RUN.sql} WHERE {where_run(self.copy)}"
        )

    def sql(self) -> tuple[str, ...]:
        """It ends with a batch that was not full, for with writers about there is always one more key."""
        enough, taken = self.limit or 1 << 62, "pg_catalog.current_setting('schema_kit.replayed')::bigint"
        return (
            *alone_sql(self.copy, all_copied(self.copy)),
            replay_sql(self.copy, self.limit),
            f"UPDATE {COPY_RUN.sql} SET replayed = replayed + {taken} WHERE {where_run(self.copy)}",
            f"SELECT 1 FROM {COPY_RUN.sql} WHERE {where_run(self.copy)} AND {taken} >= {enough}",
        )


@dataclass(frozen=True)
class VerifyCopy(Step):
    """Counts the rows and adds up their hashes, on both sides in one snapshot, but for keys that are in the log.

    Args:
        copy: what was copied.
        targets: those that are counted now: one by one where an index finds their rows, else all in one pass.
    """

    parallel = True
    reads_rows = True
    settings = (ONE_SNAPSHOT, ("jit", "off"))

    copy: Copy
    targets: tuple[CopyTarget, ...]

    @property
    def summary(self) -> str:
        """Names the targets, or says that it is all of them."""
        what = str(self.targets[0].built) if len(self.targets) == 1 else f"{len(self.targets)} tables"
        return f"compare {what} with {self.copy.source}"

    def sql(self) -> tuple[str, ...]:
        """What is found stands in copy_target; who looks at it next decides.

        Counted by a query of its own that writes nothing: PostgreSQL gives parallel workers to no other.
        """
        copy, control = self.copy, ident(self.copy.control.name)
        places: list[CopyTarget | None] = list(self.targets)
        place, where = "0", f"({self._where(control)}) AND "
        if len(self.targets) == len(copy.targets):
            edges = sorted_bounds(copy.targets)
            bounds = f"ARRAY[{', '.join(map(literal, edges))}]::{copy.control.type}[]"
            places, where = _places(copy.targets, edges), ""
            place = f"width_bucket(r.{control}, {bounds})" if edges else "0"
        values = ", ".join(
            f"r.{ident(column)}::text" if column in copy.texts else f"r.{ident(column)}" for column in copy.columns
        )

        def counted(table: QualifiedName) -> str:
            return (
                f"SELECT {place} AS place, count(*) AS rows, sum(hash_record_extended(ROW({values}), 0)) AS sum "
                f"FROM {table.sql} r WHERE {where}"
                f"NOT EXISTS (SELECT 1 FROM {copy.log.sql} l WHERE {same_key('l', 'r', copy.key)}) GROUP BY 1"
            )

        named = ", ".join(f"({at}, {literal(str(target.name))})" for at, target in enumerate(places) if target)
        sums = ", ".join(
            f"coalesce(sum({side}.{what}), 0) AS {side}_{what}" for side in "st" for what in ("rows", "sum")
        )
        counts = literal(
            f"WITH s AS MATERIALIZED ({counted(copy.source)}), t AS MATERIALIZED ({counted(copy.staging)}) "
            f"SELECT jsonb_agg(f) FROM (SELECT p.target, {sums} FROM (VALUES {named}) AS p (place, target) "
            "LEFT JOIN s ON s.place = p.place LEFT JOIN t ON t.place = p.place GROUP BY p.target) f"
        )
        body = f"""
  EXECUTE {counts} INTO found;
  UPDATE {COPY_TARGET.sql} c SET source_rows = f.s_rows, source_sum = f.s_sum, target_rows = f.t_rows,
    target_sum = f.t_sum, verified_at = clock_timestamp()
  FROM jsonb_to_recordset(found) AS f (target text, s_rows bigint, s_sum numeric, t_rows bigint, t_sum numeric)
  WHERE c.{where_run(copy)} AND c.target_table = f.target;
"""
        return (asking_sql(body, "found jsonb; "),)

    def _where(self, control: str) -> str:
        ranges = [(target.lower, target.upper) for target in self.targets if not target.default]
        if any(target.default for target in self.targets):
            windows = [target for target in self.copy.targets if not target.default]
            ends = [None, *(target.upper for target in windows)]
            begins = [*(target.lower for target in windows), None]
            ranges += [(low, high) for low, high in zip(ends, begins, strict=True) if low is None or low != high]
        return " OR ".join(f"({within(f'r.{control}', low, high)})" for low, high in ranges)


def sorted_bounds(targets: Sequence[CopyTarget]) -> list[str]:
    """Return the bounds of all targets, each once, in the order in which the targets come."""
    ends = [end for target in targets if not target.default for end in (target.lower, target.upper)]
    return list(dict.fromkeys(end for end in ends if end is not None))


def _places(targets: Sequence[CopyTarget], edges: Sequence[str]) -> list[CopyTarget | None]:
    """Return which target holds the rows between each two bounds, from below the first to beyond the last."""
    default = next((target for target in targets if target.default), None)
    begins = {target.lower: target for target in targets if not target.default}
    return [begins.get(None, default), *(begins.get(edge, default) for edge in edges)]
