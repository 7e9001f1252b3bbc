"""``schema_kit sql list``."""

from __future__ import annotations

import re

import click

from schema_kit import sqlscripts
from schema_kit.cli.output import echo_json, wrapped


@click.command("list")
@click.option("--format", "form", type=click.Choice(("text", "json")), default="text", show_default=True)
def command(form: str) -> None:
    """List the scripts and queries, each with what it does.

    Example: schema_kit sql list
    """
    found = []
    for name in sqlscripts.names():
        text = sqlscripts.read(f"{name}.sql")
        first = re.match(r"(?:-- .*\n)+", text)
        purpose = re.sub(r"\n?-- ", " ", first[0]).strip() if first else ""
        kinds = list(dict.fromkeys(map(sqlscripts.classify, sqlscripts.split(text))))
        found.append({"name": name, "purpose": purpose, "statements": kinds})
    if form == "json":
        echo_json(found)
        return
    longest = max(len(str(one["name"])) for one in found)
    for one in found:
        click.echo(wrapped(f"{one['name']:<{longest}}  {one['purpose']}"))
