"""``schema_kit advise``: what it cannot know it says; it leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import pytest

from schema_kit.advise import production
from tests.support.advise import SECRET, STATEMENTS, TABLES, version
from tests.support.cli import called, command, interruptible, shell
from tests.support.database import Database

pytestmark = [pytest.mark.health, pytest.mark.majors, pytest.mark.exhaustive]

ASKED = 'SELECT * FROM shop."Or der" WHERE note = $1 AND customer = $2'


def leftovers(pid: int) -> set[str]:
    """Folders of scratches that a process has made."""
    return {str(path) for path in Path(tempfile.gettempdir()).glob(f"schema_kit-advise-{pid}-*")}


def servers(pid: int) -> set[str]:
    """The processes of servers that it has started."""
    found = set[str]()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if f"schema_kit-advise-{pid}-" in str((process / "cwd").readlink()):
                found.add(process.name)
    return found


def test_a_plan_is_shown_with_another_index_and_without_one_and_shows_no_value(database: Database) -> None:
    database.sql(*TABLES)
    done = shell(
        database, "advise", "plan", ASKED, "--with", 'CREATE INDEX CONCURRENTLY "n 1" ON shop."Or der" (note)',
        "--without", "Or der_customer_idx",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "n 1" in done.stdout
    assert "cost " in done.stderr
    assert SECRET not in done.stdout + done.stderr
    literal = shell(database, "advise", "plan", STATEMENTS[1], "--without", 'shop."Or der_customer_idx"')
    assert "Seq Scan" in literal.stdout
    assert "customer = 17" in literal.stdout
    nothing = shell(database, "advise", "plan", "SELECT nothing FROM shop.visit")
    assert nothing.returncode == 3
    assert "names a column that is not there" in nothing.stderr
    for wrong in (("DROP TABLE x",), (STATEMENTS[0], "--with", "DROP TABLE x"), (STATEMENTS[0], "--without", "no")):
        done = shell(database, "advise", "plan", *wrong)
        assert done.returncode in (2, 3), done
    assert leftovers(os.getpid()) == set()


def test_what_cannot_be_known_is_said(database: Database, tmp_path: Path) -> None:
    database.sql(
        *TABLES,
        "CREATE TABLE shop.new (a int, b int)",
        "INSERT INTO shop.new SELECT i, i FROM generate_series(1, 9) i",
        "CREATE STATISTICS shop.both ON a, b FROM shop.new",
        "CREATE ROLE advise_nobody LOGIN",
        "GRANT USAGE ON SCHEMA shop TO advise_nobody",
    )
    nobody = database.url.replace("postgres@", "advise_nobody@")
    try:
        done = shell(nobody, "advise", "plan", STATEMENTS[0])
        assert done.returncode == 3
        assert "pg_read_all_data" in done.stderr
        database.sql("GRANT pg_read_all_data TO advise_nobody")
        done = shell(nobody, "advise", "plan", "SELECT * FROM shop.new WHERE a = 1")
        assert done.returncode == 0, done.stderr
    finally:
        database.sql("REVOKE ALL ON SCHEMA shop FROM advise_nobody", "DROP OWNED BY advise_nobody")
        database.sql("DROP ROLE advise_nobody")
    assert "shop.new: extended statistics" in done.stderr
    assert "shop.new: no statistics" in done.stderr
    assert (f"production is PostgreSQL {version(database)}" in done.stderr) == (version(database) != 18)
    done = shell(database, "advise", "index")
    assert done.returncode == 3
    assert "pg_stat_statements is not there" in done.stderr
    assert "--statements FILE" in done.stderr
    empty = tmp_path / "empty.sql"
    empty.write_text("VACUUM;")
    assert shell(database, "advise", "index", "--statements", str(empty)).returncode == 3
    with database.connect(autocommit=False) as other:
        other.execute('LOCK TABLE shop."Or der"')
        done = shell(database, "advise", "plan", STATEMENTS[0])
        assert done.returncode == 3
        assert "run it again" in done.stderr


def test_an_extension_that_the_scratch_lacks_is_named(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    database.sql(*TABLES)
    monkeypatch.setattr(production, "_EXTENSIONS", "SELECT 'postgis'")
    done = shell(database, "advise", "plan", STATEMENTS[0])
    assert done.returncode == 0
    assert "lacks the extension postgis" in done.stderr


def test_a_dump_serves_as_well_as_its_database(database: Database, tmp_path: Path) -> None:
    database.sql(*TABLES)
    dump, asked, broken = tmp_path / "shop.sql", tmp_path / "asked.sql", tmp_path / "broken.sql"
    asked.write_text(ASKED)
    broken.write_text("CREATE TABLE x ();")
    bindir, _ = production._program()
    words = ["--no-data", "--statistics", "--no-owner", f"--file={dump}", f"--dbname={database.url}"]
    subprocess.run([str(bindir / "pg_dump"), *words], check=True)
    read = production.from_dump(dump)
    read.dump.close()
    assert read.version // 10_000 == version(database)
    told = list[object]()
    for source in (("--from", str(dump)), ("--from", database.url)):
        done = called(["schema_kit", "advise", "index", "--statements", str(asked), "--format", "json", *source])
        assert done.returncode == 0, done.stderr
        assert SECRET not in done.stdout + done.stderr
        told.append([(one["definition"], one["bytes"]) for one in json.loads(done.stdout)["wanted"]])
    assert told[0] == told[1]
    for wrong in (["--from", str(dump)], ["--from", str(dump), "--log", str(asked), "--statements", str(asked)]):
        assert called(["schema_kit", "advise", "index", *wrong]).returncode == 2
    assert called(["schema_kit", "advise", "plan", ASKED, "--from", str(broken)]).returncode == 3


@pytest.mark.parametrize(
    ("how", "seconds"), [(signal.SIGTERM, 1.5), (signal.SIGINT, 2.5), (signal.SIGTERM, 3.5), (signal.SIGINT, 4.5)]
)
def test_an_interrupt_leaves_no_server_and_no_file(database: Database, how: signal.Signals, seconds: float) -> None:
    database.sql(*TABLES)
    call = command(database, "advise", "plan", ASKED)
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with interruptible(call, start_new_session=True, **quiet) as process:
        time.sleep(seconds)
        if how is signal.SIGINT:
            os.killpg(process.pid, how)
        else:
            process.send_signal(how)
        assert process.wait(60) in (0, 128 + how, -how)
    assert leftovers(process.pid) == set()
    assert servers(process.pid) == set()


def test_what_a_killed_one_has_left_is_removed_by_the_next(database: Database) -> None:
    database.sql(*TABLES)
    with subprocess.Popen(command(database, "advise", "plan", ASKED), stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 60
        while not servers(process.pid) and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        process.kill()
    assert shell(database, "advise", "plan", ASKED).returncode == 0
    assert leftovers(process.pid) == set()
    assert servers(process.pid) == set()
