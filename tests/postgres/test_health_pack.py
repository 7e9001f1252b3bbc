"""``schema_kit health`` on the pack at head next to a thousand partitions: few lines, and none that is false."""

from __future__ import annotations

import itertools
import json
import re
import time
from datetime import date, timedelta

import pytest

from tests.support.cli import shell
from tests.support.database import Database
from tests.support.pack import migrate

pytestmark = [pytest.mark.health, pytest.mark.pack, pytest.mark.majors, pytest.mark.exhaustive]

REDUNDANT = [
    ("telegram_bots.ix_messages_bot_created_at", "telegram_bots.ix_messages_incoming"),
    (
        "telegram_bots.messages_archive_ix_messages_bot_created_at",
        "telegram_bots.messages_archive_ix_messages_incoming",
    ),
]
"""They are: (bot_id, created_at) is how (bot_id, created_at, chat_db_id) begins."""


def test_the_pack_at_head_and_a_thousand_partitions(database: Database) -> None:
    migrate(database, "upgrade", "head")
    days = [date(2024, 1, 1) + timedelta(days=n) for n in range(1001)]
    database.sql(
        "CREATE TABLE days (id bigint, at date, v int, w text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)",
        "CREATE INDEX ON days (v)",
        "CREATE INDEX ON days (w, at DESC)",
        "DO $$ BEGIN "
        + " ".join(
            f"CREATE TABLE days_{n} PARTITION OF days FOR VALUES FROM ('{low}') TO ('{high}');"
            for n, (low, high) in enumerate(itertools.pairwise(days))
        )
        + " END $$",
    )
    began = time.monotonic()
    done = shell(database, "health", "--ignore", "setting_unsafe")
    print(f"{time.monotonic() - began:.2f} s")
    assert re.findall(r"index (\S+) .* how (\S+) ", done.stdout) == REDUNDANT, done.stdout
    assert len(done.stdout.splitlines()) == 2 * len(REDUNDANT), "nothing else, a line for each below its table"
    told = json.loads(shell(database, "health", "--format", "json", "public.days_7").stdout)
    assert told["findings"] == []
    database.sql("DROP INDEX days_v_idx", "CREATE INDEX days_v_idx ON ONLY days (v)")
    done = shell(database, "health", "days_7")
    assert done.returncode == 4
    assert len(done.stdout.splitlines()) == 2
    assert "op.create_index_concurrently('days_v_idx', 'days', ['v'], schema='public')" in done.stdout
