"""Archives in files, through the console script: out, back, and what stands in the way."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import psycopg
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schema_kit import environment
from schema_kit.errors import DeclarationError, ExecutionError, LockNotAvailable, PlanError
from schema_kit.files import manifest
from schema_kit.files.export import export
from schema_kit.files.restore import restore
from schema_kit.files.rows import snapshot
from schema_kit.files.store import Store, file_name
from schema_kit.files.table import read as read_table
from schema_kit.names import QualifiedName
from schema_kit.ops.operation import task
from schema_kit.steps import Plan
from schema_kit.tasks.retirement import detach
from tests.support.cli import ROOT, command, shell
from tests.support.database import QUICK, Database
from tests.support.files import T1, back, build, everything, file_in, one_place, places
from tests.support.matrix import longer

pytestmark = [pytest.mark.files, pytest.mark.majors]


@pytest.mark.exhaustive
@pytest.mark.parametrize("form", ["parquet", "copy"])
def test_out_and_back(database: Database, tmp_path: Path, form: str) -> None:
    before = everything(build(database))
    out = shell(database, "archive", "export", "s.t_01", "--to", str(tmp_path), "--as", form, "--drop", "--yes")
    assert out.returncode == 0, out.stderr
    assert "31 rows of s.t_01" in out.stdout
    assert len(everything(database)) == len(before) - 31
    assert places(database) == [("s.t_01", True, False)]
    assert database.sql("SELECT count(*) FROM schema_kit.retired_partition") == [(0,)]
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".partial")]
    assert shell(database, "archive", "files", "--verify").returncode == 0

    into = shell(database, "archive", "import", "--manifest", "s.t", "--since", "2026-01-10", "--until", "2026-01-11")
    assert into.returncode == 0, into.stderr
    assert "31 rows attached to s.t" in into.stdout
    assert everything(database) == before
    bounds = "SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE oid = 's.t_01'::regclass"
    assert database.sql("SET TimeZone = 'UTC'", bounds) == [
        ("FOR VALUES FROM ('2026-01-01 00:00:00+00') TO ('2026-02-01 00:00:00+00')",)
    ]
    assert places(database) == [("s.t_01", False, True)]
    again = shell(database, "archive", "import", str(next(tmp_path.glob(f"*.{form}"))))
    assert again.returncode == 0, again.stderr
    assert "0 rows inserted into s.t, 31 were there already" in again.stdout
    assert everything(database) == before
    assert database.sql("SELECT count(*) FROM pg_class WHERE relname LIKE '%restored%'") == [(0,)]
    nothing = shell(database, "archive", "import", "--manifest", "s.t")
    assert (nothing.returncode, nothing.stderr) == (0, "nothing to do\n")


@pytest.mark.exhaustive
def test_a_file_for_each_partition_and_a_range_of_them(database: Database, tmp_path: Path) -> None:
    build(database)
    done = shell(database, "archive", "export", "s.t", "--to", str(tmp_path), "--format", "json")
    assert done.returncode == 0, done.stderr
    assert [file["rows"] for file in json.loads(done.stdout)["files"]] == [31, 28, 31]
    again = shell(database, "archive", "export", "s.t", "--to", str(tmp_path))
    assert again.returncode == 0, again.stderr
    assert len(list(tmp_path.iterdir())) == 3
    part = shell(
        database, "archive", "export", "s.t", "--to", str(tmp_path), "--since", "2026-01-30", "--until", "2026-03-01"
    )
    assert part.returncode == 0, part.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "s.t_01.2026-01-30T000000+00_2026-02-01T000000+00.parquet",
        "s.t_01.parquet",
        "s.t_02.parquet",
        "s.t_03.parquet",
    ]
    refused = shell(
        database, "archive", "export", "s.t", "--to", str(tmp_path), "--until", "2026-01-03", "--drop", "--yes"
    )
    assert refused.returncode == 3
    assert "only a part of its rows is in the range" in refused.stderr
    listed = json.loads(shell(database, "archive", "files", "s.t", "--format", "json").stdout)["files"]
    assert [(file["table"], file["rows"], file["alone"]) for file in listed] == [
        ("s.t_01", 31, False),
        ("s.t_01", 2, False),
        ("s.t_02", 28, False),
        ("s.t_03", 31, False),
    ]


def test_the_file_describes_itself(database: Database, tmp_path: Path) -> None:
    build(database)
    assert shell(database, "archive", "export", "s.t_02", "--to", str(tmp_path)).returncode == 0
    file = pq.ParquetFile(tmp_path / "s.t_02.parquet")
    told = json.loads(file.metadata.metadata[b"schema_kit"])
    assert (told["table"], told["parent"], told["control"], told["rows"]) == ("s.t_02", "s.t", "at", 28)
    assert told["lower"] == "2026-02-01 00:00:00+00"
    assert "PRIMARY KEY (id, at)" in told["definition"]
    assert "CREATE INDEX" in told["definition"]
    group = file.metadata.row_group(0)
    assert {group.column(place).compression for place in range(group.num_columns)} == {"ZSTD"}
    assert group.column(1).statistics.has_min_max
    # A definition is one that PostgreSQL takes.
    database.sql("DROP TABLE s.t CASCADE", told["definition"])
    assert database.sql("SELECT count(*) FROM s.t_02") == [(0,)]


# Every type

EVERY = {
    "i2": ("smallint", ["-32768", "0", "32767"]),
    "i8": ("bigint", ["-9223372036854775808", "9223372036854775807"]),
    "f4": ("real", ["NaN", "Infinity", "-Infinity", "-0", "0.1", "1e-45", "3.4028235e38"]),
    "f8": ("float8", ["NaN", "Infinity", "-0", "0.1", "5e-324", "1.7976931348623157e308"]),
    "n": ("numeric", ["NaN", "1.10", "1.1", "0.000000000000000000001", "-1e100", "12345678901234567890123456789.5"]),
    "ni": ("numeric", ["Infinity", "-Infinity", "0.00", "-0.5", "9" * 200 + "." + "1" * 200]),
    "nb": ("numeric(60,20)", ["1234567890123456789012345678901234567890.12345678901234567890", "NaN"]),
    "n2": ("numeric(12,4)", ["1.1", "-99999999.9999", "0"]),
    "n3": ("numeric(38,10)", ["9999999999999999999999999999.9999999999", "NaN"]),
    "b": ("boolean", ["true", "false"]),
    "tx": ("text", ["", " ", "\\N", "\\.", "a\n\\.\nb", 'say "x", y', "ก\tข\r\nค\\", "NULL", "𝔘"]),
    "vc": ("varchar(9)", ["", "a ", "ภาษาไทย"]),
    "c": ("char(5)", ["", "ab", "ab   ", "ก"]),
    "bp": ("bpchar", ["ab   ", "ab"]),
    "qc": ('"char"', ["z", "", "\\303"]),
    "nm": ("name", ["x", "Odd name"]),
    "by": ("bytea", ["\\x", "\\x00", "\\x00ff5c7c0a"]),
    "u": ("uuid", ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "00000000-0000-0000-0000-000000000000"]),
    "d": ("date", ["2026-01-31", "0001-01-01", "9999-12-31", "infinity", "0044-03-15 BC", "5874897-12-31"]),
    "ts": ("timestamp", ["2026-01-31 12:00:00.000001", "-infinity", "9999-12-31 23:59:59.999999", "294276-12-31"]),
    "tz": ("timestamptz", ["2026-01-31 12:00:00.123456+07", "infinity", "4713-01-01 BC", "10000-01-01", "0001-01-01"]),
    "ti": ("time", ["24:00", "00:00:00.000001"]),
    "tt": ("timetz", ["10:00+07", "24:00-15:59"]),
    "iv": ("interval", ["1 mon -2 days 03:00:00.000001", "-1 year", "0"]),
    "j": ("json", ['{"a" : 1, "a":2}', "null", '"\\u0e01"']),
    "jb": ("jsonb", ['{"a": [1, null, "ก"]}', "null", "1.10"]),
    "jp": ("jsonpath", ['$."a"[*] ? (@ > 1)']),
    "ai": ("int[]", ["{}", "{1,NULL}", "{{1,2},{3,4}}", "[0:1]={7,8}", "[-2:-1][3:4]={{1,NULL},{NULL,4}}", "{NULL}"]),
    "au": ("uuid[]", ["{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11,NULL}"]),
    "an": ("numeric(6,2)[]", ["{NaN,1.10,NULL}"]),
    "ae": ('s."Mood"[]', ['{sad,NULL,"So, so"}']),
    "at": ("text[]", ['{"",NULL,"NULL","a,b","x\\\\y","q\\"q"}', "{ก}"]),
    "ad": ("timestamptz[]", ["{infinity,2026-01-01}"]),
    "af": ("float8[]", ["{NaN,-0,0.1}"]),
    "ab": ("bytea[]", ['{"\\\\x00ff"}']),
    "mo": ("money", ["-12.34", "99999999.99"]),
    "ip": ("inet", ["10.0.0.1", "10.0.0.1/8", "::1"]),
    "ci": ("cidr", ["10.0.0.0/8"]),
    "ma": ("macaddr8", ["08:00:2b:01:02:03:04:05"]),
    "bi": ("bit(3)", ["101"]),
    "vb": ("varbit", ["", "1010"]),
    "r": ("int4range", ["empty", "[1,5)", "(,)"]),
    "tr": ("tstzrange", ["[2026-01-01,infinity)"]),
    "mr": ("int8multirange", ["{}", "{[1,2),[5,)}"]),
    "dr": ("daterange", ["[-infinity,infinity]", "(,2026-01-01)", "[0044-03-15 BC,2026-01-01)"]),
    "nr": ("nummultirange", ["{(-Infinity,1.10],[2.0,NaN]}"]),
    "cr": ("s.words", ['["a,b","c ""d""")', "empty"]),
    "cm": ("s.words_multi[]", ['{"{[a,b),[c,d)}",NULL}']),
    "pt": ("point", ["(1,2)", "(0.1,-0)"]),
    "bx": ("box", ["(1,2),(3,4)"]),
    "pa": ("path", ["[(0,0),(1,1)]", "((0,0),(1,1))"]),
    "ci2": ("circle", ["<(0,0),1.5>"]),
    "tv": ("tsvector", ["'a':1A 'ก':2"]),
    "tq": ("tsquery", ["'a' & !'b'"]),
    "ls": ("pg_lsn", ["16/B374D848"]),
    "li": ("line", ["{1,-2,3.5}"]),
    "lg": ("lseg", ["[(1,2),(3,4)]"]),
    "po": ("polygon", ["((0,0),(1,1),(1e300,-0))"]),
    "m6": ("macaddr", ["08:00:2b:01:02:03"]),
    "x8": ("xid8", ["18446744073709551615"]),
    "td": ("tid", ["(4294967295,65535)"]),
    "sn": ("pg_snapshot", ["10:20:10,14,15"]),
    "ov": ("oidvector", ["1 2 4294967295"]),
    "bn": ("bit", ["1"]),
    "rc": ("regclass", ["pg_class"]),
    "oi": ("oid", ["4294967295"]),
    "en": ('s."Mood"', ["sad", "So, so"]),
    "dm": ("s.positive", ["1"]),
    "de": ("s.mood_d", ["sad"]),
    "di": ("s.ints", ["{1,2}"]),
    "co": ("s.pair", ['(1,"x,)")', "(,)", '(1,"")']),
    "ca": ("s.pair[]", ['{"(1,a)",NULL}']),
    "cn": ("s.nested", ['("(1,x)","{1,NULL}",infinity,"{""a"": 1}")', "(,,,)"]),
    "dn": ("s.price", ["1.10", "99999.99"]),
    "dd": ("s.dearer", ["7.5"]),
    "dt": ("s.moment", ["infinity", "0044-03-15 12:00:00+00 BC", "2026-01-01 00:00:00.000001+07"]),
    "odd": ("text", ["x"]),
}
TYPES = (
    "CREATE SCHEMA s",
    """CREATE TYPE s."Mood" AS ENUM ('sad', 'So, so')""",
    "CREATE DOMAIN s.positive AS int CHECK (value > 0)",
    'CREATE DOMAIN s.mood_d AS s."Mood"',
    "CREATE DOMAIN s.ints AS int[]",
    "CREATE TYPE s.pair AS (a int, b text)",
    "CREATE TYPE s.nested AS (p s.pair, i int[], d date, j jsonb)",
    "CREATE DOMAIN s.price AS numeric(7,2)",
    "CREATE DOMAIN s.dearer AS s.price CHECK (value > 5)",
    "CREATE DOMAIN s.moment AS timestamptz(6)",
    "CREATE TYPE s.words AS RANGE (subtype = text, multirange_type_name = s.words_multi)",
)
ODD = 'Odd "น".\\'


def every(database: Database) -> dict[str, tuple[str, list[str]]]:
    """Those that this server has."""
    version = database.connect().info.server_version
    more: dict[str, tuple[str, list[str]]] = {}
    if version >= 150000:
        more |= {"ng": ("numeric(3,-2)", ["99900", "NaN"]), "nf": ("numeric(2,5)", ["0.00099"])}
    if version >= 170000:
        more["ii"] = ("interval", ["infinity", "-infinity"])
    if database.sql("SELECT count(*) FROM pg_proc WHERE proname = 'xmlcomment'") != [(0,)]:
        try:
            database.sql("SELECT '<a/>'::xml")
            more["xm"] = ("xml", ["<a b='1'>ก</a>", "text and <b/>", ""])
        except psycopg.errors.FeatureNotSupported:  # built without libxml
            pass
    for extension, type_, values in (
        ("citext", "citext", ["Aa", "ก"]),
        ("hstore", "hstore", ['"a"=>NULL, "b"=>"\\"c"']),
        ("ltree", "ltree", ["a.b.c"]),
    ):
        if database.sql(f"SELECT count(*) FROM pg_available_extensions WHERE name = '{extension}'") != [(0,)]:
            database.sql(f"CREATE EXTENSION {extension} SCHEMA s")
            more[extension] = (f"s.{type_}", values)
    return EVERY | more


def quoted(name: str) -> str:
    return '"' + (ODD if name == "odd" else name).replace('"', '""') + '"'


def no_attach(*_: object) -> Plan:
    raise AssertionError("it stays beside")


def round_trip(database: Database, table: str, folder: Path, forms: tuple[str, ...] = ("parquet", "copy")) -> None:
    """Out and back into a table beside, which PostgreSQL itself cannot tell from the first."""
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


@pytest.mark.exhaustive
@pytest.mark.parametrize("fits", [True, False])
def test_every_type_comes_back_as_it_was(database: Database, tmp_path: Path, fits: bool) -> None:
    """Once with the values that Arrow has no place for, and once without: then they are stored as what they are."""
    beyond = {"d": 3, "ts": 1, "tz": 1, "n3": 1}
    database.sql(*TYPES)
    types = every(database)
    database.sql(f"CREATE TABLE s.t ({', '.join(f'{quoted(n)} {type_}' for n, (type_, _) in types.items())})")
    for name, (type_, values) in types.items():
        for value in values[: beyond.get(name)] if fits and name != "ts" else values[:1] if fits else values:
            database.sql(f"INSERT INTO s.t ({quoted(name)}) VALUES ($x${value}$x$::{type_})")
    database.sql("INSERT INTO s.t DEFAULT VALUES", "SET DateStyle = 'German'; SET TimeZone = 'Asia/Bangkok'")
    database.sql(
        f"ALTER DATABASE {database.sql('SELECT quote_ident(current_database())')[0][0]} SET DateStyle = German"
    )
    round_trip(database, "t", tmp_path)
    file = export(database.sqlalchemy(), QualifiedName("s", "t"), Store(str(tmp_path)), "parquet", QUICK, print)
    stored = {name: how for name, _, how, _ in file.columns}
    assert [stored[name] for name in ("i2", "tx", "u", "by", "n2")] == [
        "int16",
        "text",
        "uuid",
        "bytes",
        "decimal(12,4)",
    ]
    exact = [stored[name] for name in ("d", "ts", "tz", "n3")]
    assert exact == (["date", "timestamp", "timestamptz", "decimal(38,10)"] if fits else ["postgresql text"] * 4)
    assert stored["n"] == stored["iv"] == stored["c"] == "postgresql text"


ANY = {
    "bigint": st.integers(-(2**63), 2**63 - 1).map(str),
    "real": st.floats(width=32).map(str),
    "float8": st.floats().map(str),
    "numeric": st.decimals(allow_infinity=False).map(lambda d: "NaN" if d.is_nan() else f"{d:f}"[:900]),
    "numeric(20,6)": st.decimals(min_value=-(10**13), max_value=10**13, places=6).map(str),
    "text": st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    "text[]": st.lists(st.text('ab,"\\{} \nก')),
    "jsonb": st.dictionaries(st.text('ก"\\'), st.integers()).map(json.dumps),
    "bytea": st.binary().map(lambda b: "\\x" + b.hex()),
    "date": st.dates().map(str),
    "timestamptz": st.datetimes().map(lambda d: f"{d.isoformat()}+00"),
    "interval": st.timedeltas().map(lambda t: f"{t.days} days {t.seconds} seconds {t.microseconds} microseconds"),
    "boolean": st.booleans().map(str),
    "uuid": st.uuids().map(str),
    "char(4)": st.text("ab ", max_size=4),
    "date[]": st.lists(st.dates().map(str) | st.sampled_from(["infinity", "-infinity", "0044-03-15 BC"])),
    "timestamp": st.datetimes().map(str) | st.sampled_from(["infinity", "-infinity", "0044-03-15 BC", "10000-01-01"]),
    "numeric(45,5)": st.decimals(min_value=-(10**39), max_value=10**39, places=5).map(str) | st.just("NaN"),
    "numeric(38,0)": st.integers(-(10**38) + 1, 10**38 - 1).map(str) | st.just("NaN"),
    "int4multirange": st.lists(st.tuples(st.integers(-9, 9), st.integers(0, 9))).map(
        lambda ends: "{" + ",".join(f"[{low},{low + more}]" for low, more in ends) + "}"
    ),
    "int[]": st.tuples(st.integers(-5, 5), st.lists(st.sampled_from(["NULL", "7", "-9"]), min_size=1)).map(
        lambda pair: f"[{pair[0]}:{pair[0] + len(pair[1]) - 1}]={{{','.join(pair[1])}}}"
    ),
    "varbit": st.text("01"),
    "inet": st.ip_addresses().map(str),
    "money": st.integers(-(10**15), 10**15).map(lambda cents: f"{cents / 100:.2f}"),
}


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], list[list[Any]]]:
    types = draw(st.lists(st.sampled_from(sorted(ANY)), min_size=1, max_size=6))
    row = st.tuples(*(st.none() | ANY[type_] for type_ in types)).map(list)
    return types, draw(st.lists(row, max_size=12))


def test_what_a_table_makes_of_itself(database: Database, tmp_path: Path) -> None:
    """Identity, generated and dropped columns, defaults, checks and NOT NULL: beside, and merged into the table."""
    database.sql(
        "CREATE SCHEMA s",
        "CREATE SEQUENCE s.own",
        "CREATE TABLE s.t (gone int, id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, also_gone text, "
        "by_default bigint GENERATED BY DEFAULT AS IDENTITY, n int NOT NULL CHECK (n > 0) DEFAULT nextval('s.own'), "
        "made text GENERATED ALWAYS AS (n || '!') STORED, late numeric(9,2) DEFAULT 1.50)",
        "INSERT INTO s.t (n) SELECT generate_series(1, 5)",
        "ALTER TABLE s.t DROP gone, DROP also_gone",
        "ALTER TABLE s.t ADD added date DEFAULT '2026-01-01'",  # which no row of before holds
    )
    round_trip(database, "t", tmp_path)
    before = everything(database)
    for form in ("parquet", "copy"):
        assert shell(database, "archive", "export", "s.t", "--to", str(tmp_path), "--as", form).returncode == 0
        database.sql("DELETE FROM s.t WHERE id IN (2, 4)")
        done = shell(database, "archive", "import", str(tmp_path / f"s.t.{form}"))
        assert done.returncode == 0, done.stderr
        assert "2 rows inserted into s.t, 3 were there already" in done.stdout
        assert everything(database) == before
    assert database.sql("SELECT nextval('s.own'), nextval(pg_get_serial_sequence('s.t', 'id'))") == [(1, 6)]


@pytest.mark.deep
def test_random_tables_come_back_as_they_were(database: Database, tmp_path: Path) -> None:
    database.sql("CREATE SCHEMA s")
    connection = database.connect()

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(tables())
    def holds(table: tuple[list[str], list[list[Any]]]) -> None:
        types, rows = table
        columns = ", ".join(f"c{place} {type_}" for place, type_ in enumerate(types))
        connection.execute(f"DROP TABLE IF EXISTS s.t; CREATE TABLE s.t ({columns})".encode())
        places = ", ".join(f"%s::{type_}" for type_ in types)
        for row in rows:
            connection.execute(f"INSERT INTO s.t VALUES ({places})".encode(), row)
        round_trip(database, "t", tmp_path)

    holds()


# What is refused


def test_a_tampered_or_truncated_file_is_refused(database: Database, tmp_path: Path) -> None:
    build(database)
    for form in ("parquet", "copy"):
        assert shell(database, "archive", "export", "s.t_01", "--to", str(tmp_path), "--as", form).returncode == 0
        path = tmp_path / f"s.t_01.{form}"
        whole = path.read_bytes()
        for wrong, word in (
            (whole[:-9], "truncated"),
            (whole.replace("คำ 1\n".encode(), "คำ 7\n".encode()), "changed"),
        ):
            if wrong == whole:
                continue
            path.write_bytes(wrong)
            refused = shell(database, "archive", "import", str(path), "--beside", "s.b")
            assert refused.returncode == 3
            assert f"s.t_01.{form} was {word}" in refused.stderr
            assert f"s.t_01.{form} was {word}" in shell(database, "archive", "files", "--verify").stderr
            assert f"s.t_01.{form} was {word}" in shell(database, "archive", "verify", "--files").stderr
        path.write_bytes(whole)
        assert shell(database, "archive", "files", "--verify").returncode == 0
        # A database that has never heard of it takes the file's own word, and still finds out.
        database.sql("DELETE FROM schema_kit.archive_file")
        middle = whole.replace("คำ 1\n".encode(), "คำ 7\n".encode()) if form == "copy" else whole[:-9]
        path.write_bytes(middle)
        refused = shell(database, "archive", "import", str(path), "--beside", "s.b")
        assert refused.returncode == 3
        assert "other values in word" in refused.stderr or "damaged" in refused.stderr
        path.write_bytes(whole)
        assert shell(database, "archive", "import", str(path), "--beside", "s.b").returncode == 0
        database.sql("DROP TABLE s.b")
    assert database.sql("SELECT count(*) FROM s.t") == [(90,)]


def test_a_table_that_has_changed_is_refused_and_the_columns_are_named(database: Database, tmp_path: Path) -> None:
    build(database)
    assert shell(database, "archive", "export", "s.t_01", "--to", str(tmp_path), "--drop", "--yes").returncode == 0
    database.sql("ALTER TABLE s.t ADD more int, DROP r CASCADE, ALTER word TYPE varchar(50)")
    refused = shell(database, "archive", "import", "--manifest", "s.t")
    assert refused.returncode == 3
    for words in (
        "r (integer) is in the file alone",
        "more (integer) is in the table alone",
        "word is text in the file",
    ):
        assert words in refused.stderr
    assert shell(database, "archive", "import", "--manifest", "s.t", "--beside", "s.old").returncode == 0
    assert database.sql("SELECT count(*), sum(twice) FROM s.old") == [(31, 62)]
    assert places(database) == [("s.t_01", False, False)]


def test_rows_that_are_there_are_skipped_and_others_of_the_same_key_refused(database: Database, tmp_path: Path) -> None:
    before = everything(build(database))
    assert shell(database, "archive", "export", "s.t_01", "--to", str(tmp_path)).returncode == 0
    file = str(tmp_path / "s.t_01.parquet")
    database.sql("DELETE FROM s.t WHERE id IN (3, 4, 5)")
    done = shell(database, "archive", "import", file)
    assert done.returncode == 0, done.stderr
    assert "3 rows inserted into s.t, 28 were there already" in done.stdout
    assert everything(database) == before
    database.sql("UPDATE s.t SET word = 'other' WHERE id = 7", "DELETE FROM s.t WHERE id = 9")
    refused = shell(database, "archive", "import", file)
    assert refused.returncode == 1
    assert "(id, at) = (7, 2026-01-07 00:00:00+00)" in refused.stderr
    assert "Nothing was inserted" in refused.stderr
    assert len(everything(database)) == 89
    assert database.sql("SELECT count(*) FROM s.t_01__restored") == [(31,)]


def test_a_plain_table_without_a_key(database: Database, tmp_path: Path) -> None:
    database.sql("CREATE SCHEMA s", "CREATE TABLE s.p (a int, b json)", "INSERT INTO s.p VALUES (1, '{}'), (1, '{}')")
    assert shell(database, "archive", "export", "s.p", "--to", str(tmp_path)).returncode == 0
    file = str(tmp_path / "s.p.parquet")
    assert "0 rows inserted into s.p, 2 were there already" in shell(database, "archive", "import", file).stdout
    database.sql("TRUNCATE s.p")
    assert "2 rows inserted into s.p" in shell(database, "archive", "import", file).stdout
    database.sql("DELETE FROM s.p WHERE ctid = '(0,1)'")
    refused = shell(database, "archive", "import", file)
    assert refused.returncode == 1
    assert "has no primary key" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["export", "s.none", "--to", "{}"], 3, "there is no table s.none"),
        (["export", "s.t_01", "--to", "{}/none"], 2, "there is no folder"),
        (["export", "s.t_01", "--to", "nothing://x"], 2, "is not a destination"),
        (["export", "s.t_01", "--to", "{}", "--drop"], 2, "add --yes"),
        (["export", "s.r", "--to", "{}", "--drop", "--yes"], 3, "does not know it as one that was detached"),
        (["export", "s.t_01", "--to", "{}", "--since", "2026-01-01"], 3, "is not partitioned by RANGE"),
        (["import"], 2, "name files, or --manifest"),
        (["import", "{}/x.parquet"], 1, "No such file"),
        (["import", "{}/x.txt"], 3, "is not a file of an archive"),
    ],
)
def test_what_it_cannot_do_is_said_in_a_sentence(
    database: Database, tmp_path: Path, arguments: list[str], code: int, words: str
) -> None:
    before = everything(build(database))
    done = shell(database, "archive", *(argument.format(tmp_path) for argument in arguments))
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert everything(database) == before
    assert not list(tmp_path.iterdir())


def test_a_name_with_other_content_is_left_alone(database: Database, tmp_path: Path) -> None:
    build(database)
    path = tmp_path / "s.t_01.parquet"
    path.write_bytes(b"somebody else's")
    refused = shell(database, "archive", "export", "s.t_01", "--to", str(tmp_path), "--drop", "--yes")
    assert refused.returncode == 3
    assert "damaged or no Parquet file" in refused.stderr
    assert path.read_bytes() == b"somebody else's"
    path.unlink()
    assert shell(database, "archive", "export", "s.t_01", "--to", str(tmp_path)).returncode == 0
    written = path.read_bytes()
    database.sql("UPDATE s.t SET word = 'new' WHERE id = 1")
    refused = shell(database, "archive", "export", "s.t_01", "--to", str(tmp_path), "--drop", "--yes")
    assert refused.returncode == 1, "it was detached before"
    assert "exists already and has other values in word" in refused.stderr
    assert path.read_bytes() == written
    assert database.sql("SELECT count(*) FROM s.t_01") == [(31,)]


def test_odd_names(database: Database, tmp_path: Path) -> None:
    name = 'o/d.d "น" %s' + "ข" * 10
    assert file_name("a/b%c.น") == "a%2Fb%25c.น"
    own = '"S.ค"."' + name.replace('"', '""') + '"'
    database.sql('CREATE SCHEMA "S.ค"', f'CREATE TABLE {own} ("a""b" int PRIMARY KEY)', f"INSERT INTO {own} VALUES (1)")
    done = shell(database, "archive", "export", own, "--to", str(tmp_path))
    assert done.returncode == 0, done.stderr
    into = shell(database, "archive", "import", str(next(tmp_path.iterdir())))
    assert into.returncode == 0, into.stderr
    assert "1 were there already" in into.stdout


def test_no_rights_and_a_table_that_hides_rows(database: Database, tmp_path: Path) -> None:
    build(database)
    role = "sk_files_reader"
    database.sql(f"DROP ROLE IF EXISTS {role}", f"CREATE ROLE {role} LOGIN", f"GRANT USAGE ON SCHEMA s TO {role}")
    try:
        url = database.url.replace("postgres@", f"{role}@")
        own = Database(url, database.stack)
        refused = shell(own, "archive", "export", "s.t_01", "--to", str(tmp_path))
        assert refused.returncode == 3
        assert f"GRANT SELECT ON s.t_01 TO {role}" in refused.stderr
        database.sql(
            f"GRANT SELECT ON s.t_01 TO {role}",
            "ALTER TABLE s.t_01 ENABLE ROW LEVEL SECURITY",
            f"GRANT CREATE ON DATABASE {database.sql('SELECT quote_ident(current_database())')[0][0]} TO {role}",
        )
        refused = shell(own, "archive", "export", "s.t_01", "--to", str(tmp_path))
        assert refused.returncode == 3, "before a table of its own is made"
        assert f"row security of s.t_01 hides rows from {role}" in refused.stderr
        assert not list(tmp_path.iterdir())
    finally:
        database.sql(f"DROP OWNED BY {role} CASCADE", f"DROP ROLE {role}")


@pytest.fixture
def memory() -> Iterator[Store]:
    store = Store("memory://archive")
    yield store
    fsspec.filesystem("memory").store.clear()


def test_another_store(database: Database, memory: Store) -> None:
    before = everything(build(database))
    connection = database.sqlalchemy()
    file = export(connection, T1, memory, "parquet", QUICK, print)
    assert file.url == "memory:///archive/s.t_01.parquet"
    assert not memory.local
    assert fsspec.filesystem("memory").ls("/archive", detail=False) == ["/archive/s.t_01.parquet"]
    done = back(database, memory, "s.t_01.parquet")
    assert (done.rows, done.skipped) == (0, 31)
    assert everything(database) == before
    assert file_in(database) == [("memory:///archive/s.t_01.parquet",)]


def test_what_stands_in_the_way_of_the_drop_is_said_before_anything_is_done(database: Database, tmp_path: Path) -> None:
    build(database)
    database.sql("CREATE VIEW s.v AS SELECT * FROM s.t_01")
    refused = shell(database, "archive", "export", "s.t_01", "--to", str(tmp_path), "--drop", "--yes")
    assert refused.returncode == 3
    assert "s.v" in refused.stderr
    assert not list(tmp_path.iterdir())
    assert database.sql("SELECT relispartition FROM pg_class WHERE oid = 's.t_01'::regclass") == [(True,)]


def test_two_at_a_time_do_not_take_the_file_from_each_other(database: Database, tmp_path: Path) -> None:
    build(database)
    other = database.connect()
    url = Store(str(tmp_path)).url("s.t_01.parquet")
    other.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [f"schema_kit: file {url}"])
    refused = shell(database, "archive", "export", "s.t_01", "--to", str(tmp_path))
    assert refused.returncode == 3
    assert "another run is at" in refused.stderr
    assert not list(tmp_path.iterdir())


def test_a_partition_that_has_partitions_is_one_file(database: Database, tmp_path: Path) -> None:
    database.sql(
        "CREATE SCHEMA s",
        "CREATE TABLE s.t (a int, b text) PARTITION BY RANGE (a)",
        "CREATE TABLE s.t_1 PARTITION OF s.t FOR VALUES FROM (0) TO (10) PARTITION BY LIST (b)",
        "CREATE TABLE s.t_1x PARTITION OF s.t_1 FOR VALUES IN ('x')",
        "CREATE TABLE s.t_1d PARTITION OF s.t_1 DEFAULT",
        "INSERT INTO s.t SELECT i, CASE WHEN i < 3 THEN 'x' END FROM generate_series(0, 9) i",
    )
    before = everything(database)
    assert shell(database, "archive", "export", "s.t", "--to", str(tmp_path), "--drop", "--yes").returncode == 0
    assert database.sql("SELECT count(*) FROM pg_class WHERE relname LIKE 't\\_1%'") == [(0,)]
    done = shell(database, "archive", "import", "--manifest", "s.t", "--since", "9", "--until", "12")
    assert done.returncode == 0, done.stderr
    assert everything(database) == before


def test_what_is_generated_when_it_is_read(database: Database, tmp_path: Path) -> None:
    if database.connect().info.server_version < 180000:
        pytest.skip("virtual columns are PostgreSQL 18's")
    database.sql(
        "CREATE SCHEMA s",
        "CREATE TABLE s.t (a int PRIMARY KEY, b int GENERATED ALWAYS AS (a * 2) VIRTUAL)",
        "INSERT INTO s.t VALUES (1), (2)",
    )
    for form in ("parquet", "copy"):
        assert shell(database, "archive", "export", "s.t", "--to", str(tmp_path), "--as", form).returncode == 0
        database.sql("DELETE FROM s.t WHERE a = 1")
        done = shell(database, "archive", "import", str(tmp_path / f"s.t.{form}"))
        assert done.returncode == 0, done.stderr
        assert everything(database) == [("(1,2)",), ("(2,4)",)]
    database.sql("DELETE FROM s.t", "ALTER TABLE s.t ALTER b SET EXPRESSION AS (a * 3)")
    refused = shell(database, "archive", "import", str(tmp_path / "s.t.parquet"))
    assert refused.returncode == 1
    assert "other values in b" in refused.stderr
    assert database.sql("SELECT count(*) FROM pg_class WHERE relname LIKE '%restored%'") == [(0,)]


@pytest.mark.exhaustive
def test_a_long_export_outlives_a_limit_of_transactions(database: Database) -> None:
    """The server waits for who writes the file; a limit of the database would end it in the middle."""
    if database.connect().info.server_version < 170000:
        pytest.skip("transaction_timeout is of 17 on")
    database.sql(
        "CREATE SCHEMA s",
        "CREATE TABLE s.t AS SELECT i, repeat(md5(i::text), 30) FROM generate_series(1, 30000) i",
        f"ALTER DATABASE {database.sql('SELECT quote_ident(current_database())')[0][0]} SET transaction_timeout = '3s'",
    )
    name = QualifiedName("s", "t")
    with snapshot(database.sqlalchemy(), "LOCK TABLE s.t IN ACCESS SHARE MODE") as taken:
        source = read_table(taken.held, name)
        assert source
        batches = taken.arrow(name, source.columns)
        count = len(next(batches)[0])
        assert count < 30000, "the rest is on its way"
        time.sleep(4)
        assert count + sum(len(arrays[0]) for arrays in batches) == 30000


@pytest.mark.deep
def test_memory_stays_bounded(database: Database, tmp_path: Path) -> None:
    """Rows of 20 KB that do not compress: three times as many need hardly more memory."""
    database.sql(
        "CREATE SCHEMA s",
        "CREATE TABLE s.t (a int, b text)",
        "INSERT INTO s.t SELECT i, (SELECT string_agg(md5((i * j)::text), '') FROM generate_series(1, 625) j) "
        "FROM generate_series(1, 5000) i",
        "CREATE TABLE s.u AS SELECT * FROM s.t UNION ALL SELECT * FROM s.t UNION ALL SELECT * FROM s.t",
    )
    program = "import resource, sys\nfrom schema_kit.cli import main\ntry:\n    main()\nfinally:\n"
    program += "    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    most = []
    for table in ("s.t", "s.u"):
        arguments = command(database, "archive", "export", table, "--to", str(tmp_path))[3:]
        done = subprocess.run(
            [sys.executable, "-c", program, *arguments],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
        )
        most.append(int(done.stdout.splitlines()[-1]))
    assert most[1] < most[0] + 150_000, "kilobytes; 200 MB more of rows"


# Interrupted


PHASES = ["write", "digest", "batches", "publish", "RecordFile", "DropPartition", "COMMIT"]
KILLER = """
import os, signal, sys
from schema_kit import execute
from schema_kit.files import export, formats, store
phase, after = sys.argv.pop(1), sys.argv.pop(1) == "after"

def dies(owner, name, here=lambda *a: True):
    own = getattr(owner, name)
    def replaced(*a, **k):
        if not after and here(*a): os.kill(os.getpid(), signal.SIGKILL)
        found = own(*a, **k)
        if after and here(*a): os.kill(os.getpid(), signal.SIGKILL)
        return found
    setattr(owner, name, replaced)

if phase == "write": dies(formats._ParquetWriter, "write")
elif phase == "batches": dies(formats.Parquet, "batches")
elif phase in ("digest", "publish"): dies(store.Store, phase)
elif phase == "COMMIT": dies(export, "send", lambda connection, sql: sql == "COMMIT")
else:
    what = {"RecordFile": "INSERT INTO \\"schema_kit\\".\\"archive_file\\"", "DropPartition": "DROP TABLE"}[phase]
    for name in ("send", "send_together"): dies(execute, name, lambda connection, sql: what in str(sql))
from schema_kit.cli import main
main()
"""


@pytest.mark.exhaustive
@pytest.mark.parametrize("when", longer(["before", "after"], "before", mark=pytest.mark.deep))
@pytest.mark.parametrize("phase", PHASES)
def test_killed_at_each_phase(database: Database, tmp_path: Path, phase: str, when: str) -> None:
    before = everything(build(database))
    arguments = ["archive", "export", "s.t_01", "--to", str(tmp_path), "--drop", "--yes", "--url", database.url]
    killed = subprocess.run(
        [sys.executable, "-c", KILLER, phase, when, *arguments], cwd=ROOT, capture_output=True, check=False, timeout=60
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    gone = phase == "COMMIT" and when == "after"
    for _ in range(100):  # the server notices a moment later
        if database.sql("SELECT count(*) FROM pg_locks WHERE relation = to_regclass('s.t_01')") == [(0,)]:
            break
        time.sleep(0.05)
    there = database.sql("SELECT to_regclass('s.t_01') IS NOT NULL")[0][0]
    assert there is not gone
    if gone:
        assert places(database) == [("s.t_01", True, False)]
        assert shell(database, "archive", "import", "--manifest", "s.t").returncode == 0
        assert everything(database) == before
    else:
        assert database.sql("SELECT count(*) FROM s.t_01") == [(31,)]
        assert database.sql("SELECT count(*) FROM schema_kit.archive_file WHERE dropped_at IS NOT NULL") == [(0,)]
        one_place(database, tmp_path, before)


@pytest.mark.exhaustive
@pytest.mark.parametrize("table", ["COPY", "INSERT", "ATTACH PARTITION", "UPDATE"])
def test_an_import_that_is_cut_off_is_taken_up_again(database: Database, tmp_path: Path, table: str) -> None:
    before = everything(build(database))
    assert shell(database, "archive", "export", "s.t_01", "--to", str(tmp_path), "--drop", "--yes").returncode == 0
    if table == "INSERT":
        database.sql("CREATE TABLE s.t_01 PARTITION OF s.t FOR VALUES FROM ('2026-01-01+00') TO ('2026-02-01+00')")
    script = (
        "import os, signal, sys\nfrom schema_kit import execute\nfrom schema_kit.files import restore\n"
        "what = sys.argv.pop(1)\n"
        "def dies(owner, name):\n"
        "    own = getattr(owner, name)\n"
        "    def replaced(connection, sql, *a):\n"
        "        if what in str(sql): os.kill(os.getpid(), signal.SIGKILL)\n"
        "        return own(connection, sql, *a)\n"
        "    setattr(owner, name, replaced)\n"
        "if what == 'COPY':\n"
        "    restore._csv = lambda arrays: os.kill(os.getpid(), signal.SIGKILL)\n"
        "dies(execute, 'send')\ndies(execute, 'send_together')\n"
        "from schema_kit.cli import main\nmain()\n"
    )
    arguments = ["archive", "import", "--manifest", "s.t", "--url", database.url]
    killed = subprocess.run(
        [sys.executable, "-c", script, table, *arguments], cwd=ROOT, capture_output=True, check=False, timeout=60
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert places(database)[0][1], "the file still is the place"
    again = shell(database, "archive", "import", "--manifest", "s.t")
    assert again.returncode == 0, again.stderr
    assert everything(database) == before
    assert not places(database)[0][1]
    assert database.sql("SELECT count(*) FROM pg_class WHERE relname LIKE '%restored%'") == [(0,)]


def test_the_destination_goes_away_in_the_middle(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(database)
    folder = tmp_path / "gone"
    folder.mkdir()
    store = Store(str(folder))

    def digest(name: str) -> tuple[int, str]:
        shutil.rmtree(folder)
        return Store.digest(store, name)

    monkeypatch.setattr(store, "digest", digest)
    with pytest.raises(ExecutionError, match=r"cannot read .*s\.t_01\.parquet"):
        export(database.sqlalchemy(), T1, store, "parquet", QUICK, print)
    assert database.sql("SELECT count(*) FROM s.t_01") == [(31,)]
    assert file_in(database) == []


def test_what_is_read_back_is_compared(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that gives back something else than it was given."""
    build(database)
    store = Store(str(tmp_path))
    digest = Store.digest

    def rot(name: str) -> tuple[int, str]:
        path = tmp_path / name
        path.write_bytes(path.read_bytes().replace(b"\t1\t2\t", b"\t1\t3\t", 1))
        return digest(store, name)

    monkeypatch.setattr(store, "digest", rot)
    with pytest.raises(ExecutionError, match="is not what was written: read back, it has other values in twice"):
        export(database.sqlalchemy(), T1, store, "copy", QUICK, print)
    assert [path.name for path in tmp_path.iterdir()] in ([], ["s.t_01.copy.json"])
    assert file_in(database) == []


@pytest.mark.exhaustive
def test_the_server_goes_away(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = everything(build(database))
    store = Store(str(tmp_path))

    def ends(name: str) -> tuple[int, str]:
        database.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
            "AND datname = current_database()"
        )
        return Store.digest(store, name)

    database.sql("ALTER TABLE s.t DETACH PARTITION s.t_01")
    monkeypatch.setattr(store, "digest", ends)
    with pytest.raises((ExecutionError, PlanError)):
        export(database.sqlalchemy(), T1, store, "parquet", QUICK, print)
    assert database.sql("SELECT count(*) FROM s.t_01") == [(31,)]
    database.sql("ALTER TABLE s.t ATTACH PARTITION s.t_01 FOR VALUES FROM ('2026-01-01+00') TO ('2026-02-01+00')")
    one_place(database, tmp_path, before)


@pytest.mark.exhaustive
def test_writers_are_kept_out_of_what_is_dropped(database: Database, tmp_path: Path) -> None:
    build(database)
    assert shell(database, "archive", "export", "s.t_01", "--to", str(tmp_path), "--as", "copy").returncode == 0
    other = database.connect(autocommit=False)

    database.run(task(detach, QualifiedName("s", "t"), T1))
    other.execute("UPDATE s.t_01 SET word = 'late' WHERE id = 1")
    with pytest.raises(LockNotAvailable, match="blocked by"):
        export(database.sqlalchemy(), T1, Store(str(tmp_path)), "parquet", QUICK, print, drop=True)
    other.commit()
    file = export(database.sqlalchemy(), T1, Store(str(tmp_path)), "parquet", QUICK, print, drop=True)
    assert "late" in pq.read_table(tmp_path / "s.t_01.parquet")["word"].to_pylist()
    assert manifest.read(database.sqlalchemy())[1].sha256 == file.sha256
    assert places(database)[1] == ("s.t_01", True, False)


@pytest.mark.exhaustive
def test_a_reader_that_stays_keeps_the_table(database: Database, tmp_path: Path) -> None:
    build(database)

    database.run(task(detach, QualifiedName("s", "t"), T1))
    other = database.connect(autocommit=False)
    other.execute("SELECT count(*) FROM s.t_01")
    with pytest.raises(LockNotAvailable, match="blocked by"):
        export(database.sqlalchemy(), T1, Store(str(tmp_path)), "parquet", QUICK, print, drop=True)
    assert database.sql("SELECT count(*) FROM s.t_01") == [(31,)]
    other.rollback()
    export(database.sqlalchemy(), T1, Store(str(tmp_path)), "parquet", QUICK, print, drop=True)
    assert places(database) == [("s.t_01", True, False)]


def test_a_table_without_a_destination_scheme(tmp_path: Path) -> None:
    with pytest.raises(DeclarationError, match="there is no folder"):
        Store(str(tmp_path / "none"))
