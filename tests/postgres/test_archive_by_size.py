"""Archives by size: the oldest partitions go before their time while the table has more rows than its policy allows."""

from __future__ import annotations

import json

import pytest

from schema_kit.errors import DeclarationError
from tests.support.archives import NOW, archived, attached, run
from tests.support.cli import shell
from tests.support.database import Database
from tests.support.matrix import perform
from tests.support.tables import checksum

pytestmark = [pytest.mark.archives, pytest.mark.majors]


def limited(database: Database, rows: int | None) -> None:
    """January to June 2026, a row a day; by age only January goes."""
    perform(database, lambda op: op.set_archive_policy("t", "100 days", schema="s", max_rows=rows))


@pytest.mark.parametrize(
    ("rows", "left"),
    [
        (None, "02 03 04 05 06"),
        (1000, "02 03 04 05 06"),
        (120, "02 03 04 05 06"),
        (119, "03 04 05 06"),
        (1, "04 05 06"),
    ],
)
def test_the_oldest_go_until_it_is_small_enough(database: Database, rows: int | None, left: str) -> None:
    archived(database)
    database.sql("ANALYZE s.t")
    before = checksum(database, "s.t", "s.t_archive")
    limited(database, rows)
    due = json.loads(shell(database, "archive", "status", "--format", "json", "--now", NOW).stdout)[0]
    assert (due["max_rows"], len(due["due"])) == (rows, 6 - len(left.split()))
    assert run(database).returncode == 0
    assert attached(database) == left
    assert checksum(database, "s.t", "s.t_archive") == before
    assert run(database).stdout == ""
    assert "no partition" not in shell(database, "partitions", "check", "--now", NOW).stdout
    shell(database, "partitions", "maintain", "--now", NOW)
    assert attached(database) == left


def test_what_is_never_analyzed_counts_as_nothing_and_stays(database: Database) -> None:
    archived(database)
    database.sql("UPDATE pg_class SET reltuples = -1 WHERE relname LIKE 't\\_0%'")
    limited(database, 1)
    run(database)
    assert attached(database) == "02 03 04 05 06"


def test_check_says_why_it_is_due(database: Database) -> None:
    archived(database)
    database.sql("ANALYZE s.t")
    limited(database, 100)
    found = shell(database, "partitions", "check", "--now", NOW)
    assert "due for s.t_archive (after 100 days, or above 100 rows)" in " ".join(found.stdout.split())


def test_a_policy_of_an_earlier_version_gets_the_column(database: Database) -> None:
    archived(database)
    database.sql("ALTER TABLE schema_kit.archive_policy DROP COLUMN max_rows")
    assert run(database).returncode == 0
    limited(database, 5)
    assert database.sql("SELECT max_rows FROM schema_kit.archive_policy") == [(5,)]
    limited(database, None)
    assert database.sql("SELECT max_rows FROM schema_kit.archive_policy") == [(None,)]


@pytest.mark.parametrize("more", [{"max_rows": 0}, {"max_rows": 5, "way": "rows", "control": "at"}])
def test_a_size_that_makes_no_sense_is_refused(database: Database, more: dict[str, object]) -> None:
    archived(database)
    with pytest.raises(DeclarationError, match="write 1 or more"):
        perform(database, lambda op: op.set_archive_policy("t", "100 days", schema="s", **more))
