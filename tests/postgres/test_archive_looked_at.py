"""Archives looked at: status, check, verify; and repaired where they are behind their table."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest

from tests.support.archives import NOW, ROWS, VIEW, archived, attached, reading, refused, restore, run
from tests.support.cli import shell
from tests.support.database import Database
from tests.support.matrix import perform

pytestmark = [pytest.mark.archives, pytest.mark.majors]


@pytest.mark.exhaustive
def test_status(database: Database) -> None:
    nothing = shell(database, "archive", "status")
    assert (nothing.returncode, nothing.stdout) == (0, "")
    assert nothing.stderr == "no table has an archive policy (op.set_archive_policy registers one)\n"
    archived(database)
    told = json.loads(shell(database, "archive", "status", "--now", NOW, "--format", "json").stdout)
    assert [(one["due"], one["partitions"], one["error"]) for one in told] == [(["s.t_01", "s.t_02"], [], None)]
    run(database)
    restore(database, "2026-02-01", "2026-03-01")
    database.sql("ANALYZE")
    (one,) = json.loads(shell(database, "archive", "status", "--now", NOW, "--format", "json").stdout)
    assert [(p["partition"], p["from"], p["rows"]) for p in one["partitions"]] == [("s.t_01", "2026-01-01", 31)]
    assert one["partitions"][0]["bytes"] > 0
    assert one["partitions"][0]["archived_at"]
    assert (one["due"], one["restored"], one["on_their_way"]) == ([], ["s.t_02"], [])
    text = shell(database, "archive", "status", "--now", NOW).stdout
    assert "s.t to s.t_archive, by partition, after 2 months" in text
    assert "restored: s.t_02" in text
    assert shell(database, "archive", "status", "s.nowhere").returncode == 3


def test_what_is_overdue_is_found(database: Database) -> None:
    archived(database, premake=1)
    arguments = ("check", "--now", NOW)
    found = shell(database, "partitions", *arguments)
    assert found.returncode == 4
    assert "s.t_01, s.t_02 of s.t: due for s.t_archive (after 2 months). Run schema_kit archive run s.t" in found.stdout
    assert run(database).returncode == 0
    assert shell(database, "partitions", *arguments).stdout == ""


def test_what_went_to_the_archive_is_not_a_gap(database: Database) -> None:
    archived(database, premake=1)
    database.sql(
        "CREATE TABLE s.child (id bigint, at timestamptz, FOREIGN KEY (id, at) REFERENCES s.t)",
        "INSERT INTO s.child SELECT id, at FROM s.t_01 LIMIT 1",
    )
    assert run(database).returncode == 0
    assert attached(database) == "01 03 04 05 06"
    assert "[gap]" not in shell(database, "partitions", "check", "--now", NOW).stdout
    assert shell(database, "partitions", "fill-gaps", "--now", NOW).stderr == "nothing to do\n"


@pytest.mark.exhaustive
def test_an_archive_that_is_behind_is_mended(database: Database) -> None:
    archived(database, view=VIEW)
    database.sql("ALTER TABLE s.t ADD gone int", "ALTER TABLE s.t_archive ADD gone int")
    assert run(database).returncode == 0
    database.sql(
        "ALTER TABLE s.t ADD more int NOT NULL DEFAULT 7, ALTER word SET DEFAULT 'x', ALTER word SET NOT NULL, "
        "ADD CONSTRAINT short CHECK (length(word) < 9), DROP COLUMN gone",
    )
    refused(
        database,
        lambda op: op.repair_archive_table("t", schema="s"),
        "s.t_archive has a column gone, which s.t has not",
    )
    for _ in range(2):
        perform(
            database,
            lambda op: op.repair_archive_table("t", schema="s", drop_columns=["gone"], view=VIEW),
        )
    assert shell(database, "archive", "verify").returncode == 0
    assert database.sql("SELECT count(*), min(more) FROM s.t_archive") == [(59, 7)]
    assert database.sql(f"SELECT count(*), sum(more) FROM s.{VIEW}") == [(ROWS, ROWS * 7)]
    assert shell(database, "archive", "run", "--now", "2026-06-20").returncode == 0
    assert attached(database, "s.t_archive") == "01 02 03"


@pytest.mark.exhaustive
@pytest.mark.parametrize("first", ["t", "t_archive"])
def test_a_view_over_both_loses_a_dropped_column(database: Database, first: str) -> None:
    """A reader of the view sees each row while the column goes; what the view had besides stays."""
    archived(database, view=VIEW)
    database.sql(
        f"GRANT SELECT ON s.{VIEW} TO pg_monitor WITH GRANT OPTION",
        f"GRANT SELECT (word), UPDATE (id, word) ON s.{VIEW} TO pg_read_all_stats",
        f"COMMENT ON VIEW s.{VIEW} IS 'it''s both'",
        f"COMMENT ON COLUMN s.{VIEW}.id IS 'which'",
        f"ALTER VIEW s.{VIEW} SET (security_barrier)",
    )
    access = (
        "SELECT relowner::regrole, (SELECT string_agg(a::text, ' ' ORDER BY a::text) FROM unnest(relacl) a), "
        "reloptions, obj_description(oid), col_description(oid, 1), ARRAY(SELECT attacl::text FROM pg_attribute "
        f"WHERE attrelid = c.oid AND attname = 'id') FROM pg_class c WHERE oid = 's.{VIEW}'::regclass"
    )
    before = database.sql(access)
    assert run(database).returncode == 0
    with reading(database) as seen:
        for table in (first, *({"t", "t_archive"} - {first})):
            perform(database, partial(_without_word, table))
    assert seen == {(ROWS, ROWS, sum(range(ROWS)))}
    assert database.sql(access) == before
    assert shell(database, "archive", "run", "--now", "2026-06-20").returncode == 0


def _without_word(table: str, op: Any) -> None:
    op.drop_column_concurrently(table, "word", schema="s")


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("sql", "says"),
    [
        (f"CREATE VIEW s.above AS SELECT word FROM s.{VIEW}", "view s.above depends on it"),
        ("CREATE VIEW s.own AS SELECT id, word FROM s.t", "view s.own depends on it"),
        (
            f"CREATE OR REPLACE VIEW s.{VIEW} AS SELECT * FROM s.t WHERE id >= 0 UNION ALL SELECT * FROM s.t_archive",
            f"view s.{VIEW} depends on it",
        ),
        (f"CREATE RULE own AS ON INSERT TO s.{VIEW} DO INSTEAD NOTHING", f"view s.{VIEW} has a rule own"),
        (f"ALTER VIEW s.{VIEW} ALTER word SET DEFAULT 'x'", f"view s.{VIEW} has a default of column word"),
    ],
)
def test_another_view_stops_a_drop(database: Database, sql: str, says: str) -> None:
    archived(database, view=VIEW)
    database.sql(sql)
    refused(database, lambda op: op.drop_column_concurrently("t", "word", schema="s"), says)
    assert database.sql(f"SELECT count(word) FROM s.{VIEW}") == [(ROWS,)]


@pytest.mark.exhaustive
def test_a_repair_names_what_it_does_not_do(database: Database) -> None:
    archived(database)
    database.sql("ALTER TABLE s.t_archive ADD CONSTRAINT own CHECK (id < 1000)")
    refused(database, lambda op: op.repair_archive_table("t", schema="s"), "a check own that s.t has not so")
    refused(database, lambda op: op.repair_archive_table("nowhere"), "there is no table public.nowhere")
    database.sql("ALTER TABLE s.t_archive DROP CONSTRAINT own")
    assert run(database).returncode == 0
    database.sql("ALTER TABLE s.t ADD must int, ADD twice bigint GENERATED ALWAYS AS (id * 2) STORED")
    refused(database, lambda op: op.repair_archive_table("t", schema="s"), "twice is generated")
    database.sql("ALTER TABLE s.t DROP twice", "UPDATE s.t SET must = 1", "ALTER TABLE s.t ALTER must SET NOT NULL")
    refused(database, lambda op: op.repair_archive_table("t", schema="s"), "must is NOT NULL and has no default")
    database.sql("ALTER TABLE s.t_archive ADD must int GENERATED ALWAYS AS (1) STORED NOT NULL")
    refused(database, lambda op: op.repair_archive_table("t", schema="s"), "must is generated in s.t_archive")


@pytest.mark.exhaustive
def test_a_partition_in_transit_follows_too(database: Database) -> None:
    """Detached when the run was killed; then the table changed, and its archive with it."""
    archived(database)
    assert run(database).returncode == 0
    database.sql(
        "ALTER TABLE s.t_archive DETACH PARTITION s.t_01",
        "UPDATE schema_kit.archived_partition SET moved_at = NULL WHERE partition_name = 's.t_01'",
        "ALTER TABLE s.t ADD more int DEFAULT 7, ALTER word SET NOT NULL, ADD CONSTRAINT few CHECK (id < 1000)",
        "ALTER TABLE s.t_archive ADD more int DEFAULT 7, ALTER word SET NOT NULL, ADD CONSTRAINT few CHECK (id < 1000)",
    )
    stopped = run(database)
    assert stopped.returncode == 3
    for _ in range(2):
        perform(database, lambda op: op.repair_archive_table("t", schema="s"))
    done = run(database)
    assert done.returncode == 0, done.stderr
    assert attached(database, "s.t_archive") == "01 02"
    assert database.sql("SELECT count(*), min(more) FROM s.t_archive") == [(59, 7)]


def test_verify(database: Database) -> None:
    archived(database)
    run(database)
    fine = shell(database, "archive", "verify", "--checksums")
    assert (fine.returncode, len(fine.stdout.splitlines())) == (0, 2), fine.stdout
    assert fine.stdout.startswith("s.t_01: 31 rows, ")
    assert shell(database, "archive", "verify", "--checksums").stdout == fine.stdout
    database.sql("UPDATE s.t_archive SET word = 'v' WHERE id = 3")
    assert shell(database, "archive", "verify", "--checksums").stdout != fine.stdout
    database.sql(
        "ALTER TABLE s.t ADD more int NOT NULL DEFAULT 7, ALTER word SET DEFAULT 'x'",
        "CREATE INDEX words ON s.t (word)",
    )
    done = shell(database, "archive", "verify", "--format", "json")
    assert done.returncode == 4
    (told,) = json.loads(done.stdout)
    assert [(d["kind"], d["object"], d["stops"]) for d in told["differences"]] == [
        ("column missing", "more", True),
        ("default", "word", False),
        ("index missing", "words", False),
    ]
