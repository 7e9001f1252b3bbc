"""The fixture for pytest, in a project of its own; sizes of production, from a file or a database."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from schema_kit.errors import DeclarationError, ExecutionError
from schema_kit.lint.production import sizes_of
from schema_kit.names import QualifiedName
from tests.support.lint import Project

pytestmark = [pytest.mark.lint]

TESTS = """
from pathlib import Path

def test_all_revisions(schema_kit_lint):
    assert schema_kit_lint(since="base", url={url!r}, schema=Path({schema!r})).exit_code == 0


def test_one_revision(schema_kit_lint):
    assert schema_kit_lint("good", url={url!r}, schema=Path({schema!r})).findings == ()
"""


def test_the_fixture_judges_the_project_that_is_tested(scratch: str, tmp_path: Path) -> None:
    project = Project.new(tmp_path / "p", scratch)
    project.revision("good", "op.create_table('t', sa.Column('id', sa.Integer, primary_key=True))")
    project.revision("bad", "op.drop_table('r')", below="good")
    schema = project.sql("schema.sql", "CREATE TABLE r (id int PRIMARY KEY)")
    (project.folder / "conftest.py").write_text('pytest_plugins = ["schema_kit.lint.fixture"]\n')
    (project.folder / "pytest.ini").write_text("[pytest]\n")
    (project.folder / "test_migrations.py").write_text(TESTS.format(url=scratch, schema=str(schema)))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", str(project.folder)]
    done = subprocess.run(command, cwd=project.folder, capture_output=True, text=True, check=False)
    assert "1 failed, 1 passed" in done.stdout, done.stdout + done.stderr
    assert "FAILED test_migrations.py::test_all_revisions" in done.stdout


def test_sizes_of_a_file_and_of_a_database(target: str, tmp_path: Path) -> None:
    with psycopg.connect(target, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA s; CREATE TABLE s.t AS SELECT g FROM generate_series(1, 5000) g; ANALYZE s.t")
        found = connection.execute("SELECT pg_total_relation_size('s.t')").fetchone()
    assert found is not None
    file = tmp_path / "sizes.json"
    file.write_text(json.dumps({"s.t": {"rows": 5000, "bytes": found[0]}}))
    of_file, of_database = sizes_of(str(file)), sizes_of(target.replace("postgresql://", "postgresql+psycopg://"))
    name = QualifiedName("s", "t")
    assert of_file.tables[name] == of_database.tables[name]


def test_sizes_that_cannot_be_read_are_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(DeclarationError, match="there is no such file, and it is not a URL"):
        sizes_of(str(tmp_path / "missing.json"))
    with pytest.raises(ExecutionError, match=r"--sizes: .*Nothing was judged"):
        sizes_of(f"postgresql://someone@/db?host={tmp_path}")
