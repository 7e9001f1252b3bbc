"""The project that a command works in: the folder with alembic.ini, or with [tool.alembic] in pyproject.toml."""

from __future__ import annotations

import configparser
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from schema_kit.embedded import find_alembic_folder
from schema_kit.errors import PlanError
from schema_kit.url import alembic_config

if TYPE_CHECKING:
    from alembic.config import Config

EXTRA = click.option("-x", "extra", multiple=True, metavar="NAME=VALUE", help="For env.py, as Alembic's -x.")


def project(extra: Sequence[str] = (), otherwise: str = "") -> Config:
    """Return Alembic's configuration of the project.

    Args:
        extra: what -x gives env.py.
        otherwise: what is said first where there is none.

    Raises:
        PlanError: there is no project here.
    """
    folder = find_alembic_folder()
    if alembic_config() is None and ini_of(folder) is None:
        raise PlanError(f"{otherwise}there is no alembic.ini here. Run it in the project's folder.")
    config = config_of(folder)
    config.cmd_opts = Namespace(x=list(extra))
    return config


def ini_of(folder: Path) -> Path | None:
    """Return the project's alembic.ini: what ALEMBIC_CONFIG names, in *folder*, or where Flask-Migrate has it."""
    found = alembic_config(folder)
    if found is not None and found.config_file_name is not None:
        return Path(found.config_file_name)
    flask = folder / "migrations" / "alembic.ini"
    return flask if flask.is_file() else None


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

    ini = ini_of(folder)
    config = alembic_config(folder) or Config(ini)
    try:
        location = config.get_alembic_option("script_location")
    except (configparser.Error, ValueError) as error:  # ValueError: no TOML, or not UTF-8
        raise PlanError(f"alembic.ini or pyproject.toml of {folder.resolve()} cannot be read: {error}.") from error
    if not location and ini and (ini.parent / "env.py").is_file():
        # Flask-Migrate keeps both in one folder, and sets the option itself.
        config.set_main_option("script_location", str(ini.parent).replace("%", "%%"))
    elif not location:
        raise PlanError(
            f"{folder.resolve()} has no alembic.ini and no [tool.alembic] that says script_location. Begin with "
            "`alembic init migrations`."
        )
    return config
