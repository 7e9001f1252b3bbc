"""One odd row among the others: maintenance stays small, says it, and goes on; and the ends of each type."""

from __future__ import annotations

import pytest

from schema_kit.model import Partitioning
from schema_kit.names import QualifiedName
from tests.support.cli import shell
from tests.support.database import Database
from tests.support.matrix import thinned
from tests.support.tables import register

pytestmark = [pytest.mark.partitions, pytest.mark.majors]

T = QualifiedName("app", "t")
NOW = "2026-03-15"

V7 = "019cf05f-{:04x}-7000-8000-000000000000"  # of 15 March 2026
FAR: dict[str, tuple[str, str, str, list[str], list[str]]] = {
    # type, encoding, interval, rows of now, odd ones
    "moments by month": (
        "timestamptz",
        "",
        "1 month",
        ["2026-03-14", "2026-02-03"],
        ["2099-01-01", "9999-12-31 23:59:59", "12000-01-01", "infinity", "-infinity", "0044-03-15 BC", "0001-01-01"],
    ),
    "moments by day": ("timestamptz", "", "1 day", ["2026-03-14", "2026-03-12"], ["2099-01-01", "1970-01-01"]),
    "dates": ("date", "", "7 days", ["2026-03-14"], ["5874897-12-31", "infinity", "0044-03-15 BC", "2030-01-01"]),
    "clocks": ("timestamp", "", "1 hour", ["2026-03-14 23:00"], ["294276-12-31", "2026-06-01", "4713-01-01 BC"]),
    "seconds": ("bigint", "seconds", "1 day", ["1773446400"], ["9223372036854775807", "-9223372036854775808", "0"]),
    "seconds in int4": ("integer", "seconds", "1 day", ["1773446400"], ["2147483647", "-2147483648", "0"]),
    "nanoseconds": ("bigint", "nanoseconds", "1 month", ["1773446400000000000"], ["9223372036854775807", "0"]),
    "snowflakes": ("bigint", "snowflake", "1 month", ["2032915541934080000"], ["9223372036854775807", "1"]),
    "uuids": (
        "uuid",
        "uuidv7",
        "1 month",
        [V7.format(1), V7.format(2)],
        [f"{n:x}7a3b1c2-5f6e-4d7c-9a8b-0c1d2e3f4a5b" for n in range(1, 16)],
    ),
    "ids": ("bigint", "", "1000", ["1", "1500", "2500"], ["9223372036854775807", "-9223372036854775808", "90000"]),
    "ids in int2": ("smallint", "", "10", ["1", "15", "25"], ["32767", "-32768", "9000"]),
    "numbers": ("numeric", "", "1000", ["1", "1500.5"], ["1e40", "-1e40", "NaN", "Infinity", "-Infinity"]),
    "numbers with a precision": ("numeric(10,2)", "", "1000", ["1", "1500.5"], ["99999999.99", "NaN"]),
}


@pytest.mark.parametrize("beside", [True, False], ids=["beside partitions", "in a new set"])
@pytest.mark.parametrize("case", thinned(FAR, "dates", "uuids"))
def test_one_odd_row_makes_no_hundreds_of_partitions_and_no_error(database: Database, case: str, beside: bool) -> None:
    type_, encoding, interval, rows, odd = FAR[case]
    database.sql(
        "CREATE SCHEMA app",
        f"CREATE TABLE app.t (k {type_} PRIMARY KEY) PARTITION BY RANGE (k)",
        "CREATE TABLE app.t_default PARTITION OF app.t DEFAULT",
    )
    register(database, Partitioning(T, "k", interval, premake=2, encoding=encoding))
    values = [f"INSERT INTO app.t VALUES ('{row}')" for row in rows]
    if beside:
        shell(database, "partitions", "maintain", "--now", NOW)
        database.sql(*values)
        shell(database, "partitions", "maintain", "--now", NOW)
        values = []
    database.sql(*values, *(f"INSERT INTO app.t VALUES ('{row}')" for row in odd))
    for _ in range(3):
        done = shell(database, "partitions", "maintain", "--now", NOW)
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
    assert done.stdout == "", "at last nothing is made"
    count = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'app.t'::regclass"
    assert database.sql(count)[0][0] < 50
    where = database.sql("SELECT tableoid::regclass::text FROM app.t WHERE k IN (" + ", ".join(map(repr, rows)) + ")")
    assert "app.t_default" not in {row[0] for row in where}
    assert database.sql("SELECT count(*) FROM app.t") == [(len(rows) + len(odd),)]
    checked = shell(database, "partitions", "check", "--now", NOW)
    assert checked.returncode == 0, checked.stdout
    assert "[default_strays]" in checked.stdout
    assert "get no partition" in done.stderr
    assert shell(database, "partitions", "timeline", "--now", NOW).returncode == 0


def test_an_id_far_away_retires_nothing(database: Database) -> None:
    database.sql(
        "CREATE SCHEMA app",
        "CREATE TABLE app.t (k bigint PRIMARY KEY) PARTITION BY RANGE (k)",
        "CREATE TABLE app.t_default PARTITION OF app.t DEFAULT",
    )
    register(database, Partitioning(T, "k", "1000", premake=2, retention="5000"))
    shell(database, "partitions", "create-next")
    database.sql("INSERT INTO app.t VALUES (1), (1500)", "INSERT INTO app.t VALUES (8000000)")
    before = database.sql("SELECT count(*) FROM pg_inherits WHERE inhparent = 'app.t'::regclass")
    done = shell(database, "partitions", "maintain")
    assert (done.returncode, done.stdout.count("detach")) == (0, 0), done.stderr
    assert database.sql("SELECT count(*) FROM pg_inherits WHERE inhparent = 'app.t'::regclass")[0][0] >= before[0][0]


@pytest.mark.exhaustive
def test_a_row_ahead_is_taken_in_when_its_ranges_are_asked_for(database: Database) -> None:
    database.sql(
        "CREATE SCHEMA app",
        "CREATE TABLE app.t (k bigint PRIMARY KEY) PARTITION BY RANGE (k)",
        "CREATE TABLE app.t_default PARTITION OF app.t DEFAULT",
    )
    register(database, Partitioning(T, "k", "1000", premake=2))
    shell(database, "partitions", "create-next")
    database.sql("INSERT INTO app.t VALUES (1), (20500)")
    assert shell(database, "partitions", "maintain").returncode == 0
    assert database.sql("SELECT tableoid::regclass::text FROM app.t WHERE k = 20500") == [("app.t_default",)]
    assert shell(database, "partitions", "drain-default", "--until", "21000").returncode == 0
    assert database.sql("SELECT tableoid::regclass::text FROM app.t WHERE k = 20500") == [("app.t_p20000",)]


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("type_", "odd"),
    [("timestamptz", ["0001-01-01", "2099-01-01", "-infinity", "infinity", "0044-03-15 BC"]), ("bigint", ["7999999"])],
)
def test_a_table_with_one_odd_row_is_converted_by_copy_and_split(
    database: Database, type_: str, odd: list[str]
) -> None:
    rows = {"timestamptz": ["2026-01-03", "2026-02-03", "2026-03-03"], "bigint": ["1", "1500", "2500"]}[type_]
    interval = {"timestamptz": "1 month", "bigint": "1000"}[type_]
    database.sql(
        "CREATE SCHEMA app",
        f"CREATE TABLE app.t (k {type_} PRIMARY KEY)",
        "INSERT INTO app.t VALUES " + ", ".join(f"('{row}')" for row in (*rows, *odd)),
        f"CREATE TABLE app.u (k {type_} PRIMARY KEY) PARTITION BY RANGE (k)",
        "CREATE TABLE app.u_all PARTITION OF app.u FOR VALUES FROM (MINVALUE) TO (MAXVALUE)",
        "INSERT INTO app.u SELECT * FROM app.t",
    )
    done = shell(
        database,
        "partitions",
        "convert",
        "app.t",
        "--control",
        "k",
        "--interval",
        interval,
        "--strategy",
        "copy",
        "--now",
        NOW,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    count = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'app.{}'::regclass"
    assert database.sql(count.format("t"))[0][0] < 20
    assert database.sql("SELECT count(*) FROM app.t") == [(len(rows) + len(odd),)]
    names = database.sql("SELECT DISTINCT tableoid FROM app.t WHERE k IN (" + ", ".join(map(repr, rows)) + ")")
    assert len(names) == 3
    database.sql(
        "INSERT INTO schema_kit.part_config (parent_table, control, partition_interval) "
        f"VALUES ('app.u', 'k', '{interval.replace('month', 'mon')}')"
    )
    done = shell(database, "partitions", "split", "app.u_all", "--now", NOW)
    assert done.returncode == 0, done.stderr
    assert database.sql(count.format("u"))[0][0] < 20
    assert database.sql("SELECT count(*) FROM app.u") == [(len(rows) + len(odd),)]
    names = database.sql("SELECT DISTINCT tableoid FROM app.u WHERE k IN (" + ", ".join(map(repr, rows)) + ")")
    assert len(names) == 3


ENDS = {
    "smallint": ("smallint", "", "10", "32755", "32767", NOW),
    "integer": ("integer", "", "100000", "2147390000", "2147483647", NOW),
    "bigint": ("bigint", "", "100000", "9223372036854600000", "9223372036854775807", NOW),
    "numeric(6,0)": ("numeric(6,0)", "", "1000", "998500", "999999", NOW),
    "numeric(6,2)": ("numeric(6,2)", "", "1000", "8500", "9999.99", NOW),
    "seconds in 2038": ("integer", "seconds", "1 month", "2145916800", "2147483647", "2038-01-02"),
    "nanoseconds in 2262": (
        "bigint",
        "nanoseconds",
        "1 day",
        "9223200000000000000",
        "9223372036854775807",
        "2262-04-09",
    ),
    "dates": ("date", "", "1 month", "9999-11-02", "5874897-12-31", "9999-11-02"),
    "clocks": ("timestamp", "", "1 month", "9999-11-02", "294276-12-31", "9999-11-02"),
    "moments": ("timestamptz", "", "1 month", "9999-11-02", "294276-12-31", "9999-11-02"),
}


@pytest.mark.parametrize("case", ENDS)
def test_the_last_partition_reaches_to_the_end_of_the_type(database: Database, case: str) -> None:
    type_, encoding, interval, newest, greatest, now = ENDS[case]
    database.sql(
        "CREATE SCHEMA app",
        f"CREATE TABLE app.t (k {type_} PRIMARY KEY) PARTITION BY RANGE (k)",
        f"CREATE TABLE app.t_before PARTITION OF app.t FOR VALUES FROM (MINVALUE) TO ('{newest}')",
    )
    policy = Partitioning(T, "k", interval, premake=4, encoding=encoding)
    if not encoding and type_ not in ("date", "timestamp", "timestamptz"):
        lower = int(newest) - int(newest) % int(interval)
        database.sql(
            "DROP TABLE app.t_before",
            f"CREATE TABLE app.t_p PARTITION OF app.t FOR VALUES FROM ({lower}) TO ({lower + int(interval)})",
            f"INSERT INTO app.t VALUES ({newest})",
        )
    else:
        database.sql("DROP TABLE app.t_before")
    register(database, policy)
    assert shell(database, "partitions", "create-next", "--now", now).returncode == 0
    database.sql(f"INSERT INTO app.t VALUES ('{greatest}') ON CONFLICT DO NOTHING")
    assert database.sql("SELECT count(*) FROM app.t WHERE k = (SELECT k FROM app.t ORDER BY k DESC LIMIT 1)") == [(1,)]
    for verb in ("maintain", "list", "check", "timeline"):
        done = shell(database, "partitions", verb, "--now", now)
        assert done.returncode == 0, (verb, done.stdout, done.stderr)
        assert "create" not in done.stdout
    last = (
        "SELECT count(*) FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid WHERE inhparent = 'app.t'::regclass "
        "AND pg_get_expr(relpartbound, c.oid) LIKE '%MAXVALUE%'"
    )
    assert database.sql(last) == [(1,)]


@pytest.mark.exhaustive
@pytest.mark.parametrize("case", [case for case in ENDS if ENDS[case][0] not in ("date", "timestamp", "timestamptz")])
def test_a_conversion_near_the_end_ends_there_or_is_refused_before_anything_is_written(
    database: Database, case: str
) -> None:
    type_, encoding, interval, newest, greatest, now = ENDS[case]
    database.sql("CREATE SCHEMA app", f"CREATE TABLE app.t (k {type_} PRIMARY KEY)")
    database.sql(f"INSERT INTO app.t VALUES ({newest})")
    by = ["--control", "k", "--interval", interval, "--now", now, *(("--encoding", encoding) if encoding else ())]
    refused = shell(database, "partitions", "convert", "app.t", *by, "--strategy", "attach")
    assert refused.returncode == 3, refused.stderr
    assert "and ends at" in refused.stderr
    assert database.sql("SELECT to_regnamespace('schema_kit')") == [(None,)], "nothing was written"
    done = shell(database, "partitions", "convert", "app.t", *by, "--strategy", "copy")
    assert done.returncode == 0, done.stderr
    database.sql(f"INSERT INTO app.t VALUES ('{greatest}') ON CONFLICT DO NOTHING")
    assert database.sql("SELECT count(*) FROM app.t_default") == [(0,)]
