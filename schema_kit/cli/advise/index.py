"""schema_kit advise index: which indexes statements want, and which ones none of them needs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
import sqlalchemy as sa

from schema_kit.advise import advice, production, report, statements, workload
from schema_kit.advise.production import Production
from schema_kit.advise.scratch import scratch
from schema_kit.advise.statements import Statement
from schema_kit.catalog import Catalog
from schema_kit.cli.advise.common import in_dump, of_production, say
from schema_kit.cli.options import database
from schema_kit.cli.output import echo_json, wrapped
from schema_kit.errors import DeclarationError, PlanError
from schema_kit.health import checks, observe, revision, snapshots, window
from schema_kit.names import QualifiedName
from schema_kit.url import alembic_config

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("index")
@of_production
@click.option("--statements", "file", type=_FILE, help="Statements, each ended by a semicolon.")
@click.option("--log", type=_FILE, help="A log of PostgreSQL's: text, CSV or JSON.")
@click.option("--write", is_flag=True, help="Write a revision that makes the indexes.")
def index(url: str | None, source: str | None, form: str, file: Path | None, log: Path | None, write: bool) -> None:
    """Say which indexes statements want, and which ones none of them needs, as production's planner judges it.

    The statements are those of a file (`-- calls: 1000` before one says how often a day), of a log that
    log_min_duration_statement or log_statement has written, or else those that pg_stat_statements has counted.
    Candidates are made on an empty copy that plans as production does; those without which no statement becomes
    more than 1.05 times dearer are taken away. Costs are the planner's, not times.

    --write makes a revision: indexes are made by create_index_concurrently; one that is not needed is named in it,
    and dropped only where health has seen no scan of it for 30 days on any server.

    Example: schema_kit advise index --statements queries.sql
    """
    if file and log:
        raise click.UsageError("--statements and --log both say what is asked: give one of them")
    dump = in_dump(url, source)
    unused: set[QualifiedName] = set()
    notes = list[str]()
    if dump:
        if not (file or log):
            raise DeclarationError("a dump holds no statements: name them with --statements FILE or --log FILE.")
        found, asked = production.from_dump(dump), _given(file, log)
    else:
        with database(url or source, None) as (connection, catalog):
            if file or log:
                asked = _given(file, log)
            else:
                asked, note = workload.counted(connection)
                notes += [note] * bool(note)
            unused = _unused(connection, catalog)
            found = production.read(connection)
    _say_and_write(found, asked, unused, notes, form, write)


def _say_and_write(
    found: Production, asked: Sequence[Statement], unused: set[QualifiedName], notes: list[str], form: str, write: bool
) -> None:
    if not asked:
        found.dump.close()
        raise PlanError("there is no statement to judge: SELECT, INSERT, UPDATE, DELETE or MERGE.")
    with scratch(found) as made:
        told = advice.advise(made, asked, lambda text: click.echo(text, err=True))
        notes += made.notes
    if form == "json":
        echo_json(report.document(told, unused, notes))
    else:
        for line in report.text(told, unused):
            click.echo(wrapped(line))
        say([*notes, *report.notes(told)])
    click.echo(report.summary(told), err=True)
    if write:
        _write(told, unused)


def _given(file: Path | None, log: Path | None) -> list[Statement]:
    path = file or log
    assert path is not None
    try:
        text = path.read_text(encoding="utf-8", errors="replace" if log else "strict")
        return statements.of_log(text) if log else statements.of_file(text)
    except ValueError as error:
        raise DeclarationError(f"{path} cannot be read: {type(error).__name__}.") from error


def _unused(connection: sa.Connection, catalog: Catalog) -> set[QualifiedName]:
    """What health says that no server has scanned for long enough."""
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
    config = alembic_config()
    if config is None:
        raise PlanError("no revision was written: there is no alembic.ini here. Run it in the project's folder.")
    path = revision.make("indexes that schema_kit advise names", evidence, up, down, config)
    click.echo(f"{len(told.wanted)} indexes: {path}", err=True)
