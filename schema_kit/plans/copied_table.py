"""A plain table becomes partitioned by copying its rows: each window has a partition of its own from the swap on.

The table stays what it is until then, and can be left so at any moment. It is the machinery of copying.py; what belongs
to the table moves as conversion.py moves it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice, pairwise
from typing import Literal

from schema_kit.errors import PlanError, refuse_for
from schema_kit.marks import BOUND_CHECK, LOG_TRIGGER, back_name, log_name, staging_name
from schema_kit.model import (
    Conversion,
    Copy,
    Copying,
    CopyLimits,
    CopyTarget,
    Index,
    Partitioning,
    Range,
    Table,
    ranges,
)
from schema_kit.model.grid import FAR, MOST_AHEAD, Grid, grid
from schema_kit.names import QualifiedName, fit, idents
from schema_kit.plans import conversion, partitions, publications, rollback, statistics, unpartition
from schema_kit.plans.conversion import IncomingForeignKeys
from schema_kit.plans.copying import abandoned, copy_of, keys_to_prove, needs, proved_keys, same_purpose, until_swap
from schema_kit.plans.partitions import free_name
from schema_kit.sizes import pretty
from schema_kit.steps import Plan, Step
from schema_kit.steps.constraints import ValidateConstraint
from schema_kit.steps.conversion import BuildParent, fingerprint, key_index_name, longer_key
from schema_kit.steps.copied_table import SwapTable
from schema_kit.steps.copy_swap import DropCopied
from schema_kit.steps.indexes import DropIndexConcurrently
from schema_kit.steps.rollback import back_of
from schema_kit.steps.storage import ensure
from schema_kit.storage import PART_CONFIG

KeepOld = bool | Literal["fed"]
Strategy = Literal["attach", "copy"]

COPIED_UNASKED = 1024**3
"""Bytes of a table, its indexes included, up to which it is copied without being asked for."""


def choose(policy: Partitioning, seen: Conversion, copied: Copying) -> tuple[Strategy, str]:
    """Attach or copy, and why: what is begun already, what the table's shape allows, what its size costs.

    Args:
        policy: how the table is partitioned.
        seen: the table, as observed; no copy of it is in progress.
        copied: where its rows lie; not looked at where it is big.
    """
    table = seen.table
    column, size = table.column(policy.control), f"{table.name} has {pretty(seen.bytes)}"
    if any(name == BOUND_CHECK for name, _, _ in table.checks):
        return "attach", f"an attachment of {table.name} is in progress"
    if wide := [one.name for one in table.publications if one.wide]:
        return "attach", f"publication {wide[0]} would publish what a copy writes next to {table.name}"
    if column is not None and not column.not_null:
        return "attach", f"{policy.control} may be NULL, which the partitions of a copy would not take"
    if seen.beyond:
        return "copy", f"{seen.beyond} rows lie farther ahead than an attachment's bound could be"
    if seen.bytes > COPIED_UNASKED:
        return "attach", (
            f"{size}, and more than {pretty(COPIED_UNASKED)} are not copied unasked; its rows become one first "
            "partition, which schema_kit partitions split divides later"
        )
    if len(copied.filled) < 2:
        return "attach", f"all rows of {table.name} lie in one {policy.interval}, or there are none"
    if copied.room and copied.room[0] - copied.bytes < copied.room[1]:
        return "attach", f"there is too little room on the server's disk for a copy: {pretty(copied.room[0])} are free"
    return "copy", f"{size}, which is soon copied: each {policy.interval} with rows gets its partition at once"


def convert(
    policy: Partitioning,
    seen: Conversion | None,
    copied: Copying,
    incoming: IncomingForeignKeys,
    limits: CopyLimits,
    *,
    default: bool = True,
    keep_old: KeepOld = False,
) -> Plan:
    """Partition a table that is in use, by copying its rows.

    Args:
        policy: how the table is partitioned and kept; registered in part_config in the commit of the swap.
        seen: the table, as observed; None where there is none.
        copied: how far the copy has come.
        incoming: what becomes of foreign keys to the table: refuse, drop or composite.
        limits: when the copy pauses.
        default: whether a default partition takes what lies beyond the others.
        keep_old: whether the plain table stays, under another name, as it was at the swap; fed: with a log of what
            changes since, so that it can take its place again.

    Raises:
        DeclarationError: an unknown way for incoming foreign keys, or a premake below 1.
        PlanError: something belongs to the table or depends on it that cannot move with it; it is named. Or what was
            copied is not what the table holds.
    """
    title, there = conversion.titled(policy), conversion.checked(policy, seen, incoming)
    run = copied.begun
    if run:
        same_purpose("convert", policy.parent, run)
    if run and (run.returned or run.back_identity):
        raise PlanError(
            f"{policy.parent} is being made a plain table again. schema_kit partitions convert --rollback goes on "
            "with that, and --abort gives it up, before its swap."
        )
    if there.table.partition_strategy:
        steps = [*conversion.after_swap(policy, there)]
        if run is None or not run.swapped:
            return Plan(title, tuple(steps))
        copy = copy_of(there.table, policy.parent, copied, run.targets)
        steps += proved_keys(copied)
        if keep_old:
            return Plan(title, (*steps, *rollback.keep_fed(copy, copied)), (_kept(copy, run.fed),))
        return Plan(title, (*steps, *rollback.stop_feeding(copy, copied), DropCopied(copy)))
    conversion.refuse(policy, replace(there, beyond=0), incoming)
    _refuse_wide(f"cannot {title} by copy", there.table, "strategy='attach' writes no second table")
    steps = list(_steps(policy, there, copied, incoming, limits, default, keep_old))
    notes = ranges.stay(copied.strays, policy.parent, policy.parent) if run is None else ()
    abort = partitions.abort_command("convert", policy.parent)
    return Plan(title, tuple(steps), (*conversion.notes(policy, there), *needs(copied), *notes), abort)


def _kept(copy: Copy, fed: bool) -> str:
    what = "can take its place again (--rollback)" if fed else "is what it was at the swap"
    return f"{copy.old} is kept next to {copy.source} and {what}, until --finish, or keep_old=False, drops it"


def abort(source: QualifiedName, seen: Conversion | None, copied: Copying, built: Table | None = None) -> Plan:
    """Cancel a conversion before its swap: all that it has made goes, and the table is as before.

    Or the rollback of one, before its swap: the partitioned table stays.

    Args:
        source: the table, under the name by which the copy knows it.
        seen: the table, as observed; None where it is gone.
        copied: how far the copy has come.
        built: the parent that was built for it, where the table has another name by now.

    Raises:
        PlanError: the swap is done.
    """
    run = copied.begun
    steps: list[Step] = [conversion.drop_built(built)] if built and conversion.is_built(built) else []
    if seen is None:
        left = run is not None and not run.swapped
        return Plan(f"abort the copy of {source}", (*steps, abandoned(source, copied)) if left else ())
    table = seen.table
    title = f"abort the conversion of {table.name}"
    if run and run.back_identity is not None and not run.returned:
        return rollback.stay(seen, copied)
    if table.partition_strategy or (run and run.swapped):
        raise PlanError(
            f"cannot {title}: its swap is done. op.unpartition reverses it, or --rollback where the plain table is "
            "kept."
        )
    steps += unpartition.give_up(seen)
    index, name = table.index(key_index_name(table.name)), table.name.sibling(key_index_name(table.name))
    drop = DropIndexConcurrently(name, table.name)
    # It comes first, for the foreign keys of what refers to the table, and may be all that exists yet.
    longer = index and index.unique and index.columns[: len(table.primary_key)] == table.primary_key
    if index and longer and not index.constraint and drop not in steps:
        steps.append(drop)
    if run:
        same_purpose("convert", table.name, run)
    if run or copied.logged:
        steps.append(abandoned(source, copied))
    return Plan(title, tuple(steps))


def _refuse_wide(title: str, table: Table, instead: str) -> None:
    beside = (log_name(table.name), staging_name(table.name))
    refuse_for(title, publications.copied(table, beside, instead), lines=True)


def _steps(
    policy: Partitioning,
    seen: Conversion,
    copied: Copying,
    incoming: IncomingForeignKeys,
    limits: CopyLimits,
    default: bool,
    keep_old: KeepOld,
) -> Iterator[Step]:
    # The log's own trigger is not the table's.
    table = replace(seen.table, triggers=tuple(t for t in seen.table.triggers if t.name != LOG_TRIGGER))
    lines, run = grid(policy, table), copied.begun
    column = table.column(policy.control)
    if column is not None and not column.not_null:
        raise PlanError(
            f"{table.name}.{policy.control} may be NULL, and no partition would take such a row. "
            "op.set_not_null_concurrently checks that none is, while writes continue."
        )
    yield from ensure(PART_CONFIG, seen.has_config)
    if incoming == "composite" and seen.referring:
        yield from conversion.key_index(table, table.name, longer_key(table, policy.control))
        for referring in seen.referring:
            yield from conversion.composite_steps(policy, seen, referring)
    targets = run.targets if run else tuple(_targets(lines, seen, copied, default))
    grown = _grown(table, policy)
    copy = copy_of(grown, table.name, copied, targets)
    yield from until_swap(lines, grown, copy, copied, "convert", limits)
    yield from _parent(policy, table, seen)
    log = back_name(table.name)
    if keep_old == "fed" and log.name in copied.taken:
        raise PlanError(f"there is something named {log}, and that name is needed. Nothing was swapped; rename it.")
    dropped, moved, composite = conversion.incoming_keys(policy, seen, incoming)
    back = back_of(copy, table.primary_key, log) if keep_old == "fed" else None
    yield SwapTable(
        table, policy, copy, copied.identity, copied.server, back, dropped=dropped, moved=moved, composite=composite
    )
    for key in (*(other.key for other in seen.referring), *moved):
        yield ValidateConstraint(key.table, key.name)
    yield from keys_to_prove(table, tuple(target.name for target in targets), copied.server)
    yield from conversion.drop_fill_indexes(seen.referring if incoming == "composite" else ())
    yield statistics.analyzed(table.name, tuple(target.name for target in targets), copied.server)
    if not keep_old:
        yield DropCopied(copy)


def _grown(table: Table, policy: Partitioning) -> Table:
    """Return the table with the longer primary key: what the partitions are like."""
    key = longer_key(table, policy.control)

    def longer(index: Index) -> Index:
        if not index.primary:
            return index
        return replace(index, columns=key, tail=f"btree ({idents(key)})", constraint=f"PRIMARY KEY ({idents(key)})")

    own = tuple(longer(index) for index in table.indexes if index.name != key_index_name(table.name))
    return replace(table, primary_key=key, indexes=own)


def _parent(policy: Partitioning, table: Table, seen: Conversion) -> Iterator[Step]:
    """Return the partitioned table next to the plain one; its foreign keys come with the swap, not validated."""
    bare, built = replace(table, foreign_keys=()), seen.built
    if built and not conversion.is_built(built):
        raise PlanError(
            f"there is a table {built.name}, and that name is needed for the parent of {table.name} while it is being "
            "built. Nothing was swapped; rename it."
        )
    if built and built.comment == fingerprint(bare):
        return
    if built:
        yield conversion.drop_built(built)
    yield BuildParent(bare, policy, bounded=False)


def _targets(lines: Grid, seen: Conversion, copied: Copying, default: bool) -> Iterator[CopyTarget]:
    """From the first row to the current position, and premake ranges more; the rest is the default's.

    With a default partition, so many ranges without a row that one odd row makes them are not made; among ids, for
    which no clock says where the current position is, nor is a range that such a gap divides from all others.
    """
    table, filled = seen.table, copied.filled
    if not default and copied.strays:
        raise PlanError(
            f"{' and '.join(stray.told for stray in copied.strays)} of {table.name} lie farther ahead than "
            f"premake={lines.policy.premake} reaches, or beyond what can be planned with, and no partition would take "
            "them. Let a default partition take them, or correct them."
        )
    while default and lines.of_ids and len(filled) > 1 and _apart(lines, filled[-2], filled[-1]):
        filled = filled[:-1]
    here = lines.here(seen.now, filled[-1].lower if filled else None)
    ahead = [window for window in lines.ahead(here) if window not in filled]
    found = sorted((*filled, *ahead), key=lambda window: window.lower or 0)
    windows = [found[0]]
    for window, following in pairwise(found):
        if not (default and _apart(lines, window, following)):
            windows += islice(lines.windows(window.upper, following.lower), MOST_AHEAD + 1)
        windows.append(following)
    if len(windows) > MOST_AHEAD:
        first, last = lines.shown(windows[0].lower), lines.shown(found[-1].lower)
        raise PlanError(
            f"the rows of {table.name} reach from {first} to {last}: more than {MOST_AHEAD} partitions of "
            f"{lines.policy.interval}. Choose a longer interval, or correct the rows."
        )
    for window in windows:
        name = free_name(lines, table, window)
        yield CopyTarget(name, name, *lines.bounds(window))
    if default:
        name = table.name.sibling(fit(table.name.name, "_default"))
        yield CopyTarget(name, name, None, None, default=True)


def _apart(lines: Grid, window: Range, following: Range) -> bool:
    """Return whether so many ranges lie between two that one odd row makes them."""
    return next(islice(lines.windows(window.upper, following.lower), FAR, None), None) is not None
