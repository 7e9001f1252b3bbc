"""What is seen of random scripts is what a second, independent look sees: locks sampled, files, counters."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schema_kit.lint.facts import Statement
from schema_kit.lint.look import MODES
from schema_kit.lint.standstill import Standstill
from schema_kit.lint.watch import Watch

pytestmark = [pytest.mark.lint, pytest.mark.majors]

SCHEMA = """
CREATE TABLE a (id int PRIMARY KEY, x int, s varchar(10), n numeric DEFAULT 1);
CREATE TABLE b (id int PRIMARY KEY, x int REFERENCES a, s varchar(10));
CREATE TABLE c (id int, x int, s text) PARTITION BY RANGE (id);
CREATE TABLE c1 PARTITION OF c FOR VALUES FROM (0) TO (100);
CREATE TABLE c2 PARTITION OF c FOR VALUES FROM (100) TO (200);
CREATE INDEX ax ON a (x);
CREATE VIEW v AS SELECT id FROM b;
CREATE MATERIALIZED VIEW m AS SELECT id FROM b;
INSERT INTO a SELECT i, i, 'a' FROM generate_series(1, 9) i;
INSERT INTO b SELECT i, i, 'b' FROM generate_series(1, 9) i;
INSERT INTO c SELECT i, i, 'c' FROM generate_series(1, 199) i;
"""
DDL = (
    "CREATE INDEX ON {t} (x)",
    "CREATE UNIQUE INDEX ON {t} (id, x)",
    "ALTER TABLE {t} ADD COLUMN c{i} int",
    "ALTER TABLE {t} ADD COLUMN c{i} int DEFAULT 1 NOT NULL",
    "ALTER TABLE {t} ADD COLUMN c{i} uuid DEFAULT gen_random_uuid()",
    "ALTER TABLE {t} ADD CHECK (x > -{i})",
    "ALTER TABLE {t} ADD CONSTRAINT k{i} CHECK (x > -{i}) NOT VALID",
    "ALTER TABLE {t} ALTER x SET NOT NULL",
    "ALTER TABLE {t} ALTER x DROP NOT NULL",
    "ALTER TABLE {t} ALTER x TYPE bigint",
    "ALTER TABLE {t} ALTER s TYPE varchar({w})",
    "ALTER TABLE {t} ALTER s TYPE text",
    "ALTER TABLE {t} ADD FOREIGN KEY (x) REFERENCES a (id) NOT VALID",
    "ALTER TABLE b ADD FOREIGN KEY (x) REFERENCES a (id)",
    "ALTER TABLE {t} SET (fillfactor = {w})",
    "ALTER TABLE {t} RENAME COLUMN s TO s{i}",
    "ALTER TABLE {t} ALTER x SET DEFAULT {i}",
    "CREATE TABLE n{i} (id int REFERENCES a)",
    "CREATE TABLE n{i} PARTITION OF c FOR VALUES FROM ({i}000) TO ({i}500)",
    "CREATE TRIGGER g{i} BEFORE UPDATE ON {t} FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "COMMENT ON TABLE {t} IS 'c{i}'",
    "TRUNCATE c1",
    "REINDEX TABLE a",
    "REINDEX INDEX ax",
    "LOCK TABLE {t} IN SHARE MODE",
    "REFRESH MATERIALIZED VIEW m",
    "DROP INDEX IF EXISTS ax",
    "DO $$ BEGIN ALTER TABLE {t} ALTER x SET STATISTICS {w}; LOCK TABLE a IN EXCLUSIVE MODE; END $$",
    "UPDATE {t} SET x = x",
    "DELETE FROM {t} WHERE x = {i}",
    "INSERT INTO b VALUES (1000 + {i}, 1, 'n')",
    "ALTER TABLE c DETACH PARTITION c2",
    "CLUSTER a USING a_pkey",
)
RELATIONS = """
SELECT c.oid::bigint, n.nspname || '.' || c.relname, pg_relation_filenode(c.oid)::bigint, c.relkind::text
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'm', 'v')
"""
SCANS = "SELECT schemaname || '.' || relname, seq_scan FROM pg_stat_user_tables"
STRONG = [name for name, mode in MODES.items() if mode.blocks_writes]


def strongest(locks: list[tuple[str, str]]) -> dict[str, str]:
    found = dict[str, str]()
    for table, mode in locks:
        if mode in STRONG and STRONG.index(mode) >= STRONG.index(found.get(table, STRONG[0])):
            found[table] = mode
    return found


def seen(statements: list[Statement], views: set[str]) -> dict[str, str]:
    spelled = {mode: name for name, mode in MODES.items()}
    locks = [(str(held.table), spelled[held.mode]) for one in statements for held in one.locks]
    return strongest([(table, mode) for table, mode in locks if table not in views])


def statement(template: str, table: str, i: int, w: int) -> str:
    return template.format(t=table, i=i, w=w)


TABLES = ("a", "b", "c", "c1")


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.exhaustive) for seed in range(2, 25))])
def test_random_scripts(seed: int, target: str, tmp_path: Path) -> None:
    chance = random.Random(seed)
    script = [[statement(chance.choice(DDL), chance.choice(TABLES), i, chance.randint(11, 99))] for i in range(1, 26)]
    assert compared(target, script, tmp_path) > len(script) / 2


STATEMENTS = st.builds(statement, st.sampled_from(DDL), st.sampled_from(TABLES), st.integers(1, 9), st.integers(11, 99))


@pytest.mark.exhaustive
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(script=st.lists(st.lists(STATEMENTS, min_size=1, max_size=4, unique=True), min_size=1, max_size=4))
def test_any_script(script: list[list[str]], target: str, tmp_path: Path) -> None:
    with psycopg.connect(target, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    compared(target, script, tmp_path)


def compared(target: str, script: list[list[str]], tmp_path: Path) -> int:
    """Run transactions, and compare what was seen of each with a second look; how many have gone to their end."""
    watch, count = Watch(standstill=Standstill(target)), 0
    with psycopg.connect(target, autocommit=True) as other, psycopg.connect(target) as connection:
        other.execute(SCHEMA.encode())
        _flush(other)
        watch.attach(connection)
        pid = connection.info.backend_pid
        for statements in script:
            before = {oid: (name, file, kind) for oid, name, file, kind in other.execute(RELATIONS)}
            tables = {oid: name for oid, (name, _, kind) in before.items() if kind in "rp"}
            views = {name for name, _, kind in before.values() if kind in "vm"}
            _flush(connection)
            scans: dict[str, int] = dict(other.execute(SCANS).fetchall())
            watch.old = frozenset(before)
            watch.restart()
            with watch.during(str(tmp_path / "none.py")):
                try:
                    for sql in statements:
                        connection.execute(sql.encode())
                        assert seen(watch.statements, views) == strongest(_sampled(other, pid, tables)), statements
                except psycopg.Error:
                    connection.rollback()
                    continue
            connection.commit()
            count += 1
            after = {oid: file for oid, _, file, _ in other.execute(RELATIONS)}
            files = {name for oid, (name, file, _) in before.items() if file and after.get(oid, file) != file}
            changes = [change for one in watch.statements for change in one.changes]
            emptied = {str(change.table) for change in changes if change.kind == "emptied"}
            assert {str(table) for one in watch.statements for table in one.rewritten} | emptied == files, statements
            if _flush(connection):
                now: dict[str, int] = dict(other.execute(SCANS).fetchall())
                more = {name for name, _, _ in before.values() if now.get(name, 0) > scans.get(name, 0)}
                scanned = {str(table) for one in watch.statements for table in one.scanned}
                left_out = emptied | {str(row.table) for one in watch.statements for row in one.written}  # counted
                assert scanned - left_out == more - left_out, statements
    return count


def _flush(connection: psycopg.Connection[Any]) -> bool:
    """Have a session tell what it has counted; before 15 it does so when it pleases."""
    if connection.info.server_version < 150000:
        return False
    connection.execute("SELECT pg_stat_force_next_flush()")
    connection.commit()
    return True


def _sampled(other: psycopg.Connection[Any], pid: int, names: dict[int, str]) -> list[tuple[str, str]]:
    held = other.execute(
        "SELECT relation::bigint, mode FROM pg_locks WHERE pid = %s AND granted AND relation > 0", [pid]
    )
    return [(names[oid], mode) for oid, mode in held if oid in names]
