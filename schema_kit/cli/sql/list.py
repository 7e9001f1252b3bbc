"""``schema_kit sql list``."""

from __future__ import annotations

import json
import re

import click

from schema_kit import sqlscripts


@click.command("list")
@click.option("--format", "form", type=click.Choice(("text", "json")), default="text", show_default=True)
def command(form: str) -> None:
    """The scripts that there are: queries to run, and the objects that apply makes.

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
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    width = max(len(str(one["name"])) for one in found)
    for one in found:
        click.echo(f"{one['name']:<{width}}  {one['purpose']}")
