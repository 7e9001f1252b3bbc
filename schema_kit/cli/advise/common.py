"""What the commands of `schema_kit advise` have in common: where the copy comes from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from schema_kit.advise import production
from schema_kit.advise.scratch import Scratch, scratch
from schema_kit.cli.options import database

Command = TypeVar("Command", bound=Callable[..., Any])


def of_production(command: Command) -> Command:
    """The options --url, --from and --format."""
    for option in (
        click.option("--url", help="postgresql://user@host/database"),
        click.option(
            "--from",
            "source",
            metavar="URL|DUMP",
            help="The same, or a file: pg_dump --no-data --statistics --no-owner of PostgreSQL 18 or newer.",
        ),
        click.option("--format", "form", type=click.Choice(("text", "json")), default="text", show_default=True),
    ):
        command = option(command)
    return command


def in_dump(url: str | None, source: str | None) -> Path | None:
    """The file that --from names, if it names one."""
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
