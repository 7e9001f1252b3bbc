"""Tables of each kind with rows and indexes, statements on them, and what the planner of their own server says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import sqlalchemy as sa

from schema_kit.advise import production
from schema_kit.advise.planner import Planner
from schema_kit.advise.scratch import Scratch, scratch
from tests.support.database import Database

SECRET = "Zebra-4711"  # noqa: S105  it stands in rows, and must not be shown

TABLES = (
    "CREATE SCHEMA shop",
    """CREATE TABLE shop."Or der" (id bigint PRIMARY KEY, customer int NOT NULL, at timestamptz NOT NULL, state text,
       note text, data jsonb, paid boolean NOT NULL, seldom int)""",
    f"""INSERT INTO shop."Or der" SELECT i, hashint4(i) % 500,
        '2026-01-01 00:00+00'::timestamptz + i * interval '1 minute',
        (ARRAY['sent', 'sent', 'sent', 'new'])[1 + i % 4], '{SECRET} ' || i / 3,
        jsonb_build_object('kind', i % 7, 'who', '{SECRET}' || i % 50), i % 50 <> 0, CASE WHEN i % 20 = 0 THEN i END
        FROM generate_series(1, 20000) i""",
    'CREATE INDEX ON shop."Or der" (customer)',
    'CREATE INDEX of_state ON shop."Or der" (state, at DESC) INCLUDE (paid)',
    'CREATE INDEX ON shop."Or der" (lower(note))',
    'CREATE INDEX few ON shop."Or der" (at) WHERE NOT paid',
    'CREATE INDEX ON shop."Or der" USING gin (data jsonb_path_ops)',
    'CREATE INDEX ON shop."Or der" USING brin (at)',
    "CREATE TABLE shop.visit (id bigint, at date, customer int, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)",
    *(
        f"CREATE TABLE shop.visit_{n} PARTITION OF shop.visit FOR VALUES FROM ('2026-0{n}-01') TO ('2026-0{n + 1}-01')"
        for n in range(1, 5)
    ),
    "INSERT INTO shop.visit SELECT i, '2026-01-01'::date + i % 118, i % 300 FROM generate_series(1, 12000) i",
    "CREATE INDEX visits_of ON shop.visit (customer, at)",
    "CREATE TABLE shop.empty (id int PRIMARY KEY)",
    'VACUUM (ANALYZE) shop."Or der"',
    *(f"VACUUM (ANALYZE) shop.visit_{n}" for n in range(1, 5)),
    "ANALYZE shop.visit",
    "VACUUM (ANALYZE) shop.empty",
)

STATEMENTS = (
    'SELECT * FROM shop."Or der" WHERE id = 5',
    'SELECT * FROM shop."Or der" WHERE customer = 17',
    "SELECT * FROM shop.\"Or der\" WHERE customer = 17 AND state = 'new' ORDER BY at DESC LIMIT 5",
    "SELECT at, paid FROM shop.\"Or der\" WHERE state = 'new' ORDER BY at DESC LIMIT 20",
    'SELECT count(*) FROM shop."Or der" WHERE NOT paid',
    f"SELECT * FROM shop.\"Or der\" WHERE lower(note) = lower('{SECRET} 7')",
    'SELECT * FROM shop."Or der" WHERE data @> \'{"kind": 3}\'',
    "SELECT count(*) FROM shop.\"Or der\" WHERE at BETWEEN '2026-01-03' AND '2026-01-04'",
    'SELECT state, count(*), max(at) FROM shop."Or der" GROUP BY state',
    "SELECT * FROM shop.visit WHERE customer = 9 ORDER BY at DESC LIMIT 3",
    "SELECT count(*) FROM shop.visit WHERE at >= '2026-04-01'",
    'SELECT v.at, o.note FROM shop.visit v JOIN shop."Or der" o ON o.customer = v.customer WHERE v.id = 77',
    'UPDATE shop."Or der" SET paid = true WHERE customer = 3 AND NOT paid',
    "DELETE FROM shop.visit WHERE at < '2026-02-01'",
    "SELECT * FROM shop.empty ORDER BY id",
)


def read(database: Database) -> production.Production:
    """What production is, of a test's database."""
    url = sa.make_url(database.url).set(drivername="postgresql+psycopg")
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        return production.read(connection)


@contextmanager
def copied(database: Database) -> Iterator[Scratch]:
    """A scratch of a test's database, whose files are not stretched yet."""
    with scratch(read(database)) as made:
        yield made


def planner(made: Scratch) -> Planner:
    """The planner of a scratch, with its files stretched."""
    made.stretch()
    return Planner(made)


def cost(database: Database, statement: str) -> float:
    """What the database's own planner says."""
    return float(tree(database, statement)["Total Cost"])


def tree(database: Database, statement: str) -> Any:
    """The plan of the database's own planner."""
    ((plans,),) = database.sql(f"EXPLAIN (FORMAT JSON) {statement}")
    return plans[0]["Plan"]


def version(database: Database) -> int:
    """The server's major version."""
    with psycopg.connect(database.url) as connection:
        return connection.info.server_version // 10000
