"""schema_kit init: add to a project of `alembic init` what it lacks."""

from __future__ import annotations

import ast
import configparser
import difflib
import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from schema_kit.errors import PlanError

if TYPE_CHECKING:
    from alembic.config import Config

_IMPORT = "import schema_kit.ops  # noqa: F401 - op has schema_kit's operations from here on"
_PER_REVISION = "transaction_per_migration=True,"
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
        wanted = {environment: _environment(environment.read_text(encoding="utf-8"))}
    except SyntaxError as error:
        raise PlanError(f"{environment} is not Python: {error}.") from error
    if ini:
        wanted[ini] = _logged(ini.read_text(encoding="utf-8"))
    changed = {path: (path.read_text(encoding="utf-8"), text) for path, text in wanted.items()}
    return {path: (before, after) for path, (before, after) in changed.items() if before != after}


def ini_of(folder: Path) -> Path | None:
    """Return the project's alembic.ini: in *folder*, or where Flask-Migrate has it."""
    return next((ini for ini in (folder / "alembic.ini", folder / "migrations" / "alembic.ini") if ini.is_file()), None)


def scripts_of(folder: Path) -> Path:
    """Return where the project's env.py and revisions are, by alembic.ini or pyproject.toml.

    Raises:
        PlanError: there is neither, or it does not say.
    """
    location = Path(config_of(folder).get_alembic_option("script_location") or "")
    return location if location.is_absolute() else folder / location


def config_of(folder: Path) -> Config:
    """Return Alembic's configuration of a project, which says where its scripts are.

    Raises:
        PlanError: there is none, or it does not say.
    """
    from alembic.config import Config

    ini, toml = ini_of(folder), folder / "pyproject.toml"
    config = Config(str(ini) if ini else None, toml_file=str(toml) if toml.is_file() else None)
    try:
        location = config.get_alembic_option("script_location")
    except configparser.Error as error:
        raise PlanError(f"{ini} cannot be read: {error}.") from error
    if not location and ini and (ini.parent / "env.py").is_file():
        # Flask-Migrate keeps both in one folder, and sets the option itself.
        config.set_main_option("script_location", str(ini.parent).replace("%", "%%"))
    elif not location:
        raise PlanError(
            f"{folder.resolve()} has no alembic.ini and no [tool.alembic] that says script_location. Begin with "
            "`alembic init migrations`."
        )
    return config


def _environment(text: str) -> str:
    """env.py with the operations, and a transaction for each revision where it configures a connection itself."""
    if "schema_kit" not in text:
        lines = text.splitlines(keepends=True)
        ends = [one.end_lineno or 0 for one in ast.parse(text).body if isinstance(one, ast.Import | ast.ImportFrom)]
        place = max(ends, default=0)
        text = "".join((*lines[:place], f"\n{_IMPORT}\n", *lines[place:]))
    if "transaction_per_migration" not in text and "environment.run" not in text:
        text = re.sub(r"connection=connection,(?=\s)", rf"\g<0> {_PER_REVISION}", text)
    return text


def _logged(text: str) -> str:
    """alembic.ini with a logger, where it has loggers: progress is information, and the root's level hides it."""
    if "[loggers]" not in text or "[logger_schema_kit]" in text:
        return text
    text = re.sub(r"(\[loggers\]\s*\nkeys\s*=\s*[^\n]*)", r"\1,schema_kit", text)
    first = re.search(r"^\[handler", text, re.MULTILINE)
    place = first.start() if first else len(text)
    return f"{text[:place]}{_LOGGER.lstrip()}\n{text[place:]}"
