"""The rights that a conversion needs, and those that it gives no role."""

from __future__ import annotations

import pytest

from schema_kit import execute
from schema_kit.catalog import Catalog
from schema_kit.errors import PlanError
from schema_kit.model import Partitioning
from schema_kit.sqlscripts import load
from schema_kit.tasks.conversion import Convert
from tests.support.catalog import about, facts
from tests.support.conversion import PLAIN, T, convert, unpartition
from tests.support.database import QUICK, Database

pytestmark = [pytest.mark.conversion, pytest.mark.majors]

RIGHTS = {
    "the table": ("ALTER TABLE app.t OWNER TO {other}", "app.t belongs to {other}, whose rights {me} lacks"),
    "a view": (
        "CREATE VIEW app.v AS SELECT id FROM app.t; ALTER VIEW app.v OWNER TO {other}",
        "app.v belongs to {other}",
    ),
    "a table that refers to it": (
        "CREATE TABLE app.child (id bigint PRIMARY KEY, t_id bigint REFERENCES app.t);"
        "ALTER TABLE app.child OWNER TO {other}",
        "app.child belongs to {other}",
    ),
    "a table that it refers to": (
        "CREATE TABLE app.up (id bigint PRIMARY KEY); ALTER TABLE app.t ADD up bigint REFERENCES app.up;"
        "ALTER TABLE app.up OWNER TO {other}",
        "{me} lacks REFERENCES on app.up",
    ),
    "the schema": ("REVOKE CREATE ON SCHEMA app FROM {me}", "{me} lacks CREATE on schema app"),
    "part_config": ("REVOKE UPDATE ON schema_kit.part_config FROM {me}", "{me} lacks UPDATE on schema_kit.part_config"),
    "the database": ("DROP SCHEMA schema_kit CASCADE", "{me} lacks CREATE on database"),
}


@pytest.mark.parametrize("what", RIGHTS)
def test_rights_that_are_missing_are_named_and_nothing_is_changed(
    database: Database, roles: tuple[str, str], what: str
) -> None:
    me, other = roles
    setup, words = (text.replace("{me}", me).replace("{other}", other) for text in RIGHTS[what])
    database.sql(
        *PLAIN,
        *(statement.replace("@schema@", "schema_kit") for statement in load("partman/tables/part_config.sql")),
        f"GRANT ALL ON SCHEMA app, schema_kit TO {me}",
        f"GRANT SELECT, INSERT, UPDATE ON schema_kit.part_config TO {me}",
        f"ALTER TABLE app.t OWNER TO {me}",
        setup,
    )
    before = facts(database)
    connection, op = database.sqlalchemy(), Convert(Partitioning(T, "at", "1 mon"), "drop", "attach")
    connection.exec_driver_sql(f"SET SESSION AUTHORIZATION {me}")
    with pytest.raises(PlanError, match=words):
        execute.run(connection, lambda: op.plan(Catalog(connection)), QUICK, database.events.append)
    assert facts(database) == before


def test_a_role_with_the_rights_and_no_more_converts(database: Database, roles: tuple[str, str]) -> None:
    me, _ = roles
    database.sql(
        *PLAIN,
        "CREATE TABLE app.child (id bigint PRIMARY KEY, t_id bigint REFERENCES app.t)",
        "CREATE VIEW app.v AS SELECT id FROM app.t",
        *(statement.replace("@schema@", "schema_kit") for statement in load("partman/tables/part_config.sql")),
        f"GRANT ALL ON SCHEMA app, schema_kit TO {me}",
        f"GRANT SELECT, INSERT, UPDATE ON schema_kit.part_config TO {me}",
        f"ALTER TABLE app.t OWNER TO {me}",
        f"ALTER TABLE app.child OWNER TO {me}",
        f"ALTER VIEW app.v OWNER TO {me}",
    )
    connection, op = (
        database.sqlalchemy(),
        Convert(Partitioning(T, "at", "1 mon"), "composite", "attach"),
    )
    connection.exec_driver_sql(f"SET SESSION AUTHORIZATION {me}")
    assert execute.run(connection, lambda: op.plan(Catalog(connection)), QUICK, database.events.append)
    connection.exec_driver_sql("INSERT INTO app.t (id) VALUES (1)")
    connection.exec_driver_sql("INSERT INTO app.child VALUES (1, 1)")


@pytest.mark.exhaustive
def test_default_privileges_give_no_role_more(database: Database, roles: tuple[str, str]) -> None:
    owner, reader = roles
    database.sql(
        *PLAIN,
        f"ALTER TABLE app.t OWNER TO {owner}",
        f"GRANT CREATE, USAGE ON SCHEMA app TO {owner}",
        f"GRANT INSERT ON app.t TO {reader}",
        f"GRANT SELECT ON SEQUENCE app.t_id_seq TO {reader}",
        "COMMENT ON SEQUENCE app.t_id_seq IS 'numbers'",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT ALL ON TABLES TO {reader}, PUBLIC",
        f"ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT ALL ON SEQUENCES TO {reader}, PUBLIC",
        f"ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO {owner}",
    )
    before = facts(database)
    convert(database, T)
    after = facts(database)
    assert about(before, "app.t", "relation") == about(after, "app.t", "relation")
    assert about(before, "app.t_id_seq", "relation") == about(after, "app.t_id_seq", "relation")
    made = database.sql(
        "SELECT relname, relacl::text FROM pg_class WHERE relispartition AND relkind = 'r' AND relname LIKE 't_p%'"
    )
    assert made
    assert all(reader not in acl and "{=" not in acl and ",=" not in acl for _, acl in made)

    heir = database.sql(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'app.t'::regclass ORDER BY inhrelid LIMIT 1"
    )[0][0]
    database.sql(
        f"REVOKE INSERT ON app.t FROM {reader}",
        f"GRANT UPDATE (body) ON app.t TO {reader}",
        "ALTER TABLE app.t OWNER TO postgres",
    )
    parent = database.sql("SELECT relowner::regrole::text, relacl::text FROM pg_class WHERE oid = 'app.t'::regclass")
    assert heir.startswith("app.t_before_")
    unpartition(database, T)
    assert parent == database.sql(
        "SELECT relowner::regrole::text, relacl::text FROM pg_class WHERE oid = 'app.t'::regclass"
    )
    assert about(before, "app.t_id_seq", "relation").keys() == about(facts(database), "app.t_id_seq", "relation").keys()
