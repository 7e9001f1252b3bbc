"""Plan how a plain table becomes partitioned, by attaching it as the first partition.

The order of the steps keeps every row and blocks no session: see docs/partitioning.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Literal

from schema_kit.errors import DeclarationError, PlanError, refuse_for
from schema_kit.intervals import Point
from schema_kit.marks import BOUND_CHECK, BUILT_MARK, being_built, built_name, fill_index_name
from schema_kit.model import (
    Action,
    Conversion,
    ForeignKey,
    Index,
    IndexDeclaration,
    IndexElement,
    Partitioning,
    Range,
    Referring,
    Strategy,
    Table,
)
from schema_kit.model.grid import Grid, grid, partitioned_table
from schema_kit.names import QualifiedName, fit, ident, literal
from schema_kit.plans import indexes, partitions, publications, retention, statistics
from schema_kit.steps import Plan, Step
from schema_kit.steps.constraints import ValidateConstraint
from schema_kit.steps.conversion import (
    AddBound,
    BuildParent,
    DropBuiltParent,
    Swap,
    fingerprint,
    key_index_name,
    longer_key,
)
from schema_kit.steps.indexes import DropIndexConcurrently
from schema_kit.steps.partitions import CreatePartition, RegisterPolicy
from schema_kit.steps.referring import AddFilledKeyColumn, FillKeyColumn
from schema_kit.steps.storage import ensure
from schema_kit.storage import PART_CONFIG

IncomingForeignKeys = Literal["refuse", "drop", "composite"]

TIME_TO_SWAP = timedelta(days=14)
"""How far the bound lies ahead, at least: past it the table takes no row until the swap, or until it is canceled."""


def convert(policy: Partitioning, seen: Conversion | None, incoming: IncomingForeignKeys) -> Plan:
    """Partition a table that is in use, without copying a row.

    Args:
        policy: how the table is partitioned and kept; registered in part_config in the commit of the swap.
        seen: the table, as observed; None where there is none.
        incoming: what becomes of foreign keys to the table: ``refuse`` (a PlanError names them), ``drop``, or
            ``composite`` (the referring table gets the key column too, filled by a trigger).

    Raises:
        DeclarationError: an unknown way for incoming foreign keys, or a premake below 1.
        PlanError: something belongs to the table or depends on it that cannot move with it; it is named.
    """
    title = titled(policy)
    there = checked(policy, seen, incoming)
    if there.table.partition_strategy:
        return Plan(title, tuple(after_swap(policy, there)))
    refuse(policy, there, incoming)
    steps = tuple(_prepare(policy, there, incoming))
    steps = (*steps, *_after_swap_of_fresh(there, incoming, steps[-1]))
    return Plan(title, steps, notes(policy, there), partitions.abort_command("convert", policy.parent))


def notes(policy: Partitioning, seen: Conversion) -> tuple[str, ...]:
    """Return what will fail after the swap, for the primary key is longer then: nothing can be done about it here."""
    longer = ", ".join(longer_key(seen.table, policy.control))
    unseen = (
        f"{seen.unseen}. The clock alone says where the first partition ends, and VALIDATE, which sees every row, "
        "checks that none lies beyond; where one does, op.unpartition takes the check away"
    )
    return (
        *((unseen,) if seen.unseen and not seen.table.partition_strategy else ()),
        *publications.notes(seen.table),
        *(
            f"{statement} rests on the primary key of {seen.table.name}, which is ({longer}) from the swap on: "
            "PostgreSQL will refuse it then"
            for statement in seen.statements
        ),
    )


def titled(policy: Partitioning) -> str:
    """Return what a conversion is, in a few words."""
    return f"partition {policy.parent} by {policy.control}, {policy.interval}"


def checked(policy: Partitioning, seen: Conversion | None, incoming: IncomingForeignKeys) -> Conversion:
    """Return what was observed, if there is a table and what is wanted can be.

    Raises:
        DeclarationError: an unknown way for incoming foreign keys, or a premake below 1.
        PlanError: there is no such table.
    """
    if incoming not in ("refuse", "drop", "composite"):
        raise DeclarationError(f"incoming_foreign_keys is 'refuse', 'drop' or 'composite', not {incoming!r}")
    if policy.premake < 1:
        raise DeclarationError(f"premake is at least 1, not {policy.premake}: else tomorrow's rows have no partition")
    if seen is None:
        raise PlanError(f"cannot {titled(policy)}: there is no such table.")
    return seen


def _prepare(policy: Partitioning, seen: Conversion, incoming: IncomingForeignKeys) -> Iterator[Step]:
    table, lines = seen.table, grid(policy, seen.table)
    yield from ensure(PART_CONFIG, seen.has_config)
    upper, steps = _bound(policy, seen)
    yield from steps
    if policy.control not in table.primary_key:
        yield from key_index(table, table.name, longer_key(table, policy.control))
    if incoming == "composite":
        for referring in seen.referring:
            yield from composite_steps(policy, seen, referring)
    parent = list(_parent(policy, seen, upper))
    yield from parent
    kept = () if any(isinstance(step, BuildParent) for step in parent) or not seen.built else seen.built.partitions
    suffix = "_before_" + lines.interval.suffix(upper)[1:]
    dropped, moved, composite = incoming_keys(policy, seen, incoming)
    yield Swap(
        table,
        policy,
        table.name.sibling(fit(table.name.name, suffix)),
        suffix,
        lines.key.encode(upper),
        partitions=(*(p.name for p in kept), *(step.name for step in parent if isinstance(step, CreatePartition))),
        dropped=dropped,
        moved=moved,
        composite=composite,
    )


Keys = tuple[ForeignKey, ...]


def incoming_keys(
    policy: Partitioning, seen: Conversion, incoming: IncomingForeignKeys
) -> tuple[Keys, Keys, tuple[tuple[ForeignKey, str, str], ...]]:
    """Return the foreign keys to it that go with the swap, that come back as they are, and that come back longer."""
    if incoming == "drop":
        return seen.table.incoming, (), ()
    longer = seen.referring if incoming == "composite" else ()
    composite = ((other.key, other.column, other.provisional or being_built(other.key.name)) for other in longer)
    return (), tuple(moved_keys(policy.control, seen.table)), tuple(composite)


def moved_keys(control: str, table: Table) -> Iterator[ForeignKey]:
    """Return the foreign keys to it that hold the control column, as a partitioned table can promise."""
    return (key for key in table.incoming if control in key.referenced_columns)


def _bound(policy: Partitioning, seen: Conversion) -> tuple[Point, list[Step]]:
    """Return where the first partition ends, and the steps that prove it.

    At least one interval and TIME_TO_SWAP after now and after the greatest key, since the check refuses rows past it
    from now on; a swap that is not done a day before the bound starts again with a later one.
    """
    table, lines = seen.table, grid(policy, seen.table)
    key, cut, here = lines.key, lines.interval, lines.here(seen.now, seen.latest)
    latest = here if seen.latest is None else max(here, seen.latest)
    existing = next((check for check in table.checks if check[0] == BOUND_CHECK), None)
    if existing:
        text = bound_of(existing)
        upper = key.decode(text) if text else None
        if upper is None:
            raise PlanError(
                f"the check {BOUND_CHECK} on {table.name} is not one that a conversion made: {existing[1]}. Drop it "
                "and run again."
            )
        in_time = latest < (cut.shift(upper, -1) if lines.of_ids else upper - timedelta(days=1))
        if in_time and lines.begins_at(upper):
            validated = [] if existing[2] else [ValidateConstraint(table.name, BOUND_CHECK)]
            return upper, list[Step](validated)
    upper = lines.after(lines.window(latest).upper)
    while not (lines.of_ids or lines.ends(upper)) and upper - latest < TIME_TO_SWAP:
        upper = lines.after(upper)
    if lines.ends(upper):
        column = table.column(policy.control)
        raise PlanError(
            f"cannot {titled(policy)}: {policy.control} is {column.type if column else ''} and ends at "
            f"{lines.shown(key.greatest)}, so that no bound lies a partition after {lines.shown(latest)}. Give the "
            "column a wider type first, or a shorter interval, or copy the rows (strategy='copy'): the last partition "
            "has no end then."
        )
    control, text = ident(policy.control), key.encode(upper)
    check = AddBound(
        table.name,
        BOUND_CHECK,
        f"{control} IS NOT NULL AND {control} < {literal(text)}",
        replaces=BOUND_CHECK if existing else None,
        control=policy.control,
        upper=lines.shown(upper),
    )
    return upper, [check, ValidateConstraint(table.name, BOUND_CHECK)]


def bound_of(check: tuple[str, str, bool]) -> str | None:
    """Return the end that a conversion's check gives the table; None where it gives none."""
    found = re.search(r" < \(?(?:'([^']+)'::|(-?[0-9]+))", check[1])  # numbers are printed without quotes
    return found and (found[1] or found[2])


def is_key_index(index: Index, key: tuple[str, ...]) -> bool:
    """Return whether an index can become a primary key over these columns."""
    # Brackets and more are welcome in the columns' names; outside of them they would be an expression or INCLUDE.
    plain = re.fullmatch(r'btree \((?:[^()"]|"(?:[^"]|"")*")*\)(?: WITH \([^()]*\))?', index.tail)
    return bool(plain) and index.unique and index.columns == key


def key_index(table: Table, named_after: QualifiedName, key: tuple[str, ...]) -> Iterator[Step]:
    """Yield the unique index over the longer key, while writers continue."""
    name = key_index_name(named_after)
    parameters = (option.partition("=") for option in (table.primary.options if table.primary else ()))
    options = tuple((name_, value) for name_, _, value in parameters)
    place = table.primary.tablespace if table.primary else None
    columns = tuple(IndexElement(ident(column)) for column in key)
    declared = IndexDeclaration(name, table.name, columns, unique=True, with_=options, tablespace=place)
    found = table.index(name)
    if found and not is_key_index(found, key):
        raise PlanError(
            f"{table.name} has an index {name} of its own ({found.tail}), and that name is needed for the longer key. "
            "Rename it."
        )
    yield from indexes.build(declared, name, table.name, table.index(name))


def _fill_index(referring: Referring) -> IndexDeclaration:
    table, own = referring.key.table, referring.key.columns[0]
    return IndexDeclaration(
        fill_index_name(table, referring.column),
        table,
        (IndexElement(ident(own)),),
        where=f"{ident(own)} IS NOT NULL AND {ident(referring.column)} IS NULL",
    )


def composite_steps(policy: Partitioning, seen: Conversion, referring: Referring) -> Iterator[Step]:
    """Give a table that refers to it the key column next to the id, filled for all of its rows."""
    if not referring.has_column:
        column = seen.table.column(policy.control)
        assert column is not None  # the codec has seen to it
        yield AddFilledKeyColumn(referring.key, referring.column, column.type, policy.control)
    if referring.unfilled or not referring.has_column:
        index = _fill_index(referring)
        yield from indexes.build(index, index.name, index.table, referring.fill_index)
        yield FillKeyColumn(referring.key, referring.column)


def _parent(policy: Partitioning, seen: Conversion, upper: Point) -> Iterator[Step]:
    table, built = seen.table, seen.built
    lines = grid(policy, table)
    parent = built_name(table.name)
    have: list[Range] = []
    if (built and not is_built(built)) or (not built and parent.name in table.taken):
        raise PlanError(
            f"there is something named {parent}, and that name is needed for the parent of {table.name} while it is "
            "being built. Rename it."
        )
    if built:
        have = [lines.range_of(partition) for partition in built.partitions]
        reaches_back = any(taken.overlaps(Range(None, upper)) for taken in have)
        if built.comment != fingerprint(table) or built.partitioned_by != (policy.control,) or reaches_back:
            yield drop_built(built)
            built, have = None, []
    if not built:
        yield BuildParent(table, policy)
    for window in _windows_after(lines, lines.here(seen.now, seen.latest), upper):
        if not any(taken.covers(window) for taken in have):
            step = partitions.create_partition(lines, table, parent, window, within=False)
            if step.replica_identity not in ("", "FULL", "NOTHING"):  # the parent's index has its name with the swap
                step = replace(step, replica_identity=being_built(step.replica_identity))
            yield step


def is_built(table: Table) -> bool:
    """Return whether it is a parent that a conversion has built."""
    return bool(table.partition_strategy) and (table.comment or "").startswith(BUILT_MARK)


def drop_built(built: Table) -> Step:
    """A parent that was built for nothing goes."""
    referenced = tuple(sorted({key.referenced for key in built.foreign_keys}))
    return DropBuiltParent(built.name, tuple(partition.name for partition in built.partitions), referenced)


def _windows_after(lines: Grid, here: Point, upper: Point) -> Iterator[Range]:
    """Yield the ranges that premake asks for and the first partition does not hold; at least one."""
    ahead = [w for w in lines.ahead(here) if w.lower is not None and w.lower >= upper]
    yield from ahead or [lines.window(upper)]


def _after_swap_of_fresh(seen: Conversion, incoming: IncomingForeignKeys, swap: Step) -> Iterator[Step]:
    assert isinstance(swap, Swap)  # what a preparation ends with
    referring = seen.referring if incoming == "composite" else ()
    for key in (*(other.key for other in referring), *swap.moved):
        yield ValidateConstraint(key.table, key.name)
    yield from drop_fill_indexes(referring)
    yield statistics.analyzed(seen.table.name, (swap.leaf, *swap.partitions), seen.server)


def drop_fill_indexes(all_referring: Iterable[Referring]) -> Iterator[Step]:
    """Yield the steps that drop what `composite_steps` has built, or will have by then, to find unfilled rows."""
    for one in all_referring:
        if one.unfilled or not one.has_column or one.fill_index:
            name = one.fill_index.name if one.fill_index else _fill_index(one).name
            yield DropIndexConcurrently(one.key.table.sibling(name), one.key.table)


def after_swap(policy: Partitioning, seen: Conversion) -> Iterator[Step]:
    """Yield what is left to do of a table that is partitioned.

    Raises:
        PlanError: it is partitioned in another way.
    """
    partitioned_table(policy, seen.table)
    # A premake that was changed since stays.
    wanted = policy
    if seen.registered:  # what was changed since stays
        kept = {"premake", *Partitioning.kept()} - {"inherit_privileges"}
        wanted = replace(policy, **{name: getattr(seen.registered, name) for name in kept})
    yield from ensure(PART_CONFIG, seen.has_config)
    if seen.registered != wanted:
        yield RegisterPolicy(wanted)
    for key in seen.table.incoming:
        if not key.validated:
            yield ValidateConstraint(key.table, key.name)
    yield from drop_fill_indexes(one for one in seen.referring if one.fill_index)
    if not seen.table.analyzed:
        partitions_ = tuple(partition.name for partition in seen.table.partitions)
        yield statistics.analyzed(seen.table.name, partitions_, seen.server)


def refuse(policy: Partitioning, seen: Conversion, incoming: IncomingForeignKeys) -> None:
    """Refuse by name what cannot move with the table.

    Raises:
        PlanError: something cannot.
    """
    table, lines = seen.table, grid(policy, seen.table)
    partitioned = replace(table, partition_strategy=Strategy.RANGE, partitioned_by=(policy.control,), partitions=())
    retention.due(policy, partitioned, lines.here(seen.now))
    obstacles = list(_obstacles(policy, seen))
    if table.incoming and incoming == "refuse":
        obstacles += [
            f"foreign key {key.name} of {key.table} refers to it by ({', '.join(key.referenced_columns)}), which a "
            "partitioned table cannot be unique in; choose incoming_foreign_keys='composite' (it gets the key column "
            "too) or 'drop'"
            for key in table.incoming
            if policy.control not in key.referenced_columns
        ]
    if incoming != "drop":
        obstacles += [one for key in moved_keys(policy.control, table) for one in immovable(table, key)]
    if incoming == "composite":
        obstacles += [one for referring in seen.referring for one in _no_composite(seen, referring)]
    refuse_for(f"{table.name} cannot be partitioned by {policy.control} as it is", obstacles, lines=True)


def _obstacles(policy: Partitioning, seen: Conversion) -> Iterator[str]:
    table = seen.table
    yield from table.obstacles
    yield from seen.obstacles
    yield from publications.obstacles(table, longer_key(table, policy.control))
    if table.is_partition:
        yield "it is a partition itself"
    if not table.primary_key:
        yield "it has no primary key; a partition's rows are distinguished by it"
    for index in table.indexes:
        if index.exclusion:
            yield f"exclusion constraint {index.name}"
        elif (
            index.unique
            and not index.primary
            and index.name != key_index_name(table.name)
            and policy.control not in index.columns
        ):
            yield f"{index.name} is unique without {policy.control}, which no partitioned table can promise"
        if not index.valid and index.name != key_index_name(table.name):
            yield f"index {index.name} is INVALID; drop or rebuild it first"
    yield from (
        f"check {check[0]} is not validated" for check in table.checks if not check[2] and check[0] != BOUND_CHECK
    )
    yield from (f"foreign key {key.name} is not validated" for key in table.foreign_keys if not key.validated)
    yield from (
        f"trigger {trigger.name} is BEFORE ROW and speaks of {policy.control}; a row must not change partitions there"
        for trigger in table.triggers
        if trigger.before_row and re.search(rf"\b{re.escape(policy.control)}\b", trigger.source)
    )
    if seen.keyless:
        yield f"{seen.keyless} rows have no {policy.control}, and no partition would take them; fill it first"
    if seen.beyond:
        greatest = seen.greatest if seen.latest is None else seen.latest
        yield (
            f"{seen.beyond} rows lie farther in the future than premake={policy.premake} reaches "
            f"(greatest {policy.control}: {greatest}); correct them or raise premake"
        )


def immovable(table: Table, key: ForeignKey) -> Iterator[str]:
    """Name what keeps an incoming foreign key from moving along with its table."""
    what = f"foreign key {key.name} of {key.table}"
    if key.table == table.name:
        yield f"{what} is the table's own; choose incoming_foreign_keys='drop'"
    if not key.validated:
        yield f"{what} is not validated"
    if len(table.with_partitions([key.table])) > 1:
        yield f"{what}: {key.table} is partitioned, and before 18 its keys cannot be added NOT VALID"


def _no_composite(seen: Conversion, referring: Referring) -> Iterator[str]:
    key, what = referring.key, f"foreign key {referring.key.name} of {referring.key.table}"
    if key.table == seen.table.name:
        yield f"{what} is the table's own; choose incoming_foreign_keys='drop'"
    if len(key.columns) != 1:
        yield f"{what} has several columns; the composite way knows keys of one"
    if key.on_update != Action.NO_ACTION or key.on_delete == Action.SET_DEFAULT:
        yield f"{what} is ON UPDATE other than NO ACTION, or ON DELETE SET DEFAULT"
    if key.deferred:
        yield f"{what} is {key.deferred}; its key column is filled at once"
    if not key.validated:
        yield f"{what} is not validated"
    if seen.table.force_row_security:
        yield f"{what}: {seen.table.name} has FORCE ROW LEVEL SECURITY, and the trigger has to see all of its rows"
    if referring.partitioned:
        yield f"{what}: {key.table} is partitioned, and the composite way knows plain tables"
    if not referring.has_column and not referring.may_create:
        yield f"{what}: its trigger's function needs CREATE on schema {key.table.schema}"
    if referring.unfilled or not referring.has_column:
        yield from (
            f"{what}: trigger {trigger} of {key.table} would fire for each row that gets its key; disable it meanwhile"
            for trigger in referring.update_triggers
        )
    if not seen.server.moves_referenced_rows and key.on_delete == Action.CASCADE:
        yield f"{what} is ON DELETE CASCADE; PostgreSQL 14 would fire that when a row moves between partitions"
