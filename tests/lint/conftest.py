"""The server of the tests is the scratch server."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from urllib.parse import quote

import psycopg
import pytest


@pytest.fixture
def scratch(running_server: None, pytestconfig: pytest.Config) -> str:
    """Its URL."""
    option = pytestconfig.option
    host = quote(option.postgresql_host, safe="")
    return f"postgresql://{option.postgresql_user}@/postgres?host={host}&port={option.postgresql_port}"


@pytest.fixture
def target(scratch: str) -> Iterator[str]:
    """The URL of a database of its own, as a project's."""
    name = f"target_{secrets.token_hex(4)}"
    with psycopg.connect(scratch, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    yield scratch.replace("/postgres?", f"/{name}?")
    with psycopg.connect(scratch, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
