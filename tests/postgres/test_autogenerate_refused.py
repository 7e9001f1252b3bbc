"""What an operation would refuse when it runs is a sentence when autogenerate looks."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from schema_kit.declare import partitioned
from tests.support.autogenerate import Written
from tests.support.database import Database

pytestmark = [pytest.mark.autogenerate, pytest.mark.majors]


def events(interval: str) -> sa.MetaData:
    metadata = sa.MetaData()
    sa.Table(
        "events",
        metadata,
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", sa.DateTime(timezone=True), primary_key=True),
        partitioned("at", interval, premake=2),
    )
    return metadata


def test_an_interval_whose_boundaries_lie_inside_partitions(database: Database, tmp_path: Path) -> None:
    with database.sqlalchemy() as connection:
        events("1 month").create_all(connection)
    project = Written(tmp_path, database.url, events("1 month"))
    assert project.diffs() == []
    assert project.sentences == []
    project.models = events("1 week")
    assert project.diffs() == []
    (said,) = project.sentences
    assert said.startswith("public.events is declared with interval='1 week', which op.set_partition_policy refuses: ")
    project.models = events("1 day")
    assert [diff[0] for diff in project.diffs()] == ["set_partition_policy"]


def test_a_change_of_type_that_rewrites_is_said_in_the_revision(database: Database, tmp_path: Path) -> None:
    database.sql("CREATE TABLE t (id int PRIMARY KEY, n int)")
    metadata = sa.MetaData()
    sa.Table("t", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("n", sa.BigInteger))
    (script,) = Written(tmp_path, database.url, metadata).revision()
    docstring = script.partition("Revision ID")[0]
    assert "To make n of public.t BIGINT, PostgreSQL writes or checks each row" in docstring
    assert "op.update_in_batches" in docstring
