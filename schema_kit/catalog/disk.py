"""How much room there is where the server keeps its data, as far as that can be seen from here."""

from __future__ import annotations

import shutil

from sqlalchemy import Connection

from schema_kit.catalog.session import rows
from schema_kit.sizes import pretty

_PLACES = """
SELECT s.setting, pg_tablespace_location(t.oid)
FROM pg_settings s, pg_database d, pg_tablespace t
WHERE s.name = 'data_directory' AND d.datname = current_database() AND t.oid = coalesce(
  (SELECT nullif(c.reltablespace, 0) FROM pg_class c WHERE c.oid = to_regclass(%(table)s)), d.dattablespace
) AND inet_server_addr() IS NULL
"""


def room(connection: Connection, table: str = "") -> tuple[int, int] | None:
    """Bytes that are free, and all there are, on the file system with the least room of those that the work needs.

    None where they cannot be seen: PostgreSQL does not report them. Its files are read where it is reached over a Unix
    socket, so on this machine, and says where they lie (to superusers and members of pg_read_all_settings).

    Args:
        connection: where to look, while observing.
        table: the table whose tablespace is meant, quoted; the database's where it is left out.
    """
    found = []
    for data, tablespace in rows(connection, _PLACES, {"table": table or "pg_class"}):
        for place in filter(None, (data, tablespace)):
            try:
                usage = shutil.disk_usage(place)
            except OSError:
                return None
            found.append((usage.free, usage.total))
    return min(found, default=None)


def reserve(total: int) -> int:
    """Bytes that work in the background leave free: a server whose disk is full stops."""
    return max(64 * 2**20, min(total // 20, 2 * 2**30))


def tight(connection: Connection, table: str = "") -> str | None:
    """Return why there is too little room to go on with; None where there is enough, or it is unknown."""
    there = room(connection, table)
    if there is None or there[0] >= reserve(there[1]):
        return None
    return f"{pretty(there[0])} are free on the server's disk, and {pretty(reserve(there[1]))} stay so"
