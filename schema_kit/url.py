"""Which database: the one place that says it, for Alembic's commands and for schema_kit's.

1. ``config.attributes["connection"]``, a Connection, an Engine or an AsyncEngine: Alembic's way for programs;
2. ``-x url=`` of Alembic, ``--url`` of schema_kit;
3. ``sqlalchemy.url`` where a program has set it (``config.set_main_option``);
4. ``DATABASE_URL``;
5. ``sqlalchemy.url`` as alembic.ini has it;
6. the embedded server, unless ``SCHEMA_KIT_EMBEDDED=never``.

Where 3 and 4 name two databases, neither is taken. Set but empty is wrong usage: a secret that failed to mount must
not become a run on another database.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from configparser import Error as ConfigError
from configparser import InterpolationError
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from schema_kit import embedded
from schema_kit.errors import DeclarationError

if TYPE_CHECKING:
    from alembic.config import Config

VARIABLE = "DATABASE_URL"
EMBEDDED = "SCHEMA_KIT_EMBEDDED"
_OPTION = "sqlalchemy.url"
_CONFIG = "ALEMBIC_CONFIG"
_EXAMPLE = "Write postgresql://user@host/database."
_NAME_IT = f"Name the database with --url (Alembic: -x url=) or {VARIABLE}."


def database_url(given: str | None = None, config: Config | None = None) -> sa.URL:
    """Return the URL of the database, for psycopg 3.

    Args:
        given: ``-x url=`` or ``--url``; None where it was left out.
        config: Alembic's; None where there is no alembic.ini.

    Raises:
        DeclarationError: a URL is set but empty, cannot be read, or names another database system; two of them
            contradict each other; none is named and the embedded server is ruled out.
        EmbeddedServerError: the embedded server cannot be had.
    """
    text, source = _chosen(given, config, os.environ)
    if text is None:
        if os.environ.get(EMBEDDED, "").lower() == "never":
            raise DeclarationError(
                f"no database is named, and {EMBEDDED}=never rules the embedded server out. {_NAME_IT}"
            )
        text, source = embedded.start().url(), "the embedded server"
    return _parsed(text, source)


def is_named(given: str | None = None, config: Config | None = None) -> bool:
    """Return whether a database is named: by a program's connection, or by a URL; else it is the embedded one."""
    if config is not None and config.attributes.get("connection") is not None:
        return True
    return _chosen(given, config, os.environ)[0] is not None


def alembic_config(folder: Path | None = None) -> Config | None:
    """Alembic's configuration of a project, for commands that Alembic does not start: the files that it would read.

    Args:
        folder: the project's; without it, this folder or the one above it that has Alembic's files.

    Raises:
        DeclarationError: alembic.ini cannot be read, or ALEMBIC_CONFIG names a file that does not exist.
    """
    folder = folder or embedded.find_alembic_folder()
    ini, toml = folder / "alembic.ini", folder / "pyproject.toml"
    if named := os.environ.get(_CONFIG):
        ini, toml = (ini, Path(named)) if Path(named).name == toml.name else (Path(named), toml)
        if not Path(named).is_file():
            raise DeclarationError(f"{_CONFIG} is {named}, and that file does not exist.")
    if not (ini.is_file() or embedded.mentions_alembic(toml)):
        return None
    from alembic.config import Config  # a third of what a command imports, and not needed without the file

    config = Config(ini if ini.is_file() else None, toml_file=toml)
    try:
        config.file_config.sections()  # reads the file
    except (ConfigError, UnicodeDecodeError) as error:
        raise DeclarationError(f"{ini.name} cannot be read: {error}.") from error
    return config


def _chosen(given: str | None, config: Config | None, variables: Mapping[str, str]) -> tuple[str | None, str]:
    if given is not None:
        return _not_empty(given, "the URL"), "the URL"
    variable = variables.get(VARIABLE)
    if variable is not None:
        _not_empty(variable, VARIABLE)
    if config is None:
        return variable, VARIABLE
    try:
        configured, written = _main_option(config), _as_written(config)
    except InterpolationError:
        if variable is not None:
            return variable, VARIABLE
        raise DeclarationError(
            f"{_OPTION} of {config.config_file_name} refers to a value that the file does not define, such as "
            f"%(DB_USER)s: env.py may set it, a command cannot. {_NAME_IT}"
        ) from None  # the error shows the whole line, the password in it
    if configured is not None and configured != written:
        _not_empty(configured, _OPTION)
        if variable is not None and (one := _parsed(configured, _OPTION)) != (other := _parsed(variable, VARIABLE)):
            raise DeclarationError(
                f"a program has set {_OPTION} to {shown(one)}, and {VARIABLE} is "
                f'{shown(other)}. Unset one of them, or hand over config.attributes["connection"].'
            )
        return configured, _OPTION
    if variable is not None:
        return variable, VARIABLE
    return (None, _OPTION) if configured is None else (_not_empty(configured, f"{_OPTION} of alembic.ini"), _OPTION)


def _main_option(config: Config) -> str | None:
    """Return the URL of the configuration; None where its file is missing, or the section: pyproject.toml has none."""
    has = config.file_config.has_section(config.config_ini_section)
    return config.get_main_option(_OPTION) if has else None


def _as_written(config: Config) -> str | None:
    """Return the option as the file has it, whatever a program has set since."""
    if config.config_file_name is None:
        return None
    from alembic.config import Config

    try:
        return _main_option(Config(config.config_file_name, ini_section=config.config_ini_section))
    except InterpolationError:  # a program has set what it refers to
        return None


def _not_empty(text: str, source: str) -> str:
    if not text.strip():
        raise DeclarationError(f"{source} is set but empty. {_EXAMPLE} Without it, schema_kit looks further for one.")
    return text


_SEVERAL_HOSTS = re.compile(
    r"(?<=://)(?P<user>[^/?]*@)?(?P<hosts>[^/?@]*:\d*,[^/?@]*|[^/?@]*,[^/?@]*:\d+)(?P<rest>(/[^?]*)?)(\?|$)"
)
"""libpq's ``host1:5432,host2:5433``, which SQLAlchemy knows as parameters alone."""


def _as_query(found: re.Match[str]) -> str:
    hosts, _, ports = zip(*(one.partition(":") for one in found["hosts"].split(",")), strict=True)
    return f"{found['user'] or ''}{found['rest']}?host={','.join(hosts)}&port={','.join(ports)}&"


def _parsed(text: str, source: str) -> sa.URL:
    try:
        url = sa.make_url(_SEVERAL_HOSTS.sub(_as_query, text.strip()))
    except (sa.exc.ArgumentError, ValueError) as error:  # ValueError: the port is not a number
        raise DeclarationError(f"{source} cannot be read as a database URL. {_EXAMPLE}") from error
    if url.drivername == "driver":
        raise DeclarationError(f"{source} is still the placeholder of a new alembic.ini. {_EXAMPLE} Or: {_NAME_IT}")
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise DeclarationError(
            f"{shown(url)} is a database of {url.get_backend_name()}; schema_kit is for PostgreSQL. {_EXAMPLE}"
        )
    return _for_psycopg(url)


_SSL_MODES = {"true": "require", "false": "disable"}
_OF_ASYNCPG = {
    *("prepared_statement_cache_size", "prepared_statement_name_func", "statement_cache_size"),
    *("max_cached_statement_lifetime", "max_cacheable_statement_size", "command_timeout", "direct_tls"),
}


def _for_psycopg(url: sa.URL) -> sa.URL:
    """The same database by psycopg 3: what only asyncpg understands is translated, or left out where it is its own."""
    query = dict(url.query)
    if url.drivername.endswith("+asyncpg"):
        if isinstance(mode := query.pop("ssl", None), str):
            query["sslmode"] = _SSL_MODES.get(mode.lower(), mode)
        if (seconds := query.pop("timeout", None)) is not None:
            query["connect_timeout"] = seconds
        query = {name: value for name, value in query.items() if name not in _OF_ASYNCPG}
    return url.set(drivername="postgresql+psycopg", query=query)


def shown(url: sa.URL) -> str:
    """Return a URL as messages show it: without a password, wherever it stands."""
    hidden = {name: "***" for name in url.query if "password" in name.lower()}
    return url.update_query_dict(hidden).render_as_string(hide_password=True)
