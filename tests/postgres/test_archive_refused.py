"""Archives that are refused before anything is written: shapes, policies, rights, sessions that only read."""

from __future__ import annotations

from typing import Any

import pytest

from schema_kit.errors import DeclarationError
from tests.support.archives import VIEW, archived, attached, build, refused, run
from tests.support.database import Database
from tests.support.matrix import perform

pytestmark = [pytest.mark.archives, pytest.mark.majors]


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("DROP COLUMN word", "s.t_archive has no column word"),
        ("ADD COLUMN more int", "s.t_archive has a column more, which s.t has not"),
        ("ALTER word TYPE varchar(10)", "column word of s.t_archive is character varying"),
        ("ALTER word SET NOT NULL", "column word of s.t_archive is NOT NULL, other than in s.t"),
        ("ADD CONSTRAINT short CHECK (length(word) < 9)", "s.t_archive has a check short that s.t has not so"),
    ],
)
def test_an_archive_in_another_shape_is_refused_and_named(database: Database, change: str, words: str) -> None:
    archived(database)
    database.sql(f"ALTER TABLE s.t_archive {change}")
    refused(database, lambda op: op.set_archive_policy("t", "3 months", schema="s"), words)
    refused(database, lambda op: op.create_archive_table("t", schema="s"), words)
    before = attached(database)
    done = run(database)
    assert done.returncode == 3, done.stdout
    assert "Nothing was changed" in done.stderr
    assert "schema_kit archive verify s.t" in done.stderr
    assert attached(database) == before


@pytest.mark.exhaustive
def test_policies_that_make_no_sense_are_refused(database: Database) -> None:
    archived(database)

    def set_policy(*arguments: Any, **more: Any) -> Any:
        return lambda op: op.set_archive_policy("t", *arguments, schema="s", **more)

    refused(database, set_policy("3 days"), "archive_after of s.t is 3 days, shorter than a partition")
    refused(database, set_policy("1000"), "Write a length of time")
    refused(database, set_policy("a while"), "'a while' is not an interval", DeclarationError)
    refused(database, set_policy(), "archive_after or a condition", DeclarationError)
    refused(database, set_policy("3 months", way="boat"), "way is partition or rows", DeclarationError)
    refused(database, set_policy("3 months", condition="true"), "way='rows'")
    refused(database, set_policy(way="rows", condition="nonsense > 1"), 'invalid condition: column "nonsense" does not')
    refused(database, set_policy("3 months", archive_table_name="nowhere"), "there is no table s.nowhere")
    refused(database, lambda op: op.set_archive_policy("nowhere", "3 months"), "there is no table public.nowhere")
    refused(
        database,
        lambda op: op.create_archive_table("t", "t", schema="s"),
        "cannot be its own archive",
        DeclarationError,
    )
    refused(
        database, lambda op: op.create_archive_table("t", "a", schema="s", compression="zip"), "pglz", DeclarationError
    )
    refused(database, lambda op: op.create_archive_table("t", "a", schema="s", indexes=["no"]), "s.t has no index no")
    database.sql("UPDATE schema_kit.archive_policy SET archive_after = '1 day'")
    done = run(database)
    assert (done.returncode, attached(database)) == (3, "01 02 03 04 05 06")
    assert "shorter than a partition" in done.stderr


def test_a_moment_of_its_own_is_for_rows_alone(database: Database) -> None:
    build(database, retention=None)
    perform(database, lambda op: op.create_archive_table("t", schema="s", archived_at=True))
    refused(
        database,
        lambda op: op.set_archive_policy("t", "2 months", schema="s"),
        "no partition can bring it; schema_kit.archived_partition says when each one came",
    )
    perform(
        database,
        lambda op: op.set_archive_policy(
            "t", "2 months", schema="s", way="rows", control="at", archived_at="archived_at"
        ),
    )


def test_rights_that_are_missing_are_said(database: Database) -> None:
    archived(database)
    database.sql(
        "DROP ROLE IF EXISTS archiver", "CREATE ROLE archiver LOGIN", "GRANT USAGE ON SCHEMA s, schema_kit TO archiver"
    )
    database.sql("GRANT SELECT ON ALL TABLES IN SCHEMA s, schema_kit TO archiver")
    try:
        done = run(database.url.replace("postgres@", "archiver@"))
        assert done.returncode == 3
        assert "belongs to postgres, whose rights archiver lacks" in done.stderr
        assert attached(database) == "01 02 03 04 05 06"
    finally:
        database.sql("DROP OWNED BY archiver", "DROP ROLE archiver")


def test_a_session_that_only_reads_is_refused(database: Database) -> None:
    archived(database)
    done = run(database.url + "&options=-c%20default_transaction_read_only%3Don")
    assert done.returncode == 3
    assert "this session is read-only" in done.stderr


@pytest.mark.exhaustive
def test_an_archive_with_rows_is_not_dropped(database: Database) -> None:
    archived(database, view=VIEW)
    drop = lambda op: op.drop_archive_table("t", schema="s", view=VIEW)  # noqa: E731
    refused(database, drop, "the policy of s.t sends rows there")
    assert run(database).returncode == 0
    perform(database, lambda op: op.drop_archive_policy("t", schema="s"))
    refused(database, drop, "it holds rows")
    refused(database, lambda op: op.drop_archive_table("t", schema="s"), f"view s.{VIEW} shows it")
    database.sql("DELETE FROM s.t_archive")
    perform(database, drop)
    assert database.sql(f"SELECT to_regclass('s.t_archive'), to_regclass('s.{VIEW}'), count(*) FROM s.t") == [
        (None, None, 92)
    ]
