"""What the commands of `schema_kit advise` have in common: where the copy comes from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
import sqlalchemy as sa

from schema_kit.advise import production, statements, workload
from schema_kit.advise.production import Production
from schema_kit.advise.scratch import Scratch, scratch
from schema_kit.advise.statements import Statement
from schema_kit.catalog import Catalog
from schema_kit.cli.run import URL, database, formats, options
from schema_kit.errors import DeclarationError, PlanError

_FROM = click.option(
    "--from",
    "source",
    metavar="URL|DUMP",
    help="The database, or a file: pg_dump --no-data --statistics --no-owner of PostgreSQL 18 or newer.",
)
of_production = options(URL, _FROM, formats("text", "json"))


def in_dump(url: str | None, source: str | None) -> Path | None:
    """Return the file that --from names, if it names one."""
    if source and url:
        raise click.UsageError("--url and --from name the same thing: give one of them")
    return Path(source) if source and "://" not in source else None


@contextmanager
def copy(url: str | None, source: str | None) -> Iterator[Scratch]:
    """The scratch server, for as long as the block lasts."""
    dump = in_dump(url, source)
    if dump:
        found = production.from_dump(dump)
    else:
        with database(url or source, None) as (connection, _):
            found = production.read(connection)
    with scratch(found) as made:
        yield made


def say(notes: list[str]) -> None:
    """What could not be taken over, on stderr."""
    for note in notes:
        click.echo(note, err=True)


_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


asks = options(
    click.option("--statements", "file", type=_FILE, help="Statements, each ended by a semicolon."),
    click.option("--log", type=_FILE, help="A log of PostgreSQL's: text, CSV or JSON."),
)


@dataclass
class Source:
    """What was read of production, and what is asked of it."""

    production: Production
    statements: Sequence[Statement]
    notes: list[str]


def sources(
    url: str | None,
    source: str | None,
    file: Path | None,
    log: Path | None,
    look: Callable[[sa.Connection, Catalog], None] = lambda *_: None,
) -> Source:
    """Read production and the statements: of a file, of a log, or those that pg_stat_statements has counted.

    Args:
        url: --url.
        source: --from.
        file: --statements.
        log: --log.
        look: is given the connection, where there is one.
    """
    if file and log:
        raise click.UsageError("--statements and --log both say what is asked: give one of them")
    if dump := in_dump(url, source):
        if not (file or log):
            raise DeclarationError("a dump holds no statements: name them with --statements FILE or --log FILE.")
        return Source(production.from_dump(dump), _given(file, log), [])
    with database(url or source, None) as (connection, catalog):
        asked, note = (_given(file, log), "") if file or log else workload.counted(connection)
        if not asked:
            raise PlanError(f"there is no statement to judge: SELECT, INSERT, UPDATE, DELETE or MERGE. {note}".strip())
        look(connection, catalog)
        return Source(production.read(connection), asked, [note] * bool(note))


def _given(file: Path | None, log: Path | None) -> list[Statement]:
    path = file or log
    assert path is not None
    try:
        text = path.read_text(encoding="utf-8", errors="replace" if log else "strict")
        return statements.of_log(text) if log else statements.of_file(text)
    except ValueError as error:
        raise DeclarationError(f"{path} cannot be read: {type(error).__name__}.") from error
