"""Our own operations, the sample project and the pack: nothing is found but rows and names that they take away."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from schema_kit.lint import judge
from tests.support.cli import ROOT
from tests.support.lint import kinds
from tests.support.matrix import longer
from tests.support.projects import CHAIN, TABLES, Project

pytestmark = [pytest.mark.lint, pytest.mark.majors]

TAKEN = {"rows_gone", "code_breaks"}
DRIVERS = {
    "psycopg": ("psycopg", "environment.run"),
    "psycopg2": ("psycopg2", "hand-written"),
    "asyncpg": ("asyncpg", "environment.run"),
}


@pytest.mark.exhaustive
@pytest.mark.parametrize("driver", longer(DRIVERS, "psycopg2", "asyncpg", mark=pytest.mark.deep))
def test_a_chain_that_calls_every_operation(driver: str, scratch: str, tmp_path: Path) -> None:
    config = Project("public", *DRIVERS[driver]).write(tmp_path / "p", scratch)
    config.attributes["before_and_after"] = []
    dump = tmp_path / "dump.sql"
    dump.write_text("CREATE SCHEMA said; CREATE TABLE said.notes (text text);" + TABLES, encoding="utf-8")
    report = judge(config, since="base", schema=dump, url=scratch)
    assert len(report.revisions) == len(CHAIN)
    found = {(one.kind, str(one.table)) for one in report.findings}
    assert not report.unjudged, report.text()
    assert found == {
        ("rows_gone", "public.gone"),
        ("code_breaks", "public.orders"),
        ("rows_gone", "public.visits_before_400__old"),  # its rows were copied, which no session can see
    }, report.text()


PROJECTS = {"tests/sample": {"order_columns": {"code_breaks"}, "refunds": {"rows_gone"}}, ".": {}}
"""Each project's folder, and the revisions of it in which something is found."""


def revisions() -> Iterator[tuple[str, str]]:
    for folder in PROJECTS:
        with chdir(ROOT / folder):
            found = list(ScriptDirectory.from_config(Config("alembic.ini")).walk_revisions())
        yield from ((folder, one.revision) for one in reversed(found))


@pytest.mark.exhaustive
@pytest.mark.parametrize(("folder", "revision"), list(revisions()))
def test_each_revision_of_a_project(folder: str, revision: str, scratch: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT / folder)
    found = kinds(judge(Config("alembic.ini"), [revision], url=scratch))
    assert found == PROJECTS[folder].get(revision, set())
