"""The embedded PostgreSQL server, used when no database is named: found, started, stopped, removed.

    location.py    where a server lives, whom it runs as, and one process at a time in there
    tools.py       PostgreSQL's programs: found, made readable, run
    postmaster.py  the running process: found, launched, stopped, brought back after a kill
    server.py      start, stop, status, reset

The server listens on a Unix socket only, in a directory that only its user can enter. It outlives the
process that started it; data survive a stop, a crash and a kill.
"""

from __future__ import annotations

from schema_kit.embedded.location import data_folder, find_alembic_folder, mentions_alembic
from schema_kit.embedded.server import DATABASE, Server, reset, start, status, stop
from schema_kit.embedded.tools import find_psql

__all__ = ["DATABASE", "Server", "data_folder", "find_alembic_folder", "find_psql", "mentions_alembic"]
__all__ += ["reset", "start", "status", "stop"]
