"""What blocks a table that exists is replaced in upgrade and downgrade, in revisions that run up, down and up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.operations import MigrateOperation
from alembic.operations.ops import DropConstraintOp, UpgradeOps
from sqlalchemy.dialects import postgresql

import schema_kit
from schema_kit.autogenerate import Safe, last
from schema_kit.errors import DeclarationError
from tests.support.autogenerate import Written, body, calls
from tests.support.database import Database

pytestmark = [pytest.mark.autogenerate, pytest.mark.majors, pytest.mark.libraries]


def before() -> sa.MetaData:
    metadata = sa.MetaData()
    sa.Table("people", metadata, sa.Column("id", sa.BigInteger, primary_key=True))
    orders = sa.Table(
        "orders",
        metadata,
        sa.Column("id", sa.BigInteger, primary_key=True),
        sa.Column("total", sa.Integer),
        sa.Column("name", sa.String(20)),
        sa.Column("code", sa.Text),
        sa.Column("gone", sa.Text),
        sa.Column("person", sa.BigInteger, sa.ForeignKey("people.id")),
        sa.UniqueConstraint("code", name="one_code"),
    )
    sa.Index("by_total", orders.c.total)
    sa.Index("by_gone", orders.c.gone, postgresql_ops={"gone": "text_pattern_ops"}, postgresql_where="gone <> 'x:y'")
    kept = sa.Table("kept", metadata, sa.Column("id", sa.BigInteger, primary_key=True), sa.Column("word", sa.Text))
    sa.Index("by_word", kept.c.word)
    sa.Table("part", metadata, sa.Column("id", sa.BigInteger, sa.ForeignKey("kept.id"), primary_key=True))
    return metadata


def after(key: str | None = None) -> sa.MetaData:
    metadata = sa.MetaData()
    sa.Table("people", metadata, sa.Column("id", sa.BigInteger, primary_key=True))
    orders = sa.Table(
        "orders",
        metadata,
        sa.Column("id", sa.BigInteger, primary_key=True),
        sa.Column("total", sa.Integer, nullable=False),
        sa.Column("name", sa.Text),
        sa.Column("code", sa.Text, comment="of ours"),
        sa.Column("person", sa.BigInteger),
        sa.Column("key", sa.Uuid, server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("kind", sa.Integer),
        sa.UniqueConstraint("total", "name", name=key and f"{key}_total"),
        sa.CheckConstraint("total > 0"),
        sa.ForeignKeyConstraint(["kind"], ["kinds.id"], name=key and f"{key}_kind"),
    )
    sa.Index("by_total", orders.c.total.desc())
    sa.Index("by_name", sa.func.lower(orders.c.name), postgresql_concurrently=True)
    kinds = sa.Table("kinds", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("word", sa.Text))
    sa.Index("kinds_word", kinds.c.word, postgresql_concurrently=True)
    return metadata


ROWS = ("INSERT INTO people VALUES (1)", "INSERT INTO orders (id, total, name, person) VALUES (1, 1, 'x', 1)")

UP = [
    ["create_table", "create_index", "alter_column"],
    ["add_column"],
    ["add_column_concurrently"],
    ["alter_column_concurrently"],
    [
        "create_check_constraint_concurrently",
        "create_foreign_key_concurrently",
        "create_index_concurrently",
        "create_unique_constraint_concurrently",
        "drop_constraint_concurrently",
        "drop_index_concurrently",
        "replace_index_concurrently",
        "set_not_null_concurrently",
    ],
    [
        "drop_column_concurrently",
        "drop_index_concurrently",
        "drop_table_concurrently",
        "drop_table_concurrently",
    ],
]


def begin(database: Database, folder: Path, env: str = "environment.run", **options: Any) -> Written:
    project = Written(folder, database.url, before(), env, options)
    with database.sqlalchemy() as connection:
        project.models.create_all(connection)
    database.sql(*ROWS)
    assert project.diffs() == []
    project.models = after()
    return project


@pytest.mark.parametrize("env", ["environment.run", "hand-written"])
def test_it_runs_up_down_up(database: Database, tmp_path: Path, env: str) -> None:
    project = begin(database, tmp_path, env)
    assert len(project.diffs()) > 10
    scripts = project.revision("a change")
    for text, expected in zip(scripts, UP, strict=True):
        if expected[0] in ("create_table", "drop_column_concurrently"):
            assert sorted(calls(text)) == sorted(expected)
        else:
            assert sorted(set(calls(text))) == sorted(expected)
    assert "deploy the code without it first" in scripts[-1]
    project.upgrade()
    assert project.diffs() == []
    project.downgrade("base")
    schema_kit.assert_no_diff(database.sqlalchemy(), before())
    with pytest.raises(AssertionError, match=r"op\.create_table"):
        schema_kit.assert_no_diff(database.sqlalchemy(), after())
    project.upgrade()
    assert project.diffs() == []


def test_switched_off_it_is_what_alembic_writes(database: Database, tmp_path: Path) -> None:
    project = begin(database, tmp_path / "ours", drift=False, safe=False)
    project.models = after("named")
    (ours,) = project.revision()
    theirs = begin_stock(database, tmp_path / "stock")
    assert (body(ours), body(ours, "downgrade")) == (body(theirs), body(theirs, "downgrade"))


def begin_stock(database: Database, folder: Path) -> str:
    project = Written(folder, database.url, after("named"), "hand-written")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(last, "drift_of", lambda _: frozenset())
        patch.setattr(last, "safe_of", lambda _: Safe(()))
        (script,) = project.revision()
    return script


@pytest.mark.parametrize("env", ["environment.run", "hand-written"])
def test_kinds_and_sizes_are_switches(database: Database, tmp_path: Path, env: str) -> None:
    metadata = before()
    sa.Index("by_code", metadata.tables["orders"].c.code)
    metadata.tables["people"].append_column(sa.Column("age", sa.Integer, sa.CheckConstraint("age > 0"), index=True))
    project = begin(database, tmp_path)
    project.models, project.env = metadata, env
    name = "safe" if env == "environment.run" else "schema_kit_safe"
    found = []
    for number, safe in enumerate((Safe(rows=5), Safe(kinds={"drop_column"}), False, True)):
        project.options = {name: safe}
        (tmp_path / str(number)).mkdir()
        found.append(sorted(str(diff[0]) for diff in project.diffs()))
    small, kinds, off, on = found
    assert small == kinds == off == ["add_column", "add_index", "add_index", "create_check_constraint_concurrently"]
    assert on == [
        "add_column",
        "create_check_constraint_concurrently",
        "create_index_concurrently",
        "create_index_concurrently",
    ]
    with pytest.raises(DeclarationError, match="unheard"):
        Safe(kinds=["unheard"])


def test_hooks_and_operations_of_users_stay(database: Database, tmp_path: Path) -> None:
    seen: list[list[str]] = []

    class Theirs(MigrateOperation):
        def reverse(self) -> MigrateOperation:
            return Theirs()

        def to_diff_tuple(self) -> tuple[str]:
            return ("theirs",)

    def hook(_: Any, __: Any, directives: list[Any]) -> None:
        assert len(directives) == 1
        upgrade: UpgradeOps = directives[0].upgrade_ops
        seen.append([type(one).__name__ for one in upgrade.ops])
        directives[0].rev_id = "0007"
        upgrade.ops[:] = [one for one in upgrade.ops if not isinstance(one, DropConstraintOp)] + [Theirs()]

    project = begin(database, tmp_path)
    project.options = {
        "process_revision_directives": hook,
        "include_object": lambda thing, *_: getattr(thing, "name", None) != "by_name",
        "include_name": lambda name, kind, _: kind != "table" or name not in ("kept", "part"),
    }
    found = [diff[0] if isinstance(diff, tuple) else diff[0][0] for diff in project.diffs()]
    assert found[-1] == "theirs"
    assert "drop_table_concurrently" not in found
    assert found.count("create_index_concurrently") == 0
    assert len(seen) == 1


def test_two_hooks_follow_one_another_and_the_last_revision_has_the_name(database: Database, tmp_path: Path) -> None:
    def hook(_: Any, __: Any, directives: list[Any]) -> None:
        directives[0].rev_id = "0007"

    project = begin(database, tmp_path, process_revision_directives=hook)
    scripts = project.revision()
    assert "revision: str = '0007'" in scripts[-1]
    assert len(scripts) == len(UP)
    assert project.head() == "0007"


def test_a_dropped_partitioned_table_comes_back_partitioned(database: Database, tmp_path: Path) -> None:
    database.sql(
        "CREATE TABLE t (k int, w text) PARTITION BY RANGE (k)",
        "CREATE INDEX w ON t (w)",
        "CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (9)",
    )
    project = Written(tmp_path, database.url, sa.MetaData(), "hand-written")
    (script,) = project.revision()
    assert calls(script) == ["drop_index_concurrently", "drop_table_concurrently"]
    assert calls(script, "downgrade") == ["create_table", "create_index"]
    project.upgrade()
    project.downgrade("base")
    assert database.sql("SELECT pg_get_partkeydef('t'::regclass)") == [("RANGE (k)",)]


def test_a_type_that_rewrites_stays_alembics_and_a_sentence(database: Database, tmp_path: Path) -> None:
    metadata = before()
    metadata.tables["orders"].c.total.type = sa.BigInteger()
    metadata.tables["orders"].c.name.type = sa.String(30)
    project = begin(database, tmp_path)
    project.models = metadata
    scripts = project.revision()
    assert [calls(script) for script in scripts] == [["alter_column"], ["alter_column_concurrently"]]
    assert [calls(script, "downgrade") for script in scripts] == [["alter_column"], ["alter_column"]]
    assert "To make total of public.orders BIGINT" in project.sentences[0]
    project.upgrade()
    project.downgrade("base")
    project.upgrade()
    assert project.diffs() == []


def test_names_of_a_convention_stay(database: Database, tmp_path: Path) -> None:
    def metadata(more: bool) -> sa.MetaData:
        made = sa.MetaData(naming_convention={"ck": "ck_%(table_name)s_%(constraint_name)s", "ix": "ix_%(table_name)s"})
        table = sa.Table("t", made, sa.Column("id", sa.Integer, primary_key=True), sa.Column("n", postgresql.JSONB))
        if more:
            table.append_constraint(sa.CheckConstraint("id > 0", name="positive"))
            sa.Index(None, table.c.n, postgresql_using="gin")
        return made

    project = Written(tmp_path, database.url, metadata(False))
    with database.sqlalchemy() as connection:
        project.models.create_all(connection)
    project.models = metadata(True)
    text = "".join(project.revision())
    assert "op.f('ck_t_positive')" in text
    project.upgrade()
    assert project.diffs() == []
    assert database.sql("SELECT conname FROM pg_constraint WHERE contype = 'c' AND conrelid <> 0") == [
        ("ck_t_positive",)
    ]
