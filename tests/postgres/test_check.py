"""``schema_kit partitions check`` on a real server, by any role, at one partitioned table or at many."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from schema_kit.model import Partitioning
from schema_kit.names import QualifiedName
from schema_kit.steps.partitions import register_sql
from tests.support.check import NOW, T, by_hand, check, codes
from tests.support.cli import shell
from tests.support.database import Database
from tests.support.tables import register

pytestmark = [pytest.mark.partitions, pytest.mark.cli, pytest.mark.majors]


def test_a_healthy_set_has_nothing_to_say(months: Database) -> None:
    done = shell(months, "partitions", "check", "--now", NOW)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "1 set looked at: nothing to do" in done.stderr
    assert codes(months, "app.t") == []
    assert shell(months, "partitions", "check", "app.other").returncode == 3


def test_without_any_set(database: Database) -> None:
    done = shell(database, "partitions", "check")
    assert (done.returncode, done.stdout) == (0, "")
    assert "0 sets looked at: nothing to do" in done.stderr


def test_what_the_role_cannot_read_is_said_with_the_missing_right(database: Database) -> None:
    database.sql(
        "CREATE SCHEMA app",
        "CREATE TABLE app.t (id bigint PRIMARY KEY) PARTITION BY RANGE (id)",
        "CREATE TABLE app.t_p0 PARTITION OF app.t FOR VALUES FROM (0) TO (1000)",
        "CREATE TABLE app.u (at date NOT NULL) PARTITION BY RANGE (at)",
        "CREATE TABLE app.u_default PARTITION OF app.u DEFAULT",
    )
    register(database, Partitioning(T, "id", "1000", premake=1))
    database.sql(register_sql(Partitioning(QualifiedName("app", "u"), "at", "1 mon", premake=1)))
    role = f"watcher_{database.sql('SELECT pg_backend_pid()')[0][0]}"
    database.sql(
        f"CREATE ROLE {role} LOGIN",
        f"GRANT USAGE ON SCHEMA schema_kit TO {role}",
        f"GRANT SELECT ON schema_kit.part_config TO {role}",
    )
    try:
        url = str(sa.make_url(database.url).set(username=role).render_as_string(hide_password=False))
        done = shell(url, "partitions", "check", "--format", "json", "--now", NOW)
        assert done.returncode == 4, done.stderr
        found = json.loads(done.stdout)["findings"]
        assert [one["code"] for one in found] == ["unseen", "unseen"]
        assert f"{role} lacks USAGE on schema app (GRANT USAGE ON SCHEMA app TO {role})" in found[0]["sentence"]
        database.sql(f"GRANT USAGE ON SCHEMA app TO {role}")
        found = json.loads(shell(url, "partitions", "check", "--format", "json", "--now", NOW).stdout)["findings"]
        assert [one["code"] for one in found] == ["unseen", "current_missing", "ahead_missing", "default_unseen"]
        assert f'GRANT SELECT ON "app"."t" TO "{role}";' in found[0]["sentence"]
        by_hand(database, found[0]["sentence"])
        database.sql(f"GRANT SELECT ON app.u_default TO {role}")
        found = json.loads(shell(url, "partitions", "check", "--format", "json", "--now", NOW).stdout)["findings"]
        assert [one["code"] for one in found] == ["ahead_missing", "current_missing", "ahead_missing"]
        database.sql("ALTER TABLE app.t ENABLE ROW LEVEL SECURITY")
        found = json.loads(shell(url, "partitions", "check", "app.t", "--format", "json", "--now", NOW).stdout)[
            "findings"
        ]
        assert [one["code"] for one in found] == ["unseen"]
        assert "row security" in found[0]["sentence"]
        refused = shell(url.replace(role, "nobody_of_that_name"), "partitions", "check")
        assert (refused.returncode, "Traceback" in refused.stderr) == (1, False)
    finally:
        database.sql(f"DROP OWNED BY {role}", f"DROP ROLE {role}")


@pytest.mark.exhaustive
def test_one_table_that_a_session_holds_does_not_hide_the_others(months: Database) -> None:
    months.sql("CREATE TABLE app.u (at date NOT NULL) PARTITION BY RANGE (at)")
    months.sql(register_sql(Partitioning(QualifiedName("app", "u"), "at", "1 mon", premake=1)))
    holder = months.connect(autocommit=False)
    holder.execute("LOCK TABLE app.t_p20260101 IN ACCESS EXCLUSIVE MODE")
    found = check(months)
    assert [(one["set"], one["code"]) for one in found] == [
        ("app.t", "unseen"),
        ("app.u", "current_missing"),
        ("app.u", "ahead_missing"),
    ]
    assert "another session held an ACCESS EXCLUSIVE lock" in found[0]["sentence"]


def test_a_read_only_session_may_look(months: Database) -> None:
    name = months.sql("SELECT current_database()")[0][0]
    months.sql(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    assert codes(months) == []
    assert shell(months, "partitions", "list", "--now", NOW).returncode == 0


def test_many_sets_are_a_few_queries(months: Database) -> None:
    """Counted by the server: as many for one set as for twenty, of times and of ids, with default partitions."""
    for number in range(20):
        months.sql(
            f"CREATE TABLE app.i{number} (id bigint PRIMARY KEY) PARTITION BY RANGE (id)",
            f"CREATE TABLE app.i{number}_p0 PARTITION OF app.i{number} FOR VALUES FROM (0) TO (1000)",
            f"CREATE TABLE app.i{number}_default PARTITION OF app.i{number} DEFAULT",
            f"INSERT INTO app.i{number} VALUES (1)",
            register_sql(Partitioning(QualifiedName("app", f"i{number}"), "id", "1000", premake=1)),
        )

    def queries(*tables: str) -> int:
        from schema_kit.catalog import Catalog

        connection, sent = months.sqlalchemy(), list[str]()
        sa.event.listen(connection, "before_cursor_execute", lambda *given: sent.append(given[2]))
        catalog = Catalog(connection)
        wanted = [one for one in catalog.policies() if not tables or str(one.parent) in tables]
        assert len(catalog.watched(wanted, AssertionError)) == (len(tables) or 21)
        return sum(statement.lstrip().startswith(("SELECT", "WITH")) for statement in sent)

    assert queries() == queries("app.i7") <= 12


def test_metrics_go_to_a_file_at_once(months: Database, tmp_path: Path) -> None:
    output = tmp_path / "schema_kit.prom"
    output.write_text("old")
    done = shell(months, "partitions", "check", "--format", "metrics", "--now", NOW, "--output", str(output))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    text = output.read_text(encoding="utf-8")
    assert [path.name for path in tmp_path.iterdir()] == ["schema_kit.prom"]
    assert 'schema_kit_partitions_present{set="app.t"} 5' in text.splitlines()
    assert 'schema_kit_partitions_premade{set="app.t"} 2' in text.splitlines()
    assert 'schema_kit_partitions_missing{set="app.t"} 0' in text.splitlines()
    assert text == shell(months, "partitions", "check", "--format", "metrics", "--now", NOW).stdout
    late = shell(months, "partitions", "check", "--format", "metrics", "--now", "2026-08-02", "--output", str(output))
    assert late.returncode == 4, "the file is written all the same"
    assert 'code="current_missing",severity="broken"} 1' in output.read_text(encoding="utf-8")
    nowhere = shell(
        months, "partitions", "check", "--format", "metrics", "--output", str(tmp_path / "no" / "where.prom")
    )
    assert (nowhere.returncode, "Traceback" in nowhere.stderr) == (2, False)
    assert "where.prom cannot be written" in nowhere.stderr


@pytest.mark.exhaustive
def test_many_partitions_that_lack_the_same_are_one_sentence(months: Database) -> None:
    months.sql(
        """DO $$ BEGIN FOR i IN 1..300 LOOP
             EXECUTE format('CREATE TABLE app.h%s PARTITION OF app.t FOR VALUES FROM (%L) TO (%L)',
                            i, '2000-01-01'::date + i, '2000-01-01'::date + i + 1);
           END LOOP; END $$""",
        "CREATE INDEX later ON ONLY app.t (room)",
    )
    found = check(months)
    assert [one["code"] for one in found if one["object"] == "app.later"] == ["index_missing"]
    assert "is missing on 305 (" in found[0]["sentence"]
    assert all(len(one["sentence"]) < 1500 for one in found)
