"""schema_kit lint: judge a migration by running it."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import click

from schema_kit.errors import PlanError
from schema_kit.lint import judge
from schema_kit.lint.production import sizes_of
from schema_kit.lint.report import FORMATS
from schema_kit.url import alembic_config

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("lint")
@click.argument("revisions", nargs=-1, metavar="[REVISION]...")
@click.option("--since", metavar="REVISION", help="Those after this one; base for all.")
@click.option("--since-git", metavar="BRANCH", help="Those that this branch of git does not have, or has otherwise.")
@click.option("--schema", type=_FILE, help="A dump of the state before them, instead of running the old revisions.")
@click.option("--rows", type=_FILE, help="SQL that fills tables before they run.")
@click.option("--sizes", metavar="URL|FILE", help="Production's rows and bytes: its URL, or a file of them as JSON.")
@click.option("--url", help="Another scratch server; databases are made and dropped on it.")
@click.option("-x", "extra", multiple=True, metavar="NAME=VALUE", help="For env.py, as Alembic's -x.")
@click.option("--once", is_flag=True, help="Do not run them a second time, and not back.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
@click.pass_context
def lint(
    context: click.Context,
    revisions: tuple[str, ...],
    since: str | None,
    since_git: str | None,
    schema: Path | None,
    rows: Path | None,
    sizes: str | None,
    url: str | None,
    extra: tuple[str, ...],
    once: bool,
    form: str,
) -> None:
    """Judge migrations by running them on a scratch PostgreSQL.

    It reports locks, scans, rewrites and what is left behind. The newest revisions are judged where none is named.
    Nothing but the scratch server is connected to; it is the embedded one, unless --url names another. Databases are
    made on it and dropped again; templates of the state before a revision are kept for the next run.

    Example: schema_kit lint --since-git main --sizes "$PRODUCTION_URL"

    Exit codes: 0 clean, 4 findings, 1 something could not be judged.
    """
    config = alembic_config()
    if config is None:
        raise PlanError("there is no alembic.ini here. Run it in the project's folder.")
    config.cmd_opts = Namespace(x=list(extra))
    report = judge(
        config,
        revisions,
        since=since,
        since_git=since_git,
        schema=schema,
        rows=rows,
        sizes=sizes_of(sizes) if sizes else None,
        url=url,
        twice=not once,
    )
    click.echo(report.render(form), nl=False)
    context.exit(report.exit_code)
