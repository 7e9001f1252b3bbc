"""``schema_kit archive files``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import click
import sqlalchemy as sa

from schema_kit.cli.archive.common import needed, shown_by
from schema_kit.cli.jobs import fail, send
from schema_kit.cli.output import echo_json, wrapped
from schema_kit.cli.run import TABLES, URL, YES, Run, formats, runs
from schema_kit.errors import PlanError, SchemaKitError
from schema_kit.model import ArchiveFile
from schema_kit.names import QualifiedName
from schema_kit.plans import files
from schema_kit.sizes import pretty


@click.command("files")
@TABLES
@click.option("--verify", is_flag=True, help="Read each file again, and hold it against the manifest.")
@click.option(
    "--forget", metavar="FILE", multiple=True, help="Take this file out of the manifest; the file itself stays."
)
@YES
@click.option("--dry-run", is_flag=True, help="With --forget: print the exact SQL and send none of it.")
@URL
@formats("text", "json")
@runs()
def command(run: Run, verify: bool, forget: tuple[str, ...]) -> None:
    """List the files and their rows; --verify reads each file again.

    --forget FILE, as it is listed here, is for a file that was lost, moved or thrown away: its row in
    schema_kit.archive_file goes, and nothing else. The file is not touched, and no row of a table is. It asks first.

    Example: schema_kit archive files telegram_bots.messages --verify
    """
    if forget and (run.tables or verify):
        raise click.UsageError("--forget stands alone: it names files, not tables")
    needed()
    from schema_kit.files import manifest

    if forget:
        run.acts = True
        _forget(run, forget)
        return
    found = manifest.read(run.connection, names := run.names())
    clocks = {table: shown_by(run.catalog, table) for table in {file.parent or file.table for file in found}}
    failed = verified(run.connection, names) if verify else []
    if run.form == "json":
        echo_json({"files": [_json(file) for file in found]})
    elif not found:
        click.echo("no file is registered", err=True)
    else:
        for file in found:
            click.echo(wrapped(_line(file, clocks[file.parent or file.table])))
    fail(failed)
    if verify and found:
        click.echo(f"{len(found)} files are what was written", err=True)


def _forget(run: Run, urls: Sequence[str]) -> None:
    from schema_kit.files import manifest

    known = {file.url: file for file in manifest.read(run.connection)}
    if unknown := [url for url in urls if url not in known]:
        raise PlanError(
            f"{', '.join(unknown)}: no such file in schema_kit.archive_file. schema_kit archive files lists them."
        )
    alone = [f"{known[url].rows:,} rows of {known[url].table}" for url in urls if known[url].alone]
    for one in alone:
        click.echo(f"{one} are in no table: after this, the database does not know where they are", err=True)
    run.confirm(f"this removes {', '.join(urls)} from the manifest; the files themselves stay")
    send(run, lambda: files.forget(urls, manifest.read(run.connection)))


def verified(connection: sa.Connection, tables: Sequence[QualifiedName]) -> list[SchemaKitError]:
    """Return what is wrong with the files of tables, or of all; each is read to its end."""
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


def _line(file: ArchiveFile, shown: Callable[[str | None], str | None]) -> str:
    ends = f"{shown(file.lower) or 'MINVALUE'} to {shown(file.upper) or 'MAXVALUE'}"
    bounds = f", {ends}" if file.control else ""
    return f"{file.table}: {file.rows:,} rows{bounds}, {pretty(file.bytes)}, {_where(file)}: {file.url}"


def _json(file: ArchiveFile) -> dict[str, Any]:
    columns = [dict(zip(("name", "type", "stored", "checksum"), column, strict=True)) for column in file.columns]
    names = {
        name: str(name_) if name_ else None
        for name, name_ in (("table", file.table), ("parent", file.parent), ("restored_to", file.restored_to))
    }
    return {**asdict(file), **names, "columns": columns, "alone": file.alone}
