"""The commands, as click knows them, and a terminal to call them on."""

from __future__ import annotations

import os
import pty
import subprocess
from collections.abc import Iterator

import click

from schema_kit.cli import cli
from tests.support.cli import called


def commands(group: click.Group = cli, path: str = "") -> Iterator[tuple[str, click.Command]]:
    """Each command with the words that call it."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, f"{path}{name} ")
        else:
            yield f"{path}{name}", command


def on_a_terminal(answer: str, *argv: str) -> subprocess.CompletedProcess[str]:
    """Call the console script with a terminal as stdin, on which *answer* is typed."""
    person, terminal = pty.openpty()
    os.write(person, f"{answer}\n".encode())
    try:
        with os.fdopen(terminal, encoding="utf-8") as stdin:
            return called(["schema_kit", *argv], stdin)
    finally:
        os.close(person)
