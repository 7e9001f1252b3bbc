"""Whether partitioning a table by a time or by its ids would help, by which column and interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil

from schema_kit.advise import constants, twin, usage
from schema_kit.advise.btree import PAGE
from schema_kit.advise.planner import Planner
from schema_kit.advise.scratch import Scratch
from schema_kit.advise.shown import cost, size
from schema_kit.advise.statements import Statement
from schema_kit.advise.twin import IDS, Spread
from schema_kit.advise.usage import Kind
from schema_kit.errors import PlanError
from schema_kit.names import QualifiedName

INTERVALS = ("1 day", "1 week", "1 month", "3 months", "1 year")
IDS_EACH = tuple(str(digit * 10**power) for power in range(3, 18) for digit in (1, 2, 5))
"""How many ids a partition has, where a table is partitioned by them."""
IN_ORDER, DISTINCT = 0.9, -0.1
"""A column of ids: its rows lie in their order (correlation), and many have their own (pg_stats.n_distinct)."""
MOST = 60
"""Partitions at most: each adds to the time of planning."""
LEAST_BYTES = 64 * 1024 * 1024
"""What a partition should have, at least."""
WORTH_BYTES = 1024**3
"""What is smaller is vacuumed, indexed and copied in seconds."""
BETTER, WORSE = 0.95, 1.05
"""What costs may come to by partitioning, as a share of those before."""

_TABLE = """
SELECT c.relkind::text, c.relispartition, greatest(c.reltuples, 0)::float8,
       (SELECT array_agg(pg_get_constraintdef(k.oid)) FROM pg_constraint k
        WHERE k.conrelid = c.oid AND k.contype IN ('p', 'u') AND NOT %(column)s = ANY (
          SELECT a.attname FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = ANY (k.conkey))),
       (SELECT count(*) FROM pg_constraint k WHERE k.confrelid = c.oid AND k.contype = 'f')
FROM pg_class c WHERE c.oid = %(table)s::regclass
"""


@dataclass
class Verdict:
    """What partitioning a table would come to.

    Args:
        table: which.
        helps: whether it is advised.
        column: by which; empty: there is none.
        interval: of a partition.
        partitions: how many there would be now.
        a_year: how many more each year; 0: not known.
        bytes: of the table, without its indexes.
        reasons: what speaks for it and against it, a sentence each.
    """

    table: QualifiedName
    helps: bool = False
    column: str = ""
    interval: str = ""
    partitions: int = 0
    a_year: int = 0
    bytes: int = 0
    reasons: list[str] = field(default_factory=list)

    @property
    def call(self) -> str:
        """The operation."""
        schema = f", schema={self.table.schema!r}"
        return f"op.convert_to_partitioned({self.table.name!r}, {self.column!r}, {self.interval!r}{schema})"


Asked = tuple[Statement, str, frozenset[str]]
"""A statement that reads the table, a text of it, and the columns of the table that its conditions bound."""


def judge(scratch: Scratch, name: str, statements: Sequence[Statement]) -> Verdict:
    """Say whether to partition a table.

    Args:
        scratch: whose files are not stretched yet.
        name: the table, with its schema or without.
        statements: what is asked of production.

    Raises:
        PlanError: there is no such table, it is partitioned, or it is a partition.
    """
    tables, known = constants.schema(scratch), constants.statistics(scratch)
    table = _named(tables, name)
    verdict = Verdict(table, bytes=PAGE * scratch.pages.get(table, 0))
    kind, part, rows, _, _ = scratch.rows(_TABLE, {"table": table.sql, "column": ""})[0]
    if kind != "r" or part:
        raise PlanError(f"{table} is {'a partition' if part else 'partitioned already, or not a table'}.")
    lines = [
        found
        for column, type_ in tables[table].items()
        if _orders(known, table, column, type_) and (found := twin.spread(scratch, table, column, type_))
    ]
    if not lines:
        verdict.reasons.append(
            "it has no column of a time, and none of ids in their order, whose values the statistics know: no rows "
            "would leave by age."
        )
        return verdict
    asked = _of_table(scratch, table, statements, known, tables)
    by = max(lines, key=lambda one: (_calls(asked, one.column), not one.by_id, _correlation(known, table, one.column)))
    verdict.column, verdict.interval = by.column, _interval(by, verdict.bytes)
    verdict.partitions = len(by.cut(verdict.interval))
    verdict.a_year = _a_year(scratch, verdict, by, rows)
    each, what = size(verdict.bytes / verdict.partitions), "ids" if by.by_id else "days"
    verdict.reasons.append(
        f"{rows:,.0f} rows, {size(verdict.bytes)}, of {by.length:,.0f} {what} by {by.column}: {verdict.partitions} "
        f"partitions of {verdict.interval}{' ids' if by.by_id else ''}, {each} each."
    )
    coming = f"{verdict.a_year:,} more come each year" if verdict.a_year else "how many come each year is not known"
    verdict.reasons.append(f"{coming}{', by the rows that are inserted a day' if by.by_id and verdict.a_year else ''}.")
    _constraints(scratch, verdict)
    gains = _retention(scratch, verdict)
    if verdict.bytes < WORTH_BYTES:
        verdict.reasons.append(f"{size(verdict.bytes)} are vacuumed and indexed in seconds as they are.")
        return verdict
    share = _compare(scratch, verdict, by, [one for one in asked if one[1]])
    verdict.helps = share <= WORSE and (share <= BETTER or gains)
    return verdict


def _calls(asked: Sequence[Asked], column: str) -> float:
    """Return how many calls a day name a column."""
    return sum(statement.calls for statement, _, columns in asked if column in columns)


def _named(tables: usage.Schema, name: str) -> QualifiedName:
    found = next((one for one in tables if name in (one.name, str(one), f"{one.schema}.{one.name}")), None)
    if found is None:
        raise PlanError(f"{name}: there is no such table.")
    return found


def _of_table(
    scratch: Scratch,
    table: QualifiedName,
    statements: Sequence[Statement],
    known: constants.Statistics,
    tables: usage.Schema,
) -> list[Asked]:
    """Return the statements that read it."""
    found = list[Asked]()
    for statement in statements:
        of_it = [use for use in usage.uses(statement.text, tables) if use.table == table]
        if of_it:
            texts, _ = constants.executable(scratch, statement, known, tables)
            bounded = (
                one.column
                for use in of_it
                for one in use.conditions
                if one.column and not one.alone and one.kind in (Kind.RANGE, Kind.EQUAL)
            )
            found.append((statement, texts[0] if texts else "", frozenset(bounded)))
    return found


def _orders(known: constants.Statistics, table: QualifiedName, column: str, type_: str) -> bool:
    """Return whether rows could leave by a column: a time, or ids that grow."""
    if type_.startswith(("timestamp", "date")):
        return True
    stats = known.get((table, column))
    many = stats is not None and (stats.distinct or 0) <= DISTINCT
    return type_ in IDS and many and _correlation(known, table, column) >= IN_ORDER


def _correlation(known: constants.Statistics, table: QualifiedName, column: str) -> float:
    return abs(known[table, column].correlation or 0)


def _a_year(scratch: Scratch, verdict: Verdict, by: Spread, rows: float) -> int:
    """Return how many partitions come each year: by what the past has had, or by what is written a day."""
    if not by.by_id:
        return max(round(365 * verdict.partitions / by.length), 1) if by.length >= 1 else verdict.partitions
    writes = scratch.production.writes.get(verdict.table)
    return ceil(365 * writes.inserted / max(rows / verdict.partitions, 1)) if writes else 0


def _interval(by: Spread, bytes_: int) -> str:
    """Return the shortest one whose partitions are neither too many nor too small."""
    choice = IDS_EACH if by.by_id else INTERVALS
    for interval in choice:
        each = int(interval) if by.by_id else _DAYS[interval]
        count = len(by.cut(interval)) if by.length / each < 10 * MOST else 10 * MOST
        if count <= MOST and (bytes_ / count >= LEAST_BYTES or count <= 6):
            return interval
    return choice[-1]


_DAYS = {"1 day": 1, "1 week": 7, "1 month": 30, "3 months": 91, "1 year": 365}


def _constraints(scratch: Scratch, verdict: Verdict) -> None:
    """What PostgreSQL requires of a partitioned table's keys."""
    values = {"table": verdict.table.sql, "column": verdict.column}
    _, _, _, keys, incoming = scratch.rows(_TABLE, values)[0]
    for key in keys or ():
        verdict.reasons.append(f"{key} would get {verdict.column} as a column: it is unique with it alone.")
    if incoming:
        verdict.reasons.append(f"{incoming} foreign keys refer to it: they would need that column, too, or go.")


def _retention(scratch: Scratch, verdict: Verdict) -> bool:
    """Return whether rows leave the table."""
    writes = scratch.production.writes.get(verdict.table)
    if writes and writes.deleted >= 1:
        verdict.reasons.append(
            f"{writes.deleted:,.0f} rows are deleted a day: a partition that is dropped leaves no dead rows behind."
        )
        return True
    return False


def _compare(scratch: Scratch, verdict: Verdict, by: Spread, asked: list[Asked]) -> float:
    """Return what the statements cost with the twin, as a share of what they cost now."""
    twin_name = twin.make(scratch, verdict.table, by, verdict.interval)
    scratch.stretch()
    planner = Planner(scratch)
    before = [(planner.plan(text).cost, twin.planning(scratch, text)) for _, text, _ in asked]
    twin.swap(scratch, verdict.table, twin_name)
    after = [(planner.plan(text).cost, twin.planning(scratch, text)) for _, text, _ in asked]
    if not asked:
        verdict.reasons.append("no statement is known that reads it.")
        return 1.0
    calls = [statement.calls for statement, _, _ in asked]
    sums = [sum(one[0] * count for one, count in zip(side, calls, strict=True)) for side in (before, after)]
    bounded = sum(count for (_, _, columns), count in zip(asked, calls, strict=True) if by.column in columns)
    verdict.reasons.append(
        f"{bounded / max(sum(calls), 1e-9):.0%} of the calls name {by.column} and read their partitions alone; the "
        "others look into each."
    )
    verdict.reasons.append(f"all statements cost {cost(sums[0])} a day now, and {cost(sums[1])} then, by the planner.")
    slow = [max(side, key=lambda one: one[1])[1] for side in (before, after)]
    verdict.reasons.append(f"the longest planning takes {slow[0]:.1f} ms now, and {slow[1]:.1f} ms then.")
    return sums[1] / max(sums[0], 1e-9)
