"""Archives in files hold values of every type."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from schema_kit.files.export import export
from schema_kit.files.store import Store
from schema_kit.names import QualifiedName
from tests.support.database import QUICK, Database
from tests.support.files import round_trip

pytestmark = [pytest.mark.files, pytest.mark.majors]

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
