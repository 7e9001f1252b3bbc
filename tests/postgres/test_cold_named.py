"""What is missing is named, what others have done is respected, and a downgrade takes all of it back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata, produce_migrations
from alembic.runtime.migration import MigrationContext

from schema_kit import declare
from schema_kit.errors import DeclarationError, PlanError
from schema_kit.ops.classes import SetArchivePolicyOp
from tests.support.archives import VIEW, archived, attached, restore
from tests.support.cli import shell
from tests.support.cold import LATE, Cold, connected, content, foreign, run, with_cold
from tests.support.database import Database
from tests.support.matrix import perform
from tests.support.rights import limited

pytestmark = [pytest.mark.archives, pytest.mark.distributed, pytest.mark.majors, pytest.mark.exhaustive]


def lacking(database: Database, cold: Cold, *statements: str) -> str:
    """What is said where a DBA has not done everything."""
    connected(database, cold)
    archived(database)
    database.sql(*statements)
    with pytest.raises(PlanError) as refused:
        perform(database, lambda op: op.create_cold_archive("t", "cold", schema="s"))
    assert database.sql("SELECT to_regclass('s.t_cold'), to_regclass('schema_kit.cold_archive')") == [(None, None)]
    return str(refused.value)


WITHOUT = {
    "dblink": ("DROP EXTENSION dblink", "CREATE EXTENSION dblink, as a superuser"),
    "postgres_fdw": ("DROP EXTENSION postgres_fdw CASCADE", "CREATE EXTENSION postgres_fdw, as a superuser"),
    "server": ("DROP SERVER cold CASCADE", "foreign server cold is missing (CREATE SERVER"),
    "mapping": (
        "DROP USER MAPPING FOR CURRENT_USER SERVER cold",
        "no user mapping on foreign server cold (CREATE USER",
    ),
    "down": ("ALTER SERVER cold OPTIONS (SET port '1')", "[08001]"),
    "database": ("ALTER SERVER cold OPTIONS (SET dbname 'nowhere')", 'database "nowhere" does not exist'),
    "money": ("ALTER TABLE s.t ADD price money; ALTER TABLE s.t_archive ADD price money", "price is of type money"),
    "view": (
        "CREATE VIEW s.both AS SELECT id FROM s.t UNION ALL SELECT id FROM s.t_archive",
        "view s.both shows s.t and s.t_archive, and would lose rows",
    ),
    "archive": ("DROP TABLE s.t_archive", "there is no table s.t_archive (op.create_archive_table)"),
}


@pytest.mark.parametrize("what", WITHOUT)
def test_what_is_missing_is_named_before_anything_is_written(database: Database, cold: Cold, what: str) -> None:
    statement, said = WITHOUT[what]
    assert said in lacking(database, cold, *statement.split("; "))


def test_a_schema_that_is_missing_there_is_named(database: Database, cold: Cold) -> None:
    cold.data.sql("DROP SCHEMA s")
    said = lacking(database, cold)
    assert "server cold has no schema s (there: CREATE SCHEMA s AUTHORIZATION postgres)" in said.replace('"', "")


def test_a_role_without_usage_or_mapping(database: Database, cold: Cold) -> None:
    with_cold(database, cold)
    before = content(database)
    database.sql("DROP USER MAPPING FOR CURRENT_USER SERVER cold")
    refused = run(database)
    assert refused.returncode == 1
    assert attached(database, "s.t_archive") == "01 02 03 04 05"  # what comes before is done
    assert "postgres has no user mapping on foreign server cold" in refused.stderr.replace('"', "")
    assert run(database).returncode == 3
    database.sql("CREATE USER MAPPING FOR PUBLIC SERVER cold OPTIONS (user 'postgres')")
    assert run(database).returncode == 0
    assert content(database) == before


def test_a_clone_does_not_change_what_exists(database: Database, cold: Cold) -> None:
    with_cold(database, cold)
    assert run(database).returncode == 0
    database.sql("UPDATE schema_kit.cold_archive SET cluster = '1/1'")
    refused = restore(database, "2026-01-01", "2026-02-01", "--now", LATE)
    assert (refused.returncode, "SET cluster = " in refused.stderr) == (3, True)
    assert cold.tables() == ["t_01", "t_02", "t_03"]


def test_another_table_there_is_not_touched(database: Database, cold: Cold) -> None:
    with_cold(database, cold)
    cold.data.sql("CREATE TABLE s.t_02 (mine int)", "INSERT INTO s.t_02 VALUES (1)")
    failed = run(database)
    assert (failed.returncode, "s.t_02 exists on server cold and is not a copy of s.t_02" in failed.stderr) == (1, True)
    assert cold.data.sql("SELECT mine FROM s.t_02") == [(1,)]
    assert foreign(database) == ["t_01__cold"]


def test_rows_that_were_changed_there_do_not_come_back_unasked(database: Database, cold: Cold) -> None:
    with_cold(database, cold)
    assert run(database).returncode == 0
    cold.data.sql("DELETE FROM s.t_01 WHERE id = 1")
    failed = restore(database, "2026-01-01", "2026-02-01", "--now", LATE)
    assert failed.returncode == 1
    assert "are not those that went there" in failed.stderr
    database.sql("UPDATE schema_kit.cold_partition SET row_count = NULL, checksum = NULL")
    assert restore(database, "2026-01-01", "2026-02-01", "--now", LATE).returncode == 0
    assert database.sql("SELECT count(*) FROM s.t WHERE at < '2026-02-01'") == [(30,)]


@pytest.mark.parametrize("after", ["2 months", "1 month", "90", "x"])
def test_cold_after_is_longer_than_archive_after(database: Database, after: str) -> None:
    archived(database)
    with pytest.raises(DeclarationError):
        perform(database, lambda op: op.set_archive_policy("t", "2 months", schema="s", cold_after=after))
    with pytest.raises(PlanError, match="has no cold archive for cold_after"):
        perform(database, lambda op: op.set_archive_policy("t", "2 months", schema="s", cold_after="3 months"))


def test_a_downgrade_takes_everything_back(database: Database, cold: Cold) -> None:
    with_cold(database, cold)
    before = content(database)
    assert run(database).returncode == 0
    with pytest.raises(PlanError, match="partitions are on server cold"):
        perform(database, lambda op: op.drop_cold_archive("t", schema="s"))

    def down(op: Any) -> None:
        op.restore_archive_table("t", schema="s")
        op.drop_cold_archive("t", schema="s")
        op.drop_cold_archive("t", schema="s")
        op.drop_archive_table("t", schema="s", view=VIEW)

    perform(database, down)
    assert content(database, "s.t") == before
    assert cold.tables() == []
    assert database.sql("SELECT to_regclass('s.t_cold'), to_regclass('schema_kit.cold_archive')") == [(None, None)]


KINDS = (
    "CREATE TYPE s.mood AS ENUM ('low', 'high')",
    "CREATE DOMAIN s.short AS text CHECK (length(value) < 9)",
    "ALTER TABLE s.t ADD mood s.mood DEFAULT 'low', ADD many s.mood[] DEFAULT '{low,high}', "
    "ADD short s.short DEFAULT 'a', "
    "ADD body jsonb DEFAULT '{\"a\": 1.0}', ADD real real DEFAULT 0.1, ADD span interval DEFAULT '1 mon 2 days', "
    "ADD bytes bytea DEFAULT '\\x00ff', ADD far timestamptz DEFAULT 'infinity', ADD of regclass DEFAULT 's.t', "
    'ADD "odd ""name" text COLLATE "C" DEFAULT E\'tab\\t \\\\ quote\'\'\', ADD gone int, ADD empty text, '
    "ADD twice bigint GENERATED ALWAYS AS (id * 2) STORED, ADD ranged int4range DEFAULT '[1,5)'",
    "ALTER TABLE s.t DROP gone",
)


def test_values_of_all_kinds_are_the_same_there_and_back(database: Database, cold: Cold) -> None:
    connected(database, cold)
    archived(database, view=None)
    perform(database, lambda op: op.drop_archive_policy("t", schema="s"))
    perform(database, lambda op: op.drop_archive_table("t", schema="s"))
    database.sql(*KINDS)

    def operate(op: Any) -> None:
        op.create_archive_table("t", schema="s", view=VIEW)
        op.create_cold_archive("t", "cold", schema="s", view=VIEW)
        op.set_archive_policy("t", "2 months", schema="s", cold_after="4 months")

    perform(database, operate)
    before = content(database)
    there = run(database)
    assert there.returncode == 0, there.stderr
    assert content(database) == before
    assert database.sql(f"SELECT count(*) FROM s.{VIEW} WHERE mood = 'low' AND far > now() AND short < 'b'") == [(151,)]
    back = restore(database, "2026-01-01", "2026-04-01", "--now", LATE)
    assert back.returncode == 0, back.stderr
    assert (content(database), cold.tables()) == (before, [])


def test_the_view_stays_one_over_all_three(database: Database, cold: Cold) -> None:
    with_cold(database, cold)
    assert run(database).returncode == 0
    before = content(database)
    with pytest.raises(PlanError, match=r"s\.t_cold is its cold archive"):
        perform(database, lambda op: op.drop_archive_table("t", schema="s", view=VIEW))
    database.sql(f"DROP VIEW s.{VIEW}")
    perform(database, lambda op: op.repair_archive_table("t", schema="s", view=VIEW))
    assert content(database) == before
    database.sql("ALTER TABLE s.t ADD more int", "ALTER TABLE s.t_archive ADD more int")
    refused = restore(database, "2026-01-01", "2026-02-01", "--now", LATE)
    assert (refused.returncode, "column more of s.t_archive is integer and missing there" in refused.stderr) == (
        3,
        True,
    )
    cold.data.sql(*(f"ALTER TABLE s.t_0{month} ADD more integer" for month in (1, 2, 3)))
    database.sql("ALTER TABLE s.t_cold ADD more integer")
    perform(database, lambda op: op.repair_archive_table("t", schema="s", view=VIEW))
    back = restore(database, "2026-01-01", "2026-02-01", "--now", LATE)
    assert "are not those that went there" in back.stderr  # one column more, of which no repair has said so


def test_status_shows_what_exists_and_autogenerate_nothing(database: Database, cold: Cold) -> None:
    with_cold(database, cold)
    assert run(database).returncode == 0
    [told] = json.loads(shell(database, "archive", "status", "--now", LATE, "--format", "json").stdout)
    assert [(one["partition"], one["rows"], one["server"], one["in_transit"]) for one in told["cold"]] == [
        ("s.t_01", 31, "cold", False),
        ("s.t_02", 28, "cold", False),
        ("s.t_03", 31, "cold", False),
    ]
    text = shell(database, "archive", "status", "--now", LATE).stdout
    assert "on to the cold server after 4 months" in text
    assert "s.t_01: 2026-01-01 to 2026-02-01, 31 rows, on server cold" in " ".join(text.split())
    database.sql("CREATE TABLE s.other (id int)")
    context = MigrationContext.configure(database.sqlalchemy(), opts={"include_schemas": True})
    proposed = str(compare_metadata(context, sa.MetaData()))
    assert ("other" in proposed, "cold" in proposed) == (True, False)


def test_what_is_cold_is_not_exported(database: Database, cold: Cold, tmp_path: Path) -> None:
    with_cold(database, cold)
    assert run(database).returncode == 0
    refused = shell(database, "archive", "export", "s.t_cold", "--to", str(tmp_path), "--dry-run")
    assert (refused.returncode, "s.t_03__cold is a foreign table" in refused.stderr) == (3, True)
    assert list(tmp_path.iterdir()) == []


def test_what_no_model_declares_of_a_policy_stays(database: Database, cold: Cold) -> None:
    """A cold_after, max_rows or access method that a migration has set."""
    with_cold(database, cold)
    database.sql("UPDATE schema_kit.archive_policy SET max_rows = 1000000")
    metadata = sa.MetaData(schema="s")
    sa.Table(
        "t",
        metadata,
        sa.Column("id", sa.BigInteger, primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("word", sa.Text),
        declare.partitioned("at", "1 mon", retention=None),
        declare.archived("3 months", view="all_t"),
    )
    context = MigrationContext.configure(database.sqlalchemy(), opts={"include_schemas": True})
    found = produce_migrations(context, metadata)
    assert found.upgrade_ops
    [there] = [one for one in found.upgrade_ops.ops if isinstance(one, SetArchivePolicyOp)]
    assert there.keywords | {"schema": "s"} == {"schema": "s", "max_rows": 1_000_000, "cold_after": "4 months"}


@pytest.fixture
def by_password(cold: Cold) -> Iterator[Cold]:
    """The other server takes role app by password, as a role that is not a superuser needs it."""
    rules = Path(cold.data.sql("SHOW hba_file")[0][0])
    before = rules.read_text("utf-8")
    cold.data.sql("CREATE ROLE app LOGIN PASSWORD 'secret'", "ALTER SCHEMA s OWNER TO app")
    try:
        rules.write_text(f"local work app scram-sha-256\n{before}", "utf-8")
        cold.data.sql("SELECT pg_reload_conf()")
        yield cold
    finally:
        rules.write_text(before, "utf-8")
        cold.data.sql("SELECT pg_reload_conf()", "DROP OWNED BY app CASCADE", "DROP ROLE app")


def test_a_role_that_is_not_a_superuser(database: Database, by_password: Cold) -> None:
    connected(database, by_password)
    archived(database, view=None)
    with limited(database) as some:
        some.owned("s", "schema_kit")
        owner = some.owner
        own = Database(database.url.replace("postgres@", f"{owner}@"), database.stack)

        def operate(op: Any) -> None:
            op.create_cold_archive("t", "cold", schema="s", view="all_t")
            op.set_archive_policy("t", "2 months", schema="s", cold_after="4 months")

        for missing in (
            f"GRANT USAGE ON FOREIGN SERVER cold TO {owner}",
            f"CREATE USER MAPPING FOR {owner} SERVER cold OPTIONS (user 'app', password 'secret')",
        ):
            with pytest.raises(PlanError) as refused:
                perform(own, operate)
            assert missing.partition(" OPTIONS")[0] in str(refused.value).replace('"', "")
            database.sql(missing)
        perform(own, operate)
        before = content(own)
        there = run(own)
        assert there.returncode == 0, there.stderr
        assert (content(own), by_password.tables()) == (before, ["t_01", "t_02", "t_03"])
        back = restore(own, "2026-01-01", "2026-04-01", "--now", LATE)
        assert back.returncode == 0, back.stderr
        assert (content(own), by_password.tables()) == (before, [])
