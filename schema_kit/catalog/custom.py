"""Settings with a dot in their name, such as app.tenant, that a session has set: PostgreSQL lists them nowhere.

So what SQLAlchemy sends is looked at from the import of schema_kit.ops on, and their names are kept with the session.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, Engine, event

_NAMES = "schema_kit.custom_settings"
_NAME = r"[A-Za-z_][\w$]*(?:\.[A-Za-z_][\w$]*)+"
_SET = re.compile(
    rf"\bset\s+(?:(?:local|session)\s+)?({_NAME})\s*(?:=|to\b)|\bset_config\s*\(\s*'({_NAME})'", re.IGNORECASE
)
_WITH_PARAMETERS = re.compile(r"\bset_config\s*\(", re.IGNORECASE)


@event.listens_for(Engine, "before_cursor_execute")
def _note(connection: Connection, _: Any, statement: str, parameters: Any, *__: Any) -> None:
    found = [name or other for name, other in _SET.findall(statement)]
    if parameters and _WITH_PARAMETERS.search(statement):
        found += (value for value in _values(parameters) if isinstance(value, str) and re.fullmatch(_NAME, value))
    if found:
        remember(connection, found)


def _values(parameters: Any) -> Iterator[Any]:
    for one in parameters.values() if isinstance(parameters, Mapping) else parameters:
        yield from _values(one) if isinstance(one, Mapping | tuple | list) else (one,)


def remember(connection: Connection, names: Iterable[str]) -> None:
    """Keep the names of settings with the session, until it ends."""
    connection.info.setdefault(_NAMES, set()).update(names)


def names(connection: Connection) -> list[str]:
    """Return the names of the settings that the session has set, now or before."""
    return sorted(connection.info.get(_NAMES, ()))
