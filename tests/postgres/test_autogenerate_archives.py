"""A change of an archived table changes its archive and the view over both, up, down and up again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from schema_kit.declare import archived, partitioned
from tests.support.autogenerate import Written, body
from tests.support.database import Database, own_role

READER = own_role("reads_events")

pytestmark = [pytest.mark.autogenerate, pytest.mark.archives, pytest.mark.majors, pytest.mark.libraries]

DESCRIBED = """
SELECT a.attrelid::regclass::text, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
       pg_get_expr(d.adbin, d.adrelid), col_description(a.attrelid, a.attnum)
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
LEFT JOIN pg_attrdef d ON adrelid = attrelid AND adnum = attnum
WHERE c.relname ~ '^(all_|)events(_archive)?$' AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), convalidated, NULL, NULL
FROM pg_constraint WHERE contype = 'c' AND conrelid::regclass::text ~ 'events(_archive)?"?$'
UNION ALL SELECT 'the view', '', (SELECT string_agg(a::text, ' ' ORDER BY a::text) FROM unnest(relacl) a), true,
       obj_description(oid, 'pg_class'), array_to_string(reloptions, ' ') FROM pg_class WHERE relkind = 'v' AND
       relnamespace::regnamespace::text !~ '^(pg_|information)'
ORDER BY 1, 2
"""


def models(*items: Any, name: str = "name", view: str | None = "all_events", schema: str | None = None) -> sa.MetaData:
    metadata = sa.MetaData(schema=schema)
    sa.Table(
        "events",
        metadata,
        sa.Column("at", sa.TIMESTAMP(timezone=True), primary_key=True),
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        *(item._copy() for item in items if isinstance(item, sa.Column)),
        partitioned("at", "1 month", premake=1),
        archived("90 days", view=view),
        *(item._copy() for item in items if not isinstance(item, sa.Column)),
    )
    return metadata


def note(type_: Any = None, **words: Any) -> sa.Column[Any]:
    return sa.Column("note", type_ or sa.String(20), **words)


CHECK = sa.CheckConstraint("id > 0", name="positive")
CASES: dict[str, tuple[list[Any], list[Any]]] = {
    "column": ([], [note(server_default="its", nullable=False), sa.Column("more", sa.Integer)]),
    "type": ([note()], [note(sa.Text())]),
    "default": ([note()], [note(server_default="x")]),
    "not null": ([note()], [note(nullable=False)]),
    "check": ([], [CHECK]),
    "other check": ([CHECK], [sa.CheckConstraint("id > 1", name="positive")]),
    "column and check": (
        [note(), CHECK],
        [sa.Column("more", sa.Text), sa.CheckConstraint("more <> ''", name="said"), CHECK],
    ),
}


@pytest.fixture
def filled(database: Database) -> Iterator[Database]:
    database.sql(
        'CREATE SCHEMA "Ten ant"', f"DO $$ BEGIN CREATE ROLE {READER}; EXCEPTION WHEN duplicate_object THEN END $$"
    )
    yield database
    database.sql(f"DROP OWNED BY {READER}", f"DROP ROLE {READER}")


def fill(database: Database, on: str, view: str | None) -> None:
    noted = database.sql(f"SELECT 1 FROM pg_attribute WHERE attrelid = '{on}events'::regclass AND attname = 'note'")
    names, values = ("at, id, note", ", 'n'") if noted else ("at, id", "")
    database.sql(
        f"INSERT INTO {on}events ({names}) SELECT now(), i{values} FROM generate_series(2, 9) i",
        f"CREATE TABLE {on}archived_1 PARTITION OF {on}events_archive FOR VALUES FROM ('2020-01-01') TO ('2020-02-01')",
        f"INSERT INTO {on}events_archive ({names}) VALUES ('2020-01-01', 7{values})",
    )
    if view:
        database.sql(
            f"GRANT SELECT ON {on}{view} TO {READER} WITH GRANT OPTION",
            f"GRANT UPDATE (id) ON {on}{view} TO {READER}",
            f"COMMENT ON VIEW {on}{view} IS 'both: 100%'",
            f"COMMENT ON COLUMN {on}{view}.id IS 'it''s'",
        )


@pytest.mark.parametrize("back", [False, True], ids=["there", "back"])
@pytest.mark.parametrize("case", CASES)
def test_an_archive_follows(filled: Database, tmp_path: Path, case: str, back: bool) -> None:
    before, after = (models(*items) for items in (CASES[case][::-1] if back else CASES[case]))
    follows(filled, tmp_path, before, after, "", "all_events")


@pytest.mark.exhaustive
@pytest.mark.parametrize("view", [None, "all_events"])
def test_in_another_schema(filled: Database, tmp_path: Path, view: str | None) -> None:
    before, after = (models(*items, view=view, schema="Ten ant") for items in CASES["column and check"])
    follows(filled, tmp_path, before, after, '"Ten ant".', view)


@pytest.mark.exhaustive
def test_alembics_own_drop_comes_behind(filled: Database, tmp_path: Path) -> None:
    before, after = models(note(), CHECK), models()
    follows(filled, tmp_path, before, after, "", "all_events", safe={"index"})


def follows(
    database: Database, folder: Path, before: sa.MetaData, after: sa.MetaData, on: str, view: str | None, **more: Any
) -> None:
    with database.sqlalchemy() as connection:
        before.create_all(connection)
    fill(database, on, view)
    project = Written(
        folder, database.url, before, options={"include_schemas": True, "compare_server_default": True, **more}
    )
    assert project.diffs() == []
    was = database.sql(DESCRIBED)
    project.models = after
    scripts = project.revision()
    project.upgrade()
    assert (project.diffs(), project.sentences) == ([], [])
    done = database.sql(DESCRIBED)
    own, theirs = ([row[1:] for row in done if row[0] == name] for name in (f"{on}events", f"{on}events_archive"))
    assert own == theirs, "\n".join(map(body, scripts))
    if view:
        columns = {column.name for column in after.tables[next(iter(after.tables))].columns}
        assert {row[1] for row in done if row[0] == f"{on}{view}"} == columns
    project.downgrade("base")
    assert sorted(map(str, database.sql(DESCRIBED))) == sorted(map(str, was))
    project.upgrade()
    assert database.sql(DESCRIBED) == done
    assert database.sql(f"SELECT count(*) FROM {on}events_archive") == [(1,)]
    if view:
        assert database.sql(f"SELECT count(*) FROM {on}{view}") == [(9,)]
