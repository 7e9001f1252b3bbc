"""``schema_kit partitions check`` finds what partitions lack of their parent: made, found, mended."""

from __future__ import annotations

import pytest

from tests.support.check import by_hand, check, codes
from tests.support.database import Database

pytestmark = [pytest.mark.partitions, pytest.mark.cli, pytest.mark.majors]


def test_an_index_that_partitions_lack_and_one_that_is_invalid(months: Database) -> None:
    months.sql('CREATE UNIQUE INDEX "T.room" ON ONLY app.t (room, at) WHERE room > 0')
    found = check(months)
    assert [(one["code"], one["object"]) for one in found] == [("index_missing", 'app."T.room"')]
    assert "is missing on 5 (app.t_p20260101, app.t_p20260201, app.t_p20260301, ...)" in found[0]["sentence"]
    by_hand(months, found[0]["sentence"])
    found = check(months)
    assert "is missing on 4 (" in found[0]["sentence"], "the first one has it now"
    for _ in range(4):
        by_hand(months, found[0]["sentence"])
        found = check(months)
    assert found == []
    months.sql("""UPDATE pg_index SET indisvalid = false
                  WHERE indexrelid IN ('app."T.room"'::regclass, 'app."t_p20260101_T.room"'::regclass)""")
    found = check(months)
    assert [(one["code"], one["object"]) for one in found] == [("index_invalid", 'app."T.room"')]
    assert "INVALID on app.t_p20260101" in found[0]["sentence"]
    by_hand(months, found[0]["sentence"])
    assert codes(months) == []
    months.sql("""UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'app."T.room"'::regclass""")
    found = check(months)
    assert [one["code"] for one in found] == ["index_invalid"]
    by_hand(months, found[0]["sentence"].replace("...", 'app."t_p20260101_T.room"'))
    assert codes(months) == []


def test_an_interrupted_build_of_a_partition_s_own_index(months: Database) -> None:
    months.sql(
        "CREATE INDEX own ON app.t_p20260101 (n)",
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'app.own'::regclass",
    )
    found = check(months)
    assert [(one["code"], one["severity"]) for one in found] == [("index_leftover", "due")]
    by_hand(months, found[0]["sentence"])
    assert codes(months) == []


def test_a_trigger_that_does_not_fire_everywhere(months: Database) -> None:
    months.sql(
        "ALTER TABLE app.t_p20260101 DISABLE TRIGGER t_f", "ALTER TABLE app.t_p20260201 ENABLE ALWAYS TRIGGER t_f"
    )
    found = check(months)
    assert [one["code"] for one in found] == ["trigger_differs"]
    assert "is disabled on app.t_p20260101, app.t_p20260201" in found[0]["sentence"]
    by_hand(months, found[0]["sentence"])
    by_hand(months, check(months)[0]["sentence"])
    assert codes(months) == []


def test_defaults_of_a_partition_are_a_notice(months: Database) -> None:
    months.sql(
        "ALTER TABLE app.t_p20260101 ALTER COLUMN body SET DEFAULT 'y'",
        "ALTER TABLE app.t_p20260201 ALTER COLUMN at DROP DEFAULT",
        "ALTER TABLE app.t_p20260301 ALTER COLUMN n SET DEFAULT 7",
    )
    found = check(months)
    assert [(one["code"], one["severity"], one["object"]) for one in found] == [
        ("default_differs", "notice", "at"),
        ("default_differs", "notice", "body"),
        ("default_differs", "notice", "n"),
    ]
    for one in found:
        by_hand(months, one["sentence"])
    assert codes(months) == []


def test_what_the_catalog_has_lost(months: Database) -> None:
    """PostgreSQL keeps these alike by itself; older versions' bugs have left them behind."""
    months.sql(
        "DELETE FROM pg_constraint WHERE conrelid = 'app.t_p20260101'::regclass AND conname = 't_n_check'",
        "UPDATE pg_class SET relchecks = relchecks - 1 WHERE oid = 'app.t_p20260101'::regclass",
    )
    found = check(months)
    assert [(one["code"], one["object"]) for one in found] == [("constraint_missing", "t_n_check")]
    months.sql(
        "UPDATE pg_attribute SET attnotnull = false WHERE attrelid = 'app.t_p20260201'::regclass AND attname = 'at'"
    )
    assert codes(months) == ["constraint_missing", "not_null_missing"]


def test_a_foreign_key_that_a_partition_has_lost_is_made_by_attaching_it_again(months: Database) -> None:
    key = "conrelid = 'app.t_p20260101'::regclass AND contype = 'f'"
    own = f"SELECT oid FROM pg_constraint WHERE {key}"
    months.sql(
        f"DELETE FROM pg_trigger WHERE tgconstraint IN ({own})",
        f"""DELETE FROM pg_depend WHERE (classid = 'pg_constraint'::regclass AND objid IN ({own}))
            OR (refclassid = 'pg_constraint'::regclass AND refobjid IN ({own}))""",
        f"DELETE FROM pg_constraint WHERE {key}",
    )
    found = check(months)
    assert [(one["code"], one["object"]) for one in found] == [("constraint_missing", "t_room_fkey")]
    by_hand(months, found[0]["sentence"])
    assert codes(months) == []


def test_a_constraint_that_is_not_valid(months: Database) -> None:
    months.sql("ALTER TABLE app.t ADD CONSTRAINT small CHECK (n < 100) NOT VALID")
    found = check(months)
    assert [(one["code"], one["object"]) for one in found] == [("constraint_not_valid", "small")]
    assert "NOT VALID on 6 (app.t, " in found[0]["sentence"]
    by_hand(months, found[0]["sentence"])
    assert codes(months) == []
    if months.sql("SHOW server_version_num")[0][0] >= "180000":
        months.sql("ALTER TABLE app.t ADD CONSTRAINT loose CHECK (n < 50) NOT ENFORCED")
        assert codes(months) == []


def test_a_generated_column_of_another_expression(months: Database) -> None:
    if months.sql("SHOW server_version_num")[0][0] < "170000":
        pytest.skip("SET EXPRESSION came with 17")
    months.sql("ALTER TABLE app.t_p20260101 ALTER COLUMN twice SET EXPRESSION AS (n * 3)")
    found = check(months)
    assert [(one["code"], one["severity"]) for one in found] == [("generated_differs", "broken")]
    by_hand(months, found[0]["sentence"])
    assert codes(months) == []
