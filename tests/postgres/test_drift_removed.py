"""What Alembic leaves as it is of constraints and generated columns: one change, its operation, and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from schema_kit.autogenerate import DRIFT
from tests.support.autogenerate import Written, calls
from tests.support.database import Database
from tests.support.round_trips import catalog

pytestmark = [
    pytest.mark.autogenerate,
    pytest.mark.majors,
    pytest.mark.libraries,
    pytest.mark.filterwarnings("ignore:Computed default"),  # Alembic's own
    pytest.mark.filterwarnings("ignore:Can't validate argument 'dialect_options'"),  # SQLAlchemy's, of NOT VALID
]

PARENTS = ("CREATE TABLE base (id bigint)", "CREATE TABLE other (id bigint)")
Items = Callable[[], list[Any]]


def models(*items: Any, convention: dict[str, str] | None = None, **options: Any) -> sa.MetaData:
    metadata = sa.MetaData(naming_convention=convention)
    sa.Table("people", metadata, sa.Column("id", sa.BigInteger, primary_key=True))
    columns: list[sa.Column[Any]] = [sa.Column("a", sa.Integer), sa.Column("b", sa.String(20))]
    columns.append(sa.Column("person", sa.BigInteger))
    given = {str(one.name) for one in items if isinstance(one, sa.Column)}
    key = [] if any(isinstance(one, sa.PrimaryKeyConstraint) for one in items) else [sa.PrimaryKeyConstraint("id")]
    own = [sa.Column("id", sa.BigInteger, nullable=False, autoincrement=False)]
    rest: list[sa.Column[Any]] = [one for one in columns if one.name not in given]
    every: list[Any] = [*own, *rest, *items, *key]
    sa.Table("t", metadata, *every, **options)
    return metadata


def check(text: str = "a > 0", name: str | None = "positive", **words: Any) -> Items:
    return lambda: [sa.CheckConstraint(text, name=name, **words)]


def key(name: str | None, **words: Any) -> Items:
    return lambda: [sa.PrimaryKeyConstraint("id", name=name, **words)]


def foreign(comment: str | None = None, **words: Any) -> Items:
    return lambda: [sa.ForeignKeyConstraint(["person"], ["people.id"], name="of", comment=comment, **words)]


def unique(*columns: str, **words: Any) -> Items:
    return lambda: [sa.UniqueConstraint(*columns, name="Once", **words)]


def generated(text: str, persisted: bool | None = True) -> Items:
    return lambda: [sa.Column("g", sa.Integer, sa.Computed(text, persisted=persisted))]


def nothing() -> list[Any]:
    return []


DROP, CREATE, RUN = ("drop_constraint_concurrently",), ("create_check_constraint_concurrently",), ("execute",)
AGAIN, OTHER = (*DROP, "create_unique_constraint_concurrently"), (*DROP, "create_foreign_key_concurrently")


@dataclass(frozen=True)
class Case:
    """Items of a table before and after, and the operations; else words of the sentence."""

    before: Items
    after: Items
    up: tuple[str, ...] = ()
    down: tuple[str, ...] = ()
    says: str = ""
    since: int = 14


CASES = {
    "a named check": Case(check(), nothing, DROP, CREATE),
    "a check without a name": Case(check(name=None), nothing, DROP, CREATE),
    "another check without a name": Case(check(name=None), check("a > 1", None), (*CREATE, *DROP), (*CREATE, *DROP)),
    "one of two": Case(lambda: [*check()(), *check("a > 1", None)()], check("a > 1", None), DROP, CREATE),
    "a check of an enum": Case(
        lambda: [sa.Column("b", sa.Enum("x", "y", native_enum=False, length=20, create_constraint=True, name="of_b"))],
        lambda: [sa.Column("b", sa.Enum("x", "y", native_enum=False, length=20, name="of_b"))],
        DROP,
        CREATE,
    ),
    "the name of the key": Case(key("old key"), key("t_key"), RUN, RUN),
    "a comment on a check": Case(check(), check(comment="it's: 100%"), RUN, RUN),
    "another comment on a key": Case(key("k", comment="one"), key("k", comment="two"), RUN, RUN),
    "no comment on a foreign key": Case(foreign("one"), foreign(), RUN, RUN),
    "a check with a comment": Case(nothing, check(comment="new"), (*CREATE, *RUN), DROP),
    "no check with a comment": Case(check(comment="old"), nothing, (*RUN, *DROP), (*CREATE, *RUN)),
    "another check with a comment": Case(
        check(comment="one"),
        check("a > 1", comment="two"),
        (*RUN, *DROP, *CREATE, *RUN),
        (*DROP, *CREATE, *RUN),
    ),
    "no foreign key with a comment": Case(
        foreign("of whom"), nothing, (*RUN, *DROP), ("create_foreign_key_concurrently", *RUN)
    ),
    "the order of a key": Case(unique("a", "b"), unique("b", "a"), AGAIN, AGAIN),
    "a key that includes": Case(unique("a"), unique("a", postgresql_include=["b"]), AGAIN, AGAIN),
    "a key that is deferred": Case(unique("a", initially="DEFERRED"), unique("a"), AGAIN, AGAIN),
    "a foreign key that matches": Case(foreign(match="FULL"), foreign(), OTHER, OTHER),
    "a primary key that includes": Case(
        key("k"),
        key("k", postgresql_include=["a"]),
        says="PRIMARY KEY (id), and its model says PRIMARY KEY (id) INCLUDE",
    ),
    "a collation": Case(
        lambda: [sa.Column("b", sa.Text)],
        lambda: [sa.Column("b", sa.Text(collation="C"))],
        says="has the collation of its type, and its model says C",
    ),
    "stored": Case(generated("a * 2"), generated("a * 3"), says="generated by (a * 2), and its model says a * 3"),
    "virtual": Case(generated("a * 2", False), generated("a * 3", False), RUN, RUN, since=18),
    "virtual, not stored": Case(
        generated("a * 2"), generated("a * 2", False), says="is stored, and its model says virtual", since=18
    ),
    "generated no more": Case(
        generated("a * 2"), lambda: [sa.Column("g", sa.Integer)], says="generated in the database, and not in its model"
    ),
    "generated by now": Case(
        lambda: [sa.Column("g", sa.Integer)], generated("a * 2"), says="generated in its model, and not in the database"
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_one_change_is_its_operation(database: Database, tmp_path: Path, case: str) -> None:
    one = CASES[case]
    if database.connect().info.server_version < one.since * 10000:
        pytest.skip("PostgreSQL has it from a later version on")
    if one.since == 18 and sa.__version__ < "2.1":
        pytest.skip("SQLAlchemy makes virtual columns from 2.1 on")
    before, after = models(*one.before()), models(*one.after())
    project = Written(tmp_path, database.url, before)
    with database.sqlalchemy() as connection:
        before.create_all(connection)
    assert (project.diffs(), project.sentences) == ([], [])
    was = catalog(database)
    project.models = after
    if one.says:
        assert project.diffs() == []
        assert [one.says in said for said in project.sentences] == [True]
        return
    scripts = project.revision()
    up = [call for script in scripts for call in calls(script)]
    down = [call for script in reversed(scripts) for call in calls(script, "downgrade")]
    assert (tuple(up), tuple(down)) == (one.up, one.down)
    project.upgrade()
    assert (project.diffs(), project.sentences) == ([], [])
    done = catalog(database)
    project.downgrade("base")
    assert catalog(database) == was
    project.upgrade()
    assert catalog(database) == done


@pytest.mark.filterwarnings("ignore:Could not parse CHECK")  # SQLAlchemy's
def test_what_is_not_enforced_is_a_sentence(database: Database, tmp_path: Path) -> None:
    if database.connect().info.server_version < 180000:
        pytest.skip("PostgreSQL has it from 18 on")
    project = Written(tmp_path, database.url, models(*check()(), *foreign()()))
    with database.sqlalchemy() as connection:
        project.models.create_all(connection)
    for condition in ("a > 0", "a > 1"):
        database.sql(
            f"ALTER TABLE t DROP CONSTRAINT positive, ADD CONSTRAINT positive CHECK ({condition}) NOT ENFORCED",
            "ALTER TABLE t ALTER CONSTRAINT of NOT ENFORCED",
        )
        assert project.diffs() == []
        assert [said.partition(", and its model")[0] for said in project.sentences] == [
            f"{name} of public.t is NOT ENFORCED" for name in ("of", "positive")
        ]


@pytest.mark.parametrize(("here", "there"), [("base", "other"), (None, "base"), ("base", None)])
def test_another_parent_is_a_sentence(database: Database, tmp_path: Path, here: str | None, there: str | None) -> None:
    database.sql(*PARENTS)
    scope = {"include_name": lambda name, kind, _: kind != "table" or name in ("t", "people")}
    project = Written(tmp_path, database.url, models(postgresql_inherits=there), options=scope)
    with database.sqlalchemy() as connection:
        project.models.create_all(connection)
    assert (project.diffs(), project.sentences) == ([], [])
    project.models = models(postgresql_inherits=here)
    assert project.diffs() == []
    assert [
        f"inherits from {f'public.{there}' if there else 'no table'}, and" in said for said in project.sentences
    ] == [True]


def quiet() -> sa.MetaData:
    """What looks otherwise in the database, and is the same."""
    mood = pg.DOMAIN("short", sa.Text, check="length(VALUE) < 9")
    return models(
        sa.Column("b", sa.Enum("x", "y", native_enum=False, length=20, create_constraint=True, name="of_b")),
        sa.Column("c", sa.Boolean(create_constraint=True, name="is_c")),
        sa.Column("d", sa.Enum("p", "q", native_enum=False, create_constraint=True)),
        sa.Column("e", sa.Integer, sa.CheckConstraint("e BETWEEN 1 AND 5")),
        sa.Column("f", sa.Text, sa.CheckConstraint("f IN ('x', 'y')", name="of_f"), nullable=False),
        sa.Column("g", sa.Text, sa.Computed("lower(coalesce(f, 'x'))", persisted=True)),
        sa.Column("h", mood),
        sa.Column("i", pg.DOMAIN("own", sa.Text, collation="C")),
        sa.Column("j", sa.String(9, collation="C")),
        sa.Column("k", sa.ARRAY(sa.Text(collation="C"))),
        sa.Column("l", sa.Text().with_variant(sa.Text(collation="C"), "postgresql")),
        sa.CheckConstraint("a > 0 AND person IS NOT NULL"),
        sa.CheckConstraint("a < 9", name="later").ddl_if(dialect="postgresql"),
        sa.UniqueConstraint("a", "b", comment="once"),
        sa.ForeignKeyConstraint(["person"], ["people.id"], name="of", comment="whose"),
        convention={"pk": "pk_%(table_name)s", "uq": "uq_%(table_name)s_%(column_0_name)s"},
        comment="all of it",
    )


def test_what_is_the_same_differs_from_nothing(database: Database, tmp_path: Path) -> None:
    project = Written(tmp_path, database.url, quiet())
    with database.sqlalchemy() as connection:
        project.models.create_all(connection)
    assert (project.diffs(), project.sentences) == ([], [])
    database.sql(
        "ALTER TABLE t ADD CONSTRAINT t_f__not_null CHECK (f IS NOT NULL) NOT VALID",
        "ALTER TABLE t ADD CONSTRAINT is_there CHECK (f IS NOT NULL)",
        "ALTER TABLE t ADD CONSTRAINT schema_kit_bound CHECK (id < 1000000) NOT VALID",
        "CREATE TABLE above (id bigint, CHECK (id < 1000000))",
        "ALTER TABLE above ALTER id SET NOT NULL",
        "ALTER TABLE t ADD CONSTRAINT above_id_check CHECK (id < 1000000)",
        "ALTER TABLE t INHERIT above",
    )
    project.options |= {"include_name": lambda name, kind, _: kind != "table" or name in ("t", "people")}
    assert project.diffs() == []
    assert [said.partition(" inherits")[0] for said in project.sentences] == ["public.t"]
    project.options |= {"schema_kit_drift" if project.env != "environment.run" else "drift": False}
    assert (project.diffs(), project.sentences) == ([], [])


@pytest.mark.parametrize("kind", ["removed_check", "comment", "primary_key", "computed"])
def test_each_has_its_switch(database: Database, tmp_path: Path, kind: str) -> None:
    parts = [check(comment="old"), key("one", comment="old"), generated("a * 2")]
    before = models(*(item for part in parts for item in part()))
    after = models(*key("two")(), *generated("a * 3")())
    with database.sqlalchemy() as connection:
        before.create_all(connection)
    project = Written(tmp_path, database.url, after, options={"drift": {*DRIFT} - {kind}})
    found = [*map(str, project.diffs()), *project.sentences]
    seen = {
        "removed_check": any("positive" in one and "drop" in one for one in found),
        "comment": any("COMMENT" in one for one in found),
        "primary_key": any("RENAME" in one for one in found),
        "computed": any("generated by" in one for one in found),
    }
    assert seen == {name: name != kind for name in seen}
