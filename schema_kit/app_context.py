"""The application that an env.py of Flask-Migrate asks for, found and pushed as `flask db` does."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import click
from alembic.config import Config
from alembic.script import ScriptDirectory

from schema_kit.errors import PlanError


@contextmanager
def app_context(config: Config) -> Iterator[Config]:
    """Run this block as `flask db` runs env.py, if that asks Flask for the application.

    Args:
        config: the project's.

    Yields:
        The configuration, as the application's ``@migrate.configure`` functions leave it.

    Raises:
        PlanError: Flask finds no application.
    """
    env_py = Path(ScriptDirectory.from_config(config).env_py_location)
    with ExitStack() as stack:
        if env_py.is_file() and re.search(rb"\bcurrent_app\b", env_py.read_bytes()):
            app = _application(str(Path.cwd()), os.environ.get("FLASK_APP"))
            stack.enter_context(app.app_context())
            if "migrate" in app.extensions:
                config = app.extensions["migrate"].migrate.call_configure_callbacks(config)
        yield config


@cache
def _application(folder: str, named: str | None) -> Any:
    del folder, named  # what Flask looks at; an application factory is called once
    try:
        from flask.cli import ScriptInfo, load_dotenv
    except ModuleNotFoundError as error:
        raise PlanError("env.py imports current_app of Flask, and Flask is not installed here.") from error
    load_dotenv()
    try:
        return ScriptInfo(app_import_path=os.environ.get("FLASK_APP")).load_app()
    except click.ClickException as error:
        raise PlanError(
            f"env.py requires the Flask application, which was not found: {error.format_message()} Run it where "
            "`flask db` runs, or set FLASK_APP."
        ) from error
