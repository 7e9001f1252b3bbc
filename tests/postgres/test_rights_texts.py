"""What users write into an operation may hold any words: it is refused for no right that it does not need."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from schema_kit.errors import PlanError
from tests.support.database import Database
from tests.support.matrix import Operate, build, longer, perform
from tests.support.rights import Limited, limited

pytestmark = [pytest.mark.steps, pytest.mark.majors]

WORDS = 'FROM s.secret; INSERT INTO s.secret; ALTER TABLE s.secret SET SCHEMA secrets; "; DROP SCHEMA secrets'
TEXT = f"word <> '{WORDS}'"
OPERATIONS: dict[str, Operate] = {
    "batch": lambda op: op.update_in_batches("t", {"word": "x"}, schema="s", where=f"{TEXT} /* {WORDS} */"),
    "value": lambda op: op.update_in_batches("t", {"long": WORDS}, schema="s", where="id < 9"),
    "check": lambda op: op.create_check_constraint_concurrently("c", "t", TEXT, schema="s"),
    "default": lambda op: op.alter_column_concurrently("t", "long", schema="s", server_default=WORDS),
    "column": lambda op: op.add_column_concurrently(
        "t",
        sa.Column("new", sa.Text, nullable=False, server_default=sa.text(f"md5($$ {WORDS} $$ || random())")),
        schema="s",
    ),
    "index": lambda op: op.create_index_concurrently("i", "t", ["id"], schema="s", postgresql_where=TEXT),
    "named": lambda op: op.create_index_concurrently("FROM s.secret", "t", ["id"], schema="s"),
}


@pytest.fixture
def owner(database: Database) -> Iterator[Limited]:
    """Of the table alone: not of the others that stand next to it."""
    build(database, "plain")
    database.sql(
        "ALTER TABLE s.t ADD PRIMARY KEY (id), ADD long text",
        "CREATE TABLE s.secret (id int)",
        "CREATE SCHEMA secrets",
    )
    with limited(database) as some:
        database.sql(
            f"GRANT CREATE ON DATABASE {database.sql('SELECT current_database()')[0][0]} TO {some.role}",
            f"GRANT USAGE, CREATE ON SCHEMA s TO {some.role}",
            f"ALTER TABLE s.t OWNER TO {some.role}",
        )
        yield some


@pytest.mark.parametrize("name", longer(OPERATIONS, "value", "default", "named"))
def test_text_asks_for_no_right(owner: Limited, name: str) -> None:
    perform(owner.own, OPERATIONS[name])


def test_a_table_that_the_text_reads_is_named(owner: Limited) -> None:
    reads = "id IN (SELECT id FROM s.secret)"
    with pytest.raises(PlanError, match=r"lacks SELECT on s\.secret"):
        perform(owner.own, lambda op: op.update_in_batches("t", {"word": "x"}, schema="s", where=reads))
