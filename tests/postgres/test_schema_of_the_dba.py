"""A schema that a DBA has made is enough: no script asks for CREATE on the database where it exists."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from schema_kit.sqlscripts import load
from tests.support.database import Database

pytestmark = [pytest.mark.steps, pytest.mark.majors]

SCRIPTS = (
    "partman/tables/part_config.sql",
    "tables/archive_file.sql",
    "tables/archive_policy.sql",
    "tables/batch_progress.sql",
    "tables/cold_archive.sql",
    "tables/copy_run.sql",
    "tables/created_object.sql",
    "tables/health_ignored.sql",
    "tables/health_snapshot.sql",
    "tables/retired_partition.sql",
    "tables/ttl_policy.sql",
)


@pytest.fixture
def limited(database: Database) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A session of a role that lacks the right to create schemas."""
    role = f"sk_limited_{database.sql('SELECT current_database()')[0][0]}"
    database.sql(f"DROP ROLE IF EXISTS {role}", f"CREATE ROLE {role} LOGIN")
    connection = psycopg.connect(database.url.replace("postgres@", f"{role}@"), autocommit=True)
    try:
        yield connection
    finally:
        connection.close()
        database.sql(f"DROP OWNED BY {role}", f"DROP ROLE {role}")


@pytest.mark.parametrize("script", SCRIPTS)
def test_an_existing_schema_is_enough(
    database: Database, limited: psycopg.Connection[tuple[object, ...]], script: str
) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        limited.execute(load(script)[0].encode())
    role = limited.info.user
    database.sql("CREATE SCHEMA schema_kit", f"GRANT USAGE, CREATE ON SCHEMA schema_kit TO {role}")
    for _ in range(2):
        for statement in load(script):
            limited.execute(statement.encode())


def test_every_script_is_tried() -> None:
    from pathlib import Path

    folder = Path(__file__).parents[2] / "sql"
    making = {str(file.relative_to(folder)) for file in folder.rglob("*.sql") if "CREATE SCHEMA" in file.read_text()}
    assert making == set(SCRIPTS)
