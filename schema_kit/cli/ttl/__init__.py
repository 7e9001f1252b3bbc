"""``schema_kit ttl``: one file a command."""

from __future__ import annotations

from importlib import import_module

import click

COMMANDS = {
    "run": "Remove the rows that have expired, what hangs on them first.",
    "status": "Show what expires when, and how much of it is waiting.",
}


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = import_module(f"schema_kit.cli.ttl.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


@click.group(cls=_Commands)
def ttl() -> None:
    """Time-to-live: rows that have expired leave, a batch at a time.

    The policies stand in schema_kit.ttl_policy, where op.set_ttl_policy puts them. The database is --url, else
    DATABASE_URL, else sqlalchemy.url of alembic.ini, else the embedded one.

    Example: schema_kit ttl run --dry-run
    """
