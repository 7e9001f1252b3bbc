"""A table, what it keeps out of line and each of its indexes lie where they lay, whatever is made again of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from schema_kit import op, operations
from schema_kit.errors import PlanError
from schema_kit.model import CopyLimits
from schema_kit.names import QualifiedName
from schema_kit.tasks.copying import drain_registered
from tests.support.cli import shell
from tests.support.database import QUICK, Database
from tests.support.partman import children, installed

pytestmark = [pytest.mark.partitions, pytest.mark.majors]

TABLE = (
    "CREATE SCHEMA s",
    "CREATE TABLE s.t (id bigint NOT NULL, at timestamptz NOT NULL, word text, PRIMARY KEY (id, at)) "
    "PARTITION BY RANGE (at)",
    "CREATE INDEX by_word ON s.t (lower(word)) WITH (fillfactor = 70) WHERE word <> ' WHERE '",
    "CREATE UNIQUE INDEX by_at ON s.t (at, id)",
    "CREATE TABLE s.old PARTITION OF s.t FOR VALUES FROM ('2026-01-01 00:00+00') TO ('2026-03-01 00:00+00')",
    "CREATE TABLE s.new PARTITION OF s.t FOR VALUES FROM ('2026-03-01 00:00+00') TO ('2026-04-01 00:00+00')",
    "CREATE TABLE s.other PARTITION OF s.t DEFAULT",
    "INSERT INTO s.t SELECT i, '2026-01-01 00:00+00'::timestamptz + i * interval '1 day', 'w' "
    "FROM generate_series(0, 80) i",
    "INSERT INTO s.t VALUES (99, '2026-05-05 00:00+00', 'w')",
)

# Of a table: where it lies, its TOAST table, and its part of each of the parent's indexes, or its own.
PLACES = """
SELECT coalesce(s.spcname, '-'), CASE WHEN o.oid IS NOT NULL THEN coalesce(ts.spcname, '-') END, (
  SELECT string_agg(coalesce(pi.relname, i.relname) || ' ' || coalesce(s.spcname, '-'), ', '
                    ORDER BY coalesce(pi.relname, i.relname))
  FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid LEFT JOIN pg_inherits h ON h.inhrelid = i.oid
  LEFT JOIN pg_class pi ON pi.oid = h.inhparent LEFT JOIN pg_tablespace s ON s.oid = i.reltablespace
  WHERE x.indrelid = c.oid)
FROM pg_class c LEFT JOIN pg_class o ON o.oid = c.reltoastrelid LEFT JOIN pg_tablespace s ON s.oid = c.reltablespace
LEFT JOIN pg_tablespace ts ON ts.oid = o.reltablespace WHERE c.oid = '{}'::regclass
"""


@pytest.fixture
def spaces(database: Database) -> Iterator[tuple[str, str]]:
    """Two tablespaces without directories."""
    if database.connect().info.server_version < 150000:
        pytest.skip("a tablespace in place came with 15")
    (name,) = database.sql("SELECT current_database()")[0]
    a, b = (f"{name}_{which}" for which in "ab")
    for space in (a, b):
        database.sql("SET allow_in_place_tablespaces = on", f"CREATE TABLESPACE {space} LOCATION ''")
    yield a, b
    database.sql(f"ALTER DATABASE {name} RESET default_tablespace", "DROP SCHEMA IF EXISTS s CASCADE")
    database.sql(f"DROP TABLESPACE {a}", f"DROP TABLESPACE {b}")


def places(database: Database, table: str, a: str, b: str) -> str:
    """Where it lies, in short: a, b or -."""
    table_in, toast, indexes = database.sql(PLACES.format(table))[0]
    assert toast in (table_in, None)
    return f"{table_in}: {indexes}".replace(a, "a").replace(b, "b")


def split(database: Database) -> None:
    with operations(database.sqlalchemy(), policy=QUICK):
        op.split_partition_concurrently("t", "old", schema="s")


def drain(database: Database) -> None:
    database.run(lambda catalog: drain_registered(catalog, QualifiedName("s", "t"), CopyLimits()))


def ahead(database: Database) -> None:
    assert shell(database, "partitions", "create-next", "s.t", "--now", "2026-04-10").returncode == 0


def gaps(database: Database) -> None:
    database.sql("DELETE FROM s.other")
    assert shell(database, "partitions", "fill-gaps", "s.t", "--now", "2026-06-10").returncode == 0


# What is done, and which tables it makes: those that take another's place lie where that lies, others where the newest.
MAKES: dict[str, tuple[Callable[[Database], None], str, str]] = {
    "split": (split, "t_p20260101 t_p20260201", "old"),
    "drain": (drain, "t_p20260501", "new"),
    "drain's default": (drain, "other", "other"),
    "create-next": (ahead, "t_p20260501", "new"),
    "fill-gaps": (gaps, "t_p20260401", "new"),
}


@pytest.mark.parametrize("what", MAKES)
def test_what_takes_its_place_or_follows_it_lies_there_too(
    database: Database, spaces: tuple[str, str], what: str
) -> None:
    act, made, like = MAKES[what]
    a, b = spaces
    database.sql(*TABLE)
    if what in ("create-next", "fill-gaps"):
        database.sql("DELETE FROM s.other")
    for number, table in enumerate(("old", "new", "other")):
        first, second = (a, b) if number % 2 else (b, a)
        database.sql(
            f"ALTER TABLE s.{table} SET TABLESPACE {first}",
            f"ALTER INDEX s.{table}_lower_idx SET TABLESPACE {second}",
            f"ALTER INDEX s.{table}_pkey SET TABLESPACE {first}",
        )
    database.sql(f"ALTER INDEX s.by_at SET TABLESPACE {b}")  # which its parts have not
    with operations(database.sqlalchemy(), policy=QUICK):
        op.set_partition_policy("t", schema="s", control="at", interval="1 month", premake=1)
    wanted = places(database, f"s.{like}", a, b)
    assert len(set(wanted) & {"a", "b"}) == 2
    act(database)
    for table in made.split():
        assert places(database, f"s.{table}", a, b) == wanted, table


def test_partitions_of_a_partition_lie_where_those_of_the_newest_do(
    database: Database, spaces: tuple[str, str]
) -> None:
    a, b = spaces
    database.sql("CREATE SCHEMA s")
    with operations(database.sqlalchemy(), policy=QUICK):
        op.create_partitioned_table(
            "t",
            sa.Column("id", sa.BigInteger, primary_key=True),
            sa.Column("at", sa.DateTime(timezone=True), primary_key=True),
            schema="s",
            control="at",
            interval="1 month",
            premake=1,
            sub_partitions=op.by_hash("id", 2),
            postgresql_tablespace=a,
        )
    last = "SELECT max(inhrelid::regclass::text) FROM pg_inherits WHERE inhparent = 's.t'::regclass"
    newest = database.sql(last)[0][0]
    leaves = [
        row[0]
        for row in database.sql(f"SELECT relid::regclass FROM pg_partition_tree('{newest}') WHERE isleaf ORDER BY 1")
    ]
    assert [places(database, leaf, a, b)[0] for leaf in leaves] == ["a", "a"]
    database.sql(f"ALTER TABLE {leaves[1]} SET TABLESPACE {b}", f"ALTER INDEX {leaves[0]}_pkey SET TABLESPACE {b}")
    assert shell(database, "partitions", "create-next", "s.t", "--now", "2099-01-01").returncode == 0
    (made,) = database.sql(last)[0]
    assert made > newest
    for number in (0, 1):
        own = leaves[number].replace(newest, made)
        assert places(database, own, a, b) == places(database, leaves[number], a, b).replace(newest[2:], made[2:])


@pytest.mark.parametrize("declared", [None, "b"])
def test_an_index_that_is_replaced(database: Database, spaces: tuple[str, str], declared: str | None) -> None:
    a, b = spaces
    database.sql(*TABLE, f"ALTER INDEX s.by_word SET TABLESPACE {a}", f"ALTER INDEX s.old_lower_idx SET TABLESPACE {b}")
    with operations(database.sqlalchemy(), policy=QUICK):
        where: dict[str, Any] = {"postgresql_tablespace": b} if declared else {}
        op.replace_index_concurrently("by_word", "t", ["word"], schema="s", **where)
    of = {table: places(database, f"s.{table}", a, b).partition("by_word ")[2][0] for table in ("t", "old", "new")}
    assert of == ({"t": "b", "old": "b", "new": "b"} if declared else {"t": "a", "old": "b", "new": "-"})


def test_a_conversion_under_a_default_of_the_database(database: Database, spaces: tuple[str, str]) -> None:
    a, b = spaces
    (name,) = database.sql("SELECT current_database()")[0]
    database.sql(f"ALTER DATABASE {name} SET default_tablespace = {a}")
    database.sql(
        "CREATE SCHEMA s",
        "CREATE TABLE s.t (id bigint PRIMARY KEY, at timestamptz NOT NULL, word text)",
        "CREATE INDEX by_word ON s.t (word)",
        f"ALTER INDEX s.by_word SET TABLESPACE {b}",
        "INSERT INTO s.t SELECT i, now() - i * interval '1 day', 'w' FROM generate_series(0, 40) i",
    )
    wanted = places(database, "s.t", a, b)
    assert wanted == "a: by_word b, t_pkey a"
    with operations(database.sqlalchemy(), policy=QUICK):
        op.convert_to_partitioned("t", "at", "1 month", schema="s", strategy="attach")
    found = database.sql("SELECT relid::regclass::text FROM pg_partition_tree('s.t') WHERE isleaf")
    assert {places(database, row[0], a, b) for row in found} == {wanted}
    with operations(database.sqlalchemy(), policy=QUICK):
        op.unpartition("t", schema="s")
    assert places(database, "s.t", a, b) == wanted


def test_a_partition_that_left_and_came_back(database: Database, spaces: tuple[str, str]) -> None:
    """Its indexes stay; what it has lost meanwhile is made where the table says."""
    a, b = spaces
    database.sql(*TABLE, f"ALTER TABLE s.old SET TABLESPACE {b}", f"ALTER INDEX s.by_word SET TABLESPACE {a}")
    with operations(database.sqlalchemy(), policy=QUICK):
        op.set_partition_policy("t", schema="s", control="at", interval="1 month")
        op.detach_partition_concurrently("t", "old", schema="s")
        database.sql("DROP INDEX s.old_lower_idx")
        op.attach_partition_concurrently("t", "old", "2026-01-01 00:00+00", "2026-03-01 00:00+00", schema="s")
    assert places(database, "s.old", a, b) == "b: by_at -, by_word a, t_pkey -"


def test_a_tablespace_in_which_the_role_must_not_create(database: Database, spaces: tuple[str, str]) -> None:
    a, _ = spaces
    (name,) = database.sql("SELECT current_database()")[0]
    role = f"{name}_r"
    database.sql(*TABLE, f"ALTER INDEX s.old_lower_idx SET TABLESPACE {a}", f"CREATE ROLE {role} LOGIN")
    try:
        with operations(database.sqlalchemy(), policy=QUICK):
            op.set_partition_policy("t", schema="s", control="at", interval="1 month")
        database.sql(
            f"ALTER TABLE s.t OWNER TO {role}",
            *(f"ALTER TABLE s.{table} OWNER TO {role}" for table in ("old", "new", "other")),
            f"GRANT ALL ON SCHEMA s, schema_kit TO {role}",
            f"GRANT ALL ON ALL TABLES IN SCHEMA schema_kit TO {role}",
        )
        connection = database.sqlalchemy()
        connection.exec_driver_sql(f"SET ROLE {role}")
        with operations(connection, policy=QUICK), pytest.raises(PlanError, match=f"lacks CREATE on tablespace {a}"):
            op.split_partition_concurrently("t", "old", schema="s")
        assert database.sql("SELECT to_regclass('s.old__log')") == [(None,)]
    finally:
        database.sql(f"DROP OWNED BY {role} CASCADE", f"DROP ROLE {role}")


@pytest.mark.partman
def test_the_indexes_of_a_template(database: Database, spaces: tuple[str, str]) -> None:
    """As pg_partman's functions make them, and as create-next does; PostgreSQL prints no tablespace of an index."""
    a, b = spaces
    installed(database).sql(
        "CREATE TABLE s.t (id int NOT NULL, at timestamptz NOT NULL, w text) PARTITION BY RANGE (at)",
        "CREATE TABLE s.template (LIKE s.t)",
        f"ALTER TABLE s.template ADD PRIMARY KEY (id) USING INDEX TABLESPACE {a}",
        f"ALTER TABLE s.template ADD UNIQUE (w) USING INDEX TABLESPACE {b} DEFERRABLE INITIALLY DEFERRED",
        f"CREATE INDEX ON s.template (abs(id)) TABLESPACE {b} WHERE w <> ' WHERE '",
        "CREATE INDEX ON s.template (w, id)",
        "SELECT partman.create_parent('s.t', 'at', '1 day', p_premake := 2, p_template_table := 's.template')",
    )
    of = [name for name in children(database, "s.t") if "_p" in name]
    wanted = {places(database, f"s.{name}", a, b).replace(name, "t") for name in of}
    assert wanted == {"-: t_abs_idx b, t_pkey a, t_w_id_idx -, t_w_key b"}
    database.sql(f"DROP TABLE s.{max(of)}")
    assert shell(database, "partitions", "create-next", "s.t").returncode == 0
    assert max(name for name in children(database, "s.t") if "_p" in name) == max(of)
    assert places(database, f"s.{max(of)}", a, b).replace(max(of), "t") in wanted
