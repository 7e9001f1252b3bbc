"""``schema_kit partitions list``."""

from __future__ import annotations

from typing import Any

import click

from schema_kit import execute
from schema_kit.cli.jobs import fail, naming
from schema_kit.cli.output import echo_json, table, wrapped
from schema_kit.cli.policies import policies
from schema_kit.cli.run import Run, looks
from schema_kit.errors import PlanError, SchemaKitError
from schema_kit.intervals import Point
from schema_kit.marks import old_name
from schema_kit.model import CopyRun, Partition, Partitioning, Range, Watched
from schema_kit.model.grid import Grid, grid
from schema_kit.model.ranges import placed, state
from schema_kit.names import QualifiedName
from schema_kit.sizes import pretty


@click.command("list")
@looks("text", "json")
def command(run: Run) -> None:
    """List partitioned tables and their partitions: bounds, estimated rows, sizes.

    Copies in progress are shown with how far they are.

    Example: schema_kit partitions list rag_chat.messages
    """
    failed: list[SchemaKitError] = []
    shown: list[dict[str, Any]] = []
    sets = run.catalog.watched(policies(run.catalog, Partitioning, run.tables), execute.not_observed, measured=True)
    named = set(run.names())
    copies = [_copy(source, one) for source, one in run.catalog.copy_runs() if not named or one.parent in named]
    for seen in sets:
        failed += [PlanError(f"{seen.policy.parent}: {said}") for said in seen.unseen]
        try:
            shown += [] if seen.unseen and not seen.table else [_set(seen)]
        except SchemaKitError as error:  # one whose control column is gone does not hide the others
            failed.append(naming(seen.policy, error))
    if run.form == "json":
        echo_json({"sets": shown, "copies": copies})
    else:
        for one in shown:
            _print(one)
        for copy in copies:
            under_way = "" if copy["swapped"] else f"is being copied ({copy['purpose']}): "
            click.echo(wrapped(f"{copy['source']}  {under_way}{copy['state']}"))
    fail(failed, shown)
    if not sets:
        click.echo("no partitioned sets are registered", err=True)


def _copy(source: QualifiedName, run: CopyRun) -> dict[str, Any]:
    """Return a copy that is in progress, and how far it is."""
    kept = old_name(source)
    if run.returned:
        state = "plain again; what is left is to prove foreign keys"
    elif run.back_identity:
        state = f"in transit back to {kept}; --rollback goes on, --abort gives that up"
    elif run.swapped and run.purpose == "convert":
        fed = ", with a log of what changes since" if run.fed else ""
        state = f"swapped; {kept} is kept{fed}, until --finish or --rollback"
    elif run.swapped:
        state = "swapped; what is left is to prove foreign keys and to drop the old table"
    elif not run.cut:
        state = "about to begin"
    elif run.chunks_left:
        state = f"{run.chunks_left} chunks left"
    else:
        state = f"all chunks copied, {len(run.counts)} of {len(run.targets)} tables compared"
    return {
        "source": str(source),
        "parent": str(run.parent),
        "purpose": run.purpose,
        "tables": [str(target.built) for target in run.targets],
        "chunks_left": run.chunks_left,
        "compared": len(run.counts),
        "swapped": run.swapped,
        "fed": run.fed,
        "returning": bool(run.back_identity) and not run.returned,
        "state": state,
    }


def _set(seen: Watched) -> dict[str, Any]:
    policy, partitions = seen.policy, []
    if seen.table:
        lines = grid(policy, seen.table)
        partitions = [_partition(part, taken, lines, seen.here) for taken, part in placed(lines, seen.table)]
        rest = [part for part in seen.table.partitions if part.default]
        partitions += [_partition(part, Range(None, None), lines, seen.here) for part in rest]
    return {
        "parent": str(policy.parent),
        "there": seen.table is not None,
        "control": policy.control,
        "interval": policy.interval,
        "timezone": policy.timezone,
        "premake": policy.premake,
        "distribution": seen.table.distribution.text if seen.table and seen.table.distribution else None,
        "partitions": partitions,
    }


def _partition(partition: Partition, taken: Range, lines: Grid, here: Point | None) -> dict[str, Any]:
    lower = "MINVALUE" if taken.lower is None else lines.shown(taken.lower)
    upper = "MAXVALUE" if taken.upper is None else lines.shown(taken.upper)
    return {
        "name": str(partition.name),
        "schema": partition.name.schema,
        "from": "DEFAULT" if partition.default else lower,
        "to": "" if partition.default else upper,
        "rows": partition.rows if partition.rows >= 0 else None,
        "bytes": partition.bytes if partition.bytes >= 0 else None,
        "state": state(partition, taken, here),
        "partitions": partition.parts,
        "tablespace": partition.tablespace,
    }


def _print(one: dict[str, Any]) -> None:
    head = f"{one['parent']}  by {one['control']}, every {one['interval']}, {one['timezone']}, premake {one['premake']}"
    click.echo(wrapped(head))
    if not one["there"]:
        click.echo("  there is no such table\n")
        return
    if one["distribution"]:
        click.echo(f"  {one['distribution']} (Citus)")
    unknown = "unknown" if one["distribution"] else "not analyzed"
    lines = [("partition", "from", "to", "rows (est.)", "size", "state")]
    for part in one["partitions"]:
        count = unknown if part["rows"] is None else f"{part['rows']:,}"
        here = one["parent"].startswith(f"{part['schema']}.") and '"' not in part["name"]
        name = part["name"].rpartition(".")[2] if here else part["name"]
        also = [part["state"]]
        also += [f"{part['partitions']} sub-partitions"] if part["partitions"] else []
        also += [f"tablespace {part['tablespace']}"] if part["tablespace"] else []
        size = pretty(-1 if part["bytes"] is None else part["bytes"])
        lines.append((name, part["from"], part["to"], count, size, ", ".join(also)))
    click.echo(table(lines))
    click.echo()
