"""Next to alembic_utils, alembic-postgresql-enum and types of the user's own: each writes what it would by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.database import Database
from tests.support.recipes import ran

pytestmark = [pytest.mark.autogenerate, pytest.mark.projects]

MODELS = '''
import os
import sqlalchemy as sa
from alembic_utils.pg_extension import PGExtension
from alembic_utils.pg_function import PGFunction
from alembic_utils.pg_view import PGView
from schema_kit.declare import partitioned

STAGE = int(os.environ["STAGE"])
AFTER = STAGE == 2

class Labels(sa.types.UserDefinedType):
    """As geoalchemy2 makes its own: read and written through functions, unknown to reflection."""
    cache_ok = True

    def get_col_spec(self, **_):
        return "ltree"

    def bind_expression(self, value):
        return sa.func.text2ltree(value, type_=self)

    def column_expression(self, column):
        return sa.func.ltree2text(column, type_=self)

metadata = sa.MetaData()
mood = sa.Enum(*(("good", "great") if AFTER else ("good", "bad")), name="mood")
sa.Table(
    "places", metadata,
    sa.Column("id", sa.BigInteger, primary_key=True),
    sa.Column("mood", mood, server_default="good", nullable=False),
    sa.Column("path", Labels, index=AFTER),
    sa.Column("name", sa.Text, nullable=not AFTER),
    *([sa.Column("other", Labels), sa.Index("places_other", "other", postgresql_using="gist")] if AFTER else []),
)
sa.Table(
    "events", metadata,
    sa.Column("at", sa.DateTime(timezone=True), primary_key=True),
    sa.Column("id", sa.BigInteger, primary_key=True),
    sa.Column("mood", mood),
    partitioned("at", "1 month"),
)
ENTITIES = [
    PGExtension("public", "ltree"),
    PGFunction("public", "twice(n int)", f"RETURNS int LANGUAGE sql AS $$ SELECT n * {2 + STAGE} $$"),
    *([PGView("public", "named", f"SELECT id, name FROM places WHERE id > {STAGE}")] if STAGE else []),
]
'''
ENV = """
import alembic_postgresql_enum
from alembic_utils.replaceable_entity import register_entities
from models import ENTITIES, metadata
register_entities(ENTITIES)
"""
WITH_RUN = """
from schema_kit import environment
environment.run(metadata)
"""
WITHOUT = """
import os
import sqlalchemy as sa
from alembic import context
import schema_kit.ops
with sa.create_engine(os.environ["URL"]).connect() as connection:
    context.configure(connection=connection, target_metadata=metadata)
    with context.begin_transaction():
        context.run_migrations()
"""
CATALOG = """
SELECT attrelid::regclass::text, attname::text, atttypid::regtype::text, attnotnull FROM pg_attribute
WHERE attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace
                   AND relkind <> 'S' AND NOT relispartition AND relname NOT LIKE 'alembic%')
AND attnum > 0 AND NOT attisdropped ORDER BY 1, 2
"""
STAGES = (
    (
        [
            "sa.Enum('good', 'bad', name='mood').create(",
            "op.create_entity(public_twice)",
            "op.create_partitioned_table(",
        ],
        {"'events'": 1, "'places'": 1},
    ),
    (["op.create_entity(public_named)", "op.replace_entity(public_twice)"], {"concurrently": 0}),
    (
        ["op.sync_enum_values(", "op.replace_entity(public_named)", "op.set_not_null_concurrently('places', 'name')"],
        {"op.create_index_concurrently(": 2, "op.add_column(": 1},
    ),
)
"""What upgrades contain, and how often."""


@pytest.mark.exhaustive
@pytest.mark.parametrize("env", [WITH_RUN, WITHOUT], ids=["environment.run", "hand-written"])
def test_each_writes_its_own(database: Database, tmp_path: Path, other_python: str, env: str) -> None:
    url = database.url.replace("postgresql://", "postgresql+psycopg://")

    def alembic(*arguments: str, stage: int) -> str:
        given = {"DATABASE_URL": database.url, "URL": url, "STAGE": str(stage), "PYTHONPATH": str(tmp_path)}
        return ran(tmp_path, "alembic", *arguments, python=other_python, **given)

    database.sql("CREATE EXTENSION ltree")
    alembic("init", "migrations", stage=0)
    (tmp_path / "models.py").write_text(MODELS, encoding="utf-8")
    (tmp_path / "migrations" / "env.py").write_text(ENV + env, encoding="utf-8")
    template = tmp_path / "migrations" / "script.py.mako"
    template.write_text(
        template.read_text(encoding="utf-8").replace("import sqlalchemy", "import models\nimport sqlalchemy"),
        encoding="utf-8",
    )
    versions, seen = tmp_path / "migrations" / "versions", set[Path]()
    for stage, (contained, counted) in enumerate(STAGES):
        alembic("revision", "--autogenerate", "-m", f"stage {stage}", stage=stage)
        texts = [one.read_text(encoding="utf-8") for one in {*versions.glob("*.py")} - seen]
        seen = {*versions.glob("*.py")}
        upgrades = "".join(text.partition("def upgrade")[2].partition("def downgrade")[0] for text in texts)
        assert [one for one in contained if one not in upgrades] == []
        assert {one: upgrades.count(one) for one in counted} == counted
        alembic("upgrade", "head", stage=stage)
        assert "No new upgrade operations" in alembic("check", stage=stage)
    done = database.sql(CATALOG)
    alembic("downgrade", "base", stage=2)
    assert database.sql(CATALOG) == []
    alembic("upgrade", "head", stage=2)
    assert database.sql(CATALOG) == done
    assert "No new upgrade operations" in alembic("check", stage=2)
