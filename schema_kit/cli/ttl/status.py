"""``schema_kit ttl status``."""

from __future__ import annotations

from typing import Any

import click

from schema_kit.catalog import Catalog
from schema_kit.cli.jobs import fail
from schema_kit.cli.output import echo_json, wrapped
from schema_kit.cli.run import Run, looks
from schema_kit.errors import SchemaKitError
from schema_kit.model import TimeToLive
from schema_kit.steps.rows import RemoveRows
from schema_kit.tasks.ttl import removal

MOST_COUNTED = 100_000


@click.command("status")
@looks("text", "json")
def command(run: Run) -> None:
    """Show the policies and how many rows have expired.

    Rows are counted up to 100,000, by the index.

    Example: schema_kit ttl status --format json
    """
    failed: list[SchemaKitError] = []
    shown: list[dict[str, Any]] = []
    wanted = run.policies(TimeToLive)
    for one in wanted:
        try:
            shown.append(_status(run.catalog, one))
        except SchemaKitError as error:
            failed.append(error)
    if run.form == "json":
        echo_json({"tables": shown})
    else:
        for each in shown:
            _print(each)
    fail(failed)
    if not wanted:
        click.echo("no policies of time-to-live are registered (op.set_ttl_policy)", err=True)


def _status(catalog: Catalog, one: TimeToLive) -> dict[str, Any]:
    found, removing = removal(catalog, one)
    count, oldest = catalog.waiting(one.table, one.column, found.where, MOST_COUNTED)
    return {
        "table": str(one.table),
        "column": one.column,
        "age": one.age,
        "goes": "to its archive" if one.archive_first else "for good",
        "order": [str(step.table) for step in removing.steps if isinstance(step, RemoveRows)],
        "expired": count,
        "counted_all": count < MOST_COUNTED,
        "oldest": oldest,
    }


def _print(each: dict[str, Any]) -> None:
    when = f"{each['age']} after {each['column']}" if each["age"] else f"at {each['column']}"
    count = f"{each['expired']:,}{'' if each['counted_all'] else ' or more'}"
    click.echo(wrapped(f"{each['table']}  expires {when}, {each['goes']}"))
    if len(each["order"]) > 1:
        click.echo(wrapped(f"  in this order: {', '.join(each['order'])}"))
    click.echo(
        wrapped(f"  {count} rows have expired" + (f", the oldest at {each['oldest']}" if each["oldest"] else ""))
    )
