"""Archives in files: months with rows, out and back."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from schema_kit import environment
from schema_kit.catalog import Catalog
from schema_kit.files.export import export
from schema_kit.files.restore import Restored, restore
from schema_kit.files.store import Store
from schema_kit.names import QualifiedName
from schema_kit.steps import Plan
from schema_kit.tasks import retirement
from tests.support.cli import ROOT, shell
from tests.support.database import QUICK, Database
from tests.support.tables import months

T1 = QualifiedName("s", "t_01")


def build(database: Database, columns: str = "word text", rows: int = 90) -> Database:
    """Three months with a row a day, and a foreign key, an index, an identity."""
    database.sql(
        "CREATE SCHEMA s",
        "CREATE TABLE s.r (id int PRIMARY KEY)",
        "INSERT INTO s.r VALUES (1)",
        "CREATE TABLE s.t (id bigint GENERATED ALWAYS AS IDENTITY, at timestamptz NOT NULL, r int REFERENCES s.r, "
        f"twice bigint GENERATED ALWAYS AS (r * 2) STORED, {columns}, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)",
        *months("s.t", 1, 3),
        "CREATE INDEX t_word ON s.t (word)",
        "INSERT INTO s.t (at, r, word) SELECT '2026-01-01+00'::timestamptz + i * interval '1 day', 1, 'คำ ' || i "
        f"FROM generate_series(0, {rows - 1}) i",
    )
    return database


def everything(database: Database, table: str = "s.t") -> list[tuple[Any, ...]]:
    return database.sql("SET TimeZone = 'UTC'", f"SELECT ROW(t.*)::text FROM {table} t ORDER BY 1")


def places(database: Database) -> list[tuple[Any, ...]]:
    """What the manifest says, and what exists."""
    return database.sql(
        "SELECT table_name, dropped_at IS NOT NULL AND restored_at IS NULL, to_regclass(table_name) IS NOT NULL "
        "FROM schema_kit.archive_file ORDER BY file_url"
    )


def file_in(database: Database) -> list[tuple[Any, ...]]:
    return database.sql("SELECT file_url FROM schema_kit.archive_file")


def back(database: Database, store: Store, name: str, **more: Any) -> Restored:
    connection = database.sqlalchemy()

    def attach(parent: QualifiedName, own: QualifiedName, low: str | None, high: str | None) -> Plan:
        return retirement.attach(Catalog(connection), parent, own, low, high)

    return restore(connection, store, name, QUICK, database.events.append, attach, **more)


def one_place(database: Database, folder: Path, before: list[tuple[Any, ...]]) -> None:
    """Run again, and every row is in the file, which the manifest names, and in no table."""
    again = shell(database, "archive", "export", "s.t_01", "--to", str(folder), "--drop", "--yes")
    assert again.returncode == 0, again.stderr
    assert places(database) == [("s.t_01", True, False)]
    assert shell(database, "archive", "files", "--verify").returncode == 0
    assert shell(database, "archive", "import", "--manifest", "s.t").returncode == 0
    assert everything(database) == before


DIES = """
import os, signal, sys
def dies(owner, name, here=lambda *a: True):
    own = getattr(owner, name)
    def replaced(*a, **k):
        found = own(*a, **k)
        if here(*a): os.kill(os.getpid(), signal.SIGKILL)
        return found
    setattr(owner, name, replaced)
"""


def killed(database: Database, where: str, *arguments: str) -> None:
    """A command that ends right after something."""
    program = DIES + where + "\nfrom schema_kit.cli import main\nmain()\n"
    command = [sys.executable, "-c", program, "archive", *arguments, "--url", database.url]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL, done.stderr


def no_attach(*_: object) -> Plan:
    raise AssertionError("it stays beside")


def round_trip(database: Database, table: str, folder: Path, forms: tuple[str, ...] = ("parquet", "copy")) -> None:
    """Out and back into a separate table, which PostgreSQL itself cannot tell from the first."""
    url, beside = sa.make_url(database.url).set(drivername="postgresql+psycopg"), QualifiedName("s", "back")
    for form in forms:
        store = Store(str(folder))
        with environment.connect(url, autocommit=True) as connection:
            file = export(connection, QualifiedName("s", table), store, form, QUICK, print)
            restore(connection, store, file.url.rpartition("/")[2], QUICK, print, no_attach, beside=beside)
        for one, other in (("back", table), (table, "back")):
            missing = f"SELECT ROW(t.*)::text FROM s.{one} t EXCEPT ALL SELECT ROW(t.*)::text FROM s.{other} t"
            assert database.sql(missing) == []
        database.sql("DROP TABLE s.back")
        for path in folder.iterdir():
            path.unlink()
