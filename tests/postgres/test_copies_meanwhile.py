"""What others set while rows are copied is had by what takes their place: settings of columns, owner, rights."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from schema_kit import execute
from schema_kit.catalog import Catalog
from schema_kit.errors import PlanError
from schema_kit.execute import Event, StepStarted
from schema_kit.model import CopyLimits, Partitioning
from schema_kit.names import QualifiedName
from schema_kit.ops.operation import task
from schema_kit.sqlscripts import load
from schema_kit.steps import Plan
from schema_kit.steps.copy_swap import Settle
from schema_kit.tasks.conversion import Convert
from schema_kit.tasks.copying import drain_registered, split_registered
from tests.support.database import QUICK, Database
from tests.support.matrix import thinned

pytestmark = [pytest.mark.conversion, pytest.mark.majors]

T = QualifiedName("s", "t")
COLUMNS = "id bigint, at date NOT NULL, word text DEFAULT 'w' COLLATE \"C\", note text, PRIMARY KEY (id, at)"
ROWS = "INSERT INTO s.t SELECT i, date '2026-01-10' + i, 'w', 'n' FROM generate_series(1, 60) i"
PLAIN = ("CREATE SCHEMA s", f"CREATE TABLE s.t ({COLUMNS})", ROWS)
SET = (
    *load("partman/tables/part_config.sql"),
    "CREATE SCHEMA s",
    f"CREATE TABLE s.t ({COLUMNS}) PARTITION BY RANGE (at)",
    "CREATE TABLE s.t_half PARTITION OF s.t FOR VALUES FROM ('2026-01-01') TO ('2026-03-01')",
    "CREATE TABLE s.t_default PARTITION OF s.t DEFAULT",
    ROWS,
    "INSERT INTO schema_kit.part_config (parent_table, control, partition_interval) VALUES ('s.t', 'at', '1 mon')",
)
WAYS: dict[str, tuple[tuple[str, ...], str, Callable[[Catalog], Plan]]] = {
    "drain": (SET, "t_default", task(drain_registered, T, CopyLimits())),
    "split": (SET, "t_half", task(split_registered, T, QualifiedName("s", "t_half"), CopyLimits())),
    "copy": (PLAIN, "t", Convert(Partitioning(T, "at", "1 mon", premake=1), "refuse", "copy").plan),
}
BEFORE = (
    "ALTER TABLE s.t ALTER note SET STATISTICS 5, ALTER note SET (n_distinct = 3)",
    "COMMENT ON COLUMN s.t.note IS 'before'",
)
MEANWHILE = (
    "ALTER TABLE s.t ALTER word SET DEFAULT 'it''s, SET', ALTER id SET DEFAULT 7, ALTER at SET DEFAULT current_date",
    "ALTER TABLE s.t ALTER word SET STATISTICS 71, ALTER note SET STATISTICS -1",
    "ALTER TABLE ONLY s.t ALTER word SET (n_distinct = -0.5, n_distinct_inherited = 9), ALTER note RESET (n_distinct)",
    "COMMENT ON COLUMN s.t.note IS NULL; COMMENT ON COLUMN s.t.word IS 'it''s said'",
)
SETTINGS = """
SELECT a.attname, pg_get_expr(d.adbin, d.adrelid), coalesce(a.attstattarget, -1), a.attstorage, a.attcompression,
       (SELECT array_agg(o ORDER BY o) FROM unnest(a.attoptions) o WHERE o LIKE 'n_distinct%'),
       col_description(a.attrelid, a.attnum)
FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = 's.{}'::regclass AND a.attnum > 0 ORDER BY a.attnum
"""
ACCESS = """
SELECT relowner::regrole::text, relacl::text, relrowsecurity, relforcerowsecurity, obj_description(oid),
       (SELECT array_agg(attacl::text ORDER BY attnum) FROM pg_attribute WHERE attrelid = c.oid AND attacl IS NOT NULL),
       (SELECT array_agg(polname::text) FROM pg_policy WHERE polrelid = c.oid)
FROM pg_class c WHERE oid = 's.{}'::regclass
"""


def run(database: Database, way: str, *meanwhile: str) -> None:
    """Others commit something between the copy and the swap."""
    decide = WAYS[way][2]

    def tell(event: Event) -> None:
        if isinstance(event, StepStarted) and isinstance(event.step, Settle):
            database.sql(*meanwhile)

    connection = database.sqlalchemy()
    execute.run(connection, lambda: decide(Catalog(connection)), QUICK, tell)


def partitions(database: Database, *without: str) -> list[str]:
    found = database.sql("SELECT relid::regclass::text FROM pg_partition_tree('s.t') WHERE isleaf")
    return [name.removeprefix("s.") for (name,) in found if name not in {f"s.{one}" for one in without}]


@pytest.mark.parametrize("way", WAYS)
def test_each_partition_has_what_is_set_for_columns_meanwhile(database: Database, way: str) -> None:
    setup, _, _ = WAYS[way]
    database.sql(*setup, *BEFORE)
    run(database, way, *MEANWHILE)
    table = database.sql(SETTINGS.format("t"))
    assert table[2][1:3] == ("'it''s, SET'::text", 71)
    assert table[2][5:] == (["n_distinct=-0.5", "n_distinct_inherited=9"], "it's said")
    # What the source had of its own, its heirs have: what is set with ONLY, or said, does not reach it.
    others = {"drain": ("t_default", "t_half"), "split": ("t_p20260101", "t_p20260201", "t_default"), "copy": ()}[way]
    made = partitions(database, *others)
    assert made or way == "split"
    assert [database.sql(SETTINGS.format(name)) for name in made] == [table] * len(made)
    defaults = {database.sql(SETTINGS.format(name))[2][1:3] for name in partitions(database)}
    assert defaults == {("'it''s, SET'::text", 71)}


@pytest.mark.parametrize("way", ["drain", "split"])
def test_heirs_have_what_is_set_for_columns_of_their_own(database: Database, way: str) -> None:
    setup, source, _ = WAYS[way]
    database.sql(*setup)
    meanwhile = [statement.replace("s.t", f"s.{source}") for statement in MEANWHILE]
    run(database, way, *meanwhile)
    heirs = ["t_default"] if way == "drain" else ["t_p20260101", "t_p20260201"]
    for heir in heirs:
        word = database.sql(SETTINGS.format(heir))[2]
        assert (word[1:3], word[6]) == (("'it''s, SET'::text", 71), "it's said")


@pytest.mark.parametrize("when", thinned(["before", "meanwhile"], "meanwhile"))
@pytest.mark.parametrize("way", ["drain", "split"])
def test_whose_a_partition_is_its_heirs_are(database: Database, way: str, when: str) -> None:
    setup, source, _ = WAYS[way]
    own = (
        f"ALTER TABLE s.{source} OWNER TO pg_monitor",
        f"GRANT SELECT, UPDATE (note) ON s.{source} TO pg_read_all_stats WITH GRANT OPTION",
        f"GRANT INSERT (word) ON s.{source} TO pg_monitor",
        f"REVOKE TRUNCATE ON s.{source} FROM pg_monitor",
        f"COMMENT ON TABLE s.{source} IS 'own'",
    )
    database.sql(*setup)
    for name in ("t", source):
        database.sql(
            f"CREATE POLICY mine ON s.{name} USING (id > 0)", f"ALTER TABLE s.{name} ENABLE ROW LEVEL SECURITY"
        )
    database.sql(*(own if when == "before" else ()))
    run(database, way, *(own if when == "meanwhile" else ("SELECT 1",)))
    heirs = ["t_default"] if way == "drain" else ["t_p20260101", "t_p20260201"]
    for access in (database.sql(ACCESS.format(name))[0] for name in heirs):
        assert access[0] == "pg_monitor"
        assert "pg_monitor=arwdxtm/pg_monitor" in access[1] or "pg_monitor=arwdxt/pg_monitor" in access[1]
        assert "pg_read_all_stats=r*/pg_monitor" in access[1]
        columns = ["{pg_monitor=a/pg_monitor}", "{pg_read_all_stats=w*/pg_monitor}"]
        assert access[2:] == (True, False, "own", columns, ["mine"])
    if way == "drain":
        windows = [database.sql(ACCESS.format(name))[0] for name in partitions(database, "t_default", "t_half")]
        assert windows
        assert all(owner == database.sql("SELECT current_user")[0][0] for owner, *_ in windows)
    assert database.sql("SELECT count(*) FROM s.t") == [(60,)]


@pytest.mark.parametrize("way", ["drain", "split"])
def test_an_owner_that_could_not_have_them_is_named_first(database: Database, way: str) -> None:
    setup, _, _ = WAYS[way]
    role = database.sql("SELECT current_database()")[0][0] + "_role"
    database.sql(*setup, f"CREATE ROLE {role}")
    try:
        database.sql(f"GRANT ALL ON SCHEMA s, schema_kit TO {role}", f"ALTER TABLE s.t OWNER TO {role}")
        database.sql(f"GRANT SELECT ON ALL TABLES IN SCHEMA s, schema_kit TO {role}")
        connection = database.sqlalchemy()
        connection.exec_driver_sql(f"SET ROLE {role}")
        with pytest.raises(PlanError, match=f"belongs to .*, whose rights {role} lacks"):
            execute.run(connection, lambda: WAYS[way][2](Catalog(connection)), QUICK, lambda _: None)
        assert database.sql("SELECT to_regclass('schema_kit.copy_run')") == [(None,)]
    finally:
        database.sql(f"DROP OWNED BY {role} CASCADE; DROP ROLE {role}")


INDEXES = """
SELECT c.relname, regexp_replace(pg_get_indexdef(x.indexrelid), '^.* USING ', ''), h.inhparent IS NOT NULL
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_index x ON x.indrelid = c.oid
LEFT JOIN pg_inherits h ON h.inhrelid = x.indexrelid WHERE n.nspname = 's' AND c.relkind = 'r' ORDER BY 1, 2
"""


@pytest.mark.parametrize("twice", [False, True], ids=["once", "twice"])
@pytest.mark.parametrize("way", WAYS)
def test_an_index_that_others_drop_meanwhile_stays_on_no_partition(database: Database, way: str, twice: bool) -> None:
    """Also one of two that are equal, and one whose constraint goes."""
    beginning = WAYS[way][0]
    database.sql(*beginning, *("CREATE INDEX kept ON s.t (word, note)",) * twice)
    database.sql("CREATE INDEX gone ON s.t (word, note)", "ALTER TABLE s.t ADD CONSTRAINT lone UNIQUE (note, id, at)")
    run(database, way, "DROP INDEX s.gone", "ALTER TABLE s.t DROP CONSTRAINT lone")
    found = [row for row in database.sql(INDEXES) if row[0] != "t__old"]
    assert all(attached for *_, attached in found)
    tables = {table for table, *_ in found}
    assert len(found) == len(tables) * (2 if twice else 1), found
