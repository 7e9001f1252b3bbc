"""Exit codes of each command: 2 for what makes no sense by itself, 3 for what the database refuses, and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.archives import archived
from tests.support.cli import called, shell
from tests.support.database import Database

pytestmark = [pytest.mark.cli]

OF_TABLES = (
    "partitions list",
    "partitions check",
    "partitions timeline",
    "partitions create-next",
    "partitions maintain",
    "partitions retire",
    "partitions fill-gaps --since 2026-01-01",
    "partitions drain-default",
    "partitions split",
    "partitions undo --yes",
    "partitions convert --control at --interval 1mon",
    "partitions adopt",
    "archive run",
    "archive status",
    "archive verify",
    "archive restore --since 2026-01-01 --until 2026-02-01",
    "archive export --to {folder}",
    "archive files",
    "archive import --manifest",
    "ttl run --yes",
    "ttl status",
)
LISTS_NOTHING = ("archive files", "archive import")
"""Of a table that has no file, there is nothing to say."""
NO_CLOCK = ("archive files", "archive import")


@pytest.fixture
def database_with_a_set(database: Database) -> Database:
    return archived(database)


@pytest.mark.parametrize("words", OF_TABLES)
def test_each_command(database_with_a_set: Database, words: str, tmp_path: Path) -> None:
    database, folder = database_with_a_set, str(tmp_path)
    argv = words.format(folder=folder).split()

    gone = shell(database, *argv, "s.nothing")
    assert gone.returncode == (0 if words.startswith(LISTS_NOTHING) else 3), gone.stderr
    assert "s.nothing" in gone.stderr or words.startswith(LISTS_NOTHING)

    no_name = shell(database, *argv, "a.b.c")
    assert no_name.returncode == 2, no_name.stderr
    assert "Write table, schema.table" in no_name.stderr

    unknown = shell(database, *argv, "s.t", "--no-such-option")
    assert unknown.returncode == 2

    if not words.startswith(NO_CLOCK):
        no_moment = shell(database, *argv, "s.t", "--now", "tomorrow")
        assert no_moment.returncode == 2, no_moment.stderr
        assert "Write 2026-11-21" in no_moment.stderr

    no_url = called(["schema_kit", *argv, "s.t", "--url", ""])
    assert no_url.returncode == 2
    assert "set but empty" in no_url.stderr

    nowhere = called(["schema_kit", *argv, "s.t", "--url", "postgresql://postgres@127.0.0.1:1/x"])
    assert nowhere.returncode == 1
    assert "is the server running" in nowhere.stderr
    for done in (gone, no_name, unknown, no_url, nowhere):
        assert "Traceback" not in done.stderr
