"""Plan how a partitioned table goes to the extension pg_partman: its row, in the columns of that version."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from schema_kit.errors import PlanError, refuse_for
from schema_kit.intervals import Ids
from schema_kit.model import Partitioning, Table
from schema_kit.model.declared import KNOWN
from schema_kit.model.grid import Grid, grid
from schema_kit.model.scripts import PartmanConfig
from schema_kit.names import QualifiedName, literal
from schema_kit.steps import Plan
from schema_kit.steps.partman import HandOver

_FOR_5 = {"time_encoder", "time_decoder"}


def hand_over(
    policy: Partitioning, row: Mapping[str, Any], table: Table, configs: Sequence[PartmanConfig], schema: str | None
) -> Plan:
    """Register a partitioned table with the extension, with the columns that its version has, and leave it to it.

    Args:
        policy: the table's policy.
        row: its row of part_config.
        table: the partitioned table, as observed.
        configs: the tables of each pg_partman.
        schema: which one; None where there is one only.

    Raises:
        PlanError: there is no such extension, or it could not maintain the partitioned table as it is.
    """
    title = f"hand {policy.parent} over to pg_partman"
    config = _chosen(title, configs, schema)
    lines = grid(policy, table)
    refuse_for(f"cannot {title}", _obstacles(policy, table, lines, config, row))
    name = f"{policy.parent.schema}.{policy.parent.name}"
    form = None if isinstance(lines.interval, Ids) else row.get("datetime_string") or _form(lines)
    told = {**row, "parent_table": name, "datetime_string": form, "automatic_maintenance": "on"}
    if config.reads_names:
        told["partition_type"] = "native"
    kept = {column: told[column] for column in sorted(told.keys() & config.columns - KNOWN)}
    step = HandOver(
        policy.parent, QualifiedName(config.schema, "part_config"), tuple((key, _sql(kept[key])) for key in kept)
    )
    notes = (
        f"pg_partman partitions {policy.parent} by the clock of the session that maintains it: it has to run with "
        f"TimeZone {policy.timezone} (ALTER ROLE ... SET TimeZone)",
    )
    return Plan(title, (step,), notes=() if isinstance(lines.interval, Ids) else notes)


def _chosen(title: str, configs: Sequence[PartmanConfig], schema: str | None) -> PartmanConfig:
    found = [one for one in configs if schema in (None, one.schema)]
    if len(found) != 1:
        there = ", ".join(one.schema for one in configs) or "none"
        raise PlanError(
            f"cannot {title}: there has to be one, and --schema names it where there are several (there: {there})."
        )
    return found[0]


def _obstacles(
    policy: Partitioning, table: Table, lines: Grid, config: PartmanConfig, row: Mapping[str, Any]
) -> Iterator[str]:
    """Yield why the extension could not maintain the table."""
    if "." in policy.parent.schema + policy.parent.name:
        yield "pg_partman does not support periods in names"
    if policy.encoding and policy.encoding not in ("seconds", "milliseconds", "microseconds", "nanoseconds"):
        if not (row.get("time_encoder") and config.columns >= _FOR_5):
            yield f"it does not know how {policy.control} holds a moment ({policy.encoding})"
    elif config.reads_names and policy.encoding == "microseconds":
        yield "pg_partman 4 does not know epochs in microseconds"
    default = next((part for part in table.partitions if part.default), None)
    if default and default.name.name != f"{policy.parent.name}_default"[:63]:
        yield f"its default partition has to be called {policy.parent.name}_default, not {default.name.name}"
    parts = [part for part in table.partitions if not part.default]
    if not parts:
        yield "it has no partition yet, and pg_partman goes on from the last one"
    if config.reads_names:
        form = r"\d+" if isinstance(lines.interval, Ids) else r"\d{8}(_\d{6})?"
        odd = [part.name.name for part in parts if not re.fullmatch(rf".*_p-?{form}", part.name.name)]
        if odd:
            yield f"pg_partman 4 reads dates from names, and not from {', '.join(odd[:3])}"


def _form(lines: Grid) -> str:
    suffix = lines.interval.suffix(lines.key.least) if lines.key.least else ""
    return "YYYYMMDD_HH24MISS" if "_" in suffix else "YYYYMMDD"


def _sql(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"ARRAY[{', '.join(literal(str(item)) for item in value)}]::text[]"
    return str(value) if isinstance(value, int) else literal(str(value))
