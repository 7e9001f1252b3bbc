"""schema_kit doctor: what is wrong with a project or a server, before a migration finds out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click
import sqlalchemy as sa

from schema_kit.catalog.direct import pooled
from schema_kit.catalog.session import rows
from schema_kit.cli import revisions
from schema_kit.cli.env_py import begins
from schema_kit.cli.output import echo_json, wrapped
from schema_kit.cli.project import config_of, ini_of, scripts_of
from schema_kit.connection import connect
from schema_kit.embedded import find_alembic_folder, mentions_alembic
from schema_kit.errors import SchemaKitError
from schema_kit.server import NEWEST, OLDEST
from schema_kit.url import VARIABLE, alembic_config, database_url, shown

_WRONG = 4


class _Found(NamedTuple):
    code: str
    wrong: bool
    text: str


_SERVER = f"""
SELECT 'version', pg_catalog.current_setting('server_version_num')::int / 10000
         NOT BETWEEN {OLDEST.version // 10000} AND {NEWEST.version // 10000},
       'PostgreSQL ' || pg_catalog.current_setting('server_version')
         || '; tried on {OLDEST.version // 10000} to {NEWEST.version // 10000}'
UNION ALL
SELECT 'standby', pg_catalog.pg_is_in_recovery(),
       CASE WHEN pg_catalog.pg_is_in_recovery() THEN 'this server is a standby, and only reads'
       ELSE 'this server takes writes' END
UNION ALL
SELECT 'schema', NOT coalesce(may.fill, may.make), CASE WHEN n.oid IS NULL AND NOT may.make
            THEN pg_catalog.format('%I lacks CREATE on the database, and there is no schema schema_kit: CREATE SCHEMA '
              'schema_kit; GRANT USAGE, CREATE ON SCHEMA schema_kit TO %I', current_user, current_user)
            WHEN NOT may.fill THEN pg_catalog.format('GRANT USAGE, CREATE ON SCHEMA schema_kit TO %I', current_user)
            ELSE 'own tables go to the schema schema_kit' END
FROM (SELECT 1) one LEFT JOIN pg_namespace n ON n.nspname = 'schema_kit', LATERAL (
  SELECT pg_catalog.has_schema_privilege(n.oid, 'CREATE') AND pg_catalog.has_schema_privilege(n.oid, 'USAGE'),
         pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')
) may (fill, make)
UNION ALL
SELECT 'search_path', pg_catalog.current_schema() IS NULL,
       'names without a schema are looked up in ' || coalesce(
         nullif(pg_catalog.array_to_string(pg_catalog.current_schemas(false), ', '), ''),
         'no schema that exists: set search_path')
UNION ALL
SELECT 'row_security', pg_catalog.count(*) > 0,
       CASE WHEN pg_catalog.count(*) = 0 THEN 'no table hides rows from this role'
            ELSE 'row security hides rows of ' || pg_catalog.string_agg(c.oid::regclass::text, ', ' ORDER BY c.oid)
                 || ' from this role: work on them needs BYPASSRLS' END
FROM pg_class c WHERE c.relkind IN ('r', 'p') AND pg_catalog.row_security_active(c.oid)
UNION ALL
SELECT 'pg_trgm', pg_catalog.count(*) = 0, CASE WHEN pg_catalog.count(*) = 0
       THEN 'the extension pg_trgm is not installed on the server (Debian: postgresql-contrib): no trigram indexes'
       ELSE 'pg_trgm is available' END
FROM pg_available_extensions WHERE name = 'pg_trgm'
UNION ALL
SELECT 'encoding', getdatabaseencoding() = 'SQL_ASCII', CASE WHEN getdatabaseencoding() = 'SQL_ASCII'
       THEN 'the encoding is SQL_ASCII: PostgreSQL checks no letter, and a name that is not UTF-8 cannot be read'
       ELSE 'the encoding is ' || getdatabaseencoding() END
UNION ALL
SELECT 'lc_ctype', datctype IN ('C', 'POSIX'), CASE WHEN datctype IN ('C', 'POSIX')
       THEN pg_catalog.format('LC_CTYPE is %s: trigrams are of ASCII letters only', datctype)
       ELSE 'LC_CTYPE is ' || datctype::text END
FROM pg_database WHERE datname = pg_catalog.current_database()
UNION ALL
SELECT 'invalid_index', pg_catalog.count(*) > 0, CASE WHEN pg_catalog.count(*) = 0 THEN 'no index is INVALID'
       ELSE 'INVALID: ' || pg_catalog.string_agg(x.indexrelid::regclass::text, ', ') || ' (op.reindex_concurrently)' END
FROM pg_index x WHERE NOT x.indisvalid AND x.indislive
  AND NOT EXISTS (SELECT 1 FROM pg_stat_progress_create_index p WHERE p.index_relid = x.indexrelid)
"""  # noqa: S608 - numbers alone


@click.command()
@click.option("--url", help="postgresql://user@host/database")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.pass_context
def doctor(context: click.Context, url: str | None, form: str) -> None:
    """Report problems of a project and its database.

    It changes nothing; where no database is named, it starts the embedded server. Exit codes: 0 nothing is wrong, 4
    something is.

    Example: schema_kit doctor --url postgresql://deploy@host/shop
    """
    found = [*_project(find_alembic_folder()), *_database(url)]
    if form == "json":
        echo_json([one._asdict() for one in found])
    else:
        for one in found:
            click.echo(wrapped(f"{'wrong' if one.wrong else 'ok':5}  {one.code}: {one.text}"))
    if any(one.wrong for one in found):
        context.exit(_WRONG)


def _project(folder: Path) -> Iterator[_Found]:
    try:
        scripts = scripts_of(folder)
    except SchemaKitError as error:
        has = (folder / "alembic.ini").is_file() or mentions_alembic(folder / "pyproject.toml")
        yield _Found("project", has, str(error) if has else f"not looked at: {error}")
        return
    environment_file = scripts / "env.py"
    try:
        text = environment_file.read_text(encoding="utf-8")
        compile(text, environment_file, "exec", dont_inherit=True)
    except (OSError, UnicodeDecodeError, SyntaxError, ValueError) as error:
        yield _Found("env.py", True, f"{environment_file} cannot be read: {error}")
        return
    has = "schema_kit" in text
    yield _Found(
        "env.py",
        not has,
        f"{environment_file} imports schema_kit"
        if has
        else f"{environment_file} does not import schema_kit, and op lacks its operations: schema_kit init",
    )
    if begins(text):
        yield _Found(
            "transaction",
            True,
            f"{environment_file} begins the transactions itself, and operations that commit on their own are refused "
            "there: for each engine, context.configure(connection=...) and `with context.begin_transaction():` "
            "(schema_kit init writes that in the template multidb, without USE_TWOPHASE)",
        )
    yield from (_Found(*one) for one in revisions.of_project(config_of(folder)))
    ini = ini_of(folder)
    if ini and "[loggers]" in (lines := ini.read_text(encoding="utf-8")):
        logged = "[logger_schema_kit]" in lines
        yield _Found(
            "logger",
            False,
            f"{ini} has a logger for progress"
            if logged
            else f"{ini} has no logger schema_kit: progress goes to stderr; schema_kit init adds one",
        )


def _stamp(connection: sa.Connection) -> Iterator[_Found]:
    try:
        config = config_of(find_alembic_folder())
    except SchemaKitError:  # said by _project
        return
    yield from (_Found(*one) for one in revisions.of_database(config, connection))


def _database(url: str | None) -> Iterator[_Found]:
    try:
        config = alembic_config()
    except SchemaKitError as error:
        yield _Found("alembic.ini", True, str(error))
        if url is None and not os.environ.get(VARIABLE):
            return
        config = None
    section = config.config_ini_section if config else ""
    written = config and config.file_config.get(section, "sqlalchemy.url", raw=True, fallback=None)
    if written and os.environ.get(VARIABLE) and url is None:
        yield _Found("urls", False, f"alembic.ini and {VARIABLE} both name a database; {VARIABLE} is taken")
    try:
        chosen = database_url(url, config)
        yield _Found("url", False, shown(chosen))
        with connect(chosen, autocommit=True) as connection:
            yield from (_Found(*row) for row in rows(connection, _SERVER))
            yield from _stamp(connection)
            if why := pooled(connection):
                yield _Found("pooler", True, why)
    except SchemaKitError as error:
        yield _Found("connection", True, str(error))
    except sa.exc.DBAPIError as error:
        yield _Found("connection", True, str(error.orig).strip())
