"""schema_kit lint: judge a migration by running it."""

from __future__ import annotations

from pathlib import Path

import click

from schema_kit.cli.project import EXTRA, project
from schema_kit.errors import PlanError
from schema_kit.lint import judge
from schema_kit.lint.production import sizes_of
from schema_kit.lint.report import FORMATS, FOUND

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("lint")
@click.argument("revisions", nargs=-1, metavar="[REVISION]...")
@click.option("--since", metavar="REVISION", help="Those after this one; base for all.")
@click.option("--since-git", metavar="BRANCH", help="Those that this branch of git does not have, or has otherwise.")
@click.option("--schema", type=_FILE, help="A dump of the state before them, instead of running the old revisions.")
@click.option("--rows", type=_FILE, help="SQL that fills tables before they run.")
@click.option("--sizes", metavar="URL|FILE", help="Production's rows and bytes: its URL, or a file of them as JSON.")
@click.option("--url", help="Another scratch server; databases are made and dropped on it.")
@EXTRA
@click.option("--once", is_flag=True, help="Do not run them a second time, and not back.")
@click.option("--fix", is_flag=True, help="Write them again with operations of schema_kit, if that is found clean.")
@click.option("--dry-run", is_flag=True, help="With --fix: show what would be written, and write nothing.")
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
    fix: bool,
    dry_run: bool,
    form: str,
) -> None:
    """Judge migrations by running them on a scratch PostgreSQL.

    It reports locks, scans, rewrites and what is left behind. The newest revisions are judged where none is named.
    Nothing but the scratch server is connected to; it is the embedded one, unless --url names another. Databases are
    made on it and dropped again; templates of the state before a revision are kept for the next run.

    --fix writes revisions in which something is found with operations of schema_kit, as a chain of several where
    operations that commit on their own and others must not be mixed. What it writes was run and judged, and ends in the
    same catalog as the original.

    Example: schema_kit lint --since-git main --sizes "$PRODUCTION_URL"

    Exit codes: 0 clean, 4 findings, 1 something could not be judged.
    """
    if dry_run and not fix:
        raise PlanError("--dry-run is for --fix: without that nothing is written.")
    report = judge(
        project(extra),
        revisions,
        since=since,
        since_git=since_git,
        schema=schema,
        rows=rows,
        sizes=sizes_of(sizes) if sizes else None,
        url=url,
        twice=not once,
        fix=fix,
    )
    for one in report.fixed:
        if not dry_run:
            one.write()
        elif form == "text":
            click.echo(one.diff, nl=False)
    click.echo(report.render(form), nl=False)
    context.exit(report.exit_code or (FOUND if dry_run and report.fixed else 0))
