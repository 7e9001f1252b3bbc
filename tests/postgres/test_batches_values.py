"""Updates in batches: which rows, by which key, to which values."""

from __future__ import annotations

import datetime
import decimal
import math
import random
import uuid
from typing import Any

import pytest
import sqlalchemy as sa

from schema_kit.execute import StepProgress
from schema_kit.script import render
from tests.support.batches import ONE_MORE, ROWS, SMALL, TABLE, Stopped, batches, counts, step, stopped_after, update
from tests.support.database import QUICK, Database
from tests.support.matrix import perform

pytestmark = [pytest.mark.columns, pytest.mark.majors]


def test_where_chooses_the_rows(database: Database) -> None:
    database.sql(*TABLE)
    update(database, where=sa.text("id % 3 = 0 AND word LIKE 'w%' OR id = 1 -- and no more"))
    assert database.sql("SELECT array_agg(id) FROM t WHERE n = 1 AND id % 3 > 0") == [([1],)]
    assert counts(database) == [(0, 66), (1, 34)]
    assert database.sql("SELECT rows_seen, rows_changed FROM schema_kit.batch_progress") == [(ROWS, 34)]


def test_expressions_may_refer_to_other_tables_and_to_the_row(database: Database) -> None:
    database.sql(
        *TABLE,
        "CREATE SCHEMA s",
        "CREATE TABLE s.other (id bigint, n int, word text)",
        "INSERT INTO s.other SELECT i, i * 2, '50%' FROM generate_series(1, 100) i",
        "CREATE INDEX t_word ON t (word)",
    )
    t = sa.table("t", sa.column("id"), sa.column("n"), sa.column("word"))
    other = sa.table("other", sa.column("id"), sa.column("n"), sa.column("word"), schema="s")
    found = sa.select(other.c.n).where(other.c.id == t.c.id).scalar_subquery()
    update(
        database,
        {"n": found, "word": t.c.word + "%\\'ไทย"},
        where=sa.and_(t.c.id > 10, t.c.word.like("w%"), sa.exists().where(other.c.id == t.c.id)),
    )
    assert database.sql("SELECT count(*)::int FROM t WHERE n = id * 2 AND word = 'w' || id || '%\\''ไทย'") == [(90,)]


MOMENT = datetime.datetime(2026, 2, 3, 4, 5, 6, 7, tzinfo=datetime.UTC)
LITERALS: dict[str, tuple[str, Any]] = {
    "text": ("text", 'it\'s 100% \\ "ไทย" :name %(x)s'),
    "null": ("text", None),
    "boolean": ("boolean", True),
    "integer": ("bigint", -5),
    "float": ("float8", math.inf),
    "numeric": ("numeric(12,3)", decimal.Decimal("12.500")),
    "moment": ("timestamptz", MOMENT),
    "date": ("date", datetime.date(2026, 2, 3)),
    "interval": ("interval", datetime.timedelta(hours=5)),
    "uuid": ("uuid", uuid.UUID(int=7)),
    "bytes": ("bytea", b"\x00\\'%"),
    "json": ("jsonb", {"key": ["it's", {"ไทย": "\\"}]}),
    'Quo"ted.ชื่อ%s': ("int", 3),
}


def test_python_values_arrive_as_they_are(database: Database) -> None:
    columns = ", ".join(f'"{name.replace(chr(34), chr(34) * 2)}" {kind}' for name, (kind, _) in LITERALS.items())
    database.sql(f"CREATE TABLE t (id int PRIMARY KEY, {columns})", "INSERT INTO t (id) VALUES (1)")
    update(database, {name: value for name, (_, value) in LITERALS.items()})
    assert database.sql("SELECT * FROM t") == [(1, *(value for _, value in LITERALS.values()))]


KEYS: dict[str, tuple[str, str]] = {
    # The types of the key columns, and the keys of row i.
    "integer": ("int", "i"),
    "uuid": ("uuid", "md5(i::text)::uuid"),
    "text": ("text", "(ARRAY['a', 'B', 'ก', ''' \"\\', '', '%s'])[1 + i % 6] || i"),
    "own_collation": ('text COLLATE "C"', "(ARRAY['a', 'B', 'ก'])[1 + i % 3] || i"),
    "varchar": ("varchar(9)", "'v' || i"),
    "char": ("char(9)", "'c ' || i"),
    "numeric": ("numeric", "CASE i WHEN 7 THEN 'NaN' ELSE i * 1.10 END"),
    "float": ("float8", "CASE i WHEN 7 THEN '-Infinity' ELSE i / 3.0::float8 END"),
    "date": ("date", "CASE i WHEN 7 THEN 'infinity' WHEN 8 THEN '0044-03-15 BC' ELSE date '2026-01-01' + i END"),
    "timestamp": ("timestamp", "timestamp '2026-10-25 01:02:03.456789' + i * interval '17 min'"),
    "moment": (
        "timestamptz",
        "CASE i WHEN 7 THEN '-infinity' ELSE timestamptz '2026-10-25Z' + i * interval '7 min' END",
    ),
    "bytes": ("bytea", "decode(md5(i::text), 'hex')"),
    "enum": ('s."E.num"', '(enum_range(NULL::s."E.num"))[1 + i]'),
    "domain": ("s.positive", "i"),
    "array": ("int[]", "ARRAY[i % 7, i]"),
    "range": ("int4range", "int4range(i, i + 1)"),
    "inet": ("inet", "inet '10.0.0.0' + i"),
    "json": ("jsonb", "jsonb_build_object('k', i)"),
    "case_insensitive": ("ext.citext", "chr(65 + i % 26 + 32 * (i % 2)) || i"),
    "two": ("int, text", "i % 3, 'b' || i"),
    "tenant": (
        "uuid, timestamptz, bigint",
        "md5((i % 4)::text)::uuid, timestamptz '2026-10-25Z' + i % 5 * interval '1 h', i",
    ),
    "two_homes": ("ext.citext, int, ext.citext", "chr(65 + i % 3), i % 5, chr(97 + i % 26) || i"),
}


@pytest.mark.parametrize("kinds", [list(KEYS)[part::4] for part in range(4)], ids=lambda kinds: "+".join(kinds))
def test_any_primary_key_will_do(database: Database, kinds: list[str]) -> None:
    labels = ", ".join(f"'{label}'" for label in random.Random(1).sample([f"l {i}" for i in range(60)], 60))
    database.sql(
        "CREATE SCHEMA s",
        "CREATE SCHEMA ext",
        "CREATE EXTENSION citext SCHEMA ext",
        f'CREATE TYPE s."E.num" AS ENUM ({labels})',
        "CREATE DOMAIN s.positive AS int CHECK (VALUE >= 0)",
    )
    for kind in kinds:
        types, keys = KEYS[kind]
        columns = [f'"K {number}.ก"' for number in range(types.count(", ") + 1)]
        declared = ", ".join(f"{c} {t}" for c, t in zip(columns, types.split(", "), strict=True))
        database.sql(
            f'CREATE TABLE s."T {kind}" (n int DEFAULT 0, {declared}, PRIMARY KEY ({", ".join(columns)}))',
            f'INSERT INTO s."T {kind}" ({", ".join(columns)}) SELECT {keys} FROM generate_series(0, 59) i',
        )
        with pytest.raises(Stopped):
            perform(
                database,
                lambda op, kind=kind: op.update_in_batches(f"T {kind}", ONE_MORE, schema="s", **SMALL),  # type: ignore[misc]
                on=stopped_after(3),
            )
    database.sql(
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %1$I SET DateStyle = ''SQL, DMY''; ALTER DATABASE %1$I SET "
        "TimeZone = ''Asia/Kolkata''; ALTER DATABASE %1$I SET bytea_output = ''escape''', current_database()); END $$"
    )
    for kind in kinds:
        events = update(database, table=f"T {kind}", schema="s")
        assert (kind, batches(events), counts(database, f's."T {kind}"')) == (kind, 4, [(1, 60)])


def test_a_partitioned_table_is_updated_as_a_whole(database: Database) -> None:
    database.sql(
        "CREATE TABLE t (id int, at date, n int DEFAULT 0, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)",
        "CREATE TABLE t1 PARTITION OF t FOR VALUES FROM ('2026-01-01') TO ('2026-02-01') PARTITION BY HASH (id)",
        "CREATE TABLE t1a PARTITION OF t1 FOR VALUES WITH (MODULUS 2, REMAINDER 0)",
        "CREATE TABLE t1b PARTITION OF t1 FOR VALUES WITH (MODULUS 2, REMAINDER 1)",
        "CREATE TABLE t2 (n int DEFAULT 0, at date NOT NULL, id int NOT NULL, PRIMARY KEY (id, at))",
        "ALTER TABLE t ATTACH PARTITION t2 FOR VALUES FROM ('2026-02-01') TO ('2026-03-01')",
        "INSERT INTO t SELECT i, date '2026-01-01' + i % 50 FROM generate_series(1, 200) i",
        "ANALYZE t",
    )
    with pytest.raises(Stopped):
        perform(database, lambda op: op.update_in_batches("t", ONE_MORE, **SMALL), on=stopped_after(7))
    told = [event for event in update(database) if isinstance(event, StepProgress)]
    assert counts(database) == [(1, 200)]
    assert told[0].state == "80 rows, 80 of them changed"
    assert told[0].share == 0.4


def test_batches_are_found_by_the_primary_key_alone(database: Database) -> None:
    database.sql(
        "CREATE TABLE t (a int, b int, n int DEFAULT 0, s int DEFAULT 0, PRIMARY KEY (a, b))",
        "INSERT INTO t SELECT i % 3, i FROM generate_series(1, 20000) i",
        "CREATE INDEX t_s ON t (s)",
        "VACUUM ANALYZE t",
    )
    with pytest.raises(Stopped):
        perform(database, lambda op: op.update_in_batches("t", ONE_MORE, where="s = 0", **SMALL), on=stopped_after(2))
    batch = step(database, where="s = 0")
    with database.connect() as connection:
        *before, statement, end = render(batch, QUICK)
        for line in before:
            connection.execute(line.encode())
        plan = "\n".join(row[0] for row in connection.execute(b"EXPLAIN " + statement.encode()))
        connection.execute(end.encode())
    assert "Seq Scan on t" not in plan
    assert "t_s" not in plan
    assert "Sort " not in plan.replace("Sort Key", "")
