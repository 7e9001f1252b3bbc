"""Indexes by operations, on every shape: the beginning, and what the end must be."""

from __future__ import annotations

from typing import Any

import pytest

from schema_kit.execute import StepDone
from tests.support.database import Database
from tests.support.matrix import SHAPES, build, state, thinned
from tests.support.operations import IndexCase

INVALID = "UPDATE pg_index SET indisvalid = false WHERE indexrelid IN (SELECT oid FROM pg_class WHERE relname ~ '%s')"

NAMES = "SELECT relname FROM pg_class WHERE relnamespace = 's'::regnamespace AND relkind IN ('i', 'I') ORDER BY relname"

matrix = pytest.mark.parametrize("shape", thinned(SHAPES, "plain", "partitioned"))


def prepare(database: Database, case: IndexCase, shape: str, *more: str) -> list[tuple[Any, ...]]:
    """What the end must be; and the beginning again."""
    build(database, shape)
    database.sql(*case.before, *case.blocking, "SELECT 1")
    expected = state(database)
    build(database, shape)
    database.sql(*case.before, *more, "SELECT 1")
    return expected


def done(events: list[Any]) -> list[str]:
    return [event.step.summary for event in events if isinstance(event, StepDone)]
