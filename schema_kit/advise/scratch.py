"""A throw-away server that plans as production does: its catalog, statistics and lengths of files, and no row."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from schema_kit import embedded
from schema_kit.advise import ends, sizing, stretch
from schema_kit.advise.production import MAJOR, Locale, Production
from schema_kit.errors import PlanError, SchemaKitError
from schema_kit.names import QualifiedName

DATABASE = "advise"
_PREFIX = "schema_kit-advise-"

SETTINGS = {
    "autovacuum": "off",  # it would shorten files to the rows that are in them
    "event_triggers": "off",
    "fsync": "off",
    "full_page_writes": "off",
    "max_wal_size": "1GB",
    "max_locks_per_transaction": "1024",
    "max_connections": "20",
    "shared_buffers": "64MB",
    "logging_collector": "off",
    "log_min_error_statement": "panic",  # statements hold values of statistics
    "log_min_messages": "fatal",
}


@dataclass
class Scratch:
    """The server, with a connection to it.

    Args:
        server: the running one.
        production: what it imitates.
        pages: of each table and index, how long it is.
        notes: what could not be taken over, a sentence each.
    """

    server: embedded.Server
    production: Production
    pages: dict[QualifiedName, int]
    notes: list[str] = field(default_factory=list)
    _connection: psycopg.Connection[Any] | None = None

    @property
    def connection(self) -> psycopg.Connection[Any]:
        """A session in autocommit, as production has its settings."""
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(
                self.server.url(DATABASE), autocommit=True, prepare_threshold=None, client_encoding="utf8"
            )
        return self._connection

    def rows(self, query: str, values: Mapping[str, Any] | Sequence[Any] | None = None) -> list[Any]:
        """Return the rows of a query."""
        cursor = self.connection.execute(query.encode(), values)
        return cursor.fetchall() if cursor.description else []

    def close(self) -> None:
        """End the session."""
        if self._connection is not None:
            self._connection.close()

    def stretch(self) -> None:
        """Give files their lengths and B-trees their heights: as in production; as they would be, where it has none.

        The server is stopped meanwhile. CREATE INDEX would read what is so long afterwards: make indexes before.
        """
        self.rows(
            "UPDATE pg_class c SET relpages = s.relpages, reltuples = s.reltuples, relallvisible = "
            "s.relallvisible FROM advise.told s WHERE s.oid = c.oid"
        )  # CREATE INDEX has counted no rows
        stretch.lengthen(self.server, stretch.files(self.rows, self.pages, {}, {}, kinds=("r", "m")))
        new = [oid for oid, *name in self.rows(stretch.INDEXES) if QualifiedName(*name) not in self.pages]
        if new:
            sizing.expressions(self.rows, new)
        trees, shapes = stretch.trees(self.rows), sizing.shapes(self.rows)
        for index in sizing.sizes(self.rows, new, trees, shapes, self.pages) if new else ():
            self.pages[index.name] = index.pages
        files = stretch.files(self.rows, self.pages, stretch.trees(self.rows), shapes)
        self.rows("CHECKPOINT")
        self.close()
        embedded.stop(self.server.folder)
        stretch.write(self.server, files)
        self.server = _start(self.server.folder)


@contextmanager
def scratch(production: Production) -> Iterator[Scratch]:
    """A server that has production's catalog, statistics and settings; stopped and removed behind the block.

    Its files are empty still: make indexes, then call its `stretch()`. What a killed process has left is removed, too.

    Args:
        production: what to imitate; its dump is closed as soon as it is loaded.

    Raises:
        EmbeddedServerError: the embedded server cannot be had.
    """
    _remove_leftovers()
    folder = Path(tempfile.gettempdir(), f"{_PREFIX}{os.getpid()}-{time.monotonic_ns()}")
    made: Scratch | None = None
    try:
        made = Scratch(_start(folder), production, dict(production.pages))
        _create(made)
        _load(made)
        yield made
    except psycopg.Error as error:  # its text may hold values: not even --debug shows it
        raise PlanError(f"the scratch server refused a statement (SQLSTATE {error.sqlstate}).") from None
    finally:
        with _undisturbed():
            production.dump.close()
            if made:
                made.close()
            _remove(folder)


def _start(folder: Path) -> embedded.Server:
    return embedded.start(folder, quiet=True, settings=SETTINGS, least=MAJOR)


def _remove(folder: Path) -> None:
    for _ in range(50):
        try:
            embedded.reset(folder)
        except (OSError, SchemaKitError):  # a program that was interrupted writes its last file
            time.sleep(0.1)
        else:
            return


def _remove_leftovers() -> None:
    """Remove what processes that were killed have left."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(ValueError, OSError):
            pid = int(folder.name.removeprefix(_PREFIX).partition("-")[0])
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                if os.geteuid() in (0, folder.stat().st_uid):
                    _remove(folder)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Hold Ctrl-C and SIGTERM back, so that nothing is left behind."""
    held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)


def _create(made: Scratch) -> None:
    """Make the database, with production's collation where this machine has it, and its settings."""
    locale = made.production.locale
    with psycopg.connect(made.server.url("postgres"), autocommit=True) as connection:
        own, *others = _collations(locale)
        if not _created(connection, own):
            if not any(_created(connection, options) for options in others):
                raise PlanError(f"the scratch server has no database of encoding {locale.encoding}.")
            made.notes.append(
                f"this machine does not have production's collation {locale.name or locale.collate}: another one "
                "orders texts here."
            )
        known = {name for (name,) in connection.execute("SELECT name FROM pg_settings WHERE context <> 'internal'")}
        for name, value in made.production.settings.items():
            if name in known:
                change = sql.SQL("ALTER DATABASE {} SET {} = {}").format(
                    sql.Identifier(DATABASE), sql.Identifier(name), _value(name, value)
                )
                with suppress(psycopg.Error):  # a value that this version does not have
                    connection.execute(change)


def _created(connection: psycopg.Connection[Any], options: str) -> bool:
    with suppress(psycopg.Error):
        connection.execute(f"CREATE DATABASE {DATABASE} TEMPLATE template0 {options}".encode())
        return True
    return False


def _value(name: str, value: str) -> sql.Composable:
    if name != "search_path":
        return sql.Literal(value)
    schemas = [part.strip().strip('"') for part in re.split(r",(?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)", value)]
    return sql.SQL(", ").join(map(sql.Literal, schemas))


def _collations(locale: Locale) -> Iterator[str]:
    """Options of CREATE DATABASE: production's own, then what orders and compares like it as far as indexes go."""

    def quoted(text: str) -> str:
        return "'" + text.replace("'", "''") + "'"

    def libc(collate: str, ctype: str) -> str:
        return f"LC_COLLATE {quoted(collate)} LC_CTYPE {quoted(ctype)}"

    provider = {
        "c": "libc",
        "i": f"icu ICU_LOCALE {quoted(locale.name)}",
        "b": f"builtin BUILTIN_LOCALE {quoted(locale.name)}",
    }[locale.provider]
    plain = locale.provider == "b" or locale.collate in ("C", "POSIX")  # LIKE can use any index of such texts
    for encoding in dict.fromkeys((locale.encoding, "UTF8")):
        begin = f"ENCODING {quoted(encoding)} LOCALE_PROVIDER"
        yield f"{begin} {provider} {libc(locale.collate, locale.ctype)}"
        for ctype in (locale.ctype, "C.UTF-8", "en_US.UTF-8"):  # it says what letters are, to pg_trgm for one
            if plain:
                yield f"{begin} libc {libc('C', ctype)}"
            yield f"{begin} icu ICU_LOCALE 'und' {libc('C', ctype)}"
            yield f"{begin} libc {libc(ctype, ctype)}"


def _load(made: Scratch) -> None:
    """Load the dump; what the scratch cannot have is left out, and said."""
    production = made.production
    there = {name for (name,) in made.rows("SELECT name FROM pg_available_extensions")}
    if lacking := sorted(set(production.extensions) - there):
        made.notes.append(f"the scratch lacks the extension {', '.join(lacking)}: what needs it is left out.")
    done = subprocess.run(
        made.server.psql("-X", "-q", "-v", "ON_ERROR_STOP=0"),
        stdin=production.dump,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=made.server.environment(DATABASE),
        check=False,
    )
    production.dump.close()
    if done.returncode and done.returncode != 3:  # 3: some of the statements failed
        raise PlanError("the dump could not be loaded on the scratch server.")
    told = {QualifiedName(*row[:2]): row[2] for row in made.rows(stretch.TOLD_PAGES)}
    if lost := sorted(str(name) for name in production.pages if name not in told):
        some = ", ".join(lost[:5]) + (f" and {len(lost) - 5} more" if len(lost) > 5 else "")
        made.notes.append(f"not loaded on the scratch, whose version or extensions do not know it: {some}.")
    made.pages = {name: production.pages.get(name, pages) for name, pages in told.items()}
    made.rows(_ALONE)
    made.rows(_TOLD)
    made.rows(ends.MOVE)
    made.rows(_SEARCH_PATH)
    made.close()  # the settings of the database are those of the next session
    made.notes += _said(made)
    made.production = replace(production, version=production.version or made.connection.info.server_version)


# To plan a foreign table, a wrapper may ask its server: here it knows none.
_ALONE = """
DELETE FROM pg_user_mapping; UPDATE pg_foreign_server SET srvoptions = NULL;
UPDATE pg_foreign_table SET ftoptions = NULL
"""

_TOLD = """
CREATE SCHEMA advise; CREATE TABLE advise.told AS SELECT oid, relpages, reltuples, relallvisible FROM pg_class
WHERE relkind IN ('r', 'p', 'm') AND relnamespace <> 'pg_catalog'::regnamespace
"""

# What is not where production looks for it, as tables of tenants are, is looked for everywhere.
_SEARCH_PATH = f"""
DO $$ BEGIN EXECUTE (
  SELECT 'ALTER DATABASE {DATABASE} SET search_path = ' || string_agg(quote_ident(s.name), ', ' ORDER BY s.place)
  FROM (SELECT name, min(place) AS place FROM (
    SELECT u.name, u.place FROM unnest(current_schemas(false)) WITH ORDINALITY u (name, place)
    UNION ALL SELECT n.nspname, 1000 FROM pg_namespace n WHERE n.nspname !~ '^pg_'
      AND n.nspname NOT IN ('information_schema', 'advise')) a GROUP BY name) s); END $$
"""

_EXTENDED = """
SELECT DISTINCT n.nspname, c.relname FROM pg_statistic_ext e JOIN pg_class c ON c.oid = e.stxrelid
JOIN pg_namespace n ON n.oid = c.relnamespace ORDER BY 1, 2
"""

_NEVER = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm') AND NOT c.relispartition AND n.nspname !~ '^pg_'
  AND n.nspname NOT IN ('information_schema', 'schema_kit', 'advise')
  AND (c.relkind = 'p' OR c.reltuples <> 0) AND NOT EXISTS (SELECT 1 FROM pg_statistic s WHERE s.starelid = c.oid)
ORDER BY 1, 2
"""


def _said(made: Scratch) -> Iterator[str]:
    version, own = made.production.version // 10000, made.connection.info.server_version // 10000
    if version and version != own:
        yield (
            f"production is PostgreSQL {version}, and this is what the planner of {own} says: costs of the two are "
            "within 10 % of each other, mostly equal. Where 18 would skip through an index whose first column is not "
            "compared, the plan is the one without that index."
        )
    for query, what in (
        (_EXTENDED, "extended statistics, which pg_dump does not write: rows of combined columns can be off"),
        (_NEVER, "no statistics: what is said of it is a guess. Run ANALYZE"),
    ):
        if names := [str(QualifiedName(*row)) for row in made.rows(query)]:
            some = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
            yield f"{some}: {what}."
