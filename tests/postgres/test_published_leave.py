"""Subscribers of a table keep the rows of partitions that leave it, which each way to leave says, once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from schema_kit.catalog import Catalog
from schema_kit.execute import Noted
from schema_kit.names import QualifiedName
from schema_kit.steps import Plan
from schema_kit.tasks import retirement
from tests.support.archives import archived, build, restore, retire, run
from tests.support.cli import shell
from tests.support.database import Database
from tests.support.ttl import policy, ttl

pytestmark = [pytest.mark.partitions, pytest.mark.majors]

PUBLISHED = "CREATE PUBLICATION p FOR TABLE s.t{} WITH (publish_via_partition_root)"
T = QualifiedName("s", "t")


def expiring(database: Database) -> None:
    build(database, retention=None)
    database.sql("CREATE INDEX ON s.t (at)")
    policy(database, "t", "at", schema="s", age="60 days")


def said_by(leave: Callable[[Catalog, QualifiedName, QualifiedName], Plan]) -> Callable[[Database, Path], str]:
    def act(database: Database, folder: Path) -> str:
        del folder
        database.events.clear()
        name = database.sql("SELECT min(inhrelid::regclass::text) FROM pg_inherits WHERE inhparent = 's.t'::regclass")
        database.run(lambda catalog: leave(catalog, T, QualifiedName.parse(name[0][0])))
        return "\n".join(event.text for event in database.events if isinstance(event, Noted))

    return act


def exported(database: Database, folder: Path) -> str:
    until = ("--until", "2026-03-01", "--drop", "--yes")
    return shell(database, "archive", "export", "s.t", *until, "--to", str(folder)).stderr


WAYS: dict[str, tuple[Callable[[Database], object], Callable[[Database, Path], str]]] = {
    "retire": (build, lambda database, _: retire(database).stderr),
    "archive run": (archived, lambda database, _: run(database).stderr),
    "ttl run": (expiring, lambda database, _: ttl(database, "run", "--yes", now="2026-05-20").stderr),
    "archive export": (build, exported),
    "detach": (build, said_by(retirement.detach)),
    "drop": (build, said_by(retirement.drop)),
}


@pytest.mark.parametrize("way", WAYS)
def test_what_a_subscriber_keeps_is_said_once(database: Database, tmp_path: Path, way: str) -> None:
    prepare, act = WAYS[way]
    prepare(database)
    database.sql("SET client_min_messages = error", PUBLISHED.format(""))
    said = act(database, tmp_path)
    assert said.count("who subscribes to p keeps the rows of partitions that leave s.t") == 1, said
    assert database.sql("SELECT count(*) < 6 FROM pg_inherits WHERE inhparent = 's.t'::regclass") == [(True,)]
    if way not in ("detach", "drop"):  # nothing leaves any more
        assert "subscribes" not in act(database, tmp_path)


@pytest.mark.exhaustive
@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_said_where_no_server_can_subscribe(database: Database, tmp_path: Path, way: str) -> None:
    prepare, act = WAYS[way]
    prepare(database)
    assert "subscribes" not in act(database, tmp_path)
    assert database.sql("SELECT count(*) < 6 FROM pg_inherits WHERE inhparent = 's.t'::regclass") == [(True,)]


def test_what_comes_back_leaves_a_published_archive(database: Database) -> None:
    archived(database)
    assert run(database).returncode == 0
    database.sql("SET client_min_messages = error", PUBLISHED.format("_archive"))
    said = restore(database, "2026-01-01", "2026-02-01").stderr
    assert said.count("who subscribes to p keeps the rows of partitions that leave s.t_archive") == 1, said
