"""The project that a command works in: the folder with alembic.ini."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

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
    config = alembic_config()
    if config is None:
        raise PlanError(f"{otherwise}there is no alembic.ini here. Run it in the project's folder.")
    config.cmd_opts = Namespace(x=list(extra))
    return config
