"""The scratch server: databases that are made for one run, from templates that are kept for the next one."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa

from schema_kit import embedded
from schema_kit.embedded.tools import find_tools
from schema_kit.errors import DeclarationError, EmbeddedServerError
from schema_kit.lint import standins
from schema_kit.names import ident, literal
from schema_kit.server import Server

_PREFIX = "schema_kit_lint"
_KEPT_TEMPLATES = 12
_SETTINGS = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "autovacuum": "off"} | {
    "max_logical_replication_workers": "0"
}
"""Nothing on it has to survive anything."""


def folder() -> Path:
    """Return where the scratch server's data are: next to those of the embedded server."""
    beside = embedded.data_folder()
    return beside.with_name(f"{beside.name}_lint")


@dataclass(frozen=True)
class Scratch:
    """A server on which databases may be made and dropped.

    Args:
        admin: a database of it that stays.
        version: such as 180006.
    """

    admin: sa.URL
    version: int
    _sessions: dict[str, psycopg.Connection[Any]] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def start(cls, url: str | None = None) -> Scratch:
        """Return the embedded server of its own folder, or the one that *url* names.

        Raises:
            DeclarationError: the URL cannot be read.
            EmbeddedServerError: the server cannot be had.
        """
        if url is None:
            place, settings = folder(), dict(_SETTINGS)
            if embedded.status(place) is None:
                settings |= standins.settings(place, find_tools(None).major)
            admin = sa.make_url(embedded.start(place, quiet=True, settings=settings).url())
        else:
            try:
                admin = sa.make_url(url)
            except (sa.exc.ArgumentError, ValueError) as error:
                raise DeclarationError("--url cannot be read: write postgresql://user@host/database") from error
        try:
            with psycopg.connect(_libpq(admin), autocommit=True) as connection:
                version = connection.info.server_version
        except psycopg.Error as error:
            raise EmbeddedServerError(f"the scratch server cannot be reached: {str(error).strip()}") from error
        scratch = cls(admin.set(drivername="postgresql+psycopg"), version)
        scratch._tidy(own=url is None)
        return scratch

    def url(self, database: str) -> sa.URL:
        """Of one of its databases."""
        return self.admin.set(database=database)

    def libpq(self, database: str) -> str:
        """Return the same for libpq."""
        return _libpq(self.url(database))

    def session(self, database: str) -> psycopg.Connection[Any]:
        """Return a session on one of its databases, in autocommit; the same one until `close`."""
        kept = self._sessions.get(database)
        if kept is None or kept.closed:
            kept = self._sessions[database] = psycopg.connect(self.libpq(database), autocommit=True)
        return kept

    def close(self, database: str | None = None) -> None:
        """End the session on a database, so that it can be copied or renamed; all of them where none is named."""
        for name in [database] if database else [*self._sessions]:
            if kept := self._sessions.pop(name, None):
                kept.close()

    def sql(self, *statements: str) -> list[tuple[Any, ...]]:
        """Send statements to the database that stays; the rows of the last one."""
        with psycopg.connect(_libpq(self.admin), autocommit=True) as connection:
            cursor = connection.cursor()
            for statement in statements:
                cursor.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def template_name(self, key: str) -> str:
        """Return what the database is called that is kept under a key."""
        return f"{_PREFIX}_t_{key[:24]}"

    def template(self, key: str, build: Callable[[str], None], older: str | None = None) -> str:
        """The database that is kept under a key; built, if it is not there, on an older one or on an empty one."""
        name = self.template_name(key)
        if self.sql(f"SELECT 1 FROM pg_database WHERE datname = {literal(name)}"):
            return name
        new = self._name()
        self._create(new, older)
        try:
            build(new)
            self.close(new)
            self.sql(f"ALTER DATABASE {ident(new)} RENAME TO {ident(name)}")
        except psycopg.errors.DuplicateDatabase:  # another run was faster
            self._drop(new)
        except BaseException:
            self._drop(new)
            raise
        self._forget()
        return name

    @contextmanager
    def copy(self, template: str) -> Iterator[str]:
        """A database made like a template, dropped after the block."""
        name = self._name()
        self._create(name, template)
        try:
            yield name
        finally:
            self._drop(name)

    def _name(self) -> str:
        return f"{_PREFIX}_w_{os.getpid()}_{secrets.token_hex(4)}"

    def _create(self, name: str, template: str | None) -> None:
        if template:
            self.close(template)
        how = f"TEMPLATE {ident(template)}" if template else "TEMPLATE template0 ENCODING 'UTF8'"
        strategy = " STRATEGY = FILE_COPY" if Server(self.version).file_copy else ""
        self.sql(f"CREATE DATABASE {ident(name)} {how}{strategy}")

    def _drop(self, name: str) -> None:
        self.close(name)
        with suppress(psycopg.Error):
            self.sql(f"DROP DATABASE IF EXISTS {ident(name)} WITH (FORCE)")

    def _forget(self) -> None:
        """Keep the templates that were made last."""
        query = f"SELECT datname FROM pg_database WHERE datname LIKE '{_PREFIX}\\_t\\_%' ORDER BY oid DESC"
        for (name,) in self.sql(query)[_KEPT_TEMPLATES:]:
            self._drop(str(name))

    def _tidy(self, *, own: bool) -> None:
        """Drop what a run left that was killed."""
        for (name,) in self.sql(f"SELECT datname FROM pg_database WHERE datname LIKE '{_PREFIX}\\_w\\_%'"):
            found = re.match(rf"{_PREFIX}_w_(\d+)_", str(name))
            if own and found and not _runs(int(found[1])):
                self._drop(str(name))


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _libpq(url: sa.URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)
