"""schema_kit diff: what differs between models and database."""

from __future__ import annotations

import click

from schema_kit.autogenerate.diff import FORMATS, differences
from schema_kit.cli.project import EXTRA, project


@click.command("diff")
@EXTRA
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
@click.pass_context
def diff(context: click.Context, extra: tuple[str, ...], form: str) -> None:
    """Compare models and database.

    It runs the project's env.py, as alembic check does, and finds more: an INVALID index, another predicate, a
    constraint that is not validated, another partition key. Each difference is the operation that autogenerate would
    write, or a sentence if no operation exists.

    Example: schema_kit diff --format github

    Exit codes: 0 no difference, 4 differences.
    """
    found = differences(project(extra))
    click.echo(found.render(form), nl=False)
    context.exit(found.exit_code)
