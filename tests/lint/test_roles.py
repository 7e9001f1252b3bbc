"""Roles that a dump or a revision names and the scratch server does not have; and those that an earlier run made."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from schema_kit.lint.roles import named
from tests.support.lint import Project, kinds

pytestmark = [pytest.mark.lint]


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("ALTER TABLE public.t OWNER TO app;", {"app"}),
        (
            'ALTER TABLE t OWNER TO "App-1";\nGRANT ALL ON t TO app, reader WITH GRANT OPTION;',
            {"App-1", "app", "reader"},
        ),
        ("REVOKE ALL ON SCHEMA public FROM PUBLIC", set()),
        ("ALTER DEFAULT PRIVILEGES FOR ROLE owner GRANT SELECT ON TABLES TO reader", {"owner", "reader"}),
        ("CREATE POLICY p ON t FOR SELECT TO reader USING (true)", {"reader"}),
        ("CREATE SCHEMA s AUTHORIZATION app", {"app"}),
        ("ALTER TABLE t RENAME TO app", set()),
        ("SELECT 'OWNER', a FROM t", set()),
    ],
)
def test_the_roles_of_a_text(sql: str, names: set[str]) -> None:
    assert named(sql) == names


def test_a_dump_with_owners_and_rights_is_loaded(scratch: str, tmp_path: Path) -> None:
    name = f"app_{secrets.token_hex(4)}"
    project = Project.new(tmp_path / "p", scratch)
    project.revision("one", "op.execute('ALTER TABLE t ADD y int')")
    dump = project.sql("dump.sql", "CREATE TABLE t (id int)", f"ALTER TABLE t OWNER TO {name}")
    report = project.judge("one", schema=dump, twice=False)
    assert (kinds(report), report.notes[-1:]) == (
        set(),
        (f"the role {name} is a stand-in: the scratch server does not have it",),
    )


@pytest.mark.exhaustive
def test_a_revision_that_creates_a_role_is_judged_twice(scratch: str, tmp_path: Path) -> None:
    name = f"made_{secrets.token_hex(4)}"
    project = Project.new(tmp_path / "p", scratch)
    project.revision("one", f"op.execute('CREATE ROLE {name}')\nop.execute('CREATE TABLE t (id int)')")
    assert [project.judge("one").exit_code for _ in range(2)] == [0, 0]


@pytest.mark.exhaustive
def test_rights_of_a_role_that_is_missing(scratch: str, tmp_path: Path) -> None:
    name = f"reader_{secrets.token_hex(4)}"
    project = Project.new(tmp_path / "p", scratch)
    project.revision("one", f"op.execute('CREATE TABLE t (id int)')\nop.execute('GRANT SELECT ON t TO {name}')")
    report = project.judge("one")
    assert (report.exit_code, report.notes[-1:]) == (
        0,
        (f"the role {name} is a stand-in: the scratch server does not have it",),
    )
