"""Copies while applications work: tables to be drained, split and converted."""

from __future__ import annotations

import os
import subprocess
from typing import Any

import schema_kit
from schema_kit import op
from schema_kit.script import LockPolicy
from tests.support.cli import command
from tests.support.database import Database, own_role
from tests.support.writers import rows

PATIENT = LockPolicy(first=100, longest=2000, attempts=60)
COLUMNS = "id bigint NOT NULL, at timestamptz NOT NULL, body text, amount numeric, word text"
CONTROL = (f"CREATE TABLE s.control ({COLUMNS}, PRIMARY KEY (id, at))", "CREATE INDEX ON s.control (id)")
SET = (
    "CREATE SCHEMA s",
    f"CREATE TABLE s.t ({COLUMNS}, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)",
    "CREATE INDEX ON s.t (word)",
    "CREATE INDEX ON s.t (at)",
)
DEFAULT = (*SET, "CREATE TABLE s.t_default PARTITION OF s.t DEFAULT", *CONTROL)
WHOLE = (
    *SET,
    "CREATE TABLE s.t_before PARTITION OF s.t FOR VALUES FROM (MINVALUE) TO ('2026-07-01 00:00+00')",
    *CONTROL,
)
POLICY = "INSERT INTO schema_kit.part_config (parent_table, control, partition_interval) VALUES ('s.t', 'at', '1 mon')"


def begin(database: Database, *statements: str) -> None:
    database.sql(*statements, rows("s.t"), rows("s.control"), "ANALYZE s.t")
    with schema_kit.operations(database.sqlalchemy()):
        op.create_part_config()
    database.sql(POLICY)


def drain(database: Database, workers: int = 1) -> None:
    with schema_kit.operations(database.sqlalchemy(), policy=PATIENT):
        op.drain_default_concurrently("t", schema="s", workers=workers)


def split(database: Database, name: str = "t_before", workers: int = 1) -> None:
    with schema_kit.operations(database.sqlalchemy(), policy=PATIENT):
        op.split_partition_concurrently("t", name, schema="s", workers=workers)


def held(database: Database) -> dict[str, int]:
    return dict(database.sql("SELECT tableoid::regclass::text, count(*) FROM s.t GROUP BY 1"))


def left_behind(database: Database) -> list[str]:
    """What a copy has made and should have taken away."""
    relations = database.sql(
        "SELECT relname FROM pg_class WHERE relnamespace = 's'::regnamespace AND relkind IN ('r', 'p') AND "
        "(relname LIKE '%\\_\\_log' OR relname LIKE '%\\_\\_staging' OR relname LIKE '%\\_\\_old' "
        "OR relname LIKE '%\\_\\_new') UNION ALL "
        "SELECT proname FROM pg_proc WHERE pronamespace = 's'::regnamespace UNION ALL "
        "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal UNION ALL "
        "SELECT conname FROM pg_constraint WHERE connamespace = 's'::regnamespace AND contype = 'c'"
    )
    return [row[0] for row in relations]


def cli(database: Database, *arguments: str, lines: int | None = None) -> tuple[int, list[str]]:
    """The console script, in a process of its own; killed after so many lines on stderr."""
    with subprocess.Popen(
        command(database, "partitions", *arguments, "--format", "json"),
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:
        assert process.stderr is not None
        told: list[str] = []
        for line in process.stderr:
            told.append(line)
            if len(told) == lines:
                process.kill()
        return process.wait(), told


PLAIN = (
    "CREATE SCHEMA s",
    f"CREATE TABLE s.t ({COLUMNS}, PRIMARY KEY (id))",
    "CREATE INDEX t_word ON s.t (word)",
    "CREATE INDEX t_at ON s.t (at)",
    f"CREATE TABLE s.control ({COLUMNS}, PRIMARY KEY (id, at))",
    rows("s.t"),
    rows("s.control"),
    "ANALYZE s.t",
)
BY = ("--control", "at", "--interval", "1 month", "--now", "2026-04-10")
READER = own_role("reader_of_t")
RICH = (
    "CREATE SCHEMA s",
    f"CREATE ROLE {READER}",
    "CREATE TABLE s.place (id bigint PRIMARY KEY)",
    "INSERT INTO s.place SELECT generate_series(0, 9)",
    """CREATE TABLE s.t (
      id bigint GENERATED ALWAYS AS IDENTITY (START WITH 7 INCREMENT BY 3) PRIMARY KEY,
      number serial, at timestamptz NOT NULL DEFAULT '2026-02-03', body text DEFAULT 'none' CHECK (body <> ''),
      length int GENERATED ALWAYS AS (length(body)) STORED, place_id bigint REFERENCES s.place, j json)""",
    "CREATE INDEX t_body ON s.t (lower(body)) WHERE body IS NOT NULL",
    "CREATE UNIQUE INDEX t_number ON s.t (number, at)",
    "CREATE FUNCTION s.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "CREATE TRIGGER touched BEFORE UPDATE ON s.t FOR EACH ROW EXECUTE FUNCTION s.f()",
    "CREATE VIEW s.v WITH (security_invoker = true) AS SELECT id, body FROM s.t",
    "ALTER TABLE s.t ENABLE ROW LEVEL SECURITY",
    "CREATE POLICY everybody ON s.t USING (true)",
    f"GRANT SELECT, UPDATE (body) ON s.t TO {READER}",
    "COMMENT ON TABLE s.t IS 'things'",
    "COMMENT ON INDEX s.t_body IS 'for the search'",
    "ALTER TABLE s.t ALTER body SET STATISTICS 500",
    "ALTER TABLE s.t SET (fillfactor = 80)",
    "INSERT INTO s.t (at, place_id, j) SELECT timestamptz '2026-01-05' + i * interval '1 hour', i % 10, '{}' "
    "FROM generate_series(1, 2000) i",
)
CATALOG = """
SELECT 'index', i.relname, regexp_replace(pg_get_indexdef(i.oid), ' ON (ONLY )?', ' ON '),
       coalesce(obj_description(i.oid), '')
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid WHERE x.indrelid = 's.t'::regclass
UNION ALL SELECT 'constraint', conname, pg_get_constraintdef(oid), convalidated::text FROM pg_constraint
WHERE conrelid = 's.t'::regclass AND contype <> 'n'
UNION ALL SELECT 'column', attname, format_type(atttypid, atttypmod) || coalesce(attidentity::text, ''),
                 coalesce(pg_get_expr(d.adbin, d.adrelid), '') || coalesce(attstattarget::text, '')
FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = attrelid AND d.adnum = attnum
WHERE attrelid = 's.t'::regclass AND attnum > 0
UNION ALL SELECT 'trigger', tgname, pg_get_triggerdef(oid), tgenabled::text FROM pg_trigger
WHERE tgrelid = 's.t'::regclass AND NOT tgisinternal
UNION ALL SELECT 'policy', polname, polcmd::text, '' FROM pg_policy WHERE polrelid = 's.t'::regclass
UNION ALL SELECT 'view', viewname, definition, '' FROM pg_views WHERE schemaname = 's'
UNION ALL SELECT 'view option', relname, reloptions::text, '' FROM pg_class WHERE oid = 's.v'::regclass
UNION ALL SELECT 'grant', relacl::text, '', coalesce(obj_description(oid, 'pg_class'), '') FROM pg_class
WHERE oid = 's.t'::regclass
UNION ALL SELECT 'sequence', c.relname, d.refobjid::regclass::text, d.deptype::text FROM pg_class c
JOIN pg_depend d ON d.objid = c.oid AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
WHERE c.relkind = 'S' AND c.relnamespace = 's'::regnamespace
"""


def catalog(database: Database) -> set[tuple[Any, ...]]:
    return set(database.sql(CATALOG))


def convert(database: Database, **keywords: Any) -> None:
    with schema_kit.operations(database.sqlalchemy(), policy=PATIENT):
        op.convert_to_partitioned("t", "at", "1 month", schema="s", strategy="copy", **keywords)
