"""Sets that are published leaf by leaf: named before they get a partition, and turned with subscribers in mind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext

from schema_kit import embedded
from schema_kit.errors import PlanError
from tests.support.cli import shell
from tests.support.database import Database
from tests.support.matrix import perform
from tests.support.publishing import Pair, _until, pair, servers

pytestmark = [pytest.mark.distributed, pytest.mark.partitions, pytest.mark.majors]

SET = (
    "CREATE SCHEMA app",
    "CREATE TABLE app.t (id bigint, at timestamptz, body text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)",
    "CREATE TABLE app.t_05 PARTITION OF app.t FOR VALUES FROM ('2026-05-01+00') TO ('2026-06-01+00')",
)
PREMADE = "partitions", "create-next", "app.t", "--now", "2026-05-20"
STOPS = "under their own names: a subscription stops"
LISTS = "lists partitions of app.t by name (app.t_05): rows of the new one are not published"
KINDS = {
    "the set": ("FOR TABLE app.t", STOPS),
    "a partition": ("FOR TABLE app.t_05", LISTS),
    "a partition, by root": ("FOR TABLE app.t_05 WITH (publish_via_partition_root = true)", LISTS),
    "all of a schema": ("FOR TABLES IN SCHEMA app", STOPS),
    "all tables": ("FOR ALL TABLES", STOPS),
    "the set by root": ("FOR TABLE app.t WITH (publish_via_partition_root = true)", ""),
    "another table": ("FOR TABLE app.other", ""),
}


def registered(database: Database) -> None:
    database.sql(*SET, "CREATE TABLE app.other (id int PRIMARY KEY)")
    perform(
        database, lambda op: op.set_partition_policy("t", control="at", interval="1 month", premake=1, schema="app")
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_partition_is_preceded_by_what_it_does_to_subscribers(database: Database, kind: str) -> None:
    how, said = KINDS[kind]
    registered(database)
    database.sql(f"CREATE PUBLICATION p {how}")
    for arguments in ((*PREMADE, "--dry-run"), PREMADE):
        done = shell(database, *arguments)
        assert done.returncode == 0, done
        told = [line for line in done.stderr.splitlines() if "publication p " in line]
        assert len(told) == bool(said), done.stderr
        assert all(said in line for line in told)
    assert "publication" not in shell(database, *PREMADE).stderr  # nothing is made


def test_it_is_set_and_taken_back(database: Database) -> None:
    database.sql(*SET, 'CREATE PUBLICATION "the P" FOR TABLE app.t')
    state = "SELECT pubviaroot FROM pg_publication"
    for value in (True, True, False):
        perform(database, lambda op, v=value: op.set_publish_via_partition_root("the P", v))  # type: ignore[misc]
        assert database.sql(state) == [(value,)]
    with pytest.raises(PlanError, match="there is no publication q"):
        perform(database, lambda op: op.set_publish_via_partition_root("q"))


def test_another_role_s_is_refused(database: Database) -> None:
    database.sql(*SET, "CREATE PUBLICATION p FOR TABLE app.t", "DROP ROLE IF EXISTS sk_lends", "CREATE ROLE sk_lends")
    connection = database.sqlalchemy()
    connection.exec_driver_sql("SET ROLE sk_lends")
    try:
        with pytest.raises(PlanError, match=r"it belongs to postgres, .*GRANT postgres TO sk_lends"):
            Operations(MigrationContext.configure(connection)).set_publish_via_partition_root("p")  # type: ignore[attr-defined]
    finally:
        database.sql("DROP ROLE sk_lends")


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[embedded.Server, embedded.Server]]:
    """Two servers, one of which publishes."""
    with servers(tmp_path_factory.mktemp("leaves")) as found:
        yield found


@pytest.fixture
def published(both: tuple[embedded.Server, embedded.Server]) -> Iterator[Pair]:
    """A table on both, with rows, which is published leaf by leaf."""
    with pair(both) as found:
        registered(found.here)
        found.there.sql(*SET)
        found.here.sql(
            "INSERT INTO app.t SELECT i, '2026-05-02', 'first' FROM generate_series(1, 20) i",
            "CREATE PUBLICATION p FOR TABLE app.t",
        )
        found.subscribe("p")
        yield found


@pytest.mark.exhaustive
def test_subscribers_that_copy_again_have_each_row_and_need_no_partition(published: Pair) -> None:
    here, there = published.here, published.there
    with pytest.raises(PlanError, match=r"sub_\d+ may subscribe to it. Changes of app.t get lost"):
        perform(here, lambda op: op.set_publish_via_partition_root("p"))
    assert here.sql("SELECT pubviaroot FROM pg_publication") == [(False,)]
    perform(here, lambda op: op.set_publish_via_partition_root("p", subscribers_copy=True))
    here.sql("INSERT INTO app.t VALUES (21, '2026-05-03', 'lost until it is copied')")
    published.caught_up()
    assert there.sql("SELECT count(*) FROM app.t") == [(20,)]
    there.sql("TRUNCATE app.t")
    for name in published.subscribed:
        there.sql(f"ALTER SUBSCRIPTION {name} REFRESH PUBLICATION")
    _until(lambda: there.sql("SELECT bool_and(srsubstate = 'r') FROM pg_subscription_rel")[0][0], "the rows")
    there.sql("CREATE TABLE app.rest PARTITION OF app.t DEFAULT")
    done = shell(here, *PREMADE)
    assert "publication" not in done.stderr
    here.sql("INSERT INTO app.t VALUES (22, '2026-06-03', 'in a partition that only one of them has')")
    published.caught_up()
    assert published.equal()
