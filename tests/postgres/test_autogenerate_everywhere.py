"""Autogenerate proposes nothing for any state that a command, an operation or a kill has left, in each env.py.

The models are what they are when the operation is done. Before that, autogenerate may propose what the operation is
about to do (an index that the models have, or to validate a constraint), and nothing else; once it is done, nothing.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from alembic import command

from schema_kit.ops.operation import OPERATIONS
from tests.support.database import Database
from tests.support.projects import Project
from tests.support.states import GROUPS, Case, states

pytestmark = [pytest.mark.projects, pytest.mark.majors, pytest.mark.libraries]

PROJECTS = (
    Project("public", "psycopg", "environment.run"),
    Project("public", "asyncpg", "environment.run"),
    Project("public", "psycopg2", "hand-written"),
    Project("public", "asyncpg", "hand-written"),
    Project("public", "psycopg", "one_migrator"),
    Project("public", "psycopg2", "multidb"),
)
OF_THE_USERS = (
    "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace('{schema}') AND relkind IN ('r', 'p') "
    "AND NOT relispartition"
)

FILTERED = {"include_object": lambda thing, *_: thing.name != "hidden"}

Proposed = tuple[str, str | None, str]
"""What is proposed, for which table, and the name of the thing."""


def modelled(database: Database, case: Case, schemas: list[str]) -> sa.MetaData:
    """The user's tables as they are when all is done, in each of the schemas."""
    before, done = ({name for (name,) in database.sql(OF_THE_USERS.format(schema=schemas[place]))} for place in (0, -1))
    made_first = before - {name for name in before if any(f".{name} " in text for text in case.before)}
    reflected, models = sa.MetaData(), sa.MetaData()
    users = ((before - made_first) & done) | case.makes
    with database.sqlalchemy() as connection:
        reflected.reflect(connection, schema=schemas[-1], only=sorted(users)) if users else None
    for schema in schemas:
        for table in (one for one in reflected.tables.values() if one.name in users):
            for key in table.foreign_key_constraints:
                if key.referred_table.name not in users:  # PostgreSQL's own, of a partition
                    table.constraints.discard(key)
            table.to_metadata(models, schema=schema, referred_schema_fn=lambda *_, schema=schema: schema)
    return models


def named(diff: Any) -> tuple[str | None, Proposed]:
    """An entry of Alembic's or ours, by schema."""
    if diff[0] in OPERATIONS:
        *given, keywords = diff if isinstance(diff[-1], dict) else (*diff, {})
        kind, name, *table = given
        return keywords.get("schema") or keywords.get("source_schema"), (kind, str(table[0] if table else name), name)
    if diff[0].startswith("modify_"):
        kind, schema, table, column, *_ = diff
        return schema, (kind, table, column)
    if diff[0].endswith("_column"):
        kind, schema, table, column = diff
        return schema, (kind, table, column.name)
    thing = diff[1]
    table = getattr(thing, "table", thing)
    return table.schema, (diff[0], table.name, str(thing.name))


def proposals(
    project: Project, folder: Path, url: str, models: sa.MetaData, **options: Any
) -> dict[str | None, set[Proposed]]:
    """What autogenerate would write into a revision, by schema."""
    found: dict[str | None, set[Proposed]] = {}

    def catch(_: Any, __: Any, directives: list[Any]) -> None:
        entries = [entry for upgrade in directives[0].upgrade_ops_list for entry in upgrade.as_diffs()]
        for entry in entries:
            for diff in entry if isinstance(entry, list) else [entry]:
                schema, proposed = named(diff)
                found.setdefault(schema, set()).add(proposed)
        directives.clear()

    config = project.write(folder, url, chain=())
    options = {"include_schemas": True, "process_revision_directives": catch, **options}
    config.attributes |= {"before_and_after": [], "models": models, "options": options}
    command.revision(config, autogenerate=True)
    return found


@pytest.mark.filterwarnings("ignore:Can't validate argument 'dialect_options'")  # SQLAlchemy's, of NOT VALID
@pytest.mark.exhaustive
@pytest.mark.parametrize("group", GROUPS)
def test_nothing_is_proposed_in_any_state(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, group: str
) -> None:
    monkeypatch.chdir(tmp_path)  # where files are exported to
    models, made = sa.MetaData(), dict[str, list[str]]()
    for name, case in GROUPS[group].items():
        made[name] = states(database, name, case)
        for table in modelled(database, case, made[name]).tables.values():
            table.to_metadata(models, referred_schema_fn=lambda table, to_schema, *_: to_schema)
    database.sql("CREATE SCHEMA theirs", "CREATE TABLE theirs.hidden (id int)")
    asked: list[str | None] = []

    def include(name: str | None, kind: str, _: Any) -> bool:
        asked.append(name)
        return kind != "schema" or name != "theirs"

    wrong = []
    for place, project in enumerate(PROJECTS):
        asked.clear()
        found = proposals(
            project, tmp_path / str(place), database.url, models, **(FILTERED, {"include_name": include})[place % 2]
        )
        assert bool(asked) == bool(place % 2), "the user's own filter is asked"
        assert set(found) <= {schema for schemas in made.values() for schema in schemas}
        for before, *between, done in made.values():
            due = found.get(before, set())
            left = {schema: found.get(schema, set()) - due for schema in between} | {done: found.get(done, set())}
            wrong += [
                (project, schema, proposed)
                for schema, several in left.items()
                for proposed in several
                if schema == done or proposed[0] != "validate_constraint"  # which comes next
            ]
    assert wrong == []


def killed_while_it_waits(database: Database, statement: str, table: str) -> None:
    """End the session that sends it while it waits for a transaction that has written to the table."""
    with database.connect(autocommit=False) as writer, ThreadPoolExecutor() as pool:
        writer.execute(f"LOCK TABLE {table} IN ROW EXCLUSIVE MODE".encode())
        sent = pool.submit(database.sql, statement)
        waits = """SELECT pid FROM pg_stat_activity WHERE query = %(sent)s AND wait_event_type = 'Lock'
                   AND datname = current_database()"""
        with database.connect() as look:
            while not (waiting := look.execute(waits, {"sent": statement}).fetchall()):
                assert not sent.done()
            look.execute("SELECT pg_terminate_backend(%s)", waiting[0])
        with pytest.raises(psycopg.OperationalError):
            sent.result()


KILLED = {
    "create": "CREATE INDEX CONCURRENTLY t_v ON t (v)",
    "reindex": "REINDEX TABLE CONCURRENTLY t",
    "drop": "DROP INDEX CONCURRENTLY t_v",
    "detach": "ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY",
}


@pytest.mark.parametrize("kind", KILLED)
def test_nothing_is_proposed_where_a_statement_was_killed(database: Database, tmp_path: Path, kind: str) -> None:
    models = sa.MetaData()
    table = sa.Table("t", models, sa.Column("id", sa.BigInteger, primary_key=True), sa.Column("v", sa.Integer))
    sa.Index("t_v", table.c.v)
    sa.Table("p", models, sa.Column("k", sa.Integer))
    database.sql(
        "CREATE TABLE t (id bigint PRIMARY KEY, v int)",
        "CREATE TABLE p (k int) PARTITION BY RANGE (k)",
        "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9)",
        *(["CREATE INDEX t_v ON t (v)"] if kind != "create" else []),
    )
    killed_while_it_waits(database, KILLED[kind], "p" if kind == "detach" else "t")
    for place, project in enumerate(PROJECTS):
        found = proposals(project, tmp_path / str(place), database.url, models, include_schemas=place % 2 == 0)
        again = {None: {("create_index_concurrently", "t", "t_v")}}  # of what is left INVALID and the models have
        assert found == (again if kind in ("create", "drop") else {}), project
