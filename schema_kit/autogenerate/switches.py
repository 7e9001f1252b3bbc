"""What env.py switches: which differences are looked for, and which of Alembic's operations are replaced."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from schema_kit.errors import DeclarationError

DRIFT = (
    "index",
    "check",
    "removed_check",
    "unique",
    "foreign_key",
    "not_null",
    "primary_key",
    "partitioning",
    "options",
    "type",
    "default",
    "enum",
    "new",
    "exclude",
    "inherits",
    "computed",
    "collation",
    "comment",
    "archive",
)
"""Kinds of differences that Alembic does not see, or sees where there are none."""

SAFE = (
    "index",
    "foreign_key",
    "check",
    "unique",
    "primary_key",
    "not_null",
    "type",
    "default",
    "drop_column",
    "drop_table",
)
"""Kinds of Alembic's operations that are replaced by those that keep no session waiting."""


@dataclass(frozen=True)
class Safe:
    """Which of Alembic's operations autogenerate replaces; for ``environment.run(safe=...)``.

    Args:
        kinds: those of `SAFE` that are replaced; by default all.
        rows: tables with fewer rows, by the planner's estimate, keep Alembic's operations; by default none does.

    Raises:
        DeclarationError: a kind is unknown.

    Example:
        environment.run(target_metadata=metadata, safe=Safe(rows=10_000))
    """

    kinds: Collection[str] = SAFE
    rows: int = 0

    def __post_init__(self) -> None:
        _refuse_unknown("safe", self.kinds, SAFE)


def drift_of(options: Mapping[str, Any]) -> frozenset[str]:
    """Return the kinds of drift that are looked for: ``schema_kit_drift`` of ``context.configure``.

    Raises:
        DeclarationError: a kind is unknown.
    """
    given = options.get("schema_kit_drift", True)
    kinds = (DRIFT if given else ()) if isinstance(given, bool) else given
    _refuse_unknown("drift", kinds, DRIFT)
    return frozenset(kinds)


def safe_of(options: Mapping[str, Any]) -> Safe:
    """Return what is replaced: ``schema_kit_safe`` of ``context.configure``.

    Raises:
        DeclarationError: a kind is unknown.
    """
    given = options.get("schema_kit_safe", True)
    if isinstance(given, Safe):
        return given
    return Safe((SAFE if given else ()) if isinstance(given, bool) else given)


def _refuse_unknown(switch: str, given: Collection[str], known: Collection[str]) -> None:
    if isinstance(given, str) or not set(given) <= set(known):
        raise DeclarationError(f"{switch}={given!r}: give True, False or some of {', '.join(known)}.")
