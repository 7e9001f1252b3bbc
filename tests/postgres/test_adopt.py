"""Tables that others have partitioned are adopted by their bounds; next to pg_partman, one works at a time."""

from __future__ import annotations

import json
import subprocess
from itertools import pairwise
from typing import Any

import pytest

from schema_kit.names import QualifiedName
from tests.support.catalog import facts, without_config
from tests.support.cli import ROOT, command, shell
from tests.support.conversion import convert
from tests.support.database import Database

pytestmark = [pytest.mark.partitions, pytest.mark.cli, pytest.mark.majors]

NOW = ("--now", "2026-11-21")
ROW = (
    "SELECT control, partition_interval, timezone, origin, coalesce(encoding, epoch), premake "
    "FROM schema_kit.part_config"
)

PARTMAN = """CREATE TABLE {schema}.part_config (
    parent_table text NOT NULL PRIMARY KEY, control text NOT NULL, partition_interval text NOT NULL,
    partition_type text NOT NULL, premake int NOT NULL DEFAULT 4, automatic_maintenance text NOT NULL DEFAULT 'on',
    template_table text, retention text, retention_schema text, retention_keep_index boolean NOT NULL DEFAULT true,
    retention_keep_table boolean NOT NULL DEFAULT true, epoch text NOT NULL DEFAULT 'none', constraint_cols text[],
    optimize_constraint int NOT NULL DEFAULT 30, infinite_time_partitions boolean NOT NULL DEFAULT false,
    datetime_string text, jobmon boolean NOT NULL DEFAULT true, sub_partition_set_full boolean NOT NULL DEFAULT false,
    undo_in_progress boolean NOT NULL DEFAULT false, inherit_privileges boolean DEFAULT false,
    constraint_valid boolean DEFAULT true NOT NULL, ignore_default_data boolean NOT NULL DEFAULT true,
    default_table boolean DEFAULT true, date_trunc_interval text, maintenance_order int,
    retention_keep_publication boolean NOT NULL DEFAULT false, maintenance_last_run timestamptz)"""


def made(database: Database, kind: str, *bounds: Any, table: str = "app.t", zone: str = "UTC") -> None:
    """A table partitioned by hand: each two bounds that follow each other are a partition's."""
    database.sql(
        "CREATE SCHEMA IF NOT EXISTS app",
        f"CREATE TABLE {table} (id bigint, k {kind} NOT NULL) PARTITION BY RANGE (k)",
        f"SET TimeZone = '{zone}'",
        *(
            f"CREATE TABLE {table}_{n} PARTITION OF {table} FOR VALUES FROM ('{lower}') TO ('{upper}')"
            for n, (lower, upper) in enumerate(pairwise(bounds))
        ),
    )


MONTHS = ("2026-09-01", "2026-10-01", "2026-11-01", "2026-12-01", "2027-01-01")
NONE: tuple[str, ...] = ()
BY_DATE = ("CREATE TABLE app.x (k date NOT NULL) PARTITION BY RANGE (k)",)


def uuid(milliseconds: int) -> str:
    digits = f"{milliseconds:012x}"
    return f"{digits[:8]}-{digits[8:]}-0000-0000-000000000000"


SETS: dict[str, tuple[str, tuple[Any, ...]]] = {
    "days": ("timestamptz", ("2026-10-24", "2026-10-25", "2026-10-26", "2026-11-21")),
    "dates": ("date", ("2025-01-01", "2026-01-01", "2027-01-01")),
    "epochs": ("bigint", (1790805600, 1793487600, 1796079600)),
    "ids": ("bigint", (1, 1001, 2001)),
    "months": ("timestamptz", MONTHS),
    "timestamps": ("timestamp", ("2026-10-01", "2027-01-01", "2027-04-01")),
    "uuids": ("uuid", tuple(map(uuid, (1790805600000, 1793487600000)))),
}


@pytest.mark.exhaustive
def test_the_policy_is_read_off_the_bounds_of_each_kind(database: Database) -> None:
    name = database.sql("SELECT current_database()")[0][0]
    database.sql(f"ALTER DATABASE {name} SET TimeZone = 'Europe/Berlin'")
    for table, (kind, bounds) in SETS.items():
        made(database, kind, *bounds, table=f"app.{table}", zone="Europe/Berlin")
    before = facts(database)
    done = shell(database, "partitions", "adopt", "--all", *NOW)
    assert done.returncode == 0, done.stderr
    assert database.sql(
        "SELECT substr(parent_table, 5), partition_interval, timezone, origin, coalesce(encoding, epoch) "
        "FROM schema_kit.part_config ORDER BY 1"
    ) == [
        ("dates", "1 year", "Europe/Berlin", None, "none"),
        ("days", "1 day", "Europe/Berlin", None, "none"),
        ("epochs", "1 mon", "Europe/Berlin", None, "seconds"),
        ("ids", "1000", "Europe/Berlin", "1001", "none"),
        ("months", "1 mon", "Europe/Berlin", None, "none"),
        ("timestamps", "3 mons", "Europe/Berlin", None, "none"),
        ("uuids", "1 mon", "Europe/Berlin", None, "uuidv7"),
    ]
    assert without_config(facts(database)) == before
    assert "nothing to do" in shell(database, "partitions", "adopt", "--all", *NOW).stderr
    told = [line.removeprefix("  next: ") for line in done.stderr.splitlines() if line.startswith("  next: ")]
    sent = shell(database, "partitions", "create-next", *NOW)
    assert sent.returncode == 0, sent.stderr
    assert sorted(sent.stdout.splitlines()) == sorted(line for line in told if line != "nothing is missing")


def test_what_is_given_counts_and_is_held_against_the_bounds(database: Database) -> None:
    made(database, "timestamptz", *MONTHS, zone="Asia/Bangkok")
    refused = shell(database, "partitions", "adopt", "app.t", *NOW)
    assert refused.returncode == 3
    assert "partitions of app.t lie across the ranges of" in refused.stderr
    assert "Its bounds are midnights of UTC+07:00" in refused.stderr
    assert database.sql("SELECT to_regclass('schema_kit.part_config')") == [(None,)]
    wrong = shell(database, "partitions", "adopt", "app.t", "--timezone", "Asia/Tokyo", *NOW)
    assert (wrong.returncode, "Traceback" in wrong.stderr) == (3, False)
    right = shell(
        database,
        "partitions",
        "adopt",
        "app.t",
        "--timezone",
        "Asia/Bangkok",
        "--interval",
        "1 month",
        "--premake",
        "2",
        *NOW,
    )
    assert right.returncode == 0, right.stderr
    assert "time zone Asia/Bangkok: given; its bounds are midnights there" in right.stderr
    assert database.sql(ROW) == [("k", "1 mon", "Asia/Bangkok", None, "none", 2)]


def test_a_dry_run_sends_nothing(database: Database) -> None:
    made(database, "date", *MONTHS)
    before = facts(database)
    done = shell(database, "partitions", "adopt", "--all", "--dry-run", *NOW)
    assert done.returncode == 0, done.stderr
    assert 'INSERT INTO "schema_kit"."part_config"' in done.stdout
    assert "next: create partition app.t_p20270101 from 2027-01-01 to 2027-02-01" in done.stderr
    assert facts(database) == before
    told = shell(database, "partitions", "adopt", "--all", "--dry-run", "--format", "json", *NOW)
    assert [step["summary"] for step in json.loads(told.stdout)["steps"]][-1] == "register the policy of app.t"
    read = json.loads(told.stderr.splitlines()[0])
    assert (read["policy"]["interval"], len(read["next"])) == ("1 mon", 3)


def test_all_that_have_no_policy(database: Database) -> None:
    made(database, "date", *MONTHS)
    made(database, "timestamptz", *MONTHS, table="app.other")
    made(database, "date", "2026-01-01", "2026-01-09", "2026-11-05", "2026-11-25", table="app.odd")
    database.sql(
        "CREATE TABLE app.listed (r text NOT NULL, k date NOT NULL) PARTITION BY LIST (r)",
        "CREATE TABLE app.listed_eu PARTITION OF app.listed FOR VALUES IN ('eu') PARTITION BY RANGE (k)",
        "CREATE TABLE app.listed_us PARTITION OF app.listed FOR VALUES IN ('us') PARTITION BY RANGE (k)",
        "CREATE TABLE app.eu_1 PARTITION OF app.listed_eu FOR VALUES FROM ('2026-11-01') TO ('2026-12-01')",
        "CREATE TABLE app.us_1 PARTITION OF app.listed_us FOR VALUES FROM ('2026-10-01') TO ('2026-12-01')",
        "CREATE TABLE app.hashed (k date NOT NULL) PARTITION BY HASH (k)",
    )
    asked = shell(database, "partitions", "adopt", *NOW)
    assert asked.returncode == 2
    assert "Sets without a policy: app.listed, app.odd, app.other, app.t." in asked.stderr
    done = shell(database, "partitions", "adopt", "--all", *NOW)
    assert done.returncode == 1, done.stderr
    assert "partitions of app.odd lie across" in done.stderr
    assert database.sql("SELECT parent_table, partition_interval FROM schema_kit.part_config ORDER BY 1") == [
        ("app.listed", "1 mon"),
        ("app.other", "1 mon"),
        ("app.t", "1 mon"),
    ]
    sent = shell(database, "partitions", "create-next", "app.listed", *NOW)
    assert sent.returncode == 0, sent.stderr
    assert sent.stdout.count("create partition app.listed_eu_p") == sent.stdout.count("app.listed_us_p") == 4


def test_old_irregular_partitions_are_ignored_on_request(database: Database) -> None:
    made(database, "date", "2026-01-01", "2026-03-10", "2026-09-17", "2026-10-01", "2026-11-01", "2026-12-01")
    refused = shell(database, "partitions", "adopt", "app.t", *NOW)
    assert refused.returncode == 3
    listed = [line for line in refused.stderr.splitlines() if line.startswith("  - ")]
    assert listed == [
        "  - app.t_0 from 2026-01-01 to 2026-03-10",
        "  - app.t_1 from 2026-03-10 to 2026-09-17",
        "  - app.t_2 from 2026-09-17 to 2026-10-01",
    ]
    assert "--leave-irregular adopts the table" in refused.stderr
    before = facts(database)
    done = shell(database, "partitions", "adopt", "app.t", "--leave-irregular", *NOW)
    assert done.returncode == 0, done.stderr
    assert "app.t_1 does not match the interval; ignored" in done.stderr
    assert without_config(facts(database)) == before
    assert shell(database, "partitions", "create-next", *NOW).stdout.count("create partition") == 4


@pytest.mark.parametrize(
    ("statements", "arguments", "words"),
    [
        (NONE, ["app.nowhere"], "there is no table app.nowhere"),
        (("CREATE TABLE app.x (k date)",), ["app.x"], "app.x is a plain table"),
        (("CREATE TABLE app.x (k date, l int) PARTITION BY RANGE (k, l)",), ["app.x"], "its key is RANGE (k, l)"),
        (BY_DATE, ["app.x"], "has two ends that tell how wide"),
        (("CREATE TABLE app.x (k date) PARTITION BY RANGE (k)",), ["app.x", "--interval", "1 day"], "may be NULL"),
        (("CREATE TABLE app.x (k text NOT NULL) PARTITION BY RANGE (k)",), ["app.x"], "has two ends"),
        (
            (
                "CREATE TABLE app.x (k text NOT NULL) PARTITION BY RANGE (k)",
                "CREATE TABLE app.x1 PARTITION OF app.x FOR VALUES FROM ('!') TO ('~')",
            ),
            ["app.x"],
            "is not a ULID",
        ),
        (BY_DATE, ["app.x", "--interval", "odd"], "is not an interval"),
        (BY_DATE, ["app.x", "--timezone", "No"], "no time zone"),
        (BY_DATE, ["app.x", "--control", "l"], "not partitioned by RANGE (l)"),
        (NONE, ["a.b.c"], "is not a table name"),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_over(
    database: Database, statements: tuple[str, ...], arguments: list[str], words: str
) -> None:
    database.sql("CREATE SCHEMA app", *statements)
    before = facts(database)
    done = shell(database, "partitions", "adopt", *arguments, *NOW)
    assert done.returncode in (2, 3), done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert facts(database) == before


@pytest.fixture
def partman(database: Database) -> Database:
    """A table that a pg_partman knows, made by a session of Bangkok that prints intervals in another style."""
    made(database, "timestamptz", *MONTHS, zone="Asia/Bangkok")
    database.sql(
        'CREATE SCHEMA "Part Man"',
        PARTMAN.format(schema='"Part Man"'),
        'INSERT INTO "Part Man".part_config (parent_table, control, partition_interval, partition_type, premake, '
        "retention) VALUES ('app.t', 'k', 'P1M', 'range', 7, 'P6M')",
        f"ALTER DATABASE {database.sql('SELECT current_database()')[0][0]} SET TimeZone = 'Asia/Bangkok'",
    )
    return database


def test_a_partitioned_table_of_pg_partman(partman: Database) -> None:
    done = shell(partman, "partitions", "adopt", "app.t", *NOW)
    assert done.returncode == 0, done.stderr
    assert 'interval 1 mon: as pg_partman\'s "Part Man".part_config says' in done.stderr
    assert '"Part Man".part_config: its maintenance is on, too; --take-over turns it off' in done.stderr
    assert partman.sql(ROW) == [("k", "1 mon", "Asia/Bangkok", None, "none", 7)]
    assert "retention 6 mons: partitions that end before it are detached, and stay as tables" in done.stderr
    assert partman.sql("SELECT retention, retention_keep_table FROM schema_kit.part_config") == [("6 mons", True)]
    on = 'SELECT automatic_maintenance FROM "Part Man".part_config'
    assert partman.sql(on) == [("on",)]
    taken = shell(partman, "partitions", "adopt", "app.t", "--take-over", *NOW)
    assert taken.returncode == 0, taken.stderr
    assert taken.stdout.splitlines() == [
        "take over what pg_partman knows of app.t",
        'turn "Part Man".part_config\'s maintenance of app.t off',
    ]
    assert partman.sql(on) == [("off",)]
    partman.sql("UPDATE schema_kit.part_config SET premake = 9")
    assert shell(partman, "partitions", "adopt", "app.t", "--take-over", *NOW).stdout == ""
    assert partman.sql(ROW)[0][-1] == 9
    assert shell(partman, "partitions", "adopt", "app.t", "--premake", "3", *NOW).returncode == 0
    assert partman.sql(ROW)[0][-1] == 3


def test_an_older_pg_partman_whose_row_is_wrong(partman: Database) -> None:
    partman.sql(
        'ALTER TABLE "Part Man".part_config DROP COLUMN maintenance_last_run, DROP COLUMN automatic_maintenance',
        "UPDATE \"Part Man\".part_config SET partition_interval = '7 days'",
    )
    done = shell(partman, "partitions", "adopt", "app.t", *NOW)
    assert done.returncode == 0, done.stderr
    assert "interval 1 mon: as wide as app.t_" in done.stderr
    partman.sql("DELETE FROM schema_kit.part_config", "UPDATE \"Part Man\".part_config SET partition_interval = 'odd'")
    assert shell(partman, "partitions", "adopt", "app.t", *NOW).returncode == 0


def test_names_that_pg_partman_4_would_stumble_over(partman: Database) -> None:
    partman.sql("UPDATE \"Part Man\".part_config SET datetime_string = 'YYYY_MM'")
    refused = shell(partman, "partitions", "adopt", "--all", *NOW)
    assert refused.returncode == 3
    assert "would fail at the first new name" in refused.stderr
    assert partman.sql("SELECT to_regclass('schema_kit.part_config')") == [(None,)]
    assert shell(partman, "partitions", "adopt", "--all", "--take-over", *NOW).returncode == 0
    assert partman.sql('SELECT automatic_maintenance FROM "Part Man".part_config') == [("off",)]
    assert shell(partman, "partitions", "adopt", "app.t", *NOW).returncode == 0


def test_what_pgslice_has_written_down(database: Database) -> None:
    made(database, "timestamptz", "2026-11-01", "2026-12-01")
    database.sql("COMMENT ON TABLE app.t IS 'column:k,period:month,cast:timestamptz,version:3'")
    done = shell(database, "partitions", "adopt", "app.t", *NOW)
    assert done.returncode == 0, done.stderr
    assert "interval 1 mon: as pgslice's comment says" in done.stderr


def holding(database: Database) -> Any:
    """A session that does what pg_partman's maintenance does first."""
    holder = database.connect(autocommit=False)
    holder.execute("SET application_name = 'bgw'")
    got = holder.execute("SELECT pg_try_advisory_xact_lock(hashtext('pg_partman run_maintenance'))").fetchone()
    assert got == (True,)
    return holder


@pytest.mark.exhaustive
def test_one_works_at_a_time(partman: Database) -> None:
    assert shell(partman, "partitions", "adopt", "app.t", *NOW).returncode == 0
    before = facts(partman)
    holder = holding(partman)
    refused = shell(partman, "partitions", "create-next", *NOW, "--lock-timeout", "5ms")
    assert refused.returncode == 1
    assert f"blocked by pid {holder.info.backend_pid} (bgw): pg_partman's lock" in refused.stderr
    assert "work on app.t, which pg_partman maintains too" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert facts(partman) == before
    waits = subprocess.Popen(
        command(partman, "partitions", "create-next", *NOW),
        cwd=ROOT,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert waits.stderr is not None
    assert "waiting" in waits.stderr.readline()
    holder.rollback()
    out, said = waits.communicate(timeout=60)
    assert waits.returncode == 0, said
    assert out.count("create partition app.t_p") == 6
    holding(partman)  # and it is free again


@pytest.mark.exhaustive
def test_its_lock_is_held_while_we_work_and_not_for_other_sets(partman: Database) -> None:
    made(partman, "date", *MONTHS, table="app.own")
    assert shell(partman, "partitions", "adopt", "--all", *NOW).returncode == 0
    holder = holding(partman)
    done = shell(partman, "partitions", "create-next", "app.own", *NOW)
    assert done.returncode == 0, done.stderr
    holder.rollback()
    blocker = partman.connect(autocommit=False)
    blocker.execute("LOCK TABLE app.t IN SHARE UPDATE EXCLUSIVE MODE")
    works = subprocess.Popen(
        command(partman, "partitions", "create-next", "app.t", *NOW), cwd=ROOT, stderr=subprocess.PIPE, text=True
    )
    assert works.stderr is not None
    assert "waiting" in works.stderr.readline()
    asked = "SELECT pg_try_advisory_xact_lock(hashtext('pg_partman run_maintenance'))"
    assert partman.sql(asked) == [(False,)]
    works.kill()
    works.communicate(timeout=60)
    blocker.rollback()
    assert shell(partman, "partitions", "maintain", "--workers", "3", *NOW).returncode == 0


def test_rights_that_are_missing_are_said(database: Database) -> None:
    made(database, "date", *MONTHS)
    database.sql(
        "DROP ROLE IF EXISTS sk_adopter", "CREATE ROLE sk_adopter LOGIN", "GRANT USAGE ON SCHEMA app TO sk_adopter"
    )
    url = database.url.replace("postgres@", "sk_adopter@")
    try:
        done = shell(url, "partitions", "adopt", "app.t", *NOW)
        assert done.returncode == 3
        assert "sk_adopter lacks CREATE on database" in done.stderr
    finally:
        database.sql("DROP OWNED BY sk_adopter", "DROP ROLE sk_adopter")


ODD = 'Ta.b"le สวัสดี' + "x" * 37


def test_odd_names_and_a_partman_that_cannot_be_read(database: Database) -> None:
    assert len(ODD.encode()) == 63
    database.sql("DROP ROLE IF EXISTS sk_odd", "CREATE ROLE sk_odd LOGIN", 'CREATE SCHEMA "S.x" AUTHORIZATION sk_odd')
    quoted = '"S.x"."' + ODD.replace('"', '""') + '"'
    try:
        database.sql(
            f'CREATE TABLE {quoted} ("K\'y" date NOT NULL) PARTITION BY RANGE ("K\'y")',
            f"CREATE TABLE \"S.x\".\"a'b\" PARTITION OF {quoted} FOR VALUES FROM ('2026-11-01') TO ('2026-12-01')",
            f"ALTER TABLE {quoted} OWNER TO sk_odd",
            "CREATE SCHEMA partman",
            PARTMAN.format(schema="partman"),
            "DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO sk_odd', current_database()); END $$",
        )
        url = database.url.replace("postgres@", "sk_odd@")
        done = shell(url, "partitions", "adopt", quoted, *NOW)
        assert done.returncode == 0, done.stderr
        assert database.sql("SELECT control, partition_interval FROM schema_kit.part_config") == [("K'y", "1 mon")]
        holder = holding(database)
        refused = shell(url, "partitions", "create-next", *NOW, "--lock-timeout", "5ms")
        assert refused.returncode == 1
        assert "pg_partman maintains too" in refused.stderr
        holder.rollback()
        assert shell(url, "partitions", "create-next", *NOW).stdout.count("create partition") == 4
    finally:
        database.sql("DROP OWNED BY sk_odd", "DROP ROLE sk_odd")


@pytest.mark.exhaustive
def test_undo_killed_and_called_again(database: Database) -> None:
    made(database, "date", *MONTHS)
    database.sql("ALTER TABLE app.t ADD PRIMARY KEY (id, k)", "INSERT INTO app.t SELECT 1, '2026-12-05'")
    assert shell(database, "partitions", "adopt", "app.t", *NOW).returncode == 0
    before = facts(database)
    holder = database.connect(autocommit=False)
    holder.execute("SELECT count(*) FROM app.t")
    undoes = subprocess.Popen(
        command(database, "partitions", "undo", "app.t", "--yes"), cwd=ROOT, stderr=subprocess.PIPE, text=True
    )
    assert undoes.stderr is not None
    while "waiting" not in (line := undoes.stderr.readline()):
        assert line, "it ended"
    undoes.kill()
    undoes.communicate(timeout=60)
    holder.rollback()
    index = {"t_0__key", "t__key"}
    left = {key: value for key, value in facts(database).items() if not index & set(key[1].split("."))}
    assert left == before
    done = shell(database, "partitions", "undo", "app.t", "--yes")
    assert done.returncode == 0, done.stderr
    assert database.sql("SELECT count(*) FROM app.t") == [(1,)]
    assert database.sql("SELECT relkind::text FROM pg_class WHERE oid = 'app.t'::regclass") == [("r",)]


@pytest.mark.exhaustive
def test_undo_asks_first(database: Database) -> None:
    database.sql(
        "CREATE SCHEMA app",
        "CREATE TABLE app.t (id bigint PRIMARY KEY, at timestamptz NOT NULL)",
        "INSERT INTO app.t SELECT i, now() - i * interval '1 day' FROM generate_series(1, 40) i",
    )
    before = facts(database)
    convert(database, QualifiedName("app", "t"))
    partitioned = facts(database)
    for arguments in ([], ["app.t"], ["app.unknown", "--yes"]):
        done = shell(database, "partitions", "undo", *arguments)
        assert done.returncode in (2, 3), done.stderr
        assert "Traceback" not in done.stderr
        assert facts(database) == partitioned
    assert "add --yes" in shell(database, "partitions", "undo", "app.t").stderr
    dry = shell(database, "partitions", "undo", "app.t", "--dry-run")
    assert dry.returncode == 0, dry.stderr
    assert "DROP TABLE" in dry.stdout
    assert facts(database) == partitioned
    done = shell(database, "partitions", "undo", "app.t", "--yes")
    assert done.returncode == 0, done.stderr
    assert without_config(facts(database)) == before
    assert database.sql("SELECT count(*) FROM app.t") == [(40,)]
    assert database.sql("SELECT count(*) FROM schema_kit.part_config") == [(0,)]
    again = shell(database, "partitions", "undo", "app.t", "--yes")
    assert (again.returncode, again.stdout) == (0, ""), again.stderr
