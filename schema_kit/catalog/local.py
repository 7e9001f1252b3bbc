"""What SET LOCAL has set for a transaction, and steps that are commits of their own would end with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from schema_kit.catalog.custom import names
from schema_kit.catalog.session import rows

_NOW = """
SELECT name, setting FROM (
  SELECT name, pg_catalog.current_setting(name) AS setting FROM pg_catalog.pg_settings
  WHERE source = 'session' AND context IN ('user', 'superuser') AND name !~ '^transaction_(isol|read|defer)'
  UNION ALL
  SELECT name, pg_catalog.current_setting(name) FROM pg_catalog.unnest(ARRAY['session_authorization', 'role']) AS name
) AS seen
"""
_THEN = "SELECT name, pg_catalog.current_setting(name, true) FROM pg_catalog.unnest(%(names)s::text[]) AS name"
_SET = "SELECT pg_catalog.set_config(%(name)s, %(value)s, %(local)s)"


class Local:
    """The settings of a transaction that is open; the role comes last, as it can lack the right to set the others."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.before: Mapping[str, str] = self._now() if connection.in_transaction() else {}
        self.lost: dict[str, str] = {}

    def _now(self) -> dict[str, str]:
        own = rows(self.connection, _THEN, {"names": names(self.connection)})
        return dict(map(tuple, (*own, *rows(self.connection, _NOW))))

    @contextmanager
    def kept(self) -> Iterator[None]:
        """After its commit, in autocommit: keep for the session, in this block, what would be lost with it."""
        if self.before:
            since = dict(map(tuple, rows(self.connection, _THEN, {"names": list(self.before)})))
            self.lost = {name: value for name, value in self.before.items() if since[name] != value}
        self._set(self.lost, local=False)
        try:
            yield
        finally:
            if self.lost:
                with suppress(SQLAlchemyError):  # the connection may be the very thing that was lost
                    self._set({name: since[name] for name in reversed(self.lost)}, local=False)

    def again(self) -> None:
        """Set it for the next transaction, as its statements rely on it."""
        self._set(self.lost, local=True)

    def _set(self, settings: Mapping[str, str], *, local: bool) -> None:
        for name, value in settings.items():
            rows(self.connection, _SET, {"name": name, "value": value, "local": local})
