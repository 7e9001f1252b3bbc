"""Dangerous and harmless revisions of many kinds, on tables in use: found, by the kind named, or not blamed."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from tests.lint.dangerous import DANGEROUS, sql
from tests.lint.harmless import HARMLESS
from tests.lint.scene import ROWS, TABLES
from tests.support.lint import Project, Scene, kinds
from tests.support.matrix import longer

pytestmark = [pytest.mark.lint, pytest.mark.majors]

AGAIN = {"differs_again", "unfinished"}


def alone(up: str) -> bool:
    """Whether a revision commits something on its own, or leaves what a rollback does not take back."""
    return "autocommit_block" in up or "COMMIT" in up or "ANALYZE" in up


@pytest.fixture(scope="module")
def scene(running_server: None, pytestconfig: pytest.Config) -> Iterator[Scene]:
    option, name = pytestconfig.option, f"scene_{secrets.token_hex(4)}"
    server = f"?host={quote(option.postgresql_host, safe='')}&port={option.postgresql_port}"
    url = f"postgresql://{option.postgresql_user}@/{{}}{server}"
    with psycopg.connect(url.format("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    yield Scene(url.format(name), TABLES)
    with psycopg.connect(url.format("postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def project(folder: Path, scratch: str, name: str, up: str) -> Project:
    made = Project.new(folder / name, scratch)
    made.revision(name[:32], up)
    made.sql("schema.sql", *TABLES)
    return made


@pytest.mark.parametrize("kind", sorted({kind for kind, _ in DANGEROUS.values()} - AGAIN))
def test_each_is_found(kind: str, scene: Scene, tmp_path: Path) -> None:
    ups = {name: up for name, (of, up) in DANGEROUS.items() if of == kind and not alone(up)}
    found = {name: {two for one in scene.found(up, tmp_path) for two in one.kinds} for name, up in ups.items()}
    assert {name: seen for name, seen in found.items() if kind not in seen} == {}


@pytest.mark.parametrize("part", range(4))
def test_none_is_blamed(part: int, scene: Scene, tmp_path: Path) -> None:
    ups = [(name, up) for name, up in HARMLESS.items() if not alone(up)][part::4]
    assert {name: found for name, up in ups if (found := scene.found(up, tmp_path))} == {}


IN_ALL_PARTITIONS = {
    "CREATE INDEX by_page ON visits (page)": "blocks",
    "ALTER TABLE visits ADD COLUMN at timestamptz DEFAULT clock_timestamp()": "blocks",
    "DO $$ BEGIN CREATE INDEX ON visits_1 (page); CREATE INDEX ON visits_rest (page); END $$": "blocks",
    "TRUNCATE visits": "rows_gone",
    "DROP TABLE visits": "rows_gone",
    "CREATE TABLE visits_2 PARTITION OF visits FOR VALUES FROM (1000) TO (2000)": "blocks",
}


@pytest.mark.parametrize("statement", IN_ALL_PARTITIONS)
def test_a_partitioned_table_stands_for_its_partitions(statement: str, scene: Scene, tmp_path: Path) -> None:
    (found,) = scene.found(sql(statement), tmp_path)
    assert (found.kind, str(found.table)) == (IN_ALL_PARTITIONS[statement], "public.visits")
    assert "partition" in found.evidence


def test_one_partition_is_named_itself(scene: Scene, tmp_path: Path) -> None:
    (found,) = scene.found(sql("CREATE INDEX ON visits_1 (page)"), tmp_path)
    assert str(found.table) == "public.visits_1"


COMMITS = [name for name, (_, up) in DANGEROUS.items() if alone(up)]
HARMLESS_COMMITS = [name for name, up in HARMLESS.items() if alone(up)]


@pytest.mark.parametrize("name", longer(COMMITS, *COMMITS[1:], mark=pytest.mark.deep))
def test_each_that_commits_is_found(name: str, scratch: str, tmp_path: Path) -> None:
    kind, up = DANGEROUS[name]
    one = project(tmp_path, scratch, name, up)
    assert kind in kinds(one.judge(name[:32], schema=one.folder / "schema.sql", twice=kind in AGAIN))


@pytest.mark.deep
@pytest.mark.parametrize("name", HARMLESS_COMMITS)
def test_none_that_commits_is_blamed(name: str, scratch: str, tmp_path: Path) -> None:
    one = project(tmp_path, scratch, name, HARMLESS[name])
    assert kinds(one.judge(name[:32], schema=one.folder / "schema.sql")) == set()


@pytest.mark.exhaustive
def test_rows_say_what_share_it_is(scratch: str, tmp_path: Path) -> None:
    one = project(tmp_path, scratch, "share", sql("UPDATE orders SET total = 0 WHERE made < '2025-01-01'"))
    rows = one.sql("rows.sql", *ROWS)
    (found,) = one.judge("share", schema=one.folder / "schema.sql", rows=rows, twice=False).findings
    assert (found.kind, str(found.table)) == ("whole_table", "public.orders")
    assert "11 of 40 here" in found.evidence


def test_the_lists() -> None:
    assert not {up for _, up in DANGEROUS.values()} & set(HARMLESS.values())
    assert all(up != "pass" for _, up in DANGEROUS.values())
