"""schema_kit init: add to a project of `alembic init` what it lacks."""

from __future__ import annotations

import difflib
import re
from pathlib import Path

import click

from schema_kit.cli.env_py import completed
from schema_kit.cli.project import ini_of, scripts_of
from schema_kit.errors import PlanError

_LOGGER = """
[logger_schema_kit]
level = INFO
handlers =
qualname = schema_kit
"""
_CRON = "17 * * * *  cd {folder} && schema_kit partitions maintain --quiet   # mails what fails, and nothing else"


@click.command(name="init")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), default=".")
@click.option("--dry-run", is_flag=True, help="Show what would be changed, and change nothing.")
def init(folder: Path, dry_run: bool) -> None:
    """Add schema_kit to a project of `alembic init`.

    It writes what it changes to the terminal, line by line, and a line for cron to copy. A project that has all of it
    stays as it is. FOLDER has alembic.ini in it, or a pyproject.toml with [tool.alembic], or is Flask-Migrate's.

    Example: schema_kit init --dry-run
    """
    changes = dict(_changes(folder))
    for path, (before, after) in changes.items():
        lines = difflib.unified_diff(
            before.splitlines(keepends=True), after.splitlines(keepends=True), str(path), str(path)
        )
        click.echo("".join(lines), nl=False)
        if not dry_run:
            path.write_text(after, encoding="utf-8")
    if not changes:
        click.echo("nothing to do", err=True)
    click.echo("for cron, where partitions, archives or retention have policies:", err=True)
    click.echo(_CRON.format(folder=folder.resolve()), err=True)


def _changes(folder: Path) -> dict[Path, tuple[str, str]]:
    """Return the files that change, each with its text before and after."""
    ini = ini_of(folder)
    environment = scripts_of(folder) / "env.py"
    if not environment.is_file():
        raise PlanError(f"there is no {environment}. Does script_location name the right folder?")
    try:
        wanted = {environment: completed(environment.read_text(encoding="utf-8"))}
    except SyntaxError as error:
        raise PlanError(f"{environment} is not Python: {error}.") from error
    if ini:
        wanted[ini] = _logged(ini.read_text(encoding="utf-8"))
    changed = {path: (path.read_text(encoding="utf-8"), text) for path, text in wanted.items()}
    return {path: (before, after) for path, (before, after) in changed.items() if before != after}


def _logged(text: str) -> str:
    """alembic.ini with a logger, where it has loggers: progress is information, and the root's level hides it."""
    if "[loggers]" not in text or "[logger_schema_kit]" in text:
        return text
    text = re.sub(r"(\[loggers\]\s*\nkeys\s*=\s*[^\n]*)", r"\1,schema_kit", text)
    first = re.search(r"^\[handler", text, re.MULTILINE)
    place = first.start() if first else len(text)
    return f"{text[:place]}{_LOGGER.lstrip()}\n{text[place:]}"
