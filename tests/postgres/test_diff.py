"""schema_kit diff and the fixture: the pack at head has no difference in any env.py, and a real one is reported."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import schema_kit
from migrations.models import metadata
from schema_kit.autogenerate.diff import Differences
from tests.support.cli import ROOT, called, spawned
from tests.support.database import Database
from tests.support.pack import filled, migrate

pytest_plugins = ["schema_kit.autogenerate.fixture"]
pytestmark = [pytest.mark.autogenerate, pytest.mark.majors, pytest.mark.libraries]

MODELS = """
import sqlalchemy as sa
metadata = sa.MetaData()
table = sa.Table("t", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("n", sa.Integer))
sa.Index("t_n", table.c.n, postgresql_where=table.c.n > 5)
"""
ENV = """
from models import metadata
from schema_kit import environment
environment.run(target_metadata=metadata)
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "versions").mkdir()
    (tmp_path / "models.py").write_text(MODELS)
    (tmp_path / "env.py").write_text(ENV)
    (tmp_path / "alembic.ini").write_text(
        "[alembic]\nscript_location = %(here)s\nprepend_sys_path = %(here)s\npath_separator = os\n"
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def diff(database: Database, *words: str) -> subprocess.CompletedProcess[str]:
    return called(["schema_kit", "diff", "-x", f"url={database.url}", *words])


def test_a_difference_is_reported_in_each_format(database: Database, project: Path) -> None:
    database.sql(
        "CREATE TABLE t (id int PRIMARY KEY, n int)", "CREATE INDEX t_n ON t (n) WHERE n > 6", "CREATE TABLE u (id int)"
    )
    text = diff(database)
    assert text.returncode == 4, text.stderr
    assert text.stdout == (
        "op.replace_index_concurrently('t_n', 't', ['n'], postgresql_where=sa.text('n > 5'))\n"
        "op.drop_table_concurrently('u')\n"
    )
    told = json.loads(diff(database, "--format", "json").stdout)
    assert [len(told[name]) for name in ("operations", "sentences", "notes")] == [2, 0, 0]
    annotations = diff(database, "--format", "github").stdout.splitlines()
    assert len(annotations) == 2
    assert annotations[1] == "::error title=models and database differ::op.drop_table_concurrently('u')"
    database.sql("DROP TABLE u", "DROP INDEX t_n", "CREATE INDEX t_n ON t (n) WHERE n > 5")
    same = diff(database)
    assert (same.returncode, same.stdout) == (0, "models and database are the same\n")


def test_without_a_project_it_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    refused = called(["schema_kit", "diff"])
    assert refused.returncode == 3
    assert "there is no alembic.ini here" in refused.stderr


def test_a_database_that_is_behind_is_refused(database: Database, project: Path) -> None:
    (project / "versions" / "a.py").write_text(
        "revision, down_revision = 'a', None\ndef upgrade():\n    pass\ndef downgrade():\n    pass\n"
    )
    refused = diff(database)
    assert (refused.returncode, refused.stdout) == (3, "")
    assert "not up to date" in refused.stderr


def test_the_fixture(database: Database, assert_no_diff: Callable[..., None]) -> None:
    models = sa.MetaData()
    sa.Table("t", models, sa.Column("id", sa.Integer, primary_key=True))
    url = sa.make_url(database.url).set(drivername="postgresql+psycopg")
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with pytest.raises(AssertionError, match=r"op\.create_table\('t'"):
        assert_no_diff(engine, models)
    models.create_all(engine)
    assert_no_diff(engine, [models])


def test_what_is_reported_has_no_line_of_its_own() -> None:
    found = Differences(operations=("a\nb: 100%",), notes=("n",))
    assert found.github().splitlines() == [
        "::error title=models and database differ::a%0Ab: 100%25",
        "::notice title=models and database differ::n",
    ]
    assert Differences(sentences=("s",)).exit_code == 4
    assert Differences(notes=("n",)).exit_code == 0


def including(schemas: set[str | None]) -> dict[str, Any]:
    """What a user's own env.py has."""
    return {
        "include_schemas": True,
        "include_name": lambda name, kind, _: kind != "schema" or name in schemas,
        "include_object": lambda thing, *_: True,
        "compare_server_default": True,
    }


@pytest.mark.exhaustive
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_nothing_differs_in_the_pack(database: Database) -> None:
    filled(database)
    migrate(database, "upgrade", "head")
    for words in (("partitions", "maintain"), ("archive", "run"), ("ttl", "run", "--yes")):
        assert spawned(database, *words, timeout=None).returncode == 0
    done = subprocess.run(
        [sys.executable, "-m", "schema_kit", "diff", "-x", f"url={database.url}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "models and database are the same\n"), done.stderr
    schema_kit.assert_no_diff(database.sqlalchemy(), metadata)
    schemas = {table.schema for table in metadata.tables.values()}
    schema_kit.assert_no_diff(database.sqlalchemy(), metadata, **including(schemas))
