"""``schema_kit sql run``."""

from __future__ import annotations

import click
import sqlalchemy as sa
from rich import box
from rich.console import Console
from rich.table import Table

from schema_kit import sqlscripts
from schema_kit.catalog.session import send
from schema_kit.cli.output import echo_json
from schema_kit.cli.run import URL, Run, formats, runs
from schema_kit.errors import DeclarationError

_WIDE = 1000
"""Without a terminal, a line is as long as it is."""


@click.command("run")
@click.argument("name")
@URL
@formats("text", "json")
@runs()
def command(run: Run, name: str) -> None:
    """Run one of the queries and print its rows.

    The transaction is read-only.

    Example: schema_kit sql run blockers
    """
    path = sqlscripts.named(name if "/" in name else f"queries/{name}")
    statements = sqlscripts.split(sqlscripts.read(f"{path}.sql"))
    if not path.startswith("queries/") or any(sqlscripts.classify(one) not in ("SELECT", "WITH") for one in statements):
        raise DeclarationError(f"{path} is not a query: `schema_kit sql show {path}` prints it.")
    send(run.connection, "BEGIN READ ONLY")
    try:
        for statement in statements:
            _print(run.connection.exec_driver_sql(statement.replace("%", "%%")), run.form)
    finally:
        send(run.connection, "ROLLBACK")


def _print(result: sa.CursorResult[tuple[object, ...]], form: str) -> None:
    columns = list(result.keys())
    found = [tuple(row) for row in result]
    if form == "json":
        echo_json([dict(zip(columns, row, strict=True)) for row in found])
        return
    table = Table(*columns, box=box.SIMPLE_HEAD)
    for row in found:
        table.add_row(*("" if value is None else str(value) for value in row))
    console = Console()
    Console(width=None if console.is_terminal else _WIDE).print(table)
