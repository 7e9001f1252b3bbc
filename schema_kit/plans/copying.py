"""Rows of a live table, copied into partitions of their own: a default partition is drained, a partition is split.

A copy, a log of the keys that change meanwhile, and one swap: readers of the parent see every row at every moment.
Moving the rows could not keep that promise, for a window whose rows lie in the default partition cannot be attached.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from schema_kit.errors import PlanError, refuse_for
from schema_kit.marks import LOG_TRIGGER, log_name, old_name, staging_name
from schema_kit.model import (
    Copy,
    Copying,
    CopyLimits,
    CopyRun,
    CopyTarget,
    ForeignKeyDeclaration,
    Index,
    Partitioning,
    Range,
    Relation,
    Table,
    ranges,
)
from schema_kit.model.copying import BACKLOG
from schema_kit.model.grid import FAR, MOST_AHEAD, Grid, grid, partitioned_table
from schema_kit.names import QualifiedName, fit, ident, within
from schema_kit.plans import constraints, partitions, publications, replacements
from schema_kit.server import Server
from schema_kit.sizes import pretty
from schema_kit.steps import Plan, Step
from schema_kit.steps.constraints import AddForeignKey, ValidateConstraint
from schema_kit.steps.copy_changes import ReplayKeys, VerifyCopy
from schema_kit.steps.copy_chunks import AnalyzeTarget, BuildIndexes, CopyChunk, CutChunks
from schema_kit.steps.copy_swap import DropCopied, Settle, SwapCopy
from schema_kit.steps.copying import AbandonCopy, BeginCopy
from schema_kit.steps.storage import ensure
from schema_kit.storage import COPY_RUN


def drain_default(policy: Partitioning, seen: Copying, limits: CopyLimits) -> Plan:
    """Give the rows of a default partition partitions of their own; where none has rows there, nothing is to be done.

    Args:
        policy: the table's policy.
        seen: its default partition, as observed.
        limits: when it pauses.

    Raises:
        PlanError: no such set or no default partition, something belongs to it that cannot move, or what was copied
            is not what the source holds.
    """
    title = f"drain the default partition of {policy.parent}"
    parent = partitioned_table(policy, seen.parent)
    default = next((partition for partition in parent.partitions if partition.default), None)
    if default is None or seen.source is None:
        return Plan(title)
    lines, source = grid(policy, parent), default.name
    abort = partitions.abort_command("drain-default", policy.parent)
    if run := seen.begun:
        same_purpose("drain", source, run)
        steps = tuple(_steps(lines, parent, source, seen, run.targets, "drain", limits))
        return Plan(title, steps, abort=abort)
    windows = [window for window in seen.filled if not lines.covered(window, parent)]
    notes = ranges.stay(seen.strays, source, policy.parent)
    if not windows:
        return Plan(title, (), notes)
    enough(source, lines, windows)
    targets = [_target(lines, parent, window, source) for window in windows]
    built = source.sibling(fit(source.name, "__new"))
    targets.append(CopyTarget(source, built, None, None, default=True))
    steps = tuple(_steps(lines, parent, source, seen, tuple(targets), "drain", limits))
    return Plan(title, steps, (*needs(seen), *notes), abort)


def enough(source: QualifiedName, lines: Grid, windows: Sequence[Range]) -> None:
    """Refuse more partitions than are made at once.

    Raises:
        PlanError: there would be more.
    """
    if len(windows) > MOST_AHEAD:
        raise PlanError(
            f"the rows of {source} lie in more than {MOST_AHEAD} ranges of {lines.policy.interval}, and as many "
            "partitions are not made at once. Choose a longer interval."
        )


def split(policy: Partitioning, partition: QualifiedName, seen: Copying, limits: CopyLimits) -> Plan:
    """Split a partition into the ranges of its table's policy; one that is only one range stays as it is.

    Args:
        policy: the table's policy.
        partition: what is split.
        seen: it, as observed.
        limits: when it pauses.

    Raises:
        PlanError: no such partition, ranges that cross its bounds, something belongs to it that cannot move, or what
            was copied is not what it holds.
    """
    title = f"split {partition}"
    parent = partitioned_table(policy, seen.parent)
    lines, abort = grid(policy, parent), partitions.abort_command("split", partition)
    if run := seen.begun:
        same_purpose("split", partition, run)
        steps = tuple(_steps(lines, parent, partition, seen, run.targets, "split", limits))
        return Plan(title, steps, abort=abort)
    found = next((one for one in parent.partitions if one.name == partition), None)
    if found is None:
        if seen.run and seen.source is None:
            return Plan(title)  # it was split before
        raise PlanError(f"cannot {title}: it is not a partition of {parent.name}.")
    if found.default:
        raise PlanError(f"cannot {title}: it is the default partition; drain it instead.")
    windows = _cut(lines, lines.range_of(found), seen.filled, title)
    if len(windows) < 2:
        return Plan(title)
    targets = []
    for place, window in enumerate(windows):
        target = _target(lines, parent, window, partition)
        # Where the partition has no end, neither has the first or the last of those that take its place.
        lower = found.lower if place == 0 else target.lower
        upper = found.upper if place == len(windows) - 1 else target.upper
        targets.append(CopyTarget(target.name, target.built, lower, upper))
    steps = tuple(_steps(lines, parent, partition, seen, tuple(targets), "split", limits))
    return Plan(title, steps, needs(seen), abort)


def abandon(source: QualifiedName, seen: Copying) -> Plan:
    """Cancel a copy that has not come to its swap: all that it has made goes, and the source is as before.

    Raises:
        PlanError: the swap is done.
    """
    title = f"abort the copy of {source}"
    if seen.begun is None and seen.logged is None:
        return Plan(title)
    if seen.begun and seen.begun.swapped:
        raise PlanError(f"cannot {title}: its rows lie in the new partitions already.")
    return Plan(title, (abandoned(source, seen),))


def needs(seen: Copying) -> tuple[str, ...]:
    """Return what to know of the server's disk before a copy begins; nothing where it has begun, or is small.

    Raises:
        PlanError: there is too little room.
    """
    if seen.source is None or seen.begun:
        return ()
    beside = (log_name(seen.source.name), staging_name(seen.source.name))
    instead = "make them there first, empty, with the same columns: it passes over what it is not refreshed for"
    published = tuple(publications.copied(seen.parent, beside, instead)) if seen.parent else ()
    takes = f"a copy of {seen.source.name} takes about {pretty(seen.bytes)} of the server's disk"
    if seen.room is None:
        note = f"{takes}; what is free there cannot be seen from here"
    else:
        free, left = seen.room
        if free - seen.bytes < left:
            raise PlanError(f"{takes}, where {pretty(free)} are free and {pretty(left)} stay so. Make room first.")
        note = f"{takes}, where {pretty(free)} are free"
    return (*published, *((note,) if seen.bytes >= 2**30 else ()))


def same_purpose(purpose: str, source: QualifiedName, run: CopyRun) -> None:
    """Refuse to go on with a copy that was begun for something else."""
    if run.purpose != purpose:
        raise PlanError(
            f"a copy of {source} is in progress for another purpose: to {run.purpose} it. Run that again, or abort it "
            "first."
        )


def _cut(lines: Grid, whole: Range, filled: Sequence[Range], title: str) -> list[Range]:
    """Return the ranges of a partition, end to end; so many without a row that one odd row makes them stay one."""
    for end, what in ((whole.lower, "begins"), (whole.upper, "ends")):
        if not lines.begins_at(end):
            raise PlanError(
                f"cannot {title}: it {what} at {lines.shown(end)}, in the middle of a window of "
                f"{lines.policy.interval}. Change the policy's interval, time zone or origin."
            )
    windows = list(ranges.around(lines, filled, whole, FAR))
    enough(lines.policy.parent, lines, windows)
    return windows


def _target(lines: Grid, parent: Table, window: Range, source: QualifiedName) -> CopyTarget:
    own = lines.partition_name(window) == source  # which has it until the swap
    name = source if own else partitions.free_name(lines, parent, window)
    built = name.sibling(fit(name.name, "__new")) if own else name
    return CopyTarget(name, built, *lines.bounds(window))


def copy_of(parent: Table, source: QualifiedName, seen: Copying, targets: tuple[CopyTarget, ...]) -> Copy:
    """Return what is copied, and where to."""
    assert seen.control is not None  # the boundaries were checked
    return Copy(
        source,
        parent.name,
        seen.control,
        seen.key,
        tuple(column.name for column in parent.columns if not column.generated),
        seen.texts,
        targets,
        staging_name(source),
        log_name(source),
        old_name(source),
    )


def _steps(
    lines: Grid,
    parent: Table,
    source: QualifiedName,
    seen: Copying,
    targets: tuple[CopyTarget, ...],
    purpose: str,
    limits: CopyLimits,
) -> Iterator[Step]:
    copy = copy_of(parent, source, seen, targets)
    if seen.begun and seen.begun.swapped:
        yield from _after_swap(copy, parent, seen)
        return
    _refuse(parent, source, seen)
    assert seen.source is not None  # it was looked at
    yield from until_swap(lines, parent, copy, seen, purpose, limits)
    yield from _swap(parent, copy, seen, purpose)
    yield from _after_swap(copy, parent, seen)


def until_swap(
    lines: Grid,
    parent: Table,
    copy: Copy,
    seen: Copying,
    purpose: str,
    limits: CopyLimits,
) -> Iterator[Step]:
    """Yield what is left to do before the swap.

    Args:
        lines: the table's ranges.
        parent: what the targets are made like: its columns, its indexes.
        copy: what is copied, and where to.
        seen: the source, as observed.
        purpose: drain, split or convert.
        limits: when it pauses.

    Raises:
        PlanError: a name is taken, or what was copied is not what the source holds.
    """
    yield from ensure(COPY_RUN, seen.has_tables)
    run = seen.begun
    if run is None and seen.source and any(trigger.name == LOG_TRIGGER for trigger in seen.source.triggers):
        verb, name = {"drain": ("drain-default", parent.name)}.get(purpose, (purpose, copy.source))
        raise PlanError(
            f"a copy of {copy.source} was begun when it, or its schema, had another name, and cannot go on. To abort "
            f"it: {partitions.abort_command(verb, name)}"
        )
    if run and (run.identity != seen.identity or not seen.logging):
        yield abandoned(copy.source, seen)
        run = None
    if run is None:
        yield from _begin(lines, parent, copy, seen, purpose)
    yield from _copied(copy, seen, run, limits)
    own = replacements.own_indexes(parent, seen.source, purpose)
    of_own = dict.fromkeys(replacements.heirs(copy, purpose), own)
    builds = tuple(_builds(parent, copy, seen, of_own, fresh=run is None))
    keys = [build for build in builds if any(index.primary for index in build.indexes)]
    rest = [build for build in builds if build not in keys]
    yield from keys
    # Values that are unique besides the key may have changed hands: the log is replayed as a whole then.
    unique = any(index.unique and not index.primary for index in (*parent.indexes, *own))
    if run is None or keys or seen.backlog > BACKLOG:
        yield ReplayKeys(copy, None if unique and not rest else ReplayKeys.limit)
    yield from rest
    if rest:
        yield ReplayKeys(copy, None if unique else ReplayKeys.limit)
    analyzed = () if run is None else seen.analyzed
    yield from (AnalyzeTarget(target.built) for target in copy.targets if target.built not in analyzed)
    yield from _verified(copy, seen, run)
    if run is None or not run.settled:
        yield Settle(copy)


def abandoned(source: QualifiedName, seen: Copying) -> AbandonCopy:
    """Return the step that takes back what a copy has made."""
    run = seen.begun
    built = [target.built for target in run.targets] if run else [leaf.name for leaf in seen.leaves]
    names = (staging_name(source), log_name(source), *built)
    there = tuple(name for name in names if name.name in seen.taken)
    return AbandonCopy(source, log_name(source), there, seen.logged, run is not None)


def _refuse(parent: Table, source: QualifiedName, seen: Copying) -> None:
    what = f"the rows of {source} cannot be given other partitions as it is"
    refuse_for(what, _obstacles(parent, source, seen), then="\nNothing was swapped.", lines=True)


def _obstacles(parent: Table, source: QualifiedName, seen: Copying) -> Iterator[str]:
    table = seen.source
    if table is None:
        yield "it is not a table, or was dropped"
        return
    if table.partition_strategy:
        yield "it is partitioned itself"
    yield from seen.missing
    yield from replacements.obstacles(parent, table)
    if parent.branch is not None:
        yield f"the partitions of {parent.name} are partitioned themselves"
    if not parent.primary_key:
        yield f"{parent.name} has no primary key, by which changed rows are found again"
    yield from table.obstacles
    yield from publications.listed(parent, [(one.name, source, True) for one in table.publications if one.named])
    yield from (f"view {view.name} depends on it" for view in table.views)
    yield from (f"foreign key {key.name} of {key.table} refers to it" for key in table.incoming)
    yield from (f"trigger {trigger.name} is its own" for trigger in table.triggers if trigger.name != LOG_TRIGGER)

    # What was converted by attaching it has the parent's, too. Only its owner reaches it past the parent.
    def security(of: Table) -> tuple[object, ...]:
        return of.policies, of.row_security, of.force_row_security

    if (table.policies or table.row_security) and security(table) != security(parent):
        yield f"it has row security of its own, other than {parent.name}"
    if not seen.server.not_valid_on_partitioned:
        yield from (
            f"foreign key {key.name} of {key.table}, which is partitioned, refers to {parent.name}: it can be taken "
            "off for the swap, but PostgreSQL before 18 cannot put it on again without a scan under lock"
            for key in parent.incoming
            if len(parent.with_partitions((key.table,))) > 1
        )
    for key in parent.foreign_keys:
        if not key.validated:
            yield f"foreign key {key.name} is not validated"
        if key.referenced == parent.name:
            yield f"foreign key {key.name} refers to the table itself"
        if re.search(r" ON DELETE SET (NULL|DEFAULT) \(", key.definition):
            yield f"foreign key {key.name} sets some of its columns ON DELETE"


def _begin(
    lines: Grid,
    parent: Table,
    copy: Copy,
    seen: Copying,
    purpose: str,
) -> Iterator[Step]:
    assert seen.source is not None  # it was looked at
    own = {copy.staging, copy.log, copy.old, *(target.built for target in copy.targets)}
    names = own | {target.name for target in copy.targets if target.name != copy.source}
    mine = {target.built for target in seen.begun.targets} if seen.begun else set()
    if taken := sorted(str(name) for name in names - mine - {copy.staging, copy.log} if name.name in seen.taken):
        raise PlanError(f"there is something named {', '.join(taken)} already, and those names are needed. Rename it.")
    bound = next(end for target in copy.targets for end in (target.lower, target.upper) if end is not None)
    window = lines.window(lines.key.decode(bound))
    like = partitions.create_partition(lines, parent, parent.name, window)
    of_source = tuple(replacements.own_sql(parent, seen.source, copy, purpose)) if purpose != "convert" else ()
    there = seen.source
    yield BeginCopy(copy, purpose, seen.identity, like, there.options, of_source, there.tablespace)


def _copied(copy: Copy, seen: Copying, run: CopyRun | None, limits: CopyLimits) -> Iterator[Step]:
    by = (copy.control,) if seen.by_control else copy.key
    if run and run.cut_by:  # statistics may say otherwise by now, and the bounds stay what they are
        columns = {column.name: column for column in (copy.control, *copy.key)}
        by = tuple(columns[name] for name in run.cut_by)
    if len({(column.operators, column.comparisons) for column in by}) > 1:
        by = by[:1]  # a comparison of rows has one operator for all of its columns
    if run is None or not run.cut:
        yield CutChunks(copy, by)
    if run is None or not run.cut or run.chunks_left:
        yield CopyChunk(copy, by, limits)


def _builds(
    parent: Table, copy: Copy, seen: Copying, of_own: dict[CopyTarget, tuple[Index, ...]], *, fresh: bool
) -> Iterator[BuildIndexes]:
    """For each target what is missing of its primary key, and of its other indexes, its own included.

    An index that was built for one of the parent's that others have dropped since would stay for good: it is dropped.
    """
    leaves = {leaf.name: leaf for leaf in seen.leaves}
    for target in copy.targets:
        places: dict[str, str | None] = dict(parent.places)
        if target in of_own and seen.source:  # it takes the place of the source, and lies where that does
            places = {index.parent.name: index.tablespace for index in seen.source.indexes if index.parent}
        have = leaves[target.built].indexes if target.built in leaves and not fresh else ()
        like = (replace(index, tablespace=places.get(index.name, index.tablespace)) for index in parent.indexes)
        wanted = (*like, *of_own.get(target, ()))
        missing, gone, there = _beyond(wanted, have), _beyond(have, wanted), len(have)
        for primary in (True, False):
            indexes = tuple(index for index in missing if index.primary is primary)
            if indexes or gone:
                yield BuildIndexes(target.built, indexes, there, gone)
            there, gone = there + len(indexes) - len(gone), ()


def _beyond(indexes: tuple[Index, ...], others: tuple[Index, ...]) -> tuple[Index, ...]:
    """Return those that *others* has not, or not as often."""
    left = Counter(map(_identity, others))
    left.subtract(map(_identity, indexes))
    found = []
    for index in reversed(indexes):
        if left[_identity(index)] < 0:
            left[_identity(index)] += 1
            found.append(index)
    return tuple(reversed(found))


def _identity(index: Index) -> tuple[object, ...]:
    """Return what makes two indexes the same, whatever they are called."""
    return ("primary key", index.columns) if index.primary else (index.constraint or index.tail, index.unique)


def _verified(copy: Copy, seen: Copying, run: CopyRun | None) -> Iterator[Step]:
    counts = dict(run.counts) if run else {}
    if wrong := [(name, count) for name, count in counts.items() if not count.equal]:
        raise PlanError(
            f"the copy of {copy.source} is not what it holds:\n"
            + "\n".join(
                f"  - {name}: {count.source_rows:,} rows in {copy.source}, {count.rows:,} copied"
                + ("" if count.source_rows != count.rows else ", with other values")
                for name, count in wrong
            )
            + "\nNothing was swapped, and readers see the source. Abort the copy and start again; this is a defect, "
            "and the tables are left as they are for a look."
        )
    left = tuple(target for target in copy.targets if target.name not in counts)
    if seen.by_control:
        yield from (VerifyCopy(copy, (target,)) for target in left)
    elif left:
        yield VerifyCopy(copy, copy.targets)


def _swap(parent: Table, copy: Copy, seen: Copying, purpose: str) -> Iterator[Step]:
    others = tuple(p.name for p in parent.partitions if p.name != copy.source)
    default = next((p.name for p in parent.partitions if p.default and p.name != copy.source), None)
    check = None
    if default:
        # The ranges are attached while nothing but a CHECK says that none of their rows lies in the default one.
        check = fit(copy.source.name, "_not_here")
        found = next((p for p in parent.partitions if p.name == copy.source), None)
        assert found is not None  # it is a partition until the swap
        rows = f"NOT ({within(ident(copy.control.name), found.lower, found.upper)})"
        yield from partitions.not_here(default, seen.default_checks, check, rows)
    taking = tuple(target.name for target in replacements.heirs(copy, purpose))
    yield SwapCopy(copy, seen.identity, parent, seen.source, default, check, others, seen.server, taking)


def _after_swap(copy: Copy, parent: Table, seen: Copying) -> Iterator[Step]:
    """Yield what is left to do once the copy is swapped, or will be."""
    swapped = seen.begun is not None and seen.begun.swapped
    for key in parent.incoming:
        if not (swapped and key.validated):
            yield ValidateConstraint(key.table, key.name)
    if not swapped:
        parts = [part.name for part in parent.partitions if part.name != copy.source]
        yield from keys_to_prove(parent, (*parts, *(target.name for target in copy.targets)), seen.server)
    else:
        yield from proved_keys(seen)
    yield DropCopied(copy)


def keys_to_prove(table: Table, leaves: tuple[QualifiedName, ...], server: Server) -> Iterator[Step]:
    """Validate the foreign keys that the swap puts back: the table's, or before 18 its leaves', which it takes over."""
    for key in table.foreign_keys:
        if server.not_valid_on_partitioned:
            yield ValidateConstraint(table.name, key.name)
            continue
        yield from (ValidateConstraint(leaf, key.name) for leaf in leaves)
        referenced = table.with_partitions((key.referenced,))[1:]
        yield AddForeignKey(constraints.declaration_of(key), table.name, leaves, True, referenced)


def proved_keys(seen: Copying) -> Iterator[Step]:
    """Validate the foreign keys that came back not validated, leaf by leaf."""
    for declared in _unproved(seen.tree):
        yield from constraints.create_foreign_key(declared, seen.tree, seen.server).steps


def _unproved(tree: Sequence[Relation]) -> tuple[ForeignKeyDeclaration, ...]:
    """Yield the parent's foreign keys that are not validated, and those that its leaves have on their own meanwhile."""
    root = tree[0]
    there = {key.name for key in root.foreign_keys}
    found = [key for key in root.foreign_keys if not key.validated]
    found += [key for leaf in tree[1:] for key in leaf.foreign_keys if not key.attached and key.name not in there]
    declared = (replace(constraints.declaration_of(key), table=root.name) for key in found)
    return tuple(dict.fromkeys(declared))
