"""``schema_kit archive verify``."""

from __future__ import annotations

from typing import Any

import click

from schema_kit.catalog import Catalog
from schema_kit.cli.archive.files import verified
from schema_kit.cli.jobs import fail
from schema_kit.cli.output import echo_json, wrapped
from schema_kit.cli.partitions.check import WORK_IS_DUE
from schema_kit.cli.run import Run, looks
from schema_kit.model import ArchivePolicy
from schema_kit.plans import archive_differences
from schema_kit.tasks import cold
from schema_kit.tasks.archiving import both


def seen(catalog: Catalog, policy: ArchivePolicy, checksums: bool) -> dict[str, Any]:
    """Return what one archive has otherwise, and what it holds."""
    table, archive = both(catalog, policy)
    own = policy.archived_at if policy.way == "rows" else None
    differences = [one for one in archive_differences.differences(table, archive) if one.object != own]
    told: dict[str, Any] = {
        "table": str(policy.table),
        "archive": str(policy.archive),
        "differences": [
            {"kind": one.kind, "object": one.object, "sentence": one.sentence, "stops": one.blocks}
            for one in differences
        ],
    }
    told["differences"] += [
        {"kind": "cold", "object": str(policy.archive), "sentence": why, "stops": True}
        for why in cold.differences(catalog, policy, table, archive)
    ]
    told["differences"] += [
        {"kind": "view", "object": str(policy.table), "sentence": why, "stops": False}
        for why in cold.behind(catalog, policy, table, archive)
    ]
    if checksums:
        counted = [
            (name, *catalog.checksum(name), "") for name in [p.name for p in archive.partitions] or [archive.name]
        ]
        counted += cold.summed(catalog, policy)
        told["checksums"] = [
            {"partition": str(name), "rows": count, "checksum": text} for name, count, text, _ in counted
        ]
        told["differences"] += [
            {"kind": "cold rows", "object": str(name), "sentence": why, "stops": True}
            for name, *_, why in counted
            if why
        ]
    return told


@click.command("verify")
@looks("text", "json")
@click.option("--checksums", is_flag=True, help="Also count and sum up the rows of each partition; reads them all.")
@click.option(
    "--files", is_flag=True, help="Also read the files of the manifest again, as archive files --verify does."
)
@click.pass_context
def command(context: click.Context, run: Run, checksums: bool, files: bool) -> None:
    """Report differences between an archive and its table.

    It compares columns, types, defaults, NOT NULL, checks, indexes and rights, and the columns and views of a cold
    archive. What stops partitions from coming is said first; op.repair_archive_table repairs it. Checksums do not
    depend on the order of rows, and stay the same as long as no row changes; those of partitions on a cold server are
    compared with what went there. It changes nothing.

    Exit codes: 0 the archive follows its table, 4 it does not.

    Example: schema_kit archive verify --checksums
    """
    told = [seen(run.catalog, policy, checksums) for policy in run.policies(ArchivePolicy)]
    failed = verified(run.connection, run.names()) if files else []
    if run.form == "json":
        echo_json(told)
    for one in told if run.form == "text" else ():
        for difference in one["differences"]:
            stops = " (no partition can come until it is repaired)" if difference["stops"] else ""
            click.echo(wrapped(f"{difference['sentence']}{stops}"))
        for part in one.get("checksums", ()):
            click.echo(wrapped(f"{part['partition']}: {part['rows']} rows, {part['checksum']}"))
    fail(failed)
    if any(one["differences"] for one in told):
        context.exit(WORK_IS_DUE)
