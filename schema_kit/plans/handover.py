"""Plan how a partitioned table goes to the extension pg_partman, in the columns of its version, and comes back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from schema_kit.errors import PlanError, refuse_for
from schema_kit.intervals import Ids
from schema_kit.model import Partition, Partitioning, Table
from schema_kit.model.declared import KNOWN
from schema_kit.model.grid import Grid, grid
from schema_kit.model.scripts import PartmanConfig, PartmanRow
from schema_kit.names import MAX_BYTES, QualifiedName, literal
from schema_kit.steps import Plan, Step
from schema_kit.steps.partman import HandOver, Registered, RenamePartition, TakeOver

_FOR_5 = {"time_encoder", "time_decoder"}
_OF_SQL = (
    *("template_table", "retention_keep_index", "constraint_cols", "optimize_constraint", "jobmon"),
    *("constraint_valid", "ignore_default_data", "date_trunc_interval"),
)
"""Columns of part_config that a table takes along from pg_partman; the others are read off its bounds."""
_OF_SUB = ("maintenance_order", "retention_keep_publication", "default_table")
"""Those that schema_kit's table has where the functions in SQL are installed."""
_BELOW = (
    *("control", "time_encoder", "time_decoder", "partition_interval", "partition_type", "premake", "retention"),
    *("retention_schema", "retention_keep_table", "epoch", "infinite_time_partitions", "inherit_privileges"),
    *("sub_partition_set_full",),
)
"""Columns that a table below another one takes along as well: nothing reads its bounds."""


_SUB = frozenset(
    f"sub_{name}"
    for name in {*_OF_SQL, *_OF_SUB, *_BELOW, "automatic_maintenance", "control_not_null"} - {"sub_partition_set_full"}
)
"""The columns of schema_kit's part_config_sub."""


@dataclass(frozen=True, slots=True)
class Handed:
    """A partitioned table that goes, as schema_kit knows it."""

    policy: Partitioning
    table: Table
    known: PartmanRow

    @property
    def lines(self) -> Grid | None:
        """Its ranges; None where only functions in SQL read its bounds."""
        return None if self.known.of_sql else grid(self.policy, self.table)

    @property
    def of_ids(self) -> bool:
        """No clock decides where its partitions begin."""
        return self.known.by_list or bool(self.lines and self.lines.of_ids)


def hand_over(
    parent: QualifiedName,
    sets: Sequence[Handed],
    configs: Sequence[PartmanConfig],
    schema: str | None,
    *,
    rename: bool,
) -> Plan:
    """Register a partitioned table with the extension, with the columns that its version has, and leave it to it.

    Args:
        parent: the partitioned table.
        sets: it and those below it, from the top.
        configs: the tables of each pg_partman.
        schema: which one; None where there is one only.
        rename: partitions get the names that pg_partman gives them.

    Raises:
        PlanError: there is no such extension, or it could not maintain the partitioned table as it is.
    """
    title = f"hand {parent} over to pg_partman"
    config = _chosen(title, configs, schema)
    to = _renamed(title, sets) if rename else {}
    refuse_for(
        f"cannot {title}",
        (why for one in sets for why in _obstacles(one, config, renamed=rename)),
    )
    registered = tuple(_registered(one, config, to.get(one.policy.parent, one.policy.parent)) for one in sets)
    steps: list[Step] = [
        RenamePartition(name, to[name], name in {one.policy.parent for one in sets}) for name in _in_turn(title, to)
    ]
    steps.append(HandOver(parent, QualifiedName(config.schema, "part_config"), registered))
    clocks = {one.policy.timezone for one in sets if not one.of_ids}
    notes = [
        f"pg_partman partitions {parent} by the clock of the session that maintains it: it has to run with "
        f"TimeZone {zone} (ALTER ROLE ... SET TimeZone)"
        for zone in sorted(clocks)
    ]
    if any(one.known.by_list for one in sets) and not config.columns >= _FOR_5:
        notes.append(
            f"pg_partman before 5.2 reads the first digit alone of values of LIST: update it before {parent} has ten"
        )
    return Plan(title, tuple(steps), notes=tuple(notes))


def _registered(one: Handed, config: PartmanConfig, name: QualifiedName) -> Registered:
    lines, row, sub = one.lines, one.known.row, one.known.sub
    form = None if one.of_ids else row.get("datetime_string") or (_form(lines) if lines else None)
    told = {**row, "datetime_string": form, "automatic_maintenance": "on"}
    below = dict(sub or {})
    if config.reads_names:
        told["partition_type"] = "native"
        below["sub_partition_type"] = "native"
    for held, column in ((told, "template_table"), (below, "sub_template_table")):
        if held.get(column):
            held[column] = _spelled(QualifiedName.parse(held[column]))
    return Registered(
        name,
        _values(told, config.columns - KNOWN, "parent_table", _spelled(name)),
        _values(below, config.sub_columns, "sub_parent", _spelled(name)) if sub else (),
    )


def _values(row: Mapping[str, Any], columns: frozenset[str], key: str, name: str) -> tuple[tuple[str, str], ...]:
    """Return columns and their values in SQL, the key first."""
    kept = sorted(row.keys() & columns - {key})
    return ((key, literal(name)), *((column, _sql(row[column])) for column in kept))


def _spelled(name: QualifiedName) -> str:
    """Write a name without quotes, as pg_partman does."""
    return f"{name.schema}.{name.name}"


def take_over(policy: Partitioning, tree: Sequence[PartmanRow], *, has_sub: bool) -> TakeOver:
    """Copy what pg_partman knows of a table, beyond its bounds, and of those below it.

    Args:
        policy: the table's policy in schema_kit.
        tree: what pg_partman has of it and of those below it, from the top.
        has_sub: the table of sub-partitions exists.

    Raises:
        PlanError: its partitions are partitioned, and what maintains such tables is not installed.
    """
    parent = policy.parent
    if not has_sub and (len(tree) > 1 or any(one.sub or one.of_sql for one in tree)):
        why = "its partitions are partitioned themselves"
        if any(one.of_sql for one in tree):
            why = "it is partitioned by LIST" if tree[0].by_list else "functions in SQL alone read its key"
        raise PlanError(
            f"cannot take {parent} over: {why}, and pg_partman's functions in SQL maintain such tables. Install them "
            "first: schema_kit sql apply --schema partman_sql"
        )
    columns = frozenset((*_OF_SQL, *(_OF_SUB if has_sub else ())))
    own: tuple[tuple[str, str], ...] = ()
    below = []
    for one in tree:
        row = {**one.row, "timezone": policy.timezone, "retention_grace": policy.retention_grace}
        row["partition_type"] = "list" if row.get("partition_type") == "list" else "range"
        sub = {**(one.sub or {})}
        if sub.get("sub_partition_type") not in (None, "range", "list"):
            sub["sub_partition_type"] = "range"
        for held, column in ((row, "template_table"), (sub, "sub_template_table")):
            if held.get(column):
                held[column] = str(QualifiedName(*held[column].split(".", 1)))
        kept = {*_BELOW, "timezone", "retention_grace", *(("datetime_string",) if one.of_sql else ())}
        values = _values(row, columns | kept, "parent_table", str(one.name))
        if one.name == parent and not one.of_sql:
            own = _values(row, columns, "parent_table", str(parent))[1:]
            values = ()
        below.append(Registered(one.name, values, _values(sub, _SUB, "sub_parent", str(one.name)) if sub else ()))
    return TakeOver(parent, own, tuple(one for one in below if one.values or one.sub))


def _chosen(title: str, configs: Sequence[PartmanConfig], schema: str | None) -> PartmanConfig:
    found = [one for one in configs if schema in (None, one.schema)]
    if len(found) != 1:
        there = ", ".join(one.schema for one in configs) or "none"
        raise PlanError(
            f"cannot {title}: there has to be one, and --schema names it where there are several (there: {there})."
        )
    return found[0]


def _obstacles(one: Handed, config: PartmanConfig, *, renamed: bool) -> Iterator[str]:
    """Yield why the extension could not maintain the table."""
    policy, table, row = one.policy, one.table, one.known.row
    if "." in policy.parent.schema + policy.parent.name:
        yield "pg_partman does not support periods in names"
    if row.get("async_partitioning_in_progress"):
        yield f"rows of {policy.parent} wait for their partition: CALL partition_data_async to its end first"
    if one.known.of_sql:
        yield from _unknown_bounds(one, config, renamed=renamed)
    elif policy.encoding and policy.encoding not in ("seconds", "milliseconds", "microseconds", "nanoseconds"):
        if not (row.get("time_encoder") and config.columns >= _FOR_5):
            yield f"it does not know how {policy.control} holds a moment ({policy.encoding})"
    elif config.reads_names and policy.encoding == "microseconds":
        yield "pg_partman 4 does not know epochs in microseconds"
    if one.known.sub and not config.sub_columns:
        yield f"{config.schema} has no part_config_sub, and partitions of {policy.parent} are partitioned"
    default = next((part for part in table.partitions if part.default), None)
    if not renamed and default and default.name.name != _cut(policy.parent.name, "_default"):
        wanted = _cut(policy.parent.name, "_default")
        yield f"its default partition has to be called {wanted}, not {default.name.name} (--rename does it)"
    parts = [part for part in table.partitions if not part.default]
    if not parts:
        yield "it has no partition yet, and pg_partman goes on from the last one"
    if config.reads_names and not renamed and one.lines:
        form = r"\d+" if isinstance(one.lines.interval, Ids) else r"\d{8}(_\d{6})?"
        odd = [part.name.name for part in parts if not re.fullmatch(rf".*_p-?{form}", part.name.name)]
        if odd:
            yield f"pg_partman 4 reads dates from names, and not from {', '.join(odd[:3])} (--rename does it)"


def _unknown_bounds(one: Handed, config: PartmanConfig, *, renamed: bool) -> Iterator[str]:
    """Yield why the extension does not read bounds that only functions in SQL read."""
    policy = one.policy
    if renamed:
        yield f"what partitions of {policy.parent} would be called cannot be read from their bounds: omit --rename"
    if not one.known.by_list and not config.columns >= _FOR_5:
        yield f"only pg_partman from 5.2 on knows a time_encoder, and {policy.parent} has one"
    elif one.known.by_list and config.reads_names:
        yield f"pg_partman 4 does not know LIST, and {policy.parent} is partitioned by it"
    elif one.known.by_list and policy.interval != "1":
        yield f"pg_partman knows LIST with an interval of 1, and that of {policy.parent} is {policy.interval}"


def _renamed(title: str, sets: Sequence[Handed]) -> dict[QualifiedName, QualifiedName]:
    """Return the names that pg_partman gives to partitions, of those that have another one."""
    to: dict[QualifiedName, QualifiedName] = {}
    for one in sets:
        stem, lines = to.get(one.policy.parent, one.policy.parent).name, one.lines
        if lines is None:  # an obstacle
            continue
        for part in one.table.partitions:
            wanted = part.name.sibling(_cut(stem, "_default" if part.default else _suffix(title, lines, part)))
            if wanted != part.name:
                to[part.name] = wanted
    return to


def _suffix(title: str, lines: Grid, part: Partition) -> str:
    lower = lines.range_of(part).lower
    if lower is None:
        raise PlanError(f"cannot {title}: {part.name} has no beginning, and names tell where partitions begin.")
    if isinstance(lower, datetime):
        form = "%Y%m%d_%H%M%S" if _form(lines) == "YYYYMMDD_HH24MISS" else "%Y%m%d"
        return f"_p{lower.astimezone(lines.policy.zone).strftime(form)}"
    return f"_p{lower}"


def _in_turn(title: str, to: Mapping[QualifiedName, QualifiedName]) -> Iterator[QualifiedName]:
    """Yield first the names that change to a free one."""
    left = dict(to)
    while left:
        free = [name for name, wanted in left.items() if wanted not in left]
        if not free:
            raise PlanError(
                f"cannot {title}: {next(iter(left))} and others have one another's names. Rename one of them."
            )
        yield from free
        left = {name: wanted for name, wanted in left.items() if name not in free}


def _cut(stem: str, suffix: str) -> str:
    """Return a name with its suffix, truncated as pg_partman does: 63 bytes, the suffix whole."""
    return stem.encode()[: MAX_BYTES - len(suffix.encode())].decode(errors="ignore") + suffix


def _form(lines: Grid) -> str:
    moment: Any = datetime(2000, 1, 3, tzinfo=UTC)
    return "YYYYMMDD_HH24MISS" if "_" in lines.interval.suffix(moment) else "YYYYMMDD"


def _sql(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"ARRAY[{', '.join(literal(str(item)) for item in value)}]::text[]"
    return str(value) if isinstance(value, int) else literal(str(value))
