"""Plans that the golden files show, one module a subject: importing them registers their cases."""

from __future__ import annotations

from tests.support.golden import (
    archives,
    baseline,
    conversion,
    copied_tables,
    copies,
    indexes,
    next_partitions,
    policies,
    retirement,
    rows,
    unpartition,
)
from tests.support.golden.cases import CASES

__all__ = [
    "CASES",
    "archives",
    "baseline",
    "conversion",
    "copied_tables",
    "copies",
    "indexes",
    "next_partitions",
    "policies",
    "retirement",
    "rows",
    "unpartition",
]
