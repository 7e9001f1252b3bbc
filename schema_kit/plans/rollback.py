"""Plan the rollback of a conversion by copy, as long as the plain table is kept.

Where a trigger has logged since the swap which rows changed, all of that is replayed into it; where none has, the way
is open only as long as nothing was written. Either way both are compared, but for the keys in the log.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from schema_kit.errors import PlanError, refuse_for
from schema_kit.marks import BACK_TRIGGER, back_name, old_name
from schema_kit.model import Conversion, Copy, Copying, CopyRun, ForeignKey, Index, Table
from schema_kit.model.copying import BACKLOG
from schema_kit.names import QualifiedName, fit, ident
from schema_kit.plans import publications
from schema_kit.plans.copying import copy_of
from schema_kit.plans.partitions import abort_command
from schema_kit.steps import Plan, Step
from schema_kit.steps.constraints import ValidateConstraint
from schema_kit.steps.conversion import key_index_name
from schema_kit.steps.copied_table import OLD
from schema_kit.steps.copy_changes import ReplayKeys, VerifyCopy
from schema_kit.steps.indexes import DropIndexConcurrently
from schema_kit.steps.partitions import Analyze
from schema_kit.steps.rollback import (
    BeginReturn,
    EndReturn,
    SettleReturn,
    StayPartitioned,
    StopFeeding,
    SwapBack,
    back_of,
)
from schema_kit.steps.storage import ensure
from schema_kit.storage import COPY_RUN


def roll_back(parent: QualifiedName, seen: Conversion | None, copied: Copying) -> Plan:
    """Give a plain table that a conversion has kept its place back, with all that was written since.

    Args:
        parent: the table.
        seen: it, as observed; None where there is none.
        copied: what is remembered of its conversion, and the plain table.

    Raises:
        PlanError: no plain table is kept, something came since that it could not take, or it lacks what was written.
    """
    title = f"give {parent} back its plain table"
    run = copied.run if copied.run and copied.run.purpose == "convert" else None
    if run and run.returned and run.finished and seen and not seen.table.partition_strategy:
        return Plan(title)
    if run is None or run.finished:
        raise PlanError(
            f"cannot {title}: none is kept of a conversion by copy. op.unpartition, or schema_kit partitions undo, "
            "makes a plain table of its partitions."
        )
    if not run.swapped:
        raise PlanError(
            f"cannot {title}: the swap has not come yet. schema_kit partitions convert --abort gives the conversion up."
        )
    if seen is None or (copied.kept is None and not run.returned):
        gone = parent if seen is None else old_name(parent)
        raise PlanError(f"cannot {title}: {gone} is gone.")
    if run.returned:
        return Plan(title, tuple(_after(seen.table)))
    copy = copy_of(seen.table, parent, copied, run.targets)
    assert copied.kept is not None  # it was looked for
    refuse_for(f"cannot {title}", _obstacles(seen, copied.kept), lines=True)
    steps = tuple(_steps(title, copy, seen, copied.kept, copied, run))
    return Plan(title, steps, tuple(_lost(seen, copied)), abort_command("convert", parent))


def stay(seen: Conversion, copied: Copying) -> Plan:
    """Cancel the rollback before its swap: the partitioned table stays, and the plain one is kept as it was."""
    run = copied.run
    assert run is not None  # who asks has looked
    copy = copy_of(seen.table, seen.table.name, copied, run.targets)
    title = f"abort the rollback of {seen.table.name}"
    if not run.back_identity or copied.kept is None:
        return Plan(title)
    back = reverse(copy, copied.kept)
    return Plan(title, (StayPartitioned(back) if run.fed else _stop(back, copied),))


def keep_fed(copy: Copy, copied: Copying) -> Iterator[Step]:
    """Replay the log into the plain table, where it has grown: else it would grow until the rollback."""
    if copied.kept and copied.feeding and copied.feed_backlog > BACKLOG:
        yield _replay(reverse(copy, copied.kept), copied.kept)


def stop_feeding(copy: Copy, copied: Copying) -> Iterator[Step]:
    """Drop what feeds the plain table, before it goes itself."""
    feeding = copied.run is not None and (copied.run.fed or copied.run.back_identity)
    if copied.kept and feeding:
        yield _stop(reverse(copy, copied.kept), copied)


def reverse(copy: Copy, kept: Table) -> Copy:
    """Return the copy the other way round."""
    return back_of(copy, kept.primary_key, back_name(copy.source))


def _stop(back: Copy, copied: Copying) -> StopFeeding:
    return StopFeeding(back, _below(copied), back.log.name in copied.taken)


def _below(copied: Copying) -> tuple[QualifiedName, ...]:
    return tuple(relation.name for relation in copied.tree[1:])


def _replay(back: Copy, kept: Table) -> ReplayKeys:
    # Values that are unique besides the key may have changed hands: the log is replayed as a whole then.
    unique = any(index.unique and not index.primary and not _is_longer(index, kept) for index in kept.indexes)
    return ReplayKeys(back, None if unique else ReplayKeys.limit)


def _is_longer(index: Index, kept: Table) -> bool:
    return index.columns[: len(kept.primary_key)] == kept.primary_key


def _steps(
    title: str,
    copy: Copy,
    seen: Conversion,
    kept: Table,
    copied: Copying,
    run: CopyRun,
) -> Iterator[Step]:
    table, back = seen.table, reverse(copy, kept)
    yield from ensure(COPY_RUN, copied.has_tables)
    begun = run.back_identity == copied.tree_identity and copied.feeding
    if not begun:
        feed = not copied.feeding
        leftover = feed and any(trigger.name == BACK_TRIGGER for trigger in table.triggers)
        has_log = feed and back.log.name in copied.taken
        yield BeginReturn(back, copied.tree_identity, table, _below(copied), feed, leftover, has_log)
    counts = dict(run.counts).get(back.old) if begun else None
    if counts and not counts.equal:
        raise PlanError(
            f"cannot {title}: {back.old} has not all that was written since the swap: {table.name} holds "
            f"{counts.source_rows:,} rows, and {back.old} {counts.rows:,}"
            + ("" if counts.source_rows != counts.rows else " with other values")
            + (
                "; rows came or went without the trigger that feeds it: TRUNCATE, a partition detached or attached."
                if run.fed
                else ". It was not fed: keep_old='fed', or --feed, is said before the swap."
            )
            + f" {table.name} stays partitioned, and nothing is lost; schema_kit partitions convert --abort undoes "
            "what the rollback has begun, and op.unpartition makes a plain table of the partitions."
        )
    if counts is None or copied.feed_backlog > BACKLOG:
        yield _replay(back, kept)
    if counts is None:
        yield VerifyCopy(back, back.targets)
    if not begun or not run.settled:
        yield SettleReturn(back)
    composite = tuple((other.key, other.column) for other in seen.referring if other.has_column)
    keys = tuple(_foreign_keys(copied))
    moved = tuple(key for key in table.incoming if key not in [own for own, _ in composite])
    yield SwapBack(table, back, copied.tree_identity, kept, _below(copied), keys, composite=composite, moved=moved)
    yield from (ValidateConstraint(key.table, key.name) for key in (*(k for k, _ in composite), *moved))
    yield from (ValidateConstraint(table.name, key.name) for key in keys)
    yield from _end(table, copied.kept)


def _after(table: Table) -> Iterator[Step]:
    """Yield what is left to do of a table that is plain again."""
    yield from (ValidateConstraint(key.table, key.name) for key in table.incoming if not key.validated)
    yield from (ValidateConstraint(table.name, key.name) for key in table.foreign_keys if not key.validated)
    yield from _end(table, table)


def _end(table: Table, plain: Table | None) -> Iterator[Step]:
    # The index over the longer key, which foreign keys needed before the swap, kept its name of after it.
    longer = fit(key_index_name(table.name), OLD)
    if plain and plain.index(longer):
        yield DropIndexConcurrently(table.name.sibling(longer), table.name)
    yield Analyze(table.name)
    yield EndReturn(table.name)


def _foreign_keys(copied: Copying) -> Iterator[ForeignKey]:
    """Yield the partitioned table's foreign keys, and those that its partitions have until they are validated."""
    root = copied.tree[0]
    seen = {key.name for key in root.foreign_keys}
    yield from root.foreign_keys
    for leaf in copied.tree[1:]:
        for key in leaf.foreign_keys:
            if not key.attached and key.name not in seen:
                seen.add(key.name)
                yield replace(key, table=root.name)


def _obstacles(seen: Conversion, kept: Table) -> Iterator[str]:
    table = seen.table
    yield from table.obstacles
    yield from publications.obstacles(table, kept.primary_key)
    yield from publications.listed(table, seen.listed)
    yield from publications.copied(table, (kept.name,), "drop the publication, or list tables in it by name")
    if not table.partition_strategy:
        yield f"{table.name} is not the partitioned table any more"
    if not kept.primary_key or not set(kept.primary_key) <= set(table.primary_key):
        yield f"the primary key of {table.name} has not the columns of {kept.name}'s, by which changed rows are found"
    was = {(column.name, column.type) for column in kept.columns}
    now = {(column.name, column.type) for column in table.columns}
    if was != now:
        names = ", ".join(sorted({name for name, _ in was ^ now}))
        yield f"its columns are not those of {kept.name} any more: {names}"
    for column in table.columns:
        before = kept.column(column.name)
        if before and before.not_null != column.not_null:
            word, do = ("NOT NULL", "SET") if column.not_null else ("nullable", "DROP")
            yield (
                f"column {column.name} is {word}, unlike in {kept.name}; make it so there: ALTER TABLE {kept.name.sql} "
                f"ALTER COLUMN {ident(column.name)} {do} NOT NULL"
            )
        if before and (bool(before.identity), before.generated) != (bool(column.identity), column.generated):
            yield f"column {column.name} became an identity or generated, or was one; {kept.name} has it as it was"
    own = {other.key.name for other in seen.referring if other.has_column}
    for key in table.incoming:
        unique = any(index.unique and set(index.columns) == set(key.referenced_columns) for index in kept.indexes)
        if key.name not in own and not unique:
            yield (
                f"foreign key {key.name} of {key.table} refers to ({', '.join(key.referenced_columns)}), in which "
                f"{kept.name} is not unique"
            )
        partitioned = len(table.with_partitions([key.table])) > 1
        if key.name not in own and partitioned and not seen.server.not_valid_on_partitioned:
            yield f"foreign key {key.name}: {key.table} is partitioned, and before 18 its keys cannot be NOT VALID"


def _lost(seen: Conversion, copied: Copying) -> Iterator[str]:
    """Yield what came since the swap, and goes with the partitioned table."""
    kept = copied.kept
    assert kept is not None  # it was looked for
    names = {index.name for index in kept.indexes}
    yield from (
        f"index {index.name} came to {seen.table.name} after the swap, and goes with its partitions"
        for index in seen.table.indexes
        if fit(index.name, OLD) not in names
    )
    had = {name for name, _, _ in kept.checks}
    yield from (
        f"check {name} came to {seen.table.name} after the swap, and goes with its partitions"
        for name, _, _ in seen.table.checks
        if name not in had
    )
