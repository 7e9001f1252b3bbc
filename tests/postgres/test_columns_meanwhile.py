"""Others change a table in the middle of a long run: what its rows have by then leaves with them, or no row leaves."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from schema_kit import execute
from schema_kit.catalog import Catalog
from schema_kit.errors import SchemaKitError
from schema_kit.execute import Event, StepProgress
from schema_kit.plans.rows import back
from schema_kit.steps import Plan
from tests.support.database import QUICK, Database
from tests.support.rows import ARCHIVE, TABLE, decide, leaving, name

pytestmark = [pytest.mark.archives, pytest.mark.ttl, pytest.mark.majors]

T, KEPT = name("t"), name("t_archive")
ALL = "id <= 200"


def archive(catalog: Catalog) -> Plan:
    """Rows go to the archive."""
    return decide(catalog, leaving("t", ALL, None, archives={T: KEPT}))


def restore(catalog: Catalog) -> Plan:
    """They come back."""
    one = leaving("t", ALL, None, archives={T: KEPT}, back=True)
    plan = Plan(one.title, back(one, catalog.leaving(T, (KEPT,), back=True)))
    return plan if catalog.has_row_where(KEPT, ALL) else Plan(one.title)


WAYS: dict[str, tuple[Callable[[Catalog], Plan], str, str]] = {
    "archive": (archive, "t", "t_archive"),
    "restore": (restore, "t_archive", "t"),
}
CHANGES = {
    # What others commit between two batches; and what is true of the table that the rows leave, and of the other.
    "a column": (
        ("ALTER TABLE {of} ADD COLUMN since text", "UPDATE {of} SET since = 'value ' || id"),
        "SELECT count(since) = 190 FROM {of}",
    ),
    "another type": (
        ("ALTER TABLE {of} ALTER status TYPE varchar(200), ADD COLUMN odd numeric", "UPDATE {of} SET odd = 0.5"),
        "SELECT count(odd) = 190 FROM {of}",
    ),
    "exchanged names": (
        ("ALTER TABLE {of} RENAME word TO said", "ALTER TABLE {of} ADD COLUMN word text DEFAULT 'since'"),
        "SELECT count(said) = 190 FROM {of}",
    ),
    "a cascade": (
        (
            "CREATE TABLE child (id bigint REFERENCES {of} ON DELETE CASCADE)",
            "CREATE INDEX ON child (id)",
            "INSERT INTO child SELECT id FROM {of}",
        ),
        "SELECT count(*) = 190 FROM child",
    ),
    "a key to another": (
        (
            "CREATE TABLE child (id bigint PRIMARY KEY REFERENCES {of} ON DELETE CASCADE, CHECK (id > 0))",
            "INSERT INTO child SELECT id FROM {of}",
            "ALTER TABLE {of} ALTER word TYPE varchar(90)",
        ),
        "SELECT count(*) = 190 FROM child",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("way", WAYS)
def test_no_batch_leaves_behind_what_came_since(database: Database, way: str, change: str) -> None:
    plan, of, to = WAYS[way]
    ddl, kept = CHANGES[change]
    database.sql(*TABLE, *ARCHIVE)
    if way == "restore":
        database.run(archive)
    connection, said = database.sqlalchemy(), list[Event]()

    def emit(event: Event) -> None:
        if isinstance(event, StepProgress) and not said:
            said.append(event)
            database.sql(*(sql.format(of=of) for sql in ddl))

    with pytest.raises(SchemaKitError, match="public"):
        execute.run(connection, lambda: plan(Catalog(connection)), QUICK, emit)
    assert database.sql(f"SELECT (SELECT count(*) FROM {of}), (SELECT count(*) FROM {to})") == [(190, 10)]
    assert database.sql(kept.format(of=of)) == [(True,)]


@pytest.mark.parametrize("way", WAYS)
def test_what_concerns_no_row_does_not_stop_it(database: Database, way: str) -> None:
    """Indexes, grants, a column of both tables: it is decided again, and goes on."""
    plan, of, to = WAYS[way]
    database.sql(*TABLE, *ARCHIVE)
    if way == "restore":
        database.run(archive)
    connection, said = database.sqlalchemy(), list[Event]()

    def emit(event: Event) -> None:
        if isinstance(event, StepProgress):
            said.append(event)
            if len(said) == 2:
                database.sql(f"CREATE INDEX ON {of} (word)", f"GRANT SELECT ON {of} TO PUBLIC")
            if len(said) == 4:
                database.sql(f"ALTER TABLE {to} ADD COLUMN more int", f"ALTER TABLE {of} ADD COLUMN more int DEFAULT 7")

    execute.run(connection, lambda: plan(Catalog(connection)), QUICK, emit)
    assert database.sql(f"SELECT (SELECT count(*) FROM {of}), (SELECT count(more) FROM {to})") == [(0, 160)]
