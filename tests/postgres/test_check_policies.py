"""``schema_kit partitions check`` holds policies against their tables: keys of each kind, sub-partitions too."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from schema_kit.model import Partitioning
from schema_kit.names import QualifiedName
from tests.support.check import MONTHS, T, by_hand, check, codes
from tests.support.cli import shell
from tests.support.database import Database
from tests.support.tables import partition, register

pytestmark = [pytest.mark.partitions, pytest.mark.cli, pytest.mark.majors]


def test_policies_that_do_not_fit_their_table(months: Database) -> None:
    def said(change: str) -> list[tuple[str, str]]:
        before = months.sql("SELECT to_jsonb(c) FROM schema_kit.part_config c")[0][0]
        months.sql(f"UPDATE schema_kit.part_config SET {change}")
        found = [(one["code"], one["sentence"]) for one in check(months)]
        columns = "control, partition_interval, timezone, premake, origin, parent_table"
        months.sql(
            f"""UPDATE schema_kit.part_config c SET ({columns}) = (SELECT {columns} FROM jsonb_populate_record(
                NULL::schema_kit.part_config, $${json.dumps(before)}$$))"""
        )
        return found

    ((code, sentence),) = said("control = 'id'")
    assert code == "key_differs"
    assert sentence.endswith("op.set_partition_policy('t', control='at', schema='app')")
    for change, words in (
        ("partition_interval = 'fortnight'", "'fortnight' is not an interval"),
        ("timezone = 'Mars/Base'", "there is no time zone 'Mars/Base'"),
        ("partition_interval = '1000'", "is a number of ids"),
        ("premake = 5000", "premake of app.t is 5000"),
        ("origin = 'soon'", "soon"),
    ):
        ((code, sentence),) = said(change)
        assert (code, words in sentence) == ("policy_unreadable", True), sentence
        assert "Nothing was changed" not in sentence
    ((code, sentence),) = said("parent_table = 'app.gone'")
    assert code == "table_missing"
    assert "DELETE FROM schema_kit.part_config WHERE parent_table = 'app.gone';" in sentence
    ((code, sentence),) = said("parent_table = 'a.b.c'")
    assert code == "policy_unreadable"
    assert "is not a table name" in sentence
    ((code, _),) = said("parent_table = 'app.room'")
    assert code == "key_differs"
    ((first, sentence), (second, _)) = said("timezone = 'Asia/Bangkok'")
    assert (first, second) == ("off_grid_ahead", "off_grid")
    assert "create-next is refused" in sentence
    assert [code for code, _ in said("partition_interval = '7 days'")] == ["off_grid"], "1 June is a Monday"
    assert said("partition_interval = '10 days'")[0][0] == "off_grid_ahead"
    assert [code for code, _ in said("partition_interval = '1 day', premake = 4")] == ["interval_differs"]
    assert codes(months) == []


@pytest.mark.parametrize("command", ["list", "maintain", "maintain --dry-run", "create-next"])
def test_what_is_wrong_with_a_policy_is_said_with_its_table(months: Database, command: str) -> None:
    months.sql("UPDATE schema_kit.part_config SET partition_interval = 'monthly'")
    done = shell(months, "partitions", *command.split())
    assert done.returncode
    assert "app.t: 'monthly' is not an interval" in done.stderr


def test_a_control_column_that_may_be_null(database: Database) -> None:
    database.sql(
        "CREATE SCHEMA app",
        "CREATE TABLE app.t (at timestamptz) PARTITION BY RANGE (at)",
        *(partition("app.t", low, high) for low, high in pairwise(MONTHS)),
    )
    register(database, Partitioning(T, "at", "1 mon", premake=2))
    assert [(one["code"], one["severity"]) for one in check(database)] == [("control_nullable", "notice")]


def test_tables_by_ids_by_their_greatest_id(database: Database) -> None:
    database.sql(
        "CREATE SCHEMA app",
        "CREATE TABLE app.t (id bigint PRIMARY KEY) PARTITION BY RANGE (id)",
        "CREATE TABLE app.t_default PARTITION OF app.t DEFAULT",
        *(
            f"CREATE TABLE app.t_p{n} PARTITION OF app.t FOR VALUES FROM ({n}) TO ({n + 1000})"
            for n in range(0, 9000, 1000)
        ),
    )
    register(database, Partitioning(T, "id", "1000", premake=2))
    assert codes(database) == []
    for greatest, due in ((999, False), (6999, False), (7000, True), (8999, True)):
        database.sql(f"INSERT INTO app.t VALUES ({greatest})")
        assert codes(database) == ["ahead_missing"] * due, greatest
    database.sql("INSERT INTO app.t VALUES (10500), (12400)")
    found = check(database)
    assert [one["code"] for one in found] == ["current_missing", "ahead_missing", "gap", "default_rows"]
    assert "of 10000 to 11000, 12000 to 13000:" in found[-1]["sentence"]
    assert "go into the default partition" in found[0]["sentence"]
    assert "3 ranges" in found[2]["sentence"]


def test_the_greatest_id_is_a_number_and_no_text(database: Database) -> None:
    database.sql(
        "CREATE SCHEMA app",
        "CREATE TABLE app.t (id bigint PRIMARY KEY) PARTITION BY RANGE (id)",
        *(f"CREATE TABLE app.t_p{n} PARTITION OF app.t FOR VALUES FROM ({n}) TO ({n + 500})" for n in (0, 500, 1000)),
        "INSERT INTO app.t VALUES (999), (1000)",
    )
    register(database, Partitioning(T, "id", "500", premake=1))
    assert codes(database) == ["ahead_missing"]
    assert shell(database, "partitions", "create-next").stdout == "create partition app.t_p1500 from 1500 to 2000\n"
    assert codes(database) == []


@pytest.mark.parametrize(
    ("type_", "encoding", "low", "high"),
    [
        ("uuid", "uuidv7", "019b76da-a800-0000-0000-000000000000", "019c167f-cc00-0000-0000-000000000000"),
        ("bigint", "milliseconds", "1767225600000", "1769904000000"),
        ("integer", "seconds", "1767225600", "1769904000"),
    ],
)
def test_sets_whose_key_holds_a_moment(database: Database, type_: str, encoding: str, low: str, high: str) -> None:
    database.sql(
        "CREATE SCHEMA app",
        f"CREATE TABLE app.t (k {type_} PRIMARY KEY) PARTITION BY RANGE (k)",
        "CREATE TABLE app.t_default PARTITION OF app.t DEFAULT",
    )
    policy = Partitioning(T, "k", "1 mon", premake=1, encoding=encoding)
    register(database, policy)
    assert codes(database, now="2026-01-15") == ["current_missing", "ahead_missing"]
    assert shell(database, "partitions", "create-next", "--now", "2026-01-15").returncode == 0
    assert database.sql(
        f"SELECT pg_get_expr(relpartbound, oid) LIKE '%{low}%{high}%' FROM pg_class WHERE relname = 't_p20260101'"
    ) == [(True,)]
    assert codes(database, now="2026-01-15") == []
    database.sql(f"INSERT INTO app.t SELECT k FROM (VALUES ('{low}'::{type_})) v (k)", "DELETE FROM app.t")
    far = {"uuid": "'018cc251-f401-7000-8000-000000000001'", "bigint": "1704067200001", "integer": "1704067201"}[type_]
    database.sql(f"INSERT INTO app.t VALUES ({far})")
    found = check(database, now="2026-01-15")
    assert [one["code"] for one in found] == ["default_rows"]
    assert "of 2024-01-01 to 2024-02-01:" in found[0]["sentence"]


def test_sub_partitions_and_sets_below_a_list_parent(database: Database) -> None:
    database.sql(
        'CREATE SCHEMA "ร้าน"',
        'CREATE TABLE "ร้าน"."T.x" (region text, at date NOT NULL, n int) PARTITION BY LIST (region)',
        """CREATE TABLE "ร้าน"."eu's" PARTITION OF "ร้าน"."T.x" FOR VALUES IN ('eu') PARTITION BY RANGE (at)""",
        """CREATE TABLE "ร้าน".us PARTITION OF "ร้าน"."T.x" FOR VALUES IN ('us') PARTITION BY RANGE (at)""",
        *(
            statement
            for low, high in pairwise(MONTHS)
            for statement in (
                partition('"ร้าน"."eu\'s"', low, high, f'"ร้าน".eu_{low[5:7]}') + " PARTITION BY HASH (n)",
                f'CREATE TABLE "ร้าน".eu_{low[5:7]}_0 PARTITION OF "ร้าน".eu_{low[5:7]} '
                "FOR VALUES WITH (MODULUS 1, REMAINDER 0)",
                partition('"ร้าน".us', low, high, f'"ร้าน".us_{low[5:7]}'),
            )
        ),
    )
    register(database, Partitioning(QualifiedName("ร้าน", "T.x"), "at", "1 mon", premake=2))
    assert codes(database) == []
    database.sql(
        'DROP TABLE "ร้าน".eu_02',
        'CREATE INDEX i ON ONLY "ร้าน".eu_03 (n)',
        'ALTER TABLE "ร้าน".us_01 ALTER COLUMN n SET DEFAULT 1',
    )
    found = check(database)
    assert [(one["set"], one["code"]) for one in found] == [
        ('"ร้าน"."eu\'s"', "index_missing"),
        ('"ร้าน"."eu\'s"', "gap"),
        ('"ร้าน".us', "default_differs"),
    ]
    assert """fill-gaps '"ร้าน"."T.x"'""" in found[1]["sentence"], "the table that has the policy, as a shell takes it"
    by_hand(database, found[0]["sentence"])
    assert "index_missing" not in codes(database)
