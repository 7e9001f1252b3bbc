"""``schema_kit partitions check`` finds ranges that no partition holds, and rows and partitions that lie astray."""

from __future__ import annotations

import pytest

from tests.support.check import NOW, by_hand, check, codes
from tests.support.cli import shell
from tests.support.database import Database
from tests.support.tables import ahead

pytestmark = [pytest.mark.partitions, pytest.mark.cli, pytest.mark.majors]


def test_what_is_missing_ahead_and_what_is_missing_now(months: Database) -> None:
    found = check(months, now="2026-04-02")
    assert [one["code"] for one in found] == ["ahead_missing"]
    assert "1 of the 3" in found[0]["sentence"]
    assert "Run schema_kit partitions create-next app.t" in found[0]["sentence"]
    found = check(months, now="2026-08-02")
    assert [one["code"] for one in found] == ["current_missing", "ahead_missing", "gap"]
    assert "2026-08-01 to 2026-09-01: rows of now are refused" in found[0]["sentence"]
    assert "2 ranges" in found[2]["sentence"]
    assert "2026-06-01 to 2026-08-01" in found[2]["sentence"]
    assert shell(months, "partitions", "create-next", "--now", "2026-08-02").returncode == 0
    assert codes(months, now="2026-08-02") == ["gap"]


def test_a_gap(months: Database) -> None:
    months.sql("DROP TABLE app.t_p20260201")
    found = check(months)
    assert [(one["code"], one["severity"], one["object"]) for one in found] == [("gap", "due", "app.t")]
    assert "one range" in found[0]["sentence"]
    assert "(2026-02-01 to 2026-03-01)" in found[0]["sentence"]
    assert "schema_kit partitions fill-gaps app.t" in found[0]["sentence"]


@pytest.mark.parametrize("indexed", [True, False])
def test_rows_in_the_default_partition(months: Database, indexed: bool) -> None:
    months.sql("CREATE TABLE app.t_default PARTITION OF app.t DEFAULT")
    assert codes(months) == []
    months.sql("CREATE INDEX t_at ON app.t (at)" if indexed else "SELECT 1")
    months.sql("INSERT INTO app.t (at) VALUES ('2025-07-04'), ('2025-07-05'), ('2025-12-01')", "ANALYZE app.t_default")
    found = check(months)
    assert [(one["code"], one["object"]) for one in found] == [("default_rows", "app.t_default")]
    assert "about 3 rows, of 2025-07-01 to 2025-08-01, 2025-12-01 to 2026-01-01:" in found[0]["sentence"]


def test_a_big_default_partition_without_an_index_is_not_read_for_its_ranges(months: Database) -> None:
    months.sql(
        "ALTER TABLE app.t ALTER body SET STORAGE PLAIN",
        "CREATE TABLE app.t_default PARTITION OF app.t DEFAULT",
        "INSERT INTO app.t (at, body) SELECT '2025-07-04', repeat('x', 2000) FROM generate_series(1, 9000)",
    )
    found = check(months)[0]
    assert (found["code"], "rows, of ranges that were not looked for:" in found["sentence"]) == ("default_rows", True)
    months.sql("CREATE INDEX ON app.t (at)")
    assert "rows, of 2025-07-01 to 2025-08-01:" in check(months)[0]["sentence"]


@pytest.mark.exhaustive
def test_a_detach_that_was_interrupted(months: Database) -> None:
    reader = months.connect(autocommit=False)
    reader.execute("SELECT count(*) FROM app.t")
    with months.connect() as detaching:
        detaching.execute("SET statement_timeout = '1s'")
        with pytest.raises(Exception, match="statement timeout"):
            detaching.execute("ALTER TABLE app.t DETACH PARTITION app.t_p20260101 CONCURRENTLY")
    reader.rollback()
    found = check(months)
    assert [(one["code"], one["object"]) for one in found] == [("detach_pending", "app.t_p20260101")]
    by_hand(months, found[0]["sentence"])
    assert codes(months) == []
    assert months.sql("SELECT to_regclass('app.t_p20260101') IS NOT NULL") == [(True,)]


def test_a_table_that_was_converted_and_went_on_is_healthy(partitioned: Database) -> None:
    now = ahead(partitioned)
    assert [code for code in codes(partitioned, now=now) if code not in ("current_missing", "ahead_missing")] == ["gap"]
    for verb in ("create-next", "fill-gaps"):
        assert shell(partitioned, "partitions", verb, "--now", now).returncode == 0
    assert codes(partitioned, now=now) == []


def test_what_retention_has_to_do_and_has_done(months: Database) -> None:
    months.sql(
        """UPDATE schema_kit.part_config SET retention = '1 mon', retention_keep_table = false,
             retention_grace = '7 days'"""
    )
    found = check(months)
    assert [(one["code"], one["object"]) for one in found] == [("retention_overdue", "app.t_p20260101")]
    assert shell(months, "partitions", "retire", "--now", NOW).returncode == 0
    assert codes(months) == [], "neither overdue nor a gap"
    later = str(months.sql("SELECT (now() + interval '8 days')::date")[0][0])
    months.sql("UPDATE schema_kit.part_config SET retention = '100 years'")
    found = check(months, now=later)
    assert [one["object"] for one in found if one["code"] == "retired_due"] == ["app.t_p20260101"]
    assert shell(months, "partitions", "retire", "--yes", "--now", later).returncode == 0
    assert "retired_due" not in codes(months, now=later)
    assert months.sql("SELECT to_regclass('app.t_p20260101')") == [(None,)]
