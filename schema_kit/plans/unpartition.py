"""A partitioned table becomes plain again, and what a conversion has left of a plain one goes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from schema_kit.errors import PlanError, refuse_for
from schema_kit.marks import BOUND_CHECK, being_built
from schema_kit.model import (
    Conversion,
    Emptied,
    Table,
)
from schema_kit.names import QualifiedName, ident
from schema_kit.plans import publications
from schema_kit.plans.conversion import bound_of, drop_built, immovable, is_built, is_key_index, key_index
from schema_kit.steps import Plan, Step
from schema_kit.steps.constraints import ValidateConstraint
from schema_kit.steps.conversion import (
    DropBound,
    key_index_name,
)
from schema_kit.steps.emptied import DropEmptied
from schema_kit.steps.indexes import DropIndexConcurrently
from schema_kit.steps.partitions import UnregisterPolicy
from schema_kit.steps.referring import DropFilledKeyColumn
from schema_kit.steps.unpartition import Unswap


def unpartition(
    parent: QualifiedName,
    seen: Conversion | None,
    heir: Table | None,
    has_policy: bool,
    keep_primary_key: bool = False,
) -> Plan:
    """Make a partitioned table plain again: its first partition takes in the rows of the others. Blocks while it does.

    Of a table that is plain still, what a conversion has left that never came to its swap is dropped.

    Args:
        parent: the table.
        seen: it, as observed; None where there is none.
        heir: its first partition, as observed.
        has_policy: whether part_config knows the partitioned table.
        keep_primary_key: whether the primary key keeps the control column; it does anyway where it has no other.

    Raises:
        PlanError: something depends on it that cannot move with it; it is named.
    """
    title = f"make {parent} a plain table again"
    if seen is None:
        raise PlanError(f"cannot {title}: there is no such table.")
    table = seen.table
    if not table.partition_strategy:
        forget = (UnregisterPolicy(parent),) if has_policy else ()
        unproved = (ValidateConstraint(key.table, key.name) for key in table.incoming if not key.validated)
        return Plan(title, (*forget, *give_up(seen), *unproved)) + dropped(parent, seen.emptied)
    short = tuple(column for column in table.primary_key if column not in table.partitioned_by)
    obstacles = [*table.obstacles]
    if not table.primary_key:
        obstacles.append("it has no primary key, by which changed rows are found again")
    if heir is None or heir.partition_strategy:
        obstacles.append("its first partition is missing or partitioned itself")
    keep = keep_primary_key or not short
    own = {referring.key.name for referring in seen.referring if referring.has_column}
    others = tuple(key for key in table.incoming if key.name not in own)
    if keep and own:
        obstacles.append(
            f"foreign keys were lengthened with its primary key, which so cannot stay: {', '.join(sorted(own))}"
        )
    obstacles += [
        reason
        for key in others
        for reason in (immovable(table, key) if keep else [f"foreign key {key.name} of {key.table} refers to it"])
    ]
    bounds, strange = own_checks(table, heir) if heir else ((), ())
    leaves = tuple(pair for pair in seen.leaves if heir and pair[0] != heir.name)
    obstacles += [f"check {name} is of {heir.name} alone" for name in strange if heir]
    obstacles += [f"partition {name} is a foreign table: detach it first" for name in seen.foreign]
    obstacles += publications.obstacles(table, table.primary_key if keep else short)
    obstacles += publications.listed(table, seen.listed)
    obstacles += publications.moving(table, leaves)
    refuse_for(f"cannot {title}", obstacles, lines=True)
    assert heir is not None  # or it was refused
    back = Unswap(table, heir, None, bounds, leaves, has_policy)
    held = tuple(sorted((leaf for leaf, _ in leaves), key=str))
    drop = (DropEmptied(parent, held),) if held else ()
    if keep:
        validated = (ValidateConstraint(key.table, key.name) for key in others)
        return Plan(title, (replace(back, moved=others), *validated, *drop))
    composite = tuple((referring.key, referring.column) for referring in seen.referring)
    back = replace(back, key_index=key_index_name(parent), composite=composite)
    steps: list[Step] = [*key_index(heir, parent, short), back]
    steps += [ValidateConstraint(key.table, key.name) for key, _ in composite]
    return Plan(title, (*steps, *drop))


def dropped(table: QualifiedName, emptied: Emptied | None) -> Plan:
    """Drop what held the rows of a table before it was plain again, or leave it while a session sees rows in it."""
    title = f"drop what held rows of {table}"
    if emptied is None:
        return Plan(title)
    if not emptied.waiting or emptied.patience:
        return Plan(title, (DropEmptied(table, emptied.names),))
    names = ", ".join(map(str, emptied.names))
    note = f"{names} are empty and stay for now, as children of {table}: {'; '.join(emptied.waiting)}. "
    return Plan(title, notes=(f"{note}Once that is over, schema_kit partitions undo {table} drops them",))


def own_checks(table: Table, heir: Table) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the checks that only the first partition has: those that say no more than where it lies, and all others.

    A detach leaves one, and so does ATTACH without a scan; rows of the others would fail it.
    """
    control = f"(?:{'|'.join(re.escape(text) for by in table.partitioned_by for text in (by, ident(by)))})"
    end = rf"\(+{control} (?:IS NOT NULL|(?:>=|<) .+?)\)+"
    shared = {check[0] for check in table.checks}
    own = {check[0]: check[1] for check in heir.checks if check[0] not in shared}
    pattern = re.compile(rf"CHECK {end}(?: AND {end})*(?: NOT VALID)?")
    bounds = tuple(name for name, text in own.items() if pattern.fullmatch(text))
    return bounds, tuple(name for name in own if name not in bounds)


def given_up_key(table: Table) -> str:
    """The column by which a conversion began to lengthen the foreign keys to a plain table; empty where none did."""
    provisional = {(key.table, being_built(key.name)) for key in table.incoming}
    return next((key.referenced_columns[-1] for key in table.incoming if (key.table, key.name) in provisional), "")


def give_up(seen: Conversion) -> Iterator[Step]:
    """Drop what a conversion of a plain table has left."""
    # The bound goes last: it marks the index as a conversion's.
    table = seen.table
    for referring in seen.referring:
        if referring.provisional and referring.has_column:
            yield DropFilledKeyColumn(referring.key, referring.column, referring.provisional)
    if seen.built and is_built(seen.built):
        yield drop_built(seen.built)
    if any(check[0] == BOUND_CHECK and bound_of(check) for check in table.checks):
        index = table.index(key_index_name(table.name))
        longer = index and index.columns[:-1] == table.primary_key and not index.constraint
        if index and longer and is_key_index(index, index.columns):
            yield DropIndexConcurrently(table.name.sibling(index.name), table.name)
        yield DropBound(table.name)
