"""Commits in which rows leave a table a batch at a time: deleted, or moved to another table."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields
from typing import Any

from schema_kit.fingerprints.layouts import same_layout_sql
from schema_kit.fingerprints.snapshots import PATIENCE_SECONDS
from schema_kit.model import ForeignKey, KeyColumn, TimeToLive
from schema_kit.names import QualifiedName, ended, ident, idents, literal
from schema_kit.steps import spread
from schema_kit.steps.batches import LARGEST, SMALLEST, kept_text, pressure
from schema_kit.steps.step import Lock, LockMode, Seen, SharedStep, Step
from schema_kit.steps.storage import upsert_sql
from schema_kit.storage import TTL_POLICY

_RUN = "nullif(pg_catalog.current_setting('schema_kit.run', true), '')::jsonb"
"""Where a session keeps how far its batches have come: undone with a batch that is rolled back, gone with it."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast batches go.

    Args:
        batch_size: rows of the first batch; the next ones become smaller or larger by a factor of 2 at most.
        target_seconds: how long a batch should take.
        max_replica_lag: seconds that a physical replica may lag behind before they pause; None: never.
        max_dead_share: the share of dead rows at which they pause while vacuum is at work; None: never.
    """

    batch_size: int = 1000
    target_seconds: float = 0.5
    max_replica_lag: float | None = 10.0
    max_dead_share: float | None = 0.2


@dataclass(frozen=True, slots=True)
class Due:
    """Which rows of a table have to leave, and in which order.

    Args:
        table: the table.
        where: a condition on its columns, in SQL.
        order: columns that an index has in this order; none, and the rows come as they lie.
        partitioned: whether the table is.
    """

    table: QualifiedName
    where: str
    order: tuple[KeyColumn, ...]
    partitioned: bool = False

    @property
    def sql(self) -> str:
        """The table, without those that inherit from it."""
        return _only(self.table, self.partitioned)


@dataclass(frozen=True, slots=True)
class Archive:
    """Where rows go.

    Args:
        table: the archive; or the table that they come back to.
        columns: what is copied.
        archived_at: its column that gets the moment of the move, if it has one.
        back: they come back, and one that exists already, equal in every column, is not inserted twice.
        key: its primary key, by which such a one is found.
    """

    table: QualifiedName
    columns: tuple[str, ...]
    archived_at: str | None = None
    back: bool = False
    key: tuple[KeyColumn, ...] = ()


@dataclass(frozen=True)
class RemoveRows(Step):
    """The next rows that are due: locked, then deleted and, where they are archived, inserted there by one statement.

    Rows that another session has locked are passed over, and so are rows that others refer to, even those that came
    between the two statements. What nothing can refer to is locked and deleted by one. How far a run has come is kept
    by its session alone: what is left is what the next run finds. The size of a batch follows the time that batches
    take.

    Args:
        table: whose rows leave.
        partitioned: whether it is.
        key: its primary key; by it the rows of a partitioned table are found again.
        due: which rows of the root of its tree are due; the root is the table itself where `path` is empty.
        path: the foreign keys that lead from the root to the table, the one that refers to the root first.
        holders: the foreign keys whose rows have to be gone before.
        pace: how fast it goes.
        archive: where the rows go; None: nowhere.
        emptied: the tables whose foreign keys are set to NULL, or to their defaults.
        spread: whether Citus distributes the table: see `steps.spread`.
        layouts: the tables whose columns and foreign keys it relies on, as last seen: looked at again in each batch.
    """

    repeats = True
    throttled = True
    tells = True
    once = True
    reads_rows = True
    settings = (
        # A row that was changed since the snapshot is looked at again, and the planner, who does not know the size of
        # a batch, keeps to the indexes.
        ("transaction_isolation", "read committed"),
        ("enable_seqscan", "off"),
        ("enable_bitmapscan", "off"),
        ("enable_hashjoin", "off"),
        ("enable_mergejoin", "off"),
        ("enable_sort", "off"),
        ("jit", "off"),
    )

    table: QualifiedName
    partitioned: bool
    key: tuple[KeyColumn, ...]
    due: Due
    path: tuple[ForeignKey, ...] = ()
    holders: tuple[ForeignKey, ...] = ()
    pace: Pace = Pace()
    archive: Archive | None = None
    emptied: tuple[QualifiedName, ...] = ()
    spread: bool = False
    layouts: tuple[Seen, ...] = ()

    @property
    def summary(self) -> str:
        """Names the tables."""
        if self.archive and self.archive.back:
            which = f"that reference those of {self.due.table} " if self.path else ""
            return f"take rows of {self.table} back to {self.archive.table} in batches, {which}where {self.due.where}"
        rows = (
            f"rows of {self.table} with the due ones of {self.due.table}" if self.path else f"due rows of {self.table}"
        )
        if self.archive:
            return f"move {rows} to {self.archive.table} in batches"
        return f"delete {rows} in batches"

    @property
    def locks(self) -> tuple[Lock, ...]:
        """What every DELETE, INSERT and UPDATE takes; listed so that blocking sessions can be reported."""
        written = (self.table, *((self.archive.table,) if self.archive else ()), *self.emptied)
        return tuple(Lock(LockMode.ROW_EXCLUSIVE, table) for table in dict.fromkeys(written))

    @property
    def pressure(self) -> str | None:
        """Replicas that lag, and dead rows while vacuum is at work on them; every minute a batch goes all the same."""
        recent = f"({_RUN} ->> 'at')::timestamptz > clock_timestamp() - interval '{PATIENCE_SECONDS} seconds'"
        return pressure(self.table, self.pace.max_replica_lag, self.pace.max_dead_share, recent)

    def sql(self) -> tuple[str, ...]:
        """Where others refer to the rows, two statements: the second one has to see what was committed meanwhile.

        The places of the rows, which it deletes, no one else can change once they are locked.
        """
        written = (self.table, *((self.archive.table,) if self.archive else ()))
        same = (same_layout_sql(self.layouts, () if self.spread else written),) if self.layouts else ()
        return (*same, *self._batch())

    def _batch(self) -> tuple[str, ...]:
        if self.spread:
            return spread.remove_sql(self, self._mark, _RUN, SMALLEST, LARGEST)
        rows = "(SELECT place FROM schema_kit_rows)"
        if not self.holders:
            return (self._remove(f"{self._rows}, {self._found}", f"ARRAY{rows}", rows),)
        nothing, gather = ("'[]'", "pg_catalog.jsonb_agg") if self.partitioned else ("'{}'", "pg_catalog.array_agg")
        pick = f"""WITH {self._run}, {self._rows}, {self._found}
SELECT pg_catalog.set_config('schema_kit.rows', (SELECT coalesce({gather}(place), {nothing})::text
                                                 FROM schema_kit_rows), true),
       pg_catalog.set_config('schema_kit.found', found::text, true),
       pg_catalog.set_config('schema_kit.last', coalesce(last, '[]')::text, true)
FROM schema_kit_found"""
        found = """schema_kit_found AS MATERIALIZED (
  SELECT pg_catalog.current_setting('schema_kit.found')::int AS found,
         pg_catalog.current_setting('schema_kit.last')::jsonb AS last
)"""
        places = "pg_catalog.current_setting('schema_kit.rows')"
        return pick, self._remove(found, f"{places}::tid[]", f"pg_catalog.jsonb_array_elements({places}::jsonb)")

    @property
    def _mark(self) -> str:
        """Return what marks this run's batches of this table among others of the session."""
        text = json.dumps([str(self.table), [key.name for key in self.path], str(self.due.table), self.due.where])
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def _run(self) -> str:
        return (
            f"schema_kit_run AS MATERIALIZED (\n  SELECT coalesce(pg_catalog.max(run::text)::jsonb, '{{}}') AS run\n"
            f"  FROM (SELECT {_RUN}) AS runs (run) WHERE {spread.item('run', 'step')} = {literal(self._mark)}\n)"
        )

    @property
    def _places(self) -> tuple[str, ...]:
        return tuple(f"schema_kit_{number}" for number in range(len(self.path) + 1))

    @property
    def _from(self) -> str:
        """The rows from the last one of the batch before on, with what leads to them."""
        places = self._places
        if self.spread:
            return f"(SELECT * FROM {self.due.table.sql} WHERE ({self._where})) AS {places[0]}"
        joins = [
            f"(SELECT *, ctid AS schema_kit_place FROM {self.due.sql} WHERE ({self._where}) AND {self._from_there}) "
            f"AS {places[0]}"
        ]
        for foreign_key, below, above in zip(self.path, places[1:], places, strict=False):
            leaf = foreign_key is self.path[-1]
            table = _only(foreign_key.table, self.partitioned) if leaf else foreign_key.table.sql
            joins.append(f"JOIN {table} AS {below} ON {same_sql(foreign_key, above, below)}")
        return "\n  ".join(joins)

    @property
    def _rows(self) -> str:
        """The rows of a plain table are known by their place, those of a partitioned one by their key."""
        places = self._places
        order = [f"{places[0]}.{ident(column.name)}" for column in self.due.order]
        ends = [f"{sql} AS schema_kit_last_{number}" for number, sql in enumerate(order)]
        found = f"{places[-1]}.ctid" if self.path else f"{places[0]}.schema_kit_place"
        if self.partitioned:
            own = ", ".join(kept_text(column, f"{places[-1]}.{ident(column.name)}") for column in self.key)
            found = f"pg_catalog.jsonb_build_array({own})"
        above = f" FOR SHARE OF {', '.join(places[:-1])} SKIP LOCKED" if self.path else ""
        return f"""schema_kit_rows AS MATERIALIZED (
  SELECT {", ".join((f"{found} AS place", *ends))}
  FROM {self._from}{chr(10) + "  ORDER BY " + ", ".join(order) if order else ""}
  LIMIT (SELECT coalesce({spread.item("run", "size")}::int, {self.pace.batch_size}) FROM schema_kit_run)
  FOR UPDATE OF {places[-1]} SKIP LOCKED{above}
)"""

    @property
    def _found(self) -> str:
        """How many there are, and where the last one of them stands in the order."""
        kept = (kept_text(column, f"schema_kit_last_{number}") for number, column in enumerate(self.due.order))
        return f"""schema_kit_found AS MATERIALIZED (
  SELECT found, (SELECT pg_catalog.jsonb_build_array({", ".join(kept)})
                 FROM (SELECT * FROM schema_kit_rows OFFSET greatest(found - 1, 0)) AS schema_kit_end) AS last
  FROM (SELECT pg_catalog.count(*) AS found FROM schema_kit_rows) AS schema_kit_counted
)"""

    @property
    def left_sql(self) -> str:
        """A SELECT of whether there are any, locked ones included."""
        return f"{self._no_run}SELECT EXISTS (SELECT 1 FROM {self._from})"

    def ends_sql(self, column: str) -> str:
        """Return a SELECT of the least and the greatest value of a column among them; one that no row has is NULL."""
        own = f"{self._places[-1]}.{ident(column)}"
        return f"{self._no_run}SELECT min({own})::text, max({own})::text FROM {self._from}"

    @property
    def _no_run(self) -> str:
        return "" if self.spread else "WITH schema_kit_run AS (SELECT '{}'::jsonb AS run) "

    @property
    def _where(self) -> str:
        return ended(self.due.where)

    @property
    def _from_there(self) -> str:
        """From the last row on: what is dead before it is not read again. Rows of the same value are met again."""
        if not self.due.order:
            return "true"
        columns = (
            self.due.order if len({column.operator(">=") for column in self.due.order}) == 1 else self.due.order[:1]
        )
        order = idents(tuple(column.name for column in self.due.order))
        own, last = [], []
        for place, column in enumerate(columns):
            own.append(ident(column.name))
            first = f"(SELECT {ident(column.name)} FROM {self.due.sql} ORDER BY {order} LIMIT 1)"
            last.append(
                f"coalesce((SELECT (pg_catalog.jsonb_extract_path(run, 'last') ->> {place})::{column.type} "
                f"FROM schema_kit_run), {first})"
            )
        return f"({', '.join(own)}) {columns[0].operator('>=')} ({', '.join(last)})"

    def _remove(self, before: str, places: str, keys: str) -> str:
        row = "schema_kit_row"
        if self.partitioned:
            using = f"USING {keys} AS schema_kit_batch (own)\n  "
            same = " AND ".join(
                f"{row}.{ident(column.name)} {column.operator('=')} (own ->> {place})::{column.type}"
                for place, column in enumerate(self.key)
            )
        else:
            using, same = "", f"{row}.ctid = ANY ({places})"
        free = "".join(
            f"\n    AND NOT EXISTS (SELECT 1 FROM {key.table.sql} AS held WHERE {same_sql(key, row, 'held')})"
            for key in self.holders
        )
        size = f"coalesce({spread.item('run', 'size')}::int, {self.pace.batch_size})"
        took = (
            "greatest(extract(epoch FROM pg_catalog.clock_timestamp() - pg_catalog.transaction_timestamp()), 0.000001)"
        )
        # Rows of one value of the order may all be such as stay: they are passed over by a larger batch.
        stuck = "gone.rows = 0 AND last IS NOT DISTINCT FROM pg_catalog.jsonb_extract_path(run, 'last')"
        factor = f"CASE WHEN {stuck} THEN 2.0 ELSE least(2.0, greatest(0.5, {self.pace.target_seconds!r} / {took})) END"
        return f"""WITH {self._run}, {before}, schema_kit_gone AS (
  DELETE FROM {_only(self.table, self.partitioned)} AS {row}
  {using}WHERE {same}{free}
  RETURNING {", ".join(f"{row}.{ident(column)}" for column in self.archive.columns) if self.archive else "1"}
){self._kept}, schema_kit_next AS MATERIALIZED (
SELECT pg_catalog.set_config('schema_kit.run', pg_catalog.jsonb_build_object(
  'step', {literal(self._mark)}, 'last', last, 'at', pg_catalog.clock_timestamp(),
  'began', coalesce(pg_catalog.jsonb_extract_path(run, 'began'),
                    pg_catalog.to_jsonb(pg_catalog.transaction_timestamp())),
  'rows', coalesce({spread.item("run", "rows")}::bigint, 0) + gone.rows,
  'size', least({LARGEST}, greatest({SMALLEST}, pg_catalog.round({size}::numeric * {factor})))
)::text, false)::jsonb AS next
FROM schema_kit_run, schema_kit_found, {self._counted}
WHERE found > 0 AND NOT ({stuck} AND (found < {size} OR {size} = {LARGEST}))
)
SELECT {spread.TOLD}, NULL::float8
FROM schema_kit_next, LATERAL (
  SELECT {spread.item("next", "rows")}::bigint,
         greatest(extract(epoch FROM pg_catalog.clock_timestamp() - {spread.item("next", "began")}::timestamptz), 0.001)
) AS far (rows, spent)"""

    @property
    def _kept(self) -> str:
        """What was deleted, inserted where it goes."""
        if self.archive is None:
            return ""
        to, columns = self.archive, idents(self.archive.columns)
        stamp = (f", {ident(to.archived_at)}", ", pg_catalog.now()") if to.archived_at else ("", "")
        new, source = "", "schema_kit_gone"
        if to.back and to.key:
            same = " AND ".join(
                f"there.{ident(column.name)} {column.operator('=')} gone.{ident(column.name)}" for column in to.key
            )
            source = "schema_kit_new"
            new = f""", {source} AS MATERIALIZED (
  SELECT {columns} FROM schema_kit_gone AS gone WHERE NOT EXISTS (
    SELECT 1 FROM {to.table.sql} AS there
    WHERE {same} AND {as_text("there", to.columns)} = {as_text("gone", to.columns)})
)"""
        return f"""{new}, schema_kit_kept AS (
  INSERT INTO {to.table.sql} ({columns}{stamp[0]}) OVERRIDING SYSTEM VALUE
  SELECT {columns}{stamp[1]} FROM {source} RETURNING 1
)"""

    @property
    def _counted(self) -> str:
        if self.archive is None:
            return "(SELECT pg_catalog.count(*) AS rows FROM schema_kit_gone) AS gone"
        sent, also = "sent", ", (SELECT pg_catalog.count(*) FROM schema_kit_new) AS sent (rows)"
        if not (self.archive.back and self.archive.key):
            sent, also = "gone", ""
        # Not a number, and so an error: what the archive does not take, a trigger's doing, goes nowhere.
        lost = literal(f" rows left {self.table}, but so many arrived in {self.archive.table}: ")
        return f"""(
  SELECT CASE WHEN kept.rows = {sent}.rows THEN gone.rows
         ELSE ({sent}.rows::text || {lost} || kept.rows::text)::bigint END
  FROM (SELECT pg_catalog.count(*) FROM schema_kit_gone) AS gone (rows){also},
       (SELECT pg_catalog.count(*) FROM schema_kit_kept) AS kept (rows)
) AS gone (rows)"""


def clashes_sql(step: RemoveRows) -> str:
    """How many rows there are with the key of one that would come back, and other values; and the first such key."""
    assert step.archive is not None  # they go somewhere
    to, key = step.archive, step.archive.key
    same = " AND ".join(f"h.{ident(c.name)} {c.operator('=')} m.{ident(c.name)}" for c in key)
    return (
        f"SELECT pg_catalog.count(*), pg_catalog.min({as_text('m', tuple(c.name for c in key))}) "
        f"FROM (SELECT * FROM {step.due.sql} WHERE ({ended(step.due.where)})) m JOIN {to.table.sql} h ON {same} "
        f"WHERE {as_text('h', to.columns)} <> {as_text('m', to.columns)}"
    )


def as_text(alias: str, columns: tuple[str, ...]) -> str:
    """Return all of a row, as it is compared: json and xml know no equality, and 1.0 is not 1.00."""
    return "ROW(" + ", ".join(f"{alias}.{ident(column)}" for column in columns) + ")::text"


def _only(table: QualifiedName, partitioned: bool) -> str:
    """Return a plain table without those that inherit from it: their rows may lie at the same places."""
    return table.sql if partitioned else f"ONLY {table.sql}"


def same_sql(key: ForeignKey, above: str, below: str) -> str:
    """Return whether a row refers to another, by the foreign key's own operators."""
    operators = key.operators if len(key.operators) == len(key.columns) else key.operators[:1] * len(key.columns)
    return " AND ".join(
        f"{above}.{ident(referenced)} OPERATOR({ident(schema)}.=) {below}.{ident(column)}"
        for referenced, schema, column in zip(key.referenced_columns, operators, key.columns, strict=True)
    )


@dataclass(frozen=True)
class RegisterTtl(SharedStep):
    """The policy's row in ttl_policy."""

    says = "register the time-to-live of {self.policy.table}"

    policy: TimeToLive

    def sql(self) -> tuple[str, ...]:
        """One row; one that exists is brought up to date."""
        policy = self.policy
        values: dict[str, Any] = {"table_name": str(policy.table), "column_name": policy.column}
        values |= {one.name: getattr(policy, one.name) for one in fields(policy)[2:]}
        values["tree"] = None if policy.tree is None else json.dumps(policy.tree, ensure_ascii=False)
        return (upsert_sql(TTL_POLICY, values),)


@dataclass(frozen=True)
class UnregisterTtl(SharedStep):
    """The policy's row in ttl_policy goes."""

    says = "forget the time-to-live of {self.table}"

    table: QualifiedName

    def sql(self) -> tuple[str, ...]:
        """One row."""
        return (f"DELETE FROM {TTL_POLICY.sql} WHERE table_name = {literal(str(self.table))}",)
