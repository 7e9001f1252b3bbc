"""Production's rows and bytes by table, and how long work on them takes: pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from schema_kit.errors import DeclarationError
from schema_kit.names import QualifiedName

BYTES_A_SECOND = {"scan": 130_000_000, "build": 40_000_000, "rewrite": 40_000_000, "write": 10_000_000}
"""What a disk in a cloud gives, roughly: to read, to build an index, to rewrite, to update row by row."""

QUERY = """
SELECT n.nspname::text, c.relname::text, greatest(c.reltuples, 0)::bigint,
       c.relpages::bigint * current_setting('block_size')::bigint
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' ORDER BY 1, 2
"""
"""What ANALYZE has counted: any session may read it who may connect."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Rows and bytes of tables."""

    tables: Mapping[QualifiedName, tuple[int, int]] = field(default_factory=dict)

    def told(self, table: QualifiedName) -> str:
        """``, with 120,000,000 rows, 48 GB``; nothing where it is not known."""
        if table not in self.tables:
            return ""
        rows, size = self.tables[table]
        return f", with {rows:,} rows, {_bytes(size)}"

    def long(self, table: QualifiedName, work: str) -> str:
        """Return the same, and how long the work takes."""
        if table not in self.tables:
            return ""
        return f"{self.told(table)}: about {_seconds(self.tables[table][1] / BYTES_A_SECOND[work])}"


def read(text: str) -> Sizes:
    """Sizes of a file: ``{"public.orders": {"rows": 120000000, "bytes": 48000000000}}``.

    Raises:
        DeclarationError: it is something else.
    """
    try:
        found: Any = json.loads(text)
        tables = {
            QualifiedName.parse(name, "public"): (int(one["rows"]), int(one["bytes"])) for name, one in found.items()
        }
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise DeclarationError(
            'the sizes cannot be read. Write {"public.orders": {"rows": 120000000, "bytes": 48000000000}}.'
        ) from error
    return Sizes(tables)


def _bytes(size: int) -> str:
    amount, unit = float(size), "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if amount < 1000:
            break
        amount, unit = amount / 1000, larger
    return f"{amount:.0f} {unit}"


def _seconds(seconds: float) -> str:
    if seconds < 1:
        return "a moment"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"
