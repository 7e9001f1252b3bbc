"""Tables that take the place of a partition have what it had of its own, or are refused before anything is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from schema_kit.catalog import Catalog
from schema_kit.errors import ExecutionError, PlanError
from schema_kit.model import CopyLimits
from schema_kit.names import QualifiedName
from schema_kit.ops.operation import task
from schema_kit.sqlscripts import load
from schema_kit.steps import Plan
from schema_kit.steps.copy_swap import SwapCopy
from schema_kit.tasks.copying import drain_registered, split_registered
from tests.support.database import Database

pytestmark = [pytest.mark.conversion, pytest.mark.majors]

T = QualifiedName("s", "t")
SET = (
    *load("partman/tables/part_config.sql"),
    "CREATE SCHEMA s",
    """CREATE TABLE s.t (id bigint, at date NOT NULL, word text DEFAULT 'w', note text, PRIMARY KEY (id, at))
       PARTITION BY RANGE (at)""",
    "CREATE INDEX ON s.t (lower(word))",
    "CREATE TABLE s.t_half PARTITION OF s.t FOR VALUES FROM ('2026-01-01') TO ('2026-03-01')",
    "CREATE TABLE s.t_default PARTITION OF s.t DEFAULT",
    "INSERT INTO s.t SELECT i, date '2026-01-10' + i, 'w', 'n' FROM generate_series(1, 100) i",
    "INSERT INTO schema_kit.part_config (parent_table, control, partition_interval) VALUES ('s.t', 'at', '1 mon')",
    "CREATE FUNCTION s.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "CREATE TRIGGER fires BEFORE UPDATE ON s.t FOR EACH ROW EXECUTE FUNCTION s.f()",
    "CREATE POLICY sees ON s.t USING (id > 0)",
    "ALTER TABLE s.t ENABLE ROW LEVEL SECURITY",
)
WAYS: dict[str, tuple[str, str, Callable[[Catalog], Plan]]] = {
    "drain": ("t_default", "t_default", task(drain_registered, T, CopyLimits())),
    "split": (
        "t_half",
        "t_p20260201",
        task(split_registered, T, QualifiedName("s", "t_half"), CopyLimits()),
    ),
}
LOWER = "(SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = '{t}'::regclass AND indkey::text = '0')"


def _column(name: str, more: str) -> str:
    return (
        "SELECT count(*) FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum "
        f"WHERE a.attrelid = '{{t}}'::regclass AND a.attname = '{name}' AND {more}"
    )


OWN = {
    "a statistics target": ("ALTER TABLE {t} ALTER word SET STATISTICS 71", _column("word", "a.attstattarget = 71")),
    "an option of a column": (
        "ALTER TABLE {t} ALTER word SET (n_distinct = 5)",
        _column("word", "a.attoptions::text LIKE '%n_distinct=5%'"),
    ),
    "a default": (
        "ALTER TABLE {t} ALTER word SET DEFAULT 'own'",
        _column("word", "d.adbin IS NOT NULL") + " AND pg_get_expr(d.adbin, d.adrelid) LIKE '%own%'",
    ),
    "no default": ("ALTER TABLE {t} ALTER word DROP DEFAULT", _column("word", "d.adbin IS NULL")),
    "a way to store": ("ALTER TABLE {t} ALTER note SET STORAGE EXTERNAL", _column("note", "a.attstorage = 'e'")),
    "a compression": ("ALTER TABLE {t} ALTER note SET COMPRESSION pglz", _column("note", "a.attcompression = 'p'")),
    "a comment on a column": (
        "COMMENT ON COLUMN {t}.note IS 'own'",
        "SELECT count(*) FROM pg_description WHERE objoid = '{t}'::regclass AND objsubid = 4 AND description = 'own'",
    ),
    "NOT NULL": ("ALTER TABLE {t} ALTER note SET NOT NULL", _column("note", "a.attnotnull")),
    "a comment on a check": (
        "ALTER TABLE {t} ADD CONSTRAINT said CHECK (length(note) < 9); COMMENT ON CONSTRAINT said ON {t} IS 'own'",
        "SELECT count(*) FROM pg_constraint WHERE conrelid = '{t}'::regclass AND conname = 'said' "
        "AND obj_description(oid, 'pg_constraint') = 'own'",
    ),
    "a comment on a trigger": (
        "COMMENT ON TRIGGER fires ON {t} IS 'own'",
        "SELECT count(*) FROM pg_trigger WHERE tgrelid = '{t}'::regclass "
        "AND obj_description(oid, 'pg_trigger') = 'own'",
    ),
    "a policy, and a comment on it": (
        "CREATE POLICY sees ON {t} USING (id > 0); COMMENT ON POLICY sees ON {t} IS 'own'; "
        "ALTER TABLE {t} ENABLE ROW LEVEL SECURITY",
        "SELECT count(*) FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid AND c.relrowsecurity "
        "WHERE p.polrelid = '{t}'::regclass AND obj_description(p.oid, 'pg_policy') = 'own'",
    ),
    "a comment on an index": (
        "DO $do$ BEGIN EXECUTE 'COMMENT ON INDEX ' || " + LOWER + " || ' IS ''own'''; END $do$",
        "SELECT count(*) FROM pg_class WHERE oid = "
        + LOWER
        + "::regclass AND obj_description(oid, 'pg_class') = 'own'",
    ),
    "an option of an index": (
        "DO $do$ BEGIN EXECUTE 'ALTER INDEX ' || " + LOWER + " || ' SET (fillfactor = 44)'; END $do$",
        "SELECT count(*) FROM pg_class WHERE oid = " + LOWER + "::regclass AND reloptions::text LIKE '%fillfactor=44%'",
    ),
    "a check": (
        "ALTER TABLE {t} ADD CONSTRAINT short CHECK (length(word) < 9)",
        "SELECT count(*) FROM pg_constraint WHERE conrelid = '{t}'::regclass AND conname = 'short' AND convalidated",
    ),
    "an index": (
        "CREATE INDEX ON {t} (note, id) INCLUDE (word) WHERE note <> ''",
        "SELECT count(*) FROM pg_index WHERE indrelid = '{t}'::regclass AND indpred IS NOT NULL AND indisvalid",
    ),
    "a unique constraint": (
        "ALTER TABLE {t} ADD UNIQUE (note, id)",
        "SELECT count(*) FROM pg_constraint WHERE conrelid = '{t}'::regclass AND contype = 'u'",
    ),
    "the mark of CLUSTER": (
        "DO $do$ BEGIN EXECUTE 'ALTER TABLE {t} CLUSTER ON ' || split_part(" + LOWER + ", '.', 2); END $do$",
        "SELECT count(*) FROM pg_index WHERE indrelid = '{t}'::regclass AND indisclustered AND indkey::text = '0'",
    ),
    "a statistics target of an index": (
        "DO $do$ BEGIN EXECUTE 'ALTER INDEX ' || " + LOWER + " || ' ALTER COLUMN 1 SET STATISTICS 33'; END $do$",
        "SELECT count(*) FROM pg_attribute WHERE attrelid = " + LOWER + "::regclass AND attstattarget = 33",
    ),
}


@pytest.mark.parametrize("way", [pytest.param("drain", marks=pytest.mark.exhaustive), "split"])
def test_what_a_partition_has_of_its_own_goes_on(database: Database, way: str) -> None:
    source, heir, decide = WAYS[way]
    database.sql(*SET)
    for ddl, seen in OWN.values():
        if ddl != OWN["no default"][0]:
            database.sql(ddl.format(t=f"s.{source}"))
            assert database.sql(seen.format(t=f"s.{source}")) == [(1,)], ddl
    database.sql(f"GRANT SELECT ON s.{source} TO pg_monitor", f"COMMENT ON TABLE s.{source} IS 'own'")
    database.sql(f"GRANT UPDATE (note) ON s.{source} TO pg_monitor", f"REVOKE TRUNCATE ON s.{source} FROM postgres")
    database.sql(f"ALTER TABLE s.{source} SET (fillfactor = 66)", f"CREATE INDEX named_so ON s.{source} (id, note)")
    database.run(decide)
    kept = [what for what, (_, seen) in OWN.items() if database.sql(seen.format(t=f"s.{heir}")) == [(1,)]]
    assert kept == [what for what in OWN if what != "no default"]
    what = (
        "reloptions::text, has_table_privilege('pg_monitor', oid, 'SELECT'), obj_description(oid, 'pg_class'), "
        "has_column_privilege('pg_monitor', oid, 'note', 'UPDATE'), relacl::text LIKE '%postgres=arwdxt%'"
    )
    assert database.sql(f"SELECT {what} FROM pg_class WHERE oid = 's.{heir}'::regclass") == [
        ("{fillfactor=66}", True, "own", True, True)
    ]
    if way == "drain":  # it has the name, and its indexes have theirs
        assert database.sql(
            "SELECT indrelid::regclass::text FROM pg_index WHERE indexrelid = 's.named_so'::regclass"
        ) == [(f"s.{heir}",)]
        windows = "SELECT count(*) FROM pg_class WHERE relname LIKE 't\\_p%' AND relkind = 'r' AND reloptions IS NULL"
        assert database.sql(windows)[0][0] > 0


@pytest.mark.exhaustive
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("what", OWN)
def test_each_by_itself(database: Database, way: str, what: str) -> None:
    source, heir, decide = WAYS[way]
    ddl, seen = OWN[what]
    database.sql(*SET, ddl.format(t=f"s.{source}"))
    database.run(decide)
    assert database.sql(seen.format(t=f"s.{heir}")) == [(1,)]


REFUSED = {
    "a foreign key": (
        "CREATE TABLE s.r (id bigint PRIMARY KEY); ALTER TABLE {t} ADD CONSTRAINT own FOREIGN KEY (id) REFERENCES s.r "
        "NOT VALID",
        "foreign key own is its own",
    ),
    "a check that is not validated": (
        "ALTER TABLE {t} ADD CONSTRAINT own CHECK (word <> 'w') NOT VALID",
        "check own is its own and not validated",
    ),
    "row security of its own": ("CREATE POLICY own ON {t} USING (id > 1)", "it has row security of its own"),
    "statistics": ("CREATE STATISTICS s.own ON word, note FROM {t}", "statistics s.own are its own"),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("what", REFUSED)
def test_what_they_would_not_have_is_refused_first(database: Database, way: str, what: str) -> None:
    source, _, decide = WAYS[way]
    ddl, words = REFUSED[what]
    database.sql(*SET, ddl.format(t=f"s.{source}"))
    with pytest.raises(PlanError, match=words):
        database.run(decide)
    assert database.sql("SELECT to_regclass('schema_kit.copy_run')") == [(None,)]


@pytest.mark.parametrize("way", [pytest.param("drain", marks=pytest.mark.exhaustive), "split"])
def test_a_swap_that_forgets_something_commits_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    source, _, decide = WAYS[way]
    database.sql(*SET, f"ALTER TABLE s.{source} ALTER word SET DEFAULT 'own'")

    def nothing(*_: Any) -> tuple[str, ...]:
        return ()

    monkeypatch.setattr(SwapCopy, "_have", nothing)
    with pytest.raises(ExecutionError, match=f"takes the place of s.{source} would not have column word, default"):
        database.run(decide)
    assert database.sql(f"SELECT relispartition FROM pg_class WHERE oid = 's.{source}'::regclass") == [(True,)]
