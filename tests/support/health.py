"""A database with a fault of each kind, on tables of each kind; and what `schema_kit health` says of it."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa

import schema_kit
from schema_kit import op
from tests.support.cli import shell
from tests.support.database import QUICK, Database

S = '"S.h"'
TREES = (
    f"CREATE SCHEMA {S}",
    f'CREATE TABLE {S}."Ro om" (id bigint PRIMARY KEY, "Na me" text, flag boolean, tags text[], seldom text)',
    f'CREATE TABLE {S}.kid (id bigint PRIMARY KEY, room bigint REFERENCES {S}."Ro om")',
    f'CREATE TABLE {S}."Ran ge" (id bigint, at date, v int, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)',
    *(
        f'CREATE TABLE {S}."r \'{n}" PARTITION OF {S}."Ran ge" FOR VALUES FROM (\'202{n}-01-01\') '
        f"TO ('202{n + 1}-01-01')"
        for n in range(3)
    ),
    f'CREATE TABLE {S}."Li,st" (id int, kind text, v int, PRIMARY KEY (id, kind)) PARTITION BY LIST (kind)',
    *(f'CREATE TABLE {S}."l""{n}" PARTITION OF {S}."Li,st" FOR VALUES IN (\'{n}\')' for n in "abc"),
    f"CREATE TABLE {S}.hash (id bigint PRIMARY KEY, v int, w int) PARTITION BY HASH (id)",
    *(f"CREATE TABLE {S}.hash_{n} PARTITION OF {S}.hash FOR VALUES WITH (MODULUS 2, REMAINDER {n})" for n in range(2)),
    f"CREATE TABLE {S}.sub (id bigint, at date, kind text, v int, PRIMARY KEY (id, at, kind)) PARTITION BY RANGE (at)",
    f"CREATE TABLE {S}.sub_a PARTITION OF {S}.sub FOR VALUES FROM ('2020-01-01') TO ('2021-01-01') "
    "PARTITION BY LIST (kind)",
    *(f"CREATE TABLE {S}.sub_{n} PARTITION OF {S}.sub_a FOR VALUES IN ('{n}')" for n in "xy"),
)
"""Tables of each kind, without a fault."""

_INVALID = "UPDATE pg_index SET indisvalid = false WHERE indexrelid = {}::regclass"

FAULTS: dict[tuple[str, str, str], tuple[str, ...]] = {
    ("index_duplicate", "Ro om", "n 1"): (
        f"INSERT INTO {S}.\"Ro om\" SELECT i, 'n' || i, i % 2 = 0, ARRAY['t' || i % 9000], NULL "
        "FROM generate_series(1, 60000) i",
        f'CREATE INDEX "n 1" ON {S}."Ro om" ("Na me")',
        f'CREATE INDEX "n 2" ON {S}."Ro om" ("Na me")',
    ),
    ("index_redundant", "Ro om", "n 2"): (f'CREATE INDEX "n,id" ON {S}."Ro om" ("Na me", id)',),
    ("index_boolean", "Ro om", "fl.ag"): (f'CREATE INDEX "fl.ag" ON {S}."Ro om" (flag)',),
    ("index_array", "Ro om", "tags"): (f'CREATE INDEX tags ON {S}."Ro om" (tags)',),
    ("index_null_heavy", "Ro om", "seldom"): (
        f'CREATE INDEX seldom ON {S}."Ro om" (seldom)',
        f'ANALYZE {S}."Ro om"',
    ),
    ("foreign_key_unindexed", "kid", "kid_room_fkey"): (),
    ("foreign_key_twice", "kid", "room again"): (
        f'ALTER TABLE {S}.kid ADD CONSTRAINT "room again" FOREIGN KEY (room) REFERENCES {S}."Ro om"',
    ),
    ("foreign_key_type_differs", "kid", "o ther"): (
        f'ALTER TABLE {S}.kid ADD "o ther" int REFERENCES {S}."Ro om"',
        f'CREATE INDEX ON {S}.kid ("o ther") WHERE "o ther" IS NOT NULL',
    ),
    ("constraint_not_valid", "kid", "po s"): (f'ALTER TABLE {S}.kid ADD CONSTRAINT "po s" CHECK (id > 0) NOT VALID',),
    ("foreign_key_disabled", "kid", ""): (f"ALTER TABLE {S}.kid DISABLE TRIGGER ALL",),
    ("trigger_disabled", "Ran ge", "t rig"): (
        f"CREATE FUNCTION {S}.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        f'CREATE TRIGGER "t rig" BEFORE INSERT ON {S}."Ran ge" FOR EACH ROW EXECUTE FUNCTION {S}.f()',
        f'ALTER TABLE {S}."Ran ge" DISABLE TRIGGER "t rig"',
        f'ALTER TABLE {S}."r \'1" DISABLE TRIGGER "t rig"',
    ),
    ("statistics_missing", "Ran ge", ""): (
        f"INSERT INTO {S}.\"Ran ge\" SELECT i, '2020-05-05', i FROM generate_series(1, 3000) i",
    ),
    ("index_on_partitions", "Li,st", "o wn"): (f'CREATE INDEX "o wn" ON {S}."l""b" (v DESC)',),
    ("sequence_near_end", "Li,st", "num bers"): (
        f'CREATE SEQUENCE {S}."num bers"',
        f'ALTER TABLE {S}."Li,st" ALTER v SET DEFAULT nextval(\'{S}."num bers"\')',
        f"SELECT setval('{S}.\"num bers\"', 2000000000)",
    ),
    ("autovacuum_off", "hash", ""): (f"ALTER TABLE {S}.hash_1 SET (autovacuum_enabled = off)",),
    ("dead_rows", "hash", ""): (
        f"INSERT INTO {S}.hash SELECT i, i FROM generate_series(1, 60000) i",
        f"ANALYZE {S}.hash",
        f"UPDATE {S}.hash SET v = v + 1",
    ),
    ("index_duplicate", "hash", "hash v 2"): (
        f'CREATE INDEX "hash v 2" ON {S}.hash (v) WITH (fillfactor = 70)',
        f'CREATE INDEX "hash v" ON {S}.hash (v)',
        f"CREATE INDEX hash_w_id ON {S}.hash (w, id)",
    ),
    ("index_invalid", "sub", "ha lf"): (f'CREATE INDEX "ha lf" ON ONLY {S}.sub (lower(kind) DESC, v) INCLUDE (at)',),
    ("index_invalid", "sub", "le af"): (
        f'CREATE INDEX "le af" ON {S}.sub (v) WHERE v > 0',
        *(_INVALID.format(f"'{S}.{name}'") for name in ("sub_x_v_idx", "sub_a_v_idx", '"le af"')),
    ),
    ("index_invalid", "no key", "bro ken"): (
        f'CREATE TABLE {S}."no key" (k bigint NOT NULL UNIQUE, v int)',
        f'CREATE INDEX "bro ken" ON {S}."no key" (v)',
        _INVALID.format(f"'{S}.\"bro ken\"'"),
    ),
    ("primary_key_missing", "no key", ""): (),
    ("replica_identity_missing", "no key", ""): (f'CREATE PUBLICATION "p ub" FOR TABLE {S}."no key"',),
    ("published_by_leaf", "Li,st", "by leaf"): (f'CREATE PUBLICATION "by leaf" FOR TABLE {S}."Li,st"',),
    ("statistics_stale", "sub", ""): (
        f"INSERT INTO {S}.sub SELECT i, '2020-05-05', 'x', i FROM generate_series(1, 900) i",
        f"ANALYZE {S}.sub",
        f"INSERT INTO {S}.sub SELECT i, '2020-06-05', 'y', i FROM generate_series(1, 1500) i",
        f"ANALYZE {S}.sub_y",
    ),
    ("table_unlogged", "un logged", ""): (f'CREATE UNLOGGED TABLE {S}."un logged" (id bigint PRIMARY KEY)',),
    ("extension_old", "", "pg_trgm"): ("CREATE EXTENSION pg_trgm VERSION '1.3'",),
}
"""What is planted, by code, table and object."""


def plant(database: Database) -> None:
    """Tables of each kind, and every fault."""
    database.sql(*TREES, *(statement for statements in FAULTS.values() for statement in statements))


def health(database: Database, *arguments: str) -> list[dict[str, Any]]:
    """The findings, without those of the test server's own settings; the exit code says the same."""
    done = shell(database, "health", "--format", "json", "--ignore", "setting_unsafe", *arguments)
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode in (0, 4), done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)["findings"]
    assert done.returncode == (4 if any(one["severity"] != "notice" for one in found) else 0), done.stderr
    return found


def keys(found: list[dict[str, Any]]) -> set[tuple[str, str, str]]:
    """Code, table and object of each; tables without their schema."""
    return {(one["code"], one["table"].removeprefix(f"{S}.").strip('"'), one["object"]) for one in found}


def repair(database: Database, finding: dict[str, Any]) -> None:
    """Do what it says: call the operation, or send the SQL."""
    if finding["operation"]:
        with schema_kit.operations(database.sqlalchemy(), policy=QUICK):
            exec(finding["operation"], {"op": op, "sa": sa})  # noqa: S102 - what a person would paste
    for statement in filter(None, finding["sql"].split(";")):
        database.sql(statement)
