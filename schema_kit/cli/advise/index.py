"""schema_kit advise index: which indexes statements want, and which ones none of them needs."""

from __future__ import annotations

from pathlib import Path

import click
import sqlalchemy as sa

from schema_kit.advise import advice, report
from schema_kit.advise.scratch import scratch
from schema_kit.catalog import Catalog
from schema_kit.cli.advise.common import asks, of_production, say, sources
from schema_kit.cli.output import echo_json, wrapped
from schema_kit.cli.project import project
from schema_kit.health import checks, observe, revision, snapshots, window
from schema_kit.names import QualifiedName


@click.command("index")
@of_production
@asks
@click.option("--write", is_flag=True, help="Write a revision that makes the indexes.")
def index(url: str | None, source: str | None, form: str, file: Path | None, log: Path | None, write: bool) -> None:
    """Recommend indexes for statements, and list indexes that none of them needs.

    The statements are those of a file (`-- calls: 1000` before one says how often a day), of a log that
    log_min_duration_statement or log_statement has written, or else those that pg_stat_statements has counted.
    Candidates are made on an empty copy that plans as production does; those without which no statement becomes
    more than 1.05 times dearer are taken away. Costs are the planner's, not times.

    --write makes a revision: indexes are made by create_index_concurrently; one that is not needed is named in it,
    and dropped only where health has seen no scan of it for 30 days on any server.

    Example: schema_kit advise index --statements queries.sql
    """
    unused: set[QualifiedName] = set()
    found = sources(url, source, file, log, lambda *seen: unused.update(_unused(*seen)))
    with scratch(found.production) as made:
        told = advice.advise(made, found.statements, lambda text: click.echo(text, err=True))
        notes = [*found.notes, *made.notes]
    if form == "json":
        echo_json(report.document(told, unused, notes))
    else:
        for line in report.text(told, unused):
            click.echo(wrapped(line))
        say([*notes, *report.notes(told)])
    click.echo(report.summary(told), err=True)
    if write:
        _write(told, unused)


def _unused(connection: sa.Connection, catalog: Catalog) -> set[QualifiedName]:
    """Return what health says that no server has scanned for long enough."""
    moment = catalog.now()
    seen = observe.read(connection, moment)
    own = window.own(seen)
    before = snapshots.before(connection, moment, own.server, own.since)
    seen = window.within(seen, [window.Counted(own.server, own.since, own.scans, before)])
    found = (one for one in checks.examine(seen) if one.code == "index_unused" and one.table is not None)
    return {one.table.sibling(one.object) for one in found if one.table is not None}


def _write(told: advice.Advice, unused: set[QualifiedName]) -> None:
    up, down, evidence = report.calls(told, unused)
    if not up:
        click.echo("no revision was written: no index is wanted, and none is known to be unused", err=True)
        return
    config = project(otherwise="no revision was written: ")
    for name in told.extensions:  # it joins a transaction, and so it has a revision of its own
        why = "indexes of the next revision need it"
        make, drop = f"op.create_extension({name!r})", f"op.drop_extension({name!r})"
        path = revision.make(f"the extension {name}", [why], [make], [drop], config)
        click.echo(f"the extension {name}: {path}", err=True)
    path = revision.make("indexes that schema_kit advise names", evidence, up, down, config)
    click.echo(f"{len(told.wanted)} indexes: {path}", err=True)
