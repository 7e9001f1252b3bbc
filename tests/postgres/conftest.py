"""A database of its own for each test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from pytest_postgresql import factories

from tests.support.database import Database

server = factories.postgresql_noproc(dbname="test")
client = factories.postgresql("server")


@pytest.fixture
def database(client: psycopg.Connection[Any]) -> Iterator[Database]:
    """A database of its own, empty."""
    info = client.info
    url = f"postgresql://postgres@/{info.dbname}?host={quote(info.host, safe='')}&port={info.port}"
    client.close()
    with ExitStack() as stack:
        yield Database(url, stack)
