"""Models of many kinds: what autogenerate writes runs up, down and up, and then there is nothing to do."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

import schema_kit
from schema_kit.autogenerate import enums
from schema_kit.autogenerate.work import Work
from tests.support.autogenerate import Written
from tests.support.database import Database

pytestmark = [
    pytest.mark.autogenerate,
    pytest.mark.majors,
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning"),
]

C = sa.Column
Kind = Callable[[sa.MetaData, bool], object]
"""Fills metadata, with the change or without it."""


def t(m: sa.MetaData, name: str, *items: Any, **keywords: Any) -> sa.Table:
    return sa.Table(name, m, C("id", sa.Integer, primary_key=True), *items, **keywords)


def mood() -> sa.Enum:
    return sa.Enum("good", "it's 100%", ":x", name="mood")


class Decorated(sa.TypeDecorator[str]):
    impl = sa.Enum("p", "q", name="decorated")
    cache_ok = True


def domain() -> Any:
    return pg.DOMAIN("positive", sa.Integer, check=sa.text("VALUE > 0"))


def filled() -> Any:
    return pg.DOMAIN("filled", sa.Integer, not_null=True)


def over() -> Any:
    return pg.DOMAIN("over", pg.DOMAIN("under", mood(), check=sa.text("VALUE <> 'good'")), not_null=True)


def circle(m: sa.MetaData, on: bool, **keywords: Any) -> list[sa.Table]:
    if not on:
        return []
    return [
        t(m, "a", C("b", sa.Integer, sa.ForeignKey("b.id", name="a_b", **keywords))),
        t(m, "b", C("a", sa.Integer, sa.ForeignKey("a.id", name="b_a"))),
    ]


def new_unique(m: sa.MetaData, on: bool, new: bool) -> None:
    t(m, "z", C("k", sa.Integer), *([sa.UniqueConstraint("k", name="z_k")] if on else []))
    if on or not new:
        t(m, "a", C("k", sa.Integer, *([sa.ForeignKey("z.k", name="a_k")] if on else [])))


def uniques(m: sa.MetaData, on: bool) -> None:
    own = [
        sa.UniqueConstraint("a", "b", name="dd", deferrable=True, initially="DEFERRED"),
        sa.UniqueConstraint("b", name="d", deferrable=True),
    ]
    t(m, "t", C("a", sa.Integer), C("b", sa.Integer), *(own if on else []))


def percents(m: sa.MetaData, on: bool) -> None:
    for name in ("t", "u") if on else ("t",):
        table = t(
            m,
            name,
            C("e", sa.Text, server_default=sa.text("'100% \\:x a:b'")),
            C("f", sa.Text, server_default="50%"),
            sa.CheckConstraint("e LIKE '%@%' OR e = ' \\:y%'", name=f"{name}_check"),
            C("g", sa.Text, comment="100% :x"),
        )
        sa.Index(f"{name}_where", table.c.e, postgresql_where=sa.text("e <> '5%' AND e <> ' \\:z'"))
        sa.Index(f"{name}_function", sa.func.replace(table.c.e, "%", ":a"))


def exclusions(m: sa.MetaData, on: bool) -> None:
    t(m, "kept")
    if not on:
        t(m, "t", C("r", pg.TSTZRANGE), C("a", sa.Integer), pg.ExcludeConstraint(("r", "&&"), name="apart"))


def identity(m: sa.MetaData, before: sa.Identity | None, after: sa.Identity | None, on: bool) -> None:
    t(m, "t", C("n", sa.Integer, *filter(None, [after if on else before]), nullable=False))


def retyped(m: sa.MetaData, on: bool) -> None:
    checks = [
        sa.CheckConstraint("b IN ('x', 'y')", name="b_in"),
        sa.CheckConstraint("lower(c) <> 'it''s'", name="c_not"),
    ]
    table = t(m, "t", C("b", sa.Text if on else sa.String(40)), C("c", sa.String(40) if on else sa.Text), *checks)
    sa.Index("p", table.c.id, postgresql_where=table.c.b.in_(["x", "y"]))
    sa.Index("q", table.c.id, postgresql_where=table.c.c.in_(["x", "y"]))
    sa.Index("r", sa.func.lower(table.c.b), sa.func.coalesce(table.c.c, "z"))


KINDS: dict[str, Kind] = {
    "a column of a new enum": lambda m, on: t(m, "t", *([C("m", mood(), server_default="good")] if on else [])),
    "a table of an enum that is there": lambda m, on: [
        t(m, name, C("m", mood())) for name in (["t", "u"] if on else ["t"])
    ],
    "a table of a new enum": lambda m, on: [t(m, "t"), *([t(m, "u", C("m", pg.ARRAY(mood())))] if on else [])],
    "a column of an enum goes": lambda m, on: t(m, "t", *([] if on else [C("m", mood())])),
    "a table of an enum goes": lambda m, on: [t(m, "t"), *([] if on else [t(m, "u", C("m", mood()))])],
    "a text becomes an enum": lambda m, on: t(m, "t", C("m", mood() if on else sa.Text)),
    "an enum becomes a text": lambda m, on: t(m, "t", C("m", sa.Text if on else mood())),
    "an enum below a decorator": lambda m, on: t(m, "t", *([C("m", Decorated())] if on else [])),
    "a domain": lambda m, on: [t(m, "t", *([C("d", domain())] if on else [])), t(m, "u", C("d", domain()))],
    "a new domain": lambda m, on: [t(m, "t"), *([t(m, "u", C("d", domain()))] if on else [])],
    "a new domain over others": lambda m, on: t(m, "t", *([C("d", over())] if on else [])),
    "a table of a domain over others": lambda m, on: [t(m, "t"), *([t(m, "u", C("d", over()))] if on else [])],
    "a column of a NOT NULL domain goes": lambda m, on: t(m, "t", *([] if on else [C("d", filled())])),
    "a table of a NOT NULL domain goes": lambda m, on: [t(m, "t"), *([] if on else [t(m, "u", C("d", filled()))])],
    "tables in a circle": lambda m, on: [t(m, "t"), *circle(m, on)],
    "tables in a circle, the key later": lambda m, on: [t(m, "t"), *circle(m, on, use_alter=True)],
    "tables in a circle go": lambda m, on: [t(m, "t"), *circle(m, not on)],
    "a new key for a new table": lambda m, on: new_unique(m, on, new=True),
    "a new key for another table": lambda m, on: new_unique(m, on, new=False),
    "a key that another table refers to goes": lambda m, on: new_unique(m, not on, new=False),
    "a check of a column": lambda m, on: [
        t(m, "t"),
        *([t(m, "u", C("d", sa.Integer, sa.CheckConstraint("d > 0")))] if on else []),
    ],
    "deferred unique constraints": uniques,
    "deferred unique constraints go": lambda m, on: uniques(m, not on),
    "a table with exclusion constraints goes": exclusions,
    "percent signs and colons": percents,
    "always": lambda m, on: identity(m, sa.Identity(), sa.Identity(always=True), on),
    "an identity of options": lambda m, on: identity(
        m, sa.Identity(start=5, increment=2), sa.Identity(start=5, increment=3, minvalue=-5, cycle=True, cache=7), on
    ),
    "an identity goes": lambda m, on: identity(m, sa.Identity(start=5, minvalue=2), None, on),
    "a column becomes an identity": lambda m, on: identity(m, None, sa.Identity(start=5), on),
    "defaults": lambda m, on: t(
        m,
        "t",
        C("a", sa.Text, server_default="50%" if on else None),
        C("b", sa.Integer, server_default=None if on else "5"),
    ),
    "types below predicates and expressions": retyped,
    "null or not": lambda m, on: t(m, "t", C("a", sa.Integer, nullable=on), C("b", sa.Integer, nullable=not on)),
}
CATALOG = """
SELECT attrelid::regclass::text, attname::text, format_type(atttypid, atttypmod), attnotnull::text || attidentity::text,
       coalesce(pg_get_expr(adbin, adrelid), seqstart || '/' || seqincrement || '/' || seqmin || '/' || seqcycle)
FROM pg_attribute JOIN pg_class c ON c.oid = attrelid LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
LEFT JOIN pg_depend d ON d.refobjid = attrelid AND d.refobjsubid = attnum AND d.deptype = 'i'
LEFT JOIN pg_sequence ON seqrelid = d.objid
WHERE c.relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0 AND NOT attisdropped
UNION ALL SELECT indrelid::regclass::text, pg_get_indexdef(indexrelid), indisvalid::text, '', ''
FROM pg_index JOIN pg_class c ON c.oid = indrelid WHERE c.relnamespace = 'public'::regnamespace
UNION ALL SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), convalidated::text, ''
FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n' AND conrelid <> 0
UNION ALL SELECT typname, typtype::text, (SELECT string_agg(enumlabel, ',' ORDER BY enumsortorder) FROM pg_enum
                                          WHERE enumtypid = t.oid), '', ''
FROM pg_type t WHERE typnamespace = 'public'::regnamespace AND typtype IN ('e', 'd')
ORDER BY 1, 2, 3
"""
OPTIONS = {"compare_server_default": True}


def catalog(database: Database) -> list[tuple[Any, ...]]:
    """What there is."""
    casts = re.compile(r"::(character varying|text)(\[\])?|[()]")
    rows = [tuple(casts.sub("", str(text)) for text in row) for row in database.sql(CATALOG)]
    return [row for row in rows if row[0] != "alembic_version"]


def models(kind: str, on: bool) -> sa.MetaData:
    metadata = sa.MetaData()
    KINDS[kind](metadata, on)
    return metadata


@pytest.mark.parametrize("kind", KINDS)
def test_a_change_runs_up_down_up(database: Database, tmp_path: Path, kind: str) -> None:
    with database.sqlalchemy() as connection:
        models(kind, False).create_all(connection)
    project = Written(tmp_path, database.url, models(kind, False), options=OPTIONS)
    assert project.diffs() == []
    was = catalog(database)
    project.models = models(kind, True)
    assert project.diffs() != []
    project.revision()
    project.upgrade()
    assert project.diffs() == []
    done = catalog(database)
    project.downgrade("base")
    assert catalog(database) == was
    schema_kit.assert_no_diff(database.sqlalchemy(), models(kind, False), **OPTIONS)
    project.upgrade()
    assert catalog(database) == done
    assert project.diffs() == []


@pytest.mark.parametrize("env", ["environment.run", "hand-written"])
@pytest.mark.parametrize("kind", KINDS)
def test_from_nothing_it_runs_up_down_up(database: Database, tmp_path: Path, kind: str, env: str) -> None:
    for on in (False, True):
        project = Written(tmp_path / str(on), database.url, models(kind, on), env, OPTIONS)
        project.revision()
        project.upgrade()
        assert project.diffs() == []
        assert project.sentences == []
        done = catalog(database)
        project.downgrade("base")
        assert catalog(database) == []
        project.upgrade()
        assert catalog(database) == done
        project.downgrade("base")


def test_a_new_value_is_added_to_an_existing_enum(database: Database, tmp_path: Path) -> None:
    def labels(*values: str) -> sa.MetaData:
        metadata = sa.MetaData()
        t(metadata, "t", C("m", sa.Enum(*values, name="mood")))
        return metadata

    with database.sqlalchemy() as connection:
        labels("b", "d").create_all(connection)
    project = Written(tmp_path, database.url, labels("a", "b", "c", "d", "e"))
    assert [diff[:3] for diff in project.diffs()] == [("add_enum_value_concurrently", "mood", one) for one in "ace"]
    project.revision()
    project.upgrade()
    assert project.diffs() == []
    order = "SELECT string_agg(enumlabel, '' ORDER BY enumsortorder) FROM pg_enum"
    assert database.sql(order) == [("abcde",)]
    project.downgrade("base")
    project.upgrade()
    assert database.sql(order) == [("abcde",)]


def test_a_missing_exclusion_constraint_is_a_sentence(database: Database, tmp_path: Path) -> None:
    database.sql("CREATE TABLE t (id int PRIMARY KEY, n int)")
    metadata = sa.MetaData()
    t(metadata, "t", C("n", sa.Integer), pg.ExcludeConstraint(("n", "="), using="btree", name="apart"))
    project = Written(tmp_path, database.url, metadata)
    assert project.diffs() == []
    assert ["The exclusion constraint apart of public.t is missing." in one for one in project.sentences] == [True]


@pytest.mark.libraries
def test_an_enum_that_exists_is_written_as_one() -> None:
    """SQLAlchemy 2.0 writes each as one that is to be made."""
    enum = pg.ENUM("it's", "100%", name="Mood", schema="s")
    assert repr(enums._without_creation(cast(Work, None), enum)) == (
        "ENUM(\"it's\", '100%', name='Mood', schema='s', create_type=False)"
    )
