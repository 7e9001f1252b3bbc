"""Several revisions are judged by one run of env.py where that goes; what is found is the same where it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from schema_kit.lint import Report, judging
from schema_kit.lint.report import FORMATS
from tests.support.lint import ENV, Project

pytestmark = [pytest.mark.lint, pytest.mark.majors]

BEGUN = ENV.replace("    context.configure(", "    connection.begin()\n    context.configure(")
TWICE = ENV + "    with context.begin_transaction():\n        context.run_migrations()\n"
ONE_TRANSACTION = ENV.replace(", transaction_per_migration=True", "")
OURS = """
from alembic import context
from schema_kit import environment
environment.run(url=context.config.get_main_option("sqlalchemy.url"))
"""
ENVS = {"as it comes": ENV, "one transaction": ONE_TRANSACTION, "begun before": BEGUN, "twice": TWICE, "ours": OURS}


def project(folder: Path, scratch: str, env: str = ENV) -> Project:
    """A start, two branches that end in two heads, one of which depends on the other, and each kind of statement."""
    made = Project.new(folder / "p", scratch, env)
    made.revision("start", "op.execute('CREATE TABLE t (id int PRIMARY KEY, x int, y int)')", "op.drop_table('t')")
    made.revision(
        "old", "op.execute('CREATE TABLE u (id int PRIMARY KEY, x int)')", "op.drop_table('u')", below="start"
    )
    made.revision("left", "op.create_index('ix', 't', ['x'])\nop.execute('UPDATE u SET x = 1')", below="old")
    block = (
        "with op.get_context().autocommit_block():\n    op.create_index('iz', 'u', ['x'], postgresql_concurrently=True)"
    )
    made.revision("lower", block, "op.drop_index('iz')", below="left")
    made.revision("right", "op.drop_column('t', 'y')", below="old", depends="left")
    made.revision("kit", "kit.set_not_null_concurrently('t', 'x')\nkit.update_in_batches('t', {'x': 1})", below="right")
    return made


def judged(
    one: Project, monkeypatch: pytest.MonkeyPatch, *, together: bool, **more: object
) -> tuple[Report, list[bool]]:
    went, original = list[bool](), judging._Judge._together

    def tried(self: judging._Judge, template: str) -> bool:
        went.append(together and original(self, template))
        return went[-1]

    with monkeypatch.context() as patch:
        patch.setattr(judging._Judge, "_together", tried)
        return one.judge(since="old", twice=False, **more), went


@pytest.mark.parametrize(
    "env", ["as it comes", *(pytest.param(one, marks=pytest.mark.exhaustive) for one in list(ENVS)[1:])]
)
def test_what_is_found_is_the_same(env: str, scratch: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = project(tmp_path, scratch, ENVS[env])
    fast, went = judged(one, monkeypatch, together=True)
    slow, _ = judged(one, monkeypatch, together=False)
    assert went == [env not in ("begun before", "twice")]
    assert fast.revisions == ("left", "lower", "right", "kit")
    assert [(found.revision, found.kind, found.transaction) for found in fast.findings] == [
        ("left", "blocks", 1), ("left", "whole_table", 1), ("right", "code_breaks", 1),
    ] or env in ("begun before", "twice")  # fmt: skip
    assert [fast.render(form) for form in FORMATS] == [slow.render(form) for form in FORMATS]


@pytest.mark.exhaustive
def test_one_that_fails_or_goes_elsewhere(scratch: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for place, up in enumerate(
        ("op.execute('SELECT 1 / 0')", "import psycopg; psycopg.connect('host=nowhere.invalid')")
    ):
        one = project(tmp_path / str(place), scratch)
        one.revision("right", up, below="old", depends="left")
        fast, went = judged(one, monkeypatch, together=True)
        slow, _ = judged(one, monkeypatch, together=False)
        assert (went, fast.render()) == ([False], slow.render())
        assert "kit, " not in fast.render()
        assert [entry.revision for entry in fast.unjudged] == (["kit"] if place == 0 else ["right", "kit"])


@pytest.mark.exhaustive
def test_two_heads(scratch: str, tmp_path: Path) -> None:
    one = project(tmp_path, scratch)
    reports = [one.judge("heads"), one.judge("kit", "lower"), one.judge()]
    assert {report.revisions for report in reports} == {("kit", "lower")}
    assert len({report.render("json") for report in reports}) == 1
    assert one.judge("lower").revisions == ("lower",)
    first = one.judge(since="old")
    assert (first.revisions, first.render("json")) == (
        ("left", "lower", "right", "kit"),
        one.judge(since="old").render("json"),
    )
