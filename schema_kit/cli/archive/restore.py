"""``schema_kit archive restore``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import click

from schema_kit.catalog import Catalog
from schema_kit.cli.archive.moving import both, moves, of, partitioned, policies, refuse_without_rights, under_way
from schema_kit.cli.options import acts, database, lock_policy
from schema_kit.cli.work import Job, work
from schema_kit.errors import DeclarationError, PlanError
from schema_kit.model import ArchivePolicy, Partition, Range, Table
from schema_kit.names import QualifiedName, ident, literal
from schema_kit.plans import archives, rows, ttl
from schema_kit.plans.grid import Grid, grid
from schema_kit.plans.partitions import create_partition
from schema_kit.plans.rows import Leaving
from schema_kit.sqlscripts import load
from schema_kit.steps import Plan, Step
from schema_kit.steps.archives import CreateArchiveConfig, CreateArchiveTable, KeepRestored


def decide(
    catalog: Catalog,
    policy: ArchivePolicy,
    since: str | None,
    until: str | None,
    where: str | None,
    beside: QualifiedName | None,
) -> Plan:
    """What is left to be restored of a range, or of a condition."""
    if policy.way == "rows":
        return by_rows(catalog, policy, (since, until) if since and until else None, where, beside)
    if since is None or until is None or where:
        raise DeclarationError(
            f"{policy.table} is archived by partition: --from and --to say which range comes back. Nothing was changed."
        )
    return by_partition(catalog, policy, since, until, beside)


def by_rows(
    catalog: Catalog,
    policy: ArchivePolicy,
    ends: tuple[str, str] | None,
    where: str | None,
    beside: QualifiedName | None,
) -> Plan:
    """Rows that were archived one by one, and what hung on them; beside the table, they come alone."""
    plan = Plan(f"restore {policy.table} from {policy.archive}")
    goes = rows.archives(catalog.leaving(policy.table), catalog.archive_policies())
    observed = dict(catalog.leaving(policy.table, tuple(goes.values()), back=True))
    one = ttl.restoring(policy, observed, goes, ends, where)
    table, archive = both(catalog, policy)
    if beside:
        found = catalog.leaving(policy.archive, (beside,), back=True)
        if beside not in found:
            if why := catalog.may_not_create_in(beside.schema):
                raise PlanError(f"cannot {plan.title} to {beside}: {'; '.join(why)}. Nothing was changed.")
            return replace(plan, steps=(CreateArchiveTable(table, beside),))
        moves = [rows.bring_back(one, found[policy.archive], found[beside])]
    else:
        catalog.has_row_where(policy.table, one.where)  # what is no condition on its columns is said before all else
        moves = list(rows.back(one, observed))
        if dangling := [
            f"foreign key {key.name} refers to rows of {key.referenced} that are gone"
            for key in table.foreign_keys
            if key.referenced != policy.table
            and catalog.has_row_where(archive.name, rows.dangling(key, archive.name, one.where))
        ]:
            raise PlanError(f"cannot {plan.title}: {'; '.join(dangling)}. Nothing was changed.")
    count, key = catalog.clashes(moves[0])
    if count:
        raise PlanError(_clash(policy.archive, beside or policy.table, count, key))
    left = next((moves[place:] for place, move in enumerate(moves) if catalog.any_left(move)), None)
    if left is None:
        return plan
    script = () if catalog.archive_config_is_there() else (CreateArchiveConfig(load("tables/archive_policy.sql")),)
    return replace(plan, steps=(*(() if beside else (*script, KeepRestored(policy.table, one.where))), *left))


def _clash(archive: QualifiedName, table: QualifiedName, count: int, key: str) -> str:
    return (
        f"cannot restore rows of {archive} to {table}: {count} of them are there with the same key and other values, "
        f"the first of them {key}. Nothing was changed; --beside takes them to another table."
    )


def by_partition(catalog: Catalog, policy: ArchivePolicy, since: str, until: str, beside: QualifiedName | None) -> Plan:
    """Partitions of a range, and rows where it begins or ends within one."""
    plan = Plan(f"restore {policy.table} from {policy.archive}")
    partitioning = partitioned(catalog, policy)
    table, archive = both(catalog, policy)
    refuse_without_rights(catalog, policy)
    target = catalog.table(beside) if beside else table
    lines = grid(partitioning, table)
    wanted = Range(lines.read(since), lines.read(until))
    if wanted.lower is None or wanted.upper is None or wanted.upper <= wanted.lower:
        raise DeclarationError(f"{since} to {until} holds nothing: --to is where it ends, and not part of it")
    parts = [(part, lines.range_of(part)) for part in archive.partitions if not part.default]
    parts = [(part, held) for part, held in parts if held.overlaps(wanted)]
    goes_to = beside or policy.table
    waiting = [one for one in under_way(of(catalog, policy), policy) if one[1] == goes_to]
    if target is None and beside and (why := catalog.may_not_create_in(beside.schema)):
        raise PlanError(f"cannot {plan.title} to {beside}: {'; '.join(why)}. Nothing was changed.")
    if target is None:
        assert beside is not None  # the table itself is there
        beside_it = replace(partitioning, parent=beside, retention=None, retention_schema=None)
        return replace(plan, steps=(CreateArchiveTable(archive, beside, beside_it),) if parts else ())
    if blocking := [one.sentence for one in archives.differences(archive, target) if one.blocks]:
        raise PlanError(f"cannot {plan.title}: {'; '.join(blocking)}. Nothing was changed.")
    own = grid(replace(partitioning, parent=target.name), target)
    taken = [lines.range_of(part) for part in target.partitions if not part.default]
    whole = [part for part, held in parts if wanted.covers(held) and not any(held.overlaps(other) for other in taken)]
    views = archives.spanning(target, archive)
    going = ((policy.archive, goes_to, part.name, part.lower, part.upper) for part in whole)
    steps, notes = moves(catalog, policy, partitioning, views, (*waiting, *going))
    steps += _rows(catalog, policy, own, target, wanted, [one for one in parts if one[0] not in whole])
    return Plan(plan.title, tuple(steps), tuple(notes))


def _rows(
    catalog: Catalog,
    policy: ArchivePolicy,
    lines: Grid,
    target: Table,
    wanted: Range,
    parts: list[tuple[Partition, Range]],
) -> Iterator[Step]:
    """Where a range begins or ends within a partition, or something is there already, rows go one by one.

    Raises:
        PlanError: rows with the same key and other values are there.
    """
    control = lines.policy.control
    made: set[QualifiedName] = set()
    found: list[Step] = []
    for part, held in parts:
        lower = wanted.lower if held.lower is None else max(held.lower, wanted.lower)
        upper = wanted.upper if held.upper is None else min(held.upper, wanted.upper)
        ends = lines.bounds(Range(lower, upper))
        where = f"{ident(control)} >= {literal(ends[0])} AND {ident(control)} < {literal(ends[1])}"
        one = Leaving(policy.table, where, control, back=True)
        leaves = [relation.name for relation in catalog.tree(part.name) if not relation.partitioned]
        seen = [(leaf, catalog.leaving(leaf, (target.name,))) for leaf in leaves]
        moves = [rows.bring_back(one, there[leaf], there[target.name]) for leaf, there in seen]
        moves = [move for move in moves if catalog.any_left(move)]
        for window in lines.missing(lines.windows(lower, upper), target) if moves else ():
            step = create_partition(lines, target, target.name, window)
            found += [] if step.name in made else [step]
            made.add(step.name)
        for move in moves:
            count, key = catalog.clashes(move)
            if count:
                raise PlanError(_clash(move.table, target.name, count, key))
            found.append(move)
    yield from found


@click.command("restore")
@acts
@click.option("--from", "since", help="Where it begins: 2026-01-01, or an id.")
@click.option("--to", "until", help="Where it ends, exclusive.")
@click.option("--where", help="By rows: SQL over the table's columns, as well or instead.")
@click.option("--beside", help="The table that takes it instead; made where it is not there.")
def command(
    tables: tuple[str, ...],
    url: str | None,
    now: str | None,
    form: str,
    dry_run: bool,
    lock_timeout: str | None,
    since: str | None,
    until: str | None,
    where: str | None,
    beside: str | None,
) -> None:
    """Take a range from the archive back into its table, or to a table beside it.

    Dates are read on the wall clock of the set's time zone. Partitions that lie in the range are detached from the
    archive and attached, without copying a row. Where the range begins or ends within a partition, or the table has a
    partition there already, rows go in batches: those that are there already, equal in every column, are not inserted
    twice; the same key with other values is refused before anything is written.

    Rows that were archived one by one (way=rows) go so, too, by the column that their age is counted from (in UTC) or
    by --where; then what hung on them. Rows that somebody has locked are passed over: run it again. What was restored
    is left alone by `archive run` until it is told --restored; a time-to-live knows nothing of it. Triggers of the
    table fire for rows that go one by one.

    Example: schema_kit archive restore bots.messages --from 2026-01-01 --to 2026-03-01
    """
    if len(tables) != 1:
        raise click.UsageError("name one table")
    if (since is None) is not (until is None):
        raise click.UsageError("--from and --to come together")
    with database(url, now) as (connection, catalog):
        wanted = policies(catalog, tables)
        name = QualifiedName.parse(beside, wanted[0].table.schema) if beside else None
        job = Job("archive", partial(decide, since=since, until=until, where=where, beside=name))
        work(
            "archive",
            [job],
            [(one, None) for one in wanted],
            connection,
            catalog,
            lock_policy(lock_timeout),
            form,
            dry_run,
        )
