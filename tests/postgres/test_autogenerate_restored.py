"""What a downgrade makes again is what existed; what no operation does is said in the revision."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from schema_kit.declare import archived, complete, expiring, partitioned
from tests.support.autogenerate import Written, calls
from tests.support.database import Database
from tests.support.round_trips import catalog, same

pytestmark = [
    pytest.mark.autogenerate,
    pytest.mark.majors,
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning"),
]

C = sa.Column


def models(*items: Any, **options: Any) -> sa.MetaData:
    """A table of the name ``t "1"``, and its items."""
    metadata = sa.MetaData()
    sa.Table('t "1"', metadata, C("id", sa.BigInteger, primary_key=True), *items, **options)
    return metadata


def nothing(*_: Any) -> sa.MetaData:
    return sa.MetaData()


def small_serial() -> sa.MetaData:
    metadata = sa.MetaData()
    sa.Table("s", metadata, C("id", sa.SmallInteger, primary_key=True))
    return metadata


WORD = pg.DOMAIN("word", sa.Text, default=sa.text("'it'"), create_type=True)
GOES: dict[str, tuple[Callable[[], sa.MetaData], Callable[[], sa.MetaData]]] = {
    "a column with checks": (
        lambda: models(
            C("a", sa.Integer), C("b", sa.Integer), sa.CheckConstraint("a > b", name="c 1"), sa.CheckConstraint("a > 0")
        ),
        lambda: models(C("b", sa.Integer)),
    ),
    "a column whose domain has a default": (lambda: models(C("a", WORD)), models),
    "a table whose domain has a default": (lambda: models(C("a", WORD)), nothing),
    "a table with a small serial": (small_serial, nothing),
    "a partitioned table with a policy": (
        lambda: models(
            C("at", sa.DateTime(timezone=True), primary_key=True),
            sa.Index("i", "at"),
            partitioned("at", "1 month", premake=2, retention="2 years", default_partition=True),
        ),
        nothing,
    ),
    "an index that becomes a constraint's": (
        lambda: models(C("a", sa.Integer), sa.Index("u", "a", unique=True)),
        lambda: models(C("a", sa.Integer), sa.UniqueConstraint("a", name="u")),
    ),
    "an unlogged table with storage parameters": (
        lambda: models(
            C("a", sa.Text),
            prefixes=["UNLOGGED"],
            postgresql_with={"fillfactor": 70, "toast.autovacuum_enabled": False},
        ),
        nothing,
    ),
}


@pytest.mark.parametrize("case", GOES)
def test_it_is_made_again(database: Database, tmp_path: Path, case: str) -> None:
    before, after = (make() for make in GOES[case])
    with database.sqlalchemy() as connection:
        before.create_all(connection)
    was = catalog(database)
    project = Written(tmp_path, database.url, before)
    assert project.diffs() == []
    project.models = after
    project.revision()
    project.upgrade()
    assert project.diffs() == []
    project.downgrade("base")
    assert same(catalog(database), was)


def test_sequences_of_new_columns_are_made_with_them(database: Database, tmp_path: Path) -> None:
    numbers = sa.Sequence("N 1", start=7)
    old, new = models(), models(C("n", sa.Integer, numbers, server_default=numbers.next_value()))
    sa.Table("u", new, C("m", sa.Integer, sa.Sequence("m_seq"), primary_key=True))
    with database.sqlalchemy() as connection:
        old.create_all(connection)
    was = catalog(database)
    project = Written(tmp_path, database.url, new)
    project.revision()
    project.upgrade()
    assert project.diffs() == []
    assert database.sql("SELECT nextval('\"N 1\"'), nextval('m_seq')") == [(7, 1)]
    project.downgrade("base")
    assert same(catalog(database), was)


def test_enums_that_are_texts_under_a_naming_convention(database: Database, tmp_path: Path) -> None:
    def colours(*values: str) -> sa.MetaData:
        metadata = sa.MetaData(naming_convention={"ck": "ck_%(table_name)s_%(constraint_name)s"})
        kind = sa.Enum(*values, name="kind", native_enum=False, create_constraint=True)
        sa.Table("t", metadata, C("id", sa.Integer, primary_key=True), C("kind", kind))
        return metadata

    with database.sqlalchemy() as connection:
        colours("a", "b").create_all(connection)
    project = Written(tmp_path, database.url, colours("a", "b", "long"))
    project.revision()
    project.upgrade()
    assert project.diffs() == []
    project.downgrade("base")
    assert database.sql("SELECT conname FROM pg_constraint WHERE conrelid = 't'::regclass AND contype = 'c'") == [
        ("ck_t_kind",)
    ]


def test_a_virtual_column_of_a_table_with_a_check_is_left(database: Database, tmp_path: Path) -> None:
    if database.connect().info.server_version < 180000:
        pytest.skip("virtual generated columns come with PostgreSQL 18")

    def doubled(expression: str) -> sa.MetaData:
        computed = C("n", sa.Integer, sa.Computed(expression, persisted=False))
        return models(C("a", sa.Integer), computed, sa.CheckConstraint("a > 0", name="c"))

    with database.sqlalchemy() as connection:
        doubled("a * 2").create_all(connection)
    project = Written(tmp_path, database.url, doubled("a * 3"))
    assert "op.execute" not in "".join(project.revision())
    assert any("in a table with checks" in one for one in project.sentences)


def test_a_column_of_the_key_that_models_allow_to_be_null(database: Database, tmp_path: Path) -> None:
    at = C("at", sa.DateTime(timezone=True), primary_key=True)
    with database.sqlalchemy() as connection:
        models(at, partitioned("at", "1 month", premake=2)).create_all(connection)
    assert Written(tmp_path, database.url, models(C("at", sa.DateTime(timezone=True)))).diffs() == []


def parted(*items: Any, all_of_them: bool = False) -> sa.MetaData:
    metadata = sa.MetaData()
    sa.Table(
        "Ev ents",
        metadata,
        C("at", sa.DateTime(timezone=True), primary_key=True),
        C("id", sa.BigInteger, primary_key=True, autoincrement=False),
        *items,
    )
    if all_of_them:
        complete(metadata)
    return metadata


def test_an_archive_and_a_time_to_live_come_with_a_conversion(database: Database, tmp_path: Path) -> None:
    with database.sqlalchemy() as connection:
        parted().create_all(connection)
    declared = partitioned("at", "1 month"), archived("90 days"), expiring("at", age="2 years")
    project = Written(tmp_path, database.url, parted(*declared))
    scripts = project.revision()
    assert [name for script in scripts for name in calls(script)] == [
        "convert_to_partitioned",
        "create_archive_table",
        "set_archive_policy",
        "set_ttl_policy",
    ]
    project.upgrade()
    assert project.diffs() == []
    project.downgrade("base")
    assert database.sql("SELECT relkind::text FROM pg_class WHERE relname = 'Ev ents'") == [("r",)]


def test_an_archive_goes_before_the_partitions_that_it_needs(database: Database, tmp_path: Path) -> None:
    with database.sqlalchemy() as connection:
        parted(partitioned("at", "1 month"), archived("90 days")).create_all(connection)
    was = catalog(database)
    project = Written(tmp_path, database.url, parted(all_of_them=True))
    project.revision()
    project.upgrade()
    assert project.diffs() == []
    project.downgrade("base")
    assert same(catalog(database), was)


# Values that an enum has too many


def test_a_value_that_the_model_lost_is_said_until_a_check_refuses_it(database: Database, tmp_path: Path) -> None:
    database.sql("CREATE TYPE mood AS ENUM ('good', 'bad', 'so ''so')")
    mood = sa.Enum("good", "bad", name="mood")
    database.sql('CREATE TABLE "t ""1""" (id bigserial PRIMARY KEY, mood mood, moods mood[])')
    project = Written(tmp_path, database.url, models(C("mood", mood), C("moods", pg.ARRAY(mood))))
    (script,) = project.revision()
    said = ast.get_docstring(ast.parse(script)) or ""
    assert "The enum \"mood\" has 'so ''so', and its model does not" in said
    assert 'public."t ""1"""."mood", public."t ""1"""."moods" IN' in said
    assert "RENAME VALUE" not in said
    assert calls(script) == []
    project.upgrade()
    checks = (
        sa.CheckConstraint("mood IN ('good', 'bad')", name="mood_is"),
        sa.CheckConstraint("moods <@ ARRAY['good', 'bad']::mood[]", name="moods_are"),
    )
    project.models = models(C("mood", mood), C("moods", pg.ARRAY(mood)), *checks)
    scripts = project.revision()
    assert [name for one in scripts for name in calls(one)] == ["create_check_constraint_concurrently"] * 2
    project.upgrade()
    assert (project.diffs(), project.sentences) == ([], [])


def test_a_value_with_another_name_is_added_and_the_former_one_said(database: Database, tmp_path: Path) -> None:
    database.sql("CREATE TYPE mood AS ENUM ('good', 'bad')")
    database.sql('CREATE TABLE "t ""1""" (id bigserial PRIMARY KEY, mood mood)')
    project = Written(tmp_path, database.url, models(C("mood", sa.Enum("good", "evil", name="mood"))))
    (script,) = project.revision()
    assert calls(script) == ["add_enum_value_concurrently"]
    assert "If it is only renamed" in script
    project.upgrade()
    assert project.diffs() == []


def test_a_foreign_key_sets_some_of_its_columns(database: Database, tmp_path: Path) -> None:
    if database.connect().info.server_version < 150000:
        pytest.skip("ON DELETE SET NULL (...) is of PostgreSQL 15")

    def referencing(action: str | None) -> sa.MetaData:
        metadata = sa.MetaData()
        sa.Table("a", metadata, C("x", sa.Integer, primary_key=True), C("y", sa.Integer, primary_key=True))
        keys = [sa.ForeignKeyConstraint(["x", "Y 1"], ["a.x", "a.y"], name="f", ondelete=action)] if action else []
        sa.Table("b", metadata, C("x", sa.Integer), C("Y 1", sa.Integer), *keys)
        return metadata

    with database.sqlalchemy() as connection:
        referencing(None).create_all(connection)
    project = Written(tmp_path, database.url, referencing('SET NULL ("Y 1")'))
    assert calls(project.revision()[0]) == ["create_foreign_key_concurrently"]
    project.upgrade()
    assert project.diffs() == []
    definition = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'f'"
    assert database.sql(definition)[0][0].endswith('ON DELETE SET NULL ("Y 1")')


def test_a_check_that_prints_otherwise_a_second_time_is_made_once(database: Database, tmp_path: Path) -> None:
    """PostgreSQL makes ``ARRAY[...]::text[]`` of IN, and casts each element when it reads that again."""

    def checked(*checks: Any) -> sa.MetaData:
        return parted(C("b", sa.String(9)), partitioned("at", "1 month"), *checks)

    with database.sqlalchemy() as connection:
        checked().create_all(connection)
    project = Written(tmp_path, database.url, checked(sa.CheckConstraint("b NOT IN ('x', 'y')", name="not_x")))
    assert calls(project.revision()[0]) == ["create_check_constraint_concurrently"]
    project.upgrade()
    assert project.diffs() == []


def test_alembics_own_comparison_of_checks_drops_one(database: Database, tmp_path: Path) -> None:
    pytest.importorskip("alembic.ext.checkconstraint_byname")
    plugins = ["alembic.autogenerate.*", "alembic.ext.checkconstraint_byname"]
    with database.sqlalchemy() as connection:
        models(C("a", sa.Integer), sa.CheckConstraint("a > 0 AND a <> 5", name="c 1")).create_all(connection)
    was = catalog(database)
    options = {"autogenerate_plugins": plugins}
    project = Written(tmp_path, database.url, models(C("a", sa.Integer)), options=options)
    assert [name for one in project.revision() for name in calls(one)] == ["drop_constraint_concurrently"]
    project.upgrade()
    assert project.diffs() == []
    project.downgrade("base")
    assert same(catalog(database), was)
