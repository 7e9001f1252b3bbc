"""Rows that must not leave: what stands in the way is said, and no row is lost."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from schema_kit.catalog import Catalog
from schema_kit.errors import DeclarationError, ExecutionError, PlanError
from schema_kit.plans.rows import Leaving, remove
from tests.support.database import Database
from tests.support.rows import ARCHIVE, ARCHIVES, SESSIONS, TABLE, TREE, leaving, name, run
from tests.support.tables import checksum

pytestmark = [pytest.mark.archives, pytest.mark.ttl, pytest.mark.majors]


def test_an_archive_that_swallows_rows_loses_none(database: Database) -> None:
    database.sql(
        *TABLE,
        *ARCHIVE,
        "CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "CREATE TRIGGER swallow BEFORE INSERT ON t_archive FOR EACH ROW WHEN (NEW.id = 25) EXECUTE FUNCTION swallow()",
    )
    before = checksum(database, "t")
    with pytest.raises(ExecutionError, match=r"10 rows left public.t, but so many arrived in public.t_archive: 9"):
        run(database, leaving("t", archives={name("t"): name("t_archive")}))
    assert checksum(database, "t", "t_archive") == before


def test_a_row_that_will_not_be_deleted_is_not_archived(database: Database) -> None:
    database.sql(
        *TABLE,
        *ARCHIVE,
        "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "CREATE TRIGGER keep BEFORE DELETE ON t FOR EACH ROW WHEN (OLD.id < 30) EXECUTE FUNCTION keep()",
    )
    before = checksum(database, "t")
    run(database, leaving("t", archives={name("t"): name("t_archive")}))
    assert database.sql("SELECT min(id), count(*) FROM t_archive") == [(30, 71)]
    assert checksum(database, "t", "t_archive") == before


REFUSED = {
    "no table": ((), Leaving(name("nobody"), "true"), "cannot delete rows of public.nobody: there is no such table"),
    "no column": (TABLE, leaving("t", column="nobody"), "it has no column nobody"),
    "no index": (
        TABLE,
        leaving("t", column="word"),
        r"op.create_index_concurrently\('ix_t_word', 't', \['word'\], sch",
    ),
    "partial index": (
        (*TABLE, "DROP INDEX t_at", "CREATE INDEX ON t (at) WHERE id > 3"),
        leaving("t"),
        "public.t has no index that begins with at",
    ),
    "no key": (("CREATE TABLE t (id int)",), leaving("t", "true", None), "no primary key to page through"),
    "partitioned without a key": (
        ("CREATE TABLE t (at date) PARTITION BY RANGE (at)", "CREATE INDEX ON t (at)"),
        leaving("t"),
        "is partitioned and has no primary key",
    ),
    "restrict": (
        (*TABLE, "CREATE TABLE n (t bigint CONSTRAINT f REFERENCES t)", "CREATE INDEX ON n (t)"),
        leaving("t"),
        r"foreign key f of public.n refers to public.t \(NO ACTION\), .* tree=\{'n': \{\}\} below public.t",
    ),
    "cascade that is not declared": (
        TREE,
        leaving("c.sessions", column="expires_at", tree={}),
        r"tree=\{'threads': \{\}\}",
    ),
    "no index on a reference": (
        (*TABLE, "CREATE TABLE n (t bigint REFERENCES t ON DELETE SET NULL)"),
        leaving("t"),
        "public.n has no index that begins with t",
    ),
    "declared and does not refer": (TABLE, leaving("t", tree={"u": {}}), "has public.u below public.t, which it does"),
    "circle": (
        (*TABLE, "ALTER TABLE t ADD up bigint REFERENCES t ON DELETE CASCADE", "CREATE INDEX ON t (up)"),
        leaving("t"),
        "refers to public.t .CASCADE., in a circle",
    ),
    "no archive of a child": (
        (*TREE, ARCHIVES[0]),
        Leaving(name("c.sessions"), "true", "expires_at", archives={name("c.sessions"): name("c.sessions_archive")}),
        "c.citations has no archive, and its rows go along",
    ),
    "archive that is gone": (TABLE, leaving("t", archives={name("t"): name("no")}), "there is no table public.no, the"),
    "archive in another shape": (
        (*TABLE, "CREATE TABLE a AS SELECT id, at FROM t"),
        leaving("t", archives={name("t"): name("a")}),
        "public.a lacks columns of public.t: status, word, twice",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_before_anything(database: Database, case: str) -> None:
    before, one, said = REFUSED[case]
    database.sql(*before)
    with pytest.raises(PlanError, match=said) as caught:
        run(database, one)
    assert str(caught.value).endswith("Nothing was changed.")
    assert database.events == []


def test_an_invalid_tree(database: Database) -> None:
    database.sql(*TREE)
    with pytest.raises(DeclarationError, match="has 'messages' below 'threads'"):
        run(database, replace(SESSIONS, tree={"threads": "messages"}))


def test_rights_and_row_security(database: Database) -> None:
    role = f"clerk_{os.getpid()}"
    database.sql(
        *TABLE,
        f"CREATE ROLE {role}",
        f"GRANT SELECT, DELETE ON t TO {role}",
        "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
        "CREATE POLICY p ON t USING (id > 50)",
    )
    try:
        connection = database.sqlalchemy()
        connection.exec_driver_sql(f"SET ROLE {role}")
        observed = Catalog(connection).leaving(name("t"))
        with pytest.raises(PlanError, match=f"{role} lacks UPDATE on public.t .GRANT UPDATE.*BYPASSRLS") as caught:
            remove(leaving("t"), observed)
        assert "row security of public.t hides rows" in str(caught.value)
    finally:
        database.sql(f"DROP OWNED BY {role}", f"DROP ROLE {role}")
    run(database, leaving("t"))  # a superuser
    assert database.sql("SELECT count(*) FROM t") == [(100,)]
