"""From one model to another by what autogenerate writes: up next to a writer, down, up."""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

import schema_kit
from tests.support.autogenerate import Written, calls
from tests.support.database import Database
from tests.support.models import EXTENSIONS, Spec, build

TABLES = ("public.t", "public.parted", '"Ten""ant 1"."Away From"', '"Ten""ant 1"."Sub %"')
START = (
    "DROP SCHEMA public CASCADE",
    'DROP SCHEMA IF EXISTS "Ten""ant 1" CASCADE',
    "DROP SCHEMA IF EXISTS schema_kit CASCADE",
    "CREATE SCHEMA IF NOT EXISTS extensions",
    "CREATE SCHEMA public",
    'CREATE SCHEMA "Ten""ant 1"',
    "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = public, extensions', current_database()); END $$",
    *(f"CREATE EXTENSION IF NOT EXISTS {name} SCHEMA extensions" for name in EXTENSIONS),
)
PARTS = """
DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_inherits WHERE inhparent = '{table}'::regclass) THEN FOR i IN 0..4 LOOP
  EXECUTE format('CREATE TABLE {part}%s PARTITION OF {escaped} FOR VALUES FROM (%s) TO (%s) {below}',
                 i, i * 1000, (i + 1) * 1000);
  IF '{below}' <> '' THEN
    EXECUTE format('CREATE TABLE {part}%s_0 PARTITION OF {part}%s FOR VALUES WITH (MODULUS 1, REMAINDER 0)', i, i);
  END IF;
END LOOP; END IF; END $$
"""
CATALOG = """
WITH own AS (SELECT c.* FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
  WHERE nspname IN ('public', 'Ten"ant 1') AND NOT relispartition AND relname !~ '^alembic_version')
SELECT 'column', attrelid::regclass::text, attname::text, concat_ws(' | ', format_type(atttypid, atttypmod), attnotnull,
       pg_get_expr(adbin, adrelid), col_description(attrelid, attnum), attidentity, attgenerated,
       (SELECT collname FROM pg_collation l WHERE l.oid = attcollation),
       (SELECT (s.*)::text FROM (SELECT seqstart, seqincrement, seqmax, seqmin, seqcache, seqcycle FROM pg_sequence
        WHERE seqrelid = pg_get_serial_sequence(attrelid::regclass::text, attname)::regclass) s))
FROM pg_attribute JOIN own ON own.oid = attrelid LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE relkind IN ('r', 'p', 'v') AND attnum > 0 AND NOT attisdropped
UNION ALL SELECT 'index', indrelid::regclass::text, pg_get_indexdef(indexrelid),
       concat_ws(' | ', indisvalid, reltablespace)
FROM pg_index JOIN own ON own.oid = indexrelid
UNION ALL SELECT 'constraint', conrelid::regclass::text, conname,
       concat_ws(' | ', pg_get_constraintdef(k.oid), convalidated, {comments})
FROM pg_constraint k JOIN own ON own.oid = conrelid WHERE contype <> 'n' AND conparentid = 0
UNION ALL SELECT 'table', own.oid::regclass::text, relkind::text,
       concat_ws(' | ', ARRAY(SELECT unnest(reloptions) ORDER BY 1)::text,
       relpersistence,
       obj_description(own.oid, 'pg_class'), reltablespace, pg_get_partkeydef(own.oid))
FROM own WHERE relkind IN ('r', 'p', 'v', 'S')
ORDER BY 1, 2, 3, 4
"""
POLICIES = {
    "part_config": "parent_table::text, control::text, partition_interval, premake, retention, retention_keep_table, "
    "detach, "
    "inherit_privileges",
    "archive_policy": "*",
    "ttl_policy": "*",
}
_SAID = re.compile(
    r"^(To make|To add|The exclusion constraint|.*which op\.set_partition_policy refuses|"
    r".*No operation changes a partition key|.*interval of 1 month that is written is a guess)"
)
_CASTS = re.compile(r"::(character varying|text|bpchar|citext|character)(\(\d+\))?(\[\])?|[()]")

Rows = list[tuple[str, ...]]


def catalog(database: Database, *, comments: bool = True) -> Rows:
    """What exists, but for casts of texts: IN (...) reads otherwise once it was made from what is printed of it."""
    sql = CATALOG.format(comments="obj_description(k.oid, 'pg_constraint')" if comments else "''")
    found = [tuple(_CASTS.sub("", text or "") for text in row) for row in database.sql(sql)]
    for table, columns in POLICIES.items():
        if database.sql(f"SELECT to_regclass('schema_kit.{table}') IS NOT NULL") == [(True,)]:
            found += [
                (table, *map(str, row)) for row in database.sql(f"SELECT {columns} FROM schema_kit.{table} ORDER BY 1")
            ]
    return found


def made(database: Database, spec: Spec, version: int) -> sa.MetaData:
    """Create a model's tables, with partitions for some ids."""
    database.sql("SET client_min_messages = error", *START)
    models = build(spec, version)
    with database.sqlalchemy() as connection:
        models.create_all(connection)
    for table, part, below in ((TABLES[1], "parted_", ""), (TABLES[3], "subs_", "PARTITION BY HASH (shard)")):
        database.sql(PARTS.format(table=table, part=part, below=below, escaped=table.replace("%", "%%")))
    return models


def filled(database: Database) -> None:
    """Put rows into each table."""
    database.sql("INSERT INTO to_be SELECT i, i FROM generate_series(1, 9) i")
    for table in (TABLES[2], TABLES[0], TABLES[1], TABLES[3]):
        database.sql(
            f"INSERT INTO {table} (id, a, b, data, ref) "
            "SELECT i, i, 'w' || i, '{}', CASE WHEN i > 1 THEN 1 END FROM generate_series(1, 90) i"
        )


@contextmanager
def writing(database: Database) -> Iterator[None]:
    """Insert rows into each table until the block ends."""
    stop, wrong = threading.Event(), list[BaseException]()

    def write() -> None:
        try:
            with database.connect() as connection:
                first = connection.execute("SELECT 1 + max(id) FROM t").fetchone()
                for number in itertools.count(first[0] if first else 1):
                    for table in TABLES:
                        connection.execute(
                            f"INSERT INTO {table} (id, a, b, data, ref) "
                            f"VALUES ({number}, {number}, 'w{number}', '{{}}', 1)".encode()
                        )
                    if stop.wait(0.05):
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
    assert not wrong, wrong


def round_trip(database: Database, folder: Path, before: Spec, after: Spec, env: str, version: int) -> None:
    """Hold what has to hold between two models."""
    first = made(database, before, version)
    filled(database)
    project = Written(folder, database.url, first, env)
    project.options |= {"include_schemas": True, "compare_server_default": True}
    assert project.diffs() == [], "what was just made differs"
    assert not project.sentences, project.sentences
    was = catalog(database)
    project.models = build(after, version)
    changes = project.diffs()
    scripts = project.revision()
    assert bool(changes) == any(map(calls, scripts)), "check and revision differ"
    with writing(database):
        project.upgrade()
    assert project.diffs() == [], "differs after upgrade"
    assert all(map(_SAID.match, project.sentences)), project.sentences
    done = catalog(database)
    project.downgrade("base")
    assert same(catalog(database), was), "downgraded"
    schema_kit.assert_no_diff(database.sqlalchemy(), first)
    with writing(database):
        project.upgrade()
    assert same(catalog(database), done), "upgraded again"


def same(one: Rows, other: Rows) -> bool:
    """Compare, and say how they differ."""
    differ = [f"+ {row}" for row in one if row not in other] + [f"- {row}" for row in other if row not in one]
    assert not differ, "\n".join(differ)
    return True
