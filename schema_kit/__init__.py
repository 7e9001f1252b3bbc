"""Alembic operations and commands that change big, live PostgreSQL tables without an outage.

Importing this package imports no database library: its names are loaded when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from schema_kit import op
    from schema_kit.autogenerate.diff import assert_no_diff
    from schema_kit.errors import (
        DeclarationError,
        EmbeddedServerError,
        ExecutionError,
        LockNotAvailable,
        PlanError,
        SchemaKitError,
    )
    from schema_kit.model import Partitioning
    from schema_kit.ops import operations
    from schema_kit.script import LockPolicy

__version__ = "0.1.0"

__all__ = [
    "DeclarationError",
    "EmbeddedServerError",
    "ExecutionError",
    "LockNotAvailable",
    "LockPolicy",
    "Partitioning",
    "PlanError",
    "SchemaKitError",
    "assert_no_diff",
    "op",
    "operations",
]

_HOMES = {name: "schema_kit.errors" for name in __all__ if name.endswith("Error") or name == "LockNotAvailable"} | {
    "LockPolicy": "schema_kit.script",
    "assert_no_diff": "schema_kit.autogenerate.diff",
    "Partitioning": "schema_kit.model",
    "operations": "schema_kit.ops",
}


def __getattr__(name: str) -> Any:
    if name == "op":
        return import_module("schema_kit.op")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
