"""``schema_kit partitions``, as a shell or cron calls it."""

from __future__ import annotations

import json
import signal
import subprocess

import psycopg
import pytest

from schema_kit.names import QualifiedName
from schema_kit.sqlscripts import split
from tests.support.catalog import facts
from tests.support.catalog_of_a_table import catalog_of
from tests.support.cli import ROOT, command, shell
from tests.support.database import Database
from tests.support.locks import waiting
from tests.support.tables import ahead, leaves

pytestmark = [pytest.mark.partitions, pytest.mark.cli, pytest.mark.majors]

T = QualifiedName("app", "t")
NOW = "2027-03-05"


def test_it_makes_what_is_missing_and_says_when_nothing_is(partitioned: Database) -> None:
    now, before = ahead(partitioned), leaves(partitioned)
    done = shell(partitioned, "partitions", "create-next", "--now", now)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("create partition app.t_p") == len(leaves(partitioned)) - len(before) == 2
    made = facts(partitioned)
    again = shell(partitioned, "partitions", "create-next", "app.t", "--now", now)
    assert (again.returncode, again.stdout) == (0, "")
    assert "nothing to do" in again.stderr
    assert facts(partitioned) == made
    new = leaves(partitioned)[-1]
    assert made["physical", f"app.{new}"] == "r | {fillfactor=70} | f"
    assert partitioned.sql("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == [(0,)]
    assert partitioned.sql(
        f"SELECT count(*) FROM pg_constraint WHERE conrelid = 'app.{new}'::regclass AND contype = 'f'"
    ) == [(1,)]


def test_a_dry_run_sends_nothing_and_prints_what_a_run_sends(partitioned: Database) -> None:
    now, before = ahead(partitioned), facts(partitioned)
    dry = shell(partitioned, "partitions", "create-next", "--dry-run", "--now", now)
    assert dry.returncode == 0, dry.stderr
    assert facts(partitioned) == before
    as_json = json.loads(
        shell(partitioned, "partitions", "create-next", "--dry-run", "--format", "json", "--now", now).stdout
    )
    assert [list(step) for step in as_json["steps"]] == [["summary", "locks", "sql"]] * 2
    assert {"mode": "SHARE UPDATE EXCLUSIVE", "table": "app.t"} in as_json["steps"][0]["locks"]

    with psycopg.connect(partitioned.url, autocommit=True) as connection:
        for statement in split(dry.stdout):
            connection.execute(statement.encode())
    by_hand = facts(partitioned)
    partitioned.sql(*(f"DROP TABLE app.{leaf}" for leaf in leaves(partitioned)[-2:]))
    assert shell(partitioned, "partitions", "create-next", "--now", now).returncode == 0
    assert facts(partitioned) == by_hand != before


def test_json_on_stdout_and_events_on_stderr(partitioned: Database) -> None:
    done = shell(partitioned, "partitions", "create-next", "--format", "json", "--now", ahead(partitioned))
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["steps"]) == 2
    assert {json.loads(line)["event"] for line in done.stderr.splitlines()} == {"StepStarted", "StepDone"}
    nothing = shell(partitioned, "partitions", "create-next", "--format", "json", "--now", ahead(partitioned))
    assert json.loads(nothing.stdout) == {"steps": []}


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["app.unknown"], 3, "app.unknown: no policy in schema_kit.part_config (there: app.t)"),
        (["a.b.c"], 2, "is not a table name"),
        (["--lock-timeout", "soon"], 2, "'soon' is not a duration"),
        (["--lock-timeout", "0s"], 2, "'0s' is not a duration"),
        (["--now", "tomorrow"], 2, "'tomorrow' is not a time"),
        (["--format", "xml"], 2, "--format"),
        (["--nonsense"], 2, "--nonsense"),
    ],
)
def test_what_it_cannot_do_is_said_in_a_sentence(
    partitioned: Database, arguments: list[str], code: int, words: str
) -> None:
    before = facts(partitioned)
    done = shell(partitioned, "partitions", "create-next", *arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert facts(partitioned) == before


@pytest.mark.parametrize(
    ("url", "code", "words"),
    [
        ("no url", 2, "cannot be read"),
        ("mysql://root@localhost/x", 2, "is a database of mysql"),
        ("postgresql://me:secret@/x?host=/nowhere&port=1", 1, "cannot connect to postgresql+psycopg://me:***@/x"),
    ],
)
def test_a_database_that_does_not_exist(url: str, code: int, words: str) -> None:
    done = shell(url, "partitions", "create-next")
    assert (done.returncode, done.stdout) == (code, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert "secret" not in done.stderr


def test_a_database_that_is_not_there(database: Database) -> None:
    name = database.sql("SELECT current_database()")[0][0]
    done = shell(database.url.replace(f"/{name}?", "/not_there?"), "partitions", "create-next")
    assert done.returncode == 1
    assert 'database "not_there" does not exist' in done.stderr
    assert "Traceback" not in done.stderr


def test_a_database_without_any_set(database: Database) -> None:
    done = shell(database, "partitions", "create-next")
    assert (done.returncode, done.stdout) == (0, "")
    assert "nothing to do" in done.stderr
    assert "no partitioned sets" in shell(database, "partitions", "list").stderr


def test_too_far_ahead_is_said_in_a_sentence(partitioned: Database) -> None:
    late = shell(partitioned, "partitions", "create-next", "--now", "9999-12-31")
    assert (late.returncode, "Traceback" in late.stderr) == (0, False)
    partitioned.sql("UPDATE schema_kit.part_config SET premake = 1000000")
    many = shell(partitioned, "partitions", "create-next")
    assert (many.returncode, "Traceback" in many.stderr) == (3, False)
    assert "premake of app.t is 1000000" in many.stderr


@pytest.mark.exhaustive
def test_a_connection_that_is_lost_is_said_in_a_sentence(partitioned: Database) -> None:
    holder = partitioned.connect(autocommit=False)
    holder.execute("LOCK TABLE app.t IN SHARE UPDATE EXCLUSIVE MODE")
    running = subprocess.Popen(
        command(partitioned, "partitions", "create-next", "--now", ahead(partitioned)),
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )
    waiting(partitioned)
    partitioned.sql(
        """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
           WHERE application_name = 'schema_kit' AND datname = current_database()"""
    )
    _, said = running.communicate(timeout=60)
    assert running.returncode == 1
    assert "terminating connection" in said
    assert "Traceback" not in said


@pytest.mark.exhaustive
def test_two_at_once_make_each_partition_once(partitioned: Database) -> None:
    now = ahead(partitioned)
    both = [
        subprocess.Popen(
            command(partitioned, "partitions", "create-next", "--now", now), cwd=ROOT, stderr=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    said = [one.communicate(timeout=60)[1] for one in both]
    assert [one.returncode for one in both] == [0, 0, 0], said
    assert len(leaves(partitioned)) == 4
    assert shell(partitioned, "partitions", "create-next", "--now", now).stdout == ""


def test_killed_while_it_waits_and_called_again(partitioned: Database) -> None:
    now = ahead(partitioned)
    holder = partitioned.connect(autocommit=False)
    holder.execute("LOCK TABLE app.t IN SHARE UPDATE EXCLUSIVE MODE")
    running = subprocess.Popen(
        command(partitioned, "partitions", "create-next", "--now", now),
        cwd=ROOT,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    waiting(partitioned)
    running.send_signal(signal.SIGKILL)
    running.communicate(timeout=60)
    assert running.returncode == -signal.SIGKILL
    holder.rollback()
    assert shell(partitioned, "partitions", "create-next", "--now", now).returncode == 0
    assert len(leaves(partitioned)) == 4


@pytest.mark.exhaustive
def test_a_lock_that_cannot_be_taken(partitioned: Database) -> None:
    holder = partitioned.connect(autocommit=False)
    holder.execute("SET application_name = 'long report'")
    holder.execute("LOCK TABLE app.t IN SHARE UPDATE EXCLUSIVE MODE")
    done = shell(partitioned, "partitions", "create-next", "--now", ahead(partitioned), "--lock-timeout", "5ms")
    assert done.returncode == 1
    assert f"blocked by pid {holder.info.backend_pid} (long report)" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_default_with_rows_is_validated_free_of_the_range_first(partitioned: Database) -> None:
    now = ahead(partitioned)
    partitioned.sql(
        "CREATE TABLE app.t_default PARTITION OF app.t DEFAULT", "INSERT INTO app.t (at) VALUES ('2090-01-01')"
    )
    done = shell(partitioned, "partitions", "create-next", "--now", now)
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["add", "validate", "create"] * 2
    assert partitioned.sql("SELECT count(*) FROM pg_constraint WHERE conname LIKE '%not_here'") == [(0,)]
    assert len(leaves(partitioned)) == 5


def test_rows_of_the_window_in_the_default_are_refused(partitioned: Database) -> None:
    now = ahead(partitioned)
    partitioned.sql(
        "CREATE TABLE app.t_default PARTITION OF app.t DEFAULT", f"INSERT INTO app.t (at) VALUES ('{now}'::date)"
    )
    before = facts(partitioned)
    done = shell(partitioned, "partitions", "create-next", "--now", now)
    assert done.returncode == 3, done.stderr
    assert "app.t_default" in done.stderr
    assert "Traceback" not in done.stderr
    assert facts(partitioned) == before


def test_sessions_of_another_zone_and_date_style_make_the_same(partitioned: Database) -> None:
    now, name = ahead(partitioned), partitioned.sql("SELECT current_database()")[0][0]
    assert shell(partitioned, "partitions", "create-next", "--now", now).returncode == 0
    there = facts(partitioned)
    partitioned.sql(*(f"DROP TABLE app.{leaf}" for leaf in leaves(partitioned)[-2:]))
    for setting in ("TimeZone = 'Asia/Kathmandu'", "DateStyle = 'SQL, DMY'"):
        partitioned.sql(f"ALTER DATABASE {name} SET {setting}")
    assert shell(partitioned, "partitions", "create-next", "--now", now).returncode == 0
    assert facts(partitioned) == there


def test_list_shows_bounds_in_the_zone_of_the_table(partitioned: Database) -> None:
    now = ahead(partitioned)
    assert shell(partitioned, "partitions", "create-next", "--now", now).returncode == 0
    told = json.loads(shell(partitioned, "partitions", "list", "--format", "json", "--now", now).stdout)["sets"]
    assert [(one["parent"], one["control"], one["timezone"], one["premake"]) for one in told] == [
        ("app.t", "at", "Asia/Bangkok", 1)
    ]
    parts = told[0]["partitions"]
    assert [part["state"] for part in parts] == ["past", "past", "current", "premade"]
    assert [part["name"] for part in parts][-2:] == [f"app.{leaf}" for leaf in leaves(partitioned)[-2:]]
    assert parts[0]["from"] == "MINVALUE"
    assert parts[-2]["to"] == parts[-1]["from"]
    assert all(part["to"].endswith("-01") for part in parts), "midnight in Bangkok"
    assert parts[0]["rows"] == 40
    text = shell(partitioned, "partitions", "list", "app.t", "--now", now).stdout
    assert "app.t  by at, every 1 mon, Asia/Bangkok, premake 1" in text
    assert parts[-1]["to"] in text
    assert shell(partitioned, "partitions", "list", "app.other").returncode == 3


OF_THE_PARENT = {
    "ALTER TABLE app.t ALTER body SET STATISTICS 77": ("column", "body", "attstattarget"),
    "ALTER TABLE app.t ALTER body SET (n_distinct = 5)": ("column", "body", "options"),
    "ALTER TABLE app.t ALTER body SET STORAGE EXTERNAL": ("column", "body", "attstorage"),
    "ALTER TABLE app.t ALTER body SET COMPRESSION pglz": ("column", "body", "attcompression"),
    "COMMENT ON COLUMN app.t.body IS 'of the parent'": ("column", "body", "comment"),
    "COMMENT ON TABLE app.t IS 'of the parent'": ("table", "table", "comment"),
    "ALTER INDEX app.lower_body ALTER COLUMN 1 SET STATISTICS 99": ("index column", "{}_lower_idx.1", "attstattarget"),
}
OF_THE_NEWEST = {
    "ALTER TABLE {} SET (fillfactor = 44, autovacuum_enabled = off)": ("table", "table", "reloptions"),
    "ALTER TABLE {} SET (toast.autovacuum_enabled = off)": ("table", "table", "toast"),
    "ALTER TABLE {} REPLICA IDENTITY FULL": ("table", "table", "relreplident"),
}
OF_NOBODY = {
    "ALTER TABLE {} SET UNLOGGED": ("table", "table", "relpersistence"),
    "ALTER TABLE {} ENABLE ROW LEVEL SECURITY": ("table", "table", "relrowsecurity"),
    "CREATE POLICY own ON {}": ("policy", "own", "polcmd"),
    "GRANT SELECT ON {} TO PUBLIC": ("table", "table", "access"),
    "ALTER TABLE {} ALTER body SET DEFAULT 'own'": ("column", "body", "default"),
    "ALTER TABLE {} ADD CONSTRAINT own CHECK (id > 0)": ("constraint", "own", "definition"),
    "CREATE INDEX own ON {} (room)": ("index", "own", "definition"),
}


def test_what_a_new_partition_has(partitioned: Database) -> None:
    """Its parent's; of the newest one what no parent has; nothing else that was set on partitions one by one."""
    partitioned.sql("CREATE INDEX lower_body ON app.t (lower(body)) WITH (fillfactor = 55)", *OF_THE_PARENT)
    newest = leaves(partitioned)[-1]
    partitioned.sql(*(text.format(f"app.{newest}") for text in (*OF_THE_NEWEST, *OF_NOBODY)))
    done = shell(partitioned, "partitions", "create-next", "--now", ahead(partitioned))
    assert done.returncode == 0, done.stderr
    new = leaves(partitioned)[-1]
    assert new > newest

    def of(name: str) -> dict[tuple[str, str, str], object]:
        return catalog_of(partitioned.url, f"app.{name}")

    parent, sibling, made = of("t"), of(newest), of(new)
    for kind, what, key in OF_THE_PARENT.values():
        assert made[kind, what.format(new), key] == parent[kind, what.replace("{}_lower_idx", "lower_body"), key]
    assert made["index", f"{new}_lower_idx", "reloptions"] == parent["index", "lower_body", "reloptions"]
    for fact in OF_THE_NEWEST.values():
        assert made[fact] == sibling[fact] != parent.get(fact)
    for fact in OF_NOBODY.values():
        assert made.get(fact) == parent.get(fact) != sibling[fact]
