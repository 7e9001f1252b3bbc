"""``schema_kit archive restore``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import click

from schema_kit.catalog import Catalog
from schema_kit.cli.archive.moving import both, moves, of, partitioned, policies, refuse_without_rights, under_way
from schema_kit.cli.partitions.common import Job, acts, database, lock_policy, work
from schema_kit.errors import DeclarationError, PlanError
from schema_kit.model import ArchivePolicy, Partition, Range, Table
from schema_kit.names import QualifiedName, ident, literal
from schema_kit.plans import archives
from schema_kit.plans.grid import Grid, grid
from schema_kit.plans.partitions import create_partition
from schema_kit.steps import Plan, Step
from schema_kit.steps.archives import CreateArchiveTable, MoveRowsAcross


def decide(catalog: Catalog, policy: ArchivePolicy, since: str, until: str, beside: QualifiedName | None) -> Plan:
    """What is left to be restored of a range."""
    plan = Plan(f"restore {policy.table} from {policy.archive}")
    if policy.way != "partition":
        raise PlanError(f"cannot {plan.title}: rows of it were archived one by one. Nothing was changed.")
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
    steps += _rows(catalog, own, target, wanted, [one for one in parts if one[0] not in whole])
    return Plan(plan.title, tuple(steps), tuple(notes))


def _rows(
    catalog: Catalog, lines: Grid, target: Table, wanted: Range, parts: list[tuple[Partition, Range]]
) -> Iterator[Step]:
    """Where a range begins or ends within a partition, or something is there already, rows go one by one.

    Raises:
        PlanError: rows with the same key and other values are there.
    """
    control = ident(lines.policy.control)
    columns = tuple(column.name for column in target.columns if not column.generated)
    made: set[QualifiedName] = set()
    found: list[Step] = []
    for part, held in parts:
        lower = wanted.lower if held.lower is None else max(held.lower, wanted.lower)
        upper = wanted.upper if held.upper is None else min(held.upper, wanted.upper)
        ends = lines.bounds(Range(lower, upper))
        where = f"{control} >= {literal(ends[0])} AND {control} < {literal(ends[1])}"
        leaves = [r.name for r in catalog.tree(part.name) if not r.partitioned and catalog.holds(r.name, where)]
        for window in lines.missing(lines.windows(lower, upper), target) if leaves else ():
            step = create_partition(lines, target, target.name, window)
            found += [] if step.name in made else [step]
            made.add(step.name)
        for leaf in leaves:
            move = MoveRowsAcross(leaf, target.name, columns, target.primary_key, where)
            count, key = catalog.clashes(move) if target.primary_key else (0, "")
            if count:
                raise PlanError(
                    f"cannot restore rows of {leaf} to {target.name}: {count} of them are there with the same key and "
                    f"other values, the first of them {key}. Nothing was changed; --beside takes them to another table."
                )
            found.append(move)
    yield from found


@click.command("restore")
@acts
@click.option("--from", "since", required=True, help="Where it begins: 2026-01-01, or an id.")
@click.option("--to", "until", required=True, help="Where it ends, exclusive.")
@click.option("--beside", help="The table that takes it instead; made where it is not there.")
def command(
    tables: tuple[str, ...],
    url: str | None,
    now: str | None,
    form: str,
    dry_run: bool,
    lock_timeout: str | None,
    since: str,
    until: str,
    beside: str | None,
) -> None:
    """Take a range from the archive back into its table, or to a table beside it.

    Dates are read on the wall clock of the set's time zone. Partitions that lie in the range are detached from the
    archive and attached, without copying a row; `archive run` leaves them alone until it is told --restored. Where the
    range begins or ends within a partition, or the table has a partition there already, rows go in batches of 5,000:
    those that are there already, equal in every column, are not inserted twice; the same key with other values is
    refused before anything is written. Triggers of the table fire for rows that go so.

    Example: schema_kit archive restore bots.messages --from 2026-01-01 --to 2026-03-01
    """
    if len(tables) != 1:
        raise click.UsageError("name one table")
    with database(url, now) as (connection, catalog):
        wanted = policies(catalog, tables)
        name = QualifiedName.parse(beside, wanted[0].table.schema) if beside else None
        job = Job("archive", partial(decide, since=since, until=until, beside=name))
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
