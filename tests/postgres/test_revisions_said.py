"""What a run says of revisions, and of a table of versions that can be nowhere."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.util import CommandError

from schema_kit.errors import PlanError, SchemaKitError
from tests.support.database import Database
from tests.support.projects import Project

pytestmark = [pytest.mark.projects, pytest.mark.libraries]


def project(folder: Path, database: Database, env: str, **options: object) -> Config:
    config = Project("public", "psycopg", env).write(folder / "project", database.url, ("    pass\n", "    pass\n"))
    config.attributes |= {"before_and_after": [], "options": options}
    return config


@pytest.mark.parametrize("env", ["environment.run", "hand-written"])
def test_a_revision_is_said_to_be_upgraded_downgraded_or_stamped(
    database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture, env: str
) -> None:
    config = project(tmp_path, database, env)
    caplog.set_level(logging.INFO, "alembic")
    command.upgrade(config, "head")
    command.downgrade(config, "r00")
    command.stamp(config, "r01")
    said = [message for message in caplog.messages if message.startswith("Running")]
    assert [line.split()[1] for line in said] == ["upgrade", "upgrade", "downgrade", "stamp_revision"]


@pytest.mark.parametrize("env", ["environment.run", "hand-written"])
@pytest.mark.parametrize("path", ["''", "gone"])
def test_a_search_path_that_leads_nowhere_is_a_sentence(
    database: Database, tmp_path: Path, env: str, path: str
) -> None:
    name = database.sql("SELECT current_database()")[0][0]
    database.sql(f'ALTER DATABASE "{name}" SET search_path = {path}')
    with pytest.raises((CommandError, PlanError), match="no schema of the session's search_path exists"):
        command.upgrade(project(tmp_path, database, env), "head")


@pytest.mark.parametrize("env", ["environment.run", "hand-written"])
def test_a_schema_of_versions_that_is_missing_is_named(database: Database, tmp_path: Path, env: str) -> None:
    config = project(tmp_path, database, env, version_table_schema="Ver")
    with pytest.raises((CommandError, PlanError), match=r'schema Ver does not exist .CREATE SCHEMA "Ver"'):
        command.upgrade(config, "head")
    database.sql('CREATE SCHEMA "Ver"')
    command.upgrade(config, "head")
    assert database.sql('SELECT version_num FROM "Ver".alembic_version') == [("r01",)]


@pytest.mark.parametrize("env", ["environment.run", "hand-written", "one_migrator"])
def test_what_is_refused_is_a_sentence_of_alembics(database: Database, tmp_path: Path, env: str) -> None:
    chain = (
        '    op.set_not_null_concurrently("none", "a")\n',
        '    op.create_index_concurrently("ix", "none", ["a"])\n',
    )
    for place, body in enumerate(chain):
        config = Project("public", "psycopg", env).write(tmp_path / str(place), database.url, (body,))
        config.attributes |= {"before_and_after": [], "options": {}}
        with pytest.raises(CommandError) as refused:  # which Alembic's own command line prints without a traceback
            command.upgrade(config, "head")
        assert isinstance(refused.value, SchemaKitError) or isinstance(refused.value.__cause__, SchemaKitError)
