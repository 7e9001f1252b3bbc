"""Connections of the suite itself: as they were written for, whatever the database is set to."""

from __future__ import annotations

from typing import Any

import psycopg

from tests.support.settings import NEWER, SETTINGS

Connection = psycopg.Connection[Any]
GONE = (None, "57P01", "57P02", "57P03", "08006", "08003", "08001", "53300")
"""SQLSTATEs of a server that was stopped: the connection is lost, or not available yet."""
_PINNED = {
    "bytea_output": "hex",
    "client_encoding": "UTF8",
    "datestyle": "ISO",
    "default_transaction_deferrable": "off",
    "default_transaction_isolation": r"read\ committed",
    "escape_string_warning": "on",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
    "intervalstyle": "postgres",
    "lock_timeout": "0",
    "quote_all_identifiers": "off",
    "row_security": "on",
    "search_path": "public",
    "session_replication_role": "origin",
    "standard_conforming_strings": "on",
    "statement_timeout": "60s",
    "timezone": "UTC",
    "transform_null_equals": "off",
}


def connect(url: str, name: str = "suite", role: str = "", **pinned: str) -> Connection:
    """A connection in autocommit.

    Args:
        url: the database.
        name: what the server knows it by.
        role: whose rights it has.
        pinned: more settings.
    """
    settings = _PINNED | pinned | ({"role": role} if role else {})
    options = " ".join(f"-c {setting}={value}" for setting, value in settings.items())
    connection = psycopg.connect(url, autocommit=True, options=options, application_name=name, connect_timeout=10)
    if connection.info.server_version >= NEWER["transaction_timeout"][0]:
        connection.execute("SET transaction_timeout = 0")
    return connection


def odd_settings(version: int) -> dict[str, tuple[str, ...]]:
    """What a database may be set to, of those that need nothing else.

    A statement_timeout of 1 ms is not among them: on a busy machine it interrupts the statement that lifts it. Nor is
    synchronous_commit off: where the server crashes, PostgreSQL may forget what writers know as committed.
    """
    newer = {name: (value,) for name, (since, value) in NEWER.items() if version >= since}
    found = {name: values for name, values in SETTINGS.items() if "" not in values} | newer
    del found["synchronous_commit"]
    return found | {"statement_timeout": ("'2s'",)}
