"""``schema_kit advise partition`` by integer ids: which columns it considers, and what it says of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import schema_kit
from schema_kit import op
from schema_kit.advise import partitioning, twin
from schema_kit.advise.twin import Spread
from tests.support.cli import shell
from tests.support.database import QUICK, Database

pytestmark = [pytest.mark.health, pytest.mark.majors, pytest.mark.exhaustive]

TABLES = (
    "CREATE TABLE entry (id {type} PRIMARY KEY, room int, scattered int, body text)",
    "INSERT INTO entry SELECT i, i % 90, (i * 7919) % 30011, repeat('x', 60) FROM generate_series(1, 30000) i",
    "CREATE INDEX ON entry (room)",
    "ANALYZE entry",
)


@pytest.mark.parametrize("kind", ["bigint", pytest.param("integer", marks=pytest.mark.exhaustive)])
def test_ids_that_calls_name_and_that_rows_lie_by(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(partitioning, "WORTH_BYTES", 0)
    monkeypatch.setattr(partitioning, "LEAST_BYTES", 100_000)
    database.sql(*(statement.format(type=kind) for statement in TABLES))
    file = tmp_path / "asked.sql"

    def verdict(statement: str) -> dict[str, Any]:
        file.write_text(f"-- calls: 1000\n{statement};")
        done = shell(database, "advise", "partition", "entry", "--statements", str(file), "--format", "json")
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    told = verdict("SELECT room, count(*) FROM entry WHERE id > 29000 GROUP BY room")
    assert (told["column"], told["interval"], told["partitions"]) == ("id", "1000", 31)
    assert "of 29,999 ids by id: 31 partitions of 1000 ids" in told["reasons"][0]
    told = verdict("SELECT room, count(*) FROM entry WHERE id > 29000 AND body = 'y' GROUP BY room")
    assert told["column"] == "id", "neither a room nor what is scattered"
    assert not verdict("SELECT * FROM entry WHERE room = 5")["helps"], "each statement reads each partition"
    told = verdict("SELECT sum(length(body)) FROM entry WHERE body <> 'y' AND id BETWEEN 5000 AND 9000")
    assert told["helps"]
    assert told["a_year"] > 0, "by the rows that were inserted"
    with schema_kit.operations(database.sqlalchemy(), policy=QUICK):
        exec(told["operation"], {"op": op})  # noqa: S102 - what a person would paste
    assert database.sql("SELECT count(*) FROM pg_inherits WHERE inhparent = 'entry'::regclass")[0][0] > 1


def test_shares_of_ids() -> None:
    line = Spread("id", twin.IDS[-1], [1, 10, 2**60, 2**60 + 1000])
    assert line.by_id
    cut = Spread("id", "bigint", [5, 105]).cut("50")
    assert cut == [(0, 50), (50, 100), (100, 150)]
    assert sum(line.share(low, high) for low, high in ((0, 10), (10, 2**60), (2**60, 2**61))) == pytest.approx(1)
    assert line.inside(0, 100) == [1, 10, 100]
    assert line.inside(2**60 - 1, 2**62)[-1] == 2**60 + 1000


@pytest.mark.parametrize(
    ("kind", "start"), [("integer", 2**31 - 30001), ("bigint", 2**63 - 30001), ("bigint", -(2**63))]
)
def test_ids_at_the_ends_of_their_type(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, start: int
) -> None:
    monkeypatch.setattr(partitioning, "WORTH_BYTES", 0)
    monkeypatch.setattr(partitioning, "LEAST_BYTES", 100_000)
    database.sql(*(statement.format(type=kind) for statement in TABLES[:2]))
    database.sql(f"UPDATE entry SET id = id + ({start})", "VACUUM FULL ANALYZE entry")
    file = tmp_path / "asked.sql"
    file.write_text(f"SELECT room FROM entry WHERE id > {start + 29000};")
    done = shell(database, "advise", "partition", "entry", "--statements", str(file), "--format", "json")
    assert json.loads(done.stdout)["column"] == "id", done.stderr
