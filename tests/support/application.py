"""The five systems as their models have them, with rows, and without the migrations: a second instead of a minute."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import psycopg
import sqlalchemy as sa

from migrations.models import metadata
from migrations.sample import fill
from schema_kit import timings
from tests.support.cli import ROOT
from tests.support.database import Database


def engine(database: Database) -> sa.Engine:
    """An engine on a database, disposed of after the test."""
    made = sa.create_engine(sa.make_url(database.url).set(drivername="postgresql+psycopg"))
    database.stack.callback(made.dispose)
    return made


def systems(database: Database, rows: int = 3000) -> sa.Engine:
    """Tables with a default partition each, rows of three months, and the materialized view of its revision."""
    schemas = {table.schema for table in metadata.sorted_tables}
    database.sql("CREATE EXTENSION pg_trgm", *(f"CREATE SCHEMA {schema}" for schema in schemas))
    made = engine(database)
    metadata.create_all(made)
    for table in metadata.sorted_tables:
        if table.dialect_options["postgresql"]["partition_by"]:
            database.sql(f"CREATE TABLE {table.fullname}_rest PARTITION OF {table.fullname} DEFAULT")
    database.sql("ALTER TABLE rag_chat.citations DROP CONSTRAINT citations_message_id_fkey")
    with psycopg.connect(database.url) as connection:
        fill(connection, rows, date.today(), months=3)
    database.sql(
        "UPDATE rag_chat.citations SET message_timestamp = m.timestamp FROM rag_chat.messages m WHERE m.id = message_id"
    )
    revision = Path(ROOT, "migrations/versions/category_metrics.py").read_text("utf-8")
    database.sql(revision.split('"""')[3], "ANALYZE")
    return made


@contextmanager
def counting(watched: timings.Watched) -> Iterator[list[int]]:
    """How many statements an engine has sent meanwhile: the last number."""
    watched.clear()
    sent = [0]
    try:
        yield sent
    finally:
        sent[0] = sum(statement.calls for statement in watched.statements())
