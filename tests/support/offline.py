"""Revisions over a baseline, as a script and online."""

from __future__ import annotations

from pathlib import Path

from schema_kit.sqlscripts import split
from tests.support.cli import alembic
from tests.support.database import Database
from tests.support.pack import catalog

INI = "[alembic]\nscript_location = %(here)s/migrations\npath_separator = os\n"
ENV = "from schema_kit import environment\n\nenvironment.run()\n"
REVISION = """
import sqlalchemy as sa

from schema_kit import op

revision = {name!r}
down_revision = {before!r}


def upgrade():
    {body}
"""
BASELINE = """m = sa.MetaData()
    sa.Table("a", m, sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
             sa.Column("at", sa.DateTime(timezone=True), nullable=False),
             sa.Column("n", sa.Integer, nullable=False, server_default="7"), sa.Column("code", sa.String(9)),
             sa.UniqueConstraint("code", name="a_code_key"))
    sa.Table("b", m, sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
             sa.Column("a_id", sa.BigInteger, sa.ForeignKey("a.id", name="b_a_id_fkey")))
    sa.Table("e", m, sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
             sa.Column("at", sa.DateTime(timezone=True), nullable=False),
             sa.Column("n", sa.Integer), sa.Column("b_id", sa.BigInteger))
    op.create_baseline(m)"""


def script(folder: Path, database: Database, *bodies: str) -> str:
    """What the revisions, one after another, are as a script."""
    write(folder, *bodies)
    return upgraded(folder, database, "--sql")


def write(folder: Path, *bodies: str) -> None:
    versions = folder / "migrations" / "versions"
    versions.mkdir(parents=True)
    (folder / "alembic.ini").write_text(INI)
    (folder / "migrations" / "env.py").write_text(ENV)
    for number, body in enumerate((BASELINE, *bodies)):
        text = REVISION.format(name=f"r{number}", before=f"r{number - 1}" if number else None, body=body)
        (versions / f"r{number}.py").write_text(text)


def upgraded(folder: Path, database: Database, *arguments: str) -> str:
    """`alembic upgrade head`, which has to succeed."""
    done = alembic(database, "-x", "now=2026-11-21", "upgrade", "head", *arguments, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout


def same_by_script(folder: Path, database: Database, *bodies: str) -> str:
    """The script, which makes the catalog that the revisions make online."""
    text = script(folder, database, *bodies)
    database.sql(*split(text))
    offline = catalog(database)
    database.sql("DROP SCHEMA public CASCADE", "DROP SCHEMA schema_kit CASCADE", "CREATE SCHEMA public")
    upgraded(folder, database)
    assert offline == catalog(database)
    return text
