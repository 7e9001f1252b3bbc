"""`schema_kit lint --fix`: what it writes is clean and ends as the original does; the rest stays, and says why."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from click.testing import CliRunner

from schema_kit.cli import cli
from schema_kit.lint.fix import rewrite
from schema_kit.lint.fix.source import Source
from tests.lint.cases import CASES, Case, schema
from tests.support.lint import Project
from tests.support.matrix import longer

pytestmark = [pytest.mark.lint, pytest.mark.majors]

STAY = {
    "column_stored": "PostgreSQL writes every row of the table again for a stored generated column",
    "column_json": "it still has type_trap",
    "type_wider_number": "PostgreSQL writes every row again to change",
    "type_narrower": "PostgreSQL writes every row again to change",
    "exclude": "PostgreSQL cannot build an exclusion constraint while others write",
    "vacuum_full": "VACUUM without FULL, or pg_repack does, in another way",
}
"""Of the labelled revisions those that stay as they are, and what is said; docs/lint.md names them, too."""
TAKE = {"column_required", "column_dropped", "table_dropped", "column_renamed", "table_renamed", "truncated"}
"""Those in which rows are gone, or the code that runs breaks, whatever way they are written."""
PLAIN = {"foreign_key_validated_in_tx", "exclude"}
DANGEROUS = [case for case in CASES if case.kind]


@pytest.mark.parametrize(
    "case", longer(DANGEROUS, *(case for case in DANGEROUS if case.name not in PLAIN)), ids=lambda case: case.name
)
def test_every_other_finding_is_removed(case: Case, scratch: str, tmp_path: Path) -> None:
    project = Project.new(tmp_path / case.name, scratch)
    path = project.revision(case.name, case.up)
    dump, before = project.sql("schema.sql", *schema(case)), path.read_text(encoding="utf-8")
    report = project.judge(case.name, schema=dump, fix=True)
    assert path.read_text(encoding="utf-8") == before  # judging writes nothing
    if case.name in STAY:
        assert [one.kind for one in report.findings] == [case.kind] * len(report.findings)
        assert (report.fixed, len(report.unfixed)) == ((), 1)
        assert STAY[case.name] in report.unfixed[0].why
        return
    left = {kind for one in report.findings for kind in one.kinds}
    assert left <= {"rows_gone", "code_breaks"}
    assert bool(left) == (case.name in TAKE)
    assert not report.unfixed
    for one in report.fixed:
        one.write()
    again = project.judge(*(report.fixed[0].revisions if report.fixed else [case.name]), schema=dump)
    assert {kind for one in again.findings for kind in one.kinds} == left, again.text()
    assert project.judge(case.name, schema=dump, fix=True, twice=False).fixed == ()


UP = """
op.add_column('t', sa.Column('z', sa.Integer))
op.create_index('ix', 't', ['z'])  # for the list
"""
DOWN = "op.drop_index('ix')\nop.drop_column('t', 'z')"


@pytest.fixture
def project(scratch: str, tmp_path: Path) -> Project:
    made = Project.new(tmp_path / "p", scratch)
    made.revision("one", "op.execute('CREATE TABLE t (id int PRIMARY KEY, x int)')", "op.drop_table('t')")
    made.revision("two", UP, DOWN, below="one")
    made.revision("three", "op.execute('ALTER TABLE t ADD y int')", "op.drop_column('t', 'y')", below="two")
    return made


def command(project: Project, *arguments: str, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    monkeypatch.chdir(project.folder)
    done = CliRunner().invoke(cli, ["lint", *arguments, "--url", project.scratch])
    return done.exit_code, done.output


def test_the_command_shows_and_then_writes_a_chain(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    files = sorted(project.folder.glob("versions/*.py"))
    texts = [path.read_text(encoding="utf-8") for path in files]
    code, shown = command(project, "two", "--fix", "--dry-run", monkeypatch=monkeypatch)
    assert (code, [path.read_text(encoding="utf-8") for path in files]) == (4, texts)
    assert sorted(project.folder.glob("versions/*.py")) == files
    assert "+    op.create_index_concurrently('ix', 't', ['z'])  # for the list\n" in shown
    code, said = command(project, "two", "--fix", monkeypatch=monkeypatch)
    assert (code, "fixed: two (versions/two.py), as two_1 and two\n" in said) == (0, True)
    script = ScriptDirectory.from_config(project.config)
    assert [one.revision for one in script.walk_revisions()] == ["three", "two", "two_1", "one"]
    assert command(project, "two_1", "two", monkeypatch=monkeypatch)[0] == 0
    body = Path(script.get_revision("two_1").path).read_text(encoding="utf-8")
    assert "    op.add_column('t', sa.Column('z', sa.Integer))\n\n\ndef downgrade():\n    op.drop_column" in body


def test_what_stays_is_said_with_its_line(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    path = project.revision("two", UP + "op.execute('CLUSTER t USING t_pkey')", below="one")
    before = path.read_text(encoding="utf-8")
    code, said = command(project, "two", "--fix", monkeypatch=monkeypatch)
    assert (code, path.read_text(encoding="utf-8")) == (4, before)
    assert "not fixed: two (versions/two.py): line 12: op.execute: no operation of schema_kit does it" in said


@pytest.mark.exhaustive
def test_what_ends_in_another_catalog_is_not_written(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    original = rewrite.rewritten

    def wrong(source: Source, asked: rewrite.Asked) -> object:
        return original(Source(source.text.replace("['z']", "['x']")), asked)

    monkeypatch.setattr("schema_kit.lint.fix.trial.rewritten", wrong)
    report = project.judge("two", fix=True)
    assert (report.fixed, report.exit_code) == ((), 4)
    assert (
        "ends in another catalog: - index public.ix ON public.t USING btree (z); + index public.ix"
        in report.unfixed[0].why
    )


@pytest.mark.exhaustive
def test_several_revisions_at_once(project: Project) -> None:
    project.revision(
        "four", "op.create_check_constraint('k', 't', 'x > 0')", "op.drop_constraint('k', 't')", below="three"
    )
    project.revision("five", "op.execute('UPDATE t SET y = 1')", below="four")
    report = project.judge(since="one", fix=True)
    assert [one.revisions for one in report.fixed] == [("two_1", "two"), ("four",), ("five",)]
    for one in report.fixed:
        one.write()
    assert project.judge(since="one").exit_code == 0


@pytest.mark.exhaustive
def test_without_libcst(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("schema_kit.lint.judging.find_spec", lambda _: None)
    code, _ = command(project, "two", "--fix", monkeypatch=monkeypatch)
    assert code == 1


BETWEEN = {
    "what_the_chain_itself_made": (
        "op.add_column('t', sa.Column('n', sa.Integer(), sa.Identity(always=True), nullable=False))",
        (),
    ),
    "what_one_transaction_puts_back": (
        "op.execute('ALTER TABLE t DISABLE TRIGGER ALL')\n"
        "op.execute('UPDATE t SET of = of')\n"
        "op.execute('ALTER TABLE t ENABLE TRIGGER ALL')",
        ("blocks",),
    ),
}


@pytest.mark.parametrize("name", BETWEEN)
def test_what_breaks_between_two_revisions(name: str, scratch: str, tmp_path: Path) -> None:
    up, left = BETWEEN[name]
    project = Project.new(tmp_path / name, scratch)
    project.revision(name, up)
    dump = project.sql("schema.sql", "CREATE TABLE t (id int PRIMARY KEY, of int REFERENCES t)")
    report = project.judge(name, schema=dump, fix=True)
    assert tuple(one.kind for one in report.findings) == left
    assert bool(report.fixed) == (not left)
