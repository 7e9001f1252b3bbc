"""Archives: made from their table, given a policy, compared with it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

from schema_kit.errors import DeclarationError, PlanError, refuse_for
from schema_kit.intervals import Ids, Point, parse
from schema_kit.model import (
    ArchivePolicy,
    ColdArchive,
    DeclaredArchive,
    Index,
    Moved,
    Partition,
    Partitioning,
    Relation,
    Stored,
    Strategy,
    Table,
    View,
)
from schema_kit.model.grid import Grid, grid
from schema_kit.model.ranges import horizon
from schema_kit.names import QualifiedName, fit
from schema_kit.plans import retention
from schema_kit.plans.archive_differences import differences
from schema_kit.steps import Plan, Step
from schema_kit.steps.access_method import ChangeAccessMethod
from schema_kit.steps.archives import (
    ARCHIVED_AT,
    LATER,
    CreateArchiveTable,
    CreateArchiveView,
    DropArchiveTable,
    RegisterArchivePolicy,
    UnregisterArchivePolicy,
)
from schema_kit.steps.storage import DropTables, ensure
from schema_kit.storage import ARCHIVE_POLICY, ARCHIVED_PARTITION, PART_CONFIG

_BOTH = f"drop {ARCHIVE_POLICY} and {ARCHIVED_PARTITION}, which are empty then"
_LAST = DropTables((ARCHIVE_POLICY, ARCHIVED_PARTITION), _BOTH)

COMPRESSIONS = ("pglz", "lz4")
OF_ACCESS = ("owner", "grant missing", "grant extra", "row security", "policy")


def create(
    declared: DeclaredArchive,
    table: Table | None,
    archive: Table | None,
    registered: Partitioning | None,
    has_config: Stored,
    missing_rights: Collection[str] = (),
    *,
    invoker: bool = True,
) -> Plan:
    """Make an archive, and the view over both; what exists in the same shape stays as it is.

    Args:
        declared: the archive.
        table: the table, as observed.
        archive: the archive, as observed.
        registered: the table's policy in part_config, where it has one.
        has_config: whether part_config exists, as this version makes it.
        missing_rights: privileges that the current role lacks.
        invoker: whether a view can have the rights of the role that reads it.

    Raises:
        DeclarationError: an unknown compression, interval or index.
        PlanError: no such table, an archive of another shape, or rights are missing.
    """
    title = f"create archive {declared.archive}"
    if table is None:
        raise PlanError(f"cannot {title}: there is no table {declared.table}.")
    policy = _partitioned(declared, table, registered)
    obstacles = [*missing_rights, *_obstacles(declared, table, policy)]
    steps: list[Step] = []
    if archive is None:
        steps += ensure(PART_CONFIG, has_config) if policy else ()
        steps.append(_made(declared, table, policy))
    else:
        own = ARCHIVED_AT if declared.archived_at else None
        obstacles += [one.sentence for one in differences(table, archive) if one.blocks and one.object != own]
        by = (policy.control,) if policy else ()
        if archive.partitioned_by != by:
            obstacles.append(f"{declared.archive} exists, partitioned by ({', '.join(archive.partitioned_by)})")
    refuse_for(f"cannot {title}", obstacles, lines=True)
    if declared.view and not any(view.name == declared.view for view in spanning(table, archive)):
        steps.append(CreateArchiveView(declared.view, table, declared.archive, invoker))
    return Plan(title, tuple(steps))


def _partitioned(declared: DeclaredArchive, table: Table, registered: Partitioning | None) -> Partitioning | None:
    """Return how the archive is partitioned; None where it is a plain table."""
    if table.partition_strategy == Strategy.RANGE:
        if len(table.partitioned_by) != 1 or registered is None:
            raise PlanError(
                f"cannot create archive {declared.archive}: {table.name} has no policy in schema_kit.part_config, "
                "which says how it is partitioned. op.set_partition_policy registers one."
            )
        base = registered
    elif declared.control and declared.interval:
        base = Partitioning(table.name, declared.control, declared.interval)
    elif declared.control or declared.interval:
        raise DeclarationError(
            f"{table.name} is not partitioned by RANGE: its archive is, where control and interval are given, and "
            "plain where neither is."
        )
    else:
        return None
    policy = replace(
        base,
        parent=declared.archive,
        interval=declared.interval or base.interval,
        retention=None,
        retention_schema=None,
        retention_keep_table=True,
    )
    grid(policy, replace(table, name=declared.archive))
    return policy


def _obstacles(declared: DeclaredArchive, table: Table, policy: Partitioning | None) -> Iterator[str]:
    if declared.compression not in (None, *COMPRESSIONS):
        raise DeclarationError(f"compression is pglz or lz4, not {declared.compression!r}.")
    if declared.table == declared.archive:
        raise DeclarationError(f"{declared.table} cannot be its own archive.")
    if declared.archived_at and table.column(ARCHIVED_AT):
        yield f"{table.name} has a column {ARCHIVED_AT} itself; leave archived_at out"
    for name in declared.indexes if isinstance(declared.indexes, tuple) else ():
        if table.index(name) is None:
            yield f"{table.name} has no index {name}"
    column = table.column(policy.control) if policy else None
    if column and not column.not_null:
        yield f"column {column.name!r} of {table.name} may be NULL, and no range holds NULL"
    for index in table.indexes if policy and table.partition_strategy != Strategy.RANGE else ():
        if policy and index.unique and policy.control not in index.columns and _wanted(declared, index):
            yield (
                f"{index.name} is unique over ({', '.join(index.columns)}), without {policy.control}: PostgreSQL keeps "
                "a key unique partition by partition. Leave control and interval out, for a plain archive"
            )


def _wanted(declared: DeclaredArchive, index: Index) -> bool:
    if isinstance(declared.indexes, bool):
        return declared.indexes or index.primary
    return index.primary or index.name in declared.indexes


def _made(declared: DeclaredArchive, table: Table, policy: Partitioning | None) -> CreateArchiveTable:
    chosen = None
    if declared.indexes is not True:
        others = (index for index in table.indexes if not index.primary and _wanted(declared, index))
        chosen = tuple((fit(declared.archive.name, f"_{i.name}"), i.tail, i.unique) for i in others)
    return CreateArchiveTable(
        table,
        declared.archive,
        policy,
        chosen,
        table.primary_key,
        declared.archived_at,
        declared.tablespace,
        tuple(column.name for column in table.columns if _compressible(column.type)) if declared.compression else (),
        declared.compression,
    )


def _compressible(type_: str) -> bool:
    base = type_.partition("(")[0]
    return type_.endswith("[]") or base in ("text", "character varying", "character", "json", "jsonb", "bytea", "xml")


def spanning(table: Table, archive: Table | None) -> tuple[View, ...]:
    """Return the views that show both."""
    others = {view.name for view in archive.views} if archive else set()
    return tuple(view for view in table.views if view.name in others)


def drop(
    archive: QualifiedName,
    found: Table | None,
    tree: Collection[Relation],
    referenced: Iterable[QualifiedName],
    filled: bool,
    policies: Collection[ArchivePolicy],
    view: View | None,
    obstacles: Collection[str] = (),
    *,
    registered: bool = True,
    remembered: bool = False,
    gone: tuple[QualifiedName, ...] = (),
    last: bool = False,
) -> Plan:
    """Drop an archive that holds no row; one that is gone stays gone.

    Args:
        archive: its name.
        found: the archive, as observed.
        tree: it and its partitions.
        referenced: the tables that its partitions refer to, with theirs.
        filled: whether it holds a row.
        policies: the policies that name it.
        view: the view that goes along, where it exists.
        obstacles: what else stands in the way: views, missing rights.
        registered: part_config has a row of it.
        remembered: archived_partition has rows of it.
        gone: what was in transit there, and is not a table any more.
        last: what is known of archives is known of this one alone, so that the tables which hold it can go.

    Raises:
        PlanError: it holds rows, a policy sends rows there, or something depends on it.
    """
    plan = Plan(f"drop archive {archive}")
    config = (_LAST,) if last else ()
    if found is None:
        return replace(plan, steps=config)
    own = (
        ["it holds rows: op.restore_archive_table takes them back, op.drop_table drops it with them"] if filled else []
    )
    own += [f"the policy of {one.table} sends rows there (op.drop_archive_policy comes first)" for one in policies]
    refuse_for(f"cannot {plan.title}", (*obstacles, *own))
    partitions = tuple(relation.name for relation in tree if relation.name != archive)
    others = tuple(dict.fromkeys(referenced))
    shown = view.name if view else None
    drops = DropArchiveTable(archive, partitions, others, shown, registered, remembered, gone)
    return replace(plan, steps=(drops, *config))


# Policies


def set_policy(
    policy: ArchivePolicy,
    registered: ArchivePolicy | None,
    table: Table | None,
    archive: Table | None,
    partitioning: Partitioning | None,
    here: Point | None,
    has_config: Stored,
    missing_rights: Collection[str] = (),
    methods: Collection[str] | None = None,
    cold: ColdArchive | None = None,
) -> Plan:
    """Register an archive's policy, once what exists agrees with it.

    Args:
        policy: the new policy.
        registered: as it is; None where it is not.
        table: the table, as observed.
        archive: the archive, as observed.
        partitioning: the table's policy in part_config.
        here: where the table's present lies, by partition.
        has_config: whether archive_policy exists, as this version makes it.
        missing_rights: privileges that the current role lacks.
        methods: the access methods that a table can be given here; None where it was not read.
        cold: the table's cold archive.

    Raises:
        DeclarationError: an unknown way, or one that does not fit the rest.
        PlanError: no such table or archive, another shape, or a policy that would archive the current position.
    """
    plan = Plan(f"set the archive policy of {policy.table}")
    if policy.way not in ("partition", "rows"):
        raise DeclarationError(f"way is partition or rows, not {policy.way!r}.")
    if policy.archive_after is None and policy.condition is None:
        raise DeclarationError(f"{plan.title}: archive_after or a condition says what goes.")
    if policy.max_rows is not None and (policy.max_rows < 1 or policy.way == "rows" or policy.archive_after is None):
        raise DeclarationError(
            f"{plan.title}: max_rows={policy.max_rows!r} is a number of rows above which partitions go before "
            "archive_after: write 1 or more, archive_after, and way='partition'."
        )
    if policy.access_method and policy.way == "rows":
        raise DeclarationError(f"{plan.title}: access_method is of partitions, and way='rows' moves rows.")
    if policy.cold_after is not None:
        _refuse_sooner(policy, plan.title)
    obstacles = list(missing_rights)
    if policy.access_method and methods is not None:
        obstacles += _not_stored(policy.access_method, table, methods)
    obstacles += [
        f"there is no table {name}" for name, t in ((policy.table, table), (policy.archive, archive)) if not t
    ]
    if policy.cold_after is not None and (cold is None or cold.archive != policy.archive):
        obstacles.append(f"{policy.table} has no cold archive for cold_after (op.create_cold_archive comes first)")
    if table and archive:
        obstacles += _policy_obstacles(policy, table, archive, partitioning, here)
    refuse_for(f"cannot {plan.title}", obstacles, lines=True)
    if registered == policy and has_config:
        return plan
    resets = tuple(one for one in LATER if registered and getattr(registered, one) is not None)
    return replace(plan, steps=(*ensure(ARCHIVE_POLICY, has_config), RegisterArchivePolicy(policy, resets)))


def _refuse_sooner(policy: ArchivePolicy, title: str) -> None:
    """Refuse a cold_after that is not behind archive_after.

    Raises:
        DeclarationError: it is not, or cannot be read.
    """
    assert policy.cold_after is not None
    if policy.way == "rows" or policy.archive_after is None:
        raise DeclarationError(f"{title}: cold_after is of partitions: write archive_after, and way='partition'.")
    sooner, later = parse(policy.archive_after, "UTC"), parse(policy.cold_after, "UTC")
    ids = isinstance(sooner, Ids)
    if ids is isinstance(later, Ids):
        here: Point = 10**18 if ids else datetime(2001, 1, 1, tzinfo=UTC)
        if sooner.back(here, later) < sooner.back(here, sooner):
            return
    raise DeclarationError(
        f"{title}: cold_after={policy.cold_after!r} has to be longer than archive_after={policy.archive_after!r}, "
        "since partitions go from the archive to the cold server."
    )


def _not_stored(method: str, table: Table | None, methods: Collection[str]) -> Iterator[str]:
    """Yield why no partition can be stored by an access method."""
    if not methods:
        yield "PostgreSQL 14 has no ALTER TABLE ... SET ACCESS METHOD, which is of 15 and later"
    elif method not in methods:
        yield f"there is no table access method {method} here, only {', '.join(sorted(methods))} (columnar is of Citus)"
    if method != "columnar" or table is None:
        return
    for key in table.foreign_keys:
        yield f"a columnar table has no foreign keys, and partitions of {table.name} bring {key.name} along"
    for index in table.indexes:
        if not index.tail.startswith(("btree ", "hash ")):
            only = "a columnar table has btree and hash indexes alone"
            yield f"{only}, and {index.name} of {table.name} has another method"


def _policy_obstacles(
    policy: ArchivePolicy, table: Table, archive: Table, partitioning: Partitioning | None, here: Point | None
) -> Iterator[str]:
    for one in differences(table, archive):
        if one.blocks and not (policy.way == "rows" and one.object == policy.archived_at):
            yield one.sentence
    if policy.archive_after is not None:
        parse(policy.archive_after, "UTC")
    if policy.way == "rows":
        if policy.archive_after and table.column(policy.control or "") is None:
            yield f"{table.name} has no column {policy.control!r} that an age could be counted from (control)"
        return
    if policy.condition is not None or policy.archive_after is None:
        yield "a condition is looked at row by row: way='rows'"
    elif table.partition_strategy not in ("", Strategy.RANGE):
        yield (
            f"{table.name} is partitioned by {Strategy(table.partition_strategy).name}, so that none of "
            "its partitions ever ends: archive it by rows (way='rows', control=...), or by partition those of its "
            "partitions that are partitioned by RANGE, each with a policy of its own"
        )
    elif partitioning is None:
        yield f"{table.name} has no policy in schema_kit.part_config (op.set_partition_policy registers one)"
    elif archive.partition_strategy != Strategy.RANGE or archive.partitioned_by != table.partitioned_by:
        yield f"{archive.name} is not partitioned by RANGE ({', '.join(table.partitioned_by)}) as {table.name} is"
    elif here is not None:
        due(policy, partitioning, table, here)


def stored(
    tree: Iterable[Relation], methods: Collection[str], to: str, *, by_citus: bool
) -> Iterator[ChangeAccessMethod]:
    """Yield the steps that store tables by another access method.

    Args:
        tree: the tables, with what they are partitions of.
        methods: those that are stored by one of these are changed; empty: all that are stored otherwise.
        to: the access method that they get.
        by_citus: whether Citus' function does it.
    """
    for one in tree:
        if one.partitioned or one.access_method in ("", to) or (methods and one.access_method not in methods):
            continue
        columns = tuple(column.name for column in one.columns)
        yield ChangeAccessMethod(one.name, to, columns, one.parent, by_citus)


def due(
    policy: ArchivePolicy, partitioning: Partitioning, table: Table | None, here: Point
) -> tuple[tuple[QualifiedName, ...], tuple[str, ...]]:
    """Return the partitions that are to be archived, the oldest first; and what is left alone, and why.

    By size, one goes that ended a partition's length ago or earlier, while more rows than max_rows are left.

    Raises:
        DeclarationError: a length that cannot be read.
        PlanError: shorter than a partition, so that the current partition would go.
    """
    past, notes = retention.due(
        replace(partitioning, retention=policy.archive_after), table, here, what="archive_after"
    )
    if table is None or policy.max_rows is None:
        return tuple(partition.name for partition in past), notes
    ended, notes = retention.due(_whole(partitioning), table, here, what="archive_after")
    left = sum(max(part.rows, 0) for part in table.partitions)
    going = []
    for part in ended:
        if part in past or left > policy.max_rows:
            going.append(part.name)
            left -= max(part.rows, 0)
    return tuple(going), notes


def _whole(partitioning: Partitioning) -> Partitioning:
    """Return the policy by which all goes that ended a partition's length ago."""
    return replace(partitioning, retention=partitioning.interval)


def restored(
    policy: ArchivePolicy, partitioning: Partitioning, table: Table, known: Iterable[Moved]
) -> tuple[QualifiedName, ...]:
    """The table's partitions that were taken back from the archive: those in a range that was, whatever their names."""
    lines = grid(partitioning, table)
    back = [Partition(row.name, row.lower, row.upper) for row in known if row.since and row.goes_to == policy.table]
    ranges = [lines.range_of(one) for one in back]
    there = ((part, lines.range_of(part)) for part in table.partitions if ranges and not part.default)
    return tuple(part.name for part, held in there if any(one.covers(held) for one in ranges))


def kept(lines: Grid, policy: ArchivePolicy | None, here: Point | None) -> Partitioning:
    """Return a table's policy with what goes to the archive first for its retention: a missing part is not a gap."""
    own = lines.policy
    if policy is None or here is None:
        return own
    sooner = replace(own, retention=policy.archive_after) if policy.max_rows is None else _whole(own)
    reach = horizon(lines, here)
    end = horizon(replace(lines, policy=sooner), here, "archive_after")
    return sooner if end is not None and (reach is None or end > reach) else own


def drop_policy(table: QualifiedName, registered: bool, *, last: bool = False) -> Plan:
    """Forget a policy; the table, the archive and what is in it stay.

    Args:
        table: whose.
        registered: whether there is one.
        last: nothing else is known of archives, so that the tables which hold it can go.
    """
    steps: list[Step] = [UnregisterArchivePolicy(table)] if registered else []
    return Plan(f"drop the archive policy of {table}", (*steps, *((_LAST,) if last else ())))
