"""A partitioned set from nothing: the table, its partitions up to premake, its policy."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from schema_kit.errors import DeclarationError, PlanError, refuse_for
from schema_kit.model import Branch, Cut, Index, Partitioning, Stored, Strategy, Table
from schema_kit.model.grid import MOST_AHEAD, Grid, grid
from schema_kit.names import QualifiedName, fit, ident
from schema_kit.plans import retention
from schema_kit.plans.partitions import create_partition, like_siblings
from schema_kit.steps import Plan, Step
from schema_kit.steps.partitions import CreatePartitionedTable, RegisterPolicy, UnregisterPolicy
from schema_kit.steps.storage import ensure
from schema_kit.storage import PART_CONFIG


@dataclass(frozen=True, slots=True)
class DeclaredSet:
    """A partitioned table as an op declares it.

    Args:
        table: the table, with the strategy and the key of its own partitioning.
        create: the statements that make it.
        policy: how the table is partitioned and kept.
        above: how the table is partitioned by values into tables by range, where it is not one itself.
        below: how each range partition is partitioned itself.
        default: whether each partitioned table has a default partition.
        options: storage parameters of leaves.
        tablespace: where partitions lie, if not in the database's own.
    """

    table: Table
    create: tuple[str, ...]
    policy: Partitioning
    above: Cut | None = None
    below: Cut | None = None
    default: bool = False
    options: tuple[str, ...] = ()
    tablespace: str | None = None

    @property
    def branch(self) -> Branch | None:
        """How each range partition is partitioned itself, and into what."""
        return branch_of(self.below, self.options, self.tablespace) if self.below else None


def branch_of(cut: Cut, options: tuple[str, ...], tablespace: str | None) -> Branch:
    """Return a partition that is partitioned so."""
    leaves = (Branch(suffix, values, options=options, tablespace=tablespace) for suffix, values in cut.parts)
    return Branch(key=f"{cut.strategy} ({ident(cut.column)})", branches=tuple(leaves))


def check_declared(declared: DeclaredSet, unique: Sequence[Index]) -> None:
    """Check what can be said before the database is read.

    Args:
        declared: the partitioned table.
        unique: its keys and unique indexes; the primary key says so.

    Raises:
        DeclarationError: a key without a column that decides, a column that may be NULL, too little premake.
        PlanError: the column does not exist, or the interval cannot divide its type.
    """
    policy, table = declared.policy, declared.table
    grid(policy, table)
    cuts = [cut for cut in (declared.above, declared.below) if cut]
    for cut in cuts:
        if table.column(cut.column) is None:
            raise DeclarationError(f"{table.name} has no column {cut.column!r} to be partitioned by.")
    deciding = (*(cut.column for cut in cuts), policy.control)
    if len(set(deciding)) < len(deciding):
        raise DeclarationError(f"{table.name} would be partitioned by the same column twice.")
    for key in unique:
        if missing := [column for column in deciding if column not in key.columns]:
            what = "the primary key" if key.primary else "unique"
            raise DeclarationError(
                f"{key.name} of {table.name}, {what} ({', '.join(key.columns)}), does not contain "
                f"{' and '.join(map(repr, missing))}. PostgreSQL keeps a key unique partition by partition, so the "
                f"columns that decide about the partition belong to it: ({', '.join((*key.columns, *missing))})."
            )
    column = table.column(policy.control)
    if column and not column.not_null:
        raise DeclarationError(
            f"column {policy.control!r} of {table.name} may be NULL, and no range holds NULL. Write nullable=False."
        )
    if not 1 <= policy.premake <= MOST_AHEAD:
        raise DeclarationError(f"premake is 1 to {MOST_AHEAD}, not {policy.premake}.")


def create_set(
    declared: DeclaredSet,
    table: Table | None,
    sets: Mapping[QualifiedName, Table],
    now: datetime,
    registered: bool,
    has_config: Stored,
    missing_rights: Collection[str] = (),
) -> Plan:
    """Make the table; once it exists, the current partition and premake ones ahead, and register the policy.

    Args:
        declared: the partitioned table.
        table: the table, as observed.
        sets: its partitions by values that exist, as observed.
        now: the server's clock.
        registered: whether part_config knows it.
        has_config: whether part_config exists, as this version makes it.
        missing_rights: privileges that the current role lacks.

    Raises:
        PlanError: rights are missing, or a table exists in another shape.
    """
    policy = declared.policy
    plan = Plan(f"create partitioned table {policy.parent}")
    refuse_for(f"cannot {plan.title}", missing_rights, lines=True)
    steps: list[Step] = [*ensure(PART_CONFIG, has_config)]
    if table is None:
        lines = grid(policy, declared.table)
        list(lines.ahead(lines.here(now)))  # refused before anything is written
        imagined = replace(declared.table, partition_strategy=Strategy.RANGE, partitioned_by=(policy.control,))
        retention.due(policy, imagined, lines.here(now))
        if registered:
            steps.append(UnregisterPolicy(policy.parent))  # of a table that is gone
        return replace(plan, steps=(*steps, CreatePartitionedTable(declared.table, declared.create)))
    if differences := list(_differences(declared.table, table)):
        raise PlanError(
            f"{policy.parent} exists already and differs from what is declared:\n"
            + "".join(f"  - {line}\n" for line in differences)
            + "A table that is partitioned already gets its policy by op.set_partition_policy."
        )
    example = replace(table, options=declared.options, branch=declared.branch, tablespace=declared.tablespace)
    for suffix, values in declared.above.parts if declared.above else ():
        name = policy.parent.sibling(fit(policy.parent.name, suffix))
        if name not in sets:
            ranges = Branch(key=f"RANGE ({ident(policy.control)})")
            steps.append(like_siblings(policy, replace(example, branch=ranges), table.name, name, values))
        there = sets[name].partitions if name in sets else ()
        one = replace(example, name=name, partitions=there)
        steps += _partitions(declared, grid(replace(policy, parent=name), one), one, now)
    if declared.above is None:
        steps += _partitions(declared, grid(policy, example), example, now)
    if not registered:
        steps.append(RegisterPolicy(policy))
    return replace(plan, steps=tuple(steps))


def _differences(declared: Table, have: Table) -> Iterator[str]:
    # Types are left out: PostgreSQL has more than one word for many of them.
    if (have.partition_strategy, have.partitioned_by) != (declared.partition_strategy, declared.partitioned_by):
        how = Strategy(declared.partition_strategy).name
        yield f"it is not partitioned by {how} ({', '.join(declared.partitioned_by)})"
    yield from (f"it has no column {c.name}" for c in declared.columns if have.column(c.name) is None)
    if have.primary_key != declared.primary_key:
        keys = ", ".join(have.primary_key), ", ".join(declared.primary_key)
        yield f"its primary key is ({keys[0]}), not ({keys[1]})"


def _partitions(declared: DeclaredSet, lines: Grid, table: Table, now: datetime) -> Iterator[Step]:
    for window in lines.missing(lines.ahead(lines.here(now)), table):
        yield create_partition(lines, table, table.name, window)
    if declared.default and not any(partition.default for partition in table.partitions):
        yield like_siblings(lines.policy, table, table.name, default_name(table.name), "DEFAULT")


def default_name(table: QualifiedName) -> QualifiedName:
    """pg_partman's name for a default partition."""
    return table.sibling(fit(table.name, "_default"))
