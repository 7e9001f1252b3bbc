"""``schema_kit archive files``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import click
import sqlalchemy as sa

from schema_kit.cli.archive.common import database, needed, tells
from schema_kit.cli.work import fail
from schema_kit.errors import SchemaKitError
from schema_kit.model import ArchiveFile
from schema_kit.names import QualifiedName


@click.command("files")
@click.argument("tables", nargs=-1, metavar="[TABLE]...")
@click.option("--verify", is_flag=True, help="Read each file again, and hold it against the manifest.")
@tells()
def command(tables: tuple[str, ...], verify: bool, url: str | None, form: str) -> None:
    """Show which rows lie in which file, and where the rows are now: in the file alone, or in the database as well.

    Example: schema_kit archive files telegram_bots.messages --verify
    """
    with database(url) as (connection, catalog):
        from schema_kit.files import manifest

        found = manifest.read(connection, names := [catalog.relation(text) for text in tables])
        failed = verified(connection, names) if verify else []
    if form == "json":
        click.echo(json.dumps({"files": [_json(file) for file in found]}, indent=2, ensure_ascii=False, default=str))
    elif not found:
        click.echo("no file is registered", err=True)
    else:
        for file in found:
            click.echo(_line(file))
    fail(failed, said="{} of the files failed.")
    if verify and found:
        click.echo(f"{len(found)} files are what was written", err=True)


def verified(connection: sa.Connection, tables: Sequence[QualifiedName]) -> list[SchemaKitError]:
    """What is wrong with the files of tables, or of all; each is read to its end."""
    needed()
    from schema_kit.files import manifest
    from schema_kit.files.restore import checked
    from schema_kit.files.store import Store

    failed = []
    for file in manifest.read(connection, tables):
        try:
            checked(file, *Store.of(file.url))
        except SchemaKitError as error:
            failed.append(error)
    return failed


def _where(file: ArchiveFile) -> str:
    if file.restored:
        return f"restored to {file.restored_to}"
    return "in the file alone" if file.alone else f"a copy of {file.table}"


def _line(file: ArchiveFile) -> str:
    bounds = f", {file.lower or 'MINVALUE'} to {file.upper or 'MAXVALUE'}" if file.control else ""
    return f"{file.table}: {file.rows:,} rows{bounds}, {file.bytes:,} bytes, {_where(file)}: {file.url}"


def _json(file: ArchiveFile) -> dict[str, Any]:
    columns = [dict(zip(("name", "type", "stored", "checksum"), column, strict=True)) for column in file.columns]
    names = {
        name: str(name_) if name_ else None
        for name, name_ in (("table", file.table), ("parent", file.parent), ("restored_to", file.restored_to))
    }
    return {**asdict(file), **names, "columns": columns, "alone": file.alone}
