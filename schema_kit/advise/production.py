"""What is read from production: sizes, settings, counters, and what pg_dump writes of its catalog and statistics."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import sqlalchemy as sa

from schema_kit.catalog.session import observing, rows, send
from schema_kit.embedded.tools import find_tools
from schema_kit.errors import PlanError
from schema_kit.names import QualifiedName

MAJOR = 18
"""The first PostgreSQL whose pg_dump writes statistics."""

LOCK_WAIT = "5s"
"""How long pg_dump waits for ACCESS SHARE on a table that another session changes."""

_PAGES = """
SELECT n.nspname, c.relname, (pg_relation_size(c.oid) / current_setting('block_size')::int)::bigint, c.relkind::text
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm', 'i') AND c.relpersistence <> 't' AND n.nspname !~ '^pg_' AND pg_relation_size(c.oid) > 0
  AND n.nspname <> 'information_schema'
"""

_SETTINGS = """
SELECT name, reset_val FROM pg_settings WHERE category LIKE 'Query Tuning%' OR name IN (
  'work_mem', 'hash_mem_multiplier', 'effective_io_concurrency', 'max_parallel_workers_per_gather', 'TimeZone',
  'parallel_leader_participation', 'search_path', 'DateStyle', 'IntervalStyle')
"""

# Columns that only some versions have are taken by name from the row as JSON.
_DATABASE = """
SELECT pg_encoding_to_char(d.encoding), d.datcollate::text, d.datctype::text, coalesce(r ->> 'datlocprovider', 'c'),
       coalesce(r ->> 'datlocale', r ->> 'daticulocale', ''), current_setting('server_version_num')::int,
       current_setting('block_size')::int, current_database()::text
FROM pg_database d, to_jsonb(d) r WHERE d.datname = current_database()
"""

_EXTENSIONS = "SELECT extname FROM pg_extension WHERE extname <> 'plpgsql' ORDER BY 1"

_WRITES = """
SELECT s.schemaname, s.relname, s.n_tup_ins + s.n_tup_upd - s.n_tup_hot_upd, s.n_tup_del, s.n_tup_ins,
       greatest(extract(epoch FROM clock_timestamp() - coalesce(d.stats_reset, pg_postmaster_start_time())), 3600)
         / 86400.0
FROM pg_stat_all_tables s, pg_stat_database d
WHERE d.datname = current_database() AND s.schemaname !~ '^pg_' AND s.schemaname <> 'information_schema'
"""


@dataclass(frozen=True, slots=True)
class Locale:
    """How production orders text, and in which encoding.

    Args:
        encoding: of the database.
        collate: its LC_COLLATE.
        ctype: its LC_CTYPE.
        provider: c, i or b, as pg_database.datlocprovider.
        name: the provider's locale; empty for c.
    """

    encoding: str = "UTF8"
    collate: str = "C"
    ctype: str = "C"
    provider: str = "b"
    name: str = "C.UTF-8"


@dataclass(frozen=True, slots=True)
class Writes:
    """What is written to a table in a day: entries for each of its indexes, rows that are deleted, and new ones."""

    entries: float = 0.0
    deleted: float = 0.0
    inserted: float = 0.0


@dataclass(frozen=True)
class Production:
    """A database that is asked about.

    Args:
        dump: what pg_dump has written, from its beginning; a file without a name, or the user's.
        version: as server_version_num; 0: not known.
        locale: its collation and encoding.
        settings: those that the planner heeds.
        pages: of each table and index, its length; empty: those that the statistics tell are taken.
        extensions: those that it has.
        writes: what is written to each table in a day.
        database: its name.
    """

    dump: IO[bytes]
    version: int = 0
    locale: Locale = Locale()
    settings: Mapping[str, str] = field(default_factory=dict)
    pages: Mapping[QualifiedName, int] = field(default_factory=dict)
    extensions: tuple[str, ...] = ()
    writes: Mapping[QualifiedName, Writes] = field(default_factory=dict)
    database: str = ""


def read(connection: sa.Connection) -> Production:
    """Look at a database: pg_dump of its catalog and statistics, then the sizes, at once.

    Args:
        connection: in autocommit, of a role that may read all tables (pg_read_all_data). pg_dump takes ACCESS SHARE on
            each, for as long as it runs, and waits five seconds for it at most.

    Raises:
        PlanError: the server is newer than the programs here, has other pages, or pg_dump is refused.
    """
    with observing(connection):
        send(connection, "SET LOCAL statement_timeout = '30s'")
        encoding, *order, version, block, database = rows(connection, _DATABASE)[0]
        settings = {row[0]: row[1] for row in rows(connection, _SETTINGS)}
        extensions = tuple(row[0] for row in rows(connection, _EXTENSIONS))
    if block != 8192:
        raise PlanError(f"{database} has pages of {block} bytes, and the scratch has 8192.")
    dump = _dump(connection, version)
    with observing(connection):
        send(connection, "SET LOCAL statement_timeout = '30s'")
        pages = {QualifiedName(*row[:2]): row[2] for row in rows(connection, _PAGES)}
        writes = {
            QualifiedName(*row[:2]): Writes(*(float(count / row[5]) for count in row[2:5]))
            for row in rows(connection, _WRITES)
        }
    return Production(dump, version, Locale(encoding, *order), settings, pages, extensions, writes, database)


def from_dump(path: Path) -> Production:
    """Read a dump that was written with: pg_dump --no-data --statistics --no-owner --file=...

    Raises:
        PlanError: it is not such a file.
    """
    try:
        dump = path.open("rb")
    except OSError as error:
        raise PlanError(f"{path} cannot be read: {error.strerror}.") from error
    text = dump.read()
    if b"PostgreSQL database dump" not in text[:200] or b"pg_restore_relation_stats(" not in text:
        dump.close()
        raise PlanError(
            f"{path} is not a dump with statistics. Write one with PostgreSQL {MAJOR}'s pg_dump: "
            "pg_dump --no-data --statistics --no-owner --no-privileges --file=... (format plain)."
        )
    dump.seek(0)
    found = (line.split() for line in text.splitlines() if line.startswith(b"CREATE EXTENSION IF NOT EXISTS "))
    major = re.search(rb"-- Dumped from database version (\d+)", text[:1000])
    version = int(major[1]) * 10_000 if major else 0
    return Production(dump, version, extensions=tuple(words[5].decode().strip('";') for words in found))


def _dump(connection: sa.Connection, version: int) -> IO[bytes]:
    """Catalog and statistics in a file without a name: no other user reads it and nothing is left behind."""
    bindir, major = _program()
    if version // 10000 > major:
        raise PlanError(
            f"the server is PostgreSQL {version // 10000}, and pg_dump in {bindir} is of {major}, which cannot read "
            "it. Install a newer one: pip install -U 'schema-kit[embedded]'."
        )
    url = connection.engine.url
    conninfo = url.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
    environment = dict(os.environ) | ({"PGPASSWORD": str(url.password)} if url.password is not None else {})
    command = [
        str(bindir / "pg_dump"),
        *("--no-data", "--statistics", "--no-owner", "--no-privileges", "--no-publications", "--no-subscriptions"),
        *("--no-comments", "--no-security-labels", "--no-tablespaces", "--no-password"),
        *(f"--lock-wait-timeout={LOCK_WAIT}", "--dbname", conninfo),
    ]
    dump = tempfile.TemporaryFile()  # noqa: SIM115  it outlives this function
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=dump, stderr=subprocess.PIPE, env=environment, check=False
    )
    if done.returncode:
        dump.close()
        said = done.stderr.decode(errors="replace").replace("pg_dump: ", "").strip().splitlines()
        raise PlanError(_refused(said[0] if said else f"exit code {done.returncode}"))
    dump.seek(0)
    return dump


def _program() -> tuple[Path, int]:
    tools = find_tools(None, MAJOR)
    return tools.bindir, tools.major


def _refused(said: str) -> str:
    return (
        f"pg_dump was refused: {said}. It reads the catalog and the statistics, and locks each table in ACCESS SHARE, "
        f"waiting {LOCK_WAIT} at most. Where the role lacks that right: GRANT pg_read_all_data TO it. If another "
        "session changes one: run it again."
    )
