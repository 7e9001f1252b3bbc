"""schema_kit advise partition: whether partitioning a table would help."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from schema_kit.advise import partitioning
from schema_kit.advise.scratch import scratch
from schema_kit.cli.advise.common import asks, of_production, say, sources
from schema_kit.cli.output import echo_json, wrapped


@click.command("partition")
@click.argument("table")
@of_production
@asks
def partition(table: str, url: str | None, source: str | None, form: str, file: Path | None, log: Path | None) -> None:
    """Report whether partitioning a table would help, by which column and interval.

    A partitioned twin is made on an empty copy, with production's statistics divided among its partitions, and the
    statements are planned on both. It speaks for partitioning that rows are deleted by age, or that statements become
    cheaper; against it, that the table is small, that statements do not name the time, and what planning takes.

    Example: schema_kit advise partition shop.orders --statements queries.sql
    """
    found = sources(url, source, file, log)
    with scratch(found.production) as made:
        verdict = partitioning.judge(made, table, found.statements)
        notes = [*found.notes, *made.notes]
    say(notes)
    if form == "json":
        told = asdict(verdict) | {"table": str(verdict.table), "notes": notes}
        echo_json(told | ({"operation": verdict.call} if verdict.helps else {}))
        return
    click.echo(f"{verdict.table}: partitioning {'would help' if verdict.helps else 'would not help'}")
    for reason in verdict.reasons:
        click.echo(wrapped(f"  - {reason}"))
    if verdict.helps:
        click.echo(wrapped(f"In a migration: {verdict.call}"))
