"""The server of the tests is the scratch server."""

from __future__ import annotations

from urllib.parse import quote

import pytest


@pytest.fixture
def scratch(running_server: None, pytestconfig: pytest.Config) -> str:
    """Its URL."""
    option = pytestconfig.option
    host = quote(option.postgresql_host, safe="")
    return f"postgresql://{option.postgresql_user}@/postgres?host={host}&port={option.postgresql_port}"
