"""Archives as they are made: all that their table has, or the indexes that are chosen."""

from __future__ import annotations

from typing import Any

import pytest

from schema_kit.errors import DeclarationError
from tests.support.archives import attached, build, refused, run
from tests.support.database import Database
from tests.support.matrix import perform

pytestmark = [pytest.mark.archives, pytest.mark.majors]


def test_an_archive_has_what_its_table_has(database: Database) -> None:
    build(database, retention=None)
    database.sql(
        "DROP ROLE IF EXISTS reader",
        "CREATE ROLE reader",
        "GRANT USAGE ON SCHEMA s TO reader",
        "GRANT SELECT ON s.t TO reader",
        "ALTER TABLE s.t ADD CONSTRAINT short CHECK (length(word) < 9), ENABLE ROW LEVEL SECURITY",
        "CREATE POLICY few ON s.t USING (id > 100)",
        "CREATE INDEX words ON s.t (lower(word)) WHERE id > 3",
    )
    try:
        perform(
            database,
            lambda op: op.create_archive_table(
                "t", "old", schema="s", archive_schema="s", compression="pglz", interval="1 year", view="every"
            ),
        )
        assert database.sql(
            "SELECT partition_interval, automatic_maintenance FROM schema_kit.part_config ORDER BY 1"
        ) == [
            ("1 mon", "on"),
            ("1 year", "off"),
        ]
        perform(database, lambda op: op.set_archive_policy("t", "2 months", schema="s", archive_table_name="old"))
        assert run(database).returncode == 0
        assert attached(database, "s.old") == "01 02"
        assert database.sql("SET ROLE reader", "SELECT count(*) FROM s.old") == [(0,)]
        if int(database.sql("SHOW server_version_num")[0][0]) >= 150000:
            assert database.sql("SET ROLE reader", "SELECT count(*) FROM s.every") == [(50,)]
        found = database.sql(
            "SELECT regexp_replace(indexdef, '^.* USING ', '') FROM pg_indexes WHERE schemaname = 's' "
            "AND tablename IN ('t', 'old') ORDER BY 1"
        )
        assert found[0::2] == found[1::2]
        perform(database, lambda op: op.create_archive_table("t", "old", schema="s", view="every"))
    finally:
        database.sql("DROP OWNED BY reader", "DROP ROLE reader")


def test_indexes_that_are_chosen_and_indexes_of_its_own(database: Database) -> None:
    build(database, retention=None)
    database.sql("CREATE INDEX a ON s.t (word)", "CREATE INDEX b ON s.t (id)")

    def operate(op: Any) -> None:
        op.create_archive_table("t", schema="s", indexes=["b"])
        op.create_index_concurrently("own", "t_archive", ["word", "id"], schema="s")
        op.set_archive_policy("t", "2 months", schema="s")

    perform(database, operate)
    done = run(database)
    assert done.returncode == 0, done.stderr
    assert "create index t_01_own on s.t_01 concurrently" in done.stdout
    found = database.sql("SELECT indexname FROM pg_indexes WHERE tablename = 't_archive' ORDER BY 1")
    assert [row[0] for row in found] == ["own", "t_archive_b", "t_archive_pkey"]
    assert database.sql("SELECT bool_and(indisvalid) FROM pg_index") == [(True,)]


def test_a_plain_table_has_a_plain_archive_or_a_partitioned_one(database: Database) -> None:
    database.sql(
        "CREATE SCHEMA s",
        "CREATE TABLE s.p (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL)",
    )
    refused(
        database,
        lambda op: op.create_archive_table("p", schema="s", control="at", interval="1 month"),
        "p_pkey is unique over \\(id\\), without at",
    )
    refused(
        database, lambda op: op.create_archive_table("p", schema="s", control="at"), "by RANGE: its", DeclarationError
    )

    def operate(op: Any) -> None:
        op.create_archive_table("p", schema="s", archived_at=True)
        op.set_archive_policy("p", "30 days", schema="s", way="rows", control="at", archived_at="archived_at")
        op.drop_archive_policy("p", schema="s")
        op.drop_archive_table("p", schema="s")
        op.drop_archive_table("p", schema="s")

    perform(database, operate)
    assert database.sql("SELECT to_regclass('s.p_archive'), to_regclass('schema_kit.archive_policy')") == [(None, None)]
