"""What a PostgreSQL server can, by its version: plans, steps and tasks compare no numbers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class _Since:
    """Whether a server is of that version, or a later one."""

    version: int

    def __get__(self, server: Server, of: type[Server]) -> bool:
        return server.version >= self.version


@dataclass(frozen=True, slots=True)
class Server:
    """A server, by its server_version_num."""

    version: int

    analyze_only = _Since(180000)
    """ANALYZE ONLY leaves the partitions out."""
    counts_last_scans = _Since(160000)
    """It counts when an index was scanned last, and updates that went to another page."""
    file_copy = _Since(150000)
    """CREATE DATABASE has STRATEGY = FILE_COPY."""
    incremental_sort_alone = _Since(160000)
    """Rows that are sorted in part are not sorted as a whole, even where that is cheaper."""
    maintain_privilege = _Since(170000)
    """MAINTAIN may be granted."""
    moves_referenced_rows = _Since(150000)
    """A row may move between partitions without firing ON DELETE CASCADE of keys that refer to it."""
    not_null_not_valid = _Since(180000)
    """NOT NULL may be added NOT VALID."""
    not_valid_on_partitioned = _Since(180000)
    """A partitioned table takes foreign keys NOT VALID."""
    security_invoker = _Since(150000)
    """A view can read with the rights of its reader."""
    set_access_method = _Since(150000)
    """ALTER TABLE has SET ACCESS METHOD."""
    skip_scans = _Since(180000)
    """A B-tree is searched for what its later columns are compared with, though its first one is not."""
    transaction_timeout = _Since(170000)
    """A setting ends transactions that last too long; dumps made by a later pg_dump set it."""
    virtual_columns = _Since(180000)
    """Generated columns may be virtual."""


OLDEST, NEWEST = Server(140000), Server(180000)
"""Those that schema_kit is tried on, from and to."""
