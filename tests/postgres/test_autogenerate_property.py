"""Random models and random changes to them: what autogenerate writes runs up beside a writer, down and up."""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql as pg

import schema_kit
from tests.support.autogenerate import Written
from tests.support.database import Database

pytestmark = [
    pytest.mark.autogenerate,
    pytest.mark.majors,
    pytest.mark.exhaustive,
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning"),
]

INDEXES: dict[str, Callable[[Any, str], Any]] = {
    "none": lambda c, name: None,
    "plain": lambda c, name: sa.Index(name, c.a),
    "two, the other way": lambda c, name: sa.Index(name, c.a.desc(), c.b.asc().nulls_first()),
    "expression": lambda c, name: sa.Index(name, sa.func.lower(c.b), sa.func.coalesce(c.a, 0)),
    "partial": lambda c, name: sa.Index(name, c.a, postgresql_where=c.b.in_(["x", "y"])),
    "partial otherwise": lambda c, name: sa.Index(name, c.a, postgresql_where=sa.text("b <> 'a:b%'")),
    "include": lambda c, name: sa.Index(name, c.a, postgresql_include=["b"]),
    "parameters": lambda c, name: sa.Index(name, c.a, postgresql_with={"fillfactor": 70}),
    "operator class": lambda c, name: sa.Index(name, c.b, postgresql_ops={"b": "text_pattern_ops"}),
    "gin": lambda c, name: sa.Index(name, c.data, postgresql_using="gin"),
    "gin otherwise": lambda c, name: sa.Index(
        name, c.data, postgresql_using="gin", postgresql_ops={"data": "jsonb_path_ops"}
    ),
    "brin": lambda c, name: sa.Index(name, c.a, postgresql_using="brin"),
    "collation": lambda c, name: sa.Index(name, sa.text('b COLLATE "C" DESC')),
}
CHECKS = (None, "a >= 0", "a >= 0 AND b <> 'never'", "lower(b) <> 'NEVER'::varchar")
UNIQUE: tuple[tuple[str, ...], ...] = ((), ("a",), ("b", "a"))
COLUMNS: dict[str, Callable[[], sa.Column[Any] | None]] = {
    "none": lambda: None,
    "plain": lambda: sa.Column("plain", sa.Integer),
    "constant": lambda: sa.Column("constant", sa.Text, server_default="it", nullable=False),
    "volatile": lambda: sa.Column("volatile", sa.Uuid, server_default=sa.text("gen_random_uuid()"), nullable=False),
    "enum": lambda: sa.Column("kind", sa.Enum("u", "v", native_enum=False, length=5)),
    "native enum": lambda: sa.Column("native", sa.Enum("u", "v", name="native"), server_default="u"),
    "array": lambda: sa.Column("list", pg.ARRAY(sa.Enum("p", "q", name="listed"))),
    "identity": lambda: sa.Column("counted", sa.BigInteger, sa.Identity(start=7)),
    "generated": lambda: sa.Column("twice", sa.Integer, sa.Computed("a * 2", persisted=True)),
    "default": lambda: sa.Column("default", sa.Text, server_default="50%"),
    "other default": lambda: sa.Column("default", sa.Text, server_default=sa.text("'a\\:b'"), nullable=False),
}
TYPES = (sa.String(40), sa.String(50), sa.Text())
ON_DELETE = (None, "", "CASCADE", "SET NULL")


@st.composite
def models(draw: st.DrawFn) -> sa.MetaData:
    """A table that is written to, one that is partitioned, one that they reference, and sometimes another one."""
    metadata = sa.MetaData()
    sa.Table("to_be", metadata, sa.Column("id", sa.BigInteger, primary_key=True))
    kinds: dict[str, dict[str, Any]] = {"t": {}, "parted": {"postgresql_partition_by": "RANGE (id)"}}
    for name, more in kinds.items():
        table = sa.Table(
            name,
            metadata,
            sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
            sa.Column("a", sa.Integer, nullable=draw(st.booleans())),
            sa.Column("b", draw(st.sampled_from(TYPES)), comment=draw(st.sampled_from([None, "said"]))),
            sa.Column("data", pg.JSONB),
            sa.Column("ref", sa.BigInteger),
            **more,
        )
        if (column := COLUMNS[draw(st.sampled_from(sorted(COLUMNS)))]()) is not None:
            table.append_column(column)
        for number in range(2):
            INDEXES[draw(st.sampled_from(sorted(INDEXES)))](table.c, f"{name}_index_{number}")
        if check := draw(st.sampled_from(CHECKS)):
            table.append_constraint(sa.CheckConstraint(check, name=f"{name}_check_1"))
        if columns := draw(st.sampled_from(UNIQUE)):
            own = (*columns, "id") if more else columns
            table.append_constraint(sa.UniqueConstraint(*own, name=f"{name}_once"))
        if (action := draw(st.sampled_from(ON_DELETE))) is not None:
            key = sa.ForeignKeyConstraint(["ref"], ["to_be.id"], name=f"{name}_ref", ondelete=action or None)
            table.append_constraint(key)
        if not more and (fillfactor := draw(st.sampled_from([None, 70, 80]))):
            table.dialect_options["postgresql"]["with"] = {"fillfactor": fillfactor}
    if draw(st.booleans()):
        other = sa.Table("other", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("w", sa.Text))
        sa.Index("other_w", sa.func.lower(other.c.w))
        sa.Table("others", metadata, sa.Column("id", sa.Integer, sa.ForeignKey("other.id"), primary_key=True))
    return metadata


ROWS = (
    "INSERT INTO to_be SELECT generate_series(1, 9)",
    "CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (50)",
    "CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (50) TO (1000000000)",
    *(
        f"INSERT INTO {table} (id, a, b, data, ref) "
        "SELECT i, i, 'w' || i, '{}', 1 + i % 9 FROM generate_series(1, 90) i"
        for table in ("t", "parted")
    ),
)
CATALOG = """
SELECT attrelid::regclass::text, attname::text, format_type(atttypid, atttypmod), attnotnull::text,
       pg_get_expr(adbin, adrelid), col_description(attrelid, attnum)
FROM pg_attribute JOIN pg_class c ON c.oid = attrelid LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE c.relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND attnum > 0 AND NOT attisdropped
UNION ALL SELECT indrelid::regclass::text, pg_get_indexdef(indexrelid), indisvalid::text, '', '', ''
FROM pg_index JOIN pg_class c ON c.oid = indrelid WHERE c.relnamespace = 'public'::regnamespace AND NOT c.relispartition
UNION ALL SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), convalidated::text, '', ''
FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n' AND conparentid = 0
UNION ALL SELECT relname, reloptions::text, relkind::text, '', '', '' FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
ORDER BY 1, 2, 3
"""


def catalog(database: Database) -> list[tuple[Any, ...]]:
    """As PostgreSQL prints it, but for casts: IN (...) reads otherwise once it was made from what is printed of it."""
    casts = re.compile(r"::(character varying|text)(\[\])?|[()]")
    return [
        tuple(casts.sub("", text or "") for text in row) for row in database.sql(CATALOG) if row[0] != "alembic_version"
    ]


@contextmanager
def writing(database: Database) -> Iterator[None]:
    """Insert rows into both tables until the block ends."""
    stop, wrong = threading.Event(), list[BaseException]()

    def write() -> None:
        try:
            with database.connect() as connection:
                for number in itertools.count(1000):
                    for table in ("t", "parted"):
                        connection.execute(
                            f"INSERT INTO {table} (id, a, b, data, ref) "
                            f"VALUES ({number}, {number}, 'w{number}', '{{}}', 1)".encode()
                        )
                    if stop.wait(0.01):
                        return
        except BaseException as error:
            wrong.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        stop.set()
        writer.join()
    assert wrong == []


@settings(
    max_examples=6, deadline=None, suppress_health_check=list(HealthCheck), phases=(Phase.explicit, Phase.generate)
)
@given(before=models(), after=models())
@pytest.mark.parametrize("env", ["environment.run", "hand-written"])
def test_up_down_up(
    database: Database, tmp_path_factory: pytest.TempPathFactory, before: sa.MetaData, after: sa.MetaData, env: str
) -> None:
    database.sql("DROP SCHEMA public CASCADE", "DROP SCHEMA IF EXISTS schema_kit CASCADE", "CREATE SCHEMA public")
    with database.sqlalchemy() as connection:
        before.create_all(connection)
    database.sql(*ROWS)
    project = Written(Path(tmp_path_factory.mktemp("project")), database.url, before, env)
    assert project.diffs() == []
    was = catalog(database)
    project.models = after
    changes = project.diffs()
    scripts = project.revision()
    assert bool(changes) == ("op." in "".join(scripts).replace("from alembic import op", ""))
    with writing(database):
        project.upgrade()
    assert project.diffs() == []
    assert project.sentences == [] or all(one.startswith(("To make", "To add")) for one in project.sentences)
    done = catalog(database)
    project.downgrade("base")
    assert catalog(database) == was
    schema_kit.assert_no_diff(database.sqlalchemy(), before)
    project.upgrade()
    assert catalog(database) == done
    schema_kit.assert_no_diff(database.sqlalchemy(), after)
