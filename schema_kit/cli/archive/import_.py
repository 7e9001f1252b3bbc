"""``schema_kit archive import``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import click
import sqlalchemy as sa

from schema_kit.catalog import Catalog
from schema_kit.catalog.session import observing
from schema_kit.cli.archive.common import bounds_of, needed
from schema_kit.cli.jobs import fail, show
from schema_kit.cli.output import echo_json, wrapped
from schema_kit.cli.renamed import ENDS, Renamed
from schema_kit.cli.run import LOCK_TIMEOUT, URL, Run, formats, runs
from schema_kit.errors import DeclarationError, SchemaKitError
from schema_kit.execute import not_observed, telling_notes
from schema_kit.names import QualifiedName
from schema_kit.plans.files import named
from schema_kit.steps import Plan
from schema_kit.tasks import retirement

if TYPE_CHECKING:
    from schema_kit.files.restore import Restored


@click.command("import", cls=Renamed, old=ENDS)
@click.argument("files", nargs=-1, metavar="[FILE]...")
@click.option("--manifest", "table", metavar="TABLE", help="The files of TABLE that schema_kit.archive_file knows.")
@click.option("--since", help="Of those, the ones with rows from here on; files come back whole.")
@click.option("--until", help="Of those, the ones with rows before this.")
@click.option("--into", metavar="TABLE", help="The table that gets the rows, where it is not the one they were of.")
@click.option("--beside", metavar="NAME", help="Make a table of this name with the rows of one file, and stop there.")
@click.option("--dry-run", is_flag=True, help="Read and check the files, print the exact SQL and send none of it.")
@LOCK_TIMEOUT
@URL
@formats("text", "json")
@runs()
def command(
    run: Run,
    files: tuple[str, ...],
    table: str | None,
    since: str | None,
    until: str | None,
    into: str | None,
    beside: str | None,
) -> None:
    """Load files: attach them as partitions if their range is free, insert the rows otherwise.

    Each file is compared with the manifest first (its SHA-256, and a checksum of each column), and its columns with the
    table's. Its rows are loaded into a second table and compared. That becomes a partition, where its range is free;
    else they are inserted: rows that exist already are skipped, what differs under the same key is refused and named.
    Running it again changes nothing.

    Example: schema_kit archive import --manifest telegram_bots.messages --since 2025-01-01 --until 2025-03-01
    """
    if bool(files) == bool(table):
        raise DeclarationError("name files, or --manifest TABLE.")
    if (since or until) and not table:
        raise DeclarationError("--since and --until choose among the files of --manifest TABLE.")
    needed()
    from schema_kit.files.restore import planned, restore
    from schema_kit.files.store import Store

    chosen = files if table is None else _chosen(run, table, since, until, not (into or beside))
    if beside and len(chosen) != 1:
        raise DeclarationError(f"--beside is for one file, not for {len(chosen)}.")
    to, own = (run.catalog.relation(text) if text else None for text in (into, beside))
    plan, done, failed = Plan("import"), [], list[SchemaKitError]()

    def attach(parent: QualifiedName, name: QualifiedName, low: str | None, high: str | None) -> Plan:
        return retirement.attach(Catalog(run.connection), parent, name, low, high)

    with run.telling() as emit:
        for file in chosen:
            try:
                place = Store.of(file)
                if run.dry_run:
                    plan += telling_notes(
                        partial(planned, run.connection, *place, emit, attach, into=to, beside=own), emit
                    )()
                else:
                    done.append(restore(run.connection, *place, run.policy, emit, attach, into=to, beside=own))
            except SchemaKitError as error:
                failed.append(error)
            except sa.exc.DBAPIError as error:
                failed.append(not_observed(error))
    if run.dry_run:
        show(plan, run)
    else:
        _tell(done, run.form, bool(chosen))
    fail(failed, done or plan.steps, "the other files are")


def _tell(done: Sequence[Restored], form: str, chosen: bool) -> None:
    if form == "json":
        found = [
            {"url": one.url, "table": str(one.into), "how": one.how, "rows": one.rows, "skipped": one.skipped}
            | {"lacks": [{"object": p.object, "property": p.property, "text": p.text} for p in one.lacks]}
            for one in done
        ]
        echo_json({"restored": found})
    else:
        for one in done:
            where = {"attached": f"attached to {one.into}", "inserted": f"inserted into {one.into}"}
            skipped = f", {one.skipped:,} were there already" if one.skipped else ""
            click.echo(wrapped(f"{one.url}: {one.rows:,} rows {where.get(one.how, f'in {one.into}')}{skipped}"))
            if one.lacks:
                click.echo(wrapped(f"{one.url}: its partition had, and these rows lack: {named(one.lacks)}"), err=True)
        if not chosen:
            click.echo("nothing to do", err=True)


def _chosen(run: Run, table: str, lower: str | None, upper: str | None, alone: bool) -> tuple[str, ...]:
    """Return the files that hold rows of the range: bounds are compared as the table's key compares them."""
    from schema_kit.files import manifest
    from schema_kit.files.table import meets

    name = run.catalog.relation(table)
    found = [file for file in manifest.read(run.connection, [name]) if file.alone or not alone]
    read = bounds_of(run.catalog, next((file.parent for file in found if file.parent), name))
    lower, upper = read(lower), read(upper)
    with observing(run.connection):
        return tuple(file.url for file in found if meets(run.connection, file, lower, upper))
