"""Statements within a statement: of blocks, procedures, functions, triggers. auto_explain shows the plan of each."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import Any

import psycopg

from schema_kit.lint.reach import Plan

_MARK, _TEXT = "plan:\n", re.compile(r'"Query Text": ("(?:[^"\\]|\\.)*")')
_LOAD = b"""DO $$ BEGIN
  LOAD 'auto_explain';
EXCEPTION WHEN OTHERS THEN
  NULL;
END $$"""
_LOADED = b"SELECT 1 FROM pg_catalog.pg_settings WHERE name = 'auto_explain.log_level'"
_ON = {
    "log_nested_statements": "on",
    "log_format": "json",
    "log_verbose": "on",
    "log_analyze": "off",
    "sample_rate": "1",
    "log_level": "warning",
    "log_min_duration": "0",
}
_AS_OWNER = """
SELECT pg_catalog.set_config('role', 'none', {local}), {settings}, pg_catalog.set_config('role', before.role, {local})
FROM (SELECT pg_catalog.current_setting('role') AS role OFFSET 0) before
"""
MISSING = "the server has no auto_explain: UPDATE and DELETE within blocks, functions and triggers are not planned"


class Nested:
    """The plans of what one statement runs that write rows, each text once."""

    def __init__(self) -> None:
        self.missing = False
        self._found = dict[str, Plan]()
        self._listens = False

    def attach(self, connection: psycopg.Connection[Any]) -> None:
        """Load auto_explain into a session; it says nothing yet."""
        connection.pgconn.exec_(_LOAD)
        self.missing = connection.pgconn.exec_(_LOADED).ntuples == 0
        connection.add_notice_handler(self._heed)

    def begin(self, *, local: bool = True) -> str:
        """Return the query with which it says something; of this transaction alone where it is *local*."""
        self._found, self._listens = {}, True
        return _settings(_ON, local=local)

    def end(self, *, local: bool = True) -> str:
        """Return the query after which it says nothing."""
        self._listens = False
        return _settings({"log_min_duration": "-1"}, local=local)

    @property
    def plans(self) -> tuple[Plan, ...]:
        """Those of the last statement."""
        return tuple(self._found.values())

    def _heed(self, diagnosis: psycopg.errors.Diagnostic) -> None:
        said = diagnosis.message_primary or ""
        if not self._listens or _MARK not in said[:80] or '"ModifyTable"' not in said:
            return
        text = found[1] if (found := _TEXT.search(said)) else said
        if text not in self._found:
            with suppress(ValueError, KeyError):
                self._found[text] = json.loads(said.partition(_MARK)[2])["Plan"]


def _settings(values: dict[str, str], *, local: bool) -> str:
    scope = str(local).lower()
    settings = ", ".join(
        f"pg_catalog.set_config('auto_explain.{name}', '{value}', {scope})" for name, value in values.items()
    )
    return _AS_OWNER.format(local=scope, settings=settings)
