"""Rows for the first command: the pack's tables have some to show, where nobody has named a database."""

from __future__ import annotations

import sys
from datetime import date, timedelta
from typing import Any

import psycopg
from alembic import context
from alembic.runtime.migration import MigrationContext, MigrationInfo

from migrations.sample import NotEmptyError, fill
from schema_kit.connection import parse_now
from schema_kit.errors import DeclarationError
from schema_kit.url import is_named

ROWS, MONTHS = 4_000, 13
"""Enough for what is kept for a year to have some that is due, and few enough to take a few seconds."""


def after_baseline(*, ctx: MigrationContext, step: MigrationInfo, **_: Any) -> None:
    """Fill the tables that `baseline` has made, in its transaction: all of them are empty, or nothing is written.

    That is done on the embedded server alone, where no database was named; with one, ``-x sample=yes`` asks for it.
    ``-x sample=no`` never writes a row.

    Raises:
        DeclarationError: ``-x sample=`` is neither, or the connection is not psycopg's.
    """
    if ctx.as_sql or not step.is_upgrade or step.up_revision_id != "baseline" or not _wanted():
        return
    connection: Any = ctx.connection.connection.dbapi_connection if ctx.connection else None
    if not isinstance(connection, psycopg.Connection):
        raise DeclarationError("-x sample=yes writes rows by psycopg 3, and env.py has another driver here")
    now = parse_now(context.get_x_argument(as_dictionary=True).get("now"))
    until = (now.date() if now else date.today()) + timedelta(days=1)
    try:
        written = fill(connection, ROWS, until, months=MONTHS)
    except NotEmptyError as error:
        sys.stderr.write(f"no sample rows: {error}\n")
    else:
        told = f"{sum(written.values()):,} sample rows in {len(written)} tables; -x sample=no writes none"
        sys.stderr.write(f"{told}\n")


def _wanted() -> bool:
    options = context.get_x_argument(as_dictionary=True)
    said = options.get("sample")
    if said not in (None, "yes", "no"):
        raise DeclarationError(f"-x sample={said}: write yes or no")
    return said == "yes" if said else not is_named(options.get("url"), context.config)
