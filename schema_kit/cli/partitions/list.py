"""``schema_kit partitions list``."""

from __future__ import annotations

import json
from typing import Any

import click

from schema_kit.catalog import Catalog
from schema_kit.cli.partitions.common import database, fail, looks, policies
from schema_kit.errors import SchemaKitError
from schema_kit.intervals import Point
from schema_kit.model import Partition, Partitioning, Table
from schema_kit.plans.grid import Grid, grid


@click.command("list")
@looks("text", "json")
def command(tables: tuple[str, ...], url: str | None, now: str | None, form: str) -> None:
    """Show sets with their partitions: bounds in the set's time zone, rows estimated, size, what is premade.

    Example: schema_kit partitions list rag_chat.messages
    """
    failed: list[SchemaKitError] = []
    shown: list[dict[str, Any]] = []
    with database(url, now) as (_, catalog):
        sets = catalog.sets(policies(catalog, tables))
        for policy, found in sets:
            try:
                shown.append(_set(catalog, policy, catalog.table(policy.parent) if found else None))
            except SchemaKitError as error:  # one whose control column is gone does not hide the others
                failed.append(error)
    if form == "json":
        click.echo(json.dumps({"sets": shown}, indent=2, ensure_ascii=False))
    else:
        for one in shown:
            _print(one)
    fail(failed)
    if not sets:
        click.echo("no partitioned sets are registered", err=True)


def _set(catalog: Catalog, policy: Partitioning, table: Table | None) -> dict[str, Any]:
    partitions = []
    if table:
        lines, here = grid(policy, table), catalog.here(policy, table)
        partitions = [_partition(partition, lines, here) for partition in table.partitions]
    return {
        "parent": str(policy.parent),
        "there": table is not None,
        "control": policy.control,
        "interval": policy.interval,
        "timezone": policy.timezone,
        "premake": policy.premake,
        "partitions": partitions,
    }


def _partition(partition: Partition, lines: Grid, here: Point) -> dict[str, Any]:
    taken = lines.range_of(partition)
    lower = "MINVALUE" if taken.lower is None else lines.shown(taken.lower)
    upper = "MAXVALUE" if taken.upper is None else lines.shown(taken.upper)
    return {
        "name": str(partition.name),
        "from": "DEFAULT" if partition.default else lower,
        "to": "" if partition.default else upper,
        "rows": partition.rows if partition.rows >= 0 else None,
        "bytes": partition.bytes,
        "state": state(partition, lines, here),
    }


def state(partition: Partition, lines: Grid, here: Point) -> str:
    """default, detach pending, premade, current or past."""
    if partition.default or partition.detach_pending:
        return "default" if partition.default else "detach pending"
    taken = lines.range_of(partition)
    if taken.lower is not None and taken.lower > here:
        return "premade"
    return "past" if taken.upper is not None and taken.upper <= here else "current"


def _print(one: dict[str, Any]) -> None:
    click.echo(
        f"{one['parent']}  by {one['control']}, every {one['interval']}, {one['timezone']}, premake {one['premake']}"
    )
    if not one["there"]:
        click.echo("  there is no such table\n")
        return
    lines = [("partition", "from", "to", "rows (est.)", "size", "state")]
    for part in one["partitions"]:
        count = "not analyzed" if part["rows"] is None else f"{part['rows']:,}"
        name = part["name"].rpartition(".")[2] if '"' not in part["name"] else part["name"]
        lines.append((name, part["from"], part["to"], count, size(part["bytes"]), part["state"]))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        click.echo("  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    click.echo()


def size(count: float) -> str:
    """``12 MB``."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} TB"
