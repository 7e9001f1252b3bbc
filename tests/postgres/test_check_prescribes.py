"""What `check` prescribes helps: a table for each code, what its sentence says typed, and nothing to do then."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest
import sqlalchemy as sa

import schema_kit
from schema_kit import execute, op
from schema_kit.catalog import Catalog
from schema_kit.execute import Event, StepDone
from schema_kit.model import Partitioning
from schema_kit.names import QualifiedName
from schema_kit.ops.operation import task
from schema_kit.plans.check import CODES
from schema_kit.plans.copied_table import Strategy
from schema_kit.script import LockPolicy
from schema_kit.steps import Plan
from schema_kit.steps.conversion import AddBound
from schema_kit.steps.copy_chunks import CopyChunk
from schema_kit.steps.copying import BeginCopy
from schema_kit.steps.unpartition import Unswap
from schema_kit.tasks import copying
from schema_kit.tasks.conversion import Convert, unpartition
from tests.support.cli import called, command, shell
from tests.support.cold import LOOPBACK
from tests.support.database import Database
from tests.support.matrix import longer

pytestmark = [pytest.mark.partitions, pytest.mark.cli, pytest.mark.majors]

NOW = "2026-03-15"
MONTHS = [f"2026-{month:02}-01" for month in range(1, 7)]
SQL = r"(?:CREATE|ALTER|DROP|REINDEX|DELETE|UPDATE|GRANT|ANALYZE) [^;]*;"
SHELL = r"schema_kit (?:partitions|archive) [a-z-]+(?: (?:--(?:since|until) \S+|--[a-z]+|'[^']+'|\w+\.\w+))*"


@dataclass
class Scene:
    """A table that is so, and what only a person knows.

    Args:
        make: makes it so.
        answers: what stands for ... in what is typed, by name; under "..." where there is none.
        prefers: which of the ways that a sentence offers is typed; the first of SQL, an operation, a command.
        role: who looks, if it is not the owner.
    """

    make: Callable[[Database], None]
    answers: dict[str, str] = field(default_factory=dict)
    prefers: str = "sql op shell"
    role: str = ""
    minor: int = 0
    """server_version_num from which on it can be so."""


def sql(*statements: str) -> Callable[[Database], None]:
    def make(database: Database) -> None:
        database.sql(*statements)

    return make


def policy(**columns: object) -> Callable[[Database], None]:
    changes = ", ".join(f"{name} = '{value}'" for name, value in columns.items())
    return sql(f"UPDATE schema_kit.part_config SET {changes} WHERE parent_table = 'app.t'")


class _Killed(BaseException):
    pass


def killed(database: Database, decide: Callable[[Catalog], Plan], after: type) -> None:
    """Do something, and die behind the first step of a kind."""
    connection = database.sqlalchemy()

    def die(event: Event) -> None:
        if isinstance(event, StepDone) and isinstance(event.step, after):
            raise _Killed

    with suppress(_Killed):
        execute.run(connection, lambda: decide(Catalog(connection)), LockPolicy(), die)


DEFAULT = "CREATE TABLE app.t_default PARTITION OF app.t DEFAULT"
ROLE = "schema_kit_test_watcher"


def unfinished_drain(database: Database) -> None:
    database.sql(DEFAULT, "INSERT INTO app.t (at) VALUES ('2025-12-04')")
    killed(database, lambda catalog: copying.drain(catalog, catalog.policies()[-1]), BeginCopy)


def unfinished_split(database: Database) -> None:
    database.sql(
        "DROP TABLE app.t_p20260101, app.t_p20260201",
        "CREATE TABLE app.t_p20260101 PARTITION OF app.t FOR VALUES FROM ('2026-01-01') TO ('2026-03-01')",
        "INSERT INTO app.t (at) VALUES ('2026-01-04'), ('2026-02-04')",
    )
    own = QualifiedName("app", "t_p20260101")
    killed(database, lambda catalog: copying.split(catalog, catalog.policies()[-1], own), CopyChunk)


PLAIN = (
    "CREATE TABLE app.plain (id bigint PRIMARY KEY)",
    "INSERT INTO app.plain SELECT generate_series(1, 3000)",
)


def begun(strategy: Strategy, after: type) -> Callable[[Database], None]:
    """A conversion that died."""

    def make(database: Database) -> None:
        database.sql(*PLAIN)
        policy = Partitioning(QualifiedName("app", "plain"), "id", "1000")
        killed(database, Convert(policy, "refuse", strategy).plan, after)

    return make


def kept(database: Database) -> None:
    """A conversion that kept its plain table."""
    database.sql(*PLAIN)
    argv = ("app.plain", "--control", "id", "--interval", "1000", "--strategy", "copy")
    assert shell(database, "partitions", "convert", *argv).returncode == 0


def emptied(database: Database) -> None:
    """A table that was made plain again by a session that died before what held its rows was dropped."""
    kept(database)
    assert shell(database, "partitions", "convert", "app.plain", "--finish", "--yes").returncode == 0
    killed(database, task(unpartition, QualifiedName("app", "plain")), Unswap)


def archived(database: Database, *, restored: bool = False, gone: bool = False) -> None:
    database.sql("INSERT INTO app.t (at) SELECT '2026-01-05'")
    with schema_kit.operations(database.sqlalchemy()):
        op.create_archive_table("t", "t_archive", schema="app")
        op.set_archive_policy("t", "1 month", schema="app", archive_table_name="t_archive")
    if restored:
        assert shell(database, "partitions", "maintain", "--now", NOW).returncode == 0
        back = ("app.t", "--since", "2026-01-01", "--until", "2026-02-01")
        assert shell(database, "archive", "restore", *back).returncode == 0
    if gone:
        database.sql("DROP TABLE app.t_archive")


def broken_detach(database: Database) -> None:
    reader = database.connect(autocommit=False)
    reader.execute("SELECT count(*) FROM app.t")
    with database.connect() as detaching:
        detaching.execute("SET statement_timeout = '500ms'")
        with pytest.raises(Exception, match="statement timeout"):
            detaching.execute("ALTER TABLE app.t DETACH PARTITION app.t_p20260101 CONCURRENTLY")
    reader.rollback()


def retired(database: Database) -> None:
    policy(retention="1 month", retention_keep_table="true")(database)
    assert shell(database, "partitions", "retire", "--now", NOW).returncode == 0
    policy(retention_keep_table="false", retention_grace="0")(database)


def unlike(database: Database) -> None:
    """As after a dump and restore: the oid says nothing, and the table holds another row."""
    policy(retention="1 month")(database)
    assert shell(database, "partitions", "retire", "--now", NOW).returncode == 0
    own = "conrelid = 'app.t_p20260101'::regclass AND contype = 'c'"
    proofs = database.sql(f"SELECT conname FROM pg_constraint WHERE {own} AND pg_get_constraintdef(oid) LIKE '%at%'")
    database.sql(
        "UPDATE schema_kit.retired_partition SET partition_oid = 1, record_oid = 1",
        *(f'ALTER TABLE app.t_p20260101 DROP CONSTRAINT "{name}"' for (name,) in proofs),
        "INSERT INTO app.t_p20260101 (id, at) VALUES (7, '2026-04-04')",
    )


def lost_key(database: Database) -> None:
    own = "SELECT oid FROM pg_constraint WHERE conrelid = 'app.t_p20260101'::regclass AND contype = 'f'"
    database.sql(
        f"DELETE FROM pg_trigger WHERE tgconstraint IN ({own})",
        f"""DELETE FROM pg_depend WHERE (classid = 'pg_constraint'::regclass AND objid IN ({own}))
            OR (refclassid = 'pg_constraint'::regclass AND refobjid IN ({own}))""",
        f"DELETE FROM pg_constraint WHERE oid IN ({own})",
    )


def lost_not_null(database: Database) -> None:
    own = "'app.t_p20260101'::regclass"
    database.sql(
        f"UPDATE pg_attribute SET attnotnull = false WHERE attrelid = {own} AND attname = 'body'",
        f"DELETE FROM pg_constraint WHERE conrelid = {own} AND contype = 'n' AND conname LIKE '%body%'",
    )


def statistics(database: Database) -> None:
    database.sql(
        "INSERT INTO app.t (at) SELECT timestamptz '2026-01-01' + i * interval '1 hour' FROM generate_series(1, 900) i",
        "ANALYZE app.t_p20260101",
    )


def in_transit(database: Database) -> None:
    """A run that was killed before it copied anything."""
    database.sql(*LOOPBACK)
    archived(database)
    with schema_kit.operations(database.sqlalchemy()):
        op.create_cold_archive("t", "cold", schema="app", remote_schema="there")
    database.sql(
        "INSERT INTO schema_kit.cold_partition (partition_name, table_name, foreign_table, remote_table, bounds) "
        "VALUES ('app.t_p20250101', 'app.t', 'app.t_p20250101__cold', 't_p20250101', 'FOR VALUES FROM (''2025-01-01'') "
        "TO (''2025-02-01'')')"
    )


SCENES: dict[str, Scene] = {
    "unseen": Scene(sql(f"REVOKE SELECT ON app.ids FROM {ROLE}"), role=ROLE),
    "policy_unreadable": Scene(policy(partition_interval="fortnight"), {"interval": "'1 month'"}),
    "table_missing": Scene(policy(parent_table="app.gone")),
    "key_differs": Scene(policy(control="id")),
    "current_missing": Scene(sql("DROP TABLE app.t_p20260301")),
    "off_grid_ahead": Scene(policy(timezone="Asia/Bangkok"), {"timezone": "'UTC'"}),
    "index_missing": Scene(sql("CREATE INDEX later ON ONLY app.t (room)")),
    "index_invalid": Scene(
        sql(
            "UPDATE pg_index SET indisvalid = false "
            "WHERE indexrelid IN ('app.t_body'::regclass, 'app.t_p20260101_body_idx'::regclass)"
        )
    ),
    "constraint_missing": Scene(lost_key),
    "not_null_missing": Scene(lost_not_null),
    "trigger_differs": Scene(sql("ALTER TABLE app.t_p20260101 DISABLE TRIGGER t_f")),
    "generated_differs": Scene(
        sql("ALTER TABLE app.t_p20260101 ALTER COLUMN twice SET EXPRESSION AS (n * 3)"), minor=170000
    ),
    "bound_left": Scene(begun("attach", AddBound)),
    "cold_unfinished": Scene(in_transit),
    "archive_missing": Scene(lambda database: archived(database, gone=True)),
    "ahead_missing": Scene(sql("DROP TABLE app.t_p20260501")),
    "gap": Scene(sql("DROP TABLE app.t_p20260201")),
    "default_rows": Scene(sql(DEFAULT, "INSERT INTO app.t (at) VALUES ('2025-12-04')")),
    "detach_pending": Scene(broken_detach),
    "retention_overdue": Scene(policy(retention="1 month")),
    "retired_due": Scene(retired),
    "retired_unlike": Scene(unlike),
    "archive_overdue": Scene(archived),
    "constraint_not_valid": Scene(sql("ALTER TABLE app.t ADD CONSTRAINT small CHECK (n < 100) NOT VALID")),
    "index_leftover": Scene(
        sql(
            "CREATE INDEX own ON app.t_p20260101 (n)",
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'app.own'::regclass",
        )
    ),
    "copy_unfinished": Scene(unfinished_drain),
    "emptied_left": Scene(emptied),
    "published_by_leaf": Scene(sql("CREATE PUBLICATION p FOR TABLE app.t_p20260101, app.t_p20260201")),
    "statistics_stale": Scene(statistics),
    "default_unseen": Scene(sql("CREATE TABLE app.t_default PARTITION OF app.t DEFAULT"), role=ROLE),
    "default_strays": Scene(
        sql(DEFAULT, "INSERT INTO app.t (at) VALUES ('2027-03-04')"), {"...": "2027-04-01"}, prefers="shell"
    ),
    "gap_wide": Scene(
        sql(DEFAULT, "CREATE TABLE app.t_early PARTITION OF app.t FOR VALUES FROM (MINVALUE) TO ('2020-01-01')")
    ),
    "archive_restored": Scene(lambda database: archived(database, restored=True)),
    "old_kept": Scene(kept, prefers="shell"),
    "control_nullable": Scene(
        sql(
            "DROP TABLE app.t",
            "CREATE TABLE app.t (id bigint, at timestamptz) PARTITION BY RANGE (at)",
            *(
                f"CREATE TABLE app.t_p{low[:4]}{low[5:7]}01 PARTITION OF app.t FOR VALUES FROM ('{low}') TO ('{high}')"
                for low, high in pairwise(MONTHS)
            ),
        )
    ),
    "interval_differs": Scene(policy(partition_interval="1 day", premake=1), {"interval": "'1 month'"}),
    "off_grid": Scene(
        sql(
            "DROP TABLE app.t_p20260101",
            "CREATE TABLE app.t_p20260101 PARTITION OF app.t FOR VALUES FROM ('2026-01-05') TO ('2026-02-01')",
        ),
        {"...": "detach"},
    ),
    "default_differs": Scene(sql("ALTER TABLE app.t_p20260101 ALTER COLUMN n SET DEFAULT 7")),
}
MORE = {
    "copy_unfinished of a split": Scene(unfinished_split),
    "copy_unfinished of a conversion": Scene(begun("copy", CopyChunk)),
    "published_by_leaf with the set": Scene(sql("CREATE PUBLICATION p FOR TABLE app.t")),
    "published_by_leaf of all": Scene(sql("CREATE PUBLICATION p FOR ALL TABLES")),
    "statistics_stale by maintain": Scene(statistics, prefers="shell"),
}


@pytest.fixture
def healthy(database: Database) -> Database:
    """A table by months and one by ids, with one of everything that partitions get from their parent."""
    with schema_kit.operations(database.sqlalchemy()):
        op.create_part_config()
    database.sql(
        "CREATE SCHEMA app",
        "CREATE TABLE app.room (id bigint PRIMARY KEY)",
        """CREATE TABLE app.t (id bigint GENERATED BY DEFAULT AS IDENTITY, at timestamptz NOT NULL, room bigint
             REFERENCES app.room, body text NOT NULL DEFAULT 'x', n int CHECK (n > 0),
             twice int GENERATED ALWAYS AS (n * 2) STORED, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)""",
        "CREATE INDEX t_body ON app.t (body)",
        "CREATE FUNCTION app.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "CREATE TRIGGER t_f BEFORE INSERT ON app.t FOR EACH ROW EXECUTE FUNCTION app.f()",
        *(
            f"CREATE TABLE app.t_p{low.replace('-', '')} PARTITION OF app.t FOR VALUES FROM ('{low}') TO ('{high}')"
            for low, high in pairwise(MONTHS)
        ),
        "CREATE TABLE app.ids (id bigint PRIMARY KEY) PARTITION BY RANGE (id)",
        *(
            f"CREATE TABLE app.ids_p{n} PARTITION OF app.ids FOR VALUES FROM ({n}) TO ({n + 100})"
            for n in range(0, 300, 100)
        ),
        "INSERT INTO schema_kit.part_config (parent_table, control, partition_interval, premake) "
        "VALUES ('app.t', 'at', '1 mon', 2), ('app.ids', 'id', '100', 1)",
    )
    return database


def check(database: Database | str) -> list[dict[str, Any]]:
    done = shell(database, "partitions", "check", "--format", "json", "--now", NOW)
    assert "Traceback" not in done.stderr, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)["findings"]
    return found


def type_(database: Database, sentence: str, scene: Scene) -> None:
    """Type what a sentence prescribes: SQL, an operation in a migration, or a command in a shell."""
    ways = {"sql": SQL, "op": r"op\.\w+\([^)]*\)", "shell": SHELL}
    found = next(texts for way in scene.prefers.split() if (texts := re.findall(ways[way], sentence)))
    for text in found[:1] if not re.match(SQL, found[0]) else found:
        if re.match(SQL, text):
            if "SUBSCRIPTION" not in text:
                database.sql(text.replace("...", scene.answers.get("...", "...")))
        elif text.startswith("op."):
            for name, answer in scene.answers.items():
                text = text.replace(f"{name}=...", f"{name}={answer}")
            text = re.sub(r", \w+=\.\.\.", "", text)
            with schema_kit.operations(database.sqlalchemy()):
                eval(text, {"op": op})  # noqa: S307  what the package itself has printed
        else:
            words = shlex.split(text.replace("...", scene.answers.get("...", "...")))
            argv = [*words, *command(database, "x")[-2:]]
            done = called([*argv, "--now", NOW])
            assert done.returncode == 0, (text, done.stderr)


def looked_at(database: Database, scene: Scene) -> Database | str:
    if not scene.role:
        return database
    return str(sa.make_url(database.url).set(username=scene.role).render_as_string(hide_password=False))


def test_each_code_has_a_scene() -> None:
    assert set(SCENES) == set(CODES) - {"shard_differs"}  # test_citus_observed.py, and on a cluster
    assert {name.split()[0] for name in MORE} <= set(CODES)


COPIES = ("copy_unfinished", "copy_unfinished of a split", "copy_unfinished of a conversion", "old_kept")


@pytest.mark.parametrize("case", longer([*SCENES, *MORE], *COPIES))
def test_what_is_prescribed_helps(healthy: Database, case: str) -> None:
    scene, code = {**SCENES, **MORE}[case], case.split()[0]
    if int(healthy.sql("SHOW server_version_num")[0][0]) < scene.minor:
        pytest.skip("this version cannot be so")
    if scene.role:
        healthy.sql(
            f"DROP ROLE IF EXISTS {ROLE}",
            f"CREATE ROLE {ROLE} LOGIN",
            f"GRANT USAGE ON SCHEMA schema_kit, app TO {ROLE}",
            f"GRANT SELECT ON ALL TABLES IN SCHEMA schema_kit, app TO {ROLE}",
        )
    who = looked_at(healthy, scene)
    try:
        assert check(who) == [], "before, all is well"
        scene.make(healthy)
        found = check(who)
        assert code in [one["code"] for one in found], found
        for _ in range(12):  # what is prescribed for each partition is typed for each
            found = sorted(check(who), key=lambda one: one["code"] != code)
            if not found or case == "off_grid":
                break
            type_(healthy, found[0]["sentence"], scene)
        if case == "off_grid":
            healthy.sql("ALTER TABLE app.t DETACH PARTITION app.t_p20260101")
        assert check(who) == []
    finally:
        if scene.role:
            healthy.sql(f"DROP OWNED BY {ROLE}", f"DROP ROLE {ROLE}")
