"""Migrations that scenarios run, as a program outside of Alembic runs operations."""

from __future__ import annotations

import sys
from collections.abc import Callable

import sqlalchemy as sa

import schema_kit
from schema_kit import environment, op
from schema_kit.names import QualifiedName


def objects(table: str) -> None:
    """Indexes, constraints and columns."""
    op.create_index_concurrently("ours_index", table, ["body", "n"], schema="chaos")
    op.create_check_constraint_concurrently("ours_check", table, "n >= 0", schema="chaos")
    op.create_unique_constraint_concurrently("ours_unique", table, ["at", "id"], schema="chaos")
    column = sa.Column("ours_column", sa.Uuid, server_default=sa.func.gen_random_uuid(), nullable=False)
    op.add_column_concurrently(table, column, schema="chaos")
    op.set_not_null_concurrently(table, "body", schema="chaos")
    op.replace_index_concurrently("ours_before", table, ["n", "body"], schema="chaos")
    op.create_foreign_key_concurrently(
        "ours_key", table, "ours_referred", ["who"], ["id"], source_schema="chaos", referent_schema="chaos"
    )
    op.reindex_concurrently(table_name=table, schema="chaos")
    op.drop_index_concurrently("ours_index", table, schema="chaos")


def batches(table: str) -> None:
    """Every row, a batch at a time."""
    op.update_in_batches(
        table,
        {"batch": 1},
        schema="chaos",
        where="batch IS NULL",
        batch_size=50,
        target_seconds=0.05,
        max_replica_lag=None,
        max_dead_share=None,
    )


def main(name: str, table: str, url: str) -> None:
    """Run one of them."""
    perform: Callable[[str], None] = {"objects": objects, "batches": batches}[name]
    try:
        with (
            environment.connect(sa.make_url(url).set(drivername="postgresql+psycopg"), autocommit=True) as connection,
            schema_kit.operations(connection),
        ):
            perform(QualifiedName.parse(table).name)
    except (schema_kit.SchemaKitError, sa.exc.DBAPIError) as error:
        sys.exit(f"error: {error}")
