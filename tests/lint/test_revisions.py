"""Which revisions are judged, in which order, from which state: branches, merges, depends_on, git."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from schema_kit.errors import DeclarationError
from tests.support.lint import Project, kinds

pytestmark = [pytest.mark.lint]


@pytest.fixture
def branched(scratch: str, tmp_path: Path) -> Project:
    """A start, two branches of it, one that depends on the other, and their merge."""
    project = Project.new(tmp_path / "p", scratch)
    project.revision("start", "op.execute('CREATE TABLE t (id int PRIMARY KEY, x int, y int)')", "op.drop_table('t')")
    project.revision("left", "op.create_index('ix', 't', ['x'])", "op.drop_index('ix')", below="start")
    project.revision("right", "op.create_index('iy', 't', ['y'])", "op.drop_index('iy')", below="start", depends="left")
    project.revision(
        "merged",
        "op.execute('ALTER INDEX ix RENAME TO iz')",
        "op.execute('ALTER INDEX iz RENAME TO ix')",
        below=("left", "right"),
    )
    return project


def test_the_heads_are_judged_where_nothing_is_named(branched: Project) -> None:
    report = branched.judge()
    assert (report.revisions, kinds(report)) == (("merged",), set())


def test_each_branch_is_judged_after_what_it_rests_on(branched: Project) -> None:
    report = branched.judge(since="start", twice=False)
    assert report.revisions == ("left", "right", "merged")
    assert [(one.revision, one.kind) for one in report.findings] == [("left", "blocks"), ("right", "blocks")]
    assert [one.revision for one in branched.judge("right", twice=False).findings] == ["right"]
    assert branched.judge(since="base", twice=False).revisions == ("start", "left", "right", "merged")
    assert branched.judge("right", "left", twice=False).revisions == ("left", "right")


@pytest.mark.exhaustive
def test_tables_of_the_judged_revisions_are_new(branched: Project) -> None:
    assert kinds(branched.judge(since="start", twice=False)) == {"blocks"}
    assert kinds(branched.judge("start", "left", twice=False)) == set()


def test_what_rests_on_one_that_was_not_judged_is_not_judged(scratch: str, tmp_path: Path) -> None:
    project = Project.new(tmp_path / "p", scratch)
    project.revision("one", "op.execute('DROP TABLE nowhere')")
    project.revision("two", "op.execute('CREATE TABLE t (id int)')", below="one")
    report = project.judge("one", "two")
    assert [one.revision for one in report.unjudged] == ["one", "two"]
    assert "presupposes" in report.unjudged[0].why
    assert report.exit_code == 1


def test_wrong_usage(branched: Project) -> None:
    with pytest.raises(DeclarationError, match="one of them"):
        branched.judge("left", since="start")
    with pytest.raises(DeclarationError, match="nowhere"):
        branched.judge("nowhere")
    with pytest.raises(DeclarationError, match="git"):
        branched.judge(since_git="no-such-branch")


@pytest.mark.exhaustive
def test_those_that_a_branch_of_git_lacks(branched: Project) -> None:
    def git(*arguments: str) -> None:
        own = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main"]
        subprocess.run(["git", *own, *arguments], cwd=branched.folder, check=True, capture_output=True)  # noqa: S607

    merged = branched.folder / "versions" / "merged.py"
    text = merged.read_text(encoding="utf-8")
    merged.unlink()
    git("init", "-b", "main")
    git("add", ".")
    git("commit", "-m", "one")
    git("checkout", "-b", "work")
    merged.write_text(text, encoding="utf-8")
    assert branched.judge(since_git="main", twice=False).revisions == ("merged",)
    right = branched.folder / "versions" / "right.py"
    right.write_text(right.read_text(encoding="utf-8") + "\n# changed\n", encoding="utf-8")
    git("add", ".")
    git("commit", "-m", "two")
    assert branched.judge(since_git="main", twice=False).revisions == ("right", "merged")


def test_nothing_to_judge_is_clean(scratch: str, tmp_path: Path) -> None:
    report = Project.new(tmp_path / "p", scratch).judge()
    assert (report.revisions, report.exit_code) == ((), 0)


@pytest.mark.parametrize(
    ("up", "why"),
    [
        ("import no_such_module", "an import fails: ModuleNotFoundError: No module named 'no_such_module'"),
        ("op.execute('CREATE EXTENSION no_such_extension')", "an extension is missing"),
        ("op.execute('ALTER TABLE nowhere ADD x int')", "presupposes"),
        ("op.get_bind().connection.set_session(autocommit=True)", "another driver than psycopg 3"),
        (
            "from psycopg2.extras import Json\nop.get_bind().connection.cursor().execute('SELECT %s', [Json({})])",
            "another",
        ),
    ],
)
def test_what_cannot_be_judged_is_never_green(up: str, why: str, scratch: str, tmp_path: Path) -> None:
    project = Project.new(tmp_path / "p", scratch)
    project.revision("one", up)
    report = project.judge("one")
    assert (report.exit_code, report.findings) == (1, ())
    assert why in report.unjudged[0].why


POOLED = """
import sys, types
from alembic import context
import sqlalchemy as sa

if "the_app_of_this_test" not in sys.modules:
    sys.modules["the_app_of_this_test"] = app = types.ModuleType("the_app_of_this_test")
    app.engine = sa.create_engine("postgresql+psycopg://owner@production.invalid/live", pool_size=1)
with sys.modules["the_app_of_this_test"].engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""


@pytest.mark.exhaustive
def test_an_engine_of_the_application_that_keeps_its_connections(scratch: str, tmp_path: Path) -> None:
    project = Project.new(tmp_path / "p", scratch, POOLED)
    project.revision("one", "op.execute('CREATE TABLE t (id int)')", "op.drop_table('t')")
    project.revision("two", "op.create_index('ix', 't', ['id'])", "op.drop_index('ix')", below="one")
    try:
        assert kinds(project.judge("two")) == {"blocks"}
        assert kinds(project.judge("one", "two")) == set()
    finally:
        sys.modules.pop("the_app_of_this_test")


def test_what_rests_on_one_that_fails(scratch: str, tmp_path: Path) -> None:
    project = Project.new(tmp_path / "p", scratch)
    project.revision("one", "op.execute('SELECT 1 / 0')")
    project.revision("two", "op.execute('CREATE TABLE t (id int)')", below="one")
    project.revision("three", "op.execute('CREATE TABLE u (id int)')")
    report = project.judge("one", "two", "three")
    assert [one.kind for one in report.findings] == ["fails"]
    assert "division by zero (22012)" in report.findings[0].evidence
    assert [one.revision for one in report.unjudged] == ["two"]


def test_a_broken_env_py_and_a_broken_dump_are_said(scratch: str, tmp_path: Path) -> None:
    project = Project.new(tmp_path / "p", scratch, "raise RuntimeError('no settings')\n")
    project.revision("one", "pass")
    assert "env.py fails: RuntimeError: no settings" in project.judge("one").unjudged[0].why
    dump = project.sql("dump.sql", "CREATE TABLE (")
    assert "cannot be loaded" in project.judge("one", schema=dump).unjudged[0].why


@pytest.mark.exhaustive
def test_what_a_run_leaves_when_it_ends(branched: Project) -> None:
    def databases() -> set[str]:
        with psycopg.connect(branched.scratch) as connection:
            found = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE 'schema\\_kit\\_lint\\_w%'")
            return {row[0] for row in found if f"_w_{os.getpid()}_" in row[0]}

    before = dict(os.environ), branched.config.get_main_option("sqlalchemy.url")
    assert kinds(branched.judge("left", "merged")) == {"blocks"}
    assert (dict(os.environ), branched.config.get_main_option("sqlalchemy.url")) == before
    assert databases() == set()
