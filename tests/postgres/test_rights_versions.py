"""A right on Alembic's own table that is missing is named in every kind of env.py, before anything is run."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.util import CommandError

from tests.support.database import Database
from tests.support.matrix import longer
from tests.support.projects import Project, upgrade
from tests.support.rights import limited

pytestmark = [pytest.mark.pack, pytest.mark.projects, pytest.mark.majors, pytest.mark.libraries]

CHAIN = ('    op.execute("SELECT 1")\n',)
PROJECTS = (
    Project("public", "psycopg", "environment.run"),
    Project("public", "psycopg", "hand-written"),
    Project("public", "psycopg2", "hand-written"),
    Project("public", "asyncpg", "hand-written"),
    Project("public", "psycopg", "one_migrator"),
    Project("public", "psycopg2", "multidb"),
)
FIRST = PROJECTS[1]


def said(config: Config, *, reads: bool = False) -> str:
    try:
        if reads:
            command.current(config)
        else:
            config.attributes["before_and_after"] = []
            command.upgrade(config, "head")
    except CommandError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("project", longer(PROJECTS, *(one for one in PROJECTS if one != FIRST)), ids=str)
def test_it_is_named_with_its_grant(database: Database, tmp_path: Path, project: Project) -> None:
    database.sql("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    with limited(database) as some:
        config = project.write(tmp_path / "m", some.url, CHAIN)
        assert f"Alembic keeps the revision of this database in alembic_version: {some.role} lacks CREATE" in said(
            config
        )
        database.sql(f"GRANT CREATE ON SCHEMA public TO {some.role}")
        upgrade(config)
        database.sql(f"ALTER TABLE alembic_version OWNER TO {some.owner}")
        assert f"(GRANT SELECT ON public.alembic_version TO {some.role})" in said(config, reads=True)
        assert f"(GRANT SELECT, INSERT, UPDATE, DELETE ON public.alembic_version TO {some.role})" in said(config)
        database.sql(f"GRANT SELECT ON alembic_version TO {some.role}")
        assert said(config, reads=True) == ""
        assert f"(GRANT INSERT, UPDATE, DELETE ON public.alembic_version TO {some.role})" in said(config)
        database.sql(f"GRANT INSERT, UPDATE, DELETE ON alembic_version TO {some.role}")
        assert said(config) == ""


def test_a_table_of_another_name_and_schema(database: Database, tmp_path: Path) -> None:
    database.sql("CREATE SCHEMA kept")
    with limited(database) as some:
        config = FIRST.write(tmp_path / "m", some.url, CHAIN)
        config.attributes["options"] = {"version_table": "versions", "version_table_schema": "kept"}
        assert "in versions" in said(config)
        assert f"GRANT USAGE ON SCHEMA kept TO {some.role}" in said(config)
        database.sql(f"GRANT USAGE, CREATE ON SCHEMA kept TO {some.role}")
        assert said(config) == ""
        assert database.sql("SELECT version_num FROM kept.versions") == [("r00",)]
